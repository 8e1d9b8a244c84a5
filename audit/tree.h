/* The Merkle tree of RFC 9162 §2.1 over the records of a log, kept in memory: 64 bytes a leaf, or (tree_keep)
 * a quarter of a byte for those of long ago. A tree may begin at a size above 0, when what stood before was
 * pruned: then only the subtrees that cover it are known. */
#ifndef AUDIT_TREE_H
#define AUDIT_TREE_H

#include <stdbool.h>

#include "crypto/tree_hash.h"

enum { TREE_LEVELS = 64, TREE_PROOF_MAX = 2 * TREE_LEVELS };
/* Leaves are let go by blocks. */
enum { TREE_BLOCK_LEVELS = 8, TREE_BLOCK = 1 << TREE_BLOCK_LEVELS };

/* Nodes [first, first + n) of one level; node k of level l covers leaves [k·2^l, (k + 1)·2^l). */
struct tree_level {
    struct digest *nodes;
    uint64_t first, n, capacity;
};

/* Zero-initialise ({0}); tree_clear releases. */
struct tree {
    struct tree_level levels[TREE_LEVELS];
    uint64_t base; /* leaves that stand before the first one that was appended */
    uint64_t size; /* leaves, those before included */
    uint64_t keep; /* at least so many of the last leaves are kept; 0: all */
    /* The nodes below one whole block that was let go, and read again: level 0, then 1, … */
    struct digest *block;
    uint64_t block_start; /* its first leaf, where block is not NULL */
};

void tree_clear(struct tree *tree);

/* The hash of the next leaf. MAILLE_MEMORY: the tree is as it was. */
enum maille_code tree_append(struct tree *tree, const struct digest *leaf,
                             struct maille_error *error) MAILLE_CHECKED;

/* From now on only whole blocks of long ago are kept as such: `keep` of the last leaves stay, and at most
 * about twice as many. */
void tree_keep(struct tree *tree, uint64_t keep);
/* Whether a proof from the first `old` leaves needs a block that was let go; *start: its first leaf. */
bool tree_lacks(const struct tree *tree, uint64_t old, uint64_t *start);
/* Takes the leaves of that block again, one block at a time. False where they are not what stood there;
 * MAILLE_MEMORY is false too. */
bool tree_recall(struct tree *tree, uint64_t start, const struct digest leaves[TREE_BLOCK]);

/* Root of the first size leaves; size is 0 (the empty tree's) or base ≤ size ≤ tree->size: else false. */
bool tree_root(struct digest *root, const struct tree *tree, uint64_t size);

/* The subtrees that cover the first size leaves, largest first: one for each bit of size. n: their number (at
 * most TREE_LEVELS). tree_begin starts an empty tree from them; MAILLE_CORRUPT where n is not the number of
 * bits. */
bool tree_range(struct digest nodes[TREE_LEVELS], size_t *n, const struct tree *tree, uint64_t size);
enum maille_code tree_begin(struct tree *tree, uint64_t size, const struct digest *nodes, size_t n,
                            struct maille_error *error) MAILLE_CHECKED;

/* Inclusion proof of leaf `index` in the first size leaves, and consistency proof from the first `old` leaves
 * to the first size (RFC 9162 §2.1.3.1, §2.1.4.1). proof has TREE_PROOF_MAX places. False where the tree
 * cannot (pruned, or beyond the end). */
bool tree_inclusion(struct digest *proof, size_t *n, const struct tree *tree, uint64_t index, uint64_t size);
bool tree_consistency(struct digest *proof, size_t *n, const struct tree *tree, uint64_t old, uint64_t size);

/* The verifier's half (RFC 9162 §2.1.3.2, §2.1.4.2): needs no tree. */
bool tree_inclusion_valid(const struct digest *leaf, uint64_t index, uint64_t size,
                          const struct digest *proof, size_t n, const struct digest *root);
bool tree_consistency_valid(uint64_t old, const struct digest *old_root, uint64_t size,
                            const struct digest *root, const struct digest *proof, size_t n);

#endif
