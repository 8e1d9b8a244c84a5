/* The report as one page: no script, nothing from elsewhere. */
#include "report/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/figures/canvas.h"

/* --- the head --- */

static void put_fact(struct html *h, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    html_element(h, "dt", NULL, name);
    html_element(h, "dd", NULL, value);
    html_newline(h);
}

static void put_names(struct html *h, const struct result *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->items[i]->kind == RESULT_STRING) {
            html_text(h, i == 0 ? "" : ", ");
            html_text(h, names->items[i]->string);
        }
}

static void put_roster(struct html *h, const struct report *report)
{
    const struct result *asked = NULL, *answered = NULL, *missing = NULL;
    if (report->roster != NULL) {
        asked = result_get(report->roster, "asked");
        answered = result_get(report->roster, "answered");
        missing = result_get(report->roster, "missing");
    }
    html_element(h, "dt", NULL, "Sites");
    html_open(h, "dd");
    html_textf(h, "%" PRId64 " answered", report->n_sites);
    if (asked != NULL && asked->kind == RESULT_LIST && answered != NULL && answered->kind == RESULT_LIST) {
        html_textf(h, " of %zu asked: ", asked->n);
        put_names(h, answered);
    }
    html_close(h);
    html_newline(h);
    for (size_t i = 0; missing != NULL && missing->kind == RESULT_LIST && i < missing->n; i++) {
        const char *site = result_text(missing->items[i], "site"),
                   *since = result_text(missing->items[i], "since");
        const char *reason = result_text(missing->items[i], "reason");
        html_element(h, "dt", NULL, "Missing");
        html_open(h, "dd");
        html_textf(h, "%s%s%s%s%s", site == NULL ? "a site" : site, since == NULL ? "" : " since ",
                   since == NULL ? "" : since, reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
        html_close(h);
        html_newline(h);
    }
}

/* "No number of fewer than 11 patients …": the strictest of the sites' settings. */
static void put_policy(struct html *h, const struct report *report)
{
    static const struct {
        const char *key, *words;
    } rows[] = {{"min_sites", "sites"},
                {"min_patients", "patients in a cohort"},
                {"min_cell", "patients in a cell"},
                {"min_events", "events"}};
    bool any = false;
    if (report->policy == NULL)
        return;
    html_element(h, "dt", NULL, "Policies");
    html_open(h, "dd");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct result *value = result_get(report->policy, rows[i].key);
        double number = value == NULL                   ? 0
                        : value->kind == RESULT_NUMBER  ? value->number
                        : value->kind == RESULT_INTEGER ? (double)value->integer
                                                        : 0;
        if (number > 1) {
            html_textf(h, "%s%.10g %s", any ? ", " : "at least ", number, rows[i].words);
            any = true;
        }
    }
    html_text(h, any ? "" : "no minimum above one");
    html_close(h);
    html_newline(h);
}

static void put_facts(struct html *h, const struct report *report)
{
    char words[128];
    html_open(h, "dl");
    html_newline(h);
    put_fact(h, "Study", report->study);
    put_fact(h, "Purpose", report->purpose);
    put_fact(h, "Registration", report->protocol);
    put_fact(h, "Legal basis", report->legal_basis);
    put_fact(h, "Cohort", report->cohort);
    put_roster(h, report);
    put_policy(h, report);
    put_fact(h, "Grid of times", report->grid);
    if (report->date != NULL) {
        size_t day = strcspn(report->date, "T");
        if (report->date[day] == 'T' && strlen(report->date + day) >= 6)
            snprintf(words, sizeof words, "%.*s, %.5s UTC", (int)(day < 40 ? day : 40), report->date,
                     report->date + day + 1);
        else
            snprintf(words, sizeof words, "%.60s", report->date);
        put_fact(h, "Answered", words);
    }
    snprintf(words, sizeof words, "maille %.40s%s", report->maille, report->wire > 0 ? ", protocol " : "");
    if (report->wire > 0)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%" PRId64, report->wire);
    put_fact(h, "Software", words);
    if (report->query != NULL && report->query[0] != '\0') {
        html_element(h, "dt", NULL, "Query");
        html_open(h, "dd");
        html_element(h, "code", NULL, report->query);
        html_close(h);
    }
    html_close(h);
    html_newline(h);
}

/* What the numbers are, and the facts of the study. */
static void put_lead(struct html *h, const struct report *report)
{
    if (report->synthetic)
        html_element(h, "p", "no", REPORT_SYNTHETIC ". These numbers say nothing about anybody.");
    html_open(h, "p");
    html_set(h, "class", "lead");
    html_textf(h,
               "Computed together by %" PRId64
               " %s; no patient left any of them, only sums that were added under a mask.",
               report->n_sites, report->n_sites == 1 ? "site" : "sites");
    html_close(h);
    put_facts(h, report);
}

static void put_links(struct html *h, const struct report *report)
{
    html_open(h, "nav");
    html_set(h, "aria-label", "Analyses");
    for (size_t i = 0; i < report->n_analyses; i++) {
        html_open(h, "a");
        html_setf(h, "href", "#a-%s", report->analyses[i].id);
        html_text(h, report->analyses[i].id);
        html_close(h);
        html_text(h, " ");
    }
    html_close(h);
    html_newline(h);
}

