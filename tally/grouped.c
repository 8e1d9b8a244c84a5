#include "tally/grouped.h"

#include <stdlib.h>
#include <string.h>

#include "tally/vector.h"

/* --- counts --- */

typedef uint8_t bytes64 __attribute__((vector_size(64)));
typedef uint16_t words32 __attribute__((vector_size(64)));
typedef uint32_t words16 __attribute__((vector_size(64)));
typedef uint64_t words8 __attribute__((vector_size(64)));

enum { LANES = 64 };

VECTOR_INLINE uint64_t sum_of_lanes(const bytes64 *lanes)
{
    uint64_t sum = 0;
    words32 two = ((words32)*lanes & 0xff) + ((words32)*lanes >> 8);
    words16 four = ((words16)two & 0xffff) + ((words16)two >> 16);
    words8 eight = ((words8)four & 0xffffffff) + ((words8)four >> 32);
    for (size_t k = 0; k < 8; k++)
        sum += eight[k];
    return sum;
}

/* A comparison a group: quicker than one increment in memory a row, each of which may wait for the one
 * before, as long as the groups are few. No lane counts above GROUPED_ROWS / LANES. */
VECTOR_INLINE void count_loop(int64_t *counts, const uint8_t *keep, const int32_t *codes, size_t rows,
                              size_t n_groups)
{
    uint8_t keys[GROUPED_ROWS];
    size_t padded = (rows + LANES - 1) / LANES * LANES;
    for (size_t r = 0; codes == NULL && r < rows; r++)
        keys[r] = keep[r] != 0 ? 0 : UINT8_MAX;
    for (size_t r = 0; codes != NULL && r < rows; r++)
        keys[r] = keep[r] != 0 ? (uint8_t)codes[r] : UINT8_MAX;
    memset(keys + rows, UINT8_MAX, padded - rows);
    for (size_t g = 0; g < n_groups; g++) {
        bytes64 sum = {0}, group = sum + (uint8_t)g;
        for (size_t r = 0; r < padded; r += LANES) {
            bytes64 key;
            memcpy(&key, keys + r, sizeof key);
            sum -= (bytes64)(key == group);
        }
        counts[g] += (int64_t)sum_of_lanes(&sum);
    }
}

VECTOR_CLONES(count_run, count_loop,
              (int64_t * counts, const uint8_t *keep, const int32_t *codes, size_t rows, size_t n_groups),
              (counts, keep, codes, rows, n_groups))

void grouped_count(int64_t *counts, const uint8_t *keep, const int32_t *codes, size_t rows, size_t n_groups)
{
    count_run(counts, keep, codes, rows, n_groups);
}

VECTOR_INLINE void keys_loop(uint32_t *restrict keys, const uint8_t *restrict keep,
                             const int32_t *restrict codes, size_t rows, uint32_t n_groups)
{
    for (size_t r = 0; codes == NULL && r < rows; r++)
        keys[r] = keep[r] != 0 ? 0 : n_groups;
    for (size_t r = 0; codes != NULL && r < rows; r++)
        keys[r] = keep[r] != 0 ? (uint32_t)codes[r] : n_groups;
}

VECTOR_CLONES(keys_run, keys_loop,
              (uint32_t *restrict keys, const uint8_t *restrict keep, const int32_t *restrict codes,
               size_t rows, uint32_t n_groups),
              (keys, keep, codes, rows, n_groups))

void grouped_keys(uint32_t *keys, const uint8_t *keep, const int32_t *codes, size_t rows, uint32_t n_groups)
{
    keys_run(keys, keep, codes, rows, n_groups);
}

/* --- values --- */

/* 1 where a row that counts lies outside of a bound; NaN lies nowhere and never counts. */
#define OUTSIDE(x, limit) ((uint64_t)((x) > (limit)) | (uint64_t)((x) < -(limit)))

/* The two integers of round(v), less those of 0 (fixed.h). */
#define SPLIT(high, low, v)                                                                                  \
    do {                                                                                                     \
        double t_ = (v) + m1;                                                                                \
        double s_ = ((v) - (t_ - m1)) + m2;                                                                  \
        (high) = fixed_bits(t_) - bits1;                                                                     \
        (low) = fixed_bits(s_) - bits2;                                                                      \
    } while (0)

