/* maille-worker serve: the supervisor. It keeps no secret, starts data, vault and net, and starts them again
 * when one dies, when a new snapshot or directory is there, or on SIGHUP. Crash-only: whatever happens, all
 * children begin anew from what is on disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/options.h"
#include "base/wall.h"
#include "crypto/harden.h"
#include "crypto/hash.h"
#include "worker/commands.h"
#include "worker/owners.h"
#include "worker/process.h"
#include "worker/supervise.h"
#include "worker/walls.h"

enum {
    STOP_MS = 3000,
    BACKOFF_MAX_MS = 30000,
    STEADY_MS = 60000,
    MONTH_LOOK_MS = 3600 * 1000,
    SIZES_MS = 60000
};

struct supervisor {
    const char *dir, *credential;
    struct site_files files;
    struct children children;
    struct site_engine engine;
    struct owners owners;
    struct worker_pages pages;
    struct wire_way *way;    /* the socket of net's thread, which can make none behind the walls */
    int notify;              /* the service manager's socket; −1: none */
    int signals, watch, etc; /* etc: the watch's number of /etc; −1: none */
    int64_t started_ms, backoff_ms, month_ms, beat_ms, sizes_ms;
    bool stop, reload, ever_steady;
    int status; /* to exit with */
    char build[2 * HASH_BYTES + 1], given[PATH_MAX];
};

static bool has_engine(const struct supervisor *supervisor)
{
    return supervisor->engine.driver != NULL;
}

static enum maille_code open_events(struct supervisor *supervisor, struct maille_error *error)
{
    char path[PATH_MAX];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return maille_fail_errno(error, "cannot wait for signals");
    enum maille_code code = file_path_join(path, sizeof path, supervisor->dir, "snapshots", error);
    if (code != MAILLE_OK)
        return code;
    supervisor->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (supervisor->watch < 0 || inotify_add_watch(supervisor->watch, path, IN_MOVED_TO) < 0)
        return maille_fail_errno(error, "cannot watch %s", path);
    supervisor->etc = inotify_add_watch(supervisor->watch, "/etc", IN_MOVED_TO | IN_CREATE);
    return MAILLE_OK;
}

/* A wall knows the file that was there: one that takes its place cannot be read, by nobody behind it. */
static void names_replaced(const char *name)
{
    if (strcmp(name, "resolv.conf") == 0 || strcmp(name, "hosts") == 0)
        log_line(LOG_LEVEL_WARNING,
                 "/etc/%s was replaced: hosts are looked up as it was until this program is started again",
                 name);
}

/* A new index means a new snapshot. */
static void read_watch(struct supervisor *supervisor)
{
    _Alignas(struct inotify_event) char buffer[4096];
    for (;;) {
        ssize_t got = read(supervisor->watch, buffer, sizeof buffer);
        if (got <= 0)
            return;
        for (char *at = buffer; at < buffer + got;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            if (event->len > 0 && event->wd == supervisor->etc)
                names_replaced(event->name);
            else if (event->len > 0 && strcmp(event->name, "index") == 0) {
                log_line(LOG_LEVEL_INFO, "there is a new snapshot");
                supervisor->reload = true;
            }
            at += sizeof *event + event->len;
        }
    }
}

/* A child that ended by itself: what it said with its status decides. */
static void child_ended(struct supervisor *supervisor, const char *name, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == PROCESS_RELOAD) {
        supervisor->reload = true;
        return;
    }
    /* A role of the database that may do too much is looked at when it answers, which may take a while. */
    const bool is_source = strcmp(name, "source") == 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == PROCESS_CONFIG &&
        (!supervisor->ever_steady || is_source)) {
        supervisor->stop = true;
        supervisor->status = 2;
        return;
    }
    if (WIFSIGNALED(status))
        log_line(LOG_LEVEL_WARNING, "the process %s was ended by signal %d", name, WTERMSIG(status));
    else
        log_line(LOG_LEVEL_WARNING, "the process %s ended with status %d", name, WEXITSTATUS(status));
}

/* True when a child is gone. */
static bool reap(struct supervisor *supervisor)
{
    bool gone = false;
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return gone;
        const char *name = children_gone(&supervisor->children, pid);
        if (name == NULL) {
            if (WIFSIGNALED(status))
                log_line(LOG_LEVEL_ERROR, "the monthly snapshot's process was ended by signal %d",
                         WTERMSIG(status));
            continue;
        }
        child_ended(supervisor, name, status);
        gone = true;
    }
}

