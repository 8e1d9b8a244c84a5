/* What the files that draw one figure of curves share: curve.c (curves and layout), curve_panel.c (medians
 * and p in the plot), curve_table.c (who is at risk below it). */
#ifndef REPORT_FIGURES_CURVE_PRIVATE_H
#define REPORT_FIGURES_CURVE_PRIVATE_H

#include "report/figures/figure.h"
#include "report/figures/scale.h"

enum { CURVES_MAX = 12, CURVE_LABEL_LINES = 4, CURVE_SWATCH = 22, PANEL_LINES = 16 };

struct curve {
    const char *words, *stratum;
    size_t n;
    const double *time, *estimate, *low, *high; /* low, high: NULL where a list is short */
    double median, median_low, median_high;
    bool ends_early; /* people are left at its end */
    const char *lines[CURVE_LABEL_LINES];
    size_t n_lines;
    double label_y; /* of a label at the curve's end: middle of its block */
};

/* Heads of one group, at the times at which somebody leaves. */
struct curve_heads {
    const char *words, *stratum;
    size_t n;
    const double *time, *at_risk, *events, *censored; /* events, censored: NULL where nobody says them */
    bool ends_early;                                  /* people are left at its end, or all is withheld */
    const char *stroke;                               /* of its curve; NULL: it has several */
};

struct curves {
    struct canvas *c;
    const struct figure *figure;
    struct labels labels;
    bool km, narrow, direct;
    bool clones; /* of a target trial: points joined by lines, no medians, and no test of curves */
    struct curve curves[CURVES_MAX];
    size_t n, n_left_out;
    struct curve_heads heads[CURVES_MAX];
    size_t n_heads;       /* 0: no table */
    double end, per_unit; /* last time; times in one unit of the axis */
    const char *units;
    struct scale x, y;
    double top, bottom, gutter_right;
    const char *panel[PANEL_LINES];
    enum canvas_text panel_styles[PANEL_LINES];
    size_t n_panel;
    double panel_x, panel_y, panel_width;
    bool panel_above;
};

/* curve_panel.c: what it says; a corner of the plot that no curve crosses, or above the plot where there is
 * none; then its lines wrap to the width of the figure; drawn. */
void curve_panel_fill(struct curves *k);
void curve_panel_place(struct curves *k);
void curve_panel_wrap(struct curves *k);
void curve_panel_draw(const struct curves *k);

/* curve_table.c: reads the heads, before anything is laid out; how high the table is; drawn from y down. */
void curve_table_read(struct curves *k);
double curve_table_height(const struct curves *k);
void curve_table_draw(const struct curves *k, double y);

#endif
