/* What a site puts into the threshold rounds. */
#include <string.h>

#include "disclosure/bins.h"
#include "disclosure/plan_judge.h"
#include "disclosure/threshold.h"

/* --- T1 --- */

/* One round's words while they are filled. */
struct filling {
    uint8_t *words;
    const struct threshold *threshold;
    const uint8_t *noise;
    struct arena *arena; /* of what is worked out on the way */
};

static void put(const struct filling *filling, size_t at, int64_t value)
{
    le64_store(filling->words + 8 * at, (uint64_t)value);
}

/* A veto word. */
static void veto(const struct filling *filling, size_t at, bool objects)
{
    const uint64_t word = objects ? le64_load(filling->noise + 8 * at) : 0;
    le64_store(filling->words + 8 * at, objects && word == 0 ? 1 : word);
}

/* A zeroed vector, and the head counts checked for their length. */
static enum maille_code filling_begin(struct filling *filling, struct bytes *words,
                                      const struct threshold *threshold, enum threshold_which which,
                                      const struct tally *own, const struct threshold_veto *vetoes,
                                      struct maille_error *error)
{
    filling->threshold = threshold;
    filling->noise = vetoes->noise;
    for (size_t k = 0; k < threshold->study->n_analyses; k++)
        if (threshold->analyses[k].open &&
            (own[k].words.failed || own[k].words.length != threshold->analyses[k].bytes))
            return maille_fail(error, MAILLE_INTERNAL,
                               "expected %zu bytes of head counts of analysis %zu, found %zu",
                               threshold->analyses[k].bytes, k + 1, own[k].words.length);
    filling->arena = arena_new();
    filling->words = bytes_reserve(words, 8 * threshold->n_words[which]);
    if (filling->arena == NULL || words->failed)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a threshold round, found none");
    for (size_t k = 0; k < threshold->study->n_analyses; k++)
        if (threshold->analyses[k].open)
            veto(filling, threshold->analyses[k].veto[which], vetoes->vetoed != NULL && vetoes->vetoed[k]);
    return MAILLE_OK;
}

static int64_t *block_counts(struct arena *arena, const struct threshold_analysis *analysis, size_t b,
                             const struct tally *own)
{
    int64_t *counts = arena_array(arena, analysis->blocks[b].n_cells, sizeof *counts);
    for (size_t i = 0; i < analysis->blocks[b].n_cells; i++)
        counts[i] = tally_count(own->words.data, &analysis->extents[b], i);
    return counts;
}

static int64_t *block_totals(struct arena *arena, const struct threshold_block *block, const uint8_t *first)
{
    int64_t *counts = arena_array(arena, block->n_cells, sizeof *counts);
    for (size_t i = 0; i < block->n_cells; i++)
        counts[i] = threshold_word(first, block->counts + i);
    return counts;
}

/* What a rule looks at in each cell: its patients, or of CELL_AT_RISK those at risk. */
static int64_t *block_judged(struct arena *arena, const struct threshold_analysis *analysis, size_t b,
                             const struct tally *own)
{
    const struct threshold_block *block = &analysis->blocks[b];
    int64_t *counts = block_counts(arena, analysis, b, own);
    if (block->rule != CELL_AT_RISK)
        return counts;
    bool entering = b + 1 < analysis->cells->spec.n_blocks && analysis->blocks[b + 1].rule == CELL_ENTERING;
    int64_t *at_risk = arena_array(arena, block->n_cells, sizeof *at_risk);
    threshold_at_risk(at_risk, counts, entering ? block_counts(arena, analysis, b + 1, own) : NULL,
                      block->n_groups, block->n_bins);
    return at_risk;
}

static int64_t *totals_judged(struct arena *arena, const struct threshold_analysis *analysis, size_t b,
                              const uint8_t *first)
{
    const struct threshold_block *block = &analysis->blocks[b];
    int64_t *counts = block_totals(arena, block, first);
    if (block->rule != CELL_AT_RISK)
        return counts;
    bool entering = b + 1 < analysis->cells->spec.n_blocks && analysis->blocks[b + 1].rule == CELL_ENTERING;
    int64_t *at_risk = arena_array(arena, block->n_cells, sizeof *at_risk);
    threshold_at_risk(at_risk, counts, entering ? block_totals(arena, block + 1, first) : NULL,
                      block->n_groups, block->n_bins);
    return at_risk;
}

/* A count of 1 … minimum − 1: of one site's own, which has no part in what it has nobody of. */
static bool few(int64_t count, double minimum)
{
    return count > 0 && (double)count < minimum;
}

