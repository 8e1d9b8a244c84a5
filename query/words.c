#include "query/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static void put_number(struct bytes *out, double value)
{
    char text[32];
    number_format_double(text, value);
    bytes_put_text(out, text);
}

/* What stands between or before the arguments of an operator; a part that binds less than what it stands in
 * has brackets. */
enum binding {
    BIND_CROSS,
    BIND_OR,
    BIND_AND,
    BIND_COMPARE,
    BIND_WORDS,
    BIND_ADD,
    BIND_MULTIPLY,
    BIND_POWER,
    BIND_ALL
};

static const struct {
    const char *infix, *prefix;
    enum binding binding; /* of infix */
} spelling[OP_COUNT_] = {
    [OP_ADD] = {" + ", NULL, BIND_ADD},
    [OP_SUBTRACT] = {" - ", NULL, BIND_ADD},
    [OP_MULTIPLY] = {" * ", NULL, BIND_MULTIPLY},
    [OP_DIVIDE] = {" / ", NULL, BIND_MULTIPLY},
    [OP_AND] = {" && ", NULL, BIND_AND},
    [OP_OR] = {" || ", NULL, BIND_OR},
    [OP_EQ] = {" == ", NULL, BIND_COMPARE},
    [OP_NE] = {" != ", NULL, BIND_COMPARE},
    [OP_LT] = {" < ", NULL, BIND_COMPARE},
    [OP_LE] = {" <= ", NULL, BIND_COMPARE},
    [OP_GT] = {" > ", NULL, BIND_COMPARE},
    [OP_GE] = {" >= ", NULL, BIND_COMPARE},
    [OP_CROSS] = {" x ", NULL, BIND_CROSS},
    [OP_LOG] = {NULL, "log", BIND_ALL},
    [OP_SQRT] = {NULL, "sqrt", BIND_ALL},
    [OP_EXP] = {NULL, "exp", BIND_ALL},
    [OP_MIN] = {NULL, "min", BIND_ALL},
    [OP_MAX] = {NULL, "max", BIND_ALL},
    [OP_LOGISTIC] = {NULL, "logistic", BIND_ALL},
    [OP_SOFTPLUS] = {NULL, "softplus", BIND_ALL},
    [OP_IS_MISSING] = {NULL, "is_missing", BIND_ALL},
    [OP_COMPLETE] = {NULL, "complete", BIND_ALL},
    [OP_SELECT] = {NULL, "select", BIND_ALL},
    [OP_LOOKUP] = {NULL, "lookup", BIND_ALL},
};

static void put_expression(struct bytes *out, const struct expression *e, enum binding in,
                           const struct dictionary *dictionary);

static bool is_known(const struct expression *e)
{
    return e->op == OP_NOT && e->args[0]->op == OP_IS_MISSING;
}

/* What is missing adds nothing to a sum. */
static bool is_where_known(const struct expression *e)
{
    return e->op == OP_SELECT && e->args[0]->op == OP_IS_MISSING && e->args[1]->op == OP_CONSTANT &&
           e->args[1]->value == 0.0;
}

static enum binding binding_of(const struct expression *e)
{
    switch (e->op) {
    case OP_CODE_OF:
    case OP_BOOLEAN_CODE:
    case OP_NUMBER_OF:
        return binding_of(e->args[0]);
    case OP_SCALE:
        return BIND_MULTIPLY;
    case OP_POWER:
        return BIND_POWER;
    case OP_CONSTANT:
        return e->kind != EXPRESSION_BOOLEAN && e->value < 0 ? BIND_ADD : BIND_ALL;
    case OP_NEGATE:
        return BIND_MULTIPLY;
    case OP_LINEAR:
        return e->n_args > 0 ? BIND_WORDS : BIND_ALL;
    case OP_IN_LEVELS:
    case OP_INTERVAL:
    case OP_CALENDAR:
    case OP_RECODE:
    case OP_CUT:
    case OP_UNIFORM_BIN:
    case OP_INDICATOR:
        return BIND_WORDS;
    default:
        return is_known(e) || is_where_known(e) ? BIND_WORDS
               : spelling[e->op].infix != NULL  ? spelling[e->op].binding
                                                : BIND_ALL;
    }
}

