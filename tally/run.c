/* tally_run: threads over units of rows, a unit being the patients whose first row stands in one block of the
 * columns. So a patient is never in two units, and follow-up and head counts need to look at one unit only.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tally/moments.h"
#include "tally/own.h"
#include "tally/riskset.h"
#include "tally/unit.h"
#include "base/vector.h"

enum { THREADS_MAX = 8 };
/* Threads are given up rather than let all their sums grow beyond this. */
#define SUMS_BYTES_MAX ((size_t)1 << 30)

struct run {
    const struct tally_spec *spec;
    struct columns *columns;
    struct unit_plan units;
    struct program program;
    struct moments_plan moments[TALLY_BLOCKS_MAX];
    struct riskset_plan risksets[TALLY_BLOCKS_MAX];
    size_t n_moments, n_risksets;
    struct bytes *parts; /* [riskset · units + unit] */
    bool scalar;
    atomic_size_t next; /* unit */
    atomic_bool stop;
};

struct worker {
    struct run *run;
    pthread_t thread;
    bool started;
    struct moments *moments;
    enum maille_code code;
    struct maille_error error;
};

/* Roots of every block one after the other; moments and riskset plans know where theirs begin. */
static enum maille_code run_compile(struct run *run, const struct tally_extent *extents, struct arena *arena,
                                    struct maille_error *error)
{
    const struct tally_spec *spec = run->spec;
    size_t n_roots = 0;
    for (size_t b = 0; b < spec->n_blocks; b++)
        n_roots += MOMENTS_TERMS + 1 + spec->blocks[b].n_terms;
    const struct expression **roots = arena_array(arena, n_roots + 1, sizeof *roots);
    size_t at = 0;
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        size_t first = at;
        if (block->kind == TALLY_OWN)
            continue;
        roots[at++] = block->filter;
        roots[at++] = block->group;
        roots[at++] = block->weight;
        if (block->kind == TALLY_RISKSET)
            roots[at++] = block->riskset == RISKSET_LOGRANK ? block->arms : block->eta;
        for (size_t i = 0; i < block->n_terms; i++)
            roots[at++] = block->terms[i];
        if (block->kind == TALLY_RISKSET)
            run->risksets[run->n_risksets++] =
                (struct riskset_plan){.block = block, .extent = &extents[b], .roots = first};
        else
            moments_plan(&run->moments[run->n_moments++], block, &extents[b], first);
    }
    return program_compile(&run->program, arena, roots, at, unit_survival_may_fail(&run->units), error);
}

static enum maille_code worker_unit(struct worker *worker, struct unit *unit, struct evaluator *evaluator,
                                    size_t number, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct run *run = worker->run;
    MAILLE_TRY(unit_start(unit, number, error));
    for (struct unit_rows rows; unit_next(unit, &rows);) {
        if (rows.new_block)
            MAILLE_TRY(evaluate_load(evaluator, rows.block, error));
        struct evaluate_survival survival = {0};
        MAILLE_TRY(unit_survival(unit, &survival, &rows, error));
        MAILLE_TRY(evaluate_rows(evaluator, rows.first, rows.n, &survival, error));
        MAILLE_TRY(moments_add(worker->moments, evaluator, rows.n, rows.patients, error));
        for (size_t k = 0; k < run->n_risksets; k++)
            MAILLE_TRY(riskset_collect(&run->parts[k * run->units.n + number], &run->risksets[k], evaluator,
                                       &survival, &rows, error));
    }
out:
    return code;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct run *run = worker->run;
    enum maille_code code = MAILLE_OK;
    struct unit *unit = NULL;
    struct evaluator *evaluator = NULL;
    if (run->scalar)
        vector_limit(VECTOR_PORTABLE);
    MAILLE_TRY(evaluate_new(&evaluator, &run->program, run->columns, &worker->error));
    MAILLE_TRY(unit_new(&unit, &run->units, run->columns, &worker->error));
    for (;;) {
        size_t number = atomic_fetch_add(&run->next, 1);
        if (number >= run->units.n || atomic_load(&run->stop))
            break;
        MAILLE_TRY(worker_unit(worker, unit, evaluator, number, &worker->error));
    }
    moments_settle(worker->moments);
out:
    if (code != MAILLE_OK)
        atomic_store(&run->stop, true);
    if (run->scalar)
        vector_limit(VECTOR_AVX512); /* worker 0 is the caller's own thread */
    worker->code = code;
    evaluate_free(evaluator);
    unit_free(unit);
    return NULL;
}

