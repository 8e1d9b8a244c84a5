#include "disclosure/gate_arithmetic.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "disclosure/lattice.h"
#include "stats/arithmetic.h"
#include "tally/elementary.h"

/* A number that is large for one value of a variable and small for all others turns a sum over everybody into
 * that patient's own numbers. Four ways lead there, and each has a limit by public bounds: a steep function
 * (exp, a divisor or a logarithm's argument near 0), a polynomial of high degree (zeros on all other values),
 * a kink (|x − 1| − 2|x| + |x + 1| is 0 but at one value; abs(), pmin(), pmax(), a root of a square and a
 * narrow spline are such), and a comparison made a number. */
static const double exponent_width = 5; /* exp(): its argument's interval */
static const double divisor_ratio =
    100; /* a divisor, and what is under a root or logarithm and bends: greatest |x| / least |x| */
static const double logarithm_ratio =
    1e5; /* log(x) of an x that goes straight with each variable: log(days + 1) of a life passes */
static const double knots_in_range = 200; /* ns(): no two knots nearer than this part of the range … */
static const double steps_to_knot = 2;    /* … or than this many steps of the variable … */
enum { VALUES_TO_KNOT = 2 };              /* … or, of log(age), values of the variable */
static const double slack = 1e-9;         /* of intervals that are rounded outwards */
enum { DEGREE_OF_ONE_MAX = 3, DEGREE_MAX = 4, DEGREE_CEILING = 1000 };
static const uint32_t any_variable = UINT32_MAX;

/* --- the shape of an expression --- */

static bool varies(const struct expression *e)
{
    return e->low < e->high;
}

/* Greatest |x| by least |x|. 1 where 0 may be reached: whether that may be asked is for domain_bounds to say.
 */
static double ratio_of(const struct expression *e)
{
    if (e->low > 0)
        return e->high / e->low;
    return e->high < 0 ? e->low / e->high : 1;
}

static bool is_quotient(const struct expression *e)
{
    return (e->op == OP_DIVIDE && varies(e->args[1])) ||
           (e->op == OP_POWER && e->integer < 0 && varies(e->args[0]));
}

static bool is_curve(const struct expression *e)
{
    return (e->op == OP_EXP || e->op == OP_LOG || e->op == OP_SQRT) && varies(e->args[0]);
}

static bool has_curve(const struct expression *e, bool or_quotient)
{
    if (is_curve(e) || (or_quotient && is_quotient(e)))
        return true;
    for (size_t i = 0; i < e->n_args; i++)
        if (has_curve(e->args[i], or_quotient))
            return true;
    return false;
}

/* The degree as a polynomial in one variable, or in all of them together; a divisor counts as a factor does.
 */
static unsigned degree_in(const struct expression *e, uint32_t variable)
{
    unsigned sum = 0, most = 0;
    if (e->op == OP_VARIABLE)
        return variable == any_variable || e->variable == variable;
    for (size_t i = 0; i < e->n_args; i++) {
        unsigned degree = degree_in(e->args[i], variable);
        sum += degree;
        most = degree > most ? degree : most;
    }
    unsigned degree = e->op == OP_MULTIPLY || e->op == OP_DIVIDE ? sum
                      : e->op == OP_POWER                        ? most * (unsigned)llabs(e->integer)
                                                                 : most;
    return degree < DEGREE_CEILING ? degree : DEGREE_CEILING;
}

/* The greatest degree in any one variable. */
static unsigned degree_of_one(const struct expression *const *product, size_t n, uint32_t n_variables)
{
    unsigned most = 0;
    for (uint32_t v = 0; v < n_variables; v++) {
        unsigned degree = 0;
        for (size_t i = 0; i < n; i++)
            degree += degree_in(product[i], v);
        most = degree > most ? degree : most;
    }
    return most;
}

/* How far apart, as a logarithm, exponentials and quotients push the values of a product: what each does
 * multiplies. */
static double swing_of(const struct expression *e)
{
    double sum = 0, most = 0;
    for (size_t i = 0; i < e->n_args; i++) {
        double swing = swing_of(e->args[i]);
        sum += swing;
        most = fmax(most, swing);
    }
    switch (e->op) {
    case OP_EXP:
        return e->args[0]->high - e->args[0]->low;
    case OP_MULTIPLY:
        return sum;
    case OP_DIVIDE:
        return sum + elementary_log(ratio_of(e->args[1]));
    case OP_POWER:
        return (double)llabs(e->integer) *
               (most + (e->integer < 0 ? elementary_log(ratio_of(e->args[0])) : 0));
    default:
        return most;
    }
}

