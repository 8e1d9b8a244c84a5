/* Standardised survival from a Cox model: for every level of a treatment the mean over the patients of what
 * the model says of each, were he in that level (the g-formula: Robins, Mathematical Modelling 1986;7:1393;
 * Makuch, J Chronic Dis 1982;35:437; ate() of R's riskRegression, survexp() of survival with `ratetable` a
 * coxph),
 *
 *     S_a(t) = 1/n Σ_i exp(−Λ0(t)·exp(x_i(a)′β)).
 *
 * In the last round θ has Λ0 at the chosen times by stratum; a site adds up one number between 0 and 1 for
 * every level and time. A level is set without a look at the row: its column's γ stands for every level's
 * (stats/design.h tallies all of them). There is no standard error: it would need what every row does to β
 * and Λ0. */
#include <math.h>
#include <string.h>

#include "stats/cox.h"
#include "stats/double_double.h"
#include "stats/wording.h"

/* The factor of the formula that is set. */
static size_t factor_of(const struct cox *cox)
{
    size_t f = 0;
    while (f < cox->formula->n_factors &&
           strcmp(cox->formula->factors[f].label, cox->adjusted->names[0]) != 0)
        f++;
    return f;
}

static bool is_main_effect(const struct cox *cox, size_t factor)
{
    for (size_t t = 0; t < cox->formula->n_terms; t++)
        if (cox->formula->terms[t].factors == (uint64_t)1 << factor)
            return true;
    return false;
}

enum maille_code cox_adjusted_check(const struct cox *cox, struct maille_error *error)
{
    const size_t f = factor_of(cox);
    const char *name = cox->adjusted->names[0];
    if (!cox->times->present)
        return wording_invalid(error, cox->analysis, "expected `times` beside `adjusted`, found none");
    if (f == cox->formula->n_factors || cox->design->factors[f].n_levels < 2 || !is_main_effect(cox, f))
        return wording_invalid(
            error, cox->analysis,
            "expected `adjusted` to be a category or a boolean among the terms of the formula, "
            "found `%s`",
            name);
    if (cox->design->factors[f].n_levels > COX_ADJUSTED_LEVELS_MAX)
        return wording_invalid(error, cox->analysis,
                               "expected `adjusted` to have at most %d levels, found %u in `%s`",
                               COX_ADJUSTED_LEVELS_MAX, (unsigned)cox->design->factors[f].n_levels, name);
    if (cox->formula->start != NULL || cox->formula->strata_site)
        return wording_invalid(
            error, cox->analysis,
            "expected neither delayed entry nor strata(site) with `adjusted`: it is a mean over "
            "patients with one row each, by a hazard that all sites share");
    return MAILLE_OK;
}

size_t cox_adjusted_theta_size(const struct cox *cox)
{
    return cox->adjusted ? cox->times->n * cox->strata.n : 0;
}

/* Λ0(t), as the columns are tallied and with the shift of θ: by time, then stratum. */
void cox_adjusted_theta(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    for (size_t t = 0; cox->adjusted && t < cox->times->n; t++)
        for (size_t s = 0; s < cox->strata.n; s++) {
            struct dd sum = {0, 0};
            for (size_t k = 0; k < cox->n_bins && (double)k * cox->axis.width <= cox->times->numbers[t]; k++)
                sum = dd_accumulate(sum, (struct dd){step->c1[s * cox->n_bins + k], 0});
            vector_push(&step->iteration->theta, sum.hi);
        }
}

/* Does column b stand for level `level` of the factor where a stands for another, all else being equal? */
static bool stands_for(const struct design *design, size_t a, size_t b, size_t factor, size_t level)
{
    const struct design_column *x = &design->columns[a], *y = &design->columns[b];
    if (x->formula_term != y->formula_term || x->numeric != y->numeric || y->levels[factor] != level)
        return false;
    for (size_t f = 0; f < design->formula->n_factors; f++)
        if (f != factor && x->levels[f] != y->levels[f])
            return false;
    return true;
}

/* γ with which everybody is in this level. Of several columns of one term and the same levels (a spline's
 * basis) the i-th stands for the i-th. */
