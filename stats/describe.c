/* describe: n, missing, mean, sd, se, skewness, sum of numbers; counts and shares of categories; per cell of
 * `by`.
 *
 * Round 1, per cell of `by`: for each number x with the public centre m and half-range h of its dictionary
 * bounds, t = (x − m)/h (|t| ≤ 1):  n, Σt, Σt², Σt³;  for each category n per level. Central moments are
 * taken from the totals in quadruple precision (docs/decisions/0002-exact-sums.md, rule 6), so nothing that
 * two sites add cancels. sd² = Σ(x−x̄)²/(n−1);  se = sd/√n;  skewness = m3/m2^1.5, m_k = Σ(x−x̄)^k/n (Joanes
 * and Gill, The Statistician 1998;47:183, g1 of equation 1; R: mean, sd, e1071::skewness type 1).
 * With weights w: n is of rows, x̄ = Σwx/Σw, sd² = Σw(x−x̄)²/(Σw − Σw²/Σw) (R: cov.wt), se = sd·√Σw²/Σw, m_k =
 * Σw(x−x̄)^k/Σw, sum = Σwx, shares of Σw; further blocks hold Σw² and n. */
#include <math.h>

#include "stats/groups.h"
#include "stats/iptw.h"
#include "stats/wording.h"

enum { KEY_DESCRIBE_VARIABLES, MOMENTS = 4 };

static const struct query_key keys[] = {
    [KEY_DESCRIBE_VARIABLES] = {.name = "variables",
                                .kind = KEY_VARIABLES,
                                .required = true,
                                .n_min = 1,
                                .n_max = TALLY_TERMS_MAX / MOMENTS,
                                .sentence = "What is described, each by itself."},
};

/* Blocks of the value round. A block per category follows (with weights two, of n and of Σw); the numbers
 * share one, which comes last, or with weights the last three. */
enum { BLOCK_COHORT, BLOCK_GROUPS, BLOCK_FIRST_CATEGORY };
enum { NUMBERS, NUMBERS_SQUARES, NUMBERS_ROWS, NUMBERS_BLOCKS };

struct description {
    struct groups by;
    const struct expression *rows; /* of the cohort, with `by` present */
    const struct query_value *variables;
    const struct expression *weights; /* NULL: 1 */
};

/* How many blocks the numbers have. */
static size_t numbers_blocks(const struct description *d)
{
    return d->weights ? NUMBERS_BLOCKS : 1;
}

static bool is_number(const struct description *d, size_t variable)
{
    return d->variables->expressions[variable]->kind == EXPRESSION_NUMBER;
}

