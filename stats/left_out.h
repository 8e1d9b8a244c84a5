/* Rows with delayed entry that the follow-up leaves out, by their fate (enum tally_fate): how many, for every
 * reason. Their head counts are one block (CELL_MISSING, a cell a reason); each stands for its own count
 * alone. */
#ifndef STATS_LEFT_OUT_H
#define STATS_LEFT_OUT_H

#include "stats/groups.h"

/* The block of head counts; the spec has its survival part. */
enum maille_code left_out_cells(struct cells *cells, const struct expression *rows, struct arena *arena,
                                struct maille_error *error) MAILLE_CHECKED;
/* Where it stands; SIZE_MAX: there is none. */
size_t left_out_find(const struct cells *cells);

/* Rows by reason. cells_block: left_out_find. */
enum maille_code left_out_tally(struct tally_spec *spec, const struct expression *rows, size_t cells_block,
                                struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* A warning for every reason; counts the numbers that are withheld. block: of left_out_tally. */
void left_out_warn(struct outcome *outcome, const struct totals *totals, size_t block,
                   const struct surviving *surviving, size_t cells_block);

#endif
