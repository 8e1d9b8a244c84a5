/* Which figures an analysis has, and how they are drawn. */
#ifndef REPORT_FIGURES_FIGURE_H
#define REPORT_FIGURES_FIGURE_H

#include "report/figures/canvas.h"
#include "report/labels.h"

/* Widths for which figures are laid out: a page, and a telephone. */
enum { FIGURE_WIDE = 720, FIGURE_NARROW = 328 };

struct figure {
    const char *name; /* of its file: letters, digits, -, _ */
    const char *title, *description;
    const char *note;       /* what stands below it, or NULL */
    bool withheld;          /* parts are hatched */
    const char *by, *level; /* of the rows that it shows, where one group has a figure; else NULL */
    const struct report *report;
    const struct report_analysis *analysis;
    void (*draw)(struct canvas *canvas, const struct figure *figure, bool alone);
    const struct figure *next;
};

/* The figures of an analysis, linked; NULL when it has none. Lives in arena. */
const struct figure *figure_list(const struct report *report, const struct report_analysis *analysis,
                                 struct arena *arena);

/* Draws into what html writes. id as canvas_open. alone: a file of its own. */
void figure_draw(struct html *html, const struct figure *figure, double width, const char *id, bool alone);

/* FOLDER/<name>.svg (pdf, png) for every figure. format: "svg", "pdf" or "png" (300 dots an inch). The folder
 * is made. MAILLE_INVALID for another format. n_files (may be NULL): how many. */
enum maille_code figure_write_all(const struct report *report, const char *folder, const char *format,
                                  size_t *n_files, struct maille_error *error) MAILLE_CHECKED;

/* picture.c: the door to librsvg and cairo. svg of length bytes to a file of the format "pdf" or "png".
 * MAILLE_FAILED: the picture cannot be drawn; MAILLE_IO. */
enum maille_code picture_write(const char *path, const char *format, const void *svg, size_t length,
                               struct maille_error *error) MAILLE_CHECKED;

/* --- one file each --- */

void curve_draw(struct canvas *canvas, const struct figure *figure, bool alone);       /* km, cuminc */
void forest_draw(struct canvas *canvas, const struct figure *figure, bool alone);      /* terms, meta */
void forest_subgroups(struct canvas *canvas, const struct figure *figure, bool alone); /* of an entry */
void forest_contrasts(struct canvas *canvas, const struct figure *figure, bool alone); /* gformula */
void love_draw(struct canvas *canvas, const struct figure *figure, bool alone);        /* smd */
void attrition_draw(struct canvas *canvas, const struct figure *figure, bool alone);
void flows_draw(struct canvas *canvas, const struct figure *figure, bool alone);   /* pathways */
void bars_overlap(struct canvas *canvas, const struct figure *figure, bool alone); /* smd with weights */
void bars_histogram(struct canvas *canvas, const struct figure *figure, bool alone);
void bars_crosstab(struct canvas *canvas, const struct figure *figure, bool alone); /* of two variables */

/* --- what they share: figure.c --- */

/* A list of numbers; null is NaN. *n 0 where there is no list. */
const double *figure_numbers(size_t *n, const struct result *object, const char *key, struct arena *arena);
/* Is a row of the group that the figure is of? */
bool figure_shows(const struct figure *figure, const struct result *row);
/* "1,234", of a whole number; "–" of NaN. */
const char *figure_count(struct arena *arena, double count);

#endif
