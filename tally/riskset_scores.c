/* Score residuals of Cox's model inside one site, for robust errors with strata(site) (Lin and Wei, JASA
 * 1989;84:1074; Barlow, Biometrics 1994;50:1064; coxscore2.c and agscore3.c of R's survival package). Of a
 * row
 *
 *     ρ = δ·(x − x̄(exit)) − e^η·Σ_t (x − m(t))·dΛ(t)   over the event times t at which it is at risk.
 *
 * At a time with d events of mean weight ā, with D_l = S0 − f·E0 and m_l = (S1 − f·E1)/D_l, f = l/d for
 * Efron, 0 for Breslow: dΛ = Σ_l ā/D_l, less Σ_l f·ā/D_l for a row whose event it is; x̄ is the mean of the
 * m_l. Σ weight·ρ over a stratum is its score. */
#include <stdlib.h>
#include <string.h>

#include "tally/elementary.h"
#include "tally/riskset.h"

/* What one event time holds: the time; steps of the hazard, then of the hazard times the mean covariates,
 * once for every row at risk and once for what a row with an event there does not meet; the mean covariates.
 */
enum { TIME, STEP, OWN_STEP, MEANS };

struct times {
    double *v; /* latest first */
    size_t n, stride, n_terms;
};

static double *step_means(const struct times *times, size_t t)
{
    return times->v + t * times->stride + MEANS;
}

static double *own_means(const struct times *times, size_t t)
{
    return step_means(times, t) + times->n_terms;
}

static double *covariates(const struct times *times, size_t t)
{
    return step_means(times, t) + 2 * times->n_terms;
}

/* Order 0 and 1 sums of a row. */
static void add_row(double *sums, const double *row, size_t n_terms, double sign)
{
    double risk = sign * row[ROW_WEIGHT] * elementary_exp(row[ROW_ETA_OR_ARM]);
    sums[0] += risk;
    for (size_t i = 0; i < n_terms; i++)
        sums[1 + i] += risk * row[ROW_TERMS + i];
}

static void add_time(struct times *times, double time, const double *at_risk, const double *events,
                     size_t n_events, double weight, bool efron)
{
    size_t t = times->n++;
    double *record = times->v + t * times->stride;
    record[TIME] = time;
    for (size_t l = 0; l < n_events; l++) {
        double share = efron ? (double)l / (double)n_events : 0, left = at_risk[0] - share * events[0];
        double step = weight / (double)n_events / left;
        record[STEP] += step;
        record[OWN_STEP] += share * step;
        for (size_t i = 0; i < times->n_terms; i++) {
            double mean = (at_risk[1 + i] - share * events[1 + i]) / left;
            step_means(times, t)[i] += step * mean;
            own_means(times, t)[i] += share * step * mean;
            covariates(times, t)[i] += mean / (double)n_events;
        }
    }
}

/* Fills times, whose room is for every distinct exit; sums: 2·(1 + n_terms) zeros. */
static void collect_times(struct times *times, double *sums, const struct riskset_stratum *stratum,
                          bool efron)
{
    size_t width = 1 + times->n_terms, left = 0, n_risk = 0;
    double *at_risk = sums, *events = sums + width;
    for (size_t i = 0; i < stratum->n;) {
        double time = stratum->by_exit[i][ROW_EXIT], weight = 0;
        size_t n_events = 0;
        memset(events, 0, width * sizeof *events);
        for (; i < stratum->n && stratum->by_exit[i][ROW_EXIT] == time; i++, n_risk++) {
            const double *row = stratum->by_exit[i];
            add_row(at_risk, row, times->n_terms, 1);
            if (row[ROW_EVENT] == 0)
                continue;
            n_events++;
            weight += row[ROW_WEIGHT];
            add_row(events, row, times->n_terms, 1);
        }
        for (; left < stratum->n && stratum->by_entry[left][ROW_ENTRY] >= time; left++, n_risk--)
            add_row(at_risk, stratum->by_entry[left], times->n_terms, -1);
        if (n_risk == 0) /* what is left of the sums is rounding */
            memset(at_risk, 0, width * sizeof *at_risk);
        if (n_events > 0)
            add_time(times, time, at_risk, events, n_events, weight, efron);
    }
    /* Steps become sums from the earliest time on; what concerns one time alone stays. */
    for (size_t t = times->n; t-- > 1;) {
        double *earlier = times->v + t * times->stride, *later = earlier - times->stride;
        later[STEP] += earlier[STEP];
        for (size_t i = 0; i < times->n_terms; i++)
            later[MEANS + i] += earlier[MEANS + i];
    }
}

/* The latest event time up to `time`; times->n when there is none. */
static size_t find_time(const struct times *times, double time)
{
    size_t low = 0, high = times->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times->v[middle * times->stride + TIME] > time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* weight·ρ of a row. */
static void residual(double *score, const struct times *times, const double *row)
{
    size_t exit = find_time(times, row[ROW_EXIT]), entry = find_time(times, row[ROW_ENTRY]);
    bool met = exit < times->n, entered = entry < times->n, event = row[ROW_EVENT] != 0;
    const double *last = times->v + exit * times->stride, *before = times->v + entry * times->stride;
    double risk = elementary_exp(row[ROW_ETA_OR_ARM]);
    double hazard = (met ? last[STEP] : 0) - (entered ? before[STEP] : 0) - (event ? last[OWN_STEP] : 0);
    for (size_t i = 0; i < times->n_terms; i++) {
        double x = row[ROW_TERMS + i];
        double expected = (met ? step_means(times, exit)[i] : 0) -
                          (entered ? step_means(times, entry)[i] : 0) -
                          (event ? own_means(times, exit)[i] : 0);
        double own = event ? x - covariates(times, exit)[i] : 0;
        score[i] = row[ROW_WEIGHT] * (own - risk * (x * hazard - expected));
    }
}

enum maille_code riskset_scores(double *sums, const struct riskset_stratum *stratum,
                                const struct tally_block *block, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t levels = block->riskset == RISKSET_SCORES_LEVELS, p = stratum->n_terms - levels, n_distinct = 1;
    for (size_t i = 1; i < stratum->n; i++)
        n_distinct += stratum->by_exit[i][ROW_EXIT] != stratum->by_exit[i - 1][ROW_EXIT];
    struct times times = {.stride = MEANS + 3 * p, .n_terms = p};
    double *scratch = calloc(2 * (1 + p) + p, sizeof *scratch);
    times.v = calloc(n_distinct, times.stride * sizeof *times.v);
    if (times.v == NULL || scratch == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu times of %zu terms, found none",
                           n_distinct, p);
        goto out;
    }
    double *score = scratch + 2 * (1 + p);
    collect_times(&times, scratch, stratum, block->efron);
    for (size_t r = 0; r < stratum->n; r++) {
        double *product = sums;
        residual(score, &times, stratum->by_exit[r]);
        if (block->riskset == RISKSET_SCORES_ROWS) {
            for (size_t i = 0; i < p; i++)
                for (size_t j = i; j < p; j++)
                    *product++ += score[i] * score[j];
            continue;
        }
        product += levels ? (size_t)stratum->by_exit[r][ROW_TERMS + p] * p : 0;
        if (block->riskset == RISKSET_SCORES_PATIENTS)
            product += (size_t)stratum->by_exit[r][ROW_PATIENT] * p;
        for (size_t i = 0; i < p; i++)
            product[i] += score[i];
    }
out:
    free(times.v);
    free(scratch);
    return code;
}
