/* What was imported, what each snapshot holds, and the way back to an earlier one. */
#include "worker/web/pages.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "report/page.h"
#include "web/command.h"
#include "web/layout.h"
#include "worker/commands.h"
#include "worker/snapshots.h"

static void put_row(struct web_layout *page, const struct snapshot_entry *entry, bool newest)
{
    struct html *h = &page->html;
    struct arena *arena = page->request->arena;
    const char *number = arena_printf(arena, "%u", entry->number);
    html_open(h, "tr");
    html_open(h, "th");
    html_set(h, "scope", "row");
    web_link(page, arena_printf(arena, "/snapshots?n=%s", number), NULL, number);
    html_close(h);
    html_element(h, "td", "w", arena_printf(arena, "%.10s %.8s", entry->created, entry->created + 11));
    html_element(h, "td", "r", arena_printf(arena, "%llu", (unsigned long long)entry->rows));
    html_open(h, "td");
    if (newest) {
        web_say_element(page, "span", "state good", WEB_newest);
    } else {
        html_open(h, "button");
        html_set(h, "type", "button");
        html_set(h, "class", "plain small");
        html_set(h, "data-path", arena_printf(arena, "/rollback?n=%s", number));
        html_set(h, "data-number", number);
        html_text(h, web_say(page, WEB_roll_back));
        html_close(h);
    }
    html_close(h);
    html_close(h);
    html_newline(h);
}

static void put_list(struct web_layout *page, const struct snapshot_entry *entries, size_t n)
{
    static const enum web_word titles[] = {WEB_snapshot, WEB_imported, WEB_rows, WEB_state};
    struct html *h = &page->html;
    page_table_open(h, web_say(page, WEB_snapshots));
    html_open(h, "thead");
    html_open(h, "tr");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        page_header(h, "col", i == 2 ? "r" : NULL, web_say(page, titles[i]));
    html_close(h);
    html_close(h);
    html_open(h, "tbody");
    for (size_t i = n; i-- > 0;)
        put_row(page, &entries[i], i + 1 == n);
    html_close(h);
    page_table_close(h);
}

/* A number of at most four digits that the request names, or NULL. */
static const char *asked_number(const struct web_request *request)
{
    const char *said = web_query(request, "n");
    return said != NULL && strlen(said) <= 4 && strspn(said, "0123456789") == strlen(said) ? said : NULL;
}

void site_snapshots(const struct web_request *request, struct web_reply *reply)
{
    const struct site_page *site = site_page_of(request);
    const char *folder = arena_printf(request->arena, "%s/snapshots", site->dir),
               *number = asked_number(request);
    const struct snapshot_entry *entries;
    struct web_layout page = {0};
    struct bytes out = {0};
    struct maille_error error = {0};
    size_t n = 0;
    if (snapshots_read(&entries, &n, request->arena, folder, &error) != MAILLE_OK) {
        web_layout_error(request, reply, &error);
        return;
    }
    web_layout_open(&page, request, web_word(request->language, WEB_snapshots), "/page/site.js");
    if (n > 0)
        put_list(&page, entries, n);
    else
        web_say_element(&page, "p", "lead", WEB_no_snapshot);
    html_open(&page.html, "p");
    html_set(&page.html, "id", "verdict");
    html_set(&page.html, "role", "status");
    html_close(&page.html);
    html_open(&page.html, "pre");
    html_set(&page.html, "id", "output");
    html_set(&page.html, "tabindex", "0");
    if (number != NULL) {
        const char *const words[] = {"snapshots",       "show", number, "--dir", site->dir, "--lang",
                                     web_lang(request), NULL};
        web_command(worker_snapshots, words, &out, &out);
        html_text(&page.html,
                  arena_strndup(request->arena, out.length > 0 ? (const char *)out.data : "", out.length));
    } else {
        html_set(&page.html, "hidden", "");
    }
    html_close(&page.html);
    bytes_clear(&out);
    web_layout_send(&page, reply);
}

void site_rollback(const struct web_request *request, struct web_reply *reply)
{
    const struct site_page *site = site_page_of(request);
    const char *number = asked_number(request);
    const char *words[] = {"snapshots", "rollback",        number,         "--dir",          site->dir,
                           "--lang",    web_lang(request), "--credential", site->credential, NULL};
    struct bytes text = {0}, out = {0};
    struct json_put to = {.out = &out};
    struct maille_error error = {0};
    if (number == NULL) {
        maille_fail(&error, MAILLE_INVALID, "expected the number of a snapshot, found none");
        web_reply_error(reply, &error);
        return;
    }
    if (site->credential == NULL)
        words[7] = NULL;
    const int status = web_command(worker_snapshots, words, &text, &text);
    json_put_object(&to, NULL);
    json_put_integer(&to, "status", status);
    json_put_text(&to, "text",
                  arena_strndup(request->arena, text.length > 0 ? (const char *)text.data : "", text.length));
    json_put_end(&to);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
    bytes_clear(&text);
    bytes_clear(&out);
}
