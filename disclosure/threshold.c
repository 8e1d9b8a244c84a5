/* Which words the threshold rounds have, and what may be masked. What a site puts into them:
 * threshold_site.c. */
#include "disclosure/threshold.h"

#include <stdlib.h>
#include <string.h>

#include "disclosure/bins.h"
#include "disclosure/release_private.h"

/* Two rounds over the whole roster cost what one round of values may cost. */
enum { THRESHOLD_WORDS_MAX = TALLY_BYTES_MAX / 8 };
/* What the members of a circle can exchange in one round (MESSAGE_FRAME_MAX of proto/message.h). */
enum { CIRCLE_WORDS_MAX = (64 << 20) / 8 };

bool threshold_needed(const struct policy *strictest)
{
    return strictest->min_patients > 1 || strictest->min_cell > 1 || strictest->min_events > 1 ||
           strictest->min_contributors > 1 || strictest->max_site_share < 1 ||
           strictest->max_parameter_share < 1 || strictest->min_tail > 1 ||
           strictest->differencing != POLICY_OFF || strictest->max_scalar_share != POLICY_OFF ||
           policy_patient_share(strictest) > 0 || strictest->round_counts != POLICY_OFF;
}

/* Is a member among so few that two others would know its cell from a sum of all? */
static bool has_few_sites(size_t n_members)
{
    return n_members < THRESHOLD_TOTAL_SITES;
}

enum cell_scope threshold_scope(const struct policy *strictest, size_t n_members)
{
    return has_few_sites(n_members) ? CELL_SCOPE_LOCAL : strictest->cell_rule;
}

bool threshold_before(const struct policy *strictest, const struct threshold_past *past, size_t n_past)
{
    bool before = false;
    for (size_t e = 0; e < n_past; e++)
        before = before || (past[e].other && past[e].n_groups > 0);
    return before && strictest->differencing != POLICY_OFF;
}

enum threshold_which threshold_round(bool before, uint32_t round)
{
    static const enum threshold_which order[] = {THRESHOLD_BEFORE, THRESHOLD_FIRST, THRESHOLD_SECOND};
    const size_t at = (size_t)round - 1 + (before ? 0 : 1);
    return round > 0 && at < sizeof order / sizeof *order ? order[at] : 0;
}

uint32_t threshold_values_from(bool before)
{
    return before ? 4 : 3;
}

int64_t threshold_word(const uint8_t *words, size_t at)
{
    return (int64_t)le64_load(words + 8 * at);
}

void threshold_at_risk(int64_t *at_risk, const int64_t *leaving, const int64_t *entering, size_t n_groups,
                       size_t n_bins)
{
    for (size_t group = 0; group < n_groups; group++) {
        const size_t first = group * n_bins;
        int64_t now = 0;
        for (size_t bin = 0; bin < n_bins && entering == NULL; bin++)
            now += leaving[first + bin];
        for (size_t bin = 0; bin < n_bins;
             bin++) { /* as followup_read: who leaves in a bin is at risk in it, who enters is not yet */
            at_risk[first + bin] = now;
            now += (entering != NULL ? entering[first + bin] : 0) - leaving[first + bin];
        }
    }
}

/* --- which words there are --- */

/* n words at the end of round `which`; where they begin. */
static size_t reserve(struct threshold *threshold, enum threshold_which which, size_t n)
{
    size_t at = threshold->n_words[which];
    threshold->n_words[which] += n;
    return at;
}

const struct expression *threshold_last_part(const struct expression *group)
{
    while (group != NULL && group->op == OP_CROSS)
        group = group->args[group->n_args - 1];
    return group;
}