static enum maille_code description_of(struct description *d, const struct analysis *analysis,
                                       struct arena *arena, struct maille_error *error)
{
    d->variables = &analysis->values[KEY_DESCRIBE_VARIABLES];
    d->weights = analysis->weights;
    d->rows = expression_and(arena, analysis->cohort, analysis_complete(analysis, arena, NULL, 0));
    return groups_of_by(&d->by, analysis, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct description d;
    enum maille_code code;
    MAILLE_TRY(description_of(&d, analysis, arena, error));
    MAILLE_TRY(groups_cell(out, CELL_COHORT, d.rows, NULL, error));
    for (size_t i = 0; i < d.variables->n; i++) {
        const struct expression *x = d.variables->expressions[i], *inner = NULL;
        if (is_number(&d,
                      i)) /* present and missing are both released for a number, the levels for a category */
            x = expression_unary(arena, OP_IS_MISSING, x);
        MAILLE_TRY(expression_as_code(&inner, arena, x, error));
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, d.rows, groups_code(&d.by, arena, inner), error));
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

static enum maille_code add_sums(struct tally_spec *spec, const struct description *d,
                                 const struct expression *by, const struct expression *weight,
                                 const struct expression *const *terms, size_t n_terms,
                                 struct maille_error *error)
{
    enum maille_code code = groups_tally(spec, d->rows, by, false, error);
    if (code != MAILLE_OK)
        return code;
    struct tally_block *block = &spec->blocks[spec->n_blocks - 1];
    block->weight = weight;
    block->terms = terms;
    block->n_terms = n_terms;
    block->order = n_terms > 0;
    return MAILLE_OK;
}

static enum maille_code add_numbers(struct tally_spec *spec, const struct description *d,
                                    const struct expression *by, const struct expression *const *terms,
                                    size_t n_terms, struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(add_sums(spec, d, by, d->weights, terms, n_terms, error));
    if (!d->weights)
        goto out;
    const struct expression **present = arena_array(arena, n_terms / MOMENTS, sizeof *present);
    for (size_t i = 0; i < n_terms / MOMENTS; i++)
        present[i] = terms[i * MOMENTS];
    const struct expression *square = expression_binary(arena, OP_MULTIPLY, d->weights, d->weights);
    MAILLE_TRY(add_sums(spec, d, by, square, present, n_terms / MOMENTS, error));
    MAILLE_TRY(add_sums(spec, d, by, NULL, present, n_terms / MOMENTS, error));
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
    const struct expression **terms = NULL;
    size_t n_terms = 0;
    enum maille_code code;
    MAILLE_TRY(description_of(&d, analysis, arena, error));
    const struct expression *by = groups_code(&d.by, arena, NULL);
    terms = arena_array(arena, d.variables->n * MOMENTS, sizeof *terms);
    MAILLE_TRY(groups_tally(spec, analysis->cohort, NULL, false, error));
    MAILLE_TRY(groups_tally(spec, d.rows, by, false, error));
    for (size_t i = 0; i < d.variables->n; i++) {
        const struct expression *x = d.variables->expressions[i];
        if (is_number(&d, i)) {
            MAILLE_TRY(moment_terms(terms + n_terms, x, d.variables->names[i], arena, error));
            n_terms += MOMENTS;
        } else {
            const struct expression *level = NULL;
            MAILLE_TRY(expression_as_code(&level, arena, x, error));
            level = groups_code(&d.by, arena, level);
            MAILLE_TRY(groups_tally(spec, d.rows, level, false, error));
            if (d.weights)
                MAILLE_TRY(add_sums(spec, &d, level, d.weights, NULL, 0, error));
        }
    }
    if (n_terms > 0)
        MAILLE_TRY(add_numbers(spec, &d, by, terms, n_terms, arena, error));
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct maille_error inner = {0};
    struct tally_spec *spec = NULL;
    struct cells *heads = NULL;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory");
    spec = arena_alloc(arena, sizeof *spec);
    heads = arena_alloc(arena, sizeof *heads);
    enum maille_code code = plan(analysis, NULL, NULL, arena, spec, &inner);
    if (code == MAILLE_OK)
        code = cells(analysis, arena, heads, &inner);
    if (code != MAILLE_OK)
        code = wording_invalid(error, analysis, "%s", inner.sentence);
    arena_free(arena);
    return code;
}

/* One row of a number. block: of the numbers; slot: which of them. */
static void describe_number(const struct description *d, const struct totals *totals, size_t block,
                            size_t slot, size_t variable, size_t cell, int64_t n_group, struct result *row)
{
    const struct expression *x = d->variables->expressions[variable];
    size_t n_terms = totals->spec->blocks[block].n_terms, at = cell * n_terms + slot * MOMENTS,
           present = cell * (n_terms / MOMENTS) + slot;
    double middle = 0, half = 1;
    double mean = NAN, sd = NAN, se = NAN, skewness = NAN, sum = 0;
    f128 weight = totals_quad(totals, block, at), squares = weight;
    int64_t n = (int64_t)(double)weight;
    if (d->weights) {
        squares = totals_quad(totals, block + NUMBERS_SQUARES, present);
        n = (int64_t)totals_real(totals, block + NUMBERS_ROWS, present);
    }
    if (expression_unit_scale(&middle, &half, x, "", NULL) == MAILLE_OK && weight > 0) {
        f128 s1 = totals_quad(totals, block, at + 1), effective = weight - squares / weight;
        f128 t1 = s1 / weight;
        f128 t2 = totals_quad(totals, block, at + 2) / weight,
             t3 = totals_quad(totals, block, at + 3) / weight;
        f128 m2 = t2 - t1 * t1, m3 = t3 - 3 * t1 * t2 + 2 * t1 * t1 * t1;
        /* Values are multiples of the step, so a variance below that of one patient one step off is the
         * rounding of t² (2⁻⁵³ each) and nothing else: all values are equal. */
        double apart = x->step / half / (double)n;
        if ((double)m2 < 0x1p-50 && (d->weights || (double)m2 < 0.5 * apart * apart * (double)(n - 1)))
            m2 = 0;
        if (n == 1)
            m2 = 0;
        mean = (double)((f128)middle + (f128)half * t1);
        sum = (double)((f128)middle * weight + (f128)half * s1);
        if (n > 1 && effective > 0) {
            sd = half * sqrt((double)(m2 * weight / effective));
            se = sd * sqrt((double)squares) / (double)weight;
        }
        if (m2 > 0)
            skewness = (double)m3 / pow((double)m2, 1.5);
    }
    result_add_integer(row, "n", n);
    result_add_integer(row, "missing", n_group - n);
    result_add_number(row, "mean", mean);
    result_add_number(row, "sd", sd);
    result_add_number(row, "se", se);
    result_add_number(row, "skewness", skewness);
    result_add_number(row, "sum", sum);
}

/* Rows of a level, or what they weigh. */
static double weigh_level(const struct description *d, const struct totals *totals, size_t block,
                          size_t index)
{
    return d->weights ? totals_real(totals, block + 1, index) : (double)totals_count(totals, block, index);
}

/* All rows of a category: every level that somebody in the cohort has, in each cell of `by`. */
static enum maille_code describe_category(const struct description *d, const struct totals *totals,
                                          size_t block, size_t variable, const int64_t *n_groups,
                                          struct outcome *outcome, struct result *list,
                                          struct maille_error *error)
{
    struct groups levels;
    enum maille_code code;
    groups_init(&levels);
    MAILLE_TRY(groups_add_any(&levels, outcome->arena, d->variables->names[variable],
                              d->variables->expressions[variable], error));
    int64_t *seen = arena_array(outcome->arena, levels.n, sizeof *seen);
    for (size_t cell = 0; cell < d->by.n; cell++)
        for (size_t level = 0; level < levels.n; level++)
            seen[level] += totals_count(totals, block, cell * levels.n + level);
    groups_note_dropped(&levels, seen, outcome);
    for (size_t cell = 0; cell < d->by.n; cell++) {
        double all = 0;
        if (n_groups[cell] == 0)
            continue;
        for (size_t level = 0; level < levels.n; level++)
            all += weigh_level(d, totals, block, cell * levels.n + level);
        for (size_t level = 0; level < levels.n; level++) {
            if (seen[level] == 0)
                continue;
            int64_t n_level = totals_count(totals, block, cell * levels.n + level);
            struct result *row = result_add_object(list, NULL);
            result_add_string(row, "variable", d->variables->names[variable]);
            groups_add_names(&d->by, cell, row);
            result_add_string(row, "value", groups_level_name(&levels, outcome->arena, 0, level));
            result_add_integer(row, "n", n_level);
            result_add_number(row, "share", weigh_level(d, totals, block, cell * levels.n + level) / all);
        }
    }
out:
    return code;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    (void)iteration;
    struct description d;
    int64_t n = 0;
    size_t slot = 0, block = BLOCK_FIRST_CATEGORY;
    enum maille_code code;
    MAILLE_TRY(description_of(&d, analysis, outcome->arena, error));
    int64_t *n_groups = arena_array(outcome->arena, d.by.n, sizeof *n_groups);
    for (size_t i = 0; i < d.by.n; i++)
        n += n_groups[i] = totals_count(totals, BLOCK_GROUPS, i);
    int64_t n_cohort = totals_count(totals, BLOCK_COHORT, 0);
    if (n == 0) {
        code = wording_nobody(error, n_cohort);
        goto out;
    }
    groups_note_dropped(&d.by, n_groups, outcome);
    struct result *list = result_add_list(outcome->result, "variables");
    for (size_t i = 0; i < d.variables->n; i++) {
        if (!is_number(&d, i)) {
            MAILLE_TRY(describe_category(&d, totals, block, i, n_groups, outcome, list, error));
            block += d.weights ? 2 : 1;
            continue;
        }
        for (size_t cell = 0; cell < d.by.n; cell++) {
            if (n_groups[cell] == 0)
                continue;
            struct result *row = result_add_object(list, NULL);
            result_add_string(row, "variable", d.variables->names[i]);
            groups_add_names(&d.by, cell, row);
            describe_number(&d, totals, totals->spec->n_blocks - numbers_blocks(&d), slot, i, cell,
                            n_groups[cell], row);
        }
        slot++;
    }
    outcome->n = n;
    outcome->n_missing = n_cohort - n;
    *done = true;
out:
    return code;
}

static const struct method weighted = {.check = check, .cells = cells, .plan = plan, .step = step};

const struct method method_describe = {.declared = {.name = "describe",
                                                    .keys = keys,
                                                    .n_keys = sizeof keys / sizeof *keys,
                                                    .takes_by = true,
                                                    .takes_weights = true},
                                       .version = 1,
                                       .check = iptw_check,
                                       .cells = iptw_cells,
                                       .plan = iptw_plan,
                                       .step = iptw_step,
                                       .weighted = &weighted};
