/* Exact sums of products over a run of rows: the inner loops of moments.c. Internal to tally/. */
#ifndef TALLY_PRODUCT_H
#define TALLY_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/number.h"
#include "tally/fixed.h"

/* A run is at most this many rows: the wrapped sums of 2^10 numbers below 2^52 keep their sign. */
enum { PRODUCT_ROWS = 1024 };

/* sums[k] += Σ_r round(a_i[r]·b_j[r]) for the pairs i ≤ j < terms, row-wise: k = 0 is (0, 0), then (0, 1) …
 * Column i of a starts at a + i·stride. */
void product_triangle(i128 *sums, const double *a, const double *b, size_t stride, size_t terms, size_t rows,
                      const struct fixed_constants *constants);

/* Columns for product_triangle of all rows, where most count: 0, which adds nothing, stands where keep[r] is
 * 0. out[r] = values[r]; and with weights, which come from product_mask themselves, weighted[r] =
 * weights[r]·values[r]. False where a row that counts lies outside of the bound. */
bool product_mask(double *out, const double *values, const uint8_t *keep, size_t rows, double bound);
bool product_weigh(double *weighted, double *out, const double *values, const double *weights,
                   const uint8_t *keep, size_t rows, double bound);

/* high[r]·2^FIXED_STEP + low[r] = round(a[r]), to be scattered over groups. */
void product_split(int64_t *high, int64_t *low, const double *a, size_t rows,
                   const struct fixed_constants *constants);

#endif
