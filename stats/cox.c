/* Cox's model: coxph() with Efron's or Breslow's ties, strata(), strata(site), delayed entry, offset.
 * D. R. Cox, JRSS B 1972;34:187–220; B. Efron, JASA 1977;72:557–565; N. Breslow, Biometrics 1974;30:89–99;
 * Therneau and Grambsch, Modeling Survival Data, 2000, ch. 3. The rounds are in cox_pooled.c and cox_site.c.
 * R's counterpart: coxph(); docs/methods/cox.md. */
#include "stats/cox.h"

#include <math.h>

#include "stats/wording.h"

static const struct query_key keys[] = {
    {.name = "formula",
     .kind = KEY_FORMULA,
     .required = true,
     .sentence = "the model, as in R: Surv(time, event) ~ x + strata(z)"},
    {.name = "ties",
     .kind = KEY_CHOICE,
     .choices = "efron|breslow",
     .sentence = "how tied events are treated"},
    {.name = "robust", .kind = KEY_FLAG, .sentence = "robust standard errors"},
    {.name = "zph",
     .kind = KEY_FLAG_OR_CHOICES,
     .n_min = 1,
     .n_max = COX_TRANSFORMS,
     .choices = "km|identity",
     .sentence = "test of proportional hazards; true is the km transform"},
    {.name = "baseline", .kind = KEY_FLAG, .sentence = "baseline cumulative hazard"},
};

void cox_store(double *at, f128 value)
{
    at[0] = (double)value;
    at[1] = (double)(value - (f128)at[0]);
}

f128 cox_load(const double *at)
{
    return (f128)at[0] + (f128)at[1];
}

/* Keys of the interface that this version cannot answer: said, never passed over. */
static enum maille_code offered(const struct cox *cox, struct maille_error *error)
{
    const struct formula *formula = cox->formula;
    if (cox->analysis->weights || cox->analysis->iptw)
        return maille_fail(error, MAILLE_FAILED,
                           "expected a cox model without weights, found weights, which this version does not "
                           "offer");
    if (formula->has_cluster || formula->cluster_site || analysis_flag(cox->analysis, "robust"))
        return maille_fail(
            error, MAILLE_FAILED,
            "expected a cox model without robust errors, found robust or cluster(), which this "
            "version does not offer");
    if (formula->strata_site && (cox->zph || cox->baseline))
        return maille_fail(
            error, MAILLE_FAILED,
            "expected neither zph nor baseline with strata(site): both would need the risk sets "
            "of one site");
    return MAILLE_OK;
}

static enum maille_code read_follow_up(struct cox *cox, struct arena *arena, struct maille_error *error)
{
    const struct formula *formula = cox->formula;
    struct tally_survival *survival = &cox->survival;
    double width = grid_width(cox->analysis->study->grid, formula->units, formula->stop->step),
           days = units_in_days(formula->units);
    if (formula->event->kind != EXPRESSION_BOOLEAN)
        return wording_invalid(
            error, cox->analysis,
            "expected a boolean event in Surv(); several causes are for cuminc and finegray");
    if (!(isfinite(formula->stop->high) && formula->stop->high >= 0 && width > 0))
        return wording_invalid(error, cox->analysis, "expected a time with public bounds in Surv()");
    double bins = ceil(formula->stop->high / width) + 1;
    if (!(bins * 2 * (double)cox->strata.n <= EXPRESSION_TABLE_MAX))
        return maille_fail(error, MAILLE_FAILED,
                           "expected at most %d strata times grid steps, found %.0f: take a coarser grid",
                           EXPRESSION_TABLE_MAX / 2, bins * (double)cox->strata.n);
    survival->start = formula->start;
    survival->stop = formula->stop;
    survival->event = formula->event;
    survival->width = width;
    survival->n_bins = (uint32_t)bins;
    cox->n_bins = survival->n_bins;
    cox->grid_days = width * (days > 0 ? days : 1);
    cox->exit = expression_survival(arena, OP_SURV_EXIT, survival->n_bins);
    cox->status = expression_survival(arena, OP_SURV_STATUS, 2);
    const struct expression *follow_up[2] = {cox->exit, cox->status};
    cox->exit_code = groups_code(&cox->strata, arena, expression_cross(arena, follow_up, 2));
    if (formula->start)
        cox->entry_code =
            groups_code(&cox->strata, arena, expression_survival(arena, OP_SURV_ENTRY, survival->n_bins));
    return MAILLE_OK;
}

