/* Groups that disclosure control has taken out: their words are 0, those of the others as they were,
 * whichever way they were summed. */
#include "base/bytes.h"
#include "tally/testing.h"

static const char yaml[] = "dictionary: kept\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                           "  - { name: g, type: category, levels: [a, b, c, d] }\n"
                           "  - { name: x, type: real, min: -4, max: 4, resolution: 0.25 }\n"
                           "  - { name: w, type: real, min: 0, max: 2, resolution: 0.125 }\n";
enum { ROWS = 70001, GROUPS = 4, BLOCKS = 5 };

static struct toy table(void)
{
    uint64_t seed = 11;
    char *text = toy_text((size_t)ROWS * 32 + 32);
    int length = sprintf(text, "pid,g,x,w\n");
    for (int i = 0; i < ROWS; i++)
        length += sprintf(text + length, "%d,%c,%.2f,%.3f\n", i, (char)('a' + toy_random(&seed) % GROUPS),
                          (double)(toy_random(&seed) % 33) / 4 - 4, (double)(toy_random(&seed) % 17) / 8);
    struct toy toy = toy_new(yaml, text, (size_t)length);
    free(text);
    return toy;
}

/* Rows, patients, sums of weights, weighted sums, weighted products: all by g. */
static void all_kinds(struct tally_spec *spec, const struct toy *toy, const uint8_t *kept)
{
    const struct expression **terms = arena_array(toy->arena, 2, sizeof *terms);
    terms[0] = expression_constant(toy->arena, 1);
    terms[1] = toy_variable(toy, "x");
    *spec = (struct tally_spec){.n_blocks = 0};
    for (int b = 0; b < BLOCKS; b++) {
        struct tally_block *block = tally_spec_add(spec);
        block->group = toy_variable(toy, "g");
        block->kept = kept;
        block->distinct = b == 1;
        block->weight = b >= 2 ? toy_variable(toy, "w") : NULL;
        block->order = b >= 3 ? b - 2 : 0;
        block->terms = b >= 3 ? terms : NULL;
        block->n_terms = b >= 3 ? 2 : 0;
    }
}

static void test_kept(void **state)
{
    (void)state;
    static const uint8_t kept[GROUPS] = {1, 0, 1, 0};
    struct maille_error error = {0};
    struct toy toy = table();
    struct tally_spec whole, part;
    struct tally_extent extents[BLOCKS], same[BLOCKS];
    struct tally all = {0}, some = {0};
    size_t bytes, bytes_part;
    all_kinds(&whole, &toy, NULL);
    all_kinds(&part, &toy, kept);
    MUST(tally_layout(extents, &bytes, &whole, &error));
    MUST(tally_layout(same, &bytes_part, &part, &error));
    assert_int_equal(bytes, bytes_part);
    assert_memory_equal(extents, same, sizeof extents);
    MUST(tally_run(&all, &whole, toy.columns, NULL, &error));
    for (int way = 0; way < 4; way++) {
        struct tally_options options = {.threads = way % 2 == 0 ? 1 : 2, .scalar = way / 2 == 1};
        MUST(tally_run(&some, &part, toy.columns, &options, &error));
        assert_int_equal(some.words.length, bytes);
        for (size_t b = 0; b < BLOCKS; b++) {
            size_t per_group = extents[b].count / GROUPS;
            for (size_t i = 0; i < extents[b].count; i++) {
                i128 expected = kept[i / per_group] ? tally_fixed(all.words.data, &extents[b], i) : 0;
                assert_true(tally_fixed(some.words.data, &extents[b], i) == expected);
            }
            assert_true(tally_fixed(all.words.data, &extents[b], per_group) != 0); /* group b is somebody's */
        }
    }
    tally_clear(&all);
    tally_clear(&some);
    toy_clear(&toy);
}

static struct bytes hashed(const struct tally_spec *spec)
{
    struct bytes out = {0};
    tally_spec_serialise(&out, spec);
    return out;
}

/* The layout hash covers what is taken out, and by value, not by byte. */
static void test_hash(void **state)
{
    (void)state;
    static const uint8_t kept[GROUPS] = {1, 0, 1, 0}, alike[GROUPS] = {7, 0, 1, 0},
                         every[GROUPS] = {1, 1, 1, 1};
    struct toy toy = table();
    struct tally_spec spec;
    const uint8_t *masks[] = {NULL, every, kept, alike};
    struct bytes bytes[4];
    for (size_t i = 0; i < 4; i++) {
        all_kinds(&spec, &toy, masks[i]);
        bytes[i] = hashed(&spec);
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++) {
            bool equal = bytes[i].length == bytes[j].length &&
                         memcmp(bytes[i].data, bytes[j].data, bytes[i].length) == 0;
            assert_int_equal(equal, i == 3 && j == 2);
        }
    for (size_t i = 0; i < 4; i++)
        bytes_clear(&bytes[i]);
    toy_clear(&toy);
}

static enum maille_code ones(double *values, const struct tally_own *own, struct columns *columns,
                             const struct tally_options *options, struct maille_error *error)
{
    (void)columns;
    (void)options;
    (void)error;
    for (size_t i = 0; i < own->n_values; i++)
        values[i] = 1;
    return MAILLE_OK;
}

/* Numbers of a site's own are taken out one by one; a block of risk sets is one. */
static void test_parts(void **state)
{
    (void)state;
    static const uint8_t kept[3] = {1, 0, 1};
    const struct tally_own own = {.what = "ones", .n_values = 3, .bound = 1, .run = ones};
    struct maille_error error = {0};
    struct toy toy = table();
    struct tally_spec spec = {.n_blocks = 0};
    struct tally_extent extents[1];
    struct tally tally = {0};
    size_t bytes;
    struct tally_block *block = tally_spec_add(&spec);
    block->kind = TALLY_OWN;
    block->own = &own;
    block->kept = kept;
    assert_int_equal(tally_block_parts(block), 3);
    MUST(tally_layout(extents, &bytes, &spec, &error));
    MUST(tally_run(&tally, &spec, toy.columns, NULL, &error));
    for (size_t i = 0; i < 3; i++)
        assert_true(tally_real(tally.words.data, &extents[0], i) == kept[i]);
    tally_clear(&tally);
    block->kind = TALLY_RISKSET;
    assert_int_equal(tally_block_parts(block), 1);
    toy_clear(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept), cmocka_unit_test(test_hash),
                                       cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
