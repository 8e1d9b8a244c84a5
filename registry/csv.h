/* CSV as hospitals write it: UTF-8 (with or without BOM) or Windows-1252, fields by , ; or tab, quotes, CRLF or LF. */
#ifndef REGISTRY_CSV_H
#define REGISTRY_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { CSV_FIELDS_MAX = 8192, CSV_FIELD_BYTES_MAX = 1 << 20 };

struct csv; /* opaque: an open file, read record by record */

/* What was found, or (fields that are not 0) what to assume instead of looking. */
struct csv_dialect {
    char separator;    /* ',' ';' '\t'; 0: the one that occurs most in the header line */
    char decimal;      /* '.' or ','; 0: ',' where the separator is ';' or a tab and a field such as 12,5 occurs, else '.' */
    bool windows_1252; /* found: bytes that are not UTF-8 are read as Windows-1252 */
};

struct csv_field {
    const char *text; /* UTF-8, NUL-terminated, quotes removed; valid until the next csv_next */
    size_t length;
    bool quoted;
};

struct csv_record {
    const struct csv_field *fields;
    size_t n;
    size_t line;        /* of its first character, from 1 */
    const char *raw;    /* the bytes as they stand in the file, without the line end */
    size_t raw_length;
};

/* Opens a file and finds its dialect. Errors: MAILLE_IO, MAILLE_INVALID. */
enum maille_code csv_open(struct csv **csv, const char *path, const struct csv_dialect *wanted,
                          struct maille_error *error) MAILLE_CHECKED;
void csv_free(struct csv *csv);
struct csv_dialect csv_dialect(const struct csv *csv);

/* The next record, *record->n == 0 at the end. Blank lines are skipped. Errors: MAILLE_INVALID with the line (an open
 * quote at the end of the file, a NUL byte, a limit). */
enum maille_code csv_next(struct csv *csv, struct csv_record *record, struct maille_error *error) MAILLE_CHECKED;

#endif
