#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "query/expression_type.h"

/* Types what was written: names become variables, operators become nodes, and every number must be bounded.
 * Comparisons, which know levels and dates, are in expression_compare.c. */

const struct expression *expression_placed(const struct expression *e, const struct syntax *s)
{
    ((struct expression *)e)->line = s->line;
    ((struct expression *)e)->column = s->column;
    return e;
}

const char *expression_noun(const struct expression *e, const struct dictionary *dictionary)
{
    if (e->kind == EXPRESSION_CODE)
        return "a category";
    if (e->kind == EXPRESSION_BOOLEAN)
        return "a boolean";
    if (e->op == OP_VARIABLE && dictionary->variables[e->variable].type == VARIABLE_DATE)
        return "a date";
    return "a number";
}

/* What every new node must keep: finite bounds and the limits of size. */
static enum maille_code check_node(const struct expression *e, const struct expression_scope *scope,
                                   const struct syntax *s, struct maille_error *error)
{
    if (e->depth > EXPRESSION_WRITTEN_DEPTH_MAX)
        return syntax_fail(error, scope, s,
                           "expected at most %d operations inside each other; write it shorter",
                           EXPRESSION_WRITTEN_DEPTH_MAX);
    if (e->n_nodes > EXPRESSION_NODES_MAX)
        return syntax_fail(error, scope, s,
                           "expected at most %d operations in one expression; write it shorter",
                           EXPRESSION_NODES_MAX);
    if (e->kind != EXPRESSION_NUMBER || (isfinite(e->low) && isfinite(e->high)))
        return MAILLE_OK;
    switch (e->op) {
    case OP_LOG:
        return syntax_fail(
            error, scope, s,
            "expected the logarithm of something above 0, found an argument that can be as low as %g; add "
            "a constant, e.g. log(x + 1)",
            e->args[0]->low);
    case OP_DIVIDE:
    case OP_POWER:
        return syntax_fail(
            error, scope, s,
            "expected a divisor that is never 0, found one between %g and %g; add a constant to it",
            e->op == OP_DIVIDE ? e->args[1]->low : e->args[0]->low,
            e->op == OP_DIVIDE ? e->args[1]->high : e->args[0]->high);
    default:
        return syntax_fail(
            error, scope, s,
            "expected an expression whose values stay bounded, found one from %g to %g; scale its "
            "variables",
            e->low, e->high);
    }
}

/* Not here, and where then? */
static enum maille_code unknown_name(const struct expression_scope *scope, struct arena *arena,
                                     const struct syntax *s, struct maille_error *error)
{
    const struct dictionary *d = scope->dictionary;
    const char **names = arena_array(arena, d->n_variables + scope->n_derived + 1, sizeof *names);
    size_t n = 0;
    if (strcmp(s->text, "site") == 0)
        return syntax_fail(
            error, scope, s,
            "expected a variable, found `site`: it is legal only inside strata() and cluster(), anywhere "
            "else it would release one site's numbers");
    if (strcmp(s->text, d->key) == 0)
        return syntax_fail(error, scope, s,
                           "expected a variable, found the key `%s`: the pseudonym is named in "
                           "cluster() alone",
                           s->text);
    if (strcmp(s->text, "NA") == 0)
        return syntax_fail(error, scope, s, "expected a value, found NA; write is_missing(x)");
    for (size_t i = 0; i < scope->n_derived; i++)
        names[n++] = scope->derived[i].name;
    for (size_t i = 0; i < d->n_variables; i++)
        names[n++] = d->variables[i].name;
    const char *nearest = dictionary_nearest_name(s->text, names, n);
    if (nearest != NULL)
        return syntax_fail(error, scope, s,
                           "expected a variable of the dictionary `%s`, found `%.80s`; did you mean `%s`?",
                           d->name, s->text, nearest);
    return syntax_fail(error, scope, s, "expected a variable of the dictionary `%s`, found `%.80s`", d->name,
                       s->text);
}

