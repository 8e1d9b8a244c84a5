#include "base/archive.h"

#include "base/test.h"

static const struct archive_file files[] = {
    {"x/a.txt", (const uint8_t *)"alpha", 5}, {"x/b/c.bin", (const uint8_t *)"", 0}, {"x/d", NULL, 0}};

static struct bytes written(const struct archive_file *list, size_t n)
{
    struct bytes out = {0};
    struct maille_error error;
    assert_ok(archive_write(&out, list, n, &error), &error);
    return out;
}

static void refuse(struct bytes *bytes, const char *words)
{
    const struct archive_file *found = NULL;
    size_t n = 0;
    struct maille_error error;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    assert_fails(archive_read(&found, &n, arena, "t.tar", bytes->data, bytes->length, &error), MAILLE_INVALID,
                 &error, words);
    assert_null(found);
    arena_free(arena);
    bytes_clear(bytes);
}

static void read_back(void **state)
{
    struct bytes out = written(files, 3);
    const struct archive_file *found;
    struct maille_error error;
    size_t n;
    struct arena *arena = arena_new();
    (void)state;
    assert_ok(archive_read(&found, &n, arena, "t.tar", out.data, out.length, &error), &error);
    assert_int_equal(n, 3);
    for (size_t f = 0; f < n; f++) {
        assert_string_equal(found[f].name, files[f].name);
        assert_int_equal(found[f].length, files[f].length);
        if (files[f].length > 0)
            assert_memory_equal(found[f].data, files[f].data, files[f].length);
    }
    arena_free(arena);
    bytes_clear(&out);
}

/* Every bit that is not within a file's own bytes. */
static void one_form(void **state)
{
    struct bytes whole = written(files, 3);
    const struct archive_file *found;
    struct maille_error error;
    size_t n;
    (void)state;
    for (size_t i = 0; i < whole.length; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct arena *arena = arena_new();
            whole.data[i] ^= (uint8_t)(1u << bit);
            const bool taken =
                archive_read(&found, &n, arena, "t.tar", whole.data, whole.length, &error) == MAILLE_OK;
            if (taken != (i >= 512 && i < 517)) /* of x/a.txt: its hash is for others to know */
                fail_msg("byte %zu, bit %u: %s", i, bit, taken ? "taken" : error.sentence);
            whole.data[i] ^= (uint8_t)(1u << bit);
            arena_free(arena);
        }
    for (size_t length = 0; length < whole.length; length++) { /* and every end that was cut */
        struct arena *arena = arena_new();
        assert_int_equal(archive_read(&found, &n, arena, "t.tar", whole.data, length, &error),
                         MAILLE_INVALID);
        arena_free(arena);
    }
    bytes_put_u8(&whole, 0);
    refuse(&whole, "two empty blocks");
}

static void patch(struct bytes *out, size_t at, const char *text, size_t length)
{
    memcpy(out->data + at, text, length);
    unsigned sum = 0; /* the checksum of the first header, as tar makes it */
    memset(out->data + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += out->data[i];
    snprintf((char *)out->data + 148, 7, "%06o", sum);
    out->data[155] = ' ';
}

static void strange(void **state)
{
    (void)state;
    struct bytes out = written(files, 1);
    patch(&out, 156, "2", 1);
    memcpy(out.data + 157, "/etc/passwd", 11);
    patch(&out, 156, "2", 1);
    refuse(&out, "a link");
    out = written(files, 1);
    patch(&out, 0, "/etc/pw", 7);
    refuse(&out, "header of a plain file");
    out = written(files, 1);
    patch(&out, 0, "../a.tx", 7);
    refuse(&out, "header of a plain file");
    out = written(files, 1);
    patch(&out, 124, "77777777777", 11); /* eight gibibytes that are not there */
    refuse(&out, "zeros up to the next block");
    out = written(files, 3);
    memcpy(out.data + 1024, out.data, 512); /* two of one name; the second was empty */
    memcpy(out.data + 1024 + 124, "00000000000", 11);
    refuse(&out, "header");
    struct bytes twice = written(files, 1), again = written(files, 1);
    twice.length -= 1024; /* without its end */
    bytes_put(&twice, again.data, again.length);
    bytes_clear(&again);
    refuse(&twice, "each once");
    struct bytes none = {0};
    bytes_reserve(&none, 1024);
    refuse(&none, "two empty blocks");
}

static void not_written(void **state)
{
    static const char *const bad[] = {"", "/a", "a//b", "a/", ".a", "a/.b", "a b", "a\xC3\xA9"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct archive_file file = {bad[i], NULL, 0};
        struct bytes out = {0};
        struct maille_error error;
        assert_fails(archive_write(&out, &file, 1, &error), MAILLE_INTERNAL, &error, "in order");
        bytes_clear(&out);
    }
    const struct archive_file twice[] = {{"a", NULL, 0}, {"a", NULL, 0}};
    struct bytes out = {0};
    struct maille_error error;
    assert_fails(archive_write(&out, twice, 2, &error), MAILLE_INTERNAL, &error, "in order");
    bytes_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(read_back), cmocka_unit_test(one_form),
                                       cmocka_unit_test(strange), cmocka_unit_test(not_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
