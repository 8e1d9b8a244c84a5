/* Results where the threshold rounds have taken cells away: the six patients, and what must be null then. */
#include "stats/six_patients.h"

/* The result of an analysis without these cells. */
static const struct result *behind(struct six *six, const char *analysis, const struct six_hidden *hidden,
                                   size_t n)
{
    six_run_behind(six, analysis, hidden, n);
    if (six->state->status != ANALYSIS_OK)
        fail_msg("%s", six->state->reason);
    return six->state->outcome.result;
}

#define HIDE(...)                                                                                            \
    (const struct six_hidden[]){__VA_ARGS__},                                                                \
        sizeof((const struct six_hidden[]){__VA_ARGS__}) / sizeof(struct six_hidden)

static void test_count(void **state)
{
    (void)state;
    struct six six;
    const struct result *groups = get(behind(&six, "method: count, by: arm", HIDE({2, 0, 1})), "groups");
    assert_int_equal(groups->n, 2);
    assert_text(get(at(groups, 0), "level"), "A");
    assert_empty(get(at(groups, 0), "n"));
    assert_number(get(at(groups, 1), "n"), 3);
    assert_int_equal(six.state->outcome.n, 3); /* of the cells that are shown */
    assert_int_equal(six.state->outcome.suppressed, 1);
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    assert_warned(&six, "withheld");
    six_clear(&six);
    /* A level of which nothing is known is not said to be nobody's. */
    groups = get(behind(&six, "method: count, by: arm", HIDE({2, 0, 3})), "groups");
    assert_int_equal(groups->n, 3);
    assert_empty(get(at(groups, 2), "n"));
    assert_int_equal(six.state->outcome.dropped_levels->n, 0);
    six_clear(&six);
}

/* What is withheld is not asked for either: its words are 0 when they leave. */
static void test_asked(void **state)
{
    (void)state;
    struct six six = {0};
    struct maille_error error = {0};
    assert_int_equal(six_study(&six, "method: describe, variables: [age, dead], by: arm", &error), MAILLE_OK);
    const struct surviving *surviving = six_surviving(&six, HIDE({1, 0, 1}, {2, 1, 1}, {5, 4, 1}));
    const struct vector none = {0};
    const bool open = true;
    struct round_plan plan;
    assert_int_equal(round_plan(&plan, six.study, &open, &none, &surviving, 0, &error), MAILLE_OK);
    const struct tally_spec *spec = plan.analyses[0].spec;
    assert_int_equal(spec->blocks[0].kept[0], 0);
    assert_memory_equal(spec->blocks[1].kept, ((uint8_t[]){1, 0, 1}), 3);
    assert_memory_equal(spec->blocks[2].kept, ((uint8_t[]){1, 0, 1}), 3); /* ages of the group that is gone */
    assert_memory_equal(spec->blocks[3].kept, ((uint8_t[]){1, 1, 0, 0, 0, 1}), 6); /* and its levels */
    round_plan_clear(&plan);
    arena_free(six.arena);
}

