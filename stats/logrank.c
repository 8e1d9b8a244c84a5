/* logrank: the k-sample log-rank test (rho 0) and Peto–Peto's (rho 1), stratified, with the test for trend.
 *
 * Round 1: counts per stratum × group × exit bin × event (× entry bin). In each stratum and at each time with
 * d events among n at risk, n_g of them in group g, with w = S(t−)^rho of the stratum's own Kaplan–Meier
 * curve: O_g = Σ w d_g,  E_g = Σ w d n_g/n,  V_gh = Σ w² d (n−d)/(n−1) · n_g/n · (δ_gh − n_h/n) χ² = (O−E)′
 * V⁻ (O−E) over the groups with E > 0 but one (Harrington and Fleming, Biometrika 1982;69:553; R: survdiff)
 *   trend: (Σ s_g (O_g−E_g))² / (s′ V s), s = 1 … k over the groups that somebody is in (Klein and
 * Moeschberger, Survival Analysis, 2nd ed., equation 7.4.1). Where too few of an arm are left at risk (its
 * curve ends, stats/followup.h) its stratum is compared up to there. strata(site): every site works out its
 * own O, E and V, and they are added (tally/riskset.c). */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/followup.h"
#include "stats/left_out.h"
#include "stats/wording.h"

enum { KEY_LOGRANK_FORMULA, KEY_LOGRANK_RHO, KEY_LOGRANK_TREND };
enum { LOGRANK_GROUPS_MAX = 256 };

static const struct query_key keys[] = {
    [KEY_LOGRANK_FORMULA] = {.name = "formula",
                             .kind = KEY_FORMULA,
                             .required = true,
                             .sentence = "Surv(time, event) ~ the groups, maybe + strata(…)."},
    [KEY_LOGRANK_RHO] = {.name = "rho",
                         .kind = KEY_NUMBER,
                         .min = 0,
                         .max = 1,
                         .sentence = "0: log-rank; 1: Peto and Peto, which weighs early events more."},
    [KEY_LOGRANK_TREND] = {.name = "trend",
                           .kind = KEY_FLAG,
                           .sentence = "Also the test for trend over the groups in their order."},
};

/* Blocks with strata(site). */
enum { SITE_MISSING, SITE_COMPLETE, SITE_STATUS, SITE_SUMS, SITE_LEFT_OUT };

/* Per group; V is n × n. */
struct logrank {
    size_t n;
    int64_t *patients, *events;
    bool weighted; /* rho above 0: observed counts no heads */
    double *observed, *expected, *variance;
};