static void put_arguments(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    for (size_t i = 0; i < e->n_args; i++) {
        bytes_put_text(out, i > 0 ? ", " : "");
        put_expression(out, e->args[i], BIND_CROSS, dictionary);
    }
}

/* Those that are in it, or those that are not. */
static void put_levels(struct bytes *out, const struct expression *e, bool in)
{
    const struct expression *code = e->args[0];
    const char *between = "";
    for (size_t level = 0; level < e->n_table; level++) {
        if ((e->table[level] != 0.0) != in)
            continue;
        bytes_put_text(out, between);
        bytes_put_text(out, code->levels != NULL && level < code->n_levels ? code->levels[level] : "?");
        between = ", ";
    }
}

/* The right side of - and / binds more tightly than the left. */
static void put_infix(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    const enum binding binding = spelling[e->op].binding;
    const bool to_the_left = e->op == OP_SUBTRACT || e->op == OP_DIVIDE || binding == BIND_COMPARE;
    for (size_t i = 0; i < e->n_args; i++) {
        bytes_put_text(out, i > 0 ? spelling[e->op].infix : "");
        put_expression(out, e->args[i], i > 0 && to_the_left ? binding + 1 : binding, dictionary);
    }
}

static void put_cut(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    put_expression(out, e->args[0], BIND_WORDS + 1, dictionary);
    bytes_put_text(out, " cut at {");
    /* Open ends are not shown; where an end is closed, what lies beyond it is left out. */
    const bool open_left = isinf(e->table[0]), open_right = isinf(e->table[e->n_table - 1]);
    for (size_t i = open_left; i < e->n_table - open_right; i++) {
        bytes_put_text(out, i > open_left ? ", " : "");
        put_number(out, e->table[i]);
    }
    bytes_put_text(out, open_left && open_right ? "}" : "} only");
}

/* Of named steps the fewer: those that are in it, or those that are not. */
static void put_named(struct bytes *out, const struct expression *e)
{
    size_t n = 0;
    for (size_t level = 0; level < e->n_table; level++)
        n += e->table[level] != 0.0;
    const bool in = 2 * n <= e->n_table;
    bytes_put_text(out, in ? "one of {" : "none of {");
    put_levels(out, e, in);
    bytes_put_text(out, "}");
}

static void put_indicator(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    const struct expression *code = e->args[0];
    /* The levels of a cut name its breaks. */
    put_expression(out, code->op == OP_CUT ? code->args[0] : code, BIND_WORDS + 1, dictionary);
    bytes_put_text(out, " is ");
    if (code->levels != NULL && e->integer >= 0 && e->integer < code->n_levels)
        bytes_put_text(out, code->levels[e->integer]);
    else
        put_number(out, (double)e->integer);
}

