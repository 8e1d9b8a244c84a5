/* The main tables in columns of a terminal, with the dictionary's words. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report/cells.h"
#include "report/grid.h"
#include "report/page.h"
#include "report/regression.h"
#include "report/table1.h"

enum { ROWS_SHOWN = 40, BARS = 30 };

struct terminal {
    FILE *to;
    int width;
    struct labels labels;
    struct arena *arena;
};

static const char withheld[] = "withheld";

/* A sentence of its own lines. */
static void say(const struct terminal *t, int indent, const char *text)
{
    fprintf(t->to, "%*s", indent, "");
    grid_paragraph(t->to, text, indent, indent, t->width);
    fputc('\n', t->to);
}

/* Sites that the study names and that are not in the numbers. */
static void put_missing_sites(const struct terminal *t, const struct report *report)
{
    const struct result *missing = report->roster == NULL ? NULL : result_get(report->roster, "missing");
    for (size_t i = 0; missing != NULL && missing->kind == RESULT_LIST && i < missing->n; i++) {
        const char *site = result_text(missing->items[i], "site"),
                   *since = result_text(missing->items[i], "since"),
                   *reason = result_text(missing->items[i], "reason");
        if (missing->items[i]->kind == RESULT_OBJECT)
            say(t, 0,
                arena_printf(t->arena, "missing: %s%s%s%s%s", site == NULL ? "a site" : site,
                             since == NULL ? "" : " since ", since == NULL ? "" : since,
                             reason == NULL ? "" : ": ", reason == NULL ? "" : reason));
    }
}

static void put_head(const struct terminal *t, const struct report *report)
{
    const char *date = report->date == NULL || strlen(report->date) < 16
                           ? ""
                           : arena_printf(t->arena, ", %.10s %.5s UTC", report->date, report->date + 11);
    if (report->title != NULL && *report->title != '\0')
        say(t, 0, report->title);
    say(t, 0,
        arena_printf(t->arena, "%s, %" PRId64 " %s%s", report->study, report->n_sites,
                     report->n_sites == 1 ? "site" : "sites", date));
    if (report->synthetic)
        say(t, 0, REPORT_SYNTHETIC ".");
    put_missing_sites(t, report);
    fputc('\n', t->to);
}

/* --- what is laid out as papers print it --- */

static const char *count_words(const struct terminal *t, int64_t count)
{
    return count < 0 ? "" : arena_printf(t->arena, "%" PRId64, count);
}

static void put_regression(const struct terminal *t, const struct regression *r)
{
    struct grid *grid = grid_new(t->arena);
    char buffer[REGRESSION_WORDS];
    size_t n = 0, n_event = 0;
    grid_column(grid, "Characteristic", false);
    if (r->has_n)
        n = grid_column(grid, "n", true);
    if (r->has_event)
        n_event = grid_column(grid, "Events", true);
    size_t estimate =
        grid_column(grid, arena_printf(t->arena, "%s (%.0f%% CI)", r->abbreviation, 100 * r->level), true);
    size_t p = grid_column(grid, r->p_words, true);
    for (size_t i = 0; i < r->n; i++) {
        const struct regression_row *row = &r->rows[i];
        size_t at = grid_row(grid);
        grid_set(grid, at, 0, arena_printf(t->arena, "%s%s", row->indented ? "  " : "", row->words));
        if (r->has_n)
            grid_set(grid, at, n, count_words(t, row->n));
        if (r->has_event)
            grid_set(grid, at, n_event, count_words(t, row->n_event));
        grid_set(grid, at, estimate, arena_strdup(t->arena, regression_words(buffer, row)));
        grid_set(grid, at, p, arena_strdup(t->arena, regression_p(buffer, row->p_value)));
    }
    grid_print(t->to, grid, SIZE_MAX, t->width);
}

static void put_table1(const struct terminal *t, const struct table1 *table)
{
    struct grid *grid = grid_new(t->arena);
    grid_column(grid, "Characteristic", false);
    for (size_t k = 0; k < table->n_columns; k++)
        grid_column(grid,
                    isnan(table->n[k])
                        ? table->headings[k]
                        : arena_printf(t->arena, "%s n = %.0f", table->headings[k], table->n[k]),
                    true);
    size_t smd = table->has_smd ? grid_column(grid, "SMD", true) : 0;
    size_t p = table->has_p ? grid_column(grid, "p", true) : 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct table1_row *row = &table->rows[i];
        size_t at = grid_row(grid);
        grid_set(grid, at, 0, arena_printf(t->arena, "%s%s", row->indented ? "  " : "", row->words));
        for (size_t k = 0; k < table->n_columns; k++)
            grid_set(grid, at, k + 1, row->cells[k] == NULL ? withheld : row->cells[k]);
        if (table->has_smd)
            grid_set(grid, at, smd, row->smd);
        if (table->has_p)
            grid_set(grid, at, p, row->p);
    }
    grid_print(t->to, grid, SIZE_MAX, t->width);
}

