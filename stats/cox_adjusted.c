/* Standardised survival from a Cox model: for every level of a treatment the mean over the patients of what
 * the model says of each, were he in that level (the g-formula: Robins, Mathematical Modelling 1986;7:1393;
 * Makuch, J Chronic Dis 1982;35:437; ate() of R's riskRegression, survexp() of survival with `ratetable` a
 * coxph),
 *
 *     S_a(t) = 1/n Σ_i exp(−Λ0(t)·exp(x_i(a)′β)).
 *
 * In the round of the pairs θ has Λ0 at the chosen times by stratum; a site adds up one number between 0 and
 * 1 for every level and time. A level is set without a look at the row: its column's γ stands for every
 * level's (stats/design.h tallies all of them).
 *
 * Standard errors are the infinitesimal jackknife's (Ozenne et al., Biometrical Journal 2020;62:751, without
 * competing risks and censoring weights): what row i does to n·S_a(t) is
 *
 *     (S_i − S_a) + A·J_i + (B − Σ A·∫x̄dΛ0)′·n·V·ρ_i,    A = mean −S·e^η,  B = mean −S·Λ0·e^η·x(a),
 *
 * with J what it does to n·Λ0(t), δ·(ā/Σa)·c1(exit) − r·∫dΛ0/S0, an event counting (1 − f) of each tied
 * denominator, and ρ its score residual (cox_robust.c); A by stratum. S_a, A and B come out of the round of
 * the pairs; in the last round θ has, for each level and time, one coefficient a column and two tables, and
 * the sites square the rows. Products of two levels are there too: a difference has its error. */
#include <math.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/cox.h"
#include "stats/double_double.h"
#include "stats/wording.h"

/* The factor of the formula that is set. */
static size_t factor_of(const struct cox *cox)
{
    return design_set_factor(cox->design, cox->adjusted->names[0]);
}

enum maille_code cox_adjusted_check(const struct cox *cox, struct maille_error *error)
{
    const size_t f = factor_of(cox);
    const char *name = cox->adjusted->names[0];
    if (!cox->times->present)
        return wording_invalid(error, cox->analysis, "expected `times` beside `adjusted`, found none");
    if (f == DESIGN_NO_FACTOR)
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

static size_t n_levels_of(const struct cox *cox)
{
    return cox->design->factors[factor_of(cox)].n_levels;
}

/* Level × time. */
static size_t n_means(const struct cox *cox)
{
    return n_levels_of(cox) * cox->times->n;
}

size_t cox_adjusted_shown(const struct cox *cox)
{
    return cox->adjusted ? 2 * n_means(cox) + n_means(cox) - cox->times->n : 0;
}

/* Blocks of the round of the pairs are one a mean. */
enum { ERRORS_MEANS_MAX = 64 };

static bool has_errors(const struct cox *cox)
{
    return n_means(cox) <= ERRORS_MEANS_MAX;
}

/* Stratum × exit bin × status. */
static size_t n_cells(const struct cox *cox)
{
    return cox->strata.n * cox->n_bins * cox->n_status;
}

/* Of each mean in the last round: itself, a coefficient a column, two tables. */
static size_t error_size(const struct cox *cox, size_t n_columns)
{
    return 1 + n_columns + 2 * n_cells(cox);
}

size_t cox_adjusted_theta_size(const struct cox *cox, const struct fit_theta *at)
{
    if (!cox->adjusted)
        return 0;
    const size_t hazards = cox->times->n * cox->strata.n;
    const bool errors = at->stage == COX_LAST && has_errors(cox);
    return hazards + (errors ? n_means(cox) * error_size(cox, at->n_columns) : 0);
}

/* How many steps of the grid have ended by a time. */
static size_t steps_until(const struct cox *cox, size_t t)
{
    size_t k = 0;
    while (k < cox->n_bins && (double)k * cox->axis.width <= cox->times->numbers[t])
        k++;
    return k;
}

/* Λ0(t), as the columns are tallied and with the shift of θ: by time, then stratum. */
static void push_hazards(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    for (size_t t = 0; t < cox->times->n; t++)
        for (size_t s = 0; s < cox->strata.n; s++) {
            struct dd sum = {0, 0};
            for (size_t k = 0, until = steps_until(cox, t); k < until; k++)
                sum = dd_accumulate(sum, (struct dd){step->c1[s * cox->n_bins + k], 0});
            vector_push(&step->iteration->theta, sum.hi);
        }
}

/* What the round of the pairs sums for one mean: Σ S, Σ S·e^η by stratum, Σ S·Λ0·e^η·x(a) of each kept
 * column. */
struct mean_terms {
    const struct expression *survival, *slope, *met; /* S, S·e^η, S·Λ0·e^η */
};

static struct mean_terms mean_terms_of(const struct cox *cox, const struct fit_theta *at,
                                       const double *hazards, size_t level, size_t t, struct arena *arena)
{
    const struct expression *stratum = groups_code(&cox->strata, arena, NULL);
    const double *hazard = hazards + t * cox->strata.n;
    const struct expression *risk = expression_unary(
        arena, OP_EXP,
        fit_cut(arena,
                design_predictor(cox->design, arena,
                                 design_set_gamma(cox->design, at->gamma, factor_of(cox), level, arena),
                                 cox->formula->offset, at->shift)));
    const struct expression *rate = stratum == NULL
                                        ? expression_constant(arena, hazard[0])
                                        : expression_lookup(arena, hazard, cox->strata.n, stratum);
    const struct expression *met = expression_binary(arena, OP_MULTIPLY, rate, risk),
                            *survival =
                                expression_unary(arena, OP_EXP, expression_unary(arena, OP_NEGATE, met));
    return (struct mean_terms){.survival = survival,
                               .slope = expression_binary(arena, OP_MULTIPLY, survival, risk),
                               .met = expression_binary(arena, OP_MULTIPLY, survival, met)};
}

/* Σ1 and Σ S by level, then time. */
static void plan_means(const struct cox *cox, const struct fit_theta *at, const double *hazards,
                       struct arena *arena, struct tally_spec *spec)
{
    const size_t n_times = cox->times->n;
    const struct expression **terms = arena_array(arena, 1 + n_means(cox), sizeof *terms);
    terms[0] = expression_constant(arena, 1);
    for (size_t m = 0; m < n_means(cox); m++)
        terms[1 + m] = mean_terms_of(cox, at, hazards, m / n_times, m % n_times, arena).survival;
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 1);
    block->terms = terms;
    block->n_terms = 1 + n_means(cox);
}