static size_t threads_wanted(const struct run *run, const struct tally_options *options)
{
    size_t memory = 1, threads = options == NULL ? 0 : options->threads;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads == 0)
        threads = cores < 1 ? 1 : (size_t)cores;
    for (size_t k = 0; k < run->n_moments; k++)
        memory += moments_memory(&run->moments[k]);
    if (threads > SUMS_BYTES_MAX / memory)
        threads = SUMS_BYTES_MAX / memory;
    if (threads > run->units.n)
        threads = run->units.n;
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    return threads < 1 ? 1 : threads;
}

/* Worker 0 is the calling thread. A thread that cannot be had is done without. */
static enum maille_code run_threads(struct run *run, struct worker *workers, size_t n_workers,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t k = 0; k < n_workers; k++) {
        workers[k].run = run;
        MAILLE_TRY(moments_new(&workers[k].moments, run->moments, run->n_moments, run->scalar, error));
    }
    for (size_t k = 1; k < n_workers; k++)
        workers[k].started = pthread_create(&workers[k].thread, NULL, worker_main, &workers[k]) == 0;
    worker_main(&workers[0]);
    for (size_t k = 1; k < n_workers; k++) {
        if (workers[k].started)
            pthread_join(workers[k].thread, NULL);
    }
    for (size_t k = 0; k < n_workers; k++) {
        if (workers[k].code != MAILLE_OK) {
            code = workers[k].code;
            if (error != NULL)
                *error = workers[k].error;
            goto out;
        }
        if (k > 0)
            moments_merge(workers[0].moments, workers[k].moments);
    }
out:
    return code;
}

/* The words of parts that disclosure control has taken out are 0 from here on: behind this nothing knows
 * them. */
static void leave_out(uint8_t *words, const struct tally_spec *spec, const struct tally_extent *extents)
{
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        size_t n_parts = tally_block_parts(block), bytes = extents[b].count / n_parts * extents[b].width;
        for (size_t i = 0; block->kept != NULL && i < n_parts; i++)
            if (block->kept[i] == 0)
                explicit_bzero(words + extents[b].offset + i * bytes, bytes);
    }
}

enum maille_code tally_run(struct tally *out, const struct tally_spec *spec, struct columns *columns,
                           const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    struct worker workers[THREADS_MAX] = {{0}};
    struct bytes words = {0};
    size_t n_words = 0;
    const char *environment = getenv("MAILLE_SCALAR");
    struct arena *arena = arena_new();
    struct run *run = calloc(1, sizeof *run);
    if (arena == NULL || run == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for an analysis, found none");
        goto out;
    }
    run->spec = spec;
    run->columns = columns;
    run->scalar =
        (options != NULL && options->scalar) || (environment != NULL && strcmp(environment, "1") == 0);
    MAILLE_TRY(tally_layout(extents, &n_words, spec, error));
    MAILLE_TRY(unit_plan(&run->units, spec, columns, arena, error));
    MAILLE_TRY(run_compile(run, extents, arena, error));
    run->parts = calloc(run->n_risksets * run->units.n + 1, sizeof *run->parts);
    uint8_t *into = bytes_reserve(&words, n_words);
    MAILLE_TRY(bytes_check(&words, error));
    if (run->parts == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for an analysis, found none");
        goto out;
    }
    MAILLE_TRY(run_threads(run, workers, threads_wanted(run, options), error));
    moments_write(into, workers[0].moments);
    for (size_t k = 0; k < run->n_risksets; k++)
        MAILLE_TRY(
            riskset_write(into, &run->risksets[k], run->parts + k * run->units.n, run->units.n, error));
    for (size_t b = 0; b < spec->n_blocks; b++)
        if (spec->blocks[b].kind == TALLY_OWN)
            MAILLE_TRY(own_write(into, spec->blocks[b].own, &extents[b], columns, options, error));
    leave_out(into, spec, extents);
    bytes_wipe(&out->words);
    out->words = words;
    words = (struct bytes){0};
out:
    for (size_t k = 0; k < THREADS_MAX; k++)
        moments_free(workers[k].moments);
    for (size_t k = 0; run != NULL && run->parts != NULL && k < run->n_risksets * run->units.n; k++)
        bytes_wipe(&run->parts[k]);
    if (run != NULL)
        free(run->parts);
    free(run);
    bytes_wipe(&words);
    arena_free(arena);
    return code;
}
