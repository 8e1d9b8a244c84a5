/* One query as an honest researcher and an honest coordinator speak it to the vaults of a world
 * (tests/vault/testing.h): a test changes one thing before a step. Included by tests alone. */
#ifndef VAULT_ASKING_H
#define VAULT_ASKING_H

#include "proto/pack.h"
#include "tests/vault/testing.h"

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
    seal_box_pair(ask->rk, ask->rk_secret);
    crypto_random_bytes(ask->theta_key, sizeof ask->theta_key);
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
                                  .expires_ms = world_now_ms() + (int64_t)7 * 86400 * 1000,
                                  .mode = MODE_AGENT};
    crypto_random_bytes(ask->manifest.qid, QID_BYTES);
    memcpy(ask->manifest.rk, ask->rk, PUBLIC_BYTES);
    hash_kdf(&ask->manifest.dictionary_hash, NULL, "dictionary", world->dictionary_text,
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
    struct message_roster roster = {.n = n, .accepts = views, .head = world->head};
    for (size_t i = 0; i < n; i++)
        views[i] = (struct byte_view){accepts[i].envelope, accepts[i].length};
    memcpy(roster.qid, ask->manifest.qid, QID_BYTES);
    assert_ok(message_roster_encode(&body, &roster, &world->error), &world->error);
    return world_letter(world, MESSAGE_ROSTER, signer, &body);
}

static inline void ask_rho(struct asking *ask)
{
    struct byte_view views[WORLD_SITES];
    struct digest qh;
    hash_kdf(&qh, NULL, "manifest", ask->manifest_letter.envelope, ask->manifest_letter.length);
    for (size_t s = 0; s < ask->n_sites; s++)
        views[s] = (struct byte_view){ask->accept[s].envelope, ask->accept[s].length};
    assert_int_equal(message_rho(&ask->rho, &qh, views, ask->n_sites, NULL), MAILLE_OK);
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
    assert_ok(round_plan(&ask->plan, ask->study, open, thetas, NULL, 0, &world->error), &world->error);
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
    round_thetas_write(&plain, ask->study, open, thetas);
    assert_ok(proto_pack(&packed, plain.data, plain.length, &world->error), &world->error);
    assert_ok(seal_secretbox(&sealed, ask->theta_key, packed.data, packed.length), &world->error);
    ask->start_letter.frame =
        (const uint8_t *)arena_strndup(world->arena, (const char *)sealed.data, sealed.length);
    ask->start_letter.frame_length = sealed.length;
    hash_kdf(&ask->header.theta_hash, NULL, "theta", sealed.data, sealed.length);
    hash_kdf(&ask->header.layout_hash, NULL, "layout", ask->plan.layout.data, ask->plan.layout.length);
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
    hash_kdf(&ask->psi, NULL, "round", header.data, header.length);
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
    struct message_close message = {.psi = *psi, .n = n, .masked = views, .head = world->head};
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
    uint64_t length = ask->masked[site].share.length, n = hash_segment_count((size_t)length);
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
    hash_vector(&root, out, (size_t)length);
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
        assert_true(mask_reveal_matches(&self, &ask->masked[site].share.commit, &ask->psi));
        mask_unmask_sum(sum, length, ask->runs, ask->start.n_runs, &self);
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
