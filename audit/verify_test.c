/* Every kind of tampering is found and named; 1,000 random ones (fewer in CTest: MAILLE_TAMPERINGS), none
 * undetected. */
#include <time.h>

#include "audit/log_private.h"
#include "audit/testing.h"
#include "base/clock.h"

/* A log of six epochs (the third without an entry, a gap before the fifth), closed, and its heads as a
 * witness kept them. */
static struct testing testing;
static struct audit_heads seen;
static char copy[600], copy_path[640];

static void keep_head(const struct audit_log *log)
{
    struct audit_seen head = {"alpha", {0}};
    audit_head(log, &head.head);
    assert_int_equal(heads_reserve(&seen, 1, NULL), MAILLE_OK);
    heads_put(&seen, "coordinator", seen.n + 1, &head, false);
}

static int setup(void **state)
{
    struct maille_error error = {0};
    if (testing_start(state) != 0)
        return 1;
    testing_begin(&testing, "verify", true);
    snprintf(copy, sizeof copy, "%s-copy", testing.folder);
    snprintf(copy_path, sizeof copy_path, "%s/messages.log", copy);
    struct audit_log *log = testing_open(&testing);
    for (size_t epoch = 0; epoch < 6; epoch++) {
        if (epoch != 2)
            testing_append(&testing, log, 10 * epoch, 10, 1 + epoch % 3);
        keep_head(log);
        testing.now_ms = log->state.begin_ms + AUDIT_EPOCH_MS + (epoch == 4 ? INT64_C(3600000) : 1000);
        assert_ok(audit_tick(log, &error), &error);
    }
    testing_append(&testing, log, 60, 5, 2);
    audit_close(log);
    log = testing_open(&testing); /* at once: the witness has the head with the seal */
    keep_head(log);
    audit_close(log);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    audit_heads_clear(&seen);
    testing_empty(copy);
    rmdir(copy);
    testing_end(&testing);
    return 0;
}

static enum maille_code verify(const char *folder, bool witness, struct audit_report *report,
                               struct maille_error *error)
{
    const struct audit_check check = {.identity = secret_keys_public(testing.keys)->identity,
                                      .taken_ms = testing.now_ms + INT64_C(86400000),
                                      .seen = witness ? &seen : NULL};
    *error = (struct maille_error){0};
    return audit_verify(report, NULL, folder, &check, error);
}

/* --- messages.log as a list of frames that can be moved about --- */

struct frames {
    struct bytes file;
    size_t n;
    struct {
        size_t at, length; /* with its header */
    } list[1024];
};

static void frames_read(struct frames *frames)
{
    struct maille_error error = {0};
    *frames = (struct frames){0};
    assert_ok(file_read(&frames->file, testing.path, 1 << 24, &error), &error);
    for (size_t at = FILE_HEADER_BYTES; at < frames->file.length;) {
        struct reader reader = reader_of(frames->file.data + at + 1, 4);
        size_t length = reader_u32(&reader) + (size_t)FRAME_HEADER_BYTES;
        frames->list[frames->n].at = at;
        frames->list[frames->n++].length = length;
        at += length;
    }
}

/* The copy with these frames in this order. */
static void frames_write(const struct frames *frames, const size_t *order, size_t n)
{
    struct maille_error error = {0};
    struct bytes file = {0};
    bytes_put(&file, frames->file.data, FILE_HEADER_BYTES);
    for (size_t i = 0; i < n; i++)
        bytes_put(&file, frames->file.data + frames->list[order[i]].at, frames->list[order[i]].length);
    assert_ok(bytes_check(&file, &error), &error);
    assert_ok(file_folder_make(copy, 0700, &error), &error);
    assert_ok(file_write_atomic(copy_path, file.data, file.length, 0600, &error), &error);
    bytes_clear(&file);
}

static bool frame_is(const struct frames *frames, size_t i, enum record_way way)
{
    struct record_header header;
    const uint8_t *frame = frames->file.data + frames->list[i].at;
    return frame[0] == FRAME_RECORD &&
           record_peek(&header, frame + FRAME_HEADER_BYTES, frames->list[i].length - FRAME_HEADER_BYTES) &&
           header.way == way;
}

