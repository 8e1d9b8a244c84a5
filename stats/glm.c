/* Generalised linear models with canonical links: gaussian, binomial, poisson; offset and prior weights.
 *
 * Newton's method, one step a round: a round tallies deviance, score Σ a·x·(y − μ) and information Σ
 * a·μ′·x·x′ at θ, so the last round holds the converged values (McCullagh and Nelder, Generalized Linear
 * Models, 2nd ed., 1989, §2.5; R's glm.fit). The null model (intercept and offset) is a fit of one parameter
 * in the same rounds. R's counterpart: glm(), summary.glm(); docs/methods/glm.md. */
#include <math.h>
#include <string.h>

#include "stats/gformula.h"
#include "stats/iptw.h"
#include "stats/knots.h"
#include "stats/wording.h"
#include "tally/elementary.h"

static const struct query_key keys[] = {
    {.name = "formula",
     .kind = KEY_FORMULA,
     .required = true,
     .sentence = "the model, as in R: y ~ x + z, offset() allowed"},
    {.name = "family",
     .kind = KEY_CHOICE,
     .choices = FAMILY_CHOICES,
     .sentence = "gaussian, binomial or poisson"},
    {.name = "subgroups",
     .kind = KEY_SUBGROUPS,
     .n_min = 1,
     .n_max = FIT_SUBGROUPS_MAX,
     .sentence = FIT_SUBGROUPS_SENTENCE},
    {.name = "robust",
     .kind = KEY_FLAG,
     .sentence = "robust standard errors, which the tests and limits then use"},
};

/* Blocks of a round. What only round 1 or only later rounds have stands behind what all have. */
enum {
    BLOCK_DEVIANCE,
    BLOCK_SCORE,
    BLOCK_INFORMATION,
    /* round 1 */
    BLOCK_MISSING = 3,
    BLOCK_ROWS,     /* by event where the response is one */
    BLOCK_COLUMNS,  /* Σ of every column, likewise */
    BLOCK_CONSTANT, /* of −2 log likelihood; with weights, gaussian: Σ log a */
    BLOCK_WEIGHTLESS,
    /* later */
    BLOCK_NULL_DEVIANCE = 3,
    BLOCK_NULL_SCORE,
    BLOCK_NULL_INFORMATION,
    BLOCK_SQUARES,               /* robust: Σ (a·(y − μ))²·x·x′ */
    BLOCK_MEANS = BLOCK_SQUARES, /* of gformula, which has no robust */
    /* later, with strata(site): one block of the sites' own (glm_site.c) stands for the first three */
    BLOCK_SITES = 0,
    BLOCK_NULL_BESIDE_SITES
};

/* θ beyond the common part. */
enum { THETA_NULL, THETA_EXTRA };
/* STAGE_MEANS: of gformula, whose means are summed at the converged coefficients. */
enum { STAGE_STEP = 1, STAGE_MEANS };

/* memo beyond the common part. */
enum {
    MEMO_NULL, /* coefficient of the null model */
    MEMO_NULL_DEVIANCE,
    MEMO_NULL_DONE,
    MEMO_NULL_ACCEPTED, /* with an offset: the coefficient before this one, and its deviance */
    MEMO_NULL_ACCEPTED_DEVIANCE,
    MEMO_CONSTANT,
    MEMO_WEIGHTLESS, /* rows with weight 0 */
    MEMO_START,      /* θ is the null model, which need not lie in the span of R's columns */
    MEMO_SITES,      /* strata(site): how many have a constant */
    MEMO_EXTRA
};

static enum maille_code read_response(struct glm *glm, const struct analysis *analysis, struct arena *arena,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *y = glm->formula->response;
    if (y->kind == EXPRESSION_CODE && y->n_levels == 2 && glm->family->events)
        y = expression_in_level(arena, y, 1); /* of iptw: as R, the first level is none */
    if (y->kind == EXPRESSION_CODE) {
        code = wording_invalid(error, analysis, "expected %s as response of family %s, found the category %s",
                               glm->family->expected, glm->family->name, glm->formula->response_label);
        goto out;
    }
    glm->y = y->kind == EXPRESSION_BOOLEAN ? expression_number_of(arena, y) : y;
    if (!glm->family->accepts(glm->y)) {
        code = wording_invalid(error, analysis, "expected %s as response of family %s, found %s",
                               glm->family->expected, glm->family->name, glm->formula->response_label);
        goto out;
    }
    if (glm->family->events) {
        glm->event = y->kind == EXPRESSION_BOOLEAN
                         ? y
                         : expression_binary(arena, OP_EQ, y, expression_constant(arena, 1));
        MAILLE_TRY(expression_as_code(&glm->groups, arena, glm->event, error));
    }
out:
    return code;
}

