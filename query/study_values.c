#include <stdio.h>
#include <string.h>

#include "query/study_reading.h"

/* The keys that a method declares, each read by its kind (study.h: enum query_key_kind). */

/* Index of the choice in "a|b|c", or −1. */
static int choice_index(const char *choices, const char *text)
{
    size_t length = strlen(text);
    int index = 0;
    for (const char *c = choices; length > 0; index++) {
        size_t n = strcspn(c, "|");
        if (n == length && strncmp(c, text, n) == 0)
            return index;
        if (c[n] == '\0')
            break;
        c += n + 1;
    }
    return -1;
}

static enum maille_code parse_choice(struct study_reading *r, uint64_t *choice, const struct query_key *key,
                                     const struct yaml_node *node)
{
    enum maille_code code;
    const char *text;
    MAILLE_TRY(yaml_string(&text, node, r->error));
    int index = choice_index(key->choices, text);
    if (index < 0)
        code = yaml_fail(r->error, node, "expected `%s` to be one of %s, found `%.80s`", key->name,
                         key->choices, text);
    else
        *choice = (uint64_t)index;
out:
    return code;
}

/* Lists count between the key's n_min and n_max (0: no limit but that of the file). */
static enum maille_code check_length(struct study_reading *r, const struct query_key *key,
                                     const struct yaml_node *node)
{
    size_t least = key->n_min > 0 ? key->n_min : 1, most = key->n_max > 0 ? key->n_max : YAML_NODES_MAX;
    if (node->kind != YAML_KIND_LIST)
        return yaml_fail(r->error, node, "expected `%s` as a list in brackets", key->name);
    if (node->n >= least && node->n <= most)
        return MAILLE_OK;
    if (key->n_max == 0)
        return yaml_fail(r->error, node, "expected at least %zu in `%s`, found %zu", least, key->name,
                         node->n);
    return yaml_fail(r->error, node, "expected %zu to %zu in `%s`, found %zu", least, most, key->name,
                     node->n);
}

/* names[i] is none of those before it. what: of which kind they are. */
static enum maille_code check_once(struct study_reading *r, const struct query_key *key, const char *what,
                                   const char *const *names, size_t i, const struct yaml_node *item)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(names[k], names[i]) == 0)
            return yaml_fail(r->error, item, "expected each %s of `%s` once, found `%.80s` again", what,
                             key->name, names[i]);
    return MAILLE_OK;
}

static enum maille_code parse_variables(struct study_reading *r, struct query_value *value,
                                        const struct query_key *key, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    bool one = key->kind == KEY_VARIABLE;
    if (!one)
        MAILLE_TRY(check_length(r, key, node));
    size_t n = one ? 1 : node->n;
    const struct expression **expressions = arena_array(r->arena, n, sizeof *expressions);
    const char **names = arena_array(r->arena, n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *item = one ? node : node->values[i];
        MAILLE_TRY(study_name(r, &expressions[i], &names[i], item));
        MAILLE_TRY(check_once(r, key, "variable", names, i, item));
    }
    value->n = n;
    value->expressions = expressions;
    value->names = names;
out:
    return code;
}