static void read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            supervisor->stop = true;
        else if (info.ssi_signo == SIGHUP)
            supervisor->reload = true;
    }
}

/* Says that this program is there, and what it counted, when it is time. */
static void beat(struct supervisor *supervisor, bool now)
{
    struct supervisor_figures *own = supervisor->pages.pages[PAGE_SUPERVISOR];
    const int64_t now_ms = clock_monotonic_ms();
    int64_t processes = 0;
    if (!now && now_ms < supervisor->beat_ms)
        return;
    for (int child = 0; child < CHILDREN; child++)
        processes += supervisor->children.pids[child] != 0;
    figure_set(&own->processes, processes);
    figure_set(&own->directory_version, (int64_t)supervisor->files.directory->version);
    const bool sizes = now || now_ms >= supervisor->sizes_ms;
    worker_pages_beat(&supervisor->pages, supervisor->dir, sizes);
    notify_say(supervisor->notify, "WATCHDOG=1");
    supervisor->beat_ms = now_ms + FIGURES_BEAT_MS;
    supervisor->sizes_ms = sizes ? now_ms + SIZES_MS : supervisor->sizes_ms;
}

/* Waits for signals, snapshots, the next beat and (timeout_ms ≥ 0) the clock. *gone: a child has ended. */
static void wait_events(struct supervisor *supervisor, int timeout_ms, bool *gone)
{
    beat(supervisor, false);
    const int64_t next_ms = supervisor->beat_ms - clock_monotonic_ms();
    if (timeout_ms < 0 || timeout_ms > next_ms)
        timeout_ms = next_ms > 0 ? (int)next_ms : 0;
    struct pollfd ready[2] = {{.fd = supervisor->signals, .events = POLLIN},
                              {.fd = supervisor->watch, .events = POLLIN}};
    poll(ready, 2, timeout_ms);
    read_signals(supervisor);
    read_watch(supervisor);
    *gone = reap(supervisor);
}

/* Reads the files again; what is wrong with them is said, and the old ones stay in force. */
static bool reread(struct supervisor *supervisor)
{
    struct maille_error error = {0};
    struct site_files files;
    if (site_files_read(&files, supervisor->dir, supervisor->credential, &error) != MAILLE_OK) {
        log_line(LOG_LEVEL_ERROR, "going on with what was read before: %s", error.sentence);
        return false;
    }
    site_files_clear(&supervisor->files);
    supervisor->files = files;
    log_open("maille-worker", NULL, (enum log_level)(int)files.settings.log_level);
    return true;
}

/* Once an hour a process of its own looks whether there is a snapshot of this month, and makes one where
 * there is none: every site does so each month, so that the number of a snapshot says nothing of objections.
 */
static void look_at_month(struct supervisor *supervisor)
{
    const int64_t now_ms = clock_monotonic_ms();
    /* the role that serves cannot write its tables: the site imports each month */
    if (has_engine(supervisor))
        return;
    if (supervisor->month_ms != 0 && now_ms - supervisor->month_ms < MONTH_LOOK_MS)
        return;
    supervisor->month_ms = now_ms;
    const pid_t pid = fork();
    if (pid == 0) {
        struct maille_error error = {0};
        close(supervisor->signals);
        close(supervisor->watch);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        /* Not freopen: what is printed passes a stream of base/display.h, which has no file of its own. */
        close(STDOUT_FILENO); /* and not dup2, which the walls do not know: the lowest number is the next */
        const bool done = open("/dev/null", O_WRONLY) == STDOUT_FILENO &&
                          import_monthly(supervisor->dir, supervisor->credential, &error) == MAILLE_OK;
        if (!done)
            log_line(LOG_LEVEL_ERROR, "no snapshot of this month was made: %s",
                     error.sentence[0] != '\0' ? error.sentence : strerror(errno));
        _exit(done ? 0 : PROCESS_FAILED);
    }
    if (pid < 0)
        log_line(LOG_LEVEL_ERROR, "no snapshot of this month was made: no process can be started");
}

static enum maille_code start(struct supervisor *supervisor, struct maille_error *error)
{
    const int close_fds[] = {supervisor->signals, supervisor->watch, supervisor->notify};
    supervisor->started_ms = clock_monotonic_ms();
    supervisor->files.build = supervisor->build[0] != '\0' ? supervisor->build : NULL;
    supervisor->files.pages = &supervisor->pages;
    supervisor->files.way = supervisor->way;
    supervisor->files.engine = has_engine(supervisor) ? &supervisor->engine : NULL;
    enum maille_code code =
        children_start(&supervisor->children, &supervisor->files, &supervisor->owners, close_fds, 3, error);
    if (code != MAILLE_OK)
        children_stop(&supervisor->children, STOP_MS);
    beat(supervisor, true);
    return code;
}