/* Of the two methods that are fitted here each has a key that the other has not. */
static void read_keys(struct glm *glm, const struct analysis *analysis)
{
    for (size_t k = 0; k < analysis->declared->n_keys; k++)
        if (strcmp(analysis->declared->keys[k].name, "treatment") == 0)
            glm->treatment = &analysis->values[k];
        else if (strcmp(analysis->declared->keys[k].name, "robust") == 0)
            glm->robust = analysis_flag(analysis, "robust");
}

static enum maille_code prepare(struct glm *glm, const struct analysis *analysis, struct arena *arena,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = analysis_value(analysis, "formula")->formula;
    *glm =
        (struct glm){.formula = formula, .family = &family_all[analysis_value(analysis, "family")->choice]};
    read_keys(glm, analysis);
    if (formula->kind != RESPONSE_EXPRESSION) {
        code = wording_invalid(
            error, analysis,
            "expected a response on the left of ~, as in death ~ age; Surv() is for cox and km");
        goto out;
    }
    if (formula->n_strata || formula->has_cluster || formula->cluster_site) {
        code = wording_invalid(error, analysis,
                               "expected no strata() but strata(site), and no cluster(), in a glm; name the "
                               "variable as a term");
        goto out;
    }
    glm->by_site = formula->strata_site;
    if (glm->by_site && !formula->intercept) {
        code = wording_invalid(
            error, analysis, "expected no `- 1` beside strata(site), which gives each site its own constant");
        goto out;
    }
    MAILLE_TRY(read_response(glm, analysis, arena, error));
    if (analysis->weights) {
        glm->weights = analysis->weights->kind == EXPRESSION_NUMBER
                           ? analysis->weights
                           : expression_number_of(arena, analysis->weights);
        if (!(glm->weights->low >= 0)) {
            code = wording_invalid(error, analysis,
                                   "expected weights whose minimum in the dictionary is 0 or more");
            goto out;
        }
    }
    MAILLE_TRY(design_build(&glm->design, arena, formula, formula->intercept, error));
    if (glm->treatment != NULL)
        MAILLE_TRY(gformula_check(glm, analysis, error));
    cohort_rows(&glm->cohort, analysis, arena, NULL, 0);
out:
    return code;
}

enum maille_code glm_check(const struct analysis *analysis, struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct glm glm;
    if (!arena)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a model, found none");
    enum maille_code code = prepare(&glm, analysis, arena, error);
    if (code == MAILLE_FAILED) /* of this analysis alone: its plan says so */
        code = MAILLE_OK;
    arena_free(arena);
    return code;
}

/* Rows that do not count. */
static const struct expression *weightless(const struct glm *glm, struct arena *arena)
{
    return expression_and(arena, glm->cohort.rows,
                          expression_binary(arena, OP_EQ, glm->weights, expression_constant(arena, 0)));
}

/* A coefficient without others is a mean of the response, a deviance its square; of a covariate X′X, which is
 * the covariances turned round, has the sum and the square. */
