#include "disclosure/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "tally/elementary.h"

/* --- what is read --- */

bool lattice_knows(const struct expression *e)
{
    if (expression_op_follows_up(e->op) || e->op == OP_SOFTPLUS || e->op == OP_COUNT_)
        return false;
    for (size_t i = 0; i < e->n_args; i++)
        if (!lattice_knows(e->args[i]))
            return false;
    return true;
}

/* True while at most one variable is read. */
static bool reads_one(uint32_t *variable, bool *any, const struct expression *e)
{
    if (e->op == OP_VARIABLE) {
        if (*any && *variable != e->variable)
            return false;
        *any = true;
        *variable = e->variable;
    }
    for (size_t i = 0; i < e->n_args; i++)
        if (!reads_one(variable, any, e->args[i]))
            return false;
    return true;
}

bool lattice_reads(uint32_t *variable, bool *constant, const struct expression *e)
{
    bool any = false;
    bool one = reads_one(variable, &any, e) && lattice_knows(e);
    *constant = !any;
    return one;
}

/* --- one value --- */

/* What the variables are: all of them by their index, or one value for the only one that is read. NaN:
 * missing. */
struct place {
    const double *variables;
    double value;
};

static double variable_at(const struct expression *e, const struct place *at)
{
    return at->variables != NULL ? at->variables[e->variable] : at->value;
}

static int32_t code_at(const struct expression *e, const struct place *at);

static double power_of(double x, int64_t exponent)
{
    double power = 1;
    for (int64_t i = 0; i < (exponent < 0 ? -exponent : exponent); i++)
        power *= x;
    return exponent < 0 ? (x == 0 ? NAN : 1 / power) : power;
}

/* NaN: missing. */
static double number_at(const struct expression *e, const struct place *at)
{
    double x, y, sum;
    int32_t c;
    switch (e->op) {
    case OP_CONSTANT:
        return e->value;
    case OP_VARIABLE:
        return variable_at(e, at);
    case OP_SELECT:
        c = code_at(e->args[0], at);
        return c < 0 ? NAN : number_at(e->args[c != 0 ? 1 : 2], at);
    case OP_LINEAR:
        sum = e->n_args == 0 ? e->table[0] : e->table[0] * number_at(e->args[0], at);
        for (size_t i = 1; i < e->n_args; i++)
            sum += e->table[i] * number_at(e->args[i], at);
        return e->n_args == 0 ? sum : sum + e->table[e->n_args];
    case OP_INDICATOR:
    case OP_NUMBER_OF:
    case OP_LOOKUP:
        c = code_at(e->args[0], at);
        if (c < 0)
            return NAN;
        return e->op == OP_INDICATOR ? c == e->integer : e->op == OP_NUMBER_OF ? (double)c : e->table[c];
    default:
        break;
    }
    x = number_at(e->args[0], at);
    y = e->n_args > 1 ? number_at(e->args[1], at) : 0;
    switch (e->op) {
    case OP_NEGATE:
        return -x;
    case OP_ADD:
        return x + y;
    case OP_SUBTRACT:
        return x - y;
    case OP_MULTIPLY:
        return x * y;
    case OP_DIVIDE:
        return y == 0 ? NAN : x / y;
    case OP_POWER:
        return power_of(x, e->integer);
    case OP_LOG:
        return x > 0 ? elementary_log(x) : NAN;
    case OP_SQRT:
        return x >= 0 ? sqrt(x) : NAN;
    case OP_EXP:
        return isnan(x) ? NAN : elementary_exp(fmax(-745, fmin(709, x)));
    case OP_LOGISTIC:
        return isnan(x) ? NAN : 1 / (1 + elementary_exp(fmax(-745, fmin(709, -x))));
    case OP_SCALE:
        return (x - e->value) / e->value2;
    case OP_MIN:
        return x < y || isnan(x) ? x : y;
    case OP_MAX:
        return x > y || isnan(x) ? x : y;
    case OP_INTERVAL:
        return y - x >= 0 ? (y - x) / e->value : NAN;
    case OP_CALENDAR:
        return isnan(x)          ? NAN
               : e->integer != 0 ? number_date_month((int64_t)x)
                                 : (double)number_date_year((int64_t)x);
    default:
        return NAN;
    }
}

