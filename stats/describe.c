/* describe: n, missing, mean, sd, se, skewness, sum of numbers; counts and shares of categories; per cell of
 * `by`.
 *
 * Round 1, per cell of `by`: for each number x with the public centre m and half-range h of its dictionary
 * bounds, t = (x − m)/h (|t| ≤ 1):  n, Σt, Σt², Σt³;  for each category n per level. Central moments are
 * taken from the totals in quadruple precision (docs/decisions/0002-exact-sums.md, rule 6), so nothing that
 * two sites add cancels. sd² = Σ(x−x̄)²/(n−1);  se = sd/√n;  skewness = m3/m2^1.5, m_k = Σ(x−x̄)^k/n (Joanes
 * and Gill, The Statistician 1998;47:183, g1 of equation 1; R: mean, sd, e1071::skewness type 1).
 * With weights w: n is of rows, x̄ = Σwx/Σw, sd² = Σw(x−x̄)²/(Σw − Σw²/Σw) (R: cov.wt), se = sd·√Σw²/Σw, m_k =
 * Σw(x−x̄)^k/Σw, sum = Σwx, shares of Σw; further blocks hold Σw² and n.
 *
 * Head counts: rows per cell of `by`; in each, rows per level of a category or rows with a value of a number
 * (CELL_TABLE), and rows without (CELL_MISSING). Where a cell does not survive, its numbers are null. Behind
 * them, for two numbers that read a variable both, and others, the rows in which one of the two is missing
 * alone: where these are few, the sums of both would differ by theirs, and the later of the two is null. */
#include <math.h>

#include "stats/describe.h"
#include "stats/groups.h"
#include "stats/iptw.h"
#include "stats/spread.h"
#include "stats/wording.h"

/* MOMENTS: terms, with the 1. SKEWNESS: powers that it needs. */
enum { KEY_DESCRIBE_VARIABLES, MOMENTS = 4, SKEWNESS = 3 };

static const struct query_key keys[] = {
    [KEY_DESCRIBE_VARIABLES] = {.name = "variables",
                                .kind = KEY_VARIABLES,
                                .required = true,
                                .n_min = 1,
                                .n_max = (TALLY_BLOCKS_MAX - 3) / 2,
                                .sentence = "What is described, each by itself."},
};

/* Blocks of the value round: the first two, then those of each variable. */
enum { BLOCK_MISSING, BLOCK_GROUPS, BLOCK_VARIABLES };
/* Of a number: 1, t, t², t³; with weights also Σw² and rows. Of a category: rows per level; with weights also
 * Σw. */
enum { NUMBER_SUMS, NUMBER_SQUARES, NUMBER_ROWS, NUMBER_BLOCKS };
enum { LEVEL_ROWS, LEVEL_WEIGHTS, LEVEL_BLOCKS };
/* Blocks of head counts: rows per cell of `by`, then two of each variable. */
enum { CELLS_GROUPS = CELLS_OWN, CELLS_VARIABLES };
enum { CELLS_VALUES, CELLS_NONE, CELLS_OF_VARIABLE };

struct description {
    struct groups by;
    struct cohort_rows cohort; /* rows: with `by` present */
    const struct query_value *variables;
    const struct expression *weights; /* NULL: 1 */
    const struct dictionary *dictionary;
    struct {
        size_t earlier, later;
    } * pairs; /* numbers of overlapping variables; their head counts stand behind those of all variables */
    size_t n_pairs;
};

static bool is_number(const struct description *d, size_t variable)
{
    return d->variables->expressions[variable]->kind == EXPRESSION_NUMBER;
}

/* A number whose spread needs a block of its own, the last of the variable: its bounds are wide
 * (stats/spread.h). */
static enum maille_code fine_of(struct spread *spread, bool *fine, const struct description *d,
                                size_t variable, struct arena *arena, struct maille_error *error)
{
    *fine = false;
    if (!is_number(d, variable))
        return MAILLE_OK;
    enum maille_code code = spread_init(spread, arena, &d->variables->expressions[variable],
                                        &d->variables->names[variable], 1, error);
    if (code == MAILLE_OK)
        *fine = spread->parts[0].fine;
    return code;
}

