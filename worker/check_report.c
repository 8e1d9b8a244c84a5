#include "worker/check_report.h"

#include <inttypes.h>
#include <string.h>

#include "base/display.h"
#include "base/file.h"
#include "base/json.h"
#include "report/html.h"

static const char *const level_names[] = {
    [PROBLEM_ERROR] = "error", [PROBLEM_QUESTION] = "question", [PROBLEM_NOTE] = "note"};

static const struct summary_variable *summary_of(const struct import_report *report, size_t v)
{
    return v < report->summary.n_variables && report->summary.variables[v].present > 0
               ? &report->summary.variables[v]
               : NULL;
}

/* --- JSON --- */

static void put_variable(struct json_put *put, const struct import_report *report,
                         const struct dictionary *dictionary, size_t v)
{
    const struct import_column *column = &report->columns[v];
    const struct variable *variable = &dictionary->variables[v];
    const struct summary_variable *summary = summary_of(report, v);
    json_put_object(put, NULL);
    json_put_text(put, "name", column->name);
    json_put_text(put, "type", variable_type_name(variable->type));
    json_put_integer(put, "column", (int64_t)column->field);
    json_put_integer(put, "present", (int64_t)column->present);
    json_put_integer(put, "missing", (int64_t)column->missing);
    json_put_integer(put, "bad", (int64_t)column->problems);
    if (summary != NULL && summary->is_number) {
        char text[SUMMARY_VALUE];
        summary_value(text, variable, summary->min);
        json_put_text(put, "min", text);
        summary_value(text, variable, summary->median);
        json_put_text(put, "median", text);
        summary_value(text, variable, summary->max);
        json_put_text(put, "max", text);
    } else if (summary != NULL) {
        json_put_object(put, "levels");
        for (size_t l = 0; l < variable->n_levels; l++)
            json_put_integer(put, variable->levels[l], (int64_t)summary->counts[l]);
        json_put_end(put);
    }
    json_put_end(put);
}

static enum maille_code write_json(const char *path, const struct import_report *report,
                                   const struct dictionary *dictionary, const char *name,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes out = {0};
    struct json_put put = {.out = &out, .lines = true};
    char dialect[IMPORT_DIALECT];
    json_put_object(&put, NULL);
    json_put_boolean(&put, "valid", report->n_problems == 0);
    json_put_text(&put, "file", name);
    json_put_text(&put, "dictionary", dictionary->name);
    json_put_integer(&put, "version", dictionary->version);
    import_dialect(dialect, &report->dialect, LANGUAGE_EN);
    json_put_text(&put, "dialect", report->dialect.separator != 0 ? dialect : NULL);
    json_put_integer(&put, "rows", (int64_t)report->rows);
    json_put_integer(&put, "patients", (int64_t)report->patients);
    json_put_integer(&put, "errors", (int64_t)report->n_problems);
    json_put_integer(&put, "questions", (int64_t)report->n_questions);
    json_put_integer(&put, "unlisted", (int64_t)report->n_unlisted);
    json_put_list(&put, "findings");
    for (size_t i = 0; i < report->n_listed; i++) {
        const struct import_problem *problem = &report->problems[i];
        json_put_object(&put, NULL);
        json_put_text(&put, "level", level_names[problem->level]);
        json_put_integer(&put, "line", (int64_t)problem->line);
        json_put_integer(&put, "count", (int64_t)problem->count);
        json_put_text(&put, "variable", problem->column[0] != '\0' ? problem->column : NULL);
        json_put_integer(&put, "column", (int64_t)problem->field);
        json_put_text(&put, "sentence", problem->sentence);
        json_put_end(&put);
    }
    json_put_end(&put);
    json_put_list(&put, "variables");
    for (size_t v = 0; v < report->n_columns; v++)
        put_variable(&put, report, dictionary, v);
    json_put_end(&put);
    json_put_list(&put, "ignored");
    for (size_t i = 0; i < report->n_ignored; i++)
        json_put_text(&put, NULL, report->ignored[i]);
    json_put_end(&put);
    json_put_end(&put);
    bytes_put_u8(&out, '\n');
    MAILLE_TRY(bytes_check(&out, error));
    code = file_write_atomic(path, out.data, out.length, 0600, error);
out:
    bytes_wipe(&out);
    return code;
}

/* --- CSV --- */

static enum maille_code write_csv(const char *path, const struct import_report *report,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const char head[] = "level,line,lines,variable,column,sentence\n";
    struct bytes out = {0};
    bytes_put(&out, head, sizeof head - 1);
    for (size_t i = 0; i < report->n_listed; i++) {
        const struct import_problem *problem = &report->problems[i];
        char numbers[64];
        int n = snprintf(numbers, sizeof numbers, "%s,%zu,%zu,", level_names[problem->level], problem->line,
                         problem->count);
        bytes_put(&out, numbers, (size_t)n);
        display_put_cell(&out, problem->column);
        n = snprintf(numbers, sizeof numbers, ",%zu,", problem->field);
        bytes_put(&out, numbers, (size_t)n);
        display_put_cell(&out, problem->sentence);
        bytes_put_u8(&out, '\n');
    }
    MAILLE_TRY(bytes_check(&out, error));
    code = file_write_atomic(path, out.data, out.length, 0600, error);
out:
    bytes_wipe(&out);
    return code;
}

/* --- the page --- */

