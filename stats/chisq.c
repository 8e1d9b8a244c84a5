#include "stats/chisq.h"

#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

static double margin(const int64_t *counts, size_t n, size_t stride)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += counts[i * stride];
    return (double)sum;
}

void chisq_test(struct chisq *out, const int64_t *counts, size_t n_rows, size_t n_columns)
{
    double correction = n_rows == 2 && n_columns == 2 ? 0.5 : 0, all = 0;
    *out = (struct chisq){.df = (double)((n_rows - 1) * (n_columns - 1)), .least_expected = INFINITY};
    for (size_t i = 0; i < n_rows; i++)
        all += margin(counts + i * n_columns, n_columns, 1);
    for (int pass = 0; pass < 2; pass++) /* the correction first: the smallest deviation, at most one half */
        for (size_t i = 0; i < n_rows; i++)
            for (size_t j = 0; j < n_columns; j++) {
                double expected = margin(counts + i * n_columns, n_columns, 1) *
                                  margin(counts + j, n_rows, n_columns) / all;
                double deviation = fabs((double)counts[i * n_columns + j] - expected);
                out->least_expected = fmin(out->least_expected, expected);
                if (pass == 0) {
                    correction = fmin(correction, deviation);
                } else {
                    out->plain += deviation * deviation / expected;
                    out->corrected += (deviation - correction) * (deviation - correction) / expected;
                }
            }
}

double chisq_p(double statistic, double df)
{
    return pchisq(statistic, df, 0, 0);
}
