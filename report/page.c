#include <inttypes.h>
#include <string.h>

#include "report/words.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:#1d2733;background:#fff;"
    "max-width:62rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem}h2{font-size:1.25rem;margin:2.8rem 0 "
    ".2rem;padding-top:.9rem;"
    "border-top:1px solid #d5dce4}h3{font-size:1rem;margin:1.4rem 0 .3rem;color:#40505f}"
    ".lead,.n{color:#5a6b7b;margin:.1rem 0 1rem}dl{display:grid;grid-template-columns:max-content "
    "1fr;gap:.2rem 1.4rem;"
    "margin:1.2rem 0}dt{color:#5a6b7b}dd{margin:0;overflow-wrap:anywhere}"
    ".scroll{overflow-x:auto;margin-bottom:1rem}table{border-collapse:collapse;font-size:.92rem;font-variant-"
    "numeric:tabular-nums}"
    ".h{background:repeating-linear-gradient(45deg,#fff 0 3px,#b9c4cf 3px "
    "4.5px)}.h.key{display:inline-block;width:1.6em;"
    "height:.9em;vertical-align:-.1em;border:1px solid #b9c4cf}"
    "th,td{padding:.28rem .9rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #e8edf2}"
    "th{font-weight:600;border-bottom:2px solid #9fb0bf}.r{text-align:right}"
    "code,pre{font:.86em/1.45 ui-monospace,'DejaVu Sans "
    "Mono',monospace}pre{white-space:pre-wrap;background:#f5f7f9;"
    "padding:1rem;border-radius:4px}.no{background:#fdf3e7;border-left:4px solid #d98324;padding:.6rem 1rem}"
    ".notes{font-size:.9rem;color:#40505f;padding-left:1.1rem}summary{cursor:pointer;color:#235a8c;margin:."
    "6rem 0}"
    "nav a{margin-right:1.1rem}a{color:#235a8c}footer{margin-top:3rem;color:#5a6b7b;font-size:.85rem}"
    "@media print{body{padding:0;max-width:none}details{display:none}nav{display:none}}";

/* --- pieces --- */

static void put(struct bytes *out, const char *markup)
{
    bytes_put(out, markup, strlen(markup));
}

/* Text between tags or inside a quoted attribute. Bytes that XML does not know (control characters) become
 * U+FFFD. */
static void put_text(struct bytes *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            put(out, "&amp;");
        else if (c == '<')
            put(out, "&lt;");
        else if (c == '>')
            put(out, "&gt;");
        else if (c == '"')
            put(out, "&quot;");
        else if (c == '\'')
            put(out, "&#39;");
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            put(out, "\xEF\xBF\xBD");
        else
            bytes_put_u8(out, c);
    }
}

static void put_number(struct bytes *out, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    put(out, text);
}

/* A row of the list of facts; nothing for NULL or "". */
static void put_fact(struct bytes *out, const char *name, const char *value, bool code)
{
    if (value == NULL || *value == '\0')
        return;
    put(out, "<dt>");
    put_text(out, name);
    put(out, code ? "</dt><dd><code>" : "</dt><dd>");
    put_text(out, value);
    put(out, code ? "</code></dd>\n" : "</dd>\n");
}

static void open_cell(struct bytes *out, const char *tag, bool right)
{
    put(out, "<");
    put(out, tag);
    put(out, right ? " class=\"r\">" : ">");
}

/* A number that is withheld: hatched, and said to who cannot see it. */
static void put_withheld(struct bytes *out)
{
    put(out, "<td class=\"h\" title=\"withheld\" aria-label=\"withheld\"></td>");
}

/* --- tables --- */

