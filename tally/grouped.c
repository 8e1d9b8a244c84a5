#include "tally/grouped.h"

#include <stdlib.h>
#include <string.h>

#include "base/vector.h"

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

/* The two integers of a value and those of the next one: as wide as memory takes in one store. */
typedef uint64_t quad __attribute__((vector_size(32), may_alias));

enum {
    PIECE = 128,      /* rows whose quads lie in the first cache together */
    AT_ONCE = 4,      /* quads of a row that are added together */
    COPIES = 4,       /* rows in turn go to sums of their own: an addition need not wait for the one before */
    COPIES_MAX = 512, /* quads, above which there is one copy */
    ROWS_MAX = 8191   /* numbers of at most 2^50 in magnitude: a sum of this many keeps its sign */
};

struct grouped {
    size_t n_groups, n_values, copies, rows; /* rows: added since the last fold */
    quad *sums;                              /* [copy][group, and one more][value / 2] */
};

static size_t quads_of(size_t n_values)
{
    return (n_values + 1) / 2;
}

static size_t one_copy(size_t n_groups, size_t n_values)
{
    return (n_groups + 1) * quads_of(n_values);
}

static size_t copies_of(size_t n_groups, size_t n_values)
{
    return one_copy(n_groups, n_values) <= COPIES_MAX ? COPIES : 1;
}

size_t grouped_memory(size_t n_groups, size_t n_values)
{
    return copies_of(n_groups, n_values) * one_copy(n_groups, n_values) * sizeof(quad);
}

struct grouped *grouped_new(size_t n_groups, size_t n_values)
{
    struct grouped *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->n_groups = n_groups;
    made->n_values = n_values;
    made->copies = copies_of(n_groups, n_values);
    made->sums = aligned_alloc(sizeof(quad), grouped_memory(n_groups, n_values));
    if (made->sums == NULL) {
        free(made);
        return NULL;
    }
    memset(made->sums, 0, grouped_memory(n_groups, n_values));
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

typedef double reals4 __attribute__((vector_size(32)));

/* As OUTSIDE, of four rows: all ones where it is so. */
#define OUTSIDE4(x, limit) ((quad)((reals4)((quad)(x)&INT64_MAX) > (limit)))

#define SPLIT4(high, low, v)                                                                                 \
    do {                                                                                                     \
        reals4 t_ = (v) + m1, s_ = ((v) - (t_ - m1)) + m2;                                                   \
        (high) = (quad)t_ - bits1;                                                                           \
        (low) = (quad)s_ - bits2;                                                                            \
    } while (0)

/* The quads of rows of two values, or of `one` alone. Four rows at a time, turned from columns into rows by
 * hand: compilers store lane by lane. Not 0 where a row, counting or not, lies outside of a bound. */
VECTOR_INLINE uint64_t split_loop(quad *restrict quads, const struct grouped_value *value, bool one,
                                  size_t first, size_t rows, double m1, double m2)
{
    const struct grouped_value *next = one ? value : value + 1;
    const double *x = value->values + first, *y = next->values + first;
    const double *w = value->weight == NULL ? NULL : value->weight + first;
    double bound = value->bound, next_bound = next->bound, weight_bound = value->weight_bound;
    uint64_t bits1 = fixed_bits(m1), bits2 = fixed_bits(m2);
    quad outside = {0};
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        reals4 v, u, factor;
        quad high, low, next_high = {0}, next_low = {0};
        memcpy(&v, x + r, sizeof v);
        memcpy(&u, y + r, sizeof u);
        outside |= OUTSIDE4(v, bound);
        if (!one)
            outside |= OUTSIDE4(u, next_bound);
        if (w != NULL) {
            memcpy(&factor, w + r, sizeof factor);
            outside |= OUTSIDE4(factor, weight_bound);
            v = factor * v;
            u = factor * u;
        }
        SPLIT4(high, low, v);
        if (!one)
            SPLIT4(next_high, next_low, u);
        quad even = __builtin_shufflevector(high, low, 0, 4, 2, 6);
        quad odd = __builtin_shufflevector(high, low, 1, 5, 3, 7);
        quad next_even = __builtin_shufflevector(next_high, next_low, 0, 4, 2, 6);
        quad next_odd = __builtin_shufflevector(next_high, next_low, 1, 5, 3, 7);
        quads[r] = __builtin_shufflevector(even, next_even, 0, 1, 4, 5);
        quads[r + 1] = __builtin_shufflevector(odd, next_odd, 0, 1, 4, 5);
        quads[r + 2] = __builtin_shufflevector(even, next_even, 2, 3, 6, 7);
        quads[r + 3] = __builtin_shufflevector(odd, next_odd, 2, 3, 6, 7);
    }
    for (; r < rows; r++) {
        double factor = w == NULL ? 1 : w[r], v = w == NULL ? x[r] : factor * x[r];
        double u = w == NULL ? y[r] : factor * y[r];
        uint64_t high, low;
        SPLIT(high, low, v);
        quads[r] = (quad){high, low, 0, 0};
        if (!one) {
            SPLIT(high, low, u);
            quads[r][2] = high;
            quads[r][3] = low;
        }
        outside[0] |= OUTSIDE(x[r], bound) | OUTSIDE(y[r], next_bound);
        outside[0] |= w == NULL ? 0 : OUTSIDE(factor, weight_bound);
    }
    return outside[0] | outside[1] | outside[2] | outside[3];
}

