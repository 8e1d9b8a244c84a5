/* What an epoch has shown stands until it ends, at six real sites: what is asked again on a later snapshot is
 * answered by the result of before, and tells nothing of who is in one of the two alone. */
#include "tests/protocol/questions.h"

#include <sqlite3.h>

#define EVERYONE "  - { id: x, method: count }\n"
#define BOTH EVERYONE "  - { id: y, method: count, cohort: \"nodes < 5\" }\n"
#define BY(labels)                                                                                           \
    "study: s\ndictionary: rotterdam@1\ntitle: t\npurpose: research\nlegal_basis: MR-004\n"                  \
    "protocol: P-1\nexpires: 2099-12-31\nsites: all\ngrid: month\nderive:\n"                                 \
    "  g: cut(age, c(0, 50, 120), labels = c(" labels "))\nanalyses:\n"                                      \
    "  - { id: x, method: count, by: g }\n"

static size_t dated(const struct world *world, size_t k)
{
    const struct result *list = world->run.states[k].outcome.warnings;
    size_t n = 0;
    for (size_t i = 0; list != NULL && i < list->n; i++)
        n += strstr(list->items[i]->string, "this is the answer of 20") != NULL ? 1 : 0;
    return n;
}

static int one_more(void *n, int columns, char **values, char **names)
{
    (void)columns;
    (void)values;
    (void)names;
    ++*(size_t *)n;
    return 0;
}

/* How many rows that gave. */
static size_t in_ledger(struct world *world, size_t i, const char *sql)
{
    sqlite3 *database = NULL;
    size_t n = 0;
    site_close(world, i);
    const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, one_more, &n, NULL), SQLITE_OK);
    sqlite3_close(database);
    site_open(world, i);
    return n;
}

static void the_answer_of_before_stands(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    ask(world, EVERYONE, 0, NULL); /* on the same snapshots it is worked out again */
    assert_int_equal(dated(world, 0), 0);
    for (uint32_t number = 2; number <= 3; number++) { /* six are gone, then twelve */
        one_less_at_each(world, number);
        assert_int_equal(ask(world, EVERYONE, 0, NULL), 1);
        assert_int_equal(world->run.states[0].outcome.n, 2982);
        assert_int_equal(dated(world, 0), 1);
    }
    /* Beside what is new; a site starts anew in between. */
    sites_next(world, BOTH);
    sites_to_roster(world);
    site_close(world, 3);
    site_open(world, 3);
    run_rounds(world);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(world->run.states[k].status, ANALYSIS_OK);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    assert_int_equal(dated(world, 0), 1);
    assert_int_equal(dated(world, 1), 0);
    end_query(world, MESSAGE_END);
    down(world);
}

/* Who lost it says so before anything is counted: all work it out again, and what is near is refused. */
static void a_site_that_lost_it(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    in_ledger(world, 3, "DELETE FROM stored");
    ask(world, EVERYONE, 0, "few");
    down(world);
}

/* Who has not what it named ends the question. */
static void an_answer_that_is_not_what_was_sealed(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    struct bytes body = {0}, frame = {0};
    struct maille_error error;
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    in_ledger(world, 3, "UPDATE stored SET sealed = zeroblob(length(sealed))");
    sites_next(world, EVERYONE);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_to_revealed(world);
    sites_make_custody(&body, &frame, world);
    assert_int_equal(site_custody(world, 3, &body, &frame, &error), MAILLE_OK);
    assert_null(site_said(world, 3, MESSAGE_TAKEN));
    assert_non_null(site_said(world, 3, MESSAGE_CANCEL));
    assert_int_equal(in_ledger(world, 3, "SELECT 1 FROM stored"), 0); /* it is not named again */
    bytes_clear(&body);
    bytes_clear(&frame);
    down(world);
}

/* The names in a result are a part of what is asked. */
static void other_names_are_another_question(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", BY("\"young\", \"old\""));
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    ask(world, BY("\"jung\", \"alt\""), 0, "few");
    assert_int_equal(ask(world, BY("\"young\", \"old\""), 0, NULL), 1);
    assert_int_equal(dated(world, 0), 1);
    down(world);
}

/* The answer of six sites is none of five. */
static void other_sites_are_another_question(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    world->n = 5;
    ask(world, EVERYONE, 0, "few");
    world->n = 6;
    assert_int_equal(ask(world, EVERYONE, 0, NULL), 1);
    down(world);
}

/* An attempt that a member has left is counted anew. */
static void an_attempt_of_fewer_sites(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\n", EVERYONE);
    struct bytes theta = {0};
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    sites_next(world, EVERYONE);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    assert_int_equal(site_said(world, 0, MESSAGE_MASKED)->frame.length, 0);
    world->n = 5;
    const struct message_round_header header = sites_header(world, &theta, 1, 2);
    for (size_t i = 0; i < world->n; i++) {
        struct maille_error error = {0};
        message_outbox_clear(&world->sites[i].outbox);
        if (site_start(world, i, &header, &theta, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        const struct message_outgoing *said = site_said(world, i, MESSAGE_MASKED);
        assert_non_null(said);
        assert_true(said->frame.length > 0);
    }
    bytes_clear(&theta);
    down(world);
}

/* Another policy at one site, another answer. */
static void another_policy_is_another_question(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    one_less_at_each(world, 2);
    site_close(world, 1);
    world->sites[1].policy = "policy: strict\nmin_cell: 12\n";
    site_open(world, 1);
    ask(world, EVERYONE, 0, "few");
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_answer_of_before_stands),
                                       cmocka_unit_test(a_site_that_lost_it),
                                       cmocka_unit_test(an_answer_that_is_not_what_was_sealed),
                                       cmocka_unit_test(other_names_are_another_question),
                                       cmocka_unit_test(other_sites_are_another_question),
                                       cmocka_unit_test(an_attempt_of_fewer_sites),
                                       cmocka_unit_test(another_policy_is_another_question)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
