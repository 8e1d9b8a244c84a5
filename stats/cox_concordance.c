/* Concordance of a Cox model and its standard error: of two patients of whom one has the event while the
 * other is at risk without it, is the larger linear predictor his? (Harrell et al., JAMA 1982;247:2543;
 * Therneau and Watson, "The concordance statistic and the Cox model", 2017; concordance() of R's survival.)
 *
 * With strata(site) every site counts its own pairs, exactly. Pooled, patients are counted in cells of the
 * linear predictor and of time, in two rounds behind the iteration. The first has 256 intervals of the
 * predictor, cut at its quantiles (which every round (b) of the iteration counts), by up to 256 classes of
 * time, and for times that are more also 32 intervals by 2,048 classes. A class of time begins with an event,
 * so that where there are as many classes as times with an event nothing is lost. The second cuts each of the
 * 256 into 16, by 16 classes of time that begin with the events of that interval. Pairs inside one of these
 * 4,096 intervals, or one class of several events, may be either way: they make the bounds and count one half
 * in the estimate; intervals whose values are all equal hold ties. How many pairs there are is known exactly
 * from round 1.
 *
 * The error is the infinitesimal jackknife's: Σ (a·s)² with s = (concordant − discordant)/2 + (½ − C)·pairs
 * of a row, by row or cluster, over the square of all pairs. A row finds its numbers in θ, by the 256
 * intervals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/cox.h"
#include "stats/spread.h"
#include "stats/wording.h"

/* A bracket wider than this share of [0, 1] is no estimate. */
static const double bracket_max = 0.02;

enum { COARSE = 32, NODES = 256, PARTS = 16, FINE = NODES * PARTS, BINS = 4096 };
enum { TARGET_COARSE = 2048, TARGET_NODES = 256, TARGET_FINE = 16 }; /* classes of time */
/* Half of what the bins cover, in standard deviations of the predictor; who is beyond is in the outermost. */
#define BINS_REACH 8.0

bool cox_concordance_pooled(const struct cox *cox)
{
    return cox->tables && !cox->formula->strata_site && cox->n_status == COX_EVENT + 1 &&
           cox->formula->n_terms > 0 && cox->strata.n <= COX_CONCORDANCE_STRATA_MAX;
}

size_t cox_concordance_blocks(const struct cox *cox)
{
    return cox_concordance_pooled(cox) ? (cox->entry_code ? 4 : 3) : 0;
}

/* --- levels of intervals --- */

static size_t n_classes(size_t n_strata, size_t n_units, size_t target)
{
    size_t most = target + 2 * n_strata; /* the first of a stratum holds no event */
    return n_units < most ? n_units : most;
}

/* What is asked of both rounds. Units of the first two levels are times of a stratum; of the third the
 * classes of the second. */
struct levels {
    struct cox_level coarse, nodes, fine;
    bool has_coarse; /* are times joined in `nodes`? */
};

static struct levels levels_of(const struct cox *cox)
{
    size_t s = cox->strata.n, cells = s * cox->n_bins;
    struct levels levels;
    levels.nodes = (struct cox_level){
        .parents = 1, .children = NODES, .n_classes = n_classes(s, cells, TARGET_NODES), .block = 1};
    levels.has_coarse = levels.nodes.n_classes < cells;
    levels.coarse = (struct cox_level){.parents = 1,
                                       .children = COARSE,
                                       .n_classes = n_classes(s, cells, TARGET_COARSE),
                                       .block = 1 + (cox->entry_code ? 2 : 1)};
    if (levels.has_coarse) {
        levels.nodes.parents = COARSE;
        levels.nodes.children = NODES / COARSE;
    }
    levels.fine = (struct cox_level){.parents = NODES,
                                     .children = PARTS,
                                     .n_classes = n_classes(s, levels.nodes.n_classes, TARGET_FINE),
                                     .own = true};
    return levels;
}

