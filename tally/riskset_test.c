#include <math.h>

#include "tally/testing.h"

/* Numbers from R 4.2.2, survival 3.5-3; d is the table below:
 *
 *     f <- coxph(Surv(stop, event) ~ x + z + strata(s), d, ties = "efron",
 *                init = c(0.4, -0.3), robust = FALSE, control = coxph.control(iter.max = 0))
 *     c(f$loglik[1], colSums(residuals(f, "score", weighted = TRUE)), solve(f$var)[c(1, 3, 4)])
 *     f <- survdiff(Surv(stop, event) ~ arm + strata(s), d, rho = 0)
 *     c(rowSums(f$obs), rowSums(f$exp), f$var[c(1, 4, 7, 5, 8, 9)])
 *
 * each printed with sprintf("%.17g"); further with Surv(start, stop, event), weights = w, "breslow", rho = 1.
 */
static const char yaml[] = "dictionary: risk\n"
                           "version: 1\n"
                           "key: pid\n"
                           "missing: [\"\"]\n"
                           "variables:\n"
                           "  - { name: start, type: duration, units: days, min: 0, max: 20 }\n"
                           "  - { name: stop, type: duration, units: days, min: 0, max: 20 }\n"
                           "  - { name: event, type: boolean }\n"
                           "  - { name: x, type: real, min: -1, max: 1, resolution: 0.01 }\n"
                           "  - { name: z, type: boolean }\n"
                           "  - { name: s, type: category, levels: [a, b] }\n"
                           "  - { name: w, type: real, min: 0, max: 2, resolution: 0.5 }\n"
                           "  - { name: arm, type: category, levels: [p, q, r] }\n";
static const char csv[] = "pid,start,stop,event,x,z,s,w,arm\n"
                          "1,1,5,1,-0.29,0,b,0.5,r\n"
                          "2,2,8,1,0.65,1,b,1.5,q\n"
                          "3,6,14,1,-0.63,0,a,2,p\n"
                          "4,3,6,1,-0.21,1,a,1,r\n"
                          "5,6,14,0,-0.03,1,a,1.5,r\n"
                          "6,1,5,0,-0.01,1,b,2,q\n"
                          "7,6,7,0,-0.23,1,a,1,p\n"
                          "8,1,4,1,0.29,1,b,0.5,p\n"
                          "9,5,11,1,-0.31,1,a,1.5,q\n"
                          "10,2,6,1,0.91,1,b,1,q\n"
                          "11,5,6,1,-0.91,1,a,1,r\n"
                          "12,6,9,0,0.53,1,b,2,r\n"
                          "13,2,7,0,-0.59,1,a,1,q\n"
                          "14,1,6,0,0.37,1,a,1,r\n"
                          "15,3,11,0,-0.21,1,a,0.5,r\n"
                          "16,2,3,1,-0.88,0,b,1,r\n"
                          "17,3,8,0,0.47,1,b,1.5,q\n"
                          "18,1,7,1,0.25,0,b,0.5,p\n"
                          "19,6,14,1,0.26,1,b,2,p\n"
                          "20,6,11,1,0.13,0,a,0.5,r\n"
                          "21,5,12,0,0.58,1,b,1.5,q\n"
                          "22,5,6,1,-0.63,0,b,1,p\n"
                          "23,2,9,1,0.67,1,a,1,r\n"
                          "24,4,6,1,0.06,0,b,2,r\n"
                          "25,3,11,1,-0.05,1,a,1.5,q\n"
                          "26,2,6,0,0.13,0,b,2,p\n"
                          "27,5,10,1,-0.56,0,b,2,p\n"
                          "28,1,9,0,0.41,0,a,1.5,q\n"
                          "29,6,8,1,-0.36,1,a,0.5,p\n"
                          "30,1,8,1,0.52,0,b,1,p\n";

