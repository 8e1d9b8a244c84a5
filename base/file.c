#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is left of an open file, whose descriptor stays the caller's. */
static enum maille_code read_open(struct bytes *out, int fd, const char *path, size_t limit,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes content = {0};
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a file, found something else at %s", path);
        goto out;
    }
    if ((uint64_t)status.st_size > limit) {
        code = maille_fail(error, MAILLE_INVALID, "expected at most %zu bytes in %s, found %lld", limit, path,
                           (long long)status.st_size);
        goto out;
    }
    for (;;) {
        uint8_t chunk[65536];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            code = maille_fail_errno(error, "cannot read %s", path);
            goto out;
        }
        if (got == 0)
            break;
        bytes_put(&content, chunk, (size_t)got);
        if (content.length > limit) {
            code = maille_fail(error, MAILLE_INVALID, "expected at most %zu bytes in %s, found more", limit,
                               path);
            goto out;
        }
    }
    bytes_reserve(&content, 0); /* an empty file has an address too */
    MAILLE_TRY(bytes_check(&content, error));
    bytes_clear(out);
    *out = content;
    content = (struct bytes){0};
out:
    bytes_clear(&content);
    return code;
}

enum maille_code file_read(struct bytes *out, const char *path, size_t limit, struct maille_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold it */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return maille_fail(error, MAILLE_INVALID, "expected a file at %s, found nothing", path);
    if (fd < 0)
        return maille_fail_errno(error, "cannot open %s", path);
    enum maille_code code = read_open(out, fd, path, limit, error);
    close(fd);
    return code;
}

enum maille_code file_read_regular(struct bytes *out, const char *path, size_t limit,
                                   struct maille_error *error)
{
    int fd = -1;
    enum maille_code code = file_open_regular(&fd, path, error);
    if (code == MAILLE_OK && fd < 0)
        code = maille_fail(error, MAILLE_INVALID, "expected a file at %s, found nothing", path);
    if (code == MAILLE_OK)
        code = read_open(out, fd, path, limit, error);
    if (fd >= 0)
        close(fd);
    return code;
}

enum maille_code file_write_all(int fd, const void *data, size_t length, struct maille_error *error)
{
    const char *next = data;
    while (length > 0) {
        ssize_t done = write(fd, next, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return maille_fail_errno(error, "cannot write");
        next += done;
        length -= (size_t)done;
    }
    return MAILLE_OK;
}

void file_folder_of(char *out, const char *path)
{
    snprintf(out, PATH_MAX, "%s", path);
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        snprintf(out, PATH_MAX, ".");
    else if (slash == out)
        out[1] = '\0';
    else
        *slash = '\0';
}

enum maille_code file_sync_folder(const char *path, struct maille_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return maille_fail_errno(error, "cannot open the folder %s", path);
    int failed = fsync(fd);
    int saved = errno;
    close(fd);
    errno = saved;
    if (failed != 0)
        return maille_fail_errno(error, "cannot write the folder %s to disk", path);
    return MAILLE_OK;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* What cannot be replaced: this process's own standard output or error under any name, a FIFO, a device. */
static enum maille_code write_in_place(bool *done, const char *path, const void *data, size_t length,
                                       struct maille_error *error)
{
    FILE *const streams[] = {stdout, stderr};
    struct stat there, own;
    *done = false;
    if (stat(path, &there) != 0 || S_ISDIR(there.st_mode))
        return MAILLE_OK;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &own) == 0 && same_inode(&there, &own)) {
            *done = true;
            fflush(streams[fd - STDOUT_FILENO]);
            return file_write_all(fd, data, length, error);
        }
    if (S_ISREG(there.st_mode))
        return MAILLE_OK;
    *done = true;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return maille_fail_errno(error, "cannot write to %s", path);
    enum maille_code code = file_write_all(fd, data, length, error);
    close(fd);
    return code;
}