/* Does a member not know T any more? By how many of its own S differs from T nobody can tell. */
static bool is_lost(const struct threshold *threshold, const struct threshold_pair *pair)
{
    return pair->past != THRESHOLD_ABSENT && threshold->past[pair->past].lost;
}

bool threshold_near(const struct threshold *threshold, const struct policy *policy,
                    enum threshold_which which, size_t pair, int64_t differ)
{
    const struct threshold_pair *own = &threshold->pairs[which].list[pair];
    const bool gone = own->past != THRESHOLD_ABSENT && threshold->past[own->past].gone &&
                      policy->own_totals == OWN_TOTALS_COUNTED;
    const bool lost = is_lost(threshold, own) && threshold->scope == CELL_SCOPE_TOTAL;
    return few(differ, policy->differencing) || ((gone || lost) && differ == 0);
}

static const uint64_t patient_part = (UINT64_C(1) << THRESHOLD_PATIENT_BITS) - 1;

/* What a patient counts in the lower part of a pair word. */
static uint64_t patient_weight(const struct threshold *threshold)
{
    return threshold->n_members + 1;
}

/* The word of a pair; by: THRESHOLD_UNKNOWN where this site has no T. */
static void pair_word(const struct filling *filling, enum threshold_which which, size_t pair,
                      const struct part_difference *difference, const struct policy *policy)
{
    const int64_t *differ = difference->by;
    const struct threshold *threshold = filling->threshold;
    const size_t at = threshold->pairs[which].at + pair;
    const int64_t rows = differ[0] == THRESHOLD_UNKNOWN ? 0 : differ[0];
    const int64_t patients = differ[1] == THRESHOLD_UNKNOWN ? 0 : differ[1];
    const uint64_t noise = le64_load(filling->noise + 8 * at);
    if (threshold->scope == CELL_SCOPE_LOCAL) {
        const bool unknown = differ[0] == THRESHOLD_UNKNOWN || differ[1] == THRESHOLD_UNKNOWN;
        veto(filling, at,
             (unknown && is_lost(threshold, &threshold->pairs[which].list[pair])) ||
                 threshold_near(threshold, policy, which, pair, rows) ||
                 threshold_near(threshold, policy, which, pair, patients));
        return;
    }
    const uint64_t low = (double)patients < policy->differencing
                             ? (uint64_t)patients * patient_weight(threshold) + difference->otherwise
                             : noise & patient_part;
    const uint64_t high = (double)rows < policy->differencing ? (uint64_t)rows << THRESHOLD_PATIENT_BITS
                                                              : noise & ~patient_part;
    le64_store(filling->words + 8 * at, high | low);
}

static void pair_words(const struct filling *filling, enum threshold_which which,
                       const struct part_difference *differences, const struct policy *policy)
{
    static const struct part_difference none = {.by = {0, 0}};
    for (size_t i = 0; i < filling->threshold->pairs[which].n; i++)
        pair_word(filling, which, i, differences == NULL ? &none : &differences[i], policy);
}

/* What a pair's total says. Nobody is near where a site knows that both were chosen otherwise. Of as many
 * patients or more by patients it is by rows too: then nothing is read there. */
static bool near_by(const struct threshold *threshold, const struct policy *policy,
                    enum threshold_which which, size_t pair, uint64_t total)
{
    const uint64_t low = total & patient_part;
    const int64_t patients = (int64_t)(low / patient_weight(threshold));
    if (threshold->scope == CELL_SCOPE_LOCAL)
        return total != 0;
    return threshold_near(threshold, policy, which, pair, patients) || (patients == 0 && low > 0) ||
           (patients == 0 &&
            threshold_near(threshold, policy, which, pair, (int64_t)(total >> THRESHOLD_PATIENT_BITS)));
}

void threshold_near_pairs(bool *near, const struct threshold *threshold, enum threshold_which which,
                          const uint8_t *totals, const struct policy *policy)
{
    const struct threshold_pairs *pairs = &threshold->pairs[which];
    for (size_t i = 0; i < pairs->n; i++)
        near[i] = near_by(threshold, policy, which, i, le64_load(totals + 8 * (pairs->at + i)));
}

void threshold_near_by_totals(bool *near, const struct threshold *threshold, enum threshold_which which,
                              const uint8_t *totals, const struct policy *policy)
{
    const struct threshold_pairs *pairs = &threshold->pairs[which];
    for (size_t i = 0; i < pairs->n; i++)
        near[pairs->list[i].group] |=
            near_by(threshold, policy, which, i, le64_load(totals + 8 * (pairs->at + i)));
    for (size_t g = 0; g < threshold->n_groups; g++)
        near[g] = near[threshold->groups[g].same];
}

