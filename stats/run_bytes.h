/* Where a study stands as bytes: what a vault keeps in its journal between rounds, and what it and its step
 * pass to one another (docs/PROTOCOL.md §7). The bytes are a function of the state alone: equal states, equal
 * bytes. */
#ifndef STATS_RUN_BYTES_H
#define STATS_RUN_BYTES_H

#include "stats/round.h"

enum { RUN_BYTES_MAX = 20 * 1024 * 1024 }; /* of a whole study: a journal's record holds it */

/* Per analysis: status, rule, reason, the round that it stands before, θ, memo, and the outcome with its
 * result; then per analysis its offer and, of one that is open, which numbers are heads: what an earlier
 * program wrote has neither. */
void study_run_write(struct bytes *out, const struct study_run *run);
/* Into a run that study_run_init (and study_run_survive) made; its states are replaced. MAILLE_CORRUPT: not
 * the state of this study, or a number in θ that is none; the run is then of no use. */
enum maille_code study_run_read(struct study_run *run, const void *bytes, size_t length,
                                struct maille_error *error) MAILLE_CHECKED;

/* What members of a circle must agree on before anything leaves: per analysis its status, rule, round, θ and
 * memo to the bit, and of every number of its result whether it is shown. */
void study_run_write_agreed(struct bytes *out, const struct study_run *run);

/* One analysis that is over, as the researcher gets it: status, rule, reason, offer, and of one that has a
 * result its outcome; what others had come to before they ended stays with the sites. And back, into the
 * run's state of that analysis, which was open. MAILLE_INVALID: no ended analysis. */
void study_run_write_ended(struct bytes *out, const struct study_run *run, size_t analysis);
enum maille_code study_run_read_ended(struct study_run *run, size_t analysis, struct reader *reader,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Do two ended states say the same? As result_agrees; statuses, rules, offers and counts exactly, reasons not
 * at all. */
bool analysis_state_agrees(const struct analysis_state *a, const struct analysis_state *b, const char **name);

#endif
