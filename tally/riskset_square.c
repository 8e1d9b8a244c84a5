/* What a patient, or a site, as one cluster adds to the middle of a sandwich is the square of its own sum
 * (Lin and Wei, JASA 1989;84:1074), so that the sum itself never leaves the site. */
#include "tally/riskset.h"

void riskset_square(double *sums, const struct riskset_stratum *stratum, bool by_patient)
{
    for (size_t r = 0; r < stratum->n; r++) {
        const double *row = stratum->by_exit[r];
        double *own = sums + (by_patient ? (size_t)row[ROW_PATIENT] * stratum->n_terms : 0);
        for (size_t i = 0; i < stratum->n_terms; i++)
            own[i] += row[ROW_WEIGHT] * row[ROW_TERMS + i];
    }
}
