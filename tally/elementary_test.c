#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tally/elementary.h"
#include "base/vector.h"

enum { N = 200000 };

static uint64_t seed = 1;

/* xorshift64*: the same numbers on every machine. */
static double uniform(double low, double high)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    double u = (double)((seed * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
    return low + u * (high - low);
}

static bool same_bits(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* Distance in units of the last place of the rounded truth; long double carries 11 bits more. */
static double ulps(double found, long double truth)
{
    double rounded = fabs((double)truth);
    double unit = nextafter(rounded, INFINITY) - rounded;
    return (double)(fabsl((long double)found - truth) / (long double)unit);
}

static void exp_below_one_ulp(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double x = uniform(i % 2 ? -708 : -30, i % 2 ? 709 : 30);
        double distance = ulps(elementary_exp(x), expl((long double)x));
        worst = distance > worst ? distance : worst;
    }
    assert_true(worst < 1);
}

static void log_below_one_ulp(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double x = i % 3 == 0 ? uniform(0.5, 2) : i % 3 == 1 ? uniform(0, 1e6) : exp(uniform(-740, 709));
        double distance = ulps(elementary_log(x), logl((long double)x));
        worst = distance > worst ? distance : worst;
    }
    assert_true(worst < 1);
}

static void special_values(void **state)
{
    (void)state;
    assert_true(elementary_exp(0) == 1);
    assert_true(elementary_exp(INFINITY) == INFINITY);
    assert_true(elementary_exp(-INFINITY) == 0);
    assert_true(elementary_exp(709.79) == INFINITY);
    assert_true(elementary_exp(-745.2) == 0);
    assert_true(elementary_exp(-745) == 0x1p-1074);
    assert_true(isnan(elementary_exp(NAN)));
    assert_true(elementary_log(1) == 0);
    assert_true(elementary_log(INFINITY) == INFINITY);
    assert_true(elementary_log(0) == -INFINITY);
    assert_true(isnan(elementary_log(-1)));
    assert_true(isnan(elementary_log(-INFINITY)));
    assert_true(isnan(elementary_log(NAN)));
    assert_true(ulps(elementary_log(0x1p-1074), logl(0x1p-1074L)) < 1);
}

/* Bit rule 1. Known results, so that a compiler that contracts or reassociates is noticed even where it does
 * so in every clone alike. */
static void the_same_bits_everywhere(void **state)
{
    (void)state;
    uint64_t digest = 0;
    for (int i = 0; i < N; i++) {
        double x = (i - N / 2) * 0x1.9p-9, values[2] = {elementary_exp(x), elementary_log(x * x + 0x1p-20)};
        uint64_t bits[2];
        memcpy(bits, values, sizeof bits);
        digest = (digest ^ bits[0]) * UINT64_C(0x9e3779b97f4a7c15) + bits[1];
    }
    assert_true(digest == UINT64_C(0x65252311ece6033d));
}

static void vectors_equal_scalars(void **state)
{
    (void)state;
    double *in = malloc(N * sizeof *in), *one = malloc(N * sizeof *one), *many = malloc(N * sizeof *many);
    assert_true(in != NULL && one != NULL && many != NULL);
    for (size_t i = 0; i < N; i++)
        in[i] = i % 50 == 0 ? -uniform(0, 1e-310) : uniform(i % 2 ? -760 : 0, 720);
    in[7] = NAN;
    in[8] = INFINITY;
    in[9] = -INFINITY;
    for (enum vector_level level = VECTOR_PORTABLE; level <= VECTOR_AVX512; level++) {
        vector_limit(level);
        for (size_t i = 0; i < N; i++)
            one[i] = elementary_exp(in[i]);
        elementary_exp_many(many, in, N);
        one[7] = many[7] = 0; /* a NaN's sign and payload have no meaning */
        assert_true(same_bits(one, many, N));
        for (size_t i = 0; i < N; i++)
            one[i] = in[i] >= 0 ? elementary_log(in[i]) : 0;
        elementary_log_many(many, in, N);
        for (size_t i = 0; i < N; i++) {
            if (!(in[i] >= 0)) {
                assert_true(isnan(many[i]));
                many[i] = 0;
            }
        }
        assert_true(same_bits(one, many, N));
        memcpy(one, in, N * sizeof *one);
        elementary_exp_many(one, one, N); /* in place */
        elementary_exp_many(many, in, N);
        one[7] = many[7] = 0;
        assert_true(same_bits(one, many, N));
    }
    vector_limit(VECTOR_AVX512);
    free(in);
    free(one);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_below_one_ulp),     cmocka_unit_test(log_below_one_ulp),
        cmocka_unit_test(special_values),        cmocka_unit_test(the_same_bits_everywhere),
        cmocka_unit_test(vectors_equal_scalars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
