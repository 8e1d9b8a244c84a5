/* Hashes and key derivation: BLAKE2b-256 (RFC 7693) with unambiguous framing. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { HASH_BYTES = 32, KEY_BYTES = 32 };

/* One hash or key. */
struct digest {
    uint8_t b[HASH_BYTES];
};

/* Initialises libsodium; every program calls it first. MAILLE_INTERNAL when the library cannot start. */
enum maille_code crypto_start(struct maille_error *error) MAILLE_CHECKED;

/* KDF(k, label, d) = BLAKE2b-256(key k; LE64|label| ‖ label ‖ LE64|d| ‖ d). key NULL: unkeyed.
 * (docs/PROTOCOL.md §1)
 */
void hash_kdf(struct digest *out, const uint8_t key[KEY_BYTES], const char *label, const void *data,
              size_t length);

/* BLAKE2b-256 of the bytes alone: file hashes, log entries. */
void hash_bytes(struct digest *out, const void *data, size_t length);
/* BLAKE2b-256 of a file, streamed. MAILLE_IO. */
enum maille_code hash_file(struct digest *out, const char *path, struct maille_error *error) MAILLE_CHECKED;

/* BLAKE2b-256 of bytes that come one after the other. The context of hash_stream_put is a struct hash_stream:
 * whoever reads the bytes can be given it. */
struct hash_stream {
    _Alignas(64) uint8_t state[384];
};
void hash_stream_begin(struct hash_stream *stream);
void hash_stream_put(void *stream, const void *bytes, size_t length);
void hash_stream_end(struct digest *out, struct hash_stream *stream);

/* Hash tree of a vector: leaf k = KDF(-, "segment", LE64 k ‖ bytes of segment k), root = KDF(-, "vector",
 * LE64 length ‖ leaves). Segments of SEGMENT_BYTES; the last may be shorter; a vector of 0 bytes has no
 * segment. */
enum { SEGMENT_BYTES = 65536 };
size_t hash_segment_count(size_t length);
void hash_segment_leaf(struct digest *leaf, uint64_t index, const void *segment, size_t length);
void hash_segment_root(struct digest *root, uint64_t length, const struct digest *leaves, size_t n);
void hash_vector(struct digest *root, const void *vector, size_t length);

int digest_equal(const struct digest *a, const struct digest *b); /* constant time; 1 equal */
void crypto_random_bytes(void *out, size_t length);
uint32_t crypto_random_below(uint32_t limit); /* uniform in 0 … limit−1 */
void crypto_wipe(void *data, size_t length);

#endif
