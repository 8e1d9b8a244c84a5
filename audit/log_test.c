/* The writer: what is written is read, epochs are sealed, a full disk loses nothing, a crash loses nothing
 * that was synced. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "audit/testing.h"
#include "base/clock.h"

static struct testing testing;

static int setup(void **state)
{
    (void)state;
    testing_begin(&testing, "log", true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testing_end(&testing);
    return 0;
}

/* Checks that the entries that come, gaps and repairs aside, are testing_entry(0), testing_entry(1) … and
 * counts them. */
static void check_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *found)
{
    size_t *n = context;
    if (strcmp(found->message, "gap") == 0)
        return;
    struct audit_entry expected = testing_entry(*n);
    assert_true(sequence > ++*n); /* the first record and seals are between */
    assert_true(utc_ms >= INT64_C(1000) * TESTING_START_S && utc_ms <= testing.now_ms);
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
    struct maille_error error = {0};
    assert_ok(audit_read(testing.folder, check_entry, &n, &error), &error);
    return n;
}

/* Sound, with the party's identity, now or a day later. */
static struct audit_report verified(void)
{
    struct audit_report report;
    struct maille_error error = {0};
    const struct audit_check check = {.identity = secret_keys_public(testing.keys)->identity,
                                      .taken_ms = testing.now_ms};
    assert_ok(audit_verify(&report, NULL, testing.folder, &check, &error), &error);
    assert_int_equal(report.fault, AUDIT_SOUND);
    assert_string_equal(report.party, "alpha");
    return report;
}

