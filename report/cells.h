/* The tables of a result as they are, with the dictionary's words: for the page and the terminal. */
#ifndef REPORT_CELLS_H
#define REPORT_CELLS_H

#include "report/labels.h"
#include "report/words.h"

/* A cell for reading; in buffer, in the arena of labels, or the result's own. */
const char *cells_words(char buffer[WORDS_MAX], const struct labels *labels,
                        const struct report_analysis *analysis, const struct report_table *table, size_t row,
                        size_t column);

/* The heading of a column: a column of a cross table is named by a variable. */
const char *cells_heading(char buffer[WORDS_MAX], const struct labels *labels, const char *column);

/* Is this column `by` beside a `level`, which says whose it is? */
bool cells_told_by_level(const struct report_table *table, size_t column);

/* A term with its level: "Tumour size: >50 mm". */
labels_words cells_term;

#endif
