/* The objections of a site: who, since when. The list stands beside the map of row numbers
 * (registry/rowkeys.h), sealed under a key of the site's own; the map holds who is left out, by keyed hashes.
 * An objection that stands in either holds. */
#ifndef WORKER_OBJECTIONS_H
#define WORKER_OBJECTIONS_H

#include "crypto/identity.h"
#include "registry/objections.h"

/* One line of the list. */
struct objector {
    struct objection objection;
    int64_t recorded_ms; /* when the site was told */
};

struct objectors {
    const struct objector *list; /* ascending by pseudonym */
    size_t n;
    size_t last_named; /* patients in the newest file of objections */
};

/* What one import changes. Files may be NULL. */
struct objections_change {
    const char *objections, *withdraw;
    bool yes;      /* what the files look like was seen, and is meant */
    int32_t today; /* in days since 1970-01-01: an objection of a later day waits */
    int64_t now_ms;
};

struct objections_told { /* counts of patients */
    size_t added, withdrawn, waiting, unknown, in_force;
    size_t patients; /* in force, of patients whom a snapshot ever had */
};

/* The list of a site; none where there is no file. folder: DIR/snapshots. MAILLE_CORRUPT: other bytes than
 * were written, or another key. */
enum maille_code objectors_read(struct objectors *objectors, struct arena *arena, const char *folder,
                                const struct secret_keys *keys, struct maille_error *error) MAILLE_CHECKED;
/* Durable, 0600. */
enum maille_code objectors_write(const struct objectors *objectors, const char *folder,
                                 const struct secret_keys *keys, struct maille_error *error) MAILLE_CHECKED;

/* Adds the file's patients, takes out those who withdraw, and puts who objects by today into the map. What a
 * person should know is printed on standard output. MAILLE_INVALID where somebody must look first (an empty
 * or shorter file, a pseudonym that looks like another's, a withdrawal of nobody) and `yes` is not set:
 * nothing has changed then. */
enum maille_code objections_apply(struct objectors *objectors, struct objections_told *told,
                                  struct row_keys *map, struct arena *arena,
                                  const struct objections_change *change,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
