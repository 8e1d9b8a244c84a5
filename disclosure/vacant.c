/* Cells that nobody can be in, by public facts alone. They are the only ones of which "nobody" is no news:
 * all others are hidden, or refuse, where nobody is there, as where few are. */
#include <string.h>

#include "disclosure/suppress.h"

/* Only a block without anybody somewhere needs to be looked at. */
static bool may_be_vacant(const struct judge *judge, const struct threshold_block *block)
{
    if (block->counts == THRESHOLD_ABSENT)
        return true;
    for (size_t i = 0; i < block->n_cells; i++)
        if (threshold_word(judge->first, block->counts + i) == 0)
            return true;
    return false;
}

/* Is anybody in it all the same? A dictionary that is wrong shows nobody. */
static bool anybody(const struct judge *judge, const struct threshold_block *block, size_t cell)
{
    const size_t n = block->n_cells / block->n_groups;
    for (size_t i = cell * n; block->counts != THRESHOLD_ABSENT && i < (cell + 1) * n; i++)
        if (threshold_word(judge->first, block->counts + i) != 0)
            return true;
    return false;
}

/* What values of the dictionary can be in the cells of the only member: a cell that none can is vacant. */
static void find_in(bool *vacant, const struct tree *tree, const struct system *system, size_t n)
{
    const struct member *member = &system->members[0];
    const struct clique *clique = &tree->cliques[member->clique];
    uint32_t *classes = arena_array(system->arena, system->n_attributes + 1, sizeof *classes);
    memset(vacant, 1, n * sizeof *vacant);
    for (size_t cell = 0; cell < clique->n_cells; cell++) {
        if (!clique->valid[cell])
            continue;
        tree_classes(system, clique, cell, classes);
        const size_t number = system_number(system, member, classes);
        if (number != SUPPRESS_NONE)
            vacant[system->numbers[number].cell] = false;
    }
}

enum maille_code vacant_find(struct judge *judge, size_t k, struct maille_error *error)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        const struct threshold_block *block = &analysis->blocks[b];
        struct system system;
        struct tree tree = {0};
        if (!may_be_vacant(judge, block))
            continue;
        struct arena *arena = arena_new();
        if (arena == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory to judge a cell, found none");
        system_build_block(&system, judge, k, b, arena);
        if (tree_build(&tree, &system) && system.members[0].clique != SUPPRESS_NONE) {
            judge->vacant[k][b] = arena_array(judge->plan->arena, block->n_cells, sizeof(bool));
            find_in(judge->vacant[k][b], &tree, &system, block->n_groups);
            for (size_t i = 0; i < block->n_groups; i++)
                judge->vacant[k][b][i] = judge->vacant[k][b][i] && !anybody(judge, block, i);
        }
        arena_free(arena);
    }
    return MAILLE_OK;
}
