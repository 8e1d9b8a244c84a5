/* Every party crashes at every point at which it waits for its disk, and the study ends as if nothing had
 * been. A point is counted over all lives of a party, so that each run goes on to later points whatever it
 * has to do again. */
#include "registry/columns.h"
#include "tests/federation/federation.h"
#include "tests/network/testing.h"

/* A model that iterates, in short vectors: whoever crashes more often than a vector has segments gets
 * nowhere. */
static const char study[] = "  - { id: os, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n"
                            "  - { id: logit, method: glm, family: binomial, formula: \"death ~ chemo\" }\n";

struct plan_of_crashes {
    size_t party;
    unsigned every, from; /* at the points from, from + every … */
};

static bool crashes(void *context, size_t party, unsigned n)
{
    const struct plan_of_crashes *plan = context;
    return party == plan->party && n % plan->every == plan->from;
}

/* All points of one party, some in each run. Returns how often it started again. */
static unsigned crash_in(enum query_mode mode, size_t party, unsigned every, bool loses, uint64_t seed)
{
    unsigned restarts = 0;
    for (unsigned from = 0; from < every; from++) {
        struct plan_of_crashes plan = {party, every, from};
        char what[64];
        snprintf(what, sizeof what, "party %zu, every %u from %u", party, every, from);
        struct play *play = runs_to_the_expected(
            &(struct play_options){.seed = seed + from,
                                   .study = study,
                                   .mode = mode,
                                   .policy = mode == MODE_AGENT ? "policy: open\n" : NULL,
                                   .crash = crashes,
                                   .loses_unsynced = loses,
                                   .context = &plan},
            what);
        restarts += play_restarts(play, party);
        play_free(play);
    }
    return restarts;
}

static unsigned crash_at_every_point(size_t party, unsigned every, bool loses, uint64_t seed)
{
    return crash_in(MODE_CIRCLE, party, every, loses, seed);
}

static void a_site_at_every_point(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_SITE + 1, 37, false, 100) > 100);
}

static void the_coordinator_at_every_point(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_COORDINATOR, 31, false, 200) > 200);
}

static void the_agent_at_every_point(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_AGENT, 9, false, 300) > 25);
}

static void a_site_that_loses_what_was_not_waited_for(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_SITE + 1, 37, true, 500) > 100);
}

static void an_agent_that_loses_what_was_not_waited_for(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_AGENT, 9, true, 700) > 25);
}

static void a_coordinator_that_loses_what_was_not_waited_for(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_COORDINATOR, 31, true, 600) > 200);
}

/* Where the researcher's agent opens the sums: the same, with more crashes in each of fewer runs. */
static void anybody_where_the_agent_steps(void **state)
{
    (void)state;
    assert_true(crash_in(MODE_AGENT, PLAY_SITE + 1, 23, true, 800) > 50);
    assert_true(crash_in(MODE_AGENT, PLAY_COORDINATOR, 23, false, 830) > 50);
    assert_true(crash_in(MODE_AGENT, PLAY_AGENT, 9, true, 860) > 10);
}

/* --- T0: the round before head counts --- */

enum { BEFORE_SITES = 3, BEFORE_LESS = 40 };

struct crashes_later {
    struct plan_of_crashes plan;
    bool on;
};

static bool crashes_then(void *context, size_t party, unsigned n)
{
    struct crashes_later *later = context;
    return later->on && crashes(&later->plan, party, n);
}

/* One site has another snapshot, without forty of its patients, when the question is asked again: it is
 * compared with the first before anything is counted. plan NULL: nobody crashes. Returns how often they did.
 */
