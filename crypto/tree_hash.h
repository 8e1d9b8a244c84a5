/* SHA-256 and the hashes of a Merkle tree as RFC 9162 §2.1 (and RFC 6962 before it) defines them, for the
 * message log: programs of others can check it. */
#ifndef CRYPTO_TREE_HASH_H
#define CRYPTO_TREE_HASH_H

#include "crypto/hash.h"

/* SHA-256 (FIPS 180-4) of length bytes. */
void tree_sha256(struct digest *out, const void *data, size_t length);

/* Root of the tree without leaves: SHA-256 of nothing. */
void tree_hash_empty(struct digest *out);
/* A leaf: SHA-256(0x00 ‖ data). */
void tree_hash_leaf(struct digest *out, const void *data, size_t length);
/* A node: SHA-256(0x01 ‖ left ‖ right). out may be left or right. */
void tree_hash_node(struct digest *out, const struct digest *left, const struct digest *right);

#endif