/* x is missing of one patient: the sums of age and of age + x would differ by that one. */
static void test_describe_overlap(void **state)
{
    (void)state;
    static const char two[] = "method: describe, variables: [age, older]";
    struct six six;
    struct maille_error error = {0};
    const struct result *rows = get(behind(&six, two, HIDE({7, 0, 1})), "variables");
    assert_number(get(at(rows, 0), "sum"), 360);
    assert_number(get(at(rows, 0), "n"), 6);
    assert_empty(get(at(rows, 1), "sum"));
    assert_empty(get(at(rows, 1), "mean"));
    assert_empty(get(at(rows, 1), "n"));
    struct cells *cells = arena_alloc(six.arena, sizeof *cells);
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    struct tally tally = {0};
    size_t bytes;
    const struct analysis *analysis = &six.study->analyses[0];
    assert_int_equal(method_find("describe")->cells(analysis, six.arena, cells, &error), MAILLE_OK);
    assert_int_equal(tally_layout(extents, &bytes, &cells->spec, &error), MAILLE_OK);
    assert_int_equal(tally_run(&tally, &cells->spec, six.table, NULL, &error), MAILLE_OK);
    assert_int_equal(cells->spec.n_blocks, 8);
    assert_int_equal(tally_count(tally.words.data, &extents[7], 0), 1);
    tally_clear(&tally);
    six_clear(&six);
    /* Numbers of one variable, or of none in common, need no such count. */
    assert_int_equal(six_study(&six, "method: describe, variables: [age, turned, x]", &error), MAILLE_OK);
    analysis = &six.study->analyses[0];
    cells = arena_alloc(six.arena, sizeof *cells);
    assert_int_equal(method_find("describe")->cells(analysis, six.arena, cells, &error), MAILLE_OK);
    assert_int_equal(cells->spec.n_blocks, 9);
    arena_free(six.arena);
}

static void test_describe(void **state)
{
    (void)state;
    struct six six;
    const struct result *rows = get(behind(&six, "method: describe, variables: [x, dead], by: arm",
                                           HIDE({1, 0, 1}, {2, 0, 1}, {4, 1, 1}, {5, 2, 1})),
                                    "variables");
    const struct result *a = at(rows, 0), *b = at(rows, 1);
    assert_text(get(a, "level"), "A");
    const char *const nulls[] = {"n", "missing", "mean", "sd", "se", "skewness", "sum"};
    for (size_t i = 0; i < 7; i++)
        assert_empty(get(a, nulls[i]));
    assert_number(get(b, "n"), 2); /* x of one is missing, and how many is withheld */
    assert_empty(get(b, "missing"));
    assert_number(get(b, "mean"), 0.3);
    for (size_t i = 2; i < 4; i++) { /* dead of A: gone with its group */
        assert_empty(get(at(rows, i), "n"));
        assert_empty(get(at(rows, i), "share"));
    }
    assert_empty(get(at(rows, 4), "n")); /* B, FALSE */
    assert_number(get(at(rows, 5), "n"), 1);
    assert_number(get(at(rows, 5), "share"), 1); /* of what is shown */
    assert_int_equal(six.state->outcome.n, 3);
    assert_int_equal(six.state->outcome.n_missing, -1);
    assert_int_equal(six.state->outcome.suppressed, 4);
    six_clear(&six);
}

static void test_histogram(void **state)
{
    (void)state;
    struct six six;
    const struct result *counts = get(
        at(get(behind(&six, "method: histogram, variable: age, breaks: [0, 45, 65, 120]", HIDE({2, 1, 1})),
               "groups"),
           0),
        "counts");
    assert_empty(at(counts, 0));
    assert_number(at(counts, 1), 3);
    assert_number(at(counts, 2), 2);
    assert_int_equal(six.state->outcome.n, 5);
    six_clear(&six);
    (void)behind(&six, "method: histogram, variable: age, breaks: [0, 120]", HIDE({2, 0, 1}));
    assert_warned(&six, "lie beyond");
    six_clear(&six);
}

static void test_crosstab(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        behind(&six, "method: crosstab, variables: [arm, dead]", HIDE({2, 0, 2}, {2, 2, 1}));
    const struct result *counts = get(result, "counts");
    assert_int_equal(counts->n, 2); /* C is nobody's, and known to be */
    assert_empty(at(at(counts, 0), 0));
    assert_empty(at(at(counts, 0), 1));
    assert_empty(at(at(counts, 1), 0));
    assert_number(at(at(counts, 1), 1), 1);
    assert_int_equal(six.state->outcome.suppressed, 3);
    assert_int_equal(six.state->outcome.n, 1);
    const char *const tests[] = {"chisq", "chisq_uncorrected", "fisher", "cramers_v"};
    for (size_t i = 0; i < 4; i++)
        assert_empty(get(result, tests[i]));
    assert_warned(&six, "no test");
    six_clear(&six);
}

