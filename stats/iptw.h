/* Inverse probability of treatment weights, for every method that takes weights: rounds of a logistic model
 * of the treatment, one round that counts the estimated propensities, then the method's own rounds with the
 * weights as an expression of θ. A method that offers this puts these four functions into its row and its own
 * into `weighted`; without `weights: {iptw: …}` they pass everything on.
 *
 * θ:  [phase, the model's own θ]
 *     [IPTW_COUNT, γ per tallied column of the model]
 *     [IPTW_WEIGH, γ …, two cuts, two numerators, the method's own θ]
 * Of a treatment of more than two levels the model is multinomial (stats/multinomial.h): for γ stands what
 * its θ has of the arms, and there is a numerator an arm. */
#ifndef STATS_IPTW_H
#define STATS_IPTW_H

#include "stats/method.h"

enum maille_code iptw_check(const struct analysis *analysis, struct maille_error *error) MAILLE_CHECKED;
enum maille_code iptw_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code iptw_plan(const struct analysis *analysis, const struct vector *theta,
                           const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                           struct maille_error *error) MAILLE_CHECKED;
enum maille_code iptw_step(const struct analysis *analysis, const struct totals *totals,
                           struct iteration *iteration, struct outcome *outcome, bool *done,
                           struct maille_error *error) MAILLE_CHECKED;

/* Where the method's own first round is planned at this θ: its head counts as iptw_cells has them, with the
 * sums that its result tells with the weights of this θ (n_shares) and of the weights in each arm. *cells is
 * NULL at every other θ. */
enum maille_code iptw_shares(const struct cells **cells, const struct analysis *analysis,
                             const struct vector *theta, struct arena *arena,
                             struct maille_error *error) MAILLE_CHECKED;

/* The rows that count: analysis_complete, and for a model also the variables that its keys list. */
const struct expression *iptw_complete(const struct analysis *analysis, struct arena *arena);

/* Propensities are counted in this many intervals of [0, 1]. */
enum { IPTW_INTERVALS = 4096 };
/* The interval of a propensity as a CODE. */
const struct expression *iptw_interval(struct arena *arena, const struct expression *score);
/* The treatment as a CODE {without, with}. */
enum maille_code iptw_arm(const struct expression **arm, struct arena *arena,
                          const struct expression *treatment, struct maille_error *error) MAILLE_CHECKED;
/* The weight of somebody with this propensity. propensity: as a method finds it. Of several arms: see score
 * there. */
double iptw_weight(const struct propensity *propensity, size_t arm, double score);

#endif
