/* maille-coordinator serve: the daemon. One loop: take what has come, let the table judge it, make it durable
 * (one transaction, one fdatasync of the log), send the answers. Crash-only: what it cannot write down it
 * does not say, and then it stops. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/options.h"
#include "base/options_manual.h"
#include "base/wall.h"
#include "coordinator/commands.h"
#include "coordinator/coordinator.h"
#include "coordinator/figures.h"
#include "coordinator/settings.h"
#include "crypto/harden.h"

enum { RELOAD_MS = 2000, SIZES_MS = 60000 };

struct daemon {
    struct coordinator coordinator;
    struct wire_server *server;
    struct secret_keys *keys;
    struct arena *arena;
    struct coordinator_settings settings;
    struct wire_message message; /* its buffers are used again and again */
    const char *endpoint;        /* as it was bound: the port that was found when none was given */
    int signals;
    const char *dir;
    struct coordinator_page *page; /* of figures */
    int figures;                   /* DIR/status; -1: none */
    int notify;                    /* the service manager's socket; −1: none */
    int64_t tick_ms, reload_ms, beat_ms, sizes_ms;
    bool stop;
};

static enum maille_code open_socket(struct daemon *daemon, struct maille_error *error)
{
    const char *endpoint = daemon->endpoint == NULL ? daemon->settings.endpoint : daemon->endpoint;
    enum maille_code code = wire_server_open(&daemon->server, endpoint, daemon->keys, network_admit,
                                             daemon->coordinator.network, error);
    if (code != MAILLE_OK)
        return code;
    struct wire_limits limits = wire_limits_standard;
    limits.connections = daemon->settings.connections_max;
    limits.handshakes = WIRE_HANDSHAKES_EACH * limits.connections;
    wire_server_limit(daemon->server, &limits);
    daemon->endpoint = arena_strdup(daemon->arena, wire_server_endpoint(daemon->server));
    return MAILLE_OK;
}

/* The folder is read and not written from now on, but for the log and the files of the database, which are
 * open; `network` is replaced by whoever brings a newer one, so its folder is read as well. */
static enum maille_code raise_walls(struct daemon *daemon, const char *dir, const char *network,
                                    struct maille_error *error)
{
    static const char *const databases[] = {"coordinator.db", "coordinator.db-wal", "coordinator.db-shm"};
    enum { N_DATABASES = sizeof databases / sizeof *databases };
    enum maille_code code = MAILLE_OK;
    const struct wall_kernel kernel = wall_kernel();
    const bool without = daemon->settings.walls == 1;
    const char *port = strrchr(daemon->settings.endpoint, ':');
    char log[PATH_MAX], beside[PATH_MAX], kept[N_DATABASES][PATH_MAX], words[WALL_WORDS_BYTES];
    struct wall_path paths[N_DATABASES + 6] = {{dir, WALL_READ},
                                               {beside, WALL_READ},
                                               {log, WALL_READ | WALL_WRITE},
                                               {"/etc/hosts", WALL_READ},
                                               {"/sys/devices/system/cpu", WALL_READ},
                                               {"/dev/urandom", WALL_READ}};
    file_folder_of(beside, network);
    MAILLE_TRY(file_path_join(log, sizeof log, dir, "log", error));
    for (size_t i = 0; i < N_DATABASES; i++) {
        MAILLE_TRY(file_path_join(kept[i], sizeof kept[i], dir, databases[i], error));
        paths[6 + i] = (struct wall_path){kept[i], WALL_READ | WALL_WRITE};
    }
    const struct wall wall = {.profile = WALL_COORDINATOR,
                              .paths = paths,
                              .n_paths = sizeof paths / sizeof *paths,
                              .listen_port =
                                  port == NULL || atoi(port + 1) == 0 ? WALL_PORT_ANY : atoi(port + 1),
                              .without_landlock = without};
    MAILLE_TRY(wall_raise(&wall, error));
    wall_words(words, &kernel, without);
    log_line(without ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "%s", words);
out:
    return code;
}

