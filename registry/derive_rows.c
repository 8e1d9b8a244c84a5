/* Rows (start, stop] of a patient, cut where something changes. */
#include <stdlib.h>
#include <string.h>

#include "registry/derive_private.h"
#include "registry/table.h"

/* A variable of the dictionary that is read from the patients' file, or is made here. */
static enum maille_code parse_one(uint32_t *variable, const struct derive *derive,
                                  const struct yaml_node *map, const char *key, struct maille_error *error)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *name;
    if (node == NULL)
        return yaml_fail(error, map, "expected `rows: { from, to, event, start, stop }`, found none for `%s`",
                         key);
    enum maille_code code = yaml_string(&name, node, error);
    if (code != MAILLE_OK)
        return code;
    const int found = dictionary_find(derive->dictionary, name);
    if (found < 0)
        return yaml_fail(error, node, "expected a variable of the dictionary for `%s`, found `%.80s`", key,
                         name);
    if (derive->of_variable[found] != NULL)
        return yaml_fail(error, node,
                         "expected `%s` of `rows` not among `variables`, found `%.80s` there too", key, name);
    *variable = (uint32_t)found;
    return MAILLE_OK;
}

static bool counts_days(const struct variable *variable)
{
    return variable->resolution == 1 &&
           (variable->type == VARIABLE_INTEGER ||
            (variable->type == VARIABLE_DURATION && dictionary_unit_days(variable->units) == 1));
}

enum maille_code derive_rows_parse(struct derive *derive, struct arena *arena, const struct yaml_node *map,
                                   struct maille_error *error)
{
    static const char *const keys[] = {"from", "to", "event", "start", "stop", NULL};
    enum maille_code code = MAILLE_OK;
    struct derive_rows *rows = &derive->rows;
    const struct variable *variables = derive->dictionary->variables;
    if (map->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, map, "expected `rows: { from, to, event, start, stop }`");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    uint32_t *const to[] = {&rows->from, &rows->to, &rows->event, &rows->start, &rows->stop};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        MAILLE_TRY(parse_one(to[i], derive, map, keys[i], error));
        for (size_t k = 0; k < i; k++)
            if (*to[k] == *to[i]) {
                code = yaml_fail(error, yaml_get(map, keys[i]),
                                 "expected five variables in `rows`, found `%.80s` for `%s` and `%s`",
                                 variables[*to[i]].name, keys[k], keys[i]);
                goto out;
            }
    }
    for (size_t i = 0; i < 2; i++)
        if (variables[*to[i]].type != VARIABLE_DATE) {
            code = yaml_fail(error, yaml_get(map, keys[i]), "expected `%s` to be a date, found %s", keys[i],
                             variable_type_name(variables[*to[i]].type));
            goto out;
        }
    if (variables[rows->event].n_levels == 0) {
        code = yaml_fail(error, yaml_get(map, "event"),
                         "expected `event` to be a boolean, or a category whose first level is censoring, "
                         "found %s",
                         variable_type_name(variables[rows->event].type));
        goto out;
    }
    for (size_t i = 3; i < 5; i++)
        if (!counts_days(&variables[*to[i]])) {
            code = yaml_fail(error, yaml_get(map, keys[i]),
                             "expected `%s` to be a duration in days, whole ones, found `%s`", keys[i],
                             variables[*to[i]].name);
            goto out;
        }
    if (derive->dictionary->rows != ROWS_SEVERAL) {
        code = yaml_fail(error, map, "expected `rows: several` in the dictionary, found another");
        goto out;
    }
    rows->before = arena_array(arena, derive->dictionary->n_variables, sizeof *rows->before);
    rows->now = arena_array(arena, derive->dictionary->n_variables, sizeof *rows->now);
    rows->made = true;
out:
    return code;
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Every day within the follow-up on which a row of a table begins to count. */
static enum maille_code find_days(struct derive *derive, const struct cell *cells, const char *key,
                                  size_t length, struct maille_error *error)
{
    struct derive_rows *rows = &derive->rows;
    for (size_t v = 0; v < derive->dictionary->n_variables; v++) {
        const struct derivation *derivation = derive->of_variable[v];
        if (derivation == NULL || !derivation->changes)
            continue;
        const struct source *source = &derive->sources[derivation->source];
        size_t first, end;
        derive_patient_rows(&first, &end, source, key, length);
        for (size_t r = first; r < end; r++) {
            int64_t day;
            if (!derive_counts(derivation, derive, r, cells, rows->end) ||
                !derive_entry(&day, source->rows, (size_t)source->order, r) || day <= rows->begin ||
                day >= rows->end)
                continue;
            if (rows->n == rows->room) {
                int64_t *grown = realloc(rows->cuts, (2 * rows->room + 64) * sizeof *grown);
                if (grown == NULL)
                    return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu rows, found none",
                                       rows->n);
                rows->cuts = grown;
                rows->room = 2 * rows->room + 64;
            }
            rows->cuts[rows->n++] = day;
        }
    }
    if (rows->n > 0)
        qsort(rows->cuts, rows->n, sizeof *rows->cuts, by_value);
    return MAILLE_OK;
}

/* What holds on a day; true where it differs from `rows->before`, which it then is. What does not fit counts
 * as a change: its row says so. */
static bool changed(struct derive *derive, const struct cell *cells, int64_t day, const char *key,
                    size_t length)
{
    struct derive_rows *rows = &derive->rows;
    char sentence[CELL_SENTENCE_MAX];
    bool differs = false;
    for (size_t v = 0; v < derive->dictionary->n_variables; v++) {
        if (derive->of_variable[v] == NULL || !derive->of_variable[v]->changes)
            continue;
        rows->now[v] = (struct cell){0};
        if (!derive_one(&rows->now[v], sentence, derive, v, cells, day, key, length))
            differs = true;
        differs = differs || rows->now[v].missing != rows->before[v].missing ||
                  (!rows->now[v].missing && rows->now[v].integer != rows->before[v].integer);
    }
    memcpy(rows->before, rows->now, derive->dictionary->n_variables * sizeof *rows->now);
    return differs;
}

enum maille_code derive_patient(size_t *n, struct derive *derive, const struct cell *cells, const char *key,
                                size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct derive_rows *rows = &derive->rows;
    size_t kept = 0;
    *n = 1;
    rows->n = 0;
    if (!rows->made)
        return MAILLE_OK;
    rows->kept = cells[rows->event];
    rows->begin = cells[rows->from].integer;
    rows->end = cells[rows->to].integer;
    rows->followed = !cells[rows->from].missing && !cells[rows->to].missing && rows->begin < rows->end;
    rows->unfollowed += !rows->followed;
    if (!rows->followed)
        return MAILLE_OK;
    MAILLE_TRY(find_days(derive, cells, key, length, error));
    changed(derive, cells, rows->begin, key, length);
    for (size_t i = 0; i < rows->n; i++)
        if ((i == 0 || rows->cuts[i] != rows->cuts[i - 1]) &&
            changed(derive, cells, rows->cuts[i], key, length))
            rows->cuts[kept++] = rows->cuts[i];
    rows->n = kept;
    *n = kept + 1;
out:
    return code;
}