VECTOR_INLINE void sum_loop(uint64_t sums[3], const struct grouped_value *value, const uint8_t *restrict keep,
                            size_t rows, double m1, double m2)
{
    const double *restrict x = value->values, *restrict w = value->weight;
    double bound = value->bound, weight_bound = value->weight_bound;
    uint64_t bits1 = fixed_bits(m1), bits2 = fixed_bits(m2), high_sum = 0, low_sum = 0, outside = 0;
    for (size_t r = 0; w == NULL && r < rows; r++) {
        double v = keep[r] != 0 ? x[r] : 0;
        uint64_t high, low;
        SPLIT(high, low, v);
        high_sum += high;
        low_sum += low;
        outside |= OUTSIDE(v, bound);
    }
    for (size_t r = 0; w != NULL && r < rows; r++) {
        double t = keep[r] != 0 ? x[r] : 0, u = keep[r] != 0 ? w[r] : 0, v = u * t;
        uint64_t high, low;
        SPLIT(high, low, v);
        high_sum += high;
        low_sum += low;
        outside |= OUTSIDE(t, bound) | OUTSIDE(u, weight_bound);
    }
    sums[0] = high_sum;
    sums[1] = low_sum;
    sums[2] = outside;
}

VECTOR_CLONES(sum_run, sum_loop,
              (uint64_t sums[3], const struct grouped_value *value, const uint8_t *restrict keep, size_t rows,
               double m1, double m2),
              (sums, value, keep, rows, m1, m2))

static i128 fold(uint64_t high, uint64_t low)
{
    return (i128)(int64_t)high * ((i128)1 << FIXED_STEP) + (int64_t)low;
}

bool grouped_sum(i128 *sum, const struct grouped_value *value, const uint8_t *keep, size_t rows,
                 const struct fixed_constants *constants)
{
    uint64_t sums[3];
    sum_run(sums, value, keep, rows, constants->m1, constants->m2);
    if (sums[2] != 0)
        return false;
    *sum += fold(sums[0], sums[1]);
    return true;
}

/* --- sums by group --- */

typedef uint64_t pair __attribute__((vector_size(16), may_alias));

enum {
    PIECE = 128,      /* rows whose pairs lie in the first cache together */
    AT_ONCE = 4,      /* values of a row that are added together */
    COPIES = 4,       /* rows in turn go to sums of their own: an addition need not wait for the one before */
    COPIES_MAX = 512, /* sums, above which there is one copy */
    ROWS_MAX = 8191   /* numbers of at most 2^50 in magnitude: a sum of this many keeps its sign */
};

struct grouped {
    size_t n_groups, n_values, copies, rows; /* rows: added since the last fold */
    pair *sums;                              /* [copy][group, and one more][value] */
};

static size_t one_copy(size_t n_groups, size_t n_values)
{
    return (n_groups + 1) * n_values;
}

static size_t copies_of(size_t n_groups, size_t n_values)
{
    return one_copy(n_groups, n_values) <= COPIES_MAX ? COPIES : 1;
}

size_t grouped_memory(size_t n_groups, size_t n_values)
{
    return copies_of(n_groups, n_values) * one_copy(n_groups, n_values) * sizeof(pair);
}

struct grouped *grouped_new(size_t n_groups, size_t n_values)
{
    struct grouped *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->n_groups = n_groups;
    made->n_values = n_values;
    made->copies = copies_of(n_groups, n_values);
    made->sums = calloc(made->copies * one_copy(n_groups, n_values), sizeof *made->sums);
    if (made->sums == NULL) {
        free(made);
        return NULL;
    }
    return made;
}

void grouped_free(struct grouped *grouped)
{
    if (grouped == NULL)
        return;
    explicit_bzero(grouped->sums, grouped_memory(grouped->n_groups, grouped->n_values));
    free(grouped->sums);
    free(grouped);
}

