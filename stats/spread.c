#include "stats/spread.h"

enum maille_code spread_init(struct spread *spread, struct arena *arena, const struct expression *const *x,
                             const char *const *names, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *spread = (struct spread){.n = n, .x = x};
    spread->middle = arena_array(arena, n, sizeof *spread->middle);
    spread->half = arena_array(arena, n, sizeof *spread->half);
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(expression_unit_scale(&spread->middle[i], &spread->half[i], x[i], names[i], error));
out:
    return code;
}

enum maille_code spread_tally(struct tally_spec *spec, const struct guard *guard, const struct spread *spread,
                              struct arena *arena, const struct expression *filter,
                              const struct expression *group, struct maille_error *error)
{
    enum maille_code code;
    const struct expression **terms = arena_array(arena, spread->n + 1, sizeof *terms);
    terms[0] = expression_constant(arena, 1);
    for (size_t i = 0; i < spread->n; i++)
        terms[i + 1] = expression_scale(arena, spread->x[i], spread->middle[i], spread->half[i]);
    MAILLE_TRY(groups_tally(spec, guard, filter, group, error));
    struct tally_block *block = &spec->blocks[spec->n_blocks - 1];
    block->terms = terms;
    block->n_terms = spread->n + 1;
    block->order = 2;
out:
    return code;
}

/* Is Σ(t − t̄)² of n patients nothing but the rounding of the tally? Values are multiples of the step, so that
 * less than one patient one step apart cannot be anything else; without a known step, values closer than 2⁻³⁰
 * of the half-range are taken as equal. */
static bool is_rounding(f128 square, double count, double step, double half)
{
    double apart = step > 0 ? step / half : 0x1p-30;
    double least = apart * apart * (count - 1) / count;
    return (double)square < 0x1p-50 * count && (double)square < 0.5 * least;
}

void spread_read(struct spread_sums *sums, const struct spread *spread, struct arena *arena,
                 const struct totals *totals, size_t block, size_t group)
{
    size_t n = spread->n, width = n + 1, at = group * (width * (width + 1) / 2);
    sums->mean = arena_array(arena, n, sizeof *sums->mean);
    sums->product = arena_array(arena, n * n, sizeof *sums->product);
    sums->count = (int64_t)totals_real(totals, block, at);
    if (sums->count == 0)
        return;
    f128 count = (f128)sums->count;
    for (size_t i = 0; i < n; i++)
        sums->mean[i] = totals_quad(totals, block, at + 1 + i) / count; /* of t, as yet */
    at += width;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++, at++)
            sums->product[i * n + j] = totals_quad(totals, block, at) - count * sums->mean[i] * sums->mean[j];
    for (size_t i = 0; i < n; i++) {
        f128 *square = &sums->product[i * n + i];
        if (sums->count == 1 ||
            is_rounding(*square, (double)sums->count, spread->x[i]->step, spread->half[i]))
            *square = 0;
    }
    for (size_t i = 0; i < n; i++) {
        sums->mean[i] = (f128)spread->middle[i] + (f128)spread->half[i] * sums->mean[i];
        for (size_t j = i; j < n; j++) {
            f128 *product = &sums->product[i * n + j];
            *product *= (f128)spread->half[i] * (f128)spread->half[j];
            sums->product[j * n + i] = *product;
        }
    }
}
