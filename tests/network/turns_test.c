/* Two questions at once: one is counted after the other, and both are answered. */
#include "tests/network/testing.h"

#define EVERYONE "  - { id: x, method: count }\n"
#define CHEMO "  - { id: x, method: count, cohort: \"chemo\" }\n"

enum { SITES_ASKED = 5, TURN_MS = 120 * 1000 };

static size_t said_by_sites(const struct play *play, enum message_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < SITES_ASKED; i++)
        n += play_said(play, PLAY_SITE + i, kind);
    return n;
}

/* The play goes on until the sites have said n messages of a kind; the question is left there. Its id. */
static const char *until(struct play *play, enum message_kind kind, size_t n)
{
    static char id[2 * QID_BYTES + 1];
    while (said_by_sites(play, kind) < n)
        assert_int_equal(play_run(play, 1, NULL), MAILLE_TIMEOUT);
    snprintf(id, sizeof id, "%s", agent_id(play_agent(play)));
    return id;
}

static void answered(struct play *play)
{
    struct maille_error error = {0};
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    const struct analysis_state *state = &agent_study_run(play_agent(play))->states[0];
    if (state->status != ANALYSIS_OK)
        fail_msg("%s %s", state->rule, state->reason);
    assert_false(agent_again(play_agent(play)));
}

/* A question whose researcher stops before anything is counted keeps its turn for two minutes. When she comes
 * back it cannot be compared with the other: the sites end it under `again`, and the same study is answered.
 */
static void one_that_is_slow_asks_again(void **state)
{
    (void)state;
    struct play *play =
        play_new(&(struct play_options){.seed = 900, .n_sites = SITES_ASKED, .study = EVERYONE});
    const char *first = until(play, MESSAGE_ACCEPT, SITES_ASKED);
    const int64_t left_ms = play_elapsed_ms(play);
    play_ask(play, CHEMO);
    assert_int_equal(play_run(play, TURN_MS - 10000, NULL), MAILLE_TIMEOUT);
    assert_int_equal(said_by_sites(play, MESSAGE_ACCEPT), SITES_ASKED);
    assert_int_equal(said_by_sites(play, MESSAGE_READY), 2 * SITES_ASKED);
    answered(play);
    assert_true(play_elapsed_ms(play) - left_ms < 2 * TURN_MS);
    play_resume(play, first);
    assert_int_equal(play_run(play, TESTING_LIMIT_MS, NULL), MAILLE_OK);
    assert_string_equal(agent_study_run(play_agent(play))->states[0].rule, "again");
    assert_true(agent_again(play_agent(play)));
    play_ask(play, EVERYONE);
    answered(play);
    play_free(play);
}

/* One that was counted before its researcher stopped is compared with, and goes on after the other. */
static void one_that_was_counted_goes_on(void **state)
{
    (void)state;
    struct play *play =
        play_new(&(struct play_options){.seed = 901, .n_sites = SITES_ASKED, .study = EVERYONE});
    const char *first = until(play, MESSAGE_TAKEN, SITES_ASKED);
    play_ask(play, CHEMO);
    answered(play);
    play_resume(play, first);
    answered(play);
    play_free(play);
}

/* The turn is over with the threshold rounds: nobody waits for values. */
static void a_turn_ends_with_the_head_counts(void **state)
{
    (void)state;
    static const char model[] =
        "  - { id: x, method: glm, family: binomial, formula: \"death ~ age + chemo\" }\n";
    struct play *play = play_new(&(struct play_options){.seed = 902, .n_sites = SITES_ASKED, .study = model});
    const char *first = until(play, MESSAGE_TAKEN, 3 * SITES_ASKED);
    const int64_t left_ms = play_elapsed_ms(play);
    play_ask(play, CHEMO);
    answered(play);
    assert_true(play_elapsed_ms(play) - left_ms < TURN_MS / 2);
    play_resume(play, first);
    answered(play);
    play_free(play);
}

/* A coordinator that is started again knows who waits. */
static void a_restart_keeps_the_line(void **state)
{
    (void)state;
    struct play *play =
        play_new(&(struct play_options){.seed = 903, .n_sites = SITES_ASKED, .study = EVERYONE});
    until(play, MESSAGE_ACCEPT, SITES_ASKED);
    play_ask(play, CHEMO);
    assert_int_equal(play_run(play, TURN_MS / 2, NULL), MAILLE_TIMEOUT);
    play_restart(play, PLAY_COORDINATOR);
    assert_int_equal(play_run(play, TURN_MS / 2, NULL), MAILLE_TIMEOUT);
    assert_int_equal(said_by_sites(play, MESSAGE_ACCEPT), SITES_ASKED);
    answered(play);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_slow_asks_again),
        cmocka_unit_test(one_that_was_counted_goes_on),
        cmocka_unit_test(a_turn_ends_with_the_head_counts),
        cmocka_unit_test(a_restart_keeps_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
