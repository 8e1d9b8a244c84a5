/* worker.yaml: every setting is one row; the parser, the file that init writes and the words of --help come
 * from it. */
#ifndef WORKER_SETTINGS_H
#define WORKER_SETTINGS_H

#include "base/arena.h"
#include "base/log.h"

struct worker_settings {
    const char *legal_entity;    /* of the site; in the card for the authority */
    const char *network;         /* the signed directory: a path, relative to the site's folder */
    double threads;              /* of a tally; 0: as many as there are cores, at most 8 */
    double column_cache_mb;      /* of the process that reads the snapshots */
    double queries_max;          /* open at once */
    double log_retention_months; /* of the message log's entries */
    double hello_every_ms, restart_after_ms;
    double log_level; /* enum log_level */
};

/* Reads DIR/worker.yaml. Missing keys have their defaults. MAILLE_INVALID with file, line and column for an
 * unknown key or a value out of range. Text lives in arena. */
enum maille_code worker_settings_read(struct worker_settings *settings, struct arena *arena, const char *dir,
                                      struct maille_error *error) MAILLE_CHECKED;

/* The text of a new file. In arena. */
const char *worker_settings_write(struct arena *arena, const char *legal_entity);

/* One line per setting for --help. In arena. */
const char *worker_settings_help(struct arena *arena);

#endif
