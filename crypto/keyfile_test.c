/* Key files: what opens, and everything that must not. */
#include "crypto/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char key_path[512], credential_path[512], other_path[512], altered_path[512];

static void path_of(char out[512], const char *name)
{
    snprintf(out, 512, "%s/%s", getenv("MAILLE_TEST_TMP"), name);
    unlink(out);
}

static int start(void **state)
{
    (void)state;
    path_of(key_path, "alpha.key");
    path_of(credential_path, "credential");
    path_of(other_path, "other-credential");
    path_of(altered_path, "altered.key");
    return crypto_start(NULL) == MAILLE_OK && keyfile_credential_make(credential_path, NULL) == MAILLE_OK &&
                   keyfile_credential_make(other_path, NULL) == MAILLE_OK
               ? 0
               : 1;
}

static void assert_same_keys(const struct secret_keys *a, const struct secret_keys *b)
{
    struct digest of_a, of_b;
    assert_int_equal(secret_keys_role(a), secret_keys_role(b));
    assert_string_equal(secret_keys_name(a), secret_keys_name(b));
    assert_memory_equal(secret_keys_public(a), secret_keys_public(b), sizeof(struct public_keys));
    secret_keys_derive(&of_a, a, "state");
    secret_keys_derive(&of_b, b, "state");
    assert_true(digest_equal(&of_a, &of_b));
}

static void test_credential(void **state)
{
    (void)state;
    const struct key_unlock unlock = {.credential_path = credential_path},
                            other = {.credential_path = other_path};
    struct maille_error error;
    for (enum key_role role = KEY_RESEARCHER; role <= KEY_AUTHORITY; role++) {
        struct secret_keys *keys = NULL, *read = NULL;
        struct public_keys public;
        enum key_role found;
        char name[48];
        bool by_credential = false;
        struct stat status;
        assert_int_equal(secret_keys_new(&keys, role, "alpha", NULL), MAILLE_OK);
        assert_int_equal(keyfile_write(key_path, keys, &unlock, &error), MAILLE_OK);
        assert_int_equal(stat(key_path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        assert_int_equal(keyfile_read(&read, key_path, &unlock, &error), MAILLE_OK);
        assert_same_keys(keys, read);
        assert_int_equal(keyfile_header(&found, name, &public, &by_credential, key_path, &error), MAILLE_OK);
        assert_int_equal(found, role);
        assert_string_equal(name, "alpha");
        assert_true(by_credential);
        assert_memory_equal(&public, secret_keys_public(keys), sizeof public);
        secret_keys_free(read);
        read = NULL;
        assert_int_equal(keyfile_read(&read, key_path, &other, &error), MAILLE_SIGNATURE);
        assert_int_equal(keyfile_read(&read, key_path, &(struct key_unlock){.passphrase = "x"}, &error),
                         MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "credential"));
        assert_null(read);
        secret_keys_free(keys);
    }
}

/* Every byte of the file, altered in three ways, or missing: nothing opens. */
static void test_altered(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x20, 0x80};
    const struct key_unlock unlock = {.credential_path = credential_path};
    struct secret_keys *keys = NULL, *read = NULL;
    struct bytes text = {0};
    struct maille_error error;
    assert_int_equal(secret_keys_new(&keys, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(keyfile_write(key_path, keys, &unlock, NULL), MAILLE_OK);
    assert_int_equal(file_read(&text, key_path, 4096, NULL), MAILLE_OK);
    int fd = -1;
    char writable[512];
    snprintf(writable, sizeof writable, "%s", altered_path);
    assert_int_equal(file_write_atomic(writable, "", 0, 0600, NULL), MAILLE_OK);
    FILE *file = fopen(writable, "r+");
    assert_non_null(file);
    fd = fileno(file);
    for (size_t i = 0; i < text.length; i++)
        for (size_t k = 0; k < sizeof flips; k++) {
            text.data[i] ^= flips[k];
            assert_int_equal(pwrite(fd, text.data, text.length, 0), text.length);
            text.data[i] ^= flips[k];
            if (keyfile_read(&read, writable, &unlock, &error) != MAILLE_SIGNATURE)
                fail_msg("byte %zu altered by %02x: %s", i, flips[k], error.sentence);
        }
    for (size_t length = 0; length < text.length; length++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, text.data, length, 0), length);
        assert_int_equal(keyfile_read(&read, writable, &unlock, &error), MAILLE_SIGNATURE);
    }
    bytes_put(&text, "\n", 1); /* something after the end */
    assert_int_equal(pwrite(fd, text.data, text.length, 0), text.length);
    assert_int_equal(keyfile_read(&read, writable, &unlock, &error), MAILLE_SIGNATURE);
    text.data[text.length - 1] = 0;
    assert_int_equal(pwrite(fd, text.data, text.length, 0), text.length);
    assert_int_equal(keyfile_read(&read, writable, &unlock, &error), MAILLE_SIGNATURE);
    assert_null(read);
    assert_int_equal(keyfile_read(&read, key_path, &unlock, &error),
                     MAILLE_OK); /* and the file itself still does */
    secret_keys_free(read);
    secret_keys_free(keys);
    bytes_clear(&text);
    fclose(file);
}

