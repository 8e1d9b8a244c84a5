/* A network in one process, for the tests of the vault: real keys, real snapshots, real vaults; the test
 * itself speaks as researcher and as coordinator, honestly or not. Included by tests alone. */
#ifndef WORKER_VAULT_TESTING_H
#define WORKER_VAULT_TESTING_H

#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/mask.h"
#include "disclosure/gate.h"
#include "registry/import.h"
#include "wire/wire.h"
#include "worker/snapshots.h"
#include "worker/vault.h"

enum { WORLD_SITES = 6, WORLD_ROWS = 40 };

struct world {
    char folder[512];
    struct arena *arena;
    struct secret_keys *authority, *coordinator, *researcher, *sites[WORLD_SITES];
    const char *network; /* signed text */
    const struct directory *directory;
    const char *dictionary_text;
    const struct dictionary *dictionary;
    struct columns *tables[WORLD_SITES];
    struct data *data[WORLD_SITES];
    struct vault *vaults[WORLD_SITES];
    const char *policy;
    size_t queries_max;
    struct vault_outbox out; /* what the last message was answered with */
    struct maille_error error;
};

/* The clock that the vaults see: the real one, moved. */
static int64_t world_shift_ms;

static inline int64_t world_now_ms(void)
{
    return clock_utc_ms() + world_shift_ms;
}

