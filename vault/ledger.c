#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "disclosure/chosen.h"
#include "disclosure/ledger_stored.h"
#include "disclosure/near.h"
#include "vault/near.h"
#include "vault/published.h"

/* The cohort ledger in the life of a query: what it may still ask (M0a), which earlier queries it will be
 * compared with (M1), who else is in the roster (M2), by how many patients it differs from them (T0, T1), and
 * that something of it was shown. But for the pair words nothing that is sent depends on who is in a group.
 */

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
    MAILLE_TRY(ledger_sweep(vault->ledger, is_open, vault, error));
    code = ledger_stored_begin(vault->ledger, vault->directory->epoch.number, error);
out:
    return code;
}

static void question_hash(struct digest *out, const struct query *query)
{
    hash_kdf(out, NULL, "question", query->manifest.study.data, query->manifest.study.length);
}

static struct ledger_question question_of(const struct query *query, const struct digest *hash,
                                          uint32_t snapshot, uint32_t epoch)
{
    return (struct ledger_question){.query = query->qid,
                                    .question = hash->b,
                                    .snapshot = snapshot,
                                    .epoch = epoch,
                                    .protocol = query->study->protocol,
                                    .researcher = query->manifest.researcher,
                                    .study = query->study->id,
                                    .dictionary = query->manifest.dictionary_hash.b};
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
    const struct ledger_question question =
        question_of(query, &hash, snapshot, vault->directory->epoch.number);
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

/* Parts of the same rows are one group, and kept once. */
struct distinct_group {
    struct byte_view key; /* of the part */
    struct digest canon;  /* of the key and the dictionary */
    const char *words;
    struct byte_view conditions;
    const uint8_t *chosen; /* LEDGER_CHOSEN_BYTES; NULL: nobody can be in it */
    struct data_part members;
    bool uncounted; /* for a reason in this site's own data */
};

struct gathering {
    struct arena *arena;
    struct vault *vault;
    const struct query *query;
    const struct data_facts *facts;
    bool *refused;       /* by this site at M0a */
    struct parts *parts; /* [n_analyses] */
    const struct published *published;
    struct chosen *chosen;
    struct distinct_group *distinct;
    size_t n_distinct;
    struct ledger_group *groups;
    size_t n_groups;
    struct bytes families;
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

static struct distinct_group *find_distinct(const struct gathering *work, struct byte_view key)
{
    for (size_t d = 0; d < work->n_distinct; d++)
        if (byte_view_equal(work->distinct[d].key, key))
            return &work->distinct[d];
    return NULL;
}

static enum maille_code say_group(struct distinct_group *group, struct arena *arena, const struct part *part,
                                  const struct dictionary *dictionary, struct chosen *words_of,
                                  struct maille_error *error)
{
    struct bytes words = {0}, conditions = {0}, chosen = {0};
    near_words(&words, part, dictionary);
    near_write(&conditions, part);
    chosen_write(&chosen, words_of, part);
    enum maille_code code = bytes_check(&words, error);
    if (code == MAILLE_OK)
        code = bytes_check(&conditions, error);
    if (code == MAILLE_OK)
        code = bytes_check(&chosen, error);
    if (code == MAILLE_OK && chosen.length > 0) {
        struct digest *digest = arena_alloc(arena, sizeof *digest);
        hash_bytes(digest, chosen.data, chosen.length);
        group->chosen = digest->b;
    }
    if (code == MAILLE_OK) {
        uint8_t *copy = arena_alloc(arena, conditions.length + 1);
        if (conditions.length > 0)
            memcpy(copy, conditions.data, conditions.length);
        group->words = arena_strndup(arena, (const char *)words.data, words.length);
        group->conditions = (struct byte_view){copy, conditions.length};
    }
    bytes_clear(&words);
    bytes_clear(&conditions);
    bytes_clear(&chosen);
    return code;
}

/* Takes what is not there yet. Who cannot be counted here is nobody: the analysis is vetoed, and its groups
 * are kept all the same. */
static enum maille_code take_members(struct gathering *work, const struct study *study, size_t k,
                                     const struct parts *parts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data_source *data = &work->vault->options.data;
    struct data_members members = {0};
    MAILLE_TRY(data->members(data->context, &members, work->facts->number, study, k,
                             !work->persons_taken && work->facts->rows != work->facts->patients, error));
    if (members.failure.rule[0] == '\0' && members.n != parts->n) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected the members of %zu parts, found %zu", parts->n,
                           members.n);
        goto out;
    }
    for (size_t p = 0; p < parts->n; p++) {
        if (find_distinct(work, parts->list[p].canon) != NULL)
            continue;
        struct distinct_group *made = &work->distinct[work->n_distinct++];
        made->key = parts->list[p].canon;
        hash_kdf(&made->canon, work->query->manifest.dictionary_hash.b, "group", made->key.data,
                 made->key.length);
        MAILLE_TRY(say_group(made, work->arena, &parts->list[p], study->dictionary, work->chosen, error));
        made->uncounted = p >= members.n;
        if (!made->uncounted) {
            made->members = members.parts[p];
            members.parts[p] = (struct data_part){0};
        }
    }
    if (members.persons.length > 0) {
        work->persons = members.persons;
        members.persons = (struct bytes){0};
        work->persons_taken = true;
    }
out:
    data_members_clear(&members);
    return code;
}

