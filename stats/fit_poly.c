/* Orthogonal polynomials: R's poly(x, k) (Kennedy and Gentle, Statistical Computing, 1980, pp. 343–344; R's
 * poly()). Its columns q_1 … q_k are made of the data: 1, x, x² … orthogonalised over the rows of the model,
 * each of length 1. A model is fitted on the powers u, u² … of x scaled to [−1, 1], which span the same; the
 * moments Σu^i, i ≤ 2k, of round 1 then give R's estimates without a round more. With G_ij = Σu^(i+j) = L·L′
 *
 *     u^i = L_i0/L_00 + Σ_j L_ij·q_j,      so     β_j = Σ_i L_ij·b_i,   and what it multiplies gains Σ_i
 * b_i·L_i0/L_00. */
#include <math.h>

#include "stats/fit.h"

enum { MOMENTS_MAX = 17 }; /* 1, u … u^16 */

static size_t moments_of(const struct formula_factor *factor)
{
    return factor->orthogonal ? 2 * factor->n_basis + 1 : 0;
}

/* Each as two doubles. */
size_t fit_poly_size(const struct design *design)
{
    size_t n = 0;
    for (size_t f = 0; f < design->formula->n_factors; f++)
        n += 2 * moments_of(&design->formula->factors[f]);
    return n;
}

void fit_poly_plan(struct tally_spec *spec, const struct design *design, const struct expression *rows,
                   struct arena *arena)
{
    const size_t size = fit_poly_size(design) / 2;
    if (size == 0)
        return;
    const struct expression **terms = arena_array(arena, size, sizeof *terms);
    size_t n = 0;
    for (size_t f = 0; f < design->formula->n_factors; f++) {
        const struct formula_factor *factor = &design->formula->factors[f];
        for (size_t i = 0; i < moments_of(factor); i++)
            terms[n++] = i == 0   ? expression_constant(arena, 1)
                         : i == 1 ? factor->basis[0]
                                  : expression_power(arena, factor->basis[0], (int)i);
    }
    struct tally_block *block = fit_block(spec, &guard_cohort, rows, NULL, 1);
    block->terms = terms;
    block->n_terms = n;
}

static f128 quad_root(f128 x)
{
    f128 root = (f128)sqrt((double)x);
    for (int i = 0; i < 3 && root > 0; i++)
        root = (root + x / root) / 2;
    return root;
}

/* L of the moments of one factor, (degree + 1)²; false where x has no more values than the degree. */
static bool decompose(f128 *lower, const double *moments, size_t degree, struct arena *arena)
{
    const size_t n = degree + 1;
    f128 *g = arena_array(arena, n * n, sizeof *g), *floor = arena_array(arena, n, sizeof *floor);
    struct linear_factor factor;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            g[i * n + j] = (f128)moments[2 * (i + j)] + (f128)moments[2 * (i + j) + 1];
        floor[i] = (f128)0x1p-60 * g[0]; /* the rounding of a moment, with room */
    }
    linear_decompose(&factor, arena, g, floor, NULL, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            f128 root = quad_root(factor.lower[j * n + j]);
            lower[i * n + j] = i == j ? root : factor.lower[i * n + j] * root;
        }
    return factor.rank == n;
}

enum maille_code fit_poly_read(struct fit *fit, const struct totals *totals, struct arena *arena,
                               struct maille_error *error)
{
    const struct formula *formula = fit->design->formula;
    const size_t block = totals->spec->n_blocks - 1;
    size_t at = 0;
    for (size_t f = 0; f < formula->n_factors; f++) {
        const struct formula_factor *factor = &formula->factors[f];
        const size_t n = moments_of(factor), side = factor->n_basis + 1;
        double *moments = fit->moments + 2 * at;
        for (size_t i = 0; i < n; i++) {
            f128 sum = totals_quad(totals, block, at + i);
            moments[2 * i] = (double)sum;
            moments[2 * i + 1] = (double)(sum - (f128)moments[2 * i]);
        }
        at += n;
        if (n > 0 &&
            !decompose(arena_array(arena, side * side, sizeof(f128)), moments, factor->n_basis, arena))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected more values than its degree in %s, found no more, or a spread that is "
                "lost in the dictionary's bounds: take a lower degree, or narrow the bounds",
                factor->label);
    }
    return MAILLE_OK;
}

/* Where in normal the column stands that differs from its column j in the basis of factor f (k), or has no f
 * (k = SIZE_MAX); normal->n: nowhere. */
static size_t partner(const struct fit *fit, const struct normal *normal, size_t j, size_t f, size_t k)
{
    const struct design *design = fit->design;
    const struct formula *formula = design->formula;
    const struct design_column *own = &design->columns[normal->columns[j]];
    uint64_t factors = formula->terms[own->formula_term].factors;
    if (k == SIZE_MAX)
        factors &= ~(UINT64_C(1) << f);
    for (size_t i = 0; i < normal->n; i++) {
        const struct design_column *other = &design->columns[normal->columns[i]];
        uint64_t of = other->formula_term == SIZE_MAX ? 0 : formula->terms[other->formula_term].factors;
        bool same = of == factors;
        for (size_t e = 0; e < formula->n_factors && same; e++)
            same = own->levels[e] == other->levels[e] &&
                   (e == f ? k == SIZE_MAX || other->basis[e] == k : own->basis[e] == other->basis[e]);
        if (same)
            return i;
    }
    return normal->n;
}

