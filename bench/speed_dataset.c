/* speed_dataset FOLDER ROWS: writes the patients of the speed table, FOLDER/patients.csv (which DuckDB reads
 * too) and, through the import, FOLDER/patients.h5. Everyone is a patient of their own. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "bench/bench.h"
#include "bench/dataset.h"
#include "registry/import.h"

static const char dictionary_text[] =
    "dictionary: bench\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
    "  - { name: centre, type: category, levels: [c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, "
    "c12, c13, "
    "c14, c15, c16, c17, c18] }\n"
    "  - { name: subtype, type: category, levels: [luminal, her2, both, triple_negative] }\n"
    "  - { name: treatment, type: category, levels: [endocrine, chemo, cdk, antibody, trial, none] }\n"
    "  - { name: stage, type: category, levels: [\"1\", \"2\", \"3\", \"4\"] }\n"
    "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
    "  - { name: ecog, type: integer, min: 0, max: 4 }\n"
    "  - { name: sites, type: integer, min: 1, max: 8 }\n"
    "  - { name: died, type: boolean }\n"
    "  - { name: months, type: real, units: months, min: 0, max: 300, resolution: 0.03125 }\n"
    "  - { name: pgr, type: real, units: fmol/l, min: 0, max: 6000, resolution: 0.1 }\n"
    "  - { name: er, type: real, units: fmol/l, min: 0, max: 6000, resolution: 1 }\n"
    "  - { name: size, type: real, units: mm, min: 0, max: 200, resolution: 0.1 }\n";

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* Centres of very different size: the larger the square, the rarer. */
static unsigned centre_of(uint64_t random)
{
    uint64_t u = random % 324; /* 18² */
    unsigned centre = 0;
    while ((uint64_t)(centre + 1) * (centre + 1) <= u)
        centre++;
    return centre;
}

static void write_csv(const char *path, size_t rows)
{
    static const char *const subtypes[] = {"luminal", "luminal", "her2", "both", "triple_negative"};
    static const char *const treatments[] = {"endocrine", "chemo", "cdk", "antibody", "trial", "none"};
    static const char *const stages[] = {"1", "2", "3", "4"};
    uint64_t state = 1;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "pid,centre,subtype,treatment,stage,age,ecog,sites,died,months,pgr,er,size\n");
    for (size_t row = 0; row < rows; row++) {
        uint64_t a = draw(&state), b = draw(&state), c = draw(&state), d = draw(&state);
        fprintf(file, "%zu,c%02u,%s,%s,%s,", row, centre_of(a >> 8) + 1, subtypes[(a >> 24) % 5],
                treatments[(a >> 32) % 6], (a >> 40) % 50 == 0 ? "" : stages[(a >> 48) % 4]);
        fprintf(file, "%u,%u,%u,%u,%.5f,", 20 + (unsigned)(b % 80), (unsigned)((b >> 8) % 5),
                1 + (unsigned)((b >> 16) % 8), (unsigned)((b >> 24) % 3 > 0),
                (double)((b >> 32) % 9600) / 32);
        fprintf(file, "%u.%u,", (unsigned)(c % 6000), (unsigned)((c >> 32) % 10));
        fprintf(file, d % 50 == 0 ? "," : "%u,", (unsigned)((d >> 8) % 3000));
        fprintf(file, "%u.%u\n", (unsigned)((d >> 24) % 150), (unsigned)((d >> 40) % 10));
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    char csv[PATH_MAX], h5[PATH_MAX];
    struct maille_error error = {0};
    struct import_report report = {0};
    const struct dictionary *dictionary = NULL;
    struct columns *table = NULL;
    struct snapshot_facts facts = {.number = 1, .is_public = true};
    struct arena *arena = arena_new();
    if (argc != 3 || arena == NULL) {
        fprintf(stderr, "speed_dataset: expected FOLDER ROWS\n");
        return 2;
    }
    snprintf(csv, sizeof csv, "%s/patients.csv", argv[1]);
    snprintf(h5, sizeof h5, "%s/patients.h5", argv[1]);
    unlink(h5);
    write_csv(csv, strtoul(argv[2], NULL, 10));
    bench_must(dictionary_parse(&dictionary, arena, "bench.yaml", dictionary_text, sizeof dictionary_text - 1,
                                &error),
               &error);
    bench_must(import_csv(&table, &report, dictionary, csv, NULL, &error), &error);
    memset(facts.salt, '5', sizeof facts.salt - 1);
    bench_must(snapshot_write(table, h5, &facts, &error), &error);
    columns_free(table);
    import_report_clear(&report);
    arena_free(arena);
    return 0;
}
