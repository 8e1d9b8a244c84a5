/* Words of a tally: little-endian two's complement, 8 bytes for counts and 16 for fixed point. */
#include "base/bytes.h"
#include "tally/fixed.h"
#include "tally/tally.h"

void tally_clear(struct tally *tally)
{
    bytes_wipe(&tally->words);
}

static const uint8_t *word_at(const uint8_t *words, const struct tally_extent *extent, size_t index)
{
    return words + extent->offset + index * extent->width;
}

static u128 load128(const uint8_t *word)
{
    return (u128)le64_load(word + 8) << 64 | le64_load(word);
}

static void store128(uint8_t *word, u128 value)
{
    le64_store(word, (uint64_t)value);
    le64_store(word + 8, (uint64_t)(value >> 64));
}

void tally_add(uint8_t *into, const uint8_t *more, const struct tally_extent *extents, size_t n_blocks)
{
    for (size_t b = 0; b < n_blocks; b++) {
        size_t width = extents[b].width, end = extents[b].offset + extents[b].count * width;
        for (size_t at = extents[b].offset; at < end; at += width) {
            if (width == 8)
                le64_store(into + at, le64_load(into + at) + le64_load(more + at));
            else
                store128(into + at, load128(into + at) + load128(more + at));
        }
    }
}

int64_t tally_count(const uint8_t *words, const struct tally_extent *extent, size_t index)
{
    return (int64_t)le64_load(word_at(words, extent, index));
}

i128 tally_fixed(const uint8_t *words, const struct tally_extent *extent, size_t index)
{
    const uint8_t *word = word_at(words, extent, index);
    return extent->width == 8 ? (i128)(int64_t)le64_load(word) : (i128)load128(word);
}

f128 tally_quad(const uint8_t *words, const struct tally_extent *extent, size_t index)
{
    return (f128)tally_fixed(words, extent, index) * (f128)fixed_power(-extent->fraction);
}

double tally_real(const uint8_t *words, const struct tally_extent *extent, size_t index)
{
    /* The conversion rounds half to even; a power of two changes nothing. */
    return (double)tally_fixed(words, extent, index) * fixed_power(-extent->fraction);
}