/* The groups of analysis k of a study, kept as those of number `as`. */
static enum maille_code gather_one(struct gathering *work, const struct study *study, size_t k, size_t as,
                                   const struct parts *parts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool known = true;
    for (size_t p = 0; p < parts->n; p++)
        known = known && find_distinct(work, parts->list[p].canon) != NULL;
    if (!known)
        MAILLE_TRY(take_members(work, study, k, parts, error));
    for (size_t p = 0; p < parts->n; p++) {
        const struct distinct_group *distinct = find_distinct(work, parts->list[p].canon);
        if (as >= PUBLISHED_ANALYSIS && distinct->uncounted) /* not known here: near to everything */
            continue;
        work->groups[work->n_groups++] = (struct ledger_group){
            .analysis = (uint32_t)as,
            .part = (uint32_t)p,
            .reading = study->missing,
            .is_model = study->analyses[k].declared->is_model,
            .canon = distinct->canon.b,
            .chosen = distinct->chosen,
            .plain = parts->list[p].plain,
            .words = distinct->words,
            .conditions = distinct->conditions,
            .rows = {distinct->members.rows.data, distinct->members.rows.length},
            .patients = {distinct->members.patients.data, distinct->members.patients.length}};
    }
out:
    return code;
}

static enum maille_code gather_published(struct gathering *work, struct arena *arena,
                                         struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < work->published->n; i++) {
        const struct study *study = work->published->list[i].study;
        struct parts parts;
        vault_parts(&parts, &study->analyses[0], arena);
        MAILLE_TRY(gather_one(work, study, 0, PUBLISHED_ANALYSIS + i, &parts, error));
    }
out:
    return code;
}

/* MAILLE_REFUSED differencing: more groups than a ledger tells of one study; a public fact. */
static enum maille_code gather(struct gathering *work, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = work->query->study;
    const size_t n = study->n_analyses;
    size_t all = 0;
    work->refused = arena_array(arena, n, sizeof *work->refused);
    work->parts = arena_array(arena, n, sizeof *work->parts);
    for (size_t k = 0; k < n; k++) {
        vault_parts(&work->parts[k], &study->analyses[k], arena);
        all += work->parts[k].n;
    }
    part_groups_write(&work->families, work->parts, n);
    MAILLE_TRY(bytes_check(&work->families, error));
    all += work->published->n;
    if (all > PART_GROUPS_MAX || work->families.length > LEDGER_FAMILIES_MAX) {
        code = maille_refuse(error, "differencing",
                             "a study of so many arms and levels cannot be compared: ask for fewer at once");
        goto out;
    }
    work->chosen = chosen_new(study->dictionary);
    if (work->chosen == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for the groups of a study");
        goto out;
    }
    work->groups = arena_array(arena, all + 1, sizeof *work->groups);
    work->distinct = arena_array(arena, all + 1, sizeof *work->distinct);
    MAILLE_TRY(read_refused(work, arena, error));
    for (size_t k = 0; k < n; k++)
        if (!work->refused[k])
            MAILLE_TRY(gather_one(work, study, k, k, &work->parts[k], error));
    code = gather_published(work, arena, error);
out:
    return code;
}

static void gathering_clear(struct gathering *work)
{
    for (size_t d = 0; d < work->n_distinct; d++) {
        bytes_clear(&work->distinct[d].members.rows);
        bytes_clear(&work->distinct[d].members.patients);
    }
    chosen_free(work->chosen);
    bytes_clear(&work->families);
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

void vault_ledger_past_id(uint8_t id[LEDGER_ID_BYTES], const uint8_t *earlier, const struct query *query)
{
    struct digest digest;
    hash_kdf(&digest, earlier, "ledger", query->qid, QID_BYTES);
    memcpy(id, digest.b, LEDGER_ID_BYTES);
}

static struct byte_view trimmed(const uint8_t *bits, size_t length)
{
    while (length > 0 && bits[length - 1] == 0)
        length--;
    return (struct byte_view){bits, length};
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct message_ledger_entry *)a)->id, ((const struct message_ledger_entry *)b)->id,
                  LEDGER_ID_BYTES);
}

