#include "query/study.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/expression_type.h"
#include "query/language.h"
#include "query/study_reading.h"

/* What an error of an earlier line brings about is no error of its own. */
static bool follows_from_another(const char *sentence)
{
    return strstr(sentence, EXPRESSION_SPOILT) != NULL;
}

enum maille_code study_note(struct study_reading *r, enum maille_code code)
{
    struct study_problems *problems = r->problems;
    if (code != MAILLE_INVALID || problems == NULL)
        return code;
    r->n_noted++;
    if (follows_from_another(r->error->sentence))
        r->follows = r->follows != NULL ? r->follows : arena_strdup(r->arena, r->error->sentence);
    else if (problems->n < STUDY_PROBLEMS_MAX)
        problems->sentences[problems->n++] = arena_strdup(r->arena, r->error->sentence);
    return MAILLE_OK;
}

struct expression_scope study_scope(const struct study_reading *r, const struct yaml_node *text)
{
    struct expression_scope scope = r->scope;
    scope.line = text->text_line;
    scope.column = text->text_column;
    return scope;
}

static enum maille_code required(const struct yaml_node **value, const struct yaml_node *map, const char *key,
                                 struct maille_error *error)
{
    *value = yaml_get(map, key);
    return *value != NULL ? MAILLE_OK
                          : yaml_fail(error, map, "expected the key `%s` of the study, found none", key);
}

bool study_id_legal(const char *text, size_t n_max)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '-';
        if (!fine)
            return false;
    }
    return length > 0 && length <= n_max;
}

static enum maille_code identifier(const char **out, const struct yaml_node *at, size_t n_max,
                                   const char *what, struct maille_error *error)
{
    enum maille_code code;
    const char *text;
    MAILLE_TRY(yaml_string(&text, at, error));
    if (!study_id_legal(text, n_max))
        code = yaml_fail(error, at, "expected %s of 1 to %zu letters, digits, `-` and `_`, found `%.80s`",
                         what, n_max, text);
    else
        *out = text;
out:
    return code;
}

/* A text of a line, kept in every log entry. */
static enum maille_code line_of_text(const char **out, const struct yaml_node *map, const char *key,
                                     bool must, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *node = yaml_get(map, key);
    const char *text;
    *out = "";
    if (node == NULL && must)
        MAILLE_TRY(required(&node, map, key, error));
    if (node == NULL)
        goto out;
    MAILLE_TRY(yaml_string(&text, node, error));
    if ((must && *text == '\0') || strlen(text) > STUDY_TEXT_MAX || strpbrk(text, "\n\r") != NULL)
        code = yaml_fail(error, node, "expected `%s` as one line of 1 to %d characters", key, STUDY_TEXT_MAX);
    else
        *out = text;
out:
    return code;
}

/* --- the dictionary that is wanted --- */

static enum maille_code dictionary_reference(const char **name, int64_t *version, struct arena *arena,
                                             const struct yaml_node *map, struct maille_error *error)
{
    enum maille_code code;
    const struct yaml_node *node;
    const char *text;
    MAILLE_TRY(required(&node, map, "dictionary", error));
    MAILLE_TRY(yaml_string(&text, node, error));
    const char *at = strchr(text, '@');
    int64_t number = 0;
    if (at == NULL || at == text || at - text > DICTIONARY_NAME_MAX ||
        !number_parse_i64(at + 1, strlen(at + 1), &number) || number < 1) {
        code = yaml_fail(error, node,
                         "expected the dictionary as name@version, e.g. rotterdam@1, found `%.80s`", text);
        goto out;
    }
    *name = arena_strndup(arena, text, (size_t)(at - text));
    *version = number;
out:
    return code;
}

static enum maille_code read_root(const struct yaml_node **root, struct arena *arena, const char *file,
                                  const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(yaml_parse(root, arena, file, text, length, error));
    if ((*root)->kind != YAML_KIND_MAP)
        code = yaml_fail(error, *root, "expected a study: keys `study`, `dictionary`, …, `analyses`");
out:
    return code;
}

enum maille_code study_dictionary(const char **name, int64_t *version, struct arena *arena, const char *file,
                                  const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code;
    const struct yaml_node *root = NULL;
    MAILLE_TRY(read_root(&root, arena, file, text, length, error));
    MAILLE_TRY(dictionary_reference(name, version, arena, root, error));
out:
    return code;
}

