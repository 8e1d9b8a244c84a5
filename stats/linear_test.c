/* A 3 × 3 matrix worked on paper, aliasing in model order, and that a factor gives back what went in. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/linear.h"

static const f128 no_floor[4] = {0, 0, 0, 0};

static void assert_near(f128 got, double expected)
{
    assert_true(fabs((double)(got - (f128)expected)) <= 1e-15 * fmax(1, fabs(expected)));
}

/* A = [4 2 2; 2 5 3; 2 3 6]: D = (4, 4, 4), L21 = L31 = L32 = 1/2, det = 64. */
static const f128 paper[9] = {4, 2, 2, 2, 5, 3, 2, 3, 6};

static void factor_of_paper_matrix(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct linear_factor factor;
    linear_decompose(&factor, arena, paper, no_floor, NULL, 3);
    assert_int_equal(factor.rank, 3);
    for (size_t i = 0; i < 3; i++)
        assert_near(factor.lower[i * 3 + i], 4);
    assert_near(factor.lower[3], 0.5);
    assert_near(factor.lower[6], 0.5);
    assert_near(factor.lower[7], 0.5);

    f128 inverse[9];
    linear_inverse(&factor, arena, inverse);
    /* Cofactors over 64: (21, −6, −4; −6, 20, −8; −4, −8, 16). */
    const double expected[9] = {21, -6, -4, -6, 20, -8, -4, -8, 16};
    for (size_t i = 0; i < 9; i++)
        assert_near(inverse[i], expected[i] / 64);

    f128 x[3] = {8, 10, 11};                                 /* A·(1, 1, 1) */
    assert_near(linear_inverse_form(&factor, arena, x), 29); /* x′A⁻¹x = x′1 */
    linear_solve(&factor, x);
    for (size_t i = 0; i < 3; i++)
        assert_near(x[i], 1);
    assert_near(linear_form(paper, x, 3), 29);
    arena_free(arena);
}

/* Third column = first + second: it, not an earlier one, is aliased, and the fourth is kept. */
static void alias_takes_the_later_column(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const f128 upper[10] = {2, 1, 3, 1, 3, 4, 0, 7, 1, 5};
    f128 full[16];
    linear_unpack(full, upper, 4);
    assert_near(full[1 * 4 + 2], 4);
    assert_near(full[2 * 4 + 1], 4);
    assert_near(full[3 * 4 + 2], 1);
    const f128 floor[4] = {1e-12, 1e-12, 1e-12, 1e-12};
    struct linear_factor factor;
    linear_decompose(&factor, arena, full, floor, NULL, 4);
    assert_int_equal(factor.rank, 3);
    assert_false(factor.aliased[0]);
    assert_false(factor.aliased[1]);
    assert_true(factor.aliased[2]);
    assert_false(factor.aliased[3]);
    f128 inverse[16];
    linear_inverse(&factor, arena, inverse);
    for (size_t i = 0; i < 4; i++) {
        assert_near(inverse[2 * 4 + i], 0);
        assert_near(inverse[i * 4 + 2], 0);
    }
    /* What is aliased on the way in stays so, and a column may then take its place. */
    const bool given[4] = {true, false, false, false};
    linear_decompose(&factor, arena, full, floor, given, 4);
    assert_true(factor.aliased[0]);
    assert_false(factor.aliased[2]);
    assert_int_equal(factor.rank, 3);
    arena_free(arena);
}

static void nan_is_aliased_not_spread(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const f128 a[4] = {(f128)NAN, 0, 0, 2};
    struct linear_factor factor;
    linear_decompose(&factor, arena, a, no_floor, NULL, 2);
    assert_true(factor.aliased[0]);
    f128 x[2] = {1, 1};
    linear_solve(&factor, x);
    assert_near(x[0], 0);
    assert_near(x[1], 0.5);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factor_of_paper_matrix),
        cmocka_unit_test(alias_takes_the_later_column),
        cmocka_unit_test(nan_is_aliased_not_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