struct cox_case {
    enum riskset_kind kind;
    bool delayed, weighted;
    double expected[6];
};
static const struct cox_case cox_cases[] = {
    {RISKSET_COX_EFRON,
     false,
     false,
     {-37.774269871624817, -3.1963006182659979, -1.5620810335927542, 2.6247338191397458, 1.4676794071717396,
      4.2209687326587062}},
    {RISKSET_COX_EFRON,
     false,
     true,
     {-47.577615421965731, -3.124913371382505, -2.2766511664212565, 3.0090542882741023, 2.2307776209854837,
      4.6663564728167257}},
    {RISKSET_COX_EFRON,
     true,
     false,
     {-34.90309398152678, -3.54624795993977, -1.3445999995810523, 2.6551663037494122, 1.3131117528140381,
      4.0579732944399494}},
    {RISKSET_COX_EFRON,
     true,
     true,
     {-44.363641871518119, -3.3832698510225114, -1.8391506106169666, 3.112471680723933, 2.0480901850996847,
      4.5481054994794361}},
    {RISKSET_COX_BRESLOW,
     false,
     false,
     {-38.906074895713814, -3.2704085007152561, -1.4683043317452746, 2.6712165530877647, 1.4100226150074373,
      4.2415234144942566}},
    {RISKSET_COX_BRESLOW,
     false,
     true,
     {-48.753862497772332, -3.2083497195535222, -2.3005330162263458, 3.0323764243231928, 2.1656112414164652,
      4.6585213063768229}},
    {RISKSET_COX_BRESLOW,
     true,
     false,
     {-36.120423366205607, -3.596468221728657, -1.2757747075193484, 2.7146304622586044, 1.2587421315503549,
      4.074044630524023}},
    {RISKSET_COX_BRESLOW,
     true,
     true,
     {-45.659776959734863, -3.4478132140586641, -1.8965600497872044, 3.1443779531634646, 1.9800528999606939,
      4.5205949531276639}},
};

struct logrank_case {
    double rho, expected[12];
};
static const struct logrank_case logrank_cases[] = {
    {0,
     {8, 4, 7, 7.6323412698412705, 5.8482142857142865, 5.5194444444444448, 3.3269489805278494,
      -1.9042500117276904, -1.4226989688001592, 3.3102361552138335, -1.4059861434861434, 2.8286851122863022}},
    {1,
     {4.7178199404761907, 2.6790364583333335, 6.1160714285714288, 4.9525669642857144, 4.3720238095238093,
      4.1883370535714288, 1.9387484905357306, -1.0886882097777093, -0.85006028075802165, 2.0351959248235447,
      -0.94650771504583586, 1.7965679958038576}},
};

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static void set_survival(struct tally_spec *spec, const struct toy *toy, bool delayed)
{
    spec->survival = (struct tally_survival){.start = delayed ? toy_variable(toy, "start") : NULL,
                                             .stop = toy_variable(toy, "stop"),
                                             .event = toy_variable(toy, "event"),
                                             .lattice = 1,
                                             .per_bin = 1,
                                             .n_bins = 21};
}

static struct tally_block *cox_block(struct tally_spec *spec, const struct toy *toy, const struct cox_case *c)
{
    static const double beta[] = {0.4, -0.3, 0};
    const struct expression **terms = arena_array(toy->arena, 2, sizeof *terms);
    terms[0] = toy_variable(toy, "x");
    terms[1] = expression_number_of(toy->arena, toy_variable(toy, "z"));
    struct tally_block *block = tally_spec_add(spec);
    block->kind = TALLY_RISKSET;
    block->riskset = c->kind;
    block->group = toy_variable(toy, "s");
    block->weight = c->weighted ? toy_variable(toy, "w") : NULL;
    block->terms = terms;
    block->n_terms = 2;
    block->eta = expression_linear(toy->arena, beta, terms, 2);
    block->bound = 1000;
    return block;
}

static void cox_equals_coxph(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    for (size_t k = 0; k < sizeof cox_cases / sizeof *cox_cases; k++) {
        struct tally_spec spec = {0};
        struct tally tally = {0};
        struct tally_extent extent;
        size_t bytes;
        set_survival(&spec, &toy, cox_cases[k].delayed);
        cox_block(&spec, &toy, &cox_cases[k]);
        MUST(tally_layout(&extent, &bytes, &spec, &error));
        assert_int_equal(bytes, 6 * 16);
        MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
        for (size_t i = 0; i < 6; i++)
            assert_near(tally_real(tally.words.data, &extent, i), cox_cases[k].expected[i]);
        tally_clear(&tally);
    }
    toy_clear(&toy);
}

