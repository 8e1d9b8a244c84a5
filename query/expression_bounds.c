#include "query/expression_bounds.h"

#include <math.h>

#include "base/number.h"

/* Rounding is monotone, so an operation of IEEE on the ends bounds the same operation on what lies between.
 * Functions that tally/ works out by other formulas than ours are widened outwards by this much, relatively.
 */
#define WIDEN 9.094947017729282e-13 /* 2^-40 */

static double down(double x)
{
    return isinf(x) ? x : x - fabs(x) * WIDEN;
}

static double up(double x)
{
    return isinf(x) ? x : x + fabs(x) * WIDEN;
}

/* The same where a result may be subnormal: there a unit of the last place is more than WIDEN of the number.
 */
#define TINY 0x1p-1000
static double below(double x)
{
    return fabs(x) < TINY ? x - TINY : down(x);
}

static double above(double x)
{
    return fabs(x) < TINY ? x + TINY : up(x);
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* 0 · ∞ is 0 here: an end of an interval is never attained there. */
static double product(double a, double b)
{
    return a == 0 || b == 0 ? 0 : a * b;
}

struct interval interval_hull(struct interval a, struct interval b)
{
    return (struct interval){smaller(a.low, b.low), larger(a.high, b.high)};
}

struct interval interval_add(struct interval a, struct interval b)
{
    return (struct interval){a.low + b.low, a.high + b.high};
}

struct interval interval_subtract(struct interval a, struct interval b)
{
    return (struct interval){a.low - b.high, a.high - b.low};
}

struct interval interval_multiply(struct interval a, struct interval b)
{
    double p[4] = {product(a.low, b.low), product(a.low, b.high), product(a.high, b.low),
                   product(a.high, b.high)};
    return (struct interval){smaller(smaller(p[0], p[1]), smaller(p[2], p[3])),
                             larger(larger(p[0], p[1]), larger(p[2], p[3]))};
}

/* a / b where b holds no 0. */
static struct interval divide_by_nonzero(struct interval a, struct interval b)
{
    double q[4] = {a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high};
    for (int i = 0; i < 4; i++)
        if (isnan(q[i]))
            return (struct interval){-INFINITY, INFINITY};
    return (struct interval){smaller(smaller(q[0], q[1]), smaller(q[2], q[3])),
                             larger(larger(q[0], q[1]), larger(q[2], q[3]))};
}

struct interval interval_divide(struct interval a, struct interval b, double step)
{
    const struct interval everything = {-INFINITY, INFINITY};
    if (b.low > 0 || b.high < 0)
        return divide_by_nonzero(a, b);
    /* A row whose divisor is 0 ends the analysis; all others are at least one step away from it. */
    bool below = step > 0 && b.low <= -step, above = step > 0 && b.high >= step;
    if (!below && !above)
        return everything;
    struct interval negative = below ? divide_by_nonzero(a, (struct interval){b.low, -step}) : everything;
    struct interval positive = above ? divide_by_nonzero(a, (struct interval){step, b.high}) : everything;
    return below && above ? interval_hull(negative, positive) : below ? negative : positive;
}

static double repeated(double x, int exponent)
{
    double result = 1;
    for (int i = 0; i < exponent; i++)
        result *= x;
    return result;
}

static bool is_exact_integer(double x)
{
    return fabs(x) <= 9007199254740992.0 && x == nearbyint(x);
}

struct interval interval_power(struct interval a, int exponent, double step)
{
    if (exponent < 0)
        return interval_divide((struct interval){1, 1}, interval_power(a, -exponent, 0),
                               step > 0 ? repeated(step, -exponent) * (1 - WIDEN) : 0);
    double low = repeated(a.low, exponent), high = repeated(a.high, exponent);
    if (exponent % 2 == 0 && exponent > 0) {
        double most = larger(low, high);
        low = a.low <= 0 && a.high >= 0 ? 0 : smaller(low, high);
        high = most;
    }
    /* The order of the multiplications is not promised, so inexact ends are widened. */
    bool exact = is_exact_integer(a.low) && is_exact_integer(a.high) && is_exact_integer(low) &&
                 is_exact_integer(high);
    if (exact || exponent < 2)
        return (struct interval){low, high};
    return (struct interval){exponent % 2 == 0 ? larger(below(low), 0) : below(low), above(high)};
}

/* log x = e·log 2 + 2·artanh(s), s = (m − 1)/(m + 1), x = m·2^e, m in [√½, √2): |s| < 0.172, so that twelve
 * terms leave less than 2^-60. */
double expression_bounds_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 12; k >= 0; k--)
        sum = sum * square + 1.0 / (2 * k + 1);
    return exponent * 0.69314718055994531 + 2 * s * sum;
}

