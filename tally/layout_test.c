#include <math.h>

#include "tally/testing.h"

static const char yaml[] = "dictionary: toy\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                           "  - { name: x, type: real, min: -3, max: 2, resolution: 0.5 }\n"
                           "  - { name: y, type: integer, min: 0, max: 1000 }\n"
                           "  - { name: g, type: category, levels: [a, b, c] }\n"
                           "  - { name: t, type: duration, units: days, min: 0, max: 100 }\n";
static struct toy toy;

static int set_up(void **state)
{
    (void)state;
    struct maille_error error = {0};
    toy.arena = arena_new();
    assert_non_null(toy.arena);
    MUST(dictionary_parse(&toy.dictionary, toy.arena, "toy.yaml", yaml, strlen(yaml), &error));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    toy_clear(&toy);
    return 0;
}

static struct tally_extent extent_of(const struct tally_spec *spec, size_t *bytes)
{
    struct maille_error error = {0};
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    MUST(tally_layout(extents, bytes, spec, &error));
    return extents[spec->n_blocks - 1];
}

static void assert_layout(const struct tally_spec *spec, enum maille_code expected, const char *part)
{
    struct maille_error error = {0};
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    size_t bytes = 77;
    assert_int_equal(tally_layout(extents, &bytes, spec, &error), expected);
    assert_int_equal(bytes, 77); /* untouched */
    if (strstr(error.sentence, part) == NULL)
        fail_msg("expected \"%s\" in: %s", part, error.sentence);
}

/* Bit rule 5: the scale follows from the bound and 2^34 rows. */
static void widths_counts_and_fractions(void **state)
{
    (void)state;
    const struct expression *x = toy_variable(&toy, "x"), *y = toy_variable(&toy, "y"),
                            *g = toy_variable(&toy, "g");
    const struct expression *terms[] = {x, y};
    struct tally_spec spec = {0};
    size_t bytes = 0;
    struct tally_block *block = tally_spec_add(&spec);
    block->group = g;
    struct tally_extent extent = extent_of(&spec, &bytes);
    assert_int_equal(extent.width, 8);
    assert_int_equal(extent.count, 3);
    assert_int_equal(extent.fraction, 0);
    assert_int_equal(bytes, 32); /* 24, and a multiple of 16 */

    block = tally_spec_add(&spec); /* |w| ≤ 3: plenty of room for 64 bits */
    block->weight = x;
    extent = extent_of(&spec, &bytes);
    assert_int_equal(extent.offset, 32);
    assert_int_equal(extent.width, 16);
    assert_int_equal(extent.count, 1);
    assert_int_equal(extent.fraction, 64);

    block = tally_spec_add(&spec);
    block->order = 2;
    block->group = g;
    block->terms = terms;
    block->n_terms = 2;
    extent = extent_of(&spec, &bytes);
    assert_int_equal(extent.count, 9);
    assert_int_equal(extent.offset, 48);
    assert_int_equal(bytes, 48 + 9 * 16);

    /* 10^3 to the fourth is 2^39.9: 126 − 34 − 40 */
    const struct expression *large = expression_power(toy.arena, y, 4);
    block = tally_spec_add(&spec);
    block->order = 1;
    block->terms = &large;
    block->n_terms = 1;
    assert_int_equal(extent_of(&spec, &bytes).fraction, 52);
    const struct expression *power = expression_constant(toy.arena, 0x1p40);
    block->terms = &power; /* exactly a power of two is its own bound */
    assert_int_equal(extent_of(&spec, &bytes).fraction, 52);
    const struct expression *zero = expression_constant(toy.arena, 0);
    block->terms = &zero;
    assert_int_equal(extent_of(&spec, &bytes).fraction, 64);
}

static void what_has_no_bound_fails(void **state)
{
    (void)state;
    const struct expression *x = toy_variable(&toy, "x");
    struct tally_spec spec = {0};
    struct tally_block *block = tally_spec_add(&spec);
    struct expression open = *x;
    open.high = INFINITY;
    const struct expression *term = &open;
    block->order = 1;
    block->terms = &term;
    block->n_terms = 1;
    assert_layout(&spec, MAILLE_FAILED, "bounded expression");
    size_t bytes;
    term = expression_constant(toy.arena, 0x1p92); /* 2^34 such rows are 2^126 */
    assert_int_equal(extent_of(&spec, &bytes).fraction, 0);
    term = expression_constant(toy.arena, 0x1.0000000000001p92);
    assert_layout(&spec, MAILLE_FAILED, "narrow min and max");
    block->order = 0; /* a term that is only looked at for missing values needs no bound */
    assert_int_equal(extent_of(&spec, &bytes).width, 8);
    block->weight = &open;
    assert_layout(&spec, MAILLE_FAILED, "weight");
}

