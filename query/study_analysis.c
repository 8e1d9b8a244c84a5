#include <string.h>

#include "query/expression_type.h"
#include "query/language.h"
#include "query/study_reading.h"

/* One entry of `analyses`: the keys that every method has. Those of the method are in study_values.c. */

static enum maille_code find_method(struct study_reading *r, struct analysis *a, const struct yaml_node *node)
{
    enum maille_code code;
    const char *names[64], *list = "";
    size_t n = 0;
    MAILLE_TRY(yaml_string(&a->method, node, r->error));
    for (size_t i = 0; i < r->n_methods; i++) {
        if (strcmp(r->methods[i].name, a->method) == 0) {
            a->declared = &r->methods[i];
            goto out;
        }
        if (n < sizeof names / sizeof *names)
            names[n++] = r->methods[i].name;
        list = arena_printf(r->arena, "%s%s%s", list, i == 0 ? "" : ", ", r->methods[i].name);
    }
    const char *nearest = dictionary_nearest_name(a->method, names, n);
    if (nearest != NULL)
        code = yaml_fail(r->error, node, "expected a method, found `%.80s`; did you mean `%s`?", a->method,
                         nearest);
    else
        code = yaml_fail(r->error, node, "expected one of the methods %s, found `%.80s`", list, a->method);
out:
    return code;
}

static enum maille_code check_keys(struct study_reading *r, const struct analysis *a,
                                   const struct yaml_node *map)
{
    const struct query_method *m = a->declared;
    const char *const *common = language_names(r->arena, language_analysis);
    size_t n = 0;
    while (common[n] != NULL)
        n++;
    const char **known = arena_array(r->arena, n + m->n_keys + 1, sizeof *known);
    for (n = 0; *common != NULL; common++) {
        bool legal = (m->takes_by || strcmp(*common, "by") != 0) &&
                     (m->takes_weights || strcmp(*common, "weights") != 0) &&
                     (m->takes_landmark || strcmp(*common, "landmark") != 0);
        if (legal)
            known[n++] = *common;
        else if (yaml_get(map, *common) != NULL)
            return yaml_fail(r->error, yaml_get(map, *common),
                             "expected no `%s` in an analysis by %s; remove it", *common, m->name);
    }
    for (size_t i = 0; i < m->n_keys; i++)
        known[n++] = m->keys[i].name;
    return yaml_only_keys(map, known, r->error);
}

enum maille_code study_name(struct study_reading *r, const struct expression **out, const char **name,
                            const struct yaml_node *node)
{
    enum maille_code code;
    const struct syntax *tree = NULL;
    const char *text;
    MAILLE_TRY(yaml_string(&text, node, r->error));
    struct expression_scope scope = study_scope(r, node);
    MAILLE_TRY(syntax_parse(&tree, r->arena, &scope, text, r->error));
    if (tree->kind != SYNTAX_NAME) {
        code =
            yaml_fail(r->error, node,
                      "expected the name of a variable, found `%.80s`; give it a name under `derive`", text);
        goto out;
    }
    MAILLE_TRY(expression_of_name(out, r->arena, &scope, tree, r->error));
    *name = tree->text;
out:
    return code;
}

static enum maille_code add_by(struct study_reading *r, struct analysis *a, const struct yaml_node *node)
{
    enum maille_code code;
    const struct expression *x = NULL;
    const char *name = NULL;
    if (node->kind == YAML_KIND_SCALAR && strcmp(node->scalar, "site") == 0) {
        code = yaml_fail(r->error, node,
                         "expected a variable in `by`, found `site`: groups by site would release each "
                         "site's numbers");
        goto out;
    }
    MAILLE_TRY(study_name(r, &x, &name, node));
    for (size_t i = 0; i < a->n_by; i++)
        if (strcmp(a->by_names[i], name) == 0) {
            code = yaml_fail(r->error, node, "expected each variable of `by` once, found `%s` again", name);
            goto out;
        }
    code = expression_as_code(&a->by[a->n_by], r->arena, x, r->error);
    if (code != MAILLE_OK) {
        maille_error_prefix(r->error, "%s:%d:%d", node->file, node->line, node->column);
        goto out;
    }
    a->by_names[a->n_by++] = name;
out:
    return code;
}

static enum maille_code parse_by(struct study_reading *r, struct analysis *a, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    if (node->kind == YAML_KIND_SCALAR) {
        MAILLE_TRY(add_by(r, a, node));
        goto out;
    }
    if (node->kind != YAML_KIND_LIST || node->n == 0 || node->n > STUDY_BY_MAX) {
        code = yaml_fail(r->error, node, "expected `by` as a variable or a list of 1 to %d variables",
                         STUDY_BY_MAX);
        goto out;
    }
    for (size_t i = 0; i < node->n; i++)
        MAILLE_TRY(add_by(r, a, node->values[i]));
out:
    return code;
}

/* `truncate: [0.01, 0.99]` */
static enum maille_code parse_truncation(struct study_reading *r, struct propensity *p,
                                         const struct yaml_node *node)
{
    enum maille_code code;
    if (node->kind != YAML_KIND_LIST || node->n != 2) {
        code = yaml_fail(r->error, node, "expected `truncate` as two quantiles, such as [0.01, 0.99]");
        goto out;
    }
    MAILLE_TRY(yaml_number(&p->low, node->values[0], 0, 1, r->error));
    MAILLE_TRY(yaml_number(&p->high, node->values[1], 0, 1, r->error));
    if (!(p->low < p->high)) {
        code = yaml_fail(r->error, node, "expected `truncate` to ascend, found %g and %g", p->low, p->high);
        goto out;
    }
    p->truncated = true;
out:
    return code;
}

