/* Follow-up on the grid: tally_survival of tally/tally.h for arrays of rows. Internal to tally/. */
#ifndef TALLY_SURVIVAL_H
#define TALLY_SURVIVAL_H

#include "tally/tally.h"

/* Rows of one patient in any order: they are taken by their times. Times are whole numbers of the lattice
 * (survival_times). A row that does not count (filter not true, anything missing) has stop NaN. */
struct survival_rows {
    size_t n;
    const double *start; /* NULL: no delayed entry */
    const double *stop;
    const int32_t *event; /* 0 censored, k event of type k */
    bool joins;           /* tally_survival.joins */
    const int32_t *same;  /* codes of tally_survival.same, −1 missing; NULL: all are the same */
    const int32_t
        *patient; /* equal for rows of one patient, which are adjacent and all here; NULL: a patient each */
};

/* Times as multiples of the lattice, which they are but for the rounding of decimals and of what was done to
 * them; NaN stays. */
void survival_times(double *out, const double *times, size_t n, double lattice);

/* per_bin: multiples that make a bin. Fills exit, entry (may be NULL without start), status and fate of n
 * rows: bins, event type and enum tally_fate; the first three are −1 where a row is missing, left out or
 * joined, the fate where it is missing. As R's Surv, a row whose stop is not after its start is left out.
 * Errors: MAILLE_FAILED where a time is below 0; MAILLE_CORRUPT where a bin is not below n_bins. */
enum maille_code survival_rows(int32_t *exit, int32_t *entry, int32_t *status, int32_t *fate,
                               const struct survival_rows *rows, double per_bin, uint32_t n_bins,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