enum maille_code expression_of_name(const struct expression **out, struct arena *arena,
                                    const struct expression_scope *scope, const struct syntax *s,
                                    struct maille_error *error)
{
    for (size_t i = 0; i < scope->n_derived; i++)
        if (strcmp(scope->derived[i].name, s->text) == 0) {
            if (scope->derived[i].expression == NULL)
                return syntax_fail(error, scope, s, "expected a variable, found `%s`, " EXPRESSION_SPOILT,
                                   s->text);
            *out = scope->derived[i].expression;
            return MAILLE_OK;
        }
    int index = dictionary_find(scope->dictionary, s->text);
    if (index < 0)
        return unknown_name(scope, arena, s, error);
    *out = expression_placed(expression_variable(arena, scope->dictionary, (uint32_t)index), s);
    return MAILLE_OK;
}

/* --- literals --- */

bool syntax_is_number(const struct syntax *s, bool infinite, double *value)
{
    s = syntax_bare(s);
    if (s->kind == SYNTAX_UNARY && (s->op == SYNTAX_SUBTRACT || s->op == SYNTAX_ADD)) {
        double inner;
        if (!syntax_is_number(s->args[0], infinite, &inner))
            return false;
        *value = s->op == SYNTAX_SUBTRACT ? -inner : inner;
        return true;
    }
    if (infinite && s->kind == SYNTAX_NAME && strcmp(s->text, "Inf") == 0) {
        *value = INFINITY;
        return true;
    }
    if (s->kind != SYNTAX_NUMBER)
        return false;
    *value = s->number;
    return true;
}

/* right = TRUE, in any of the spellings of R and of this language. */
bool syntax_is_flag(const struct syntax *s, bool *value)
{
    if (s->kind != SYNTAX_NAME)
        return false;
    if (strcmp(s->text, "TRUE") == 0 || strcmp(s->text, "true") == 0 || strcmp(s->text, "T") == 0)
        *value = true;
    else if (strcmp(s->text, "FALSE") == 0 || strcmp(s->text, "false") == 0 || strcmp(s->text, "F") == 0)
        *value = false;
    else
        return false;
    return true;
}

static bool is_call(const struct syntax *s, const char *name)
{
    return s->kind == SYNTAX_CALL && strcmp(s->text, name) == 0;
}

enum maille_code syntax_numbers(double **values, size_t *n, struct arena *arena,
                                const struct expression_scope *scope, const struct syntax *s, size_t n_max,
                                struct maille_error *error)
{
    if (!is_call(s, "c") || s->n_args == 0)
        return syntax_fail(error, scope, s, "expected a list of numbers such as c(1, 4, 10)");
    if (s->n_args > n_max)
        return syntax_fail(error, scope, s, "expected at most %zu numbers, found %zu", n_max, s->n_args);
    double *list = arena_array(arena, s->n_args, sizeof *list);
    for (size_t i = 0; i < s->n_args; i++)
        if (s->arg_names[i] != NULL || !syntax_is_number(s->args[i], true, &list[i]))
            return syntax_fail(error, scope, s->args[i], "expected a number in c(…), found `%.80s`",
                               syntax_deparse(arena, s->args[i]));
    *values = list;
    *n = s->n_args;
    return MAILLE_OK;
}

/* --- operators --- */

static enum maille_code type_boolean(const struct expression **out, struct arena *arena,
                                     const struct expression_scope *scope, const struct syntax *s,
                                     const char *spelling, struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(expression_of_syntax(&x, arena, scope, s, error));
    if (x->kind != EXPRESSION_BOOLEAN)
        code =
            syntax_fail(error, scope, s, "expected a boolean beside `%s`, found %s; compare it with a value",
                        spelling, expression_noun(x, scope->dictionary));
    else
        *out = x;
out:
    return code;
}

/* A number, or a quotient of two such as (1/3). */
static bool is_exponent(const struct syntax *s, double *value)
{
    double above, below;
    if (syntax_is_number(s, false, value))
        return true;
    s = syntax_bare(s);
    if (s->kind != SYNTAX_BINARY || s->op != SYNTAX_DIVIDE || !syntax_is_number(s->args[0], false, &above) ||
        !syntax_is_number(s->args[1], false, &below) || below == 0)
        return false;
    *value = above / below;
    return true;
}

