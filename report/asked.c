#include "report/asked.h"

#include <string.h>

#include "base/number.h"
#include "query/yaml.h"

/* --- the study's own words --- */

/* The document of a study that was parsed before; NULL where there is no text. */
static const struct yaml_node *document(const struct study *study, struct arena *arena)
{
    const struct yaml_node *root = NULL;
    struct maille_error error;
    if (study->text == NULL || study->text_length == 0 ||
        yaml_parse(&root, arena, "study", study->text, study->text_length, &error) != MAILLE_OK)
        return NULL;
    return root;
}

static void add_node(struct result *to, const char *name, const struct yaml_node *node);

static void add_scalar(struct result *to, const char *name, const struct yaml_node *node)
{
    double number;
    int64_t whole;
    if (!node->quoted && (strcmp(node->scalar, "true") == 0 || strcmp(node->scalar, "false") == 0))
        result_add_boolean(to, name, node->scalar[0] == 't');
    else if (!node->quoted && number_parse_i64(node->scalar, strlen(node->scalar), &whole))
        result_add_integer(to, name, whole);
    else if (!node->quoted && number_parse_double(node->scalar, strlen(node->scalar), '.', &number))
        result_add_number(to, name, number);
    else
        result_add_string(to, name, node->scalar);
}

static void add_node(struct result *to, const char *name, const struct yaml_node *node)
{
    struct result *inner;
    switch (node->kind) {
    case YAML_KIND_SCALAR:
        add_scalar(to, name, node);
        break;
    case YAML_KIND_LIST:
        inner = result_add_list(to, name);
        for (size_t i = 0; i < node->n; i++)
            add_node(inner, NULL, node->values[i]);
        break;
    case YAML_KIND_MAP:
        inner = result_add_object(to, name);
        for (size_t i = 0; i < node->n; i++)
            add_node(inner, node->keys[i]->scalar, node->values[i]);
        break;
    }
}

/* The i-th of "a|b|c". */
static const char *choice_name(struct arena *arena, const char *choices, uint64_t index)
{
    for (; index > 0 && *choices != '\0'; choices++)
        index -= *choices == '|';
    return arena_strndup(arena, choices, strcspn(choices, "|"));
}

static void add_default(struct result *to, const struct query_key *key, struct arena *arena)
{
    if (key->kind == KEY_NUMBER && !key->required && key->fallback >= key->min) /* else it is off */
        result_add_number(to, key->name, key->fallback);
    else if (key->kind == KEY_FLAG)
        result_add_boolean(to, key->name, key->fallback != 0);
    else if (key->kind == KEY_CHOICE && !key->required)
        result_add_string(to, key->name, choice_name(arena, key->choices, (uint64_t)key->fallback));
}

/* A key of an analysis that `subgroups` added which is not as it was written. */
static bool add_subgroup(struct result *to, const struct analysis *a, const char *name)
{
    for (size_t k = 0; k < a->declared->n_keys; k++) {
        const struct query_key *key = &a->declared->keys[k];
        if (strcmp(key->name, name) != 0)
            continue;
        if (key->kind == KEY_FORMULA)
            result_add_string(to, name, a->values[k].formula->text);
        else if (key->kind == KEY_SUBGROUPS)
            result_add_string(result_add_list(to, name), NULL, a->subgroup);
        return key->kind == KEY_FORMULA || key->kind == KEY_SUBGROUPS;
    }
    return false;
}

/* What `complete: true` holds every site to: the dictionary's share of each variable that is read. */
static void add_thresholds(struct result *own, const struct analysis *a, struct arena *arena)
{
    const struct dictionary *dictionary = a->study->dictionary;
    bool *used = arena_array(arena, dictionary->n_variables + 1, sizeof *used);
    struct result *thresholds = result_add_object(own, "complete");
    analysis_variables(a, used);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (used[v] && dictionary->variables[v].complete > 0)
            result_add_number(thresholds, dictionary->variables[v].name, dictionary->variables[v].complete);
}

const struct result **asked_analyses(const struct study *study, struct arena *arena)
{
    const struct result **asked = arena_array(arena, study->n_analyses + 1, sizeof(const struct result *));
    const struct yaml_node *list = yaml_get(document(study, arena), "analyses");
    for (size_t i = 0; i < study->n_analyses; i++) {
        const struct analysis *a = &study->analyses[i];
        struct result *own = result_object(arena);
        asked[i] = own;
        if (list == NULL || list->kind != YAML_KIND_LIST || a->entry >= list->n)
            continue;
        const struct yaml_node *map = list->values[a->entry];
        for (size_t k = 0; k < map->n; k++) {
            const char *key = map->keys[k]->scalar;
            if (a->subgroup != NULL && add_subgroup(own, a, key))
                continue;
            if (strcmp(key, "id") != 0 && strcmp(key, "method") != 0)
                add_node(own, key, map->values[k]);
        }
        if (result_get(own, "conf_level") == NULL)
            result_add_number(own, "conf_level", a->conf_level);
        for (size_t k = 0; k < a->declared->n_keys; k++)
            if (result_get(own, a->declared->keys[k].name) == NULL)
                add_default(own, &a->declared->keys[k], arena);
        bool by_study = study->missing == MISSING_STUDY && a->declared->is_model;
        result_add_string(own, "missing", by_study ? "study" : "analysis");
        if (study->complete)
            add_thresholds(own, a, arena);
    }
    return asked;
}

const char *asked_cohort(const struct study *study, struct arena *arena)
{
    const struct yaml_node *cohort = yaml_get(document(study, arena), "cohort");
    return cohort != NULL && cohort->kind == YAML_KIND_SCALAR ? cohort->scalar : NULL;
}

