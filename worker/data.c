#include "worker/data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "disclosure/plan.h"
#include "registry/column_cache.h"
#include "registry/summary.h"
#include "worker/data_members.h"
#include "worker/snapshots.h"

/* A snapshot that is open: its file was hashed and stands as it stood then. */
struct open_snapshot {
    uint32_t number;
    struct columns *columns;
    struct digest hash;
    struct stat seen;   /* at the time of hashing */
    int64_t checked_ms; /* when the engine's table was counted; 0: a file */
};

/* Questions in flight across an import may want the snapshot before the newest; more than that is opened
 * again. */
enum { OPEN_SNAPSHOTS = 2, CHECK_EVERY_MS = 24 * 3600 * 1000 };

struct data {
    char folder[PATH_MAX];
    struct tally_options options;
    struct open_snapshot open[OPEN_SNAPSHOTS]; /* most recent first */
    struct engine_reader engine;               /* context NULL: none */
    struct column_cache *cache;                /* of all of them; NULL: none */
    uint32_t superseded;                       /* as data_facts, of open[0] */
};

enum maille_code data_open(struct data **data, const char *folder, unsigned threads,
                           struct maille_error *error)
{
    struct data *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the snapshots of %s", folder);
    if (snprintf(made->folder, sizeof made->folder, "%s", folder) >= (int)sizeof made->folder) {
        free(made);
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", folder);
    }
    made->options.threads = threads;
    *data = made;
    return MAILLE_OK;
}

void data_free(struct data *data)
{
    if (data == NULL)
        return;
    for (size_t i = 0; i < OPEN_SNAPSHOTS; i++)
        columns_free(data->open[i].columns);
    column_cache_free(data->cache);
    free(data);
}

enum maille_code data_cache(struct data *data, size_t bytes_max, struct maille_error *error)
{
    return bytes_max == 0 ? MAILLE_OK : column_cache_new(&data->cache, bytes_max, error);
}

void data_engine(struct data *data, const struct engine_reader *reader)
{
    data->engine = *reader;
}

/* --- snapshots --- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The columns of a file, or of what a text says is frozen in the engine. */
static enum maille_code columns_of(struct open_snapshot *made, const struct data *data, const char *path,
                                   struct maille_error *error)
{
    if (!engine_columns_path(path))
        return columns_open(&made->columns, path, error);
    if (data->engine.context == NULL)
        return maille_fail(
            error, MAILLE_IO,
            "expected source: engine in worker.yaml, since the rows of snapshot %u stay in the "
            "engine, found source: snapshot",
            made->number);
    made->checked_ms = clock_monotonic_ms();
    return engine_columns_open(&made->columns, path, &data->engine, error);
}

/* Once a day the engine is asked whether it still holds what was frozen. */
static enum maille_code check_again(struct open_snapshot *open, struct maille_error *error)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (open->checked_ms == 0 || now_ms - open->checked_ms < CHECK_EVERY_MS)
        return MAILLE_OK;
    enum maille_code code = engine_columns_check(open->columns, error);
    if (code == MAILLE_OK)
        open->checked_ms = now_ms;
    return code;
}

/* Opens a file whose hash is the index's. */
static enum maille_code snapshot_open(struct open_snapshot *out, const struct data *data, const char *path,
                                      const struct snapshot_entry *entry, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct open_snapshot made = {.number = entry->number, .hash = entry->hash};
    struct digest found;
    if (stat(path, &made.seen) != 0)
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected snapshot %u at %s, found nothing; restore it or import again",
                           entry->number, path);
    MAILLE_TRY(hash_file(&found, path, error));
    if (!digest_equal(&found, &entry->hash)) {
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected snapshot %u in %s as it was imported, found other bytes (truncated or altered); "
            "restore it or import again",
            entry->number, path);
        goto out;
    }
    MAILLE_TRY(columns_of(&made, data, path, error));
    *out = made;
