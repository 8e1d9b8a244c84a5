/* Who is at risk, leaves and has the event at every time, counted or weighted. */
#include <math.h>

#include "stats/km.h"

/* Is the weight of a row not a whole number? survfit takes whole ones for counts. NULL: of no row. */
static const struct expression *broken(const struct expression *weights, struct arena *arena)
{
    const double bins_max = 1 << 20;
    if (weights->step >= 1 && weights->step == nearbyint(weights->step))
        return NULL;
    if (!(weights->high < bins_max))
        return expression_true(arena);
    const struct expression *whole =
        expression_uniform_bin(arena, weights, 0, 1, (uint32_t)ceil(weights->high) + 1);
    return expression_binary(arena, OP_NE, weights, expression_number_of(arena, whole));
}

enum maille_code km_weights_plan(const struct followup *followup, const struct expression *weights,
                                 struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    const struct expression *exits = spec->blocks[FOLLOWUP_EXITS].group;
    const struct expression *weight[] = {weights, expression_binary(arena, OP_MULTIPLY, weights, weights)};
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) {
        MAILLE_TRY(groups_tally(spec, followup->rows, exits, false, error));
        spec->blocks[spec->n_blocks - 1].weight = weight[i];
    }
    const struct expression *odd = broken(weights, arena);
    if (odd == NULL)
        odd = expression_unary(arena, OP_NOT, expression_true(arena));
    MAILLE_TRY(groups_tally(spec, expression_and(arena, followup->rows, odd), NULL, false, error));
out:
    return code;
}

/* Σ of a block per bin of one cell, for one status. */
static double *read_sums(const struct totals *totals, size_t block, size_t cell, size_t status, size_t n_bins,
                         struct arena *arena)
{
    double *sums = arena_array(arena, n_bins, sizeof *sums);
    for (size_t bin = 0; bin < n_bins; bin++)
        sums[bin] = totals_real(totals, block, (cell * n_bins + bin) * 2 + status);
    return sums;
}

static double *read_at_risk(const struct totals *totals, size_t block, size_t cell, size_t n_bins,
                            struct arena *arena)
{
    double *at_risk = arena_array(arena, n_bins, sizeof *at_risk);
    f128 sum = 0;
    for (size_t bin = n_bins; bin-- > 0;) {
        for (size_t status = 0; status < 2; status++)
            sum += totals_quad(totals, block, (cell * n_bins + bin) * 2 + status);
        at_risk[bin] = (double)sum;
    }
    return at_risk;
}

static double *whole(const int64_t *counts, size_t n, struct arena *arena)
{
    double *numbers = arena_array(arena, n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (double)counts[i];
    return numbers;
}

struct km_counts *km_counts_read(const struct followup_counts *counts, const struct totals *totals,
                                 bool weights, bool reverse, struct arena *arena)
{
    struct km_counts *out = arena_array(arena, counts->n_cells, sizeof *out);
    size_t n = counts->n_bins, first = totals->spec->n_blocks - KM_BLOCKS;
    bool robust = weights && totals_count(totals, first + KM_BROKEN, 0) > 0;
    for (size_t cell = 0; cell < counts->n_cells; cell++) {
        const int64_t *event = counts->event + cell * n, *censored = counts->censored + cell * n;
        bool *anybody = arena_array(arena, n, sizeof *anybody);
        for (size_t bin = 0; bin < n; bin++)
            anybody[bin] = event[bin] + censored[bin] > 0;
        out[cell] = (struct km_counts){.n_bins = n, .anybody = anybody};
        if (!weights) {
            out[cell].event = whole(reverse ? censored : event, n, arena);
            out[cell].censored = whole(reverse ? event : censored, n, arena);
            out[cell].at_risk = whole(counts->at_risk + cell * n, n, arena);
            continue;
        }
        out[cell].event = read_sums(totals, first + KM_SUMS, cell, !reverse, n, arena);
        out[cell].censored = read_sums(totals, first + KM_SUMS, cell, reverse, n, arena);
        out[cell].at_risk = read_at_risk(totals, first + KM_SUMS, cell, n, arena);
        if (!robust)
            continue;
        out[cell].event_square = read_sums(totals, first + KM_SQUARES, cell, !reverse, n, arena);
        out[cell].censored_square = read_sums(totals, first + KM_SQUARES, cell, reverse, n, arena);
    }
    return out;
}
