/* Ages 40 50 60 60 70 80: mean 60, Σ(x−60)² = 400+100+100+400 = 1000, Σ(x−60)³ = 0. In arm A 40 50 60: sd 10.
 */
#include "stats/six_patients.h"

static void test_number(void **state)
{
    (void)state;
    struct six six;
    const struct result *row =
        at(get(six_result(&six, "method: describe, variables: [age]"), "variables"), 0);
    assert_text(get(row, "variable"), "age");
    assert_empty(get(row, "by"));
    assert_number(get(row, "n"), 6);
    assert_number(get(row, "missing"), 0);
    assert_number(get(row, "mean"), 60);
    assert_number(get(row, "sd"), sqrt(200));
    assert_number(get(row, "se"), sqrt(200.0 / 6));
    assert_number(get(row, "skewness"), 0);
    assert_number(get(row, "sum"), 360);
    six_clear(&six);
}

static void test_by(void **state)
{
    (void)state;
    struct six six;
    const struct result *rows =
        get(six_result(&six, "method: describe, variables: [age], by: [arm, dead]"), "variables");
    assert_int_equal(rows->n, 4);
    assert_text(get(at(rows, 1), "level"), "A,TRUE"); /* 40, 50 */
    assert_number(get(at(rows, 1), "mean"), 45);
    assert_number(get(at(rows, 1), "sd"), sqrt(50));
    assert_number(get(at(rows, 0), "mean"), 60); /* one patient: R's sd is NA */
    assert_empty(get(at(rows, 0), "sd"));
    assert_empty(get(at(rows, 0), "se"));
    assert_empty(get(at(rows, 0), "skewness"));
    six_clear(&six);
}

/* Bit rule 6: moments in quadruple precision from the totals. 0.3 is not a sum of powers of two; still the
 * standard deviation of equal values is 0 and nothing near it.
 */
static void test_constant(void **state)
{
    (void)state;
    struct six six;
    const struct result *row = at(get(six_result(&six, "method: describe, variables: [x]"), "variables"), 0);
    assert_number(get(row, "n"), 5);
    assert_number(get(row, "missing"), 1);
    assert_number(get(row, "mean"), 0.3);
    assert_true(number(get(row, "sd")) <= 0);
    assert_empty(get(row, "skewness"));
    assert_number(get(row, "sum"), 1.5);
    six_clear(&six);
}

static void test_category(void **state)
{
    (void)state;
    struct six six;
    const struct result *rows =
        get(six_result(&six, "method: describe, variables: [arm, age, dead]"), "variables");
    assert_int_equal(rows->n, 5);
    assert_text(get(at(rows, 0), "value"), "A");
    assert_number(get(at(rows, 0), "share"), 0.5);
    assert_text(get(at(rows, 2), "variable"), "age");
    assert_text(get(at(rows, 4), "value"), "TRUE");
    assert_number(get(at(rows, 4), "n"), 3);
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: describe, variables: [age], cohort: age < 40", "found nobody");
    six_refused("method: describe", "variables");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_number), cmocka_unit_test(test_by),
                                       cmocka_unit_test(test_constant), cmocka_unit_test(test_category),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
