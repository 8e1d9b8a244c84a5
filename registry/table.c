#include "registry/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry/cached.h"
#include "registry/keymap.h"
#include "registry/source.h"

size_t table_storage_size(enum column_storage storage)
{
    static const size_t sizes[] = {[STORE_INT8] = 1, [STORE_INT16] = 2, [STORE_INT32] = 4, [STORE_INT64] = 8};
    return sizes[storage];
}

const struct dictionary *table_copy_dictionary(struct arena *arena, const struct dictionary *dictionary)
{
    struct dictionary *copy = arena_alloc(arena, sizeof *copy);
    struct variable *variables = arena_array(arena, dictionary->n_variables, sizeof *variables);
    const char **missing = arena_array(arena, dictionary->n_missing, sizeof *missing);
    *copy = *dictionary;
    copy->name = arena_strdup(arena, dictionary->name);
    copy->key = arena_strdup(arena, dictionary->key);
    copy->text =
        arena_strndup(arena, dictionary->text_length > 0 ? dictionary->text : "", dictionary->text_length);
    for (size_t i = 0; i < dictionary->n_missing; i++)
        missing[i] = arena_strdup(arena, dictionary->missing[i]);
    copy->missing = missing;
    if (dictionary->key_pattern != NULL)
        copy->key_pattern = arena_strdup(arena, dictionary->key_pattern);
    if (dictionary->tables != NULL)
        copy->tables = arena_strdup(arena, dictionary->tables);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        const struct variable *from = &dictionary->variables[v];
        const char **levels = arena_array(arena, from->n_levels, sizeof *levels);
        variables[v] = *from;
        variables[v].name = arena_strdup(arena, from->name);
        variables[v].label = arena_strdup(arena, from->label != NULL ? from->label : from->name);
        variables[v].units = arena_strdup(arena, from->units != NULL ? from->units : "");
        for (size_t i = 0; i < from->n_levels; i++)
            levels[i] = arena_strdup(arena, from->levels[i]);
        variables[v].levels = levels;
        const char **words = arena_array(arena, from->n_missing + 1, sizeof *words);
        for (size_t i = 0; i < from->n_missing; i++)
            words[i] = arena_strdup(arena, from->missing[i]);
        variables[v].missing = words;
        if (from->cuts != NULL) {
            double *cuts = arena_array(arena, from->n_cuts, sizeof *cuts);
            memcpy(cuts, from->cuts, from->n_cuts * sizeof *cuts);
            variables[v].cuts = cuts;
        }
    }
    copy->variables = variables;
    struct date_order *orders = arena_array(arena, dictionary->n_orders, sizeof *orders);
    for (size_t k = 0; k < dictionary->n_orders; k++) {
        uint32_t *list = arena_array(arena, dictionary->orders[k].n, sizeof *list);
        memcpy(list, dictionary->orders[k].variables, dictionary->orders[k].n * sizeof *list);
        orders[k] = (struct date_order){.variables = list, .n = dictionary->orders[k].n};
    }
    copy->orders = orders;
    copy->impossible = NULL; /* the import has held every row to it */
    copy->n_impossible = 0;
    return copy;
}

void columns_free(struct columns *columns)
{
    if (columns == NULL)
        return;
    column_cache_forget(columns);
    for (size_t v = 0; columns->stored != NULL && v < columns->dictionary->n_variables; v++) {
        free(columns->stored[v].values);
        free(columns->stored[v].missing);
    }
    free(columns->patient);
    free(columns->row_id);
    keymap_free(columns->keys);
    if (columns->source != NULL)
        columns->source->free(columns->place);
    arena_free(columns->arena);
    free(columns);
}

static enum maille_code no_memory(size_t rows, struct maille_error *error)
{
    return maille_fail(error, MAILLE_MEMORY, "expected memory for a table of %zu rows, found none", rows);
}

/* Room for capacity rows. The old arrays stay good when there is none. */
static enum maille_code reserve(struct columns *table, size_t capacity, struct maille_error *error)
{
    size_t bytes;
    if (__builtin_mul_overflow(capacity, sizeof(uint64_t), &bytes))
        return no_memory(capacity, error);
    for (size_t v = 0; v < table->dictionary->n_variables; v++) {
        struct stored *stored = &table->stored[v];
        void *values = realloc(stored->values, capacity * table_storage_size(stored->storage));
        if (values == NULL)
            return no_memory(capacity, error);
        stored->values = values;
        if (stored->missing == NULL)
            continue;
        uint8_t *missing = realloc(stored->missing, capacity / 8 + 1);
        if (missing == NULL)
            return no_memory(capacity, error);
        memset(missing + table->capacity / 8 + 1, 0, capacity / 8 - table->capacity / 8);
        stored->missing = missing;
    }
    int32_t *patient = realloc(table->patient, capacity * sizeof *patient);
    if (patient != NULL)
        table->patient = patient;
    uint64_t *row_id = realloc(table->row_id, bytes);
    if (row_id != NULL)
        table->row_id = row_id;
    if (patient == NULL || row_id == NULL)
        return no_memory(capacity, error);
    table->capacity = capacity;
    return MAILLE_OK;
}

