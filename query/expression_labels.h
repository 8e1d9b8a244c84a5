/* Private to query/: numbers and intervals under the names that R gives them. */
#ifndef QUERY_EXPRESSION_LABELS_H
#define QUERY_EXPRESSION_LABELS_H

#include <stdbool.h>

#include "base/arena.h"

/* The n − 1 level names of cut(x, breaks, right =, include.lowest =) for n breaks, the ends maybe infinite:
 * cut.default of R 4.2 (dig.lab = 3). */
const char *const *expression_labels_of_cut(struct arena *arena, const double *breaks, size_t n, bool right,
                                            bool include_lowest);

/* A number as R's deparse() writes it: 15 significant digits, fixed or scientific, whichever is shorter
 * (`1e+05`, `123456`). */
const char *expression_labels_of_number(struct arena *arena, double value);

#endif