VECTOR_INLINE void scatter(quad *sums, quad (*quads)[PIECE], const uint32_t *places, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++) {
        quad *sum = sums + places[r];
        for (size_t k = 0; k < n; k++)
            sum[k] += quads[k][r];
    }
}

VECTOR_INLINE void add_loop(const struct grouped *grouped, uint64_t *outside,
                            const struct grouped_value *values, const uint8_t *keep, const int32_t *codes,
                            size_t rows, double m1, double m2)
{
    quad quads[AT_ONCE][PIECE];
    uint32_t places[PIECE];
    size_t n_values = grouped->n_values, stride = quads_of(n_values);
    size_t copy = grouped->copies == 1 ? 0 : one_copy(grouped->n_groups, n_values);
    for (size_t first = 0; first < rows; first += PIECE) {
        size_t n = rows - first < PIECE ? rows - first : PIECE;
        for (size_t r = 0; r < n; r++) {
            /* Without a branch: a cohort's rows cannot be foretold. */
            uint32_t counts = 0U - keep[first + r], code = (uint32_t)codes[first + r];
            uint32_t group = (code & counts) | ((uint32_t)grouped->n_groups & ~counts);
            places[r] = group * (uint32_t)stride + (uint32_t)(r % COPIES) * (uint32_t)copy;
        }
        for (size_t q = 0; q < stride; q += AT_ONCE) {
            size_t now = stride - q < AT_ONCE ? stride - q : AT_ONCE;
            for (size_t k = 0; k < now; k++) {
                const struct grouped_value *value = &values[2 * (q + k)];
                if (2 * (q + k) + 1 == n_values)
                    *outside |= split_loop(quads[k], value, true, first, n, m1, m2);
                else
                    *outside |= split_loop(quads[k], value, false, first, n, m1, m2);
            }
            switch (now) { /* so that the inner loop is written out */
            case 1:
                scatter(grouped->sums + q, quads, places, n, 1);
                break;
            case 2:
                scatter(grouped->sums + q, quads, places, n, 2);
                break;
            case 3:
                scatter(grouped->sums + q, quads, places, n, 3);
                break;
            default:
                scatter(grouped->sums + q, quads, places, n, AT_ONCE);
            }
        }
    }
}

VECTOR_CLONES(add_run, add_loop,
              (const struct grouped *grouped, uint64_t *outside, const struct grouped_value *values,
               const uint8_t *keep, const int32_t *codes, size_t rows, double m1, double m2),
              (grouped, outside, values, keep, codes, rows, m1, m2))

/* Are all rows that count within the bounds? Asked only when some row is not. */
static bool rows_inside(const struct grouped_value *values, size_t n_values, const uint8_t *keep, size_t rows)
{
    uint64_t outside = 0;
    for (size_t i = 0; i < n_values; i++) {
        const struct grouped_value *value = &values[i];
        for (size_t r = 0; r < rows; r++) {
            uint64_t beyond = OUTSIDE(value->values[r], value->bound);
            if (value->weight != NULL)
                beyond |= OUTSIDE(value->weight[r], value->weight_bound);
            outside |= beyond & keep[r];
        }
    }
    return outside == 0;
}

bool grouped_add(struct grouped *grouped, i128 *sums, const struct grouped_value *values, const uint8_t *keep,
                 const int32_t *codes, size_t rows, const struct fixed_constants *constants)
{
    uint64_t outside = 0;
    if (grouped->rows + rows > ROWS_MAX)
        grouped_settle(grouped, sums);
    add_run(grouped, &outside, values, keep, codes, rows, constants->m1, constants->m2);
    grouped->rows += rows;
    return outside == 0 || rows_inside(values, grouped->n_values, keep, rows);
}

void grouped_settle(struct grouped *grouped, i128 *sums)
{
    size_t stride = quads_of(grouped->n_values);
    for (size_t c = 0; c < grouped->copies; c++) {
        const quad *copy = grouped->sums + c * one_copy(grouped->n_groups, grouped->n_values);
        for (size_t g = 0; g < grouped->n_groups; g++)
            for (size_t i = 0; i < grouped->n_values; i++) {
                quad two = copy[g * stride + i / 2];
                sums[g * grouped->n_values + i] += fold(two[i % 2 * 2], two[i % 2 * 2 + 1]);
            }
    }
    memset(grouped->sums, 0, grouped_memory(grouped->n_groups, grouped->n_values));
    grouped->rows = 0;
}
