#include "base/number.h"

#include "base/test.h"

static void integers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {{"0", true, 0},
                {"-1", true, -1},
                {"+7", true, 7},
                {"9223372036854775807", true, INT64_MAX},
                {"-9223372036854775808", true, INT64_MIN},
                {"9223372036854775808", false, 0},
                {"-9223372036854775809", false, 0},
                {"", false, 0},
                {"-", false, 0},
                {"1 ", false, 0},
                {"0x10", false, 0},
                {"1.0", false, 0},
                {"99999999999999999999999", false, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        assert_int_equal(number_parse_i64(rows[i].text, strlen(rows[i].text), &value), rows[i].good);
        if (rows[i].good)
            assert_true(value == rows[i].value);
    }
}

static void decimals(void **state)
{
    static const struct {
        const char *text;
        char decimal;
        bool good;
        double value;
    } rows[] = {{"1.5", '.', true, 1.5},
                {"1,5", ',', true, 1.5},
                {"1.5", ',', false, 0},
                {"1,5", '.', false, 0},
                {"-.5", '.', true, -0.5},
                {"5.", '.', true, 5},
                {"1e3", '.', true, 1000},
                {"1e", '.', false, 0},
                {"inf", '.', false, 0},
                {"nan", '.', false, 0},
                {"0x1p3", '.', false, 0},
                {"1e999", '.', false, 0},
                {".", '.', false, 0},
                {"1.5.2", '.', false, 0},
                {" 1", '.', false, 0},
                /* correctly rounded: halfway cases that a naive reader gets wrong */
                {"9007199254740993", '.', true, 9007199254740992.0},
                {"0.1", '.', true, 0.1},
                {"2.2250738585072011e-308", '.', true, 2.2250738585072011e-308}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = 0;
        if (number_parse_double(rows[i].text, strlen(rows[i].text), rows[i].decimal, &value) != rows[i].good)
            fail_msg("\"%s\" with '%c'", rows[i].text, rows[i].decimal);
        if (rows[i].good)
            assert_true(value == rows[i].value);
    }
}

static void dates(void **state)
{
    int32_t days = 0;
    char text[16];
    (void)state;
    assert_true(number_parse_date("1970-01-01", 10, &days) && days == 0);
    assert_true(number_parse_date("2000-02-29", 10, &days) && days == 11016);
    assert_false(number_parse_date("1900-02-29", 10, &days));
    assert_false(number_parse_date("2023-04-31", 10, &days));
    assert_false(number_parse_date("2023-4-1", 8, &days));
    assert_false(number_parse_date("2023/04/01", 10, &days));
    for (int32_t day = -200000; day < 200000; day += 37) {
        int32_t back;
        number_format_date(text, day);
        assert_true(number_parse_date(text, strlen(text), &back) && back == day);
    }
}

static void durations(void **state)
{
    int64_t ms = 0;
    (void)state;
    assert_true(number_parse_duration_ms("10m", &ms) && ms == 600000);
    assert_true(number_parse_duration_ms("500ms", &ms) && ms == 500);
    assert_true(number_parse_duration_ms("7", &ms) && ms == 7000);
    assert_true(number_parse_duration_ms("7d", &ms) && ms == 604800000);
    assert_false(number_parse_duration_ms("ten", &ms));
    assert_false(number_parse_duration_ms("10 m", &ms));
    assert_false(number_parse_duration_ms("-1s", &ms));
    assert_false(number_parse_duration_ms("", &ms));
}

static void doubles_come_back(void **state)
{
    static const double values[] = {0.1, 1.0 / 3, 1e300, 5e-324, 123456789.123456789, -0.0, 30.4375};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[32];
        number_format_double(text, values[i]);
        assert_true(strtod(text, NULL) == values[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers), cmocka_unit_test(decimals),
                                       cmocka_unit_test(dates), cmocka_unit_test(durations),
                                       cmocka_unit_test(doubles_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