void threshold_near_crowded(bool *near, const struct threshold *threshold, enum threshold_which which)
{
    for (size_t g = 0; g < threshold->n_groups; g++)
        near[g] = near[g] || threshold->groups[threshold->groups[g].same].crowded[which];
}

void threshold_near_groups(bool *near, const struct threshold *threshold, enum threshold_which which,
                           const uint8_t *totals, const struct policy *policy)
{
    threshold_near_by_totals(near, threshold, which, totals, policy);
    threshold_near_crowded(near, threshold, which);
}

void threshold_near_write(struct bytes *out, const struct threshold *threshold, const bool *near)
{
    for (size_t g = 0; g < threshold->n_groups; g++)
        if (near[g]) {
            bytes_put_u32(out, (uint32_t)threshold->groups[g].analysis);
            bytes_put_u32(out, (uint32_t)threshold->groups[g].part);
        }
}

void threshold_near_read(bool *near, const struct threshold *threshold, const struct bytes *bytes)
{
    struct reader reader = reader_of(bytes->data, bytes->length);
    while (reader_left(&reader) >= 8) {
        const uint32_t analysis = reader_u32(&reader), part = reader_u32(&reader);
        for (size_t g = 0; g < threshold->n_groups; g++)
            near[g] |= threshold->groups[g].analysis == analysis && threshold->groups[g].part == part;
    }
}

enum maille_code threshold_zeroth(struct tally *out, const struct threshold *threshold,
                                  const struct part_difference *differences, const struct policy *policy,
                                  const uint8_t *noise, struct maille_error *error)
{
    struct bytes words = {0};
    struct filling filling = {.threshold = threshold, .noise = noise};
    filling.words = bytes_reserve(&words, 8 * threshold->n_words[THRESHOLD_BEFORE]);
    if (words.failed)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a threshold round, found none");
    pair_words(&filling, THRESHOLD_BEFORE, differences, policy);
    out->words = words;
    return MAILLE_OK;
}

enum maille_code threshold_first(struct tally *out, const struct threshold *threshold,
                                 const struct tally *own, const struct part_difference *differences,
                                 const struct policy *policy, const struct threshold_veto *vetoes,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes words = {0};
    struct filling filling = {0};
    const size_t n = threshold->study->n_analyses;
    MAILLE_TRY(filling_begin(&filling, &words, threshold, THRESHOLD_FIRST, own, vetoes, error));
    for (size_t k = 0; k < n; k++) {
        const struct threshold_analysis *analysis = &threshold->analyses[k];
        for (size_t b = 0; analysis->open && b < analysis->cells->spec.n_blocks; b++) {
            const struct threshold_block *block = &analysis->blocks[b];
            if (block->counts == THRESHOLD_ABSENT)
                continue;
            const int64_t *counts = block_counts(filling.arena, analysis, b, &own[k]);
            const int64_t *judged = block_judged(filling.arena, analysis, b, &own[k]);
            for (size_t i = 0; i < block->n_cells; i++) {
                put(&filling, block->counts + i, counts[i]);
                if (block->sites != THRESHOLD_ABSENT)
                    put(&filling, block->sites + i, judged[i] > 0);
            }
        }
    }
    pair_words(&filling, THRESHOLD_FIRST, differences, policy);
    out->words = words;
    words = (struct bytes){0};
out:
    bytes_wipe(&words);
    arena_free(filling.arena);
    return code;
}

/* --- T2: what it vetoes --- */

/* Too few of this site's own where each site judges alone. Among three or four the others know the sum
 * without it: nobody is too few as well. */
static bool alone(const struct filling *filling, int64_t here, double minimum)
{
    return few(here, minimum) || (filling->threshold->few_sites && here == 0 && minimum > 1);
}

static bool dominates(const struct policy *policy, int64_t own, int64_t pooled)
{
    return (double)own > policy->max_site_share * (double)pooled;
}

static double own_minimum(const struct policy *policy, enum cell_rule rule)
{
    return rule == CELL_EVENTS ? policy->min_events : policy->min_cell;
}

static void veto_cells(const struct filling *filling, const struct threshold_analysis *analysis, size_t b,
                       const struct tally *own, const uint8_t *first, const struct policy *policy)
{
    const struct threshold_block *block = &analysis->blocks[b];
    const int64_t *here = block_judged(filling->arena, analysis, b, own);
    const int64_t *pooled =
        block->counts == THRESHOLD_ABSENT ? NULL : totals_judged(filling->arena, analysis, b, first);
    for (size_t i = 0; i < block->n_cells; i++) {
        veto(filling, block->vetoes + i,
             (pooled != NULL && dominates(policy, here[i], pooled[i])) ||
                 ((pooled == NULL || filling->threshold->few_sites) &&
                  alone(filling, here[i], own_minimum(policy, block->rule))));
        if (block->anybody != THRESHOLD_ABSENT)
            veto(filling, block->anybody + i, here[i] != 0);
    }
}

