/* Every message there and back, cut at every byte, with bits flipped, with a field that nobody knows, and too
 * long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/directory.h"
#include "proto/open.h"

/* --- one sample of each message --- */

static const uint8_t thing[200] = {7, 1, 2, 3};
static const uint32_t some_sites[] = {1, 4, 9};
static const struct digest some_digest = {{9, 8, 7}};

static struct byte_view view(size_t length)
{
    return (struct byte_view){.data = thing, .length = length};
}

static const struct digest path[] = {{{1}}, {{2}}};
static const struct audit_proof proofs[] = {{3, 2, path}, {12, 0, path}};
#define SOME_HEAD                                                                                            \
    {                                                                                                        \
        .size = 12, .root = {{1}}, .seen = 5, .n_proofs = 2, .proofs = proofs                                \
    }

#define ENCODE(X, ...)                                                                                       \
    static void X##_sample(struct bytes *out)                                                                \
    {                                                                                                        \
        const struct message_##X message = {__VA_ARGS__};                                                    \
        assert_int_equal(message_##X##_encode(out, &message, NULL), MAILLE_OK);                              \
    }                                                                                                        \
    static enum maille_code X##_again(struct bytes *out, const void *body, size_t length,                    \
                                      struct maille_error *error)                                            \
    {                                                                                                        \
        struct arena *arena = arena_new();                                                                   \
        struct message_##X message;                                                                          \
        enum maille_code code = message_##X##_decode(&message, arena, body, length, error);                  \
        if (code == MAILLE_OK)                                                                               \
            code = message_##X##_encode(out, &message, error);                                               \
        arena_free(arena);                                                                                   \
        return code;                                                                                         \
    }

static const struct byte_view two_views[] = {{thing, 100}, {thing, 1}};
static const struct message_method methods[] = {{"km", 1}, {"cox", 2}};
static const struct message_finding findings[] = {{0, "min_patients"}, {7, "variables.deny"}};
static const uint8_t some_bits[] = {0x05, 0x80};
static const struct message_ledger_entry ledger[] = {
    {.id = {1}, .shown = {some_bits, 1}, .roster = {some_bits, 2}},
    {.id = {2}, .shown = {some_bits, 2}, .roster = {some_bits, 1}, .families = {thing, 40}, .moved = true}};
static const struct message_stored stored[] = {{{7}, 0, {1}, false, 1795000000000},
                                               {{8}, 4, {2}, true, 1795000000001}};
static const struct message_sealed_key keys[] = {{1, {thing, 80}}, {4, {thing, 80}}};
static const struct word_run runs[] = {{16, 8}, {32, 16}, {8, 8}};
static const struct message_wire_site other_wires[] = {{4, 1}};
static const struct message_listed listed[] = {{{5}, "rotterdam-first-look", PHASE_ROUND, 3, 1795000000000}};

ENCODE(hello, .name = "alpha", .build = "0.1.0 (gcc 12)", .directory_version = 3, .wire = 2)
ENCODE(welcome, .directory_version = 3, .directory_hash = some_digest, .utc_ms = 1795000000000,
       .log_seen = 12, .wire = 2)
ENCODE(directory, .text = view(200))
ENCODE(catalogue, .site = "alpha", .snapshot = 7, .snapshot_hash = some_digest, .dictionary = "rotterdam",
       .dictionary_version = 1, .dictionary_hash = some_digest, .dictionary_text = view(50),
       .patients_band = "500–999", .policy = "strict")
ENCODE(catalogues, .n = 2, .envelopes = two_views)
ENCODE(manifest, .protocol = PROTOCOL_VERSION, .qid = {1, 2}, .researcher = "alice", .rk = {3},
       .study = view(60), .n_methods = 2, .methods = methods, .n_sites = 3, .sites = some_sites,
       .bytes_max = 1 << 28, .rounds_max = 64, .n_min = 3, .directory_version = 2,
       .directory_hash = some_digest, .dictionary_hash = some_digest, .created_ms = 1795000000000,
       .expires_ms = 1795600000000, .mode = MODE_CIRCLE)
