/* A paper's table 1, variables down and groups across: of the method table1, which has all of it; or of a
 * description, with medians from a quantile analysis, standardised mean differences from an smd, and p from
 * tests of the same groups. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"
#include "report/regression.h"

enum { COLUMNS_MAX = 8 };

struct table1 {
    const struct report *report;
    const struct report_analysis *analysis;
    struct labels labels;
    const struct result *rows;
    const char *by, *columns[COLUMNS_MAX]; /* by NULL: one column of everybody */
    size_t n_columns;
    double n[COLUMNS_MAX]; /* patients of the group; NaN: not known */
    bool is_table1;
    const struct result *differences; /* rows of `variable`, `value` and difference_key; NULL: none */
    const char *difference_key;
    const struct result *comparisons; /* of a table1; NULL: none */
    bool has_p;
};

/* The row of a variable (and its level) in a group. */
static const struct result *find(const struct result *rows, const char *variable, const char *level,
                                 const char *value)
{
    for (size_t i = 0; i < rows->n; i++)
        if (result_same(result_text(rows->items[i], "variable"), variable) &&
            result_same(result_text(rows->items[i], "level"), level) &&
            result_same(result_text(rows->items[i], "value"), value))
            return rows->items[i];
    return NULL;
}

/* Patients of a column of a table1. */
static double n_of_column(const struct table1 *t, const char *level)
{
    const struct result *groups = result_get(t->analysis->result, "groups");
    for (size_t i = 0; groups != NULL && i < groups->n; i++)
        if (result_same(result_text(groups->items[i], "level"), level))
            return result_number(groups->items[i], "n");
    return NAN;
}

static bool read_groups(struct table1 *t)
{
    for (size_t i = 0; i < t->rows->n; i++) {
        const struct result *row = t->rows->items[i];
        const char *level = result_text(row, "level");
        size_t k = 0;
        if (row->kind != RESULT_OBJECT || result_text(row, "variable") == NULL)
            return false;
        if (i == 0)
            t->by = result_text(row, "by");
        while (k < t->n_columns && !result_same(t->columns[k], level))
            k++;
        if (k == COLUMNS_MAX)
            return false;
        if (k == t->n_columns) {
            t->columns[k] = level;
            t->n[k] = t->is_table1 ? n_of_column(t, level) : NAN;
            t->n_columns++;
        }
        if (!t->is_table1 && result_text(row, "value") == NULL &&
            isnan(t->n[k])) /* a number: who has it, and who has not */
            t->n[k] = result_number(row, "n") + result_number(row, "missing");
    }
    return t->n_columns > 0;
}

static bool same_cohort(const struct report_analysis *a, const struct report_analysis *b)
{
    return a->asked != NULL && b->asked != NULL &&
           result_same(result_text(a->asked, "cohort"), result_text(b->asked, "cohort")) &&
           (result_get(a->asked, "weights") == NULL) == (result_get(b->asked, "weights") == NULL);
}

static const char *quartiles_words(const struct table1 *t, double q1, double median, double q3)
{
    return isnan(q1 + median + q3) ? NULL : arena_printf(t->labels.arena, "%.4g (%.4g–%.4g)", median, q1, q3);
}

