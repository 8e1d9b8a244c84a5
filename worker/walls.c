#include "worker/walls.h"

#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/wall.h"

/* What a name of a host is looked up with. One that is replaced later (a new name server) counts from the
 * next start: the supervisor's own wall, which every child inherits, knows the file that was there
 * (worker/serve.c says so). What is written in its place, or beneath /run/systemd/resolve, counts at once. */
static const char *const names_files[] = {"/etc/resolv.conf",    "/etc/hosts",    "/etc/nsswitch.conf",
                                          "/etc/host.conf",      "/etc/gai.conf", "/etc/services",
                                          "/run/systemd/resolve"};
static const char *const threads_files[] = {"/sys/devices/system/cpu"};
static const char *const tls_files[] = {"/etc/ssl", "/usr/lib/ssl"};
static const char *const random_files[] = {"/dev/urandom"};
static const char *const kept_folders[] = {"log", "state", "spool"};
enum { N_NAMES = sizeof names_files / sizeof *names_files, PATHS_MAX = 24 };

struct paths {
    struct wall_path rows[PATHS_MAX];
    char kept[PATHS_MAX][PATH_MAX];
    size_t n;
};

static enum maille_code path_add(struct paths *paths, const char *folder, const char *name, unsigned access,
                                 struct maille_error *error)
{
    char *path = paths->kept[paths->n];
    enum maille_code code = file_path_join(path, PATH_MAX, folder, name, error);
    if (code == MAILLE_OK)
        paths->rows[paths->n++] = (struct wall_path){path, access};
    return code;
}

static void paths_add(struct paths *paths, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        paths->rows[paths->n++] = (struct wall_path){names[i], WALL_READ};
}

/* What TLS to the engine reads: its settings, and the files that the connection names. */
static void tls_add(struct paths *paths, const struct site_engine *engine)
{
    const char *path;
    paths_add(paths, tls_files, sizeof tls_files / sizeof *tls_files);
    for (size_t i = 0; (path = engine->driver->file(engine->address, i)) != NULL; i++)
        if (path[0] != '\0')
            paths_add(paths, &path, 1);
}

static enum maille_code paths_of(struct paths *paths, int child, const struct site_files *files,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char folder[PATH_MAX];
    if (child == CHILD_DATA || child == CHILDREN)
        paths_add(paths, threads_files, 1);
    if (child == CHILD_VAULT || child == CHILDREN)
        paths_add(paths, random_files, 1);
    if (child == CHILD_NET || child == CHILDREN)
        paths_add(paths, names_files, N_NAMES);
    if ((child == CHILD_SOURCE || child == CHILDREN) && files->engine != NULL)
        tls_add(paths, files->engine);
    if (child == CHILD_DATA)
        MAILLE_TRY(path_add(paths, files->dir, "snapshots", WALL_READ, error));
    for (size_t i = 0; child == CHILD_VAULT && i < sizeof kept_folders / sizeof *kept_folders; i++)
        MAILLE_TRY(path_add(paths, files->dir, kept_folders[i], WALL_READ | WALL_WRITE, error));
    if (child == CHILDREN) {
        paths->rows[paths->n++] = (struct wall_path){files->dir, WALL_READ | WALL_WRITE};
        paths->rows[paths->n++] =
            (struct wall_path){"/dev/null", WALL_WRITE}; /* the monthly snapshot's words */
        file_folder_of(folder, files->network_path);
        MAILLE_TRY(path_add(paths, folder, ".", WALL_READ | WALL_WRITE, error));
        if (files->credential != NULL)
            paths->rows[paths->n++] = (struct wall_path){files->credential, WALL_READ};
    }
out:
    return code;
}

/* glibc loads what it looks names up with at the first look-up, and behind the walls nothing can be loaded:
 * so the first is before them. What it finds does not matter. */
static void look_up(const char *endpoint, int *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256];
    const char *begin = endpoint + strlen("tcp://"), *colon = strrchr(begin, ':');
    *port = colon != NULL ? atoi(colon + 1) : WALL_PORT_NONE;
    if (colon == NULL || colon - begin >= (long)sizeof host)
        return;
    memcpy(host, begin, (size_t)(colon - begin));
    host[colon - begin] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) == 0)
        freeaddrinfo(found);
}

enum maille_code walls_raise(int child, const struct site_files *files, struct maille_error *error)
{
    static const enum wall_profile profiles[CHILDREN + 1] = {
        [CHILD_DATA] = WALL_DATA, [CHILD_STEP] = WALL_STEP,     [CHILD_VAULT] = WALL_VAULT,
        [CHILD_NET] = WALL_NET,   [CHILD_SOURCE] = WALL_SOURCE, [CHILDREN] = WALL_SUPERVISOR};
    enum maille_code code = MAILLE_OK;
    struct paths *paths = calloc(1, sizeof *paths);
    struct wall wall = {.profile = profiles[child],
                        .without_landlock = files->settings.walls == WALLS_WITHOUT_LANDLOCK};
    if (paths == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(paths_of(paths, child, files, error));
    wall.paths = paths->rows;
    wall.n_paths = paths->n;
    if (child == CHILD_NET) {
        look_up(files->way != NULL ? wire_way_proxy(files->way) : files->directory->coordinator.endpoint,
                &wall.connect_port);
        wall.near_port = files->way != NULL ? wire_way_port(files->way) : WALL_PORT_NONE;
    }
    if (child == CHILD_SOURCE)
        wall.connect_port = files->engine->driver->port(files->engine->address);
    if (child == CHILDREN)
        wall.connect_port =
            WALL_PORT_ANY; /* net's own walls say which: the directory may name another one day */
    MAILLE_TRY(wall_raise(&wall, error));
out:
    free(paths);
    return code;
}
