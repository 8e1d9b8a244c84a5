/* What an import owes to those before it: numbers of rows that stay, and patients who object left out. */
#ifndef WORKER_IMPORT_ROWS_H
#define WORKER_IMPORT_ROWS_H

#include "worker/objections.h"

struct import_rows {
    struct row_keys *keys;
    struct digest secret; /* what the hashes of the map are keyed with */
    struct row_hash hash;
    const char *path; /* of the map: FOLDER/rows */
    const char *folder;
    const struct secret_keys *site; /* the site's keys */
    struct objectors objectors;
    struct objections_told told;
    size_t left_out; /* patients who object */
};

/* Reads the map and the objections of a folder of n snapshots. In place: rows->hash refers to it.
 * MAILLE_CORRUPT where the map is gone or older than the snapshots: other rows would get the numbers of
 * theirs. */
enum maille_code import_rows_open(struct import_rows *rows, struct arena *arena, const char *folder, size_t n,
                                  const struct secret_keys *keys, struct maille_error *error) MAILLE_CHECKED;
void import_rows_clear(struct import_rows *rows);
/* Rotation: what the map is keyed with, and the objections, for other keys of the site. The map holds hashes
 * of pseudonyms and cannot be made anew, so its key stays, from then on in FOLDER/rows.key, sealed under the
 * site's keys. Both are durable; nothing changes where the new keys open them already. MAILLE_CORRUPT:
 * neither keys do. */
enum maille_code import_rows_rekey(const char *folder, const struct secret_keys *from,
                                   const struct secret_keys *to, struct arena *arena,
                                   struct maille_error *error) MAILLE_CHECKED;

/* Numbers the rows of *table where it is new (else it is a snapshot, whose rows have numbers), changes the
 * objections, and replaces the table by one without the patients who object. On disk nothing has changed yet.
 */
enum maille_code import_rows_apply(struct columns **table, struct import_rows *rows, struct arena *arena,
                                   const struct objections_change *change, bool is_new,
                                   struct maille_error *error) MAILLE_CHECKED;
/* Objections and map to disk. number: of the snapshot that they are for. */
enum maille_code import_rows_write(struct import_rows *rows, uint32_t number,
                                   struct maille_error *error) MAILLE_CHECKED;
#endif
