#include "audit/log_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* Entries whose place in the tree is kept in memory; for a proof from an older one its block is read again.
 */
enum { LEAVES_KEPT = 4096 };
enum { RETENTION_DEFAULT = 12, RETENTION_MIN = 6, RETENTION_MAX = 36 };
static const uint64_t rotate_bytes_default = UINT64_C(64) * 1024 * 1024;

int64_t log_now(const struct audit_log *log)
{
    int64_t now = log->options.now_ms != NULL ? log->options.now_ms(log->options.clock) : clock_utc_ms();
    int64_t last = log->state.last_ms > log->state.begin_ms ? log->state.last_ms : log->state.begin_ms;
    return now > last ? now : last;
}

enum maille_code log_usable(const struct audit_log *log, struct maille_error *error)
{
    if (log->broken)
        return maille_fail(error, MAILLE_IO,
                           "the message log %s could not be written before and takes no more entries; "
                           "check the disk and start this program again",
                           log->path);
    return MAILLE_OK;
}

/* --- frames --- */

/* Writes one frame at the end, or leaves the file as it was. */
static enum maille_code append_frame(struct audit_log *log, const struct bytes *frame,
                                     struct maille_error *error)
{
    enum maille_code code = bytes_check(frame, error);
    if (code != MAILLE_OK)
        return code;
    code = file_write_all(log->fd, frame->data, frame->length, error);
    if (code == MAILLE_OK) {
        log->length += frame->length;
        return MAILLE_OK;
    }
    /* The disk may be full in the middle of a frame. */
    if (ftruncate(log->fd, (off_t)log->length) != 0)
        log->broken = true;
    maille_error_prefix(
        error, "the message log %s takes no more entries%s, nothing was sent; free disk space and try again",
        log->path, log->broken ? " until it is opened again" : "");
    return code;
}

static void frame_open(struct bytes *frame, enum frame_kind kind)
{
    bytes_put_u8(frame, (uint8_t)kind);
    bytes_put_u32(frame, 0);
}

static void frame_close(struct bytes *frame)
{
    if (frame->failed)
        return;
    size_t length = frame->length - FRAME_HEADER_BYTES;
    for (int i = 0; i < 4; i++)
        frame->data[1 + i] = (uint8_t)(length >> (8 * i));
}

/* What was written is what the state takes: should it not be, that is an error of this program. */
static enum maille_code taken(struct audit_log *log, enum maille_code code, struct maille_error *error)
{
    if (code == MAILLE_OK)
        return MAILLE_OK;
    log->broken = true;
    maille_error_prefix(error, "the message log %s was written wrongly", log->path);
    return code == MAILLE_CORRUPT ? MAILLE_INTERNAL : code;
}

enum maille_code log_record(struct audit_log *log, enum record_way way, int64_t utc_ms,
                            const struct audit_entry *entry, const struct bytes *note,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes frame = {0};
    const struct record_header header = {log->state.tree.size, utc_ms, log->state.epoch, way};
    uint8_t salt[AUDIT_SALT_BYTES];
    struct audit_entry salted = *entry;
    if (note == NULL) { /* the notes of epochs hold a new key or a signature: nobody guesses those */
        crypto_random_bytes(salt, sizeof salt);
        salted.salt = salt;
    }
    frame_open(&frame, FRAME_RECORD);
    record_encode(&frame, &header, &salted, note == NULL ? NULL : (const char *)note->data,
                  note == NULL ? 0 : note->length);
    frame_close(&frame);
    if (!frame.failed && frame.length - FRAME_HEADER_BYTES > RECORD_BYTES_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected an entry of at most %d bytes, found %zu",
                           RECORD_BYTES_MAX, frame.length - FRAME_HEADER_BYTES);
        goto out;
    }
    MAILLE_TRY(append_frame(log, &frame, error));
    code = taken(
        log,
        state_record(&log->state, frame.data + FRAME_HEADER_BYTES, frame.length - FRAME_HEADER_BYTES, error),
        error);
out:
    bytes_clear(&frame);
    return code;
}

