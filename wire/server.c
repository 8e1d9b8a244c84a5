/* The coordinator's socket: a ROUTER that knows a peer by its CURVE key alone. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/connections.h"
#include "wire/socket.h"
#include "wire/zap.h"

/* A peer may have several connections: one researcher runs two studies, or asks for a list meanwhile. */
enum { ADDRESSES_MAX = 8, ROUTING_ID_MAX = 255, PEERS_MAX = 4096, BACKLOG = 1024 };

struct address {
    uint64_t number; /* 0: free */
    int64_t used_ms;
    int fd; /* −1: not known */
    size_t length;
    uint8_t routing_id[ROUTING_ID_MAX];
};

struct peer {
    char name[WIRE_PEER_MAX + 1];
    struct address addresses[ADDRESSES_MAX];
};

struct wire_server {
    void *context, *socket;
    struct zap *zap;
    wire_admit *admit; /* the caller's, with its context */
    void *admit_context;
    struct connections connections;
    char endpoint[256];
    struct peer **peers;
    size_t n_peers;
    uint64_t addresses, dropped;
};

void wire_message_clear(struct wire_message *message)
{
    bytes_clear(&message->envelope);
    bytes_clear(&message->frame);
    *message = (struct wire_message){0};
}

const struct wire_limits wire_limits_standard = {.connections = WIRE_CONNECTIONS_MAX,
                                                 .handshakes = WIRE_CONNECTIONS_MAX * WIRE_HANDSHAKES_EACH,
                                                 .bytes = INT64_C(256) << 20,
                                                 .silent_ms = INT64_C(65000)};

/* Whoever the caller knows, as long as it does not come too often. */
static bool admit_some(void *context, const uint8_t transport[PUBLIC_BYTES], char *name, enum key_role *role)
{
    struct wire_server *server = context;
    return server->admit(server->admit_context, transport, name, role) &&
           connections_admit(&server->connections, name);
}

enum maille_code wire_server_open(struct wire_server **server, const char *endpoint,
                                  const struct secret_keys *keys, wire_admit *admit, void *context,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t secret[KEY_BYTES] = {0};
    bool other; /* a server has every address that it binds */
    struct wire_server *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a socket, found none");
    MAILLE_TRY(socket_room(error));
    made->context = zmq_ctx_new();
    if (made->context == NULL) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a ZeroMQ context, found: %s",
                           zmq_strerror(zmq_errno()));
        goto out;
    }
    made->admit = admit;
    made->admit_context = context;
    MAILLE_TRY(zap_start(&made->zap, made->context, admit_some, made, error));
    made->socket = zmq_socket(made->context, ZMQ_ROUTER);
    if (made->socket == NULL) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a ZeroMQ socket, found: %s",
                           zmq_strerror(zmq_errno()));
        goto out;
    }
    MAILLE_TRY(connections_open(&made->connections, made->context, made->socket, error));
    secret_keys_transport(secret, keys);
    MAILLE_TRY(socket_prepare(made->socket, error));
    MAILLE_TRY(socket_set_int(made->socket, ZMQ_CURVE_SERVER, 1, error));
    MAILLE_TRY(socket_set(made->socket, ZMQ_CURVE_SECRETKEY, secret, sizeof secret, error));
    MAILLE_TRY(socket_set(made->socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN), error));
    MAILLE_TRY(socket_set_int(made->socket, SOCKET_ZAP_ENFORCE_DOMAIN, 1, error));
    MAILLE_TRY(
        socket_set_int(made->socket, ZMQ_ROUTER_MANDATORY, 1, error)); /* an unknown address is an answer */
    if (strncmp(endpoint, "tcp://", 6) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected an endpoint such as tcp://127.0.0.1:9700, found \"%s\"", endpoint);
        goto out;
    }
    MAILLE_TRY(socket_family(made->socket, endpoint, true, &other, error));
    MAILLE_TRY(socket_set_int(made->socket, ZMQ_BACKLOG, BACKLOG, error));
    if (zmq_bind(made->socket, endpoint) != 0) {
        code = maille_fail(error, MAILLE_UNREACHABLE, "expected a free address of this host, found %s: %s",
                           endpoint, zmq_strerror(zmq_errno()));
        goto out;
    }
    size_t size = sizeof made->endpoint;
    if (zmq_getsockopt(made->socket, ZMQ_LAST_ENDPOINT, made->endpoint, &size) != 0) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected the socket's address, found: %s",
                           zmq_strerror(zmq_errno()));
        goto out;
    }
    *server = made;
    made = NULL;
out:
    crypto_wipe(secret, sizeof secret);
    wire_server_free(made);
    return code;
}

void wire_server_free(struct wire_server *server)
{
    if (server == NULL)
        return;
    connections_stop(&server->connections, server->socket);
    if (server->socket != NULL)
        zmq_close(server->socket);
    zap_stop(server->zap);
    if (server->context != NULL)
        zmq_ctx_term(server->context);
    connections_clear(&server->connections);
    for (size_t i = 0; i < server->n_peers; i++)
        free(server->peers[i]);
    free(server->peers);
    free(server);
}

const char *wire_server_endpoint(const struct wire_server *server)
{
    return server->endpoint;
}

int wire_server_fd(const struct wire_server *server)
{
    return socket_fd(server->socket);
}

uint64_t wire_server_dropped(const struct wire_server *server)
{
    return server->dropped;
}

