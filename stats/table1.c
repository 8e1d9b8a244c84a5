/* table1: what a paper's first table says of its patients, by group and of all: median (quartiles) or mean
 * (SD) of numbers, n (%) of categories, what is missing; standardised differences and p where asked for.
 *
 * It is made of analyses by other methods, its parts: a description by the groups and one of all (one round);
 * with medians, quartiles of every number by the groups and of all (one or two rounds more). Rows without a
 * group are none of its rows. Head counts of the parts stand one after another; those of a part with
 * quartiles that its description has too (the rows, by group) are the description's. θ and memo: the length
 * that each part has of it, then those of the parts. A part is over once its length is 0.
 *
 * Comparisons are made of what was released (stats/table1_compare.c): nothing more is tallied.
 * docs/methods/table1.md. */
#include <math.h>

#include <string.h>

#include "stats/describe.h"
#include "stats/groups.h"
#include "stats/table1.h"
#include "stats/wording.h"

extern const struct method method_quantile;

enum { KEY_TABLE1_VARIABLES, KEY_TABLE1_STATISTICS, KEY_TABLE1_OVERALL, KEY_TABLE1_SMD, KEY_TABLE1_P };
enum { STATISTICS_MEDIAN, STATISTICS_MEAN, STATISTICS_BOTH };

static const struct query_key keys[] = {
    [KEY_TABLE1_VARIABLES] = {.name = "variables",
                              .kind = KEY_VARIABLES,
                              .required = true,
                              .n_min = 1,
                              .n_max = TALLY_BLOCKS_MAX / 2,
                              .sentence = "The rows of the table."},
    [KEY_TABLE1_STATISTICS] = {.name = "statistics",
                               .kind = KEY_CHOICE,
                               .choices = "median|mean|both",
                               .fallback = STATISTICS_MEDIAN,
                               .sentence = "Of numbers: median and quartiles, mean and SD, or both."},
    [KEY_TABLE1_OVERALL] = {.name = "overall",
                            .kind = KEY_FLAG,
                            .fallback = 1,
                            .sentence = "A column of all patients beside the groups."},
    [KEY_TABLE1_SMD] = {.name = "smd",
                        .kind = KEY_FLAG,
                        .sentence = "Standardised differences between two groups."},
    [KEY_TABLE1_P] = {.name = "p",
                      .kind = KEY_FLAG,
                      .sentence = "A test of each variable between the groups."},
};

/* The first of every part: the rows, those without a group, and the rows by group. */
enum { CELLS_SHARED = CELLS_OWN + 1, QUARTILES = 3, SIDES_MAX = 2 };
static const double quartiles[QUARTILES] = {0.25, 0.5, 0.75};
static const char *const quartile_names[QUARTILES] = {"q1", "median", "q3"};

/* An analysis by another method. */
struct part {
    struct analysis analysis;
    const struct method *method;
    size_t side;     /* of the table */
    size_t variable; /* whose quartiles; SIZE_MAX: a description */
    size_t n_cells, first_cells;
    bool open;
    struct vector theta; /* a part of the table's */
};

struct table1 {
    const struct analysis *analysis;
    const struct query_value *variables;
    struct groups by;
    size_t n_sides; /* by the groups, of all */
    struct part *parts;
    size_t n_parts;
    struct cells *cells;
};

static bool is_number(const struct table1 *t, size_t variable)
{
    return t->variables->expressions[variable]->kind == EXPRESSION_NUMBER;
}

/* --- the parts --- */

static struct part *add_part(struct table1 *t, const struct method *method, size_t side, size_t variable,
                             struct arena *arena)
{
    struct part *part = &t->parts[t->n_parts++];
    struct query_value *values = arena_array(arena, method->declared.n_keys, sizeof *values);
    *part = (struct part){
        .analysis = *t->analysis, .method = method, .side = side, .variable = variable, .open = true};
    part->analysis.method = method->declared.name;
    part->analysis.declared = &method->declared;
    part->analysis.values = values;
    if (side + 1 == t->n_sides && (t->n_sides == SIDES_MAX || t->by.n_parts == 0)) {
        for (size_t i = 0; i < t->by.n_parts; i++) /* of all who have a group */
            part->analysis.cohort = expression_and(
                arena, part->analysis.cohort,
                expression_unary(arena, OP_NOT, expression_unary(arena, OP_IS_MISSING, t->by.parts[i])));
        part->analysis.n_by = 0;
    }
    return part;
}

