/* CSV as hospitals write it: UTF-8 (with or without BOM) or Windows-1252, fields by , ; | or tab, quotes,
 * CRLF or LF. */
#ifndef REGISTRY_CSV_H
#define REGISTRY_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "registry/encoding.h"

enum { CSV_FIELDS_MAX = 8192, CSV_FIELD_BYTES_MAX = 1 << 20 };

struct csv; /* opaque: an open file, read record by record */

/* What was found, or (fields that are not 0) what to assume instead of looking. */
struct csv_dialect {
    char separator; /* ',' ';' '\t' '|'; 0: what a first line sep=; says, else the one that occurs most in the
                     * first line */
    char decimal;   /* '.' or ','; 0: ',' where the separator is no ',' and 12,5 occurs more often than 12.5,
                     * else '.' */
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

/* Opens a file and finds its dialect, for which it is read once; wanted may be NULL. path "-" is standard
 * input; that, and a pipe, is held in memory. Free with csv_free. Errors: MAILLE_IO; MAILLE_INVALID (neither
 * file nor pipe, a separator or decimal that is none); MAILLE_MEMORY. A file that is no text in UTF-8 or
 * Windows-1252 is a fault that the first csv_next finds. */
enum maille_code csv_open(struct csv **csv, const char *path, const struct csv_dialect *wanted,
                          struct maille_error *error) MAILLE_CHECKED;
void csv_free(struct csv *csv);
struct csv_dialect csv_dialect(const struct csv *csv);

/* The decimal mark of a number with a fraction and nothing else (12,5 or -0.25), 0 for any other text. */
char csv_decimal_of(const struct csv_field *field);

/* From the first line again, with this separator and decimal mark. */
enum maille_code csv_restart(struct csv *csv, char separator, char decimal,
                             struct maille_error *error) MAILLE_CHECKED;

/* The next record, the header being the first; record->n == 0 at the end. Lines end with LF, CRLF, CR or CR
 * CR LF; blank lines are skipped. The file is never held in memory: one record is. Errors: MAILLE_INVALID
 * with path and line (a quote that is not closed, text after a closing quote, a NUL byte, a limit);
 * MAILLE_IO; MAILLE_MEMORY. */
enum maille_code csv_next(struct csv *csv, struct csv_record *record,
                          struct maille_error *error) MAILLE_CHECKED;

/* What csv_next found wrong last. csv_skip: it goes on with the line after the one where that record begins;
 * false where nothing after it can be read. */
const struct text_fault *csv_fault(const struct csv *csv);
bool csv_skip(struct csv *csv);

/* Bytes go to saw as they are read for good: all of the file, once, in order, from the next csv_restart to
 * the end. */
void csv_watch(struct csv *csv, void (*saw)(void *context, const void *bytes, size_t length), void *context);

/* After the last record: is the file the one that was opened? MAILLE_INVALID where its length or its time of
 * change moved while it was read. */
enum maille_code csv_unchanged(const struct csv *csv, struct maille_error *error) MAILLE_CHECKED;

/* What was taken for granted, with counts and the first line of each; since the last restart. */
struct csv_oddities {
    size_t marks;                    /* byte order marks before the text, where there are two or more */
    size_t other_lines, first_other; /* with a byte beyond ASCII, read as Windows-1252 */
    size_t spanning, first_spanning; /* records that span lines */
    size_t double_carriage;          /* lines that end with CR CR LF */
    size_t first_double_carriage;
    size_t open_end; /* the last line, where it has no end; else 0 */
};
void csv_oddities(struct csv_oddities *oddities, const struct csv *csv);

/* Appends a field in quotes, those within it twice. */
void csv_put_quoted(struct bytes *out, const char *text);

#endif
