/* Rotation: a file that is large enough is packed when an epoch has just been sealed. Pruning: packed files
 * in which everything is older than the retention are removed; the entry "pruned" says so, and the file
 * `base` keeps the subtrees that cover them, so that the tree can still be verified. Every step leaves a
 * folder that reads: rotate_tidy finishes what a crash cut short. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/log_private.h"
#include "base/clock.h"
#include "base/file.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };
static const int64_t month_ms = INT64_C(2629746000); /* 365.2425 / 12 days */

enum maille_code rotate_open(struct audit_log *log, struct maille_error *error)
{
    int fd = open(log->path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return maille_fail_errno(error, "cannot open %s", log->path);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    return MAILLE_OK;
}

static enum maille_code remove_file(const struct audit_log *log, const char *name, struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = file_path_join(path, sizeof path, log->folder, name, error);
    if (code == MAILLE_OK && unlink(path) != 0 && errno != ENOENT)
        code = maille_fail_errno(error, "cannot remove %s", path);
    return code;
}

static void packed_name(char out[64], uint64_t first)
{
    snprintf(out, 64, "messages-%012" PRIu64 ".log.lz4", first);
}

enum maille_code rotate_file(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char name[64], header[FILE_HEADER_BYTES + 1];
    if (!log->state.fresh || log->length < log->options.rotate_bytes || state_unsigned(&log->state) > 0)
        return MAILLE_OK;
    packed_name(name, log->first);
    MAILLE_TRY(store_pack(log->folder, name, log->fd, log->length, error));
    /* From here on both hold the same entries, and messages.log counts, until it is replaced. */
    store_file_header(header, log->state.tree.size);
    MAILLE_TRY(file_write_atomic(log->path, header, FILE_HEADER_BYTES, 0600, error));
    log->broken = true; /* the open descriptor is of the file that was replaced */
    MAILLE_TRY(rotate_open(log, error));
    log->length = FILE_HEADER_BYTES;
    log->first = log->state.tree.size;
    log->broken = false;
out:
    return code;
}

/* --- pruning --- */

/* What stands at the begin of the first file that is kept. */
struct boundary {
    int64_t before_ms; /* older than this may go */
    uint64_t first;    /* messages.log's first: at most up to there */
    struct note note;
    bool found;
};

static void boundary_file(void *context, const struct state *state, const struct store_file *file)
{
    struct boundary *boundary = context;
    if (file->packed && state->last_ms < boundary->before_ms)
        boundary->found = state_base_note(&boundary->note, state) || boundary->found;
}

/* Packed files below `base`. */
static enum maille_code remove_covered(const struct audit_log *log, uint64_t base, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct store_file *files = NULL;
    size_t n = 0;
    MAILLE_TRY(store_list(&files, &n, log->folder, 0, error));
    for (size_t i = 0; i < n; i++)
        if (files[i].packed && files[i].first < base)
            MAILLE_TRY(remove_file(log, files[i].name, error));
    code = file_sync_folder(log->folder, error);
out:
    free(files);
    return code;
}

static enum maille_code say_pruned(struct audit_log *log, const struct note *note, struct maille_error *error)
{
    char last[32], detail[256];
    clock_format(last, note->last_ms);
    snprintf(detail, sizeof detail,
             "entries 1 to %" PRIu64 ", the last of %s, were removed: older than %u months", note->size, last,
             log->options.retention_months);
    const struct audit_seen own = {log->party, {note->size, note->root}};
    const struct audit_entry entry = {
        .message = "pruned", .peer = log->party, .detail = detail, .n_seen = 1, .seen = &own};
    enum maille_code code = log_record(log, WAY_PRUNED, log_now(log), &entry, NULL, error);
    return code == MAILLE_OK ? audit_sync(log, error) : code;
}

enum maille_code rotate_prune(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct state state = {0};
    struct walk_end end;
    struct bytes text = {0};
    int64_t now = log_now(log);
    struct boundary boundary = {.before_ms = now - month_ms * log->options.retention_months};
    const struct walk walk = {.file = boundary_file, .context = &boundary};
    if (log->pruned_ms != 0 && now < log->pruned_ms + DAY_MS)
        goto out;
    log->pruned_ms = now;
    if (log->first == log->state.base_size) /* nothing is packed */
        goto out;
    MAILLE_TRY(store_walk(&state, &end, log->folder, &walk, error));
    if (!boundary.found || boundary.note.size <= log->state.base_size)
        goto out;
    MAILLE_TRY(note_sign_identity(&boundary.note, log->options.keys, error));
    note_text(&text, &boundary.note, NULL);
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(say_pruned(log, &boundary.note, error));
    MAILLE_TRY(file_path_join(path, sizeof path, log->folder, "base", error));
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0600, error));
    log->state.base_size = boundary.note.size;
    code = remove_covered(log, boundary.note.size, error);
out:
    state_clear(&state);
    bytes_clear(&text);
    return code;
}

enum maille_code rotate_tidy(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char name[64];
    packed_name(name, log->first); /* packed, and messages.log was not replaced */
    MAILLE_TRY(remove_file(log, name, error));
    MAILLE_TRY(remove_file(log, "packing", error));
    if (log->state.base_size > 0)
        code = remove_covered(log, log->state.base_size, error);
out:
    return code;
}
