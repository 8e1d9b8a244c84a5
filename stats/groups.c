#include "stats/groups.h"

#include <string.h>

#include "stats/wording.h"

void groups_init(struct groups *groups)
{
    memset(groups, 0, sizeof *groups);
    groups->n = 1;
}

enum maille_code groups_add(struct groups *groups, const char *name, const struct expression *code,
                            struct maille_error *error)
{
    if (groups->n_parts == GROUPS_PARTS_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected at most %d categories to be crossed, found more",
                           GROUPS_PARTS_MAX);
    if (code->n_levels > TALLY_GROUPS_MAX / groups->n)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected at most %d cells, found more when `%s` is crossed: use fewer or coarser categories",
            TALLY_GROUPS_MAX, name);
    groups->parts[groups->n_parts] = code;
    groups->names[groups->n_parts++] = name;
    groups->n *= code->n_levels;
    return MAILLE_OK;
}

enum maille_code groups_add_any(struct groups *groups, struct arena *arena, const char *name,
                                const struct expression *expression, struct maille_error *error)
{
    const struct expression *code_of = NULL;
    enum maille_code code = expression_as_code(&code_of, arena, expression, error);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "`%s`", name);
        return code;
    }
    return groups_add(groups, name, code_of, error);
}

enum maille_code groups_of_by(struct groups *groups, const struct analysis *analysis,
                              struct maille_error *error)
{
    groups_init(groups);
    for (size_t i = 0; i < analysis->n_by; i++) {
        enum maille_code code = groups_add(groups, analysis->by_names[i], analysis->by[i], error);
        if (code != MAILLE_OK)
            return code;
    }
    return MAILLE_OK;
}

const struct expression *groups_code(const struct groups *groups, struct arena *arena,
                                     const struct expression *inner)
{
    const struct expression *parts[GROUPS_PARTS_MAX + 1];
    size_t n = 0;
    for (; n < groups->n_parts; n++)
        parts[n] = groups->parts[n];
    if (inner != NULL)
        parts[n++] = inner;
    if (n == 0)
        return NULL;
    return n == 1 ? parts[0] : expression_cross(arena, parts, n);
}

size_t groups_level_of(const struct groups *groups, size_t cell, size_t part)
{
    for (size_t i = groups->n_parts - 1; i > part; i--)
        cell /= groups->parts[i]->n_levels;
    return cell % groups->parts[part]->n_levels;
}

const char *groups_level_name(const struct groups *groups, struct arena *arena, size_t part, size_t level)
{
    const struct expression *code = groups->parts[part];
    if (code->levels != NULL)
        return code->levels[level];
    char number[32];
    number_format_double(number, code->value + (double)level);
    return arena_strdup(arena, number);
}

void groups_add_names(const struct groups *groups, size_t cell, struct result *row)
{
    const char *by = NULL, *level = NULL;
    for (size_t i = 0; i < groups->n_parts; i++) {
        const char *name = groups_level_name(groups, row->arena, i, groups_level_of(groups, cell, i));
        by = i == 0 ? groups->names[i] : arena_printf(row->arena, "%s,%s", by, groups->names[i]);
        level = i == 0 ? name : arena_printf(row->arena, "%s,%s", level, name);
    }
    result_add_string(row, "by", by);
    result_add_string(row, "level", level);
}

const char *groups_stratum(const struct groups *groups, struct arena *arena, size_t cell)
{
    const char *text = "all";
    for (size_t i = 0; i < groups->n_parts; i++) {
        const char *level = groups_level_name(groups, arena, i, groups_level_of(groups, cell, i));
        text = i == 0 ? arena_printf(arena, "%s=%s", groups->names[i], level)
                      : arena_printf(arena, "%s, %s=%s", text, groups->names[i], level);
    }
    return text;
}

void groups_note_dropped(const struct groups *groups, const int64_t *counts, const uint8_t *kept,
                         struct outcome *outcome)
{
    for (size_t part = 0; part < groups->n_parts; part++) {
        const struct expression *code = groups->parts[part];
        if (code->op == OP_CODE_OF) /* the values of a number: nobody expects every one of them */
            continue;
        bool *seen = arena_array(outcome->arena, code->n_levels, sizeof *seen);
        for (size_t cell = 0; cell < groups->n; cell++)
            if (counts[cell] > 0 || (kept != NULL && kept[cell] == 0))
                seen[groups_level_of(groups, cell, part)] = true;
        for (size_t level = 0; level < code->n_levels; level++)
            if (!seen[level])
                result_add_string(outcome->dropped_levels, NULL,
                                  arena_printf(outcome->arena, "%s=%s", groups->names[part],
                                               groups_level_name(groups, outcome->arena, part, level)));
    }
}

enum maille_code groups_tally(struct tally_spec *spec, const struct guard *guard,
                              const struct expression *filter, const struct expression *code,
                              struct maille_error *error)
{
    struct tally_block *block = tally_spec_add(spec);
    if (block == NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected at most %d tables in one analysis, found more: split it into several",
                           TALLY_BLOCKS_MAX);
    block->kind = TALLY_MOMENTS;
    block->guard = guard;
    block->filter = filter;
    block->group = code;
    return MAILLE_OK;
}