/* θ: [cuts, the ends with them; edges of `nodes`], then of the first round edges of `coarse`, of the last
 * edges of `fine` and the tables of a row's pairs: concordant less discordant by interval × class × status,
 * by interval × class of entry, and all of them as cox_tables_push has it. Of a round (b): {low, width} of
 * the bins. */
enum { PATIENT_ROWS_LOG2 = 10 };
enum { CUTS = NODES + 1, BINS_LOW = 0, BINS_WIDTH, BINS_THETA };

static size_t edges_of(const struct cox_level *level)
{
    return (level->own ? level->parents : 1) * level->n_classes - 1;
}

static size_t net_size(const struct cox *cox, const struct levels *levels)
{
    return NODES * levels->nodes.n_classes * (cox->entry_code ? 3 : 2);
}

size_t cox_concordance_theta_size(const struct cox *cox, unsigned stage)
{
    if (!cox_concordance_pooled(cox))
        return 0;
    struct levels levels = levels_of(cox);
    size_t common = CUTS + edges_of(&levels.nodes);
    if (stage == COX_CURVATURE)
        return BINS_THETA;
    if (stage == COX_PAIRS)
        return common + (levels.has_coarse ? edges_of(&levels.coarse) : 0);
    return common + edges_of(&levels.fine) + net_size(cox, &levels) + cox_table_size(cox);
}

size_t cox_concordance_bytes(const struct cox *cox)
{
    if (!cox_concordance_pooled(cox))
        return 0;
    const struct levels levels = levels_of(cox);
    const size_t tables = cox->entry_code ? 3 : 2, width = cox->weights ? 16 : 8;
    size_t pairs =
               NODES * levels.nodes.n_classes + (levels.has_coarse ? COARSE * levels.coarse.n_classes : 0),
           fine = FINE * levels.fine.n_classes;
    return (pairs > fine ? pairs : fine) * tables * width;
}

size_t cox_concordance_cuts(const struct cox *cox)
{
    return cox_concordance_pooled(cox) ? CUTS : 0;
}

size_t cox_concordance_same(const struct cox *cox)
{
    return cox_concordance_pooled(cox) ? COARSE + NODES : 0;
}

size_t cox_concordance_node_events(const struct cox *cox)
{
    return cox_concordance_pooled(cox) ? NODES * levels_of(cox).nodes.n_classes : 0;
}

/* Reads where the edges stand. */
static void bind_levels(struct levels *levels, const double *extra, unsigned stage)
{
    levels->nodes.edges = extra + CUTS;
    const double *next = levels->nodes.edges + edges_of(&levels->nodes);
    if (stage == COX_PAIRS)
        levels->coarse.edges = next;
    else
        levels->fine.edges = next;
}

/* --- plan --- */

static bool ascending(const double *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!(v[i] > v[i - 1]))
            return false;
    return true;
}

/* The class of a code of units. */
static const struct expression *class_of(const struct expression *unit, const double *edges, size_t n_edges,
                                         struct arena *arena)
{
    if (n_edges == 0)
        return expression_uniform_bin(arena, expression_constant(arena, 0), 0, 1, 1);
    return expression_cut_open(arena, expression_number_of(arena, unit), edges, n_edges, true);
}

/* Level number[l] < n of level l of a code. */
static const struct expression *recoded(const struct expression *code, const double *number, size_t n,
                                        struct arena *arena)
{
    return expression_uniform_bin(arena, expression_lookup(arena, number, code->n_levels, code), 0, 1,
                                  (uint32_t)n);
}

/* l / by, or l % by, of a code. */
static const struct expression *divided(const struct expression *code, size_t by, bool rest,
                                        struct arena *arena)
{
    double *number = arena_array(arena, code->n_levels, sizeof *number);
    for (size_t l = 0; l < code->n_levels; l++)
        number[l] = (double)(rest ? l % by : l / by);
    return recoded(code, number, rest ? by : (code->n_levels + by - 1) / by, arena);
}

