/* Bit rule 9: our own functions beside those of libm and Rmath, which they stand in for. */
#include "stats/arithmetic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

static void test_the_normal_quantile_is_rs(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = 1; i < 1 << 20; i++) {
        double p = (double)i * 0x1p-20, q = qnorm5(p, 0, 1, 1, 0);
        worst = fmax(worst, fabs(arithmetic_normal_quantile(p) - q) / fmax(fabs(q), 1e-3));
    }
    for (double p = 1e-3; p > 1e-300; p /= 3) {
        double q = qnorm5(p, 0, 1, 1, 0);
        worst = fmax(worst, fabs(arithmetic_normal_quantile(p) / q - 1));
    }
    assert_true(worst < 1e-15);
    assert_true(arithmetic_normal_quantile(0.5) == 0);
    assert_true(isinf(arithmetic_normal_quantile(0)) && isinf(arithmetic_normal_quantile(1)));
    assert_true(isnan(arithmetic_normal_quantile(-1)));
}

static void test_powers(void **state)
{
    (void)state;
    for (double x = 1e-6; x < 1e6; x *= 1.7)
        for (double y = -8; y <= 8; y += 0.25)
            assert_true(fabs(arithmetic_power(x, y) / pow(x, y) - 1) < 1e-13);
    assert_true(arithmetic_power(0, 0) == 1 && arithmetic_power(0, 0.5) == 0);
    assert_true(arithmetic_power(0.1, 1) == 0.1);
    assert_true(isinf(arithmetic_power(INFINITY, 2)));
    assert_true(arithmetic_length(3, 4) == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_normal_quantile_is_rs),
        cmocka_unit_test(test_powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
