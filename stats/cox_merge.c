/* Steps of the grid that the threshold rounds have joined (CELL_MERGE), so that what is summed per step is of
 * enough patients.
 *
 * All of it is done by moving rows on the grid; nothing else of the model knows:
 *   an exit, by the event or censored, to the right edge of its joined step in its stratum;
 *   an exit by another cause (Fine and Gray) likewise, over steps that hold enough of those exits: such a
 *   patient stays at risk anyway, so only its weight begins to fall a little later;
 *   an entry to the left end of its joined step of entries, and from there to the left edge of the joined
 * step of events: who enters is at risk in all of it. Ties are then Breslow's, and the sums of a step are
 * over all who leave in it: those of the censored alone may be of one patient. R's counterpart: coxph(ties =
 * "breslow") on rows whose times were moved in this way. */
#include "stats/cox.h"
#include "stats/steps.h"
#include "stats/wording.h"

static void move_exits(struct cox *cox, const size_t *events, const size_t *others, struct arena *arena)
{
    size_t times = cox->strata.n * cox->n_bins, n_status = cox->n_status;
    double *table = arena_array(arena, times * n_status, sizeof *table),
           *summed = arena_array(arena, n_status, sizeof *summed);
    for (size_t cell = 0; cell < times; cell++)
        for (size_t status = 0; status < n_status; status++)
            table[cell * n_status + status] = (double)(status == COX_OTHER ? others : events)[cell];
    for (size_t status = 0; status < n_status; status++)
        summed[status] = status == COX_CENSORED ? COX_EVENT : (double)status;
    cox->exit = steps_moved(table, cox->exit_code, cox->n_bins, arena);
    const struct expression *together = expression_uniform_bin(
        arena, expression_lookup(arena, summed, n_status, cox->status), 0, 1, (uint32_t)n_status);
    const struct expression *by_status[] = {cox->exit, cox->status}, *by_sum[] = {cox->exit, together};
    cox->exit_code = groups_code(&cox->strata, arena, expression_cross(arena, by_status, 2));
    cox->sum_code = groups_code(&cox->strata, arena, expression_cross(arena, by_sum, 2));
}

/* to: stratum × bin, the bin that entries are moved to. */
static void move_entries(struct cox *cox, size_t *to, const size_t *events, const size_t *entries,
                         struct arena *arena)
{
    size_t n = cox->n_bins, times = cox->strata.n * n;
    double *table = arena_array(arena, times, sizeof *table);
    for (size_t s = 0; s < cox->strata.n; s++)
        for (size_t k = 0, left = 0; k < n; k++) {
            if (k > 0 && entries[s * n + k - 1] != entries[s * n + k])
                left = k;
            size_t edge = left;
            while (edge > 0 && events[s * n + edge] != edge)
                edge--;
            table[s * n + k] = (double)(to[s * n + k] = edge);
        }
    cox->entry_code = groups_code(&cox->strata, arena, steps_moved(table, cox->entry_code, n, arena));
}

/* Of a block of head counts. */
static const size_t *edges_of(const struct cox *cox, const struct surviving *surviving, size_t block,
                              struct arena *arena)
{
    return steps_edges(surviving_mask(surviving, block), cox->strata.n, cox->n_bins, arena);
}

/* Joined steps of block `block`, for the groups of a status (places; 0: for all); bins: that they are moved
 * to. */
static const struct guard *guard_steps(const struct cox *cox, size_t block, const size_t *bins,
                                       uint64_t places, struct arena *arena)
{
    size_t times = cox->strata.n * cox->n_bins, *to = arena_array(arena, times, sizeof *to);
    for (size_t cell = 0; cell < times; cell++)
        to[cell] = cell - cell % cox->n_bins + bins[cell];
    return guard_joined(arena, block, times, to, places);
}

/* The last blocks of the head counts, as cox_merge_cells made them. */
struct merge_blocks {
    size_t events, others, entries;
};

/* Of steps that are the grid's own: none may be joined. */
static void guard_grid(struct cox *cox, const struct merge_blocks *at, struct arena *arena)
{
    const struct guard *exits = guard_whole(arena, at->events), *entries = exits;
    if (cox->n_status > COX_OTHER)
        exits = guard_both(arena, exits, guard_whole(arena, at->others));
    if (cox->entry_code)
        entries = guard_whole(arena, at->entries);
    cox->guards = (struct cox_guards){exits, exits, exits, entries, entries};
}

