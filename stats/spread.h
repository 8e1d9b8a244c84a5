/* Means, sums of squares and of products of numbers, per group: what t-test, analysis of variance and
 * correlation are made of.
 *
 * Tallied, order 2: 1 and t = (x − m)/h of every number, m and h the public centre and half-range of its
 * bounds (docs/decisions/0002-exact-sums.md, rules 3 and 6). Where the bounds are wider than about two
 * thousand steps of its resolution a number has two terms instead: how many coarse steps of 2^-26 of its
 * range it is, a whole number whose square is exact, and the rest; so a spread far smaller than the bounds
 * keeps its digits. Products are exact to 2⁻⁶⁴ a patient, and central moments are taken from the totals in
 * quadruple precision, so nothing that two sites add cancels. */
#ifndef STATS_SPREAD_H
#define STATS_SPREAD_H

#include "stats/groups.h"

/* A sum of squares of numbers in [−1, 1] is off by no more than this a row. */
#define SPREAD_ROUNDING 0x1p-50

/* The one rule for "no variance", of descriptions, tests and models: a (weighted) sum of squares about a mean
 * is 0 where it is no more than its `rounding`, unless the rows must have more if two of them differ:
 * `apart`, how far two values that differ are at least (0: not known, or the rows are weighted), of `count`
 * rows. NaN is none. */
bool spread_is_none(f128 square, f128 rounding, double apart, double count);

/* How one number is summed. */
struct spread_part {
    bool fine;
    size_t term;         /* its first */
    double middle, half; /* t = (x − middle)/half */
    double low, width;   /* fine: x = low + width·(coarse + rest), coarse a whole number, rest in [0, 1) */
};

struct spread {
    size_t n; /* numbers */
    const struct expression *const *x;
    size_t n_terms;            /* with the 1 */
    struct spread_part *parts; /* [n] */
};

/* x: n numbers, named in errors by names. Lives in arena. MAILLE_FAILED when one has no bounds. */
enum maille_code spread_init(struct spread *spread, struct arena *arena, const struct expression *const *x,
                             const char *const *names, size_t n, struct maille_error *error) MAILLE_CHECKED;

/* Adds the block. MAILLE_INVALID when the spec has no room. */
enum maille_code spread_tally(struct tally_spec *spec, const struct guard *guard, const struct spread *spread,
                              struct arena *arena, const struct expression *filter,
                              const struct expression *group, struct maille_error *error) MAILLE_CHECKED;

/* One group's totals. Lives in the arena that was passed. */
struct spread_sums {
    int64_t count;
    f128 *mean;    /* [n], of x; 0 when nobody is in the group */
    f128 *product; /* n × n, row-major: Σ(x_i − x̄_i)(x_j − x̄_j). A diagonal of 0 is exactly 0 */
};
void spread_read(struct spread_sums *sums, const struct spread *spread, struct arena *arena,
                 const struct totals *totals, size_t block, size_t group);

#endif
