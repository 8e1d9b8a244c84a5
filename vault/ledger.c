#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "vault/private.h"

/* The cohort ledger in the life of a query: what it may still ask (M0a), which answered groups are near (M1),
 * who else is in the roster (M2), by how many patients it differs (T1, T2), and that it was answered (the
 * first reveal to the analyst). */

static bool is_open(const void *context, const uint8_t *qid)
{
    return vault_query_find(context, qid) != NULL;
}

enum maille_code vault_ledger_open(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(file_path_join(path, sizeof path, vault->state_folder, "ledger", error));
    MAILLE_TRY(ledger_open(&vault->ledger, path, error));
    code = ledger_sweep(vault->ledger, is_open, vault, error);
out:
    return code;
}

static void question_hash(struct digest *out, const struct query *query)
{
    hash_kdf(out, NULL, "question", query->manifest.study.data, query->manifest.study.length);
}

static struct ledger_question question_of(const struct query *query, const struct digest *hash,
                                          uint32_t snapshot)
{
    return (struct ledger_question){.query = query->qid,
                                    .question = hash->b,
                                    .snapshot = snapshot,
                                    .protocol = query->study->protocol,
                                    .researcher = query->manifest.researcher};
}

/* --- M0a: budgets --- */

static bool over(double budget, int64_t asked)
{
    return budget != POLICY_OFF && (double)asked > budget;
}

enum maille_code vault_ledger_budget(struct vault *vault, struct verdict *verdicts, const struct query *query,
                                     uint32_t snapshot, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct digest hash;
    int64_t tables, models;
    question_hash(&hash, query);
    const struct ledger_question question = question_of(query, &hash, snapshot);
    MAILLE_TRY(ledger_spent(&tables, &models, vault->ledger, &question, error));
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        bool is_model = query->study->analyses[k].declared->is_model;
        int64_t *asked = is_model ? &models : &tables;
        if (verdicts[k].rule[0] != '\0')
            continue;
        if (over(is_model ? vault->policy->budget_models : vault->policy->budget_tables, *asked + 1))
            gate_refuse(&verdicts[k], "budget", "nothing is left for this researcher, protocol and snapshot");
        else
            ++*asked;
    }
out:
    return code;
}

/* --- M1: groups --- */

/* Analyses whose head counts have one filter have one group: asked for once. */
struct distinct_group {
    struct bytes key;
    struct data_members members;
};

struct gathering {
    struct vault *vault;
    const struct query *query;
    const struct data_facts *facts;
    bool *refused; /* by this site at M0a */
    struct distinct_group *distinct;
    size_t n_distinct;
    struct ledger_group *groups;
    size_t n_groups;
    struct bytes persons;
    bool persons_taken;
};

/* What this site refused at M0a: nobody will ask it for that. */
static enum maille_code read_refused(struct gathering *work, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    const struct bytes *bytes = &work->query->ready_envelope;
    MAILLE_TRY(message_within(&in, arena, &(struct byte_view){bytes->data, bytes->length}, MESSAGE_READY,
                              NULL, 0, error));
    for (size_t i = 0; i < in.body.ready.n_findings; i++)
        if (in.body.ready.findings[i].analysis < work->query->study->n_analyses)
            work->refused[in.body.ready.findings[i].analysis] = true;
out:
    return code;
}

/* Canonical bytes of who counts in an analysis. false: it cannot be counted, and will be refused for it. */
static bool group_key(struct bytes *key, const struct analysis *analysis, struct arena *arena)
{
    struct maille_error why;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    if (method_cells(analysis, arena, cells, &why) != MAILLE_OK)
        return false;
    size_t block = data_members_block(cells);
    if (block == SIZE_MAX)
        return false;
    spec->survival = cells->spec.survival;
    spec->blocks[0] = cells->spec.blocks[block];
    spec->n_blocks = 1;
    tally_spec_serialise(key, spec);
    return !key->failed;
}

