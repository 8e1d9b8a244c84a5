/* worker.yaml: the rows of query/settings.h that a site has. */
#ifndef WORKER_SETTINGS_H
#define WORKER_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"

enum worker_source { SOURCE_SNAPSHOT, SOURCE_ENGINE };

enum worker_walls { WALLS_ALL, WALLS_WITHOUT_LANDLOCK };

struct worker_settings {
    const char *legal_entity; /* of the site; in the card for the authority */
    const char *network;      /* the signed directory: a path, relative to the site's folder */
    int64_t threads;          /* of a tally; 0: as many as there are cores, at most 8 */
    int64_t column_cache_mb;  /* of the process that reads the snapshots */
    int64_t source;           /* enum worker_source: where frozen rows are */
    const char *source_driver, *source_connection, *source_schema, *source_role; /* of an engine */
    int64_t source_timeout_s;                                                    /* of a statement there */
    int64_t queries_max;                                                         /* open at once */
    int64_t log_retention_months; /* of the message log's entries */
    /* What the register of processing says of this site; "": not said. The log notes it. */
    const char *controller, *controller_contact, *officer_contact, *joint_controllers, *transfers;
    int64_t officer_signatures; /* of different persons, that an approval needs */
    const char *spool_group;    /* whoever is in it reads what waits, and brings decisions; "": nobody */
    const char *notify_command, *notify_mail, *notify_sendmail;     /* maille-worker notify */
    int64_t record_retention_years;                                 /* of archives and bundles */
    int64_t import_fewer, import_more, import_share, import_median; /* percent: past them an import asks */
    int64_t hello_every_ms, restart_after_ms;
    const char *proxy, *proxy_credential; /* the way out; "": directly */
    const char *metrics;                  /* a loopback address at which Prometheus reads; "": none */
    int64_t walls;                        /* enum worker_walls */
    int64_t log_level;                    /* enum log_level */
};

/* Reads DIR/worker.yaml. Missing keys have their defaults. MAILLE_INVALID with file, line and column for an
 * unknown key or a value out of range. Text lives in arena. */
enum maille_code worker_settings_read(struct worker_settings *settings, struct arena *arena, const char *dir,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Where the signed directory is. MAILLE_INVALID: too long. */
enum maille_code worker_network_path(char *out, size_t size, const char *dir,
                                     const struct worker_settings *settings,
                                     struct maille_error *error) MAILLE_CHECKED;

/* The text of a new file. In arena. */
const char *worker_settings_write(struct arena *arena, const char *legal_entity);

/* What the message log notes for the register of processing: "name: value" lines, those that are said. In
 * arena. */
const char *worker_settings_duties(struct arena *arena, const struct worker_settings *settings);

/* One line per setting for --help. In arena. */
const char *worker_settings_help(struct arena *arena);

#endif
