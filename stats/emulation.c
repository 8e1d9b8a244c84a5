/* emulation: a trial of two strategies emulated from observational data: to start a treatment within a
 * grace period, or not to. Every patient is cloned, a clone in each arm; a clone is censored when it departs
 * from its strategy, and weighted by the inverse of the probability of not having departed (C. Maringe and
 * others, International Journal of Epidemiology 2020;49:1719; M. A. Hernán, BMJ 2018;360:k182; J. M. Robins
 * and D. M. Finkelstein, Biometrics 2000;56:779, for the weights).
 *
 * The grace period is cut into public steps (g_{k−1}, g_k], k = 1 … K. With a the time of the start:
 *   arm "no start": a clone departs at a, where a ≤ g_K. Of who comes to the end of step k without a start or
 *     starts in it, a logistic model gives p_k(x), the probability of a start. Behind g_k the weight is
 *     Π_{j ≤ k} 1/(1 − p_j(x)).
 *   arm "start": whoever comes to g_{K−1} without a start has to start in the last step. Clones that do not,
 *     and are followed beyond it, depart at g_{K−1}; behind it who starts in the last step weighs 1/p_K(x)
 *     and so stands for them too (M. Webster-Clark and others, arXiv:2404.15073, 2024), and who leaves in it
 *     without a start 1/(2 − p_K(x)); all others weigh 1.
 * Nothing is told of the time before g_K. Each arm then has its weighted Kaplan–Meier curve, S(t) = Π (1 −
 * d/n).
 *
 * Rounds: those of the models, one after the other; one that sums weights by bin; one at the same weights for
 * the errors (emulation_report.c). docs/methods/emulation.md. */
#include "stats/emulation.h"

#include <math.h>
#include <string.h>

#include "stats/knots.h"
#include "stats/wording.h"

enum { KEY_FORMULA_, KEY_TREATMENT, KEY_START, KEY_GRACE, KEY_TIMES, KEY_TAU };
enum { EMULATION_BINS_MAX = 1 << 14 };

static const struct query_key keys[] = {
    [KEY_FORMULA_] = {.name = "formula",
                      .kind = KEY_FORMULA,
                      .required = true,
                      .sentence =
                          "Surv(time, event) ~ what decides who starts, in the models of the weights."},
    [KEY_TREATMENT] = {.name = "treatment",
                       .kind = KEY_VARIABLE,
                       .required = true,
                       .sentence = "A boolean: has the treatment ever started?"},
    [KEY_START] = {.name = "start",
                   .kind = KEY_VARIABLE,
                   .required = true,
                   .may_miss = true,
                   .where = "treatment",
                   .sentence = "When it started, in the units of the time variable and from the same origin; "
                               "not read where it never did."},
    [KEY_GRACE] = {.name = "grace",
                   .kind = KEY_NUMBERS,
                   .required = true,
                   .min = 0,
                   .max = 1e9,
                   .n_min = 1,
                   .n_max = EMULATION_STEPS_MAX,
                   .sentence = "Ends of the steps of the grace period, ascending; the last is its end."},
    [KEY_TIMES] = {.name = "times",
                   .kind = KEY_NUMBERS,
                   .required = true,
                   .min = 0,
                   .max = 1e9,
                   .n_min = 1,
                   .n_max = EMULATION_TIMES_MAX,
                   .sentence = "Times that survival is given and compared at, in the units of the time "
                               "variable."},
    [KEY_TAU] = {.name = "tau",
                 .kind = KEY_NUMBER,
                 .min = 0,
                 .max = 1e9,
                 .sentence = "End of the restricted mean survival time, in the units of the time variable."},
};

extern const struct method method_glm;

/* --- reading --- */

