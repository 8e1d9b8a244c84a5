#include <string.h>

#include "query/expression_labels.h"
#include "query/syntax.h"

/* Operators that R's deparse() writes without spaces (R 4.2, deparse.c: PREC_POWER, PREC_PROD's `/`,
 * PREC_RANGE). */
static bool is_tight(enum syntax_op op)
{
    return op == SYNTAX_DIVIDE || op == SYNTAX_POWER || op == SYNTAX_COLON;
}

static void put_quoted(struct bytes *out, const char *text)
{
    bytes_put_text(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            bytes_put_text(out, "\\");
        bytes_put(out, text, 1);
    }
    bytes_put_text(out, "\"");
}

static void deparse(struct bytes *out, struct arena *arena, const struct syntax *s);

static void deparse_list(struct bytes *out, struct arena *arena, const struct syntax *s)
{
    for (size_t i = 0; i < s->n_args; i++) {
        if (i > 0)
            bytes_put_text(out, ", ");
        if (s->arg_names != NULL && s->arg_names[i] != NULL) {
            bytes_put_text(out, s->arg_names[i]);
            bytes_put_text(out, " = ");
        }
        deparse(out, arena, s->args[i]);
    }
}

static void deparse(struct bytes *out, struct arena *arena, const struct syntax *s)
{
    switch (s->kind) {
    case SYNTAX_NUMBER:
        bytes_put_text(out, expression_labels_of_number(arena, s->number));
        break;
    case SYNTAX_STRING:
        put_quoted(out, s->text);
        break;
    case SYNTAX_NAME:
        bytes_put_text(out, s->text);
        break;
    case SYNTAX_CALL:
        bytes_put_text(out, s->text);
        bytes_put_text(out, "(");
        deparse_list(out, arena, s);
        bytes_put_text(out, ")");
        break;
    case SYNTAX_SET:
        bytes_put_text(out, "{");
        deparse_list(out, arena, s);
        bytes_put_text(out, "}");
        break;
    case SYNTAX_PAREN:
        bytes_put_text(out, "(");
        deparse(out, arena, s->args[0]);
        bytes_put_text(out, ")");
        break;
    case SYNTAX_UNARY:
        bytes_put_text(out, s->spelling);
        deparse(out, arena, s->args[0]);
        break;
    case SYNTAX_BINARY:
        deparse(out, arena, s->args[0]);
        bytes_put_text(out, is_tight(s->op) ? "" : " ");
        bytes_put_text(out, s->spelling);
        bytes_put_text(out, is_tight(s->op) ? "" : " ");
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
