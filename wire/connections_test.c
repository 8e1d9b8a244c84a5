/* What one key may have of a server: connections, handshakes, and memory that no message accounts for. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/testing.h"

/* Lets the server work until somebody was hung up on; false: not within the time. */
static bool hangs_up(struct wire_server *server, struct wire_hangup *hangup, int within_ms)
{
    const int64_t until = clock_monotonic_ms() + within_ms;
    struct wire_message message = {0};
    bool done = false;
    while (!(done = wire_server_hangup(server, hangup)) && clock_monotonic_ms() < until)
        (void)hear(server, &message, 20);
    wire_message_clear(&message);
    return done;
}

static void limit(struct network *network, int64_t connections, int64_t bytes, int64_t silent_ms)
{
    wire_server_limit(network->server, &(struct wire_limits){connections, connections, bytes, silent_ms});
}

/* Resident bytes of this process. */
static size_t resident(void)
{
    unsigned long pages = 0, held = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &pages, &held), 2);
    fclose(file);
    return held * (size_t)sysconf(_SC_PAGESIZE);
}

static void beta_is_heard(struct network *network)
{
    struct wire_message message = {0};
    struct wire_client *beta = dial(network, network->beta);
    bool heard = false;
    say(beta, "still there");
    while (!heard && hear(network->server, &message, SOON_MS))
        heard = strcmp(message.peer, "beta") == 0;
    assert_true(heard);
    assert_true(answer(network->server, "beta", "yes"));
    assert_true(hears(beta, "yes", SOON_MS));
    wire_client_free(beta);
    wire_message_clear(&message);
}

static void connections_of_one_key_are_counted(void **state)
{
    enum { MOST = 3, MORE = MOST + 2 };
    struct network *network = *state;
    struct wire_client *clients[MORE];
    struct wire_hangup hangup;
    limit(network, MORE, 1 << 30, 60000); /* handshakes of all may succeed */
    for (size_t i = 0; i < MORE; i++) {
        clients[i] = dial(network, network->alpha);
        say(clients[i], "here");
    }
    assert_false(hangs_up(network->server, &hangup, 500));
    limit(network, MOST, 1 << 30, 60000);
    assert_true(hangs_up(network->server, &hangup, SOON_MS));
    assert_string_equal(hangup.peer, "alpha");
    assert_int_equal(hangup.why, WIRE_CONNECTIONS);
    assert_int_equal(hangup.figure, MORE);
    beta_is_heard(network);
    for (size_t i = 0; i < MORE; i++)
        wire_client_free(clients[i]);
}

static void handshakes_of_one_key_are_counted(void **state)
{
    struct network *network = *state;
    struct wire_hangup hangup;
    limit(network, 2, 1 << 30, 60000);
    for (size_t i = 0; i < 3; i++) {
        struct wire_client *client = dial(network, network->alpha);
        say(client, "here");
        if (i < 2)
            assert_false(hangs_up(network->server, &hangup, 300));
        else
            assert_true(hangs_up(network->server, &hangup, SOON_MS));
        wire_client_free(client);
    }
    assert_string_equal(hangup.peer, "alpha");
    assert_int_equal(hangup.why, WIRE_HANDSHAKES);
    beta_is_heard(network);
}

/* It has a key, and never says anything. */
static void who_is_silent_is_hung_up_on(void **state)
{
    struct network *network = *state;
    struct wire_hangup hangup;
    struct wire_client *silent;
    limit(network, 64, 1 << 30, 400);
    silent = dial(network, network->alpha);
    assert_true(hangs_up(network->server, &hangup, SOON_MS));
    assert_string_equal(hangup.peer, "");
    assert_int_equal(hangup.why, WIRE_SILENT);
    wire_client_free(silent);
    beta_is_heard(network);
}

/* The parts of a long message, in one buffer that libzmq does not copy. (Its sender passes a message on when
 * it is whole; the server sees what one that never ends looks like until then.) */
static void send_parts(void *dealer, uint8_t *part, size_t length, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        zmq_msg_t message;
        assert_int_equal(zmq_msg_init_data(&message, part, length, NULL, NULL), 0);
        assert_int_equal(zmq_msg_send(&message, dealer, i + 1 < n ? ZMQ_SNDMORE : 0), (int)length);
    }
}

