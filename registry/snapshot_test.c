#include "registry/columns.h"

#include <fcntl.h>
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "registry/import.h"
#include "registry/testing.h"

/* HDF5 1.10 does not give back all memory for each altered object header that it refuses: seen by
 * LeakSanitizer, not ours to mend. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5_serial";
}

/* One variable of each type and each storage. Values are a function of the row, so that every copy can be
 * checked. */
static const char text[] =
    "dictionary: all\nversion: 2\nkey: pid\nvariables:\n"
    "  - { name: tiny, type: integer, min: -5, max: 100 }\n"
    "  - { name: short, type: integer, min: -5, max: 1000 }\n"
    "  - { name: int, type: integer, min: -5, max: 1000000 }\n"
    "  - { name: long, type: integer, min: -5, max: 1000000000000 }\n"
    "  - { name: real, type: real, min: -100, max: 100, resolution: 0.25 }\n"
    "  - { name: level, type: category, levels: [\"é\", \"b\", \"c\"] }\n"
    "  - { name: flag, type: boolean }\n"
    "  - { name: time, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: half, type: duration, units: months, min: 0, max: 90, resolution: 0.5 }\n"
    "  - { name: day, type: date, min: 1900-01-01, max: 2030-12-31 }\n";
enum { VARIABLES = 10, BIG = 2 * COLUMNS_BLOCK_ROWS + 1001, SMALL = 497 };

static bool is_missing(uint32_t v, size_t row)
{
    /* tiny has none, short one in the second block alone, the others here and there. */
    return v == 1 ? row == COLUMNS_BLOCK_ROWS + 3 : v != 0 && (row * 7 + v) % (11 + v) == 0;
}

static double value_of(uint32_t v, size_t row)
{
    static const double scale[VARIABLES] = {1, 1, 1, 1000000, 0.25, 1, 1, 1, 0.5, 1};
    static const size_t modulus[VARIABLES] = {106, 1006, 1000006, 1000000, 800, 3, 2, 9001, 181, 40000};
    static const double first[VARIABLES] = {-5, -5, -5, 0, -100, 0, 0, 0, 0, -20000};
    return first[v] + scale[v] * (double)(row * 2654435761u % modulus[v]);
}

/* What the column holds of it: steps of the resolution. */
static double steps_of(uint32_t v, size_t row)
{
    static const double per_step[VARIABLES] = {1, 1, 1, 1, 4, 1, 1, 1, 2, 1};
    return value_of(v, row) * per_step[v];
}

/* A CSV file of so many rows, two of them each patient. */
static void write_csv(const char *path, size_t rows)
{
    static const char *const levels[] = {"é", "b", "c"};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "pid,tiny,short,int,long,real,level,flag,time,half,day\n");
    for (size_t row = 0; row < rows; row++) {
        fprintf(file, "secret-%zu", row / 2);
        for (uint32_t v = 0; v < VARIABLES; v++) {
            double value = value_of(v, row);
            if (is_missing(v, row))
                fprintf(file, ",");
            else if (v == 5)
                fprintf(file, ",%s", levels[(size_t)value]);
            else if (v == 9)
                fprintf(file, ",%04d-%02d-%02d", 1915 + (int)(value + 20000) / 400,
                        1 + (int)(value + 20000) / 30 % 12, 1 + (int)(value + 20000) % 28);
            else
                fprintf(file, ",%.17g", value);
        }
        fprintf(file, "\n");
    }
    assert_int_equal(fclose(file), 0);
}

static double entry(const struct column_block *block, size_t r)
{
    switch (block->storage) {
    case STORE_INT8:
        return ((const int8_t *)block->values)[r];
    case STORE_INT16:
        return ((const int16_t *)block->values)[r];
    case STORE_INT32:
        return ((const int32_t *)block->values)[r];
    case STORE_INT64:
        return (double)((const int64_t *)block->values)[r];
    }
    return 0;
}

static bool bit(const uint8_t *bits, size_t r)
{
    return bits != NULL && (bits[r / 8] >> r % 8 & 1);
}

struct fixture {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct columns *big, *small;
    struct snapshot_facts facts;
    char big_path[PATH_MAX], small_path[PATH_MAX], csv_path[PATH_MAX];
};

static struct columns *import_rows(struct fixture *f, size_t rows)
{
    struct maille_error error = {0};
    struct import_report report = {0};
    struct columns *table = NULL;
    write_csv(f->csv_path, rows);
    MUST(import_csv(&table, &report, f->dictionary, f->csv_path, NULL, &error));
    import_report_clear(&report);
    unlink(f->csv_path);
    return table;
}

