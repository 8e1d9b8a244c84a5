/* Files that ReadStat itself has written, read through the route. */
#include <fcntl.h>
#include <readstat.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry/import.h"
#include "registry/route.h"
#include "registry/testing.h"

static const char text[] = "dictionary: toy\nversion: 1\nkey: pid\nrows: one\nvariables:\n"
                           "  - { name: age, type: integer, min: 0, max: 120 }\n"
                           "  - { name: sex, type: category, levels: [F, M] }\n"
                           "  - { name: size, type: real, min: 0, max: 300, resolution: 0.1 }\n"
                           "  - { name: seen, type: date, min: 2000-01-01, max: 2030-12-31 }\n";
enum { ROWS = 500 };

static ssize_t put(const void *data, size_t length, void *context)
{
    return write(*(int *)context, data, length);
}

/* Sex as 1 and 2 under the format SEXF, which the catalog explains; days since 1960. */
static void write_data(const char *path, bool is_transport)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    readstat_writer_t *writer = readstat_writer_init();
    readstat_set_data_writer(writer, put);
    readstat_variable_t *pid = readstat_add_variable(writer, "pid", READSTAT_TYPE_STRING, 8);
    readstat_variable_t *age = readstat_add_variable(writer, "age", READSTAT_TYPE_DOUBLE, 0);
    readstat_variable_t *sex = is_transport ? readstat_add_variable(writer, "sex", READSTAT_TYPE_STRING, 1)
                                            : readstat_add_variable(writer, "sex", READSTAT_TYPE_DOUBLE, 0);
    readstat_variable_t *size = readstat_add_variable(writer, "size", READSTAT_TYPE_DOUBLE, 0);
    readstat_variable_t *seen = readstat_add_variable(writer, "seen", READSTAT_TYPE_DOUBLE, 0);
    if (!is_transport)
        readstat_variable_set_format(sex, "SEXF");
    readstat_variable_set_format(seen, "DATE9");
    assert_int_equal(is_transport ? readstat_begin_writing_xport(writer, &fd, ROWS)
                                  : readstat_begin_writing_sas7bdat(writer, &fd, ROWS),
                     READSTAT_OK);
    for (int i = 0; i < ROWS; i++) {
        char key[16];
        snprintf(key, sizeof key, "P%05d", i);
        assert_int_equal(readstat_begin_row(writer), READSTAT_OK);
        readstat_insert_string_value(writer, pid, key);
        readstat_insert_double_value(writer, age, 20 + i % 60);
        if (is_transport)
            readstat_insert_string_value(writer, sex, i % 5 == 0 ? "M" : "F");
        else
            readstat_insert_double_value(writer, sex, i % 5 == 0 ? 2 : 1);
        if (i % 10 == 3)
            readstat_insert_missing_value(writer, size);
        else
            readstat_insert_double_value(writer, size, (i % 100) / 10.0);
        readstat_insert_double_value(writer, seen, 20575 + i); /* from 2016-05-01 on */
        assert_int_equal(readstat_end_row(writer), READSTAT_OK);
    }
    assert_int_equal(readstat_end_writing(writer), READSTAT_OK);
    readstat_writer_free(writer);
    close(fd);
}

static void write_catalog(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    readstat_writer_t *writer = readstat_writer_init();
    readstat_set_data_writer(writer, put);
    readstat_label_set_t *set = readstat_add_label_set(writer, READSTAT_TYPE_DOUBLE, "SEXF");
    readstat_label_double_value(set, 1, "F");
    readstat_label_double_value(set, 2, "M");
    assert_int_equal(readstat_begin_writing_sas7bcat(writer, &fd), READSTAT_OK);
    assert_int_equal(readstat_end_writing(writer), READSTAT_OK);
    readstat_writer_free(writer);
    close(fd);
}

static enum maille_code import(struct import_report *report, const char *path, struct arena *arena,
                               const struct import_options *options, struct maille_error *error)
{
    struct columns *table = NULL;
    enum maille_code code = import_csv(&table, report, parse_dictionary(arena, text), path, options, error);
    columns_free(table);
    return code;
}

static void must_hold(const struct import_report *report)
{
    const struct summary_variable *v = report->summary.variables;
    assert_int_equal(report->rows, ROWS);
    assert_int_equal(report->patients, ROWS);
    assert_true(v[0].min == 20 && v[0].max == 79);
    assert_int_equal(v[1].counts[0], 400);
    assert_int_equal(v[1].counts[1], 100);
    assert_int_equal(v[2].missing, 50);
    assert_true(v[2].max == 9.9);
    assert_true(v[3].min == 16922 && v[3].max == 16922 + ROWS - 1); /* 2016-05-01 */
}

