/* One operation over n rows: the loops of evaluate.c, inline so that they are compiled once per instruction
 * set. query/expression.h says what each gives; evaluate.h says what missing and failed mean. Internal to
 * tally/. */
#ifndef TALLY_OPERATION_H
#define TALLY_OPERATION_H

#include "base/number.h"
#include "registry/columns.h"
#include "query/expression.h"
#include "tally/elementary.h"
#include "base/vector.h"

struct operation {
    const struct expression *node;
    const uint8_t *member; /* OP_IN_LEVELS */
    void *out;             /* n doubles or int32 */
    uint8_t *failed;       /* n bytes, or NULL: cannot fail */
    void **args;           /* values of each argument; never the same memory as out */
    uint8_t **args_failed; /* NULL where it cannot fail */
    bool complete;         /* no argument has a missing value in the block at hand */
};

#define OPERATION_MISSING (__builtin_nan(""))

/* --- columns --- */

VECTOR_INLINE bool bit_at(const uint8_t *bits, size_t r)
{
    return bits[r / 8] >> r % 8 & 1;
}

/* Copies, and looks at the bounds of integers before they are widened, in their own lanes. What
 * stands at a missing entry is within the dictionary's bounds too (registry/columns.h). */
#define OPERATION_LOAD(type, flag, to, kind, low, high)                                                      \
    do {                                                                                                     \
        const type *from = (const type *)column->values + first;                                             \
        const type least = (type)(low), greatest = (type)(high);                                             \
        flag beyond = 0;                                                                                     \
        for (size_t r = 0; r < n; r++)                                                                       \
            beyond |= (flag)(!(from[r] >= least) | !(from[r] <= greatest));                                  \
        for (size_t r = 0; r < n; r++)                                                                       \
            (to)[r] = (kind)from[r];                                                                         \
        outside = beyond != 0;                                                                               \
    } while (0)

/* A bound as an integer of the storage: one that the storage cannot hold is no bound. */
VECTOR_INLINE int64_t whole_bound(double bound, int64_t least, int64_t greatest)
{
    if (bound <= (double)least)
        return least;
    return bound >= (double)greatest ? greatest : (int64_t)bound;
}

/* The columns hold steps of the resolution (registry/columns.h), which numerator and denominator make
 * numbers. */
VECTOR_INLINE bool load_number(double *restrict out, const struct operation *o,
                               const struct column_block *column, size_t first, size_t n)
{
    double numerator = o->node->value, denominator = o->node->value2;
    bool is_whole = numerator == 1 && denominator == 1, outside = true;
    /* The bounds are the dictionary's: of whole numbers they are whole. The steps of others are bounded
     * below. */
    double low = is_whole ? o->node->low : -9007199254740992.0,
           high = is_whole ? o->node->high : 9007199254740992.0;
    switch (column->storage) {
    case STORE_INT8:
        OPERATION_LOAD(int8_t, uint8_t, out, double, whole_bound(low, INT8_MIN, INT8_MAX),
                       whole_bound(high, INT8_MIN, INT8_MAX));
        break;
    case STORE_INT16:
        OPERATION_LOAD(int16_t, uint16_t, out, double, whole_bound(low, INT16_MIN, INT16_MAX),
                       whole_bound(high, INT16_MIN, INT16_MAX));
        break;
    case STORE_INT32:
        OPERATION_LOAD(int32_t, uint32_t, out, double, whole_bound(low, INT32_MIN, INT32_MAX),
                       whole_bound(high, INT32_MIN, INT32_MAX));
        break;
    case STORE_INT64:
        OPERATION_LOAD(int64_t, uint64_t, out, double, whole_bound(low, INT64_MIN, INT64_MAX),
                       whole_bound(high, INT64_MIN, INT64_MAX));
        break;
    }
    if (!is_whole) {
        uint64_t beyond = 0;
        for (size_t r = 0; r < n; r++) {
            out[r] = out[r] * numerator / denominator;
            beyond |= (uint64_t)(!(out[r] >= o->node->low) | !(out[r] <= o->node->high));
        }
        outside = outside || beyond != 0;
    }
    for (size_t r = 0; column->missing != NULL && r < n; r++) {
        if (bit_at(column->missing, first + r))
            out[r] = OPERATION_MISSING;
    }
    return !outside;
}

