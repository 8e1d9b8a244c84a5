/* How numbers and names read to people: rounded sensibly, p values as they are written in papers. */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "report/table.h"

enum { WORDS_MAX = 64 };

/* A cell for reading: "0.734", "<0.001" for a p value, "12.3%" for a share, "–" for null. A text is returned
 * as it is, anything else is in buffer. column: its name in the result file. */
const char *words_cell(char buffer[WORDS_MAX], const char *column, const struct result *cell);

/* "std_error" → "Std. error"; an unknown name with spaces for underscores. Text of a category's name stays as
 * it is. */
const char *words_column(char buffer[WORDS_MAX], const char *column);
const char *words_part(char buffer[WORDS_MAX], const char *part);

/* Do the cells of a column stand on the right (numbers)? */
bool words_right(const struct report_table *table, size_t column);

/* The ratio that exp(estimate) is in this result ("Hazard ratio", "Odds ratio", "Rate ratio"), or NULL. */
const char *words_ratio(const struct result *result);
/* "1.43 (1.20 to 1.71)": exp(estimate) and its limits in a row of the terms; in buffer. */
const char *words_ratio_cell(char buffer[WORDS_MAX], const struct report_table *terms, size_t row);

/* "refused by the sites' policy (min_cell): …", one sentence about an analysis that has no result; in the
 * arena. */
const char *words_status(const struct report_analysis *analysis, struct arena *arena);

#endif