static enum maille_code block_shape(struct threshold_block *block, const struct threshold_analysis *analysis,
                                    size_t b, struct maille_error *error)
{
    const struct cells *cells = analysis->cells;
    const size_t n = analysis->extents[b].count, n_bins = cells->n_bins[b];
    bool binned =
        cells->rules[b] == CELL_AT_RISK || cells->rules[b] == CELL_ENTERING || cells->rules[b] == CELL_MERGE;
    bool follows = cells->rules[b] != CELL_ENTERING ||
                   (b > 0 && cells->rules[b - 1] == CELL_AT_RISK && cells->n_bins[b - 1] == n_bins &&
                    analysis->extents[b - 1].count == n);
    const struct expression *bin = threshold_last_part(cells->spec.blocks[b].group);
    bool shaped = !binned || (bin != NULL && n_bins > 0 && bin->n_levels == n_bins && n % n_bins == 0);
    if (analysis->extents[b].width != 8 || n == 0 || !shaped || !follows)
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected head counts of a known shape, found others in block %zu", b);
    *block = (struct threshold_block){.rule = cells->rules[b],
                                      .n_cells = n,
                                      .n_groups = binned ? n / n_bins : n,
                                      .n_bins = binned ? n_bins : 1,
                                      .n_nodes = cells->rules[b] == CELL_MERGE ? bins_nodes(n_bins) : 0,
                                      .counts = THRESHOLD_ABSENT,
                                      .sites = THRESHOLD_ABSENT,
                                      .vetoes = THRESHOLD_ABSENT,
                                      .anybody = THRESHOLD_ABSENT,
                                      .node_sites = THRESHOLD_ABSENT,
                                      .tails = THRESHOLD_ABSENT};
    return MAILLE_OK;
}

bool threshold_same_expression(const struct expression *a, const struct expression *b)
{
    struct bytes x = {0}, y = {0};
    bool same = a == b;
    if (!same && a != NULL && b != NULL) {
        expression_serialise(&x, a);
        expression_serialise(&y, b);
        same = !x.failed && !y.failed && x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
    }
    bytes_clear(&x);
    bytes_clear(&y);
    return same;
}

/* Is `group` the cross of `outer` (NULL: one group) and a last part? */
static bool crosses(const struct expression *group, const struct expression *outer)
{
    if (group->op != OP_CROSS)
        return outer == NULL;
    if (outer == NULL)
        return false;
    if (group->n_args == 2 && outer->op != OP_CROSS)
        return threshold_same_expression(group->args[0], outer);
    if (outer->op != OP_CROSS || outer->n_args + 1 != group->n_args)
        return false;
    for (size_t i = 0; i < outer->n_args; i++)
        if (!threshold_same_expression(group->args[i], outer->args[i]))
            return false;
    return true;
}

/* The block before a block of bins that counts its groups: a table, if there is one. */
static size_t groups_of_bins(const struct threshold_analysis *analysis, size_t b)
{
    const struct tally_block *blocks = analysis->cells->spec.blocks;
    size_t found = THRESHOLD_ABSENT;
    if (analysis->cells->arms[b] > 0)
        return analysis->cells->arms[b] - 1;
    for (size_t i = 0; i < b; i++)
        if (analysis->blocks[i].n_bins == 1 && analysis->blocks[i].n_cells == analysis->blocks[b].n_groups &&
            threshold_same_expression(blocks[i].filter, blocks[b].filter) &&
            crosses(blocks[b].group, blocks[i].group) &&
            (found == THRESHOLD_ABSENT || analysis->blocks[i].rule == CELL_TABLE))
            found = i;
    return found;
}

static void block_words(struct threshold *threshold, struct threshold_block *block, double tail)
{
    const bool total = threshold->scope == CELL_SCOPE_TOTAL;
    if (total || block->rule == CELL_COHORT) {
        block->counts = reserve(threshold, THRESHOLD_FIRST, block->n_cells);
        if (block->rule != CELL_ENTERING && block->rule != CELL_MERGE)
            block->sites = reserve(threshold, THRESHOLD_FIRST, block->n_cells);
    }
    if (block->rule == CELL_MERGE) {
        block->vetoes = reserve(threshold, THRESHOLD_SECOND, block->n_groups * block->n_nodes);
        if (total)
            block->node_sites = reserve(threshold, THRESHOLD_SECOND, block->n_groups * block->n_nodes);
        else if (tail > 0)
            block->tails = reserve(threshold, THRESHOLD_SECOND, block->n_groups);
    } else if (block->rule != CELL_ENTERING) {
        block->vetoes = reserve(threshold, THRESHOLD_SECOND, block->n_cells);
        if (block->counts == THRESHOLD_ABSENT && !threshold->few_sites)
            block->anybody = reserve(threshold, THRESHOLD_SECOND, block->n_cells);
    }
}

