#include "query/formula.h"

#include <math.h>
#include <string.h>

#include "query/expression_type.h"
#include "query/formula_terms.h"
#include "query/manual.h"

static const struct manual_row rows[] = {
    {"Surv", "Surv(time, event) or Surv(start, stop, event)",
     "the response of survival methods; the event is a boolean, 0 and 1, or a category whose first level is "
     "censoring"},
    {"I", "I(x)", "arithmetic or a comparison as one term"},
    {"ns", "ns(x, knots = c(…), Boundary.knots = c(lo, hi))",
     "natural cubic spline with knots that are written"},
    {"ns", "ns(x, df = n)",
     "the same with knots at quantiles of x over the rows of the model, once in a formula"},
    {"poly", "poly(x, degree), poly(x, degree, raw = TRUE)",
     "orthogonal polynomials over the model's rows, as R's; with raw = TRUE x and its powers"},
    {"offset", "offset(x)", "a number with the coefficient 1"},
    {"strata", "strata(a, b, site)",
     "a baseline of its own for each combination; `site` for each site, inside of which nothing is pooled"},
    {"cluster", "cluster(v)",
     "standard errors that allow for groups; `cluster(patient)` for the rows of a patient, `cluster(site)` "
     "for "
     "sites"},
};

const struct manual_row *formula_functions(size_t *n)
{
    *n = sizeof rows / sizeof *rows;
    return rows;
}

enum { POLYNOMIAL_MAX = 16 };
enum { STRATA_MAX = sizeof((struct formula *)0)->strata / sizeof(struct formula_factor) };

static bool is_call(const struct syntax *s, const char *name)
{
    return s->kind == SYNTAX_CALL && strcmp(s->text, name) == 0;
}

static bool is_site(const struct syntax *s)
{
    s = syntax_bare(s);
    return s->kind == SYNTAX_NAME && strcmp(s->text, "site") == 0;
}

/* cluster(patient), or by the name of the dictionary's key, which is no variable and is read by nothing here:
 * it is the rows of one patient that are meant. A variable `patient` is that variable. */
static bool is_patient(const struct syntax *s, const struct dictionary *d)
{
    s = syntax_bare(s);
    return s->kind == SYNTAX_NAME && dictionary_find(d, s->text) < 0 &&
           (strcmp(s->text, "patient") == 0 || strcmp(s->text, d->key) == 0);
}

bool formula_is_special(const struct syntax *s)
{
    return is_call(s, "offset") || is_call(s, "strata") || is_call(s, "cluster");
}

/* Exactly one argument without a name. */
static enum maille_code one_argument(struct formula_reading *r, const struct syntax *s)
{
    if (s->n_args == 1 && s->arg_names[0] == NULL)
        return MAILLE_OK;
    return syntax_fail(r->error, r->scope, s, "expected %s() of one argument, found %zu%s", s->text,
                       s->n_args, s->n_args == 1 ? " with a name" : "");
}

/* --- specials --- */

static enum maille_code note_offset(struct formula_reading *r, const struct syntax *s)
{
    enum maille_code code;
    const struct expression *x;
    struct formula *f = r->formula;
    MAILLE_TRY(one_argument(r, s));
    MAILLE_TRY(expression_number_of_syntax(&x, r->arena, r->scope, s->args[0], r->error));
    f->offset =
        f->offset == NULL ? x : expression_placed(expression_binary(r->arena, OP_ADD, f->offset, x), s);
    if (f->offset->depth > EXPRESSION_WRITTEN_DEPTH_MAX)
        code = syntax_fail(r->error, r->scope, s, "expected fewer offsets; add them up in one");
out:
    return code;
}

static enum maille_code note_strata(struct formula_reading *r, const struct syntax *s)
{
    enum maille_code code = MAILLE_OK;
    struct formula *f = r->formula;
    if (s->n_args == 0) {
        code = syntax_fail(r->error, r->scope, s, "expected strata(…) of at least one variable, found none");
        goto out;
    }
    for (size_t i = 0; i < s->n_args; i++) {
        if (s->arg_names[i] != NULL) {
            code = syntax_fail(r->error, r->scope, s->args[i],
                               "expected variables in strata(), found the option `%.40s`", s->arg_names[i]);
            goto out;
        }
        if (is_site(s->args[i])) {
            f->strata_site = true;
            continue;
        }
        struct formula_factor factor = {.label = syntax_deparse(r->arena, s->args[i])};
        bool again = false;
        for (size_t k = 0; k < f->n_strata; k++)
            again = again || strcmp(f->strata[k].label, factor.label) == 0;
        if (again)
            continue;
        if (f->n_strata == STRATA_MAX) {
            code = syntax_fail(r->error, r->scope, s->args[i], "expected at most %d variables in strata()",
                               STRATA_MAX);
            goto out;
        }
        MAILLE_TRY(expression_code_of_syntax(&factor.expression, r->arena, r->scope, s->args[i], r->error));
        f->strata[f->n_strata++] = factor;
    }
out:
    return code;
}

