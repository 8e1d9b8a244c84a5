#include "stats/six_patients.h"

static void test_all(void **state)
{
    (void)state;
    struct six six;
    const struct result *row = at(get(six_result(&six, "method: count"), "groups"), 0);
    assert_empty(get(row, "by"));
    assert_empty(get(row, "level"));
    assert_number(get(row, "n"), 6);
    assert_int_equal(six.state->outcome.n, 6);
    assert_int_equal(six.state->outcome.n_missing, 0);
    assert_int_equal(six.state->outcome.n_event, -1);
    assert_int_equal(six.rounds, 1);
    six_clear(&six);
}

static void test_crossed(void **state)
{
    (void)state;
    struct six six;
    const struct result *groups = get(six_result(&six, "method: count, by: [arm, dead]"), "groups");
    assert_int_equal(groups->n, 4); /* A: 1 alive, 2 dead; B: 2 alive, 1 dead; nobody in C */
    const double n[] = {1, 2, 2, 1};
    const char *const levels[] = {"A,FALSE", "A,TRUE", "B,FALSE", "B,TRUE"};
    for (size_t i = 0; i < 4; i++) {
        assert_text(get(at(groups, i), "by"), "arm,dead");
        assert_text(get(at(groups, i), "level"), levels[i]);
        assert_number(get(at(groups, i), "n"), n[i]);
    }
    assert_int_equal(six.state->outcome.dropped_levels->n, 1);
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    six_clear(&six);
}

static void test_cohort(void **state)
{
    (void)state;
    struct six six;
    assert_number(
        get(at(get(six_result(&six, "method: count, variables: [arm], cohort: age > 55"), "groups"), 1), "n"),
        3);
    six_clear(&six);
    six_fails("method: count, cohort: age > 100", "found nobody at any site");
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: count, variables: [x]", "x");
    six_refused("method: count, variables: [nobody]", "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_crossed),
                                       cmocka_unit_test(test_cohort), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
