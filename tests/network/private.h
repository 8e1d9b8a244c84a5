/* The insides of a play, shared by network.c (the parties) and carry.c (time and the wire). */
#ifndef TESTS_NETWORK_PRIVATE_H
#define TESTS_NETWORK_PRIVATE_H

#include "tests/network/network.h"
#include "worker/data.h"

enum { FOLDER_BYTES = 512, PLAY_SNAPSHOTS_MAX = 4 };

struct party {
    struct play *play;
    size_t number;
    const char *name;
    enum key_role role;
    struct secret_keys *keys;
    char folder[FOLDER_BYTES], image[FOLDER_BYTES];
    struct seeded dice;
    int64_t skew_ms,
        wake_ms;      /* wake_ms: when it is to do something of itself, or, while it is down, to start */
    bool up, crashed; /* crashed: its image is taken, and it does not know yet */
    unsigned points, restarts;
    /* its connection with the coordinator, and what it said and was told over it */
    uint64_t connection;
    bool known;
    int64_t said_until_ms, told_until_ms;
    struct digest said, told;
    size_t count[MESSAGE_KINDS];
    /* one of them */
    struct agent *agent;
    struct coordinator coordinator;
    struct vault *vault;
    struct data *data;
    struct data_source source; /* what the vault is given of it */
    struct columns *table, *past[PLAY_SNAPSHOTS_MAX];
    uint32_t snapshots; /* the newest */
    int64_t hello_ms;
    bool greeted; /* the coordinator has answered this life of the site */
};

struct play {
    struct play_options options;
    struct arena *arena;
    char folder[FOLDER_BYTES / 2];
    struct secret_keys *board, *officer; /* officer: of every site; approves all that waits */
    struct bytes network;
    const struct directory *directory;
    const struct dictionary *dictionary;
    const struct study *study;
    size_t n; /* parties */
    struct party parties[PLAY_PARTIES];
    struct seeded dice; /* of the wire */
    int64_t now_ms;
    uint64_t order, connections;
    struct flight *flights;
    size_t n_flights, flights_room;
    char id[2 * QID_BYTES + 1]; /* of the query, once it was asked */
    bool coordinator_spoke;     /* it has something to settle */
    enum maille_code ended;     /* of the agent */
    struct maille_error error;
};

/* network.c: what a party does. Each runs with the party's own clock and dice, and may crash. */
void party_start(struct party *party);
void party_wake(struct party *party);
void party_hear(struct party *party, const struct flight *flight);
void party_settle(struct party *party); /* the coordinator, after a batch */

/* carry.c */
void carry_outbox(struct party *from, struct message_outbox *outbox); /* to the coordinator; cleared */
/* The coordinator's send. context: its party. */
enum maille_code carry_outgoing(void *context, const struct outgoing *out, bool *sent,
                                struct maille_error *error);
void carry_connect(struct party *party); /* anew */

#endif
