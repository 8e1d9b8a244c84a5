/* Files of the folder of exports: checked, or made the next snapshot, with what the report says and how the
 * rows differ from the snapshot before. What it shows may be a patient's; it stays on this machine. */
#include "worker/web/pages.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/page.h"
#include "web/command.h"
#include "web/layout.h"
#include "worker/commands.h"

enum { FILES_MAX = 200 };

static bool is_export(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && door_is_word(name) && dot != NULL &&
           (strcmp(dot, ".csv") == 0 || strcmp(dot, ".sas7bdat") == 0 || strcmp(dot, ".xpt") == 0);
}

static size_t list_exports(const char **names, struct arena *arena, const struct site_page *site)
{
    struct dirent **entries = NULL;
    const int found = site->imports == NULL ? 0 : scandir(site->imports, &entries, NULL, alphasort);
    size_t n = 0;
    for (int i = 0; i < found; i++) {
        if (is_export(entries[i]->d_name) && n < FILES_MAX)
            names[n++] = arena_strdup(arena, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return n;
}

static void put_button(struct web_layout *page, const char *path, const char *class, enum web_word word)
{
    html_open(&page->html, "button");
    html_set(&page->html, "type", "button");
    html_set(&page->html, "class", class);
    html_set(&page->html, "data-path", path);
    html_text(&page->html, web_say(page, word));
    html_close(&page->html);
    html_text(&page->html, " ");
}

void site_import(const struct web_request *request, struct web_reply *reply)
{
    const struct site_page *site = site_page_of(request);
    struct web_layout page = {0};
    struct html *h = &page.html;
    const char *names[FILES_MAX];
    const size_t n = site->dictionary == NULL ? 0 : list_exports(names, request->arena, site);
    web_layout_open(&page, request, web_word(request->language, WEB_imports), "/page/site.js");
    html_open(h, "p");
    html_set(h, "class", "lead");
    html_textf(h, web_say(&page, n > 0 ? WEB_import_lead : WEB_no_file), site->imports);
    html_close(h);
    if (n > 0) {
        page_table_open(h, web_say(&page, WEB_file));
        html_open(h, "tbody");
        for (size_t i = 0; i < n; i++) {
            html_open(h, "tr");
            page_header(h, "row", NULL, names[i]);
            html_open(h, "td");
            put_button(&page, arena_printf(request->arena, "/check-file?what=%s", names[i]), "plain small",
                       WEB_check_file);
            put_button(&page, arena_printf(request->arena, "/import-file?what=%s", names[i]), "button small",
                       WEB_import_file);
            html_close(h);
            html_close(h);
        }
        html_close(h);
        page_table_close(h);
    }
    html_open(h, "p");
    html_set(h, "id", "verdict");
    html_set(h, "role", "status");
    html_close(h);
    html_open(h, "pre");
    html_set(h, "id", "output");
    html_set(h, "tabindex", "0");
    html_set(h, "aria-label", web_say(&page, WEB_report));
    html_set(h, "role", "group");
    html_set(h, "hidden", "");
    html_close(h);
    web_layout_send(&page, reply);
}

static void run(const struct web_request *request, struct web_reply *reply, bool check)
{
    const struct site_page *site = site_page_of(request);
    const char *what = web_query(request, "what"), *found = NULL, *names[FILES_MAX];
    const size_t n = site->dictionary == NULL ? 0 : list_exports(names, request->arena, site);
    struct maille_error error = {0};
    struct bytes text = {0}, out = {0};
    struct json_put to = {.out = &out};
    for (size_t i = 0; what != NULL && i < n; i++)
        if (strcmp(names[i], what) == 0)
            found = names[i];
    if (found == NULL) {
        maille_fail(&error, MAILLE_INVALID,
                    "expected a file of the folder of exports, found none of that name");
        web_reply_error(reply, &error);
        return;
    }
    const char *words[14] = {check ? "check" : "import",
                             "--dictionary",
                             site->dictionary,
                             "--data",
                             arena_printf(request->arena, "%s/%s", site->imports, found),
                             "--lang",
                             web_lang(request)};
    if (!check) {
        words[7] = "--dir";
        words[8] = site->dir;
        words[9] = site->credential != NULL ? "--credential" : NULL;
        words[10] = site->credential;
    }
    const int status = web_command(check ? worker_check : worker_import, words, &text, &text);
    json_put_object(&to, NULL);
    json_put_integer(&to, "status", status);
    json_put_text(&to, "text",
                  arena_strndup(request->arena, text.length > 0 ? (const char *)text.data : "", text.length));
    json_put_end(&to);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
    bytes_clear(&text);
    bytes_clear(&out);
}

void site_check_file(const struct web_request *request, struct web_reply *reply)
{
    run(request, reply, true);
}

void site_import_file(const struct web_request *request, struct web_reply *reply)
{
    run(request, reply, false);
}
