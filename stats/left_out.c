#include "stats/left_out.h"

#include "stats/guard.h"
#include "stats/wording.h"

static const struct expression *fate(struct arena *arena)
{
    return expression_survival(arena, OP_SURV_FATE, FATES_LEFT_OUT);
}

enum maille_code left_out_cells(struct cells *cells, const struct expression *rows, struct arena *arena,
                                struct maille_error *error)
{
    return groups_cell(cells, CELL_MISSING, rows, fate(arena), error);
}

size_t left_out_find(const struct cells *cells)
{
    for (size_t b = 0; b < cells->spec.n_blocks; b++) {
        const struct expression *group = cells->spec.blocks[b].group;
        if (cells->rules[b] == CELL_MISSING && group != NULL && group->op == OP_SURV_FATE)
            return b;
    }
    return SIZE_MAX;
}

enum maille_code left_out_tally(struct tally_spec *spec, const struct expression *rows, size_t cells_block,
                                struct arena *arena, struct maille_error *error)
{
    return groups_tally(spec, guard_each(arena, cells_block), rows, fate(arena), error);
}

void left_out_warn(struct outcome *outcome, const struct totals *totals, size_t block,
                   const struct surviving *surviving, size_t cells_block)
{
    for (size_t i = 0; i < FATES_LEFT_OUT; i++) {
        const char *why = tally_fate_words((enum tally_fate)i);
        bool kept = surviving_kept(surviving, cells_block, i);
        const int64_t n = totals_count(totals, block, i);
        if (!kept)
            wording_warn(outcome, "rows may be left out, how many is withheld: of each, %s", why);
        else if (n > 0)
            wording_warn(outcome, "%s left out: %s%s", wording_rows(outcome, surviving, n),
                         n == 1 && surviving_rounded(surviving, n) == 1 ? "" : "of each, ", why);
    }
}
