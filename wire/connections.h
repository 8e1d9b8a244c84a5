/* Private to wire/: the connections of a server, counted by the key behind each, and what each makes libzmq
 * hold.
 *
 * libzmq 4.3.4 bounds a queue by its messages, whatever they weigh, counts no part of a message that never
 * ends, and cannot hang up on one peer. So each connection is watched from outside: the monitor tells its
 * descriptor, a message tells by which it came (ZMQ_SRCFD), the kernel how many bytes went either way
 * (TCP_INFO). What came and is in no message that was taken, and what was to leave and has not left, is what
 * libzmq holds. shutdown(2) hangs up. */
#ifndef WIRE_CONNECTIONS_H
#define WIRE_CONNECTIONS_H

#include <pthread.h>

#include "wire/wire.h"

struct connection {
    int fd;
    int64_t since_ms;             /* when it was accepted */
    char name[WIRE_PEER_MAX + 1]; /* whose; "": nothing came by it yet */
    uint64_t taken, given;        /* bytes of messages that came out of libzmq, and went into it */
    uint64_t held;                /* what libzmq holds for it, when it was last looked at */
    bool hung_up;
};

struct handshakes {
    char name[WIRE_PEER_MAX + 1];
    double left; /* that may come now */
    bool told;   /* that one was not let in; until one is */
    int64_t since_ms;
};

enum { HANGUPS_MAX = 32 };

struct connections {
    struct wire_limits limits;
    void *monitor;
    struct connection *list;
    size_t n, room;
    int64_t looked_ms;
    pthread_mutex_t lock; /* over what follows: the thread of the ZAP handler takes part */
    struct handshakes *handshakes;
    size_t n_handshakes;
    struct wire_hangup hangups[HANGUPS_MAX];
    size_t n_hangups;
};

/* Watches a socket that is not bound yet. */
enum maille_code connections_open(struct connections *connections, void *context, void *socket,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Before the socket is closed; then connections_clear, once no thread asks any more. */
void connections_stop(struct connections *connections, void *socket);
void connections_clear(struct connections *connections);

void connections_limit(struct connections *connections, const struct wire_limits *limits);
bool connections_hangup(struct connections *connections, struct wire_hangup *hangup);

/* Whether one more handshake of this name may succeed. Called from the ZAP thread. */
bool connections_admit(struct connections *connections, const char *name);
/* A message of so many bytes came out of, or went into, the connection of this descriptor (−1: of none). */
void connections_taken(struct connections *connections, int fd, const char *name, size_t bytes);
void connections_given(struct connections *connections, int fd, size_t bytes);
/* What came and went; every CONNECTIONS_LOOK_MS, who passes a limit is hung up on. To be called often. */
enum { CONNECTIONS_LOOK_MS = 100 };
enum maille_code connections_tick(struct connections *connections, struct maille_error *error) MAILLE_CHECKED;

#endif
