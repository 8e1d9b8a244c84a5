#include <stdio.h>
#include <string.h>
#include <time.h>

#include "disclosure/ledger_stored.h"
#include "stats/run_bytes.h"
#include "vault/private.h"

/* What the epoch showed stands until it ends: an analysis that is asked again, where a site has another
 * snapshot now, is answered by its result of before. Who objected between the two, or was corrected, is in
 * neither. */

/* --- what a result depends on --- */

static void put_text(struct bytes *out, const char *text)
{
    bytes_put_string(out, text != NULL ? text : "");
}

/* Names that the result shows, and what this site's policy was: another policy, another answer. */
static enum maille_code asked_hash(struct digest *hash, const struct vault *vault, const struct query *query,
                                   size_t k, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct analysis *analysis = &query->study->analyses[k];
    struct bytes bytes = {0};
    struct digest analysed;
    MAILLE_TRY(vault_analysis_hash(&analysed, query, k, arena, error));
    bytes_put(&bytes, analysed.b, HASH_BYTES);
    for (size_t i = 0; i < analysis->n_by; i++)
        put_text(&bytes, analysis->by_names[i]);
    put_text(&bytes, analysis->weights_name);
    put_text(&bytes, analysis->subgroup);
    put_text(&bytes, analysis->propensity != NULL ? analysis->propensity->formula->text : NULL);
    for (size_t key = 0; key < analysis->declared->n_keys; key++) {
        const struct query_value *value = &analysis->values[key];
        for (size_t i = 0; value->names != NULL && i < value->n; i++)
            put_text(&bytes, value->names[i]);
        put_text(&bytes, value->formula != NULL ? value->formula->text : NULL);
    }
    policy_write(&bytes, vault->policy);
    MAILLE_TRY(bytes_check(&bytes, error));
    hash_kdf(hash, NULL, "stored", bytes.data, bytes.length);
out:
    bytes_clear(&bytes);
    return code;
}

static void seal_key(struct digest *key, const struct vault *vault)
{
    hash_kdf(key, vault->state_key.b, "stored result", "", 0);
}

/* --- M1, M2 --- */

enum maille_code vault_stored_list(const struct message_stored **list, size_t *n, struct vault *vault,
                                   const struct query *query, uint32_t snapshot, struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n_analyses = query->study->n_analyses;
    struct message_stored *made = arena_array(arena, n_analyses + 1, sizeof *made);
    *n = 0;
    for (size_t k = 0; k < n_analyses; k++) {
        struct digest asked;
        struct ledger_stored stored;
        bool found;
        MAILLE_TRY(asked_hash(&asked, vault, query, k, arena, error));
        MAILLE_TRY(ledger_stored_find(&found, &stored, vault->ledger, asked.b, vault->directory->epoch.number,
                                      query->qid, error));
        if (!found)
            continue;
        vault_ledger_past_id(made[*n].id, stored.query, query);
        made[*n].analysis = (uint32_t)k;
        made[*n].moved = stored.snapshot != snapshot;
        made[(*n)++].asked_ms = stored.asked_ms;
    }
    *list = made;
out:
    return code;
}

static const struct message_stored *named(const struct message_accept *accept, size_t k)
{
    for (size_t i = 0; i < accept->n_stored; i++)
        if (accept->stored[i].analysis == k)
            return &accept->stored[i];
    return NULL;
}

void vault_stored_settle(struct query *query, const struct message_accept *accepts, size_t n)
{
    struct custody *custody = &query->custody;
    custody->stored = arena_array(query->arena, query->study->n_analyses + 1, sizeof *custody->stored);
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        const struct message_stored *first = n > 0 ? named(&accepts[0], k) : NULL;
        bool alike = first != NULL && circle_is(query) && custody->needed &&
                     custody->strictest->differencing != POLICY_OFF,
             moved = false;
        for (size_t i = 0; i < n && alike; i++) {
            const struct message_stored *own = named(&accepts[i], k);
            alike = own != NULL && memcmp(own->id, first->id, LEDGER_ID_BYTES) == 0 &&
                    own->asked_ms == first->asked_ms;
            moved = moved || (own != NULL && own->moved);
        }
        if (!alike || !moved)
            continue;
        custody->stored[k].used = true;
        custody->stored[k].asked_ms = first->asked_ms;
        memcpy(custody->stored[k].id, first->id, LEDGER_ID_BYTES);
    }
}

