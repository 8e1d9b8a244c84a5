/* cuminc: cumulative incidence of competing causes, one curve per group and cause, and Gray's test between
 * the groups.
 *
 * Round 1: counts per stratum × group × exit bin × status; all the rest is a function of these. With n_j at
 * risk at t_j, d_j events of which e_j are of the cause, S Kaplan–Meier's estimate of being free of any
 * event: F(t) = Σ S(t_j −) e_j/n_j  (Aalen and Johansen, Scand J Stat 1978;5:141) var F = Σ S(t_j −)²·{ψ_j²
 * (d_j − e_j)τ + (1 + ψ_j)² e_j τ}/n_j², ψ_j = (F(t_j) − F(t))/S(t_j), τ = 1 − (k − 1)/(n_j − 1) for k events
 * at a tie (Gray, Annals of Statistics 1988;16:1141, as R's cmprsk::cuminc has it) limits F^exp(±z·se/(F log
 * F))  (Pintilie, Competing Risks, 2006, §4.3) strata() are strata of the test alone, as in cmprsk.
 * A curve ends where too few are left at risk, as does the test's comparison in its stratum
 * (stats/followup.h); with an arm that did not survive there is no test. */
#include <assert.h>
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/followup.h"
#include "stats/gray.h"
#include "stats/wording.h"
#include "tally/elementary.h"

enum { KEY_CUMINC_FORMULA, KEY_CUMINC_RHO };
enum { CUMINC_GROUPS_MAX = 64 };

static const struct query_key keys[] = {
    [KEY_CUMINC_FORMULA] =
        {.name = "formula",
         .kind = KEY_FORMULA,
         .required = true,
         .sentence = "Surv(time, status) ~ the groups, maybe + strata(…) for the test; the first level of "
                     "status is censoring."},
    [KEY_CUMINC_RHO] = {.name = "rho",
                        .kind = KEY_NUMBER,
                        .min = -10,
                        .max = 10,
                        .sentence = "Gray's test weighs a time by the power rho of 1 − F."},
};