static void moments(struct cells *cells, const struct glm *glm, struct arena *arena)
{
    const struct expression *response =
        glm->formula->kind == RESPONSE_EXPRESSION ? glm->formula->response : NULL;
    const size_t n_blocks = cells->spec.n_blocks, before = cells->n_moments;
    if (response != NULL && response->kind == EXPRESSION_NUMBER) {
        groups_moment(cells, arena, CELLS_COHORT, response, glm->weights, 2);
        groups_share(cells, arena, CELLS_COHORT, response, glm->weights);
        for (size_t b = CELLS_OWN; b < n_blocks;
             b++) /* and of its levels, where the levels are all there is */
            if (cells->rules[b] == CELL_PATIENTS && cells->spec.blocks[b].group != NULL) {
                groups_moment(cells, arena, b, response, glm->weights, 1);
                groups_share(cells, arena, b, response, glm->weights);
            }
    }
    if (glm->formula->offset != NULL) /* the constant of a model is what is left of the response beside it */
        groups_moment(cells, arena, CELLS_COHORT, glm->formula->offset, glm->weights, 2);
    for (size_t p = 0; p < glm->design->n_pieces; p++)
        if (glm->design->pieces[p].raw != NULL && glm->design->pieces[p].code == NULL)
            groups_moment(cells, arena, CELLS_COHORT, glm->design->pieces[p].raw, glm->weights, 2);
    for (size_t m = before; m < cells->n_moments; m++)
        cells->moments[m].of_model = true;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct glm glm;
    MAILLE_TRY(prepare(&glm, analysis, arena, error));
    MAILLE_TRY(fit_cells(out, glm.design, &glm.cohort, glm.event, arena, error));
    out->both = glm.family->events;
    moments(out, &glm, arena);
    if (glm.treatment != NULL)
        out->n_shown += gformula_shown(&glm);
    if (glm.weights && glm.weights->low <= 0) /* rows of weight 0 are told by the degrees of freedom */
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, weightless(&glm, arena), NULL, error));
out:
    return code;
}

/* --- plan --- */

/* a·x; either may be NULL, meaning 1. */
static const struct expression *times(struct arena *arena, const struct expression *a,
                                      const struct expression *x)
{
    if (!a || !x)
        return a ? a : x;
    return expression_binary(arena, OP_MULTIPLY, a, x);
}

/* What the mean is taken of. */
static const struct expression *cut_off(const struct glm *glm, struct arena *arena,
                                        const struct expression *eta)
{
    if (glm->family->events)
        return fit_logit(arena, eta);
    return glm->family->exponential ? fit_cut(arena, eta) : eta;
}

const struct expression *glm_mean(const struct glm *glm, struct arena *arena, const struct expression *eta)
{
    return glm->family->mean(arena, cut_off(glm, arena, eta));
}

void glm_add_evaluation(const struct glm *glm, struct arena *arena, struct tally_spec *spec,
                        const struct expression *eta, const struct expression *const *terms, size_t n_terms)
{
    const struct family *family = glm->family;
    eta = cut_off(glm, arena, eta);
    const struct expression *mu = family->mean(arena, eta);
    const struct expression *residual = expression_binary(arena, OP_SUBTRACT, glm->y, mu);
    const struct expression *slope = family->slope ? family->slope(arena, mu) : NULL;
    fit_block(spec, &guard_cohort, glm->cohort.rows,
              times(arena, glm->weights, family->deviance(arena, glm->y, eta, mu)), 0);
    struct tally_block *score =
        fit_block(spec, &guard_cohort, glm->cohort.rows, times(arena, glm->weights, residual), 1);
    struct tally_block *information =
        fit_block(spec, &guard_cohort, glm->cohort.rows, times(arena, glm->weights, slope), 2);
    score->terms = information->terms = terms;
    score->n_terms = information->n_terms = n_terms;
}

void glm_add_squares(struct tally_spec *spec, struct arena *arena, size_t at)
{
    const struct tally_block score = spec->blocks[at];
    struct tally_block *squares =
        fit_block(spec, &guard_cohort, score.filter, expression_power(arena, score.weight, 2), 2);
    squares->terms = score.terms;
    squares->n_terms = score.n_terms;
}

