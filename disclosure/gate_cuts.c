#include "disclosure/gate_cuts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "query/words.h"

enum { WORDS_MAX = 200 };

/* Where a variable is divided: between two of its values, which are counted in steps of its resolution. Half
 * a step below the first value of the upper part. */
struct divide {
    uint32_t variable;
    double at;
};

struct look {
    struct arena *arena;
    const struct dictionary *dictionary;
    const struct variable_cuts *registered;
    size_t n_registered;
    struct divide *divides;
    size_t n, capacity;
    const char *fault; /* the first */
};

static void put_fault(struct look *look, const struct expression *e, const char *why)
{
    struct bytes words = {0};
    if (look->fault != NULL)
        return;
    expression_words(&words, e, look->dictionary);
    look->fault = words.failed
                      ? why
                      : arena_printf(look->arena, "%.*s%s: %s",
                                     (int)(words.length < WORDS_MAX ? words.length : WORDS_MAX),
                                     (const char *)words.data, words.length < WORDS_MAX ? "" : " ...", why);
    bytes_clear(&words);
}

/* --- steps --- */

static double slack(double steps)
{
    return 1e-9 + fabs(steps) * 1e-15; /* of a decimal that is divided by a resolution */
}

static double before(double steps)
{
    return ceil(steps - slack(steps)) - 0.5;
}

static double after(double steps)
{
    return floor(steps + slack(steps)) + 0.5;
}

static double steps_of(const struct variable *variable, double value)
{
    return value * variable->denominator / variable->numerator;
}

/* --- the cuts that are there --- */

static bool among(const struct variable *variable, const double *cuts, size_t n, double at)
{
    for (size_t i = 0; i < n; i++) {
        const double steps = steps_of(variable, cuts[i]);
        if (before(steps) == at || after(steps) == at)
            return true;
    }
    return false;
}

static bool has_value(const struct variable *variable, const double *cuts, size_t n, double steps)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(steps_of(variable, cuts[i]) - steps) <= slack(steps))
            return true;
    return false;
}

/* Is there such a cut, or one at this very value where `value`? */
static bool is_cut(const struct look *look, uint32_t v, double steps, bool value)
{
    const struct variable *variable = &look->dictionary->variables[v];
    bool (*const fits)(const struct variable *, const double *, size_t, double) = value ? has_value : among;
    if (fits(variable, variable->cuts, variable->n_cuts, steps))
        return true;
    for (size_t i = 0; i < look->n_registered; i++)
        if (strcmp(look->registered[i].name, variable->name) == 0 &&
            fits(variable, look->registered[i].cuts, look->registered[i].n, steps))
            return true;
    return false;
}

/* Does it divide nobody who is possible? */
static bool outside(const struct variable *variable, double at)
{
    double least, greatest;
    dictionary_steps(variable, &least, &greatest);
    return at < least || at > greatest;
}

static void divide(struct look *look, const struct expression *e, uint32_t v, double at)
{
    if (outside(&look->dictionary->variables[v], at))
        return;
    if (!is_cut(look, v, at, false))
        put_fault(look, e, "neither the dictionary nor the registration has this cut");
    if (look->n == look->capacity) {
        const size_t capacity = look->capacity == 0 ? 64 : 2 * look->capacity;
        struct divide *more = arena_array(look->arena, capacity, sizeof *more);
        if (look->n > 0)
            memcpy(more, look->divides, look->n * sizeof *more);
        look->divides = more;
        look->capacity = capacity;
    }
    look->divides[look->n++] = (struct divide){v, at};
}

/* --- what a predicate reads --- */

enum reading {
    READS_NO_NUMBER, /* booleans and categories, and numbers that are such */
    READS_ALONE,     /* a variable as it is */
    READS_YEAR,      /* of a date as it is */
    READS_OTHERWISE
};

static bool is_few(const struct expression *variable)
{
    return variable->step > 0 && (variable->high - variable->low) / variable->step < GATE_FEW_VALUES;
}

/* Does a number depend on a variable that is one, otherwise than by what is predicated of it? */
static bool has_number(const struct expression *e)
{
    if (e->op == OP_VARIABLE)
        return !is_few(e);
    for (size_t i = 0; i < e->n_args; i++)
        if (e->args[i]->kind == EXPRESSION_NUMBER && has_number(e->args[i]))
            return true;
    return false;
}

