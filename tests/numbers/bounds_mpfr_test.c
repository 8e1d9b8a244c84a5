/* Bit rule 3 (docs/decisions/0002-exact-sums.md): the public bounds of expressions hold what a site can
 * compute. query/ has its own exp and log, tally/ has others; an interval must hold the values of both, and
 * the true one, of every argument in it: at its ends, beside them and inside, over all sizes of double, and
 * where functions over- and underflow. */
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

#include "query/expression_bounds.h"
#include "tally/elementary.h"

enum { PRECISION = 160, RANDOM = 10000, INSIDE = 2, NEIGHBOURS = 2 };

static uint64_t seed = 20240602;
static mpfr_t argument, truth;

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

/* Every exponent is as likely, subnormal ones among them. */
static double any_positive(void)
{
    uint64_t bits = random_bits() >> 1;
    double x;
    if (bits >> 52 == 0x7ff)
        bits ^= UINT64_C(1) << 62;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* One function: its interval, what tally/ computes (tally/operation.h), and the truth rounded both ways. */
struct function {
    const char *name;
    struct interval (*bounds)(struct interval);
    double (*computed)(double);
    void (*true_value)(void); /* of `argument`, into `truth` */
    double least, most;
};

static struct interval bounds_of_log(struct interval a)
{
    return interval_log(a, 0);
}

static double logistic(double x)
{
    return 1 / (1 + elementary_exp(-x));
}

static double softplus(double x)
{
    double small = elementary_exp(x > 0 ? -x : x), sum = 1 + small;
    return (x > 0 ? x : 0) + (elementary_log(sum) + (small - (sum - 1)) / sum);
}

static double root(double x)
{
    return __builtin_sqrt(x);
}

static void true_exp(void)
{
    mpfr_exp(truth, argument, MPFR_RNDN);
}

static void true_log(void)
{
    mpfr_log(truth, argument, MPFR_RNDN);
}

static void true_sqrt(void)
{
    mpfr_sqrt(truth, argument, MPFR_RNDN);
}

static void true_logistic(void)
{
    mpfr_neg(truth, argument, MPFR_RNDN);
    mpfr_exp(truth, truth, MPFR_RNDN);
    mpfr_add_ui(truth, truth, 1, MPFR_RNDN);
    mpfr_ui_div(truth, 1, truth, MPFR_RNDN);
}

static void true_softplus(void)
{
    mpfr_exp(truth, argument, MPFR_RNDN);
    mpfr_log1p(truth, truth, MPFR_RNDN);
}

static const struct function functions[] = {
    {"exp", interval_exp, elementary_exp, true_exp, -800, 800},
    {"log", bounds_of_log, elementary_log, true_log, 0x1p-1074, 0x1.fffffffffffffp1023},
    {"sqrt", interval_sqrt, root, true_sqrt, 0, 0x1.fffffffffffffp1023},
    {"logistic", interval_logistic, logistic, true_logistic, -800, 800},
    {"softplus", interval_softplus, softplus, true_softplus, -700, 700},
};

/* What lies between two neighbouring doubles is held by the interval of one of them: the truth is rounded to
 * the nearest. */
static void hold(const struct function *f, struct interval found, double x)
{
    double value = f->computed(x);
    mpfr_set_d(argument, x, MPFR_RNDN);
    f->true_value();
    double exact = mpfr_get_d(truth, MPFR_RNDN);
    if (!(value >= found.low && value <= found.high && exact >= found.low && exact <= found.high))
        fail_msg("%s(%a): expected %a as tally/ has it, and %a, between %a and %a", f->name, x, value, exact,
                 found.low, found.high);
}

/* The interval from a to b, its ends, their neighbours, and points inside. */
static void look(const struct function *f, double a, double b)
{
    a = fmin(fmax(a, f->least), f->most);
    b = fmin(fmax(b, f->least), f->most);
    struct interval x = {fmin(a, b), fmax(a, b)}, found = f->bounds(x);
    double up = x.low, down = x.high;
    assert_true(found.low <= found.high);
    for (int i = 0; i <= NEIGHBOURS && up <= x.high; i++) {
        hold(f, found, up);
        hold(f, found, down);
        up = nextafter(up, HUGE_VAL);
        down = nextafter(down, -HUGE_VAL);
        if (down < x.low)
            break;
    }
    for (int i = 0; i < INSIDE; i++) {
        double inside = x.low / 2 + x.high / 2 + (x.high / 2 - x.low / 2) * uniform(-1, 1);
        hold(f, found, fmin(fmax(inside, x.low), x.high));
    }
}

static void look_at_edge(const struct function *f, double edge)
{
    if (edge < f->least || edge > f->most)
        return;
    double below = nextafter(edge, -HUGE_VAL), above = nextafter(edge, HUGE_VAL);
    look(f, edge, edge);
    look(f, below, below);
    look(f, above, above);
    look(f, below, above);
}

static void functions_of_one(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        const struct function *f = &functions[k];
        for (int i = 0; i < RANDOM; i++) {
            double a = i % 2 ? uniform(-1, 1) * fmin(f->most, 750) : (i & 2 ? 1 : -1) * any_positive();
            double b = i & 4   ? a
                       : i & 8 ? a * (1 + uniform(-1, 1) * 0x1p-30)
                               : uniform(-1, 1) * fmin(f->most, 750);
            look(f, a, b);
        }
        for (int e = -1074; e <= 1023; e++) { /* powers of two, and where the logarithm's reduction changes */
            look_at_edge(f, ldexp(1, e));
            look_at_edge(f, -ldexp(1, e));
            look_at_edge(f, ldexp(0.70710678118654752, e));
        }
        for (int n = -1080; n <= 1030; n++) { /* where the reduction of exp changes */
            look_at_edge(f, n * 0.69314718055994531);
            look_at_edge(f, (n + 0.5) * 0.69314718055994531);
        }
        static const double edges[] = {
            0,    1,          -1,   709.78,  709.782712893384,   709.79,  710,  -708.4, -709.79,
            -710, -744.44007, -745, -745.13, -745.1332191019411, -745.14, -746, 36.8,   -36.8};
        for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
            look_at_edge(f, edges[i]);
    }
}