out:
    return code;
}

/* The snapshot `number` (0: the newest), first in data->open. */
static enum maille_code snapshot_find(struct data *data, uint32_t number, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    const struct snapshot_entry *entries = NULL;
    struct open_snapshot found = {0};
    struct stat now;
    size_t n = 0;
    char path[PATH_MAX];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the index of snapshots");
    MAILLE_TRY(snapshots_read(&entries, &n, arena, data->folder, error));
    if (n == 0) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected a snapshot in %s, found none; import one with: maille-worker import",
                           data->folder);
        goto out;
    }
    if (number == 0)
        number = entries[n - 1].number;
    if (number > n) {
        code =
            maille_fail(error, MAILLE_CORRUPT, "expected snapshot %u in the index of %s, found %zu snapshots",
                        number, data->folder, n);
        goto out;
    }
    data->superseded = snapshots_superseded(entries, n, number);
    MAILLE_TRY(snapshots_path(path, sizeof path, data->folder, number, error));
    for (size_t i = 0; i < OPEN_SNAPSHOTS; i++) {
        if (data->open[i].number != number || data->open[i].columns == NULL)
            continue;
        if (stat(path, &now) == 0 && same_file(&now, &data->open[i].seen) &&
            digest_equal(&data->open[i].hash, &entries[number - 1].hash)) {
            found = data->open[i];
            MAILLE_TRY(check_again(&found, error));
            data->open[i] = data->open[0];
            data->open[0] = found;
            goto out;
        }
        columns_free(data->open[i].columns); /* the file is another than the one that was checked */
        data->open[i] = (struct open_snapshot){0};
    }
    MAILLE_TRY(snapshot_open(&found, data, path, &entries[number - 1], error));
    if (data->cache != NULL)
        columns_use_cache(found.columns, data->cache);
    columns_free(data->open[OPEN_SNAPSHOTS - 1].columns);
    memmove(&data->open[1], &data->open[0], (OPEN_SNAPSHOTS - 1) * sizeof data->open[0]);
    data->open[0] = found;
out:
    arena_free(arena);
    return code;
}

/* --- what the vault asks (vault/source.h) --- */

static enum maille_code local_facts(void *context, struct data_facts *facts, uint32_t number,
                                    struct arena *arena, struct maille_error *error)
{
    struct data *data = context;
    enum maille_code code = snapshot_find(data, number, error);
    if (code != MAILLE_OK)
        return code;
    const struct open_snapshot *open = &data->open[0];
    const struct dictionary *dictionary = columns_dictionary(open->columns);
    *facts =
        (struct data_facts){.number = open->number,
                            .hash = open->hash,
                            .rows = columns_rows(open->columns),
                            .patients = columns_patients(open->columns),
                            .is_public = columns_facts(open->columns)->is_public,
                            .exclusions = arena_strdup(arena, columns_facts(open->columns)->exclusions),
                            .superseded = data->superseded,
                            .dictionary = arena_strndup(arena, dictionary->text, dictionary->text_length),
                            .dictionary_length = dictionary->text_length};
    return MAILLE_OK;
}

/* The study again, from its text and the snapshot's own dictionary: nothing of the vault's reading of it is
 * believed. */
static enum maille_code study_read(const struct study **study, struct arena *arena, const struct data *data,
                                   const struct study *asked, struct maille_error *error)
{
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    return study_parse(study, arena, columns_dictionary(data->open[0].columns), methods, n_methods, "study",
                       asked->text, asked->text_length, error);
}

/* An error of one analysis alone: the question cannot be answered by these patients. */
static bool of_the_analysis(enum maille_code code)
{
    return code == MAILLE_FAILED || code == MAILLE_REFUSED || code == MAILLE_INVALID;
}