/* x^exponent of a number that is no whole one: halves by the root, which is exact where the root is; all
 * others by exp(exponent·log x), above 0 alone. */
static const struct expression *broken_power(struct arena *arena, const struct expression *x, double exponent,
                                             const struct syntax *s)
{
    double whole = floor(exponent);
    if (exponent - whole != 0.5)
        return expression_unary(arena, OP_EXP,
                                expression_binary(arena, OP_MULTIPLY, expression_constant(arena, exponent),
                                                  expression_placed(expression_unary(arena, OP_LOG, x), s)));
    if (exponent < 0) {
        x = expression_binary(arena, OP_DIVIDE, expression_constant(arena, 1), x);
        whole = -whole - 1;
    }
    const struct expression *root = expression_placed(expression_unary(arena, OP_SQRT, x), s);
    return whole == 0 ? root
                      : expression_binary(arena, OP_MULTIPLY, expression_power(arena, x, (int)whole), root);
}

static enum maille_code type_power(const struct expression **out, struct arena *arena,
                                   const struct expression_scope *scope, const struct syntax *s,
                                   struct maille_error *error)
{
    enum maille_code code;
    const struct expression *base;
    double exponent;
    MAILLE_TRY(expression_number_of_syntax(&base, arena, scope, s->args[0], error));
    if (!is_exponent(s->args[1], &exponent) || fabs(exponent) > 16)
        code = syntax_fail(error, scope, s->args[1], "expected an exponent from -16 to 16, found `%.80s`",
                           syntax_deparse(arena, s->args[1]));
    else if (exponent == nearbyint(exponent))
        *out = expression_placed(expression_power(arena, base, (int)exponent), s);
    else if (base->low < 0 || (base->low == 0 && base->step == 0 && exponent < 0))
        code = syntax_fail(error, scope, s,
                           "expected something from 0 up under a power that is no whole number, found that "
                           "`%.80s` can be %g",
                           syntax_deparse(arena, s->args[0]), base->low);
    else
        *out = expression_placed(broken_power(arena, base, exponent, s), s);
out:
    return code;
}

static enum maille_code type_binary(const struct expression **out, struct arena *arena,
                                    const struct expression_scope *scope, const struct syntax *s,
                                    struct maille_error *error)
{
    enum maille_code code;
    const struct expression *a = NULL, *b = NULL;
    enum expression_op op;
    switch (s->op) {
    case SYNTAX_OR:
    case SYNTAX_AND:
        MAILLE_TRY(type_boolean(&a, arena, scope, s->args[0], s->spelling, error));
        MAILLE_TRY(type_boolean(&b, arena, scope, s->args[1], s->spelling, error));
        op = s->op == SYNTAX_OR ? OP_OR : OP_AND;
        break;
    case SYNTAX_ADD:
    case SYNTAX_SUBTRACT:
    case SYNTAX_MULTIPLY:
    case SYNTAX_DIVIDE:
        MAILLE_TRY(expression_number_of_syntax(&a, arena, scope, s->args[0], error));
        MAILLE_TRY(expression_number_of_syntax(&b, arena, scope, s->args[1], error));
        op = s->op == SYNTAX_ADD        ? OP_ADD
             : s->op == SYNTAX_SUBTRACT ? OP_SUBTRACT
             : s->op == SYNTAX_MULTIPLY ? OP_MULTIPLY
                                        : OP_DIVIDE;
        break;
    case SYNTAX_POWER:
        code = type_power(out, arena, scope, s, error);
        goto out;
    case SYNTAX_IN:
    case SYNTAX_IN_R:
        code = expression_of_membership(out, arena, scope, s, error);
        goto out;
    case SYNTAX_TILDE:
    case SYNTAX_COLON:
        code = syntax_fail(error, scope, s,
                           "expected an expression, found `%s`, which stands in formulas only", s->spelling);
        goto out;
    default:
        code = expression_of_comparison(out, arena, scope, s, error);
        goto out;
    }
    *out = expression_placed(expression_binary(arena, op, a, b), s);
out:
    return code;
}