static void merge(struct cox *cox, const struct merge_blocks *at, const struct surviving *surviving,
                  struct arena *arena)
{
    const uint64_t censored = 1 << COX_CENSORED, event = 1 << COX_EVENT, other = 1 << COX_OTHER;
    const size_t *events = edges_of(cox, surviving, at->events, arena), *others = NULL;
    struct cox_guards guards = {.ties = guard_steps(cox, at->events, events, censored | event, arena),
                                .sums = guard_steps(cox, at->events, events, event, arena),
                                .entries = &guard_uncounted,
                                .entry_weights = &guard_uncounted};
    guards.event_weights = guards.sums;
    if (cox->n_status > COX_OTHER) {
        others = edges_of(cox, surviving, at->others, arena);
        const struct guard *by_others = guard_steps(cox, at->others, others, other, arena);
        guards.ties = guard_both(arena, guards.ties, by_others);
        guards.sums = guard_both(arena, guards.sums, by_others);
    }
    cox->efron = false;
    cox->edges = events;
    move_exits(cox, events, others, arena);
    if (cox->entry_code) {
        size_t *to = arena_array(arena, cox->strata.n * cox->n_bins, sizeof *to);
        move_entries(cox, to, events, edges_of(cox, surviving, at->entries, arena), arena);
        guards.entries = guard_steps(cox, at->entries, to, 0, arena);
    }
    cox->guards = guards;
}

enum maille_code cox_merge(struct cox *cox, const struct surviving *surviving, struct arena *arena,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (cox->formula->strata_site) { /* no time leaves a site, so nobody has counted by time */
        const struct guard *no = &guard_uncounted;
        cox->guards = (struct cox_guards){no, no, no, no, no};
        goto out;
    }
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    MAILLE_TRY(cox_cells(cox->analysis, arena, cells, error));
    size_t block = cells->spec.n_blocks;
    while (cells->rules[block - 1] == CELL_MERGE)
        block--;
    struct merge_blocks at = {.events = block, .others = block + 1};
    at.entries = block + (cox->n_status > COX_OTHER ? 2 : 1);
    for (size_t b = block; b < cells->spec.n_blocks; b++)
        for (size_t i = 0; i < cox->strata.n * cox->n_bins; i++)
            cox->merged = cox->merged || !surviving_kept(surviving, b, i);
    /* Of joined steps the pairs with weights, or with rows that enter, are those of the steps as they were.
     */
    cox->tables = surviving == NULL || (surviving->closed && !surviving->narrow &&
                                        !(cox->merged && (cox->weights || cox->entry_code)));
    if (cox->merged)
        merge(cox, &at, surviving, arena);
    else
        guard_grid(cox, &at, arena);
out:
    return code;
}

enum maille_code cox_merge_cells(const struct cox *cox, struct cells *out, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *filter = cox->survival.filter, *codes[3] = {NULL}, *of[3] = {NULL};
    const struct expression *exit = groups_code(&cox->strata, arena, cox->exit);
    size_t n = 0;
    of[n] = expression_and(arena, filter, cox->event);
    codes[n++] = exit;
    if (cox->n_status > COX_OTHER) {
        of[n] = expression_and(arena, filter, expression_in_level(arena, cox->status, COX_OTHER));
        codes[n++] = exit;
    }
    if (cox->entry_code) {
        of[n] = filter;
        codes[n++] = cox->entry_code;
    }
    for (size_t i = 0; i < n; i++) {
        out->n_bins[out->spec.n_blocks] = cox->n_bins;
        MAILLE_TRY(groups_cell(out, CELL_MERGE, of[i], codes[i], error));
    }
out:
    return code;
}

void cox_merge_report(const struct cox_step *step, struct result *result)
{
    const struct cox *cox = &step->cox;
    if (!cox->merged)
        return;
    step->outcome->grid_merged = true;
    wording_warn(
        step->outcome,
        "steps of the grid were joined until each held enough events (`grid_edges`), and events of a "
        "joined step are tied%s; in R, coxph(ties = \"breslow\") on the times moved to the right edge "
        "of their step",
        cox->cause != NULL || analysis_value(cox->analysis, "ties")->choice == 0
            ? ": Breslow's ties are taken in place of Efron's"
            : "");
    struct result *list = result_add_list(result, "grid_edges");
    for (size_t s = 0; s < cox->strata.n; s++) {
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "stratum", groups_stratum(&cox->strata, step->arena, s));
        struct result *time = result_add_list(row, "time");
        for (size_t k = 0; k < cox->n_bins; k++)
            if (cox->edges[s * cox->n_bins + k] == k)
                result_add_number(time, NULL, (double)k * cox->axis.width);
    }
}
