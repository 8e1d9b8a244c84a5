/* crosstab: counts over 2 to 4 categories; for two, Pearson's χ² (with Yates' correction in 2 × 2, and
 * without), Fisher's exact test in 2 × 2 and Cramér's V.
 *
 * Round 1: n per cell. With E_ij = n_i· n_·j / n:  χ² = Σ (|n_ij − E_ij| − c)²/E_ij, c = min(½, min |n_ij −
 * E_ij|) in 2 × 2 (Yates, JRSS Suppl 1934;1:217; R: chisq.test);  V = √(χ²/(n (min(r, c) − 1))) of the
 * uncorrected χ² (Cramér, Mathematical Methods of Statistics, 1946, §21.9). Levels that nobody has are
 * dropped first. Where a cell is suppressed there are no tests: they would tell it. */
#include <math.h>

#include "stats/chisq.h"
#include "stats/fisher.h"
#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_CROSSTAB_VARIABLES, WAYS_MAX = 4 };

static const struct query_key keys[] = {
    [KEY_CROSSTAB_VARIABLES] = {.name = "variables",
                                .kind = KEY_VARIABLES,
                                .required = true,
                                .n_min = 2,
                                .n_max = WAYS_MAX,
                                .sentence = "Two to four categories; the first makes the rows."},
};

enum { BLOCK_MISSING, BLOCK_CELLS };

/* The table without the levels that nobody has. */
struct table {
    size_t n_ways, n_levels[WAYS_MAX];
    size_t *kept[WAYS_MAX]; /* level of the dictionary for each level of the table */
    const int64_t *counts;  /* of all cells */
    const uint8_t *shown;   /* of all cells: 0 where the count is withheld; NULL: all are known */
    int64_t n;
};

static enum maille_code crosstab_of(struct groups *groups, struct cohort_rows *cohort,
                                    const struct analysis *analysis, struct arena *arena,
                                    struct maille_error *error)
{
    const struct query_value *variables = &analysis->values[KEY_CROSSTAB_VARIABLES];
    groups_init(groups);
    for (size_t i = 0; i < variables->n; i++) {
        enum maille_code code =
            groups_add_any(groups, arena, variables->names[i], variables->expressions[i], error);
        if (code != MAILLE_OK)
            return code;
    }
    cohort_rows(cohort, analysis, arena, groups->parts, groups->n_parts);
    return MAILLE_OK;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct groups groups;
    struct cohort_rows cohort;
    return crosstab_of(&groups, &cohort, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct groups groups;
    struct cohort_rows cohort;
    enum maille_code code;
    MAILLE_TRY(crosstab_of(&groups, &cohort, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_TABLE, cohort.rows, groups_code(&groups, arena, NULL), error));
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct groups groups;
    struct cohort_rows cohort;
    enum maille_code code;
    MAILLE_TRY(crosstab_of(&groups, &cohort, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &cohort, error));
    MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_OWN), cohort.rows,
                            groups_code(&groups, arena, NULL), error));
out:
    return code;
}

static bool is_shown(const struct table *table, size_t cell)
{
    return table->shown == NULL || table->shown[cell] != 0;
}

static void table_make(struct table *table, const struct groups *groups, const int64_t *counts,
                       const uint8_t *shown, int64_t n, struct arena *arena)
{
    *table = (struct table){.n_ways = groups->n_parts, .counts = counts, .shown = shown, .n = n};
    for (size_t way = 0; way < groups->n_parts; way++) {
        size_t n_levels = groups->parts[way]->n_levels;
        int64_t *margin = arena_array(arena, n_levels, sizeof *margin);
        table->kept[way] = arena_array(arena, n_levels, sizeof *table->kept[way]);
        for (size_t cell = 0; cell < groups->n; cell++)
            margin[groups_level_of(groups, cell, way)] += is_shown(table, cell) ? counts[cell] : 1;
        for (size_t level = 0; level < n_levels; level++)
            if (margin[level] > 0)
                table->kept[way][table->n_levels[way]++] = level;
    }
}

/* Nested lists, the first variable outermost. cell: index among all cells so far. */
static void table_write(const struct table *table, const struct groups *groups, size_t way, size_t cell,
                        struct outcome *outcome, struct result *to)
{
    if (way >= WAYS_MAX)
        return; /* n_ways is at most WAYS_MAX: said for the compiler, which unrolls this */
    for (size_t i = 0; i < table->n_levels[way]; i++) {
        size_t inner = cell * groups->parts[way]->n_levels + table->kept[way][i];
        if (way + 1 == table->n_ways)
            groups_add_count(outcome, to, NULL, table->counts[inner], is_shown(table, inner));
        else
            table_write(table, groups, way + 1, inner, outcome, result_add_list(to, NULL));
    }
}

static void add_test(struct result *result, const char *name, double statistic, double df)
{
    struct result *test = result_add_object(result, name);
    result_add_number(test, "statistic", statistic);
    result_add_integer(test, "df", (int64_t)df);
    result_add_number(test, "p_value", chisq_p(statistic, df));
}

