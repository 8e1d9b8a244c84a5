#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stats/arithmetic.h"
#include "vault/private.h"

/* The checks of docs/PROTOCOL.md §3 on what begins a query: who signed, the manifest, the call, the roster.
 * Each is one small function named by its rule. */

enum { ROUNDS_MAX = 256 }; /* analyses that do not fit into one round follow one another */
static const uint64_t bytes_max = (uint64_t)256 << 20;

bool vault_sites_ascend(const uint32_t *sites, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (sites[i] <= sites[i - 1])
            return false;
    return n > 0 && sites[0] > 0;
}

bool vault_sites_have(const uint32_t *sites, size_t n, uint32_t site)
{
    for (size_t i = 0; i < n; i++)
        if (sites[i] == site)
            return true;
    return false;
}

bool vault_sites_within(const uint32_t *sites, size_t n, const uint32_t *all, size_t n_all)
{
    for (size_t i = 0; i < n; i++)
        if (!vault_sites_have(all, n_all, sites[i]))
            return false;
    return true;
}

/* --- who signed --- */

enum maille_code vault_check_researcher(const struct message *in, const char *name,
                                        struct maille_error *error)
{
    if (strcmp(name, in->envelope.from) == 0)
        return MAILLE_OK;
    maille_fail(error, MAILLE_SIGNATURE, "signature: expected a message of %s, found one of %s", name,
                in->envelope.from);
    if (error != NULL)
        snprintf(error->rule, sizeof error->rule, "signature");
    return MAILLE_SIGNATURE;
}

enum maille_code vault_check_within(struct message *in, uint32_t *site, const struct vault *vault,
                                    struct arena *arena, const struct byte_view *bytes,
                                    enum message_kind kind, const char *rule, struct maille_error *error)
{
    struct maille_error why = {0};
    enum maille_code code = message_within(in, arena, bytes, kind, vault->directory, FROM_SITE, &why);
    if (code == MAILLE_PROTOCOL || code == MAILLE_SIGNATURE)
        return maille_protest(error, rule, "%s", why.sentence);
    if (code == MAILLE_OK)
        *site = directory_site_named(vault->directory, in->envelope.from)->id;
    else if (error != NULL)
        *error = why;
    return code;
}

/* --- manifest: MAILLE_REFUSED with the rule that Ready names --- */

typedef enum maille_code manifest_check(const struct vault *vault, const struct message_manifest *manifest,
                                        struct maille_error *error);

static enum maille_code rule_wire(const struct vault *vault, const struct message_manifest *manifest,
                                  struct maille_error *error)
{
    (void)vault;
    if (manifest->protocol == PROTOCOL_VERSION)
        return MAILLE_OK;
    return maille_refuse(error, "wire_version",
                         "expected a manifest of wire version %d, found version %u; the researcher needs %s",
                         PROTOCOL_VERSION, manifest->protocol, message_wire_install(PROTOCOL_VERSION));
}

static enum maille_code rule_set_back(const struct vault *vault, const struct message_manifest *manifest,
                                      struct maille_error *error)
{
    (void)manifest;
    return !vault->set_back
               ? MAILLE_OK
               : maille_refuse(
                     error, "set_back",
                     "expected this site's log as others have seen it, found less of it: it was set "
                     "back");
}

static enum maille_code rule_directory(const struct vault *vault, const struct message_manifest *manifest,
                                       struct maille_error *error)
{
    if (manifest->directory_version == vault->directory->version &&
        digest_equal(&manifest->directory_hash, &vault->directory->hash))
        return MAILLE_OK;
    return maille_refuse(
        error, "directory", "expected version %llu of the network's directory, found version %llu",
        (unsigned long long)vault->directory->version, (unsigned long long)manifest->directory_version);
}

static enum maille_code rule_version(const struct vault *vault, const struct message_manifest *manifest,
                                     struct maille_error *error)
{
    (void)vault;
    for (size_t i = 0; i < manifest->n_methods; i++) {
        const struct method *method = method_find(manifest->methods[i].name);
        if (method == NULL || method->version != manifest->methods[i].version)
            return maille_refuse(error, "version", "expected version %u of the method %s, found version %u",
                                 method != NULL ? method->version : 0, manifest->methods[i].name,
                                 manifest->methods[i].version);
    }
    return MAILLE_OK;
}

