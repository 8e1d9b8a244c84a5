/* What rows of one patient owe each other, and pseudonyms each other. */
#include <stdlib.h>
#include <string.h>

#include "registry/import_private.h"
#include "registry/pseudonym.h"
#include "registry/text.h"

enum { ALIKE_LISTED = 100 };

static uint64_t entry_bits(const struct columns *table, size_t v, size_t row)
{
    const struct stored *stored = &table->stored[v];
    const size_t size = table_storage_size(stored->storage);
    uint64_t bits = 0;
    if (column_is_missing(stored->missing, row))
        return UINT64_MAX / 3; /* no value has these bits */
    memcpy(&bits, (const char *)stored->values + row * size, size);
    return bits;
}

static bool rows_equal(const struct columns *table, size_t a, size_t b)
{
    for (size_t v = 0; v < table->dictionary->n_variables; v++)
        if (entry_bits(table, v, a) != entry_bits(table, v, b))
            return false;
    return true;
}

/* Multiplies and folds, as murmur's finaliser does: rows that differ have other hashes but rarely, and are
 * compared then. */
static uint64_t row_hash(const struct columns *table, size_t row)
{
    uint64_t hash = 0x9E3779B97F4A7C15;
    for (size_t v = 0; v < table->dictionary->n_variables; v++) {
        hash = (hash ^ entry_bits(table, v, row)) * 0xff51afd7ed558ccd;
        hash ^= hash >> 33;
    }
    return hash;
}

struct hashed {
    uint64_t hash;
    size_t row;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return (x->hash > y->hash) - (x->hash < y->hash);
    return (x->row > y->row) - (x->row < y->row);
}

/* The row's line in the file: its id is still the number of its record among those that were kept. */
static size_t line_of(const struct import *import, size_t row)
{
    return import->lines[import->table->row_id[row] - 1];
}

/* Which of a patient's rows (from first, n of them) equal an earlier one. */
static size_t mark_identical(bool *is_identical, struct hashed *room, const struct import *import,
                             size_t first, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        room[i] = (struct hashed){row_hash(import->table, first + i), first + i};
    qsort(room, n, sizeof *room, by_hash);
    for (size_t i = 1; i < n; i++)
        if (room[i].hash == room[i - 1].hash && rows_equal(import->table, room[i].row, room[i - 1].row)) {
            is_identical[room[i].row - first] = true;
            found++;
        }
    return found;
}

static void check_constant(struct import *import, size_t first, size_t n)
{
    const struct columns *table = import->table;
    for (size_t v = 0; v < table->dictionary->n_variables; v++) {
        const struct variable *variable = &table->dictionary->variables[v];
        size_t known = SIZE_MAX;
        for (size_t r = first; variable->constant && r < first + n; r++) {
            if (column_is_missing(table->stored[v].missing, r))
                continue;
            if (known != SIZE_MAX && entry_bits(table, v, r) != entry_bits(table, v, known))
                problems_add(import->problems, PROBLEM_ERROR, line_of(import, r), 1,
                             import->report->columns[v].name, import->report->columns[v].field,
                             "expected one value in all rows of a patient (constant), found another");
            known = r;
        }
    }
}

static enum maille_code check_patients(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct columns *table = import->table;
    const struct dictionary *dictionary = import->dictionary;
    struct hashed *room = malloc((table->rows + 1) * sizeof *room);
    bool *is_identical = calloc(table->rows + 1, sizeof *is_identical);
    size_t several = 0, first_several = 0;
    if (room == NULL || is_identical == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected memory to compare %zu rows, found none", table->rows);
        goto out;
    }
    for (size_t first = 0, n; first < table->rows; first += n) {
        for (n = 1; first + n < table->rows && table->patient[first + n] == table->patient[first]; n++)
            ;
        if (n == 1)
            continue;
        memset(is_identical, 0, n * sizeof *is_identical);
        size_t identical = mark_identical(is_identical, room, import, first, n);
        for (size_t i = 1; i < n; i++)
            if (is_identical[i] && !dictionary->identical_rows)
                problems_add(import->problems, PROBLEM_ERROR, line_of(import, first + i), 1, "", 0,
                             "expected each row once, found what equals an earlier row of the same patient; "
                             "remove it, "
                             "or let the dictionary say identical_rows: true");
            else if (dictionary->rows == ROWS_ONE)
                problems_add(import->problems, PROBLEM_ERROR, line_of(import, first + i), 1, "", 0,
                             "expected one row of each patient (rows: one), found another");
        if (n > identical + 1 && several++ == 0)
            first_several = line_of(import, first + 1);
        check_constant(import, first, n);
    }
    if (several > 0 && dictionary->rows == ROWS_UNSAID)
        problems_add(import->problems, PROBLEM_NOTE, first_several, several, "", 0,
                     "expected rows: one or several in the dictionary, found patients with several rows");
out:
    free(room);
    free(is_identical);
    return code;
}

