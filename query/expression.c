#include "query/expression.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/expression_bounds.h"
#include "query/expression_labels.h"

static const char *const boolean_levels[] = {"FALSE", "TRUE"};

enum { CODE_OF_NUMBER_MAX = 1000 };

/* A node with its arguments, its size and its place (that of the first argument that has one). */
static struct expression *new_node(struct arena *arena, enum expression_op op, enum expression_kind kind,
                                   const struct expression *const *args, size_t n)
{
    struct expression *e = arena_alloc(arena, sizeof *e);
    e->op = op;
    e->kind = kind;
    e->n_nodes = 1;
    e->depth = 1;
    if (n > 0) {
        const struct expression **copy = arena_array(arena, n, sizeof *copy);
        memcpy(copy, args, n * sizeof *copy);
        e->args = copy;
        e->n_args = n;
    }
    for (size_t i = 0; i < n; i++) {
        if (__builtin_add_overflow(e->n_nodes, args[i]->n_nodes, &e->n_nodes))
            e->n_nodes = UINT32_MAX;
        if (args[i]->depth >= e->depth)
            e->depth = args[i]->depth + 1;
        if (e->line == 0) {
            e->line = args[i]->line;
            e->column = args[i]->column;
        }
    }
    if (kind == EXPRESSION_BOOLEAN)
        e->high = e->step = e->lattice = 1;
    return e;
}

static struct interval interval_of(const struct expression *e)
{
    return (struct interval){e->low, e->high};
}

static void set_interval(struct expression *e, struct interval interval)
{
    e->low = interval.low;
    e->high = interval.high;
}

/* --- leaves --- */

const struct expression *expression_constant(struct arena *arena, double value)
{
    struct expression *e = new_node(arena, OP_CONSTANT, EXPRESSION_NUMBER, NULL, 0);
    assert(!isnan(value));
    e->value = e->low = e->high = value;
    e->step = e->lattice = fabs(value); /* 0 for 0: then its step is that of whatever it is added to */
    return e;
}

const struct expression *expression_true(struct arena *arena)
{
    struct expression *e = new_node(arena, OP_CONSTANT, EXPRESSION_BOOLEAN, NULL, 0);
    e->value = e->low = e->high = 1;
    return e;
}

const struct expression *expression_variable(struct arena *arena, const struct dictionary *dictionary,
                                             uint32_t index)
{
    assert(index < dictionary->n_variables);
    const struct variable *v = &dictionary->variables[index];
    enum expression_kind kind = v->type == VARIABLE_CATEGORY  ? EXPRESSION_CODE
                                : v->type == VARIABLE_BOOLEAN ? EXPRESSION_BOOLEAN
                                                              : EXPRESSION_NUMBER;
    struct expression *e = new_node(arena, OP_VARIABLE, kind, NULL, 0);
    e->variable = index;
    if (kind == EXPRESSION_CODE) {
        e->n_levels = (uint32_t)v->n_levels;
        e->levels = v->levels;
    } else if (kind == EXPRESSION_NUMBER) {
        e->low = v->min;
        e->high = v->max;
        e->step = e->lattice = v->resolution;
        e->value = v->numerator; /* of what the column holds (registry/columns.h) */
        e->value2 = v->denominator;
    }
    return e;
}

const struct expression *expression_survival(struct arena *arena, enum expression_op op, uint32_t n_levels)
{
    assert(expression_op_follows_up(op));
    struct expression *e = new_node(arena, op, EXPRESSION_CODE, NULL, 0);
    e->n_levels = n_levels;
    return e;
}

/* --- numbers --- */

static const struct expression *unary_number(struct arena *arena, enum expression_op op,
                                             const struct expression *x)
{
    assert(x->kind == EXPRESSION_NUMBER);
    struct expression *e = new_node(arena, op, EXPRESSION_NUMBER, &x, 1);
    switch (op) {
    case OP_NEGATE:
        set_interval(e, (struct interval){-x->high, -x->low});
        e->step = x->step;
        e->lattice = x->lattice;
        break;
    case OP_LOG:
        set_interval(e, interval_log(interval_of(x), x->step));
        break;
    case OP_SQRT:
        set_interval(e, interval_sqrt(interval_of(x)));
        break;
    case OP_EXP:
        set_interval(e, interval_exp(interval_of(x)));
        break;
    case OP_LOGISTIC:
        set_interval(e, interval_logistic(interval_of(x)));
        break;
    case OP_SOFTPLUS:
        set_interval(e, interval_softplus(interval_of(x)));
        break;
    default:
        assert(false && "an operation on one number");
    }
    return e;
}

