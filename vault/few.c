#include "vault/few.h"

#include <string.h>

#include "base/log.h"
#include "disclosure/ledger_few.h"

static void hash_words(uint8_t out[FEW_HASH_BYTES], const uint8_t *data, size_t length)
{
    struct digest digest;
    hash_kdf(&digest, NULL, "few", data, length);
    memcpy(out, digest.b, FEW_HASH_BYTES);
}

/* NULL: nothing is counted. *limit: at so many it is closed. */
static const struct registration *counted(double *limit, const struct vault *vault, const struct query *query)
{
    const struct policy *strictest = query->custody.strictest;
    const double own = vault->policy->budget_registration_few,
                 roster = strictest != NULL ? strictest->budget_registration_few : POLICY_OFF;
    *limit = own == POLICY_OFF || (roster != POLICY_OFF && roster < own) ? roster : own;
    return query->study == NULL || *limit == POLICY_OFF
               ? NULL
               : registration_find(vault->directory, query->study->protocol);
}

enum maille_code vault_few_closed(bool *closed, const struct vault *vault, const struct query *query,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    double limit;
    int64_t n = 0;
    const struct registration *registration = counted(&limit, vault, query);
    if (registration != NULL)
        MAILLE_TRY(ledger_few_count(&n, vault->ledger, registration->id, registration->openings,
                                    (int64_t)limit, error));
    *closed = registration != NULL && n >= (int64_t)limit;
out:
    return code;
}

static enum maille_code note(struct vault *vault, const struct ledger_few_closed *closed, struct arena *arena,
                             struct maille_error *error)
{
    log_line(LOG_LEVEL_WARNING, "the registration %s is closed: budget.registration_few is reached",
             closed->registration);
    const char *words = arena_printf(
        arena,
        "the registration %s is closed at this site: %lld groups were refused or hidden under few, which is "
        "what its policy allows (budget.registration_few). Somebody may be measuring patients with it: look "
        "at "
        "what was asked before the authority opens it again (maille network register --reopen %s)",
        closed->registration, (long long)closed->limit, closed->registration);
    return vault_log_note(vault, "closed", NULL, words, error);
}

/* What is closed and in no log yet. An end between the two notes it twice, rather than never. */
static enum maille_code note_closed(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct ledger_few_closed *closed = NULL;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a note");
    MAILLE_TRY(ledger_few_unnoted(&closed, arena, vault->ledger, error));
    while (closed != NULL) {
        MAILLE_TRY(note(vault, closed, arena, error));
        MAILLE_TRY(ledger_few_noted(vault->ledger, closed, error));
        MAILLE_TRY(ledger_few_unnoted(&closed, arena, vault->ledger, error));
    }
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_few_start(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct registrations *all = &vault->directory->registrations;
    const double limit = vault->policy->budget_registration_few;
    static const struct few nothing;
    for (size_t i = 0; i < all->n && limit != POLICY_OFF; i++) /* a policy that has become stricter */
        MAILLE_TRY(ledger_few_add(vault->ledger, all->list[i].id, all->list[i].openings, &nothing,
                                  (int64_t)limit, error));
    code = note_closed(vault, error);
out:
    return code;
}

enum maille_code vault_few_count(struct vault *vault, const struct query *query,
                                 const struct threshold *threshold, const bool *refused,
                                 const struct plan *plan, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    double limit;
    struct few few = {0};
    const struct registration *registration = counted(&limit, vault, query);
    if (registration == NULL)
        goto out;
    for (size_t k = 0; refused != NULL && k < query->study->n_analyses; k++)
        if (refused[k])
            MAILLE_TRY(few_add_refused(&few, threshold, k, hash_words, error));
    if (plan != NULL)
        MAILLE_TRY(few_add_plan(&few, threshold, plan, hash_words, error));
    if (few.hashes.length == 0)
        goto out;
    MAILLE_TRY(
        ledger_few_add(vault->ledger, registration->id, registration->openings, &few, (int64_t)limit, error));
    code = note_closed(vault, error);
out:
    few_clear(&few);
    return code;
}

enum maille_code vault_few_end(bool *ended, struct vault *vault, struct query *query,
                               struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool closed = false;
    *ended = false;
    MAILLE_TRY(vault_few_closed(&closed, vault, query, error));
    if (!closed)
        goto out;
    MAILLE_TRY(vault_cancel(vault, query, "protocol", outbox, error));
    *ended = true;
out:
    return code;
}
