/* tally_bench ROWS [THREADS]: seconds of the kernels of tally/ over a table in memory, best of 5. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "registry/import.h"
#include "tally/tally.h"

enum { TERMS = 24, REPEATS = 5 };

static void stop_unless(enum maille_code code, const struct maille_error *error)
{
    if (code == MAILLE_OK)
        return;
    fprintf(stderr, "tally_bench: %s\n", error->sentence);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717) >> 33;
}

/* Times, an event, a centre of 18, a small code, an age, two reals. */
static const char yaml[] = "dictionary: bench\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                           "  - { name: months, type: duration, units: months, min: 0, max: 120 }\n"
                           "  - { name: died, type: boolean }\n"
                           "  - { name: centre, type: integer, min: 0, max: 17 }\n"
                           "  - { name: subtype, type: category, levels: [a, b, c, d] }\n"
                           "  - { name: age, type: integer, min: 0, max: 120 }\n"
                           "  - { name: x, type: real, min: -1, max: 1, resolution: 0.001 }\n"
                           "  - { name: y, type: real, min: 0, max: 6000, resolution: 0.1 }\n";
enum { MONTHS, DIED, CENTRE, SUBTYPE, AGE, X, Y };

static struct columns *table(const struct dictionary *dictionary, size_t rows)
{
    struct maille_error error = {0};
    struct import_report report = {0};
    struct columns *columns = NULL;
    char path[] = "/tmp/tally_bench_XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    uint64_t seed = 1;
    fprintf(file, "pid,months,died,centre,subtype,age,x,y\n");
    for (size_t r = 0; r < rows; r++) {
        fprintf(file, "%zu,%u,%u,%u,%c,%u,%.3f,%.1f\n", r, (unsigned)(draw(&seed) % 121),
                (unsigned)(draw(&seed) % 2), (unsigned)(draw(&seed) % 18), (int)('a' + draw(&seed) % 4),
                20 + (unsigned)(draw(&seed) % 80), (double)(draw(&seed) % 2001) / 1000 - 1,
                (double)(draw(&seed) % 60001) / 10);
    }
    fclose(file);
    enum maille_code code = import_csv(&columns, &report, dictionary, path, NULL, &error);
    unlink(path);
    import_report_clear(&report);
    stop_unless(code, &error);
    return columns;
}

static void measure(const char *what, const struct tally_spec *spec, struct columns *columns,
                    unsigned threads)
{
    struct maille_error error = {0};
    struct tally_options options = {.threads = threads};
    struct tally tally = {0};
    double best = 1e9;
    for (int k = 0; k < REPEATS; k++) {
        double start = now();
        stop_unless(tally_run(&tally, spec, columns, &options, &error), &error);
        double took = now() - start;
        best = took < best ? took : best;
    }
    tally_clear(&tally);
    printf("%-60s %u thread%s %8.4f s\n", what, threads, threads == 1 ? " " : "s", best);
}

int main(int argc, char **argv)
{
    struct maille_error error = {0};
    size_t rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    struct arena *arena = arena_new();
    const struct dictionary *d = NULL;
    if (arena == NULL)
        return 1;
    stop_unless(dictionary_parse(&d, arena, "bench.yaml", yaml, strlen(yaml), &error), &error);
    struct columns *columns = table(d, rows);
    const struct expression *v[7];
    for (uint32_t k = 0; k < 7; k++)
        v[k] = expression_variable(arena, d, k);
    const struct expression *centre = NULL;
    stop_unless(expression_as_code(&centre, arena, v[CENTRE], &error), &error);
    const struct expression *cohort =
        expression_and(arena, expression_binary(arena, OP_GE, v[AGE], expression_constant(arena, 30)),
                       expression_binary(arena, OP_LT, v[Y], expression_constant(arena, 5000)));

    /* 24 design columns: an intercept, x, y scaled, powers and products. */
    double middle, half;
    stop_unless(expression_unit_scale(&middle, &half, v[Y], "y", &error), &error);
    const struct expression *terms[TERMS] = {expression_constant(arena, 1), v[X],
                                             expression_scale(arena, v[Y], middle, half)};
    stop_unless(expression_unit_scale(&middle, &half, v[AGE], "age", &error), &error);
    terms[3] = expression_scale(arena, v[AGE], middle, half);
    for (size_t i = 4; i < TERMS; i++)
        terms[i] = expression_binary(arena, OP_MULTIPLY, terms[i - 3], terms[1 + i % 3]);
    double *beta = arena_array(arena, TERMS + 1, sizeof *beta);
    for (size_t i = 0; i < TERMS; i++)
        beta[i] = i % 2 ? 0.3 : -0.2;
    const struct expression *eta = expression_linear(arena, beta, terms, TERMS);
    const struct expression *risk = expression_unary(arena, OP_EXP, eta);
    const struct expression *exit = expression_survival(arena, OP_SURV_EXIT, 121);
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, 2);
    struct tally_survival survival = {
        .stop = v[MONTHS], .event = v[DIED], .lattice = 1, .per_bin = 1, .n_bins = 121};
    const struct expression *cells[] = {v[SUBTYPE], exit, status};

    struct tally_spec spec = {.n_blocks = 1, .blocks = {{.filter = cohort, .group = centre}}};
    measure("n by centre, cohort of two comparisons", &spec, columns, threads);
    const struct expression *one[] = {terms[0], terms[3]};
    spec.blocks[0].order = 1;
    spec.blocks[0].terms = one;
    spec.blocks[0].n_terms = 2;
    measure("sum of age by centre, cohort of two comparisons", &spec, columns, threads);
    spec.blocks[0].order = 2;
    measure("mean and variance of age by centre, same cohort", &spec, columns, threads);
    spec.blocks[0] = (struct tally_block){.group = v[SUBTYPE], .order = 2, .terms = one, .n_terms = 2};
    measure("mean and variance of age by subtype", &spec, columns, threads);
    spec = (struct tally_spec){.survival = survival, .n_blocks = 1};
    spec.blocks[0].group = expression_cross(arena, cells, 3);
    measure("survival table: subtype x month x event", &spec, columns, threads);
    spec = (struct tally_spec){.survival = survival, .n_blocks = 1};
    spec.blocks[0] = (struct tally_block){.group = expression_cross(arena, cells + 1, 2),
                                          .weight = risk,
                                          .order = 1,
                                          .terms = terms,
                                          .n_terms = TERMS};
    measure("sum of risk x 24 terms by month x event (Cox, round a)", &spec, columns, threads);
    spec = (struct tally_spec){.n_blocks = 1};
    spec.blocks[0] = (struct tally_block){.weight = risk, .order = 2, .terms = terms, .n_terms = TERMS};
    measure("order 2, 24 terms, weighted (evaluation and sums)", &spec, columns, threads);
    spec.blocks[0].order = 1;
    measure("order 1, same terms and weight (mostly evaluation)", &spec, columns, threads);

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("largest memory, table included: %ld MB\n", usage.ru_maxrss / 1024);
    columns_free(columns);
    arena_free(arena);
    return 0;
}