static enum maille_code read_strata(struct cox *cox, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    groups_init(&cox->strata);
    for (size_t i = 0; i < cox->formula->n_strata; i++)
        MAILLE_TRY(groups_add_any(&cox->strata, arena, cox->formula->strata[i].label,
                                  cox->formula->strata[i].expression, error));
out:
    return code;
}

static enum maille_code prepare(struct cox *cox, const struct analysis *analysis, struct arena *arena,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = analysis_value(analysis, "formula")->formula;
    *cox = (struct cox){.analysis = analysis,
                        .formula = formula,
                        .efron = analysis_value(analysis, "ties")->choice == 0,
                        .baseline = analysis_flag(analysis, "baseline"),
                        .zph = analysis_value(analysis, "zph")->choice};
    if (formula->kind != RESPONSE_SURVIVAL) {
        code = wording_invalid(error, analysis, "expected Surv(time, event) on the left of ~");
        goto out;
    }
    MAILLE_TRY(read_strata(cox, arena, error));
    MAILLE_TRY(read_follow_up(cox, arena, error));
    MAILLE_TRY(offered(cox, error));
    MAILLE_TRY(
        design_build(&cox->design, arena, formula, true, error)); /* coxph codes as with an intercept */
    const struct expression *complete = analysis_complete(analysis, arena, NULL, 0);
    cox->survival.filter = expression_and(arena, analysis->cohort, complete);
    cox->missing = expression_and(arena, analysis->cohort, expression_unary(arena, OP_NOT, complete));
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct cox cox;
    if (!arena)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a model, found none");
    enum maille_code code = prepare(&cox, analysis, arena, error);
    if (code == MAILLE_FAILED) /* of this analysis alone: its plan says so */
        code = MAILLE_OK;
    arena_free(arena);
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cox cox;
    MAILLE_TRY(prepare(&cox, analysis, arena, error));
    MAILLE_TRY(fit_cells(out, cox.design, cox.survival.filter, cox.formula->event, arena, error));
    out->n_parameters -= out->n_parameters > 0; /* the constant that coxph drops */
    out->grid_days = cox.grid_days;
out:
    return code;
}

static void add_counts(const struct cox *cox, struct arena *arena, struct tally_spec *spec,
                       const struct fit_theta *at)
{
    const struct expression *filter = cox->survival.filter;
    fit_block(spec, cox->missing, NULL, 0);
    fit_block(spec, filter, NULL, 0)->group = cox->status;
    struct tally_block *columns = fit_block(spec, filter, NULL, 1);
    const struct expression **terms = arena_array(arena, at->n_columns + 1, sizeof *terms);
    for (size_t i = 0; i < at->n_columns; i++)
        terms[i] = cox->design->columns[at->columns[i]].term;
    terms[at->n_columns] = cox->formula->offset ? cox->formula->offset : expression_constant(arena, 0);
    columns->group = cox->status;
    columns->terms = terms;
    columns->n_terms = at->n_columns + 1;
    fit_block(spec, filter, NULL, 0)->group = cox->exit_code;
    fit_block(spec, filter, NULL, 0)->group = cox->entry_code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)surviving;
    enum maille_code code = MAILLE_OK;
    struct cox cox;
    struct fit_theta at;
    MAILLE_TRY(prepare(&cox, analysis, arena, error));
    MAILLE_TRY(fit_theta_read(&at, arena, cox.design, true, theta, error));
    spec->survival = cox.survival;
    if (at.stage == COX_ROUND_1)
        add_counts(&cox, arena, spec, &at);
    if (cox.formula->strata_site)
        MAILLE_TRY(cox_site_plan(&cox, &at, arena, spec, error));
    else
        MAILLE_TRY(cox_pooled_plan(&cox, &at, arena, spec, error));
out:
    return code;
}

/* --- step --- */

