/* Ages: A 40 50 60, B 60 70 80. Means 50 and 70, both sd 10: d = 20/10; Welch's t² = 400/(200/3) = 6 with 4
 * degrees of freedom, p = 1 − √0.6·(1 + 0.4/2). Quartiles (type 7): A 45 50 55; of all 52.5 60 67.5. Dead: 2
 * of 3 in A, 1 of 3 in B: d = −(1/3)/√(2/9); 1.5 are expected, so Fisher's test, p = 1. */
#include "stats/six_patients.h"

static const struct result *row_of(const struct result *rows, const char *variable, const char *value,
                                   const char *level)
{
    for (size_t i = 0; i < rows->n; i++)
        if (result_same(result_text(rows->items[i], "variable"), variable) &&
            result_same(result_text(rows->items[i], "value"), value) &&
            result_same(result_text(rows->items[i], "level"), level))
            return rows->items[i];
    fail_msg("no row of %s", variable);
    return NULL;
}

static void test_table(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(
        &six, "method: table1, variables: [age, dead, x], by: arm, statistics: both, smd: true, p: true");
    const struct result *groups = get(result, "groups"), *rows = get(result, "variables"),
                        *compared = get(result, "comparisons");
    assert_int_equal(groups->n, 3);
    assert_text(get(at(groups, 1), "level"), "B");
    assert_empty(get(at(groups, 2), "level"));
    assert_number(get(at(groups, 2), "n"), 6);
    const struct result *a = row_of(rows, "age", NULL, "A"), *all = row_of(rows, "age", NULL, NULL);
    assert_number(get(a, "mean"), 50);
    assert_number(get(a, "sd"), 10);
    assert_number(get(a, "q1"), 45);
    assert_number(get(a, "median"), 50);
    assert_number(get(a, "q3"), 55);
    assert_number(get(all, "mean"), 60);
    assert_number(get(all, "q1"), 52.5);
    assert_number(get(all, "median"), 60);
    assert_number(get(all, "q3"), 67.5);
    assert_number(get(row_of(rows, "x", NULL, "B"), "missing"), 1);
    assert_number(get(row_of(rows, "x", NULL, NULL), "missing"), 1);
    assert_number(get(row_of(rows, "dead", "TRUE", "A"), "n"), 2);
    assert_number(get(row_of(rows, "dead", "TRUE", "A"), "share"), 2.0 / 3);
    assert_number(get(row_of(rows, "dead", "TRUE", NULL), "share"), 0.5);
    const struct result *age = row_of(compared, "age", NULL, NULL),
                        *dead = row_of(compared, "dead", NULL, NULL);
    assert_number(get(age, "smd"), 2);
    assert_text(get(age, "test"), "t.test");
    assert_number(get(age, "p_value"), 1 - sqrt(0.6) * 1.2);
    assert_text(get(dead, "test"), "fisher.test");
    assert_number(get(dead, "p_value"), 1);
    assert_number(get(row_of(compared, "dead", "TRUE", NULL), "smd"), -1 / (3 * sqrt(2.0 / 9)));
    assert_empty(get(row_of(compared, "x", NULL, NULL), "smd")); /* one value in each group */
    assert_empty(get(row_of(compared, "x", NULL, NULL), "test"));
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    assert_int_equal(six.state->outcome.dropped_levels->n, 1);
    six_clear(&six);
}

static void test_rounds(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: table1, variables: [age, arm], by: dead, statistics: mean, overall: false");
    assert_int_equal(six.rounds, 1);
    assert_int_equal(get(result, "groups")->n, 2);
    assert_null(result_get(row_of(get(result, "variables"), "age", NULL, "TRUE"), "median"));
    assert_null(result_get(result, "comparisons"));
    six_clear(&six);
    result = six_result(&six, "method: table1, variables: [root, arm]"); /* no step: 2^20 points */
    assert_int_equal(six.rounds, 2);
    assert_true(fabs(number(get(at(get(result, "variables"), 0), "median")) - sqrt(60)) < 1e-5);
    six_clear(&six);
}

/* Head counts: rows, rows without a group, by group; of age and dead values and missing; the same of all;
 * bins of age by group and of all. */
static void test_hidden(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden level = {.block = 5, .cell = 1, .n = 1}; /* dead in A */
    six_run_behind(&six, "method: table1, variables: [age, dead], by: arm, p: true, smd: true", &level, 1);
    const struct result *result = six.state->outcome.result;
    assert_empty(get(row_of(get(result, "variables"), "dead", "TRUE", "A"), "n"));
    assert_empty(get(row_of(get(result, "variables"), "dead", "TRUE", "A"), "share"));
    assert_number(get(row_of(get(result, "variables"), "dead", "TRUE", NULL), "n"), 3);
    assert_empty(get(row_of(get(result, "comparisons"), "dead", NULL, NULL), "p_value"));
    assert_empty(get(row_of(get(result, "comparisons"), "dead", "TRUE", NULL), "smd"));
    assert_text(get(row_of(get(result, "comparisons"), "age", NULL, NULL), "test"), "t.test");
    assert_true(six.state->outcome.suppressed > 0);
    six_clear(&six);
    const struct six_hidden group = {.block = 2, .cell = 0, .n = 1}; /* A */
    six_run_behind(&six, "method: table1, variables: [age, dead], by: arm, p: true", &group, 1);
    result = six.state->outcome.result;
    assert_empty(get(at(get(result, "groups"), 0), "n"));
    assert_empty(get(row_of(get(result, "variables"), "age", NULL, "A"), "median"));
    assert_number(get(row_of(get(result, "variables"), "age", NULL, "B"), "median"), 70);
    assert_empty(get(row_of(get(result, "variables"), "age", NULL, NULL), "median")); /* would tell A's */
    assert_empty(get(row_of(get(result, "comparisons"), "age", NULL, NULL), "p_value"));
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    struct six six;
    six_fails("method: table1, variables: [age], cohort: age < 40", "found nobody");
    six_refused("method: table1", "variables");
    six_refused("method: table1, variables: [age], p: true", "by");
    /* Nobody has a value of x: no quartiles, but a table. */
    const struct result *result = six_result(&six, "method: table1, variables: [x, age], cohort: time == 2");
    assert_number(get(at(get(result, "variables"), 0), "missing"), 1);
    assert_empty(get(at(get(result, "variables"), 0), "median"));
    assert_number(get(at(get(result, "variables"), 1), "median"), 60);
    six_clear(&six);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_rounds),
                                       cmocka_unit_test(test_hidden), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
