/* Ages 40 50 60 60 70 80. Type 7 at p = 1/4: h = 1 + 5/4 = 2.25, so 50 + (60 − 50)/4 = 52.5. */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *row = at(
        get(six_result(&six, "method: quantile, variable: age, probs: [0, 0.25, 0.5, 0.9, 1]"), "groups"), 0);
    const double expected[] = {40, 52.5, 60, 75, 80};
    for (size_t i = 0; i < 5; i++)
        assert_number(at(get(row, "values"), i), expected[i]);
    assert_number(get(row, "n"), 6);
    assert_number(get(row, "resolution"), 1);
    assert_int_equal(six.rounds, 1); /* 121 values: one round */
    six_clear(&six);
}

static void test_by(void **state)
{
    (void)state;
    struct six six;
    const struct result *groups =
        get(six_result(&six, "method: quantile, variable: age, probs: [0.5], by: arm"), "groups");
    assert_int_equal(groups->n, 2);
    assert_number(at(get(at(groups, 0), "values"), 0), 50);
    assert_number(at(get(at(groups, 1), "values"), 0), 70);
    six_clear(&six);
}

/* √age has no step: 2^20 points over the interval 0 … √120, two rounds, and the middle of a cell. */
static void test_expression(void **state)
{
    (void)state;
    struct six six;
    const struct result *row =
        at(get(six_result(&six, "method: quantile, variable: root, probs: [0, 1]"), "groups"), 0);
    double resolution = number(get(row, "resolution"));
    assert_true(fabs(resolution - sqrt(120) / 1048576) < 1e-15);
    assert_true(fabs(number(at(get(row, "values"), 0)) - sqrt(40)) <= resolution / 2);
    assert_true(fabs(number(at(get(row, "values"), 1)) - sqrt(80)) <= resolution / 2);
    assert_int_equal(six.rounds, 2);
    six_clear(&six);
}

/* A missing value is not counted, a group whose values are all missing has none. */
static void test_missing(void **state)
{
    (void)state;
    struct six six;
    const struct result *groups =
        get(six_result(&six, "method: quantile, variable: x, probs: [0.5], by: arm, cohort: time < 3 "),
            "groups");
    assert_number(get(at(groups, 0), "n"), 1);
    assert_number(at(get(at(groups, 0), "values"), 0), 0.3);
    assert_number(get(at(groups, 1), "n"), 0);
    assert_empty(at(get(at(groups, 1), "values"), 0));
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: quantile, variable: arm, probs: [0.5]", "expected a number");
    six_refused("method: quantile, variable: age, probs: [1.5]", "1.5");
    six_fails("method: quantile, variable: age, probs: [0.5], cohort: age > 100", "found nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_by),
                                       cmocka_unit_test(test_expression), cmocka_unit_test(test_missing),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