ENCODE(ready, .qid = {1}, .site = 4, .state = READY_READY, .rule = "", .n_findings = 2, .findings = findings)
ENCODE(call, .qid = {1}, .n_sites = 3, .sites = some_sites)
ENCODE(accept, .qid = {1}, .manifest_hash = some_digest, .site = 9, .ek = {4}, .snapshot = 1,
       .snapshot_hash = some_digest, .floor = view(30), .own_totals = 1, .arithmetic = 2, .n_ledger = 2,
       .ledger = ledger, .head = SOME_HEAD, .n_stored = 2, .stored = stored)
ENCODE(roster, .qid = {1}, .n = 2, .accepts = two_views, .head = SOME_HEAD)
ENCODE(round_header, .rho = some_digest, .round = 2, .attempt = 1, .n_members = 3, .members = some_sites,
       .n_analyses = 3, .analyses = (const uint32_t[]){0, 1, 255}, .theta_hash = some_digest, .length = 56)
ENCODE(start, .qid = {1}, .header = view(150), .n_keys = 2, .keys = keys, .n_runs = 3, .runs = runs)
ENCODE(refuse, .qid = {1}, .psi = some_digest, .site = 4, .n_findings = 2, .findings = findings)
ENCODE(masked, .qid = {1}, .psi = some_digest, .site = 4,
       .share = {.vector = some_digest,
                 .length = 56,
                 .commit = some_digest,
                 .n_tags = 2,
                 .tags = {{1, {5}}, {9, {6}}}},
       .head = SOME_HEAD)
ENCODE(pull, .qid = {1}, .psi = some_digest, .source = 4, .what = PULL_SEGMENTS, .first = 100, .count = 16)
ENCODE(segment, .qid = {1}, .psi = some_digest, .source = 4, .what = PULL_LEAVES, .index = 100)
ENCODE(close, .qid = {1}, .psi = some_digest, .n = 2, .masked = two_views, .head = {.size = 3, .root = {{1}}})
ENCODE(reveal, .qid = {1}, .psi = some_digest, .site = 4, .sealed = view(80), .close_hash = some_digest)
ENCODE(sum, .qid = {1}, .psi = some_digest, .sum_hash = some_digest, .length = 56, .vectors_held = true)
ENCODE(custody, .qid = {1}, .psi = some_digest, .n = 2, .reveals = two_views)
ENCODE(taken, .qid = {1}, .psi = some_digest, .site = 4, .tag = some_digest)
ENCODE(agreed, .qid = {1}, .psi = some_digest, .n = 2, .taken = two_views)
ENCODE(result, .qid = {1}, .psi = some_digest, .site = 4, .hash = some_digest)
ENCODE(end, .qid = {1})
ENCODE(cancel, .qid = {1}, .rule = "round_idle")
ENCODE(log_head, .qid = {1}, .head = SOME_HEAD)
ENCODE(status, .qid = {1}, .phase = PHASE_ROUND, .round = 2, .attempt = 1, .bytes = 12345, .n_waiting = 3,
       .waiting = some_sites, .n_connected = 2, .connected = some_sites, .n_other = 1, .other = other_wires)
ENCODE(list, .n = 1, .queries = listed)
ENCODE(resume, .qid = {1})
ENCODE(problem, .qid = {1}, .code = MAILLE_PROTOCOL, .rule = "vector")

#define ROW(X)                                                                                               \
    {                                                                                                        \
#X, X##_sample, X##_again                                                                            \
    }