/* The head of what was appended, signed with the epoch's key. */
static enum maille_code put_checkpoint(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes frame = {0};
    struct note note = {.kind = NOTE_CHECKPOINT,
                        .size = log->state.tree.size,
                        .epoch = log->state.epoch,
                        .begin_ms = log->state.begin_ms,
                        .checkpoint = log->state.checkpoints + 1,
                        .chain = log->state.chain};
    memcpy(note.origin, log->state.origin, sizeof note.origin);
    tree_root(&note.root, &log->state.tree, note.size);
    MAILLE_TRY(note_sign_epoch(&note, log->key));
    frame_open(&frame, FRAME_CHECKPOINT);
    note_text(&frame, &note, log->state.key);
    frame_close(&frame);
    MAILLE_TRY(append_frame(log, &frame, error));
    code = taken(log,
                 state_checkpoint(&log->state, (const char *)frame.data + FRAME_HEADER_BYTES,
                                  frame.length - FRAME_HEADER_BYTES, error),
                 error);
out:
    bytes_clear(&frame);
    return code;
}

/* --- opening --- */

/* The lock file holds the process id of the one who has it, for the sentence alone: flock itself ends with
 * the process. */
static enum maille_code lock_take(int *lock_fd, const char *folder, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], owner[32] = "";
    int fd = -1;
    bool taken = false;
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "lock", error));
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot open %s", path);
        goto out;
    }
    file_give(fd, path);
    MAILLE_TRY(file_lock(&taken, fd, path, error));
    if (!taken) {
        ssize_t got = pread(fd, owner, sizeof owner - 1, 0);
        owner[got > 0 ? strcspn(owner, "\n") : 0] = '\0';
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected the log in %s to be free, found it open in process %s; stop that one first",
                        folder, owner[0] ? owner : "(unknown)");
        goto out;
    }
    int length = snprintf(owner, sizeof owner, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, owner, (size_t)length, 0) != length) {
        code = maille_fail_errno(error, "cannot write %s", path);
        goto out;
    }
    *lock_fd = fd;
    fd = -1;
out:
    if (fd >= 0)
        close(fd);
    return code;
}

/* A new log: the file with its first record and that one's checkpoint is there as a whole, or not at all. */
static enum maille_code log_begin(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char header[FILE_HEADER_BYTES + 1];
    const struct audit_entry nothing = {0};
    struct note note = {.kind = NOTE_BEGIN, .begin_ms = log_now(log)};
    struct bytes text = {0};
    MAILLE_TRY(epoch_begin(log, error));
    snprintf(note.origin, sizeof note.origin, "maille/%s", log->party);
    tree_hash_empty(&note.root);
    memcpy(note.next_key, epoch_key_public(log->key), PUBLIC_BYTES);
    MAILLE_TRY(note_sign_identity(&note, log->options.keys, error));
    note_text(&text, &note, NULL);
    MAILLE_TRY(bytes_check(&text, error));
    store_file_header(header, 0);
    MAILLE_TRY(file_write_atomic(log->path, header, FILE_HEADER_BYTES, 0600, error));
    MAILLE_TRY(rotate_open(log, error));
    log->length = FILE_HEADER_BYTES;
    MAILLE_TRY(log_record(log, WAY_BEGIN, note.begin_ms, &nothing, &text, error));
    code = audit_sync(log, error);
out:
    bytes_clear(&text);
    return code;
}

/* What a party showed last is the longest head that followed from the one before: an older one that comes
 * late does not take its place, and neither does the second of two that contradict each other. */
static void remember_seen(struct audit_log *log, const struct audit_entry *entry, uint64_t sequence)
{
    if (entry->message != NULL && strcmp(entry->message, audit_split_view) == 0)
        return;
    for (size_t i = 0; i < entry->n_seen; i++) {
        const struct audit_witness_head *last = heads_find(&log->seen, entry->seen[i].party);
        if (last == NULL || last->head.size <= entry->seen[i].head.size)
            heads_put(&log->seen, log->party, sequence, &entry->seen[i], true);
        heads_put(&log->recent, log->party, sequence, &entry->seen[i], false);
    }
    heads_keep(&log->recent, AUDIT_RECENT_MAX);
}

struct opening {
    struct audit_log *log;
    struct record record;
    enum maille_code code;
};

static void open_frame(void *context, const struct state *state, enum frame_kind kind, const uint8_t *data,
                       size_t length)
{
    struct opening *opening = context;
    if (kind != FRAME_RECORD || opening->code != MAILLE_OK)
        return;
    opening->code = record_decode(&opening->record, data, length, NULL);
    if (opening->code == MAILLE_OK)
        opening->code = heads_reserve(&opening->log->seen, opening->record.entry.n_seen, NULL);
    if (opening->code == MAILLE_OK)
        opening->code = heads_reserve(&opening->log->recent, opening->record.entry.n_seen, NULL);
    if (opening->code == MAILLE_OK && opening->record.header.way != WAY_PRUNED)
        remember_seen(opening->log, &opening->record.entry, state->tree.size);
}

