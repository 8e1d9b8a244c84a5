/* Where the rows of frozen columns stand: the one door between what tallies and what keeps. A snapshot file
 * is one source (snapshot_file.c), the site's engine another (engine_columns.c); a table in memory has none.
 * Private to this room.
 *
 * What a source gives is checked by itself: whatever it stands on, every entry is a value that the dictionary
 * allows, patients follow each other without a jump, and a fault is MAILLE_CORRUPT with a sentence. */
#ifndef REGISTRY_SOURCE_H
#define REGISTRY_SOURCE_H

#include "registry/columns.h"

struct source {
    /* Whether the variable may have a missing entry anywhere. */
    bool (*has_missing)(const struct columns *columns, uint32_t variable);

    /* As columns_block, columns_patient_block and columns_row_id_block, of a variable and a block that are
     * there. From several threads, each with its scratch. */
    enum maille_code (*read)(struct column_block *out, const struct columns *columns,
                             struct column_scratch *scratch, uint32_t variable, size_t block,
                             struct maille_error *error);
    enum maille_code (*read_patients)(struct column_block *out, const struct columns *columns,
                                      struct column_scratch *scratch, size_t block,
                                      struct maille_error *error);
    enum maille_code (*read_row_ids)(const uint64_t **ids, const struct columns *columns,
                                     struct column_scratch *scratch, size_t block,
                                     struct maille_error *error);

    void (*free)(void *place); /* of columns; NULL is legal */
};

extern const struct source source_snapshot, source_engine;

#endif
