/* The exponential families of glm with their canonical links: what a site evaluates per row, and what the
 * analyst needs to start and to finish. McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989,
 * table 2.1 and §2.3. */
#ifndef STATS_FAMILY_H
#define STATS_FAMILY_H

#include "query/expression.h"

struct family {
    const char *name, *link;
    bool dispersion; /* estimated: t tests */
    bool
        events; /* the response is an event: counts per level are reported, and a level needs both outcomes */
    bool counts;          /* the response is a count: a level needs a count above 0 */
    bool exponential;     /* exp() of the linear predictor is taken: its interval must stay within
                             ±FIT_PREDICTOR_MAX */
    bool from_zero;       /* Newton may start at β = 0; otherwise it starts at the null model */
    const char *expected; /* the response, for errors */
    /* Is this a response of the family? NUMBER; a boolean comes as 0 and 1. */
    bool (*accepts)(const struct expression *y);
    /* Per row: the mean, its derivative by η (NULL: 1), and the unit deviance. */
    const struct expression *(*mean)(struct arena *, const struct expression *eta);
    const struct expression *(*slope)(struct arena *, const struct expression *mu);
    const struct expression *(*deviance)(struct arena *, const struct expression *y,
                                         const struct expression *eta, const struct expression *mu);
    /* Per row, once: what the log likelihood has beside the deviance; NULL: nothing. */
    const struct expression *(*constant)(struct arena *, const struct expression *y);
    /* The null model's coefficient from its score and information at 0 (exact without an offset). Infinite
     * when the response does not vary in the direction that matters. */
    double (*null_start)(double score, double information);
};

/* In the order of the key: gaussian, binomial, poisson. */
#define FAMILY_CHOICES "gaussian|binomial|poisson"
extern const struct family family_all[3];

#endif
