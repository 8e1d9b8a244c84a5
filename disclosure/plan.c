/* Reading order: the totals must be possible (totals_possible); what refuses a whole analysis and what hides
 * a cell, rule by rule (judge_…); then the cells that must be hidden with them (suppress.c); plan_make is the
 * whole. */
#include "disclosure/plan_judge.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "disclosure/bins.h"
#include "disclosure/rule.h"

void plan_refuse(struct judge *judge, size_t analysis, const char *rule)
{
    struct plan_analysis *refused = &judge->plan->analyses[analysis];
    const struct rule *row = rule_find(rule);
    assert(row != NULL);
    if (refused->rule[0] != '\0')
        return;
    snprintf(refused->rule, MAILLE_RULE_MAX, "%s", rule_told(row));
    refused->why = row->code;
}

bool plan_refused(const struct judge *judge, size_t analysis)
{
    return judge->plan->analyses[analysis].rule[0] != '\0';
}

/* --- the totals --- */

/* n words from `at` are 0 … most. */
static bool words_within(const uint8_t *words, size_t at, size_t n, int64_t most)
{
    for (size_t i = 0; at != THRESHOLD_ABSENT && i < n; i++)
        if (threshold_word(words, at + i) < 0 || threshold_word(words, at + i) > most)
            return false;
    return true;
}

/* Where both are counts of the same patients, as many sites have some as can. */
static bool sites_agree(const struct judge *judge, const struct threshold_block *block)
{
    if (block->counts == THRESHOLD_ABSENT || block->sites == THRESHOLD_ABSENT || block->rule == CELL_AT_RISK)
        return true;
    for (size_t i = 0; i < block->n_cells; i++) {
        int64_t n = threshold_word(judge->first, block->counts + i),
                sites = threshold_word(judge->first, block->sites + i);
        if (sites > n || (n > 0) != (sites > 0))
            return false;
    }
    return true;
}

/* Sums that no roster can have come from: somebody lied, or altered them on the way. */
static enum maille_code totals_possible(const struct judge *judge, size_t n_members,
                                        struct maille_error *error)
{
    const struct threshold *threshold = judge->threshold;
    const int64_t members = (int64_t)n_members, rows = INT64_C(1) << 40;
    bool possible = true;
    for (size_t k = 0; k < judge->plan->n; k++) {
        const struct threshold_analysis *analysis = &threshold->analyses[k];
        for (size_t b = 0; analysis->open && b < analysis->cells->spec.n_blocks; b++) {
            const struct threshold_block *block = &analysis->blocks[b];
            const size_t n_nodes = block->n_groups * block->n_nodes;
            possible = possible && words_within(judge->first, block->counts, block->n_cells, rows) &&
                       words_within(judge->first, block->sites, block->n_cells, members) &&
                       words_within(judge->second, block->node_sites, n_nodes, members) &&
                       sites_agree(judge, block);
        }
    }
    if (!possible)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected head counts that %zu sites can have, found others: somebody altered a threshold round",
            n_members);
    return MAILLE_OK;
}

/* --- one cell --- */

/* 0 … minimum − 1: nobody is few, wherever a minimum is on. */
static bool few(int64_t count, double minimum)
{
    return minimum > 1 && (double)count < minimum;
}

/* Do all sites know that nobody is in a cell? By its pooled count, or the word of T2 that stands for it;
 * among three or four sites neither is there. */
static bool known_empty(const struct judge *judge, const struct threshold_block *block, size_t cell)
{
    if (block->counts != THRESHOLD_ABSENT)
        return threshold_word(judge->first, block->counts + cell) == 0;
    return block->anybody != THRESHOLD_ABSENT && threshold_word(judge->second, block->anybody + cell) == 0;
}

/* The rule that a cell breaks, or NULL. count: pooled patients in it; not read under a local rule, where any
 * veto is of the minimum, and so is nobody at all. */