enum maille_code table_new(struct columns **out, const struct dictionary *dictionary, size_t capacity,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *table = calloc(1, sizeof *table);
    if (table == NULL || (table->arena = arena_new()) == NULL) {
        code = no_memory(capacity, error);
        goto out;
    }
    table->dictionary = table_copy_dictionary(table->arena, dictionary);
    table->stored = arena_array(table->arena, dictionary->n_variables, sizeof *table->stored);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        table->stored[v].storage = cell_storage(&dictionary->variables[v]);
    MAILLE_TRY(reserve(table, capacity < 1024 ? 1024 : capacity, error));
    *out = table;
    table = NULL;
out:
    columns_free(table);
    return code;
}

/* ---- Rows ---- */

static void store(const struct stored *stored, size_t row, int64_t integer)
{
    switch (stored->storage) {
    case STORE_INT8:
        ((int8_t *)stored->values)[row] = (int8_t)integer;
        break;
    case STORE_INT16:
        ((int16_t *)stored->values)[row] = (int16_t)integer;
        break;
    case STORE_INT32:
        ((int32_t *)stored->values)[row] = (int32_t)integer;
        break;
    case STORE_INT64:
        ((int64_t *)stored->values)[row] = integer;
        break;
    }
}

static enum maille_code store_missing(const struct columns *table, struct stored *stored,
                                      const struct variable *variable, size_t row, struct maille_error *error)
{
    double least, greatest;
    if (stored->missing == NULL) {
        stored->missing = calloc(table->capacity / 8 + 1, 1);
        if (stored->missing == NULL)
            return no_memory(table->capacity, error);
    }
    stored->missing[row / 8] |= (uint8_t)(1u << row % 8);
    cell_range(variable, &least, &greatest);
    store(stored, row, (int64_t)least);
    return MAILLE_OK;
}

enum maille_code table_append(struct columns *table, const struct cell *cells, int32_t patient,
                              uint64_t row_id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t row = table->rows;
    if (row == COLUMNS_ROWS_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected at most %d rows, found more", COLUMNS_ROWS_MAX);
        goto out;
    }
    if (row == table->capacity)
        MAILLE_TRY(reserve(table, 2 * row, error));
    for (size_t v = 0; v < table->dictionary->n_variables; v++) {
        if (cells[v].missing)
            MAILLE_TRY(store_missing(table, &table->stored[v], &table->dictionary->variables[v], row, error));
        else
            store(&table->stored[v], row, cells[v].integer);
    }
    table->patient[row] = patient;
    table->row_id[row] = row_id;
    table->rows++;
out:
    return code;
}

/* to[new row] = from[order[new row]], for entries of one size. */
static void reorder(void *to, const void *from, size_t size, const size_t *order, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        memcpy((char *)to + r * size, (const char *)from + order[r] * size, size);
}

/* Replaces *entries by a reordered copy. */
static bool reorder_entries(void **entries, size_t size, const size_t *order, size_t rows)
{
    void *copy = malloc(rows * size);
    if (copy == NULL)
        return false;
    reorder(copy, *entries, size, order, rows);
    free(*entries);
    *entries = copy;
    return true;
}

static bool reorder_bits(uint8_t **bits, const size_t *order, size_t rows)
{
    uint8_t *copy = calloc(rows / 8 + 1, 1);
    if (copy == NULL)
        return false;
    for (size_t r = 0; r < rows; r++)
        if ((*bits)[order[r] / 8] >> order[r] % 8 & 1)
            copy[r / 8] |= (uint8_t)(1u << r % 8);
    free(*bits);
    *bits = copy;
    return true;
}

