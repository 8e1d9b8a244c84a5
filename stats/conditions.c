#include "stats/conditions.h"

#include "stats/groups.h"
#include "stats/wording.h"

/* --- rows that are counted --- */

struct condition {
    const struct expression *rows, *why; /* BOOLEAN: who misses something; of these, whom this costs */
    const char *words;
};
enum { CONDITIONS_MAX = 2 };

/* Intervals that the dictionary's order does not keep from being negative, each pair of dates once. */
struct intervals {
    const struct expression *found[16];
    size_t n;
};

static void find_intervals(struct intervals *intervals, const struct expression *e)
{
    if (e->op == OP_INTERVAL && !e->flag) {
        for (size_t i = 0; i < intervals->n; i++)
            if (intervals->found[i]->args[0]->variable == e->args[0]->variable &&
                intervals->found[i]->args[1]->variable == e->args[1]->variable)
                return;
        if (intervals->n < sizeof intervals->found / sizeof *intervals->found)
            intervals->found[intervals->n++] = e;
    }
    for (size_t i = 0; i < e->n_args; i++)
        find_intervals(intervals, e->args[i]);
}

/* Never missing: both dates are there, and the second is before the first. */
static const struct expression *is_negative(const struct expression *interval, struct arena *arena)
{
    return expression_and(arena, expression_complete(arena, interval->args, 2),
                          expression_binary(arena, OP_LT, interval->args[1], interval->args[0]));
}

static bool negative_intervals(struct condition *condition, const struct analysis *analysis,
                               struct arena *arena)
{
    const struct variable *variables = analysis->study->dictionary->variables;
    const struct expression *complete = analysis_complete_own(analysis, arena), *any = NULL;
    struct intervals intervals = {.n = 0};
    const char *names = "";
    find_intervals(&intervals, complete);
    for (size_t i = 0; i < intervals.n; i++) {
        const struct expression *one = intervals.found[i], *negative = is_negative(one, arena);
        any = any == NULL ? negative : expression_binary(arena, OP_OR, any, negative);
        names = arena_printf(arena, "%s%s%s(%s, %s)", names, i > 0 ? " or " : "",
                             one->value == 1 ? "days" : "months", variables[one->args[0]->variable].name,
                             variables[one->args[1]->variable].name);
    }
    *condition = (struct condition){
        .rows = expression_and(arena, analysis->cohort, expression_unary(arena, OP_NOT, complete)),
        .why = any,
        .words = arena_printf(arena,
                              "because %s is below 0 there, which is missing here: the second date is before "
                              "the first; in R, ifelse(to < from, NA, to - from)",
                              names)};
    return any != NULL;
}

/* Under `missing: study` a model loses rows to the other models of its study; with one model there are none.
 */
static bool other_models(struct condition *condition, const struct analysis *analysis, struct arena *arena)
{
    const struct study *study = analysis->study;
    size_t n_models = 0;
    for (size_t i = 0; i < study->n_analyses; i++)
        n_models += study->analyses[i].declared->is_model;
    *condition = (struct condition){
        .rows = expression_and(arena, analysis->cohort,
                               expression_unary(arena, OP_NOT, analysis_complete(analysis, arena, NULL, 0))),
        .why = analysis_complete_own(analysis, arena),
        .words =
            "that this model could use, because they miss a variable of another model of the study "
            "(missing: study); in R, na.omit() of the variables of all models before the first is fitted"};
    return study->missing == MISSING_STUDY && analysis->declared->is_model && n_models > 1;
}

static size_t conditions_of(struct condition *conditions, const struct analysis *analysis,
                            struct arena *arena)
{
    size_t n = 0;
    n += negative_intervals(&conditions[n], analysis, arena);
    n += other_models(&conditions[n], analysis, arena);
    return n;
}

enum maille_code conditions_cells(struct cells *cells, const struct analysis *analysis, struct arena *arena,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct condition conditions[CONDITIONS_MAX];
    size_t n = conditions_of(conditions, analysis, arena), first = cells->spec.n_blocks;
    if (n == 0 || first + n > TALLY_BLOCKS_MAX)
        goto out;
    for (size_t i = 0; i < n; i++) {
        const struct expression *both = NULL;
        MAILLE_TRY(expression_as_code(&both, arena, conditions[i].why, error));
        MAILLE_TRY(
            groups_cell(cells, cells_missing_rule(conditions[i].rows), conditions[i].rows, both, error));
    }
    cells->conditions = first;
out:
    return code;
}

enum maille_code conditions_plan(struct tally_spec *spec, const struct cells *cells,
                                 const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct condition conditions[CONDITIONS_MAX];
    size_t n = cells->conditions == 0 ? 0 : conditions_of(conditions, analysis, arena);
    if (spec->n_blocks + n > TALLY_BLOCKS_MAX)
        goto out;
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(groups_tally(spec, guard_whole(arena, cells->conditions + i),
                                expression_and(arena, conditions[i].rows, conditions[i].why), NULL, error));
out:
    return code;
}

/* The block of a round that a block of head counts guards; n_blocks: none does. */
static size_t guarded_by(const struct tally_spec *spec, size_t block)
{
    size_t b = 0;
    while (b < spec->n_blocks && spec->blocks[b].guard->block != block)
        b++;
    return b;
}

void conditions_read(const struct analysis *analysis, const struct totals *totals, const struct cells *cells,
                     const struct surviving *surviving, struct outcome *outcome)
{
    struct condition conditions[CONDITIONS_MAX];
    size_t n = cells->conditions == 0 ? 0 : conditions_of(conditions, analysis, outcome->arena);
    for (size_t i = 0; i < n; i++) {
        const size_t block = cells->conditions + i, at = guarded_by(totals->spec, block);
        bool kept = surviving_kept(surviving, block, 0) && surviving_kept(surviving, block, 1);
        if (at == totals->spec->n_blocks)
            continue;
        const int64_t rows = totals_count(totals, at, 0);
        if (!kept)
            wording_warn(outcome, "rows may be left out, how many is withheld, %s", conditions[i].words);
        else if (rows > 0)
            wording_warn(outcome, "%s left out %s", wording_rows(outcome, surviving, rows),
                         conditions[i].words);
    }
}

/* --- what needs no count --- */

/* A time whose steps are the dictionary's own is as it is in the data, whatever the grid. */
static void warn_grid(const struct analysis *analysis, struct outcome *outcome)
{
    for (size_t k = 0; k < analysis->declared->n_keys && analysis->study->grid_by_default; k++) {
        const struct formula *formula = analysis->values[k].formula;
        struct time_axis axis;
        if (formula == NULL || formula->kind != RESPONSE_SURVIVAL ||
            analysis_time_axis(&axis, analysis, formula, NULL) != MAILLE_OK || axis.per_bin <= 1)
            continue;
        wording_warn(outcome,
                     "times are on a grid of one %s, which is taken where the study has no `grid`; in R, "
                     "Surv(ceiling(time / %.10g) * %.10g, event)",
                     analysis_grid_name(analysis->study->grid), axis.width, axis.width);
    }
}

void conditions_warn(const struct analysis *analysis, struct outcome *outcome)
{
    warn_grid(analysis, outcome);
}
