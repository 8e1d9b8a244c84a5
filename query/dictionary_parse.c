/* A dictionary out of its text: every key checked, and the variables against each other. */
#include "query/dictionary.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "query/language.h"
#include "query/yaml.h"

static const char *const type_names[] = {
    [VARIABLE_INTEGER] = "integer", [VARIABLE_REAL] = "real",         [VARIABLE_CATEGORY] = "category",
    [VARIABLE_BOOLEAN] = "boolean", [VARIABLE_DURATION] = "duration", [VARIABLE_DATE] = "date"};
static const char *const role_names[] = {
    [ROLE_NONE] = "none", [ROLE_IDENTIFIER] = "identifier", [ROLE_DATE] = "date", [ROLE_QUASI] = "quasi"};
static const char *const boolean_levels[] = {"FALSE", "TRUE"};

enum { N_TYPES = sizeof type_names / sizeof *type_names, N_ROLES = sizeof role_names / sizeof *role_names };

const char *variable_type_name(enum variable_type type)
{
    return type_names[type];
}

const char *variable_role_name(enum variable_role role)
{
    return role_names[role];
}

static enum maille_code parse_choice(size_t *choice, const struct yaml_node *at, const char *const *names,
                                     size_t n, const char *what, struct maille_error *error)
{
    const char *text;
    enum maille_code code;
    MAILLE_TRY(yaml_string(&text, at, error));
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, names[i]) == 0) {
            *choice = i;
            goto out;
        }
    char list[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    code = yaml_fail(error, at, "expected the %s to be one of %s, found `%.80s`", what, list, text);
out:
    return code;
}

static enum maille_code parse_name(const char **name, const struct yaml_node *at, struct maille_error *error)
{
    const char *text;
    enum maille_code code;
    MAILLE_TRY(yaml_string(&text, at, error));
    if (!dictionary_name_legal(text))
        code =
            yaml_fail(error, at,
                      "expected a name of at most %d letters, digits, `_` and `.` that begins with a letter, "
                      "found `%.80s`",
                      DICTIONARY_NAME_MAX, text);
    else if (dictionary_name_reserved(text))
        code = yaml_fail(error, at,
                         "expected a name of your own, found `%s`, a word of the query language; rename it",
                         text);
    else
        *name = text;
out:
    return code;
}

/* A bound, a resolution or a cut: a number, or a date where the variable is one. */
static enum maille_code parse_bound(double *value, const struct yaml_node *at, enum variable_type type,
                                    struct maille_error *error)
{
    if (type == VARIABLE_DATE) {
        int32_t days;
        if (at->kind != YAML_KIND_SCALAR || !number_parse_date(at->scalar, strlen(at->scalar), &days))
            return yaml_fail(error, at, "expected a date as YYYY-MM-DD, found %.80s",
                             at->kind == YAML_KIND_SCALAR ? at->scalar : "a list or map");
        *value = days;
        return MAILLE_OK;
    }
    /* Beyond 2^53 a double does not hold every integer. */
    return yaml_number(value, at, -9007199254740992.0, 9007199254740992.0, error);
}

