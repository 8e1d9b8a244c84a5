/* Each process of a site behind its own walls, begun as `serve` begins it: a supervisor with walls forks it,
 * and it raises its own. What it must not do, it tries. */
#include "worker/walls.h"

#include <limits.h>

#include "base/file.h"
#include "base/wall.h"
#include "base/wall_testing.h"
#include "crypto/harden.h"

struct site {
    struct site_files files;
    struct directory directory;
    struct arena *arena;
    char folder[256], credential[300], outside[300], network[300];
    int port, other, ears[2];
    pid_t sibling; /* of the children: begun by the same supervisor */
    int child;     /* whose walls */
};

static const char *const files_there[] = {
    "site.key",         "worker.yaml",  "policy.yaml",    "network.yaml", "snapshots/snapshot-0001.h5",
    "log/messages.log", "state/ledger", "spool/one.study"};

static const char *inside(const struct site *site, const char *name)
{
    return arena_printf(site->arena, "%s/%s", site->folder, name);
}

static void site_make(struct site *site)
{
    static const char *const folders[] = {"", "snapshots", "log", "state", "spool"};
    struct maille_error error;
    char path[512];
    *site = (struct site){.arena = arena_new()};
    snprintf(site->folder, sizeof site->folder, "%s", test_path(path, "site"));
    snprintf(site->credential, sizeof site->credential, "%s", test_path(path, "site.credential"));
    snprintf(site->outside, sizeof site->outside, "%s", test_path(path, "outside"));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_ok(file_folder_make(inside(site, folders[i]), 0700, &error), &error);
    for (size_t i = 0; i < sizeof files_there / sizeof *files_there; i++)
        assert_ok(file_write_atomic(inside(site, files_there[i]), "x", 1, 0600, &error), &error);
    assert_ok(file_write_atomic(site->credential, "x", 1, 0600, &error), &error);
    site->ears[0] = listener(&site->port);
    site->ears[1] = listener(&site->other);
    snprintf(site->network, sizeof site->network, "%s", inside(site, "network.yaml"));
    site->directory.coordinator.endpoint = arena_printf(site->arena, "tcp://localhost:%d", site->port);
    site->files = (struct site_files){.arena = site->arena,
                                      .dir = site->folder,
                                      .credential = site->credential,
                                      .network_path = site->network,
                                      .directory = &site->directory};
}

static void site_end(struct site *site)
{
    close(site->ears[0]);
    close(site->ears[1]);
    arena_free(site->arena);
}

static bool raise_both(const void *walls)
{
    const struct site *site = walls;
    struct maille_error error = {0};
    if (crypto_harden(&error) == MAILLE_OK && walls_raise(CHILDREN, &site->files, &error) == MAILLE_OK &&
        (site->child == CHILDREN || walls_raise(site->child, &site->files, &error) == MAILLE_OK))
        return true;
    fprintf(stderr, "%s\n", error.sentence);
    return false;
}

static int attempted(const struct site *site, attempt *what, const void *with)
{
    return behind_walls(raise_both, site, what, with);
}

/* What none of them may do, and a process beside it to try it on. */
static void refused_to_all(const struct site *site)
{
    static const int local = AF_UNIX, raw = AF_PACKET;
    pid_t sibling = fork();
    if (sibling == 0)
        for (;;)
            pause();
    assert_true(stopped(attempted(site, try_write, site->outside)));
    assert_true(stopped(attempted(site, try_open, "/etc/passwd")));
    assert_true(stopped(attempted(site, try_socket, &local)));
    assert_true(stopped(attempted(site, try_socket, &raw)));
    assert_int_equal(attempted(site, try_exec, NULL), KILLED);
    assert_true(stopped(attempted(site, try_ptrace, &sibling)));
    assert_true(stopped(attempted(site, try_read_memory, &sibling)));
    assert_true(stopped(attempted(site, try_signal, &sibling)));
#ifdef MAILLE_SANITIZED /* whose leak check reads limits where a program leaves main */
    if (site->child != CHILDREN)
#endif
        assert_true(stopped(attempted(site, try_limit, &sibling)));
    assert_true(stopped(attempted(site, try_news, &sibling)));
    assert_true(stopped(attempted(site, try_priority, &sibling)));
    assert_true(stopped(attempted(site, try_code, NULL)));
    assert_true(stopped(attempted(site, try_listen, &site->other)));
    if (site->child != CHILDREN) {
        assert_true(stopped(attempted(site, try_fork, NULL)));
        assert_true(stopped(attempted(site, try_open, site->credential)));
    }
    kill(sibling, SIGKILL);
    waitpid(sibling, NULL, 0);
}

/* Of the files of a site, a child reads those whose names begin with one of these, and writes none but them.
 */
