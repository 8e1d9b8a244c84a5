/* attrition: how many rows are left after each criterion, in the order of the study, as the flow diagram
 * of a trial or cohort shows them (STROBE, von Elm and others, Lancet 2007;370:1453, item 13; TARGET, JAMA
 * 2025;334:1013).
 *
 * Round 1: n per group of `by` of
 *   begins       the cohort,
 *   excluded k   who meets criteria 1 … k − 1 and not the k-th,
 *   left k       who meets criteria 1 … k.
 * of the rows that miss no criterion: else who misses one would follow from these and from other analyses.
 * Each is counted by itself, so that no difference of two counts is a third. */
#include <string.h>

#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_ATTRITION_CRITERIA, CRITERIA_MAX = 12 };

static const struct query_key keys[] = {
    [KEY_ATTRITION_CRITERIA] =
        {.name = "criteria",
         .kind = KEY_VARIABLES,
         .required = true,
         .n_min = 1,
         .n_max = CRITERIA_MAX,
         .sentence = "What a patient must meet, in the order in which it is asked: booleans, such as "
                     "derived conditions. Who misses one is counted as missing."},
};

enum { BLOCK_MISSING, BLOCK_TABLES };

struct attrition {
    struct cohort_rows cohort;
    struct groups by;
    size_t n; /* criteria */
    const char *const *names;
    const struct expression *excluded[CRITERIA_MAX], *left[CRITERIA_MAX]; /* rows */
};

/* --- what is asked --- */

static enum maille_code attrition_of(struct attrition *a, const struct analysis *analysis,
                                     struct arena *arena, struct maille_error *error)
{
    const struct query_value *criteria = &analysis->values[KEY_ATTRITION_CRITERIA];
    enum maille_code code = MAILLE_OK;
    *a = (struct attrition){.n = criteria->n, .names = criteria->names};
    const struct expression *needed[GROUPS_PARTS_MAX + CRITERIA_MAX];
    MAILLE_TRY(groups_of_by(&a->by, analysis, error));
    for (size_t k = 0; k < a->n; k++)
        if (criteria->expressions[k]->kind != EXPRESSION_BOOLEAN) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected booleans as `criteria`, found `%s`: derive a condition of it",
                               a->names[k]);
            goto out;
        }
    memcpy(needed, a->by.parts, a->by.n_parts * sizeof *needed);
    memcpy(needed + a->by.n_parts, criteria->expressions, a->n * sizeof *needed);
    cohort_rows(&a->cohort, analysis, arena, needed, a->by.n_parts + a->n);
    const struct expression *rows = a->cohort.rows;
    for (size_t k = 0; k < a->n; k++) {
        const struct expression *met = criteria->expressions[k];
        a->excluded[k] = expression_and(arena, rows, expression_unary(arena, OP_NOT, met));
        a->left[k] = rows = expression_and(arena, rows, met);
    }
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct attrition attrition;
    return attrition_of(&attrition, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* Rows of table i: the cohort, then excluded and left of each criterion. */
static const struct expression *rows_of(const struct attrition *a, size_t i)
{
    if (i == 0)
        return a->cohort.rows;
    return (i % 2 == 1 ? a->excluded : a->left)[(i - 1) / 2];
}

static size_t n_tables(const struct attrition *a)
{
    return 1 + 2 * a->n;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct attrition a;
    enum maille_code code;
    MAILLE_TRY(attrition_of(&a, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &a.cohort, error));
    for (size_t i = 0; i < n_tables(&a); i++)
        MAILLE_TRY(groups_cell(out, CELL_TABLE, rows_of(&a, i), groups_code(&a.by, arena, NULL), error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct attrition a;
    enum maille_code code;
    MAILLE_TRY(attrition_of(&a, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &a.cohort, error));
    for (size_t i = 0; i < n_tables(&a); i++)
        MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_OWN + i), rows_of(&a, i),
                                groups_code(&a.by, arena, NULL), error));
out:
    return code;
}

/* --- the result --- */

struct counted {
    const struct totals *totals;
    const struct surviving *surviving;
    struct attrition attrition;
};

static bool is_kept(const struct counted *c, size_t table, size_t group)
{
    return surviving_kept(c->surviving, CELLS_OWN + table, group);
}

static int64_t count_of(const struct counted *c, size_t table, size_t group)
{
    return totals_count(c->totals, BLOCK_TABLES + table, group);
}

/* Step k of a group: 0 is its beginning, which excludes nobody. */
static void add_step(struct result *list, const struct counted *c, size_t k, size_t group,
                     struct outcome *outcome)
{
    const size_t table = 2 * k;
    const bool kept = is_kept(c, table, group);
    const int64_t n = count_of(c, table, group), all = count_of(c, 0, group);
    struct result *row = result_add_object(list, NULL);
    groups_add_names(&c->attrition.by, group, row);
    result_add_string(row, "criterion", k == 0 ? NULL : c->attrition.names[k - 1]);
    if (k == 0)
        result_add_null(row, "excluded");
    else
        groups_add_count(outcome, row, "excluded", count_of(c, table - 1, group),
                         is_kept(c, table - 1, group));
    groups_add_count(outcome, row, "n", n, kept);
    if (kept && is_kept(c, 0, group) && all > 0)
        result_add_share(row, "share", (double)n, (double)all);
    else
        result_add_null(row, "share");
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct arena *arena = outcome->arena;
    struct counted c = {.totals = totals, .surviving = iteration->surviving};
    int64_t n = 0;
    bool hidden = false;
    enum maille_code code;
    MAILLE_TRY(attrition_of(&c.attrition, analysis, arena, error));
    const struct groups *by = &c.attrition.by;
    groups_cohort_read(outcome, totals, BLOCK_MISSING, iteration->surviving);
    int64_t *begins = arena_array(arena, by->n, sizeof *begins);
    for (size_t group = 0; group < by->n; group++) {
        n += begins[group] = count_of(&c, 0, group);
        hidden = hidden || !is_kept(&c, 0, group);
    }
    if (n == 0 && !hidden) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    groups_note_dropped(by, begins, surviving_mask(iteration->surviving, CELLS_OWN), outcome);
    struct result *list = result_add_list(outcome->result, "steps");
    for (size_t group = 0; group < by->n; group++) {
        if (begins[group] == 0 && is_kept(&c, 0, group))
            continue;
        for (size_t k = 0; k <= c.attrition.n; k++)
            add_step(list, &c, k, group, outcome);
    }
    outcome->n = n;
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_attrition = {
    .declared = {.name = "attrition", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .words = {.name = "Attrition",
              .sentence = "Patients left and excluded after each criterion, as a flow diagram shows them.",
              .r = "cumprod(), table()",
              .source = "von Elm and others, Lancet 2007;370:1453 (STROBE)"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
