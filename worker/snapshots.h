/* snapshots/index: which snapshots a site has, with the hash that each file had when it was written. */
#ifndef WORKER_SNAPSHOTS_H
#define WORKER_SNAPSHOTS_H

#include "base/arena.h"
#include "crypto/hash.h"

enum { SNAPSHOTS_MAX = 9999, SNAPSHOT_NAME_BYTES = 32 };

struct snapshot_entry {
    uint32_t number;
    struct digest hash; /* of the file */
    uint64_t rows;
    const char *created; /* RFC 3339, UTC */
};

/* "snapshot-0007.h5" */
void snapshots_name(char out[SNAPSHOT_NAME_BYTES], uint32_t number);

/* All entries of FOLDER/index, ascending; *n is 0 where there is no index. MAILLE_CORRUPT with the line that
 * is not an entry. */
enum maille_code snapshots_read(const struct snapshot_entry **entries, size_t *n, struct arena *arena,
                                const char *folder, struct maille_error *error) MAILLE_CHECKED;

/* Adds one entry, whose number must be the next; durable when it returns. */
enum maille_code snapshots_add(const char *folder, const struct snapshot_entry *entry,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