/* The median and quartiles of a variable in a group, where the study asks for them. */
static const char *quartiles(const struct table1 *t, const char *variable, size_t column)
{
    if (t->is_table1) {
        const struct result *row = find(t->rows, variable, t->columns[column], NULL);
        return quartiles_words(t, result_number(row, "q1"), result_number(row, "median"),
                               result_number(row, "q3"));
    }
    for (size_t i = 0; i < t->report->n_analyses; i++) {
        const struct report_analysis *a = &t->report->analyses[i];
        const struct result *groups = a->result == NULL ? NULL : result_get(a->result, "groups");
        if (strcmp(a->method, "quantile") != 0 || groups == NULL || !same_cohort(a, t->analysis) ||
            !result_same(result_text(a->asked, "variable"), variable))
            continue;
        for (size_t g = 0; g < groups->n; g++) {
            const struct result *probs = result_get(groups->items[g], "probs");
            const struct result *values = result_get(groups->items[g], "values");
            double found[3] = {NAN, NAN, NAN};
            if (!result_same(result_text(groups->items[g], "level"), t->columns[column]) ||
                !result_same(result_text(groups->items[g], "by"), t->by) || probs == NULL || values == NULL)
                continue;
            for (size_t k = 0; k < probs->n && k < values->n; k++)
                for (int q = 0; q < 3; q++)
                    if (probs->items[k]->kind == RESULT_NUMBER &&
                        fabs(probs->items[k]->number - 0.25 * (q + 1)) < 1e-9)
                        found[q] = values->items[k]->kind == RESULT_NUMBER ? values->items[k]->number
                                   : values->items[k]->kind == RESULT_INTEGER
                                       ? (double)values->items[k]->integer
                                       : NAN;
            const char *words = quartiles_words(t, found[0], found[1], found[2]);
            if (words != NULL)
                return words;
        }
    }
    return NULL;
}

static void find_differences(struct table1 *t)
{
    if (t->is_table1) {
        t->comparisons = result_get(t->analysis->result, "comparisons");
        t->difference_key = "smd";
        if (t->comparisons != NULL && t->comparisons->n > 0 &&
            result_get(t->comparisons->items[0], "smd") != NULL)
            t->differences = t->comparisons;
        return;
    }
    t->difference_key = "unweighted";
    for (size_t i = 0; i < t->report->n_analyses; i++) {
        const struct report_analysis *a = &t->report->analyses[i];
        if (strcmp(a->method, "smd") == 0 && a->status == ANALYSIS_OK && a->asked != NULL && t->by != NULL &&
            t->analysis->asked != NULL &&
            result_same(result_text(a->asked, "cohort"), result_text(t->analysis->asked, "cohort")) &&
            result_same(result_text(a->asked, "treatment"), t->by)) {
            t->differences = result_get(a->result, "variables");
            return;
        }
    }
}

/* Equal but for spaces. */
static bool same_formula(const char *a, const char *b)
{
    while (a != NULL && b != NULL) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
    return false;
}

static const char *item_of(const struct result *list, size_t i)
{
    return list != NULL && list->kind == RESULT_LIST && i < list->n && list->items[i]->kind == RESULT_STRING
               ? list->items[i]->string
               : NULL;
}

/* The p-value of a variable between the groups, where the study has a test of them: a cross table, a t test,
 * an analysis of variance. NaN: none. */
static double p_of(const struct table1 *t, const char *variable)
{
    if (t->is_table1)
        return t->comparisons == NULL ? NAN
                                      : result_number(find(t->comparisons, variable, NULL, NULL), "p_value");
    for (size_t i = 0; t->by != NULL && i < t->report->n_analyses; i++) {
        const struct report_analysis *a = &t->report->analyses[i];
        if (a->status != ANALYSIS_OK || !same_cohort(a, t->analysis))
            continue;
        if (strcmp(a->method, "crosstab") == 0) {
            const struct result *names = result_get(a->asked, "variables");
            const char *first = item_of(names, 0), *second = item_of(names, 1);
            bool swapped = first != NULL && strcmp(first, t->by) == 0;
            if (names != NULL && names->n == 2 && result_same(swapped ? second : first, variable) &&
                result_same(swapped ? first : second, t->by))
                return result_number(result_get(a->result, "chisq"), "p_value");
        } else if (strcmp(a->method, "ttest") == 0 || strcmp(a->method, "anova") == 0) {
            if (same_formula(result_text(a->asked, "formula"),
                             arena_printf(t->labels.arena, "%s~%s", variable, t->by)))
                return result_number(a->result, "p_value");
        }
    }
    return NAN;
}

static void put_p(struct html *h, const struct table1 *t, const char *variable)
{
    char buffer[REGRESSION_WORDS];
    if (t->has_p)
        html_element(h, "td", "r w", variable == NULL ? "" : regression_p(buffer, p_of(t, variable)));
}