const struct expression *expression_unary(struct arena *arena, enum expression_op op,
                                          const struct expression *x)
{
    if (op == OP_NOT) {
        assert(x->kind == EXPRESSION_BOOLEAN);
        return new_node(arena, op, EXPRESSION_BOOLEAN, &x, 1);
    }
    if (op == OP_IS_MISSING)
        return new_node(arena, op, EXPRESSION_BOOLEAN, &x, 1);
    if (op == OP_NUMBER_OF)
        return expression_number_of(arena, x);
    return unary_number(arena, op, x);
}

/* x·c and x/c for a constant c: rounding is monotone, so what is a step away from 0 stays at least step·|c|
 * away. */
static double step_of_product(const struct expression *a, const struct expression *b, struct interval product)
{
    double magnitude = fmax(fabs(product.low), fabs(product.high));
    double step = a->step * b->step;
    if (a->op == OP_CONSTANT || b->op == OP_CONSTANT)
        return step;
    return expression_step_is_exact(a->step, magnitude) && expression_step_is_exact(b->step, magnitude) &&
                   expression_step_is_exact(step, magnitude)
               ? step
               : 0;
}

/* The lattice of a value that is one of the arguments, or their sum or difference. */
static double lattice_of_sum(const struct expression *a, const struct expression *b, struct interval z)
{
    const double steps_max = 4294967296.0; /* beyond, roundings could amount to a 2^-16th */
    double magnitude = fmax(fmax(fmax(fabs(a->low), fabs(a->high)), fmax(fabs(b->low), fabs(b->high))),
                            fmax(fabs(z.low), fabs(z.high)));
    bool a_known = a->lattice > 0 || (a->low == 0 && a->high == 0);
    bool b_known = b->lattice > 0 || (b->low == 0 && b->high == 0);
    double lattice = a_known && b_known ? expression_common_lattice(a->lattice, b->lattice) : 0;
    return magnitude < steps_max * lattice ? lattice : 0;
}

static void arithmetic(struct expression *e, const struct expression *a, const struct expression *b)
{
    struct interval x = interval_of(a), y = interval_of(b), z = {0, 0};
    switch (e->op) {
    case OP_ADD:
    case OP_SUBTRACT:
        z = e->op == OP_ADD ? interval_add(x, y) : interval_subtract(x, y);
        if (a->op == OP_CONSTANT && a->value == 0)
            e->step = b->step;
        else if (b->op == OP_CONSTANT && b->value == 0)
            e->step = a->step;
        else
            e->step = expression_step_of_sum(a, b, z);
        e->lattice = lattice_of_sum(a, b, z);
        break;
    case OP_MULTIPLY:
        z = interval_multiply(x, y);
        e->step = step_of_product(a, b, z);
        e->lattice = a->op == OP_CONSTANT || b->op == OP_CONSTANT ? a->lattice * b->lattice : e->step;
        break;
    case OP_DIVIDE:
        z = interval_divide(x, y, b->step);
        e->step = b->op == OP_CONSTANT && b->value != 0 ? a->step / fabs(b->value) : 0;
        e->lattice = b->op == OP_CONSTANT && b->value != 0 ? a->lattice / fabs(b->value) : 0;
        break;
    case OP_MIN:
        z = (struct interval){fmin(x.low, y.low), fmin(x.high, y.high)};
        e->step = expression_step_of_sum(a, b, z);
        e->lattice = lattice_of_sum(a, b, z);
        break;
    case OP_MAX:
        z = (struct interval){fmax(x.low, y.low), fmax(x.high, y.high)};
        e->step = expression_step_of_sum(a, b, z);
        e->lattice = lattice_of_sum(a, b, z);
        break;
    default:
        assert(false && "an operation on two numbers");
    }
    /* ∞ − ∞ among the ends: nothing is known. */
    if (isnan(z.low) || isnan(z.high))
        z = (struct interval){-INFINITY, INFINITY};
    set_interval(e, z);
}

