#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "query/study.h"

/* What methods ask of an analysis. */

const struct query_value *analysis_value(const struct analysis *a, const char *key)
{
    for (size_t i = 0; i < a->declared->n_keys; i++)
        if (strcmp(a->declared->keys[i].name, key) == 0)
            return &a->values[i];
    assert(false && "a key that the method declares");
    return NULL;
}

double analysis_number(const struct analysis *a, const char *key)
{
    const struct query_value *value = analysis_value(a, key);
    assert(value->n >= 1 && value->numbers != NULL);
    return value->numbers[0];
}

bool analysis_flag(const struct analysis *a, const char *key)
{
    return analysis_value(a, key)->choice != 0;
}

/* --- completeness --- */

struct gathering {
    struct arena *arena;
    const struct expression **list;
    size_t n, capacity;
};

static void gather(struct gathering *g, const struct expression *e)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->list[i] == e)
            return;
    if (g->n == g->capacity) {
        size_t capacity = g->capacity == 0 ? 32 : 2 * g->capacity;
        const struct expression **list = arena_array(g->arena, capacity, sizeof *list);
        if (g->n > 0)
            memcpy(list, g->list, g->n * sizeof *list);
        g->list = list;
        g->capacity = capacity;
    }
    g->list[g->n++] = e;
}

static void gather_own(struct gathering *g, const struct analysis *a)
{
    const struct expression *parts[FORMULA_FACTORS_MAX + 16];
    for (size_t i = 0; i < a->declared->n_keys; i++) {
        if (a->values[i].model != NULL)
            gather_own(g, a->values[i].model);
        if (a->values[i].formula == NULL)
            continue;
        size_t n = formula_expressions(a->values[i].formula, parts);
        for (size_t k = 0; k < n; k++)
            gather(g, parts[k]);
    }
    for (size_t i = 0; i < a->n_by; i++)
        gather(g, a->by[i]);
    if (a->propensity != NULL) { /* a weight from it is present where all these are */
        size_t n = formula_expressions(a->propensity->formula, parts);
        for (size_t k = 0; k < n; k++)
            gather(g, parts[k]);
    } else if (a->weights != NULL) {
        gather(g, a->weights);
    }
}

/* Are there names in this key whose values a row must have? */
static bool lists(const struct analysis *a, size_t key)
{
    return a->values[key].expressions != NULL && !a->declared->keys[key].may_miss;
}

/* Of a name that a row may miss: whether it is there where it must be. */
static void gather_where(struct gathering *g, const struct analysis *a, size_t key)
{
    const char *where = a->declared->keys[key].where;
    for (size_t k = 0; where != NULL && k < a->declared->n_keys; k++) {
        if (strcmp(a->declared->keys[k].name, where) != 0 || a->values[k].n != 1 || a->values[key].n != 1)
            continue;
        const struct expression *must = a->values[k].expressions[0], *value = a->values[key].expressions[0];
        if (must->kind == EXPRESSION_BOOLEAN && value->kind == EXPRESSION_NUMBER)
            gather(g, expression_select(g->arena, must, value, expression_constant(g->arena, 0)));
    }
}

/* `missing: study`: the variables themselves, so that rows that miss any of them leave all models. */
static void gather_models(struct gathering *g, const struct study *s)
{
    bool *used = arena_array(g->arena, s->dictionary->n_variables, sizeof *used);
    for (size_t i = 0; i < s->n_analyses; i++) {
        const struct analysis *a = &s->analyses[i];
        if (!a->declared->is_model)
            continue;
        struct gathering own = {.arena = g->arena};
        gather_own(&own, a);
        for (size_t k = 0; k < own.n; k++)
            expression_variables(own.list[k], used);
        for (size_t k = 0; k < a->declared->n_keys; k++)
            for (size_t v = 0; v < a->values[k].n && lists(a, k); v++)
                expression_variables(a->values[k].expressions[v], used);
        for (size_t k = 0; k < a->declared->n_keys; k++)
            gather_where(g, a, k);
    }
    for (size_t v = 0; v < s->dictionary->n_variables; v++)
        if (used[v])
            gather(g, expression_variable(g->arena, s->dictionary, (uint32_t)v));
}

const struct expression *analysis_complete(const struct analysis *a, struct arena *arena,
                                           const struct expression *const *extra, size_t n)
{
    struct gathering g = {.arena = arena};
    gather_own(&g, a);
    for (size_t i = 0; i < n; i++)
        gather(&g, extra[i]);
    if (a->study->missing == MISSING_STUDY && a->declared->is_model)
        gather_models(&g, a->study);
    return expression_complete(arena, g.list, g.n);
}

