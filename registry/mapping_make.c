#include "registry/mapping_make.h"

#include <inttypes.h>
#include <string.h>

#include "base/display.h"
#include "registry/cell.h"
#include "registry/csv.h"
#include "registry/keymap.h"
#include "registry/mapping.h"
#include "registry/text.h"

enum { LINES_LOOKED_AT = 20, VALUES_MAX = 200, FORMATS = 12 };

struct making {
    const struct dictionary *dictionary;
    struct arena *arena;
    const char **names; /* of the header */
    size_t n, header_line;
    /* Per variable, the key last: */
    size_t *column;               /* which of them; SIZE_MAX: none */
    const char **wanted, **label; /* name and label without accents, case and signs */
};

static const char *folded(struct arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1);
    text_fold(out, text, length);
    return out;
}

static const char *name_of(const struct making *making, size_t v)
{
    return v < making->dictionary->n_variables ? making->dictionary->variables[v].name
                                               : making->dictionary->key;
}

/* Whether two words or more of a name (date_diag) are all in a column's (Date de diagnostic). */
static bool has_words(const char *name, const char *found)
{
    size_t words = 0;
    for (const char *at = name; *at != '\0';) {
        size_t n = strcspn(at, "_.");
        if (n > 2 && memmem(found, strlen(found), at, n) == NULL)
            return false;
        words += n > 2;
        at += n + (at[n] != '\0');
    }
    return words > 1;
}

/* How much a column's name is like a variable's: 4 the same, 3 but for accents, case and signs, or its
 * label's, 2 begins so, 1 by a slip; 0 not. found: the column's folded. */
static uint8_t likeness(const struct making *making, size_t v, const char *column, const char *found)
{
    const char *name = name_of(making, v), *wanted = making->wanted[v];
    if (strcmp(name, column) == 0)
        return 4;
    if (strcmp(wanted, found) == 0 || strcmp(making->label[v], found) == 0)
        return 3;
    if ((strlen(wanted) > 2 && strncmp(wanted, found, strlen(wanted)) == 0) || has_words(name, found))
        return 2;
    return dictionary_nearest_name(wanted, &found, 1) != NULL;
}

/* The likest pairs first, each column and each variable once. */
static size_t pair(struct making *making, const struct csv_record *record)
{
    size_t found = 0;
    const size_t n = record->n, n_wanted = making->dictionary->n_variables + 1;
    making->n = n;
    making->names = arena_array(making->arena, n + 1, sizeof *making->names);
    bool *taken = arena_array(making->arena, n + 1, sizeof *taken);
    uint8_t *alike = arena_array(making->arena, n_wanted, n + 1); /* variable by variable */
    for (size_t f = 0; f < n; f++) {
        size_t length = record->fields[f].length;
        const char *text = text_trim(record->fields[f].text, &length);
        const char *name = arena_strndup(making->arena, text, length),
                   *plain = folded(making->arena, text, length);
        making->names[f] = name;
        for (size_t v = 0; v < n_wanted && length > 0; v++)
            alike[v * n + f] = likeness(making, v, name, plain);
    }
    for (size_t v = 0; v < n_wanted; v++)
        making->column[v] = SIZE_MAX;
    for (uint8_t wanted = 4; wanted > 0; wanted--)
        for (size_t v = 0; v < n_wanted; v++)
            for (size_t f = 0; f < n && making->column[v] == SIZE_MAX; f++)
                if (!taken[f] && alike[v * n + f] == wanted) {
                    making->column[v] = f;
                    taken[f] = true;
                    found++;
                }
    return found;
}

/* The separator and the one of the first lines that pair best. */
static enum maille_code find_header(struct making *making, struct csv *csv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct csv_dialect dialect = csv_dialect(csv);
    const char separators[] = {dialect.separator, ';', ',', '\t', '|'};
    struct csv_record record;
    size_t most = 0, best = 0;
    char separator = 0;
    for (size_t i = 0; i < sizeof separators; i++) {
        MAILLE_TRY(csv_restart(csv, separators[i], dialect.decimal, error));
        for (size_t l = 0; l < LINES_LOOKED_AT; l++) {
            MAILLE_TRY(csv_next(csv, &record, error));
            if (record.n == 0)
                break;
            size_t found = pair(making, &record);
            if (separator == 0 || found > most) {
                most = found;
                best = record.line;
                separator = separators[i];
            }
        }
    }
    if (separator == 0) {
        code = maille_fail(error, MAILLE_INVALID, "expected a header, found an empty file");
        goto out;
    }
    MAILLE_TRY(csv_restart(csv, separator, dialect.decimal, error));
    do
        MAILLE_TRY(csv_next(csv, &record, error));
    while (record.line < best);
    (void)pair(making, &record);
    making->header_line = record.line;
out:
    return code;
}

/* --- values --- */

