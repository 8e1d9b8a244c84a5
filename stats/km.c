/* km: Kaplan–Meier curves, one per stratum of the right-hand side.
 *
 * Round 1: counts per stratum × exit bin × status (× entry bin); all the rest is a function of these. With
 * d_j events and n_j at risk at t_j: S(t) = Π (n_j − d_j)/n_j;  Greenwood: se(S)² = S² Σ d_j/(n_j (n_j −
 * d_j)) (Kaplan and Meier, JASA 1958;53:457; Klein and Moeschberger, Survival Analysis, 2nd ed., §4.2–4.3)
 *   limits: plain S ± z·se(S); log exp(log S ± z·σ); log-log exp(−exp(log(−log S) ± z·σ/log S)), σ = se(S)/S
 *   median: where S first reaches one half, the middle of the flat part where it stays there (R:
 * quantile.survfit) RMST(τ) = ∫₀^τ S;  se² = Σ_j [∫_{t_j}^τ S]² d_j/(n_j (n_j − d_j))  (Klein and
 * Moeschberger §4.5; R: survmean) Delayed entry: n_j counts who entered before t_j. reverse: censorings are
 * the events (Schemper and Smith, Control Clin Trials 1996;17:343), which then come first at a tie, as in
 * survfit(Surv(time, 1 - event) ~ …). */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/followup.h"
#include "stats/wording.h"

enum { KEY_KM_FORMULA, KEY_KM_CONF_TYPE, KEY_KM_TAU, KEY_KM_REVERSE };
enum conf_type { CONF_LOG, CONF_LOG_LOG, CONF_PLAIN };

static const struct query_key keys[] = {
    [KEY_KM_FORMULA] = {.name = "formula",
                        .kind = KEY_FORMULA,
                        .required = true,
                        .sentence = "Surv(time, event) ~ the categories that make the curves, or 1."},
    [KEY_KM_CONF_TYPE] = {.name = "conf_type",
                          .kind = KEY_CHOICE,
                          .choices = "log|log-log|plain",
                          .fallback = CONF_LOG,
                          .sentence = "Scale of the confidence limits, as in survfit."},
    [KEY_KM_TAU] = {.name = "tau",
                    .kind = KEY_NUMBER,
                    .min = 0,
                    .max = 1e9,
                    .sentence =
                        "End of the restricted mean survival time, in the units of the time variable."},
    [KEY_KM_REVERSE] = {.name = "reverse",
                        .kind = KEY_FLAG,
                        .sentence = "Censoring is the event: the curve of the follow-up."},
};

/* A curve at the times with an event or a censoring. NaN where undefined. */
struct curve {
    size_t n;
    double *time, *estimate, *sigma, *low, *high; /* sigma: standard error of log S */
    int64_t *at_risk, *event, *censored;
};

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct followup followup;
    struct maille_error inner = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory");
    enum maille_code code = followup_of(&followup, analysis, KEY_KM_FORMULA, arena, &inner);
    if (code == MAILLE_OK && followup.formula->strata_site)
        code = maille_fail(&inner, MAILLE_INVALID,
                           "expected no strata(site) in km, which would show single sites: remove it");
    if (code != MAILLE_OK)
        code = wording_invalid(error, analysis, "%s", inner.sentence);
    arena_free(arena);
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct followup followup;
    enum maille_code code = followup_of(&followup, analysis, KEY_KM_FORMULA, arena, error);
    if (code == MAILLE_OK)
        code = followup_cells(&followup, arena, out, error);
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct followup followup;
    enum maille_code code = followup_of(&followup, analysis, KEY_KM_FORMULA, arena, error);
    if (code == MAILLE_OK)
        code = followup_plan(&followup, analysis, arena, spec, error);
    return code;
}

/* Confidence limits of S with sigma = se(log S); z: normal quantile. As survival:::survfit_confint. */
static void limits(enum conf_type type, double survival, double sigma, double z, double *low, double *high)
{
    *low = *high = NAN;
    if (!(survival > 0))
        return;
    switch (type) {
    case CONF_PLAIN:
        *low = fmax(survival - z * sigma * survival, 0);
        *high = fmin(survival + z * sigma * survival, 1);
        break;
    case CONF_LOG:
        *low = exp(log(survival) - z * sigma);
        *high = fmin(exp(log(survival) + z * sigma), 1);
        break;
    case CONF_LOG_LOG:
        if (survival < 1) {
            double half = z * sigma / log(survival);
            *low = exp(-exp(log(-log(survival)) - half));
            *high = exp(-exp(log(-log(survival)) + half));
        }
        break;
    }
}