static enum maille_code rule_expired(const struct vault *vault, const struct message_manifest *manifest,
                                     struct maille_error *error)
{
    int64_t now_ms = vault_now_ms(vault);
    if (manifest->expires_ms + CLOCK_SKEW_MS <= now_ms)
        return maille_refuse(error, "expired",
                             "expected a manifest that is alive, found one that has expired");
    if (manifest->created_ms > now_ms + CLOCK_SKEW_MS)
        return maille_refuse(
            error, "clock",
            "expected a manifest made by now, found one made more than 5 minutes ahead; set this "
            "machine's clock, or have the researcher set hers");
    if (manifest->expires_ms < manifest->created_ms ||
        manifest->expires_ms - manifest->created_ms > vault->directory->timeouts.lifetime_ms)
        return maille_refuse(error, "expired",
                             "expected a manifest that lives at most the network's lifetime");
    return MAILLE_OK;
}

/* Also of a study that was taken on under an earlier directory: a site may have left since. */
static enum maille_code rule_sites_known(const struct vault *vault, const struct message_manifest *manifest,
                                         struct maille_error *error)
{
    for (size_t i = 0; i < manifest->n_sites; i++)
        if (directory_site(vault->directory, manifest->sites[i]) == NULL)
            return maille_refuse(error, "sites", "expected sites of the directory, found number %u",
                                 manifest->sites[i]);
    return MAILLE_OK;
}

static enum maille_code rule_sites(const struct vault *vault, const struct message_manifest *manifest,
                                   struct maille_error *error)
{
    if (!vault_sites_ascend(manifest->sites, manifest->n_sites))
        return maille_refuse(error, "sites", "expected the numbers of sites in ascending order");
    enum maille_code code = rule_sites_known(vault, manifest, error);
    if (code != MAILLE_OK)
        return code;
    if (!vault_sites_have(manifest->sites, manifest->n_sites, vault->self->id))
        return maille_refuse(error, "sites", "expected this site to be named, found it is not");
    return MAILLE_OK;
}

static enum maille_code rule_n_min(const struct vault *vault, const struct message_manifest *manifest,
                                   struct maille_error *error)
{
    const bool circle = manifest->mode == MODE_CIRCLE;
    const uint32_t needed = directory_sites_needed(vault->directory, circle, manifest->n_sites);
    if (needed == 0)
        return maille_refuse(error, "n_min", "expected at least %d sites%s, found %zu",
                             circle ? CIRCLE_SITES : 3, circle ? ", or all sites of a network of 3 or 4" : "",
                             manifest->n_sites);
    if (manifest->n_min < needed || manifest->n_min > manifest->n_sites)
        return maille_refuse(error, "n_min", "expected n_min from %u to %zu, found %u", needed,
                             manifest->n_sites, manifest->n_min);
    return MAILLE_OK;
}

static enum maille_code rule_limits(const struct vault *vault, const struct message_manifest *manifest,
                                    struct maille_error *error)
{
    (void)vault;
    if (manifest->bytes_max > bytes_max || manifest->rounds_max > ROUNDS_MAX)
        return maille_refuse(error, "limits",
                             "expected at most %llu bytes a round and %d rounds, found %llu and %u",
                             (unsigned long long)bytes_max, ROUNDS_MAX,
                             (unsigned long long)manifest->bytes_max, manifest->rounds_max);
    return MAILLE_OK;
}

enum maille_code vault_check_manifest(const struct vault *vault, const struct message_manifest *manifest,
                                      struct maille_error *error)
{
    static manifest_check *const checks[] = {rule_wire,    rule_set_back, rule_directory, rule_version,
                                             rule_expired, rule_sites,    rule_n_min,     rule_limits};
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && code == MAILLE_OK; i++)
        code = checks[i](vault, manifest, error);
    return code;
}

/* --- what the study says, against this site's snapshot and the manifest that carries it --- */

