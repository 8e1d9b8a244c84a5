#include "report/table.h"

#include <string.h>

struct tables {
    const struct report_analysis *analysis;
    struct arena *arena;
    struct report_table *first, *last;
};

static bool is_scalar(const struct result *r)
{
    return r->kind != RESULT_LIST && r->kind != RESULT_OBJECT;
}

/* A list of scalars (maybe empty). */
static bool is_column(const struct result *r)
{
    return r->kind == RESULT_LIST && (r->n == 0 || is_scalar(r->items[0]));
}

static bool is_list_of(const struct result *r, enum result_kind kind)
{
    return r->kind == RESULT_LIST && r->n > 0 && r->items[0]->kind == kind;
}

static struct report_table *table_named(struct tables *tables, const char *part)
{
    for (struct report_table *t = tables->first; t != NULL; t = t->next)
        if (strcmp(t->part, part) == 0)
            return t;
    struct report_table *t = arena_alloc(tables->arena, sizeof *t);
    t->part = part;
    t->arena = tables->arena;
    if (tables->last == NULL)
        tables->first = t;
    else
        tables->last->next = t;
    tables->last = t;
    return t;
}

static void *grown(struct arena *arena, const void *old, size_t n, size_t *capacity, size_t size)
{
    *capacity = *capacity == 0 ? 8 : 2 * *capacity;
    void *new = arena_array(arena, *capacity, size);
    if (n > 0)
        memcpy(new, old, n * size);
    return new;
}

static size_t table_column(struct report_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (strcmp(t->columns[i], name) == 0)
            return i;
    if (t->n_columns == t->columns_capacity)
        t->columns = grown(t->arena, t->columns, t->n_columns, &t->columns_capacity, sizeof *t->columns);
    t->columns[t->n_columns] = name;
    return t->n_columns++;
}

static size_t table_row(struct report_table *t)
{
    if (t->n_rows == t->rows_capacity)
        t->rows = grown(t->arena, t->rows, t->n_rows, &t->rows_capacity, sizeof *t->rows);
    return t->n_rows++;
}

static void table_set(struct report_table *t, size_t row, const char *column, const struct result *value)
{
    size_t at = table_column(t, column);
    struct report_row *r = &t->rows[row];
    while (at >= r->capacity) {
        size_t n = r->capacity;
        r->cells = grown(t->arena, r->cells, n, &r->capacity, sizeof *r->cells);
    }
    r->cells[at] = value;
}

const struct result *report_cell(const struct report_table *table, size_t row, size_t column)
{
    const struct report_row *r = &table->rows[row];
    return column < r->capacity ? r->cells[column] : NULL;
}

/* Columns that count: null there is nothing but withheld. */
static bool counts_heads(const char *column)
{
    static const char *const names[] = {"n", "missing", "counts", "unweighted"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(column, names[i]) == 0)
            return true;
    return false;
}

bool report_withheld(const struct report_table *table, size_t row, size_t column)
{
    const struct result *own = report_cell(table, row, column);
    bool names = strcmp(table->columns[column], "by") == 0 || strcmp(table->columns[column], "level") == 0;
    if (own == NULL || own->kind != RESULT_NULL || names ||
        strcmp(table->columns[0], "term") == 0) /* a numeric term has no n */
        return false;
    for (size_t j = 0; j < table->n_columns; j++) {
        const struct result *cell = report_cell(table, row, j);
        bool whole_row = strcmp(table->columns[j], "n") == 0 || strcmp(table->columns[j], "unweighted") == 0;
        if (cell != NULL && cell->kind == RESULT_NULL &&
            (j == column ? counts_heads(table->columns[j]) : whole_row))
            return true;
    }
    return false;
}

static const struct result *text_cell(struct arena *arena, const char *text)
{
    struct result *cell = arena_alloc(arena, sizeof *cell);
    cell->kind = RESULT_STRING;
    cell->string = text;
    return cell;
}

