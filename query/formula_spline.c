#include <math.h>
#include <string.h>

#include "base/number.h"
#include "query/expression_bounds.h"
#include "query/expression_type.h"
#include "query/formula_terms.h"

/* ns(x, knots = c(…), Boundary.knots = c(lo, hi)) and ns(x, df = n) of R's package splines (4.2), intercept =
 * FALSE: the B-spline basis of order 4 without its first column, projected on the functions whose second
 * derivative vanishes at both boundary knots; linear outside of them. R projects with the Householder
 * reflections of LINPACK's dqrdc2, whose signs are part of what its users see, so they are repeated here, in
 * quadruple precision: every site must find the same bits, and the cubes below are nearly collinear. With u =
 * (x − lo)/(hi − lo) and knots ξ_k, each column is then written piece by piece as f(0) + f′(0)·min(u, 0) +
 * f′(1)·max(u − 1, 0) + Σ_k [f′(ξ_k)·w_k + f″(ξ_k)/2·w_k² + f‴/6·w_k³], w_k = min(max(u − ξ_k, 0), ξ_{k+1} −
 * ξ_k), a sum of what the column gains on each piece: it needs no step of a site beyond + − × min max, and
 * nothing cancels. */

enum {
    KNOTS_MAX = 20,
    ORDER = 4,
    POINTS_MAX = KNOTS_MAX + 2,
    BASIS_MAX = KNOTS_MAX + ORDER,
    SAMPLES = 64,
    PIECES_MAX = 2 + 3 * (KNOTS_MAX + 1)
};

struct spline {
    size_t n_knots;               /* inner ones */
    double low, high;             /* boundary knots */
    f128 points[POINTS_MAX];      /* all knots on the scale of u: 0, inner, 1 */
    f128 full[BASIS_MAX + ORDER]; /* with the boundary knots repeated ORDER times */
    f128 house[2][BASIS_MAX];     /* the two reflections */
};

/* One column: a + b·u + Σ c_k·(u − ξ_k)+³ for u up to 1, slope d beyond. */
struct column {
    f128 constant, slope_low, slope_high;
    f128 cubes[POINTS_MAX];
};

static f128 quad_sqrt(f128 x)
{
    f128 root = (f128)sqrt((double)x);
    for (int i = 0; i < 3 && root > 0; i++) /* Newton: 53, 106, 113 bits */
        root = (root + x / root) / 2;
    return root;
}

/* The derivative-th derivative of B-spline i of this order at u (de Boor 1978, equations IX.14 and X.10); 0/0
 * is 0. */
static f128 bspline(const struct spline *s, size_t i, unsigned order, f128 u, unsigned derivative)
{
    const f128 *t = s->full;
    if (order == 1) {
        bool last = u == 1 && t[i + 1] == 1 && t[i] < 1; /* closed on the right at the end */
        return (t[i] <= u && u < t[i + 1]) || last ? 1 : 0;
    }
    f128 left = t[i + order - 1] - t[i], right = t[i + order] - t[i + 1], sum = 0;
    unsigned next = derivative > 0 ? derivative - 1 : 0;
    f128 factor_left = derivative > 0 ? (f128)(order - 1) : u - t[i];
    f128 factor_right = derivative > 0 ? -(f128)(order - 1) : t[i + order] - u;
    if (left > 0)
        sum += factor_left / left * bspline(s, i, order - 1, u, next);
    if (right > 0)
        sum += factor_right / right * bspline(s, i + 1, order - 1, u, next);
    return sum;
}

/* LINPACK's dqrdc2 on the two columns of t(const); n rows. (No pivoting: the two conditions are independent.)
 */
