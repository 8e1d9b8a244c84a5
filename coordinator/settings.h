/* coordinator.yaml: the rows of query/settings.h that a coordinator has. */
#ifndef COORDINATOR_SETTINGS_H
#define COORDINATOR_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "coordinator/quota.h"

struct coordinator_settings {
    const char *endpoint;  /* where to listen */
    const char *directory; /* network.yaml, from the folder of coordinator.yaml */
    int64_t round_bytes_max, held_bytes_max, batch_messages, log_retention_months;
    const char *metrics; /* a loopback address at which Prometheus reads; "": none */
    int64_t walls;       /* 1: without-landlock */
    struct quotas quotas;
    int64_t connections_max; /* of one party */
    int64_t query_retention_days;
};

/* Reads a file. Missing keys have their defaults; an unknown key or a value out of range is MAILLE_INVALID
 * with file, line and column. Text lives in arena. */
enum maille_code coordinator_settings_read(struct coordinator_settings *settings, struct arena *arena,
                                           const char *path, struct maille_error *error) MAILLE_CHECKED;
/* The text of a new file; endpoint NULL: the default. In arena. */
const char *coordinator_settings_write(struct arena *arena, const char *endpoint);
/* One line per setting for --help. In arena. */
const char *coordinator_settings_help(struct arena *arena);

#endif