static void add_quartiles(struct table1 *t, size_t side, size_t variable, struct arena *arena)
{
    enum { VARIABLE, PROBS }; /* keys of quantile */
    const struct query_value *all = t->variables;
    struct part *part = add_part(t, &method_quantile, side, variable, arena);
    part->analysis.values[VARIABLE] = *all;
    part->analysis.values[VARIABLE].n = 1;
    part->analysis.values[VARIABLE].expressions = all->expressions + variable;
    part->analysis.values[VARIABLE].names = all->names + variable;
    part->analysis.values[PROBS] =
        (struct query_value){.present = true, .n = QUARTILES, .numbers = quartiles};
}

/* Block `block` of a part's head counts among those of the table. The descriptions are the first parts. */
static size_t cells_at(const struct table1 *t, const struct part *part, size_t block)
{
    if (part->variable == SIZE_MAX)
        return part->first_cells + block;
    return block < CELLS_SHARED ? t->parts[part->side].first_cells + block
                                : part->first_cells + block - CELLS_SHARED;
}

/* Puts a part's head counts behind those that are there already, but for those that its description has. */
static enum maille_code add_cells(struct table1 *t, struct part *part, struct arena *arena,
                                  struct maille_error *error)
{
    struct cells *own = arena_alloc(arena, sizeof *own), *all = t->cells;
    enum maille_code code = part->method->cells(&part->analysis, arena, own, error);
    if (code != MAILLE_OK)
        return code;
    part->n_cells = own->spec.n_blocks;
    part->first_cells = all->spec.n_blocks;
    for (size_t b = part->variable == SIZE_MAX ? 0 : CELLS_SHARED; b < own->spec.n_blocks; b++) {
        size_t at = all->spec.n_blocks;
        MAILLE_TRY(groups_tally(&all->spec, NULL, NULL, NULL, error));
        all->spec.blocks[at] = own->spec.blocks[b];
        all->rules[at] = own->rules[b];
        all->n_bins[at] = own->n_bins[b];
        all->tail[at] = own->tail[b];
    }
    for (size_t m = 0; m < own->n_moments; m++) {
        struct cells_moment moment = own->moments[m];
        groups_moment(all, arena, cells_at(t, part, moment.block), moment.x, moment.weight, moment.powers);
    }
    for (size_t s = 0; s < own->n_shares; s++)
        groups_share_as(all, arena, cells_at(t, part, own->shares[s].block), &own->shares[s]);
    all->n_shown += own->n_shown;
out:
    return code;
}

static enum maille_code table1_of(struct table1 *t, const struct analysis *analysis, struct arena *arena,
                                  struct maille_error *error)
{
    enum maille_code code;
    *t = (struct table1){.analysis = analysis, .variables = &analysis->values[KEY_TABLE1_VARIABLES]};
    MAILLE_TRY(groups_of_by(&t->by, analysis, error));
    t->n_sides = analysis->n_by > 0 && analysis->values[KEY_TABLE1_OVERALL].choice ? SIDES_MAX : 1;
    t->parts = arena_array(arena, SIDES_MAX * (1 + t->variables->n), sizeof *t->parts);
    t->cells = arena_alloc(arena, sizeof *t->cells);
    for (size_t side = 0; side < t->n_sides; side++) {
        enum { VARIABLES }; /* key of describe */
        add_part(t, &method_describe, side, SIZE_MAX, arena)->analysis.values[VARIABLES] = *t->variables;
    }
    for (size_t i = 0; i < t->variables->n; i++)
        for (size_t side = 0; side < t->n_sides; side++)
            if (is_number(t, i) && analysis->values[KEY_TABLE1_STATISTICS].choice != STATISTICS_MEAN)
                add_quartiles(t, side, i, arena);
    for (size_t p = 0; p < t->n_parts; p++)
        MAILLE_TRY(add_cells(t, &t->parts[p], arena, error));
out:
    return code;
}

/* What is left of the head counts of one part. */
static const struct surviving *surviving_of(const struct table1 *t, const struct part *part,
                                            const struct surviving *surviving, struct arena *arena)
{
    if (surviving == NULL)
        return NULL;
    struct surviving *own = arena_alloc(arena, sizeof *own);
    const uint8_t **kept = arena_array(arena, part->n_cells, sizeof *kept);
    for (size_t b = 0; b < part->n_cells; b++)
        kept[b] = surviving->kept[cells_at(t, part, b)];
    *own = *surviving;
    own->n_blocks = part->n_cells;
    own->kept = kept;
    return own;
}

