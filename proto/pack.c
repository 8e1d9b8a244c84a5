/* LZ4 blocks with their length in front. */
#include <limits.h>

#include <lz4.h>

#include "proto/pack.h"

/* An LZ4 block cannot grow by more than 255 (lz4_Block_format.md: a length byte stands for at most 255
 * bytes). */
enum { LENGTH_BYTES = 8, LZ4_GROWTH_MAX = 255 };

enum maille_code proto_pack(struct bytes *out, const void *data, size_t length, struct maille_error *error)
{
    struct bytes packed = {0};
    if (length > LZ4_MAX_INPUT_SIZE)
        return maille_fail(error, MAILLE_INVALID, "expected at most %d bytes to pack, found %zu",
                           LZ4_MAX_INPUT_SIZE, length);
    bytes_put_u64(&packed, length);
    const int bound = LZ4_compressBound((int)length);
    uint8_t *place = bytes_reserve(&packed, (size_t)bound);
    if (place == NULL) {
        bytes_clear(&packed);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for %d bytes, found none", bound);
    }
    const int done = LZ4_compress_default(length == 0 ? "" : data, (char *)place, (int)length, bound);
    if (done <= 0) {
        bytes_clear(&packed);
        return maille_fail(error, MAILLE_INTERNAL, "expected LZ4 to pack %zu bytes, found that it does not",
                           length);
    }
    packed.length = LENGTH_BYTES + (size_t)done;
    bytes_put(out, packed.data, packed.length);
    bytes_wipe(&packed); /* θ is secret */
    return bytes_check(out, error);
}

enum maille_code proto_unpack(struct bytes *out, const void *packed, size_t length, size_t limit,
                              struct maille_error *error)
{
    struct reader reader = reader_of(packed, length);
    const uint64_t claimed = reader_u64(&reader);
    const size_t left = reader_left(&reader);
    if (reader.bad || left > INT_MAX)
        return maille_fail(error, MAILLE_PROTOCOL, "expected packed bytes, found %zu", length);
    if (claimed > limit || claimed > LZ4_MAX_INPUT_SIZE || claimed > (uint64_t)LZ4_GROWTH_MAX * left)
        return maille_fail(error, MAILLE_PROTOCOL,
                           "expected at most %zu bytes when unpacked, found a claim of %llu", limit,
                           (unsigned long long)claimed);
    struct bytes unpacked = {0};
    uint8_t *place = bytes_reserve(&unpacked, claimed == 0 ? 1 : (size_t)claimed);
    if (place == NULL) {
        bytes_clear(&unpacked);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for %llu bytes, found none",
                           (unsigned long long)claimed);
    }
    const int done = LZ4_decompress_safe((const char *)reader.next, (char *)place, (int)left, (int)claimed);
    if (done < 0 || (uint64_t)done != claimed) {
        bytes_wipe(&unpacked);
        return maille_fail(error, MAILLE_PROTOCOL,
                           "expected an LZ4 block of %llu bytes, found something else",
                           (unsigned long long)claimed);
    }
    bytes_put(out, place, (size_t)claimed);
    bytes_wipe(&unpacked);
    return bytes_check(out, error);
}