static enum maille_code note_cluster(struct formula_reading *r, const struct syntax *s)
{
    enum maille_code code;
    struct formula *f = r->formula;
    MAILLE_TRY(one_argument(r, s));
    if (f->has_cluster) {
        code = syntax_fail(r->error, r->scope, s, "expected one cluster(), found a second one");
        goto out;
    }
    if (is_site(s->args[0])) {
        f->cluster_site = true;
    } else if (is_patient(s->args[0], r->scope->dictionary)) {
        f->cluster_patient = true;
    } else {
        f->cluster.label = syntax_deparse(r->arena, s->args[0]);
        MAILLE_TRY(
            expression_code_of_syntax(&f->cluster.expression, r->arena, r->scope, s->args[0], r->error));
    }
    f->has_cluster = true;
out:
    return code;
}

/* --- factors of the model frame --- */

/* u, u² … of the scaled number: the same models as R's columns, which are made of the patients' moments. */
static enum maille_code orthogonal_basis(struct formula_reading *r, struct formula_factor *factor,
                                         const struct syntax *s, size_t degree)
{
    enum maille_code code;
    double middle, half;
    MAILLE_TRY(expression_unit_scale(&middle, &half, factor->expression, factor->label, r->error));
    const struct expression *u = expression_scale(r->arena, factor->expression, middle, half);
    const struct expression **basis = arena_array(r->arena, degree, sizeof *basis);
    for (size_t k = 1; k <= degree; k++)
        basis[k - 1] = expression_placed(k == 1 ? u : expression_power(r->arena, u, (int)k), s);
    factor->basis = basis;
    factor->n_basis = degree;
    factor->orthogonal = true;
out:
    return code;
}

/* poly(x, degree): orthogonal polynomials; with raw = TRUE x, x² … */
static enum maille_code formula_polynomial(struct formula_reading *r, struct formula_factor *factor,
                                           const struct syntax *s)
{
    static const char *const names[] = {"x", "degree", "raw"};
    const struct syntax *found[3] = {NULL};
    enum maille_code code;
    double degree = 1;
    bool raw = false;
    MAILLE_TRY(syntax_match(found, names, 3, r->scope, s, r->error));
    if (found[0] == NULL || (found[2] != NULL && !syntax_is_flag(found[2], &raw))) {
        code = syntax_fail(r->error, r->scope, s, "expected poly(x, 2) or poly(x, 2, raw = TRUE), found %s",
                           found[0] == NULL ? "no x" : "something else as raw");
        goto out;
    }
    int most = raw ? POLYNOMIAL_MAX : POLYNOMIAL_MAX / 2; /* moments go to twice the degree */
    if (found[1] != NULL && (!syntax_is_number(found[1], false, &degree) || degree != nearbyint(degree) ||
                             degree < 1 || degree > most)) {
        code = syntax_fail(r->error, r->scope, found[1],
                           "expected a degree of poly() from 1 to %d, found `%.80s`", most,
                           syntax_deparse(r->arena, found[1]));
        goto out;
    }
    MAILLE_TRY(expression_number_of_syntax(&factor->expression, r->arena, r->scope, found[0], r->error));
    if (!raw) {
        code = orthogonal_basis(r, factor, s, (size_t)degree);
        goto out;
    }
    if (degree == 1)
        goto out;
    const struct expression **basis = arena_array(r->arena, (size_t)degree, sizeof *basis);
    for (int k = 1; k <= (int)degree; k++)
        basis[k - 1] = k == 1 ? factor->expression
                              : expression_placed(expression_power(r->arena, factor->expression, k), s);
    factor->basis = basis;
    factor->n_basis = (size_t)degree;
out:
    return code;
}

static enum maille_code type_factor(struct formula_reading *r, struct formula_factor *factor,
                                    const struct syntax *s)
{
    enum maille_code code;
    if (is_call(s, "I")) {
        MAILLE_TRY(one_argument(r, s));
        MAILLE_TRY(expression_of_syntax(&factor->expression, r->arena, r->scope, s->args[0], r->error));
    } else if (is_call(s, "ns")) {
        MAILLE_TRY(formula_spline(r, factor, s));
    } else if (is_call(s, "poly")) {
        MAILLE_TRY(formula_polynomial(r, factor, s));
    } else {
        MAILLE_TRY(expression_of_syntax(&factor->expression, r->arena, r->scope, s, r->error));
    }
out:
    return code;
}

