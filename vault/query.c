#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "vault/published.h"
#include "vault/spool.h"

/* How long after its expiry the qid of a query stays taken: no manifest is believed that was made more than
 * this ahead. */
enum { TAKEN_AFTER_MS = 5 * 60 * 1000, ENVELOPE_BYTES_MAX = MESSAGE_BODY_MAX + 1024 };

enum maille_code vault_query_new(struct query **query, const struct vault *vault,
                                 const uint8_t qid[QID_BYTES], struct maille_error *error)
{
    char hex[2 * QID_BYTES + 1];
    enum maille_code code = MAILLE_OK;
    struct query *made = calloc(1, sizeof *made);
    if (made == NULL || (made->arena = arena_new()) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a query");
        goto out;
    }
    memcpy(made->qid, qid, QID_BYTES);
    bytes_to_hex(hex, qid, QID_BYTES);
    MAILLE_TRY(file_path_join(made->folder, sizeof made->folder, vault->state_folder, hex, error));
    made->state = QUERY_NONE;
    *query = made;
    made = NULL;
out:
    vault_query_free(made);
    return code;
}

static void attempt_clear(struct attempt *attempt)
{
    arena_free(attempt->arena);
    bytes_clear(&attempt->reply);
    *attempt = (struct attempt){0};
}

void vault_query_free(struct query *query)
{
    if (query == NULL)
        return;
    journal_close(query->journal);
    attempt_clear(&query->attempt);
    custody_clear(&query->custody);
    circle_clear(&query->circle);
    query_secrets_free(query->secrets);
    crypto_wipe(query->theta_key, sizeof query->theta_key);
    bytes_clear(&query->manifest_envelope);
    bytes_clear(&query->ready_envelope);
    bytes_clear(&query->accept_envelope);
    bytes_clear(&query->roster_envelope);
    bytes_clear(&query->reveal_envelope);
    arena_free(query->arena);
    free(query);
}

struct query *vault_query_find(const struct vault *vault, const uint8_t qid[QID_BYTES])
{
    struct query *query = vault->queries;
    while (query != NULL && memcmp(query->qid, qid, QID_BYTES) != 0)
        query = query->next;
    return query;
}

/* --- records --- */

static void put_envelope(struct bytes *out, const struct envelope *envelope)
{
    bytes_put_block(out, envelope->bytes, envelope->length);
}

void vault_record_manifest(struct bytes *out, int64_t now_ms, const struct envelope *manifest,
                           const struct data_facts *facts, enum ready_state state, const struct bytes *ready)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    bytes_put_u32(out, (uint32_t)state);
    bytes_put_u32(out, facts->number);
    bytes_put(out, facts->hash.b, HASH_BYTES);
    bytes_put_block(out, facts->dictionary, facts->dictionary_length);
    put_envelope(out, manifest);
    bytes_put_block(out, ready->data, ready->length);
}

enum maille_code vault_record_accept(struct bytes *out, const struct vault *vault, int64_t now_ms,
                                     const struct query_secrets *secrets, const struct data_facts *facts,
                                     const struct bytes *accept, const struct published *published,
                                     struct maille_error *error)
{
    struct bytes stored = {0};
    enum maille_code code = query_secrets_store(&stored, secrets, vault->state_key.b);
    if (code == MAILLE_OK) {
        bytes_put_u64(out, (uint64_t)now_ms);
        bytes_put_u32(out, facts->number);
        bytes_put(out, facts->hash.b, HASH_BYTES);
        bytes_put_block(out, stored.data, stored.length);
        bytes_put_block(out, accept->data, accept->length);
        vault_published_write(out, published);
        code = bytes_check(out, error);
    }
    bytes_wipe(&stored);
    return code;
}

void vault_record_roster(struct bytes *out, int64_t now_ms, const struct envelope *roster)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    put_envelope(out, roster);
}

void vault_record_start(struct bytes *out, int64_t now_ms, const struct byte_view *header,
                        const struct digest *mask_psi, const uint8_t theta_key[KEY_BYTES], bool masked,
                        const struct digest *vector, const struct bytes *reply)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    bytes_put_block(out, header->data, header->length);
    bytes_put(out, mask_psi->b, HASH_BYTES);
    bytes_put(out, theta_key, KEY_BYTES);
    bytes_put_u8(out, masked);
    bytes_put(out, vector->b, HASH_BYTES);
    bytes_put_block(out, reply->data, reply->length);
}

