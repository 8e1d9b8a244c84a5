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

/* Right edges: of each bin of each stratum the bin that it is moved to. kept NULL: itself. */
static size_t *right_edges(const struct cox *cox, const uint8_t *kept, struct arena *arena)
{
    size_t n = cox->n_bins, *edges = arena_array(arena, cox->strata.n * n, sizeof *edges);
    for (size_t s = 0; s < cox->strata.n; s++) {
        size_t last = n;
        for (size_t k = n; k-- > 0;) {
            if (kept == NULL || kept[s * n + k] != 0)
                last = k;
            edges[s * n + k] = last;
        }
        for (size_t k = n;
             k-- > 0 && edges[s * n + k] == n;) /* no edge at its right: as the contract, the end */
            edges[s * n + k] = n - 1;
    }
    return edges;
}

/* Where a bin is moved to: table over stratum × bin, or stratum × bin × status, of bins. */
static const struct expression *moved(const struct cox *cox, const double *table,
                                      const struct expression *code, struct arena *arena)
{
    return expression_uniform_bin(arena, expression_lookup(arena, table, code->n_levels, code), 0, 1,
                                  (uint32_t)cox->n_bins);
}

static void move_exits(struct cox *cox, const size_t *events, const size_t *others, struct arena *arena)
{
    size_t times = cox->strata.n * cox->n_bins, n_status = cox->n_status;
    double *table = arena_array(arena, times * n_status, sizeof *table),
           *summed = arena_array(arena, n_status, sizeof *summed);
    uint8_t *ties = arena_array(arena, times * n_status, sizeof *ties),
            *sums = arena_array(arena, times * n_status, sizeof *sums),
            *weights = arena_array(arena, times * n_status, sizeof *weights);
    for (size_t cell = 0; cell < times; cell++)
        for (size_t status = 0; status < n_status; status++) {
            const size_t *edges = status == COX_OTHER ? others : events;
            bool edge = edges[cell] == cell % cox->n_bins;
            table[cell * n_status + status] = (double)edges[cell];
            ties[cell * n_status + status] = edge;
            sums[cell * n_status + status] = edge && status != COX_CENSORED;
            weights[cell * n_status + status] = edge && status == COX_EVENT;
        }
    for (size_t status = 0; status < n_status; status++)
        summed[status] = status == COX_CENSORED ? COX_EVENT : (double)status;
    cox->exit = moved(cox, table, cox->exit_code, arena);
    const struct expression *together = expression_uniform_bin(
        arena, expression_lookup(arena, summed, n_status, cox->status), 0, 1, (uint32_t)n_status);
    const struct expression *by_status[] = {cox->exit, cox->status}, *by_sum[] = {cox->exit, together};
    cox->exit_code = groups_code(&cox->strata, arena, expression_cross(arena, by_status, 2));
    cox->sum_code = groups_code(&cox->strata, arena, expression_cross(arena, by_sum, 2));
    cox->kept = (struct cox_kept){.ties = ties, .sums = sums, .event_weights = weights};
}

static void move_entries(struct cox *cox, const size_t *events, const size_t *entries, struct arena *arena)
{
    size_t n = cox->n_bins, times = cox->strata.n * n;
    double *table = arena_array(arena, times, sizeof *table);
    uint8_t *kept = arena_array(arena, times, sizeof *kept);
    for (size_t s = 0; s < cox->strata.n; s++)
        for (size_t k = 0, left = 0; k < n; k++) {
            if (k > 0 && entries[s * n + k - 1] != entries[s * n + k])
                left = k;
            size_t edge = left;
            while (edge > 0 && events[s * n + edge] != edge)
                edge--;
            table[s * n + k] = (double)edge;
            kept[s * n + edge] = 1;
        }
    cox->entry_code = groups_code(&cox->strata, arena, moved(cox, table, cox->entry_code, arena));
    cox->kept.entries = kept;
    cox->kept.entry_weights = arena_array(arena, times, sizeof(uint8_t));
}

enum maille_code cox_merge(struct cox *cox, const struct cox_asked *asked, const struct surviving *surviving,
                           struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (surviving == NULL || cox->formula->strata_site)
        return MAILLE_OK;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    MAILLE_TRY(cox_cells(cox->analysis, asked, arena, cells, error));
    size_t block = cells->spec.n_blocks;
    while (cells->rules[block - 1] == CELL_MERGE)
        block--;
    for (size_t b = block; b < cells->spec.n_blocks; b++)
        for (size_t i = 0; i < cox->strata.n * cox->n_bins; i++)
            cox->merged = cox->merged || !surviving_kept(surviving, b, i);
    cox->tables = false;
    if (!cox->merged)
        goto out;
    cox->efron = false;
    const size_t *events = right_edges(cox, surviving_mask(surviving, block++), arena), *others = NULL;
    if (cox->n_status > COX_OTHER)
        others = right_edges(cox, surviving_mask(surviving, block++), arena);
    move_exits(cox, events, others, arena);
    if (cox->entry_code)
        move_entries(cox, events, right_edges(cox, surviving_mask(surviving, block), arena), arena);
out:
    return code;
}

enum maille_code cox_merge_cells(const struct cox *cox, struct cells *out, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *filter = cox->survival.filter, *codes[3] = {NULL}, *of[3] = {NULL};
    const struct expression *exit = groups_code(&cox->strata, arena, cox->exit);
    double *member = arena_array(arena, cox->n_status, sizeof *member);
    size_t n = 0;
    out->spec.survival = cox->survival;
    of[n] = expression_and(arena, filter, cox->event);
    codes[n++] = exit;
    if (cox->n_status > COX_OTHER) {
        member[COX_OTHER] = 1;
        of[n] = expression_and(arena, filter, expression_in_levels(arena, cox->status, member));
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
    struct result *list = result_add_list(result, "grid_edges");
    for (size_t s = 0; s < cox->strata.n; s++) {
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "stratum", groups_stratum(&cox->strata, step->arena, s));
        struct result *time = result_add_list(row, "time");
        for (size_t k = 0; k < cox->n_bins; k++)
            if (cox->kept.ties[cox->n_status * (s * cox->n_bins + k) + COX_EVENT] != 0)
                result_add_number(time, NULL, (double)k * cox->axis.width);
    }
}