/* libzmq counts whole messages: of one that never ends it holds every part. */
static void a_message_that_never_ends_is_cut(void **state)
{
    enum { PART = 1 << 20, LIMIT = 8 << 20, PARTS = 1000, MOST = 256 << 20 };
    struct network *network = *state;
    struct wire_hangup hangup = {0};
    void *context = zmq_ctx_new(), *dealer = raw_dealer(network, context, network->alpha, NULL);
    uint8_t *part = calloc(1, PART);
    assert_non_null(part);
    limit(network, 64, LIMIT, 60000);
    const size_t before = resident();
    send_parts(dealer, part, PART, PARTS);
    assert_true(hangs_up(network->server, &hangup, SOON_MS));
    assert_int_equal(hangup.why, WIRE_BYTES);
    assert_true(hangup.figure > LIMIT);
    assert_true(resident() < before + MOST); /* the limit, and what came between two looks: of 1,000 MiB */
    zmq_close(dealer);
    zmq_ctx_term(context);
    free(part);
    limit(network, 64, 1 << 30, 60000);
    beta_is_heard(network);
}

/* What was to leave, and is not read. It says something now and then, so that its heart beats. */
static void who_never_reads_is_hung_up_on(void **state)
{
    enum { LIMIT = 4 << 20 };
    struct network *network = *state;
    struct wire_hangup hangup = {0};
    struct wire_message message = {0};
    void *context = zmq_ctx_new(), *dealer;
    const int one = 1;
    uint8_t *frame = calloc(1, SEGMENT_BYTES);
    bool sent = true, told = false;
    assert_non_null(frame);
    limit(network, 64, LIMIT, 60000);
    dealer = raw_dealer(network, context, network->alpha, NULL);
    assert_int_equal(zmq_setsockopt(dealer, ZMQ_RCVHWM, &one, sizeof one),
                     0); /* too late for this connection … */
    assert_int_equal(zmq_disconnect(dealer, wire_server_endpoint(network->server)), 0);
    assert_int_equal(zmq_connect(dealer, wire_server_endpoint(network->server)), 0); /* … not for this */
    assert_int_equal(zmq_send(dealer, "here", 4, 0), 4);
    assert_true(hear(network->server, &message, SOON_MS));
    for (size_t i = 0; i < 900 && sent && !told; i++) {
        assert_int_equal(
            wire_server_send(network->server, "alpha", 0, "m", 1, frame, SEGMENT_BYTES, &sent, NULL),
            MAILLE_OK);
        (void)hear(network->server, &message, i % 50 == 0 ? 150 : 0);
        told = wire_server_hangup(network->server, &hangup);
    }
    assert_true(told);
    assert_string_equal(hangup.peer, "alpha");
    assert_int_equal(hangup.why, WIRE_BYTES);
    zmq_close(dealer);
    zmq_ctx_term(context);
    free(frame);
    wire_message_clear(&message);
    limit(network, 64, 1 << 30, 60000);
    beta_is_heard(network);
}

/* Much that is taken and sent at once is no reason. */
static void who_talks_much_stays(void **state)
{
    enum { LIMIT = 4 << 20, MESSAGES = 400 };
    struct network *network = *state;
    struct wire_hangup hangup;
    struct wire_message message = {0};
    struct wire_client *alpha = dial(network, network->alpha);
    uint8_t *frame = calloc(1, SEGMENT_BYTES);
    size_t heard = 0;
    assert_non_null(frame);
    limit(network, 64, LIMIT, 60000);
    for (size_t i = 0; i < MESSAGES; i++) {
        bool got;
        assert_int_equal(wire_client_send(alpha, "m", 1, frame, SEGMENT_BYTES, NULL), MAILLE_OK);
        if (i % 16 != 15)
            continue;
        for (size_t k = 0; k < 16; k++) {
            assert_true(hear(network->server, &message, SOON_MS));
            assert_true(answer(network->server, "alpha", "taken"));
            assert_int_equal(wire_client_receive(alpha, &message, SOON_MS, &got, NULL), MAILLE_OK);
            heard += got;
        }
    }
    assert_int_equal(heard, MESSAGES);
    assert_false(wire_server_hangup(network->server, &hangup));
    wire_client_free(alpha);
    free(frame);
    wire_message_clear(&message);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connections_of_one_key_are_counted, network_up, network_down),
        cmocka_unit_test_setup_teardown(handshakes_of_one_key_are_counted, network_up, network_down),
        cmocka_unit_test_setup_teardown(who_is_silent_is_hung_up_on, network_up, network_down),
        cmocka_unit_test_setup_teardown(a_message_that_never_ends_is_cut, network_up, network_down),
        cmocka_unit_test_setup_teardown(who_never_reads_is_hung_up_on, network_up, network_down),
        cmocka_unit_test_setup_teardown(who_talks_much_stays, network_up, network_down),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
