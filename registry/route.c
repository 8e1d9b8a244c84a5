#include "registry/route.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wall.h"
#include "registry/csv.h"

static const struct route *const routes[] = {&route_postgresql, &route_sas};

const struct route *route_find(const char *where)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i]->takes(where))
            return routes[i];
    return NULL;
}

enum maille_code route_open(int *fd, const struct route *route, const char *where, const char *query,
                            struct maille_error *error)
{
    int made = memfd_create(route->name, MFD_CLOEXEC);
    if (made < 0)
        return maille_fail_errno(error, "cannot hold the rows of %s in memory", route->name);
    enum maille_code code = route->fetch(made, where, query, error);
    if (code == MAILLE_OK)
        *fd = made;
    else
        close(made);
    return code;
}

/* What the child tells: shared memory, which it may fill with anything. */
struct told {
    bool done;
    struct maille_error error;
};

static void apart(struct told *told, enum maille_code (*parse)(void *context, struct maille_error *error),
                  void *context, const char *const *files, size_t n_files)
{
    enum { FILES_MAX = 4 };
    struct wall_path paths[FILES_MAX];
    const struct wall wall = {
        .profile = WALL_DATA, .paths = paths, .n_paths = n_files, .without_landlock = true};
    char *passphrase = getenv("MAILLE_PASSPHRASE");
    assert(n_files <= FILES_MAX);
    if (passphrase != NULL)
        explicit_bzero(passphrase, strlen(passphrase));
    for (size_t i = 0; i < n_files; i++)
        paths[i] = (struct wall_path){files[i], WALL_READ};
    struct maille_error error = {0};
    error.code = wall_raise(&wall, &error);
    if (error.code == MAILLE_OK)
        error.code = parse(context, &error);
    told->error = error;
    told->done = true;
    _exit(0);
}

enum maille_code route_apart(enum maille_code (*parse)(void *context, struct maille_error *error),
                             void *context, const char *const *files, size_t n_files,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int status = 0;
    struct told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED)
        return maille_fail_errno(error, "cannot get memory for a process of its own");
    const pid_t pid = fork();
    if (pid == 0)
        apart(told, parse, context, files, n_files);
    if (pid < 0) {
        code = maille_fail_errno(error, "cannot start a process of its own");
        goto out;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!told->done || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a file that can be read, found that its reader ended (%s %d)",
                           WIFSIGNALED(status) ? "signal" : "status",
                           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        goto out;
    }
    const struct maille_error found = told->error;
    if (found.code != MAILLE_OK)
        code = maille_fail(error, found.code <= MAILLE_INTERNAL ? found.code : MAILLE_INVALID, "%.*s",
                           (int)strnlen(found.sentence, MAILLE_SENTENCE_MAX - 1), found.sentence);
out:
    munmap(told, sizeof *told);
    return code;
}

void route_put_field(struct bytes *out, const char *text, bool first)
{
    if (!first)
        bytes_put_u8(out, ',');
    if (strpbrk(text, ",\"\r\n") == NULL && text[0] != ' ' && text[0] != '\t')
        bytes_put_text(out, text);
    else
        csv_put_quoted(out, text);
}

enum maille_code route_load(const struct route_library *library, const struct route_function *functions,
                            size_t n, struct maille_error *error)
{
    void *loaded = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (loaded == NULL)
        return maille_fail(error, MAILLE_FAILED, "expected %s to read %s, found none; install %s (%s)",
                           library->name, library->reads, library->package, dlerror());
    for (size_t i = 0; i < n; i++) {
        void *found = dlsym(loaded, functions[i].name);
        if (found == NULL)
            return maille_fail(error, MAILLE_FAILED, "expected the function %s in its library, found none",
                               functions[i].name);
        /* ISO C has no cast from one kind of pointer to the other */
        memcpy(functions[i].function, &found, sizeof found);
    }
    return MAILLE_OK;
}