/* withheld: are there numbers that are? */
static void put_table(struct bytes *out, const struct report_table *table, bool withheld, const char *ratio)
{
    char buffer[WORDS_MAX];
    put(out, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t j = 0; j < table->n_columns; j++) {
        open_cell(out, "th", words_right(table, j));
        put_text(out, words_column(buffer, table->columns[j]));
        put(out, "</th>");
    }
    if (ratio != NULL) {
        put(out, "<th class=\"r\">");
        put_text(out, ratio);
        put(out, "</th>");
    }
    put(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < table->n_rows; i++) {
        put(out, "<tr>");
        for (size_t j = 0; j < table->n_columns; j++) {
            if (withheld && report_withheld(table, i, j)) {
                put_withheld(out);
                continue;
            }
            open_cell(out, "td", words_right(table, j));
            put_text(out, words_cell(buffer, table->columns[j], report_cell(table, i, j)));
            put(out, "</td>");
        }
        if (ratio != NULL) {
            open_cell(out, "td", true);
            put_text(out, words_ratio_cell(buffer, table, i));
            put(out, "</td>");
        }
        put(out, "</tr>\n");
    }
    put(out, "</tbody></table></div>\n");
}

static void put_notes(struct bytes *out, const char *before, const struct result *list)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        if (list->items[i]->kind != RESULT_STRING)
            continue;
        put(out, "<li>");
        put_text(out, before);
        put_text(out, list->items[i]->string);
        put(out, "</li>\n");
    }
}

static void put_footnotes(struct bytes *out, const struct report_analysis *a)
{
    bool any = a->suppressed > 0 || a->grid_merged;
    const struct result *const lists[] = {a->warnings, a->dropped_levels, a->aliased};
    for (size_t i = 0; i < 3; i++)
        any = any || (lists[i] != NULL && lists[i]->n > 0);
    if (!any)
        return;
    put(out, "<ul class=\"notes\">\n");
    put_notes(out, "", a->warnings);
    put_notes(out, "Left out, since nobody has it: ", a->dropped_levels);
    put_notes(out, "Left out, since it follows from the terms before it: ", a->aliased);
    if (a->suppressed > 0) {
        put(out, "<li><span class=\"h key\"></span> ");
        put_number(out, a->suppressed);
        put(out, a->suppressed == 1 ? " number is" : " numbers are");
        put(out, " withheld to protect patients: too few stand behind a number, or another that is withheld "
                 "would follow from "
                 "it. Sums and shares are of what is shown.</li>\n");
    }
    if (a->grid_merged)
        put(out, "<li>Neighbouring steps of the time grid were joined until each held enough events.</li>\n");
    put(out, "</ul>\n");
}

/* --- sections --- */

static void put_analysis(struct bytes *out, const struct report_analysis *a, struct arena *arena)
{
    char buffer[WORDS_MAX];
    const struct {
        const char *words;
        int64_t count;
    } heads[] = {{" rows", a->n}, {" left out for missing values", a->n_missing}, {" events", a->n_event}};
    bool first = true;
    put(out, "<section id=\"a-");
    put_text(out, a->id);
    put(out, "\">\n<h2>");
    put_text(out, a->id);
    put(out, "</h2>\n<p class=\"n\">");
    put_text(out, a->method);
    for (size_t i = 0; i < sizeof heads / sizeof *heads && a->status == ANALYSIS_OK; i++)
        if (heads[i].count > 0 || (heads[i].count == 0 && i != 1)) {
            put(out, first ? ": " : ", ");
            put_number(out, heads[i].count);
            put(out, heads[i].words);
            first = false;
        }
    put(out, "</p>\n");
    if (a->status != ANALYSIS_OK) {
        put(out, "<p class=\"no\">");
        put_text(out, words_status(a, arena));
        put(out, "</p>\n");
    }
    for (const struct report_table *t = report_tables(a, arena); t != NULL; t = t->next) {
        const char *ratio = strcmp(t->part, "terms") == 0 ? words_ratio(a->result) : NULL;
        if (report_split(t, arena) == NULL)
            continue;
        put(out, t->detail ? "<details><summary>" : "<h3>");
        put_text(out, words_part(buffer, t->part));
        if (t->detail) {
            put(out, " (");
            put_number(out, (int64_t)t->n_rows);
            put(out, " rows)</summary>\n");
        } else {
            put(out, "</h3>\n");
        }
        for (const struct report_table *shown = report_split(t, arena); shown != NULL; shown = shown->next)
            put_table(out, shown, a->suppressed > 0, ratio);
        if (t->detail)
            put(out, "</details>\n");
    }
    put_footnotes(out, a);
    put(out, "</section>\n");
}

