/* Ages 40 50 60 60 70 80, times 1 3 5 2 3 6: means 60 and 10/3, S_aa = 1000, S_tt = 84 − 200/3 = 52/3,
 * S_at = −20 − 30 + 0 + 0 + 30 + 120 = 100. r² = 10000/(1000·52/3) = 15/26. With 4 df s = t/√(4 + t²) is r
 * itself, so p = 1 − r(1 + (1 − r²)/2) = 1 − 63/52·r. */
#include "stats/six_patients.h"

static void assert_matrix(const struct result *matrix, const double expected[2][2])
{
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            assert_number(at(at(matrix, i), j), expected[i][j]);
}

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    double r = sqrt(15.0 / 26);
    const struct result *result = six_result(&six, "method: correlation, variables: [age, time]");
    assert_text(at(get(result, "variables"), 1), "time");
    assert_number(get(result, "n"), 6);
    assert_matrix(get(result, "estimate"), (const double[2][2]){{1, r}, {r, 1}});
    assert_matrix(get(result, "p_value"),
                  (const double[2][2]){{0, 1 - 63.0 / 52 * r}, {1 - 63.0 / 52 * r, 0}});
    six_clear(&six);
}

/* start + time of the three of A: 1 3 6; age 40 50 60. A number against itself, turned round: r = −1 and p =
 * 0. x is missing in one patient and 0.3 in all others. */
static void test_extremes(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: correlation, variables: [age, turned]");
    assert_matrix(get(result, "estimate"), (const double[2][2]){{1, -1}, {-1, 1}});
    assert_matrix(get(result, "p_value"), (const double[2][2]){{0, 0}, {0, 0}});
    six_clear(&six);
    result = six_result(&six, "method: correlation, variables: [age, x]");
    assert_number(get(result, "n"), 5);
    assert_int_equal(six.state->outcome.n_missing, 1);
    assert_number(at(at(get(result, "estimate"), 0), 0), 1);
    assert_empty(at(at(get(result, "estimate"), 0), 1));
    assert_empty(at(at(get(result, "p_value"), 1), 1));
    assert_int_equal(six.state->outcome.warnings->n, 1);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: correlation, variables: [age, time], cohort: age < 60", "found two");
    six_fails("method: correlation, variables: [age, time], cohort: age > 100", "found nobody");
    six_refused("method: correlation, variables: [age, arm]", "found `arm`");
    six_refused("method: correlation, variables: [age]", "expected 2 to 256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_extremes),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