/* --- tables as they are in the result --- */

/* An estimate and its limits are read together: "4079 (3926 to 4353)". */
static const struct {
    const char *estimate, *low, *high;
    bool is_confidence; /* of the analysis's conf_level; else bounds of another kind */
} intervals[] = {{"median", "median_low", "median_high", true},
                 {"estimate", "conf_low", "conf_high", true},
                 {"rate", "conf_low", "conf_high", true},
                 {"sir_ratio", "sir_conf_low", "sir_conf_high", true},
                 {"standardised_rate", "standardised_conf_low", "standardised_conf_high", true},
                 {"concordance_estimate", "concordance_low", "concordance_high", false}};

static size_t column_named(const struct report_table *table, const char *name)
{
    size_t j = 0;
    while (j < table->n_columns && strcmp(table->columns[j], name) != 0)
        j++;
    return j;
}

/* The columns of the limits of column j (n_columns: nowhere there, so this table has no such column); false
 * where it has none in this table. */
static bool limits_of(size_t *low, size_t *high, bool *is_confidence, const struct report_table *table,
                      size_t j)
{
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++)
        if (strcmp(table->columns[j], intervals[i].estimate) == 0) {
            *low = column_named(table, intervals[i].low);
            *high = column_named(table, intervals[i].high);
            *is_confidence = intervals[i].is_confidence;
            if (*low < table->n_columns || *high < table->n_columns)
                return true;
        }
    return false;
}

/* Said beside another column. */
static bool is_limit(const struct report_table *table, size_t j)
{
    if (strcmp(table->columns[j], "rmst_tau") == 0 || strcmp(table->columns[j], "rmst_std_error") == 0)
        return column_named(table, "rmst_estimate") < table->n_columns;
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++)
        if ((strcmp(table->columns[j], intervals[i].low) == 0 ||
             strcmp(table->columns[j], intervals[i].high) == 0) &&
            column_named(table, intervals[i].estimate) < table->n_columns)
            return true;
    return false;
}

static double confidence_of(const struct report_analysis *a)
{
    const struct result *level = a->asked == NULL ? NULL : result_get(a->asked, "conf_level");
    return level != NULL && level->kind == RESULT_NUMBER ? level->number : 0.95;
}

/* `by` of every row, where it is the same. */
static const char *only_by(const struct report_table *table)
{
    size_t by = column_named(table, "by");
    const char *only = NULL;
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct result *cell = report_cell(table, i, by);
        if (cell == NULL || cell->kind != RESULT_STRING || (only != NULL && strcmp(only, cell->string) != 0))
            return NULL;
        only = cell->string;
    }
    return only;
}

static const char *one_cell(const struct terminal *t, const struct report_analysis *a,
                            const struct report_table *table, size_t row, size_t column)
{
    char buffer[WORDS_MAX];
    const struct result *cell = report_cell(table, row, column);
    if (a->suppressed > 0 && report_withheld(table, row, column))
        return withheld;
    const char *by = strcmp(table->columns[column], "level") == 0 ? only_by(table) : NULL;
    if (by != NULL && strchr(by, ',') == NULL && cell != NULL && cell->kind == RESULT_STRING)
        return labels_level(&t->labels, by, cell->string); /* the heading says whose it is */
    if (strcmp(table->columns[column], "probs") == 0 && cell != NULL && cell->kind == RESULT_NUMBER)
        return arena_printf(t->arena, "%.10g%%", 100 * cell->number);
    if ((cell == NULL || cell->kind == RESULT_NULL) && strncmp(table->columns[column], "median", 6) == 0)
        return "not reached";
    return arena_strdup(t->arena, cells_words(buffer, &t->labels, a, table, row, column));
}

/* A limit of column j; no row of the table has one where its column is not there. */
static const char *limit_of(const struct terminal *t, const struct report_analysis *a,
                            const struct report_table *table, size_t row, size_t j, size_t limit)
{
    if (limit < table->n_columns)
        return one_cell(t, a, table, row, limit);
    return strcmp(table->columns[j], "median") == 0 ? "not reached" : "–";
}

