/* What the tests of whole networks share. */
#ifndef TESTS_NETWORK_TESTING_H
#define TESTS_NETWORK_TESTING_H

#include "tests/network/network.h"

enum { TESTING_LIMIT_MS = 4 * 3600 * 1000 };

/* A study runs to its end whatever befalls the network, and gives what federate gives for the same patients,
 * bit for bit, as a result for every analysis. The play is the caller's to free. */
static inline struct play *runs_to_the_expected(const struct play_options *options, const char *what)
{
    struct maille_error error = {0};
    struct bytes json = {0}, expected = {0};
    struct play *play = play_new(options);
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s: %s", what, error.sentence);
    play_result(&json, play);
    play_expected(&expected, play);
    bytes_put_u8(&json, 0);
    bytes_put_u8(&expected, 0);
    if (strcmp((const char *)json.data, (const char *)expected.data) != 0)
        fail_msg("%s: expected the result of federate, found %.2000s", what, (const char *)json.data);
    assert_null(strstr((const char *)json.data, "\"status\": \"refused\""));
    bytes_clear(&json);
    bytes_clear(&expected);
    return play;
}

#endif