static void bind(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    size_t n = cox->design->n_columns, cells_n = cox->strata.n * cox->n_bins,
           common = fit_memo_size(cox->design);
    size_t transforms = cox->zph ? COX_TRANSFORMS : 0;
    const size_t sizes[] = {COX_OWN,
                            cells_n,
                            cells_n,
                            cells_n,
                            transforms * cox->n_bins,
                            2 * n,
                            2 * n * n,
                            transforms * 2 * n,
                            transforms * 4 * n * n};
    double **const parts[] = {&step->own,      &step->ties,      &step->c1,
                              &step->c2,       &step->weights,   &step->score,
                              &step->products, &step->zph_score, &step->zph_products};
    size_t need = common;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        need += sizes[i];
    if (step->iteration->memo.n == 0)
        vector_grow(&step->iteration->memo, need);
    fit_bind(&step->fit, cox->design, true, &step->iteration->memo);
    double *next = step->iteration->memo.v + common;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *parts[i] = next;
        next += sizes[i];
    }
}

static enum maille_code read_counts(struct cox_step *step, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct totals *totals = step->totals;
    struct fit *fit = &step->fit;
    size_t n = step->at.n_columns;
    double events = (double)totals_count(totals, COX_BLOCK_ROWS, 1);
    fit->scalars[FIT_EVENTS] = events;
    fit->scalars[FIT_ROWS] = (double)totals_count(totals, COX_BLOCK_ROWS, 0) + events;
    fit->scalars[FIT_MISSING] = (double)totals_count(totals, COX_BLOCK_MISSING, 0);
    for (size_t i = 0; i < n; i++) {
        fit->event_sum[step->at.columns[i]] = totals_real(totals, COX_BLOCK_COLUMNS, n + 1 + i);
        fit->sum[step->at.columns[i]] = (double)(totals_quad(totals, COX_BLOCK_COLUMNS, i) +
                                                 totals_quad(totals, COX_BLOCK_COLUMNS, n + 1 + i));
    }
    step->own[COX_EVENT_OFFSET] = totals_real(totals, COX_BLOCK_COLUMNS, 2 * n + 1);
    fit->scalars[FIT_OFFSET] = totals_real(totals, COX_BLOCK_COLUMNS, n) + step->own[COX_EVENT_OFFSET];
    for (size_t i = 0; i < step->cox.strata.n * step->cox.n_bins; i++)
        step->ties[i] = (double)totals_count(totals, COX_BLOCK_TIES, 2 * i + 1);
    step->outcome->n = (int64_t)fit->scalars[FIT_ROWS];
    step->outcome->n_missing = (int64_t)fit->scalars[FIT_MISSING];
    step->outcome->n_event = (int64_t)events;
    if (!(fit->scalars[FIT_ROWS] > 0)) {
        code = wording_nobody(error, step->outcome->n_missing);
        goto out;
    }
    if (!(events > 0)) {
        code = maille_fail(error, MAILLE_FAILED, "expected an event in the cohort, found none");
        goto out;
    }
    MAILLE_TRY(fit_choose_columns(fit, step->outcome, error));
    MAILLE_TRY(fit_check_levels(fit, fit->event_sum, false, "an event", error));
    if (step->cox.zph)
        cox_zph_weights(step);
out:
    return code;
}

enum maille_code cox_accept(struct cox_step *step, double loglik, bool *accepted, struct maille_error *error)
{
    struct fit *fit = &step->fit;
    double old = step->own[COX_LOGLIK];
    *accepted = step->at.stage == COX_ROUND_1 || loglik >= old - 1e-9 * fabs(old);
    if (!*accepted)
        return fit_halve(fit, error);
    if (step->at.stage == COX_ROUND_1)
        step->own[COX_NULL_LOGLIK] = loglik;
    step->own[COX_LOGLIK] = loglik;
    fit->scalars[FIT_OBJECTIVE] = -loglik;
    return MAILLE_OK;
}

f128 *cox_read_matrix(const struct cox_step *step, size_t block, size_t first, size_t n)
{
    f128 *upper = arena_array(step->arena, n * (n + 1) / 2 + 1, sizeof *upper);
    f128 *full = arena_array(step->arena, n * n + 1, sizeof *full);
    for (size_t i = 0; i < n * (n + 1) / 2; i++)
        upper[i] = totals_quad(step->totals, block, first + i);
    linear_unpack(full, upper, n);
    return full;
}

/* Λ0(t) at event times, all covariates 0 (basehaz(centered = FALSE)). c1 was made with exp(x′β − c) on
 * centred columns. */
