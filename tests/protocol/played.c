#include "tests/protocol/played.h"

#include "base/file.h"

/* --- the network --- */

static const char *name_of(struct arena *arena, size_t site)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};
    return site < sizeof names / sizeof *names ? names[site] : arena_printf(arena, "site-%zu", site + 1);
}

static const uint32_t *all_sites(void)
{
    static uint32_t sites[SITES];
    for (uint32_t i = 0; i < SITES; i++)
        sites[i] = i + 1;
    return sites;
}

static const char *hex(struct arena *arena, const uint8_t *key)
{
    char *text = arena_alloc(arena, 2 * PUBLIC_BYTES + 1);
    bytes_to_hex(text, key, PUBLIC_BYTES);
    return text;
}

void play_write_directory(struct world *world, unsigned version)
{
    const struct public_keys *own = secret_keys_public(world->keys),
                             *alice = secret_keys_public(world->alice.keys);
    struct bytes text = {0};
    const char *head = arena_printf(
        world->arena,
        "network: toy\nversion: %u\nquorum: 1\nauthorities:\n  - { name: board, identity: %s }\n"
        "coordinator: { name: coordinator, endpoint: \"tcp://127.0.0.1:9700\", identity: %s, transport: %s "
        "}\n"
        "researchers:\n  - { name: alice, identity: %s, transport: %s }\n"
        "timeouts: { ready: 5s, accept: 5s, masked: 5s, reveal: 5s, lifetime: 7d, round_idle: 1h }\nsites:\n",
        version, hex(world->arena, secret_keys_public(world->authority)->identity),
        hex(world->arena, own->identity), hex(world->arena, own->transport),
        hex(world->arena, alice->identity), hex(world->arena, alice->transport));
    bytes_put(&text, head, strlen(head));
    for (size_t i = 0; i < SITES; i++) {
        const struct public_keys *site = secret_keys_public(world->sites[i].keys);
        const char *line = arena_printf(
            world->arena, "  - { id: %zu, name: %s, legal_entity: \"%s\", identity: %s, transport: %s }\n",
            i + 1, name_of(world->arena, i), name_of(world->arena, i), hex(world->arena, site->identity),
            hex(world->arena, site->transport));
        bytes_put(&text, line, strlen(line));
    }
    assert_int_equal(directory_sign(&text, text.length, world->authority, NULL), MAILLE_OK);
    assert_int_equal(file_write_atomic(arena_printf(world->arena, "%s/network.yaml", world->folder),
                                       text.data, text.length, 0600, NULL),
                     MAILLE_OK);
    bytes_clear(&text);
}

int64_t play_utc_ms(void *world)
{
    return INT64_C(1780000000000) + ((struct world *)world)->now;
}

static int64_t monotonic_ms(void *world)
{
    return ((struct world *)world)->now;
}

static struct party *each_party(struct world *world, size_t i)
{
    return i == 0 ? &world->alice : i <= SITES ? &world->sites[i - 1] : NULL;
}

