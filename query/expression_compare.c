#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/expression_type.h"

/* Comparisons and membership: the only places where a value may stand as text (a level, a date). */

static bool is_date(const struct expression *e, const struct dictionary *d)
{
    return e->op == OP_VARIABLE && d->variables[e->variable].type == VARIABLE_DATE;
}

/* Levels for a sentence: "a", "b", "c" … and no more than fit. */
static const char *level_list(struct arena *arena, const struct expression *code)
{
    const char *list = "";
    for (uint32_t i = 0; i < code->n_levels; i++) {
        if (strlen(list) > 400)
            return arena_printf(arena, "%s, …", list);
        list = arena_printf(arena, "%s%s\"%.80s\"", list, i == 0 ? "" : ", ", code->levels[i]);
    }
    return list;
}

/* The level that a text names, or a number whose text it is (3 for "3" and "3.0"). */
static enum maille_code find_level(uint32_t *level, const struct expression *code, struct arena *arena,
                                   const struct expression_scope *scope, const struct syntax *s,
                                   struct maille_error *error)
{
    double number, of_level;
    const struct syntax *bare = syntax_bare(s);
    bool is_number = syntax_is_number(s, false, &number);
    if (code->levels == NULL || (bare->kind != SYNTAX_STRING && !is_number))
        return syntax_fail(error, scope, s,
                           "expected a level in double quotes to compare a category with, found `%.80s`",
                           syntax_deparse(arena, s));
    for (uint32_t i = 0; i < code->n_levels; i++) {
        const char *name = code->levels[i];
        if (is_number ? number_parse_double(name, strlen(name), '.', &of_level) && of_level == number
                      : strcmp(name, bare->text) == 0) {
            *level = i;
            return MAILLE_OK;
        }
    }
    const char *nearest =
        is_number ? NULL : dictionary_nearest_name(bare->text, code->levels, code->n_levels);
    return syntax_fail(error, scope, s, "expected one of the levels %s, found %.80s%s%s%s",
                       level_list(arena, code), syntax_deparse(arena, bare),
                       nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "\"?");
}

/* The constant that x is compared with: a number, or the day of a date. */
static enum maille_code find_number(double *value, const struct expression *x, struct arena *arena,
                                    const struct expression_scope *scope, const struct syntax *s,
                                    struct maille_error *error)
{
    const struct syntax *bare = syntax_bare(s);
    int32_t days;
    if (is_date(x, scope->dictionary)) {
        if (bare->kind != SYNTAX_STRING || !number_parse_date(bare->text, strlen(bare->text), &days))
            return syntax_fail(error, scope, s,
                               "expected a date as \"YYYY-MM-DD\" to compare `%s` with, found `%.80s`",
                               scope->dictionary->variables[x->variable].name, syntax_deparse(arena, s));
        *value = days;
        return MAILLE_OK;
    }
    if (!syntax_is_number(s, false, value))
        return syntax_fail(error, scope, s, "expected a number, found `%.80s`", syntax_deparse(arena, s));
    return MAILLE_OK;
}

static const struct expression *level_member(struct arena *arena, const struct expression *code,
                                             const uint8_t *chosen)
{
    double *member = arena_array(arena, code->n_levels, sizeof *member);
    for (uint32_t i = 0; i < code->n_levels; i++)
        member[i] = chosen[i];
    return expression_in_levels(arena, code, member);
}

static enum maille_code compare_code(const struct expression **out, const struct expression *code_x,
                                     struct arena *arena, const struct expression_scope *scope,
                                     const struct syntax *s, const struct syntax *value,
                                     struct maille_error *error)
{
    enum maille_code code;
    uint32_t level;
    if (s->op != SYNTAX_EQ && s->op != SYNTAX_NE) {
        code = syntax_fail(
            error, scope, s,
            "expected == or != or in {…} with a category, found `%s`: its levels have an order of display, "
            "not of size",
            s->spelling);
        goto out;
    }
    MAILLE_TRY(find_level(&level, code_x, arena, scope, value, error));
    uint8_t *chosen = arena_array(arena, code_x->n_levels, 1);
    chosen[level] = 1;
    const struct expression *e = level_member(arena, code_x, chosen);
    if (s->op == SYNTAX_NE)
        e = expression_unary(arena, OP_NOT, expression_placed(e, s));
    *out = expression_placed(e, s);
out:
    return code;
}