/* The k-th frame of a way (or, way WAY_N, the k-th checkpoint). */
static size_t frame_find(const struct frames *frames, enum record_way way, size_t k)
{
    for (size_t i = 0; i < frames->n; i++)
        if ((way == WAY_N ? frames->file.data[frames->list[i].at] == FRAME_CHECKPOINT
                          : frame_is(frames, i, way)) &&
            k-- == 0)
            return i;
    fail_msg("no such frame");
    return 0;
}

static size_t identity_order(const struct frames *frames, size_t *order)
{
    for (size_t i = 0; i < frames->n; i++)
        order[i] = i;
    return frames->n;
}

static size_t without(size_t *order, size_t n, size_t k)
{
    memmove(order + k, order + k + 1, (n - k - 1) * sizeof *order);
    return n - 1;
}

static void expect(enum audit_fault fault, bool witness, const char *words)
{
    struct audit_report report;
    struct maille_error error;
    enum maille_code code = verify(copy, witness, &report, &error);
    if (code == MAILLE_OK || report.fault != fault || strstr(error.sentence, words) == NULL)
        fail_msg("expected %s (\"%s\"), found %s: %s", audit_fault_name(fault), words,
                 audit_fault_name(report.fault), error.sentence);
}

static void test_sound(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    assert_ok(verify(testing.folder, true, &report, &error), &error);
    assert_int_equal(report.fault, AUDIT_SOUND);
    assert_int_equal(report.entries, 55);
    assert_int_equal(report.seals, 7);
    assert_int_equal(report.gaps, 1);
    assert_int_equal(report.gap_ms, 3600000);
    assert_int_equal(report.witnessed, seen.n);
    assert_int_equal(report.seen.size, report.head.size);
    assert_true(report.certified);
    assert_int_equal(report.open, 0);
}

static void test_flipped_bit(void **state)
{
    (void)state;
    struct frames frames;
    size_t order[1024];
    frames_read(&frames);
    size_t k = frame_find(&frames, WAY_IN, 3);
    uint8_t *byte = &frames.file.data[frames.list[k].at + frames.list[k].length - 3]; /* in its words */
    *byte ^= 1;
    frames_write(&frames, order, identity_order(&frames, order));
    expect(AUDIT_ALTERED, false, "entry 11 was altered"); /* the first record, then IN, OUT, NOTE … */
    *byte ^= 1;
    k = frame_find(&frames, WAY_SEAL, 1);
    byte = &frames.file.data[frames.list[k].at + frames.list[k].length - 10]; /* in its signature */
    *byte ^= 1;
    frames_write(&frames, order, identity_order(&frames, order));
    expect(AUDIT_ALTERED, false, "the seal of epoch 1");
    bytes_clear(&frames.file);
}

static void test_removed_entry(void **state)
{
    (void)state;
    struct frames frames;
    size_t order[1024], n;
    frames_read(&frames);
    n = identity_order(&frames, order);
    frames_write(&frames, order, without(order, n, frame_find(&frames, WAY_OUT, 2)));
    expect(AUDIT_REMOVED, false, "expected the signature over 8 entries, found one over 9");
    n = identity_order(&frames, order); /* a signature between entries */
    frames_write(&frames, order, without(order, n, frame_find(&frames, WAY_N, 7)));
    expect(AUDIT_REMOVED, false, "signature 8 is missing");
    n = identity_order(&frames, order); /* the whole beginning */
    frames_write(&frames, order + 5, n - 5);
    expect(AUDIT_REMOVED, false, "what stood before is missing");
    n = identity_order(&frames, order); /* the last signature, behind the seal */
    frames_write(&frames, order, n - 1);
    expect(AUDIT_UNSEALED, false, "never sealed");
    bytes_clear(&frames.file);
}

