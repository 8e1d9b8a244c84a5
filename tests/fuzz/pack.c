/* proto/pack.h: LZ4 blocks with their length in front. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "proto/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { LIMIT = 1 << 20 };
    struct bytes plain = {0}, packed = {0}, again = {0};
    if (proto_unpack(&plain, data, size, LIMIT, NULL) == MAILLE_OK && plain.length > LIMIT)
        fuzz_fail("no more bytes than the limit");
    if (proto_pack(&packed, data, size, NULL) != MAILLE_OK ||
        proto_unpack(&again, packed.data, packed.length, size, NULL) != MAILLE_OK || again.length != size ||
        (size > 0 && memcmp(again.data, data, size) != 0))
        fuzz_fail("what was packed to be unpacked");
    bytes_clear(&plain);
    bytes_clear(&packed);
    bytes_clear(&again);
    return 0;
}
