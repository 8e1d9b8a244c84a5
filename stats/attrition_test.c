#include "stats/six_patients.h"

#include "stats/groups.h"

/* excluded −1: null. */
static void assert_step(const struct result *row, const char *criterion, double excluded, double n, double of)
{
    if (criterion == NULL)
        assert_empty(get(row, "criterion"));
    else
        assert_text(get(row, "criterion"), criterion);
    if (excluded < 0)
        assert_empty(get(row, "excluded"));
    else
        assert_number(get(row, "excluded"), excluded);
    assert_number(get(row, "n"), n);
    assert_number(get(row, "share"), n / of);
}

/* 4 misses x, and so whether it is small; 1 to 3 are young; 1, 2 and 5 died. */
static void each_criterion_leaves_fewer(void **state)
{
    (void)state;
    struct six six;
    const struct result *steps =
        get(six_result(&six, "method: attrition, criteria: [small, young, dead]"), "steps");
    assert_int_equal(steps->n, 4);
    assert_step(at(steps, 0), NULL, -1, 5, 5);
    assert_step(at(steps, 1), "small", 0, 5, 5);
    assert_step(at(steps, 2), "young", 2, 3, 5); /* 5 and 6 */
    assert_step(at(steps, 3), "dead", 1, 2, 5);
    assert_int_equal(six.state->outcome.n, 5);
    assert_int_equal(six.state->outcome.n_missing, 1);
    assert_int_equal(six.rounds, 1);
    six_clear(&six);
}

static void by_groups(void **state)
{
    (void)state;
    struct six six;
    const struct result *steps =
        get(six_result(&six, "method: attrition, criteria: [dead, young], by: arm"), "steps");
    assert_int_equal(steps->n, 6); /* of A and B: nobody is C */
    for (size_t i = 0; i < 6; i++) {
        assert_text(get(at(steps, i), "by"), "arm");
        assert_text(get(at(steps, i), "level"), i < 3 ? "A" : "B");
    }
    assert_step(at(steps, 0), NULL, -1, 3, 3);
    assert_step(at(steps, 1), "dead", 1, 2, 3);
    assert_step(at(steps, 2), "young", 0, 2, 3);
    assert_step(at(steps, 3), NULL, -1, 3, 3);
    assert_step(at(steps, 4), "dead", 2, 1, 3);
    assert_step(at(steps, 5), "young", 1, 0, 3);
    six_clear(&six);
}

/* Who the first criterion excludes is withheld, and who it leaves. */
static void what_is_withheld_is_null(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden hidden[] = {{CELLS_OWN + 1, 0, 1}, {CELLS_OWN + 2, 0, 1}};
    six_run_behind(&six, "method: attrition, criteria: [young, dead]", hidden, 2);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    const struct result *steps = get(six.state->outcome.result, "steps");
    assert_step(at(steps, 0), NULL, -1, 6, 6);
    assert_empty(get(at(steps, 1), "excluded"));
    assert_empty(get(at(steps, 1), "n"));
    assert_empty(get(at(steps, 1), "share"));
    assert_step(at(steps, 2), "dead", 2, 2, 6);
    assert_int_equal(six.state->outcome.suppressed, 2);
    six_clear(&six);
    const struct six_hidden first = {CELLS_OWN, 0, 1};
    six_run_behind(&six, "method: attrition, criteria: [small]", &first, 1);
    assert_empty(get(at(get(six.state->outcome.result, "steps"), 1), "share"));
    six_clear(&six);
}

static void what_is_no_criterion_is_refused(void **state)
{
    (void)state;
    six_refused("method: attrition, criteria: [arm]", "expected booleans as `criteria`, found `arm`");
    six_refused("method: attrition, criteria: []", "criteria");
    six_refused("method: attrition", "criteria");
    six_fails("method: attrition, criteria: [dead], cohort: age > 100", "found nobody at any site");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_criterion_leaves_fewer),
        cmocka_unit_test(by_groups),
        cmocka_unit_test(what_is_withheld_is_null),
        cmocka_unit_test(what_is_no_criterion_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
