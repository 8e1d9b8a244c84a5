#include "worker/supervise.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/harden.h"
#include "disclosure/policy.h"
#include "worker/channel.h"
#include "worker/commands.h"
#include "worker/owners.h"
#include "worker/process.h"
#include "worker/step.h"
#include "worker/studies.h"
#include "worker/walls.h"

static const char *const child_names[CHILDREN] = {"data", "step", "vault", "net", "source"};
static const char *const process_names[CHILDREN] = {"maille-data", "maille-step", "maille-vault",
                                                    "maille-net", "maille-source"}; /* in ps and top */
/* Where the vault leaves a newer directory: network.yaml is the supervisor's. */
#define RECEIVED "state/network.yaml"
enum { POLICY_BYTES_MAX = 65536 };

/* --- files --- */

static enum maille_code read_text(const char **text, size_t *length, struct arena *arena, const char *path,
                                  size_t limit, struct maille_error *error)
{
    struct bytes bytes = {0};
    enum maille_code code = file_read(&bytes, path, limit, error);
    if (code == MAILLE_OK) {
        *text = arena_strndup(arena, bytes.length > 0 ? (const char *)bytes.data : "", bytes.length);
        *length = bytes.length;
    }
    bytes_clear(&bytes);
    return code;
}

/* What state/ holds may have been written by somebody who took the vault over: it counts where the
 * authorities of the directory in force have signed it. */
static enum maille_code install_received(struct site_files *files, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error refused = {0};
    struct bytes text = {0};
    const struct directory *newer;
    char path[PATH_MAX];
    MAILLE_TRY(file_path_join(path, sizeof path, files->dir, RECEIVED, error));
    if (!file_exists(path))
        goto out;
    if (file_read_regular(&text, path, DIRECTORY_BYTES_MAX, &refused) != MAILLE_OK ||
        directory_accept(&newer, files->arena, RECEIVED, (const char *)text.data, text.length,
                         files->directory, &refused) != MAILLE_OK) {
        log_line(LOG_LEVEL_WARNING, "the directory in %s stays out: %s", path, refused.sentence);
    } else if (newer->version > files->directory->version) {
        MAILLE_TRY(file_write_atomic(files->network_path, text.data, text.length, 0600, error));
        log_line(LOG_LEVEL_INFO, "directory version %llu is in force", (unsigned long long)newer->version);
        files->directory = newer;
        files->network = newer->text;
        files->network_length = newer->text_length;
    }
    if (unlink(path) != 0)
        code = maille_fail_errno(error, "cannot remove %s", path);
out:
    bytes_clear(&text);
    return code;
}

enum maille_code site_files_read(struct site_files *files, const char *dir, const char *credential,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct site_files made = {.arena = arena_new(), .credential = credential};
    const struct policy *policy;
    char path[PATH_MAX];
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    made.dir = arena_strdup(made.arena, dir);
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "site.key", error));
    if (!file_exists(path)) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected a site in %s, found no site.key; make one with: maille-worker init", dir);
        goto out;
    }
    MAILLE_TRY(worker_settings_read(&made.settings, made.arena, dir, error));
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "policy.yaml", error));
    MAILLE_TRY(read_text(&made.policy, &made.policy_length, made.arena, path, POLICY_BYTES_MAX, error));
    MAILLE_TRY(policy_parse(&policy, made.arena, arena_strdup(made.arena, path), made.policy,
                            made.policy_length, error));
    MAILLE_TRY(worker_network_path(path, sizeof path, dir, &made.settings, error));
    if (!file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the network's signed directory at %s, found nothing; ask the network's "
                           "authority for it",
                           path);
        goto out;
    }
    made.network_path = arena_strdup(made.arena, path);
    MAILLE_TRY(read_text(&made.network, &made.network_length, made.arena, path, DIRECTORY_BYTES_MAX, error));
    MAILLE_TRY(directory_accept(&made.directory, made.arena, arena_strdup(made.arena, path), made.network,
                                made.network_length, NULL, error));
    MAILLE_TRY(install_received(&made, error));
    *files = made;
    made = (struct site_files){0};
out:
    site_files_clear(&made);
    return code;
}

void site_files_clear(struct site_files *files)
{
    arena_free(files->arena);
    *files = (struct site_files){0};
}

/* --- what each child does --- */

/* One fork's view of the socketpairs between the vault and each other child, and between data and source. */
struct ends {
    int of[CHILDREN][2]; /* per child; [0]: the vault's, of source data's. −1: none, as of the vault itself */
};

static int exit_status(enum maille_code code, const struct maille_error *error)
{
    if (code == MAILLE_OK)
        return PROCESS_RELOAD;
    /* The other end closed because its process ended: that one has said why. */
    log_line(code == MAILLE_INTERNAL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "%s", error->sentence);
    return PROCESS_FAILED;
}

/* The last thing before a child's own work. */
static void raise_walls(int child, const struct site_files *files)
{
    struct maille_error error = {0};
    if (walls_raise(child, files, &error) == MAILLE_OK)
        return;
    log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
    _exit(error.code == MAILLE_INVALID ? PROCESS_CONFIG : PROCESS_FAILED);
}

