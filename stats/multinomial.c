/* A multinomial logit by Newton's method, a round a step (stats/multinomial.h). */
#include "stats/multinomial.h"

#include <math.h>
#include <string.h>

#include "stats/wording.h"

/* Newton needs far fewer; an estimate that still moves after so many runs to infinity. */
enum { STEPS_MAX = 25 };

/* Blocks of round 1; of the others: the log likelihood, the scores by arm, the information by pairs of arms.
 */
enum { BLOCK_MISSING, BLOCK_COLUMNS };
enum { BLOCK_LOGLIK, BLOCK_SCORES };

struct model {
    const struct formula *formula;
    const struct expression *arm;
    const struct design *design;
    struct cohort_rows cohort;
    size_t n_arms, n; /* n: columns of the design */
};

/* θ; n_columns 0 in round 1. */
struct at {
    const double *arms;                        /* NULL in round 1 */
    size_t *columns, n_columns, *free, n_free; /* free: arms that somebody has, but the first of them */
};

size_t multinomial_size(const struct design *design, size_t n_arms)
{
    return n_arms * (1 + design->n_columns);
}

static const double *gamma_of(const struct design *design, const double *arms, size_t k)
{
    return arms + k * (1 + design->n_columns) + 1;
}

static bool has(const struct design *design, const double *arms, size_t k)
{
    return arms[k * (1 + design->n_columns)] != 0;
}

const struct expression *multinomial_probability(const struct design *design, const double *arms,
                                                 size_t n_arms, size_t k, struct arena *arena)
{
    const struct expression *sum = expression_constant(arena, 1);
    for (size_t j = 0; j < n_arms; j++) {
        if (j == k || !has(design, arms, j))
            continue;
        double *gamma = arena_array(arena, design->n_columns, sizeof *gamma);
        for (size_t c = 0; c < design->n_columns; c++)
            gamma[c] = gamma_of(design, arms, j)[c] - gamma_of(design, arms, k)[c];
        const struct expression *eta = fit_logit(arena, design_predictor(design, arena, gamma, NULL, 0));
        sum = expression_binary(arena, OP_ADD, sum, expression_unary(arena, OP_EXP, eta));
    }
    return expression_binary(arena, OP_DIVIDE, expression_constant(arena, 1), sum);
}

static enum maille_code model_of(struct model *model, const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = analysis_value(analysis, "formula")->formula;
    *model =
        (struct model){.formula = formula, .arm = formula->response, .n_arms = formula->response->n_levels};
    if (model->n_arms > MULTINOMIAL_ARMS_MAX || !formula->intercept || formula->offset != NULL ||
        formula->n_strata || formula->strata_site || formula->has_cluster || formula->cluster_site) {
        code =
            wording_invalid(error, analysis,
                            "expected a treatment of at most %d arms, and of several arms a formula with a "
                            "constant and without offset(), strata() and cluster(), found another",
                            MULTINOMIAL_ARMS_MAX);
        goto out;
    }
    MAILLE_TRY(design_build(&model->design, arena, formula, true, error));
    model->n = model->design->n_columns;
    cohort_rows(&model->cohort, analysis, arena, NULL, 0);
out:
    return code;
}

enum maille_code multinomial_check(const struct analysis *analysis, struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct model model;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a model, found none");
    enum maille_code code = model_of(&model, analysis, arena, error);
    arena_free(arena);
    return code == MAILLE_FAILED ? MAILLE_OK : code; /* of this analysis alone: its plan says so */
}

enum maille_code multinomial_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct model model;
    MAILLE_TRY(model_of(&model, analysis, arena, error));
    MAILLE_TRY(fit_cells(cells, model.design, &model.cohort, NULL, arena, error));
    MAILLE_TRY(fit_cells_by(cells, model.design, &model.cohort, model.arm, arena, error));
    cells->n_parameters *= model.n_arms - 1;
out:
    return code;
}

/* --- θ --- */

enum { THETA_STAGE, THETA_ARMS };