/* --- its faults --- */

/* x under a root or a logarithm: straight in each variable, or far from 0. */
static bool bends_near_zero(const struct expression *x, uint32_t n_variables, double ratio_where_straight)
{
    if (degree_of_one(&x, 1, n_variables) <= 1)
        return ratio_of(x) > ratio_where_straight * (1 + slack);
    return (x->low <= 0 && x->high >= 0) || ratio_of(x) > divisor_ratio * (1 + slack);
}

/* The least or greatest of two that could each be it: a kink, wherever it lies. */
static bool bends(const struct expression *e)
{
    if (e->op != OP_MIN && e->op != OP_MAX)
        return false;
    const struct expression *a = e->args[0], *b = e->args[1];
    return a->low < b->high && b->low < a->high;
}

static const char *node_fault(const struct expression *e, uint32_t n_variables)
{
    const struct expression *x =
        e->n_args > 0 ? e->args[e->n_args - 1] : NULL; /* the divisor, the only argument */
    if (e->op == OP_SELECT || e->op == OP_NUMBER_OF || e->op == OP_INDICATOR || e->op == OP_LOOKUP)
        return "a number is made of a comparison, a boolean or a category, whose patients nobody would count";
    if (bends(e))
        return "pmin(), pmax() or abs() bends within the limits of its variables: a kink";
    if (e->op == OP_CALENDAR && x != NULL && x->op != OP_VARIABLE)
        return "the year or month of a computed day is a step";
    if (is_quotient(e)) {
        double power = e->op == OP_POWER ? (double)-e->integer : 1;
        if (has_curve(x, true))
            return "a function or a quotient stands below a quotient";
        if (arithmetic_power(ratio_of(x), power) > divisor_ratio * (1 + slack))
            return "the greatest value of a divisor is more than 100 times its least";
    }
    if (!is_curve(e))
        return NULL;
    assert(x != NULL);
    if (has_curve(x, e->op == OP_EXP))
        return "a function or a quotient stands inside of exp(), or a function inside of log() or sqrt()";
    if (e->op == OP_EXP && x->high - x->low > exponent_width + slack)
        return "the argument of exp() spans more than 5";
    if (e->op == OP_LOG && bends_near_zero(x, n_variables, logarithm_ratio))
        return "the argument of log() comes too near 0 for its greatest value";
    if (e->op == OP_SQRT && bends_near_zero(x, n_variables, INFINITY))
        return "the argument of sqrt() is a power that comes too near 0: a kink";
    return NULL;
}

static const char *tree_fault(const struct expression *e, uint32_t n_variables)
{
    const char *fault = node_fault(e, n_variables);
    for (size_t i = 0; fault == NULL && i < e->n_args; i++)
        fault = tree_fault(e->args[i], n_variables);
    return fault;
}

/* A product of numbers that a researcher wrote: one expression, or the factors of a term that are numbers. */
static const char *product_fault(const struct expression *const *product, size_t n, uint32_t n_variables)
{
    unsigned degree = 0;
    double swing = 0;
    for (size_t i = 0; i < n; i++) {
        const char *fault = tree_fault(product[i], n_variables);
        if (fault != NULL)
            return fault;
        degree += degree_in(product[i], any_variable);
        swing += swing_of(product[i]);
    }
    if (degree > DEGREE_MAX)
        return "a product has more than 4 factors that vary";
    if (degree_of_one(product, n, n_variables) > DEGREE_OF_ONE_MAX)
        return "one variable stands to a power above 3";
    if (swing > exponent_width + slack)
        return "exponentials and quotients, multiplied, span more than exp(5)";
    return NULL;
}

/* NULL passes; what is no number is counted in cells. */
static const char *expression_fault(const struct expression *e, uint32_t n_variables)
{
    return e == NULL || e->kind != EXPRESSION_NUMBER ? NULL : product_fault(&e, 1, n_variables);
}

/* The piece of a column that begins at a knot: min(max(u − knot, 0), width), u on the scale of the boundary
 * knots (query/formula_spline.c). False where e is another one. */
struct piece {
    double from, width; /* of what the spline is of */
};

static bool piece_of(struct piece *piece, const struct expression *e)
{
    if (e->op != OP_MIN || e->args[0]->op != OP_MAX)
        return false;
    const struct expression *above = e->args[0]->args[0], *u = above->args[0]; /* (x − low) / scale */
    const double scale = u->args[1]->value, low = u->args[0]->args[1]->value;
    *piece = (struct piece){.from = low + above->args[1]->value * scale, .width = e->args[1]->value * scale};
    return true;
}