/* Cuts what is no whole frame at the end. */
static enum maille_code log_repair(struct audit_log *log, const struct walk_end *end, bool *cut,
                                   struct maille_error *error)
{
    bool behind;
    log->length = end->offset;
    if (end->length == end->offset)
        return MAILLE_OK;
    enum maille_code code = store_tail(&behind, log->folder, end, error);
    if (code == MAILLE_OK && behind)
        code = maille_fail(error, MAILLE_CORRUPT,
                           "messages.log was altered at byte %" PRIu64
                           ": signed entries stand behind it; keep the file and compare it with a backup",
                           end->offset);
    else if (code == MAILLE_OK && ftruncate(log->fd, (off_t)end->offset) != 0)
        code = maille_fail_errno(error, "cannot drop the half entry at the end of %s", log->path);
    *cut = code == MAILLE_OK;
    return code;
}

/* Goes on with a log that is there. */
static enum maille_code log_continue(struct audit_log *log, const struct walk_end *end, bool *cut,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char origin[NOTE_ORIGIN_BYTES];
    snprintf(origin, sizeof origin, "maille/%s", log->party);
    if (strcmp(log->state.origin, origin) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the log of %s in %s, found the one of %s; name another folder",
                           log->party, log->folder, log->state.origin + strlen("maille/"));
        goto out;
    }
    if (log->state.has_identity && log->options.keys != NULL && log->state.base_size == 0 &&
        memcmp(log->state.identity, secret_keys_public(log->options.keys)->identity, PUBLIC_BYTES) != 0) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected a log that began with the keys of %s, found one of other keys in %s; move it aside",
            log->party, log->folder);
        goto out;
    }
    log->first = end->first;
    MAILLE_TRY(rotate_open(log, error));
    MAILLE_TRY(log_repair(log, end, cut, error));
    MAILLE_TRY(epoch_resume(log, error));
    MAILLE_TRY(rotate_tidy(log, error));
    if (state_unsigned(&log->state) > 0) /* a crash came before their signature */
        MAILLE_TRY(audit_sync(log, error));
    if (!log->state.fresh)
        MAILLE_TRY(epoch_seal(log, log->state.last_ms, error));
    if (log_now(log) > log->state.begin_ms)
        MAILLE_TRY(epoch_gap(log, "the log was not open", error));
    code = audit_sync(log, error);
out:
    return code;
}

static enum maille_code check_options(const struct audit_options *options, struct maille_error *error)
{
    if (options->party[0] == '\0' || strlen(options->party) > AUDIT_NAME_MAX ||
        strpbrk(options->party, " +\t\r\n") != NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a party of 1 to %d characters without spaces or +, found \"%s\"",
                           AUDIT_NAME_MAX, options->party);
    if (options->retention_months != 0 &&
        (options->retention_months < RETENTION_MIN || options->retention_months > RETENTION_MAX))
        return maille_fail(error, MAILLE_INVALID, "expected a retention of %d to %d months, found %u",
                           RETENTION_MIN, RETENTION_MAX, options->retention_months);
    return MAILLE_OK;
}

