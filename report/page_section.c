/* One analysis of the page. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/cells.h"
#include "report/figures/figure.h"
#include "report/page.h"
#include "report/regression.h"
#include "report/words.h"

enum { UPRIGHT_COLUMNS = 5 };

/* One row of many columns reads better down the page. */
static void put_upright(struct html *h, const struct labels *labels, const struct report_analysis *a,
                        const struct report_table *table, const char *name)
{
    char buffer[WORDS_MAX];
    page_table_open(h, name);
    html_open(h, "tbody");
    for (size_t j = 0; j < table->n_columns; j++) {
        html_open(h, "tr");
        page_header(h, "row", NULL, cells_heading(buffer, labels, table->columns[j]));
        if (a->suppressed > 0 && report_withheld(table, 0, j))
            page_withheld(h);
        else
            html_element(h, "td", "r", cells_words(buffer, labels, a, table, 0, j));
        html_close(h);
        html_newline(h);
    }
    html_close(h);
    page_table_close(h);
}

static void put_table(struct html *h, const struct labels *labels, const struct report_analysis *a,
                      const struct report_table *table, const char *name)
{
    char buffer[WORDS_MAX];
    if (table->n_rows == 1 && table->n_columns > UPRIGHT_COLUMNS) {
        put_upright(h, labels, a, table, name);
        return;
    }
    page_table_open(h, name);
    html_open(h, "thead");
    html_open(h, "tr");
    for (size_t j = 0; j < table->n_columns; j++)
        if (!cells_told_by_level(table, j))
            page_header(h, "col", words_right(table, j) ? "r" : NULL,
                        cells_heading(buffer, labels, table->columns[j]));
    html_close(h);
    html_close(h);
    html_newline(h);
    html_open(h, "tbody");
    for (size_t i = 0; i < table->n_rows; i++) {
        html_open(h, "tr");
        for (size_t j = 0; j < table->n_columns; j++)
            if (cells_told_by_level(table, j))
                continue;
            else if (a->suppressed > 0 && report_withheld(table, i, j))
                page_withheld(h);
            else
                html_element(h, "td", words_right(table, j) ? "r" : NULL,
                             cells_words(buffer, labels, a, table, i, j));
        html_close(h);
        html_newline(h);
    }
    html_close(h);
    page_table_close(h);
}

/* --- a model's coefficients --- */

static void put_count(struct html *h, int64_t count)
{
    html_open(h, "td");
    html_set(h, "class", "r");
    if (count >= 0)
        html_textf(h, "%" PRId64, count);
    html_close(h);
}

static void put_regression(struct html *h, const struct regression *r, const char *name)
{
    char buffer[REGRESSION_WORDS];
    page_table_open(h, name);
    html_open(h, "thead");
    html_open(h, "tr");
    page_header(h, "col", NULL, "Characteristic");
    if (r->has_n)
        page_header(h, "col", "r", "n");
    if (r->has_event)
        page_header(h, "col", "r", "Events");
    html_open(h, "th");
    html_set(h, "scope", "col");
    html_set(h, "class", "r w");
    html_textf(h, "%s (%.0f%% CI)", r->abbreviation, 100 * r->level);
    html_close(h);
    page_header(h, "col", "r", r->p_words);
    html_close(h);
    html_close(h);
    html_newline(h);
    html_open(h, "tbody");
    for (size_t i = 0; i < r->n; i++) {
        const struct regression_row *row = &r->rows[i];
        html_open(h, "tr");
        html_set(h, "class", row->indented ? "i" : "f");
        page_header(h, "row", NULL, row->words);
        if (r->has_n)
            put_count(h, row->n);
        if (r->has_event)
            put_count(h, row->n_event);
        html_element(h, "td", row->reference ? "r w q" : "r w", regression_words(buffer, row));
        html_element(h, "td", "r w", regression_p(buffer, row->p_value));
        html_close(h);
        html_newline(h);
    }
    html_close(h);
    page_table_close(h);
}

/* --- figures --- */

static void put_figures(struct html *h, const struct report *report, const struct report_analysis *a,
                        struct arena *arena)
{
    for (const struct figure *f = figure_list(report, a, arena); f != NULL; f = f->next) {
        html_open(h, "figure");
        html_open(h, "div");
        html_set(h, "class", "wide");
        figure_draw(h, f, FIGURE_WIDE, arena_printf(arena, "w-%s", f->name), false);
        html_close(h);
        html_open(h, "div");
        html_set(h, "class", "narrow");
        figure_draw(h, f, FIGURE_NARROW, arena_printf(arena, "n-%s", f->name), false);
        html_close(h);
        html_open(h, "figcaption");
        html_text(h, f->title);
        html_text(h, ".");
        if (f->withheld)
            html_text(h, " Hatched: withheld to protect patients.");
        html_close(h);
        html_close(h);
        html_newline(h);
    }
}

/* --- notes --- */

/* words: of what each names; NULL: sentences as they are. */
static void put_notes(struct html *h, const char *before, const struct result *list, labels_words *words,
                      const struct labels *labels, const struct report_analysis *a)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        if (list->items[i]->kind != RESULT_STRING)
            continue;
        html_open(h, "li");
        html_text(h, before);
        html_text(h,
                  words == NULL ? list->items[i]->string : words(labels, a->frame, list->items[i]->string));
        html_close(h);
        html_newline(h);
    }
}

