/* One site, six patients: age ~ arm, A 40 50 60 and B 60 70 80: estimate 20, s² = 100·(1/3 + 1/3) = 200/3, w
 * = 3/200. What leaves is scaled by 1/64, the power of two that covers half the range of age (0 to 120).
 *
 * Five sites with estimates 0 2 4 6 8 and variances 1 (scaled): ŷ = 4, se 1/√5; Q = 120 − 80 = 40 with 4 df;
 * C = 5 − 1 = 4, τ² = 36/4 = 9; v = 4·5/(25 − 5) = 1, I² = 90 %. Then w* = 1/10 each: ŷ = 4, se √2. */
#include "stats/meta.h"
#include "stats/six_patients.h"

static const char study_text[] = "method: meta, model: { method: glm, formula: \"age ~ arm\" }, term: armB";

/* The study's plan under a θ, and room for its words. */
struct planned {
    struct tally_spec spec;
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    size_t bytes;
};

static struct planned *plan_of(struct six *six, const struct vector *theta)
{
    struct maille_error error = {0};
    struct planned *planned = arena_alloc(six->arena, sizeof *planned);
    const struct analysis *analysis = &six->study->analyses[0];
    if (method_find("meta")->plan(analysis, theta, NULL, six->arena, &planned->spec, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(tally_layout(planned->extents, &planned->bytes, &planned->spec, &error), MAILLE_OK);
    assert_int_equal(planned->extents[0].count, META_VALUES);
    assert_int_equal(planned->extents[0].fraction, 52);
    assert_non_null(strstr(planned->spec.blocks[0].own->what, "weight and estimate of "));
    return planned;
}

/* What one site sends of an analysis of the six. */
static void site_values(double values[META_VALUES], const char *text, double tau2)
{
    struct six six;
    struct maille_error error = {0};
    struct tally tally = {0};
    struct vector theta = {0};
    six_run(&six, text); /* imports the table; ends for want of sites */
    if (tau2 > 0)
        vector_push(&theta, tau2);
    struct planned *planned = plan_of(&six, &theta);
    assert_int_equal(tally_run(&tally, &planned->spec, six.table, NULL, &error), MAILLE_OK);
    for (size_t i = 0; i < META_VALUES; i++)
        values[i] = tally_real(tally.words.data, &planned->extents[0], i);
    tally_clear(&tally);
    vector_clear(&theta);
    six_clear(&six);
}

static void assert_near(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("expected %.17g, found %.17g", expected, got);
}

static void test_site(void **state)
{
    (void)state;
    double values[META_VALUES], w = 3.0 / 200 * 64 * 64, y = 20.0 / 64;
    site_values(values, study_text, 0);
    assert_near(values[META_SITES], 1);
    assert_near(values[META_W], w);
    assert_near(values[META_WY], w * y);
    assert_near(values[META_WYY], w * y * y);
    assert_near(values[META_WW], w * w);
    assert_near(values[META_ROWS], 6);
    assert_near(values[META_MISSING], 0);
    site_values(values, study_text, 0.5);
    assert_near(values[META_W], 1 / (1 / w + 0.5));
}

/* No estimate of its own: nothing but the head counts leaves. Among the dead cancer 40 70 and other 50
 * remain: R would give `causeother`, but against cancer instead of none. */
static void test_no_estimate(void **state)
{
    (void)state;
    static const char *const studies[] = {
        "method: meta, model: { method: glm, formula: \"age ~ cause\" }, term: causeother, cohort: dead",
        "method: meta, model: { method: glm, formula: \"age ~ arm\" }, term: armB, cohort: arm == \"A\" && "
        "age > 40",
        "method: meta, model: { method: glm, formula: \"dead ~ age\", family: binomial }, term: age, cohort: "
        "dead",
        "method: meta, model: { method: glm, formula: \"age ~ x\" }, term: x",
    };
    static const double rows[] = {3, 2, 3, 5};
    for (size_t i = 0; i < sizeof studies / sizeof *studies; i++) {
        double values[META_VALUES];
        site_values(values, studies[i], 0);
        for (size_t k = META_SITES; k <= META_WW; k++)
            assert_near(values[k], 0);
        assert_near(values[META_ROWS], rows[i]);
    }
}

/* Steps with what the sites of a round are said to have sent in all. */
static bool step_with(struct six *six, struct iteration *iteration, struct outcome *outcome,
                      const double *values)
{
    struct maille_error error = {0};
    bool done = false;
    struct planned *planned = plan_of(six, &iteration->theta);
    uint8_t *words = arena_alloc(six->arena, planned->bytes);
    for (size_t i = 0; i < META_VALUES; i++) {
        i128 value = (i128)(values[i] * 0x1p52);
        le64_store(words + 16 * i, (uint64_t)value);
        le64_store(words + 16 * i + 8, (uint64_t)(value >> 64));
    }
    struct totals totals = {.spec = &planned->spec, .extents = planned->extents, .words = words};
    if (method_find("meta")->step(&six->study->analyses[0], &totals, iteration, outcome, &done, &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
    return done;
}

static void test_paper(void **state)
{
    (void)state;
    struct six six = {0};
    struct maille_error error = {0};
    struct study_run run;
    assert_int_equal(six_study(&six, study_text, &error), MAILLE_OK);
    assert_int_equal(study_run_init(&run, six.study, &error), MAILLE_OK);
    struct iteration *iteration = &run.states[0].iteration;
    struct outcome *outcome = &run.states[0].outcome;
    iteration->n_sites = 6;
    assert_false(
        step_with(&six, iteration, outcome, (const double[META_VALUES]){5, 5, 20, 120, 5, 60, 2, 0}));
    assert_int_equal(iteration->theta.n, 1);
    assert_near(iteration->theta.v[0], 9);
    assert_string_equal(plan_of(&six, &iteration->theta)->spec.blocks[0].own->what,
                        "weight and estimate of armB by glm(age ~ arm, gaussian), variance between sites 9");
    assert_true(
        step_with(&six, iteration, outcome, (const double[META_VALUES]){5, 0.5, 2, 12, 0.05, 60, 2, 0}));
    const struct result *fixed = get(outcome->result, "fixed"), *random = get(outcome->result, "random");
    assert_number(get(outcome->result, "sites"), 5);
    assert_number(get(fixed, "estimate"), 4 * 64);
    assert_number(get(fixed, "std_error"), 64 / sqrt(5));
    assert_number(get(fixed, "conf_low"), 64 * (4 - 1.959963984540054 / sqrt(5)));
    assert_number(get(random, "estimate"), 4 * 64);
    assert_number(get(random, "std_error"), 64 * sqrt(2));
    assert_number(get(random, "p_value"), erfc(2)); /* z = 4/√2 */
    assert_number(get(outcome->result, "tau2"), 9 * 64 * 64);
    assert_number(get(outcome->result, "i2"), 90);
    assert_number(get(outcome->result, "q"), 40);
    assert_number(get(outcome->result, "q_p_value"), exp(-20) * 21); /* χ² of 4 df: e^(−q/2)(1 + q/2) */
    assert_int_equal(outcome->n, 60);
    assert_int_equal(outcome->n_missing, 2);
    assert_int_equal(outcome->n_event, -1);
    assert_int_equal(outcome->warnings->n, 1); /* one of six sites has no estimate */
    study_run_clear(&run);
    six_clear(&six);
}

/* Estimates 1 in all: Q = 0, so τ² = 0, and round 1 is the last. */
static void test_homogeneous(void **state)
{
    (void)state;
    struct six six = {0};
    struct maille_error error = {0};
    struct study_run run;
    assert_int_equal(six_study(&six, study_text, &error), MAILLE_OK);
    assert_int_equal(study_run_init(&run, six.study, &error), MAILLE_OK);
    struct outcome *outcome = &run.states[0].outcome;
    run.states[0].iteration.n_sites = 5;
    assert_true(step_with(&six, &run.states[0].iteration, outcome,
                          (const double[META_VALUES]){5, 8, 8, 8, 20, 60, 2, 0}));
    assert_number(get(outcome->result, "tau2"), 0);
    assert_number(get(outcome->result, "i2"), 0);
    assert_number(get(outcome->result, "q_p_value"), 1);
    assert_number(get(get(outcome->result, "random"), "estimate"), 64);
    assert_number(get(get(outcome->result, "random"), "std_error"), 64 / sqrt(8));
    assert_int_equal(outcome->warnings->n, 0);
    study_run_clear(&run);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_fails(study_text, "found 1 of 1");
    six_fails("method: meta, model: { method: glm, formula: \"age ~ arm\" }, term: armB, cohort: age > 100",
              "found nobody");
    six_refused("method: meta, model: { method: glm, formula: \"age ~ arm\" }, term: armX", "found `armX`");
    six_refused(
        "method: meta, model: { method: cox, formula: \"Surv(time, dead) ~ age\" }, term: (Intercept)",
        "Intercept");
    six_refused(
        "method: meta, model: { method: cox, formula: \"Surv(time, dead) ~ age + strata(site)\" }, term: age",
        "no site");
    six_refused("method: meta, model: { method: glm, formula: \"Surv(time, dead) ~ age\" }, term: age",
                "Surv()");
    six_refused("method: meta, model: { method: km, formula: \"Surv(time, dead) ~ age\" }, term: age",
                "one of glm|cox");
    six_refused("method: meta, model: { method: glm, formula: \"age ~ arm\", tau: 3 }, term: armB", "tau");
    six_refused("method: meta, model: { method: glm }, term: armB", "formula");
    six_refused("method: meta, model: glm, term: armB", "expected `model` as a map");
    six_refused("method: meta, model: { method: glm, formula: \"age ~ arm\" }", "term");
}

/* θ that no honest analyst sends. */
static void test_theta(void **state)
{
    (void)state;
    static const double bad[] = {-1, 0, INFINITY};
    struct six six = {0};
    struct maille_error error = {0};
    struct tally_spec *spec;
    assert_int_equal(six_study(&six, study_text, &error), MAILLE_OK);
    for (size_t i = 0; i < 4; i++) {
        struct vector theta = {0};
        vector_push(&theta, i < 3 ? bad[i] : 1);
        if (i == 3)
            vector_push(&theta, 1);
        spec = arena_alloc(six.arena, sizeof *spec);
        assert_int_equal(
            method_find("meta")->plan(&six.study->analyses[0], &theta, NULL, six.arena, spec, &error),
            MAILLE_INVALID);
        vector_clear(&theta);
    }
    six_clear(&six);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_site),  cmocka_unit_test(test_no_estimate),
                                       cmocka_unit_test(test_paper), cmocka_unit_test(test_homogeneous),
                                       cmocka_unit_test(test_bad),   cmocka_unit_test(test_theta)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