static size_t blocks_of(const struct description *d, size_t variable, bool fine)
{
    if (!is_number(d, variable))
        return d->weights ? LEVEL_BLOCKS : 1;
    return (d->weights ? (size_t)NUMBER_BLOCKS : 1) + (fine ? 1 : 0);
}

/* Of the head counts: the block of a variable. */
static size_t cells_of(size_t variable, size_t which)
{
    return CELLS_VARIABLES + variable * CELLS_OF_VARIABLE + which;
}

/* Inner groups of a variable in each cell of `by`: levels, or 1. */
static enum maille_code inner_of(const struct expression **code_of, size_t *n, const struct description *d,
                                 size_t variable, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *code_of = NULL;
    *n = 1;
    if (is_number(d, variable))
        return code;
    MAILLE_TRY(expression_as_code(code_of, arena, d->variables->expressions[variable], error));
    *n = (*code_of)->n_levels;
out:
    return code;
}

/* Do two numbers read a variable both, and not all the same? Then their rows differ by who lacks another. */
static bool overlap(const struct description *d, size_t a, size_t b, struct arena *arena)
{
    const size_t n = d->dictionary->n_variables;
    bool *used[2], both = false, differ = false;
    if (!is_number(d, a) || !is_number(d, b))
        return false;
    for (size_t i = 0; i < 2; i++) {
        used[i] = arena_array(arena, n + 1, sizeof *used[i]);
        expression_variables(d->variables->expressions[i == 0 ? a : b], used[i]);
    }
    for (size_t v = 0; v < n; v++) {
        both = both || (used[0][v] && used[1][v]);
        differ = differ || used[0][v] != used[1][v];
    }
    return both && differ;
}

/* A variable's cell, and its cell of `by`; and where it differs from those before it. */
static const struct guard *guard_of(const struct description *d, size_t variable, struct arena *arena)
{
    const struct guard *guard = guard_both(arena, guard_each(arena, cells_of(variable, CELLS_VALUES)),
                                           guard_each(arena, CELLS_GROUPS));
    for (size_t p = 0; p < d->n_pairs; p++)
        if (d->pairs[p].later == variable)
            guard = guard_both(arena, guard, guard_each(arena, cells_of(d->variables->n, p)));
    return guard;
}

static bool is_shown(const struct surviving *surviving, const struct description *d, size_t variable,
                     size_t n_inner, size_t cell)
{
    bool shown = surviving_kept(surviving, cells_of(variable, CELLS_VALUES), cell) &&
                 surviving_kept(surviving, CELLS_GROUPS, cell / n_inner);
    for (size_t p = 0; p < d->n_pairs; p++)
        if (d->pairs[p].later == variable)
            shown = shown && surviving_kept(surviving, cells_of(d->variables->n, p), cell);
    return shown;
}

static enum maille_code description_of(struct description *d, const struct analysis *analysis,
                                       struct arena *arena, struct maille_error *error)
{
    d->variables = &analysis->values[KEY_DESCRIBE_VARIABLES];
    d->weights = analysis->weights;
    d->dictionary = analysis->study->dictionary;
    d->pairs = arena_array(arena, d->variables->n * d->variables->n + 1, sizeof *d->pairs);
    d->n_pairs = 0;
    for (size_t i = 0; i < d->variables->n; i++)
        for (size_t j = 0; j < i; j++)
            if (overlap(d, j, i, arena)) {
                d->pairs[d->n_pairs].earlier = j;
                d->pairs[d->n_pairs++].later = i;
            }
    cohort_rows(&d->cohort, analysis, arena, NULL, 0);
    return groups_of_by(&d->by, analysis, error);
}

/* A skewness of whole numbers of a few values, with their mean and spread, says how many have each: it is not
 * told where small cells are hidden. */