static enum maille_code read_theta(struct at *at, const struct model *model, const struct vector *theta,
                                   struct arena *arena, struct maille_error *error)
{
    size_t size = multinomial_size(model->design, model->n_arms);
    bool first = theta->n == 0, shown = false;
    *at = (struct at){.columns = arena_array(arena, model->n, sizeof *at->columns),
                      .free = arena_array(arena, model->n_arms, sizeof *at->free)};
    if (!first && (theta->n != THETA_ARMS + size + model->n || theta->v[THETA_STAGE] != 1))
        return maille_fail(error, MAILLE_INVALID, "expected parameters of several arms, found others");
    for (size_t i = 0; i < theta->n; i++)
        if (!isfinite(theta->v[i]))
            return maille_fail(error, MAILLE_INVALID, "expected finite parameters, found one that is not");
    at->arms = first ? NULL : theta->v + THETA_ARMS;
    for (size_t j = 0; j < model->n; j++)
        if (first || theta->v[THETA_ARMS + size + j] == 1)
            at->columns[at->n_columns++] = j;
    for (size_t k = 0; !first && k < model->n_arms; k++) {
        if (!has(model->design, at->arms, k))
            continue;
        if (shown)
            at->free[at->n_free++] = k;
        shown = true;
    }
    if (!first && (at->n_free == 0 || at->n_columns == 0))
        return maille_fail(error, MAILLE_INVALID, "expected two arms and a constant, found fewer");
    return MAILLE_OK;
}

/* --- plan --- */

static const struct expression *const *terms_of(const struct model *model, const struct at *at,
                                                struct arena *arena)
{
    const struct expression **terms = arena_array(arena, at->n_columns, sizeof *terms);
    for (size_t i = 0; i < at->n_columns; i++)
        terms[i] = model->design->columns[at->columns[i]].term;
    return terms;
}

static void add_evaluation(const struct model *model, const struct at *at, struct arena *arena,
                           struct tally_spec *spec)
{
    const struct expression *const *terms = terms_of(model, at, arena);
    const struct expression *p[MULTINOMIAL_ARMS_MAX] = {NULL}, *own = NULL;
    struct tally_block *block;
    for (size_t k = model->n_arms; k-- > 0;) {
        if (!has(model->design, at->arms, k))
            continue;
        p[k] = multinomial_probability(model->design, at->arms, model->n_arms, k, arena);
        own = own == NULL ? p[k]
                          : expression_select(arena, expression_in_level(arena, model->arm, k), p[k], own);
    }
    fit_block(spec, &guard_cohort, model->cohort.rows,
              expression_unary(arena, OP_NEGATE, expression_unary(arena, OP_LOG, own)), 0);
    for (size_t i = 0; i < at->n_free; i++) {
        size_t k = at->free[i];
        const struct expression *chosen =
            expression_number_of(arena, expression_in_level(arena, model->arm, k));
        block = fit_block(spec, &guard_cohort, model->cohort.rows,
                          expression_binary(arena, OP_SUBTRACT, chosen, p[k]), 1);
        block->terms = terms;
        block->n_terms = at->n_columns;
    }
    for (size_t i = 0; i < at->n_free; i++)
        for (size_t j = i; j < at->n_free; j++) {
            const struct expression *a = p[at->free[i]], *b = p[at->free[j]];
            if (i == j)
                b = expression_binary(arena, OP_SUBTRACT, expression_constant(arena, 1), a);
            block = fit_block(spec, &guard_cohort, model->cohort.rows,
                              expression_binary(arena, OP_MULTIPLY, a, b), 2);
            block->terms = terms;
            block->n_terms = at->n_columns;
        }
}

enum maille_code multinomial_plan(const struct analysis *analysis, const struct vector *theta,
                                  const struct surviving *surviving, struct arena *arena,
                                  struct tally_spec *spec, struct maille_error *error)
{
    (void)surviving;
    enum maille_code code = MAILLE_OK;
    struct model model;
    struct at at;
    MAILLE_TRY(model_of(&model, analysis, arena, error));
    MAILLE_TRY(read_theta(&at, &model, theta, arena, error));
    spec->fitted = at.arms != NULL;
    if (at.arms != NULL) {
        add_evaluation(&model, &at, arena, spec);
        goto out;
    }
    MAILLE_TRY(groups_cohort_tally(spec, &model.cohort, error));
    struct tally_block *columns = fit_block(spec, &guard_cohort, model.cohort.rows, NULL, 1);
    columns->group = model.arm;
    columns->terms = terms_of(&model, &at, arena);
    columns->n_terms = at.n_columns;
out:
    return code;
}

