/* circle DATA STUDY.yaml SITES SEED OUT.json POLICY.yaml: as federate, but a whole network plays it in the
 * circle: real vaults, coordinator and agent in one thread (network.h). Writes the result file of the agent.
 * Fails where no vault has sent a result, or the agent is told to end. What the vectors are compared with R's
 * numbers by, once more. */
#include "tests/network/testing.h"

#include "base/file.h"

struct arguments {
    const char *data, *study, *out, *policy;
    uint64_t sites, seed;
};

static void the_circle_answers(void **state)
{
    const struct arguments *arguments = *state;
    struct maille_error error = {0};
    struct bytes json = {0}, policy = {0};
    assert_int_equal(file_read(&policy, arguments->policy, 1 << 16, &error), MAILLE_OK);
    bytes_put_u8(&policy, 0);
    struct play *play = play_new(&(struct play_options){.seed = arguments->seed,
                                                        .split_seed = arguments->seed,
                                                        .n_sites = (size_t)arguments->sites,
                                                        .mode = MODE_CIRCLE,
                                                        .policy = (const char *)policy.data,
                                                        .data = arguments->data,
                                                        .file = arguments->study});
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s: %s", arguments->study, error.sentence);
    for (size_t site = PLAY_SITE; site < PLAY_SITE + arguments->sites; site++)
        assert_true(play_said(play, site, MESSAGE_RESULT) > 0);
    play_result(&json, play);
    assert_int_equal(file_write_atomic(arguments->out, json.data, json.length, 0644, &error), MAILLE_OK);
    bytes_clear(&json);
    bytes_clear(&policy);
    play_free(play);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (argc != 7 || !number_parse_u64(argv[3], strlen(argv[3]), &arguments.sites) ||
        !number_parse_u64(argv[4], strlen(argv[4]), &arguments.seed) || arguments.sites < 1 ||
        arguments.sites > PLAY_SITES_MAX) {
        fprintf(stderr, "usage: circle DATA STUDY.yaml SITES SEED OUT.json POLICY.yaml\n");
        return 2;
    }
    arguments.data = argv[1];
    arguments.study = argv[2];
    arguments.out = argv[5];
    arguments.policy = argv[6];
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(the_circle_answers, &arguments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