static enum maille_code analysis_init(struct threshold *threshold, size_t k, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold_analysis *made = &threshold->analyses[k];
    const struct analysis *analysis = &threshold->study->analyses[k];
    const struct method *method = method_find(analysis->method);
    if (method == NULL)
        return maille_fail(error, MAILLE_INTERNAL, "expected a method, found \"%s\"", analysis->method);
    made->cells = arena_alloc(threshold->arena, sizeof *made->cells);
    made->extents = arena_array(threshold->arena, TALLY_BLOCKS_MAX, sizeof *made->extents);
    MAILLE_TRY(method_cells(analysis, threshold->arena, made->cells, error));
    MAILLE_TRY(parts_read(&made->parts, made->cells, threshold->study->dictionary, threshold->arena, error));
    MAILLE_TRY(tally_layout(made->extents, &made->bytes, &made->cells->spec, error));
    const size_t n_blocks = made->cells->spec.n_blocks;
    made->blocks = arena_array(threshold->arena, n_blocks, sizeof *made->blocks);
    made->veto[THRESHOLD_FIRST] = reserve(threshold, THRESHOLD_FIRST, 1);
    made->veto[THRESHOLD_SECOND] = reserve(threshold, THRESHOLD_SECOND, 1);
    for (size_t kind = 0; kind < 2; kind++)
        made->shown[kind] = reserve(threshold, THRESHOLD_SECOND, 1);
    made->at[THRESHOLD_FIRST] = threshold->n_words[THRESHOLD_FIRST];
    made->at[THRESHOLD_SECOND] = threshold->n_words[THRESHOLD_SECOND];
    for (size_t b = 0; b < n_blocks; b++) {
        MAILLE_TRY(block_shape(&made->blocks[b], made, b, error));
        made->blocks[b].groups = THRESHOLD_ABSENT;
        if (made->blocks[b].rule == CELL_AT_RISK || made->blocks[b].rule == CELL_MERGE)
            made->blocks[b].groups = groups_of_bins(made, b);
        block_words(threshold, &made->blocks[b], made->cells->tail[b]);
    }
    made->open = true;
    threshold->n_open++;
out:
    return code;
}

/* --- which groups are compared --- */

static const struct part *part_of(const struct threshold *threshold, size_t group)
{
    const struct threshold_group *own = &threshold->groups[group];
    return &threshold->analyses[own->analysis].parts.list[own->part];
}

static const struct part_family *family_of(const struct threshold *threshold, size_t group)
{
    return &threshold->analyses[threshold->groups[group].analysis]
                .parts.families[part_of(threshold, group)->family];
}

static uint64_t canon_hash(struct byte_view canon)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < canon.length; i++)
        hash = (hash ^ canon.data[i]) * UINT64_C(1099511628211);
    return hash;
}

static bool same_rows(const struct threshold *threshold, size_t a, size_t b)
{
    return byte_view_equal(part_of(threshold, a)->canon, part_of(threshold, b)->canon);
}

static void list_group(struct threshold *threshold, uint64_t *hashes, size_t analysis, size_t part)
{
    const size_t made = threshold->n_groups++;
    struct threshold_group *group = &threshold->groups[made];
    *group = (struct threshold_group){.analysis = analysis, .part = part, .same = made};
    hashes[made] = canon_hash(part_of(threshold, made)->canon);
    for (size_t g = 0; g < made && group->same == made; g++)
        if (hashes[g] == hashes[made] && same_rows(threshold, g, made))
            group->same = g;
}

