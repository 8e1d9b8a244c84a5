#include "report/figures/canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/figures/widths.h"

/* Okabe and Ito's colours (Color Universal Design, 2008), the darker ones first; every curve has its own
 * dashes too, so that they are told apart in grey. */
const char *const canvas_css =
    ".fig text{font-family:'Liberation Sans',Arial,sans-serif;font-size:12px;fill:#1d2733;white-space:pre}"
    ".fig .s{font-size:11px}.fig .b{font-weight:bold}.fig .m{fill:#52616f}"
    ".fig .bg{fill:#fff}"
    ".fig .a{stroke:#1d2733;stroke-width:1;fill:none}.fig .g{stroke:#e2e7ec;stroke-width:1;fill:none}"
    ".fig .r{stroke:#52616f;stroke-width:1;stroke-dasharray:2 3;fill:none}"
    ".fig .k{fill:none;stroke-width:2;stroke-linejoin:round}"
    ".fig .z{fill:#f3f6f8}.fig .i{fill:#1d2733}.fig .o{fill:#fff;stroke:#1d2733;stroke-width:1.5}"
    ".fig .ci{stroke:#1d2733;stroke-width:1.5;fill:none}"
    ".fig .h1{fill:#fff}.fig .h2{stroke:#8895a1;stroke-width:1.4;fill:none}.fig "
    ".h3{stroke:#8895a1;stroke-width:.7}"
    ".fig .band{fill-opacity:.16;stroke:none}"
    ".fig .k0{stroke:#0072b2}.fig .k1{stroke:#d55e00;stroke-dasharray:8 3}.fig "
    ".k2{stroke:#009e73;stroke-dasharray:2 2}"
    ".fig .k3{stroke:#aa4b81;stroke-dasharray:10 3 2 3}.fig .k4{stroke:#b07a00;stroke-dasharray:5 2}"
    ".fig .k5{stroke:#3d3d3d;stroke-dasharray:12 3 2 3 2 3}"
    ".fig .c0{fill:#0072b2}.fig .c1{fill:#e69f00}.fig .c2{fill:#009e73}.fig .c3{fill:#cc79a7}.fig "
    ".c4{fill:#56b4e9}"
    ".fig .c5{fill:#7a7a7a}.fig .c0,.fig .c1,.fig .c2,.fig .c3,.fig .c4,.fig "
    ".c5{stroke:#1d2733;stroke-width:.8}.fig .b0{fill:#0072b2}.fig .b1{fill:#d55e00}.fig "
    ".b2{fill:#009e73}.fig "
    ".b3{fill:#aa4b81}"
    ".fig .b4{fill:#b07a00}.fig .b5{fill:#3d3d3d}";

const char *const canvas_css_dark =
    ".fig text{fill:#e4eaf0}.fig .m{fill:#a9b6c2}.fig .a,.fig .ci{stroke:#e4eaf0}.fig .g{stroke:#333e49}"
    ".fig .r{stroke:#a9b6c2}.fig .z{fill:#1f2831}.fig .i{fill:#e4eaf0}.fig .o{fill:#14191f;stroke:#e4eaf0}"
    ".fig .h1{fill:#14191f}.fig .h2,.fig .h3{stroke:#7d8b98}.fig .band{fill-opacity:.25}"
    ".fig .k0{stroke:#5fb4ee}.fig .k1{stroke:#ff9a55}.fig .k2{stroke:#3fd0a5}.fig .k3{stroke:#e8a5cb}.fig "
    ".k4{stroke:#f0c04a}"
    ".fig .k5{stroke:#c9c9c9}.fig .b0,.fig .c0{fill:#5fb4ee}.fig .b1{fill:#ff9a55}.fig .b2,.fig "
    ".c2{fill:#3fd0a5}"
    ".fig .c0,.fig .c1,.fig .c2,.fig .c3,.fig .c4,.fig .c5{stroke:#e4eaf0}.fig .b3{fill:#e8a5cb}.fig "
    ".b4{fill:#f0c04a}.fig .b5{fill:#c9c9c9}";

static const char *const text_classes[] = {[CANVAS_NORMAL] = "", [CANVAS_SMALL] = "s", [CANVAS_BOLD] = "b"};
static const double text_sizes[] = {[CANVAS_NORMAL] = 12, [CANVAS_SMALL] = 11, [CANVAS_BOLD] = 12};

const char *canvas_stroke_class(size_t i)
{
    static const char *const names[] = {"k k0", "k k1", "k k2", "k k3", "k k4", "k k5"};
    return names[i < CANVAS_COLOURS ? i : CANVAS_COLOURS - 1];
}

const char *canvas_fill_class(size_t i)
{
    static const char *const names[] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    return names[i < CANVAS_COLOURS ? i : CANVAS_COLOURS - 1];
}

