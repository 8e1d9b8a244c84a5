/* What stands of a block by what was kept of its guards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/groups.h"

/* Head counts over two arms: cohort, missing, arms, arm × three bins under some rule. */
enum { ARMS = CELLS_OWN, BINS, BLOCKS };

struct bench {
    struct arena *arena;
    struct cells cells;
    struct tally_spec spec;
    uint8_t cohort[1], missing[1], arms[2], bins[6];
    const uint8_t *kept[BLOCKS];
    struct surviving surviving;
};

static const struct expression *code_of(struct arena *arena, uint32_t n_levels)
{
    return expression_survival(arena, OP_SURV_EXIT, n_levels);
}

static int up(void **state)
{
    static struct bench bench;
    const uint32_t levels[BLOCKS] = {0, 0, 2, 6};
    bench = (struct bench){.arena = arena_new(), .cohort = {1}, .missing = {1}, .arms = {1, 1}};
    memset(bench.bins, 1, sizeof bench.bins);
    bench.kept[CELLS_COHORT] = bench.cohort;
    bench.kept[CELLS_MISSING] = bench.missing;
    bench.kept[ARMS] = bench.arms;
    bench.kept[BINS] = bench.bins;
    bench.surviving = (struct surviving){.n_blocks = BLOCKS, .kept = bench.kept};
    for (size_t b = 0; b < BLOCKS; b++)
        tally_spec_add(&bench.cells.spec)->group = levels[b] > 0 ? code_of(bench.arena, levels[b]) : NULL;
    bench.cells.rules[ARMS] = CELL_TABLE;
    bench.cells.n_bins[BINS] = 3;
    (void)tally_spec_add(&bench.spec);
    *state = &bench;
    return 0;
}

static int down(void **state)
{
    struct bench *bench = *state;
    arena_free(bench->arena);
    return 0;
}

/* The mask of n groups, as text: "101"; "all" where nothing is taken out. */
static const char *mask(struct bench *bench, const struct guard *guard, uint32_t n)
{
    static char text[32];
    struct maille_error error = {0};
    const uint8_t *kept;
    bench->spec.blocks[0].guard = guard;
    bench->spec.blocks[0].group = code_of(bench->arena, n);
    if (guard_mask(&kept, &bench->spec, 0, &bench->cells, &bench->surviving, bench->arena, &error) !=
        MAILLE_OK) {
        assert_int_equal(error.code, MAILLE_INTERNAL);
        return "refused";
    }
    for (uint32_t i = 0; kept != NULL && i < n; i++)
        text[i] = kept[i] ? '1' : '0';
    text[n] = '\0';
    return kept == NULL ? "all" : text;
}

static void test_tables(void **state)
{
    struct bench *b = *state;
    struct arena *arena = b->arena;
    assert_string_equal(mask(b, guard_each(arena, ARMS), 2), "all");
    b->arms[1] = 0;
    assert_string_equal(mask(b, guard_each(arena, ARMS), 2), "10");
    assert_string_equal(mask(b, guard_each(arena, ARMS), 6), "111000");
    assert_string_equal(mask(b, guard_whole(arena, ARMS), 3), "000");
    assert_string_equal(mask(b, &guard_cohort, 3), "all");
    assert_string_equal(mask(b, &guard_uncounted, 3), "000");
    assert_string_equal(mask(b, &guard_sites, 3), "000");
    b->surviving.closed = true;
    assert_string_equal(mask(b, &guard_uncounted, 3), "000");
    assert_string_equal(mask(b, &guard_sites, 3), "all");
    b->surviving.closed = false;
    b->bins[2] = 0; /* as cells of a table: three in each arm */
    assert_string_equal(mask(b, guard_parts(arena, BINS, 2), 4), "0011");
    assert_string_equal(mask(b, guard_both(arena, guard_each(arena, ARMS), guard_each(arena, BINS)), 6),
                        "110000");
    /* One speaks for the first of two places, the other for the second; nobody for a third. */
    const struct guard *first = guard_places(arena, guard_each(arena, ARMS), 1);
    assert_string_equal(
        mask(b, guard_both(arena, first, guard_places(arena, guard_parts(arena, ARMS, 2), 2)), 4), "1100");
    assert_string_equal(mask(b, guard_places(arena, guard_each(arena, ARMS), 3), 6), "110000");
    /* Behind another method's: the same arms at another place. */
    assert_string_equal(mask(b, guard_behind(arena, guard_each(arena, 0), ARMS), 2), "10");
}

static void test_curves(void **state)
{
    struct bench *b = *state;
    struct arena *arena = b->arena;
    b->cells.rules[BINS] = CELL_AT_RISK;
    assert_string_equal(mask(b, guard_each(arena, BINS), 12), "all");
    b->bins[2] = 0; /* the second bin is the last that was kept: what leaves in it is not shown */
    assert_string_equal(mask(b, guard_each(arena, BINS), 6), "100111");
    assert_string_equal(mask(b, guard_each(arena, BINS), 12), "110000111111");
    assert_string_equal(mask(b, guard_whole(arena, BINS), 6), "refused");
    b->cells.rules[BINS] = CELL_ENTERING;
    assert_string_equal(mask(b, guard_each(arena, BINS), 6), "refused");
}

static void test_joined(void **state)
{
    struct bench *b = *state;
    struct arena *arena = b->arena;
    b->cells.rules[BINS] = CELL_MERGE;
    const size_t grid[6] = {0, 1, 2, 3, 4, 5}, moved[6] = {1, 1, 2, 3, 4, 5},
                 few[6] = {0, 0, 1, 2, 2, GUARD_NOWHERE};
    assert_string_equal(mask(b, guard_whole(arena, BINS), 6), "all");
    assert_string_equal(mask(b, guard_joined(arena, BINS, 6, grid, 0), 6), "all");
    b->bins[0] = 0; /* with the one on its right */
    assert_string_equal(mask(b, guard_whole(arena, BINS), 6), "000000");
    assert_string_equal(mask(b, guard_parts(arena, BINS, 2), 4), "0011");
    assert_string_equal(mask(b, guard_each(arena, BINS), 6), "refused"); /* the edge alone is too few */
    assert_string_equal(mask(b, guard_joined(arena, BINS, 6, grid, 0), 6), "refused");
    assert_string_equal(mask(b, guard_joined(arena, BINS, 6, moved, 0), 6), "011111");
    assert_string_equal(mask(b, guard_joined(arena, BINS, 6, moved, 2), 12), "000101010101");
    assert_string_equal(mask(b, guard_joined(arena, BINS, 4, few, 0), 4), "1110");
    assert_string_equal(mask(b, guard_joined(arena, BINS, 2, few, 0), 2), "refused"); /* a third run */
    assert_string_equal(mask(b, guard_joined(arena, ARMS, 2, grid, 0), 2), "refused");
}

/* A method's fault, never a mask. */
static void test_unfit(void **state)
{
    struct bench *b = *state;
    assert_string_equal(mask(b, NULL, 2), "refused");
    assert_string_equal(mask(b, guard_each(b->arena, BLOCKS), 2), "refused");
    assert_string_equal(mask(b, guard_each(b->arena, BINS), 4), "refused");
    b->surviving.n_blocks = BLOCKS - 1; /* of another method */
    assert_string_equal(mask(b, &guard_cohort, 2), "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tables, up, down),
        cmocka_unit_test_setup_teardown(test_curves, up, down),
        cmocka_unit_test_setup_teardown(test_joined, up, down),
        cmocka_unit_test_setup_teardown(test_unfit, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
