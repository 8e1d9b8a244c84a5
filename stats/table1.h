/* What the two files of table1 share. */
#ifndef STATS_TABLE1_H
#define STATS_TABLE1_H

#include "stats/method.h"

/* Is it a row of this variable in this column? by, level: NULL for the column of all. */
bool table1_row_is(const struct result *row, const char *variable, const char *by, const char *level);

/* Adds `comparisons` to a result that has its `groups` and `variables`: of each variable between the groups
 * of `by`. smd: standardised differences, where there are two groups. p: tests. Neither: adds nothing. */
void table1_compare(struct outcome *outcome, const struct query_value *variables, bool smd, bool p);

#endif
