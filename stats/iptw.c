/* Inverse probability of treatment weights: Robins, Hernán and Brumback, Epidemiology 2000;11:550–560;
 * truncation: Cole and Hernán, Am J Epidemiol 2008;168:656–664.
 *
 * With p̂ the propensity, cut off at its two quantiles: 1/p̂ for the treated and 1/(1 − p̂) for the others
 * (ate; stabilised: times the share of their arm); 1 and p̂/(1 − p̂) for the treated (att). The quantiles are
 * those of the counts by intervals of 1/4096: the lower cut is the upper edge of the interval that the
 * quantile falls into, the upper cut the lower edge, so that a cut is never 0 or 1. docs/methods/iptw.md. */
#include "stats/iptw.h"

#include <math.h>
#include <string.h>

#include "stats/fit.h"
#include "stats/groups.h"
#include "stats/knots.h"
#include "stats/methods.h"
#include "stats/multinomial.h"
#include "stats/wording.h"

enum phase { IPTW_MODEL, IPTW_MODELLING, IPTW_COUNT, IPTW_WEIGH };
enum { TAIL_CUTS, TAIL_NUMERATORS = 2 };

extern const struct method method_glm;

/* The model of several arms, with the keys of a glm. */
static const struct method several = {.check = multinomial_check,
                                      .cells = multinomial_cells,
                                      .plan = multinomial_plan,
                                      .step = multinomial_step};

/* One call. */
struct chain {
    const struct analysis *analysis;
    const struct method *own;     /* of the method that is weighted */
    const struct analysis *model; /* of the treatment, by glm */
    const struct method *fitted;  /* what fits it */
    const struct expression *arm; /* CODE */
    size_t n_arms, n_gamma;       /* n_gamma: numbers of θ that the propensities depend on */
    const struct design *design;
    struct tally_survival
        survival; /* of the method's rows, where a patient may have several; stop NULL: none */
    enum phase phase;
    const double *gamma, *tail; /* in θ */
    struct vector theta;        /* of the model or of the method: a part of θ, not owned */
};

const struct expression *iptw_complete(const struct analysis *analysis, struct arena *arena)
{
    const struct query_method *declared = analysis->declared;
    size_t n = 0;
    for (size_t k = 0; k < declared->n_keys; k++)
        n += analysis->values[k].expressions ? analysis->values[k].n : 0;
    const struct expression **listed = arena_array(arena, n + 1, sizeof *listed);
    n = 0;
    for (size_t k = 0; declared->is_model && k < declared->n_keys; k++)
        for (size_t i = 0; analysis->values[k].expressions && i < analysis->values[k].n; i++)
            listed[n++] = analysis->values[k].expressions[i];
    return analysis_complete(analysis, arena, listed, n);
}

/* The follow-up of the method where a patient may have several rows one after the other: delayed entry. */
static enum maille_code read_survival(struct chain *chain, struct arena *arena, struct maille_error *error)
{
    const struct analysis *analysis = chain->analysis;
    for (size_t k = 0; k < analysis->declared->n_keys; k++) {
        const struct formula *formula = analysis->values[k].formula;
        struct time_axis axis;
        if (formula == NULL || formula->kind != RESPONSE_SURVIVAL || formula->start == NULL)
            continue;
        enum maille_code code = analysis_time_axis(&axis, analysis, formula, error);
        if (code != MAILLE_OK)
            return code;
        chain->survival = (struct tally_survival){
            .filter = expression_and(arena, analysis->cohort, iptw_complete(analysis, arena)),
            .start = formula->start,
            .stop = formula->stop,
            .event = formula->event,
            .lattice = axis.lattice,
            .per_bin = axis.per_bin,
            .n_bins = axis.n_bins};
    }
    return MAILLE_OK;
}

/* An analysis by glm over the patients of the weighted analysis: of several rows of one the first, at which
 * the treatment was chosen. */
