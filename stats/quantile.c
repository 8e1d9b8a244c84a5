/* quantile: R's type 7 at the variable's resolution, per cell of `by`.
 *
 * x(1) ≤ … ≤ x(n) are multiples of the resolution, so each is a point of a public lattice. For a probability
 * p with h = 1 + (n−1)p the value is x(⌊h⌋) + (h − ⌊h⌋)(x(⌈h⌉) − x(⌊h⌋)) (Hyndman and Fan, Am Stat
 * 1996;50:361, definition 7): two order statistics per cell × probability, each found by narrowing a bracket
 * of lattice points. Round 1: n per cell × bin, 1,024 bins over the whole lattice. Round r: n per cell × bin
 * for each probability × (lower, upper) order statistic, the bins dividing its bracket by 1,024. θ: {lattice
 * points per bracket, first point of the bracket [cell][probability][lower, upper]}. A vector's length
 * depends on the question alone. A variable without a step (an expression such as log(x)) gets 2^20 points
 * over its interval, and a value is the middle of its cell of that lattice.
 *
 * Where the threshold rounds have merged bins of the lattice (CELL_MERGE, at most 2^16 of them per cell), one
 * round counts the merged bins, and an order statistic is interpolated inside its own: the r-th of n values,
 * b of them below a bin that holds c, stands at share (r − b − ½)/c of it. `resolution` is then the width of
 * the widest of these bins. Where that bin is wider than a tenth of the range, or holds more than a quarter
 * of the values, the quantile is null and a sentence says between what it lies. */
#include <float.h>
#include <math.h>

#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_QUANTILE_VARIABLE, KEY_QUANTILE_PROBS };
enum { BINS = 1024, PROBS_MAX = 32, MERGE_BINS_MAX = 1 << 16 };

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

/* Of round 1; later rounds have a block per probability × order statistic. */
enum { BLOCK_MISSING, BLOCK_BY, BLOCK_BINS };
/* Head counts: rows per cell, patients with a value per cell × bin of the lattice. */
enum { CELLS_BY = CELLS_OWN, CELLS_BINS };

struct lattice {
    struct groups by;
    struct cohort_rows cohort; /* rows: with `by` present */
    const struct expression *x;
    const char *name;
    double origin, step; /* point i is origin + i·step */
    bool exact;          /* the values are the points; otherwise point i stands for [i, i+1)·step */
    double n_points;
    const double *probs;
    size_t n_probs;
};

