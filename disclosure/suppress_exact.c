/* What lets a number be shown, checked in whole numbers (Bit rule 9, docs/decisions/0002-exact-sums.md). */
#include "disclosure/suppress_exact.h"

#include <math.h>
#include <stdlib.h>

/* What an answer is tried as a fraction of: vertices of sums of cells are halves and thirds of patients,
 * seldom more. */
static const int64_t denominators[] = {1, 2, 6, 12, 60, 840, 27720, 720720};
enum { N_DENOMINATORS = sizeof denominators / sizeof *denominators };

/* Beyond this no sum over a matrix is sure to stay in 128 bits. */
static const double scaled_max = 0x1p60;

/* answer[1 … n] over a denominator; false where one is too large or below `least`. */
static bool scale(int64_t *out, const double *answer, int n, int64_t denominator, int64_t least)
{
    for (int i = 1; i <= n; i++) {
        double scaled = nearbyint(answer[i] * (double)denominator);
        if (!(fabs(scaled) < scaled_max) || (int64_t)scaled < least)
            return false;
        out[i] = (int64_t)scaled;
    }
    return true;
}

/* sums[1 …]: what each row makes of the columns, or, by_row false, each column of the rows. */
static void multiply(i128 *sums, const struct exact_system *system, const int64_t *x, bool by_row)
{
    for (int i = 1; i <= (by_row ? system->n_rows : system->n_columns); i++)
        sums[i] = 0;
    for (size_t i = 1; i <= system->n; i++) {
        int to = by_row ? system->row[i] : system->column[i],
            from = by_row ? system->column[i] : system->row[i];
        if (system->column[i] <= system->n_columns)
            sums[to] += (i128)system->value[i] * x[from];
    }
}

bool suppress_exact_solution(struct exact_fraction *out, const struct exact_system *system,
                             const double *answer, int row)
{
    bool found = false;
    int64_t *cells = calloc((size_t)system->n_columns + 1, sizeof *cells);
    i128 *sums = calloc((size_t)system->n_rows + 1, sizeof *sums);
    for (size_t d = 0; cells != NULL && sums != NULL && !found && d < N_DENOMINATORS; d++) {
        if (!scale(cells, answer, system->n_columns, denominators[d], 0))
            continue;
        multiply(sums, system, cells, true);
        found = true;
        for (int i = 1; found && i <= system->n_rows; i++)
            found = !system->given[i] || sums[i] == (i128)system->sum[i] * denominators[d];
        if (found)
            *out = (struct exact_fraction){.above = sums[row], .below = denominators[d]};
    }
    free(cells);
    free(sums);
    return found;
}

bool suppress_exact_contradiction(const struct exact_system *system, const double *answer)
{
    bool found = false;
    int64_t *weights = calloc((size_t)system->n_rows + 1, sizeof *weights);
    i128 *sums = calloc((size_t)system->n_columns + 1, sizeof *sums);
    for (size_t d = 0; weights != NULL && sums != NULL && !found && d < N_DENOMINATORS; d++) {
        i128 total = 0;
        if (!scale(weights, answer, system->n_rows, denominators[d], INT64_MIN))
            continue;
        multiply(sums, system, weights, false);
        found = true;
        for (int i = 1; found && i <= system->n_columns; i++)
            found = sums[i] <= 0;
        for (int i = 1; found && i <= system->n_rows; i++) {
            found = system->given[i] || weights[i] == 0;
            total += (i128)weights[i] * system->sum[i];
        }
        found = found && total > 0;
    }
    free(weights);
    free(sums);
    return found;
}

bool suppress_exact_apart(struct exact_fraction low, struct exact_fraction high, int64_t width)
{
    return high.above * low.below >= (low.above + (i128)width * low.below) * high.below;
}
