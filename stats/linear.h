/* Small symmetric systems in quadruple precision: the information matrices of the regression models. One
 * thread, one order of operations, no BLAS, so that the same totals give the same estimates everywhere.
 *
 * Columns are taken in model order and one that is a combination of those before it is aliased, as R does
 * (R's dqrdc2 moves such columns to the end; `lm` calls them NA). The factor is L·D·L′ (Golub and Van Loan,
 * Matrix Computations, 4th ed., §4.1.2): without pivoting, which would lose the model order, and without
 * square roots, which quadruple precision does not have in C. */
#ifndef STATS_LINEAR_H
#define STATS_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/number.h"

/* A = L·D·L′ over the columns that are not aliased. Lives in the arena that was passed. */
struct linear_factor {
    size_t n;
    f128 *lower;   /* n × n, row-major, unit diagonal not stored; the diagonal holds D. Rows and columns of
                      aliased entries are 0 */
    bool *aliased; /* n */
    size_t rank;   /* entries not aliased */
};

/* Factors the symmetric matrix a (n × n row-major; only the lower triangle is read, nothing is written).
 * A column whose pivot is not above floor[j] is aliased; entries of `aliased` that come in true stay so
 * (NULL: none). */
void linear_decompose(struct linear_factor *factor, struct arena *arena, const f128 *a, const f128 *floor,
                      const bool *aliased, size_t n);

/* x := A⁻¹ x over the columns that are not aliased; the others become 0. */
void linear_solve(const struct linear_factor *factor, f128 *x);

/* The symmetric inverse, n × n row-major; rows and columns of aliased entries are 0. */
void linear_inverse(const struct linear_factor *factor, struct arena *arena, f128 *inverse);

/* x′ A⁻¹ x over the columns that are not aliased. */
f128 linear_inverse_form(const struct linear_factor *factor, struct arena *arena, const f128 *x);

/* x′ A x for a full symmetric matrix. */
f128 linear_form(const f128 *a, const f128 *x, size_t n);

/* The full symmetric n × n matrix from its upper triangle, row by row (as an order-2 tally gives it). */
void linear_unpack(f128 *full, const f128 *upper, size_t n);

#endif
