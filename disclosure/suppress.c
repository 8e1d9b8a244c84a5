/* Complementary suppression: which further cells are hidden so that none that was hidden for its own sake
 * follows from the rest. A cell is safe where the least and the greatest that it can be, to somebody who has
 * everything that is released, lie min_cell apart (Willenborg and de Waal, Elements of Statistical Disclosure
 * Control, 2001, ch. 8; the program of the cheapest cells is that of Kelly, Golden and Assad, Networks
 * 1992;22:397). */
#include "disclosure/suppress.h"

#include <math.h>

static bool any_target(const struct judge *judge)
{
    for (size_t k = 0; k < judge->plan->n; k++) {
        const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
        if (!analysis->open || plan_refused(judge, k))
            continue;
        for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++)
            for (size_t i = 0;
                 (analysis->blocks[b].rule == CELL_TABLE || analysis->blocks[b].rule == CELL_OUTSIDE) &&
                 i < analysis->blocks[b].n_cells;
                 i++)
                if (!judge->kept[k][b][i])
                    return true;
    }
    return false;
}

/* An analysis of whose tables nothing is left but zeros is refused: to hide cells of others for it would be
 * for nothing. */
static void refuse_empty(struct judge *judge, size_t k)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    size_t n_hidden = 0, n_left = 0;
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        const struct threshold_block *block = &analysis->blocks[b];
        for (size_t i = 0; block->rule == CELL_TABLE && i < block->n_cells; i++) {
            bool nobody =
                block->counts != THRESHOLD_ABSENT && threshold_word(judge->first, block->counts + i) == 0;
            n_hidden += !judge->kept[k][b][i];
            n_left += judge->kept[k][b][i] && !nobody;
        }
    }
    if (n_hidden > 0 && n_left == 0)
        plan_refuse(judge, k, "min_cell");
}

/* Refuses the analysis with the most hidden cells: what is asked at once is too much to be judged. */
static void refuse_most_hidden(const struct system *system)
{
    size_t worst = 0, most = 0;
    for (size_t k = 0; k < system->judge->plan->n; k++) {
        size_t hidden = 0;
        for (size_t i = 0; i < system->n_numbers; i++)
            hidden += system->numbers[i].analysis == k && system->numbers[i].target;
        if (hidden > most) {
            worst = k;
            most = hidden;
        }
    }
    plan_refuse(system->judge, worst, "min_cell");
}

/* Nothing of a refused analysis is released, and nothing of it must be protected. */
static void refuse(struct system *system, struct bounds_program *program, size_t analysis)
{
    plan_refuse(system->judge, analysis, "min_cell");
    for (size_t i = 0; i < system->n_numbers; i++)
        if (system->numbers[i].analysis == analysis) {
            system->numbers[i].target = false;
            suppress_lp_drop(program, i);
        }
}

/* Hides a cell of a table, and with it what is shown of its patients. */
static void hide(struct system *system, struct bounds_program *program, size_t cell)
{
    const struct number *number = &system->numbers[cell];
    system->judge->kept[number->analysis][number->block][number->cell] = 0;
    for (size_t i = 0; i < system->n_numbers; i++)
        if (i == cell || system->numbers[i].owner == cell)
            suppress_lp_drop(program, i);
}

/* Gives up the changed numbers: cells of tables are hidden; where a model's n or levels would have to go, the
 * later of the two analyses is refused. */
static void give_up(struct system *system, struct bounds_program *program, size_t target, const bool *changed)
{
    const size_t own = system->numbers[target].analysis;
    for (size_t i = 0; i < system->n_numbers; i++)
        if (changed[i] && !system->numbers[i].hideable && system->numbers[i].analysis <= own) {
            refuse(system, program, own);
            return;
        }
    for (size_t i = 0; i < system->n_numbers; i++) {
        const struct number *number = &system->numbers[i];
        if (!changed[i] || plan_refused(system->judge, number->analysis))
            continue;
        if (!number->hideable) {
            refuse(system, program, number->analysis);
            continue;
        }
        hide(system, program, number->owner == SUPPRESS_NONE ? i : number->owner);
    }
}

