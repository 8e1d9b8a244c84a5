#include "base/test.h"

#include <dirent.h>
#include <sys/stat.h>

#include "audit/access.h"
#include "base/file.h"
#include "crypto/hash.h"

struct taken {
    size_t n, imports;
    char lines[4][200];
    enum maille_code says;
};

static enum maille_code take(void *context, const char *kind, const char *line, struct maille_error *error)
{
    struct taken *taken = context;
    taken->imports += strcmp(kind, "import") == 0;
    if (taken->says != MAILLE_OK)
        return maille_fail(error, taken->says, "the disk is full");
    snprintf(taken->lines[taken->n++ % 4], sizeof taken->lines[0], "%s", line);
    return MAILLE_OK;
}

static size_t left(const char *folder)
{
    char spool[700];
    size_t n = 0;
    snprintf(spool, sizeof spool, "%s/spool", folder);
    DIR *stream = opendir(spool);
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(stream);
    return n;
}

static void make(const char *folder, const char *name)
{
    struct maille_error error = {0};
    char path[700];
    assert_ok(file_folder_make(folder, 0700, &error), &error);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_folder_make(path, 0700, &error), &error);
}

static void a_line_is_kept_until_it_was_taken(void **state)
{
    (void)state;
    char folder[512], log[600];
    struct maille_error error = {0};
    struct taken taken = {.says = MAILLE_IO};
    make(test_path(folder, "access"), "spool");
    make(folder, "log");
    snprintf(log, sizeof log, "%s/log", folder);
    assert_ok(audit_access_leave(folder, "preview of study toy", &error), &error);
    assert_ok(audit_access_leave_log(log, "replay", &error), &error);
    assert_int_equal(left(folder), 2);
    assert_int_equal(audit_access_take(folder, take, &taken, &error), MAILLE_IO);
    assert_int_equal(left(folder), 2);
    taken.says = MAILLE_OK;
    assert_ok(audit_access_take(folder, take, &taken, &error), &error);
    assert_int_equal(left(folder), 0);
    assert_int_equal(taken.n, 2);
    const bool first = strncmp(taken.lines[0], "preview of study toy by ", 24) == 0;
    assert_true(strncmp(taken.lines[first ? 1 : 0], "replay by ", 10) == 0);
    assert_true(strncmp(taken.lines[first ? 0 : 1], "preview of study toy by ", 24) == 0);
    assert_int_equal(taken.imports, 0);
    assert_ok(audit_import_leave(folder, "snapshot 2", &error), &error);
    assert_ok(audit_access_take(folder, take, &taken, &error), &error);
    assert_int_equal(taken.imports, 1);
    assert_true(strncmp(taken.lines[2], "snapshot 2 by ", 14) == 0);
}

static void a_copy_without_a_spool_keeps_nothing(void **state)
{
    (void)state;
    char folder[512], log[600];
    struct maille_error error = {0};
    struct taken taken = {0};
    make(test_path(folder, "copy"), "log");
    snprintf(log, sizeof log, "%s/log", folder);
    assert_ok(audit_access_leave_log(log, "export", &error), &error);
    assert_ok(audit_access_take(folder, take, &taken, &error), &error);
    assert_int_equal(taken.n, 0);
}

/* Escapes that would hide a line, several lines, and files that are no line. */
static void what_is_no_line_is_not_logged(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "one\ntwo", "\x1b[2J by root", "caf\xe9"};
    char folder[512], path[700];
    struct maille_error error = {0};
    struct taken taken = {0};
    make(test_path(folder, "bad"), "spool");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(path, sizeof path, "%s/spool/access-%zu", folder, i);
        assert_ok(file_write_atomic(path, bad[i], strlen(bad[i]), 0600, &error), &error);
    }
    assert_ok(audit_access_leave(folder, "preview of \x1b[2J", &error), &error);
    assert_ok(audit_access_take(folder, take, &taken, &error), &error);
    assert_int_equal(taken.n, 1);
    assert_true(strncmp(taken.lines[0], "preview of <U+001B>[2J by ", 26) == 0);
    assert_int_equal(left(folder), 0);
}

int main(void)
{
    struct maille_error error = {0};
    if (crypto_start(&error) != MAILLE_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_line_is_kept_until_it_was_taken),
                                       cmocka_unit_test(a_copy_without_a_spool_keeps_nothing),
                                       cmocka_unit_test(what_is_no_line_is_not_logged)};
    return cmocka_run_group_tests_name("audit.access", tests, NULL, NULL);
}
