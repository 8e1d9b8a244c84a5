#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

static void a_write_is_whole_or_not_there(void **state)
{
    char path[512];
    struct bytes read = {0};
    struct maille_error error = {0};
    (void)state;
    test_path(path, "atomic");
    assert_ok(file_write_atomic(path, "old", 3, 0600, &error), &error);
    /* A disk that is full half-way: the old content stays, and nothing is left beside it. */
    char *big = calloc(1, 1 << 20);
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_fails(file_write_atomic(path, big, 1 << 20, 0600, &error), MAILLE_IO, &error, "atomic");
    setrlimit(RLIMIT_FSIZE, &before);
    free(big);
    assert_ok(file_read(&read, path, 100, &error), &error);
    assert_int_equal(read.length, 3);
    assert_memory_equal(read.data, "old", 3);
    char beside[600];
    snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid());
    assert_false(file_exists(beside));
    bytes_clear(&read);
}

static void limits_and_wrong_kinds(void **state)
{
    char path[512];
    struct bytes read = {0};
    struct maille_error error = {0};
    (void)state;
    test_path(path, "limit");
    assert_ok(file_write_atomic(path, "0123456789", 10, 0644, &error), &error);
    assert_fails(file_read(&read, path, 9, &error), MAILLE_INVALID, &error, "at most 9 bytes");
    assert_fails(file_read(&read, "/", 9, &error), MAILLE_INVALID, &error, "expected a file");
    assert_fails(file_read(&read, "/nowhere/at/all", 9, &error), MAILLE_INVALID, &error, "found nothing");
    assert_fails(file_check_private(path, &error), MAILLE_INVALID, &error, "chmod 600");
    chmod(path, 0600);
    assert_ok(file_check_private(path, &error), &error);
    assert_fails(file_folder_make(path, 0700, &error), MAILLE_INVALID, &error, "expected a folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_write_is_whole_or_not_there),
                                       cmocka_unit_test(limits_and_wrong_kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
