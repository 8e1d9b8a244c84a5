/* emulation: a trial of two strategies emulated from observational data: to start a treatment within a
 * grace period, or not to. Every patient is cloned, a clone in each arm; a clone is censored when it departs
 * from its strategy, and weighted by the inverse of the probability of not having departed (C. Maringe and
 * others, International Journal of Epidemiology 2020;49:1719; M. A. Hernán, BMJ 2018;360:k182; J. M. Robins
 * and D. M. Finkelstein, Biometrics 2000;56:779, for the weights).
 *
 * The grace period is cut into public steps (g_{k−1}, g_k], k = 1 … K. With a the time of the start:
 *   arm "no start": a clone departs at a, where a ≤ g_K. Of who comes to step k without a start, and does not
 *     die in it without one, a logistic model gives p_k(x), the probability of a start in it. Behind g_k the
 *     weight is Π_{j ≤ k} 1/(1 − p_j(x)).
 *   arm "start": whoever comes to g_{K−1} without a start has to start in the last step. Clones that do not,
 *     and do not die in it, depart at g_{K−1}; behind it who starts in the last step weighs 1/p_K(x) and so
 *     stands for them too (M. Webster-Clark and others, arXiv:2404.15073, 2024), and who dies in it without a
 *     start 1/(2 − p_K(x)); all others weigh 1.
 * Who is lost to follow-up in the grace period is taken as followed to its end, and leaves there. Each arm
 * then has its life table (emulation_life.c), over the steps of the grace period and public rows behind it.
 *
 * Rounds: those of the models, one after the other; one that sums weights; one of derivatives by the models'
 * coefficients; one of squares for the errors (emulation_report.c). docs/methods/emulation.md. */
#include "stats/emulation.h"

#include <math.h>
#include <string.h>

#include "stats/knots.h"
#include "stats/steps.h"
#include "stats/wording.h"

enum { KEY_FORMULA_, KEY_TREATMENT, KEY_START, KEY_GRACE, KEY_TIMES, KEY_TAU };
/* A step of the grid in the sentence that is too fine; numbers within this share of one are one. */
enum { EMULATION_BINS_MAX = 1 << 14 };
#define SLACK 1e-9

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
                   .n_max = EMULATION_ROWS_MAX,
                   .sentence = "Ends of the rows of the life table behind the grace period, ascending: "
                               "survival is given and compared there."},
    [KEY_TAU] = {.name = "tau",
                 .kind = KEY_NUMBER,
                 .min = 0,
                 .max = 1e9,
                 .sentence = "End of the restricted mean survival time: one of `times`."},
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

/* What was done later decides neither strategy: `~ start` would make those who start the cohort. What the
 * time begins with may be in both. */
static enum maille_code check_covariates(const struct emulation *trial, struct arena *arena,
                                         struct maille_error *error)
{
    const struct dictionary *dictionary = trial->analysis->study->dictionary;
    const size_t n = dictionary->n_variables;
    bool *later = arena_array(arena, n + 1, sizeof *later), *used = arena_array(arena, n + 1, sizeof *used),
         *time = arena_array(arena, n + 1, sizeof *time);
    expression_variables(trial->treated, later);
    expression_variables(trial->start, later);
    expression_variables(trial->formula->stop, time);
    for (size_t f = 0; f < trial->formula->n_factors; f++)
        expression_variables(trial->formula->factors[f].expression, used);
    for (size_t v = 0; v < n; v++)
        if (used[v] && later[v] && !time[v])
            return maille_fail(
                error, MAILLE_INVALID,
                "expected covariates of time 0 after the `~`, found `%s`, which `treatment` or "
                "`start` reads: remove it",
                dictionary->variables[v].name);
    return MAILLE_OK;
}

/* The bin of the grid that ends at a time; 0: none does. */
static size_t bin_at(const struct emulation *trial, double time)
{
    const double width = trial->axis.width, bins = nearbyint(time / width);
    return bins < (double)trial->survival.n_bins && fabs(time - bins * width) <= SLACK * time ? (size_t)bins
                                                                                              : 0;
}