/* The pairs of one piece of one value. */
VECTOR_INLINE uint64_t split_loop(uint64_t *restrict pairs, const struct grouped_value *value, size_t first,
                                  const uint8_t *restrict keep, size_t rows, double m1, double m2)
{
    const double *restrict x = value->values + first, *restrict w = value->weight;
    double bound = value->bound, weight_bound = value->weight_bound;
    uint64_t bits1 = fixed_bits(m1), bits2 = fixed_bits(m2), outside = 0;
    for (size_t r = 0; w == NULL && r < rows; r++) {
        double v = x[r];
        SPLIT(pairs[2 * r], pairs[2 * r + 1], v);
        outside |= OUTSIDE(v, bound) & keep[r];
    }
    for (size_t r = 0; w != NULL && r < rows; r++) {
        double v = w[first + r] * x[r];
        SPLIT(pairs[2 * r], pairs[2 * r + 1], v);
        outside |= (OUTSIDE(x[r], bound) | OUTSIDE(w[first + r], weight_bound)) & keep[r];
    }
    return outside;
}

VECTOR_INLINE void scatter(pair *sums, size_t copy, pair (*pairs)[PIECE], const uint32_t *keys,
                           size_t rows, size_t stride, size_t n)
{
    for (size_t r = 0; r < rows; r++) {
        pair *sum = sums + r % COPIES * copy + keys[r] * stride;
        for (size_t k = 0; k < n; k++)
            sum[k] += pairs[k][r];
    }
}

VECTOR_INLINE void add_loop(const struct grouped *grouped, uint64_t *outside,
                            const struct grouped_value *values, const uint32_t *keys, const uint8_t *keep,
                            size_t rows, double m1, double m2)
{
    pair pairs[AT_ONCE][PIECE];
    size_t n_values = grouped->n_values;
    size_t copy = grouped->copies == 1 ? 0 : one_copy(grouped->n_groups, n_values);
    for (size_t first = 0; first < rows; first += PIECE) {
        size_t n = rows - first < PIECE ? rows - first : PIECE;
        for (size_t i = 0; i < n_values; i += AT_ONCE) {
            size_t now = n_values - i < AT_ONCE ? n_values - i : AT_ONCE;
            for (size_t k = 0; k < now; k++)
                *outside |= split_loop((uint64_t *)pairs[k], &values[i + k], first, keep + first, n, m1, m2);
            switch (now) { /* so that the inner loop is written out */
            case 1:
                scatter(grouped->sums + i, copy, pairs, keys + first, n, n_values, 1);
                break;
            case 2:
                scatter(grouped->sums + i, copy, pairs, keys + first, n, n_values, 2);
                break;
            case 3:
                scatter(grouped->sums + i, copy, pairs, keys + first, n, n_values, 3);
                break;
            default:
                scatter(grouped->sums + i, copy, pairs, keys + first, n, n_values, AT_ONCE);
            }
        }
    }
}

VECTOR_CLONES(add_run, add_loop,
              (const struct grouped *grouped, uint64_t *outside, const struct grouped_value *values,
               const uint32_t *keys, const uint8_t *keep, size_t rows, double m1, double m2),
              (grouped, outside, values, keys, keep, rows, m1, m2))

bool grouped_add(struct grouped *grouped, i128 *sums, const struct grouped_value *values,
                 const uint32_t *keys, const uint8_t *keep, size_t rows,
                 const struct fixed_constants *constants)
{
    uint64_t outside = 0;
    if (grouped->rows + rows > ROWS_MAX)
        grouped_settle(grouped, sums);
    add_run(grouped, &outside, values, keys, keep, rows, constants->m1, constants->m2);
    grouped->rows += rows;
    return outside == 0;
}

void grouped_settle(struct grouped *grouped, i128 *sums)
{
    size_t n = grouped->n_groups * grouped->n_values;
    for (size_t c = 0; c < grouped->copies; c++) {
        const pair *copy = grouped->sums + c * one_copy(grouped->n_groups, grouped->n_values);
        for (size_t k = 0; k < n; k++)
            sums[k] += fold(copy[k][0], copy[k][1]);
    }
    memset(grouped->sums, 0, grouped_memory(grouped->n_groups, grouped->n_values));
    grouped->rows = 0;
}
