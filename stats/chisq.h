/* Pearson's χ² test of a table of counts. */
#ifndef STATS_CHISQ_H
#define STATS_CHISQ_H

#include <stddef.h>
#include <stdint.h>

struct chisq {
    double corrected; /* with Yates' correction where the table is 2 × 2; else as plain */
    double plain;
    double df;
    double least_expected; /* of all cells */
};

/* counts: n_rows × n_columns, row-wise, at least 2 × 2, every margin above 0. As R's
 * chisq.test(). Source: Yates, JRSS Suppl 1934;1:217. */
void chisq_test(struct chisq *out, const int64_t *counts, size_t n_rows, size_t n_columns);
/* The upper tail. */
double chisq_p(double statistic, double df);

#endif
