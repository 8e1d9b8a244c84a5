/* Variables of a patient that come out of further tables (lines of treatment, visits, drugs) by declared
 * rules. The rules are a file of the network's, so that they are the same at every site:
 *
 *     derive: esme-mbc@1
 *     tables:
 *       - { name: lines, dictionary: lines.yaml, file: lines.csv, order: begin }
 *     variables:
 *       n_lines:     { table: lines, rule: count }
 *       first_chemo: { table: lines, rule: first, of: begin, where: { class: [chemo] } }
 *       early_chemo: { table: lines, rule: any, where: { class: [chemo] }, after: date_met, days: [0, 90] }
 *
 * A table is described by a dictionary of its own, whose key is the patient's pseudonym; `order` is a
 * variable of it. A row counts where each variable of `where` has one of the values and, with `after`, the
 * day of `order` less the patient's own is within `days`. first and last are by `order` (equal days: as the
 * file has them); a row without `order` is neither, nor within days. count and any of no row are 0 and FALSE,
 * the others missing.
 *
 * A table of lines is made out of one of drugs (`rules: lines/1`, registry/lines.h); it has line, begin, end
 * and class. `rows: { from, to, event, start, stop }` makes rows (start, stop] of a patient: from one date of
 * the dictionary to another, cut where a variable with `changes: true` does, whose value is that of the rows
 * of the table up to the day on which the row starts. The event stands in the last row. */
#ifndef REGISTRY_DERIVE_H
#define REGISTRY_DERIVE_H

#include "registry/cell.h"
#include "registry/problems.h"

struct derive; /* opaque */

/* Parses rules for this dictionary; paths in it are relative to `folder` ("" or "a/b/"). Everything lives in
 * arena; the tables are not read yet. MAILLE_INVALID with file, line and column. */
enum maille_code derive_parse(struct derive **derive, struct arena *arena, const char *name, const char *text,
                              size_t length, const char *folder, const struct dictionary *dictionary,
                              struct maille_error *error) MAILLE_CHECKED;

/* What the rules say, as a text that is the same at every site: without comments and layout, with what the
 * tables' dictionaries say, and without the names of files. Its hash is a dictionary's `tables`. */
const char *derive_text(const struct derive *derive);

/* Reads the tables. What is wrong in one is MAILLE_INVALID with its first problem. saw: as import_options.
 * Release with derive_clear. */
enum maille_code derive_read(struct derive *derive,
                             void (*saw)(void *context, const void *bytes, size_t length), void *context,
                             struct maille_error *error) MAILLE_CHECKED;
void derive_clear(struct derive *derive); /* NULL is legal */

/* Whether this variable of the dictionary is derived. derive may be NULL. */
bool derive_has(const struct derive *derive, size_t variable);

/* How many rows a patient has, of whom the other cells are there: 1, or as many as his follow-up is cut into.
 * MAILLE_MEMORY. */
enum maille_code derive_patient(size_t *rows, struct derive *derive, const struct cell *cells,
                                const char *key, size_t length, struct maille_error *error) MAILLE_CHECKED;

/* Fills the cells of row 0, 1, … of the patient that derive_patient was asked for last. False where one does
 * not fit its variable: *bad is which, and sentence says why. */
bool derive_cells(struct cell *cells, size_t *bad, char sentence[CELL_SENTENCE_MAX], struct derive *derive,
                  const char *key, size_t length, size_t row);

/* Whether patients are cut into rows; *unfollowed: those so far who have no follow-up to cut. */
bool derive_makes_rows(const struct derive *derive, size_t *unfollowed);

/* Patients of a table of whom derive_cells was never asked, table by table: true while there is one, from
 * *table = 0 on. */
bool derive_strangers(const char **name, size_t *patients, size_t *table, const struct derive *derive);

#endif