static int set_up(void **state)
{
    struct maille_error error = {0};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = arena_new();
    assert_non_null(f->arena);
    f->dictionary = parse_dictionary(f->arena, text);
    f->facts = (struct snapshot_facts){.number = 7, .is_public = true};
    snprintf(f->facts.created, sizeof f->facts.created, "2026-11-23T15:50:00.123Z");
    memset(f->facts.source_hash, 'a', 64);
    memset(f->facts.salt, '5', 64);
    snprintf(f->facts.exclusions, sizeof f->facts.exclusions, "12 patients who object");
    test_path(f->csv_path, "rows.csv");
    unlink(test_path(f->big_path, "big.h5"));
    unlink(test_path(f->small_path, "small.h5"));
    f->big = import_rows(f, BIG);
    f->small = import_rows(f, SMALL);
    MUST(snapshot_write(f->big, f->big_path, &f->facts, &error));
    MUST(snapshot_write(f->small, f->small_path, &f->facts, &error));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    columns_free(f->big);
    columns_free(f->small);
    arena_free(f->arena);
    unlink(f->big_path);
    unlink(f->small_path);
    free(f);
    return 0;
}

/* Every value of the variables from first on, in steps. */
static bool is_as_written(struct columns *columns, uint32_t first, uint32_t step)
{
    struct column_scratch scratch = {0};
    struct column_block block;
    bool same = true;
    for (size_t b = 0; b < columns_blocks(columns); b++)
        for (uint32_t v = first; v < VARIABLES; v += step) {
            same = same && columns_block(&block, columns, &scratch, v, b, NULL) == MAILLE_OK;
            for (size_t r = 0; same && r < block.rows; r++) {
                size_t row = b * COLUMNS_BLOCK_ROWS + r;
                same = bit(block.missing, r) == is_missing(v, row) &&
                       (v == 9 || bit(block.missing, r) || entry(&block, r) == steps_of(v, row));
            }
            same = same && (v != 1 || (block.missing != NULL) == (b == 1));
        }
    column_scratch_clear(&scratch);
    return same;
}

/* Row by row the same as the table in memory: dates, patients. */
static void expect_same(struct columns *a, struct columns *b)
{
    struct maille_error error = {0};
    struct column_scratch scratch_a = {0}, scratch_b = {0};
    struct column_block block_a, block_b;
    assert_int_equal(columns_rows(a), columns_rows(b));
    assert_int_equal(columns_patients(a), columns_patients(b));
    assert_int_equal(columns_blocks(a), columns_blocks(b));
    for (size_t n = 0; n < columns_blocks(a); n++) {
        for (uint32_t v = 0; v < VARIABLES; v++) {
            MUST(columns_block(&block_a, a, &scratch_a, v, n, &error));
            MUST(columns_block(&block_b, b, &scratch_b, v, n, &error));
            assert_int_equal(block_a.storage, block_b.storage);
            assert_int_equal(block_a.rows, block_b.rows);
            size_t differ = 0;
            for (size_t r = 0; r < block_a.rows; r++)
                differ += entry(&block_a, r) != entry(&block_b, r) ||
                          bit(block_a.missing, r) != bit(block_b.missing, r);
            assert_int_equal(differ, 0);
        }
        MUST(columns_patient_block(&block_a, a, &scratch_a, n, &error));
        MUST(columns_patient_block(&block_b, b, &scratch_b, n, &error));
        assert_memory_equal(block_a.values, block_b.values, block_a.rows * sizeof(int32_t));
    }
    column_scratch_clear(&scratch_a);
    column_scratch_clear(&scratch_b);
}

static void comes_back_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct columns *tables[] = {f->big, f->small};
    const char *paths[] = {f->big_path, f->small_path};
    for (size_t i = 0; i < 2; i++) {
        struct columns *columns = NULL;
        MUST(columns_open(&columns, paths[i], &error));
        expect_same(columns, tables[i]);
        const struct snapshot_facts *facts = columns_facts(columns);
        assert_int_equal(facts->number, 7);
        assert_true(facts->is_public);
        assert_string_equal(facts->created, f->facts.created);
        assert_string_equal(facts->source_hash, f->facts.source_hash);
        assert_string_equal(facts->salt, f->facts.salt);
        assert_string_equal(facts->exclusions, f->facts.exclusions);
        assert_string_equal(columns_dictionary(columns)->text, text);
        assert_int_equal(columns_dictionary(columns)->version, 2);
        columns_free(columns);
    }
}

