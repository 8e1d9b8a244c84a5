#include "registry/derive.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "query/yaml.h"
#include "registry/import.h"
#include "registry/keymap.h"
#include "registry/table.h"

enum rule { RULE_COUNT, RULE_ANY, RULE_FIRST, RULE_LAST, RULE_MIN, RULE_MAX };
static const char *const rule_names[] = {"count", "any", "first", "last", "min", "max"};
enum { N_RULES = sizeof rule_names / sizeof *rule_names, TABLES_MAX = 16 };

struct source {
    const char *name, *path;
    const struct dictionary *dictionary;
    int order; /* variable; −1: none */
    struct columns *rows;
    size_t *first; /* per patient: the first row; one more at the end */
    bool *asked;   /* per patient */
};

struct condition {
    uint32_t variable;
    int64_t *values; /* codes or steps */
    size_t n;
};

struct derivation {
    size_t source;
    enum rule rule;
    int of, after; /* variable of the table; of the dictionary; −1: none */
    double least, greatest;
    struct condition *conditions;
    size_t n_conditions;
};

struct derive {
    const struct dictionary *dictionary;
    struct source *sources;
    size_t n_sources;
    const struct derivation **of_variable; /* per variable of the dictionary; NULL: it is read */
};

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
    if ((derivation->rule == RULE_FIRST || derivation->rule == RULE_LAST || derivation->after >= 0) &&
        source->order < 0)
        return yaml_fail(error, map, "expected an `order` of the table `%s`", source->name);
    if (derivation->after >= 0 && source->dictionary->variables[source->order].type != VARIABLE_DATE)
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
    static const char *const keys[] = {"table", "rule", "of", "where", "after", "days", NULL};
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
    if ((node = yaml_get(map, "where")) != NULL) {
        made->n_conditions = node->kind == YAML_KIND_MAP ? node->n : 0;
        made->conditions = arena_array(arena, made->n_conditions + 1, sizeof *made->conditions);
        for (size_t i = 0; i < made->n_conditions; i++)
            MAILLE_TRY(
                parse_condition(&made->conditions[i], arena, rows, node->keys[i], node->values[i], error));
    }
    MAILLE_TRY(check_types(made, derive, &derive->dictionary->variables[target], map, error));
    *out = made;
out:
    return code;
}

enum maille_code derive_parse(struct derive **out, struct arena *arena, const char *name, const char *text,
                              size_t length, const char *folder, const struct dictionary *dictionary,
                              struct maille_error *error)
{
    static const char *const keys[] = {"derive", "tables", "variables", NULL};
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
        MAILLE_TRY(parse_source(&made->sources[i], arena, node->values[i], folder, error));
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
    *out = made;
out:
    return code;
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
}

bool derive_has(const struct derive *derive, size_t variable)
{
    return derive != NULL && derive->of_variable[variable] != NULL;
}

/* An entry of a table in memory; false: missing. */
static bool entry(int64_t *value, const struct columns *rows, size_t v, size_t row)
{
    const struct stored *stored = &rows->stored[v];
    if (column_is_missing(stored->missing, row))
        return false;
    *value = column_entry(stored->storage, stored->values, row);
    return true;
}

static bool counts(const struct derivation *derivation, const struct derive *derive,
                   const struct source *source, size_t row, const struct cell *cells)
{
    int64_t value = 0;
    for (size_t c = 0; c < derivation->n_conditions; c++) {
        const struct condition *condition = &derivation->conditions[c];
        bool is_one = false;
        if (!entry(&value, source->rows, condition->variable, row))
            return false;
        for (size_t i = 0; i < condition->n; i++)
            is_one = is_one || condition->values[i] == value;
        if (!is_one)
            return false;
    }
    if (derivation->after < 0)
        return true;
    if (cells[derivation->after].missing || !entry(&value, source->rows, (size_t)source->order, row))
        return false;
    const double day = dictionary_value(&source->dictionary->variables[source->order], (double)value),
                 since = dictionary_value(&derive->dictionary->variables[derivation->after],
                                          (double)cells[derivation->after].integer);
    return day - since >= derivation->least && day - since <= derivation->greatest;
}