static const struct analysis *model_of(const struct chain *chain, struct arena *arena)
{
    const struct analysis *analysis = chain->analysis;
    struct analysis *model = arena_alloc(arena, sizeof *model);
    const struct query_method *glm = &method_glm.declared; /* its keys */
    struct query_value *values = arena_array(arena, glm->n_keys, sizeof *values);
    *model = *analysis;
    model->declared = glm;
    model->method = glm->name;
    model->values = values;
    model->propensity = NULL;
    model->subgroup = NULL; /* of the outcome */
    model->n_by = 0;
    model->cohort = expression_and(arena, analysis->cohort, iptw_complete(analysis, arena));
    if (chain->survival.stop != NULL)
        model->cohort = expression_and(
            arena, model->cohort,
            expression_in_level(arena, expression_survival(arena, OP_SURV_FATE, FATES), FATE_FIRST));
    for (size_t k = 0; k < glm->n_keys; k++) {
        if (glm->keys[k].kind == KEY_FORMULA)
            values[k].formula = analysis->propensity->formula;
        if (strcmp(glm->keys[k].name, "family") == 0)
            values[k].choice = 1; /* binomial */
    }
    return model;
}

/* A category of more than two levels? */
static bool has_arms(const struct expression *treatment)
{
    return treatment->kind == EXPRESSION_CODE && treatment->n_levels > 2;
}

enum maille_code iptw_arm(const struct expression **arm, struct arena *arena,
                          const struct expression *treatment, struct maille_error *error)
{
    const struct expression *treated = treatment;
    if (treatment->kind == EXPRESSION_NUMBER && treatment->step == 1 && treatment->low == 0 &&
        treatment->high == 1)
        treated = expression_binary(arena, OP_EQ, treatment, expression_constant(arena, 1));
    if (treatment->kind == EXPRESSION_CODE &&
        treatment->n_levels == 2) /* a category of two: with is its second level */
        treated = expression_in_level(arena, treatment, 1);
    if (treated->kind != EXPRESSION_BOOLEAN)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a boolean as the treatment, or a category, found something else: derive one, such as "
            "`treated: arm == \"B\"`");
    return expression_as_code(arm, arena, treated, error);
}

static enum maille_code read_theta(struct chain *chain, const struct vector *theta,
                                   struct maille_error *error)
{
    size_t n = chain->n_gamma, tail = TAIL_NUMERATORS + chain->n_arms;
    if (theta->n == 0)
        return MAILLE_OK;
    for (size_t i = 0; i < theta->n; i++)
        if (!isfinite(theta->v[i]))
            return maille_fail(error, MAILLE_INVALID, "expected finite parameters, found one that is not");
    bool known = theta->v[0] == IPTW_MODELLING || theta->v[0] == IPTW_COUNT || theta->v[0] == IPTW_WEIGH;
    chain->phase = known ? (enum phase)theta->v[0] : IPTW_MODEL;
    size_t head = 1 + (chain->phase >= IPTW_COUNT ? n : 0) + (chain->phase == IPTW_WEIGH ? tail : 0);
    if (!known || theta->n < head || (chain->phase == IPTW_COUNT && theta->n != head))
        return maille_fail(error, MAILLE_INVALID,
                           "expected the parameters of a weighted round, found others");
    chain->gamma = theta->v + 1;
    chain->tail = chain->gamma + n;
    chain->theta = (struct vector){.v = theta->v + head, .n = theta->n - head};
    if (chain->phase < IPTW_WEIGH)
        return MAILLE_OK;
    const double *cuts = chain->tail + TAIL_CUTS, *numerators = chain->tail + TAIL_NUMERATORS;
    bool inside = cuts[0] >= 0 && cuts[0] <= cuts[1] && cuts[1] <= 1;
    for (size_t k = 0; k < chain->n_arms; k++) /* 0: an arm that nobody has */
        inside = inside && numerators[k] >= (chain->n_arms > 2 ? 0 : 1e-300) && numerators[k] <= 1;
    if (!inside)
        return maille_fail(error, MAILLE_INVALID,
                           "expected cuts and numerators between 0 and 1, found others");
    return MAILLE_OK;
}

static enum maille_code chain_of(struct chain *chain, const struct analysis *analysis,
                                 const struct vector *theta, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = analysis->propensity->formula;
    *chain = (struct chain){.analysis = analysis, .own = method_find(analysis->method)->weighted};
    if (formula->kind != RESPONSE_EXPRESSION) {
        code =
            maille_fail(error, MAILLE_INVALID, "expected a treatment on the left of ~ in iptw, found none");
        goto out;
    }
    MAILLE_TRY(knots_none(formula, error));
    chain->fitted = has_arms(formula->response) ? &several : &method_glm;
    chain->arm = formula->response;
    if (chain->fitted == &method_glm)
        MAILLE_TRY(iptw_arm(&chain->arm, arena, formula->response, error));
    chain->n_arms = chain->arm->n_levels;
    if (chain->fitted == &several && analysis->propensity->att) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected `estimand: ate` with a treatment of several arms, found att: nobody says of whom");
        goto out;
    }
    if (chain->n_arms > PROPENSITY_ARMS_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected a treatment of at most %d arms, found %zu",
                           PROPENSITY_ARMS_MAX, chain->n_arms);
        goto out;
    }
    MAILLE_TRY(read_survival(chain, arena, error));
    chain->model = model_of(chain, arena);
    MAILLE_TRY(design_build(&chain->design, arena, formula, formula->intercept, error));
    chain->n_gamma =
        chain->fitted == &several ? multinomial_size(chain->design, chain->n_arms) : chain->design->n_columns;
    if (theta != NULL)
        MAILLE_TRY(read_theta(chain, theta, error));
