/* What every table and section of the page has, so that it can be read without eyes and without a mouse
 * (tests/figures/access.py asks a browser). */
#include "report/page.h"

void page_section_open(struct html *h, const char *id, const char *heading)
{
    html_open(h, "section");
    html_set(h, "id", id);
    html_setf(h, "aria-labelledby", "%s-h", id);
    html_open(h, "h2");
    html_setf(h, "id", "%s-h", id);
    html_text(h, heading);
    html_close(h);
}

void page_table_open(struct html *h, const char *name)
{
    html_open(h, "div");
    html_set(h, "class", "scroll");
    html_set(h, "tabindex", "0"); /* what scrolls sideways can be reached by the keyboard */
    html_set(h, "role", "group");
    html_set(h, "aria-label", name);
    html_open(h, "table");
    html_set(h, "aria-label", name);
}

void page_table_close(struct html *h)
{
    html_close(h);
    html_close(h);
    html_newline(h);
}

void page_header(struct html *h, const char *scope, const char *class, const char *text)
{
    html_open(h, "th");
    html_set(h, "scope", scope);
    if (class != NULL)
        html_set(h, "class", class);
    html_text(h, text);
    html_close(h);
}

void page_withheld(struct html *h)
{
    html_open(h, "td");
    html_set(h, "class", "h");
    html_set(h, "title", "withheld");
    html_element(h, "span", "vh", "withheld");
    html_close(h);
}
