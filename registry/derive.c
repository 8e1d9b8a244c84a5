#include "registry/derive.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "registry/derive_private.h"
#include "registry/import.h"
#include "registry/keymap.h"
#include "registry/table.h"

static const char *const rule_names[] = {"count", "any", "first", "last", "min", "max"};
enum { N_RULES = sizeof rule_names / sizeof *rule_names, TABLES_MAX = 16 };

/* --- parsing --- */

static enum maille_code parse_source(struct source *source, struct arena *arena, const struct yaml_node *map,
                                     const char *folder, struct maille_error *error)
{
    static const char *const keys[] = {"name", "dictionary", "file", "order", NULL};
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    const char *path, *file, *order;
    if (map->kind != YAML_KIND_MAP || yaml_get(map, "name") == NULL || yaml_get(map, "dictionary") == NULL ||
        yaml_get(map, "file") == NULL) {
        code =
            yaml_fail(error, map, "expected a table as `{ name: …, dictionary: FILE.yaml, file: FILE.csv }`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    MAILLE_TRY(yaml_string(&source->name, yaml_get(map, "name"), error));
    MAILLE_TRY(yaml_string(&path, yaml_get(map, "dictionary"), error));
    MAILLE_TRY(yaml_string(&file, yaml_get(map, "file"), error));
    source->path = arena_printf(arena, "%s%s", file[0] == '/' ? "" : folder, file);
    path = arena_printf(arena, "%s%s", path[0] == '/' ? "" : folder, path);
    MAILLE_TRY(file_read(&text, path, YAML_BYTES_MAX, error));
    MAILLE_TRY(
        dictionary_parse(&source->dictionary, arena, path, (const char *)text.data, text.length, error));
    source->order = -1;
    if (yaml_get(map, "order") == NULL)
        goto out;
    MAILLE_TRY(yaml_string(&order, yaml_get(map, "order"), error));
    source->order = dictionary_find(source->dictionary, order);
    if (source->order < 0 || source->dictionary->variables[source->order].n_levels > 0)
        code = yaml_fail(error, yaml_get(map, "order"),
                         "expected a date or number of the table, found `%.80s`", order);
out:
    bytes_clear(&text);
    return code;
}

/* The values of one variable that a row may have. */
static enum maille_code parse_condition(struct condition *condition, struct arena *arena,
                                        const struct dictionary *table, const struct yaml_node *key,
                                        const struct yaml_node *list, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cell_reader reader = {0};
    const int found = dictionary_find(table, key->scalar);
    if (found < 0 || list->kind != YAML_KIND_LIST || list->n == 0) {
        code = yaml_fail(error, key, "expected `where: { variable of the table: [values] }`, found `%.80s`",
                         key->scalar);
        goto out;
    }
    condition->variable = (uint32_t)found;
    condition->values = arena_array(arena, list->n, sizeof *condition->values);
    condition->n = list->n;
    MAILLE_TRY(cell_reader_init(&reader, table, &table->variables[found], '.', error));
    for (size_t i = 0; i < list->n; i++) {
        const char *text;
        struct cell cell;
        char sentence[CELL_SENTENCE_MAX];
        MAILLE_TRY(yaml_string(&text, list->values[i], error));
        if (!cell_read(&cell, &reader, text, strlen(text), sentence) || cell.missing) {
            code = yaml_fail(error, list->values[i], "expected a value of `%s`, found `%.80s`", key->scalar,
                             text);
            goto out;
        }
        condition->values[i] = cell.integer;
    }
out:
    cell_reader_clear(&reader);
    return code;
}

enum maille_code derive_conditions(struct condition **conditions, size_t *n, struct arena *arena,
                                   const struct dictionary *table, const struct yaml_node *at,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *n = 0;
    if (at == NULL)
        goto out;
    if (at->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, at, "expected `where: { variable of the table: [values] }`");
        goto out;
    }
    *conditions = arena_array(arena, at->n + 1, sizeof **conditions);
    *n = at->n;
    for (size_t i = 0; i < at->n; i++)
        MAILLE_TRY(parse_condition(&(*conditions)[i], arena, table, at->keys[i], at->values[i], error));
out:
    return code;
}

/* Whether what a rule gives fits the variable. */
static enum maille_code check_types(const struct derivation *derivation, const struct derive *derive,
                                    const struct variable *target, const struct yaml_node *map,
                                    struct maille_error *error)
{
    const struct source *source = &derive->sources[derivation->source];
    const bool is_taken = derivation->rule >= RULE_FIRST;
    if (is_taken != (derivation->of >= 0))
        return yaml_fail(error, map,
                         "expected `of` with first, last, min and max, and not with count and any");
    if (derivation->rule == RULE_ANY && target->type != VARIABLE_BOOLEAN)
        return yaml_fail(error, map, "expected `%s` to be a boolean (any)", target->name);
    if (derivation->rule == RULE_COUNT && target->type != VARIABLE_INTEGER)
        return yaml_fail(error, map, "expected `%s` to be an integer (count)", target->name);
    if ((derivation->rule == RULE_FIRST || derivation->rule == RULE_LAST || derivation->after >= 0 ||
         derivation->changes) &&
        source->order < 0)
        return yaml_fail(error, map, "expected an `order` of the table `%s`", source->name);
    if ((derivation->after >= 0 || derivation->changes) &&
        source->dictionary->variables[source->order].type != VARIABLE_DATE)
        return yaml_fail(error, map, "expected the `order` of `%s` to be a date, from which days are counted",
                         source->name);
    if (!is_taken)
        return MAILLE_OK;
    const struct variable *from = &source->dictionary->variables[derivation->of];
    const bool is_coded = from->n_levels > 0;
    if (is_coded && (derivation->rule == RULE_MIN || derivation->rule == RULE_MAX))
        return yaml_fail(error, map, "expected a number or date of which to take the %s, found the %s `%s`",
                         rule_names[derivation->rule], variable_type_name(from->type), from->name);
    if (from->type != target->type &&
        (is_coded || target->n_levels > 0 || from->type == VARIABLE_DATE || target->type == VARIABLE_DATE))
        return yaml_fail(error, map, "expected `%s` and `%s` to have one type, found %s and %s", target->name,
                         from->name, variable_type_name(target->type), variable_type_name(from->type));
    return MAILLE_OK;
}

static enum maille_code parse_derivation(const struct derivation **out, struct derive *derive,
                                         struct arena *arena, const char *name, const struct yaml_node *map,
                                         struct maille_error *error)
{
    static const char *const keys[] = {"table", "rule", "of", "where", "after", "days", "changes", NULL};
    enum maille_code code = MAILLE_OK;
    struct derivation *made = arena_alloc(arena, sizeof *made);
    const struct yaml_node *node;
    const char *table, *rule, *word;
    const int target = dictionary_find(derive->dictionary, name);
    if (target < 0 || map->kind != YAML_KIND_MAP || yaml_get(map, "table") == NULL ||
        yaml_get(map, "rule") == NULL) {
        code = yaml_fail(
            error, map,
            "expected a variable of the dictionary as `name: { table: …, rule: … }`, found `%.80s`", name);
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    MAILLE_TRY(yaml_string(&table, yaml_get(map, "table"), error));
    MAILLE_TRY(yaml_string(&rule, yaml_get(map, "rule"), error));
    while (made->source < derive->n_sources && strcmp(derive->sources[made->source].name, table) != 0)
        made->source++;
    size_t r = 0;
    while (r < N_RULES && strcmp(rule_names[r], rule) != 0)
        r++;
    if (made->source == derive->n_sources || r == N_RULES) {
        code = yaml_fail(error, map,
                         "expected a table of this file and one of count, any, first, last, min, max, found "
                         "`%.40s` and `%.40s`",
                         table, rule);
        goto out;
    }
    made->rule = (enum rule)r;
    const struct dictionary *rows = derive->sources[made->source].dictionary;
    made->of = made->after = -1;
    if ((node = yaml_get(map, "of")) != NULL) {
        MAILLE_TRY(yaml_string(&word, node, error));
        if ((made->of = dictionary_find(rows, word)) < 0) {
            code =
                yaml_fail(error, node, "expected a variable of the table `%s`, found `%.80s`", table, word);
            goto out;
        }
    }
    if ((node = yaml_get(map, "after")) != NULL) {
        const struct yaml_node *days = yaml_get(map, "days");
        MAILLE_TRY(yaml_string(&word, node, error));
        made->after = dictionary_find(derive->dictionary, word);
        if (made->after < 0 || derive->dictionary->variables[made->after].type != VARIABLE_DATE ||
            days == NULL || days->kind != YAML_KIND_LIST || days->n != 2) {
            code = yaml_fail(
                error, node,
                "expected `after: a date of the dictionary, days: [least, greatest]`, found `%.80s`", word);
            goto out;
        }
        MAILLE_TRY(yaml_number(&made->least, days->values[0], -100000, 100000, error));
        MAILLE_TRY(yaml_number(&made->greatest, days->values[1], made->least, 100000, error));
    }
    MAILLE_TRY(derive_conditions(&made->conditions, &made->n_conditions, arena, rows, yaml_get(map, "where"),
                                 error));
    if ((node = yaml_get(map, "changes")) != NULL)
        MAILLE_TRY(yaml_boolean(&made->changes, node, error));
    MAILLE_TRY(check_types(made, derive, &derive->dictionary->variables[target], map, error));
    *out = made;
out:
    return code;
}

enum maille_code derive_parse(struct derive **out, struct arena *arena, const char *name, const char *text,
                              size_t length, const char *folder, const struct dictionary *dictionary,
                              struct maille_error *error)
{
    static const char *const keys[] = {"derive", "tables", "variables", "rows", NULL};
    enum maille_code code;
    const struct yaml_node *root, *node;
    struct derive *made = arena_alloc(arena, sizeof *made);
    const char *target;
    char wanted[DICTIONARY_NAME_MAX + 32];
    made->dictionary = dictionary;
    made->of_variable = arena_array(arena, dictionary->n_variables + 1, sizeof *made->of_variable);
    MAILLE_TRY(yaml_parse(&root, arena, name, text, length, error));
    if (root->kind != YAML_KIND_MAP || yaml_get(root, "derive") == NULL) {
        code = yaml_fail(error, root, "expected rules: keys `derive`, `tables`, `variables`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, keys, error));
    MAILLE_TRY(yaml_string(&target, yaml_get(root, "derive"), error));
    snprintf(wanted, sizeof wanted, "%s@%lld", dictionary->name, (long long)dictionary->version);
    if (strcmp(target, wanted) != 0) {
        code = yaml_fail(error, yaml_get(root, "derive"), "expected rules for `%s`, found some for `%.80s`",
                         wanted, target);
        goto out;
    }
    node = yaml_get(root, "tables");
    if (node == NULL || node->kind != YAML_KIND_LIST || node->n == 0 || node->n > TABLES_MAX) {
        code = yaml_fail(error, root, "expected `tables` as a list of 1 to %d", TABLES_MAX);
        goto out;
    }
    made->sources = arena_array(arena, node->n, sizeof *made->sources);
    for (size_t i = 0; i < node->n; i++) {
        MAILLE_TRY(
            yaml_get(node->values[i], "rules") != NULL
                ? derive_lines_parse(&made->sources[i], arena, made->sources, i, node->values[i], error)
                : parse_source(&made->sources[i], arena, node->values[i], folder, error));
        for (size_t k = 0; k < i; k++)
            if (strcmp(made->sources[k].name, made->sources[i].name) == 0) {
                code = yaml_fail(error, node->values[i], "expected each table once, found `%.80s` again",
                                 made->sources[i].name);
                goto out;
            }
        made->n_sources++;
    }
    node = yaml_get(root, "variables");
    if (node == NULL || node->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, root, "expected `variables: { name: { table: …, rule: … } }`");
        goto out;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct derivation *derivation = NULL;
        MAILLE_TRY(parse_derivation(&derivation, made, arena, node->keys[i]->scalar, node->values[i], error));
        made->of_variable[dictionary_find(dictionary, node->keys[i]->scalar)] = derivation;
    }
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (made->of_variable[v] != NULL && made->of_variable[v]->after >= 0 &&
            made->of_variable[made->of_variable[v]->after] != NULL) {
            code = yaml_fail(
                error, node,
                "expected `after` of `%s` to be read from the patients' file, found a derived variable",
                dictionary->variables[v].name);
            goto out;
        }
    if (yaml_get(root, "rows") != NULL)
        MAILLE_TRY(derive_rows_parse(made, arena, yaml_get(root, "rows"), error));
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (made->of_variable[v] != NULL && made->of_variable[v]->changes && !made->rows.made) {
            code = yaml_fail(error, node, "expected `rows` for `%s`, which changes, found none",
                             dictionary->variables[v].name);
            goto out;
        }
    MAILLE_TRY(derive_canonical(&made->text, arena, root, made, error));
    *out = made;
out:
    return code;
}

const char *derive_text(const struct derive *derive)
{
    return derive->text;
}

/* --- reading --- */

enum maille_code derive_read(struct derive *derive,
                             void (*saw)(void *context, const void *bytes, size_t length), void *context,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct import_report report = {0};
    for (size_t s = 0; s < derive->n_sources; s++) {
        struct source *source = &derive->sources[s];
        const struct import_options options = {.saw = saw, .context = context};
        if (source->lines != NULL)
            MAILLE_TRY(derive_lines_make(source, derive->sources, error));
        else
            MAILLE_TRY(import_csv(&source->rows, &report, source->dictionary, source->path, &options, error));
        import_report_clear(&report);
        const struct columns *rows = source->rows;
        source->first = calloc(rows->patients + 2, sizeof *source->first);
        source->asked = calloc(rows->patients + 1, sizeof *source->asked);
        if (source->first == NULL || source->asked == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for the table %s, found none",
                               source->name);
            goto out;
        }
        for (size_t r = 0; r < rows->rows; r++)
            source->first[rows->patient[r] + 1] = r + 1;
        for (size_t p = 1; p <= rows->patients; p++)
            if (source->first[p] < source->first[p - 1])
                source->first[p] = source->first[p - 1];
    }
out:
    import_report_clear(&report);
    return code;
}

void derive_clear(struct derive *derive)
{
    for (size_t s = 0; derive != NULL && s < derive->n_sources; s++) {
        columns_free(derive->sources[s].rows);
        free(derive->sources[s].first);
        free(derive->sources[s].asked);
        derive->sources[s].rows = NULL;
        derive->sources[s].first = NULL;
        derive->sources[s].asked = NULL;
    }
    if (derive != NULL) {
        free(derive->rows.cuts);
        derive->rows.cuts = NULL;
        derive->rows.n = derive->rows.room = 0;
    }
}

bool derive_has(const struct derive *derive, size_t variable)
{
    return derive != NULL &&
           (derive->of_variable[variable] != NULL ||
            (derive->rows.made && (variable == derive->rows.start || variable == derive->rows.stop)));
}

bool derive_makes_rows(const struct derive *derive, size_t *unfollowed)
{
    *unfollowed = derive->rows.unfollowed;
    return derive->rows.made;
}
