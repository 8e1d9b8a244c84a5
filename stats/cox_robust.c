/* Robust covariance of a Cox model: V·B·V, B = Σ a²·ρρ′ over rows, or Σ (Σ a·ρ)(Σ a·ρ)′ over clusters (Lin
 * and Wei, JASA 1989;84:1074; Barlow, Biometrics 1994;50:1064; coxscore2.c and agscore3.c of R's survival
 * package).
 *
 * A row's score residual is δ·(x − x̄(exit)) − r·Σ_t (x − m(t))·dΛ(t) over the times at which it is at risk,
 * an event counting (1 − f) of each tied denominator. With H the table of the information (what the row meets
 * of the hazard) and D the same of dΛ·m, it is
 *
 *     ρ = x·(δ − r·H) + r·D − δ·x̄(exit),
 *
 * tables and products of expressions that are there already. Efron's shares: dΛ = ā/(S0 − f·E0) per tied
 * event, m = (S1 − f·E1)/(S0 − f·E0). Where causes compete, ρ is the sum over all rows that finegray() would
 * make of a patient. */
#include "stats/cox.h"

#include <math.h>

/* θ per kept column: the tables of D, then x̄ by stratum × exit bin × status. */
static size_t column_size(const struct cox *cox)
{
    return cox_table_size(cox) + cox->strata.n * cox->n_bins * cox->n_status;
}

size_t cox_robust_theta_size(const struct cox *cox, const struct fit_theta *at)
{
    return at->n_columns * column_size(cox);
}

void cox_robust_theta(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    size_t n = step->at.n_columns, times = cox->strata.n * cox->n_bins;
    for (size_t j = 0; j < n; j++) {
        cox_tables_push(step, (struct cox_steps){step->d1 + j, n}, (struct cox_steps){step->d2 + j, n}, NULL,
                        0);
        double *covariate = vector_grow(&step->iteration->theta, times * cox->n_status);
        for (size_t cell = 0; cell < times; cell++)
            covariate[cell * cox->n_status + COX_EVENT] = step->covariate[cell * n + j];
    }
}

/* A row that met the hazard of 2^20 events would have a chance of e^(−2^20) to be there without one. */
static const double met_max = 0x1p20;

/* r·H, or r·D: what a row meets of the hazard. Of each event r/(S0 − f·E0) ≤ 1, so without weights it is no
 * more than there are events, whatever the bounds of r are; its square keeps its digits so. */
static const struct expression *met_by(const struct cox *cox, const struct expression *risk,
                                       const double *tables, struct arena *arena)
{
    const struct expression *met =
        expression_binary(arena, OP_MULTIPLY, risk, cox_table_lookup(cox, tables, arena));
    if (cox->weights != NULL)
        return met;
    if (met->high > met_max)
        met = expression_binary(arena, OP_MIN, met, expression_constant(arena, met_max));
    if (met->low < -met_max)
        met = expression_binary(arena, OP_MAX, met, expression_constant(arena, -met_max));
    return met;
}

/* ρ of every kept column. */
static const struct expression *const *residuals(const struct cox *cox, const struct fit_theta *at,
                                                 const double *extra, struct arena *arena)
{
    size_t exits = cox->strata.n * cox->n_bins * cox->n_status;
    const struct expression **terms = arena_array(arena, at->n_columns + 1, sizeof *terms);
    const struct expression *risk = cox_risk(cox, at, arena);
    const struct expression *martingale = expression_binary(
        arena, OP_SUBTRACT, expression_number_of(arena, expression_in_level(arena, cox->status, COX_EVENT)),
        met_by(cox, risk, at->extra, arena));
    for (size_t j = 0; j < at->n_columns; j++) {
        const struct expression *x = cox->design->columns[at->columns[j]].term;
        const double *tables = extra + j * column_size(cox);
        const struct expression *expected = met_by(cox, risk, tables, arena);
        const struct expression *own =
            expression_lookup(arena, tables + cox_table_size(cox), exits, cox->exit_code);
        terms[j] = expression_binary(arena, OP_ADD, expression_binary(arena, OP_MULTIPLY, x, martingale),
                                     expression_binary(arena, OP_SUBTRACT, expected, own));
    }
    return terms;
}