void vault_record_reveal(struct bytes *out, int64_t now_ms, const struct digest *close_hash,
                         const struct bytes *reveal, const struct member_proof *proofs, size_t n)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    bytes_put(out, close_hash->b, HASH_BYTES);
    bytes_put_block(out, reveal->data, reveal->length);
    for (size_t i = 0; i < n; i++) {
        bytes_put(out, proofs[i].vector.b, HASH_BYTES);
        bytes_put(out, proofs[i].commit.b, HASH_BYTES);
    }
}

void vault_record_stepped(struct bytes *out, int64_t now_ms, const struct digest *key,
                          const struct digest *tag, const struct bytes *result, const struct bytes *run,
                          const struct bytes *taken)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    bytes_put(out, key->b, HASH_BYTES);
    bytes_put(out, tag->b, HASH_BYTES);
    bytes_put_block(out, result->data, result->length);
    bytes_put_block(out, run->data, run->length);
    bytes_put_block(out, taken->data, taken->length);
}

void vault_record_agreed(struct bytes *out, int64_t now_ms, const struct bytes *envelope)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    bytes_put_block(out, envelope->data, envelope->length);
}

void vault_record_ready(struct bytes *out, int64_t now_ms, enum ready_state state, const struct query *query,
                        const struct data_facts *facts, const struct bytes *ready)
{
    bytes_put_u64(out, (uint64_t)now_ms);
    bytes_put_u32(out, (uint32_t)state);
    bytes_put_u32(out, facts->number);
    bytes_put(out, facts->hash.b, HASH_BYTES);
    bytes_put_u8(out, query->approved);
    bytes_put(out, query->pending.b, HASH_BYTES);
    bytes_put(out, query->basis.b, HASH_BYTES);
    bytes_put_u32(out, (uint32_t)query->n_approved);
    for (size_t k = 0; k < query->n_approved; k++)
        bytes_put(out, query->approved_words[k].b, HASH_BYTES);
    bytes_put_block(out, ready->data, ready->length);
}

/* --- reading them --- */

static enum maille_code take_bytes(struct bytes *out, struct reader *reader, struct maille_error *error)
{
    size_t length = 0;
    const uint8_t *data = reader_block(reader, ENVELOPE_BYTES_MAX, &length);
    if (data == NULL || length == 0)
        return maille_fail(error, MAILLE_CORRUPT, "expected a message in a record of a query, found none");
    return bytes_copy(out, data, length);
}

static void take_digest(struct digest *out, struct reader *reader)
{
    const uint8_t *data = reader_take(reader, HASH_BYTES);
    if (data != NULL)
        memcpy(out->b, data, HASH_BYTES);
}

static enum maille_code done(const struct reader *reader, struct maille_error *error)
{
    return reader_done(reader)
               ? MAILLE_OK
               : maille_fail(error, MAILLE_CORRUPT, "expected the end of a record of a query");
}

static enum maille_code decode_manifest(struct query *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    const struct byte_view bytes = {query->manifest_envelope.data, query->manifest_envelope.length};
    MAILLE_TRY(message_within(&in, query->arena, &bytes, MESSAGE_MANIFEST, NULL, 0, error));
    query->manifest = in.body.manifest;
    hash_kdf(&query->manifest_hash, NULL, "manifest", query->manifest_envelope.data,
             query->manifest_envelope.length);
    if (memcmp(query->manifest.qid, query->qid, QID_BYTES) != 0)
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected the state of the query that its folder names, found another's");
out:
    return code;
}

/* A study that does not parse was refused; its query is kept so that the same answer can be given again. */
static void read_study(struct query *query, const char *dictionary, size_t length)
{
    struct maille_error ignored;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    if (length == 0 || dictionary_parse(&query->dictionary, query->arena, "dictionary", dictionary, length,
                                        &ignored) != MAILLE_OK)
        return;
    if (study_parse(&query->study, query->arena, query->dictionary, methods, n_methods, "study",
                    (const char *)query->manifest.study.data, query->manifest.study.length,
                    &ignored) != MAILLE_OK)
        query->study = NULL;
}

