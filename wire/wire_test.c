/* Server and clients over loopback: who gets what, and what is thrown away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "wire/testing.h"

static void there_and_back(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    struct wire_client *alpha = dial(network, network->alpha), *beta = dial(network, network->beta);
    uint8_t big[SEGMENT_BYTES];
    memset(big, 42, sizeof big);
    assert_int_equal(wire_client_send(alpha, "envelope", 8, big, sizeof big, NULL), MAILLE_OK);
    assert_true(hear(network->server, &message, SOON_MS));
    assert_string_equal(message.peer, "alpha");
    assert_int_equal(message.role, KEY_SITE);
    assert_int_equal(message.envelope.length, 8);
    assert_true(message.has_frame);
    assert_int_equal(message.frame.length, sizeof big);
    assert_memory_equal(message.frame.data, big, sizeof big);
    say(beta, "hello");
    assert_true(hear(network->server, &message, SOON_MS));
    assert_string_equal(message.peer, "beta");
    assert_int_equal(message.role, KEY_RESEARCHER);
    assert_false(message.has_frame);
    assert_true(answer(network->server, "alpha", "for alpha"));
    assert_true(answer(network->server, "beta", "for beta"));
    assert_true(hears(alpha, "for alpha", SOON_MS));
    assert_true(hears(beta, "for beta", SOON_MS));
    assert_false(answer(network->server, "gamma", "nobody"));
    assert_true(wire_client_fd(alpha) >= 0);
    bool refused = true;
    assert_true(wire_client_connected(alpha, &refused));
    assert_false(refused);
    wire_client_free(alpha);
    wire_client_free(beta);
    wire_message_clear(&message);
}

static void a_stranger_hears_that_it_is_refused(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    struct wire_client *client = dial(network, network->stranger);
    bool refused = false;
    say(client, "let me in");
    for (int64_t until = clock_monotonic_ms() + SOON_MS; !refused && clock_monotonic_ms() < until;) {
        assert_false(hear(network->server, &message, 20));
        assert_false(wire_client_connected(client, &refused));
    }
    assert_true(refused);
    wire_client_free(client);
    wire_message_clear(&message);
}

/* A client that has the wrong key of the server cannot even ask. */
static void a_wrong_server_key_never_connects(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    struct wire_client *client = NULL;
    assert_int_equal(wire_client_open(&client, wire_server_endpoint(network->server),
                                      secret_keys_public(network->stranger)->transport, network->alpha, NULL),
                     MAILLE_OK);
    say(client, "hello");
    assert_false(hear(network->server, &message, NEVER_MS));
    assert_false(wire_client_connected(client, NULL));
    wire_client_free(client);
}

static void a_message_without_a_name_is_dropped(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    network->nameless = true;
    struct wire_client *client = dial(network, network->alpha);
    say(client, "who am I");
    assert_false(hear(network->server, &message, NEVER_MS));
    assert_int_equal(wire_server_dropped(network->server), 1);
    wire_client_free(client);
    wire_message_clear(&message);
}

/* Beta takes the routing id that alpha would like to have: what belongs to alpha never reaches beta, since
 * the address of a name is the routing id that the name itself used last. */
static void a_squatter_gets_nothing_of_others(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    void *context = zmq_ctx_new();
    void *squatter = raw_dealer(network, context, network->beta, "alpha");
    assert_int_equal(zmq_send(squatter, "mine", 4, 0), 4);
    assert_true(hear(network->server, &message, SOON_MS));
    assert_string_equal(message.peer, "beta");
    assert_false(answer(network->server, "alpha", "secret of alpha")); /* alpha has not been heard */
    struct wire_client *alpha = dial(network, network->alpha);
    say(alpha, "the real one");
    assert_true(hear(network->server, &message, SOON_MS));
    assert_string_equal(message.peer, "alpha");
    assert_true(answer(network->server, "alpha", "secret of alpha"));
    assert_true(hears(alpha, "secret of alpha", SOON_MS));
    assert_false(socket_wait(squatter, 0) && zmq_recv(squatter, (char[8]){0}, 8, ZMQ_DONTWAIT) >= 0);
    wire_client_free(alpha);
    zmq_close(squatter);
    zmq_ctx_term(context);
    wire_message_clear(&message);
}

