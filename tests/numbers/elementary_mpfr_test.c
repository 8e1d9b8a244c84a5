/* Bit rule 1 (docs/decisions/0002-exact-sums.md): exp and log of tally/elementary.c and the square root of
 * the CPU against MPFR, which rounds correctly at any precision. What this prints is the error that the
 * decision record states.
 *
 *     tests_elementary_mpfr [ARGUMENTS]     random arguments a function (200,000) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mpfr.h>

#include "tally/elementary.h"

enum { PRECISION = 160, NEIGHBOURS = 4 };

static uint64_t seed;
static unsigned long n_arguments = 200000;

/* xorshift64*: the same numbers on every machine. */
static uint64_t random_bits(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static double uniform(double low, double high)
{
    return low + (double)(random_bits() >> 11) * 0x1p-53 * (high - low);
}

/* A positive number of any size, subnormal ones among them: every exponent is as likely. */
static double any_positive(void)
{
    uint64_t bits = random_bits() >> 1;
    double x;
    if (bits >> 52 == 0x7ff)
        bits ^= UINT64_C(1) << 62;
    memcpy(&x, &bits, sizeof x);
    return x;
}

struct function {
    const char *name;
    double (*ours)(double);
    int (*truth)(mpfr_t, const mpfr_t, mpfr_rnd_t);
    double allowed; /* in units of the last place of the true value */
    double worst, worst_at;
};

static double root(double x)
{
    return __builtin_sqrt(x);
}

static mpfr_t argument, truth, distance;

/* |ours − truth| in units of the last place that a double of the truth's size has (2^-1074 where subnormal).
 */
static void look(struct function *f, double x)
{
    double found = f->ours(x);
    mpfr_set_d(argument, x, MPFR_RNDN);
    f->truth(truth, argument, MPFR_RNDN);
    if (mpfr_zero_p(truth)) {
        assert_true(found == 0);
        return;
    }
    if (mpfr_get_d(truth, MPFR_RNDN) == HUGE_VAL) {
        assert_true(found == HUGE_VAL);
        return;
    }
    assert_true(isfinite(found));
    mpfr_exp_t exponent = mpfr_get_exp(truth); /* truth = m·2^exponent, m in [½, 1) */
    mpfr_exp_t unit = exponent - 53 < -1074 ? -1074 : exponent - 53;
    mpfr_sub_d(distance, truth, found, MPFR_RNDN);
    mpfr_abs(distance, distance, MPFR_RNDN);
    mpfr_mul_2si(distance, distance, -unit, MPFR_RNDN);
    double ulps = mpfr_get_d(distance, MPFR_RNDU);
    if (ulps > f->worst) {
        f->worst = ulps;
        f->worst_at = x;
    }
}

/* An argument and those beside it on both sides. */
static void look_around(struct function *f, double x, double least, double most)
{
    double below = x, above = x;
    for (int i = 0; i <= NEIGHBOURS; i++) {
        if (below >= least && below <= most)
            look(f, below);
        if (above >= least && above <= most)
            look(f, above);
        below = nextafter(below, -HUGE_VAL);
        above = nextafter(above, HUGE_VAL);
    }
}

static void report(const struct function *f)
{
    printf("%s: largest error %.4f ulp, at %a, of %lu random arguments and the edges\n", f->name, f->worst,
           f->worst_at, n_arguments);
    if (!(f->worst < f->allowed))
        fail_msg("%s: expected an error below %g ulp, found %g at %a", f->name, f->allowed, f->worst,
                 f->worst_at);
}

static void exp_against_mpfr(void **state)
{
    (void)state;
    struct function f = {.name = "exp", .ours = elementary_exp, .truth = mpfr_exp, .allowed = 1};
    const double least = -745.13, most = 709.78;
    for (unsigned long i = 0; i < n_arguments; i++)
        look(&f, i % 4 == 0   ? uniform(least, most)
                 : i % 4 == 1 ? uniform(-30, 30)
                 : i % 4 == 2 ? uniform(-1, 1)
                              : (i & 4 ? 1 : -1) * fmin(any_positive(), 700));
    for (int k = -1075; k <= 1024;
         k++) { /* where the reduction changes, and where a result is a power of two */
        look_around(&f, k * 0.69314718055994531, least, most);
        look_around(&f, (k + 0.5) * 0.69314718055994531, least, most);
    }
    for (int e = -1074; e <= 9; e++) {
        look_around(&f, ldexp(1, e), least, most);
        look_around(&f, -ldexp(1, e), least, most);
    }
    look_around(&f, least, least, most);
    look_around(&f, most, least, most);
    report(&f);
}

static void log_against_mpfr(void **state)
{
    (void)state;
    struct function f = {.name = "log", .ours = elementary_log, .truth = mpfr_log, .allowed = 1};
    const double least = 0x1p-1074, most = 0x1.fffffffffffffp1023;
    for (unsigned long i = 0; i < n_arguments; i++)
        look(&f, i % 4 == 0   ? uniform(0.5, 2)
                 : i % 4 == 1 ? 1 + uniform(-1, 1) * ldexp(1, -(int)(random_bits() % 50))
                 : i % 4 == 2 ? uniform(0x1p-20, 1e6)
                              : fmax(any_positive(), least));
    for (int e = -1074; e <= 1023; e++) {
        look_around(&f, ldexp(1, e), least, most);
        look_around(&f, ldexp(1.4142135623730951, e), least, most); /* where the reduction changes */
        look_around(&f, ldexp(1.5, e), least, most);
    }
    look_around(&f, most, least, most);
    report(&f);
}

static void sqrt_is_correctly_rounded(void **state)
{
    (void)state;
    struct function f = {.name = "sqrt", .ours = root, .truth = mpfr_sqrt, .allowed = 0.5000001};
    const double least = 0x1p-1074, most = 0x1.fffffffffffffp1023;
    for (unsigned long i = 0; i < n_arguments; i++) {
        double x = i % 2 ? any_positive() : uniform(0, 1e6);
        look(&f, x);
        mpfr_set_d(argument, x, MPFR_RNDN);
        mpfr_sqrt(truth, argument,
                  MPFR_RNDN); /* never a tie: a square root is not halfway between two doubles */
        assert_true(root(x) == mpfr_get_d(truth, MPFR_RNDN));
    }
    for (int e = -1074; e <= 1023; e++)
        look_around(&f, ldexp(1, e), least, most);
    report(&f);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_against_mpfr),
        cmocka_unit_test(log_against_mpfr),
        cmocka_unit_test(sqrt_is_correctly_rounded),
    };
    if (argc > 1)
        n_arguments = strtoul(argv[1], NULL, 10);
    seed = 20240601;
    mpfr_inits2(PRECISION, argument, truth, distance, (mpfr_ptr)NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mpfr_clears(argument, truth, distance, (mpfr_ptr)NULL);
    mpfr_free_cache();
    return failed;
}
