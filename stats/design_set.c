/* Everybody in one level of a factor, as the g-formula asks: the tallied columns have every level, so that
 * one level's column stands for another's and no row has to be looked at. */
#include <string.h>

#include "stats/design.h"

size_t design_set_factor(const struct design *design, const char *name)
{
    const struct formula *formula = design->formula;
    for (size_t f = 0; f < formula->n_factors; f++) {
        if (strcmp(formula->factors[f].label, name) != 0 || design->factors[f].n_levels < 2)
            continue;
        for (size_t t = 0; t < formula->n_terms; t++)
            if (formula->terms[t].factors == UINT64_C(1) << f)
                return f;
    }
    return DESIGN_NO_FACTOR;
}

/* Does column b stand for level `level` of the factor where a stands for another, all else being equal? */
static bool stands_for(const struct design *design, size_t a, size_t b, size_t factor, size_t level)
{
    const struct design_column *x = &design->columns[a], *y = &design->columns[b];
    if (x->formula_term != y->formula_term || x->numeric != y->numeric || y->levels[factor] != level)
        return false;
    for (size_t f = 0; f < design->formula->n_factors; f++)
        if (f != factor && x->levels[f] != y->levels[f])
            return false;
    return true;
}

/* Of several columns of one term and the same levels (a spline's basis) the i-th stands for the i-th. */
const double *design_set_gamma(const struct design *design, const double *gamma, size_t factor, size_t level,
                               struct arena *arena)
{
    double *set = arena_array(arena, design->n_columns, sizeof *set);
    for (size_t a = 0; a < design->n_columns; a++) {
        set[a] = gamma[a];
        if (design->columns[a].levels[factor] == DESIGN_ABSENT)
            continue;
        size_t place = 0, at = 0;
        for (size_t b = 0; b < a; b++)
            place += stands_for(design, a, b, factor, design->columns[a].levels[factor]);
        for (size_t b = 0; b < design->n_columns; b++)
            if (stands_for(design, a, b, factor, level) && at++ == place)
                set[a] = gamma[b];
    }
    return set;
}

/* Of a factor, the sum over its levels stands for what the column is beside it. */
const struct expression *design_set_column(const struct design *design, size_t j, size_t factor, size_t level,
                                           struct arena *arena)
{
    const struct design_column *column = &design->columns[j];
    const size_t n_levels = design->factors[factor].n_levels;
    if (column->levels[factor] == DESIGN_ABSENT)
        return column->term;
    if (column->levels[factor] != level)
        return NULL;
    size_t place = 0, n = 0;
    for (size_t b = 0; b < j; b++)
        place += stands_for(design, j, b, factor, level);
    const struct expression **parts = arena_array(arena, n_levels + 1, sizeof *parts);
    double *ones = arena_array(arena, n_levels + 1, sizeof *ones);
    for (size_t other = 0; other < n_levels; other++) {
        size_t at = 0;
        for (size_t b = 0; b < design->n_columns; b++)
            if (stands_for(design, j, b, factor, other) && at++ == place) {
                ones[n] = 1;
                parts[n++] = design->columns[b].term;
            }
    }
    return expression_linear(arena, ones, parts, n);
}

size_t design_set_column_of(const struct design *design, size_t factor, size_t level)
{
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        bool alone = !column->numeric && column->levels[factor] == level;
        for (size_t f = 0; alone && f < design->formula->n_factors; f++)
            alone = f == factor || column->levels[f] == DESIGN_ABSENT;
        if (alone)
            return j;
    }
    return 0;
}

bool design_set_used(const struct design *design, const double *counts, size_t factor, size_t level)
{
    return counts[design_set_column_of(design, factor, level)] > 0.5;
}

size_t design_set_empty(const struct design *design, const double *counts, size_t factor, size_t level)
{
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (column->numeric || column->levels[factor] != level || counts[j] > 0.5)
            continue;
        for (size_t other = 0; other < design->factors[factor].n_levels; other++)
            for (size_t b = 0; b < design->n_columns; b++)
                if (stands_for(design, j, b, factor, other) && counts[b] > 0.5)
                    return j;
    }
    return design->n_columns;
}
