#include "audit/tree.h"

#include <stdlib.h>
#include <string.h>

void tree_clear(struct tree *tree)
{
    for (size_t l = 0; l < TREE_LEVELS; l++)
        free(tree->levels[l].nodes);
    free(tree->block);
    *tree = (struct tree){0};
}

/* Room for one more node. */
static bool level_grow(struct tree_level *level)
{
    if (level->n < level->capacity)
        return true;
    /* A log grows for years: what is kept for it in vain stays below a quarter. */
    uint64_t capacity = level->capacity < 64 ? 64 : level->capacity + level->capacity / 4;
    struct digest *grown = realloc(level->nodes, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    level->nodes = grown;
    level->capacity = capacity;
    return true;
}

static const struct digest *level_node(const struct tree_level *level, uint64_t k)
{
    return k >= level->first && k - level->first < level->n ? &level->nodes[k - level->first] : NULL;
}

/* A node that is kept, or below the block that was read again. */
static const struct digest *tree_node(const struct tree *tree, size_t l, uint64_t k)
{
    const struct digest *node = level_node(&tree->levels[l], k);
    if (node != NULL || tree->block == NULL || l >= TREE_BLOCK_LEVELS ||
        k >> (TREE_BLOCK_LEVELS - l) != tree->block_start >> TREE_BLOCK_LEVELS)
        return node;
    /* Levels 0 … l − 1 of a block have 2·(256 − 256/2^l) nodes. */
    const size_t below = 2 * ((size_t)TREE_BLOCK - ((size_t)TREE_BLOCK >> l));
    return &tree->block[below + (size_t)(k - (tree->block_start >> l))];
}

/* --- letting go --- */

static void level_forget(struct tree_level *level, uint64_t first)
{
    if (first <= level->first || first - level->first >= level->n)
        return;
    const uint64_t gone = first - level->first;
    memmove(level->nodes, level->nodes + gone, (level->n - gone) * sizeof *level->nodes);
    level->first = first;
    level->n -= gone;
    struct digest *less = realloc(level->nodes, level->n * sizeof *less);
    if (less == NULL) /* then it stays as large as it was */
        return;
    level->nodes = less;
    level->capacity = level->n;
}

static void forget(struct tree *tree)
{
    const struct tree_level *leaves = &tree->levels[0];
    if (tree->keep == 0 || leaves->n < 2 * tree->keep + TREE_BLOCK)
        return;
    const uint64_t first = (tree->size - tree->keep) / TREE_BLOCK * TREE_BLOCK;
    for (size_t l = 0; l < TREE_BLOCK_LEVELS; l++)
        level_forget(&tree->levels[l], first >> l);
}

void tree_keep(struct tree *tree, uint64_t keep)
{
    tree->keep = keep;
    forget(tree);
}

bool tree_lacks(const struct tree *tree, uint64_t old, uint64_t *start)
{
    *start = old / TREE_BLOCK * TREE_BLOCK;
    return tree->keep > 0 && old <= tree->size && old > *start && *start >= tree->base &&
           *start < tree->levels[0].first && (tree->block == NULL || tree->block_start != *start);
}

bool tree_recall(struct tree *tree, uint64_t start, const struct digest leaves[TREE_BLOCK])
{
    const struct digest *top = level_node(&tree->levels[TREE_BLOCK_LEVELS], start >> TREE_BLOCK_LEVELS);
    struct digest *nodes = malloc((size_t)(2 * TREE_BLOCK - 1) * sizeof *nodes), *to = nodes;
    if (nodes == NULL || top == NULL)
        goto out;
    memcpy(nodes, leaves, TREE_BLOCK * sizeof *nodes);
    to += TREE_BLOCK;
    for (const struct digest *from = nodes; to < nodes + 2 * TREE_BLOCK - 1; from += 2)
        tree_hash_node(to++, &from[0], &from[1]);
    if (!digest_equal(&nodes[2 * TREE_BLOCK - 2], top))
        goto out;
    free(tree->block);
    tree->block = nodes;
    tree->block_start = start;
    return true;
out:
    free(nodes);
    return false;
}

enum maille_code tree_append(struct tree *tree, const struct digest *leaf, struct maille_error *error)
{
    uint64_t k = tree->size;
    for (size_t l = 0; l == 0 || (tree->size >> (l - 1) & 1) != 0; l++)
        if (!level_grow(&tree->levels[l]))
            return maille_fail(error, MAILLE_MEMORY, "expected memory for entry %llu of a log, found none",
                               (unsigned long long)tree->size);
    struct digest node = *leaf;
    for (size_t l = 0;; l++, k >>= 1) {
        struct tree_level *level = &tree->levels[l];
        level->nodes[level->n++] = node;
        if ((k & 1) == 0)
            break;
        tree_hash_node(&node, level_node(level, k - 1), &node);
    }
    tree->size++;
    if (tree->size % TREE_BLOCK == 0)
        forget(tree);
    return MAILLE_OK;
}

/* Hash of leaves [start, end), where start is a multiple of the largest power of two below end − start, or of
 * end − start where that is one: every range that RFC 9162 splits into. */
static bool range_hash(struct digest *out, const struct tree *tree, uint64_t start, uint64_t end)
{
    struct digest whole = {{0}};
    bool begun = false;
    uint64_t done = end;
    /* Complete subtrees from the right, the smallest first. */
    while (done > start) {
        unsigned l = (unsigned)__builtin_ctzll(done);
        while (UINT64_C(1) << l > done - start)
            l--;
        const struct digest *node = tree_node(tree, l, (done - 1) >> l);
        if (node == NULL)
            return false;
        if (begun)
            tree_hash_node(&whole, node, &whole);
        else
            whole = *node;
        begun = true;
        done -= UINT64_C(1) << l;
    }
    *out = whole;
    return begun;
}

bool tree_root(struct digest *root, const struct tree *tree, uint64_t size)
{
    if (size == 0) {
        tree_hash_empty(root);
        return true;
    }
    return size <= tree->size && range_hash(root, tree, 0, size);
}

bool tree_range(struct digest nodes[TREE_LEVELS], size_t *n, const struct tree *tree, uint64_t size)
{
    size_t found = 0;
    if (size > tree->size)
        return false;
    for (size_t l = TREE_LEVELS; l-- > 0;)
        if (size >> l & 1) {
            const struct digest *node = tree_node(tree, l, (size >> l) - 1);
            if (node == NULL)
                return false;
            nodes[found++] = *node;
        }
    *n = found;
    return true;
}

enum maille_code tree_begin(struct tree *tree, uint64_t size, const struct digest *nodes, size_t n,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t used = 0;
    struct tree made = {.base = size, .size = size};
    if (n != (size_t)__builtin_popcountll(size)) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected %d subtrees over %llu entries, found %zu",
                           __builtin_popcountll(size), (unsigned long long)size, n);
        goto out;
    }
    for (size_t l = TREE_LEVELS; l-- > 0;) {
        struct tree_level *level = &made.levels[l];
        level->first = size >> l;
        if ((size >> l & 1) == 0)
            continue;
        if (!level_grow(level)) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for a log, found none");
            goto out;
        }
        level->first--;
        level->nodes[level->n++] = nodes[used++];
    }
    *tree = made;
    made = (struct tree){0};