static void logrank_equals_survdiff(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    for (size_t k = 0; k < 2; k++) {
        struct tally_spec spec = {0};
        struct tally tally = {0};
        struct tally_extent extent;
        size_t bytes;
        set_survival(&spec, &toy, false);
        struct tally_block *block = tally_spec_add(&spec);
        block->kind = TALLY_RISKSET;
        block->riskset = RISKSET_LOGRANK;
        block->group = toy_variable(&toy, "s");
        block->arms = toy_variable(&toy, "arm");
        block->rho = logrank_cases[k].rho;
        block->bound = 4;
        MUST(tally_layout(&extent, &bytes, &spec, &error));
        MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
        assert_int_equal(extent.count, 12);
        for (size_t i = 0; i < 12; i++)
            assert_near(tally_real(tally.words.data, &extent, i), logrank_cases[k].expected[i]);
        tally_clear(&tally);
    }
    toy_clear(&toy);
}

/* With f <- concordance(Surv(stop, event) ~ eta + strata(s), d, reverse = TRUE): colSums(f$count)[1:3] and
 * sqrt(f$var), eta being 0.4·x or 0.4·z; further with Surv(start, stop, event) and weights = w. */
struct pair_case {
    bool z, delayed, weighted;
    double expected[3], std_error;
};
static const struct pair_case pair_cases[] = {
    {false, false, false, {48, 88, 1}, 0.087067055182511427},
    {false, false, true, {70.25, 119.75, 0.5}, 0.1022304181323988},
    {false, true, false, {37, 65, 1}, 0.089250220153600512},
    {false, true, true, {57.75, 83.75, 0.5}, 0.09933275668044414},
    {true, false, false, {26, 39, 72}, 0.075652718756842471},
    {true, true, true, {25.5, 43.75, 72.75}, 0.076995400009948353},
};

/* √Σ(net/2 + (½ − C)·pairs)² over all pairs. */
static double pairs_error(const struct tally *tally, const struct tally_extent *extent)
{
    double v[6];
    for (size_t i = 0; i < 6; i++)
        v[i] = tally_real(tally->words.data, extent, i);
    double pairs = v[0] + v[1] + v[2], towards = 0.5 - (v[0] + v[2] / 2) / pairs;
    double variance = v[3] / 4 + towards * v[4] + towards * towards * v[5];
    return sqrt(fmax(variance, 0)) / RISKSET_PAIRS_SCALE / pairs;
}

static void pairs_equal_concordance(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    for (size_t k = 0; k < sizeof pair_cases / sizeof *pair_cases; k++) {
        const struct pair_case *c = &pair_cases[k];
        const double beta[] = {c->z ? 0 : 0.4, c->z ? 0.4 : 0, 0};
        const struct expression *terms[] = {toy_variable(&toy, "x"),
                                            expression_number_of(toy.arena, toy_variable(&toy, "z"))};
        struct tally_spec spec = {0};
        struct tally tally = {0};
        struct tally_extent extent;
        size_t bytes;
        set_survival(&spec, &toy, c->delayed);
        struct tally_block *block = tally_spec_add(&spec);
        block->kind = TALLY_RISKSET;
        block->riskset = RISKSET_CONCORDANCE;
        block->group = toy_variable(&toy, "s");
        block->weight = c->weighted ? toy_variable(&toy, "w") : NULL;
        block->eta = expression_linear(toy.arena, beta, terms, 2);
        block->bound = 1000;
        MUST(tally_layout(&extent, &bytes, &spec, &error));
        assert_int_equal(extent.count, 6);
        MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
        for (size_t i = 0; i < 3; i++)
            assert_near(tally_real(tally.words.data, &extent, i), c->expected[i]);
        assert_near(pairs_error(&tally, &extent), c->std_error);
        tally_clear(&tally);
        block->riskset = RISKSET_CONCORDANCE_SITE; /* all rows are one cluster: their sum is 0, as in R */
        MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
        assert_true(pairs_error(&tally, &extent) < 1e-6);
        assert_true(tally_real(tally.words.data, &extent, 5) > 0);
        tally_clear(&tally);
    }
    toy_clear(&toy);
}

