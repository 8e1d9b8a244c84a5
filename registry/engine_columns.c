#include "registry/engine_columns.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "query/yaml.h"
#include "registry/range.h"
#include "registry/source.h"
#include "registry/table.h"

/* At least as many blocks as threads that tally. */
enum { HELD_BLOCKS = 16 };
static const char ending[] = ".engine", head[] = "maille engine snapshot 2\n";

/* One column of a held block, in its own type. */
struct held_column {
    void *values; /* NULL: not fetched */
    size_t size;  /* of the values, in bytes */
    uint8_t *missing;
    size_t n_missing; /* its size, in bytes */
};

struct held_block {
    size_t block;
    uint64_t last_use; /* 0: holds nothing */
    struct held_column *columns;
};

struct engine_place {
    struct engine_reader reader;
    struct engine_count count;
    size_t n;             /* variables; after them patients and row ids */
    pthread_mutex_t lock; /* of all below, and of the reader */
    bool *wanted;         /* columns that this pass asked for: the next block is fetched with all of them */
    struct held_block held[HELD_BLOCKS];
    uint64_t uses;
};

bool engine_columns_path(const char *path)
{
    const size_t length = strlen(path), n = sizeof ending - 1;
    return length > n && strcmp(path + length - n, ending) == 0;
}

static void wipe(void *entries, size_t size)
{
    if (entries != NULL)
        explicit_bzero(entries, size);
    free(entries);
}

static void drop_column(struct held_column *column)
{
    wipe(column->values, column->size);
    wipe(column->missing, column->n_missing);
    *column = (struct held_column){0};
}

static void drop_block(struct held_block *held, size_t n)
{
    for (size_t c = 0; c < n + 2; c++)
        drop_column(&held->columns[c]);
    held->last_use = 0;
}

static void free_place(void *kept)
{
    struct engine_place *place = kept;
    if (place == NULL)
        return;
    for (size_t h = 0; h < HELD_BLOCKS; h++)
        if (place->held[h].columns != NULL) {
            drop_block(&place->held[h], place->n);
            free(place->held[h].columns);
        }
    pthread_mutex_destroy(&place->lock);
    free(place->wanted);
    free(place);
}

/* --- blocks --- */

static enum maille_code no_memory(struct maille_error *error)
{
    return maille_fail(error, MAILLE_MEMORY, "expected memory for a block of the engine's rows, found none");
}

static enum maille_code changed(const struct columns *columns, const char *what, struct maille_error *error)
{
    return maille_fail(
        error, MAILLE_CORRUPT,
        "expected %s of snapshot %u in the engine as they were frozen, found others: the table was "
        "changed; restore it or import again",
        what, columns->facts.number);
}

static void put_entry(enum column_storage storage, void *values, size_t r, int64_t value)
{
    if (storage == STORE_INT8)
        ((int8_t *)values)[r] = (int8_t)value;
    else if (storage == STORE_INT16)
        ((int16_t *)values)[r] = (int16_t)value;
    else if (storage == STORE_INT32)
        ((int32_t *)values)[r] = (int32_t)value;
    else
        ((int64_t *)values)[r] = value;
}

/* Values of a variable as a snapshot file has them; each is looked at. */
static enum maille_code keep_values(struct held_column *held, const struct columns *columns,
                                    uint32_t variable, const int64_t *from, size_t rows,
                                    struct maille_error *error)
{
    const struct variable *described = &columns->dictionary->variables[variable];
    const enum column_storage storage = cell_storage(described);
    double lower, upper;
    cell_range(described, &lower, &upper);
    const int64_t least = (int64_t)lower, greatest = (int64_t)upper;
    bool any = false;
    held->size = rows * table_storage_size(storage);
    held->n_missing = rows / 8 + 1;
    held->values = malloc(held->size);
    held->missing = calloc(held->n_missing, 1);
    if (held->values == NULL || held->missing == NULL)
        return no_memory(error);
    for (size_t r = 0; r < rows; r++) {
        const bool missing = from[r] == least - 1;
        if (!missing && (from[r] < least || from[r] > greatest))
            return changed(columns, "the values", error);
        put_entry(storage, held->values, r, missing ? least : from[r]);
        if (missing)
            held->missing[r / 8] |= (uint8_t)(1u << r % 8);
        any = any || missing;
    }
    if (!any) {
        free(held->missing);
        held->missing = NULL;
    }
    return MAILLE_OK;
}

