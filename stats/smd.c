/* smd: standardised mean differences between two arms, the second level of the treatment minus the first.
 *
 * Round 1: per arm n, Σt, Σt² of every number (stats/spread.h), and n per level of every category. With means
 * x̄, variances s² and shares p of the arms 1 (treated) and 0: number: (x̄_1 − x̄_0)/√((s_1² + s_0²)/2);  level:
 * (p_1 − p_0)/√((p_1(1 − p_1) + p_0(1 − p_0))/2) (Austin, Stat Med 2009;28:3083, section 2). Over the
 * patients who have the treatment and all variables. */
#include <math.h>

#include "stats/spread.h"
#include "stats/wording.h"

enum { KEY_SMD_TREATMENT, KEY_SMD_VARIABLES };
/* Of the value round; a block per variable follows. */
enum { BLOCK_COHORT, BLOCK_ARMS, BLOCK_FIRST_VARIABLE };

static const struct query_key keys[] = {
    [KEY_SMD_TREATMENT] = {.name = "treatment",
                           .kind = KEY_VARIABLE,
                           .required = true,
                           .sentence = "A boolean, or a category of which two levels occur."},
    [KEY_SMD_VARIABLES] = {.name = "variables",
                           .kind = KEY_VARIABLES,
                           .required = true,
                           .n_min = 1,
                           .n_max = TALLY_BLOCKS_MAX - BLOCK_FIRST_VARIABLE,
                           .sentence = "What is compared, each by itself."},
};

struct balance {
    struct groups arms;
    const struct query_value *variables;
    const struct expression *rows; /* of the cohort, complete */
};

static bool is_number(const struct balance *b, size_t variable)
{
    return b->variables->expressions[variable]->kind == EXPRESSION_NUMBER;
}

static enum maille_code balance_of(struct balance *b, const struct analysis *analysis, struct arena *arena,
                                   struct maille_error *error)
{
    const struct query_value *treatment = &analysis->values[KEY_SMD_TREATMENT];
    enum maille_code code;
    b->variables = &analysis->values[KEY_SMD_VARIABLES];
    groups_init(&b->arms);
    MAILLE_TRY(groups_add_any(&b->arms, arena, treatment->names[0], treatment->expressions[0], error));
    size_t n = b->variables->n;
    const struct expression **all = arena_array(arena, n + 1, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = b->variables->expressions[i];
    all[n] = treatment->expressions[0];
    b->rows = expression_and(arena, analysis->cohort, analysis_complete(analysis, arena, all, n + 1));
out:
    return code;
}

static enum maille_code variable_levels(struct groups *levels, const struct balance *b, size_t variable,
                                        struct arena *arena, struct maille_error *error)
{
    groups_init(levels);
    return groups_add_any(levels, arena, b->variables->names[variable], b->variables->expressions[variable],
                          error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct balance b;
    struct groups levels;
    enum maille_code code;
    MAILLE_TRY(balance_of(&b, analysis, arena, error));
    MAILLE_TRY(groups_cell(out, CELL_COHORT, b.rows, NULL, error));
    MAILLE_TRY(groups_cell(out, CELL_PATIENTS, b.rows, groups_code(&b.arms, arena, NULL), error));
    for (size_t i = 0; i < b.variables->n; i++) {
        if (is_number(&b, i))
            continue;
        MAILLE_TRY(variable_levels(&levels, &b, i, arena, error));
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, b.rows,
                               groups_code(&b.arms, arena, groups_code(&levels, arena, NULL)), error));
    }
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct balance b;
    struct groups levels;
    struct spread spread;
    enum maille_code code;
    MAILLE_TRY(balance_of(&b, analysis, arena, error));
    const struct expression *arm = groups_code(&b.arms, arena, NULL);
    MAILLE_TRY(groups_tally(spec, analysis->cohort, NULL, false, error));
    MAILLE_TRY(groups_tally(spec, b.rows, arm, false, error));
    for (size_t i = 0; i < b.variables->n; i++) {
        if (is_number(&b, i)) {
            MAILLE_TRY(
                spread_init(&spread, arena, &b.variables->expressions[i], &b.variables->names[i], 1, error));
            MAILLE_TRY(spread_tally(spec, &spread, arena, b.rows, arm, error));
        } else {
            MAILLE_TRY(variable_levels(&levels, &b, i, arena, error));
            MAILLE_TRY(groups_tally(
                spec, b.rows, groups_code(&b.arms, arena, groups_code(&levels, arena, NULL)), false, error));
        }
    }
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct maille_error inner = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to read an analysis, found none");
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    enum maille_code code = plan(analysis, NULL, NULL, arena, spec, &inner);
    if (code != MAILLE_OK)
        code = wording_invalid(error, analysis, "%s", inner.sentence);
    arena_free(arena);
    return code;
}

