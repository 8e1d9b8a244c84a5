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
                           "expected a variable, found the key `%s`: the pseudonym is never named in a query",
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

/* right = TRUE, in any of the spellings of R and of this language. */
static bool is_flag(const struct syntax *s, bool *value)
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

/* --- functions --- */

static enum maille_code one_argument(const struct expression_scope *scope, const struct syntax *s,
                                     struct maille_error *error)
{
    if (s->n_args == 1 && s->arg_names[0] == NULL)
        return MAILLE_OK;
    return syntax_fail(error, scope, s, "expected %s() of one argument, found %zu%s", s->text, s->n_args,
                       s->n_args == 1 ? " with a name" : "");
}

/* Breaks as R takes them (in any order, each once), without the open ends, which cut() adds itself. */
static enum maille_code cut_breaks(double **breaks, size_t *n, struct arena *arena,
                                   const struct expression_scope *scope, const struct syntax *s,
                                   struct maille_error *error)
{
    enum maille_code code;
    double *list = NULL;
    size_t count = 0, kept = 0;
    MAILLE_TRY(syntax_numbers(&list, &count, arena, scope, s, EXPRESSION_BREAKS_MAX, error));
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && list[j - 1] > list[j]; j--) {
            double larger = list[j - 1];
            list[j - 1] = list[j];
            list[j] = larger;
        }
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && list[i] == list[i - 1]) {
            code = syntax_fail(error, scope, s, "expected each break of cut() once, found %g again", list[i]);
            goto out;
        }
        if (isfinite(list[i]))
            list[kept++] = list[i];
    }
    if (kept == 0) {
        code = syntax_fail(error, scope, s, "expected at least one finite break of cut()");
        goto out;
    }
    for (size_t i = 0; i < kept; i++)
        if (list[i] == 0)
            list[i] = 0; /* −0 and 0 are one break, and one label */
    *breaks = list;
    *n = kept;
out:
    return code;
}

static enum maille_code type_cut(const struct expression **out, struct arena *arena,
                                 const struct expression_scope *scope, const struct syntax *s,
                                 struct maille_error *error)
{
    enum maille_code code;
    const struct syntax *x = NULL, *breaks = NULL;
    const struct expression *number;
    bool right = true;
    double *list = NULL;
    size_t n = 0;
    for (size_t i = 0; i < s->n_args; i++) {
        const char *name = s->arg_names[i];
        if (name == NULL && x == NULL) {
            x = s->args[i];
        } else if (breaks == NULL && (name == NULL || strcmp(name, "breaks") == 0)) {
            breaks = s->args[i];
        } else if (name == NULL || strcmp(name, "right") != 0) {
            code = syntax_fail(
                error, scope, s->args[i], "expected cut(x, c(…), right = FALSE), found %s%.40s",
                name == NULL ? "a third argument without a name" : "the argument ", name == NULL ? "" : name);
            goto out;
        } else if (!is_flag(s->args[i], &right)) {
            code = syntax_fail(error, scope, s->args[i], "expected right = TRUE or right = FALSE");
            goto out;
        }
    }
    if (x == NULL || breaks == NULL) {
        code = syntax_fail(error, scope, s, "expected cut(x, c(…)) with its breaks, found none");
        goto out;
    }
    MAILLE_TRY(expression_number_of_syntax(&number, arena, scope, x, error));
    MAILLE_TRY(cut_breaks(&list, &n, arena, scope, breaks, error));
    *out = expression_placed(expression_cut(arena, number, list, n, right), s);
out:
    return code;
}

static enum maille_code type_call(const struct expression **out, struct arena *arena,
                                  const struct expression_scope *scope, const struct syntax *s,
                                  struct maille_error *error)
{
    static const char *const functions[] = {"log", "sqrt", "exp", "cut", "is_missing", "is.na"};
    static const char *const of_formulas[] = {"I", "factor", "offset", "strata", "cluster", "ns", "Surv"};
    enum maille_code code;
    const struct expression *x;
    if (is_call(s, "cut")) {
        code = type_cut(out, arena, scope, s, error);
    } else if (is_call(s, "is_missing") || is_call(s, "is.na")) {
        MAILLE_TRY(one_argument(scope, s, error));
        MAILLE_TRY(expression_of_syntax(&x, arena, scope, s->args[0], error));
        *out = expression_placed(expression_unary(arena, OP_IS_MISSING, x), s);
    } else if (is_call(s, "log") || is_call(s, "sqrt") || is_call(s, "exp")) {
        enum expression_op op = *s->text == 'l' ? OP_LOG : *s->text == 's' ? OP_SQRT : OP_EXP;
        MAILLE_TRY(one_argument(scope, s, error));
        MAILLE_TRY(expression_number_of_syntax(&x, arena, scope, s->args[0], error));
        if (op == OP_SQRT && x->high < 0) {
            code = syntax_fail(error, scope, s, "expected the root of something from 0 up, found at most %g",
                               x->high);
            goto out;
        }
        *out = expression_placed(expression_unary(arena, op, x), s);
    } else {
        for (size_t i = 0; i < sizeof of_formulas / sizeof *of_formulas; i++)
            if (strcmp(s->text, of_formulas[i]) == 0) {
                code = syntax_fail(error, scope, s,
                                   "expected an expression, found %s(): it stands in formulas only, as a "
                                   "term of its own",
                                   s->text);
                goto out;
            }
        const char *nearest =
            dictionary_nearest_name(s->text, functions, sizeof functions / sizeof *functions);
        code = syntax_fail(
            error, scope, s,
            "expected one of the functions log, sqrt, exp, cut, is_missing, is.na, found `%.80s`%s%s%s",
            s->text, nearest == NULL ? "" : "; did you mean `", nearest == NULL ? "" : nearest,
            nearest == NULL ? "" : "`?");
    }
out:
    return code;
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

static enum maille_code type_power(const struct expression **out, struct arena *arena,
                                   const struct expression_scope *scope, const struct syntax *s,
                                   struct maille_error *error)
{
    enum maille_code code;
    const struct expression *base;
    double exponent;
    MAILLE_TRY(expression_number_of_syntax(&base, arena, scope, s->args[0], error));
    if (!syntax_is_number(s->args[1], false, &exponent) || exponent != nearbyint(exponent) ||
        fabs(exponent) > 16)
        code =
            syntax_fail(error, scope, s->args[1], "expected a whole exponent from -16 to 16, found `%.80s`",
                        syntax_deparse(arena, s->args[1]));
    else
        *out = expression_placed(expression_power(arena, base, (int)exponent), s);
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
        if (strlen(s->text) > 1 && is_flag(s, &flag)) {
            e = expression_true(arena);
            e = expression_placed(flag ? e : expression_unary(arena, OP_NOT, e), s);
        } else {
            code = expression_of_name(&e, arena, scope, s, error);
        }
        break;
    case SYNTAX_CALL:
        code = type_call(&e, arena, scope, s, error);
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
