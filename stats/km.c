/* km: Kaplan–Meier curves, one per stratum of the right-hand side.
 *
 * Round 1: counts per stratum × exit bin × status (× entry bin); all the rest is a function of these. With
 * d_j events and n_j at risk at t_j: S(t) = Π (n_j − d_j)/n_j;  Greenwood: se(S)² = S² Σ d_j/(n_j (n_j −
 * d_j)) (Kaplan and Meier, JASA 1958;53:457; Klein and Moeschberger, Survival Analysis, 2nd ed., §4.2–4.3)
 *   limits: plain S ± z·se(S); log exp(log S ± z·σ); log-log exp(−exp(log(−log S) ± z·σ/log S)), σ = se(S)/S
 *   median: where S first reaches one half, or the middle between that and the next fall where it stays there
 *     (as R prints it: survival:::survmean)
 *   RMST(τ) = ∫₀^τ S;  se² = Σ_j [∫_{t_j}^τ S]² d_j/(n_j (n_j − d_j))  (Klein and
 * Moeschberger §4.5; R: survmean) Delayed entry: n_j counts who entered before t_j. reverse: censorings are
 * the events (Schemper and Smith, Control Clin Trials 1996;17:343), which then come first at a tie, as in
 * survfit(Surv(time, 1 - event) ~ …).
 * Weights: d and n are sums of weights, as are the counts of the result; where a weight is not a whole number
 * the error is the infinitesimal jackknife's (km_curve.c), which needs Σ w² by the same cells. */
#include <math.h>

#include "stats/arithmetic.h"
#include "stats/km.h"
#include "stats/iptw.h"
#include "stats/left_out.h"
#include "stats/wording.h"

enum { KEY_KM_FORMULA, KEY_KM_CONF_TYPE, KEY_KM_TAU, KEY_KM_TIMES, KEY_KM_REVERSE };
enum { TIMES_MAX = 100 };

static const struct query_key keys[] = {
    [KEY_KM_FORMULA] = {.name = "formula",
                        .kind = KEY_FORMULA,
                        .required = true,
                        .sentence = "Surv(time, event) ~ the categories that make the curves, or 1."},
    [KEY_KM_CONF_TYPE] = {.name = "conf_type",
                          .kind = KEY_CHOICE,
                          .choices = "log|log-log|plain",
                          .fallback = KM_LOG,
                          .sentence = "Scale of the confidence limits, as in survfit."},
    [KEY_KM_TAU] = {.name = "tau",
                    .kind = KEY_NUMBER,
                    .min = 0,
                    .max = 1e9,
                    .sentence =
                        "End of the restricted mean survival time, in the units of the time variable."},
    [KEY_KM_TIMES] = {.name = "times",
                      .kind = KEY_NUMBERS,
                      .min = 0,
                      .max = 1e9,
                      .n_min = 1,
                      .n_max = TIMES_MAX,
                      .sentence = "Times that survival is given and compared at, in the units of the time "
                                  "variable."},
    [KEY_KM_REVERSE] = {.name = "reverse",
                        .kind = KEY_FLAG,
                        .sentence = "Censoring is the event: the curve of the follow-up."},
};

static enum maille_code km_of(struct followup *followup, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error)
{
    enum maille_code code = followup_of(followup, analysis, KEY_KM_FORMULA, arena, error);
    followup->curves = true;
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct followup followup;
    enum maille_code code = km_of(&followup, analysis, arena, error);
    if (code == MAILLE_OK && followup.formula->strata_site)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected no strata(site) in km, which would show single sites: remove it");
    if (code == MAILLE_OK && analysis->weights != NULL && followup.formula->start != NULL)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected either weights or delayed entry in km, found both: their robust errors need "
            "every patient's own times");
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct followup followup;
    enum maille_code code = km_of(&followup, analysis, arena, error);
    if (code == MAILLE_OK)
        code = followup_cells(&followup, arena, out, error);
    if (code == MAILLE_OK && analysis->weights != NULL)
        code = km_steps_cells(&followup, arena, out, error);
    if (code == MAILLE_OK && analysis->weights != NULL) { /* who is in an arm, and who has an event in it */
        /* Many weights of one group would narrow its sums down behind the grain. */
        groups_moment(out, arena, FOLLOWUP_CELLS_ARMS, analysis->weights, NULL, 1);
        out->moments[out->n_moments - 1].of_model = true;
        groups_share_weights(out, arena, FOLLOWUP_CELLS_ARMS, analysis->weights);
        groups_share_weights(out, arena, FOLLOWUP_CELLS_EVENTS, analysis->weights);
    }
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    struct followup followup;
    enum maille_code code = km_of(&followup, analysis, arena, error);
    if (code == MAILLE_OK && analysis->weights != NULL)
        km_steps(&followup, surviving, arena);
    if (code == MAILLE_OK)
        code = followup_plan(&followup, arena, spec, error);
    if (code == MAILLE_OK && analysis->weights != NULL)
        code = km_weights_plan(&followup, analysis->weights, arena, spec, error);
    return code;
}

