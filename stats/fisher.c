#include "stats/fisher.h"

#include <math.h>
#include <stdlib.h>

#include "tally/elementary.h"

/* The noncentral hypergeometric distribution of the first cell, margins fixed:
 * P(x) ∝ C(m, x) · C(n, k − x) · exp(λ x), x = low … high, λ the log odds ratio. */
struct conditional {
    int64_t low, high;
    double m, n, k;
};

/* What one pass over the support yields: P(X ≥ x), P(X ≤ x), the mean, and their derivatives by λ. */
struct moments {
    double upper, lower, mean, upper_slope, variance;
};

/* P(x + 1)/P(x), below `high`; odds: exp λ. */
static double rise(const struct conditional *c, int64_t x, double odds)
{
    double at = (double)x;
    return (c->m - at) * (c->k - at) / ((at + 1) * (c->n - c->k + at + 1)) * odds;
}

/* Where the weights are largest. */
static int64_t mode_of(const struct conditional *c, double odds)
{
    int64_t low = c->low, high = c->high;
    while (low < high) { /* log-concave: weights rise, then fall */
        int64_t middle = low + (high - low) / 2;
        if (rise(c, middle, odds) > 1)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The weight beside that of x, at x + direction; 0 beyond the ends. */
static double weight_beside(const struct conditional *c, int64_t x, int direction, double weight, double odds)
{
    if (direction > 0)
        return x < c->high ? weight * rise(c, x, odds) : 0;
    return x > c->low ? weight / rise(c, x - 1, odds) : 0;
}

/* Sums run outwards from the mode and stop where a term no longer matters: 2⁻⁸⁰ of the largest. */
static void moments_at(struct moments *out, const struct conditional *c, int64_t x, double lambda)
{
    double odds = elementary_exp(lambda);
    int64_t mode = mode_of(c, odds);
    double all = 0, upper = 0, lower = 0, first = 0, second = 0, upper_first = 0;
    for (int direction = -1; direction <= 1; direction += 2) {
        double weight = direction < 0 ? 1 : weight_beside(c, mode, 1, 1, odds);
        for (int64_t v = direction < 0 ? mode : mode + 1; v >= c->low && v <= c->high; v += direction) {
            double distance = (double)(v - mode);
            all += weight;
            first += weight * distance;
            second += weight * distance * distance;
            if (v >= x) {
                upper += weight;
                upper_first += weight * distance;
            }
            if (v <= x)
                lower += weight;
            if (weight < 0x1p-80 && (direction < 0 ? v < x : v > x))
                break;
            weight = weight_beside(c, v, direction, weight, odds);
        }
    }
    double mean = first / all;
    out->mean = (double)mode + mean;
    out->variance = second / all - mean * mean;
    out->upper = upper / all;
    out->lower = lower / all;
    out->upper_slope = upper_first / all - out->upper * mean;
}

enum target { TARGET_MEAN, TARGET_UPPER, TARGET_LOWER };

/* λ at which the mean is x, or a tail beyond x (inclusive) holds alpha. All three are monotone in λ: Newton's
 * steps inside a bracket that halves when they leave it. */
static double solve(const struct conditional *c, int64_t x, enum target target, double alpha)
{
    double low = -1500, high = 1500, lambda = 0;
    for (int i = 0; i < 200; i++) {
        struct moments at;
        double value, slope;
        moments_at(&at, c, x, lambda);
        switch (target) {
        case TARGET_MEAN:
            value = at.mean - (double)x;
            slope = at.variance;
            break;
        case TARGET_UPPER:
            value = elementary_log(at.upper / alpha);
            slope = at.upper_slope / at.upper;
            break;
        default: /* P(X ≤ x) falls with λ; its slope is that of −P(X ≥ x + 1) */
            value = -elementary_log(at.lower / alpha);
            moments_at(&at, c, x + 1, lambda);
            slope = at.upper_slope / (1 - at.upper);
            break;
        }
        if (value == 0)
            break;
        if (value > 0)
            high = lambda;
        else
            low = lambda;
        double next = lambda - value / slope;
        if (!(next > low && next < high))
            next = (low + high) / 2;
        if (fabs(next - lambda) <= 1e-15 * fmax(1, fabs(lambda))) {
            lambda = next;
            break;
        }
        lambda = next;
    }
    return lambda;
}

void fisher_test(struct fisher *out, const int64_t counts[4], double conf_level)
{
    int64_t m = counts[0] + counts[2], n = counts[1] + counts[3], k = counts[0] + counts[1], x = counts[0];
    struct conditional c = {
        .low = k > n ? k - n : 0, .high = k < m ? k : m, .m = (double)m, .n = (double)n, .k = (double)k};
    double alpha = (1 - conf_level) / 2, all = 0, extreme = 0;
    int64_t mode = mode_of(&c, 1);
    double here = 1;
    for (int64_t v = mode; v != x; v += x > mode ? 1 : -1)
        here = weight_beside(&c, v, x > mode ? 1 : -1, here, 1);
    for (int direction = -1; direction <= 1; direction += 2) {
        double weight = direction < 0 ? 1 : weight_beside(&c, mode, 1, 1, 1);
        for (int64_t v = direction < 0 ? mode : mode + 1; v >= c.low && v <= c.high; v += direction) {
            all += weight;
            if (weight <= here * (1 + 1e-7)) /* as fisher.test */
                extreme += weight;
            weight = weight_beside(&c, v, direction, weight, 1);
        }
    }
    out->p_value = fmin(1, extreme / all);
    out->odds_ratio = x == c.low ? 0 : x == c.high ? INFINITY : elementary_exp(solve(&c, x, TARGET_MEAN, 0));
    out->low = x == c.low ? 0 : elementary_exp(solve(&c, x, TARGET_UPPER, alpha));
    out->high = x == c.high ? INFINITY : elementary_exp(solve(&c, x, TARGET_LOWER, alpha));
}