static void add_row(struct result *list, const char *variable, const char *level, double difference,
                    double variance, struct outcome *outcome)
{
    struct result *row = result_add_object(list, NULL);
    result_add_string(row, "variable", variable);
    result_add_string(row, "level", level);
    result_add_number(row, "unweighted", variance > 0 ? difference / sqrt(variance) : NAN);
    result_add_null(row, "weighted");
    if (!(variance > 0))
        wording_warn(
            outcome,
            "%s%s%s is the same in all patients of each arm: there is no standard deviation to compare by",
            variable, level == NULL ? "" : "=", level == NULL ? "" : level);
}

/* arms: the cells of the two, first and second. */
static enum maille_code add_number(const struct balance *b, const struct totals *totals, size_t variable,
                                   const size_t arms[2], struct outcome *outcome, struct result *list,
                                   struct maille_error *error)
{
    struct spread spread;
    struct spread_sums sums[2];
    double variance = 0;
    const char *const *name = &b->variables->names[variable];
    enum maille_code code =
        spread_init(&spread, outcome->arena, &b->variables->expressions[variable], name, 1, error);
    if (code != MAILLE_OK)
        return code;
    for (size_t i = 0; i < 2; i++) {
        spread_read(&sums[i], &spread, outcome->arena, totals, BLOCK_FIRST_VARIABLE + variable, arms[i]);
        variance += (double)sums[i].product[0] / (double)(sums[i].count - 1) / 2; /* NaN with one patient */
    }
    add_row(list, *name, NULL, (double)(sums[1].mean[0] - sums[0].mean[0]), variance, outcome);
    return MAILLE_OK;
}

static enum maille_code add_levels(const struct balance *b, const struct totals *totals, size_t variable,
                                   const size_t arms[2], const int64_t *n, struct outcome *outcome,
                                   struct result *list, struct maille_error *error)
{
    struct groups levels;
    enum maille_code code = variable_levels(&levels, b, variable, outcome->arena, error);
    if (code != MAILLE_OK)
        return code;
    int64_t *seen = arena_array(outcome->arena, levels.n, sizeof *seen);
    for (size_t level = 0; level < levels.n; level++) {
        double share[2], variance = 0;
        for (size_t i = 0; i < 2; i++) {
            int64_t count = totals_count(totals, BLOCK_FIRST_VARIABLE + variable, arms[i] * levels.n + level);
            seen[level] += count;
            share[i] = (double)count / (double)n[arms[i]];
            variance += share[i] * (1 - share[i]) / 2;
        }
        if (seen[level] > 0)
            add_row(list, b->variables->names[variable], groups_level_name(&levels, outcome->arena, 0, level),
                    share[1] - share[0], variance, outcome);
    }
    groups_note_dropped(&levels, seen, outcome);
    return MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    (void)iteration;
    struct balance b;
    size_t arms[2] = {0}, present = 0;
    int64_t all = 0, n_cohort = totals_count(totals, BLOCK_COHORT, 0);
    enum maille_code code;
    MAILLE_TRY(balance_of(&b, analysis, outcome->arena, error));
    int64_t *n = arena_array(outcome->arena, b.arms.n, sizeof *n);
    for (size_t arm = 0; arm < b.arms.n; arm++) {
        all += n[arm] = totals_count(totals, BLOCK_ARMS, arm);
        if (n[arm] > 0 && present++ < 2)
            arms[present - 1] = arm;
    }
    if (all == 0) {
        code = wording_nobody(error, n_cohort);
        goto out;
    }
    if (present != 2) {
        code = maille_fail(error, MAILLE_FAILED, "expected patients in exactly two levels of `%s`, found %zu",
                           b.arms.names[0], present);
        goto out;
    }
    outcome->n = all;
    outcome->n_missing = n_cohort - all;
    groups_note_dropped(&b.arms, n, outcome);
    struct result *list = result_add_list(outcome->result, "variables");
    for (size_t i = 0; i < b.variables->n; i++) {
        if (is_number(&b, i))
            MAILLE_TRY(add_number(&b, totals, i, arms, outcome, list, error));
        else
            MAILLE_TRY(add_levels(&b, totals, i, arms, n, outcome, list, error));
    }
    result_add_null(outcome->result, "weights");
    result_add_null(outcome->result, "overlap");
    *done = true;
out:
    return code;
}

const struct method method_smd = {
    .declared = {.name = "smd", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
