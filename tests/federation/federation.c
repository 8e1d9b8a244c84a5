#include "stats/run_bytes.h"
#include "tests/federation/federation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "registry/engine_columns.h"
#include "registry/import.h"

enum { ROUNDS_MAX = 500, DATA_BYTES_MAX = 64 * 1024 * 1024 };

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The site of a patient by 64 random bits: with u even in [0, 1), ⌊n·u²⌋, so that the first site is the
 * largest (58 % of three, 22 % of twenty). */
static uint32_t deal(uint64_t bits, size_t n)
{
    double u = (double)(bits >> 11) * 0x1p-53;
    return (uint32_t)((double)n * u * u);
}

enum maille_code federation_split(struct columns **sites, size_t n, const struct columns *table,
                                  uint64_t seed, struct maille_error *error)
{
    return federation_deal(sites, n, table, seed, 0, error);
}

enum maille_code federation_deal(struct columns **sites, size_t n, const struct columns *table, uint64_t seed,
                                 uint64_t shuffle, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t rows = columns_rows(table), patients = columns_patients(table), made = 0;
    uint32_t *site_of = calloc(patients + 1, sizeof *site_of);
    uint32_t *patient_of = calloc(rows + 1, sizeof *patient_of);
    bool *keep = calloc(rows + 1, sizeof *keep);
    struct column_scratch scratch = {0};
    if (site_of == NULL || patient_of == NULL || keep == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a split, found none");
        goto out;
    }
    for (size_t p = 0; p < patients; p++)
        site_of[p] = deal(splitmix64(&seed), n);
    for (size_t p = patients; shuffle != 0 && p > 1; p--) { /* Fisher and Yates: as many at each site */
        const size_t other = splitmix64(&shuffle) % p;
        const uint32_t site = site_of[p - 1];
        site_of[p - 1] = site_of[other];
        site_of[other] = site;
    }
    for (size_t block = 0, row = 0; block < columns_blocks(table); block++) {
        struct column_block index;
        MAILLE_TRY(columns_patient_block(&index, (struct columns *)(uintptr_t)table, &scratch, block, error));
        for (size_t r = 0; r < index.rows; r++)
            patient_of[row++] = (uint32_t)((const int32_t *)index.values)[r];
    }
    for (made = 0; made < n; made++) {
        for (size_t row = 0; row < rows; row++)
            keep[row] = site_of[patient_of[row]] == made;
        MAILLE_TRY(columns_subset(&sites[made], table, keep, error));
    }
out:
    for (size_t s = 0; code != MAILLE_OK && s < made; s++)
        columns_free(sites[s]);
    column_scratch_clear(&scratch);
    free(site_of);
    free(patient_of);
    free(keep);
    return code;
}

enum maille_code federation_split_by(struct columns **sites, size_t n, const struct columns *table,
                                     const struct dictionary *dictionary, const char *variable,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t rows = columns_rows(table), made = 0;
    bool *keep = calloc(rows + 1, sizeof *keep);
    uint32_t *site_of = calloc(rows + 1, sizeof *site_of);
    struct column_scratch scratch = {0};
    int index = dictionary_find(dictionary, variable);
    if (keep == NULL || site_of == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a split, found none");
        goto out;
    }
    for (size_t block = 0, row = 0; index >= 0 && block < columns_blocks(table); block++) {
        struct column_block values;
        MAILLE_TRY(columns_block(&values, (struct columns *)(uintptr_t)table, &scratch, (uint32_t)index,
                                 block, error));
        for (size_t r = 0; r < values.rows; r++) {
            int64_t value = values.storage == STORE_INT8    ? ((const int8_t *)values.values)[r]
                            : values.storage == STORE_INT16 ? ((const int16_t *)values.values)[r]
                                                            : -1;
            int64_t first = dictionary->variables[index].type == VARIABLE_CATEGORY
                                ? 0
                                : (int64_t)dictionary->variables[index].min;
            if (value < first)
                index = -1;
            else
                site_of[row++] = value - first < (int64_t)n ? (uint32_t)(value - first) : (uint32_t)n - 1;
        }
    }
    if (index < 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected an integer or a category without missing values, found `%s`", variable);
        goto out;
    }
    for (made = 0; made < n; made++) {
        for (size_t row = 0; row < rows; row++)
            keep[row] = site_of[row] == made;
        MAILLE_TRY(columns_subset(&sites[made], table, keep, error));
    }
out:
    for (size_t s = 0; code != MAILLE_OK && s < made; s++)
        columns_free(sites[s]);
    column_scratch_clear(&scratch);
    free(site_of);
    free(keep);
    return code;
}

