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
 * the others missing. */
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

/* Reads the tables. What is wrong in one is MAILLE_INVALID with its first problem. saw: as import_options.
 * Release with derive_clear. */
enum maille_code derive_read(struct derive *derive,
                             void (*saw)(void *context, const void *bytes, size_t length), void *context,
                             struct maille_error *error) MAILLE_CHECKED;
void derive_clear(struct derive *derive); /* NULL is legal */

/* Whether this variable of the dictionary is derived. derive may be NULL. */
bool derive_has(const struct derive *derive, size_t variable);

/* Fills the cells of the derived variables of one patient, of whom the others are there. False where one does
 * not fit its variable: *bad is which, and sentence says why. */
bool derive_cells(struct cell *cells, size_t *bad, char sentence[CELL_SENTENCE_MAX], struct derive *derive,
                  const char *key, size_t length);

/* Patients of a table of whom derive_cells was never asked, table by table: true while there is one, from
 * *table = 0 on. */
bool derive_strangers(const char **name, size_t *patients, size_t *table, const struct derive *derive);

#endif