/* Ages 40 50 60 60 70 80 in two steps, up to 50 and above: the third and fourth are somewhere in 51 … 120,
 * which is no estimate. */
static void test_quantile(void **state)
{
    (void)state;
    struct six six;
    const struct result *group =
        at(get(behind(&six, "method: quantile, variable: age, probs: [0.5]", HIDE({3, 0, 50}, {3, 51, 69})),
               "groups"),
           0);
    assert_number(get(group, "n"), 6);
    assert_empty(at(get(group, "values"), 0));
    assert_empty(get(group, "resolution"));
    assert_warned(&six, "it lies anywhere from 51 to 120");
    assert_int_equal(six.rounds, 1);
    six_clear(&six);
    /* In one arm every step is its own: the value is exact. The other is withheld. */
    const struct result *groups = get(
        behind(&six, "method: quantile, variable: age, probs: [0.5], by: arm", HIDE({2, 0, 1}, {3, 0, 121})),
        "groups");
    assert_empty(get(at(groups, 0), "n"));
    assert_empty(at(get(at(groups, 0), "values"), 0));
    assert_number(at(get(at(groups, 1), "values"), 0), 70);
    assert_number(get(at(groups, 1), "resolution"), 1);
    assert_int_equal(six.state->outcome.n, 3);
    six_clear(&six);
}

/* At risk 6 6 5 4 2 2 1: with at least 3, bins 0 … 3 stand. What leaves in bin 3 would tell the 2 that are
 * left, so that time 2 is the last. */
static void test_km_end(void **state)
{
    (void)state;
    struct six six;
    const struct result *curve = at(
        get(behind(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", tau: 6", HIDE({5, 4, 7})), "curves"),
        0);
    assert_int_equal(get(curve, "time")->n, 2);
    assert_number(at(get(curve, "time"), 1), 2);
    assert_number(at(get(curve, "n_risk"), 1), 5);
    assert_number(at(get(curve, "estimate"), 1), 5.0 / 6);
    assert_number(get(curve, "n"), 6); /* the arm's totals are cells of their own */
    assert_number(get(curve, "n_event"), 3);
    assert_empty(get(curve, "median"));
    assert_empty(get(get(curve, "rmst"), "estimate"));
    assert_warned(&six, "ends before time 3,");
    assert_warned(&six, "no restricted mean");
    six_clear(&six);
    curve = at(
        get(behind(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", tau: 3", HIDE({5, 4, 7})), "curves"),
        0);
    assert_number(get(get(curve, "rmst"), "estimate"), 1 + 2 * 5.0 / 6);
    six_clear(&six);
    /* What is shown ends before 3: S(2) is known, who is at risk behind 2 is not. */
    const struct result *times =
        at(get(behind(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", times: [2, 2.5, 3, 6]",
                      HIDE({5, 4, 7})),
               "at_times"),
           0);
    assert_number(at(get(times, "estimate"), 1), 5.0 / 6);
    assert_number(at(get(times, "n_risk"), 0), 5);
    assert_empty(at(get(times, "n_risk"), 1));
    assert_empty(at(get(times, "estimate"), 2));
    assert_empty(at(get(times, "estimate"), 3));
    six_clear(&six);
    /* Weighted alike: the sums of who is left are those of the arm. */
    curve =
        at(get(behind(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", weights: age", HIDE({5, 4, 7})),
               "curves"),
           0);
    assert_int_equal(get(curve, "time")->n, 2);
    assert_number(at(get(curve, "n_risk"), 0), 360);
    assert_number(at(get(curve, "estimate"), 1), 320.0 / 360);
    assert_number(get(curve, "n_event"), 160);
    six_clear(&six);
    /* Delayed entry: 3 from the start, at risk 0 3 3 3 3 2 1. */
    curve = at(
        get(behind(&six, "method: km, formula: \"Surv(start, time, dead) ~ 1\"", HIDE({5, 5, 6})), "curves"),
        0);
    assert_int_equal(get(curve, "time")->n, 3);
    assert_number(at(get(curve, "n_risk"), 0), 3);
    six_clear(&six);
}

