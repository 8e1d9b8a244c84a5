/* A network in one process, for the tests of the vault: real keys, real snapshots, real vaults; the test
 * itself speaks as researcher and as coordinator, honestly or not. Included by tests alone. */
#ifndef VAULT_TESTING_H
#define VAULT_TESTING_H

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
#include "worker/data.h"
#include "worker/snapshots.h"
#include "vault/vault.h"

enum { WORLD_SITES = 6, WORLD_ROWS = 40 };

struct world {
    char folder[512];
    struct arena *arena;
    struct secret_keys *authority, *coordinator, *researcher, *officer, *sites[WORLD_SITES];
    const char *network;       /* signed text */
    const char *registrations; /* lines of the directory; NULL: none */
    const struct directory *directory;
    const char *dictionary_text;
    const struct dictionary *dictionary;
    struct columns *tables[WORLD_SITES];
    struct data *data[WORLD_SITES];
    struct vault *vaults[WORLD_SITES];
    const char *policy;
    size_t queries_max;
    struct message_head head;  /* of the log that the coordinator, which has none here, shows */
    struct message_outbox out; /* what the last message was answered with */
    struct maille_error error;
};

/* The clock that the vaults see: the real one, moved. */
static int64_t world_shift_ms;

static inline int64_t world_now_ms(void)
{
    return clock_utc_ms() + world_shift_ms;
}

static inline int64_t world_clock(void *context)
{
    (void)context;
    return world_now_ms();
}

static const char world_dictionary[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                       "  - { name: arm, type: category, levels: [a, b] }\n"
                                       "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
                                       "  - { name: time, type: duration, units: days, min: 0, max: 9000 }\n"
                                       "  - { name: death, type: boolean }\n";

static inline const char *world_hex(struct world *world, const uint8_t *data, size_t length)
{
    char *text = arena_alloc(world->arena, 2 * length + 1);
    bytes_to_hex(text, data, length);
    return text;
}

/* The directory, signed by the authority. site-6's legal entity is that of site-5 where `twins` is set. */
static inline const char *world_network(struct world *world, unsigned version, bool twins,
                                        const struct secret_keys *signer)
{
    const struct public_keys *c = secret_keys_public(world->coordinator),
                             *r = secret_keys_public(world->researcher),
                             *o = secret_keys_public(world->officer);
    uint8_t signature[SIGNATURE_BYTES];
    const char *text = arena_printf(
        world->arena,
        "network: toy\nversion: %u\nquorum: 1\nauthorities:\n  - { name: board, identity: %s }\n"
        "coordinator: { name: coordinator, endpoint: \"tcp://127.0.0.1:9700\", identity: %s, transport: %s "
        "}\n"
        "researchers:\n  - { name: alice, identity: %s, transport: %s }\npurposes: [care]\n%s"
        "timeouts: { ready: 5s, accept: 5s, masked: 5s, reveal: 5s, lifetime: 7d, round_idle: 1h }\nsites:\n",
        version, world_hex(world, secret_keys_public(world->authority)->identity, 32),
        world_hex(world, c->identity, 32), world_hex(world, c->transport, 32),
        world_hex(world, r->identity, 32), world_hex(world, r->transport, 32),
        world->registrations != NULL ? world->registrations : "");
    for (int s = 0; s < WORLD_SITES; s++) {
        const struct public_keys *k = secret_keys_public(world->sites[s]);
        text = arena_printf(
            world->arena,
            "%s  - { id: %d, name: site-%d, legal_entity: \"entity %d\", identity: %s, transport: %s, "
            "dpo_identity: %s, dpo_box: %s }\n",
            text, s + 1, s + 1, twins && s == 5 ? 5 : s + 1, world_hex(world, k->identity, 32),
            world_hex(world, k->transport, 32), world_hex(world, o->identity, 32),
            world_hex(world, o->box, 32));
    }
    assert_ok(identity_sign(signature, signer, "directory", text, strlen(text), &world->error),
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
    snapshots_salt(facts.salt);
    assert_ok(snapshot_write(world->tables[site], snapshot, &facts, &world->error), &world->error);
    assert_ok(hash_file(&entry.hash, snapshot, &world->error), &world->error);
    assert_ok(snapshots_add(world_path(world, site, "snapshots"), &entry, &world->error), &world->error);
    import_report_clear(&report);
    bytes_clear(&csv);
}

static inline struct vault_options world_options(struct world *world, int site)
{
    return (struct vault_options){.folder = world_path(world, site, ""),
                                  .keys = world->sites[site],
                                  .directory = world->network,
                                  .directory_length = strlen(world->network),
                                  .policy = world->policy,
                                  .policy_length = strlen(world->policy),
                                  .data = data_local(world->data[site]),
                                  .step = step_local(),
                                  .queries_max = world->queries_max,
                                  .clock = {.utc_ms = world_clock}};
}

static inline enum maille_code world_try_open(struct world *world, int site)
{
    const struct vault_options options = world_options(world, site);
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
    world->officer = world_keys(world, KEY_DPO, "officer"); /* of every site */
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
        assert_ok(file_folder_make(world_path(world, s, "snapshots"), 0700, &world->error), &world->error);
        world_import(world, s, is_public);
        assert_ok(data_open(&world->data[s], world_path(world, s, "snapshots"), 1, &world->error),
                  &world->error);
        world_open(world, s);
    }
    return world;
}

static inline void world_free(struct world *world)
{
    message_outbox_clear(&world->out);
    for (int s = 0; s < WORLD_SITES; s++) {
        vault_free(world->vaults[s]);
        data_free(world->data[s]);
        columns_free(world->tables[s]);
        secret_keys_free(world->sites[s]);
    }
    secret_keys_free(world->authority);
    secret_keys_free(world->coordinator);
    secret_keys_free(world->researcher);
    secret_keys_free(world->officer);
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
    message_outbox_clear(&world->out);
    world->error = (struct maille_error){0};
    return vault_handle(world->vaults[site], letter.envelope, letter.length, letter.frame,
                        letter.frame_length, &world->out, &world->error);
}

/* The one answer, decoded; it must be of this kind and signed by the site. */
static inline struct letter world_answer(struct world *world, int site, enum message_kind kind,
                                         struct envelope *envelope)
{
    assert_int_equal(world->out.n, 1);
    const struct message_outgoing *message = &world->out.messages[0];
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

#endif