enum { VALUES_SKEWNESS = 12 };
static unsigned moments_of(const struct expression *x)
{
    return x->step > 0 && (x->high - x->low) / x->step < VALUES_SKEWNESS ? SKEWNESS - 1 : SKEWNESS;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct description d;
    enum maille_code code;
    MAILLE_TRY(description_of(&d, analysis, arena, error));
    const struct expression *rows = d.cohort.rows, *by = groups_code(&d.by, arena, NULL);
    MAILLE_TRY(groups_cohort_cells(out, &d.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_TABLE, rows, by, error));
    for (size_t i = 0; i < d.variables->n; i++) {
        const struct expression *none = expression_unary(arena, OP_IS_MISSING, d.variables->expressions[i]),
                                *inner = NULL, *present = rows;
        size_t n_inner;
        MAILLE_TRY(inner_of(&inner, &n_inner, &d, i, arena, error));
        if (inner == NULL)
            present = expression_and(arena, rows, expression_unary(arena, OP_NOT, none));
        MAILLE_TRY(groups_cell(out, CELL_TABLE, present, groups_code(&d.by, arena, inner), error));
        if (inner == NULL) {
            groups_moment(out, arena, out->spec.n_blocks - 1, d.variables->expressions[i], d.weights,
                          moments_of(d.variables->expressions[i]));
            groups_share(out, arena, out->spec.n_blocks - 1, d.variables->expressions[i], d.weights);
            out->n_shown += d.weights != NULL ? d.by.n : 0;
        } else if (d.weights != NULL) {
            groups_share_weights(out, arena, out->spec.n_blocks - 1, d.weights);
        }
        MAILLE_TRY(groups_cell(out, cells_missing_rule(none), expression_and(arena, rows, none), by, error));
    }
    for (size_t p = 0; p < d.n_pairs; p++) {
        const struct expression *none[] = {
            expression_unary(arena, OP_IS_MISSING, d.variables->expressions[d.pairs[p].earlier]),
            expression_unary(arena, OP_IS_MISSING, d.variables->expressions[d.pairs[p].later])};
        const struct expression *alone = expression_binary(arena, OP_NE, expression_number_of(arena, none[0]),
                                                           expression_number_of(arena, none[1]));
        MAILLE_TRY(groups_cell(out, CELL_MISSING, expression_and(arena, rows, alone), by, error));
    }
out:
    return code;
}

/* 1, t, t², t³ of a number; all 0 where it is missing, so that one block serves every variable. */
static enum maille_code moment_terms(const struct expression **terms, const struct expression *x,
                                     const char *name, struct arena *arena, struct maille_error *error)
{
    double middle, half;
    enum maille_code code = expression_unit_scale(&middle, &half, x, name, error);
    if (code != MAILLE_OK)
        return code;
    const struct expression *missing = expression_unary(arena, OP_IS_MISSING, x);
    const struct expression *t = expression_select(arena, missing, expression_constant(arena, 0),
                                                   expression_scale(arena, x, middle, half));
    terms[0] = expression_number_of(arena, expression_unary(arena, OP_NOT, missing));
    terms[1] = t;
    terms[2] = expression_power(arena, t, 2);
    terms[3] = expression_power(arena, t, 3);
    return MAILLE_OK;
}

