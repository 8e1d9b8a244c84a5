/* Cox's model over risk sets that span the sites, in two small rounds a Newton step (docs/methods/cox.md).
 *
 * (a) With r = exp(x′β − c): Σr and Σr·x per stratum × exit bin × event, and × entry bin. From these the risk
 * set sums S0, S1 of every event time are differences of suffix sums, which gives log likelihood and score.
 * (b) Σ_t d·S2/S0 = Σ_i r_i·Λ(t_i)·x_i·x_i′, so the information needs no second moments per time: one order-2
 * tally whose weight is r·[C1(exit) − C1(entry) − event·c2(exit)], less Σ of the products of mean covariates,
 * which is known from (a). Efron's f = l/d: c1 = Σ 1/(S0 − f·E0), c2 = Σ f/(S0 − f·E0), E over the tied
 * events (Therneau and Grambsch, 2000, §3.3). */
#include <math.h>
#include <string.h>

#include "stats/cox.h"

const struct expression *cox_risk(const struct cox *cox, const struct fit_theta *at, struct arena *arena)
{
    return expression_unary(
        arena, OP_EXP,
        fit_cut(arena, design_predictor(cox->design, arena, at->gamma, cox->formula->offset, at->shift)));
}

double cox_predictor_max(const struct cox *cox)
{
    return fit_predictor_max((cox->robust && cox->weights != NULL) || cox->adjusted != NULL);
}

const struct expression *cox_weighted(const struct cox *cox, struct arena *arena, const struct expression *x)
{
    if (!cox->weights || !x)
        return x ? x : cox->weights;
    return expression_binary(arena, OP_MULTIPLY, cox->weights, x);
}

static void add_evaluation(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                           struct tally_spec *spec)
{
    const struct expression *r = cox_weighted(cox, arena, cox_risk(cox, at, arena));
    const struct expression *const *terms =
        fit_theta_terms(at, arena, cox->design, cox->design->columns[0].term);
    const struct expression *const groups[] = {cox->sum_code, cox->entry_code};
    const struct guard *const guards[] = {cox->guards.sums, cox->guards.entries};
    for (int i = 0; i < (cox->entry_code ? 2 : 1); i++) {
        struct tally_block *block = fit_block(spec, guards[i], cox->survival.filter, r, 1);
        block->group = groups[i];
        block->terms = terms;
        block->n_terms = at->n_columns + 1;
    }
}

size_t cox_table_size(const struct cox *cox)
{
    return cox->strata.n * cox->n_bins * (cox->n_status + (cox->entry_code ? 1 : 0));
}

const struct expression *cox_table_lookup(const struct cox *cox, const double *tables, struct arena *arena)
{
    size_t times = cox->strata.n * cox->n_bins, exits = times * cox->n_status;
    const struct expression *met = expression_lookup(arena, tables, exits, cox->exit_code);
    if (!cox->entry_code)
        return met;
    return expression_binary(arena, OP_SUBTRACT, met,
                             expression_lookup(arena, tables + exits, times, cox->entry_code));
}

void cox_tables_push(const struct cox_step *step, struct cox_steps c1, struct cox_steps c2, const double *g,
                     int power)
{
    const struct cox *cox = &step->cox;
    size_t bins = cox->n_bins, n_status = cox->n_status, exits_n = cox->strata.n * bins * n_status;
    double *exits = vector_grow(&step->iteration->theta, cox_table_size(cox));
    for (size_t s = 0; s < cox->strata.n; s++) {
        f128 sum = 0, after = 0;
        for (size_t k = 0; k < bins; k++) {
            size_t cell = s * bins + k;
            f128 factor = 1;
            for (int i = 0; i < power; i++)
                factor *= (f128)g[k];
            sum += factor * (f128)c1.v[cell * c1.stride];
            exits[n_status * cell + COX_CENSORED] = (double)sum;
            exits[n_status * cell + COX_EVENT] = (double)(sum - factor * (f128)c2.v[cell * c2.stride]);
            if (cox->entry_code)
                exits[exits_n + cell] = (double)sum;
        }
        for (size_t k = bins; n_status > COX_OTHER && k-- > 0;) {
            size_t cell = s * bins + k;
            f128 still = (f128)step->uncensored[cell];
            double *other = &exits[n_status * cell + COX_OTHER];
            *other = exits[n_status * cell + COX_CENSORED] + (still > 0 ? (double)(after / still) : 0);
            after += still * (f128)c1.v[cell * c1.stride];
        }
    }
}

/* What θ carries beyond the common part: the tables of (b), then what concordance asks for, in the last round
 * behind zph and robust errors. */
