/* A table of lines of treatment, made out of a table of drugs by registry/lines.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "registry/derive_private.h"
#include "registry/keymap.h"
#include "registry/table.h"

enum { LINE, BEGIN, END, CLASS, N_VARIABLES, LINES_MAX = 99 };

/* A variable of the table of drugs; −1 where the key is not there. */
static enum maille_code parse_variable(int *variable, const struct dictionary *drugs,
                                       const struct yaml_node *map, const char *key, enum variable_type type,
                                       struct maille_error *error)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *name;
    *variable = -1;
    if (node == NULL)
        return MAILLE_OK;
    enum maille_code code = yaml_string(&name, node, error);
    if (code != MAILLE_OK)
        return code;
    *variable = dictionary_find(drugs, name);
    if (*variable < 0 || drugs->variables[*variable].type != type)
        return yaml_fail(error, node, "expected `%s` as a %s of the table of drugs, found `%.80s`", key,
                         variable_type_name(type), name);
    return MAILLE_OK;
}

/* Drugs of one group of the network's list (−1: of none) */
static enum maille_code take_drugs(int8_t *group, bool *is_listed, const struct variable *drugs,
                                   const struct yaml_node *list, int8_t to, struct maille_error *error)
{
    if (list->kind != YAML_KIND_LIST || list->n == 0)
        return yaml_fail(error, list, "expected a list of drugs");
    for (size_t i = 0; i < list->n; i++) {
        const char *name;
        size_t l = 0;
        enum maille_code code = yaml_string(&name, list->values[i], error);
        if (code != MAILLE_OK)
            return code;
        while (l < drugs->n_levels && strcmp(drugs->levels[l], name) != 0)
            l++;
        if (l == drugs->n_levels)
            return yaml_fail(error, list->values[i], "expected a level of `%s`, found `%.80s`", drugs->name,
                             name);
        if (is_listed[l])
            return yaml_fail(error, list->values[i], "expected each drug once, found `%.80s` again", name);
        is_listed[l] = true;
        group[l] = to;
    }
    return MAILLE_OK;
}

/* `groups` and `ignored`: each drug stands in one of them. */
static enum maille_code parse_groups(struct line_rules *rules, struct arena *arena,
                                     const struct variable *drugs, const struct yaml_node *map,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *groups = yaml_get(map, "groups"), *ignored = yaml_get(map, "ignored");
    int8_t *group = arena_array(arena, drugs->n_levels, sizeof *group);
    bool *is_listed = arena_array(arena, drugs->n_levels, sizeof *is_listed);
    if (groups->kind != YAML_KIND_MAP || groups->n == 0 || groups->n > LINES_GROUPS_MAX) {
        code = yaml_fail(error, groups, "expected `groups: { name: [drugs] }`, 1 to %d of them",
                         LINES_GROUPS_MAX);
        goto out;
    }
    for (size_t g = 0; g < groups->n; g++)
        MAILLE_TRY(take_drugs(group, is_listed, drugs, groups->values[g], (int8_t)g, error));
    if (ignored != NULL)
        MAILLE_TRY(take_drugs(group, is_listed, drugs, ignored, -1, error));
    for (size_t l = 0; l < drugs->n_levels; l++)
        if (!is_listed[l]) {
            code = yaml_fail(error, groups,
                             "expected every drug in one of `groups` or in `ignored`, found none for `%.80s`",
                             drugs->levels[l]);
            goto out;
        }
    rules->group = group;
    rules->n_drugs = drugs->n_levels;
out:
    return code;
}

