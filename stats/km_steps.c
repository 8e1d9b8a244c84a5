/* Steps of a weighted curve. d, n and S of a step in which one patient leaves tell what she weighs: her age,
 * where age is the weight, and what decided her treatment, where that is. So steps of the grid are joined, in
 * each arm for itself, until each holds enough who have the event, and over steps of their own until each
 * holds enough who are censored (CELL_MERGE of both). Whoever leaves does so in the middle of the joined
 * step: at its right edge a curve of wide steps would stand above one of narrow steps. The last joined step,
 * of which nobody knows where it ends, is not shown, nor what comes later. R's counterpart: survfit() on
 * times that were moved in this way (docs/decisions/0040-steps-of-weighted-curves.md). */
#include "stats/km.h"
#include "stats/steps.h"
#include "stats/wording.h"

enum { CENSORED, EVENT, STATES };

static const struct expression *code_of(const struct followup *followup, const struct expression *last,
                                        struct arena *arena)
{
    const struct expression *parts[] = {expression_survival(arena, OP_SURV_EXIT, followup->n_bins), last};
    return groups_code(&followup->cells, arena, last == NULL ? parts[0] : expression_cross(arena, parts, 2));
}

enum maille_code km_steps_cells(const struct followup *followup, struct arena *arena, struct cells *out,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, STATES);
    for (uint32_t state = CENSORED; state < STATES; state++) {
        const size_t block = out->spec.n_blocks;
        out->n_bins[block] = followup->n_bins;
        out->arms[block] = FOLLOWUP_CELLS_ARMS + 1;
        MAILLE_TRY(groups_cell(
            out, CELL_MERGE,
            expression_and(arena, followup->cohort.rows, expression_in_level(arena, status, state)),
            code_of(followup, NULL, arena), error));
    }
out:
    return code;
}

/* Of one arm: where its last joined step begins; n where none is joined. */
static size_t last_step(const size_t *edges, size_t n)
{
    size_t first = n - 1;
    if (!steps_joined(edges, 1, n))
        return n;
    while (first > 0 && edges[first - 1] == n - 1)
        first--;
    return first;
}

/* Where the bins of one arm are moved to: of steps that end before `end` to the middle. */
static void move_arm(double *to, const size_t *edges, size_t n, size_t end)
{
    for (size_t k = 0, first = 0; k < n; k++) {
        if (k > 0 && edges[k - 1] != edges[k])
            first = k;
        to[k] = (double)(edges[k] < end ? (first + edges[k]) / 2 : edges[k]);
    }
}

/* Of the counts by arm × bin × status: bins of one state are in the run that they are moved to. */
static const struct guard *guard_state(const struct followup *followup, int state, const double *moved,
                                       struct arena *arena)
{
    const size_t n = followup->n_bins, all = followup->cells.n * n;
    size_t *to = arena_array(arena, all, sizeof *to);
    for (size_t cell = 0; cell < all; cell++)
        to[cell] = cell - cell % n + (size_t)moved[cell];
    return guard_joined(arena, followup_cells_end(followup) + (size_t)state, all, to, UINT64_C(1) << state);
}

void km_steps(struct followup *followup, const struct surviving *surviving, struct arena *arena)
{
    const size_t n = followup->n_bins, n_cells = followup->cells.n, first = followup_cells_end(followup);
    const size_t *edges[STATES];
    double *moved[STATES], *table = arena_array(arena, n_cells * n * STATES, sizeof *table);
    size_t *ends = arena_array(arena, n_cells, sizeof *ends);
    bool joined = false;
    for (size_t state = 0; state < STATES; state++) {
        edges[state] = steps_edges(surviving_mask(surviving, first + state), n_cells, n, arena);
        moved[state] = arena_array(arena, n_cells * n, sizeof **moved);
        joined = joined || steps_joined(edges[state], n_cells, n);
    }
    for (size_t cell = 0; cell < n_cells; cell++) {
        ends[cell] = followup_end(followup, surviving, cell);
        for (size_t state = 0; state < STATES; state++) {
            const size_t last = last_step(edges[state] + cell * n, n);
            ends[cell] = last < ends[cell] ? last : ends[cell];
        }
        for (size_t state = 0; state < STATES; state++)
            move_arm(moved[state] + cell * n, edges[state] + cell * n, n, ends[cell]);
    }
    for (size_t i = 0; i < n_cells * n * STATES; i++)
        table[i] = moved[i % STATES][i / STATES];
    followup->exit_steps = guard_both(arena, guard_state(followup, EVENT, moved[EVENT], arena),
                                      guard_state(followup, CENSORED, moved[CENSORED], arena));
    if (!joined)
        return;
    followup->ends = ends;
    followup->exit = steps_moved(
        table, code_of(followup, expression_survival(arena, OP_SURV_STATUS, STATES), arena), n, arena);
}

void km_steps_report(const struct followup *followup, struct outcome *outcome)
{
    if (followup->exit == NULL)
        return;
    outcome->grid_merged = true;
    wording_warn(outcome,
                 "steps of the grid were joined until each held enough who had the event, and enough who "
                 "were censored, since each tells what those weigh who leave in it: the curve is that of "
                 "times moved to the middle of their step");
}