static void is_small_private_and_without_keys(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct stat status;
    struct bytes bytes = {0};
    assert_int_equal(stat(f->small_path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0400);
    assert_true(status.st_size < 64 * 1024); /* 497 rows are no megabytes */
    MUST(file_read(&bytes, f->big_path, 1 << 28, &error));
    assert_null(memmem(bytes.data, bytes.length, "secret", 6));
    bytes_clear(&bytes);
}

struct reading {
    struct columns *columns;
    uint32_t first;
    bool same;
};

static void *read_all(void *context)
{
    struct reading *reading = context;
    reading->same = true;
    for (int turn = 0; turn < 3; turn++)
        reading->same = reading->same && is_as_written(reading->columns, reading->first, 2);
    return NULL;
}

static void two_threads_read_at_once(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct columns *columns = NULL;
    pthread_t threads[2];
    struct reading readings[2];
    MUST(columns_open(&columns, f->big_path, &error));
    for (uint32_t t = 0; t < 2; t++) {
        readings[t] = (struct reading){.columns = columns, .first = t};
        assert_int_equal(pthread_create(&threads[t], NULL, read_all, &readings[t]), 0);
    }
    for (size_t t = 0; t < 2; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        assert_true(readings[t].same);
    }
    columns_free(columns);
}

static void a_part_of_a_file_is_a_table(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct columns *columns = NULL, *from_file = NULL, *from_memory = NULL, *again = NULL;
    bool *keep = calloc(BIG, sizeof *keep);
    char path[PATH_MAX];
    assert_non_null(keep);
    for (size_t row = 0; row < BIG; row++)
        keep[row] = row * 5 % 7 < 4;
    MUST(columns_open(&columns, f->big_path, &error));
    MUST(columns_subset(&from_file, columns, keep, &error));
    MUST(columns_subset(&from_memory, f->big, keep, &error));
    columns_free(columns);
    expect_same(from_file, from_memory);
    /* And a snapshot of it is the next number. */
    unlink(test_path(path, "part.h5"));
    MUST(snapshot_write(from_file, path, columns_facts(from_file), &error));
    MUST(columns_open(&again, path, &error));
    expect_same(again, from_memory);
    columns_free(from_file);
    /* No row at all. */
    memset(keep, 0, BIG * sizeof *keep);
    MUST(columns_subset(&from_file, again, keep, &error));
    columns_free(again);
    again = NULL;
    unlink(path);
    MUST(snapshot_write(from_file, path, &f->facts, &error));
    MUST(columns_open(&again, path, &error));
    assert_int_equal(columns_rows(again), 0);
    assert_int_equal(columns_blocks(again), 0);
    columns_free(again);
    columns_free(from_file);
    columns_free(from_memory);
    unlink(path);
    free(keep);
}

/* The hash of a snapshot is published: without the salt it would confirm a guess of its rows. */
static void a_snapshot_has_its_salt(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct snapshot_facts facts = f->facts;
    char path[PATH_MAX];
    const char *const wrong[] = {"", "55",
                                 "5555555555555555555555555555555555555555555555555555555555555z55"};
    unlink(test_path(path, "salt.h5"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(facts.salt, sizeof facts.salt, "%s", wrong[i]);
        assert_int_equal(snapshot_write(f->small, path, &facts, &error), MAILLE_INVALID);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    struct bytes files[2] = {{0}, {0}};
    for (size_t i = 0; i < 2; i++) { /* another salt, another file */
        memset(facts.salt, i == 0 ? '5' : '6', 64);
        MUST(snapshot_write(f->small, path, &facts, &error));
        MUST(file_read(&files[i], path, 1 << 20, &error));
        unlink(path);
    }
    assert_true(files[0].length != files[1].length ||
                memcmp(files[0].data, files[1].data, files[0].length) != 0);
    bytes_clear(&files[0]);
    bytes_clear(&files[1]);
}

static void a_snapshot_is_frozen(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct bytes before = {0}, after = {0};
    MUST(file_read(&before, f->small_path, 1 << 20, &error));
    assert_int_equal(snapshot_write(f->big, f->small_path, &f->facts, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "frozen"));
    MUST(file_read(&after, f->small_path, 1 << 20, &error));
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    bytes_clear(&before);
    bytes_clear(&after);
}

/* A limit on the size of files stands for a disk that fills up. */
/* The file's hash says what is in it, and nothing of when it was written. */
static void the_same_table_is_the_same_file(void **state)
{
    const struct fixture *f = *state;
    struct maille_error error = {0};
    struct bytes first = {0}, again = {0};
    char path[512];
    snprintf(path, sizeof path, "%s.again", f->small_path);
    unlink(path);
    const time_t begun = time(NULL);
    while (time(NULL) == begun) /* HDF5 counts in seconds */
        usleep(20000);
    MUST(snapshot_write(f->small, path, &f->facts, &error));
    MUST(file_read(&first, f->small_path, 1 << 26, &error));
    MUST(file_read(&again, path, 1 << 26, &error));
    assert_int_equal(first.length, again.length);
    assert_memory_equal(first.data, again.data, first.length);
    bytes_clear(&first);
    bytes_clear(&again);
    unlink(path);
}

static void a_full_disk_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct rlimit before, limited;
    char path[PATH_MAX], beside[PATH_MAX];
    unlink(test_path(path, "full.h5"));
    snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid());
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    static const rlim_t sizes[] = {0, 1000, 5000, 50000, 500000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        limited = (struct rlimit){.rlim_cur = sizes[i], .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limited), 0);
        enum maille_code code = snapshot_write(f->big, path, &f->facts, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(code, MAILLE_IO);
        assert_false(file_exists(path));
        assert_false(file_exists(beside));
    }
    assert_int_equal(snapshot_write(f->big, "/no/such/folder/x.h5", &f->facts, &error), MAILLE_IO);
    MUST(snapshot_write(f->small, path, &f->facts, &error)); /* and the library is as good as before */
    unlink(path);
}

static void expect_corrupt(const char *path)
{
    struct maille_error error = {0};
    struct columns *columns = NULL;
    assert_int_equal(columns_open(&columns, path, &error), MAILLE_CORRUPT);
    assert_non_null(strstr(error.sentence, path));
    assert_null(columns);
}

static void refuses_what_is_no_snapshot(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct columns *columns = NULL;
    char path[PATH_MAX];
    assert_int_equal(columns_open(&columns, test_path(path, "none.h5"), &error), MAILLE_IO);
    write_bytes(test_path(path, "foreign.h5"), "", 0);
    expect_corrupt(path);
    write_bytes(path, "pid,age\n1,2\n", 12);
    expect_corrupt(path);
    /* HDF5, but somebody else's. */
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    H5Fclose(file);
    expect_corrupt(path);
    unlink(path);
}

/* Reads everything; a value it gives back is one the dictionary allows. */
static enum maille_code read_whole(const char *path)
{
    struct maille_error error = {0};
    struct columns *columns = NULL;
    struct column_scratch scratch = {0};
    struct column_block block;
    enum maille_code code = columns_open(&columns, path, &error);
    for (size_t b = 0; code == MAILLE_OK && b < columns_blocks(columns); b++) {
        for (uint32_t v = 0; code == MAILLE_OK && v < columns_dictionary(columns)->n_variables; v++) {
            code = columns_block(&block, columns, &scratch, v, b, &error);
            for (size_t r = 0; code == MAILLE_OK && v == 5 && r < block.rows; r++)
                assert_in_range(((const int8_t *)block.values)[r], 0, 2);
        }
        if (code == MAILLE_OK)
            code = columns_patient_block(&block, columns, &scratch, b, &error);
    }
    if (code != MAILLE_OK)
        assert_non_null(strstr(error.sentence, path));
    column_scratch_clear(&scratch);
    columns_free(columns);
    return code;
}

static void survives_truncation(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct bytes whole = {0};
    char path[PATH_MAX];
    test_path(path, "cut.h5");
    MUST(file_read(&whole, f->small_path, 1 << 20, &error));
    for (size_t length = 0; length < whole.length; length += length < 4096 ? 61 : 509) {
        write_bytes(path, whole.data, length);
        assert_int_equal(read_whole(path), MAILLE_CORRUPT);
    }
    write_bytes(path, whole.data, whole.length - 1);
    assert_int_equal(read_whole(path), MAILLE_CORRUPT);
    unlink(path);
    bytes_clear(&whole);
}

static void survives_alteration(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct bytes whole = {0};
    char path[PATH_MAX];
    size_t noticed = 0, tried = 0;
    test_path(path, "altered.h5");
    MUST(file_read(&whole, f->small_path, 1 << 20, &error));
    /* A step that is no multiple of anything in the file meets every kind of byte in it. */
    for (size_t at = 0; at < whole.length; at += at < 1024 ? 1 : 37) {
        uint8_t before = whole.data[at];
        static const uint8_t masks[] = {0x01, 0x80, 0xFF};
        whole.data[at] = (uint8_t)(before ^ masks[at % 3]);
        write_bytes(path, whole.data, whole.length);
        enum maille_code code = read_whole(path);
        assert_true(code == MAILLE_OK || code == MAILLE_CORRUPT);
        noticed += code == MAILLE_CORRUPT;
        tried++;
        whole.data[at] = before;
    }
    /* The worker keeps the hash of the file; here no more is asked than that nothing crashes. Most of it is
     * noticed even so. */
    assert_true(noticed > tried / 4);
    write_bytes(path, whole.data, whole.length);
    assert_int_equal(read_whole(path), MAILLE_OK);
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0); /* nothing is left open */
    unlink(path);
    bytes_clear(&whole);
}

