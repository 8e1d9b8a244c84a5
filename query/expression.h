/* Typed expressions over the variables of one patient's row: what a cohort, a derived variable, a term, a
 * weight or a group is made of. A tree of these is what a study asks, what a site evaluates, and what the
 * layout hash covers.
 *
 * Built only by the constructors below (by the parsers, and by stats/ for its own terms): each constructor
 * checks the types of its arguments and works out the interval of its values, so a tree that exists is well
 * typed and bounded or says so.
 *
 * Three machine kinds:
 *   NUMBER   a double; missing is NaN
 *   BOOLEAN  0 or 1 as int32; missing is −1
 *   CODE     0 … n_levels−1 as int32; missing is −1        (a category, a cut, a time bin)
 */
#ifndef QUERY_EXPRESSION_H
#define QUERY_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "query/dictionary.h"

enum expression_kind { EXPRESSION_NUMBER, EXPRESSION_BOOLEAN, EXPRESSION_CODE };

enum expression_op {
    /* leaves */
    OP_CONSTANT,   /* NUMBER value (a boolean constant is 0 or 1 as BOOLEAN) */
    OP_VARIABLE,   /* kind by the variable's type */
    OP_SURV_EXIT,  /* CODE: exit bin of the row's follow-up (tally_survival); missing where the row is dropped
                    */
    OP_SURV_ENTRY, /* CODE: entry bin */
    OP_SURV_STATUS, /* CODE: 0 censored, k event of type k, after the grid's rules */
    OP_SURV_FATE,   /* CODE: what became of the row (enum tally_fate); missing for fates from n_levels on */
    /* NUMBER → NUMBER */
    OP_NEGATE,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE, /* division by 0: a domain error of the row */
    OP_POWER,  /* args[0] to the integer `integer` (−16 … 16), by multiplication */
    OP_LOG,
    OP_SQRT,
    OP_EXP,      /* log of ≤ 0, sqrt of < 0: a domain error of the row */
    OP_LOGISTIC, /* 1/(1+exp(−x)) */
    OP_SOFTPLUS, /* log(1+exp(x)) */
    OP_SCALE,    /* (x − value) / value2, value2 a power of two: rule 3 of docs/decisions (exact bits) */
    OP_LINEAR,   /* Σ table[j]·args[j] + table[n_args], summed in this order */
    OP_MIN,
    OP_MAX,      /* of two */
    OP_SELECT,   /* BOOLEAN args[0] ? NUMBER args[1] : NUMBER args[2]; missing where args[0] is */
    OP_INTERVAL, /* (args[1] − args[0]) / value, two days and the days of a unit; missing where negative.
                    `flag`: the dictionary promises that it never is */
    OP_CALENDAR, /* year (integer 0) or month 1 … 12 (integer 1) of the day args[0] */
    /* → BOOLEAN */
    OP_NOT,
    OP_AND,
    OP_OR, /* three-valued, as R: FALSE && NA is FALSE, TRUE || NA is TRUE */
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,         /* of numbers; missing where either is */
    OP_IN_LEVELS,  /* CODE args[0] is one of the levels whose table entry is 1 (table has n_levels entries of
                      the argument) */
    OP_IS_MISSING, /* any kind; never missing */
    OP_COMPLETE,   /* all args present; never missing; no args: true */
    /* → CODE */
    OP_CUT, /* NUMBER cut at table (ascending, the ends maybe infinite): n_table breaks → n_table − 1 levels,
               missing outside of them; `flag` right; integer 1: the outermost break belongs to its level */
    OP_RECODE, /* CODE args[0] → table[code], −1: missing */
    OP_UNIFORM_BIN, /* ⌊(x − value)/value2⌋ clamped to 0 … n_levels−1 where x lies in the closed range, else
                       missing */
    OP_CODE_OF, /* integer-valued NUMBER as a code: x − value, 0 … n_levels−1 (factor() of a number) */
    OP_BOOLEAN_CODE, /* BOOLEAN as a code of two levels, FALSE first */
    OP_CROSS,        /* Σ in mixed radix of CODE args, the last fastest; missing where any is */
    /* CODE or BOOLEAN → NUMBER */
    OP_INDICATOR, /* 1 where CODE args[0] is `integer`, else 0 */
    OP_NUMBER_OF, /* BOOLEAN as 0 or 1; CODE as its index */
    OP_LOOKUP,    /* table[CODE args[0]]: the one way in which totals come back */
    OP_COUNT_     /* last */
};