static enum maille_code keep_patients(struct held_column *held, const struct columns *columns,
                                      const int64_t *from, size_t rows, struct maille_error *error)
{
    held->size = rows * sizeof(int32_t);
    int32_t *patients = malloc(held->size);
    held->values = patients;
    if (patients == NULL)
        return no_memory(error);
    for (size_t r = 0; r < rows; r++) {
        if (from[r] < 0 || from[r] >= (int64_t)columns->patients)
            return changed(columns, "the patients", error);
        patients[r] = (int32_t)from[r];
    }
    return range_is_dense(patients, rows) ? MAILLE_OK : changed(columns, "the patients", error);
}

static enum maille_code keep_row_ids(struct held_column *held, const int64_t *from, size_t rows,
                                     struct maille_error *error)
{
    held->size = rows * sizeof *from;
    held->values = malloc(held->size);
    if (held->values == NULL)
        return no_memory(error);
    memcpy(held->values, from, held->size);
    return MAILLE_OK;
}

static enum maille_code keep_column(struct held_block *held, const struct columns *columns, size_t column,
                                    const int64_t *from, size_t rows, struct maille_error *error)
{
    const struct engine_place *place = columns->place;
    struct held_column made = {0};
    enum maille_code code = column < place->n
                                ? keep_values(&made, columns, (uint32_t)column, from, rows, error)
                            : column == place->n ? keep_patients(&made, columns, from, rows, error)
                                                 : keep_row_ids(&made, from, rows, error);
    if (code == MAILLE_OK)
        held->columns[column] = made;
    else
        drop_column(&made);
    return code;
}

/* The columns of this pass that the block has not yet. */
static enum maille_code fetch(struct held_block *held, const struct columns *columns,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct engine_place *place = columns->place;
    const size_t rows = table_block_rows(columns, held->block);
    uint32_t *asked = calloc(place->n + 2, sizeof *asked);
    int64_t *entries = NULL;
    size_t n = 0;
    for (size_t c = 0; asked != NULL && c < place->n + 2; c++)
        if (place->wanted[c] && held->columns[c].values == NULL)
            asked[n++] = c < place->n ? (uint32_t)c : c == place->n ? ENGINE_PATIENTS : ENGINE_ROW_IDS;
    const size_t size =
        ((n < ENGINE_COLUMNS_AT_ONCE ? n : ENGINE_COLUMNS_AT_ONCE) * rows + 1) * sizeof *entries;
    entries = malloc(size);
    if (asked == NULL || entries == NULL) {
        code = no_memory(error);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t column = asked[i] == ENGINE_PATIENTS  ? place->n
                              : asked[i] == ENGINE_ROW_IDS ? place->n + 1
                                                           : asked[i];
        const size_t left = n - i, at = i % ENGINE_COLUMNS_AT_ONCE;
        if (at == 0)
            MAILLE_TRY(place->reader.block(place->reader.context, entries, columns->facts.number, asked + i,
                                           left < ENGINE_COLUMNS_AT_ONCE ? left : ENGINE_COLUMNS_AT_ONCE,
                                           held->block * COLUMNS_BLOCK_ROWS, rows, error));
        MAILLE_TRY(keep_column(held, columns, column, entries + at * rows, rows, error));
    }
out:
    free(asked);
    wipe(entries, size);
    return code;
}