VECTOR_INLINE bool load_code(int32_t *restrict out, const struct operation *o,
                             const struct column_block *column, size_t first, size_t n)
{
    int32_t top = (o->node->kind == EXPRESSION_BOOLEAN ? 2 : (int32_t)o->node->n_levels) - 1;
    bool outside = true;
    switch (column->storage) {
    case STORE_INT8:
        OPERATION_LOAD(int8_t, uint8_t, out, int32_t, 0, whole_bound(top, INT8_MIN, INT8_MAX));
        break;
    case STORE_INT16:
        OPERATION_LOAD(int16_t, uint16_t, out, int32_t, 0, whole_bound(top, INT16_MIN, INT16_MAX));
        break;
    case STORE_INT32:
        OPERATION_LOAD(int32_t, uint32_t, out, int32_t, 0, top);
        break;
    default:
        break; /* no category or boolean is stored so */
    }
    for (size_t r = 0; column->missing != NULL && r < n; r++)
        out[r] = bit_at(column->missing, first + r) ? -1 : out[r];
    return !outside;
}

/* False where a value lies outside of the interval, or of the codes, that the tree was built for. */
VECTOR_INLINE bool operation_load(const struct operation *o, const struct column_block *column, size_t first,
                                  size_t n)
{
    return o->node->kind == EXPRESSION_NUMBER ? load_number(o->out, o, column, first, n)
                                              : load_code(o->out, o, column, first, n);
}

/* --- numbers --- */

/* x^k, k ≥ 0, by squaring from the low bit: x² is x·x as in R. */
VECTOR_INLINE void operation_power(double *out, const double *x, size_t n, int64_t exponent)
{
    uint64_t magnitude = exponent < 0 ? (uint64_t)-exponent : (uint64_t)exponent;
    for (size_t r = 0; r < n; r++) {
        double square = x[r], product = 1;
        for (uint64_t k = magnitude; k > 0; k >>= 1) {
            product = k & 1 ? product * square : product;
            square = square * square;
        }
        product = magnitude == 0 ? (x[r] == x[r] ? 1 : x[r]) : product;
        out[r] = exponent < 0 ? (x[r] == 0 ? 0 : 1 / product) : product;
    }
}

/* log(1 + e^x) = max(x, 0) + log1p(e^−|x|); log1p by log(u) corrected for what 1 + e lost (Kahan). */
VECTOR_INLINE void operation_softplus(double *out, const double *x, size_t n)
{
    double small[128], sum[128];
    for (size_t from = 0; from < n; from += 128) {
        size_t m = n - from < 128 ? n - from : 128;
        for (size_t r = 0; r < m; r++)
            small[r] = x[from + r] > 0 ? -x[from + r] : x[from + r];
        elementary_exp_many(small, small, m);
        for (size_t r = 0; r < m; r++)
            sum[r] = 1 + small[r];
        elementary_log_many(&out[from], sum, m);
        for (size_t r = 0; r < m; r++) {
            double rest = (small[r] - (sum[r] - 1)) / sum[r];
            out[from + r] = (x[from + r] > 0 ? x[from + r] : 0) + (out[from + r] + rest);
        }
    }
}

