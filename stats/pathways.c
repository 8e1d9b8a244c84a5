/* pathways: which treatment follows which. The variables are a patient's lines in their order, one a line;
 * who has no further line misses the next one.
 *
 * Round 1: n per cell of
 *   flows      line k × line k + 1, of those who have both; and line k of those who have no line after it,
 *   sequences  the whole way of those who have k lines, line 1 × … × line k.
 * What comes after the last variable nobody asks, so it ends no one. A line after one that is missing is no
 * way: such a row counts as missing something.
 * (Hripcsak and others, PNAS 2016;113:7329: the pathways of nine countries.) */
#include "stats/groups.h"
#include "stats/wording.h"

enum { KEY_PATHWAYS_VARIABLES, LINES_MAX = 6, TABLES_MAX = 3 * LINES_MAX };

static const struct query_key keys[] = {
    [KEY_PATHWAYS_VARIABLES] =
        {.name = "variables",
         .kind = KEY_VARIABLES,
         .required = true,
         .n_min = 2,
         .n_max = LINES_MAX,
         .sentence = "The treatment of each line, in the order of the lines: two to six categories. Who "
                     "misses one has no further line."},
};

enum { BLOCK_MISSING, BLOCK_TABLES };

struct pathways {
    struct cohort_rows cohort;
    struct groups by;
    size_t n; /* lines */
    const char *names[LINES_MAX];
    const struct expression *lines[LINES_MAX]; /* CODE each */
};

/* Cells that are counted together: `by`, then lines first … first + n − 1, of rows that have these and, where
 * `ends`, none after. */
struct table {
    size_t first, n;
    bool ends;
    const struct expression *rows;
    struct groups groups;
};

/* --- what is asked --- */

static const struct expression *has_line(const struct pathways *p, size_t k, struct arena *arena)
{
    return expression_unary(arena, OP_NOT, expression_unary(arena, OP_IS_MISSING, p->lines[k]));
}

/* The first line is there, and every other that has one after it. */
static void rows_of(struct pathways *p, const struct analysis *analysis, struct arena *arena)
{
    const struct expression *way = analysis_complete(analysis, arena, p->lines, 1);
    for (size_t k = 1; k + 1 < p->n; k++)
        way = expression_and(arena, way,
                             expression_binary(arena, OP_OR, has_line(p, k, arena),
                                               expression_unary(arena, OP_IS_MISSING, p->lines[k + 1])));
    p->cohort.rows = expression_and(arena, analysis->cohort, way);
    p->cohort.missing = expression_and(arena, analysis->cohort, expression_unary(arena, OP_NOT, way));
}

static enum maille_code pathways_of(struct pathways *p, const struct analysis *analysis, struct arena *arena,
                                    struct maille_error *error)
{
    const struct query_value *variables = &analysis->values[KEY_PATHWAYS_VARIABLES];
    enum maille_code code = MAILLE_OK;
    *p = (struct pathways){.n = variables->n};
    MAILLE_TRY(groups_of_by(&p->by, analysis, error));
    struct groups lines = p->by; /* all of them together are the largest table */
    for (size_t k = 0; k < p->n; k++) {
        MAILLE_TRY(groups_add_any(&lines, arena, variables->names[k], variables->expressions[k], error));
        p->names[k] = variables->names[k];
        p->lines[k] = lines.parts[lines.n_parts - 1];
    }
    rows_of(p, analysis, arena);
out:
    return code;
}

/* Flows of each line to the next, ends of each but the last, sequences of each length. */
static size_t n_tables(const struct pathways *p)
{
    return 3 * p->n - 2;
}

