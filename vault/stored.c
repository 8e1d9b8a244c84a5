#include <stdio.h>
#include <string.h>
#include <time.h>

#include "disclosure/ledger_stored.h"
#include "stats/run_bytes.h"
#include "vault/private.h"

/* What an epoch has shown stands until it ends (decision 0037): where a site has another snapshot now, what
 * is asked again is answered by the result of before. Who objected between the two, or was corrected, is in
 * neither answer alone. */

enum { FORMAT = 1 }; /* of what is sealed: study_run_write_ended */

/* --- what a result depends on, but for the patients --- */

static enum maille_code asked_hash(struct digest *hash, const struct vault *vault, const struct query *query,
                                   size_t k, const uint8_t members[LEDGER_ID_BYTES], struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct analysis *analysis = &query->study->analyses[k];
    struct bytes bytes = {0};
    struct digest analysed;
    MAILLE_TRY(vault_analysis_hash(&analysed, query, k, arena, error));
    bytes_put(&bytes, analysed.b, HASH_BYTES);
    bytes_put(&bytes, members, LEDGER_ID_BYTES);
    bytes_put_u8(&bytes, FORMAT);
    bytes_put_u8(&bytes, (uint8_t)query->study->grid);
    bytes_put_u8(&bytes, query->study->grid_by_default); /* a warning says it */
    bytes_put_u8(&bytes, query->study->complete);        /* of data that had to be so complete */
    analysis_names(&bytes, analysis);
    policy_write(&bytes, vault->policy); /* another policy, another answer */
    MAILLE_TRY(bytes_check(&bytes, error));
    hash_kdf(hash, NULL, "stored", bytes.data, bytes.length);
out:
    bytes_clear(&bytes);
    return code;
}

static void seal_key(struct digest *key, const struct vault *vault)
{
    hash_kdf(key, vault->state_key.b, "stored", "", 0);
}

/* --- M1, M2 --- */

enum maille_code vault_stored_list(const struct message_stored **list, size_t *n, struct vault *vault,
                                   const struct query *query, const struct message_call *call,
                                   uint32_t snapshot, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_stored *made = arena_array(arena, query->study->n_analyses + 1, sizeof *made);
    uint8_t members[LEDGER_ID_BYTES];
    *n = 0;
    *list = made;
    MAILLE_TRY(message_members(members, call->sites, call->n_sites, error));
    for (size_t k = 0; circle_is(query) && k < query->study->n_analyses; k++) {
        struct digest asked;
        struct ledger_stored stored;
        bool found;
        MAILLE_TRY(asked_hash(&asked, vault, query, k, members, arena, error));
        MAILLE_TRY(ledger_stored_find(&found, &stored, vault->ledger, asked.b, vault->directory->epoch.number,
                                      query->qid, error));
        if (!found)
            continue;
        struct message_stored *entry = &made[(*n)++];
        vault_ledger_past_id(entry->id, stored.query, query);
        entry->analysis = (uint32_t)k;
        memcpy(entry->members, members, LEDGER_ID_BYTES);
        entry->moved = stored.snapshot != snapshot;
        entry->asked_ms = stored.asked_ms;
    }
out:
    return code;
}

static const struct message_stored *entry_of(const struct message_accept *accept, size_t k)
{
    for (size_t i = 0; i < accept->n_stored; i++)
        if (accept->stored[i].analysis == k)
            return &accept->stored[i];
    return NULL;
}

static bool same_answer(const struct message_stored *a, const struct message_stored *b)
{
    return memcmp(a->id, b->id, LEDGER_ID_BYTES) == 0 && a->asked_ms == b->asked_ms &&
           memcmp(a->members, b->members, LEDGER_ID_BYTES) == 0;
}

