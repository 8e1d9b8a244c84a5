/* What a site as one cluster adds to the middle of a sandwich: the square of its own sum (Lin and Wei, JASA
 * 1989;84:1074), so that the sum itself never leaves it. */
#include <stdlib.h>

#include "tally/riskset.h"

enum maille_code riskset_square(double *sums, const struct riskset_stratum *stratum,
                                struct maille_error *error)
{
    double *total = calloc(stratum->n_terms + 1, sizeof *total), *product = sums;
    if (total == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu sums, found none",
                           stratum->n_terms);
    for (size_t r = 0; r < stratum->n; r++)
        for (size_t i = 0; i < stratum->n_terms; i++)
            total[i] += stratum->by_exit[r][ROW_WEIGHT] * stratum->by_exit[r][ROW_TERMS + i];
    for (size_t i = 0; i < stratum->n_terms; i++)
        for (size_t j = i; j < stratum->n_terms; j++)
            *product++ += total[i] * total[j];
    free(total);
    return MAILLE_OK;
}