VECTOR_INLINE void operation_number(const struct operation *o, size_t n)
{
    const struct expression *e = o->node;
    double *restrict out = o->out;
    const double *x = o->args[0], *y = e->n_args > 1 ? o->args[1] : NULL;
    const int32_t *c = o->args[0];
    switch (e->op) {
    case OP_NEGATE:
        for (size_t r = 0; r < n; r++)
            out[r] = -x[r];
        break;
    case OP_ADD:
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] + y[r];
        break;
    case OP_SUBTRACT:
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] - y[r];
        break;
    case OP_MULTIPLY:
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] * y[r];
        break;
    case OP_DIVIDE: /* 0 stands where it fails; NaN still goes through */
        for (size_t r = 0; r < n; r++) {
            double quotient = x[r] / y[r];
            out[r] = y[r] == 0 && x[r] == x[r] ? 0 : quotient;
        }
        break;
    case OP_POWER:
        operation_power(out, x, n, e->integer);
        break;
    case OP_LOG:
        elementary_log_many(out, x, n);
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] <= 0 ? 0 : out[r];
        break;
    case OP_SQRT:
        for (size_t r = 0; r < n; r++) {
            double root = __builtin_sqrt(x[r]);
            out[r] = x[r] < 0 ? 0 : root;
        }
        break;
    case OP_EXP:
        elementary_exp_many(out, x, n);
        break;
    case OP_LOGISTIC:
        for (size_t r = 0; r < n; r++)
            out[r] = -x[r];
        elementary_exp_many(out, out, n);
        for (size_t r = 0; r < n; r++)
            out[r] = 1 / (1 + out[r]);
        break;
    case OP_SOFTPLUS:
        operation_softplus(out, x, n);
        break;
    case OP_SCALE: { /* value2 is a power of two: its reciprocal is exact */
        double middle = e->value, reciprocal = 1 / e->value2;
        for (size_t r = 0; r < n; r++)
            out[r] = (x[r] - middle) * reciprocal;
        break;
    }
    case OP_LINEAR:
        for (size_t r = 0; r < n; r++)
            out[r] = e->n_args == 0 ? e->table[0] : e->table[0] * x[r];
        for (size_t k = 1; k < e->n_args; k++) {
            const double *term = o->args[k];
            double coefficient = e->table[k];
            for (size_t r = 0; r < n; r++)
                out[r] += coefficient * term[r];
        }
        for (size_t r = 0; e->n_args > 0 && r < n; r++)
            out[r] += e->table[e->n_args];
        break;
    case OP_MIN:
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] < y[r] || x[r] != x[r] ? x[r] : y[r];
        break;
    case OP_MAX:
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] > y[r] || x[r] != x[r] ? x[r] : y[r];
        break;
    case OP_SELECT: {
        const double *no = o->args[2];
        for (size_t r = 0; r < n; r++)
            out[r] = c[r] < 0 ? OPERATION_MISSING : c[r] != 0 ? y[r] : no[r];
        break;
    }
    case OP_INTERVAL: {
        double days = e->value;
        for (size_t r = 0; r < n; r++) {
            double span = y[r] - x[r];
            out[r] = span >= 0 ? span / days : OPERATION_MISSING;
        }
        break;
    }
    case OP_CALENDAR:
        for (size_t r = 0; r < n; r++)
            out[r] = x[r] != x[r]      ? OPERATION_MISSING
                     : e->integer != 0 ? (double)number_date_month((int64_t)x[r])
                                       : (double)number_date_year((int64_t)x[r]);
        break;
    case OP_INDICATOR: {
        int32_t level = (int32_t)e->integer;
        for (size_t r = 0; r < n; r++)
            out[r] = c[r] < 0 ? OPERATION_MISSING : c[r] == level ? 1.0 : 0.0;
        break;
    }
    case OP_NUMBER_OF:
        for (size_t r = 0; r < n; r++)
            out[r] = c[r] < 0 ? OPERATION_MISSING : (double)c[r];
        break;
    case OP_LOOKUP:
        for (size_t r = 0; r < n; r++)
            out[r] = c[r] < 0 ? OPERATION_MISSING : e->table[c[r]];
        break;
    default:
        __builtin_unreachable();
    }
}

/* --- booleans and codes --- */

/* With a constant, where nothing is missing: what a cohort mostly says. */
#define OPERATION_COMPARE(operator)                                                                          \
    do {                                                                                                     \
        double edge = e->args[1]->value;                                                                     \
        if (o->complete && e->args[1]->op == OP_CONSTANT) {                                                  \
            for (size_t r = 0; r < n; r++)                                                                   \
                out[r] = x[r] operator edge;                                                                 \
        } else {                                                                                             \
            for (size_t r = 0; r < n; r++)                                                                   \
                out[r] = x[r] != x[r] || y[r] != y[r] ? -1 : x[r] operator y[r];                             \
        }                                                                                                    \
    } while (0)

VECTOR_INLINE void operation_present(int32_t *out, const struct expression *arg, const void *values, size_t n)
{
    const double *x = values;
    const int32_t *c = values;
    if (arg->kind == EXPRESSION_NUMBER) {
        for (size_t r = 0; r < n; r++)
            out[r] &= x[r] == x[r];
    } else {
        for (size_t r = 0; r < n; r++)
            out[r] &= c[r] >= 0;
    }
}