static enum maille_code add_number(struct tally_spec *spec, const struct description *d, size_t variable,
                                   struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    const struct expression **terms = arena_array(arena, MOMENTS, sizeof *terms),
                            *by = groups_code(&d->by, arena, NULL);
    const struct guard *guard = guard_of(d, variable, arena);
    struct spread *spread = arena_alloc(arena, sizeof *spread);
    bool fine;
    MAILLE_TRY(fine_of(spread, &fine, d, variable, arena, error));
    MAILLE_TRY(moment_terms(terms, d->variables->expressions[variable], d->variables->names[variable], arena,
                            error));
    MAILLE_TRY(groups_sums(spec, guard, d->cohort.rows, by, d->weights, terms, MOMENTS, error));
    if (d->weights) {
        const struct expression *square = expression_binary(arena, OP_MULTIPLY, d->weights, d->weights);
        MAILLE_TRY(groups_sums(spec, guard, d->cohort.rows, by, square, terms, 1, error));
        MAILLE_TRY(groups_sums(spec, guard, d->cohort.rows, by, NULL, terms, 1, error));
    }
    if (fine) /* a missing value leaves the row out of this block */
        MAILLE_TRY(spread_tally(spec, guard, spread, arena, d->cohort.rows, by, error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct description d;
    enum maille_code code;
    MAILLE_TRY(description_of(&d, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &d.cohort, error));
    MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_GROUPS), d.cohort.rows,
                            groups_code(&d.by, arena, NULL), error));
    for (size_t i = 0; i < d.variables->n; i++) {
        const struct expression *level = NULL;
        size_t n_inner;
        MAILLE_TRY(inner_of(&level, &n_inner, &d, i, arena, error));
        if (level == NULL) {
            MAILLE_TRY(add_number(spec, &d, i, arena, error));
            continue;
        }
        level = groups_code(&d.by, arena, level);
        MAILLE_TRY(groups_tally(spec, guard_of(&d, i, arena), d.cohort.rows, level, error));
        if (d.weights)
            MAILLE_TRY(
                groups_sums(spec, guard_of(&d, i, arena), d.cohort.rows, level, d.weights, NULL, 0, error));
    }
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct tally_spec *spec = NULL;
    struct cells *heads = NULL;
    spec = arena_alloc(arena, sizeof *spec);
    heads = arena_alloc(arena, sizeof *heads);
    enum maille_code code = plan(analysis, NULL, NULL, arena, spec, error);
    if (code == MAILLE_OK)
        code = cells(analysis, arena, heads, error);
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* Moments of a number in one cell of `by`; NaN where nobody has a value. block: of its sums. */
struct moments {
    int64_t n;
    double mean, sd, se, skewness, sum;
};

/* Below these shares of the half-range, squared, the sums of t² and t³ have lost the digits of a spread. */
static const double squares_lost = 0x1p-33, cubes_lost = 0x1p-20;

/* spread: of a number whose bounds are wide, the last of its blocks; NULL: of another. */
static void moments_read(struct moments *m, const struct description *d, const struct totals *totals,
                         const struct spread *spread, size_t block, size_t variable, size_t cell,
                         bool guarded, struct outcome *outcome)
{
    const struct expression *x = d->variables->expressions[variable];
    size_t at = cell * MOMENTS;
    double middle = 0, half = 1;
    f128 weight = totals_quad(totals, block, at), squares = weight;
    *m = (struct moments){.n = totals_heads((f128)(double)weight),
                          .mean = NAN,
                          .sd = NAN,
                          .se = NAN,
                          .skewness = NAN,
                          .sum = 0};
    if (d->weights) {
        squares = totals_quad(totals, block + NUMBER_SQUARES, cell);
        m->n = totals_heads((f128)totals_real(totals, block + NUMBER_ROWS, cell));
    }
    if (expression_unit_scale(&middle, &half, x, "", NULL) != MAILLE_OK || !(weight > 0))
        return;
    f128 s1 = totals_quad(totals, block, at + 1), effective = weight - squares / weight;
    f128 t1 = s1 / weight;
    f128 t2 = totals_quad(totals, block, at + 2) / weight, t3 = totals_quad(totals, block, at + 3) / weight;
    f128 m2 = t2 - t1 * t1, m3 = t3 - 3 * t1 * t2 + 2 * t1 * t1 * t1;
    bool lost = false;
    if (spread != NULL) { /* whether all values are equal, and how far apart, is known from parts of them */
        struct spread_sums sums;
        spread_read(&sums, spread, outcome->arena, totals, block + blocks_of(d, variable, true) - 1, cell);
        lost = d->weights && sums.product[0] > 0 && (double)m2 < squares_lost;
        if (!d->weights)
            m2 = sums.product[0] / ((f128)half * (f128)half * weight);
        else if (sums.product[0] == 0)
            m2 = 0;
    } else if (spread_is_none(m2, SPREAD_ROUNDING, 0, 0)) { /* the bounds are a few steps apart */
        m2 = 0;
    }
    if (m->n == 1)
        m2 = 0;
    m->mean = (double)((f128)middle + (f128)half * t1);
    m->sum = (double)((f128)middle * weight + (f128)half * s1);
    if (lost)
        wording_warn(
            outcome,
            "sd, se and skewness of `%s` are null: the bounds in the dictionary are so much wider than the "
            "spread that weighted squares lose its digits: narrow them, or derive a difference from a "
            "typical value",
            d->variables->names[variable]);
    else if (spread != NULL && m2 > 0 && (double)m2 < cubes_lost)
        wording_warn(
            outcome,
            "skewness of `%s` is null: the bounds in the dictionary are so much wider than the spread that "
            "cubes lose its digits: narrow them, or derive a difference from a typical value",
            d->variables->names[variable]);
    if (m->n > 1 && effective > 0 && !lost) {
        m->sd = half * sqrt((double)(m2 * weight / effective));
        m->se = m->sd * sqrt((double)squares) / (double)weight;
    }
    const bool told = !guarded || moments_of(x) == SKEWNESS;
    if (m2 > 0 && told && !lost && !(spread != NULL && (double)m2 < cubes_lost))
        m->skewness = (double)m3 / ((double)m2 * sqrt((double)m2));
}