const struct expression *expression_binary(struct arena *arena, enum expression_op op,
                                           const struct expression *a, const struct expression *b)
{
    const struct expression *args[] = {a, b};
    if (op == OP_AND || op == OP_OR) {
        assert(a->kind == EXPRESSION_BOOLEAN && b->kind == EXPRESSION_BOOLEAN);
        return new_node(arena, op, EXPRESSION_BOOLEAN, args, 2);
    }
    assert(a->kind == EXPRESSION_NUMBER && b->kind == EXPRESSION_NUMBER);
    if (op >= OP_EQ && op <= OP_GE)
        return new_node(arena, op, EXPRESSION_BOOLEAN, args, 2);
    struct expression *e = new_node(arena, op, EXPRESSION_NUMBER, args, 2);
    arithmetic(e, a, b);
    return e;
}

const struct expression *expression_power(struct arena *arena, const struct expression *x, int exponent)
{
    assert(x->kind == EXPRESSION_NUMBER && exponent >= -16 && exponent <= 16);
    struct expression *e = new_node(arena, OP_POWER, EXPRESSION_NUMBER, &x, 1);
    e->integer = exponent;
    set_interval(e, interval_power(interval_of(x), exponent, x->step));
    if (exponent == 1) {
        e->step = x->step;
        e->lattice = x->lattice;
    } else if (exponent > 1) {
        double step = x->step, magnitude = fmax(fabs(e->low), fabs(e->high));
        for (int i = 1; i < exponent && step > 0; i++)
            step = expression_step_is_exact(step * x->step, magnitude) ? step * x->step : 0;
        e->step = e->lattice = expression_step_is_exact(x->step, magnitude) ? step : 0;
    }
    return e;
}

const struct expression *expression_absolute(struct arena *arena, const struct expression *x)
{
    const struct expression *args[] = {x, unary_number(arena, OP_NEGATE, x)};
    struct expression *e = new_node(arena, OP_MAX, EXPRESSION_NUMBER, args, 2);
    double least = x->low > 0 ? x->low : x->high < 0 ? -x->high : 0;
    set_interval(e, (struct interval){least, fmax(fabs(x->low), fabs(x->high))});
    e->step = x->step;
    e->lattice = x->lattice;
    return e;
}

const struct expression *expression_interval(struct arena *arena, const struct expression *from,
                                             const struct expression *to, double days, bool ordered)
{
    assert(from->kind == EXPRESSION_NUMBER && to->kind == EXPRESSION_NUMBER && days > 0);
    const struct expression *args[] = {from, to};
    struct expression *e = new_node(arena, OP_INTERVAL, EXPRESSION_NUMBER, args, 2);
    e->value = days;
    e->flag = ordered;
    struct interval span = interval_subtract(interval_of(to), interval_of(from));
    set_interval(e, (struct interval){fmax(span.low, 0) / days, fmax(span.high, 0) / days});
    e->step = expression_step_of_sum(from, to, span) / days;
    e->lattice = expression_common_lattice(from->lattice, to->lattice) / days;
    return e;
}

const struct expression *expression_calendar(struct arena *arena, const struct expression *day, bool month)
{
    assert(day->kind == EXPRESSION_NUMBER && isfinite(day->low) && isfinite(day->high));
    struct expression *e = new_node(arena, OP_CALENDAR, EXPRESSION_NUMBER, &day, 1);
    e->integer = month;
    e->step = e->lattice = 1;
    set_interval(e, month ? (struct interval){1, 12}
                          : (struct interval){(double)number_date_year((int64_t)floor(day->low)),
                                              (double)number_date_year((int64_t)floor(day->high))});
    return e;
}

const struct expression *expression_scale(struct arena *arena, const struct expression *x, double middle,
                                          double half)
{
    assert(x->kind == EXPRESSION_NUMBER && half > 0);
    struct expression *e = new_node(arena, OP_SCALE, EXPRESSION_NUMBER, &x, 1);
    e->value = middle;
    e->value2 = half;
    set_interval(e, (struct interval){(x->low - middle) / half, (x->high - middle) / half});
    return e;
}