/* Where x has no steps and is of one variable, as log(age): do enough of its values lie in every piece? */
static bool pieces_hold_values(const struct expression *sum, const struct expression *x,
                               const struct dictionary *dictionary)
{
    uint32_t variable;
    bool constant, hold = true;
    struct piece piece;
    struct lattice lattice;
    if (x->step > 0 || !lattice_reads(&variable, &constant, x) || constant)
        return true;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return false;
    lattice_make(&lattice, arena, &dictionary->variables[variable], &x, 1);
    double *numbers = arena_array(arena, lattice.n, sizeof *numbers);
    lattice_number(numbers, &lattice, x);
    for (size_t i = 0; lattice.complete && hold && i < sum->n_args; i++) {
        size_t n = 0;
        if (!piece_of(&piece, sum->args[i]))
            continue;
        for (size_t v = 0; v < lattice.n; v++) {
            const double beyond = (numbers[v] - piece.from) / piece.width;
            n += beyond >= -slack && beyond < 1 - slack;
        }
        hold = n >= VALUES_TO_KNOT;
    }
    arena_free(arena);
    return hold;
}

/* A column of ns() is a bump of four knots' width; x is what the spline is of. */
static const char *spline_fault(const struct formula_factor *factor, const struct dictionary *dictionary)
{
    static const char *const fault =
        "two knots of ns() are too near each other for the variable's range or steps";
    const struct expression *e = factor->n_basis > 0 ? factor->basis[0] : NULL, *x = factor->expression;
    while (e != NULL && e->op != OP_LINEAR) /* a polynomial has none */
        e = e->n_args > 0 ? e->args[0] : NULL;
    for (size_t i = 0; e != NULL && i < e->n_args; i++) {
        struct piece piece;
        if (piece_of(&piece, e->args[i]) && (piece.width < (x->high - x->low) / knots_in_range ||
                                             piece.width < steps_to_knot * x->step * (1 - slack)))
            return fault;
    }
    return e == NULL || pieces_hold_values(e, x, dictionary) ? NULL : fault;
}

/* --- where researchers write numbers --- */

/* What a factor that is a number brings into a product: of a polynomial its highest power. A spline's columns
 * are judged as such, here it is its variable. */
static const struct expression *number_of_factor(const struct formula_factor *factor)
{
    const struct expression *last = factor->n_basis > 0 ? factor->basis[factor->n_basis - 1] : NULL;
    return last != NULL && last->op == OP_POWER ? last : factor->expression;
}

static const char *term_fault(const struct formula *f, const struct formula_term *term, uint32_t n_variables)
{
    const struct expression *product[FORMULA_FACTORS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < f->n_factors; i++)
        if ((term->factors >> i & 1) && f->factors[i].expression->kind == EXPRESSION_NUMBER)
            product[n++] = number_of_factor(&f->factors[i]);
    return product_fault(product, n, n_variables);
}

static const char *formula_fault(const struct formula *f, const struct dictionary *dictionary)
{
    const uint32_t n_variables = (uint32_t)dictionary->n_variables;
    const struct expression *const parts[] = {f->response, f->start, f->written, f->offset};
    const char *fault = NULL;
    for (size_t i = 0; fault == NULL && i < sizeof parts / sizeof *parts; i++)
        fault = expression_fault(parts[i], n_variables);
    for (size_t i = 0; fault == NULL && i < f->n_factors; i++)
        fault = spline_fault(&f->factors[i], dictionary);
    for (size_t i = 0; fault == NULL && i < f->n_terms; i++)
        fault = term_fault(f, &f->terms[i], n_variables);
    return fault;
}

unsigned gate_arithmetic_degree(const struct expression *e)
{
    return degree_in(e, any_variable);
}

const char *gate_arithmetic_fault(const struct analysis *analysis)
{
    const struct dictionary *dictionary = analysis->study->dictionary;
    const uint32_t n = (uint32_t)dictionary->n_variables;
    const char *fault = expression_fault(analysis->weights, n);
    if (fault == NULL && analysis->propensity != NULL)
        fault = formula_fault(analysis->propensity->formula, dictionary);
    for (size_t k = 0; fault == NULL && k < analysis->declared->n_keys; k++) {
        const struct query_value *value = &analysis->values[k];
        for (size_t i = 0; fault == NULL && value->expressions != NULL && i < value->n; i++)
            fault = expression_fault(value->expressions[i], n);
        if (fault == NULL && value->formula != NULL)
            fault = formula_fault(value->formula, dictionary);
        if (fault == NULL && value->model != NULL)
            fault = gate_arithmetic_fault(value->model);
    }
    return fault;
}