/* Every site squares its own sum, or those of its patients; only the sum of the squares over sites can be
 * read. */
static void add_square(const struct cox *cox, const struct expression *const *terms, size_t n, double total,
                       struct arena *arena, struct tally_spec *spec)
{
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 2);
    double most = 0, weight = cox->weights ? cox->weights->high : 1;
    for (size_t j = 0; j < n; j++)
        most = fmax(most, fmax(fabs(terms[j]->low), fabs(terms[j]->high)));
    block->kind = TALLY_RISKSET;
    block->riskset = cox->formula->cluster_site ? RISKSET_SQUARE : RISKSET_SQUARE_PATIENTS;
    block->eta = expression_constant(arena, 0);
    block->terms = terms;
    block->n_terms = n;
    /* Of n rows of a site (n·most·weight)² ≤ n·2^28·(most·weight)², and the squares of parts add up to less.
     */
    block->bound = fmax(fmin(ldexp(most * most * weight * weight, TALLY_SITE_MAX_LOG2),
                             ldexp(total * total, -TALLY_N_MAX_LOG2)),
                        1);
}

void cox_squares_plan(const struct cox *cox, const struct expression *const *terms, size_t n, double total,
                      struct arena *arena, struct tally_spec *spec)
{
    const struct expression *weight = cox->weights;
    if (cox->formula->cluster_site || cox->formula->cluster_patient) {
        add_square(cox, terms, n, total, arena, spec);
        return;
    }
    if (!cox->cluster && weight)
        weight = expression_binary(arena, OP_MULTIPLY, weight, weight);
    struct tally_block *block =
        fit_block(spec, &guard_cohort, cox->survival.filter, weight, cox->cluster ? 1 : 2);
    block->group = cox->cluster;
    block->terms = terms;
    block->n_terms = n;
}

void cox_robust_plan(const struct cox *cox, const struct fit_theta *at, const double *extra,
                     struct arena *arena, struct tally_spec *spec)
{
    double x = 0, weight = cox->weights ? fmax(cox->weights->high, 1) : 1;
    for (size_t j = 0; j < at->n_columns; j++) {
        const struct expression *column = cox->design->columns[at->columns[j]].term;
        x = fmax(x, fmax(fabs(column->low), fabs(column->high)));
    }
    /* All rows together meet as much of the hazard as there are events, twice as much with its sign left out;
     * so do x·(δ − r·H) and r·D − δ·x̄ with |x| times that, and rounded tables leave room for as much again.
     */
    const double total = ldexp(8 * x * weight, TALLY_N_MAX_LOG2);
    cox_squares_plan(cox, residuals(cox, at, extra, arena), at->n_columns, total, arena, spec);
}

f128 *cox_squares_read(const struct cox_step *step, size_t block, size_t n)
{
    if (!step->cox.cluster)
        return cox_read_matrix(step, block, 0, n);
    f128 *square = arena_array(step->arena, n * n + 1, sizeof *square);
    for (size_t level = 0; level < step->cox.cluster->n_levels; level++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                square[i * n + j] += totals_quad(step->totals, block, level * n + i) *
                                     totals_quad(step->totals, block, level * n + j);
    return square;
}

enum maille_code cox_robust_variance(const f128 **variance, const struct cox_step *step,
                                     const struct normal *normal, size_t block, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = step->at.n_columns;
    const f128 *middle = cox_squares_read(step, block, n);
    if (!step->cox.cluster) /* of levels sums are squared, not summed squares */
        MAILLE_TRY(fit_check_middle(middle, n, step->fit.scalars[FIT_ROWS],
                                    step->totals->extents[block].fraction, error));
    *variance = fit_sandwich(step->arena, &step->fit, &step->at, normal, middle);
out:
    return code;
}
