#include "registry/import.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "registry/cell.h"
#include "registry/csv.h"
#include "registry/keymap.h"
#include "registry/table.h"
#include "registry/text.h"

enum { ERRORS_MAX_DEFAULT = 20 };

/* All that is at hand while a file is read. */
struct import {
    const struct dictionary *dictionary;
    const char *path;
    size_t errors_max;
    struct import_report *report;
    struct csv *csv;
    struct cell_reader *readers; /* one per variable */
    size_t *field;               /* per variable: which field of a record; SIZE_MAX when absent */
    size_t key_field, n_fields;
    struct cell *cells;
    struct columns *table;
    struct keymap *keys;
};

/* ---- What is wrong ---- */

static void add_problem(struct import *import, size_t line, const char *column, const char *format, ...)
    MAILLE_PRINTF(4, 5);

static void add_problem(struct import *import, size_t line, const char *column, const char *format, ...)
{
    struct import_report *report = import->report;
    report->n_problems++;
    if (report->n_listed == import->errors_max)
        return;
    /* The list doubles within the arena: it is short, and nobody knows the number beforehand. */
    if ((report->n_listed & (report->n_listed - 1)) == 0) {
        size_t capacity = report->n_listed == 0 ? 1 : 2 * report->n_listed;
        struct import_problem *problems = arena_array(report->arena, capacity, sizeof *problems);
        if (report->n_listed > 0)
            memcpy(problems, report->problems, report->n_listed * sizeof *problems);
        report->problems = problems;
    }
    struct import_problem *problem = &report->problems[report->n_listed++];
    va_list arguments;
    problem->line = line;
    problem->column = column;
    va_start(arguments, format);
    vsnprintf(problem->sentence, sizeof problem->sentence, format, arguments);
    va_end(arguments);
}

const char *import_key(const struct columns *table, int32_t patient)
{
    return table->keys == NULL ? NULL : keymap_text(table->keys, patient);
}

void import_report_clear(struct import_report *report)
{
    arena_free(report->arena);
    *report = (struct import_report){0};
}

/* ---- The header ---- */

/* Names without the spaces around them, in the report's arena. */
static const char **header_names(struct import *import, const struct csv_record *header)
{
    const char **names = arena_array(import->report->arena, header->n, sizeof *names);
    for (size_t f = 0; f < header->n; f++) {
        size_t length = header->fields[f].length;
        const char *text = text_trim(header->fields[f].text, &length);
        names[f] = arena_strndup(import->report->arena, text, length);
    }
    return names;
}

static size_t find_name(const char *const *names, size_t n, const char *name)
{
    for (size_t f = 0; f < n; f++)
        if (strcmp(names[f], name) == 0)
            return f;
    return SIZE_MAX;
}

/* Two columns of one name: which one is meant? Columns without a name (a separator too many) are not asked
 * for. */
static void check_duplicates(struct import *import, const char *const *names, size_t n, size_t line,
                             struct keymap *seen)
{
    for (size_t f = 0; f < n; f++) {
        if (names[f][0] == '\0')
            continue;
        size_t length = strlen(names[f]), before = keymap_count(seen);
        int32_t number;
        if (keymap_number(seen, &number, names[f], length, NULL) == MAILLE_OK && keymap_count(seen) == before)
            add_problem(import, line, names[f],
                        "expected each name once in the header, found it again as column %zu", f + 1);
    }
}

/* A column of the dictionary that the file has not. */
static void add_absent(struct import *import, const char *const *names, size_t n, size_t line,
                       const char *name)
{
    const char *nearest = dictionary_nearest_name(name, names, n);
    if (nearest != NULL)
        add_problem(import, line, name,
                    "expected a column of this name, found none; did the file mean \"%s\"?", nearest);
    else
        add_problem(import, line, name, "expected a column of this name, found none; add it to the file");
}

