#include <string.h>

#include "query/language.h"
#include "query/study_reading.h"

/* `subgroups: [size, grade]` of an analysis `os`: the analyses `os-size` and `os-grade` behind it, each with
 * its variable and the interaction of the first term with it (docs/decisions/0011-subgroups-are-analyses.md).
 */

static size_t key_of_kind(const struct query_method *method, enum query_key_kind kind)
{
    for (size_t i = 0; i < method->n_keys; i++)
        if (method->keys[i].kind == kind)
            return i;
    return SIZE_MAX;
}

/* The first term, whose effect is asked for in each level: one variable, in no interaction. */
static enum maille_code check_treatment(struct study_reading *r, const struct formula *formula,
                                        const struct formula_factor **treatment, const struct yaml_node *node)
{
    uint64_t own = formula->n_terms > 0 ? formula->terms[0].factors : 0;
    bool alone = own != 0 && (own & (own - 1)) == 0 && formula->intercept;
    for (size_t t = 1; t < formula->n_terms; t++)
        alone = alone && (formula->terms[t].factors & own) == 0;
    for (size_t f = 0; f < formula->n_factors && alone; f++)
        if (own == (uint64_t)1 << f && formula->factors[f].n_basis == 0) {
            *treatment = &formula->factors[f];
            return MAILLE_OK;
        }
    return yaml_fail(
        r->error, node,
        "expected with `subgroups` a formula whose first term is the treatment, a variable in no "
        "interaction and beside an intercept, found `%.200s`",
        formula->text);
}

static enum maille_code add_one(struct study_reading *r, struct analysis *added, const struct analysis *a,
                                size_t key, const struct formula_factor *treatment, const char *name,
                                const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    const struct query_method *m = a->declared;
    struct query_value *values = arena_array(r->arena, m->n_keys + 1, sizeof *values);
    const char *text = a->values[key].formula->text;
    if (strcmp(treatment->label, name) == 0) {
        code = yaml_fail(r->error, node,
                         "expected in `subgroups` other variables than the treatment, found `%s`", name);
        goto out;
    }
    memcpy(values, a->values, m->n_keys * sizeof *values);
    *added = *a;
    added->values = values;
    added->subgroup = name;
    char *id = arena_printf(r->arena, "%s-%s", a->id, name);
    for (char *c = id; *c != '\0'; c++) /* names have dots */
        if (*c == '.')
            *c = '_';
    added->id = id;
    if (!study_id_legal(id, ANALYSIS_ID_MAX)) {
        code = yaml_fail(r->error, node,
                         "expected an id of the analysis and a variable's name of %d characters together, "
                         "found `%.200s`",
                         ANALYSIS_ID_MAX, id);
        goto out;
    }
    text = arena_printf(r->arena, "%s + %s + %s:%s", text, name, treatment->label, name);
    struct expression_scope scope = study_scope(r, node);
    MAILLE_TRY(formula_parse(&values[key].formula, r->arena, &scope, text, r->error));
out:
    return code;
}

enum maille_code study_subgroups(struct study_reading *r, struct analysis *added, size_t *n_added, size_t n,
                                 struct analysis *a, const struct yaml_node *map)
{
    enum maille_code code = MAILLE_OK;
    const struct formula_factor *treatment = NULL;
    size_t key = key_of_kind(a->declared, KEY_SUBGROUPS), formula = key_of_kind(a->declared, KEY_FORMULA);
    if (key == SIZE_MAX || formula == SIZE_MAX || !a->values[key].present)
        goto out;
    const struct query_value by = a->values[key];
    a->values[key].expressions = NULL; /* its own rows need none of them */
    a->values[key].n = 0;
    const struct yaml_node *list = yaml_get(map, a->declared->keys[key].name);
    MAILLE_TRY(check_treatment(r, a->values[formula].formula, &treatment, list));
    if (by.n > n) {
        code = yaml_fail(r->error, list,
                         "expected at most %d analyses, those of `subgroups` among them, found more",
                         STUDY_ANALYSES_MAX);
        goto out;
    }
    for (size_t i = 0; i < by.n; i++) {
        if (by.expressions[i]->kind == EXPRESSION_NUMBER) {
            code = yaml_fail(r->error, list->values[i],
                             "expected categories and booleans in `subgroups`, found the number `%s`; "
                             "cut() it under `derive`",
                             by.names[i]);
            goto out;
        }
        MAILLE_TRY(add_one(r, &added[i], a, formula, treatment, by.names[i], list->values[i]));
    }
    *n_added = by.n;
out:
    return code;
}