static void put_text(struct bytes *out, const char *text)
{
    bytes_put_u8(out, '"');
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ') {
            bytes_printf(out, "\\x%02X", (unsigned)*text);
            continue;
        }
        if (*text == '"' || *text == '\\')
            bytes_put_u8(out, '\\');
        bytes_put_u8(out, (uint8_t)*text);
    }
    bytes_put_u8(out, '"');
}

static bool is_known_missing(const struct dictionary *dictionary, const char *text)
{
    return text[0] == '\0' || cell_is_missing(dictionary, text, strlen(text));
}

/* What a value of the file is in the dictionary's words; NULL: nobody can say. */
static const char *level_of(const struct making *making, const struct variable *variable, const char *value)
{
    static const char *const yes[] = {"1", "10", "oui", "o", "vrai", "v", "yes", "y", "true", "t", "x"},
                             *const no[] = {"0", "00", "non", "n", "faux", "f", "no", "false"};
    const char *fold = folded(making->arena, value, strlen(value));
    if (variable->type == VARIABLE_BOOLEAN) {
        for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
            if (strcmp(fold, yes[i]) == 0)
                return "1";
        for (size_t i = 0; i < sizeof no / sizeof *no; i++)
            if (strcmp(fold, no[i]) == 0)
                return "0";
        return NULL;
    }
    const char *found = NULL;
    for (size_t l = 0; l < variable->n_levels; l++) {
        const char *level = folded(making->arena, variable->levels[l], strlen(variable->levels[l]));
        if (strcmp(level, fold) == 0 && fold[0] != '\0')
            return variable->levels[l];
        if (found == NULL && fold[0] != '\0' && strncmp(fold, level, strlen(level)) == 0 && level[0] != '\0')
            found = variable->levels[l]; /* Femme for F */
    }
    return found;
}

static void put_levels(struct bytes *out, const struct making *making, const struct variable *variable,
                       const struct keymap *values)
{
    struct bytes unknown = {0};
    size_t n = 0;
    for (size_t i = 0; i < keymap_count(values); i++) {
        const char *value = keymap_text(values, (int32_t)i);
        if (is_known_missing(making->dictionary, value))
            continue;
        bool is_same =
            variable->type == VARIABLE_BOOLEAN && (strcmp(value, "0") == 0 || strcmp(value, "1") == 0);
        for (size_t l = 0; l < variable->n_levels && !is_same; l++)
            is_same = variable->type == VARIABLE_CATEGORY && strcmp(variable->levels[l], value) == 0;
        if (is_same)
            continue;
        const char *level = level_of(making, variable, value);
        if (level == NULL) {
            char shown[TEXT_SHOWN];
            text_show(shown, value, strlen(value));
            bytes_printf(&unknown, "    # ? %s: \"%s\" is no level\n", variable->name, shown);
            continue;
        }
        bytes_printf(out, n++ == 0 ? ", values: { " : ", ");
        put_text(out, value);
        bytes_printf(out, ": ");
        put_text(out, level);
        if (variable->type == VARIABLE_CATEGORY && strcmp(folded(making->arena, level, strlen(level)),
                                                          folded(making->arena, value, strlen(value))) != 0)
            bytes_printf(&unknown, "    # ? %s: \"%.80s\" begins like the level \"%.80s\"\n", variable->name,
                         value, level);
    }
    if (n > 0)
        bytes_printf(out, " }");
    bytes_printf(out, " }\n");
    bytes_put(out, unknown.data, unknown.length);
    bytes_clear(&unknown);
}

/* The formats that values have, those of a whole date first; what has none stands beside. */
static void put_dates(struct bytes *out, const struct making *making, const char *name,
                      const struct keymap *values)
{
    static const char *const formats[FORMATS] = {"YYYY-MM-DD",
                                                 "DD/MM/YYYY",
                                                 "DD-MM-YYYY",
                                                 "DD.MM.YYYY",
                                                 "YYYYMMDD",
                                                 "YYYY/MM/DD",
                                                 "DD/MM/YYYY 00:00:00",
                                                 "YYYY-MM-DD 00:00:00",
                                                 "YYYY-MM-DDT00:00:00",
                                                 "MM/YYYY",
                                                 "YYYY-MM",
                                                 "YYYY"};
    bool used[FORMATS] = {false}, lacks = false;
    struct bytes unknown = {0};
    size_t n = 0;
    for (size_t i = 0; i < keymap_count(values); i++) {
        const char *value = keymap_text(values, (int32_t)i);
        size_t f = 0;
        int32_t days;
        bool is_part = false;
        if (is_known_missing(making->dictionary, value))
            continue;
        while (f < FORMATS && !mapping_date(&days, &is_part, formats[f], PARTIAL_FIRST, value, strlen(value)))
            f++;
        if (f < FORMATS) {
            used[f] = true;
            lacks = lacks || is_part;
        } else if (n++ < 5) {
            char shown[TEXT_SHOWN];
            text_show(shown, value, strlen(value));
            bytes_printf(&unknown, "    # ? %s: \"%s\" is no date of these formats\n", name, shown);
        }
    }
    size_t n_put = 0;
    for (size_t f = 0; f < FORMATS; f++)
        if (used[f])
            bytes_printf(out, "%s\"%s\"", n_put++ == 0 ? ", dates: [" : ", ", formats[f]);
    if (n_put > 0)
        bytes_printf(out, "]%s", lacks ? ", partial: missing" : "");
    bytes_printf(out, " }\n");
    if (lacks)
        bytes_printf(out,
                     "    # ? %s: dates without a day are missing; or say partial: first, middle or last\n",
                     name);
    bytes_put(out, unknown.data, unknown.length);
    bytes_clear(&unknown);
}

