/* Who is at risk, leaves and has the event at every time, counted or weighted. */
#include <math.h>

#include "stats/km.h"

bool km_weights_whole(const struct expression *weights)
{
    return weights->step >= 1 && weights->step == nearbyint(weights->step);
}

/* Is the weight of a row not a whole number? NULL: of no row. */
static const struct expression *broken(const struct expression *weights, struct arena *arena)
{
    const double bins_max = 1 << 20;
    if (km_weights_whole(weights))
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
    const struct tally_block *counted[] = {&spec->blocks[FOLLOWUP_EXITS], &spec->blocks[FOLLOWUP_ARMS]};
    const struct expression *weight[] = {weights, expression_binary(arena, OP_MULTIPLY, weights, weights)};
    for (size_t i = 0; i < 4; i++) { /* each guarded as the counts are */
        MAILLE_TRY(
            groups_tally(spec, counted[i / 2]->guard, followup->cohort.rows, counted[i / 2]->group, error));
        spec->blocks[spec->n_blocks - 1].weight = weight[i % 2];
    }
    const struct expression *odd = broken(weights, arena);
    if (odd == NULL)
        odd = expression_unary(arena, OP_NOT, expression_true(arena));
    /* How many is of no interest. */
    MAILLE_TRY(
        groups_tally(spec, &guard_uncounted, expression_and(arena, followup->cohort.rows, odd), NULL, error));
out:
    return code;
}

/* Σ of a block per bin of one cell, for one status. */
static double *read_sums(const struct totals *totals, size_t block, const struct followup_counts *counts,
                         size_t cell, size_t status, struct arena *arena)
{
    double *sums = arena_array(arena, counts->n_bins, sizeof *sums);
    for (size_t bin = 0; bin < counts->end[cell]; bin++)
        sums[bin] = totals_real(totals, block, (cell * counts->n_bins + bin) * 2 + status);
    return sums;
}

/* Σ of a whole arm. */
static f128 read_arm(const struct totals *totals, size_t arm_block, size_t cell)
{
    return totals_quad(totals, arm_block, 2 * cell) + totals_quad(totals, arm_block, 2 * cell + 1);
}

/* Σ of an arm that leaves behind the bins that are shown. */
static f128 read_left(const struct totals *totals, size_t block, size_t arm_block,
                      const struct followup_counts *counts, size_t cell)
{
    f128 left = read_arm(totals, arm_block, cell);
    for (size_t i = 0; i < 2 * counts->end[cell]; i++)
        left -= totals_quad(totals, block, 2 * cell * counts->n_bins + i);
    return left;
}

static double *read_at_risk(const struct totals *totals, size_t block, size_t arm_block,
                            const struct followup_counts *counts, size_t cell, struct arena *arena)
{
    double *at_risk = arena_array(arena, counts->n_bins, sizeof *at_risk);
    f128 sum = read_left(totals, block, arm_block, counts, cell);
    for (size_t bin = counts->end[cell]; bin-- > 0;) {
        for (size_t status = 0; status < 2; status++)
            sum += totals_quad(totals, block, (cell * counts->n_bins + bin) * 2 + status);
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

/* (Σ w)²/Σ w² of an arm: how many patients of one weight tell as much. */
static double effective(const struct totals *totals, size_t first, size_t cell)
{
    const double sum = (double)read_arm(totals, first + KM_ARM_SUMS, cell),
                 square = (double)read_arm(totals, first + KM_ARM_SQUARES, cell);
    return square > 0 ? sum * sum / square : 0;
}

struct km_counts *km_counts_read(const struct followup_counts *counts, const struct totals *totals,
                                 const struct expression *weights, const struct surviving *surviving,
                                 bool reverse, struct arena *arena)
{
    struct km_counts *out = arena_array(arena, counts->n_cells, sizeof *out);
    size_t n = counts->n_bins, first = totals->spec->n_blocks - KM_BLOCKS;
    bool robust = weights != NULL && (surviving != NULL ? !km_weights_whole(weights)
                                                        : totals_count(totals, first + KM_BROKEN, 0) > 0);
    for (size_t cell = 0; cell < counts->n_cells; cell++) {
        const int64_t *event = counts->event + cell * n, *censored = counts->censored + cell * n;
        bool *anybody = arena_array(arena, n, sizeof *anybody);
        for (size_t bin = 0; bin < n; bin++)
            anybody[bin] = event[bin] + censored[bin] > 0;
        out[cell] =
            (struct km_counts){.n_bins = counts->end[cell], .cut = counts->end[cell] < n, .anybody = anybody};
        if (weights == NULL) {
            out[cell].event = whole(reverse ? censored : event, n, arena);
            out[cell].censored = whole(reverse ? event : censored, n, arena);
            out[cell].at_risk = whole(counts->at_risk + cell * n, n, arena);
            out[cell].n_event = (double)(reverse ? counts->n_censored[cell] : counts->n_event[cell]);
            continue;
        }
        out[cell].event = read_sums(totals, first + KM_SUMS, counts, cell, !reverse, arena);
        out[cell].censored = read_sums(totals, first + KM_SUMS, counts, cell, reverse, arena);
        out[cell].at_risk = read_at_risk(totals, first + KM_SUMS, first + KM_ARM_SUMS, counts, cell, arena);
        out[cell].n_event = totals_real(totals, first + KM_ARM_SUMS, 2 * cell + !reverse);
        out[cell].effective = effective(totals, first, cell);
        if (!robust)
            continue;
        out[cell].event_square = read_sums(totals, first + KM_SQUARES, counts, cell, !reverse, arena);
        out[cell].censored_square = read_sums(totals, first + KM_SQUARES, counts, cell, reverse, arena);
        out[cell].left_square =
            (double)read_left(totals, first + KM_SQUARES, first + KM_ARM_SQUARES, counts, cell);
    }
    return out;
}
