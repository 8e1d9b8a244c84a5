#include "registry/column_cache.h"

#include <pthread.h>

#include "registry/import.h"
#include "registry/testing.h"

/* Four variables of 4 bytes, the last with entries missing; two whole blocks and a rest. */
static const char text[] = "dictionary: four\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                           "  - { name: a, type: integer, min: 0, max: 1000000 }\n"
                           "  - { name: b, type: integer, min: 0, max: 1000000 }\n"
                           "  - { name: c, type: integer, min: 0, max: 1000000 }\n"
                           "  - { name: d, type: integer, min: 0, max: 1000000 }\n";
enum {
    VARIABLES = 4,
    BLOCKS = 3,
    ROWS = 2 * COLUMNS_BLOCK_ROWS + 77,
    COLUMN_BYTES = BLOCKS * COLUMNS_BLOCK_ROWS * 4
};

static int32_t value_of(uint32_t variable, size_t row)
{
    return (int32_t)((row + 7919 * variable) * 2654435761u % 1000001);
}

static bool is_missing(uint32_t variable, size_t row)
{
    return variable == 3 && row % 13 == 4;
}

static int setup(void **state)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct import_report report = {0};
    struct columns *table = NULL;
    struct snapshot_facts facts = {.number = 1};
    memset(facts.salt, '5', 64);
    char csv[PATH_MAX], *h5 = malloc(PATH_MAX);
    FILE *file = fopen(test_path(csv, "four.csv"), "w");
    assert_non_null(file);
    fprintf(file, "pid,a,b,c,d\n");
    for (size_t row = 0; row < ROWS; row++) {
        fprintf(file, "%zu,%d,%d,%d,", row, value_of(0, row), value_of(1, row), value_of(2, row));
        fprintf(file, is_missing(3, row) ? "\n" : "%d\n", value_of(3, row));
    }
    assert_int_equal(fclose(file), 0);
    unlink(test_path(h5, "four.h5"));
    MUST(import_csv(&table, &report, parse_dictionary(arena, text), csv, NULL, &error));
    MUST(snapshot_write(table, h5, &facts, &error));
    import_report_clear(&report);
    columns_free(table);
    arena_free(arena);
    *state = h5;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

struct reading {
    struct column_cache *cache;
    struct columns *columns;
};

static struct reading begin(const char *path, size_t bytes_max)
{
    struct maille_error error = {0};
    struct reading reading = {0};
    MUST(column_cache_new(&reading.cache, bytes_max, &error));
    MUST(columns_open(&reading.columns, path, &error));
    columns_use_cache(reading.columns, reading.cache);
    return reading;
}

static void end(struct reading *reading)
{
    columns_free(reading->columns);
    assert_int_equal(column_cache_facts(reading->cache).bytes, 0);
    column_cache_free(reading->cache);
}

static void check_block(const struct column_block *block, uint32_t variable, size_t number)
{
    assert_int_equal(block->storage, STORE_INT32);
    assert_int_equal(block->rows, number < BLOCKS - 1 ? COLUMNS_BLOCK_ROWS : ROWS % COLUMNS_BLOCK_ROWS);
    for (size_t r = 0; r < block->rows; r++) {
        size_t row = number * COLUMNS_BLOCK_ROWS + r;
        bool missing = block->missing != NULL && (block->missing[r / 8] >> r % 8 & 1);
        if (missing != is_missing(variable, row) ||
            (!missing && ((const int32_t *)block->values)[r] != value_of(variable, row)))
            fail_msg("variable %u, row %zu is not what was written", variable, row);
    }
}

/* Reads a column to its end: how many blocks came from the file. */
static uint64_t read_column(struct reading *reading, uint32_t variable)
{
    struct maille_error error = {0};
    struct column_scratch scratch = {0};
    struct column_block block;
    uint64_t before = column_cache_facts(reading->cache).reads;
    for (size_t b = 0; b < BLOCKS; b++) {
        MUST(columns_block(&block, reading->columns, &scratch, variable, b, &error));
        check_block(&block, variable, b);
    }
    column_scratch_clear(&scratch);
    return column_cache_facts(reading->cache).reads - before;
}

static void what_fits_is_read_once(void **state)
{
    struct maille_error error = {0};
    struct reading reading = begin(*state, (size_t)64 << 20);
    struct column_scratch scratch = {0};
    struct column_block block;
    for (uint32_t v = 0; v < VARIABLES; v++)
        assert_int_equal(read_column(&reading, v), BLOCKS);
    for (uint32_t v = 0; v < VARIABLES; v++)
        assert_int_equal(read_column(&reading, v), 0);
    assert_int_equal(column_cache_facts(reading.cache).hits, VARIABLES * BLOCKS);
    for (int turn = 0; turn < 2; turn++) { /* the patients' indices too */
        MUST(columns_patient_block(&block, reading.columns, &scratch, 1, &error));
        assert_int_equal(((const int32_t *)block.values)[5], COLUMNS_BLOCK_ROWS + 5);
    }
    struct column_cache_facts facts = column_cache_facts(reading.cache);
    assert_int_equal(facts.reads, VARIABLES * BLOCKS + 1);
    assert_int_equal(facts.hits, VARIABLES * BLOCKS + 1);
    assert_int_equal(facts.evicted, 0);
    assert_int_equal(facts.bytes, (VARIABLES + 1) * COLUMN_BYTES + BLOCKS * COLUMNS_BLOCK_ROWS / 8);
    column_scratch_clear(&scratch);
    end(&reading);
}

