/* The statements that read a frozen table, and its checksum. The table snapshot_0007 of the site's schema has
 * a column `position` (0, 1, …: rows of one patient stand together), `patient` (the dense index), `row_id`
 * (columns.h), and c0, c1, … of the dictionary's variables: whole numbers as a snapshot file has them, and
 * one below the least that may stand there where the value is missing. No entry is NULL. */
#ifndef REGISTRY_ENGINE_SQL_H
#define REGISTRY_ENGINE_SQL_H

#include "base/bytes.h"
#include "registry/engine.h"

enum { ENGINE_NAME_MAX = 64, ENGINE_COLUMNS_AT_ONCE = 64 };

/* Stand for `patient` and `row_id` among the variables. */
#define ENGINE_PATIENTS UINT32_MAX
#define ENGINE_ROW_IDS (UINT32_MAX - 1)

/* Whether this may be a schema, a role or a server: [a-z_][a-z0-9_]*, at most 63 bytes; no quoting is needed.
 */
bool engine_name_legal(const char *name);

/* "snapshot_0007" */
void engine_table_name(char out[ENGINE_NAME_MAX], uint32_t number);

/* An identifier in double quotes, a text in single ones. */
void engine_put_quoted(struct bytes *out, const char *text, char quote);

/* What a table holds: its rows, and a sum over them of a hash of each with its position, patient, row_id and
 * values (so in any order), in two halves of 64 bits, each under a seed of the snapshot's salt. */
struct engine_count {
    uint64_t rows, patients;
    uint64_t sums[2];
};

/* salt: hexadecimal, as in snapshot_facts. Errors: as engine_driver's run; MAILLE_CORRUPT: no such columns.
 */
enum maille_code engine_count(struct engine_count *count, const struct engine_driver *driver,
                              struct engine *engine, const char *schema, uint32_t number, size_t n_variables,
                              const char *salt, struct maille_error *error) MAILLE_CHECKED;

/* Columns of the rows from position `first` on: out[column * rows + row]. n: at most
 * ENGINE_COLUMNS_AT_ONCE. Errors: as engine_driver's integers. */
enum maille_code engine_block(int64_t *out, const struct engine_driver *driver, struct engine *engine,
                              const char *schema, uint32_t number, const uint32_t *columns, size_t n,
                              size_t first, size_t rows, struct maille_error *error) MAILLE_CHECKED;

#endif