static const char *cell_breaks(const struct judge *judge, const struct threshold_block *block, size_t cell,
                               int64_t count, double minimum, const char *minimum_rule)
{
    const bool vetoed = threshold_word(judge->second, block->vetoes + cell) != 0;
    if (block->counts == THRESHOLD_ABSENT)
        return vetoed || (minimum > 1 && known_empty(judge, block, cell)) ? minimum_rule : NULL;
    if (few(count, minimum))
        return minimum_rule;
    if (few(count > 0 ? threshold_word(judge->first, block->sites + cell) : 0,
            judge->policy->min_contributors))
        return "min_contributors";
    if (vetoed)
        return judge->threshold->few_sites && minimum > 1 ? minimum_rule : "max_site_share";
    return count == 0 && judge->policy->max_site_share < 1 ? "max_site_share" : NULL;
}

/* As pooled by T1; 0 where no cell left a site. */
static int64_t cell_count(const struct judge *judge, const struct threshold_block *block, size_t cell)
{
    return block->counts == THRESHOLD_ABSENT ? 0 : threshold_word(judge->first, block->counts + cell);
}

/* Whether that rule is broken by the pooled count itself. Where each site judges alone a veto is all there
 * is. */
static bool is_small(const struct judge *judge, const char *broken, int64_t count, double minimum,
                     const char *minimum_rule)
{
    return judge->threshold->scope == CELL_SCOPE_LOCAL ? broken == minimum_rule : few(count, minimum);
}

/* Refuses an analysis where a cell of it that it cannot do without breaks a rule. */
static void refuse_cell(struct judge *judge, size_t k, const struct threshold_block *block, size_t cell,
                        double minimum, const char *minimum_rule)
{
    const int64_t count = cell_count(judge, block, cell);
    const char *rule = cell_breaks(judge, block, cell, count, minimum, minimum_rule);
    if (rule == NULL)
        return;
    plan_refuse(judge, k, rule);
    if (is_small(judge, rule, count, minimum, minimum_rule))
        judge->plan->analyses[k].small = true;
}

/* --- rules of one block --- */

/* Patients of the analysis. */
static void judge_cohort(struct judge *judge, size_t k, const struct threshold_block *block)
{
    const struct policy *policy = judge->policy;
    size_t n_parameters = judge->threshold->analyses[k].cells->n_parameters;
    for (size_t i = 0; i < block->n_cells; i++) {
        int64_t n = cell_count(judge, block, i);
        judge->plan->analyses[k].surviving.patients = n;
        refuse_cell(judge, k, block, i, policy->min_patients, "min_patients");
        if (few(threshold_word(judge->first, block->sites + i), policy->min_sites))
            plan_refuse(judge, k, "min_sites");
        if (policy->max_parameter_share < 1 && n > 0 &&
            (double)n_parameters > policy->max_parameter_share * (double)n)
            plan_refuse(judge, k, "max_parameter_share");
    }
}

/* Patients without an event in a cell of a block of events; INT64_MAX where nobody counts them. */
static int64_t without_event(const struct judge *judge, size_t k, size_t b, size_t cell)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct threshold_block *events = &analysis->blocks[b];
    const struct expression *group = analysis->cells->spec.blocks[b].group;
    if (!analysis->cells->both || events->rule != CELL_EVENTS || events->counts == THRESHOLD_ABSENT)
        return INT64_MAX;
    for (size_t i = b; i-- > 0;) { /* of the same rows and levels, the nearest: those of the same model */
        const struct threshold_block *patients = &analysis->blocks[i];
        if ((patients->rule == CELL_PATIENTS || patients->rule == CELL_COHORT) &&
            analysis->cells->spec.blocks[i].group == group && patients->n_cells == events->n_cells)
            return cell_count(judge, patients, cell) - cell_count(judge, events, cell);
    }
    return INT64_MAX;
}

