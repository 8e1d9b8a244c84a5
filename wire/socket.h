/* Private to wire/: what every socket of maille is set to, and the reading of one multipart message within
 * limits. */
#ifndef WIRE_SOCKET_H
#define WIRE_SOCKET_H

#include <zmq.h>

#include "wire/wire.h"

/* ZMQ_ZAP_ENFORCE_DOMAIN: hidden as a draft in zmq.h, honoured by the library as Debian builds it (4.3.4).
 * Without it a server whose ZAP handler is gone lets everybody in. */
enum { SOCKET_ZAP_ENFORCE_DOMAIN = 93 };

/* As zmq_setsockopt. MAILLE_INTERNAL names the option. */
enum maille_code socket_set(void *socket, int option, const void *value, size_t length,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code socket_set_int(void *socket, int option, int value,
                                struct maille_error *error) MAILLE_CHECKED;

/* Limits, high-water marks, heartbeats, linger: the same at both ends. */
enum maille_code socket_prepare(void *socket, struct maille_error *error) MAILLE_CHECKED;

/* Up to SOCKET_FRAMES frames of one message. */
enum { SOCKET_FRAMES = 3 };
struct socket_frames {
    zmq_msg_t parts[SOCKET_FRAMES];
    size_t n; /* frames that came; more than SOCKET_FRAMES: the rest was read and thrown away */
};

/* Reads one message if one is there (never waits). frames is to be released with socket_frames_clear when
 * *got. */
enum maille_code socket_take(void *socket, struct socket_frames *frames, bool *got,
                             struct maille_error *error) MAILLE_CHECKED;
void socket_frames_clear(struct socket_frames *frames);

/* ZMQ_FD; −1 when there is none. */
int socket_fd(void *socket);
/* Waits until the socket is readable, at most timeout_ms; false when a signal came. */
bool socket_wait(void *socket, int64_t timeout_ms);

/* Takes messages until one is well-formed and `accept` takes it, or timeout_ms have passed, or a signal came.
 * Frames before `first` are not part of the message. dropped counts those that were thrown away. */
typedef bool socket_accept(void *context, struct wire_message *message, struct socket_frames *frames);
enum maille_code socket_receive(void *socket, struct wire_message *message, size_t first, int timeout_ms,
                                bool *got, uint64_t *dropped, socket_accept *accept, void *context,
                                struct maille_error *error) MAILLE_CHECKED;

/* Sends [address,] envelope [, frame] without waiting; *sent false: the peer is not there, or its queue is
 * full. */
enum maille_code socket_send(void *socket, const void *address, size_t address_length, const void *envelope,
                             size_t length, const void *frame, size_t frame_length, bool *sent,
                             struct maille_error *error) MAILLE_CHECKED;

/* libzmq aborts the process where it gets no descriptor: raises the soft limit, and says so when there are
 * not enough. MAILLE_INVALID. */
enum maille_code socket_room(struct maille_error *error) MAILLE_CHECKED;
/* Lets the socket use IPv6 where the endpoint needs it: an address in brackets, every address of this host
 * (server), or a name to which no IPv4 route leads. (For a name, libzmq takes the first IPv6 address once it
 * may.) *other: a client's name has addresses of both families. */
enum maille_code socket_family(void *socket, const char *endpoint, bool server, bool *other,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
