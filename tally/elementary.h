/* exp and log with the same bits on every CPU: only + − × ÷ and fma-free polynomials, below 1 ulp, no libm
 * (docs/decisions/0002-exact-sums.md, rule 1). */
#ifndef TALLY_ELEMENTARY_H
#define TALLY_ELEMENTARY_H

#include <stddef.h>

double elementary_exp(double x); /* x in [−745, 709]; ±inf and NaN as exp() */
double elementary_log(double x); /* x > 0 */
/* n values at once; in and out may be the same array. Bit for bit the scalar functions. */
void elementary_exp_many(double *out, const double *in, size_t n);
void elementary_log_many(double *out, const double *in, size_t n);

#endif