const char *canvas_band_class(size_t i)
{
    static const char *const names[] = {"band b0", "band b1", "band b2", "band b3", "band b4", "band b5"};
    return names[i < CANVAS_COLOURS ? i : CANVAS_COLOURS - 1];
}

/* --- text --- */

/* The next character of UTF-8 text, and how many bytes it has; what is no UTF-8 counts byte by byte. */
static uint32_t next_character(const char *text, size_t *length)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t n = c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : c[0] >= 0xC0 ? 2 : 1;
    uint32_t value = n == 1 ? c[0] : c[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((c[i] & 0xC0) != 0x80) {
            *length = 1;
            return c[0];
        }
        value = value << 6 | (c[i] & 0x3Fu);
    }
    *length = n;
    return value;
}

static double width_of_bytes(enum canvas_text style, const char *text, size_t length)
{
    double units = 0;
    for (size_t i = 0, n = 0; i < length; i += n)
        units += widths_of(next_character(text + i, &n), style == CANVAS_BOLD);
    return units * text_sizes[style] / WIDTHS_EM;
}

double canvas_width_of(enum canvas_text style, const char *text)
{
    return width_of_bytes(style, text, strlen(text));
}

/* How many bytes of the text fit into width: up to a space where there is one, else as many characters as fit
 * (at least one). */
static size_t fitting(enum canvas_text style, const char *text, double width)
{
    size_t all = strlen(text), space = 0, i = 0, n = 0;
    while (i < all) {
        next_character(text + i, &n);
        if (width_of_bytes(style, text, i + n) > width && i > 0 && text[i] != ' ')
            return space > 0 ? space : i;
        if (text[i] == ' ' && i > 0)
            space = i;
        i += n;
    }
    return all;
}

size_t canvas_wrap(struct arena *arena, const char **lines, size_t most, enum canvas_text style,
                   const char *text, double width)
{
    size_t n = 0;
    lines[0] = "";
    while (*text == ' ')
        text++;
    while (*text != '\0' && n < most) {
        size_t length = fitting(style, text, width);
        if (n + 1 == most && text[length] != '\0') { /* the last line: cut, with … */
            size_t cut = 0, step = 0;
            double room = width - canvas_width_of(style, "…");
            while (next_character(text + cut, &step), width_of_bytes(style, text, cut + step) <= room)
                cut += step;
            lines[n++] = arena_printf(arena, "%.*s…", (int)cut, text);
            break;
        }
        lines[n++] = arena_strndup(arena, text, length);
        text += length;
        while (*text == ' ')
            text++;
    }
    return n;
}

void canvas_text(struct canvas *canvas, double x, double y, enum canvas_anchor anchor, enum canvas_text style,
                 const char *extra, const char *text)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    html_open(canvas->html, "text");
    if (text_classes[style][0] != '\0' || extra != NULL)
        html_setf(canvas->html, "class", "%s%s%s", text_classes[style],
                  text_classes[style][0] != '\0' && extra != NULL ? " " : "", extra == NULL ? "" : extra);
    html_set_number(canvas->html, "x", x);
    html_set_number(canvas->html, "y", y);
    if (anchor != CANVAS_START)
        html_set(canvas->html, "text-anchor", anchors[anchor]);
    html_text(canvas->html, text);
    html_close(canvas->html);
    html_newline(canvas->html);
}

void canvas_centred(struct canvas *canvas, double x, double y, enum canvas_text style, const char *extra,
                    const char *text)
{
    const char *line = "";
    canvas_wrap(canvas->arena, &line, 1, style, text, canvas->width - 16);
    double half = canvas_width_of(style, line) / 2;
    x = x + half > canvas->width - 8 ? canvas->width - 8 - half : x;
    canvas_text(canvas, x - half < 8 ? 8 + half : x, y, CANVAS_MIDDLE, style, extra, line);
}

/* --- shapes --- */

static void open_shape(struct canvas *canvas, const char *name, const char *class)
{
    html_open(canvas->html, name);
    html_set(canvas->html, "class", class);
}

static void close_shape(struct canvas *canvas)
{
    html_close(canvas->html);
    html_newline(canvas->html);
}

void canvas_line(struct canvas *canvas, double x1, double y1, double x2, double y2, const char *class)
{
    open_shape(canvas, "line", class);
    html_set_number(canvas->html, "x1", x1);
    html_set_number(canvas->html, "y1", y1);
    html_set_number(canvas->html, "x2", x2);
    html_set_number(canvas->html, "y2", y2);
    close_shape(canvas);
}

static void set_box(struct canvas *canvas, double x, double y, double width, double height)
{
    html_set_number(canvas->html, "x", x);
    html_set_number(canvas->html, "y", y);
    html_set_number(canvas->html, "width", width > 0 ? width : 0);
    html_set_number(canvas->html, "height", height > 0 ? height : 0);
}

