#include "stats/six_patients.h"

#include "stats/groups.h"

/* `next` is the cause of death where there is one: of A cancer (1), other (2) and none (3), of B cancer (5)
 * and none (4, 6). */
static void assert_flow(const struct result *row, const char *from, const char *to, double n, double of)
{
    assert_number(get(row, "line"), 1);
    assert_text(get(row, "from"), from);
    if (to == NULL)
        assert_empty(get(row, "to"));
    else
        assert_text(get(row, "to"), to);
    assert_number(get(row, "n"), n);
    assert_number(get(row, "share"), n / of);
}

static void assert_way(const struct result *row, const char *first, const char *second, double n)
{
    const struct result *way = get(row, "lines");
    assert_int_equal(way->n, second == NULL ? 1 : 2);
    assert_text(at(way, 0), first);
    if (second != NULL)
        assert_text(at(way, 1), second);
    assert_number(get(row, "n"), n);
}

static void two_lines(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: pathways, variables: [arm, next]");
    const struct result *flows = get(result, "flows"), *ways = get(result, "sequences");
    assert_int_equal(flows->n, 5);
    assert_flow(at(flows, 0), "A", "cancer", 1, 3);
    assert_flow(at(flows, 1), "A", "other", 1, 3);
    assert_flow(at(flows, 2), "A", NULL, 1, 3);
    assert_flow(at(flows, 3), "B", "cancer", 1, 3);
    assert_flow(at(flows, 4), "B", NULL, 2, 3);
    assert_int_equal(ways->n, 5);
    assert_way(at(ways, 0), "A", NULL, 1);
    assert_way(at(ways, 1), "B", NULL, 2);
    assert_way(at(ways, 2), "A", "cancer", 1);
    assert_way(at(ways, 3), "A", "other", 1);
    assert_way(at(ways, 4), "B", "cancer", 1);
    assert_int_equal(six.state->outcome.n, 6);
    assert_int_equal(six.state->outcome.n_missing, 0);
    assert_int_equal(six.rounds, 1);
    six_clear(&six);
}

/* 3, 4 and 6 miss the second of three, and have the third. */
static void a_line_after_none_is_no_way(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: pathways, variables: [arm, next, dead]");
    assert_int_equal(six.state->outcome.n, 3);
    assert_int_equal(six.state->outcome.n_missing, 3);
    const struct result *ways = get(result, "sequences"), *flows = get(result, "flows");
    assert_int_equal(ways->n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_text(at(get(at(ways, i), "lines"), 2), "TRUE");
    assert_int_equal(flows->n, 5); /* A to both, B to cancer; both to TRUE */
    assert_number(get(at(flows, 3), "line"), 2);
    assert_text(get(at(flows, 3), "from"), "cancer");
    assert_number(get(at(flows, 3), "n"), 2);
    six_clear(&six);
}

static void by_groups(void **state)
{
    (void)state;
    struct six six;
    const struct result *flows =
        get(six_result(&six, "method: pathways, variables: [arm, next], by: dead"), "flows");
    assert_int_equal(flows->n, 5);
    assert_text(get(at(flows, 0), "by"), "dead");
    assert_text(get(at(flows, 0), "level"), "FALSE");
    assert_flow(at(flows, 0), "A", NULL, 1, 1);
    assert_flow(at(flows, 1), "B", NULL, 2, 2);
    assert_text(get(at(flows, 2), "level"), "TRUE");
    assert_flow(at(flows, 2), "A", "cancer", 1, 2);
    assert_flow(at(flows, 4), "B", "cancer", 1, 1);
    six_clear(&six);
}

/* Who went from A to cancer is withheld: no share of A is told, and B's are. */
static void what_is_withheld_is_null(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden hidden = {CELLS_OWN, 0, 1};
    six_run_behind(&six, "method: pathways, variables: [arm, next]", &hidden, 1);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    const struct result *flows = get(six.state->outcome.result, "flows");
    assert_int_equal(flows->n, 5);
    assert_text(get(at(flows, 0), "to"), "cancer");
    assert_empty(get(at(flows, 0), "n"));
    for (size_t i = 0; i < 3; i++)
        assert_empty(get(at(flows, i), "share"));
    assert_flow(at(flows, 3), "B", "cancer", 1, 3);
    assert_int_equal(six.state->outcome.suppressed, 1);
    six_clear(&six);
    /* the sequence "A, no further line" */
    const struct six_hidden way = {CELLS_OWN + 2, 0, 1};
    six_run_behind(&six, "method: pathways, variables: [arm, next]", &way, 1);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    const struct result *ways = get(six.state->outcome.result, "sequences");
    assert_int_equal(ways->n, 4);
    assert_way(at(ways, 0), "B", NULL, 2);
    assert_int_equal(six.state->outcome.suppressed, 1);
    assert_int_equal(six.state->outcome.warnings->n, 2);
    six_clear(&six);
}

static void what_is_no_way_is_refused(void **state)
{
    (void)state;
    six_refused("method: pathways, variables: [arm]", "2");
    six_refused("method: pathways, variables: [arm, x]", "x");
    six_fails("method: pathways, variables: [arm, next], cohort: age > 100", "found nobody at any site");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_lines),
        cmocka_unit_test(a_line_after_none_is_no_way),
        cmocka_unit_test(by_groups),
        cmocka_unit_test(what_is_withheld_is_null),
        cmocka_unit_test(what_is_no_way_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
