/* What libzmq does when nobody answers for it: the facts that docs/PROTOCOL.md §6 lists, each shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/socket.h"
#include "wire/zap.h"

enum { WAIT_MS = 300 };

struct pair {
    uint8_t open[PUBLIC_BYTES], secret[KEY_BYTES];
};

/* Admits the one key that context points to. */
static bool admit_one(void *context, const uint8_t transport[PUBLIC_BYTES], char *name, enum key_role *role)
{
    const struct pair *pair = context;
    if (memcmp(transport, pair->open, PUBLIC_BYTES) != 0)
        return false;
    memcpy(name, "alpha", 6);
    *role = KEY_SITE;
    return true;
}

static void *curve_router(void *context, const struct pair *server, bool enforce, char endpoint[64])
{
    void *router = zmq_socket(context, ZMQ_ROUTER);
    size_t size = 64;
    assert_int_equal(socket_prepare(router, NULL), MAILLE_OK);
    assert_int_equal(socket_set_int(router, ZMQ_LINGER, 0, NULL), MAILLE_OK);
    assert_int_equal(socket_set_int(router, ZMQ_CURVE_SERVER, 1, NULL), MAILLE_OK);
    assert_int_equal(socket_set(router, ZMQ_CURVE_SECRETKEY, server->secret, KEY_BYTES, NULL), MAILLE_OK);
    assert_int_equal(socket_set(router, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN), NULL), MAILLE_OK);
    if (enforce)
        assert_int_equal(socket_set_int(router, SOCKET_ZAP_ENFORCE_DOMAIN, 1, NULL), MAILLE_OK);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    return router;
}

/* Does a message of this key reach the router? user_id receives what libzmq says of the sender. */
static bool gets_in(void *context, void *router, const struct pair *server, const struct pair *own,
                    const char *endpoint, char user_id[64])
{
    struct socket_frames frames;
    bool got = false;
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    assert_int_equal(socket_set_int(dealer, ZMQ_LINGER, 0, NULL), MAILLE_OK);
    assert_int_equal(socket_set(dealer, ZMQ_CURVE_SERVERKEY, server->open, PUBLIC_BYTES, NULL), MAILLE_OK);
    assert_int_equal(socket_set(dealer, ZMQ_CURVE_PUBLICKEY, own->open, PUBLIC_BYTES, NULL), MAILLE_OK);
    assert_int_equal(socket_set(dealer, ZMQ_CURVE_SECRETKEY, own->secret, KEY_BYTES, NULL), MAILLE_OK);
    assert_int_equal(zmq_connect(dealer, endpoint), 0);
    assert_int_equal(zmq_send(dealer, "x", 1, 0), 1);
    socket_wait(router, WAIT_MS);
    assert_int_equal(socket_take(router, &frames, &got, NULL), MAILLE_OK);
    user_id[0] = '\0';
    if (got) {
        const char *name = zmq_msg_gets(&frames.parts[1], "User-Id");
        strncpy(user_id, name == NULL ? "" : name, 63);
        socket_frames_clear(&frames);
    }
    zmq_close(dealer);
    return got;
}

enum handler { HANDLER_NONE, HANDLER_LIVING, HANDLER_DEAD };

/* One context: a handler (or not), a router, a client. */
static bool admitted(enum handler handler, bool enforce, bool known, char user_id[64])
{
    struct pair server, alpha, stranger;
    struct zap *zap = NULL;
    char endpoint[64];
    seal_box_pair(server.open, server.secret);
    seal_box_pair(alpha.open, alpha.secret);
    seal_box_pair(stranger.open, stranger.secret);
    void *context = zmq_ctx_new();
    if (handler != HANDLER_NONE)
        assert_int_equal(zap_start(&zap, context, admit_one, &alpha, NULL), MAILLE_OK);
    void *router = curve_router(context, &server, enforce, endpoint);
    if (handler == HANDLER_DEAD) {
        zap_stop(zap);
        zap = NULL;
    }
    bool in = gets_in(context, router, &server, known ? &alpha : &stranger, endpoint, user_id);
    zmq_close(router);
    zap_stop(zap);
    zmq_ctx_term(context);
    return in;
}

