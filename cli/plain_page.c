#include "cli/plain_page.h"

#include "report/page.h"

void plain_page_head(struct html *h, enum language language, const char *title, const char *more_css)
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
    html_open(h, "meta"); /* nothing runs, nothing is fetched: the browser holds the page to it */
    html_set(h, "http-equiv", "Content-Security-Policy");
    html_set(h, "content",
             "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'");
    html_close(h);
    html_element(h, "title", NULL, title);
    html_style(h, page_css);
    html_open(h, "style");
    html_set(h, "media", "screen and (prefers-color-scheme:dark)");
    html_text(h, page_css_dark);
    html_close(h);
    if (more_css != NULL)
        html_style(h, more_css);
    html_close(h);
    html_newline(h);
}

void plain_page_open(struct html *h, enum language language, const char *title, const char *lead)
{
    plain_page_head(h, language, title, NULL);
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

void plain_page_sheet(struct bytes *out, const struct sheet *sheet, const struct plain_sheet *words)
{
    struct html h = {.out = out};
    plain_page_open(&h, words->language, words->title, words->lead);
    for (size_t r = 0; r < sheet->n_rows; r++) {
        html_open(&h, "section");
        html_element(&h, "h2", NULL, words->heading(sheet->arena, sheet->rows[r]));
        sheet_page_row(&h, sheet, r, words->language);
        html_close(&h);
    }
    if (sheet->n_rows == 0)
        html_element(&h, "p", NULL, words->nothing);
    plain_page_close(&h);
}
