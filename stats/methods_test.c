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
    assert_true(fabs(cells.grid_days - grid_days) < 1e-12);
    for (size_t b = 0; b < n_blocks; b++) {
        assert_int_equal(cells.rules[b], rules[b]);
        assert_true(cells.spec.blocks[b].distinct);
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
    static const enum cell_rule tables[] = {CELL_COHORT, CELL_PATIENTS, CELL_PATIENTS};
    static const enum cell_rule survival[] = {CELL_COHORT, CELL_PATIENTS, CELL_EVENTS, CELL_PATIENTS,
                                              CELL_EVENTS};
    assert_heads("method: count, by: arm", tables, 2, (int64_t[]){6, 3, 3, 0}, 4, 0);
    assert_heads("method: crosstab, variables: [arm, dead]", tables, 2, (int64_t[]){6, 1, 2, 2, 1, 0, 0}, 7,
                 0);
    /* x of one patient is missing: present and missing are both cells */
    assert_heads("method: describe, variables: [x, dead]", tables, 3, (int64_t[]){6, 5, 1, 3, 3}, 5, 0);
    assert_heads("method: histogram, variable: age, breaks: [30, 60, 90]", tables, 2,
                 (int64_t[]){6, 0, 4, 2, 0}, 5, 0);
    assert_heads("method: ttest, formula: \"x ~ arm\"", tables, 2, (int64_t[]){5, 3, 2, 0}, 4, 0);
    assert_heads("method: anova, formula: \"age ~ dead\"", tables, 2, (int64_t[]){6, 3, 3}, 3, 0);
    assert_heads("method: smd, treatment: dead, variables: [age, arm]", tables, 3,
                 (int64_t[]){6, 3, 3, 1, 2, 0, 2, 1, 0}, 9, 0);
    assert_heads("method: correlation, variables: [age, x]", tables, 1, (int64_t[]){5}, 1, 0);
    assert_heads("method: km, formula: \"Surv(time, dead) ~ arm\"", survival, 3,
                 (int64_t[]){6, 3, 3, 0, 2, 1, 0}, 7, 1);
    /* events per arm and cause */
    assert_heads("method: cuminc, formula: \"Surv(time, cause) ~ arm\"", survival, 3,
                 (int64_t[]){6, 3, 3, 0, 1, 1, 1, 0, 0, 0}, 10, 1);
    assert_heads("method: logrank, formula: \"Surv(time, dead) ~ arm + strata(dead)\"", survival, 5,
                 (int64_t[]){6, 3, 3, 0, 2, 1, 0, 3, 3, 0, 3}, 11, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_heads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