enum maille_code audit_open_with(struct audit_log **log, const struct audit_options *options, bool *repaired,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct opening opening = {0};
    struct walk_end end;
    bool cut = false;
    struct audit_log *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a log, found none");
    made->fd = made->lock_fd = -1;
    made->broken = true; /* until it is whole: closing must not seal */
    MAILLE_TRY(check_options(options, error));
    made->options = *options;
    if (made->options.retention_months == 0)
        made->options.retention_months = RETENTION_DEFAULT;
    if (made->options.rotate_bytes == 0)
        made->options.rotate_bytes = rotate_bytes_default;
    snprintf(made->party, sizeof made->party, "%s", options->party);
    MAILLE_TRY(file_path_join(made->folder, sizeof made->folder, options->folder, "", error));
    made->folder[strlen(made->folder) - 1] = '\0'; /* the slash */
    MAILLE_TRY(file_path_join(made->path, sizeof made->path, options->folder, "messages.log", error));
    MAILLE_TRY(file_folder_make(options->folder, 0700, error));
    MAILLE_TRY(lock_take(&made->lock_fd, options->folder, error));
    opening.log = made;
    const struct walk walk = {.frame = open_frame, .context = &opening};
    MAILLE_TRY(store_walk(&made->state, &end, options->folder, &walk, error));
    MAILLE_TRY(state_finish(&made->state, error));
    if (opening.code != MAILLE_OK) {
        code = maille_fail(error, opening.code,
                           "expected entries with their fields, found another; keep the folder");
        goto out;
    }
    if (!made->state.begun) { /* a file whose first record does not read is not written over */
        bool behind;
        MAILLE_TRY(store_tail(&behind, options->folder, &end, error));
        if (behind) {
            code = maille_fail(error, MAILLE_CORRUPT,
                               "the first entry of messages.log was altered: signed ones stand behind it");
            goto out;
        }
    }
    made->broken = false;
    if (made->state.begun)
        code = log_continue(made, &end, &cut, error);
    else
        code = log_begin(made, error);
    if (code != MAILLE_OK) {
        made->broken = true;
        goto out;
    }
    if (repaired != NULL)
        *repaired = cut;
    free(made->state.marks);
    made->state.marks = NULL;
    made->state.n_marks = made->state.room_marks = 0;
    tree_keep(&made->state.tree, LEAVES_KEPT);
    *log = made;
    made = NULL;
out:
    if (code == MAILLE_CORRUPT)
        maille_error_prefix(error, "%s", options->folder);
    record_clear(&opening.record);
    audit_close(made);
    return code;
}

enum maille_code audit_open(struct audit_log **log, const char *folder, const char *party, bool *repaired,
                            struct maille_error *error)
{
    const struct audit_options options = {.folder = folder, .party = party};
    return audit_open_with(log, &options, repaired, error);
}

/* Best effort: what cannot be sealed now is sealed when the log is opened again. */
static void log_end(struct audit_log *log)
{
    if (log->broken || audit_sync(log, NULL) != MAILLE_OK || epoch_turn(log, NULL) != MAILLE_OK)
        return;
    if ((!log->state.fresh || log_now(log) > log->state.begin_ms) &&
        epoch_seal(log, log_now(log), NULL) != MAILLE_OK)
        log->broken = true;
}

void audit_close(struct audit_log *log)
{
    if (log == NULL)
        return;
    log_end(log);
    if (log->fd >= 0)
        close(log->fd);
    if (log->lock_fd >= 0)
        close(log->lock_fd);
    epoch_key_free(log->key);
    state_clear(&log->state);
    audit_heads_clear(&log->seen);
    audit_heads_clear(&log->recent);
    free(log->bridges);
    free(log);
}

/* --- writing --- */

enum maille_code audit_append(struct audit_log *log, const struct audit_entry *entry,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    assert(entry->direction <= AUDIT_NOTE);
    MAILLE_TRY(log_usable(log, error));
    MAILLE_TRY(heads_reserve(&log->seen, entry->n_seen, error));
    MAILLE_TRY(heads_reserve(&log->recent, entry->n_seen, error));
    MAILLE_TRY(epoch_turn(log, error));
    MAILLE_TRY(log_record(log, (enum record_way)entry->direction, log_now(log), entry, NULL, error));
    remember_seen(log, entry, log->state.tree.size);
out:
    return code;
}

enum maille_code audit_sync(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(log_usable(log, error));
    if (state_unsigned(&log->state) > 0)
        MAILLE_TRY(put_checkpoint(log, error));
    if (fdatasync(log->fd) != 0) {
        /* The kernel may have dropped the pages: what a later fdatasync says about them means nothing. */
        log->broken = true;
        code = maille_fail_errno(error, "cannot write %s to disk", log->path);
        goto out;
    }
    code = epoch_forget(log, error);
out:
    return code;
}

enum maille_code audit_tick(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(log_usable(log, error));
    MAILLE_TRY(epoch_turn(log, error));
    if (state_unsigned(&log->state) > 0)
        MAILLE_TRY(audit_sync(log, error));
    code = rotate_prune(log, error);
out:
    return code;
}

void audit_head(const struct audit_log *log, struct audit_head *head)
{
    head->size = log->state.tree.size;
    tree_root(&head->root, &log->state.tree, head->size);
}
