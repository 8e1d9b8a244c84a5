#include "cli/web/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

const struct home *home_of(const struct web_request *request)
{
    return request->context;
}

const char *home_path(struct arena *arena, const struct home *home, const char *number, const char *name)
{
    return arena_printf(arena, "%s/studies/%s%s%s", home->folder, number, name[0] != '\0' ? "/" : "", name);
}

enum { NUMBER_DIGITS = 4 };

static bool is_number(const char *text)
{
    return text != NULL && strlen(text) == NUMBER_DIGITS && strspn(text, "0123456789") == NUMBER_DIGITS;
}

enum maille_code home_add(const char **number, struct arena *arena, const struct home *home, const void *text,
                          size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *studies = arena_printf(arena, "%s/studies", home->folder), **before;
    MAILLE_TRY(file_folder_make(studies, 0700, error));
    const size_t n_before = home_list(&before, arena, home);
    long n = n_before > 0 ? strtol(before[0], NULL, 10) : 0;
    do {
        if (++n > HOME_STUDIES_MAX)
            return maille_fail(error, MAILLE_FAILED,
                               "expected at most %d studies in %s, found them all taken", HOME_STUDIES_MAX,
                               studies);
        *number = arena_printf(arena, "%04ld", n);
    } while (mkdir(home_path(arena, home, *number, ""), 0700) != 0 && errno == EEXIST);
    MAILLE_TRY(file_write_atomic(home_path(arena, home, *number, "study.yaml"), text, length, 0600, error));
out:
    return code;
}

enum maille_code home_asked(const char **number, const struct web_request *request,
                            struct maille_error *error)
{
    const char *said = web_query(request, "n");
    if (!is_number(said) || !file_exists(home_path(request->arena, home_of(request), said, "study.yaml")))
        return maille_fail(error, MAILLE_INVALID,
                           "expected the number of a study that was asked here, found %s",
                           said == NULL ? "none" : said);
    *number = said;
    return MAILLE_OK;
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

size_t home_list(const char ***numbers, struct arena *arena, const struct home *home)
{
    size_t n = 0;
    DIR *folder = opendir(arena_printf(arena, "%s/studies", home->folder));
    *numbers = arena_array(arena, HOME_STUDIES_MAX + 1, sizeof **numbers);
    for (struct dirent *entry; folder != NULL && n < HOME_STUDIES_MAX && (entry = readdir(folder)) != NULL;)
        if (is_number(entry->d_name))
            (*numbers)[n++] = arena_strdup(arena, entry->d_name);
    if (folder != NULL)
        closedir(folder);
    qsort(*numbers, n, sizeof **numbers, newest_first);
    return n;
}

const char *home_text(struct arena *arena, const struct home *home, const char *number, const char *name)
{
    struct bytes text = {0};
    const char *found = "";
    if (file_read(&text, home_path(arena, home, number, name), HOME_TEXT_MAX, NULL) == MAILLE_OK)
        found = arena_strndup(arena, text.length > 0 ? (const char *)text.data : "", text.length);
    bytes_clear(&text);
    return found;
}

const char *home_query(struct arena *arena, const struct home *home, const char *number)
{
    enum { DIGITS = 64 };
    static const char mark[] = "{\"event\": \"asked\", \"query\": \"";
    const char *found = "";
    for (const char *line = home_text(arena, home, number, "events"); *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        /* where the line begins with the mark, and nowhere else */
        if (length >= sizeof mark - 1 + DIGITS && memcmp(line, mark, sizeof mark - 1) == 0 &&
            strspn(line + sizeof mark - 1, "0123456789abcdef") == DIGITS)
            found = arena_strndup(arena, line + sizeof mark - 1, DIGITS);
        line += length;
        line += *line == '\n';
    }
    return found;
}

/* --- who works at a study: whoever has locked a file, as the kernel says; to ask takes no lock --- */

int home_lock(struct arena *arena, const struct home *home, const char *number)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open(home_path(arena, home, number, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The process that has the lock; 0: nobody. */
static pid_t who_works(struct arena *arena, const struct home *home, const char *number)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t pid = 0;
    const int fd = open(home_path(arena, home, number, "lock"), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK)
        pid = whole.l_pid;
    close(fd);
    return pid > 1 ? pid : 0;
}

enum home_state home_state(struct arena *arena, const struct home *home, const char *number)
{
    if (who_works(arena, home, number) != 0)
        return HOME_RUNNING;
    return file_exists(home_path(arena, home, number, "result.json")) ? HOME_DONE : HOME_STOPPED;
}

void home_stop(struct arena *arena, const struct home *home, const char *number)
{
    enum { TRIES = 50, TRY_US = 100000 };
    const pid_t pid = who_works(arena, home, number);
    if (pid == 0 || kill(pid, SIGTERM) != 0)
        return;
    for (int i = 0; i < TRIES && who_works(arena, home, number) == pid; i++)
        usleep(TRY_US);
}

void home_stop_all(struct arena *arena, const struct home *home)
{
    const char **numbers;
    const size_t n = home_list(&numbers, arena, home);
    for (size_t i = 0; i < n; i++)
        home_stop(arena, home, numbers[i]);
}