static enum maille_code rule_dictionary(const struct query *query, const struct data_facts *facts,
                                        struct maille_error *error)
{
    struct digest own;
    hash_kdf(&own, NULL, "dictionary", facts->dictionary, facts->dictionary_length);
    if (digest_equal(&own, &query->manifest.dictionary_hash))
        return MAILLE_OK;
    return maille_refuse(error, "dictionary", "expected the dictionary of snapshot %u, found another",
                         facts->number);
}

/* Sums are scaled for so many rows of all sites together, and no site knows how many the others have. */
static enum maille_code rule_rows(const struct query *query, const struct data_facts *facts,
                                  struct maille_error *error)
{
    if (facts->rows <= (UINT64_C(1) << TALLY_N_MAX_LOG2) / query->manifest.n_sites)
        return MAILLE_OK;
    return maille_refuse(error, "rows",
                         "expected at most 2^%d rows at %zu sites, found more than a %zuth here",
                         TALLY_N_MAX_LOG2, query->manifest.n_sites, query->manifest.n_sites);
}

static enum maille_code rule_public(const struct vault *vault, const struct data_facts *facts,
                                    struct maille_error *error)
{
    if (strcmp(vault->policy->preset, "open") != 0 || facts->is_public)
        return MAILLE_OK;
    return maille_refuse(
        error, "public",
        "expected a snapshot imported with --public under the policy open, found snapshot %u; "
        "choose strict or standard in policy.yaml",
        facts->number);
}

bool vault_public_policy(const struct policy *policy)
{
    return strcmp(policy->preset, "open") == 0 && !threshold_needed(policy);
}

/* The researcher opens sums of public data alone. */
static enum maille_code rule_mode(const struct vault *vault, const struct query *query,
                                  const struct data_facts *facts, struct maille_error *error)
{
    if (query->manifest.mode == MODE_CIRCLE || (vault_public_policy(vault->policy) && facts->is_public))
        return MAILLE_OK;
    return maille_refuse(error, "mode",
                         "expected a question in the circle, found one whose sums the researcher opens");
}

enum maille_code vault_check_mode(const struct query *query, const struct message_accept *accepts, size_t n,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct policy *policy;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the policies of a roster");
    for (size_t i = 0; i < n && query->manifest.mode != MODE_CIRCLE && code == MAILLE_OK; i++) {
        code = policy_parse(&policy, arena, "floor", (const char *)accepts[i].floor.data,
                            accepts[i].floor.length, error);
        if (code == MAILLE_OK && !vault_public_policy(policy))
            code =
                maille_refuse(error, "mode", "expected sites with public data alone, found another policy");
    }
    arena_free(arena);
    return code;
}

enum maille_code vault_check_arithmetic(const struct query *query, const struct message_accept *accepts,
                                        size_t n, struct maille_error *error)
{
    for (size_t i = 0; i < n && query->manifest.mode == MODE_CIRCLE; i++)
        if (accepts[i].arithmetic != ARITHMETIC_VERSION)
            return maille_refuse(error, "arithmetic_version",
                                 "expected sites whose programs step with arithmetic %d, found one of %u",
                                 ARITHMETIC_VERSION, accepts[i].arithmetic);
    return MAILLE_OK;
}

/* Every method that the study uses is in the manifest, with the version that was agreed on. */
static enum maille_code rule_methods_named(const struct query *query, struct maille_error *error)
{
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        bool named = false;
        for (size_t i = 0; i < query->manifest.n_methods; i++)
            named = named || strcmp(query->manifest.methods[i].name, query->study->analyses[k].method) == 0;
        if (!named)
            return maille_refuse(error, "version",
                                 "expected the version of the method %s in the manifest, found none",
                                 query->study->analyses[k].method);
    }
    return MAILLE_OK;
}

static enum maille_code rule_study_sites(const struct vault *vault, const struct query *query,
                                         struct maille_error *error)
{
    for (size_t i = 0; i < query->manifest.n_sites && !query->study->all_sites; i++) {
        const char *name = directory_site(vault->directory, query->manifest.sites[i])->name;
        bool named = false;
        for (size_t s = 0; s < query->study->n_sites; s++)
            named = named || strcmp(query->study->sites[s], name) == 0;
        if (!named)
            return maille_refuse(error, "sites", "expected the sites of the study alone, found %s", name);
    }
    return MAILLE_OK;
}