static void reflections(struct spline *s, size_t n)
{
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < n; i++) /* column 0 of the basis is left out; derivatives on R's scale of x */
            s->house[l][i] = bspline(s, i + 1, ORDER, l == 0 ? 0 : 1, 2);
    for (size_t l = 0; l < 2; l++) {
        f128 *x = s->house[l], norm = 0;
        for (size_t i = l; i < n; i++)
            norm += x[i] * x[i];
        norm = quad_sqrt(norm);
        if (x[l] < 0)
            norm = -norm;
        for (size_t i = l; i < n; i++)
            x[i] /= norm;
        x[l] += 1;
        if (l == 0) {
            f128 *y = s->house[1], dot = 0;
            for (size_t i = 0; i < n; i++)
                dot += x[i] * y[i];
            for (size_t i = 0; i < n; i++)
                y[i] -= dot / x[0] * x[i];
        }
    }
}

/* The n_knots + 1 columns of ns() at u in [0, 1]. */
static void columns_at(const struct spline *s, f128 u, f128 *out)
{
    size_t n = s->n_knots + 3;
    f128 row[BASIS_MAX];
    for (size_t i = 0; i < n; i++)
        row[i] = bspline(s, i + 1, ORDER, u, 0);
    for (size_t l = 0; l < 2; l++) {
        f128 dot = 0;
        for (size_t i = l; i < n; i++)
            dot += s->house[l][i] * row[i];
        for (size_t i = l; i < n; i++)
            row[i] -= dot / s->house[l][l] * s->house[l][i];
    }
    for (size_t i = 2; i < n; i++)
        out[i - 2] = row[i];
}

static f128 cube_above(f128 u, f128 knot)
{
    f128 x = u > knot ? u - knot : 0;
    return x * x * x;
}

/* The natural cubic basis 1, u, N_1 … at u (Hastie, Tibshirani and Friedman 2009, equations 5.4 and 5.5); m
 * functions. */
static f128 natural(const struct spline *s, size_t m, size_t k, f128 u)
{
    const f128 *p = s->points;
    if (k < 2)
        return k == 0 ? 1 : u;
    f128 last = (cube_above(u, p[m - 2]) - cube_above(u, p[m - 1])) / (p[m - 1] - p[m - 2]);
    return (cube_above(u, p[k - 2]) - cube_above(u, p[m - 1])) / (p[m - 1] - p[k - 2]) - last;
}

/* Gauss with row exchanges: a·x = b for n_right right-hand sides, in place (b becomes x). */
static void solve(f128 a[POINTS_MAX][POINTS_MAX], f128 b[POINTS_MAX][POINTS_MAX], size_t n, size_t n_right)
{
    for (size_t k = 0; k < n; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < n; i++) {
            f128 x = a[i][k] < 0 ? -a[i][k] : a[i][k], y = a[best][k] < 0 ? -a[best][k] : a[best][k];
            best = x > y ? i : best;
        }
        for (size_t j = 0; j < n; j++) {
            f128 swap = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = swap;
        }
        for (size_t j = 0; j < n_right; j++) {
            f128 swap = b[k][j];
            b[k][j] = b[best][j];
            b[best][j] = swap;
        }
        for (size_t i = 0; i < n; i++) {
            if (i == k)
                continue;
            f128 factor = a[i][k] / a[k][k];
            for (size_t j = k; j < n; j++)
                a[i][j] -= factor * a[k][j];
            for (size_t j = 0; j < n_right; j++)
                b[i][j] -= factor * b[k][j];
        }
    }
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < n_right; j++)
            b[k][j] /= a[k][k];
}

/* From coefficients of 1, u, N_1 … to a column. */
static void expand(const struct spline *s, size_t m, f128 coefficients[POINTS_MAX][POINTS_MAX], size_t j,
                   struct column *column)
{
    const f128 *p = s->points;
    memset(column, 0, sizeof *column);
    column->constant = coefficients[0][j];
    column->slope_low = column->slope_high = coefficients[1][j];
    for (size_t k = 0; k + 2 < m; k++) {
        f128 share = coefficients[k + 2][j];
        column->cubes[k] += share / (p[m - 1] - p[k]);
        column->cubes[m - 2] -= share / (p[m - 1] - p[m - 2]);
    }
    for (size_t k = 0; k + 1 < m; k++)
        column->slope_high += 3 * column->cubes[k] * (1 - p[k]) * (1 - p[k]);
}