/* The block where it is held, or the place of the one that was used longest ago. */
static struct held_block *find_block(struct engine_place *place, size_t block)
{
    struct held_block *oldest = &place->held[0];
    for (size_t h = 0; h < HELD_BLOCKS; h++) {
        struct held_block *held = &place->held[h];
        if (held->last_use != 0 && held->block == block)
            return held;
        if (held->last_use < oldest->last_use)
            oldest = held;
    }
    drop_block(oldest, place->n);
    oldest->block = block;
    if (block == 0) /* another pass begins */
        memset(place->wanted, 0, (place->n + 2) * sizeof *place->wanted);
    return oldest;
}

static bool copy_to(struct bytes *to, const void *from, size_t length)
{
    to->length = 0;
    bytes_put(to, from, length);
    return !to->failed;
}

/* A column of a block into the scratch; *has_missing: also its mask. */
static enum maille_code read_column(bool *has_missing, const struct columns *columns,
                                    struct column_scratch *scratch, size_t column, size_t entry, size_t block,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct engine_place *place = columns->place;
    const size_t rows = table_block_rows(columns, block);
    pthread_mutex_lock(&place->lock);
    struct held_block *held = find_block(place, block);
    held->last_use = ++place->uses;
    place->wanted[column] = true;
    if (held->columns[column].values == NULL)
        MAILLE_TRY(fetch(held, columns, error));
    const struct held_column *found = &held->columns[column];
    *has_missing = found->missing != NULL;
    if (!copy_to(&scratch->plain, found->values, rows * entry) ||
        (*has_missing && !copy_to(&scratch->bits, found->missing, rows / 8 + 1)))
        code = no_memory(error);
out:
    pthread_mutex_unlock(&place->lock);
    return code;
}

/* --- the source --- */

static bool may_have_missing(const struct columns *columns, uint32_t variable)
{
    (void)columns;
    (void)variable;
    return true;
}

static enum maille_code read_values(struct column_block *out, const struct columns *columns,
                                    struct column_scratch *scratch, uint32_t variable, size_t block,
                                    struct maille_error *error)
{
    const enum column_storage storage = cell_storage(&columns->dictionary->variables[variable]);
    bool has_missing = false;
    enum maille_code code =
        read_column(&has_missing, columns, scratch, variable, table_storage_size(storage), block, error);
    if (code == MAILLE_OK)
        *out = (struct column_block){.storage = storage,
                                     .rows = table_block_rows(columns, block),
                                     .values = scratch->plain.data,
                                     .missing = has_missing ? scratch->bits.data : NULL};
    return code;
}

static enum maille_code read_patients(struct column_block *out, const struct columns *columns,
                                      struct column_scratch *scratch, size_t block,
                                      struct maille_error *error)
{
    const struct engine_place *place = columns->place;
    bool has_missing = false;
    enum maille_code code =
        read_column(&has_missing, columns, scratch, place->n, sizeof(int32_t), block, error);
    if (code == MAILLE_OK)
        *out = (struct column_block){
            .storage = STORE_INT32, .rows = table_block_rows(columns, block), .values = scratch->plain.data};
    return code;
}

static enum maille_code read_row_ids(const uint64_t **ids, const struct columns *columns,
                                     struct column_scratch *scratch, size_t block, struct maille_error *error)
{
    const struct engine_place *place = columns->place;
    bool has_missing = false;
    enum maille_code code =
        read_column(&has_missing, columns, scratch, place->n + 1, sizeof(uint64_t), block, error);
    if (code == MAILLE_OK)
        *ids = (const uint64_t *)(const void *)scratch->plain.data;
    return code;
}

const struct source source_engine = {.has_missing = may_have_missing,
                                     .read = read_values,
                                     .read_patients = read_patients,
                                     .read_row_ids = read_row_ids,
                                     .free = free_place};

static enum maille_code count_over(void *context, struct engine_count *count, uint32_t number,
                                   size_t n_variables, const char *salt, struct maille_error *error)
{
    const struct engine_link *link = context;
    return engine_count(count, link->driver, link->engine, link->schema, number, n_variables, salt, error);
}