static enum query_state state_of(uint32_t ready)
{
    return ready == READY_READY ? QUERY_READY : ready == READY_HELD ? QUERY_HELD : QUERY_REFUSED;
}

static enum maille_code apply_manifest(struct query *query, struct reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t length = 0;
    uint32_t state = reader_u32(reader);
    query->snapshot = reader_u32(reader);
    take_digest(&query->snapshot_hash, reader);
    const uint8_t *dictionary = reader_block(reader, ENVELOPE_BYTES_MAX, &length);
    const char *text =
        arena_strndup(query->arena, dictionary != NULL ? (const char *)dictionary : "", length);
    MAILLE_TRY(take_bytes(&query->manifest_envelope, reader, error));
    MAILLE_TRY(take_bytes(&query->ready_envelope, reader, error));
    MAILLE_TRY(done(reader, error));
    MAILLE_TRY(decode_manifest(query, error));
    if (query->dictionary == NULL) /* else it was read when it came */
        read_study(query, text, length);
    query->state = state_of(state);
out:
    return code;
}

static enum maille_code apply_ready(struct query *query, struct reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint32_t state = reader_u32(reader);
    query->snapshot = reader_u32(reader);
    take_digest(&query->snapshot_hash, reader);
    query->approved = reader_u8(reader) != 0;
    take_digest(&query->pending, reader);
    take_digest(&query->basis, reader);
    query->n_approved = reader_u32(reader);
    if (query->study == NULL || query->n_approved != query->study->n_analyses)
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected an answer about each analysis of a query, found another number");
    struct digest *words = arena_array(query->arena, query->n_approved, sizeof *words);
    for (size_t k = 0; k < query->n_approved; k++)
        take_digest(&words[k], reader);
    query->approved_words = words;
    MAILLE_TRY(take_bytes(&query->ready_envelope, reader, error));
    MAILLE_TRY(done(reader, error));
    query->state = state_of(state);
out:
    return code;
}

static enum maille_code apply_accept(struct vault *vault, struct query *query, struct reader *reader,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t length = 0;
    query->snapshot = reader_u32(reader);
    take_digest(&query->snapshot_hash, reader);
    const uint8_t *stored = reader_block(reader, ENVELOPE_BYTES_MAX, &length);
    MAILLE_TRY(take_bytes(&query->accept_envelope, reader, error));
    MAILLE_TRY(vault_published_read(query, reader, error));
    MAILLE_TRY(done(reader, error));
    MAILLE_TRY(query_secrets_load(&query->secrets, vault->state_key.b, stored, length, error));
    query->state = QUERY_ACCEPTED;
out:
    return code;
}

enum maille_code vault_query_roster(struct message_roster *roster, struct message_accept **accepts,
                                    const struct query *query, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    const struct byte_view bytes = {query->roster_envelope.data, query->roster_envelope.length};
    MAILLE_TRY(message_within(&in, arena, &bytes, MESSAGE_ROSTER, NULL, 0, error));
    *roster = in.body.roster;
    *accepts = arena_array(arena, roster->n + 1, sizeof **accepts);
    for (size_t i = 0; i < roster->n; i++) {
        MAILLE_TRY(message_within(&in, arena, &roster->accepts[i], MESSAGE_ACCEPT, NULL, 0, error));
        (*accepts)[i] = in.body.accept;
    }
out:
    return code;
}

static enum maille_code apply_roster(struct vault *vault, struct query *query, struct reader *reader,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_roster roster;
    struct message_accept *accepts;
    MAILLE_TRY(take_bytes(&query->roster_envelope, reader, error));
    MAILLE_TRY(done(reader, error));
    MAILLE_TRY(vault_query_roster(&roster, &accepts, query, query->arena, error));
    query->members = arena_array(query->arena, roster.n + 1, sizeof *query->members);
    for (size_t i = 0; i < roster.n; i++) {
        query->members[i].site = accepts[i].site;
        memcpy(query->members[i].ek, accepts[i].ek, PUBLIC_BYTES);
    }
    query->n_members = roster.n;
    MAILLE_TRY(custody_settle(query, accepts, roster.n, error));
    MAILLE_TRY(message_rho(&query->rho, &query->manifest_hash, roster.accepts, roster.n, error));
    MAILLE_TRY(query_secrets_pair(query->secrets, &query->rho, vault->self->id, query->members,
                                  query->n_members, error));
    if (circle_is(query))
        MAILLE_TRY(study_run_init(&query->circle.run, query->study, error));
    query->state = QUERY_ROSTERED;
out:
    return code;
}

