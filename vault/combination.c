#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_combination.h"
#include "vault/private.h"

/* Combinations of groups (disclosure/combination.h, decision 0020). Which there are follows from the words of
 * this question and of those that the accepts list; only the counts depend on who is in a group. */

/* What was made of the forms for the analyses that were open. */
struct combining {
    struct combined combined;
    bool *open; /* [n_analyses]; NULL: nothing was made yet */
};

static void hash_form(uint8_t out[FORM_HASH_BYTES], const uint8_t *data, size_t length)
{
    struct digest digest;
    hash_kdf(&digest, NULL, "form", data, length);
    memcpy(out, digest.b, FORM_HASH_BYTES);
}

/* --- M1 --- */

static int by_id(const void *a, const void *b)
{
    const struct message_ledger_form *x = a, *y = b;
    const int order = memcmp(x->id, y->id, LEDGER_ID_BYTES);
    return order != 0 ? order : (x->analysis > y->analysis) - (x->analysis < y->analysis);
}

/* A published cohort has the id of no query; its number is its place in the directory's list. */
static const uint8_t published_id[LEDGER_ID_BYTES];

static bool is_published(const struct message_ledger_form *form)
{
    return memcmp(form->id, published_id, LEDGER_ID_BYTES) == 0;
}

/* The words of a published cohort; nothing in out: it has none, or too many. */
static enum maille_code published_form(struct bytes *out, const struct published_one *one,
                                       struct maille_error *error)
{
    out->length = 0;
    if (!combined_form(out, &one->study->analyses[0], hash_form) || out->length > FORM_BYTES_MAX)
        out->length = 0;
    return bytes_check(out, error);
}

static enum maille_code list_shown(struct message_ledger_form **list, size_t *n, size_t *bytes,
                                   struct vault *vault, const struct query *query, size_t n_more,
                                   struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger_formed *formed = NULL;
    const struct registration *registration = registration_find(vault->directory, query->study->protocol);
    const char **protocols = NULL;
    size_t n_protocols = 0;
    if (registration != NULL)
        protocols = registration_linked(&n_protocols, arena, vault->directory, registration);
    MAILLE_TRY(ledger_forms(&formed, n, arena, vault->ledger, query->qid, vault->directory->epoch.number,
                            query->manifest.researcher, protocols, n_protocols, error));
    struct message_ledger_form *made = arena_array(arena, *n + n_more + 1, sizeof *made);
    for (size_t i = 0; i < *n; i++) {
        vault_ledger_past_id(made[i].id, formed[i].query, query);
        made[i].analysis = formed[i].analysis;
        made[i].form = (struct byte_view){formed[i].form, formed[i].length};
        *bytes += formed[i].length;
    }
    *list = made;
    if (*n > LEDGER_FORMS_MAX || *bytes > LEDGER_FORMS_BYTES_MAX)
        code = maille_refuse(error, "combinations",
                             "more groups were shown in this epoch than a question can be combined with");
out:
    return code;
}

/* As many as there is room for: a directory that publishes too much refuses no question. */
static enum maille_code list_published(struct message_ledger_form *list, size_t *n, size_t bytes,
                                       const struct published *published, struct arena *arena,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes form = {0};
    for (size_t i = 0; i < published->n; i++) {
        MAILLE_TRY(published_form(&form, &published->list[i], error));
        bytes += form.length;
        if (form.length == 0)
            continue;
        if (*n >= LEDGER_FORMS_MAX || bytes > LEDGER_FORMS_BYTES_MAX)
            break;
        uint8_t *copy = arena_alloc(arena, form.length);
        memcpy(copy, form.data, form.length);
        list[(*n)++] = (struct message_ledger_form){.analysis = (uint32_t)i, .form = {copy, form.length}};
    }
out:
    bytes_clear(&form);
    return code;
}

static enum maille_code list_forms(const struct message_ledger_form **out, size_t *n, struct vault *vault,
                                   const struct query *query, const struct published *published,
                                   struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_ledger_form *made = NULL;
    size_t bytes = 0;
    MAILLE_TRY(list_shown(&made, n, &bytes, vault, query, published->n, arena, error));
    MAILLE_TRY(list_published(made, n, bytes, published, arena, error));
    qsort(made, *n, sizeof *made, by_id);
    *out = made;
out:
    return code;
}

enum maille_code vault_combination_reserve(const struct message_ledger_form **forms, size_t *n,
                                           struct vault *vault, const struct query *query,
                                           const struct published *published, struct arena *arena,
                                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes form = {0};
    *n = 0;
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        form.length = 0;
        if (!combined_form(&form, &query->study->analyses[k], hash_form)) {
            MAILLE_TRY(bytes_check(&form, error));
            continue;
        }
        if (form.length > FORM_BYTES_MAX) {
            code = maille_refuse(error, "combinations",
                                 "a group has more words than can be compared with others: %s",
                                 query->study->analyses[k].id);
            goto out;
        }
        MAILLE_TRY(ledger_form_put(vault->ledger, query->qid, (uint32_t)k, form.data, form.length, error));
    }
    code = list_forms(forms, n, vault, query, published, arena, error);
