/* Cox's model: coxph() with Efron's or Breslow's ties, strata(), strata(site), delayed entry, offset.
 * D. R. Cox, JRSS B 1972;34:187–220; B. Efron, JASA 1977;72:557–565; N. Breslow, Biometrics 1974;30:89–99;
 * Therneau and Grambsch, Modeling Survival Data, 2000, ch. 3. The rounds are in cox_pooled.c and cox_site.c.
 * R's counterpart: coxph(); docs/methods/cox.md. */
#include "stats/cox.h"

#include <math.h>
#include <string.h>

#include "stats/iptw.h"
#include "stats/knots.h"
#include "stats/left_out.h"
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
    {.name = "subgroups",
     .kind = KEY_SUBGROUPS,
     .n_min = 1,
     .n_max = FIT_SUBGROUPS_MAX,
     .sentence = FIT_SUBGROUPS_SENTENCE},
    {.name = "baseline", .kind = KEY_FLAG, .sentence = "baseline cumulative hazard"},
    {.name = "adjusted",
     .kind = KEY_VARIABLE,
     .sentence = "a category of the formula: mean survival at `times` were everybody in each of its levels"},
    {.name = "times",
     .kind = KEY_NUMBERS,
     .min = 0,
     .max = 1e9,
     .n_min = 1,
     .n_max = COX_TIMES_MAX,
     .sentence = "times of `adjusted`, in the units of the time variable"},
};

f128 cox_load(const double *at)
{
    return (f128)at[0] + (f128)at[1];
}

/* What does not go together: said, never passed over. cox: its formula, keys and statuses. */
static enum maille_code offered(const struct cox *cox, struct maille_error *error)
{
    const struct formula *formula = cox->formula;
    if (formula->strata_site && (cox->zph || cox->baseline))
        return maille_fail(
            error, MAILLE_FAILED,
            "expected neither zph nor baseline with strata(site): both would need the risk sets "
            "of one site");
    if (formula->strata_site && cox->n_status > COX_OTHER)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected risk sets over all sites where causes compete, found strata(site), which is for cox "
            "and logrank");
    return MAILLE_OK;
}

/* Events of competing causes as three statuses. */
static enum maille_code read_cause(struct cox *cox, struct arena *arena, struct maille_error *error)
{
    const struct expression *event = cox->formula->event;
    if (event->kind != EXPRESSION_CODE || event->levels == NULL)
        return wording_invalid(
            error, cox->analysis,
            "expected a category in Surv() whose first level is censoring, found something else");
    double *status = arena_array(arena, event->n_levels, sizeof *status),
           *member = arena_array(arena, event->n_levels, sizeof *member);
    size_t found = 0;
    for (size_t l = 1; l < event->n_levels; l++) {
        bool is_cause = strcmp(event->levels[l], cox->cause) == 0;
        status[l] = is_cause ? COX_EVENT : COX_OTHER;
        member[l] = is_cause;
        found += is_cause;
    }
    if (found == 0)
        return wording_invalid(error, cox->analysis,
                               "expected `cause` to be a level of the status behind the first, found `%s`",
                               cox->cause);
    cox->event = expression_in_levels(arena, event, member);
    cox->survival.event = expression_uniform_bin(
        arena, expression_lookup(arena, status, event->n_levels, event), 0, 1, COX_OTHER + 1);
    cox->n_status = COX_OTHER + 1;
    return MAILLE_OK;
}

static enum maille_code read_event(struct cox *cox, struct arena *arena, struct maille_error *error)
{
    if (cox->cause != NULL)
        return read_cause(cox, arena, error);
    if (cox->formula->event->kind != EXPRESSION_BOOLEAN)
        return wording_invalid(
            error, cox->analysis,
            "expected a boolean event in Surv(); several causes are for cuminc and finegray");
    cox->event = cox->survival.event = cox->formula->event;
    cox->n_status = COX_EVENT + 1;
    return MAILLE_OK;
}

