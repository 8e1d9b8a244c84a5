/* A network played by hand around a real coordinator with its store and log: sites whose vectors are random
 * bytes (it cannot tell), a researcher who starts rounds. Everything runs in one thread, without sockets and
 * without waiting: the coordinator moves when play_turn is called, and time when play_tick is. */
#ifndef TESTS_PROTOCOL_PLAYED_H
#define TESTS_PROTOCOL_PLAYED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "coordinator/coordinator.h"
#include "proto/outbox.h"

/* tests/load has programs of more sites, or of other vectors. */
#ifndef PLAYED_SITES
#define PLAYED_SITES 3
#endif
#ifndef PLAYED_VECTOR
#define PLAYED_VECTOR (SEGMENT_BYTES * 20 + 320)
#endif
enum { SITES = PLAYED_SITES, QUEUE_MAX = 256 + 8 * SITES, VECTOR = PLAYED_VECTOR };

struct party {
    struct secret_keys *keys;
    enum key_role role;
    uint64_t address;            /* of its connection; 0: it has none */
    bool known;                  /* the coordinator heard it by this connection */
    struct message_outbox inbox; /* what came; heard: how many of them it has looked at */
    size_t heard;
    struct wire_message last;
    struct envelope envelope; /* of `last`, in arena */
    uint8_t *vector;
};

struct world {
    char folder[512];
    struct arena *arena;
    struct secret_keys *authority, *keys;
    struct party alice, sites[SITES];
    struct coordinator coordinator;
    struct quotas quotas; /* of the coordinator; zeros: as it has them */
    size_t held_max;
    struct { /* what was said and not handled yet */
        struct wire_message messages[QUEUE_MAX];
        size_t n;
    } queue;
    uint64_t addresses;
    int64_t now; /* monotonic; play_utc_ms in UTC */
    uint8_t qid[QID_BYTES];
    struct bytes manifest;
    uint64_t seen;            /* of the coordinator's log, as the accepts of sites say */
    struct message_head head; /* of the sites' logs, as they show it; size 0: of 5 entries */
    struct digest psi;
    uint64_t length;
    enum result_to result_to; /* of the rounds that are started */
};

#define DECODE(X, party, into)                                                                               \
    assert_int_equal(message_##X##_decode((into), world->arena, (party)->envelope.body,                      \
                                          (party)->envelope.body_length, NULL),                              \
                     MAILLE_OK)

/* network.yaml with the keys that everybody has now. */
void play_write_directory(struct world *world, unsigned version);
void play_start(struct world *world);
void play_stop(struct world *world);
/* Everything that was said is handled and answered. */
void play_turn(struct world *world);
void play_tick(struct world *world, int64_t later_ms);
int64_t play_utc_ms(void *world);
/* A new connection in the place of the one before. */
void play_dial(struct world *world, struct party *party);
void play_hang_up(struct party *party);
/* Bytes as they are. frame NULL: none. */
void play_say_bytes(struct world *world, struct party *party, const void *envelope, size_t length,
                    const void *frame, size_t frame_length);
/* The next message that came, if there is one: in party->last and envelope. */
bool play_next(struct world *world, struct party *party);
void play_say_as(struct world *world, struct party *party, const struct secret_keys *signer,
                 enum message_kind kind, struct bytes *body, const void *frame, size_t frame_length);
void play_say(struct world *world, struct party *party, enum message_kind kind, struct bytes *body);
/* The next message of a kind that the party hears; others are passed over. False when none came. */
bool play_heard(struct world *world, struct party *party, enum message_kind kind);
void play_hear(struct world *world, struct party *party, enum message_kind kind);
void play_say_hello(struct world *world, struct party *party);
struct message_manifest play_manifest_of(struct world *world);
void play_ask(struct world *world);
void play_say_ready(struct world *world, size_t i, enum ready_state state);
void play_say_call(struct world *world);
void play_say_accept(struct world *world, size_t i);
/* Manifest … roster. */
void play_up_to_roster(struct world *world);
struct digest play_rho_of(struct world *world);
void play_say_start(struct world *world, uint32_t round, uint32_t attempt, const struct digest *previous,
                    size_t n_members);
void play_say_masked(struct world *world, size_t i);
/* Answers pulls until `count` segments were sent. heard: the first pull is the message that was heard last.
 */
void play_answer_from(struct world *world, size_t i, uint64_t count, bool heard);
void play_answer_pulls(struct world *world, size_t i, uint64_t count);
void play_say_reveal(struct world *world, size_t i);
void play_all_reveal(struct world *world);
/* The agent's part: pulls a vector (0: the sum) and compares. */
void play_pull_and_compare(struct world *world, uint32_t source, const uint8_t *expected);
uint8_t *play_expected_sum(const struct world *world);
enum query_phase play_phase_of(const struct world *world);
int play_world_up(void **state);
int play_world_down(void **state);

#endif