out:
    tree_clear(&made);
    return code;
}

/* The largest power of two below n, n ≥ 2. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* PATH(index − start, D[start:end]), RFC 9162 §2.1.3.1, from the leaf up. */
static bool path(struct digest *proof, size_t *n, const struct tree *tree, uint64_t index, uint64_t start,
                 uint64_t end)
{
    if (end - start == 1)
        return true;
    uint64_t middle = start + split_of(end - start);
    bool left = index < middle;
    return (left ? path(proof, n, tree, index, start, middle) : path(proof, n, tree, index, middle, end)) &&
           (left ? range_hash(&proof[(*n)++], tree, middle, end)
                 : range_hash(&proof[(*n)++], tree, start, middle));
}

bool tree_inclusion(struct digest *proof, size_t *n, const struct tree *tree, uint64_t index, uint64_t size)
{
    *n = 0;
    return index < size && size <= tree->size && index >= tree->base && path(proof, n, tree, index, 0, size);
}

/* SUBPROOF(old − start, D[start:end], known), RFC 9162 §2.1.4.1. */
static bool subproof(struct digest *proof, size_t *n, const struct tree *tree, uint64_t old, uint64_t start,
                     uint64_t end, bool known)
{
    if (old == end)
        return known || range_hash(&proof[(*n)++], tree, start, end);
    uint64_t middle = start + split_of(end - start);
    if (old <= middle)
        return subproof(proof, n, tree, old, start, middle, known) &&
               range_hash(&proof[(*n)++], tree, middle, end);
    return subproof(proof, n, tree, old, middle, end, false) &&
           range_hash(&proof[(*n)++], tree, start, middle);
}

bool tree_consistency(struct digest *proof, size_t *n, const struct tree *tree, uint64_t old, uint64_t size)
{
    *n = 0;
    if (old > size || size > tree->size)
        return false;
    return old == 0 || old == size || subproof(proof, n, tree, old, 0, size, true);
}

bool tree_inclusion_valid(const struct digest *leaf, uint64_t index, uint64_t size,
                          const struct digest *proof, size_t n, const struct digest *root)
{
    if (index >= size)
        return false;
    uint64_t f = index, s = size - 1;
    struct digest r = *leaf;
    for (size_t i = 0; i < n; i++) {
        if (s == 0)
            return false;
        if ((f & 1) != 0 || f == s) {
            tree_hash_node(&r, &proof[i], &r);
            while ((f & 1) == 0 && f != 0) {
                f >>= 1;
                s >>= 1;
            }
        } else
            tree_hash_node(&r, &r, &proof[i]);
        f >>= 1;
        s >>= 1;
    }
    return s == 0 && digest_equal(&r, root);
}

bool tree_consistency_valid(uint64_t old, const struct digest *old_root, uint64_t size,
                            const struct digest *root, const struct digest *proof, size_t n)
{
    struct digest empty;
    tree_hash_empty(&empty);
    if (old > size)
        return false;
    if (old == size)
        return n == 0 && digest_equal(old_root, root) && (size > 0 || digest_equal(root, &empty));
    if (old == 0)
        return n == 0 && digest_equal(old_root, &empty);
    /* An old tree that is one complete subtree stands at the head of the proof, unsent. */
    size_t i = 0;
    struct digest first = *old_root;
    if ((old & (old - 1)) != 0) {
        if (n == 0)
            return false;
        first = proof[i++];
    }
    uint64_t f = old - 1, s = size - 1;
    while ((f & 1) != 0) {
        f >>= 1;
        s >>= 1;
    }
    struct digest fr = first, sr = first;
    for (; i < n; i++) {
        if (s == 0)
            return false;
        if ((f & 1) != 0 || f == s) {
            tree_hash_node(&fr, &proof[i], &fr);
            tree_hash_node(&sr, &proof[i], &sr);
            while ((f & 1) == 0 && f != 0) {
                f >>= 1;
                s >>= 1;
            }
        } else
            tree_hash_node(&sr, &sr, &proof[i]);
        f >>= 1;
        s >>= 1;
    }
    return s == 0 && digest_equal(&fr, old_root) && digest_equal(&sr, root);
}