/* One class: its name, and the groups of which it has a drug each. */
static enum maille_code parse_class(struct line_class *class, const struct yaml_node *groups,
                                    const struct yaml_node *map, struct maille_error *error)
{
    static const char *const keys[] = {"class", "has", NULL};
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *has = yaml_get(map, "has");
    if (map->kind != YAML_KIND_MAP || yaml_get(map, "class") == NULL || has == NULL ||
        has->kind != YAML_KIND_LIST || has->n == 0) {
        code = yaml_fail(error, map, "expected a class as `{ class: NAME, has: [groups] }`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    MAILLE_TRY(yaml_string(&class->name, yaml_get(map, "class"), error));
    if (class->name[0] == '\0' || strpbrk(class->name, "\"\\\n\t") != NULL) {
        code = yaml_fail(error, yaml_get(map, "class"),
                         "expected the name of a class without quotes and `\\`, found `%.80s`", class->name);
        goto out;
    }
    for (size_t i = 0; i < has->n; i++) {
        const char *name;
        size_t g = 0;
        MAILLE_TRY(yaml_string(&name, has->values[i], error));
        while (g < groups->n && strcmp(groups->keys[g]->scalar, name) != 0)
            g++;
        if (g == groups->n) {
            code = yaml_fail(error, has->values[i], "expected one of `groups`, found `%.80s`", name);
            goto out;
        }
        class->groups |= UINT64_C(1) << g;
    }
out:
    return code;
}

static enum maille_code parse_classes(struct line_rules *rules, struct arena *arena,
                                      const struct yaml_node *map, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *groups = yaml_get(map, "groups"), *list = yaml_get(map, "classes");
    if (list->kind != YAML_KIND_LIST || list->n == 0) {
        code = yaml_fail(error, list, "expected `classes: [{ class: NAME, has: [groups] }]`");
        goto out;
    }
    struct line_class *classes = arena_array(arena, list->n, sizeof *classes);
    uint64_t alone = 0;
    for (size_t c = 0; c < list->n; c++) {
        MAILLE_TRY(parse_class(&classes[c], groups, list->values[c], error));
        if ((classes[c].groups & (classes[c].groups - 1)) == 0)
            alone |= classes[c].groups;
    }
    for (size_t g = 0; g < groups->n; g++)
        if ((alone >> g & 1) == 0) {
            code =
                yaml_fail(error, list, "expected a class that has `%.80s` alone, so that each line has one",
                          groups->keys[g]->scalar);
            goto out;
        }
    rules->classes = classes;
    rules->n_classes = list->n;
out:
    return code;
}

/* The dictionary of the table: line, begin, end, class. A class may have several rows of the list. */
static enum maille_code make_dictionary(const struct dictionary **out, struct arena *arena, const char *name,
                                        const struct dictionary *drugs, const struct line_source *lines,
                                        const struct yaml_node *map, struct maille_error *error)
{
    const struct line_rules *rules = &lines->rules;
    char least[16], greatest[16];
    const char *levels = "";
    for (size_t c = 0; c < rules->n_classes; c++) {
        bool is_known = false;
        for (size_t k = 0; k < c; k++)
            is_known = is_known || strcmp(rules->classes[k].name, rules->classes[c].name) == 0;
        if (!is_known)
            levels = arena_printf(arena, "%s%s\"%s\"", levels, c == 0 ? "" : ", ", rules->classes[c].name);
    }
    number_format_date(least, (int32_t)drugs->variables[lines->begin].min);
    number_format_date(greatest, (int32_t)drugs->variables[lines->begin].max);
    const char *text = arena_printf(
        arena,
        "dictionary: lines\nversion: 1\nkey: %s\nmissing: []\nrows: several\nvariables:\n"
        "  - { name: line, type: integer, min: 1, max: %d }\n"
        "  - { name: begin, type: date, min: %s, max: %s }\n  - { name: end, type: date, min: %s, max: %s }\n"
        "  - { name: class, type: category, levels: [%s] }\n",
        drugs->key, LINES_MAX, least, greatest, least, greatest, levels);
    if (dictionary_parse(out, arena, name, text, strlen(text), error) == MAILLE_OK)
        return MAILLE_OK;
    char sentence[MAILLE_SENTENCE_MAX];
    snprintf(sentence, sizeof sentence, "%s", error->sentence);
    return yaml_fail(error, map, "expected classes that are levels of a category: %.200s", sentence);
}

enum maille_code derive_lines_parse(struct source *source, struct arena *arena, const struct source *sources,
                                    size_t before, const struct yaml_node *map, struct maille_error *error)
{
    static const char *const keys[] = {"name",  "rules",    "of",      "drug",   "begin",   "end",
                                       "where", "together", "ignored", "groups", "classes", NULL};
    static const char *const wanted[] = {"name", "of", "drug", "begin", "groups", "classes"};
    enum maille_code code = MAILLE_OK;
    struct line_source *lines = arena_alloc(arena, sizeof *lines);
    const char *text;
    int drug, begin;
    MAILLE_TRY(yaml_string(&text, yaml_get(map, "rules"), error));
    if (strcmp(text, LINES_RULES) != 0) {
        code = yaml_fail(error, yaml_get(map, "rules"),
                         "expected the rules %s, which this version knows, found `%.80s`", LINES_RULES, text);
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (yaml_get(map, wanted[i]) == NULL) {
            code = yaml_fail(error, map, "expected the key `%s` of a table of lines, found none", wanted[i]);
            goto out;
        }
    MAILLE_TRY(yaml_string(&source->name, yaml_get(map, "name"), error));
    MAILLE_TRY(yaml_string(&text, yaml_get(map, "of"), error));
    while (lines->of < before && strcmp(sources[lines->of].name, text) != 0)
        lines->of++;
    if (lines->of == before || sources[lines->of].lines != NULL) {
        code = yaml_fail(error, yaml_get(map, "of"), "expected a table of drugs above, found `%.80s`", text);
        goto out;
    }
    const struct dictionary *drugs = sources[lines->of].dictionary;
    MAILLE_TRY(parse_variable(&drug, drugs, map, "drug", VARIABLE_CATEGORY, error));
    MAILLE_TRY(parse_variable(&begin, drugs, map, "begin", VARIABLE_DATE, error));
    MAILLE_TRY(parse_variable(&lines->end, drugs, map, "end", VARIABLE_DATE, error));
    lines->drug = (uint32_t)drug;
    lines->begin = (uint32_t)begin;
    if (yaml_get(map, "together") != NULL)
        MAILLE_TRY(yaml_integer(&lines->rules.together, yaml_get(map, "together"), 0, 366, error));
    MAILLE_TRY(derive_conditions(&lines->conditions, &lines->n_conditions, arena, drugs,
                                 yaml_get(map, "where"), error));
    MAILLE_TRY(parse_groups(&lines->rules, arena, &drugs->variables[drug], map, error));
    MAILLE_TRY(parse_classes(&lines->rules, arena, map, error));
    MAILLE_TRY(make_dictionary(&source->dictionary, arena, source->name, drugs, lines, map, error));
    source->order = BEGIN;
    source->lines = lines;
out:
    return code;
}

/* --- the rows --- */

struct made {
    struct drug_record *records;
    struct line *lines;
    struct line_room room;
};

/* The drugs of one patient that count, of rows first to end; which are in the file in this order. */
static enum maille_code take_records(size_t *n, struct drug_record *records, const struct source *drugs,
                                     const struct line_source *lines, size_t first, size_t end,
                                     struct maille_error *error)
{
    const struct columns *rows = drugs->rows;
    *n = 0;
    for (size_t r = first; r < end; r++) {
        const uint32_t record = row_id_row(rows->row_id[r]);
        int64_t drug = 0, begin = 0, until = 0;
        if (!derive_meets(rows, lines->conditions, lines->n_conditions, r))
            continue;
        const bool has_drug = derive_entry(&drug, rows, lines->drug, r);
        if (has_drug && lines->rules.group[drug] < 0)
            continue;
        if (!has_drug || !derive_entry(&begin, rows, lines->begin, r))
            return maille_fail(error, MAILLE_INVALID,
                               "%s: expected a %s of each drug, found none in record %u, column %s",
                               drugs->path, has_drug ? "begin" : "name", record,
                               drugs->dictionary->variables[has_drug ? lines->begin : lines->drug].name);
        const bool has_end = lines->end >= 0 && derive_entry(&until, rows, (size_t)lines->end, r);
        if (has_end && until < begin)
            return maille_fail(error, MAILLE_INVALID,
                               "%s: expected an end that is not before the begin, found one in record %u, "
                               "column %s",
                               drugs->path, record, drugs->dictionary->variables[lines->end].name);
        records[(*n)++] = (struct drug_record){(uint32_t)drug, begin, until, has_end};
    }
    return MAILLE_OK;
}

static enum maille_code append_lines(struct columns *table, struct keymap *keys, const struct line *lines,
                                     size_t n, const struct line_source *source, const char *key,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct variable *classes = &table->dictionary->variables[CLASS];
    int32_t patient;
    if (n > LINES_MAX) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected at most %d lines of a patient, found %zu of one; is each of his drugs "
                           "in one of the list's groups?",
                           LINES_MAX, n);
        goto out;
    }
    for (size_t l = 0; l < n; l++) {
        int64_t class = 0;
        while (strcmp(classes->levels[class], source->rules.classes[lines[l].class].name) != 0)
            class ++;
        const struct cell cells[N_VARIABLES] = {
            [LINE] = {.integer = (int64_t)l + 1},
            [BEGIN] = {.integer = lines[l].begin},
            [END] = {.integer = lines[l].has_end ? lines[l].end : lines[l].begin,
                     .missing = !lines[l].has_end},
            [CLASS] = {.integer = class}};
        MAILLE_TRY(keymap_number(keys, &patient, key, strlen(key), error));
        MAILLE_TRY(table_append(table, cells, patient, table->rows + 1, error));
    }
out:
    return code;
}

enum maille_code derive_lines_make(struct source *source, const struct source *sources,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct line_source *lines = source->lines;
    const struct source *drugs = &sources[lines->of];
    const size_t n_drugs = lines->rules.n_drugs, rows = drugs->rows->rows + 1;
    struct keymap *keys = keymap_new();
    struct made made = {.records = calloc(rows, sizeof *made.records),
                        .lines = calloc(rows, sizeof *made.lines),
                        .room = {.courses = calloc(rows, sizeof *made.room.courses),
                                 .last = calloc(n_drugs, sizeof *made.room.last),
                                 .of_line = calloc(n_drugs, sizeof *made.room.of_line)}};
    if (keys == NULL || made.records == NULL || made.lines == NULL || made.room.courses == NULL ||
        made.room.last == NULL || made.room.of_line == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected memory for the table %s, found none", source->name);
        goto out;
    }
    MAILLE_TRY(table_new(&source->rows, source->dictionary, rows, error));
    for (size_t p = 0; p < drugs->rows->patients; p++) {
        size_t n;
        MAILLE_TRY(take_records(&n, made.records, drugs, lines, drugs->first[p], drugs->first[p + 1], error));
        n = lines_make(made.lines, made.records, n, &lines->rules, &made.room);
        MAILLE_TRY(append_lines(source->rows, keys, made.lines, n, lines,
                                keymap_text(drugs->rows->keys, (int32_t)p), error));
    }
    MAILLE_TRY(table_group(source->rows, keymap_count(keys), error));
    source->rows->keys = keys;
    keys = NULL;
out:
    keymap_free(keys);
    free(made.records);
    free(made.lines);
    free(made.room.courses);
    free(made.room.last);
    free(made.room.of_line);
    return code;
}
