/* Arm B minus arm A. Ages: means 70 and 50, variances 100 and 100: (70 − 50)/√100 = 2. Dead: 1 of 3 against 2
 * of 3, all shares with variance 2/9: (1/3 − 2/3)/√(2/9) = −1/√2, the other level +1/√2. */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: smd, treatment: arm, variables: [age, dead, cause]");
    const struct result *rows = get(result, "variables");
    assert_int_equal(rows->n, 1 + 2 + 3);
    assert_text(get(at(rows, 0), "variable"), "age");
    assert_empty(get(at(rows, 0), "level"));
    assert_number(get(at(rows, 0), "unweighted"), 2);
    assert_empty(get(at(rows, 0), "weighted"));
    assert_text(get(at(rows, 1), "level"), "FALSE");
    assert_number(get(at(rows, 1), "unweighted"), sqrt(0.5));
    assert_number(get(at(rows, 2), "unweighted"), -sqrt(0.5));
    assert_text(get(at(rows, 4), "level"), "cancer"); /* 1 of 3 in both */
    assert_number(get(at(rows, 4), "unweighted"), 0);
    assert_number(get(at(rows, 5), "unweighted"), -(1.0 / 3) / sqrt(1.0 / 9)); /* 0 of 3 against 1 of 3 */
    assert_empty(get(result, "weights"));
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    six_clear(&six);
}

/* x is 0.3 in all who have it; the patient without is left out. One patient has no variance. */
static void test_no_spread(void **state)
{
    (void)state;
    struct six six;
    const struct result *rows =
        get(six_result(&six, "method: smd, treatment: dead, variables: [x, age]"), "variables");
    assert_empty(get(at(rows, 0), "unweighted"));
    assert_int_equal(six.state->outcome.n, 5);
    assert_int_equal(six.state->outcome.n_missing, 1);
    assert_int_equal(six.state->outcome.warnings->n, 1);
    six_clear(&six);
    rows = get(six_result(&six, "method: smd, treatment: dead, variables: [age], cohort: arm == \"A\""),
               "variables");
    assert_empty(get(at(rows, 0), "unweighted"));
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: smd, treatment: arm, variables: [age], cohort: arm == \"A\"",
              "exactly two levels of `arm`, found 1");
    six_fails("method: smd, treatment: cause, variables: [age]", "found 3");
    six_fails("method: smd, treatment: arm, variables: [age], cohort: age > 100", "found nobody");
    six_refused("method: smd, treatment: root, variables: [age]", "root");
    six_refused("method: smd, treatment: arm, variables: []", "expected 1 to 62");
    six_refused("method: smd, variables: [age]", "treatment");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_no_spread),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