enum { EXPRESSION_NODES_MAX = 20000, EXPRESSION_DEPTH_MAX = 64, EXPRESSION_TABLE_MAX = 1 << 20 };

struct expression {
    enum expression_op op;
    enum expression_kind kind;
    double low, high; /* NUMBER: interval of its values, maybe infinite. Missing values are outside of it */
    double step;      /* NUMBER: every value is a multiple of step (0: unknown). Integers have 1 */
    double lattice;   /* NUMBER: every value lies within a 2^-16th of it of a multiple of it (0: unknown): the
                       * step   that is meant, where decimals were rounded before and after they were added */
    uint32_t n_levels;         /* CODE */
    const char *const *levels; /* CODE: names as R gives them, or NULL (time bins) */
    uint32_t variable;         /* OP_VARIABLE: index in the dictionary */
    int64_t integer;           /* OP_POWER exponent, OP_INDICATOR level */
    double value, value2;
    bool flag;
    const double *table; /* OP_LINEAR, OP_LOOKUP, OP_CUT, OP_RECODE, OP_IN_LEVELS; not owned: in the arena, or
                            in θ that outlives it */
    size_t n_table;
    const struct expression *const *args;
    size_t n_args;
    uint32_t n_nodes; /* of the whole tree, each shared branch counted as often as it is used; saturates */
    uint32_t depth;   /* 1 for a leaf */
    int line, column; /* where it was written; 0 where stats/ made it */
};

/* As the grid of a study has it. */
#define EXPRESSION_DAYS_IN_MONTH 30.4375

/* --- constructors: all in arena; NULL is never returned; wrong kinds are a bug of the caller (assert) unless
 * an error parameter is there. Bounds, step and levels are filled in. --- */
const struct expression *expression_constant(struct arena *, double value);
const struct expression *expression_true(struct arena *);
const struct expression *expression_variable(struct arena *, const struct dictionary *, uint32_t index);
/* Does a leaf of this kind read the follow-up? */
static inline bool expression_op_follows_up(enum expression_op op)
{
    return op >= OP_SURV_EXIT && op <= OP_SURV_FATE;
}

/* survival leaves: op one of OP_SURV_*; n_levels bins, event types or fates */
const struct expression *expression_survival(struct arena *, enum expression_op op, uint32_t n_levels);
const struct expression *expression_unary(struct arena *, enum expression_op op, const struct expression *);
const struct expression *expression_binary(struct arena *, enum expression_op op, const struct expression *,
                                           const struct expression *);
const struct expression *expression_power(struct arena *, const struct expression *, int exponent);
const struct expression *expression_absolute(struct arena *, const struct expression *);
const struct expression *expression_scale(struct arena *, const struct expression *, double middle,
                                          double half);
/* From one day to another in units of so many days; missing where negative, which `ordered` rules out. */
const struct expression *expression_interval(struct arena *, const struct expression *from,
                                             const struct expression *to, double days, bool ordered);
/* Year or month of a day. */
const struct expression *expression_calendar(struct arena *, const struct expression *day, bool month);
/* coefficients: n + 1 numbers, the last is the constant */
const struct expression *expression_linear(struct arena *, const double *coefficients,
                                           const struct expression *const *args, size_t n);
/* The same node; its bounds are those of the terms of one variable together (query/expression_joint.c). */
const struct expression *expression_predictor(struct arena *, const double *coefficients,
                                              const struct expression *const *args, size_t n);
const struct expression *expression_select(struct arena *, const struct expression *condition,
                                           const struct expression *yes, const struct expression *no);
const struct expression *expression_and(struct arena *, const struct expression *,
                                        const struct expression *); /* NULL: the other */
const struct expression *expression_in_levels(struct arena *, const struct expression *code,
                                              const double *member);
const struct expression *expression_in_level(struct arena *, const struct expression *code, size_t level);
const struct expression *expression_complete(struct arena *, const struct expression *const *args, size_t n);
/* R's cut(): n ≥ 2 ascending breaks, the first maybe −∞, the last maybe ∞; missing outside of them. labels:
 * NULL for R's own, else n − 1 of them. */
