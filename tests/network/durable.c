#include "tests/network/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static durable_point *watcher;
static void *watcher_context;

void durable_watch(durable_point *point, void *context)
{
    watcher = point;
    watcher_context = context;
}

static durable_fault *breaker;
static void *breaker_context;

void durable_break(durable_fault *fault, void *context)
{
    breaker = fault;
    breaker_context = context;
}

/* Of a wait: of files and folders. Of a write: of files, not of what is said on a terminal. */
static bool fails(int fd, bool is_wait)
{
    struct stat facts;
    const int fault = breaker != NULL ? breaker(breaker_context, is_wait) : 0;
    if (fault == 0 || (!is_wait && (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))))
        return false;
    errno = fault;
    return true;
}

/* In the place of the C library's too. */
ssize_t write(int fd, const void *data, size_t length)
{
    return fails(fd, false) ? -1 : syscall(SYS_write, fd, data, length);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at)
{
    return fails(fd, false) ? -1 : syscall(SYS_pwrite64, fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at)
{
    return fails(fd, false) ? -1 : syscall(SYS_pwrite64, fd, data, length, at);
}

static int reached(void)
{
    if (watcher != NULL)
        watcher(watcher_context);
    return 0;
}

/* In the place of the C library's, for SQLite too: what a shared library calls is looked up in the program
 * first. */
int fsync(int fd)
{
    return fails(fd, true) ? -1 : reached();
}

int fdatasync(int fd)
{
    return fails(fd, true) ? -1 : reached();
}

static void give_up(const char *what, const char *path)
{
    fprintf(stderr, "cannot %s %s\n", what, path);
    abort();
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

void durable_remove(const char *folder)
{
    enum { OPEN_MAX_FOLDERS = 16 };
    if (access(folder, F_OK) == 0 && nftw(folder, remove_one, OPEN_MAX_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0)
        give_up("remove", folder);
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
    static char block[1 << 16];
    ssize_t n = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (in < 0 || out < 0)
        give_up("copy", from);
    while ((n = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)n) != n)
            give_up("write", to);
    if (n < 0)
        give_up("read", from);
    close(in);
    close(out);
}

static void copy_folder(const char *from, const char *to)
{
    struct stat facts;
    if (stat(from, &facts) != 0 || mkdir(to, facts.st_mode & 07777) != 0)
        give_up("copy", from);
    DIR *entries = opendir(from);
    if (entries == NULL)
        give_up("read", from);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char source[PATH_MAX], target[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        if (stat(source, &facts) != 0)
            give_up("read", source);
        if (S_ISDIR(facts.st_mode))
            copy_folder(source, target);
        else
            copy_file(source, target, facts.st_mode & 07777);
    }
    closedir(entries);
}

void durable_copy(const char *from, const char *to)
{
    durable_fault *const broken = breaker;
    breaker = NULL; /* the test's own writes are no party's */
    durable_remove(to);
    copy_folder(from, to);
    breaker = broken;
}