/* chemo == TRUE is chemo; chemo == hormon compares two. */
static enum maille_code compare_boolean(const struct expression **out, const struct expression *x,
                                        const struct expression *y, struct arena *arena,
                                        const struct expression_scope *scope, const struct syntax *s,
                                        const struct syntax *value, struct maille_error *error)
{
    bool equal = s->op == SYNTAX_EQ;
    if (!equal && s->op != SYNTAX_NE)
        return syntax_fail(error, scope, s, "expected == or != with a boolean, found `%s`", s->spelling);
    bool is_true = y->op == OP_CONSTANT && y->value == 1;
    bool is_false =
        (y->op == OP_CONSTANT && y->value == 0) || (y->op == OP_NOT && y->args[0]->op == OP_CONSTANT);
    if (!is_true && !is_false && y->kind != EXPRESSION_BOOLEAN)
        return syntax_fail(error, scope, value,
                           "expected TRUE, FALSE, 1 or 0 to compare a boolean with, found `%.80s`",
                           syntax_deparse(arena, value));
    if (is_true || is_false) {
        *out = is_true == equal ? x : expression_placed(expression_unary(arena, OP_NOT, x), s);
        return MAILLE_OK;
    }
    const struct expression *a = expression_placed(expression_number_of(arena, x), s),
                            *b = expression_placed(expression_number_of(arena, y), s);
    *out = expression_placed(expression_binary(arena, equal ? OP_EQ : OP_NE, a, b), s);
    return MAILLE_OK;
}

static bool is_literal(const struct syntax *s)
{
    double value;
    const struct syntax *bare = syntax_bare(s);
    return bare->kind == SYNTAX_STRING || syntax_is_number(s, false, &value) ||
           (bare->kind == SYNTAX_NAME &&
            (strcmp(bare->text, "TRUE") == 0 || strcmp(bare->text, "FALSE") == 0 ||
             strcmp(bare->text, "true") == 0 || strcmp(bare->text, "false") == 0));
}

/* 3 < x is x > 3. */
static const struct syntax *turned(struct arena *arena, const struct syntax *s)
{
    static const enum syntax_op mirror[] = {
        [SYNTAX_EQ] = SYNTAX_EQ, [SYNTAX_NE] = SYNTAX_NE, [SYNTAX_LT] = SYNTAX_GT,
        [SYNTAX_LE] = SYNTAX_GE, [SYNTAX_GT] = SYNTAX_LT, [SYNTAX_GE] = SYNTAX_LE};
    struct syntax *other = arena_alloc(arena, sizeof *other);
    const struct syntax **args = arena_array(arena, 2, sizeof *args);
    *other = *s;
    args[0] = s->args[1];
    args[1] = s->args[0];
    other->args = args;
    other->op = mirror[s->op];
    return other;
}

static enum expression_op comparison_op(enum syntax_op op)
{
    switch (op) {
    case SYNTAX_EQ:
        return OP_EQ;
    case SYNTAX_NE:
        return OP_NE;
    case SYNTAX_LT:
        return OP_LT;
    case SYNTAX_LE:
        return OP_LE;
    case SYNTAX_GT:
        return OP_GT;
    default:
        return OP_GE;
    }
}

enum maille_code expression_of_comparison(const struct expression **out, struct arena *arena,
                                          const struct expression_scope *scope, const struct syntax *s,
                                          struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x, *y;
    double number;
    if (is_literal(s->args[0]) && !is_literal(s->args[1]))
        s = turned(arena, s);
    const struct syntax *value = s->args[1];
    MAILLE_TRY(expression_of_syntax(&x, arena, scope, s->args[0], error));
    if (x->kind == EXPRESSION_CODE) {
        code = compare_code(out, x, arena, scope, s, value, error);
        goto out;
    }
    if (x->kind == EXPRESSION_NUMBER && is_literal(value)) {
        MAILLE_TRY(find_number(&number, x, arena, scope, value, error));
        y = expression_placed(expression_constant(arena, number), value);
    } else {
        MAILLE_TRY(expression_of_syntax(&y, arena, scope, value, error));
    }
    if (y->kind == EXPRESSION_CODE) {
        code = syntax_fail(error, scope, s, "expected two values of one kind, found %s and a category",
                           expression_noun(x, scope->dictionary));
    } else if (x->kind == EXPRESSION_BOOLEAN) {
        code = compare_boolean(out, x, y, arena, scope, s, value, error);
    } else if (y->kind == EXPRESSION_BOOLEAN) {
        code = syntax_fail(error, scope, s, "expected two values of one kind, found %s and a boolean",
                           expression_noun(x, scope->dictionary));
    } else {
        *out = expression_placed(expression_binary(arena, comparison_op(s->op), x, y), s);
    }
out:
    return code;
}