static enum maille_code parse_range(struct variable *v, const struct yaml_node *map,
                                    struct maille_error *error)
{
    enum maille_code code;
    const struct yaml_node *min = yaml_get(map, "min"), *max = yaml_get(map, "max");
    const struct yaml_node *resolution = yaml_get(map, "resolution");
    if (min == NULL || max == NULL) {
        code = yaml_fail(error, map,
                         "expected `min` and `max` of the %s `%s` (public facts that bound what a site may "
                         "send), found no `%s`",
                         type_names[v->type], v->name, min == NULL ? "min" : "max");
        goto out;
    }
    MAILLE_TRY(parse_bound(&v->min, min, v->type, error));
    MAILLE_TRY(parse_bound(&v->max, max, v->type, error));
    if (v->min >= v->max) {
        code = yaml_fail(error, max, "expected `max` of `%s` above its `min`, found %s after %s", v->name,
                         max->scalar, min->scalar);
        goto out;
    }
    v->resolution = 1;
    if (resolution != NULL) {
        MAILLE_TRY(yaml_number(&v->resolution, resolution, 1e-9, 1e15, error));
        bool whole = v->resolution == nearbyint(v->resolution);
        if (!whole && (v->type == VARIABLE_INTEGER || v->type == VARIABLE_DATE)) {
            code = yaml_fail(error, resolution, "expected a whole `resolution` of the %s `%s`, found %s",
                             type_names[v->type], v->name, resolution->scalar);
            goto out;
        }
    } else if (v->type == VARIABLE_REAL) {
        code = yaml_fail(error, map,
                         "expected the `resolution` of the real `%s` (the step of its values), found none",
                         v->name);
        goto out;
    }
    if (v->resolution > v->max - v->min) {
        code = yaml_fail(error, resolution != NULL ? resolution : map,
                         "expected the `resolution` of `%s` to be smaller than its range", v->name);
        goto out;
    }
    /* Beyond 2^52 steps neighbouring values could not be told apart. */
    if (fmax(fabs(v->min), fabs(v->max)) / v->resolution > 4503599627370496.0) {
        code = yaml_fail(error, resolution != NULL ? resolution : map,
                         "expected `%s` to have at most 2^52 steps of its resolution", v->name);
        goto out;
    }
out:
    return code;
}

static enum maille_code parse_levels(struct variable *v, struct arena *arena, const struct yaml_node *map,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *list = yaml_get(map, "levels");
    if (list == NULL || list->kind != YAML_KIND_LIST || list->n == 0) {
        code = yaml_fail(error, list == NULL ? map : list,
                         "expected `levels: [\"…\", …]` of the category `%s`, the first is the reference",
                         v->name);
        goto out;
    }
    if (list->n > DICTIONARY_LEVELS_MAX) {
        code =
            yaml_fail(error, list, "expected at most %d levels, found %zu", DICTIONARY_LEVELS_MAX, list->n);
        goto out;
    }
    v->n_levels = list->n;
    v->levels = arena_array(arena, list->n, sizeof *v->levels);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(yaml_string(&v->levels[i], list->values[i], error));
        if (v->levels[i][0] == '\0') {
            code =
                yaml_fail(error, list->values[i],
                          "expected a level of `%s` with a name, found an empty one; absent values belong in "
                          "`missing`",
                          v->name);
            goto out;
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(v->levels[i], v->levels[j]) == 0) {
                code = yaml_fail(error, list->values[i],
                                 "expected each level of `%s` once, found \"%.80s\" again", v->name,
                                 v->levels[i]);
                goto out;
            }
    }
out:
    return code;
}

static enum maille_code parse_cuts(struct variable *v, struct arena *arena, const struct yaml_node *list,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list->kind != YAML_KIND_LIST || list->n == 0 || list->n > DICTIONARY_LEVELS_MAX) {
        code = yaml_fail(error, list, "expected `cuts` of `%s` as a list of 1 to %d cut points", v->name,
                         DICTIONARY_LEVELS_MAX);
        goto out;
    }
    double *cuts = arena_array(arena, list->n, sizeof *cuts);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(parse_bound(&cuts[i], list->values[i], v->type, error));
        if (i > 0 && cuts[i] <= cuts[i - 1]) {
            code = yaml_fail(error, list->values[i],
                             "expected `cuts` of `%s` in ascending order, found %s after %s", v->name,
                             list->values[i]->scalar, list->values[i - 1]->scalar);
            goto out;
        }
        if (cuts[i] < v->min || cuts[i] > v->max) {
            code =
                yaml_fail(error, list->values[i], "expected `cuts` of `%s` between its min and max, found %s",
                          v->name, list->values[i]->scalar);
            goto out;
        }
    }
    v->cuts = cuts;
    v->n_cuts = list->n;
