/* A user for each process: where the supervisor is root and the users maille-data, maille-step, maille-vault
 * and maille-net exist (and maille-source where the rows stay in an engine), each child is one of them, and
 * owns the files that its work is about (docs/ARCHITECTURE.md, Walls). Elsewhere all are whoever started the
 * supervisor. */
#ifndef WORKER_OWNERS_H
#define WORKER_OWNERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "worker/supervise.h"

struct owners {
    bool own;
    uid_t uids[CHILDREN];
    gid_t gids[CHILDREN];
    bool shares; /* spool/ with a group */
    gid_t spool_group;
};

/* Looks the users up. Before walls: a look-up may load a library. words: for the log, static. */
void owners_find(struct owners *owners, const char *dir, bool has_engine, const char **words);

/* The group that worker.yaml names for spool/ ("": none). Before walls. MAILLE_INVALID: nobody knows it. */
enum maille_code owners_find_group(struct owners *owners, const char *name,
                                   struct maille_error *error) MAILLE_CHECKED;

/* Shares spool/ with that group (vault/spool.h), and gives snapshots/ to data and log/, state/, spool/ to the
 * vault, whoever made a file in them (an import by root); others may pass through DIR and not list it. No
 * child runs meanwhile. Links are left alone, and files that have other names. Nothing is given without
 * owners->own. MAILLE_IO. */
enum maille_code owners_give(const struct owners *owners, const char *dir,
                             struct maille_error *error) MAILLE_CHECKED;

/* Becomes the child's user, for good. MAILLE_IO. */
enum maille_code owners_become(const struct owners *owners, int child,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
