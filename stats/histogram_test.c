/* Ages 40 50 60 60 70 80. Bars are closed on the right: (30, 60] holds four, (60, 90] two. */
#include "stats/six_patients.h"

static void test_breaks(void **state)
{
    (void)state;
    struct six six;
    const struct result *row =
        at(get(six_result(&six, "method: histogram, variable: age, breaks: [30, 60, 90]"), "groups"), 0);
    assert_number(at(get(row, "counts"), 0), 4);
    assert_number(at(get(row, "counts"), 1), 2);
    assert_int_equal(get(row, "breaks")->n, 3);
    six_clear(&six);
}

/* The first bar holds its left edge too. */
static void test_lowest(void **state)
{
    (void)state;
    struct six six;
    const struct result *row =
        at(get(six_result(&six, "method: histogram, variable: age, breaks: [40, 50, 80]"), "groups"), 0);
    assert_number(at(get(row, "counts"), 0), 2);
    assert_number(at(get(row, "counts"), 1), 4);
    six_clear(&six);
}

static void test_width(void **state)
{
    (void)state;
    struct six six;
    const struct result *groups =
        get(six_result(&six, "method: histogram, variable: age, width: 50, by: arm"), "groups");
    assert_int_equal(groups->n, 2);
    assert_int_equal(get(at(groups, 0), "breaks")->n, 4); /* 0 50 100 150 over 0 … 120 */
    assert_number(at(get(at(groups, 0), "counts"), 0), 2);
    assert_number(at(get(at(groups, 1), "counts"), 1), 3);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: histogram, variable: age, breaks: [50, 90]", "widen them");
    six_refused("method: histogram, variable: age", "found neither");
    six_refused("method: histogram, variable: age, width: 5, breaks: [1, 2]", "found both");
    six_refused("method: histogram, variable: age, breaks: [2, 1]", "ascending");
    six_refused("method: histogram, variable: arm, width: 5", "expected a number");
    six_refused("method: histogram, variable: age, width: 0.001", "larger `width`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_breaks), cmocka_unit_test(test_lowest),
                                       cmocka_unit_test(test_width), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
