/* A paper's first table, variables down and groups across: of the method table1, which has all of it; or of a
 * description by group, n (%) and mean (SD), with the medians, standardised mean differences and p-values
 * that other analyses of the study have for the same groups and cohort. */
#ifndef REPORT_TABLE1_H
#define REPORT_TABLE1_H

#include "report/labels.h"

enum { TABLE1_COLUMNS = 8 };

struct table1_row {
    const char *words;
    bool indented;
    const char *cells[TABLE1_COLUMNS]; /* of the groups; "" : none; NULL: withheld */
    const char *smd, *p;               /* "": none */
};

struct table1 {
    const char *headings[TABLE1_COLUMNS]; /* of the groups */
    double n[TABLE1_COLUMNS];             /* patients of the group; NaN: not known */
    size_t n_columns;
    bool has_smd, has_p;
    struct table1_row *rows;
    size_t n_rows;
};

/* NULL where the analysis is neither a table1 nor an unweighted description, or has more groups than
 * TABLE1_COLUMNS. Lives in arena. */
const struct table1 *table1_of(const struct report *report, const struct report_analysis *analysis,
                               struct arena *arena);

#endif