static enum maille_code apply_start(struct query *query, struct reader *reader, uint64_t raw,
                                    uint64_t raw_length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct attempt made = {.arena = arena_new(), .raw = raw, .length = raw_length};
    size_t length = 0;
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a round");
    const uint8_t *header = reader_block(reader, ENVELOPE_BYTES_MAX, &length);
    take_digest(&made.mask_psi, reader);
    const uint8_t *theta_key = reader_take(reader, KEY_BYTES);
    made.masked = reader_u8(reader) != 0;
    take_digest(&made.vector, reader);
    MAILLE_TRY(take_bytes(&made.reply, reader, error));
    MAILLE_TRY(done(reader, error));
    header = (const uint8_t *)arena_strndup(made.arena, (const char *)header, length);
    MAILLE_TRY(message_round_header_decode(&made.header, made.arena, header, length, error));
    hash_kdf(&made.psi, NULL, "round", header, length);
    memcpy(query->theta_key, theta_key, KEY_BYTES);
    query->has_theta_key = true;
    /* The vector of the attempt before is of no use to anybody any more. */
    if (query->attempt.masked && query->journal != NULL)
        journal_drop_raw(query->journal, query->attempt.raw, query->attempt.length);
    if (query->circle.length > 0 &&
        query->journal != NULL) /* nor is the last result, which the researcher has */
        journal_drop_raw(query->journal, query->circle.raw, query->circle.length);
    bytes_clear(&query->circle.result);
    query->circle.length = 0;
    attempt_clear(&query->attempt);
    bytes_clear(&query->reveal_envelope);
    query->attempt = made;
    made = (struct attempt){0};
    query->state = QUERY_STARTED;
out:
    attempt_clear(&made);
    return code;
}

static enum maille_code apply_reveal(struct query *query, struct reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct attempt *attempt = &query->attempt;
    take_digest(&query->close_hash, reader);
    MAILLE_TRY(take_bytes(&query->reveal_envelope, reader, error));
    if (attempt->header.result_to == RESULT_TO_CUSTODIANS) {
        const size_t n = attempt->header.n_members;
        attempt->proofs = arena_array(attempt->arena, n, sizeof *attempt->proofs);
        for (size_t i = 0; i < n; i++) {
            take_digest(&attempt->proofs[i].vector, reader);
            take_digest(&attempt->proofs[i].commit, reader);
        }
    }
    MAILLE_TRY(done(reader, error));
    query->state = QUERY_REVEALED;
out:
    return code;
}

/* A round of a circle: what the totals came to. */
static enum maille_code apply_stepped(struct query *query, struct reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct custody *custody = &query->custody;
    size_t length = 0, run_length = 0;
    const enum threshold_which which = custody_which(query, &query->attempt.header);
    take_digest(&query->circle.key, reader);
    take_digest(&query->circle.tag, reader);
    const uint8_t *result = reader_block(reader, JOURNAL_BODY_MAX, &length);
    const uint8_t *run = reader_block(reader, JOURNAL_BODY_MAX, &run_length);
    MAILLE_TRY(take_bytes(&custody->answer, reader, error));
    MAILLE_TRY(done(reader, error));
    if (which == THRESHOLD_BEFORE)
        MAILLE_TRY(bytes_copy(&custody->near, result, length));
    if (which == THRESHOLD_FIRST) {
        MAILLE_TRY(bytes_copy(&custody->first, result, length));
        MAILLE_TRY(custody_patients(query, error));
    }
    if (which == THRESHOLD_SECOND) {
        MAILLE_TRY(bytes_copy(&custody->plan_bytes, result, length));
        MAILLE_TRY(plan_read(&custody->plan, query->study, result, length, error));
        hash_kdf(&custody->plan_hash, NULL, "plan", result, length);
    }
    MAILLE_TRY(circle_take_run(query, run, run_length, error));
    query->state = QUERY_TAKEN;
out:
    return code;
}

