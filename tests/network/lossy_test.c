/* What a wire does to messages, and clocks that are off. */
#include "tests/network/testing.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static const char study[] = "  - { id: os, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n"
                            "  - { id: cox, method: cox, formula: \"Surv(dtime, death) ~ chemo\" }\n";

static const char public[] = "policy: open\n";

/* The first message of one kind on each link does not arrive. */
struct loss {
    enum message_kind kind;
    unsigned seen[PLAY_PARTIES][PLAY_PARTIES], lost;
};

static unsigned lose_the_first(void *context, const struct flight *flight)
{
    struct loss *loss = context;
    if (flight->kind != loss->kind || loss->seen[flight->from][flight->to]++ > 0)
        return 1;
    loss->lost++;
    return 0;
}

static void the_first_of_each_kind_is_lost(void **state)
{
    (void)state;
    unsigned kinds = 0;
    for (uint32_t kind = 1; kind < MESSAGE_KINDS; kind++) {
        struct loss loss = {.kind = (enum message_kind)kind};
        if (message_rule(kind) == NULL)
            continue;
        play_free(runs_to_the_expected(
            &(struct play_options){.seed = kind, .study = study, .fate = lose_the_first, .context = &loss},
            message_rule(kind)->name));
        if (loss.lost == 0) /* of the other mode? */
            play_free(runs_to_the_expected(&(struct play_options){.seed = kind,
                                                                  .study = study,
                                                                  .policy = public,
                                                                  .mode = MODE_AGENT,
                                                                  .fate = lose_the_first,
                                                                  .context = &loss},
                                           message_rule(kind)->name));
        kinds += loss.lost > 0;
    }
    assert_true(kinds >= 21); /* the rest is not part of a study that runs to its end */
}

static unsigned twice(void *context, const struct flight *flight)
{
    (void)context;
    (void)flight;
    return 2;
}

static void every_message_comes_twice(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++)
        play_free(runs_to_the_expected(&(struct play_options){.seed = seed,
                                                              .study = study,
                                                              .policy = seed >= 2 ? public : NULL,
                                                              .mode = seed >= 2 ? MODE_AGENT : MODE_CIRCLE,
                                                              .fate = twice,
                                                              .reorder = seed % 2 == 1},
                                       "twice"));
}

static void messages_overtake_each_other(void **state)
{
    (void)state;
    for (uint64_t seed = 10; seed < 14; seed++)
        play_free(runs_to_the_expected(
            &(struct play_options){.seed = seed, .study = study, .latency_ms = 2 * SECOND, .reorder = true},
            "reorder"));
}

static void a_bad_line(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 24; seed++)
        play_free(runs_to_the_expected(&(struct play_options){.seed = seed,
                                                              .study = study,
                                                              .lost_permille = 100,
                                                              .twice_permille = 100,
                                                              .latency_ms = 500,
                                                              .reorder = true},
                                       "a bad line"));
}

/* Nobody's clock is right: within the five minutes that a manifest may be ahead, nobody notices. */
static void clocks_that_are_a_little_off(void **state)
{
    (void)state;
    play_free(runs_to_the_expected(
        &(struct play_options){.seed = 30,
                               .study = study,
                               .skew_ms = {2 * MINUTE, MINUTE, -2 * MINUTE, 90 * MINUTE, 30 * SECOND}},
        "clocks"));
}

/* A site whose clock is far behind takes the manifest for one of the future and refuses it, by name. */
static void a_clock_that_is_far_behind_is_named(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct play_options options = {.seed = 31, .study = study};
    options.skew_ms[PLAY_SITE + 2] = -10 * MINUTE;
    struct play *play = play_new(&options);
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    const struct study_run *run = agent_study_run(play_agent(play));
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        assert_int_equal(run->states[k].status, ANALYSIS_REFUSED);
        assert_string_equal(run->states[k].rule, "clock");
    }
    play_free(play);
}

/* What a site says once its officer has approved, lost: nobody asks for it, and it says it again. */
static unsigned lose_the_second_ready(void *context, const struct flight *flight)
{
    unsigned *seen = context;
    return flight->kind == MESSAGE_READY && flight->to == PLAY_COORDINATOR && seen[flight->from]++ == 1 ? 0
                                                                                                        : 1;
}

static void an_approval_that_is_lost_is_said_again(void **state)
{
    (void)state;
    unsigned seen[PLAY_PARTIES] = {0};
    struct play *play = runs_to_the_expected(
        &(struct play_options){.seed = 40, .study = study, .fate = lose_the_second_ready, .context = seen},
        "approval");
    for (size_t i = PLAY_SITE; i < PLAY_SITE + 3; i++)
        assert_true(seen[i] >= 3);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_each_kind_is_lost),
        cmocka_unit_test(an_approval_that_is_lost_is_said_again),
        cmocka_unit_test(every_message_comes_twice),
        cmocka_unit_test(messages_overtake_each_other),
        cmocka_unit_test(a_bad_line),
        cmocka_unit_test(clocks_that_are_a_little_off),
        cmocka_unit_test(a_clock_that_is_far_behind_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