static enum maille_code check_dictionary(struct study_reading *r, const struct yaml_node *root)
{
    enum maille_code code;
    struct study *s = r->study;
    const struct dictionary *d = s->dictionary;
    MAILLE_TRY(dictionary_reference(&s->dictionary_name, &s->dictionary_version, r->arena, root, r->error));
    if (strcmp(s->dictionary_name, d->name) != 0 || s->dictionary_version != d->version)
        code = yaml_fail(r->error, yaml_get(root, "dictionary"),
                         "expected the network's dictionary %s@%lld, found %s@%lld", d->name,
                         (long long)d->version, s->dictionary_name, (long long)s->dictionary_version);
out:
    return code;
}

/* --- the head --- */

static enum maille_code parse_sites(struct study_reading *r, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    struct study *s = r->study;
    if (node->kind == YAML_KIND_SCALAR && strcmp(node->scalar, "all") == 0) {
        s->all_sites = true;
        goto out;
    }
    if (node->kind != YAML_KIND_LIST || node->n == 0 || node->n > STUDY_SITES_MAX) {
        code = yaml_fail(r->error, node, "expected `sites` as all, or as a list of 1 to %d sites",
                         STUDY_SITES_MAX);
        goto out;
    }
    s->sites = arena_array(r->arena, node->n, sizeof *s->sites);
    for (size_t i = 0; i < node->n; i++) {
        MAILLE_TRY(identifier(&s->sites[i], node->values[i], 64, "the name of a site", r->error));
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->sites[i], s->sites[k]) == 0) {
                code = yaml_fail(r->error, node->values[i], "expected each site once, found `%s` again",
                                 s->sites[i]);
                goto out;
            }
    }
    s->n_sites = node->n;
out:
    return code;
}

static enum maille_code parse_name(struct study_reading *r, const struct yaml_node *root)
{
    enum maille_code code;
    const struct yaml_node *node;
    MAILLE_TRY(required(&node, root, "study", r->error));
    MAILLE_TRY(identifier(&r->study->id, node, 64, "the name of the study", r->error));
out:
    return code;
}

static enum maille_code parse_expiry(struct study_reading *r, const struct yaml_node *root)
{
    enum maille_code code;
    const struct yaml_node *node;
    struct study *s = r->study;
    MAILLE_TRY(required(&node, root, "expires", r->error));
    if (node->kind != YAML_KIND_SCALAR || !number_parse_date(node->scalar, strlen(node->scalar), &s->expires))
        code = yaml_fail(r->error, node, "expected `expires` as a date YYYY-MM-DD, found `%.80s`",
                         node->kind == YAML_KIND_SCALAR ? node->scalar : "a list or map");
    else if (r->problems != NULL && s->expires < r->problems->today)
        code = yaml_fail(r->error, node, "expected `expires` in the future, found %s", node->scalar);
out:
    return code;
}

static enum maille_code parse_grid(struct study_reading *r, const struct yaml_node *node)
{
    r->study->grid = GRID_MONTH;
    r->study->grid_by_default = node == NULL;
    if (node == NULL ||
        (node->kind == YAML_KIND_SCALAR && analysis_grid_parse(&r->study->grid, node->scalar)))
        return MAILLE_OK;
    return yaml_fail(r->error, node,
                     "expected `grid` to be one of day, week, month, quarter, year, found `%.80s`",
                     node->kind == YAML_KIND_SCALAR ? node->scalar : "a list or map");
}

static enum maille_code parse_missing_rule(struct study_reading *r, const struct yaml_node *node)
{
    const char *text = node != NULL && node->kind == YAML_KIND_SCALAR ? node->scalar : "a list or map";
    bool is_study = node != NULL && strcmp(text, "study") == 0;
    r->study->missing = is_study ? MISSING_STUDY : MISSING_ANALYSIS;
    if (node == NULL || is_study || strcmp(text, "analysis") == 0)
        return MAILLE_OK;
    return yaml_fail(r->error, node, "expected `missing` to be analysis or study, found `%.80s`", text);
}

static enum maille_code parse_complete(struct study_reading *r, const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = r->study->dictionary;
    bool any = false;
    if (node != NULL)
        MAILLE_TRY(yaml_boolean(&r->study->complete, node, r->error));
    for (size_t v = 0; v < dictionary->n_variables; v++)
        any = any || dictionary->variables[v].complete > 0;
    if (r->study->complete && !any)
        code = yaml_fail(r->error, node,
                         "expected a dictionary that says `complete` of a variable, found none to require; "
                         "leave `complete` out");
out:
    return code;
}

