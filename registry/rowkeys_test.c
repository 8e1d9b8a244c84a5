#include "registry/testing.h"

#include <sys/stat.h>

#include "base/bytes.h"
#include "registry/import.h"
#include "registry/objections.h"

#define DICTIONARY(extra, levels)                                                                            \
    "dictionary: toy\nversion: 1\nkey: id\nidentical_rows: true\nmissing: [\"\"]\nvariables:\n  - { name: "  \
    "age, type: integer, "                                                                                   \
    "min: 0, max: 120 }\n"                                                                                   \
    "  - { name: arm, type: category, levels: [" levels "] }\n" extra

/* Not a hash that hides anybody: the room has none. It tells keys apart. */
static void hash(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length)
{
    for (unsigned half = 0; half < 2; half++) {
        uint64_t h = 0xcbf29ce484222325U ^ (half * 0x9e3779b97f4a7c15U) ^ *(const uint64_t *)context;
        for (size_t i = 0; i < length; i++)
            h = (h ^ ((const uint8_t *)data)[i]) * 0x100000001b3U;
        h = (h ^ h >> 33) * 0xff51afd7ed558ccdU;
        le64_store(out + 8 * half, h ^ h >> 31);
    }
}

static const uint64_t key = 1, other_key = 2;
static const struct row_hash own = {hash, &key}, stranger = {hash, &other_key};

enum { ROWS = 16 };

struct imported {
    size_t rows;
    uint32_t row[ROWS], patient[ROWS];
};

static const char *map_path(char path[PATH_MAX])
{
    return test_path(path, "rows");
}

/* One import: read, number, write the map, give the numbers. */
static void import(struct imported *out, const char *dictionary_text, const char *csv, uint32_t snapshot,
                   const char *objections, size_t left_out)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct columns *table = NULL, *without = NULL;
    struct import_report report;
    struct row_keys *keys = NULL;
    struct column_scratch scratch = {0};
    const uint64_t *ids = NULL;
    size_t n;
    char path[PATH_MAX];
    write_bytes(test_path(path, "rows.csv"), csv, strlen(csv));
    MUST(import_csv(&table, &report, parse_dictionary(arena, dictionary_text), path, NULL, &error));
    MUST(row_keys_read(&keys, map_path(path), &own, &error));
    if (objections != NULL) {
        write_bytes(test_path(path, "objections.csv"), objections, strlen(objections));
        const struct objection *list;
        size_t n_list = 0;
        MUST(objections_read(&list, &n_list, arena, path, &error));
        for (size_t i = 0; i < n_list; i++)
            MUST(row_keys_object(keys, list[i].pseudonym, &error));
    }
    MUST(row_keys_number(keys, table, &error));
    MUST(row_keys_exclude(&without, &n, keys, table, &error));
    assert_int_equal(n, left_out);
    assert_int_equal(without != NULL, left_out > 0);
    MUST(row_keys_write(keys, map_path(path), snapshot, &error));
    struct columns *kept = without != NULL ? without : table;
    *out = (struct imported){.rows = columns_rows(kept)};
    assert_true(out->rows <= ROWS);
    if (out->rows > 0)
        MUST(columns_row_id_block(&ids, kept, &scratch, 0, &error));
    for (size_t r = 0; r < out->rows; r++) {
        out->row[r] = row_id_row(ids[r]);
        out->patient[r] = row_id_patient(ids[r]);
        for (size_t before = 0; before < r; before++)
            assert_int_not_equal(out->row[before], out->row[r]);
    }
    column_scratch_clear(&scratch);
    row_keys_free(keys);
    columns_free(table);
    columns_free(without);
    import_report_clear(&report);
    arena_free(arena);
}

static void fresh(void)
{
    char path[PATH_MAX];
    unlink(map_path(path));
}

static void is(const struct imported *found, size_t rows, const uint32_t *row, const uint32_t *patient)
{
    assert_int_equal(found->rows, rows);
    assert_memory_equal(found->row, row, rows * sizeof *row);
    assert_memory_equal(found->patient, patient, rows * sizeof *patient);
}

#define ROWS_ARE(found, ...)                                                                                 \
    is(&(found), sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__}, (uint32_t[]){__VA_ARGS__})

static const char plain[] = DICTIONARY("", "a, b");

static void numbers_stay(void **state)
{
    (void)state;
    struct imported found;
    fresh();
    import(&found, plain, "id,age,arm\nP1,40,a\nP2,41,b\nP3,42,\n", 1, NULL, 0);
    ROWS_ARE(found, 1, 2, 3);
    import(&found, plain, "id,age,arm\nP1,40,a\nP2,41,b\nP3,42,\n", 2, NULL, 0); /* the same file */
    ROWS_ARE(found, 1, 2, 3);
    import(&found, plain, "age;arm;id\n42;;P3\n40;a;P1\n41;b;P2\n", 3, NULL,
           0); /* in another order, as another CSV */
    ROWS_ARE(found, 3, 1, 2);
    import(&found, plain, "id,age,arm\nP1,40,a\nP3,42,b\nP4,40,a\n", 4, NULL,
           0); /* one gone, one changed, one new */
    is(&found, 3, (uint32_t[]){1, 4, 5}, (uint32_t[]){1, 3, 5});
    import(&found, plain, "id,age,arm\nP3,42,\nP2,41,b\n", 5, NULL, 0); /* changed back, come back */
    ROWS_ARE(found, 3, 2);
}

