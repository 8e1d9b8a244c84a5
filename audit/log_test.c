/* The message log: what is written is read, what is altered is found, a full disk loses nothing. */
#include "audit/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"

static char folder[512], path[1024];

/* A fresh folder for each test. */
static int setup(void **state)
{
    (void)state;
    static int number;
    snprintf(folder, sizeof folder, "%s/%ld-%d", getenv("MAILLE_TEST_TMP"), (long)getpid(), ++number);
    snprintf(path, sizeof path, "%s/messages.log", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char lock[1024];
    snprintf(lock, sizeof lock, "%s/lock", folder);
    unlink(path);
    unlink(lock);
    rmdir(folder);
    return 0;
}

static struct audit_log *open_log(bool *repaired)
{
    struct audit_log *log = NULL;
    struct maille_error error = {0};
    if (audit_open(&log, folder, "alpha", repaired, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    return log;
}

static struct audit_entry entry_of(size_t i)
{
    static uint8_t qid[32];
    static char detail[64];
    struct audit_entry entry = {.direction = (enum audit_direction)(i % 3),
                                .message = i % 3 == AUDIT_NOTE ? "start" : "masked",
                                .peer = i % 3 == AUDIT_NOTE ? "" : "coordinator",
                                .qid = i % 2 ? qid : NULL,
                                .bytes = 1000 + i,
                                .detail = detail};
    memset(qid, (int)i, sizeof qid);
    snprintf(detail, sizeof detail, "round %zu attempt 1: os (km) 1,234 numbers", i);
    hash_bytes(&entry.hash, detail, strlen(detail));
    return entry;
}

static void append(struct audit_log *log, size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        struct audit_entry entry = entry_of(i);
        assert_int_equal(audit_append(log, &entry, NULL), MAILLE_OK);
    }
    assert_int_equal(audit_sync(log, NULL), MAILLE_OK);
}

/* Checks that the entries that come are entry_of(0), entry_of(1) … and counts them. */
static void check_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *found)
{
    size_t *n = context;
    struct audit_entry expected = entry_of(*n);
    assert_int_equal(sequence, ++*n);
    assert_true(llabs(clock_utc_ms() - utc_ms) < 60000);
    assert_int_equal(found->direction, expected.direction);
    assert_string_equal(found->message, expected.message);
    assert_string_equal(found->peer, expected.peer);
    assert_int_equal(found->qid == NULL, expected.qid == NULL);
    if (expected.qid != NULL)
        assert_memory_equal(found->qid, expected.qid, 32);
    assert_true(digest_equal(&found->hash, &expected.hash));
    assert_int_equal(found->bytes, expected.bytes);
    assert_string_equal(found->detail, expected.detail);
}

static size_t entries(void)
{
    size_t n = 0;
    assert_int_equal(audit_read(folder, check_entry, &n, NULL), MAILLE_OK);
    return n;
}

static void count_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)utc_ms;
    assert_non_null(entry->detail);
    assert_int_equal(sequence, ++*(size_t *)context);
}

static void test_write_and_read(void **state)
{
    (void)state;
    bool repaired = true;
    struct audit_head first, second;
    struct stat status;
    struct audit_log *log = open_log(&repaired);
    assert_false(repaired);
    audit_head(log, &first);
    assert_int_equal(first.size, 0);
    append(log, 0, 10);
    audit_head(log, &first);
    assert_int_equal(first.size, 10);
    assert_int_equal(entries(), 10);
    audit_close(log);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    log = open_log(&repaired); /* goes on where it stopped */
    assert_false(repaired);
    audit_head(log, &second);
    assert_memory_equal(&first, &second, sizeof first);
    append(log, 10, 5);
    assert_int_equal(entries(), 15);
    audit_close(log);
    audit_close(NULL);
}

/* Nothing that a peer chose can end a line or a field. */
static void remember_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)sequence, (void)utc_ms;
    snprintf(context, 4096, "%s|%s|%s", entry->message, entry->peer, entry->detail);
}

static void test_control_characters(void **state)
{
    (void)state;
    char found[4096], long_detail[3 * AUDIT_DETAIL_MAX];
    struct audit_log *log = open_log(NULL);
    struct audit_entry entry = {.message = "a\tb", .peer = "x\ny", .detail = "one\r\n2\t2026 é\x7f"};
    assert_int_equal(audit_append(log, &entry, NULL), MAILLE_OK);
    assert_int_equal(audit_read(folder, remember_entry, found, NULL), MAILLE_OK);
    assert_string_equal(found, "a b|x y|one  2 2026 é ");
    memset(long_detail, 'd', sizeof long_detail);
    long_detail[sizeof long_detail - 1] = '\0';
    memcpy(long_detail + AUDIT_DETAIL_MAX - 1, "é", 2); /* would be cut in two */
    entry = (struct audit_entry){.message = NULL, .peer = NULL, .detail = long_detail};
    assert_int_equal(audit_append(log, &entry, NULL), MAILLE_OK);
    assert_int_equal(audit_read(folder, remember_entry, found, NULL), MAILLE_OK);
    assert_int_equal(strlen(found), 2 + AUDIT_DETAIL_MAX - 1);
    assert_memory_equal(found, "||ddd", 5);
    entry.detail = NULL;
    assert_int_equal(audit_append(log, &entry, NULL), MAILLE_OK);
    assert_int_equal(audit_read(folder, remember_entry, found, NULL), MAILLE_OK);
    assert_string_equal(found, "||");
    audit_close(log);
}