static struct expression *linear(struct arena *arena, const double *coefficients,
                                 const struct expression *const *args, size_t n)
{
    struct expression *e = new_node(arena, OP_LINEAR, EXPRESSION_NUMBER, args, n);
    struct interval sum = {0, 0};
    e->table = coefficients;
    e->n_table = n + 1;
    for (size_t i = 0; i < n; i++) {
        assert(args[i]->kind == EXPRESSION_NUMBER);
        struct interval c = {coefficients[i], coefficients[i]};
        sum = interval_add(sum, interval_multiply(c, interval_of(args[i])));
    }
    sum.low += coefficients[n];
    sum.high += coefficients[n];
    if (isnan(sum.low) || isnan(sum.high))
        sum = (struct interval){-INFINITY, INFINITY};
    set_interval(e, sum);
    return e;
}

const struct expression *expression_linear(struct arena *arena, const double *coefficients,
                                           const struct expression *const *args, size_t n)
{
    return linear(arena, coefficients, args, n);
}

const struct expression *expression_predictor(struct arena *arena, const double *coefficients,
                                              const struct expression *const *args, size_t n)
{
    struct expression *e = linear(arena, coefficients, args, n);
    struct interval joint = expression_joint_range(arena, coefficients, args, n);
    if (joint.low > e->low)
        e->low = joint.low;
    if (joint.high < e->high)
        e->high = joint.high;
    return e;
}

const struct expression *expression_select(struct arena *arena, const struct expression *condition,
                                           const struct expression *yes, const struct expression *no)
{
    assert(condition->kind == EXPRESSION_BOOLEAN && yes->kind == EXPRESSION_NUMBER &&
           no->kind == EXPRESSION_NUMBER);
    const struct expression *args[] = {condition, yes, no};
    struct expression *e = new_node(arena, OP_SELECT, EXPRESSION_NUMBER, args, 3);
    struct interval hull = interval_hull(interval_of(yes), interval_of(no));
    set_interval(e, hull);
    e->step = expression_step_of_sum(yes, no, hull);
    e->lattice = lattice_of_sum(yes, no, hull);
    return e;
}

/* --- booleans --- */

const struct expression *expression_and(struct arena *arena, const struct expression *a,
                                        const struct expression *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    return expression_binary(arena, OP_AND, a, b);
}

const struct expression *expression_in_levels(struct arena *arena, const struct expression *code,
                                              const double *member)
{
    assert(code->kind == EXPRESSION_CODE);
    struct expression *e = new_node(arena, OP_IN_LEVELS, EXPRESSION_BOOLEAN, &code, 1);
    e->table = member;
    e->n_table = code->n_levels;
    return e;
}

const struct expression *expression_in_level(struct arena *arena, const struct expression *code, size_t level)
{
    double *member = arena_array(arena, code->n_levels, sizeof *member);
    member[level] = 1;
    return expression_in_levels(arena, code, member);
}

const struct expression *expression_complete(struct arena *arena, const struct expression *const *args,
                                             size_t n)
{
    return new_node(arena, OP_COMPLETE, EXPRESSION_BOOLEAN, args, n);
}

/* --- codes --- */

/* Its levels have no names yet. table: as it is. */
static struct expression *cut(struct arena *arena, const struct expression *x, const double *table, size_t n,
                              bool right)
{
    assert(x->kind == EXPRESSION_NUMBER && n >= 2);
    struct expression *e = new_node(arena, OP_CUT, EXPRESSION_CODE, &x, 1);
    e->table = table;
    e->n_table = n;
    e->flag = right;
    e->n_levels = (uint32_t)n - 1;
    return e;
}

const struct expression *expression_cut(struct arena *arena, const struct expression *x, const double *breaks,
                                        size_t n, struct cut_style style)
{
    double *table = arena_array(arena, n, sizeof *table);
    memcpy(table, breaks, n * sizeof *table);
    struct expression *e = cut(arena, x, table, n, style.right);
    e->integer = style.include_lowest;
    e->levels = style.labels != NULL
                    ? style.labels
                    : expression_labels_of_cut(arena, table, n, style.right, style.include_lowest);
    return e;
}

