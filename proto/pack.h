/* Bytes that compress, packed for the way: θ, rosters, directories. */
#ifndef PROTO_PACK_H
#define PROTO_PACK_H

#include "base/bytes.h"

/* LZ4 frame-less block with its length in front, for what compresses: θ, rosters, directories. Never a masked
 * vector. Unpacking more than limit is refused. */
enum maille_code proto_pack(struct bytes *out, const void *data, size_t length,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code proto_unpack(struct bytes *out, const void *packed, size_t length, size_t limit,
                              struct maille_error *error) MAILLE_CHECKED;

#endif