static const char *cell_of(const struct terminal *t, const struct report_analysis *a,
                           const struct report_table *table, size_t row, size_t column)
{
    size_t low, high;
    bool is_confidence;
    const char *text = one_cell(t, a, table, row, column);
    const size_t error = column_named(table, "rmst_std_error");
    if (text != withheld && strcmp(table->columns[column], "rmst_estimate") == 0 && error < table->n_columns)
        return arena_printf(t->arena, "%s (%s)", text, one_cell(t, a, table, row, error));
    if (text == withheld || !limits_of(&low, &high, &is_confidence, table, column))
        return text;
    return arena_printf(t->arena, "%s (%s to %s)", text, limit_of(t, a, table, row, column, low),
                        limit_of(t, a, table, row, column, high));
}

/* "size,chemo" → "Tumour size (mm), Chemotherapy". */
static const char *by_words(const struct terminal *t, const char *by)
{
    const char *words = "";
    while (*by != '\0') {
        size_t length = strcspn(by, ",");
        words = arena_printf(t->arena, "%s%s%s", words, *words == '\0' ? "" : ", ",
                             labels_with_units(&t->labels, arena_strndup(t->arena, by, length)));
        by += length + (by[length] == ',');
    }
    return words;
}

static const char *heading_of(const struct terminal *t, const struct report_analysis *a,
                              const struct report_table *table, size_t column)
{
    char buffer[WORDS_MAX];
    size_t low, high;
    bool is_confidence;
    const char *by = strcmp(table->columns[column], "level") == 0 ? only_by(table) : NULL;
    if (by != NULL)
        return by_words(t, by);
    const char *words = arena_strdup(t->arena, cells_heading(buffer, &t->labels, table->columns[column]));
    const size_t tau = column_named(table, "rmst_tau");
    if (strcmp(table->columns[column], "rmst_estimate") == 0 && tau < table->n_columns)
        return arena_printf(t->arena, "%s to %s (SE)", words, one_cell(t, a, table, 0, tau));
    if (!limits_of(&low, &high, &is_confidence, table, column))
        return words;
    return is_confidence ? arena_printf(t->arena, "%s (%.0f%% CI)", words, 100 * confidence_of(a))
                         : arena_printf(t->arena, "%s (bounds)", words);
}

/* One row as a sentence: "AIC: 18279; Ties: efron"; a test: "Wald: Statistic 631.0; df 9; p <0.001". */
static void put_upright(const struct terminal *t, const struct report_analysis *a,
                        const struct report_table *table, size_t row)
{
    const bool named = strcmp(table->columns[0], "test") == 0;
    const char *words = named ? arena_printf(t->arena, "%s:", cell_of(t, a, table, row, 0)) : "";
    size_t n = 0;
    for (size_t j = named; j < table->n_columns; j++)
        if (!is_limit(table, j) && !cells_told_by_level(table, j))
            words = arena_printf(t->arena, "%s%s%s%s %s", words,
                                 n++ > 0 ? "; "
                                 : named ? " "
                                         : "",
                                 heading_of(t, a, table, j), named ? "" : ":", cell_of(t, a, table, row, j));
    say(t, 2, words);
}

/* Columns that a reader on a terminal does without. */
static bool is_skipped(const struct report_table *table, size_t j)
{
    return is_limit(table, j) || cells_told_by_level(table, j) ||
           strcmp(table->columns[j], "resolution") == 0;
}

/* A bar as long as the row's share of the greatest count. */
static const char *bar_of(const struct terminal *t, const struct report_table *table, size_t row,
                          size_t counts)
{
    int64_t most = 1;
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct result *cell = report_cell(table, i, counts);
        if (cell != NULL && cell->kind == RESULT_INTEGER && cell->integer > most)
            most = cell->integer;
    }
    const struct result *own = report_cell(table, row, counts);
    const char *bar = "";
    if (own != NULL && own->kind == RESULT_INTEGER)
        for (int64_t k = 0; k < (own->integer * BARS + most - 1) / most; k++)
            bar = arena_printf(t->arena, "%s█", bar);
    return bar;
}

/* Wide: the values of `across` become columns, each with its `value`; rows that agree in all else are one.
 * False where there are so many that it would not be read. */
