/* Sockets: one ROUTER at the coordinator, DEALERs at sites and agents, CURVE everywhere (docs/PROTOCOL.md,
 * transport).
 *
 * Facts of libzmq 4.3.4 that this room answers for: ZAP fails open without a living handler, so the handler
 * is bound before any socket and ZMQ_ZAP_ENFORCE_DOMAIN (93) is set and checked; routing ids are chosen by
 * peers, so a peer is who its CURVE key says (User-Id), and its address is whatever routing id it last used;
 * messages without a User-Id are dropped. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "proto/directory.h"
#include "wire/way.h"

enum { WIRE_PEER_MAX = NAME_MAX_BYTES };

/* One message: frame 0 an encoded envelope, frame 1 raw bytes (or none). */
struct wire_message {
    char peer[WIRE_PEER_MAX + 1]; /* server: the directory name of the sender */
    enum key_role role;
    uint64_t address; /* server: which of the sender's connections it came by; for wire_server_send */
    struct bytes envelope, frame;
    bool has_frame;
};
void wire_message_clear(struct wire_message *message);

/* --- coordinator --- */

struct wire_server;

/* An endpoint to bind whose host is a name of DNS, with the first address that the name has: libzmq takes
 * addresses, interfaces and "*" alone. Others are copied as they are. out: WIRE_ENDPOINT_BYTES.
 * MAILLE_UNREACHABLE: nobody knows the name. */
enum { WIRE_ENDPOINT_BYTES = 320 };
enum maille_code wire_endpoint_local(char *out, const char *endpoint,
                                     struct maille_error *error) MAILLE_CHECKED;

/* Who a CURVE public key belongs to. Returns false: refused. name has WIRE_PEER_MAX + 1 bytes. Called from
 * the ZAP thread. */
typedef bool wire_admit(void *context, const uint8_t transport[PUBLIC_BYTES], char *name,
                        enum key_role *role);

/* Binds endpoint ("tcp://127.0.0.1:*" finds a port; wire_server_endpoint tells). keys: the coordinator's.
 * MAILLE_UNREACHABLE when the address is taken or not ours. */
enum maille_code wire_server_open(struct wire_server **server, const char *endpoint,
                                  const struct secret_keys *keys, wire_admit *admit, void *context,
                                  struct maille_error *error) MAILLE_CHECKED;
void wire_server_free(struct wire_server *server);
const char *wire_server_endpoint(const struct wire_server *server);
/* A descriptor to poll beside others; as wire_client_fd. */
int wire_server_fd(const struct wire_server *server);
/* Waits up to timeout_ms for a message. *got says whether there is one. Frames above their limits never get
 * here. */
enum maille_code wire_server_receive(struct wire_server *server, struct wire_message *message, int timeout_ms,
                                     bool *got, struct maille_error *error) MAILLE_CHECKED;
/* Sends to the one connection of a peer that a message came by (wire_message.address: a researcher may run
 * two studies at once), or (address 0) to its latest. *sent false: not connected (never an error). frame may
 * be NULL.
 */
enum maille_code wire_server_send(struct wire_server *server, const char *peer, uint64_t address,
                                  const void *envelope, size_t length, const void *frame, size_t frame_length,
                                  bool *sent, struct maille_error *error) MAILLE_CHECKED;
/* What one party may have of a server. Connections by which nothing came yet are nobody's: together they may
 * hold as much as one party, each for silent_ms. */
struct wire_limits {
    int64_t connections; /* at once */
    int64_t
        handshakes; /* at once, and within each minute: a script of short questions makes two a question */
    int64_t
        bytes; /* that libzmq holds for all of them: messages that are not whole, not read yet, or not sent */
    int64_t silent_ms;
};
enum { WIRE_CONNECTIONS_MAX = 64, WIRE_HANDSHAKES_EACH = 16 }; /* the default; handshakes for each of them */
extern const struct wire_limits wire_limits_standard;
void wire_server_limit(struct wire_server *server, const struct wire_limits *limits);
/* Who was hung up on, or not let in, and why; false: nobody since the last call. */
enum wire_why { WIRE_CONNECTIONS, WIRE_BYTES, WIRE_SILENT, WIRE_HANDSHAKES };
struct wire_hangup {
    char peer[WIRE_PEER_MAX + 1]; /* "": nobody knows */
    enum wire_why why;
    uint64_t figure; /* connections, bytes, seconds, handshakes */
};
bool wire_server_hangup(struct wire_server *server, struct wire_hangup *hangup);
/* Messages that were thrown away since opening: no User-Id, too many frames, too long. */
uint64_t wire_server_dropped(const struct wire_server *server);

/* --- sites and agents --- */

struct wire_client;

/* Through $MAILLE_PROXY, with the password in the file $MAILLE_PROXY_CREDENTIAL, where the first is set
 * (wire/way.h).
 */
enum maille_code wire_client_open(struct wire_client **client, const char *endpoint,
                                  const uint8_t server[PUBLIC_BYTES], const struct secret_keys *keys,
                                  struct maille_error *error) MAILLE_CHECKED;
/* As above from raw transport keys: the net process of a worker holds no identity key. way: borrowed,
 * outlives the client; NULL: directly. */
enum maille_code wire_client_open_raw(struct wire_client **client, const char *endpoint,
                                      const uint8_t server[PUBLIC_BYTES], const uint8_t own[PUBLIC_BYTES],
                                      const uint8_t secret[KEY_BYTES], struct wire_way *way,
                                      struct maille_error *error) MAILLE_CHECKED;
void wire_client_free(struct wire_client *client);
/* A descriptor to poll for reading (ZMQ_FD): readable means "call wire_client_receive until it gets nothing".
 * It tells of changes only: do the same once after each wire_client_send and before the first poll. */
int wire_client_fd(const struct wire_client *client);
enum maille_code wire_client_receive(struct wire_client *client, struct wire_message *message, int timeout_ms,
                                     bool *got, struct maille_error *error) MAILLE_CHECKED;
/* Queues; reconnection is libzmq's. MAILLE_UNREACHABLE when the high-water mark is reached. */
enum maille_code wire_client_send(struct wire_client *client, const void *envelope, size_t length,
                                  const void *frame, size_t frame_length,
                                  struct maille_error *error) MAILLE_CHECKED;
/* True once a CURVE handshake succeeded since opening; *refused when the server said no (wrong or unknown
 * key). To be asked every second or two until then: of a host with addresses of both families it tries the
 * one, then the other. */
bool wire_client_connected(struct wire_client *client, bool *refused);
/* What stands in the way, once for each change of it: what the proxy says or, without one and not connected,
 * what else than a coordinator answers there (looked at by a connection of its own, which takes up to three
 * seconds). False: nothing that is known. */
bool wire_client_trouble(struct wire_client *client, char *sentence, size_t size);

#endif
