/* Where rows come from that are no CSV file: one file per route, behind one table. A route writes what it
 * reads as CSV (UTF-8, commas, decimal points, a header) into memory, where it is read like any export. Its
 * library is loaded by the import that asks for it (dlopen) and by nothing else: a site that serves has none
 * of them. */
#ifndef REGISTRY_ROUTE_H
#define REGISTRY_ROUTE_H

#include "base/bytes.h"

struct route {
    const char *name;
    const char *where; /* how it is written, for --help */
    bool (*takes)(const char *where);
    /* Writes the rows to a file descriptor. query: what is asked of a database; NULL: nothing was said. */
    enum maille_code (*fetch)(int to, const char *where, const char *query, struct maille_error *error);
};

extern const struct route route_postgresql, route_sas;

/* The route that takes this; NULL: it is a file of text. */
const struct route *route_find(const char *where);

/* The rows as a file in memory. *fd is the caller's to close. Errors: MAILLE_INVALID (a query where none is
 * wanted, or none where one is), MAILLE_IO (the database does not answer), MAILLE_FAILED (the library is not
 * there). */
enum maille_code route_open(int *fd, const struct route *route, const char *where, const char *query,
                            struct maille_error *error) MAILLE_CHECKED;

/* For routes that parse what strangers wrote: runs `parse` in a child behind walls (base/wall.h), which reads
 * these files, writes to the descriptors that are open, and has no passphrase, network or other file. What it
 * finds out is what it wrote. Errors: those of parse; MAILLE_INVALID where the child did not live to say one;
 * MAILLE_IO where there are no walls. */
enum maille_code route_apart(enum maille_code (*parse)(void *context, struct maille_error *error),
                             void *context, const char *const *files, size_t n_files,
                             struct maille_error *error) MAILLE_CHECKED;

/* For routes: one field of CSV, and a library's functions. The library stays loaded: it has threads and locks
 * of others'. MAILLE_FAILED: it is not there, or lacks one. */
void route_put_field(struct bytes *out, const char *text, bool first);
struct route_library {
    const char *file;
    const char *name, *reads, *package; /* for the sentence that says it is not there */
};
struct route_function {
    void *function; /* of a pointer to a function, its address */
    const char *name;
};
enum maille_code route_load(const struct route_library *library, const struct route_function *functions,
                            size_t n, struct maille_error *error) MAILLE_CHECKED;

#endif
