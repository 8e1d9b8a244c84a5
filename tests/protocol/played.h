/* A network played by hand around a real coordinator: real sockets, store and log; sites whose vectors are
 * random bytes (it cannot tell), a researcher who starts rounds. Everything runs in one thread: the
 * coordinator moves when play_turn is called. */
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

enum { SITES = 3, VECTOR = SEGMENT_BYTES * 20 + 320, SOON_MS = 3000 };

struct party {
    struct secret_keys *keys;
    struct wire_client *client;
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
    size_t held_max;
    char endpoint[256];
    int64_t now; /* the clock that ticks see */
    uint8_t qid[QID_BYTES];
    struct bytes manifest;
    struct digest psi;
    uint64_t length;
    enum result_to result_to; /* of the rounds that are started */
};

#define DECODE(X, party, into)                                                                               \
    assert_int_equal(message_##X##_decode((into), world->arena, (party)->envelope.body,                      \
                                          (party)->envelope.body_length, NULL),                              \
                     MAILLE_OK)

/* As serve.c opens it. */
void play_start(struct world *world);
void play_stop(struct world *world);
/* One turn of serve.c's loop. */
void play_turn(struct world *world);
void play_tick(struct world *world, int64_t later_ms);
void play_dial(struct world *world, struct party *party);
void play_say_as(struct world *world, struct party *party, const struct secret_keys *signer,
                 enum message_kind kind, struct bytes *body, const void *frame, size_t frame_length);
void play_say(struct world *world, struct party *party, enum message_kind kind, struct bytes *body);
/* Waits until the party hears a message of a kind; others are passed over. False when it does not come. */
bool play_heard(struct world *world, struct party *party, enum message_kind kind, int timeout_ms);
void play_hear(struct world *world, struct party *party, enum message_kind kind);
/* Lets what was said be handled. */
void play_settle(struct world *world);
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
