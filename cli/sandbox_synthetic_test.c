#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/test.h"
#include "cli/sandbox_synthetic.h"

static const char head[] = "dictionary: d\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n";
static const char dates[] = "  - { name: born, type: date, min: 1900-01-01, max: 2010-12-31 }\n"
                            "  - { name: seen, type: date, min: 2000-01-01, max: 2019-12-31 }\n"
                            "  - { name: last, type: date, min: 1990-01-01, max: 2012-12-31 }\n";

static const struct dictionary *parse(struct arena *arena, const char *variables, const char *rest)
{
    const struct dictionary *d;
    struct maille_error error = {0};
    const char *text = arena_printf(arena, "%s%s%s", head, variables, rest);
    assert_ok(dictionary_parse(&d, arena, "test", text, strlen(text), &error), &error);
    return d;
}

/* Calls with the cells of every row but the heading; no cell of these tests has a comma. */
static size_t for_rows(const struct bytes *csv, void (*each)(char **cells, size_t n))
{
    char *text = strndup((const char *)csv->data, csv->length), *rest = text;
    size_t rows = 0;
    strsep(&rest, "\n");
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; rows++) {
        char *cells[16];
        size_t n = 0;
        for (char *cell; (cell = strsep(&line, ",")) != NULL;)
            cells[n++] = cell;
        each(cells, n);
    }
    free(text);
    return rows;
}

static size_t missing, empty;
static void check_dates(char **cells, size_t n)
{
    int32_t day[3], low[3], high[3];
    assert_int_equal(n, 4);
    assert_int_equal(strncmp(cells[0], "synthetic-", 10), 0);
    assert_true(number_parse_date("1900-01-01", 10, &low[0]) &&
                number_parse_date("2010-12-31", 10, &high[0]));
    assert_true(number_parse_date("2000-01-01", 10, &low[1]) &&
                number_parse_date("2012-12-31", 10, &high[1]));
    assert_true(number_parse_date("1990-01-01", 10, &low[2]) &&
                number_parse_date("2012-12-31", 10, &high[2]));
    bool all = true;
    for (size_t i = 0; i < 3; i++) {
        if (cells[i + 1][0] == '\0') {
            all = false;
            missing++;
            continue;
        }
        assert_true(number_parse_date(cells[i + 1], strlen(cells[i + 1]), &day[i]));
        assert_true(day[i] >= low[i] && day[i] <= high[i]); /* seen leaves room for last */
    }
    if (all)
        assert_true(day[0] <= day[1] && day[1] <= day[2]);
}

static void test_dates_in_order(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct bytes csv = {0};
    struct maille_error error = {0};
    missing = 0;
    assert_ok(sandbox_synthetic(&csv, parse(arena, dates, "order: [[seen, last], [born, seen]]\n"), 2000, 1,
                                &error),
              &error);
    assert_int_equal(for_rows(&csv, check_dates), 2000);
    assert_in_range(missing, 60, 180); /* 6000 values, one in fifty */
    bytes_clear(&csv);
    arena_free(arena);
}

static void test_impossible(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct bytes csv = {0};
    struct maille_error error = {0};
    assert_int_equal(
        sandbox_synthetic(&csv, parse(arena, dates, "order: [[born, seen], [seen, born]]\n"), 9, 1, &error),
        MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "circle"));
    assert_int_equal(
        sandbox_synthetic(&csv,
                          parse(arena,
                                "  - { name: a, type: date, min: 2010-01-01, max: 2010-12-31 }\n"
                                "  - { name: b, type: date, min: 2000-01-01, max: 2000-12-31 }\n",
                                "order: [a, b]\n"),
                          9, 1, &error),
        MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "found none for `"));
    bytes_clear(&csv);
    arena_free(arena);
}

static size_t levels[3];
static void check_values(char **cells, size_t n)
{
    double x;
    assert_int_equal(n, 5);
    if (cells[1][0] != '\0') { /* -1 to 1 in steps of 0.25 */
        assert_true(number_parse_double(cells[1], strlen(cells[1]), '.', &x));
        assert_true(x >= -1 && x <= 1 && x * 4 == (double)(int)(x * 4));
    }
    if (cells[2][0] != '\0') {
        assert_true(number_parse_double(cells[2], strlen(cells[2]), '.', &x));
        assert_true(x >= 1 && x <= 30);
    }
    if (cells[3][0] != '\0')
        levels[cells[3][0] - 'a']++;
    else
        empty++;
    assert_true(cells[4][0] == '\0' || strcmp(cells[4], "TRUE") == 0 || strcmp(cells[4], "FALSE") == 0);
}

static void test_values(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct bytes csv = {0}, again = {0}, other = {0};
    struct maille_error error = {0};
    const struct dictionary *d =
        parse(arena,
              "  - { name: x, type: real, min: -1, max: 1, resolution: 0.25 }\n"
              "  - { name: t, type: duration, units: days, min: 0, max: 30 }\n"
              "  - { name: c, type: category, levels: [a, b, c] }\n  - { name: e, type: boolean }\n",
              "");
    memset(levels, 0, sizeof levels);
    assert_ok(sandbox_synthetic(&csv, d, 6000, 7, &error), &error);
    assert_int_equal(for_rows(&csv, check_values), 6000);
    assert_in_range(levels[0], 2700, 3200); /* 3 : 2 : 1 of 98 in a hundred */
    assert_in_range(levels[1], 1750, 2150);
    assert_in_range(levels[2], 850, 1150);
    assert_in_range(empty, 60, 180);
    assert_ok(sandbox_synthetic(&again, d, 6000, 7, &error), &error);
    assert_ok(sandbox_synthetic(&other, d, 6000, 8, &error), &error);
    assert_int_equal(csv.length, again.length);
    assert_memory_equal(csv.data, again.data, csv.length);
    assert_true(other.length != csv.length || memcmp(other.data, csv.data, csv.length) != 0);
    bytes_clear(&csv);
    bytes_clear(&again);
    bytes_clear(&other);
    arena_free(arena);
}

static void test_quotes(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct bytes csv = {0};
    struct maille_error error = {0};
    const struct dictionary *d =
        parse(arena, "  - { name: c, type: category, levels: ['a, \"b\"', 'a, \"b\" or c'] }\n", "");
    assert_ok(sandbox_synthetic(&csv, d, 200, 1, &error), &error);
    bytes_put_u8(&csv, 0);
    assert_non_null(strstr((const char *)csv.data, ",\"a, \"\"b\"\"\"\n"));
    bytes_clear(&csv);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dates_in_order),
                                       cmocka_unit_test(test_impossible), cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_quotes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