static bool present_at(const struct expression *e, const struct place *at)
{
    return e->kind == EXPRESSION_NUMBER ? !isnan(number_at(e, at)) : code_at(e, at) >= 0;
}

static int32_t compare(enum expression_op op, double x, double y)
{
    if (isnan(x) || isnan(y))
        return -1;
    switch (op) {
    case OP_EQ:
        return x == y;
    case OP_NE:
        return x != y;
    case OP_LT:
        return x < y;
    case OP_LE:
        return x <= y;
    case OP_GT:
        return x > y;
    default:
        return x >= y;
    }
}

static int32_t bin_at(const struct expression *e, double x)
{
    double high = e->value + e->value2 * (double)e->n_levels, position = (x - e->value) / e->value2;
    if (isnan(x) || x < e->value || x > high)
        return -1;
    return (int32_t)fmin(fmax(position, 0), (double)(e->n_levels - 1));
}

static int32_t code_at(const struct expression *e, const struct place *at)
{
    int32_t a, b, code = 0;
    double x;
    switch (e->op) {
    case OP_CONSTANT:
        return (int32_t)e->value;
    case OP_VARIABLE:
        return isnan(variable_at(e, at)) ? -1 : (int32_t)variable_at(e, at);
    case OP_NOT:
        a = code_at(e->args[0], at);
        return a < 0 ? -1 : 1 - a;
    case OP_AND:
    case OP_OR:
        a = code_at(e->args[0], at);
        b = code_at(e->args[1], at);
        if (a == (e->op == OP_OR) || b == (e->op == OP_OR))
            return e->op == OP_OR;
        return a < 0 || b < 0 ? -1 : e->op == OP_AND;
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
        return compare(e->op, number_at(e->args[0], at), number_at(e->args[1], at));
    case OP_IN_LEVELS:
        a = code_at(e->args[0], at);
        return a < 0 ? -1 : e->table[a] != 0;
    case OP_IS_MISSING:
        return !present_at(e->args[0], at);
    case OP_COMPLETE:
        for (size_t i = 0; i < e->n_args; i++)
            if (!present_at(e->args[i], at))
                return 0;
        return 1;
    case OP_CUT:
        x = number_at(e->args[0], at);
        for (size_t i = 0; i < e->n_table; i++)
            code += e->flag ? x > e->table[i] : x >= e->table[i];
        if (e->integer != 0 && x == (e->flag ? e->table[0] : e->table[e->n_table - 1]))
            return e->flag ? 0 : (int32_t)e->n_levels - 1;
        return isnan(x) || code < 1 || code > (int32_t)e->n_levels ? -1 : code - 1;
    case OP_RECODE:
        a = code_at(e->args[0], at);
        return a < 0 ? -1 : (int32_t)e->table[a];
    case OP_UNIFORM_BIN:
        return bin_at(e, number_at(e->args[0], at));
    case OP_CODE_OF:
        x = number_at(e->args[0], at) - e->value;
        return x >= 0 && x < (double)e->n_levels && x == floor(x) ? (int32_t)x : -1;
    case OP_BOOLEAN_CODE:
        return code_at(e->args[0], at);
    case OP_CROSS:
        for (size_t i = 0; i < e->n_args; i++) {
            a = code_at(e->args[i], at);
            if (a < 0)
                return -1;
            code = code * (int32_t)e->args[i]->n_levels + a;
        }
        return code;
    default:
        return -1;
    }
}

static int32_t what_at(const struct expression *e, const struct place *at)
{
    return e->kind == EXPRESSION_NUMBER ? (present_at(e, at) ? 0 : -1) : code_at(e, at);
}

void lattice_code(int32_t *codes, const struct lattice *lattice, const struct expression *e)
{
    for (size_t i = 0; i < lattice->n; i++)
        codes[i] = what_at(e, &(struct place){.value = i == 0 ? NAN : lattice->values[i]});
}

