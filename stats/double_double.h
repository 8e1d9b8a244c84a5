/* Numbers of about 104 bits as the unevaluated sum of two doubles, for the loops of an estimator in which
 * quadruple precision, which is done in software, would cost more than the sites' tallies. |lo| is at most
 * half a unit in the last place of hi. (T. J. Dekker, Numer. Math. 1971;18:224–242; Y. Hida, X. S. Li and D.
 * H. Bailey, ARITH-15, 2001, algorithms 3 to 8.)
 *
 * Only + − × ÷ and fma in a written order, each correctly rounded (IEEE 754): the same bits on every machine.
 */
#ifndef STATS_DOUBLE_DOUBLE_H
#define STATS_DOUBLE_DOUBLE_H

#include <math.h>

#include "base/number.h"

struct dd {
    double hi, lo;
};

/* a + b where |a| ≥ |b| or a is 0. */
static inline struct dd dd_fast_sum(double a, double b)
{
    double sum = a + b;
    return (struct dd){sum, b - (sum - a)};
}

/* a + b exactly. */
static inline struct dd dd_exact_sum(double a, double b)
{
    double sum = a + b, part = sum - a;
    return (struct dd){sum, (a - (sum - part)) + (b - part)};
}

/* a·b exactly, but for underflow. */
static inline struct dd dd_exact_product(double a, double b)
{
    double product = a * b;
    return (struct dd){product, fma(a, b, -product)};
}

static inline struct dd dd_add(struct dd a, struct dd b)
{
    struct dd high = dd_exact_sum(a.hi, b.hi), low = dd_exact_sum(a.lo, b.lo);
    high = dd_fast_sum(high.hi, high.lo + low.hi);
    return dd_fast_sum(high.hi, high.lo + low.lo);
}

/* a + b where no digits cancel (both of one sign): half the work. */
static inline struct dd dd_accumulate(struct dd a, struct dd b)
{
    struct dd sum = dd_exact_sum(a.hi, b.hi);
    return dd_fast_sum(sum.hi, sum.lo + (a.lo + b.lo));
}

static inline struct dd dd_negate(struct dd a)
{
    return (struct dd){-a.hi, -a.lo};
}

static inline struct dd dd_subtract(struct dd a, struct dd b)
{
    return dd_add(a, dd_negate(b));
}

static inline struct dd dd_multiply(struct dd a, struct dd b)
{
    struct dd product = dd_exact_product(a.hi, b.hi);
    return dd_fast_sum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline struct dd dd_scale(struct dd a, double by)
{
    struct dd product = dd_exact_product(a.hi, by);
    return dd_fast_sum(product.hi, product.lo + a.lo * by);
}

/* 1/a: a Newton step from the double quotient. */
static inline struct dd dd_reciprocal(struct dd a)
{
    double quotient = 1 / a.hi;
    double rest = fma(-quotient, a.lo, fma(-quotient, a.hi, 1));
    return dd_fast_sum(quotient, quotient * rest);
}

#endif
