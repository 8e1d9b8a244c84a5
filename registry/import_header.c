/* Which separator, which header, which decimal mark: only the dictionary's columns vote. */
#include <string.h>

#include "registry/import_private.h"
#include "registry/text.h"

enum {
    LINES_BEFORE_HEADER = 20, /* titles that are looked past */
    DECIMALS_ENOUGH = 10000   /* numbers with a fraction that settle the decimal mark */
};

/* The key is the last of those that are wanted. */
static bool is_wanted(const struct import *import, const char *name, size_t length)
{
    return text_is_among(import->wanted, import->dictionary->n_variables + 1, name, length);
}

static size_t count_wanted(const struct import *import, const struct csv_record *record)
{
    size_t n = 0;
    for (size_t f = 0; f < record->n; f++) {
        size_t length = record->fields[f].length;
        const char *text = text_trim(record->fields[f].text, &length);
        n += is_wanted(import, text, length);
    }
    return n;
}

/* The separator by which the first lines have most names of the dictionary; where none has any, the one that
 * csv_open found. */
static enum maille_code choose_separator(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct csv_dialect dialect = csv_dialect(import->csv);
    const char tried[] = {dialect.separator, ';', ',', '\t', '|'};
    size_t most = 0;
    char best = dialect.separator;
    if (import->separator != 0)
        return MAILLE_OK;
    for (size_t i = 0; i < sizeof tried; i++) {
        struct csv_record record = {.n = 1};
        MAILLE_TRY(csv_restart(import->csv, tried[i], dialect.decimal, error));
        for (size_t l = 0; l < LINES_BEFORE_HEADER && record.n > 0; l++) {
            if (csv_next(import->csv, &record, NULL) != MAILLE_OK) {
                if (!csv_skip(import->csv))
                    break;
                continue;
            }
            size_t n = count_wanted(import, &record);
            if (n > most) {
                most = n;
                best = tried[i];
            }
        }
    }
    code = csv_restart(import->csv, best, dialect.decimal, error);
out:
    return code;
}

/* Names without the spaces around them, in the report's arena. */
static const char *const *header_names(struct import *import, const struct csv_record *header)
{
    const char **names = arena_array(import->report->arena, header->n, sizeof *names);
    for (size_t f = 0; f < header->n; f++) {
        size_t length = header->fields[f].length;
        const char *text = text_trim(header->fields[f].text, &length);
        names[f] = arena_strndup(import->report->arena, text, length);
    }
    return (const char *const *)names;
}

static size_t find_name(const char *const *names, size_t n, const char *name)
{
    for (size_t f = 0; f < n; f++)
        if (strcmp(names[f], name) == 0)
            return f;
    return SIZE_MAX;
}

/* Two columns of one name: which one is meant? Columns without a name (a separator too many) are not asked
 * for, and of one that nobody reads it does not matter. */
static void check_duplicates(struct import *import)
{
    const char *const *names = import->names;
    for (size_t f = 1; f < import->n_fields; f++) {
        if (names[f][0] == '\0' || find_name(names, f, names[f]) == SIZE_MAX)
            continue;
        const bool is_read = is_wanted(import, names[f], strlen(names[f]));
        problems_add(import->problems, is_read ? PROBLEM_ERROR : PROBLEM_NOTE, import->header_line, 1,
                     names[f], f + 1, "expected each name once in the header, found it again as column %zu%s",
                     f + 1, is_read ? "" : "; the dictionary has no such column");
    }
}

/* The name in the file that may be meant: by a slip or two, or but for accents, case and what is beside
 * letters: "Poids (kg)" for poids. */
static const char *nearest(const struct import *import, const char *name)
{
    const char *found = dictionary_nearest_name(name, import->names, import->n_fields);
    char wanted[DICTIONARY_NAME_MAX + 1];
    text_fold(wanted, name, strlen(name));
    const size_t length = strlen(wanted);
    for (size_t f = 0; f < import->n_fields && found == NULL; f++) {
        char *folded = arena_alloc(import->report->arena, strlen(import->names[f]) + 1);
        text_fold(folded, import->names[f], strlen(import->names[f]));
        if (length > 2 && strncmp(folded, wanted, length) == 0)
            found = import->names[f];
    }
    return found;
}

/* A column of the dictionary that the file has not. */
static void add_absent(struct import *import, const char *name, const char *wanted)
{
    const char *found = nearest(import, wanted);
    char shown[TEXT_SHOWN];
    if (strcmp(name, wanted) != 0) {
        text_show(shown, wanted, strlen(wanted));
        problems_add(import->problems, PROBLEM_ERROR, import->header_line, 1, name, 0,
                     "expected a column \"%s\" (the mapping), found none", shown);
    } else if (found != NULL) {
        text_show(shown, found, strlen(found));
        problems_add(import->problems, PROBLEM_ERROR, import->header_line, 1, name, 0,
                     "expected a column of this name, found none; did the file mean \"%s\"?", shown);
    } else {
        problems_add(import->problems, PROBLEM_ERROR, import->header_line, 1, name, 0,
                     "expected a column of this name, found none; add it to the file");
    }
}

