#include "registry/csv.h"

#include <unistd.h>

#include "base/bytes.h"
#include "registry/testing.h"

/* A file of these bytes, opened. */
static struct csv *open_bytes(const void *bytes, size_t length, const struct csv_dialect *wanted)
{
    struct maille_error error = {0};
    char path[PATH_MAX];
    struct csv *csv = NULL;
    write_bytes(test_path(path, "input.csv"), bytes, length);
    MUST(csv_open(&csv, path, wanted, &error));
    return csv;
}

static struct csv *open_text(const char *text)
{
    return open_bytes(text, strlen(text), NULL);
}

/* The next record is these n fields; n 0: the end. */
static void expect(struct csv *csv, size_t line, size_t n, ...)
{
    struct maille_error error = {0};
    struct csv_record record;
    va_list fields;
    MUST(csv_next(csv, &record, &error));
    assert_int_equal(record.n, n);
    if (n > 0)
        assert_int_equal(record.line, line);
    va_start(fields, n);
    for (size_t f = 0; f < n; f++) {
        const char *text = va_arg(fields, const char *);
        assert_string_equal(record.fields[f].text, text);
        assert_int_equal(record.fields[f].length, strlen(text));
    }
    va_end(fields);
}

static void expect_error(const char *bytes, size_t length, size_t records_before, const char *part)
{
    struct maille_error error = {0};
    struct csv_record record;
    struct csv *csv = open_bytes(bytes, length, NULL);
    for (size_t i = 0; i < records_before; i++)
        MUST(csv_next(csv, &record, &error));
    assert_int_equal(csv_next(csv, &record, &error), MAILLE_INVALID);
    if (strstr(error.sentence, part) == NULL)
        fail_msg("expected \"%s\" in: %s", part, error.sentence);
    csv_free(csv);
}

static void reads_the_plainest_file(void **state)
{
    (void)state;
    struct csv *csv = open_text("a,b,c\n1,2,3\n4,,6\n");
    assert_int_equal(csv_dialect(csv).separator, ',');
    assert_int_equal(csv_dialect(csv).decimal, '.');
    assert_false(csv_dialect(csv).windows_1252);
    expect(csv, 1, 3, "a", "b", "c");
    expect(csv, 2, 3, "1", "2", "3");
    expect(csv, 3, 3, "4", "", "6");
    expect(csv, 0, 0);
    expect(csv, 0, 0); /* the end stays the end */
    csv_free(csv);
}

static void ends_lines_in_every_way(void **state)
{
    (void)state;
    static const char *const files[] = {"a,b\r\n1,2\r\n\r\n3,4\r\n", "a,b\n1,2\n\n3,4", "a,b\r1,2\r\r3,4\r",
                                        "a,b\r\n1,2\n  \n3,4"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct csv *csv = open_text(files[i]);
        expect(csv, 1, 2, "a", "b");
        expect(csv, 2, 2, "1", "2");
        expect(csv, 4, 2, "3", "4");
        expect(csv, 0, 0);
        csv_free(csv);
    }
}

static void keeps_a_trailing_empty_field(void **state)
{
    (void)state;
    struct csv *csv = open_text("a,b\n1,");
    expect(csv, 1, 2, "a", "b");
    expect(csv, 2, 2, "1", "");
    expect(csv, 0, 0);
    csv_free(csv);
}

static void undoes_quotes(void **state)
{
    (void)state;
    struct csv *csv =
        open_text("\"a\",\"b;b\" ,c\n\"x \"\"y\"\"\",\"line\r\none\ntwo\",5'6\"\n\"\",\"\"\"\",z\n");
    struct maille_error error = {0};
    struct csv_record record;
    expect(csv, 1, 3, "a", "b;b", "c");
    MUST(csv_next(csv, &record, &error));
    assert_int_equal(record.line, 2);
    assert_string_equal(record.fields[0].text, "x \"y\"");
    assert_true(record.fields[0].quoted);
    assert_string_equal(record.fields[1].text, "line\r\none\ntwo");
    assert_string_equal(record.fields[2].text, "5'6\""); /* a quote inside an unquoted field is a character */
    assert_false(record.fields[2].quoted);
    assert_int_equal(record.raw_length, strlen("\"x \"\"y\"\"\",\"line\r\none\ntwo\",5'6\""));
    assert_memory_equal(record.raw, "\"x \"\"y\"\"\",\"line\r\none\ntwo\",5'6\"", record.raw_length);
    expect(csv, 5, 3, "", "\"", "z");
    expect(csv, 0, 0);
    csv_free(csv);
}

