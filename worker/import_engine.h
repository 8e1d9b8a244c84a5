/* The next frozen table of a site whose rows stay in its engine (maille-worker import --from-relation). */
#ifndef WORKER_IMPORT_ENGINE_H
#define WORKER_IMPORT_ENGINE_H

#include "registry/engine_freeze.h"
#include "worker/import_rows.h"
#include "worker/settings.h"

/* A connection of the role that imports. */
struct import_engine {
    const struct engine_driver *driver;
    struct engine_address *address;
    struct engine_link link;
    struct engine_freeze freeze;
    struct engine_reader reader;
    bool begun; /* a transaction that nobody has ended yet */
};

/* Connects to where ("postgresql:service=NAME") and reads the relation; in place: others refer to it. The
 * report is cleared by the caller. MAILLE_INVALID: settings that name no engine or role; also the errors of
 * engine_freeze_read. */
enum maille_code import_engine_read(struct import_engine *import, struct import_report *report,
                                    const struct worker_settings *settings,
                                    const struct dictionary *dictionary, const char *where,
                                    const char *relation, struct arena *arena,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Numbers the rows, changes the objections, and freezes what is left as the table facts->number. *table: its
 * columns, which are free before the import ends. */
enum maille_code import_engine_freeze(struct columns **table, struct engine_count *count,
                                      struct import_engine *import, struct import_rows *rows,
                                      const struct snapshot_facts *facts,
                                      const struct objections_change *change, struct arena *arena,
                                      struct maille_error *error) MAILLE_CHECKED;

/* For good. */
enum maille_code import_engine_commit(struct import_engine *import,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Undoes what was not committed. One that is all zeros is legal. */
void import_engine_clear(struct import_engine *import);

#endif