/* Up to so many breaks each is compared with every row. */
enum { CUT_SCAN_MAX = 64 };

/* How many breaks are below each x, or not above it where intervals are closed on the left. */
static inline void operation_cut_search(int32_t *out, const double *x, size_t n, const struct expression *e)
{
    for (size_t r = 0; r < n; r++) {
        size_t low = 0, high = e->n_table;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (e->flag ? x[r] > e->table[middle] : x[r] >= e->table[middle])
                low = middle + 1;
            else
                high = middle;
        }
        out[r] = (int32_t)low;
    }
}

/* Level k where x lies between breaks k and k + 1, closed on the right or on the left; missing outside of
 * them all. */
VECTOR_INLINE void operation_cut(int32_t *out, const double *x, size_t n, const struct expression *e)
{
    for (size_t r = 0; r < n; r++)
        out[r] = 0;
    if (e->n_table > CUT_SCAN_MAX)
        operation_cut_search(out, x, n, e);
    for (size_t k = 0; k < e->n_table && e->n_table <= CUT_SCAN_MAX; k++) {
        double edge = e->table[k];
        if (e->flag) {
            for (size_t r = 0; r < n; r++)
                out[r] += x[r] > edge;
        } else {
            for (size_t r = 0; r < n; r++)
                out[r] += x[r] >= edge;
        }
    }
    int32_t n_levels = (int32_t)e->n_levels;
    double outermost = e->flag ? e->table[0] : e->table[e->n_table - 1];
    for (size_t r = 0; r < n; r++) {
        int32_t level = out[r] - 1;
        if (e->integer != 0 && x[r] == outermost)
            level = e->flag ? 0 : n_levels - 1;
        out[r] = x[r] != x[r] || level < 0 || level >= n_levels ? -1 : level;
    }
}

/* ⌊position⌋ clamped to 0 … n_levels − 1; 0 for NaN. The conversion cuts towards 0, which is the floor of
 * what is not negative. */
VECTOR_INLINE int32_t clamped_floor(double position, int32_t n_levels)
{
    double top = (double)(n_levels - 1);
    double inside = position > 0 ? position : 0;
    return (int32_t)(inside < top ? inside : top);
}

VECTOR_INLINE void operation_code(const struct operation *o, size_t n)
{
    const struct expression *e = o->node;
    int32_t *restrict out = o->out;
    const double *x = e->n_args > 0 ? o->args[0] : NULL, *y = e->n_args > 1 ? o->args[1] : NULL;
    const int32_t *a = e->n_args > 0 ? o->args[0] : NULL, *b = e->n_args > 1 ? o->args[1] : NULL;
    int32_t levels = (int32_t)e->n_levels;
    switch (e->op) {
    case OP_NOT:
        for (size_t r = 0; r < n; r++)
            out[r] = a[r] < 0 ? -1 : 1 - a[r];
        break;
    case OP_AND: /* of 1, −1, 0 the strongest is 0, then −1 */
        for (size_t r = 0; r < n; r++)
            out[r] = a[r] == 0 || b[r] == 0 ? 0 : a[r] < 0 || b[r] < 0 ? -1 : 1;
        break;
    case OP_OR:
        for (size_t r = 0; r < n; r++)
            out[r] = a[r] == 1 || b[r] == 1 ? 1 : a[r] < 0 || b[r] < 0 ? -1 : 0;
        break;
    case OP_EQ:
        OPERATION_COMPARE(==);
        break;
    case OP_NE:
        OPERATION_COMPARE(!=);
        break;
    case OP_LT:
        OPERATION_COMPARE(<);
        break;
    case OP_LE:
        OPERATION_COMPARE(<=);
        break;
    case OP_GT:
        OPERATION_COMPARE(>);
        break;
    case OP_GE:
        OPERATION_COMPARE(>=);
        break;
    case OP_IN_LEVELS:
        for (size_t r = 0; r < n; r++)
            out[r] = a[r] < 0 ? -1 : o->member[a[r]];
        break;
    case OP_IS_MISSING:
    case OP_COMPLETE:
        for (size_t r = 0; r < n; r++)
            out[r] = 1;
        for (size_t k = 0; k < e->n_args; k++)
            operation_present(out, e->args[k], o->args[k], n);
        for (size_t r = 0; e->op == OP_IS_MISSING && r < n; r++)
            out[r] = 1 - out[r];
        break;
    case OP_CUT:
        operation_cut(out, x, n, e);
        break;
    case OP_RECODE:
        for (size_t r = 0; r < n; r++)
            out[r] = a[r] < 0 ? -1 : (int32_t)e->table[a[r]];
        break;
    case OP_UNIFORM_BIN: {
        double low = e->value, width = e->value2, high = low + width * (double)levels;
        for (size_t r = 0; r < n; r++) {
            int32_t code = clamped_floor((x[r] - low) / width, levels);
            out[r] = x[r] < low || x[r] > high || x[r] != x[r] ? -1 : code;
        }
        break;
    }
    case OP_CODE_OF:
        for (size_t r = 0; r < n; r++) {
            double position = x[r] - e->value;
            int32_t code = clamped_floor(position, levels);
            out[r] = (double)code == position ? code : -1;
        }
        break;
    case OP_BOOLEAN_CODE:
        for (size_t r = 0; r < n; r++)
            out[r] = a[r];
        break;
    case OP_CROSS:
        for (size_t r = 0; r < n; r++)
            out[r] = 0;
        for (size_t k = 0; k < e->n_args; k++) {
            const int32_t *code = o->args[k];
            int32_t radix = (int32_t)e->args[k]->n_levels;
            for (size_t r = 0; r < n; r++)
                out[r] = out[r] < 0 || code[r] < 0 ? -1 : out[r] * radix + code[r];
        }
        break;
    default:
        __builtin_unreachable();
    }
}

