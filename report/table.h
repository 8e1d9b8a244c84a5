/* A result tree as tidy tables, by its shape alone: no method is known here by name.
 *
 *   list of objects                    a table under the list's name; nested objects become columns a_b
 *   … with parallel lists in them      a row per item, what is said once repeated in each
 *   … with parallel lists over `time`  a row per time in a table of its own, in the singular (curves → curve)
 *   object with parallel lists         a long table
 *   objects with a p_value             rows of the table `tests`, named by their key (the top level by the
 * method) variables + levels + counts        the table `counts`: a row per cell square matrix a table with a
 * column per term or variable other scalars                      the table `summary`, one row */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "report/report.h"

struct report_table {
    const char *part;
    bool detail; /* long or of second rank: a reader wants it folded */
    const char **columns;
    size_t n_columns, columns_capacity;
    struct report_row {
        const struct result **cells; /* scalars; NULL: no such cell */
        size_t capacity;
    } * rows;
    size_t n_rows, rows_capacity;
    struct arena *arena;
    struct report_table *next;
};

/* The tables of an analysis that is OK, linked in the order of its result; NULL when there is none. */
const struct report_table *report_tables(const struct report_analysis *analysis, struct arena *arena);

/* The same rows as one table or several in which every row fills the same columns, linked by `next`; for
 * reading. Tables and columns that hold nothing but null are left out; NULL when nothing is left. */
const struct report_table *report_split(const struct report_table *table, struct arena *arena);

/* A cell, or NULL. */
const struct result *report_cell(const struct report_table *table, size_t row, size_t column);

/* Is this cell null because threshold rounds took it away? Only where the analysis has such: a null count, or
 * any null beside one. */
bool report_withheld(const struct report_table *table, size_t row, size_t column);

#endif
