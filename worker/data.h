/* The process `data`: it alone reads patients. It has no keys and no network; what it gives away are the sums
 * that a study's methods declare, to the vault of its own worker. */
#ifndef WORKER_DATA_H
#define WORKER_DATA_H

#include "registry/engine_columns.h"
#include "vault/source.h"

enum { DATA_REQUEST_MAX = 72 * 1024 * 1024 }; /* a study and its θ (stats/round.h: 64 MiB) */

struct data; /* opaque: the snapshots of one site */

/* folder: DIR/snapshots. threads: as tally_options. Nothing is opened before it is asked for. */
enum maille_code data_open(struct data **data, const char *folder, unsigned threads,
                           struct maille_error *error) MAILLE_CHECKED;
void data_free(struct data *data);

/* Keeps columns that were read, up to so many bytes (registry/column_cache.h). Once, before anything is
 * asked. Without it nothing is kept. Errors: MAILLE_MEMORY. */
enum maille_code data_cache(struct data *data, size_t bytes_max, struct maille_error *error) MAILLE_CHECKED;

/* Rows of snapshots that stay in the site's engine are read so. reader's context outlives data. */
void data_engine(struct data *data, const struct engine_reader *reader);

/* The source in this process (tests, previews). */
struct data_source data_local(struct data *data);

/* The process: answers requests on `end` until the other end closes (MAILLE_INTERNAL) or speaks nonsense. */
enum maille_code data_serve(struct data *data, int end, struct maille_error *error) MAILLE_CHECKED;

/* The source over a channel, for the vault. *broken (may be NULL) is set once the other process is gone or
 * spoke nonsense. */
struct data_remote {
    int end;
    bool broken;
};
struct data_source data_over(struct data_remote *remote);

#endif