/* What only round 1 has: who is there, and what the likelihood has beside the deviance. */
static void add_counts(const struct glm *glm, struct arena *arena, struct tally_spec *spec,
                       const struct fit_theta *at)
{
    fit_block(spec, &guard_missing, glm->cohort.missing, NULL, 0);
    fit_block(spec, &guard_cohort, glm->cohort.rows, NULL, 0)->group = glm->groups;
    struct tally_block *columns = fit_block(spec, &guard_cohort, glm->cohort.rows, NULL, 1);
    columns->group = glm->groups;
    columns->terms = fit_theta_terms(at, arena, glm->design, NULL);
    columns->n_terms = at->n_columns;
    const struct expression *constant = NULL, *zero = expression_constant(arena, 0);
    if (glm->family->constant)
        constant = times(arena, glm->weights, glm->family->constant(arena, glm->y));
    else if (glm->weights && glm->family->dispersion) {
        /* R's gaussian log likelihood has −Σ log a; rows of weight 0 are counted apart. */
        double least = glm->weights->low > 0    ? glm->weights->low
                       : glm->weights->step > 0 ? glm->weights->step
                                                : 1e-300;
        const struct expression *positive =
            expression_binary(arena, OP_MAX, glm->weights, expression_constant(arena, least));
        constant = expression_unary(arena, OP_NEGATE, expression_unary(arena, OP_LOG, positive));
    }
    fit_block(spec, &guard_cohort, glm->cohort.rows, constant ? constant : zero, 0);
    if (glm->weights)
        fit_block(spec, &guard_cohort, weightless(glm, arena), NULL, 0);
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)surviving;
    enum maille_code code = MAILLE_OK;
    struct glm glm;
    struct fit_theta at;
    MAILLE_TRY(prepare(&glm, analysis, arena, error));
    MAILLE_TRY(
        fit_theta_read(&at, arena, &glm.design, glm.by_site && fit_theta_stage(theta) > 0, theta, error));
    if (at.stage > (glm.treatment != NULL ? STAGE_MEANS : STAGE_STEP) ||
        at.n_extra != (at.stage ? THETA_EXTRA : 0)) {
        code = maille_fail(error, MAILLE_INVALID, "expected parameters of a glm, found others");
        goto out;
    }
    spec->fitted = at.stage > 0;
    if (glm.by_site && at.stage > 0)
        glm_site_plan(&glm, &at, arena, spec);
    else
        glm_add_evaluation(&glm, arena, spec,
                           design_predictor(glm.design, arena, at.gamma, glm.formula->offset, at.shift),
                           fit_theta_terms(&at, arena, glm.design, NULL), at.n_columns);
    if (at.stage == 0) {
        add_counts(&glm, arena, spec, &at);
        fit_narrow_plan(spec, glm.design, glm.cohort.rows, arena);
        fit_poly_plan(spec, glm.design, glm.cohort.rows, arena);
        goto out;
    }
    double *null_gamma = arena_array(arena, glm.design->n_columns, sizeof *null_gamma);
    null_gamma[0] = at.extra[THETA_NULL];
    const struct expression **one = arena_alloc(arena, sizeof *one);
    one[0] = glm.design->columns[0].term;
    glm_add_evaluation(&glm, arena, spec,
                       design_predictor(glm.design, arena, null_gamma, glm.formula->offset, 0), one, 1);
    if (glm.robust && !glm.by_site)
        glm_add_squares(spec, arena, BLOCK_SCORE);
    if (at.stage == STAGE_MEANS)
        gformula_plan(&glm, &at, arena, spec);
out:
    return code;
}

/* --- step --- */

static enum maille_code read_counts(struct glm_step *step, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct totals *totals = step->totals;
    struct fit *fit = &step->fit;
    size_t groups = step->glm.groups ? 2 : 1, n = step->at.n_columns;
    for (size_t g = 0; g < groups; g++) {
        double rows = (double)totals_count(totals, BLOCK_ROWS, g);
        fit->scalars[FIT_ROWS] += rows;
        if (g == 1)
            fit->scalars[FIT_EVENTS] = rows;
        for (size_t i = 0; i < n; i++) {
            double sum = totals_real(totals, BLOCK_COLUMNS, g * n + i);
            fit->sum[step->at.columns[i]] += sum;
            if (g == 1)
                fit->event_sum[step->at.columns[i]] = sum;
        }
    }
    fit->scalars[FIT_MISSING] = (double)totals_count(totals, BLOCK_MISSING, 0);
    step->own[MEMO_CONSTANT] = totals_real(totals, BLOCK_CONSTANT, 0);
    if (step->glm.weights)
        step->own[MEMO_WEIGHTLESS] = (double)totals_count(totals, BLOCK_WEIGHTLESS, 0);
    step->outcome->n = totals_heads((f128)fit->scalars[FIT_ROWS]);
    groups_cohort_read(step->outcome, totals, BLOCK_MISSING, step->iteration->surviving);
    if (step->glm.family->events)
        step->outcome->n_event = totals_heads((f128)fit->scalars[FIT_EVENTS]);
    if (!(fit->scalars[FIT_ROWS] > step->own[MEMO_WEIGHTLESS])) {
        code = wording_nobody(error, step->outcome->n_missing);
        goto out;
    }
    MAILLE_TRY(fit_poly_read(fit, totals, step->arena, error));
    MAILLE_TRY(fit_choose_columns(fit, step->outcome, error));
out:
    return code;
}

