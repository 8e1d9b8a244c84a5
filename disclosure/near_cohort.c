/* The cohort of an analysis beside that of another, by what both say. */
#include <string.h>

#include "disclosure/near.h"
#include "stats/methods.h"

bool near_cohort(struct near_group *group, const struct analysis *analysis, struct arena *arena)
{
    struct maille_error ignored;
    struct parts parts;
    struct bytes bytes = {0};
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    if (method_cells(analysis, arena, cells, &ignored) != MAILLE_OK ||
        parts_read(&parts, cells, analysis->study->dictionary, arena, &ignored) != MAILLE_OK)
        return false;
    near_write(&bytes, &parts.list[0]);
    const bool whole = !bytes.failed;
    uint8_t *kept = arena_alloc(arena, bytes.length + 1);
    if (bytes.length > 0)
        memcpy(kept, bytes.data, bytes.length);
    const struct byte_view view = {kept, bytes.length};
    bytes_clear(&bytes);
    return whole && near_read(group, view, arena);
}
