#include <sys/resource.h>

#include "tally/testing.h"

/* Six rows of five patients, worked on paper; patient 3 has two rows. */
static const char small_yaml[] = "dictionary: small\n"
                                 "version: 1\n"
                                 "key: pid\n"
                                 "missing: [\"\", \"NA\"]\n"
                                 "variables:\n"
                                 "  - { name: age, type: integer, min: 0, max: 120 }\n"
                                 "  - { name: grade, type: category, levels: [\"1\", \"2\", \"3\"] }\n"
                                 "  - { name: chemo, type: boolean }\n"
                                 "  - { name: dose, type: real, min: -4, max: 4, resolution: 0.25 }\n";
static const char small_csv[] = "pid,age,grade,chemo,dose\n"
                                "a,50,1,1,0.5\n"
                                "b,60,2,0,\n"
                                "c,40,2,1,-1.25\n"
                                "c,41,2,1,2\n"
                                "d,70,3,,1\n"
                                "e,30,,1,3\n";

struct layout {
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    size_t bytes;
};

static struct layout lay_out(const struct tally_spec *spec)
{
    struct maille_error error = {0};
    struct layout layout = {.bytes = 0};
    MUST(tally_layout(layout.extents, &layout.bytes, spec, &error));
    return layout;
}

static void run(struct tally *tally, const struct tally_spec *spec, struct columns *columns, unsigned threads,
                bool scalar)
{
    struct maille_error error = {0};
    struct tally_options options = {.threads = threads, .scalar = scalar};
    MUST(tally_run(tally, spec, columns, &options, &error));
}

static void counts_by_hand(void **state)
{
    (void)state;
    struct toy toy = toy_new(small_yaml, small_csv, strlen(small_csv));
    struct tally_spec spec = {0};
    struct tally_block *rows = tally_spec_add(&spec), *patients = tally_spec_add(&spec),
                       *all = tally_spec_add(&spec);
    const struct expression *dose = toy_variable(&toy, "dose");
    rows->group = patients->group = toy_variable(&toy, "grade");
    rows->filter = toy_variable(&toy, "chemo");
    patients->distinct = all->distinct = true;
    all->terms = &dose;
    all->n_terms = 1;
    struct layout layout = lay_out(&spec);
    assert_int_equal(layout.bytes, 8 * 8); /* a multiple of 16 */
    assert_int_equal(layout.extents[1].offset, 3 * 8);
    struct tally tally = {0};
    run(&tally, &spec, toy.columns, 1, false);
    assert_int_equal(tally.words.length, layout.bytes);
    static const int64_t expected_rows[] = {1, 2, 0}, expected_patients[] = {1, 2, 1};
    for (size_t g = 0; g < 3; g++) {
        assert_int_equal(tally_count(tally.words.data, &layout.extents[0], g), expected_rows[g]);
        assert_int_equal(tally_count(tally.words.data, &layout.extents[1], g), expected_patients[g]);
    }
    /* patients with a dose: a, c, d, e */
    assert_int_equal(tally_count(tally.words.data, &layout.extents[2], 0), 4);
    tally_clear(&tally);
    toy_clear(&toy);
}

static void moments_by_hand(void **state)
{
    (void)state;
    struct toy toy = toy_new(small_yaml, small_csv, strlen(small_csv));
    struct tally_spec spec = {0};
    struct tally_block *sums = tally_spec_add(&spec), *products = tally_spec_add(&spec),
                       *weights = tally_spec_add(&spec);
    const struct expression *terms[] = {toy_variable(&toy, "age"), toy_variable(&toy, "dose")};
    sums->terms = products->terms = terms;
    sums->n_terms = products->n_terms = 2;
    sums->order = 1;
    products->order = 2;
    products->weight = weights->weight = terms[1];
    weights->group = toy_variable(&toy, "grade");
    struct layout layout = lay_out(&spec);
    struct tally tally = {0};
    for (int scalar = 0; scalar < 2; scalar++) {
        run(&tally, &spec, toy.columns, 1, scalar != 0);
        const uint8_t *words = tally.words.data;
        /* b has no dose and is left out */
        assert_true(tally_real(words, &layout.extents[0], 0) == 50 + 40 + 41 + 70 + 30);
        assert_true(tally_real(words, &layout.extents[0], 1) == 0.5 - 1.25 + 2 + 1 + 3);
        double w[] = {0.5, -1.25, 2, 1, 3}, age[] = {50, 40, 41, 70, 30}, xx = 0, xy = 0, yy = 0;
        for (size_t i = 0; i < 5; i++) { /* all exact */
            xx += w[i] * age[i] * age[i];
            xy += w[i] * age[i] * w[i];
            yy += w[i] * w[i] * w[i];
        }
        assert_true(tally_real(words, &layout.extents[1], 0) == xx);
        assert_true(tally_real(words, &layout.extents[1], 1) == xy);
        assert_true(tally_real(words, &layout.extents[1], 2) == yy);
        assert_true((double)tally_quad(words, &layout.extents[1], 2) == yy);
        assert_true(tally_real(words, &layout.extents[2], 0) == 0.5);
        assert_true(tally_real(words, &layout.extents[2], 1) == 0.75);
        assert_true(tally_real(words, &layout.extents[2], 2) == 1);
    }
    tally_clear(&tally);
    toy_clear(&toy);
}

