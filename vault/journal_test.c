#include "base/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "vault/journal.h"

static const uint8_t key[KEY_BYTES] = {1, 2, 3};

/* An empty place for one journal. */
static const char *fresh(char out[512], const char *name)
{
    char path[600];
    static const char *const files[] = {"journal", "ended"};
    test_path(out, name);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", out, files[i]);
        unlink(path);
    }
    rmdir(out);
    return out;
}

struct seen {
    size_t n;
    uint32_t kinds[8];
    char bodies[8][32];
    uint64_t raw[8], raw_length[8];
};

static enum maille_code see(void *context, uint32_t kind, const uint8_t *body, size_t length, uint64_t raw,
                            uint64_t raw_length, struct maille_error *error)
{
    struct seen *seen = context;
    (void)error;
    assert_true(seen->n < 8 && length < 32);
    seen->kinds[seen->n] = kind;
    memcpy(seen->bodies[seen->n], body, length);
    seen->raw[seen->n] = raw;
    seen->raw_length[seen->n++] = raw_length;
    return MAILLE_OK;
}

static void append(struct journal *journal, uint32_t kind, const char *text, const char *raw_bytes,
                   uint64_t *raw)
{
    struct maille_error error = {0};
    struct bytes body = {0};
    bytes_put(&body, text, strlen(text));
    assert_ok(vault_journal_append(journal, kind, &body, raw_bytes, raw_bytes != NULL ? strlen(raw_bytes) : 0,
                                   raw, &error),
              &error);
    bytes_clear(&body);
}

/* A journal of two records, the second with raw bytes. */
static void make(const char *folder)
{
    struct maille_error error = {0};
    struct journal *journal = NULL;
    assert_ok(journal_create(&journal, folder, key, &error), &error);
    append(journal, 1, "manifest", NULL, NULL);
    append(journal, 4, "start", "masked vector", NULL);
    journal_close(journal);
}

static void records_are_read_back(void **state)
{
    (void)state;
    char folder[512], text[16] = "";
    struct maille_error error = {0};
    struct journal *journal = NULL;
    struct seen seen = {0};
    make(fresh(folder, "read_back"));
    assert_int_equal(journal_create(&journal, folder, key, &error), MAILLE_INVALID);
    assert_ok(journal_open(&journal, folder, key, see, &seen, &error), &error);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.kinds[1], 4);
    assert_string_equal(seen.bodies[0], "manifest");
    assert_string_equal(seen.bodies[1], "start");
    assert_int_equal(seen.raw_length[1], 13);
    assert_ok(journal_raw(journal, text, seen.raw[1] + 7, 6, &error), &error);
    assert_string_equal(text, "vector");
    assert_int_equal(journal_raw(journal, text, seen.raw[1], 14, &error), MAILLE_CORRUPT);
    /* It goes on where it stopped. */
    append(journal, 5, "reveal", NULL, NULL);
    journal_drop_raw(journal, seen.raw[1], seen.raw_length[1]);
    journal_close(journal);
    seen = (struct seen){0};
    assert_ok(journal_open(&journal, folder, key, see, &seen, &error), &error);
    assert_int_equal(seen.n, 3);
    assert_string_equal(seen.bodies[2], "reveal");
    journal_close(journal);
}

static size_t size_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

/* Cut anywhere, it opens with the records that are whole, and what is appended then is found. */
static void a_cut_record_is_dropped(void **state)
{
    (void)state;
    char folder[512], path[600];
    struct maille_error error = {0};
    struct journal *journal = NULL;
    make(fresh(folder, "cut"));
    snprintf(path, sizeof path, "%s/journal", folder);
    size_t whole = size_of(path);
    for (size_t length = 0; length < whole; length += 7) {
        struct seen seen = {0};
        make(fresh(folder, "cut"));
        assert_int_equal(truncate(path, (off_t)length), 0);
        assert_ok(journal_open(&journal, folder, key, see, &seen, &error), &error);
        assert_true(seen.n < 2);
        append(journal, 9, "after", NULL, NULL);
        journal_close(journal);
        struct seen again = {0};
        assert_ok(journal_open(&journal, folder, key, see, &again, &error), &error);
        assert_int_equal(again.n, seen.n + 1);
        assert_string_equal(again.bodies[seen.n], "after");
        journal_close(journal);
    }
}

/* The file grew and its bytes never came: they read as zeros, from the record's first byte or behind its
 * sizes. */
