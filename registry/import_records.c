/* The records of a file, cell by cell, and what is said once all are read. */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "registry/import_private.h"
#include "registry/pseudonym.h"
#include "registry/text.h"

enum { FAULTS_MAX = 50 };

/* A number with a mark and three digits behind it. */
static void watch_thousands(struct thousands *seen, char decimal, size_t line, const struct csv_field *field)
{
    if (csv_decimal_of(field) != decimal)
        return;
    const char *digits = field->text + strspn(field->text, "+-");
    const char *mark = strchr(digits, decimal);
    const bool is_of_three = strlen(mark + 1) == 3 && mark - digits <= 3 && digits[0] != '0';
    seen->with_mark++;
    if (is_of_three && seen->of_three++ == 0) {
        seen->line = line;
        snprintf(seen->first, sizeof seen->first, "%s", field->text);
    }
}

/* Where all are so and the dictionary has no thousandths, nobody can say what was meant. */
static void check_thousands(struct import *import)
{
    for (size_t v = 0; v < import->dictionary->n_variables; v++) {
        const struct variable *variable = &import->dictionary->variables[v];
        const struct thousands *seen = &import->thousands[v];
        struct import_column *column = &import->report->columns[v];
        double small, large;
        char plain[sizeof seen->first], one[32], other[32];
        size_t n = 0;
        if (import->decimal != 0 || variable->n_levels > 0 || variable->type == VARIABLE_DATE ||
            variable->resolution < 0.0099 || seen->of_three == 0 || seen->of_three < seen->with_mark)
            continue;
        for (const char *c = seen->first; *c != '\0'; c++)
            if (*c != import->readers[v].decimal)
                plain[n++] = *c;
        if (!number_parse_double(seen->first, strlen(seen->first), import->readers[v].decimal, &small) ||
            !number_parse_double(plain, n, '.', &large))
            continue;
        number_format_double(one, small);
        number_format_double(other, large);
        column->problems += seen->of_three;
        problems_add(
            import->problems, PROBLEM_ERROR, seen->line, seen->of_three, column->name, column->field,
            "expected numbers that can be read in one way, found \"%s\", which may be %s or %s; write it "
            "without the mark, or give --decimal",
            seen->first, one, other);
    }
}

/* All cells of one record; true when every one of them is good. */
static bool read_cells(struct import *import, const struct csv_record *record)
{
    bool all_good = true;
    char sentence[CELL_SENTENCE_MAX];
    for (size_t v = 0; v < import->dictionary->n_variables; v++) {
        struct import_column *column = &import->report->columns[v];
        if (column->absent || import->field[v] == SIZE_MAX) /* the latter: derived */
            continue;
        const struct csv_field *field = &record->fields[import->field[v]];
        size_t length = field->length;
        watch_thousands(&import->thousands[v], import->readers[v].decimal, record->line, field);
        const char *text = text_trim(field->text, &length);
        char room[MAPPING_TEXT_MAX];
        if (import->mapped[v] != NULL)
            text = mapping_cell(import->mapped[v], text, &length, room);
        if (text == NULL) {
            import->cells[v] = (struct cell){.missing = true};
            column->missing++;
            continue;
        }
        if (cell_read(&import->cells[v], &import->readers[v], text, length, sentence)) {
            column->missing += import->cells[v].missing;
            column->present += !import->cells[v].missing;
        } else {
            all_good = false;
            column->problems++;
            problems_add(import->problems, PROBLEM_ERROR, record->line, 1, column->name, column->field, "%s",
                         sentence);
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
                problems_add(import->problems, PROBLEM_ERROR, line, 1, import->report->columns[v].name,
                             import->report->columns[v].field,
                             "expected a date that is not before %s (%s), found %s",
                             import->report->columns[last].name, before, after);
            }
            last = v;
        }
    }
    return all_good;
}

/* Levels that no patient has, by the dictionary; true when none is there. */
static bool is_possible(struct import *import, size_t line)
{
    const struct dictionary *dictionary = import->dictionary;
    bool all_good = true;
    for (size_t k = 0; k < dictionary->n_impossible; k++) {
        const struct impossible *impossible = &dictionary->impossible[k];
        bool all = true;
        for (size_t i = 0; i < impossible->n && all; i++) {
            const uint32_t v = impossible->parts[i].variable;
            all = !import->report->columns[v].absent && !import->cells[v].missing &&
                  impossible->parts[i].levels[import->cells[v].integer];
        }
        if (!all)
            continue;
        const uint32_t last = impossible->parts[impossible->n - 1].variable;
        struct import_column *column = &import->report->columns[last];
        all_good = false;
        column->problems++;
        problems_add(import->problems, PROBLEM_ERROR, line, 1, column->name, column->field,
                     "expected a patient that the dictionary's `impossible` (number %zu) does not rule out, "
                     "found %s of `%s`",
                     k + 1, dictionary->variables[last].levels[import->cells[last].integer], column->name);
    }
    return all_good;
}

