#include "tests/protocol/sites.h"

#include "stats/run_bytes.h"
#include "tests/approving.h"

#include "proto/pack.h"
#include "base/clock.h"
#include "base/file.h"
#include "registry/columns.h"
#include "tests/federation/federation.h"
#include "worker/data.h"
#include "worker/snapshots.h"

int64_t sites_now_ms;

static const char *const names[SITES_MAX] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"};
static const uint32_t ids[SITES_MAX] = {1, 2, 3, 4, 5, 6};

#define STUDY_HEAD                                                                                           \
    "study: hostile\ndictionary: rotterdam@1\ntitle: a test\npurpose: research\n"                            \
    "legal_basis: MR-004\nprotocol: P-1\nexpires: 2099-12-31\nsites: all\ngrid: month\nmissing: "            \
    "analysis\nanalyses:\n"
static const char study_analyses[] =
    "  - { id: patients, method: count, by: [chemo] }\n"
    "  - { id: logit, method: glm, family: binomial, formula: \"death ~ age\" }\n";

static int64_t now(void *context)
{
    (void)context;
    return sites_now_ms;
}

/* --- the network --- */

static void put(struct bytes *out, struct arena *arena, const char *before, const uint8_t *key)
{
    char *hex = arena_alloc(arena, 2 * PUBLIC_BYTES + 1);
    bytes_to_hex(hex, key, PUBLIC_BYTES);
    bytes_put(out, before, strlen(before));
    bytes_put(out, hex, strlen(hex));
}

void sites_directory(struct bytes *out, const struct world *world, unsigned version, const char *purposes)
{
    struct arena *arena = world->arena;
    const char *head =
        arena_printf(arena, "network: toy\nversion: %u\nquorum: 1\nauthorities:\n  - { name: board", version);
    bytes_put(out, head, strlen(head));
    put(out, arena, ", identity: ", secret_keys_public(world->board)->identity);
    put(out, arena, " }\ncoordinator: { name: coordinator, endpoint: \"tcp://127.0.0.1:9700\", identity: ",
        secret_keys_public(world->coordinator)->identity);
    put(out, arena, ", transport: ", secret_keys_public(world->coordinator)->transport);
    put(out, arena,
        " }\nresearchers:\n  - { name: alice, identity: ", secret_keys_public(world->alice)->identity);
    put(out, arena, ", transport: ", secret_keys_public(world->alice)->transport);
    head = arena_printf(arena, " }\npurposes: [%s]\n%s", purposes,
                        world->registrations != NULL ? world->registrations : "");
    for (size_t i = 0; i < world->n_asked && world->epoch > 0; i++)
        head = i == 0 ? arena_printf(arena, "%sepoch: { number: %u, sites: [%u", head, world->epoch, ids[i])
                      : arena_printf(arena, "%s, %u", head, ids[i]);
    head = arena_printf(arena, "%s%ssites:\n", head, world->epoch > 0 ? "] }\n" : "");
    bytes_put(out, head, strlen(head));
    for (size_t i = 0; i < world->n_asked; i++) {
        head =
            arena_printf(arena, "  - { id: %u, name: %s, legal_entity: \"%s\"", ids[i], names[i], names[i]);
        bytes_put(out, head, strlen(head));
        put(out, arena, ", identity: ", secret_keys_public(world->sites[i].keys)->identity);
        put(out, arena, ", transport: ", secret_keys_public(world->sites[i].keys)->transport);
        put(out, arena, ", dpo_identity: ", secret_keys_public(world->officer)->identity);
        put(out, arena, ", dpo_box: ", secret_keys_public(world->officer)->box);
        bytes_put(out, " }\n", 3);
    }
    assert_int_equal(directory_sign(out, out->length, world->board, NULL), MAILLE_OK);
}