void play_start(struct world *world)
{
    struct maille_error error = {0};
    const struct coordinator_options options = {
        .folder = world->folder,
        .directory = arena_printf(world->arena, "%s/network.yaml", world->folder),
        .keys = world->keys,
        .held_max = world->held_max,
        .bytes_max = 1 << 28,
        .quotas = world->quotas,
        .clock = {.utc_ms = play_utc_ms, .monotonic_ms = monotonic_ms, .context = world}};
    if (coordinator_open(&world->coordinator, &options, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t i = 0; i <= SITES; i++)
        each_party(world, i)->known = false;
}

void play_stop(struct world *world)
{
    coordinator_clear(&world->coordinator);
}

static enum maille_code carry(void *context, const struct outgoing *out, bool *sent,
                              struct maille_error *error)
{
    struct world *world = context;
    const struct parcel *parcel = out->parcel;
    for (size_t i = 0; i <= SITES; i++) {
        struct party *party = each_party(world, i);
        if (strcmp(secret_keys_name(party->keys), out->peer) != 0)
            continue;
        *sent = party->known && (out->address == 0 || out->address == party->address);
        if (*sent)
            return message_outbox_put(&party->inbox, parcel->kind, &parcel->envelope,
                                      parcel->has_frame ? parcel->frame.data : NULL, parcel->frame.length,
                                      error);
    }
    return MAILLE_OK;
}

void play_turn(struct world *world)
{
    struct maille_error error = {0};
    size_t sent;
    for (size_t i = 0; i < world->queue.n; i++) {
        if (coordinator_handle(&world->coordinator, &world->queue.messages[i], &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        wire_message_clear(&world->queue.messages[i]);
    }
    world->queue.n = 0;
    if (coordinator_settle(&world->coordinator, &sent, carry, world, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
}

void play_tick(struct world *world, int64_t later_ms)
{
    world->now += later_ms;
    assert_int_equal(coordinator_tick(&world->coordinator, NULL), MAILLE_OK);
    play_turn(world);
}

void play_dial(struct world *world, struct party *party)
{
    play_hang_up(party);
    party->address = ++world->addresses;
}

void play_hang_up(struct party *party)
{
    message_outbox_clear(&party->inbox);
    party->heard = 0;
    party->address = 0;
    party->known = false;
}

/* --- saying and hearing --- */

void play_say_bytes(struct world *world, struct party *party, const void *envelope, size_t length,
                    const void *frame, size_t frame_length)
{
    assert_true(world->queue.n < QUEUE_MAX && party->address != 0);
    struct wire_message *said = &world->queue.messages[world->queue.n++];
    *said = (struct wire_message){.role = party->role, .address = party->address, .has_frame = frame != NULL};
    snprintf(said->peer, sizeof said->peer, "%s", secret_keys_name(party->keys));
    assert_int_equal(bytes_copy(&said->envelope, envelope, length), MAILLE_OK);
    assert_int_equal(bytes_copy(&said->frame, frame, frame_length), MAILLE_OK);
    party->known = true;
}

void play_say_as(struct world *world, struct party *party, const struct secret_keys *signer,
                 enum message_kind kind, struct bytes *body, const void *frame, size_t frame_length)
{
    struct bytes envelope = {0};
    assert_int_equal(envelope_encode(&envelope, kind, signer, secret_keys_name(party->keys), body, NULL),
                     MAILLE_OK);
    play_say_bytes(world, party, envelope.data, envelope.length, frame, frame_length);
    bytes_clear(&envelope);
    bytes_clear(body);
}

void play_say(struct world *world, struct party *party, enum message_kind kind, struct bytes *body)
{
    play_say_as(world, party, party->keys, kind, body, NULL, 0);
}

bool play_next(struct world *world, struct party *party)
{
    play_turn(world);
    if (party->heard == party->inbox.n)
        return false;
    const struct message_outgoing *came = &party->inbox.messages[party->heard++];
    party->last.has_frame = came->has_frame;
    assert_int_equal(bytes_copy(&party->last.envelope, came->envelope.data, came->envelope.length),
                     MAILLE_OK);
    assert_int_equal(bytes_copy(&party->last.frame, came->frame.data, came->frame.length), MAILLE_OK);
    assert_int_equal(envelope_decode(&party->envelope, world->arena, party->last.envelope.data,
                                     party->last.envelope.length, NULL),
                     MAILLE_OK);
    return true;
}

bool play_heard(struct world *world, struct party *party, enum message_kind kind)
{
    while (play_next(world, party))
        if (party->envelope.kind == kind)
            return true;
    return false;
}

void play_hear(struct world *world, struct party *party, enum message_kind kind)
{
    if (!play_heard(world, party, kind))
        fail_msg("%s does not hear %s", secret_keys_name(party->keys), message_rule((uint32_t)kind)->name);
}

/* --- the parts that the parties play --- */

void play_say_hello(struct world *world, struct party *party)
{
    struct bytes body = {0};
    const struct message_hello hello = {.name = secret_keys_name(party->keys),
                                        .build = "test",
                                        .directory_version =
                                            network_directory(world->coordinator.network)->version,
                                        .wire = PROTOCOL_VERSION};
    assert_int_equal(message_hello_encode(&body, &hello, NULL), MAILLE_OK);
    play_say(world, party, MESSAGE_HELLO, &body);
}

struct message_manifest play_manifest_of(struct world *world)
{
    static const struct message_method methods[] = {{"km", 1}};
    static const char study[] = "study: first-look\n";
    const struct directory *directory = network_directory(world->coordinator.network);
    struct message_manifest manifest = {.protocol = PROTOCOL_VERSION,
                                        .researcher = "alice",
                                        .study = {(const uint8_t *)study, sizeof study - 1},
                                        .n_methods = 1,
                                        .methods = methods,
                                        .n_sites = SITES,
                                        .sites = all_sites(),
                                        .bytes_max = 1 << 28,
                                        .rounds_max = 400,
                                        .n_min = mask_sites_needed(SITES),
                                        .directory_version =
                                            network_directory(world->coordinator.network)->version,
                                        .directory_hash = directory->hash,
                                        .created_ms = play_utc_ms(world),
                                        .expires_ms = play_utc_ms(world) + 86400000,
                                        .mode = MODE_AGENT};
    memcpy(manifest.qid, world->qid, QID_BYTES);
    return manifest;
}

void play_ask(struct world *world)
{
    struct bytes body = {0};
    const struct message_manifest manifest = play_manifest_of(world);
    assert_int_equal(message_manifest_encode(&body, &manifest, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_MANIFEST, &body);
}

void play_say_ready(struct world *world, size_t i, enum ready_state state)
{
    struct bytes body = {0};
    struct message_ready ready = {
        .site = (uint32_t)i + 1, .state = state, .rule = state == READY_REFUSED ? "purposes" : ""};
    memcpy(ready.qid, world->qid, QID_BYTES);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    play_say(world, &world->sites[i], MESSAGE_READY, &body);
}

void play_say_call(struct world *world)
{
    struct bytes body = {0};
    struct message_call call = {.n_sites = SITES, .sites = all_sites()};
    memcpy(call.qid, world->qid, QID_BYTES);
    assert_int_equal(message_call_encode(&body, &call, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_CALL, &body);
}

static struct message_head head_of(const struct world *world)
{
    struct message_head head = world->head;
    head.size = head.size == 0 ? 5 : head.size;
    head.seen = world->seen;
    return head;
}

void play_say_accept(struct world *world, size_t i)
{
    struct bytes body = {0};
    struct message_accept accept = {.site = (uint32_t)i + 1, .head = head_of(world)};
    memcpy(accept.qid, world->qid, QID_BYTES);
    hash_kdf(&accept.manifest_hash, NULL, "manifest", world->manifest.data, world->manifest.length);
    assert_int_equal(message_accept_encode(&body, &accept, NULL), MAILLE_OK);
    play_say(world, &world->sites[i], MESSAGE_ACCEPT, &body);
}

/* Manifest … roster. */
void play_up_to_roster(struct world *world)
{
    for (size_t i = 0; i < SITES; i++)
        play_say_hello(world, &world->sites[i]);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->sites[i], MESSAGE_WELCOME);
    play_ask(world);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_MANIFEST);
        assert_int_equal(bytes_copy(&world->manifest, world->sites[i].last.envelope.data,
                                    world->sites[i].last.envelope.length),
                         MAILLE_OK);
        play_say_ready(world, i, READY_READY);
        play_hear(world, &world->alice, MESSAGE_READY);
    }
    play_say_call(world);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_CALL);
        play_say_accept(world, i);
    }
    play_hear(world, &world->alice, MESSAGE_ROSTER);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->sites[i], MESSAGE_ROSTER);
}

struct digest play_rho_of(struct world *world)
{
    struct query *query = coordinator_query(&world->coordinator, world->qid);
    return query->rho;
}

void play_say_start(struct world *world, uint32_t round, uint32_t attempt, const struct digest *previous,
                    size_t n_members)
{
    static const uint32_t analyses[1] = {0};
    static const char theta[] = "nonce and sealed theta";
    struct bytes header_bytes = {0}, body = {0};
    struct message_round_header header = {.rho = play_rho_of(world),
                                          .round = round,
                                          .attempt = attempt,
                                          .n_members = n_members,
                                          .members = all_sites(),
                                          .n_analyses = 1,
                                          .analyses = analyses,
                                          .length = world->length,
                                          .result_to = world->result_to};
    const struct word_run runs[] = {{world->length, 16}};
    if (previous != NULL)
        header.previous_hash = *previous;
    hash_kdf(&header.theta_hash, NULL, "theta", theta, sizeof theta);
    assert_int_equal(message_round_header_encode(&header_bytes, &header, NULL), MAILLE_OK);
    hash_kdf(&world->psi, NULL, "round", header_bytes.data, header_bytes.length);
    struct message_start message = {
        .header = {header_bytes.data, header_bytes.length}, .n_runs = world->length > 0, .runs = runs};
    memcpy(message.qid, world->qid, QID_BYTES);
    assert_int_equal(message_start_encode(&body, &message, NULL), MAILLE_OK);
    const bool circle = world->result_to == RESULT_TO_CUSTODIANS && world->length == 0; /* its sites know θ */
    play_say_as(world, &world->alice, world->alice.keys, MESSAGE_START, &body, circle ? NULL : theta,
                circle ? 0 : sizeof theta);
    bytes_clear(&header_bytes);
}

static size_t part(const struct world *world, uint64_t index)
{
    const uint64_t left = world->length - index * SEGMENT_BYTES;
    return left < SEGMENT_BYTES ? (size_t)left : SEGMENT_BYTES;
}

void play_say_masked(struct world *world, size_t i)
{
    struct bytes body = {0};
    struct message_masked masked = {.psi = world->psi,
                                    .site = (uint32_t)i + 1,
                                    .share = {.length = world->length},
                                    .head = head_of(world)};
    memcpy(masked.qid, world->qid, QID_BYTES);
    hash_vector(&masked.share.vector, world->sites[i].vector, world->length);
    assert_int_equal(message_masked_encode(&body, &masked, NULL), MAILLE_OK);
    play_say_as(world, &world->sites[i], world->sites[i].keys, MESSAGE_MASKED, &body,
                world->length == 0 ? NULL : world->sites[i].vector, world->length == 0 ? 0 : part(world, 0));
}

/* Answers pulls until `count` segments were sent. heard: the first pull is the message that was heard last.
 */
void play_answer_from(struct world *world, size_t i, uint64_t count, bool heard)
{
    struct party *site = &world->sites[i];
    for (; count > 0; heard = false) {
        struct message_pull pull;
        if (!heard)
            play_hear(world, site, MESSAGE_PULL);
        DECODE(pull, site, &pull);
        assert_true(pull.count <= QUERY_CREDIT && pull.source == i + 1);
        for (uint64_t k = pull.first; k < pull.first + pull.count && count > 0; k++, count--) {
            struct bytes body = {0};
            struct message_segment segment = {.psi = pull.psi, .source = pull.source, .index = k};
            memcpy(segment.qid, pull.qid, QID_BYTES);
            assert_int_equal(message_segment_encode(&body, &segment, NULL), MAILLE_OK);
            play_say_as(world, site, NULL, MESSAGE_SEGMENT, &body, site->vector + k * SEGMENT_BYTES,
                        part(world, k));
        }
    }
}

void play_answer_pulls(struct world *world, size_t i, uint64_t count)
{
    play_answer_from(world, i, count, false);
}

void play_say_reveal(struct world *world, size_t i)
{
    struct party *site = &world->sites[i];
    static const uint8_t sealed[80] = {1};
    struct bytes body = {0};
    static struct message_sealed_key keys[SITES];
    for (uint32_t k = 0; k < SITES; k++)
        keys[k] = (struct message_sealed_key){k + 1, {sealed, sizeof sealed}};
    struct message_reveal reveal = {.psi = world->psi, .site = (uint32_t)i + 1};
    if (world->result_to == RESULT_TO_CUSTODIANS) {
        reveal.n_keys = SITES;
        reveal.keys = keys;
    } else {
        reveal.sealed = (struct byte_view){sealed, sizeof sealed};
    }
    memcpy(reveal.qid, world->qid, QID_BYTES);
    hash_kdf(&reveal.close_hash, NULL, "close", site->last.envelope.data, site->last.envelope.length);
    assert_int_equal(message_reveal_encode(&body, &reveal, NULL), MAILLE_OK);
    play_say(world, site, MESSAGE_REVEAL, &body);
}

void play_all_reveal(struct world *world)
{
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_CLOSE);
        play_say_reveal(world, i);
        play_hear(world, &world->alice, MESSAGE_REVEAL);
    }
}