/* All cohorts, then all other parts; those of the same rows are one. */
static void list_groups(struct threshold *threshold)
{
    const size_t n_analyses = threshold->study->n_analyses;
    size_t n = 0;
    for (size_t k = 0; k < n_analyses; k++)
        n += threshold->analyses[k].open ? threshold->analyses[k].parts.n : 0;
    threshold->groups = arena_array(threshold->arena, n + 1, sizeof *threshold->groups);
    uint64_t *hashes = arena_array(threshold->arena, n + 1, sizeof *hashes);
    for (size_t k = 0; k < n_analyses; k++)
        if (threshold->analyses[k].open)
            list_group(threshold, hashes, k, 0);
    for (size_t k = 0; k < n_analyses; k++)
        for (size_t p = 1; threshold->analyses[k].open && p < threshold->analyses[k].parts.n; p++)
            list_group(threshold, hashes, k, p);
}

/* Pairs of one round, as they are found. */
struct pairing {
    struct threshold *threshold;
    struct threshold_pair *list;
    size_t n, room, most;
};

static bool pair_add(struct pairing *pairing, struct threshold_pair pair)
{
    if (pairing->n == pairing->most)
        return false;
    if (pairing->n == pairing->room) {
        const size_t room = pairing->room == 0 ? 64 : 2 * pairing->room;
        struct threshold_pair *grown = arena_array(pairing->threshold->arena, room, sizeof *grown);
        if (pairing->n > 0)
            memcpy(grown, pairing->list, pairing->n * sizeof *grown);
        pairing->list = grown;
        pairing->room = room;
    }
    pairing->list[pairing->n++] = pair;
    return true;
}

/* How many groups of an earlier query a group is compared with; of published cohorts those before itself. */
static size_t compared(const struct threshold *threshold, const struct threshold_past *past, size_t group)
{
    const struct byte_view canon = part_of(threshold, group)->canon;
    for (size_t g = 0; past->canons != NULL && g < past->n_groups; g++)
        if (byte_view_equal(past->canons[g], canon))
            return g;
    return past->n_groups;
}

/* One group against all of one round. false: past the last. */
static bool pair_group(struct pairing *pairing, size_t group, bool other)
{
    const struct threshold *threshold = pairing->threshold;
    const struct part_family *family = family_of(threshold, group);
    for (size_t e = 0; e < threshold->n_past; e++) {
        const struct threshold_past *past = &threshold->past[e];
        const size_t n = past->other == other ? compared(threshold, past, group) : 0;
        for (size_t g = 0; g < n; g++)
            if ((past->groups == NULL || part_families_related(family, past->groups[g].family)) &&
                !pair_add(pairing, (struct threshold_pair){group, e, g}))
                return false;
    }
    for (size_t g = 0; g < threshold->n_groups && !other; g++)
        if (threshold->groups[g].same == g &&
            threshold->groups[g].analysis < threshold->groups[group].analysis &&
            part_families_related(family, family_of(threshold, g)) &&
            !pair_add(pairing, (struct threshold_pair){group, THRESHOLD_ABSENT, g}))
            return false;
    return true;
}

/* Each group of the study against what was shown, of T0 or of T1; in T1 then against those of earlier
 * analyses. One whose pairs have no room has none, and is as one that is near; others may have. */
static void pair_up(struct threshold *threshold, enum threshold_which which, size_t most)
{
    struct pairing pairing = {.threshold = threshold, .most = most};
    for (size_t g = 0; g < threshold->n_groups; g++) {
        struct threshold_group *group = &threshold->groups[g];
        const size_t before = pairing.n;
        if (group->same != g || pair_group(&pairing, g, which == THRESHOLD_BEFORE))
            continue;
        group->crowded[which] = true;
        pairing.n = before;
    }
    threshold->pairs[which] =
        (struct threshold_pairs){pairing.list, pairing.n, reserve(threshold, which, pairing.n)};
}

