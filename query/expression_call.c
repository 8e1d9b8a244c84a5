#include <math.h>
#include <stdio.h>
#include <string.h>

#include "query/expression_labels.h"
#include "query/expression_type.h"
#include "query/manual.h"

/* The functions of the language: one row each in the table at the end. */

/* What a function is typed with. */
struct call {
    struct arena *arena;
    const struct expression_scope *scope;
    const struct syntax *s;
    struct maille_error *error;
};

#define CALL_FAIL(call, at, ...) syntax_fail((call)->error, (call)->scope, at, __VA_ARGS__)

static bool is_call(const struct syntax *s, const char *name)
{
    return s->kind == SYNTAX_CALL && strcmp(s->text, name) == 0;
}

/* --- arguments --- */

static size_t place_of(const char *name, const char *const *names, size_t n)
{
    size_t place = 0;
    while (place < n && strcmp(names[place], name) != 0)
        place++;
    return place;
}

enum maille_code syntax_match(const struct syntax **found, const char *const *names, size_t n,
                              const struct expression_scope *scope, const struct syntax *call,
                              struct maille_error *error)
{
    for (size_t i = 0; i < n; i++)
        found[i] = NULL;
    for (size_t i = 0; i < call->n_args; i++) {
        if (call->arg_names[i] == NULL)
            continue;
        size_t place = place_of(call->arg_names[i], names, n);
        if (place == n) {
            const char *nearest = dictionary_nearest_name(call->arg_names[i], names, n);
            return syntax_fail(error, scope, call->args[i],
                               "expected an argument of %s(), found `%.40s =`%s%s%s", call->text,
                               call->arg_names[i], nearest == NULL ? "" : "; did you mean `",
                               nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
        }
        if (found[place] != NULL)
            return syntax_fail(error, scope, call->args[i], "expected `%s` of %s() once, found it again",
                               names[place], call->text);
        found[place] = call->args[i];
    }
    for (size_t i = 0, place = 0; i < call->n_args; i++) {
        if (call->arg_names[i] != NULL)
            continue;
        while (place < n && found[place] != NULL)
            place++;
        if (place == n)
            return syntax_fail(error, scope, call->args[i],
                               "expected %zu argument%s of %s() at most, found %zu", n, n == 1 ? "" : "s",
                               call->text, call->n_args);
        found[place] = call->args[i];
    }
    return MAILLE_OK;
}

/* The first `must` of the arguments have to be there. */
static enum maille_code match(const struct call *c, const struct syntax **found, const char *const *names,
                              size_t n, size_t must)
{
    enum maille_code code = syntax_match(found, names, n, c->scope, c->s, c->error);
    for (size_t i = 0; code == MAILLE_OK && i < must; i++)
        if (found[i] == NULL)
            code = CALL_FAIL(c, c->s, "expected `%s` of %s(), found none", names[i], c->s->text);
    return code;
}

static enum maille_code number(const struct call *c, const struct expression **out, const struct syntax *s)
{
    return expression_number_of_syntax(out, c->arena, c->scope, s, c->error);
}

static enum maille_code one_number(const struct call *c, const struct expression **out)
{
    static const char *const names[] = {"x"};
    const struct syntax *x = NULL;
    enum maille_code code;
    MAILLE_TRY(match(c, &x, names, 1, 1));
    MAILLE_TRY(number(c, out, x));
out:
    return code;
}

static enum maille_code flag(const struct call *c, bool *value, const struct syntax *s, const char *name)
{
    if (s == NULL || syntax_is_flag(s, value))
        return MAILLE_OK;
    return CALL_FAIL(c, s, "expected %s = TRUE or %s = FALSE", name, name);
}

static const char *text_of(struct arena *arena, const struct syntax *s)
{
    double value;
    if (s->kind == SYNTAX_STRING)
        return s->text;
    return syntax_is_number(s, false, &value) ? expression_labels_of_number(arena, value) : NULL;
}

enum maille_code syntax_texts(const char ***texts, size_t *n, struct arena *arena,
                              const struct expression_scope *scope, const struct syntax *s, size_t n_max,
                              struct maille_error *error)
{
    const bool many = is_call(s, "c");
    const size_t count = many ? s->n_args : 1;
    if (count == 0 || count > n_max)
        return syntax_fail(error, scope, s, "expected 1 to %zu texts in c(…), found %zu", n_max, count);
    const char **list = arena_array(arena, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const struct syntax *at = many ? s->args[i] : s;
        list[i] = many && s->arg_names[i] != NULL ? NULL : text_of(arena, at);
        if (list[i] == NULL || *list[i] == '\0')
            return syntax_fail(error, scope, at, "expected a text such as \"low\", found `%.80s`",
                               syntax_deparse(arena, at));
    }
    *texts = list;
    *n = count;
    return MAILLE_OK;
}

/* --- functions of one number --- */

static enum maille_code type_log(const struct expression **out, const struct call *c)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(one_number(c, &x));
    *out = expression_unary(c->arena, OP_LOG, x);
out:
    return code;
}