out:
    return code;
}

/* The probability of treatment; of several arms that of the row's own. */
static const struct expression *score_of(const struct chain *chain, struct arena *arena, const double *gamma)
{
    const struct expression *own = NULL;
    for (size_t k = chain->n_arms; chain->fitted == &several && k-- > 0;) {
        const struct expression *p = multinomial_probability(chain->design, gamma, chain->n_arms, k, arena);
        own = own == NULL ? p : expression_select(arena, expression_in_level(arena, chain->arm, k), p, own);
    }
    if (own != NULL)
        return own;
    return expression_unary(
        arena, OP_LOGISTIC,
        fit_logit(arena, design_predictor(chain->design, arena, gamma,
                                          chain->analysis->propensity->formula->offset, 0)));
}

const struct expression *iptw_interval(struct arena *arena, const struct expression *score)
{
    return expression_uniform_bin(arena, score, 0, 1.0 / IPTW_INTERVALS, IPTW_INTERVALS);
}

double iptw_weight(const struct propensity *propensity, size_t arm, double score)
{
    double p = fmin(fmax(score, propensity->cuts[0]), propensity->cuts[1]);
    const bool treated = arm == 1;
    if (propensity->n_arms > 2)
        return propensity->numerators[arm] / p;
    if (propensity->att)
        return treated ? 1 : p / (1 - p);
    return treated ? propensity->numerators[1] / p : propensity->numerators[0] / (1 - p);
}

/* The same of every row. */
static const struct expression *weight_of(const struct chain *chain, const struct propensity *propensity,
                                          struct arena *arena)
{
    const struct expression *p = propensity->score, *one = expression_constant(arena, 1);
    const struct expression *treated = chain->arm->op == OP_BOOLEAN_CODE ? chain->arm->args[0] : NULL;
    if (treated == NULL)
        treated = expression_binary(arena, OP_EQ, expression_number_of(arena, chain->arm), one);
    if (propensity->cuts[0] > 0)
        p = expression_binary(arena, OP_MAX, p, expression_constant(arena, propensity->cuts[0]));
    if (propensity->cuts[1] < 1)
        p = expression_binary(arena, OP_MIN, p, expression_constant(arena, propensity->cuts[1]));
    if (chain->n_arms > 2)
        return expression_binary(
            arena, OP_DIVIDE, expression_lookup(arena, propensity->numerators, chain->n_arms, chain->arm), p);
    const struct expression *rest = expression_binary(arena, OP_SUBTRACT, one, p);
    if (propensity->att)
        return expression_select(arena, treated, one, expression_binary(arena, OP_DIVIDE, p, rest));
    return expression_select(
        arena, treated,
        expression_binary(arena, OP_DIVIDE, expression_constant(arena, propensity->numerators[1]), p),
        expression_binary(arena, OP_DIVIDE, expression_constant(arena, propensity->numerators[0]), rest));
}

/* The analysis as its method sees it: with weights. tail NULL: some weights, for head counts and checks. */
static const struct analysis *weighted_of(const struct chain *chain, struct arena *arena, const double *gamma,
                                          const double *tail)
{
    struct analysis *weighted = arena_alloc(arena, sizeof *weighted);
    struct propensity *propensity = arena_alloc(arena, sizeof *propensity);
    *weighted = *chain->analysis;
    *propensity = *chain->analysis->propensity;
    propensity->score = score_of(chain, arena, gamma);
    propensity->n_arms = chain->n_arms;
    for (size_t i = 0; i < 2; i++)
        propensity->cuts[i] = tail ? tail[TAIL_CUTS + i] : (double)i;
    for (size_t k = 0; k < chain->n_arms; k++)
        propensity->numerators[k] = tail ? tail[TAIL_NUMERATORS + k] : 1;
    weighted->propensity = propensity;
    weighted->weights = weight_of(chain, propensity, arena);
    weighted->weights_name = "iptw";
    return weighted;
}