/* --- step --- */

/* The analyst's own: scalars, which unknowns are collinear, and the arms of the last θ that was an
 * improvement. */
enum { MEMO_LOGLIK, MEMO_STEPS, MEMO_HALVINGS, MEMO_SCALARS };
struct memo {
    double *scalars, *aliased, *accepted;
};

static struct memo memo_of(const struct model *model, struct vector *memo)
{
    size_t unknowns = model->n_arms * model->n, size = multinomial_size(model->design, model->n_arms);
    if (memo->n == 0)
        vector_grow(memo, MEMO_SCALARS + unknowns + size);
    return (struct memo){
        .scalars = memo->v, .aliased = memo->v + MEMO_SCALARS, .accepted = memo->v + MEMO_SCALARS + unknowns};
}

/* Who is there: the arms, the columns, and no arm that a level of a category has not. */
static enum maille_code read_counts(const struct model *model, const struct totals *totals,
                                    struct iteration *iteration, struct outcome *outcome, struct arena *arena,
                                    struct maille_error *error)
{
    size_t size = multinomial_size(model->design, model->n_arms), with = 0;
    double *theta = vector_grow(&iteration->theta, THETA_ARMS + size + model->n);
    double *all = arena_array(arena, model->n, sizeof *all);
    theta[THETA_STAGE] = 1;
    for (size_t k = 0; k < model->n_arms; k++) {
        bool here = totals_real(totals, BLOCK_COLUMNS, k * model->n) > 0.5; /* the constant */
        theta[THETA_ARMS + k * (1 + model->n)] = here;
        with += here;
        for (size_t j = 0; j < model->n; j++)
            all[j] += totals_real(totals, BLOCK_COLUMNS, k * model->n + j);
    }
    groups_cohort_read(outcome, totals, BLOCK_MISSING, iteration->surviving);
    if (with == 0)
        return wording_nobody(error, outcome->n_missing);
    if (with == 1)
        return maille_fail(error, MAILLE_FAILED,
                           "expected patients of at least two arms, found those of one");
    for (size_t j = 0; j < model->n; j++) {
        const struct design_column *column = &model->design->columns[j];
        const size_t base = column->numeric ? column->base : j;
        theta[THETA_ARMS + size + j] = all[base] > 0.5;
        for (size_t k = 0; k < model->n_arms && all[base] > 0.5 && !column->numeric; k++)
            if (theta[THETA_ARMS + k * (1 + model->n)] != 0 &&
                !(totals_real(totals, BLOCK_COLUMNS, k * model->n + j) > 0.5))
                return maille_fail(
                    error, MAILLE_FAILED,
                    "expected patients of every arm in %s, found none of %s: narrow `cohort` to those "
                    "who may have each",
                    column->label, model->arm->levels[k]);
    }
    return MAILLE_OK;
}

/* The totals as one system over the free arms' columns. */
struct system {
    size_t n;
    f128 *score, *information;
};

static struct system system_of(const struct at *at, const struct totals *totals, struct arena *arena)
{
    size_t m = at->n_columns, n = at->n_free * m, block = BLOCK_SCORES + at->n_free;
    struct system s = {.n = n,
                       .score = arena_array(arena, n, sizeof *s.score),
                       .information = arena_array(arena, n * n, sizeof *s.information)};
    for (size_t a = 0; a < at->n_free; a++)
        for (size_t i = 0; i < m; i++)
            s.score[a * m + i] = totals_quad(totals, BLOCK_SCORES + a, i);
    for (size_t a = 0; a < at->n_free; a++)
        for (size_t b = a; b < at->n_free; b++, block++)
            for (size_t i = 0, k = 0; i < m; i++)
                for (size_t j = i; j < m; j++, k++) {
                    f128 v = totals_quad(totals, block, k) * (a == b ? 1 : -1);
                    size_t rows[] = {a * m + i, a * m + j}, columns[] = {b * m + j, b * m + i};
                    for (size_t e = 0; e < 2; e++) {
                        s.information[rows[e] * n + columns[e]] = v;
                        s.information[columns[e] * n + rows[e]] = v;
                    }
                }
    return s;
}