static enum maille_code gather_one(struct gathering *work, const struct study *study, size_t k,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data_source *data = &work->vault->options.data;
    struct arena *arena = arena_new();
    struct bytes key = {0};
    size_t d = 0;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an analysis");
    if (!group_key(&key, &study->analyses[k], arena))
        goto out;
    while (d < work->n_distinct && (work->distinct[d].key.length != key.length ||
                                    memcmp(work->distinct[d].key.data, key.data, key.length) != 0))
        d++;
    if (d == work->n_distinct) {
        struct distinct_group *made = &work->distinct[work->n_distinct++];
        MAILLE_TRY(data->members(data->context, &made->members, work->facts->number, study, k,
                                 !work->persons_taken && work->facts->rows != work->facts->patients, error));
        made->key = key;
        key = (struct bytes){0};
        if (made->members.persons.length > 0) {
            work->persons = made->members.persons;
            made->members.persons = (struct bytes){0};
            work->persons_taken = true;
        }
    }
    if (work->distinct[d].members.failure.rule[0] != '\0')
        goto out;
    work->groups[work->n_groups] = (struct ledger_group){
        .analysis = (uint32_t)k,
        .reading = study->missing,
        .is_model = study->analyses[k].declared->is_model,
        .rows = {work->distinct[d].members.rows.data, work->distinct[d].members.rows.length},
        .patients = {work->distinct[d].members.patients.data, work->distinct[d].members.patients.length}};
    work->n_groups++;
out:
    bytes_clear(&key);
    arena_free(arena);
    return code;
}

static enum maille_code gather(struct gathering *work, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = work->query->study;
    const size_t n = study->n_analyses;
    work->refused = arena_array(arena, n, sizeof *work->refused);
    work->groups = arena_array(arena, n, sizeof *work->groups);
    work->distinct = arena_array(arena, n, sizeof *work->distinct);
    MAILLE_TRY(read_refused(work, arena, error));
    for (size_t k = 0; k < n; k++)
        if (!work->refused[k])
            MAILLE_TRY(gather_one(work, study, k, error));
out:
    return code;
}

static void gathering_clear(struct gathering *work)
{
    for (size_t d = 0; d < work->n_distinct; d++) {
        bytes_clear(&work->distinct[d].key);
        data_members_clear(&work->distinct[d].members);
    }
    bytes_clear(&work->persons);
}

/* Two questions that were asked at once both found something left. */
static enum maille_code budget_left(struct gathering *work, const struct ledger_question *question,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct policy *policy = work->vault->policy;
    int64_t tables, models;
    MAILLE_TRY(ledger_spent(&tables, &models, work->vault->ledger, question, error));
    for (size_t k = 0; k < work->query->study->n_analyses; k++)
        if (!work->refused[k])
            ++*(work->query->study->analyses[k].declared->is_model ? &models : &tables);
    if (over(policy->budget_tables, tables) || over(policy->budget_models, models))
        code = maille_refuse(error, "budget", "nothing is left for this researcher, protocol and snapshot");
out:
    return code;
}

enum maille_code vault_ledger_reserve(struct message_ledger_entry *entries, size_t *n, struct vault *vault,
                                      const struct query *query, const struct data_facts *facts,
                                      const struct message_call *call, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct gathering work = {.vault = vault, .query = query, .facts = facts};
    struct digest hash;
    struct ledger_reference *found = calloc(THRESHOLD_LEDGER_MAX, sizeof *found);
    const double least = vault->policy->differencing;
    const int64_t below =
        least != POLICY_OFF && least > LEDGER_LISTED_BELOW ? (int64_t)least : LEDGER_LISTED_BELOW;
    size_t n_found = 0;
    if (arena == NULL || found == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a question");
        goto out;
    }
    question_hash(&hash, query);
    struct ledger_question question = question_of(query, &hash, facts->number);
    MAILLE_TRY(gather(&work, arena, error));
    MAILLE_TRY(budget_left(&work, &question, error));
    question.sites = call->sites;
    question.n_sites = call->n_sites;
    question.groups = work.groups;
    question.n_groups = work.n_groups;
    question.persons = work.persons.length > 0 ? work.persons.data : NULL;
    question.n_persons = work.persons.length / 4;
    question.now_ms = vault_now_ms(vault);
    MAILLE_TRY(ledger_reserve(found, &n_found, vault->ledger, &question, below, error));
    if (n_found > THRESHOLD_LEDGER_MAX && least != POLICY_OFF) {
        code = maille_refuse(error, "differencing",
                             "more answered groups are near to this question than can be compared");
        goto out;
    }
    *n = n_found < THRESHOLD_LEDGER_MAX ? n_found : THRESHOLD_LEDGER_MAX;
    for (size_t i = 0; i < *n; i++) {
        memcpy(entries[i].query, found[i].query, QID_BYTES);
        entries[i].group = found[i].group;
    }
out:
    gathering_clear(&work);
    free(found);
    arena_free(arena);
    return code;
}