static int run_data(const struct site_files *files, const struct ends *ends)
{
    struct maille_error error = {0};
    struct data *data = NULL;
    char folder[PATH_MAX];
    enum maille_code code = file_path_join(folder, sizeof folder, files->dir, "snapshots", &error);
    if (code == MAILLE_OK)
        code = data_open(&data, folder, (unsigned)files->settings.threads, &error);
    if (code == MAILLE_OK)
        code = data_cache(data, (size_t)files->settings.column_cache_mb << 20, &error);
    struct source_remote rows = {.end = ends->of[CHILD_SOURCE][0]};
    const struct engine_reader reader = source_over(&rows);
    if (code == MAILLE_OK && files->engine != NULL)
        data_engine(data, &reader);
    if (code == MAILLE_OK)
        code = data_serve(data, ends->of[CHILD_DATA][1], &error);
    data_free(data);
    return exit_status(code, &error);
}

static int run_step(const struct ends *ends)
{
    struct maille_error error = {0};
    return exit_status(step_serve(ends->of[CHILD_STEP][1], &error), &error);
}

static int run_source(const struct site_files *files, const struct ends *ends)
{
    struct maille_error error = {0};
    const enum maille_code code = source_serve(files->engine, ends->of[CHILD_SOURCE][1], &error);
    source_clear(files->engine);
    if (code == MAILLE_INVALID) { /* the role, or the connection, is wrong */
        log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
        return PROCESS_CONFIG;
    }
    return exit_status(code, &error);
}

static void tell_operator(void *context, const char *line)
{
    const struct site_files *files = context;
    log_line(LOG_LEVEL_INFO, "%s", line);
    studies_note(files->dir, line);
}

static int run_vault(const struct site_files *files, struct secret_keys *keys, const struct ends *ends)
{
    struct maille_error error = {0};
    struct vault *vault = NULL;
    struct data_remote remote = {.end = ends->of[CHILD_DATA][0]};
    struct step_remote steps = {.end = ends->of[CHILD_STEP][0]};
    char received[PATH_MAX];
    enum maille_code code = file_path_join(received, sizeof received, files->dir, RECEIVED, &error);
    const struct vault_options options = {.folder = files->dir,
                                          .keys = keys,
                                          .directory_path = received,
                                          .directory = files->network,
                                          .directory_length = files->network_length,
                                          .build = files->build,
                                          .policy = files->policy,
                                          .policy_length = files->policy_length,
                                          .data = data_over(&remote),
                                          .step = step_over(&steps),
                                          .signatures = (unsigned)files->settings.officer_signatures,
                                          .duties = worker_settings_duties(files->arena, &files->settings),
                                          .log_retention_months =
                                              (uint32_t)files->settings.log_retention_months,
                                          .queries_max = (size_t)files->settings.queries_max,
                                          .tell = tell_operator,
                                          .tell_context = (void *)(uintptr_t)files,
                                          .figures = files->pages->pages[PAGE_VAULT]};
    if (code == MAILLE_OK)
        code = vault_hold_signals(&error);
    if (code == MAILLE_OK)
        code = vault_open(&vault, &options, &error);
    if (code != MAILLE_OK) {
        log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
        return code == MAILLE_IO || code == MAILLE_MEMORY || code == MAILLE_INTERNAL ? PROCESS_FAILED
                                                                                     : PROCESS_CONFIG;
    }
    code = vault_serve(vault, &(struct vault_others){&remote, &steps}, ends->of[CHILD_NET][0],
                       options.figures, &error);
    vault_free(vault);
    return exit_status(code, &error);
}

static int run_net(const struct site_files *files, struct net_options *options, const struct ends *ends)
{
    struct maille_error error = {0};
    options->hello_every_ms = (int64_t)files->settings.hello_every_ms;
    options->figures = files->pages->pages[PAGE_NET];
    options->way = files->way;
    return exit_status(net_serve(options, ends->of[CHILD_NET][1], &error), &error);
}

static void close_end(int end)
{
    if (end >= 0)
        close(end);
}

/* All but what a child needs: its own end, or of the vault one to each other, of data one to source. child
 * CHILDREN: all. */
static void close_others(const struct ends *ends, int child)
{
    for (int other = 0; other < CHILDREN; other++) {
        if (child != (other == CHILD_SOURCE ? CHILD_DATA : CHILD_VAULT))
            close_end(ends->of[other][0]);
        if (child != other)
            close_end(ends->of[other][1]);
    }
}

/* The passphrase that opens site.key came in the environment, and every child has a copy: net, which
 * strangers talk to, and data, which reads strangers' files, must not be able to open what they were not
 * given. */
static void forget_passphrase(void)
{
    char *passphrase = getenv("MAILLE_PASSPHRASE");
    if (passphrase != NULL) {
        crypto_wipe(passphrase, strlen(passphrase));
        unsetenv("MAILLE_PASSPHRASE");
    }
}