static const char world_dictionary[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                       "  - { name: arm, type: category, levels: [a, b] }\n"
                                       "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
                                       "  - { name: time, type: duration, units: days, min: 0, max: 9000 }\n"
                                       "  - { name: death, type: boolean }\n";

static inline const char *world_hex(struct world *world, const uint8_t *data, size_t length)
{
    char *text = arena_alloc(world->arena, 2 * length + 1);
    hex_encode(text, data, length);
    return text;
}

/* The directory, signed by the authority. site-6's legal entity is that of site-5 where `twins` is set. */
static inline const char *world_network(struct world *world, unsigned version, bool twins,
                                        const struct secret_keys *signer)
{
    const struct public_keys *c = secret_keys_public(world->coordinator),
                             *r = secret_keys_public(world->researcher);
    uint8_t signature[SIGNATURE_BYTES];
    const char *text = arena_printf(
        world->arena,
        "network: toy\nversion: %u\nquorum: 1\nauthorities:\n  - { name: board, identity: %s }\n"
        "coordinator: { name: coordinator, endpoint: \"tcp://127.0.0.1:9700\", identity: %s, transport: %s "
        "}\n"
        "researchers:\n  - { name: alice, identity: %s, transport: %s }\npurposes: [care]\n"
        "timeouts: { ready: 5s, accept: 5s, masked: 5s, reveal: 5s, lifetime: 7d, round_idle: 1h }\nsites:\n",
        version, world_hex(world, secret_keys_public(world->authority)->identity, 32),
        world_hex(world, c->identity, 32), world_hex(world, c->transport, 32),
        world_hex(world, r->identity, 32), world_hex(world, r->transport, 32));
    for (int s = 0; s < WORLD_SITES; s++) {
        const struct public_keys *k = secret_keys_public(world->sites[s]);
        text = arena_printf(
            world->arena,
            "%s  - { id: %d, name: site-%d, legal_entity: \"entity %d\", identity: %s, transport: %s }\n",
            text, s + 1, s + 1, twins && s == 5 ? 5 : s + 1, world_hex(world, k->identity, 32),
            world_hex(world, k->transport, 32));
    }
    assert_ok(signature_make(signature, signer, "directory", text, strlen(text), &world->error),
              &world->error);
    return arena_printf(world->arena, "%s# maille-signature: board %s\n", text,
                        world_hex(world, signature, sizeof signature));
}

static inline const char *world_path(struct world *world, int site, const char *name)
{
    return arena_printf(world->arena, "%s/site-%d/%s", world->folder, site + 1, name);
}

/* Patients of one site: both arms, ages 40 to 79, a third of them died. */
static inline void world_import(struct world *world, int site, bool is_public)
{
    struct bytes csv = {0};
    struct import_report report = {0};
    struct snapshot_facts facts = {.number = 1, .is_public = is_public};
    struct snapshot_entry entry = {.number = 1, .rows = WORLD_ROWS, .created = facts.created};
    char line[128];
    const char *path = world_path(world, site, "data.csv"),
               *snapshot = world_path(world, site, "snapshots/snapshot-0001.h5");
    bytes_put(&csv, "id,arm,age,time,death\n", 22);
    for (int i = 0; i < WORLD_ROWS; i++) {
        int n = snprintf(line, sizeof line, "p%d-%d,%s,%d,%d,%d\n", site, i, (i + site) % 3 == 0 ? "b" : "a",
                         40 + i, 100 + 37 * ((i * 7 + site * 5) % 80), (i + 2 * site) % 3 == 0);
        bytes_put(&csv, line, (size_t)n);
    }
    assert_ok(file_write_atomic(path, csv.data, csv.length, 0600, &world->error), &world->error);
    assert_ok(import_csv(&world->tables[site], &report, world->dictionary, path, NULL, &world->error),
              &world->error);
    clock_format(facts.created, clock_utc_ms());
    assert_ok(snapshot_write(world->tables[site], snapshot, &facts, &world->error), &world->error);
    assert_ok(hash_file(&entry.hash, snapshot, &world->error), &world->error);
    assert_ok(snapshots_add(world_path(world, site, "snapshots"), &entry, &world->error), &world->error);
    import_report_clear(&report);
    bytes_clear(&csv);
}

static inline enum maille_code world_try_open(struct world *world, int site)
{
    const struct vault_options options = {.folder = world_path(world, site, ""),
                                          .keys = world->sites[site],
                                          .directory = world->network,
                                          .directory_length = strlen(world->network),
                                          .policy = world->policy,
                                          .policy_length = strlen(world->policy),
                                          .data = data_local(world->data[site]),
                                          .queries_max = world->queries_max,
                                          .now_ms = world_now_ms};
    return vault_open(&world->vaults[site], &options, &world->error);
}

static inline void world_open(struct world *world, int site)
{
    assert_ok(world_try_open(world, site), &world->error);
}

/* As after a crash: memory is gone, the disk is there. */
static inline void world_restart(struct world *world, int site)
{
    vault_free(world->vaults[site]);
    world->vaults[site] = NULL;
    world_open(world, site);
}

static inline void world_remove(const char *folder)
{
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static inline struct secret_keys *world_keys(struct world *world, enum key_role role, const char *name)
{
    struct secret_keys *keys = NULL;
    assert_ok(secret_keys_new(&keys, role, name, &world->error), &world->error);
    return keys;
}

/* name: of the test's folder. policy: of all sites. */
static inline struct world *world_make(const char *name, const char *policy, bool is_public, bool twins)
{
    struct world *world = calloc(1, sizeof *world);
    char site_name[16];
    world_shift_ms = 0;
    world->arena = arena_new();
    world->policy = policy;
    assert_ok(crypto_start(&world->error), &world->error);
    test_path(world->folder, name);
    world_remove(world->folder);
    world->authority = world_keys(world, KEY_AUTHORITY, "board");
    world->coordinator = world_keys(world, KEY_COORDINATOR, "coordinator");
    world->researcher = world_keys(world, KEY_RESEARCHER, "alice");
    for (int s = 0; s < WORLD_SITES; s++) {
        snprintf(site_name, sizeof site_name, "site-%d", s + 1);
        world->sites[s] = world_keys(world, KEY_SITE, site_name);
    }
    world->network = world_network(world, 1, twins, world->authority);
    assert_ok(directory_accept(&world->directory, world->arena, "network", world->network,
                               strlen(world->network), NULL, &world->error),
              &world->error);
    world->dictionary_text = world_dictionary;
    assert_ok(dictionary_parse(&world->dictionary, world->arena, "toy", world_dictionary,
                               strlen(world_dictionary), &world->error),
              &world->error);
    for (int s = 0; s < WORLD_SITES; s++) {
        assert_ok(folder_make(world_path(world, s, "snapshots"), 0700, &world->error), &world->error);
        world_import(world, s, is_public);
        assert_ok(data_open(&world->data[s], world_path(world, s, "snapshots"), 1, &world->error),
                  &world->error);
        world_open(world, s);
    }
    return world;
}

static inline void world_free(struct world *world)
{
    vault_outbox_clear(&world->out);
    for (int s = 0; s < WORLD_SITES; s++) {
        vault_free(world->vaults[s]);
        data_free(world->data[s]);
        columns_free(world->tables[s]);
        secret_keys_free(world->sites[s]);
    }
    secret_keys_free(world->authority);
    secret_keys_free(world->coordinator);
    secret_keys_free(world->researcher);
    arena_free(world->arena);
    world_remove(world->folder);
    free(world);
}

/* --- messages --- */

/* An envelope and its frame, in the world's arena. */
struct letter {
    const uint8_t *envelope, *frame;
    size_t length, frame_length;
};

static inline struct letter world_letter(struct world *world, enum message_kind kind,
                                         const struct secret_keys *signer, struct bytes *body)
{
    struct bytes envelope = {0};
    struct letter letter = {0};
    assert_ok(envelope_encode(&envelope, kind, signer, secret_keys_name(signer), body, &world->error),
              &world->error);
    letter.envelope =
        (const uint8_t *)arena_strndup(world->arena, (const char *)envelope.data, envelope.length);
    letter.length = envelope.length;
    bytes_clear(&envelope);
    bytes_clear(body);
    return letter;
}

/* Hands a message to a site; its answers are in world->out. */
static inline enum maille_code world_say(struct world *world, int site, struct letter letter)
{
    vault_outbox_clear(&world->out);
    world->error = (struct maille_error){0};
    return vault_handle(world->vaults[site], letter.envelope, letter.length, letter.frame,
                        letter.frame_length, &world->out, &world->error);
}

/* The one answer, decoded; it must be of this kind and signed by the site. */
static inline struct letter world_answer(struct world *world, int site, enum message_kind kind,
                                         struct envelope *envelope)
{
    assert_int_equal(world->out.n, 1);
    const struct vault_message *message = &world->out.messages[0];
    assert_int_equal(message->kind, kind);
    struct letter letter = {.envelope = (const uint8_t *)arena_strndup(
                                world->arena, (const char *)message->envelope.data, message->envelope.length),
                            .length = message->envelope.length};
    if (message->has_frame) {
        letter.frame = (const uint8_t *)arena_strndup(world->arena, (const char *)message->frame.data,
                                                      message->frame.length);
        letter.frame_length = message->frame.length;
    }
    assert_ok(envelope_decode(envelope, world->arena, letter.envelope, letter.length, &world->error),
              &world->error);
    assert_true(envelope_verified(envelope, secret_keys_public(world->sites[site])->identity));
    return letter;
}

static inline bool same_letter(struct letter a, struct letter b)
{
    return a.length == b.length && memcmp(a.envelope, b.envelope, a.length) == 0 &&
           a.frame_length == b.frame_length &&
           (a.frame_length == 0 || memcmp(a.frame, b.frame, a.frame_length) == 0);
}

/* Refused and without an answer. */
static inline void dropped(struct world *world, int site, struct letter letter, enum maille_code code,
                           const char *rule)
{
    assert_fails(world_say(world, site, letter), code, &world->error, "");
    if (rule != NULL && strcmp(world->error.rule, rule) != 0)
        fail_msg("expected the rule %s, found \"%s\": %s", rule, world->error.rule, world->error.sentence);
    assert_int_equal(world->out.n, 0);
}

/* --- one query as an honest researcher and an honest coordinator speak it --- */

struct asking {
    const struct study *study;
    struct message_manifest manifest;
    uint32_t sites[WORLD_SITES];
    size_t n_sites;
    struct letter manifest_letter, call_letter, roster_letter, ready[WORLD_SITES], accept[WORLD_SITES];
    uint8_t rk[PUBLIC_BYTES], rk_secret[KEY_BYTES], theta_key[KEY_BYTES];
    struct digest rho;
    uint8_t ek[WORLD_SITES][PUBLIC_BYTES];
    /* round */
    struct message_round_header header;
    struct message_start start;
    struct digest psi, previous;
    struct round_plan plan;
    struct word_run runs[64];
    struct letter start_letter, close_letter, answers[WORLD_SITES], reveals[WORLD_SITES];
    struct message_masked masked[WORLD_SITES];
};

static inline const struct study *world_study(struct world *world, const char *text)
{
    const struct study *study = NULL;
    size_t n;
    const struct query_method *methods = methods_declared(&n);
    assert_ok(study_parse(&study, world->arena, world->dictionary, methods, n, "study.yaml", text,
                          strlen(text), &world->error),
              &world->error);
    return study;
}

#define WORLD_STUDY                                                                                          \
    "study: s\ndictionary: toy@1\ntitle: t\npurpose: care\nlegal_basis: b\nprotocol: p\nexpires: "           \
    "2099-01-01\n"                                                                                           \
    "sites: all\ngrid: month\nmissing: analysis\nanalyses:\n"

static inline struct letter manifest_letter(struct world *world, const struct message_manifest *manifest,
                                            const struct secret_keys *signer)
{
    struct bytes body = {0};
    assert_ok(message_manifest_encode(&body, manifest, &world->error), &world->error);
    return world_letter(world, MESSAGE_MANIFEST, signer, &body);
}

static inline void ask_manifest(struct asking *ask, struct world *world, const char *study)
{
    struct message_method *methods = arena_array(world->arena, STUDY_ANALYSES_MAX, sizeof *methods);
    *ask = (struct asking){.study = world_study(world, study), .n_sites = WORLD_SITES};
    box_pair(ask->rk, ask->rk_secret);
    random_bytes(ask->theta_key, sizeof ask->theta_key);
    for (uint32_t s = 0; s < WORLD_SITES; s++)
        ask->sites[s] = s + 1;
    ask->manifest =
        (struct message_manifest){.protocol = PROTOCOL_VERSION,
                                  .researcher = "alice",
                                  .study = {(const uint8_t *)ask->study->text, ask->study->text_length},
                                  .methods = methods,
                                  .sites = ask->sites,
                                  .n_sites = WORLD_SITES,
                                  .bytes_max = (uint64_t)256 << 20,
                                  .rounds_max = 64,
                                  .n_min = 4,
                                  .directory_version = world->directory->version,
                                  .directory_hash = world->directory->hash,
                                  .created_ms = world_now_ms(),
                                  .expires_ms = world_now_ms() + (int64_t)7 * 86400 * 1000};
    random_bytes(ask->manifest.qid, QID_BYTES);
    memcpy(ask->manifest.rk, ask->rk, PUBLIC_BYTES);
    kdf(&ask->manifest.dictionary_hash, NULL, "dictionary", world->dictionary_text,
        strlen(world->dictionary_text));
    for (size_t k = 0; k < ask->study->n_analyses; k++) {
        bool named = false;
        for (size_t m = 0; m < ask->manifest.n_methods; m++)
            named = named || strcmp(methods[m].name, ask->study->analyses[k].method) == 0;
        if (!named)
            methods[ask->manifest.n_methods++] = (struct message_method){
                ask->study->analyses[k].method, method_find(ask->study->analyses[k].method)->version};
    }
    ask->manifest_letter = manifest_letter(world, &ask->manifest, world->researcher);
}

/* Says the manifest to one site and decodes its ready. */
static inline void ask_ready(struct asking *ask, struct world *world, int site, struct message_ready *ready)
{
    struct envelope envelope;
    assert_ok(world_say(world, site, ask->manifest_letter), &world->error);
    ask->ready[site] = world_answer(world, site, MESSAGE_READY, &envelope);
    assert_ok(message_ready_decode(ready, world->arena, envelope.body, envelope.body_length, &world->error),
              &world->error);
}

static inline struct letter call_letter(struct world *world, const struct asking *ask, const uint32_t *sites,
                                        size_t n, const struct secret_keys *signer)
{
    struct bytes body = {0};
    struct message_call call = {.sites = sites, .n_sites = n};
    memcpy(call.qid, ask->manifest.qid, QID_BYTES);
    assert_ok(message_call_encode(&body, &call, &world->error), &world->error);
    return world_letter(world, MESSAGE_CALL, signer, &body);
}

static inline void ask_accept(struct asking *ask, struct world *world, int site)
{
    struct envelope envelope;
    struct message_accept accept;
    assert_ok(world_say(world, site, ask->call_letter), &world->error);
    ask->accept[site] = world_answer(world, site, MESSAGE_ACCEPT, &envelope);
    assert_ok(
        message_accept_decode(&accept, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    memcpy(ask->ek[site], accept.ek, PUBLIC_BYTES);
}

/* A roster of the accepts `of` (indices of sites). */
static inline struct letter roster_letter(struct world *world, const struct asking *ask,
                                          const struct letter *accepts, size_t n,
                                          const struct secret_keys *signer)
{
    struct bytes body = {0};
    struct byte_view *views = arena_array(world->arena, n + 1, sizeof *views);
    struct message_roster roster = {.n = n, .accepts = views};
    for (size_t i = 0; i < n; i++)
        views[i] = (struct byte_view){accepts[i].envelope, accepts[i].length};
    memcpy(roster.qid, ask->manifest.qid, QID_BYTES);
    assert_ok(message_roster_encode(&body, &roster, &world->error), &world->error);
    return world_letter(world, MESSAGE_ROSTER, signer, &body);
}

static inline void ask_rho(struct asking *ask)
{
    struct bytes all = {0};
    struct digest qh;
    kdf(&qh, NULL, "manifest", ask->manifest_letter.envelope, ask->manifest_letter.length);
    bytes_put(&all, qh.b, HASH_BYTES);
    for (size_t s = 0; s < ask->n_sites; s++)
        bytes_put(&all, ask->accept[s].envelope, ask->accept[s].length);
    kdf(&ask->rho, NULL, "roster", all.data, all.length);
    bytes_clear(&all);
}

/* Manifest, ready, call, accept, roster with every site. */
static inline void ask_roster(struct asking *ask, struct world *world, const char *study)
{
    ask_manifest(ask, world, study);
    for (int s = 0; s < WORLD_SITES; s++) {
        struct message_ready ready;
        ask_ready(ask, world, s, &ready);
        assert_int_equal(ready.state, READY_READY);
        assert_int_equal(ready.n_findings, 0);
    }
    ask->call_letter = call_letter(world, ask, ask->sites, WORLD_SITES, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_accept(ask, world, s);
    ask_rho(ask);
    ask->roster_letter = roster_letter(world, ask, ask->accept, WORLD_SITES, world->coordinator);
    for (int s = 0; s < WORLD_SITES; s++) {
        assert_ok(world_say(world, s, ask->roster_letter), &world->error);
        assert_int_equal(world->out.n, 0);
    }
}

/* The header and the sealed θ of an attempt: everything is filled in as an honest researcher would. Tests
 * change fields of ask->header and ask->start before ask_sign. */
static inline void ask_start(struct asking *ask, struct world *world, uint32_t round, uint32_t attempt,
                             const bool *open, const struct vector *thetas)
{
    struct bytes plain = {0}, packed = {0}, sealed = {0};
    uint32_t *analyses = arena_array(world->arena, ask->study->n_analyses, sizeof *analyses);
    struct message_sealed_key *keys = arena_array(world->arena, WORLD_SITES, sizeof *keys);
    round_plan_clear(&ask->plan);
    assert_ok(round_plan(&ask->plan, ask->study, open, thetas, NULL, &world->error), &world->error);
    ask->header = (struct message_round_header){.rho = ask->rho,
                                                .round = round,
                                                .attempt = attempt,
                                                .members = ask->sites,
                                                .n_members = ask->n_sites,
                                                .analyses = analyses,
                                                .length = ask->plan.bytes};
    for (size_t k = 0; k < ask->study->n_analyses; k++)
        if (open[k])
            analyses[ask->header.n_analyses++] = (uint32_t)k;
    if (round > 1)
        ask->header.previous_hash = ask->previous;
    thetas_write(&plain, ask->study, open, thetas);
    assert_ok(wire_pack(&packed, plain.data, plain.length, &world->error), &world->error);
    assert_ok(secretbox_seal(&sealed, ask->theta_key, packed.data, packed.length), &world->error);
    ask->start_letter.frame =
        (const uint8_t *)arena_strndup(world->arena, (const char *)sealed.data, sealed.length);
    ask->start_letter.frame_length = sealed.length;
    kdf(&ask->header.theta_hash, NULL, "theta", sealed.data, sealed.length);
    kdf(&ask->header.layout_hash, NULL, "layout", ask->plan.layout.data, ask->plan.layout.length);
    ask->start = (struct message_start){.runs = ask->runs, .keys = keys};
    ask->start.n_runs = gate_runs(ask->runs, 64, &ask->plan);
    memcpy(ask->start.qid, ask->manifest.qid, QID_BYTES);
    for (size_t i = 0; round == 1 && i < ask->n_sites; i++) {
        struct bytes key = {0};
        assert_ok(seal_to(&key, ask->ek[ask->sites[i] - 1], ask->theta_key, KEY_BYTES), &world->error);
        keys[ask->start.n_keys++] = (struct message_sealed_key){
            ask->sites[i],
            {(const uint8_t *)arena_strndup(world->arena, (const char *)key.data, key.length), key.length}};
        bytes_clear(&key);
    }
    bytes_clear(&plain);
    bytes_clear(&packed);
    bytes_clear(&sealed);
}

static inline void ask_sign(struct asking *ask, struct world *world, const struct secret_keys *signer)
{
    struct bytes header = {0}, body = {0};
    struct letter frame = ask->start_letter;
    assert_ok(message_round_header_encode(&header, &ask->header, &world->error), &world->error);
    kdf(&ask->psi, NULL, "round", header.data, header.length);
    ask->start.header = (struct byte_view){header.data, header.length};
    assert_ok(message_start_encode(&body, &ask->start, &world->error), &world->error);
    ask->start_letter = world_letter(world, MESSAGE_START, signer, &body);
    ask->start_letter.frame = frame.frame;
    ask->start_letter.frame_length = frame.frame_length;
    bytes_clear(&header);
}

/* Says the start to one site and decodes its masked. */
static inline void ask_masked(struct asking *ask, struct world *world, int site)
{
    struct envelope envelope;
    assert_ok(world_say(world, site, ask->start_letter), &world->error);
    ask->answers[site] = world_answer(world, site, MESSAGE_MASKED, &envelope);
    assert_ok(message_masked_decode(&ask->masked[site], world->arena, envelope.body, envelope.body_length,
                                    &world->error),
              &world->error);
    assert_true(digest_equal(&ask->masked[site].psi, &ask->psi));
}

static inline struct letter close_letter(struct world *world, const struct asking *ask,
                                         const struct letter *masked, size_t n, const struct digest *psi,
                                         const struct secret_keys *signer)
{
    struct bytes body = {0};
    struct byte_view *views = arena_array(world->arena, n + 1, sizeof *views);
    struct message_close message = {.psi = *psi, .n = n, .masked = views};
    for (size_t i = 0; i < n; i++)
        views[i] = (struct byte_view){masked[i].envelope, masked[i].length};
    memcpy(message.qid, ask->manifest.qid, QID_BYTES);
    assert_ok(message_close_encode(&body, &message, &world->error), &world->error);
    return world_letter(world, MESSAGE_CLOSE, signer, &body);
}

/* The letters of the members, ascending. */
static inline size_t ask_members(const struct asking *ask, struct letter *letters)
{
    for (size_t i = 0; i < ask->n_sites; i++)
        letters[i] = ask->answers[ask->sites[i] - 1];
    return ask->n_sites;
}

/* All of y_i, pulled segment by segment, into out. */
static inline void ask_vector(struct asking *ask, struct world *world, int site, uint8_t *out)
{
    uint64_t length = ask->masked[site].share.length, n = segment_count((size_t)length);
    struct digest root;
    if (length > 0)
        memcpy(out, ask->answers[site].frame, ask->answers[site].frame_length);
    for (uint64_t first = 1; first < n; first++) {
        struct bytes body = {0};
        struct message_pull pull = {
            .psi = ask->psi, .source = (uint32_t)site + 1, .first = first, .count = 1};
        memcpy(pull.qid, ask->manifest.qid, QID_BYTES);
        assert_ok(message_pull_encode(&body, &pull, &world->error), &world->error);
        assert_ok(world_say(world, site, world_letter(world, MESSAGE_PULL, world->coordinator, &body)),
                  &world->error);
        assert_int_equal(world->out.n, 1);
        assert_int_equal(world->out.messages[0].kind, MESSAGE_SEGMENT);
        memcpy(out + first * SEGMENT_BYTES, world->out.messages[0].frame.data,
               world->out.messages[0].frame.length);
    }
    vector_hash(&root, out, (size_t)length);
    assert_true(digest_equal(&root, &ask->masked[site].share.vector));
}

/* Close and reveal at every member, then the sum without its masks. The caller frees. */
static inline uint8_t *ask_sum(struct asking *ask, struct world *world)
{
    struct letter letters[WORLD_SITES] = {{0}};
    size_t n = ask_members(ask, letters), length = ask->plan.bytes;
    uint8_t *sum = calloc(1, length + 1), *part = calloc(1, length + 1);
    for (size_t i = 0; i < n; i++) {
        ask_vector(ask, world, (int)ask->sites[i] - 1, part);
        share_add(sum, part, 0, length, ask->runs, ask->start.n_runs);
    }
    ask->close_letter = close_letter(world, ask, letters, n, &ask->psi, world->coordinator);
    for (size_t i = 0; i < n; i++) {
        int site = (int)ask->sites[i] - 1;
        struct envelope envelope;
        struct message_reveal reveal;
        struct bytes opened = {0};
        struct digest self;
        assert_ok(world_say(world, site, ask->close_letter), &world->error);
        ask->reveals[site] = world_answer(world, site, MESSAGE_REVEAL, &envelope);
        assert_ok(
            message_reveal_decode(&reveal, world->arena, envelope.body, envelope.body_length, &world->error),
            &world->error);
        assert_ok(seal_open(&opened, ask->rk, ask->rk_secret, reveal.sealed.data, reveal.sealed.length,
                            &world->error),
                  &world->error);
        assert_int_equal(opened.length, HASH_BYTES);
        memcpy(self.b, opened.data, HASH_BYTES);
        assert_true(reveal_matches(&self, &ask->masked[site].share.commit, &ask->psi));
        sum_unmask(sum, length, ask->runs, ask->start.n_runs, &self);
        bytes_clear(&opened);
    }
    ask->previous = ask->psi;
    free(part);
    return sum;
}

/* The same sum without masks, from the tables. The caller frees. */
static inline uint8_t *plain_sum(const struct asking *ask, struct world *world)
{
    uint8_t *sum = calloc(1, ask->plan.bytes + 1);
    for (size_t i = 0; i < ask->n_sites; i++)
        for (size_t k = 0; k < ask->plan.n; k++) {
            struct tally words = {0};
            if (!ask->plan.analyses[k].open)
                continue;
            assert_ok(tally_run(&words, ask->plan.analyses[k].spec, world->tables[ask->sites[i] - 1], NULL,
                                &world->error),
                      &world->error);
            tally_add(sum + ask->plan.analyses[k].offset, words.words.data, ask->plan.analyses[k].extents,
                      ask->plan.analyses[k].spec->n_blocks);
            tally_clear(&words);
        }
    return sum;
}

static inline struct letter end_letter(struct world *world, const struct asking *ask,
                                       const struct secret_keys *signer)
{
    struct bytes body = {0};
    struct message_end end;
    memcpy(end.qid, ask->manifest.qid, QID_BYTES);
    assert_ok(message_end_encode(&body, &end, &world->error), &world->error);
    return world_letter(world, MESSAGE_END, signer, &body);
}

static inline void ask_clear(struct asking *ask)
{
    round_plan_clear(&ask->plan);
}

#endif
