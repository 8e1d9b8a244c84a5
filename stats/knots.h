/* ns(x, df = k): knots at quantiles of x over the rows of the model, found in rounds before the model's own.
 *
 * R's inner knots are quantiles (type 7) at 1/k … (k − 1)/k, its boundary knots the least and the greatest x.
 * Those are one patient's each: where small numbers are hidden the boundary knots are the quantiles 0.05 and
 * 0.95. θ is then [phase, …]: the quantile's own θ, or the k + 1 knots and the model's own. A method that
 * takes formulas with such a term puts these four over its own functions. */
#ifndef STATS_KNOTS_H
#define STATS_KNOTS_H

#include "stats/method.h"

enum maille_code knots_cells(const struct method *fitted, const struct analysis *analysis,
                             struct arena *arena, struct cells *cells,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code knots_plan(const struct method *fitted, const struct analysis *analysis,
                            const struct vector *theta, const struct surviving *surviving,
                            struct arena *arena, struct tally_spec *spec,
                            struct maille_error *error) MAILLE_CHECKED;
/* The result gains `knots`. MAILLE_FAILED where a quantile is hidden or two knots are too near. */
enum maille_code knots_step(const struct method *fitted, const struct analysis *analysis,
                            const struct totals *totals, struct iteration *iteration, struct outcome *outcome,
                            bool *done, struct maille_error *error) MAILLE_CHECKED;

/* MAILLE_INVALID where a formula that takes no such rounds has such a term. */
enum maille_code knots_none(const struct formula *formula, struct maille_error *error) MAILLE_CHECKED;

#endif
