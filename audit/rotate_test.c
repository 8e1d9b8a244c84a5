/* Files are packed and, when they are old enough, removed; the tree stays one, whatever a crash leaves
 * between. */
#include "audit/log_private.h"
#include "audit/testing.h"

static struct testing testing;

static int setup(void **state)
{
    (void)state;
    testing_begin(&testing, "rotate", true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testing_end(&testing);
    return 0;
}

static struct audit_log *open_small(void)
{
    struct audit_options options = testing_options(&testing, "alpha");
    struct audit_log *log = NULL;
    struct maille_error error = {0};
    options.rotate_bytes = 4096;
    options.retention_months = 6;
    assert_ok(audit_open_with(&log, &options, NULL, &error), &error);
    return log;
}

static enum maille_code verify(const char *folder, struct audit_report *report, struct maille_error *error)
{
    const struct audit_check check = {.identity = secret_keys_public(testing.keys)->identity,
                                      .taken_ms = testing.now_ms};
    *error = (struct maille_error){0};
    return audit_verify(report, NULL, folder, &check, error);
}

/* Twenty entries in each of some epochs. */
static void epochs(struct audit_log *log, size_t n)
{
    struct maille_error error = {0};
    for (size_t i = 0; i < n; i++) {
        testing_append(&testing, log, 0, 20, 5);
        testing.now_ms = log->state.begin_ms + AUDIT_EPOCH_MS;
        assert_ok(audit_tick(log, &error), &error);
    }
}

static size_t packed_files(void)
{
    struct store_file *files = NULL;
    size_t n = 0, packed = 0;
    assert_int_equal(store_list(&files, &n, testing.folder, 0, NULL), MAILLE_OK);
    for (size_t i = 0; i < n; i++)
        packed += files[i].packed;
    free(files);
    return packed;
}

static void test_rotation(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    struct audit_head heads[2];
    struct digest proof[AUDIT_PROOF_MAX];
    size_t n;
    struct audit_log *log = open_small();
    epochs(log, 1);
    audit_head(log, &heads[0]);
    epochs(log, 9);
    assert_true(packed_files() >= 5);
    assert_ok(verify(testing.folder, &report, &error), &error);
    assert_int_equal(report.entries, 200);
    assert_int_equal(report.seals, 10);
    audit_head(log, &heads[1]); /* one tree over all the files */
    assert_ok(audit_consistency(log, proof, &n, heads[0].size, &error), &error);
    assert_true(audit_consistent(&heads[0], &heads[1], proof, n));
    audit_close(log);
    log = open_small();
    assert_ok(audit_consistency(log, proof, &n, heads[0].size, &error), &error);
    audit_close(log);
    assert_ok(verify(testing.folder, &report, &error), &error);
    /* Any tool that knows LZ4 frames opens a packed file. */
    char command[800];
    snprintf(command, sizeof command, "%s/messages-000000000000.log.lz4", testing.folder);
    struct bytes packed = {0};
    assert_ok(file_read(&packed, command, 1 << 20, &error), &error);
    assert_memory_equal(packed.data, "\x04\x22\x4d\x18", 4); /* lz4_Frame_format.md: the magic number */
    bytes_clear(&packed);
}

/* A bit of a packed file, a packed file that is gone or cut, messages.log gone. */
static void test_packed_altered(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    struct bytes packed = {0};
    char copy[600], path[700];
    struct audit_log *log = open_small();
    epochs(log, 6);
    audit_close(log);
    snprintf(copy, sizeof copy, "%s-copy", testing.folder);
    snprintf(path, sizeof path, "%s/messages-000000000000.log.lz4", copy);
    testing_copy(testing.folder, copy);
    assert_ok(verify(copy, &report, &error), &error);
    assert_ok(file_read(&packed, path, 1 << 20, &error), &error);
    for (size_t i = 0; i < packed.length; i++) {
        packed.data[i] ^= 4;
        assert_ok(file_write_atomic(path, packed.data, packed.length, 0600, &error), &error);
        if (verify(copy, &report, &error) == MAILLE_OK)
            fail_msg("byte %zu of a packed file altered and not found", i);
        packed.data[i] ^= 4;
    }
    bytes_put(&packed, "more", 4);
    assert_ok(file_write_atomic(path, packed.data, packed.length, 0600, &error), &error);
    assert_int_equal(verify(copy, &report, &error), MAILLE_CORRUPT);
    assert_ok(file_write_atomic(path, packed.data, packed.length - 40, 0600, &error), &error);
    assert_fails(verify(copy, &report, &error), MAILLE_CORRUPT, &error, "was altered");
    unlink(path);
    assert_fails(verify(copy, &report, &error), MAILLE_CORRUPT, &error, "expected the file with entry 1");
    assert_int_equal(report.fault, AUDIT_REMOVED);
    testing_copy(testing.folder, copy);
    snprintf(path, sizeof path, "%s/messages.log", copy);
    unlink(path);
    assert_fails(verify(copy, &report, &error), MAILLE_CORRUPT, &error, "it was removed");
    struct audit_options options = testing_options(&testing, "alpha");
    options.folder = copy;
    assert_int_equal(audit_open_with(&log, &options, NULL, &error), MAILLE_CORRUPT);
    testing_empty(copy);
    rmdir(copy);
    bytes_clear(&packed);
}

/* After half a year the first files go; an entry says so, and what is left verifies, also against a head from
 * before. */
static void test_pruning(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    struct audit_head early, before;
    struct audit_heads seen = {0};
    struct digest proof[AUDIT_PROOF_MAX];
    char path[600];
    size_t n;
    struct audit_log *log = open_small();
    epochs(log, 1);
    audit_head(log, &early);
    epochs(log, 4);
    testing.now_ms += INT64_C(120) * 86400000;
    epochs(log, 4);
    audit_head(log, &before);
    size_t packed = packed_files();
    testing.now_ms += INT64_C(90) * 86400000; /* the first ones are seven months old, the others three */
    assert_ok(audit_tick(log, &error), &error);
    assert_true(packed_files() < packed);
    assert_ok(verify(testing.folder, &report, &error), &error);
    assert_true(report.pruned > 0 && report.pruned < before.size);
    assert_true(report.certified);
    const struct audit_seen kept = {"alpha", before}, gone = {"alpha", early};
    assert_int_equal(heads_reserve(&seen, 2, NULL), MAILLE_OK);
    heads_put(&seen, "coordinator", 1, &gone, false);
    heads_put(&seen, "coordinator", 2, &kept, false);
    const struct audit_check check = {.seen = &seen, .taken_ms = testing.now_ms};
    assert_ok(audit_verify(&report, NULL, testing.folder, &check, &error), &error);
    assert_int_equal(report.witnessed, 1); /* the other one is of pruned entries */
    assert_ok(audit_consistency(log, proof, &n, before.size, &error), &error);
    audit_close(log);
    log = open_small(); /* and it goes on */
    testing_append(&testing, log, 0, 3, 1);
    assert_fails(audit_consistency(log, proof, &n, early.size - 1, &error), MAILLE_INVALID, &error,
                 "expected a place");
    audit_close(log);
    assert_ok(verify(testing.folder, &report, &error), &error);

    snprintf(path, sizeof path, "%s/base", testing.folder); /* another base, or none */
    struct bytes base = {0};
    assert_ok(file_read(&base, path, 1 << 16, &error), &error);
    for (size_t i = 0; i < base.length; i += 11) {
        base.data[i] ^= 2;
        assert_ok(file_write_atomic(path, base.data, base.length, 0600, &error), &error);
        if (verify(testing.folder, &report, &error) == MAILLE_OK)
            fail_msg("byte %zu of base altered and not found", i);
        base.data[i] ^= 2;
    }
    unlink(path);
    assert_fails(verify(testing.folder, &report, &error), MAILLE_CORRUPT, &error,
                 "expected the file with entry 1");
    bytes_clear(&base);
    audit_heads_clear(&seen);
}

/* Whoever removes the beginning and writes a base of his own has no entry that says so. */
static void test_forged_base(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    struct store_file *files = NULL;
    struct state log_state = {0};
    struct note note;
    struct bytes text = {0};
    char path[700];
    size_t n;
    struct audit_log *log = open_small();
    epochs(log, 4);
    audit_close(log);
    assert_int_equal(store_list(&files, &n, testing.folder, 0, NULL), MAILLE_OK);
    assert_true(n > 2 && files[0].packed);
    struct source *source = NULL;
    enum source_end end;
    enum frame_kind kind;
    const uint8_t *data;
    size_t length;
    assert_ok(source_open(&source, testing.folder, &files[0], &error), &error);
    while (source_next(source, &end, &kind, &data, &length, &error) == MAILLE_OK && end == SOURCE_MORE)
        assert_ok(kind == FRAME_RECORD ? state_record(&log_state, data, length, &error)
                                       : state_checkpoint(&log_state, (const char *)data, length, &error),
                  &error);
    source_close(source);
    assert_true(state_base_note(&note, &log_state));
    assert_ok(note_sign_identity(&note, testing.keys, &error), &error);
    note_text(&text, &note, NULL);
    snprintf(path, sizeof path, "%s/base", testing.folder);
    assert_ok(file_write_atomic(path, text.data, text.length, 0600, &error), &error);
    snprintf(path, sizeof path, "%s/%s", testing.folder, files[0].name);
    unlink(path);
    assert_fails(verify(testing.folder, &report, &error), MAILLE_CORRUPT, &error,
                 "no entry says that they were pruned");
    assert_int_equal(report.fault, AUDIT_REMOVED);
    bytes_clear(&text);
    state_clear(&log_state);
    free(files);
}

/* Crashes: packed but messages.log not yet replaced; base written but the files not yet removed. */
static void test_cut_short(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    char name[64], path[700];
    struct audit_log *log = open_small();
    testing_append(&testing, log, 0, 20, 5);
    audit_close(log);
    log = open_small();
    snprintf(name, sizeof name, "messages-%012d.log.lz4", 0);
    snprintf(path, sizeof path, "%s/%s", testing.folder, name);
    assert_ok(store_pack(testing.folder, name, log->fd, log->length, &error), &error);
    assert_ok(verify(testing.folder, &report, &error), &error);
    assert_int_equal(report.entries, 20);
    audit_close(log);
    log = open_small();
    assert_false(file_exists(path));
    epochs(log, 3);
    testing.now_ms += INT64_C(210) * 86400000;
    char copy[600], left[700];
    snprintf(copy, sizeof copy, "%s-left", testing.folder);
    testing_copy(testing.folder, copy);
    assert_ok(audit_tick(log, &error), &error);
    audit_close(log);
    assert_false(file_exists(path));
    struct bytes content = {0};
    snprintf(left, sizeof left, "%s/%s", copy, name);
    assert_ok(file_read(&content, left, 1 << 20, &error), &error);
    assert_ok(file_write_atomic(path, content.data, content.length, 0600, &error), &error);
    assert_ok(verify(testing.folder, &report, &error), &error); /* a file below the base is not looked at */
    log = open_small();
    assert_false(file_exists(path));
    audit_close(log);
    assert_ok(verify(testing.folder, &report, &error), &error);
    bytes_clear(&content);
    testing_empty(copy);
    rmdir(copy);
}

/* What the tree has let go is read again from the files, packed or not, as often as is reasonable. */
static void test_old_blocks_are_read_again(void **state)
{
    (void)state;
    enum { KEPT = 16, EPOCHS = 40, OFTEN = 40 };
    struct maille_error error = {0};
    struct audit_head heads[EPOCHS + 1];
    struct digest proof[AUDIT_PROOF_MAX];
    uint64_t start;
    size_t n, proved = 0;
    struct audit_log *log = open_small();
    tree_keep(&log->state.tree, KEPT);
    for (size_t i = 0; i < EPOCHS; i++) {
        epochs(log, 1);
        audit_head(log, &heads[i]);
    }
    testing_append(&testing, log, 0, 5, 5);
    audit_head(log, &heads[EPOCHS]);
    assert_true(tree_lacks(&log->state.tree, heads[2].size, &start));
    for (size_t i = 0; i < EPOCHS; i++) {
        assert_ok(audit_consistency(log, proof, &n, heads[i].size, &error), &error);
        assert_true(audit_consistent(&heads[i], &heads[EPOCHS], proof, n));
    }
    /* From one block to another and back: not for ever within one second. */
    for (size_t i = 0; i < OFTEN; i++)
        proved += audit_consistency(log, proof, &n, heads[i % 2 == 0 ? 2 : 20].size, &error) == MAILLE_OK;
    assert_true(proved < OFTEN);
    audit_close(log);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_rotation),       TEST(test_old_blocks_are_read_again),
                                       TEST(test_packed_altered), TEST(test_pruning),
                                       TEST(test_forged_base),    TEST(test_cut_short)};
    return cmocka_run_group_tests(tests, testing_start, NULL);
}
