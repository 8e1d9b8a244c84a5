#include "registry/columns.h"

#include "registry/cached.h"
#include "registry/snapshot_file.h"

void column_scratch_clear(struct column_scratch *scratch)
{
    column_cache_release(scratch);
    bytes_clear(&scratch->packed);
    bytes_clear(&scratch->plain);
    bytes_clear(&scratch->bits);
}

enum maille_code columns_open(struct columns **columns, const char *path, struct maille_error *error)
{
    return snapshot_read(columns, path, error);
}

const struct dictionary *columns_dictionary(const struct columns *columns)
{
    return columns->dictionary;
}

const struct snapshot_facts *columns_facts(const struct columns *columns)
{
    return &columns->facts;
}

size_t columns_rows(const struct columns *columns)
{
    return columns->rows;
}

size_t columns_patients(const struct columns *columns)
{
    return columns->patients;
}

size_t columns_blocks(const struct columns *columns)
{
    return columns->rows / COLUMNS_BLOCK_ROWS + (columns->rows % COLUMNS_BLOCK_ROWS != 0);
}

enum maille_code columns_block(struct column_block *out, struct columns *columns,
                               struct column_scratch *scratch, uint32_t variable, size_t block,
                               struct maille_error *error)
{
    if (columns->cache != NULL)
        return column_cache_read(out, columns, scratch, variable, block, error);
    return table_read(out, columns, scratch, variable, block, error);
}

enum maille_code columns_patient_block(struct column_block *out, struct columns *columns,
                                       struct column_scratch *scratch, size_t block,
                                       struct maille_error *error)
{
    if (columns->cache != NULL)
        return column_cache_read(out, columns, scratch, CACHED_PATIENTS, block, error);
    return table_read_patients(out, columns, scratch, block, error);
}

enum maille_code columns_row_id_block(const uint64_t **ids, struct columns *columns,
                                      struct column_scratch *scratch, size_t block,
                                      struct maille_error *error)
{
    return table_read_row_ids(ids, columns, scratch, block, error);
}

/* ---- A part of a table ---- */

static void cell_of(struct cell *cell, const struct column_block *block, size_t r)
{
    *cell = (struct cell){.missing = column_is_missing(block->missing, r),
                          .integer = column_entry(block->storage, block->values, r)};
}

/* One block of every variable. */
struct whole_block {
    struct column_block *columns;
    struct column_scratch *scratches; /* one per variable, then patients, then row ids */
    struct column_block patients;
    const uint64_t *row_ids;
    struct cell *cells;
};

static enum maille_code read_whole_block(struct whole_block *whole, const struct columns *from, size_t block,
                                         struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = from->dictionary->n_variables;
    for (uint32_t v = 0; v < n; v++)
        MAILLE_TRY(table_read(&whole->columns[v], from, &whole->scratches[v], v, block, error));
    MAILLE_TRY(table_read_patients(&whole->patients, from, &whole->scratches[n], block, error));
    code = table_read_row_ids(&whole->row_ids, from, &whole->scratches[n + 1], block, error);
out:
    return code;
}

enum maille_code columns_subset(struct columns **out, const struct columns *from, const bool *keep,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *table = NULL;
    struct arena *arena = arena_new();
    size_t n = from->dictionary->n_variables, kept = 0;
    struct whole_block whole = {0};
    int32_t last = -1, patients = 0;
    if (arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a part of a table, found none");
        goto out;
    }
    for (size_t r = 0; r < from->rows; r++)
        kept += keep[r];
    whole.columns = arena_array(arena, n, sizeof *whole.columns);
    whole.cells = arena_array(arena, n, sizeof *whole.cells);
    whole.scratches = arena_array(arena, n + 2, sizeof *whole.scratches);
    MAILLE_TRY(table_new(&table, from->dictionary, kept, error));
    table->facts = from->facts;
    for (size_t block = 0; block < columns_blocks(from); block++) {
        const bool *keep_here = keep + block * COLUMNS_BLOCK_ROWS;
        MAILLE_TRY(read_whole_block(&whole, from, block, error));
        for (size_t r = 0; r < whole.patients.rows; r++) {
            int32_t patient = ((const int32_t *)whole.patients.values)[r];
            if (!keep_here[r])
                continue;
            for (size_t v = 0; v < n; v++)
                cell_of(&whole.cells[v], &whole.columns[v], r);
            patients += patient != last;
            last = patient;
            MAILLE_TRY(table_append(table, whole.cells, patients - 1, whole.row_ids[r], error));
        }
    }
    table->patients = (size_t)patients;
    *out = table;
    table = NULL;
out:
    for (size_t s = 0; whole.scratches != NULL && s < n + 2; s++)
        column_scratch_clear(&whole.scratches[s]);
    arena_free(arena);
    columns_free(table);
    return code;
}