/* A larger table: rows of 1 to 3 per patient over more than one block, so that patients stand across block
 * ends. */
static const char large_yaml[] = "dictionary: large\n"
                                 "version: 1\n"
                                 "key: pid\n"
                                 "missing: [\"NA\"]\n"
                                 "variables:\n"
                                 "  - { name: g, type: category, levels: [a, b, c, d, e, f, g] }\n"
                                 "  - { name: x, type: real, min: -3, max: 3, resolution: 0.0001 }\n"
                                 "  - { name: y, type: real, min: 0, max: 1000000, resolution: 0.01 }\n"
                                 "  - { name: z, type: integer, min: 0, max: 9999 }\n"
                                 "  - { name: from, type: duration, units: days, min: 0, max: 3000 }\n"
                                 "  - { name: to, type: duration, units: days, min: 0, max: 3000 }\n"
                                 "  - { name: event, type: boolean }\n";

static struct toy large_new(size_t rows, bool several)
{
    char *csv = toy_text(rows * 96 + 100);
    size_t length = (size_t)sprintf(csv, "pid,g,x,y,z,from,to,event\n");
    uint64_t seed = 42;
    size_t patient = 0;
    for (size_t r = 0; r < rows; patient++) {
        size_t own = several ? 1 + toy_random(&seed) % 3 : 1;
        long from = (long)(toy_random(&seed) % 200);
        for (size_t k = 0; k < own && r < rows; k++, r++) {
            long to = from + (long)(toy_random(&seed) % 150);
            to += toy_random(&seed) % 20 != 0;
            char x[32] = "NA";
            if (toy_random(&seed) % 50 != 0)
                snprintf(x, sizeof x, "%.4f", ((double)(toy_random(&seed) % 60001) - 30000) / 10000);
            int g = (int)('a' + toy_random(&seed) % 7); /* one draw a statement: the order is fixed */
            double y = (double)(toy_random(&seed) % 100000000) / 100;
            unsigned z = (unsigned)(toy_random(&seed) % 10000);
            unsigned event = toy_random(&seed) % 4 == 0;
            length += (size_t)sprintf(csv + length, "p%zu,%c,%s,%.2f,%u,%ld,%ld,%u\n", patient, g, x, y, z,
                                      from, to, event);
            from = to;
        }
    }
    struct toy toy = toy_new(large_yaml, csv, length);
    free(csv);
    return toy;
}

/* Every kind of block at once, with weights of a wide range and terms that are no multiples of anything. */
static void large_spec(struct tally_spec *spec, const struct toy *toy, bool delayed)
{
    struct arena *arena = toy->arena;
    const struct expression *x = toy_variable(toy, "x"), *y = toy_variable(toy, "y"),
                            *z = toy_variable(toy, "z");
    double middle = 0, half = 0;
    struct maille_error error = {0};
    MUST(expression_unit_scale(&middle, &half, y, "y", &error));
    const struct expression *one = expression_constant(arena, 1);
    const struct expression *scaled = expression_scale(arena, y, middle, half);
    const struct expression *logged =
        expression_unary(arena, OP_LOG, expression_binary(arena, OP_ADD, z, one));
    const struct expression *list[] = {one, x, scaled, logged,
                                       expression_binary(arena, OP_DIVIDE, x, expression_constant(arena, 3))};
    const struct expression **terms = arena_array(arena, 5, sizeof *terms);
    memcpy(terms, list, sizeof list);
    double *beta = arena_array(arena, 3, sizeof *beta);
    beta[0] = 3.3;
    beta[1] = -0.7;
    beta[2] = -1;
    const struct expression *eta = expression_linear(arena, beta, &list[1], 2);
    const struct expression *weight = expression_unary(arena, OP_EXP, eta);
    spec->survival = (struct tally_survival){.start = delayed ? toy_variable(toy, "from") : NULL,
                                             .stop = toy_variable(toy, "to"),
                                             .event = toy_variable(toy, "event"),
                                             .lattice = 1,
                                             .per_bin = 30.4375,
                                             .n_bins = 100};
    const struct expression *exit = expression_survival(arena, OP_SURV_EXIT, 100);
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, 2);
    const struct expression *codes[] = {toy_variable(toy, "g"), exit, status};
    const struct expression *cells = expression_cross(arena, codes, 3);
    const struct expression *filter = expression_binary(arena, OP_GT, z, expression_constant(arena, 1000));

    struct tally_block *b = tally_spec_add(spec);
    b->group = cells;
    b->filter = filter;
    b = tally_spec_add(spec); /* patients by group */
    b->group = codes[0];
    b->distinct = true;
    b = tally_spec_add(spec); /* Σw, in cells */
    b->group = cells;
    b->weight = weight;
    b = tally_spec_add(spec);
    b->order = 1;
    b->group = cells;
    b->weight = weight;
    b->terms = terms;
    b->n_terms = 5;
    b = tally_spec_add(spec);
    b->order = 1;
    b->terms = terms;
    b->n_terms = 5;
    for (int grouped = 0; grouped < 3; grouped++) {
        b = tally_spec_add(spec);
        b->order = 2;
        b->weight = weight;
        b->group = grouped == 0 ? NULL : grouped == 1 ? codes[0] : cells;
        b->filter = filter;
        b->terms = terms;
        b->n_terms = grouped == 1 ? 4 : 5;
    }
    if (delayed) {
        const struct expression *entries[] = {codes[0], expression_survival(arena, OP_SURV_ENTRY, 100)};
        b = tally_spec_add(spec);
        b->group = expression_cross(arena, entries, 2);
    }
}