/* The largest step in standard errors; fills step. */
static double newton(f128 *step, const struct system *s, struct memo *memo, bool first, struct arena *arena)
{
    struct linear_factor factor;
    f128 *floor = arena_array(arena, s->n, sizeof *floor),
         *variance = arena_array(arena, s->n * s->n, sizeof *variance);
    bool *aliased = arena_array(arena, s->n, sizeof *aliased);
    for (size_t i = 0; i < s->n; i++) {
        floor[i] = FIT_COLLINEAR * s->information[i * s->n + i];
        aliased[i] = memo->aliased[i] != 0;
    }
    linear_decompose(&factor, arena, s->information, floor, aliased, s->n);
    for (size_t i = 0; first && i < s->n; i++)
        memo->aliased[i] = factor.aliased[i];
    memcpy(step, s->score, s->n * sizeof *step);
    linear_solve(&factor, step);
    linear_inverse(&factor, arena, variance);
    double size = 0;
    for (size_t i = 0; i < s->n; i++) {
        double error = sqrt((double)variance[i * s->n + i]);
        if (error > 0)
            size = fmax(size, fabs((double)step[i]) / error);
    }
    return size;
}

/* θ's arms := the middle between them and those accepted. */
static void halve(double *arms, const double *accepted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        arms[i] = (arms[i] + accepted[i]) / 2;
}

static enum maille_code advance(const struct model *model, const struct at *at, const struct totals *totals,
                                struct iteration *iteration, struct arena *arena, bool *done,
                                struct maille_error *error)
{
    struct memo memo = memo_of(model, &iteration->memo);
    const size_t size = multinomial_size(model->design, model->n_arms);
    double *arms = iteration->theta.v + THETA_ARMS, loglik = totals_real(totals, BLOCK_LOGLIK, 0);
    bool first = memo.scalars[MEMO_STEPS] == 0;
    if (!first && !(loglik <= memo.scalars[MEMO_LOGLIK] + 1e-9 * fabs(memo.scalars[MEMO_LOGLIK]))) {
        enum maille_code code = fit_count_halving(&memo.scalars[MEMO_HALVINGS], error);
        if (code == MAILLE_OK)
            halve(arms, memo.accepted, size);
        return code;
    }
    struct system s = system_of(at, totals, arena);
    f128 *step = arena_array(arena, s.n, sizeof *step);
    double far = newton(step, &s, &memo, first, arena);
    memcpy(memo.accepted, arms, size * sizeof *arms);
    memo.scalars[MEMO_LOGLIK] = loglik;
    memo.scalars[MEMO_HALVINGS] = 0;
    if (far < FIT_TOLERANCE) {
        *done = true;
        return MAILLE_OK;
    }
    if (++memo.scalars[MEMO_STEPS] > STEPS_MAX)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected covariates that leave every arm possible for everybody, found that they tell "
            "arms apart: leave the one out that does, or narrow `cohort` to those who may have each");
    for (size_t a = 0; a < at->n_free; a++)
        for (size_t i = 0; i < at->n_columns; i++)
            arms[at->free[a] * (1 + model->n) + 1 + at->columns[i]] += (double)step[a * at->n_columns + i];
    return MAILLE_OK;
}

enum maille_code multinomial_step(const struct analysis *analysis, const struct totals *totals,
                                  struct iteration *iteration, struct outcome *outcome, bool *done,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct model model;
    struct at at;
    struct arena *arena = outcome->arena;
    MAILLE_TRY(model_of(&model, analysis, arena, error));
    MAILLE_TRY(read_theta(&at, &model, &iteration->theta, arena, error));
    if (at.arms == NULL)
        MAILLE_TRY(read_counts(&model, totals, iteration, outcome, arena, error));
    else
        MAILLE_TRY(advance(&model, &at, totals, iteration, arena, done, error));
out:
    return code;
}