/* A value of the table in the terms of the variable: a level by its text, a number or date by its value. */
static bool convert(struct cell *cell, char sentence[CELL_SENTENCE_MAX], const struct variable *target,
                    const struct variable *from, int64_t value)
{
    double least, greatest;
    if (target->type == VARIABLE_CATEGORY) {
        assert(from->levels != NULL); /* check_types */
        for (size_t l = 0; l < target->n_levels; l++)
            if (strcmp(target->levels[l], from->levels[value]) == 0) {
                *cell = (struct cell){.integer = (int64_t)l};
                return true;
            }
        snprintf(sentence, CELL_SENTENCE_MAX,
                 "expected a level of the variable out of its table, found \"%.100s\"", from->levels[value]);
        return false;
    }
    if (target->type == VARIABLE_BOOLEAN) {
        *cell = (struct cell){.integer = value};
        return true;
    }
    const double steps = nearbyint(dictionary_value(from, (double)value) / target->resolution);
    dictionary_steps(target, &least, &greatest);
    if (steps < least || steps > greatest ||
        fabs(dictionary_value(target, steps) - dictionary_value(from, (double)value)) >
            1e-9 * fmax(1, fabs(steps))) {
        char found[SUMMARY_VALUE];
        summary_value(found, from, dictionary_value(from, (double)value));
        snprintf(sentence, CELL_SENTENCE_MAX,
                 "expected a value that the variable may have out of its table, found %s", found);
        return false;
    }
    *cell = (struct cell){.integer = (int64_t)steps};
    return true;
}

/* One variable of one patient, whose rows are from first to end. */
static bool derive_one(struct cell *cell, char sentence[CELL_SENTENCE_MAX],
                       const struct derivation *derivation, const struct derive *derive,
                       const struct variable *target, size_t first, size_t end, const struct cell *cells)
{
    const struct source *source = &derive->sources[derivation->source];
    int64_t best = 0, best_order = 0;
    size_t n = 0, taken = 0;
    for (size_t r = first; r < end; r++) {
        int64_t value = 0, order = 0;
        if (!counts(derivation, derive, source, r, cells))
            continue;
        n++;
        if (derivation->of < 0 || !entry(&value, source->rows, (size_t)derivation->of, r))
            continue;
        const bool by_order = derivation->rule == RULE_FIRST || derivation->rule == RULE_LAST;
        if (by_order && !entry(&order, source->rows, (size_t)source->order, r))
            continue;
        const bool better = (derivation->rule == RULE_FIRST && order < best_order) ||
                            (derivation->rule == RULE_LAST && order >= best_order) ||
                            (derivation->rule == RULE_MIN && value < best) ||
                            (derivation->rule == RULE_MAX && value > best);
        if (taken++ == 0 || better) {
            best = value;
            best_order = order;
        }
    }
    if (derivation->rule == RULE_ANY) {
        *cell = (struct cell){.integer = n > 0};
        return true;
    }
    if (derivation->rule == RULE_COUNT) {
        static const struct variable whole = {
            .type = VARIABLE_INTEGER, .resolution = 1, .numerator = 1, .denominator = 1};
        return convert(cell, sentence, target, &whole, (int64_t)n);
    }
    if (taken == 0) {
        *cell = (struct cell){.missing = true};
        return true;
    }
    return convert(cell, sentence, target, &source->dictionary->variables[derivation->of], best);
}

bool derive_cells(struct cell *cells, size_t *bad, char sentence[CELL_SENTENCE_MAX], struct derive *derive,
                  const char *key, size_t length)
{
    for (size_t v = 0; v < derive->dictionary->n_variables; v++) {
        const struct derivation *derivation = derive->of_variable[v];
        if (derivation == NULL)
            continue;
        const struct source *source = &derive->sources[derivation->source];
        const int32_t patient = keymap_find(source->rows->keys, key, length);
        if (patient >= 0)
            source->asked[patient] = true;
        if (!derive_one(&cells[v], sentence, derivation, derive, &derive->dictionary->variables[v],
                        patient < 0 ? 0 : source->first[patient],
                        patient < 0 ? 0 : source->first[patient + 1], cells)) {
            *bad = v;
            return false;
        }
    }
    return true;
}

bool derive_strangers(const char **name, size_t *patients, size_t *table, const struct derive *derive)
{
    for (; *table < derive->n_sources; ++*table) {
        const struct source *source = &derive->sources[*table];
        size_t n = 0;
        for (size_t p = 0; p < source->rows->patients; p++)
            n += !source->asked[p];
        if (n == 0)
            continue;
        *name = source->name;
        *patients = n;
        ++*table;
        return true;
    }
    return false;
}