/* Levels and events of a model: it cannot do without any of them. */
static void judge_levels(struct judge *judge, size_t k, size_t b)
{
    const struct threshold_block *block = &judge->threshold->analyses[k].blocks[b];
    bool events = block->rule == CELL_EVENTS;
    for (size_t i = 0; i < block->n_cells; i++) {
        if (plan_vacant(judge, k, b, i))
            continue;
        refuse_cell(judge, k, block, i, events ? judge->policy->min_events : judge->policy->min_cell,
                    events ? "min_events" : "min_cell");
        if (few(without_event(judge, k, b, i), judge->policy->min_events)) {
            plan_refuse(judge, k, "min_events");
            judge->plan->analyses[k].small = true;
        }
    }
}

/* Cells of a table: each by itself. Values that nobody lacks are hidden as those that few do, and count
 * against no registration: honest studies are full of them (decision 0033). */
static void judge_table(struct judge *judge, size_t k, size_t b, uint8_t *kept)
{
    const struct threshold_block *block = &judge->threshold->analyses[k].blocks[b];
    const double minimum = judge->policy->min_cell;
    for (size_t i = 0; i < block->n_cells; i++) {
        const int64_t count = cell_count(judge, block, i);
        const char *rule =
            plan_vacant(judge, k, b, i) ? NULL : cell_breaks(judge, block, i, count, minimum, "min_cell");
        kept[i] = kept[i] && rule == NULL;
        if (rule != NULL && is_small(judge, rule, count, minimum, "min_cell"))
            judge->small[k][b][i] = block->rule != CELL_MISSING || !known_empty(judge, block, i);
    }
}

/* Lines of cells along one part of a table, of n values, whose neighbours are `stride` cells apart. A cell is
 * hidden that holds all of its line but few. Where all but few of the whole table have its value, or nobody
 * can have another, that says nothing of the line. */
static void judge_lines(struct judge *judge, size_t k, size_t b, size_t stride, size_t n, uint8_t *kept)
{
    const struct threshold_block *block = &judge->threshold->analyses[k].blocks[b];
    struct arena *arena = judge->plan->arena;
    int64_t all = 0, *of_line = arena_array(arena, block->n_cells, sizeof *of_line);
    int64_t *of_value = arena_array(arena, n, sizeof *of_value);
    size_t *possible = arena_array(arena, block->n_cells, sizeof *possible);
    for (size_t i = 0; i < block->n_cells; i++) {
        const size_t line = i / (stride * n) * stride + i % stride;
        const int64_t count = cell_count(judge, block, i);
        all += count;
        of_line[line] += count;
        of_value[i / stride % n] += count;
        possible[line] += !plan_vacant(judge, k, b, i);
    }
    for (size_t i = 0; i < block->n_cells; i++) {
        const size_t line = i / (stride * n) * stride + i % stride;
        if (possible[line] > 1 && !plan_vacant(judge, k, b, i) &&
            few(of_line[line] - cell_count(judge, block, i), judge->policy->min_cell) &&
            !few(all - of_value[i / stride % n], judge->policy->min_cell)) {
            kept[i] = 0;
            judge->small[k][b][i] = true;
        }
    }
}

/* Levels all but few of whose patients have one value: of whoever is known to be in the level it would be
 * known. Events are exempt, and where each site judges for itself nobody knows. */
static void judge_unanimous(struct judge *judge, size_t k, size_t b, uint8_t *kept)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct threshold_block *block = &analysis->blocks[b];
    const struct expression *group = analysis->cells->spec.blocks[b].group;
    size_t stride = 1;
    if (judge->policy->unanimous == UNANIMOUS_SHOW || analysis->cells->of_events[b] ||
        block->counts == THRESHOLD_ABSENT || group == NULL || group->op != OP_CROSS)
        return;
    for (size_t p = group->n_args; p-- > 0; stride *= group->args[p]->n_levels)
        judge_lines(judge, k, b, stride, group->args[p]->n_levels, kept);
}

