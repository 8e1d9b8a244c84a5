/* Sentences that several methods say, so that they say them alike. */
#ifndef STATS_WORDING_H
#define STATS_WORDING_H

#include "stats/method.h"

/* MAILLE_INVALID: "line 12: analysis `os`: <format>". For method.check. */
enum maille_code wording_invalid(struct maille_error *error, const struct analysis *analysis,
                                 const char *format, ...) MAILLE_PRINTF(3, 4);

/* MAILLE_FAILED: nobody is left to compute from; n_cohort rows passed the cohort before missing values left.
 */
enum maille_code wording_nobody(struct maille_error *error, int64_t n_cohort);

/* Appends a sentence to outcome->warnings, once. */
void wording_warn(struct outcome *outcome, const char *format, ...) MAILLE_PRINTF(2, 3);
/* The warning that rows were left out because the grid empties them. */
void wording_warn_emptied(struct outcome *outcome);

#endif