static enum maille_code type_exp(const struct expression **out, const struct call *c)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(one_number(c, &x));
    *out = expression_unary(c->arena, OP_EXP, x);
out:
    return code;
}

static enum maille_code type_sqrt(const struct expression **out, const struct call *c)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(one_number(c, &x));
    if (x->high < 0)
        code = CALL_FAIL(c, c->s, "expected the root of something from 0 up, found at most %g", x->high);
    else
        *out = expression_unary(c->arena, OP_SQRT, x);
out:
    return code;
}

static enum maille_code type_abs(const struct expression **out, const struct call *c)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(one_number(c, &x));
    *out = expression_absolute(c->arena, x);
out:
    return code;
}

static enum maille_code type_missing(const struct expression **out, const struct call *c)
{
    static const char *const names[] = {"x"};
    enum maille_code code;
    const struct syntax *x = NULL;
    const struct expression *e;
    MAILLE_TRY(match(c, &x, names, 1, 1));
    MAILLE_TRY(expression_of_syntax(&e, c->arena, c->scope, x, c->error));
    *out = expression_unary(c->arena, OP_IS_MISSING, e);
out:
    return code;
}

/* --- of several --- */

static enum maille_code extreme(const struct expression **out, const struct call *c, enum expression_op op)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *all = NULL, *x;
    if (c->s->n_args < 2) {
        code =
            CALL_FAIL(c, c->s, "expected %s() of two numbers or more, found %zu", c->s->text, c->s->n_args);
        goto out;
    }
    for (size_t i = 0; i < c->s->n_args; i++) {
        if (c->s->arg_names[i] != NULL) {
            code = CALL_FAIL(c, c->s->args[i], "expected numbers in %s(), found the option `%.40s`",
                             c->s->text, c->s->arg_names[i]);
            goto out;
        }
        MAILLE_TRY(number(c, &x, c->s->args[i]));
        all = all == NULL ? x : expression_placed(expression_binary(c->arena, op, all, x), c->s);
    }
    *out = all;
out:
    return code;
}

static enum maille_code type_pmin(const struct expression **out, const struct call *c)
{
    return extreme(out, c, OP_MIN);
}

static enum maille_code type_pmax(const struct expression **out, const struct call *c)
{
    return extreme(out, c, OP_MAX);
}

/* Of two booleans: (test ? yes : no) == 1, which is missing where the test is, as in R. */
static enum maille_code type_ifelse(const struct expression **out, const struct call *c)
{
    static const char *const names[] = {"test", "yes", "no"};
    enum maille_code code;
    const struct syntax *found[3] = {NULL};
    const struct expression *test, *branches[2];
    bool booleans = true;
    MAILLE_TRY(match(c, found, names, 3, 3));
    MAILLE_TRY(expression_of_syntax(&test, c->arena, c->scope, found[0], c->error));
    if (test->kind != EXPRESSION_BOOLEAN) {
        code = CALL_FAIL(c, found[0], "expected a condition in ifelse(), found %s; compare it with a value",
                         expression_noun(test, c->scope->dictionary));
        goto out;
    }
    for (size_t i = 0; i < 2; i++) {
        if (found[i + 1]->kind == SYNTAX_STRING) {
            code =
                CALL_FAIL(c, found[i + 1],
                          "expected a number or a boolean in ifelse(), found the text \"%.80s\"; make groups "
                          "with cut(x, c(…), labels = c(…)) or factor(x, levels = c(…), labels = c(…))",
                          found[i + 1]->text);
            goto out;
        }
        MAILLE_TRY(expression_of_syntax(&branches[i], c->arena, c->scope, found[i + 1], c->error));
        booleans = booleans && branches[i]->kind == EXPRESSION_BOOLEAN;
        MAILLE_TRY(number(c, &branches[i], found[i + 1]));
    }
    *out = expression_select(c->arena, test, branches[0], branches[1]);
    if (booleans)
        *out = expression_binary(c->arena, OP_EQ, expression_placed(*out, c->s),
                                 expression_placed(expression_constant(c->arena, 1), c->s));
out:
    return code;
}