out:
    return code;
}

/* What people read in a level's place: one for each, in their order, as factor(levels =, labels =) has them.
 */
static enum maille_code parse_labels(struct variable *v, struct arena *arena, const struct yaml_node *list,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list->kind != YAML_KIND_LIST || list->n != v->n_levels) {
        code = yaml_fail(error, list,
                         "expected `labels` of `%s` as a list of %zu, one for each level in their order%s, "
                         "found %zu",
                         v->name, v->n_levels, v->type == VARIABLE_BOOLEAN ? " (FALSE, then TRUE)" : "",
                         list->kind == YAML_KIND_LIST ? list->n : 1);
        goto out;
    }
    v->labels = arena_array(arena, list->n, sizeof *v->labels);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(yaml_string(&v->labels[i], list->values[i], error));
        if (v->labels[i][0] == '\0') {
            code = yaml_fail(error, list->values[i], "expected a label of `%s`, found an empty one", v->name);
            goto out;
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(v->labels[i], v->labels[j]) == 0) {
                code = yaml_fail(error, list->values[i],
                                 "expected each label of `%s` once, found \"%.80s\" again: nobody could tell "
                                 "the levels apart",
                                 v->name, v->labels[i]);
                goto out;
            }
    }
out:
    return code;
}

/* The keys that a type cannot have are named, so that nobody believes they are in force. */
static enum maille_code refuse_key(const struct variable *v, const struct yaml_node *map, const char *key,
                                   struct maille_error *error)
{
    const struct yaml_node *found = yaml_get(map, key);
    if (found == NULL)
        return MAILLE_OK;
    return yaml_fail(error, found, "expected no `%s` of the %s `%s`; remove it", key, type_names[v->type],
                     v->name);
}