/* How far x′β may go over the dictionary's bounds: squared residuals of counts hold exp() of it twice. */
static double predictor_max(const struct glm *glm)
{
    return fit_predictor_max(glm->robust && glm->family->counts && !glm->by_site);
}

/* A step of the null model where an offset can be anywhere: short, and inside the bounds of the predictor. */
static double null_step(const struct glm *glm, double from, double score, double information)
{
    const double longest = 4;
    double to = from + fmin(fmax(score / information, -longest), longest);
    return fmax(fmin(to, predictor_max(glm) - glm->formula->offset->high),
                -predictor_max(glm) - glm->formula->offset->low);
}

/* Does the null model need a step's length watched? The others start at their solution. */
static bool null_is_far(const struct glm *glm)
{
    return glm->family->events && glm->formula->offset != NULL;
}

/* The null model's start from round 1, where η is the offset alone. */
static enum maille_code start_null(struct glm_step *step, const f128 *score, const f128 *information,
                                   struct maille_error *error)
{
    const struct family *family = step->glm.family;
    double u = (double)score[0], i = (double)information[0];
    double start = family->null_start(u, i), rows = step->fit.scalars[FIT_ROWS],
           events = step->fit.scalars[FIT_EVENTS];
    if (null_is_far(&step->glm)) {
        step->own[MEMO_NULL_ACCEPTED_DEVIANCE] = totals_real(step->totals, BLOCK_DEVIANCE, 0);
        start = events > 0 && events < rows ? null_step(&step->glm, 0, u, i) : HUGE_VAL;
    }
    if (!isfinite(start) && family->events)
        return maille_fail(error, MAILLE_FAILED, "expected patients with and without %s, found %s",
                           step->glm.formula->response_label, u > 0 ? "none without" : "none with");
    if (!isfinite(start))
        return maille_fail(error, MAILLE_FAILED, "expected %s above 0 in a patient, found none",
                           step->glm.formula->response_label);
    step->own[MEMO_NULL] = start;
    if (!step->glm.formula->intercept) { /* R's null model is then the offset alone, and round 1 was it */
        step->own[MEMO_NULL_DEVIANCE] = totals_real(step->totals, BLOCK_DEVIANCE, 0);
        step->own[MEMO_NULL_DONE] = 1;
    }
    if (family->events)
        return fit_check_levels(&step->fit, step->fit.event_sum, true, step->glm.formula->response_label,
                                step->outcome, error);
    if (family->counts) { /* Σ a·y per column = score + Σ a·μ, to rounding */
        double *sums = arena_array(step->arena, step->at.n_columns, sizeof *sums);
        for (size_t j = 0; j < step->at.n_columns; j++) {
            double sum = (double)(score[j] + information[j]);
            sums[j] = sum > 1e-9 * (double)information[j] ? sum : 0;
        }
        return fit_check_levels(&step->fit, sums, false, step->glm.formula->response_label, step->outcome,
                                error);
    }
    return MAILLE_OK;
}

static void step_null(struct glm_step *step, double dispersion)
{
    const size_t block = step->glm.by_site ? BLOCK_NULL_BESIDE_SITES : BLOCK_NULL_DEVIANCE;
    double u = totals_real(step->totals, block + GLM_SCORE, 0),
           i = totals_real(step->totals, block + GLM_INFORMATION, 0);
    if (step->own[MEMO_NULL_DONE] != 0)
        return;
    double deviance = totals_real(step->totals, block, 0), old = step->own[MEMO_NULL_ACCEPTED_DEVIANCE];
    if (null_is_far(&step->glm) && !(deviance <= old + 1e-9 * fabs(old))) {
        step->own[MEMO_NULL] = (step->own[MEMO_NULL] + step->own[MEMO_NULL_ACCEPTED]) / 2;
        return;
    }
    step->own[MEMO_NULL_ACCEPTED] = step->own[MEMO_NULL];
    step->own[MEMO_NULL_ACCEPTED_DEVIANCE] = step->own[MEMO_NULL_DEVIANCE] = deviance;
    if (!(fabs(u) > FIT_TOLERANCE * sqrt(dispersion * i)) || step->glm.family->dispersion)
        step->own[MEMO_NULL_DONE] = 1;
    else
        step->own[MEMO_NULL] = null_is_far(&step->glm) ? null_step(&step->glm, step->own[MEMO_NULL], u, i)
                                                       : step->own[MEMO_NULL] + u / i;
}