static const struct guard *guard_of(const struct table1 *t, const struct part *part,
                                    const struct guard *guard, struct arena *arena)
{
    if (guard == NULL)
        return NULL;
    size_t to = guard_is_counted(guard) ? cells_at(t, part, guard->block) - guard->block : 0;
    struct guard one = *guard;
    one.also = NULL;
    const struct guard *moved = guard_behind(arena, &one, to);
    return guard->also == NULL ? moved : guard_both(arena, moved, guard_of(t, part, guard->also, arena));
}

/* --- θ and memo --- */

/* Of one vector: the view of every part. False: it is none of this table's. */
static bool vectors_view(struct vector *views, size_t n, const struct vector *joined)
{
    size_t at = n;
    if (joined->n < n)
        return false;
    for (size_t p = 0; p < n; p++) {
        double length = joined->v[p];
        if (!(length >= 0 && length <= (double)(joined->n - at) && floor(length) >= length))
            return false;
        views[p] = (struct vector){.v = joined->v + at, .n = (size_t)length};
        at += (size_t)length;
    }
    return at == joined->n;
}

static void vectors_join(struct vector *joined, const struct vector *parts, size_t n)
{
    struct vector made = {0};
    for (size_t p = 0; p < n; p++)
        vector_push(&made, (double)parts[p].n);
    for (size_t p = 0; p < n; p++)
        for (size_t i = 0; i < parts[p].n; i++)
            vector_push(&made, parts[p].v[i]);
    vector_clear(joined);
    *joined = made;
}

/* Which parts are open, and with which θ: all, with none, in the first round. */
static enum maille_code read_theta(struct table1 *t, const struct vector *theta, struct arena *arena,
                                   struct maille_error *error)
{
    bool any = false;
    if (theta == NULL || theta->n == 0)
        return MAILLE_OK;
    struct vector *views = arena_array(arena, t->n_parts, sizeof *views);
    if (!vectors_view(views, t->n_parts, theta))
        return maille_fail(error, MAILLE_INVALID,
                           "expected the brackets of %zu parts of a table 1, found something else",
                           t->n_parts);
    for (size_t p = 0; p < t->n_parts; p++) {
        t->parts[p].theta = views[p];
        t->parts[p].open = views[p].n > 0;
        any = any || t->parts[p].open;
        if (t->parts[p].open && t->parts[p].variable == SIZE_MAX)
            return maille_fail(error, MAILLE_INVALID,
                               "expected brackets of quartiles alone, found some of a description");
    }
    return any ? MAILLE_OK : maille_fail(error, MAILLE_INVALID, "expected brackets of quartiles, found none");
}

/* --- rounds --- */

/* What guards quartiles beside the guards of a quantile: that the description shows whose values they are of.
 * Those of all would tell, by subtraction, a hidden group's, and bins that are joined in one group alone. */
static const struct guard *guard_of_quartiles(const struct table1 *t, const struct part *part,
                                              const struct guard *guard, struct arena *arena)
{
    size_t values = describe_values(part->variable);
    guard = guard_both(arena, guard_each(arena, cells_at(t, &t->parts[part->side], values)), guard);
    if (part->side == 0)
        return guard;
    const struct part *groups = part - 1; /* the same variable by the groups */
    guard = guard_both(arena, guard_whole(arena, cells_at(t, groups, CELLS_SHARED)), guard);
    guard = guard_both(arena, guard_whole(arena, cells_at(t, &t->parts[0], values)), guard);
    return guard_both(arena, guard_whole(arena, cells_at(t, &t->parts[0], CELLS_OWN)), guard);
}