static enum maille_code parse_head(struct study_reading *r, const struct yaml_node *root)
{
    enum maille_code code;
    struct study *s = r->study;
    const struct yaml_node *sites = yaml_get(root, "sites");
    s->id = s->title = s->purpose = s->legal_basis = s->protocol = "";
    s->all_sites = sites == NULL;
    MAILLE_TRY(study_note(r, parse_name(r, root)));
    MAILLE_TRY(study_note(r, check_dictionary(r, root)));
    MAILLE_TRY(study_note(
        r, line_of_text(&s->title, root, "title", r->problems != NULL && r->problems->today > 0, r->error)));
    MAILLE_TRY(study_note(r, line_of_text(&s->purpose, root, "purpose", true, r->error)));
    MAILLE_TRY(study_note(r, line_of_text(&s->legal_basis, root, "legal_basis", true, r->error)));
    MAILLE_TRY(study_note(r, line_of_text(&s->protocol, root, "protocol", false, r->error)));
    MAILLE_TRY(study_note(r, parse_expiry(r, root)));
    if (sites != NULL)
        MAILLE_TRY(study_note(r, parse_sites(r, sites)));
    MAILLE_TRY(study_note(r, parse_grid(r, yaml_get(root, "grid"))));
    MAILLE_TRY(study_note(r, parse_missing_rule(r, yaml_get(root, "missing"))));
    MAILLE_TRY(study_note(r, parse_complete(r, yaml_get(root, "complete"))));
out:
    return code;
}

/* --- derive, cohort --- */

static enum maille_code parse_text(struct study_reading *r, const struct expression **out,
                                   const struct yaml_node *node)
{
    enum maille_code code;
    const char *text;
    MAILLE_TRY(yaml_string(&text, node, r->error));
    struct expression_scope scope = study_scope(r, node);
    MAILLE_TRY(expression_parse(out, r->arena, &scope, text, r->error));
out:
    return code;
}

static enum maille_code parse_derived(struct study_reading *r, struct derived *derived,
                                      const struct yaml_node *map, size_t i)
{
    enum maille_code code;
    const char *name = map->keys[i]->scalar;
    if (!dictionary_name_legal(name) || dictionary_name_reserved(name)) {
        code = yaml_fail(r->error, map->keys[i],
                         "expected a name of letters, digits, `_` and `.` that is no word of the "
                         "language, found `%.80s`",
                         name);
        goto out;
    }
    if (dictionary_find(r->study->dictionary, name) >= 0 || strcmp(name, r->study->dictionary->key) == 0) {
        code = yaml_fail(r->error, map->keys[i],
                         "expected a new name, found `%s`, which the dictionary has; rename it", name);
        goto out;
    }
    MAILLE_TRY(parse_text(r, &derived->expression, map->values[i]));
out:
    return code;
}

static enum maille_code parse_derive(struct study_reading *r, const struct yaml_node *map)
{
    enum maille_code code = MAILLE_OK;
    if (map->kind != YAML_KIND_MAP || map->n > STUDY_DERIVED_MAX) {
        code = yaml_fail(r->error, map, "expected `derive` as at most %d lines `name: expression`",
                         STUDY_DERIVED_MAX);
        goto out;
    }
    struct derived *derived = arena_array(r->arena, map->n + 1, sizeof *derived);
    r->scope.derived = r->study->derived = derived;
    for (size_t i = 0; i < map->n; i++) {
        derived[i].name = map->keys[i]->scalar; /* without an expression it is spoilt */
        MAILLE_TRY(study_note(r, parse_derived(r, &derived[i], map, i)));
        r->scope.n_derived = r->study->n_derived = i + 1; /* a later one may use it */
    }
out:
    return code;
}

enum maille_code study_cohort(struct study_reading *r, const struct expression **out,
                              const struct yaml_node *node)
{
    enum maille_code code;
    const struct expression *cohort;
    MAILLE_TRY(parse_text(r, &cohort, node));
    if (cohort->kind != EXPRESSION_BOOLEAN)
        code =
            yaml_fail(r->error, node, "expected a condition as the cohort, found %s; compare it with a value",
                      cohort->kind == EXPRESSION_NUMBER ? "a number" : "a category");
    else
        *out = cohort;
out:
    return code;
}

/* --- analyses --- */

/* One entry and the analyses that it adds, behind those that are there; n: how many there is room for. */
static enum maille_code parse_one(struct study_reading *r, size_t *n_added, size_t n, struct analysis *a,
                                  const struct yaml_node *node)
{
    enum maille_code code;
    const struct study *s = r->study;
    const size_t n_before = r->n_noted; /* what is wrong with an analysis leaves it without a formula */
    MAILLE_TRY(study_analysis(r, a, node));
    if (r->n_noted == n_before)
        MAILLE_TRY(study_subgroups(r, a + 1, n_added, n - 1, a, node));
    if (r->n_noted == n_before)
        MAILLE_TRY(study_landmark(r, a, 1 + *n_added, yaml_get(node, "landmark")));
    for (size_t i = 0; i <= *n_added; i++)
        for (size_t k = 0; k < s->n_analyses + i && a[i].id != NULL; k++)
            if (strcmp(s->analyses[k].id, a[i].id) == 0) {
                code = yaml_fail(r->error, yaml_get(node, "id"),
                                 "expected each id once, found `%s` again (first on line %d)", a[i].id,
                                 s->analyses[k].line);
                goto out;
            }
out:
    return code;
}

