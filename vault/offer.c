#include "vault/offer.h"

#include <string.h>

/* Nothing else refuses it. */
static bool is_only_near(const struct plan *plan, size_t analysis)
{
    const char *why = plan->analyses[analysis].why;
    return why != NULL && strcmp(why, "differencing") == 0;
}

/* The first of them; published->n: none. */
static size_t first_near(const struct threshold *threshold, const struct query *query, const bool *near,
                         size_t group)
{
    const struct threshold_pairs *pairs = &threshold->pairs[THRESHOLD_FIRST];
    size_t first = query->custody.published.n;
    for (size_t i = 0; i < pairs->n; i++)
        if (near[i] && pairs->list[i].past == query->custody.n_ledger && pairs->list[i].group == group &&
            pairs->list[i].other < first)
            first = pairs->list[i].other;
    return first;
}

void vault_offers(const char **offers, const struct query *query, const struct threshold *threshold,
                  const uint8_t *totals, const struct plan *plan, struct arena *arena)
{
    const struct published *published = &query->custody.published;
    bool *near = arena_array(arena, threshold->pairs[THRESHOLD_FIRST].n + 1, sizeof *near);
    threshold_near_pairs(near, threshold, THRESHOLD_FIRST, totals, query->custody.strictest);
    for (size_t g = 0; g < threshold->n_groups; g++) {
        const struct threshold_group *group = &threshold->groups[g];
        if (group->part != 0 || !is_only_near(plan, group->analysis))
            continue;
        const size_t first = first_near(threshold, query, near, group->same);
        if (first < published->n)
            offers[group->analysis] = published_words(&published->list[first]);
    }
}
