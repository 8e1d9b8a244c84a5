/* count: rows per cell, the cells made by `by` and `variables` together (as dplyr::count; table() without its
 * zeros). Round 1: n per cell. */
#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_COUNT_VARIABLES };

static const struct query_key keys[] = {
    [KEY_COUNT_VARIABLES] = {.name = "variables",
                             .kind = KEY_VARIABLES,
                             .n_min = 1,
                             .n_max = 8,
                             .sentence =
                                 "Categories that are crossed with `by`; without any: all rows together."},
};

enum { BLOCK_COHORT, BLOCK_CELLS };

static enum maille_code count_groups(struct groups *groups, const struct analysis *analysis,
                                     struct arena *arena, struct maille_error *error)
{
    enum maille_code code = groups_of_by(groups, analysis, error);
    const struct query_value *variables = &analysis->values[KEY_COUNT_VARIABLES];
    for (size_t i = 0; code == MAILLE_OK && i < variables->n; i++)
        code = groups_add_any(groups, arena, variables->names[i], variables->expressions[i], error);
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct groups groups;
    struct maille_error inner = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory");
    enum maille_code code = count_groups(&groups, analysis, arena, &inner);
    if (code != MAILLE_OK)
        code = wording_invalid(error, analysis, "%s", inner.sentence);
    arena_free(arena);
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct groups groups;
    enum maille_code code;
    MAILLE_TRY(count_groups(&groups, analysis, arena, error));
    const struct expression *cells_of = groups_code(&groups, arena, NULL);
    const struct expression *complete = analysis_complete(analysis, arena, groups.parts, groups.n_parts);
    const struct expression *rows = expression_and(arena, analysis->cohort, complete);
    MAILLE_TRY(groups_cell(out, CELL_COHORT, rows, NULL, error));
    if (cells_of != NULL)
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, rows, cells_of, error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct groups groups;
    enum maille_code code;
    MAILLE_TRY(count_groups(&groups, analysis, arena, error));
    const struct expression *complete = analysis_complete(analysis, arena, groups.parts, groups.n_parts);
    const struct expression *rows = expression_and(arena, analysis->cohort, complete);
    MAILLE_TRY(groups_tally(spec, analysis->cohort, NULL, false, error));
    MAILLE_TRY(groups_tally(spec, rows, groups_code(&groups, arena, NULL), false, error));
out:
    return code;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    (void)iteration;
    struct groups groups;
    int64_t n = 0;
    enum maille_code code;
    MAILLE_TRY(count_groups(&groups, analysis, outcome->arena, error));
    int64_t *counts = arena_array(outcome->arena, groups.n, sizeof *counts);
    for (size_t i = 0; i < groups.n; i++)
        n += counts[i] = totals_count(totals, BLOCK_CELLS, i);
    int64_t n_cohort = totals_count(totals, BLOCK_COHORT, 0);
    if (n == 0) {
        code = wording_nobody(error, n_cohort);
        goto out;
    }
    groups_note_dropped(&groups, counts, outcome);
    struct result *list = result_add_list(outcome->result, "groups");
    for (size_t i = 0; i < groups.n; i++) {
        if (counts[i] == 0)
            continue;
        struct result *row = result_add_object(list, NULL);
        groups_add_names(&groups, i, row);
        result_add_integer(row, "n", counts[i]);
    }
    outcome->n = n;
    outcome->n_missing = n_cohort - n;
    *done = true;
out:
    return code;
}

const struct method method_count = {
    .declared = {.name = "count", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