/* Counts of one level. leaving, entering: class of time; entering NULL without delayed entry. */
static void add_level(const struct cox *cox, const struct expression *interval,
                      const struct expression *leaving, const struct expression *entering,
                      struct arena *arena, struct tally_spec *spec)
{
    const struct expression *exit[] = {interval, leaving, cox->status}, *entry[] = {interval, entering};
    struct tally_block *block = fit_block(spec, &guard_sites, cox->survival.filter, cox->weights, 0);
    block->group = expression_cross(arena, exit, 3);
    if (entering == NULL)
        return;
    block = fit_block(spec, &guard_sites, cox->survival.filter, cox->weights, 0);
    block->group = expression_cross(arena, entry, 2);
}

/* The class of a unit among those of its interval's own. */
static const struct expression *own_class(const struct cox_level *level, const struct expression *node,
                                          const struct expression *unit, struct arena *arena)
{
    const struct expression *place =
        expression_number_of(arena, expression_cross(arena, (const struct expression *[]){node, unit}, 2));
    return divided(expression_cut_open(arena, place, level->edges, edges_of(level), true), level->n_classes,
                   true, arena);
}

/* The cuts of the finer intervals: `PARTS` equal parts between two of the others. */
static const struct expression *fine_interval(const struct expression *eta, const double *cuts,
                                              struct arena *arena)
{
    double *fine = arena_array(arena, FINE, sizeof *fine);
    for (size_t i = 1; i < FINE; i++) {
        size_t node = i / PARTS, part = i % PARTS;
        fine[i - 1] =
            part == 0 ? cuts[node] : cuts[node] + (cuts[node + 1] - cuts[node]) * ((double)part / PARTS);
    }
    return expression_cut_open(arena, eta, fine, FINE - 1, true);
}

/* What the last round adds beside the counts: Σ1, Ση, Ση² by interval, which tells ties, and the squares of
 * the rows' own pairs. */
static void add_squares(const struct cox *cox, const struct expression *eta,
                        const struct expression *interval, const struct expression *exit_node,
                        const struct expression *entry_node, const double *tables,
                        const struct levels *levels, struct arena *arena, struct tally_spec *spec)
{
    size_t exits = NODES * levels->nodes.n_classes * 2;
    const struct expression **values = arena_array(arena, 2, sizeof *values);
    const struct expression **terms = arena_array(arena, 2, sizeof *terms);
    values[0] = expression_constant(arena, 1);
    values[1] = eta;
    struct tally_block *block = fit_block(spec, &guard_sites, cox->survival.filter, NULL, 2);
    block->group = interval;
    block->terms = values;
    block->n_terms = 2;
    terms[0] = expression_lookup(arena, tables, exits, exit_node);
    if (entry_node)
        terms[0] = expression_binary(arena, OP_SUBTRACT, terms[0],
                                     expression_lookup(arena, tables + exits, exits / 2, entry_node));
    terms[1] = cox_table_lookup(cox, tables + net_size(cox, levels), arena);
    cox_squares_plan(cox, terms, 2, INFINITY, arena, spec);
}

/* A time of a row as a unit: stratum × bin. */
static const struct expression *time_of(const struct cox *cox, const struct expression *bin,
                                        struct arena *arena)
{
    return groups_code(&cox->strata, arena, bin);
}

