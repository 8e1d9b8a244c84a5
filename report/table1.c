#include "report/table1.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/regression.h"

/* What the table is made from. */
struct source {
    const struct report *report;
    const struct report_analysis *analysis;
    struct labels labels;
    const struct result *rows;
    const char *by, *columns[TABLE1_COLUMNS]; /* by NULL: one column of everybody */
    size_t n_columns;
    double n[TABLE1_COLUMNS];
    bool complete;                    /* of the method table1, which has all of it */
    const struct result *comparisons; /* of it; NULL: none */
    const struct result *differences; /* rows of `variable`, `value` and difference_key; NULL: none */
    const char *difference_key;
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

/* Patients of a column of a complete table. */
static double n_of_column(const struct source *t, const char *level)
{
    const struct result *groups = result_get(t->analysis->result, "groups");
    for (size_t i = 0; groups != NULL && i < groups->n; i++)
        if (result_same(result_text(groups->items[i], "level"), level))
            return result_number(groups->items[i], "n");
    return NAN;
}

static bool read_groups(struct source *t)
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
        if (k == TABLE1_COLUMNS)
            return false;
        if (k == t->n_columns) {
            t->columns[k] = level;
            t->n[k] = t->complete ? n_of_column(t, level) : NAN;
            t->n_columns++;
        }
        if (!t->complete && result_text(row, "value") == NULL &&
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

static const char *quartiles_words(const struct source *t, double q1, double median, double q3)
{
    return isnan(q1 + median + q3) ? NULL : arena_printf(t->labels.arena, "%.4g (%.4g–%.4g)", median, q1, q3);
}

/* The median and quartiles of a variable in a group, where the study asks for them. */
static const char *quartiles(const struct source *t, const char *variable, size_t column)
{
    if (t->complete) {
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

static void find_differences(struct source *t)
{
    t->difference_key = t->complete ? "smd" : "unweighted";
    if (t->complete) {
        t->comparisons = result_get(t->analysis->result, "comparisons");
        if (t->comparisons != NULL && t->comparisons->n > 0 &&
            result_get(t->comparisons->items[0], "smd") != NULL)
            t->differences = t->comparisons;
        return;
    }
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
static double p_of(const struct source *t, const char *variable)
{
    if (t->complete)
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

/* A new row, all of it empty. */
static struct table1_row *add_row(struct table1 *table, const char *words, bool indented)
{
    struct table1_row *row = &table->rows[table->n_rows++];
    *row = (struct table1_row){.words = words, .indented = indented, .smd = "", .p = ""};
    for (size_t k = 0; k < table->n_columns; k++)
        row->cells[k] = "";
    return row;
}

static const char *p_words(const struct source *t, const char *variable)
{
    char buffer[REGRESSION_WORDS];
    return arena_strdup(t->labels.arena, regression_p(buffer, p_of(t, variable)));
}

static const char *smd_words(const struct source *t, const char *variable, const char *value)
{
    double difference = t->differences == NULL
                            ? NAN
                            : result_number(find(t->differences, variable, NULL, value), t->difference_key);
    return isnan(difference) ? "" : arena_printf(t->labels.arena, "%.2f", fabs(difference));
}

static void add_missing(struct table1 *table, const struct source *t, const double *missing)
{
    bool any = false, all_known = true;
    for (size_t k = 0; k < t->n_columns; k++) {
        any = any || missing[k] > 0;
        all_known = all_known && !isnan(missing[k]);
    }
    if (!any && all_known)
        return;
    struct table1_row *row = add_row(table, "Missing", true);
    for (size_t k = 0; k < t->n_columns; k++)
        row->cells[k] = isnan(missing[k]) ? NULL : arena_printf(t->labels.arena, "%.0f", missing[k]);
}

/* One row of a number; NULL: withheld. */
static struct table1_row *add_values(struct table1 *table, const char *words, bool indented,
                                     const char *const *cells)
{
    struct table1_row *row = add_row(table, words, indented);
    memcpy(row->cells, cells, table->n_columns * sizeof *cells);
    return row;
}

static void add_number(struct table1 *table, const struct source *t, const char *variable)
{
    struct arena *arena = t->labels.arena;
    const char *means[TABLE1_COLUMNS] = {NULL}, *medians[TABLE1_COLUMNS] = {NULL};
    const char *label = labels_with_units(&t->labels, variable);
    double missing[TABLE1_COLUMNS];
    bool has_quartiles = false;
    for (size_t k = 0; k < t->n_columns; k++) {
        const struct result *own = find(t->rows, variable, t->columns[k], NULL);
        double mean = result_number(own, "mean"), sd = result_number(own, "sd");
        const int decimals = sd >= 1 ? 1 : 2;
        missing[k] = own == NULL ? 0 : result_number(own, "missing");
        medians[k] = own == NULL ? "–" : quartiles(t, variable, k);
        has_quartiles = has_quartiles || (own != NULL && (medians[k] != NULL || t->complete));
        means[k] = own == NULL   ? "–"
                   : isnan(mean) ? NULL
                                 : arena_printf(arena, "%.*f (%.*f)", decimals, mean, decimals, sd);
    }
    const char *asked = t->complete ? result_text(t->analysis->asked, "statistics") : NULL;
    has_quartiles = has_quartiles && !result_same(asked, "mean");
    const bool only_medians = result_same(asked, "median");
    struct table1_row *first =
        only_medians ? add_values(table, arena_printf(arena, "%s, median (Q1–Q3)", label), false, medians)
                     : add_values(table, arena_printf(arena, "%s, mean (SD)", label), false, means);
    first->smd = smd_words(t, variable, NULL);
    first->p = p_words(t, variable);
    if (has_quartiles && !only_medians)
        add_values(table, "median (Q1–Q3)", true, medians);
    add_missing(table, t, missing);
}

static void add_category(struct table1 *table, const struct source *t, const char *variable)
{
    struct arena *arena = t->labels.arena;
    double missing[TABLE1_COLUMNS];
    memcpy(missing, t->n, sizeof missing);
    add_row(table, arena_printf(arena, "%s, n (%%)", labels_with_units(&t->labels, variable)), false)->p =
        p_words(t, variable);
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
        struct table1_row *row = add_row(table, labels_level(&t->labels, variable, value), true);
        for (size_t k = 0; k < t->n_columns; k++) {
            const struct result *own = find(t->rows, variable, t->columns[k], value);
            double n = own == NULL ? 0 : result_number(own, "n"), share = result_number(own, "share");
            missing[k] = !t->complete ? missing[k] - n : own == NULL ? 0 : result_number(own, "missing");
            row->cells[k] = isnan(n)       ? NULL
                            : isnan(share) ? arena_printf(arena, "%.0f", n)
                                           : arena_printf(arena, "%.0f (%.1f%%)", n, 100 * share);
        }
        row->smd = smd_words(t, variable, value);
    }
    bool known = true;
    for (size_t k = 0; k < t->n_columns; k++)
        known = known && !isnan(missing[k]);
    if (known || t->complete)
        add_missing(table, t, missing);
}

const struct table1 *table1_of(const struct report *report, const struct report_analysis *analysis,
                               struct arena *arena)
{
    struct source t = {.report = report, .analysis = analysis, .labels = labels_of(report, arena)};
    t.complete = strcmp(analysis->method, "table1") == 0;
    if ((!t.complete && strcmp(analysis->method, "describe") != 0) || analysis->result == NULL ||
        (analysis->asked != NULL && result_get(analysis->asked, "weights") != NULL))
        return NULL;
    t.rows = result_get(analysis->result, "variables");
    if (t.rows == NULL || t.rows->kind != RESULT_LIST || !read_groups(&t))
        return NULL;
    find_differences(&t);
    struct table1 *table = arena_alloc(arena, sizeof *table);
    *table = (struct table1){.n_columns = t.n_columns, .has_smd = t.differences != NULL};
    /* at most a heading, a median and a line of missing values for each row of the result */
    table->rows = arena_array(arena, 3 * t.rows->n + 1, sizeof *table->rows);
    for (size_t k = 0; k < t.n_columns; k++) {
        table->headings[k] =
            t.by == NULL || t.columns[k] == NULL ? "All patients" : labels_by(&t.labels, t.by, t.columns[k]);
        table->n[k] = t.n[k];
    }
    for (size_t i = 0; i < t.rows->n; i++)
        table->has_p = table->has_p || !isnan(p_of(&t, result_text(t.rows->items[i], "variable")));
    for (size_t i = 0; i < t.rows->n; i++) {
        const char *variable = result_text(t.rows->items[i], "variable");
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = result_same(result_text(t.rows->items[j], "variable"), variable);
        if (seen)
            continue;
        if (result_text(t.rows->items[i], "value") == NULL)
            add_number(table, &t, variable);
        else
            add_category(table, &t, variable);
    }
    return table;
}
