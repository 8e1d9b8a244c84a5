/* A multinomial logistic model of a treatment of several arms, for weights (stats/iptw.h): nnet's multinom(),
 * whose probabilities it has. Only these are wanted, so the model is fitted on the tallied columns as they
 * are (stats/design.h), collinear ones left out.
 *
 * With η_k = x′γ_k, γ 0 for the first arm that somebody has, p_k = 1/(1 + Σ_j exp(η_j − η_k)). Newton's
 * method: the score of arm k is Σ ([arm = k] − p_k)·x, the information of arms a and b Σ p_a(δ_ab − p_b)·x·x′
 * (McCullagh and Nelder, Generalized Linear Models, 2nd ed., §5.2.4; Agresti, Categorical Data Analysis, 3rd
 * ed., §8.1). */
#ifndef STATS_MULTINOMIAL_H
#define STATS_MULTINOMIAL_H

#include "stats/fit.h"

enum { MULTINOMIAL_ARMS_MAX = PROPENSITY_ARMS_MAX };

/* What θ says of every arm: whether somebody has it, then γ of the design's columns. */
size_t multinomial_size(const struct design *design, size_t n_arms);
/* The probability of arm k; one that nobody has counts as nothing. Within (0, 1]. */
const struct expression *multinomial_probability(const struct design *design, const double *arms,
                                                 size_t n_arms, size_t k, struct arena *arena);

/* The analysis whose formula has the treatment, a CODE of more than two levels, on its left. As the functions
 * of a method (stats/method.h); θ: [1, the arms, which columns are tallied]. step fills no result. */
enum maille_code multinomial_check(const struct analysis *analysis,
                                   struct maille_error *error) MAILLE_CHECKED;
enum maille_code multinomial_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                                   struct maille_error *error) MAILLE_CHECKED;
enum maille_code multinomial_plan(const struct analysis *analysis, const struct vector *theta,
                                  const struct surviving *surviving, struct arena *arena,
                                  struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;
enum maille_code multinomial_step(const struct analysis *analysis, const struct totals *totals,
                                  struct iteration *iteration, struct outcome *outcome, bool *done,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