out:
    bytes_clear(&form);
    return code;
}

/* --- M2 --- */

enum maille_code vault_combination_settle(struct query *query, const struct message_accept *accepts, size_t n,
                                          struct maille_error *error)
{
    struct custody *custody = &query->custody;
    struct message_ledger_form *forms;
    custody->n_forms = message_forms_union(&forms, query->arena, accepts, n);
    custody->forms = forms;
    custody->combining = calloc(1, sizeof *custody->combining);
    return custody->combining != NULL
               ? MAILLE_OK
               : maille_fail(error, MAILLE_MEMORY, "no memory for combinations of groups");
}

static void forget(struct combining *combining)
{
    combined_clear(&combining->combined);
    free(combining->open);
    combining->open = NULL;
}

void vault_combination_clear(struct custody *custody)
{
    if (custody->combining == NULL)
        return;
    forget(custody->combining);
    free(custody->combining);
    custody->combining = NULL;
}

/* --- T0, T1 --- */

enum maille_code vault_combination_of(const struct combined **combined, const struct query *query,
                                      const bool *open, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct custody *custody = &query->custody;
    struct combining *combining = custody->combining;
    const size_t n = query->study->n_analyses;
    *combined = NULL;
    if (custody->strictest->differencing == POLICY_OFF)
        return MAILLE_OK;
    if (combining->open == NULL || memcmp(combining->open, open, n * sizeof *open) != 0) {
        struct combination_group *past = calloc(custody->n_forms + 1, sizeof *past);
        forget(combining);
        combining->open = calloc(n + 1, sizeof *open);
        if (past == NULL || combining->open == NULL) {
            free(past);
            return maille_fail(error, MAILLE_MEMORY, "no memory for combinations of groups");
        }
        for (size_t i = 0; i < custody->n_forms; i++)
            past[i] = (struct combination_group){custody->forms[i].form.data, custody->forms[i].form.length};
        memcpy(combining->open, open, n * sizeof *open);
        code =
            combined_init(&combining->combined, query->study, open, past, custody->n_forms, hash_form, error);
        free(past);
        if (code != MAILLE_OK) {
            forget(combining);
            return code;
        }
    }
    *combined = &combining->combined;
    return MAILLE_OK;
}

struct counting {
    struct ledger_combined *who;
    int64_t *counts;
};

static enum maille_code count_row(void *context, size_t row, const uint64_t *coefficients,
                                  struct maille_error *error)
{
    const struct counting *counting = context;
    (void)error;
    ledger_combined_count(counting->counts + 2 * row, counting->who, coefficients);
    return MAILLE_OK;
}

/* Who is in a group of the list: of a published cohort those whom this site counted at M1; nobody, where it
 * does not know the query, or published another cohort then. */
static enum maille_code past_group(struct ledger_pair *group, const struct query *query,
                                   const struct message_ledger_form *form, const struct past_ids *ids,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct published *published = &query->custody.published;
    struct bytes own = {0};
    *group =
        (struct ledger_pair){.query = vault_ledger_past_query(ids, form->id), .its_analysis = form->analysis};
    if (!is_published(form) || form->analysis >= published->n)
        goto out;
    MAILLE_TRY(published_form(&own, &published->list[form->analysis], error));
    if (byte_view_equal((struct byte_view){own.data, own.length}, form->form))
        *group =
            (struct ledger_pair){.query = query->qid, .its_analysis = PUBLISHED_ANALYSIS + form->analysis};
out:
    bytes_clear(&own);
    return code;
}

enum maille_code vault_combination_counts(const int64_t **counts, struct vault *vault,
                                          const struct query *query, const struct combined *combined,
                                          struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct custody *custody = &query->custody;
    const size_t n_past = combined->combination.n_past, n = combined->combination.n_groups;
    struct counting counting = {.counts = arena_array(arena, 2 * combined->n_rows + 1, sizeof(int64_t))};
    struct ledger_pair *groups = arena_array(arena, n + 1, sizeof *groups);
    struct past_ids ids;
    MAILLE_TRY(vault_ledger_past_ids(&ids, vault, query, arena, error));
    for (size_t i = 0; i < n_past; i++)
        MAILLE_TRY(past_group(&groups[i], query, &custody->forms[i], &ids, error));
    for (size_t i = n_past; i < n; i++)
        groups[i] = (struct ledger_pair){.query = query->qid,
                                         .its_analysis = (uint32_t)combined->analysis_of[i - n_past]};
    if (combined->n_rows > 0) {
        MAILLE_TRY(ledger_combined_new(&counting.who, vault->ledger, groups, n,
                                       (int64_t)custody->strictest->differencing, error));
        MAILLE_TRY(combined_rows(combined, count_row, &counting, error));
    }
    *counts = counting.counts;
out:
    ledger_combined_free(counting.who);
    return code;
}
