/* What the tests of sockets share: a server whose ZAP handler knows two of three keys, and peers of several
 * kinds. */
#ifndef WIRE_TESTING_H
#define WIRE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/socket.h"

enum { SOON_MS = 3000, NEVER_MS = 300 };

/* A little network: keys of the coordinator and three sites, of whom the ZAP handler knows the first two. */
struct network {
    struct secret_keys *coordinator, *alpha, *beta, *stranger;
    bool nameless; /* the handler admits without saying who it is */
    struct wire_server *server;
};

static inline bool admit(void *context, const uint8_t transport[PUBLIC_BYTES], char *name,
                         enum key_role *role)
{
    const struct network *network = context;
    const struct secret_keys *known[] = {network->alpha, network->beta};
    for (size_t i = 0; i < 2; i++)
        if (memcmp(secret_keys_public(known[i])->transport, transport, PUBLIC_BYTES) == 0) {
            if (!network->nameless)
                strcpy(name, secret_keys_name(known[i]));
            *role = i == 0 ? KEY_SITE : KEY_RESEARCHER;
            return true;
        }
    return false;
}

static inline int network_up(void **state)
{
    struct network *network = calloc(1, sizeof *network);
    assert_int_equal(secret_keys_new(&network->coordinator, KEY_COORDINATOR, "coordinator", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&network->alpha, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&network->beta, KEY_RESEARCHER, "beta", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&network->stranger, KEY_SITE, "stranger", NULL), MAILLE_OK);
    assert_int_equal(
        wire_server_open(&network->server, "tcp://127.0.0.1:*", network->coordinator, admit, network, NULL),
        MAILLE_OK);
    *state = network;
    return 0;
}

static inline int network_down(void **state)
{
    struct network *network = *state;
    wire_server_free(network->server);
    secret_keys_free(network->coordinator);
    secret_keys_free(network->alpha);
    secret_keys_free(network->beta);
    secret_keys_free(network->stranger);
    free(network);
    return 0;
}

static inline struct wire_client *dial(const struct network *network, const struct secret_keys *keys)
{
    struct wire_client *client = NULL;
    assert_int_equal(wire_client_open(&client, wire_server_endpoint(network->server),
                                      secret_keys_public(network->coordinator)->transport, keys, NULL),
                     MAILLE_OK);
    return client;
}

static inline void say(struct wire_client *client, const char *text)
{
    assert_int_equal(wire_client_send(client, text, strlen(text), NULL, 0, NULL), MAILLE_OK);
}

static inline bool hear(struct wire_server *server, struct wire_message *message, int timeout_ms)
{
    bool got;
    assert_int_equal(wire_server_receive(server, message, timeout_ms, &got, NULL), MAILLE_OK);
    return got;
}

static inline bool hears(struct wire_client *client, const char *text, int timeout_ms)
{
    struct wire_message message = {0};
    bool got;
    assert_int_equal(wire_client_receive(client, &message, timeout_ms, &got, NULL), MAILLE_OK);
    got = got && message.envelope.length == strlen(text) &&
          memcmp(message.envelope.data, text, strlen(text)) == 0;
    wire_message_clear(&message);
    return got;
}

static inline bool answer(struct wire_server *server, const char *peer, const char *text)
{
    bool sent;
    assert_int_equal(wire_server_send(server, peer, 0, text, strlen(text), NULL, 0, &sent, NULL), MAILLE_OK);
    return sent;
}

/* A DEALER of our own making: a peer that does not use wire/. */
static inline void *raw_dealer(const struct network *network, void *context, const struct secret_keys *keys,
                               const char *routing_id)
{
    uint8_t secret[KEY_BYTES];
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    secret_keys_transport(secret, keys);
    assert_int_equal(socket_set_int(dealer, ZMQ_LINGER, 0, NULL), MAILLE_OK);
    assert_int_equal(socket_set(dealer, ZMQ_CURVE_SERVERKEY,
                                secret_keys_public(network->coordinator)->transport, PUBLIC_BYTES, NULL),
                     MAILLE_OK);
    assert_int_equal(
        socket_set(dealer, ZMQ_CURVE_PUBLICKEY, secret_keys_public(keys)->transport, PUBLIC_BYTES, NULL),
        MAILLE_OK);
    assert_int_equal(socket_set(dealer, ZMQ_CURVE_SECRETKEY, secret, sizeof secret, NULL), MAILLE_OK);
    if (routing_id != NULL)
        assert_int_equal(socket_set(dealer, ZMQ_ROUTING_ID, routing_id, strlen(routing_id), NULL), MAILLE_OK);
    assert_int_equal(zmq_connect(dealer, wire_server_endpoint(network->server)), 0);
    return dealer;
}

#endif