/* Whoever can write a well-formed file still cannot smuggle in a value that the dictionary does not allow. */
static void set_entry(const char *path, const char *dataset, hid_t type, const void *value)
{
    hsize_t at = 3, one = 1;
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, dataset, H5P_DEFAULT);
    hid_t space = H5Dget_space(set), memory = H5Screate_simple(1, &one, NULL);
    assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &one, NULL) >= 0);
    assert_true(H5Dwrite(set, type, memory, space, H5P_DEFAULT, value) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(set);
    assert_true(H5Fclose(file) >= 0);
}

static void refuses_values_outside_the_dictionary(void **state)
{
    struct fixture *f = *state;
    static const int64_t level = 3, tiny = 101, longest = 1000000000001, patient = 5;
    static const int64_t real = 401, half = 181; /* of quarters up to 100, of halves up to 90 */
    const struct {
        const char *dataset;
        hid_t type;
        const void *value;
    } smuggled[] = {
        {"/patient/level", H5T_NATIVE_INT64, &level},  {"/patient/tiny", H5T_NATIVE_INT64, &tiny},
        {"/patient/long", H5T_NATIVE_INT64, &longest}, {"/patient/real", H5T_NATIVE_INT64, &real},
        {"/patient/half", H5T_NATIVE_INT64, &half},    {"/patient_index", H5T_NATIVE_INT64, &patient},
    };
    struct maille_error error = {0};
    struct bytes whole = {0};
    char path[PATH_MAX];
    test_path(path, "smuggled.h5");
    MUST(file_read(&whole, f->small_path, 1 << 20, &error));
    for (size_t i = 0; i < sizeof smuggled / sizeof *smuggled; i++) {
        write_bytes(path, whole.data, whole.length);
        set_entry(path, smuggled[i].dataset, smuggled[i].type, smuggled[i].value);
        assert_int_equal(read_whole(path), MAILLE_CORRUPT);
    }
    unlink(path);
    bytes_clear(&whole);
}