static enum maille_code cuminc_of(struct followup *followup, const struct analysis *analysis,
                                  struct arena *arena, struct maille_error *error)
{
    enum maille_code code = followup_of_causes(followup, analysis, KEY_CUMINC_FORMULA, arena, error);
    followup->curves = true;
    if (code != MAILLE_OK)
        return code;
    if (followup->formula->strata_site)
        return maille_fail(error, MAILLE_INVALID,
                           "expected no strata(site) in cuminc, which would show single sites: remove it");
    if (followup->groups.n > CUMINC_GROUPS_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected at most %d groups, found %zu", CUMINC_GROUPS_MAX,
                           followup->groups.n);
    return MAILLE_OK;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct followup followup;
    return cuminc_of(&followup, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct followup followup;
    enum maille_code code = cuminc_of(&followup, analysis, arena, error);
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
    enum maille_code code = cuminc_of(&followup, analysis, arena, error);
    if (code == MAILLE_OK)
        code = followup_plan(&followup, arena, spec, error);
    return code;
}

/* One group over all strata, and one cause. */
struct incidence {
    const int64_t *cause, *event, *censored; /* [bin] */
    size_t n_bins;
    double width, z;
};

static void add_limits(double estimate, double std_error, double z, struct result *low, struct result *high)
{
    double power = z * std_error /
                   (estimate * elementary_log(estimate)); /* log is negative; at 1 there is no such scale */
    bool inside = estimate > 0 && estimate < 1;
    result_add_number(low, NULL, inside ? arithmetic_power(estimate, elementary_exp(-power)) : NAN);
    result_add_number(high, NULL, inside ? arithmetic_power(estimate, elementary_exp(power)) : NAN);
}

/* The variance at t is Σ over earlier times of S²·{…} with F(t) inside ψ: three sums of its powers serve
 * every t. */
static void curve_write(const struct incidence *incidence, int64_t n, struct result *row)
{
    struct result *time = result_add_list(row, "time"), *estimate = result_add_list(row, "estimate");
    struct result *std_error = result_add_list(row, "std_error"), *low = result_add_list(row, "conf_low");
    struct result *high = result_add_list(row, "conf_high");
    double survival = 1, f = 0, constant = 0, linear = 0, square = 0;
    int64_t at_risk = n;
    for (size_t bin = 0; bin < incidence->n_bins; bin++) {
        double risk = (double)at_risk, own = (double)incidence->cause[bin];
        double other = (double)incidence->event[bin] - own;
        at_risk -= incidence->event[bin] + incidence->censored[bin];
        if (!(own + other > 0))
            continue;
        double after = survival * (risk - own - other) / risk, share = survival / risk;
        double inverse = after > 0 ? 1 / after : 0;
        f += share * own;
        if (other > 0 && after > 0) {
            double size = share * share * other * (other > 1 ? 1 - (other - 1) / (risk - 1) : 1);
            constant += f * inverse * f * inverse * size;
            linear += inverse * f * inverse * size;
            square += inverse * inverse * size;
        }
        if (own > 0) {
            double size = share * share * own * (own > 1 ? 1 - (own - 1) / (risk - 1) : 1),
                   psi = 1 + f * inverse;
            constant += psi * psi * size;
            linear += inverse * psi * size;
            square += inverse * inverse * size;
            double se = sqrt(fmax(constant + f * f * square - 2 * f * linear, 0));
            result_add_number(time, NULL, (double)bin * incidence->width);
            result_add_number(estimate, NULL, f);
            result_add_number(std_error, NULL, se);
            add_limits(f, se, incidence->z, low, high);
        }
        survival = after;
    }
}

/* A group that did not survive. */
static void withhold(struct result *row, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        result_add_null(row, names[i]);
}

/* The counts of one group, over all strata; n_bins numbers. */
static int64_t *over_strata(const int64_t *counts, const struct followup *followup, size_t group,
                            struct arena *arena)
{
    int64_t *sum = arena_array(arena, followup->n_bins, sizeof *sum);
    for (size_t stratum = 0; stratum < followup->strata.n; stratum++)
        for (size_t bin = 0; bin < followup->n_bins; bin++)
            sum[bin] += counts[(stratum * followup->groups.n + group) * followup->n_bins + bin];
    return sum;
}

/* Who is at risk of any cause: a row per time at which somebody has an event or is censored, as km has it. */
static void risk_sets_write(const struct incidence *incidence, int64_t n, struct result *row)
{
    struct result *time = result_add_list(row, "time"), *risk = result_add_list(row, "n_risk");
    struct result *event = result_add_list(row, "n_event_at"), *censored = result_add_list(row, "n_censor");
    for (size_t bin = 0; bin < incidence->n_bins; bin++) {
        const int64_t leave = incidence->event[bin] + incidence->censored[bin];
        if (leave > 0) {
            result_add_number(time, NULL, (double)bin * incidence->width);
            result_add_count(risk, NULL, n);
            result_add_count(event, NULL, incidence->event[bin]);
            result_add_count(censored, NULL, incidence->censored[bin]);
        }
        n -= leave;
    }
}

struct cuminc {
    const struct followup *followup;
    const struct followup_counts *counts;
    int64_t *n;                /* [group] */
    size_t *end;               /* [group]: bins that are shown, in all strata */
    bool *shown;               /* [group] */
    int64_t *n_cause;          /* [cause]: events in the arms that are shown */
    const char *const *causes; /* names */
    size_t n_causes;
};

static const int64_t *cause_counts(const struct cuminc *c, size_t cause)
{
    return c->counts->cause + cause * c->counts->n_cells * c->counts->n_bins;
}

static void add_curves(const struct cuminc *c, double conf_level, struct outcome *outcome)
{
    static const char *const curve_names[] = {"time", "estimate", "std_error", "conf_low", "conf_high"};
    static const char *const risk_names[] = {"time", "n_risk", "n_event_at", "n_censor"};
    struct result *curves = result_add_list(outcome->result, "curves");
    struct result *risk_sets = result_add_list(outcome->result, "risk_sets");
    struct incidence incidence = {.width = c->followup->axis.width,
                                  .z = -arithmetic_normal_quantile((1 - conf_level) / 2)};
    for (size_t group = 0; group < c->followup->groups.n; group++) {
        if (c->n[group] == 0 && c->shown[group])
            continue;
        incidence.n_bins = c->end[group];
        incidence.event = over_strata(c->counts->event, c->followup, group, outcome->arena);
        incidence.censored = over_strata(c->counts->censored, c->followup, group, outcome->arena);
        struct result *heads = result_add_object(risk_sets, NULL);
        result_add_string(heads, "stratum", groups_stratum(&c->followup->groups, outcome->arena, group));
        if (c->shown[group])
            risk_sets_write(&incidence, c->n[group], heads);
        else
            withhold(heads, risk_names, sizeof risk_names / sizeof *risk_names);
        for (size_t cause = 0; cause < c->n_causes; cause++) {
            if (c->n_cause[cause] == 0 && c->counts->n_hidden == 0)
                continue;
            struct result *row = result_add_object(curves, NULL);
            result_add_string(row, "stratum", groups_stratum(&c->followup->groups, outcome->arena, group));
            result_add_string(row, "cause", c->causes[cause]);
            if (!c->shown[group]) {
                withhold(row, curve_names, sizeof curve_names / sizeof *curve_names);
                outcome->suppressed++;
                continue;
            }
            incidence.cause = over_strata(cause_counts(c, cause), c->followup, group, outcome->arena);
            curve_write(&incidence, c->n[group], row);
        }
    }
}

static void add_test(const struct cuminc *c, size_t cause, const size_t *present, size_t n_present,
                     double rho, struct outcome *outcome, struct result *list)
{
    const struct followup_counts *counts = c->counts;
    size_t *offsets = arena_array(outcome->arena, n_present, sizeof *offsets);
    struct result *row = result_add_object(list, NULL);
    result_add_string(row, "cause", c->causes[cause]);
    if (counts->n_hidden > 0) { /* a test of all arms would tell of one that is withheld */
        wording_warn(outcome, "no test of cause %s: an arm is withheld", c->causes[cause]);
        for (size_t i = 0; i < 3; i++)
            result_add_null(row, (const char *[]){"statistic", "df", "p_value"}[i]);
        return;
    }
    struct gray gray;
    gray_init(&gray, outcome->arena, n_present);
    for (size_t stratum = 0; stratum < c->followup->strata.n; stratum++) {
        size_t end = counts->n_bins;
        for (size_t i = 0; i < n_present; i++) {
            size_t cell = stratum * c->followup->groups.n + present[i];
            offsets[i] = cell * counts->n_bins;
            if (counts->n[cell] > 0 && counts->end[cell] < end)
                end = counts->end[cell];
        }
        struct gray_stratum one = {.at_risk = counts->at_risk,
                                   .cause = cause_counts(c, cause),
                                   .event = counts->event,
                                   .groups = offsets,
                                   .n_groups = n_present,
                                   .n_bins = end};
        gray_add(&gray, outcome->arena, &one, rho);
    }
    double statistic = gray_statistic(&gray, outcome->arena), df = (double)gray.n;
    if (isnan(statistic))
        wording_warn(outcome, "the groups cannot be compared for cause %s: their scores do not vary",
                     c->causes[cause]);
    result_add_number(row, "statistic", statistic);
    result_add_number(row, "df", df);
    result_add_number(row, "p_value", isnan(statistic) ? NAN : pchisq(statistic, df, 0, 0));
}

static void add_tests(const struct cuminc *c, double rho, struct outcome *outcome)
{
    struct result *list = result_add_list(outcome->result, "gray");
    size_t *present = arena_array(outcome->arena, c->followup->groups.n, sizeof *present), n_present = 0;
    for (size_t group = 0; group < c->followup->groups.n; group++)
        if (c->n[group] > 0 || !c->shown[group])
            present[n_present++] = group;
    for (size_t cause = 0; cause < c->n_causes && n_present > 1; cause++)
        if (c->n_cause[cause] > 0 || c->counts->n_hidden > 0)
            add_test(c, cause, present, n_present, rho, outcome, list);
}

/* What the study calls the status. */
static const char *status_name(const struct followup *followup, const struct study *study)
{
    const struct expression *status = followup->formula->event;
    for (size_t i = 0; i < study->n_derived; i++)
        if (study->derived[i].expression == status)
            return study->derived[i].name;
    if (status->op == OP_VARIABLE)
        return study->dictionary->variables[status->variable].name;
    return followup->formula->response_label;
}

/* Who is in each group, and how far its curves go: as far as those of all its strata. */
static void read_groups(struct cuminc *c, struct outcome *outcome)
{
    const struct followup_counts *counts = c->counts;
    size_t n = c->followup->groups.n;
    assert(n > 0);
    c->n = arena_array(outcome->arena, n, sizeof *c->n);
    c->end = arena_array(outcome->arena, n, sizeof *c->end);
    c->shown = arena_array(outcome->arena, n, sizeof *c->shown);
    for (size_t group = 0; group < n; group++) {
        c->end[group] = counts->n_bins;
        c->shown[group] = true;
    }
    for (size_t cell = 0; cell < counts->n_cells; cell++) {
        size_t group = cell % n;
        c->n[group] += counts->n[cell];
        c->shown[group] = c->shown[group] && counts->shown[cell];
        if (counts->n[cell] > 0 && counts->end[cell] < c->end[group])
            c->end[group] = counts->end[cell];
        if (counts->n[cell] > 0)
            followup_warn_end(c->followup, counts, cell,
                              groups_stratum(&c->followup->cells, outcome->arena, cell), outcome);
    }
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct followup followup;
    struct followup_counts counts;
    enum maille_code code;
    MAILLE_TRY(cuminc_of(&followup, analysis, outcome->arena, error));
    followup_read(&counts, &followup, iteration->surviving, totals, outcome->arena);
    MAILLE_TRY(followup_outcome(&counts, outcome, error));
    if (outcome->n_event == 0 && counts.n_hidden == 0) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected at least one event, found that everybody is censored");
        goto out;
    }
    groups_note_dropped(&followup.cells, counts.n, counts.shown, outcome);
    struct cuminc c = {.followup = &followup,
                       .counts = &counts,
                       .causes = followup.formula->event->levels + 1,
                       .n_causes = followup.n_status - 1};
    c.n_cause = arena_array(outcome->arena, c.n_causes, sizeof *c.n_cause);
    read_groups(&c, outcome);
    for (size_t cause = 0; cause < c.n_causes; cause++) {
        for (size_t cell = 0; cell < counts.n_cells; cell++)
            c.n_cause[cause] += totals_count(totals, FOLLOWUP_ARMS, cell * followup.n_status + 1 + cause);
        if (c.n_cause[cause] == 0 && counts.n_hidden == 0)
            result_add_string(outcome->dropped_levels, NULL,
                              arena_printf(outcome->arena, "%s=%s", status_name(&followup, analysis->study),
                                           c.causes[cause]));
    }
    add_curves(&c, analysis->conf_level, outcome);
    add_tests(&c, analysis_number(analysis, "rho"), outcome);
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_cuminc = {
    .declared = {.name = "cuminc",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_landmark = true},
    .version = 1,
    .words = {.name = "Cumulative incidence",
              .sentence = "Aalen–Johansen estimator; Gray’s test of equality.",
              .r = "cmprsk::cuminc()",
              .source = "Gray, The Annals of Statistics 1988;16:1141"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
