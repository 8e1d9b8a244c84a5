/* Table 1 on the page (report/table1.h). */
#include <math.h>

#include "report/page.h"
#include "report/table1.h"

static void put_head(struct html *h, const struct table1 *t)
{
    html_open(h, "thead");
    html_open(h, "tr");
    page_header(h, "col", NULL, "Characteristic");
    for (size_t k = 0; k < t->n_columns; k++) {
        html_open(h, "th");
        html_set(h, "class", "r");
        html_set(h, "scope", "col");
        html_text(h, t->headings[k]);
        if (!isnan(t->n[k])) {
            html_open(h, "br");
            html_close(h);
            html_textf(h, "n = %.0f", t->n[k]);
        }
        html_close(h);
    }
    if (t->has_smd)
        page_header(h, "col", "r", "SMD");
    if (t->has_p)
        page_header(h, "col", "r", "p");
    html_close(h);
    html_close(h);
    html_newline(h);
}

static void put_row(struct html *h, const struct table1 *t, const struct table1_row *row)
{
    html_open(h, "tr");
    html_set(h, "class", row->indented ? "i" : "f");
    page_header(h, "row", NULL, row->words);
    for (size_t k = 0; k < t->n_columns; k++)
        if (row->cells[k] == NULL)
            page_withheld(h);
        else
            html_element(h, "td", "r w", row->cells[k]);
    if (t->has_smd)
        html_element(h, "td", "r", row->smd);
    if (t->has_p)
        html_element(h, "td", "r w", row->p);
    html_close(h);
    html_newline(h);
}

bool page_table1(struct html *h, const struct report *report, const struct report_analysis *analysis,
                 struct arena *arena)
{
    const struct table1 *t = table1_of(report, analysis, arena);
    if (t == NULL)
        return false;
    page_table_open(h, arena_printf(arena, "%s, table 1", analysis->id));
    put_head(h, t);
    html_open(h, "tbody");
    for (size_t i = 0; i < t->n_rows; i++)
        put_row(h, t, &t->rows[i]);
    html_close(h);
    page_table_close(h);
    return true;
}
