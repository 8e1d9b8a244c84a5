/* Attrition as a flow diagram: a box of who is left after each criterion, and to the right, where the line
 * goes down, a box of who was excluded. */
#include <math.h>

#include "report/figures/figure.h"

enum { EDGE = 8, PAD = 8, BETWEEN = 14, LINES_MAX = 3 };

struct diagram {
    struct canvas *canvas;
    struct labels labels;
    double box, side, side_left; /* widths, and where boxes of the right begin */
    bool draws;                  /* false: it is measured */
};

/* The title in bold and the count below it, in a box at x, y as wide as width; where n is not known it is
 * withheld. Returns its height. */
static double box(const struct diagram *d, double x, double y, double width, const char *title, double n)
{
    struct canvas *c = d->canvas;
    const char *lines[LINES_MAX];
    const size_t n_lines = canvas_wrap(c->arena, lines, LINES_MAX, CANVAS_BOLD, title, width - 2 * PAD);
    const double height = 2 * PAD + CANVAS_LINE * (double)(n_lines + 1);
    if (!d->draws)
        return height;
    if (isnan(n))
        canvas_hatch(c, x, y, width, height);
    canvas_rect(c, x, y, width, height, isnan(n) ? "a" : "o");
    y += PAD + CANVAS_LINE / 2.0 + CANVAS_BASELINE;
    for (size_t i = 0; i < n_lines; i++, y += CANVAS_LINE)
        canvas_text(c, x + PAD, y, CANVAS_START, CANVAS_BOLD, NULL, lines[i]);
    canvas_text(c, x + PAD, y, CANVAS_START, CANVAS_NORMAL, NULL,
                isnan(n) ? "withheld" : arena_printf(c->arena, "n = %s", figure_count(c->arena, n)));
    return height;
}

/* The head of an arrow whose point is at x, y. */
static void head(struct canvas *c, double x, double y, double dx, double dy)
{
    canvas_line(c, x, y, x - 5 * dx - 3 * dy, y - 5 * dy - 3 * dx, "a");
    canvas_line(c, x, y, x - 5 * dx + 3 * dy, y - 5 * dy + 3 * dx, "a");
}

/* One step below y: the excluded beside the line, then who is left. Returns where it ends. */
static double step(const struct diagram *d, const struct result *row, double y)
{
    struct canvas *c = d->canvas;
    const double middle = EDGE + d->box / 2;
    const char *criterion = result_text(row, "criterion");
    const double n = result_number(row, "n");
    if (criterion == NULL)
        return y + box(d, EDGE, y, d->box, "Begins", n);
    const double right = y + BETWEEN,
                 top = right + BETWEEN +
                       box(d, d->side_left, right, d->side, "Excluded", result_number(row, "excluded"));
    if (d->draws) {
        const double half = right + (top - BETWEEN - right) / 2;
        canvas_line(c, middle, y, middle, top, "a");
        head(c, middle, top, 0, 1);
        canvas_line(c, middle, half, d->side_left, half, "a");
        head(c, d->side_left, half, 1, 0);
    }
    return top + box(d, EDGE, top, d->box, labels_condition(&d->labels, criterion), n);
}

static double steps(struct diagram *d, const struct figure *figure, bool draws)
{
    const struct result *rows = result_get(figure->analysis->result, "steps");
    double y = EDGE;
    d->draws = draws;
    for (size_t i = 0; i < rows->n; i++)
        if (figure_shows(figure, rows->items[i]))
            y = step(d, rows->items[i], y);
    return y + EDGE;
}

void attrition_draw(struct canvas *c, const struct figure *figure, bool alone)
{
    struct diagram d = {.canvas = c, .labels = labels_of(figure->report, c->arena)};
    d.box = fmin(c->width * 0.52, 300);
    d.side_left = EDGE + d.box + (c->width < 500 ? 12 : 48);
    d.side = fmin(c->width - d.side_left - EDGE, 220);
    canvas_open(c, steps(&d, figure, false), figure->title, figure->description, alone);
    steps(&d, figure, true);
    canvas_close(c);
}