/* What was called so long ago was shown at all sites or at none: the same groups of it are left out by all.
 */
enum { SETTLED_MS = 100 * 1000 * 1000 };

/* Every earlier query of which something was shown, as M1 says it. MAILLE_REFUSED differencing: more than an
 * accept can hold, or a site whose number has no place in a bitmap; public facts both. */
static enum maille_code list_past(const struct message_ledger_entry **out, size_t *n, struct vault *vault,
                                  const struct query *query, uint32_t snapshot, struct arena *arena,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger_past *past = NULL;
    size_t bytes = 0;
    MAILLE_TRY(ledger_list(&past, n, arena, vault->ledger, query->qid, vault->directory->epoch.number,
                           vault_now_ms(vault) - SETTLED_MS, error));
    for (size_t i = 0; i < *n; i++)
        bytes += LEDGER_ID_BYTES + past[i].shown.length + past[i].families.length + past[i].n_sites / 8 + 16;
    if (*n > LEDGER_ENTRIES_MAX || bytes > LEDGER_BYTES_MAX) {
        code = maille_refuse(error, "differencing",
                             "more was answered in this epoch than a question can be compared with");
        goto out;
    }
    struct message_ledger_entry *made = arena_array(arena, *n + 1, sizeof *made);
    for (size_t i = 0; i < *n; i++) {
        uint8_t *roster = arena_array(arena, LEDGER_ROSTER_MAX, 1);
        for (size_t s = 0; s < past[i].n_sites; s++) {
            if (past[i].sites[s] / 8 >= LEDGER_ROSTER_MAX) {
                code = maille_refuse(error, "differencing",
                                     "a site's number has no place in the list of the past");
                goto out;
            }
            roster[past[i].sites[s] / 8] |= (uint8_t)(1u << past[i].sites[s] % 8);
        }
        vault_ledger_past_id(made[i].id, past[i].query, query);
        made[i].shown = trimmed(past[i].shown.data, past[i].shown.length);
        made[i].families = past[i].families;
        made[i].roster = trimmed(roster, LEDGER_ROSTER_MAX);
        made[i].moved = past[i].snapshot != snapshot;
    }
    qsort(made, *n, sizeof *made, by_id);
    *out = made;
out:
    return code;
}

enum maille_code vault_ledger_reserve(const struct message_ledger_entry **entries, size_t *n,
                                      struct vault *vault, const struct query *query,
                                      const struct data_facts *facts, const struct message_call *call,
                                      const struct published *published, struct arena *arena,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct gathering work = {
        .arena = arena, .vault = vault, .query = query, .facts = facts, .published = published};
    struct digest hash;
    question_hash(&hash, query);
    struct ledger_question question =
        question_of(query, &hash, facts->number, vault->directory->epoch.number);
    MAILLE_TRY(gather(&work, arena, error));
    MAILLE_TRY(budget_left(&work, &question, error));
    question.sites = call->sites;
    question.n_sites = call->n_sites;
    question.groups = work.groups;
    question.n_groups = work.n_groups;
    question.families = (struct byte_view){work.families.data, work.families.length};
    question.persons = work.persons.length > 0 ? work.persons.data : NULL;
    question.n_persons = work.persons.length / 4;
    question.now_ms = vault_now_ms(vault);
    MAILLE_TRY(ledger_reserve(vault->ledger, &question, error));
    code = list_past(entries, n, vault, query, facts->number, arena, error);
out:
    gathering_clear(&work);
    return code;
}

/* --- M2: who else is there --- */

static bool sites_equal(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof *a) == 0);
}

/* own_totals: shielded at any of the sites: the question is for the epoch's sites, all of them. */
static enum maille_code check_shielded(const struct vault *vault, const struct query *query,
                                       const uint32_t *sites, size_t n, struct maille_error *error)
{
    const struct directory_epoch *epoch = &vault->directory->epoch;
    const bool shielded = query->custody.strictest != NULL
                              ? query->custody.strictest->own_totals == OWN_TOTALS_SHIELDED
                              : vault->policy->own_totals == OWN_TOTALS_SHIELDED;
    if (!shielded || sites_equal(sites, n, epoch->sites, epoch->n_sites))
        return MAILLE_OK;
    return maille_refuse(
        error, "own_totals",
        "expected a question to the %zu sites of epoch %u, found one to %zu: a site shields its own "
        "totals",
        epoch->n_sites, epoch->number, n);
}

