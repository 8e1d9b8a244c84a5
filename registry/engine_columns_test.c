#include "registry/engine_columns.h"
#include "registry/testing.h"

/* More than two blocks of rows, two of each patient; the reader gives the numbers. */
enum { ROWS = 2 * COLUMNS_BLOCK_ROWS + 1000 };
static const char text[] =
    "dictionary: toy\nversion: 1\nkey: id\nvariables:\n  - { name: age, type: integer, min: 0, max: 120 }\n";

/* What somebody changed in the table: from this row on patients are one further. */
struct table {
    size_t changed; /* SIZE_MAX: nothing */
    int64_t by;
};

static struct engine_count right(void)
{
    return (struct engine_count){.rows = ROWS, .patients = ROWS / 2, .sums = {1, 2}};
}

static enum maille_code count(void *context, struct engine_count *out, uint32_t number, size_t n_variables,
                              const char *salt, struct maille_error *error)
{
    (void)context;
    (void)number;
    (void)n_variables;
    (void)salt;
    (void)error;
    *out = right();
    return MAILLE_OK;
}

static enum maille_code block(void *context, int64_t *out, uint32_t number, const uint32_t *columns, size_t n,
                              size_t first, size_t rows, struct maille_error *error)
{
    const struct table *table = context;
    (void)number;
    (void)error;
    for (size_t c = 0; c < n; c++)
        for (size_t r = 0; r < rows; r++) {
            const int64_t patient =
                (int64_t)((first + r) / 2) + (first + r >= table->changed ? table->by : 0);
            assert_true(first + r < ROWS);
            out[c * rows + r] = columns[c] == ENGINE_PATIENTS ? patient : 7;
        }
    return MAILLE_OK;
}

static enum maille_code checked(size_t changed, int64_t by)
{
    struct maille_error error = {0};
    struct table table = {changed, by};
    const struct engine_reader reader = {&table, count, block};
    const struct engine_count frozen = right();
    const struct snapshot_facts facts = {.number = 1};
    struct columns *columns = NULL;
    struct arena *arena = arena_new();
    MUST(engine_columns_new(&columns, parse_dictionary(arena, text), &facts, &frozen, &reader, &error));
    const enum maille_code code = engine_columns_check(columns, &error);
    columns_free(columns);
    arena_free(arena);
    return code;
}

static void patients_go_on_from_block_to_block(void **state)
{
    (void)state;
    assert_int_equal(checked(SIZE_MAX, 0), MAILLE_OK);
    assert_int_equal(checked(COLUMNS_BLOCK_ROWS, 1), MAILLE_CORRUPT);
    assert_int_equal(checked(2 * COLUMNS_BLOCK_ROWS, -5), MAILLE_CORRUPT);
    assert_int_equal(checked(0, 1), MAILLE_CORRUPT);
}

/* The patients of a block that were changed within it are found when it is read. */
static void patients_go_on_within_a_block(void **state)
{
    struct maille_error error = {0};
    struct table table = {100, 2};
    const struct engine_reader reader = {&table, count, block};
    const struct engine_count frozen = right();
    const struct snapshot_facts facts = {.number = 1};
    struct columns *columns = NULL;
    struct column_scratch scratch = {0};
    struct column_block read;
    struct arena *arena = arena_new();
    (void)state;
    MUST(engine_columns_new(&columns, parse_dictionary(arena, text), &facts, &frozen, &reader, &error));
    assert_int_equal(columns_patient_block(&read, columns, &scratch, 0, &error), MAILLE_CORRUPT);
    table.changed = SIZE_MAX;
    MUST(columns_patient_block(&read, columns, &scratch, 0, &error));
    assert_int_equal(read.rows, COLUMNS_BLOCK_ROWS);
    column_scratch_clear(&scratch);
    columns_free(columns);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patients_go_on_from_block_to_block),
        cmocka_unit_test(patients_go_on_within_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
