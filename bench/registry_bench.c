/* Import and reading of a made-up registry:
 *
 *     build/release/bin/registry_bench FOLDER [ROWS]
 *
 * Writes FOLDER/bench.csv (twelve columns beside the key, one patient in ten on two rows, 2 % missing in four
 * columns) and FOLDER/bench.h5, and removes both. Prints seconds, best of five for the reading. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/options.h"
#include "registry/import.h"

static const char dictionary_text[] =
    "dictionary: bench\nversion: 1\nkey: pid\nmissing: [\"\", \"NA\"]\nvariables:\n"
    "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
    "  - { name: year, type: integer, min: 1970, max: 2030 }\n"
    "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"] }\n"
    "  - { name: grade, type: category, levels: [\"1\", \"2\", \"3\"] }\n"
    "  - { name: nodes, type: integer, min: 0, max: 100 }\n"
    "  - { name: pgr, type: real, units: fmol/l, min: 0, max: 6000, resolution: 0.1 }\n"
    "  - { name: er, type: real, units: fmol/l, min: 0, max: 6000, resolution: 1 }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: dtime, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: death, type: boolean }\n"
    "  - { name: month, type: real, units: months, min: 0, max: 300, resolution: 0.03125 }\n"
    "  - { name: born, type: date, min: 1900-01-01, max: 2030-12-31 }\n";

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static void write_csv(const char *path, size_t rows)
{
    static const char *const sizes[] = {"<=20", "20-50", ">50"};
    uint64_t state = 1;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "pid,age,year,size,grade,nodes,pgr,er,chemo,dtime,death,month,born\n");
    for (size_t row = 0; row < rows; row++) {
        unsigned k[12];
        for (size_t i = 0; i < 12; i++)
            k[i] = (unsigned)(draw(&state) >> 33);
        fprintf(file, "P%07zu,%u,%u,%s,%u,", row % 11 == 10 ? row / 2 : row, 20 + k[0] % 80, 1980 + k[1] % 40,
                k[2] % 50 == 0 ? "NA" : sizes[k[2] % 3], 1 + k[3] % 3);
        fprintf(file, k[4] % 50 == 0 ? "," : "%u,", k[4] % 30);
        fprintf(file, k[5] % 50 == 0 ? "NA," : "%u.%u,", k[5] % 3000, k[5] / 3000 % 10);
        fprintf(file, "%u,%u,%u,%u,%.5f,", k[6] % 3000, k[7] % 2, k[8] % 7000, k[9] % 2, k[10] % 9600 / 32.0);
        fprintf(file, k[11] % 50 == 0 ? "NA\n" : "%u-%02u-%02u\n", 1920 + k[11] % 60, 1 + k[11] / 60 % 12,
                1 + k[11] / 720 % 28);
    }
    fclose(file);
}

struct reading {
    pthread_t thread;
    struct columns *columns;
    size_t first, step; /* blocks */
    enum maille_code code;
};

static void *read_blocks(void *context)
{
    struct reading *reading = context;
    struct column_scratch scratch = {0};
    struct column_block block;
    size_t variables = columns_dictionary(reading->columns)->n_variables;
    for (size_t b = reading->first; b < columns_blocks(reading->columns); b += reading->step)
        for (uint32_t v = 0; v < variables && reading->code == MAILLE_OK; v++)
            reading->code = columns_block(&block, reading->columns, &scratch, v, b, NULL);
    column_scratch_clear(&scratch);
    return NULL;
}

static double read_time(struct columns *columns, size_t threads)
{
    double best = 1e9;
    for (int turn = 0; turn < 5; turn++) {
        struct reading readings[2] = {{0}};
        double start = seconds();
        for (size_t t = 0; t < threads; t++) {
            readings[t] = (struct reading){.columns = columns, .first = t, .step = threads};
            if (pthread_create(&readings[t].thread, NULL, read_blocks, &readings[t]) != 0)
                exit(1);
        }
        for (size_t t = 0; t < threads; t++) {
            pthread_join(readings[t].thread, NULL);
            if (readings[t].code != MAILLE_OK)
                exit(1);
        }
        double took = seconds() - start;
        best = took < best ? took : best;
    }
    return best;
}

static enum maille_code measure(const char *csv, const char *h5, size_t rows, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = NULL;
    struct import_report report = {0};
    struct columns *table = NULL, *columns = NULL;
    struct snapshot_facts facts = {.number = 1, .is_public = true};
    struct stat status;
    struct rusage usage;
    double start;
    MAILLE_TRY(dictionary_parse(&dictionary, arena, "bench.yaml", dictionary_text, sizeof dictionary_text - 1,
                                error));
    write_csv(csv, rows);
    if (stat(csv, &status) == 0)
        printf("csv       %8.1f MB\n", (double)status.st_size / 1e6);
    start = seconds();
    MAILLE_TRY(import_csv(&table, &report, dictionary, csv, NULL, error));
    printf("import    %8.3f s   %zu rows, %zu patients\n", seconds() - start, columns_rows(table),
           columns_patients(table));
    start = seconds();
    memset(facts.salt, '5', sizeof facts.salt - 1);
    MAILLE_TRY(snapshot_write(table, h5, &facts, error));
    printf("write     %8.3f s   with fsync\n", seconds() - start);
    if (stat(h5, &status) == 0)
        printf("snapshot  %8.1f MB\n", (double)status.st_size / 1e6);
    start = seconds();
    MAILLE_TRY(columns_open(&columns, h5, error));
    printf("open      %8.4f s\n", seconds() - start);
    printf("read, 1   %8.4f s   all variables\n", read_time(columns, 1));
    printf("read, 2   %8.4f s   two threads\n", read_time(columns, 2));
    getrusage(RUSAGE_SELF, &usage);
    printf("peak      %8.1f MB\n", (double)usage.ru_maxrss / 1e3);
out:
    columns_free(columns);
    columns_free(table);
    import_report_clear(&report);
    arena_free(arena);
    return code;
}

int main(int argc, char **argv)
{
    char csv[4096], h5[4096];
    struct maille_error error = {0};
    size_t rows = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    if (argc < 2) {
        fprintf(stderr, "registry_bench: expected FOLDER [ROWS]\n");
        return 2;
    }
    snprintf(csv, sizeof csv, "%s/bench.csv", argv[1]);
    snprintf(h5, sizeof h5, "%s/bench.h5", argv[1]);
    unlink(h5);
    enum maille_code code = measure(csv, h5, rows, &error);
    unlink(csv);
    unlink(h5);
    return code == MAILLE_OK ? 0 : options_program_fail("registry_bench", &error);
}
