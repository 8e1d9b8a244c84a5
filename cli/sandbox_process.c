#include "cli/sandbox_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"

void sandbox_program_path(char *out, const char *name)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        if (slash != NULL) {
            *slash = '\0';
            if (snprintf(out, PATH_MAX, "%s/%s", self, name) < PATH_MAX && access(out, X_OK) == 0)
                return;
        }
    }
    snprintf(out, PATH_MAX, "%s", name);
}

enum maille_code sandbox_program_run(const char *const *argv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int ends[2] = {-1, -1}, status = 0;
    char said[4096] = "";
    size_t used = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return maille_fail_errno(error, "cannot make a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    if (pid < 0) {
        code = maille_fail_errno(error, "cannot start %s", argv[0]);
        goto out;
    }
    for (;;) {
        /* Its last paragraph is what matters, from its beginning: when the buffer is full, what stands before
         * it goes, or else what comes behind. */
        char rest[512];
        if (used == sizeof said - 1) {
            const char *last = said;
            for (const char *c = said; (c = strstr(c, "\n\n")) != NULL;)
                last = c += 2;
            used -= (size_t)(last - said);
            memmove(said, last, used + 1);
        }
        const bool is_full = used == sizeof said - 1;
        ssize_t got =
            is_full ? read(ends[0], rest, sizeof rest) : read(ends[0], said + used, sizeof said - 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += is_full ? 0 : (size_t)got;
        said[used] = '\0';
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        while (used > 0 && said[used - 1] == '\n')
            said[--used] = '\0';
        const char *fault = said; /* the last paragraph: an import prints a table before it */
        for (char *c = said; (c = strstr(c, "\n\n")) != NULL;)
            fault = c += 2;
        for (char *c = said; *c != '\0'; c++)
            if (*c == '\n')
                *c = ' ';
        code =
            maille_fail(error, WIFEXITED(status) && WEXITSTATUS(status) == 2 ? MAILLE_INVALID : MAILLE_FAILED,
                        "%s %s: %s", argv[0], argv[1], used > 0 ? fault : "stopped without a word");
    }
out:
    close(ends[0]);
    return code;
}

enum maille_code sandbox_daemon_start(const char *folder, const char *const *argv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], text[32];
    int said = -1;
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "program.log", error));
    said = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (said < 0) {
        code = maille_fail_errno(error, "cannot open %s", path);
        goto out;
    }
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(said, STDOUT_FILENO);
        dup2(said, STDERR_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0) {
        code = maille_fail_errno(error, "cannot start %s", argv[0]);
        goto out;
    }
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "pid", error));
    int length = snprintf(text, sizeof text, "%ld\n", (long)pid);
    MAILLE_TRY(file_write_atomic(path, text, (size_t)length, 0600, error));
out:
    if (said >= 0)
        close(said);
    return code;
}

/* A process whose first thread has ended is a zombie while others still end, and its locks are held until the
 * last one has. */
static bool threads_left(const char *pid)
{
    char path[300];
    size_t threads = 0;
    snprintf(path, sizeof path, "/proc/%.20s/task", pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;)
        threads += entry->d_name[0] != '.';
    if (tasks != NULL)
        closedir(tasks);
    return threads > 1;
}

/* Is a process alive, and of which group? One that has died but was not waited for yet (a zombie) is not. */
static bool process_alive(const char *pid, int *group)
{
    char path[300], line[512], state = 'Z';
    bool alive = false;
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *stat = fopen(path, "re");
    /* pid (name) state parent group …; the name may hold anything, so what follows its last bracket counts.
     */
    if (stat != NULL && fgets(line, sizeof line, stat) != NULL && strrchr(line, ')') != NULL &&
        sscanf(strrchr(line, ')') + 1, " %c %*d %d", &state, group) == 2)
        alive = (state != 'Z' && state != 'X') || threads_left(pid);
    if (stat != NULL)
        fclose(stat);
    return alive;
}

static bool group_alive(pid_t group)
{
    DIR *processes = opendir("/proc");
    bool alive = false;
    for (struct dirent *entry; processes != NULL && !alive && (entry = readdir(processes)) != NULL;) {
        int its_group = 0;
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            alive = process_alive(entry->d_name, &its_group) && its_group == group;
    }
    if (processes != NULL)
        closedir(processes);
    return alive;
}

static pid_t daemon_pid(const char *folder)
{
    struct bytes text = {0};
    struct maille_error ignored;
    char path[PATH_MAX], comm[64], digits[24];
    int group;
    uint64_t pid = 0;
    if (file_path_join(path, sizeof path, folder, "pid", &ignored) != MAILLE_OK ||
        file_read(&text, path, 32, &ignored) != MAILLE_OK)
        return 0;
    size_t length = text.length;
    while (length > 0 && text.data[length - 1] == '\n')
        length--;
    bool read = number_parse_u64((const char *)text.data, length, &pid);
    bytes_clear(&text);
    if (!read || pid < 2 || pid > INT_MAX)
        return 0;
    /* A number can be given to another process after a restart of the machine: the program must be one of
     * ours. Its name is readable even where the program has closed itself to other users. */
    snprintf(path, sizeof path, "/proc/%llu/comm", (unsigned long long)pid);
    FILE *name = fopen(path, "re");
    bool ours = name != NULL && fgets(comm, sizeof comm, name) != NULL &&
                strncmp(comm, "maille", 6) == 0; /* "maille" alone: forked, not yet the program */
    if (name != NULL)
        fclose(name);
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)pid);
    return ours && process_alive(digits, &group) ? (pid_t)pid : 0;
}

bool sandbox_daemon_running(const char *folder)
{
    return daemon_pid(folder) != 0;
}

/* The last line of FOLDER/program.log. */
static void last_words(char out[512], const char *folder)
{
    struct bytes text = {0};
    struct maille_error ignored;
    char path[PATH_MAX];
    snprintf(out, 512, "nothing in its log");
    if (file_path_join(path, sizeof path, folder, "program.log", &ignored) == MAILLE_OK &&
        file_read(&text, path, (size_t)64 << 20, &ignored) == MAILLE_OK && text.length > 1) {
        size_t end = text.length - (text.data[text.length - 1] == '\n'), start = end;
        while (start > 0 && text.data[start - 1] != '\n')
            start--;
        snprintf(out, 512, "%.*s", (int)(end - start), (const char *)text.data + start);
    }
    bytes_clear(&text);
}

enum maille_code sandbox_daemon_check(const char *folder, const char *name, int wait_ms,
                                      struct maille_error *error)
{
    char words[512];
    for (int64_t end = clock_monotonic_ms() + wait_ms;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (!sandbox_daemon_running(folder)) {
            last_words(words, folder);
            return maille_fail(error, MAILLE_FAILED, "%s stopped as soon as it was started: %s", name, words);
        }
        if (clock_monotonic_ms() >= end)
            return MAILLE_OK;
        poll(NULL, 0, 20);
    }
}

bool sandbox_daemon_stop(const char *folder, int signal, int timeout_ms)
{
    pid_t pid = daemon_pid(folder);
    if (pid == 0)
        return false;
    /* The daemon leads a session: its children are in its group. */
    if (signal == SIGKILL)
        kill(-pid, SIGKILL);
    else
        kill(pid, signal);
    int64_t end = clock_monotonic_ms() + timeout_ms;
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0) /* where it is a child of this very process */
            ;
        if (!group_alive(pid))
            break;
        if (clock_monotonic_ms() > end) {
            kill(-pid, SIGKILL);
            end += 1000;
        }
        poll(NULL, 0, 5);
    }
    return true;
}