static void test_reordered(void **state)
{
    (void)state;
    struct frames frames;
    size_t order[1024], n;
    frames_read(&frames);
    n = identity_order(&frames, order);
    size_t a = frame_find(&frames, WAY_IN, 2), b = frame_find(&frames, WAY_OUT, 2);
    order[a] = b;
    order[b] = a;
    frames_write(&frames, order, n);
    expect(AUDIT_REORDERED, false, "the order was changed");
    n = identity_order(&frames, order); /* an entry twice */
    order[a] = b;
    frames_write(&frames, order, n);
    expect(AUDIT_ALTERED, false, "entry 8 was altered: it says that it is entry 9");
    bytes_clear(&frames.file);
}

static void test_missing_seal(void **state)
{
    (void)state;
    struct frames frames;
    size_t order[1024], n;
    frames_read(&frames);
    for (size_t k = 0; k < 6; k++) { /* the third is the seal of an epoch without entries */
        char words[64];
        n = identity_order(&frames, order);
        size_t at = frame_find(&frames, WAY_SEAL, k);
        n = without(order, n, at);
        n = without(order, n, at); /* with the signature behind it */
        frames_write(&frames, order, n);
        snprintf(words, sizeof words, "the seal of epoch %zu is missing", k);
        expect(AUDIT_SEAL_MISSING, false, words);
    }
    bytes_clear(&frames.file);
}

/* At a seal, the end can be cut unseen by anybody who has no witness; anywhere else it cannot. */
static void test_cut_tail(void **state)
{
    (void)state;
    struct frames frames;
    struct audit_report report;
    struct maille_error error;
    size_t order[1024];
    frames_read(&frames);
    identity_order(&frames, order);
    size_t seal = frame_find(&frames, WAY_SEAL, 3);
    frames_write(&frames, order, seal + 2);
    assert_ok(verify(copy, false, &report, &error), &error);
    expect(AUDIT_CUT, true, "coordinator has seen");
    frames_write(&frames, order, seal - 1);
    expect(AUDIT_UNSEALED, false, "was never sealed");
    assert_ok(file_write_atomic(copy_path, frames.file.data, frames.list[seal].at + 20, 0600, &error),
              &error);
    expect(AUDIT_UNSEALED, false, "was never sealed");
    assert_int_equal(truncate(copy_path, 10), 0);
    expect(AUDIT_ALTERED, false, "expected a log of maille");
    unlink(copy_path);
    expect(AUDIT_REMOVED, false, "found none");
    bytes_clear(&frames.file);
}

/* --- whoever takes the machine has the key of now, and may write again what he likes --- */

/* The log again up to frame k, then other entries and seals, all signed with `key` from there on. */
static void write_again(const struct frames *frames, size_t k, const struct epoch_key *key, bool own_line)
{
    struct maille_error error = {0};
    struct state log = {0};
    struct bytes file = {0};
    size_t at = frames->list[k].at;
    bytes_put(&file, frames->file.data, at);
    for (size_t i = 0; i < k; i++) {
        const uint8_t *frame = frames->file.data + frames->list[i].at;
        size_t length = frames->list[i].length - FRAME_HEADER_BYTES;
        assert_ok(frame[0] == FRAME_RECORD
                      ? state_record(&log, frame + FRAME_HEADER_BYTES, length, &error)
                      : state_checkpoint(&log, (const char *)frame + FRAME_HEADER_BYTES, length, &error),
                  &error);
    }
    struct bytes record = {0}, text = {0};
    struct note note = {.kind = NOTE_SEAL,
                        .size = log.tree.size,
                        .epoch = log.epoch,
                        .begin_ms = log.begin_ms,
                        .end_ms = log.last_ms,
                        .checkpoint = log.checkpoints,
                        .chain = log.chain};
    memcpy(note.origin, log.origin, sizeof note.origin);
    assert_true(tree_root(&note.root, &log.tree, note.size));
    memcpy(note.next_key, epoch_key_public(key), PUBLIC_BYTES);
    assert_int_equal(note_sign_epoch(&note, key), MAILLE_OK);
    note_text(&text, &note, own_line ? epoch_key_public(key) : log.key);
    const struct record_header header = {log.tree.size, log.last_ms, log.epoch, WAY_SEAL};
    record_encode(&record, &header, &(struct audit_entry){0}, (const char *)text.data, text.length);
    bytes_put_u8(&file, FRAME_RECORD);
    bytes_put_u32(&file, (uint32_t)record.length);
    bytes_put(&file, record.data, record.length);
    assert_ok(file_write_atomic(copy_path, file.data, file.length, 0600, &error), &error);
    bytes_clear(&file);
    bytes_clear(&record);
    bytes_clear(&text);
    state_clear(&log);
}