/* One round: every site tallies every open analysis, the words are added. */
static enum maille_code federation_round(uint8_t *sum, const struct round_plan *plan,
                                         struct columns *const *sites, size_t n,
                                         const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct tally tally = {0};
    for (size_t s = 0; s < n; s++)
        for (size_t k = 0; k < plan->n; k++) {
            if (!plan->analyses[k].open)
                continue;
            tally_clear(&tally);
            MAILLE_TRY(tally_run(&tally, plan->analyses[k].spec, sites[s], options, error));
            if (tally.words.length != plan->analyses[k].bytes) {
                code = maille_fail(error, MAILLE_INTERNAL, "expected %zu bytes of tally, found %zu",
                                   plan->analyses[k].bytes, tally.words.length);
                goto out;
            }
            tally_add(sum + plan->analyses[k].offset, tally.words.data, plan->analyses[k].extents,
                      plan->analyses[k].spec->n_blocks);
        }
out:
    tally_clear(&tally);
    return code;
}

/* Every site's head counts of the open analyses. */
static enum maille_code federation_counts(struct tally *own, const struct threshold *threshold,
                                          struct columns *site, const struct tally_options *options,
                                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t k = 0; k < threshold->study->n_analyses; k++) {
        tally_clear(&own[k]);
        MAILLE_TRY(tally_run(&own[k], &threshold->analyses[k].cells->spec, site, options, error));
    }
out:
    return code;
}

/* What a site objects with: words that are no count, others at each site. */
static const uint8_t *veto_noise(struct arena *arena, size_t n_words, size_t site)
{
    uint8_t *noise = arena_alloc(arena, 8 * n_words + 8);
    uint64_t word = UINT64_C(0x9e3779b97f4a7c15) * (site + 1);
    for (size_t i = 0; i < n_words; i++, word = word * UINT64_C(6364136223846793005) + 1442695040888963407)
        le64_store(noise + 8 * i, word | UINT64_C(1) << 62);
    return noise;
}

enum maille_code federation_thresholds(struct plan *plan, const struct study *study,
                                       struct columns *const *sites, size_t n, const struct policy *policy,
                                       const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold threshold = {0};
    struct tally words = {0};
    uint8_t *totals[THRESHOLD_SECOND + 1] = {NULL};
    bool *open = calloc(study->n_analyses + 1, sizeof *open);
    struct tally *own = calloc(study->n_analyses + 1, sizeof *own);
    if (open == NULL || own == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for threshold rounds, found none");
        goto out;
    }
    memset(open, 1, study->n_analyses * sizeof *open);
    MAILLE_TRY(threshold_init(&threshold, study, open, policy, n, NULL, 0, error));
    for (enum threshold_which which = THRESHOLD_FIRST; which <= THRESHOLD_SECOND; which++) {
        const struct tally_extent extent = {.count = threshold.n_words[which], .width = 8};
        totals[which] = calloc(threshold.n_words[which] + 1, 8);
        if (totals[which] == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for threshold rounds, found none");
            goto out;
        }
        for (size_t s = 0; s < n; s++) {
            MAILLE_TRY(federation_counts(own, &threshold, sites[s], options, error));
            tally_clear(&words);
            const struct threshold_veto veto = {.noise =
                                                    veto_noise(threshold.arena, threshold.n_words[which], s)};
            MAILLE_TRY(which == THRESHOLD_FIRST
                           ? threshold_first(&words, &threshold, own, NULL, policy, &veto, error)
                           : threshold_second(&words, &threshold, own, totals[THRESHOLD_FIRST], policy, &veto,
                                              error));
            tally_add(totals[which], words.words.data, &extent, 1);
        }
    }
    code = plan_make(plan, &threshold, totals[THRESHOLD_FIRST], totals[THRESHOLD_SECOND], policy, n, error);
out:
    for (size_t k = 0; own != NULL && k < study->n_analyses; k++)
        tally_clear(&own[k]);
    tally_clear(&words);
    free(totals[THRESHOLD_FIRST]);
    free(totals[THRESHOLD_SECOND]);
    threshold_clear(&threshold);
    free(open);
    free(own);
    return code;
}