static void finds_the_separator(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char separator, decimal;
    } files[] = {
        {"a;b;c\n1,5;2;3\n", ';', ','},        {"a;b;c\n1.5;2;3\n", ';', '.'},
        {"a;b;c\n1;2;3\n", ';', '.'},          {"a;\"b,c,d,e\"\n1;\"-0,25\"\n", ';', ','},
        {"a\tb\n1,5\t2\n", '\t', ','},         {"\n\na\tb,x\tc\n1\t2\t3\n", '\t', '.'},
        {"a,b\n\"1,5\",2\n", ',', '.'},        {"only\n1\n", ',', '.'},
        {"a;b\n01/02/2020;1,2,3\n", ';', '.'}, /* neither is a number */
        {"a;b\n1,5;1.5\n2.5;x\n", ';', '.'},   /* the more frequent one */
        {"a;b\n1,5;x\n2,5;2.5", ';', ','},     {"a|b|c,d\n1,5|2|x\n", '|', ','},
        {"sep=;\na,b,c;d\n1,5;2\n", ';', ','}, {"SEP=|\r\na,b|c\n", '|', '.'},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct csv *csv = open_text(files[i].text);
        assert_int_equal(csv_dialect(csv).separator, files[i].separator);
        assert_int_equal(csv_dialect(csv).decimal, files[i].decimal);
        csv_free(csv);
    }
}

static void takes_a_wanted_dialect(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct csv_dialect wanted = {.separator = ';', .decimal = ','};
    struct csv *csv = open_bytes("a,b;c\n1,2;3\n", 12, &wanted);
    assert_int_equal(csv_dialect(csv).decimal, ',');
    expect(csv, 1, 2, "a,b", "c");
    csv_free(csv);
    csv = NULL;
    char path[PATH_MAX];
    wanted.separator = ':';
    assert_int_equal(csv_open(&csv, test_path(path, "input.csv"), &wanted, &error), MAILLE_INVALID);
    wanted = (struct csv_dialect){.decimal = ';'};
    assert_int_equal(csv_open(&csv, path, &wanted, &error), MAILLE_INVALID);
    assert_null(csv);
}

static void reads_both_encodings(void **state)
{
    (void)state;
    static const char bom[] = "\xEF\xBB\xBFn\xC3\xA9,b\n\xE2\x82\xAC,2\n";
    struct csv *csv = open_text(bom);
    struct maille_error error = {0};
    struct csv_record record;
    assert_false(csv_dialect(csv).windows_1252);
    MUST(csv_next(csv, &record, &error));
    assert_string_equal(record.fields[0].text, "n\xC3\xA9");
    assert_int_equal(record.raw_length, 5); /* without the BOM */
    expect(csv, 2, 2, "\xE2\x82\xAC", "2");
    csv_free(csv);

    csv = open_text("n\xE9,b\n\x80\x81\x9C,\"\xFF\"\n");
    assert_true(csv_dialect(csv).windows_1252);
    expect(csv, 1, 2, "n\xC3\xA9", "b");
    expect(csv, 2, 2, "\xE2\x82\xAC\xC2\x81\xC5\x93", "\xC3\xBF");
    csv_free(csv);

    /* Not UTF-8, although it looks like it: cut off, overlong, a surrogate, beyond U+10FFFF. */
    static const char *const not_utf8[] = {"a\n\xC3", "a\n\xC0\xAF\n", "a\n\xED\xA0\x80\n",
                                           "a\n\xF4\x90\x80\x80\n", "a\n\xE2\x82 \n"};
    for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
        csv = open_text(not_utf8[i]);
        assert_true(csv_dialect(csv).windows_1252);
        csv_free(csv);
    }
    static const char *const utf8[] = {"a\n\xF0\x9F\x92\x8A\n",
                                       "a\n\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\n", ""};
    for (size_t i = 0; i < sizeof utf8 / sizeof *utf8; i++) {
        csv = open_text(utf8[i]);
        assert_false(csv_dialect(csv).windows_1252);
        csv_free(csv);
    }
}

