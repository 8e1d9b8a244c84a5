#include "vault/spool.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static const char first_line[] = "maille decision 1\n";
enum {
    DECISION_BYTES_MAX = 4096,
    HEX_QID = 2 * QID_BYTES,
    HEX_HASH = 2 * HASH_BYTES,
    HEX_SIGNATURE = 2 * SIGNATURE_BYTES
};

void spool_pending_hash(struct digest *hash, const void *bytes, size_t length)
{
    hash_kdf(hash, NULL, "pending", bytes, length);
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
    spool_remove(dir, qid, "decision");
}

void spool_forget(const char *dir, const uint8_t qid[QID_BYTES])
{
    spool_remove(dir, qid, "decision");
    spool_remove(dir, qid, "pending");
}

enum maille_code spool_ask(const char *dir, const uint8_t qid[QID_BYTES], const struct bytes *pending,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], folder[PATH_MAX];
    MAILLE_TRY(file_path_join(folder, sizeof folder, dir, "spool", error));
    MAILLE_TRY(file_folder_make(folder, 0700, error));
    MAILLE_TRY(spool_path(path, dir, qid, "pending", error));
    spool_drop_decision(dir, qid);
    MAILLE_TRY(file_write_atomic(path, pending->data, pending->length, 0600, error));
out:
    return code;
}

enum maille_code spool_pending(struct bytes *out, const char *dir, const uint8_t qid[QID_BYTES],
                               struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = spool_path(path, dir, qid, "pending", error);
    return code == MAILLE_OK ? file_read_regular(out, path, SPOOL_BYTES_MAX, error) : code;
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

/* The value of "key: value" at a line's beginning, before the first empty line. */
static const char *line_value(struct arena *arena, const uint8_t *bytes, size_t length, const char *key)
{
    const size_t n = strlen(key);
    for (size_t at = 0; at < length && bytes[at] != '\n';) {
        const uint8_t *end = memchr(bytes + at, '\n', length - at);
        const size_t line = end != NULL ? (size_t)(end - (bytes + at)) : length - at;
        if (line >= n + 2 && memcmp(bytes + at, key, n) == 0 && memcmp(bytes + at + n, ": ", 2) == 0)
            return arena_strndup(arena, (const char *)bytes + at + n + 2, line - n - 2);
        at += line + 1;
    }
    return "";
}

const char *spool_line(struct arena *arena, const struct bytes *pending, const char *key)
{
    return line_value(arena, pending->data, pending->length, key);
}

enum maille_code spool_decide(const char *dir, const struct decision *decision,
                              const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct arena *arena = arena_new();
    uint8_t signature[SIGNATURE_BYTES];
    char qid[HEX_QID + 1], hash[HEX_HASH + 1], hex[HEX_SIGNATURE + 1], path[PATH_MAX];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a decision");
    if (strlen(decision->reason) > SPOOL_REASON_MAX || strpbrk(decision->reason, "\r\n") != NULL) {
        code = maille_fail(error, MAILLE_INVALID, "expected a reason of one line of at most %d bytes",
                           SPOOL_REASON_MAX);
        goto out;
    }
    bytes_to_hex(qid, decision->qid, QID_BYTES);
    bytes_to_hex(hash, decision->pending.b, HASH_BYTES);
    const char *body = arena_printf(
        arena, "%squery: %s\ndecision: %s\npending: %s\nby: %s\nat: %s\nreason: %s\n", first_line, qid,
        decision->approve ? "approve" : "deny", hash, secret_keys_name(keys), decision->at, decision->reason);
    MAILLE_TRY(identity_sign(signature, keys, "decision", body, strlen(body), error));
    bytes_to_hex(hex, signature, SIGNATURE_BYTES);
    bytes_put(&text, body, strlen(body));
    const char *last = arena_printf(arena, "signature: %s\n", hex);
    bytes_put(&text, last, strlen(last));
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(spool_path(path, dir, decision->qid, "decision", error));
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0600, error));
out:
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

/* Splits off "signature: HEX\n" at the end. False where there is none. */
static bool split_signature(size_t *body, uint8_t signature[SIGNATURE_BYTES], const struct bytes *text)
{
    const size_t label = strlen("signature: "), tail = label + HEX_SIGNATURE + 1;
    char hex[HEX_SIGNATURE + 1];
    if (text->length < tail || text->data[text->length - 1] != '\n')
        return false;
    *body = text->length - tail;
    memcpy(hex, text->data + *body + label, HEX_SIGNATURE);
    hex[HEX_SIGNATURE] = '\0';
    return memcmp(text->data + *body, "signature: ", label) == 0 &&
           bytes_from_hex(signature, SIGNATURE_BYTES, hex);
}

/* The body is what spool_decide writes, to the byte: the lines that are read make it again. */
static bool parse_decision(struct decision *out, struct arena *arena, const uint8_t *body, size_t length)
{
    const char *qid = line_value(arena, body, length, "query"),
               *verdict = line_value(arena, body, length, "decision"),
               *hash = line_value(arena, body, length, "pending");
    *out = (struct decision){.approve = strcmp(verdict, "approve") == 0,
                             .by = line_value(arena, body, length, "by"),
                             .at = line_value(arena, body, length, "at"),
                             .reason = line_value(arena, body, length, "reason")};
    const char *again =
        arena_printf(arena, "%squery: %s\ndecision: %s\npending: %s\nby: %s\nat: %s\nreason: %s\n",
                     first_line, qid, verdict, hash, out->by, out->at, out->reason);
    return (out->approve || strcmp(verdict, "deny") == 0) && strlen(qid) == HEX_QID &&
           strlen(hash) == HEX_HASH && bytes_from_hex(out->qid, QID_BYTES, qid) &&
           bytes_from_hex(out->pending.b, HASH_BYTES, hash) && strlen(again) == length &&
           memcmp(again, body, length) == 0;
}

enum maille_code spool_decision(struct decision *decision, bool *there, struct bytes *bytes,
                                struct arena *arena, const char *dir, const uint8_t qid[QID_BYTES],
                                const uint8_t identity[PUBLIC_BYTES], struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t signature[SIGNATURE_BYTES];
    size_t body = 0;
    char path[PATH_MAX];
    *there = false;
    MAILLE_TRY(spool_path(path, dir, qid, "decision", error));
    if (!file_exists(path))
        goto out;
    *there = true;
    MAILLE_TRY(file_read_regular(bytes, path, DECISION_BYTES_MAX, error));
    if (!split_signature(&body, signature, bytes))
        code =
            maille_fail(error, MAILLE_INVALID, "expected a signed decision in %s, found other bytes", path);
    else if (!identity_verify(signature, identity, "decision", bytes->data, body))
        code = maille_fail(
            error, MAILLE_SIGNATURE,
            "expected the signature of this site's data protection officer in %s, found another's", path);
    else if (!parse_decision(decision, arena, bytes->data, body) ||
             memcmp(decision->qid, qid, QID_BYTES) != 0)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a decision about the query that its name says in %s", path);
    memcpy(decision->signature, signature, SIGNATURE_BYTES);
out:
    return code;
}
