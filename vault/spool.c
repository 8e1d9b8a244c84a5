#include "vault/spool.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { HEX_QID = 2 * QID_BYTES };
static const char *const ends[] = {[SPOOL_DECISION] = "decision", [SPOOL_FIRST] = "first"};

/* The mode of a file there: the group's, and others', where the folder is shared with a group. */
static mode_t shared_mode(const char *dir, mode_t shared)
{
    struct maille_error ignored;
    struct stat found;
    char folder[PATH_MAX];
    return file_path_join(folder, sizeof folder, dir, "spool", &ignored) == MAILLE_OK &&
                   stat(folder, &found) == 0 && (found.st_mode & S_ISGID) != 0
               ? shared
               : 0600;
}

/* The folder, as a process of the site makes it. */
static enum maille_code make_folder(const char *dir, struct maille_error *error)
{
    char folder[PATH_MAX];
    enum maille_code code = file_path_join(folder, sizeof folder, dir, "spool", error);
    return code == MAILLE_OK ? file_folder_make(folder, 0700, error) : code;
}

static enum maille_code spool_path(char path[PATH_MAX], const char *dir, const uint8_t qid[QID_BYTES],
                                   const char *end, struct maille_error *error)
{
    char folder[PATH_MAX], name[HEX_QID + 16];
    enum maille_code code = file_path_join(folder, sizeof folder, dir, "spool", error);
    bytes_to_hex(name, qid, QID_BYTES);
    snprintf(name + HEX_QID, sizeof name - HEX_QID, ".%s", end);
    return code == MAILLE_OK ? file_path_join(path, PATH_MAX, folder, name, error) : code;
}

static void spool_remove(const char *dir, const uint8_t qid[QID_BYTES], const char *end)
{
    struct maille_error ignored;
    char path[PATH_MAX];
    if (spool_path(path, dir, qid, end, &ignored) == MAILLE_OK)
        unlink(path);
}

void spool_drop_decision(const char *dir, const uint8_t qid[QID_BYTES])
{
    spool_remove(dir, qid, ends[SPOOL_DECISION]);
}

void spool_drop_question(const char *dir, const uint8_t qid[QID_BYTES])
{
    spool_remove(dir, qid, "pending");
}

void spool_forget(const char *dir, const uint8_t qid[QID_BYTES])
{
    spool_drop_decision(dir, qid); /* first: spool_list knows what has a question */
    spool_remove(dir, qid, ends[SPOOL_FIRST]);
    spool_drop_question(dir, qid);
}

enum maille_code spool_ask(const char *dir, const uint8_t qid[QID_BYTES], const struct bytes *pending,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(make_folder(dir, error));
    MAILLE_TRY(spool_path(path, dir, qid, "pending", error));
    spool_drop_decision(dir, qid);
    spool_remove(dir, qid, ends[SPOOL_FIRST]);
    MAILLE_TRY(file_write_atomic(path, pending->data, pending->length, shared_mode(dir, 0640), error));
out:
    return code;
}

enum maille_code spool_pending(struct bytes *out, const char *dir, const uint8_t qid[QID_BYTES],
                               struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = spool_path(path, dir, qid, "pending", error);
    return code == MAILLE_OK ? file_read_regular(out, path, PENDING_BYTES_MAX, error) : code;
}

static int order_of_ids(const void *a, const void *b)
{
    return memcmp(a, b, QID_BYTES);
}

enum maille_code spool_list(const uint8_t (**qids)[QID_BYTES], size_t *n, struct arena *arena,
                            const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char folder[PATH_MAX];
    struct bytes found = {0};
    *n = 0;
    *qids = NULL;
    MAILLE_TRY(file_path_join(folder, sizeof folder, dir, "spool", error));
    DIR *stream = opendir(folder);
    if (stream == NULL && errno == ENOENT)
        goto out;
    if (stream == NULL) {
        code = maille_fail_errno(error, "cannot open %s", folder);
        goto out;
    }
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        uint8_t qid[QID_BYTES];
        char name[HEX_QID + 1];
        if (strlen(entry->d_name) != HEX_QID + strlen(".pending") ||
            strcmp(entry->d_name + HEX_QID, ".pending") != 0)
            continue;
        memcpy(name, entry->d_name, HEX_QID);
        name[HEX_QID] = '\0';
        if (bytes_from_hex(qid, sizeof qid, name))
            bytes_put(&found, qid, sizeof qid);
    }
    closedir(stream);
    MAILLE_TRY(bytes_check(&found, error));
    *n = found.length / QID_BYTES;
    uint8_t(*list)[QID_BYTES] = arena_array(arena, *n + 1, sizeof *list);
    if (*n > 0) {
        memcpy(list, found.data, found.length);
        qsort(list, *n, sizeof *list, order_of_ids);
    }
    *qids = (const uint8_t(*)[QID_BYTES])list;
