/* speed_product ROWS THREADS: Σ w·t_i·t_j of 24 weighted terms, exact, beside OpenBLAS's dgemm on the same
 * tall shape.
 *
 * The terms are 24 real columns in memory and a weight column: nothing is evaluated, and all is read, bounds
 * checked and rounded as for any study. dgemm multiplies X' (24 × ROWS) by W·X (ROWS × 24), which was made
 * before: it is given the weighting for nothing. libopenblas.so.0 is looked for by the dynamic linker, or is
 * $MAILLE_OPENBLAS. */
#include <dlfcn.h>
#include <string.h>

#include "bench/bench.h"
#include "registry/table.h"
#include "tally/tally.h"

enum { TERMS = 24, COLUMNS = TERMS + 1, ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* COLUMNS reals, within ±1; the last, the weight, from 0 to 1. */
static const struct dictionary *dictionary_of(struct arena *arena)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    const char *text = "dictionary: product\nversion: 1\nkey: pid\nvariables:\n";
    for (int k = 0; k < COLUMNS; k++)
        text = arena_printf(arena, "%s  - { name: t%d, type: real, min: %d, max: 1, resolution: 0.001 }\n",
                            text, k, k < TERMS ? -1 : 0);
    bench_must(dictionary_parse(&dictionary, arena, "product.yaml", text, strlen(text), &error), &error);
    return dictionary;
}

/* Fills the table, and the matrices of dgemm with the same numbers. */
static struct columns *table_of(const struct dictionary *dictionary, size_t rows, double *x, double *weighted)
{
    struct maille_error error = {0};
    struct columns *table = NULL;
    uint64_t state = 5;
    bench_must(table_new(&table, dictionary, rows, &error), &error);
    for (size_t r = 0; r < rows; r++) {
        struct cell cells[COLUMNS] = {{.missing = false}};
        for (size_t k = 0; k < COLUMNS; k++) {
            int64_t steps = (int64_t)(draw(&state) % 1001);
            cells[k].integer = k < TERMS && draw(&state) % 2 == 0 ? -steps : steps;
        }
        bench_must(table_append(table, cells, (int32_t)r, r + 1, &error), &error);
        for (size_t k = 0; k < TERMS; k++) {
            x[r * TERMS + k] = (double)cells[k].integer / 1000;
            weighted[r * TERMS + k] = (double)cells[TERMS].integer / 1000 * x[r * TERMS + k];
        }
    }
    table->patients = rows;
    return table;
}

typedef void dgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                   const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc);

/* NULL where there is none. */
static dgemm *openblas(unsigned threads)
{
    const char *path = getenv("MAILLE_OPENBLAS");
    void *library = dlopen(path != NULL ? path : "libopenblas.so.0", RTLD_NOW), *found;
    dgemm *multiply = NULL;
    void (*set_threads)(int) = NULL;
    if (library == NULL)
        return NULL;
    found = dlsym(library, "openblas_set_num_threads");
    memcpy(&set_threads, &found, sizeof found);
    found = dlsym(library, "cblas_dgemm");
    memcpy(&multiply, &found, sizeof found);
    if (set_threads == NULL || multiply == NULL)
        return NULL;
    set_threads((int)threads);
    return multiply;
}

/* Largest difference of the two, against the largest sum: that they did the same. */
static double difference(const struct tally *tally, const struct tally_spec *spec, const double *product)
{
    struct maille_error error = {0};
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    size_t bytes, at = 0;
    double largest = 0, off = 0;
    bench_must(tally_layout(extents, &bytes, spec, &error), &error);
    for (size_t i = 0; i < TERMS; i++)
        for (size_t j = i; j < TERMS; j++) {
            double ours = tally_real(tally->words.data, &extents[0], at++),
                   gap = ours - product[i * TERMS + j];
            gap = gap < 0 ? -gap : gap;
            off = gap > off ? gap : off;
            largest = ours > largest ? ours : largest;
        }
    return off / largest;
}

int main(int argc, char **argv)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (argc != 3 || arena == NULL) {
        fprintf(stderr, "speed_product: expected ROWS THREADS\n");
        return 2;
    }
    size_t rows = strtoul(argv[1], NULL, 10);
    struct tally_options options = {.threads = (unsigned)strtoul(argv[2], NULL, 10)};
    double *x = malloc(rows * TERMS * sizeof *x), *weighted = malloc(rows * TERMS * sizeof *x);
    double product[TERMS * TERMS], tallied[BENCH_TURNS], multiplied[BENCH_TURNS] = {0};
    struct tally tally = {0};
    if (x == NULL || weighted == NULL)
        return 1;
    const struct dictionary *dictionary = dictionary_of(arena);
    struct columns *table = table_of(dictionary, rows, x, weighted);
    const struct expression *terms[TERMS];
    for (uint32_t k = 0; k < TERMS; k++)
        terms[k] = expression_variable(arena, dictionary, k);
    struct tally_spec *spec = arena_array(arena, 1, sizeof *spec);
    *tally_spec_add(spec) = (struct tally_block){.weight = expression_variable(arena, dictionary, TERMS),
                                                 .order = 2,
                                                 .terms = terms,
                                                 .n_terms = TERMS};
    dgemm *multiply = openblas(options.threads);
    for (int turn = -1; turn < BENCH_TURNS; turn++) { /* one to warm up */
        double start = bench_now();
        bench_must(tally_run(&tally, spec, table, &options, &error), &error);
        double middle = bench_now();
        if (multiply != NULL)
            multiply(ROW_MAJOR, TRANSPOSE, NO_TRANSPOSE, TERMS, TERMS, (int)rows, 1, x, TERMS, weighted,
                     TERMS, 0, product, TERMS);
        if (turn >= 0) {
            tallied[turn] = middle - start;
            multiplied[turn] = bench_now() - middle;
        }
    }
    char dataset[64], what[128];
    snprintf(dataset, sizeof dataset, "%zu × 24, weighted", rows);
    snprintf(what, sizeof what, "order 2, 24 weighted terms, exact");
    if (multiply != NULL)
        snprintf(what, sizeof what,
                 "order 2, 24 weighted terms, exact (dgemm differs by %.0e of the largest)",
                 difference(&tally, spec, product));
    bench_row_print(&(struct bench_row){.what = what,
                                        .dataset = dataset,
                                        .threads = options.threads,
                                        .processes = 1,
                                        .value = bench_median(tallied),
                                        .unit = "s",
                                        .compared = multiply != NULL ? "OpenBLAS dgemm, same shape"
                                                                     : "OpenBLAS: not present",
                                        .compared_value = multiply != NULL ? bench_median(multiplied) : 0,
                                        .target = 1});
    tally_clear(&tally);
    columns_free(table);
    arena_free(arena);
    free(x);
    free(weighted);
    return 0;
}