/* Any byte altered, any line but the last removed, two lines swapped: found, and the log does not open. */
static void test_altered(void **state)
{
    (void)state;
    struct bytes text = {0}, altered = {0};
    struct maille_error error;
    struct audit_log *log = open_log(NULL);
    append(log, 0, 3);
    audit_close(log);
    log = NULL;
    assert_int_equal(file_read(&text, path, 65536, NULL), MAILLE_OK);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < text.length - 1; i++) {
        size_t n = 0;
        uint8_t other = text.data[i] ^ 1;
        assert_int_equal(pwrite(fd, &other, 1, (off_t)i), 1);
        if (audit_read(folder, count_entry, &n, &error) != MAILLE_CORRUPT)
            fail_msg("byte %zu altered and not found", i);
        assert_non_null(strstr(error.sentence, path));
        assert_int_equal(pwrite(fd, &text.data[i], 1, (off_t)i), 1);
    }
    close(fd);
    size_t starts[5] = {0};
    for (size_t line = 1; line <= 4; line++)
        starts[line] =
            (size_t)((char *)memchr(text.data + starts[line - 1], '\n', text.length) - (char *)text.data) + 1;
    for (size_t line = 0; line < 3; line++) { /* without one line */
        size_t n = 0;
        altered.length = 0;
        bytes_put(&altered, text.data, starts[line]);
        bytes_put(&altered, text.data + starts[line + 1], text.length - starts[line + 1]);
        assert_int_equal(file_write_atomic(path, altered.data, altered.length, 0600, NULL), MAILLE_OK);
        assert_int_equal(audit_read(folder, count_entry, &n, &error), MAILLE_CORRUPT);
        assert_int_equal(n, line > 0 ? line - 1 : 0);
        char where[1100];
        snprintf(where, sizeof where, "%s:%zu:", path, line + 1);
        assert_non_null(strstr(error.sentence, where));
        assert_int_equal(audit_open(&log, folder, "alpha", NULL, &error), MAILLE_CORRUPT);
    }
    altered.length = 0; /* two lines swapped */
    bytes_put(&altered, text.data, starts[1]);
    bytes_put(&altered, text.data + starts[2], starts[3] - starts[2]);
    bytes_put(&altered, text.data + starts[1], starts[2] - starts[1]);
    bytes_put(&altered, text.data + starts[3], text.length - starts[3]);
    assert_int_equal(file_write_atomic(path, altered.data, altered.length, 0600, NULL), MAILLE_OK);
    assert_int_equal(audit_open(&log, folder, "alpha", NULL, &error), MAILLE_CORRUPT);
    assert_null(log);
    assert_int_equal(file_write_atomic(path, "anything\n", 9, 0600, NULL), MAILLE_OK);
    assert_int_equal(audit_open(&log, folder, "alpha", NULL, &error), MAILLE_CORRUPT);
    bytes_clear(&text);
    bytes_clear(&altered);
}

/* A crash may leave any part of the last line, or of the first one. */
static void test_half_line(void **state)
{
    (void)state;
    struct bytes text = {0};
    struct audit_log *log = open_log(NULL);
    append(log, 0, 3);
    audit_close(log);
    assert_int_equal(file_read(&text, path, 65536, NULL), MAILLE_OK);
    size_t whole = text.length;
    do
        whole--;
    while (text.data[whole - 1] != '\n'); /* the last line starts here */
    for (size_t length = whole + 1; length < text.length; length += 7) {
        bool repaired = false;
        size_t n = 0;
        assert_int_equal(file_write_atomic(path, text.data, length, 0600, NULL), MAILLE_OK);
        assert_int_equal(audit_read(folder, count_entry, &n, NULL), MAILLE_OK); /* a reader passes it over */
        assert_int_equal(n, 2);
        log = open_log(&repaired);
        assert_true(repaired);
        append(log, 2, 1);
        audit_close(log);
        assert_int_equal(entries(), 3);
    }
    assert_int_equal(file_write_atomic(path, text.data, 20, 0600, NULL),
                     MAILLE_OK); /* in the very first line */
    bool repaired = false;
    log = open_log(&repaired);
    assert_true(repaired);
    append(log, 0, 1);
    audit_close(log);
    assert_int_equal(entries(), 1);
    bytes_clear(&text);
}