const struct expression *expression_cut_open(struct arena *arena, const struct expression *x,
                                             const double *breaks, size_t n, bool right)
{
    double *table = arena_array(arena, n + 2, sizeof *table);
    table[0] = -INFINITY;
    memcpy(table + 1, breaks, n * sizeof *table);
    table[n + 1] = INFINITY;
    return cut(arena, x, table, n + 2, right);
}

const struct expression *expression_recode(struct arena *arena, const struct expression *code,
                                           const double *table, const char *const *levels, size_t n)
{
    assert(code->kind == EXPRESSION_CODE && n >= 1);
    struct expression *e = new_node(arena, OP_RECODE, EXPRESSION_CODE, &code, 1);
    e->table = table;
    e->n_table = code->n_levels;
    e->n_levels = (uint32_t)n;
    e->levels = levels;
    return e;
}

const struct expression *expression_uniform_bin(struct arena *arena, const struct expression *x, double low,
                                                double width, uint32_t n_bins)
{
    assert(x->kind == EXPRESSION_NUMBER && width > 0 && n_bins > 0);
    struct expression *e = new_node(arena, OP_UNIFORM_BIN, EXPRESSION_CODE, &x, 1);
    e->value = low;
    e->value2 = width;
    e->n_levels = n_bins;
    return e;
}

const struct expression *expression_named_bin(struct arena *arena, const struct expression *x,
                                              const char *const *names, uint32_t n_bins)
{
    struct expression *e = arena_alloc(arena, sizeof *e);
    *e = *expression_uniform_bin(arena, x, 0, 1, n_bins);
    e->levels = names;
    return e;
}

enum maille_code expression_as_code(const struct expression **out, struct arena *arena,
                                    const struct expression *x, struct maille_error *error)
{
    if (x->kind == EXPRESSION_CODE) {
        *out = x;
        return MAILLE_OK;
    }
    if (x->kind == EXPRESSION_BOOLEAN) {
        struct expression *e = new_node(arena, OP_BOOLEAN_CODE, EXPRESSION_CODE, &x, 1);
        e->n_levels = 2;
        e->levels = boolean_levels;
        *out = e;
        return MAILLE_OK;
    }
    if (x->step != nearbyint(x->step) || x->step < 1 || !isfinite(x->low) || !isfinite(x->high) ||
        x->high - x->low >= CODE_OF_NUMBER_MAX)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a category, a boolean or a whole number of at most %d values as a group, found a "
            "number of more values; cut it with cut(x, c(…))",
            CODE_OF_NUMBER_MAX);
    double low = ceil(x->low), high = floor(x->high);
    struct expression *e = new_node(arena, OP_CODE_OF, EXPRESSION_CODE, &x, 1);
    e->value = low;
    e->n_levels = (uint32_t)(high - low) + 1;
    const char **levels = arena_array(arena, e->n_levels, sizeof *levels);
    for (uint32_t i = 0; i < e->n_levels; i++)
        levels[i] = arena_printf(arena, "%.0f", low + i);
    e->levels = levels;
    *out = e;
    return MAILLE_OK;
}

const struct expression *expression_cross(struct arena *arena, const struct expression *const *codes,
                                          size_t n)
{
    assert(n >= 1);
    if (n == 1)
        return codes[0];
    struct expression *e = new_node(arena, OP_CROSS, EXPRESSION_CODE, codes, n);
    uint64_t levels = 1;
    for (size_t i = 0; i < n; i++) {
        assert(codes[i]->kind == EXPRESSION_CODE);
        levels = levels * codes[i]->n_levels;
        if (levels > UINT32_MAX)
            levels = UINT32_MAX; /* beyond every limit of tally/, which says so */
    }
    e->n_levels = (uint32_t)levels;
    return e;
}

const struct expression *expression_indicator(struct arena *arena, const struct expression *code,
                                              uint32_t level)
{
    assert(code->kind == EXPRESSION_CODE && level < code->n_levels);
    struct expression *e = new_node(arena, OP_INDICATOR, EXPRESSION_NUMBER, &code, 1);
    e->integer = level;
    e->high = e->step = e->lattice = 1;
    return e;
}

