/* Every method of the list: what it declares, and its head counts over the six patients. */
#include "stats/six_patients.h"

static void test_list(void **state)
{
    (void)state;
    size_t n = 0;
    const struct query_method *declared = methods_declared(&n);
    for (size_t i = 0; i < n; i++) {
        const struct method *method = methods_all[i];
        assert_non_null(method);
        assert_string_equal(declared[i].name, method->declared.name);
        assert_ptr_equal(method_find(declared[i].name), method);
        assert_non_null(method->cells);
        assert_non_null(method->plan);
        assert_non_null(method->step);
        assert_true(method->version >= 1);
        assert_non_null(method->words.name);
        assert_non_null(method->words.sentence);
        assert_non_null(method->words.r);
        for (size_t k = 0; k < method->declared.n_keys; k++) {
            assert_non_null(method->declared.keys[k].name);
            assert_non_null(method->declared.keys[k].sentence);
        }
    }
    assert_true(NULL == methods_all[n]);
    assert_null(method_find("nothing"));
}

/* Head counts of an analysis in the order of its cells; n of them. */
static void assert_heads(const char *analysis, const enum cell_rule *rules, size_t n_blocks,
                         const int64_t *counts, size_t n, double grid_days)
{
    struct six six;
    struct cells cells = {0};
    struct tally tally = {0};
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    struct maille_error error = {0};
    size_t bytes, k = 0;
    six_run(&six, analysis); /* to whatever end */
    const struct analysis *a = &six.study->analyses[0];
    assert_int_equal(method_find(a->method)->cells(a, six.arena, &cells, &error), MAILLE_OK);
    assert_int_equal(tally_layout(extents, &bytes, &cells.spec, &error), MAILLE_OK);
    assert_int_equal(tally_run(&tally, &cells.spec, six.table, NULL, &error), MAILLE_OK);
    assert_int_equal(cells.spec.n_blocks, n_blocks);
    assert_true(fabs(cells.axis.days - grid_days) < 1e-12);
    for (size_t b = 0; b < n_blocks; b++) {
        assert_int_equal(cells.rules[b], rules[b]);
        bool rows = rules[b] == CELL_AT_RISK || rules[b] == CELL_ENTERING; /* else patients */
        assert_true(cells.spec.blocks[b].distinct == !rows);
        assert_true((cells.n_bins[b] > 0) == (rows || rules[b] == CELL_MERGE));
        for (size_t i = 0; i < extents[b].count; i++, k++) {
            assert_true(k < n);
            assert_int_equal(tally_count(tally.words.data, &extents[b], i), counts[k]);
        }
    }
    assert_int_equal(k, n);
    tally_clear(&tally);
    six_clear(&six);
}

static void test_heads(void **state)
{
    (void)state;
    static const enum cell_rule tables[] = {CELL_COHORT,  CELL_MISSING, CELL_TABLE,  CELL_TABLE,
                                            CELL_MISSING, CELL_TABLE,   CELL_MISSING};
    static const enum cell_rule tests[] = {CELL_COHORT, CELL_MISSING, CELL_PATIENTS, CELL_TABLE};
    assert_heads("method: count, by: arm", tables, 3, (int64_t[]){6, 0, 3, 3, 0}, 5, 0);
    assert_heads("method: crosstab, variables: [arm, dead]", tables, 3, (int64_t[]){6, 0, 1, 2, 2, 1, 0, 0},
                 8, 0);
    /* x of one patient is missing: rows, then of each variable its values and those without */
    assert_heads("method: describe, variables: [x, dead]", tables, 7, (int64_t[]){6, 0, 6, 5, 1, 3, 3, 0}, 8,
                 0);
    assert_heads("method: describe, variables: [x], by: arm", tables, 5,
                 (int64_t[]){6, 0, 3, 3, 0, 3, 2, 0, 0, 1, 0}, 11, 0);
    assert_heads("method: histogram, variable: x, breaks: [0, 0.2, 0.4]", tables, 3,
                 (int64_t[]){5, 1, 0, 0, 5, 0}, 6, 0);
    assert_heads("method: ttest, formula: \"x ~ arm\"", tests, 3, (int64_t[]){5, 1, 3, 2, 0}, 5, 0);
    assert_heads("method: anova, formula: \"age ~ dead\"", tests, 3, (int64_t[]){6, 0, 3, 3}, 4, 0);
    assert_heads("method: smd, treatment: dead, variables: [age, arm]", tests, 4,
                 (int64_t[]){6, 0, 3, 3, 1, 2, 0, 2, 1, 0}, 10, 0);
    assert_heads("method: correlation, variables: [age, x]", tables, 2, (int64_t[]){5, 1}, 2, 0);
    static const enum cell_rule quantiles[] = {CELL_COHORT, CELL_MISSING, CELL_TABLE, CELL_MERGE};
    assert_heads("method: quantile, variable: x, probs: [0.5]", quantiles, 4,
                 (int64_t[]){6, 0, 6, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0}, 14, 0);
}