static enum maille_code unbounded_find(bool *unbounded, const struct tree *tree, const struct system *system,
                                       struct maille_error *error)
{
    struct arena *scratch = arena_new();
    if (scratch == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to judge a release, found none");
    tree_unbounded(unbounded, tree, system, scratch);
    arena_free(scratch);
    return MAILLE_OK;
}

/* One hidden cell that something bounds: gives up what makes it safe, or its analysis. */
static enum maille_code protect(struct system *system, struct bounds_program *program,
                                const struct tree *tree, bool *unbounded, size_t target,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *scratch = arena_new();
    if (scratch == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to judge a cell, found none");
    bool *changed = arena_array(scratch, system->n_numbers, sizeof *changed);
    int64_t width = (int64_t)ceil(fmax(1, system->judge->policy->min_cell));
    double low = 0;
    if (suppress_lp_safe(&low, program, target, width))
        goto out;
    if (suppress_lp_widen(changed, program, target, low + (double)width))
        give_up(system, program, target, changed);
    MAILLE_TRY(unbounded_find(unbounded, tree, system, error));
    if (system->numbers[target].target && !unbounded[target] &&
        !suppress_lp_safe(&low, program, target, width)) {
        refuse(system, program, system->numbers[target].analysis);
        MAILLE_TRY(unbounded_find(unbounded, tree, system, error));
    }
out:
    arena_free(scratch);
    return code;
}

/* One pass over the release as it stands. *assumes: whether the n of every table is taken as known; false
 * comes back where patients are in several cells. */
static enum maille_code suppress_once(struct judge *judge, bool *assumes, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = NULL;
    struct bounds_program *program = NULL;
    struct system system;
    struct tree tree;
    bool built = false;
    while (!built && any_target(judge)) {
        arena_free(arena);
        arena = arena_new();
        if (arena == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory to judge a release, found none");
        system_build(&system, judge, arena);
        tree = (struct tree){0};
        built = tree_build(&tree, &system);
        if (!built)
            refuse_most_hidden(&system);
    }
    if (!built)
        goto out;
    if (!*assumes)
        system_assume_nothing(&system);
    bool *unbounded = arena_array(arena, system.n_numbers, sizeof *unbounded);
    MAILLE_TRY(unbounded_find(unbounded, &tree, &system, error));
    for (size_t i = 0; i < system.n_numbers; i++) {
        if (!system.numbers[i].target || unbounded[i])
            continue;
        if (program == NULL) {
            MAILLE_TRY(suppress_lp_new(&program, &tree, &system, judge->threshold->scope == CELL_SCOPE_TOTAL,
                                       error));
            MAILLE_TRY(unbounded_find(unbounded, &tree, &system, error)); /* of what is still assumed */
            if (unbounded[i])
                continue;
        }
        MAILLE_TRY(protect(&system, program, &tree, unbounded, i, error));
    }
    *assumes = system.assumes;
out:
    suppress_lp_free(program);
    arena_free(arena);
    return code;
}

/* --- where n cannot be in the sums --- */

/* The cell that goes with the only hidden one of a table: the smallest that is not empty; under a local rule,
 * where nobody knows the counts, the next. SUPPRESS_NONE: there is none. */
static size_t companion_of(const struct judge *judge, const struct threshold_block *block,
                           const uint8_t *kept, size_t hidden)
{
    size_t best = SUPPRESS_NONE;
    int64_t least = INT64_MAX;
    if (block->counts == THRESHOLD_ABSENT)
        return block->n_cells > 1 ? (hidden + 1) % block->n_cells : SUPPRESS_NONE;
    for (size_t i = 0; i < block->n_cells; i++) {
        int64_t count = threshold_word(judge->first, block->counts + i);
        if (!kept[i] || count == 0 || count >= least)
            continue;
        best = i;
        least = count;
    }
    return best;
}

/* Whoever knows n has the only hidden cell of a table: no table hides one alone. Without counts, or where
 * patients are in several cells, that is no sum that could be judged with the others. Returns whether there
 * was such a table. */
static bool hide_companions(struct judge *judge)
{
    bool any = false;
    for (size_t k = 0; k < judge->plan->n; k++) {
        const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
        for (size_t b = 0; analysis->open && !plan_refused(judge, k) && b < analysis->cells->spec.n_blocks;
             b++) {
            const struct threshold_block *block = &analysis->blocks[b];
            uint8_t *kept = judge->kept[k][b];
            size_t n_hidden = 0, hidden = 0;
            for (size_t i = 0; block->rule == CELL_TABLE && i < block->n_cells; i++)
                if (!kept[i]) {
                    n_hidden++;
                    hidden = i;
                }
            size_t companion = n_hidden == 1 ? companion_of(judge, block, kept, hidden) : SUPPRESS_NONE;
            if (companion == SUPPRESS_NONE)
                continue;
            kept[companion] = 0;
            any = true;
        }
    }
    return any;
}

static void refuse_all_empty(struct judge *judge)
{
    for (size_t k = 0; k < judge->plan->n; k++)
        if (judge->threshold->analyses[k].open)
            refuse_empty(judge, k);
}

enum maille_code suppress(struct judge *judge, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool assumes = judge->threshold->scope == CELL_SCOPE_TOTAL;
    refuse_all_empty(judge);
    do {
        if (!assumes && hide_companions(judge))
            refuse_all_empty(judge);
        MAILLE_TRY(suppress_once(judge, &assumes, error));
    } while (!assumes && hide_companions(judge));
    refuse_all_empty(judge);
out:
    return code;
}