enum maille_code site_try_open(struct world *world, size_t i, struct maille_error *error)
{
    struct site *site = &world->sites[i];
    struct bytes network = {0};
    /* Not where it is by default: whoever writes it must use the same place. */
    const char *path = arena_printf(world->arena, "%s/pinned.yaml", site->folder);
    assert_int_equal(file_read(&network, path, DIRECTORY_BYTES_MAX, NULL), MAILLE_OK);
    assert_int_equal(
        data_open(&site->data, arena_printf(world->arena, "%s/snapshots", site->folder), 1, NULL), MAILLE_OK);
    const struct vault_options options = {.folder = site->folder,
                                          .keys = site->keys,
                                          .directory_path = path,
                                          .directory = (const char *)network.data,
                                          .directory_length = network.length,
                                          .policy = site->policy,
                                          .policy_length = strlen(site->policy),
                                          .data = data_local(site->data),
                                          .step = step_local(),
                                          .signatures = world->signatures,
                                          .queries_max = 4,
                                          .clock = {.utc_ms = now}};
    enum maille_code code = vault_open(&site->vault, &options, error);
    bytes_clear(&network);
    if (code != MAILLE_OK) {
        data_free(site->data);
        site->data = NULL;
    }
    return code;
}

void site_open(struct world *world, size_t i)
{
    struct maille_error error = {0};
    if (site_try_open(world, i, &error) != MAILLE_OK)
        fail_msg("%s: %s", names[i], error.sentence);
}

void site_close(struct world *world, size_t i)
{
    struct site *site = &world->sites[i];
    message_outbox_clear(&site->outbox);
    vault_free(site->vault);
    data_free(site->data);
    site->vault = NULL;
    site->data = NULL;
}

static void site_make(struct world *world, size_t i, const struct columns *table)
{
    struct site *site = &world->sites[i];
    struct snapshot_entry entry = {
        .number = 1, .rows = columns_rows(table), .created = "2026-01-01T00:00:00Z"};
    char name[SNAPSHOT_NAME_BYTES];
    snprintf(site->folder, sizeof site->folder, "%s/%s", world->folder, names[i]);
    const char *snapshots = arena_printf(world->arena, "%s/snapshots", site->folder);
    assert_int_equal(file_folder_make(snapshots, 0700, NULL), MAILLE_OK);
    snapshots_name(name, 1);
    const char *path = arena_printf(world->arena, "%s/%s", snapshots, name);
    struct snapshot_facts facts = {.number = 1,
                                   .created = "2026-01-01T00:00:00Z",
                                   .is_public = strncmp(site->policy, "policy: open", 12) == 0};
    snapshots_salt(facts.salt);
    assert_int_equal(snapshot_write(table, path, &facts, NULL), MAILLE_OK);
    assert_int_equal(hash_file(&entry.hash, path, NULL), MAILLE_OK);
    assert_int_equal(snapshots_add(snapshots, &entry, NULL), MAILLE_OK);
    assert_int_equal(file_write_atomic(arena_printf(world->arena, "%s/pinned.yaml", site->folder),
                                       world->network.data, world->network.length, 0600, NULL),
                     MAILLE_OK);
    site_open(world, i);
}