static void several_rows_of_a_patient(void **state)
{
    (void)state;
    struct imported found;
    fresh();
    import(&found, plain, "id,age,arm\nP1,40,a\nP2,50,a\nP1,41,b\nP1,40,a\n", 1, NULL, 0); /* two are equal */
    is(&found, 4, (uint32_t[]){1, 2, 3, 4}, (uint32_t[]){1, 1, 1, 4});
    import(&found, plain, "id,age,arm\nP1,41,b\nP1,40,a\nP2,50,a\n", 2, NULL,
           0); /* one of the equal ones is gone */
    is(&found, 3, (uint32_t[]){2, 1, 4}, (uint32_t[]){1, 1, 4});
}

/* A column without values and a level more change no number; what is the same under another name does. */
static void the_dictionary_may_grow(void **state)
{
    (void)state;
    struct imported found;
    fresh();
    import(&found, plain, "id,age,arm\nP1,40,a\nP2,41,b\n", 1, NULL, 0);
    import(&found, DICTIONARY("  - { name: bmi, type: real, min: 0, max: 99, resolution: 0.1 }\n", "c, b, a"),
           "id,age,arm,bmi\nP1,40,a,\nP2,41,b,22.5\n", 2, NULL, 0);
    is(&found, 2, (uint32_t[]){1, 3}, (uint32_t[]){1, 2});
}

static void who_objects_is_left_out(void **state)
{
    (void)state;
    struct imported found;
    static const char csv[] = "id,age,arm\nP1,40,a\nP2,41,b\nP2,42,b\nP3,42,\n";
    fresh();
    import(&found, plain, csv, 1, NULL, 0);
    import(&found, plain, csv, 2,
           "pseudonym,date,purposes\nP2,2026-02-28,all\nP9,2026-03-01,research\nP2,2026-03-02,all\n", 1);
    is(&found, 2, (uint32_t[]){1, 4}, (uint32_t[]){1, 4});
    import(&found, plain, csv, 3, NULL, 1); /* still in force */
    is(&found, 2, (uint32_t[]){1, 4}, (uint32_t[]){1, 4});
    import(&found, plain, csv, 4, "purposes;date;pseudonym\nall;28/02/2026;P1\n", 2); /* added to P2 */
    ROWS_ARE(found, 4);
    import(&found, plain, csv, 5,
           "pseudonym,date,purposes\nP1,2026-02-28,all\nP2,2026-02-28,all\nP3,2026-02-28,all\n", 3);
    assert_int_equal(found.rows, 0);
    import(&found, plain, csv, 6, "pseudonym,date,purposes\n", 3); /* nobody withdraws by leaving a list */
    assert_int_equal(found.rows, 0);
}

static void who_withdraws_comes_back(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct row_keys *keys = NULL;
    struct imported found;
    char path[PATH_MAX];
    static const char csv[] = "id,age,arm\nP1,40,a\nP2,41,b\n";
    fresh();
    import(&found, plain, csv, 1, "pseudonym,date,purposes\nP1,2026-01-01,all\nP2,2026-01-01,all\n", 2);
    MUST(row_keys_read(&keys, map_path(path), &own, &error));
    assert_true(row_keys_objects(keys, "P1") && row_keys_objects(keys, "P2"));
    assert_int_equal(row_keys_patient(keys, "P2"), 2);
    assert_int_equal(row_keys_patient(keys, "P3"), 0);
    row_keys_withdraw(keys, "P1");
    row_keys_withdraw(keys, "P9");
    assert_int_equal(row_keys_objections(keys), 1);
    assert_false(row_keys_objects(keys, "P1"));
    MUST(row_keys_write(keys, path, 1, &error));
    row_keys_free(keys);
    import(&found, plain, csv, 2, NULL, 1);
    is(&found, 1, (uint32_t[]){1}, (uint32_t[]){1});
}

