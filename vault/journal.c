#include "vault/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"

enum { HEADER_BYTES = 24, ZERO_RUN = 16, INNER_BYTES = 8 + 4 + 8, SEALED_OVERHEAD = 24 + 16 };

struct journal {
    int fd;
    uint8_t key[KEY_BYTES];
    uint64_t length, sequence;
};

static enum maille_code journal_path(char out[PATH_MAX], const char *folder, const char *name,
                                     struct maille_error *error)
{
    return file_path_join(out, PATH_MAX, folder, name, error);
}

/* Folder FOLDER's parent, to make FOLDER's own name durable. */
static enum maille_code sync_parent(const char *folder, struct maille_error *error)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", folder);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        snprintf(parent, sizeof parent, ".");
    else
        *slash = '\0';
    return file_sync_folder(parent, error);
}

enum maille_code journal_create(struct journal **journal, const char *folder, const uint8_t key[KEY_BYTES],
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct journal *made = NULL;
    int fd = -1;
    MAILLE_TRY(journal_path(path, folder, "journal", error));
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        code = maille_fail_errno(error, "cannot make the folder %s", folder);
        goto out;
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        code = maille_fail(error, MAILLE_INVALID, "expected no journal at %s, found one", path);
        goto out;
    }
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot make %s", path);
        goto out;
    }
    MAILLE_TRY(file_sync_folder(folder, error));
    MAILLE_TRY(sync_parent(folder, error));
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a journal");
        goto out;
    }
    made->fd = fd;
    memcpy(made->key, key, KEY_BYTES);
    *journal = made;
    fd = -1;
out:
    if (fd >= 0) {
        unlink(path);
        close(fd);
    }
    return code;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    close(journal->fd);
    crypto_wipe(journal->key, sizeof journal->key);
    free(journal);
}

/* All of [at, at + length), or false at the end of the file. */
static enum maille_code read_at(int fd, void *out, size_t length, uint64_t at, bool *all,
                                struct maille_error *error)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = pread(fd, (uint8_t *)out + done, length - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return maille_fail_errno(error, "cannot read a journal");
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *all = done == length;
    return MAILLE_OK;
}

/* Says that the sizes are those that were written for this record: a size that was altered must not look like
 * a record that a crash cut, for then whatever stands behind it, reveals too, would be dropped. */
static void header_check(uint8_t check[8], const struct journal *journal, uint64_t sealed_length,
                         uint64_t raw_length)
{
    uint8_t data[24];
    struct digest mac;
    le64_store(data, journal->sequence);
    le64_store(data + 8, sealed_length);
    le64_store(data + 16, raw_length);
    hash_kdf(&mac, journal->key, "journal-header", data, sizeof data);
    memcpy(check, mac.b, 8);
}

/* Bytes that never reached the disk read as zeros; ciphertext has no such run. */
static bool has_zero_run(const uint8_t *bytes, size_t length)
{
    size_t run = 0;
    for (size_t i = 0; i < length && run < ZERO_RUN; i++)
        run = bytes[i] == 0 ? run + 1 : 0;
    return run == ZERO_RUN;
}

/* Are all bytes from here to the end zero? */
static enum maille_code zeros_to_the_end(bool *zeros, const struct journal *journal, uint64_t size,
                                         struct maille_error *error)
{
    uint8_t chunk[4096];
    *zeros = true;
    for (uint64_t at = journal->length; at < size && *zeros;) {
        size_t part = size - at < sizeof chunk ? (size_t)(size - at) : sizeof chunk;
        bool all = false;
        enum maille_code code = read_at(journal->fd, chunk, part, at, &all, error);
        if (code != MAILLE_OK)
            return code;
        for (size_t i = 0; all && i < part; i++)
            *zeros = *zeros && chunk[i] == 0;
        at += part;
    }
    return MAILLE_OK;
}

static enum maille_code corrupt(const struct journal *journal, struct maille_error *error)
{
    return maille_fail(error, MAILLE_CORRUPT,
                       "expected record %llu of a journal as it was written, found other bytes",
                       (unsigned long long)journal->sequence);
}