enum maille_code cox_concordance_plan(const struct cox *cox, const struct fit_theta *at, const double *extra,
                                      struct arena *arena, struct tally_spec *spec,
                                      struct maille_error *error)
{
    struct levels levels = levels_of(cox);
    const struct expression *eta =
        design_predictor(cox->design, arena, at->gamma, cox->formula->offset, at->shift);
    if (at->stage == COX_CURVATURE) {
        double *breaks = arena_array(arena, BINS, sizeof *breaks);
        for (size_t i = 1; i < BINS; i++)
            breaks[i - 1] = extra[BINS_LOW] + (double)i * extra[BINS_WIDTH];
        if (!ascending(breaks, BINS - 1))
            return maille_fail(error, MAILLE_INVALID, "expected bins of a width, found others");
        struct tally_block *block = fit_block(spec, &guard_sites, cox->survival.filter, cox->weights, 0);
        block->group = expression_cut_open(arena, eta, breaks, BINS - 1, true);
        return MAILLE_OK;
    }
    bind_levels(&levels, extra, at->stage);
    const struct cox_level *second = at->stage == COX_LAST ? &levels.fine : &levels.coarse;
    bool has_second = at->stage == COX_LAST || levels.has_coarse;
    if (!ascending(extra, CUTS) || !ascending(levels.nodes.edges, edges_of(&levels.nodes)) ||
        (has_second && !ascending(second->edges, edges_of(second))))
        return maille_fail(error, MAILLE_INVALID, "expected ascending cut points, found others");
    const struct expression *node = expression_cut_open(arena, eta, extra + 1, NODES - 1, true);
    const struct expression *exit = time_of(cox, cox->exit, arena), /* moved, where steps were joined */
        *entry = cox->entry_code
                     ? time_of(cox, expression_survival(arena, OP_SURV_ENTRY, (uint32_t)cox->n_bins), arena)
                     : NULL;
    const struct expression *leaving = class_of(exit, levels.nodes.edges, edges_of(&levels.nodes), arena),
                            *entering =
                                entry ? class_of(entry, levels.nodes.edges, edges_of(&levels.nodes), arena)
                                      : NULL;
    if (at->stage == COX_PAIRS) {
        add_level(cox, node, leaving, entering, arena, spec);
        if (levels.has_coarse)
            add_level(cox, divided(node, NODES / COARSE, false, arena),
                      class_of(exit, levels.coarse.edges, edges_of(&levels.coarse), arena),
                      entry ? class_of(entry, levels.coarse.edges, edges_of(&levels.coarse), arena) : NULL,
                      arena, spec);
        return MAILLE_OK;
    }
    const struct expression *interval = fine_interval(eta, extra, arena);
    const struct expression *exit_node[] = {node, leaving, cox->status}, *entry_node[] = {node, entering};
    add_level(cox, interval, own_class(&levels.fine, node, leaving, arena),
              entry ? own_class(&levels.fine, node, entering, arena) : NULL, arena, spec);
    add_squares(cox, eta, interval, expression_cross(arena, exit_node, 3),
                entry ? expression_cross(arena, entry_node, 2) : NULL,
                levels.fine.edges + edges_of(&levels.fine), &levels, arena, spec);
    return MAILLE_OK;
}

/* --- θ --- */

/* s² = γ′Sγ, S the covariance of the columns over what the rows meet of the hazard, which the information has
 * tallied, and γ of the next β. */
void cox_concordance_spread(struct cox_step *step, const f128 *second_moments)
{
    size_t n = step->at.n_columns;
    f128 variance = 0, total = (f128)step->own[COX_EVENT_WEIGHT];
    double *gamma = arena_array(step->arena, step->cox.design->n_columns, sizeof *gamma);
    fit_gamma(&step->fit, gamma);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t a = step->at.columns[i], b = step->at.columns[j];
            f128 covariance = second_moments[i * n + j] / total -
                              (f128)step->event_sum[a] * (f128)step->event_sum[b] / (total * total);
            variance += (f128)gamma[a] * (f128)gamma[b] * covariance;
        }
    step->own[COX_SPREAD] = sqrt(fmax((double)variance, 0));
}

/* The bins of a round (b), about the mean of the predictor over the rows. */
static void push_bins(struct cox_step *step, double shift)
{
    double *gamma = arena_array(step->arena, step->cox.design->n_columns, sizeof *gamma);
    fit_gamma(&step->fit, gamma);
    const struct expression *offset = step->cox.formula->offset;
    double range = offset ? (offset->high - offset->low) / 4 : 0,
           spread = sqrt(step->own[COX_SPREAD] * step->own[COX_SPREAD] + range * range);
    if (!(spread > 1e-7))
        spread = 1;
    vector_push(&step->iteration->theta, fit_shift(&step->fit, gamma) - shift - BINS_REACH * spread);
    vector_push(&step->iteration->theta, 2 * BINS_REACH * spread / BINS);
}

