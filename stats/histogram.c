/* histogram: counts per bar, closed on the right, the first bar on both sides (R: hist(x, breaks)$counts),
 * per cell of `by`.
 *
 * Round 1: n per cell × bar. Values may lie a ten-millionth of the narrowest bar beyond an edge and still
 * count as on it, as in hist.default, whose edges are moved by that much against the rounding of decimals. */
#include <math.h>

#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_HISTOGRAM_VARIABLE, KEY_HISTOGRAM_BREAKS, KEY_HISTOGRAM_WIDTH, BREAKS_MAX = 4096 };

static const struct query_key keys[] = {
    [KEY_HISTOGRAM_VARIABLE] = {.name = "variable",
                                .kind = KEY_VARIABLE,
                                .required = true,
                                .sentence = "A number."},
    [KEY_HISTOGRAM_BREAKS] = {.name = "breaks",
                              .kind = KEY_NUMBERS,
                              .min = -1e15,
                              .max = 1e15,
                              .n_min = 2,
                              .n_max = BREAKS_MAX,
                              .sentence = "Edges of the bars, ascending; they span every value."},
    [KEY_HISTOGRAM_WIDTH] = {.name = "width",
                             .kind = KEY_NUMBER,
                             .min = 1e-9,
                             .max = 1e15,
                             .sentence =
                                 "Width of the bars, from a multiple of it, over the variable's range in the "
                                 "dictionary; instead of `breaks`."},
};

enum { BLOCK_MISSING, BLOCK_BARS };

struct histogram {
    struct groups by;
    struct cohort_rows cohort;
    const struct expression *x, *bars; /* bars: level 0 below the first edge, n_breaks above the last */
    const char *name;
    double *breaks;
    size_t n_breaks;
};

/* Edges from the key `breaks` or `width`. */
static enum maille_code histogram_breaks(struct histogram *h, const struct analysis *analysis,
                                         struct arena *arena, struct maille_error *error)
{
    const struct query_value *breaks = &analysis->values[KEY_HISTOGRAM_BREAKS];
    const struct query_value *width = &analysis->values[KEY_HISTOGRAM_WIDTH];
    if (breaks->present == width->present)
        return maille_fail(error, MAILLE_INVALID, "expected one of `breaks` and `width`, found %s",
                           breaks->present ? "both" : "neither");
    if (breaks->present) {
        h->n_breaks = breaks->n;
        h->breaks = arena_array(arena, breaks->n, sizeof *h->breaks);
        for (size_t i = 0; i < breaks->n; i++) {
            h->breaks[i] = breaks->numbers[i];
            if (i > 0 && !(h->breaks[i] > h->breaks[i - 1]))
                return maille_fail(error, MAILLE_INVALID, "expected ascending `breaks`, found %g after %g",
                                   h->breaks[i], h->breaks[i - 1]);
        }
        return MAILLE_OK;
    }
    double step = width->numbers[0], first = floor(h->x->low / step), last = ceil(h->x->high / step);
    if (!(last - first < BREAKS_MAX))
        return maille_fail(error, MAILLE_INVALID, "expected at most %d bars, found %g: use a larger `width`",
                           BREAKS_MAX - 1, last - first);
    if (last <= first)
        last = first + 1;
    h->n_breaks = (size_t)(last - first) + 1;
    h->breaks = arena_array(arena, h->n_breaks, sizeof *h->breaks);
    for (size_t i = 0; i < h->n_breaks; i++)
        h->breaks[i] = (first + (double)i) * step;
    return MAILLE_OK;
}

