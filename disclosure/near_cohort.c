/* The cohort of an analysis beside that of another, by what both say. */
#include "disclosure/near.h"
#include "stats/methods.h"

bool near_cohort(struct near_group *group, const struct analysis *analysis, struct arena *arena)
{
    struct maille_error ignored;
    struct parts parts;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    if (method_cells(analysis, arena, cells, &ignored) != MAILLE_OK ||
        parts_read(&parts, cells, analysis->study->dictionary, arena, &ignored) != MAILLE_OK)
        return false;
    return near_group_of(group, &parts.list[0], arena);
}
