/* What a description tells of its rows, for methods that are made of one (stats/table1.c). */
#ifndef STATS_DESCRIBE_H
#define STATS_DESCRIBE_H

#include "stats/method.h"

extern const struct method method_describe;

/* Rows of the analysis in a cell of `by`, and may they be shown? totals: of a description's one round. */
int64_t describe_rows(const struct totals *totals, size_t cell);
bool describe_rows_kept(const struct surviving *surviving, size_t cell);
/* The block of head counts that a number's values in each cell of `by` are. */
size_t describe_values(size_t variable);
/* May it be shown how many rows of a cell of `by` have no value of variable number `variable`? */
bool describe_missing_kept(const struct surviving *surviving, size_t variable, size_t cell);

#endif
