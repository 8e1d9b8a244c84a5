/* A page without script and with nothing from elsewhere, in the report's style: head and frame. */
#ifndef CLI_PLAIN_PAGE_H
#define CLI_PLAIN_PAGE_H

#include "base/language.h"
#include "report/html.h"

/* Up to the open <main>, below the heading. lead: a sentence under it; NULL: none. */
void plain_page_open(struct html *h, enum language language, const char *title, const char *lead);
void plain_page_close(struct html *h);

#endif
