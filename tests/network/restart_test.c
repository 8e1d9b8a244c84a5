/* Every party crashes at every point at which it waits for its disk, and the study ends as if nothing had
 * been. A point is counted over all lives of a party, so that each run goes on to later points whatever it
 * has to do again. */
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
    };
    return _cmocka_run_group_tests(
        "restart", tests, getenv("MAILLE_SEEDS") != NULL ? 1 : sizeof tests / sizeof *tests, NULL, NULL);
}