/* R's aic: −2 log likelihood + 2·parameters (one more for a dispersion). NaN where R's own has no meaning. */
static double akaike(const struct glm_step *step, double deviance, double rank, struct outcome *outcome)
{
    const struct glm *glm = &step->glm;
    double n = step->fit.scalars[FIT_ROWS], constant = step->own[MEMO_CONSTANT];
    if (glm->family->dispersion) {
        if (step->own[MEMO_WEIGHTLESS] > 0) {
            result_add_string(outcome->warnings, NULL,
                              "aic is infinite: rows of weight 0 count in it, as in R");
            return NAN;
        }
        return n * (elementary_log(2 * M_PI * deviance / n) + 1) + constant + 2 + 2 * rank;
    }
    if (glm->weights && glm->family->events && glm->weights->step != 1) {
        result_add_string(outcome->warnings, NULL,
                          "aic has no meaning for a binomial model with weights that are not whole");
        return NAN;
    }
    return deviance + constant + 2 * rank;
}

static enum maille_code report(struct glm_step *step, const struct normal *normal, double deviance, double df,
                               double dispersion, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct family *family = step->glm.family;
    struct outcome *outcome = step->outcome;
    struct result *result = outcome->result;
    const double rows = step->fit.scalars[FIT_ROWS] - step->own[MEMO_WEIGHTLESS],
                 rank = (double)(normal->factor.rank + fit_infinite(&step->fit)) + step->own[MEMO_SITES];
    const f128 *robust = NULL;
    if (step->glm.robust) {
        size_t m = step->at.n_columns;
        f128 *upper = arena_array(step->arena, m * (m + 1) / 2, sizeof *upper),
             *middle = arena_array(step->arena, m * m, sizeof *middle);
        const size_t block = step->glm.by_site ? BLOCK_SITES : BLOCK_SQUARES,
                     first = step->glm.by_site ? GLM_SITE_SCORE + m + m * (m + 1) / 2 : 0;
        for (size_t i = 0; i < m * (m + 1) / 2; i++)
            upper[i] = totals_quad(step->totals, block, first + i);
        linear_unpack(middle, upper, m);
        if (!step->glm.by_site)
            MAILLE_TRY(fit_check_middle(middle, m, step->fit.scalars[FIT_ROWS],
                                        step->totals->extents[block].fraction, error));
        robust = fit_sandwich(step->arena, &step->fit, &step->at, normal, middle);
    }
    struct fit shown = step->fit;
    struct normal own = *normal;
    fit_poly_show(&shown, &own, &robust, step->arena);
    struct fit_report report = {.normal = &own,
                                .robust = robust,
                                .dispersion = dispersion,
                                .df = family->dispersion ? df : 0,
                                .conf_level = step->analysis->conf_level,
                                .no_covariance = !surviving_covariance(step->iteration->surviving),
                                .events = family->events};
    fit_report_terms(&shown, &report, outcome, result);
    result_add_string(result, "family", family->name);
    result_add_string(result, "link", family->link);
    result_add_number(result, "deviance", deviance);
    result_add_number(result, "null_deviance", step->own[MEMO_NULL_DEVIANCE]);
    result_add_count(result, "df_residual", llround(df));
    result_add_count(result, "df_null", llround(rows) - (step->glm.formula->intercept ? 1 : 0));
    result_add_number(result, "dispersion", dispersion);
    result_add_number(result, "aic", akaike(step, deviance, rank, outcome));
    result_add_integer(result, "iterations", llround(step->fit.scalars[FIT_STEPS]));
    if (step->glm.by_site)
        result_add_integer(result, "site_effects", llround(step->own[MEMO_SITES]));
    fit_report_vcov(&step->fit, &report, step->outcome, result);
    fit_subgroups_report(&shown, &report, step->analysis, step->arena, result);
    if (step->glm.treatment != NULL)
        MAILLE_TRY(gformula_report(step, normal, BLOCK_MEANS, error));
out:
    return code;
}