static enum maille_code plan_part(const struct table1 *t, const struct part *part,
                                  const struct surviving *surviving, struct arena *arena,
                                  struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(part->method->plan(&part->analysis, &part->theta, surviving_of(t, part, surviving, arena),
                                  arena, spec, error));
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct guard *own = spec->blocks[b].guard, *guard = guard_of(t, part, own, arena);
        bool of_values = part->variable != SIZE_MAX && own != &guard_missing;
        spec->blocks[b].guard = of_values ? guard_of_quartiles(t, part, guard, arena) : guard;
    }
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    struct table1 t;
    enum maille_code code;
    MAILLE_TRY(table1_of(&t, analysis, arena, error));
    MAILLE_TRY(read_theta(&t, theta, arena, error));
    for (size_t p = 0; p < t.n_parts; p++) {
        struct tally_spec *own = arena_alloc(arena, sizeof *own);
        if (!t.parts[p].open)
            continue;
        MAILLE_TRY(plan_part(&t, &t.parts[p], surviving, arena, own, error));
        for (size_t b = 0; b < own->n_blocks; b++) {
            MAILLE_TRY(groups_tally(spec, NULL, NULL, NULL, error));
            spec->blocks[spec->n_blocks - 1] = own->blocks[b];
        }
    }
out:
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct table1 t;
    enum maille_code code = table1_of(&t, analysis, arena, error);
    if (code == MAILLE_OK)
        *out = *t.cells;
    return code;
}

/* Blocks of the rounds with brackets: one a quartile and end. */
static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct table1 t;
    enum maille_code code;
    size_t n_quartiles = 0;
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    MAILLE_TRY(table1_of(&t, analysis, arena, error));
    if (t.by.n_parts == 0 &&
        (analysis->values[KEY_TABLE1_SMD].choice || analysis->values[KEY_TABLE1_P].choice)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected groups to compare (`by`) with `smd` or `p`, found none");
        goto out;
    }
    for (size_t p = 0; p < t.n_parts; p++) {
        n_quartiles += t.parts[p].variable != SIZE_MAX;
        MAILLE_TRY(t.parts[p].method->check(&t.parts[p].analysis, error));
    }
    if (n_quartiles > TALLY_BLOCKS_MAX / (2 * QUARTILES)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected quartiles of at most %zu numbers in one table, found %zu: use "
                           "`statistics: mean`, `overall: false` or a second table",
                           TALLY_BLOCKS_MAX / (2 * QUARTILES) / t.n_sides, n_quartiles / t.n_sides);
        goto out;
    }
    code = plan(analysis, NULL, NULL, arena, spec, error);
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* --- rows --- */

static double item_of(const struct result *list, size_t i)
{
    return list->items[i]->kind == RESULT_NUMBER ? list->items[i]->number : NAN;
}

/* A description: its rows, and what it was made of. */
struct described {
    const struct part *part;
    const struct result *rows;
    struct totals totals;
    const struct surviving *surviving;
};

static size_t columns_of(const struct table1 *t, const struct described *described)
{
    return described->part->analysis.n_by > 0 ? t->by.n : 1;
}

/* `by` and `level` of a column. */
static struct result *column_names(const struct table1 *t, const struct described *described, size_t cell,
                                   struct result *to)
{
    struct groups all;
    groups_init(&all);
    groups_add_names(described->part->analysis.n_by > 0 ? &t->by : &all, cell, to);
    return to;
}

/* A count, or null; one that is withheld was counted as such by the description, or is none of its. */
static void add_count(struct result *to, const char *name, double count)
{
    if (isnan(count))
        result_add_null(to, name);
    else
        result_add_count(to, name, totals_heads((f128)count));
}

/* How many of a column have no value; NaN: withheld. */
static double missing_of(const struct described *described, size_t variable, size_t cell,
                         const char *const names[3])
{
    double left = (double)describe_rows(&described->totals, cell);
    if (!describe_missing_kept(described->surviving, variable, cell))
        return NAN;
    for (size_t i = 0; i < described->rows->n; i++)
        if (table1_row_is(described->rows->items[i], names[0], names[1], names[2]))
            left -= result_number(described->rows->items[i], "n");
    return left;
}

/* The rows of one variable in one column. */
static void add_rows(const struct table1 *t, const struct described *described, size_t variable, size_t cell,
                     struct outcome *outcome, struct result *to)
{
    const struct result *column = column_names(t, described, cell, result_object(outcome->arena));
    const char *const names[] = {t->variables->names[variable], result_text(column, "by"),
                                 result_text(column, "level")};
    double missing = missing_of(described, variable, cell, names);
    for (size_t i = 0; i < described->rows->n; i++) {
        const struct result *row = described->rows->items[i];
        const char *value = result_text(row, "value");
        if (!table1_row_is(row, names[0], names[1], names[2]))
            continue;
        struct result *made = result_add_object(to, NULL);
        result_add_string(made, "variable", names[0]);
        result_add_string(made, "value", value);
        result_add_string(made, "by", names[1]);
        result_add_string(made, "level", names[2]);
        add_count(made, "n", result_number(row, "n"));
        add_count(made, "missing", missing);
        if (value != NULL) {
            result_add_same(made, "share", row);
        } else {
            result_add_number(made, "mean", result_number(row, "mean"));
            result_add_number(made, "sd", result_number(row, "sd"));
        }
    }
}