static void put_inside(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    switch (e->op) {
    case OP_CONSTANT:
        if (e->kind == EXPRESSION_BOOLEAN)
            bytes_put_text(out, e->value != 0.0 ? "TRUE" : "FALSE");
        else
            put_number(out, e->value);
        return;
    case OP_VARIABLE:
        bytes_put_text(out, dictionary->variables[e->variable].name);
        return;
    case OP_SURV_EXIT:
        bytes_put_text(out, "exit time on the grid");
        return;
    case OP_SURV_ENTRY:
        bytes_put_text(out, "entry time on the grid");
        return;
    case OP_SURV_STATUS:
        bytes_put_text(out, "event");
        return;
    case OP_SURV_FATE:
        bytes_put_text(out, "what became of the row on the grid");
        return;
    case OP_POWER:
        put_expression(out, e->args[0], BIND_ALL, dictionary);
        bytes_put_text(out, "^");
        put_number(out, (double)e->integer);
        return;
    case OP_SCALE: /* by public constants */
        bytes_put_text(out, "(");
        put_expression(out, e->args[0], BIND_ADD, dictionary);
        bytes_put_text(out, " - ");
        put_number(out, e->value);
        bytes_put_text(out, ") / ");
        put_number(out, e->value2);
        return;
    case OP_NEGATE:
        bytes_put_text(out, "-");
        put_expression(out, e->args[0], BIND_POWER, dictionary);
        return;
    case OP_CODE_OF:
    case OP_BOOLEAN_CODE:
    case OP_NUMBER_OF:
        put_inside(out, e->args[0], dictionary);
        return;
    case OP_LINEAR:
        bytes_put_text(out, "linear predictor");
        bytes_put_text(out, e->n_args > 0 ? " of " : "");
        put_arguments(out, e, dictionary);
        return;
    case OP_IN_LEVELS:
        if (expression_is_named(e->args[0])) { /* the names say what the number means */
            put_named(out, e);
            return;
        }
        put_expression(out, e->args[0], BIND_WORDS + 1, dictionary);
        bytes_put_text(out, " in {");
        put_levels(out, e, true);
        bytes_put_text(out, "}");
        return;
    case OP_INTERVAL:
        bytes_put_text(out, e->value == 1 ? "days from " : "months from ");
        put_expression(out, e->args[0], BIND_WORDS + 1, dictionary);
        bytes_put_text(out, " to ");
        put_expression(out, e->args[1], BIND_WORDS + 1, dictionary);
        return;
    case OP_CALENDAR:
        bytes_put_text(out, e->integer != 0 ? "month of " : "year of ");
        put_expression(out, e->args[0], BIND_WORDS + 1, dictionary);
        return;
    case OP_RECODE:
        if (!expression_is_named(e->args[0])) {
            put_expression(out, e->args[0], BIND_WORDS + 1, dictionary);
            bytes_put_text(out, " as ");
        }
        for (uint32_t i = 0; i < e->n_levels; i++) {
            bytes_put_text(out, i > 0 ? ", " : "");
            bytes_put_text(out, e->levels[i]);
        }
        return;
    case OP_CUT:
        put_cut(out, e, dictionary);
        return;
    case OP_UNIFORM_BIN:
        put_expression(out, e->args[0], BIND_WORDS + 1, dictionary);
        bytes_put_text(out, " in steps of ");
        put_number(out, e->value2);
        return;
    case OP_INDICATOR:
        put_indicator(out, e, dictionary);
        return;
    default:
        break;
    }
    if (is_known(e)) {
        put_expression(out, e->args[0]->args[0], BIND_WORDS + 1, dictionary);
        bytes_put_text(out, " known");
    } else if (is_where_known(e)) {
        put_expression(out, e->args[2], BIND_WORDS, dictionary);
        bytes_put_text(out, " where known");
    } else if (e->op == OP_NOT) {
        bytes_put_text(out, "!");
        put_expression(out, e->args[0], BIND_ALL, dictionary);
    } else if (spelling[e->op].infix != NULL) {
        put_infix(out, e, dictionary);
    } else {
        bytes_put_text(out, spelling[e->op].prefix != NULL ? spelling[e->op].prefix : "?");
        bytes_put_text(out, "(");
        put_arguments(out, e, dictionary);
        bytes_put_text(out, ")");
    }
}

static void put_expression(struct bytes *out, const struct expression *e, enum binding in,
                           const struct dictionary *dictionary)
{
    const bool brackets = binding_of(e) < in;
    bytes_put_text(out, brackets ? "(" : "");
    put_inside(out, e, dictionary);
    bytes_put_text(out, brackets ? ")" : "");
}

void expression_words(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    put_expression(out, e, BIND_CROSS, dictionary);
}