static const struct {
    const char *name;
    void (*sample)(struct bytes *out);
    enum maille_code (*again)(struct bytes *out, const void *body, size_t length, struct maille_error *error);
} messages[] = {
    ROW(hello),  ROW(welcome),  ROW(directory), ROW(catalogue), ROW(catalogues),   ROW(manifest),
    ROW(ready),  ROW(call),     ROW(accept),    ROW(roster),    ROW(round_header), ROW(start),
    ROW(refuse), ROW(masked),   ROW(pull),      ROW(segment),   ROW(close),        ROW(reveal),
    ROW(sum),    ROW(end),      ROW(custody),   ROW(taken),     ROW(agreed),       ROW(result),
    ROW(cancel), ROW(log_head), ROW(status),    ROW(list),      ROW(resume),       ROW(problem),
};
enum { MESSAGES = sizeof messages / sizeof *messages };

/* A copy of exactly length bytes, so that AddressSanitizer sees a read past the end. */
static uint8_t *exactly(const void *data, size_t length)
{
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, data, length);
    return copy;
}

static void each_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    for (size_t m = 0; m < MESSAGES; m++) {
        struct bytes body = {0}, again = {0};
        struct maille_error error = {0};
        messages[m].sample(&body);
        if (messages[m].again(&again, body.data, body.length, &error) != MAILLE_OK)
            fail_msg("%s: %s", messages[m].name, error.sentence);
        assert_int_equal(again.length, body.length);
        assert_memory_equal(again.data, body.data, body.length);
        bytes_clear(&again);
        bytes_clear(&body);
    }
}

static void fields_arrive(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct bytes body = {0};
    struct message_masked masked;
    masked_sample(&body);
    assert_int_equal(message_masked_decode(&masked, arena, body.data, body.length, NULL), MAILLE_OK);
    assert_int_equal(masked.site, 4);
    assert_int_equal(masked.share.length, 56);
    assert_int_equal(masked.share.n_tags, 2);
    assert_int_equal(masked.share.tags[1].site, 9);
    assert_int_equal(masked.share.tags[1].tag[0], 6);
    assert_int_equal(masked.head.size, 12);
    assert_int_equal(masked.head.seen, 5);
    assert_int_equal(masked.head.n_proofs, 2);
    assert_int_equal(masked.head.proofs[0].old, 3);
    assert_int_equal(masked.head.proofs[0].n, 2);
    assert_int_equal(masked.head.proofs[0].path[1].b[0], 2);
    bytes_clear(&body);
    struct message_manifest manifest;
    manifest_sample(&body);
    assert_int_equal(message_manifest_decode(&manifest, arena, body.data, body.length, NULL), MAILLE_OK);
    assert_string_equal(manifest.researcher, "alice");
    assert_string_equal(manifest.methods[1].name, "cox");
    assert_int_equal(manifest.sites[2], 9);
    assert_int_equal(manifest.study.length, 60);
    assert_int_equal(manifest.created_ms, 1795000000000);
    bytes_clear(&body);
    arena_free(arena);
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t m = 0; m < MESSAGES; m++) {
        struct bytes body = {0};
        messages[m].sample(&body);
        for (size_t length = 0; length < body.length; length++) {
            struct bytes again = {0};
            uint8_t *cut = exactly(body.data, length);
            /* A cut between two optional fields is a shorter message; it must never be the whole one. */
            if (messages[m].again(&again, cut, length, NULL) == MAILLE_OK)
                assert_true(again.length < body.length);
            bytes_clear(&again);
            free(cut);
        }
        bytes_clear(&body);
    }
}

/* protobuf reads one message out of several strings of bytes: of two after one another the last value of a
 * field, of a number also with zeros before it. None but the one that an encoder writes is taken. */