static enum maille_code parse_variable(struct variable *v, struct arena *arena, const struct yaml_node *map,
                                       struct maille_error *error)
{
    enum maille_code code;
    size_t choice;
    const struct yaml_node *node;
    if (map->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, map, "expected a variable as `{ name: …, type: … }`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, language_names(arena, language_variable), error));
    v->line = map->line;
    if ((node = yaml_get(map, "name")) == NULL) {
        code = yaml_fail(error, map, "expected the `name` of the variable, found none");
        goto out;
    }
    MAILLE_TRY(parse_name(&v->name, node, error));
    v->label = v->name;
    v->units = "";
    if ((node = yaml_get(map, "label")) != NULL)
        MAILLE_TRY(yaml_string(&v->label, node, error));
    if ((node = yaml_get(map, "units")) != NULL)
        MAILLE_TRY(yaml_string(&v->units, node, error));
    if ((node = yaml_get(map, "type")) == NULL) {
        code = yaml_fail(error, map, "expected the `type` of `%s`, found none", v->name);
        goto out;
    }
    MAILLE_TRY(parse_choice(&choice, node, type_names, N_TYPES, "type", error));
    v->type = (enum variable_type)choice;
    if ((node = yaml_get(map, "role")) != NULL) {
        MAILLE_TRY(parse_choice(&choice, node, role_names, N_ROLES, "role", error));
        v->role = (enum variable_role)choice;
    }
    if (v->type == VARIABLE_CATEGORY || v->type == VARIABLE_BOOLEAN) {
        MAILLE_TRY(refuse_key(v, map, "min", error));
        MAILLE_TRY(refuse_key(v, map, "max", error));
        MAILLE_TRY(refuse_key(v, map, "resolution", error));
        MAILLE_TRY(refuse_key(v, map, "cuts", error));
    } else {
        MAILLE_TRY(refuse_key(v, map, "levels", error));
        MAILLE_TRY(refuse_key(v, map, "labels", error));
        MAILLE_TRY(parse_range(v, map, error));
        variable_set_fraction(v);
    }
    if (v->type == VARIABLE_DURATION && dictionary_unit_days(v->units) == 0) {
        /* A unit that nobody knows would leave the times outside of every grid. */
        node = yaml_get(map, "units");
        code =
            yaml_fail(error, node == NULL ? map : node,
                      "expected `units` of the duration `%s` to be days, weeks, months, quarters or years, "
                      "found %s%.40s%s",
                      v->name, node == NULL ? "none" : "`", v->units, node == NULL ? "" : "`");
        goto out;
    }
    if (v->type == VARIABLE_CATEGORY) {
        MAILLE_TRY(parse_levels(v, arena, map, error));
    } else if (v->type == VARIABLE_BOOLEAN) {
        MAILLE_TRY(refuse_key(v, map, "levels", error));
        v->levels = arena_array(arena, 2, sizeof *v->levels);
        memcpy(v->levels, boolean_levels, sizeof boolean_levels);
        v->n_levels = 2;
    }
    if ((node = yaml_get(map, "labels")) != NULL)
        MAILLE_TRY(parse_labels(v, arena, node, error));
    if ((node = yaml_get(map, "cuts")) != NULL)
        MAILLE_TRY(parse_cuts(v, arena, node, error));
    if ((node = yaml_get(map, "missing")) != NULL)
        MAILLE_TRY(
            yaml_texts(&v->missing, &v->n_missing, arena, node, "missing", DICTIONARY_MISSING_MAX, error));
    if ((node = yaml_get(map, "constant")) != NULL)
        MAILLE_TRY(yaml_boolean(&v->constant, node, error));
    if ((node = yaml_get(map, "complete")) != NULL)
        MAILLE_TRY(yaml_number(&v->complete, node, 0, 1, error));
out:
    return code;
}

static enum maille_code parse_variables(struct dictionary *d, struct arena *arena,
                                        const struct yaml_node *list, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list->kind != YAML_KIND_LIST || list->n == 0 || list->n > DICTIONARY_VARIABLES_MAX) {
        code = yaml_fail(error, list, "expected `variables` as a list of 1 to %d variables",
                         DICTIONARY_VARIABLES_MAX);
        goto out;
    }
    struct variable *variables = arena_array(arena, list->n, sizeof *variables);
    d->variables = variables;
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(parse_variable(&variables[i], arena, list->values[i], error));
        const struct yaml_node *at = yaml_get(list->values[i], "name");
        if (strcmp(variables[i].name, d->key) == 0) {
            code =
                yaml_fail(error, at,
                          "expected the key `%s` outside the variables: the pseudonym is never a variable; "
                          "remove it here",
                          d->key);
            goto out;
        }
        int before = dictionary_find(d, variables[i].name);
        if (before >= 0) {
            code = yaml_fail(error, at, "expected each variable once, found `%s` again (first on line %d)",
                             variables[i].name, variables[before].line);
            goto out;
        }
        d->n_variables = i + 1;
    }
out:
    return code;
}

static enum maille_code parse_missing(struct dictionary *d, struct arena *arena, const struct yaml_node *list,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list == NULL) {
        d->missing = arena_array(arena, 1, sizeof *d->missing);
        d->missing[0] = ""; /* an empty cell is missing unless the dictionary says what is */
        d->n_missing = 1;
        goto out;
    }
    MAILLE_TRY(yaml_texts(&d->missing, &d->n_missing, arena, list, "missing", DICTIONARY_MISSING_MAX, error));
out:
    return code;
}

/* Whether a word that means missing of every variable could be this variable's value. */
static bool is_value_of(const struct variable *v, const char *word)
{
    double value;
    int32_t days;
    const size_t length = strlen(word);
    switch (v->type) {
    case VARIABLE_INTEGER:
    case VARIABLE_REAL:
    case VARIABLE_DURATION:
        return number_parse_double(word, length, '.', &value) && value >= v->min && value <= v->max;
    case VARIABLE_DATE:
        return number_parse_date(word, length, &days) && days >= v->min && days <= v->max;
    default: /* a level that is a missing word is refused with its own sentence */
        return false;
    }
}

