/* max_patient_share: a sum, or a mean, is not told where one patient carries more than a share of
 * Σ w·(x − m), m the least that x can be by the dictionary (docs/decisions/0034-one-patients-share.md).
 *
 * Which sums a result tells every method declares beside its head counts (groups_share). Before the method
 * takes its first step, two rounds judge them. The first has, behind the method's own blocks, those sums, for
 * the cells that the threshold rounds left. The second has the method's own blocks again, and for each sum
 * and cell at how many sites one patient carries more than the share. Then the method takes its step: of a
 * number of a table nothing is told in any cell (its head counts are taken for hidden), any other analysis is
 * refused. With weights of `iptw` this is done once the weights are known.
 *
 * A number that is no variable of the dictionary may have bounds that nobody reaches (x + z − z): there the
 * share of Σ w·(x − mean)² is judged too, which does not change with what is added to x.
 *
 * θ of an analysis, where the policy has the rule and θ is not empty:
 *     [the method's own …, sums …, n_sums, marks …, n_marks]
 * sums: of each sum that is judged and each cell Σ w·t over its terms t; marks: blocks of head counts of
 * whose numbers nothing may be told. */
#ifndef STATS_SHARES_H
#define STATS_SHARES_H

#include "stats/method.h"

/* Does the policy of this question have the rule? */
bool shares_judged(const struct surviving *surviving);

/* θ in parts, none of them owned. */
struct shares_theta {
    struct vector own;
    const double *sums, *marks;
    size_t n_sums, n_marks;
};
/* MAILLE_INVALID: θ is not of that shape. */
enum maille_code shares_read(struct shares_theta *out, const struct vector *theta,
                             const struct surviving *surviving, struct maille_error *error) MAILLE_CHECKED;

/* Is the method's own part of θ that of its very first round, which counts what the conditions say? */
bool shares_first(const struct shares_theta *theta);

/* What is judged at this θ, beside the method's own blocks; n 0: nothing. */
struct shares {
    const struct cells_share *list;
    size_t n;
    const struct cells *cells; /* whose blocks they name */
    size_t first;              /* of the spec: the first block that shares_plan adds */
};
enum maille_code shares_of(struct shares *out, const struct analysis *analysis,
                           const struct shares_theta *theta, const struct cells *cells,
                           const struct surviving *surviving, struct arena *arena,
                           struct maille_error *error) MAILLE_CHECKED;
/* Adds their sums to a round, or, where θ has the sums, who carries too much of them. MAILLE_REFUSED "size"
 * where a round has no room for so many. */
enum maille_code shares_plan(struct tally_spec *spec, struct shares *shares, const struct shares_theta *theta,
                             const struct surviving *surviving, struct arena *arena,
                             struct maille_error *error) MAILLE_CHECKED;

/* After a round that held sums: θ with them. The method takes no step. */
void shares_sum(struct vector *theta, const struct shares *shares, const struct shares_theta *read,
                const struct totals *totals);
/* After a round that said who carries too much: which sums must not be told, as marks (in arena). Those of
 * θ stay. MAILLE_REFUSED "max_patient_share" where the analysis cannot do without. */
enum maille_code shares_marks(const double **marks, size_t *n, const struct shares *shares,
                              const struct shares_theta *read, const struct analysis *analysis,
                              const struct totals *totals, struct arena *arena,
                              struct maille_error *error) MAILLE_CHECKED;
/* What is left when marked numbers are hidden in all cells. */
const struct surviving *shares_hide(const struct surviving *surviving, const struct cells *cells,
                                    const double *marks, size_t n, struct arena *arena);
/* Puts the tail behind a method's own θ: no sums, and the marks. */
void shares_close(struct vector *theta, const double *marks, size_t n);
/* Says in the answer which numbers are hidden. */
void shares_warn(const struct cells *cells, const double *marks, size_t n, const struct analysis *analysis,
                 struct outcome *outcome);

#endif
