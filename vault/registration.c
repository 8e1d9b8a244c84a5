/* A study against the registration that it names (proto/registration.h), and what is left of its budget:
 * public facts alone. */
#include <string.h>

#include "disclosure/ledger_registration.h"
#include "vault/few.h"

enum maille_code vault_check_registration(const struct vault *vault, const struct query *query,
                                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *faults[REGISTRATION_FAULTS_MAX];
    bool closed = false;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory to look at a registration");
    const struct registration *registration = registration_find(vault->directory, query->study->protocol);
    if (registration_faults(faults, arena, vault->directory, query->study, query->manifest.researcher,
                            vault_now_ms(vault)) > 0)
        code = maille_refuse(error, "protocol", "%s", faults[0]);
    else if (registration != NULL && query->manifest.expires_ms > registration_end_ms(registration))
        code = maille_refuse(error, "protocol",
                             "expected a question that ends with the registration %s, found one that lives "
                             "longer",
                             registration->id);
    if (code == MAILLE_OK)
        code = vault_few_closed(&closed, vault, query, error);
    if (closed && registration != NULL)
        code = maille_refuse(
            error, "protocol",
            "expected a registration that is open, found that %s is closed here: as many groups "
            "were refused or hidden under few as the policy allows (budget.registration_few); the "
            "network's authority opens it again",
            registration->id);
    arena_free(arena);
    return code;
}

/* --- budgets --- */

enum maille_code vault_analysis_hash(struct digest *hash, const struct query *query, size_t k,
                                     struct arena *arena, struct maille_error *error)
{
    const struct analysis *analysis = &query->study->analyses[k];
    struct bytes bytes = {0};
    bytes_put(&bytes, query->manifest.dictionary_hash.b, HASH_BYTES);
    bytes_put_u32(&bytes, method_find(analysis->method)->version);
    analysis_serialise(&bytes, arena, analysis);
    enum maille_code code = bytes_check(&bytes, error);
    if (code == MAILLE_OK)
        hash_kdf(hash, NULL, "analysis", bytes.data, bytes.length);
    bytes_clear(&bytes);
    return code;
}

/* The analyses of a query, as the ledger knows them. In arena. */
static enum maille_code asked_of(struct ledger_asked **out, const struct query *query, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = query->study;
    struct ledger_asked *asked = arena_array(arena, study->n_analyses + 1, sizeof *asked);
    for (size_t k = 0; k < study->n_analyses; k++) {
        struct digest hash;
        MAILLE_TRY(vault_analysis_hash(&hash, query, k, arena, error));
        asked[k] =
            (struct ledger_asked){.analysis = (uint32_t)k, .is_model = study->analyses[k].declared->is_model};
        memcpy(asked[k].hash, hash.b, LEDGER_HASH_BYTES);
    }
    *out = asked;
out:
    return code;
}

/* What the registration and this site's policy let be asked: the smaller. */
static int64_t budget_of(const struct vault *vault, const struct registration *registration, bool is_model)
{
    const int64_t signed_budget = is_model ? registration->budget_models : registration->budget_tables;
    const double own =
        is_model ? vault->policy->budget_registration_models : vault->policy->budget_registration_tables;
    const int64_t budget = signed_budget == REGISTRATION_NO_BUDGET ? INT64_MAX : signed_budget;
    return own != POLICY_OFF && own < (double)budget ? (int64_t)own : budget;
}

/* Whether one of the analyses before it asks the same. */
static bool asked_before(const struct ledger_asked *asked, size_t k, const struct verdict *verdicts)
{
    for (size_t j = 0; j < k; j++)
        if (verdicts[j].rule[0] == '\0' && memcmp(asked[j].hash, asked[k].hash, LEDGER_HASH_BYTES) == 0)
            return true;
    return false;
}

enum maille_code vault_registration_budget(struct vault *vault, struct verdict *verdicts,
                                           const struct query *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct registration *registration = registration_find(vault->directory, query->study->protocol);
    struct ledger_asked *asked;
    int64_t spent[2], added[2];
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a budget");
    if (registration == NULL)
        goto out;
    MAILLE_TRY(asked_of(&asked, query, arena, error));
    MAILLE_TRY(ledger_registration_spent(spent, added, vault->ledger, registration->id, query->qid, error));
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        bool known = false;
        if (verdicts[k].rule[0] != '\0' || asked_before(asked, k, verdicts))
            continue;
        MAILLE_TRY(ledger_registration_has(&known, vault->ledger, registration->id, &asked[k], error));
        if (known)
            continue;
        if (spent[asked[k].is_model] >= budget_of(vault, registration, asked[k].is_model))
            gate_refuse(&verdicts[k], "budget", "nothing is left of the registration %s", registration->id);
        else
            spent[asked[k].is_model]++;
    }
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_registration_reserve(struct vault *vault, const struct query *query,
                                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct registration *registration = registration_find(vault->directory, query->study->protocol);
    struct ledger_asked *asked;
    int64_t spent[2], added[2];
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a budget");
    if (registration == NULL)
        goto out;
    MAILLE_TRY(asked_of(&asked, query, arena, error));
    MAILLE_TRY(ledger_registration_reserve(vault->ledger, registration->id, query->qid, asked,
                                           query->study->n_analyses, error));
    MAILLE_TRY(ledger_registration_spent(spent, added, vault->ledger, registration->id, query->qid, error));
    for (int is_model = 0; is_model < 2 && code == MAILLE_OK; is_model++)
        if (added[is_model] > 0 && spent[is_model] > budget_of(vault, registration, is_model != 0))
            code = maille_refuse(error, "budget", "nothing is left of the registration %s", registration->id);
out:
    arena_free(arena);
    return code;
}
