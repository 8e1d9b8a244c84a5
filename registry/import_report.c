#include <inttypes.h>

#include "registry/import.h"

/* Bytes are columns but for the continuation bytes of UTF-8. */
static int width(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void print_columns(const struct import_report *report, const struct dictionary *dictionary, FILE *to)
{
    int widest = width("variable");
    for (size_t i = 0; i < report->n_columns; i++)
        if (width(report->columns[i].name) > widest)
            widest = width(report->columns[i].name);
    fprintf(to, "%-*s  %-8s  %10s  %10s  %10s\n", widest, "variable", "type", "present", "missing", "bad");
    for (size_t i = 0; i < report->n_columns; i++) {
        const struct import_column *column = &report->columns[i];
        fprintf(to, "%-*s  %-8s  ", widest, column->name, variable_type_name(dictionary->variables[i].type));
        if (column->absent)
            fprintf(to, "not in the file\n");
        else
            fprintf(to, "%10zu  %10zu  %10zu\n", column->present, column->missing, column->problems);
    }
}

void import_report_print(const struct import_report *report, const struct dictionary *dictionary, FILE *to)
{
    fprintf(to, "dictionary %s version %" PRId64 "\n", dictionary->name, dictionary->version);
    fprintf(to, "%zu rows, %zu patients\n\n", report->rows, report->patients);
    print_columns(report, dictionary, to);
    if (report->n_ignored > 0) {
        fprintf(to, "\nnot in the dictionary, ignored:");
        for (size_t i = 0; i < report->n_ignored; i++)
            fprintf(to, "%s %s", i == 0 ? "" : ",", report->ignored[i]);
        fprintf(to, "\n");
    }
    if (report->n_problems == 0) {
        fprintf(to, "\nno problem\n");
        return;
    }
    fprintf(to, "\n%zu problem%s", report->n_problems, report->n_problems == 1 ? "" : "s");
    if (report->n_listed < report->n_problems)
        fprintf(to, ", the first %zu", report->n_listed);
    fprintf(to, ":\n");
    for (size_t i = 0; i < report->n_listed; i++) {
        const struct import_problem *problem = &report->problems[i];
        fprintf(to, "  line %zu%s%s: %s\n", problem->line, problem->column[0] != '\0' ? ", " : "",
                problem->column, problem->sentence);
    }
}