static void put_head(struct bytes *out, const struct report *report)
{
    const char *title = report->title != NULL && *report->title != '\0' ? report->title : report->study;
    char sites[32];
    put(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    put_text(out, title);
    put(out, "</title>\n<style>");
    put(out, style);
    put(out, "</style>\n</head>\n<body>\n<header>\n<h1>");
    put_text(out, title);
    put(out, "</h1>\n<p class=\"lead\">Computed together by ");
    put_number(out, report->n_sites);
    put(out, report->n_sites == 1 ? " site" : " sites");
    put(out, "; no patient left any of them, only sums that were added under a mask.</p>\n<dl>\n");
    put_fact(out, "Study", report->study, false);
    put_fact(out, "Purpose", report->purpose, false);
    put_fact(out, "Legal basis", report->legal_basis, false);
    put_fact(out, "Protocol", report->protocol, false);
    snprintf(sites, sizeof sites, "%" PRId64, report->n_sites);
    put_fact(out, "Sites", sites, false);
    put_fact(out, "Grid of survival times", report->grid, false);
    put_fact(out, "Query", report->query, true);
    put(out, "</dl>\n</header>\n<nav>");
    for (size_t i = 0; i < report->n_analyses; i++) {
        put(out, "<a href=\"#a-");
        put_text(out, report->analyses[i].id);
        put(out, "\">");
        put_text(out, report->analyses[i].id);
        put(out, "</a> ");
    }
    put(out, "</nav>\n");
}

static void put_parties(struct bytes *out, const struct report *report)
{
    if (report->n_snapshots > 0) {
        put(out, "<section>\n<h2>Snapshots</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>Site</th>"
                 "<th class=\"r\">Number</th><th>Hash</th></tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < report->n_snapshots; i++) {
            put(out, "<tr><td>");
            put_text(out, report->snapshots[i].site);
            put(out, "</td><td class=\"r\">");
            put_number(out, report->snapshots[i].number);
            put(out, "</td><td><code>");
            put_text(out, report->snapshots[i].hash == NULL ? "" : report->snapshots[i].hash);
            put(out, "</code></td></tr>\n");
        }
        put(out, "</tbody></table></div>\n</section>\n");
    }
    if (report->n_log_heads > 0) {
        put(out, "<section>\n<h2>Logs</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>Party</th>"
                 "<th class=\"r\">Entries</th><th>Head</th></tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < report->n_log_heads; i++) {
            put(out, "<tr><td>");
            put_text(out, report->log_heads[i].party);
            put(out, "</td><td class=\"r\">");
            put_number(out, report->log_heads[i].size);
            put(out, "</td><td><code>");
            put_text(out, report->log_heads[i].root == NULL ? "" : report->log_heads[i].root);
            put(out, "</code></td></tr>\n");
        }
        put(out, "</tbody></table></div>\n</section>\n");
    }
}

enum maille_code report_html(struct bytes *out, const struct report *report, struct maille_error *error)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the report");
    put_head(out, report);
    put(out, "<main>\n");
    for (size_t i = 0; i < report->n_analyses; i++)
        put_analysis(out, &report->analyses[i], arena);
    put_parties(out, report);
    if (report->text != NULL) {
        put(out, "<section>\n<h2>The study as it was signed</h2>\n<details><summary>Show</summary>\n<pre>");
        put_text(out, report->text);
        put(out, "</pre></details>\n</section>\n");
    }
    put(out, "</main>\n<footer>maille ");
    put_text(out, report->maille);
    put(out, "</footer>\n</body>\n</html>\n");
    arena_free(arena);
    return bytes_check(out, error);
}