static void write_theta(struct glm_step *step, unsigned stage)
{
    fit_theta_write(&step->fit, &step->iteration->theta, stage);
    vector_push(&step->iteration->theta, step->own[MEMO_NULL]);
}

/* The family whose start is the null model: θ is that constant, whether or not R's columns span it. */
static void start_from_null(struct glm_step *step)
{
    struct vector *theta = &step->iteration->theta;
    step->own[MEMO_START] = 1;
    write_theta(step, STAGE_STEP);
    fit_theta_gamma(theta)[0] = step->own[MEMO_NULL];
}

/* Score, information and its diagonal before anything was subtracted, on the kept columns; returns the
 * deviance. */
static double read_evaluation(struct glm_step *step, f128 *score, f128 *information, double *raw)
{
    const struct totals *totals = step->totals;
    const size_t m = step->at.n_columns, n = m * (m + 1) / 2;
    const bool by_site = step->glm.by_site && step->at.stage > 0;
    f128 *upper = arena_array(step->arena, n, sizeof *upper);
    for (size_t i = 0; i < m; i++)
        score[i] = by_site ? totals_quad(totals, BLOCK_SITES, GLM_SITE_SCORE + i)
                           : totals_quad(totals, BLOCK_SCORE, i);
    for (size_t i = 0; i < n; i++)
        upper[i] = by_site ? totals_quad(totals, BLOCK_SITES, GLM_SITE_SCORE + m + i)
                           : totals_quad(totals, BLOCK_INFORMATION, i);
    linear_unpack(information, upper, m);
    for (size_t i = 0; i < m; i++) /* of a column, |t| ≤ 1 */
        raw[i] = by_site ? totals_real(totals, BLOCK_SITES, GLM_SITE_WEIGHT) : (double)information[i * m + i];
    if (!by_site)
        return totals_real(totals, BLOCK_DEVIANCE, 0);
    step->own[MEMO_SITES] = totals_real(totals, BLOCK_SITES, GLM_SITES);
    return totals_real(totals, BLOCK_SITES, GLM_SITE_DEVIANCE);
}