static const double *gamma_of(const struct cox *cox, const double *gamma, size_t factor, size_t level,
                              struct arena *arena)
{
    const struct design *design = cox->design;
    double *set = arena_array(arena, design->n_columns, sizeof *set);
    for (size_t a = 0; a < design->n_columns; a++) {
        set[a] = gamma[a];
        if (design->columns[a].levels == NULL || design->columns[a].levels[factor] == DESIGN_ABSENT)
            continue;
        size_t place = 0, at = 0;
        for (size_t b = 0; b < a; b++)
            place += stands_for(design, a, b, factor, design->columns[a].levels[factor]);
        for (size_t b = 0; b < design->n_columns; b++)
            if (stands_for(design, a, b, factor, level) && at++ == place)
                set[a] = gamma[b];
    }
    return set;
}

/* By level, then time; Σ1 before them. */
void cox_adjusted_plan(const struct cox *cox, const struct fit_theta *at, const double *extra,
                       struct arena *arena, struct tally_spec *spec)
{
    if (!cox->adjusted)
        return;
    const size_t f = factor_of(cox), n_levels = cox->design->factors[f].n_levels, n_times = cox->times->n;
    const struct expression **terms = arena_array(arena, 1 + n_levels * n_times, sizeof *terms);
    const struct expression *stratum = groups_code(&cox->strata, arena, NULL);
    terms[0] = expression_constant(arena, 1);
    for (size_t level = 0; level < n_levels; level++) {
        const struct expression *risk =
            expression_unary(arena, OP_EXP,
                             design_predictor(cox->design, arena, gamma_of(cox, at->gamma, f, level, arena),
                                              cox->formula->offset, at->shift));
        for (size_t t = 0; t < n_times; t++) {
            const double *hazard = extra + t * cox->strata.n;
            const struct expression *met = stratum == NULL
                                               ? expression_constant(arena, hazard[0])
                                               : expression_lookup(arena, hazard, cox->strata.n, stratum);
            terms[1 + level * n_times + t] = expression_unary(
                arena, OP_EXP,
                expression_unary(arena, OP_NEGATE, expression_binary(arena, OP_MULTIPLY, met, risk)));
        }
    }
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 1);
    block->terms = terms;
    block->n_terms = 1 + n_levels * n_times;
}

/* Has anybody this level? */
static bool is_used(const struct cox_step *step, size_t factor, size_t level)
{
    const struct design *design = step->cox.design;
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        bool alone = !column->numeric && column->levels != NULL && column->levels[factor] == level;
        for (size_t f = 0; alone && f < design->formula->n_factors; f++)
            alone = f == factor || column->levels[f] == DESIGN_ABSENT;
        if (alone)
            return step->fit.sum[j] > 0.5;
    }
    return true;
}

void cox_adjusted_report(const struct cox_step *step, size_t block, struct result *result)
{
    const struct cox *cox = &step->cox;
    if (!cox->adjusted || block >= step->totals->spec->n_blocks)
        return;
    const size_t f = factor_of(cox), n_levels = cox->design->factors[f].n_levels, n_times = cox->times->n;
    struct groups levels;
    groups_init(&levels);
    levels.n_parts = 1;
    levels.parts[0] = cox->design->factors[f].code;
    levels.names[0] = cox->adjusted->names[0];
    levels.n = n_levels;
    f128 all = totals_quad(step->totals, block, 0);
    const double end = step->own[COX_END] * cox->axis.width;
    for (size_t t = 0; t < n_times; t++)
        if (!(cox->times->numbers[t] <= end))
            wording_warn(step->outcome,
                         "time %.10g is later than the follow-up%s: there is no standardised survival then",
                         cox->times->numbers[t], cox->strata.n > 1 ? " of a stratum" : "");
    struct result *list = result_add_list(result, "adjusted");
    for (size_t level = 0; level < n_levels; level++) {
        if (!is_used(step, f, level))
            continue;
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "stratum", groups_stratum(&levels, step->arena, level));
        struct result *time = result_add_list(row, "time"), *estimate = result_add_list(row, "estimate");
        for (size_t t = 0; t < n_times; t++) {
            result_add_number(time, NULL, cox->times->numbers[t]);
            bool followed = cox->times->numbers[t] <= end;
            result_add_number(
                estimate, NULL,
                followed ? (double)(totals_quad(step->totals, block, 1 + level * n_times + t) / all) : NAN);
        }
    }
}