enum maille_code table_group(struct columns *table, size_t patients, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t rows = table->rows, *order = NULL, *next = NULL;
    bool done = true, sorted = true;
    void *entries;
    table->patients = patients;
    for (size_t r = 1; r < rows && sorted; r++)
        sorted = table->patient[r] >= table->patient[r - 1];
    if (sorted)
        return MAILLE_OK;
    /* A counting sort: stable, and linear in the rows. */
    order = calloc(rows, sizeof *order);
    next = calloc(patients + 1, sizeof *next);
    if (order == NULL || next == NULL) {
        code = no_memory(rows, error);
        goto out;
    }
    for (size_t r = 0; r < rows; r++)
        next[table->patient[r] + 1]++;
    for (size_t p = 0; p < patients; p++)
        next[p + 1] += next[p];
    for (size_t r = 0; r < rows; r++)
        order[next[table->patient[r]]++] = r;
    for (size_t v = 0; v < table->dictionary->n_variables && done; v++) {
        struct stored *stored = &table->stored[v];
        done = reorder_entries(&stored->values, table_storage_size(stored->storage), order, rows) &&
               (stored->missing == NULL || reorder_bits(&stored->missing, order, rows));
    }
    if (done) {
        entries = table->patient;
        done = reorder_entries(&entries, sizeof *table->patient, order, rows);
        table->patient = entries;
    }
    if (done) {
        entries = table->row_id;
        done = reorder_entries(&entries, sizeof *table->row_id, order, rows);
        table->row_id = entries;
    }
    table->capacity = rows;
    if (!done)
        code = no_memory(rows, error);
out:
    free(order);
    free(next);
    return code;
}

/* ---- Blocks ---- */

size_t table_block_rows(const struct columns *columns, size_t block)
{
    size_t before = block * COLUMNS_BLOCK_ROWS;
    return columns->rows - before < COLUMNS_BLOCK_ROWS ? columns->rows - before : COLUMNS_BLOCK_ROWS;
}

bool table_has_missing(const struct columns *columns, uint32_t variable)
{
    return columns->source != NULL ? columns->source->has_missing(columns, variable)
                                   : columns->stored[variable].missing != NULL;
}

static bool any_bit(const uint8_t *bits, size_t rows)
{
    for (size_t i = 0; i < rows / 8; i++)
        if (bits[i] != 0)
            return true;
    return rows % 8 != 0 && (bits[rows / 8] & ((1u << rows % 8) - 1)) != 0;
}

static enum maille_code check_block(const struct columns *columns, size_t block, struct maille_error *error)
{
    if (block >= columns_blocks(columns))
        return maille_fail(error, MAILLE_INTERNAL, "expected a block below %zu, found %zu",
                           columns_blocks(columns), block);
    return MAILLE_OK;
}

enum maille_code table_read(struct column_block *out, const struct columns *columns,
                            struct column_scratch *scratch, uint32_t variable, size_t block,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct column_block found = {0};
    MAILLE_TRY(check_block(columns, block, error));
    if (variable >= columns->dictionary->n_variables) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a variable below %zu, found %u",
                           columns->dictionary->n_variables, variable);
        goto out;
    }
    if (columns->source != NULL) {
        MAILLE_TRY(columns->source->read(&found, columns, scratch, variable, block, error));
    } else {
        const struct stored *stored = &columns->stored[variable];
        size_t before = block * COLUMNS_BLOCK_ROWS;
        found.storage = stored->storage;
        found.rows = table_block_rows(columns, block);
        found.values = (const char *)stored->values + before * table_storage_size(stored->storage);
        found.missing = stored->missing == NULL ? NULL : stored->missing + before / 8;
    }
    if (found.missing != NULL && !any_bit(found.missing, found.rows))
        found.missing = NULL;
    *out = found;
out:
    return code;
}

enum maille_code table_read_patients(struct column_block *out, const struct columns *columns,
                                     struct column_scratch *scratch, size_t block, struct maille_error *error)
{
    enum maille_code code = check_block(columns, block, error);
    if (code == MAILLE_OK && columns->source != NULL)
        return columns->source->read_patients(out, columns, scratch, block, error);
    if (code == MAILLE_OK)
        *out = (struct column_block){.storage = STORE_INT32,
                                     .rows = table_block_rows(columns, block),
                                     .values = columns->patient + block * COLUMNS_BLOCK_ROWS};
    return code;
}

enum maille_code table_read_row_ids(const uint64_t **ids, const struct columns *columns,
                                    struct column_scratch *scratch, size_t block, struct maille_error *error)
{
    enum maille_code code = check_block(columns, block, error);
    if (code == MAILLE_OK && columns->source != NULL)
        return columns->source->read_row_ids(ids, columns, scratch, block, error);
    if (code == MAILLE_OK)
        *ids = columns->row_id + block * COLUMNS_BLOCK_ROWS;
    return code;
}