/* --- cut --- */

/* Breaks as R takes them: in any order, each once. open: the ends are added. */
static enum maille_code cut_breaks(double **breaks, size_t *n, const struct call *c, const struct syntax *s,
                                   bool open)
{
    enum maille_code code;
    double *list = NULL, single;
    size_t count = 0;
    if (syntax_is_number(s, true, &single)) {
        code = CALL_FAIL(
            c, s,
            "expected the breaks of cut() as a list of numbers such as c(0, 4, 10): equal ranges of "
            "the data would be learnt from it");
        goto out;
    }
    MAILLE_TRY(syntax_numbers(&list, &count, c->arena, c->scope, s, EXPRESSION_BREAKS_MAX, c->error));
    double *all = arena_array(c->arena, count + 2, sizeof *all);
    memcpy(all, list, count * sizeof *all);
    if (open) {
        all[count++] = -INFINITY;
        all[count++] = INFINITY;
    }
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && all[j - 1] > all[j]; j--) {
            double larger = all[j - 1];
            all[j - 1] = all[j];
            all[j] = larger;
        }
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && all[i] == all[i - 1]) {
            code = CALL_FAIL(c, s, "expected each break of cut() once, found %g again", all[i]);
            goto out;
        }
        if (all[i] == 0)
            all[i] = 0; /* −0 and 0 are one break, and one label */
    }
    if (count < 2) {
        code = CALL_FAIL(c, s,
                         "expected two breaks of cut() or more, found 1: what is outside of them is missing; "
                         "write -Inf or Inf as an end, or open = TRUE");
        goto out;
    }
    *breaks = all;
    *n = count;
out:
    return code;
}

static enum maille_code type_cut(const struct expression **out, const struct call *c)
{
    static const char *const names[] = {"x", "breaks", "labels", "include.lowest", "right", "open"};
    enum maille_code code;
    const struct syntax *found[6] = {NULL};
    const struct expression *x;
    struct cut_style style = {.right = true};
    bool open = false;
    double *list = NULL;
    const char **labels = NULL;
    size_t n = 0, n_labels = 0;
    MAILLE_TRY(match(c, found, names, 6, 2));
    MAILLE_TRY(flag(c, &style.include_lowest, found[3], names[3]));
    MAILLE_TRY(flag(c, &style.right, found[4], names[4]));
    MAILLE_TRY(flag(c, &open, found[5], names[5]));
    MAILLE_TRY(number(c, &x, found[0]));
    MAILLE_TRY(cut_breaks(&list, &n, c, found[1], open));
    if (found[2] != NULL) {
        MAILLE_TRY(syntax_texts(&labels, &n_labels, c->arena, c->scope, found[2], EXPRESSION_BREAKS_MAX + 2,
                                c->error));
        for (size_t i = 0; i < n_labels; i++)
            if (place_of(labels[i], labels, n_labels) < i) {
                code = CALL_FAIL(c, found[2], "expected each label once, found \"%.80s\" again", labels[i]);
                goto out;
            }
        if (n_labels != n - 1) {
            code =
                CALL_FAIL(c, found[2], "expected %zu labels for %zu breaks, found %zu", n - 1, n, n_labels);
            goto out;
        }
        style.labels = labels;
    }
    *out = expression_cut(c->arena, x, list, n, style);
out:
    return code;
}

/* --- levels --- */

/* The place of a level that was written, or a failure with the nearest one. */
static enum maille_code level_of(const struct call *c, size_t *level, const struct expression *code_of,
                                 const char *text, const struct syntax *at)
{
    *level = place_of(text, code_of->levels, code_of->n_levels);
    if (*level < code_of->n_levels)
        return MAILLE_OK;
    const char *nearest = dictionary_nearest_name(text, code_of->levels, code_of->n_levels);
    return CALL_FAIL(c, at, "expected a level of `%.80s`, found \"%.80s\"%s%s%s",
                     syntax_deparse(c->arena, c->s->args[0]), text,
                     nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
                     nearest == NULL ? "" : "\"?");
}

static enum maille_code code_with_levels(const struct call *c, const struct expression **out,
                                         const struct syntax *x)
{
    return expression_code_of_syntax(out, c->arena, c->scope, x, c->error);
}