static void test_km_arm(void **state)
{
    (void)state;
    struct six six;
    for (size_t block = 2; block < 4; block++) { /* its patients, or its events */
        const struct result *curves =
            get(behind(&six, "method: km, formula: \"Surv(time, dead) ~ arm\", tau: 2", HIDE({block, 0, 1})),
                "curves");
        assert_int_equal(curves->n, 2);
        assert_text(get(at(curves, 0), "stratum"), "arm=A");
        const char *const nulls[] = {"n",    "n_event", "median",   "rmst",
                                     "time", "n_risk",  "estimate", "conf_high"};
        for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
            assert_empty(get(at(curves, 0), nulls[i]));
        assert_number(get(at(curves, 1), "n"), 3);
        assert_int_equal(six.state->outcome.n, 3);
        assert_int_equal(six.state->outcome.n_event, 1);
        const struct result *contrasts = get(six.state->outcome.result, "contrasts");
        assert_empty(at(get(at(contrasts, 0), "difference"), 0)); /* nothing of the arm, by no difference */
        assert_empty(at(get(at(contrasts, 0), "ratio_high"), 0));
        six_clear(&six);
    }
}

/* Arm A ends before time 3: both are compared up to there. One death in A, of three and three. */
static void test_logrank(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        behind(&six, "method: logrank, formula: \"Surv(time, dead) ~ arm\"", HIDE({4, 4, 7}));
    assert_number(get(result, "statistic"), 1);
    assert_number(get(at(get(result, "groups"), 0), "expected"), 0.5);
    assert_number(get(at(get(result, "groups"), 0), "n"), 3);
    assert_warned(&six, "arm=A ends before time 3");
    six_clear(&six);
}

static void test_cuminc(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        behind(&six, "method: cuminc, formula: \"Surv(time, cause) ~ arm\"", HIDE({2, 0, 1}));
    const struct result *curves = get(result, "curves");
    assert_int_equal(curves->n, 4);
    assert_empty(get(at(curves, 0), "estimate"));
    assert_empty(get(at(curves, 1), "time"));
    assert_int_equal(get(at(curves, 2), "time")->n, 1);
    assert_empty(get(at(get(result, "gray"), 0), "p_value"));
    assert_warned(&six, "no test of cause cancer");
    six_clear(&six);
    /* A curve that ends: B has its cancer at 3 and nothing is shown from there. */
    result = behind(&six, "method: cuminc, formula: \"Surv(time, cause) ~ arm\"", HIDE({5, 15, 7}));
    assert_int_equal(get(at(get(result, "curves"), 2), "time")->n, 0);
    six_clear(&six);
}

static void test_smd(void **state)
{
    (void)state;
    struct six six;
    const struct result *rows =
        get(behind(&six, "method: smd, treatment: dead, variables: [arm]", HIDE({3, 1, 1})), "variables");
    assert_true(number(get(at(rows, 0), "unweighted")) != 0);
    assert_empty(get(at(rows, 1), "unweighted"));
    assert_int_equal(six.state->outcome.suppressed, 1);
    six_clear(&six);
    const struct result *result =
        behind(&six, "method: smd, treatment: dead, variables: [age], weights: age", HIDE({1, 0, 1}));
    assert_empty(get(get(result, "weights"), "p01"));
    assert_number(get(get(result, "weights"), "mean"), 60);
    assert_int_equal(six.state->outcome.n_missing, -1);
    six_clear(&six);
}

