#include "report/html.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/display.h"

static void put(struct html *h, const char *markup)
{
    bytes_put(h->out, markup, strlen(markup));
}

static void put_escaped(struct html *h, const char *text)
{
    display_put_markup(h->out, text);
}

static void end_tag(struct html *h)
{
    if (h->in_tag)
        put(h, ">");
    h->in_tag = false;
}

void html_doctype(struct html *h)
{
    assert(h->depth == 0);
    put(h, "<!DOCTYPE html>\n");
}

void html_open(struct html *h, const char *name)
{
    assert(h->depth < HTML_DEPTH_MAX);
    end_tag(h);
    put(h, "<");
    put(h, name);
    h->open[h->depth++] = name;
    h->in_tag = true;
}

void html_set(struct html *h, const char *name, const char *value)
{
    assert(h->in_tag);
    put(h, " ");
    put(h, name);
    put(h, "=\"");
    put_escaped(h, value);
    put(h, "\"");
}

void html_setf(struct html *h, const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    html_set(h, name, text);
}

void html_set_number(struct html *h, const char *name, double value)
{
    char text[32];
    double rounded = nearbyint(value * 100) / 100;
    snprintf(text, sizeof text, "%.6g", rounded == 0 ? 0.0 : rounded); /* no −0 */
    html_set(h, name, text);
}

void html_text(struct html *h, const char *text)
{
    end_tag(h);
    put_escaped(h, text);
}

void html_textf(struct html *h, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    html_text(h, text);
}

/* Elements that are written as <br/> when nothing is in them; others need an end tag in HTML. */
static bool may_be_void(const char *name)
{
    static const char *const names[] = {"br",   "hr",   "meta", "img",    "input", "link",
                                        "path", "line", "rect", "circle", "use"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void html_close(struct html *h)
{
    assert(h->depth > 0);
    const char *name = h->open[--h->depth];
    if (h->in_tag && may_be_void(name)) {
        put(h, "/>");
        h->in_tag = false;
        return;
    }
    end_tag(h);
    put(h, "</");
    put(h, name);
    put(h, ">");
}

void html_element(struct html *h, const char *name, const char *class, const char *text)
{
    html_open(h, name);
    if (class != NULL)
        html_set(h, "class", class);
    html_text(h, text);
    html_close(h);
}

void html_style(struct html *h, const char *css)
{
    assert(strpbrk(css, "<&") == NULL);
    html_open(h, "style");
    end_tag(h);
    put(h, css);
    html_close(h);
}

void html_newline(struct html *h)
{
    end_tag(h);
    put(h, "\n");
}
