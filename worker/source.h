/* The process `source`: it alone holds the connection to the site's engine. It has no keys, no files and one
 * address; what it hands out are whole numbers of frozen tables, to the process `data` of its own worker. */
#ifndef WORKER_SOURCE_H
#define WORKER_SOURCE_H

#include "registry/engine_columns.h"
#include "worker/settings.h"

/* Where a site's engine is, as worker.yaml says it (source: engine). */
struct site_engine {
    const struct engine_driver *driver;
    struct engine_address *address;
    char schema[ENGINE_NAME_MAX];
    unsigned timeout_s;      /* of a statement */
    struct engine_link link; /* where this process is connected; engine NULL: it is not */
};

/* Reads the settings and what they name. Before walls; connects nowhere. MAILLE_INVALID: no driver of that
 * name, a password in worker.yaml, no schema's name; also the errors of engine_driver's find. */
enum maille_code source_find(struct site_engine *engine, const struct worker_settings *settings,
                             struct maille_error *error) MAILLE_CHECKED;

/* Connects, and holds the role to what it may do. */
enum maille_code source_connect(struct site_engine *engine, struct maille_error *error) MAILLE_CHECKED;

/* Hangs up and wipes. One that is all zeros is legal. */
void source_clear(struct site_engine *engine);

/* Opens the columns at path for a command, from a file or (dir's worker.yaml) from the engine. engine is all
 * zeros or was used here before; it outlives the columns. Errors: also of columns_open. */
enum maille_code source_columns_open(struct columns **columns, struct site_engine *engine, const char *dir,
                                     const char *path, struct maille_error *error) MAILLE_CHECKED;

/* The process: answers `data` on `end` until that closes (MAILLE_INTERNAL) or speaks nonsense. Connects at
 * once, and again where the engine was gone. MAILLE_INVALID: a role that may do too much. */
enum maille_code source_serve(struct site_engine *engine, int end, struct maille_error *error) MAILLE_CHECKED;

/* The reader over a channel, for data. Errors of the engine come as MAILLE_IO, MAILLE_CORRUPT where a table
 * was changed. */
struct source_remote {
    int end;
};
struct engine_reader source_over(struct source_remote *remote);

#endif
