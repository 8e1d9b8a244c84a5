/* Gray's test: the k-sample test of cumulative incidence functions. */
#ifndef STATS_GRAY_H
#define STATS_GRAY_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

/* Counts of one stratum over the bins of time, ascending. Group g's bin b is at [groups[g] + b] of each
 * array. */
struct gray_stratum {
    const int64_t *at_risk, *cause, *event; /* event: of any cause, that of interest among them */
    const size_t *groups;                   /* n_groups offsets */
    size_t n_groups, n_bins;
};

/* Scores of all groups but the last, and their covariance. Made empty by gray_init; strata are added. */
struct gray {
    size_t n;         /* groups − 1 */
    double *score;    /* [n] */
    double *variance; /* n × n */
};
void gray_init(struct gray *gray, struct arena *arena, size_t n_groups);

/* rho: power of 1 − F(t−) that weighs a time.
 * Source: Gray, Annals of Statistics 1988;16:1141, scores from equation 2.2 with the weight K = R·(1 −
 * F)^rho, variance from section 4 with the corrections for ties of R's cmprsk::cuminc. */
void gray_add(struct gray *gray, struct arena *arena, const struct gray_stratum *stratum, double rho);

/* score′ variance⁻¹ score, χ² with n degrees of freedom; NaN where the variance is singular. */
double gray_statistic(const struct gray *gray, struct arena *arena);

#endif