enum maille_code formula_factor_of(struct formula_reading *r, const struct syntax *s, int *index)
{
    struct formula *f = r->formula;
    struct formula_factor factor = {.label = syntax_deparse(r->arena, s)};
    enum maille_code code = MAILLE_OK;
    if (formula_is_special(s)) {
        *index = -1;
        return is_call(s, "offset")   ? note_offset(r, s)
               : is_call(s, "strata") ? note_strata(r, s)
                                      : note_cluster(r, s);
    }
    for (size_t i = 0; i < f->n_factors; i++)
        if (strcmp(f->factors[i].label, factor.label) == 0) {
            *index = (int)i;
            return MAILLE_OK;
        }
    if (f->n_factors == FORMULA_FACTORS_MAX) {
        code = syntax_fail(r->error, r->scope, s, "expected at most %d variables in a formula",
                           FORMULA_FACTORS_MAX);
        goto out;
    }
    if (f->response_label != NULL && strcmp(f->response_label, factor.label) == 0) {
        code = syntax_fail(r->error, r->scope, s,
                           "expected the response `%.80s` on the left of ~ only, found it on the "
                           "right too",
                           factor.label);
        goto out;
    }
    MAILLE_TRY(type_factor(r, &factor, s));
    *index = (int)f->n_factors;
    f->factors[f->n_factors++] = factor;
out:
    return code;
}

/* --- the response --- */

const char *formula_units(const struct expression *e, const struct dictionary *d)
{
    if (e->op == OP_VARIABLE)
        return d->variables[e->variable].type == VARIABLE_DATE ? "days" : d->variables[e->variable].units;
    if (e->op == OP_INTERVAL)
        return e->value == 1 ? "days" : "months";
    if (e->op != OP_ADD && e->op != OP_SUBTRACT && e->op != OP_MIN && e->op != OP_MAX)
        return "";
    const char *a = e->args[0]->op == OP_CONSTANT ? NULL : formula_units(e->args[0], d);
    const char *b = e->args[1]->op == OP_CONSTANT ? NULL : formula_units(e->args[1], d);
    if (a == NULL || b == NULL)
        return a != NULL ? a : b != NULL ? b : "";
    return strcmp(a, b) == 0 ? a : "";
}

static enum maille_code type_time(struct formula_reading *r, const struct expression **out,
                                  const struct syntax *s)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(expression_of_syntax(&x, r->arena, r->scope, s, r->error));
    if (x->kind != EXPRESSION_NUMBER)
        code =
            syntax_fail(r->error, r->scope, s, "expected a time in Surv(), a duration or a number, found %s",
                        expression_noun(x, r->scope->dictionary));
    else if (x->low < 0)
        code = syntax_fail(
            r->error, r->scope, s,
            "expected a time from 0 up in Surv(), found that `%.80s` can be %g; where nobody's is, "
            "write pmax(%.80s, 0)",
            syntax_deparse(r->arena, s), x->low, syntax_deparse(r->arena, s));
    else
        *out = x;
out:
    return code;
}

static enum maille_code type_event(struct formula_reading *r, const struct expression **out,
                                   const struct syntax *s)
{
    enum maille_code code;
    const struct expression *x;
    MAILLE_TRY(expression_of_syntax(&x, r->arena, r->scope, s, r->error));
    if (x->kind == EXPRESSION_CODE && x->n_levels < 2) {
        code = syntax_fail(r->error, r->scope, s,
                           "expected a status of at least two levels (the first is censoring), found 1");
    } else if (x->kind != EXPRESSION_NUMBER) {
        *out = x;
    } else if (x->low == 0 && x->high == 1 && x->step == 1) { /* R's 0 and 1 */
        const struct expression *one = expression_placed(expression_constant(r->arena, 1), s);
        *out = expression_placed(expression_binary(r->arena, OP_EQ, x, one), s);
    } else {
        code = syntax_fail(
            r->error, r->scope, s,
            "expected an event in Surv(): a boolean, a comparison such as `%.40s == 1`, or a category whose "
            "first level is censoring, found %s",
            syntax_deparse(r->arena, s), expression_noun(x, r->scope->dictionary));
    }
out:
    return code;
}