static void test_one_owner(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_log *log = open_log(NULL), *second = NULL;
    char owner[64];
    assert_int_equal(audit_open(&second, folder, "alpha", NULL, &error), MAILLE_INVALID);
    snprintf(owner, sizeof owner, "process %ld;", (long)getpid());
    assert_non_null(strstr(error.sentence, owner));
    assert_null(second);
    audit_close(log);
    assert_int_equal(audit_open(&second, folder, "beta", NULL, &error),
                     MAILLE_INVALID); /* somebody else's log */
    assert_non_null(strstr(error.sentence, "log of beta"));
    assert_non_null(strstr(error.sentence, "the one of alpha"));
    assert_null(second);
}

/* A real limit of the file's size, at every place of a line: the write is short, then fails. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit before, limit;
    struct maille_error error;
    struct audit_head head, after;
    struct stat status;
    struct audit_log *log = open_log(NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    append(log, 0, 2);
    audit_head(log, &head);
    assert_int_equal(stat(path, &status), 0);
    for (rlim_t room = 0; room < 220; room += 9) {
        struct audit_entry entry = entry_of(2);
        limit = (struct rlimit){(rlim_t)status.st_size + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(audit_append(log, &entry, &error), MAILLE_IO);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_non_null(strstr(error.sentence, path));
        assert_non_null(strstr(error.sentence, "free disk space"));
        audit_head(log, &after);
        assert_memory_equal(&head, &after, sizeof head);
        assert_int_equal(entries(), 2);
        struct stat now;
        assert_int_equal(stat(path, &now), 0);
        assert_int_equal(now.st_size, status.st_size);
    }
    append(log, 2, 3); /* space again: it goes on */
    assert_int_equal(entries(), 5);
    audit_close(log);
    log = open_log(NULL);
    audit_head(log, &after);
    assert_int_equal(after.size, 5);
    audit_close(log);
}

/* A disk that cannot say whether it has the bytes: the descriptor becomes a pipe, which fdatasync refuses. */
static void test_sync_fails(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_log *log = open_log(NULL);
    struct audit_entry entry = entry_of(1);
    append(log, 0, 1);
    int ends[2], log_fd = -1;
    assert_int_equal(pipe(ends), 0);
    for (int fd = 3; fd < 64 && log_fd < 0; fd++) {
        char link[64], target[1024] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, target, sizeof target - 1) > 0 && strstr(target, "/messages.log") != NULL)
            log_fd = fd;
    }
    assert_true(log_fd >= 0);
    assert_int_equal(dup2(ends[1], log_fd), log_fd);
    assert_int_equal(audit_sync(log, &error), MAILLE_IO);
    assert_int_equal(audit_append(log, &entry, &error), MAILLE_IO);
    assert_non_null(strstr(error.sentence, "start this program again"));
    assert_int_equal(audit_sync(log, &error), MAILLE_IO);
    audit_close(log);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(entries(), 1);
    log = open_log(NULL);
    append(log, 1, 1);
    audit_close(log);
    assert_int_equal(entries(), 2);
}

/* Killed at some moment, again and again: every entry that was synced is there. */
static void test_killed(void **state)
{
    (void)state;
    size_t synced = 0;
    for (size_t run = 0; run < 8; run++) {
        int report[2];
        assert_int_equal(pipe(report), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct audit_log *log = NULL;
            if (audit_open(&log, folder, "alpha", NULL, NULL) != MAILLE_OK)
                _exit(1);
            for (;;) {
                struct audit_head head;
                audit_head(log, &head);
                struct audit_entry entry = entry_of((size_t)head.size);
                if (audit_append(log, &entry, NULL) != MAILLE_OK || audit_sync(log, NULL) != MAILLE_OK ||
                    write(report[1], &head.size, sizeof head.size) != sizeof head.size)
                    _exit(1);
            }
        }
        close(report[1]);
        uint64_t size = 0;
        for (size_t i = 0; i < 5 + 3 * run; i++)
            assert_int_equal(read(report[0], &size, sizeof size), sizeof size);
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(report[0], &size, sizeof size) == sizeof size)
            ;
        close(report[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        synced = (size_t)size + 1;
        assert_true(entries() >= synced);
    }
    struct audit_log *log = open_log(NULL);
    struct audit_head head;
    audit_head(log, &head);
    assert_true(head.size >= synced);
    audit_close(log);
}

static void test_no_folder(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_log *log = NULL;
    size_t n = 0;
    assert_int_equal(audit_read("/nowhere/log", count_entry, &n, &error), MAILLE_IO);
    assert_non_null(strstr(error.sentence, "/nowhere/log"));
    assert_int_equal(audit_open(&log, "/proc/nowhere", "alpha", NULL, &error), MAILLE_IO);
    assert_null(log);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control_characters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_altered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sync_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