static const struct byte_view *canons_kept(struct arena *arena, const struct byte_view *canons, size_t n)
{
    struct byte_view *kept = arena_array(arena, n + 1, sizeof *kept);
    for (size_t g = 0; g < n; g++) {
        uint8_t *bytes = arena_alloc(arena, canons[g].length + 1);
        if (canons[g].length > 0)
            memcpy(bytes, canons[g].data, canons[g].length);
        kept[g] = (struct byte_view){bytes, canons[g].length};
    }
    return kept;
}

/* The past, kept as long as the shape. */
static const struct threshold_past *past_kept(struct arena *arena, const struct threshold_past *past,
                                              size_t n)
{
    struct threshold_past *kept = arena_array(arena, n + 1, sizeof *kept);
    for (size_t e = 0; e < n; e++) {
        kept[e] = past[e];
        if (past[e].groups == NULL)
            continue;
        struct part_group *groups = arena_array(arena, past[e].n_groups + 1, sizeof *groups);
        struct part_family *family = NULL;
        for (size_t g = 0; g < past[e].n_groups; g++) {
            groups[g] = past[e].groups[g];
            if (g == 0 || past[e].groups[g].family != past[e].groups[g - 1].family) {
                family = arena_alloc(arena, sizeof *family);
                *family = *past[e].groups[g].family;
            }
            groups[g].family = family;
        }
        kept[e].groups = groups;
        if (past[e].canons != NULL)
            kept[e].canons = canons_kept(arena, past[e].canons, past[e].n_groups);
    }
    return kept;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum maille_code threshold_init(struct threshold *threshold, const struct study *study, const bool *open,
                                const struct policy *strictest, size_t n_members,
                                const struct threshold_past *past, size_t n_past, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold made = {.arena = arena_new(),
                             .study = study,
                             .scope = threshold_scope(strictest, n_members),
                             .few_sites = has_few_sites(n_members),
                             .n_members = n_members,
                             .n_past = n_past};
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the threshold rounds, found none");
    made.past = past_kept(made.arena, past, n_past);
    made.analyses = arena_array(made.arena, study->n_analyses, sizeof *made.analyses);
    for (size_t k = 0; k < study->n_analyses; k++)
        if (open[k])
            MAILLE_TRY(analysis_init(&made, k, error));
    if (strictest->differencing != POLICY_OFF) {
        list_groups(&made);
        pair_up(&made, THRESHOLD_BEFORE,
                least(THRESHOLD_BEFORE_MAX, CIRCLE_WORDS_MAX / n_members - COMBINATION_ROWS_MAX));
        pair_up(&made, THRESHOLD_FIRST, least(THRESHOLD_PAIRS_MAX, CIRCLE_WORDS_MAX / 2 / n_members));
    }
    if (made.n_words[THRESHOLD_FIRST] > THRESHOLD_WORDS_MAX ||
        made.n_words[THRESHOLD_SECOND] > THRESHOLD_WORDS_MAX) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected at most %zu bytes in a threshold round, found more; ask for fewer analyses",
                        TALLY_BYTES_MAX);
        goto out;
    }
    *threshold = made;
    made = (struct threshold){0};
out:
    threshold_clear(&made);
    return code;
}

void threshold_combine(struct threshold *threshold, const struct combined *combined, bool before)
{
    if (combined == NULL)
        return;
    threshold->combined = combined;
    threshold->combined_in = before ? THRESHOLD_BEFORE : THRESHOLD_FIRST;
    threshold->combined_at = reserve(threshold, threshold->combined_in, combined->n_rows);
}

void threshold_clear(struct threshold *threshold)
{
    arena_free(threshold->arena);
    *threshold = (struct threshold){0};
}

/* Which published cohorts are compared: a site of another directory would count others. */
static void layout_published(struct bytes *out, const struct threshold *threshold, enum threshold_which which)
{
    for (size_t e = 0; e < threshold->n_past && which == THRESHOLD_FIRST; e++)
        for (size_t g = 0; threshold->past[e].canons != NULL && g < threshold->past[e].n_groups; g++)
            bytes_put_block(out, threshold->past[e].canons[g].data, threshold->past[e].canons[g].length);
}