/* --- in {…}, %in% c(…) --- */

static enum maille_code code_in(const struct expression **out, const struct expression *x,
                                struct arena *arena, const struct expression_scope *scope,
                                const struct syntax *set, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t *chosen = arena_array(arena, x->n_levels, 1);
    for (size_t i = 0; i < set->n_args; i++) {
        uint32_t level;
        MAILLE_TRY(find_level(&level, x, arena, scope, set->args[i], error));
        chosen[level] = 1;
    }
    *out = expression_placed(level_member(arena, x, chosen), set);
out:
    return code;
}

/* x == a || x == b || …, balanced, so that a long set is not deep. */
static const struct expression *any_equal(const struct expression *x, struct arena *arena,
                                          const struct syntax *s, const double *values, size_t n)
{
    if (n == 1)
        return expression_placed(
            expression_binary(arena, OP_EQ, x, expression_placed(expression_constant(arena, values[0]), s)),
            s);
    return expression_placed(expression_binary(arena, OP_OR, any_equal(x, arena, s, values, n / 2),
                                               any_equal(x, arena, s, values + n / 2, n - n / 2)),
                             s);
}

static enum maille_code number_in(const struct expression **out, const struct expression *x,
                                  struct arena *arena, const struct expression_scope *scope,
                                  const struct syntax *set, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    double *values = arena_array(arena, set->n_args, sizeof *values);
    for (size_t i = 0; i < set->n_args; i++)
        MAILLE_TRY(find_number(&values[i], x, arena, scope, set->args[i], error));
    *out = any_equal(x, arena, set, values, set->n_args);
out:
    return code;
}

enum maille_code expression_of_membership(const struct expression **out, struct arena *arena,
                                          const struct expression_scope *scope, const struct syntax *s,
                                          struct maille_error *error)
{
    enum maille_code code;
    const struct expression *x, *inside;
    const struct syntax *set = syntax_bare(s->args[1]);
    bool braces = set->kind == SYNTAX_SET;
    bool list = set->kind == SYNTAX_CALL && strcmp(set->text, "c") == 0;
    if ((!braces && !list) || set->n_args == 0 || set->n_args > EXPRESSION_SET_MAX) {
        code = syntax_fail(error, scope, set, "expected a set of 1 to %d values such as %s after `%s`",
                           EXPRESSION_SET_MAX, s->op == SYNTAX_IN ? "{\"a\", \"b\"}" : "c(\"a\", \"b\")",
                           s->spelling);
        goto out;
    }
    MAILLE_TRY(expression_of_syntax(&x, arena, scope, s->args[0], error));
    if (x->kind == EXPRESSION_CODE) {
        MAILLE_TRY(code_in(&inside, x, arena, scope, set, error));
    } else if (x->kind == EXPRESSION_NUMBER) {
        MAILLE_TRY(number_in(&inside, x, arena, scope, set, error));
    } else {
        code = syntax_fail(error, scope, s->args[0],
                           "expected a category or a number before `%s`, found a boolean", s->spelling);
        goto out;
    }
    if (s->op == SYNTAX_IN_R) {
        /* R's match() finds NA in no set of values: FALSE, where == is NA. */
        const struct expression *present = expression_placed(expression_unary(arena, OP_IS_MISSING, x), s);
        present = expression_placed(expression_unary(arena, OP_NOT, present), s);
        inside = expression_and(arena, present, inside);
    }
    *out = expression_placed(inside, s);
out:
    return code;
}