/* The agent's part: pulls a vector (0: the sum) and compares. */
void play_pull_and_compare(struct world *world, uint32_t source, const uint8_t *expected)
{
    const uint64_t segments = hash_segment_count(world->length);
    for (uint64_t first = 0; first < segments; first += QUERY_CREDIT) {
        struct bytes body = {0};
        struct message_pull pull = {
            .psi = world->psi, .source = source, .first = first, .count = QUERY_CREDIT};
        memcpy(pull.qid, world->qid, QID_BYTES);
        assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
        play_say(world, &world->alice, MESSAGE_PULL, &body);
        for (uint64_t k = first; k < segments && k < first + QUERY_CREDIT; k++) {
            struct message_segment segment;
            play_hear(world, &world->alice, MESSAGE_SEGMENT);
            DECODE(segment, &world->alice, &segment);
            assert_true(segment.source == source && segment.index == k);
            assert_int_equal(world->alice.last.frame.length, part(world, k));
            assert_memory_equal(world->alice.last.frame.data, expected + k * SEGMENT_BYTES, part(world, k));
        }
    }
}

uint8_t *play_expected_sum(const struct world *world)
{
    const struct word_run runs[] = {{world->length, 16}};
    uint8_t *sum = calloc(1, world->length + 1);
    for (size_t i = 0; i < SITES; i++)
        share_add(sum, world->sites[i].vector, 0, world->length, runs, world->length > 0);
    return sum;
}

