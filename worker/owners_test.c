#include "base/test.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "worker/owners.h"

static mode_t mode_of(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 07777;
}

/* What waits is the group's to read; a link under such a name, or a second name of a key, leads to nothing.
 */
static void what_waits_alone_is_shared(void **state)
{
    (void)state;
    struct owners owners = {.shares = true, .spool_group = getegid()};
    struct maille_error error = {0};
    char dir[512], key[700], other[700], spool[700], link[900], second[900], pending[900];
    assert_ok(file_folder_make(test_path(dir, "site"), 0700, &error), &error);
    snprintf(key, sizeof key, "%s/site.key", dir);
    snprintf(other, sizeof other, "%s/other.key", dir);
    snprintf(spool, sizeof spool, "%s/spool", dir);
    snprintf(link, sizeof link, "%s/a.pending", spool);
    snprintf(second, sizeof second, "%s/b.pending", spool);
    snprintf(pending, sizeof pending, "%s/c.pending", spool);
    assert_ok(file_folder_make(spool, 0700, &error), &error);
    assert_ok(file_write_atomic(key, "key", 3, 0600, &error), &error);
    assert_ok(file_write_atomic(other, "key", 3, 0600, &error), &error);
    assert_ok(file_write_atomic(pending, "asked", 5, 0600, &error), &error);
    unlink(link), unlink(second);
    assert_true(symlink("../site.key", link) == 0 && linkat(AT_FDCWD, other, AT_FDCWD, second, 0) == 0);
    assert_ok(owners_give(&owners, dir, &error), &error);
    assert_int_equal(mode_of(spool), 03770);
    assert_int_equal(mode_of(pending), 0640);
    assert_int_equal(mode_of(key), 0600);
    assert_int_equal(mode_of(other), 0600);
    owners.shares = false;
    assert_ok(owners_give(&owners, dir, &error), &error);
    assert_int_equal(mode_of(spool), 0700);
}

/* Of what somebody of the group put there, root gives nothing to the vault: it would pass for its own. */
static void what_others_put_there_stays_theirs(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct stat found;
    char dir[512], spool[700], theirs[900], ours[900];
    if (geteuid() != 0)
        skip();
    struct owners owners = {.own = true, .shares = true, .spool_group = 12347};
    for (int child = 0; child < CHILDREN; child++) {
        owners.uids[child] = 12345;
        owners.gids[child] = 12345;
    }
    snprintf(spool, sizeof spool, "%s/spool", test_path(dir, "own"));
    snprintf(theirs, sizeof theirs, "%s/access-00", spool);
    snprintf(ours, sizeof ours, "%s/access-01", spool);
    assert_ok(file_folder_make(dir, 0700, &error), &error);
    assert_ok(file_folder_make(spool, 0700, &error), &error);
    assert_ok(owners_give(&owners, dir, &error), &error);
    assert_ok(file_write_atomic(theirs, "x", 1, 0644, &error), &error);
    assert_ok(file_write_atomic(ours, "x", 1, 0600, &error), &error);
    assert_true(chown(theirs, 12346, 12347) == 0 && chown(ours, 0, 0) == 0);
    assert_ok(owners_give(&owners, dir, &error), &error);
    assert_int_equal(stat(theirs, &found), 0);
    assert_int_equal(found.st_uid, 12346);
    assert_int_equal(stat(ours, &found), 0);
    assert_int_equal(found.st_uid, 12345);
    assert_int_equal(mode_of(spool), 03770);
}

/* An account that is not in the group, as under the unit of the packages, takes what root prepared. */
static void what_root_shared_is_taken(void **state)
{
    (void)state;
    const struct owners owners = {.shares = true, .spool_group = 12347};
    struct maille_error error = {0};
    char dir[512], spool[700];
    if (geteuid() != 0)
        skip();
    snprintf(spool, sizeof spool, "%s/spool", test_path(dir, "unit"));
    assert_ok(file_folder_make(dir, 0700, &error), &error);
    assert_ok(file_folder_make(spool, 0700, &error), &error);
    assert_true(chown(dir, 12345, 12345) == 0 && chown(spool, 12345, 12345) == 0 && chmod(spool, 0700) == 0);
    for (int prepared = 0; prepared < 2; prepared++) {
        if (prepared)
            assert_true(chown(spool, 12345, 12347) == 0 && chmod(spool, 03770) == 0);
        const pid_t pid = fork();
        if (pid == 0) {
            const bool becomes =
                chdir(dir) == 0 && setgroups(0, NULL) == 0 && setgid(12345) == 0 && setuid(12345) == 0;
            _exit(becomes && (owners_give(&owners, ".", NULL) == MAILLE_OK) == prepared ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_int_equal(mode_of(spool), 03770);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_waits_alone_is_shared),
                                       cmocka_unit_test(what_others_put_there_stays_theirs),
                                       cmocka_unit_test(what_root_shared_is_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