/* After a death: wait, longer each time, then start. Returns at once when asked to stop. */
static void start_again(struct supervisor *supervisor)
{
    struct maille_error error = {0};
    bool gone;
    struct supervisor_figures *own = supervisor->pages.pages[PAGE_SUPERVISOR];
    const int64_t first_ms = (int64_t)supervisor->files.settings.restart_after_ms;
    figure_add(&own->restarts, 1);
    if (supervisor->backoff_ms == 0 || clock_monotonic_ms() - supervisor->started_ms >= STEADY_MS)
        supervisor->backoff_ms = first_ms;
    for (;;) {
        int64_t until_ms = clock_monotonic_ms() + supervisor->backoff_ms, left;
        log_line(LOG_LEVEL_INFO, "starting again in %lld ms", (long long)supervisor->backoff_ms);
        while (!supervisor->stop && (left = until_ms - clock_monotonic_ms()) > 0)
            wait_events(supervisor, (int)left, &gone);
        if (supervisor->stop)
            return;
        supervisor->reload = false;
        reread(supervisor);
        supervisor->backoff_ms =
            2 * supervisor->backoff_ms < BACKOFF_MAX_MS ? 2 * supervisor->backoff_ms : BACKOFF_MAX_MS;
        if (start(supervisor, &error) == MAILLE_OK)
            return;
        log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
    }
}

/* The files have proved themselves. */
static void steady(struct supervisor *supervisor)
{
    if (!supervisor->ever_steady)
        notify_say(supervisor->notify, "READY=1\nSTATUS=serves");
    supervisor->ever_steady = true;
}

static void run(struct supervisor *supervisor)
{
    while (!supervisor->stop) {
        bool gone = false;
        int64_t lived_ms = clock_monotonic_ms() - supervisor->started_ms;
        /* After a second the configuration has proved itself: from then on a fault is something to recover
         * from. */
        look_at_month(supervisor);
        wait_events(supervisor,
                    supervisor->ever_steady ? MONTH_LOOK_MS : (int)(lived_ms < 1000 ? 1000 - lived_ms : 0),
                    &gone);
        if (!gone && clock_monotonic_ms() - supervisor->started_ms >= 1000)
            steady(supervisor);
        if (supervisor->stop)
            break;
        if (supervisor->reload) {
            struct maille_error error = {0};
            notify_say(supervisor->notify, "RELOADING=1");
            supervisor->reload = false;
            if (!reread(supervisor) && !gone) {
                notify_say(supervisor->notify, "READY=1\nSTATUS=serves, with the files that it read before");
                continue;
            }
            children_stop(&supervisor->children, STOP_MS);
            if (start(supervisor, &error) == MAILLE_OK) {
                notify_say(supervisor->notify, "READY=1\nSTATUS=serves");
                continue;
            }
            log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
            gone = true;
        }
        if (gone) {
            children_stop(&supervisor->children, STOP_MS);
            start_again(supervisor);
        }
    }
    notify_say(supervisor->notify, "STOPPING=1");
    children_stop(&supervisor->children, STOP_MS);
}

static void show_figures(void *context, struct bytes *out)
{
    const struct supervisor *supervisor = context;
    int64_t values[FIGURES_ROWS];
    figures_take(values, worker_figure_rows, FIGURES_ROWS, supervisor->pages.pages);
    figures_prometheus(out, "maille_worker", worker_figure_rows, FIGURES_ROWS, values);
}

/* The pages that everybody counts in, the file and, where worker.yaml names one, the port at which they are
 * read. */
static enum maille_code open_figures(struct supervisor *supervisor, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *where = supervisor->files.settings.metrics;
    const struct metrics metrics = {.name = "maille-metrics",
                                    .text = show_figures,
                                    .context = supervisor,
                                    .without_landlock =
                                        supervisor->files.settings.walls == WALLS_WITHOUT_LANDLOCK};
    int fd;
    MAILLE_TRY(worker_pages_open(&supervisor->pages, supervisor->dir, error));
    if (where[0] == '\0')
        goto out;
    MAILLE_TRY(metrics_listen(&fd, where, error));
    MAILLE_TRY(metrics_start(&metrics, fd, error));
    log_line(LOG_LEVEL_INFO, "Prometheus may read http://%s/metrics", where);
out:
    return code;
}