static enum maille_code check_formula(const struct emulation *trial, struct maille_error *error)
{
    const struct formula *formula = trial->formula;
    if (formula->kind != RESPONSE_SURVIVAL || formula->event->kind != EXPRESSION_BOOLEAN)
        return maille_fail(error, MAILLE_INVALID,
                           "expected Surv(time, event) with a boolean event before the `~`");
    if (formula->start != NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected Surv(time, event), found a start: both strategies begin at time 0");
    if (formula->strata_site || formula->n_strata > 0 || formula->has_cluster || formula->cluster_site ||
        formula->offset != NULL || !formula->intercept)
        return maille_fail(error, MAILLE_INVALID,
                           "expected covariates alone after the `~`, found strata(), cluster(), offset() or "
                           "`- 1`: remove it");
    return knots_none(formula, error);
}

/* Ends of the steps as bins of the grid. */
static enum maille_code read_grace(struct emulation *trial, struct maille_error *error)
{
    const struct query_value *grace = &trial->analysis->values[KEY_GRACE];
    const double width = trial->axis.width;
    trial->n_steps = grace->n;
    for (size_t k = 0; k < grace->n; k++) {
        const double bins = nearbyint(grace->numbers[k] / width);
        if (!(grace->numbers[k] > (k > 0 ? grace->numbers[k - 1] : 0)))
            return maille_fail(error, MAILLE_INVALID, "expected `grace` above 0 and ascending, found %g",
                               grace->numbers[k]);
        if (fabs(grace->numbers[k] - bins * width) > 1e-9 * grace->numbers[k])
            return maille_fail(
                error, MAILLE_INVALID,
                "expected `grace` in whole steps of the study's grid, which are %.10g wide, found "
                "%.10g: the nearest is %.10g",
                width, grace->numbers[k], fmax(bins, 1) * width);
        if (!(bins > (double)(k > 0 ? trial->bins[k] : 0)))
            return maille_fail(error, MAILLE_INVALID,
                               "expected each of `grace` in a later step of the study's grid than the one "
                               "before, found %.10g",
                               grace->numbers[k]);
        if (!(bins + 1 < (double)trial->n_bins))
            return maille_fail(error, MAILLE_INVALID,
                               "expected a grace period that ends before the latest time that there can be, "
                               "found %g",
                               grace->numbers[k]);
        trial->bins[k + 1] = (size_t)bins;
    }
    return MAILLE_OK;
}

/* A glm of the start over some of the patients. */
static const struct analysis *model_of(const struct emulation *trial, size_t model, struct arena *arena)
{
    const struct query_method *glm = &method_glm.declared;
    struct query_value *values = arena_array(arena, glm->n_keys, sizeof *values);
    struct analysis *made = arena_alloc(arena, sizeof *made);
    struct formula *formula = arena_alloc(arena, sizeof *formula);
    *formula = *trial->formula;
    formula->kind = RESPONSE_EXPRESSION;
    formula->response = trial->models[model].outcome;
    formula->response_label = "a start";
    formula->stop = formula->event = formula->written = NULL;
    *made = *trial->analysis;
    made->declared = glm;
    made->method = glm->name;
    made->values = values;
    made->cohort = expression_and(arena, trial->cohort.rows, trial->models[model].rows);
    for (size_t k = 0; k < glm->n_keys; k++) {
        if (glm->keys[k].kind == KEY_FORMULA)
            values[k].formula = formula;
        if (strcmp(glm->keys[k].name, "family") == 0)
            values[k].choice = 1; /* binomial */
    }
    return made;
}

/* Bins of the asked times behind the grace period, each once, ascending. */
static void read_rows(struct emulation *trial)
{
    trial->n_rows = 0;
    for (size_t t = 0; t < trial->n_times; t++) {
        const size_t bin = emulation_bin_of(trial, trial->times[t]);
        size_t at = 0;
        while (at < trial->n_rows && trial->rows[at] < bin)
            at++;
        if (bin <= trial->bins[trial->n_steps] || (at < trial->n_rows && trial->rows[at] == bin))
            continue;
        memmove(trial->rows + at + 1, trial->rows + at, (trial->n_rows - at) * sizeof *trial->rows);
        trial->rows[at] = bin;
        trial->n_rows++;
    }
    if (trial->n_rows == 0) /* the end of the grace period alone was asked for, or tau */
        trial->rows[trial->n_rows++] = trial->n_bins - 1;
}

static enum maille_code read_asked(struct emulation *trial, struct maille_error *error)
{
    const struct query_value *times = &trial->analysis->values[KEY_TIMES],
                             *tau = &trial->analysis->values[KEY_TAU];
    trial->times = times->numbers;
    trial->n_times = times->n;
    trial->tau = tau->present ? tau->numbers[0] : NAN;
    trial->n_targets = times->n + (tau->present ? 1 : 0);
    const double width = trial->axis.width, end = (double)trial->bins[trial->n_steps] * width;
    for (size_t t = 0; t < trial->n_targets; t++) {
        const double time = t < times->n ? times->numbers[t] : trial->tau;
        if (!(time >= end - 1e-9 * width))
            return maille_fail(error, MAILLE_INVALID,
                               "expected `times` and `tau` at the end of the grace period or later, found "
                               "%g: what happened before would tell of the few who had just started",
                               time);
    }
    read_rows(trial);
    return MAILLE_OK;
}

enum maille_code emulation_of(struct emulation *trial, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *treated = analysis->values[KEY_TREATMENT].expressions[0],
                            *start = analysis->values[KEY_START].expressions[0];
    *trial = (struct emulation){.analysis = analysis, .formula = analysis->values[KEY_FORMULA_].formula};
    MAILLE_TRY(check_formula(trial, error));
    if (treated->kind != EXPRESSION_BOOLEAN || start->kind != EXPRESSION_NUMBER) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a boolean as `treatment` and a number as `start`, found something else");
        goto out;
    }
    trial->treated = treated;
    if (strcmp(formula_units(start, analysis->study->dictionary), trial->formula->units) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected start and time in the same units, found `%s` and `%s`",
                           formula_units(start, analysis->study->dictionary), trial->formula->units);
        goto out;
    }
    MAILLE_TRY(analysis_time_axis(&trial->axis, analysis, trial->formula, error));
    if (trial->axis.n_bins > EMULATION_BINS_MAX) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected at most %d steps of the grid, found %u: use a coarser grid",
                           EMULATION_BINS_MAX, trial->axis.n_bins);
        goto out;
    }
    trial->n_bins = trial->axis.n_bins;
    MAILLE_TRY(read_grace(trial, error));
    MAILLE_TRY(read_asked(trial, error));
    MAILLE_TRY(design_build(&trial->design, arena, trial->formula, true, error));
    /* Who starts has a time of it. */
    const struct expression *const extra[] = {
        treated, expression_select(arena, treated, start, expression_constant(arena, 0))};
    cohort_rows(&trial->cohort, analysis, arena, extra, 2);
    trial->survival = (struct tally_survival){.filter = trial->cohort.rows,
                                              .stop = trial->formula->stop,
                                              .event = trial->formula->event,
                                              .lattice = trial->axis.lattice,
                                              .per_bin = trial->axis.per_bin,
                                              .n_bins = (uint32_t)trial->n_bins};
    emulation_rows(trial, arena);
    for (size_t k = 0; k < trial->n_steps; k++) {
        trial->models[k].words =
            arena_printf(arena, "the model of who starts by %g", analysis->values[KEY_GRACE].numbers[k]);
        trial->models[k].analysis = model_of(trial, k, arena);
    }