/* What a step reads and writes. */
struct writing {
    struct description d;
    const struct totals *totals;
    const struct surviving *surviving;
    struct outcome *outcome;
    int64_t *n_groups; /* of each cell of `by` */
    struct result *list;
};

/* Is there anything to say of a cell of `by`? */
static bool has_rows(const struct writing *w, size_t cell)
{
    return w->n_groups[cell] > 0 || !surviving_kept(w->surviving, CELLS_GROUPS, cell);
}

static struct result *row_of(const struct writing *w, size_t variable, size_t cell)
{
    struct result *row = result_add_object(w->list, NULL);
    result_add_string(row, "variable", w->d.variables->names[variable]);
    groups_add_names(&w->d.by, cell, row);
    return row;
}

/* The rows of a number. block: of its sums. */
static void describe_number(const struct writing *w, size_t block, size_t variable,
                            const struct spread *spread)
{
    static const char *const names[] = {"mean", "sd", "se", "skewness", "sum"};

    for (size_t cell = 0; cell < w->d.by.n; cell++) {
        bool kept = is_shown(w->surviving, &w->d, variable, 1, cell);
        if (!has_rows(w, cell))
            continue;
        struct result *row = row_of(w, variable, cell);
        struct moments m = {.n = 0};
        if (kept)
            moments_read(&m, &w->d, w->totals, spread, block, variable, cell,
                         surviving_least(w->surviving) > 1, w->outcome);
        groups_add_count(w->outcome, row, "n", m.n, kept);
        if (kept && surviving_kept(w->surviving, cells_of(variable, CELLS_NONE), cell))
            result_add_count(row, "missing", w->n_groups[cell] - m.n);
        else
            result_add_null(row, "missing");
        const double values[] = {m.mean, m.sd, m.se, m.skewness, m.sum};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
            result_add_number(row, names[i], kept ? values[i] : NAN);
    }
}

/* Rows of a level, or what they weigh. */
static double weigh_level(const struct writing *w, size_t block, size_t index)
{
    return w->d.weights ? totals_real(w->totals, block + LEVEL_WEIGHTS, index)
                        : (double)totals_count(w->totals, block, index);
}

/* The rows of a category: every level that somebody in the cohort has, in each cell of `by`. */
static enum maille_code describe_category(const struct writing *w, size_t block, size_t variable,
                                          struct maille_error *error)
{
    const struct description *d = &w->d;
    struct outcome *outcome = w->outcome;
    struct groups levels;
    enum maille_code code;
    groups_init(&levels);
    MAILLE_TRY(groups_add_any(&levels, outcome->arena, d->variables->names[variable],
                              d->variables->expressions[variable], error));

