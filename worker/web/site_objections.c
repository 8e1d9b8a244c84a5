/* Who objects, since when, and which snapshots still hold the patient. */
#include "worker/web/pages.h"

#include "web/command.h"
#include "web/layout.h"
#include "worker/commands.h"

void site_objections(const struct web_request *request, struct web_reply *reply)
{
    const struct site_page *site = site_page_of(request);
    const char *words[] = {"objections",      "--dir",        site->dir,        "--lang",
                           web_lang(request), "--credential", site->credential, NULL};
    struct web_layout page = {0};
    struct bytes out = {0};
    if (site->credential == NULL)
        words[5] = NULL;
    web_command(worker_objections, words, &out, &out);
    web_layout_open(&page, request, web_word(request->language, WEB_objections), NULL);
    html_open(&page.html, "pre");
    html_set(&page.html, "tabindex", "0");
    html_text(&page.html,
              arena_strndup(request->arena, out.length > 0 ? (const char *)out.data : "", out.length));
    html_close(&page.html);
    bytes_clear(&out);
    web_layout_send(&page, reply);
}
