#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "registry/import.h"

enum { VALUES_LISTED = 20 }; /* groups of one column and level, of which the rest is summed up */

/* Bytes are columns but for the continuation bytes of UTF-8. */
static int width(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static const char *separator_name(char separator)
{
    return separator == '\t' ? "tab" : separator == ';' ? "\";\"" : separator == '|' ? "\"|\"" : "\",\"";
}

void import_dialect(char out[IMPORT_DIALECT], const struct csv_dialect *dialect)
{
    snprintf(out, IMPORT_DIALECT, "%s, fields by %s, decimal mark \"%c\"",
             dialect->windows_1252 ? "Windows-1252" : "UTF-8", separator_name(dialect->separator),
             dialect->decimal);
}

static void print_columns(const struct import_report *report, const struct dictionary *dictionary, FILE *to)
{
    int widest = width("variable");
    for (size_t i = 0; i < report->n_columns; i++)
        if (width(report->columns[i].name) > widest)
            widest = width(report->columns[i].name);
    fprintf(to, "%-*s  %6s  %-8s  %10s  %10s  %10s  %12s  %12s  %12s\n", widest, "variable", "column", "type",
            "present", "missing", "bad", "min", "median", "max");
    for (size_t i = 0; i < report->n_columns; i++) {
        const struct import_column *column = &report->columns[i];
        const struct variable *variable = &dictionary->variables[i];
        const char *type = variable_type_name(variable->type);
        if (column->absent) {
            fprintf(to, "%-*s  %6s  %-8s  not in the file\n", widest, column->name, "", type);
            continue;
        }
        fprintf(to, "%-*s  %6zu  %-8s  %10zu  %10zu  %10zu", widest, column->name, column->field, type,
                column->present, column->missing, column->problems);
        if (i < report->summary.n_variables && report->summary.variables[i].present > 0) {
            const struct summary_variable *summary = &report->summary.variables[i];
            char min[SUMMARY_VALUE], median[SUMMARY_VALUE], max[SUMMARY_VALUE];
            if (summary->is_number) {
                summary_value(min, variable, summary->min);
                summary_value(median, variable, summary->median);
                summary_value(max, variable, summary->max);
                fprintf(to, "  %12s  %12s  %12s", min, median, max);
            } else {
                for (size_t l = 0, shown = 0; l < variable->n_levels && shown < VALUES_LISTED; l++)
                    if (summary->counts[l] > 0)
                        fprintf(to, "%s%s %zu", shown++ == 0 ? "  " : ", ", variable->levels[l],
                                summary->counts[l]);
            }
        }
        fprintf(to, "\n");
    }
}

/* One line of a group: where, what, how often. */
static void print_problem(const struct import_problem *problem, FILE *to)
{
    fprintf(to, "  ");
    if (problem->line > 0)
        fprintf(to, "line %zu", problem->line);
    if (problem->column[0] != '\0')
        fprintf(to, "%s%s", problem->line > 0 ? ", " : "", problem->column);
    if (problem->field > 0)
        fprintf(to, " (column %zu)", problem->field);
    fprintf(to, ": %s", problem->sentence);
    if (problem->count > 1)
        fprintf(to, " (in %zu lines, this is the first)", problem->count);
    fprintf(to, "\n");
}

static void print_level(const struct import_report *report, enum problem_level level, FILE *to)
{
    size_t of_column = 0, more = 0, lines = 0;
    const struct import_problem *before = NULL;
    for (size_t i = 0; i < report->n_listed; i++) {
        const struct import_problem *problem = &report->problems[i];
        if (problem->level != level)
            continue;
        if (before == NULL || strcmp(before->column, problem->column) != 0 || problem->field == 0)
            of_column = 0;
        before = problem;
        if (of_column++ < VALUES_LISTED) {
            print_problem(problem, to);
            continue;
        }
        more++;
        lines += problem->count;
        const bool is_last = i + 1 == report->n_listed || report->problems[i + 1].level != level ||
                             strcmp(report->problems[i + 1].column, problem->column) != 0;
        if (is_last) {
            fprintf(to, "  %s: %zu more of these, in %zu lines; --json and --csv list all\n", problem->column,
                    more, lines);
            more = lines = 0;
        }
    }
}

static bool has_level(const struct import_report *report, enum problem_level level)
{
    for (size_t i = 0; i < report->n_listed; i++)
        if (report->problems[i].level == level)
            return true;
    return false;
}

void import_report_print(const struct import_report *report, const struct dictionary *dictionary, FILE *to)
{
    char dialect[IMPORT_DIALECT];
    fprintf(to, "dictionary %s version %" PRId64 "\n", dictionary->name, dictionary->version);
    if (report->dialect.separator != 0) {
        import_dialect(dialect, &report->dialect);
        fprintf(to, "read as %s\n", dialect);
    }
    fprintf(to, "%zu rows, %zu patients\n\n", report->rows, report->patients);
    print_columns(report, dictionary, to);
    if (report->n_ignored > 0) {
        fprintf(to, "\nnot in the dictionary, ignored:");
        for (size_t i = 0; i < report->n_ignored; i++)
            fprintf(to, "%s %s", i == 0 ? "" : ",", report->ignored[i]);
        fprintf(to, "\n");
    }
    if (has_level(report, PROBLEM_NOTE)) {
        fprintf(to, "\ntaken for granted:\n");
        print_level(report, PROBLEM_NOTE, to);
    }
    if (report->n_questions > 0) {
        fprintf(to, "\n%zu question%s, without --yes nothing is written:\n", report->n_questions,
                report->n_questions == 1 ? "" : "s");
        print_level(report, PROBLEM_QUESTION, to);
    }
    if (report->n_problems == 0) {
        fprintf(to, "\nno problem\n");
        return;
    }
    fprintf(to, "\n%zu problem%s:\n", report->n_problems, report->n_problems == 1 ? "" : "s");
    print_level(report, PROBLEM_ERROR, to);
    if (report->n_unlisted > 0)
        fprintf(to, "  and %zu lines with others\n", report->n_unlisted);
}