static const struct analysis *weighted_somehow(const struct chain *chain, struct arena *arena)
{
    return weighted_of(chain, arena, arena_array(arena, chain->n_gamma, sizeof(double)), NULL);
}

/* --- what both sides do --- */

enum maille_code iptw_check(const struct analysis *analysis, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct chain chain;
    struct maille_error inner = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a check, found none");
    if (analysis->propensity == NULL) {
        const struct method *own = method_find(analysis->method)->weighted;
        code = own->check ? own->check(analysis, error) : MAILLE_OK;
        goto out;
    }
    code = chain_of(&chain, analysis, NULL, arena, &inner);
    if (code != MAILLE_OK) {
        code = wording_invalid(error, analysis, "%s", inner.sentence);
        goto out;
    }
    MAILLE_TRY(chain.fitted->check(chain.model, error));
    if (chain.own->check)
        MAILLE_TRY(chain.own->check(weighted_somehow(&chain, arena), error));
out:
    arena_free(arena);
    return code;
}

enum maille_code iptw_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct chain chain;
    if (analysis->propensity == NULL)
        return method_find(analysis->method)->weighted->cells(analysis, arena, cells, error);
    MAILLE_TRY(chain_of(&chain, analysis, NULL, arena, error));
    MAILLE_TRY(chain.own->cells(weighted_somehow(&chain, arena), arena, cells, error));
    /* Every arm must pass: their share is in the weights. */
    MAILLE_TRY(groups_cell(cells, CELL_PATIENTS, chain.model->cohort, chain.arm, error));
    size_t n_parameters = cells->n_parameters;
    MAILLE_TRY(chain.fitted->cells(chain.model, arena, cells, error));
    if (n_parameters > cells->n_parameters)
        cells->n_parameters = n_parameters;
out:
    return code;
}

/* Head counts: those of the method, then the arms, then those of the model. */
static enum maille_code cells_arms(size_t *block, const struct chain *chain, struct arena *arena,
                                   struct maille_error *error)
{
    struct cells *own = arena_alloc(arena, sizeof *own);
    enum maille_code code = chain->own->cells(weighted_somehow(chain, arena), arena, own, error);
    *block = own->spec.n_blocks;
    return code;
}

/* Propensities by arm and interval: what the cuts come from, which no result shows. Behind threshold rounds,
 * where others than the sites see sums or these are of a few sites, by arm alone. */
static void plan_count(const struct chain *chain, size_t arms, const struct surviving *surviving,
                       struct arena *arena, struct tally_spec *spec)
{
    struct tally_block *block = fit_block(spec, guard_each(arena, arms), chain->model->cohort, NULL, 0);
    const struct expression *codes[] = {chain->arm,
                                        iptw_interval(arena, score_of(chain, arena, chain->gamma))};
    block->group = surviving == NULL || surviving->closed ? expression_cross(arena, codes, 2) : chain->arm;
    if (block->group != chain->arm)
        block->guard = guard_both(arena, block->guard, &guard_sites);
}

enum maille_code iptw_plan(const struct analysis *analysis, const struct vector *theta,
                           const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct chain chain;
    if (analysis->propensity == NULL)
        return method_find(analysis->method)->weighted->plan(analysis, theta, surviving, arena, spec, error);
    if (surviving != NULL && !surviving->closed && analysis->propensity->truncated)
        return maille_refuse(error, "min_cell",
                             "the quantiles at which `truncate` cuts would show how few patients are beyond "
                             "them: leave `truncate` out, or narrow `cohort` to those who may have either "
                             "treatment");
    MAILLE_TRY(chain_of(&chain, analysis, theta, arena, error));
    if (chain.phase == IPTW_WEIGH) {
        code = chain.own->plan(weighted_of(&chain, arena, chain.gamma, chain.tail), &chain.theta, surviving,
                               arena, spec, error);
        goto out;
    }
    size_t arms;
    MAILLE_TRY(cells_arms(&arms, &chain, arena, error));
    spec->survival = chain.survival;
    if (chain.phase == IPTW_COUNT) {
        plan_count(&chain, arms, surviving, arena, spec);
        goto out;
    }
    code = chain.fitted->plan(chain.model, &chain.theta, surviving_from(surviving, arms + 1, arena), arena,
                              spec, error);
    for (size_t b = 0; b < spec->n_blocks; b++)
        spec->blocks[b].guard = guard_behind(arena, spec->blocks[b].guard, arms + 1);
out:
    return code;
}

