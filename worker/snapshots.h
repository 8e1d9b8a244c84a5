/* snapshots/index: which snapshots a site has, with the hash that each file had when it was written. */
#ifndef WORKER_SNAPSHOTS_H
#define WORKER_SNAPSHOTS_H

#include <stdbool.h>

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

/* Its path in FOLDER: of a snapshot file, or of the text of a table that stays in the site's engine
 * ("snapshot-0007.engine") where that is there. MAILLE_INVALID: too long. */
enum maille_code snapshots_path(char path[], size_t size, const char *folder, uint32_t number,
                                struct maille_error *error) MAILLE_CHECKED;

/* Likewise of one that is to be written. */
enum maille_code snapshots_path_new(char path[], size_t size, const char *folder, uint32_t number,
                                    bool in_engine, struct maille_error *error) MAILLE_CHECKED;

/* The salt of a new snapshot (struct snapshot_facts): hex of 32 random bytes. */
void snapshots_salt(char out[65]);

/* All entries of FOLDER/index, ascending; *n is 0 where there is no index. MAILLE_CORRUPT with the line that
 * is not an entry. */
enum maille_code snapshots_read(const struct snapshot_entry **entries, size_t *n, struct arena *arena,
                                const char *folder, struct maille_error *error) MAILLE_CHECKED;

/* The newest of n entries where that is after `number`: no query goes on with an older one, so that nothing
 * that is seen from outside depends on why an import was made. 0: `number` is the newest. */
uint32_t snapshots_superseded(const struct snapshot_entry *entries, size_t n, uint32_t number);

/* Adds one entry, whose number must be the next; durable when it returns. */
enum maille_code snapshots_add(const char *folder, const struct snapshot_entry *entry,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