static void test_write_and_read(void **state)
{
    (void)state;
    struct audit_head first, second;
    struct stat status;
    struct audit_log *log = testing_open(&testing);
    audit_head(log, &first);
    assert_int_equal(first.size, 1); /* the first key */
    testing_append(&testing, log, 0, 10, 3);
    audit_head(log, &first);
    assert_int_equal(first.size, 11);
    assert_int_equal(entries(), 10);
    assert_int_equal(verified().open, 11);
    audit_close(log);
    assert_int_equal(stat(testing.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    struct audit_report report = verified();
    assert_int_equal(report.open, 0);
    assert_int_equal(report.seals, 1);
    assert_int_equal(report.gaps, 0);
    assert_int_equal(report.entries, 10);
    assert_int_equal(report.head.size, 12);

    testing.now_ms += 5000;
    log = testing_open(&testing); /* goes on where it stopped, and says for how long it did not */
    audit_head(log, &second);
    assert_int_equal(second.size, 13);
    testing_append(&testing, log, 10, 5, 1);
    assert_int_equal(entries(), 15);
    audit_close(log);
    report = verified();
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_ms, 5000);
    audit_close(NULL);
}

/* Quarter hours pass: every one is sealed, also those without an entry; the key of each is gone from the
 * disk. */
static void test_epochs(void **state)
{
    (void)state;
    struct maille_error error = {0};
    char path[600];
    struct bytes before = {0}, after = {0};
    snprintf(path, sizeof path, "%s/epoch.key", testing.folder);
    struct audit_log *log = testing_open(&testing);
    testing_append(&testing, log, 0, 2, 1);
    assert_ok(file_read(&before, path, 4096, &error), &error);
    for (int minutes = 0; minutes < 100; minutes++) {
        testing.now_ms += 60000;
        assert_ok(audit_tick(log, &error), &error);
    }
    assert_ok(file_read(&after, path, 4096, &error), &error);
    assert_int_equal(le64_load(before.data), 0);
    assert_int_equal(le64_load(after.data), 6);
    struct audit_report report = verified();
    assert_int_equal(report.seals, 6);
    assert_int_equal(report.gaps, 0);
    testing_append(&testing, log, 2, 1, 1);

    testing.now_ms += INT64_C(5) * 3600 * 1000; /* nobody called: a gap, not a missing seal */
    testing_append(&testing, log, 3, 1, 1);
    report = verified();
    assert_int_equal(report.gaps, 1);
    assert_true(report.gap_ms > INT64_C(4) * 3600 * 1000);
    assert_int_equal(entries(), 4);

    testing.now_ms -= INT64_C(3600) * 1000; /* a clock that goes back: times do not */
    testing_append(&testing, log, 4, 3, 1);
    testing.now_ms += INT64_C(3600) * 1000;
    assert_int_equal(entries(), 7);
    audit_close(log);
    verified();
    bytes_clear(&before);
    bytes_clear(&after);
}

/* Killed without sealing: the next start seals what is there and says how long it was away. */
static void test_stopped(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct audit_options options = testing_options(&testing, "alpha");
        struct audit_log *log = NULL;
        struct audit_entry entry = testing_entry(0);
        _exit(audit_open_with(&log, &options, NULL, NULL) == MAILLE_OK &&
                      audit_append(log, &entry, NULL) == MAILLE_OK && audit_sync(log, NULL) == MAILLE_OK
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(verified().open, 2);
    struct audit_report report;
    struct maille_error error;
    testing.now_ms += INT64_C(3600) * 1000;
    const struct audit_check check = {.taken_ms = testing.now_ms};
    assert_fails(audit_verify(&report, NULL, testing.folder, &check, &error), MAILLE_CORRUPT, &error,
                 "never sealed");
    assert_int_equal(report.fault, AUDIT_UNSEALED);
    struct audit_log *log = testing_open(&testing);
    report = verified();
    assert_int_equal(report.seals, 1);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_ms, 3600000);
    audit_close(log);
    assert_int_equal(entries(), 1);
}

/* Nothing of what a crash leaves of the last batch stands in the way, and what was synced stays. */
static void test_half_entry(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct bytes text = {0};
    struct stat status;
    struct audit_options options = testing_options(&testing, "alpha");
    struct audit_log *log = testing_open(&testing);
    testing_append(&testing, log, 0, 3, 1);
    assert_int_equal(stat(testing.path, &status), 0);
    size_t whole = (size_t)status.st_size;
    struct audit_entry entry = testing_entry(3);
    assert_ok(audit_append(log, &entry, &error), &error); /* not synced */
    assert_ok(file_read(&text, testing.path, 65536, &error), &error);
    char copy[600], copy_path[640];
    snprintf(copy, sizeof copy, "%s-copy", testing.folder);
    snprintf(copy_path, sizeof copy_path, "%s/messages.log", copy);
    options.folder = copy;
    for (size_t length = whole; length <= text.length; length += 3) {
        bool repaired = false;
        struct audit_log *again = NULL;
        size_t n = 0;
        testing_copy(testing.folder, copy);
        assert_ok(file_write_atomic(copy_path, text.data, length, 0600, &error), &error);
        assert_ok(audit_read(copy, check_entry, &n, &error), &error); /* a reader passes it over */
        assert_int_equal(n, 3 + (length == text.length));
        assert_ok(audit_open_with(&again, &options, &repaired, &error), &error);
        assert_int_equal(repaired, length > whole && length < text.length);
        audit_close(again);
        n = 0;
        assert_ok(audit_read(copy, check_entry, &n, &error), &error);
        assert_int_equal(n, 3 + (length == text.length));
    }
    /* A signature behind the place where frames end: not a crash, and nothing is cut. */
    testing_copy(testing.folder, copy);
    text.data[29] ^= 0xff; /* the length of the first frame */
    assert_ok(file_write_atomic(copy_path, text.data, text.length, 0600, &error), &error);
    struct audit_log *again = NULL;
    assert_int_equal(audit_open_with(&again, &options, NULL, &error), MAILLE_CORRUPT);
    assert_int_equal(stat(copy_path, &status), 0);
    assert_int_equal(status.st_size, text.length);
    testing_empty(copy);
    rmdir(copy);
    audit_close(log);
    bytes_clear(&text);
}

static void test_one_owner(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_log *log = testing_open(&testing), *second = NULL;
    struct audit_options options = testing_options(&testing, "alpha");
    char owner[64];
    snprintf(owner, sizeof owner, "process %ld;", (long)getpid());
    assert_fails(audit_open_with(&second, &options, NULL, &error), MAILLE_INVALID, &error, owner);
    assert_null(second);
    audit_close(log);
    options.party = "beta"; /* somebody else's log */
    assert_fails(audit_open_with(&second, &options, NULL, &error), MAILLE_INVALID, &error,
                 "the one of alpha");
    options = testing_options(&testing, "alpha");
    struct secret_keys *others = NULL;
    assert_ok(secret_keys_new(&others, KEY_SITE, "alpha", &error), &error);
    options.keys = others; /* the same name, other keys */
    assert_fails(audit_open_with(&second, &options, NULL, &error), MAILLE_INVALID, &error, "other keys");
    options = testing_options(&testing, "alpha");
    options.retention_months = 5;
    assert_fails(audit_open_with(&second, &options, NULL, &error), MAILLE_INVALID, &error, "6 to 36");
    options = testing_options(&testing, "a b");
    assert_fails(audit_open_with(&second, &options, NULL, &error), MAILLE_INVALID, &error, "without spaces");
    assert_null(second);
    secret_keys_free(others);
}

/* The key of the epoch: sealed under the party's, needed to go on, never made up anew. */
static void test_lost_key(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_options options = testing_options(&testing, "alpha");
    struct audit_log *log = testing_open(&testing);
    char path[600];
    testing_append(&testing, log, 0, 2, 1);
    audit_close(log);
    log = NULL;
    options.keys = NULL;
    assert_fails(audit_open_with(&log, &options, NULL, &error), MAILLE_SIGNATURE, &error,
                 "does not open with the keys");
    snprintf(path, sizeof path, "%s/epoch.key", testing.folder);
    assert_int_equal(unlink(path), 0);
    options = testing_options(&testing, "alpha");
    assert_fails(audit_open_with(&log, &options, NULL, &error), MAILLE_CORRUPT, &error, "the key of epoch 1");
    assert_null(log);
    verified(); /* what is there is sound */
}

/* A real limit of the file's size, at many places of an entry and of its signature: the write is short, then
 * fails. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit before, limit;
    struct maille_error error;
    struct audit_head head, after;
    struct stat status, now;
    struct audit_log *log = testing_open(&testing);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    testing_append(&testing, log, 0, 2, 1);
    audit_head(log, &head);
    assert_int_equal(stat(testing.path, &status), 0);
    for (rlim_t room = 0; room < 120; room += 9) {
        struct audit_entry entry = testing_entry(2);
        limit = (struct rlimit){(rlim_t)status.st_size + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum maille_code code = audit_append(log, &entry, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(code, MAILLE_IO);
        assert_non_null(strstr(error.sentence, testing.path));
        assert_non_null(strstr(error.sentence, "free disk space"));
        audit_head(log, &after);
        assert_memory_equal(&head, &after, sizeof head);
        assert_int_equal(entries(), 2);
        assert_int_equal(stat(testing.path, &now), 0);
        assert_int_equal(now.st_size, status.st_size);
    }
    struct audit_entry entry = testing_entry(2); /* room for the entry, none for its signature */
    assert_ok(audit_append(log, &entry, &error), &error);
    assert_int_equal(stat(testing.path, &status), 0);
    for (rlim_t room = 0; room < 240; room += 37) {
        limit = (struct rlimit){(rlim_t)status.st_size + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum maille_code code = audit_sync(log, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(code, MAILLE_IO);
    }
    assert_ok(audit_sync(log, &error), &error);
    testing_append(&testing, log, 3, 2, 1); /* space again: it goes on */
    assert_int_equal(entries(), 5);
    /* No room for a seal when one is due: nothing more is taken until there is. */
    assert_int_equal(stat(testing.path, &status), 0);
    testing.now_ms += AUDIT_EPOCH_MS + 1000;
    limit = (struct rlimit){(rlim_t)status.st_size + 100, before.rlim_max};
    entry = testing_entry(5);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum maille_code code = audit_append(log, &entry, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, MAILLE_IO);
    assert_int_equal(entries(), 5);
    testing_append(&testing, log, 5, 1, 1);
    audit_close(log);
    assert_int_equal(entries(), 6);
    verified();
}

/* A disk that cannot say whether it has the bytes: the descriptor becomes a pipe, which fdatasync refuses. */
static void test_sync_fails(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_log *log = testing_open(&testing);
    struct audit_entry entry = testing_entry(1);
    testing_append(&testing, log, 0, 1, 1);
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
    assert_int_equal(audit_tick(log, &error), MAILLE_IO);
    audit_close(log);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(entries(), 1);
    log = testing_open(&testing);
    testing_append(&testing, log, 1, 1, 1);
    audit_close(log);
    assert_int_equal(entries(), 2);
    verified();
}

/* Killed at some moment, again and again, while epochs pass: every entry that was synced is there, and the
 * log is sound. */
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
            struct audit_options options = testing_options(&testing, "alpha");
            struct audit_log *log = NULL;
            if (audit_open_with(&log, &options, NULL, NULL) != MAILLE_OK)
                _exit(1);
            for (uint64_t n = synced;; n++) {
                struct audit_entry entry = testing_entry((size_t)n);
                testing.now_ms += 400000; /* a seal after every other entry */
                if (audit_tick(log, NULL) != MAILLE_OK || audit_append(log, &entry, NULL) != MAILLE_OK ||
                    audit_sync(log, NULL) != MAILLE_OK || write(report[1], &n, sizeof n) != sizeof n)
                    _exit(1);
            }
        }
        close(report[1]);
        uint64_t n = 0;
        for (size_t i = 0; i < 5 + 3 * run; i++)
            assert_int_equal(read(report[0], &n, sizeof n), sizeof n);
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(report[0], &n, sizeof n) == sizeof n)
            ;
        close(report[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        testing.now_ms += INT64_C(1000) * 24 * 3600 * 1000;
        synced = entries();
        assert_true(synced >= n + 1);
    }
    audit_close(testing_open(&testing));
    assert_int_equal(verified().entries, synced);
}