/* Pairs of columns of a model: whether all hold min_cell patients, where nobody is too few (but where
 * min_cell is 1 and nothing is hidden). Under a local rule whether no site has too few of its own. */
static bool judge_pairs(const struct judge *judge, size_t k, const struct threshold_block *block)
{
    const bool any = block->counts == THRESHOLD_ABSENT || judge->policy->min_cell <= 1;
    const double minimum = judge->policy->min_cell;
    bool held = true;
    for (size_t i = 0; i < block->n_cells; i++) {
        const int64_t n = cell_count(judge, block, i);
        const char *rule = cell_breaks(judge, block, i, n, minimum, "min_cell");
        const bool nobody = !any && (double)n < minimum;
        held = held && !nobody && rule == NULL;
        if (nobody || (rule != NULL && is_small(judge, rule, n, minimum, "min_cell")))
            judge->plan->analyses[k].small_covariance = true;
    }
    return held;
}

/* A curve ends before the first bin where too few are at risk. Before anybody has entered it has not begun.
 */
static void judge_at_risk(struct judge *judge, size_t k, size_t b, uint8_t *kept)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct threshold_block *block = &analysis->blocks[b];
    struct arena *arena = judge->plan->arena;
    int64_t *leaving = arena_array(arena, block->n_cells, sizeof *leaving), *entering = NULL;
    int64_t *at_risk = arena_array(arena, block->n_cells, sizeof *at_risk);
    bool enters = b + 1 < analysis->cells->spec.n_blocks && block[1].rule == CELL_ENTERING;
    if (enters)
        entering = arena_array(arena, block->n_cells, sizeof *entering);
    for (size_t i = 0; i < block->n_cells; i++) {
        leaving[i] = cell_count(judge, block, i);
        if (enters)
            entering[i] = cell_count(judge, block + 1, i);
    }
    threshold_at_risk(at_risk, leaving, entering, block->n_groups, block->n_bins);
    for (size_t group = 0; group < block->n_groups; group++) {
        bool stands = true, begun = !enters;
        if (plan_vacant(judge, k, b, group))
            continue;
        for (size_t i = group * block->n_bins; i < (group + 1) * block->n_bins; i++) {
            begun = begun || at_risk[i] != 0;
            stands =
                stands &&
                (!begun || (at_risk[i] >= 0 && cell_breaks(judge, block, i, at_risk[i],
                                                           judge->policy->min_cell, "min_cell") == NULL));
            kept[i] = stands;
        }
    }
}

/* The cells that a group of bins is hidden with; THRESHOLD_ABSENT: the analysis cannot do without it. */
static size_t table_of(const struct judge *judge, size_t k, size_t b)
{
    const struct threshold_block *blocks = judge->threshold->analyses[k].blocks;
    const size_t table = blocks[b].groups;
    const bool hides =
        table != THRESHOLD_ABSENT && (blocks[table].rule == CELL_TABLE || blocks[table].rule == CELL_MISSING);
    return hides ? table : THRESHOLD_ABSENT;
}

static bool group_hidden(const struct judge *judge, size_t k, size_t b, size_t group)
{
    const size_t table = table_of(judge, k, b);
    return table != THRESHOLD_ABSENT && !judge->kept[k][table][group];
}

/* A group of bins that is too small for one: hidden as a cell of its table where it has one, else the
 * analysis is refused. */
static void hide_group(struct judge *judge, size_t k, size_t b, size_t group, const char *rule, bool small)
{
    const size_t table = table_of(judge, k, b);
    if (table != THRESHOLD_ABSENT) {
        judge->kept[k][table][group] = 0;
        judge->small[k][table][group] |= small;
    } else {
        plan_refuse(judge, k, rule);
        judge->plan->analyses[k].small = judge->plan->analyses[k].small || small;
    }
}

/* Bins of a pooled Cox model or of a quantile, merged until each can stand. A group with too few beyond its
 * quantile refuses the analysis; one that is hidden has no bins (but for the shape: one). */
