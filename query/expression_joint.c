/* The bounds of a linear predictor whose terms are functions of one variable: y + y² cannot be at both ends
 * at once. The variable's range is cut into cells, all of its terms are bounded over each cell, and the hull
 * is taken (R. E. Moore, Interval Analysis, 1966, ch. 4). IEEE + − × ÷ alone: the same bits at every site. */
#include <assert.h>
#include <math.h>

#include "query/expression_bounds.h"

enum { CELLS = 1024, LEVELS_MAX = 32, NO_VARIABLE = -1, OTHER = -2 };

/* A sum in another order than a site's differs by less than this share of the sum of the sizes: 2^9 terms,
 * each rounding 2^-53, and room. */
#define ORDER_SHARE 0x1p-42

struct place {
    struct interval x;             /* of the variable */
    const struct expression *code; /* NULL: none is looked at level by level */
    size_t level;
};

/* The one numeric variable that a term is a function of; NO_VARIABLE: none; OTHER: it is something else.
 * Codes are under lookups alone; *code is the first of them. */
static int64_t variable_of(const struct expression *e, const struct expression **code)
{
    int64_t found = NO_VARIABLE;
    switch (e->op) {
    case OP_CONSTANT:
        return NO_VARIABLE;
    case OP_VARIABLE:
        return e->kind == EXPRESSION_NUMBER && isfinite(e->low) && isfinite(e->high) ? (int64_t)e->variable
                                                                                     : OTHER;
    case OP_LOOKUP:
        if (*code == NULL && e->n_table <= LEVELS_MAX)
            *code = e->args[0];
        return NO_VARIABLE;
    case OP_NEGATE:
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
    case OP_DIVIDE:
    case OP_POWER:
    case OP_LOG:
    case OP_SQRT:
    case OP_EXP:
    case OP_SCALE:
    case OP_MIN:
    case OP_MAX:
    case OP_LINEAR:
        break;
    default:
        return OTHER;
    }
    for (size_t i = 0; i < e->n_args; i++) {
        int64_t own = variable_of(e->args[i], code);
        if (own == OTHER || (own != NO_VARIABLE && found != NO_VARIABLE && own != found))
            return OTHER;
        found = own == NO_VARIABLE ? found : own;
    }
    return found;
}

static struct interval at_place(const struct expression *e, const struct place *place);

/* Within the node's own bounds too: they hold everywhere. */
static struct interval node_at(const struct expression *e, const struct place *place)
{
    struct interval a = {0, 0}, b = {0, 0};
    if (e->n_args > 0 && e->op != OP_LOOKUP)
        a = at_place(e->args[0], place);
    if (e->n_args > 1)
        b = at_place(e->args[1], place);
    switch (e->op) {
    case OP_VARIABLE:
        return place->x;
    case OP_LOOKUP:
        if (e->args[0] == place->code && place->level < e->n_table)
            return (struct interval){e->table[place->level], e->table[place->level]};
        break;
    case OP_NEGATE:
        return (struct interval){-a.high, -a.low};
    case OP_ADD:
        return interval_add(a, b);
    case OP_SUBTRACT:
        return interval_subtract(a, b);
    case OP_MULTIPLY:
        return interval_multiply(a, b);
    case OP_DIVIDE:
        return interval_divide(a, b, e->args[1]->step);
    case OP_POWER:
        return interval_power(a, (int)e->integer, e->args[0]->step);
    case OP_LOG:
        return interval_log(a, e->args[0]->step);
    case OP_SQRT:
        return interval_sqrt(a);
    case OP_EXP:
        return interval_exp(a);
    case OP_SCALE:
        return (struct interval){(a.low - e->value) / e->value2, (a.high - e->value) / e->value2};
    case OP_MIN:
        return (struct interval){fmin(a.low, b.low), fmin(a.high, b.high)};
    case OP_MAX:
        return (struct interval){fmax(a.low, b.low), fmax(a.high, b.high)};
    default:
        break;
    }
    return (struct interval){e->low, e->high};
}

static struct interval at_place(const struct expression *e, const struct place *place)
{
    struct interval found = node_at(e, place);
    if (!(found.low >= e->low))
        found.low = e->low;
    if (!(found.high <= e->high))
        found.high = e->high;
    return found;
}

/* The hull, over the cells of the variable and the levels of code, of Σ coefficients·args of group g. */
static struct interval range_of(const double *coefficients, const struct expression *const *args,
                                const int64_t *groups, size_t n, int64_t g, struct interval x,
                                const struct expression *code)
{
    struct interval hull = {INFINITY, -INFINITY};
    size_t n_levels = code != NULL && code->n_levels > 0 && code->n_levels <= LEVELS_MAX ? code->n_levels : 1;
    size_t n_cells = CELLS / n_levels;
    struct place place = {.code = n_levels > 1 ? code : NULL};
    double end = x.low;
    for (size_t i = 1; i <= n_cells; i++) {
        place.x.low = end;
        end = i == n_cells ? x.high : fmin(x.low + (x.high - x.low) * ((double)i / (double)n_cells), x.high);
        place.x.high = end;
        for (place.level = 0; place.level < n_levels; place.level++) {
            struct interval sum = {0, 0};
            for (size_t k = 0; k < n; k++) {
                if (groups[k] != g)
                    continue;
                struct interval c = {coefficients[k], coefficients[k]};
                sum = interval_add(sum, interval_multiply(c, at_place(args[k], &place)));
            }
            if (isnan(sum.low) || isnan(sum.high))
                return (struct interval){-INFINITY, INFINITY};
            hull = interval_hull(hull, sum);
        }
    }
    return hull;
}

static const struct expression *leaf_of(const struct expression *e, int64_t variable)
{
    if (e->op == OP_VARIABLE)
        return (int64_t)e->variable == variable ? e : NULL;
    for (size_t i = 0; i < e->n_args; i++) {
        const struct expression *leaf = leaf_of(e->args[i], variable);
        if (leaf != NULL)
            return leaf;
    }
    return NULL;
}

struct interval expression_joint_range(struct arena *arena, const double *coefficients,
                                       const struct expression *const *args, size_t n)
{
    int64_t *groups = arena_array(arena, n + 1, sizeof *groups);
    bool *counted = arena_array(arena, n + 1, sizeof *counted);
    struct interval total = {coefficients[n], coefficients[n]};
    double size = fabs(coefficients[n]);
    for (size_t k = 0; k < n; k++) {
        const struct expression *code = NULL;
        groups[k] = variable_of(args[k], &code);
        size += fabs(coefficients[k]) * fmax(fabs(args[k]->low), fabs(args[k]->high));
    }
    for (size_t k = 0; k < n; k++) {
        struct interval own = {coefficients[k], coefficients[k]};
        const struct expression *code = NULL;
        size_t members = 0;
        if (counted[k])
            continue;
        for (size_t m = k; m < n && groups[k] >= 0; m++)
            if (groups[m] == groups[k]) {
                counted[m] = true;
                members++;
                (void)variable_of(args[m], &code);
            }
        own = members > 1 ? range_of(coefficients, args, groups, n, groups[k],
                                     (struct interval){leaf_of(args[k], groups[k])->low,
                                                       leaf_of(args[k], groups[k])->high},
                                     code)
                          : interval_multiply(own, (struct interval){args[k]->low, args[k]->high});
        total = interval_add(total, own);
    }
    double room = size * ORDER_SHARE;
    return (struct interval){total.low - room, total.high + room};
}
