/* Bit rule 9: an answer in floating point counts where it is one in whole numbers, and nowhere else. */
#include "disclosure/suppress_exact.h"

#include <math.h>

#include "disclosure/testing.h"

/* Three cells: a + b = 7, b + c = 5, a + c = 4; row 4 is a, not given. The one solution is a = 3, b = 4, c
 * = 1. */
static const int rows[] = {0, 1, 1, 2, 2, 3, 3, 4}, columns[] = {0, 1, 2, 2, 3, 1, 3, 1},
                 values[] = {0, 1, 1, 1, 1, 1, 1, 1};
static const bool given[] = {false, true, true, true, false};

static struct exact_system system_of(const int64_t *sums)
{
    return (struct exact_system){.row = rows,
                                 .column = columns,
                                 .value = values,
                                 .n = 7,
                                 .n_rows = 4,
                                 .n_columns = 3,
                                 .given = given,
                                 .sum = sums};
}

static void near_a_solution_is_one(void **state)
{
    (void)state;
    struct exact_system whole = system_of((int64_t[]){0, 7, 5, 4, 0}),
                        half = system_of((int64_t[]){0, 7, 5, 5, 0});
    struct exact_fraction a;
    assert_true(suppress_exact_solution(&a, &whole, (double[]){0, 3 + 1e-9, 4 - 1e-9, 1}, 4));
    assert_true(a.above == 3 && a.below == 1);
    assert_true(suppress_exact_solution(&a, &half, (double[]){0, 3.5, 3.5 + 1e-10, 1.5}, 4));
    assert_true(a.above == 7 && a.below == 2);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    struct exact_system whole = system_of((int64_t[]){0, 7, 5, 4, 0}),
                        less = system_of((int64_t[]){0, 7, 2, 4, 0});
    struct exact_fraction a = {.above = -1};
    assert_false(suppress_exact_solution(&a, &whole, (double[]){0, 3, 4, 2}, 4));
    assert_false(suppress_exact_solution(&a, &whole, (double[]){0, 3, 4.6, 1}, 4));
    assert_false(suppress_exact_solution(&a, &whole, (double[]){0, NAN, 4, 1}, 4));
    assert_false(suppress_exact_solution(&a, &whole, (double[]){0, 1e300, 4, 1}, 4));
    assert_false(
        suppress_exact_solution(&a, &less, (double[]){0, 4.5, 2.5, -0.5}, 4)); /* fewer than nobody */
    assert_true(a.above == -1);
}

/* a + b = 7, b + c = 2, a + c = 4: c would be −1/2. Rows 2 and 3 less row 1 are 2c. */
static void a_contradiction_is_proved(void **state)
{
    (void)state;
    struct exact_system less = system_of((int64_t[]){0, 7, 2, 4, 0}),
                        whole = system_of((int64_t[]){0, 7, 5, 4, 0});
    const double weights[] = {0, 1, -1 + 1e-9, -1, 0};
    assert_true(suppress_exact_contradiction(&less, weights));
    assert_false(suppress_exact_contradiction(&whole, weights)); /* 7 − 5 − 4 < 0 proves nothing */
    assert_false(suppress_exact_contradiction(&less, (double[]){0, 1, -1, 0, 0})); /* a is in row 1 alone */
    assert_false(
        suppress_exact_contradiction(&less, (double[]){0, 1, -1, -1, -1})); /* of what is not given */
}

static void widths_are_exact(void **state)
{
    (void)state;
    struct exact_fraction third = {1, 3}, later = {31, 3}, less = {30, 3};
    assert_true(suppress_exact_apart(third, later, 10));
    assert_false(suppress_exact_apart(third, less, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_a_solution_is_one),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_contradiction_is_proved),
        cmocka_unit_test(widths_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
