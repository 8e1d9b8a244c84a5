/* Counts and exact sums by group over a run of rows, where the rows stand as they are: no row is moved, a row
 * that does not count has a group of its own after the last. The inner loops of moments.c for orders 0 and 1.
 * Internal to tally/. */
#ifndef TALLY_GROUPED_H
#define TALLY_GROUPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/number.h"
#include "tally/fixed.h"

/* A run is at most this many rows. */
enum { GROUPED_ROWS = 1024, GROUPED_COUNT_MAX = 32 };

/* counts[g] += rows of group g that keep marks (1, not 0), g < n_groups ≤ GROUPED_COUNT_MAX. codes: a group
 * for every row that is marked; NULL: 0. */
void grouped_count(int64_t *counts, const uint8_t *keep, const int32_t *codes, size_t rows, size_t n_groups);

/* What is summed of one run: a column of values, times a weight or not, with their public bounds. */
struct grouped_value {
    const double *values, *weight; /* weight NULL: 1 */
    double bound, weight_bound;
};

/* *sum += Σ round(weight·value) over the rows that keep marks, in units of 2^-fraction (fixed.h). False, and
 * nothing is added, where one of them lies outside of its bound. */
bool grouped_sum(i128 *sum, const struct grouped_value *value, const uint8_t *keep, size_t rows,
                 const struct fixed_constants *constants);

/* Sums by group of several values, kept as two 64-bit integers each (fixed.h: of Q1 and of Q2) for a few runs
 * before they are folded into 128 bits. */
struct grouped; /* opaque */

/* Bytes that one takes. */
size_t grouped_memory(size_t n_groups, size_t n_values);
struct grouped *grouped_new(size_t n_groups, size_t n_values); /* NULL: no memory */
void grouped_free(struct grouped *grouped);                    /* wipes; NULL is legal */

/* Adds round(weight·value) of every row that keep marks to the sums of its group, for the n_values values
 * (one weight for all of them). Folds into sums [group · n_values + value] when these may be full. False, and
 * the sums are of no use, where a row that keep marks lies outside of a bound. */
bool grouped_add(struct grouped *grouped, i128 *sums, const struct grouped_value *values, const uint8_t *keep,
                 const int32_t *codes, size_t rows, const struct fixed_constants *constants);

/* Folds what has not been folded. */
void grouped_settle(struct grouped *grouped, i128 *sums);

#endif