static enum reading reading_of(const struct expression *x, uint32_t *variable)
{
    const struct expression *leaf = x->op == OP_CALENDAR && x->integer == 0 ? x->args[0] : x;
    if (!has_number(x))
        return READS_NO_NUMBER;
    if (leaf->op != OP_VARIABLE)
        return READS_OTHERWISE;
    *variable = leaf->variable;
    return leaf == x ? READS_ALONE : READS_YEAR;
}

/* The first day of a year, in days. */
static double year_begins(double year)
{
    char text[32];
    int32_t day;
    if (!(year >= 1 && year <= 9999))
        return year < 1 ? -(double)INFINITY : (double)INFINITY;
    const int length = snprintf(text, sizeof text, "%04d-01-01", (int)year);
    return number_parse_date(text, (size_t)length, &day) ? (double)day : (double)INFINITY;
}

/* at: half a step below the upper part, of years where the predicate reads these. */
static void divide_read(struct look *look, const struct expression *e, enum reading reading,
                        uint32_t variable, double at)
{
    divide(look, e, variable, reading == READS_YEAR ? year_begins(at + 0.5) - 0.5 : at);
}

static double read_steps(const struct look *look, enum reading reading, uint32_t variable, double value)
{
    return reading == READS_YEAR ? value : steps_of(&look->dictionary->variables[variable], value);
}

/* --- predicates --- */

static void look_at_comparison(struct look *look, const struct expression *e)
{
    const struct expression *x = e->args[0], *y = e->args[1];
    uint32_t variable = 0;
    bool mirrored = x->low == x->high && !has_number(x);
    enum reading reading;
    if (mirrored) {
        x = e->args[1];
        y = e->args[0];
    }
    reading = reading_of(x, &variable);
    if (reading == READS_NO_NUMBER && !has_number(y))
        return;
    if (reading == READS_NO_NUMBER || reading == READS_OTHERWISE || has_number(y)) {
        put_fault(look, e, "a group is made of something worked out of a number or a date");
        return;
    }
    if (y->low != y->high) { /* of booleans or categories: which cut it is depends on them */
        put_fault(look, e, "a number is compared with something that varies");
        return;
    }
    const double steps = read_steps(look, reading, variable, y->low);
    const bool below = mirrored ? e->op == OP_LE || e->op == OP_GT : e->op == OP_LT || e->op == OP_GE;
    const bool both = e->op == OP_EQ || e->op == OP_NE;
    if (both && fabs(steps - floor(steps + 0.5)) > slack(steps))
        return; /* no value is such */
    if (both || below)
        divide_read(look, e, reading, variable, before(steps));
    if (both || !below)
        divide_read(look, e, reading, variable, after(steps));
}

/* The outermost break belongs to its level with include.lowest. */
static void look_at_cut(struct look *look, const struct expression *e)
{
    uint32_t variable = 0;
    const enum reading reading = reading_of(e->args[0], &variable);
    if (reading == READS_NO_NUMBER)
        return;
    if (reading == READS_OTHERWISE) {
        put_fault(look, e, "a group is made of something worked out of a number or a date");
        return;
    }
    for (size_t i = 0; i < e->n_table; i++) {
        const bool outermost = e->integer == 1 && i == (e->flag ? 0 : e->n_table - 1);
        if (isfinite(e->table[i])) {
            const double steps = read_steps(look, reading, variable, e->table[i]);
            divide_read(look, e, reading, variable, e->flag == outermost ? before(steps) : after(steps));
        }
    }
}

/* factor() of a number: each value is a group. */
static void look_at_values(struct look *look, const struct expression *e)
{
    uint32_t variable = 0;
    const enum reading reading = reading_of(e->args[0], &variable);
    if (reading == READS_NO_NUMBER)
        return;
    if (reading == READS_OTHERWISE) {
        put_fault(look, e, "a group is made of something worked out of a number or a date");
        return;
    }
    for (uint32_t level = 0; level <= e->n_levels; level++)
        divide_read(look, e, reading, variable,
                    before(read_steps(look, reading, variable, e->value + level)));
}

static void look_at(struct look *look, const struct expression *e)
{
    if (e == NULL || look->fault != NULL)
        return;
    if (e->op >= OP_EQ && e->op <= OP_GE)
        look_at_comparison(look, e);
    else if (e->op == OP_CUT)
        look_at_cut(look, e);
    else if (e->op == OP_CODE_OF)
        look_at_values(look, e);
    else if (e->op == OP_INTERVAL && !e->flag)
        put_fault(look, e, "who has the dates in this order is a group, and the dictionary has them in none");
    for (size_t i = 0; i < e->n_args; i++)
        look_at(look, e->args[i]);
}

