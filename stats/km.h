/* What the files of Kaplan–Meier share: km.c (keys, rounds, result), km_counts.c (counts or weights per
 * time), km_steps.c (joined steps of a weighted curve), km_grain.c (its public grain), km_curve.c (the
 * estimator), km_compare.c (chosen times, one curve beside another). Internal to stats/. */
#ifndef STATS_KM_H
#define STATS_KM_H

#include "stats/followup.h"

enum km_limits { KM_LOG, KM_LOG_LOG, KM_PLAIN };

/* One cell over the bins. Weighted: sums of weights. */
struct km_counts {
    size_t n_bins;      /* that are shown */
    bool cut;           /* the curve goes on, but is not shown */
    double n_event;     /* of the whole arm */
    double left_square; /* Σ w² of those who leave behind n_bins */
    double effective;   /* weighted: (Σ w)²/Σ w² of the whole arm */
    const double *event, *censored, *at_risk;
    const double *event_square, *censored_square; /* Σ w², for robust errors; NULL: Greenwood's */
    const bool *anybody;                          /* does somebody leave here? */
};

/* --- km_counts.c --- */

/* Blocks behind those of followup_plan, only with weights: Σ w and Σ w² by arm × bin × status, both by arm ×
 * status, rows whose weight is not whole. */
enum { KM_SUMS, KM_SQUARES, KM_ARM_SUMS, KM_ARM_SQUARES, KM_BROKEN, KM_BLOCKS };

/* Adds them. The formula has no delayed entry. */
enum maille_code km_weights_plan(const struct followup *followup, const struct expression *weights,
                                 struct arena *arena, struct tally_spec *spec,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Are all weights whole, by the dictionary? survfit takes whole ones for counts. */
bool km_weights_whole(const struct expression *weights);

/* All cells (counts->n_cells of them); reverse: censorings are the events. weights: those of the plan, or
 * NULL. surviving: with it whether a weight is not whole is told by the dictionary alone. */
struct km_counts *km_counts_read(const struct followup_counts *counts, const struct totals *totals,
                                 const struct expression *weights, const struct surviving *surviving,
                                 bool reverse, struct arena *arena);

/* --- km_steps.c --- */

/* Head counts of the steps of a weighted curve, behind those of followup_cells: who is censored, and who has
 * the event, by arm × bin. */
enum maille_code km_steps_cells(const struct followup *followup, struct arena *arena, struct cells *out,
                                struct maille_error *error) MAILLE_CHECKED;
/* What follows of what is left of them, before followup_plan and followup_read. */
void km_steps(struct followup *followup, const struct surviving *surviving, struct arena *arena);
/* Says so where steps are joined. */
void km_steps_report(const struct followup *followup, struct outcome *outcome);

/* --- km_curve.c --- */

/* A curve at the times at which somebody leaves. NaN where undefined. */
struct km_curve {
    size_t n;
    bool cut;     /* what comes at `end` and later is not known */
    double grain; /* km_grain.c: of S, and sums of weights are not shown; 0: none */
    double end;   /* of what is shown */
    double slack; /* a time within it of another is the same time */
    double *time, *estimate, *sigma, *low, *high; /* sigma: standard error of log S */
    double *at_risk, *event, *censored;
};

/* width: of a bin; z: normal quantile of the limits. */
void km_curve_make(struct km_curve *curve, const struct km_counts *counts, double width, enum km_limits type,
                   double z, struct arena *arena);
/* Limits of S with sigma = se(log S); z: normal quantile. As survival:::survfit_confint. */
void km_limits_make(enum km_limits type, double survival, double sigma, double z, double *low, double *high);
/* The time at which y (S, or one of its limits) reaches one half; NaN when it never does. */
double km_half_time(const struct km_curve *curve, const double *y);
/* The mean up to tau and its standard error. */
void km_restricted_mean(const struct km_curve *curve, double tau, double *estimate, double *std_error);
/* Its standard error by the infinitesimal jackknife; counts: those of the curve, with event_square. */
double km_restricted_robust(const struct km_curve *curve, const struct km_counts *counts, double tau);
/* How many of the curve's times are t or earlier; before t. */
size_t km_until(const struct km_curve *curve, double t);
size_t km_before(const struct km_curve *curve, double t);

/* --- km_grain.c --- */

/* A weighted curve as it is shown where groups of few are not told; n: (Σw)²/Σw² of the arm. S and its limits
 * (type, z) are multiples of the grain, errors have two digits at most. */
void km_curve_grain(struct km_curve *curve, double n, enum km_limits type, double z);
/* By how much Var(log S) grows at time i, by the errors that are shown. */
double km_grained_growth(const struct km_curve *curve, size_t i);

/* --- km_compare.c --- */

/* What a study asks of curves beside their steps. */
struct km_asked {
    double tau; /* NaN: not asked for */
    const double *times;
    size_t n_times;
    double z; /* normal quantile of the limits */
};

/* Curves of one analysis, in the order of their cells; curves that are not shown have no curve. */
struct km_arm {
    const char *name;
    size_t stratum; /* of strata(): arms of one are compared */
    const struct km_curve *curve;
    const struct km_counts *counts;
};

/* `at_times`: at risk, S, its standard error and limits. weighted: heads are sums of weights. */
void km_write_times(struct result *result, const struct km_arm *arms, size_t n, const struct km_asked *asked,
                    bool weighted);
/* `contrasts`: every arm beside the first of its stratum, by RMST and S. */
void km_write_contrasts(struct result *result, const struct km_arm *arms, size_t n,
                        const struct km_asked *asked);

#endif