/* An id that another connection has already: the second is not heard, and the first is answered as before. */
static void an_id_is_taken_once(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    char text[8] = "";
    void *context = zmq_ctx_new();
    void *first = raw_dealer(network, context, network->beta, "same");
    assert_int_equal(zmq_send(first, "one", 3, 0), 3);
    assert_true(hear(network->server, &message, SOON_MS));
    void *second = raw_dealer(network, context, network->alpha, "same");
    assert_int_equal(zmq_send(second, "two", 3, 0), 3);
    assert_false(hear(network->server, &message, NEVER_MS));
    assert_false(answer(network->server, "alpha", "for alpha"));
    assert_true(answer(network->server, "beta", "beta's"));
    assert_true(socket_wait(first, SOON_MS) && zmq_recv(first, text, sizeof text, 0) == 6);
    assert_memory_equal(text, "beta's", 6);
    zmq_close(first);
    zmq_close(second);
    zmq_ctx_term(context);
    wire_message_clear(&message);
}

/* Two programs of one researcher: each is answered where it asked. */
static void two_connections_of_one_name(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    struct wire_client *one = dial(network, network->beta), *two = dial(network, network->beta);
    bool sent;
    say(one, "one");
    assert_true(hear(network->server, &message, SOON_MS));
    const uint64_t first = message.address;
    say(two, "two");
    assert_true(hear(network->server, &message, SOON_MS));
    assert_true(message.address != first);
    assert_int_equal(wire_server_send(network->server, "beta", first, "to one", 6, NULL, 0, &sent, NULL),
                     MAILLE_OK);
    assert_true(sent);
    assert_true(hears(one, "to one", SOON_MS));
    assert_true(answer(network->server, "beta", "to the latest"));
    assert_true(hears(two, "to the latest", SOON_MS));
    /* The latest goes away: what is meant for the name reaches the other. */
    wire_client_free(two);
    for (int64_t until = clock_monotonic_ms() + SOON_MS; clock_monotonic_ms() < until;) {
        assert_false(hear(network->server, &message, 10));
        answer(network->server, "beta", "to who is left");
        if (hears(one, "to who is left", 10))
            break;
    }
    assert_int_equal(wire_server_send(network->server, "alpha", first, "x", 1, NULL, 0, &sent, NULL),
                     MAILLE_OK);
    assert_false(sent);
    wire_client_free(one);
    wire_message_clear(&message);
}

static void too_many_frames_are_dropped(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    void *context = zmq_ctx_new();
    void *dealer = raw_dealer(network, context, network->alpha, NULL);
    for (int i = 0; i < 9; i++)
        assert_int_equal(zmq_send(dealer, "part", 4, ZMQ_SNDMORE), 4);
    assert_int_equal(zmq_send(dealer, "part", 4, 0), 4);
    static uint8_t long_envelope[MESSAGE_BODY_MAX + 65536];
    assert_int_equal(zmq_send(dealer, long_envelope, sizeof long_envelope, 0), sizeof long_envelope);
    assert_int_equal(zmq_send(dealer, "good", 4, 0), 4);
    assert_true(hear(network->server, &message, SOON_MS));
    assert_int_equal(message.envelope.length, 4);
    assert_memory_equal(message.envelope.data, "good", 4);
    assert_int_equal(wire_server_dropped(network->server), 2);
    zmq_close(dealer);
    zmq_ctx_term(context);
    wire_message_clear(&message);
}