void lattice_number(double *numbers, const struct lattice *lattice, const struct expression *e)
{
    for (size_t i = 0; i < lattice->n; i++)
        numbers[i] = number_at(e, &(struct place){.value = i == 0 ? NAN : lattice->values[i]});
}

int32_t lattice_code_of(const struct expression *e, const double *variables)
{
    return what_at(e, &(struct place){.variables = variables});
}

/* --- the values --- */

struct points {
    double *values;
    size_t n, room;
};

static void point_add(struct points *points, const struct variable *variable, double at)
{
    if (isfinite(at) && at >= variable->min && at <= variable->max && points->n < points->room)
        points->values[points->n++] = at;
}

/* A break, and the values on both sides of it. */
static void break_add(struct points *points, const struct variable *variable, double at)
{
    point_add(points, variable, at);
    point_add(points, variable, at - variable->resolution);
    point_add(points, variable, at + variable->resolution);
}

static void breaks_of(struct points *points, const struct variable *variable, const struct expression *e)
{
    if (e->op == OP_CONSTANT)
        break_add(points, variable, e->value);
    for (size_t i = 0; e->op == OP_CUT && i < e->n_table; i++)
        break_add(points, variable, e->table[i]);
    for (double day = variable->min; e->op == OP_CALENDAR && day <= variable->max; day++)
        if (number_date_month((int64_t)day) != number_date_month((int64_t)day - 1))
            break_add(points, variable, day);
    for (size_t i = 0; e->op == OP_UNIFORM_BIN && i <= e->n_levels; i++)
        break_add(points, variable, e->value + e->value2 * (double)i);
    for (size_t i = 0; i < e->n_args; i++)
        breaks_of(points, variable, e->args[i]);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Point i of a number: a quotient where the resolution is one part of 10, 100 …, so that it is the number
 * that such a text is read as. */
static double point(const struct variable *variable, double i)
{
    double inverse = nearbyint(1 / variable->resolution);
    bool decimal = inverse >= 1 && fabs(variable->resolution * inverse - 1) < 1e-9;
    return fmin(variable->max, fmax(variable->min, decimal ? i / inverse : i * variable->resolution));
}

void lattice_make(struct lattice *lattice, struct arena *arena, const struct variable *variable,
                  const struct expression *const *e, size_t n)
{
    size_t n_values = variable->n_levels;
    if (variable->type == VARIABLE_CATEGORY || variable->type == VARIABLE_BOOLEAN) {
        n_values = variable->type == VARIABLE_BOOLEAN ? 2 : n_values;
        double *codes = arena_array(arena, n_values + 1, sizeof *codes);
        for (size_t i = 0; i < n_values; i++)
            codes[i + 1] = (double)i;
        *lattice = (struct lattice){.n = n_values + 1, .values = codes, .complete = true};
        return;
    }
    double first = ceil(variable->min / variable->resolution - 1e-9),
           last = floor(variable->max / variable->resolution + 1e-9);
    struct points points = {.room = LATTICE_VALUES_MAX};
    points.values = arena_array(arena, LATTICE_VALUES_MAX + 1, sizeof *points.values);
    points.values++; /* value 0 is missing */
    const bool complete = last - first < LATTICE_VALUES_MAX;
    if (complete) {
        for (double i = first; i <= last; i++)
            points.values[points.n++] = point(variable, i);
    } else {
        point_add(&points, variable, variable->min);
        point_add(&points, variable, variable->max);
        for (size_t i = 0; i < n; i++)
            breaks_of(&points, variable, e[i]);
        qsort(points.values, points.n, sizeof *points.values, ascending);
        size_t distinct = 0;
        for (size_t i = 0; i < points.n; i++)
            if (distinct == 0 || points.values[distinct - 1] != points.values[i])
                points.values[distinct++] = points.values[i];
        points.n = distinct;
    }
    *lattice = (struct lattice){.n = points.n + 1, .values = points.values - 1, .complete = complete};
}