static enum maille_code read_header(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = import->dictionary;
    struct import_report *report = import->report;
    struct csv_record header;
    struct keymap *seen = NULL;
    MAILLE_TRY(csv_next(import->csv, &header, error));
    if (header.n == 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "%s: expected a header with the names of the columns, found an empty file",
                           import->path);
        goto out;
    }
    seen = keymap_new();
    if (seen == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for the header of %s, found none",
                           import->path);
        goto out;
    }
    const char **names = header_names(import, &header);
    const char *const *read_only = (const char *const *)names;
    check_duplicates(import, read_only, header.n, header.line, seen);
    import->n_fields = header.n;
    import->key_field = find_name(read_only, header.n, dictionary->key);
    if (import->key_field == SIZE_MAX)
        add_absent(import, read_only, header.n, header.line, dictionary->key);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        import->field[v] = find_name(read_only, header.n, dictionary->variables[v].name);
        report->columns[v].absent = import->field[v] == SIZE_MAX;
        if (report->columns[v].absent)
            add_absent(import, read_only, header.n, header.line, dictionary->variables[v].name);
    }
    report->ignored = arena_array(report->arena, header.n, sizeof *report->ignored);
    for (size_t f = 0; f < header.n; f++)
        if (names[f][0] != '\0' && f != import->key_field && dictionary_find(dictionary, names[f]) < 0)
            report->ignored[report->n_ignored++] = names[f];
out:
    keymap_free(seen);
    return code;
}

/* ---- The records ---- */

/* All cells of one record; true when every one of them is good. */
static bool read_cells(struct import *import, const struct csv_record *record)
{
    bool all_good = true;
    char sentence[CELL_SENTENCE_MAX];
    for (size_t v = 0; v < import->dictionary->n_variables; v++) {
        struct import_column *column = &import->report->columns[v];
        if (column->absent)
            continue;
        const struct csv_field *field = &record->fields[import->field[v]];
        size_t length = field->length;
        const char *text = text_trim(field->text, &length);
        if (cell_read(&import->cells[v], &import->readers[v], text, length, sentence)) {
            column->missing += import->cells[v].missing;
            column->present += !import->cells[v].missing;
        } else {
            all_good = false;
            column->problems++;
            add_problem(import, record->line, column->name, "%s", sentence);
        }
    }
    return all_good;
}

/* Dates that go back, against the dictionary's orders; true when none does. */
static bool dates_in_order(struct import *import, size_t line)
{
    const struct dictionary *dictionary = import->dictionary;
    bool all_good = true;
    for (size_t k = 0; k < dictionary->n_orders; k++) {
        const struct date_order *order = &dictionary->orders[k];
        size_t last = SIZE_MAX; /* the one before that is there */
        for (size_t i = 0; i < order->n; i++) {
            const uint32_t v = order->variables[i];
            if (import->report->columns[v].absent || import->cells[v].missing)
                continue;
            if (last != SIZE_MAX && import->cells[v].integer < import->cells[last].integer) {
                char before[16], after[16];
                number_format_date(before, (int32_t)import->cells[last].integer);
                number_format_date(after, (int32_t)import->cells[v].integer);
                all_good = false;
                import->report->columns[v].problems++;
                add_problem(import, line, import->report->columns[v].name,
                            "expected a date that is not before %s (%s), found %s",
                            import->report->columns[last].name, before, after);
            }
            last = v;
        }
    }
    return all_good;
}

static enum maille_code read_record(struct import *import, const struct csv_record *record,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool all_good, has_key;
    int32_t patient = 0;
    import->report->rows++;
    if (record->n != import->n_fields) {
        add_problem(import, record->line, "", "expected %zu fields, as in the header, found %zu",
                    import->n_fields, record->n);
        goto out;
    }
    all_good = read_cells(import, record) && dates_in_order(import, record->line);
    const struct csv_field *field = &record->fields[import->key_field];
    size_t length = field->length;
    const char *text = text_trim(field->text, &length);
    has_key = length > 0 && !cell_is_missing(import->dictionary, text, length);
    char hidden[DISPLAY_NAME];
    if (!has_key) {
        add_problem(import, record->line, import->dictionary->key, "expected the patient's key, found none");
    } else if (text_hidden_in_name(hidden, text, length)) {
        add_problem(import, record->line, import->dictionary->key,
                    "expected a key that can be seen and written on one line, found %s in it", hidden);
    } else {
        MAILLE_TRY(keymap_number(import->keys, &patient, text, length, error));
    }
    if (all_good && has_key && import->report->n_problems == 0)
        code = table_append(import->table, import->cells, patient, import->report->rows, error);
out:
    return code;
}