static const char css[] =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}th,td{padding:.2em .7em;text-align:left;border-bottom:1px "
    "solid #ddd}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}tr.error td{background:#fdecea}"
    "tr.question td{background:#fff6dd}";

static void number_cell(struct html *h, size_t number)
{
    html_open(h, "td");
    html_set(h, "class", "n");
    html_textf(h, "%zu", number);
    html_close(h);
}

static void heads(struct html *h, const char *const *names, size_t n)
{
    html_open(h, "tr");
    for (size_t i = 0; i < n; i++)
        html_element(h, "th", NULL, names[i]);
    html_close(h);
    html_newline(h);
}

static void page_findings(struct html *h, const struct import_report *report)
{
    static const char *const names[] = {"", "first line", "lines", "variable", "column", "what"};
    html_element(h, "h2", NULL, "Findings");
    if (report->n_listed == 0) {
        html_element(h, "p", NULL, "None.");
        return;
    }
    html_open(h, "table");
    heads(h, names, sizeof names / sizeof *names);
    for (size_t i = 0; i < report->n_listed; i++) {
        const struct import_problem *problem = &report->problems[i];
        html_open(h, "tr");
        html_set(h, "class", level_names[problem->level]);
        html_element(h, "td", NULL, level_names[problem->level]);
        number_cell(h, problem->line);
        number_cell(h, problem->count);
        html_element(h, "td", NULL, problem->column);
        number_cell(h, problem->field);
        html_element(h, "td", NULL, problem->sentence);
        html_close(h);
        html_newline(h);
    }
    html_close(h);
    if (report->n_unlisted > 0) {
        html_open(h, "p");
        html_textf(h, "And %zu lines with others.", report->n_unlisted);
        html_close(h);
    }
}

static void page_values(struct html *h, const struct variable *variable,
                        const struct summary_variable *summary)
{
    char text[SUMMARY_VALUE];
    if (summary == NULL) {
        html_element(h, "td", NULL, "");
    } else if (summary->is_number) {
        html_open(h, "td");
        summary_value(text, variable, summary->min);
        html_textf(h, "%s to ", text);
        summary_value(text, variable, summary->max);
        html_textf(h, "%s, median ", text);
        summary_value(text, variable, summary->median);
        html_text(h, text);
        html_close(h);
    } else {
        html_open(h, "td");
        for (size_t l = 0, shown = 0; l < variable->n_levels; l++)
            if (summary->counts[l] > 0)
                html_textf(h, "%s%s: %zu", shown++ == 0 ? "" : ", ", variable->levels[l], summary->counts[l]);
        html_close(h);
    }
}

static void page_variables(struct html *h, const struct import_report *report,
                           const struct dictionary *dictionary)
{
    static const char *const names[] = {"variable", "column", "type", "present", "missing", "bad", "values"};
    html_element(h, "h2", NULL, "Variables");
    html_open(h, "table");
    heads(h, names, sizeof names / sizeof *names);
    for (size_t v = 0; v < report->n_columns; v++) {
        const struct import_column *column = &report->columns[v];
        html_open(h, "tr");
        html_element(h, "td", NULL, column->name);
        number_cell(h, column->field);
        html_element(h, "td", NULL, variable_type_name(dictionary->variables[v].type));
        number_cell(h, column->present);
        number_cell(h, column->missing);
        number_cell(h, column->problems);
        page_values(h, &dictionary->variables[v], summary_of(report, v));
        html_close(h);
        html_newline(h);
    }
    html_close(h);
}

static enum maille_code write_html(const char *path, const struct import_report *report,
                                   const struct dictionary *dictionary, const char *name,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes out = {0};
    struct html h = {.out = &out};
    char dialect[IMPORT_DIALECT];
    html_doctype(&h);
    html_open(&h, "html");
    html_set(&h, "lang", "en");
    html_open(&h, "head");
    html_open(&h, "meta");
    html_set(&h, "charset", "utf-8");
    html_close(&h);
    html_element(&h, "title", NULL, "maille: check of an export");
    html_style(&h, css);
    html_close(&h);
    html_open(&h, "body");
    html_open(&h, "h1");
    html_textf(&h, "%s: %zu rows, %zu patients", name, report->rows, report->patients);
    html_close(&h);
    import_dialect(dialect, &report->dialect, LANGUAGE_EN);
    html_open(&h, "p");
    html_textf(&h, "Against dictionary %s version %" PRId64 "%s%s. %zu errors, %zu questions. ",
               dictionary->name, dictionary->version, report->dialect.separator != 0 ? ", read as " : "",
               report->dialect.separator != 0 ? dialect : "", report->n_problems, report->n_questions);
    html_text(&h, "This page has values of patients: keep it inside the hospital.");
    html_close(&h);
    page_findings(&h, report);
    page_variables(&h, report, dictionary);
    html_close(&h);
    html_close(&h);
    html_newline(&h);
    MAILLE_TRY(bytes_check(&out, error));
    code = file_write_atomic(path, out.data, out.length, 0600, error);
out:
    bytes_wipe(&out);
    return code;
}

enum maille_code check_report_write(const struct check_report_paths *paths,
                                    const struct import_report *report, const struct dictionary *dictionary,
                                    const char *name, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (paths->json != NULL)
        MAILLE_TRY(write_json(paths->json, report, dictionary, name, error));
    if (paths->csv != NULL)
        MAILLE_TRY(write_csv(paths->csv, report, error));
    if (paths->html != NULL)
        MAILLE_TRY(write_html(paths->html, report, dictionary, name, error));
out:
    return code;
}