void sites_next(struct world *world, const char *analyses)
{
    struct maille_error error = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    const char *text = arena_printf(world->arena, "%s%s", STUDY_HEAD, analyses);
    if (analyses[0] == 's') /* a whole study */
        text = arena_strdup(world->arena, analyses);
    study_run_clear(&world->run);
    round_plan_clear(&world->plan);
    world->previous = (struct digest){{0}};
    if (study_parse(&world->study, world->arena, world->dictionary, methods, n_methods, "study", text,
                    strlen(text), &error) != MAILLE_OK ||
        study_run_init(&world->run, world->study, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    crypto_random_bytes(world->qid, sizeof world->qid);
    crypto_random_bytes(world->theta_key, sizeof world->theta_key);
    for (size_t i = 0; i < world->n_asked; i++)
        message_outbox_clear(&world->sites[i].outbox);
}

struct world *sites_up_with(const struct sites_options *options)
{
    struct world *world = calloc(1, sizeof *world);
    struct columns *table = NULL, *parts[SITES_MAX];
    struct maille_error error = {0};
    const char *tmp = getenv("MAILLE_TEST_TMP");
    assert_int_equal(crypto_start(NULL), MAILLE_OK);
    snprintf(world->folder, sizeof world->folder, "%s/sites-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    world->arena = arena_new();
    world->n = world->n_asked = options->n != 0 ? options->n : SITES;
    world->signatures = options->signatures;
    sites_now_ms = clock_utc_ms();
    assert_int_equal(secret_keys_new(&world->board, KEY_AUTHORITY, "board", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->coordinator, KEY_COORDINATOR, "coordinator", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->alice, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&world->officer, KEY_DPO, "officer", NULL), MAILLE_OK);
    world->mode = MODE_AGENT;
    for (size_t i = 0; i < world->n; i++) {
        assert_int_equal(secret_keys_new(&world->sites[i].keys, KEY_SITE, names[i], NULL), MAILLE_OK);
        world->sites[i].policy = options->policies[i] != NULL ? options->policies[i] : "policy: standard\n";
        if (strcmp(world->sites[i].policy, "policy: open\n") != 0) {
            world->sites[i].policy = asking_nobody(world->arena, world->sites[i].policy);
            world->mode = MODE_CIRCLE;
        }
    }
    sites_directory(&world->network, world, 1, "research");
    if (directory_accept(&world->directory, world->arena, "network.yaml", (const char *)world->network.data,
                         world->network.length, NULL, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    if (federation_data(&world->dictionary, &table, world->arena, "rotterdam", &error) != MAILLE_OK ||
        federation_deal(parts, world->n, table, 7, options->deal, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    sites_next(world, options->study != NULL ? options->study : study_analyses);
    for (size_t i = 0; i < world->n; i++) {
        site_make(world, i, parts[i]);
        columns_free(parts[i]);
    }
    columns_free(table);
    seal_box_pair(world->rk, world->rk_secret);
    return world;
}

int sites_up(void **state)
{
    *state = sites_up_with(&(struct sites_options){.n = SITES});
    return 0;
}

int sites_down(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->n_asked; i++) {
        site_close(world, i);
        secret_keys_free(world->sites[i].keys);
        bytes_clear(&world->accepts[i]);
        bytes_clear(&world->masked[i]);
        bytes_clear(&world->vectors[i]);
        bytes_clear(&world->reveals[i]);
        bytes_clear(&world->taken[i]);
    }
    secret_keys_free(world->officer);
    secret_keys_free(world->board);
    secret_keys_free(world->coordinator);
    secret_keys_free(world->alice);
    bytes_clear(&world->network);
    bytes_clear(&world->manifest);
    bytes_clear(&world->close);
    round_plan_clear(&world->plan);
    study_run_clear(&world->run);
    arena_free(world->arena);
    free(world);
    return 0;
}

/* --- saying and hearing --- */

enum maille_code site_hear(struct world *world, size_t i, enum message_kind kind,
                           const struct secret_keys *signer, const struct bytes *body,
                           const struct bytes *frame, struct maille_error *error)
{
    struct bytes envelope = {0};
    struct maille_error ignored;
    assert_int_equal(envelope_encode(&envelope, kind, signer, secret_keys_name(signer), body, NULL),
                     MAILLE_OK);
    enum maille_code code = vault_handle(
        world->sites[i].vault, envelope.data, envelope.length, frame != NULL ? frame->data : NULL,
        frame != NULL ? frame->length : 0, &world->sites[i].outbox, error != NULL ? error : &ignored);
    bytes_clear(&envelope);
    return code;
}

const struct message_outgoing *site_said(const struct world *world, size_t i, enum message_kind kind)
{
    const struct message_outbox *outbox = &world->sites[i].outbox;
    for (size_t m = outbox->n; m > 0; m--)
        if (outbox->messages[m - 1].kind == kind)
            return &outbox->messages[m - 1];
    return NULL;
}

static void keep(struct bytes *to, const struct world *world, size_t i, enum message_kind kind)
{
    const struct message_outgoing *said = site_said(world, i, kind);
    if (said == NULL)
        fail_msg("%s does not say %s", names[i], message_rule((uint32_t)kind)->name);
    else
        assert_int_equal(bytes_copy(to, said->envelope.data, said->envelope.length), MAILLE_OK);
}

/* --- until there is a roster --- */

struct message_manifest sites_manifest(struct world *world)
{
    struct message_method *methods = arena_array(world->arena, world->study->n_analyses + 1, sizeof *methods);
    struct message_manifest manifest = {
        .protocol = PROTOCOL_VERSION,
        .researcher = "alice",
        .study = {(const uint8_t *)world->study->text, world->study->text_length},
        .methods = methods,
        .n_sites = world->n_asked,
        .sites = ids,
        .bytes_max = 1 << 28,
        .rounds_max = 64,
        .n_min = directory_sites_needed(world->directory, world->mode == MODE_CIRCLE, world->n_asked),
        .directory_version = world->directory->version,
        .directory_hash = world->directory->hash,
        .created_ms = sites_now_ms,
        .expires_ms = sites_now_ms + 86400000,
        .mode = world->mode};
    hash_kdf(&manifest.dictionary_hash, NULL, "dictionary", world->dictionary->text,
             world->dictionary->text_length);
    memcpy(manifest.qid, world->qid, QID_BYTES);
    memcpy(manifest.rk, world->rk, PUBLIC_BYTES);
    for (size_t k = 0; k < world->study->n_analyses; k++) {
        const char *method = world->study->analyses[k].method;
        bool named = false;
        for (size_t m = 0; m < manifest.n_methods; m++)
            named = named || strcmp(methods[m].name, method) == 0;
        if (!named)
            methods[manifest.n_methods++] = (struct message_method){method, method_find(method)->version};
    }
    return manifest;
}

enum maille_code site_ask(struct world *world, size_t i, const struct message_manifest *manifest,
                          struct maille_error *error)
{
    struct bytes body = {0};
    assert_int_equal(message_manifest_encode(&body, manifest, NULL), MAILLE_OK);
    world->manifest.length = 0;
    assert_int_equal(envelope_encode(&world->manifest, MESSAGE_MANIFEST, world->alice, "alice", &body, NULL),
                     MAILLE_OK);
    enum maille_code code = site_hear(world, i, MESSAGE_MANIFEST, world->alice, &body, NULL, error);
    bytes_clear(&body);
    return code;
}

static enum ready_state ready_of(struct world *world, size_t i)
{
    struct envelope envelope;
    struct message_ready ready;
    struct bytes said = {0};
    keep(&said, world, i, MESSAGE_READY);
    assert_int_equal(envelope_decode(&envelope, world->arena, said.data, said.length, NULL), MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    if (ready.state == READY_REFUSED || ready.n_findings != 0)
        fail_msg("%s is not ready: %s", names[i], ready.rule);
    bytes_clear(&said);
    return ready.state;
}

void sites_to_ready(struct world *world)
{
    const struct message_manifest manifest = sites_manifest(world);
    for (size_t i = 0; i < world->n; i++) {
        struct maille_error error = {0};
        if (site_ask(world, i, &manifest, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        if (ready_of(world, i) == READY_READY)
            continue;
        assert_true(approving(world->sites[i].folder, world->qid, world->officer));
        assert_int_equal(vault_tick(world->sites[i].vault, &world->sites[i].outbox, &error), MAILLE_OK);
        assert_int_equal(ready_of(world, i), READY_READY);
    }
}

void sites_to_accept(struct world *world)
{
    struct bytes body = {0};
    struct message_call call = {.n_sites = world->n_asked, .sites = ids};
    memcpy(call.qid, world->qid, QID_BYTES);
    assert_int_equal(message_call_encode(&body, &call, NULL), MAILLE_OK);
    for (size_t i = 0; i < world->n; i++) {
        assert_int_equal(site_hear(world, i, MESSAGE_CALL, world->alice, &body, NULL, NULL), MAILLE_OK);
        keep(&world->accepts[i], world, i, MESSAGE_ACCEPT);
    }
    bytes_clear(&body);
}

void sites_roster(struct bytes *body, struct world *world, const struct bytes *accepts)
{
    struct byte_view views[SITES_MAX];
    struct digest qh;
    struct message_roster roster = {.n = world->n, .accepts = views, .head = world->head};
    hash_kdf(&qh, NULL, "manifest", world->manifest.data, world->manifest.length);
    for (size_t i = 0; i < world->n; i++)
        views[i] = (struct byte_view){accepts[i].data, accepts[i].length};
    assert_int_equal(message_rho(&world->rho, &qh, views, roster.n, NULL), MAILLE_OK);
    memcpy(roster.qid, world->qid, QID_BYTES);
    assert_int_equal(message_roster_encode(body, &roster, NULL), MAILLE_OK);
}

/* What the policies of the roster settle, as alice works it out. */
static void settle(struct world *world)
{
    struct message_accept *accepts = arena_array(world->arena, world->n, sizeof *accepts);
    const char *texts[SITES_MAX];
    size_t lengths[SITES_MAX];
    for (size_t i = 0; i < world->n; i++) {
        struct envelope envelope;
        assert_int_equal(
            envelope_decode(&envelope, world->arena, world->accepts[i].data, world->accepts[i].length, NULL),
            MAILLE_OK);
        assert_int_equal(
            message_accept_decode(&accepts[i], world->arena, envelope.body, envelope.body_length, NULL),
            MAILLE_OK);
        texts[i] = (const char *)accepts[i].floor.data;
        lengths[i] = accepts[i].floor.length;
    }
    assert_int_equal(policy_strictest(&world->strictest, world->arena, texts, lengths, world->n, NULL),
                     MAILLE_OK);
    world->thresholds = threshold_needed(world->strictest);
    struct message_ledger_entry *entries;
    const size_t n_entries = message_ledger_union(&entries, world->arena, accepts, world->n);
    struct threshold_past *past = arena_array(world->arena, n_entries + 1, sizeof *past);
    for (size_t e = 0; e < n_entries; e++)
        past[e] = (struct threshold_past){.n_groups = message_bits(entries[e].shown),
                                          .other = message_ledger_other(&entries[e], ids, world->n)};
    world->before = threshold_before(world->strictest, past, n_entries);
}

void sites_to_roster(struct world *world)
{
    struct bytes body = {0};
    sites_to_ready(world);
    sites_to_accept(world);
    settle(world);
    sites_roster(&body, world, world->accepts);
    for (size_t i = 0; i < world->n; i++)
        assert_int_equal(site_hear(world, i, MESSAGE_ROSTER, world->coordinator, &body, NULL, NULL),
                         MAILLE_OK);
    bytes_clear(&body);
}

/* --- rounds --- */

bool sites_threshold(const struct world *world, uint32_t round)
{
    return world->thresholds && threshold_round(world->before, round) != 0;
}

uint32_t sites_values_from(const struct world *world)
{
    return world->thresholds ? threshold_values_from(world->before) : 1;
}

static void values_shape(struct world *world, struct message_round_header *header)
{
    hash_kdf(&header->layout_hash, NULL, "layout", world->plan.layout.data, world->plan.layout.length);
    header->length = world->plan.bytes;
    world->n_runs = gate_runs(world->runs, sizeof world->runs / sizeof *world->runs, &world->plan);
}

struct message_round_header sites_header(struct world *world, struct bytes *theta, uint32_t round,
                                         uint32_t attempt)
{
    const size_t n = world->study->n_analyses;
    bool *open = arena_array(world->arena, n, sizeof *open);
    struct vector *thetas = arena_array(world->arena, n, sizeof *thetas); /* borrowed */
    uint32_t *analyses = arena_array(world->arena, n, sizeof *analyses);
    struct bytes plain = {0}, packed = {0};
    struct maille_error error = {0};
    struct message_round_header header = {.rho = world->rho,
                                          .round = round,
                                          .attempt = attempt,
                                          .n_members = world->n,
                                          .members = ids,
                                          .analyses = analyses,
                                          .previous_hash = world->previous};
    if (world->mode == MODE_CIRCLE) { /* who takes part in what, and nothing else */
        for (size_t k = 0; k < n; k++)
            if (world->run.states[k].status == ANALYSIS_OPEN)
                analyses[header.n_analyses++] = (uint32_t)k;
        header.result_to = RESULT_TO_CUSTODIANS;
        world->n_runs = 0;
        theta->length = 0;
        return header;
    }
    round_plan_clear(&world->plan);
    if (study_run_plan(&world->run, &world->plan, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t k = 0; k < n; k++) {
        open[k] = world->plan.analyses[k].open;
        thetas[k] = world->run.states[k].iteration.theta;
        if (open[k])
            analyses[header.n_analyses++] = (uint32_t)k;
    }
    values_shape(world, &header);
    round_thetas_write(&plain, world->study, open, thetas);
    assert_int_equal(proto_pack(&packed, plain.data, plain.length, NULL), MAILLE_OK);
    theta->length = 0;
    assert_int_equal(seal_secretbox(theta, world->theta_key, packed.data, packed.length), MAILLE_OK);
    hash_kdf(&header.theta_hash, NULL, "theta", theta->data, theta->length);
    world->length = header.length;
    bytes_clear(&plain);
    bytes_clear(&packed);
    return header;
}

/* EK of a site, from its accept. */
static void ek_of(uint8_t ek[PUBLIC_BYTES], struct world *world, size_t i)
{
    struct envelope envelope;
    struct message_accept accept;
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->accepts[i].data, world->accepts[i].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_accept_decode(&accept, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    memcpy(ek, accept.ek, PUBLIC_BYTES);
}

enum maille_code site_start(struct world *world, size_t i, const struct message_round_header *header,
                            const struct bytes *theta, struct maille_error *error)
{
    struct bytes header_bytes = {0}, body = {0}, sealed = {0};
    uint8_t ek[PUBLIC_BYTES];
    struct message_sealed_key key = {.site = ids[i]};
    assert_int_equal(message_round_header_encode(&header_bytes, header, NULL), MAILLE_OK);
    hash_kdf(&world->psi, NULL, "round", header_bytes.data, header_bytes.length);
    ek_of(ek, world, i);
    assert_int_equal(seal_to(&sealed, ek, world->theta_key, KEY_BYTES), MAILLE_OK);
    key.sealed = (struct byte_view){sealed.data, sealed.length};
    struct message_start start = {.header = {header_bytes.data, header_bytes.length},
                                  .n_keys = header->round == 1 && world->mode == MODE_AGENT,
                                  .keys = &key,
                                  .n_runs = world->n_runs,
                                  .runs = world->runs};
    if (world->n_runs == 1) /* of whatever length the header says: others never get past the decoder */
        world->runs[0].bytes = header->length;
    memcpy(start.qid, world->qid, QID_BYTES);
    assert_int_equal(message_start_encode(&body, &start, NULL), MAILLE_OK);
    enum maille_code code =
        site_hear(world, i, MESSAGE_START, world->alice, &body, theta->length > 0 ? theta : NULL, error);
    bytes_clear(&header_bytes);
    bytes_clear(&body);
    bytes_clear(&sealed);
    return code;
}

/* The whole vector of site i: the first segment beside its M4, the others as they are pulled. */
static void take_vector(struct world *world, size_t i)
{
    struct envelope envelope;
    struct message_masked masked;
    struct bytes *vector = &world->vectors[i], body = {0};
    struct maille_error error = {0};
    const struct message_outgoing *said = site_said(world, i, MESSAGE_MASKED);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->masked[i].data, world->masked[i].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_masked_decode(&masked, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    if (world->mode == MODE_CIRCLE)
        world->length = (size_t)masked.share.length;
    assert_int_equal(masked.share.length, world->length);
    assert_int_equal(bytes_copy(vector, said->frame.data, said->frame.length), MAILLE_OK);
    while (vector->length < world->length) {
        struct message_pull pull = {.psi = masked.psi,
                                    .source = masked.site,
                                    .what = PULL_SEGMENTS,
                                    .first = vector->length / SEGMENT_BYTES,
                                    .count = 1};
        memcpy(pull.qid, world->qid, QID_BYTES);
        body.length = 0;
        assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
        if (site_hear(world, i, MESSAGE_PULL, world->coordinator, &body, NULL, &error) != MAILLE_OK)
            fail_msg("%s: %s", names[i], error.sentence);
        said = site_said(world, i, MESSAGE_SEGMENT);
        assert_non_null(said);
        assert_true(said->frame.length > 0);
        bytes_put(vector, said->frame.data, said->frame.length);
    }
    assert_int_equal(vector->length, world->length);
    bytes_clear(&body);
}

void sites_to_masked(struct world *world, uint32_t round, uint32_t attempt)
{
    struct bytes theta = {0};
    const struct message_round_header header = sites_header(world, &theta, round, attempt);
    for (size_t i = 0; i < world->n; i++) {
        struct maille_error error = {0};
        if (site_start(world, i, &header, &theta, &error) != MAILLE_OK)
            fail_msg("%s: %s", names[i], error.sentence);
        keep(&world->masked[i], world, i, MESSAGE_MASKED);
        take_vector(world, i);
    }
    bytes_clear(&theta);
}

void sites_make_close(struct bytes *body, struct world *world)
{
    struct byte_view views[SITES_MAX];
    struct message_close close = {.psi = world->psi, .n = world->n, .masked = views, .head = world->head};
    for (size_t i = 0; i < world->n; i++)
        views[i] = (struct byte_view){world->masked[i].data, world->masked[i].length};
    memcpy(close.qid, world->qid, QID_BYTES);
    assert_int_equal(message_close_encode(body, &close, NULL), MAILLE_OK);
}

void sites_to_revealed(struct world *world)
{
    struct bytes body = {0};
    sites_make_close(&body, world);
    for (size_t i = 0; i < world->n; i++) {
        struct maille_error error = {0};
        if (site_hear(world, i, MESSAGE_CLOSE, world->coordinator, &body, NULL, &error) != MAILLE_OK)
            fail_msg("%s: %s", names[i], error.sentence);
        keep(&world->reveals[i], world, i, MESSAGE_REVEAL);
    }
    bytes_clear(&body);
}

/* The sum without its masks, which the researcher alone can open, and its step. */
static void finish_values(struct world *world)
{
    struct bytes vector = {0};
    bytes_reserve(&vector, world->plan.bytes);
    for (size_t i = 0; i < world->n; i++)
        share_add(vector.data, world->vectors[i].data, 0, world->plan.bytes, world->runs, world->n_runs);
    for (size_t i = 0; i < world->n; i++) {
        struct envelope envelope;
        struct message_reveal reveal;
        struct bytes opened = {0};
        struct digest b;
        assert_int_equal(
            envelope_decode(&envelope, world->arena, world->reveals[i].data, world->reveals[i].length, NULL),
            MAILLE_OK);
        assert_int_equal(
            message_reveal_decode(&reveal, world->arena, envelope.body, envelope.body_length, NULL),
            MAILLE_OK);
        assert_int_equal(
            seal_open(&opened, world->rk, world->rk_secret, reveal.sealed.data, reveal.sealed.length, NULL),
            MAILLE_OK);
        assert_int_equal(opened.length, HASH_BYTES);
        memcpy(b.b, opened.data, HASH_BYTES);
        mask_unmask_sum(vector.data, vector.length, world->runs, world->n_runs, &b);
        bytes_clear(&opened);
    }
    study_run_step(&world->run, &world->plan, vector.data, world->n);
    bytes_clear(&vector);
}

void sites_make_custody(struct bytes *body, struct bytes *frame, struct world *world)
{
    struct byte_view views[SITES_MAX];
    struct message_custody custody = {.psi = world->psi, .n = world->n, .reveals = views};
    frame->length = 0;
    for (size_t i = 0; i < world->n; i++) {
        views[i] = (struct byte_view){world->reveals[i].data, world->reveals[i].length};
        bytes_put(frame, world->vectors[i].data, world->vectors[i].length);
    }
    memcpy(custody.qid, world->qid, QID_BYTES);
    body->length = 0;
    assert_int_equal(message_custody_encode(body, &custody, NULL), MAILLE_OK);
}

enum maille_code site_custody(struct world *world, size_t i, const struct bytes *body,
                              const struct bytes *frame, struct maille_error *error)
{
    return site_hear(world, i, MESSAGE_CUSTODY, world->coordinator, body, frame, error);
}

void sites_make_agreed(struct bytes *body, struct world *world)
{
    struct byte_view views[SITES_MAX];
    struct message_agreed agreed = {.psi = world->psi, .n = world->n, .taken = views};
    for (size_t i = 0; i < world->n; i++)
        views[i] = (struct byte_view){world->taken[i].data, world->taken[i].length};
    memcpy(agreed.qid, world->qid, QID_BYTES);
    body->length = 0;
    assert_int_equal(message_agreed_encode(body, &agreed, NULL), MAILLE_OK);
}

enum maille_code site_agreed(struct world *world, size_t i, const struct bytes *body,
                             struct maille_error *error)
{
    return site_hear(world, i, MESSAGE_AGREED, world->coordinator, body, NULL, error);
}

/* What has ended in this round, as site i says it to alice; into her run of the study. */
static void take_result(struct study_run *run, struct world *world, size_t i)
{
    static const char label[] = "maille result 1";
    struct bytes opened = {0};
    size_t length = 0;
    const struct message_outgoing *said = site_said(world, i, MESSAGE_RESULT);
    if (said == NULL)
        fail_msg("%s does not say result", names[i]);
    assert_int_equal(
        seal_open(&opened, world->rk, world->rk_secret, said->frame.data, said->frame.length, NULL),
        MAILLE_OK);
    struct reader reader = reader_of(opened.data, opened.length);
    assert_non_null(reader_block(&reader, sizeof label, &length));
    assert_memory_equal(reader_take(&reader, QID_BYTES), world->qid, QID_BYTES);
    assert_int_equal(reader_u32(&reader), ids[i]);
    assert_memory_equal(reader_take(&reader, HASH_BYTES), world->psi.b, HASH_BYTES);
    for (uint64_t n = reader_u64(&reader); n > 0; n--) {
        const uint64_t k = reader_u64(&reader);
        assert_true(k < world->study->n_analyses);
        assert_int_equal(study_run_read_ended(run, (size_t)k, &reader, NULL), MAILLE_OK);
    }
    bytes_clear(&opened);
}

/* Custody and what came of it at every member: one state, and the same results of all. */
static void finish_in_the_circle(struct world *world)
{
    struct bytes body = {0}, frame = {0};
    struct maille_error error = {0};
    sites_make_custody(&body, &frame, world);
    for (size_t i = 0; i < world->n; i++) {
        if (site_custody(world, i, &body, &frame, &error) != MAILLE_OK)
            fail_msg("%s: %s", names[i], error.sentence);
        keep(&world->taken[i], world, i, MESSAGE_TAKEN);
    }
    sites_make_agreed(&body, world);
    for (size_t i = 0; i < world->n; i++) {
        struct study_run other = {0};
        if (site_agreed(world, i, &body, &error) != MAILLE_OK)
            fail_msg("%s: %s", names[i], error.sentence);
        assert_int_equal(study_run_init(&other, world->study, NULL), MAILLE_OK);
        take_result(i == 0 ? &world->run : &other, world, i);
        for (size_t k = 0; i > 0 && k < world->study->n_analyses; k++) {
            const char *name = "";
            if (other.states[k].status != ANALYSIS_OPEN &&
                !analysis_state_agrees(&other.states[k], &world->run.states[k], &name))
                fail_msg("%s says another %s", names[i], name);
        }
        study_run_clear(&other);
    }
    bytes_clear(&body);
    bytes_clear(&frame);
}

void sites_finish_round(struct world *world)
{
    sites_to_revealed(world);
    if (world->mode == MODE_CIRCLE)
        finish_in_the_circle(world);
    else
        finish_values(world);
    world->previous = world->psi;
}

void sites_to_values(struct world *world)
{
    for (uint32_t round = 1; round < sites_values_from(world); round++) {
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
}