static enum maille_code parse_numbers(struct study_reading *r, struct query_value *value,
                                      const struct query_key *key, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    bool one = key->kind == KEY_NUMBER;
    if (!one)
        MAILLE_TRY(check_length(r, key, node));
    size_t n = one ? 1 : node->n;
    double *numbers = arena_array(r->arena, n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(yaml_number(&numbers[i], one ? node : node->values[i], key->min, key->max, r->error));
    value->n = n;
    value->numbers = numbers;
out:
    return code;
}

static enum maille_code parse_flag_or_choices(struct study_reading *r, struct query_value *value,
                                              const struct query_key *key, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    value->choice = 0;
    if (node->kind == YAML_KIND_SCALAR) {
        bool flag;
        if (yaml_boolean(&flag, node, r->error) != MAILLE_OK)
            code = yaml_fail(r->error, node, "expected `%s` to be true, false or a list of %s, found `%.80s`",
                             key->name, key->choices, node->scalar);
        else
            value->choice = flag;
        goto out;
    }
    MAILLE_TRY(check_length(r, key, node));
    for (size_t i = 0; i < node->n; i++) {
        uint64_t choice = 0;
        MAILLE_TRY(parse_choice(r, &choice, key, node->values[i]));
        value->choice |= (uint64_t)1 << choice;
    }
out:
    return code;
}

static enum maille_code parse_formula(struct study_reading *r, struct query_value *value,
                                      const struct yaml_node *node)
{
    enum maille_code code;
    const char *text;
    MAILLE_TRY(yaml_string(&text, node, r->error));
    struct expression_scope scope = study_scope(r, node);
    MAILLE_TRY(formula_parse(&value->formula, r->arena, &scope, text, r->error));
out:
    return code;
}

static enum maille_code parse_text(struct study_reading *r, struct query_value *value,
                                   const struct yaml_node *node)
{
    const char **names = arena_array(r->arena, 1, sizeof *names);
    enum maille_code code = yaml_string(&names[0], node, r->error);
    if (code != MAILLE_OK)
        return code;
    value->names = names;
    value->n = 1;
    return MAILLE_OK;
}

/* Ids; which analyses these are is known when all are read (study_refer). */
static enum maille_code parse_analyses(struct study_reading *r, struct query_value *value,
                                       const struct query_key *key, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    const bool one = key->kind == KEY_ANALYSIS && node->kind != YAML_KIND_LIST;
    if (!one)
        MAILLE_TRY(check_length(r, key, node));
    const size_t n = one ? 1 : node->n;
    const char **names = arena_array(r->arena, n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *item = one ? node : node->values[i];
        MAILLE_TRY(yaml_string(&names[i], item, r->error));
        MAILLE_TRY(check_once(r, key, "analysis", names, i, item));
    }
    value->names = names;
    value->n = n;
out:
    return code;
}

static bool names_analyses(const struct query_key *key)
{
    return key->kind == KEY_ANALYSIS || key->kind == KEY_ANALYSES;
}

/* The analysis of this id, to which `a` may refer. */
static enum maille_code find_analysis(struct study_reading *r, const struct analysis **out,
                                      const struct analysis *a, const struct query_key *key, const char *id)
{
    const struct study *s = r->study;
    size_t k = 0;
    while (k < s->n_analyses && strcmp(s->analyses[k].id, id) != 0)
        k++;
    if (k == s->n_analyses || &s->analyses[k] == a)
        return maille_fail(r->error, MAILLE_INVALID,
                           "%s:%d: expected in `%s` the id of another analysis of this study, found `%.80s`",
                           s->file, a->line, key->name, id);
    *out = &s->analyses[k];
    for (size_t i = 0; i < (*out)->declared->n_keys; i++)
        if (names_analyses(&(*out)->declared->keys[i]))
            return maille_fail(r->error, MAILLE_INVALID,
                               "%s:%d: expected in `%s` analyses that name no others, found `%.80s`", s->file,
                               a->line, key->name, id);
    return MAILLE_OK;
}

enum maille_code study_refer(struct study_reading *r, struct analysis *a)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < a->declared->n_keys; i++) {
        const struct query_key *key = &a->declared->keys[i];
        struct query_value *value = &a->values[i];
        if (!names_analyses(key) || !value->present)
            continue;
        const struct analysis **analyses = arena_array(r->arena, value->n, sizeof *analyses);
        for (size_t k = 0; k < value->n; k++)
            MAILLE_TRY(find_analysis(r, &analyses[k], a, key, value->names[k]));
        if (key->kind == KEY_ANALYSES) {
            value->analyses = analyses;
        } else { /* whose patients these are: rules look at it as at a model */
            value->model = analyses[0];
            a->cohort = analyses[0]->cohort;
        }
    }
out:
    return code;
}