static void put_footnotes(struct html *h, const struct labels *labels, const struct report_analysis *a)
{
    bool any = a->suppressed > 0;
    const struct result *const lists[] = {a->warnings, a->dropped_levels, a->aliased};
    for (size_t i = 0; i < 3; i++)
        any = any || (lists[i] != NULL && lists[i]->n > 0);
    if (!any)
        return;
    html_open(h, "ul");
    html_set(h, "class", "notes");
    put_notes(h, "", a->warnings, NULL, labels, a);
    put_notes(h, "Left out, since nobody has it: ", a->dropped_levels, labels_dropped, labels, a);
    put_notes(h, "Left out, since it follows from the terms before it: ", a->aliased, cells_term, labels, a);
    if (a->suppressed > 0) {
        html_open(h, "li");
        html_open(h, "span");
        html_set(h, "class", "h key");
        html_set(h, "aria-hidden", "true");
        html_close(h);
        html_textf(h, " %" PRId64 " number%s withheld to protect patients: ", a->suppressed,
                   a->suppressed == 1 ? " is" : "s are");
        html_text(h, "too few stand behind a number, or another that is withheld would follow from it. Sums "
                     "and shares are of "
                     "what is shown.");
        html_close(h);
    }
    html_close(h);
    html_newline(h);
}

/* The analysis as it was asked: formula, groups, cohort. */
static void put_asked(struct html *h, const struct report_analysis *a)
{
    static const char *const keys[] = {"formula",   "variables", "variable", "by",
                                       "treatment", "family",    "cohort",   "weights"};
    bool any = false;
    for (size_t i = 0; a->asked != NULL && i < sizeof keys / sizeof *keys; i++) {
        const struct result *value = result_get(a->asked, keys[i]);
        if (value == NULL || (value->kind != RESULT_STRING && value->kind != RESULT_LIST))
            continue;
        html_text(h, any ? "; " : "");
        html_textf(h, "%s ", keys[i]);
        html_open(h, "code");
        if (value->kind == RESULT_STRING)
            html_text(h, value->string);
        for (size_t k = 0; value->kind == RESULT_LIST && k < value->n; k++)
            if (value->items[k]->kind == RESULT_STRING) {
                html_text(h, k == 0 ? "" : ", ");
                html_text(h, value->items[k]->string);
            }
        html_close(h);
        any = true;
    }
}

static void put_counts(struct html *h, const struct report_analysis *a)
{
    const struct {
        const char *words;
        int64_t count;
    } heads[] = {{" rows", a->n}, {" left out for missing values", a->n_missing}, {" events", a->n_event}};
    const struct result *missing = a->asked == NULL ? NULL : result_get(a->asked, "missing");
    bool first = true;
    html_open(h, "p");
    html_set(h, "class", "n");
    for (size_t i = 0; i < sizeof heads / sizeof *heads && a->status == ANALYSIS_OK; i++)
        if (heads[i].count > 0 || (heads[i].count == 0 && i != 1)) {
            html_textf(h, "%s%" PRId64 "%s", first ? "" : ", ", heads[i].count, heads[i].words);
            if (i == 1 && missing != NULL && missing->kind == RESULT_STRING)
                html_textf(h, " (missing: %s)", missing->string);
            first = false;
        }
    html_text(h, first ? "" : ". ");
    put_asked(h, a);
    const struct result *units = a->frame == NULL ? NULL : result_get(a->frame, "time_units");
    if (units != NULL && units->kind == RESULT_STRING && a->status == ANALYSIS_OK)
        html_textf(h, "; times in %s", units->string);
    const double landmark = a->asked == NULL ? NAN : result_number(a->asked, "landmark");
    if (!isnan(landmark))
        html_textf(h, ", from the landmark at %g", landmark);
    html_close(h);
    html_newline(h);
}

void page_section(struct html *h, const struct report *report, const struct report_analysis *a,
                  struct arena *arena)
{
    char buffer[WORDS_MAX];
    struct labels labels = labels_of(report, arena);
    page_section_open(h, arena_printf(arena, "a-%s", a->id),
                      arena_printf(arena, "%s: %s", page_method_name(a->method), a->id));
    put_counts(h, a);
    if (a->status != ANALYSIS_OK) {
        html_open(h, "p");
        html_set(h, "class", "no");
        html_text(h, words_status(a, arena));
        if (page_advice(a->rule) != NULL)
            html_textf(h, " What to do: %s", page_advice(a->rule));
        html_close(h);
    }
    const struct regression *model = regression_of(report, a, arena);
    put_figures(h, report, a, arena);
    if (model != NULL)
        put_regression(h, model, arena_printf(arena, "%s, coefficients", a->id));
    const struct regression *subgroups = subgroups_of(report, a, arena);
    if (subgroups != NULL) {
        const char *heading = arena_printf(arena, "%s in subgroups", subgroups->of);
        html_element(h, "h3", NULL, heading);
        put_regression(h, subgroups, arena_printf(arena, "%s, %s", a->id, heading));
    }
    bool described = page_table1(h, report, a, arena);
    for (const struct report_table *t = report_tables(a, arena); t != NULL; t = t->next) {
        const struct report_table *shown = report_split(t, arena);
        /* what was laid out above is kept as it is in the file, folded */
        bool folded = t->detail || (model != NULL && strcmp(t->part, "terms") == 0) ||
                      (described && (strcmp(a->method, "table1") == 0 || strcmp(t->part, "variables") == 0));
        if (shown == NULL)
            continue;
        if (folded)
            html_open(h, "details");
        html_open(h, folded ? "summary" : "h3");
        html_text(h, words_part(buffer, t->part));
        if (folded)
            html_textf(h, " (%zu rows)", t->n_rows);
        html_close(h);
        for (; shown != NULL; shown = shown->next)
            put_table(h, &labels, a, shown,
                      arena_printf(arena, "%s, %s", a->id, words_part(buffer, t->part)));
        if (folded)
            html_close(h);
    }
    put_footnotes(h, &labels, a);
    html_close(h);
    html_newline(h);
}
