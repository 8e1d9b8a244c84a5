/* Keys that evolve (after the sealing of Schneier and Kelsey 1999, doi:10.1145/317087.317089, with signatures
 * in place of a secret that the verifier would have to know). The seal of epoch e certifies the key of epoch
 * e + 1; then the key of e is erased: whoever takes the machine later cannot seal the past again. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/log_private.h"
#include "base/clock.h"
#include "base/file.h"

enum { KEY_FILE_MAX = 4096 };

static const char key_file[] = "epoch.key", key_file_next[] = "epoch.key.next";

/* What the key on disk is sealed under; zeros where the party has given no keys. */
static void wrap_of(struct digest *wrap, const struct audit_log *log)
{
    *wrap = (struct digest){{0}};
    if (log->options.keys != NULL)
        secret_keys_derive(wrap, log->options.keys, "log-epoch");
}

/* LE64 epoch ‖ sealed key. */
static enum maille_code key_write(const struct audit_log *log, const char *name, uint64_t epoch,
                                  const struct epoch_key *key, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct digest wrap;
    struct bytes stored = {0};
    wrap_of(&wrap, log);
    MAILLE_TRY(file_path_join(path, sizeof path, log->folder, name, error));
    bytes_put_u64(&stored, epoch);
    MAILLE_TRY(epoch_key_store(&stored, key, wrap.b));
    MAILLE_TRY(bytes_check(&stored, error));
    code = file_write_atomic(path, stored.data, stored.length, 0600, error);
out:
    crypto_wipe(&wrap, sizeof wrap);
    bytes_wipe(&stored);
    return code;
}

/* The key in a file, where it is the epoch's; NULL where the file is not there or is another epoch's. */
static enum maille_code key_read(struct epoch_key **key, const struct audit_log *log, const char *name,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct digest wrap;
    struct bytes stored = {0};
    wrap_of(&wrap, log);
    *key = NULL;
    MAILLE_TRY(file_path_join(path, sizeof path, log->folder, name, error));
    if (!file_exists(path))
        goto out;
    MAILLE_TRY(file_read(&stored, path, KEY_FILE_MAX, error));
    if (stored.length < 8 || le64_load(stored.data) != log->state.epoch)
        goto out;
    code = epoch_key_load(key, wrap.b, stored.data + 8, stored.length - 8, error);
    if (code != MAILLE_OK)
        maille_error_prefix(error, "%s: the key of the log's epoch does not open with the keys of %s", path,
                            log->party);
out:
    crypto_wipe(&wrap, sizeof wrap);
    bytes_wipe(&stored);
    return code;
}

/* Zeros over the old key, then the new name in its place. */
static enum maille_code key_replace(const struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], next[PATH_MAX];
    static const uint8_t zeros[256];
    struct stat status;
    int fd = -1;
    MAILLE_TRY(file_path_join(path, sizeof path, log->folder, key_file, error));
    MAILLE_TRY(file_path_join(next, sizeof next, log->folder, key_file_next, error));
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0) {
        for (off_t at = 0; at < status.st_size; at += (off_t)sizeof zeros) {
            size_t part =
                status.st_size - at < (off_t)sizeof zeros ? (size_t)(status.st_size - at) : sizeof zeros;
            if (pwrite(fd, zeros, part, at) != (ssize_t)part)
                break; /* the rename below still takes it away */
        }
        if (fdatasync(fd) != 0) {
            code = maille_fail_errno(error, "cannot erase %s", path);
            goto out;
        }
    }
    if (rename(next, path) != 0) {
        code = maille_fail_errno(error, "cannot rename %s", next);
        goto out;
    }
    code = file_sync_folder(log->folder, error);
out:
    if (fd >= 0)
        close(fd);
    return code;
}

enum maille_code epoch_begin(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(epoch_key_new(&log->key, error));
    code = key_write(log, key_file, 0, log->key, error);
out:
    return code;
}

enum maille_code epoch_resume(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(key_read(&log->key, log, key_file, error));
    if (log->key == NULL) {
        MAILLE_TRY(key_read(&log->key, log, key_file_next, error));
        if (log->key != NULL)
            MAILLE_TRY(key_replace(log, error));
    }
    if (log->key == NULL || memcmp(epoch_key_public(log->key), log->state.key, PUBLIC_BYTES) != 0) {
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected the key of epoch %" PRIu64
            " in %s/%s, found none that the log certifies: the log cannot go on; tell the data protection "
            "officer, move the folder aside and start again with an empty one",
            log->state.epoch, log->folder, key_file);
        goto out;
    }
    MAILLE_TRY(file_path_join(path, sizeof path, log->folder, key_file_next, error));
    if (unlink(path) != 0 && errno != ENOENT)
        code = maille_fail_errno(error, "cannot remove %s", path);
out:
    return code;
}

enum maille_code epoch_seal(struct audit_log *log, int64_t end_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct audit_entry nothing = {0};
    struct note note = {.kind = NOTE_SEAL,
                        .size = log->state.tree.size,
                        .epoch = log->state.epoch,
                        .begin_ms = log->state.begin_ms,
                        .end_ms = end_ms,
                        .checkpoint = log->state.checkpoints,
                        .chain = log->state.chain};
    struct epoch_key *next = NULL;
    struct bytes text = {0};
    if (log->turned) /* the seal before this one is not on disk yet */
        MAILLE_TRY(audit_sync(log, error));
    memcpy(note.origin, log->state.origin, sizeof note.origin);
    tree_root(&note.root, &log->state.tree, note.size);
    MAILLE_TRY(epoch_key_new(&next, error));
    MAILLE_TRY(key_write(log, key_file_next, note.epoch + 1, next, error));
    memcpy(note.next_key, epoch_key_public(next), PUBLIC_BYTES);
    MAILLE_TRY(note_sign_epoch(&note, log->key));
    note_text(&text, &note, log->state.key);
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(log_record(log, WAY_SEAL, end_ms, &nothing, &text, error));
    epoch_key_free(log->key);
    log->key = next;
    next = NULL;
    log->turned = true;
    code = audit_sync(log, error);
out:
    epoch_key_free(next);
    bytes_clear(&text);
    return code;
}

enum maille_code epoch_forget(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!log->turned)
        return MAILLE_OK;
    code = key_replace(log, error);
    if (code == MAILLE_OK)
        log->turned = false;
    return code;
}

enum maille_code epoch_gap(struct audit_log *log, const char *why, struct maille_error *error)
{
    int64_t now = log_now(log);
    char from[32], to[32], detail[256];
    clock_format(from, log->state.begin_ms);
    clock_format(to, now);
    snprintf(detail, sizeof detail, "%s from %s to %s", why, from, to);
    const struct audit_entry entry = {.message = "gap", .peer = log->party, .detail = detail};
    return log_record(log, WAY_GAP, now, &entry, NULL, error);
}

enum maille_code epoch_turn(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int64_t now = log_now(log), due = log->state.begin_ms + AUDIT_EPOCH_MS;
    if (now < due)
        return MAILLE_OK;
    MAILLE_TRY(epoch_seal(log, due, error));
    if (now - due > AUDIT_LATE_MS)
        MAILLE_TRY(epoch_gap(log, "nobody looked after the log", error));
    code = rotate_file(log, error);
out:
    return code;
}