enum query_phase play_phase_of(const struct world *world)
{
    struct query *query = NULL;
    struct coordinator *coordinator = (struct coordinator *)(uintptr_t)&world->coordinator;
    if (coordinator_recall(coordinator, &query, world->qid, NULL) != MAILLE_OK)
        fail_msg("the query cannot be recalled");
    return query == NULL ? PHASE_UNKNOWN : query->row.phase;
}

/* --- setup --- */

int play_world_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    *state = world;
    world->arena = arena_new();
    world->held_max = (size_t)64 << 20;
    world->length = VECTOR;
    world->now = 1000000;
    snprintf(world->folder, sizeof world->folder, "%s/coordinator-XXXXXX", getenv("MAILLE_TEST_TMP"));
    assert_non_null(mkdtemp(world->folder));
    crypto_random_bytes(world->qid, QID_BYTES);
    assert_int_equal(secret_keys_new(&world->authority, KEY_AUTHORITY, "board", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->keys, KEY_COORDINATOR, "coordinator", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->alice.keys, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    for (size_t i = 0; i < SITES; i++) {
        assert_int_equal(secret_keys_new(&world->sites[i].keys, KEY_SITE, name_of(world->arena, i), NULL),
                         MAILLE_OK);
        world->sites[i].vector = malloc(VECTOR);
        crypto_random_bytes(world->sites[i].vector, VECTOR);
    }
    for (size_t i = 0; i <= SITES; i++)
        each_party(world, i)->role = i == 0 ? KEY_RESEARCHER : KEY_SITE;
    play_write_directory(world, 1);
    play_start(world);
    play_dial(world, &world->alice);
    for (size_t i = 0; i < SITES; i++)
        play_dial(world, &world->sites[i]);
    return 0;
}

int play_world_down(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i <= SITES; i++) {
        struct party *party = each_party(world, i);
        play_hang_up(party);
        wire_message_clear(&party->last);
        secret_keys_free(party->keys);
        free(party->vector);
    }
    for (size_t i = 0; i < world->queue.n; i++)
        wire_message_clear(&world->queue.messages[i]);
    play_stop(world);
    bytes_clear(&world->manifest);
    secret_keys_free(world->keys);
    secret_keys_free(world->authority);
    arena_free(world->arena);
    free(world);
    return 0;
}
