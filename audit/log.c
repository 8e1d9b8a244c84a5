/* messages.log: a text of tab-separated lines.
 *
 *     maille-log  1  PARTY  CHAIN
 *     SEQUENCE  UTC  in|out|note  MESSAGE  PEER  QID|-  BYTES  HASH  DETAIL  CHAIN
 *
 * CHAIN = BLAKE2b-256(CHAIN of the line above ‖ this line up to the tab before CHAIN), 32 zero bytes above
 * the first line. So a line that is edited, inserted or removed is found; a tail that is cut at a line's end
 * is found only by comparing with a head that somebody else keeps. Nothing outside this file knows the
 * format. */
#include "audit/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"

enum { LINE_BYTES_MAX = 4096, QID_BYTES = 32, CHAIN_HEX = 2 * HASH_BYTES };

static const char *const directions[] = {[AUDIT_IN] = "in", [AUDIT_OUT] = "out", [AUDIT_NOTE] = "note"};

struct audit_log {
    char path[PATH_MAX];
    int fd, lock_fd;
    uint64_t length; /* bytes of whole lines */
    struct audit_head head;
    bool broken; /* the file and this struct may differ: no more entries */
};

/* --- chain --- */

static void chain_next(struct digest *chain, const char *line, size_t length)
{
    uint8_t joined[HASH_BYTES + LINE_BYTES_MAX];
    memcpy(joined, chain->b, HASH_BYTES);
    memcpy(joined + HASH_BYTES, line, length);
    hash_bytes(chain, joined, HASH_BYTES + length);
}

/* --- lines --- */

/* Appends text and a tab. */
static void put_field(struct bytes *line, const char *text, size_t limit)
{
    size_t length = strnlen(text, limit);
    if (text[length] != '\0') /* cut between characters, not within one */
        while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80)
            length--;
    for (size_t i = 0; i < length; i++)
        bytes_put_u8(line, (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? ' ' : (uint8_t)text[i]);
    bytes_put_u8(line, '\t');
}

static void put_hex_field(struct bytes *line, const uint8_t *data, size_t length)
{
    char hex[2 * HASH_BYTES + 1];
    hex_encode(hex, data, length);
    put_field(line, hex, sizeof hex);
}

/* Ends a line: moves *chain on and writes it. */
static void put_chain(struct bytes *line, struct digest *chain)
{
    if (line->failed)
        return;
    assert(line->length <= LINE_BYTES_MAX);
    chain_next(chain, (const char *)line->data, line->length - 1);
    char hex[CHAIN_HEX + 2];
    hex_encode(hex, chain->b, HASH_BYTES);
    hex[CHAIN_HEX] = '\n';
    bytes_put(line, hex, CHAIN_HEX + 1);
}

static const char *or_dash(const char *text)
{
    return text == NULL || text[0] == '\0' ? "-" : text;
}

static void put_entry(struct bytes *line, struct digest *chain, uint64_t sequence,
                      const struct audit_entry *entry)
{
    char number[32], utc[32];
    snprintf(number, sizeof number, "%" PRIu64, sequence);
    clock_format(utc, clock_utc_ms());
    put_field(line, number, sizeof number);
    put_field(line, utc, sizeof utc);
    put_field(line, directions[entry->direction], AUDIT_NAME_MAX);
    put_field(line, or_dash(entry->message), AUDIT_NAME_MAX);
    put_field(line, or_dash(entry->peer), AUDIT_NAME_MAX);
    if (entry->qid == NULL)
        put_field(line, "-", 1);
    else
        put_hex_field(line, entry->qid, QID_BYTES);
    snprintf(number, sizeof number, "%" PRIu64, entry->bytes);
    put_field(line, number, sizeof number);
    put_hex_field(line, entry->hash.b, HASH_BYTES);
    put_field(line, entry->detail == NULL ? "" : entry->detail, AUDIT_DETAIL_MAX);
    put_chain(line, chain);
}

/* The next field of a line that put_field wrote; NULL at its end. */
static char *take_field(char **rest)
{
    char *field = *rest;
    char *tab = field == NULL ? NULL : strchr(field, '\t');
    if (tab == NULL) {
        *rest = NULL;
        return field;
    }
    *tab = '\0';
    *rest = tab + 1;
    return field;
}

