#include "stats/arithmetic.h"

#include <math.h>
#include <stddef.h>

#include "tally/elementary.h"

double arithmetic_power(double x, double y)
{
    if (y == 0)
        return 1;
    return y == 1 ? x : elementary_exp(y * elementary_log(x));
}

/* Coefficients of a rational function of degree 7, the constants first; the denominator's is 1. */
struct rational {
    double above[8], below[7];
};

static double rational_at(const struct rational *f, double x)
{
    double above = f->above[7], below = f->below[6];
    for (size_t i = 7; i-- > 0;)
        above = above * x + f->above[i];
    for (size_t i = 6; i-- > 0;)
        below = below * x + f->below[i];
    return above / (below * x + 1);
}

/* |p − ½| ≤ 0.425, of 0.180625 − (p − ½)². */
static const struct rational middle = {
    {3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727},
    {42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867,
     39307.895800092710610, 28729.085735721942674, 5226.4952788528545610}};
/* r = √(−log of the smaller tail) ≤ 5, of r − 1.6. */
static const struct rational tail = {
    {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4},
    {2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
     0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
/* r > 5, of r − 5. */
static const struct rational far_tail = {
    {6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
     2.01033439929228813265e-7},
    {0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};

double arithmetic_normal_quantile(double p)
{
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * rational_at(&middle, 0.180625 - q * q);
    double smaller = q < 0 ? p : 0.5 - q;
    if (!(smaller > 0))
        return smaller == 0 ? (q < 0 ? -INFINITY : INFINITY) : NAN;
    double r = sqrt(-elementary_log(smaller));
    double x = r <= 5 ? rational_at(&tail, r - 1.6) : rational_at(&far_tail, r - 5);
    return q < 0 ? -x : x;
}

double arithmetic_length(double a, double b)
{
    return sqrt(a * a + b * b);
}
