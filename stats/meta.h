/* Meta-analysis: what the method and a site's own fit share. */
#ifndef STATS_META_H
#define STATS_META_H

#include "stats/method.h"

/* A site whose weight or estimate is beyond these, in the scaled units below, counts as one without an
 * estimate. */
#define META_WEIGHT_MAX 0x1p32
#define META_ESTIMATE_MAX 0x1p10

/* Numbers of one site; all 0 but the last three where it has no estimate of its own. w = 1/(se² + τ²). */
enum {
    META_SITES, /* 1 */
    META_W,
    META_WY,  /* w·estimate */
    META_WYY, /* w·estimate² */
    META_WW,  /* w² */
    META_ROWS,
    META_MISSING,
    META_EVENTS,
    META_VALUES
};

struct meta {
    const struct analysis *model; /* what each site fits */
    const char *term;
    double scale; /* tallied estimate = estimate·scale: public, from the bounds of the term and of a gaussian
                     response */
    double tau2;  /* of this round, scaled */

    /* Factors whose first level a site must have in its complete rows, or else its coefficient means another
     * contrast. */
    const struct expression *rows;
    const struct expression **references;
    size_t n_references;
};

/* tally_own.run of a struct meta: fits the model to the site's own patients, by the method's own rounds. A
 * fit that fails (no event, separation, collinear columns, nobody) is a site without an estimate, not an
 * error. Errors: those of tally_run. */
enum maille_code meta_site(double *values, const struct tally_own *own, struct columns *columns,
                           const struct tally_options *options, struct maille_error *error) MAILLE_CHECKED;

#endif
