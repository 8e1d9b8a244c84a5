/* Numbers that a site works out by itself: scaled by a public bound, added like all others, refused beyond
 * the bound. */
#include "tally/testing.h"

static const char yaml[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                           "  - { name: x, type: integer, min: 0, max: 9 }\n";
static const char csv[] = "id,x\n1,3\n2,4\n";

/* The site's mean of x and the number of its rows, by a tally of its own. */
static enum maille_code mean_of(double *values, const struct tally_own *own, struct columns *columns,
                                const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x = own->context;
    struct tally_spec spec = {.n_blocks = 0};
    struct tally_extent extents[2];
    struct tally tally = {0};
    size_t bytes;
    (void)tally_spec_add(&spec);
    tally_spec_add(&spec)->weight = x;
    MAILLE_TRY(tally_layout(extents, &bytes, &spec, error));
    MAILLE_TRY(tally_run(&tally, &spec, columns, options, error));
    values[1] = (double)tally_count(tally.words.data, &extents[0], 0);
    values[0] = tally_real(tally.words.data, &extents[1], 0) / values[1];
out:
    tally_clear(&tally);
    return code;
}

static void test_own(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_own own = {
        .what = "mean of x", .n_values = 2, .bound = 9, .run = mean_of, .context = toy_variable(&toy, "x")};
    struct tally_spec spec = {.n_blocks = 0};
    struct tally_extent extents[2];
    struct tally tally = {0};
    struct bytes before = {0}, after = {0};
    uint8_t sum[64] = {0};
    size_t bytes;
    (void)tally_spec_add(&spec);
    struct tally_block *block = tally_spec_add(&spec);
    block->kind = TALLY_OWN;
    block->own = &own;
    MUST(tally_layout(extents, &bytes, &spec, &error));
    assert_int_equal(extents[1].count, 2);
    assert_int_equal(extents[1].fraction, 64);
    assert_int_equal(bytes, 48);
    MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
    tally_add(sum, tally.words.data, extents, spec.n_blocks);
    tally_add(sum, tally.words.data, extents, spec.n_blocks);
    assert_int_equal(tally_count(sum, &extents[0], 0), 4);
    assert_true(tally_real(sum, &extents[1], 0) == 7.0);
    assert_true(tally_real(sum, &extents[1], 1) == 4.0);
    /* What it depends on is hashed. */
    tally_spec_serialise(&before, &spec);
    own.what = "mean of y";
    tally_spec_serialise(&after, &spec);
    assert_int_equal(before.length, after.length);
    assert_memory_not_equal(before.data, after.data, before.length);
    bytes_clear(&before);
    bytes_clear(&after);
    tally_clear(&tally);
    toy_clear(&toy);
}

static void test_bounds(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_own own = {.what = "mean of x",
                            .n_values = 2,
                            .bound = 0x1p64,
                            .run = mean_of,
                            .context = toy_variable(&toy, "x")};
    struct tally_spec spec = {.n_blocks = 0};
    struct tally_extent extents[1];
    struct tally tally = {0};
    size_t bytes;
    struct tally_block *block = tally_spec_add(&spec);
    block->kind = TALLY_OWN;
    block->own = &own;
    MUST(tally_layout(extents, &bytes, &spec, &error));
    assert_int_equal(extents[0].fraction, 126 - TALLY_SITES_MAX_LOG2 - 64);
    own.bound = 3; /* the mean is 3.5 */
    assert_int_equal(tally_run(&tally, &spec, toy.columns, NULL, &error), MAILLE_FAILED);
    own.bound = 0x1p120;
    assert_int_equal(tally_layout(extents, &bytes, &spec, &error), MAILLE_FAILED);
    own.bound = 0;
    assert_int_equal(tally_layout(extents, &bytes, &spec, &error), MAILLE_INVALID);
    own.bound = 1;
    own.n_values = 0;
    assert_int_equal(tally_layout(extents, &bytes, &spec, &error), MAILLE_INVALID);
    block->own = NULL;
    assert_int_equal(tally_layout(extents, &bytes, &spec, &error), MAILLE_INVALID);
    toy_clear(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_own), cmocka_unit_test(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
