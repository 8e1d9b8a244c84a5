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

enum { BLOCK_MISSING, BLOCK_CELLS };

static enum maille_code count_groups(struct groups *groups, struct cohort_rows *cohort,
                                     const struct analysis *analysis, struct arena *arena,
                                     struct maille_error *error)
{
    enum maille_code code = groups_of_by(groups, analysis, error);
    const struct query_value *variables = &analysis->values[KEY_COUNT_VARIABLES];
    for (size_t i = 0; code == MAILLE_OK && i < variables->n; i++)
        code = groups_add_any(groups, arena, variables->names[i], variables->expressions[i], error);
    if (code == MAILLE_OK)
        cohort_rows(cohort, analysis, arena, groups->parts, groups->n_parts);
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct groups groups;
    struct cohort_rows cohort;
    return count_groups(&groups, &cohort, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct groups groups;
    struct cohort_rows cohort;
    enum maille_code code;
    MAILLE_TRY(count_groups(&groups, &cohort, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_TABLE, cohort.rows, groups_code(&groups, arena, NULL), error));
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
    struct cohort_rows cohort;
    enum maille_code code;
    MAILLE_TRY(count_groups(&groups, &cohort, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &cohort, error));
    MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_OWN), cohort.rows,
                            groups_code(&groups, arena, NULL), error));
out:
    return code;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    const struct surviving *surviving = iteration->surviving;
    struct groups groups;
    struct cohort_rows cohort;
    int64_t n = 0;
    size_t n_hidden = 0;
    enum maille_code code;
    MAILLE_TRY(count_groups(&groups, &cohort, analysis, outcome->arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, surviving);
    int64_t *counts = arena_array(outcome->arena, groups.n, sizeof *counts);
    for (size_t i = 0; i < groups.n; i++) {
        n += counts[i] = totals_count(totals, BLOCK_CELLS, i);
        n_hidden += !surviving_kept(surviving, CELLS_OWN, i);
    }
    if (n == 0 && n_hidden == 0) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    groups_note_dropped(&groups, counts, surviving_mask(surviving, CELLS_OWN), outcome);
    struct result *list = result_add_list(outcome->result, "groups");
    for (size_t i = 0; i < groups.n; i++) {
        bool kept = surviving_kept(surviving, CELLS_OWN, i);
        if (kept && counts[i] == 0)
            continue;
        struct result *row = result_add_object(list, NULL);
        groups_add_names(&groups, i, row);
        groups_add_count(outcome, row, "n", counts[i], kept);
    }
    outcome->n = n;
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_count = {
    .declared = {.name = "count", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .words = {.name = "Counts", .sentence = "Head counts by group.", .r = "table()"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
