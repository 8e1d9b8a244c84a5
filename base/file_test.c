#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static void is_written(const char *path, const char *content)
{
    struct bytes read = {0};
    struct maille_error error = {0};
    assert_ok(file_read(&read, path, 100, &error), &error);
    assert_int_equal(read.length, strlen(content));
    assert_memory_equal(read.data, content, read.length);
    bytes_clear(&read);
}

/* Links stay links, and what is no file is never replaced by one. */
static void what_stands_there_stays(void **state)
{
    (void)state;
    char real[512], link_path[512], dangling[512], fifo[512], got[16] = "";
    struct stat status;
    struct maille_error error = {0};
    struct bytes nothing = {0};
    test_path(real, "real");
    test_path(link_path, "link");
    test_path(dangling, "dangling");
    test_path(fifo, "fifo");
    unlink(link_path), unlink(dangling), unlink(fifo);
    assert_ok(file_write_atomic(real, "old", 3, 0600, &error), &error);
    assert_int_equal(symlink("real", link_path), 0);
    assert_int_equal(symlink("made-behind-a-link", dangling), 0);
    assert_ok(file_write_atomic(link_path, "new", 3, 0600, &error), &error);
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    is_written(real, "new");
    assert_ok(file_write_atomic(dangling, "there", 5, 0600, &error), &error);
    assert_int_equal(lstat(dangling, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    is_written(dangling, "there");
    unlink(link_path);
    assert_int_equal(symlink("link", link_path), 0); /* of itself */
    assert_fails(file_write_atomic(link_path, "x", 1, 0600, &error), MAILLE_INVALID, &error, "links");

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_fails(file_read(&nothing, fifo, 9, &error), MAILLE_INVALID, &error,
                 "expected a file"); /* at once */
    int fd = 0;
    assert_fails(file_open_regular(&fd, fifo, &error), MAILLE_INVALID, &error, "expected a file");
    assert_fails(file_open_regular(&fd, dangling, &error), MAILLE_INVALID, &error, "found a link");
    assert_ok(file_open_regular(&fd, "/nowhere/at/all", &error), &error);
    assert_int_equal(fd, -1);
    assert_ok(file_open_regular(&fd, real, &error), &error);
    close(fd);
    struct bytes regular = {0};
    assert_ok(file_read_regular(&regular, real, 65536, &error), &error);
    bytes_clear(&regular);
    assert_fails(file_read_regular(&regular, fifo, 9, &error), MAILLE_INVALID, &error, "expected a file");
    assert_fails(file_read_regular(&regular, dangling, 9, &error), MAILLE_INVALID, &error, "found a link");
    assert_fails(file_read_regular(&regular, "/nowhere/at/all", 9, &error), MAILLE_INVALID, &error,
                 "found nothing");
    int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    assert_ok(file_write_atomic(fifo, "through", 7, 0600, &error), &error);
    assert_int_equal(read(reader, got, sizeof got), 7);
    assert_string_equal(got, "through");
    close(reader);
    assert_int_equal(lstat(fifo, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));

    test_path(real, "device"); /* a node of one's own cannot be made without rights: a link to one */
    unlink(real);
    assert_int_equal(symlink("/dev/null", real), 0);
    assert_ok(file_write_atomic(real, "gone", 4, 0600, &error), &error);
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

/* --json /dev/stdout > file: what was printed before and after stays. */
static void standard_output_is_written_to(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    test_path(path, "stdout");
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    printf("a ");
    enum maille_code code = file_write_atomic("/dev/stdout", "b ", 2, 0600, &error);
    printf("c");
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept), close(file);
    assert_ok(code, &error);
    is_written(path, "a b c");
}

/* In the place of the C library's: what a file system without locks answers (NFS without its daemon). */
static bool no_locks;
int flock(int fd, int operation)
{
    if (no_locks) {
        errno = ENOLCK;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

/* In a folder that others may write to, a link of theirs leads nowhere, and a folder is no obstacle. */
static void what_others_put_there_is_replaced(void **state)
{
    (void)state;
    char real[512], path[512], folder[512];
    struct stat status;
    struct maille_error error = {0};
    test_path(real, "theirs");
    test_path(path, "shared");
    test_path(folder, "shared-folder");
    unlink(path);
    assert_ok(file_write_atomic(real, "old", 3, 0600, &error), &error);
    assert_int_equal(symlink("theirs", path), 0);
    assert_ok(file_write_shared(path, "new", 3, 0640, &error), &error);
    is_written(real, "old");
    is_written(path, "new");
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_ok(file_folder_make(folder, 0700, &error), &error);
    file_put_away(folder);
    assert_false(file_exists(folder));
    file_put_away(path);
    assert_false(file_exists(path));
}

static void a_file_system_without_locks_is_not_somebody_else(void **state)
{
    char path[512];
    struct maille_error error = {0};
    bool taken = true;
    (void)state;
    int fd = open(test_path(path, "locked"), O_RDWR | O_CREAT, 0600), other = open(path, O_RDWR);
    assert_true(fd >= 0 && other >= 0);
    assert_ok(file_lock(&taken, fd, path, &error), &error);
    assert_true(taken);
    assert_ok(file_lock(&taken, other, path, &error), &error);
    assert_false(taken); /* somebody has it */
    no_locks = true;
    assert_fails(file_lock(&taken, other, path, &error), MAILLE_IO, &error, "takes no lock");
    no_locks = false;
    close(fd);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_system_without_locks_is_not_somebody_else),
                                       cmocka_unit_test(a_write_is_whole_or_not_there),
                                       cmocka_unit_test(limits_and_wrong_kinds),
                                       cmocka_unit_test(what_stands_there_stays),
                                       cmocka_unit_test(what_others_put_there_is_replaced),
                                       cmocka_unit_test(standard_output_is_written_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