static enum maille_code histogram_of(struct histogram *h, const struct analysis *analysis,
                                     struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    double *edges = NULL;
    h->x = analysis->values[KEY_HISTOGRAM_VARIABLE].expressions[0];
    h->name = analysis->values[KEY_HISTOGRAM_VARIABLE].names[0];
    MAILLE_TRY(groups_of_by(&h->by, analysis, error));
    if (h->x->kind != EXPRESSION_NUMBER || !isfinite(h->x->low) || !isfinite(h->x->high)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a number with known bounds, found `%s`: %s",
                           h->name, h->x->kind == EXPRESSION_NUMBER ? "bound it" : "use count or crosstab");
        goto out;
    }
    MAILLE_TRY(histogram_breaks(h, analysis, arena, error));
    double narrowest = INFINITY;
    for (size_t i = 1; i < h->n_breaks; i++)
        narrowest = fmin(narrowest, h->breaks[i] - h->breaks[i - 1]);
    edges = arena_array(arena, h->n_breaks, sizeof *edges);
    for (size_t i = 0; i < h->n_breaks; i++)
        edges[i] = h->breaks[i] + (i == 0 ? -1e-7 : 1e-7) * narrowest;
    h->bars = expression_cut_open(arena, h->x, edges, h->n_breaks, true);
    cohort_rows(&h->cohort, analysis, arena, &h->x, 1);
out:
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct histogram h;
    enum maille_code code;
    MAILLE_TRY(histogram_of(&h, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &h.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_TABLE, h.cohort.rows, groups_code(&h.by, arena, h.bars), error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct histogram h;
    enum maille_code code;
    MAILLE_TRY(histogram_of(&h, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &h.cohort, error));
    MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_OWN), h.cohort.rows,
                            groups_code(&h.by, arena, h.bars), error));
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct histogram h;
    struct groups all;
    enum maille_code code = histogram_of(&h, analysis, arena, error);
    if (code == MAILLE_OK) {
        all = h.by;
        code = groups_add(&all, h.name, h.bars, error);
    }
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    const struct surviving *surviving = iteration->surviving;
    struct histogram h;
    int64_t n = 0;
    enum maille_code code;
    MAILLE_TRY(histogram_of(&h, analysis, outcome->arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, surviving);
    size_t n_levels = h.bars->n_levels, n_hidden = 0;
    int64_t *n_groups = arena_array(outcome->arena, h.by.n, sizeof *n_groups);
    uint8_t *known = arena_array(outcome->arena, h.by.n, sizeof *known); /* every bar of the group is */
    for (size_t cell = 0; cell < h.by.n; cell++) {
        known[cell] = 1;
        for (size_t bar = cell * n_levels; bar < (cell + 1) * n_levels; bar++) {
            n_groups[cell] += totals_count(totals, BLOCK_BARS, bar);
            known[cell] &= surviving_kept(surviving, CELLS_OWN, bar);
        }
        n += n_groups[cell];
        n_hidden += !known[cell];
        if (!surviving_kept(surviving, CELLS_OWN, cell * n_levels) ||
            !surviving_kept(surviving, CELLS_OWN, (cell + 1) * n_levels - 1))
            wording_warn(outcome,
                         "whether values of %s lie beyond the first and the last of `breaks` is withheld",
                         h.name);
        if (totals_count(totals, BLOCK_BARS, cell * n_levels) +
                totals_count(totals, BLOCK_BARS, (cell + 1) * n_levels - 1) >
            0) {
            code = maille_fail(
                error, MAILLE_FAILED,
                "expected every value of `%s` between the first and the last of `breaks` (%g and %g), found "
                "values beyond: widen them",
                h.name, h.breaks[0], h.breaks[h.n_breaks - 1]);
            goto out;
        }
    }
    if (n == 0 && n_hidden == 0) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    groups_note_dropped(&h.by, n_groups, known, outcome);
    struct result *list = result_add_list(outcome->result, "groups");
    for (size_t cell = 0; cell < h.by.n; cell++) {
        if (n_groups[cell] == 0 && known[cell])
            continue;
        struct result *row = result_add_object(list, NULL);
        groups_add_names(&h.by, cell, row);
        struct result *breaks = result_add_list(row, "breaks"), *counts = result_add_list(row, "counts");
        for (size_t i = 0; i < h.n_breaks; i++)
            result_add_number(breaks, NULL, h.breaks[i]);
        for (size_t i = 1; i < h.n_breaks; i++)
            groups_add_count(outcome, counts, NULL, totals_count(totals, BLOCK_BARS, cell * n_levels + i),
                             surviving_kept(surviving, CELLS_OWN, cell * n_levels + i));
    }
    outcome->n = n;
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_histogram = {
    .declared = {.name = "histogram", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .words = {.name = "Histogram", .sentence = "Counts between breaks.", .r = "hist()"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