static void an_oversized_frame_is_refused(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    void *context = zmq_ctx_new();
    void *dealer = raw_dealer(network, context, network->alpha, NULL);
    const size_t length = MESSAGE_FRAME_MAX + 65536;
    uint8_t *frame = calloc(1, length);
    assert_non_null(frame);
    assert_int_equal(zmq_send(dealer, "envelope", 8, ZMQ_SNDMORE), 8);
    assert_int_equal(zmq_send(dealer, frame, length, 0), length);
    assert_false(hear(network->server, &message, NEVER_MS));
    free(frame);
    zmq_close(dealer);
    zmq_ctx_term(context);
    wire_message_clear(&message);
}

static void clients_come_back_after_a_restart(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    char endpoint[256];
    struct wire_client *alpha = dial(network, network->alpha);
    say(alpha, "before");
    assert_true(hear(network->server, &message, SOON_MS));
    snprintf(endpoint, sizeof endpoint, "%s", wire_server_endpoint(network->server));
    wire_server_free(network->server);
    network->server = NULL;
    assert_int_equal(wire_server_open(&network->server, endpoint, network->coordinator, admit, network, NULL),
                     MAILLE_OK);
    bool heard = false;
    for (int64_t until = clock_monotonic_ms() + SOON_MS; !heard && clock_monotonic_ms() < until;) {
        say(alpha, "after");
        heard = hear(network->server, &message, 50);
    }
    assert_true(heard);
    assert_string_equal(message.peer, "alpha");
    assert_true(answer(network->server, "alpha", "welcome back"));
    assert_true(hears(alpha, "welcome back", SOON_MS));
    wire_client_free(alpha);
    wire_message_clear(&message);
}

static void bad_endpoints(void **state)
{
    struct network *network = *state;
    struct maille_error error = {0};
    struct wire_server *server = NULL;
    struct wire_client *client = NULL;
    const uint8_t *key = secret_keys_public(network->coordinator)->transport;
    assert_int_equal(wire_server_open(&server, wire_server_endpoint(network->server), network->coordinator,
                                      admit, network, &error),
                     MAILLE_UNREACHABLE);
    assert_non_null(strstr(error.sentence, "in use"));
    assert_int_equal(wire_server_open(&server, "ipc:///tmp/x", network->coordinator, admit, network, &error),
                     MAILLE_INVALID);
    assert_int_equal(wire_client_open(&client, "http://127.0.0.1:1", key, network->alpha, &error),
                     MAILLE_INVALID);
    assert_int_equal(wire_client_open(&client, "tcp://127.0.0.1:nonsense", key, network->alpha, &error),
                     MAILLE_INVALID);
    assert_null(server);
    assert_null(client);
}

static void ipv6_is_spoken(void **state)
{
    struct network *network = *state;
    struct wire_message message = {0};
    static const char *const endpoints[] = {"tcp://[::1]:*", "tcp://*:*"};
    const int probe = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const bool there = probe >= 0 && bind(probe, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (probe >= 0)
        close(probe);
    if (!there)
        skip(); /* this kernel has no IPv6 */
    for (size_t i = 0; i < 2; i++) {
        char endpoint[64];
        struct wire_client *client = NULL;
        wire_server_free(network->server);
        network->server = NULL;
        assert_int_equal(
            wire_server_open(&network->server, endpoints[i], network->coordinator, admit, network, NULL),
            MAILLE_OK);
        snprintf(endpoint, sizeof endpoint, "tcp://[::1]:%s",
                 strrchr(wire_server_endpoint(network->server), ':') + 1);
        assert_int_equal(wire_client_open(&client, endpoint,
                                          secret_keys_public(network->coordinator)->transport, network->alpha,
                                          NULL),
                         MAILLE_OK);
        say(client, "over six");
        assert_true(hear(network->server, &message, SOON_MS));
        wire_client_free(client);
        if (i == 1) { /* every address of the host: the older ones too */
            snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%s",
                     strrchr(wire_server_endpoint(network->server), ':') + 1);
            assert_int_equal(wire_client_open(&client, endpoint,
                                              secret_keys_public(network->coordinator)->transport,
                                              network->beta, NULL),
                             MAILLE_OK);
            say(client, "over four");
            assert_true(hear(network->server, &message, SOON_MS));
            wire_client_free(client);
        }
    }
    wire_message_clear(&message);
}