static void add_numbers(struct result *to, const char *name, const double *values, size_t n)
{
    struct result *list = result_add_list(to, name);
    for (size_t i = 0; i < n; i++)
        result_add_number(list, NULL, values[i]);
}

/* Heads, or what they weigh (NaN: not shown). */
static void add_heads(struct result *to, const char *name, double value, bool weighted)
{
    if (weighted)
        result_add_number(to, name, value);
    else
        result_add_count(to, name, llround(value));
}

static void add_head_list(struct result *to, const char *name, const struct km_curve *curve,
                          const double *values, bool weighted)
{
    struct result *list = result_add_list(to, name);
    for (size_t i = 0; i < curve->n; i++)
        add_heads(list, NULL, curve->grain > 0 ? NAN : values[i], weighted);
}

/* An arm that did not survive: all is null. */
static void curve_withhold(struct result *row)
{
    static const char *const names[] = {"n_event",   "median",   "median_low", "median_high", "rmst",
                                        "time",      "n_risk",   "n_event_at", "n_censor",    "estimate",
                                        "std_error", "conf_low", "conf_high"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        result_add_null(row, names[i]);
}

static void curve_write(const struct km_curve *curve, double n_event, struct result *row, double tau,
                        bool with_tau, bool weighted)
{
    double *std_error = arena_array(row->arena, curve->n, sizeof *std_error);
    for (size_t i = 0; i < curve->n; i++)
        std_error[i] = curve->sigma[i] * curve->estimate[i];
    add_heads(row, "n_event", curve->grain > 0 ? NAN : n_event, weighted);
    result_add_number(row, "median", km_half_time(curve, curve->estimate));
    result_add_number(row, "median_low", km_half_time(curve, curve->low));
    result_add_number(row, "median_high", km_half_time(curve, curve->high));
    if (with_tau) {
        double estimate = NAN, error = NAN;
        if (!(curve->cut && tau > curve->end))
            km_restricted_mean(curve, tau, &estimate, &error);
        struct result *rmst = result_add_object(row, "rmst");
        result_add_number(rmst, "tau", tau);
        result_add_number(rmst, "estimate", estimate);
        result_add_number(rmst, "std_error", error);
    } else {
        result_add_null(row, "rmst");
    }
    add_numbers(row, "time", curve->time, curve->n);
    add_head_list(row, "n_risk", curve, curve->at_risk, weighted);
    add_head_list(row, "n_event_at", curve, curve->event, weighted);
    add_head_list(row, "n_censor", curve, curve->censored, weighted);
    add_numbers(row, "estimate", curve->estimate, curve->n);
    add_numbers(row, "std_error", std_error, curve->n);
    add_numbers(row, "conf_low", curve->low, curve->n);
    add_numbers(row, "conf_high", curve->high, curve->n);
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    const struct surviving *surviving = iteration->surviving;
    struct followup followup;
    struct followup_counts counts;
    bool reverse = analysis_flag(analysis, "reverse"), with_tau = analysis->values[KEY_KM_TAU].present;
    double tau = with_tau ? analysis->values[KEY_KM_TAU].numbers[0] : NAN;
    enum km_limits type = (enum km_limits)analysis->values[KEY_KM_CONF_TYPE].choice;
    double z = -arithmetic_normal_quantile((1 - analysis->conf_level) / 2);
    const struct query_value *at = &analysis->values[KEY_KM_TIMES];
    const struct km_asked asked = {
        .tau = tau, .times = at->numbers, .n_times = at->present ? at->n : 0, .z = z};
    const bool weighted = analysis->weights != NULL, grained = weighted && surviving_least(surviving) > 1;
    enum maille_code code;
    MAILLE_TRY(km_of(&followup, analysis, outcome->arena, error));
    if (weighted) {
        km_steps(&followup, surviving, outcome->arena);
        km_steps_report(&followup, outcome);
        if (grained)
            wording_warn(outcome,
                         "S and its limits are rounded to about 2/n, errors to two digits, and sums of "
                         "weights are not shown: in full digits two weighted curves tell what few weigh");
    }
    followup_read(&counts, &followup, surviving, totals, outcome->arena);
    MAILLE_TRY(followup_outcome(&counts, outcome, error));
    for (size_t cell = 0; reverse && cell < counts.n_cells; cell++)
        outcome->n_event += counts.n_censored[cell] - counts.n_event[cell];
    if (followup.formula->start != NULL)
        left_out_warn(outcome, totals, FOLLOWUP_LEFT_OUT, surviving,
                      followup_cells_left_out(&followup, false));
    groups_note_dropped(&followup.cells, counts.n, counts.shown, outcome);
    struct result *curves = result_add_list(outcome->result, "curves");
    const struct km_counts *times =
        km_counts_read(&counts, totals, analysis->weights, surviving, reverse, outcome->arena);
    struct km_arm *arms = arena_array(outcome->arena, counts.n_cells, sizeof *arms);
    size_t n_arms = 0;
    for (size_t cell = 0; cell < counts.n_cells; cell++) {
        if (counts.n[cell] == 0 && counts.shown[cell])
            continue;
        const char *stratum = groups_stratum(&followup.cells, outcome->arena, cell);
        struct result *row = result_add_object(curves, NULL);
        result_add_string(row, "stratum", stratum);
        groups_add_count(outcome, row, "n", counts.n[cell], counts.shown[cell]);
        struct km_arm *arm = &arms[n_arms++];
        *arm = (struct km_arm){.name = stratum, .stratum = cell / followup.groups.n, .counts = &times[cell]};
        if (!counts.shown[cell]) {
            curve_withhold(row);
            continue;
        }
        struct km_curve *curve = arena_alloc(outcome->arena, sizeof *curve);
        arm->curve = curve;
        km_curve_make(curve, &times[cell], followup.axis.width, type, z, outcome->arena);
        if (grained)
            km_curve_grain(curve, times[cell].effective, type, z);
        followup_warn_end(&followup, &counts, cell, stratum, outcome);
        if (with_tau && curve->cut && tau > curve->end)
            wording_warn(outcome, "tau is later than the end of the curve of %s: there is no restricted mean",
                         stratum);
        else if (with_tau && !curve->cut && km_before(curve, tau) == curve->n)
            wording_warn(outcome,
                         "tau is later than the last follow-up of stratum %s: its curve is taken as flat "
                         "from there on",
                         stratum);
        for (size_t i = 0; i < asked.n_times; i++)
            if (!curve->cut && km_before(curve, asked.times[i]) == curve->n)
                wording_warn(outcome,
                             "time %g is later than the last follow-up of stratum %s: its curve is taken as "
                             "flat from there on",
                             asked.times[i], stratum);
        curve_write(curve, times[cell].n_event, row, tau, with_tau, weighted);
    }
    if (asked.n_times > 0)
        km_write_times(outcome->result, arms, n_arms, &asked, weighted);
    if (n_arms > 1 && (with_tau || asked.n_times > 0))
        km_write_contrasts(outcome->result, arms, n_arms, &asked);
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

static const struct method weighted = {.check = check, .cells = cells, .plan = plan, .step = step};

const struct method method_km = {
    .declared = {.name = "km",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_weights = true,
                 .takes_landmark = true},
    .version = 2, /* the grain of weighted curves */
    .words = {.name = "Kaplan–Meier",
              .sentence = "Product-limit estimator, Greenwood’s variance.",
              .r = "survival::survfit()",
              .source = "Kaplan and Meier, Journal of the American Statistical Association 1958;53:457"},
    .check = iptw_check,
    .cells = iptw_cells,
    .plan = iptw_plan,
    .step = iptw_step,
    .weighted = &weighted};