static void files_of(const struct site *site, const char *const *own, size_t n, bool writes)
{
    for (size_t i = 0; i < sizeof files_there / sizeof *files_there; i++) {
        const char *path = inside(site, files_there[i]);
        bool is_own = false;
        for (size_t k = 0; k < n; k++)
            is_own = is_own || strncmp(files_there[i], own[k], strlen(own[k])) == 0;
        const int read = attempted(site, try_open, path), written = attempted(site, try_write, path);
        if (is_own ? read != 0 : !stopped(read))
            fail_msg("reading %s: %d", files_there[i], read);
        if (is_own && writes ? written != 0 : !stopped(written))
            fail_msg("writing %s: %d", files_there[i], written);
    }
}

static void data_reads_snapshots_alone(void **state)
{
    static const char *const own[] = {"snapshots/"};
    static const int internet = AF_INET;
    struct site site;
    (void)state;
    site_make(&site);
    site.child = CHILD_DATA;
    refused_to_all(&site);
    files_of(&site, own, 1, false);
    assert_true(stopped(attempted(&site, try_socket, &internet)));
    assert_int_equal(attempted(&site, try_thread, NULL), 0);
    site_end(&site);
}

static void step_has_nothing(void **state)
{
    static const int internet = AF_INET, local = AF_UNIX;
    struct site site;
    (void)state;
    site_make(&site);
    site.child = CHILD_STEP;
    refused_to_all(&site);
    files_of(&site, NULL, 0, false);
    assert_true(stopped(attempted(&site, try_socket, &internet)));
    assert_true(stopped(attempted(&site, try_socket, &local)));
    assert_true(stopped(attempted(&site, try_open, "/etc/hosts")));
    assert_true(stopped(attempted(&site, try_thread, NULL)));
    site_end(&site);
}

static void the_vault_keeps_log_state_and_spool(void **state)
{
    static const char *const own[] = {"log/", "state/", "spool/"};
    static const int internet = AF_INET, internet6 = AF_INET6;
    struct site site;
    (void)state;
    site_make(&site);
    site.child = CHILD_VAULT;
    refused_to_all(&site);
    files_of(&site, own, 3, true);
    assert_true(stopped(attempted(&site, try_socket, &internet)));
    assert_true(stopped(attempted(&site, try_socket, &internet6)));
    site_end(&site);
}

static void net_dials_the_coordinator_and_has_no_file(void **state)
{
    struct site site;
    (void)state;
    site_make(&site);
    site.child = CHILD_NET;
    refused_to_all(&site);
    files_of(&site, NULL, 0, false);
    assert_int_equal(attempted(&site, try_connect, &site.port), 0);
    if (wall_kernel().landlock >= 4)
        assert_true(stopped(attempted(&site, try_connect, &site.other)));
    assert_int_equal(attempted(&site, try_open, "/etc/hosts"), 0);
    site_end(&site);
}

static void source_dials_the_engine_and_has_no_file(void **state)
{
    struct site site;
    struct site_engine engine = {0};
    struct maille_error error = {0};
    char connection[64];
    (void)state;
    site_make(&site);
    snprintf(connection, sizeof connection, "host=localhost port=%d user=serve dbname=registry", site.other);
    const struct worker_settings settings = {.source = SOURCE_ENGINE,
                                             .source_driver = "postgresql",
                                             .source_connection = connection,
                                             .source_schema = "maille",
                                             .source_timeout_s = 1};
    assert_ok(source_find(&engine, &settings, &error), &error);
    site.files.engine = &engine;
    site.child = CHILD_SOURCE;
    refused_to_all(&site);
    files_of(&site, NULL, 0, false);
    assert_int_equal(attempted(&site, try_connect, &site.other), 0);
    if (wall_kernel().landlock >= 4)
        assert_true(stopped(attempted(&site, try_connect, &site.port)));
    assert_true(stopped(attempted(&site, try_thread, NULL)));
    source_clear(&engine);
    site_end(&site);
}

static void the_supervisor_starts_what_it_watches_and_nothing_else(void **state)
{
    struct site site;
    (void)state;
    site_make(&site);
    site.child = CHILDREN;
    refused_to_all(&site);
    assert_int_equal(attempted(&site, try_fork, NULL), 0);
    assert_int_equal(attempted(&site, try_open, inside(&site, "site.key")), 0);
    assert_int_equal(attempted(&site, try_open, site.credential), 0);
    site_end(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_reads_snapshots_alone),
        cmocka_unit_test(step_has_nothing),
        cmocka_unit_test(the_vault_keeps_log_state_and_spool),
        cmocka_unit_test(net_dials_the_coordinator_and_has_no_file),
        cmocka_unit_test(source_dials_the_engine_and_has_no_file),
        cmocka_unit_test(the_supervisor_starts_what_it_watches_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
