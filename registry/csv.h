/* CSV as hospitals write it: UTF-8 (with or without BOM) or Windows-1252, fields by , ; or tab, quotes, CRLF
 * or LF. */
#ifndef REGISTRY_CSV_H
#define REGISTRY_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { CSV_FIELDS_MAX = 8192, CSV_FIELD_BYTES_MAX = 1 << 20 };

struct csv; /* opaque: an open file, read record by record */

/* What was found, or (fields that are not 0) what to assume instead of looking. */
struct csv_dialect {
    char separator; /* ',' ';' '\t'; 0: the one that occurs most in the header line */
    char decimal;   /* '.' or ','; 0: ',' where the separator is ';' or a tab and 12,5 occurs more often than
                     * 12.5, else '.' */
    bool windows_1252; /* found: the file is not UTF-8 as a whole and is read as Windows-1252 */
};

struct csv_field {
    const char *text; /* UTF-8, NUL-terminated, quotes removed; valid until the next csv_next */
    size_t length;
    bool quoted;
};

struct csv_record {
    const struct csv_field *fields;
    size_t n;
    size_t line;     /* of its first character, from 1 */
    const char *raw; /* the bytes as they stand in the file, without the line end and without a BOM; not
                      * NUL-terminated, valid until the next csv_next */
    size_t raw_length;
};

/* Opens a file and finds its dialect, for which it is read once; wanted may be NULL. Free with csv_free.
 * Errors: MAILLE_IO; MAILLE_INVALID (not a regular file, UTF-16, a separator or decimal that is none);
 * MAILLE_MEMORY. */
enum maille_code csv_open(struct csv **csv, const char *path, const struct csv_dialect *wanted,
                          struct maille_error *error) MAILLE_CHECKED;
void csv_free(struct csv *csv);
struct csv_dialect csv_dialect(const struct csv *csv);

/* The next record, the header being the first; record->n == 0 at the end. Lines end with LF, CRLF or CR;
 * blank lines are skipped. The file is never held in memory: one record is. Errors: MAILLE_INVALID with path
 * and line (a quote that is not closed, text after a closing quote, a NUL byte, a limit); MAILLE_IO;
 * MAILLE_MEMORY. */
enum maille_code csv_next(struct csv *csv, struct csv_record *record,
                          struct maille_error *error) MAILLE_CHECKED;

#endif
