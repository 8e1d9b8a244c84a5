/* A table of texts that becomes a CSV (RFC 4180), a JSON list of objects, or a table of a page. */
#ifndef CLI_SHEET_H
#define CLI_SHEET_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/language.h"
#include "report/html.h"

struct sheet_column {
    const char *key;              /* of the JSON */
    const char *title[LANGUAGES]; /* of the CSV and the page */
    bool is_number;               /* its cells are numbers of JSON, or "" */
};

/* Zero-initialise with columns, n_columns and arena. */
struct sheet {
    const struct sheet_column *columns;
    size_t n_columns, n_rows, room;
    const char ***rows; /* n_columns texts each; "" for none */
    struct arena *arena;
};

/* A copy of n_columns cells. */
void sheet_add(struct sheet *sheet, const char *const *cells);
/* Texts of cells, in the sheet's arena. */
const char *sheet_number(struct sheet *sheet, uint64_t value);
const char *sheet_time(struct sheet *sheet, int64_t utc_ms); /* "2026-11-23 17:51:50" */

/* Appends. In French as a French spreadsheet opens it by a double click: a byte order mark, and ; between
 * cells. */
void sheet_csv(struct bytes *out, const struct sheet *sheet, enum language language);
void sheet_json(struct bytes *out, const struct sheet *sheet);

/* FOLDER/NAME.csv and FOLDER/NAME.json, whose paths it prints. */
enum maille_code sheet_write(const struct sheet *sheet, const char *folder, const char *name,
                             enum language language, struct maille_error *error) MAILLE_CHECKED;

/* One file of a folder, whose path it prints. */
enum maille_code sheet_write_file(const char *folder, const char *name, const struct bytes *content,
                                  struct maille_error *error) MAILLE_CHECKED;

/* A description list, of one row: every column that has a text. */
void sheet_page_row(struct html *h, const struct sheet *sheet, size_t row, enum language language);

#endif