/* Bins that are merged: total, from what T1 says; local, none yet. */
static void veto_merged(const struct filling *filling, const struct threshold_analysis *analysis, size_t b,
                        const struct tally *own, const uint8_t *first, const struct policy *policy)
{
    const struct threshold_block *block = &analysis->blocks[b];
    const size_t n = block->n_bins;
    const int64_t *counts = block_counts(filling->arena, analysis, b, own);
    const int64_t *pooled =
        block->counts == THRESHOLD_ABSENT ? NULL : block_totals(filling->arena, block, first);
    uint8_t *edges = arena_array(filling->arena, n, 1);
    int64_t *leaves = arena_array(filling->arena, n, sizeof *leaves);
    int64_t *here = arena_array(filling->arena, block->n_nodes, sizeof *here);
    int64_t *there = arena_array(filling->arena, block->n_nodes, sizeof *there);
    for (size_t group = 0; group < block->n_groups; group++) {
        const size_t at = group * block->n_nodes;
        int64_t all = 0;
        for (size_t i = 0; i < n; i++)
            all += counts[group * n + i];
        if (block->tails != THRESHOLD_ABSENT)
            veto(filling, block->tails + group,
                 all > 0 && policy->min_tail > 1 &&
                     (double)all * analysis->cells->tail[b] < policy->min_tail);
        if (pooled == NULL) {
            bins_sums(here, counts + group * n, n, n);
            for (size_t i = 0; i < block->n_nodes; i++)
                veto(filling, block->vetoes + at + i, alone(filling, here[i], policy->min_cell));
            continue;
        }
        bins_merge(edges, pooled + group * n, n, (int64_t)policy->min_cell);
        bins_sums(here, leaves, bins_gather(leaves, counts + group * n, edges, n), n);
        bins_sums(there, leaves, bins_gather(leaves, pooled + group * n, edges, n), n);
        for (size_t i = 0; i < block->n_nodes; i++) {
            veto(filling, block->vetoes + at + i, dominates(policy, here[i], there[i]));
            put(filling, block->node_sites + at + i, here[i] > 0);
        }
    }
}

/* What would be too much with what other queries showed. */
static enum maille_code veto_shown(const struct filling *filling, const struct shown *before,
                                   const uint8_t *first, const struct policy *policy,
                                   struct maille_error *error)
{
    const struct threshold *threshold = filling->threshold;
    const struct showing showing = {
        .threshold = threshold, .policy = policy, .first = first, .arena = filling->arena};
    bool(*objects)[2] = arena_array(filling->arena, threshold->study->n_analyses + 1, sizeof *objects);
    enum maille_code code = showing_objects(objects, &showing, before, error);
    for (size_t k = 0; code == MAILLE_OK && k < threshold->study->n_analyses; k++)
        for (size_t kind = 0; kind < 2 && threshold->analyses[k].open; kind++)
            veto(filling, threshold->analyses[k].shown[kind], objects[k][kind]);
    return code;
}

enum maille_code threshold_second(struct tally *out, const struct threshold *threshold,
                                  const struct tally *own, const uint8_t *first, const struct policy *policy,
                                  const struct threshold_veto *vetoes, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes words = {0};
    struct filling filling = {0};
    const size_t n = threshold->study->n_analyses;
    MAILLE_TRY(filling_begin(&filling, &words, threshold, THRESHOLD_SECOND, own, vetoes, error));
    if (vetoes->before != NULL)
        MAILLE_TRY(veto_shown(&filling, vetoes->before, first, policy, error));
    for (size_t k = 0; k < n; k++) {
        const struct threshold_analysis *analysis = &threshold->analyses[k];
        if (!analysis->open)
            continue;
        for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
            if (analysis->blocks[b].rule == CELL_MERGE)
                veto_merged(&filling, analysis, b, &own[k], first, policy);
            else if (analysis->blocks[b].vetoes != THRESHOLD_ABSENT)
                veto_cells(&filling, analysis, b, &own[k], first, policy);
        }
    }
    out->words = words;
    words = (struct bytes){0};
out:
    bytes_wipe(&words);
    arena_free(filling.arena);
    return code;
}
