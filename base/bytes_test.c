#include "base/bytes.h"

#include "base/test.h"

static void what_is_written_is_read(void **state)
{
    struct bytes bytes = {0};
    struct maille_error error = {0};
    size_t length;
    (void)state;
    bytes_put_u8(&bytes, 7);
    bytes_put_u32(&bytes, 0x01020304);
    bytes_put_u64(&bytes, UINT64_MAX - 1);
    bytes_put_f64(&bytes, -0.1);
    bytes_put_string(&bytes, "maille");
    bytes_put_string(&bytes, NULL);
    assert_ok(bytes_check(&bytes, &error), &error);
    assert_int_equal(bytes.data[1], 4); /* little-endian */
    struct reader reader = reader_of(bytes.data, bytes.length);
    assert_int_equal(reader_u8(&reader), 7);
    assert_int_equal(reader_u32(&reader), 0x01020304);
    assert_true(reader_u64(&reader) == UINT64_MAX - 1);
    assert_true(reader_f64(&reader) == -0.1);
    assert_memory_equal(reader_block(&reader, 6, &length), "maille", 6);
    assert_int_equal(length, 6);
    reader_block(&reader, 0, &length);
    assert_true(reader_done(&reader));
    bytes_wipe(&bytes);
}

static void a_reader_never_runs_over_the_end(void **state)
{
    struct bytes bytes = {0};
    size_t length = 99;
    (void)state;
    bytes_put_u64(&bytes, 1000); /* a block that promises more than there is */
    struct reader reader = reader_of(bytes.data, bytes.length);
    assert_null(reader_block(&reader, SIZE_MAX, &length));
    assert_int_equal(length, 0);
    assert_true(reader.bad && !reader_done(&reader));
    assert_int_equal(reader_u64(&reader), 0); /* stays bad */
    reader = reader_of(bytes.data, 3);
    assert_int_equal(reader_u32(&reader), 0);
    assert_true(reader.bad);
    reader = reader_of(NULL, 0);
    assert_true(reader_done(&reader));
    bytes_clear(&bytes);
}

/* As long as it is: nothing is cut, and nothing beyond the text is read. */
static void text_is_whole(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    char line[5000];
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    bytes_put_text(&bytes, "n: ");
    bytes_printf(&bytes, "%d, %s;", 7, line);
    bytes_printf(&bytes, "%s", "");
    assert_false(bytes.failed);
    assert_int_equal(bytes.length, 3 + 3 + sizeof line - 1 + 1);
    assert_memory_equal(bytes.data, "n: 7, aaa", 9);
    assert_memory_equal(bytes.data + bytes.length - 4, "aaa;", 4);
    bytes_clear(&bytes);
    bytes.failed = true; /* after a failure nothing is written */
    bytes_printf(&bytes, "%d", 1);
    assert_null(bytes.data);
}

static void hexadecimal(void **state)
{
    uint8_t bytes[3] = {0};
    char text[7];
    (void)state;
    assert_true(bytes_from_hex(bytes, 3, "00fFa0"));
    bytes_to_hex(text, bytes, 3);
    assert_string_equal(text, "00ffa0");
    assert_false(bytes_from_hex(bytes, 3, "00ff"));
    assert_false(bytes_from_hex(bytes, 3, "00ffag"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read),
                                       cmocka_unit_test(a_reader_never_runs_over_the_end),
                                       cmocka_unit_test(text_is_whole), cmocka_unit_test(hexadecimal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
