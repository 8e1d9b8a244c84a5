#include "disclosure/bins.h"

#include <assert.h>
#include <string.h>

size_t bins_merge(uint8_t *edges, const int64_t *counts, size_t n, int64_t minimum)
{
    size_t n_merged = 0, last = 0;
    int64_t here = 0;
    assert(n >= 1);
    memset(edges, 0, n);
    for (size_t i = 0; i < n; i++) {
        here += counts[i];
        if (here < minimum && minimum > 1)
            continue;
        edges[i] = 1;
        n_merged++;
        last = i;
        here = 0;
    }
    if (!edges[n - 1]) {
        if (n_merged > 0)
            edges[last] = 0;
        else
            n_merged = 1;
        edges[n - 1] = 1;
    }
    return n_merged;
}

size_t bins_gather(int64_t *merged, const int64_t *counts, const uint8_t *edges, size_t n)
{
    size_t at = 0;
    int64_t here = 0;
    for (size_t i = 0; i < n; i++) {
        here += counts[i];
        if (!edges[i])
            continue;
        merged[at++] = here;
        here = 0;
    }
    return at;
}

/* --- the tree --- */

static size_t padded(size_t n)
{
    size_t width = 1;
    while (width < n)
        width *= 2;
    return width;
}

size_t bins_nodes(size_t n)
{
    return 2 * padded(n) - 1;
}

void bins_sums(int64_t *nodes, const int64_t *counts, size_t n_leaves, size_t n)
{
    size_t width = padded(n);
    for (size_t i = 0; i < width; i++)
        nodes[width - 1 + i] = i < n_leaves ? counts[i] : 0;
    for (size_t i = width - 1; i-- > 0;)
        nodes[i] = nodes[2 * i + 1] + nodes[2 * i + 2];
}

/* The cut below one node, whose leaves are first … first + width − 1; those from n on are padding. */
static bool cover(uint8_t *edges, const bool *bad, size_t node, size_t first, size_t width, size_t n)
{
    if (first >= n)
        return true;
    if (width > 1 && cover(edges, bad, 2 * node + 1, first, width / 2, n) &&
        cover(edges, bad, 2 * node + 2, first + width / 2, width / 2, n))
        return true;
    if (bad[node])
        return false;
    size_t end = first + width < n ? first + width : n;
    memset(edges + first, 0, end - first);
    edges[end - 1] = 1;
    return true;
}

bool bins_cover(uint8_t *edges, const bool *bad, size_t n_leaves, size_t n)
{
    assert(n_leaves >= 1 && n_leaves <= n);
    return cover(edges, bad, 0, 0, padded(n), n_leaves);
}
