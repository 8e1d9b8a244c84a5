/* One number by one category, `y ~ g`: what the t-test and the analysis of variance have in common.
 * Round 1: n, Σt, Σt² of y per level of g (stats/spread.h). */
#ifndef STATS_MEANS_H
#define STATS_MEANS_H

#include "stats/spread.h"

struct means {
    const char *response; /* label of y */
    const struct expression *y;
    struct cohort_rows cohort;
    struct groups groups; /* g */
    struct spread spread;
};

/* Reads an analysis that has the key `formula`. MAILLE_INVALID with a sentence when it is not `y ~ g`. */
enum maille_code means_of(struct means *means, const struct analysis *analysis, struct arena *arena,
                          struct maille_error *error) MAILLE_CHECKED;

/* What both methods put into their rows (stats/method.h). Head counts: the cohort, and patients per level,
 * each of which must pass: a test of all groups tells them all. */
enum maille_code means_check(const struct analysis *analysis, struct maille_error *error) MAILLE_CHECKED;
enum maille_code means_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code means_plan(const struct analysis *analysis, const struct vector *theta,
                            const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                            struct maille_error *error) MAILLE_CHECKED;

/* One level that somebody has. */
struct means_level {
    size_t level; /* of g */
    double n;
    f128 mean, squares; /* of y; Σ(y − mean)² */
};

/* The levels that somebody has, in order; *levels lives in the outcome's arena. Sets n and n_missing, and
 * names the levels that nobody has. MAILLE_FAILED when nobody is left. */
enum maille_code means_read(struct means_level **levels, size_t *n_levels, const struct means *means,
                            const struct totals *totals, const struct surviving *surviving,
                            struct outcome *outcome, struct maille_error *error) MAILLE_CHECKED;

/* Do k means differ, without one variance for all? k ≥ 2 levels of two patients or more each, of which none
 * has all values equal. Of two levels it is the square of Welch's t, with the same p. R: oneway.test(),
 * t.test(). Source: Welch, Biometrika 1951;38:330. */
struct means_test {
    double df1, df2, statistic;
};
void means_welch(struct means_test *test, const struct means_level *levels, size_t k);

#endif