static size_t theta_size(const struct cox *cox, const struct fit_theta *at)
{
    if (at->stage == COX_ROUND_1 || at->stage == COX_EVALUATE)
        return 0;
    size_t size = cox_table_size(cox) + cox_concordance_theta_size(cox, at->stage);
    if (at->stage == COX_LAST)
        size += cox_zph_theta_size(cox) + (cox->robust ? cox_robust_theta_size(cox, at) : 0);
    if (at->stage > COX_CURVATURE)
        size += cox_adjusted_theta_size(cox, at);
    return size;
}

/* Is there a round between the iteration and the last? */
static bool has_pairs(const struct cox *cox)
{
    return cox->adjusted || cox_concordance_pooled(cox);
}

static bool has_last(const struct cox *cox)
{
    return cox->zph || cox->robust || cox->adjusted || cox_concordance_pooled(cox);
}

static enum maille_code add_more(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                                 struct tally_spec *spec, struct maille_error *error)
{
    const double *extra = at->extra + cox_table_size(cox);
    if (at->stage == COX_LAST) {
        cox_zph_plan(cox, at, extra, arena, spec);
        extra += cox_zph_theta_size(cox);
    }
    if (at->stage == COX_LAST && cox->robust) {
        cox_robust_plan(cox, at, extra, arena, spec);
        extra += cox_robust_theta_size(cox, at);
    }
    enum maille_code code = MAILLE_OK;
    if (cox_concordance_pooled(cox))
        MAILLE_TRY(cox_concordance_plan(cox, at, extra, arena, spec, error));
    if (at->stage > COX_CURVATURE)
        cox_adjusted_plan(cox, at, arena, spec);
out:
    return code;
}

enum maille_code cox_pooled_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                                 struct tally_spec *spec, struct maille_error *error)
{
    if (at->stage > (has_last(cox) ? COX_LAST : COX_CURVATURE) || at->n_extra != theta_size(cox, at) ||
        (at->stage == COX_PAIRS && !has_pairs(cox)))
        return maille_fail(error, MAILLE_INVALID, "expected the parameters of a Cox round, found others");
    if (at->stage == COX_ROUND_1 || at->stage == COX_EVALUATE) {
        add_evaluation(cox, at, arena, spec);
        return MAILLE_OK;
    }
    const struct expression *met = cox_table_lookup(cox, at->extra, arena);
    const struct expression *weight =
        expression_binary(arena, OP_MULTIPLY, cox_weighted(cox, arena, cox_risk(cox, at, arena)), met);
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, weight, 2);
    block->terms = fit_theta_terms(at, arena, cox->design, NULL);
    block->n_terms = at->n_columns;
    return add_more(cox, at, arena, spec, error);
}

/* --- step --- */

/* The θ of (b), that is, its common part and tables, becomes that of another stage: more stands behind it.
 * normal: of the round that was stepped; NULL before the first of these stages. */
static void begin_stage(struct cox_step *step, unsigned stage, const struct normal *normal)
{
    fit_theta_set_stage(&step->iteration->theta, stage);
    if (stage == COX_LAST) {
        cox_zph_theta(step);
        if (step->cox.robust)
            cox_robust_theta(step);
    }
    if (cox_concordance_pooled(&step->cox))
        cox_concordance_theta(step, stage);
    if (stage > COX_CURVATURE)
        cox_adjusted_theta(step, stage, normal);
}

/* The first stage behind the iteration. */
static unsigned first_behind(const struct cox *cox)
{
    return has_pairs(cox) ? COX_PAIRS : COX_LAST;
}

/* Will the step after this (a) be below the tolerance? Newton's steps shrink by their squares: s(k+1) =
 * c·s(k)², with c from the two before. Then (b) may be the round of the next stage at once; where it was
 * wrong the iteration goes on. */
static bool foresees_end(const struct cox_step *step)
{
    double last = step->own[COX_STEP], before = step->own[COX_STEP_BEFORE];
    return last > 0 && last < before && last * (last / before) * (last / before) < 0.01 * FIT_TOLERANCE;
}