static void failure_set(struct data_failure *failure, const struct maille_error *error)
{
    snprintf(failure->rule, sizeof failure->rule, "%s", error->rule[0] != '\0' ? error->rule : "domain");
    snprintf(failure->sentence, sizeof failure->sentence, "%s", error->sentence);
}

static enum maille_code count_cells(struct tally *words, struct data *data, const struct analysis *analysis,
                                    struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    MAILLE_TRY(method_cells(analysis, arena, cells, error));
    MAILLE_TRY(tally_run(words, &cells->spec, data->open[0].columns, &data->options, error));
out:
    return code;
}

static enum maille_code local_cells(void *context, struct data_cells *cells, uint32_t number,
                                    const struct study *asked, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data *data = context;
    struct arena *arena = arena_new();
    const struct study *study;
    struct data_cells made = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a study");
    MAILLE_TRY(snapshot_find(data, number, error));
    MAILLE_TRY(study_read(&study, arena, data, asked, error));
    made.n = study->n_analyses;
    made.words = calloc(made.n + 1, sizeof *made.words);
    made.failures = calloc(made.n + 1, sizeof *made.failures);
    if (made.words == NULL || made.failures == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for head counts");
        goto out;
    }
    for (size_t k = 0; k < made.n; k++) {
        struct maille_error why = {0};
        code = count_cells(&made.words[k], data, &study->analyses[k], arena, &why);
        if (of_the_analysis(code)) {
            failure_set(&made.failures[k], &why);
            code = MAILLE_OK;
        } else if (code != MAILLE_OK) {
            if (error != NULL)
                *error = why;
            goto out;
        }
    }
    *cells = made;
    made = (struct data_cells){0};
out:
    data_cells_clear(&made);
    arena_free(arena);
    return code;
}

/* The rule min_ess_share of one analysis's words. */
static enum maille_code weigh(struct data_round *round, struct data *data, const struct tally_spec *spec,
                              size_t k, struct maille_error *error)
{
    round->shares[k] = 1;
    if (round->weigh == DATA_WEIGH_OWN && spec->fitted)
        return MAILLE_OK;
    return gate_weight_share(&round->shares[k], spec, data->open[0].columns, &data->options, error);
}

/* The rule complete: what the dictionary wants of each variable that the analysis reads, in all rows of the
 * snapshot, as the import saw them. */