static void put_smd(struct html *h, const struct table1 *t, const char *variable, const char *value)
{
    if (t->differences == NULL)
        return;
    double difference = result_number(find(t->differences, variable, NULL, value), t->difference_key);
    html_open(h, "td");
    html_set(h, "class", "r");
    if (!isnan(difference))
        html_textf(h, "%.2f", fabs(difference));
    html_close(h);
}

static void open_row(struct html *h, const char *class, const char *words)
{
    html_open(h, "tr");
    html_set(h, "class", class);
    html_open(h, "th");
    html_set(h, "scope", "row");
    html_text(h, words);
    html_close(h);
}

static void put_cell(struct html *h, const char *words)
{
    if (words == NULL) {
        page_withheld(h);
        return;
    }
    html_element(h, "td", "r w", words);
}

static void put_missing(struct html *h, const struct table1 *t, const double *missing)
{
    bool any = false, all_known = true;
    for (size_t k = 0; k < t->n_columns; k++) {
        any = any || missing[k] > 0;
        all_known = all_known && !isnan(missing[k]);
    }
    if (!any && all_known)
        return;
    open_row(h, "i", "Missing");
    for (size_t k = 0; k < t->n_columns; k++)
        put_cell(h, isnan(missing[k]) ? NULL : arena_printf(t->labels.arena, "%.0f", missing[k]));
    if (t->differences != NULL)
        html_element(h, "td", NULL, "");
    put_p(h, t, NULL);
    html_close(h);
    html_newline(h);
}

static int decimals_of(double sd)
{
    return sd >= 10 ? 1 : sd >= 1 ? 1 : 2;
}

/* One row of a number. words: of every column; NULL: withheld. compared: SMD and p stand in it. */
static void put_values(struct html *h, const struct table1 *t, const char *class, const char *head,
                       const char *const *words, const char *compared)
{
    open_row(h, class, head);
    for (size_t k = 0; k < t->n_columns; k++)
        put_cell(h, words[k]);
    if (compared != NULL)
        put_smd(h, t, compared, NULL);
    else if (t->differences != NULL)
        html_element(h, "td", NULL, "");
    put_p(h, t, compared);
    html_close(h);
    html_newline(h);
}

static void put_number(struct html *h, const struct table1 *t, const char *variable)
{
    struct arena *arena = t->labels.arena;
    const char *label = labels_with_units(&t->labels, variable);
    const char *means[COLUMNS_MAX], *medians[COLUMNS_MAX];
    double missing[COLUMNS_MAX];
    bool has_quartiles = false;
    for (size_t k = 0; k < t->n_columns; k++) {
        const struct result *row = find(t->rows, variable, t->columns[k], NULL);
        double mean = result_number(row, "mean"), sd = result_number(row, "sd");
        int d = decimals_of(sd);
        missing[k] = row == NULL ? 0 : result_number(row, "missing");
        medians[k] = quartiles(t, variable, k);
        has_quartiles = has_quartiles || medians[k] != NULL || result_get(row, "median") != NULL;
        means[k] = row == NULL   ? "–"
                   : isnan(mean) ? NULL
                                 : arena_printf(arena, "%.*f (%.*f)", d, mean, d, sd);
    }
    bool only_medians = t->is_table1 && result_same(result_text(t->analysis->asked, "statistics"), "median");
    if (!only_medians)
        put_values(h, t, "f", arena_printf(arena, "%s, mean (SD)", label), means, variable);
    if (has_quartiles)
        put_values(h, t, only_medians ? "f" : "i",
                   only_medians ? arena_printf(arena, "%s, median (Q1–Q3)", label) : "median (Q1–Q3)",
                   medians, only_medians ? variable : NULL);
    put_missing(h, t, missing);
}