out:
    return code;
}

/* Of who starts in the last step, of who leaves in it without a start, and of all others. */
static const struct expression *of_last(const struct emulation *trial, struct arena *arena,
                                        const struct expression *starts, const struct expression *left,
                                        const struct expression *rest)
{
    return expression_select(arena, trial->starts_last, starts,
                             expression_select(arena, trial->left_last, left, rest));
}

/* The weights and what they move by, now that γ is known. */
static void weigh(struct emulation *trial, struct arena *arena)
{
    struct emulation_arm *waits = &trial->arms[EMULATION_WAITS], *starts = &trial->arms[EMULATION_STARTS];
    const struct expression *one = expression_constant(arena, 1), *weight = one;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const double *gamma = trial->gamma + k * trial->design->n_columns;
        const struct expression *eta =
            fit_logit(arena, design_predictor(trial->design, arena, gamma, NULL, 0));
        const struct expression *other =
            expression_unary(arena, OP_LOGISTIC, expression_unary(arena, OP_NEGATE, eta));
        trial->models[k].eta = eta;
        weight = waits->weight[k + 1] = expression_binary(arena, OP_DIVIDE, weight, other);
        waits->slope[k] = expression_unary(arena, OP_LOGISTIC, eta);
        waits->since[k] = k + 1;
        if (k + 1 < trial->n_steps)
            continue;
        const struct expression *p = waits->slope[k], *more = expression_binary(arena, OP_ADD, one, other);
        starts->weight[1] = of_last(trial, arena, expression_binary(arena, OP_DIVIDE, one, p),
                                    expression_binary(arena, OP_DIVIDE, one, more), one);
        starts->slope[k] = of_last(
            trial, arena, expression_unary(arena, OP_NEGATE, other),
            expression_binary(arena, OP_DIVIDE, expression_binary(arena, OP_MULTIPLY, p, other), more),
            expression_constant(arena, 0));
        starts->since[k] = 1;
    }
}