/* Scalars of an object into a row; nested objects as prefix_name. Lists are left to others. */
static void put_scalars(struct report_table *t, size_t row, const char *prefix, const struct result *object)
{
    for (size_t i = 0; i < object->n; i++) {
        const char *name =
            prefix == NULL ? object->names[i] : arena_printf(t->arena, "%s_%s", prefix, object->names[i]);
        if (is_scalar(object->items[i]))
            table_set(t, row, name, object->items[i]);
        else if (object->items[i]->kind == RESULT_OBJECT)
            put_scalars(t, row, name, object->items[i]);
    }
}

/* "curves" → "curve"; what has no plural s keeps its name with "_rows". */
static const char *singular(struct arena *arena, const char *name)
{
    size_t n = strlen(name);
    return n > 1 && name[n - 1] == 's' ? arena_strndup(arena, name, n - 1)
                                       : arena_printf(arena, "%s_rows", name);
}

static size_t longest_column(const struct result *object)
{
    size_t n = 0;
    for (size_t i = 0; i < object->n; i++)
        if (is_column(object->items[i]) && object->items[i]->n > n)
            n = object->items[i]->n;
    return n;
}

static bool over_time(const struct result *object)
{
    const struct result *time = result_get(object, "time");
    return time != NULL && is_column(time);
}

/* Names (strings) of an object, so that a row of its long table says whose it is. */
static void put_names(struct report_table *t, size_t row, const struct result *object)
{
    for (size_t i = 0; i < object->n; i++) {
        enum result_kind kind = object->items[i]->kind;
        bool names = strcmp(object->names[i], "by") == 0 || strcmp(object->names[i], "level") == 0;
        if (kind == RESULT_STRING || (names && is_scalar(object->items[i])))
            table_set(t, row, object->names[i], object->items[i]);
    }
}

/* Breaks are one more than what they bound: rows get the two edges. */
static bool bounds_others(const struct result *object, const struct result *column, size_t longest)
{
    if (column->n != longest)
        return false;
    for (size_t i = 0; i < object->n; i++)
        if (is_column(object->items[i]) && object->items[i]->n + 1 == longest)
            return true;
    return false;
}

/* The lists of an object side by side: a row per item. */
static void put_long(struct report_table *t, const struct result *object)
{
    size_t longest = longest_column(object), n_rows = longest;
    for (size_t i = 0; i < object->n; i++)
        if (is_column(object->items[i]) && bounds_others(object, object->items[i], longest))
            n_rows = longest - 1;
    for (size_t k = 0; k < n_rows; k++) {
        size_t row = table_row(t);
        if (over_time(object))
            put_names(t, row, object);
        else
            put_scalars(t, row, NULL, object);
        for (size_t i = 0; i < object->n; i++) {
            const struct result *column = object->items[i];
            if (!is_column(column))
                continue;
            if (n_rows < longest && column->n == longest) {
                table_set(t, row, arena_printf(t->arena, "%s_low", object->names[i]), column->items[k]);
                table_set(t, row, arena_printf(t->arena, "%s_high", object->names[i]), column->items[k + 1]);
            } else if (k < column->n) {
                table_set(t, row, object->names[i], column->items[k]);
            }
        }
    }
    t->detail = t->detail || t->n_rows > 30 || strcmp(t->part, "grid_edge") == 0;
}

/* Does an object over time say anything beside its names? */
static bool says_once(const struct result *object)
{
    for (size_t i = 0; i < object->n; i++)
        if (object->items[i]->kind != RESULT_STRING && object->items[i]->kind != RESULT_LIST)
            return true;
    return false;
}

static void put_objects(struct tables *tables, const char *name, const struct result *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct result *object = list->items[i];
        bool time = over_time(object);
        if (object->kind != RESULT_OBJECT)
            continue;
        if (longest_column(object) > 0 && !time) {
            put_long(table_named(tables, name), object);
        } else if (!time || says_once(object)) {
            struct report_table *t = table_named(tables, name);
            put_scalars(t, table_row(t), NULL, object);
        }
    }
    for (size_t i = 0; i < list->n; i++)
        if (over_time(list->items[i]))
            put_long(table_named(tables, singular(tables->arena, name)), list->items[i]);
}