static enum maille_code apply_agreed(struct query *query, struct reader *reader, uint64_t raw,
                                     uint64_t raw_length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(take_bytes(&query->circle.result, reader, error));
    MAILLE_TRY(done(reader, error));
    query->circle.raw = raw;
    query->circle.length = raw_length;
    query->state = QUERY_AGREED;
out:
    return code;
}

enum maille_code vault_query_apply(struct vault *vault, struct query *query, uint32_t kind,
                                   const uint8_t *body, size_t length, uint64_t raw, uint64_t raw_length,
                                   struct maille_error *error)
{
    /* Which record may follow which state: anything else is not a journal that this program wrote. */
    static const unsigned after[] = {[RECORD_MANIFEST] = QUERY_NONE,
                                     [RECORD_ACCEPT] = QUERY_READY,
                                     [RECORD_ROSTER] = QUERY_ACCEPTED,
                                     [RECORD_START] = QUERY_ROSTERED | QUERY_STARTED | QUERY_REVEALED |
                                                      QUERY_TAKEN | QUERY_AGREED,
                                     [RECORD_REVEAL] = QUERY_STARTED,
                                     [RECORD_STEPPED] = QUERY_REVEALED,
                                     [RECORD_AGREED] = QUERY_TAKEN,
                                     [RECORD_READY] = QUERY_READY | QUERY_HELD};
    struct reader reader = reader_of(body, length);
    if (kind >= sizeof after / sizeof *after || (after[kind] & query->state) == 0)
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected a record that fits the state of a query, found kind %u", kind);
    query->last_ms = (int64_t)reader_u64(&reader);
    switch ((enum query_record)kind) {
    case RECORD_MANIFEST:
        return apply_manifest(query, &reader, error);
    case RECORD_ACCEPT:
        return apply_accept(vault, query, &reader, error);
    case RECORD_ROSTER:
        return apply_roster(vault, query, &reader, error);
    case RECORD_START:
        return apply_start(query, &reader, raw, raw_length, error);
    case RECORD_REVEAL:
        return apply_reveal(query, &reader, error);
    case RECORD_STEPPED:
        return apply_stepped(query, &reader, error);
    case RECORD_AGREED:
        return apply_agreed(query, &reader, raw, raw_length, error);
    case RECORD_READY:
        return apply_ready(query, &reader, error);
    }
    return MAILLE_INTERNAL;
}

enum maille_code vault_query_commit(struct vault *vault, struct query *query, uint32_t kind,
                                    const struct bytes *body, const void *raw_bytes, size_t raw_length,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const bool first = query->journal == NULL;
    uint64_t raw = 0;
    if (first)
        MAILLE_TRY(journal_create(&query->journal, query->folder, vault->state_key.b, error));
    code = vault_journal_append(query->journal, kind, body, raw_bytes, raw_length, &raw, error);
    if (code != MAILLE_OK && first) { /* nothing of it is kept: it may come again when there is room */
        journal_close(query->journal);
        query->journal = NULL;
        journal_discard(query->folder);
    }
    if (code == MAILLE_OK)
        code = vault_query_apply(vault, query, kind, body->data, body->length, raw, raw_length, error);
out:
    return code;
}

/* --- all of them --- */

struct loading {
    struct vault *vault;
    struct query *query;
};

static enum maille_code load_record(void *context, uint32_t kind, const uint8_t *body, size_t length,
                                    uint64_t raw, uint64_t raw_length, struct maille_error *error)
{
    struct loading *loading = context;
    return vault_query_apply(loading->vault, loading->query, kind, body, length, raw, raw_length, error);
}

/* A question that a program of before took and this one refuses as no message (`form`): nothing of it is gone
 * on with, and its qid stays taken. */