/* --- levels --- */

/* levels and, where the dictionary has any for them, labels: lists of one length; a level that it has no
 * label for stands under its own name. */
static void add_levels(struct result *to, const struct expression *x, const struct dictionary *dictionary)
{
    static const char *const booleans[] = {"FALSE", "TRUE"};
    const char *const *levels = x->kind == EXPRESSION_BOOLEAN ? booleans : x->levels;
    size_t n = x->kind == EXPRESSION_BOOLEAN ? 2 : x->kind == EXPRESSION_CODE ? x->n_levels : 0;
    bool labelled = false;
    if (n == 0 || levels == NULL) {
        result_add_null(to, "levels");
        result_add_null(to, "labels");
        return;
    }
    struct result *list = result_add_list(to, "levels");
    for (size_t i = 0; i < n; i++) {
        result_add_string(list, NULL, levels[i]);
        labelled = labelled || expression_level_label(x, dictionary, i) != NULL;
    }
    if (!labelled) {
        result_add_null(to, "labels");
        return;
    }
    list = result_add_list(to, "labels");
    for (size_t i = 0; i < n; i++) {
        const char *label = expression_level_label(x, dictionary, i);
        result_add_string(list, NULL, label != NULL ? label : levels[i]);
    }
}

const struct result *asked_derived(const struct study *study, struct arena *arena)
{
    struct result *list = result_list(arena);
    const struct yaml_node *derive = yaml_get(document(study, arena), "derive");
    for (size_t i = 0; i < study->n_derived; i++) {
        struct result *one = result_add_object(list, NULL);
        const struct yaml_node *text = yaml_get(derive, study->derived[i].name);
        result_add_string(one, "name", study->derived[i].name);
        result_add_string(one, "expression",
                          text != NULL && text->kind == YAML_KIND_SCALAR ? text->scalar : NULL);
        add_levels(one, study->derived[i].expression, study->dictionary);
    }
    return list;
}

static const struct formula *formula_of(const struct analysis *a)
{
    for (size_t k = 0; k < a->declared->n_keys; k++) {
        if (a->values[k].formula != NULL)
            return a->values[k].formula;
        if (a->values[k].model != NULL)
            return formula_of(a->values[k].model);
    }
    return NULL;
}

const struct result *asked_frame(const struct study *study, const struct analysis *analysis,
                                 struct arena *arena)
{
    const struct formula *f = formula_of(analysis);
    if (f == NULL)
        return NULL;
    struct result *frame = result_object(arena), *factors;
    result_add_string(frame, "response", f->response_label);
    result_add_string(frame, "time_units",
                      f->units != NULL && f->units[0] != '\0' && f->kind == RESPONSE_SURVIVAL ? f->units
                                                                                              : NULL);
    factors = result_add_list(frame, "factors");
    for (size_t i = 0; i < f->n_factors; i++) {
        struct result *one = result_add_object(factors, NULL);
        result_add_string(one, "name", f->factors[i].label);
        add_levels(one, f->factors[i].expression, study->dictionary);
    }
    if (f->kind == RESPONSE_SURVIVAL && f->event->kind == EXPRESSION_CODE)
        add_levels(result_add_object(frame, "status"), f->event, study->dictionary);
    else
        result_add_null(frame, "status");
    return frame;
}

/* --- the dictionary --- */

static void mark_analysis(const struct analysis *a, bool *used)
{
    if (a->cohort != NULL)
        expression_variables(a->cohort, used);
    for (size_t i = 0; i < a->n_by; i++)
        expression_variables(a->by[i], used);
    if (a->weights != NULL)
        expression_variables(a->weights, used);
    if (a->propensity != NULL)
        formula_variables(a->propensity->formula, used);
    for (size_t k = 0; k < a->declared->n_keys; k++) {
        const struct query_value *value = &a->values[k];
        for (size_t i = 0; value->expressions != NULL && i < value->n; i++)
            expression_variables(value->expressions[i], used);
        if (value->formula != NULL)
            formula_variables(value->formula, used);
        if (value->model != NULL)
            mark_analysis(value->model, used);
    }
}

static void add_bound(struct result *to, const char *name, const struct variable *v, double value)
{
    char text[16];
    if (v->type == VARIABLE_CATEGORY || v->type == VARIABLE_BOOLEAN) {
        result_add_null(to, name);
    } else if (v->type == VARIABLE_DATE) {
        number_format_date(text, (int32_t)value);
        result_add_string(to, name, text);
    } else {
        result_add_number(to, name, value);
    }
}

const struct result *asked_dictionary(const struct study *study, struct arena *arena)
{
    const struct dictionary *d = study->dictionary;
    bool *used = arena_array(arena, d->n_variables + 1, sizeof *used);
    struct result *dictionary = result_object(arena), *variables;
    for (size_t i = 0; i < study->n_analyses; i++)
        mark_analysis(&study->analyses[i], used);
    result_add_string(dictionary, "name", d->name);
    result_add_integer(dictionary, "version", d->version);
    variables = result_add_list(dictionary, "variables");
    for (size_t i = 0; i < d->n_variables; i++) {
        const struct variable *v = &d->variables[i];
        struct result *one;
        if (!used[i])
            continue;
        one = result_add_object(variables, NULL);
        result_add_string(one, "name", v->name);
        result_add_string(one, "label", v->label);
        result_add_string(one, "type", variable_type_name(v->type));
        result_add_string(one, "units", v->units[0] == '\0' ? NULL : v->units);
        add_bound(one, "min", v, v->min);
        add_bound(one, "max", v, v->max);
        add_levels(one, expression_variable(arena, d, (uint32_t)i), d);
    }
    return dictionary;
}