static enum maille_code block_over(void *context, int64_t *out, uint32_t number, const uint32_t *columns,
                                   size_t n, size_t first, size_t rows, struct maille_error *error)
{
    const struct engine_link *link = context;
    return engine_block(out, link->driver, link->engine, link->schema, number, columns, n, first, rows,
                        error);
}

struct engine_reader engine_reader_over(struct engine_link *link)
{
    return (struct engine_reader){.context = link, .count = count_over, .block = block_over};
}

/* --- opening --- */

enum maille_code engine_columns_new(struct columns **columns, const struct dictionary *dictionary,
                                    const struct snapshot_facts *facts, const struct engine_count *count,
                                    const struct engine_reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = dictionary->n_variables;
    struct columns *made = calloc(1, sizeof *made);
    struct engine_place *place = calloc(1, sizeof *place);
    if (place != NULL)
        pthread_mutex_init(&place->lock, NULL);
    if (made == NULL || place == NULL || (made->arena = arena_new()) == NULL) {
        free_place(place);
        code = no_memory(error);
        goto out;
    }
    made->source = &source_engine;
    made->place = place;
    made->dictionary = table_copy_dictionary(made->arena, dictionary);
    made->facts = *facts;
    made->rows = (size_t)count->rows;
    made->patients = (size_t)count->patients;
    place->reader = *reader;
    place->count = *count;
    place->n = n;
    place->wanted = calloc(n + 2, sizeof *place->wanted);
    bool done = place->wanted != NULL;
    for (size_t h = 0; h < HELD_BLOCKS && done; h++)
        done = (place->held[h].columns = calloc(n + 2, sizeof *place->held[h].columns)) != NULL;
    if (!done) {
        code = no_memory(error);
        goto out;
    }
    *columns = made;
    made = NULL;
out:
    columns_free(made);
    return code;
}

/* From block to block the patients go on: the first of one is the last of the one before, or the next. Within
 * a block keep_patients looks. */
static enum maille_code check_patients(const struct columns *columns, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct engine_place *place = columns->place;
    const uint32_t asked = ENGINE_PATIENTS;
    int64_t found[2] = {0};
    for (size_t first = 0; first < columns->rows; first += COLUMNS_BLOCK_ROWS) {
        const bool begins = first == 0;
        MAILLE_TRY(place->reader.block(place->reader.context, found, columns->facts.number, &asked, 1,
                                       begins ? 0 : first - 1, begins ? 1 : 2, error));
        if (begins ? found[0] != 0 : found[1] != found[0] && found[1] != found[0] + 1)
            return changed(columns, "the patients", error);
    }
out:
    return code;
}

enum maille_code engine_columns_check(const struct columns *columns, struct maille_error *error)
{
    struct engine_place *place = columns->place;
    struct engine_count found = {0};
    pthread_mutex_lock(&place->lock);
    enum maille_code code = place->reader.count(place->reader.context, &found, columns->facts.number,
                                                place->n, columns->facts.salt, error);
    if (code == MAILLE_OK && (found.rows != place->count.rows || found.patients != place->count.patients ||
                              found.sums[0] != place->count.sums[0] || found.sums[1] != place->count.sums[1]))
        code = changed(columns, "count and checksum", error);
    if (code == MAILLE_OK)
        code = check_patients(columns, error);
    pthread_mutex_unlock(&place->lock);
    return code;
}