/* What the analyst keeps between steps. */
struct memo {
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
    cohort_rows(&l->cohort, analysis, arena, NULL, 0);
    if (l->x->kind != EXPRESSION_NUMBER || !isfinite(l->x->low) || !isfinite(l->x->high))
        return maille_fail(error, MAILLE_INVALID, "expected a number with known bounds, found `%s`: %s",
                           l->name, l->x->kind == EXPRESSION_NUMBER ? "bound it" : "use count or describe");
    l->exact = l->x->lattice > 0;
    if (l->exact) {
        /* 1e-9 of a step: bounds that are multiples themselves may have been rounded */
        double first = ceil(l->x->low / l->x->lattice - 1e-9),
               last = floor(l->x->high / l->x->lattice + 1e-9);
        l->step = l->x->lattice;
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

/* The lattice as the threshold rounds see it: lattice points per bin, and bins per cell of `by`. */
struct merge {
    double points;
    size_t n_bins;
};

static struct merge merge_of(const struct lattice *l)
{
    size_t most = EXPRESSION_TABLE_MAX / l->by.n;
    if (most > MERGE_BINS_MAX)
        most = MERGE_BINS_MAX;
    struct merge merge = {.points = fmax(1, ceil(l->n_points / fmax(1, (double)most)))};
    merge.n_bins = (size_t)ceil(l->n_points / merge.points);
    return merge;
}

static const struct expression *merge_bins(const struct lattice *l, const struct merge *merge,
                                           struct arena *arena)
{
    return expression_uniform_bin(arena, l->x, l->origin - (l->exact ? l->step / 2 : 0),
                                  merge->points * l->step, (uint32_t)merge->n_bins);
}

/* Did the threshold rounds merge anything? */
static bool is_merged(const struct lattice *l, const struct surviving *surviving)
{
    struct merge merge = merge_of(l);
    for (size_t i = 0; surviving != NULL && i < l->by.n * merge.n_bins; i++)
        if (!surviving_kept(surviving, CELLS_BINS, i))
            return true;
    return false;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct lattice l;
    enum maille_code code;
    MAILLE_TRY(lattice_of(&l, analysis, arena, error));
    struct merge merge = merge_of(&l);
    const struct expression *bins = merge_bins(&l, &merge, arena);
    MAILLE_TRY(groups_cohort_cells(out, &l.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_TABLE, l.cohort.rows, groups_code(&l.by, arena, NULL), error));
    MAILLE_TRY(groups_cell(out, CELL_MERGE, l.cohort.rows, groups_code(&l.by, arena, bins), error));
    out->n_bins[CELLS_BINS] = merge.n_bins;
    out->tail[CELLS_BINS] = 0.5;
    for (size_t i = 0; i < l.n_probs; i++)
        out->tail[CELLS_BINS] = fmin(out->tail[CELLS_BINS], fmin(l.probs[i], 1 - l.probs[i]));
    /* The least and the greatest value have nobody beyond them, which is not the same as no quantile. */
    out->tail[CELLS_BINS] = fmax(out->tail[CELLS_BINS], DBL_MIN);
out:
    return code;
}

/* First bin and number of each merged bin of one cell of `by`: firsts has room for n_bins + 1 numbers, the
 * last is the end. 0 where the cell did not survive. */
static size_t merged_firsts(size_t *firsts, const struct merge *merge, const struct surviving *surviving,
                            size_t cell)
{
    size_t n = 0;
    firsts[0] = 0;
    for (size_t bin = 0; bin < merge->n_bins && surviving_kept(surviving, CELLS_BY, cell); bin++)
        if (surviving_kept(surviving, CELLS_BINS, cell * merge->n_bins + bin))
            firsts[++n] = bin + 1;
    return n;
}

/* Merged bins of the cell that has most; at least 1. */
static size_t merged_most(const struct lattice *l, const struct merge *merge,
                          const struct surviving *surviving, struct arena *arena)
{
    size_t most = 1, *firsts = arena_array(arena, merge->n_bins + 1, sizeof *firsts);
    for (size_t cell = 0; cell < l->by.n; cell++) {
        size_t n = merged_firsts(firsts, merge, surviving, cell);
        most = n > most ? n : most;
    }
    return most;
}

/* Of bins that divide the lattice as they like: the cell of `by`, and nothing may be merged. */
static const struct guard *guard_of(struct arena *arena)
{
    return guard_both(arena, guard_each(arena, CELLS_BY), guard_whole(arena, CELLS_BINS));
}

/* One round: rows per cell, and per cell × merged bin. */
static enum maille_code plan_merged(const struct lattice *l, const struct surviving *surviving,
                                    struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    struct merge merge = merge_of(l);
    size_t most = merged_most(l, &merge, surviving, arena);
    size_t *firsts = arena_array(arena, merge.n_bins + 1, sizeof *firsts);
    double *numbers = arena_array(arena, l->by.n * merge.n_bins, sizeof *numbers);
    size_t *to = arena_array(arena, l->by.n * merge.n_bins, sizeof *to);
    for (size_t cell = 0; cell < l->by.n; cell++) {
        size_t n = merged_firsts(firsts, &merge, surviving, cell);
        for (size_t bin = 0; bin < merge.n_bins; bin++) {
            numbers[cell * merge.n_bins + bin] = -1; /* of no merged bin: not counted */
            to[cell * merge.n_bins + bin] = GUARD_NOWHERE;
        }
        for (size_t m = 0; m < n; m++)
            for (size_t bin = firsts[m]; bin < firsts[m + 1]; bin++) {
                numbers[cell * merge.n_bins + bin] = (double)m;
                to[cell * merge.n_bins + bin] = cell * most + m;
            }
    }
    const struct expression *number = expression_lookup(
        arena, numbers, l->by.n * merge.n_bins, groups_code(&l->by, arena, merge_bins(l, &merge, arena)));
    const struct expression *bins = expression_uniform_bin(arena, number, 0, 1, (uint32_t)most);
    const struct guard *guard = guard_both(arena, guard_each(arena, CELLS_BY),
                                           guard_joined(arena, CELLS_BINS, l->by.n * most, to, 0));
    MAILLE_TRY(groups_tally(spec, guard, l->cohort.rows, groups_code(&l->by, arena, bins), error));
out:
    return code;
}

static enum maille_code plan_first(const struct lattice *l, const struct surviving *surviving,
                                   struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    const struct expression *bins = bins_from(l, arena, NULL, l->origin, l->n_points);
    MAILLE_TRY(groups_cohort_tally(spec, &l->cohort, error));
    MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_BY), l->cohort.rows,
                            groups_code(&l->by, arena, NULL), error));
    if (is_merged(l, surviving)) {
        code = plan_merged(l, surviving, arena, spec, error);
        goto out;
    }
    MAILLE_TRY(groups_tally(spec, guard_of(arena), l->cohort.rows, groups_code(&l->by, arena, bins), error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    struct lattice l;
    enum maille_code code;
    MAILLE_TRY(lattice_of(&l, analysis, arena, error));
    if (theta == NULL || theta->n == 0) {
        code = plan_first(&l, surviving, arena, spec, error);
        goto out;
    }
    size_t n_brackets = 2 * l.n_probs;
    double points = theta->v[0];
    if (is_merged(&l, surviving) || theta->n != 1 + l.by.n * n_brackets ||
        !(points >= 2 && points <= l.n_points)) {
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
        MAILLE_TRY(
            groups_tally(spec, guard_of(arena), l.cohort.rows, groups_code(&l.by, arena, bins), error));
    }
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct lattice l;
    enum maille_code code = lattice_of(&l, analysis, arena, error);
    if (code == MAILLE_OK && l.by.n > TALLY_GROUPS_MAX / BINS)
        code = maille_fail(error, MAILLE_INVALID, "expected at most %d cells of `by`, found %zu",
                           TALLY_GROUPS_MAX / BINS, l.by.n);
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static void memo_of(struct memo *memo, const struct lattice *l, struct vector *vector)
{
    if (vector->n == 0)
        vector_grow(vector, 2 * l->by.n + 2 * l->by.n * l->n_probs);
    memo->n_rows = vector->v;
    memo->n_present = memo->n_rows + l->by.n;
    memo->before = memo->n_present + l->by.n;
}

static void memo_fill(struct memo *memo, const struct lattice *l, const struct totals *totals)
{
    size_t n_bins = totals->extents[BLOCK_BINS].count / l->by.n;
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

/* A bracket of lattice points that holds an order statistic: before of n values are below it, count in it. */
struct bracket {
    double first, points, before, count;
};

/* A joined bin so wide, or with so many of the values, that a place inside it says nothing. */
static const double range_share_max = 0.1, values_share_max = 0.25;

static bool bracket_tells(const struct lattice *l, const struct bracket *bracket, double n)
{
    return !(bracket->points > 1) || (bracket->points - 1 <= range_share_max * (l->n_points - 1) &&
                                      bracket->count <= values_share_max * n);
}

static void warn_untold(const struct lattice *l, const struct bracket *bracket, double p, size_t cell,
                        struct outcome *outcome)
{
    double low = l->origin + bracket->first * l->step, high = low + (bracket->points - 1) * l->step;
    wording_warn(
        outcome,
        "the quantile %g of `%s` in %s is null: values were joined, for too few patients in each, and it "
        "lies anywhere from %.10g to %.10g, which is more than a tenth of the range or holds more than a "
        "quarter of the values: leave out `by`, widen `cohort`, or ask more sites",
        p, l->name, groups_stratum(&l->by, outcome->arena, cell), low, high);
}

/* The order statistic's place on the lattice. */
static double bracket_place(const struct bracket *bracket, double rank)
{
    if (!(bracket->points > 1))
        return bracket->first;
    return bracket->first + (bracket->points - 1) * (rank - bracket->before - 0.5) / bracket->count;
}

/* brackets: [cell][probability][lower, upper]. hidden: of `by`; NULL: none. */
static void quantile_result(const struct lattice *l, const struct memo *memo, const struct bracket *brackets,
                            const struct surviving *surviving, struct outcome *outcome)
{
    int64_t n = 0, *counts = arena_array(outcome->arena, l->by.n, sizeof *counts);
    for (size_t cell = 0; cell < l->by.n; cell++)
        n += counts[cell] = totals_heads((f128)memo->n_rows[cell]);
    groups_note_dropped(&l->by, counts, surviving_mask(surviving, CELLS_BY), outcome);
    struct result *list = result_add_list(outcome->result, "groups");
    for (size_t cell = 0; cell < l->by.n; cell++) {
        bool kept = surviving_kept(surviving, CELLS_BY, cell);
        double widest = 1;
        size_t n_told = 0;
        if (counts[cell] == 0 && kept)
            continue;
        struct result *row = result_add_object(list, NULL);
        groups_add_names(&l->by, cell, row);
        groups_add_count(outcome, row, "n", totals_heads((f128)memo->n_present[cell]), kept);
        struct result *probs = result_add_list(row, "probs"), *values = result_add_list(row, "values");
        for (size_t i = 0; i < l->n_probs; i++) {
            double rank[2], weight = ranks(rank, memo->n_present[cell], l->probs[i]), at[2];
            const struct bracket *bracket = brackets + (cell * l->n_probs + i) * 2;
            bool tells = true;
            for (size_t end = 0; end < 2; end++) {
                at[end] = bracket_place(&bracket[end], rank[end]);
                if (!bracket_tells(l, &bracket[end], memo->n_present[cell]) && tells && kept &&
                    memo->n_present[cell] > 0) {
                    tells = false;
                    warn_untold(l, &bracket[end], l->probs[i], cell, outcome);
                }
            }
            for (size_t end = 0; end < 2 && tells; end++)
                widest = fmax(widest, bracket[end].points);
            outcome->suppressed += !tells;
            n_told += tells;
            double middle = l->exact ? 0 : 0.5;
            double low = l->origin + (at[0] + middle) * l->step,
                   high = l->origin + (at[1] + middle) * l->step;
            double value = at[0] < at[1] ? (1 - weight) * low + weight * high : low;
            result_add_number(probs, NULL, l->probs[i]);
            result_add_number(values, NULL, tells && memo->n_present[cell] > 0 ? value : NAN);
        }
        result_add_number(row, "resolution", kept && n_told > 0 ? widest * l->step : NAN);
    }
    outcome->n = n;
    groups_warn_suppressed(outcome);
}

/* The bin of a block in which a rank falls; *before: values below it, from what is below the first. */
static size_t bin_of_rank(const struct totals *totals, size_t block, size_t first, size_t n_bins, double rank,
                          double *before)
{
    size_t bin = 0;
    for (; bin + 1 < n_bins; bin++) {
        double here = (double)totals_count(totals, block, first + bin);
        if (*before + here >= rank)
            break;
        *before += here;
    }
    return bin;
}

/* The one round over merged bins. */
static void step_merged(const struct lattice *l, struct memo *memo, const struct totals *totals,
                        const struct surviving *surviving, struct outcome *outcome)
{
    struct merge merge = merge_of(l);
    size_t most = totals->extents[BLOCK_BINS].count / l->by.n;
    size_t *firsts = arena_array(outcome->arena, merge.n_bins + 1, sizeof *firsts);
    struct bracket *brackets = arena_array(outcome->arena, 2 * l->by.n * l->n_probs, sizeof *brackets);
    for (size_t cell = 0; cell < l->by.n; cell++) {
        size_t n = merged_firsts(firsts, &merge, surviving, cell);
        for (size_t b = 0; b < 2 * l->n_probs && n > 0 && memo->n_present[cell] > 0; b++) {
            struct bracket *bracket = &brackets[cell * 2 * l->n_probs + b];
            double rank[2];
            ranks(rank, memo->n_present[cell], l->probs[b / 2]);
            size_t m = bin_of_rank(totals, BLOCK_BINS, cell * most, n, rank[b % 2], &bracket->before);
            double end = fmin((double)firsts[m + 1] * merge.points, l->n_points);
            bracket->first = (double)firsts[m] * merge.points;
            bracket->points = end - bracket->first;
            bracket->count = (double)totals_count(totals, BLOCK_BINS, cell * most + m);
        }
    }
    quantile_result(l, memo, brackets, surviving, outcome);
}

/* After the last round: every bracket is one point. points: [cell][probability][lower, upper]. */
static void step_exact(const struct lattice *l, const struct memo *memo, const double *points,
                       const struct surviving *surviving, struct outcome *outcome)
{
    struct bracket *brackets = arena_array(outcome->arena, 2 * l->by.n * l->n_probs, sizeof *brackets);
    for (size_t i = 0; i < 2 * l->by.n * l->n_probs; i++)
        brackets[i] = (struct bracket){.first = points[i], .points = 1};
    quantile_result(l, memo, brackets, surviving, outcome);
}

/* Round 1: who is there. */
static enum maille_code step_first(const struct lattice *l, struct memo *memo, const struct totals *totals,
                                   const struct surviving *surviving, struct outcome *outcome,
                                   struct maille_error *error)
{
    double present = 0;
    int64_t rows = 0;
    bool hidden = false;
    memo_fill(memo, l, totals);
    groups_cohort_read(outcome, totals, BLOCK_MISSING, surviving);
    for (size_t cell = 0; cell < l->by.n; cell++) {
        present += memo->n_present[cell];
        rows += totals_heads((f128)memo->n_rows[cell]);
        hidden = hidden || !surviving_kept(surviving, CELLS_BY, cell);
    }
    return present < 1 && !hidden ? wording_nobody(error, outcome->n_missing + rows) : MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    const struct surviving *surviving = iteration->surviving;
    struct lattice l;
    struct memo memo;
    struct vector *theta = &iteration->theta;
    enum maille_code code;
    MAILLE_TRY(lattice_of(&l, analysis, outcome->arena, error));
    bool first_round = theta->n == 0;
    memo_of(&memo, &l, &iteration->memo);
    if (first_round)
        MAILLE_TRY(step_first(&l, &memo, totals, surviving, outcome, error));
    if (is_merged(&l, surviving)) {
        step_merged(&l, &memo, totals, surviving, outcome);
        *done = true;
        goto out;
    }
    if (first_round)
        vector_grow(theta, 1 + 2 * l.by.n * l.n_probs);
    double points = first_round ? l.n_points : theta->v[0], width = bin_points(points);
    size_t n_bins = (size_t)ceil(points / width);
    for (size_t cell = 0; cell < l.by.n; cell++)
        for (size_t b = 0; b < 2 * l.n_probs && memo.n_present[cell] > 0; b++) {
            size_t at = cell * 2 * l.n_probs + b, block = first_round ? (size_t)BLOCK_BINS : b;
            double rank[2];
            ranks(rank, memo.n_present[cell], l.probs[b / 2]);
            theta->v[1 + at] +=
                (double)bin_of_rank(totals, block, cell * n_bins, n_bins, rank[b % 2], &memo.before[at]) *
                width;
        }
    theta->v[0] = width;
    if (width < 2) {
        step_exact(&l, &memo, theta->v + 1, surviving, outcome);
        *done = true;
    }
out:
    return code;
}

const struct method method_quantile = {
    .declared = {.name = "quantile", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .words =
        {.name = "Quantiles",
         .sentence =
             "Quantiles of the pooled values by their counts on a lattice of the dictionary’s resolution.",
         .r = "quantile(type = 7)",
         .source = "Hyndman and Fan, The American Statistician 1996;50:361"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