static void test_passphrase(void **state)
{
    (void)state;
    const struct key_unlock unlock = {.passphrase = "correct horse battery staple"};
    struct secret_keys *keys = NULL, *read = NULL;
    struct maille_error error;
    assert_int_equal(secret_keys_new(&keys, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    assert_int_equal(keyfile_write(key_path, keys, &unlock, &error), MAILLE_OK);
    assert_int_equal(keyfile_read(&read, key_path, &unlock, &error), MAILLE_OK);
    assert_same_keys(keys, read);
    secret_keys_free(read);
    read = NULL;
    const struct key_unlock wrong = {.passphrase = "correct horse battery stapler"};
    assert_int_equal(keyfile_read(&read, key_path, &wrong, &error), MAILLE_SIGNATURE);
    assert_int_equal(
        keyfile_read(&read, key_path, &(struct key_unlock){.credential_path = credential_path}, &error),
        MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "passphrase"));
    assert_int_equal(keyfile_write(key_path, keys, &(struct key_unlock){.passphrase = ""}, &error),
                     MAILLE_INVALID);
    assert_int_equal(keyfile_write(key_path, keys, &(struct key_unlock){0}, &error), MAILLE_INVALID);
    assert_int_equal(
        keyfile_write(key_path, keys,
                      &(struct key_unlock){.passphrase = "x", .credential_path = credential_path}, &error),
        MAILLE_INVALID);
    assert_null(read);
    secret_keys_free(keys);
}

/* Parameters of Argon2id that would weaken the file or exhaust the machine are refused before any work. */
static void test_passphrase_parameters(void **state)
{
    (void)state;
    static const char *const lines[] = {"argon2id: 1 268435456 ", "argon2id: 3 8192 ",
                                        "argon2id: 3 68719476736 ", "argon2id: 4000000000 268435456 "};
    struct bytes text = {0}, altered = {0};
    struct secret_keys *read = NULL;
    assert_int_equal(file_read(&text, key_path, 4096, NULL), MAILLE_OK); /* as test_passphrase left it */
    bytes_put_u8(&text, 0);
    char *at = strstr((char *)text.data, "argon2id: 3 268435456 ");
    assert_non_null(at);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        altered.length = 0;
        bytes_put(&altered, text.data, (size_t)(at - (char *)text.data));
        bytes_put(&altered, lines[i], strlen(lines[i]));
        at += strlen("argon2id: 3 268435456 ");
        bytes_put(&altered, at, strlen(at));
        at -= strlen("argon2id: 3 268435456 ");
        assert_int_equal(file_write_atomic(altered_path, altered.data, altered.length, 0600, NULL),
                         MAILLE_OK);
        assert_int_equal(keyfile_read(&read, altered_path, &(struct key_unlock){.passphrase = "x"}, NULL),
                         MAILLE_SIGNATURE);
    }
    bytes_clear(&text);
    bytes_clear(&altered);
}

static void test_readable_by_others(void **state)
{
    (void)state;
    const struct key_unlock unlock = {.credential_path = credential_path};
    struct secret_keys *keys = NULL, *read = NULL;
    struct maille_error error;
    assert_int_equal(secret_keys_new(&keys, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(keyfile_write(key_path, keys, &unlock, NULL), MAILLE_OK);
    static const mode_t modes[] = {0640, 0604, 0660, 0620, 0601};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(key_path, modes[i]), 0);
        assert_int_equal(keyfile_read(&read, key_path, &unlock, &error), MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "chmod 600"));
        assert_int_equal(chmod(key_path, 0600), 0);
        assert_int_equal(chmod(credential_path, modes[i]), 0);
        assert_int_equal(keyfile_read(&read, key_path, &unlock, &error), MAILLE_INVALID);
        assert_int_equal(chmod(credential_path, 0600), 0);
    }
    /* systemd's own folder: readable for the group is its access-control list, readable for all is a mistake.
     */
    assert_int_equal(chmod(credential_path, 0440), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", getenv("MAILLE_TEST_TMP"), 1), 0);
    assert_int_equal(keyfile_read(&read, key_path, &unlock, &error), MAILLE_OK);
    secret_keys_free(read);
    read = NULL;
    assert_int_equal(chmod(credential_path, 0444), 0);
    assert_int_equal(keyfile_read(&read, key_path, &unlock, &error), MAILLE_INVALID);
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(chmod(credential_path, 0600), 0);
    assert_null(read);
    secret_keys_free(keys);
}

static void test_bad_credentials(void **state)
{
    (void)state;
    struct secret_keys *read = NULL;
    struct maille_error error;
    struct stat status;
    assert_int_equal(stat(credential_path, &status), 0);
    assert_int_equal(status.st_size, 32);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(keyfile_credential_make(credential_path, &error),
                     MAILLE_IO); /* nothing is overwritten */
    assert_non_null(strstr(error.sentence, credential_path));
    assert_int_equal(file_write_atomic(altered_path, "too short", 9, 0600, NULL), MAILLE_OK);
    assert_int_equal(
        keyfile_read(&read, key_path, &(struct key_unlock){.credential_path = altered_path}, &error),
        MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "32 bytes"));
    assert_int_equal(
        keyfile_read(&read, key_path, &(struct key_unlock){.credential_path = "/nowhere/c"}, &error),
        MAILLE_IO);
    assert_int_equal(
        keyfile_read(&read, "/nowhere/k", &(struct key_unlock){.credential_path = other_path}, &error),
        MAILLE_IO);
    assert_null(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credential),         cmocka_unit_test(test_altered),
        cmocka_unit_test(test_passphrase),         cmocka_unit_test(test_passphrase_parameters),
        cmocka_unit_test(test_readable_by_others), cmocka_unit_test(test_bad_credentials),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