/* Ends of the steps, then of the rows, as bins of the grid: all of them ascending. */
static enum maille_code read_ends(struct emulation *trial, struct maille_error *error)
{
    const struct query_value *grace = &trial->analysis->values[KEY_GRACE],
                             *times = &trial->analysis->values[KEY_TIMES];
    const double width = trial->axis.width, last = (double)(trial->survival.n_bins - 1) * width;
    trial->n_steps = grace->n;
    trial->grace = grace->numbers;
    trial->n_rows = times->n;
    trial->times = times->numbers;
    for (size_t i = 0, before = 0; i < grace->n + times->n; i++) {
        const bool row = i >= grace->n;
        const char *key = row ? "times" : "grace";
        const double time = row ? times->numbers[i - grace->n] : grace->numbers[i];
        const size_t bin = bin_at(trial, time);
        if (!(time > 0 && time <= last * (1 + SLACK)))
            return maille_fail(
                error, MAILLE_INVALID,
                "expected `%s` above 0 and not beyond %.10g, the latest time that there can be, "
                "found %.10g",
                key, last, time);
        if (bin == 0)
            return maille_fail(
                error, MAILLE_INVALID,
                "expected `%s` in whole steps of the study's grid, which are %.10g wide, found "
                "%.10g: the nearest is %.10g",
                key, width, time, fmin(fmax(nearbyint(time / width), 1) * width, last));
        if (bin <= before)
            return maille_fail(error, MAILLE_INVALID,
                               row && i == grace->n
                                   ? "expected `%s` after the end of the grace period, found %.10g: what "
                                     "happened before would tell of the few who had just started"
                                   : "expected `%s` ascending, found %.10g behind a later one",
                               key, time);
        *(row ? &trial->row_bins[i - grace->n] : &trial->bins[i + 1]) = before = bin;
    }
    for (size_t i = 0; i <= trial->n_rows; i++)
        trial->ends[i] = (double)(i == 0 ? trial->bins[trial->n_steps] : trial->row_bins[i - 1]) * width;
    return MAILLE_OK;
}

static enum maille_code read_tau(struct emulation *trial, struct maille_error *error)
{
    const struct query_value *tau = &trial->analysis->values[KEY_TAU];
    trial->n_targets = 1 + trial->n_rows + (tau->present ? 1 : 0);
    for (size_t row = 0; tau->present && row < trial->n_rows; row++)
        if (fabs(trial->times[row] - tau->numbers[0]) <= SLACK * tau->numbers[0])
            trial->tau = row + 1;
    if (tau->present && trial->tau == 0)
        return maille_fail(error, MAILLE_INVALID, "expected `tau` among `times`, found %.10g",
                           tau->numbers[0]);
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

enum maille_code emulation_of(struct emulation *trial, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *treated = analysis->values[KEY_TREATMENT].expressions[0],
                            *start = analysis->values[KEY_START].expressions[0];
    *trial = (struct emulation){.analysis = analysis,
                                .formula = analysis->values[KEY_FORMULA_].formula,
                                .treated = treated,
                                .start = start};
    MAILLE_TRY(check_formula(trial, error));
    if (treated->kind != EXPRESSION_BOOLEAN || start->kind != EXPRESSION_NUMBER) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a boolean as `treatment` and a number as `start`, found something else");
        goto out;
    }
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
    trial->survival.n_bins = trial->axis.n_bins;
    MAILLE_TRY(read_ends(trial, error));
    MAILLE_TRY(read_tau(trial, error));
    MAILLE_TRY(check_covariates(trial, arena, error));
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
                                              .n_bins = trial->axis.n_bins};
    emulation_rows(trial, arena);
    for (size_t k = 0; k < trial->n_steps; k++) {
        trial->models[k].words = arena_printf(arena, "the model of who starts by %g", trial->grace[k]);
        trial->models[k].analysis = model_of(trial, k, arena);
    }
out:
    return code;
}

/* Of who starts in the last step, of who dies in it without a start, and of all others. */
static const struct expression *of_last(const struct emulation *trial, struct arena *arena,
                                        const struct expression *starts, const struct expression *dies,
                                        const struct expression *rest)
{
    return expression_select(arena, trial->starts_last, starts,
                             expression_select(arena, trial->dies_last, dies, rest));
}

/* The weights and what they move by, now that γ is known. */
static void weigh(struct emulation *trial, struct arena *arena)
{
    struct emulation_arm *waits = &trial->arms[EMULATION_WAITS], *starts = &trial->arms[EMULATION_STARTS];
    const struct expression *one = expression_constant(arena, 1), *weight = one, *p = NULL, *other = NULL;
    const size_t last = trial->n_steps - 1, since = starts->n_factors - 1;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const double *gamma = trial->gamma + k * trial->design->n_columns;
        const struct expression *eta =
            fit_logit(arena, design_predictor(trial->design, arena, gamma, NULL, 0));
        p = expression_unary(arena, OP_LOGISTIC, eta);
        other = expression_unary(arena, OP_LOGISTIC, expression_unary(arena, OP_NEGATE, eta));
        trial->models[k].eta = eta;
        weight = waits->weight[k + 1] = expression_binary(arena, OP_DIVIDE, weight, other);
        waits->slope[k] = p;
        waits->since[k] = k + 1;
    }
    const struct expression *more = expression_binary(arena, OP_ADD, one, other);
    starts->weight[since] = starts->weight[since + 1] =
        of_last(trial, arena, expression_binary(arena, OP_DIVIDE, one, p),
                expression_binary(arena, OP_DIVIDE, one, more), one);
    starts->slope[last] =
        of_last(trial, arena, expression_unary(arena, OP_NEGATE, other),
                expression_binary(arena, OP_DIVIDE, expression_binary(arena, OP_MULTIPLY, p, other), more),
                expression_constant(arena, 0));
    starts->since[last] = since;
}