static bool put_across(const struct terminal *t, const struct report_analysis *a,
                       const struct report_table *table, size_t across, size_t value, const char *corner)
{
    struct grid *grid = grid_new(t->arena);
    const char **names = arena_array(t->arena, table->n_rows + 1, sizeof *names);
    size_t n_names = 0, n_keys = 0;
    size_t *keys = arena_array(t->arena, table->n_columns + 1, sizeof *keys);
    for (size_t j = 0; j < table->n_columns; j++)
        if (j != across && j != value && !is_skipped(table, j)) {
            grid_column(grid, n_keys == 0 && corner != NULL ? corner : heading_of(t, a, table, j),
                        words_right(table, j));
            keys[n_keys++] = j;
        }
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *name = one_cell(t, a, table, i, across);
        size_t k = 0;
        while (k < n_names && strcmp(names[k], name) != 0)
            k++;
        if (k == n_names)
            names[n_names++] = name;
    }
    if (n_names > TABLE1_COLUMNS)
        return false;
    for (size_t k = 0; k < n_names; k++)
        grid_column(grid, names[k], true);
    for (size_t i = 0; i < table->n_rows; i++) {
        size_t row = 0, k = 0;
        for (; row < grid_rows(grid); row++) {
            bool same = true;
            for (size_t j = 0; j < n_keys; j++)
                same = same && strcmp(grid_text(grid, row, j), one_cell(t, a, table, i, keys[j])) == 0;
            if (same)
                break;
        }
        if (row == grid_rows(grid)) {
            grid_row(grid);
            for (size_t j = 0; j < n_keys; j++)
                grid_set(grid, row, j, one_cell(t, a, table, i, keys[j]));
        }
        while (strcmp(names[k], one_cell(t, a, table, i, across)) != 0)
            k++;
        grid_set(grid, row, n_keys + k, one_cell(t, a, table, i, value));
    }
    grid_print(t->to, grid, ROWS_SHOWN, t->width);
    return true;
}

static void put_table(const struct terminal *t, const struct report_analysis *a,
                      const struct report_table *table)
{
    const size_t n = table->n_columns, probs = column_named(table, "probs"),
                 values = column_named(table, "values"), counts = column_named(table, "counts");
    size_t *columns = arena_array(t->arena, n + 1, sizeof *columns), shown = 0;
    struct grid *grid = grid_new(t->arena);
    if (probs < n && values < n && put_across(t, a, table, probs, values, NULL))
        return;
    if (strcmp(table->part, "counts") == 0 && n == 3) { /* a cross table of two variables */
        const char *corner =
            arena_printf(t->arena, "%s / %s", heading_of(t, a, table, 0), heading_of(t, a, table, 1));
        if (put_across(t, a, table, 1, 2, corner))
            return;
    }
    for (size_t j = 0; j < n; j++)
        if (!is_skipped(table, j)) {
            grid_column(grid, heading_of(t, a, table, j), words_right(table, j));
            columns[shown++] = j;
        }
    const bool bars = counts < n && column_named(table, "breaks_low") < n;
    if (bars)
        grid_column(grid, "", false);
    for (size_t i = 0; i < table->n_rows && i <= ROWS_SHOWN; i++) {
        grid_row(grid);
        for (size_t k = 0; k < shown; k++)
            grid_set(grid, i, k, cell_of(t, a, table, i, columns[k]));
        if (bars)
            grid_set(grid, i, shown, bar_of(t, table, i, counts));
    }
    grid_print(t->to, grid, ROWS_SHOWN, t->width);
    if (table->n_rows > ROWS_SHOWN + 1)
        say(t, 2, arena_printf(t->arena, "(%zu rows in all: see --json, --csv)", table->n_rows));
}

/* --- one analysis --- */

/* "2966 rows, 1259 events; Surv(dtime, death) ~ chemo; times in days". */
static void put_counts(const struct terminal *t, const struct report_analysis *a)
{
    const char *formula = result_text(a->asked, "formula"), *cohort = result_text(a->asked, "cohort"),
               *units = result_text(a->frame, "time_units"), *rule = result_text(a->asked, "missing"),
               *words = "", *missing = rule == NULL ? "" : arena_printf(t->arena, " (missing: %s)", rule);
    const double landmark = a->asked == NULL ? NAN : result_number(a->asked, "landmark");
    if (a->status == ANALYSIS_OK && a->n >= 0)
        words = arena_printf(t->arena, "%" PRId64 " rows", a->n);
    if (a->status == ANALYSIS_OK && a->n_event >= 0)
        words =
            arena_printf(t->arena, "%s%s%" PRId64 " events", words, *words == '\0' ? "" : ", ", a->n_event);
    if (a->status == ANALYSIS_OK && a->n_missing > 0)
        words = arena_printf(t->arena, "%s%s%" PRId64 " left out for missing values%s", words,
                             *words == '\0' ? "" : ", ", a->n_missing, missing);
    if (formula != NULL)
        words = arena_printf(t->arena, "%s%s%s", words, *words == '\0' ? "" : "; ", formula);
    if (cohort != NULL)
        words = arena_printf(t->arena, "%s%scohort %s", words, *words == '\0' ? "" : "; ", cohort);
    if (units != NULL && a->status == ANALYSIS_OK)
        words = arena_printf(t->arena, "%s; times in %s", words, units);
    if (!isnan(landmark))
        words = arena_printf(t->arena, "%s, from the landmark at %g", words, landmark);
    if (*words != '\0')
        say(t, 2, words);
}