static void too_small_a_cache_is_only_slower(void **state)
{
    const size_t sizes[] = {0, 1, COLUMN_BYTES - 1};
    for (size_t k = 0; k < 3; k++) {
        struct reading reading = begin(*state, sizes[k]);
        for (uint32_t v = 0; v < VARIABLES; v++)
            for (int turn = 0; turn < 2; turn++)
                assert_int_equal(read_column(&reading, v), BLOCKS);
        assert_int_equal(column_cache_facts(reading.cache).bytes, 0);
        assert_int_equal(column_cache_facts(reading.cache).hits, 0);
        end(&reading);
    }
}

static void the_one_used_longest_ago_makes_room(void **state)
{
    struct reading reading = begin(*state, 2 * COLUMN_BYTES);
    assert_int_equal(read_column(&reading, 0), BLOCKS);
    assert_int_equal(read_column(&reading, 1), BLOCKS);
    assert_int_equal(read_column(&reading, 0), 0);
    assert_int_equal(read_column(&reading, 2), BLOCKS); /* in the place of 1 */
    assert_int_equal(column_cache_facts(reading.cache).evicted, 1);
    assert_int_equal(read_column(&reading, 0), 0);
    assert_int_equal(read_column(&reading, 2), 0);
    assert_int_equal(read_column(&reading, 1), BLOCKS); /* in the place of 0 */
    assert_int_equal(read_column(&reading, 0), BLOCKS);
    assert_int_equal(column_cache_facts(reading.cache).evicted, 3);
    assert_int_equal(column_cache_facts(reading.cache).bytes, 2 * COLUMN_BYTES);
    end(&reading);
}

static void what_is_held_stays(void **state)
{
    struct maille_error error = {0};
    struct reading reading = begin(*state, COLUMN_BYTES);
    struct column_scratch scratch = {0};
    struct column_block block;
    MUST(columns_block(&block, reading.columns, &scratch, 0, 1, &error));
    assert_int_equal(read_column(&reading, 1), BLOCKS);
    assert_int_equal(read_column(&reading, 1), BLOCKS); /* there was no room */
    check_block(&block, 0, 1);
    /* Also when the columns are gone before the scratch. */
    columns_free(reading.columns);
    reading.columns = NULL;
    check_block(&block, 0, 1);
    column_scratch_clear(&scratch);
    end(&reading);
}

static void two_snapshots_are_two(void **state)
{
    struct maille_error error = {0};
    struct reading reading = begin(*state, (size_t)64 << 20), other = reading;
    MUST(columns_open(&other.columns, *state, &error));
    columns_use_cache(other.columns, other.cache);
    assert_int_equal(read_column(&reading, 0), BLOCKS);
    assert_int_equal(read_column(&other, 0), BLOCKS);
    columns_free(other.columns);
    assert_int_equal(column_cache_facts(reading.cache).bytes, COLUMN_BYTES);
    assert_int_equal(read_column(&reading, 0), 0);
    end(&reading);
}

static void *read_all(void *context)
{
    struct maille_error error = {0};
    struct reading *reading = context;
    struct column_scratch scratch[VARIABLES];
    struct column_block block;
    uintptr_t wrong = 0;
    memset(scratch, 0, sizeof scratch);
    for (size_t turn = 0; turn < 4; turn++)
        for (size_t b = 0; b < BLOCKS; b++)
            for (uint32_t k = 0; k < VARIABLES; k++) {
                uint32_t v = (k + (uint32_t)turn) % VARIABLES;
                if (columns_block(&block, reading->columns, &scratch[k], v, b, &error) != MAILLE_OK)
                    wrong++;
                else
                    for (size_t r = 0; r < block.rows; r += 97)
                        wrong +=
                            !is_missing(v, b * COLUMNS_BLOCK_ROWS + r) &&
                            ((const int32_t *)block.values)[r] != value_of(v, b * COLUMNS_BLOCK_ROWS + r);
            }
    for (size_t k = 0; k < VARIABLES; k++)
        column_scratch_clear(&scratch[k]);
    return (void *)wrong;
}

static void threads_share_one(void **state)
{
    const size_t sizes[] = {COLUMN_BYTES, 3 * COLUMN_BYTES, (size_t)64 << 20};
    for (size_t k = 0; k < 3; k++) {
        struct reading reading = begin(*state, sizes[k]);
        pthread_t threads[3];
        for (size_t t = 0; t < 3; t++)
            assert_int_equal(pthread_create(&threads[t], NULL, read_all, &reading), 0);
        for (size_t t = 0; t < 3; t++) {
            void *wrong;
            pthread_join(threads[t], &wrong);
            assert_null(wrong);
        }
        assert_true(column_cache_facts(reading.cache).bytes <= sizes[k]);
        end(&reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_fits_is_read_once),
                                       cmocka_unit_test(too_small_a_cache_is_only_slower),
                                       cmocka_unit_test(the_one_used_longest_ago_makes_room),
                                       cmocka_unit_test(what_is_held_stays),
                                       cmocka_unit_test(two_snapshots_are_two),
                                       cmocka_unit_test(threads_share_one)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