enum maille_code engine_columns_write(const char *path, const struct snapshot_facts *facts,
                                      const struct engine_count *count, const struct dictionary *dictionary,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    if (file_exists(path))
        return maille_fail(error, MAILLE_INVALID,
                           "expected no file at %s, found one: snapshots are frozen; write the next number",
                           path);
    bytes_put_text(&text, head);
    bytes_printf(&text,
                 "number %" PRIu32 "\ncreated %s\nrows %" PRIu64 "\npatients %" PRIu64
                 "\nchecksum %016" PRIx64 "%016" PRIx64 "\nsalt %s\npublic %d\nexclusions %s\n\n",
                 facts->number, facts->created, count->rows, count->patients, count->sums[1], count->sums[0],
                 facts->salt, facts->is_public, facts->exclusions);
    bytes_put(&text, dictionary->text, dictionary->text_length);
    MAILLE_TRY(bytes_check(&text, error));
    code = file_write_atomic(path, text.data, text.length, 0400, error);
out:
    bytes_clear(&text);
    return code;
}

/* The rest of a line "name rest"; NULL: another line. */
static const char *line_take(char **at, const char *name)
{
    char *line = *at, *end = strchr(line, '\n');
    const size_t length = strlen(name);
    if (end == NULL || strncmp(line, name, length) != 0 || line[length] != ' ')
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line + length + 1;
}

static bool number_take(uint64_t *out, char **at, const char *name, uint64_t most)
{
    const char *text = line_take(at, name);
    return text != NULL && number_parse_u64(text, strlen(text), out) && *out <= most;
}

static bool text_take(char *out, size_t size, char **at, const char *name)
{
    const char *text = line_take(at, name);
    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* Everything before the dictionary. */
static bool read_facts(struct snapshot_facts *facts, struct engine_count *count, char **at)
{
    uint64_t number, is_public;
    char checksum[33];
    uint8_t sums[16];
    if (strncmp(*at, head, sizeof head - 1) != 0)
        return false;
    *at += sizeof head - 1;
    if (!number_take(&number, at, "number", UINT32_MAX) ||
        !text_take(facts->created, sizeof facts->created, at, "created") ||
        !number_take(&count->rows, at, "rows", COLUMNS_ROWS_MAX) ||
        !number_take(&count->patients, at, "patients", count->rows) ||
        !text_take(checksum, sizeof checksum, at, "checksum") ||
        !text_take(facts->salt, sizeof facts->salt, at, "salt") ||
        !number_take(&is_public, at, "public", 1) ||
        !text_take(facts->exclusions, sizeof facts->exclusions, at, "exclusions") ||
        !bytes_from_hex(sums, sizeof sums, checksum) || **at != '\n')
        return false;
    ++*at;
    facts->number = (uint32_t)number;
    facts->is_public = is_public == 1;
    for (size_t i = 0; i < 8; i++) { /* hexadecimal is written from the top down */
        count->sums[1] = count->sums[1] << 8 | sums[i];
        count->sums[0] = count->sums[0] << 8 | sums[8 + i];
    }
    return true;
}

enum maille_code engine_columns_open(struct columns **columns, const char *path,
                                     const struct engine_reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *made = NULL;
    struct bytes text = {0};
    struct snapshot_facts facts = {0};
    struct engine_count count = {0};
    const struct dictionary *dictionary;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return no_memory(error);
    MAILLE_TRY(file_read(&text, path, YAML_BYTES_MAX + 4096, error));
    bytes_put_u8(&text, '\0');
    MAILLE_TRY(bytes_check(&text, error));
    char *at = (char *)text.data, *end = at + text.length - 1;
    if (strlen(at) + 1 != text.length || !read_facts(&facts, &count, &at)) {
        code =
            maille_fail(error, MAILLE_CORRUPT,
                        "%s: expected what was frozen in the engine, found another text; import again", path);
        goto out;
    }
    MAILLE_TRY(dictionary_parse(&dictionary, arena, path, at, (size_t)(end - at), error));
    MAILLE_TRY(engine_columns_new(&made, dictionary, &facts, &count, reader, error));
    MAILLE_TRY(engine_columns_check(made, error));
    *columns = made;
    made = NULL;
out:
    columns_free(made);
    bytes_clear(&text);
    arena_free(arena);
    return code;
}