static enum maille_code read_follow_up(struct cox *cox, struct arena *arena, struct maille_error *error)
{
    const struct formula *formula = cox->formula;
    struct tally_survival *survival = &cox->survival;
    struct maille_error inner = {0};
    if (analysis_time_axis(&cox->axis, cox->analysis, formula, &inner) != MAILLE_OK)
        return wording_invalid(error, cox->analysis, "%s", inner.sentence);
    double bins = cox->axis.n_bins;
    if (!(bins * (double)(cox->n_status * cox->strata.n) <= EXPRESSION_TABLE_MAX))
        return maille_fail(error, MAILLE_FAILED,
                           "expected at most %d strata times grid steps, found %.0f: take a coarser grid",
                           EXPRESSION_TABLE_MAX / (int)cox->n_status, bins * (double)cox->strata.n);
    survival->start = formula->start;
    survival->stop = formula->stop;
    survival->lattice = cox->axis.lattice;
    survival->per_bin = cox->axis.per_bin;
    survival->n_bins = (uint32_t)bins;
    cox->n_bins = survival->n_bins;
    cox->exit = expression_survival(arena, OP_SURV_EXIT, survival->n_bins);
    cox->status = expression_survival(arena, OP_SURV_STATUS, (uint32_t)cox->n_status);
    const struct expression *follow_up[2] = {cox->exit, cox->status};
    cox->exit_code = cox->sum_code = groups_code(&cox->strata, arena, expression_cross(arena, follow_up, 2));
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

/* One more part of a code that tells rows with other covariates apart; false where it would have too many
 * values. */
static bool add_part(const struct expression **parts, size_t *n, double *levels, struct arena *arena,
                     const struct expression *x)
{
    const struct expression *code = NULL;
    struct maille_error ignored;
    if (x == NULL)
        return true;
    if (x->kind != EXPRESSION_NUMBER) {
        if (expression_as_code(&code, arena, x, &ignored) != MAILLE_OK)
            return false;
    } else {
        double bins = x->lattice > 0 ? (x->high - x->low) / x->lattice + 1.5 : INFINITY;
        if (!(bins < INT32_MAX))
            return false;
        code = expression_uniform_bin(arena, x, x->low - x->lattice / 2, x->lattice, (uint32_t)bins + 1);
    }
    *levels *= code->n_levels;
    parts[(*n)++] = code;
    return *levels < INT32_MAX;
}

/* Fine and Gray: who goes on in another row was not censored, so rows of a patient that continue each other
 * with the same covariates are one. Where these have too many values to be compared nothing is joined, and
 * several rows of a patient are refused. */
static void join_rows(struct cox *cox, struct arena *arena)
{
    const struct formula *formula = cox->formula;
    const struct expression **parts = arena_array(arena, FORMULA_FACTORS_MAX + 16, sizeof *parts);
    size_t n = 0;
    double levels = 1;
    bool all = cox->cause != NULL && formula->start != NULL;
    for (size_t i = 0; i < formula->n_factors && all; i++)
        all = add_part(parts, &n, &levels, arena, formula->factors[i].expression);
    for (size_t i = 0; i < formula->n_strata && all; i++)
        all = add_part(parts, &n, &levels, arena, formula->strata[i].expression);
    if (!all || !add_part(parts, &n, &levels, arena, formula->offset))
        return;
    cox->survival.joins = true;
    cox->survival.same = n == 0 ? NULL : expression_cross(arena, parts, n);
}

/* Rows of weight 0 leave, as coxph wants it: nothing may change with them. */
static void read_rows(struct cox *cox, struct arena *arena)
{
    const struct analysis *analysis = cox->analysis;
    cohort_rows(&cox->cohort, analysis, arena, NULL, 0);
    const struct expression *rows = cox->cohort.rows;
    cox->weights = analysis->weights;
    cox->survival.filter = rows;
    if (cox->weights == NULL)
        return;
    cox->unused = expression_unary(arena, OP_NOT, expression_true(arena));
    if (cox->weights->low > 0)
        return;
    const struct expression *used =
        expression_binary(arena, OP_GT, cox->weights, expression_constant(arena, 0));
    cox->survival.filter = expression_and(arena, rows, used);
    cox->unused = expression_and(arena, rows, expression_unary(arena, OP_NOT, used));
}

/* Robust errors unless the study says otherwise: with weights, with clusters, and of Fine and Gray. */
static void read_keys(struct cox *cox)
{
    const struct analysis *analysis = cox->analysis;
    for (size_t k = 0; k < analysis->declared->n_keys; k++)
        if (strcmp(analysis->declared->keys[k].name, "cause") == 0)
            cox->cause = analysis->values[k].names[0];
    if (cox->cause != NULL) {
        cox->efron = cox->robust = true;
        return;
    }
    cox->efron = analysis_value(analysis, "ties")->choice == 0;
    if (analysis->subgroup == NULL) { /* once, of the model that was written */
        cox->baseline = analysis_flag(analysis, "baseline");
        cox->zph = analysis_value(analysis, "zph")->choice;
        cox->times = analysis_value(analysis, "times");
        if (analysis_value(analysis, "adjusted")->present)
            cox->adjusted = analysis_value(analysis, "adjusted");
    }
    cox->robust = analysis_value(analysis, "robust")->present
                      ? analysis_flag(analysis, "robust")
                      : analysis->weights || cox->formula->has_cluster;
}

enum maille_code cox_prepare(struct cox *cox, const struct analysis *analysis, struct arena *arena,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = analysis_value(analysis, "formula")->formula;
    *cox = (struct cox){.analysis = analysis, .formula = formula, .tables = true};
    read_keys(cox);
    if (formula->kind != RESPONSE_SURVIVAL) {
        code = wording_invalid(error, analysis, "expected Surv(time, event) on the left of ~");
        goto out;
    }
    MAILLE_TRY(read_event(cox, arena, error));
    MAILLE_TRY(read_strata(cox, arena, error));
    MAILLE_TRY(read_follow_up(cox, arena, error));
    if (formula->cluster.expression && cox->robust) {
        code = expression_as_code(&cox->cluster, arena, formula->cluster.expression, error);
        if (code != MAILLE_OK) {
            maille_error_prefix(error, "cluster(%s)", formula->cluster.label);
            goto out;
        }
    }
    MAILLE_TRY(offered(cox, error));
    MAILLE_TRY(
        design_build(&cox->design, arena, formula, true, error)); /* coxph codes as with an intercept */
    if (cox->adjusted)
        MAILLE_TRY(cox_adjusted_check(cox, error));
    read_rows(cox, arena);
    join_rows(cox, arena);
out:
    return code;
}

enum maille_code cox_check(const struct analysis *analysis, struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct cox cox;
    if (!arena)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a model, found none");
    enum maille_code code = cox_prepare(&cox, analysis, arena, error);
    if (code == MAILLE_FAILED) /* of this analysis alone: its plan says so */
        code = MAILLE_OK;
    arena_free(arena);
    return code;
}

static enum maille_code fitted_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cox cox;
    MAILLE_TRY(cox_prepare(&cox, analysis, arena, error));
    struct cohort_rows used = {.rows = cox.survival.filter, .missing = cox.cohort.missing};
    MAILLE_TRY(fit_cells(out, cox.design, &used, cox.event, arena, error));
    if (cox.cluster) /* the sum of a level's scores is read */
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, cox.survival.filter, cox.cluster, error));
    if (cox.weights && cox.weights->low <= 0) /* a warning tells of rows of weight 0 */
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, cox.unused, NULL, error));
    out->spec.survival = cox.survival;
    if (cox.formula->start)
        MAILLE_TRY(left_out_cells(out, used.rows, arena, error));
    out->n_parameters -= out->n_parameters > 0; /* the constant that coxph drops */
    out->n_shown = 2 * out->n_parameters + cox_adjusted_shown(&cox);
    out->axis = cox.axis;
    if (cox.formula->strata_site) /* no stratum and no time leaves a site */
        goto out;
    if (cox.strata.n_parts > 0) {
        const struct expression *strata = groups_code(&cox.strata, arena, NULL);
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, used.rows, strata, error));
        MAILLE_TRY(groups_cell(out, CELL_EVENTS, expression_and(arena, used.rows, cox.event), strata, error));
    }
    MAILLE_TRY(cox_merge_cells(&cox, out, arena, error));
    out->late_bytes = cox_concordance_bytes(&cox);