static void add_fisher(const int64_t counts[4], double conf_level, struct outcome *outcome)
{
    struct fisher fisher;
    struct result *test = result_add_object(outcome->result, "fisher");
    fisher_test(&fisher, counts, conf_level);
    result_add_number(test, "p_value", fisher.p_value);
    result_add_number(test, "odds_ratio", fisher.odds_ratio);
    result_add_number(test, "conf_low", fisher.low);
    result_add_number(test, "conf_high", fisher.high);
    if (isinf(fisher.odds_ratio))
        wording_warn(outcome, "Fisher's odds ratio is infinite: a cell is empty");
    else if (isinf(fisher.high))
        wording_warn(outcome, "the upper limit of Fisher's odds ratio is infinite: a cell is empty");
}

/* Tests of a two-way table of at least 2 × 2. */
static void table_test(const struct table *table, const struct groups *groups, double conf_level,
                       struct outcome *outcome)
{
    size_t n_rows = table->n_levels[0], n_columns = table->n_levels[1], width = groups->parts[1]->n_levels;
    int64_t *counts = arena_array(outcome->arena, n_rows * n_columns, sizeof *counts);
    struct chisq chisq;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++)
            counts[i * n_columns + j] = table->counts[table->kept[0][i] * width + table->kept[1][j]];
    chisq_test(&chisq, counts, n_rows, n_columns);
    add_test(outcome->result, "chisq", chisq.corrected, chisq.df);
    add_test(outcome->result, "chisq_uncorrected", chisq.plain, chisq.df);
    if (n_rows == 2 && n_columns == 2)
        add_fisher(counts, conf_level, outcome);
    else
        result_add_null(outcome->result, "fisher");
    double smaller = (double)(n_rows < n_columns ? n_rows : n_columns);
    result_add_number(outcome->result, "cramers_v", sqrt(chisq.plain / ((double)table->n * (smaller - 1))));
    if (chisq.least_expected < 5)
        wording_warn(outcome, "the χ² approximation may be poor: an expected count is below 5");
}

/* The tests of a two-way table, or nulls and why. */
static void add_tests(const struct table *table, const struct groups *groups, bool hidden, double conf_level,
                      struct outcome *outcome)
{
    bool all = table->n_levels[0] > 1 && table->n_levels[1] > 1;
    if (all && !hidden) {
        table_test(table, groups, conf_level, outcome);
        return;
    }
    if (hidden)
        wording_warn(outcome,
                     "no test: cells of the table are withheld, and a test of all cells would tell them");
    else
        wording_warn(outcome, "no test: all patients are in one level of %s",
                     groups->names[table->n_levels[0] > 1]);
    for (size_t i = 0; i < 4; i++)
        result_add_null(outcome->result,
                        (const char *[]){"chisq", "chisq_uncorrected", "fisher", "cramers_v"}[i]);
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    const uint8_t *shown = surviving_mask(iteration->surviving, CELLS_OWN);
    struct groups groups;
    struct table table;
    struct cohort_rows cohort;
    int64_t n = 0;
    bool hidden = false;
    enum maille_code code;
    MAILLE_TRY(crosstab_of(&groups, &cohort, analysis, outcome->arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, iteration->surviving);
    int64_t *counts = arena_array(outcome->arena, groups.n, sizeof *counts);
    for (size_t i = 0; i < groups.n; i++) {
        n += counts[i] = totals_count(totals, BLOCK_CELLS, i);
        hidden = hidden || (shown != NULL && shown[i] == 0);
    }
    if (n == 0 && !hidden) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    outcome->n = n;
    groups_note_dropped(&groups, counts, shown, outcome);
    table_make(&table, &groups, counts, shown, n, outcome->arena);
    struct result *variables = result_add_list(outcome->result, "variables");
    struct result *levels = result_add_list(outcome->result, "levels");
    for (size_t way = 0; way < table.n_ways; way++) {
        struct result *names = result_add_list(levels, NULL);
        result_add_string(variables, NULL, groups.names[way]);
        for (size_t i = 0; i < table.n_levels[way]; i++)
            result_add_string(names, NULL,
                              groups_level_name(&groups, outcome->arena, way, table.kept[way][i]));
    }
    table_write(&table, &groups, 0, 0, outcome, result_add_list(outcome->result, "counts"));
    groups_warn_suppressed(outcome);
    *done = true;
    if (table.n_ways == 2)
        add_tests(&table, &groups, hidden, analysis->conf_level, outcome);
out:
    return code;
}

const struct method method_crosstab = {
    .declared = {.name = "crosstab", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .words = {.name = "Cross table",
              .sentence = "Head counts, Pearson’s χ² test, Fisher’s exact test for 2 × 2 tables.",
              .r = "chisq.test(), fisher.test()",
              .source = "Agresti, Categorical Data Analysis, 3rd ed., 2013"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
