/* The socket of a site or an agent: a DEALER that dials out and knows the coordinator by its CURVE key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/socket.h"

/* OTHER_MS: how long a host's address of one family is tried before that of the other. */
enum { RECONNECT_MS = 50, RECONNECT_MAX_MS = 1000, EVENT_BYTES = 6, OTHER_MS = 3000 };

struct wire_client {
    void *context, *socket, *monitor;
    uint64_t dropped;
    bool connected, refused;
    char *endpoint;
    bool other, ipv6;               /* the host has addresses of both families; which one is tried */
    int64_t dialled_ms;             /* monotonic */
    struct wire_way *way, *own_way; /* NULL: directly; own: to be freed with the client */
    bool probed;
};

enum maille_code wire_client_open_raw(struct wire_client **client, const char *endpoint,
                                      const uint8_t server[PUBLIC_BYTES], const uint8_t own[PUBLIC_BYTES],
                                      const uint8_t secret[KEY_BYTES], struct wire_way *way,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char near[64];
    struct wire_client *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a socket, found none");
    if (strncmp(endpoint, "tcp://", 6) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected an endpoint such as tcp://host:9700, found \"%s\"", endpoint);
        goto out;
    }
    MAILLE_TRY(socket_room(error));
    made->context = zmq_ctx_new();
    made->socket = made->context == NULL ? NULL : zmq_socket(made->context, ZMQ_DEALER);
    made->monitor = made->socket == NULL ? NULL : zmq_socket(made->context, ZMQ_PAIR);
    if (made->monitor == NULL) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a ZeroMQ socket, found: %s",
                           zmq_strerror(zmq_errno()));
        goto out;
    }
    MAILLE_TRY(socket_prepare(made->socket, error));
    MAILLE_TRY(socket_set_int(made->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS, error));
    MAILLE_TRY(socket_set_int(made->socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS, error));
    MAILLE_TRY(socket_set(made->socket, ZMQ_CURVE_SERVERKEY, server, PUBLIC_BYTES, error));
    MAILLE_TRY(socket_set(made->socket, ZMQ_CURVE_PUBLICKEY, own, PUBLIC_BYTES, error));
    MAILLE_TRY(socket_set(made->socket, ZMQ_CURVE_SECRETKEY, secret, KEY_BYTES, error));
    MAILLE_TRY(socket_set_int(made->monitor, ZMQ_LINGER, 0, error));
    if (zmq_socket_monitor(made->socket, "inproc://maille-monitor",
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) != 0 ||
        zmq_connect(made->monitor, "inproc://maille-monitor") != 0) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected to watch the socket, found: %s",
                           zmq_strerror(zmq_errno()));
        goto out;
    }
    made->way = way;
    if (way != NULL) {
        MAILLE_TRY(wire_way_start(way, endpoint, error));
        snprintf(near, sizeof near, "tcp://127.0.0.1:%d", wire_way_port(way));
        endpoint = near;
    }
    MAILLE_TRY(socket_family(made->socket, endpoint, false, &made->other, error));
    made->endpoint = strdup(endpoint);
    made->dialled_ms = clock_monotonic_ms();
    if (made->endpoint == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a socket, found none");
        goto out;
    }
    if (zmq_connect(made->socket, endpoint) != 0) {
        code = maille_fail(error, MAILLE_INVALID, "expected the coordinator's endpoint, found %s: %s",
                           endpoint, zmq_strerror(zmq_errno()));
        goto out;
    }
    *client = made;
    made = NULL;
out:
    wire_client_free(made);
    return code;
}

