/* The one writer of HTML and SVG: elements that are open, attributes, text. Everything that is written as a
 * text or an attribute is escaped; there is no way to write markup. Used by the report, its figures, and
 * whoever else makes a page.
 *
 *     html_open(h, "p");
 *     html_set(h, "class", "n");
 *     html_text(h, name);
 *     html_close(h);
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdbool.h>

#include "base/bytes.h"

enum { HTML_DEPTH_MAX = 64 };

/* Zero-initialise with out alone. Elements must nest at most HTML_DEPTH_MAX deep (asserted). Failures of
 * memory are in out (bytes_check). */
struct html {
    struct bytes *out;
    const char *open[HTML_DEPTH_MAX]; /* names: constants of the program */
    size_t depth;
    bool in_tag; /* the start tag of the innermost element can still take attributes */
};

/* <!DOCTYPE html>, before the first element. */
void html_doctype(struct html *h);

/* Opens an element; name is a constant of the program. */
void html_open(struct html *h, const char *name);

/* An attribute of the element that was opened last, before anything is in it (asserted). */
void html_set(struct html *h, const char *name, const char *value);
void html_setf(struct html *h, const char *name, const char *format, ...) MAILLE_PRINTF(3, 4);
/* An attribute that is a measure: at most two decimals, no trailing zero. */
void html_set_number(struct html *h, const char *name, double value);

/* Text in the innermost element. Bytes that XML does not know (control characters) become U+FFFD. */
void html_text(struct html *h, const char *text);
void html_textf(struct html *h, const char *format, ...) MAILLE_PRINTF(2, 3);

/* Closes the innermost element. One that has no content and can have none is written as <br/>; svg elements
 * without content are too. */
void html_close(struct html *h);

/* An element with a class (NULL: none) that holds nothing but text. */
void html_element(struct html *h, const char *name, const char *class, const char *text);

/* A <style> element; css is a constant of the program without `<` and `&` (asserted). */
void html_style(struct html *h, const char *css);

/* A line break in the file, for who reads its source. */
void html_newline(struct html *h);

#endif