/* Bit rules 4 and 5: two accumulators hold what the definition (fixed_of, half to even) says, word for word,
 * whatever the loops and threads. */
static void the_definition_and_the_fast_path_agree(void **state)
{
    (void)state;
    struct toy toy = large_new(70000, true);
    struct tally_spec spec = {0};
    large_spec(&spec, &toy, true);
    struct tally one = {0}, other = {0};
    run(&one, &spec, toy.columns, 1, true);
    for (unsigned threads = 1; threads <= 3; threads++) {
        run(&other, &spec, toy.columns, threads, false);
        assert_int_equal(one.words.length, other.words.length);
        assert_memory_equal(one.words.data, other.words.data, one.words.length);
    }
    /* A known result, for what all paths of one build might get wrong together: another compiler, another
     * CPU. */
    uint64_t digest = 0;
    for (size_t k = 0; k < one.words.length; k += 8)
        digest = (digest ^ le64_load(one.words.data + k)) * UINT64_C(0x9e3779b97f4a7c15);
    assert_true(digest == UINT64_C(0x1f90c54206861e9d));
    assert_int_equal(setenv("MAILLE_SCALAR", "1", 1), 0);
    run(&other, &spec, toy.columns, 0, false);
    assert_int_equal(unsetenv("MAILLE_SCALAR"), 0);
    assert_memory_equal(one.words.data, other.words.data, one.words.length);
    tally_clear(&one);
    tally_clear(&other);
    toy_clear(&toy);
}

/* Splits patients over `sites` sites of uneven size, adds their words in reverse order. */
static void parts_sum(struct bytes *sum, const struct tally_spec *spec, const struct toy *toy, size_t sites)
{
    struct maille_error error = {0};
    struct layout layout = lay_out(spec);
    size_t rows = columns_rows(toy->columns);
    bool *keep = calloc(rows, sizeof *keep);
    int32_t *site_of = calloc(rows, sizeof *site_of);
    assert_true(keep != NULL && site_of != NULL);
    struct column_scratch scratch = {0};
    for (size_t b = 0; b < columns_blocks(toy->columns); b++) {
        struct column_block block;
        MUST(columns_patient_block(&block, toy->columns, &scratch, b, &error));
        for (size_t r = 0; r < block.rows; r++) {
            uint64_t seed = (uint64_t)((const int32_t *)block.values)[r] + 1;
            double u = toy_uniform(&seed, 0, 1);
            u = toy_uniform(&seed, 0, 1);
            site_of[b * COLUMNS_BLOCK_ROWS + r] = (int32_t)(u * u * (double)sites);
        }
    }
    column_scratch_clear(&scratch);
    bytes_clear(sum);
    assert_non_null(bytes_reserve(sum, layout.bytes));
    for (size_t s = sites; s-- > 0;) {
        for (size_t r = 0; r < rows; r++)
            keep[r] = site_of[r] == (int32_t)s;
        struct columns *part = NULL;
        struct tally tally = {0};
        MUST(columns_subset(&part, toy->columns, keep, &error));
        run(&tally, spec, part, 1 + (unsigned)s % 3, false);
        tally_add(sum->data, tally.words.data, layout.extents, spec->n_blocks);
        tally_clear(&tally);
        columns_free(part);
    }
    free(keep);
    free(site_of);
}

