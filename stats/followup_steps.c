/* Steps of curves. How many leave in a step of the grid, and of which arm they are or what they weigh, says
 * of one who leaves alone what she is: when somebody died or was last seen is known to many. So steps are
 * joined, in each arm for itself, until each holds enough who leave (CELL_MERGE), and whoever leaves does so
 * at the right edge of the joined step. With weights those who are censored and those who have the event have
 * steps of their own, since d and n are sums of what single patients weigh. Who enters late does so at the
 * left end of a joined step of entries, and from there at the left edge of the joined step of those who
 * leave: she is at risk in all of it. R's counterpart: survfit() on times that were moved in this way. */
#include "stats/followup.h"
#include "stats/steps.h"
#include "stats/wording.h"

static const struct expression *code_of(const struct followup *followup, enum expression_op op,
                                        struct arena *arena)
{
    return groups_code(&followup->cells, arena, expression_survival(arena, op, followup->n_bins));
}

static enum maille_code add_cells(const struct followup *followup, enum expression_op op,
                                  const struct expression *rows, struct arena *arena, struct cells *out,
                                  struct maille_error *error)
{
    out->n_bins[out->spec.n_blocks] = followup->n_bins;
    return groups_cell(out, CELL_MERGE, rows, code_of(followup, op, arena), error);
}

enum maille_code followup_steps_cells(const struct followup *followup, struct arena *arena, struct cells *out,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *rows = followup->cohort.rows,
                            *status = expression_survival(arena, OP_SURV_STATUS, followup->n_status);
    for (uint32_t k = 0; k < (followup->weighted ? followup->n_status : 1); k++)
        MAILLE_TRY(add_cells(
            followup, OP_SURV_EXIT,
            followup->weighted ? expression_and(arena, rows, expression_in_level(arena, status, k)) : rows,
            arena, out, error));
    if (followup->formula->start != NULL)
        MAILLE_TRY(add_cells(followup, OP_SURV_ENTRY, rows, arena, out, error));
out:
    return code;
}

/* to: the bin that each bin of each arm is moved to. places: of the statuses it speaks for; 0: of all. */
static const struct guard *guard_steps(const struct followup *followup, size_t block, const size_t *bins,
                                       uint64_t places, struct arena *arena)
{
    const size_t n = followup->n_bins, all = followup->cells.n * n;
    size_t *to = arena_array(arena, all, sizeof *to);
    for (size_t cell = 0; cell < all; cell++)
        to[cell] = cell - cell % n + bins[cell];
    return guard_joined(arena, block, all, to, places);
}

/* By arm × bin × status. */
static const struct expression *exits_code(const struct followup *followup, struct arena *arena)
{
    const struct expression *parts[] = {expression_survival(arena, OP_SURV_EXIT, followup->n_bins),
                                        expression_survival(arena, OP_SURV_STATUS, followup->n_status)};
    return groups_code(&followup->cells, arena, expression_cross(arena, parts, 2));
}

/* edges: of those who leave, of any status. */
static void join_entries(struct followup *followup, const size_t *edges, size_t block,
                         const struct surviving *surviving, struct arena *arena)
{
    const size_t n = followup->n_bins, n_cells = followup->cells.n;
    const size_t *entries = steps_edges(surviving_mask(surviving, block), n_cells, n, arena);
    size_t *to = steps_entries(edges, entries, n_cells, n, arena);
    double *table = arena_array(arena, n_cells * n, sizeof *table);
    bool moved = false;
    for (size_t i = 0; i < n_cells * n; i++) {
        table[i] = (double)to[i];
        moved = moved || to[i] != i % n;
    }
    followup->entry_steps = guard_steps(followup, block, to, 0, arena);
    if (moved)
        followup->entry = steps_moved(table, code_of(followup, OP_SURV_ENTRY, arena), n, arena);
}

void followup_steps(struct followup *followup, const struct surviving *surviving, struct arena *arena)
{
    const size_t n = followup->n_bins, n_cells = followup->cells.n, n_status = followup->n_status,
                 n_blocks = followup->weighted ? n_status : 1;
    size_t block = followup_cells_end(followup);
    double *table = arena_array(arena, n_cells * n * n_status, sizeof *table);
    const size_t *edges = NULL;
    bool joined = false;
    for (size_t k = 0; k < n_blocks; k++, block++) {
        edges = steps_edges(surviving_mask(surviving, block), n_cells, n, arena);
        const struct guard *own =
            guard_steps(followup, block, edges, followup->weighted ? UINT64_C(1) << k : 0, arena);
        followup->exit_steps = k == 0 ? own : guard_both(arena, own, followup->exit_steps);
        joined = joined || steps_joined(edges, n_cells, n);
        for (size_t i = 0; i < n_cells * n; i++)
            for (size_t status = followup->weighted ? k : 0; status < (followup->weighted ? k + 1 : n_status);
                 status++)
                table[i * n_status + status] = (double)edges[i];
    }
    if (followup->formula->start != NULL)
        join_entries(followup, edges, block, surviving, arena);
    if (joined)
        followup->exit = steps_moved(table, exits_code(followup, arena), n, arena);
}

void followup_steps_report(const struct followup *followup, struct outcome *outcome)
{
    if (followup->exit == NULL && followup->entry == NULL)
        return;
    outcome->grid_merged = true;
    wording_warn(
        outcome,
        followup->weighted
            ? "steps of the grid were joined until each held enough who had the event, and enough who "
              "were censored: the curve is that of times moved to the right edge of their step"
            : "steps of the grid were joined until each held enough who left: the curve is that of "
              "times moved to the right edge of their step");
}