/* By stratum and mean: S·e^η, then S·Λ0·e^η·x(a). */
static void plan_slopes(const struct cox *cox, const struct fit_theta *at, const double *hazards,
                        struct arena *arena, struct tally_spec *spec)
{
    const struct expression *stratum = groups_code(&cox->strata, arena, NULL),
                            *nothing = expression_constant(arena, 0);
    for (size_t m = 0; m < n_means(cox); m++) {
        const size_t level = m / cox->times->n;
        const struct mean_terms mean = mean_terms_of(cox, at, hazards, level, m % cox->times->n, arena);
        const struct expression **terms = arena_array(arena, 1 + at->n_columns, sizeof *terms);
        terms[0] = mean.slope;
        for (size_t j = 0; j < at->n_columns; j++) {
            const struct expression *x =
                design_set_column(cox->design, at->columns[j], factor_of(cox), level, arena);
            terms[1 + j] = x == NULL ? nothing : expression_binary(arena, OP_MULTIPLY, mean.met, x);
        }
        struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 1);
        block->group = stratum;
        block->terms = terms;
        block->n_terms = 1 + at->n_columns;
    }
}

/* What every row does to n times each mean. */
static void plan_errors(const struct cox *cox, const struct fit_theta *at, const double *hazards,
                        struct arena *arena, struct tally_spec *spec)
{
    const size_t n_times = cox->times->n, n = at->n_columns;
    const double *extra = hazards + n_times * cox->strata.n;
    const struct expression *risk = cox_risk(cox, at, arena);
    const struct expression *martingale = expression_binary(
        arena, OP_SUBTRACT, expression_number_of(arena, expression_in_level(arena, cox->status, COX_EVENT)),
        expression_binary(arena, OP_MULTIPLY, risk, cox_table_lookup(cox, at->extra, arena)));
    const struct expression *const *columns = fit_theta_terms(at, arena, cox->design, NULL);
    const struct expression **terms = arena_array(arena, n_means(cox), sizeof *terms);
    for (size_t m = 0; m < n_means(cox); m++, extra += error_size(cox, n)) {
        double *coefficients = arena_array(arena, n + 1, sizeof *coefficients);
        memcpy(coefficients, extra + 1, n * sizeof *coefficients);
        const double *tables = extra + 1 + n;
        const struct expression *survival =
            mean_terms_of(cox, at, hazards, m / n_times, m % n_times, arena).survival;
        const struct expression *term = expression_binary(
            arena, OP_ADD,
            expression_binary(arena, OP_SUBTRACT, survival, expression_constant(arena, extra[0])),
            expression_lookup(arena, tables + n_cells(cox), n_cells(cox), cox->exit_code));
        term = expression_binary(
            arena, OP_ADD, term,
            expression_binary(arena, OP_MULTIPLY, risk,
                              expression_lookup(arena, tables, n_cells(cox), cox->exit_code)));
        if (n > 0)
            term = expression_binary(arena, OP_ADD, term,
                                     expression_binary(arena, OP_MULTIPLY, martingale,
                                                       expression_linear(arena, coefficients, columns, n)));
        terms[m] = term;
    }
    cox_squares_plan(cox, terms, n_means(cox), INFINITY, arena, spec);
}

