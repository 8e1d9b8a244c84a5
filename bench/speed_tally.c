/* speed_tally FOLDER [DUCKDB]: tallies of order 0 and 1 with a cohort filter over the patients of
 * speed_dataset, two threads: in memory, against a plain sum over the same columns, and against DuckDB's
 * seconds for the same questions (the file DUCKDB: a line "question TAB seconds" each; part_tally.sh). */
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/dataset.h"
#include "bench/questions.h"
#include "base/vector.h"

enum { THREADS = 2 };

/* ---- A plain sum over columns: one addition per entry, with all the lanes there are ---- */

VECTOR_INLINE int64_t integers_loop(const void *values, size_t rows, enum column_storage storage)
{
    int64_t sum = 0;
    if (storage == STORE_INT8) {
        for (size_t r = 0; r < rows; r++)
            sum += ((const int8_t *)values)[r];
    } else if (storage == STORE_INT16) {
        for (size_t r = 0; r < rows; r++)
            sum += ((const int16_t *)values)[r];
    } else {
        for (size_t r = 0; r < rows; r++)
            sum += ((const int32_t *)values)[r];
    }
    return sum;
}

VECTOR_INLINE void block_loop(double *sum, const struct column_block *block)
{
    *sum += (double)integers_loop(block->values, block->rows, block->storage);
}

VECTOR_CLONES(block_sum, block_loop, (double *sum, const struct column_block *block), (sum, block))

struct summing {
    pthread_t thread;
    struct columns *columns;
    const struct question *question;
    size_t first;
    double sum;
};

static void *sum_columns(void *context)
{
    struct summing *summing = context;
    struct column_scratch scratch = {0};
    struct column_block block;
    for (size_t b = summing->first; b < columns_blocks(summing->columns); b += THREADS) {
        for (size_t v = 0; v < summing->question->n_variables; v++) {
            bench_must(
                columns_block(&block, summing->columns, &scratch, summing->question->variables[v], b, NULL),
                NULL);
            block_sum(&summing->sum, &block);
        }
    }
    column_scratch_clear(&scratch);
    return NULL;
}

static double plain_seconds(struct columns *columns, const struct question *question)
{
    struct summing summing[THREADS];
    volatile double total = 0; /* so that the sums are needed */
    double start = bench_now();
    for (size_t t = 0; t < THREADS; t++) {
        summing[t] = (struct summing){.columns = columns, .question = question, .first = t};
        if (t > 0 && pthread_create(&summing[t].thread, NULL, sum_columns, &summing[t]) != 0)
            exit(1);
    }
    sum_columns(&summing[0]);
    for (size_t t = 0; t < THREADS; t++) {
        if (t > 0)
            pthread_join(summing[t].thread, NULL);
        total = total + summing[t].sum;
    }
    return bench_now() - start;
}

/* ---- The tallies ---- */

/* Seconds of a question by its name in DuckDB's file; 0 when it is not there. */
static double duckdb_seconds(const char *path, const char *name)
{
    char line[256];
    double seconds = 0;
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) == 0 && line[length] == '\t')
            seconds = strtod(line + length + 1, NULL);
    }
    if (file != NULL)
        fclose(file);
    return seconds;
}

static void measure(struct columns *table, const struct question *question, const char *dataset,
                    const char *duckdb)
{
    double tallied[BENCH_TURNS], plain[BENCH_TURNS];
    char what[256], compared[128];
    for (int turn = 0; turn < BENCH_TURNS; turn++) {
        tallied[turn] = question_seconds(question, table, THREADS);
        plain[turn] = plain_seconds(table, question);
    }
    double bytes = (double)columns_rows(table) * (double)question_row_bytes(question, table);
    struct bench_row row = {.dataset = dataset,
                            .what = what,
                            .threads = THREADS,
                            .processes = 1,
                            .value = bench_median(tallied),
                            .unit = "s",
                            .compared = compared,
                            .compared_value = bench_median(plain),
                            .target = 0.5};
    snprintf(what, sizeof what, "in memory: %s (%.1f GB/s)", question->what, bytes / row.value / 1e9);
    snprintf(compared, sizeof compared, "plain sum of the same columns (%.1f GB/s)",
             bytes / row.compared_value / 1e9);
    bench_row_print(&row);
    row.compared_value = duckdb_seconds(duckdb, question->name);
    row.target = 1;
    snprintf(compared, sizeof compared, "%s",
             row.compared_value > 0 ? "DuckDB, own table" : "DuckDB: not present");
    bench_row_print(&row);
}

int main(int argc, char **argv)
{
    char path[PATH_MAX], dataset[64];
    struct maille_error error = {0};
    struct columns *snapshot = NULL;
    struct question questions[QUESTIONS];
    struct arena *arena = arena_new();
    if (argc < 2 || arena == NULL) {
        fprintf(stderr, "speed_tally: expected FOLDER [DUCKDB]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/patients.h5", argv[1]);
    bench_must(columns_open(&snapshot, path, &error), &error);
    struct columns *table = dataset_in_memory(snapshot);
    snprintf(dataset, sizeof dataset, "%zu patients", columns_rows(table));
    questions_make(questions, arena, columns_dictionary(table));
    for (size_t q = 0; q < QUESTIONS; q++)
        measure(table, &questions[q], dataset, argc > 2 ? argv[2] : NULL);
    columns_free(table);
    columns_free(snapshot);
    arena_free(arena);
    return 0;
}
