/* The one rule for "no variance": what a sum of squares about a mean must be above. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/spread.h"

/* Where it is not known how far two values are apart, the rounding of the sum decides. */
static void rounding_is_no_variance(void **state)
{
    (void)state;
    const f128 rounding = 100 * SPREAD_ROUNDING;
    assert_true(spread_is_none(0, rounding, 0, 0));
    assert_true(spread_is_none(-1e-20, rounding, 0, 0)); /* sums that cancel come out below 0 */
    assert_true(spread_is_none(rounding, rounding, 0, 0));
    assert_false(spread_is_none(rounding * 1.0625, rounding, 0, 0));
    assert_true(spread_is_none((f128)NAN, rounding, 0, 0));
}

/* One of n patients a step from all others: Σ(x − x̄)² = step²·(n − 1)/n, however small that is beside the
 * rounding of n squares. */
static void a_patient_one_step_apart_is_variance(void **state)
{
    (void)state;
    const double most = ldexp(1, TALLY_N_MAX_LOG2), step = 0x1p-11;
    for (double n = 2; n <= most; n *= 2) {
        const f128 square = (f128)(step * step) * (f128)((n - 1) / n), rounding = 2 * square;
        assert_false(spread_is_none(square, rounding, step, n));
        assert_true(spread_is_none(square / 4, rounding, step, n)); /* nothing that n patients can be */
    }
    assert_true(spread_is_none(0x1p-60, 0x1p-50, step, 1)); /* one alone has none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_no_variance),
        cmocka_unit_test(a_patient_one_step_apart_is_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