/* Heads of others, with proofs; one that does not follow is kept as evidence. */
static void test_witness(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct testing other;
    struct audit_head heads[2], last;
    struct digest proof[AUDIT_PROOF_MAX];
    size_t n;
    testing_begin(&other, "other", false);
    struct audit_log *log = testing_open(&testing), *theirs = testing_open(&other);
    testing_append(&other, theirs, 0, 5, 1);
    audit_head(theirs, &heads[0]);
    assert_false(audit_last_seen(log, "beta", &last));
    assert_ok(audit_witness(log, "beta", &heads[0], NULL, 0, &error),
              &error); /* the first one: nothing to compare */
    struct audit_entry entry = testing_entry(0);
    const struct audit_seen seen = {"beta", heads[0]};
    entry.n_seen = 1;
    entry.seen = &seen;
    assert_ok(audit_append(log, &entry, &error), &error);
    assert_ok(audit_sync(log, &error), &error);
    testing_append(&other, theirs, 5, 9, 2);
    audit_head(theirs, &heads[1]);
    audit_close(log);
    log = testing_open(&testing); /* it is remembered */
    assert_true(audit_last_seen(log, "beta", &last));
    assert_memory_equal(&last, &heads[0], sizeof last);
    assert_ok(audit_consistency(theirs, proof, &n, last.size, &error), &error);
    assert_true(n > 0);
    assert_true(audit_consistent(&last, &heads[1], proof, n));
    const struct audit_proof with = {last.size, n, proof}, wrong = {last.size - 1, n, proof};
    assert_fails(audit_witness(log, "beta", &heads[1], NULL, 0, &error), MAILLE_PROTOCOL, &error,
                 "does not follow");
    assert_fails(audit_witness(log, "beta", &heads[1], &wrong, 1, &error), MAILLE_PROTOCOL, &error,
                 "does not follow");
    assert_true(audit_last_seen(log, "beta", &last)); /* it has to go on from there still */
    assert_memory_equal(&last, &heads[0], sizeof last);
    assert_ok(audit_witness(log, "beta", &heads[1], &with, 1, &error), &error);
    heads[1].root.b[7] ^= 1;
    assert_fails(audit_witness(log, "beta", &heads[1], &with, 1, &error), MAILLE_PROTOCOL, &error,
                 "both are in the log");
    assert_string_equal(error.rule, "log_head");
    struct audit_heads kept = {0};
    struct audit_report report;
    const struct audit_check check = {.taken_ms = testing.now_ms};
    assert_ok(audit_verify(&report, &kept, testing.folder, &check, &error), &error);
    assert_int_equal(kept.n, 7);
    assert_memory_equal(&kept.list[6].head, &heads[1], sizeof heads[1]);
    assert_fails(audit_consistency(theirs, proof, &n, 1000, &error), MAILLE_INVALID, &error, "found 1000");
    audit_heads_clear(&kept);
    audit_close(log);
    audit_close(theirs);
    testing_end(&other);
}