static enum maille_code parse_analyses(struct study_reading *r, const struct yaml_node *list,
                                       const struct expression *cohort)
{
    enum maille_code code = MAILLE_OK;
    struct study *s = r->study;
    if (list->kind != YAML_KIND_LIST || list->n == 0 || list->n > STUDY_ANALYSES_MAX) {
        code = yaml_fail(r->error, list, "expected `analyses` as a list of 1 to %d analyses",
                         STUDY_ANALYSES_MAX);
        goto out;
    }
    s->analyses = arena_array(r->arena, STUDY_ANALYSES_MAX, sizeof *s->analyses);
    for (size_t i = 0; i < list->n; i++) {
        struct analysis *a = &s->analyses[s->n_analyses];
        const size_t n_before = r->n_noted;
        size_t n_added = 0, room = STUDY_ANALYSES_MAX - s->n_analyses;
        if (room == 0) {
            code = yaml_fail(r->error, list->values[i],
                             "expected at most %d analyses, those of `subgroups` among them, found more",
                             STUDY_ANALYSES_MAX);
            goto out;
        }
        *a = (struct analysis){.study = s, .entry = i, .cohort = cohort};
        MAILLE_TRY(study_note(r, parse_one(r, &n_added, room, a, list->values[i])));
        if (r->n_noted > n_before)
            continue;
        for (size_t k = 0; k <= n_added; k++)
            a[k].index = s->n_analyses++;
    }
    /* One that could not be read would be missed here. */
    for (size_t k = 0; k < s->n_analyses && r->n_noted == 0; k++)
        MAILLE_TRY(study_note(r, study_refer(r, &s->analyses[k])));
out:
    return code;
}

enum maille_code study_parse_all(const struct study **study, struct study_problems *problems,
                                 struct arena *arena, const struct dictionary *dictionary,
                                 const struct query_method *methods, size_t n_methods, const char *file,
                                 const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code;
    const struct yaml_node *root = NULL, *node;
    const struct expression *cohort = NULL;
    struct maille_error own = {0};
    struct study *s = arena_alloc(arena, sizeof *s);
    struct study_reading r = {.arena = arena,
                              .error = error != NULL ? error : &own,
                              .study = s,
                              .methods = methods,
                              .n_methods = n_methods,
                              .problems = problems};

    MAILLE_TRY(read_root(&root, arena, file, text, length, r.error));
    s->file = root->file;
    s->dictionary = dictionary;
    s->text = arena_strndup(arena, text, length);
    s->text_length = length;
    r.scope.dictionary = dictionary;
    r.scope.file = root->file;
    MAILLE_TRY(study_note(&r, yaml_only_keys(root, language_names(arena, language_study), r.error)));
    MAILLE_TRY(parse_head(&r, root));
    if ((node = yaml_get(root, "derive")) != NULL)
        MAILLE_TRY(study_note(&r, parse_derive(&r, node)));
    if ((node = yaml_get(root, "cohort")) != NULL)
        MAILLE_TRY(study_note(&r, study_cohort(&r, &cohort, node)));
    MAILLE_TRY(study_note(&r, required(&node, root, "analyses", r.error)));
    if (node != NULL)
        MAILLE_TRY(study_note(&r, parse_analyses(&r, node, cohort)));
    if (problems != NULL && problems->n == 0 && r.follows != NULL) /* of none: a study may say these words */
        problems->sentences[problems->n++] = r.follows;
    if (problems != NULL && problems->n > 0) {
        code = maille_fail(error, MAILLE_INVALID, "%s", problems->sentences[0]);
        goto out;
    }
    *study = s;
out:
    if (code == MAILLE_INVALID && problems != NULL && problems->n == 0)
        problems->sentences[problems->n++] = arena_strdup(arena, r.error->sentence);
    return code;
}

enum maille_code study_parse(const struct study **study, struct arena *arena,
                             const struct dictionary *dictionary, const struct query_method *methods,
                             size_t n_methods, const char *file, const char *text, size_t length,
                             struct maille_error *error)
{
    return study_parse_all(study, NULL, arena, dictionary, methods, n_methods, file, text, length, error);
}
