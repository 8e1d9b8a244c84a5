/* Private to disclosure/: what lets a number be shown, checked in whole numbers. The simplex method answers
 * in floating point; its answers are rounded to fractions here, and count only where these fulfil everything
 * exactly. So a wrong answer, or one that is no fraction with a small denominator, hides and never shows. */
#ifndef DISCLOSURE_SUPPRESS_EXACT_H
#define DISCLOSURE_SUPPRESS_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/number.h"

/* Sums of columns that are not negative. All counts from 1, as GLPK's; columns beyond n_columns are not
 * looked at. |value| ≤ 1, at most 2^30 entries, |sum| < 2^40. */
struct exact_system {
    const int *row, *column, *value; /* [1 … n] */
    size_t n;
    int n_rows, n_columns;
    const bool *given;  /* [row]: this sum is known; else it may be anything */
    const int64_t *sum; /* [row], of those that are given; else 0 */
};

struct exact_fraction {
    i128 above;
    int64_t below; /* > 0 */
};

/* Is the answer (of each column) near one with all sums that are given? out: what it makes of `row`. False
 * also without memory. */
bool suppress_exact_solution(struct exact_fraction *out, const struct exact_system *system,
                             const double *answer, int row);
/* Is the answer (a weight of each row) near one that proves that there is no solution: no column is more in
 * the rows than out of them by their weights, and the given sums are, by these, above 0 (Farkas)? */
bool suppress_exact_contradiction(const struct exact_system *system, const double *answer);
/* high − low ≥ width. */
bool suppress_exact_apart(struct exact_fraction low, struct exact_fraction high, int64_t width);

#endif
