#include "cli/plain_page.h"

#include "report/page.h"

void plain_page_open(struct html *h, enum language language, const char *title, const char *lead)
{
    static const char *const tags[] = {[LANGUAGE_EN] = "en", [LANGUAGE_FR] = "fr"};
    html_doctype(h);
    html_open(h, "html");
    html_set(h, "lang", tags[language]);
    html_open(h, "head");
    html_open(h, "meta");
    html_set(h, "charset", "utf-8");
    html_close(h);
    html_open(h, "meta");
    html_set(h, "name", "viewport");
    html_set(h, "content", "width=device-width, initial-scale=1");
    html_close(h);
    html_element(h, "title", NULL, title);
    html_style(h, page_css);
    html_open(h, "style");
    html_set(h, "media", "screen and (prefers-color-scheme:dark)");
    html_text(h, page_css_dark);
    html_close(h);
    html_close(h);
    html_newline(h);
    html_open(h, "body");
    html_open(h, "main");
    html_element(h, "h1", NULL, title);
    if (lead != NULL)
        html_element(h, "p", "lead", lead);
    html_newline(h);
}

void plain_page_close(struct html *h)
{
    while (h->depth > 0)
        html_close(h);
    html_newline(h);
}
