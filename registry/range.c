#include "registry/range.h"

#include <math.h>

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

/* One loop per type, without a branch in it; `flag` is as wide as the type, so that the lanes match. */
#define DEFINE_HOLDS(name, type, flag)                                                                       \
    static bool name(const type *values, size_t rows, type low, type high)                                   \
    {                                                                                                        \
        flag outside = 0;                                                                                    \
        for (size_t r = 0; r < rows; r++)                                                                    \
            outside |= (flag)(!(values[r] >= low) | !(values[r] <= high));                                   \
        return outside == 0;                                                                                 \
    }

DEFINE_HOLDS(int8_holds, int8_t, uint8_t)
DEFINE_HOLDS(int16_holds, int16_t, uint16_t)
DEFINE_HOLDS(int32_holds, int32_t, uint32_t)
DEFINE_HOLDS(int64_holds, int64_t, uint64_t)
DEFINE_HOLDS(double_holds, double, uint64_t)

bool range_holds(const struct column_block *block, double least, double greatest)
{
    int64_t low = whole(ceil(least)), high = whole(floor(greatest));
    switch (block->storage) {
    case STORE_INT8:
        return int8_holds(block->values, block->rows, (int8_t)low, (int8_t)high);
    case STORE_INT16:
        return int16_holds(block->values, block->rows, (int16_t)low, (int16_t)high);
    case STORE_INT32:
        return int32_holds(block->values, block->rows, (int32_t)low, (int32_t)high);
    case STORE_INT64:
        return int64_holds(block->values, block->rows, low, high);
    case STORE_FLOAT64:
        return double_holds(block->values, block->rows, least, greatest);
    }
    return false;
}

bool range_is_dense(const int32_t *numbers, size_t rows)
{
    uint32_t jumps = 0;
    for (size_t r = 1; r < rows; r++)
        jumps |= (uint32_t)((uint32_t)numbers[r] - (uint32_t)numbers[r - 1] > 1);
    return jumps == 0;
}
