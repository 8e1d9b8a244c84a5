/* quantile: R's type 7 at the variable's resolution, per cell of `by`.
 *
 * x(1) ≤ … ≤ x(n) are multiples of the resolution, so each is a point of a public lattice. For a probability
 * p with h = 1 + (n−1)p the value is x(⌊h⌋) + (h − ⌊h⌋)(x(⌈h⌉) − x(⌊h⌋)) (Hyndman and Fan, Am Stat
 * 1996;50:361, definition 7): two order statistics per cell × probability, each found by narrowing a bracket
 * of lattice points. Round 1: n per cell × bin, 1,024 bins over the whole lattice. Round r: n per cell × bin
 * for each probability × (lower, upper) order statistic, the bins dividing its bracket by 1,024. θ: {lattice
 * points per bracket, first point of the bracket [cell][probability][lower, upper]}. A vector's length
 * depends on the question alone. A variable without a step (an expression such as log(x)) gets 2^20 points
 * over its interval, and a value is the middle of its cell of that lattice. */
#include <math.h>

#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_QUANTILE_VARIABLE, KEY_QUANTILE_PROBS };
enum { BINS = 1024, PROBS_MAX = TALLY_BLOCKS_MAX / 2 };

static const struct query_key keys[] = {
    [KEY_QUANTILE_VARIABLE] = {.name = "variable",
                               .kind = KEY_VARIABLE,
                               .required = true,
                               .sentence = "A number."},
    [KEY_QUANTILE_PROBS] = {.name = "probs",
                            .kind = KEY_NUMBERS,
                            .required = true,
                            .min = 0,
                            .max = 1,
                            .n_min = 1,
                            .n_max = PROBS_MAX,
                            .sentence = "Probabilities, such as [0.25, 0.5, 0.75]."},
};

enum {
    BLOCK_COHORT,
    BLOCK_BY,
    BLOCK_BINS
}; /* of round 1; later rounds have a block per probability × order statistic */

struct lattice {
    struct groups by;
    const struct expression *x, *rows;
    const char *name;
    double origin, step; /* point i is origin + i·step */
    bool exact;          /* the values are the points; otherwise point i stands for [i, i+1)·step */
    double n_points;
    const double *probs;
    size_t n_probs;
};

/* What the analyst keeps between steps. */
struct memo {
    double *n_cohort;  /* 1 */
    double *n_rows;    /* [cell]: with `by` present */
    double *n_present; /* [cell]: with a value */
    double *before;    /* [cell][probability][2]: patients below the bracket */
};

static enum maille_code lattice_of(struct lattice *l, const struct analysis *analysis, struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = groups_of_by(&l->by, analysis, error);
    if (code != MAILLE_OK)
        return code;
    l->x = analysis->values[KEY_QUANTILE_VARIABLE].expressions[0];
    l->name = analysis->values[KEY_QUANTILE_VARIABLE].names[0];
    l->probs = analysis->values[KEY_QUANTILE_PROBS].numbers;
    l->n_probs = analysis->values[KEY_QUANTILE_PROBS].n;
    l->rows = expression_and(arena, analysis->cohort, analysis_complete(analysis, arena, NULL, 0));
    if (l->x->kind != EXPRESSION_NUMBER || !isfinite(l->x->low) || !isfinite(l->x->high))
        return maille_fail(error, MAILLE_INVALID, "expected a number with known bounds, found `%s`: %s",
                           l->name, l->x->kind == EXPRESSION_NUMBER ? "bound it" : "use count or describe");
    l->exact = l->x->step > 0;
    if (l->exact) {
        /* 1e-9 of a step: bounds that are multiples themselves may have been rounded */
        double first = ceil(l->x->low / l->x->step - 1e-9), last = floor(l->x->high / l->x->step + 1e-9);
        l->step = l->x->step;
        l->origin = first * l->step;
        l->n_points = fmax(1, last - first + 1);
    } else {
        l->n_points = 1 << 20;
        l->step = l->x->high > l->x->low ? (l->x->high - l->x->low) / l->n_points : 1;
        l->origin = l->x->low;
    }
    if (!(l->n_points < 0x1p52))
        return maille_fail(error, MAILLE_INVALID,
                           "expected fewer than 2^52 steps between the bounds of `%s`, found %g", l->name,
                           l->n_points);
    return MAILLE_OK;
}