static void counts_an_accent_in_the_last_line(void **state)
{
    (void)state;
    /* The first accent of the file stands beyond every buffer; a sequence of UTF-8 lies across each edge of
     * one. */
    size_t length = 0, rows = 200000;
    char *text = malloc(rows * 8 + 64);
    assert_non_null(text);
    length += (size_t)sprintf(text, "aa,b\n");
    for (size_t r = 0; r < rows; r++)
        length += (size_t)sprintf(text + length, "%zu,x\n", r % 10);
    size_t at = length;
    length += (size_t)sprintf(text + length, "\xE9,y\n");
    struct csv *csv = open_bytes(text, length, NULL);
    assert_true(csv_dialect(csv).windows_1252);
    expect(csv, 1, 2, "aa", "b");
    for (size_t r = 0; r < rows; r++) {
        char digit[2] = {(char)('0' + r % 10), '\0'};
        expect(csv, r + 2, 2, digit, "x");
    }
    expect(csv, rows + 2, 2, "\xC3\xA9", "y");
    expect(csv, 0, 0);
    csv_free(csv);

    for (size_t i = 0; i + 3 < at; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    csv = open_bytes(text, (at - 3) / 3 * 3, NULL);
    assert_false(csv_dialect(csv).windows_1252);
    csv_free(csv);
    free(text);
}

static void reads_a_record_longer_than_its_buffer(void **state)
{
    (void)state;
    size_t field = 900000, length = 0;
    char *text = malloc(4 * field), *longest = malloc(field + 1);
    assert_true(text != NULL && longest != NULL);
    memset(longest, 'x', field);
    longest[field] = '\0';
    length += (size_t)sprintf(text, "a,b\n%s,\"%s\"\n1,2", longest, longest);
    struct csv *csv = open_bytes(text, length, NULL);
    expect(csv, 1, 2, "a", "b");
    expect(csv, 2, 2, longest, longest);
    expect(csv, 3, 2, "1", "2");
    expect(csv, 0, 0);
    csv_free(csv);
    free(text);
    free(longest);
}

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    struct maille_error error = {0};
    char path[PATH_MAX];
    struct csv *csv = NULL;
    expect_error("a,b\n1,\"open\n2,3\n", 16, 1, "line 2: expected a closing quote");
    expect_error("a,b\n1,\"x\"y\n", 11, 1, "line 2: expected a separator after a closing quote");
    expect_error("a,b\n\"1\n2\",\"x\"y\n", 15, 1, "line 3: expected a separator");
    expect_error("a,b\n1,2\0\n", 10, 1, "line 2: expected text, found a NUL byte");
    expect_error("a,b\n1,\"2\0\"\n", 12, 1, "line 2: expected text, found a NUL byte");
    size_t length = 2 * CSV_FIELD_BYTES_MAX;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text, "a,b\n", 4);
    expect_error(text, length, 1, "line 2: expected a field of at most");
    text[4] = '"';
    expect_error(text, length, 1, "is a quote not closed?");
    memset(text + 4, ',', CSV_FIELDS_MAX + 1);
    expect_error(text, CSV_FIELDS_MAX + 4, 1, "line 2: expected at most 8192 fields");
    struct csv_record record;
    csv = open_bytes(text, CSV_FIELDS_MAX + 3, NULL); /* one separator less: exactly the limit */
    MUST(csv_next(csv, &record, &error));
    MUST(csv_next(csv, &record, &error));
    assert_int_equal(record.n, CSV_FIELDS_MAX);
    csv_free(csv);
    csv = NULL;
    free(text);
    write_bytes(test_path(path, "input.csv"),
                "\xFF\xFE"
                "a\0\n\0",
                6);
    MUST(csv_open(&csv, path, NULL, &error));
    assert_int_equal(csv_next(csv, &record, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "UTF-16"));
    assert_false(csv_skip(csv));
    csv_free(csv);
    csv = NULL;
    assert_int_equal(csv_open(&csv, test_path(path, "no-such.csv"), NULL, &error), MAILLE_IO);
    assert_int_equal(csv_open(&csv, test_path(path, ""), NULL, &error), MAILLE_INVALID);
    assert_null(csv);
}