static void put_category(struct html *h, const struct table1 *t, const char *variable)
{
    struct arena *arena = t->labels.arena;
    double missing[COLUMNS_MAX];
    memcpy(missing, t->n, sizeof missing);
    open_row(h, "f", arena_printf(arena, "%s, n (%%)", labels_with_units(&t->labels, variable)));
    for (size_t k = 0; k < t->n_columns + (t->differences != NULL ? 1 : 0); k++)
        html_element(h, "td", NULL, "");
    put_p(h, t, variable);
    html_close(h);
    for (size_t i = 0; i < t->rows->n; i++) {
        const char *value = result_text(t->rows->items[i], "value");
        if (value == NULL || !result_same(result_text(t->rows->items[i], "variable"), variable) ||
            find(t->rows, variable, result_text(t->rows->items[i], "level"), value) != t->rows->items[i])
            continue;
        bool seen = false; /* under another group before */
        for (size_t j = 0; j < i && !seen; j++)
            seen = result_same(result_text(t->rows->items[j], "variable"), variable) &&
                   result_same(result_text(t->rows->items[j], "value"), value);
        if (seen)
            continue;
        open_row(h, "i", labels_level(&t->labels, variable, value));
        for (size_t k = 0; k < t->n_columns; k++) {
            const struct result *row = find(t->rows, variable, t->columns[k], value);
            double n = row == NULL ? 0 : result_number(row, "n"), share = result_number(row, "share");
            if (t->is_table1)
                missing[k] = row == NULL ? 0 : result_number(row, "missing");
            else
                missing[k] -= n;
            put_cell(h, isnan(n)       ? NULL
                        : isnan(share) ? arena_printf(arena, "%.0f", n)
                                       : arena_printf(arena, "%.0f (%.1f%%)", n, 100 * share));
        }
        put_smd(h, t, variable, value);
        put_p(h, t, NULL);
        html_close(h);
        html_newline(h);
    }
    bool known = true;
    for (size_t k = 0; k < t->n_columns; k++)
        known = known && !isnan(missing[k]);
    if (known || t->is_table1)
        put_missing(h, t, missing);
}

bool page_table1(struct html *h, const struct report *report, const struct report_analysis *analysis,
                 struct arena *arena)
{
    struct table1 t = {.report = report, .analysis = analysis, .labels = labels_of(report, arena)};
    t.is_table1 = strcmp(analysis->method, "table1") == 0;
    if ((!t.is_table1 && strcmp(analysis->method, "describe") != 0) || analysis->result == NULL ||
        (analysis->asked != NULL && result_get(analysis->asked, "weights") != NULL))
        return false;
    t.rows = result_get(analysis->result, "variables");
    if (t.rows == NULL || t.rows->kind != RESULT_LIST || !read_groups(&t))
        return false;
    find_differences(&t);
    for (size_t i = 0; i < t.rows->n; i++)
        t.has_p = t.has_p || !isnan(p_of(&t, result_text(t.rows->items[i], "variable")));
    html_open(h, "div");
    html_set(h, "class", "scroll");
    html_open(h, "table");
    html_open(h, "thead");
    html_open(h, "tr");
    html_element(h, "th", NULL, "Characteristic");
    for (size_t k = 0; k < t.n_columns; k++) {
        html_open(h, "th");
        html_set(h, "class", "r");
        html_set(h, "scope", "col");
        html_text(h, t.by == NULL || t.columns[k] == NULL ? "All patients"
                                                          : labels_by(&t.labels, t.by, t.columns[k]));
        if (!isnan(t.n[k])) {
            html_open(h, "br");
            html_close(h);
            html_textf(h, "n = %.0f", t.n[k]);
        }
        html_close(h);
    }
    if (t.differences != NULL)
        html_element(h, "th", "r", "SMD");
    if (t.has_p)
        html_element(h, "th", "r", "p");
    html_close(h);
    html_close(h);
    html_newline(h);
    html_open(h, "tbody");
    for (size_t i = 0; i < t.rows->n; i++) {
        const char *variable = result_text(t.rows->items[i], "variable");
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = result_same(result_text(t.rows->items[j], "variable"), variable);
        if (seen)
            continue;
        if (result_text(t.rows->items[i], "value") == NULL)
            put_number(h, &t, variable);
        else
            put_category(h, &t, variable);
    }
    html_close(h);
    html_close(h);
    html_close(h);
    html_newline(h);
    return true;
}
