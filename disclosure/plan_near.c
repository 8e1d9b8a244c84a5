/* Which groups of a study are too near to others, and what is hidden or refused for it. */
#include <string.h>

#include "disclosure/plan_judge.h"

/* A part that is too near: its level is hidden where tables can do without it, else its analysis is refused.
 * Where its rows are those of the analysis, every table of the analysis holds to the level. */
static void hide_use(struct judge *judge, size_t k, const struct part_use *use, bool small)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct tally_block *blocks = analysis->cells->spec.blocks;
    const struct expression *own =
        use->factor == SIZE_MAX ? NULL : part_factor(blocks[use->block].group, use->factor);
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        if (b != use->block && (!use->whole || own == NULL))
            continue;
        for (size_t f = 0; f == 0 || part_factor(blocks[b].group, f) != NULL; f++) {
            const struct expression *factor = part_factor(blocks[b].group, f);
            if (b == use->block ? f != use->factor && own != NULL : !threshold_same_expression(factor, own))
                continue;
            if (analysis->blocks[b].rule == CELL_PATIENTS) {
                judge->near[k] = "differencing";
                judge->plan->analyses[k].small |= small;
            }
            if (analysis->blocks[b].rule != CELL_TABLE)
                continue;
            for (size_t i = 0; i < analysis->blocks[b].n_cells; i++)
                if (own == NULL || part_level(blocks[b].group, f, i) == use->level) {
                    judge->kept[k][b][i] = 0;
                    judge->small[k][b][i] |= small;
                }
        }
    }
}

/* What T0 found, beside what T1 does. One that had no word there for all of its pairs is near, whatever they
 * are.
 */
static void near_at_first(bool *near, bool *small, const struct threshold *threshold, struct arena *arena)
{
    bool *before = arena_array(arena, threshold->n_groups + 1, sizeof *before);
    threshold_near_read(before, threshold, threshold->near_before);
    for (size_t g = 0; g < threshold->n_groups; g++) {
        near[g] = near[g] || before[g];
        small[g] = small[g] ||
                   (before[g] && !threshold->groups[threshold->groups[g].same].crowded[THRESHOLD_BEFORE]);
    }
}

/* Groups that are too near to one that was shown, or to that of an earlier analysis of this study; and those
 * with which others add up to a few patients. What is hidden is hidden before others look; what is refused is
 * only noted, so that a rule that the study alone decides is told first. */
enum maille_code plan_judge_near(struct judge *judge, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct threshold *threshold = judge->threshold;
    bool *near = arena_array(judge->plan->arena, threshold->n_groups + 1, sizeof *near);
    bool *combined = arena_array(judge->plan->arena, judge->plan->n + 1, sizeof *combined);
    bool *small = arena_array(judge->plan->arena, threshold->n_groups + 1, sizeof *small);
    threshold_near_by_totals(small, threshold, THRESHOLD_FIRST, judge->first, judge->policy);
    memcpy(near, small, threshold->n_groups * sizeof *near);
    threshold_near_crowded(near, threshold, THRESHOLD_FIRST);
    if (threshold->near_before != NULL)
        near_at_first(near, small, threshold, judge->plan->arena);
    for (size_t k = 0; k < judge->plan->n; k++)
        if (threshold->analyses[k].open && threshold->analyses[k].parts.crowded &&
            judge->policy->differencing != POLICY_OFF)
            judge->near[k] = "differencing";
    for (size_t g = 0; g < threshold->n_groups; g++) {
        const struct threshold_group *group = &threshold->groups[g];
        const struct parts *parts = &threshold->analyses[group->analysis].parts;
        if (near[g] && group->part == 0) {
            judge->near[group->analysis] = "differencing";
            judge->plan->analyses[group->analysis].small |= small[g];
        }
        for (size_t u = 0; near[g] && u < parts->n_uses; u++)
            if (parts->uses[u].part == group->part)
                hide_use(judge, group->analysis, &parts->uses[u], small[g]);
    }
    MAILLE_TRY(
        threshold_combined_refused(combined, threshold, THRESHOLD_FIRST, judge->first, judge->policy, error));
    for (size_t k = 0; k < judge->plan->n; k++)
        if (threshold->analyses[k].open && judge->near[k] == NULL &&
            (combined[k] || threshold_combined_crowded(threshold, k))) {
            judge->near[k] = "combinations";
            judge->plan->analyses[k].small |= combined[k];
        }
out:
    return code;
}