/* words: of what each names; NULL: sentences as they are. */
static void put_notes(const struct terminal *t, const char *before, const struct result *list,
                      labels_words *words, const struct report_analysis *a)
{
    for (size_t i = 0; list != NULL && list->kind == RESULT_LIST && i < list->n; i++)
        if (list->items[i]->kind == RESULT_STRING)
            say(t, 2,
                arena_printf(t->arena, "%s: %s", before,
                             words == NULL ? list->items[i]->string
                                           : words(&t->labels, a->frame, list->items[i]->string)));
}

static void put_analysis(const struct terminal *t, const struct report *report,
                         const struct report_analysis *a)
{
    say(t, 0, arena_printf(t->arena, "%s: %s", a->id, page_method_name(a->method)));
    put_counts(t, a);
    if (a->status != ANALYSIS_OK) {
        say(t, 2, words_status(a, t->arena));
        if (page_advice(a->rule) != NULL)
            say(t, 2, arena_printf(t->arena, "What to do: %s", page_advice(a->rule)));
        return;
    }
    const struct regression *model = regression_of(report, a, t->arena);
    const struct table1 *described = table1_of(report, a, t->arena);
    bool any = model != NULL || described != NULL, columns = any; /* said so far; and last, in columns */
    const struct regression *subgroups = subgroups_of(report, a, t->arena);
    if (model != NULL)
        put_regression(t, model);
    if (subgroups != NULL) {
        fputc('\n', t->to);
        say(t, 2, arena_printf(t->arena, "%s in subgroups", subgroups->of));
        put_regression(t, subgroups);
    }
    if (described != NULL)
        put_table1(t, described);
    for (const struct report_table *table = report_tables(a, t->arena); table != NULL; table = table->next) {
        if (table->detail || (model != NULL && strcmp(table->part, "terms") == 0) ||
            (described != NULL &&
             (strcmp(a->method, "table1") == 0 || strcmp(table->part, "variables") == 0)))
            continue;
        const bool upright = strcmp(table->part, "summary") == 0 || strcmp(table->part, "tests") == 0;
        if (upright && columns) /* room after what stands in columns */
            fputc('\n', t->to);
        for (const struct report_table *shown = report_split(table, t->arena); shown != NULL;
             shown = shown->next) {
            if (!upright && any)
                fputc('\n', t->to);
            any = true;
            columns = !upright;
            for (size_t i = 0; upright && i < shown->n_rows; i++)
                put_upright(t, a, shown, i);
            if (!upright)
                put_table(t, a, shown);
        }
    }
    put_notes(t, "left out, nobody has it", a->dropped_levels, labels_dropped, a);
    put_notes(t, "left out, it follows from the terms before it", a->aliased, cells_term, a);
    put_notes(t, "note", a->warnings, NULL, a);
    if (a->suppressed > 0)
        say(t, 2,
            arena_printf(t->arena, "note: %" PRId64 " %s withheld to protect patients", a->suppressed,
                         a->suppressed == 1 ? "number is" : "numbers are"));
}

void report_terminal(FILE *to, const struct report *report, int width)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        return;
    const struct terminal t = {.to = to, .width = width, .labels = labels_of(report, arena), .arena = arena};
    put_head(&t, report);
    for (size_t i = 0; i < report->n_analyses; i++) {
        if (i > 0)
            fputc('\n', to);
        put_analysis(&t, report, &report->analyses[i]);
    }
    if (report->synthetic) /* the end of a long output is what stays on the screen */
        fprintf(to, "\n%s.\n", REPORT_SYNTHETIC);
    arena_free(arena);
}
