/* Fisher's exact test of a 2 × 2 table. */
#ifndef STATS_FISHER_H
#define STATS_FISHER_H

#include <stdint.h>

struct fisher {
    double p_value;    /* two-sided: all tables at most as probable as this one, times 1 + 1e-7 */
    double odds_ratio; /* conditional maximum likelihood; maybe 0 or infinite */
    double low, high;  /* exact limits */
};

/* counts: row-wise, all margins above 0. As R's fisher.test(), with estimates solved to the last digits.
 * Source: Fisher, JRSS 1935;98:39; Gart, JRSS B 1971, §3 (conditional limits). */
void fisher_test(struct fisher *out, const int64_t counts[4], double conf_level);

#endif