static void a_record_of_zeros_is_dropped(void **state)
{
    (void)state;
    char folder[512], path[600];
    struct maille_error error = {0};
    struct journal *journal = NULL;
    for (size_t kept = 0; kept <= 24; kept += 24) {
        struct seen seen = {0};
        static const uint8_t zeros[512];
        make(fresh(folder, "zeros"));
        assert_ok(journal_open(&journal, folder, key, see, &seen, &error), &error);
        snprintf(path, sizeof path, "%s/journal", folder);
        const size_t before = size_of(path);
        append(journal, 3, "the reveal", NULL, NULL);
        journal_close(journal);
        const size_t from = before + kept, whole = size_of(path);
        int fd = open(path, O_RDWR);
        assert_int_equal(pwrite(fd, zeros, whole - from, (off_t)from), (ssize_t)(whole - from));
        close(fd);
        seen = (struct seen){0};
        assert_ok(journal_open(&journal, folder, key, see, &seen, &error), &error);
        journal_close(journal);
        assert_int_equal(seen.n, 2);
        assert_int_equal(size_of(path), before);
    }
}

/* One bit anywhere, sizes included, in the first record or in the last: never taken for a record that a crash
 * cut, since a reveal that is forgotten would be made a second time. The raw bytes have a signed hash of
 * their own. */
static void an_altered_record_is_corrupt(void **state)
{
    (void)state;
    char folder[512], path[600];
    struct maille_error error = {0};
    struct journal *journal = NULL;
    struct seen seen = {0};
    make(fresh(folder, "altered"));
    assert_ok(journal_open(&journal, folder, key, see, &seen, &error), &error);
    append(journal, 3, "the reveal", NULL, NULL);
    journal_close(journal);
    snprintf(path, sizeof path, "%s/journal", folder);
    int fd = open(path, O_RDWR);
    const size_t whole = size_of(path), raw = strlen("masked vector");
    size_t missed = 0;
    for (size_t at = 0; at < whole; at++) {
        uint8_t byte, altered;
        seen = (struct seen){0};
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        altered = byte ^ 0x10;
        assert_int_equal(pwrite(fd, &altered, 1, (off_t)at), 1);
        if (journal_open(&journal, folder, key, see, &seen, &error) == MAILLE_OK) {
            assert_int_equal(seen.n, 3); /* a raw byte: nothing is dropped */
            journal_close(journal);
            missed++;
        }
        assert_int_equal(size_of(path), whole);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    assert_true(missed <= 2 * raw);
    /* A hole of zeros with something behind it. */
    static const uint8_t zeros[24];
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), (ssize_t)sizeof zeros);
    close(fd);
    assert_fails(journal_open(&journal, folder, key, see, &seen, &error), MAILLE_CORRUPT, &error, "journal");
    static const uint8_t other[KEY_BYTES] = {9};
    make(fresh(folder, "altered"));
    seen = (struct seen){0};
    assert_fails(journal_open(&journal, folder, other, see, &seen, &error), MAILLE_CORRUPT, &error,
                 "journal");
    assert_int_equal(seen.n, 0);
}

/* Nothing of a query can be read without the site's key. */
static void records_are_sealed(void **state)
{
    (void)state;
    char folder[512], path[600];
    struct bytes text = {0};
    struct maille_error error = {0};
    make(fresh(folder, "sealed"));
    snprintf(path, sizeof path, "%s/journal", folder);
    assert_ok(file_read(&text, path, 1 << 20, &error), &error);
    assert_null(memmem(text.data, text.length, "manifest", 8));
    assert_non_null(memmem(text.data, text.length, "masked vector", 13)); /* ciphertext already, as it left */
    bytes_clear(&text);
}

static void an_ended_query_leaves_its_mark(void **state)
{
    (void)state;
    char folder[512], path[600];
    struct maille_error error = {0};
    int64_t until;
    make(fresh(folder, "ended"));
    snprintf(path, sizeof path, "%s/journal", folder);
    assert_false(journal_ended(folder, &until));
    assert_ok(journal_erase(folder, 1234567, &error), &error);
    assert_false(file_exists(path));
    assert_true(journal_ended(folder, &until));
    assert_int_equal(until, 1234567);
    assert_ok(journal_forget(folder, &error), &error);
    assert_false(file_exists(folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_back),        cmocka_unit_test(a_cut_record_is_dropped),
        cmocka_unit_test(a_record_of_zeros_is_dropped), cmocka_unit_test(an_altered_record_is_corrupt),
        cmocka_unit_test(records_are_sealed),           cmocka_unit_test(an_ended_query_leaves_its_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