static enum maille_code type_relevel(const struct expression **out, const struct call *c)
{
    static const char *const names[] = {"x", "ref"};
    enum maille_code code;
    const struct syntax *found[2] = {NULL};
    const struct expression *x = NULL;
    const char **texts = NULL;
    size_t n = 0, ref = 0;
    MAILLE_TRY(match(c, found, names, 2, 2));
    MAILLE_TRY(code_with_levels(c, &x, found[0]));
    MAILLE_TRY(syntax_texts(&texts, &n, c->arena, c->scope, found[1], 1, c->error));
    MAILLE_TRY(level_of(c, &ref, x, texts[0], found[1]));
    double *table = arena_array(c->arena, x->n_levels, sizeof *table);
    const char **levels = arena_array(c->arena, x->n_levels, sizeof *levels);
    for (size_t i = 0; i < x->n_levels; i++) {
        size_t to = i == ref ? 0 : i < ref ? i + 1 : i;
        table[i] = (double)to;
        levels[to] = x->levels[i];
    }
    *out = expression_recode(c->arena, x, table, levels, x->n_levels);
out:
    return code;
}

/* factor(x), or with levels that are kept, in their order, and labels for them; equal labels join levels. */
static enum maille_code type_factor(const struct expression **out, const struct call *c)
{
    static const char *const names[] = {"x", "levels", "labels"};
    enum maille_code code;
    const struct syntax *found[3] = {NULL};
    const struct expression *x = NULL;
    const char **kept = NULL, **labels = NULL;
    size_t n = 0, n_labels = 0, n_levels = 0;
    MAILLE_TRY(match(c, found, names, 3, 1));
    MAILLE_TRY(code_with_levels(c, &x, found[0]));
    if (found[1] == NULL && found[2] == NULL) {
        *out = x;
        goto out;
    }
    n = x->n_levels;
    if (found[1] != NULL) {
        MAILLE_TRY(syntax_texts(&kept, &n, c->arena, c->scope, found[1], DICTIONARY_LEVELS_MAX, c->error));
    } else {
        kept = arena_array(c->arena, n, sizeof *kept);
        memcpy(kept, x->levels, n * sizeof *kept);
    }
    labels = kept;
    if (found[2] != NULL) {
        MAILLE_TRY(
            syntax_texts(&labels, &n_labels, c->arena, c->scope, found[2], DICTIONARY_LEVELS_MAX, c->error));
        if (n_labels != n) {
            code = CALL_FAIL(c, found[2], "expected a label for each of %zu levels, found %zu", n, n_labels);
            goto out;
        }
    }
    double *table = arena_array(c->arena, x->n_levels, sizeof *table);
    const char **levels = arena_array(c->arena, n, sizeof *levels);
    for (size_t i = 0; i < x->n_levels; i++)
        table[i] = -1;
    for (size_t i = 0; i < n; i++) {
        size_t from = 0, to = place_of(labels[i], levels, n_levels);
        MAILLE_TRY(level_of(c, &from, x, kept[i], found[1] != NULL ? found[1] : c->s));
        if (table[from] >= 0) {
            code = CALL_FAIL(c, found[1], "expected each level once, found \"%.80s\" again", kept[i]);
            goto out;
        }
        if (to == n_levels)
            levels[n_levels++] = labels[i];
        table[from] = (double)to;
    }
    *out = expression_recode(c->arena, x, table, levels, n_levels);
out:
    return code;
}

/* --- dates --- */

static enum maille_code date_variable(const struct call *c, const struct expression **out,
                                      const struct syntax *s)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(expression_of_syntax(&x, c->arena, c->scope, s, c->error));
    if (x->op != OP_VARIABLE || c->scope->dictionary->variables[x->variable].type != VARIABLE_DATE)
        code = CALL_FAIL(c, s, "expected a date of the dictionary in %s(), found `%.80s`", c->s->text,
                         syntax_deparse(c->arena, s));
    else
        *out = x;
out:
    return code;
}

static enum maille_code interval(const struct expression **out, const struct call *c, double days)
{
    static const char *const names[] = {"from", "to"};
    enum maille_code code;
    const struct syntax *found[2] = {NULL};
    const struct expression *from, *to;
    MAILLE_TRY(match(c, found, names, 2, 2));
    MAILLE_TRY(date_variable(c, &from, found[0]));
    MAILLE_TRY(date_variable(c, &to, found[1]));
    if (to->high <= from->low) {
        code =
            CALL_FAIL(c, c->s, "expected a second date that can be after the first, found that `%s` never is",
                      syntax_deparse(c->arena, found[1]));
        goto out;
    }
    *out = expression_interval(c->arena, from, to, days,
                               dictionary_ordered(c->scope->dictionary, from->variable, to->variable));
out:
    return code;
}