static f128 column_at(const struct spline *s, size_t m, const struct column *c, f128 u)
{
    f128 v = u < 1 ? u : 1, sum = c->constant + c->slope_low * v + c->slope_high * (u - v);
    for (size_t k = 0; k + 1 < m; k++)
        sum += c->cubes[k] * cube_above(v, s->points[k]);
    return sum;
}

/* f′, f″/2 and f‴/6 of a column at knot k, on the piece above it. */
static void piece_at(const struct spline *s, const struct column *c, size_t k, double out[3])
{
    f128 first = c->slope_low, second = 0, third = 0;
    for (size_t i = 0; i <= k; i++) {
        f128 away = s->points[k] - s->points[i];
        first += 3 * c->cubes[i] * away * away;
        second += 3 * c->cubes[i] * away;
        third += c->cubes[i];
    }
    out[0] = (double)first;
    out[1] = (double)second;
    out[2] = (double)third;
}

/* The range of a column where u lies in [low, high]. A cubic between samples strays by at most (1/SAMPLES)²/8
 * · 96 of its largest value on the piece (Markov 1892 for the second derivative), 0.3 %; the margin is five
 * times that. */
static struct interval column_range(const struct spline *s, size_t m, const struct column *c, f128 low,
                                    f128 high)
{
    f128 least = column_at(s, m, c, low), most = least, from = low;
    for (size_t k = 0; k <= m; k++) {
        f128 to = k < m && s->points[k] < high ? s->points[k] : high;
        if (to <= from)
            continue;
        for (int i = 0; i <= SAMPLES; i++) {
            f128 value = column_at(s, m, c, from + (to - from) * i / SAMPLES);
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        from = to;
    }
    f128 size = most > -least ? most : -least, margin = size / SAMPLES;
    return (struct interval){(double)(least - margin), (double)(most + margin)};
}

/* min(u, 0), max(u − 1, 0), then w, w², w³ of each piece; returns their number. */
static size_t build_pieces(struct arena *arena, const struct spline *s, const struct expression *u,
                           const struct expression **args)
{
    const struct expression *zero = expression_constant(arena, 0), *one = expression_constant(arena, 1);
    size_t n = 0;
    args[n++] = expression_binary(arena, OP_MIN, u, zero);
    args[n++] = expression_binary(arena, OP_MAX, expression_binary(arena, OP_SUBTRACT, u, one), zero);
    for (size_t k = 0; k <= s->n_knots; k++) {
        const struct expression *knot = expression_constant(arena, (double)s->points[k]);
        const struct expression *width =
            expression_constant(arena, (double)s->points[k + 1] - (double)s->points[k]);
        const struct expression *w = expression_binary(arena, OP_SUBTRACT, u, knot);
        w = expression_binary(arena, OP_MIN, expression_binary(arena, OP_MAX, w, zero), width);
        args[n++] = w;
        args[n++] = expression_power(arena, w, 2);
        args[n++] = expression_power(arena, w, 3);
    }
    return n;
}

/* Expressions of all columns. The bounds of a sum of pieces are wider than its values, so the known range is
 * put around it by min and max, which never change a value. */
static void build(struct arena *arena, struct formula_factor *factor, const struct spline *s,
                  const struct column *columns, const struct syntax *at)
{
    const struct expression *args[PIECES_MAX];
    size_t m = s->n_knots + 2, n = s->n_knots + 1;
    const struct expression *u =
        expression_binary(arena, OP_SUBTRACT, factor->expression, expression_constant(arena, s->low));
    u = expression_binary(arena, OP_DIVIDE, u, expression_constant(arena, s->high - s->low));
    size_t n_args = build_pieces(arena, s, u, args);
    const struct expression **basis = arena_array(arena, n, sizeof *basis);
    for (size_t j = 0; j < n; j++) {
        const struct column *c = &columns[j];
        double *table = arena_array(arena, n_args + 1, sizeof *table);
        table[0] = (double)c->slope_low;
        table[1] = (double)c->slope_high;
        for (size_t k = 0; k <= s->n_knots; k++)
            piece_at(s, c, k, &table[2 + 3 * k]);
        table[n_args] = (double)c->constant;
        struct interval range = column_range(s, m, c, (f128)u->low, (f128)u->high);
        const struct expression *e = expression_linear(arena, table, args, n_args);
        e = expression_binary(arena, OP_MAX, e, expression_constant(arena, range.low));
        e = expression_binary(arena, OP_MIN, e, expression_constant(arena, range.high));
        basis[j] = at == NULL ? e : expression_placed(e, at);
    }
    factor->basis = basis;
    factor->n_basis = n;
}

/* knots: low, n inner ones, high. */
static void place(struct spline *s, const double *knots, size_t n)
{
    s->n_knots = n;
    s->low = knots[0];
    s->high = knots[n + 1];
    for (size_t i = 0; i < n; i++)
        s->points[i + 1] = ((f128)knots[i + 1] - (f128)s->low) / ((f128)s->high - (f128)s->low);
    s->points[0] = 0;
    s->points[n + 1] = 1;
}

/* ns(x, df = n): knots evenly over the bounds, for as long as nobody knows the quantiles. */
static enum maille_code read_df(struct formula_reading *r, struct formula_factor *factor, struct spline *s,
                                const struct syntax *x, const struct syntax *df)
{
    enum maille_code code;
    double n, knots[FORMULA_DF_MAX + 1];
    MAILLE_TRY(expression_number_of_syntax(&factor->expression, r->arena, r->scope, x, r->error));
    if (!syntax_is_number(df, false, &n) || n != floor(n) || !(n >= 2 && n <= FORMULA_DF_MAX)) {
        code =
            syntax_fail(r->error, r->scope, df, "expected df = a whole number from 2 to %d", FORMULA_DF_MAX);
        goto out;
    }
    const double low = factor->expression->low, high = factor->expression->high;
    if (!(isfinite(low) && isfinite(high) && low < high)) {
        code = syntax_fail(r->error, r->scope, x,
                           "expected a number with bounds inside ns(), found one without");
        goto out;
    }
    if (formula_open_knots(r->formula) != NULL) {
        code = syntax_fail(r->error, r->scope, df,
                           "expected one ns(x, df = n) in a formula, found another: write the knots of one");
        goto out;
    }
    for (size_t i = 0; i <= (size_t)n; i++)
        knots[i] = low + (high - low) * (double)i / n;
    place(s, knots, (size_t)n - 1);
    factor->open_knots = true;
out:
    return code;
}

static enum maille_code read_arguments(struct formula_reading *r, struct formula_factor *factor,
                                       struct spline *s, const struct syntax *call)
{
    enum maille_code code;
    const struct syntax *x = NULL, *knots = NULL, *boundary = NULL, *df = NULL;
    double *list = NULL, *ends = NULL, single;
    size_t n = 0, n_ends = 0;
    for (size_t i = 0; i < call->n_args; i++) {
        const char *name = call->arg_names[i];
        if (name == NULL && x == NULL) {
            x = call->args[i];
        } else if (name != NULL && knots == NULL && strcmp(name, "knots") == 0) {
            knots = call->args[i];
        } else if (name != NULL && boundary == NULL && strcmp(name, "Boundary.knots") == 0) {
            boundary = call->args[i];
        } else if (name != NULL && df == NULL && strcmp(name, "df") == 0) {
            df = call->args[i];
        } else {
            code = syntax_fail(
                r->error, r->scope, call->args[i],
                "expected ns(x, df = n) or ns(x, knots = c(…), Boundary.knots = c(lo, hi)), found %s%.40s",
                name == NULL ? "another argument without a name" : "the argument ", name == NULL ? "" : name);
            goto out;
        }
    }
    if (x != NULL && df != NULL && knots == NULL && boundary == NULL) {
        code = read_df(r, factor, s, x, df);
        goto out;
    }
    if (x == NULL || knots == NULL || boundary == NULL) {
        code = syntax_fail(
            r->error, r->scope, call,
            "expected ns(x, df = n), or ns(x, knots = c(…), Boundary.knots = c(lo, hi)) with all three, "
            "found no %s",
            x == NULL       ? "x"
            : knots == NULL ? "knots"
                            : "Boundary.knots");
        goto out;
    }
    MAILLE_TRY(expression_number_of_syntax(&factor->expression, r->arena, r->scope, x, r->error));
    if (syntax_is_number(knots, false, &single)) {
        list = &single;
        n = 1;
    } else {
        MAILLE_TRY(syntax_numbers(&list, &n, r->arena, r->scope, knots, KNOTS_MAX, r->error));
    }
    MAILLE_TRY(syntax_numbers(&ends, &n_ends, r->arena, r->scope, boundary, 2, r->error));
    if (n_ends != 2 || !isfinite(ends[0]) || !isfinite(ends[1]) || ends[0] >= ends[1]) {
        code =
            syntax_fail(r->error, r->scope, boundary, "expected Boundary.knots = c(lo, hi) with lo below hi");
        goto out;
    }
    s->n_knots = n;
    s->low = ends[0];
    s->high = ends[1];
    for (size_t i = 0; i < n; i++) {
        double before = i == 0 ? ends[0] : list[i - 1];
        if (!(list[i] > before && list[i] < ends[1])) {
            code = syntax_fail(r->error, r->scope, knots,
                               "expected ascending knots between %g and %g, found %g after %g", ends[0],
                               ends[1], list[i], before);
            goto out;
        }
        s->points[i + 1] = ((f128)list[i] - (f128)ends[0]) / ((f128)ends[1] - (f128)ends[0]);
    }
    s->points[0] = 0;
    s->points[n + 1] = 1;
out:
    return code;
}

/* The columns of a placed spline, as expressions. */
static void columns_of(struct arena *arena, struct formula_factor *factor, struct spline *s,
                       const struct syntax *at)
{
    f128 a[POINTS_MAX][POINTS_MAX], b[POINTS_MAX][POINTS_MAX];
    size_t m = s->n_knots + 2, n = s->n_knots + 1;
    for (size_t i = 0; i < s->n_knots + 2 * ORDER; i++)
        s->full[i] = i < ORDER ? 0 : i < ORDER + s->n_knots ? s->points[i - ORDER + 1] : 1;
    reflections(s, s->n_knots + 3);
    for (size_t i = 0; i < m; i++) {
        columns_at(s, s->points[i], b[i]);
        for (size_t k = 0; k < m; k++)
            a[i][k] = natural(s, m, k, s->points[i]);
    }
    solve(a, b, m, n);
    struct column *columns = arena_array(arena, n, sizeof *columns);
    for (size_t j = 0; j < n; j++)
        expand(s, m, b, j, &columns[j]);
    build(arena, factor, s, columns, at);
}

enum maille_code formula_spline(struct formula_reading *r, struct formula_factor *factor,
                                const struct syntax *call)
{
    enum maille_code code;
    struct spline s = {0};
    MAILLE_TRY(read_arguments(r, factor, &s, call));
    columns_of(r->arena, factor, &s, call);
    if (factor->basis[0]->n_nodes > EXPRESSION_NODES_MAX)
        code = syntax_fail(r->error, r->scope, call,
                           "expected a shorter expression inside ns(); give it fewer operations");
out:
    return code;
}

const struct formula_factor *formula_open_knots(const struct formula *formula)
{
    for (size_t f = 0; formula != NULL && f < formula->n_factors; f++)
        if (formula->factors[f].open_knots)
            return &formula->factors[f];
    return NULL;
}

const struct formula *formula_with_knots(const struct formula *formula, struct arena *arena,
                                         const double *knots)
{
    struct formula *placed = arena_alloc(arena, sizeof *placed);
    *placed = *formula;
    for (size_t f = 0; f < placed->n_factors; f++) {
        struct formula_factor *factor = &placed->factors[f];
        struct spline s = {0};
        if (!factor->open_knots)
            continue;
        place(&s, knots, factor->n_basis - 1);
        columns_of(arena, factor, &s, NULL);
        factor->open_knots = false;
    }
    return placed;
}
