/* speed_snapshot FOLDER: the questions of speed_tally from the LZ4 snapshot (in the page cache; no column
 * cache), two threads, beside LZ4_decompress_safe alone over the same chunks in memory; and the same once the
 * columns are in the column cache. */
#include <limits.h>
#include <lz4.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/dataset.h"
#include "bench/questions.h"
#include "registry/column_cache.h"
#include "registry/snapshot_file.h"

enum { THREADS = 2, CHUNK_HEADER = 16 /* registry/lz4_filter.c: of a chunk that is one LZ4 block */ };

/* The chunks that a question reads, as they stand in the file. */
struct raw {
    uint8_t **chunks;
    size_t *sizes, *plain;
    size_t n;
};

static void add_chunks(struct raw *raw, const struct snapshot_file *file, const struct chunked *dataset,
                       size_t blocks)
{
    for (size_t b = 0; dataset->chunks != NULL && b < blocks; b++) {
        struct chunk chunk = dataset->chunks[b];
        uint8_t *bytes = malloc(chunk.size);
        if (bytes == NULL || pread(file->fd, bytes, chunk.size, (off_t)chunk.offset) != (ssize_t)chunk.size)
            exit(1);
        raw->chunks[raw->n] = bytes;
        raw->sizes[raw->n] = chunk.size;
        raw->plain[raw->n++] = dataset->chunk_entries * dataset->entry_size;
    }
}

static struct raw raw_of(const struct question *question, const struct columns *columns)
{
    const struct snapshot_file *file = columns->place;
    size_t blocks = columns_blocks(columns), most = 2 * blocks * question->n_variables;
    struct raw raw = {.chunks = calloc(most, sizeof *raw.chunks),
                      .sizes = calloc(most, sizeof *raw.sizes),
                      .plain = calloc(most, sizeof *raw.plain)};
    if (raw.chunks == NULL || raw.sizes == NULL || raw.plain == NULL)
        exit(1);
    for (size_t v = 0; v < question->n_variables; v++) {
        add_chunks(&raw, file, &file->values[question->variables[v]], blocks);
        add_chunks(&raw, file, &file->missing[question->variables[v]], blocks);
    }
    return raw;
}

static void raw_free(struct raw *raw)
{
    for (size_t k = 0; k < raw->n; k++)
        free(raw->chunks[k]);
    free(raw->chunks);
    free(raw->sizes);
    free(raw->plain);
}

struct unpacking {
    pthread_t thread;
    const struct raw *raw;
    size_t first;
};

static void *unpack(void *context)
{
    const struct unpacking *unpacking = context;
    const struct raw *raw = unpacking->raw;
    char *out = malloc((size_t)COLUMNS_BLOCK_ROWS * 8);
    if (out == NULL)
        exit(1);
    for (size_t k = unpacking->first; k < raw->n; k += THREADS) {
        size_t packed = raw->sizes[k] - CHUNK_HEADER;
        const char *from = (const char *)raw->chunks[k] + CHUNK_HEADER;
        if (packed == raw->plain[k])
            memcpy(out, from, packed); /* stored as it is: LZ4 would not shrink it */
        else if (LZ4_decompress_safe(from, out, (int)packed, (int)raw->plain[k]) != (int)raw->plain[k])
            exit(1);
    }
    free(out);
    return NULL;
}

static double raw_seconds(const struct raw *raw)
{
    struct unpacking unpacking[THREADS];
    double start = bench_now();
    for (size_t t = 0; t < THREADS; t++) {
        unpacking[t] = (struct unpacking){.raw = raw, .first = t};
        if (t > 0 && pthread_create(&unpacking[t].thread, NULL, unpack, &unpacking[t]) != 0)
            exit(1);
    }
    unpack(&unpacking[0]);
    for (size_t t = 1; t < THREADS; t++)
        pthread_join(unpacking[t].thread, NULL);
    return bench_now() - start;
}

static void measure(struct columns *snapshot, struct columns *cached, const struct question *question,
                    const char *dataset)
{
    double tallied[BENCH_TURNS], unpacked[BENCH_TURNS], again[BENCH_TURNS];
    char what[256], compared[128];
    struct raw raw = raw_of(question, snapshot);
    double bytes = 0;
    for (size_t k = 0; k < raw.n; k++)
        bytes += (double)raw.plain[k];
    question_seconds(question, cached, THREADS); /* fills the cache */
    for (int turn = 0; turn < BENCH_TURNS; turn++) {
        tallied[turn] = question_seconds(question, snapshot, THREADS);
        unpacked[turn] = raw_seconds(&raw);
        again[turn] = question_seconds(question, cached, THREADS);
    }
    raw_free(&raw);
    struct bench_row row = {.dataset = dataset,
                            .what = what,
                            .threads = THREADS,
                            .processes = 1,
                            .value = bench_median(tallied),
                            .unit = "s",
                            .compared = compared,
                            .compared_value = bench_median(unpacked),
                            .target = 0.7};
    snprintf(what, sizeof what, "from the snapshot: %s (%.1f GB/s)", question->what, bytes / row.value / 1e9);
    snprintf(compared, sizeof compared, "LZ4_decompress_safe alone, same chunks in memory (%.1f GB/s)",
             bytes / row.compared_value / 1e9);
    bench_row_print(&row);
    snprintf(compared, sizeof compared, "the same, from the snapshot");
    snprintf(what, sizeof what, "columns in the cache: %s", question->what);
    row.compared_value = row.value;
    row.value = bench_median(again);
    row.target = 0;
    bench_row_print(&row);
}

int main(int argc, char **argv)
{
    char path[PATH_MAX], dataset[64];
    struct maille_error error = {0};
    struct columns *snapshot = NULL, *cached = NULL;
    struct column_cache *cache = NULL;
    struct question questions[QUESTIONS];
    struct arena *arena = arena_new();
    if (argc < 2 || arena == NULL) {
        fprintf(stderr, "speed_snapshot: expected FOLDER\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/patients.h5", argv[1]);
    bench_must(columns_open(&snapshot, path, &error), &error);
    bench_must(columns_open(&cached, path, &error), &error);
    bench_must(column_cache_new(&cache, (size_t)2 << 30, &error), &error);
    columns_use_cache(cached, cache);
    snprintf(dataset, sizeof dataset, "%zu patients, shuffle + LZ4", columns_rows(snapshot));
    questions_make(questions, arena, columns_dictionary(snapshot));
    for (size_t q = 0; q < QUESTIONS; q += 2) /* by centre; by subtype reads as much */
        measure(snapshot, cached, &questions[q], dataset);
    columns_free(cached);
    columns_free(snapshot);
    column_cache_free(cache);
    arena_free(arena);
    return 0;
}