/* As another hand may have written it. */
static void near_pseudonyms_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *written, *near;
    } cases[] = {{"2", "0002"},
                 {"00002", "0002"},
                 {"p7", "P7"},
                 {"P007", "P7"},
                 {"AB 12", "ab12"},
                 {"AB\xC2\xA0"
                  "12",
                  "ab12"},
                 {"x-1-a", "x-001-a"},
                 {"0002", NULL},
                 {"3", NULL},
                 {"P8", NULL}};
    struct maille_error error = {0};
    struct row_keys *keys = NULL;
    struct imported found;
    struct arena *arena = arena_new();
    char path[PATH_MAX];
    fresh();
    import(&found, plain, "id,age,arm\n0002,40,a\nP7,41,b\nab12,40,a\nx-001-a,30,a\n", 1, NULL, 0);
    MUST(row_keys_read(&keys, map_path(path), &own, &error));
    static const char *const alike[] = {"aB12", "X-1-A", "P 0007", "p7"}, *const others[] = {"aB13", "P70",
                                                                                             "x-1"};
    bool is_alike = false;
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        MUST(row_keys_alike(&is_alike, keys, alike[i], &error));
        assert_true(is_alike);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        MUST(row_keys_alike(&is_alike, keys, others[i], &error));
        assert_false(is_alike);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *near = objections_near(arena, keys, cases[i].written, false);
        if (cases[i].near == NULL)
            assert_null(near);
        else if (near == NULL || strcmp(near, cases[i].near) != 0)
            fail_msg("%s: expected %s, found %s", cases[i].written, cases[i].near,
                     near != NULL ? near : "none");
        assert_null(objections_near(arena, keys, cases[i].written, true));
    }
    row_keys_free(keys);
    arena_free(arena);
}

static void bad_objections_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *csv, *words;
    } cases[] = {{"", "pseudonym, date and purposes"},
                 {"pseudonym,date\nP1,2026-01-01\n", "no purposes"},
                 {"pseudonym,date,purposes\nP1,1.1.2026,all\n", ":2: expected a pseudonym, a date as"},
                 {"pseudonym,date,purposes\nP1,2026-13-01,all\n", ":2:"},
                 {"pseudonym,date,purposes\n\xE2\x80\x8BP1,2026-01-01,all\n", "found U+200B in it"},
                 {"pseudonym,date,purposes\n\"P\t1\",2026-01-01,all\n", "found U+0009 in it"},
                 {"pseudonym,date,purposes\n\"P\n1\",2026-01-01,all\n", "found U+000A in it"},
                 {"pseudonym,date,purposes\nP1,2026-01-01,all\n,2026-01-01,all\n", ":3:"},
                 {"pseudonym,date,purposes\nP1,2026-01-01,\n", ":2:"},
                 {"pseudonym,date,purposes\nP1,2026-01-01\n", ":2:"}};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    const struct objection *list;
    size_t n;
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_bytes(test_path(path, "objections.csv"), cases[i].csv, strlen(cases[i].csv));
        assert_int_equal(objections_read(&list, &n, arena, path, &error), MAILLE_INVALID);
        if (strstr(error.sentence, cases[i].words) == NULL)
            fail_msg("case %zu: %s", i, error.sentence);
    }
    static const char twice[] =
        "pseudonym,date,purposes\nP2,31/01/2026,all\nP1,2026-02-01,audit\nP2,2026-01-02,all\n";
    write_bytes(path, twice, sizeof twice - 1);
    MUST(objections_read(&list, &n, arena, path, &error));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].pseudonym, "P1"); /* P2's earliest day stands on line 4 */
    assert_int_equal(list[1].date, 20455);
    assert_int_equal(list[1].line, 4);
    assert_true(list[1].all && !list[0].all);
    arena_free(arena);
}

/* The file is private, is no list of pseudonyms, and any byte of it counts. */
static void the_file_is_checked(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct imported found;
    struct row_keys *keys = NULL;
    struct stat status;
    char path[PATH_MAX], bytes[4096];
    fresh();
    import(&found, plain, "id,age,arm\nPSEUDONYM-1,40,a\nPSEUDONYM-2,41,b\n", 7,
           "pseudonym,date,purposes\nPSEUDONYM-2,2026-01-01,all\n", 1);
    assert_int_equal(stat(map_path(path), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    FILE *file = fopen(path, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(length, 64 + 6 * 20 + 16 + 16);
    assert_null(memmem(bytes, length, "PSEUDONYM", 9));
    MUST(row_keys_read(&keys, path, &own, &error));
    assert_int_equal(row_keys_snapshot(keys), 7);
    assert_int_equal(row_keys_objections(keys), 1);
    assert_false(row_keys_empty(keys));
    row_keys_free(keys);
    assert_int_equal(row_keys_read(&keys, path, &stranger, &error), MAILLE_CORRUPT);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x20;
        write_bytes(path, bytes, length);
        assert_int_equal(row_keys_read(&keys, path, &own, &error), MAILLE_CORRUPT);
        bytes[i] ^= 0x20;
        write_bytes(path, bytes, i);
        assert_int_equal(row_keys_read(&keys, path, &own, &error), MAILLE_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stay),
        cmocka_unit_test(several_rows_of_a_patient),
        cmocka_unit_test(the_dictionary_may_grow),
        cmocka_unit_test(who_objects_is_left_out),
        cmocka_unit_test(who_withdraws_comes_back),
        cmocka_unit_test(near_pseudonyms_are_found),
        cmocka_unit_test(bad_objections_are_told),
        cmocka_unit_test(the_file_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
