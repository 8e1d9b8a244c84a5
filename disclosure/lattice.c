#include "disclosure/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tally/elementary.h"

/* --- what is read --- */

struct reading {
    bool known; /* every operation is one that is evaluated below */
    bool any;
    bool one;
    uint32_t variable;
};

static void read_tree(struct reading *reading, const struct expression *e)
{
    switch (e->op) {
    case OP_VARIABLE:
        reading->one = reading->one && (!reading->any || reading->variable == e->variable);
        reading->any = true;
        reading->variable = e->variable;
        break;
    case OP_SURV_EXIT:
    case OP_SURV_ENTRY:
    case OP_SURV_STATUS:
    case OP_SOFTPLUS:
    case OP_COUNT_:
        reading->known = false;
        break;
    default:
        break;
    }
    for (size_t i = 0; i < e->n_args && reading->known && reading->one; i++)
        read_tree(reading, e->args[i]);
}

bool lattice_reads(uint32_t *variable, bool *constant, const struct expression *e)
{
    struct reading reading = {.known = true, .one = true};
    read_tree(&reading, e);
    *variable = reading.variable;
    *constant = !reading.any;
    return reading.known && reading.one;
}

/* --- one value --- */

static int32_t code_at(const struct expression *e, double value);

static double power_of(double x, int64_t exponent)
{
    double power = 1;
    for (int64_t i = 0; i < (exponent < 0 ? -exponent : exponent); i++)
        power *= x;
    return exponent < 0 ? (x == 0 ? NAN : 1 / power) : power;
}

/* NaN: missing. value: of the variable; NaN where it is missing. */
static double number_at(const struct expression *e, double value)
{
    double x, y, sum;
    int32_t c;
    switch (e->op) {
    case OP_CONSTANT:
        return e->value;
    case OP_VARIABLE:
        return value;
    case OP_SELECT:
        c = code_at(e->args[0], value);
        return c < 0 ? NAN : number_at(e->args[c != 0 ? 1 : 2], value);
    case OP_LINEAR:
        sum = e->n_args == 0 ? e->table[0] : e->table[0] * number_at(e->args[0], value);
        for (size_t i = 1; i < e->n_args; i++)
            sum += e->table[i] * number_at(e->args[i], value);
        return e->n_args == 0 ? sum : sum + e->table[e->n_args];
    case OP_INDICATOR:
    case OP_NUMBER_OF:
    case OP_LOOKUP:
        c = code_at(e->args[0], value);
        if (c < 0)
            return NAN;
        return e->op == OP_INDICATOR ? c == e->integer : e->op == OP_NUMBER_OF ? (double)c : e->table[c];
    default:
        break;
    }
    x = number_at(e->args[0], value);
    y = e->n_args > 1 ? number_at(e->args[1], value) : 0;
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
    default:
        return NAN;
    }
}

static bool present_at(const struct expression *e, double value)
{
    return e->kind == EXPRESSION_NUMBER ? !isnan(number_at(e, value)) : code_at(e, value) >= 0;
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

static int32_t code_at(const struct expression *e, double value)
{
    int32_t a, b, code = 0;
    double x;
    switch (e->op) {
    case OP_CONSTANT:
        return (int32_t)e->value;
    case OP_VARIABLE:
        return isnan(value) ? -1 : (int32_t)value;
    case OP_NOT:
        a = code_at(e->args[0], value);
        return a < 0 ? -1 : 1 - a;
    case OP_AND:
    case OP_OR:
        a = code_at(e->args[0], value);
        b = code_at(e->args[1], value);
        if (a == (e->op == OP_OR) || b == (e->op == OP_OR))
            return e->op == OP_OR;
        return a < 0 || b < 0 ? -1 : e->op == OP_AND;
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
        return compare(e->op, number_at(e->args[0], value), number_at(e->args[1], value));
    case OP_IN_LEVELS:
        a = code_at(e->args[0], value);
        return a < 0 ? -1 : e->table[a] != 0;
    case OP_IS_MISSING:
        return !present_at(e->args[0], value);
    case OP_COMPLETE:
        for (size_t i = 0; i < e->n_args; i++)
            if (!present_at(e->args[i], value))
                return 0;
        return 1;
    case OP_CUT:
        x = number_at(e->args[0], value);
        for (size_t i = 0; i < e->n_table; i++)
            code += e->flag ? x > e->table[i] : x >= e->table[i];
        return isnan(x) ? -1 : code;
    case OP_UNIFORM_BIN:
        return bin_at(e, number_at(e->args[0], value));
    case OP_CODE_OF:
        x = number_at(e->args[0], value) - e->value;
        return x >= 0 && x < (double)e->n_levels && x == floor(x) ? (int32_t)x : -1;
    case OP_BOOLEAN_CODE:
        return code_at(e->args[0], value);
    case OP_CROSS:
        for (size_t i = 0; i < e->n_args; i++) {
            a = code_at(e->args[i], value);
            if (a < 0)
                return -1;
            code = code * (int32_t)e->args[i]->n_levels + a;
        }
        return code;
    default:
        return -1;
    }
}

void lattice_code(int32_t *codes, const struct lattice *lattice, const struct expression *e)
{
    for (size_t i = 0; i < lattice->n; i++) {
        double value = i == 0 ? NAN : lattice->values[i];
        codes[i] = e->kind == EXPRESSION_NUMBER ? (present_at(e, value) ? 0 : -1) : code_at(e, value);
    }
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

/* Point i of a number: a quotient where the resolution is one part of 10, 100 …, so that it is the number that such a text is read as. */
static double point(const struct variable *variable, double i)
{
    double inverse = nearbyint(1 / variable->resolution);
    bool decimal = inverse >= 1 && fabs(variable->resolution * inverse - 1) < 1e-9;
    return fmin(variable->max, fmax(variable->min, decimal ? i / inverse : i * variable->resolution));
}

void lattice_make(struct lattice *lattice, struct arena *arena, const struct variable *variable, const struct expression *const *e,
                  size_t n)
{
    size_t n_values = variable->n_levels;
    if (variable->type == VARIABLE_CATEGORY || variable->type == VARIABLE_BOOLEAN) {
        n_values = variable->type == VARIABLE_BOOLEAN ? 2 : n_values;
        double *codes = arena_array(arena, n_values + 1, sizeof *codes);
        for (size_t i = 0; i < n_values; i++)
            codes[i + 1] = (double)i;
        *lattice = (struct lattice){.n = n_values + 1, .values = codes};
        return;
    }
    double first = ceil(variable->min / variable->resolution - 1e-9), last = floor(variable->max / variable->resolution + 1e-9);
    struct points points = {.room = LATTICE_VALUES_MAX};
    points.values = arena_array(arena, LATTICE_VALUES_MAX + 1, sizeof *points.values);
    points.values++; /* value 0 is missing */
    if (last - first < LATTICE_VALUES_MAX) {
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
    *lattice = (struct lattice){.n = points.n + 1, .values = points.values - 1};
}