/* x^k as tally/ multiplies it, by squaring from the low bit. */
static double power(double x, int exponent)
{
    double square = x, product = 1;
    for (int k = abs(exponent); k > 0; k >>= 1) {
        product = k & 1 ? product * square : product;
        square = square * square;
    }
    return exponent < 0 ? 1 / product : product;
}

static void powers(void **state)
{
    (void)state;
    for (int i = 0; i < RANDOM; i++) {
        int exponent = (int)(random_bits() % 41) - 20;
        double size = i % 2 ? 10 : ldexp(1, (int)(random_bits() % 60) - 54), a = uniform(-size, size),
               b = uniform(-size, size);
        struct interval x = {fmin(a, b), fmax(a, b)};
        if (exponent < 0 && x.low <= 0 && x.high >= 0)
            x = (struct interval){fabs(a), 2 * fabs(a)};
        struct interval found = interval_power(x, exponent, 0);
        for (int k = 0; k < INSIDE + 2; k++) {
            double at = k == 0 ? x.low : k == 1 ? x.high : fmin(fmax(uniform(x.low, x.high), x.low), x.high);
            double value = power(at, exponent);
            if (!(value >= found.low && value <= found.high))
                fail_msg("%a^%d: expected %a between %a and %a", at, exponent, value, found.low, found.high);
        }
    }
}

/* A quotient whose divisor may be 0 is bounded by its step; a row that meets the 0 ends the analysis. */
static void quotients(void **state)
{
    (void)state;
    for (int i = 0; i < RANDOM; i++) {
        double step = ldexp(1, (int)(random_bits() % 8) - 6);
        double low = -(double)(random_bits() % 50) * step, high = (double)(1 + random_bits() % 50) * step;
        double a = uniform(-1e6, 1e6), b = uniform(-1e6, 1e6);
        struct interval top = {fmin(a, b), fmax(a, b)},
                        found = interval_divide(top, (struct interval){low, high}, step);
        for (double divisor = low; divisor <= high; divisor += step) {
            if (divisor == 0)
                continue;
            double values[] = {top.low / divisor, top.high / divisor, uniform(top.low, top.high) / divisor};
            for (int k = 0; k < 3; k++)
                assert_true(values[k] >= found.low && values[k] <= found.high);
        }
        double smallest = elementary_log(step), largest = elementary_log(high);
        struct interval logs = interval_log((struct interval){low, high}, step);
        assert_true(logs.low <= smallest && largest <= logs.high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one),
        cmocka_unit_test(powers),
        cmocka_unit_test(quotients),
    };
    mpfr_inits2(PRECISION, argument, truth, (mpfr_ptr)NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mpfr_clears(argument, truth, (mpfr_ptr)NULL);
    mpfr_free_cache();
    return failed;
}