/* Signals come through a descriptor, so that they are seen where messages are. Threads inherit the mask. */
static enum maille_code catch_signals(struct daemon *daemon, struct maille_error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    daemon->signals = -1;
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
        (daemon->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return maille_fail_errno(error, "cannot wait for signals");
    return MAILLE_OK;
}

/* Everybody dials the port that the directory names. */
static void compare_ports(const struct daemon *daemon)
{
    const char *told = network_directory(daemon->coordinator.network)->coordinator.endpoint;
    const char *own_port = strrchr(daemon->endpoint, ':'), *told_port = strrchr(told, ':');
    if (own_port != NULL && told_port != NULL && strcmp(own_port, told_port) != 0)
        log_line(LOG_LEVEL_WARNING,
                 "listening at %s, and the directory tells everybody to dial %s: nobody will find this "
                 "coordinator "
                 "unless the port is forwarded; correct endpoint in coordinator.yaml, or have the directory "
                 "signed anew",
                 daemon->endpoint, told);
}

static void show_figures(void *context, struct bytes *out)
{
    const struct daemon *daemon = context;
    int64_t values[FIGURES_ROWS];
    void *const pages[] = {daemon->page};
    figures_take(values, coordinator_figure_rows, FIGURES_ROWS, pages);
    figures_prometheus(out, "maille_coordinator", coordinator_figure_rows, FIGURES_ROWS, values);
}

/* The page that is counted in, the file and, where coordinator.yaml names one, the port at which it is read:
 * before there is a key here, which the process behind that port must not have. */
static enum maille_code open_figures(struct daemon *daemon, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *where = daemon->settings.metrics;
    const struct metrics metrics = {.name = "maille-metrics",
                                    .text = show_figures,
                                    .context = daemon,
                                    .without_landlock = daemon->settings.walls == 1};
    void *page = NULL;
    int fd;
    MAILLE_TRY(figures_page(&page, error));
    daemon->page = page;
    figure_set(&daemon->page->started_ms, clock_utc_ms());
    figure_set(&daemon->page->pid, getpid());
    MAILLE_TRY(figures_file_open(&daemon->figures, daemon->dir, error));
    if (where[0] == '\0')
        goto out;
    MAILLE_TRY(metrics_listen(&fd, where, error));
    MAILLE_TRY(metrics_start(&metrics, fd, error));
    log_line(LOG_LEVEL_INFO, "Prometheus may read http://%s/metrics", where);
out:
    return code;
}

static enum maille_code daemon_open(struct daemon *daemon, const char *dir, const char *network,
                                    const char *credential, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct coordinator *coordinator = &daemon->coordinator;
    char path[PATH_MAX];
    char given[PATH_MAX], warning[MAILLE_SENTENCE_MAX], local[WIRE_ENDPOINT_BYTES];
    if (credential == NULL && keyfile_unlock(NULL).passphrase == NULL && credential_given(given))
        credential = given;
    struct key_unlock unlock;
    daemon->signals = -1;
    daemon->arena = arena_new();
    if (daemon->arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to start, found none");
    MAILLE_TRY(crypto_harden(error));
    MAILLE_TRY(catch_signals(daemon, error));
    if (credential_warning(warning, sizeof warning, credential, dir) != NULL)
        log_line(LOG_LEVEL_WARNING, "%s", warning);
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "coordinator.yaml", error));
    MAILLE_TRY(coordinator_settings_read(&daemon->settings, daemon->arena, path, error));
    daemon->dir = dir;
    MAILLE_TRY(open_figures(daemon, error));
    daemon->notify = notify_open();
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "coordinator.key", error));
    MAILLE_TRY(coordinator_unlock(&unlock, path, credential, error));
    MAILLE_TRY(keyfile_read(&daemon->keys, path, &unlock, error));
    if (network == NULL && daemon->settings.directory[0] != '/')
        MAILLE_TRY(file_path_join(path, sizeof path, dir, daemon->settings.directory, error));
    else
        snprintf(path, sizeof path, "%s", network == NULL ? daemon->settings.directory : network);
    const struct coordinator_options options = {.folder = dir,
                                                .directory = path,
                                                .keys = daemon->keys,
                                                .held_max = (size_t)daemon->settings.held_bytes_max,
                                                .bytes_max = (uint64_t)daemon->settings.round_bytes_max,
                                                .quotas = daemon->settings.quotas,
                                                .query_retention_days = daemon->settings.query_retention_days,
                                                .log_retention_months =
                                                    (uint32_t)daemon->settings.log_retention_months};
    MAILLE_TRY(coordinator_open(coordinator, &options, error));
    /* Behind the walls no name is looked up. */
    MAILLE_TRY(wire_endpoint_local(local, daemon->settings.endpoint, error));
    daemon->settings.endpoint = arena_strdup(daemon->arena, local);
    MAILLE_TRY(raise_walls(daemon, dir, path, error));
    MAILLE_TRY(open_socket(daemon, error));
    log_line(LOG_LEVEL_INFO, "%s of %s listens at %s; directory version %llu, %zu sites",
             secret_keys_name(daemon->keys), network_directory(coordinator->network)->network,
             daemon->endpoint, (unsigned long long)network_directory(coordinator->network)->version,
             network_directory(coordinator->network)->n_sites);
    compare_ports(daemon);
    notify_say(daemon->notify, "READY=1\nSTATUS=listens");
