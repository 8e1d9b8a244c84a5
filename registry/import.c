#include "registry/import.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "registry/import_private.h"
#include "registry/route.h"

enum { GROUPS_MAX_DEFAULT = 10000 };

const char *import_key(const struct columns *table, int32_t patient)
{
    return table->keys == NULL ? NULL : keymap_text(table->keys, patient);
}

void import_report_clear(struct import_report *report)
{
    arena_free(report->arena);
    *report = (struct import_report){0};
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

/* What the columns are called in the file, and what was said of it; options go before the mapping. */
static void take_mapping(struct import *import)
{
    const struct mapping *mapping = import->options->mapping;
    const struct dictionary *dictionary = import->dictionary;
    for (size_t v = 0; v <= dictionary->n_variables; v++) {
        const char *name = v < dictionary->n_variables ? dictionary->variables[v].name : dictionary->key;
        import->mapped[v] = mapping_find(mapping, name);
        import->wanted[v] = import->mapped[v] != NULL ? import->mapped[v]->from : name;
    }
    import->separator = import->options->separator;
    import->decimal = import->options->decimal;
    if (mapping == NULL)
        return;
    import->skip = (size_t)mapping->skip;
    if (import->separator == 0)
        import->separator = mapping->separator;
    if (import->decimal == 0)
        import->decimal = mapping->decimal;
}

static enum maille_code read_file(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = import->dictionary;
    struct import_report *report = import->report;
    const struct route *route = route_find(import->path);
    char memory[40];
    if (route != NULL) {
        MAILLE_TRY(route_open(&import->rows, route, import->path, import->options->query, error));
        snprintf(memory, sizeof memory, "/proc/self/fd/%d", import->rows);
        import->separator = ',';
        import->decimal = '.';
    }
    /* A mark that nobody said is found by import_header, which asks the dictionary's columns alone. */
    const struct csv_dialect wanted = {.separator = import->separator,
                                       .decimal = (char)(import->decimal != 0 ? import->decimal : '.')};
    MAILLE_TRY(csv_open(&import->csv, route != NULL ? memory : import->path, &wanted, error));
    report->dialect = csv_dialect(import->csv);
    code = import_header(import, error);
    if (code == MAILLE_INVALID && csv_fault(import->csv)->line > 0) {
        problems_add(import->problems, PROBLEM_ERROR, csv_fault(import->csv)->line, 1, "", 0, "%s",
                     csv_fault(import->csv)->sentence);
        code = MAILLE_OK;
        goto out;
    }
    if (code != MAILLE_OK || import->key_field == SIZE_MAX) /* without it no record can be said to be good */
        goto out;
    MAILLE_TRY(table_new(&import->table, dictionary, 0, error));
    import->keys = keymap_new();
    if (import->keys == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected memory for the keys of %s, found none", import->path);
        goto out;
    }
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        MAILLE_TRY(cell_reader_init(&import->readers[v], dictionary, &dictionary->variables[v],
                                    report->dialect.decimal, error));
        import->readers[v].times = import->mapped[v] != NULL ? import->mapped[v]->times : 0;
    }
    MAILLE_TRY(import_records(import, error));
    report->patients = keymap_count(import->keys);
out:
    return code;
}

static void list_problems(struct import *import)
{
    struct import_report *report = import->report;
    report->problems = problems_list(&report->n_listed, import->problems);
    report->n_problems = problems_count(import->problems, PROBLEM_ERROR);
    report->n_questions = problems_count(import->problems, PROBLEM_QUESTION);
    report->n_unlisted = problems_unlisted(import->problems);
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

/* Rows of a patient together, and what they owe each other. Patients without a good row are left out of the
 * index. */
static enum maille_code group(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *table = import->table;
    MAILLE_TRY(table_group(table, keymap_count(import->keys), error));
    MAILLE_TRY(import_check_rows(import, error));
    number_patients(table);
    MAILLE_TRY(summary_make(&import->report->summary, import->report->arena, table, error));
    for (size_t v = 0; v < import->dictionary->n_variables; v++) /* the table may go before the report */
        import->report->summary.variables[v].variable = &import->dictionary->variables[v];
out:
    return code;
}

enum maille_code import_csv(struct columns **table, struct import_report *report,
                            const struct dictionary *dictionary, const char *path,
                            const struct import_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const struct import_options defaults;
    struct import import = {
        .dictionary = dictionary, .path = path, .report = report, .options = options, .rows = -1};
    struct arena *scratch = arena_new();
    *table = NULL;
    *report = (struct import_report){.arena = arena_new()};
    if (options == NULL)
        import.options = &defaults;
    if (report->arena != NULL)
        import.problems = problems_new(
            report->arena, import.options->errors_max == 0 ? GROUPS_MAX_DEFAULT : import.options->errors_max);
    if (scratch == NULL || import.problems == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to import %s, found none", path);
        goto out;
    }
    import.readers = arena_array(scratch, dictionary->n_variables, sizeof *import.readers);
    import.wanted = arena_array(scratch, dictionary->n_variables + 1, sizeof *import.wanted);
    import.mapped = arena_array(scratch, dictionary->n_variables + 1, sizeof *import.mapped);
    take_mapping(&import);
    import.field = arena_array(scratch, dictionary->n_variables, sizeof *import.field);
    import.cells = arena_array(scratch, dictionary->n_variables, sizeof *import.cells);
    import.thousands = arena_array(scratch, dictionary->n_variables, sizeof *import.thousands);
    if (dictionary->key_pattern != NULL) {
        char whole[DICTIONARY_PATTERN_MAX + 8];
        snprintf(whole, sizeof whole, "^%s$", dictionary->key_pattern);
        import.has_pattern = regcomp(&import.pattern, whole, REG_EXTENDED) == 0;
    }
    start_report(&import);
    MAILLE_TRY(read_file(&import, error));
    if (import.table != NULL)
        MAILLE_TRY(group(&import, error));
    list_problems(&import);
    if (report->n_problems > 0) {
        code = fail_problems(&import, error);
        goto out;
    }
    assert(import.table != NULL); /* without one there is a problem */
    import.table->keys = import.keys;
    import.keys = NULL;
    *table = import.table;
    import.table = NULL;
out:
    for (size_t v = 0; import.readers != NULL && v < dictionary->n_variables; v++)
        cell_reader_clear(&import.readers[v]);
    if (import.has_pattern)
        regfree(&import.pattern);
    problems_free(import.problems);
    free(import.lines);
    csv_free(import.csv);
    if (import.rows >= 0)
        close(import.rows);
    keymap_free(import.keys);
    columns_free(import.table);
    arena_free(scratch);
    return code;
}