enum maille_code groups_sums(struct tally_spec *spec, const struct guard *guard,
                             const struct expression *filter, const struct expression *code,
                             const struct expression *weight, const struct expression *const *terms,
                             size_t n_terms, struct maille_error *error)
{
    enum maille_code status = groups_tally(spec, guard, filter, code, error);
    if (status != MAILLE_OK)
        return status;
    struct tally_block *block = &spec->blocks[spec->n_blocks - 1];
    block->weight = weight;
    block->terms = terms;
    block->n_terms = n_terms;
    block->order = n_terms > 0;
    return MAILLE_OK;
}

enum maille_code groups_cell(struct cells *cells, enum cell_rule rule, const struct expression *filter,
                             const struct expression *code, struct maille_error *error)
{
    size_t index = cells->spec.n_blocks;
    enum maille_code status = groups_tally(&cells->spec, NULL, filter, code, error);
    if (status == MAILLE_OK) {
        cells->spec.blocks[index].distinct = true;
        cells->rules[index] = rule;
    }
    return status;
}

/* --- rows, and those that miss something --- */

enum cell_rule cells_missing_rule(const struct expression *missing)
{
    return expression_is_partial(missing) ? CELL_OUTSIDE : CELL_MISSING;
}

void cohort_rows(struct cohort_rows *cohort, const struct analysis *analysis, struct arena *arena,
                 const struct expression *const *extra, size_t n)
{
    const struct expression *complete = analysis_complete(analysis, arena, extra, n);
    cohort->rows = expression_and(arena, analysis->cohort, complete);
    cohort->missing = expression_and(arena, analysis->cohort, expression_unary(arena, OP_NOT, complete));
}

enum maille_code groups_cohort_cells(struct cells *cells, const struct cohort_rows *cohort,
                                     struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(groups_cell(cells, CELL_COHORT, cohort->rows, NULL, error));
    MAILLE_TRY(groups_cell(cells, cells_missing_rule(cohort->missing), cohort->missing, NULL, error));
out:
    return code;
}

enum maille_code groups_cohort_tally(struct tally_spec *spec, const struct cohort_rows *cohort,
                                     struct maille_error *error)
{
    return groups_tally(spec, &guard_missing, cohort->missing, NULL, error);
}

void groups_cohort_read(struct outcome *outcome, const struct totals *totals, size_t block,
                        const struct surviving *surviving)
{
    bool kept = surviving_kept(surviving, CELLS_MISSING, 0);
    outcome->n_missing = kept ? totals_count(totals, block, 0) : -1;
}

/* --- what did not survive --- */

void groups_add_count(struct outcome *outcome, struct result *to, const char *name, int64_t count, bool kept)
{
    if (kept) {
        result_add_count(to, name, count);
        return;
    }
    result_add_null(to, name);
    outcome->suppressed++;
}

void groups_warn_suppressed(struct outcome *outcome)
{
    if (outcome->suppressed > 0)
        wording_warn(outcome, "numbers are withheld, for too few patients or so that others cannot be worked "
                              "out: n, margins and shares are of the cells that are shown");
}

void groups_moment(struct cells *cells, struct arena *arena, size_t block, const struct expression *x,
                   const struct expression *weight, unsigned powers)
{
    struct cells_moment *all = arena_array(arena, cells->n_moments + 2, sizeof *all);
    if (cells->n_moments > 0)
        memcpy(all, cells->moments, cells->n_moments * sizeof *all);
    all[cells->n_moments++] =
        (struct cells_moment){.block = block, .x = x, .weight = weight, .powers = powers};
    if (weight != NULL) /* a weighted sum and its mean tell the sum of the weights */
        all[cells->n_moments++] =
            (struct cells_moment){.block = block, .x = weight, .powers = 1, .of_model = true};
    cells->moments = all;
}

static bool is_same(const struct expression *a, const struct expression *b)
{
    return a == b || (a != NULL && b != NULL && a->op == OP_VARIABLE && b->op == OP_VARIABLE &&
                      a->variable == b->variable);
}

/* Each once. */
static void add_share(struct cells *cells, struct arena *arena, struct cells_share share)
{
    for (size_t s = 0; s < cells->n_shares; s++) {
        const struct cells_share *other = &cells->shares[s];
        if (other->block == share.block && other->from_zero == share.from_zero &&
            is_same(other->x, share.x) && is_same(other->weight, share.weight))
            return;
    }
    struct cells_share *all = arena_array(arena, cells->n_shares + 1, sizeof *all);
    if (cells->n_shares > 0)
        memcpy(all, cells->shares, cells->n_shares * sizeof *all);
    all[cells->n_shares++] = share;
    cells->shares = all;
}

void groups_share(struct cells *cells, struct arena *arena, size_t block, const struct expression *x,
                  const struct expression *weight)
{
    add_share(cells, arena, (struct cells_share){.block = block, .x = x, .weight = weight});
    if (weight != NULL)
        groups_share_weights(cells, arena, block, weight);
}

void groups_share_weights(struct cells *cells, struct arena *arena, size_t block,
                          const struct expression *weight)
{
    add_share(cells, arena, (struct cells_share){.block = block, .x = weight, .from_zero = true});
}

void groups_share_as(struct cells *cells, struct arena *arena, size_t block, const struct cells_share *share)
{
    struct cells_share same = *share;
    same.block = block;
    add_share(cells, arena, same);
}