static enum maille_code type_days(const struct expression **out, const struct call *c)
{
    return interval(out, c, 1);
}

static enum maille_code type_months(const struct expression **out, const struct call *c)
{
    return interval(out, c, EXPRESSION_DAYS_IN_MONTH);
}

static enum maille_code calendar(const struct expression **out, const struct call *c, bool month)
{
    static const char *const names[] = {"date"};
    enum maille_code code;
    const struct syntax *found = NULL;
    const struct expression *day = NULL;
    MAILLE_TRY(match(c, &found, names, 1, 1));
    MAILLE_TRY(date_variable(c, &day, found));
    *out = expression_calendar(c->arena, day, month);
out:
    return code;
}

static enum maille_code type_year(const struct expression **out, const struct call *c)
{
    return calendar(out, c, false);
}

static enum maille_code type_month(const struct expression **out, const struct call *c)
{
    return calendar(out, c, true);
}

/* --- the table --- */

static const struct manual_row rows[] = {
    {"log", "log(x)", "natural logarithm; x must be above 0"},
    {"sqrt", "sqrt(x)", "root; x must not be below 0"},
    {"exp", "exp(x)", "e to the x"},
    {"abs", "abs(x)", "x without its sign"},
    {"pmin", "pmin(x, y, …)", "the least of several numbers, missing where one is"},
    {"pmax", "pmax(x, y, …)", "the greatest of several numbers, missing where one is"},
    {"ifelse", "ifelse(test, yes, no)", "one of two numbers or booleans, missing where the test is"},
    {"cut", "cut(x, c(0, 4, 10), labels = c(…), include.lowest = FALSE, right = TRUE, open = FALSE)",
     "groups of a number as R's cut() makes them: missing outside of the breaks; `-Inf` and `Inf` are "
     "breaks, and "
     "open = TRUE adds both"},
    {"factor", "factor(x, levels = c(…), labels = c(…))",
     "x as a category; levels are kept in the order given and all others are missing; equal labels join "
     "levels"},
    {"relevel", "relevel(x, ref = \"b\")", "the same category with another reference level"},
    {"days", "days(from, to)", "days from one date to another; missing where below 0"},
    {"months", "months(from, to)", "the same in months of 30.4375 days"},
    {"year", "year(date)", "its year"},
    {"month", "month(date)", "its month, 1 to 12"},
    {"is_missing", "is_missing(x)", "TRUE where x is missing; never missing itself"},
    {"is.na", "is.na(x)", "the same"},
};

enum { N_ROWS = sizeof rows / sizeof *rows };

static enum maille_code (*const typers[N_ROWS])(const struct expression **, const struct call *) = {
    type_log,    type_sqrt,    type_exp,  type_abs,    type_pmin, type_pmax,  type_ifelse,  type_cut,
    type_factor, type_relevel, type_days, type_months, type_year, type_month, type_missing, type_missing};

const struct manual_row *expression_functions(size_t *n)
{
    *n = N_ROWS;
    return rows;
}

enum maille_code expression_of_call(const struct expression **out, struct arena *arena,
                                    const struct expression_scope *scope, const struct syntax *s,
                                    struct maille_error *error)
{
    enum maille_code code;
    const struct call call = {.arena = arena, .scope = scope, .s = s, .error = error};
    const struct expression *e = NULL;
    const char *names[N_ROWS], *list = "";
    size_t n;
    for (size_t i = 0; i < N_ROWS; i++) {
        names[i] = rows[i].name;
        if (strcmp(s->text, rows[i].name) != 0)
            continue;
        code = typers[i](&e, &call);
        /* factor() of a category is that category, which has its place already. */
        if (code == MAILLE_OK)
            *out = typers[i] == type_factor && e->op != OP_RECODE ? e : expression_placed(e, s);
        return code;
    }
    const struct manual_row *of_formulas = formula_functions(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(s->text, of_formulas[i].name) == 0)
            return syntax_fail(
                error, scope, s,
                "expected an expression, found %s(): it stands in formulas only, as a term of its "
                "own",
                s->text);
    const char *nearest = dictionary_nearest_name(s->text, names, N_ROWS);
    for (size_t i = 0; i < N_ROWS; i++)
        list = arena_printf(arena, "%s%s%s", list, i == 0 ? "" : ", ", names[i]);
    return syntax_fail(error, scope, s, "expected one of the functions %s, found `%.80s`%s%s%s", list,
                       s->text, nearest == NULL ? "" : "; did you mean `", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "`?");
}