void cox_concordance_read_cuts(struct cox_step *step, size_t block)
{
    const double *bins = step->at.extra + cox_table_size(&step->cox);
    double low = bins[BINS_LOW] + step->at.shift, width = bins[BINS_WIDTH], all = 0, sum = 0;
    double *counts = arena_array(step->arena, BINS, sizeof *counts), *cuts = step->cuts;
    size_t first = BINS, last = 0, made = 1;
    for (size_t i = 0; i < BINS; i++) {
        counts[i] = cox_read_rows(step, block, i);
        all += counts[i];
        if (!(counts[i] > 0))
            continue;
        last = i;
        first = i < first ? i : first;
    }
    cuts[0] = low + (double)first * width;
    cuts[NODES] = low + (double)(last + 2) * width;
    for (size_t i = first; i <= last && made < NODES; sum += counts[i++]) {
        size_t begin = made;
        for (double want; made < NODES && (want = all * (double)made / NODES) < sum + counts[i]; made++)
            cuts[made] = low + ((double)i + (want - sum) / counts[i]) * width;
        if (made < begin + 2) /* a bin that is full, as where many have one value, is an interval by itself */
            continue;
        cuts[begin] = fmax(low + (double)i * width, cuts[begin - 1] + width * 1e-3);
        cuts[made - 1] = low + (double)(i + 1) * width;
    }
    for (; made < NODES; made++) /* rounding left some out */
        cuts[made] = cuts[NODES] + (double)(made - NODES) * width * 1e-3;
}

/* Times of the strata as units. */
static struct cox_units cells_of(const struct cox_step *step)
{
    size_t n = step->cox.strata.n * step->cox.n_bins, *stratum = arena_array(step->arena, n, sizeof *stratum);
    double *events = arena_array(step->arena, n, sizeof *events);
    for (size_t i = 0; i < n; i++) {
        stratum[i] = i / step->cox.n_bins;
        events[i] = step->ties[i] * step->mean[i];
    }
    return (struct cox_units){.n = n, .stratum = stratum, .events = events};
}

/* The classes of `nodes` as units; their edges are bound. */
static struct cox_units classes_of(const struct cox_step *step, const struct levels *levels)
{
    const struct cox_units cells = cells_of(step);
    struct cox_level whole = levels->nodes;
    size_t n = whole.n_classes, *stratum = arena_array(step->arena, n, sizeof *stratum),
           *first = arena_array(step->arena, n, sizeof *first),
           *last = arena_array(step->arena, n, sizeof *last);
    bool *exact = arena_array(step->arena, n, sizeof *exact);
    whole.parents = 1;
    cox_pairs_bounds(&whole, cells.n, 0, first, last);
    for (size_t c = 0; c < n; c++) {
        stratum[c] = first[c] <= last[c] ? cells.stratum[first[c]] : c == 0 ? 0 : stratum[c - 1];
        exact[c] = true;
        for (size_t u = first[c] + 1; u <= last[c]; u++)
            exact[c] = exact[c] && !(cells.events[u] > 0);
    }
    return (struct cox_units){.n = n, .stratum = stratum, .events = step->node_events, .exact = exact};
}

/* Classes of one level over all, without the edge of the last; returns them. */
static const double *push_classes(struct vector *theta, const struct cox_level *level, const double *events,
                                  const struct cox_units *units, size_t target, struct arena *arena)
{
    size_t parents = level->own ? level->parents : 1;
    double *edges = arena_array(arena, parents * level->n_classes, sizeof *edges);
    for (size_t p = 0; p < parents; p++)
        cox_pairs_classes(edges + p * level->n_classes, level->n_classes, (double)(p * units->n),
                          events + (level->own ? p * units->n : 0), units, target);
    for (size_t i = 0; i + 1 < parents * level->n_classes; i++)
        vector_push(theta, edges[i]);
    return edges;
}

