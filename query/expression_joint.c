/* The bounds of a linear predictor whose terms are functions of the same variables: y + y² cannot be at both
 * ends at once, nor can x, z and x·z. The ranges of up to three variables that terms share are cut into
 * cells, all of these terms are bounded over each cell, and the hull is taken (R. E. Moore, Interval
 * Analysis, 1966, ch. 4). The time between two dates, a year and a month are variables here. IEEE + − × ÷
 * alone: the same bits at every site. */
#include <assert.h>
#include <math.h>

#include "query/expression_bounds.h"

enum { CELLS = 1024, CELLS_TOGETHER = 4096, LEVELS_MAX = 32, ATOMS_MAX = 3 };

/* A sum in another order than a site's differs by less than this share of the sum of the sizes: 2^9 terms,
 * each rounding 2^-53, and room. */
#define ORDER_SHARE 0x1p-42

/* What the terms are functions of. */
struct atoms {
    const struct expression *v[ATOMS_MAX];
    size_t n;
    bool other; /* something else too: such a term is bounded by itself */
};

struct place {
    const struct atoms *atoms;
    struct interval x[ATOMS_MAX];
    const struct expression *code; /* NULL: none is looked at level by level */
    size_t level;
};

static bool same_atom(const struct expression *a, const struct expression *b)
{
    if (a == b)
        return true;
    if (a->op != b->op || a->variable != b->variable || a->integer != b->integer || a->value != b->value ||
        a->flag != b->flag || a->n_args != b->n_args)
        return false;
    for (size_t i = 0; i < a->n_args; i++)
        if (!same_atom(a->args[i], b->args[i]))
            return false;
    return true;
}

static void add_atom(struct atoms *atoms, const struct expression *e)
{
    for (size_t i = 0; i < atoms->n; i++)
        if (same_atom(atoms->v[i], e))
            return;
    if (atoms->n < ATOMS_MAX && isfinite(e->low) && isfinite(e->high))
        atoms->v[atoms->n++] = e;
    else
        atoms->other = true;
}

/* The atoms of a term. Codes are under lookups alone; *code is the first of them. */
static void collect(struct atoms *atoms, const struct expression *e, const struct expression **code)
{
    switch (e->op) {
    case OP_CONSTANT:
        return;
    case OP_VARIABLE:
    case OP_INTERVAL:
    case OP_CALENDAR:
        if (e->kind == EXPRESSION_NUMBER)
            add_atom(atoms, e);
        else
            atoms->other = true;
        return;
    case OP_LOOKUP:
        if (*code == NULL && e->n_table <= LEVELS_MAX)
            *code = e->args[0];
        return;
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
        atoms->other = true;
        return;
    }
    for (size_t i = 0; i < e->n_args; i++)
        collect(atoms, e->args[i], code);
}

static struct interval at_place(const struct expression *e, const struct place *place);