void cox_adjusted_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                       struct tally_spec *spec)
{
    if (!cox->adjusted)
        return;
    const double *hazards = at->extra + at->n_extra - cox_adjusted_theta_size(cox, at);
    plan_means(cox, at, hazards, arena, spec);
    if (!has_errors(cox))
        return;
    if (at->stage == COX_LAST)
        plan_errors(cox, at, hazards, arena, spec);
    else
        plan_slopes(cox, at, hazards, arena, spec);
}

/* One mean's part of θ in the last round: read from the blocks of the round of the pairs. all: Σa. */
static void push_error(struct cox_step *step, const struct normal *normal, size_t m, size_t means, f128 all)
{
    const struct cox *cox = &step->cox;
    const size_t n = step->at.n_columns, bins = cox->n_bins, until = steps_until(cox, m % cox->times->n),
                 block = means + 1 + m;
    f128 *gradient = arena_array(step->arena, n + 1, sizeof *gradient),
         *slope = arena_array(step->arena, cox->strata.n, sizeof *slope);
    for (size_t s = 0; s < cox->strata.n; s++) {
        slope[s] = -totals_quad(step->totals, block, s * (1 + n)) / all;
        for (size_t j = 0; j < n; j++) {
            gradient[j] -= totals_quad(step->totals, block, s * (1 + n) + 1 + j) / all;
            for (size_t k = 0; k < until; k++)
                gradient[j] -= slope[s] * (f128)step->d1[(s * bins + k) * n + j];
        }
    }
    f128 *along = fit_influence(step->arena, &step->fit, &step->at, normal, gradient);
    double *part = vector_grow(&step->iteration->theta, error_size(cox, n));
    part[0] = (double)(totals_quad(step->totals, means, 1 + m) / all);
    for (size_t j = 0; j < n; j++)
        part[1 + j] = (double)(along[j] *= all);
    double *of_risk = part + 1 + n, *own = of_risk + n_cells(cox);
    for (size_t s = 0; s < cox->strata.n; s++) {
        f128 met = 0, *drift = arena_array(step->arena, n + 1, sizeof *drift);
        for (size_t k = 0; k < bins; k++) {
            const size_t cell = s * bins + k, at = cox->n_status * cell;
            f128 score = 0, event_score = 0, x = 0;
            if (k < until)
                met += (f128)step->h1[cell];
            for (size_t j = 0; j < n; j++) {
                drift[j] += (f128)step->d1[cell * n + j];
                score += along[j] * drift[j];
                event_score += along[j] * (f128)step->d2[cell * n + j];
                x += along[j] * (f128)step->covariate[cell * n + j];
            }
            const f128 weight = (f128)step->ties[cell] * (f128)step->mean[cell], by = slope[s] * all;
            of_risk[at + COX_CENSORED] = (double)(score - by * met);
            of_risk[at + COX_EVENT] =
                (double)(score - event_score - by * (met - (k < until ? (f128)step->h2[cell] : 0)));
            own[at + COX_CENSORED] = 0;
            own[at + COX_EVENT] =
                (double)((k < until && weight > 0 ? by * (f128)step->c1[cell] / weight : 0) - x);
        }
    }
}

void cox_adjusted_theta(struct cox_step *step, unsigned stage, const struct normal *normal)
{
    const struct cox *cox = &step->cox;
    if (!cox->adjusted)
        return;
    push_hazards(step);
    if (stage != COX_LAST || !has_errors(cox))
        return;
    const size_t means = step->totals->spec->n_blocks - n_means(cox) - 1;
    const f128 all = totals_quad(step->totals, means, 0);
    for (size_t m = 0; m < n_means(cox); m++)
        push_error(step, normal, m, means, all);
}

/* What is written of each mean. */
struct written {
    double estimate, std_error;
};