/* The columns and, variable by variable, the rows. described: [n_sides]. */
static void add_table(const struct table1 *t, const struct described *described, struct outcome *outcome)
{
    struct result *groups = result_add_list(outcome->result, "groups"),
                  *rows = result_add_list(outcome->result, "variables");
    for (size_t side = 0; side < t->n_sides; side++)
        for (size_t cell = 0; cell < columns_of(t, &described[side]); cell++) {
            bool kept = describe_rows_kept(described[side].surviving, cell);
            int64_t n = describe_rows(&described[side].totals, cell);
            if (n == 0 && kept)
                continue;
            struct result *row = column_names(t, &described[side], cell, result_add_object(groups, NULL));
            groups_add_count(outcome, row, "n", n, kept);
        }
    for (size_t i = 0; i < t->variables->n; i++)
        for (size_t side = 0; side < t->n_sides; side++)
            for (size_t cell = 0; cell < columns_of(t, &described[side]); cell++)
                add_rows(t, &described[side], i, cell, outcome, rows);
}

/* Into the rows of a number: its quartiles. found: of the part; NULL: nobody has a value. */
static void add_quartiles_to(const struct table1 *t, const struct part *part, const struct result *found,
                             struct outcome *outcome)
{
    const struct result *rows = result_get(outcome->result, "variables"),
                        *groups = found == NULL ? NULL : result_get(found, "groups");
    for (size_t i = 0; i < rows->n; i++) {
        struct result *row = rows->items[i];
        const struct result *values = NULL;
        double resolution = NAN;
        bool of_all = result_text(row, "by") == NULL;
        if (!result_same(result_text(row, "variable"), t->variables->names[part->variable]) ||
            of_all != (part->analysis.n_by == 0))
            continue;
        for (size_t g = 0; groups != NULL && g < groups->n; g++)
            if (result_same(result_text(groups->items[g], "level"), result_text(row, "level"))) {
                values = result_get(groups->items[g], "values");
                resolution = result_number(groups->items[g], "resolution");
            }
        for (size_t q = 0; q < QUARTILES; q++)
            result_add_number(row, quartile_names[q], values == NULL ? NAN : item_of(values, q));
        result_add_number(row, "resolution", resolution);
        if (isnan(resolution) && !(result_number(row, "n") <= 0))
            outcome->suppressed += QUARTILES;
    }
}

/* --- step --- */

/* Blocks of a round that are one part's. */
static enum maille_code blocks_of(size_t *n, const struct table1 *t, const struct part *part,
                                  const struct surviving *surviving, struct arena *arena,
                                  struct maille_error *error)
{
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    enum maille_code code = plan_part(t, part, surviving, arena, spec, error);
    if (code == MAILLE_OK)
        *n = spec->n_blocks;
    return code;
}

/* One step of a part with its own outcome; what it says of levels and of suppressed numbers is the table's.
 * *done where nobody has a value of a number, too. */
static enum maille_code step_part(struct outcome *own, struct vector *theta, struct vector *memo, bool *done,
                                  const struct part *part, const struct totals *totals,
                                  const struct iteration *iteration, const struct surviving *surviving,
                                  struct outcome *outcome, struct maille_error *error)
{
    struct arena *arena = outcome->arena;
    struct maille_error inner = {0};
    struct iteration mine = *iteration;
    *own = (struct outcome){.arena = arena,
                            .n = -1,
                            .n_missing = -1,
                            .n_event = -1,
                            .warnings = outcome->warnings,
                            .dropped_levels = result_list(arena),
                            .aliased = outcome->aliased,
                            .result = result_object(arena)};
    mine.surviving = surviving;
    mine.theta = *theta;
    mine.memo = *memo;
    enum maille_code code = part->method->step(&part->analysis, totals, &mine, own, done, &inner);
    *theta = mine.theta;
    *memo = mine.memo;
    if (code == MAILLE_FAILED && part->variable != SIZE_MAX) {
        own->result = NULL;
        *done = true;
        return MAILLE_OK;
    }
    if (code != MAILLE_OK && error != NULL)
        *error = inner;
    return code;
}

