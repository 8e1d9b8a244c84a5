#include "stats/means.h"

#include "stats/wording.h"

enum { BLOCK_MISSING, BLOCK_SUMS };

static enum maille_code means_formula(const struct formula *formula, struct maille_error *error)
{
    if (formula->kind != RESPONSE_EXPRESSION)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a number before the `~`, as in `age ~ chemo`, found %s",
                           formula->kind == RESPONSE_NONE ? "nothing" : formula->response_label);
    if (formula->response->kind == EXPRESSION_CODE)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a number before the `~`, found the category `%s`: use crosstab",
                           formula->response_label);
    if (formula->offset != NULL || formula->has_cluster || formula->n_strata > 0 || formula->strata_site ||
        formula->cluster_site)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected one category after the `~`, found offset(), strata() or cluster(): remove it");
    if (formula->n_terms != 1 || __builtin_popcountll(formula->terms[0].factors) != 1 ||
        !formula->intercept || formula->factors[__builtin_ctzll(formula->terms[0].factors)].n_basis > 0)
        return maille_fail(error, MAILLE_INVALID, "expected one category after the `~`, found `%s`",
                           formula->text);
    return MAILLE_OK;
}

enum maille_code means_of(struct means *means, const struct analysis *analysis, struct arena *arena,
                          struct maille_error *error)
{
    const struct formula *formula = analysis_value(analysis, "formula")->formula;
    enum maille_code code;
    groups_init(&means->groups);
    MAILLE_TRY(means_formula(formula, error));
    const struct formula_factor *factor = &formula->factors[__builtin_ctzll(formula->terms[0].factors)];
    MAILLE_TRY(groups_add_any(&means->groups, arena, factor->label, factor->expression, error));
    means->response = formula->response_label;
    means->y = expression_number_of(arena, formula->response);
    cohort_rows(&means->cohort, analysis, arena, NULL, 0);
    MAILLE_TRY(spread_init(&means->spread, arena, &means->y, &means->response, 1, error));
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct means means;
    return means_of(&means, analysis, arena, error);
}

enum maille_code means_check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

enum maille_code means_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                             struct maille_error *error)
{
    struct means means;
    enum maille_code code;
    MAILLE_TRY(means_of(&means, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(cells, &means.cohort, error));
    MAILLE_TRY(
        groups_cell(cells, CELL_PATIENTS, means.cohort.rows, groups_code(&means.groups, arena, NULL), error));
    groups_moment(cells, arena, CELLS_OWN, means.y, NULL, 2);
    groups_share(cells, arena, CELLS_OWN, means.y, NULL);
out:
    return code;
}

enum maille_code means_plan(const struct analysis *analysis, const struct vector *theta,
                            const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                            struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct means means;
    enum maille_code code;
    MAILLE_TRY(means_of(&means, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &means.cohort, error));
    MAILLE_TRY(spread_tally(spec, guard_each(arena, CELLS_OWN), &means.spread, arena, means.cohort.rows,
                            groups_code(&means.groups, arena, NULL), error));
out:
    return code;
}

enum maille_code means_read(struct means_level **levels, size_t *n_levels, const struct means *means,
                            const struct totals *totals, const struct surviving *surviving,
                            struct outcome *outcome, struct maille_error *error)
{
    size_t n = means->groups.n, present = 0;
    int64_t *counts = arena_array(outcome->arena, n, sizeof *counts), all = 0;
    struct means_level *found = arena_array(outcome->arena, n, sizeof *found);
    for (size_t level = 0; level < n; level++) {
        struct spread_sums sums;
        spread_read(&sums, &means->spread, outcome->arena, totals, BLOCK_SUMS, level);
        all += counts[level] = sums.count;
        if (sums.count > 0)
            found[present++] = (struct means_level){
                .level = level, .n = (double)sums.count, .mean = sums.mean[0], .squares = sums.product[0]};
    }
    groups_cohort_read(outcome, totals, BLOCK_MISSING, surviving);
    if (all == 0)
        return wording_nobody(error, outcome->n_missing);
    outcome->n = all;
    groups_note_dropped(&means->groups, counts, NULL, outcome);
    *levels = found;
    *n_levels = present;
    return MAILLE_OK;
}

void means_welch(struct means_test *test, const struct means_level *levels, size_t k)
{
    f128 all = 0, mean = 0, a = 0, between = 0;
    for (int pass = 0; pass < 2; pass++) { /* the weights first, and what they add to */
        for (size_t i = 0; i < k; i++) {
            f128 n = (f128)levels[i].n, w = n * (n - 1) / levels[i].squares;
            if (pass == 0) {
                all += w;
                mean += w * levels[i].mean;
                continue;
            }
            f128 rest = 1 - w / all, apart = levels[i].mean - mean;
            a += rest * rest / (n - 1);
            between += w * apart * apart;
        }
        if (pass == 0)
            mean /= all;
    }
    f128 groups = (f128)(double)k;
    a /= groups * groups - 1;
    test->df1 = (double)k - 1;
    test->df2 = (double)(1 / (3 * a));
    test->statistic = (double)(between / ((groups - 1) * (1 + 2 * (groups - 2) * a)));
}