/* --- what a step came to, to the bit --- */

static void text_put(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

static void hex_put(struct bytes *out, const char *name, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    text_put(out, name);
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = ((const uint8_t *)data)[i];
        bytes_put(out, &digits[byte >> 4], 1);
        bytes_put(out, &digits[byte & 15], 1);
    }
}

static void plan_line(struct bytes *out, const struct plan *plan)
{
    struct bytes bytes = {0};
    if (out == NULL)
        return;
    plan_write(&bytes, plan);
    hex_put(out, "plan ", bytes.data, bytes.length);
    text_put(out, "\n");
    bytes_clear(&bytes);
}

static void step_lines(struct bytes *out, const struct study_run *run, const struct round_plan *plan,
                       unsigned round)
{
    for (size_t k = 0; out != NULL && k < plan->n; k++) {
        const struct analysis_state *state = &run->states[k];
        char head[128];
        if (!plan->analyses[k].open)
            continue;
        snprintf(head, sizeof head, "round %u %s status %d", round, run->study->analyses[k].id,
                 (int)state->status);
        text_put(out, head);
        hex_put(out, " theta ", state->iteration.theta.v, state->iteration.theta.n * sizeof(double));
        hex_put(out, " memo ", state->iteration.memo.v, state->iteration.memo.n * sizeof(double));
        text_put(out, "\n");
    }
}

/* As a vault keeps it from one round to the next: as bytes. */
static enum maille_code keep(struct study_run *run, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct study_run kept = {0};
    struct bytes bytes = {0};
    study_run_write(&bytes, run);
    MAILLE_TRY(bytes_check(&bytes, error));
    MAILLE_TRY(study_run_init(&kept, run->study, error));
    if (run->surviving != NULL)
        study_run_survive(&kept, run->surviving);
    kept.room = run->room;
    MAILLE_TRY(study_run_read(&kept, bytes.data, bytes.length, error));
    study_run_clear(run);
    *run = kept;
    kept = (struct study_run){0};
out:
    study_run_clear(&kept);
    bytes_clear(&bytes);
    return code;
}

enum maille_code federation_run_under(struct study_run *run, struct plan *plan, unsigned *rounds,
                                      const struct study *study, struct columns *const *sites, size_t n,
                                      const struct policy *policy, const struct tally_options *options,
                                      struct bytes *steps, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct study_run made = {0};
    struct round_plan round_of = {0};
    uint8_t *sum = NULL;
    unsigned round = 0;
    MAILLE_TRY(study_run_init(&made, study, error));
    if (policy != NULL && threshold_needed(policy)) {
        MAILLE_TRY(federation_thresholds(plan, study, sites, n, policy, options, error));
        study_run_survive(&made, plan->surviving);
        for (size_t k = 0; k < plan->n; k++)
            if (plan->analyses[k].rule[0] != '\0')
                study_run_refuse(&made, k, plan->analyses[k].rule, "the threshold rounds refused it");
        round = THRESHOLD_SECOND;
        plan_line(steps, plan);
    }
    while (study_run_open(&made)) {
        if (++round > ROUNDS_MAX) {
            code = maille_fail(error, MAILLE_FAILED,
                               "expected the study to end within %d rounds, found it open", ROUNDS_MAX);
            goto out;
        }
        round_plan_clear(&round_of);
        MAILLE_TRY(study_run_plan(&made, &round_of, error));
        free(sum);
        sum = calloc(1, round_of.bytes + 1);
        if (sum == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for a sum, found none");
            goto out;
        }
        MAILLE_TRY(federation_round(sum, &round_of, sites, n, options, error));
        study_run_step(&made, &round_of, sum, n);
        step_lines(steps, &made, &round_of, round);
        MAILLE_TRY(keep(&made, error));
    }
    *run = made;
    *rounds = round;
    made = (struct study_run){0};
out:
    study_run_clear(&made);
    round_plan_clear(&round_of);
    free(sum);
    return code;
}