static enum maille_code type_unary(const struct expression **out, struct arena *arena,
                                   const struct expression_scope *scope, const struct syntax *s,
                                   struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x = NULL;
    double value;
    if (syntax_is_number(s, false, &value)) {
        *out = expression_placed(expression_constant(arena, value), s);
        return MAILLE_OK;
    }
    switch (s->op) {
    case SYNTAX_NOT:
        MAILLE_TRY(type_boolean(&x, arena, scope, s->args[0], "!", error));
        *out = expression_placed(expression_unary(arena, OP_NOT, x), s);
        break;
    case SYNTAX_SUBTRACT:
        MAILLE_TRY(expression_number_of_syntax(&x, arena, scope, s->args[0], error));
        *out = expression_placed(expression_unary(arena, OP_NEGATE, x), s);
        break;
    case SYNTAX_ADD:
        code = expression_number_of_syntax(out, arena, scope, s->args[0], error);
        break;
    default:
        code =
            syntax_fail(error, scope, s, "expected an expression, found `~`, which stands in formulas only");
    }
out:
    return code;
}

enum maille_code expression_of_syntax(const struct expression **out, struct arena *arena,
                                      const struct expression_scope *scope, const struct syntax *s,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *e = NULL;
    bool flag;
    switch (s->kind) {
    case SYNTAX_NUMBER:
        e = expression_placed(expression_constant(arena, s->number), s);
        break;
    case SYNTAX_STRING:
        code = syntax_fail(
            error, scope, s,
            "expected a variable or a number, found the text \"%.80s\"; a text is compared with == or in {…}",
            s->text);
        break;
    case SYNTAX_NAME:
        if (strlen(s->text) > 1 && syntax_is_flag(s, &flag)) {
            e = expression_true(arena);
            e = expression_placed(flag ? e : expression_unary(arena, OP_NOT, e), s);
        } else {
            code = expression_of_name(&e, arena, scope, s, error);
        }
        break;
    case SYNTAX_CALL:
        code = expression_of_call(&e, arena, scope, s, error);
        break;
    case SYNTAX_UNARY:
        code = type_unary(&e, arena, scope, s, error);
        break;
    case SYNTAX_BINARY:
        code = type_binary(&e, arena, scope, s, error);
        break;
    case SYNTAX_PAREN:
        code = expression_of_syntax(&e, arena, scope, s->args[0], error);
        break;
    case SYNTAX_SET:
        code = syntax_fail(error, scope, s, "expected an expression, found `{`; a set stands after `in`");
        break;
    }
    if (code != MAILLE_OK)
        return code;
    assert(e != NULL);
    code = check_node(e, scope, s, error);
    if (code == MAILLE_OK)
        *out = e;
    return code;
}

enum maille_code expression_number_of_syntax(const struct expression **out, struct arena *arena,
                                             const struct expression_scope *scope, const struct syntax *s,
                                             struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(expression_of_syntax(&x, arena, scope, s, error));
    if (x->kind == EXPRESSION_CODE)
        code = syntax_fail(error, scope, s,
                           "expected a number, found the category `%.80s`; compare it with a level, e.g. "
                           "%.40s == \"%.80s\"",
                           syntax_deparse(arena, s), syntax_deparse(arena, s),
                           x->levels == NULL ? "…" : x->levels[0]);
    else
        *out = x->kind == EXPRESSION_NUMBER ? x : expression_placed(expression_number_of(arena, x), s);
out:
    return code;
}

enum maille_code expression_code_of_syntax(const struct expression **out, struct arena *arena,
                                           const struct expression_scope *scope, const struct syntax *s,
                                           struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(expression_of_syntax(&x, arena, scope, s, error));
    code = expression_as_code(out, arena, x, error);
    if (code != MAILLE_OK)
        maille_error_prefix(error, "%s:%d:%d", scope->file, s->line, s->column);
out:
    return code;
}

enum maille_code expression_parse(const struct expression **out, struct arena *arena,
                                  const struct expression_scope *scope, const char *text,
                                  struct maille_error *error)
{
    enum maille_code code;
    const struct syntax *tree;
    MAILLE_TRY(syntax_parse(&tree, arena, scope, text, error));
    MAILLE_TRY(expression_of_syntax(out, arena, scope, tree, error));
out:
    return code;
}
