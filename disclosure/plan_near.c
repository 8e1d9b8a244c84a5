/* Which groups of a study are too near to others, and what is hidden or refused for it. */
#include <string.h>

#include "disclosure/plan_judge.h"

/* The levels that make a part, in the cross of a block. */
struct place {
    size_t n;
    size_t factors[PARTS_FACTORS_MAX], levels[PARTS_FACTORS_MAX];
};

static size_t find_factor(const struct expression *group, const struct expression *code)
{
    for (size_t f = 0; part_factor(group, f) != NULL; f++)
        if (threshold_same_expression(part_factor(group, f), code))
            return f;
    return SIZE_MAX;
}

/* false: that block has not all of its categories. */
static bool find_place(struct place *place, const struct tally_block *blocks, const struct part_use *use,
                       size_t b)
{
    const struct expression *own = blocks[use->block].group;
    *place = (struct place){0};
    for (size_t f = 0; part_factor(own, f) != NULL; f++) {
        if ((use->factors >> f & 1) == 0)
            continue;
        const size_t there = b == use->block ? f : find_factor(blocks[b].group, part_factor(own, f));
        if (there == SIZE_MAX)
            return false;
        place->factors[place->n] = there;
        place->levels[place->n++] = part_level_in(own, use->factors, use->level, f);
    }
    return true;
}

static bool is_there(const struct place *place, const struct expression *group, size_t cell)
{
    bool there = true;
    for (size_t i = 0; i < place->n; i++)
        there = there && part_level(group, place->factors[i], cell) == place->levels[i];
    return there;
}

/* A part that is too near: its cells are hidden where tables can do without them, else its analysis is
 * refused. Where its rows are those of the analysis, every table of the analysis holds to that. */
static void hide_use(struct judge *judge, size_t k, const struct part_use *use, bool small)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct tally_block *blocks = analysis->cells->spec.blocks;
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        struct place place;
        if ((b != use->block && (!use->whole || use->factors == 0)) || !find_place(&place, blocks, use, b))
            continue;
        for (size_t i = 0; i < analysis->blocks[b].n_cells; i++) {
            if (!is_there(&place, blocks[b].group, i) || plan_vacant(judge, k, b, i))
                continue;
            if (analysis->blocks[b].rule == CELL_PATIENTS) {
                judge->near[k] = "differencing";
                judge->plan->analyses[k].small |= small;
            } else if (analysis->blocks[b].rule == CELL_TABLE) {
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