/* A word that means missing swallows no value: neither a level, nor, where it is said of all variables, a
 * number that one of them may have. */
static enum maille_code check_missing(const struct dictionary *d, const struct yaml_node *missing,
                                      const struct yaml_node *variables, struct maille_error *error)
{
    for (size_t v = 0; v < d->n_variables; v++) {
        const struct variable *variable = &d->variables[v];
        const struct yaml_node *at = yaml_get(variables->values[v], "levels");
        for (size_t w = 0; w < d->n_missing + variable->n_missing; w++) {
            const bool is_own = w >= d->n_missing;
            const char *word = is_own ? variable->missing[w - d->n_missing] : d->missing[w];
            if (!is_own && is_value_of(variable, word)) {
                char least[32], greatest[32];
                number_format_double(least, variable->min);
                number_format_double(greatest, variable->max);
                if (variable->type == VARIABLE_DATE) {
                    number_format_date(least, (int32_t)variable->min);
                    number_format_date(greatest, (int32_t)variable->max);
                }
                return yaml_fail(
                    error, missing->values[w],
                    "expected a missing word that is no value of any variable, found \"%.80s\", which "
                    "`%s` (%s to %s) may be; let the variables that it belongs to say it",
                    word, variable->name, least, greatest);
            }
            for (size_t l = 0; l < variable->n_levels && variable->type == VARIABLE_CATEGORY; l++)
                if (strcmp(variable->levels[l], word) == 0)
                    return yaml_fail(
                        error, at->values[l],
                        "expected a level of `%s` that is no missing word, found \"%.80s\"; it would "
                        "never occur",
                        variable->name, word);
            if (variable->type == VARIABLE_BOOLEAN &&
                (strcmp(word, "0") == 0 || strcmp(word, "1") == 0 || strcasecmp(word, "true") == 0 ||
                 strcasecmp(word, "false") == 0))
                return yaml_fail(
                    error, variables->values[v],
                    "expected a missing word that is no value of the boolean `%s`, found \"%.80s\"",
                    variable->name, word);
        }
    }
    return MAILLE_OK;
}

/* Of the extended regular expressions those whose automaton stays small: no group, no choice, no repeat of a
 * repeat. */
static enum maille_code parse_pattern(const char **pattern, const struct yaml_node *at,
                                      struct maille_error *error)
{
    const char *text;
    regex_t compiled;
    enum maille_code code;
    MAILLE_TRY(yaml_string(&text, at, error));
    bool simple =
        text[0] != '\0' && strlen(text) <= DICTIONARY_PATTERN_MAX && strpbrk(text, "()|\\^$") == NULL;
    for (const char *c = text; *c != '\0' && simple; c++)
        if (strchr("*+?}", *c) != NULL)
            simple = c[1] == '\0' || strchr("*+?{", c[1]) == NULL;
        else if (*c == '{')
            simple = strtoul(c + 1, NULL, 10) <= 64;
    if (!simple) {
        code = yaml_fail(
            error, at,
            "expected `key_pattern` as a regular expression of at most %d characters without groups, "
            "such as \"P[0-9]{6}\", found `%.80s`",
            DICTIONARY_PATTERN_MAX, text);
        goto out;
    }
    if (regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) != 0) {
        code = yaml_fail(
            error, at, "expected `key_pattern` as a regular expression such as \"P[0-9]{6}\", found `%.80s`",
            text);
        goto out;
    }
    regfree(&compiled);
    *pattern = text;
out:
    return code;
}