static enum maille_code table_of(struct table *table, const struct pathways *p, size_t index,
                                 struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t steps = p->n - 1;
    if (index < steps)
        *table = (struct table){.first = index, .n = 2};
    else if (index < 2 * steps)
        *table = (struct table){.first = index - steps, .n = 1, .ends = true};
    else
        *table = (struct table){.n = index - 2 * steps + 1, .ends = index - 2 * steps < steps};
    const size_t last = table->first + table->n - 1;
    table->rows = expression_and(arena, p->cohort.rows, has_line(p, last, arena));
    if (table->ends)
        table->rows =
            expression_and(arena, table->rows, expression_unary(arena, OP_IS_MISSING, p->lines[last + 1]));
    table->groups = p->by;
    for (size_t k = table->first; k <= last; k++)
        MAILLE_TRY(groups_add(&table->groups, p->names[k], p->lines[k], error));
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct pathways pathways;
    return pathways_of(&pathways, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct pathways p;
    enum maille_code code;
    MAILLE_TRY(pathways_of(&p, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &p.cohort, error));
    for (size_t i = 0; i < n_tables(&p); i++) {
        struct table table;
        MAILLE_TRY(table_of(&table, &p, i, arena, error));
        MAILLE_TRY(groups_cell(out, CELL_TABLE, table.rows, groups_code(&table.groups, arena, NULL), error));
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
    struct pathways p;
    enum maille_code code;
    MAILLE_TRY(pathways_of(&p, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &p.cohort, error));
    for (size_t i = 0; i < n_tables(&p); i++) {
        struct table table;
        MAILLE_TRY(table_of(&table, &p, i, arena, error));
        MAILLE_TRY(groups_tally(spec, guard_each(arena, CELLS_OWN + i), table.rows,
                                groups_code(&table.groups, arena, NULL), error));
        spec->blocks[BLOCK_TABLES + i].distinct = true;
    }
out:
    return code;
}

/* --- the result --- */

struct counted {
    struct pathways pathways;
    struct table tables[TABLES_MAX];
    int64_t *counts[TABLES_MAX];
    const uint8_t *kept[TABLES_MAX]; /* NULL: all */
};

static bool is_kept(const struct counted *c, size_t table, size_t cell)
{
    return c->kept[table] == NULL || c->kept[table][cell] != 0;
}

static const char *line_name(const struct table *table, struct arena *arena, size_t cell, size_t line)
{
    const size_t part = table->groups.n_parts - table->n + line;
    return groups_level_name(&table->groups, arena, part, groups_level_of(&table->groups, cell, part));
}

/* by, level: of the analysis's `by`. */
static struct result *add_row(struct result *list, const struct counted *c, const struct table *table,
                              size_t cell)
{
    struct result *row = result_add_object(list, NULL);
    groups_add_names(&c->pathways.by, cell / (table->groups.n / c->pathways.by.n), row);
    return row;
}

/* Those who had line k as in `cell` of a table of flows (or ends, whose n is 1): all that came after it, −1
 * where a part is not known. */
static int64_t had_line(const struct counted *c, size_t step, size_t from)
{
    const size_t steps = c->pathways.n - 1, next = c->pathways.lines[step + 1]->n_levels;
    int64_t sum = is_kept(c, steps + step, from) ? c->counts[steps + step][from] : -1;
    for (size_t to = from * next; sum >= 0 && to < (from + 1) * next; to++)
        sum = is_kept(c, step, to) ? sum + c->counts[step][to] : -1;
    return sum;
}

static void add_flow(struct result *list, const struct counted *c, size_t index, size_t cell,
                     struct outcome *outcome)
{
    const size_t steps = c->pathways.n - 1, step = index % steps;
    const struct table *table = &c->tables[index];
    const bool kept = is_kept(c, index, cell);
    if (kept && c->counts[index][cell] == 0)
        return;
    struct result *row = add_row(list, c, table, cell);
    result_add_integer(row, "line", (int64_t)step + 1);
    result_add_string(row, "from", line_name(table, outcome->arena, cell, 0));
    result_add_string(row, "to", table->ends ? NULL : line_name(table, outcome->arena, cell, 1));
    groups_add_count(outcome, row, "n", c->counts[index][cell], kept);
    const size_t from = table->ends ? cell : cell / c->pathways.lines[step + 1]->n_levels;
    const int64_t all = had_line(c, step, from);
    if (kept && all > 0)
        result_add_share(row, "share", (double)c->counts[index][cell], (double)all);
    else
        result_add_null(row, "share");
}

static void add_flows(const struct counted *c, struct outcome *outcome)
{
    const size_t steps = c->pathways.n - 1;
    struct result *list = result_add_list(outcome->result, "flows");
    for (size_t step = 0; step < steps; step++) {
        const size_t next = c->pathways.lines[step + 1]->n_levels;
        for (size_t from = 0; from < c->tables[steps + step].groups.n; from++) {
            for (size_t to = 0; to < next; to++)
                add_flow(list, c, step, from * next + to, outcome);
            add_flow(list, c, steps + step, from, outcome);
        }
    }
}

/* A row for every sequence that could be would be a long list of nulls: those withheld are counted. */
static void add_sequences(const struct counted *c, struct outcome *outcome)
{
    struct result *list = result_add_list(outcome->result, "sequences");
    const int64_t before = outcome->suppressed;
    for (size_t i = 2 * (c->pathways.n - 1); i < n_tables(&c->pathways); i++) {
        const struct table *table = &c->tables[i];
        for (size_t cell = 0; cell < table->groups.n; cell++) {
            if (!is_kept(c, i, cell))
                outcome->suppressed++;
            if (!is_kept(c, i, cell) || c->counts[i][cell] == 0)
                continue;
            struct result *row = add_row(list, c, table, cell);
            struct result *way = result_add_list(row, "lines");
            for (size_t k = 0; k < table->n; k++)
                result_add_string(way, NULL, line_name(table, outcome->arena, cell, k));
            result_add_count(row, "n", c->counts[i][cell]);
        }
    }
    if (outcome->suppressed > before)
        wording_warn(outcome, "sequences of few patients, perhaps of none, are not listed");
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct arena *arena = outcome->arena;
    struct counted *c = arena_alloc(arena, sizeof *c);
    int64_t n = 0;
    bool hidden = false;
    enum maille_code code;
    MAILLE_TRY(pathways_of(&c->pathways, analysis, arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, iteration->surviving);
    const size_t first_sequence = 2 * (c->pathways.n - 1);
    for (size_t i = 0; i < n_tables(&c->pathways); i++) {
        MAILLE_TRY(table_of(&c->tables[i], &c->pathways, i, arena, error));
        c->counts[i] = arena_array(arena, c->tables[i].groups.n, sizeof *c->counts[i]);
        c->kept[i] = surviving_mask(iteration->surviving, CELLS_OWN + i);
        for (size_t cell = 0; cell < c->tables[i].groups.n; cell++) {
            c->counts[i][cell] = totals_count(totals, BLOCK_TABLES + i, cell);
            n += i < first_sequence ? 0 : c->counts[i][cell];
            hidden = hidden || !is_kept(c, i, cell);
        }
    }
    if (n == 0 && !hidden) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    outcome->n = n;
    struct result *names = result_add_list(outcome->result, "variables");
    for (size_t k = 0; k < c->pathways.n; k++)
        result_add_string(names, NULL, c->pathways.names[k]);
    add_flows(c, outcome);
    add_sequences(c, outcome);
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_pathways = {
    .declared = {.name = "pathways", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .words = {.name = "Treatment pathways",
              .sentence = "Patients by the treatments of their lines: from each line to the next, and by "
                          "whole sequence.",
              .r = "table()",
              .source = "Hripcsak and others, PNAS 2016;113:7329"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