    int64_t *seen = arena_array(outcome->arena, levels.n, sizeof *seen);
    for (size_t i = 0; i < d->by.n * levels.n; i++) /* what is withheld may be somebody */
        seen[i % levels.n] += is_shown(w->surviving, &w->d, variable, levels.n, i)
                                  ? totals_count(w->totals, block, i)
                              : has_rows(w, i / levels.n) ? 1
                                                          : 0;
    groups_note_dropped(&levels, seen, NULL, outcome);
    for (size_t cell = 0; cell < d->by.n; cell++) {
        double all = 0;
        if (!has_rows(w, cell))
            continue;
        for (size_t level = 0; level < levels.n; level++)
            all += weigh_level(w, block, cell * levels.n + level);
        for (size_t level = 0; level < levels.n; level++) {
            size_t at = cell * levels.n + level;
            bool kept = is_shown(w->surviving, &w->d, variable, levels.n, at);
            if (seen[level] == 0)
                continue;
            struct result *row = row_of(w, variable, cell);
            result_add_string(row, "value", groups_level_name(&levels, outcome->arena, 0, level));
            groups_add_count(outcome, row, "n", totals_count(w->totals, block, at), kept);
            if (kept && !d->weights)
                result_add_share(row, "share", weigh_level(w, block, at), all);
            else
                result_add_number(row, "share", kept ? weigh_level(w, block, at) / all : NAN);
        }
    }
out:
    return code;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct writing w = {.totals = totals, .surviving = iteration->surviving, .outcome = outcome};
    int64_t n = 0;
    size_t block = BLOCK_VARIABLES, n_hidden = 0;
    enum maille_code code;
    MAILLE_TRY(description_of(&w.d, analysis, outcome->arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, w.surviving);
    w.n_groups = arena_array(outcome->arena, w.d.by.n, sizeof *w.n_groups);
    for (size_t i = 0; i < w.d.by.n; i++) {
        n += w.n_groups[i] = totals_count(totals, BLOCK_GROUPS, i);
        n_hidden += !surviving_kept(w.surviving, CELLS_GROUPS, i);
    }
    if (n == 0 && n_hidden == 0) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    groups_note_dropped(&w.d.by, w.n_groups, surviving_mask(w.surviving, CELLS_GROUPS), outcome);
    w.list = result_add_list(outcome->result, "variables");
    for (size_t i = 0; i < w.d.variables->n; i++) {
        struct spread spread;
        bool fine;
        MAILLE_TRY(fine_of(&spread, &fine, &w.d, i, outcome->arena, error));
        if (is_number(&w.d, i))
            describe_number(&w, block, i, fine ? &spread : NULL);
        else
            MAILLE_TRY(describe_category(&w, block, i, error));
        block += blocks_of(&w.d, i, fine);
    }
    outcome->n = n;
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

int64_t describe_rows(const struct totals *totals, size_t cell)
{
    return totals_count(totals, BLOCK_GROUPS, cell);
}

bool describe_rows_kept(const struct surviving *surviving, size_t cell)
{
    return surviving_kept(surviving, CELLS_GROUPS, cell);
}

size_t describe_values(size_t variable)
{
    return cells_of(variable, CELLS_VALUES);
}

bool describe_missing_kept(const struct surviving *surviving, size_t variable, size_t cell)
{
    return describe_rows_kept(surviving, cell) &&
           surviving_kept(surviving, cells_of(variable, CELLS_NONE), cell);
}

static const struct method weighted = {.check = check, .cells = cells, .plan = plan, .step = step};

const struct method method_describe = {
    .declared = {.name = "describe",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_by = true,
                 .takes_weights = true},
    .version = 1,
    .words = {.name = "Description",
              .sentence = "Means and standard deviations of numbers, counts and shares of categories, "
                          "without the missing values.",
              .r = "mean(), sd(), table()"},
    .check = iptw_check,
    .cells = iptw_cells,
    .plan = iptw_plan,
    .step = iptw_step,
    .weighted = &weighted};