enum maille_code emulation_read_theta(struct emulation *trial, const struct vector *theta,
                                      struct arena *arena, struct maille_error *error)
{
    const size_t n = trial->design->n_columns, all = n * trial->n_steps,
                 errors = 1 + EMULATION_ARMS * (1 + 2 * trial->n_bins);
    if (theta->n == 0)
        return MAILLE_OK;
    bool fits = true;
    for (size_t i = 0; i < theta->n; i++)
        fits = fits && isfinite(theta->v[i]);
    const double phase = theta->v[0];
    fits = fits && (phase == EMULATION_MODEL || phase == EMULATION_WEIGH || phase == EMULATION_ERRORS);
    trial->phase = fits ? (enum emulation_phase)phase : EMULATION_MODEL;
    if (fits && trial->phase == EMULATION_MODEL) {
        fits = theta->n >= 2 && theta->v[1] >= 0 && theta->v[1] < (double)trial->n_steps &&
               theta->v[1] == floor(theta->v[1]);
        trial->model = fits ? (size_t)theta->v[1] : 0;
        const size_t head = 2 + trial->model * n;
        fits = fits && theta->n >= head;
        trial->gamma = theta->v + 2;
        if (fits)
            trial->theta = (struct vector){.v = theta->v + head, .n = theta->n - head};
    } else if (fits) {
        fits = theta->n == 1 + all + (trial->phase == EMULATION_ERRORS ? errors : 0);
        trial->gamma = theta->v + 1;
        trial->errors = theta->v + 1 + all;
    }
    if (!fits)
        return maille_fail(error, MAILLE_INVALID, "expected the parameters of a target trial, found others");
    if (trial->phase != EMULATION_MODEL)
        weigh(trial, arena);
    return MAILLE_OK;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct emulation trial;
    enum maille_code code = emulation_of(&trial, analysis, arena, error);
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    if (code == MAILLE_OK)
        code = emulation_cells(analysis, arena, cells, error);
    if (code == MAILLE_INVALID && cells->spec.n_blocks > 0)
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected at most %d tables of head counts, found more: every step of `grace` has a "
                        "model, of which each category and interaction is two: take fewer of either",
                        TALLY_BLOCKS_MAX);
    return code == MAILLE_FAILED ? MAILLE_OK : code; /* of this analysis alone: its plan says so */
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* --- step --- */

/* memo: of the model. Where a level has nobody who starts, or nobody else, nobody can be weighted. */
static enum maille_code check_levels(const struct emulation *trial, struct vector *memo,
                                     struct maille_error *error)
{
    struct fit fit;
    fit_bind(&fit, trial->design, false, memo);
    for (size_t j = 0; j < trial->design->n_columns; j++)
        if (fit_is_infinite(&fit, j))
            return maille_fail(error, MAILLE_FAILED,
                               "%s: expected patients with and without a start in every level, found %s of "
                               "them at %s, where nobody can be weighted: merge the level with another, take "
                               "longer steps of `grace`, or leave its patients out of `cohort`",
                               trial->models[trial->model].words, fit_held(&fit, j) < 0 ? "none" : "all",
                               trial->design->columns[j].label);
    return MAILLE_OK;
}