void wire_server_limit(struct wire_server *server, const struct wire_limits *limits)
{
    connections_limit(&server->connections, limits);
}

bool wire_server_hangup(struct wire_server *server, struct wire_hangup *hangup)
{
    return connections_hangup(&server->connections, hangup);
}

static struct peer *find_peer(const struct wire_server *server, const char *name)
{
    for (size_t i = 0; i < server->n_peers; i++)
        if (strcmp(server->peers[i]->name, name) == 0)
            return server->peers[i];
    return NULL;
}

static struct peer *peer_for(struct wire_server *server, const char *name)
{
    struct peer *peer = find_peer(server, name);
    if (peer != NULL || server->n_peers == PEERS_MAX)
        return peer;
    struct peer **grown = realloc(server->peers, (server->n_peers + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    server->peers = grown;
    peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    memcpy(peer->name, name, strlen(name) + 1);
    server->peers[server->n_peers++] = peer;
    return peer;
}

/* The number of the address that this routing id is; a new one takes the place of the one that was silent
 * longest. */
static uint64_t note_address(struct wire_server *server, struct peer *peer, int fd, const void *routing_id,
                             size_t length)
{
    struct address *place = &peer->addresses[0];
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        struct address *address = &peer->addresses[i];
        if (address->number != 0 && address->length == length &&
            memcmp(address->routing_id, routing_id, length) == 0) {
            place = address;
            break;
        }
        if (address->used_ms < place->used_ms)
            place = address;
    }
    if (place->number == 0 || place->length != length || memcmp(place->routing_id, routing_id, length) != 0) {
        place->number = ++server->addresses;
        place->length = length;
        memcpy(place->routing_id, routing_id, length);
    }
    place->fd = fd;
    place->used_ms = clock_monotonic_ms();
    return place->number;
}

/* Who sent it, from what libzmq attached to the frame after the handshake; false: nobody that we admitted.
 * Frame 0 is the routing id that libzmq put in front. */
static bool read_sender(void *context, struct wire_message *message, struct socket_frames *frames)
{
    struct wire_server *server = context;
    zmq_msg_t *address = &frames->parts[0], *envelope = &frames->parts[1];
    const char *name = zmq_msg_gets(envelope, "User-Id"), *role = zmq_msg_gets(envelope, ZAP_ROLE);
    if (name == NULL || name[0] == '\0' || strlen(name) > WIRE_PEER_MAX || role == NULL || role[0] < '0' ||
        role[0] > '0' + (int)KEY_AUTHORITY || role[1] != '\0' || zmq_msg_size(address) > ROUTING_ID_MAX)
        return false;
    struct peer *peer = peer_for(server, name);
    if (peer == NULL)
        return false;
    memcpy(message->peer, name, strlen(name) + 1);
    message->role = (enum key_role)(role[0] - '0');
    const int fd = zmq_msg_get(envelope, ZMQ_SRCFD);
    size_t bytes = 0;
    for (size_t i = 1; i < frames->n && i < SOCKET_FRAMES; i++)
        bytes += zmq_msg_size(&frames->parts[i]);
    connections_taken(&server->connections, fd, name, bytes);
    message->address = note_address(server, peer, fd, zmq_msg_data(address), zmq_msg_size(address));
    return true;
}

enum maille_code wire_server_receive(struct wire_server *server, struct wire_message *message, int timeout_ms,
                                     bool *got, struct maille_error *error)
{
    *got = false;
    const enum maille_code code = connections_tick(&server->connections, error);
    return code != MAILLE_OK ? code
                             : socket_receive(server->socket, message, 1, timeout_ms, got, &server->dropped,
                                              read_sender, server, error);
}

static struct address *latest_address(struct peer *peer)
{
    struct address *latest = NULL;
    for (size_t i = 0; i < ADDRESSES_MAX; i++)
        if (peer->addresses[i].number != 0 &&
            (latest == NULL || peer->addresses[i].used_ms >= latest->used_ms))
            latest = &peer->addresses[i];
    return latest;
}

/* An address that does not take the message is forgotten; a peer that lives will be heard again. */
static enum maille_code send_to(struct wire_server *server, struct address *address, const void *envelope,
                                size_t length, const void *frame, size_t frame_length, bool *sent,
                                struct maille_error *error)
{
    enum maille_code code = socket_send(server->socket, address->routing_id, address->length, envelope,
                                        length, frame, frame_length, sent, error);
    if (code == MAILLE_OK && *sent)
        connections_given(&server->connections, address->fd, length + frame_length);
    if (code == MAILLE_OK && !*sent)
        *address = (struct address){0};
    return code;
}

enum maille_code wire_server_send(struct wire_server *server, const char *peer, uint64_t address,
                                  const void *envelope, size_t length, const void *frame, size_t frame_length,
                                  bool *sent, struct maille_error *error)
{
    struct peer *found = find_peer(server, peer);
    struct address *to;
    enum maille_code code = MAILLE_OK;
    bool done = false;
    for (size_t i = 0; found != NULL && address != 0 && i < ADDRESSES_MAX; i++)
        if (found->addresses[i].number == address)
            return send_to(server, &found->addresses[i], envelope, length, frame, frame_length, sent, error);
    while (found != NULL && address == 0 && code == MAILLE_OK && !done &&
           (to = latest_address(found)) != NULL)
        code = send_to(server, to, envelope, length, frame, frame_length, &done, error);
    if (code == MAILLE_OK)
        *sent = done;
    return code;
}