/* Dies with its parent, obeys SIGTERM, and leaves the terminal's signals to the supervisor. */
static void child_settle(pid_t parent, int child, const struct site_files *files, const struct owners *owners)
{
    struct maille_error error = {0};
    sigset_t none;
    log_open("maille-worker", child_names[child], (enum log_level)(int)files->settings.log_level);
    if (owners_become(owners, child, &error) != MAILLE_OK) {
        log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
        _exit(PROCESS_CONFIG);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* after that: another user does not inherit it */
    if (getppid() != parent)
        _exit(PROCESS_FAILED);
    prctl(PR_SET_NAME, process_names[child]);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    forget_passphrase();
    if (crypto_harden(&error) != MAILLE_OK) {
        log_line(LOG_LEVEL_ERROR, "%s", error.sentence);
        _exit(PROCESS_FAILED);
    }
}

/* Each child keeps the ends and the keys that its work needs; the rest is closed and wiped before its first
 * byte is read. */
static void child_run(int child, const struct site_files *files, struct secret_keys *keys, struct ends *ends)
{
    struct net_options net = {.name = secret_keys_name(keys),
                              .endpoint = files->directory->coordinator.endpoint,
                              .directory_version = files->directory->version};
    int status = PROCESS_FAILED;
    if (child == CHILD_NET) {
        net.name = arena_strdup(files->arena, net.name);
        memcpy(net.server, files->directory->coordinator.keys.transport, PUBLIC_BYTES);
        memcpy(net.own, secret_keys_public(keys)->transport, PUBLIC_BYTES);
        secret_keys_transport(net.secret, keys);
    }
    if (child != CHILD_VAULT)
        secret_keys_free(keys);
    close_others(ends, child);
    worker_pages_keep(files->pages, child == CHILD_VAULT ? PAGE_VAULT
                                    : child == CHILD_NET ? PAGE_NET
                                                         : FIGURES_PAGES);
    if (child != CHILD_NET)
        wire_way_free(files->way); /* a password of the proxy's */
    if (child != CHILD_SOURCE && files->engine != NULL)
        source_clear(files->engine); /* likewise of the database's */
    raise_walls(child, files);
    switch (child) {
    case CHILD_DATA:
        status = run_data(files, ends);
        break;
    case CHILD_STEP:
        status = run_step(ends);
        break;
    case CHILD_VAULT:
        status = run_vault(files, keys, ends);
        secret_keys_free(keys);
        break;
    case CHILD_NET:
        status = run_net(files, &net, ends);
        break;
    case CHILD_SOURCE:
        status = run_source(files, ends);
        break;
    default:
        break;
    }
    _exit(status);
}

enum maille_code children_start(struct children *children, const struct site_files *files,
                                const struct owners *owners, const int *close_fds, size_t n_close,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *keys = NULL;
    struct ends ends;
    const pid_t parent = getpid();
    for (int child = 0; child < CHILDREN; child++)
        ends.of[child][0] = ends.of[child][1] = -1;
    MAILLE_TRY(owners_give(owners, files->dir, error));
    MAILLE_TRY(worker_keys(&keys, files->dir, files->credential, error));
    for (int child = 0; child < CHILDREN; child++)
        if (child != CHILD_VAULT && (child != CHILD_SOURCE || files->engine != NULL))
            MAILLE_TRY(channel_pair(ends.of[child], error));
    for (int child = 0; child < CHILDREN; child++) {
        if (child == CHILD_SOURCE && files->engine == NULL)
            continue;
        pid_t pid = fork();
        if (pid == 0) {
            child_settle(parent, child, files, owners);
            for (size_t i = 0; i < n_close; i++)
                close_end(close_fds[i]);
            child_run(child, files, keys, &ends);
        }
        if (pid < 0) {
            code = maille_fail_errno(error, "cannot start the process %s", child_names[child]);
            goto out;
        }
        children->pids[child] = pid;
    }
out:
    close_others(&ends, CHILDREN);
    secret_keys_free(keys);
    return code;
}

const char *children_gone(struct children *children, pid_t pid)
{
    for (int child = 0; child < CHILDREN; child++)
        if (children->pids[child] == pid) {
            children->pids[child] = 0;
            return child_names[child];
        }
    return NULL;
}

static bool any_left(const struct children *children)
{
    bool any = false;
    for (int child = 0; child < CHILDREN; child++)
        any = any || children->pids[child] != 0;
    return any;
}

static void tell_all(const struct children *children, int signal)
{
    for (int child = 0; child < CHILDREN; child++)
        if (children->pids[child] != 0)
            kill(children->pids[child], signal);
}

void children_stop(struct children *children, int timeout_ms)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    bool killed = false;
    tell_all(children, SIGTERM);
    while (any_left(children)) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid > 0) {
            children_gone(children, pid);
            continue;
        }
        if (pid < 0 && errno == ECHILD)
            break;
        if (clock_monotonic_ms() >= end_ms && !killed) {
            tell_all(children, SIGKILL);
            killed = true;
        }
        poll(NULL, 0, 2);
    }
    *children = (struct children){{0}};
}