/* Pseudonyms that differ in case, blanks or leading zeros alone: one patient or two? */
static enum maille_code check_alike(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = keymap_count(import->keys);
    struct keymap *folded = keymap_new();
    int32_t *first = calloc(n + 1, sizeof *first); /* per folded text: its first key */
    size_t *line = calloc(n + 1, sizeof *line);    /* per key: its first line */
    char *room = NULL;
    size_t room_size = 0, alike = 0;
    if (folded == NULL || first == NULL || line == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to compare %zu keys, found none", n);
        goto out;
    }
    for (size_t r = import->table->rows; r > 0; r--)
        line[import->table->patient[r - 1]] = line_of(import, r - 1);
    for (size_t k = 0; k < n; k++) {
        const char *key = keymap_text(import->keys, (int32_t)k);
        const size_t length = strlen(key), before = keymap_count(folded);
        int32_t number;
        if (length + 1 > room_size) {
            char *grown = realloc(room, 2 * (length + 1));
            if (grown == NULL) {
                code = maille_fail(error, MAILLE_MEMORY, "expected memory to compare keys, found none");
                goto out;
            }
            room = grown;
            room_size = 2 * (length + 1);
        }
        MAILLE_TRY(keymap_number(folded, &number, room, pseudonym_fold(room, key, length), error));
        if (keymap_count(folded) > before) {
            first[number] = (int32_t)k;
            continue;
        }
        char shown[TEXT_SHOWN], other[TEXT_SHOWN];
        const char *earlier = keymap_text(import->keys, first[number]);
        text_show(shown, key, length);
        text_show(other, earlier, strlen(earlier));
        if (alike++ < ALIKE_LISTED)
            problems_add(import->problems, PROBLEM_QUESTION, line[k], 1, import->dictionary->key,
                         import->key_field + 1,
                         "is \"%.60s\" the patient \"%.60s\" of line %zu? They are alike but for "
                         "case, blanks and leading zeros",
                         shown, other, line[first[number]]);
    }
    if (alike > ALIKE_LISTED)
        problems_add(import->problems, PROBLEM_QUESTION, 0, alike - ALIKE_LISTED, import->dictionary->key,
                     import->key_field + 1,
                     "are these other patients too? They are alike but for case, blanks and "
                     "leading zeros");
out:
    keymap_free(folded);
    free(first);
    free(line);
    if (room != NULL)
        memset(room, 0, room_size);
    free(room);
    return code;
}

/* Fewer values than the dictionary wants. */
static void check_complete(struct import *import)
{
    for (size_t v = 0; v < import->dictionary->n_variables; v++) {
        const struct variable *variable = &import->dictionary->variables[v];
        const struct import_column *column = &import->report->columns[v];
        const size_t rows = column->present + column->missing;
        if (rows > 0 && !column->absent && (double)column->present < variable->complete * (double)rows)
            problems_add(import->problems, PROBLEM_QUESTION, 0, 1, column->name, column->field,
                         "expected a value in %.1f %% of the rows (complete), found %.1f %%",
                         100 * variable->complete, 100 * (double)column->present / (double)rows);
    }
}

enum maille_code import_check_rows(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(check_patients(import, error));
    MAILLE_TRY(check_alike(import, error));
    check_complete(import);
out:
    return code;
}