out:
    return code;
}

enum maille_code cox_left_out(size_t *block, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error)
{
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    enum maille_code code = fitted_cells(analysis, arena, cells, error);
    if (code == MAILLE_OK)
        *block = left_out_find(cells);
    return code;
}

static enum maille_code fitted_plan(const struct analysis *analysis, const struct vector *theta,
                                    const struct surviving *surviving, struct arena *arena,
                                    struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cox cox;
    struct fit_theta at;
    MAILLE_TRY(cox_prepare(&cox, analysis, arena, error));
    MAILLE_TRY(cox_merge(&cox, surviving, arena, error));
    MAILLE_TRY(fit_theta_read(&at, arena, &cox.design, true, theta, error));
    spec->survival = cox.survival;
    spec->fitted = at.stage != COX_ROUND_1;
    if (at.stage == COX_ROUND_1) {
        MAILLE_TRY(cox_left_out(&cox.left_out, analysis, arena, error));
        cox_counts_plan(&cox, arena, spec, &at);
    }
    if (cox.formula->strata_site)
        MAILLE_TRY(cox_site_plan(&cox, &at, arena, spec, error));
    else
        MAILLE_TRY(cox_pooled_plan(&cox, &at, arena, spec, error));
    if (at.stage == COX_ROUND_1) {
        fit_narrow_plan(spec, cox.design, cox.cohort.rows, arena);
        fit_poly_plan(spec, cox.design, cox.cohort.rows, arena);
    }
out:
    return code;
}