/* Row j of A: R's estimate as a sum of those at hand, for the columns of factor f. */
static void fill_rows(f128 *a, const struct fit *fit, const struct normal *normal, size_t f,
                      const f128 *lower)
{
    const struct formula *formula = fit->design->formula;
    const size_t n = normal->n, degree = formula->factors[f].n_basis, side = degree + 1;
    for (size_t j = 0; j < n; j++) {
        const struct design_column *column = &fit->design->columns[normal->columns[j]];
        if (column->formula_term == SIZE_MAX || !(formula->terms[column->formula_term].factors >> f & 1))
            continue;
        const size_t power = column->basis[f] + 1, base = partner(fit, normal, j, f, SIZE_MAX);
        a[j * n + j] = 0;
        for (size_t i = power; i <= degree; i++) {
            size_t from = partner(fit, normal, j, f, i - 1);
            if (from < n)
                a[j * n + from] = lower[i * side + power];
        }
        if (base < n)
            a[base * n + j] = lower[power * side] / lower[0];
    }
}

/* a := b·a. */
static void multiply(f128 *a, const f128 *b, size_t n, struct arena *arena)
{
    f128 *product = arena_array(arena, n * n + 1, sizeof *product);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < n && b[i * n + k] != 0; j++)
                product[i * n + j] += b[i * n + k] * a[k * n + j];
    for (size_t i = 0; i < n * n; i++)
        a[i] = product[i];
}

/* A·V·A′. */
static f128 *carried(const f128 *a, const f128 *v, size_t n, struct arena *arena)
{
    f128 *half = arena_array(arena, n * n + 1, sizeof *half),
         *all = arena_array(arena, n * n + 1, sizeof *all);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                half[i * n + j] += a[i * n + k] * v[k * n + j];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                all[i * n + j] += half[i * n + k] * a[j * n + k];
    return all;
}

static void identity(f128 *a, size_t n)
{
    for (size_t i = 0; i < n * n; i++)
        a[i] = i % (n + 1) == 0;
}

/* There u^i is the mean of u^i, L_i0/L_00, and a product is a product. */
double fit_poly_origin(const struct fit *fit, struct arena *arena)
{
    const struct formula *formula = fit->design->formula;
    const f128 **lower = arena_array(arena, FORMULA_FACTORS_MAX, sizeof *lower);
    const double *moments = fit->moments;
    f128 sum = 0;
    if (fit_poly_size(fit->design) == 0)
        return 0;
    for (size_t f = 0; f < formula->n_factors; f++) {
        const size_t side = formula->factors[f].n_basis + 1;
        if (!formula->factors[f].orthogonal)
            continue;
        f128 *own = arena_array(arena, side * side, sizeof *own);
        (void)decompose(own, moments, side - 1, arena);
        lower[f] = own;
        moments += 2 * moments_of(&formula->factors[f]);
    }
    for (size_t j = 1; j < fit->design->n_columns; j++) {
        const struct design_column *column = &fit->design->columns[j];
        f128 product = column->formula_term != SIZE_MAX && fit->state[j] == FIT_USED ? (f128)fit->beta[j] : 0;
        for (size_t f = 0; f < formula->n_factors && product != 0; f++) {
            if (!(formula->terms[column->formula_term].factors >> f & 1))
                continue;
            const size_t side = formula->factors[f].n_basis + 1;
            product *= lower[f] == NULL ? 0 : lower[f][(column->basis[f] + 1) * side] / lower[f][0];
        }
        sum += product;
    }
    return (double)sum;
}

void fit_poly_show(struct fit *fit, struct normal *normal, const f128 **robust, struct arena *arena)
{
    const struct formula *formula = fit->design->formula;
    const size_t n = normal->n;
    f128 *a = arena_array(arena, n * n + 1, sizeof *a), *one = arena_array(arena, n * n + 1, sizeof *one);
    double *beta = arena_array(arena, fit->design->n_columns, sizeof *beta);
    const double *moments = fit->moments;
    if (fit_poly_size(fit->design) == 0)
        return;
    identity(a, n);
    for (size_t f = 0; f < formula->n_factors; f++) {
        const struct formula_factor *factor = &formula->factors[f];
        const size_t side = factor->n_basis + 1;
        if (!factor->orthogonal)
            continue;
        f128 *lower = arena_array(arena, side * side, sizeof *lower);
        (void)decompose(lower, moments, factor->n_basis, arena); /* fit_poly_read has seen that it can be */
        identity(one, n);
        fill_rows(one, fit, normal, f, lower);
        multiply(a, one, n, arena);
        moments += 2 * moments_of(factor);
    }
    for (size_t i = 0; i < n; i++) {
        f128 sum = 0;
        for (size_t j = 0; j < n; j++)
            if (!normal->factor.aliased[j])
                sum += a[i * n + j] * (f128)fit->beta[normal->columns[j]];
        beta[normal->columns[i]] = (double)sum;
    }
    fit->beta = beta;
    normal->variance = carried(a, normal->variance, n, arena);
    if (*robust != NULL)
        *robust = carried(a, *robust, n, arena);
}
