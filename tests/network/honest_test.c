/* Whole studies in which nothing goes wrong. */
#include "tests/network/testing.h"

static void three_sites_give_what_federate_gives(void **state)
{
    (void)state;
    play_free(runs_to_the_expected(&(struct play_options){.seed = 1}, "honest"));
}

static void six_sites_give_what_federate_gives(void **state)
{
    (void)state;
    play_free(runs_to_the_expected(&(struct play_options){.seed = 2, .n_sites = 6}, "honest"));
}

/* Without threshold rounds. */
static void an_open_policy_gives_what_federate_gives(void **state)
{
    (void)state;
    play_free(runs_to_the_expected(
        &(struct play_options){.seed = 3, .policy = "policy: open\n", .mode = MODE_AGENT}, "honest"));
    play_free(runs_to_the_expected(&(struct play_options){.seed = 3, .policy = "policy: open\n"}, "honest"));
}

/* The same seed: the same bytes at the same time on every link. Another: others. */
static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    struct digest links[3][2][PLAY_PARTIES];
    int64_t elapsed_ms[3];
    for (size_t i = 0; i < 3; i++) {
        struct play *play = play_new(&(struct play_options){
            .seed = i < 2 ? 4 : 5, .lost_permille = 20, .twice_permille = 20, .reorder = true});
        assert_int_equal(play_run(play, TESTING_LIMIT_MS, NULL), MAILLE_OK);
        elapsed_ms[i] = play_elapsed_ms(play);
        for (size_t party = 0; party < PLAY_SITE + 3; party++) {
            links[i][0][party] = play_link(play, party, PLAY_COORDINATOR);
            links[i][1][party] = play_link(play, PLAY_COORDINATOR, party);
        }
        play_free(play);
    }
    assert_int_equal(elapsed_ms[0], elapsed_ms[1]);
    for (size_t way = 0; way < 2; way++)
        for (size_t party = 0; party < PLAY_SITE + 3; party++) {
            if (party == PLAY_COORDINATOR)
                continue;
            assert_true(digest_equal(&links[0][way][party], &links[1][way][party]));
            assert_false(digest_equal(&links[0][way][party], &links[2][way][party]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_sites_give_what_federate_gives),
        cmocka_unit_test(six_sites_give_what_federate_gives),
        cmocka_unit_test(an_open_policy_gives_what_federate_gives),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