/* Puts an entry with a head of beta's. */
static void see(struct audit_log *log, const struct audit_head *head)
{
    struct maille_error error = {0};
    struct audit_entry entry = testing_entry(0);
    const struct audit_seen seen = {"beta", *head};
    entry.n_seen = 1;
    entry.seen = &seen;
    assert_ok(audit_append(log, &entry, &error), &error);
    assert_ok(audit_sync(log, &error), &error);
}

/* Messages cross and come late: an old head is believed when it was seen, or leads to one that was; a log
 * that was set back is not. */
static void test_witness_late(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct testing other;
    struct audit_head first, lost, latest, last;
    struct digest paths[2][AUDIT_PROOF_MAX];
    struct audit_proof proofs[2] = {{.path = paths[0]}, {.path = paths[1]}};
    testing_begin(&other, "other-late", false);
    struct audit_log *log = testing_open(&testing), *theirs = testing_open(&other);
    testing_append(&other, theirs, 0, 5, 1);
    audit_head(theirs, &first);
    assert_ok(audit_witness(log, "beta", &first, NULL, 0, &error), &error);
    see(log, &first);
    testing_append(&other, theirs, 5, 4, 2);
    audit_head(theirs, &lost);
    testing_append(&other, theirs, 9, 4, 2);
    audit_head(theirs, &latest);
    proofs[0].old = first.size;
    proofs[1].old = lost.size;
    for (size_t i = 0; i < 2; i++)
        assert_ok(audit_consistency(theirs, paths[i], &proofs[i].n, proofs[i].old, &error), &error);
    assert_ok(audit_witness(log, "beta", &latest, proofs, 2, &error), &error);
    see(log, &latest);
    assert_ok(audit_witness(log, "beta", &first, NULL, 0, &error), &error); /* again */
    assert_ok(audit_witness(log, "beta", &lost, NULL, 0, &error), &error);
    see(log, &lost);
    assert_true(audit_last_seen(log, "beta", &last));
    assert_memory_equal(&last, &latest, sizeof last);
    struct audit_head back = lost;
    back.size--;
    assert_fails(audit_witness(log, "beta", &back, NULL, 0, &error), MAILLE_PROTOCOL, &error,
                 "does not follow");
    back = lost;
    back.root.b[0] ^= 1;
    assert_fails(audit_witness(log, "beta", &back, NULL, 0, &error), MAILLE_PROTOCOL, &error,
                 "does not follow");
    audit_close(log);
    audit_close(theirs);
    testing_end(&other);
}