/* All pairs of a row, as its tables: of one with the event those at risk then, of everybody the events while
 * he is at risk. */
static void push_pairs(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    size_t bins = cox->n_bins, exits_n = cox->strata.n * bins * cox->n_status;
    double *exits = vector_grow(&step->iteration->theta, cox_table_size(cox));
    for (size_t s = 0; s < cox->strata.n; s++) {
        double passed = 0;
        for (size_t cell = s * bins; cell < (s + 1) * bins; cell++) {
            exits[cox->n_status * cell + COX_EVENT] = passed + step->at_risk[cell];
            passed += step->ties[cell] * step->mean[cell];
            exits[cox->n_status * cell + COX_CENSORED] = passed;
            if (cox->entry_code)
                exits[exits_n + cell] = passed;
        }
    }
}

/* The power of two by which numbers of the tables are divided, so that they are at most 1: sums are on a
 * fixed scale. */
static int scale_of(const struct cox_step *step)
{
    int exponent;
    (void)frexp(fmax(step->own[COX_ROW_PAIRS], 1), &exponent);
    return exponent;
}

void cox_concordance_theta(struct cox_step *step, unsigned stage)
{
    const struct cox *cox = &step->cox;
    struct vector *theta = &step->iteration->theta;
    struct levels levels = levels_of(cox);
    struct cox_units cells = cells_of(step);
    const double shift = fit_theta_shift(theta);
    if (stage == COX_CURVATURE) {
        push_bins(step, shift);
        return;
    }
    double *cuts = vector_grow(theta, CUTS);
    for (size_t k = 0; k < CUTS; k++)
        cuts[k] = step->cuts[k] - shift;
    levels.nodes.edges = push_classes(theta, &levels.nodes, cells.events, &cells, TARGET_NODES, step->arena);
    if (stage == COX_PAIRS) {
        if (levels.has_coarse)
            (void)push_classes(theta, &levels.coarse, cells.events, &cells, TARGET_COARSE, step->arena);
        return;
    }
    struct cox_units classes = classes_of(step, &levels);
    (void)push_classes(theta, &levels.fine, step->node_events, &classes, TARGET_FINE, step->arena);
    size_t before = theta->n, n_exits = NODES * levels.nodes.n_classes * 2;
    double *net = vector_grow(theta, net_size(cox, &levels));
    cox_pairs_net(net, net + n_exits, step, &levels.nodes, &cells);
    push_pairs(step);
    for (size_t i = before; i < theta->n; i++)
        theta->v[i] = ldexp(theta->v[i], -scale_of(step));
}

/* --- step --- */

/* As cox_read_rows, for sums that are to lose nothing. */
static f128 read_rows(const struct cox_step *step, size_t block, size_t index)
{
    return step->cox.weights ? totals_quad(step->totals, block, index)
                             : (f128)totals_count(step->totals, block, index);
}

/* At every time of a stratum, those at risk and without the event, times the events. */
void cox_concordance_count(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    bool weighted = cox->weights != NULL;
    size_t block = weighted ? COX_BLOCK_EVENT_WEIGHTS : COX_BLOCK_TIES,
           entries = weighted ? COX_BLOCK_ENTRY_WEIGHTS : COX_BLOCK_ENTRIES;
    f128 pairs = 0, most = 0;
    for (size_t s = 0; s < cox->strata.n; s++) {
        f128 left = 0, all_events = 0;
        for (size_t k = cox->n_bins; k-- > 0;) {
            size_t cell = s * cox->n_bins + k, at = cox->n_status * cell;
            f128 events = read_rows(step, block, at + COX_EVENT);
            left += read_rows(step, block, at + COX_CENSORED);
            if (cox->entry_code)
                left -= read_rows(step, entries, cell);
            step->at_risk[cell] = fmax((double)left, 0);
            most = left > most ? left : most;
            pairs += events * left;
            left += events;
            all_events += events;
        }
        if (most + all_events > (f128)step->own[COX_ROW_PAIRS])
            step->own[COX_ROW_PAIRS] = (double)(most + all_events);
    }
    step->own[COX_COMPARABLE] = (double)pairs;
}

