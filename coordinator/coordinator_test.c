/* The coordinator with real sockets, store and log, and the other parties played by hand: sites whose vectors are random bytes
 * (it cannot tell), a researcher who starts rounds. The honest run; what is lost and asked again; a restart in every phase; and
 * each message that must not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
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
    struct bytes manifest, accepts[SITES];
    struct digest psi;
    uint64_t length;
};

/* --- the network --- */

static const char *const names[SITES] = {"alpha", "beta", "gamma"};

static const char *hex(struct arena *arena, const uint8_t *key)
{
    char *text = arena_alloc(arena, 2 * PUBLIC_BYTES + 1);
    hex_encode(text, key, PUBLIC_BYTES);
    return text;
}

static void write_directory(struct world *world)
{
    const struct public_keys *own = secret_keys_public(world->keys), *alice = secret_keys_public(world->alice.keys);
    struct bytes text = {0};
    const char *head = arena_printf(world->arena,
                                    "network: toy\nversion: 1\nquorum: 1\nauthorities:\n  - { name: board, identity: %s }\n"
                                    "coordinator: { name: coordinator, endpoint: \"tcp://127.0.0.1:9700\", identity: %s, transport: %s }\n"
                                    "researchers:\n  - { name: alice, identity: %s, transport: %s }\n"
                                    "timeouts: { ready: 5s, accept: 5s, masked: 5s, reveal: 5s, lifetime: 7d, round_idle: 1h }\nsites:\n",
                                    hex(world->arena, secret_keys_public(world->authority)->identity),
                                    hex(world->arena, own->identity), hex(world->arena, own->transport),
                                    hex(world->arena, alice->identity), hex(world->arena, alice->transport));
    bytes_put(&text, head, strlen(head));
    for (size_t i = 0; i < SITES; i++) {
        const struct public_keys *site = secret_keys_public(world->sites[i].keys);
        const char *line = arena_printf(world->arena, "  - { id: %zu, name: %s, legal_entity: \"%s\", identity: %s, transport: %s }\n",
                                        i + 1, names[i], names[i], hex(world->arena, site->identity),
                                        hex(world->arena, site->transport));
        bytes_put(&text, line, strlen(line));
    }
    assert_int_equal(directory_sign(&text, text.length, world->authority, NULL), MAILLE_OK);
    assert_int_equal(file_write_atomic(arena_printf(world->arena, "%s/network.yaml", world->folder), text.data, text.length,
                                       0600, NULL),
                     MAILLE_OK);
    bytes_clear(&text);
}