/* After what is wrong, the next line. */
static void goes_on_behind_a_fault(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct csv_record record;
    struct csv *csv = open_text("a,b\n1,\"x\"y\n2,3\r\n\"4,5\r\r\n6,7");
    expect(csv, 1, 2, "a", "b");
    assert_int_equal(csv_next(csv, &record, &error), MAILLE_INVALID);
    assert_int_equal(csv_fault(csv)->line, 2);
    assert_true(csv_skip(csv));
    expect(csv, 3, 2, "2", "3");
    assert_int_equal(csv_next(csv, &record, &error), MAILLE_INVALID);
    assert_int_equal(csv_fault(csv)->line, 4);
    assert_true(csv_skip(csv));
    expect(csv, 5, 2, "6", "7");
    expect(csv, 0, 0);
    struct csv_oddities odd;
    csv_oddities(&odd, csv);
    assert_int_equal(odd.open_end, 5);
    csv_free(csv);
}

static void collect(void *context, const void *bytes, size_t length)
{
    bytes_put(context, bytes, length);
}

/* Whoever hashes the file gets the bytes that were read, once; a file that grows meanwhile is refused. */
static void the_bytes_that_are_read_are_the_bytes_that_are_seen(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBFsep=;\na;b\n1;2\n3;4\n";
    struct maille_error error = {0};
    struct bytes seen = {0};
    char path[PATH_MAX];
    struct csv *csv = open_text(text);
    csv_watch(csv, collect, &seen);
    MUST(csv_restart(csv, ';', '.', &error));
    expect(csv, 2, 2, "a", "b");
    expect(csv, 3, 2, "1", "2");
    expect(csv, 4, 2, "3", "4");
    expect(csv, 0, 0);
    assert_int_equal(seen.length, sizeof text - 1);
    assert_memory_equal(seen.data, text, sizeof text - 1);
    MUST(csv_unchanged(csv, &error));
    FILE *growing = fopen(test_path(path, "input.csv"), "a");
    assert_non_null(growing);
    fputs("5;6\n", growing);
    fclose(growing);
    assert_int_equal(csv_unchanged(csv, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "stay as it is"));
    csv_free(csv);
    bytes_clear(&seen);
}

/* A pipe is read like a file. */
static void reads_a_pipe(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct csv *csv = NULL;
    char path[64];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a;b\n1,5;2\n", 10), 10);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    MUST(csv_open(&csv, path, NULL, &error));
    assert_int_equal(csv_dialect(csv).decimal, ',');
    expect(csv, 1, 2, "a", "b");
    expect(csv, 2, 2, "1,5", "2");
    expect(csv, 0, 0);
    csv_free(csv);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_plainest_file),
        cmocka_unit_test(ends_lines_in_every_way),
        cmocka_unit_test(keeps_a_trailing_empty_field),
        cmocka_unit_test(undoes_quotes),
        cmocka_unit_test(finds_the_separator),
        cmocka_unit_test(takes_a_wanted_dialect),
        cmocka_unit_test(reads_both_encodings),
        cmocka_unit_test(counts_an_accent_in_the_last_line),
        cmocka_unit_test(reads_a_record_longer_than_its_buffer),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(goes_on_behind_a_fault),
        cmocka_unit_test(the_bytes_that_are_read_are_the_bytes_that_are_seen),
        cmocka_unit_test(reads_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