static enum maille_code rule_study_expired(const struct vault *vault, const struct query *query,
                                           struct maille_error *error)
{
    const int64_t day_ms = 24 * 3600 * 1000, end_ms = (query->study->expires + (int64_t)1) * day_ms;
    if (vault_now_ms(vault) >= end_ms + CLOCK_SKEW_MS || query->manifest.expires_ms > end_ms)
        return maille_refuse(error, "expired",
                             "expected a manifest that ends with its study, found one that lives longer");
    return MAILLE_OK;
}

static enum maille_code rule_purpose_listed(const struct vault *vault, const struct query *query,
                                            struct maille_error *error)
{
    for (size_t i = 0; i < vault->directory->n_purposes; i++)
        if (strcmp(vault->directory->purposes[i], query->study->purpose) == 0)
            return MAILLE_OK;
    if (vault->directory->n_purposes == 0)
        return MAILLE_OK;
    return maille_refuse(error, "purposes", "expected a purpose that the network lists, found %s",
                         query->study->purpose);
}

/* A policy that denies a variable which does not exist, or holds for a purpose that nobody has, protects
 * nothing of what was meant: until it is corrected, nothing is answered. */
static enum maille_code rule_policy_known(const struct vault *vault, const struct query *query,
                                          struct maille_error *error)
{
    const struct policy held = {.hold_purposes = vault->own->hold_purposes};
    const enum maille_code code = policy_check_dictionary(vault->own, query->study->dictionary, error);
    return code != MAILLE_OK ? code
                             : policy_check_purposes(&held, vault->directory->purposes,
                                                     vault->directory->n_purposes, error);
}

enum maille_code vault_check_study(const struct vault *vault, const struct query *query,
                                   const struct data_facts *facts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(rule_dictionary(query, facts, error));
    MAILLE_TRY(rule_rows(query, facts, error));
    MAILLE_TRY(rule_public(vault, facts, error));
    MAILLE_TRY(rule_mode(vault, query, facts, error));
    if (query->study == NULL) {
        code = maille_refuse(error, "study", "expected a study that parses, found one that does not");
        goto out;
    }
    MAILLE_TRY(rule_policy_known(vault, query, error));
    MAILLE_TRY(rule_methods_named(query, error));
    MAILLE_TRY(rule_sites_known(vault, &query->manifest, error));
    MAILLE_TRY(rule_study_sites(vault, query, error));
    MAILLE_TRY(vault_ledger_shielded(vault, query, query->manifest.sites, query->manifest.n_sites, error));
    MAILLE_TRY(rule_study_expired(vault, query, error));
    MAILLE_TRY(rule_purpose_listed(vault, query, error));
    MAILLE_TRY(vault_check_registration(vault, query, error));
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        const struct analysis *analysis = &query->study->analyses[k];
        const struct method *method = method_find(analysis->method);
        if (method->check != NULL && method->check(analysis, error) != MAILLE_OK) {
            char why[MAILLE_SENTENCE_MAX];
            snprintf(why, sizeof why, "%s", error != NULL ? error->sentence : "");
            code = maille_refuse(error, "study", "%s", why);
            goto out;
        }
    }
out:
    return code;
}

/* --- call --- */

enum maille_code vault_check_call(const struct vault *vault, const struct query *query,
                                  const struct message_call *call, struct maille_error *error)
{
    if (!vault_sites_ascend(call->sites, call->n_sites) ||
        !vault_sites_within(call->sites, call->n_sites, query->manifest.sites, query->manifest.n_sites))
        return maille_protest(error, "called", "expected sites of the manifest in ascending order");
    if (!vault_sites_have(call->sites, call->n_sites, vault->self->id))
        return maille_protest(error, "called", "expected this site to be called, found it is left out");
    if (call->n_sites < query->manifest.n_min)
        return maille_protest(error, "n_min", "expected at least %u sites to be called, found %zu",
                              query->manifest.n_min, call->n_sites);
    return MAILLE_OK;
}

/* --- roster --- */

