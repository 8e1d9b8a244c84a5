/* smd: standardised mean differences between two arms, before and after weighting; the weights in short;
 * overlap.
 *
 * One round, by arm: n, Σw; of each number Σt, Σt² without and with weights; of each category n and Σw per
 * level; rows per interval of the propensity. With m_a and s²_a of arm a (treated 1): d = (m_1 − m_0)/√((s²_1
 * + s²_0)/2),  m = Σwx/Σw,  s² = n/(n − 1)·Σw(x − m)²/Σw with n the rows of a weight that is not 0,  and p·(1
 * − p) for a level (Austin, Stat Med 2009;28:3083, §2; the weighted variance is that of svyvar in R's survey,
 * which tableone uses). Effective sample size (Σw)²/Σw² (Kish, Survey Sampling, 1965, §11.2).
 * docs/methods/smd.md. */
#include <math.h>
#include <stdlib.h>

#include "stats/groups.h"
#include "stats/iptw.h"
#include "stats/spread.h"
#include "stats/wording.h"

enum { KEY_SMD_TREATMENT, KEY_SMD_VARIABLES };
enum { ARMS = 2, OVERLAP = 32, TERMS = 2 };

static const struct query_key keys[] = {
    [KEY_SMD_TREATMENT] = {.name = "treatment",
                           .kind = KEY_VARIABLE,
                           .required = true,
                           .sentence = "The arms: a boolean, or 0 and 1."},
    [KEY_SMD_VARIABLES] = {.name = "variables",
                           .kind = KEY_VARIABLES,
                           .required = true,
                           .n_min = 1,
                           .n_max = TALLY_BLOCKS_MAX / 2 - 4,
                           .sentence = "What is compared between the arms."},
};

/* Blocks: without weights the first three and one per category. */
enum {
    BLOCK_MISSING,
    BLOCK_ARMS,      /* rows by arm */
    BLOCK_NUMBERS,   /* Σt, Σt² by arm */
    BLOCK_WEIGHTS,   /* with weights: Σw by arm */
    BLOCK_WEIGHED,   /* rows of a weight that is not 0, by arm */
    BLOCK_SQUARES,   /* Σw² */
    BLOCK_INTERVALS, /* rows by arm × interval of the propensity, or of the weight */
    BLOCK_WEIGHTED_NUMBERS
};

/* Blocks of head counts: the arms, each of which must pass; then arm × level of each category. */
enum { CELLS_ARMS = CELLS_OWN, CELLS_LEVELS };

struct comparison {
    const struct analysis *analysis;
    const struct query_value *variables;
    struct cohort_rows cohort;
    const struct expression *arm, *weights;
    size_t n_numbers;
    struct spread
        *spreads; /* [variable]: of a number whose bounds are wide, with a block of its own at the end */
    size_t n_fine;
};

static bool is_number(const struct comparison *c, size_t variable)
{
    return c->variables->expressions[variable]->kind == EXPRESSION_NUMBER;
}

static bool is_fine(const struct comparison *c, size_t variable)
{
    return c->spreads[variable].n > 0 && c->spreads[variable].parts[0].fine;
}

static enum maille_code comparison_of(struct comparison *c, const struct analysis *analysis,
                                      struct arena *arena, struct maille_error *error)
{
    *c = (struct comparison){.analysis = analysis,
                             .variables = &analysis->values[KEY_SMD_VARIABLES],
                             .weights = analysis->weights};
    const struct expression *complete = iptw_complete(analysis, arena);
    c->cohort.rows = expression_and(arena, analysis->cohort, complete);
    c->cohort.missing = expression_and(arena, analysis->cohort, expression_unary(arena, OP_NOT, complete));
    c->spreads = arena_array(arena, c->variables->n, sizeof *c->spreads);
    for (size_t i = 0; i < c->variables->n; i++) {
        if (!is_number(c, i))
            continue;
        c->n_numbers++;
        enum maille_code code = spread_init(&c->spreads[i], arena, &c->variables->expressions[i],
                                            &c->variables->names[i], 1, error);
        if (code != MAILLE_OK)
            return code;
        c->n_fine += is_fine(c, i);
    }
    return iptw_arm(&c->arm, arena, analysis->values[KEY_SMD_TREATMENT].expressions[0], error);
}