enum maille_code federation_run(struct study_run *run, unsigned *rounds, const struct study *study,
                                struct columns *const *sites, size_t n, const struct tally_options *options,
                                struct maille_error *error)
{
    return federation_run_under(run, NULL, rounds, study, sites, n, NULL, options, NULL, error);
}

static void data_path(char out[256], const char *name, const char *vectors, const char *examples)
{
    snprintf(out, 256, vectors, name);
    if (!file_exists(out))
        snprintf(out, 256, examples, name, name);
}

/* Rows that stay in the engine of $MAILLE_TEST_ENGINE (a connection of PostgreSQL), in the schema maille. */
static enum maille_code open_engine(struct columns **table, const char *path, struct maille_error *error)
{
    static struct engine_link link; /* the columns refer to it */
    enum maille_code code = MAILLE_OK;
    struct engine_address *address = NULL;
    const char *connection = getenv("MAILLE_TEST_ENGINE");
    if (connection == NULL)
        return maille_fail(error, MAILLE_INVALID, "expected MAILLE_TEST_ENGINE for %s, found none", path);
    link = (struct engine_link){.driver = &engine_postgresql, .schema = "maille"};
    MAILLE_TRY(link.driver->find(&address, connection, "MAILLE_TEST_ENGINE", error));
    MAILLE_TRY(link.driver->connect(&link.engine, address, 60, error));
    const struct engine_reader reader = engine_reader_over(&link);
    code = engine_columns_open(table, path, &reader, error);
out:
    engine_postgresql.forget(address);
    return code;
}

enum maille_code federation_data(const struct dictionary **dictionary, struct columns **table,
                                 struct arena *arena, const char *name, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct import_report report = {0};
    struct import_options options = {.errors_max = 20};
    char path[256];
    const char *file = strchr(name, '=');
    if (file != NULL)
        name = arena_printf(arena, "%.*s", (int)(file - name), name);
    data_path(path, name, "tests/vectors/%s.dictionary.yaml", "examples/%s/dictionary.yaml");
    MAILLE_TRY(file_read(&text, path, DATA_BYTES_MAX, error));
    MAILLE_TRY(dictionary_parse(dictionary, arena, path, (const char *)text.data, text.length, error));
    data_path(path, name, "tests/vectors/%s.csv", "examples/%s/%s.csv");
    if (file != NULL && engine_columns_path(file + 1)) {
        code = open_engine(table, file + 1, error);
        goto out;
    }
    code = import_csv(table, &report, *dictionary, file != NULL ? file + 1 : path, &options, error);
    if (code != MAILLE_OK)
        import_report_print(&report, *dictionary, LANGUAGE_EN, stderr);
out:
    import_report_clear(&report);
    bytes_clear(&text);
    return code;
}

enum maille_code federation_study(const struct study **study, struct arena *arena,
                                  const struct dictionary *dictionary, const char *path,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    MAILLE_TRY(file_read(&text, path, DATA_BYTES_MAX, error));
    MAILLE_TRY(study_parse(study, arena, dictionary, methods, n_methods, path, (const char *)text.data,
                           text.length, error));
    for (size_t k = 0; k < (*study)->n_analyses; k++) {
        const struct analysis *analysis = &(*study)->analyses[k];
        const struct method *method = method_find(analysis->method);
        if (method->check != NULL)
            MAILLE_TRY(method->check(analysis, error));
    }
out:
    bytes_clear(&text);
    return code;
}

enum maille_code federation_policy(const struct policy **policy, struct arena *arena, const char *name,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    if (file_exists(name)) {
        MAILLE_TRY(file_read(&text, name, DATA_BYTES_MAX, error));
    } else {
        bytes_put(&text, "policy: ", 8);
        bytes_put(&text, name, strlen(name));
        bytes_put(&text, "\n", 1);
        MAILLE_TRY(bytes_check(&text, error));
    }
    code = policy_parse(policy, arena, name, arena_strndup(arena, (const char *)text.data, text.length),
                        text.length, error);
out:
    bytes_clear(&text);
    return code;
}