/* After a round of a model: its own next θ, or its γ and the next model, or the weights. */
static enum maille_code step_model(const struct emulation *trial, const struct totals *totals,
                                   struct iteration *iteration, struct outcome *outcome,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = outcome->arena;
    const size_t n = trial->design->n_columns;
    struct vector next = {0};
    struct iteration part = *iteration;
    bool done = false;
    size_t first;
    /* What the model says of itself stays with it; why it failed does not. */
    struct outcome own = {.arena = arena,
                          .warnings = result_list(arena),
                          .dropped_levels = result_list(arena),
                          .aliased = result_list(arena),
                          .result = result_object(arena)};
    part.theta = (struct vector){0};
    for (size_t i = 0; i < trial->theta.n; i++)
        vector_push(&part.theta, trial->theta.v[i]);
    code = emulation_model_cells(&first, trial, trial->model, arena, error);
    if (code == MAILLE_OK) {
        part.surviving = surviving_from(iteration->surviving, first, arena);
        code = method_glm.weighted->step(trial->models[trial->model].analysis, totals, &part, &own, &done,
                                         error);
        if (code != MAILLE_OK)
            maille_error_prefix(error, "%s", trial->models[trial->model].words);
    }
    iteration->memo = part.memo; /* its own as long as it goes on */
    if (code != MAILLE_OK)
        goto out;
    const bool last = done && trial->model + 1 == trial->n_steps;
    vector_push(&next, last ? EMULATION_WEIGH : EMULATION_MODEL);
    if (!last)
        vector_push(&next, (double)(trial->model + done));
    for (size_t i = 0; i < trial->model * n; i++)
        vector_push(&next, trial->gamma[i]);
    if (done) {
        struct fit_theta converged;
        const struct design *design = trial->design;
        double *gamma = arena_array(arena, n, sizeof *gamma);
        MAILLE_TRY(check_levels(trial, &iteration->memo, error));
        MAILLE_TRY(fit_theta_read(&converged, arena, &design, false, &part.theta, error));
        fit_theta_public_gamma(gamma, &converged, design, trial->design);
        for (size_t j = 0; j < n; j++)
            vector_push(&next, gamma[j]);
        vector_truncate(&iteration->memo, 0);
    } else {
        for (size_t i = 0; i < part.theta.n; i++)
            vector_push(&next, part.theta.v[i]);
    }
    vector_clear(&iteration->theta);
    iteration->theta = next;
    next = (struct vector){0};
out:
    vector_clear(&next);
    vector_clear(&part.theta);
    return code;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation trial;
    MAILLE_TRY(emulation_of(&trial, analysis, outcome->arena, error));
    MAILLE_TRY(emulation_read_theta(&trial, &iteration->theta, outcome->arena, error));
    switch (trial.phase) {
    case EMULATION_MODEL:
        MAILLE_TRY(step_model(&trial, totals, iteration, outcome, error));
        break;
    case EMULATION_WEIGH:
        MAILLE_TRY(emulation_weighed(&iteration->theta, &trial, totals, iteration->surviving, outcome->arena,
                                     error));
        iteration->theta.v[0] = EMULATION_ERRORS;
        break;
    case EMULATION_ERRORS:
        MAILLE_TRY(emulation_report(&trial, totals, iteration->surviving, outcome, error));
        *done = true;
        break;
    }
out:
    return code;
}

extern const struct method method_emulation;
const struct method method_emulation = {
    .declared = {.name = "emulation", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .is_model = true},
    .version = 1,
    .words = {.name = "Target trial",
              .sentence =
                  "Clones of every patient in both strategies, censored where they depart from theirs "
                  "and weighted by the inverse probability of not having departed; errors by stacked "
                  "estimating equations.",
              .r = "survfit() of weighted clones",
              .source = "Maringe and others, International Journal of Epidemiology 2020;49:1719"},
    .check = check,
    .cells = emulation_cells,
    .plan = emulation_plan,
    .step = step,
    .shares = emulation_shares};
