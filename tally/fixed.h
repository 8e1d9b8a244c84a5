/* Fixed point: how a double becomes an integer multiple of 2^-fraction. Internal to tally/.
 *
 * The definition is fixed_of: half to even, one double at a time. The fast paths give the same integers by
 * adding a large constant (docs/decisions/0002-exact-sums.md): with Q2 = 2^-fraction and Q1 = 2^50·Q2,
 *
 *     t = v + M1,  h = t − M1        v rounded to a multiple of Q1; v − h is exact
 *     s = (v − h) + M2               the rest rounded, half to even, to a multiple of Q2
 *
 * where M = 1.5·2^52·Q, so that the low bits of t and s are integers which may be added as integers. Right
 * for |v| ≤ 2^51·Q1 = 2^101·Q2; the layout keeps |v| ≤ 2^100·Q2. */
#ifndef TALLY_FIXED_H
#define TALLY_FIXED_H

#include <string.h>

#include "base/number.h"

/* Q1 is 2^FIXED_STEP times Q2. */
enum { FIXED_STEP = 50 };

static inline uint64_t fixed_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* 2^exponent, −1022 … 1023. */
static inline double fixed_power(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct fixed_constants {
    double m1, m2;
};

static inline struct fixed_constants fixed_constants(int fraction)
{
    return (struct fixed_constants){.m1 = 1.5 * fixed_power(52 + FIXED_STEP - fraction),
                                    .m2 = 1.5 * fixed_power(52 - fraction)};
}

/* The sum of n rounded values from the wrapped sums of the bits of their t and s. */
static inline i128 fixed_total(uint64_t sum_t, uint64_t sum_s, uint64_t n,
                               const struct fixed_constants *constants)
{
    int64_t high = (int64_t)(sum_t - n * fixed_bits(constants->m1));
    int64_t low = (int64_t)(sum_s - n * fixed_bits(constants->m2));
    return (i128)high * ((i128)1 << FIXED_STEP) + low;
}

/* value·2^fraction rounded half to even; value finite and |value|·2^fraction < 2^126. */
static inline i128 fixed_of(double value, int fraction)
{
    uint64_t bits = fixed_bits(value);
    int exponent = (int)(bits >> 52 & 2047);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 0)
        exponent = 1;
    else
        mantissa |= UINT64_C(1) << 52;
    int shift = exponent - 1075 + fraction;
    u128 magnitude;
    if (shift >= 0) {
        magnitude = (u128)mantissa << shift;
    } else if (shift < -54) {
        magnitude = 0; /* below half a unit */
    } else {
        uint64_t rest = mantissa & ((UINT64_C(1) << -shift) - 1), half = UINT64_C(1) << (-shift - 1);
        uint64_t whole = mantissa >> -shift;
        magnitude = whole + (rest > half || (rest == half && (whole & 1) != 0));
    }
    return bits >> 63 ? -(i128)magnitude : (i128)magnitude;
}

#endif
