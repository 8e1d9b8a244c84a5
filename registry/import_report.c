#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "registry/import.h"

enum { VALUES_LISTED = 20 }; /* groups of one column and level, of which the rest is summed up */

#define SAY(english, french) (language == LANGUAGE_FR ? (french) : (english))

/* Bytes are columns but for the continuation bytes of UTF-8. */
static int width(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* Aligned to the right (columns > 0) or left: printf counts bytes. */
static void put_aligned(FILE *to, int columns, const char *text)
{
    const int rest = abs(columns) - width(text);
    fprintf(to, "%*s%s%*s", columns > 0 && rest > 0 ? rest : 0, "", text, columns < 0 && rest > 0 ? rest : 0,
            "");
}

static const char *separator_name(char separator, enum language language)
{
    return separator == '\t'  ? SAY("tab", "tabulation")
           : separator == ';' ? "\";\""
           : separator == '|' ? "\"|\""
                              : "\",\"";
}

void import_dialect(char out[IMPORT_DIALECT], const struct csv_dialect *dialect, enum language language)
{
    snprintf(out, IMPORT_DIALECT,
             SAY("%s, fields by %s, decimal mark \"%c\"", "%s, champs par %s, décimale \"%c\""),
             dialect->windows_1252 ? "Windows-1252" : "UTF-8", separator_name(dialect->separator, language),
             dialect->decimal);
}

static void print_heads(int widest, enum language language, FILE *to)
{
    static const int columns[] = {6, -8, 10, 10, 10, 12, 12, 12};
    static const char *const heads[LANGUAGES][8] = {
        {"column", "type", "present", "missing", "bad", "min", "median", "max"},
        {"col.", "type", "présentes", "absentes", "mauvaises", "min", "médiane", "max"}};
    put_aligned(to, -widest, "variable");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        fprintf(to, "  ");
        put_aligned(to, columns[i], heads[language][i]);
    }
    fprintf(to, "\n");
}

static void print_columns(const struct import_report *report, const struct dictionary *dictionary,
                          enum language language, FILE *to)
{
    int widest = width("variable");
    for (size_t i = 0; i < report->n_columns; i++)
        if (width(report->columns[i].name) > widest)
            widest = width(report->columns[i].name);
    print_heads(widest, language, to);
    for (size_t i = 0; i < report->n_columns; i++) {
        const struct import_column *column = &report->columns[i];
        const struct variable *variable = &dictionary->variables[i];
        const char *type = variable_type_name(variable->type);
        if (column->absent) {
            put_aligned(to, -widest, column->name);
            fprintf(to, "  %6s  %-8s  %s\n", "", type, SAY("not in the file", "absente du fichier"));
            continue;
        }
        put_aligned(to, -widest, column->name);
        fprintf(to, "  %6zu  %-8s  %10zu  %10zu  %10zu", column->field, type, column->present,
                column->missing, column->problems);
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
static void print_problem(const struct import_problem *problem, enum language language, FILE *to)
{
    fprintf(to, "  ");
    if (problem->line > 0)
        fprintf(to, SAY("line %zu", "ligne %zu"), problem->line);
    if (problem->column[0] != '\0')
        fprintf(to, "%s%s", problem->line > 0 ? ", " : "", problem->column);
    if (problem->field > 0)
        fprintf(to, SAY(" (column %zu)", " (colonne %zu)"), problem->field);
    const bool is_named = problem->line > 0 || problem->column[0] != '\0' || problem->field > 0;
    fprintf(to, "%s%s", is_named ? ": " : "", problem->sentence);
    if (problem->count > 1 && problem->line == 0)
        fprintf(to, SAY(" (in %zu rows)", " (dans %zu lignes)"), problem->count);
    else if (problem->count > 1)
        fprintf(to, SAY(" (in %zu lines, this is the first)", " (dans %zu lignes, celle-ci est la première)"),
                problem->count);
    fprintf(to, "\n");
}

static void print_level(const struct import_report *report, enum problem_level level, enum language language,
                        FILE *to)
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
            print_problem(problem, language, to);
            continue;
        }
        more++;
        lines += problem->count;
        const bool is_last = i + 1 == report->n_listed || report->problems[i + 1].level != level ||
                             strcmp(report->problems[i + 1].column, problem->column) != 0;
        if (is_last) {
            fprintf(to,
                    SAY("  %s: %zu more of these, in %zu lines; --json and --csv list all\n",
                        "  %s : %zu autres, dans %zu lignes ; --json et --csv les donnent toutes\n"),
                    problem->column, more, lines);
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

void import_report_print(const struct import_report *report, const struct dictionary *dictionary,
                         enum language language, FILE *to)
{
    char dialect[IMPORT_DIALECT];
    fprintf(to, SAY("dictionary %s version %" PRId64 "\n", "dictionnaire %s version %" PRId64 "\n"),
            dictionary->name, dictionary->version);
    if (report->dialect.separator != 0) {
        import_dialect(dialect, &report->dialect, language);
        fprintf(to, SAY("read as %s\n", "lu comme %s\n"), dialect);
    }
    fprintf(to, SAY("%zu rows, %zu patients\n\n", "%zu lignes, %zu patients\n\n"), report->rows,
            report->patients);
    print_columns(report, dictionary, language, to);
    if (report->n_ignored > 0) {
        fprintf(to, "%s",
                SAY("\nnot in the dictionary, ignored:", "\nhors du dictionnaire, laissées de côté :"));
        for (size_t i = 0; i < report->n_ignored; i++)
            fprintf(to, "%s %s", i == 0 ? "" : ",", report->ignored[i]);
        fprintf(to, "\n");
    }
    if (has_level(report, PROBLEM_NOTE)) {
        fprintf(to, "%s", SAY("\ntaken for granted:\n", "\ntenu pour acquis :\n"));
        print_level(report, PROBLEM_NOTE, language, to);
    }
    if (report->n_questions > 0) {
        fprintf(to,
                SAY("\n%zu question%s, without --yes nothing is written:\n",
                    "\n%zu question%s, sans --yes rien n’est écrit :\n"),
                report->n_questions, report->n_questions == 1 ? "" : "s");
        print_level(report, PROBLEM_QUESTION, language, to);
    }
    if (report->n_problems == 0) {
        fprintf(to, "%s", SAY("\nno problem\n", "\naucun problème\n"));
        return;
    }
    fprintf(to, SAY("\n%zu problem%s:\n", "\n%zu problème%s :\n"), report->n_problems,
            report->n_problems == 1 ? "" : "s");
    print_level(report, PROBLEM_ERROR, language, to);
    if (report->n_unlisted > 0)
        fprintf(to, SAY("  and %zu lines with others\n", "  et %zu lignes qui en ont d’autres\n"),
                report->n_unlisted);
}