static enum maille_code end_unread(struct vault *vault, const char *folder, const struct maille_error *why,
                                   struct maille_error *error)
{
    log_line(LOG_LEVEL_WARNING, "a question that an earlier version took on is ended: %s", why->sentence);
    return journal_erase(
        folder, vault_now_ms(vault) + vault->directory->timeouts.lifetime_ms + TAKEN_AFTER_MS, error);
}

static enum maille_code load_one(struct vault *vault, const uint8_t qid[QID_BYTES],
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct loading loading = {.vault = vault};
    int64_t until_ms;
    char path[PATH_MAX];
    MAILLE_TRY(vault_query_new(&loading.query, vault, qid, error));
    if (journal_ended(loading.query->folder, &until_ms)) { /* what a crash left of the erasure is finished */
        code = journal_erase(loading.query->folder, until_ms, error);
        goto out;
    }
    MAILLE_TRY(file_path_join(path, sizeof path, loading.query->folder, "journal", error));
    if (file_exists(path)) {
        struct maille_error why = {0};
        code = journal_open(&loading.query->journal, loading.query->folder, vault->state_key.b, load_record,
                            &loading, &why);
        if (code == MAILLE_PROTOCOL) {
            code = end_unread(vault, loading.query->folder, &why, error);
            goto out;
        }
        if (code != MAILLE_OK && error != NULL)
            *error = why;
        MAILLE_TRY(code);
    }
    if (loading.query->state == QUERY_NONE) { /* a crash before the first record: nothing was answered */
        journal_close(loading.query->journal);
        loading.query->journal = NULL;
        journal_discard(loading.query->folder);
        goto out;
    }
    loading.query->next = vault->queries;
    vault->queries = loading.query;
    vault->n_queries++;
    loading.query = NULL;
out:
    vault_query_free(loading.query);
    return code;
}

enum maille_code vault_load(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    DIR *folder = opendir(vault->state_folder);
    if (folder == NULL)
        return maille_fail_errno(error, "cannot open %s", vault->state_folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        uint8_t qid[QID_BYTES];
        if (strlen(entry->d_name) == sizeof qid * 2 && bytes_from_hex(qid, sizeof qid, entry->d_name))
            MAILLE_TRY(load_one(vault, qid, error));
    }
out:
    closedir(folder);
    return code;
}

enum maille_code vault_sweep(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    DIR *folder = opendir(vault->state_folder);
    if (folder == NULL)
        return maille_fail_errno(error, "cannot open %s", vault->state_folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        uint8_t qid[QID_BYTES];
        char path[PATH_MAX];
        int64_t until_ms;
        if (strlen(entry->d_name) != sizeof qid * 2 || !bytes_from_hex(qid, sizeof qid, entry->d_name))
            continue;
        MAILLE_TRY(file_path_join(path, sizeof path, vault->state_folder, entry->d_name, error));
        if (journal_ended(path, &until_ms) && until_ms < vault_now_ms(vault))
            MAILLE_TRY(journal_forget(path, error));
    }
    vault->swept_ms = vault_now_ms(vault);
out:
    closedir(folder);
    return code;
}

enum maille_code vault_query_end(struct vault *vault, struct query *query, struct maille_error *error)
{
    /* A manifest that lives longer than this is never believed, whatever it says: its qid need not stay taken
     * for longer. */
    const int64_t longest_ms = vault_now_ms(vault) + vault->directory->timeouts.lifetime_ms + TAKEN_AFTER_MS;
    const int64_t expires_ms =
        query->manifest.expires_ms < longest_ms ? query->manifest.expires_ms : longest_ms;
    enum maille_code code = journal_erase(query->folder, expires_ms + TAKEN_AFTER_MS, error);
    if (code != MAILLE_OK)
        return code;
    spool_forget(vault->options.folder, query->qid); /* a crash before this: the next start's */
    struct query **at = &vault->queries;
    while (*at != NULL && *at != query)
        at = &(*at)->next;
    if (*at == query) {
        *at = query->next;
        vault->n_queries--;
    }
    /* A crash before this: the next start finds a query that is not open, and releases it. */
    code = ledger_release(vault->ledger, query->qid, error);
    vault_query_free(query);
    if (vault->n_queries == 0) {
        ledger_give_back(vault->ledger);
        heap_give_back();
    }
    return code;
}
