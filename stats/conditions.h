/* What changes the answer without being an error, said in the answer: the reading of `missing`, dates in the
 * wrong order, a grid that nobody wrote. Of all methods in one place; each sentence has R's words for it.
 *
 * Two of them are numbers of rows, which say something of people: how many an interval of days() below 0
 * leaves out, and how many another model of the study costs (`missing: study`). Each has a block of head
 * counts behind those of the method: the rows that miss something, by whether that is why; the number leaves
 * where both parts may be told. */
#ifndef STATS_CONDITIONS_H
#define STATS_CONDITIONS_H

#include "stats/method.h"

/* Adds the head counts to those of the method; none where there is no room for them. */
enum maille_code conditions_cells(struct cells *cells, const struct analysis *analysis, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;
/* The numbers, behind the blocks of the first round. cells: with conditions_cells. */
enum maille_code conditions_plan(struct tally_spec *spec, const struct cells *cells,
                                 const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error) MAILLE_CHECKED;
/* What they are, as warnings. For the first round. */
void conditions_read(const struct analysis *analysis, const struct totals *totals, const struct cells *cells,
                     const struct surviving *surviving, struct outcome *outcome);

/* Appends to outcome->warnings what else holds for this analysis. For one that ended well. */
void conditions_warn(const struct analysis *analysis, struct outcome *outcome);

#endif