static void judge_merged(struct judge *judge, size_t k, size_t b, uint8_t *kept)
{
    const struct policy *policy = judge->policy;
    const struct threshold_block *block = &judge->threshold->analyses[k].blocks[b];
    const double tail = judge->threshold->analyses[k].cells->tail[b];
    const bool total = block->counts != THRESHOLD_ABSENT;
    const size_t n = block->n_bins;
    struct arena *arena = judge->plan->arena;
    int64_t *counts = arena_array(arena, n, sizeof *counts), *leaves = arena_array(arena, n, sizeof *leaves);
    int64_t *nodes = arena_array(arena, block->n_nodes, sizeof *nodes);
    uint8_t *merged = arena_array(arena, n, 1), *edges = arena_array(arena, n, 1);
    bool *bad = arena_array(arena, block->n_nodes, sizeof *bad);
    for (size_t group = 0; group < block->n_groups; group++) {
        int64_t all = 0;
        if (group_hidden(judge, k, b, group)) {
            memset(kept + group * n, 0, n - 1);
            continue;
        }
        for (size_t i = 0; i < n; i++)
            all += counts[i] = cell_count(judge, block, group * n + i);
        const bool vacant = plan_vacant(judge, k, b, group);
        if (total && !vacant && few(all, policy->min_cell)) {
            hide_group(judge, k, b, group, "min_cell", true);
            memset(kept + group * n, 0, n - 1);
            continue;
        }
        if (total ? tail > 0 && !vacant && policy->min_tail > 1 && (double)all * tail < policy->min_tail
                  : block->tails != THRESHOLD_ABSENT &&
                        threshold_word(judge->second, block->tails + group) != 0) {
            plan_refuse(judge, k, "min_tail");
            judge->plan->analyses[k].small = true;
        }
        /* Without pooled counts every bin is a leaf of the tree; with them, every merged bin. */
        size_t n_leaves = bins_merge(merged, counts, n, total ? (int64_t)policy->min_cell : 0);
        bins_gather(leaves, counts, merged, n);
        bins_sums(nodes, leaves, n_leaves, n);
        bool lonely = false;
        for (size_t i = 0; i < block->n_nodes; i++) {
            const size_t at = group * block->n_nodes + i;
            lonely = total && nodes[i] > 0 &&
                     few(threshold_word(judge->second, block->node_sites + at), policy->min_contributors);
            bad[i] = lonely || threshold_word(judge->second, block->vetoes + at) != 0;
            if (i == 0 && bad[0])
                hide_group(judge, k, b, group,
                           lonely  ? "min_contributors"
                           : total ? "max_site_share"
                                   : "min_cell",
                           !total);
        }
        bool covered = bins_cover(edges, bad, n_leaves, n);
        for (size_t i = 0, leaf = 0; i < n; leaf += merged[i++])
            kept[group * n + i] = merged[i] && (!covered || edges[leaf]);
    }
}

static void judge_analysis(struct judge *judge, size_t k)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        uint8_t *kept = judge->kept[k][b];
        switch (analysis->blocks[b].rule) {
        case CELL_COHORT:
            judge_cohort(judge, k, &analysis->blocks[b]);
            break;
        case CELL_PATIENTS:
        case CELL_EVENTS:
            judge_levels(judge, k, b);
            break;
        case CELL_TABLE:
            judge_table(judge, k, b, kept);
            judge_unanimous(judge, k, b, kept);
            break;
        case CELL_MISSING:
        case CELL_OUTSIDE:
            judge_table(judge, k, b, kept);
            break;
        case CELL_PAIRS:
            if (!judge_pairs(judge, k, &analysis->blocks[b]))
                judge->plan->analyses[k].surviving.no_covariance = true;
            break;
        case CELL_AT_RISK:
            judge_at_risk(judge, k, b, kept);
            break;
        case CELL_ENTERING: /* judged with the block before it */
            break;
        case CELL_MERGE:
            judge_merged(judge, k, b, kept);
            break;
        }
    }
    if (threshold_word(judge->first, analysis->veto[THRESHOLD_FIRST]) != 0 ||
        threshold_word(judge->second, analysis->veto[THRESHOLD_SECOND]) != 0)
        plan_refuse(judge, k, "site_rule");
}