/* Whether a record repeats the header: two files in one. */
static bool is_header(const struct import *import, const struct csv_record *record)
{
    for (size_t f = 0; f < record->n; f++)
        if (strcmp(record->fields[f].text, import->names[f]) != 0)
            return false;
    return true;
}

/* The patient's number; −1 where the key is none. */
static enum maille_code read_key(int32_t *patient, struct import *import, const struct csv_record *record,
                                 struct maille_error *error)
{
    const struct csv_field *field = &record->fields[import->key_field];
    char sentence[PSEUDONYM_SENTENCE_MAX];
    size_t length = field->length;
    const char *text = text_trim(field->text, &length);
    *patient = -1;
    if (length == 0 || cell_is_missing(import->dictionary, text, length)) {
        snprintf(sentence, sizeof sentence, "expected the patient's key, found none");
    } else if (!pseudonym_refused(sentence, text, length)) {
        regmatch_t match = {0, (regoff_t)length};
        if (!import->has_pattern || regexec(&import->pattern, text, 1, &match, REG_STARTEND) == 0)
            return keymap_number(import->keys, patient, text, length, error);
        char shown[TEXT_SHOWN];
        text_show(shown, text, length);
        snprintf(sentence, sizeof sentence, "expected a pseudonym as %s, found \"%s\"",
                 import->dictionary->key_pattern, shown);
    }
    problems_add(import->problems, PROBLEM_ERROR, record->line, 1, import->dictionary->key,
                 import->key_field + 1, "%s", sentence);
    return MAILLE_OK;
}

/* What comes out of further tables for one row; true when it fits. */
static bool derive_variables(struct import *import, const struct csv_record *record, size_t row)
{
    struct derive *derive = import->options->derive;
    size_t length = record->fields[import->key_field].length, bad = 0;
    const char *key = text_trim(record->fields[import->key_field].text, &length);
    char sentence[CELL_SENTENCE_MAX];
    if (!derive_cells(import->cells, &bad, sentence, derive, key, length, row)) {
        import->report->columns[bad].problems++;
        problems_add(import->problems, PROBLEM_ERROR, record->line, 1, import->report->columns[bad].name, 0,
                     "%s", sentence);
        return false;
    }
    for (size_t v = 0; v < import->dictionary->n_variables; v++)
        if (derive_has(derive, v)) {
            import->report->columns[v].missing += import->cells[v].missing;
            import->report->columns[v].present += !import->cells[v].missing;
        }
    return true;
}

/* Patients of further tables whom the patients' own does not have. */
static void note_strangers(struct import *import)
{
    const char *name;
    size_t patients, table = 0;
    while (import->options->derive != NULL &&
           derive_strangers(&name, &patients, &table, import->options->derive))
        problems_add(import->problems, PROBLEM_NOTE, 0, 1, "", 0,
                     "expected the patients of table %.60s among those of this file, found %zu others; their "
                     "rows are left out",
                     name, patients);
    if (import->options->derive != NULL && derive_makes_rows(import->options->derive, &patients) &&
        patients > 0)
        problems_add(import->problems, PROBLEM_NOTE, 0, 1, "", 0,
                     "expected a follow-up of each patient that ends after it begins, found %zu without; "
                     "each has one row without start and stop",
                     patients);
}