/* --- M2: who else is there --- */

/* The rosters of the ledger hold who was in an attempt: a site that leaves round 1 has left the roster. */
static enum maille_code keep_roster(struct vault *vault, const struct query *query,
                                    const struct message_accept *accepts, size_t n_accepts,
                                    const uint32_t *members, size_t n_members, struct maille_error *error)
{
    struct ledger_member kept[MESSAGE_SITES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < n_accepts && n < MESSAGE_SITES_MAX; i++)
        if (members == NULL || vault_sites_have(members, n_members, accepts[i].site))
            kept[n++] = (struct ledger_member){.site = accepts[i].site,
                                               .may_be_inferred =
                                                   accepts[i].own_totals == OWN_TOTALS_MAY_BE_INFERRED};
    return ledger_roster(vault->ledger, query->qid, kept, n, query->study->missing, error);
}

enum maille_code vault_ledger_roster(struct vault *vault, const struct query *query,
                                     const struct message_accept *accepts, size_t n_accepts,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct message_ledger_entry *entries;
    const struct policy *strictest;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a roster");
    const char **texts = arena_array(arena, n_accepts + 1, sizeof *texts);
    size_t *lengths = arena_array(arena, n_accepts + 1, sizeof *lengths);
    for (size_t i = 0; i < n_accepts; i++) {
        texts[i] = (const char *)accepts[i].floor.data;
        lengths[i] = accepts[i].floor.length;
    }
    MAILLE_TRY(policy_strictest(&strictest, arena, texts, lengths, n_accepts, error));
    if (message_ledger_union(&entries, arena, accepts, n_accepts) > THRESHOLD_LEDGER_MAX &&
        threshold_needed(strictest)) {
        code = maille_refuse(
            error, "differencing",
            "more answered groups are near to this question, over the sites, than can be compared");
        goto out;
    }
    code = keep_roster(vault, query, accepts, n_accepts, NULL, 0, error);
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_ledger_members(struct vault *vault, const struct query *query,
                                      const struct message_round_header *header, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct message_roster roster;
    struct message_accept *accepts;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a roster");
    MAILLE_TRY(vault_query_roster(&roster, &accepts, query, arena, error));
    code = keep_roster(vault, query, accepts, roster.n, header->members, header->n_members, error);
out:
    arena_free(arena);
    return code;
}

/* --- T1, T2 and the reveal --- */

enum maille_code vault_ledger_differences(struct threshold_difference *differences, struct vault *vault,
                                          const struct query *query, struct maille_error *error)
{
    const struct custody *custody = &query->custody;
    struct ledger_reference *entries;
    if (custody->n_ledger == 0)
        return MAILLE_OK;
    entries = calloc(custody->n_ledger, sizeof *entries);
    if (entries == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for %zu groups", custody->n_ledger);
    for (size_t i = 0; i < custody->n_ledger; i++) {
        memcpy(entries[i].query, custody->ledger[i].query, QID_BYTES);
        entries[i].group = custody->ledger[i].group;
    }
    enum maille_code code = ledger_differences(differences, vault->ledger, query->qid, entries,
                                               custody->n_ledger, query->study->n_analyses, error);
    free(entries);
    return code;
}

enum maille_code vault_ledger_reveal(struct vault *vault, const struct query *query,
                                     const struct message_round_header *header, struct maille_error *error)
{
    if (custody_which(query, header->round) != 0)
        return ledger_pool(vault->ledger, query->qid, header->analyses, header->n_analyses, error);
    return ledger_commit(vault->ledger, query->qid, header->analyses, header->n_analyses, error);
}
