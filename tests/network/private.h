/* The insides of a play, shared by network.c (the parties) and carry.c (time and the wire). */
#ifndef TESTS_NETWORK_PRIVATE_H
#define TESTS_NETWORK_PRIVATE_H

#include "tests/network/network.h"
#include "worker/data.h"

enum { FOLDER_BYTES = 512, PLAY_SNAPSHOTS_MAX = 4 };

/* A site's snapshots. They stand beside its disk: `data` alone reads them, and they do not change. */
struct registry {
    char folder[FOLDER_BYTES + 16];
    struct data *data;
    struct columns *tables[PLAY_SNAPSHOTS_MAX];
    uint32_t snapshots; /* the newest is tables[snapshots - 1] */
};

/* registry.c. Writes the next snapshot of what is taken over; of the plays' dice the salt. */
void registry_import(struct registry *registry, struct columns *table, bool is_public);
struct columns *registry_table(const struct registry *registry); /* the newest */
void registry_clear(struct registry *registry);

struct play_registries {
    char folder[FOLDER_BYTES / 2];
    size_t n;
    struct registry registry[PLAY_SITES_MAX];
};

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
    bool broke;       /* its disk failed, and its program ends */
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
    struct registry own;             /* unused where the registries are the options' */
    const struct registry *registry; /* of a site */
    struct data_source source;       /* what the vault is given of it */
    int64_t hello_ms;
    bool greeted; /* the coordinator has answered this life of the site */
};

struct play {
    struct play_options options;
    struct arena *arena, *asked; /* asked: of the study */
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

/* network.c. Once, before anything is drawn: libsodium draws of the plays' dice. */
void play_start(void);
void play_folder_new(char *folder, size_t size);
/* What a party does. Each runs with the party's own clock and dice, and may crash. */
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