out:
    return code;
}

static void daemon_close(struct daemon *daemon)
{
    wire_server_free(daemon->server);
    coordinator_clear(&daemon->coordinator);
    secret_keys_free(daemon->keys);
    wire_message_clear(&daemon->message);
    if (daemon->signals >= 0)
        close(daemon->signals);
    if (daemon->figures >= 0)
        close(daemon->figures);
    if (daemon->notify >= 0)
        close(daemon->notify);
    arena_free(daemon->arena);
}

static enum maille_code send_one(void *context, const struct outgoing *out, bool *sent,
                                 struct maille_error *error)
{
    const struct daemon *daemon = context;
    const struct parcel *parcel = out->parcel;
    const enum maille_code code = wire_server_send(
        daemon->server, out->peer, out->address, parcel->envelope.data, parcel->envelope.length,
        parcel->has_frame ? parcel->frame.data : NULL, parcel->frame.length, sent, error);
    if (code == MAILLE_OK && *sent) {
        figure_add(&daemon->page->messages_sent, 1);
        figure_add(&daemon->page->bytes_sent,
                   (int64_t)(parcel->envelope.length + (parcel->has_frame ? parcel->frame.length : 0)));
    }
    return code;
}

static enum maille_code reload(struct daemon *daemon, bool always, struct maille_error *error)
{
    struct coordinator *coordinator = &daemon->coordinator;
    struct maille_error refused = {0};
    bool changed, rekeyed;
    size_t sent;
    enum maille_code code = network_reload(coordinator->network, coordinator->store, daemon->keys, always,
                                           &changed, &rekeyed, &refused);
    if (code !=
        MAILLE_OK) { /* a file that is being written, or that nobody signed: the old one stays in force */
        log_line(LOG_LEVEL_WARNING, "the directory stays as it was: %s", refused.sentence);
        return MAILLE_OK;
    }
    if (changed)
        log_line(LOG_LEVEL_INFO, "directory version %llu is in force",
                 (unsigned long long)network_directory(coordinator->network)->version);
    if (!changed)
        return MAILLE_OK;
    compare_ports(daemon);
    code = coordinator_note_loss(coordinator, error);
    if (code == MAILLE_OK)
        code = coordinator_revoke(coordinator, error);
    if (code != MAILLE_OK)
        return code;
    if (!rekeyed)
        return MAILLE_OK;
    /* libzmq 4.3.4 cannot disconnect one peer: everybody dials again, and the ZAP handler judges anew. Who is
     * to hear of it hears of it first. */
    code = coordinator_settle(coordinator, &sent, send_one, daemon, error);
    if (code != MAILLE_OK)
        return code;
    wire_server_free(daemon->server);
    daemon->server = NULL;
    return open_socket(daemon, error);
}

static enum maille_code take_signals(struct daemon *daemon, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct signalfd_siginfo info;
    while (code == MAILLE_OK && read(daemon->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            notify_say(daemon->notify, "RELOADING=1");
            code = reload(daemon, true, error);
            notify_say(daemon->notify, "READY=1");
        } else
            daemon->stop = true;
    }
    return code;
}

/* Takes what has come, up to a batch. *n: how many. */
static enum maille_code take_messages(struct daemon *daemon, size_t *n, struct maille_error *error)
{
    struct coordinator *coordinator = &daemon->coordinator;
    enum maille_code code = MAILLE_OK;
    bool got = true;
    for (*n = 0; code == MAILLE_OK && got && *n < (size_t)daemon->settings.batch_messages; *n += got) {
        code = wire_server_receive(daemon->server, &daemon->message, 0, &got, error);
        if (code != MAILLE_OK || !got)
            continue;
        figure_add(&daemon->page->messages_received, 1);
        figure_add(&daemon->page->bytes_received,
                   (int64_t)(daemon->message.envelope.length + daemon->message.frame.length));
        figure_set(&daemon->page->heard_ms, clock_utc_ms());
        code = coordinator_handle(coordinator, &daemon->message, error);
    }
    return code;
}

