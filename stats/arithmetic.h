/* The arithmetic of a step: what θ, a verdict and anything discrete may be worked out with (Bit rule 9,
 * docs/decisions/0002-exact-sums.md). + − × ÷, sqrt() and what C defines to the last bit (fma, ldexp, frexp,
 * nearbyint …), tally/elementary.h and this. No other function of libm; Rmath for p-values and limits alone,
 * on which nothing depends. tally/no_libm.cmake holds it. */
#ifndef STATS_ARITHMETIC_H
#define STATS_ARITHMETIC_H

/* Of all that a vault derives from opened totals. Raised by whoever changes a bit that a step, a verdict or a
 * result takes for the same totals: two programs of different numbers may not stand in one roster. */
enum { ARITHMETIC_VERSION = 7 };

/* x to the power y, x ≥ 0: exp(y·log x), so that its error grows with |y·log x|; x itself and 1 where y is 1
 * and 0. */
double arithmetic_power(double x, double y);
/* Φ⁻¹(p) of 0 < p < 1, relative error about 1e−16 beside that of the logarithm (Wichura, Algorithm AS 241,
 * Applied Statistics 1988;37:477, PPND16, which R's qnorm is too). ±infinity at 1 and 0. */
double arithmetic_normal_quantile(double p);
/* √(a² + b²) of numbers whose squares neither overflow nor vanish. */
double arithmetic_length(double a, double b);

#endif