/* Two patients: the first dies at 1, the second is censored at 2. U = x1 − (r1·x1 + r2·x2)/(r1 + r2). */
static void two_patients_on_paper(void **state)
{
    (void)state;
    static const char two[] = "pid,start,stop,event,x,z,s,w,arm\n"
                              "1,0,1,1,1,0,a,1,p\n"
                              "2,0,2,0,0,0,a,0,p\n" /* no weight: as if not there */
                              "3,0,2,0,-1,0,a,1,q\n"
                              "4,0,0,0,,1,a,1,q\n"; /* no x: left out */
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, two, strlen(two));
    struct tally_spec spec = {0};
    struct tally tally = {0};
    struct tally_extent extent;
    size_t bytes;
    struct cox_case c = {.kind = RISKSET_COX_EFRON, .weighted = true};
    set_survival(&spec, &toy, false);
    cox_block(&spec, &toy, &c);
    MUST(tally_layout(&extent, &bytes, &spec, &error));
    MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
    double r1 = exp(0.4), r2 = exp(-0.4), mean = (r1 - r2) / (r1 + r2);
    assert_near(tally_real(tally.words.data, &extent, 0), 0.4 - log(r1 + r2));
    assert_near(tally_real(tally.words.data, &extent, 1), 1 - mean);
    assert_near(tally_real(tally.words.data, &extent, 3), 1 - mean * mean);
    assert_true(tally_real(tally.words.data, &extent, 2) == 0);
    tally_clear(&tally);
    toy_clear(&toy);
}

/* Rows of two blocks, collected by one to three threads, and the same rows backwards. */
static void the_order_of_rows_does_not_matter(void **state)
{
    (void)state;
    enum { ROWS = 70000 };
    struct maille_error error = {0};
    struct tally one = {0}, other = {0};
    for (int backwards = 0; backwards < 2; backwards++) {
        char *many = toy_text((size_t)ROWS * 48 + 100);
        size_t length = (size_t)sprintf(many, "pid,start,stop,event,x,z,s,w,arm\n");
        for (int k = 0; k < ROWS; k++) {
            uint64_t seed = (uint64_t)(backwards ? ROWS - k : k + 1) * UINT64_C(0x9e3779b97f4a7c15);
            unsigned start = (unsigned)(toy_random(&seed) % 10),
                     stop = start + 1 + (unsigned)(toy_random(&seed) % 9);
            length += (size_t)sprintf(many + length, "%d,%u,%u,%u,%.2f,%u,%c,%.1f,p\n", k, start, stop,
                                      (unsigned)(toy_random(&seed) % 2), toy_uniform(&seed, -1, 1),
                                      (unsigned)(toy_random(&seed) % 2), (int)('a' + toy_random(&seed) % 2),
                                      0.5 * (double)(toy_random(&seed) % 5));
        }
        struct toy toy = toy_new(yaml, many, length);
        free(many);
        struct tally_spec spec = {0};
        struct cox_case c = {.kind = RISKSET_COX_EFRON, .delayed = true, .weighted = true};
        set_survival(&spec, &toy, true);
        cox_block(&spec, &toy, &c);
        for (unsigned threads = 1; threads <= 3; threads++) {
            struct tally_options options = {.threads = threads};
            MUST(tally_run(one.words.data == NULL ? &one : &other, &spec, toy.columns, &options, &error));
            if (other.words.data != NULL)
                assert_memory_equal(one.words.data, other.words.data, one.words.length);
        }
        toy_clear(&toy);
    }
    assert_non_null(other.words.data);
    tally_clear(&one);
    tally_clear(&other);
}

static void sums_beyond_their_bound_fail(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_spec spec = {0};
    struct tally tally = {0};
    set_survival(&spec, &toy, false);
    cox_block(&spec, &toy, &cox_cases[0])->bound = 0x1p-34;
    assert_int_equal(tally_run(&tally, &spec, toy.columns, NULL, &error), MAILLE_FAILED);
    assert_non_null(strstr(error.sentence, "public bound"));
    toy_clear(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cox_equals_coxph),
        cmocka_unit_test(logrank_equals_survdiff),
        cmocka_unit_test(pairs_equal_concordance),
        cmocka_unit_test(two_patients_on_paper),
        cmocka_unit_test(the_order_of_rows_does_not_matter),
        cmocka_unit_test(sums_beyond_their_bound_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
