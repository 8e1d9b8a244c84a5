/* Numbers that vary far less than the dictionary lets them: their bounds for this model.
 *
 * A tallied column is t = (x − m)/h with the dictionary's middle and half-range. Where x varies by a
 * millionth of h, the products of t hold its variance in their last digits, and a slope of 1 leaves every
 * bound of a linear predictor. Round 1 adds up t and t²; of n rows with mean t̄ and variance s² = Σ(t − t̄)²/n
 * no row is further from t̄ than s·√(n − 1) (Samuelson, JASA 1968;63:1522), so that these are bounds of x over
 * the rows of the model, whoever they are. Where they are far inside the dictionary's, round 1 is asked for
 * again with them. */
#include <math.h>

#include "stats/fit.h"

/* Narrowed only where at least so much is won. */
#define NARROW_SHARE 0x1p-4
/* Room for the rounding of t and of its square. */
#define NARROW_ROUNDING 0x1p-48

static bool has_number(const struct design *design, size_t piece)
{
    return design->pieces[piece].number != NULL &&
           !design_is_orthogonal(design, design->pieces[piece].columns[0]);
}

static size_t count_numbers(const struct design *design)
{
    size_t n = 0;
    for (size_t i = 0; i < design->n_pieces; i++)
        n += has_number(design, i);
    return design->narrowed ? 0 : n;
}

void fit_narrow_plan(struct tally_spec *spec, const struct design *design, const struct expression *rows,
                     struct arena *arena)
{
    const size_t numbers = count_numbers(design);
    if (numbers == 0)
        return;
    const struct expression **terms = arena_array(arena, 2 * numbers + 1, sizeof *terms);
    size_t n = 0;
    terms[n++] = expression_constant(arena, 1);
    for (size_t i = 0; i < design->n_pieces; i++)
        if (has_number(design, i)) {
            terms[n++] = design->pieces[i].number;
            terms[n++] = expression_power(arena, design->pieces[i].number, 2);
        }
    struct tally_block *block = fit_block(spec, &guard_cohort, rows, NULL, 1);
    block->terms = terms;
    block->n_terms = n;
}

bool fit_narrow_read(struct vector *theta, const struct design *design, const struct totals *totals,
                     struct arena *arena)
{
    const size_t n = design->n_columns;
    bool any = false;
    if (count_numbers(design) == 0)
        return false;
    const size_t block = totals->spec->n_blocks - 1 - (fit_poly_size(design) > 0);
    double *middle = arena_array(arena, n, sizeof *middle), *half = arena_array(arena, n, sizeof *half);
    const f128 rows = totals_quad(totals, block, 0);
    size_t at = 1;
    for (size_t i = 0; i < design->n_pieces && rows > 0; i++) {
        if (!has_number(design, i))
            continue;
        const struct design_piece *piece = &design->pieces[i];
        const struct design_column *column = &design->columns[piece->columns[0]];
        const f128 mean = totals_quad(totals, block, at) / rows,
                   variance = totals_quad(totals, block, at + 1) / rows - mean * mean;
        at += 2;
        const double room = sqrt((double)rows * fmax((double)variance + NARROW_ROUNDING, NARROW_ROUNDING));
        double to = 1;
        while (to > room)
            to /= 2;
        to *= 2; /* a power of two that covers it */
        for (size_t k = 0; k < piece->n_levels; k++) {
            const bool narrow = to <= NARROW_SHARE;
            middle[piece->columns[k]] =
                narrow ? column->middle + column->half * (double)mean : column->middle;
            half[piece->columns[k]] = narrow ? column->half * to : column->half;
            any = any || narrow;
        }
    }
    if (!any)
        return false;
    fit_theta_head(theta, 0, true);
    (void)vector_grow(theta, 2 * n);
    fit_theta_bounds(theta, middle, half, n);
    return true;
}
