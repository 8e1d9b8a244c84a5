/* Columns whose rows stay in the site's engine. Beside, where a snapshot file would stand, is a text of what
 * was frozen: dictionary, counts, checksum; its hash is the snapshot's. Blocks are fetched when they are
 * asked for, and a few of them are kept; whoever tallies sees no difference to a file. */
#ifndef REGISTRY_ENGINE_COLUMNS_H
#define REGISTRY_ENGINE_COLUMNS_H

#include "registry/columns.h"
#include "registry/engine_sql.h"

/* Whether path names such a text: it ends in ".engine". */
bool engine_columns_path(const char *path);

/* Who fetches: another process (worker/source.h), or this one. */
struct engine_reader {
    void *context;
    /* As engine_count and engine_block. From several threads, one at a time for one struct columns. */
    enum maille_code (*count)(void *context, struct engine_count *count, uint32_t number, size_t n_variables,
                              const char *salt, struct maille_error *error);
    enum maille_code (*block)(void *context, int64_t *out, uint32_t number, const uint32_t *columns, size_t n,
                              size_t first, size_t rows, struct maille_error *error);
};

/* In this process, over a connection. */
struct engine_link {
    const struct engine_driver *driver;
    struct engine *engine;
    const char *schema;
};
struct engine_reader engine_reader_over(struct engine_link *link);

/* Writes the text: beside, durable, 0400. MAILLE_INVALID where something is at path; MAILLE_IO. */
enum maille_code engine_columns_write(const char *path, const struct snapshot_facts *facts,
                                      const struct engine_count *count, const struct dictionary *dictionary,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Opens what a text says is frozen, and counts it in the engine (engine_columns_check). reader's context
 * outlives the columns. MAILLE_CORRUPT: another text; also the errors of reader. */
enum maille_code engine_columns_open(struct columns **columns, const char *path,
                                     const struct engine_reader *reader,
                                     struct maille_error *error) MAILLE_CHECKED;

/* A table that was frozen just now and has no text yet; its count is taken as it is. */
enum maille_code engine_columns_new(struct columns **columns, const struct dictionary *dictionary,
                                    const struct snapshot_facts *facts, const struct engine_count *count,
                                    const struct engine_reader *reader,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Whether the engine still holds what was frozen: MAILLE_CORRUPT where count or checksum differ, or where
 * patients do not go on from block to block. */
enum maille_code engine_columns_check(const struct columns *columns,
                                      struct maille_error *error) MAILLE_CHECKED;

#endif