/* Walls first, then secrets: nothing but files of this folder has been read so far. */
static enum maille_code raise_walls(struct supervisor *supervisor, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct wall_kernel kernel = wall_kernel();
    const bool without = supervisor->files.settings.walls == WALLS_WITHOUT_LANDLOCK;
    struct digest program;
    char words[WALL_WORDS_BYTES];
    const char *users;
    if (hash_file(&program, "/proc/self/exe", error) == MAILLE_OK)
        bytes_to_hex(supervisor->build, program.b, HASH_BYTES);
    owners_find(&supervisor->owners, supervisor->dir, has_engine(supervisor), &users);
    MAILLE_TRY(owners_find_group(&supervisor->owners, supervisor->files.settings.spool_group, error));
    MAILLE_TRY(walls_raise(CHILDREN, &supervisor->files, error));
    wall_words(words, &kernel, without);
    log_line(without ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "%s; %s", words, users);
out:
    return code;
}

static enum maille_code serve(struct supervisor *supervisor, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char warning[MAILLE_SENTENCE_MAX];
    log_open("maille-worker", NULL, LOG_LEVEL_INFO);
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(crypto_harden(error));
    if (supervisor->credential == NULL && keyfile_unlock(NULL).passphrase == NULL &&
        credential_given(supervisor->given))
        supervisor->credential = supervisor->given;
    MAILLE_TRY(site_files_read(&supervisor->files, supervisor->dir, supervisor->credential, error));
    log_open("maille-worker", NULL, (enum log_level)(int)supervisor->files.settings.log_level);
    if (credential_warning(warning, sizeof warning, supervisor->credential, supervisor->dir) != NULL)
        log_line(LOG_LEVEL_WARNING, "%s", warning);
    MAILLE_TRY(open_events(supervisor, error));
    MAILLE_TRY(open_figures(supervisor, error));
    if (supervisor->files.settings.proxy[0] != '\0') {
        MAILLE_TRY(wire_way_open(&supervisor->way, supervisor->files.settings.proxy,
                                 supervisor->files.settings.proxy_credential, error));
        log_line(LOG_LEVEL_INFO, "the way out is %s", supervisor->files.settings.proxy);
    }
    if (supervisor->files.settings.source == SOURCE_ENGINE) {
        MAILLE_TRY(source_find(&supervisor->engine, &supervisor->files.settings, error));
        supervisor->files.engine = &supervisor->engine;
    }
    supervisor->notify = notify_open();
    MAILLE_TRY(raise_walls(supervisor, error));
    MAILLE_TRY(start(supervisor, error));
    log_line(LOG_LEVEL_INFO, "%s serves the network %s", supervisor->dir,
             supervisor->files.directory->network);
    run(supervisor);
    beat(supervisor, true);
    log_line(LOG_LEVEL_INFO, "stopped");
out:
    if (supervisor->signals >= 0)
        close(supervisor->signals);
    if (supervisor->watch >= 0)
        close(supervisor->watch);
    if (supervisor->notify >= 0)
        close(supervisor->notify);
    source_clear(&supervisor->engine);
    wire_way_free(supervisor->way);
    site_files_clear(&supervisor->files);
    return code;
}

int worker_serve(int argc, char **argv)
{
    struct maille_error error = {0};
    struct supervisor supervisor = {
        .signals = -1, .watch = -1, .etc = -1, .notify = -1, .pages = {.file = -1}};
    struct arena *arena = arena_new();
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &supervisor.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &supervisor.credential,
         .argument = "FILE",
         .sentence =
             "32-byte file that opens site.key (default: $MAILLE_PASSPHRASE, else the service manager's "
             "or container's secret \"maille\")"},
        {.name = NULL},
    };
    const char *help = arena != NULL ? worker_settings_help(arena) : "";
    const char *sentence =
        arena != NULL
            ? arena_printf(arena,
                           "Answers the network's studies until it is stopped (SIGTERM or Ctrl-C).\n"
                           "SIGHUP reads policy.yaml, worker.yaml and network.yaml again; a new snapshot is "
                           "taken at once.\n\n%s",
                           help)
            : "";
    const struct option_usage usage = {
        .program = "maille-worker serve", .positional = "", .sentence = sentence};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = serve(&supervisor, &error);
    arena_free(arena);
    return code == MAILLE_OK ? supervisor.status : options_program_fail("maille-worker", &error);
}