/* exp x = 2^k·exp(r), |r| ≤ log(2)/2; log 2 in two parts (Cody and Waite 1980), Taylor's series for exp(r).
 */
double expression_bounds_exp(double x)
{
    if (x > 710)
        return INFINITY;
    if (x < -745)
        return 0;
    double k = nearbyint(x * 1.4426950408889634);
    double r = (x - k * 0.69314718036912382) - k * 1.9082149292705877e-10;
    double sum = 1;
    for (int n = 18; n > 0; n--)
        sum = 1 + sum * r / n;
    return ldexp(sum, (int)k);
}

struct interval interval_log(struct interval a, double step)
{
    if (a.low <= 0 && step > 0 && a.high >= step)
        a.low = step;
    double high = a.high <= 0 ? -INFINITY : isinf(a.high) ? INFINITY : up(expression_bounds_log(a.high));
    return (struct interval){a.low <= 0 ? -INFINITY : down(expression_bounds_log(a.low)), high};
}

struct interval interval_sqrt(struct interval a)
{
    /* Correctly rounded by IEEE, so exact in the sense needed; a negative argument ends the analysis. */
    return (struct interval){a.low <= 0 ? 0 : sqrt(a.low), a.high <= 0 ? 0 : sqrt(a.high)};
}

struct interval interval_exp(struct interval a)
{
    return (struct interval){larger(below(expression_bounds_exp(a.low)), 0),
                             above(expression_bounds_exp(a.high))};
}

struct interval interval_logistic(struct interval a)
{
    double low = 1 / (1 + expression_bounds_exp(-a.low)), high = 1 / (1 + expression_bounds_exp(-a.high));
    return (struct interval){larger(below(low), 0), smaller(1, above(high))};
}

struct interval interval_softplus(struct interval a)
{
    /* max(x, 0) ≤ log(1 + e^x) ≤ max(x, 0) + log 2. */
    return (struct interval){larger(a.low, 0), up(larger(a.high, 0) + 0.69314718055994531)};
}

/* --- steps --- */

bool expression_step_is_exact(double step, double magnitude)
{
    double scaled = step * 1048576;
    return step > 0 && scaled == nearbyint(scaled) && magnitude / step < 4503599627370496.0 &&
           magnitude < 4294967296.0;
}

/* The common divisor of two decimals of at most 9 places, 0 when they are not that. */
static double decimal_divisor(double a, double b)
{
    double scale = 1;
    for (int places = 0; places <= 9; places++, scale *= 10) {
        double p = nearbyint(a * scale), q = nearbyint(b * scale);
        if (p > 0 && q > 0 && p <= 9007199254740992.0 && q <= 9007199254740992.0 && p / scale == a &&
            q / scale == b)
            return number_common_divisor(p, q) / scale;
    }
    return 0;
}

static double magnitude_of(const struct expression *e)
{
    return larger(fabs(e->low), fabs(e->high));
}

static bool is_leaf(const struct expression *e)
{
    return e->op == OP_VARIABLE || e->op == OP_CONSTANT;
}

double expression_step_of_sum(const struct expression *a, const struct expression *b, struct interval sum)
{
    double magnitude =
        larger(larger(magnitude_of(a), magnitude_of(b)), larger(fabs(sum.low), fabs(sum.high)));
    if (a->step <= 0 || b->step <= 0)
        return 0;
    if (expression_step_is_exact(a->step, magnitude) && expression_step_is_exact(b->step, magnitude)) {
        double step = number_common_divisor(a->step * 1048576, b->step * 1048576) / 1048576;
        return expression_step_is_exact(step, magnitude) ? step : 0;
    }
    /* Multiples of 0.1 are rounded once each: the sum of two is 0 or nearly a step away from it, of three it
     * need not be. The step is taken a little smaller, by more than the two roundings can amount to. */
    double step = is_leaf(a) && is_leaf(b) ? decimal_divisor(a->step, b->step) : 0;
    return step > 0 && magnitude / step < 1073741824.0 ? step * (1 - 1.0 / 1048576) : 0;
}

double expression_common_lattice(double a, double b)
{
    if (a == 0 || b == 0)
        return larger(a, b);
    /* One a multiple of the other, up to its own rounding: days and sevenths of a day. */
    double least = smaller(a, b), times = larger(a, b) / least;
    if (times < 4294967296.0 && fabs(times - nearbyint(times)) <= times * 0x1p-50)
        return least;
    return decimal_divisor(a, b);
}