/* One record at journal->length. *more false: there is none, or it was cut by a crash. */
static enum maille_code record_read(struct journal *journal, uint64_t size, bool *more, journal_each *each,
                                    void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t header[HEADER_BYTES], check[8];
    struct bytes sealed = {0}, plain = {0};
    bool all = false;
    *more = false;
    if (size - journal->length < HEADER_BYTES)
        goto out;
    MAILLE_TRY(read_at(journal->fd, header, sizeof header, journal->length, &all, error));
    uint64_t sealed_length = le64_load(header), raw_length = le64_load(header + 8);
    uint64_t left = size - journal->length - HEADER_BYTES;
    header_check(check, journal, sealed_length, raw_length);
    if (memcmp(check, header + 16, sizeof check) != 0) {
        bool zeros;
        MAILLE_TRY(zeros_to_the_end(&zeros, journal, size, error));
        if (!zeros) /* else the file grew, and a crash came before its bytes */
            code = corrupt(journal, error);
        goto out;
    }
    if (sealed_length > left || raw_length > left - sealed_length)
        goto out;
    bool last = sealed_length + raw_length == left;
    if (sealed_length < INNER_BYTES + SEALED_OVERHEAD ||
        sealed_length > JOURNAL_BODY_MAX + INNER_BYTES + SEALED_OVERHEAD) {
        code = corrupt(journal, error);
        goto out;
    }
    uint8_t *room = bytes_reserve(&sealed, (size_t)sealed_length);
    MAILLE_TRY(bytes_check(&sealed, error));
    MAILLE_TRY(read_at(journal->fd, room, sealed.length, journal->length + HEADER_BYTES, &all, error));
    code = seal_secretbox_open(&plain, journal->key, sealed.data, sealed.length, error);
    if (code != MAILLE_OK && code != MAILLE_MEMORY) {
        /* The sizes may have reached the disk before the bytes did; then nothing that depends on them left.
         */
        code = last && has_zero_run(sealed.data, sealed.length) ? MAILLE_OK : corrupt(journal, error);
        goto out;
    }
    if (code != MAILLE_OK)
        goto out;
    struct reader reader = reader_of(plain.data, plain.length);
    uint64_t sequence = reader_u64(&reader);
    uint32_t kind = reader_u32(&reader);
    if (sequence != journal->sequence || reader_u64(&reader) != raw_length) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected record %llu of a journal, found record %llu",
                           (unsigned long long)journal->sequence, (unsigned long long)sequence);
        goto out;
    }
    MAILLE_TRY(each(context, kind, reader.next, reader_left(&reader),
                    journal->length + HEADER_BYTES + sealed_length, raw_length, error));
    journal->length += HEADER_BYTES + sealed_length + raw_length;
    journal->sequence++;
    *more = true;
out:
    bytes_clear(&sealed);
    bytes_wipe(&plain);
    return code;
}

enum maille_code journal_open(struct journal **journal, const char *folder, const uint8_t key[KEY_BYTES],
                              journal_each *each, void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct journal *made = NULL;
    struct stat status;
    bool more = true;
    MAILLE_TRY(journal_path(path, folder, "journal", error));
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a journal");
    memcpy(made->key, key, KEY_BYTES);
    made->fd = open(path, O_RDWR | O_CLOEXEC);
    if (made->fd < 0 || fstat(made->fd, &status) != 0) {
        code = maille_fail_errno(error, "cannot open %s", path);
        goto out;
    }
    while (more)
        MAILLE_TRY(record_read(made, (uint64_t)status.st_size, &more, each, context, error));
    if (made->length < (uint64_t)status.st_size && ftruncate(made->fd, (off_t)made->length) != 0) {
        code = maille_fail_errno(error, "cannot cut %s", path);
        goto out;
    }
    *journal = made;
    made = NULL;
out:
    if (code != MAILLE_OK)
        maille_error_prefix(error, "%s", path);
    if (made != NULL && made->fd >= 0)
        journal_close(made);
    else
        free(made);
    return code;
}