out:
    bytes_clear(&found);
    return code;
}

/* The name that a file of a slot was signed under; "": there is none that can be read. In arena. */
static const char *signed_by(struct arena *arena, const char *path)
{
    struct bytes text = {0};
    struct decision decision = {.by = ""};
    struct maille_error ignored;
    const bool read = file_exists(path) &&
                      file_read_regular(&text, path, DECISION_BYTES_MAX, &ignored) == MAILLE_OK &&
                      decision_read(&decision, arena, path, &text, NULL, &ignored) == MAILLE_OK;
    bytes_clear(&text);
    return read ? decision.by : "";
}

enum maille_code spool_put(const char *dir, const uint8_t qid[QID_BYTES], const char *by,
                           const struct bytes *decision, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a decision");
    MAILLE_TRY(make_folder(dir, error));
    MAILLE_TRY(spool_path(path, dir, qid, ends[SPOOL_DECISION], error));
    const char *before = signed_by(arena, path);
    if (before[0] != '\0' && strcmp(before, by) != 0)
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected no decision that waits for the worker, found one of %s; the worker takes "
                        "it up within seconds, if it runs",
                        before);
    else
        code = file_write_atomic(path, decision->data, decision->length, shared_mode(dir, 0644), error);
out:
    arena_free(arena);
    return code;
}

enum maille_code spool_keep_first(const char *dir, const uint8_t qid[QID_BYTES], struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char from[PATH_MAX], to[PATH_MAX];
    MAILLE_TRY(spool_path(from, dir, qid, ends[SPOOL_DECISION], error));
    MAILLE_TRY(spool_path(to, dir, qid, ends[SPOOL_FIRST], error));
    if (rename(from, to) != 0)
        code = maille_fail_errno(error, "cannot rename %s to %s", from, to);
out:
    return code;
}

const char *spool_first_by(struct arena *arena, const char *dir, const uint8_t qid[QID_BYTES])
{
    struct maille_error ignored;
    char path[PATH_MAX];
    return spool_path(path, dir, qid, ends[SPOOL_FIRST], &ignored) == MAILLE_OK ? signed_by(arena, path) : "";
}

enum maille_code spool_appointment_path(char path[], const char *dir, struct maille_error *error)
{
    return file_path_join(path, PATH_MAX, dir, "spool/appointment", error);
}

enum maille_code spool_appoint(const char *dir, const struct bytes *appointment, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(make_folder(dir, error));
    MAILLE_TRY(spool_appointment_path(path, dir, error));
    MAILLE_TRY(
        file_write_atomic(path, appointment->data, appointment->length, shared_mode(dir, 0644), error));
out:
    return code;
}

enum maille_code spool_decide(const char *dir, const struct decision *decision,
                              const struct secret_keys *keys, struct maille_error *error)
{
    struct bytes text = {0};
    enum maille_code code = decision_write(&text, decision, keys, error);
    if (code == MAILLE_OK)
        code = spool_put(dir, decision->qid, secret_keys_name(keys), &text, error);
    bytes_clear(&text);
    return code;
}

enum maille_code spool_decision(struct decision *decision, bool *there, struct bytes *bytes,
                                struct arena *arena, const char *dir, const uint8_t qid[QID_BYTES],
                                enum spool_slot slot, const uint8_t identity[PUBLIC_BYTES],
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    *there = false;
    MAILLE_TRY(spool_path(path, dir, qid, ends[slot], error));
    if (!file_exists(path))
        goto out;
    *there = true;
    MAILLE_TRY(file_read_regular(bytes, path, DECISION_BYTES_MAX, error));
    MAILLE_TRY(decision_read(decision, arena, path, bytes, identity, error));
    if (memcmp(decision->qid, qid, QID_BYTES) != 0)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a decision about the query that its name says in %s", path);
out:
    return code;
}