/* After (a): a shorter step, or (b). */
static enum maille_code step_evaluation(struct cox_step *step, bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct vector *theta = &step->iteration->theta;
    struct vector next_theta = {0};
    struct fit_theta next;
    double loglik = 0;
    bool accepted = false;
    fit_theta_write(&step->fit, &next_theta, COX_CURVATURE);
    MAILLE_TRY(fit_theta_read(&next, step->arena, &step->cox.design, true, &next_theta, error));
    MAILLE_TRY(cox_evaluate(step, &next, &loglik, error));
    MAILLE_TRY(cox_accept(step, loglik, &accepted, error));
    if (!accepted) {
        step->own[COX_STEP] = step->own[COX_STEP_BEFORE] = 0;
        fit_theta_write(&step->fit, theta, COX_EVALUATE);
        goto out;
    }
    if (next.n_columns == 0) { /* ~ 1: nothing to estimate */
        struct normal normal;
        struct fit_tally none = {.theta = &next};
        MAILLE_TRY(fit_normal(&normal, step->arena, &step->fit, &none, error));
        cox_report(step, &normal, NULL, step->totals->spec->n_blocks);
        *done = true;
        goto out;
    }
    /* c must be the one that c1 and c2 were made with: in round 1 that is 0. */
    vector_truncate(theta, 0);
    memcpy(vector_grow(theta, next_theta.n), next_theta.v, next_theta.n * sizeof *theta->v);
    fit_theta_set_shift(theta, step->at.shift);
    cox_tables_push(step, (struct cox_steps){step->c1, 1}, (struct cox_steps){step->c2, 1}, NULL, 0);
    bool ends = has_last(&step->cox) && next.n_columns == step->at.n_columns && foresees_end(step);
    begin_stage(step, ends ? first_behind(&step->cox) : COX_CURVATURE, NULL);
out:
    vector_clear(&next_theta);
    return code;
}

/* After (b): the end, the next stage, or the next β. */
static enum maille_code step_curvature(struct cox_step *step, bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = step->at.n_columns;
    f128 *moments = cox_read_matrix(step, 0, 0, n), *information = cox_read_matrix(step, 0, 0, n);
    f128 *score = arena_array(step->arena, n + 1, sizeof *score);
    double *raw = arena_array(step->arena, n + 1, sizeof *raw);
    struct normal normal;
    struct fit_tally tally = {.theta = &step->at,
                              .score = score,
                              .information = information,
                              .raw = raw,
                              .rounding =
                                  step->fit.scalars[FIT_ROWS] * ldexp(1, -step->totals->extents[0].fraction)};
    for (size_t i = 0; i < n; i++) {
        raw[i] = (double)information[i * n + i];
        score[i] = cox_load(step->score + 2 * i);
    }
    for (size_t i = 0; i < n * n; i++)
        information[i] -= cox_load(step->products + 2 * i);
    MAILLE_TRY(fit_normal(&normal, step->arena, &step->fit, &tally, error));
    if (step->fit.scalars[FIT_STEPS] == 0)
        step->own[COX_SCORE_TEST] = (double)linear_inverse_form(&normal.factor, step->arena, normal.score);
    const double size = fit_step_size(&normal, 1);
    const bool settled = size < FIT_TOLERANCE, last = step->at.stage == COX_LAST;
    if (settled && (last || !has_last(&step->cox))) {
        size_t block = last ? 1 + cox_zph_blocks(&step->cox) : step->totals->spec->n_blocks;
        const f128 *robust = NULL;
        if (step->cox.robust)
            MAILLE_TRY(cox_robust_variance(&robust, step, &normal, block++, error));
        cox_report(step, &normal, robust, block);
        *done = true;
        goto out;
    }
    if (step->at.stage == COX_CURVATURE && cox_concordance_pooled(&step->cox))
        cox_concordance_read_cuts(step, 1);
    if (settled) {
        bool pairs = step->at.stage == COX_PAIRS;
        if (pairs && cox_concordance_pooled(&step->cox))
            cox_concordance_read_pairs(step, 1);
        vector_truncate(&step->iteration->theta,
                        step->iteration->theta.n - step->at.n_extra + cox_table_size(&step->cox));
        begin_stage(step, pairs ? COX_LAST : first_behind(&step->cox), &normal);
        goto out;
    }
    MAILLE_TRY(fit_check_divergence(&step->fit, &normal, error));
    const double most = cox_predictor_max(&step->cox);
    if (!fit_take_bounded_step(&step->fit, &normal, most, step->arena, step->cox.formula->offset)) {
        code = fit_fail_bounds(&step->fit, &normal, most, error);
        goto out;
    }
    cox_concordance_spread(step, moments);
    step->own[COX_STEP_BEFORE] = step->own[COX_STEP];
    step->own[COX_STEP] = size;
    fit_theta_write(&step->fit, &step->iteration->theta, COX_EVALUATE);
out:
    return code;
}

enum maille_code cox_pooled_step(struct cox_step *step, bool *done, struct maille_error *error)
{
    if (step->at.stage == COX_ROUND_1 || step->at.stage == COX_EVALUATE)
        return step_evaluation(step, done, error);
    return step_curvature(step, done, error);
}