static void a_data_set_is_read_with_its_catalog(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct import_report report = {0};
    struct arena *arena = arena_new();
    char path[PATH_MAX], catalog[PATH_MAX];
    assert_non_null(arena);
    write_data(test_path(path, "toy.sas7bdat"), false);
    unlink(test_path(catalog, "toy.sas7bcat"));
    assert_int_equal(import(&report, path, arena, NULL, &error), MAILLE_INVALID); /* 1 is no level */
    assert_non_null(strstr(report.problems[0].sentence, "found \"2\""));
    import_report_clear(&report);
    write_catalog(catalog);
    MUST(import(&report, path, arena, NULL, &error));
    must_hold(&report);
    import_report_clear(&report);
    const struct import_options asked = {.query = "SELECT 1"};
    assert_int_equal(import(&report, path, arena, &asked, &error), MAILLE_INVALID);
    import_report_clear(&report);
    arena_free(arena);
}

static void a_transport_file_is_read(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct import_report report = {0};
    struct arena *arena = arena_new();
    char path[PATH_MAX];
    assert_non_null(arena);
    write_data(test_path(path, "toy.xpt"), true);
    MUST(import(&report, path, arena, NULL, &error));
    must_hold(&report);
    import_report_clear(&report);
    write_bytes(path, "no SAS file", 11);
    assert_int_equal(import(&report, path, arena, NULL, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "expected a SAS file"));
    import_report_clear(&report);
    arena_free(arena);
}

/* What ReadStat would do if a file took it over, tried in its place. */
struct attempt {
    const char *what, *own, *other;
};

static enum maille_code attempt(void *context, struct maille_error *error)
{
    const struct attempt *attempt = context;
    int fd = -1;
    if (strcmp(attempt->what, "own") == 0)
        fd = open(attempt->own, O_RDONLY);
    else if (strcmp(attempt->what, "other") == 0)
        fd = open(attempt->other, O_RDONLY);
    else if (strcmp(attempt->what, "write") == 0)
        fd = open(attempt->own, O_WRONLY);
    else if (strcmp(attempt->what, "socket") == 0)
        fd = socket(AF_INET, SOCK_STREAM, 0);
    else if (strcmp(attempt->what, "passphrase") == 0)
        fd = getenv("MAILLE_PASSPHRASE") != NULL && getenv("MAILLE_PASSPHRASE")[0] != '\0' ? 1 : -1;
    else if (strcmp(attempt->what, "abort") == 0)
        abort();
    else if (strcmp(attempt->what, "leave") == 0)
        _exit(0);
    return fd >= 0 ? MAILLE_OK : maille_fail(error, MAILLE_INVALID, "could not: %s", attempt->what);
}

static void what_parses_can_do_nothing_else(void **state)
{
    static const char *const stopped[] = {"other", "write", "socket", "passphrase"}, *const ended[] = {
                                                                                         "abort", "leave"};
    char own[PATH_MAX], other[PATH_MAX];
    struct maille_error error = {0};
    (void)state;
    write_bytes(test_path(own, "own.xpt"), "x", 1);
    write_bytes(test_path(other, "site.key"), "x", 1);
    const char *const files[] = {own};
    setenv("MAILLE_PASSPHRASE", "a long passphrase", 1);
    struct attempt one = {"own", own, other};
    MUST(route_apart(attempt, &one, files, 1, &error));
    for (size_t i = 0; i < sizeof stopped / sizeof *stopped; i++) {
        one.what = stopped[i];
        assert_int_equal(route_apart(attempt, &one, files, 1, &error), MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "could not: "));
    }
    for (size_t i = 0; i < sizeof ended / sizeof *ended; i++) {
        one.what = ended[i];
        assert_int_equal(route_apart(attempt, &one, files, 1, &error), MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "its reader ended"));
    }
    assert_string_equal(getenv("MAILLE_PASSPHRASE"), "a long passphrase"); /* of this process it stays */
    unsetenv("MAILLE_PASSPHRASE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_parses_can_do_nothing_else),
        cmocka_unit_test(a_data_set_is_read_with_its_catalog),
        cmocka_unit_test(a_transport_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
