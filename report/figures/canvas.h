/* A drawing surface: SVG through the writer of report/html. Lengths are in CSS pixels (1/96 inch), y goes
 * down. Colours and fonts come from canvas_css alone: shapes carry classes. */
#ifndef REPORT_FIGURES_CANVAS_H
#define REPORT_FIGURES_CANVAS_H

#include "base/arena.h"
#include "report/html.h"

enum canvas_text { CANVAS_NORMAL, CANVAS_SMALL, CANVAS_BOLD };
enum canvas_anchor { CANVAS_START, CANVAS_MIDDLE, CANVAS_END };

/* Heights of a line of text, and how far its baseline is below the middle of its letters. */
enum { CANVAS_LINE = 16, CANVAS_SMALL_LINE = 14, CANVAS_COLOURS = 6 };
#define CANVAS_BASELINE 4.2

struct canvas {
    struct html *html;
    struct arena *arena; /* of texts while drawing */
    double width, height;
    const char *id;
    const char *mark; /* stands in bold below the picture and in its title; NULL: nothing */
};

/* Opens the picture. title and description are read by screen readers. id: letters, digits, -, unique in the
 * page. alone: a file of its own, which carries its style and a white ground. */
void canvas_open(struct canvas *canvas, double height, const char *title, const char *description,
                 bool alone);
/* Writes the mark below. */
void canvas_close(struct canvas *canvas);

/* The style of figures, in a page too; and what changes on a dark ground. */
extern const char *const canvas_css;
extern const char *const canvas_css_dark;

/* Width of a text. */
double canvas_width_of(enum canvas_text style, const char *text);
/* x, y: where the baseline begins, has its middle or ends. extra: more classes ("m": muted), or NULL. */
void canvas_text(struct canvas *canvas, double x, double y, enum canvas_anchor anchor, enum canvas_text style,
                 const char *extra, const char *text);
/* One line about x, cut with … at the width of the picture and moved so that it stays inside. */
void canvas_centred(struct canvas *canvas, double x, double y, enum canvas_text style, const char *extra,
                    const char *text);
/* The text in at most `most` lines of at most width, broken at spaces, else anywhere; the last line ends in …
 * where the text is cut. lines has room for `most` (at least one);
 * the first is "" where the text is. Returns how many there are. */
size_t canvas_wrap(struct arena *arena, const char **lines, size_t most, enum canvas_text style,
                   const char *text, double width);

void canvas_line(struct canvas *canvas, double x1, double y1, double x2, double y2, const char *class);
void canvas_rect(struct canvas *canvas, double x, double y, double width, double height, const char *class);
void canvas_circle(struct canvas *canvas, double x, double y, double radius, const char *class);
void canvas_square(struct canvas *canvas, double x, double y, double half, const char *class);
/* A path of points; d is built with canvas_path_*. */
void canvas_path_to(struct bytes *d, char command, double x, double y); /* M, L */
void canvas_path_step(struct bytes *d, double x, double y);             /* along x, then along y */
/* From one place to another, level at both ends. */
void canvas_path_bend(struct bytes *d, double x1, double y1, double x2, double y2);
void canvas_path(struct canvas *canvas, struct bytes *d, const char *class); /* takes d's content */
/* A rectangle filled with the pattern that means "withheld". */
void canvas_hatch(struct canvas *canvas, double x, double y, double width, double height);

/* "k0" … of the i-th curve, "c0" … of its fill; in a static table, the last repeated. */
const char *canvas_stroke_class(size_t i);
const char *canvas_fill_class(size_t i);
const char *canvas_band_class(size_t i);

#endif