static enum maille_code advance(struct glm_step *step, bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct family *family = step->glm.family;
    struct fit *fit = &step->fit;
    size_t m = step->at.n_columns;
    bool first = step->at.stage == 0, starting = step->own[MEMO_START] != 0;
    f128 *score = arena_array(step->arena, m, sizeof *score);
    f128 *information = arena_array(step->arena, m * m, sizeof *information);
    double *raw = arena_array(step->arena, m, sizeof *raw);
    double deviance = read_evaluation(step, score, information, raw), old = fit->scalars[FIT_OBJECTIVE];

    if (first) {
        MAILLE_TRY(start_null(step, score, information, error));
        if (step->glm.by_site) { /* the sites' constants come with the next round */
            write_theta(step, STAGE_STEP);
            goto out;
        }
        if (!family->from_zero) {
            start_from_null(step);
            goto out;
        }
    } else if (!starting && fit->scalars[FIT_STEPS] > 0 && !(deviance <= old + 1e-9 * fabs(old))) {
        MAILLE_TRY(fit_halve(fit, error));
        step_null(step, 1);
        write_theta(step, STAGE_STEP);
        goto out;
    }
    if (starting) /* as weighted least squares: X′W·η + X′(y − μ), then β from 0 */
        for (size_t i = 0; i < m; i++)
            score[i] += information[i * m] * (f128)step->at.gamma[0];
    step->own[MEMO_START] = 0;
    fit->scalars[FIT_OBJECTIVE] = starting ? HUGE_VAL : deviance;

    struct normal normal;
    const double rounding =
        step->glm.by_site
            ? ldexp(1, TALLY_SITES_MAX_LOG2 - step->totals->extents[BLOCK_SITES].fraction)
            : fit->scalars[FIT_ROWS] * ldexp(1, -step->totals->extents[BLOCK_INFORMATION].fraction);
    struct fit_tally tally = {
        .theta = &step->at, .score = score, .information = information, .raw = raw, .rounding = rounding};
    MAILLE_TRY(fit_normal(&normal, step->arena, fit, &tally, error));
    double df = fit->scalars[FIT_ROWS] - step->own[MEMO_WEIGHTLESS] - (double)normal.factor.rank -
                (fit->scalars[FIT_STEPS] > 0 ? (double)fit_infinite(fit) : 0) - step->own[MEMO_SITES];
    double dispersion = family->dispersion ? deviance / df : 1; /* 0/0 where nothing is left, as in R */
    if (!first)
        step_null(step, 1);
    /* Gaussian: the first step is exact. */
    bool settled = !starting && fit->scalars[FIT_STEPS] > 0 &&
                   (family->dispersion || fit_step_size(&normal, 1) < FIT_TOLERANCE);
    unsigned next = STAGE_STEP;
    if (settled && step->own[MEMO_NULL_DONE] != 0) {
        if (family->dispersion && step->own[MEMO_NULL_DEVIANCE] <= 0) {
            code = maille_fail(error, MAILLE_FAILED,
                               "expected a response that varies, found the same %s in every patient",
                               step->glm.formula->response_label);
            goto out;
        }
        if (family->dispersion && deviance <= 1e-24 * step->own[MEMO_NULL_DEVIANCE])
            wording_warn(step->outcome,
                         "the model fits the response exactly: its errors and tests mean nothing");
        *done = step->glm.treatment == NULL || step->at.stage == STAGE_MEANS;
        if (*done) {
            MAILLE_TRY(report(step, &normal, deviance, df, dispersion, error));
            goto out;
        }
        next = STAGE_MEANS;
    }
    if (!settled) {
        MAILLE_TRY(fit_check_divergence(fit, &normal, error));
        if (!family->exponential)
            fit_take_step(fit, &normal);
        else if (!fit_take_bounded_step(fit, &normal, predictor_max(&step->glm), step->arena,
                                        step->glm.formula->offset)) {
            code = fit_fail_bounds(fit, &normal, predictor_max(&step->glm), error);
            goto out;
        }
    }
    write_theta(step, next);
out:
    return code;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct glm_step at = {.analysis = analysis,
                          .totals = totals,
                          .iteration = iteration,
                          .outcome = outcome,
                          .arena = arena_new()};
    if (!at.arena)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a step, found none");
    MAILLE_TRY(prepare(&at.glm, analysis, at.arena, error));
    MAILLE_TRY(fit_theta_read(&at.at, at.arena, &at.glm.design,
                              at.glm.by_site && fit_theta_stage(&iteration->theta) > 0, &iteration->theta,
                              error));
    if (at.at.stage == 0 && fit_narrow_read(&iteration->theta, at.glm.design, totals, at.arena))
        goto out;
    size_t common = fit_memo_size(at.glm.design);
    if (iteration->memo.n == 0)
        vector_grow(&iteration->memo, common + MEMO_EXTRA);
    fit_bind(&at.fit, at.glm.design, at.glm.by_site, &iteration->memo);
    at.own = iteration->memo.v + common;
    if (at.at.stage == 0)
        MAILLE_TRY(read_counts(&at, error));
    MAILLE_TRY(advance(&at, done, error));
out:
    arena_free(at.arena);
    return code;
}

static const struct method fitted = {.check = glm_check, .cells = cells, .plan = plan, .step = step};

enum maille_code glm_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                           struct maille_error *error)
{
    return knots_cells(&fitted, analysis, arena, out, error);
}

enum maille_code glm_plan(const struct analysis *analysis, const struct vector *theta,
                          const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                          struct maille_error *error)
{
    return knots_plan(&fitted, analysis, theta, surviving, arena, spec, error);
}

enum maille_code glm_step(const struct analysis *analysis, const struct totals *totals,
                          struct iteration *iteration, struct outcome *outcome, bool *done,
                          struct maille_error *error)
{
    return knots_step(&fitted, analysis, totals, iteration, outcome, done, error);
}

static const struct method weighted = {
    .check = glm_check, .cells = glm_cells, .plan = glm_plan, .step = glm_step};

extern const struct method method_glm;
const struct method method_glm = {
    .declared = {.name = "glm",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_weights = true,
                 .is_model = true},
    .version = 1,
    .words = {.name = "Generalised linear model",
              .sentence = "Maximum likelihood by iteratively reweighted least squares.",
              .r = "glm()",
              .source = "McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989"},
    .check = iptw_check,
    .cells = iptw_cells,
    .plan = iptw_plan,
    .step = iptw_step,
    .weighted = &weighted};
