/* Concordant and discordant pairs inside a site: a patient with an event against everybody who is at risk at
 * that time and has no event then (Harrell et al., JAMA 1982;247:2543; Therneau and Watson, "The concordance
 * statistic and the Cox model", 2017; concordance3.c of R's survival package). Of two who are compared the
 * one with the larger linear predictor should have the event first. O(n log n) by a Fenwick tree over the
 * ranks of eta (Fenwick, Softw Pract Exp 1994;24:327). */
#include <stdlib.h>

#include "tally/riskset.h"

/* Weights of those at risk, by rank of eta; tree[0] is not used. */
struct ranked {
    double *tree;
    size_t n;
};

static void ranked_add(struct ranked *ranked, size_t rank, double weight)
{
    for (size_t i = rank + 1; i <= ranked->n; i += i & -i)
        ranked->tree[i] += weight;
}

/* Of the ranks below. */
static double ranked_below(const struct ranked *ranked, size_t rank)
{
    double sum = 0;
    for (size_t i = rank; i > 0; i -= i & -i)
        sum += ranked->tree[i];
    return sum;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Rank of eta among the n distinct values. */
static size_t rank_of(const double *values, size_t n, double eta)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] < eta)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t distinct_etas(double *values, const struct riskset_stratum *stratum)
{
    size_t n = 0;
    for (size_t i = 0; i < stratum->n; i++)
        values[i] = stratum->by_exit[i][ROW_ETA_OR_ARM];
    qsort(values, stratum->n, sizeof *values, compare_numbers);
    for (size_t i = 0; i < stratum->n; i++)
        if (n == 0 || values[i] != values[n - 1])
            values[n++] = values[i];
    return n;
}

enum maille_code riskset_concordance(double *sums, const struct riskset_stratum *stratum,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    double *values = malloc((stratum->n + 1) * sizeof *values);
    struct ranked ranked = {.tree = calloc(stratum->n + 2, sizeof *ranked.tree)};
    if (values == NULL || ranked.tree == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu patients, found none", stratum->n);
        goto out;
    }
    ranked.n = distinct_etas(values, stratum);
    size_t left = 0;
    double all = 0;
    for (size_t i = 0, end; i < stratum->n; i = end) {
        double time = stratum->by_exit[i][ROW_EXIT];
        for (end = i; end < stratum->n && stratum->by_exit[end][ROW_EXIT] == time; end++) {
            const double *row = stratum->by_exit[end];
            if (row[ROW_EVENT] != 0)
                continue;
            ranked_add(&ranked, rank_of(values, ranked.n, row[ROW_ETA_OR_ARM]), row[ROW_WEIGHT]);
            all += row[ROW_WEIGHT];
        }
        /* Who enters at this time or later is not at risk; events of this time have not been added yet. */
        for (; left < stratum->n && stratum->by_entry[left][ROW_ENTRY] >= time; left++) {
            const double *row = stratum->by_entry[left];
            ranked_add(&ranked, rank_of(values, ranked.n, row[ROW_ETA_OR_ARM]), -row[ROW_WEIGHT]);
            all -= row[ROW_WEIGHT];
        }
        for (int add = 0; add < 2; add++)
            for (size_t k = i; k < end; k++) {
                const double *row = stratum->by_exit[k];
                if (row[ROW_EVENT] == 0)
                    continue;
                size_t rank = rank_of(values, ranked.n, row[ROW_ETA_OR_ARM]);
                if (add) {
                    ranked_add(&ranked, rank, row[ROW_WEIGHT]);
                    all += row[ROW_WEIGHT];
                    continue;
                }
                double below = ranked_below(&ranked, rank), upto = ranked_below(&ranked, rank + 1);
                sums[RISKSET_CONCORDANT] += row[ROW_WEIGHT] * below;
                sums[RISKSET_DISCORDANT] += row[ROW_WEIGHT] * (all - upto);
                sums[RISKSET_EQUAL] += row[ROW_WEIGHT] * (upto - below);
            }
    }
out:
    free(values);
    free(ranked.tree);
    return code;
}