static enum maille_code fail_problems(const struct import *import, struct maille_error *error)
{
    const struct import_report *report = import->report;
    const struct import_problem *first = &report->problems[0];
    return maille_fail(error, MAILLE_INVALID,
                       "%s: expected every cell to fit dictionary %s version %lld, found %zu "
                       "problem%s; the first, line %zu%s%s: %s",
                       import->path, import->dictionary->name, (long long)import->dictionary->version,
                       report->n_problems, report->n_problems == 1 ? "" : "s", first->line,
                       first->column[0] != '\0' ? ", column " : "", first->column, first->sentence);
}

static void start_report(struct import *import)
{
    const struct dictionary *dictionary = import->dictionary;
    struct import_report *report = import->report;
    report->n_columns = dictionary->n_variables;
    report->columns = arena_array(report->arena, report->n_columns, sizeof *report->columns);
    for (size_t v = 0; v < report->n_columns; v++)
        report->columns[v].name = arena_strdup(report->arena, dictionary->variables[v].name);
}

static enum maille_code read_file(struct import *import, const struct import_options *options,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = import->dictionary;
    struct csv_dialect wanted = {.separator = options->separator, .decimal = options->decimal};
    struct csv_record record;
    MAILLE_TRY(csv_open(&import->csv, import->path, &wanted, error));
    MAILLE_TRY(read_header(import, error));
    if (import->key_field == SIZE_MAX) /* without it no record can be said to be good */
        goto out;
    MAILLE_TRY(table_new(&import->table, dictionary, 0, error));
    import->keys = keymap_new();
    if (import->keys == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected memory for the keys of %s, found none", import->path);
        goto out;
    }
    char decimal = csv_dialect(import->csv).decimal;
    for (size_t v = 0; v < dictionary->n_variables; v++)
        MAILLE_TRY(
            cell_reader_init(&import->readers[v], dictionary, &dictionary->variables[v], decimal, error));
    for (;;) {
        MAILLE_TRY(csv_next(import->csv, &record, error));
        if (record.n == 0)
            break;
        MAILLE_TRY(read_record(import, &record, error));
    }
    import->report->patients = keymap_count(import->keys);
out:
    return code;
}

/* Row ids so far are the records' numbers: a patient is numbered by his first. */
static void number_patients(struct columns *table)
{
    uint64_t patient = 0;
    for (size_t r = 0; r < table->rows; r++) {
        if (r == 0 || table->patient[r] != table->patient[r - 1])
            patient = table->row_id[r];
        table->row_id[r] |= patient << 32;
    }
}

enum maille_code import_csv(struct columns **table, struct import_report *report,
                            const struct dictionary *dictionary, const char *path,
                            const struct import_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const struct import_options defaults;
    struct import import = {.dictionary = dictionary, .path = path, .report = report};
    struct arena *scratch = arena_new();
    *table = NULL;
    *report = (struct import_report){.arena = arena_new()};
    if (scratch == NULL || report->arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to import %s, found none", path);
        goto out;
    }
    if (options == NULL)
        options = &defaults;
    import.errors_max = options->errors_max == 0 ? ERRORS_MAX_DEFAULT : options->errors_max;
    import.readers = arena_array(scratch, dictionary->n_variables, sizeof *import.readers);
    import.field = arena_array(scratch, dictionary->n_variables, sizeof *import.field);
    import.cells = arena_array(scratch, dictionary->n_variables, sizeof *import.cells);
    start_report(&import);
    MAILLE_TRY(read_file(&import, options, error));
    if (report->n_problems > 0) {
        code = fail_problems(&import, error);
        goto out;
    }
    MAILLE_TRY(table_group(import.table, report->patients, error));
    number_patients(import.table);
    import.table->keys = import.keys;
    import.keys = NULL;
    *table = import.table;
    import.table = NULL;
out:
    for (size_t v = 0; import.readers != NULL && v < dictionary->n_variables; v++)
        cell_reader_clear(&import.readers[v]);
    csv_free(import.csv);
    keymap_free(import.keys);
    columns_free(import.table);
    arena_free(scratch);
    return code;
}
