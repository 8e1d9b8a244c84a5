#include "stats/steps.h"

size_t *steps_edges(const uint8_t *kept, size_t groups, size_t n, struct arena *arena)
{
    size_t *edges = arena_array(arena, groups * n, sizeof *edges);
    for (size_t g = 0; g < groups; g++) {
        size_t last = n;
        for (size_t k = n; k-- > 0;) {
            if (kept == NULL || kept[g * n + k] != 0)
                last = k;
            edges[g * n + k] = last;
        }
        for (size_t k = n;
             k-- > 0 && edges[g * n + k] == n;) /* no edge at its right: as the contract, the end */
            edges[g * n + k] = n - 1;
    }
    return edges;
}

size_t *steps_entries(const size_t *exits, const size_t *entries, size_t groups, size_t n,
                      struct arena *arena)
{
    size_t *to = arena_array(arena, groups * n, sizeof *to);
    for (size_t g = 0; g < groups; g++)
        for (size_t k = 0, left = 0; k < n; k++) {
            if (k > 0 && entries[g * n + k - 1] != entries[g * n + k])
                left = k;
            size_t edge = left;
            while (edge > 0 && exits[g * n + edge] != edge)
                edge--;
            to[g * n + k] = edge;
        }
    return to;
}

bool steps_joined(const size_t *edges, size_t groups, size_t n)
{
    for (size_t i = 0; i < groups * n; i++)
        if (edges[i] != i % n)
            return true;
    return false;
}

const struct expression *steps_moved(const double *table, const struct expression *code, size_t n_bins,
                                     struct arena *arena)
{
    return expression_uniform_bin(arena, expression_lookup(arena, table, code->n_levels, code), 0, 1,
                                  (uint32_t)n_bins);
}