void cox_concordance_read_pairs(struct cox_step *step, size_t block)
{
    const struct cox *cox = &step->cox;
    struct levels levels = levels_of(cox);
    struct cox_pairs pairs = {0};
    struct cox_units cells = cells_of(step);
    size_t n = levels.nodes.n_classes;
    bind_levels(&levels, step->at.extra + cox_table_size(cox), COX_PAIRS);
    for (size_t i = 0; i < NODES * n; i++)
        step->node_events[i] = cox_read_rows(step, block, 2 * i + COX_EVENT);
    if (levels.has_coarse)
        cox_pairs_add(&pairs, step->same, step, &levels.coarse, &cells);
    cox_pairs_add(&pairs, step->same + COARSE, step, &levels.nodes, &cells);
    step->own[COX_CONCORDANT] = pairs.concordant;
    step->own[COX_DISCORDANT] = pairs.discordant;
}

/* Does interval i of the finest hold one value? All but rounding of its variance is then 0. */
static bool holds_one_value(const struct cox_step *step, size_t block, size_t i)
{
    f128 n = totals_quad(step->totals, block, 3 * i), sum = totals_quad(step->totals, block, 3 * i + 1),
         square = totals_quad(step->totals, block, 3 * i + 2);
    return !(n > 0) || spread_is_none(square - sum * sum / n, SPREAD_ROUNDING * (n + sum * sum / n), 0, 0);
}

/* Have all in a run of the finest intervals one value? */
static bool is_tied(const struct cox_step *step, size_t block, size_t first, size_t n)
{
    size_t held = 0, at = first;
    for (size_t i = first; i < first + n; i++) {
        if (!(totals_quad(step->totals, block, 3 * i) > 0))
            continue;
        held++;
        at = i;
    }
    return held == 1 && holds_one_value(step, block, at);
}

/* Pairs of equal predictors: those of the widest interval that holds one value, since these are counted by
 * the finest times. same: those of the finest, behind them in `step` those of the others. */
static double tied_pairs(const struct cox_step *step, const struct levels *levels, size_t block,
                         const double *same)
{
    double tied = 0;
    size_t run = FINE / COARSE;
    for (size_t i = 0; i < FINE;) {
        size_t n = 1;
        double pairs = same[i];
        if (i % PARTS == 0 && is_tied(step, block, i, PARTS)) {
            n = PARTS;
            pairs = step->same[COARSE + i / PARTS];
        }
        if (levels->has_coarse && i % run == 0 && is_tied(step, block, i, run)) {
            n = run;
            pairs = step->same[i / run];
        }
        tied += n > 1 || is_tied(step, block, i, 1) ? pairs : 0;
        i += n;
    }
    return tied;
}

/* √Σ(a·s)² over all pairs. block: of the squares of {concordant − discordant, all} of a row. */
static double jackknife(const struct cox_step *step, size_t block, double estimate)
{
    const f128 *square = cox_squares_read(step, block, 2);
    f128 half = 0.5, towards = (f128)(0.5 - estimate);
    f128 variance = half * half * square[0] + 2 * half * towards * square[1] + towards * towards * square[3];
    return ldexp(sqrt(fmax((double)variance, 0)), scale_of(step)) / step->own[COX_COMPARABLE];
}

static void report(struct result *result, double estimate, double std_error, double low, double high,
                   double pairs)
{
    struct result *concordance = result_add_object(result, "concordance");
    result_add_number(concordance, "estimate", estimate);
    result_add_number(concordance, "std_error", std_error);
    result_add_number(concordance, "low", low);
    result_add_number(concordance, "high", high);
    result_add_number(concordance, "pairs", pairs);
}