/* Cells that depend on θ are asked for where a round holds them, and half of it is left for what else is. */
static void judge_late(struct judge *judge, size_t n_members)
{
    for (size_t k = 0; k < judge->plan->n; k++) {
        const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
        if (analysis->open && !plan_refused(judge, k))
            judge->plan->analyses[k].surviving.narrow =
                analysis->cells->late_bytes > round_room(n_members) / 2;
    }
}

/* --- the whole --- */

/* Everything is kept until a rule says otherwise. */
static void judge_begin(struct judge *judge, size_t k)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const size_t n_blocks = analysis->cells->spec.n_blocks;
    judge->kept[k] = arena_array(judge->plan->arena, n_blocks, sizeof *judge->kept[k]);
    judge->vacant[k] = arena_array(judge->plan->arena, n_blocks, sizeof *judge->vacant[k]);
    judge->small[k] = arena_array(judge->plan->arena, n_blocks, sizeof *judge->small[k]);
    size_t *n_cells = arena_array(judge->plan->arena, n_blocks, sizeof *n_cells);
    for (size_t b = 0; b < n_blocks; b++) {
        n_cells[b] = analysis->blocks[b].n_cells;
        judge->kept[k][b] = arena_array(judge->plan->arena, analysis->blocks[b].n_cells, 1);
        memset(judge->kept[k][b], 1, analysis->blocks[b].n_cells);
        judge->small[k][b] =
            arena_array(judge->plan->arena, analysis->blocks[b].n_cells, sizeof **judge->small[k]);
    }
    judge->plan->analyses[k].open = true;
    judge->plan->analyses[k].n_cells = n_cells;
    judge->plan->analyses[k].small_hidden = (const bool *const *)judge->small[k];
    judge->plan->analyses[k].surviving = (struct surviving){
        .n_blocks = n_blocks,
        .kept = (const uint8_t *const *)judge->kept[k],
        .closed = judge->threshold->scope == CELL_SCOPE_TOTAL,
        .min_cell = (uint64_t)judge->policy->min_cell,
        .round_counts = judge->policy->round_counts == POLICY_OFF ? 0 : (uint64_t)judge->policy->round_counts,
        .max_share = policy_patient_share(judge->policy),
        .no_covariance = analysis->cells->pairs_uncounted};
}

/* Is anything told of these rows? A level of a model is. */
static bool use_shown(const struct judge *judge, size_t k, const struct part_use *use)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct expression *group = analysis->cells->spec.blocks[use->block].group;
    bool shown = analysis->blocks[use->block].rule != CELL_TABLE;
    for (size_t i = 0; i < analysis->blocks[use->block].n_cells && !shown; i++)
        shown = judge->kept[k][use->block][i] != 0 && part_levels(group, use->factors, i) == use->level;
    return shown;
}

/* Parts that are hidden wherever they stand: nobody need keep clear of them later. */
static void find_hidden(struct judge *judge, size_t k)
{
    const struct parts *parts = &judge->threshold->analyses[k].parts;
    bool *hidden = arena_array(judge->plan->arena, parts->n + 1, sizeof *hidden);
    for (size_t u = 0; u < parts->n_uses; u++)
        hidden[parts->uses[u].part] = true;
    for (size_t u = 0; u < parts->n_uses; u++)
        if (use_shown(judge, k, &parts->uses[u]))
            hidden[parts->uses[u].part] = false;
    hidden[0] = false; /* the cohort */
    judge->plan->analyses[k].hidden = hidden;
    judge->plan->analyses[k].n_parts = parts->n;
}

