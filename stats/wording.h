/* Sentences that several methods say, so that they say them alike. */
#ifndef STATS_WORDING_H
#define STATS_WORDING_H

#include "stats/method.h"

/* MAILLE_INVALID: "line 12: analysis `os`: <format>". For method.check. */
enum maille_code wording_invalid(struct maille_error *error, const struct analysis *analysis,
                                 const char *format, ...) MAILLE_PRINTF(3, 4);
#ifdef __clang_analyzer__
#define wording_invalid(...) ((void)wording_invalid(__VA_ARGS__), MAILLE_INVALID)
#endif

/* What `check` of most methods is: whether an analysis can be read at all. reader reads it into the arena,
 * which is gone afterwards; what it fails with becomes a sentence as above. MAILLE_INVALID, MAILLE_MEMORY. */
typedef enum maille_code wording_reader(const struct analysis *analysis, struct arena *arena,
                                        struct maille_error *error);
enum maille_code wording_check(const struct analysis *analysis, wording_reader *reader,
                               struct maille_error *error) MAILLE_CHECKED;

/* MAILLE_FAILED: nobody is left to compute from; n_cohort rows passed the cohort before missing values left.
 */
enum maille_code wording_nobody(struct maille_error *error, int64_t n_cohort);

/* "1 row was", "12 rows were"; "about 10 rows were" and "a few rows were" where heads are rounded
 * (round_counts). Lives with the outcome. */
const char *wording_rows(const struct outcome *outcome, const struct surviving *surviving, int64_t n);

/* Appends a sentence to outcome->warnings, once. */
void wording_warn(struct outcome *outcome, const char *format, ...) MAILLE_PRINTF(2, 3);

#endif