void cox_concordance_report(const struct cox_step *step, size_t block, struct result *result)
{
    const struct cox *cox = &step->cox;
    double comparable = step->own[COX_COMPARABLE];
    if (!cox_concordance_pooled(cox) || !(comparable > 0) || block >= step->totals->spec->n_blocks) {
        result_add_null(result, "concordance");
        return;
    }
    struct cox_pairs pairs = {.concordant = step->own[COX_CONCORDANT],
                              .discordant = step->own[COX_DISCORDANT]};
    struct levels levels = levels_of(cox);
    size_t behind = block + (cox->entry_code ? 2 : 1);
    bind_levels(&levels,
                step->at.extra + step->at.n_extra - cox_adjusted_theta_size(cox, &step->at) -
                    cox_concordance_theta_size(cox, COX_LAST),
                COX_LAST);
    levels.fine.block = block;
    struct cox_units classes = classes_of(step, &levels);
    double *same = arena_array(step->arena, FINE, sizeof *same);
    cox_pairs_add(&pairs, same, step, &levels.fine, &classes);
    double tied = tied_pairs(step, &levels, behind, same), low = (pairs.concordant + tied / 2) / comparable,
           high = (comparable - pairs.discordant - tied / 2) / comparable, estimate = (low + high) / 2,
           std_error = jackknife(step, behind + 1, estimate);
    if (high - low > bracket_max) {
        estimate = std_error = NAN;
        wording_warn(
            step->outcome,
            "the concordance is null: too many pairs have predictors or times that were counted together, so "
            "that it lies anywhere from %.3f to %.3f",
            low, high);
    }
    report(result, estimate, std_error, low, high, comparable);
}

void cox_concordance_site_plan(const struct cox *cox, const struct expression *eta, struct arena *arena,
                               struct tally_spec *spec)
{
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 0);
    double weight = cox->weights ? fmax(cox->weights->high, 1) : 1;
    block->kind = TALLY_RISKSET;
    block->riskset = cox->formula->cluster_site      ? RISKSET_CONCORDANCE_SITE
                     : cox->formula->cluster_patient ? RISKSET_CONCORDANCE_PATIENTS
                                                     : RISKSET_CONCORDANCE;
    block->group = groups_code(&cox->strata, arena, NULL);
    block->eta = eta;
    /* A row has pairs with all others of its site, 2^28 weights at most, and counts 2^-13 of them: squared it
     * adds weight⁴·2^(2·28 − 26), the square of a site's sum 2^28 times as much for each of its rows, and
     * that of a patient of 2^10 rows 2^10 times. */
    block->bound = ldexp(weight * weight * weight * weight,
                         2 * TALLY_SITE_MAX_LOG2 - 26 +
                             (block->riskset == RISKSET_CONCORDANCE_SITE       ? TALLY_SITE_MAX_LOG2
                              : block->riskset == RISKSET_CONCORDANCE_PATIENTS ? PATIENT_ROWS_LOG2
                                                                               : 0));
}

void cox_concordance_site_report(const struct cox_step *step, size_t block, struct result *result)
{
    double concordant = totals_real(step->totals, block, 0), discordant = totals_real(step->totals, block, 1),
           equal = totals_real(step->totals, block, 2), pairs = concordant + discordant + equal;
    if (!(pairs > 0)) {
        result_add_null(result, "concordance");
        return;
    }
    double estimate = (concordant + equal / 2) / pairs, towards = 0.5 - estimate;
    double variance = totals_real(step->totals, block, 3) / 4 +
                      towards * totals_real(step->totals, block, 4) +
                      towards * towards * totals_real(step->totals, block, 5);
    /* Levels of a cluster would have to be added up over the sites. */
    double std_error = step->cox.cluster ? NAN : sqrt(fmax(variance, 0)) / RISKSET_PAIRS_SCALE / pairs;
    report(result, estimate, std_error, estimate, estimate, pairs);
}
