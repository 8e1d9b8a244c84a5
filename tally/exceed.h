/* In which groups one patient carries more of a sum than a limit: the numbers of a TALLY_OWN block. Internal
 * to tally/ but for whoever plans one (stats/shares.c). */
#ifndef TALLY_EXCEED_H
#define TALLY_EXCEED_H

#include "tally/tally.h"

/* Of each group g of `over` (order 1, without `kept`) and each patient: s_t = Σ w·t over her rows that count.
 * A group's number is 1 where some patient of this site has Σ_t shape[rule][g][t]·s_t > limits[rule][g] for
 * any rule, else 0. Terms are summed by patient, since she may have several rows. */
struct tally_exceed {
    struct tally_survival survival; /* what the filter reads; stop NULL: none */
    const struct tally_block *over;
    size_t n_rules;
    const double *shape;  /* [n_rules][groups][n_terms] */
    const double *limits; /* [n_rules][groups] */
};

/* As tally_own.run, whose context is a struct tally_exceed. values: one a group. Errors: as tally_run. */
enum maille_code tally_exceed_run(double *values, const struct tally_own *own, struct columns *columns,
                                  const struct tally_options *options,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
