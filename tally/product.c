/* Each product costs two multiplications or additions more than a rounding needs, no branch and no 128-bit
 * arithmetic: two integer sums of 64 bits are folded into 128 once per run. docs/decisions/0002-exact-sums.md
 * has the argument and the figures. */
#include "tally/product.h"

#include "base/vector.h"

/* Row-wise index of the pair (i, j), i ≤ j, of n terms. */
static size_t pair_index(size_t i, size_t j, size_t n)
{
    return i * n - i * (i + 1) / 2 + j;
}

#define PRODUCT_STEP(sum_t, sum_s, value)                                                                    \
    do {                                                                                                     \
        double v = (value);                                                                                  \
        double t = v + m1;                                                                                   \
        double s = (v - (t - m1)) + m2;                                                                      \
        (sum_t) += fixed_bits(t);                                                                            \
        (sum_s) += fixed_bits(s);                                                                            \
    } while (0)

VECTOR_INLINE void split_loop(int64_t *restrict high, int64_t *restrict low, const double *a, size_t rows,
                              double m1, double m2)
{
    uint64_t bits1 = fixed_bits(m1), bits2 = fixed_bits(m2);
    for (size_t r = 0; r < rows; r++) {
        uint64_t t0 = 0, s0 = 0;
        PRODUCT_STEP(t0, s0, a[r]);
        high[r] = (int64_t)(t0 - bits1);
        low[r] = (int64_t)(s0 - bits2);
    }
}

VECTOR_CLONES(split_run, split_loop,
              (int64_t *restrict high, int64_t *restrict low, const double *a, size_t rows, double m1,
               double m2),
              (high, low, a, rows, m1, m2))

void product_split(int64_t *high, int64_t *low, const double *a, size_t rows,
                   const struct fixed_constants *constants)
{
    split_run(high, low, a, rows, constants->m1, constants->m2);
}

VECTOR_INLINE void mask_loop(uint64_t *outside, double *restrict weighted, double *restrict out,
                             const double *restrict values, const double *restrict weights,
                             const uint8_t *restrict keep, size_t rows, double bound)
{
    uint64_t beyond = 0;
    for (size_t r = 0; weights == NULL && r < rows; r++) {
        double x = keep[r] != 0 ? values[r] : 0;
        beyond |= (uint64_t)(x > bound) | (uint64_t)(x < -bound);
        out[r] = x;
    }
    for (size_t r = 0; weights != NULL && r < rows; r++) {
        double x = keep[r] != 0 ? values[r] : 0;
        beyond |= (uint64_t)(x > bound) | (uint64_t)(x < -bound);
        out[r] = x;
        weighted[r] = weights[r] * x;
    }
    *outside = beyond;
}

VECTOR_CLONES(mask_run, mask_loop,
              (uint64_t * outside, double *restrict weighted, double *restrict out,
               const double *restrict values, const double *restrict weights, const uint8_t *restrict keep,
               size_t rows, double bound),
              (outside, weighted, out, values, weights, keep, rows, bound))

bool product_mask(double *out, const double *values, const uint8_t *keep, size_t rows, double bound)
{
    uint64_t outside;
    mask_run(&outside, NULL, out, values, NULL, keep, rows, bound);
    return outside == 0;
}

bool product_weigh(double *weighted, double *out, const double *values, const double *weights,
                   const uint8_t *keep, size_t rows, double bound)
{
    uint64_t outside;
    mask_run(&outside, weighted, out, values, weights, keep, rows, bound);
    return outside == 0;
}

/* Two columns of a against two of b: four products for four loads. */
VECTOR_INLINE void tile_loop(uint64_t sums[8], const double *a0, const double *a1, const double *b0,
                             const double *b1, size_t rows, double m1, double m2)
{
    uint64_t t00 = 0, s00 = 0, t01 = 0, s01 = 0, t10 = 0, s10 = 0, t11 = 0, s11 = 0;
    for (size_t r = 0; r < rows; r++) {
        PRODUCT_STEP(t00, s00, a0[r] * b0[r]);
        PRODUCT_STEP(t01, s01, a0[r] * b1[r]);
        PRODUCT_STEP(t10, s10, a1[r] * b0[r]);
        PRODUCT_STEP(t11, s11, a1[r] * b1[r]);
    }
    sums[0] = t00;
    sums[1] = s00;
    sums[2] = t01;
    sums[3] = s01;
    sums[4] = t10;
    sums[5] = s10;
    sums[6] = t11;
    sums[7] = s11;
}

VECTOR_INLINE void pair_loop(uint64_t sums[2], const double *a, const double *b, size_t rows, double m1,
                             double m2)
{
    uint64_t t0 = 0, s0 = 0;
    for (size_t r = 0; r < rows; r++)
        PRODUCT_STEP(t0, s0, a[r] * b[r]);
    sums[0] = t0;
    sums[1] = s0;
}

VECTOR_INLINE void triangle_loop(i128 *sums, const double *a, const double *b, size_t stride, size_t terms,
                                 size_t rows, const struct fixed_constants *constants)
{
    double m1 = constants->m1, m2 = constants->m2;
    for (size_t i = 0; i < terms; i += 2) {
        const double *a0 = a + i * stride, *a1 = a0 + stride;
        bool two = i + 1 < terms;
        size_t j = i;
        for (; two && j + 1 < terms; j += 2) {
            uint64_t part[8];
            tile_loop(part, a0, a1, b + j * stride, b + (j + 1) * stride, rows, m1, m2);
            sums[pair_index(i, j, terms)] += fixed_total(part[0], part[1], rows, constants);
            sums[pair_index(i, j + 1, terms)] += fixed_total(part[2], part[3], rows, constants);
            if (i + 1 <= j)
                sums[pair_index(i + 1, j, terms)] += fixed_total(part[4], part[5], rows, constants);
            sums[pair_index(i + 1, j + 1, terms)] += fixed_total(part[6], part[7], rows, constants);
        }
        for (; j < terms; j++) {
            uint64_t part[2];
            pair_loop(part, a0, b + j * stride, rows, m1, m2);
            sums[pair_index(i, j, terms)] += fixed_total(part[0], part[1], rows, constants);
            if (two && i + 1 <= j) {
                pair_loop(part, a1, b + j * stride, rows, m1, m2);
                sums[pair_index(i + 1, j, terms)] += fixed_total(part[0], part[1], rows, constants);
            }
        }
    }
}

VECTOR_CLONES(triangle_run, triangle_loop,
              (i128 * sums, const double *a, const double *b, size_t stride, size_t terms, size_t rows,
               const struct fixed_constants *constants),
              (sums, a, b, stride, terms, rows, constants))

void product_triangle(i128 *sums, const double *a, const double *b, size_t stride, size_t terms, size_t rows,
                      const struct fixed_constants *constants)
{
    triangle_run(sums, a, b, stride, terms, rows, constants);
}
