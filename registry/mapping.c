#include "registry/mapping.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/yaml.h"
#include "registry/text.h"

static const char *const partial_names[] = {"unsaid", "first", "middle", "last", "missing"};
enum { N_PARTIAL = sizeof partial_names / sizeof *partial_names };

/* --- parsing --- */

/* A value of the file that becomes one of the dictionary's. */
static enum maille_code parse_values(struct mapping_column *column, struct arena *arena,
                                     const struct yaml_node *map, const struct variable *variable,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (map->kind != YAML_KIND_MAP || variable == NULL) {
        code =
            yaml_fail(error, map,
                      "expected `values: { as the file says it: as the dictionary does, … }` of a variable");
        goto out;
    }
    const char **pairs = arena_array(arena, 2 * map->n + 1, sizeof *pairs);
    for (size_t i = 0; i < map->n; i++) {
        MAILLE_TRY(yaml_string(&pairs[2 * i], map->keys[i], error));
        MAILLE_TRY(yaml_string(&pairs[2 * i + 1], map->values[i], error));
        bool is_level = variable->type != VARIABLE_CATEGORY && variable->type != VARIABLE_BOOLEAN;
        for (size_t l = 0; l < variable->n_levels && !is_level; l++)
            is_level = strcmp(variable->levels[l], pairs[2 * i + 1]) == 0;
        if (variable->type == VARIABLE_BOOLEAN)
            is_level = is_level || strcmp(pairs[2 * i + 1], "0") == 0 || strcmp(pairs[2 * i + 1], "1") == 0 ||
                       strcmp(pairs[2 * i + 1], "true") == 0 || strcmp(pairs[2 * i + 1], "false") == 0;
        if (!is_level) {
            code = yaml_fail(error, map->values[i], "expected a level of `%s`, found \"%.80s\"",
                             variable->name, pairs[2 * i + 1]);
            goto out;
        }
    }
    column->values = pairs;
    column->n_values = map->n;
out:
    return code;
}

static bool has(const char *format, const char *part)
{
    return strstr(format, part) != NULL;
}

static enum maille_code parse_dates(struct mapping_column *column, struct arena *arena,
                                    const struct yaml_node *map, const struct variable *variable,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *list = yaml_get(map, "dates"), *partial = yaml_get(map, "partial");
    const char *word;
    if (partial != NULL) {
        MAILLE_TRY(yaml_string(&word, partial, error));
        size_t i = PARTIAL_FIRST;
        while (i < N_PARTIAL && strcmp(word, partial_names[i]) != 0)
            i++;
        if (i == N_PARTIAL) {
            code = yaml_fail(error, partial,
                             "expected `partial` as first, middle, last or missing, found `%.40s`", word);
            goto out;
        }
        column->partial = (enum mapping_partial)i;
    }
    if (list == NULL)
        goto out;
    if (variable == NULL || variable->type != VARIABLE_DATE) {
        code = yaml_fail(error, list, "expected `dates` of a variable of type date");
        goto out;
    }
    MAILLE_TRY(
        yaml_texts(&column->dates, &column->n_dates, arena, list, "dates", MAPPING_FORMATS_MAX, error));
    for (size_t i = 0; i < column->n_dates; i++) {
        const char *format = column->dates[i];
        const bool is_whole = has(format, "DD") && has(format, "MM");
        if (!has(format, "YYYY") || (has(format, "DD") && !has(format, "MM"))) {
            code = yaml_fail(
                error, list->values[i],
                "expected a format of YYYY, MM and DD such as DD/MM/YYYY or MM/YYYY, found `%.40s`", format);
            goto out;
        }
        if (!is_whole && column->partial == PARTIAL_UNSAID) {
            code = yaml_fail(
                error, list->values[i],
                "expected `partial: first`, middle, last or missing beside `%.40s`: what stands for what "
                "it does not say is the site's decision",
                format);
            goto out;
        }
    }
out:
    return code;
}

