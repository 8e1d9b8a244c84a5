#include "web/layout.h"

#include <string.h>

#include "report/page.h"

const char *web_say(const struct web_layout *page, enum web_word word)
{
    return web_word(page->request->language, word);
}

void web_say_element(struct web_layout *page, const char *element, const char *class, enum web_word word)
{
    html_element(&page->html, element, class, web_say(page, word));
}

void web_link(struct web_layout *page, const char *href, const char *class, const char *text)
{
    html_open(&page->html, "a");
    html_set(&page->html, "href", href);
    if (class != NULL)
        html_set(&page->html, "class", class);
    html_text(&page->html, text);
    html_close(&page->html);
}

void web_button(struct web_layout *page, const char *id, const char *class, enum web_word word)
{
    html_open(&page->html, "button");
    html_set(&page->html, "type", "button");
    html_set(&page->html, "id", id);
    if (class != NULL)
        html_set(&page->html, "class", class);
    html_text(&page->html, web_say(page, word));
    html_close(&page->html);
}

static void put_link(struct html *h, const char *rel, const char *href)
{
    html_open(h, "link");
    html_set(h, "rel", rel);
    html_set(h, "href", href);
    html_close(h);
}

static void put_script(struct html *h, const char *path)
{
    html_open(h, "script");
    html_set(h, "type", "module");
    html_set(h, "src", path);
    html_close(h);
}

static void put_head(struct html *h, const char *title, const char *script)
{
    html_open(h, "head");
    html_open(h, "meta");
    html_set(h, "charset", "utf-8");
    html_close(h);
    html_open(h, "meta");
    html_set(h, "name", "viewport");
    html_set(h, "content", "width=device-width, initial-scale=1");
    html_close(h);
    html_open(h, "title");
    html_textf(h, "%s – maille", title);
    html_close(h);
    put_link(h, "stylesheet", "/report.css");
    put_link(h, "stylesheet", "/page/web.css");
    put_link(h, "icon", "/page/icon.svg");
    put_script(h, "/page/base.js");
    if (script != NULL)
        put_script(h, script);
    html_close(h);
    html_newline(h);
}

static enum web_word role_word(enum web_role role)
{
    return role == WEB_RESEARCHER ? WEB_researcher : role == WEB_OFFICER ? WEB_officer : WEB_site_it;
}

static void put_top(struct web_layout *page)
{
    struct html *h = &page->html;
    html_open(h, "a");
    html_set(h, "class", "skip");
    html_set(h, "href", "#main");
    html_text(h, web_say(page, WEB_skip));
    html_close(h);
    html_open(h, "header");
    html_set(h, "class", "top");
    html_open(h, "div");
    html_set(h, "class", "brand");
    html_element(h, "b", NULL, "maille");
    html_element(h, "span", "role", web_say(page, role_word(page->request->role)));
    html_close(h);
    html_open(h, "nav");
    html_set(h, "aria-label", "maille");
    for (const struct web_page *one = web_pages(); one != NULL && one->path != NULL; one++) {
        if (one->word == WEB_NO_WORD || (one->roles & page->request->role) == 0)
            continue;
        html_open(h, "a");
        html_set(h, "href", one->path);
        if (strcmp(one->path, page->request->path) == 0)
            html_set(h, "aria-current", "page");
        html_text(h, web_say(page, (enum web_word)one->word));
        html_close(h);
        html_text(h, " ");
    }
    web_button(page, "language", "plain", WEB_language);
    html_close(h);
    html_close(h);
    html_newline(h);
}

/* <div id="words" data-valid="The study …" …> */
static void put_words(struct web_layout *page)
{
    const char *name, *text;
    html_open(&page->html, "div");
    html_set(&page->html, "id", "words");
    html_set(&page->html, "hidden", "");
    for (unsigned n = 0; (text = web_script_word(page->request->language, n, &name)) != NULL; n++) {
        struct bytes key = {0};
        bytes_printf(&key, "data-%s", name);
        bytes_put_u8(&key, 0);
        if (!key.failed)
            html_set(&page->html, (const char *)key.data, text);
        bytes_clear(&key);
    }
    html_close(&page->html);
    html_newline(&page->html);
}

void web_layout_open(struct web_layout *page, const struct web_request *request, const char *title,
                     const char *script)
{
    struct html *h = &page->html;
    page->request = request;
    h->out = &page->out;
    html_doctype(h);
    html_open(h, "html");
    html_set(h, "lang", request->language == LANGUAGE_FR ? "fr" : "en");
    put_head(h, title, script);
    html_open(h, "body");
    html_set(h, "class",
             request->role == WEB_RESEARCHER ? "researcher"
             : request->role == WEB_OFFICER  ? "officer"
                                             : "site");
    put_top(page);
    put_words(page);
    html_open(h, "main");
    html_set(h, "id", "main");
    html_element(h, "h1", NULL, title);
    html_newline(h);
}

void web_layout_send(struct web_layout *page, struct web_reply *reply)
{
    struct html *h = &page->html;
    html_close(h);
    html_open(h, "footer");
    html_textf(h, web_say(page, WEB_footer), MAILLE_VERSION);
    html_close(h);
    while (h->depth > 0)
        html_close(h);
    html_newline(h);
    if (!page->out.failed)
        web_reply_all(reply, 200, DOOR_HTML, NULL, &page->out);
    bytes_clear(&page->out);
}

void web_layout_error(const struct web_request *request, struct web_reply *reply,
                      const struct maille_error *error)
{
    struct web_layout page = {0};
    web_layout_open(&page, request, web_word(request->language, WEB_refused), NULL);
    html_element(&page.html, "p", "no", error->sentence);
    web_layout_send(&page, reply);
}