/* The analysis itself with the method and the keys of the map. */
static enum maille_code parse_model(struct study_reading *r, struct query_value *value,
                                    const struct analysis *a, const struct query_key *key,
                                    const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *method = node->kind == YAML_KIND_MAP ? yaml_get(node, "method") : NULL;
    const struct query_key choices = {.name = "method", .choices = key->choices};
    uint64_t choice = 0;
    if (method == NULL) {
        code = yaml_fail(r->error, node, "expected `%s` as a map `{ method: …, … }`", key->name);
        goto out;
    }
    MAILLE_TRY(parse_choice(r, &choice, &choices, method));
    struct analysis *model = arena_array(r->arena, 1, sizeof *model);
    *model = *a;
    MAILLE_TRY(yaml_string(&model->method, method, r->error));
    model->declared = NULL;
    for (size_t i = 0; i < r->n_methods; i++)
        if (strcmp(r->methods[i].name, model->method) == 0)
            model->declared = &r->methods[i];
    if (model->declared == NULL) {
        code = yaml_fail(r->error, method, "expected a method of this version, found `%.80s`", model->method);
        goto out;
    }
    const char **known = arena_array(r->arena, model->declared->n_keys + 2, sizeof *known);
    known[0] = "method";
    for (size_t i = 0, n = 1; i < model->declared->n_keys; i++)
        if (model->declared->keys[i].kind != KEY_SUBGROUPS) /* which add analyses, and this is in one */
            known[n++] = model->declared->keys[i].name;
    MAILLE_TRY(yaml_only_keys(node, known, r->error));
    model->line = node->line;
    MAILLE_TRY(study_values(r, model, node));
    value->model = model;
out:
    return code;
}

static enum maille_code parse_value(struct study_reading *r, struct query_value *value,
                                    const struct analysis *a, const struct query_key *key,
                                    const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    bool flag = false;
    value->present = true;
    value->line = node->line;
    value->column = node->column;
    switch (key->kind) {
    case KEY_VARIABLE:
    case KEY_VARIABLES:
    case KEY_SUBGROUPS:
        MAILLE_TRY(parse_variables(r, value, key, node));
        break;
    case KEY_NUMBER:
    case KEY_NUMBERS:
        MAILLE_TRY(parse_numbers(r, value, key, node));
        break;
    case KEY_FLAG:
        MAILLE_TRY(yaml_boolean(&flag, node, r->error));
        value->choice = flag;
        break;
    case KEY_CHOICE:
        MAILLE_TRY(parse_choice(r, &value->choice, key, node));
        break;
    case KEY_FLAG_OR_CHOICES:
        MAILLE_TRY(parse_flag_or_choices(r, value, key, node));
        break;
    case KEY_FORMULA:
        MAILLE_TRY(parse_formula(r, value, node));
        break;
    case KEY_TEXT:
        MAILLE_TRY(parse_text(r, value, node));
        break;
    case KEY_MODEL:
        MAILLE_TRY(parse_model(r, value, a, key, node));
        break;
    case KEY_ANALYSIS:
    case KEY_ANALYSES:
        MAILLE_TRY(parse_analyses(r, value, key, node));
        break;
    }
out:
    return code;
}

static void set_default(struct study_reading *r, struct query_value *value, const struct query_key *key)
{
    if (key->kind == KEY_NUMBER) {
        double *number = arena_array(r->arena, 1, sizeof *number);
        *number = key->fallback;
        value->numbers = number;
        value->n = 1;
    } else if (key->kind == KEY_FLAG || key->kind == KEY_CHOICE || key->kind == KEY_FLAG_OR_CHOICES) {
        value->choice = (uint64_t)key->fallback;
    }
}

enum maille_code study_values(struct study_reading *r, struct analysis *a, const struct yaml_node *map)
{
    enum maille_code code = MAILLE_OK;
    const struct query_method *m = a->declared;
    a->values = arena_array(r->arena, m->n_keys + 1, sizeof *a->values);
    for (size_t i = 0; i < m->n_keys; i++) {
        const struct yaml_node *node = yaml_get(map, m->keys[i].name);
        a->values[i].line = map->line;
        a->values[i].column = map->column;
        if (node != NULL) {
            MAILLE_TRY(study_note(r, parse_value(r, &a->values[i], a, &m->keys[i], node)));
        } else if (m->keys[i].required) {
            MAILLE_TRY(study_note(r, yaml_fail(r->error, map,
                                               "expected the key `%s` in an analysis by %s, found none",
                                               m->keys[i].name, m->name)));
        } else {
            set_default(r, &a->values[i], &m->keys[i]);
        }
    }
out:
    return code;
}
