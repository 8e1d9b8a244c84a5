/* Inside of struct columns: a table in memory, or what a source keeps. Private to this room. */
#ifndef REGISTRY_TABLE_H
#define REGISTRY_TABLE_H

#include "base/arena.h"
#include "registry/cell.h"
#include "registry/columns.h"

struct keymap;
struct source;

/* One variable in memory. Also at a missing entry stands a value within the dictionary's range (the least),
 * so that whoever goes over all entries without looking at the mask meets no surprise. */
struct stored {
    enum column_storage storage;
    void *values;
    uint8_t *missing; /* one bit a row; NULL while none is */
};

struct columns {
    struct arena *arena; /* the dictionary, whole, and stored */
    const struct dictionary *dictionary;
    struct snapshot_facts facts;
    size_t rows, patients;

    /* In memory (source is NULL). */
    struct stored *stored; /* one per variable */
    int32_t *patient;      /* dense index of each row */
    uint64_t *row_id;      /* columns.h: row_id_row, row_id_patient; kept by columns_subset */
    size_t capacity;       /* rows that there is room for */
    struct keymap *keys;   /* the patients' pseudonyms: after an import alone, never in a file */

    const struct source *source; /* source.h; NULL: in memory */
    void *place;                 /* what the source keeps of these columns */
    struct column_cache *cache;  /* of the source's blocks; NULL: none */
};

/* An empty table in memory with a copy of the dictionary, and room for capacity rows. Free with columns_free.
 */
enum maille_code table_new(struct columns **table, const struct dictionary *dictionary, size_t capacity,
                           struct maille_error *error) MAILLE_CHECKED;

/* A copy that lives in arena and refers to nothing of the original. */
const struct dictionary *table_copy_dictionary(struct arena *arena, const struct dictionary *dictionary);

/* Appends a row: one cell per variable of the dictionary. patient: its dense index, which may come in any
 * order until table_group. Errors: MAILLE_INVALID past COLUMNS_ROWS_MAX; MAILLE_MEMORY. */
enum maille_code table_append(struct columns *table, const struct cell *cells, int32_t patient,
                              uint64_t row_id, struct maille_error *error) MAILLE_CHECKED;

/* Brings the rows of a patient together, in the order of the patients' indices and otherwise as appended.
 * patients: how many there are; each has a row. Errors: MAILLE_MEMORY. */
enum maille_code table_group(struct columns *table, size_t patients,
                             struct maille_error *error) MAILLE_CHECKED;

/* Bytes of one entry. */
size_t table_storage_size(enum column_storage storage);

/* Rows of a block: COLUMNS_BLOCK_ROWS but for the last. */
size_t table_block_rows(const struct columns *columns, size_t block);

/* Whether the variable has a missing entry anywhere. */
bool table_has_missing(const struct columns *columns, uint32_t variable);

/* What columns_block and columns_patient_block do, on a table that nobody changes; and the row ids of a
 * block. */
enum maille_code table_read(struct column_block *out, const struct columns *columns,
                            struct column_scratch *scratch, uint32_t variable, size_t block,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code table_read_patients(struct column_block *out, const struct columns *columns,
                                     struct column_scratch *scratch, size_t block,
                                     struct maille_error *error) MAILLE_CHECKED;
enum maille_code table_read_row_ids(const uint64_t **ids, const struct columns *columns,
                                    struct column_scratch *scratch, size_t block,
                                    struct maille_error *error) MAILLE_CHECKED;

#endif