/* One accept of the roster: signed by the site that it says, for this very query. */
static enum maille_code rule_accept_signed(const struct vault *vault, const struct query *query,
                                           const struct byte_view *bytes, struct message_accept *accept,
                                           struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    uint32_t site = 0;
    MAILLE_TRY(vault_check_within(&in, &site, vault, arena, bytes, MESSAGE_ACCEPT, "accept_signed", error));
    *accept = in.body.accept;
    const char *from = in.envelope.from;
    if (accept->site != site)
        code = maille_protest(error, "accept_signed", "expected the number of %s in its accept, found %u",
                              from, accept->site);
    else if (memcmp(accept->qid, query->qid, QID_BYTES) != 0 ||
             !digest_equal(&accept->manifest_hash, &query->manifest_hash))
        code = maille_protest(error, "same_manifest",
                              "expected accepts of this manifest, found %s's of another", from);
    else if (!vault_sites_have(query->manifest.sites, query->manifest.n_sites, accept->site))
        code = maille_protest(error, "sites", "expected sites of the manifest, found %s", from);
    else if (!mask_query_key_usable(accept->ek)) /* found out now: the roster must not reach the journal */
        code =
            maille_protest(error, "ek", "expected a query key of %s that makes a secret, found none", from);
out:
    return code;
}

static enum maille_code rule_own_accept(const struct vault *vault, const struct query *query,
                                        const struct message_roster *roster,
                                        const struct message_accept *accepts, struct maille_error *error)
{
    for (size_t i = 0; i < roster->n; i++)
        if (accepts[i].site == vault->self->id)
            return roster->accepts[i].length == query->accept_envelope.length &&
                           memcmp(roster->accepts[i].data, query->accept_envelope.data,
                                  roster->accepts[i].length) == 0
                       ? MAILLE_OK
                       : maille_protest(error, "own_accept",
                                        "expected this site's accept as it was sent, found other bytes");
    return maille_protest(error, "own_accept", "expected this site's accept in the roster, found none");
}

/* Two sites of one legal entity count as one: the roster must not hold both. */
static enum maille_code rule_legal_entities(const struct vault *vault, const struct message_accept *accepts,
                                            size_t n, struct maille_error *error)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(directory_site(vault->directory, accepts[i].site)->legal_entity,
                       directory_site(vault->directory, accepts[j].site)->legal_entity) == 0)
                return maille_protest(error, "legal_entities",
                                      "expected distinct legal entities, found two sites of one");
    return MAILLE_OK;
}

/* Each accept carries its site's policy as text: the strictest of them is what the roster holds to, so all
 * must parse. */
static enum maille_code rule_floors(const struct message_accept *accepts, size_t n, struct arena *arena,
                                    struct maille_error *error)
{
    const struct policy *unused;
    struct maille_error why;
    const char **texts = arena_array(arena, n + 1, sizeof *texts);
    size_t *lengths = arena_array(arena, n + 1, sizeof *lengths);
    for (size_t i = 0; i < n; i++) {
        texts[i] = (const char *)accepts[i].floor.data;
        lengths[i] = accepts[i].floor.length;
    }
    if (policy_strictest(&unused, arena, texts, lengths, n, &why) != MAILLE_OK)
        return maille_protest(error, "floors",
                              "expected policies in the accepts, found one that does not parse");
    return MAILLE_OK;
}

enum maille_code vault_check_roster(const struct vault *vault, const struct query *query,
                                    const struct message_roster *roster, struct arena *arena,
                                    struct message_accept **accepts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_accept *made = arena_array(arena, roster->n + 1, sizeof *made);
    for (size_t i = 0; i < roster->n; i++) {
        MAILLE_TRY(rule_accept_signed(vault, query, &roster->accepts[i], &made[i], arena, error));
        if (i > 0 && made[i].site <= made[i - 1].site) {
            code = maille_protest(error, "sites", "expected distinct sites in ascending order");
            goto out;
        }
    }
    MAILLE_TRY(rule_own_accept(vault, query, roster, made, error));
    MAILLE_TRY(rule_legal_entities(vault, made, roster->n, error));
    MAILLE_TRY(rule_floors(made, roster->n, arena, error));
    if (roster->n < query->manifest.n_min) {
        code = maille_protest(error, "n_min", "expected at least %u sites in the roster, found %zu",
                              query->manifest.n_min, roster->n);
        goto out;
    }
    *accepts = made;
out:
    return code;
}