/* What imports hold the rows of a patient to. */
static enum maille_code parse_rows(struct dictionary *d, const struct yaml_node *root,
                                   struct maille_error *error)
{
    static const char *const names[] = {"one", "several"};
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *node;
    size_t choice;
    if ((node = yaml_get(root, "rows")) != NULL) {
        MAILLE_TRY(
            parse_choice(&choice, node, names, sizeof names / sizeof *names, "rows of a patient", error));
        d->rows = choice == 0 ? ROWS_ONE : ROWS_SEVERAL;
    }
    if ((node = yaml_get(root, "identical_rows")) != NULL)
        MAILLE_TRY(yaml_boolean(&d->identical_rows, node, error));
    if ((node = yaml_get(root, "key_pattern")) != NULL)
        MAILLE_TRY(parse_pattern(&d->key_pattern, node, error));
    if ((node = yaml_get(root, "tables")) != NULL) {
        MAILLE_TRY(yaml_string(&d->tables, node, error));
        if (strlen(d->tables) != 64 || strspn(d->tables, "0123456789abcdef") != 64)
            code =
                yaml_fail(error, node,
                          "expected `tables` as the 64 hexadecimal digits that maille-worker check --tables "
                          "prints, found `%.80s`",
                          d->tables);
    }
out:
    return code;
}

/* One list of dates, the earliest first. */
static enum maille_code parse_order(struct date_order *order, const struct dictionary *d, struct arena *arena,
                                    const struct yaml_node *list, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list->kind != YAML_KIND_LIST || list->n < 2) {
        code = yaml_fail(error, list, "expected an order as a list of two dates or more, the earliest first");
        goto out;
    }
    uint32_t *variables = arena_array(arena, list->n, sizeof *variables);
    for (size_t i = 0; i < list->n; i++) {
        const char *name;
        MAILLE_TRY(yaml_string(&name, list->values[i], error));
        int found = dictionary_find(d, name);
        if (found < 0 || d->variables[found].type != VARIABLE_DATE) {
            code = yaml_fail(error, list->values[i],
                             "expected a variable of type date in `order`, found `%.80s`", name);
            goto out;
        }
        variables[i] = (uint32_t)found;
        for (size_t k = 0; k < i; k++)
            if (variables[k] == variables[i]) {
                code = yaml_fail(error, list->values[i],
                                 "expected each date of `order` once, found `%s` again", name);
                goto out;
            }
    }
    *order = (struct date_order){.variables = variables, .n = list->n};
out:
    return code;
}

/* `order: [a, b, c]`, or a list of such lists. */
static enum maille_code parse_orders(struct dictionary *d, struct arena *arena, const struct yaml_node *node,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (node == NULL)
        goto out;
    const bool many = node->kind == YAML_KIND_LIST && node->n > 0 && node->values[0]->kind == YAML_KIND_LIST;
    const size_t n = many ? node->n : 1;
    struct date_order *orders = arena_array(arena, n, sizeof *orders);
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(parse_order(&orders[i], d, arena, many ? node->values[i] : node, error));
    d->orders = orders;
    d->n_orders = n;
out:
    return code;
}

/* Marks one level of a variable. */
static enum maille_code mark_level(bool *levels, const struct variable *v, const struct yaml_node *node,
                                   struct maille_error *error)
{
    const char *name;
    enum maille_code code = yaml_string(&name, node, error);
    for (size_t i = 0; code == MAILLE_OK && i < v->n_levels; i++)
        if (strcmp(v->levels[i], name) == 0) {
            levels[i] = true;
            return MAILLE_OK;
        }
    return code != MAILLE_OK
               ? code
               : yaml_fail(error, node, "expected a level of `%s` in `impossible`, found `%.80s`", v->name,
                           name);
}

