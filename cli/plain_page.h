/* A page without script and with nothing from elsewhere, in the report's style: head and frame. */
#ifndef CLI_PLAIN_PAGE_H
#define CLI_PLAIN_PAGE_H

#include "base/language.h"
#include "cli/sheet.h"
#include "report/html.h"

/* Doctype and head, up to the open <html>: no script, nothing from elsewhere, and a policy that holds the
 * browser to it. more_css: beside the report's; NULL: none. */
void plain_page_head(struct html *h, enum language language, const char *title, const char *more_css);

/* Up to the open <main>, below the heading. lead: a sentence under it; NULL: none. */
void plain_page_open(struct html *h, enum language language, const char *title, const char *lead);
void plain_page_close(struct html *h);

/* A whole page of a sheet: a section a row, under a heading that is made of the row. */
struct plain_sheet {
    enum language language;
    const char *title, *lead, *nothing; /* nothing: what is said of a sheet without rows */
    const char *(*heading)(struct arena *arena, const char *const *row);
};
void plain_page_sheet(struct bytes *out, const struct sheet *sheet, const struct plain_sheet *words);

#endif
