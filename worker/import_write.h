/* The next frozen snapshot of a site, from a table that was read or from a snapshot before it. */
#ifndef WORKER_IMPORT_WRITE_H
#define WORKER_IMPORT_WRITE_H

#include "base/language.h"
#include "crypto/identity.h"
#include "registry/columns.h"
#include "worker/import_engine.h"
#include "worker/snapshots.h"

struct import_order {
    const char *dir;                   /* the site's folder */
    const char *objections, *withdraw; /* files; NULL: none */
    const char *source_hash;           /* of the file that was read, hexadecimal; NULL: rows of a snapshot */
    const char *tables_hash;      /* of the rules by which variables were derived; NULL or "": none were */
    uint32_t again;               /* of which one; 0: the newest */
    struct import_engine *engine; /* whose relation was read; NULL: a file or a snapshot */
    bool is_public, yes;
    enum language language; /* of what is printed */
    bool monthly;           /* nothing where the newest snapshot is of this month, or there is none */
};

/* table: what import_csv made (*table is replaced and stays the caller's), or NULL with the rows of a
 * snapshot. A new table is compared with the newest snapshot, and the difference is printed. One import at a
 * time in a folder. MAILLE_INVALID where somebody must look first and `yes` is not set; nothing has changed
 * then. */
enum maille_code import_write(struct columns **table, const struct import_order *order,
                              const struct secret_keys *keys, struct arena *arena,
                              struct maille_error *error) MAILLE_CHECKED;

/* Path of a snapshot's file, checked to be as it was imported. MAILLE_CORRUPT: other bytes. */
enum maille_code import_snapshot_path(char path[], size_t size, const char *folder,
                                      const struct snapshot_entry *entry,
                                      struct maille_error *error) MAILLE_CHECKED;

/* How the new table differs from the newest snapshot, printed; *beyond: of the site's limits. */
enum maille_code import_compare(bool *beyond, struct columns *table, const struct import_order *order,
                                const char *folder, const struct snapshot_entry *entries, size_t n,
                                struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

#endif