static enum maille_code logrank_of(struct followup *followup, const struct analysis *analysis,
                                   struct arena *arena, struct maille_error *error)
{
    double rho = analysis_number(analysis, "rho");
    enum maille_code code = followup_of(followup, analysis, KEY_LOGRANK_FORMULA, arena, error);
    if (code != MAILLE_OK)
        return code;
    if (followup->groups.n_parts == 0)
        return maille_fail(error, MAILLE_INVALID, "expected groups to compare after the `~`, found none");
    if (followup->groups.n > LOGRANK_GROUPS_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected at most %d groups to compare, found %zu",
                           LOGRANK_GROUPS_MAX, followup->groups.n);
    if (rho < 0 || (rho > 0 && rho < 1))
        return maille_fail(error, MAILLE_INVALID, "expected `rho` 0 or 1, found %g", rho);
    return MAILLE_OK;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct followup followup;
    return logrank_of(&followup, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct followup followup;
    enum maille_code code = logrank_of(&followup, analysis, arena, error);
    if (code == MAILLE_OK && followup.formula->strata_site)
        code = followup_cells_site(&followup, arena, out, error);
    else if (code == MAILLE_OK)
        code = followup_cells(&followup, arena, out, error);
    return code;
}

static enum maille_code plan_by_site(const struct followup *followup, const struct analysis *analysis,
                                     struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    const struct guard *arms = guard_each(arena, FOLLOWUP_CELLS_ARMS);
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, 2);
    followup_survival(followup, arena, spec);
    const struct expression *rows = followup->cohort.rows;
    MAILLE_TRY(groups_cohort_tally(spec, &followup->cohort, error));
    MAILLE_TRY(groups_tally(spec, &guard_cohort, rows, NULL, error));
    MAILLE_TRY(groups_tally(spec, arms, rows, groups_code(&followup->groups, arena, status), error));
    MAILLE_TRY(groups_tally(spec, &guard_cohort, rows, groups_code(&followup->strata, arena, NULL), error));
    struct tally_block *sums = &spec->blocks[SITE_SUMS];
    sums->kind = TALLY_RISKSET;
    sums->riskset = RISKSET_LOGRANK;
    sums->arms = groups_code(&followup->groups, arena, NULL);
    sums->rho = analysis_number(analysis, "rho");
    sums->bound = 1; /* an event adds at most 1 to any O or E, less to any V */
    if (followup->formula->start != NULL)
        MAILLE_TRY(left_out_tally(spec, rows, followup_cells_left_out(followup, true), arena, error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct followup followup;
    enum maille_code code;
    MAILLE_TRY(logrank_of(&followup, analysis, arena, error));
    if (followup.formula->strata_site)
        code = plan_by_site(&followup, analysis, arena, spec, error);
    else
        code = followup_plan(&followup, arena, spec, error);
out:
    return code;
}

static void logrank_make(struct logrank *logrank, size_t n, struct arena *arena)
{
    *logrank = (struct logrank){.n = n};
    logrank->patients = arena_array(arena, n, sizeof *logrank->patients);
    logrank->events = arena_array(arena, n, sizeof *logrank->events);
    logrank->observed = arena_array(arena, n, sizeof *logrank->observed);
    logrank->expected = arena_array(arena, n, sizeof *logrank->expected);
    logrank->variance = arena_array(arena, n * n, sizeof *logrank->variance);
}

/* Adds one stratum: its groups are the cells first … first + n − 1 of counts. */
static void logrank_add(struct logrank *logrank, const struct followup_counts *counts, size_t first,
                        double rho)
{
    size_t n = logrank->n, n_bins = counts->n_bins, end = n_bins;
    double survival = 1; /* just before the time at hand */
    for (size_t g = 0; g < n; g++)
        if (counts->n[first + g] > 0 && counts->end[first + g] < end)
            end = counts->end[first + g];
    for (size_t bin = 0; bin < end; bin++) {
        int64_t events = 0, at_risk = 0;
        for (size_t g = 0; g < n; g++) {
            events += counts->event[(first + g) * n_bins + bin];
            at_risk += counts->at_risk[(first + g) * n_bins + bin];
        }
        if (events == 0)
            continue;
        double d = (double)events, r = (double)at_risk, weight = rho > 0 ? survival : 1;
        for (size_t g = 0; g < n; g++) {
            double share = (double)counts->at_risk[(first + g) * n_bins + bin] / r;
            logrank->observed[g] += weight * (double)counts->event[(first + g) * n_bins + bin];
            logrank->expected[g] += weight * d * share;
            if (at_risk < 2)
                continue;
            double spread = weight * weight * d * (r - d) / (r - 1) * share;
            for (size_t h = 0; h < n; h++) {
                double other = (double)counts->at_risk[(first + h) * n_bins + bin] / r;
                logrank->variance[g * n + h] += spread * ((g == h) - other);
            }
        }
        survival *= (r - d) / r;
    }
    for (size_t g = 0; g < n; g++) {
        logrank->patients[g] += counts->n[first + g];
        logrank->events[g] += counts->n_event[first + g];
    }
}

static void logrank_read_sites(struct logrank *logrank, const struct totals *totals)
{
    size_t n = logrank->n, at = 2 * n;
    for (size_t g = 0; g < n; g++) {
        logrank->events[g] = totals_count(totals, SITE_STATUS, 2 * g + 1);
        logrank->patients[g] = totals_count(totals, SITE_STATUS, 2 * g) + logrank->events[g];
        logrank->observed[g] = totals_real(totals, SITE_SUMS, g);
        logrank->expected[g] = totals_real(totals, SITE_SUMS, n + g);
        for (size_t h = g; h < n; h++, at++)
            logrank->variance[g * n + h] = logrank->variance[h * n + g] = totals_real(totals, SITE_SUMS, at);
    }
}

/* x′ A⁻¹ x of a symmetric positive definite A (m × m; both are destroyed) by Cholesky's factorisation; NaN
 * when A is singular. */
static double quadratic_form(double *a, double *x, size_t m)
{
    double sum = 0;
    for (size_t i = 0; i < m; i++) {
        double before = a[i * m + i];
        for (size_t k = 0; k < i; k++)
            a[i * m + i] -= a[i * m + k] * a[i * m + k];
        if (!(a[i * m + i] > 1e-12 * before))
            return NAN;
        double root = a[i * m + i] = sqrt(a[i * m + i]);
        for (size_t k = 0; k < i; k++)
            x[i] -= a[i * m + k] * x[k];
        x[i] /= root;
        sum += x[i] * x[i];
        for (size_t j = i + 1; j < m; j++) {
            for (size_t k = 0; k < i; k++)
                a[j * m + i] -= a[j * m + k] * a[i * m + k];
            a[j * m + i] /= root;
        }
    }
    return sum;
}

static void logrank_test(const struct logrank *logrank, struct outcome *outcome)
{
    size_t n = logrank->n, m = 0;
    size_t *used = arena_array(outcome->arena, n, sizeof *used);
    for (size_t g = 0; g < n; g++)
        if (logrank->expected[g] > 0)
            used[m++] = g;
    double statistic = NAN, df = (double)m - 1, p = NAN;
    if (m > 1) {
        size_t k = m - 1; /* the first group follows from the others */
        double *a = arena_array(outcome->arena, k * k, sizeof *a),
               *x = arena_array(outcome->arena, k, sizeof *x);
        for (size_t i = 0; i < k; i++) {
            x[i] = logrank->observed[used[i + 1]] - logrank->expected[used[i + 1]];
            for (size_t j = 0; j < k; j++)
                a[i * k + j] = logrank->variance[used[i + 1] * n + used[j + 1]];
        }
        statistic = quadratic_form(a, x, k);
        p = pchisq(statistic, df, 0, 0);
    }
    if (isnan(statistic))
        wording_warn(outcome,
                     "the groups cannot be compared: at no time with an event were two of them at risk");
    result_add_number(outcome->result, "statistic", statistic);
    if (m > 1)
        result_add_integer(outcome->result, "df", (int64_t)df);
    else
        result_add_null(outcome->result, "df");
    result_add_number(outcome->result, "p_value", p);
}

static void logrank_trend(const struct logrank *logrank, struct outcome *outcome)
{
    double difference = 0, variance = 0, score_g = 0;
    for (size_t g = 0; g < logrank->n; g++) {
        if (logrank->patients[g] == 0)
            continue;
        score_g++;
        difference += score_g * (logrank->observed[g] - logrank->expected[g]);
        double score_h = 0;
        for (size_t h = 0; h < logrank->n; h++) {
            if (logrank->patients[h] == 0)
                continue;
            score_h++;
            variance += score_g * score_h * logrank->variance[g * logrank->n + h];
        }
    }
    double statistic = variance > 0 ? difference * difference / variance : NAN;
    struct result *trend = result_add_object(outcome->result, "trend");
    result_add_number(trend, "statistic", statistic);
    result_add_integer(trend, "df", 1);
    result_add_number(trend, "p_value", isnan(statistic) ? NAN : pchisq(statistic, 1, 0, 0));
}

static enum maille_code logrank_result(const struct logrank *logrank, const struct followup *followup,
                                       bool trend, struct outcome *outcome, struct maille_error *error)
{
    size_t present = 0;
    int64_t events = 0;
    for (size_t g = 0; g < logrank->n; g++) {
        present += logrank->patients[g] > 0;
        events += logrank->events[g];
    }
    if (present < 2)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected patients in at least two groups, found them all in one: there is nothing to compare");
    if (events == 0)
        return maille_fail(error, MAILLE_FAILED,
                           "expected at least one event, found none: there is nothing to compare");
    groups_note_dropped(&followup->groups, logrank->patients, NULL, outcome);
    logrank_test(logrank, outcome);
    struct result *list = result_add_list(outcome->result, "groups");
    for (size_t g = 0; g < logrank->n; g++) {
        if (logrank->patients[g] == 0)
            continue;
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "group", groups_stratum(&followup->groups, outcome->arena, g));
        result_add_count(row, "n", logrank->patients[g]);
        if (logrank->weighted)
            result_add_number(row, "observed", logrank->observed[g]);
        else
            result_add_real_count(row, "observed", logrank->observed[g]);
        result_add_number(row, "expected", logrank->expected[g]);
    }
    if (trend)
        logrank_trend(logrank, outcome);
    else
        result_add_null(outcome->result, "trend");
    return MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct followup followup;
    struct followup_counts counts = {0};
    struct logrank logrank;
    enum maille_code code;
    MAILLE_TRY(logrank_of(&followup, analysis, outcome->arena, error));
    logrank_make(&logrank, followup.groups.n, outcome->arena);
    if (followup.formula->strata_site) {
        logrank_read_sites(&logrank, totals);
        counts.n_missing = surviving_kept(iteration->surviving, CELLS_MISSING, 0)
                               ? totals_count(totals, SITE_MISSING, 0)
                               : -1;
        counts.n_complete = totals_count(totals, SITE_COMPLETE, 0);
        counts.n_cells = logrank.n;
        counts.n_event = logrank.events;
        for (size_t g = 0; g < logrank.n; g++)
            counts.n_all += logrank.patients[g];
    } else {
        followup_read(&counts, &followup, iteration->surviving, totals, outcome->arena);
        for (size_t stratum = 0; stratum < followup.strata.n; stratum++)
            logrank_add(&logrank, &counts, stratum * logrank.n, analysis_number(analysis, "rho"));
        for (size_t cell = 0; cell < counts.n_cells; cell++)
            if (counts.n[cell] > 0)
                followup_warn_end(&followup, &counts, cell,
                                  groups_stratum(&followup.cells, outcome->arena, cell), outcome);
    }
    MAILLE_TRY(followup_outcome(&counts, outcome, error));
    if (followup.formula->start != NULL)
        left_out_warn(outcome, totals,
                      followup.formula->strata_site ? (size_t)SITE_LEFT_OUT : (size_t)FOLLOWUP_LEFT_OUT,
                      iteration->surviving,
                      followup_cells_left_out(&followup, followup.formula->strata_site));
    logrank.weighted = analysis_number(analysis, "rho") > 0;
    MAILLE_TRY(logrank_result(&logrank, &followup, analysis_flag(analysis, "trend"), outcome, error));
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_logrank = {
    .declared = {.name = "logrank",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_landmark = true},
    .version = 1,
    .words = {.name = "Log-rank test",
              .sentence = "Observed against expected events.",
              .r = "survival::survdiff()",
              .source = "Mantel, Cancer Chemotherapy Reports 1966;50:163"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