static void report_baseline(struct cox_step *step, struct result *result)
{
    const struct cox *cox = &step->cox;
    f128 shift = (f128)step->at.shift;
    for (size_t j = 0; j < cox->design->n_columns; j++)
        if (step->fit.state[j] == FIT_USED && cox->design->columns[j].numeric &&
            cox->design->columns[j].base == 0)
            shift += (f128)step->fit.beta[j] * (f128)cox->design->columns[j].middle;
    struct result *list = result_add_list(result, "baseline");
    for (size_t s = 0; s < cox->strata.n; s++) {
        struct result *row = NULL, *time = NULL, *cumhaz = NULL;
        f128 sum = 0;
        for (size_t k = 0; k < cox->n_bins; k++) {
            if (!(step->ties[s * cox->n_bins + k] > 0))
                continue;
            if (!row) {
                row = result_add_object(list, NULL);
                result_add_string(row, "stratum", groups_stratum(&cox->strata, step->arena, s));
                time = result_add_list(row, "time");
                cumhaz = result_add_list(row, "cumhaz");
            }
            sum += (f128)step->c1[s * cox->n_bins + k];
            result_add_number(time, NULL, (double)k * cox->survival.width);
            result_add_number(cumhaz, NULL, (double)sum * exp(-(double)shift));
        }
    }
}

void cox_report(struct cox_step *step, const struct normal *normal)
{
    const struct cox *cox = &step->cox;
    struct fit *fit = &step->fit;
    struct result *result = step->outcome->result;
    struct fit_report report = {
        .normal = normal, .dispersion = 1, .conf_level = cox->analysis->conf_level, .events = true};
    double null = step->own[COX_NULL_LOGLIK], fitted = step->own[COX_LOGLIK],
           df = (double)normal->factor.rank;
    f128 *beta = arena_array(step->arena, normal->n + 1, sizeof *beta);
    for (size_t j = 0; j < normal->n; j++)
        beta[j] = normal->factor.aliased[j] ? 0 : (f128)fit->beta[normal->columns[j]];

    fit_report_terms(fit, &report, step->outcome, result);
    struct result *loglik = result_add_list(result, "loglik");
    result_add_number(loglik, NULL, null);
    result_add_number(loglik, NULL, fitted);
    result_add_number(result, "aic", -2 * fitted + 2 * df);
    struct result *tests = result_add_object(result, "tests");
    fit_report_chisq(tests, "likelihood_ratio", 2 * (fitted - null), df);
    fit_report_chisq(tests, "wald", (double)linear_form(normal->information, beta, normal->n), df);
    fit_report_chisq(tests, "score", step->own[COX_SCORE_TEST], df);
    result_add_null(result, "concordance");
    if (cox->zph && normal->n > 0)
        cox_zph_report(step, normal);
    else
        result_add_null(result, "zph");
    if (cox->baseline)
        report_baseline(step, result);
    else
        result_add_null(result, "baseline");
    result_add_string(result, "ties", cox->efron ? "efron" : "breslow");
    result_add_integer(result, "iterations", llround(fit->scalars[FIT_STEPS]));
    fit_report_vcov(fit, &report, result);
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cox_step at = {.totals = totals, .iteration = iteration, .outcome = outcome, .arena = arena_new()};
    if (!at.arena)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a step, found none");
    MAILLE_TRY(prepare(&at.cox, analysis, at.arena, error));
    MAILLE_TRY(fit_theta_read(&at.at, at.arena, at.cox.design, true, &iteration->theta, error));
    bind(&at);
    if (at.at.stage == COX_ROUND_1)
        MAILLE_TRY(read_counts(&at, error));
    if (at.cox.formula->strata_site)
        MAILLE_TRY(cox_site_step(&at, done, error));
    else
        MAILLE_TRY(cox_pooled_step(&at, done, error));
out:
    arena_free(at.arena);
    return code;
}

extern const struct method method_cox;
const struct method method_cox = {.declared = {.name = "cox",
                                               .keys = keys,
                                               .n_keys = sizeof keys / sizeof *keys,
                                               .takes_weights = true,
                                               .is_model = true},
                                  .version = 1,
                                  .check = check,
                                  .cells = cells,
                                  .plan = plan,
                                  .step = step};
