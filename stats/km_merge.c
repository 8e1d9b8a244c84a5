/* Steps of a weighted curve. d, n and S of a step in which one patient leaves would tell what she weighs: her
 * age, where age is the weight, and what decided her treatment, where that is. So steps of the grid are
 * joined, in each arm for itself: until each holds enough who have the event, and over steps of their own
 * until each holds enough who are censored (CELL_MERGE of both). Whoever leaves does so at the right edge of
 * the joined step: the event a little later than it was, and a few stay at risk a little longer. R's
 * counterpart: survfit() on times that were moved in this way. */
#include "stats/km.h"
#include "stats/steps.h"
#include "stats/wording.h"

enum { CENSORED, EVENT, STATES };

static const struct expression *exit_code(const struct followup *followup, struct arena *arena)
{
    return groups_code(&followup->cells, arena, expression_survival(arena, OP_SURV_EXIT, followup->n_bins));
}

enum maille_code km_merge_cells(const struct followup *followup, struct arena *arena, struct cells *out,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, followup->n_status);
    for (int state = CENSORED; state < STATES; state++) {
        const struct expression *leave =
            expression_and(arena, followup->cohort.rows, expression_in_level(arena, status, (size_t)state));
        out->n_bins[out->spec.n_blocks] = followup->n_bins;
        MAILLE_TRY(groups_cell(out, CELL_MERGE, leave, exit_code(followup, arena), error));
    }
out:
    return code;
}

/* Of one block of head counts, which speaks for one state. */
static const struct guard *guard_state(const struct followup *followup, int state, const size_t *edges,
                                       struct arena *arena)
{
    const size_t n = followup->n_bins, all = followup->cells.n * n;
    size_t *to = arena_array(arena, all, sizeof *to);
    for (size_t cell = 0; cell < all; cell++)
        to[cell] = cell - cell % n + edges[cell];
    return guard_joined(arena, followup_cells_end(followup) + (size_t)state, all, to, UINT64_C(1) << state);
}

void km_merge(struct followup *followup, const struct surviving *surviving, struct arena *arena)
{
    const size_t n = followup->n_bins, n_cells = followup->cells.n;
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, followup->n_status),
                            *code = groups_code(
                                &followup->cells, arena,
                                expression_cross(
                                    arena,
                                    (const struct expression *[]){
                                        expression_survival(arena, OP_SURV_EXIT, followup->n_bins), status},
                                    2));
    double *table = arena_array(arena, n_cells * n * STATES, sizeof *table);
    bool joined = false;
    for (int state = CENSORED; state < STATES; state++) {
        const size_t block = followup_cells_end(followup) + (size_t)state;
        const size_t *edges = steps_edges(surviving_mask(surviving, block), n_cells, n, arena);
        const struct guard *own = guard_state(followup, state, edges, arena);
        followup->steps = state == CENSORED ? own : guard_both(arena, own, followup->steps);
        joined = joined || steps_joined(edges, n_cells, n);
        for (size_t i = 0; i < n_cells * n; i++)
            table[i * STATES + (size_t)state] = (double)edges[i];
    }
    if (joined)
        followup->exit = steps_moved(table, code, n, arena);
}

void km_merge_report(const struct followup *followup, struct outcome *outcome)
{
    if (followup->exit == NULL)
        return;
    outcome->grid_merged = true;
    wording_warn(outcome,
                 "steps of the grid were joined until each held enough who had the event, and enough "
                 "who were censored, since each tells what those weigh who leave in it; in R, "
                 "survfit() on the times moved to the right edge of their step");
}