/* Lattice points per bin when `points` of them are divided. */
static double bin_points(double points)
{
    return ceil(points / BINS);
}

/* Bin of a row: x lies `shift` (NULL: 0) above `edge`. Edges lie half a step below lattice points, so that
 * the rounding of a decimal cannot carry a value over one. */
static const struct expression *bins_from(const struct lattice *l, struct arena *arena,
                                          const struct expression *shift, double edge, double points)
{
    double width = bin_points(points);
    uint32_t n_bins = (uint32_t)ceil(points / width);
    const struct expression *x = shift == NULL ? l->x : expression_binary(arena, OP_SUBTRACT, l->x, shift);
    return expression_uniform_bin(arena, x, edge - (l->exact ? l->step / 2 : 0), width * l->step, n_bins);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct lattice l;
    enum maille_code code;
    MAILLE_TRY(lattice_of(&l, analysis, arena, error));
    const struct expression *bins = bins_from(&l, arena, NULL, l.origin, l.n_points);
    MAILLE_TRY(groups_cell(out, CELL_COHORT, l.rows, NULL, error));
    MAILLE_TRY(groups_cell(out, CELL_PATIENTS, l.rows, groups_code(&l.by, arena, bins), error));
out:
    return code;
}

static enum maille_code plan_first(const struct lattice *l, const struct analysis *analysis,
                                   struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    const struct expression *bins = bins_from(l, arena, NULL, l->origin, l->n_points);
    MAILLE_TRY(groups_tally(spec, analysis->cohort, NULL, false, error));
    MAILLE_TRY(groups_tally(spec, l->rows, groups_code(&l->by, arena, NULL), false, error));
    MAILLE_TRY(groups_tally(spec, l->rows, groups_code(&l->by, arena, bins), false, error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)surviving;
    struct lattice l;
    enum maille_code code;
    MAILLE_TRY(lattice_of(&l, analysis, arena, error));
    if (theta == NULL || theta->n == 0) {
        code = plan_first(&l, analysis, arena, spec, error);
        goto out;
    }
    size_t n_brackets = 2 * l.n_probs;
    double points = theta->v[0];
    if (theta->n != 1 + l.by.n * n_brackets || !(points >= 2 && points <= l.n_points)) {
        code = maille_fail(error, MAILLE_INVALID, "expected %zu brackets of a quantile, found something else",
                           l.by.n * n_brackets);
        goto out;
    }
    const struct expression *by = groups_code(&l.by, arena, NULL);
    for (size_t b = 0; b < n_brackets; b++) {
        double *edges = arena_array(arena, l.by.n, sizeof *edges);
        for (size_t cell = 0; cell < l.by.n; cell++) {
            double first = theta->v[1 + cell * n_brackets + b];
            if (!(first >= 0 && first < l.n_points)) {
                code = maille_fail(error, MAILLE_INVALID,
                                   "expected a bracket inside the bounds of `%s`, found one outside", l.name);
                goto out;
            }
            edges[cell] = l.origin + first * l.step;
        }
        const struct expression *bins =
            by == NULL ? bins_from(&l, arena, NULL, edges[0], points)
                       : bins_from(&l, arena, expression_lookup(arena, edges, l.by.n, by), 0, points);
        MAILLE_TRY(groups_tally(spec, l.rows, groups_code(&l.by, arena, bins), false, error));
    }
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct lattice l;
    struct maille_error inner = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory");
    enum maille_code code = lattice_of(&l, analysis, arena, &inner);
    if (code == MAILLE_OK && l.by.n > TALLY_GROUPS_MAX / BINS)
        code = maille_fail(&inner, MAILLE_INVALID, "expected at most %d cells of `by`, found %zu",
                           TALLY_GROUPS_MAX / BINS, l.by.n);
    if (code != MAILLE_OK)
        code = wording_invalid(error, analysis, "%s", inner.sentence);
    arena_free(arena);
    return code;
}

static void memo_of(struct memo *memo, const struct lattice *l, struct vector *vector)
{
    if (vector->n == 0)
        vector_grow(vector, 1 + 2 * l->by.n + 2 * l->by.n * l->n_probs);
    memo->n_cohort = vector->v;
    memo->n_rows = vector->v + 1;
    memo->n_present = memo->n_rows + l->by.n;
    memo->before = memo->n_present + l->by.n;
}

static void memo_fill(struct memo *memo, const struct lattice *l, const struct totals *totals)
{
    size_t n_bins = totals->extents[BLOCK_BINS].count / l->by.n;
    memo->n_cohort[0] = (double)totals_count(totals, BLOCK_COHORT, 0);
    for (size_t cell = 0; cell < l->by.n; cell++) {
        memo->n_rows[cell] = (double)totals_count(totals, BLOCK_BY, cell);
        for (size_t bin = 0; bin < n_bins; bin++)
            memo->n_present[cell] += (double)totals_count(totals, BLOCK_BINS, cell * n_bins + bin);
    }
}

/* 1-based ranks of the two order statistics of type 7, and the weight of the upper one. */
static double ranks(double ranks_of[2], double n, double p)
{
    double h = 1 + (n - 1) * p;
    ranks_of[0] = floor(h);
    ranks_of[1] = ceil(h);
    return h - ranks_of[0];
}

static void quantile_result(const struct lattice *l, const struct memo *memo, const double *first,
                            struct outcome *outcome)
{
    int64_t n = 0, *counts = arena_array(outcome->arena, l->by.n, sizeof *counts);
    for (size_t cell = 0; cell < l->by.n; cell++)
        n += counts[cell] = (int64_t)memo->n_rows[cell];
    groups_note_dropped(&l->by, counts, outcome);
    struct result *list = result_add_list(outcome->result, "groups");
    for (size_t cell = 0; cell < l->by.n; cell++) {
        if (counts[cell] == 0)
            continue;
        struct result *row = result_add_object(list, NULL);
        groups_add_names(&l->by, cell, row);
        result_add_integer(row, "n", (int64_t)memo->n_present[cell]);
        struct result *probs = result_add_list(row, "probs"), *values = result_add_list(row, "values");
        for (size_t i = 0; i < l->n_probs; i++) {
            double rank[2], weight = ranks(rank, memo->n_present[cell], l->probs[i]);
            const double *point = first + (cell * l->n_probs + i) * 2;
            double middle = l->exact ? 0 : 0.5;
            double low = l->origin + (point[0] + middle) * l->step,
                   high = l->origin + (point[1] + middle) * l->step;
            double value = point[0] < point[1] ? (1 - weight) * low + weight * high : low;
            result_add_number(probs, NULL, l->probs[i]);
            result_add_number(values, NULL, memo->n_present[cell] > 0 ? value : NAN);
        }
        result_add_number(row, "resolution", l->step);
    }
    outcome->n = n;
    outcome->n_missing = (int64_t)memo->n_cohort[0] - n;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct lattice l;
    struct memo memo;
    struct vector *theta = &iteration->theta;
    enum maille_code code;
    MAILLE_TRY(lattice_of(&l, analysis, outcome->arena, error));
    bool first_round = theta->n == 0;
    memo_of(&memo, &l, &iteration->memo);
    if (first_round) {
        double present = 0;
        memo_fill(&memo, &l, totals);
        for (size_t cell = 0; cell < l.by.n; cell++)
            present += memo.n_present[cell];
        if (present < 1) {
            code = wording_nobody(error, (int64_t)memo.n_cohort[0]);
            goto out;
        }
        vector_grow(theta, 1 + 2 * l.by.n * l.n_probs);
    }
    double points = first_round ? l.n_points : theta->v[0], width = bin_points(points);
    size_t n_bins = (size_t)ceil(points / width);
    for (size_t cell = 0; cell < l.by.n; cell++)
        for (size_t b = 0; b < 2 * l.n_probs && memo.n_present[cell] > 0; b++) {
            size_t at = cell * 2 * l.n_probs + b, block = first_round ? (size_t)BLOCK_BINS : b, bin = 0;
            double rank[2];
            ranks(rank, memo.n_present[cell], l.probs[b / 2]);
            for (; bin + 1 < n_bins; bin++) { /* the bin in which the rank falls */
                double here = (double)totals_count(totals, block, cell * n_bins + bin);
                if (memo.before[at] + here >= rank[b % 2])
                    break;
                memo.before[at] += here;
            }
            theta->v[1 + at] += (double)bin * width;
        }
    theta->v[0] = width;
    if (width < 2) {
        quantile_result(&l, &memo, theta->v + 1, outcome);
        *done = true;
    }
out:
    return code;
}

const struct method method_quantile = {
    .declared = {.name = "quantile", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
