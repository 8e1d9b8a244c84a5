/* A long past: 500 earlier questions of 100 groups each, no two alike, on 12 snapshots. What a new question
 * is compared with stays within the words of T0 and T1, and five real sites answer it in seconds. */
#include "tests/protocol/sites.h"

#include "base/clock.h"
#include "base/file.h"
#include "tests/protocol/long_past.h"

enum { MEMBERS = 5 };

#define TWO                                                                                                  \
    "  - { id: x, method: count }\n"                                                                         \
    "  - { id: y, method: count, cohort: \"nodes < 5\" }\n"

static void give_past(struct world *world, size_t n_queries, bool alike)
{
    const char *first = arena_printf(world->arena, "%s/state/ledger", world->sites[0].folder);
    struct bytes file = {0};
    struct maille_error error = {0};
    for (size_t i = 0; i < world->n; i++)
        site_close(world, i);
    put_past(first, MEMBERS, n_queries, alike);
    assert_int_equal(file_read(&file, first, 1 << 30, &error), MAILLE_OK);
    for (size_t i = 0; i < world->n; i++) {
        const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
        if (i > 0)
            assert_int_equal(file_write_atomic(path, file.data, file.length, 0600, &error), MAILLE_OK);
        site_open(world, i);
    }
    bytes_clear(&file);
}

static void finish(struct world *world, uint32_t from)
{
    for (uint32_t round = from; study_run_open(&world->run); round++) {
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
}

static void a_long_past_is_looked_through(void **state)
{
    (void)state;
    struct sites_options options = {.n = MEMBERS, .study = TWO};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = "policy: strict\n";
    struct world *world = sites_up_with(&options);
    give_past(world, QUERIES, false);
    const int64_t began_ms = clock_monotonic_ms();
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    /* T0: a word for each group of another snapshot, and each of the two; those of their combinations. */
    assert_int_equal(world->length, 8 * (2 * GROUPS * 458 + 3));
    sites_finish_round(world);
    sites_to_masked(world, 2, 1);
    /* T1: those of the same, and each other; beside them a few words of counts. */
    assert_in_range(world->length, 8 * (2 * GROUPS * 42 + 1), 8 * (2 * GROUPS * 42 + 1 + 32));
    sites_finish_round(world);
    finish(world, 3);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(world->run.states[k].status, ANALYSIS_OK);
    print_message("a question after %d of %d groups: %lld ms at %d sites together\n", QUERIES, GROUPS,
                  (long long)(clock_monotonic_ms() - began_ms), MEMBERS);
    /* Among 50,000 others what was shown just now is found: three patients less. */
    sites_next(world, "  - { id: x, method: count, cohort: \"age < 88\" }\n");
    sites_to_roster(world);
    finish(world, 1);
    assert_int_equal(world->run.states[0].status, ANALYSIS_REFUSED);
    assert_string_equal(world->run.states[0].rule, "few");
    void *down = world;
    sites_down(&down);
}

/* The same questions again and again, on 12 snapshots: each group counts once for each. */
static void what_is_the_same_counts_once(void **state)
{
    (void)state;
    struct sites_options options = {.n = MEMBERS, .study = TWO};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = "policy: strict\n";
    struct world *world = sites_up_with(&options);
    give_past(world, ALIKE, true);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    assert_int_equal(world->length, 8 * (2 * GROUPS * (SNAPSHOTS - 1) + 3));
    void *down = world;
    sites_down(&down);
}

/* So many distinct groups of one question are compared with that past, at 18 sites; the next is refused, and
 * the study may be asked in parts. */
static void the_words_hold_ten_groups(void **state)
{
    (void)state;
    struct sites_options options = {.n = MEMBERS, .study = TWO};
    struct world *world = sites_up_with(&options);
    struct threshold_past past[QUERIES];
    struct maille_error error = {0};
    const struct policy *policy;
    const char *text = "policy: strict\n";
    const size_t length = strlen(text);
    assert_int_equal(policy_strictest(&policy, world->arena, &text, &length, 1, &error), MAILLE_OK);
    for (size_t q = 0; q < QUERIES; q++)
        past[q] = (struct threshold_past){.n_groups = GROUPS, .other = snapshot_of(q) != 1};
    const char *analyses = "";
    for (int a = 0; a < 12; a++)
        analyses = arena_printf(world->arena, "%s  - { id: a%d, method: count, cohort: \"nodes < %d\" }\n",
                                analyses, a, a + 3);
    sites_next(world, analyses);
    const bool open[12] = {true, true, true, true, true, true, true, true, true, true, true, true};
    struct threshold threshold = {0};
    assert_int_equal(threshold_init(&threshold, world->study, open, policy, 18, past, QUERIES, &error),
                     MAILLE_OK);
    for (size_t k = 0; k < 12; k++) {
        assert_int_equal(threshold.groups[k].crowded[THRESHOLD_BEFORE], k >= 10);
        assert_false(threshold.groups[k].crowded[THRESHOLD_FIRST]);
    }
    for (enum threshold_which which = THRESHOLD_FIRST; which < THRESHOLD_WHICH; which++)
        assert_true(8 * threshold.n_words[which] <= MESSAGE_FRAME_MAX / 18);
    threshold_clear(&threshold);
    void *down = world;
    sites_down(&down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_long_past_is_looked_through),
                                       cmocka_unit_test(what_is_the_same_counts_once),
                                       cmocka_unit_test(the_words_hold_ten_groups)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