static void test_resealed(void **state)
{
    (void)state;
    struct frames frames;
    struct maille_error error = {0};
    struct epoch_key *key = NULL, *stranger = NULL;
    struct bytes stored = {0};
    struct digest wrap;
    char path[640];
    size_t order[1024];
    frames_read(&frames);
    identity_order(&frames, order);
    frames_write(&frames, order, frames.n);
    snprintf(path, sizeof path, "%s/epoch.key", testing.folder);
    secret_keys_derive(&wrap, testing.keys, "log-epoch");
    assert_ok(file_read(&stored, path, 4096, &error), &error);
    assert_ok(epoch_key_load(&key, wrap.b, stored.data + 8, stored.length - 8, &error), &error);
    assert_ok(epoch_key_new(&stranger, &error), &error);
    size_t seal = frame_find(&frames, WAY_SEAL, 2);
    write_again(&frames, seal, key,
                true); /* names itself: the key of a later epoch, which its seal certifies here */
    expect(AUDIT_RESEALED, false, "signed with the key of epoch 3");
    write_again(&frames, seal, key, false); /* or claims to be the epoch's */
    expect(AUDIT_RESEALED, false, "signed with the key of epoch 3");
    /* The stolen key where the real seals stand behind: it is the one of epoch 8. */
    struct bytes whole = {0};
    write_again(&frames, seal, key, true);
    assert_ok(file_read(&whole, copy_path, 1 << 24, &error), &error);
    size_t behind = frames.list[seal].at + frames.list[seal].length;
    bytes_put(&whole, frames.file.data + behind, frames.file.length - behind);
    assert_ok(file_write_atomic(copy_path, whole.data, whole.length, 0600, &error), &error);
    expect(AUDIT_RESEALED, false, "the seal of epoch 2 is signed with the key of epoch");
    epoch_key_free(key);
    epoch_key_free(stranger);
    bytes_clear(&stored);
    bytes_clear(&whole);
    bytes_clear(&frames.file);
}

/* Two logs with the same keys of the party, one for each to whom they are shown. */
static void test_split_view(void **state)
{
    (void)state;
    struct testing other;
    struct maille_error error;
    struct audit_report report;
    testing_begin(&other, "verify-other", false);
    other.keys = testing.keys;
    struct audit_log *log = testing_open(&other);
    testing_append(&other, log, 0, 80, 1);
    audit_close(log);
    const struct audit_check alone = {.identity = secret_keys_public(testing.keys)->identity},
                             check = {.identity = alone.identity, .seen = &seen};
    assert_ok(audit_verify(&report, NULL, other.folder, &alone, &error), &error);
    assert_fails(audit_verify(&report, NULL, other.folder, &check, &error), MAILLE_CORRUPT, &error,
                 "split view");
    assert_int_equal(report.fault, AUDIT_SPLIT_VIEW);
    other.keys = NULL;
    testing_end(&other);
}

static void test_wrong_key(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    struct secret_keys *roster = NULL;
    assert_ok(secret_keys_new(&roster, KEY_SITE, "alpha", &error), &error);
    const struct audit_check check = {.identity = secret_keys_public(roster)->identity};
    assert_fails(audit_verify(&report, NULL, testing.folder, &check, &error), MAILLE_SIGNATURE, &error,
                 "another identity");
    assert_int_equal(report.fault, AUDIT_STRANGER);
    secret_keys_free(roster);
}