void vault_stored_close(bool *open, const struct query *query)
{
    for (size_t k = 0; k < query->study->n_analyses; k++)
        open[k] = open[k] && !query->custody.stored[k].used;
}

/* --- results --- */

enum maille_code vault_stored_put(struct vault *vault, const struct query *query, const struct study_run *run,
                                  size_t k, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger_stored stored = {.snapshot = query->snapshot, .asked_ms = query->manifest.created_ms};
    struct bytes clear = {0}, sealed = {0};
    struct digest asked, key;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a result");
    memcpy(stored.query, query->qid, QID_BYTES);
    seal_key(&key, vault);
    MAILLE_TRY(asked_hash(&asked, vault, query, k, arena, error));
    study_run_write_ended(&clear, run, k);
    MAILLE_TRY(bytes_check(&clear, error));
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
    arena_free(arena);
    return code;
}

/* "2026-11-29", UTC. */
static const char *day_of(struct arena *arena, int64_t ms)
{
    char text[16] = "";
    const time_t seconds = (time_t)(ms / 1000);
    struct tm day;
    if (gmtime_r(&seconds, &day) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d", &day);
    return arena_strdup(arena, text);
}

static enum maille_code take_one(struct study_run *run, struct vault *vault, const struct query *query,
                                 size_t k, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct custody_stored *settled = &query->custody.stored[k];
    struct ledger_stored stored;
    struct bytes sealed = {0}, clear = {0};
    struct digest asked, key;
    uint8_t id[LEDGER_ID_BYTES];
    bool found = false;
    seal_key(&key, vault);
    MAILLE_TRY(asked_hash(&asked, vault, query, k, arena, error));
    MAILLE_TRY(ledger_stored_find(&found, &stored, vault->ledger, asked.b, vault->directory->epoch.number,
                                  query->qid, error));
    if (found) {
        vault_ledger_past_id(id, stored.query, query);
        found = memcmp(id, settled->id, LEDGER_ID_BYTES) == 0;
    }
    if (found)
        MAILLE_TRY(ledger_stored_get(&found, &sealed, vault->ledger, asked.b, stored.query, error));
    if (!found || seal_secretbox_open(&clear, key.b, sealed.data, sealed.length, NULL) != MAILLE_OK) {
        code =
            maille_refuse(error, "again", "expected the result of before that this site named, found none");
        goto out;
    }
    struct reader reader = reader_of(clear.data, clear.length);
    if (study_run_read_ended(run, k, &reader, NULL) != MAILLE_OK) {
        code = maille_refuse(error, "again",
                             "expected the result of before that this site named, found other bytes");
        goto out;
    }
    struct outcome *outcome = &run->states[k].outcome;
    if (run->states[k].status == ANALYSIS_OK && outcome->warnings != NULL)
        result_add_string(outcome->warnings, NULL,
                          arena_printf(arena,
                                       "this is the answer of %s: a site has other data since, and what this "
                                       "epoch showed stands until it ends",
                                       day_of(arena, settled->asked_ms)));
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
        any = any || query->custody.stored[header->analyses[i]].used;
    if (!any)
        goto out;
    MAILLE_TRY(study_run_init(&changed, query->study, error));
    MAILLE_TRY(study_run_read(&changed, run->data, run->length, error));
    for (size_t i = 0; i < header->n_analyses; i++) {
        const size_t k = header->analyses[i];
        if (query->custody.stored[k].used && changed.states[k].status == ANALYSIS_OPEN)
            MAILLE_TRY(take_one(&changed, vault, query, k, arena, error));
    }
    run->length = 0;
    study_run_write(run, &changed);
    code = bytes_check(run, error);
out:
    study_run_clear(&changed);
    return code;
}
