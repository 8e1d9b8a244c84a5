/* Steps of the grid that the threshold rounds have joined (CELL_MERGE): where a bin is moved to, so that what
 * is summed per step is of enough patients. Internal to stats/. */
#ifndef STATS_STEPS_H
#define STATS_STEPS_H

#include "stats/method.h"

/* Right edges: of each bin of each of `groups` groups of n bins the bin that it is moved to. kept: of the
 * block (stats/method.h); NULL: itself. In arena. */
size_t *steps_edges(const uint8_t *kept, size_t groups, size_t n, struct arena *arena);
/* Is any step joined with the next? */
bool steps_joined(const size_t *edges, size_t groups, size_t n);
/* CODE of n_bins: by code (group × bin, or more) what table says. */
const struct expression *steps_moved(const double *table, const struct expression *code, size_t n_bins,
                                     struct arena *arena);

#endif
