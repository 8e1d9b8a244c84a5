/* Cox's partial likelihood with its score and information. Ties as Efron (JASA 1977) or Breslow (Biometrics
 * 1974); with weights as survival::coxph: at a time with d events of weights w, ā = Σw/d stands for each of
 * them (Therneau and Grambsch, Modeling Survival Data, 2000, §3.3; coxfit6.c and agfit4.c of the survival
 * package).
 *
 *     loglik = Σ_events w·η − Σ_t ā Σ_{l<d} log D_l,   D_l = S0 − (l/d)·E0   (Breslow: l = 0 always)
 *
 * S0, S1, S2 are the sums of r, r·x, r·xx′ with r = w·e^η over those at risk, E0, E1, E2 over the events at
 * t. */
#include <stdlib.h>
#include <string.h>

#include "tally/elementary.h"
#include "tally/riskset.h"

/* Order 0, 1 and 2 sums in one array: S0, then S1, then S2's upper triangle. */
static void risk_add(double *sums, const double *row, size_t n_terms, double sign)
{
    const double *x = row + ROW_TERMS;
    double risk = sign * row[ROW_WEIGHT] * elementary_exp(row[ROW_ETA_OR_ARM]);
    double *first = sums + 1, *second = sums + 1 + n_terms;
    sums[0] += risk;
    for (size_t i = 0; i < n_terms; i++) {
        double left = risk * x[i];
        first[i] += left;
        for (size_t j = i; j < n_terms; j++)
            *second++ += left * x[j];
    }
}

/* One of the d denominators of an event time: D = S − fraction·E. */
static void event_add(double *sums, double *mean, const double *at_risk, const double *events,
                      double fraction, double weight, size_t n_terms)
{
    double denominator = at_risk[0] - fraction * events[0];
    double *score = sums + 1, *information = sums + 1 + n_terms;
    const double *second = at_risk + 1 + n_terms, *second_events = events + 1 + n_terms;
    sums[0] -= weight * elementary_log(denominator);
    for (size_t i = 0; i < n_terms; i++) {
        mean[i] = (at_risk[1 + i] - fraction * events[1 + i]) / denominator;
        score[i] -= weight * mean[i];
    }
    for (size_t i = 0; i < n_terms; i++) {
        for (size_t j = i; j < n_terms; j++) {
            double moment = (*second++ - fraction * *second_events++) / denominator;
            *information++ += weight * (moment - mean[i] * mean[j]);
        }
    }
}

enum maille_code riskset_cox(double *sums, const struct riskset_stratum *stratum, bool efron,
                             struct maille_error *error)
{
    size_t p = stratum->n_terms, n_sums = 1 + p + p * (p + 1) / 2;
    double *at_risk = calloc(2 * n_sums + p, sizeof *at_risk);
    if (at_risk == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu sums, found none", n_sums);
    double *events = at_risk + n_sums, *mean = events + n_sums;
    size_t left = 0, n_risk = 0;
    for (size_t i = 0; i < stratum->n;) {
        double time = stratum->by_exit[i][ROW_EXIT], weight = 0;
        size_t n_events = 0;
        memset(events, 0, n_sums * sizeof *events);
        for (; i < stratum->n && stratum->by_exit[i][ROW_EXIT] == time; i++, n_risk++) {
            const double *row = stratum->by_exit[i];
            risk_add(at_risk, row, p, 1);
            if (row[ROW_EVENT] == 0)
                continue;
            n_events++;
            weight += row[ROW_WEIGHT];
            risk_add(events, row, p, 1);
            sums[0] += row[ROW_WEIGHT] * row[ROW_ETA_OR_ARM];
            for (size_t k = 0; k < p; k++)
                sums[1 + k] += row[ROW_WEIGHT] * row[ROW_TERMS + k];
        }
        for (; left < stratum->n && stratum->by_entry[left][ROW_ENTRY] >= time; left++, n_risk--)
            risk_add(at_risk, stratum->by_entry[left], p, -1);
        if (n_risk == 0) /* what is left of the sums is rounding */
            memset(at_risk, 0, n_sums * sizeof *at_risk);
        double each = n_events == 0 ? 0 : weight / (double)n_events;
        if (efron) {
            for (size_t l = 0; l < n_events; l++)
                event_add(sums, mean, at_risk, events, (double)l / (double)n_events, each, p);
        } else if (n_events > 0) {
            event_add(sums, mean, at_risk, events, 0, weight, p);
        }
    }
    free(at_risk);
    return MAILLE_OK;
}