/* --- an analysis --- */

static void look_at_time(struct look *look, const struct expression *time)
{
    if (time == NULL || look->fault != NULL)
        return;
    if (time->op != OP_VARIABLE && time->op != OP_INTERVAL && has_number(time))
        put_fault(look, time, "a time is worked out of a number or a date");
    look_at(look, time);
}

static void look_at_formula(struct look *look, const struct formula *f)
{
    if (f == NULL)
        return;
    look_at(look, f->response);
    look_at_time(look, f->start);
    look_at_time(look, f->written); /* a landmark is a condition of the cohort */
    look_at(look, f->event);
    look_at(look, f->offset);
    for (size_t i = 0; i < f->n_factors; i++)
        look_at(look, f->factors[i].expression);
    for (size_t i = 0; i < f->n_strata; i++)
        look_at(look, f->strata[i].expression);
    look_at(look, f->cluster.expression);
}

static void look_at_analysis(struct look *look, const struct analysis *analysis)
{
    look_at(look, analysis->cohort);
    for (size_t i = 0; i < analysis->n_by; i++)
        look_at(look, analysis->by[i]);
    look_at(look, analysis->weights);
    if (analysis->propensity != NULL)
        look_at_formula(look, analysis->propensity->formula);
    for (size_t k = 0; k < analysis->declared->n_keys; k++) {
        const struct query_value *value = &analysis->values[k];
        for (size_t i = 0; value->expressions != NULL && i < value->n; i++)
            look_at(look, value->expressions[i]);
        look_at_formula(look, value->formula);
        if (value->model != NULL)
            look_at_analysis(look, value->model);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct divide *x = a, *y = b;
    if (x->variable != y->variable)
        return x->variable < y->variable ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Both sides of one cut leave the single value between them. Where the values beside it are cuts too, each
 * side is a cut of its own. */
static void look_at_sides(struct look *look)
{
    if (look->n < 2)
        return;
    qsort(look->divides, look->n, sizeof *look->divides, by_place);
    for (size_t i = 1; i < look->n && look->fault == NULL; i++) {
        const struct divide *a = &look->divides[i - 1], *b = &look->divides[i];
        const double value = a->at + 0.5;
        if (a->variable == b->variable && b->at - a->at == 1 && is_cut(look, a->variable, value, true) &&
            !is_cut(look, a->variable, value - 1, true) && !is_cut(look, a->variable, value + 1, true))
            look->fault = arena_printf(look->arena, "%s: both sides of one cut leave a single value",
                                       look->dictionary->variables[a->variable].name);
    }
}

const char *gate_cuts_fault(const struct analysis *analysis, const struct cells *cells,
                            const struct variable_cuts *registered, size_t n_registered, struct arena *arena)
{
    struct look look = {.arena = arena,
                        .dictionary = analysis->study->dictionary,
                        .registered = registered,
                        .n_registered = n_registered};
    look_at_analysis(&look, analysis);
    for (size_t b = 0; cells != NULL && b < cells->spec.n_blocks; b++)
        if (cells->rules[b] == CELL_TABLE)
            look_at(&look, cells->spec.blocks[b].group);
    for (size_t i = 0; cells != NULL && i < cells->n_predicates; i++)
        look_at(&look, cells->predicates[i]);
    look_at_sides(&look);
    return look.fault;
}

void gate_cuts(struct verdict *verdict, const struct policy *policy, const struct analysis *analysis,
               const struct cells *cells, const struct variable_cuts *registered, size_t n_registered,
               bool person)
{
    if (policy->fine_predicates == FINE_ALLOW || verdict->rule[0] != '\0')
        return;
    struct arena *arena = arena_new();
    if (arena == NULL) {
        gate_refuse(verdict, "cuts", "there is no memory to look at the cuts");
        return;
    }
    const char *fault = gate_cuts_fault(analysis, cells, registered, n_registered, arena);
    if (fault != NULL && (policy->fine_predicates == FINE_REFUSE || !person))
        gate_refuse(verdict, "cuts", "%s", fault);
    else if (fault != NULL)
        snprintf(verdict->held, sizeof verdict->held, "%s", fault);
    arena_free(arena);
}