/* `{ sex: male, menopause: [pre, post] }`: no patient is male and has one of the two. */
static enum maille_code parse_impossible(struct impossible *made, const struct dictionary *d,
                                         struct arena *arena, const struct yaml_node *map,
                                         struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (map->kind != YAML_KIND_MAP || map->n == 0) {
        code = yaml_fail(error, map,
                         "expected levels that no patient has together, as `{ sex: male, menopause: [pre, "
                         "post] }`, or levels of one variable that no patient has");
        goto out;
    }
    made->parts = arena_array(arena, map->n, sizeof *made->parts);
    made->n = map->n;
    for (size_t i = 0; i < map->n; i++) {
        const struct yaml_node *value = map->values[i];
        const int found = dictionary_find(d, map->keys[i]->scalar);
        if (found < 0 || d->variables[found].n_levels == 0) {
            code = yaml_fail(error, value, "expected a category or boolean in `impossible`, found `%.80s`",
                             map->keys[i]->scalar);
            goto out;
        }
        bool *levels = arena_array(arena, d->variables[found].n_levels, sizeof *levels);
        for (size_t k = 0; k < (value->kind == YAML_KIND_LIST ? value->n : 1); k++)
            MAILLE_TRY(mark_level(levels, &d->variables[found],
                                  value->kind == YAML_KIND_LIST ? value->values[k] : value, error));
        made->parts[i] = (struct impossible_part){.variable = (uint32_t)found, .levels = levels};
    }
out:
    return code;
}

static enum maille_code parse_impossibles(struct dictionary *d, struct arena *arena,
                                          const struct yaml_node *node, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (node == NULL)
        goto out;
    if (node->kind != YAML_KIND_LIST) {
        code = yaml_fail(error, node, "expected `impossible` as a list, `- { sex: male, menopause: pre }`");
        goto out;
    }
    struct impossible *made = arena_array(arena, node->n, sizeof *made);
    for (size_t i = 0; i < node->n; i++)
        MAILLE_TRY(parse_impossible(&made[i], d, arena, node->values[i], error));
    d->impossible = made;
    d->n_impossible = node->n;
out:
    return code;
}

static enum maille_code required(const struct yaml_node **value, const struct yaml_node *map, const char *key,
                                 struct maille_error *error)
{
    *value = yaml_get(map, key);
    return *value != NULL ? MAILLE_OK
                          : yaml_fail(error, map, "expected the key `%s` of the dictionary, found none", key);
}

enum maille_code dictionary_parse(const struct dictionary **dictionary, struct arena *arena, const char *name,
                                  const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code;
    const struct yaml_node *root, *node;
    struct dictionary *d = arena_alloc(arena, sizeof *d);

    MAILLE_TRY(yaml_parse(&root, arena, name, text, length, error));
    if (root->kind != YAML_KIND_MAP) {
        code =
            yaml_fail(error, root, "expected a dictionary: keys `dictionary`, `version`, `key`, `variables`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, language_names(arena, language_dictionary), error));
    MAILLE_TRY(required(&node, root, "dictionary", error));
    MAILLE_TRY(yaml_string(&d->name, node, error));
    if (d->name[0] == '\0' || strlen(d->name) > DICTIONARY_NAME_MAX || strpbrk(d->name, "@ \t\n/") != NULL) {
        code = yaml_fail(error, node,
                         "expected a name of 1 to %d characters without `@`, `/` or a space, found `%.80s`",
                         DICTIONARY_NAME_MAX, d->name);
        goto out;
    }
    MAILLE_TRY(required(&node, root, "version", error));
    MAILLE_TRY(yaml_integer(&d->version, node, 1, 1000000, error));
    MAILLE_TRY(required(&node, root, "key", error));
    MAILLE_TRY(parse_name(&d->key, node, error));
    MAILLE_TRY(parse_missing(d, arena, yaml_get(root, "missing"), error));
    MAILLE_TRY(required(&node, root, "variables", error));
    MAILLE_TRY(parse_variables(d, arena, node, error));
    MAILLE_TRY(check_missing(d, yaml_get(root, "missing"), node, error));
    MAILLE_TRY(parse_orders(d, arena, yaml_get(root, "order"), error));
    MAILLE_TRY(parse_impossibles(d, arena, yaml_get(root, "impossible"), error));
    MAILLE_TRY(parse_rows(d, root, error));
    d->text = arena_strndup(arena, text, length);
    d->text_length = length;
    *dictionary = d;
out:
    return code;
}