/* May a row have no weight? Such rows are none of the n of a weighted variance. A propensity's weights are
 * never 0. */
static bool may_be_weightless(const struct comparison *c)
{
    return c->weights != NULL && c->weights->low <= 0 && c->analysis->propensity == NULL;
}

static const struct expression *of_weight(const struct comparison *c, enum expression_op op,
                                          struct arena *arena)
{
    return expression_and(arena, c->cohort.rows,
                          expression_binary(arena, op, c->weights, expression_constant(arena, 0)));
}

/* arm × level of a category. */
static enum maille_code levels_of(const struct comparison *c, struct groups *levels, size_t variable,
                                  const struct expression **code_of, struct arena *arena,
                                  struct maille_error *error)
{
    groups_init(levels);
    enum maille_code code = groups_add_any(levels, arena, c->variables->names[variable],
                                           c->variables->expressions[variable], error);
    if (code == MAILLE_OK)
        *code_of = expression_cross(arena, (const struct expression *[]){c->arm, levels->parts[0]}, 2);
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct comparison c;
    enum maille_code code;
    MAILLE_TRY(comparison_of(&c, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &c.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_PATIENTS, c.cohort.rows, c.arm, error));
    if (c.weights != NULL)
        groups_share_weights(out, arena, CELLS_ARMS, c.weights);
    for (size_t i = 0; i < c.variables->n; i++)
        if (is_number(&c, i)) {
            groups_moment(out, arena, CELLS_OWN, c.variables->expressions[i], c.weights, 2);
            groups_share(out, arena, CELLS_OWN, c.variables->expressions[i], c.weights);
            out->n_shown += c.weights != NULL ? c.arm->n_levels : 0;
        }
    for (size_t i = 0; i < c.variables->n; i++) {
        struct groups levels;
        const struct expression *code_of = NULL;
        if (is_number(&c, i))
            continue;
        MAILLE_TRY(levels_of(&c, &levels, i, &code_of, arena, error));
        MAILLE_TRY(groups_cell(out, CELL_TABLE, c.cohort.rows, code_of, error));
        if (c.weights != NULL)
            groups_share_weights(out, arena, out->spec.n_blocks - 1, c.weights);
    }
    if (may_be_weightless(&c)) /* the variances tell how many they are */
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, of_weight(&c, OP_EQ, arena), c.arm, error));
out:
    return code;
}

/* Middle and half-range of the scale of a number. */
static enum maille_code number_terms(const struct comparison *c, const struct expression **terms,
                                     struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = 0;
    for (size_t i = 0; i < c->variables->n; i++) {
        double middle, half;
        if (!is_number(c, i))
            continue;
        MAILLE_TRY(expression_unit_scale(&middle, &half, c->variables->expressions[i], c->variables->names[i],
                                         error));
        terms[n] = expression_scale(arena, c->variables->expressions[i], middle, half);
        terms[n + 1] = expression_power(arena, terms[n], 2);
        n += TERMS;
    }
out:
    return code;
}

/* Intervals of a weight that is a variable: about each of its values where there are few, else equal parts of
 * its range. */
struct weight_intervals {
    double low, width;
};

static struct weight_intervals intervals_of(const struct expression *weights)
{
    double range = weights->high - weights->low;
    if (weights->step > 0 && range / weights->step < IPTW_INTERVALS - 1)
        return (struct weight_intervals){weights->low - weights->step / 2, weights->step};
    return (struct weight_intervals){weights->low, range > 0 ? range / IPTW_INTERVALS : 1};
}

/* Of several arms the weight does not follow from the propensity and the arm that is compared. */
static bool weights_are_counted(const struct comparison *c)
{
    return c->weights != NULL && (c->analysis->propensity == NULL || c->analysis->propensity->n_arms == ARMS);
}

