/* Private to query/: interval arithmetic for expression constructors. The same bits on every machine (no
 * libm): the bounds scale the sums, so every site must find the same ones. */
#ifndef QUERY_EXPRESSION_BOUNDS_H
#define QUERY_EXPRESSION_BOUNDS_H

#include "query/expression.h"

struct interval {
    double low, high;
};

struct interval interval_add(struct interval a, struct interval b);
struct interval interval_subtract(struct interval a, struct interval b);
struct interval interval_multiply(struct interval a, struct interval b);
/* step: of the divisor, 0 when unknown. An interval that may hold 0 and has no step gives (−∞, ∞). */
struct interval interval_divide(struct interval a, struct interval b, double step);
struct interval interval_power(struct interval a, int exponent, double step);
struct interval interval_log(struct interval a, double step);
struct interval interval_sqrt(struct interval a);
struct interval interval_exp(struct interval a);
struct interval interval_logistic(struct interval a);
struct interval interval_softplus(struct interval a);
struct interval interval_hull(struct interval a, struct interval b);

/* expression_joint.c: of Σ coefficients·args + coefficients[n] as a site adds it, the terms that are
 * functions of one variable together; never narrower than the truth, maybe wider than the sum of the terms'
 * own bounds.
 */
struct interval expression_joint_range(struct arena *arena, const double *coefficients,
                                       const struct expression *const *args, size_t n);

/* log and exp with a relative error below 2^-45, by IEEE + − × ÷ alone. */
double expression_bounds_log(double x); /* x > 0 */
double expression_bounds_exp(double x); /* 0 below −745, ∞ above 710 */

/* The greatest common step of two, 0 when there is none that can be relied on. A step is exact when it is a
 * multiple of 2^-20 and the values stay below 2^52 steps: then sums of multiples are multiples. Otherwise
 * only sums of two leaves keep one. */
double expression_step_of_sum(const struct expression *a, const struct expression *b, struct interval sum);
/* Is arithmetic on multiples of step below this magnitude free of rounding? */
bool expression_step_is_exact(double step, double magnitude);

#endif