static void one_message_has_one_form(void **state)
{
    (void)state;
    static const uint8_t padded[] = {0x18, 0x83, 0x00}; /* hello.directory_version = 3, in two bytes */
    struct bytes hello = {0}, again = {0};
    for (size_t m = 0; m < MESSAGES; m++) {
        struct bytes body = {0}, twice = {0};
        messages[m].sample(&body);
        bytes_put(&twice, body.data, body.length);
        bytes_put(&twice, body.data, body.length);
        again.length = 0;
        /* A list of nothing else is a longer list. */
        if (messages[m].again(&again, twice.data, twice.length, NULL) == MAILLE_OK) {
            assert_true(strcmp(messages[m].name, "catalogues") == 0 || strcmp(messages[m].name, "list") == 0);
            assert_int_equal(again.length, twice.length);
            assert_memory_equal(again.data, twice.data, twice.length);
        }
        bytes_clear(&twice);
        bytes_clear(&body);
    }
    hello_sample(&hello);
    assert_int_equal(hello_again(&again, hello.data, hello.length, NULL), MAILLE_OK);
    assert_int_equal(hello.data[hello.length - 2], 0x18);
    hello.length -= 2;
    bytes_put(&hello, padded, sizeof padded);
    again.length = 0;
    assert_int_equal(hello_again(&again, hello.data, hello.length, NULL), MAILLE_PROTOCOL);
    bytes_clear(&hello);
    bytes_clear(&again);
}

static void wire_versions(void **state)
{
    (void)state;
    static const struct {
        const char *build;
        uint32_t wire;
    } rows[] = {{"0.1.0", 1},     {"0.1.0 wire", 1}, {"x wire 1", 1},    {"x wire 0", 1},
                {"x wire 2x", 1}, {"x wire 3", 3},   {"x wire 99999", 1}};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes body = {0};
        struct message_hello hello = {.name = "alpha", .build = rows[i].build, .wire = 1}; /* as it stands */
        assert_int_equal(message_hello_encode(&body, &hello, NULL), MAILLE_OK);
        assert_int_equal(message_hello_decode(&hello, arena, body.data, body.length, NULL), MAILLE_OK);
        assert_int_equal(hello.wire, rows[i].wire);
        bytes_clear(&body);
    }
    arena_free(arena);
}

static void flipped_bits(void **state)
{
    (void)state;
    srand(7);
    for (size_t m = 0; m < MESSAGES; m++) {
        struct bytes body = {0};
        messages[m].sample(&body);
        for (int k = 0; k < 2000; k++) {
            struct bytes again = {0};
            struct maille_error error = {0};
            uint8_t *bad = exactly(body.data, body.length);
            for (int flips = 1 + rand() % 3; flips > 0; flips--)
                bad[(size_t)rand() % body.length] ^= (uint8_t)(1 << rand() % 8);
            enum maille_code code = messages[m].again(&again, bad, body.length, &error);
            assert_true(code == MAILLE_OK || code == MAILLE_PROTOCOL);
            assert_true(code == MAILLE_OK || error.sentence[0] != '\0');
            bytes_clear(&again);
            free(bad);
        }
        bytes_clear(&body);
    }
}