static enum maille_code parse_column(struct mapping_column *column, struct arena *arena,
                                     const struct yaml_node *map, const struct dictionary *dictionary,
                                     struct maille_error *error)
{
    static const char *const keys[] = {"from", "to", "times", "values", "missing", "dates", "partial", NULL};
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *node;
    if (map->kind != YAML_KIND_MAP || yaml_get(map, "from") == NULL || yaml_get(map, "to") == NULL) {
        code = yaml_fail(error, map, "expected a column as `{ from: its name in the file, to: a variable }`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    MAILLE_TRY(yaml_string(&column->from, yaml_get(map, "from"), error));
    MAILLE_TRY(yaml_string(&column->to, yaml_get(map, "to"), error));
    const int found = dictionary_find(dictionary, column->to);
    const struct variable *variable = found < 0 ? NULL : &dictionary->variables[found];
    if (variable == NULL && strcmp(column->to, dictionary->key) != 0) {
        code = yaml_fail(error, yaml_get(map, "to"),
                         "expected a variable of the dictionary or its key `%s`, found `%.80s`",
                         dictionary->key, column->to);
        goto out;
    }
    if ((node = yaml_get(map, "times")) != NULL) {
        MAILLE_TRY(yaml_number(&column->times, node, 1e-12, 1e12, error));
        if (variable == NULL || variable->n_levels > 0 || variable->type == VARIABLE_DATE) {
            code = yaml_fail(error, node, "expected `times` of a number");
            goto out;
        }
    }
    if ((node = yaml_get(map, "values")) != NULL)
        MAILLE_TRY(parse_values(column, arena, node, variable, error));
    if ((node = yaml_get(map, "missing")) != NULL)
        MAILLE_TRY(yaml_texts(&column->missing, &column->n_missing, arena, node, "missing",
                              DICTIONARY_MISSING_MAX, error));
    code = parse_dates(column, arena, map, variable, error);
out:
    return code;
}

static enum maille_code parse_character(char *out, const struct yaml_node *at, const char *legal,
                                        struct maille_error *error)
{
    const char *text;
    enum maille_code code;
    MAILLE_TRY(yaml_string(&text, at, error));
    if (strcmp(text, "tab") == 0)
        text = "\t";
    if (strlen(text) != 1 || strchr(legal, text[0]) == NULL)
        code = yaml_fail(error, at, "expected one of %s or tab, found `%.20s`",
                         legal[0] == '.' ? ". ," : ", ; |", text);
    else
        *out = text[0];
out:
    return code;
}

enum maille_code mapping_parse(const struct mapping **mapping, struct arena *arena, const char *name,
                               const char *text, size_t length, const struct dictionary *dictionary,
                               struct maille_error *error)
{
    static const char *const keys[] = {"mapping", "skip", "separator", "decimal", "columns", NULL};
    enum maille_code code;
    const struct yaml_node *root, *node;
    struct mapping *made = arena_alloc(arena, sizeof *made);
    const char *target;
    char wanted[DICTIONARY_NAME_MAX + 32];
    MAILLE_TRY(yaml_parse(&root, arena, name, text, length, error));
    if (root->kind != YAML_KIND_MAP || yaml_get(root, "mapping") == NULL) {
        code = yaml_fail(error, root,
                         "expected a mapping: keys `mapping`, `columns`; maille-worker map makes one");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, keys, error));
    MAILLE_TRY(yaml_string(&target, yaml_get(root, "mapping"), error));
    snprintf(wanted, sizeof wanted, "%s@%lld", dictionary->name, (long long)dictionary->version);
    if (strcmp(target, wanted) != 0) {
        code = yaml_fail(error, yaml_get(root, "mapping"),
                         "expected a mapping onto `%s`, found one onto `%.80s`", wanted, target);
        goto out;
    }
    if ((node = yaml_get(root, "skip")) != NULL)
        MAILLE_TRY(yaml_integer(&made->skip, node, 0, 1000, error));
    if ((node = yaml_get(root, "separator")) != NULL)
        MAILLE_TRY(parse_character(&made->separator, node, ",;|\t", error));
    if ((node = yaml_get(root, "decimal")) != NULL)
        MAILLE_TRY(parse_character(&made->decimal, node, ".,", error));
    if ((node = yaml_get(root, "columns")) == NULL || node->kind != YAML_KIND_LIST) {
        code = yaml_fail(error, root, "expected `columns` as a list");
        goto out;
    }
    struct mapping_column *columns = arena_array(arena, node->n + 1, sizeof *columns);
    for (size_t i = 0; i < node->n; i++) {
        MAILLE_TRY(parse_column(&columns[i], arena, node->values[i], dictionary, error));
        for (size_t k = 0; k < i; k++)
            if (strcmp(columns[k].to, columns[i].to) == 0) {
                code = yaml_fail(error, node->values[i], "expected each variable once, found `%s` again",
                                 columns[i].to);
                goto out;
            }
    }
    made->columns = columns;
    made->n_columns = node->n;
    *mapping = made;
out:
    return code;
}

const struct mapping_column *mapping_find(const struct mapping *mapping, const char *to)
{
    for (size_t i = 0; mapping != NULL && i < mapping->n_columns; i++)
        if (strcmp(mapping->columns[i].to, to) == 0)
            return &mapping->columns[i];
    return NULL;
}

/* --- cells --- */

/* So many digits. */
static bool take_number(int *number, const char *text, size_t length, size_t *at, size_t digits)
{
    if (length - *at < digits)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text[(*at)++];
        if (c < '0' || c > '9')
            return false;
        *number = 10 * *number + (c - '0');
    }
    return true;
}