/* Exits at 1, 2, 3, 3, 5, 6 of days 0 … 10. */
static void test_heads_of_curves(void **state)
{
    (void)state;
    static const enum cell_rule curves[] = {CELL_COHORT, CELL_MISSING, CELL_TABLE,    CELL_TABLE,
                                            CELL_EVENTS, CELL_AT_RISK, CELL_ENTERING, CELL_MISSING};
    static const enum cell_rule tests[] = {CELL_COHORT, CELL_MISSING, CELL_PATIENTS,
                                           CELL_EVENTS, CELL_EVENTS,  CELL_AT_RISK};
    static const enum cell_rule site[] = {CELL_COHORT, CELL_MISSING, CELL_PATIENTS, CELL_EVENTS};
    assert_heads("method: km, formula: \"Surv(time, dead) ~ 1\"", curves, 6,
                 (int64_t[]){6, 0, 6, 3, 3, 0, 1, 1, 2, 0, 1, 1, 0, 0, 0, 0}, 16, 1);
    /* with weights those who are censored, and those who have the event */
    static const enum cell_rule weighted[] = {CELL_COHORT, CELL_MISSING, CELL_TABLE, CELL_TABLE,
                                              CELL_EVENTS, CELL_AT_RISK, CELL_MERGE, CELL_MERGE};
    assert_heads("method: km, formula: \"Surv(time, dead) ~ 1\", weights: age", weighted, 8,
                 (int64_t[]){6, 0, 6, 3, 3, 0, 1, 1, 2, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1,
                             0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0},
                 38, 1);
    assert_heads(
        "method: km, formula: \"Surv(start, time, dead) ~ 1\"", curves, 8,
        (int64_t[]){6, 0, 6, 3, 3, 0, 1, 1, 2, 0, 1, 1, 0, 0, 0, 0, 3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        30, 1);
    /* events per arm and cause */
    assert_heads("method: cuminc, formula: \"Surv(time, cause) ~ dead\"", curves, 6,
                 (int64_t[]){6, 0, 3, 3, 0, 0, 2, 1, 3, 0, 0, 1, 0, 0, 1, 1,
                             0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0},
                 31, 1);
    /* arms are strata × groups */
    assert_heads("method: logrank, formula: \"Surv(time, dead) ~ arm + strata(dead)\"", tests, 6,
                 (int64_t[]){6, 0, 1, 2, 0, 2, 1, 0, 2, 1, 0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,
                             0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0,
                             0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                 79, 1);
    assert_heads("method: logrank, formula: \"Surv(time, dead) ~ arm + strata(site)\"", site, 4,
                 (int64_t[]){6, 0, 3, 3, 0, 2, 1, 0}, 8, 1);
}

/* Events, exits by another cause and entries per bin come last: what joined steps are made of. */
static void test_heads_of_models(void **state)
{
    (void)state;
    static const enum cell_rule cox[] = {CELL_COHORT, CELL_MISSING,  CELL_EVENTS, CELL_PATIENTS,
                                         CELL_EVENTS, CELL_PATIENTS, CELL_EVENTS, CELL_MERGE};
    static const enum cell_rule entry[] = {CELL_COHORT,  CELL_MISSING, CELL_EVENTS,
                                           CELL_MISSING, CELL_MERGE,   CELL_MERGE};
    static const enum cell_rule causes[] = {CELL_COHORT, CELL_MISSING, CELL_EVENTS, CELL_MERGE, CELL_MERGE};
    static const enum cell_rule site[] = {CELL_COHORT, CELL_MISSING, CELL_EVENTS};
    static const enum cell_rule glm[] = {CELL_COHORT, CELL_MISSING,  CELL_EVENTS, CELL_PATIENTS,
                                         CELL_EVENTS, CELL_PATIENTS, CELL_EVENTS, CELL_PATIENTS,
                                         CELL_EVENTS, CELL_PAIRS};
    assert_heads("method: cox, formula: \"Surv(time, dead) ~ arm + strata(arm)\"", cox, 8,
                 (int64_t[]){6, 0, 3, 3, 3, 0, 2, 1, 0, 3, 3, 0, 2, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0,
                             0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                 48, 1);
    assert_heads(
        "method: cox, formula: \"Surv(start, time, dead) ~ x\"", entry, 6,
        (int64_t[]){5, 1, 3, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0}, 28,
        1);
    assert_heads("method: finegray, cause: cancer, formula: \"Surv(time, cause) ~ age\"", causes, 5,
                 (int64_t[]){6, 0, 2, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 25,
                 1);
    assert_heads("method: cox, formula: \"Surv(time, dead) ~ x + strata(site)\"", site, 3,
                 (int64_t[]){5, 1, 3}, 3, 1);
    /* the combinations of levels of an interaction, and the pairs of arm and cause, which are the same */
    assert_heads("method: glm, family: binomial, formula: \"dead ~ arm * cause\"", glm, 10,
                 (int64_t[]){6, 0, 3, 3, 3, 0, 2, 1, 0, 3, 2, 1, 0, 2, 1, 1, 1, 1, 2, 1, 0,
                             0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 2, 1, 0, 0, 0, 0},
                 42, 0);
    /* what each site fits by itself is not summed by time */
    assert_heads("method: meta, model: { method: cox, formula: \"Surv(time, dead) ~ x\" }, term: x", site, 3,
                 (int64_t[]){5, 1, 3}, 3, 1);
    /* the method's, the arms', the model's */
    static const enum cell_rule iptw[] = {CELL_COHORT,   CELL_MISSING, CELL_TABLE,   CELL_TABLE, CELL_MISSING,
                                          CELL_PATIENTS, CELL_COHORT,  CELL_MISSING, CELL_EVENTS};
    assert_heads("method: describe, variables: [age], weights: { iptw: \"dead ~ x\" }", iptw, 9,
                 (int64_t[]){5, 1, 5, 5, 0, 2, 3, 5, 0, 3}, 10, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_heads),
                                       cmocka_unit_test(test_heads_of_curves),
                                       cmocka_unit_test(test_heads_of_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
