#include "registry/engine_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Columns of one hash: a nested expression, which an engine's parser takes to some depth alone. */
enum { HASHED_AT_ONCE = 32 };

bool engine_name_legal(const char *name)
{
    const size_t length = strlen(name);
    return length > 0 && length < ENGINE_NAME_MAX && (name[0] < '0' || name[0] > '9') &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

void engine_table_name(char out[ENGINE_NAME_MAX], uint32_t number)
{
    snprintf(out, ENGINE_NAME_MAX, "snapshot_%04" PRIu32, number);
}

void engine_put_quoted(struct bytes *out, const char *text, char quote)
{
    bytes_put_u8(out, (uint8_t)quote);
    for (; *text != '\0'; text++) {
        bytes_put_u8(out, (uint8_t)*text);
        if (*text == quote)
            bytes_put_u8(out, (uint8_t)quote);
    }
    bytes_put_u8(out, (uint8_t)quote);
}

/* What a hash is made of: `patient`, `row_id`, then the variables. big: it may need more than 32 bits. */
struct hashed {
    char name[24];
    bool big;
};

/* sum of hash(c_last, … hash(c_first, hash(position, hash(first, seed)))), over n columns. A hash of
 * PostgreSQL folds 64 bits to 32 before it begins (0x0000000700000007 is 0): of what may be longer each half
 * is hashed. */
static void put_sum(struct bytes *out, const struct engine_words *words, size_t half, size_t first,
                    const struct hashed *columns, size_t n)
{
    size_t open = 0;
    bytes_put_text(out, "coalesce(sum(");
    for (size_t i = n; i-- > 0; open++) {
        if (columns[i].big) {
            bytes_printf(out, "%s(%s >> 32, %s(%s & 4294967295, ", words->hash, columns[i].name, words->hash,
                         columns[i].name);
            open++;
        } else {
            bytes_printf(out, "%s(%s::%s, ", words->hash, columns[i].name, words->big);
        }
    }
    bytes_printf(out, "%s(position::%s, %s(%zu, $%zu::%s))", words->hash, words->big, words->hash, first,
                 half + 1, words->big);
    for (size_t i = 0; i < open; i++)
        bytes_put_u8(out, ')');
    bytes_put_text(out, "), 0)");
}

/* The columns of a frozen table whose position is no part of the list; whether an entry is long is what the
 * engine says of its type: another type gives another sum. */
static enum maille_code find_hashed(struct hashed **hashed, const struct engine_driver *driver,
                                    struct engine *engine, struct arena *arena, const char *schema,
                                    const char *table, size_t n_variables, struct maille_error *error)
{
    struct engine_column *columns = NULL;
    size_t n = 0;
    struct hashed *made = arena_array(arena, n_variables + 2, sizeof *made);
    enum maille_code code =
        driver->describe(&columns, &n, engine, arena, arena_printf(arena, "%s.%s", schema, table), error);
    if (code != MAILLE_OK)
        return code;
    for (size_t i = 0; i < n_variables + 2; i++) {
        if (i < 2)
            snprintf(made[i].name, sizeof made[i].name, "%s", i == 0 ? "patient" : "row_id");
        else
            snprintf(made[i].name, sizeof made[i].name, "c%zu", i - 2);
        made[i].big = false;
        for (size_t c = 0; c < n; c++)
            made[i].big = made[i].big || (strcmp(columns[c].name, made[i].name) == 0 &&
                                          strcmp(columns[c].type, driver->words->big) == 0);
    }
    *hashed = made;
    return MAILLE_OK;
}

/* A whole number of any length, of which 64 bits are kept. */
static uint64_t low_bits(const char *text)
{
    uint64_t value = 0;
    const bool negative = *text == '-';
    for (text += negative; *text >= '0' && *text <= '9'; text++)
        value = 10 * value + (uint64_t)(*text - '0');
    return negative ? 0 - value : value;
}

enum maille_code engine_count(struct engine_count *count, const struct engine_driver *driver,
                              struct engine *engine, const char *schema, uint32_t number, size_t n_variables,
                              const char *salt, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct engine_answer answer;
    struct bytes text = {0};
    struct hashed *hashed = NULL;
    char table[ENGINE_NAME_MAX], seeds[2][24];
    const char *const values[] = {seeds[0], seeds[1]};
    const struct engine_parameters parameters = {values, 2};
    uint8_t bytes[32] = {0};
    const size_t n_hashed = n_variables + 2;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a question, found none");
    engine_table_name(table, number);
    if (!bytes_from_hex(bytes, sizeof bytes, salt)) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected the salt of snapshot %u, found another text",
                           number);
        goto out;
    }
    for (size_t half = 0; half < 2; half++)
        snprintf(seeds[half], sizeof seeds[half], "%" PRId64, (int64_t)le64_load(bytes + 8 * half));
    MAILLE_TRY(find_hashed(&hashed, driver, engine, arena, schema, table, n_variables, error));
    bytes_printf(&text, "SELECT count(*), coalesce(max(position), -1) + 1, coalesce(max(patient), -1) + 1");
    for (size_t half = 0; half < 2; half++)
        for (size_t first = 0; first < n_hashed; first += HASHED_AT_ONCE) {
            const size_t left = n_hashed - first, n = left < HASHED_AT_ONCE ? left : HASHED_AT_ONCE;
            bytes_put_text(&text, first == 0 ? ", " : " + ");
            put_sum(&text, driver->words, half, first, hashed + first, n);
        }
    bytes_printf(&text, " FROM %s.%s", schema, table);
    bytes_put_u8(&text, '\0');
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(driver->run(engine, &answer, arena, (const char *)text.data, &parameters,
                           "count a frozen table", error));
    if (answer.rows != 1 || answer.columns != 5 || strcmp(answer.cells[0], answer.cells[1]) != 0) {
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected the rows of %s.%s without a gap, found others: the table was changed; restore "
            "it or import again",
            schema, table);
        goto out;
    }
    *count = (struct engine_count){.rows = low_bits(answer.cells[0]),
                                   .patients = low_bits(answer.cells[2]),
                                   .sums = {low_bits(answer.cells[3]), low_bits(answer.cells[4])}};
out:
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(seeds, sizeof seeds);
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

enum maille_code engine_block(int64_t *out, const struct engine_driver *driver, struct engine *engine,
                              const char *schema, uint32_t number, const uint32_t *columns, size_t n,
                              size_t first, size_t rows, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char table[ENGINE_NAME_MAX];
    engine_table_name(table, number);
    bytes_put_text(&text, "SELECT");
    for (size_t i = 0; i < n; i++) {
        bytes_put_text(&text, i == 0 ? " " : ", ");
        if (columns[i] == ENGINE_PATIENTS)
            bytes_put_text(&text, "patient");
        else if (columns[i] == ENGINE_ROW_IDS)
            bytes_put_text(&text, "row_id");
        else
            bytes_printf(&text, "c%" PRIu32, columns[i]);
    }
    bytes_printf(&text, " FROM %s.%s WHERE position >= %zu AND position < %zu ORDER BY position", schema,
                 table, first, first + rows);
    bytes_put_u8(&text, '\0');
    MAILLE_TRY(bytes_check(&text, error));
    code = driver->integers(engine, out, rows, n, (const char *)text.data, error);
out:
    bytes_clear(&text);
    return code;
}