static void exponents_beyond_thirty_are_refused(void **state)
{
    (void)state;
    struct maille_error error = {0};
    const struct expression *y = toy_variable(&toy, "y");
    double beta[] = {0.03, 0}, steep[] = {0.0301, 0};
    struct tally_spec spec = {0};
    struct tally_extent extent;
    size_t bytes;
    struct tally_block *block = tally_spec_add(&spec);
    block->weight = expression_unary(toy.arena, OP_EXP, expression_linear(toy.arena, beta, &y, 1));
    MUST(tally_layout(&extent, &bytes, &spec, &error)); /* 30 exactly: e^30 is 2^43.3 */
    assert_int_equal(extent.fraction, 48);
    block->weight = expression_unary(toy.arena, OP_EXP, expression_linear(toy.arena, steep, &y, 1));
    assert_layout(&spec, MAILLE_REFUSED, "exponent");
    assert_int_equal(tally_layout(&extent, &bytes, &spec, &error), MAILLE_REFUSED);
    assert_string_equal(error.rule, "theta");
    static const enum expression_op ops[] = {OP_LOGISTIC, OP_SOFTPLUS};
    for (size_t k = 0; k < 2; k++) {
        const struct expression *term =
            expression_unary(toy.arena, ops[k], expression_linear(toy.arena, steep, &y, 1));
        block->weight = NULL;
        block->order = 1;
        block->terms = &term;
        block->n_terms = 1;
        assert_layout(&spec, MAILLE_REFUSED, "exponent");
        steep[0] = -steep[0];
        term = expression_unary(toy.arena, ops[k], expression_linear(toy.arena, steep, &y, 1));
        assert_layout(&spec, MAILLE_REFUSED, "exponent");
        term = expression_unary(toy.arena, ops[k], y); /* what a user wrote is not θ */
        MUST(tally_layout(&extent, &bytes, &spec, &error));
    }
}

static void limits(void **state)
{
    (void)state;
    const struct expression *x = toy_variable(&toy, "x"), *g = toy_variable(&toy, "g");
    struct tally_spec spec = {0};
    struct tally_block *block = tally_spec_add(&spec);
    block->group = expression_uniform_bin(toy.arena, x, 0, 1, TALLY_GROUPS_MAX + 1);
    assert_layout(&spec, MAILLE_INVALID, "cells");
    const struct expression **terms = arena_array(toy.arena, TALLY_TERMS_MAX + 1, sizeof *terms);
    for (size_t i = 0; i <= TALLY_TERMS_MAX; i++)
        terms[i] = x;
    *block = (struct tally_block){.order = 1, .terms = terms, .n_terms = TALLY_TERMS_MAX + 1};
    assert_layout(&spec, MAILLE_INVALID, "terms");
    *block = (struct tally_block){.order = 2, .terms = terms, .n_terms = TALLY_TERMS_MAX};
    block->group = expression_uniform_bin(toy.arena, x, 0, 1, 1000);
    assert_layout(&spec, MAILLE_INVALID, "MiB");
    *block = (struct tally_block){.order = 1, .distinct = true};
    assert_layout(&spec, MAILLE_INVALID, "order 0 to 2");
    *block = (struct tally_block){.order = 3};
    assert_layout(&spec, MAILLE_INVALID, "order 0 to 2");
    *block = (struct tally_block){.group = expression_survival(toy.arena, OP_SURV_EXIT, 5)};
    assert_layout(&spec, MAILLE_INVALID, "follow-up");
    spec.survival.stop = toy_variable(&toy, "t");
    size_t bytes;
    extent_of(&spec, &bytes);
    block->group = expression_survival(toy.arena, OP_SURV_ENTRY, 5);
    assert_layout(&spec, MAILLE_INVALID, "follow-up");
    *block = (struct tally_block){.kind = TALLY_RISKSET, .riskset = RISKSET_LOGRANK, .arms = g, .bound = 1};
    assert_int_equal(extent_of(&spec, &bytes).count, 3 + 3 + 6);
    block->bound = 0;
    assert_layout(&spec, MAILLE_FAILED, "public bound");
    *block = (struct tally_block){.kind = TALLY_RISKSET, .riskset = RISKSET_COX_EFRON, .bound = 1};
    assert_layout(&spec, MAILLE_INVALID, "linear predictor");
    block->eta = expression_linear(toy.arena, (double[]){20, 0}, &x, 1);
    assert_layout(&spec, MAILLE_REFUSED, "exponent");
    while (tally_spec_add(&spec) != NULL)
        ;
    assert_int_equal(spec.n_blocks, TALLY_BLOCKS_MAX);
}

