/* Cody and Waite's reduction and the rational approximations of fdlibm 5.3 (e_exp.c, e_log.c; the sum at the
 * end of the logarithm as FreeBSD's msun has it), without a branch, so that a loop over them becomes vector
 * code of the same bits.
 *
 * The coefficients are those of fdlibm: Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights
 * reserved. Permission to use, copy, modify, and distribute this software is freely granted, provided that
 * this notice is preserved. */
#include "tally/elementary.h"

#include <stdint.h>
#include <string.h>

#include "base/vector.h"

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ln 2 in two parts; the first has 32 significant bits, so its product with an exponent is exact. */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
/* Added to a number below 2^51 it leaves the nearest integer in the low bits. */
#define ROUNDER 0x1.8p52

static inline double exp_of(double x)
{
    /* Beyond these the result is 0 or infinite anyway; NaN passes both. */
    double clamped = x > 710.0 ? 710.0 : x;
    clamped = clamped < -746.0 ? -746.0 : clamped;

    double shifted = clamped * 1.44269504088896338700e+00 + ROUNDER;
    uint64_t k = bits_of(shifted) - bits_of(ROUNDER); /* modulo 2^64: k may be negative */
    double n = shifted - ROUNDER;
    double high = clamped - n * LN2_HIGH;
    double low = n * LN2_LOW;
    double r = high - low;
    double t = r * r;
    double c = r - t * (1.66666666666666019037e-01 +
                        t * (-2.77777777770155933842e-03 +
                             t * (6.61375632143793436117e-05 +
                                  t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    double y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);

    /* 2^k in two factors: one alone would overflow at the ends, and so a subnormal result is rounded once. */
    uint64_t half = ((k + 4096) >> 1) - 2048;
    return y * double_of((half + 1023) << 52) * double_of((k - half + 1023) << 52);
}

static inline double log_of(double x)
{
    double normal = x < 0x1p-1022 ? x * 0x1p54 : x;
    double lifted = x < 0x1p-1022 ? 54.0 : 0.0;

    /* normal = 2^k·(1 + f) with 1 + f in [√½, √2) */
    uint64_t u = bits_of(normal) + ((uint64_t)(0x3ff00000 - 0x3fe6a09e) << 32);
    double k = double_of(UINT64_C(0x4330000000000000) | u >> 52) - (0x1p52 + 1023.0) - lifted;
    double f = double_of((u & UINT64_C(0x000fffffffffffff)) + ((uint64_t)0x3fe6a09e << 32)) - 1.0;

    double half_square = 0.5 * f * f;
    double s = f / (2.0 + f);
    double z = s * s;
    double w = z * z;
    double even =
        w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double odd =
        z * (6.666666666666735130e-01 +
             w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double r = odd + even;
    double y = s * (half_square + r) + k * LN2_LOW - half_square + f + k * LN2_HIGH;

    y = x > 0x1.fffffffffffffp1023 ? x : y; /* infinite */
    y = x == 0.0 ? -__builtin_inf() : y;
    return x >= 0.0 ? y : __builtin_nan("");
}

double elementary_exp(double x)
{
    return exp_of(x);
}

double elementary_log(double x)
{
    return log_of(x);
}

VECTOR_INLINE void exp_loop(double *out, const double *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = exp_of(in[i]);
}

VECTOR_INLINE void log_loop(double *out, const double *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = log_of(in[i]);
}

VECTOR_CLONES(exp_many, exp_loop, (double *out, const double *in, size_t n), (out, in, n))
VECTOR_CLONES(log_many, log_loop, (double *out, const double *in, size_t n), (out, in, n))

void elementary_exp_many(double *out, const double *in, size_t n)
{
    exp_many(out, in, n);
}

void elementary_log_many(double *out, const double *in, size_t n)
{
    log_many(out, in, n);
}