enum maille_code vault_stored_settle(struct query *query, const struct message_accept *accepts, size_t n,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct custody *custody = &query->custody;
    uint32_t sites[MESSAGE_SITES_MAX];
    uint8_t members[LEDGER_ID_BYTES];
    custody->stored = NULL;
    if (query->study == NULL || n == 0 || !custody->needed || custody->strictest->differencing == POLICY_OFF)
        goto out;
    for (size_t i = 0; i < n; i++)
        sites[i] = accepts[i].site;
    MAILLE_TRY(message_members(members, sites, n, error));
    custody->stored = arena_array(query->arena, query->study->n_analyses + 1, sizeof *custody->stored);
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        const struct message_stored *first = entry_of(&accepts[0], k);
        bool alike = first != NULL && memcmp(first->members, members, LEDGER_ID_BYTES) == 0, moved = false;
        for (size_t i = 0; i < n && alike; i++) {
            const struct message_stored *own = entry_of(&accepts[i], k);
            alike = own != NULL && same_answer(own, first);
            moved = moved || (alike && own->moved);
        }
        custody->stored[k].used = alike && moved;
        if (!custody->stored[k].used)
            continue;
        custody->stored[k].asked_ms = first->asked_ms;
        memcpy(custody->stored[k].id, first->id, LEDGER_ID_BYTES);
    }
out:
    return code;
}

bool vault_stored_used(const struct query *query, const struct message_round_header *header, size_t k)
{
    const struct custody *custody = &query->custody;
    return custody->stored != NULL && custody->stored[k].used && header->round == 1 &&
           header->n_members == query->n_members;
}

/* --- the results --- */

/* Is the policy in force that which the result was judged by? A restart may have brought another. */
static enum maille_code same_policy(bool *same, const struct vault *vault, const struct query *query,
                                    struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes policy = {0};
    struct message in;
    const struct byte_view accept = {query->accept_envelope.data, query->accept_envelope.length};
    policy_write(&policy, vault->policy);
    MAILLE_TRY(bytes_check(&policy, error));
    MAILLE_TRY(message_within(&in, arena, &accept, MESSAGE_ACCEPT, NULL, 0, error));
    *same = byte_view_equal((struct byte_view){policy.data, policy.length}, in.body.accept.floor);
out:
    bytes_clear(&policy);
    return code;
}

static enum maille_code put_one(struct vault *vault, const struct query *query, const struct study_run *run,
                                size_t k, const uint8_t members[LEDGER_ID_BYTES], struct arena *arena,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger_stored stored = {
        .analysis = (uint32_t)k, .snapshot = query->snapshot, .asked_ms = query->manifest.created_ms};
    struct bytes clear = {0}, sealed = {0};
    struct digest asked, key;
    memcpy(stored.query, query->qid, QID_BYTES);
    seal_key(&key, vault);
    MAILLE_TRY(asked_hash(&asked, vault, query, k, members, arena, error));
    study_run_write_ended(&clear, run, k);
    MAILLE_TRY(bytes_check(&clear, error));
    if (clear.length > STORED_BYTES_MAX)
        goto out;
    code = seal_secretbox(&sealed, key.b, clear.data, clear.length);
    if (code != MAILLE_OK) {
        maille_fail(error, code, "no memory to seal a result");
        goto out;
    }
    code = ledger_stored_put(vault->ledger, &stored, asked.b, vault->directory->epoch.number, &sealed, error);
out:
    crypto_wipe(&key, sizeof key);
    bytes_wipe(&clear);
    bytes_clear(&sealed);
    return code;
}

enum maille_code vault_stored_put(struct vault *vault, const struct query *query, const struct study_run *run,
                                  const uint32_t *analyses, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_round_header *header = &query->attempt.header;
    uint8_t members[LEDGER_ID_BYTES];
    bool same = false;
    if (n == 0 || query->custody.stored == NULL) /* no rule compares snapshots */
        return MAILLE_OK;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a result");
    MAILLE_TRY(same_policy(&same, vault, query, arena, error));
    MAILLE_TRY(message_members(members, header->members, header->n_members, error));
    for (size_t i = 0; same && i < n; i++)
        if (run->states[analyses[i]].status == ANALYSIS_OK)
            MAILLE_TRY(put_one(vault, query, run, analyses[i], members, arena, error));
out:
    arena_free(arena);
    return code;
}