static enum maille_code keep_line(struct import *import, size_t line, struct maille_error *error)
{
    const size_t n = import->table->rows;
    if (n == import->lines_room) {
        size_t *grown = realloc(import->lines, 2 * (n + 512) * sizeof *grown);
        if (grown == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu lines, found none", n);
        import->lines = grown;
        import->lines_room = 2 * (n + 512);
    }
    import->lines[n] = line;
    return MAILLE_OK;
}

/* The row of a record into the table, or the rows into which a follow-up is cut. */
static enum maille_code keep_rows(struct import *import, const struct csv_record *record, int32_t patient,
                                  bool is_known, bool is_good, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct derive *derive = patient >= 0 ? import->options->derive : NULL;
    size_t rows = 1, unfollowed;
    if (derive != NULL && derive_makes_rows(derive, &unfollowed)) {
        if (is_known) {
            problems_add(import->problems, PROBLEM_ERROR, record->line, 1, import->dictionary->key,
                         import->key_field + 1,
                         "expected one record of each patient, which rows are made of, found another");
            goto out;
        }
        if (!is_good) /* his dates may be the ones that cannot be read */
            goto out;
        size_t length = record->fields[import->key_field].length;
        const char *key = text_trim(record->fields[import->key_field].text, &length);
        MAILLE_TRY(derive_patient(&rows, derive, import->cells, key, length, error));
    }
    for (size_t row = 0; row < rows; row++) {
        if (derive != NULL)
            is_good = derive_variables(import, record, row) && is_good;
        if (is_good) /* the order of dates is of good ones, derived ones too */
            is_good = dates_in_order(import, record->line) && is_possible(import, record->line);
        if (!is_good)
            goto out;
        if (patient >= 0) {
            MAILLE_TRY(keep_line(import, record->line, error));
            MAILLE_TRY(table_append(import->table, import->cells, patient, import->table->rows + 1, error));
        }
    }
out:
    return code;
}

static enum maille_code read_record(struct import *import, const struct csv_record *record,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int32_t patient = 0;
    import->report->rows++;
    if (record->n != import->n_fields) {
        problems_add(import->problems, PROBLEM_ERROR, record->line, 1, "", 0,
                     "expected %zu fields, as in the header, found %zu", import->n_fields, record->n);
        goto out;
    }
    if (is_header(import, record)) {
        problems_add(import->problems, PROBLEM_ERROR, record->line, 1, "", 0,
                     "expected a patient, found the header again; are these two files in one?");
        goto out;
    }
    bool is_good = read_cells(import, record);
    const size_t known = keymap_count(import->keys);
    MAILLE_TRY(read_key(&patient, import, record, error));
    MAILLE_TRY(keep_rows(import, record, patient, (size_t)patient < known, is_good, error));
out:
    return code;
}

/* All records; what the CSV itself has wrong is a problem like others, and reading goes on with the next line
 * where it can. */
static enum maille_code read_records(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct csv_record record = {.n = 1};
    for (size_t faults = 0; record.n > 0;) {
        code = csv_next(import->csv, &record, error);
        if (code == MAILLE_INVALID && csv_fault(import->csv)->line > 0) {
            problems_add(import->problems, PROBLEM_ERROR, csv_fault(import->csv)->line, 1, "", 0, "%s",
                         csv_fault(import->csv)->sentence);
            code = MAILLE_OK;
            import->report->rows++;
            if (++faults == FAULTS_MAX) {
                problems_add(
                    import->problems, PROBLEM_ERROR, csv_fault(import->csv)->line, 1, "", 0,
                    "expected a CSV file, found %d records that cannot be read; the rest was not looked at",
                    FAULTS_MAX);
                break;
            }
            if (!csv_skip(import->csv))
                break;
            record.n = 1;
            continue;
        }
        if (code != MAILLE_OK)
            goto out;
        if (record.n > 0)
            MAILLE_TRY(read_record(import, &record, error));
    }
out:
    return code;
}

/* What the text was taken for. */
static void note_oddities(struct import *import)
{
    struct problems *to = import->problems;
    struct csv_oddities odd;
    csv_oddities(&odd, import->csv);
    if (odd.marks > 0)
        problems_add(to, PROBLEM_NOTE, 1, 1, "", 0,
                     "expected one byte order mark (U+FEFF) at most, found %zu, which are skipped",
                     odd.marks);
    if (odd.other_lines > 0)
        problems_add(
            to, PROBLEM_NOTE, odd.first_other, 1, "", 0,
            "expected UTF-8, found other bytes in %zu lines, read as Windows-1252; look at the accents",
            odd.other_lines);
    if (odd.spanning > 0)
        problems_add(to, PROBLEM_NOTE, odd.first_spanning, odd.spanning, "", 0,
                     "expected a record on one line, found %zu that span several lines; is a quote missing?",
                     odd.spanning);
    if (odd.double_carriage > 0)
        problems_add(to, PROBLEM_NOTE, odd.first_double_carriage, odd.double_carriage, "", 0,
                     "expected lines that end with LF, CRLF or CR, found CR CR LF, taken for one end");
    if (odd.open_end > 0)
        problems_add(to, PROBLEM_NOTE, odd.open_end, 1, "", 0,
                     "expected a line end behind the last line, found none; was the file cut short?");
}

enum maille_code import_records(struct import *import, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(read_records(import, error));
    MAILLE_TRY(csv_unchanged(import->csv, error));
    if (import->report->rows == 0 && import->options->needs_patients)
        problems_add(import->problems, PROBLEM_ERROR, import->header_line, 1, "", 0,
                     "expected patients, found a header alone");
    check_thousands(import);
    note_oddities(import);
    note_strangers(import);
out:
    return code;
}