/* --- step --- */

/* Points into memo. */
static void bind(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    size_t n = cox->design->n_columns, times = cox->strata.n * cox->n_bins,
           common = fit_memo_size(cox->design);
    size_t transforms = cox->zph ? COX_TRANSFORMS : 0, scores = cox->robust || cox->adjusted ? n * times : 0,
           concordance = cox_concordance_pooled(cox) ? times : 0;
    const struct {
        double **at;
        size_t n;
    } parts[] = {{&step->own, COX_OWN},
                 {&step->ties, times},
                 {&step->mean, times},
                 {&step->uncensored, cox->n_status > COX_OTHER ? times : 0},
                 {&step->at_risk, concordance},
                 {&step->cuts, cox_concordance_cuts(cox)},
                 {&step->same, cox_concordance_same(cox)},
                 {&step->node_events, cox_concordance_node_events(cox)},
                 {&step->event_sum, n},
                 {&step->c1, times},
                 {&step->c2, times},
                 {&step->weights, transforms * cox->n_bins},
                 {&step->score, 2 * n},
                 {&step->products, 2 * n * n},
                 {&step->zph_score, transforms * 2 * n},
                 {&step->zph_products, transforms * 4 * n * n},
                 {&step->h1, cox->adjusted ? times : 0},
                 {&step->h2, cox->adjusted ? times : 0},
                 {&step->d1, scores},
                 {&step->d2, scores},
                 {&step->covariate, scores}};
    size_t need = common;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        need += parts[i].n;
    if (step->iteration->memo.n == 0)
        vector_grow(&step->iteration->memo, need);
    fit_bind(&step->fit, cox->design, true, &step->iteration->memo);
    double *next = step->iteration->memo.v + common;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].at = next;
        next += parts[i].n;
    }
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

static enum maille_code fitted_step(const struct analysis *analysis, const struct totals *totals,
                                    struct iteration *iteration, struct outcome *outcome, bool *done,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cox_step at = {.totals = totals, .iteration = iteration, .outcome = outcome, .arena = arena_new()};
    if (!at.arena)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a step, found none");
    MAILLE_TRY(cox_prepare(&at.cox, analysis, at.arena, error));
    MAILLE_TRY(cox_merge(&at.cox, iteration->surviving, at.arena, error));
    MAILLE_TRY(fit_theta_read(&at.at, at.arena, &at.cox.design, true, &iteration->theta, error));
    if (at.at.stage == COX_ROUND_1 && fit_narrow_read(&iteration->theta, at.cox.design, totals, at.arena))
        goto out;
    bind(&at);
    if (at.at.stage == COX_ROUND_1) {
        MAILLE_TRY(cox_left_out(&at.cox.left_out, analysis, at.arena, error));
        MAILLE_TRY(cox_counts_read(&at, error));
    }
    if (at.cox.formula->strata_site)
        MAILLE_TRY(cox_site_step(&at, done, error));
    else
        MAILLE_TRY(cox_pooled_step(&at, done, error));
out:
    arena_free(at.arena);
    return code;
}

/* --- the method, and finegray --- */

static const struct method fitted = {
    .check = cox_check, .cells = fitted_cells, .plan = fitted_plan, .step = fitted_step};

enum maille_code cox_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                           struct maille_error *error)
{
    return knots_cells(&fitted, analysis, arena, out, error);
}

enum maille_code cox_plan(const struct analysis *analysis, const struct vector *theta,
                          const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                          struct maille_error *error)
{
    return knots_plan(&fitted, analysis, theta, surviving, arena, spec, error);
}

enum maille_code cox_step(const struct analysis *analysis, const struct totals *totals,
                          struct iteration *iteration, struct outcome *outcome, bool *done,
                          struct maille_error *error)
{
    return knots_step(&fitted, analysis, totals, iteration, outcome, done, error);
}

static const struct method weighted = {
    .check = cox_check, .cells = cox_cells, .plan = cox_plan, .step = cox_step};

extern const struct method method_cox;
const struct method method_cox = {
    .declared = {.name = "cox",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_weights = true,
                 .takes_landmark = true,
                 .is_model = true},
    .version = 1,
    .words = {.name = "Cox model",
              .sentence = "Partial likelihood by Newton’s method.",
              .r = "survival::coxph()",
              .source = "Cox, Journal of the Royal Statistical Society B 1972;34:187; Efron, Journal of the "
                        "American Statistical Association 1977;72:557"},
    .check = iptw_check,
    .cells = iptw_cells,
    .plan = iptw_plan,
    .step = iptw_step,
    .weighted = &weighted};