static bool parse_utc(const char *text, int64_t *utc_ms)
{
    int32_t days;
    int64_t hour, minute, second, ms;
    if (strlen(text) != strlen("2026-11-23T15:50:00.123Z") || text[10] != 'T' || text[13] != ':' ||
        text[16] != ':' || text[19] != '.' || text[23] != 'Z' || !parse_date(text, 10, &days) ||
        !parse_i64(text + 11, 2, &hour) || !parse_i64(text + 14, 2, &minute) ||
        !parse_i64(text + 17, 2, &second) || !parse_i64(text + 20, 3, &ms))
        return false;
    *utc_ms = (((days * INT64_C(24) + hour) * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

struct parsed_entry {
    uint64_t sequence;
    int64_t utc_ms;
    uint8_t qid[QID_BYTES];
    struct audit_entry entry;
};

static bool parse_entry(struct parsed_entry *out, char *line)
{
    char *sequence = take_field(&line), *utc = take_field(&line), *direction = take_field(&line);
    char *message = take_field(&line), *peer = take_field(&line), *qid = take_field(&line);
    char *bytes = take_field(&line), *hash = take_field(&line), *detail = take_field(&line);
    if (detail == NULL || line != NULL)
        return false;
    *out = (struct parsed_entry){0};
    bool known = false;
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++)
        if (strcmp(direction, directions[i]) == 0) {
            out->entry.direction = (enum audit_direction)i;
            known = true;
        }
    out->entry.message = strcmp(message, "-") == 0 ? "" : message;
    out->entry.peer = strcmp(peer, "-") == 0 ? "" : peer;
    out->entry.detail = detail;
    if (strcmp(qid, "-") != 0) {
        if (!hex_decode(out->qid, QID_BYTES, qid))
            return false;
        out->entry.qid = out->qid;
    }
    return known && parse_u64(sequence, strlen(sequence), &out->sequence) && parse_utc(utc, &out->utc_ms) &&
           parse_u64(bytes, strlen(bytes), &out->entry.bytes) &&
           hex_decode(out->entry.hash.b, HASH_BYTES, hash);
}

/* --- reading --- */

struct walk {
    struct audit_head head;
    uint64_t length; /* bytes of whole lines */
    bool begun;      /* the first line is there */
    char party[AUDIT_NAME_MAX + 1];
};

static enum maille_code walk_line(struct walk *walk, const char *path, uint64_t number, char *line,
                                  size_t length, audit_each *each, void *context, struct maille_error *error)
{
    struct digest chain = walk->head.root, stored;
    char *tab = memchr(line, 0, length) == NULL ? strrchr(line, '\t') : NULL;
    if (tab == NULL || tab - line > LINE_BYTES_MAX || !hex_decode(stored.b, HASH_BYTES, tab + 1))
        return maille_fail(error, MAILLE_CORRUPT,
                           "%s:%" PRIu64 ": expected a log line that ends in its chain value, found none; "
                           "keep the file and compare it with a backup",
                           path, number);
    chain_next(&chain, line, (size_t)(tab - line));
    if (!digest_equal(&chain, &stored))
        return maille_fail(error, MAILLE_CORRUPT,
                           "%s:%" PRIu64 ": expected a line that follows from the lines above it, found one "
                           "that was altered, inserted or moved; keep the file and compare it with a backup",
                           path, number);
    *tab = '\0';
    walk->head.root = chain;
    if (number == 1) {
        char *rest = line;
        const char *kind = take_field(&rest), *version = take_field(&rest), *party = take_field(&rest);
        if (party == NULL || rest != NULL || strcmp(kind, "maille-log") != 0 || strcmp(version, "1") != 0)
            return maille_fail(error, MAILLE_CORRUPT,
                               "%s:1: expected a maille log of version 1, found something else", path);
        snprintf(walk->party, sizeof walk->party, "%s", party);
        walk->begun = true;
        return MAILLE_OK;
    }
    struct parsed_entry parsed;
    if (!parse_entry(&parsed, line) || parsed.sequence != walk->head.size + 1)
        return maille_fail(error, MAILLE_CORRUPT,
                           "%s:%" PRIu64 ": expected entry %" PRIu64
                           " with its ten fields, found something else",
                           path, number, walk->head.size + 1);
    walk->head.size++;
    if (each != NULL)
        each(context, parsed.sequence, parsed.utc_ms, &parsed.entry);
    return MAILLE_OK;
}

/* Reads every whole line from the start of an open file. */
static enum maille_code walk_file(struct walk *walk, FILE *file, const char *path, audit_each *each,
                                  void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char *line = NULL;
    size_t room = 0;
    *walk = (struct walk){0};
    for (uint64_t number = 1;; number++) {
        errno = 0;
        ssize_t length = getline(&line, &room, file);
        if (length < 0) {
            if (ferror(file) || errno != 0)
                code = maille_fail_errno(error, "cannot read %s", path);
            break;
        }
        if (line[length - 1] != '\n')
            break;
        line[length - 1] = '\0';
        MAILLE_TRY(walk_line(walk, path, number, line, (size_t)length - 1, each, context, error));
        walk->length += (uint64_t)length;
    }
out:
    free(line);
    return code;
}

enum maille_code audit_read(const char *folder, audit_each *each, void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    FILE *file = NULL;
    struct walk walk;
    MAILLE_TRY(path_join(path, sizeof path, folder, "messages.log", error));
    file = fopen(path, "re");
    if (file == NULL) {
        code = maille_fail_errno(error, "cannot open %s", path);
        goto out;
    }
    code = walk_file(&walk, file, path, each, context, error);
out:
    if (file != NULL)
        fclose(file);
    return code;
}

/* --- writing --- */

/* Writes one line at the end, or leaves the file as it was. */
static enum maille_code append_line(struct audit_log *log, const struct bytes *line,
                                    struct maille_error *error)
{
    enum maille_code code = bytes_check(line, error);
    if (code != MAILLE_OK)
        return code;
    code = file_write_all(log->fd, line->data, line->length, error);
    if (code == MAILLE_OK) {
        log->length += line->length;
        return MAILLE_OK;
    }
    /* The disk may be full in the middle of a line. */
    if (ftruncate(log->fd, (off_t)log->length) != 0)
        log->broken = true;
    maille_error_prefix(
        error, "the message log %s takes no more entries%s, nothing was sent; free disk space and try again",
        log->path, log->broken ? " until it is opened again" : "");
    return code;
}

/* The lock file holds the process id of the one who has it, for the sentence alone: flock itself ends with
 * the process. */
static enum maille_code lock_take(int *lock_fd, const char *folder, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], owner[32] = "";
    int fd = -1;
    MAILLE_TRY(path_join(path, sizeof path, folder, "lock", error));
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot open %s", path);
        goto out;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            code = maille_fail_errno(error, "cannot lock %s", path);
            goto out;
        }
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

/* The first line of a new log, on disk with its name before anything else. */
static enum maille_code log_begin(struct audit_log *log, const char *folder, const char *party,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes line = {0};
    put_field(&line, "maille-log", AUDIT_NAME_MAX);
    put_field(&line, "1", 1);
    put_field(&line, party, AUDIT_NAME_MAX);
    log->head = (struct audit_head){0};
    put_chain(&line, &log->head.root);
    MAILLE_TRY(append_line(log, &line, error));
    MAILLE_TRY(audit_sync(log, error));
    code = file_sync_folder(folder, error);
out:
    bytes_clear(&line);
    return code;
}

enum maille_code audit_open(struct audit_log **log, const char *folder, const char *party, bool *repaired,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    FILE *file = NULL;
    struct walk walk;
    bool cut = false;
    struct audit_log *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a log, found none");
    made->fd = made->lock_fd = -1;
    MAILLE_TRY(folder_make(folder, 0700, error));
    MAILLE_TRY(path_join(made->path, sizeof made->path, folder, "messages.log", error));
    MAILLE_TRY(lock_take(&made->lock_fd, folder, error));
    made->fd = open(made->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    file = made->fd < 0 ? NULL : fopen(made->path, "re");
    if (file == NULL) {
        code = maille_fail_errno(error, "cannot open %s", made->path);
        goto out;
    }
    MAILLE_TRY(walk_file(&walk, file, made->path, NULL, NULL, error));
    made->length = walk.length;
    made->head = walk.head;
    off_t end = lseek(made->fd, 0, SEEK_END);
    if (end < 0 || (uint64_t)end < walk.length) {
        code = maille_fail_errno(error, "cannot read %s", made->path);
        goto out;
    }
    if ((uint64_t)end > walk.length) {
        if (ftruncate(made->fd, (off_t)walk.length) != 0) {
            code = maille_fail_errno(error, "cannot drop the half line at the end of %s", made->path);
            goto out;
        }
        cut = true;
        MAILLE_TRY(audit_sync(made, error));
    }
    if (!walk.begun)
        MAILLE_TRY(log_begin(made, folder, party, error));
    else if (strncmp(walk.party, party, AUDIT_NAME_MAX) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the log of %s in %s, found the one of %s; name another folder", party,
                           folder, walk.party);
        goto out;
    }
    if (repaired != NULL)
        *repaired = cut;
    *log = made;
    made = NULL;
out:
    if (file != NULL)
        fclose(file);
    audit_close(made);
    return code;
}

void audit_close(struct audit_log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    if (log->lock_fd >= 0)
        close(log->lock_fd);
    free(log);
}

static enum maille_code log_usable(const struct audit_log *log, struct maille_error *error)
{
    if (log->broken)
        return maille_fail(error, MAILLE_IO,
                           "the message log %s could not be written before and takes no more entries; "
                           "check the disk and start this program again",
                           log->path);
    return MAILLE_OK;
}

enum maille_code audit_append(struct audit_log *log, const struct audit_entry *entry,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes line = {0};
    struct digest chain = log->head.root;
    MAILLE_TRY(log_usable(log, error));
    put_entry(&line, &chain, log->head.size + 1, entry);
    MAILLE_TRY(append_line(log, &line, error));
    log->head.size++;
    log->head.root = chain;
out:
    bytes_clear(&line);
    return code;
}

enum maille_code audit_sync(struct audit_log *log, struct maille_error *error)
{
    enum maille_code code = log_usable(log, error);
    if (code != MAILLE_OK)
        return code;
    if (fdatasync(log->fd) != 0) {
        /* The kernel may have dropped the pages: what a later fdatasync says about them means nothing. */
        log->broken = true;
        return maille_fail_errno(error, "cannot write %s to disk", log->path);
    }
    return MAILLE_OK;
}

void audit_head(const struct audit_log *log, struct audit_head *head)
{
    *head = log->head;
}