enum maille_code wire_client_open(struct wire_client **client, const char *endpoint,
                                  const uint8_t server[PUBLIC_BYTES], const struct secret_keys *keys,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t secret[KEY_BYTES];
    const char *proxy = getenv("MAILLE_PROXY");
    struct wire_way *way = NULL;
    secret_keys_transport(secret, keys);
    if (proxy != NULL && proxy[0] != '\0')
        MAILLE_TRY(wire_way_open(&way, proxy, getenv("MAILLE_PROXY_CREDENTIAL"), error));
    MAILLE_TRY(wire_client_open_raw(client, endpoint, server, secret_keys_public(keys)->transport, secret,
                                    way, error));
    (*client)->own_way = way;
    way = NULL;
out:
    wire_way_free(way);
    crypto_wipe(secret, sizeof secret);
    return code;
}

void wire_client_free(struct wire_client *client)
{
    if (client == NULL)
        return;
    if (client->monitor != NULL) {
        zmq_socket_monitor(client->socket, NULL, 0);
        zmq_close(client->monitor);
    }
    if (client->socket != NULL)
        zmq_close(client->socket);
    if (client->context != NULL)
        zmq_ctx_term(client->context);
    wire_way_free(client->own_way);
    free(client->endpoint);
    free(client);
}

int wire_client_fd(const struct wire_client *client)
{
    return socket_fd(client->socket);
}

/* There is one server, and CURVE has proved its key. */
static bool from_server(void *context, struct wire_message *message, struct socket_frames *frames)
{
    (void)context;
    (void)frames;
    message->peer[0] = '\0';
    message->role = KEY_COORDINATOR;
    message->address = 0;
    return true;
}

enum maille_code wire_client_receive(struct wire_client *client, struct wire_message *message, int timeout_ms,
                                     bool *got, struct maille_error *error)
{
    return socket_receive(client->socket, message, 0, timeout_ms, got, &client->dropped, from_server, NULL,
                          error);
}

enum maille_code wire_client_send(struct wire_client *client, const void *envelope, size_t length,
                                  const void *frame, size_t frame_length, struct maille_error *error)
{
    bool sent;
    enum maille_code code =
        socket_send(client->socket, NULL, 0, envelope, length, frame, frame_length, &sent, error);
    if (code == MAILLE_OK && !sent)
        code = maille_fail(
            error, MAILLE_UNREACHABLE,
            "expected room in the queue to the coordinator, found it full; it has not answered for long");
    return code;
}

/* libzmq takes one address of a host for good. Nothing was connected yet, so nothing is lost but what waits.
 */
static void dial_other(struct wire_client *client)
{
    struct maille_error ignored;
    const int64_t now = clock_monotonic_ms();
    if (!client->other || client->connected || client->refused || now - client->dialled_ms < OTHER_MS)
        return;
    client->dialled_ms = now;
    if (socket_set_int(client->socket, ZMQ_IPV6, client->ipv6 ? 0 : 1, &ignored) != MAILLE_OK)
        return;
    client->ipv6 = !client->ipv6;
    if (zmq_disconnect(client->socket, client->endpoint) == 0)
        (void)zmq_connect(client->socket, client->endpoint);
}

bool wire_client_connected(struct wire_client *client, bool *refused)
{
    /* Frame 0: LE16 event, LE32 value; frame 1: the endpoint. */
    for (;;) {
        struct socket_frames frames;
        struct maille_error ignored;
        bool got;
        if (socket_take(client->monitor, &frames, &got, &ignored) != MAILLE_OK || !got)
            break;
        if (frames.n >= 1 && zmq_msg_size(&frames.parts[0]) == EVENT_BYTES) {
            uint16_t event;
            memcpy(&event, zmq_msg_data(&frames.parts[0]), sizeof event);
            client->connected = client->connected || event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
            client->refused = event != ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        }
        socket_frames_clear(&frames);
    }
    dial_other(client);
    if (refused != NULL)
        *refused = client->refused;
    return client->connected;
}

bool wire_client_trouble(struct wire_client *client, char *sentence, size_t size)
{
    if (client->way != NULL)
        return wire_way_trouble(client->way, sentence, size);
    if (client->connected || client->probed)
        return false;
    client->probed = true;
    return wire_way_probe(client->endpoint, sentence, size);
}