enum maille_code vault_ledger_shielded(const struct vault *vault, const struct query *query,
                                       const uint32_t *sites, size_t n, struct maille_error *error)
{
    return check_shielded(vault, query, sites, n, error);
}

/* Who is asked, and on which snapshots: two questions of one scene have the same patients in the same group.
 */
static enum maille_code scene_of(struct digest *scene, const struct message_accept *accepts, size_t n,
                                 struct maille_error *error)
{
    struct bytes all = {0};
    for (size_t i = 0; i < n; i++) {
        bytes_put_u32(&all, accepts[i].site);
        bytes_put(&all, accepts[i].snapshot_hash.b, HASH_BYTES);
    }
    enum maille_code code = bytes_check(&all, error);
    if (code == MAILLE_OK)
        hash_kdf(scene, NULL, "scene", all.data, all.length);
    bytes_clear(&all);
    return code;
}

enum maille_code vault_ledger_roster(struct vault *vault, const struct query *query,
                                     const struct message_accept *accepts, size_t n_accepts,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint32_t sites[MESSAGE_SITES_MAX];
    struct digest scene;
    bool shielded = false;
    for (size_t i = 0; i < n_accepts; i++) {
        sites[i] = accepts[i].site;
        shielded = shielded || accepts[i].own_totals == OWN_TOTALS_SHIELDED;
    }
    if (shielded &&
        !sites_equal(sites, n_accepts, vault->directory->epoch.sites, vault->directory->epoch.n_sites)) {
        code = maille_refuse(
            error, "own_totals",
            "expected the %zu sites of epoch %u in the roster, found %zu: a site shields its own "
            "totals",
            vault->directory->epoch.n_sites, vault->directory->epoch.number, n_accepts);
        goto out;
    }
    MAILLE_TRY(scene_of(&scene, accepts, n_accepts, error));
    code = ledger_roster(vault->ledger, query->qid, sites, n_accepts, scene.b, error);
out:
    return code;
}

enum maille_code vault_ledger_members(struct vault *vault, const struct query *query,
                                      const struct message_round_header *header, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(check_shielded(vault, query, header->members, header->n_members, error));
    code = ledger_roster(vault->ledger, query->qid, header->members, header->n_members, NULL, error);
out:
    return code;
}

/* --- what is shown --- */

enum maille_code vault_ledger_reveal(struct vault *vault, const struct query *query,
                                     const struct message_round_header *header, struct maille_error *error)
{
    if (!circle_is(query))
        return ledger_commit(vault->ledger, query->qid, header->analyses, header->n_analyses, error);
    return header->round == 1
               ? ledger_pool(vault->ledger, query->qid, header->analyses, header->n_analyses, error)
               : MAILLE_OK;
}

enum maille_code vault_ledger_planned(struct vault *vault, const struct query *query, const struct plan *plan,
                                      struct maille_error *error)
{
    uint32_t analyses[STUDY_ANALYSES_MAX];
    struct ledger_hidden hidden[STUDY_ANALYSES_MAX];
    size_t n = 0;
    for (size_t k = 0; k < plan->n; k++) {
        const struct plan_analysis *analysis = &plan->analyses[k];
        if (!analysis->open || analysis->rule[0] != '\0')
            continue;
        hidden[n] = (struct ledger_hidden){analysis->hidden, analysis->n_parts};
        analyses[n++] = (uint32_t)k;
    }
    return ledger_plan(vault->ledger, query->qid, analyses, n, hidden, &plan->shown, error);
}

/* Does the end of an analysis tell anything of its patients? That it failed does, and so does a refusal after
 * values; what the threshold rounds refuse was judged by their rules, and a veto hides what there was. */
static bool answers(const struct analysis_state *state, bool values)
{
    return state->status == ANALYSIS_OK ||
           (values && (state->status == ANALYSIS_FAILED || state->status == ANALYSIS_REFUSED));
}

enum maille_code vault_ledger_shown(struct vault *vault, const struct query *query,
                                    const struct study_run *run, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint32_t analyses[STUDY_ANALYSES_MAX];
    const struct message_round_header *header = &query->attempt.header;
    size_t n = 0;
    for (size_t i = 0; i < header->n_analyses; i++) {
        const uint32_t k = header->analyses[i];
        if (!vault_stored_used(query, header, k) &&
            answers(&run->states[k], custody_which(query, header) == 0))
            analyses[n++] = k;
    }
    if (n > 0)
        MAILLE_TRY(ledger_commit(vault->ledger, query->qid, analyses, n, error));
    code = vault_stored_put(vault, query, run, analyses, n, error);
out:
    return code;
}