static unsigned asked_again(struct bytes *json, const struct plan_of_crashes *plan)
{
    static const char everyone[] = "  - { id: x, method: count, by: [chemo] }\n";
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct columns *table = NULL, *less = NULL, *parts[BEFORE_SITES];
    const struct dictionary *dictionary;
    struct crashes_later later = {.plan = plan != NULL ? *plan : (struct plan_of_crashes){.every = 1}};
    assert_int_equal(federation_data(&dictionary, &table, arena, "rotterdam", &error), MAILLE_OK);
    assert_int_equal(federation_split(parts, BEFORE_SITES, table, 7, &error), MAILLE_OK);
    bool *kept = calloc(columns_rows(parts[1]), sizeof *kept);
    for (size_t r = BEFORE_LESS; r < columns_rows(parts[1]); r++)
        kept[r] = true;
    assert_int_equal(columns_subset(&less, parts[1], kept, &error), MAILLE_OK);
    struct play *play = play_new(&(struct play_options){
        .seed = 950, .study = everyone, .parts = parts, .crash = crashes_then, .context = &later});
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    play_import(play, PLAY_SITE + 1, less);
    play_ask(play, everyone);
    later.on = plan != NULL;
    const size_t before = play_said(play, PLAY_SITE, MESSAGE_REVEAL);
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_true(play_said(play, PLAY_SITE, MESSAGE_REVEAL) >= before + 4); /* T0, T1, T2, values */
    play_result(json, play);
    const unsigned restarts = plan != NULL ? play_restarts(play, plan->party) : 0;
    play_free(play);
    columns_free(table);
    free(kept);
    arena_free(arena);
    return restarts;
}

static void anybody_in_the_round_before_counts(void **state)
{
    (void)state;
    static const struct plan_of_crashes plans[] = {{PLAY_SITE + 1, 37, 0},     {PLAY_SITE + 1, 37, 9},
                                                   {PLAY_SITE + 1, 37, 18},    {PLAY_SITE, 37, 27},
                                                   {PLAY_COORDINATOR, 31, 0},  {PLAY_COORDINATOR, 31, 10},
                                                   {PLAY_COORDINATOR, 31, 20}, {PLAY_AGENT, 9, 1},
                                                   {PLAY_AGENT, 9, 4},         {PLAY_AGENT, 9, 7}};
    unsigned restarts = 0;
    struct bytes whole = {0};
    asked_again(&whole, NULL);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct bytes json = {0};
        restarts += asked_again(&json, &plans[i]);
        assert_int_equal(json.length, whole.length);
        assert_memory_equal(json.data, whole.data, whole.length);
        bytes_clear(&json);
    }
    assert_true(restarts > 10);
    bytes_clear(&whole);
}

static bool anybody(void *context, size_t party, unsigned n)
{
    (void)context;
    return n % (party == PLAY_AGENT ? 11 : 61) == 7;
}

/* MAILLE_SEEDS=N: this alone, with N seeds; MAILLE_SEED: the first. */
static void everybody_now_and_then(void **state)
{
    (void)state;
    const char *n = getenv("MAILLE_SEEDS"), *from = getenv("MAILLE_SEED");
    const uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 400;
    for (uint64_t seed = first; seed < first + (n != NULL ? strtoull(n, NULL, 10) : 3); seed++) {
        char what[32];
        snprintf(what, sizeof what, "everybody, seed %llu", (unsigned long long)seed);
        struct play *play = runs_to_the_expected(
            &(struct play_options){
                .seed = seed, .study = study, .crash = anybody, .lost_permille = 20, .twice_permille = 20},
            what);
        for (size_t party = 0; party < PLAY_SITE + 3; party++)
            assert_true(play_restarts(play, party) > 0);
        play_free(play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_now_and_then),
        cmocka_unit_test(a_site_at_every_point),
        cmocka_unit_test(the_coordinator_at_every_point),
        cmocka_unit_test(the_agent_at_every_point),
        cmocka_unit_test(a_site_that_loses_what_was_not_waited_for),
        cmocka_unit_test(a_coordinator_that_loses_what_was_not_waited_for),
        cmocka_unit_test(an_agent_that_loses_what_was_not_waited_for),
        cmocka_unit_test(anybody_where_the_agent_steps),
        cmocka_unit_test(anybody_in_the_round_before_counts),
    };
    return _cmocka_run_group_tests(
        "restart", tests, getenv("MAILLE_SEEDS") != NULL ? 1 : sizeof tests / sizeof *tests, NULL, NULL);
}