static enum maille_code put_columns(struct bytes *out, const struct making *making, struct keymap **values,
                                    struct maille_error *error)
{
    const struct dictionary *dictionary = making->dictionary;
    bytes_printf(out, "columns:\n");
    for (size_t i = 0; i <= dictionary->n_variables; i++) {
        const size_t v = i == 0 ? dictionary->n_variables : i - 1; /* the key first */
        const char *name = name_of(making, v);
        if (making->column[v] == SIZE_MAX) {
            bytes_printf(out, "  # ? no column looks like %s: { from: \"\", to: %s }\n", name, name);
            continue;
        }
        bytes_printf(out, "  - { from: ");
        put_text(out, making->names[making->column[v]]);
        bytes_printf(out, ", to: %s", name);
        const struct variable *variable = v < dictionary->n_variables ? &dictionary->variables[v] : NULL;
        if (variable != NULL && variable->n_levels > 0)
            put_levels(out, making, variable, values[v]);
        else if (variable != NULL && variable->type == VARIABLE_DATE)
            put_dates(out, making, name, values[v]);
        else
            bytes_printf(out, " }%s%s\n", variable != NULL && variable->units[0] != '\0' ? " # in " : "",
                         variable != NULL ? variable->units : "");
    }
    return bytes_check(out, error);
}

enum maille_code mapping_make(struct bytes *out, const struct dictionary *dictionary, const char *path,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct csv *csv = NULL;
    struct csv_record record = {.n = 1};
    struct making making = {.dictionary = dictionary, .arena = arena_new()};
    struct keymap **values = NULL;
    if (making.arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to read %s, found none", path);
        goto out;
    }
    making.column = arena_array(making.arena, dictionary->n_variables + 1, sizeof *making.column);
    making.wanted = arena_array(making.arena, dictionary->n_variables + 1, sizeof *making.wanted);
    making.label = arena_array(making.arena, dictionary->n_variables + 1, sizeof *making.label);
    for (size_t v = 0; v <= dictionary->n_variables; v++) {
        const char *name = name_of(&making, v);
        const char *label = v < dictionary->n_variables ? dictionary->variables[v].label : name;
        making.wanted[v] = folded(making.arena, name, strlen(name));
        making.label[v] = folded(making.arena, label, strlen(label));
    }
    values = arena_array(making.arena, dictionary->n_variables + 1, sizeof *values);
    MAILLE_TRY(csv_open(&csv, path, NULL, error));
    MAILLE_TRY(find_header(&making, csv, error));
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if ((values[v] = keymap_new()) == NULL) {
            code =
                maille_fail(error, MAILLE_MEMORY, "expected memory for the values of %s, found none", path);
            goto out;
        }
    while (record.n > 0) {
        MAILLE_TRY(csv_next(csv, &record, error));
        for (size_t v = 0; v < dictionary->n_variables; v++) {
            const struct variable *variable = &dictionary->variables[v];
            int32_t number;
            if (making.column[v] >= record.n || keymap_count(values[v]) >= VALUES_MAX ||
                (variable->n_levels == 0 && variable->type != VARIABLE_DATE))
                continue;
            size_t length = record.fields[making.column[v]].length;
            const char *text = text_trim(record.fields[making.column[v]].text, &length);
            MAILLE_TRY(keymap_number(values[v], &number, text, length, error));
        }
    }
    bytes_printf(out,
                 "# How this site's export says what %s asks for. Made by maille-worker map: read every "
                 "line, mend what has "
                 "a `?`,\n# and try it with: maille-worker check --mapping. Units: { …, times: 0.001 } turns "
                 "g into kg.\n",
                 dictionary->name);
    bytes_printf(out, "mapping: %s@%" PRId64 "\n", dictionary->name, dictionary->version);
    if (making.header_line > 1 && csv_dialect(csv).separator != 0)
        bytes_printf(out, "skip: %zu # lines before the header\n", making.header_line - 1);
    code = put_columns(out, &making, values, error);
out:
    for (size_t v = 0; values != NULL && v < dictionary->n_variables; v++)
        keymap_free(values[v]);
    csv_free(csv);
    arena_free(making.arena);
    return code;
}