/* Every level less the first that somebody has. covariance: of the sums, or NULL. */
static void report_differences(const struct cox_step *step, const struct groups *levels, const bool *used,
                               const struct written *written, const f128 *covariance, f128 all, double z,
                               struct result *result)
{
    static const char *const names[] = {"time",           "difference",      "difference_se",
                                        "difference_low", "difference_high", "difference_p_value"};
    const struct cox *cox = &step->cox;
    const size_t n = n_means(cox), n_times = cox->times->n;
    struct result *list = result_add_list(result, "adjusted_differences");
    size_t reference = 0;
    while (reference < levels->n && !used[reference])
        reference++;
    for (size_t level = reference + 1; level < levels->n; level++) {
        if (!used[level])
            continue;
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "stratum", groups_stratum(levels, step->arena, level));
        result_add_string(row, "reference", groups_stratum(levels, step->arena, reference));
        struct result *lists[sizeof names / sizeof *names];
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            lists[i] = result_add_list(row, names[i]);
        for (size_t t = 0; t < n_times; t++) {
            const size_t a = level * n_times + t, b = reference * n_times + t;
            double error = NAN;
            if (covariance != NULL)
                error = sqrt(fmax(
                    (double)((covariance[a * n + a] + covariance[b * n + b] - 2 * covariance[a * n + b]) /
                             (all * all)),
                    0));
            const double difference = written[a].estimate - written[b].estimate;
            if (isnan(difference))
                error = NAN;
            const double values[] = {cox->times->numbers[t],
                                     difference,
                                     error,
                                     difference - z * error,
                                     difference + z * error,
                                     error > 0 ? 2 * pnorm5(-fabs(difference / error), 0, 1, 1, 0) : NAN};
            for (size_t i = 0; i < sizeof values / sizeof *values; i++)
                result_add_number(lists[i], NULL, values[i]);
        }
    }
}

void cox_adjusted_report(const struct cox_step *step, size_t block, struct result *result)
{
    const struct cox *cox = &step->cox;
    if (!cox->adjusted || block >= step->totals->spec->n_blocks)
        return;
    const size_t f = factor_of(cox), n_levels = n_levels_of(cox), n_times = cox->times->n, n = n_means(cox);
    const double z = -arithmetic_normal_quantile((1 - cox->analysis->conf_level) / 2);
    struct groups levels;
    groups_init(&levels);
    levels.n_parts = 1;
    levels.parts[0] = cox->design->factors[f].code;
    levels.names[0] = cox->adjusted->names[0];
    levels.n = n_levels;
    const f128 all = totals_quad(step->totals, block, 0),
               *covariance = has_errors(cox) ? cox_squares_read(step, block + 1, n) : NULL;
    const double end = step->own[COX_END] * cox->axis.width;
    bool *used = arena_array(step->arena, n_levels, sizeof *used);
    struct written *written = arena_array(step->arena, n, sizeof *written);
    for (size_t t = 0; t < n_times; t++)
        if (!(cox->times->numbers[t] <= end))
            wording_warn(step->outcome,
                         "time %.10g is later than the follow-up%s: there is no standardised survival then",
                         cox->times->numbers[t], cox->strata.n > 1 ? " of a stratum" : "");
    if (covariance == NULL)
        wording_warn(step->outcome,
                     "standardised survival has errors for at most %d levels times `times`: ask for fewer",
                     ERRORS_MEANS_MAX);
    struct result *list = result_add_list(result, "adjusted");
    for (size_t level = 0; level < n_levels; level++) {
        used[level] = design_set_used(cox->design, step->fit.sum, f, level);
        if (!used[level])
            continue;
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "stratum", groups_stratum(&levels, step->arena, level));
        struct result *time = result_add_list(row, "time"), *estimate = result_add_list(row, "estimate"),
                      *error = result_add_list(row, "std_error"), *low = result_add_list(row, "conf_low"),
                      *high = result_add_list(row, "conf_high");
        for (size_t t = 0; t < n_times; t++) {
            const size_t m = level * n_times + t;
            bool followed = cox->times->numbers[t] <= end;
            double se =
                covariance != NULL ? sqrt(fmax((double)(covariance[m * n + m] / (all * all)), 0)) : NAN;
            written[m] = (struct written){
                .estimate = followed ? (double)(totals_quad(step->totals, block, 1 + m) / all) : NAN,
                .std_error = followed ? se : NAN};
            const struct written at = written[m];
            result_add_number(time, NULL, cox->times->numbers[t]);
            result_add_number(estimate, NULL, at.estimate);
            result_add_number(error, NULL, at.std_error);
            result_add_number(low, NULL, isnan(at.std_error) ? NAN : fmax(at.estimate - z * at.std_error, 0));
            result_add_number(high, NULL,
                              isnan(at.std_error) ? NAN : fmin(at.estimate + z * at.std_error, 1));
        }
    }
    report_differences(step, &levels, used, written, covariance, all, z, result);
}
