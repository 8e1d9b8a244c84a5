#include "crypto/tree_hash.h"

#include <sodium.h>

_Static_assert(crypto_hash_sha256_BYTES == HASH_BYTES, "SHA-256");

/* prefix below 0: none. */
static void prefixed(struct digest *out, int prefix, const void *first, size_t n_first, const void *second,
                     size_t n_second)
{
    crypto_hash_sha256_state state;
    uint8_t byte = (uint8_t)prefix;
    crypto_hash_sha256_init(&state);
    if (prefix >= 0)
        crypto_hash_sha256_update(&state, &byte, 1);
    if (n_first > 0)
        crypto_hash_sha256_update(&state, first, n_first);
    if (n_second > 0)
        crypto_hash_sha256_update(&state, second, n_second);
    crypto_hash_sha256_final(&state, out->b);
}

void tree_sha256(struct digest *out, const void *data, size_t length)
{
    prefixed(out, -1, data, length, NULL, 0);
}

void tree_hash_empty(struct digest *out)
{
    prefixed(out, -1, NULL, 0, NULL, 0);
}

void tree_hash_leaf(struct digest *out, const void *data, size_t length)
{
    prefixed(out, 0x00, data, length, NULL, 0);
}

void tree_hash_node(struct digest *out, const struct digest *left, const struct digest *right)
{
    prefixed(out, 0x01, left->b, HASH_BYTES, right->b, HASH_BYTES);
}