/* Who was hung up on. As often as handshakes are let in: the log of the program does not grow faster. */
static void tell_hangups(struct daemon *daemon)
{
    struct wire_hangup hangup;
    while (wire_server_hangup(daemon->server, &hangup)) {
        const char *peer = hangup.peer[0] != '\0' ? hangup.peer : "somebody who said nothing yet";
        const unsigned long long passed = hangup.figure;
        figure_add(&daemon->page->hangups, 1);
        if (hangup.why == WIRE_CONNECTIONS)
            log_line(LOG_LEVEL_WARNING, "hung up on %s: %llu connections at once (connections_max)", peer,
                     passed);
        else if (hangup.why == WIRE_HANDSHAKES)
            log_line(LOG_LEVEL_WARNING,
                     "did not let %s in: more than %llu new connections in a minute "
                     "(connections_max)",
                     peer, passed);
        else if (hangup.why == WIRE_SILENT)
            log_line(LOG_LEVEL_WARNING, "hung up on a connection by which nothing came in %llu s", passed);
        else
            log_line(LOG_LEVEL_WARNING,
                     "hung up on %s: %llu bytes of its messages wait to be whole, read or sent", peer,
                     passed);
    }
}

/* Says that this program is there, and what it counted. */
static void beat(struct daemon *daemon, int64_t now_ms)
{
    const bool sizes = now_ms >= daemon->sizes_ms;
    figure_set(&daemon->page->messages_dropped, (int64_t)wire_server_dropped(daemon->server));
    notify_say(daemon->notify, "WATCHDOG=1");
    coordinator_page_beat(daemon->page, &daemon->coordinator, daemon->dir, daemon->figures, sizes);
    daemon->beat_ms = now_ms + FIGURES_BEAT_MS;
    daemon->sizes_ms = sizes ? now_ms + SIZES_MS : daemon->sizes_ms;
}

static enum maille_code daemon_run(struct daemon *daemon, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    while (!daemon->stop) {
        size_t n, sent;
        MAILLE_TRY(take_messages(daemon, &n, error));
        tell_hangups(daemon);
        int64_t now = clock_monotonic_ms();
        if (now >= daemon->tick_ms) {
            MAILLE_TRY(coordinator_tick(&daemon->coordinator, error));
            daemon->tick_ms = now + TICK_MS;
        }
        if (now >= daemon->beat_ms)
            beat(daemon, now);
        if (now >= daemon->reload_ms) {
            MAILLE_TRY(reload(daemon, false, error));
            daemon->reload_ms = now + RELOAD_MS;
        }
        MAILLE_TRY(coordinator_settle(&daemon->coordinator, &sent, send_one, daemon, error));
        struct pollfd ready[] = {{.fd = wire_server_fd(daemon->server), .events = POLLIN},
                                 {.fd = daemon->signals, .events = POLLIN}};
        /* The socket's descriptor tells of changes only: after a message or a sending, look again before
         * waiting. */
        const int64_t left = daemon->tick_ms - clock_monotonic_ms();
        const int wait = n > 0 || sent > 0 ? 0 : left < 0 ? 0 : (int)left;
        if (poll(ready, 2, wait) < 0 && errno != EINTR) {
            code = maille_fail_errno(error, "cannot wait for messages");
            goto out;
        }
        MAILLE_TRY(take_signals(daemon, error));
    }
    notify_say(daemon->notify, "STOPPING=1");
    code = coordinator_note(&daemon->coordinator, "stop", error);
out:
    return code;
}

int coordinator_serve(int argc, char **argv)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error error = {0};
    struct daemon daemon = {.signals = -1, .figures = -1, .notify = -1};
    const char *dir = NULL, *network = NULL, *credential = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "DIR",
         .sentence = "folder that init made",
         .required = true},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &network,
         .argument = "FILE",
         .sentence = "the signed directory (default: as coordinator.yaml says)"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence = "32-byte file that opens coordinator.key (default: $MAILLE_PASSPHRASE, else the service "
                     "manager's "
                     "or container's secret \"maille\")"},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-coordinator serve",
                                       .positional = "",
                                       .sentence = "Relays, adds what it cannot read, and stores what must "
                                                   "not be forgotten. SIGTERM stops it; SIGHUP reads "
                                                   "the directory again."};
    log_open("maille-coordinator", NULL, LOG_LEVEL_INFO);
    MAILLE_TRY(options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error));
    if (done) {
        daemon.arena = arena_new();
        if (daemon.arena != NULL && options_manual_kind(argc, argv) == MANUAL_NONE)
            printf("\n%s\n", coordinator_settings_help(daemon.arena));
        arena_free(daemon.arena);
        return 0;
    }
    MAILLE_TRY(crypto_start(&error));
    MAILLE_TRY(daemon_open(&daemon, dir, network, credential, &error));
    MAILLE_TRY(daemon_run(&daemon, &error));
    log_line(LOG_LEVEL_INFO, "stopped");
out:
    daemon_close(&daemon);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-coordinator", &error);
}