/* Cells of a contingency table. at: level of each variable so far. */
static void put_cells(struct report_table *t, const struct result *variables, const struct result *levels,
                      const struct result *counts, const struct result **at, size_t way)
{
    const struct result *names = way < levels->n ? levels->items[way] : NULL;
    for (size_t i = 0; i < counts->n && names != NULL && i < names->n; i++) {
        at[way] = names->items[i];
        if (counts->items[i]->kind == RESULT_LIST) {
            put_cells(t, variables, levels, counts->items[i], at, way + 1);
            continue;
        }
        size_t row = table_row(t);
        for (size_t v = 0; v <= way && v < variables->n; v++)
            if (variables->items[v]->kind == RESULT_STRING)
                table_set(t, row, variables->items[v]->string, at[v]);
        table_set(t, row, "n", counts->items[i]);
    }
}

/* Names of a matrix's rows: of the terms, else the variables. NULL where there is none. */
static const char *row_name(const struct result *result, size_t i)
{
    const struct result *terms = result_get(result, "terms"), *variables = result_get(result, "variables");
    const struct result *name = NULL;
    if (terms != NULL && terms->kind == RESULT_LIST && i < terms->n)
        name = result_get(terms->items[i], "term");
    else if (variables != NULL && variables->kind == RESULT_LIST && i < variables->n)
        name = variables->items[i];
    return name != NULL && name->kind == RESULT_STRING ? name->string : NULL;
}

static void put_matrix(struct tables *tables, const char *part, const struct result *matrix)
{
    struct report_table *t = table_named(tables, part);
    bool of_terms = result_get(tables->analysis->result, "terms") != NULL;
    t->detail = of_terms; /* a covariance matrix; correlations are the answer itself */
    for (size_t i = 0; i < matrix->n; i++) {
        const char *name = row_name(tables->analysis->result, i);
        size_t row = table_row(t);
        if (name != NULL)
            table_set(t, row, of_terms ? "term" : "variable", text_cell(t->arena, name));
        for (size_t j = 0; j < matrix->items[i]->n; j++) {
            const char *column = row_name(tables->analysis->result, j);
            table_set(t, row, column != NULL ? column : arena_printf(t->arena, "%zu", j + 1),
                      matrix->items[i]->items[j]);
        }
    }
}

static bool is_test(const struct result *r)
{
    return r->kind == RESULT_OBJECT && result_get(r, "p_value") != NULL &&
           is_scalar(result_get(r, "p_value"));
}

static void put_test(struct tables *tables, const char *name, const struct result *test)
{
    struct report_table *t = table_named(tables, "tests");
    size_t row = table_row(t);
    table_set(t, row, "test", text_cell(tables->arena, name));
    put_scalars(t, row, NULL, test);
}

static void put_object(struct tables *tables, const char *name, const struct result *object)
{
    bool tests = object->n > 0;
    for (size_t i = 0; i < object->n; i++)
        tests = tests && is_test(object->items[i]);
    if (is_test(object)) {
        put_test(tables, name, object);
    } else if (tests) {
        for (size_t i = 0; i < object->n; i++)
            put_test(tables, object->names[i], object->items[i]);
    } else if (longest_column(object) > 0) {
        put_long(table_named(tables, name), object);
    } else {
        struct report_table *t = table_named(tables, "summary");
        if (t->n_rows == 0)
            table_row(t);
        put_scalars(t, 0, name, object);
    }
}

/* Scalars of the top level: a test of their own when there is a p value among them, else the summary. Lists
 * of scalars that name no rows (loglik) go with them, numbered. */