enum maille_code vault_journal_append(struct journal *journal, uint32_t kind, const struct bytes *body,
                                      const void *raw_bytes, size_t raw_length, uint64_t *raw,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes plain = {0}, sealed = {0};
    uint8_t header[HEADER_BYTES];
    MAILLE_TRY(bytes_check(body, error));
    if (body->length > JOURNAL_BODY_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected at most %d bytes in a record, found %zu",
                           JOURNAL_BODY_MAX, body->length);
        goto out;
    }
    bytes_put_u64(&plain, journal->sequence);
    bytes_put_u32(&plain, kind);
    bytes_put_u64(&plain, raw_length);
    bytes_put(&plain, body->data, body->length);
    MAILLE_TRY(bytes_check(&plain, error));
    MAILLE_TRY(seal_secretbox(&sealed, journal->key, plain.data, plain.length));
    le64_store(header, sealed.length);
    le64_store(header + 8, raw_length);
    header_check(header + 16, journal, sealed.length, raw_length);
    if (lseek(journal->fd, (off_t)journal->length, SEEK_SET) < 0) {
        code = maille_fail_errno(error, "cannot write a journal");
        goto out;
    }
    code = file_write_all(journal->fd, header, sizeof header, error);
    if (code == MAILLE_OK)
        code = file_write_all(journal->fd, sealed.data, sealed.length, error);
    if (code == MAILLE_OK)
        code = file_write_all(journal->fd, raw_bytes, raw_length, error);
    if (code == MAILLE_OK && fdatasync(journal->fd) != 0)
        code = maille_fail_errno(error, "cannot write a journal to disk");
    if (code != MAILLE_OK) {
        /* As it was: a record that is not whole is dropped at the next opening too. */
        if (ftruncate(journal->fd, (off_t)journal->length) != 0)
            maille_error_prefix(error, "and cannot cut the journal again");
        goto out;
    }
    if (raw != NULL)
        *raw = journal->length + HEADER_BYTES + sealed.length;
    journal->length += HEADER_BYTES + sealed.length + raw_length;
    journal->sequence++;
out:
    bytes_wipe(&plain);
    bytes_clear(&sealed);
    return code;
}

enum maille_code journal_raw(const struct journal *journal, void *out, uint64_t raw, size_t length,
                             struct maille_error *error)
{
    bool all = false;
    enum maille_code code = read_at(journal->fd, out, length, raw, &all, error);
    if (code == MAILLE_OK && !all)
        code =
            maille_fail(error, MAILLE_CORRUPT, "expected %zu bytes more in a journal, found its end", length);
    return code;
}

void journal_drop_raw(struct journal *journal, uint64_t raw, uint64_t length)
{
    /* A file system that cannot make holes keeps the bytes until the query ends. */
    if (length > 0 &&
        fallocate(journal->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)raw, (off_t)length) != 0)
        errno = 0;
}

void journal_discard(const char *folder)
{
    char path[PATH_MAX];
    if (journal_path(path, folder, "journal", NULL) == MAILLE_OK && unlink(path) == 0)
        rmdir(folder);
}

enum maille_code journal_erase(const char *folder, int64_t until_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], text[32];
    int length = snprintf(text, sizeof text, "%lld\n", (long long)until_ms);
    MAILLE_TRY(journal_path(path, folder, "ended", error));
    MAILLE_TRY(file_write_atomic(path, text, (size_t)length, 0600, error));
    MAILLE_TRY(journal_path(path, folder, "journal", error));
    if (unlink(path) != 0 && errno != ENOENT)
        code = maille_fail_errno(error, "cannot remove %s", path);
    else
        code = file_sync_folder(folder, error);
out:
    return code;
}

bool journal_ended(const char *folder, int64_t *until_ms)
{
    char path[PATH_MAX];
    struct bytes text = {0};
    bool ended = journal_path(path, folder, "ended", NULL) == MAILLE_OK && file_exists(path);
    *until_ms = INT64_MAX; /* a mark that cannot be read stays */
    if (ended && file_read(&text, path, 32, NULL) == MAILLE_OK && text.length > 1)
        ended = number_parse_i64((const char *)text.data, text.length - 1, until_ms) || ended;
    bytes_clear(&text);
    return ended;
}

enum maille_code journal_forget(const char *folder, struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = journal_path(path, folder, "ended", error);
    if (code == MAILLE_OK &&
        ((unlink(path) != 0 && errno != ENOENT) || (rmdir(folder) != 0 && errno != ENOENT)))
        code = maille_fail_errno(error, "cannot remove %s", folder);
    return code;
}