static void curve_make(struct curve *curve, const struct followup_counts *counts, size_t cell, double width,
                       bool reverse, enum conf_type type, double z, struct arena *arena)
{
    const int64_t *event = (reverse ? counts->censored : counts->event) + cell * counts->n_bins;
    const int64_t *censored = (reverse ? counts->event : counts->censored) + cell * counts->n_bins;
    const int64_t *at_risk = counts->at_risk + cell * counts->n_bins;
    size_t n = 0;
    for (size_t bin = 0; bin < counts->n_bins; bin++)
        n += event[bin] + censored[bin] > 0;
    double *numbers = arena_array(arena, 5 * n, sizeof *numbers);
    int64_t *integers = arena_array(arena, 3 * n, sizeof *integers);
    *curve = (struct curve){.n = n,
                            .time = numbers,
                            .estimate = numbers + n,
                            .sigma = numbers + 2 * n,
                            .low = numbers + 3 * n,
                            .high = numbers + 4 * n,
                            .at_risk = integers,
                            .event = integers + n,
                            .censored = integers + 2 * n};
    double survival = 1, sum = 0;
    size_t i = 0;
    for (size_t bin = 0; bin < counts->n_bins; bin++) {
        if (event[bin] + censored[bin] == 0)
            continue;
        double risk = (double)at_risk[bin], died = (double)event[bin];
        survival *= (risk - died) / risk;
        if (died > 0)
            sum += died / (risk * (risk - died)); /* infinite once everybody at risk has died */
        curve->time[i] = (double)bin * width;
        curve->at_risk[i] = at_risk[bin];
        curve->event[i] = event[bin];
        curve->censored[i] = censored[bin];
        curve->estimate[i] = survival;
        curve->sigma[i] = survival > 0 ? sqrt(sum) : NAN;
        limits(type, survival, curve->sigma[i], z, &curve->low[i], &curve->high[i]);
        i++;
    }
}

/* The time at which the step function 1 − y reaches one half, as survival:::findq does: the first step at or
 * above it, or the middle of a part that is flat within the tolerance; NaN when it is never reached. y: S or
 * one of its limits (NaN: undefined). */
static double half_time(const struct curve *curve, const double *y)
{
    const double half = 0.5, tolerance = sqrt(0x1p-52);
    double best1 = INFINITY, best2 = INFINITY, time1 = NAN, time2 = NAN, previous = 0, last = 0, top = 0;
    bool undefined = false;
    for (size_t i = 0; i < curve->n; i++) {
        double reached = 1 - y[i];
        if (isnan(reached) ? undefined : reached == previous) /* R leaves repeated heights out */
            continue;
        if (isnan(reached)) {
            undefined = true;
        } else {
            top = fmax(top, reached);
            if (reached + tolerance >= half && reached < best1) {
                best1 = reached;
                time1 = curve->time[i];
            }
            if (reached - tolerance >= half && reached < best2) {
                best2 = reached;
                time2 = curve->time[i];
            }
            previous = reached;
        }
        last = reached;
    }
    if (top < half)
        return NAN;
    if (!isnan(last) && fabs(half - last) < tolerance)
        return (time1 + curve->time[curve->n - 1]) / 2;
    return (time1 + time2) / 2;
}

/* Restricted mean up to tau and its standard error, as survival:::survmean. */
static void restricted_mean(const struct curve *curve, double tau, double *estimate, double *std_error)
{
    size_t n = 0;
    double area = 0, after = 0, variance = 0, previous = 0, survival = 1;
    while (n < curve->n && curve->time[n] <= tau)
        n++;
    for (size_t i = 0; i < n; i++) {
        area += (curve->time[i] - previous) * survival;
        previous = curve->time[i];
        survival = curve->estimate[i];
    }
    area += (tau - previous) * survival;
    for (size_t i = n; i-- > 0;) { /* after: the area from time i to tau */
        double risk = (double)curve->at_risk[i], died = (double)curve->event[i];
        after += curve->estimate[i] * ((i + 1 < n ? curve->time[i + 1] : tau) - curve->time[i]);
        if (risk > died)
            variance += after * after * died / (risk * (risk - died));
    }
    *estimate = area;
    *std_error = sqrt(variance);
}

