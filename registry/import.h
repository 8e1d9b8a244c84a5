/* From a site's file to typed columns, checked cell by cell against the dictionary. */
#ifndef REGISTRY_IMPORT_H
#define REGISTRY_IMPORT_H

#include <stdio.h>

#include "base/language.h"
#include "query/dictionary.h"
#include "registry/csv.h"
#include "registry/problems.h"
#include "registry/summary.h"

struct mapping;
struct derive;

struct import_options {
    char separator, decimal;       /* 0: found by looking */
    size_t errors_max;             /* how many groups of problems are listed (0: 10000); all are counted */
    const struct mapping *mapping; /* how the file says what the dictionary asks for; NULL: in its words */
    struct derive *derive;         /* whose tables are read (derive_read); NULL: one table */
    const char *query;             /* of a database (registry/route.h); NULL: none */
    bool needs_patients;           /* a file without a record is a problem */
    void (*saw)(void *context, const void *bytes, size_t length); /* the bytes that were read; NULL: nobody */
    void *context;
};

/* Per variable: what the quality report shows. */
struct import_column {
    const char *name;
    size_t field; /* which column of the file, from 1 */
    size_t present, missing, problems;
    bool absent; /* the file has no such column */
};

struct import_report {
    struct csv_dialect dialect;
    size_t rows, patients;
    size_t n_problems; /* lines with an error, column by column; n_questions: that somebody must look at */
    size_t n_questions;
    const struct import_problem *problems; /* groups, notes too: errors first, then by column of the file */
    size_t n_listed, n_unlisted;           /* groups; lines of groups past errors_max */
    struct import_column *columns;         /* one per variable of the dictionary */
    size_t n_columns;
    struct summary summary; /* of the records without an error; n_variables 0: none was read */
    const char **ignored;   /* columns of the file that the dictionary does not know */
    size_t n_ignored;
    struct arena *arena; /* owns all of it */
};

/* Reads and checks all of path ("-": standard input). On success *table holds the patients: rows of one
 * patient stand together (a stable order otherwise). Where there is an error the code is MAILLE_INVALID,
 * *table is NULL and the report lists all there are; questions and notes are listed too and let the table
 * pass. The report is filled in either case and is cleared by the caller. The key column becomes the dense
 * patient index; its text stays with the table in memory (import_key) and is never written into a snapshot.
 * Row ids are the numbers of records in this file (row_keys_number makes them stable). options may be NULL. A
 * file without a record is a table without a patient. Errors: MAILLE_INVALID (a cell, the header, the CSV
 * itself; a file that changed while it was read), MAILLE_IO, MAILLE_MEMORY. */
enum maille_code import_csv(struct columns **table, struct import_report *report,
                            const struct dictionary *dictionary, const char *path,
                            const struct import_options *options, struct maille_error *error) MAILLE_CHECKED;

/* The pseudonym of a patient (below columns_patients) of a table that import_csv made; NULL for any other
 * table. */
const char *import_key(const struct columns *table, int32_t patient);

/* Gives back all of a report; one that is all zeros is legal. */
void import_report_clear(struct import_report *report);

/* The quality report in words, for a terminal; what is wrong with a cell is told in English. */
void import_report_print(const struct import_report *report, const struct dictionary *dictionary,
                         enum language language, FILE *to);

/* "UTF-8, fields by \";\", decimal mark \",\"" */
enum { IMPORT_DIALECT = 80 };
void import_dialect(char out[IMPORT_DIALECT], const struct csv_dialect *dialect, enum language language);

#endif
