#include "registry/lz4_filter.h"

#include <hdf5.h>
#include <lz4.h>
#include <stdint.h>
#include <string.h>

enum { HEADER = 12, BLOCK_HEADER = 4 };

static void store_be(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static uint64_t load_be(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

size_t lz4_filter_bound(size_t plain)
{
    /* LZ4 needs its own bound while it works; what does not shrink is stored as it is. */
    return HEADER + BLOCK_HEADER + plain + plain / 255 + 16;
}

size_t lz4_filter_encode(void *out, const void *in, size_t length)
{
    uint8_t *to = out;
    if (length == 0 || length > LZ4_MAX_INPUT_SIZE)
        return 0;
    int packed = LZ4_compress_default(in, (char *)to + HEADER + BLOCK_HEADER, (int)length,
                                      LZ4_compressBound((int)length));
    if (packed <= 0)
        return 0;
    if ((size_t)packed >= length) {
        packed = (int)length;
        memcpy(to + HEADER + BLOCK_HEADER, in, length);
    }
    store_be(to, length, 8);
    store_be(to + 8, length, 4);
    store_be(to + HEADER, (uint64_t)packed, 4);
    return HEADER + BLOCK_HEADER + (size_t)packed;
}

bool lz4_filter_decode(void *out, size_t out_length, const void *in, size_t length)
{
    const uint8_t *from = in;
    char *to = out;
    if (length < HEADER || out_length > LZ4_MAX_INPUT_SIZE || load_be(from, 8) != out_length)
        return false;
    size_t block_size = (size_t)load_be(from + 8, 4);
    from += HEADER;
    length -= HEADER;
    if (block_size == 0)
        return false;
    while (out_length > 0) {
        size_t plain = out_length < block_size ? out_length : block_size;
        if (length < BLOCK_HEADER)
            return false;
        size_t packed = (size_t)load_be(from, BLOCK_HEADER);
        from += BLOCK_HEADER;
        length -= BLOCK_HEADER;
        if (packed > length || packed > LZ4_MAX_INPUT_SIZE)
            return false;
        if (packed == plain)
            memcpy(to, from, plain);
        else if (LZ4_decompress_safe((const char *)from, to, (int)packed, (int)plain) != (int)plain)
            return false;
        from += packed;
        length -= packed;
        to += plain;
        out_length -= plain;
    }
    return length == 0;
}

/* What HDF5 calls (H5Zpublic.h, H5Z_func_t): replaces *buffer, returns the new length, 0 for failure. */
static size_t filter(unsigned flags, size_t n_values, const unsigned values[], size_t length,
                     size_t *buffer_size, void **buffer)
{
    const bool decoding = (flags & H5Z_FLAG_REVERSE) != 0;
    size_t room, done;
    (void)n_values;
    (void)values;
    if (decoding) {
        /* LZ4 packs to 1/255 at best: a chunk that claims more is not one. */
        uint64_t plain = length < HEADER ? 0 : load_be(*buffer, 8);
        if (plain == 0 || plain > LZ4_MAX_INPUT_SIZE || plain / 256 > length)
            return 0;
        room = (size_t)plain;
    } else {
        room = lz4_filter_bound(length);
    }
    void *out = H5allocate_memory(room, false);
    if (out == NULL)
        return 0;
    if (decoding)
        done = lz4_filter_decode(out, room, *buffer, length) ? room : 0;
    else
        done = lz4_filter_encode(out, *buffer, length);
    if (done == 0) {
        H5free_memory(out);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = out;
    *buffer_size = room;
    return done;
}

enum maille_code lz4_filter_register(struct maille_error *error)
{
    static const H5Z_class2_t class = {
        .version = H5Z_CLASS_T_VERS,
        .id = LZ4_FILTER_ID,
        .encoder_present = 1,
        .decoder_present = 1,
        .name = "LZ4 (registered filter 32004)",
        .filter = filter,
    };
    if (H5Zregister(&class) < 0)
        return maille_fail(error, MAILLE_INTERNAL, "HDF5 does not take the LZ4 chunk filter");
    return MAILLE_OK;
}