/* --- at random --- */

static uint32_t below(size_t limit)
{
    return crypto_random_below((uint32_t)limit);
}

/* One change of the file that is none of the identity; says what it did. */
static void tamper(const struct frames *frames, struct bytes *file, char what[128])
{
    size_t order[1024], n = identity_order(frames, order), a = below(n), b = below(n);
    struct maille_error error = {0};
    file->length = 0;
    switch (below(8)) {
    case 0: /* one bit */
    case 1:
        assert_int_equal(bytes_copy(file, frames->file.data, frames->file.length), MAILLE_OK);
        a = below(file->length);
        b = below(8);
        file->data[a] ^= (uint8_t)(1u << b);
        snprintf(what, 128, "bit %zu of byte %zu turned", b, a);
        return;
    case 2: /* bytes cut out */
        a = below(frames->file.length - 200);
        b = a + 1 + below(200);
        bytes_put(file, frames->file.data, a);
        bytes_put(file, frames->file.data + b, frames->file.length - b);
        snprintf(what, 128, "bytes %zu to %zu cut out", a, b);
        return;
    case 3: /* the tail */
        a = below(frames->file.length);
        bytes_put(file, frames->file.data, a);
        snprintf(what, 128, "cut at byte %zu of %zu", a, frames->file.length);
        return;
    case 4: /* the tail, at a frame */
        n = a;
        snprintf(what, 128, "cut before frame %zu of %zu", a, frames->n);
        break;
    case 5:
        n = without(order, n, a);
        snprintf(what, 128, "frame %zu removed", a);
        break;
    case 6:
        b = a == b ? (a + 1) % n : b;
        order[a] = b;
        order[b] = a;
        snprintf(what, 128, "frames %zu and %zu exchanged", a, b);
        break;
    default: /* one for another */
        b = a == b ? (a + 1) % n : b;
        order[a] = b;
        snprintf(what, 128, "frame %zu in the place of frame %zu", b, a);
        break;
    }
    bytes_put(file, frames->file.data, FILE_HEADER_BYTES);
    for (size_t i = 0; i < n; i++)
        bytes_put(file, frames->file.data + frames->list[order[i]].at, frames->list[order[i]].length);
    assert_ok(bytes_check(file, &error), &error);
}

static void test_random(void **state)
{
    (void)state;
    struct frames frames;
    struct bytes file = {0};
    struct maille_error error;
    const char *asked = getenv("MAILLE_TAMPERINGS");
    size_t n = asked != NULL ? (size_t)strtoul(asked, NULL, 10) : 200, found[AUDIT_STRANGER + 1] = {0};
    frames_read(&frames);
    for (size_t i = 0; i < n; i++) {
        char what[128];
        struct audit_report report;
        tamper(&frames, &file, what);
        if (file.length == frames.file.length && memcmp(file.data, frames.file.data, file.length) == 0)
            fail_msg("%s: nothing was changed", what);
        assert_ok(file_write_atomic(copy_path, file.data, file.length, 0600, &error), &error);
        if (verify(copy, true, &report, &error) == MAILLE_OK)
            fail_msg("undetected: %s", what);
        assert_int_not_equal(report.fault, AUDIT_SOUND);
        assert_int_not_equal(error.sentence[0], '\0');
        found[report.fault]++;
    }
    for (size_t fault = 0; fault <= AUDIT_STRANGER; fault++)
        if (found[fault] > 0)
            print_message("%s: %zu\n", audit_fault_name((enum audit_fault)fault), found[fault]);
    bytes_clear(&file);
    bytes_clear(&frames.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),         cmocka_unit_test(test_flipped_bit),
        cmocka_unit_test(test_removed_entry), cmocka_unit_test(test_reordered),
        cmocka_unit_test(test_missing_seal),  cmocka_unit_test(test_cut_tail),
        cmocka_unit_test(test_resealed),      cmocka_unit_test(test_split_view),
        cmocka_unit_test(test_wrong_key),     cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, setup, finish);
}