static void add_integers(struct result *to, const char *name, const int64_t *values, size_t n)
{
    struct result *list = result_add_list(to, name);
    for (size_t i = 0; i < n; i++)
        result_add_integer(list, NULL, values[i]);
}

static void add_numbers(struct result *to, const char *name, const double *values, size_t n)
{
    struct result *list = result_add_list(to, name);
    for (size_t i = 0; i < n; i++)
        result_add_number(list, NULL, values[i]);
}

static void curve_write(const struct curve *curve, struct result *row, double tau, bool with_tau)
{
    int64_t n_event = 0;
    double *std_error = arena_array(row->arena, curve->n, sizeof *std_error);
    for (size_t i = 0; i < curve->n; i++) {
        n_event += curve->event[i];
        std_error[i] = curve->sigma[i] * curve->estimate[i];
    }
    result_add_integer(row, "n_event", n_event);
    result_add_number(row, "median", half_time(curve, curve->estimate));
    result_add_number(row, "median_low", half_time(curve, curve->low));
    result_add_number(row, "median_high", half_time(curve, curve->high));
    if (with_tau) {
        double estimate, error;
        restricted_mean(curve, tau, &estimate, &error);
        struct result *rmst = result_add_object(row, "rmst");
        result_add_number(rmst, "tau", tau);
        result_add_number(rmst, "estimate", estimate);
        result_add_number(rmst, "std_error", error);
    } else {
        result_add_null(row, "rmst");
    }
    add_numbers(row, "time", curve->time, curve->n);
    add_integers(row, "n_risk", curve->at_risk, curve->n);
    add_integers(row, "n_event_at", curve->event, curve->n);
    add_integers(row, "n_censor", curve->censored, curve->n);
    add_numbers(row, "estimate", curve->estimate, curve->n);
    add_numbers(row, "std_error", std_error, curve->n);
    add_numbers(row, "conf_low", curve->low, curve->n);
    add_numbers(row, "conf_high", curve->high, curve->n);
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    (void)iteration;
    struct followup followup;
    struct followup_counts counts;
    bool reverse = analysis_flag(analysis, "reverse"), with_tau = analysis->values[KEY_KM_TAU].present;
    double tau = with_tau ? analysis->values[KEY_KM_TAU].numbers[0] : NAN;
    enum conf_type type = (enum conf_type)analysis->values[KEY_KM_CONF_TYPE].choice;
    double z = qnorm5(1 - (1 - analysis->conf_level) / 2, 0, 1, 1, 0);
    enum maille_code code;
    MAILLE_TRY(followup_of(&followup, analysis, KEY_KM_FORMULA, outcome->arena, error));
    followup_read(&counts, &followup, totals, outcome->arena);
    MAILLE_TRY(followup_outcome(&counts, outcome, error));
    if (reverse)
        outcome->n_event = counts.n_all - outcome->n_event;
    groups_note_dropped(&followup.cells, counts.n, outcome);
    struct result *curves = result_add_list(outcome->result, "curves");
    for (size_t cell = 0; cell < counts.n_cells; cell++) {
        struct curve curve;
        if (counts.n[cell] == 0)
            continue;
        const char *stratum = groups_stratum(&followup.cells, outcome->arena, cell);
        struct result *row = result_add_object(curves, NULL);
        result_add_string(row, "stratum", stratum);
        result_add_integer(row, "n", counts.n[cell]);
        curve_make(&curve, &counts, cell, followup.width, reverse, type, z, outcome->arena);
        if (with_tau && tau > curve.time[curve.n - 1])
            wording_warn(outcome,
                         "tau is later than the last follow-up of stratum %s: its curve is taken as flat "
                         "from there on",
                         stratum);
        curve_write(&curve, row, tau, with_tau);
    }
    *done = true;
out:
    return code;
}

const struct method method_km = {
    .declared = {.name = "km", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
