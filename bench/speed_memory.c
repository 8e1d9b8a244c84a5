/* speed_memory FOLDER CACHE_MB THREADS: the largest memory of a process that opens the snapshot as the
 * process `data` does, with a column cache of CACHE_MB, and tallies every variable three times. */
#include <limits.h>
#include <sys/resource.h>

#include "bench/bench.h"
#include "bench/dataset.h"
#include "registry/column_cache.h"
#include "tally/tally.h"

enum { LIMIT_MB = 300, TIMES = 3 };

/* Counts and, of numbers, sums of every variable. */
static struct tally_spec *spec_of(struct arena *arena, const struct dictionary *dictionary)
{
    struct tally_spec *spec = arena_array(arena, 1, sizeof *spec);
    const struct expression *centre = expression_variable(arena, dictionary, DATASET_CENTRE);
    for (uint32_t k = 0; k < DATASET_VARIABLES; k++) {
        const struct expression *x = expression_variable(arena, dictionary, k);
        struct tally_block *block = tally_spec_add(spec);
        if (x->kind == EXPRESSION_NUMBER) {
            const struct expression **terms = arena_array(arena, 1, sizeof *terms);
            terms[0] = x;
            *block = (struct tally_block){.group = centre, .order = 1, .terms = terms, .n_terms = 1};
        } else {
            const struct expression *cells[] = {centre, x};
            struct maille_error error = {0};
            bench_must(expression_as_code(&cells[1], arena, x, &error), &error);
            *block = (struct tally_block){.group = expression_cross(arena, cells, 2)};
        }
    }
    return spec;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX], dataset[128], what[256];
    struct maille_error error = {0};
    struct columns *snapshot = NULL;
    struct column_cache *cache = NULL;
    struct arena *arena = arena_new();
    struct rusage usage;
    if (argc != 4 || arena == NULL) {
        fprintf(stderr, "speed_memory: expected FOLDER CACHE_MB THREADS\n");
        return 2;
    }
    struct tally_options options = {.threads = (unsigned)strtoul(argv[3], NULL, 10)};
    snprintf(path, sizeof path, "%s/patients.h5", argv[1]);
    bench_must(columns_open(&snapshot, path, &error), &error);
    bench_must(column_cache_new(&cache, strtoul(argv[2], NULL, 10) << 20, &error), &error);
    columns_use_cache(snapshot, cache);
    struct tally_spec *spec = spec_of(arena, columns_dictionary(snapshot));
    for (int turn = 0; turn < TIMES; turn++) {
        struct tally tally = {0};
        bench_must(tally_run(&tally, spec, snapshot, &options, &error), &error);
        tally_clear(&tally);
    }
    getrusage(RUSAGE_SELF, &usage);
    struct column_cache_facts facts = column_cache_facts(cache);
    snprintf(dataset, sizeof dataset, "%zu patients × %d variables", columns_rows(snapshot),
             DATASET_VARIABLES);
    snprintf(what, sizeof what,
             "largest memory: all variables %d times, column cache %s MB (%llu blocks read, %llu found)",
             TIMES, argv[2], (unsigned long long)facts.reads, (unsigned long long)facts.hits);
    bench_row_print(&(struct bench_row){.what = what,
                                        .dataset = dataset,
                                        .threads = options.threads,
                                        .processes = 1,
                                        .value = (double)usage.ru_maxrss / 1024,
                                        .unit = "MB",
                                        .compared = "limit",
                                        .compared_value = LIMIT_MB,
                                        .target = 1});
    columns_free(snapshot);
    column_cache_free(cache);
    arena_free(arena);
    return 0;
}
