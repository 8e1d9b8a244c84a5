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