/* A log that was begun without keys is kept aside, and the new one says so. */
static void test_aside(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct audit_report report;
    struct audit_log *log = NULL;
    struct audit_opened opened;
    struct audit_options options = testing_options(&testing, "alpha");
    const struct audit_check check = {.identity = secret_keys_public(testing.keys)->identity,
                                      .taken_ms = testing.now_ms},
                             nobody = {.taken_ms = testing.now_ms};
    options.keys = NULL;
    assert_ok(audit_open_with(&log, &options, NULL, &error), &error);
    testing_append(&testing, log, 0, 3, 1);
    audit_close(log);
    options.keys = testing.keys;
    assert_ok(audit_open_signed(&log, &options, &opened, &error), &error);
    assert_non_null(strstr(opened.aside, "-unsigned-20"));
    testing_append(&testing, log, 3, 2, 1);
    audit_close(log);
    assert_ok(audit_verify(&report, NULL, testing.folder, &check, &error), &error);
    assert_int_equal(report.entries, 3);
    assert_ok(audit_verify(&report, NULL, opened.aside, &nobody, &error), &error);
    assert_false(report.certified);
    assert_int_equal(report.entries, 3);
    testing_empty(opened.aside);
    rmdir(opened.aside);
    assert_ok(audit_open_signed(&log, &options, &opened, &error),
              &error); /* the new one is signed: nothing moves */
    assert_string_equal(opened.aside, "");
    audit_close(log);
}