static void a_known_key_gets_in_under_its_name(void **state)
{
    (void)state;
    char user_id[64];
    assert_true(admitted(HANDLER_LIVING, true, true, user_id));
    assert_string_equal(user_id, "alpha");
}

static void an_unknown_key_is_refused(void **state)
{
    (void)state;
    char user_id[64];
    assert_false(admitted(HANDLER_LIVING, true, false, user_id));
}

/* The reason for option 93: without it the library lets a stranger in when nobody answers. If a later libzmq
 * closes this hole, this test fails and the sentence in docs/PROTOCOL.md §6 can go. */
static void without_enforcement_a_missing_handler_lets_a_stranger_in(void **state)
{
    (void)state;
    char user_id[64];
    assert_true(admitted(HANDLER_NONE, false, false, user_id));
    assert_string_equal(user_id, ""); /* and this is why a message without User-Id is dropped as well */
}

static void without_a_living_handler_nobody_gets_in(void **state)
{
    (void)state;
    char user_id[64];
    assert_false(admitted(HANDLER_NONE, true, true, user_id));
    assert_false(admitted(HANDLER_DEAD, true, true, user_id));
    assert_false(admitted(HANDLER_DEAD, true, false, user_id));
}

static void a_second_handler_of_a_context_is_an_error(void **state)
{
    (void)state;
    struct zap *first = NULL, *second = NULL;
    struct pair none = {0};
    struct maille_error error = {0};
    void *context = zmq_ctx_new();
    assert_int_equal(zap_start(&first, context, admit_one, &none, &error), MAILLE_OK);
    assert_int_equal(zap_start(&second, context, admit_one, &none, &error), MAILLE_INTERNAL);
    assert_null(second);
    zap_stop(first);
    zmq_ctx_term(context);
}

/* A peer's message at a ROUTER that asks nobody: the id that the library gave the peer. NULL id: it may give
 * one. */
static bool heard_from(void *router, void *context, const char *endpoint, const uint8_t *id, uint8_t given[5])
{
    void *peer = zmq_socket(context, ZMQ_DEALER);
    char text[8];
    if ((id != NULL && zmq_setsockopt(peer, ZMQ_ROUTING_ID, id, 5) != 0) ||
        zmq_connect(peer, endpoint) != 0 || zmq_send(peer, "x", 1, 0) != 1 ||
        !socket_wait(router, 5 * WAIT_MS))
        return false;
    return zmq_recv(router, given, 5, 0) == 5 && zmq_recv(router, text, sizeof text, 0) == 1;
}

/* Somebody has taken the number that the library counts to next. Ends the process, or exits with 0 where it
 * does not. */
static void take_the_next_id(void)
{
    void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
    char endpoint[128];
    uint8_t id[5], given[5];
    size_t length = sizeof endpoint;
    if (zmq_bind(router, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &length) != 0 ||
        !heard_from(router, context, endpoint, NULL, id))
        _exit(2);
    for (size_t i = 5; i-- > 1 && ++id[i] == 0;)
        ;
    if (!heard_from(router, context, endpoint, id, given) || memcmp(id, given, sizeof id) != 0)
        _exit(3);
    _exit(heard_from(router, context, endpoint, NULL, given) ? 0 : 4);
}

/* Ids of the library's own are a random number of 32 bits and those after it, which it tells nobody; whoever
 * has a key and guesses the next one ends the coordinator, which its supervisor starts again. If a later
 * libzmq closes this hole, this test fails and the sentence in docs/PROTOCOL.md §6 can go. */
static void an_id_that_collides_ends_the_process(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka has a handler of its own */
        fclose(stderr);
        take_the_next_id();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_key_gets_in_under_its_name),
        cmocka_unit_test(an_unknown_key_is_refused),
        cmocka_unit_test(an_id_that_collides_ends_the_process),
        cmocka_unit_test(without_enforcement_a_missing_handler_lets_a_stranger_in),
        cmocka_unit_test(without_a_living_handler_nobody_gets_in),
        cmocka_unit_test(a_second_handler_of_a_context_is_an_error),
    };
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
