/* Bins that are merged until enough patients stand in each: those of a pooled Cox model and of a quantile
 * (CELL_MERGE). Two ways: from the left, where pooled counts are known; and over a tree, where sites can only
 * veto. */
#ifndef DISCLOSURE_BINS_H
#define DISCLOSURE_BINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* edges[i] = 1 where bin i is the right edge of a merged bin, else 0. Bins are taken from the left until they
 * hold `minimum` or more; a rest at the right end joins the merged bin before it; all in one where there is
 * none. A minimum of 1 or less merges nothing. Returns the number of merged bins. n ≥ 1. */
size_t bins_merge(uint8_t *edges, const int64_t *counts, size_t n, int64_t minimum);
/* Counts of merged bins, from the counts of bins. Returns their number; merged has room for n. */
size_t bins_gather(int64_t *merged, const int64_t *counts, const uint8_t *edges, size_t n);

/* A binary tree whose leaves are n bins, padded with empty ones to a power of two. Node 0 is the root, the
 * children of node i are 2i + 1 and 2i + 2. */
size_t bins_nodes(size_t n);
/* Counts of all bins_nodes(n) nodes; the first n_leaves ≤ n leaves have counts, the others 0. */
void bins_sums(int64_t *nodes, const int64_t *counts, size_t n_leaves, size_t n);
/* The finest cut through the tree without a bad node: edges of the first n_leaves leaves, as above. A node is
 * split only where every part of both halves can stand. False, and nothing of use in edges, where not even
 * the root can. */
bool bins_cover(uint8_t *edges, const bool *bad, size_t n_leaves, size_t n);

#endif
