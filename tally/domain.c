/* Which specs can meet a domain error: a function of the dictionary's bounds, never of a patient. */
#include "tally/program.h"
#include "tally/tally.h"

enum { SURVIVAL_ROOTS = 4, BLOCK_ROOTS = 5 };

enum maille_code tally_spec_may_fail(bool *may_fail, const struct tally_spec *spec,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct program program = {0};
    struct arena *arena = arena_new();
    size_t n = 0, room = SURVIVAL_ROOTS;
    bool found = false;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to compile a question, found none");
    for (size_t b = 0; b < spec->n_blocks; b++)
        room += BLOCK_ROOTS + spec->blocks[b].n_terms;
    const struct expression **roots = arena_array(arena, room, sizeof *roots);
    if (spec->survival.stop != NULL) {
        roots[n++] = spec->survival.filter;
        roots[n++] = spec->survival.start;
        roots[n++] = spec->survival.stop;
        roots[n++] = spec->survival.event;
    }
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        roots[n++] = block->filter;
        roots[n++] = block->group;
        roots[n++] = block->weight;
        roots[n++] = block->arms;
        roots[n++] = block->eta;
        for (size_t i = 0; i < block->n_terms; i++)
            roots[n++] = block->terms[i];
        if (block->kind == TALLY_OWN && block->own->over != NULL && !found)
            MAILLE_TRY(tally_spec_may_fail(&found, block->own->over, error));
    }
    MAILLE_TRY(program_compile(&program, arena, roots, n, false, error));
    for (uint32_t i = 0; i < program.n_instructions; i++)
        found = found || program.instructions[i].may_fail;
    *may_fail = found;
out:
    arena_free(arena);
    return code;
}