static void an_unknown_field_is_refused(void **state)
{
    (void)state;
    static const uint8_t field_100[] = {0xa0, 0x06, 0x01}; /* tag 100, varint 1 */
    for (size_t m = 0; m < MESSAGES; m++) {
        struct bytes body = {0}, again = {0};
        struct maille_error error = {0};
        messages[m].sample(&body);
        bytes_put(&body, field_100, sizeof field_100);
        assert_int_equal(messages[m].again(&again, body.data, body.length, &error), MAILLE_PROTOCOL);
        assert_non_null(strstr(error.sentence, "unknown"));
        bytes_clear(&body);
    }
    /* Inside a submessage: a ready of one site with a finding that has a field too many. */
    static const uint8_t finding[] = {0x2a, 0x07, 0x08, 0x01, 0x12, 0x01, 'x', 0x18, 0x01};
    struct bytes body = {0}, again = {0};
    ready_sample(&body);
    bytes_put(&body, finding, sizeof finding);
    struct maille_error error = {0};
    assert_int_equal(ready_again(&again, body.data, body.length, &error), MAILLE_PROTOCOL);
    assert_non_null(strstr(error.sentence, "unknown"));
    bytes_clear(&body);
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    (void)state;
    static const uint32_t descending[] = {4, 1}, twice[] = {4, 4}, zero[] = {0, 1};
    static uint32_t many[MESSAGE_SITES_MAX + 1];
    const uint32_t *const lists[] = {descending, twice, zero, many};
    const size_t lengths[] = {2, 2, 2, MESSAGE_SITES_MAX + 1};
    for (uint32_t i = 0; i <= MESSAGE_SITES_MAX; i++)
        many[i] = i + 1;
    for (size_t i = 0; i < 4; i++) {
        struct bytes body = {0}, again = {0};
        const struct message_call call = {.n_sites = lengths[i], .sites = lists[i]};
        assert_int_equal(message_call_encode(&body, &call, NULL), MAILLE_OK);
        assert_int_equal(call_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
        bytes_clear(&body);
    }
    static const char *const names[] = {
        "", "-alpha", "Alpha", "al pha", "alpha\n", "a/b", "a123456789012345678901234567890123456789x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct bytes body = {0}, again = {0};
        const struct message_hello hello = {.name = names[i], .build = "b"};
        assert_int_equal(message_hello_encode(&body, &hello, NULL), MAILLE_OK);
        assert_int_equal(hello_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
        bytes_clear(&body);
    }
    static const char *const texts[] = {"a\tb", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes body = {0}, again = {0};
        const struct message_hello hello = {.name = "alpha", .build = texts[i]};
        assert_int_equal(message_hello_encode(&body, &hello, NULL), MAILLE_OK);
        assert_int_equal(hello_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
        bytes_clear(&body);
    }
    /* After the greatest number none can come. */
    static const struct message_sealed_key last_and_first[] = {{UINT32_MAX, {thing, 80}}, {1, {thing, 80}}};
    struct bytes body_of_keys = {0}, no_keys = {0};
    const struct message_start wrapped = {.header = view(20), .n_keys = 2, .keys = last_and_first};
    assert_int_equal(message_start_encode(&body_of_keys, &wrapped, NULL), MAILLE_OK);
    assert_int_equal(start_again(&no_keys, body_of_keys.data, body_of_keys.length, NULL), MAILLE_PROTOCOL);
    bytes_clear(&body_of_keys);
    struct bytes body = {0}, again = {0};
    const struct message_pull greedy = {.source = 1, .count = 17};
    assert_int_equal(message_pull_encode(&body, &greedy, NULL), MAILLE_OK);
    assert_int_equal(pull_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
    bytes_clear(&body);
}

/* Runs are whole words, aligned, and cover the vector that the header names. */
static void runs_cover_the_vector(void **state)
{
    (void)state;
    static const struct {
        struct word_run runs[2];
        uint64_t length;
        bool good;
    } cases[] = {{{{16, 8}, {16, 16}}, 32, true}, {{{16, 8}, {16, 16}}, 40, false},
                 {{{12, 8}, {8, 8}}, 20, false},  {{{8, 8}, {16, 16}}, 24, false},
                 {{{8, 4}, {8, 8}}, 16, false},   {{{0, 8}, {8, 8}}, 8, false}};
    struct secret_keys *alice;
    assert_int_equal(crypto_start(NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&alice, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const uint32_t zero;
        struct arena *arena = arena_new();
        struct bytes header = {0}, body = {0}, envelope = {0};
        struct message in;
        const struct message_round_header round = {.round = 1,
                                                   .attempt = 1,
                                                   .n_members = 3,
                                                   .members = some_sites,
                                                   .n_analyses = 1,
                                                   .analyses = &zero,
                                                   .length = cases[i].length};
        assert_int_equal(message_round_header_encode(&header, &round, NULL), MAILLE_OK);
        const struct message_start start = {
            .header = {header.data, header.length}, .n_runs = 2, .runs = cases[i].runs};
        assert_int_equal(message_start_encode(&body, &start, NULL), MAILLE_OK);
        assert_int_equal(envelope_encode(&envelope, MESSAGE_START, alice, "alice", &body, NULL), MAILLE_OK);
        assert_int_equal(message_open(&in, arena, envelope.data, envelope.length, NULL, 0, NULL), MAILLE_OK);
        assert_int_equal(message_decode(&in, NULL, 0, NULL), cases[i].good ? MAILLE_OK : MAILLE_PROTOCOL);
        assert_true(!cases[i].good || in.round.length == cases[i].length);
        bytes_clear(&header);
        bytes_clear(&body);
        bytes_clear(&envelope);
        arena_free(arena);
    }
    secret_keys_free(alice);
}

/* A reveal opens a mask to the analyst or to the custodians, never to both and never to nobody. */
static void a_reveal_is_for_one_or_for_all(void **state)
{
    (void)state;
    struct bytes body = {0}, again = {0};
    struct message_reveal reveal = {.site = 4, .n_keys = 2, .keys = keys};
    assert_int_equal(message_reveal_encode(&body, &reveal, NULL), MAILLE_OK);
    assert_int_equal(reveal_again(&again, body.data, body.length, NULL), MAILLE_OK);
    assert_int_equal(again.length, body.length);
    assert_memory_equal(again.data, body.data, body.length);
    bytes_clear(&body);
    bytes_clear(&again);
    reveal.sealed = view(80);
    assert_int_equal(message_reveal_encode(&body, &reveal, NULL), MAILLE_OK);
    assert_int_equal(reveal_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
    bytes_clear(&body);
    reveal = (struct message_reveal){.site = 4};
    assert_int_equal(message_reveal_encode(&body, &reveal, NULL), MAILLE_OK);
    assert_int_equal(reveal_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
    bytes_clear(&body);
}

/* A peer that sends a great many empty submessages wants us to allocate: the cap stops it. */
static void amplification_is_stopped(void **state)
{
    (void)state;
    struct bytes body = {0}, again = {0};
    ready_sample(&body);
    while (body.length + 2 <= message_rule(MESSAGE_READY)->body_max)
        bytes_put(&body, (const uint8_t[]){0x2a, 0x00}, 2);
    assert_int_equal(ready_again(&again, body.data, body.length, NULL), MAILLE_PROTOCOL);
    bytes_clear(&body);
}

/* --- envelopes --- */

static void envelopes(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct secret_keys *alice = NULL, *mallory = NULL;
    struct bytes body = {0}, bytes = {0};
    struct envelope envelope;
    assert_int_equal(crypto_start(NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&alice, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&mallory, KEY_RESEARCHER, "mallory", NULL), MAILLE_OK);
    const uint8_t *identity = secret_keys_public(alice)->identity;
    call_sample(&body);
    assert_int_equal(envelope_encode(&bytes, MESSAGE_CALL, alice, "alice", &body, NULL), MAILLE_OK);
    assert_int_equal(envelope_decode(&envelope, arena, bytes.data, bytes.length, NULL), MAILLE_OK);
    assert_int_equal(envelope.kind, MESSAGE_CALL);
    assert_string_equal(envelope.from, "alice");
    assert_int_equal(envelope.body_length, body.length);
    assert_memory_equal(envelope.body, body.data, body.length);
    assert_true(envelope_verified(&envelope, identity));
    assert_false(envelope_verified(&envelope, secret_keys_public(mallory)->identity));
    /* The same signature over another kind is not a signature: the name of the kind is signed too. */
    envelope.kind = MESSAGE_END;
    assert_false(envelope_verified(&envelope, identity));

    for (size_t length = 0; length < bytes.length; length++) {
        uint8_t *cut = exactly(bytes.data, length);
        struct envelope other;
        assert_int_equal(envelope_decode(&other, arena, cut, length, NULL), MAILLE_PROTOCOL);
        free(cut);
    }
    size_t verified = 0;
    for (size_t i = 0; i < 8 * bytes.length; i++) {
        uint8_t *bad = exactly(bytes.data, bytes.length);
        struct envelope other;
        bad[i / 8] ^= (uint8_t)(1 << i % 8);
        if (envelope_decode(&other, arena, bad, bytes.length, NULL) == MAILLE_OK &&
            strcmp(other.from, "alice") == 0)
            verified += envelope_verified(&other, identity);
        free(bad);
    }
    assert_int_equal(verified, 0);

    /* A signature where there should be none, none where there should be one, an unknown kind, a body too
     * long. */
    struct bytes unsigned_bytes = {0}, end = {0};
    assert_int_equal(envelope_encode(&unsigned_bytes, MESSAGE_END, NULL, "alice", &end, NULL),
                     MAILLE_INTERNAL);
    resume_sample(&end);
    assert_int_equal(envelope_encode(&unsigned_bytes, MESSAGE_RESUME, NULL, "alice", &end, NULL), MAILLE_OK);
    assert_int_equal(unsigned_bytes.data[1], MESSAGE_RESUME);
    unsigned_bytes.data[1] = MESSAGE_END; /* the field kind: tag 08, then the number */
    assert_int_equal(envelope_decode(&envelope, arena, unsigned_bytes.data, unsigned_bytes.length, NULL),
                     MAILLE_PROTOCOL);
    unsigned_bytes.data[1] = 39;
    assert_int_equal(envelope_decode(&envelope, arena, unsigned_bytes.data, unsigned_bytes.length, NULL),
                     MAILLE_PROTOCOL);
    assert_int_equal(bytes.data[1], MESSAGE_CALL);
    bytes.data[1] = MESSAGE_RESUME;
    assert_int_equal(envelope_decode(&envelope, arena, bytes.data, bytes.length, NULL), MAILLE_PROTOCOL);
    struct bytes big = {0};
    bytes_reserve(&big, message_rule(MESSAGE_CALL)->body_max + 1);
    assert_int_equal(envelope_encode(&unsigned_bytes, MESSAGE_CALL, alice, "alice", &big, NULL),
                     MAILLE_INVALID);
    struct maille_error error = {0};
    assert_int_equal(call_again(&unsigned_bytes, big.data, big.length, &error), MAILLE_PROTOCOL);
    assert_non_null(strstr(error.sentence, "at most 8192 bytes"));

    bytes_clear(&big);
    bytes_clear(&end);
    bytes_clear(&unsigned_bytes);
    bytes_clear(&bytes);
    bytes_clear(&body);
    secret_keys_free(alice);
    secret_keys_free(mallory);
    arena_free(arena);
}

static void rules_are_sound(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < MESSAGE_KINDS; kind++) {
        const struct message_rule *rule = message_rule(kind);
        if (rule == NULL)
            continue;
        assert_int_equal(rule->kind, kind);
        assert_true(rule->body_max <= MESSAGE_BODY_MAX && rule->frame_max <= MESSAGE_FRAME_MAX);
    }
    assert_null(message_rule(0));
    assert_null(message_rule(MESSAGE_KINDS));
    assert_string_equal(message_rule(MESSAGE_MASKED)->name, "masked");
    assert_string_equal(query_phase_name(PHASE_EXPIRED), "expired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_cover_the_vector),
        cmocka_unit_test(each_comes_back_as_it_was_sent),
        cmocka_unit_test(fields_arrive),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(one_message_has_one_form),
        cmocka_unit_test(wire_versions),
        cmocka_unit_test(flipped_bits),
        cmocka_unit_test(an_unknown_field_is_refused),
        cmocka_unit_test(what_is_out_of_bounds_is_refused),
        cmocka_unit_test(a_reveal_is_for_one_or_for_all),
        cmocka_unit_test(amplification_is_stopped),
        cmocka_unit_test(envelopes),
        cmocka_unit_test(rules_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
