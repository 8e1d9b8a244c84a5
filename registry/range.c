#include "registry/range.h"

#include <math.h>

#include "base/vector.h"

/* The bounds as integers: the storage was chosen so that they fit (cell_storage); only those of int64 may lie
 * outside. */
static int64_t whole(double bound)
{
    if (bound <= (double)INT64_MIN)
        return INT64_MIN;
    if (bound >= (double)INT64_MAX)
        return INT64_MAX;
    return (int64_t)bound;
}

/* Without a branch in it; `flag` is as wide as the type, so that the lanes match. */
#define HOLDS(type, flag, least, greatest)                                                                   \
    do {                                                                                                     \
        const type *values = block->values, from = (type)(least), to = (type)(greatest);                     \
        flag outside = 0;                                                                                    \
        for (size_t r = 0; r < block->rows; r++)                                                             \
            outside |= (flag)(!(values[r] >= from) | !(values[r] <= to));                                    \
        *holds = outside == 0;                                                                               \
    } while (0)

VECTOR_INLINE void holds_loop(bool *holds, const struct column_block *block, double least, double greatest)
{
    int64_t low = whole(ceil(least)), high = whole(floor(greatest));
    switch (block->storage) {
    case STORE_INT8:
        HOLDS(int8_t, uint8_t, low, high);
        break;
    case STORE_INT16:
        HOLDS(int16_t, uint16_t, low, high);
        break;
    case STORE_INT32:
        HOLDS(int32_t, uint32_t, low, high);
        break;
    case STORE_INT64:
        HOLDS(int64_t, uint64_t, low, high);
        break;
    }
}

VECTOR_CLONES(holds_run, holds_loop,
              (bool *holds, const struct column_block *block, double least, double greatest),
              (holds, block, least, greatest))

bool range_holds(const struct column_block *block, double least, double greatest)
{
    bool holds = false;
    holds_run(&holds, block, least, greatest);
    return holds;
}

bool range_is_dense(const int32_t *numbers, size_t rows)
{
    uint32_t jumps = 0;
    for (size_t r = 1; r < rows; r++)
        jumps |= (uint32_t)((uint32_t)numbers[r] - (uint32_t)numbers[r - 1] > 1);
    return jumps == 0;
}