/* θ and memo of every part; those of the table that a step replaces. */
static enum maille_code parts_copy(struct vector *copies, size_t n, const struct vector *joined,
                                   struct arena *arena, struct maille_error *error)
{
    struct vector *views = arena_array(arena, n, sizeof *views);
    if (joined->n == 0)
        return MAILLE_OK;
    if (!vectors_view(views, n, joined))
        return maille_fail(error, MAILLE_INTERNAL, "expected the state of %zu parts, found another", n);
    for (size_t p = 0; p < n; p++) {
        double *v = vector_grow(&copies[p], views[p].n);
        for (size_t i = 0; i < views[p].n; i++)
            v[i] = views[p].v[i];
    }
    return MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct arena *arena = outcome->arena;
    struct described described[SIDES_MAX];
    struct vector *thetas = NULL, *memos = NULL;
    struct table1 t;
    size_t block = 0, n_open = 0;
    enum maille_code code;
    MAILLE_TRY(table1_of(&t, analysis, arena, error));
    MAILLE_TRY(read_theta(&t, &iteration->theta, arena, error));
    thetas = arena_array(arena, t.n_parts, sizeof *thetas);
    memos = arena_array(arena, t.n_parts, sizeof *memos);
    MAILLE_TRY(parts_copy(thetas, t.n_parts, &iteration->theta, arena, error));
    MAILLE_TRY(parts_copy(memos, t.n_parts, &iteration->memo, arena, error));
    for (size_t p = 0; p < t.n_parts; p++) {
        const struct part *part = &t.parts[p];
        const struct surviving *surviving = surviving_of(&t, part, iteration->surviving, arena);
        struct totals own_totals = {
            .spec = totals->spec, .extents = totals->extents + block, .words = totals->words};
        struct outcome own;
        bool over = false;
        size_t n_blocks;
        if (!part->open)
            continue;
        MAILLE_TRY(blocks_of(&n_blocks, &t, part, iteration->surviving, arena, error));
        MAILLE_TRY(step_part(&own, &thetas[p], &memos[p], &over, part, &own_totals, iteration, surviving,
                             outcome, error));
        block += n_blocks;
        if (!over) {
            n_open++;
            continue;
        }
        vector_truncate(&thetas[p], 0);
        vector_truncate(&memos[p], 0);
        if (part->variable != SIZE_MAX) {
            add_quartiles_to(&t, part, own.result, outcome);
            continue;
        }
        described[part->side] = (struct described){.part = part,
                                                   .rows = result_get(own.result, "variables"),
                                                   .totals = own_totals,
                                                   .surviving = surviving};
        outcome->suppressed += own.suppressed;
        if (part->side == 0) {
            outcome->n = own.n;
            outcome->n_missing = own.n_missing;
            outcome->dropped_levels = own.dropped_levels;
        }
        if (part->side + 1 == t.n_sides) {
            add_table(&t, described, outcome);
            table1_compare(outcome, t.variables, analysis->values[KEY_TABLE1_SMD].choice != 0,
                           analysis->values[KEY_TABLE1_P].choice != 0);
        }
    }
    groups_warn_suppressed(outcome);
    vectors_join(&iteration->theta, thetas, t.n_parts);
    vectors_join(&iteration->memo, memos, t.n_parts);
    *done = n_open == 0;
out:
    for (size_t p = 0; thetas != NULL && memos != NULL && p < t.n_parts; p++) {
        vector_clear(&thetas[p]);
        vector_clear(&memos[p]);
    }
    return code;
}

const struct method method_table1 = {
    .declared = {.name = "table1", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .takes_by = true},
    .version = 1,
    .words = {.name = "Table 1",
              .sentence =
                  "Numbers by their quartiles, or means and standard deviations, categories by counts "
                  "and shares without the missing values; Welch’s test of numbers, Pearson’s χ² or "
                  "Fisher’s exact test of categories, where asked for.",
              .r = "quantile(type = 7), mean(), sd(), table(), t.test(), oneway.test(), chisq.test(correct = "
                   "FALSE), fisher.test()",
              .source = "Austin, Stat Med 2009;28:3083 (standardised differences)"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
