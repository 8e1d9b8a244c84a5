#include "base/figures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, DEPTH_MAX = 8 };

enum maille_code figures_page(void **page, struct maille_error *error)
{
    void *made = mmap(NULL, FIGURES_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        return maille_fail(error, MAILLE_MEMORY, "expected a page of memory, found none");
    *page = made;
    return MAILLE_OK;
}

void figures_take(int64_t *values, const struct figure_row *rows, size_t n, void *const *pages)
{
    for (size_t i = 0; i < n; i++)
        values[i] = __atomic_load_n(
            (const figure *)(const void *)((const char *)pages[rows[i].page] + rows[i].offset),
            __ATOMIC_RELAXED);
}

enum maille_code figures_file_open(int *fd, const char *dir, struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = file_path_join(path, sizeof path, dir, FIGURES_FILE, error);
    if (code != MAILLE_OK)
        return code;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (*fd < 0)
        return maille_fail_errno(error, "cannot open %s", path);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(*fd, F_OFD_SETLK, &whole) != 0 && (errno == EAGAIN || errno == EACCES)) {
        close(*fd); /* where a file system has no locks the beat alone says whether somebody writes */
        *fd = -1;
    } else if (ftruncate(*fd, 0) != 0) { /* what is longer than figures could not be read behind them */
        code = maille_fail_errno(error, "cannot empty %s", path);
        close(*fd);
        *fd = -1;
    }
    return code;
}