const struct expression *expression_number_of(struct arena *arena, const struct expression *x)
{
    if (x->kind == EXPRESSION_NUMBER)
        return x;
    struct expression *e = new_node(arena, OP_NUMBER_OF, EXPRESSION_NUMBER, &x, 1);
    e->step = e->lattice = 1;
    e->high = x->kind == EXPRESSION_BOOLEAN ? 1 : x->n_levels > 0 ? x->n_levels - 1 : 0;
    return e;
}

const struct expression *expression_lookup(struct arena *arena, const double *table, size_t n,
                                           const struct expression *code)
{
    assert(code->kind == EXPRESSION_CODE && n >= code->n_levels && n > 0);
    struct expression *e = new_node(arena, OP_LOOKUP, EXPRESSION_NUMBER, &code, 1);
    struct interval hull = {table[0], table[0]};
    e->table = table;
    e->n_table = n;
    for (size_t i = 0; i < n; i++) {
        if (isnan(table[i]))
            hull = (struct interval){-INFINITY, INFINITY};
        hull = interval_hull(hull, (struct interval){table[i], table[i]});
    }
    set_interval(e, hull);
    return e;
}

/* --- reading a tree --- */

enum maille_code expression_unit_scale(double *middle, double *half, const struct expression *x,
                                       const char *label, struct maille_error *error)
{
    double centre = x->low + (x->high - x->low) / 2;
    if (x->kind != EXPRESSION_NUMBER || !isfinite(centre) || !isfinite(x->high - x->low))
        return maille_fail(
            error, MAILLE_FAILED,
            "line %d, column %d: expected a bounded expression, found that `%s` has no finite bounds",
            x->line, x->column, label);
    double most = fmax(x->high - centre, centre - x->low), power = 1;
    while (power < most)
        power *= 2;
    while (power / 2 >= most && power > 0x1p-1000)
        power /= 2;
    *middle = centre;
    *half = most == 0 ? 1 : power;
    return MAILLE_OK;
}

/* Are there values of args[0] that this node alone makes missing? */
static bool leaves_out(const struct expression *e)
{
    const struct expression *x = e->n_args > 0 ? e->args[0] : NULL;
    double first, last;
    switch (e->op) {
    case OP_CUT:
        assert(x != NULL);
        first = e->table[0];
        last = e->table[e->n_table - 1];
        return e->integer != 0 ? x->low < first || x->high > last
               : e->flag       ? x->low <= first || x->high > last
                               : x->low < first || x->high >= last;
    case OP_RECODE:
        for (size_t i = 0; i < e->n_table; i++)
            if (e->table[i] < 0)
                return true;
        return false;
    case OP_INTERVAL:
        return !e->flag && e->args[1]->low < e->args[0]->high;
    default:
        return false;
    }
}

/* Marks what is read in *variable; true once there are two. */
static bool reads_two(const struct expression *e, const struct expression **variable)
{
    if (e->op == OP_VARIABLE && *variable != NULL && (*variable)->variable != e->variable)
        return true;
    if (e->op == OP_VARIABLE)
        *variable = e;
    for (size_t i = 0; i < e->n_args; i++)
        if (reads_two(e->args[i], variable))
            return true;
    return false;
}

/* Does a value of one variable decide whether another that is missing matters? FALSE & NA is FALSE. */
static bool passes_over(const struct expression *e)
{
    const struct expression *variable = NULL;
    if ((e->op == OP_AND || e->op == OP_OR || e->op == OP_SELECT) && reads_two(e, &variable))
        return true;
    for (size_t i = 0; i < e->n_args; i++)
        if (passes_over(e->args[i]))
            return true;
    return false;
}

bool expression_is_partial(const struct expression *e)
{
    if (leaves_out(e))
        return true;
    for (size_t i = 0; (e->op == OP_COMPLETE || e->op == OP_IS_MISSING) && i < e->n_args; i++)
        if (passes_over(e->args[i]))
            return true;
    for (size_t i = 0; i < e->n_args; i++)
        if (expression_is_partial(e->args[i]))
            return true;
    return false;
}

void expression_variables(const struct expression *e, bool *used)
{
    if (e->op == OP_VARIABLE)
        used[e->variable] = true;
    for (size_t i = 0; i < e->n_args; i++)
        expression_variables(e->args[i], used);
}