/* Two specs that differ in anything have different bytes; equal ones the same. */
static void serialise_tells_specs_apart(void **state)
{
    (void)state;
    const struct expression *x = toy_variable(&toy, "x"), *y = toy_variable(&toy, "y"),
                            *g = toy_variable(&toy, "g");
    const struct expression *terms[] = {x, y}, *p = expression_binary(toy.arena, OP_GT, x, y);
    struct tally_spec specs[12] = {{.n_blocks = 0}};
    struct tally_block *b[12] = {NULL};
    for (size_t k = 0; k < 12; k++) {
        b[k] = tally_spec_add(&specs[k]);
        *b[k] = (struct tally_block){.order = 1, .terms = terms, .n_terms = 2};
    }
    b[1]->order = 2;
    b[2]->n_terms = 1;
    b[3]->filter = p;
    b[4]->group = g;
    b[5]->weight = x;
    b[6]->weight = y;
    specs[7].survival = (struct tally_survival){
        .stop = toy_variable(&toy, "t"), .event = p, .lattice = 1, .per_bin = 1, .n_bins = 101};
    specs[8].survival = (struct tally_survival){
        .stop = toy_variable(&toy, "t"), .event = p, .lattice = 1, .per_bin = 7, .n_bins = 101};
    b[9]->kind = TALLY_RISKSET;
    *b[10] = (struct tally_block){.distinct = true};
    *b[11] = (struct tally_block){.distinct = false};
    struct bytes bytes[13] = {{0}};
    for (size_t k = 0; k < 12; k++)
        tally_spec_serialise(&bytes[k], &specs[k]);
    tally_spec_serialise(&bytes[12], &specs[3]);
    assert_int_equal(bytes[12].length, bytes[3].length);
    assert_memory_equal(bytes[12].data, bytes[3].data, bytes[3].length);
    for (size_t k = 0; k < 12; k++) {
        for (size_t l = 0; l < k; l++)
            assert_false(bytes[k].length == bytes[l].length &&
                         memcmp(bytes[k].data, bytes[l].data, bytes[k].length) == 0);
    }
    for (size_t k = 0; k < 13; k++)
        bytes_clear(&bytes[k]);
}

static void words_are_twos_complement(void **state)
{
    (void)state;
    uint8_t words[40] = {0};
    const struct tally_extent extents[] = {{.offset = 0, .count = 1, .width = 8},
                                           {.offset = 8, .count = 2, .width = 16, .fraction = 64}};
    uint8_t more[40];
    memset(words, 0xff, 24); /* −1, −2^-64 */
    memcpy(more, words, sizeof more);
    le64_store(words + 24, 1);
    le64_store(words + 32, 3); /* 3 + 2^-64 */
    assert_true(tally_count(words, &extents[0], 0) == -1);
    assert_true(tally_fixed(words, &extents[1], 0) == -1);
    assert_true(tally_real(words, &extents[1], 0) == -0x1p-64);
    assert_true(tally_real(words, &extents[1], 1) == 3);
    assert_true(tally_quad(words, &extents[1], 1) - 3 == 0x1p-64);
    tally_add(words, more, extents, 2);
    assert_true(tally_count(words, &extents[0], 0) == -2);
    assert_true(tally_fixed(words, &extents[1], 0) == -2);
    tally_add(words, words, extents, 2);
    assert_true(tally_real(words, &extents[1], 0) == -0x1p-62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_counts_and_fractions),         cmocka_unit_test(what_has_no_bound_fails),
        cmocka_unit_test(exponents_beyond_thirty_are_refused), cmocka_unit_test(limits),
        cmocka_unit_test(serialise_tells_specs_apart),         cmocka_unit_test(words_are_twos_complement),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