enum maille_code figures_file_write(int fd, const struct figure_row *rows, size_t n, const int64_t *values,
                                    struct maille_error *error)
{
    char text[FIGURES_FILE_BYTES + 1];
    const int64_t writing = clock_utc_ms();
    size_t used = (size_t)snprintf(text, sizeof text, "writing %" PRId64 "\n", writing);
    for (size_t i = 0; i < n && used < sizeof text; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s %" PRId64 "\n", rows[i].name, values[i]);
    if (used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "written %" PRId64 "\n", writing);
    if (used >= sizeof text)
        return maille_fail(error, MAILLE_INTERNAL, "expected figures of at most %d bytes, found more",
                           FIGURES_FILE_BYTES);
    memset(text + used, '\n', FIGURES_FILE_BYTES - used);
    if (pwrite(fd, text, FIGURES_FILE_BYTES, 0) != FIGURES_FILE_BYTES)
        return maille_fail_errno(error, "cannot write " FIGURES_FILE);
    return MAILLE_OK;
}

/* One text into values; false: half a writing. */
static bool parse(int64_t *values, const struct figure_row *rows, size_t n, char *text)
{
    int64_t writing = -1, written = -2;
    char *line, *rest = text;
    while ((line = strsep(&rest, "\n")) != NULL) {
        char *value = strchr(line, ' ');
        if (value == NULL)
            continue;
        *value++ = '\0';
        const int64_t number = strtoll(value, NULL, 10);
        if (strcmp(line, "writing") == 0)
            writing = number;
        else if (strcmp(line, "written") == 0)
            written = number;
        for (size_t i = 0; i < n; i++)
            if (strcmp(line, rows[i].name) == 0)
                values[i] = number;
    }
    return writing == written;
}

/* Whether a program has the file that it keeps up; asked, not taken. Where a file system has no locks: as if.
 */
static enum maille_code is_kept(bool *kept, const char *path, struct maille_error *error)
{
    struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd;
    *kept = false;
    enum maille_code code = file_open_regular(&fd, path, error);
    if (code != MAILLE_OK || fd < 0)
        return code;
    *kept = fcntl(fd, F_OFD_GETLK, &whole) != 0 || whole.l_type != F_UNLCK;
    close(fd);
    return MAILLE_OK;
}

enum maille_code figures_file_read(int64_t *values, bool *there, const struct figure_row *rows, size_t n,
                                   const char *dir, struct maille_error *error)
{
    enum { TRIES = 20 };
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct bytes text = {0};
    *there = false;
    memset(values, 0, n * sizeof *values);
    MAILLE_TRY(file_path_join(path, sizeof path, dir, FIGURES_FILE, error));
    bool kept;
    MAILLE_TRY(is_kept(&kept, path, error));
    if (!kept)
        goto out;
    for (int i = 0; i < TRIES && !*there; i++) {
        MAILLE_TRY(file_read_regular(&text, path, FIGURES_FILE_BYTES, error));
        if (text.length == 0)
            goto out;
        bytes_put_u8(&text, 0);
        MAILLE_TRY(bytes_check(&text, error));
        *there = parse(values, rows, n, (char *)text.data);
        bytes_clear(&text);
        if (!*there)
            usleep(5000);
    }
    if (!*there)
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected the figures of a program in %s, found other bytes", path);
out:
    bytes_clear(&text);
    return code;
}

static void put_line(struct bytes *out, const char *format, ...) MAILLE_PRINTF(2, 3);

static void put_line(struct bytes *out, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const int used = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bytes_put(out, line, used < (int)sizeof line ? (size_t)used : sizeof line - 1);
}

void figures_prometheus(struct bytes *out, const char *prefix, const struct figure_row *rows, size_t n,
                        const int64_t *values)
{
    static const char *const endings[] = {"_total", "", "_timestamp_seconds"};
    for (size_t i = 0; i < n; i++) {
        const char *ending = endings[rows[i].kind];
        put_line(out, "# HELP %s_%s%s %s\n# TYPE %s_%s%s %s\n", prefix, rows[i].name, ending,
                 rows[i].help[LANGUAGE_EN], prefix, rows[i].name, ending,
                 rows[i].kind == FIGURE_COUNT ? "counter" : "gauge");
        if (rows[i].kind == FIGURE_TIME)
            put_line(out, "%s_%s%s %" PRId64 ".%03d\n", prefix, rows[i].name, ending, values[i] / SECOND_MS,
                     (int)(values[i] % SECOND_MS));
        else
            put_line(out, "%s_%s%s %" PRId64 "\n", prefix, rows[i].name, ending, values[i]);
    }
}

void figures_json(struct json_put *put, const struct figure_row *rows, size_t n, const int64_t *values)
{
    char when[32];
    for (size_t i = 0; i < n; i++)
        if (rows[i].kind != FIGURE_TIME) {
            json_put_integer(put, rows[i].name, values[i]);
        } else {
            clock_format(when, values[i]);
            json_put_text(put, rows[i].name, values[i] > 0 ? when : NULL);
        }
}

static void age(char out[32], int64_t ms, enum language language)
{
    const long long whole = (long long)(ms > 0 ? ms : 0);
    const char *before = language == LANGUAGE_FR ? "il y a " : "", *after = before[0] != '\0' ? "" : " ago";
    if (whole < 2 * MINUTE_MS)
        snprintf(out, 32, "%s%lld s%s", before, whole / SECOND_MS, after);
    else if (whole < 2 * HOUR_MS)
        snprintf(out, 32, "%s%lld min%s", before, whole / MINUTE_MS, after);
    else
        snprintf(out, 32, "%s%lld h%s", before, whole / HOUR_MS, after);
}

void figures_print(const struct figure_row *rows, size_t n, const int64_t *values, int64_t now_ms,
                   enum language language)
{
    char ago[32];
    for (size_t i = 0; i < n; i++)
        if (rows[i].kind != FIGURE_TIME) {
            printf("%-20s  %14" PRId64 "  %s\n", rows[i].name, values[i], rows[i].help[language]);
        } else {
            age(ago, now_ms - values[i], language);
            printf("%-20s  %14s  %s\n", rows[i].name, values[i] > 0 ? ago : "-", rows[i].help[language]);
        }
}

static int64_t beneath(int at, const char *name, int depth)
{
    int64_t sum = 0;
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL && fd >= 0)
        close(fd);
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        struct stat found;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(found.st_mode))
            sum += (int64_t)found.st_blocks * 512;
        else if (S_ISDIR(found.st_mode) && depth < DEPTH_MAX)
            sum += beneath(fd, entry->d_name, depth + 1);
    }
    if (folder != NULL)
        closedir(folder);
    return sum;
}

int64_t figures_folder_bytes(const char *folder)
{
    return beneath(AT_FDCWD, folder, 0);
}

int64_t figures_free_bytes(const char *folder)
{
    struct statvfs found;
    return statvfs(folder, &found) == 0 ? (int64_t)(found.f_bavail * found.f_frsize) : -1;
}
