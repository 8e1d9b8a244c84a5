/* Everything that may befall a network, drawn by a seed: messages lost, late, doubled and out of order,
 * parties cut off, crashes at durable points with and without what was not waited for, clocks that step,
 * waits for a disk that fail, disks that are full for a while. The study ends with the pooled result bit for
 * bit, or whoever asked is told the cause. A failure is played again by its seed: MAILLE_SCHEDULES=1
 * MAILLE_SEED=N. */
#include "tests/network/testing.h"

#include <errno.h>
#include <time.h>

#include "tests/network/private.h"
#include "tests/silence/patients.h"

enum { SITES = 3, PARTIES = PLAY_SITE + SITES, SECOND = 1000, MINUTE = 60 * SECOND, EVENTS_MAX = 4 };

static const char study[] = "  - { id: age, method: describe, variables: [age] }\n"
                            "  - { id: line, method: glm, family: gaussian, formula: \"nodes ~ chemo\" }\n";

enum event_kind { EVENT_NONE, EVENT_CUT_OFF, EVENT_FULL, EVENT_CLOCK, EVENT_WAIT_FAILS, EVENTS };
struct event {
    enum event_kind kind;
    size_t party;
    int64_t from_ms, until_ms; /* of the play */
    int64_t step_ms;           /* EVENT_CLOCK */
    bool done;
};

struct schedule {
    uint64_t seed;
    struct seeded dice;
    const struct play *play; /* once there is one */
    struct event events[EVENTS_MAX];
    unsigned crash_every[PARTIES], crash_from[PARTIES];
    unsigned after[PARTIES]; /* points of its start: the disk before the next was not kept */
    bool loses, reorder;
    unsigned lost, twice;
    int64_t latency_ms;
    unsigned befell[EVENTS]; /* how often: messages cut off, writes that failed, steps, waits that failed */
};

static uint64_t below(struct schedule *schedule, uint64_t limit)
{
    return seeded_below(&schedule->dice, limit);
}

static void draw(struct schedule *schedule, uint64_t seed)
{
    *schedule = (struct schedule){.seed = seed};
    seeded_init(&schedule->dice, seed, "schedule");
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        struct event *event = &schedule->events[i];
        event->kind = (enum event_kind)below(schedule, EVENTS);
        event->party = below(schedule, PARTIES);
        event->from_ms = (int64_t)below(schedule, 2 * SECOND);
        event->until_ms = event->from_ms + 1 + (int64_t)below(schedule, 6 * SECOND);
        event->step_ms = (int64_t)below(schedule, 4 * MINUTE) - 2 * MINUTE;
    }
    for (size_t i = 0; i < PARTIES; i++) {
        if (below(schedule, 3) > 0)
            continue;
        schedule->crash_every[i] =
            i == PLAY_AGENT ? 7 + (unsigned)below(schedule, 20) : 40 + (unsigned)below(schedule, 200);
        schedule->crash_from[i] = (unsigned)below(schedule, schedule->crash_every[i]);
    }
    schedule->loses = below(schedule, 2) > 0;
    schedule->reorder = below(schedule, 2) > 0;
    schedule->lost = (unsigned)below(schedule, 2) * (unsigned)below(schedule, 80);
    schedule->twice = (unsigned)below(schedule, 2) * (unsigned)below(schedule, 80);
    schedule->latency_ms = below(schedule, 4) > 0 ? 20 : 20 + (int64_t)below(schedule, 600);
}

/* An event of this kind that befalls the party now. */
static struct event *now(struct schedule *schedule, enum event_kind kind, size_t party)
{
    for (size_t i = 0; schedule->play != NULL && i < EVENTS_MAX; i++) {
        struct event *event = &schedule->events[i];
        const int64_t ms = play_elapsed_ms(schedule->play);
        if (event->kind == kind && event->party == party && event->from_ms <= ms && ms < event->until_ms)
            return event;
    }
    return NULL;
}

static unsigned pass(void *context, const struct flight *flight)
{
    struct schedule *schedule = context;
    const bool cut = now(schedule, EVENT_CUT_OFF, flight->from) != NULL ||
                     now(schedule, EVENT_CUT_OFF, flight->to) != NULL;
    schedule->befell[EVENT_CUT_OFF] += cut;
    return cut ? 0 : 1;
}

static bool crashes(void *context, size_t party, unsigned n)
{
    const struct schedule *schedule = context;
    return schedule->play != NULL && party < PARTIES && schedule->crash_every[party] > 0 &&
           n > schedule->after[party] + 1 && n % schedule->crash_every[party] == schedule->crash_from[party];
}

static int fails(void *context, size_t party, bool is_wait)
{
    struct schedule *schedule = context;
    struct event *event = now(schedule, EVENT_WAIT_FAILS, party);
    if (is_wait && event != NULL && !event->done) {
        event->done = true;
        schedule->befell[EVENT_WAIT_FAILS]++;
        return EIO;
    }
    const bool full = !is_wait && now(schedule, EVENT_FULL, party) != NULL;
    schedule->befell[EVENT_FULL] += full;
    return full ? ENOSPC : 0;
}

static void step_clocks(void *context, const struct play *play, size_t party, const struct flight *flight)
{
    struct schedule *schedule = context;
    struct event *event = now(schedule, EVENT_CLOCK, party);
    (void)flight;
    if (event == NULL || event->done)
        return;
    event->done = true;
    schedule->befell[EVENT_CLOCK]++;
    ((struct play *)(uintptr_t)play)->parties[party].skew_ms += event->step_ms;
}

