/* Pathways as bands: a column a line, a box a treatment, as high as many had it; a band to each treatment of
 * the next line. Who has no further line leaves a box without a band. */
#include <math.h>
#include <string.h>

#include "report/figures/figure.h"

enum { LINES_MAX = 8, NAMES_MAX = 32, BOX = 12, GAP = 10, PLOT = 300, LABELS_LEAST = 11 };

struct box {
    double n, in, out; /* patients: of the box, and how many of its bands are drawn at either side */
    double top;
};

struct flows {
    const struct figure *figure;
    const struct result *rows, *variables;
    struct labels labels;
    size_t n_lines, n_names;
    const char *names[NAMES_MAX]; /* treatments, as they first come */
    struct box boxes[LINES_MAX][NAMES_MAX];
    double left, step, scale; /* of columns; pixels a patient */
};

static size_t name_of(struct flows *f, const char *name)
{
    size_t i = 0;
    while (i < f->n_names && strcmp(f->names[i], name) != 0)
        i++;
    if (i == f->n_names && i < NAMES_MAX)
        f->names[f->n_names++] = name;
    return i;
}

/* One row: false where it cannot be drawn (withheld, or more treatments than there is room for). */
static bool read_row(struct flows *f, const struct result *row, size_t *line, size_t *from, size_t *to,
                     double *n)
{
    const char *one = result_text(row, "from"), *other = result_text(row, "to");
    const double at = result_number(row, "line");
    *n = result_number(row, "n");
    if (!figure_shows(f->figure, row) || one == NULL || isnan(*n) || !(at >= 1 && at < (double)f->n_lines))
        return false;
    *line = (size_t)at - 1;
    *from = name_of(f, one);
    *to = other == NULL ? NAMES_MAX : name_of(f, other);
    return *from < NAMES_MAX && (other == NULL || *to < NAMES_MAX);
}

/* A box is as high as what comes in or goes out, whichever more is known of. */
static void measure(struct flows *f)
{
    size_t line, from, to;
    double n;
    for (size_t i = 0; i < f->rows->n; i++)
        if (read_row(f, f->rows->items[i], &line, &from, &to, &n)) {
            f->boxes[line][from].out += n;
            if (to < NAMES_MAX)
                f->boxes[line + 1][to].in += n;
        }
    double most = 0;
    for (size_t k = 0; k < f->n_lines; k++) {
        double all = 0, gaps = 0;
        for (size_t i = 0; i < f->n_names; i++) {
            struct box *box = &f->boxes[k][i];
            box->n = fmax(box->in, box->out);
            box->in = box->out = 0;
            all += box->n;
            gaps += box->n > 0 ? GAP : 0;
        }
        most = fmax(most, all / fmax(PLOT - gaps, 1));
    }
    f->scale = most > 0 ? 1 / most : 0;
}

static void place(struct flows *f, double top)
{
    for (size_t k = 0; k < f->n_lines; k++) {
        double y = top;
        for (size_t i = 0; i < f->n_names; i++) {
            f->boxes[k][i].top = y;
            y += f->boxes[k][i].n > 0 ? f->boxes[k][i].n * f->scale + GAP : 0;
        }
    }
}

static void draw_band(struct flows *f, struct canvas *c, size_t line, size_t from, size_t to, double n)
{
    struct bytes d = {0};
    struct box *a = &f->boxes[line][from], *b = &f->boxes[line + 1][to];
    const double x1 = f->left + f->step * (double)line + BOX, x2 = f->left + f->step * (double)(line + 1),
                 y1 = a->top + a->out * f->scale, y2 = b->top + b->in * f->scale, high = n * f->scale;
    canvas_path_to(&d, 'M', x1, y1);
    canvas_path_bend(&d, x1, y1, x2, y2);
    canvas_path_to(&d, 'L', x2, y2 + high);
    canvas_path_bend(&d, x2, y2 + high, x1, y1 + high);
    canvas_path(c, &d, canvas_band_class(from));
    a->out += n;
    b->in += n;
}

static void draw_boxes(const struct flows *f, struct canvas *c, size_t line)
{
    const char *variable = f->variables->items[line]->string, *heading[2];
    const double x = f->left + f->step * (double)line, room = f->step - BOX - 8;
    size_t n =
        canvas_wrap(c->arena, heading, 2, CANVAS_BOLD, labels_variable(&f->labels, variable), f->step - 8);
    for (size_t k = 0; k < n; k++)
        canvas_text(c, x, 8 + CANVAS_LINE * ((double)k + 0.5) + CANVAS_BASELINE, CANVAS_START, CANVAS_BOLD,
                    NULL, heading[k]);
    for (size_t i = 0; i < f->n_names; i++) {
        const struct box *box = &f->boxes[line][i];
        const double high = box->n * f->scale;
        const char *words[1];
        if (!(box->n > 0))
            continue;
        canvas_rect(c, x, box->top, BOX, fmax(high, 1), canvas_fill_class(i));
        if (high < LABELS_LEAST)
            continue;
        canvas_wrap(c->arena, words, 1, CANVAS_SMALL,
                    arena_printf(c->arena, "%s %s", labels_level(&f->labels, variable, f->names[i]),
                                 figure_count(c->arena, box->n)),
                    room);
        canvas_text(c, x + BOX + 4, box->top + high / 2 + CANVAS_BASELINE, CANVAS_START, CANVAS_SMALL, NULL,
                    words[0]);
    }
}

void flows_draw(struct canvas *c, const struct figure *figure, bool alone)
{
    const struct result *result = figure->analysis->result;
    struct flows *f = arena_alloc(c->arena, sizeof *f);
    *f = (struct flows){.figure = figure,
                        .rows = result_get(result, "flows"),
                        .variables = result_get(result, "variables"),
                        .labels = labels_of(figure->report, c->arena),
                        .left = 8};
    f->n_lines = f->variables->n < LINES_MAX ? f->variables->n : LINES_MAX;
    const double last = c->width < 500 ? 84 : 130; /* for the words beside the last boxes */
    f->step = (c->width - f->left - BOX - last) / (double)(f->n_lines > 1 ? f->n_lines - 1 : 1);
    const double top = 8 + 2 * CANVAS_LINE + 8;
    measure(f);
    place(f, top);
    canvas_open(c, top + PLOT + 8, figure->title, figure->description, alone);
    size_t line, from, to;
    double n;
    for (size_t i = 0; i < f->rows->n; i++)
        if (read_row(f, f->rows->items[i], &line, &from, &to, &n) && to < NAMES_MAX)
            draw_band(f, c, line, from, to, n);
    for (size_t k = 0; k < f->n_lines; k++)
        if (f->variables->items[k]->kind == RESULT_STRING)
            draw_boxes(f, c, k);
    canvas_close(c);
}
