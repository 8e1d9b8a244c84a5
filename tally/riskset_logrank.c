/* The log-rank test and its rho = 1 relative (Peto and Peto's modification of the Gehan–Wilcoxon test), as
 * survival::survdiff: observed, expected and hypergeometric variance, weighted by S(t−)^rho of the pooled
 * Kaplan–Meier curve of the stratum (Harrington and Fleming, Biometrika 1982; survdiff2.c of the survival
 * package). */
#include <stdlib.h>

#include "tally/riskset.h"

/* At each event time of a stratum, latest first: numbers at risk by arm, then deaths by arm. */
static size_t collect_times(double *times, const struct riskset_stratum *stratum, double *risk, size_t n_arms)
{
    size_t left = 0, n_times = 0;
    for (size_t i = 0; i < stratum->n;) {
        double time = stratum->by_exit[i][ROW_EXIT];
        double *record = times + n_times * 2 * n_arms, *deaths = record + n_arms;
        bool any = false;
        for (size_t g = 0; g < n_arms; g++)
            deaths[g] = 0;
        for (; i < stratum->n && stratum->by_exit[i][ROW_EXIT] == time; i++) {
            size_t arm = (size_t)stratum->by_exit[i][ROW_ETA_OR_ARM];
            risk[arm] += 1;
            deaths[arm] += stratum->by_exit[i][ROW_EVENT];
            any = any || stratum->by_exit[i][ROW_EVENT] != 0;
        }
        for (; left < stratum->n && stratum->by_entry[left][ROW_ENTRY] >= time; left++)
            risk[(size_t)stratum->by_entry[left][ROW_ETA_OR_ARM]] -= 1;
        for (size_t g = 0; g < n_arms; g++)
            record[g] = risk[g];
        n_times += any;
    }
    return n_times;
}

enum maille_code riskset_logrank(double *sums, const struct riskset_stratum *stratum, size_t n_arms, bool rho,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n_distinct = 1;
    for (size_t i = 1; i < stratum->n; i++)
        n_distinct += stratum->by_exit[i][ROW_EXIT] != stratum->by_exit[i - 1][ROW_EXIT];
    double *times = calloc(n_distinct, 2 * n_arms * sizeof *times), *risk = calloc(n_arms, sizeof *risk);
    if (times == NULL || risk == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu times of %zu arms, found none",
                           n_distinct, n_arms);
        goto out;
    }
    double survival = 1; /* S(t−) */
    for (size_t t = collect_times(times, stratum, risk, n_arms); t-- > 0;) {
        const double *at_risk = times + t * 2 * n_arms, *deaths = at_risk + n_arms;
        double n = 0, d = 0, weight = rho ? survival : 1, *variance = sums + 2 * n_arms;
        for (size_t g = 0; g < n_arms; g++) {
            n += at_risk[g];
            d += deaths[g];
        }
        for (size_t g = 0; g < n_arms; g++) {
            sums[g] += weight * deaths[g];
            sums[n_arms + g] += weight * d * at_risk[g] / n;
        }
        for (size_t g = 0; n > 1 && g < n_arms; g++) {
            double share = weight * weight * d * at_risk[g] * (n - d) / (n * (n - 1));
            for (size_t h = g; h < n_arms; h++)
                *variance++ += share * ((g == h) - at_risk[h] / n);
        }
        survival *= (n - d) / n;
    }
out:
    free(times);
    free(risk);
    return code;
}