static void put_top(struct tables *tables, const struct result *result)
{
    const struct result *p = result_get(result, "p_value");
    bool test = p != NULL && is_scalar(p);
    struct report_table *t = NULL;
    size_t row = 0;
    for (size_t i = 0; i < result->n; i++) {
        const struct result *item = result->items[i];
        bool names = strcmp(result->names[i], "variables") == 0;
        if (item->kind == RESULT_NULL || (!is_scalar(item) && (names || !is_column(item))))
            continue;
        if (t == NULL) {
            t = table_named(tables, test ? "tests" : "summary");
            row = table_row(t);
            if (test)
                table_set(t, row, "test", text_cell(tables->arena, tables->analysis->method));
        }
        if (is_scalar(item))
            table_set(t, row, result->names[i], item);
        else
            for (size_t k = 0; k < item->n; k++)
                table_set(t, row, arena_printf(tables->arena, "%s_%zu", result->names[i], k + 1),
                          item->items[k]);
    }
}

const struct report_table *report_tables(const struct report_analysis *analysis, struct arena *arena)
{
    struct tables tables = {.analysis = analysis, .arena = arena};
    const struct result *result = analysis->result;
    if (result == NULL)
        return NULL;
    const struct result *variables = result_get(result, "variables"), *levels = result_get(result, "levels");
    const struct result *counts = result_get(result, "counts");
    bool crosstab = variables != NULL && levels != NULL && counts != NULL;
    if (crosstab) {
        const struct result **at = arena_array(arena, levels->n + 1, sizeof(const struct result *));
        put_cells(table_named(&tables, "counts"), variables, levels, counts, at, 0);
    }
    for (size_t i = 0; i < result->n; i++) {
        const struct result *item = result->items[i];
        if (crosstab && (item == levels || item == counts))
            continue;
        if (is_list_of(item, RESULT_OBJECT))
            put_objects(&tables, result->names[i], item);
        else if (is_list_of(item, RESULT_LIST))
            put_matrix(&tables, result->names[i], item);
    }
    put_top(&tables, result);
    for (size_t i = 0; i < result->n; i++)
        if (result->items[i]->kind == RESULT_OBJECT)
            put_object(&tables, result->names[i], result->items[i]);
    return tables.first;
}

/* Which columns a row fills. */
static bool same_shape(const struct report_table *table, size_t a, size_t b)
{
    for (size_t j = 0; j < table->n_columns; j++)
        if ((report_cell(table, a, j) == NULL) != (report_cell(table, b, j) == NULL))
            return false;
    return true;
}

static bool column_blank(const struct report_table *table, const size_t *rows, size_t n, size_t column)
{
    for (size_t i = 0; i < n; i++) {
        const struct result *cell = report_cell(table, rows[i], column);
        if (cell != NULL && cell->kind != RESULT_NULL)
            return false;
    }
    return true;
}

const struct report_table *report_split(const struct report_table *table, struct arena *arena)
{
    struct tables parts = {.arena = arena};
    bool *taken = arena_array(arena, table->n_rows + 1, sizeof *taken);
    size_t *rows = arena_array(arena, table->n_rows + 1, sizeof *rows);
    for (size_t first = 0; first < table->n_rows; first++) {
        size_t n = 0;
        if (taken[first])
            continue;
        for (size_t i = first; i < table->n_rows; i++)
            if (!taken[i] && same_shape(table, first, i)) {
                taken[i] = true;
                rows[n++] = i;
            }
        struct report_table *t = arena_alloc(arena, sizeof *t);
        *t = (struct report_table){.part = table->part, .detail = table->detail, .arena = arena};
        for (size_t j = 0; j < table->n_columns; j++) {
            if (column_blank(table, rows, n, j))
                continue;
            for (size_t i = 0; i < n; i++) {
                if (t->n_rows == i)
                    table_row(t);
                table_set(t, i, table->columns[j], report_cell(table, rows[i], j));
            }
        }
        if (t->n_columns == 0)
            continue;
        if (parts.last == NULL)
            parts.first = t;
        else
            parts.last->next = t;
        parts.last = t;
    }
    return parts.first;
}
