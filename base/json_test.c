#include "base/json.h"

#include <math.h>

#include "base/test.h"

static void written(void **state)
{
    struct bytes out = {0};
    struct json_put put = {.out = &out};
    (void)state;
    json_put_object(&put, NULL);
    json_put_text(&put, "a\"b", "é\\\n\x01");
    json_put_text(&put, "none", NULL);
    json_put_list(&put, "list");
    json_put_integer(&put, NULL, INT64_MIN);
    json_put_number(&put, NULL, 0.1);
    json_put_number(&put, NULL, (double)NAN);
    json_put_boolean(&put, NULL, true);
    json_put_list(&put, NULL);
    json_put_end(&put);
    json_put_end(&put);
    json_put_end(&put);
    bytes_put_u8(&out, '\0');
    assert_string_equal((char *)out.data, "{\"a\\\"b\": \"é\\\\\\n\\u0001\", \"none\": null, \"list\": "
                                          "[-9223372036854775808, 0.1, null, true, []]}");
    bytes_clear(&out);
}

static void lines(void **state)
{
    struct bytes out = {0};
    struct json_put put = {.out = &out, .lines = true};
    (void)state;
    json_put_object(&put, NULL);
    json_put_list(&put, "x");
    json_put_integer(&put, NULL, 1);
    json_put_integer(&put, NULL, 2);
    json_put_end(&put);
    json_put_object(&put, "y");
    json_put_end(&put);
    json_put_end(&put);
    bytes_put_u8(&out, '\0');
    assert_string_equal((char *)out.data, "{\n \"x\": [\n  1,\n  2\n ],\n \"y\": {}\n}");
    bytes_clear(&out);
}

/* A decimal that is text already stands as it is; what is no number of JSON is null. */
static void decimals(void **state)
{
    static const char *const texts[] = {
        "12345678901234567890.25", "-0.5", "1e-7", "0", "01", "nan", "1.", "-", "1]"};
    struct bytes out = {0};
    struct json_put put = {.out = &out};
    (void)state;
    json_put_list(&put, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_put_decimal(&put, NULL, texts[i]);
    json_put_end(&put);
    bytes_put_u8(&out, '\0');
    assert_string_equal((char *)out.data,
                        "[12345678901234567890.25, -0.5, 1e-7, 0, null, null, null, null, null]");
    bytes_clear(&out);
}

/* Not UTF-8: a lone byte, a cut character, an overlong one, a surrogate. */
static void not_text(void **state)
{
    static const char *const bad[] = {"\xFF", "\xC3", "\xC0\xAF", "\xED\xA0\x80"};
    static const size_t replaced[] = {1, 1, 2, 3};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes out = {0};
        struct json_put put = {.out = &out};
        json_put_text(&put, NULL, bad[i]);
        assert_int_equal(out.length, 2 + 3 * replaced[i]);
        for (size_t k = 0; k < replaced[i]; k++)
            assert_memory_equal(out.data + 1 + 3 * k, "\xEF\xBF\xBD", 3);
        bytes_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(written), cmocka_unit_test(lines),
                                       cmocka_unit_test(decimals), cmocka_unit_test(not_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