enum ends { ENDS_SAME, ENDS_TOLD, ENDS };
static unsigned befell[EVENTS]; /* of all schedules; EVENT_NONE: programs that started again */

static const char *told(const struct play *play, enum maille_code code, const struct maille_error *error)
{
    if (code != MAILLE_OK)
        return error->sentence[0] != '\0' ? error->sentence : NULL;
    const struct study_run *run = agent_study_run(play_agent(play));
    for (size_t k = 0; k < run->study->n_analyses; k++)
        if (run->states[k].status == ANALYSIS_REFUSED && run->states[k].rule[0] != '\0')
            return run->states[k].rule;
    return NULL;
}

static enum ends play_schedule(enum query_mode mode, uint64_t seed, const struct play_registries *registries,
                               const struct bytes *expected)
{
    struct schedule schedule;
    struct maille_error error = {0};
    struct bytes json = {0};
    draw(&schedule, seed);
    struct play *play =
        play_new(&(struct play_options){.seed = seed,
                                        .n_sites = SITES,
                                        .registries = registries,
                                        .study = study,
                                        .mode = mode,
                                        .policy = mode == MODE_AGENT ? "policy: open\n" : NULL,
                                        .latency_ms = schedule.latency_ms,
                                        .lost_permille = schedule.lost,
                                        .twice_permille = schedule.twice,
                                        .reorder = schedule.reorder,
                                        .fate = pass,
                                        .crash = crashes,
                                        .loses_unsynced = schedule.loses,
                                        .fault = fails,
                                        .entered = step_clocks,
                                        .context = &schedule});
    for (size_t i = 0; i < PARTIES; i++)
        schedule.after[i] = play_points(play, i);
    schedule.play = play;
    const enum maille_code code = play_run(play, TESTING_LIMIT_MS, &error);
    bool same = false;
    if (code == MAILLE_OK) {
        play_result(&json, play);
        same = json.length == expected->length && memcmp(json.data, expected->data, json.length) == 0;
    }
    const char *cause = same ? NULL : told(play, code, &error);
    if (getenv("MAILLE_SCHEDULES_SHOW") != NULL)
        fprintf(stderr, "%llu: %s\n", (unsigned long long)seed,
                same            ? "same"
                : cause != NULL ? cause
                                : "NOBODY SAYS WHY");
    if (!same && cause == NULL)
        fail_msg("seed %llu: expected the pooled result or a cause, found %.1000s", (unsigned long long)seed,
                 json.length > 0 ? (const char *)json.data : error.sentence);
    for (size_t kind = 1; kind < EVENTS; kind++)
        befell[kind] += schedule.befell[kind];
    for (size_t party = 0; party < PARTIES; party++)
        befell[EVENT_NONE] += play_restarts(play, party);
    bytes_clear(&json);
    play_free(play);
    return same ? ENDS_SAME : ENDS_TOLD;
}

/* What federate gives for the same patients. */
static void expect(struct bytes *expected, enum query_mode mode, const struct play_registries *registries)
{
    struct play *play =
        play_new(&(struct play_options){.seed = 1,
                                        .n_sites = SITES,
                                        .registries = registries,
                                        .study = study,
                                        .mode = mode,
                                        .policy = mode == MODE_AGENT ? "policy: open\n" : NULL});
    play_expected(expected, play);
    play_free(play);
}

static void in_mode(enum query_mode mode, unsigned n)
{
    const char *many = getenv("MAILLE_SCHEDULES"), *from = getenv("MAILLE_SEED");
    const uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 1;
    const uint64_t last = first + (many != NULL ? strtoull(many, NULL, 10) : n);
    unsigned ends[ENDS] = {0};
    struct bytes expected = {0};
    const time_t began = time(NULL);
    struct columns *parts[PATIENTS_SITES];
    patients_deal(parts, SITES, 0, false);
    struct play_registries *registries = play_registries_new(parts, SITES, mode == MODE_AGENT);
    memset(befell, 0, sizeof befell);
    expect(&expected, mode, registries);
    for (uint64_t seed = first; seed < last; seed++)
        ends[play_schedule(mode, seed, registries, &expected)]++;
    print_message("%u schedules ended with the pooled result, %u with a cause; %lld s\n", ends[ENDS_SAME],
                  ends[ENDS_TOLD], (long long)(time(NULL) - began));
    print_message("%u programs started again, %u messages were cut off, %u writes and %u waits failed, %u "
                  "clocks stepped\n",
                  befell[EVENT_NONE], befell[EVENT_CUT_OFF], befell[EVENT_FULL], befell[EVENT_WAIT_FAILS],
                  befell[EVENT_CLOCK]);
    for (size_t kind = 0; kind < EVENTS && last - first >= 40; kind++)
        assert_true(befell[kind] > 0);
    assert_true(ends[ENDS_SAME] >= 9 * ends[ENDS_TOLD]);
    bytes_clear(&expected);
    play_registries_free(registries);
}

static void in_the_circle(void **state)
{
    (void)state;
    in_mode(MODE_CIRCLE, 120);
}

static void where_the_agent_steps(void **state)
{
    (void)state;
    in_mode(MODE_AGENT, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_circle),
        cmocka_unit_test(where_the_agent_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
