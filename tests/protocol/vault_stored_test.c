/* What an epoch showed stands until it ends, at six real sites: the same analysis on a later snapshot is
 * answered by the result of before, and tells nothing of who is in one of the two alone. */
#include "tests/protocol/questions.h"

#include <sqlite3.h>

#define EVERYONE "  - { id: x, method: count }\n"
#define BOTH EVERYONE "  - { id: y, method: count, cohort: \"nodes < 5\" }\n"

static size_t warnings(const struct world *world, size_t k)
{
    const struct result *list = world->run.states[k].outcome.warnings;
    size_t n = 0;
    for (size_t i = 0; list != NULL && i < list->n; i++)
        n += strstr(list->items[i]->string, "this is the answer of 20") != NULL ? 1 : 0;
    return n;
}

/* Site i has what it would have of its file, without the results. */
static void lose_results(struct world *world, size_t i)
{
    sqlite3 *database = NULL;
    site_close(world, i);
    const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "DELETE FROM stored", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    site_open(world, i);
}

static void the_answer_of_before_stands(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    ask(world, EVERYONE, 0, NULL); /* on the same snapshots it is worked out again */
    assert_int_equal(warnings(world, 0), 0);
    for (uint32_t number = 2; number <= 3; number++) { /* six are gone, then twelve */
        one_less_at_each(world, number);
        assert_int_equal(ask(world, EVERYONE, 0, NULL), 1);
        assert_int_equal(world->run.states[0].outcome.n, 2982);
        assert_int_equal(warnings(world, 0), 1);
    }
    /* Beside what is new. */
    ask(world, BOTH, 0, NULL);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    assert_int_equal(warnings(world, 0), 1);
    assert_int_equal(warnings(world, 1), 0);
    down(world);
}

/* Who lost it says so before anything is counted: all work it out again, and what is near is refused. */
static void a_site_that_lost_it(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    lose_results(world, 3);
    ask(world, EVERYONE, 0, "differencing");
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_answer_of_before_stands),
                                       cmocka_unit_test(a_site_that_lost_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