/* As serve.c opens it. */
static void start(struct world *world)
{
    struct coordinator *c = &world->coordinator;
    struct maille_error error = {0};
    char note[MAILLE_SENTENCE_MAX];
    bool repaired;
    *c = (struct coordinator){.keys = world->keys, .held_max = world->held_max, .bytes_max = 1 << 28};
    if (audit_open(&c->log, arena_printf(world->arena, "%s/log", world->folder), "coordinator", &repaired, &error) != MAILLE_OK ||
        store_open(&c->store, arena_printf(world->arena, "%s/coordinator.db", world->folder), false, &error) != MAILLE_OK ||
        network_open(&c->network, arena_printf(world->arena, "%s/network.yaml", world->folder), c->store, world->keys, note,
                     &error) != MAILLE_OK ||
        coordinator_load(c, &error) != MAILLE_OK ||
        wire_server_open(&c->server, world->endpoint[0] == '\0' ? "tcp://127.0.0.1:*" : world->endpoint, world->keys,
                         network_admit, c->network, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    snprintf(world->endpoint, sizeof world->endpoint, "%s", wire_server_endpoint(c->server));
}

static void stop(struct world *world)
{
    struct coordinator *c = &world->coordinator;
    wire_server_free(c->server);
    coordinator_clear(c);
    network_free(c->network);
    store_close(c->store);
    audit_close(c->log);
}

/* One turn of serve.c's loop. */
static void turn(struct world *world)
{
    struct coordinator *c = &world->coordinator;
    struct wire_message message = {0};
    struct maille_error error = {0};
    bool got = true;
    while (got) {
        assert_int_equal(wire_server_receive(c->server, &message, 0, &got, NULL), MAILLE_OK);
        if (got && coordinator_handle(c, &message, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
    }
    wire_message_clear(&message);
    assert_int_equal(coordinator_tell_agents(c, world->now, NULL), MAILLE_OK);
    assert_int_equal(store_commit(c->store, NULL), MAILLE_OK);
    assert_int_equal(audit_sync(c->log, NULL), MAILLE_OK);
    assert_int_equal(outbox_flush(c, NULL), MAILLE_OK);
}

static void tick(struct world *world, int64_t later_ms)
{
    world->now += later_ms;
    assert_int_equal(coordinator_tick(&world->coordinator, world->now, NULL), MAILLE_OK);
    turn(world);
}

static void dial(struct world *world, struct party *party)
{
    assert_int_equal(wire_client_open(&party->client, world->endpoint, secret_keys_public(world->keys)->transport, party->keys,
                                      NULL),
                     MAILLE_OK);
}

/* --- saying and hearing --- */

static void say_as(struct world *world, struct party *party, const struct secret_keys *signer, enum message_kind kind,
                   struct bytes *body, const void *frame, size_t frame_length)
{
    (void)world;
    struct bytes envelope = {0};
    assert_int_equal(envelope_encode(&envelope, kind, signer, secret_keys_name(party->keys), body, NULL), MAILLE_OK);
    assert_int_equal(wire_client_send(party->client, envelope.data, envelope.length, frame, frame_length, NULL), MAILLE_OK);
    bytes_clear(&envelope);
    bytes_clear(body);
}

static void say(struct world *world, struct party *party, enum message_kind kind, struct bytes *body)
{
    say_as(world, party, party->keys, kind, body, NULL, 0);
}

/* Waits until the party hears a message of a kind; others are passed over. False when it does not come. */
static bool heard(struct world *world, struct party *party, enum message_kind kind, int timeout_ms)
{
    for (int64_t until = clock_monotonic_ms() + timeout_ms; clock_monotonic_ms() < until;) {
        bool got;
        turn(world);
        assert_int_equal(wire_client_receive(party->client, &party->last, 5, &got, NULL), MAILLE_OK);
        if (!got)
            continue;
        assert_int_equal(envelope_decode(&party->envelope, world->arena, party->last.envelope.data,
                                         party->last.envelope.length, NULL),
                         MAILLE_OK);
        if (party->envelope.kind == kind)
            return true;
    }
    return false;
}

static void hear(struct world *world, struct party *party, enum message_kind kind)
{
    if (!heard(world, party, kind, SOON_MS))
        fail_msg("%s does not hear %s", secret_keys_name(party->keys), message_rule((uint32_t)kind)->name);
}

/* Lets what was said be handled. */
static void settle(struct world *world)
{
    for (int i = 0; i < 20; i++) {
        turn(world);
        usleep(2000);
    }
}

#define DECODE(X, party, into)                                                                                   \
    assert_int_equal(message_##X##_decode((into), world->arena, (party)->envelope.body, (party)->envelope.body_length, NULL), MAILLE_OK)

/* --- the parts that the parties play --- */

static void say_hello(struct world *world, struct party *party)
{
    struct bytes body = {0};
    const struct message_hello hello = {.name = secret_keys_name(party->keys), .build = "test", .directory_version = 1};
    assert_int_equal(message_hello_encode(&body, &hello, NULL), MAILLE_OK);
    say(world, party, MESSAGE_HELLO, &body);
}

static struct message_manifest manifest_of(struct world *world)
{
    static const struct message_method methods[] = {{"km", 1}};
    static const uint32_t sites[SITES] = {1, 2, 3};
    static const char study[] = "study: first-look\n";
    const struct directory *directory = network_directory(world->coordinator.network);
    struct message_manifest manifest = {.protocol = PROTOCOL_VERSION, .researcher = "alice",
                                        .study = {(const uint8_t *)study, sizeof study - 1}, .n_methods = 1,
                                        .methods = methods, .n_sites = SITES, .sites = sites, .bytes_max = 1 << 28,
                                        .rounds_max = 64, .n_min = 3, .directory_version = 1,
                                        .directory_hash = directory->hash, .created_ms = clock_utc_ms(),
                                        .expires_ms = clock_utc_ms() + 86400000};
    memcpy(manifest.qid, world->qid, QID_BYTES);
    return manifest;
}

static void ask(struct world *world)
{
    struct bytes body = {0};
    const struct message_manifest manifest = manifest_of(world);
    assert_int_equal(message_manifest_encode(&body, &manifest, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_MANIFEST, &body);
}

static void say_ready(struct world *world, size_t i, enum ready_state state)
{
    struct bytes body = {0};
    struct message_ready ready = {.site = (uint32_t)i + 1, .state = state, .rule = state == READY_REFUSED ? "purposes" : ""};
    memcpy(ready.qid, world->qid, QID_BYTES);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    say(world, &world->sites[i], MESSAGE_READY, &body);
}

static void say_call(struct world *world)
{
    static const uint32_t sites[SITES] = {1, 2, 3};
    struct bytes body = {0};
    struct message_call call = {.n_sites = SITES, .sites = sites};
    memcpy(call.qid, world->qid, QID_BYTES);
    assert_int_equal(message_call_encode(&body, &call, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_CALL, &body);
}

static void say_accept(struct world *world, size_t i)
{
    struct bytes body = {0};
    struct message_accept accept = {.site = (uint32_t)i + 1, .head = {.size = 5}};
    memcpy(accept.qid, world->qid, QID_BYTES);
    kdf(&accept.manifest_hash, NULL, "manifest", world->manifest.data, world->manifest.length);
    assert_int_equal(message_accept_encode(&body, &accept, NULL), MAILLE_OK);
    say(world, &world->sites[i], MESSAGE_ACCEPT, &body);
}

/* Manifest … roster. */
static void up_to_roster(struct world *world)
{
    for (size_t i = 0; i < SITES; i++)
        say_hello(world, &world->sites[i]);
    for (size_t i = 0; i < SITES; i++)
        hear(world, &world->sites[i], MESSAGE_WELCOME);
    ask(world);
    for (size_t i = 0; i < SITES; i++) {
        hear(world, &world->sites[i], MESSAGE_MANIFEST);
        assert_int_equal(bytes_copy(&world->manifest, world->sites[i].last.envelope.data, world->sites[i].last.envelope.length),
                         MAILLE_OK);
        say_ready(world, i, READY_READY);
        hear(world, &world->alice, MESSAGE_READY);
    }
    say_call(world);
    for (size_t i = 0; i < SITES; i++) {
        hear(world, &world->sites[i], MESSAGE_CALL);
        say_accept(world, i);
    }
    hear(world, &world->alice, MESSAGE_ROSTER);
    for (size_t i = 0; i < SITES; i++)
        hear(world, &world->sites[i], MESSAGE_ROSTER);
}

static struct digest rho_of(struct world *world)
{
    struct query *query = coordinator_query(&world->coordinator, world->qid);
    return query->rho;
}

static void say_start(struct world *world, uint32_t round, uint32_t attempt, const struct digest *previous, size_t n_members)
{
    static const uint32_t members[SITES] = {1, 2, 3}, analyses[1] = {0};
    static const char theta[] = "nonce and sealed theta";
    struct bytes header_bytes = {0}, body = {0};
    struct message_round_header header = {.rho = rho_of(world), .round = round, .attempt = attempt, .n_members = n_members,
                                          .members = members, .n_analyses = 1, .analyses = analyses,
                                          .length = world->length};
    const struct word_run runs[] = {{world->length, 16}};
    if (previous != NULL)
        header.previous_hash = *previous;
    kdf(&header.theta_hash, NULL, "theta", theta, sizeof theta);
    assert_int_equal(message_round_header_encode(&header_bytes, &header, NULL), MAILLE_OK);
    kdf(&world->psi, NULL, "round", header_bytes.data, header_bytes.length);
    struct message_start message = {.header = {header_bytes.data, header_bytes.length}, .n_runs = world->length > 0, .runs = runs};
    memcpy(message.qid, world->qid, QID_BYTES);
    assert_int_equal(message_start_encode(&body, &message, NULL), MAILLE_OK);
    say_as(world, &world->alice, world->alice.keys, MESSAGE_START, &body, theta, sizeof theta);
    bytes_clear(&header_bytes);
}

static size_t part(const struct world *world, uint64_t index)
{
    const uint64_t left = world->length - index * SEGMENT_BYTES;
    return left < SEGMENT_BYTES ? (size_t)left : SEGMENT_BYTES;
}

static void say_masked(struct world *world, size_t i)
{
    struct bytes body = {0};
    struct message_masked masked = {.psi = world->psi, .site = (uint32_t)i + 1, .share = {.length = world->length}, .head = {.size = 6}};
    memcpy(masked.qid, world->qid, QID_BYTES);
    vector_hash(&masked.share.vector, world->sites[i].vector, world->length);
    assert_int_equal(message_masked_encode(&body, &masked, NULL), MAILLE_OK);
    say_as(world, &world->sites[i], world->sites[i].keys, MESSAGE_MASKED, &body,
           world->length == 0 ? NULL : world->sites[i].vector, world->length == 0 ? 0 : part(world, 0));
}

/* Answers pulls until `count` segments were sent. heard: the first pull is the message that was heard last. */
static void answer_from(struct world *world, size_t i, uint64_t count, bool heard)
{
    struct party *site = &world->sites[i];
    for (; count > 0; heard = false) {
        struct message_pull pull;
        if (!heard)
            hear(world, site, MESSAGE_PULL);
        DECODE(pull, site, &pull);
        assert_true(pull.count <= QUERY_CREDIT && pull.source == i + 1);
        for (uint64_t k = pull.first; k < pull.first + pull.count && count > 0; k++, count--) {
            struct bytes body = {0};
            struct message_segment segment = {.psi = pull.psi, .source = pull.source, .index = k};
            memcpy(segment.qid, pull.qid, QID_BYTES);
            assert_int_equal(message_segment_encode(&body, &segment, NULL), MAILLE_OK);
            say_as(world, site, NULL, MESSAGE_SEGMENT, &body, site->vector + k * SEGMENT_BYTES, part(world, k));
        }
    }
}

static void answer_pulls(struct world *world, size_t i, uint64_t count)
{
    answer_from(world, i, count, false);
}

static void say_reveal(struct world *world, size_t i)
{
    struct party *site = &world->sites[i];
    static const uint8_t sealed[80] = {1};
    struct bytes body = {0};
    struct message_reveal reveal = {.psi = world->psi, .site = (uint32_t)i + 1, .sealed = {sealed, sizeof sealed}};
    memcpy(reveal.qid, world->qid, QID_BYTES);
    kdf(&reveal.close_hash, NULL, "close", site->last.envelope.data, site->last.envelope.length);
    assert_int_equal(message_reveal_encode(&body, &reveal, NULL), MAILLE_OK);
    say(world, site, MESSAGE_REVEAL, &body);
}

static void all_reveal(struct world *world)
{
    for (size_t i = 0; i < SITES; i++) {
        hear(world, &world->sites[i], MESSAGE_CLOSE);
        say_reveal(world, i);
        hear(world, &world->alice, MESSAGE_REVEAL);
    }
}

/* The agent's part: pulls a vector (0: the sum) and compares. */
static void pull_and_compare(struct world *world, uint32_t source, const uint8_t *expected)
{
    const uint64_t segments = segment_count(world->length);
    for (uint64_t first = 0; first < segments; first += QUERY_CREDIT) {
        struct bytes body = {0};
        struct message_pull pull = {.psi = world->psi, .source = source, .first = first, .count = QUERY_CREDIT};
        memcpy(pull.qid, world->qid, QID_BYTES);
        assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
        say(world, &world->alice, MESSAGE_PULL, &body);
        for (uint64_t k = first; k < segments && k < first + QUERY_CREDIT; k++) {
            struct message_segment segment;
            hear(world, &world->alice, MESSAGE_SEGMENT);
            DECODE(segment, &world->alice, &segment);
            assert_true(segment.source == source && segment.index == k);
            assert_int_equal(world->alice.last.frame.length, part(world, k));
            assert_memory_equal(world->alice.last.frame.data, expected + k * SEGMENT_BYTES, part(world, k));
        }
    }
}

static uint8_t *expected_sum(const struct world *world)
{
    const struct word_run runs[] = {{world->length, 16}};
    uint8_t *sum = calloc(1, world->length + 1);
    for (size_t i = 0; i < SITES; i++)
        share_add(sum, world->sites[i].vector, 0, world->length, runs, world->length > 0);
    return sum;
}

static enum query_phase phase_of(const struct world *world)
{
    const struct query *query = coordinator_query(&world->coordinator, world->qid);
    return query == NULL ? PHASE_UNKNOWN : query->row.phase;
}

/* --- setup --- */

static int world_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    *state = world;
    world->arena = arena_new();
    world->held_max = (size_t)64 << 20;
    world->length = VECTOR;
    snprintf(world->folder, sizeof world->folder, "%s/coordinator-XXXXXX", getenv("MAILLE_TEST_TMP"));
    assert_non_null(mkdtemp(world->folder));
    random_bytes(world->qid, QID_BYTES);
    assert_int_equal(secret_keys_new(&world->authority, KEY_AUTHORITY, "board", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->keys, KEY_COORDINATOR, "coordinator", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->alice.keys, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    for (size_t i = 0; i < SITES; i++) {
        assert_int_equal(secret_keys_new(&world->sites[i].keys, KEY_SITE, names[i], NULL), MAILLE_OK);
        world->sites[i].vector = malloc(VECTOR);
        random_bytes(world->sites[i].vector, VECTOR);
    }
    write_directory(world);
    start(world);
    dial(world, &world->alice);
    for (size_t i = 0; i < SITES; i++)
        dial(world, &world->sites[i]);
    return 0;
}

static int world_down(void **state)
{
    struct world *world = *state;
    struct party *parties[] = {&world->alice, &world->sites[0], &world->sites[1], &world->sites[2]};
    for (size_t i = 0; i < 4; i++) {
        wire_client_free(parties[i]->client);
        wire_message_clear(&parties[i]->last);
        secret_keys_free(parties[i]->keys);
        free(parties[i]->vector);
    }
    stop(world);
    bytes_clear(&world->manifest);
    secret_keys_free(world->keys);
    secret_keys_free(world->authority);
    arena_free(world->arena);
    free(world);
    return 0;
}

/* --- tests --- */

static void an_honest_query(void **state)
{
    struct world *world = *state;
    uint8_t *sum = expected_sum(world);
    struct digest previous = {0};
    up_to_roster(world);
    for (uint32_t round = 1; round <= 2; round++) {
        struct message_sum receipt;
        struct digest root;
        say_start(world, round, 1, &previous, SITES);
        for (size_t i = 0; i < SITES; i++) {
            hear(world, &world->sites[i], MESSAGE_START);
            assert_true(world->sites[i].last.has_frame);
            say_masked(world, i);
            answer_pulls(world, i, segment_count(VECTOR) - 1);
        }
        hear(world, &world->alice, MESSAGE_CLOSE);
        assert_true(envelope_verified(&world->alice.envelope, secret_keys_public(world->keys)->identity));
        hear(world, &world->alice, MESSAGE_SUM);
        DECODE(sum, &world->alice, &receipt);
        vector_hash(&root, sum, VECTOR);
        assert_true(digest_equal(&receipt.sum_hash, &root) && receipt.vectors_held && receipt.length == VECTOR);
        pull_and_compare(world, 0, sum);
        for (size_t i = 0; i < SITES; i++)
            pull_and_compare(world, (uint32_t)i + 1, world->sites[i].vector);
        all_reveal(world);
        assert_int_equal(phase_of(world), PHASE_REVEALED);
        previous = world->psi;
    }
    struct bytes body = {0};
    struct message_end end = {0};
    memcpy(end.qid, world->qid, QID_BYTES);
    assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_END, &body);
    for (size_t i = 0; i < SITES; i++)
        hear(world, &world->sites[i], MESSAGE_END);
    assert_int_equal(phase_of(world), PHASE_ENDED);
    assert_null(coordinator_query(&world->coordinator, world->qid)->adder);
    free(sum);
}

/* Vectors too large to be held: the sum is there, leaves are, and what the agent draws is fetched from the sites again. */
static void vectors_that_are_not_held(void **state)
{
    struct world *world = *state;
    uint8_t *sum = expected_sum(world);
    world->coordinator.held_max = VECTOR;
    up_to_roster(world);
    say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        hear(world, &world->sites[i], MESSAGE_START);
        say_masked(world, i);
        answer_pulls(world, i, segment_count(VECTOR) - 1);
    }
    hear(world, &world->alice, MESSAGE_SUM);
    pull_and_compare(world, 0, sum);
    struct bytes body = {0};
    struct message_pull pull = {.psi = world->psi, .source = 2, .what = PULL_LEAVES, .first = 3, .count = 100};
    memcpy(pull.qid, world->qid, QID_BYTES);
    assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_PULL, &body);
    hear(world, &world->alice, MESSAGE_SEGMENT);
    assert_int_equal(world->alice.last.frame.length, (segment_count(VECTOR) - 3) * HASH_BYTES);
    struct digest leaf;
    segment_leaf(&leaf, 3, world->sites[1].vector + 3 * SEGMENT_BYTES, SEGMENT_BYTES);
    assert_memory_equal(world->alice.last.frame.data, leaf.b, HASH_BYTES);
    pull.what = PULL_SEGMENTS;
    pull.first = 5;
    pull.count = 1;
    assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_PULL, &body);
    answer_pulls(world, 1, 1);
    hear(world, &world->alice, MESSAGE_SEGMENT);
    assert_memory_equal(world->alice.last.frame.data, world->sites[1].vector + 5 * SEGMENT_BYTES, SEGMENT_BYTES);
    free(sum);
}

static void a_vector_of_nothing(void **state)
{
    struct world *world = *state;
    world->length = 0;
    up_to_roster(world);
    say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        hear(world, &world->sites[i], MESSAGE_START);
        say_masked(world, i);
    }
    all_reveal(world);
    settle(world);
    assert_int_equal(phase_of(world), PHASE_REVEALED);
}

static void a_silent_site_is_asked_again(void **state)
{
    struct world *world = *state;
    ask(world);
    settle(world); /* the sites have not said hello: nobody could be reached */
    for (size_t i = 0; i < SITES; i++) {
        say_hello(world, &world->sites[i]);
        hear(world, &world->sites[i], MESSAGE_MANIFEST); /* at once, on connecting */
    }
    hear(world, &world->alice, MESSAGE_STATUS);
    world->now = clock_monotonic_ms();
    tick(world, RESEND_MS + 500);
    hear(world, &world->sites[0], MESSAGE_MANIFEST);
    say_ready(world, 0, READY_READY);
    hear(world, &world->alice, MESSAGE_READY);
    while (heard(world, &world->sites[0], MESSAGE_MANIFEST, 30)) /* those that were on their way */
        ;
    tick(world, RESEND_MS + 500);
    assert_false(heard(world, &world->sites[0], MESSAGE_MANIFEST, 100));
    assert_true(heard(world, &world->sites[1], MESSAGE_MANIFEST, 100));
    struct message_status status;
    tick(world, STATUS_MS + 1);
    hear(world, &world->alice, MESSAGE_STATUS);
    do
        DECODE(status, &world->alice, &status);
    while (heard(world, &world->alice, MESSAGE_STATUS, 50));
    assert_int_equal(status.phase, PHASE_ASKED);
    assert_int_equal(status.n_waiting, 2);
    assert_int_equal(status.waiting[0], 2);
    assert_int_equal(status.n_connected, 3);
}

/* Stopped and started again at every step: what was stored goes on, what was in memory is asked for again. */
static void a_restart_in_every_phase(void **state)
{
    struct world *world = *state;
    uint8_t *sum = expected_sum(world);
    up_to_roster(world);
    struct digest rho = rho_of(world);
    stop(world);
    start(world);
    assert_int_equal(phase_of(world), PHASE_ROSTER);
    struct digest again = rho_of(world);
    assert_true(digest_equal(&rho, &again));

    say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        say_hello(world, &world->sites[i]);
        hear(world, &world->sites[i], MESSAGE_START);
    }
    say_masked(world, 0);
    answer_pulls(world, 0, 7); /* in the middle of a vector */
    settle(world);
    stop(world);
    start(world);
    assert_int_equal(phase_of(world), PHASE_ROUND);
    say_hello(world, &world->sites[0]);
    struct message_pull pull;
    hear(world, &world->sites[0], MESSAGE_PULL); /* from the beginning; what was pulled before the restart is passed over */
    DECODE(pull, &world->sites[0], &pull);
    while (pull.first != 0) {
        hear(world, &world->sites[0], MESSAGE_PULL);
        DECODE(pull, &world->sites[0], &pull);
    }
    answer_from(world, 0, segment_count(VECTOR), true);
    for (size_t i = 1; i < SITES; i++) {
        say_hello(world, &world->sites[i]);
        hear(world, &world->sites[i], MESSAGE_START);
        say_masked(world, i);
        answer_pulls(world, i, segment_count(VECTOR) - 1);
    }
    hear(world, &world->sites[0], MESSAGE_CLOSE);
    assert_int_equal(phase_of(world), PHASE_CLOSED);

    stop(world);
    start(world);
    assert_int_equal(phase_of(world), PHASE_CLOSED);
    struct bytes body = {0};
    struct message_resume resume = {0};
    memcpy(resume.qid, world->qid, QID_BYTES);
    assert_int_equal(message_resume_encode(&body, &resume, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_RESUME, &body);
    hear(world, &world->alice, MESSAGE_CLOSE);
    hear(world, &world->alice, MESSAGE_SUM);
    for (size_t i = 0; i < SITES; i++) { /* the sums were in memory */
        say_hello(world, &world->sites[i]);
        answer_pulls(world, i, segment_count(VECTOR));
    }
    hear(world, &world->alice, MESSAGE_SUM);
    pull_and_compare(world, 0, sum);
    settle(world);
    for (size_t i = 0; i < SITES; i++) {
        world->now = clock_monotonic_ms();
        tick(world, RESEND_MS + 500);
        hear(world, &world->sites[i], MESSAGE_CLOSE);
        say_reveal(world, i);
        hear(world, &world->alice, MESSAGE_REVEAL);
    }
    assert_int_equal(phase_of(world), PHASE_REVEALED);
    stop(world);
    start(world);
    assert_int_equal(phase_of(world), PHASE_REVEALED);
    free(sum);
}

static void a_vector_that_is_not_the_signed_one(void **state)
{
    struct world *world = *state;
    world->length = 3200;
    up_to_roster(world);
    say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++)
        hear(world, &world->sites[i], MESSAGE_START);
    struct bytes body = {0};
    struct message_masked masked = {.psi = world->psi, .site = 1, .share = {.length = world->length, .vector = {{1}}}};
    memcpy(masked.qid, world->qid, QID_BYTES);
    assert_int_equal(message_masked_encode(&body, &masked, NULL), MAILLE_OK);
    say_as(world, &world->sites[0], world->sites[0].keys, MESSAGE_MASKED, &body, world->sites[0].vector, 3200);
    struct message_problem problem;
    hear(world, &world->alice, MESSAGE_PROBLEM);
    DECODE(problem, &world->alice, &problem);
    assert_string_equal(problem.rule, "vector");
    for (size_t i = 0; i < SITES; i++)
        say_masked(world, i); /* the right one repairs it */
    all_reveal(world);
}

/* Round 1 loses a site: a new attempt without it is another ψ, and a late vector for the old one counts for nothing. With three
 * sites nobody may be missing, so the attempt must name all of them. */
static void attempts(void **state)
{
    struct world *world = *state;
    up_to_roster(world);
    say_start(world, 1, 1, NULL, SITES);
    hear(world, &world->sites[0], MESSAGE_START);
    say_masked(world, 0);
    const struct digest first = world->psi;
    say_start(world, 1, 2, NULL, 2); /* fewer than n_min */
    struct message_problem problem;
    hear(world, &world->alice, MESSAGE_PROBLEM);
    DECODE(problem, &world->alice, &problem);
    assert_string_equal(problem.rule, "start");
    world->length = 3200;
    say_start(world, 1, 2, NULL, SITES);
    hear(world, &world->sites[1], MESSAGE_START);
    hear(world, &world->sites[1], MESSAGE_START);
    const struct digest second = world->psi;
    world->psi = first;
    say_masked(world, 1);
    settle(world);
    assert_null(query_site(coordinator_query(&world->coordinator, world->qid), 2)->masked);
    world->psi = second;
    for (size_t i = 0; i < SITES; i++)
        say_masked(world, i);
    all_reveal(world);
}

static bool passes(struct world *world, enum query_phase expected)
{
    settle(world);
    return phase_of(world) != expected;
}

static void what_must_not_pass(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    for (size_t i = 0; i < SITES; i++)
        say_hello(world, &world->sites[i]);
    ask(world);
    hear(world, &world->sites[0], MESSAGE_MANIFEST);
    assert_int_equal(bytes_copy(&world->manifest, world->sites[0].last.envelope.data, world->sites[0].last.envelope.length),
                     MAILLE_OK);
    say_call(world); /* before anybody is ready */
    assert_false(passes(world, PHASE_ASKED));
    say_ready(world, 0, READY_READY);
    /* gamma says that it is beta */
    struct message_ready ready = {.site = 2, .state = READY_READY, .rule = ""};
    memcpy(ready.qid, world->qid, QID_BYTES);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    say(world, &world->sites[2], MESSAGE_READY, &body);
    /* beta, signed by gamma */
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    say_as(world, &world->sites[1], world->sites[2].keys, MESSAGE_READY, &body, NULL, 0);
    settle(world);
    struct query *query = coordinator_query(&world->coordinator, world->qid);
    assert_non_null(query_site(query, 1)->ready);
    assert_null(query_site(query, 2)->ready);
    assert_null(query_site(query, 3)->ready);
    /* a researcher's message from a site, a site's from a researcher */
    struct message_end end = {0};
    memcpy(end.qid, world->qid, QID_BYTES);
    assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    say(world, &world->sites[0], MESSAGE_END, &body);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_READY, &body);
    /* an accept before the call, a start before the roster, a frame where none may be */
    say_accept(world, 0);
    say_start(world, 1, 1, NULL, SITES);
    say_ready(world, 1, READY_HELD);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    say_as(world, &world->sites[1], world->sites[1].keys, MESSAGE_READY, &body, "frame", 5);
    assert_false(passes(world, PHASE_ASKED));
    assert_int_equal(query_site(query, 2)->ready_state, READY_HELD);
    /* nonsense bytes */
    assert_int_equal(wire_client_send(world->sites[1].client, "nonsense", 8, NULL, 0, NULL), MAILLE_OK);
    assert_false(passes(world, PHASE_ASKED));
    /* the same qid with another manifest */
    struct message_manifest manifest = manifest_of(world);
    manifest.rounds_max = 63;
    assert_int_equal(message_manifest_encode(&body, &manifest, NULL), MAILLE_OK);
    say(world, &world->alice, MESSAGE_MANIFEST, &body);
    struct message_problem problem;
    hear(world, &world->alice, MESSAGE_PROBLEM);
    DECODE(problem, &world->alice, &problem);
    assert_string_equal(problem.rule, "qid");
    /* it all goes on */
    say_ready(world, 1, READY_READY);
    say_ready(world, 2, READY_READY);
    settle(world);
    say_call(world);
    assert_true(passes(world, PHASE_ASKED));
    /* an accept of another manifest */
    bytes_put_u8(&world->manifest, 0);
    for (size_t i = 0; i < SITES; i++)
        say_accept(world, i);
    assert_false(passes(world, PHASE_CALLED));
}

static void manifests_that_are_not_taken_on(void **state)
{
    struct world *world = *state;
    static const uint32_t strangers[] = {1, 2, 9}, two[] = {1, 2};
    const struct message_manifest good = manifest_of(world);
    struct message_manifest bad[7];
    static const char *const rules[7] = {"directory", "created", "expires", "expires", "min_sites", "sites", "min_sites"};
    for (size_t i = 0; i < 7; i++) {
        bad[i] = good;
        bad[i].qid[0] = (uint8_t)i;
    }
    bad[0].directory_version = 2;
    bad[1].created_ms += 3600000;
    bad[2].expires_ms = good.created_ms - 1;
    bad[3].expires_ms = good.created_ms + (int64_t)8 * 86400000;
    bad[4].n_min = 2;
    bad[5].sites = strangers;
    bad[6].n_sites = 2;
    bad[6].sites = two;
    for (size_t i = 0; i < 7; i++) {
        struct bytes body = {0};
        struct message_problem problem;
        assert_int_equal(message_manifest_encode(&body, &bad[i], NULL), MAILLE_OK);
        say(world, &world->alice, MESSAGE_MANIFEST, &body);
        hear(world, &world->alice, MESSAGE_PROBLEM);
        DECODE(problem, &world->alice, &problem);
        assert_string_equal(problem.rule, rules[i]);
    }
    assert_int_equal(world->coordinator.n_queries, 0);
}

static void a_cancel_reaches_everybody(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    struct message_cancel cancel = {.rule = "min_patients"};
    memcpy(cancel.qid, world->qid, QID_BYTES);
    up_to_roster(world);
    assert_int_equal(message_cancel_encode(&body, &cancel, NULL), MAILLE_OK);
    wire_client_free(world->sites[2].client);
    say(world, &world->sites[0], MESSAGE_CANCEL, &body);
    hear(world, &world->alice, MESSAGE_CANCEL);
    assert_true(envelope_verified(&world->alice.envelope, secret_keys_public(world->sites[0].keys)->identity));
    hear(world, &world->sites[1], MESSAGE_CANCEL);
    assert_int_equal(phase_of(world), PHASE_CANCELLED);
    /* who was away hears of it after a restart of the coordinator */
    stop(world);
    start(world);
    dial(world, &world->sites[2]);
    say_hello(world, &world->sites[2]);
    hear(world, &world->sites[2], MESSAGE_CANCEL);
    /* and nothing more happens to it */
    say_start(world, 1, 1, NULL, SITES);
    assert_false(passes(world, PHASE_CANCELLED));
}

static void lists_and_catalogues(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    const struct message_catalogue catalogue = {.site = "alpha", .snapshot = 7, .dictionary = "rotterdam",
                                                .dictionary_version = 1, .patients_band = "500–999", .policy = "open"};
    ask(world);
    assert_int_equal(message_catalogue_encode(&body, &catalogue, NULL), MAILLE_OK);
    say(world, &world->sites[0], MESSAGE_CATALOGUE, &body);
    assert_int_equal(message_catalogue_encode(&body, &catalogue, NULL), MAILLE_OK);
    say(world, &world->sites[1], MESSAGE_CATALOGUE, &body); /* beta publishes as alpha */
    settle(world);
    say(world, &world->alice, MESSAGE_CATALOGUE_REQUEST, &body);
    hear(world, &world->alice, MESSAGE_CATALOGUES);
    struct message_catalogues catalogues;
    DECODE(catalogues, &world->alice, &catalogues);
    assert_int_equal(catalogues.n, 1);
    struct envelope inner;
    assert_int_equal(envelope_decode(&inner, world->arena, catalogues.envelopes[0].data, catalogues.envelopes[0].length, NULL),
                     MAILLE_OK);
    assert_true(envelope_verified(&inner, secret_keys_public(world->sites[0].keys)->identity));
    say(world, &world->alice, MESSAGE_LIST_REQUEST, &body);
    hear(world, &world->alice, MESSAGE_LIST);
    struct message_list list;
    DECODE(list, &world->alice, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.queries[0].study, "first-look");
    assert_memory_equal(list.queries[0].qid, world->qid, QID_BYTES);
}

/* Everything that came and went, but the chatter, is in the log, and the log reads back. */
static void count_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    size_t *counts = context;
    (void)sequence;
    (void)utc_ms;
    counts[0] += entry->direction == AUDIT_IN && strcmp(entry->message, "ready") == 0;
    counts[1] += entry->direction == AUDIT_OUT && strcmp(entry->message, "manifest") == 0;
    counts[2] += entry->direction == AUDIT_OUT && strcmp(entry->message, "roster") == 0;
    counts[3] += strcmp(entry->message, "status") == 0 || strcmp(entry->message, "hello") == 0;
}

static void the_log_has_it(void **state)
{
    struct world *world = *state;
    size_t counts[4] = {0};
    up_to_roster(world);
    settle(world);
    assert_int_equal(audit_read(arena_printf(world->arena, "%s/log", world->folder), count_entry, counts, NULL), MAILLE_OK);
    assert_int_equal(counts[0], SITES);
    assert_int_equal(counts[1], SITES);
    assert_int_equal(counts[2], SITES + 1);
    assert_int_equal(counts[3], 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
    const struct CMUnitTest tests[] = {
        TEST(an_honest_query),
        TEST(vectors_that_are_not_held),
        TEST(a_vector_of_nothing),
        TEST(a_silent_site_is_asked_again),
        TEST(a_restart_in_every_phase),
        TEST(a_vector_that_is_not_the_signed_one),
        TEST(attempts),
        TEST(what_must_not_pass),
        TEST(manifests_that_are_not_taken_on),
        TEST(a_cancel_reaches_everybody),
        TEST(lists_and_catalogues),
        TEST(the_log_has_it),
    };
    log_open("coordinator_test", NULL, LOG_LEVEL_ERROR);
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