static enum maille_code check_complete(struct data *data, const struct analysis *analysis,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = analysis->study->dictionary;
    bool *used = calloc(dictionary->n_variables + 1, sizeof *used);
    if (used == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the variables of an analysis");
    analysis_variables(analysis, used);
    for (uint32_t v = 0; v < dictionary->n_variables; v++) {
        const struct variable *variable = &dictionary->variables[v];
        double share;
        if (!used[v] || variable->complete <= 0)
            continue;
        MAILLE_TRY(summary_present(&share, data->open[0].columns, v, error));
        if (share < variable->complete) {
            code = maille_refuse(error, "complete",
                                 "expected a value of %s in %.1f %% of the rows, found %.1f %%",
                                 variable->name, 100 * variable->complete, 100 * share);
            goto out;
        }
    }
out:
    free(used);
    return code;
}

/* One analysis's words into its place of the vector. */
static enum maille_code tally_into(struct data_round *round, struct data *data, const struct round_plan *plan,
                                   size_t k, struct maille_error *error)
{
    struct tally words = {0};
    enum maille_code code =
        plan->analyses[k].spec == NULL
            ? plan->analyses[k].error.code
            : tally_run(&words, plan->analyses[k].spec, data->open[0].columns, &data->options, error);
    if (plan->analyses[k].spec == NULL && error != NULL)
        *error = plan->analyses[k].error;
    if (code == MAILLE_OK && words.words.length != plan->analyses[k].bytes)
        code = maille_fail(error, MAILLE_INTERNAL, "expected %zu bytes of sums, found %zu",
                           plan->analyses[k].bytes, words.words.length);
    if (code == MAILLE_OK && words.words.length > 0)
        memcpy(round->words.words.data + plan->analyses[k].offset, words.words.data, words.words.length);
    tally_clear(&words);
    return code;
}

static enum maille_code local_round(void *context, struct data_round *round, uint32_t number,
                                    const struct study *asked, const bool *open, const struct vector *thetas,
                                    const struct bytes *survived, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data *data = context;
    struct arena *arena = arena_new();
    const struct study *study;
    struct round_plan plan = {0};
    struct plan left = {0};
    struct data_round made = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a study");
    made.weigh = round->weigh;
    MAILLE_TRY(snapshot_find(data, number, error));
    MAILLE_TRY(study_read(&study, arena, data, asked, error));
    if (survived != NULL)
        MAILLE_TRY(plan_read(&left, study, survived->data, survived->length, error));
    MAILLE_TRY(round_plan(&plan, study, open, thetas, left.surviving, 0, error));
    hash_kdf(&made.layout, NULL, "layout", plan.layout.data, plan.layout.length);
    made.n = study->n_analyses;
    made.failures = calloc(made.n + 1, sizeof *made.failures);
    if (made.weigh != DATA_WEIGH_NONE)
        made.shares = calloc(made.n + 1, sizeof *made.shares);
    if (plan.bytes > 0)
        bytes_reserve(&made.words.words, plan.bytes);
    MAILLE_TRY(bytes_check(&made.words.words, error));
    if (made.failures == NULL || (made.weigh != DATA_WEIGH_NONE && made.shares == NULL)) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a round of %zu bytes", plan.bytes);
        goto out;
    }
    for (size_t k = 0; k < made.n; k++) {
        struct maille_error why = {0};
        code = open[k] && study->complete ? check_complete(data, &study->analyses[k], &why) : MAILLE_OK;
        if (code == MAILLE_OK && open[k])
            code = tally_into(&made, data, &plan, k, &why);
        if (code == MAILLE_OK && open[k] && made.weigh != DATA_WEIGH_NONE)
            code = weigh(&made, data, plan.analyses[k].spec, k, &why);
        if (of_the_analysis(code)) {
            failure_set(&made.failures[k], &why);
            if (plan.analyses[k].bytes > 0)
                explicit_bzero(made.words.words.data + plan.analyses[k].offset, plan.analyses[k].bytes);
            code = MAILLE_OK;
        } else if (code != MAILLE_OK) {
            if (error != NULL)
                *error = why;
            goto out;
        }
    }
    *round = made;
    made = (struct data_round){0};
out:
    data_round_clear(&made);
    round_plan_clear(&plan);
    plan_clear(&left);
    arena_free(arena);
    return code;
}

static enum maille_code local_members(void *context, struct data_members *members, uint32_t number,
                                      const struct study *asked, size_t analysis, bool persons,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data *data = context;
    struct arena *arena = arena_new();
    struct maille_error why = {0};
    struct data_members made = {0};
    const struct study *study;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a study");
    MAILLE_TRY(snapshot_find(data, number, error));
    MAILLE_TRY(study_read(&study, arena, data, asked, error));
    if (analysis >= study->n_analyses) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected an analysis of the study, found number %zu",
                           analysis);
        goto out;
    }
    code = data_members_of(&made, data->open[0].columns, &study->analyses[analysis], persons, &why);
    if (of_the_analysis(code)) {
        data_members_clear(&made);
        failure_set(&made.failure, &why);
        code = MAILLE_OK;
    } else if (code != MAILLE_OK) {
        if (error != NULL)
            *error = why;
        goto out;
    }
    *members = made;
    made = (struct data_members){0};
out:
    data_members_clear(&made);
    arena_free(arena);
    return code;
}

struct data_source data_local(struct data *data)
{
    return (struct data_source){.context = data,
                                .facts = local_facts,
                                .cells = local_cells,
                                .round = local_round,
                                .members = local_members};
}