/* libzmq would abort. */
static void too_few_descriptors_are_a_sentence(void **state)
{
    struct network *network = *state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit few = {12, 12};
        struct wire_client *client = NULL;
        struct maille_error error = {0};
        setrlimit(RLIMIT_NOFILE, &few);
        const enum maille_code code =
            wire_client_open(&client, wire_server_endpoint(network->server),
                             secret_keys_public(network->coordinator)->transport, network->alpha, &error);
        _exit(code == MAILLE_INVALID && strstr(error.sentence, "ulimit -n") != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A name with addresses of both families, of which the server has the newer one alone. In a process of its
 * own, whose /etc/hosts is another; where that cannot be (not root), nothing is tried. */
static int six_behind_a_name(const struct network *network)
{
    static const char hosts[] = "127.0.0.1 localhost both.test\n::1 both.test\n";
    enum { CANNOT = 77, LONG_MS = 12000 };
    struct wire_server *server = NULL;
    struct wire_client *client = NULL;
    struct wire_message message = {0};
    char path[512], endpoint[64];
    bool got = false;
    snprintf(path, sizeof path, "%s/hosts", getenv("MAILLE_TEST_TMP"));
    if (file_write_atomic(path, hosts, sizeof hosts - 1, 0644, NULL) != MAILLE_OK ||
        unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(path, "/etc/hosts", NULL, MS_BIND, NULL) != 0)
        return CANNOT;
    if (wire_server_open(&server, "tcp://[::1]:*", network->coordinator, admit, (void *)(uintptr_t)network,
                         NULL) != MAILLE_OK)
        return CANNOT; /* this kernel has no IPv6 */
    snprintf(endpoint, sizeof endpoint, "tcp://both.test:%s", strrchr(wire_server_endpoint(server), ':') + 1);
    if (wire_client_open(&client, endpoint, secret_keys_public(network->coordinator)->transport,
                         network->alpha, NULL) != MAILLE_OK)
        return 1;
    for (const int64_t end = clock_monotonic_ms() + LONG_MS; !got && clock_monotonic_ms() < end;) {
        (void)wire_client_connected(client, NULL);
        if (wire_client_send(client, "hello", 5, NULL, 0, NULL) == MAILLE_OK &&
            wire_server_receive(server, &message, NEVER_MS, &got, NULL) != MAILLE_OK)
            return 2;
    }
    return got ? 0 : 3;
}

static void both_families_of_a_name_are_tried(void **state)
{
    const struct network *network = *state;
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(six_behind_a_name(network));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

enum { KEYLESS = 400 };

/* Dials and says nothing, again and again where it was hung up on, until it is killed. Says by `said` when
 * all are there, and when the first was hung up on. */
static void dial_and_be_silent(int port, int said)
{
    static int open_now[KEYLESS];
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool told = false;
    for (int round = 0;; round++) {
        for (size_t i = 0; i < KEYLESS; i++) {
            char byte[64];
            ssize_t got = 0;
            if (round > 0) /* ZMTP greets; then nothing, then the end */
                while ((got = recv(open_now[i], byte, sizeof byte, MSG_DONTWAIT)) > 0)
                    ;
            if (round > 0 && got < 0)
                continue;
            if (round > 0 && !told)
                told = write(said, "x", 1) == 1;
            if (round > 0)
                close(open_now[i]);
            open_now[i] = socket(AF_INET, SOCK_STREAM, 0);
            if (connect(open_now[i], (const struct sockaddr *)&to, sizeof to) != 0)
                _exit(1);
        }
        if (round == 0 && write(said, "y", 1) != 1)
            _exit(1);
        poll(NULL, 0, 20);
    }
}

/* Connections without a key keep nobody out, and are hung up on. */
static void the_keyless_keep_nobody_out(void **state)
{
    const struct network *network = *state;
    const int port = atoi(strrchr(wire_server_endpoint(network->server), ':') + 1);
    struct wire_message message = {0};
    struct wire_client *client = NULL;
    int said[2];
    char byte = 0;
    assert_int_equal(pipe(said), 0);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit many = {1024, 1024};
        setrlimit(RLIMIT_NOFILE, &many);
        dial_and_be_silent(port, said[1]);
    }
    assert_true(read(said[0], &byte, 1) == 1 && byte == 'y');
    assert_int_equal(wire_client_open(&client, wire_server_endpoint(network->server),
                                      secret_keys_public(network->coordinator)->transport, network->alpha,
                                      NULL),
                     MAILLE_OK);
    say(client, "hello");
    assert_true(hear(network->server, &message, SOON_MS));
    assert_true(read(said[0], &byte, 1) == 1 && byte == 'x'); /* after the handshake's deadline */
    say(client, "still here");
    assert_true(hear(network->server, &message, SOON_MS));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(said[0]);
    close(said[1]);
    wire_client_free(client);
    wire_message_clear(&message);
}

/* What libzmq binds stays as it is; a name becomes an address of it. */
static void a_name_to_bind_is_looked_up(void **state)
{
    static const char *const kept[] = {"tcp://*:9700", "tcp://127.0.0.1:*", "tcp://[::1]:9700",
                                       "tcp://lo:9700", "ipc:///tmp/x"};
    char out[WIRE_ENDPOINT_BYTES];
    struct maille_error error;
    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        assert_int_equal(wire_endpoint_local(out, kept[i], &error), MAILLE_OK);
        assert_string_equal(out, kept[i]);
    }
    assert_int_equal(wire_endpoint_local(out, "tcp://localhost:9700", &error), MAILLE_OK);
    assert_true(strcmp(out, "tcp://127.0.0.1:9700") == 0 || strcmp(out, "tcp://[::1]:9700") == 0);
    assert_int_equal(wire_endpoint_local(out, "tcp://nobody.invalid:9700", &error), MAILLE_UNREACHABLE);
    assert_non_null(strstr(error.sentence, "found nobody.invalid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_to_bind_is_looked_up),
        cmocka_unit_test_setup_teardown(there_and_back, network_up, network_down),
        cmocka_unit_test_setup_teardown(a_stranger_hears_that_it_is_refused, network_up, network_down),
        cmocka_unit_test_setup_teardown(a_wrong_server_key_never_connects, network_up, network_down),
        cmocka_unit_test_setup_teardown(a_message_without_a_name_is_dropped, network_up, network_down),
        cmocka_unit_test_setup_teardown(a_squatter_gets_nothing_of_others, network_up, network_down),
        cmocka_unit_test_setup_teardown(an_id_is_taken_once, network_up, network_down),
        cmocka_unit_test_setup_teardown(two_connections_of_one_name, network_up, network_down),
        cmocka_unit_test_setup_teardown(too_many_frames_are_dropped, network_up, network_down),
        cmocka_unit_test_setup_teardown(an_oversized_frame_is_refused, network_up, network_down),
        cmocka_unit_test_setup_teardown(clients_come_back_after_a_restart, network_up, network_down),
        cmocka_unit_test_setup_teardown(ipv6_is_spoken, network_up, network_down),
        cmocka_unit_test_setup_teardown(too_few_descriptors_are_a_sentence, network_up, network_down),
        cmocka_unit_test_setup_teardown(both_families_of_a_name_are_tried, network_up, network_down),
        cmocka_unit_test_setup_teardown(the_keyless_keep_nobody_out, network_up, network_down),
        cmocka_unit_test_setup_teardown(bad_endpoints, network_up, network_down),
    };
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