static const struct expression *interval_of(const struct comparison *c, struct arena *arena)
{
    if (!weights_are_counted(c))
        return expression_uniform_bin(arena, expression_constant(arena, 0), 0, 1, IPTW_INTERVALS);
    if (c->analysis->propensity)
        return iptw_interval(arena, c->analysis->propensity->score);
    struct weight_intervals intervals = intervals_of(c->weights);
    return expression_uniform_bin(arena, c->weights, intervals.low, intervals.width, IPTW_INTERVALS);
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    size_t cells_block = CELLS_LEVELS;
    struct comparison c;
    enum maille_code code;
    MAILLE_TRY(comparison_of(&c, analysis, arena, error));
    const struct expression **terms = arena_array(arena, TERMS * c.n_numbers + 1, sizeof *terms);
    MAILLE_TRY(number_terms(&c, terms, arena, error));
    size_t n_terms = TERMS * c.n_numbers;
    const struct guard *arms = guard_each(arena, CELLS_ARMS);
    const struct expression *rows = c.cohort.rows;
    MAILLE_TRY(groups_cohort_tally(spec, &c.cohort, error));
    MAILLE_TRY(groups_tally(spec, arms, rows, c.arm, error));
    MAILLE_TRY(groups_sums(spec, arms, rows, c.arm, NULL, terms, n_terms, error));
    if (c.weights) {
        const struct expression *codes[] = {c.arm, interval_of(&c, arena)};
        const struct expression *square = expression_binary(arena, OP_MULTIPLY, c.weights, c.weights);
        MAILLE_TRY(groups_sums(spec, arms, rows, c.arm, c.weights, NULL, 0, error));
        MAILLE_TRY(groups_tally(spec, arms, may_be_weightless(&c) ? of_weight(&c, OP_NE, arena) : rows, c.arm,
                                error));
        MAILLE_TRY(groups_sums(spec, &guard_cohort, rows, NULL, square, NULL, 0, error));
        /* Nobody can count these intervals before θ is known. */
        MAILLE_TRY(groups_tally(spec, &guard_sites, rows, expression_cross(arena, codes, 2), error));
        MAILLE_TRY(groups_sums(spec, arms, rows, c.arm, c.weights, terms, n_terms, error));
    }
    for (size_t i = 0; i < c.variables->n; i++) {
        struct groups levels;
        const struct expression *code_of = NULL;
        if (is_number(&c, i))
            continue;
        MAILLE_TRY(levels_of(&c, &levels, i, &code_of, arena, error));
        const struct guard *guard = guard_each(arena, cells_block++);
        MAILLE_TRY(groups_tally(spec, guard, rows, code_of, error));
        if (c.weights)
            MAILLE_TRY(groups_sums(spec, guard, rows, code_of, c.weights, NULL, 0, error));
    }
    for (size_t i = 0; i < c.variables->n; i++)
        if (is_fine(&c, i))
            MAILLE_TRY(spread_tally(spec, arms, &c.spreads[i], arena, c.cohort.rows, c.arm, error));
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    return plan(analysis, NULL, NULL, arena, spec, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* --- step --- */

/* Mean and variance of one arm. */
struct moments {
    f128 mean, variance;
};

static double difference(const struct moments arms[ARMS])
{
    f128 pooled = (arms[0].variance + arms[1].variance) / 2;
    return pooled > 0 ? (double)(arms[1].mean - arms[0].mean) / sqrt((double)pooled) : NAN;
}

/* Below this share of the half-range, squared, the sum of weighted t² has lost the digits of a spread. */
static const double squares_lost = 0x1p-33;

/* number: among the numbers; fine: the block of its spread, or SIZE_MAX. */
static double number_difference(const struct comparison *c, const struct totals *totals, size_t block,
                                bool weighted, size_t number, size_t variable, size_t fine,
                                struct outcome *outcome)
{
    struct moments arms[ARMS];
    for (size_t a = 0; a < ARMS; a++) {
        f128 n = (f128)totals_count(totals, weighted ? BLOCK_WEIGHED : BLOCK_ARMS, a);
        f128 weight = weighted ? totals_quad(totals, BLOCK_WEIGHTS, a) : n;
        size_t at = TERMS * (a * c->n_numbers + number);
        f128 first = totals_quad(totals, block, at) / weight,
             second = totals_quad(totals, block, at + 1) / weight;
        f128 variance = second - first * first;
        bool lost = false;
        if (fine !=
            SIZE_MAX) { /* whether all values are equal, and how far apart, is known from parts of them */
            const struct spread_part *part = &c->spreads[variable].parts[0];
            struct spread_sums sums;
            spread_read(&sums, &c->spreads[variable], outcome->arena, totals, fine, a);
            lost = weighted && sums.product[0] > 0 && variance < squares_lost;
            if (!weighted) {
                variance = sums.product[0] / ((f128)part->half * (f128)part->half * n);
                first = (sums.mean[0] - (f128)part->middle) / (f128)part->half;
            }
            if (weighted && sums.product[0] == 0)
                variance = 0;
        } else if (spread_is_none(variance, SPREAD_ROUNDING, 0, 0)) { /* the bounds are a few steps apart */
            variance = 0;
        }
        if (lost)
            wording_warn(
                outcome,
                "the weighted difference of `%s` is null: the bounds in the dictionary are so much wider "
                "than the spread that weighted squares lose its digits: narrow them, or derive a difference "
                "from a typical value",
                c->variables->names[variable]);
        arms[a].mean = first;
        arms[a].variance = n < 2 || lost ? (f128)NAN : variance * n / (n - 1);
    }
    return difference(arms);
}

/* Everybody in an arm has a level: the arm's own sum is the whole, also where levels are withheld. */
static double level_difference(const struct totals *totals, size_t block, bool weighted, size_t level,
                               size_t n_levels)
{
    struct moments arms[ARMS];
    for (size_t a = 0; a < ARMS; a++) {
        size_t at = a * n_levels + level;
        f128 all =
            weighted ? totals_quad(totals, BLOCK_WEIGHTS, a) : (f128)totals_count(totals, BLOCK_ARMS, a);
        f128 own = weighted ? totals_quad(totals, block, at) : (f128)totals_count(totals, block, at);
        arms[a].mean = own / all;
        arms[a].variance = arms[a].mean * (1 - arms[a].mean);
    }
    return difference(arms);
}

static void add_row(struct result *list, const char *variable, const char *level, double before, double after)
{
    struct result *row = result_add_object(list, NULL);
    result_add_string(row, "variable", variable);
    result_add_string(row, "level", level);
    result_add_number(row, "unweighted", before);
    result_add_number(row, "weighted", after);
}

/* shown: arm × level; NULL: all. */
static enum maille_code report_levels(const struct comparison *c, const struct totals *totals, size_t block,
                                      const uint8_t *shown, size_t variable, struct outcome *outcome,
                                      struct result *list, struct maille_error *error)
{
    struct groups levels;
    const struct expression *code_of = NULL;
    enum maille_code code = levels_of(c, &levels, variable, &code_of, outcome->arena, error);
    if (code != MAILLE_OK)
        return code;
    int64_t *seen = arena_array(outcome->arena, levels.n, sizeof *seen);
    for (size_t i = 0; i < ARMS * levels.n; i++)
        seen[i % levels.n] += shown == NULL || shown[i] != 0 ? totals_count(totals, block, i) : 1;
    groups_note_dropped(&levels, seen, NULL, outcome);
    for (size_t l = 0; l < levels.n; l++) {
        bool kept = shown == NULL || (shown[l] != 0 && shown[levels.n + l] != 0);
        const char *name = groups_level_name(&levels, outcome->arena, 0, l);
        if (seen[l] == 0)
            continue;
        outcome->suppressed += kept ? 0 : 1;
        add_row(list, c->variables->names[variable], name,
                kept ? level_difference(totals, block, false, l, levels.n) : NAN,
                kept && c->weights ? level_difference(totals, block + 1, true, l, levels.n) : NAN);
    }
    return MAILLE_OK;
}

struct weighed {
    double weight, n;
};

static int compare_weights(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    return x->weight < y->weight ? -1 : x->weight > y->weight;
}

/* The weight in the middle of every interval, ascending, with its rows. */
static struct weighed *weights_of(const struct comparison *c, const struct totals *totals,
                                  struct arena *arena)
{
    struct weighed *list = arena_array(arena, ARMS * IPTW_INTERVALS, sizeof *list);
    for (size_t i = 0; i < ARMS * IPTW_INTERVALS; i++) {
        double middle = (double)(i % IPTW_INTERVALS) + 0.5;
        list[i].n = (double)totals_count(totals, BLOCK_INTERVALS, i);
        if (c->analysis->propensity) {
            list[i].weight =
                iptw_weight(c->analysis->propensity, i >= IPTW_INTERVALS, middle / IPTW_INTERVALS);
            continue;
        }
        struct weight_intervals intervals = intervals_of(c->weights);
        list[i].weight = intervals.low + middle * intervals.width;
    }
    qsort(list, ARMS * IPTW_INTERVALS, sizeof *list, compare_weights);
    return list;
}

/* Both, as their mean weight. */
static void join(struct weighed *into, const struct weighed *more)
{
    if (into->n == 0)
        *into = *more;
    else {
        into->weight = (into->weight * into->n + more->weight * more->n) / (into->n + more->n);
        into->n += more->n;
    }
}

/* Neighbouring intervals, joined until each group has `least` patients or more, as their mean weight; what is
 * left over joins the last. In place. Returns how many groups there are. */
static size_t join_weights(struct weighed *list, double least)
{
    size_t made = 0;
    struct weighed group = {0};
    for (size_t i = 0; i < ARMS * IPTW_INTERVALS; i++) {
        if (list[i].n == 0)
            continue;
        join(&group, &list[i]);
        if (group.n < least)
            continue;
        list[made++] = group;
        group = (struct weighed){0};
    }
    if (group.n > 0 && made > 0)
        join(&list[made - 1], &group);
    return made;
}

static double weight_quantile(const struct weighed *list, size_t n_list, double n, double share)
{
    double sum = 0;
    for (size_t i = 0; i < n_list; i++) {
        sum += list[i].n;
        if (sum >= share * n)
            return list[i].weight;
    }
    return NAN;
}

/* hidden: were the intervals withheld? Nothing is told of fewer than `least` patients. */
static void report_weights(const struct comparison *c, const struct totals *totals, bool hidden,
                           int64_t least, struct arena *arena, struct result *result)
{
    if (!c->weights) {
        result_add_null(result, "weights");
        return;
    }
    struct result *object = result_add_object(result, "weights");
    f128 n = (f128)(totals_count(totals, BLOCK_ARMS, 0) + totals_count(totals, BLOCK_ARMS, 1));
    f128 sum = totals_quad(totals, BLOCK_WEIGHTS, 0) + totals_quad(totals, BLOCK_WEIGHTS, 1),
         squares = totals_quad(totals, BLOCK_SQUARES, 0), spread = squares - sum * sum / n;
    struct weighed *list = weights_of(c, totals, arena);
    const size_t n_list = join_weights(list, (double)least);
    result_add_number(object, "mean", (double)(sum / n));
    result_add_number(object, "sd", spread > 0 ? sqrt((double)(spread / (n - 1))) : 0);
    result_add_number(object, "p01", hidden ? NAN : weight_quantile(list, n_list, (double)n, 0.01));
    result_add_number(object, "p99", hidden ? NAN : weight_quantile(list, n_list, (double)n, 0.99));
    result_add_number(object, "ess", (double)(sum * sum / squares));
}

static int64_t overlap_count(const struct totals *totals, size_t arm, size_t from, size_t to)
{
    const size_t width = IPTW_INTERVALS / OVERLAP;
    int64_t n = 0;
    for (size_t k = from * width; k < to * width; k++)
        n += totals_count(totals, BLOCK_INTERVALS, arm * IPTW_INTERVALS + k);
    return n;
}

/* Where the intervals of the overlap end: each, or, joined from the left, those that have `least` patients or
 * more in each arm; what is left over joins the last. Returns how many there are. */
static size_t overlap_ends(const struct totals *totals, int64_t least, size_t ends[OVERLAP])
{
    size_t made = 0, from = 0;
    for (size_t to = 1; to <= OVERLAP; to++) {
        bool enough = true;
        for (size_t a = 0; a < ARMS && least > 1; a++)
            enough = enough && overlap_count(totals, a, from, to) >= least;
        if (!enough)
            continue;
        ends[made++] = from = to;
    }
    if (made > 0)
        ends[made - 1] = OVERLAP;
    return made;
}

static void report_overlap(const struct comparison *c, const struct totals *totals, bool hidden,
                           int64_t least, struct result *result)
{
    size_t ends[OVERLAP], n_ends = 0;
    if (c->analysis->propensity && !hidden)
        n_ends = overlap_ends(totals, least, ends);
    if (n_ends == 0) {
        result_add_null(result, "overlap");
        return;
    }
    struct result *object = result_add_object(result, "overlap");
    struct result *breaks = result_add_list(object, "breaks"), *counts = result_add_list(object, "counts");
    result_add_number(breaks, NULL, 0);
    for (size_t i = 0; i < n_ends; i++)
        result_add_number(breaks, NULL, (double)ends[i] / OVERLAP);
    for (size_t a = 0; a < ARMS; a++) {
        struct result *arm = result_add_list(counts, NULL);
        for (size_t i = 0; i < n_ends; i++)
            result_add_count(arm, NULL, overlap_count(totals, a, i == 0 ? 0 : ends[i - 1], ends[i]));
    }
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    const struct surviving *surviving = iteration->surviving;
    struct comparison c;
    enum maille_code code;
    MAILLE_TRY(comparison_of(&c, analysis, outcome->arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, surviving);
    int64_t arms[ARMS];
    for (size_t a = 0; a < ARMS; a++)
        arms[a] = totals_count(totals, BLOCK_ARMS, a);
    /* No threshold round has judged the counts of the intervals, which are of rows: where small cells are
     * hidden they are joined here, and rows must be patients. */
    const int64_t least = surviving_least(surviving);
    const bool several = least > 1 && surviving->patients != arms[0] + arms[1];
    const bool hidden = surviving != NULL && (!surviving->closed || several);
    if (arms[0] + arms[1] == 0) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    if (arms[0] == 0 || arms[1] == 0) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected patients with and without the treatment, found none %s",
                           arms[0] == 0 ? "without" : "with");
        goto out;
    }
    struct result *list = result_add_list(outcome->result, "variables");
    size_t number = 0, cells_block = CELLS_LEVELS, fine = totals->spec->n_blocks - c.n_fine,
           block = c.weights ? BLOCK_WEIGHTED_NUMBERS + 1 : BLOCK_WEIGHTS;
    for (size_t i = 0; i < c.variables->n; i++) {
        if (!is_number(&c, i)) {
            MAILLE_TRY(report_levels(&c, totals, block, surviving_mask(surviving, cells_block++), i, outcome,
                                     list, error));
            block += c.weights ? 2 : 1;
            continue;
        }
        size_t own = is_fine(&c, i) ? fine++ : SIZE_MAX;
        add_row(list, c.variables->names[i], NULL,
                number_difference(&c, totals, BLOCK_NUMBERS, false, number, i, own, outcome),
                c.weights
                    ? number_difference(&c, totals, BLOCK_WEIGHTED_NUMBERS, true, number, i, own, outcome)
                    : NAN);
        number++;
    }
    report_weights(&c, totals, !weights_are_counted(&c) || hidden, least, outcome->arena, outcome->result);
    report_overlap(&c, totals, !weights_are_counted(&c) || hidden, least, outcome->result);
    if (surviving == NULL && c.weights && !weights_are_counted(&c))
        wording_warn(outcome, "p01 and p99 of the weights and the overlap are null: the weights are those of "
                              "several arms, of which two are compared");
    if (hidden && c.weights)
        wording_warn(
            outcome,
            several && surviving->closed
                ? "the distribution of the weights is withheld: it counts rows, and patients have several"
                : "the distribution of the weights is withheld: its counts cannot be checked before "
                  "the weights are known");
    else if (least > 1 && c.weights && weights_are_counted(&c))
        wording_warn(outcome,
                     "p01 and p99 of the weights are means over %lld patients or more, and intervals of the "
                     "overlap are joined until each arm has as many in them",
                     (long long)least);
    outcome->n = arms[0] + arms[1];
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

static const struct method weighted = {.check = check, .cells = cells, .plan = plan, .step = step};

extern const struct method method_smd;
const struct method method_smd = {.declared = {.name = "smd",
                                               .keys = keys,
                                               .n_keys = sizeof keys / sizeof *keys,
                                               .takes_weights = true,
                                               .is_model = true},
                                  .version = 1,
                                  .words = {.name = "Balance",
                                            .sentence = "Standardised mean differences.",
                                            .r = "cobalt::bal.tab()",
                                            .source = "Austin, Statistics in Medicine 2009;28:3083"},
                                  .check = iptw_check,
                                  .cells = iptw_cells,
                                  .plan = iptw_plan,
                                  .step = iptw_step,
                                  .weighted = &weighted};
