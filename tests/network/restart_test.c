/* Every party crashes at every point at which it waits for its disk, and the study ends as if nothing had
 * been. A point is counted over all lives of a party, so that each run goes on to later points whatever it
 * has to do again. MAILLE_MATRIX=all: at every point; else at one in five. */
#include "tests/network/testing.h"

#include <limits.h>

#include "registry/columns.h"
#include "tests/federation/federation.h"

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

/* Of the points at which a run may begin to crash. */
static unsigned step(void)
{
    const char *which = getenv("MAILLE_MATRIX");
    return which != NULL && strcmp(which, "all") == 0 ? 1 : 5;
}

/* All points of one party, some in each run. Returns how often it started again. */
static unsigned crash_in(enum query_mode mode, size_t party, unsigned every, bool loses, uint64_t seed)
{
    unsigned restarts = 0;
    for (unsigned from = 0; from < every; from += step()) {
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
    assert_true(crash_at_every_point(PLAY_SITE + 1, 37, false, 100) > 100 / step());
}

static void the_coordinator_at_every_point(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_COORDINATOR, 31, false, 200) > 200 / step());
}

static void the_agent_at_every_point(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_AGENT, 9, false, 300) > 25 / step());
}

static void a_site_that_loses_what_was_not_waited_for(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_SITE + 1, 37, true, 500) > 100 / step());
}

static void an_agent_that_loses_what_was_not_waited_for(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_AGENT, 9, true, 700) > 25 / step());
}

static void a_coordinator_that_loses_what_was_not_waited_for(void **state)
{
    (void)state;
    assert_true(crash_at_every_point(PLAY_COORDINATOR, 31, true, 600) > 200 / step());
}

/* Where the researcher's agent opens the sums: the same, with more crashes in each of fewer runs. */
static void anybody_where_the_agent_steps(void **state)
{
    (void)state;
    assert_true(crash_in(MODE_AGENT, PLAY_SITE + 1, 23, true, 800) > 50 / step());
    assert_true(crash_in(MODE_AGENT, PLAY_COORDINATOR, 23, false, 830) > 50 / step());
    assert_true(crash_in(MODE_AGENT, PLAY_AGENT, 9, true, 860) > 10 / step());
}

/* --- what the study above has not --- */

/* Vectors of several segments, which the coordinator pulls. */
static const char wide[] = "  - { id: pgr, method: quantile, variable: pgr, probs: [0.5], by: chemo }\n"
                           "  - { id: er, method: quantile, variable: er, probs: [0.5], by: meno }\n"
                           "  - { id: cox, method: cox, formula: \"Surv(dtime, death) ~ age + chemo\" }\n";

struct late_crashes {
    struct plan_of_crashes plan;
    unsigned after; /* this many points; the disk before the next was not kept. UINT_MAX: not yet */
};

static bool crashes_late(void *context, size_t party, unsigned n)
{
    const struct late_crashes *late = context;
    return late->after != UINT_MAX && n > late->after + 1 &&
           crashes((void *)&late->plan, party, n - late->after);
}

static void vectors_of_several_segments(void **state)
{
    (void)state;
    static const struct {
        size_t party;
        unsigned every;
    } rows[] = {{PLAY_SITE + 1, 53}, {PLAY_COORDINATOR, 53}, {PLAY_AGENT, 11}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned restarts = 0;
        for (unsigned from = 0; from < rows[i].every; from += 2 * step()) {
            struct plan_of_crashes plan = {rows[i].party, rows[i].every, from};
            struct play *play = runs_to_the_expected(&(struct play_options){.seed = 900 + from,
                                                                            .study = wide,
                                                                            .crash = crashes,
                                                                            .loses_unsynced = true,
                                                                            .context = &plan},
                                                     "wide");
            assert_true(play_said(play, PLAY_SITE, MESSAGE_SEGMENT) > 0);
            restarts += play_restarts(play, rows[i].party);
            play_free(play);
        }
        assert_true(restarts > 0);
    }
}

/* The same numbers under another text: not what was shown. */
static const char anew[] = "  - { id: os, method: km, formula: \"Surv(dtime, death)  ~ chemo\" }\n"
                           "  - { id: logit, method: glm, family: binomial, formula: \"death  ~ chemo\" }\n";

/* A result file says the formulas as they were written. */
static void as_study_has_it(struct bytes *result)
{
    size_t n = 0;
    for (size_t i = 0; i < result->length; i++)
        if (i + 2 >= result->length || memcmp(result->data + i, "  ~", 3) != 0)
            result->data[n++] = result->data[i];
    result->length = n;
}

/* A question after another on an earlier snapshot: a round before the head counts. The very question of
 * before (every second time) is answered in that round. */
static void the_round_before_the_counts(void **state)
{
    (void)state;
    static const size_t parties[] = {PLAY_SITE + 1, PLAY_COORDINATOR, PLAY_AGENT};
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++) {
        const unsigned every = parties[i] == PLAY_AGENT ? 9 : 31;
        for (unsigned from = 0; from < every; from += step()) {
            struct maille_error error = {0};
            struct late_crashes late = {{parties[i], every, from}, UINT_MAX};
            struct play *play = runs_to_the_expected(&(struct play_options){.seed = 950 + from,
                                                                            .study = study,
                                                                            .crash = crashes_late,
                                                                            .loses_unsynced = true,
                                                                            .context = &late},
                                                     "the first question");
            struct arena *arena = arena_new();
            const struct dictionary *dictionary;
            struct columns *table, *parts[3];
            struct bytes first = {0}, second = {0};
            play_result(&first, play);
            assert_int_equal(federation_data(&dictionary, &table, arena, "rotterdam", &error), MAILLE_OK);
            assert_int_equal(federation_split(parts, 3, table, 7, &error), MAILLE_OK);
            columns_free(table);
            for (size_t k = 0; k < 3; k++)
                play_import(play, PLAY_SITE + k, parts[k]);
            const bool same = (from / step()) % 2 == 1;
            play_ask(play, same ? study : anew);
            const size_t before = play_said(play, PLAY_SITE, MESSAGE_MASKED);
            late.after = play_points(play, parties[i]);
            if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
                fail_msg("party %zu, from %u: %s", parties[i], from, error.sentence);
            const size_t rounds = play_said(play, PLAY_SITE, MESSAGE_MASKED);
            assert_true(same ? rounds < 2 * before : rounds > 2 * before); /* a round more, or one */
            play_result(&second, play);
            as_study_has_it(&second);
            if (!same &&
                (first.length != second.length || memcmp(first.data, second.data, first.length) != 0))
                fail_msg("party %zu, from %u: another result", parties[i], from);
            bytes_clear(&first);
            bytes_clear(&second);
            play_free(play);
            arena_free(arena);
        }
    }
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
        cmocka_unit_test(vectors_of_several_segments),
        cmocka_unit_test(the_round_before_the_counts),
    };
    return _cmocka_run_group_tests(
        "restart", tests, getenv("MAILLE_SEEDS") != NULL ? 1 : sizeof tests / sizeof *tests, NULL, NULL);
}