/* The header: the first line, or, where that has no name of the dictionary, the one of the next lines that
 * has most. */
static enum maille_code find_header(struct csv_record *header, struct import *import,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct csv_dialect dialect = csv_dialect(import->csv);
    size_t best = 0, most = 0;
    struct csv_record record;
    do
        MAILLE_TRY(csv_next(import->csv, header, error));
    while (header->n > 0 && header->line <= import->skip);
    if (import->skip > 0 || header->n == 0 || count_wanted(import, header) > 0)
        goto out;
    const size_t first = header->line;
    for (size_t l = 1; l < LINES_BEFORE_HEADER; l++) {
        if (csv_next(import->csv, &record, NULL) != MAILLE_OK || record.n == 0)
            break;
        size_t n = count_wanted(import, &record);
        if (n > most) {
            most = n;
            best = record.line;
        }
    }
    MAILLE_TRY(csv_restart(import->csv, dialect.separator, dialect.decimal, error));
    do
        MAILLE_TRY(csv_next(import->csv, header, error));
    while (most > 1 && header->line < best);
    if (most > 1)
        problems_add(
            import->problems, PROBLEM_ERROR, first, 1, "", 0,
            "expected a header with the names of the dictionary, found it as line %zu; remove what stands "
            "before it, or let a mapping say skip: %zu",
            best, best - 1);
out:
    return code;
}

static enum maille_code read_header(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = import->dictionary;
    struct import_report *report = import->report;
    struct csv_record header;
    MAILLE_TRY(find_header(&header, import, error));
    if (header.n == 0) {
        problems_add(import->problems, PROBLEM_ERROR, 1, 1, "", 0,
                     "expected a header with the names of the columns, found an empty file");
        goto out;
    }
    import->names = header_names(import, &header);
    import->n_fields = header.n;
    import->header_line = header.line;
    check_duplicates(import);
    import->key_field = find_name(import->names, header.n, import->wanted[dictionary->n_variables]);
    if (import->key_field == SIZE_MAX)
        add_absent(import, dictionary->key, import->wanted[dictionary->n_variables]);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        struct import_column *column = &report->columns[v];
        import->field[v] = find_name(import->names, header.n, import->wanted[v]);
        if (derive_has(import->options->derive, v)) {
            import->field[v] = SIZE_MAX;
            continue;
        }
        column->absent = import->field[v] == SIZE_MAX;
        column->field = column->absent ? 0 : import->field[v] + 1;
        if (column->absent)
            add_absent(import, dictionary->variables[v].name, import->wanted[v]);
    }
    report->ignored = arena_array(report->arena, header.n, sizeof *report->ignored);
    for (size_t f = 0; f < header.n; f++)
        if (import->names[f][0] != '\0' && !is_wanted(import, import->names[f], strlen(import->names[f])))
            report->ignored[report->n_ignored++] = import->names[f];
out:
    return code;
}

static bool is_numeric(const struct variable *variable)
{
    return variable->type == VARIABLE_INTEGER || variable->type == VARIABLE_REAL ||
           variable->type == VARIABLE_DURATION;
}

/* ',' where 12,5 occurs more often than 12.5 in the columns of numbers. In a file that separates fields by
 * commas it is '.'. */
static char choose_decimal(struct import *import)
{
    size_t commas = 0, points = 0;
    struct csv_record record = {.n = 1};
    if (csv_dialect(import->csv).separator == ',')
        return '.';
    while (commas + points < DECIMALS_ENOUGH && record.n > 0) {
        if (csv_next(import->csv, &record, NULL) != MAILLE_OK) {
            if (!csv_skip(import->csv))
                break;
            continue;
        }
        for (size_t v = 0; v < import->dictionary->n_variables; v++)
            if (is_numeric(&import->dictionary->variables[v]) && import->field[v] < record.n) {
                char mark = csv_decimal_of(&record.fields[import->field[v]]);
                commas += mark == ',';
                points += mark == '.';
            }
    }
    return commas > points ? ',' : '.';
}

enum maille_code import_header(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct csv_record header;
    import->key_field = SIZE_MAX;
    MAILLE_TRY(choose_separator(import, error));
    MAILLE_TRY(read_header(import, error));
    const char separator = csv_dialect(import->csv).separator;
    char decimal = import->decimal;
    if (import->key_field != SIZE_MAX && decimal == 0)
        decimal = choose_decimal(import);
    csv_watch(import->csv, import->options->saw, import->options->context);
    MAILLE_TRY(csv_restart(import->csv, separator, decimal != 0 ? decimal : '.', error));
    do
        MAILLE_TRY(csv_next(import->csv, &header, error));
    while (header.n > 0 && header.line < import->header_line);
    import->report->dialect = csv_dialect(import->csv);
out:
    return code;
}
