/* From a site's file to typed columns, checked cell by cell against the dictionary. */
#ifndef REGISTRY_IMPORT_H
#define REGISTRY_IMPORT_H

#include <stdio.h>

#include "query/dictionary.h"
#include "registry/columns.h"

struct import_options {
    char separator, decimal; /* 0: found by looking */
    size_t errors_max;       /* how many problems are listed (0: 20); all are counted */
};

/* One bad cell. It is shown to the site's own staff on their own machine and goes nowhere else. */
struct import_problem {
    size_t line;        /* in the file */
    const char *column; /* name in the header; "" where the whole record is meant */
    char sentence[256]; /* "expected an integer from 0 to 120 years, found \"abc\"" */
};

/* Per variable: what the quality report shows. Counts only. */
struct import_column {
    const char *name;
    size_t present, missing, problems;
    bool absent; /* the file has no such column */
};

struct import_report {
    size_t rows, patients, n_problems;
    struct import_problem *problems; /* the first errors_max of them */
    size_t n_listed;
    struct import_column *columns; /* one per variable of the dictionary */
    size_t n_columns;
    const char **ignored; /* columns of the file that the dictionary does not know */
    size_t n_ignored;
    struct arena *arena; /* owns all of it */
};

/* Reads and checks all of path. On success *table holds the patients: rows of one patient stand together (a
 * stable order otherwise). Where any cell is bad the code is MAILLE_INVALID, *table is NULL and the report
 * lists them. The report is filled in either case and is cleared by the caller. The key column becomes the
 * dense patient index; its text stays with the table in memory (import_key) and is never written into a
 * snapshot. Row ids are the numbers of records in this file (row_keys_number makes them stable). options may
 * be NULL. A file without a record is a table without a patient. Errors: MAILLE_INVALID (a cell, the header,
 * the CSV itself), MAILLE_IO, MAILLE_MEMORY. */
enum maille_code import_csv(struct columns **table, struct import_report *report,
                            const struct dictionary *dictionary, const char *path,
                            const struct import_options *options, struct maille_error *error) MAILLE_CHECKED;

/* The pseudonym of a patient (below columns_patients) of a table that import_csv made; NULL for any other
 * table. */
const char *import_key(const struct columns *table, int32_t patient);

/* Gives back all of a report; one that is all zeros is legal. */
void import_report_clear(struct import_report *report);

/* The quality report in words, for a terminal. */
void import_report_print(const struct import_report *report, const struct dictionary *dictionary, FILE *to);

#endif