enum maille_code iptw_shares(const struct cells **cells, const struct analysis *analysis,
                             const struct vector *theta, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct chain chain;
    *cells = NULL;
    if (theta->n == 0)
        return MAILLE_OK;
    MAILLE_TRY(chain_of(&chain, analysis, theta, arena, error));
    if (chain.phase != IPTW_WEIGH || chain.theta.n > 0)
        goto out;
    const struct analysis *weighted = weighted_of(&chain, arena, chain.gamma, chain.tail);
    struct cells *made = arena_alloc(arena, sizeof *made);
    MAILLE_TRY(chain.own->cells(weighted, arena, made, error));
    const size_t arms = made->spec.n_blocks;
    MAILLE_TRY(groups_cell(made, CELL_PATIENTS, chain.model->cohort, chain.arm, error));
    groups_share_weights(made, arena, arms, weighted->weights);
    *cells = made;
out:
    return code;
}

/* --- step --- */

/* θ := head of n numbers, then `rest` (NULL: nothing). head may be a part of θ. */
static void write_theta(struct vector *theta, const double *head, size_t n, const struct vector *rest)
{
    size_t n_rest = rest == NULL ? 0 : rest->n;
    struct vector joined = {0};
    double *v = vector_grow(&joined, n + n_rest);
    if (n > 0)
        memcpy(v, head, n * sizeof *v);
    if (n_rest > 0)
        memcpy(v + n, rest->v, n_rest * sizeof *v);
    vector_clear(theta);
    *theta = joined;
}

/* One step of the model or of the method, with its own part of θ, which it may replace. */
static enum maille_code step_part(struct vector *theta, const struct chain *chain,
                                  const struct method *method, const struct analysis *analysis,
                                  const struct surviving *surviving, const struct totals *totals,
                                  struct iteration *iteration, struct outcome *outcome, bool *done,
                                  struct maille_error *error)
{
    struct iteration part = *iteration; /* the memo is its own as long as it goes on */
    part.surviving = surviving;
    write_theta(theta, chain->theta.v, chain->theta.n, NULL);
    part.theta = *theta;
    enum maille_code code = method->step(analysis, totals, &part, outcome, done, error);
    *theta = part.theta;
    iteration->memo = part.memo;
    return code;
}

/* memo: of the model by glm. */
static enum maille_code check_levels(const struct chain *chain, struct vector *memo,
                                     struct maille_error *error)
{
    struct fit fit;
    fit_bind(&fit, chain->design, false, memo);
    for (size_t j = 0; j < chain->design->n_columns; j++)
        if (fit_is_infinite(&fit, j))
            return maille_fail(error, MAILLE_FAILED,
                               "the model of the treatment: expected patients with and without it in every "
                               "level, found %s of them at %s, where nobody can be weighted: merge the level "
                               "with another, or leave its patients out of `cohort`",
                               fit_held(&fit, j) < 0 ? "none" : "all", chain->design->columns[j].label);
    return MAILLE_OK;
}

static enum maille_code step_model(const struct chain *chain, const struct totals *totals,
                                   struct iteration *iteration, struct outcome *outcome,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = outcome->arena;
    struct vector theta = {0};
    struct fit_theta converged;
    bool done = false;
    double *head = arena_array(arena, 1 + chain->n_gamma, sizeof *head);
    /* What the model says of itself stays with it; why it failed does not. */
    struct outcome own = {.arena = arena,
                          .warnings = result_list(arena),
                          .dropped_levels = result_list(arena),
                          .aliased = result_list(arena),
                          .result = result_object(arena)};
    size_t arms;
    MAILLE_TRY(cells_arms(&arms, chain, arena, error));
    code = step_part(&theta, chain, chain->fitted, chain->model,
                     surviving_from(iteration->surviving, arms + 1, arena), totals, iteration, &own, &done,
                     error);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "the model of the treatment");
        goto out;
    }
    if (!done) {
        head[0] = IPTW_MODELLING;
        write_theta(&iteration->theta, head, 1, &theta);
        goto out;
    }
    const double *gamma = theta.v + 1; /* of several arms: behind the stage */
    if (chain->fitted == &method_glm) {
        MAILLE_TRY(check_levels(chain, &iteration->memo, error));
        const struct design *design = chain->design;
        double *own_columns = arena_array(arena, chain->n_gamma, sizeof *own_columns);
        MAILLE_TRY(fit_theta_read(&converged, arena, &design, false, &theta, error));
        fit_theta_public_gamma(own_columns, &converged, design, chain->design);
        gamma = own_columns;
    }
    head[0] = IPTW_COUNT;
    memcpy(head + 1, gamma, chain->n_gamma * sizeof *head);
    write_theta(&iteration->theta, head, 1 + chain->n_gamma, NULL);
    vector_truncate(&iteration->memo, 0);