struct cut_style {
    bool right, include_lowest;
    const char *const *labels;
};
const struct expression *expression_cut(struct arena *, const struct expression *, const double *breaks,
                                        size_t n, struct cut_style style);
/* The same with open ends put around n ≥ 1 finite breaks: n + 1 levels without names. */
const struct expression *expression_cut_open(struct arena *, const struct expression *, const double *breaks,
                                             size_t n, bool right);
/* Level table[l] for level l, −1: missing. levels: n of them. */
const struct expression *expression_recode(struct arena *, const struct expression *code, const double *table,
                                           const char *const *levels, size_t n);
const struct expression *expression_uniform_bin(struct arena *, const struct expression *, double low,
                                                double width, uint32_t n_bins);
/* The same steps with names (n_bins of them), which a person reads in place of the number: of a method's own
 * making. */
const struct expression *expression_named_bin(struct arena *, const struct expression *,
                                              const char *const *names, uint32_t n_bins);
static inline bool expression_is_named(const struct expression *e)
{
    return e->op == OP_UNIFORM_BIN && e->levels != NULL;
}
/* A category as itself, a boolean as {FALSE, TRUE}, an integer-valued bounded number (≤ 1000 values) as its
 * values. */
enum maille_code expression_as_code(const struct expression **, struct arena *, const struct expression *,
                                    struct maille_error *) MAILLE_CHECKED;
const struct expression *expression_cross(struct arena *, const struct expression *const *codes, size_t n);
const struct expression *expression_indicator(struct arena *, const struct expression *code, uint32_t level);
const struct expression *expression_number_of(struct arena *, const struct expression *);
const struct expression *expression_lookup(struct arena *, const double *table, size_t n,
                                           const struct expression *code);

/* The middle m of the interval and the power of two h that covers its half-range, so that |(x−m)/h| ≤ 1
 * exactly. MAILLE_FAILED with the column when the interval is infinite ("expected a bounded expression"). */
enum maille_code expression_unit_scale(double *middle, double *half, const struct expression *,
                                       const char *label, struct maille_error *) MAILLE_CHECKED;

/* Whether the tree is missing for some values of its variables that are there: outside of a cut's breaks, a
 * level that a recoding leaves out, an interval that is negative, and where one variable's value decides
 * whether another's absence matters (`a & b`, `a | b`, ifelse). */
bool expression_is_partial(const struct expression *);

/* The greatest lattice of which both are multiples, or 0; a lattice of 0 (the constant 0) is any. */
double expression_common_lattice(double a, double b);

/* What the dictionary calls a level of a category or a boolean (0 FALSE, 1 TRUE), for people: where the level
 * is one of a variable's under its own name, however ordered. NULL: nothing else than its name. */
const char *expression_level_label(const struct expression *, const struct dictionary *, size_t level);

/* Marks (used[index] = true) every dictionary variable that the tree reads. */
void expression_variables(const struct expression *, bool *used);

/* Canonical bytes: equal for equal trees, the basis of the layout hash. */
void expression_serialise(struct bytes *, const struct expression *);

/* R's deparse of what was parsed is kept by the formula, not here. */

/* --- the parsers --- */

/* Names that were defined before: `derive:` of a study. */
struct derived {
    const char *name;
    const struct expression *expression;
};

struct expression_scope {
    const struct dictionary *dictionary;
    const struct derived *derived;
    size_t n_derived;
    const char *file;       /* for errors */
    int line, column;       /* of the first character of the text */
    bool category_response; /* may a category stand on the left of ~? */
};

/* An expression of `cohort` or `derive`: && || ! & | == != < <= > >= + - * / in {…} %in% c(…) is_missing()
 * is.na() log() sqrt() exp() cut(); strings in double quotes; dates as "YYYY-MM-DD"; grade == 3 accepted for
 * the level "3". Missing: `in {…}` is missing where its left side is, as == is; %in% is then FALSE, as in R.
 * Every number in the tree is bounded. Errors: MAILLE_INVALID with file:line:column, what was expected and
 * found, and the nearest name for an unknown one. */
enum maille_code expression_parse(const struct expression **, struct arena *, const struct expression_scope *,
                                  const char *text, struct maille_error *) MAILLE_CHECKED;

#endif
