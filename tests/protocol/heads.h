/* A log that is nothing but its tree: heads of any size, and proofs from any to any. */
#ifndef TESTS_PROTOCOL_HEADS_H
#define TESTS_PROTOCOL_HEADS_H

#include "audit/tree.h"
#include "proto/message.h"

/* The head over `size` entries, with proofs from each of `old` (up to a 0). In arena. Every log that this
 * makes is the start of one and the same. */
static inline struct message_head heads_made(struct arena *arena, uint64_t size, const uint64_t *old)
{
    struct tree tree = {0};
    struct message_head head = {.size = size};
    struct audit_proof *proofs = arena_array(arena, MESSAGE_HEAD_PROOFS_MAX, sizeof *proofs);
    for (uint64_t i = 0; i < size; i++) {
        struct digest leaf;
        tree_hash_leaf(&leaf, &i, sizeof i);
        assert_int_equal(tree_append(&tree, &leaf, NULL), MAILLE_OK);
    }
    assert_true(tree_root(&head.root, &tree, size));
    for (; old != NULL && *old != 0; old++) {
        struct digest *path = arena_array(arena, AUDIT_PROOF_MAX, sizeof *path);
        struct audit_proof *proof = &proofs[head.n_proofs++];
        *proof = (struct audit_proof){.old = *old, .path = path};
        assert_true(tree_consistency(path, &proof->n, &tree, *old, size));
    }
    head.proofs = proofs;
    tree_clear(&tree);
    return head;
}

#define HEADS_FROM(...) ((const uint64_t[]){__VA_ARGS__, 0})

#endif