/* A file of another version is not read, and the sentence says which program wrote it. */
static void refuses_other_formats(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t version;
        const char *sentence;
    } others[] = {{3, "expected a snapshot of format 4, found format 3: an older maille wrote it"},
                  {5, "found format 5: a newer maille wrote it"}};
    struct bytes whole = {0};
    char path[PATH_MAX];
    struct maille_error error = {0};
    test_path(path, "other.h5");
    MUST(file_read(&whole, f->small_path, 1 << 20, &error));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct columns *columns = NULL;
        write_bytes(path, whole.data, whole.length);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT),
              attribute = H5Aopen(file, "format_version", H5P_DEFAULT);
        assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, &others[i].version) >= 0);
        H5Aclose(attribute);
        assert_true(H5Fclose(file) >= 0);
        assert_int_equal(columns_open(&columns, path, &error), MAILLE_CORRUPT);
        assert_string_equal(error.rule, columns_other_format);
        if (strstr(error.sentence, others[i].sentence) == NULL)
            fail_msg("expected `%s`, found `%s`", others[i].sentence, error.sentence);
    }
    unlink(path);
    bytes_clear(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was_written),
        cmocka_unit_test(is_small_private_and_without_keys),
        cmocka_unit_test(two_threads_read_at_once),
        cmocka_unit_test(a_part_of_a_file_is_a_table),
        cmocka_unit_test(a_snapshot_has_its_salt),
        cmocka_unit_test(a_snapshot_is_frozen),
        cmocka_unit_test(the_same_table_is_the_same_file),
        cmocka_unit_test(a_full_disk_leaves_nothing),
        cmocka_unit_test(refuses_what_is_no_snapshot),
        cmocka_unit_test(survives_truncation),
        cmocka_unit_test(survives_alteration),
        cmocka_unit_test(refuses_values_outside_the_dictionary),
        cmocka_unit_test(refuses_other_formats),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