out:
    vector_clear(&theta);
    return code;
}

/* The first interval up to which a share of everybody has its propensity. */
static size_t quantile_interval(const double *counts, size_t n_arms, double share)
{
    double all = 0, sum = 0;
    for (size_t i = 0; i < n_arms * IPTW_INTERVALS; i++)
        all += counts[i];
    for (size_t k = 0; k < IPTW_INTERVALS; k++) {
        for (size_t arm = 0; arm < n_arms; arm++)
            sum += counts[arm * IPTW_INTERVALS + k];
        if (sum >= share * all)
            return k;
    }
    return IPTW_INTERVALS - 1;
}

static void choose_cuts(double *cuts, const struct propensity *propensity, size_t n_arms,
                        const double *counts)
{
    cuts[0] = 0;
    cuts[1] = 1;
    if (!propensity->truncated)
        return;
    size_t low = quantile_interval(counts, n_arms, propensity->low),
           high = quantile_interval(counts, n_arms, propensity->high);
    cuts[0] = (double)(low + 1) / IPTW_INTERVALS;
    cuts[1] = (double)high / IPTW_INTERVALS;
    if (cuts[0] > cuts[1]) { /* both in one interval: nobody is cut off */
        cuts[0] = (double)low / IPTW_INTERVALS;
        cuts[1] = (double)(high + 1) / IPTW_INTERVALS;
    }
}

static void step_count(const struct chain *chain, const struct totals *totals, struct iteration *iteration,
                       struct arena *arena)
{
    const struct propensity *propensity = chain->analysis->propensity;
    size_t n = chain->n_gamma, n_arms = chain->n_arms, tail = TAIL_NUMERATORS + n_arms;
    double *head = arena_array(arena, 1 + n + tail, sizeof *head), arms[PROPENSITY_ARMS_MAX] = {0}, all = 0;
    size_t n_counts = totals->extents[0].count, per_arm = n_counts / n_arms;
    double *counts = arena_array(arena, n_arms * IPTW_INTERVALS, sizeof *counts);
    for (size_t i = 0; i < n_counts; i++) { /* one an arm after threshold rounds: nothing is then truncated */
        counts[i] = (double)totals_count(totals, 0, i);
        arms[i / per_arm] += counts[i];
        all += counts[i];
    }
    head[0] = IPTW_WEIGH;
    memcpy(head + 1, chain->gamma, n * sizeof *head);
    choose_cuts(head + 1 + n + TAIL_CUTS, propensity, n_arms, counts);
    for (size_t arm = 0; arm < n_arms; arm++)
        head[1 + n + TAIL_NUMERATORS + arm] = propensity->stabilised ? arms[arm] / all : 1;
    write_theta(&iteration->theta, head, 1 + n + tail, NULL);
}

enum maille_code iptw_step(const struct analysis *analysis, const struct totals *totals,
                           struct iteration *iteration, struct outcome *outcome, bool *done,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct chain chain;
    struct vector theta = {0};
    if (analysis->propensity == NULL)
        return method_find(analysis->method)
            ->weighted->step(analysis, totals, iteration, outcome, done, error);
    MAILLE_TRY(chain_of(&chain, analysis, &iteration->theta, outcome->arena, error));
    if (chain.phase == IPTW_COUNT) {
        step_count(&chain, totals, iteration, outcome->arena);
    } else if (chain.phase < IPTW_COUNT) {
        MAILLE_TRY(step_model(&chain, totals, iteration, outcome, error));
    } else {
        MAILLE_TRY(step_part(&theta, &chain, chain.own,
                             weighted_of(&chain, outcome->arena, chain.gamma, chain.tail),
                             iteration->surviving, totals, iteration, outcome, done, error));
        write_theta(&iteration->theta, iteration->theta.v, 1 + chain.n_gamma + TAIL_NUMERATORS + chain.n_arms,
                    &theta);
    }
out:
    vector_clear(&theta);
    return code;
}