void canvas_rect(struct canvas *canvas, double x, double y, double width, double height, const char *class)
{
    open_shape(canvas, "rect", class);
    set_box(canvas, x, y, width, height);
    close_shape(canvas);
}

void canvas_circle(struct canvas *canvas, double x, double y, double radius, const char *class)
{
    open_shape(canvas, "circle", class);
    html_set_number(canvas->html, "cx", x);
    html_set_number(canvas->html, "cy", y);
    html_set_number(canvas->html, "r", radius);
    close_shape(canvas);
}

void canvas_square(struct canvas *canvas, double x, double y, double half, const char *class)
{
    canvas_rect(canvas, x - half, y - half, 2 * half, 2 * half, class);
}

/* A result file may hold any number; a picture has an end. */
static double inside(double place)
{
    return isnan(place) ? 0 : fmax(-10000, fmin(place, 10000));
}

void canvas_path_to(struct bytes *d, char command, double x, double y)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%c%.2f %.2f", command, inside(x), inside(y));
    bytes_put(d, text, (size_t)n);
}

void canvas_path_step(struct bytes *d, double x, double y)
{
    char text[64];
    int n = snprintf(text, sizeof text, "H%.2fV%.2f", inside(x), inside(y));
    bytes_put(d, text, (size_t)n);
}

void canvas_path_bend(struct bytes *d, double x1, double y1, double x2, double y2)
{
    char text[128];
    const double middle = inside((x1 + x2) / 2);
    int n = snprintf(text, sizeof text, "C%.2f %.2f %.2f %.2f %.2f %.2f", middle, inside(y1), middle,
                     inside(y2), inside(x2), inside(y2));
    bytes_put(d, text, (size_t)n);
}

void canvas_path(struct canvas *canvas, struct bytes *d, const char *class)
{
    bytes_put_u8(d, 0);
    if (!d->failed) {
        open_shape(canvas, "path", class);
        html_set(canvas->html, "d", (const char *)d->data);
        close_shape(canvas);
    }
    canvas->html->out->failed = canvas->html->out->failed || d->failed;
    bytes_clear(d);
}

void canvas_hatch(struct canvas *canvas, double x, double y, double width, double height)
{
    html_open(canvas->html, "rect");
    set_box(canvas, x, y, width, height);
    html_setf(canvas->html, "fill", "url(#%s-h)", canvas->id);
    html_set(canvas->html, "class", "h3");
    html_set(canvas->html, "role", "presentation");
    close_shape(canvas);
}

/* --- the picture --- */

static void put_pattern(struct canvas *canvas)
{
    struct html *h = canvas->html;
    html_open(h, "defs");
    html_open(h, "pattern");
    html_setf(h, "id", "%s-h", canvas->id);
    html_set(h, "width", "6");
    html_set(h, "height", "6");
    html_set(h, "patternUnits", "userSpaceOnUse");
    html_set(h, "patternTransform", "rotate(45)");
    canvas_rect(canvas, 0, 0, 6, 6, "h1");
    canvas_line(canvas, 0, 0, 0, 6, "h2");
    html_close(h);
    html_close(h);
    html_newline(h);
}

void canvas_open(struct canvas *canvas, double height, const char *title, const char *description, bool alone)
{
    struct html *h = canvas->html;
    const double whole = height + (canvas->mark == NULL ? 0 : CANVAS_LINE);
    canvas->height = height;
    html_open(h, "svg");
    if (alone)
        html_set(h, "xmlns", "http://www.w3.org/2000/svg");
    html_set(h, "class", "fig");
    html_setf(h, "viewBox", "0 0 %.0f %.0f", canvas->width, whole);
    html_setf(h, "width", "%.0f", canvas->width);
    html_setf(h, "height", "%.0f", whole);
    html_set(h, "role", "img");
    html_setf(h, "aria-labelledby", "%s-t %s-d", canvas->id, canvas->id);
    html_newline(h);
    html_open(h, "title");
    html_setf(h, "id", "%s-t", canvas->id);
    html_textf(h, "%s%s%s", canvas->mark == NULL ? "" : canvas->mark, canvas->mark == NULL ? "" : ". ",
               title);
    html_close(h);
    html_open(h, "desc");
    html_setf(h, "id", "%s-d", canvas->id);
    html_text(h, description);
    html_close(h);
    html_newline(h);
    if (alone) {
        html_style(h, canvas_css);
        html_newline(h);
    }
    put_pattern(canvas);
    if (alone)
        canvas_rect(canvas, 0, 0, canvas->width, whole, "bg");
}

void canvas_close(struct canvas *canvas)
{
    if (canvas->mark != NULL)
        canvas_centred(canvas, canvas->width / 2, canvas->height + CANVAS_LINE - 5, CANVAS_BOLD, NULL,
                       canvas->mark);
    html_close(canvas->html);
    html_newline(canvas->html);
}
