/* What a table holds, variable by variable: for the report of an import, and to compare one with the last. */
#ifndef REGISTRY_SUMMARY_H
#define REGISTRY_SUMMARY_H

#include "base/language.h"
#include "registry/columns.h"

struct summary_variable {
    const struct variable *variable; /* of the table's dictionary */
    size_t present, missing;         /* rows */
    bool is_number;                  /* has min, median and max where any is present; else counts */
    double min, median, max;         /* numbers; dates in days. The lower one of two middle values */
    size_t *counts;                  /* per level */
};

struct summary {
    size_t rows, patients;
    struct summary_variable *variables; /* one per variable of the dictionary */
    size_t n_variables;
};

/* In arena; the table outlives it. Errors of columns_block, MAILLE_MEMORY. */
enum maille_code summary_make(struct summary *summary, struct arena *arena, struct columns *table,
                              struct maille_error *error) MAILLE_CHECKED;

/* The share of the rows that have a value of one variable (its index in the dictionary), from 0 to 1; 1 where
 * there are no rows. Errors of columns_block. */
enum maille_code summary_present(double *share, struct columns *table, uint32_t variable,
                                 struct maille_error *error) MAILLE_CHECKED;

/* A number or date of a variable as people write it. */
enum { SUMMARY_VALUE = 32 };
void summary_value(char out[SUMMARY_VALUE], const struct variable *variable, double value);

/* What two summaries may differ by until somebody must look. */
struct summary_limits {
    double fewer, more; /* rows or patients: percent of those before */
    double share;       /* points by which a share (missing, or a level) may move */
    double median;      /* percent of the range of the values before */
};

struct summary_change {
    bool beyond;        /* its limit */
    char sentence[200]; /* "age: median 61, before 58" */
};

/* How `now` differs from `before`, in arena: rows and patients always, and each variable by what moved;
 * variables that one of the two has not. A share of one variable that moved by less than two rows is not
 * told.
 */
void summary_compare(const struct summary_change **changes, size_t *n, struct arena *arena,
                     const struct summary *now, const struct summary *before,
                     const struct summary_limits *limits, enum language language);

#endif