void threshold_layout(struct bytes *out, const struct threshold *threshold, enum threshold_which which)
{
    bytes_put_string(out, which == THRESHOLD_BEFORE  ? "threshold 0"
                          : which == THRESHOLD_FIRST ? "threshold 1"
                                                     : "threshold 2");
    bytes_put_u8(out, threshold->scope == CELL_SCOPE_TOTAL ? 0 : threshold->few_sites ? 2 : 1);
    bytes_put_u64(out, threshold->study->n_analyses);
    bytes_put_u64(out, threshold->n_members);
    bytes_put_u64(out, threshold->pairs[which].n);
    layout_published(out, threshold, which);
    for (size_t k = 0; k < threshold->study->n_analyses; k++) {
        const struct threshold_analysis *analysis = &threshold->analyses[k];
        if (!analysis->open)
            continue;
        const struct method *method = method_find(threshold->study->analyses[k].method);
        bytes_put_u64(out, k);
        bytes_put_string(out, method->declared.name);
        bytes_put_u64(out, method->version);
        tally_spec_serialise(out, &analysis->cells->spec);
        for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
            bytes_put_u32(out, (uint32_t)analysis->cells->rules[b]);
            bytes_put_u64(out, analysis->cells->n_bins[b]);
            bytes_put_f64(out, analysis->cells->tail[b]);
        }
        bytes_put_u64(out, analysis->cells->n_parameters);
        bytes_put_u64(out, analysis->at[which]);
    }
    if (threshold->combined != NULL && threshold->combined_in == which)
        combined_layout(out, threshold->combined);
    bytes_put_u64(out, threshold->n_words[which]);
}

static void mark(uint8_t *random, size_t at, size_t n)
{
    if (at != THRESHOLD_ABSENT && n > 0)
        memset(random + at, 1, n);
}

const uint8_t *threshold_random(const struct threshold *threshold, enum threshold_which which,
                                struct arena *arena)
{
    uint8_t *random = arena_array(arena, threshold->n_words[which] + 1, 1);
    for (size_t k = 0; k < threshold->study->n_analyses; k++) {
        const struct threshold_analysis *analysis = &threshold->analyses[k];
        if (!analysis->open || which == THRESHOLD_BEFORE)
            continue;
        mark(random, analysis->veto[which], 1);
        for (size_t kind = 0; kind < 2 && which == THRESHOLD_SECOND; kind++)
            mark(random, analysis->shown[kind], 1);
        for (size_t b = 0; which == THRESHOLD_SECOND && b < analysis->cells->spec.n_blocks; b++) {
            const struct threshold_block *block = &analysis->blocks[b];
            mark(random, block->vetoes,
                 block->rule == CELL_MERGE ? block->n_groups * block->n_nodes : block->n_cells);
            mark(random, block->tails, block->n_groups);
            mark(random, block->anybody, block->n_cells);
        }
    }
    mark(random, threshold->pairs[which].at, threshold->pairs[which].n);
    if (threshold->combined != NULL && threshold->combined_in == which)
        mark(random, threshold->combined_at, threshold->combined->n_rows);
    return random;
}

/* --- what leaves --- */

enum maille_code threshold_release(struct release **release, const struct threshold *threshold,
                                   enum threshold_which which, struct tally *words,
                                   struct maille_error *error)
{
    const size_t length = 8 * threshold->n_words[which];
    if (words->words.failed || words->words.length != length)
        return maille_fail(error, MAILLE_INTERNAL, "expected %zu bytes of a threshold round, found %zu",
                           length, words->words.length);
    struct release *made = calloc(1, sizeof *made);
    struct word_run *runs = calloc(1, sizeof *runs);
    if (made == NULL || runs == NULL) {
        free(made);
        free(runs);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a release of %zu bytes, found none",
                           length);
    }
    runs[0] = (struct word_run){.bytes = length, .width = 8};
    made->runs = runs;
    made->n_runs = length > 0;
    made->words = words->words;
    words->words = (struct bytes){0};
    *release = made;
    return MAILLE_OK;
}
