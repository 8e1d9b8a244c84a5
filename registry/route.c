#include "registry/route.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
