#include "stats/spread.h"

#include <math.h>

/* The coarse part of a number in fine steps stays below this, so that its square is a whole number below
 * 2^53. */
static const double coarse_max = 1 << 26;
/* A variable is written in two parts where its half-range is more than so many of its steps: t² of one number
 * is rounded at 2^-54, which a spread of a step or two must not see. */
static const double steps_max = 1 << 10;

/* Coarse steps of a power of two, from a multiple of it. Sums and differences of such multiples with x are
 * exact. */
static void choose_parts(struct spread_part *part, const struct expression *x)
{
    double greatest = fmax(fabs(x->low), fabs(x->high)), width = 2 * part->half / coarse_max;
    int exponent = 0;
    frexp(greatest, &exponent);
    part->fine = !(x->lattice > 0) || part->half / x->lattice > steps_max;
    part->width = fmax(width, ldexp(1, exponent - 50));
    part->low = floor(x->low / part->width) * part->width;
}

enum maille_code spread_init(struct spread *spread, struct arena *arena, const struct expression *const *x,
                             const char *const *names, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *spread = (struct spread){.n = n, .n_terms = 1, .x = x};
    spread->parts = arena_array(arena, n, sizeof *spread->parts);
    for (size_t i = 0; i < n; i++) {
        struct spread_part *part = &spread->parts[i];
        MAILLE_TRY(expression_unit_scale(&part->middle, &part->half, x[i], names[i], error));
        choose_parts(part, x[i]);
        part->term = spread->n_terms;
        spread->n_terms += part->fine ? 2 : 1;
    }
out:
    return code;
}

/* The terms of a number: t, or how many coarse steps, and what is left in units of one. */
static void put_terms(const struct expression **terms, const struct spread_part *part,
                      const struct expression *x, struct arena *arena)
{
    if (!part->fine) {
        terms[0] = expression_scale(arena, x, part->middle, part->half);
        return;
    }
    double *coefficients = arena_array(arena, 2, sizeof *coefficients);
    coefficients[0] = part->width;
    coefficients[1] = part->low;
    uint32_t n_bins = (uint32_t)ceil((x->high - part->low) / part->width) + 1;
    terms[0] = expression_number_of(arena, expression_uniform_bin(arena, x, part->low, part->width, n_bins));
    const struct expression *coarse = expression_linear(arena, coefficients, terms, 1);
    terms[1] = expression_scale(arena, expression_binary(arena, OP_SUBTRACT, x, coarse), 0, part->width);
}

enum maille_code spread_tally(struct tally_spec *spec, const struct guard *guard, const struct spread *spread,
                              struct arena *arena, const struct expression *filter,
                              const struct expression *group, struct maille_error *error)
{
    enum maille_code code;
    const struct expression **terms = arena_array(arena, spread->n_terms, sizeof *terms);
    terms[0] = expression_constant(arena, 1);
    for (size_t i = 0; i < spread->n; i++)
        put_terms(&terms[spread->parts[i].term], &spread->parts[i], spread->x[i], arena);
    MAILLE_TRY(groups_tally(spec, guard, filter, group, error));
    struct tally_block *block = &spec->blocks[spec->n_blocks - 1];
    block->terms = terms;
    block->n_terms = spread->n_terms;
    block->order = 2;
out:
    return code;
}

bool spread_is_none(f128 square, f128 rounding, double apart, double count)
{
    const bool told = count > 1 && apart > 0; /* less than one of them one step apart is nothing */
    return !(square > rounding) && !(told && (double)square >= 0.5 * apart * apart * (count - 1) / count);
}

/* Values are multiples of the lattice; without a known one, values closer than 2⁻³⁰ of the half-range are
 * taken as equal. */
static bool is_rounding(f128 square, double count, double lattice, const struct spread_part *part)
{
    double apart = lattice > 0 ? lattice : part->half * 0x1p-30;
    double noise =
        part->fine ? part->width * part->width * 0x1p-30 : part->half * part->half * SPREAD_ROUNDING;
    return count <= 1 || spread_is_none(square, (f128)(noise * count), apart, count);
}

/* What has been summed of one group: Σ of a term, Σ of two. */
struct sums {
    const struct totals *totals;
    size_t block, first, n_terms;
};

static f128 sum_of(const struct sums *sums, size_t i, size_t j)
{
    size_t row = i < j ? i : j, column = i < j ? j : i;
    return totals_quad(sums->totals, sums->block,
                       sums->first + row * sums->n_terms - row * (row + 1) / 2 + column);
}

/* A number less its origin is unit · (the sum of its terms). */
static f128 unit_of(const struct spread_part *part)
{
    return part->fine ? (f128)part->width : (f128)part->half;
}

static size_t terms_of(const struct spread_part *part)
{
    return part->fine ? 2 : 1;
}

void spread_read(struct spread_sums *out, const struct spread *spread, struct arena *arena,
                 const struct totals *totals, size_t block, size_t group)
{
    size_t n = spread->n, width = spread->n_terms;
    const struct sums sums = {
        .totals = totals, .block = block, .first = group * (width * (width + 1) / 2), .n_terms = width};
    out->mean = arena_array(arena, n, sizeof *out->mean);
    out->product = arena_array(arena, n * n, sizeof *out->product);
    out->count = totals_heads(sum_of(&sums, 0, 0));
    if (out->count == 0)
        return;
    f128 count = (f128)out->count, *all = arena_array(arena, n, sizeof *all);
    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < terms_of(&spread->parts[i]); a++)
            all[i] += sum_of(&sums, 0, spread->parts[i].term + a);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            const struct spread_part *p = &spread->parts[i], *q = &spread->parts[j];
            f128 product = -all[i] * all[j] / count;
            for (size_t a = 0; a < terms_of(p); a++)
                for (size_t b = 0; b < terms_of(q); b++)
                    product += sum_of(&sums, p->term + a, q->term + b);
            product *= unit_of(p) * unit_of(q);
            if (i == j && is_rounding(product, (double)out->count, spread->x[i]->lattice, p))
                product = 0;
            out->product[i * n + j] = out->product[j * n + i] = product;
        }
    for (size_t i = 0; i < n; i++) {
        const struct spread_part *part = &spread->parts[i];
        out->mean[i] = (f128)(part->fine ? part->low : part->middle) + unit_of(part) * all[i] / count;
    }
}