/* "2026-11-29", UTC. */
static const char *day_of(struct arena *arena, int64_t ms)
{
    char text[sizeof "2026-11-29"] = "";
    const time_t seconds = (time_t)(ms / 1000);
    struct tm day;
    if (gmtime_r(&seconds, &day) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d", &day);
    return arena_strdup(arena, text);
}

/* MAILLE_REFUSED again: this site has not what it named, or what was sealed is not that. */
static enum maille_code open_one(struct study_run *run, struct vault *vault, const struct query *query,
                                 size_t k, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_round_header *header = &query->attempt.header;
    struct ledger_stored stored;
    struct bytes sealed = {0}, clear = {0};
    struct digest asked, key;
    uint8_t members[LEDGER_ID_BYTES], id[LEDGER_ID_BYTES];
    bool named = false, found = false;
    seal_key(&key, vault);
    MAILLE_TRY(message_members(members, header->members, header->n_members, error));
    MAILLE_TRY(asked_hash(&asked, vault, query, k, members, arena, error));
    MAILLE_TRY(ledger_stored_find(&found, &stored, vault->ledger, asked.b, vault->directory->epoch.number,
                                  query->qid, error));
    if (found) {
        vault_ledger_past_id(id, stored.query, query);
        found = named = memcmp(id, query->custody.stored[k].id, LEDGER_ID_BYTES) == 0;
    }
    if (found)
        MAILLE_TRY(ledger_stored_get(&found, &sealed, vault->ledger, asked.b, stored.query, error));
    found = found && seal_secretbox_open(&clear, key.b, sealed.data, sealed.length, NULL) == MAILLE_OK;
    struct reader reader = reader_of(clear.data, clear.length);
    if (!found || study_run_read_ended(run, k, &reader, NULL) != MAILLE_OK || !reader_done(&reader) ||
        run->states[k].status != ANALYSIS_OK) {
        if (named) /* it is not named again */
            MAILLE_TRY(ledger_stored_drop(vault->ledger, asked.b, error));
        code = maille_refuse(error, "again",
                             "expected the answer of before that this site named at M1, found none");
        goto out;
    }
    code = ledger_stored_tell(vault->ledger, &stored, query->qid, (uint32_t)k, query->manifest.researcher,
                              query->study->protocol, error);
out:
    crypto_wipe(&key, sizeof key);
    bytes_clear(&sealed);
    bytes_wipe(&clear);
    return code;
}

enum maille_code vault_stored_take(struct bytes *run, struct vault *vault, const struct query *query,
                                   struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct study_run changed = {0};
    const struct message_round_header *header = &query->attempt.header;
    bool any = false;
    for (size_t i = 0; i < header->n_analyses; i++)
        any = any || vault_stored_used(query, header, header->analyses[i]);
    if (!any)
        goto out;
    MAILLE_TRY(study_run_init(&changed, query->study, error));
    MAILLE_TRY(study_run_read(&changed, run->data, run->length, error));
    for (size_t i = 0; i < header->n_analyses; i++) {
        const size_t k = header->analyses[i];
        if (!vault_stored_used(query, header, k) || changed.states[k].status != ANALYSIS_OPEN)
            continue;
        MAILLE_TRY(open_one(&changed, vault, query, k, arena, error));
        result_add_string(
            changed.states[k].outcome.warnings, NULL,
            arena_printf(arena,
                         "this is the answer of %s: the data of a site have changed since then, "
                         "and what was shown stands until the epoch ends",
                         day_of(arena, query->custody.stored[k].asked_ms)));
    }
    run->length = 0;
    study_run_write(run, &changed);
    code = bytes_check(run, error);
    if (code == MAILLE_OK && run->length > RUN_BYTES_MAX)
        code =
            maille_refuse(error, "size",
                          "expected answers of before that a study holds, found more: ask for fewer at once");
out:
    study_run_clear(&changed);
    return code;
}

const char *vault_stored_words(struct arena *arena, const struct query *query, size_t k)
{
    return vault_stored_used(query, &query->attempt.header, k)
               ? arena_printf(arena, " (%s)", day_of(arena, query->custody.stored[k].asked_ms))
               : "";
}