static enum maille_code parse_propensity(struct study_reading *r, struct analysis *a,
                                         const struct yaml_node *map)
{
    enum maille_code code;
    const struct yaml_node *node;
    const char *text;
    struct propensity *p = arena_alloc(r->arena, sizeof *p);
    MAILLE_TRY(yaml_only_keys(map, language_names(r->arena, language_propensity), r->error));
    if ((node = yaml_get(map, "iptw")) == NULL) {
        code = yaml_fail(r->error, map, "expected `iptw: \"treatment ~ …\"` in `weights`, found none");
        goto out;
    }
    MAILLE_TRY(yaml_string(&text, node, r->error));
    struct expression_scope scope = study_scope(r, node);
    scope.category_response = true; /* several arms */
    MAILLE_TRY(formula_parse(&p->formula, r->arena, &scope, text, r->error));
    if ((node = yaml_get(map, "estimand")) != NULL) {
        MAILLE_TRY(yaml_string(&text, node, r->error));
        p->att = strcmp(text, "att") == 0;
        if (!p->att && strcmp(text, "ate") != 0) {
            code = yaml_fail(r->error, node, "expected `estimand` to be ate or att, found `%.80s`", text);
            goto out;
        }
    }
    if ((node = yaml_get(map, "stabilised")) != NULL)
        MAILLE_TRY(yaml_boolean(&p->stabilised, node, r->error));
    if (p->stabilised && p->att) {
        code = yaml_fail(r->error, node,
                         "expected `stabilised` with the estimand ate, found att: the treated weigh "
                         "1 as it is");
        goto out;
    }
    if ((node = yaml_get(map, "truncate")) != NULL)
        MAILLE_TRY(parse_truncation(r, p, node));
    a->propensity = p;
out:
    return code;
}

static enum maille_code parse_weights(struct study_reading *r, struct analysis *a,
                                      const struct yaml_node *node)
{
    enum maille_code code;
    const struct expression *x = NULL;
    if (node->kind == YAML_KIND_MAP) {
        code = parse_propensity(r, a, node);
        goto out;
    }
    MAILLE_TRY(study_name(r, &x, &a->weights_name, node));
    if (x->kind == EXPRESSION_CODE) {
        code = yaml_fail(r->error, node, "expected a number as `weights`, found the category `%s`",
                         a->weights_name);
        goto out;
    }
    if (x->low < 0) {
        code = yaml_fail(r->error, node, "expected weights from 0 up, found that `%s` can be %g",
                         a->weights_name, x->low);
        goto out;
    }
    a->weights = expression_number_of(r->arena, x);
out:
    return code;
}

static enum maille_code parse_conf_level(struct study_reading *r, struct analysis *a,
                                         const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    a->conf_level = 0.95;
    if (node == NULL)
        goto out;
    MAILLE_TRY(yaml_number(&a->conf_level, node, 0, 1, r->error));
    if (a->conf_level == 0 || a->conf_level == 1)
        code = yaml_fail(r->error, node, "expected `conf_level` between 0 and 1, found %s", node->scalar);
out:
    return code;
}

enum maille_code study_analysis(struct study_reading *r, struct analysis *a, const struct yaml_node *map)
{
    enum maille_code code;
    const struct yaml_node *node;
    const struct expression *own = NULL;
    if (map->kind != YAML_KIND_MAP) {
        code = yaml_fail(r->error, map, "expected an analysis as `{ id: …, method: …, … }`");
        goto out;
    }
    a->line = map->line;
    if ((node = yaml_get(map, "id")) == NULL) {
        code = yaml_fail(r->error, map, "expected the `id` of the analysis, found none");
        goto out;
    }
    MAILLE_TRY(yaml_string(&a->id, node, r->error));
    if (!study_id_legal(a->id, ANALYSIS_ID_MAX)) {
        code =
            yaml_fail(r->error, node, "expected an id of 1 to %d letters, digits, `-` and `_`, found `%.80s`",
                      ANALYSIS_ID_MAX, a->id);
        goto out;
    }
    if ((node = yaml_get(map, "method")) == NULL) {
        code = yaml_fail(r->error, map, "expected the `method` of the analysis `%s`, found none", a->id);
        goto out;
    }
    MAILLE_TRY(find_method(r, a, node));
    MAILLE_TRY(study_note(r, check_keys(r, a, map)));
    if ((node = yaml_get(map, "cohort")) != NULL) {
        MAILLE_TRY(study_note(r, study_cohort(r, &own, node)));
        a->cohort = expression_and(r->arena, a->cohort, own);
        a->has_cohort = true;
    }
    if ((node = yaml_get(map, "by")) != NULL)
        MAILLE_TRY(study_note(r, parse_by(r, a, node)));
    if ((node = yaml_get(map, "weights")) != NULL)
        MAILLE_TRY(study_note(r, parse_weights(r, a, node)));
    MAILLE_TRY(study_note(r, parse_conf_level(r, a, yaml_get(map, "conf_level"))));
    MAILLE_TRY(study_values(r, a, map));
out:
    return code;
}
