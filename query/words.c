#include "query/words.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

static void put(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

static void put_number(struct bytes *out, double value)
{
    char text[32];
    number_format_double(text, value);
    put(out, text);
}

/* What stands between, before or around the arguments of an operator. */
static const struct {
    const char *infix, *prefix;
} spelling[OP_COUNT_] = {
    [OP_ADD] = {" + ", NULL},
    [OP_SUBTRACT] = {" - ", NULL},
    [OP_MULTIPLY] = {" * ", NULL},
    [OP_DIVIDE] = {" / ", NULL},
    [OP_AND] = {" && ", NULL},
    [OP_OR] = {" || ", NULL},
    [OP_EQ] = {" == ", NULL},
    [OP_NE] = {" != ", NULL},
    [OP_LT] = {" < ", NULL},
    [OP_LE] = {" <= ", NULL},
    [OP_GT] = {" > ", NULL},
    [OP_GE] = {" >= ", NULL},
    [OP_CROSS] = {" x ", NULL},
    [OP_NEGATE] = {NULL, "-"},
    [OP_NOT] = {NULL, "!"},
    [OP_LOG] = {NULL, "log"},
    [OP_SQRT] = {NULL, "sqrt"},
    [OP_EXP] = {NULL, "exp"},
    [OP_MIN] = {NULL, "min"},
    [OP_MAX] = {NULL, "max"},
    [OP_LOGISTIC] = {NULL, "logistic"},
    [OP_SOFTPLUS] = {NULL, "softplus"},
    [OP_IS_MISSING] = {NULL, "is_missing"},
    [OP_COMPLETE] = {NULL, "complete"},
    [OP_SELECT] = {NULL, "select"},
    [OP_LOOKUP] = {NULL, "lookup"},
};

static void put_arguments(struct bytes *out, const struct expression *e, const struct dictionary *dictionary,
                          const char *between)
{
    for (size_t i = 0; i < e->n_args; i++) {
        if (i > 0)
            put(out, between);
        expression_words(out, e->args[i], dictionary);
    }
}

static void put_levels(struct bytes *out, const struct expression *e)
{
    const struct expression *code = e->args[0];
    const char *between = "";
    for (size_t level = 0; level < e->n_table; level++) {
        if (e->table[level] == 0.0)
            continue;
        put(out, between);
        put(out, code->levels != NULL && level < code->n_levels ? code->levels[level] : "?");
        between = ", ";
    }
}

void expression_words(struct bytes *out, const struct expression *e, const struct dictionary *dictionary)
{
    switch (e->op) {
    case OP_CONSTANT:
        if (e->kind == EXPRESSION_BOOLEAN)
            put(out, e->value != 0.0 ? "TRUE" : "FALSE");
        else
            put_number(out, e->value);
        return;
    case OP_VARIABLE:
        put(out, dictionary->variables[e->variable].name);
        return;
    case OP_SURV_EXIT:
        put(out, "exit time on the grid");
        return;
    case OP_SURV_ENTRY:
        put(out, "entry time on the grid");
        return;
    case OP_SURV_STATUS:
        put(out, "event");
        return;
    case OP_POWER:
        expression_words(out, e->args[0], dictionary);
        put(out, "^");
        put_number(out, (double)e->integer);
        return;
    case OP_SCALE: /* by public constants */
        put(out, "(");
        expression_words(out, e->args[0], dictionary);
        put(out, " - ");
        put_number(out, e->value);
        put(out, ") / ");
        put_number(out, e->value2);
        return;
    case OP_NOT:
        if (e->args[0]->op != OP_IS_MISSING)
            break;
        expression_words(out, e->args[0]->args[0], dictionary);
        put(out, " known");
        return;
    case OP_SELECT: /* what is missing adds nothing to a sum */
        if (e->args[0]->op != OP_IS_MISSING || e->args[1]->op != OP_CONSTANT || e->args[1]->value != 0.0)
            break;
        expression_words(out, e->args[2], dictionary);
        put(out, " where known");
        return;
    case OP_CODE_OF:
    case OP_BOOLEAN_CODE:
    case OP_NUMBER_OF:
        expression_words(out, e->args[0], dictionary);
        return;
    case OP_LINEAR:
        put(out, "linear predictor of ");
        put_arguments(out, e, dictionary, ", ");
        return;
    case OP_IN_LEVELS:
        expression_words(out, e->args[0], dictionary);
        put(out, " in {");
        put_levels(out, e);
        put(out, "}");
        return;
    case OP_INTERVAL:
        put(out, e->value == 1 ? "days from " : "months from ");
        expression_words(out, e->args[0], dictionary);
        put(out, " to ");
        expression_words(out, e->args[1], dictionary);
        return;
    case OP_CALENDAR:
        put(out, e->integer != 0 ? "month of " : "year of ");
        expression_words(out, e->args[0], dictionary);
        return;
    case OP_RECODE:
        expression_words(out, e->args[0], dictionary);
        put(out, " as ");
        for (uint32_t i = 0; i < e->n_levels; i++) {
            put(out, i > 0 ? ", " : "");
            put(out, e->levels[i]);
        }
        return;
    case OP_CUT:
        expression_words(out, e->args[0], dictionary);
        put(out, " cut at ");
        for (size_t i = 0; i < e->n_table; i++) {
            put(out, i > 0 ? ", " : "");
            put_number(out, e->table[i]);
        }
        return;
    case OP_UNIFORM_BIN:
        expression_words(out, e->args[0], dictionary);
        put(out, " in steps of ");
        put_number(out, e->value2);
        return;
    case OP_INDICATOR:
        expression_words(out, e->args[0], dictionary);
        put(out, " is ");
        if (e->args[0]->levels != NULL && e->integer >= 0 && e->integer < e->args[0]->n_levels)
            put(out, e->args[0]->levels[e->integer]);
        else
            put_number(out, (double)e->integer);
        return;
    default:
        break;
    }
    if (spelling[e->op].infix != NULL) {
        put(out, e->op == OP_CROSS ? "" : "(");
        put_arguments(out, e, dictionary, spelling[e->op].infix);
        put(out, e->op == OP_CROSS ? "" : ")");
        return;
    }
    put(out, spelling[e->op].prefix != NULL ? spelling[e->op].prefix : "?");
    put(out, "(");
    put_arguments(out, e, dictionary, ", ");
    put(out, ")");
}