/* Bit rule 5: so no split matters. */
static void every_split_gives_the_same_bits(void **state)
{
    (void)state;
    for (int several = 0; several < 2; several++) {
        struct toy toy = large_new(70000, several != 0);
        struct tally_spec spec = {0};
        large_spec(&spec, &toy, several != 0);
        struct bytes whole = {0}, split = {0};
        parts_sum(&whole, &spec, &toy, 1);
        static const size_t sites[] = {3, 7};
        for (size_t k = 0; k < 2; k++) {
            parts_sum(&split, &spec, &toy, sites[k]);
            assert_memory_equal(whole.data, split.data, whole.length);
        }
        bytes_clear(&whole);
        bytes_clear(&split);
        toy_clear(&toy);
    }
}

static void domain_errors_and_their_filters(void **state)
{
    (void)state;
    struct toy toy = toy_new(small_yaml, small_csv, strlen(small_csv));
    struct maille_error error = {0};
    const struct expression *age = toy_variable(&toy, "age");
    const struct expression *log_age =
        expression_unary(toy.arena, OP_LOG,
                         expression_binary(toy.arena, OP_SUBTRACT, age, expression_constant(toy.arena, 30)));
    struct tally_spec spec = {0};
    struct tally_block *block = tally_spec_add(&spec);
    block->order = 1;
    block->terms = &log_age;
    block->n_terms = 1;
    struct tally tally = {0};
    assert_int_equal(tally_run(&tally, &spec, toy.columns, NULL, &error), MAILLE_FAILED);
    assert_non_null(strstr(error.sentence, "a logarithm or a division met a value that is not above 0"));
    assert_null(tally.words.data);
    block->filter = expression_binary(toy.arena, OP_GT, age, expression_constant(toy.arena, 30));
    run(&tally, &spec, toy.columns, 1, false);
    /* the youngest, who fails, has no grade: left out anyway */
    block->filter = NULL;
    block->group = toy_variable(&toy, "grade");
    run(&tally, &spec, toy.columns, 1, false);
    tally_clear(&tally);
    toy_clear(&toy);
}

/* A tree that promises narrower bounds than its values have: the sums would not hold them. */
static void values_outside_of_public_bounds(void **state)
{
    (void)state;
    struct toy toy = toy_new(small_yaml, small_csv, strlen(small_csv));
    struct maille_error error = {0};
    const struct expression *age = toy_variable(&toy, "age");
    struct expression narrow = *expression_binary(toy.arena, OP_ADD, age, age);
    const struct expression *term = &narrow;
    struct tally_spec spec = {0};
    struct tally_block *block = tally_spec_add(&spec);
    struct tally tally = {0};
    narrow.high = 139;
    block->order = 2;
    block->terms = &term;
    block->n_terms = 1;
    assert_int_equal(tally_run(&tally, &spec, toy.columns, NULL, &error), MAILLE_CORRUPT);
    narrow.high = 140;
    run(&tally, &spec, toy.columns, 1, false);
    *block = (struct tally_block){.weight = term};
    narrow.high = 139;
    assert_int_equal(tally_run(&tally, &spec, toy.columns, NULL, &error), MAILLE_CORRUPT);
    tally_clear(&tally);
    toy_clear(&toy);
}

/* What a run takes does not grow with the rows: here 14 MB of terms, if they were kept. */
static void memory_is_bounded_by_blocks(void **state)
{
    (void)state;
#ifdef MAILLE_SANITIZED
    skip(); /* their shadow grows with whatever is touched */
#endif
    struct toy toy = large_new(300000, false);
    struct tally_spec spec = {0};
    large_spec(&spec, &toy, false);
    struct tally tally = {0};
    struct rusage before, after;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    run(&tally, &spec, toy.columns, 2, false);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < 6 * 1024);
    tally_clear(&tally);
    toy_clear(&toy);
}

static void no_rows(void **state)
{
    (void)state;
    struct toy toy = toy_new(small_yaml, small_csv, strlen(small_csv));
    struct maille_error error = {0};
    bool keep[6] = {false};
    struct columns *empty = NULL;
    MUST(columns_subset(&empty, toy.columns, keep, &error));
    struct tally_spec spec = {0};
    tally_spec_add(&spec)->distinct = true;
    struct tally tally = {0};
    run(&tally, &spec, empty, 3, false);
    assert_int_equal(tally.words.length, 16);
    assert_true(le64_load(tally.words.data) == 0);
    tally_clear(&tally);
    columns_free(empty);
    toy_clear(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_hand),
        cmocka_unit_test(moments_by_hand),
        cmocka_unit_test(the_definition_and_the_fast_path_agree),
        cmocka_unit_test(every_split_gives_the_same_bits),
        cmocka_unit_test(domain_errors_and_their_filters),
        cmocka_unit_test(values_outside_of_public_bounds),
        cmocka_unit_test(memory_is_bounded_by_blocks),
        cmocka_unit_test(no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