/* --- failures --- */

VECTOR_INLINE bool value_missing(const struct expression *e, const void *values, size_t r)
{
    return e->kind == EXPRESSION_NUMBER ? ((const double *)values)[r] != ((const double *)values)[r]
                                        : ((const int32_t *)values)[r] < 0;
}

VECTOR_INLINE bool arg_failed(const struct operation *o, size_t k, size_t r)
{
    return o->args_failed[k] != NULL && o->args_failed[k][r] != 0;
}

VECTOR_INLINE bool own_failure(const struct operation *o, size_t r)
{
    const double *x = o->args[0];
    switch (o->node->op) {
    case OP_LOG:
        return x[r] <= 0;
    case OP_SQRT:
        return x[r] < 0;
    case OP_DIVIDE:
        return ((const double *)o->args[1])[r] == 0;
    case OP_POWER:
        return o->node->integer < 0 && x[r] == 0;
    default:
        return false;
    }
}

/* Fills failed[] of an operation that has arguments; for && and || it also settles the value. */
VECTOR_INLINE void operation_fail(const struct operation *o, size_t n)
{
    const struct expression *e = o->node;
    for (size_t r = 0; r < n; r++) {
        bool failed = own_failure(o, r), missing = false;
        if (e->op == OP_SELECT) {
            size_t branch = ((const int32_t *)o->args[0])[r] != 0 ? 1 : 2;
            failed = arg_failed(o, 0, r);
            if (!failed && !value_missing(e->args[0], o->args[0], r))
                failed = arg_failed(o, branch, r);
        } else if (e->op == OP_AND || e->op == OP_OR) {
            int32_t settles = e->op == OP_OR;
            bool settled = false;
            for (size_t k = 0; k < 2; k++) {
                bool this_failed = arg_failed(o, k, r);
                int32_t value = ((const int32_t *)o->args[k])[r];
                settled = settled || (!this_failed && value == settles);
                missing = missing || (!this_failed && value < 0);
                failed = failed || this_failed;
            }
            if (failed)
                ((int32_t *)o->out)[r] = settled ? settles : -1;
            failed = failed && !settled && !missing;
        } else {
            for (size_t k = 0; k < e->n_args; k++) {
                bool this_failed = arg_failed(o, k, r);
                missing = missing || (!this_failed && value_missing(e->args[k], o->args[k], r));
                failed = failed || this_failed;
            }
            failed = failed && !missing;
            /* An argument that failed and one that is missing: missing, whatever stands in for the first. */
            if (missing && e->op == OP_COMPLETE)
                ((int32_t *)o->out)[r] = 0;
        }
        o->failed[r] = failed;
    }
}

#endif