struct emulation_life emulation_life_of(const struct emulation *trial, const struct surviving *surviving,
                                        size_t arm, struct arena *arena)
{
    const size_t events = emulation_cells_of(arm, EMULATION_CELLS_EVENTS),
                 losses = emulation_cells_of(arm, EMULATION_CELLS_LOSSES);
    return (struct emulation_life){
        .n_factors = trial->arms[arm].n_factors,
        .n_rows = trial->n_rows,
        .ends = trial->ends,
        .events = steps_edges(surviving_mask(surviving, events), 1, trial->n_rows, arena),
        .losses = steps_edges(surviving_mask(surviving, losses), 1, trial->n_rows, arena)};
}

/* Sums that patients can have: of each factor nobody dies or departs who is not at risk. */
static bool read_sums(struct emulation *trial, const double *from)
{
    bool fits = true;
    trial->n = from[0];
    from++;
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        struct emulation_arm *arm = &trial->arms[a];
        const size_t n = EMULATION_OF_FACTOR * arm->n_factors + 1 + 2 * trial->n_rows;
        arm->sums = from;
        for (size_t i = 0; i < n; i++)
            fits = fits && from[i] >= 0;
        for (size_t f = 0; f < arm->n_factors; f++) {
            const double *of = from + EMULATION_OF_FACTOR * f;
            fits = fits && of[EMULATION_DIED] + of[EMULATION_LEFT] <= (1 + SLACK) * of[EMULATION_AT_RISK];
        }
        from += n;
    }
    return fits && trial->n >= 1;
}

static size_t all_sums(const struct emulation *trial)
{
    size_t n = 1;
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        n += EMULATION_OF_FACTOR * trial->arms[a].n_factors + 1 + 2 * trial->n_rows;
    return n;
}

enum maille_code emulation_read_theta(struct emulation *trial, const struct vector *theta,
                                      struct arena *arena, struct maille_error *error)
{
    const size_t n = trial->design->n_columns, all = n * trial->n_steps, sums = all_sums(trial);
    if (theta->n == 0)
        return MAILLE_OK;
    bool fits = true;
    for (size_t i = 0; i < theta->n; i++)
        fits = fits && isfinite(theta->v[i]);
    const double phase = theta->v[0];
    fits = fits && (phase == EMULATION_MODEL || phase == EMULATION_WEIGH || phase == EMULATION_SLOPES ||
                    phase == EMULATION_ERRORS);
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
        fits = theta->n ==
               1 + all + (trial->phase >= EMULATION_SLOPES ? sums : 0) +
                   (trial->phase == EMULATION_ERRORS ? trial->n_targets * emulation_pairs(trial) * n : 0);
        trial->gamma = theta->v + 1;
        trial->along = theta->v + 1 + all + sums;
        fits = fits && (trial->phase == EMULATION_WEIGH || read_sums(trial, theta->v + 1 + all));
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
    if (code == MAILLE_OK && emulation_blocks_slopes(&trial) > TALLY_BLOCKS_MAX)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected fewer columns of covariates, steps of `grace` or `times`: their errors take "
            "%zu tables of sums, and a round has room for %d",
            emulation_blocks_slopes(&trial), TALLY_BLOCKS_MAX);
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
        iteration->theta.v[0] = EMULATION_SLOPES;
        break;
    case EMULATION_SLOPES:
        MAILLE_TRY(emulation_sloped(&iteration->theta, &trial, totals, outcome->arena, error));
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
                  "and weighted by the inverse probability of not having departed; life tables of public "
                  "rows, with errors by stacked estimating equations.",
              .r = "survfit() of weighted clones, in a life table",
              .source = "Maringe and others, International Journal of Epidemiology 2020;49:1719"},
    .check = check,
    .cells = emulation_cells,
    .plan = emulation_plan,
    .step = step,
    .shares = emulation_shares};
