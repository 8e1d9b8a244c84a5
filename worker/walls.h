/* The walls of each process of a site (docs/ARCHITECTURE.md, Walls): which profile of base/wall.h, which
 * files, which port. */
#ifndef WORKER_WALLS_H
#define WORKER_WALLS_H

#include "worker/supervise.h"

/* Raises the walls of CHILD_DATA, CHILD_STEP, CHILD_VAULT, CHILD_NET, or (CHILDREN) of the supervisor, whose
 * walls its children inherit. Before the process has threads and before its first byte from elsewhere.
 * Errors: as wall_raise. */
enum maille_code walls_raise(int child, const struct site_files *files,
                             struct maille_error *error) MAILLE_CHECKED;

#endif
