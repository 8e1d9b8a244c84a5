#include <string.h>

#include "query/expression_labels.h"
#include "query/syntax.h"

/* Operators that R's deparse() writes without spaces (R 4.2, deparse.c: PREC_POWER, PREC_PROD's `/`,
 * PREC_RANGE). */
static bool is_tight(enum syntax_op op)
{
    return op == SYNTAX_DIVIDE || op == SYNTAX_POWER || op == SYNTAX_COLON;
}

static void put(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

static void put_quoted(struct bytes *out, const char *text)
{
    put(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            put(out, "\\");
        bytes_put(out, text, 1);
    }
    put(out, "\"");
}

static void deparse(struct bytes *out, struct arena *arena, const struct syntax *s);

static void deparse_list(struct bytes *out, struct arena *arena, const struct syntax *s)
{
    for (size_t i = 0; i < s->n_args; i++) {
        if (i > 0)
            put(out, ", ");
        if (s->arg_names != NULL && s->arg_names[i] != NULL) {
            put(out, s->arg_names[i]);
            put(out, " = ");
        }
        deparse(out, arena, s->args[i]);
    }
}

static void deparse(struct bytes *out, struct arena *arena, const struct syntax *s)
{
    switch (s->kind) {
    case SYNTAX_NUMBER:
        put(out, expression_labels_of_number(arena, s->number));
        break;
    case SYNTAX_STRING:
        put_quoted(out, s->text);
        break;
    case SYNTAX_NAME:
        put(out, s->text);
        break;
    case SYNTAX_CALL:
        put(out, s->text);
        put(out, "(");
        deparse_list(out, arena, s);
        put(out, ")");
        break;
    case SYNTAX_SET:
        put(out, "{");
        deparse_list(out, arena, s);
        put(out, "}");
        break;
    case SYNTAX_PAREN:
        put(out, "(");
        deparse(out, arena, s->args[0]);
        put(out, ")");
        break;
    case SYNTAX_UNARY:
        put(out, s->spelling);
        deparse(out, arena, s->args[0]);
        break;
    case SYNTAX_BINARY:
        deparse(out, arena, s->args[0]);
        put(out, is_tight(s->op) ? "" : " ");
        put(out, s->spelling);
        put(out, is_tight(s->op) ? "" : " ");
        deparse(out, arena, s->args[1]);
        break;
    }
}

const char *syntax_deparse(struct arena *arena, const struct syntax *s)
{
    struct bytes out = {0};
    deparse(&out, arena, s);
    const char *text = arena_strndup(arena, out.data == NULL ? "" : (const char *)out.data, out.length);
    bytes_clear(&out);
    return text;
}