bool mapping_date(int32_t *days, bool *lacks, const char *format, enum mapping_partial partial,
                  const char *text, size_t length)
{
    int year = 0, month = 0, day = 0;
    size_t at = 0;
    for (const char *f = format; *f != '\0';) {
        if (strncmp(f, "YYYY", 4) == 0) {
            if (!take_number(&year, text, length, &at, 4))
                return false;
            f += 4;
        } else if (strncmp(f, "MM", 2) == 0 || strncmp(f, "DD", 2) == 0) {
            if (!take_number(*f == 'M' ? &month : &day, text, length, &at, 2))
                return false;
            f += 2;
        } else if (at == length || text[at++] != *f++) {
            return false;
        }
    }
    if (at != length)
        return false;
    const bool no_month = !has(format, "MM"), no_day = !has(format, "DD");
    char iso[32];
    *lacks = no_day;
    if (no_month)
        month = partial == PARTIAL_LAST ? 12 : partial == PARTIAL_MIDDLE ? 7 : 1;
    if (no_day)
        day = partial == PARTIAL_MIDDLE ? (no_month ? 1 : 15) : 1;
    if (no_day && partial == PARTIAL_LAST) {
        for (day = 31; day > 28; day--) {
            snprintf(iso, sizeof iso, "%04d-%02d-%02d", year, month, day);
            if (number_parse_date(iso, strlen(iso), days))
                break;
        }
    }
    snprintf(iso, sizeof iso, "%04d-%02d-%02d", year, month, day);
    return number_parse_date(iso, strlen(iso), days);
}

const char *mapping_cell(const struct mapping_column *column, const char *text, size_t *length,
                         char room[MAPPING_TEXT_MAX])
{
    if (text_is_among(column->missing, column->n_missing, text, *length))
        return NULL;
    for (size_t i = 0; i < column->n_values; i++)
        if (strlen(column->values[2 * i]) == *length && memcmp(column->values[2 * i], text, *length) == 0) {
            const char *level = column->values[2 * i + 1];
            *length = strlen(level);
            return level;
        }
    for (size_t i = 0; i < column->n_dates; i++) {
        int32_t days;
        bool lacks;
        if (!mapping_date(&days, &lacks, column->dates[i], column->partial, text, *length))
            continue;
        if (lacks && column->partial == PARTIAL_MISSING)
            return NULL;
        number_format_date(room, days);
        *length = strlen(room);
        return room;
    }
    return text;
}