static enum maille_code type_survival(struct formula_reading *r, const struct syntax *s)
{
    enum maille_code code = MAILLE_OK;
    struct formula *f = r->formula;
    const char *units;
    if (s->n_args != 2 && s->n_args != 3) {
        code = syntax_fail(r->error, r->scope, s,
                           "expected Surv(time, event) or Surv(start, stop, event), found %zu "
                           "arguments",
                           s->n_args);
        goto out;
    }
    for (size_t i = 0; i < s->n_args; i++)
        if (s->arg_names[i] != NULL) {
            code =
                syntax_fail(r->error, r->scope, s->args[i],
                            "expected the arguments of Surv() by position, found `%.40s =`", s->arg_names[i]);
            goto out;
        }
    if (s->n_args == 3)
        MAILLE_TRY(type_time(r, &f->start, s->args[0]));
    MAILLE_TRY(type_time(r, &f->stop, s->args[s->n_args - 2]));
    MAILLE_TRY(type_event(r, &f->event, s->args[s->n_args - 1]));
    units = formula_units(f->stop, r->scope->dictionary);
    if (f->start != NULL && strcmp(formula_units(f->start, r->scope->dictionary), units) != 0) {
        code = syntax_fail(r->error, r->scope, s,
                           "expected start and stop in the same units, found `%s` and `%s`",
                           formula_units(f->start, r->scope->dictionary), units);
        goto out;
    }
    f->kind = RESPONSE_SURVIVAL;
    f->written = f->stop;
    f->units = units;
out:
    return code;
}

static enum maille_code type_response(struct formula_reading *r, const struct syntax *s)
{
    enum maille_code code;
    struct formula *f = r->formula;
    const struct expression *x;
    f->response_label = syntax_deparse(r->arena, s);
    if (is_call(s, "Surv")) {
        MAILLE_TRY(type_survival(r, s));
        goto out;
    }
    if (is_call(s, "I")) {
        MAILLE_TRY(one_argument(r, s));
        MAILLE_TRY(expression_of_syntax(&x, r->arena, r->scope, s->args[0], r->error));
    } else {
        MAILLE_TRY(expression_of_syntax(&x, r->arena, r->scope, s, r->error));
    }
    if (x->kind == EXPRESSION_CODE && !r->scope->category_response) {
        code = syntax_fail(
            r->error, r->scope, s,
            "expected a number or a boolean as the response, found the category `%.80s`; compare it with a "
            "level, e.g. %.80s == \"%.80s\"",
            f->response_label, f->response_label, x->levels == NULL ? "…" : x->levels[x->n_levels - 1]);
        goto out;
    }
    f->kind = RESPONSE_EXPRESSION;
    f->response = x;
out:
    return code;
}

enum maille_code formula_parse(const struct formula **out, struct arena *arena,
                               const struct expression_scope *scope, const char *text,
                               struct maille_error *error)
{
    enum maille_code code;
    const struct syntax *tree = NULL, *right;
    struct formula_reading r = {.arena = arena, .scope = scope, .error = error};
    struct formula *f = arena_alloc(arena, sizeof *f);
    r.formula = f;
    f->text = arena_strdup(arena, text);
    f->units = "";
    MAILLE_TRY(syntax_parse(&tree, arena, scope, text, error));
    if (tree->op != SYNTAX_TILDE || (tree->kind != SYNTAX_BINARY && tree->kind != SYNTAX_UNARY)) {
        code = syntax_fail(error, scope, tree, "expected a formula such as y ~ a + b, found no `~`");
        goto out;
    }
    right = tree->args[tree->n_args - 1];
    if (tree->kind == SYNTAX_BINARY)
        MAILLE_TRY(type_response(&r, tree->args[0]));
    MAILLE_TRY(formula_terms(&r, right));
    *out = f;
out:
    return code;
}

/* --- reading a formula --- */

size_t formula_expressions(const struct formula *f, const struct expression **list)
{
    size_t n = 0;
    const struct expression *const parts[] = {f->response, f->start,  f->stop,
                                              f->event,    f->offset, f->cluster.expression};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] != NULL)
            list[n++] = parts[i];
    for (size_t i = 0; i < f->n_strata; i++)
        list[n++] = f->strata[i].expression;
    for (size_t i = 0; i < f->n_factors; i++)
        list[n++] = f->factors[i].expression;
    return n;
}

void formula_variables(const struct formula *f, bool *used)
{
    const struct expression *list[FORMULA_FACTORS_MAX + 16];
    size_t n = formula_expressions(f, list);
    for (size_t i = 0; i < n; i++)
        expression_variables(list[i], used);
}