const struct expression *analysis_complete_own(const struct analysis *a, struct arena *arena)
{
    struct gathering g = {.arena = arena};
    gather_own(&g, a);
    for (size_t k = 0; k < a->declared->n_keys; k++)
        for (size_t i = 0; i < a->values[k].n && lists(a, k); i++)
            gather(&g, a->values[k].expressions[i]);
    return expression_complete(arena, g.list, g.n);
}

/* --- the grid --- */

static const struct {
    const char *name;
    double days;
} grids[] = {[GRID_DAY] = {"day", 1},
             [GRID_WEEK] = {"week", 7},
             [GRID_MONTH] = {"month", 30.4375},
             [GRID_QUARTER] = {"quarter", 91.3125},
             [GRID_YEAR] = {"year", 365.25}};

const char *analysis_grid_name(enum grid_unit grid)
{
    return grids[grid].name;
}

bool analysis_grid_parse(enum grid_unit *grid, const char *name)
{
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        if (strcmp(grids[i].name, name) == 0) {
            *grid = (enum grid_unit)i;
            return true;
        }
    return false;
}

double analysis_grid_days(enum grid_unit grid)
{
    return grids[grid].days;
}

/* Width of the grid in the time's units. */
static double grid_width(enum grid_unit grid, double unit_days, double lattice)
{
    if (unit_days == 0 || unit_days > grids[grid].days)
        return lattice;
    double width = grids[grid].days / unit_days;
    return width < lattice ? lattice : width;
}

/* The finest resolution, in days, of the durations and dates that an expression reads; 1 where it reads none.
 */
static double finest_days(const struct expression *e, const struct dictionary *d)
{
    double finest = INFINITY;
    bool *used = calloc(d->n_variables + 1, sizeof *used);
    if (used == NULL)
        return 0; /* finer than any policy allows */
    expression_variables(e, used);
    for (size_t v = 0; v < d->n_variables; v++) {
        double unit = d->variables[v].type == VARIABLE_DATE ? 1 : dictionary_unit_days(d->variables[v].units);
        if (used[v] && unit > 0)
            finest = fmin(finest, unit * d->variables[v].resolution);
    }
    free(used);
    return isinf(finest) ? 1 : finest;
}

enum maille_code analysis_time_axis(struct time_axis *out, const struct analysis *analysis,
                                    const struct formula *formula, struct maille_error *error)
{
    const double bins_max = 1 << 30;
    const struct expression *stop = formula->stop, *start = formula->start;
    struct time_axis axis = {.lattice = stop->lattice};
    double unit = dictionary_unit_days(formula->units);
    if (!isfinite(stop->high) || stop->low < 0)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected follow-up times between 0 and a known maximum, found %g to %g: set `min` and "
            "`max` in the dictionary",
            stop->low, stop->high);
    if (start != NULL && !(start->low >= 0))
        return maille_fail(error, MAILLE_INVALID, "expected entry times of at least 0, found a minimum of %g",
                           start->low);
    if (start != NULL && start->high > 0)
        axis.lattice = start->lattice > 0 && stop->lattice > 0
                           ? expression_common_lattice(start->lattice, stop->lattice)
                           : 0;
    axis.width = grid_width(analysis->study->grid, unit, axis.lattice);
    if (!(axis.lattice > 0) || !(stop->high / axis.lattice < 0x1p52) || !(stop->high / axis.width < bins_max))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a time with a known step and fewer than 2^30 steps of the grid, found %g to %g "
            "in steps of %g: use a variable of the dictionary as it is, or a coarser grid",
            stop->low, stop->high, axis.width);
    axis.per_bin = axis.width / axis.lattice;
    axis.n_bins = (uint32_t)ceil(stop->high / axis.width) + 1;
    axis.has_unit = unit > 0;
    axis.days = unit > 0 ? axis.width * unit : finest_days(stop, analysis->study->dictionary);
    *out = axis;
    return MAILLE_OK;
}

void analysis_variables(const struct analysis *analysis, bool *used)
{
    if (analysis->cohort != NULL)
        expression_variables(analysis->cohort, used);
    for (size_t i = 0; i < analysis->n_by; i++)
        expression_variables(analysis->by[i], used);
    if (analysis->weights != NULL)
        expression_variables(analysis->weights, used);
    if (analysis->propensity != NULL)
        formula_variables(analysis->propensity->formula, used);
    for (size_t k = 0; k < analysis->declared->n_keys; k++) {
        const struct query_value *value = &analysis->values[k];
        for (size_t i = 0; value->expressions != NULL && i < value->n; i++)
            expression_variables(value->expressions[i], used);
        if (value->formula != NULL)
            formula_variables(value->formula, used);
        if (value->model != NULL)
            analysis_variables(value->model, used);
    }
}

void study_variables(const struct study *study, bool *used)
{
    for (size_t k = 0; k < study->n_analyses; k++)
        analysis_variables(&study->analyses[k], used);
}