/* Where truncation would cut cannot be known without counts that nobody may see. */
static void test_truncation(void **state)
{
    (void)state;
    struct six six;
    six_run_behind(
        &six, "method: describe, variables: [age], weights: { iptw: \"dead ~ x\", truncate: [0.1, 0.9] }",
        HIDE({1, 0, 1}));
    assert_int_equal(six.state->status, ANALYSIS_REFUSED);
    assert_string_equal(six.state->rule, "min_cell");
    six_clear(&six);
    (void)behind(&six, "method: describe, variables: [age], weights: { iptw: \"dead ~ age\" }",
                 HIDE({7, 0, 1}));
    assert_int_equal(six.state->outcome.n,
                     6); /* the model's own number of missing is withheld, not the method's */
    assert_int_equal(six.state->outcome.n_missing, 0);
    six_clear(&six);
}

/* Events at 1, 3, 3: all in one step, up to the last bin. β solves one risk set of all six. */
static void test_cox(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        behind(&six, "method: cox, formula: \"Surv(time, dead) ~ age\"", HIDE({3, 0, 10}));
    assert_text(get(result, "ties"), "breslow");
    assert_empty(get(result, "concordance"));
    assert_true(six.state->outcome.grid_merged);
    const struct result *edges = get(at(get(result, "grid_edges"), 0), "time");
    assert_int_equal(edges->n, 1);
    assert_number(at(edges, 0), 10);
    double beta = number(get(at(get(result, "terms"), 0), "estimate")), ages[] = {40, 50, 60, 60, 70, 80},
           s0 = 0, s1 = 0;
    for (size_t i = 0; i < 6; i++) {
        s0 += exp(beta * (ages[i] - 60));
        s1 += ages[i] * exp(beta * (ages[i] - 60));
    }
    assert_true(fabs(s1 / s0 - (40 + 50 + 70) / 3.0) < 1e-9); /* the mean age at risk is that of the events */
    six_clear(&six);
    /* Nothing joined: as without threshold rounds, but for concordance. */
    result = behind(&six, "method: cox, formula: \"Surv(time, dead) ~ age\"", HIDE({1, 0, 1}));
    assert_text(get(result, "ties"), "efron");
    assert_false(six.state->outcome.grid_merged);
    assert_warned(&six, "no concordance");
    assert_int_equal(six.state->outcome.n_missing, -1);
    six_clear(&six);
}

/* With strata(site) nobody has counted by time, so no number by time may leave. */
static void test_site(void **state)
{
    (void)state;
    struct six six = {0};
    struct maille_error error = {0};
    const struct vector none = {0};
    const bool open = true;
    struct round_plan plan;
    assert_int_equal(
        six_study(&six, "method: cox, formula: \"Surv(start, time, dead) ~ age + strata(site)\"", &error),
        MAILLE_OK);
    const struct surviving *surviving = six_surviving(&six, NULL, 0);
    assert_int_equal(round_plan(&plan, six.study, &open, &none, &surviving, 0, &error), MAILLE_OK);
    const struct tally_spec *spec = plan.analyses[0].spec;
    size_t n = 0;
    for (size_t b = 0; b < spec->n_blocks; b++)
        for (size_t g = 0;
             tally_block_groups(&spec->blocks[b]) > 10 && g < tally_block_groups(&spec->blocks[b]); g++) {
            assert_int_equal(spec->blocks[b].kept[g], 0);
            n++;
        }
    assert_int_equal(n, 11 * 2 + 11); /* exits by status, and entries */
    round_plan_clear(&plan);
    arena_free(six.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),      cmocka_unit_test(test_asked),
        cmocka_unit_test(test_describe),   cmocka_unit_test(test_describe_overlap),
        cmocka_unit_test(test_histogram),  cmocka_unit_test(test_crosstab),
        cmocka_unit_test(test_quantile),   cmocka_unit_test(test_km_end),
        cmocka_unit_test(test_km_arm),     cmocka_unit_test(test_logrank),
        cmocka_unit_test(test_cuminc),     cmocka_unit_test(test_smd),
        cmocka_unit_test(test_truncation), cmocka_unit_test(test_cox),
        cmocka_unit_test(test_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