static void put_head(struct html *h, const struct report *report)
{
    const char *title = report->title != NULL && *report->title != '\0' ? report->title : report->study;
    html_doctype(h);
    html_open(h, "html");
    html_set(h, "lang", "en");
    html_open(h, "head");
    html_open(h, "meta");
    html_set(h, "charset", "utf-8");
    html_close(h);
    html_open(h, "meta");
    html_set(h, "name", "viewport");
    html_set(h, "content", "width=device-width, initial-scale=1");
    html_close(h);
    html_open(h, "title");
    html_textf(h, "%s%s", report->synthetic ? "Synthetic: " : "", title);
    html_close(h);
    html_newline(h);
    html_style(h, page_css);
    html_style(h, canvas_css);
    html_open(h, "style");
    html_set(h, "media", "screen and (prefers-color-scheme:dark)");
    html_text(h, page_css_dark);
    html_text(h, canvas_css_dark);
    html_close(h);
    html_close(h);
    html_newline(h);
    html_open(h, "body");
    html_open(h, "header");
    html_element(h, "h1", NULL, title);
    put_lead(h, report);
    html_close(h);
    html_newline(h);
    put_links(h, report);
}

/* --- what left each site --- */

static void put_heading(struct html *h, const char *name, const char *const *names, size_t n, size_t right)
{
    page_table_open(h, name);
    html_open(h, "thead");
    html_open(h, "tr");
    for (size_t i = 0; i < n; i++)
        page_header(h, "col", i == right ? "r" : NULL, names[i]);
    html_close(h);
    html_close(h);
    html_newline(h);
    html_open(h, "tbody");
}

static void put_party(struct html *h, const char *name, int64_t number, const char *hash)
{
    html_open(h, "tr");
    page_header(h, "row", NULL, name);
    html_open(h, "td");
    html_set(h, "class", "r");
    html_textf(h, "%" PRId64, number);
    html_close(h);
    html_open(h, "td");
    html_element(h, "code", NULL, hash == NULL ? "" : hash);
    html_close(h);
    html_close(h);
    html_newline(h);
}

static void close_table(struct html *h)
{
    html_close(h);
    page_table_close(h);
}

static void put_left(struct html *h, const struct report *report)
{
    static const char *const snapshots[] = {"Site", "Snapshot", "Hash"}, *const logs[] = {"Party", "Entries",
                                                                                          "Head"};
    if (report->rounds == 0 && report->n_snapshots == 0 && report->n_log_heads == 0)
        return;
    page_section_open(h, "about-left", "What left each site");
    if (report->rounds > 0) {
        html_open(h, "p");
        const bool circle = report->mode != NULL && strcmp(report->mode, "circle") == 0;
        html_textf(h,
                   "Each site answered %" PRId64
                   " round%s with %.1f kB of masked sums in all. Nobody can read one site’s sums: "
                   "their masks cancel in the total alone. ",
                   report->rounds, report->rounds == 1 ? "" : "s", (double)report->bytes / 1000);
        html_text(
            h, circle
                   ? "The sites opened that total among themselves, each worked out the results from it, and "
                     "the researcher received those alone, sealed and signed by the sites. "
                   : "The researcher received the total. ");
        html_text(h, "Each site’s own log holds every message, and says which sums were in it: ");
        html_element(h, "code", NULL, "maille audit show sites/NAME/log");
        html_text(h, ".");
        html_close(h);
    }
    if (report->n_snapshots > 0) {
        html_element(h, "h3", NULL, "Snapshots that answered");
        put_heading(h, "Snapshots that answered", snapshots, 3, 1);
        for (size_t i = 0; i < report->n_snapshots; i++)
            put_party(h, report->snapshots[i].site, report->snapshots[i].number, report->snapshots[i].hash);
        close_table(h);
    }
    if (report->n_log_heads > 0) {
        html_element(h, "h3", NULL, "Logs when the last round closed");
        put_heading(h, "Logs when the last round closed", logs, 3, 1);
        for (size_t i = 0; i < report->n_log_heads; i++)
            put_party(h, report->log_heads[i].party, report->log_heads[i].size, report->log_heads[i].root);
        close_table(h);
    }
    html_close(h);
    html_newline(h);
}

static void put_analyses(struct html *h, const struct report *report, struct arena *arena)
{
    for (size_t i = 0; i < report->n_analyses; i++)
        page_section(h, report, &report->analyses[i], arena);
    page_methods(h, report);
    put_left(h, report);
    if (report->text != NULL) {
        page_section_open(h, "about-study", "The study as it was signed");
        html_element(h, "pre", NULL, report->text);
        html_close(h);
    }
}

void page_report(struct html *h, const struct report *report, struct arena *arena)
{
    put_lead(h, report);
    put_links(h, report);
    put_analyses(h, report, arena);
}

enum maille_code report_html(struct bytes *out, const struct report *report, struct maille_error *error)
{
    struct html h = {.out = out};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the report, found none");
    put_head(&h, report);
    html_open(&h, "main");
    put_analyses(&h, report, arena);
    html_close(&h);
    html_open(&h, "footer");
    html_textf(&h, "Written by maille %s. Numbers are rounded for reading; the result file has all digits.",
               report->maille);
    html_close(&h);
    while (h.depth > 0)
        html_close(&h);
    html_newline(&h);
    arena_free(arena);
    return bytes_check(out, error);
}