/* Where the links from path lead, also when nothing is there yet. */
static enum maille_code follow_links(char out[PATH_MAX], const char *path, struct maille_error *error)
{
    enum { LINKS_MAX = 40 };
    char target[PATH_MAX], folder[PATH_MAX];
    if (snprintf(out, PATH_MAX, "%s", path) >= PATH_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", path);
    for (int n = 0; n < LINKS_MAX; n++) {
        const ssize_t length = readlink(out, target, sizeof target - 1);
        if (length < 0)
            return MAILLE_OK;
        target[length] = '\0';
        file_folder_of(folder, out);
        if (snprintf(out, PATH_MAX, "%s%s%s", target[0] == '/' ? "" : folder, target[0] == '/' ? "" : "/",
                     target) >= PATH_MAX)
            return maille_fail(error, MAILLE_INVALID, "expected a shorter path behind %s", path);
    }
    return maille_fail(error, MAILLE_INVALID, "expected at most %d links behind %s", LINKS_MAX, path);
}

/* What root writes for a process of a site, in a folder of that process's own, the process must be able to
 * read. */
static bool belongs(int fd, const char *folder)
{
    struct stat owner;
    return geteuid() != 0 || stat(folder, &owner) != 0 || owner.st_uid == 0 ||
           fchown(fd, owner.st_uid, owner.st_gid) == 0;
}

/* flags: how the file beside is opened. */
static enum maille_code write_over(const char *path, const char *beside, int flags, const void *data,
                                   size_t length, mode_t mode, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char folder[PATH_MAX];
    bool made = false;
    const int fd = open(beside, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    if (fd < 0)
        return maille_fail_errno(error, "cannot create %s", beside);
    made = true;
    file_folder_of(folder, path);
    MAILLE_TRY(file_write_all(fd, data, length, error));
    if (!belongs(fd, folder) || fchmod(fd, mode) != 0 || fsync(fd) != 0) {
        code = maille_fail_errno(error, "cannot write %s to disk", beside);
        goto out;
    }
    if (rename(beside, path) != 0) {
        code = maille_fail_errno(error, "cannot rename %s to %s", beside, path);
        goto out;
    }
    made = false;
    code = file_sync_folder(folder, error);
out:
    if (fd >= 0)
        close(fd);
    if (made)
        unlink(beside);
    return code;
}

static enum maille_code named_in(enum maille_code code, const char *path, struct maille_error *error)
{
    if (code != MAILLE_OK && error != NULL && strstr(error->sentence, path) == NULL)
        maille_error_prefix(error, "%s", path);
    return code;
}

enum maille_code file_write_atomic(const char *path, const void *data, size_t length, mode_t mode,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char beside[PATH_MAX], real[PATH_MAX];
    bool done = false;
    MAILLE_TRY(write_in_place(&done, path, data, length, error));
    if (done)
        goto out;
    MAILLE_TRY(follow_links(real, path, error));
    if (snprintf(beside, sizeof beside, "%s.new-%ld", real, (long)getpid()) >= (int)sizeof beside)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", path);
    code = write_over(real, beside, O_TRUNC, data, length, mode, error);
out:
    return named_in(code, path, error);
}

enum maille_code file_write_shared(const char *path, const void *data, size_t length, mode_t mode,
                                   struct maille_error *error)
{
    char beside[PATH_MAX];
    uint64_t chance;
    if (getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance)
        return maille_fail_errno(error, "cannot choose a name beside %s", path);
    if (snprintf(beside, sizeof beside, "%s.new-%016llx", path, (unsigned long long)chance) >=
        (int)sizeof beside)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", path);
    return named_in(write_over(path, beside, O_EXCL | O_NOFOLLOW, data, length, mode, error), path, error);
}

void file_put_away(const char *path)
{
    char aside[PATH_MAX + 32], folder[PATH_MAX];
    uint64_t chance;
    if (unlink(path) == 0 || errno == ENOENT ||
        getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance)
        return;
    file_folder_of(folder, path);
    snprintf(aside, sizeof aside, "%s/not-%016llx", folder, (unsigned long long)chance);
    (void)rename(path, aside);
}

void file_give(int fd, const char *path)
{
    char folder[PATH_MAX];
    file_folder_of(folder, path);
    (void)belongs(fd, folder);
}

/* One folder; one that is there is no error. */
static bool make_one(const char *path, mode_t mode)
{
    if (mkdir(path, mode) != 0)
        return errno == EEXIST;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        file_give(fd, path);
        close(fd);
    }
    return true;
}

enum maille_code file_folder_make(const char *path, mode_t mode, struct maille_error *error)
{
    char copy[PATH_MAX];
    struct stat status;
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", path);
    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_one(copy, mode))
            return maille_fail_errno(error, "cannot make the folder %s", copy);
        *slash = '/';
    }
    if (!make_one(copy, mode))
        return maille_fail_errno(error, "cannot make the folder %s", copy);
    if (stat(copy, &status) != 0 || !S_ISDIR(status.st_mode))
        return maille_fail(error, MAILLE_INVALID, "expected a folder, found a file at %s", path);
    return MAILLE_OK;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum maille_code file_check_private(const char *path, struct maille_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return maille_fail_errno(error, "cannot open %s", path);
    if ((status.st_mode & 077) != 0)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected %s to be readable by its owner alone, found mode %04o; run: chmod 600 %s", path,
            (unsigned)(status.st_mode & 07777), path);
    return MAILLE_OK;
}

enum maille_code file_path_join(char *out, size_t size, const char *folder, const char *name,
                                struct maille_error *error)
{
    int length = snprintf(out, size, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= size)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s/%s", folder, name);
    return MAILLE_OK;
}

enum maille_code file_lock(bool *taken, int fd, const char *name, struct maille_error *error)
{
    *taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
    return *taken || errno == EWOULDBLOCK
               ? MAILLE_OK
               : maille_fail_errno(
                     error,
                     "expected to lock %s, found that its file system takes no lock; put it on a "
                     "local disk",
                     name);
}

enum maille_code file_make_private(const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0)
        code = maille_fail_errno(error, "cannot make %s", path);
    if (fd >= 0)
        close(fd);
    return code;
}

enum maille_code file_open_regular(int *fd, const char *path, struct maille_error *error)
{
    struct stat status;
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (opened < 0 && errno == ENOENT) {
        *fd = -1;
        return MAILLE_OK;
    }
    if (opened < 0 && errno != ELOOP)
        return maille_fail_errno(error, "cannot open %s", path);
    if (opened < 0 || fstat(opened, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (opened >= 0)
            close(opened);
        return maille_fail(error, MAILLE_INVALID, "expected a file at %s, found a link or something else",
                           path);
    }
    *fd = opened;
    return MAILLE_OK;
}
