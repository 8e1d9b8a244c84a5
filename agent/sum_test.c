/* The sum as the agent fetches it, from a coordinator that loses and withholds segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/private.h"

enum { SITES = 3, SEGMENTS = 10, LENGTH = SEGMENTS * SEGMENT_BYTES };

struct world {
    struct arena *arena;
    struct secret_keys *board, *coordinator, *alice;
    const struct directory *directory;
    struct message_outbox outbox; /* what the agent asks for */
    struct agent *agent;
    uint8_t *vectors[SITES + 1]; /* [0] the sum */
    struct word_run run;
};

static void put_key(struct bytes *out, const char *before, const uint8_t *key)
{
    char hex[2 * PUBLIC_BYTES + 1];
    bytes_to_hex(hex, key, PUBLIC_BYTES);
    bytes_put(out, before, strlen(before));
    bytes_put(out, hex, strlen(hex));
}

static void make_directory(struct world *world)
{
    struct bytes text = {0};
    struct maille_error error = {0};
    static const char head[] = "network: toy\nversion: 1\nquorum: 1\nauthorities:\n  - { name: board";
    bytes_put(&text, head, sizeof head - 1);
    put_key(&text, ", identity: ", secret_keys_public(world->board)->identity);
    put_key(&text, " }\ncoordinator: { name: coordinator, endpoint: \"tcp://h:1\", identity: ",
            secret_keys_public(world->coordinator)->identity);
    put_key(&text, ", transport: ", secret_keys_public(world->coordinator)->transport);
    put_key(&text,
            " }\nresearchers:\n  - { name: alice, identity: ", secret_keys_public(world->alice)->identity);
    put_key(&text, ", transport: ", secret_keys_public(world->alice)->transport);
    bytes_put(&text, " }\n", 3);
    assert_int_equal(directory_sign(&text, text.length, world->board, NULL), MAILLE_OK);
    if (directory_accept(&world->directory, world->arena, "network.yaml", (const char *)text.data,
                         text.length, NULL, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    bytes_clear(&text);
}

/* An agent in a round that is closed, with three masked vectors of ten segments. */
static int up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_int_equal(crypto_start(NULL), MAILLE_OK);
    world->arena = arena_new();
    assert_int_equal(secret_keys_new(&world->board, KEY_AUTHORITY, "board", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->coordinator, KEY_COORDINATOR, "coordinator", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->alice, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    make_directory(world);
    world->run = (struct word_run){.bytes = LENGTH, .width = 16};
    struct agent *agent = calloc(1, sizeof *agent);
    agent->options = (struct agent_options){.directory = world->directory, .keys = world->alice};
    agent->arena = arena_new();
    agent->stage = STAGE_ROUND;
    agent->journal = -1;
    agent->qid[0] = 7;
    agent->at = (struct agent_round){
        .round = 1, .attempt = 1, .n_members = SITES, .shape = {.n_runs = 1}, .closed = true};
    agent->at.psi.b[0] = 9;
    agent->at.shape.length = LENGTH;
    agent->at.shape.runs = calloc(1, sizeof *agent->at.shape.runs);
    agent->at.shape.runs[0] = world->run;
    agent->at.masked = calloc(SITES, sizeof *agent->at.masked);
    world->vectors[0] = calloc(1, LENGTH);
    for (size_t i = 0; i < SITES; i++) {
        uint8_t *vector = malloc(LENGTH);
        crypto_random_bytes(vector, LENGTH);
        share_add(world->vectors[0], vector, 0, LENGTH, &world->run, 1);
        world->vectors[i + 1] = vector;
        agent->at.members[i] = (uint32_t)i + 1;
        hash_vector(&agent->at.masked[i].share.vector, vector, LENGTH);
    }
    world->agent = agent;
    *state = world;
    return 0;
}

static int down(void **state)
{
    struct world *world = *state;
    agent_free(world->agent);
    message_outbox_clear(&world->outbox);
    secret_keys_free(world->board);
    secret_keys_free(world->coordinator);
    secret_keys_free(world->alice);
    for (size_t i = 0; i <= SITES; i++)
        free(world->vectors[i]);
    arena_free(world->arena);
    free(world);
    return 0;
}

/* A message of the coordinator's to the agent. body is cleared. */
static enum maille_code say(struct world *world, enum message_kind kind, struct bytes *body,
                            const void *frame, size_t frame_length, struct maille_error *error)
{
    struct bytes envelope = {0};
    assert_int_equal(envelope_encode(&envelope, kind, world->coordinator, "coordinator", body, NULL),
                     MAILLE_OK);
    enum maille_code code = agent_handle(world->agent, envelope.data, envelope.length, frame, frame_length,
                                         &world->outbox, error);
    bytes_clear(&envelope);
    bytes_clear(body);
    return code;
}

static enum maille_code say_sum(struct world *world, bool held, struct maille_error *error)
{
    struct bytes body = {0};
    struct message_sum sum = {.psi = world->agent->at.psi, .length = LENGTH, .vectors_held = held};
    memcpy(sum.qid, world->agent->qid, QID_BYTES);
    hash_vector(&sum.sum_hash, world->vectors[0], LENGTH);
    assert_int_equal(message_sum_encode(&body, &sum, NULL), MAILLE_OK);
    return say(world, MESSAGE_SUM, &body, NULL, 0, error);
}

/* One piece to the agent. */
static enum maille_code say_segment(struct world *world, uint32_t source, enum pull_what what, uint64_t index,
                                    const void *data, size_t length, struct maille_error *error)
{
    struct bytes body = {0};
    struct message_segment segment = {
        .psi = world->agent->at.psi, .source = source, .what = what, .index = index};
    memcpy(segment.qid, world->agent->qid, QID_BYTES);
    assert_int_equal(message_segment_encode(&body, &segment, NULL), MAILLE_OK);
    return say(world, MESSAGE_SEGMENT, &body, data, length, error);
}

/* The coordinator's answer to one pull; `loses`: that segment of that source never arrives (UINT64_MAX: all
 * arrive). */
static enum maille_code answer(struct world *world, const struct message_pull *pull, uint32_t source,
                               uint64_t loses, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct digest leaves[SEGMENTS];
    const uint8_t *vector = world->vectors[pull->source];
    assert_true(pull->source <= SITES && pull->first + pull->count <= SEGMENTS);
    for (uint64_t k = 0; k < SEGMENTS; k++)
        hash_segment_leaf(&leaves[k], k, vector + k * SEGMENT_BYTES, SEGMENT_BYTES);
    if (pull->what == PULL_LEAVES)
        return say_segment(world, pull->source, PULL_LEAVES, pull->first, leaves + pull->first,
                           pull->count * sizeof *leaves, error);
    for (uint64_t k = pull->first; k < pull->first + pull->count && code == MAILLE_OK; k++)
        if (pull->source != source || k != loses)
            code = say_segment(world, pull->source, PULL_SEGMENTS, k, vector + k * SEGMENT_BYTES,
                               SEGMENT_BYTES, error);
    return code;
}

/* Answers pulls until the agent has all, or asks for nothing more. Returns the number of pulls. */
static size_t answer_all(struct world *world, uint32_t source, uint64_t loses, enum maille_code *code,
                         struct maille_error *error)
{
    size_t pulls = 0;
    *code = MAILLE_OK;
    while (*code == MAILLE_OK && pulls < world->outbox.n && !agent_sum_complete(world->agent)) {
        struct message in;
        const struct bytes *envelope = &world->outbox.messages[pulls++].envelope;
        assert_int_equal(message_open(&in, world->arena, envelope->data, envelope->length, NULL, 0, NULL),
                         MAILLE_OK);
        assert_int_equal(in.envelope.kind, MESSAGE_PULL);
        assert_int_equal(message_decode(&in, world->directory, FROM_RESEARCHER, NULL), MAILLE_OK);
        *code = answer(world, &in.body.pull, source, loses, error);
    }
    message_outbox_clear(&world->outbox);
    return pulls;
}

static void everything_arrives(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    enum maille_code code;
    assert_int_equal(say_sum(world, true, &error), MAILLE_OK);
    answer_all(world, 0, UINT64_MAX, &code, &error);
    assert_int_equal(code, MAILLE_OK);
    assert_true(agent_sum_complete(world->agent));
}

/* The first segment of a vector is lost, all others come: it is asked for again. */
static void a_lost_segment_is_asked_for_again(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    enum maille_code code;
    assert_int_equal(say_sum(world, true, &error), MAILLE_OK);
    answer_all(world, 2, 0, &code, &error);
    assert_int_equal(code, MAILLE_OK);
    assert_false(agent_sum_complete(world->agent));
    world->agent->outbox = &world->outbox;
    assert_int_equal(agent_pull(world->agent, true, &error), MAILLE_OK);
    answer_all(world, 0, UINT64_MAX, &code, &error);
    assert_int_equal(code, MAILLE_OK);
    assert_true(agent_sum_complete(world->agent));
}

/* A coordinator that says it holds no vectors does not get away with a sample where all of them are short;
 * and leaves are asked for once. */
static void short_vectors_are_never_sampled(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    enum maille_code code;
    assert_int_equal(say_sum(world, false, &error), MAILLE_OK);
    for (size_t v = 1; v <= SITES; v++)
        assert_int_equal(world->agent->at.vectors[v].n_wanted, SEGMENTS);
    size_t pulls = answer_all(world, 0, UINT64_MAX, &code, &error);
    assert_int_equal(code, MAILLE_OK);
    assert_true(agent_sum_complete(world->agent));
    assert_true(pulls <= 4 * (SITES + 1));
}

/* The coordinator signed a sum that is not the sum. */
static void another_sum_names_the_coordinator(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    enum maille_code code;
    world->vectors[0][LENGTH - 1] ^= 1;
    assert_int_equal(say_sum(world, true, &error), MAILLE_OK);
    answer_all(world, 0, UINT64_MAX, &code, &error);
    assert_int_equal(code, MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "coordinator"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_arrives),
        TEST(a_lost_segment_is_asked_for_again),
        TEST(short_vectors_are_never_sampled),
        TEST(another_sum_names_the_coordinator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
