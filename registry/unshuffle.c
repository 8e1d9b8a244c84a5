#include "registry/unshuffle.h"

#include <assert.h>
#include <string.h>

/* Sixteen bytes, in the vector extension that GCC and Clang share: SSE2 on amd64, NEON on arm64, plain code
 * elsewhere. */
typedef uint8_t lane8 __attribute__((vector_size(16)));
typedef uint16_t lane16 __attribute__((vector_size(16)));
typedef uint32_t lane32 __attribute__((vector_size(16)));

enum { LANES = 16 };

static inline lane8 load(const uint8_t *from)
{
    lane8 lane;
    memcpy(&lane, from, sizeof lane);
    return lane;
}

static inline void put(uint8_t *to, lane8 lane)
{
    memcpy(to, &lane, sizeof lane);
}

/* The lower or upper halves of a and b, taken in turn: bytes, pairs, fours, eights. */
static inline lane8 low8(lane8 a, lane8 b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline lane8 high8(lane8 a, lane8 b)
{
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

static inline lane8 low16(lane8 a, lane8 b)
{
    return (lane8)__builtin_shufflevector((lane16)a, (lane16)b, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline lane8 high16(lane8 a, lane8 b)
{
    return (lane8)__builtin_shufflevector((lane16)a, (lane16)b, 4, 12, 5, 13, 6, 14, 7, 15);
}

static inline lane8 low32(lane8 a, lane8 b)
{
    return (lane8)__builtin_shufflevector((lane32)a, (lane32)b, 0, 4, 1, 5);
}

static inline lane8 high32(lane8 a, lane8 b)
{
    return (lane8)__builtin_shufflevector((lane32)a, (lane32)b, 2, 6, 3, 7);
}

static void sixteen_of_2(uint8_t *out, const uint8_t *in, size_t entries)
{
    lane8 a = load(in), b = load(in + entries);
    put(out, low8(a, b));
    put(out + 16, high8(a, b));
}

static void sixteen_of_4(uint8_t *out, const uint8_t *in, size_t entries)
{
    lane8 p0 = load(in), p1 = load(in + entries), p2 = load(in + 2 * entries), p3 = load(in + 3 * entries);
    lane8 a = low8(p0, p1), b = low8(p2, p3), c = high8(p0, p1), d = high8(p2, p3);
    put(out, low16(a, b));
    put(out + 16, high16(a, b));
    put(out + 32, low16(c, d));
    put(out + 48, high16(c, d));
}

/* Eight entries of eight bytes from their lower fours and their upper fours. */
static inline void join_fours(uint8_t *out, lane8 low, lane8 high)
{
    put(out, low32(low, high));
    put(out + 16, high32(low, high));
}

static void sixteen_of_8(uint8_t *out, const uint8_t *in, size_t entries)
{
    lane8 p[8];
    for (size_t k = 0; k < 8; k++)
        p[k] = load(in + k * entries);
    lane8 a = low8(p[0], p[1]), b = low8(p[2], p[3]), c = low8(p[4], p[5]), d = low8(p[6], p[7]);
    join_fours(out, low16(a, b), low16(c, d));
    join_fours(out + 32, high16(a, b), high16(c, d));
    a = high8(p[0], p[1]), b = high8(p[2], p[3]), c = high8(p[4], p[5]), d = high8(p[6], p[7]);
    join_fours(out + 64, low16(a, b), low16(c, d));
    join_fours(out + 96, high16(a, b), high16(c, d));
}

void unshuffle(uint8_t *out, const uint8_t *in, size_t entries, size_t size)
{
    size_t i = 0;
    assert(size == 1 || size == 2 || size == 4 || size == 8);
    if (size == 1) {
        memcpy(out, in, entries);
        return;
    }
    for (; entries - i >= LANES; i += LANES) {
        if (size == 2)
            sixteen_of_2(out + i * size, in + i, entries);
        else if (size == 4)
            sixteen_of_4(out + i * size, in + i, entries);
        else
            sixteen_of_8(out + i * size, in + i, entries);
    }
    for (; i < entries; i++)
        for (size_t k = 0; k < size; k++)
            out[i * size + k] = in[k * entries + i];
}