/* A log without keys is whole, and says that nobody stands for it. */
static void test_uncertified(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_report report;
    struct audit_log *log = NULL;
    assert_ok(audit_open(&log, testing.folder, "alpha", NULL, &error), &error);
    audit_close(log);
    const struct audit_check check = {0}, with = {.identity = secret_keys_public(testing.keys)->identity};
    assert_ok(audit_verify(&report, NULL, testing.folder, &check, &error), &error);
    assert_false(report.certified);
    assert_fails(audit_verify(&report, NULL, testing.folder, &with, &error), MAILLE_SIGNATURE, &error,
                 "nobody has signed");
    assert_int_equal(report.fault, AUDIT_STRANGER);
}

static void test_no_folder(void **state)
{
    (void)state;
    struct maille_error error;
    struct audit_log *log = NULL;
    size_t n = 0;
    assert_fails(audit_read("/nowhere/log", check_entry, &n, &error), MAILLE_IO, &error, "/nowhere/log");
    assert_int_equal(audit_open(&log, "/proc/nowhere", "alpha", NULL, &error), MAILLE_IO);
    assert_null(log);
    assert_ok(file_folder_make(testing.folder, 0700, &error), &error);
    assert_fails(audit_read(testing.folder, check_entry, &n, &error), MAILLE_CORRUPT, &error, "found none");
    assert_ok(file_write_atomic(testing.path, "anything\n", 9, 0600, &error), &error);
    assert_fails(audit_read(testing.folder, check_entry, &n, &error), MAILLE_CORRUPT, &error,
                 "expected a log of maille");
    assert_int_equal(audit_open(&log, testing.folder, "alpha", NULL, &error), MAILLE_CORRUPT);
}

static void keep_salt(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)sequence;
    (void)utc_ms;
    if (entry->salt != NULL)
        bytes_put(context, entry->salt, AUDIT_SALT_BYTES);
}

/* The same entry twice, also in two logs: no leaf of the tree is like another, so no root or proof that
 * leaves confirms a guess of what an entry says. */
static void test_salt(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct bytes salts = {0};
    struct audit_entry entry = testing_entry(0);
    struct audit_log *log = testing_open(&testing);
    for (int i = 0; i < 2; i++) {
        entry.salt = i == 0 ? NULL : salts.data; /* whatever stands there is not taken */
        assert_ok(audit_append(log, &entry, &error), &error);
        assert_ok(audit_sync(log, &error), &error);
        salts.length = 0;
        assert_ok(audit_read(testing.folder, keep_salt, &salts, &error), &error);
    }
    audit_close(log);
    assert_int_equal(salts.length, 2 * AUDIT_SALT_BYTES);
    assert_memory_not_equal(salts.data, salts.data + AUDIT_SALT_BYTES, AUDIT_SALT_BYTES);
    bytes_clear(&salts);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_write_and_read), TEST(test_epochs),    TEST(test_stopped),      TEST(test_half_entry),
        TEST(test_one_owner),      TEST(test_lost_key),  TEST(test_full_disk),    TEST(test_sync_fails),
        TEST(test_killed),         TEST(test_witness),   TEST(test_witness_late), TEST(test_aside),
        TEST(test_uncertified),    TEST(test_no_folder), TEST(test_salt),
    };
    return cmocka_run_group_tests(tests, testing_start, NULL);
}