static void judge_end(struct judge *judge, size_t k)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    struct plan_analysis *made = &judge->plan->analyses[k];
    if (plan_refused(judge, k)) {
        made->surviving = (struct surviving){0};
        return;
    }
    find_hidden(judge, k);
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        const struct threshold_block *block = &analysis->blocks[b];
        for (size_t i = 0; i < block->n_cells; i++)
            if (block->rule == CELL_TABLE || block->rule == CELL_OUTSIDE)
                made->n_suppressed += !judge->kept[k][b][i];
        for (size_t group = 0; group < block->n_groups; group++) { /* no curve of an arm that is hidden */
            if (!group_hidden(judge, k, b, group))
                continue;
            uint8_t *bins = judge->kept[k][b] + group * block->n_bins;
            memset(bins, 0, block->n_bins);
            bins[block->n_bins - 1] = block->rule == CELL_MERGE;
        }
    }
    judge->plan->surviving[k] = &made->surviving;
}

static bool any_small(const struct judge *judge, size_t k)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    bool any = false;
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++)
        for (size_t i = 0; i < analysis->blocks[b].n_cells; i++)
            any = any || judge->small[k][b][i];
    return any;
}

/* What must go with hidden cells. An analysis of which that leaves nothing is refused for its small ones,
 * where it has any. */
static enum maille_code suppress_all(struct judge *judge, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool *before = arena_array(judge->plan->arena, judge->plan->n + 1, sizeof *before);
    for (size_t k = 0; k < judge->plan->n; k++)
        before[k] = plan_refused(judge, k);
    MAILLE_TRY(suppress(judge, error));
    for (size_t k = 0; k < judge->plan->n; k++)
        if (judge->threshold->analyses[k].open && plan_refused(judge, k) && !before[k])
            judge->plan->analyses[k].small = any_small(judge, k);
out:
    return code;
}

enum maille_code plan_make(struct plan *plan, const struct threshold *threshold, const uint8_t *first,
                           const uint8_t *second, const struct policy *strictest, size_t n_members,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct plan made = {.arena = arena_new(), .n = threshold->study->n_analyses};
    struct judge judge = {
        .plan = &made, .threshold = threshold, .first = first, .second = second, .policy = strictest};
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a plan, found none");
    made.analyses = arena_array(made.arena, made.n, sizeof *made.analyses);
    made.surviving = arena_array(made.arena, made.n, sizeof *made.surviving);
    judge.kept = arena_array(made.arena, made.n, sizeof *judge.kept);
    judge.near = arena_array(made.arena, made.n, sizeof *judge.near);
    judge.small = arena_array(made.arena, made.n, sizeof *judge.small);
    judge.vacant = arena_array(made.arena, made.n, sizeof *judge.vacant);
    MAILLE_TRY(totals_possible(&judge, n_members, error));
    for (size_t k = 0; k < made.n; k++)
        if (threshold->analyses[k].open) {
            judge_begin(&judge, k);
            MAILLE_TRY(vacant_find(&judge, k, error));
        }
    MAILLE_TRY(plan_judge_near(&judge, error));
    for (size_t k = 0; k < made.n; k++)
        if (threshold->analyses[k].open) {
            judge_analysis(&judge, k);
            if (!plan_refused(&judge, k))
                MAILLE_TRY(plan_judge_shown(&judge, k, error));
        }
    for (size_t k = 0; k < made.n; k++)
        if (judge.near[k] != NULL)
            plan_refuse(&judge, k, judge.near[k]);
    MAILLE_TRY(suppress_all(&judge, error));
    judge_late(&judge, n_members);
    for (size_t k = 0; k < made.n; k++)
        if (threshold->analyses[k].open)
            judge_end(&judge, k);
    *plan = made;
    made = (struct plan){0};
out:
    plan_clear(&made);
    return code;
}

void plan_clear(struct plan *plan)
{
    arena_free(plan->arena);
    *plan = (struct plan){0};
}