/* Within the node's own bounds too: they hold everywhere. */
static struct interval node_at(const struct expression *e, const struct place *place)
{
    struct interval a = {0, 0}, b = {0, 0};
    const bool atom = e->op == OP_VARIABLE || e->op == OP_INTERVAL || e->op == OP_CALENDAR;
    for (size_t i = 0; atom && i < place->atoms->n; i++)
        if (same_atom(place->atoms->v[i], e))
            return place->x[i];
    if (e->n_args > 0 && e->op != OP_LOOKUP && !atom)
        a = at_place(e->args[0], place);
    if (e->n_args > 1 && !atom)
        b = at_place(e->args[1], place);
    switch (e->op) {
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

/* Terms that are bounded together: those whose group is g. */
struct group {
    const double *coefficients;
    const struct expression *const *args;
    const size_t *groups;
    size_t n, g;
    struct atoms atoms;
    const struct expression *code; /* NULL: no term is looked at level by level */
};

/* Σ coefficients·args of the group at one place. */
static struct interval sum_at(const struct group *group, const struct place *place)
{
    struct interval sum = {0, 0};
    for (size_t k = 0; k < group->n; k++) {
        if (group->groups[k] != group->g)
            continue;
        struct interval c = {group->coefficients[k], group->coefficients[k]};
        sum = interval_add(sum, interval_multiply(c, at_place(group->args[k], place)));
    }
    return sum;
}

/* Cell i of n of [low, high]. */
static struct interval cell_of(const struct expression *atom, size_t i, size_t n)
{
    double width = atom->high - atom->low;
    return (struct interval){
        i == 0 ? atom->low : fmin(atom->low + width * ((double)i / (double)n), atom->high),
        i + 1 == n ? atom->high : fmin(atom->low + width * ((double)(i + 1) / (double)n), atom->high)};
}

/* The hull over the cells of the atoms and the levels of the code. */
static struct interval range_of(const struct group *group)
{
    struct interval hull = {INFINITY, -INFINITY};
    const struct atoms *atoms = &group->atoms;
    const struct expression *code = group->code;
    size_t n_levels = code != NULL && code->n_levels > 0 && code->n_levels <= LEVELS_MAX ? code->n_levels : 1;
    size_t most = (atoms->n > 1 ? CELLS_TOGETHER : CELLS) / n_levels, side = 1, n_cells = 1;
    while (true) {
        size_t next = 1;
        for (size_t i = 0; i < atoms->n; i++)
            next *= side + 1;
        if (next > most)
            break;
        side++;
    }
    for (size_t i = 0; i < atoms->n; i++)
        n_cells *= side;
    struct place place = {.atoms = atoms, .code = n_levels > 1 ? code : NULL};
    for (size_t cell = 0; cell < n_cells; cell++) {
        size_t left = cell;
        for (size_t i = 0; i < atoms->n; i++, left /= side)
            place.x[i] = cell_of(atoms->v[i], left % side, side);
        for (place.level = 0; place.level < n_levels; place.level++) {
            struct interval sum = sum_at(group, &place);
            if (isnan(sum.low) || isnan(sum.high))
                return (struct interval){-INFINITY, INFINITY};
            hull = interval_hull(hull, sum);
        }
    }
    return hull;
}

/* Adds the atoms of one to those of another; false, and nothing changed, where they are too many. */
static bool join(struct atoms *into, const struct atoms *more)
{
    struct atoms both = *into;
    for (size_t i = 0; i < more->n; i++)
        add_atom(&both, more->v[i]);
    if (both.other)
        return false;
    *into = both;
    return true;
}

static bool share(const struct atoms *a, const struct atoms *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            if (same_atom(a->v[i], b->v[k]))
                return true;
    return false;
}

/* Puts every term into the group of an earlier one whose atoms it shares, as long as that has no more than
 * ATOMS_MAX then; groups[k] is the first term of a group. Terms of more than one atom come first: they say
 * what belongs together. */
static void gather(size_t *groups, struct atoms *atoms, size_t n)
{
    for (size_t k = 0; k < n; k++)
        groups[k] = k;
    for (size_t many = ATOMS_MAX; many > 0; many--)
        for (size_t k = 0; k < n; k++) {
            if (groups[k] != k || atoms[k].other || atoms[k].n != many)
                continue;
            for (size_t m = 0; m < n; m++) {
                if (m == k || groups[m] != m || atoms[m].other || atoms[m].n == 0 ||
                    !share(&atoms[k], &atoms[m]) || !join(&atoms[k], &atoms[m]))
                    continue;
                for (size_t i = 0; i < n; i++)
                    groups[i] = groups[i] == m ? k : groups[i];
            }
        }
}

struct interval expression_joint_range(struct arena *arena, const double *coefficients,
                                       const struct expression *const *args, size_t n)
{
    size_t *groups = arena_array(arena, n + 1, sizeof *groups);
    struct atoms *atoms = arena_array(arena, n + 1, sizeof *atoms);
    const struct expression **codes = arena_array(arena, n + 1, sizeof *codes);
    struct interval total = {coefficients[n], coefficients[n]};
    double size = fabs(coefficients[n]);
    for (size_t k = 0; k < n; k++) {
        collect(&atoms[k], args[k], &codes[k]);
        size += fabs(coefficients[k]) * fmax(fabs(args[k]->low), fabs(args[k]->high));
    }
    gather(groups, atoms, n);
    for (size_t k = 0; k < n; k++) {
        struct interval own = {coefficients[k], coefficients[k]};
        size_t members = 0;
        struct group group = {
            .coefficients = coefficients, .args = args, .groups = groups, .n = n, .g = k, .atoms = atoms[k]};
        for (size_t m = 0; m < n; m++) {
            members += groups[m] == k;
            if (groups[m] == k && group.code == NULL)
                group.code = codes[m];
        }
        if (members > 0)
            total = interval_add(
                total, members > 1 ? range_of(&group)
                                   : interval_multiply(own, (struct interval){args[k]->low, args[k]->high}));
    }
    double room = size * ORDER_SHARE;
    return (struct interval){total.low - room, total.high + room};
}
