/* Forest plot: a row a term, estimates and limits on a log axis where they are ratios, heads and events
 * beside. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/figures/figure.h"
#include "report/figures/scale.h"
#include "report/regression.h"

enum { INDENT = 12, GAP = 14, LABEL_LINES = 3, ROW_PAD = 6, AXIS_HEIGHT = 46, NARROW_BAR = 22 };

struct forest {
    const struct regression *model;
    struct scale scale;
    bool narrow;
    double label_width, n_at, event_at, words_at, p_at; /* right edges of columns; words_at: left */
    double top;
};

static bool is_shown(const struct regression_row *row)
{
    return !row->intercept;
}

/* Limits that would make the others unreadable are cut, with an arrow. */
static void choose_scale(struct forest *f)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < f->model->n; i++) {
        const struct regression_row *row = &f->model->rows[i];
        if (!is_shown(row) || row->heading || isnan(row->estimate))
            continue;
        low = fmin(low, isnan(row->low) ? row->estimate : row->low);
        high = fmax(high, isnan(row->high) ? row->estimate : row->high);
    }
    if (f->model->is_ratio) {
        low = fmax(fmin(low, 0.9), 1.0 / 64);
        high = fmin(fmax(high, 1.1), 64);
        scale_log(&f->scale, low, high, f->narrow ? 5 : 7);
    } else {
        if (!(low <= high))
            low = high = 0;
        scale_linear(&f->scale, fmin(low, 0), fmax(high, 0), f->narrow ? 5 : 7, true);
    }
}

static double widest(const struct forest *f, const char *words_of(char *, const struct regression_row *))
{
    char buffer[REGRESSION_WORDS];
    double width = 0;
    for (size_t i = 0; i < f->model->n; i++)
        if (is_shown(&f->model->rows[i]))
            width = fmax(width, canvas_width_of(CANVAS_NORMAL, words_of(buffer, &f->model->rows[i])));
    return width;
}

/* What the rows below it are of stands out where there are several such parts. */
static enum canvas_text label_style(const struct regression_row *row)
{
    return row->part ? CANVAS_BOLD : CANVAS_NORMAL;
}

static const char *p_words(char *buffer, const struct regression_row *row)
{
    return regression_p(buffer, row->p_value);
}

static const char *estimate_words(char *buffer, const struct regression_row *row)
{
    return regression_words(buffer, row);
}

static void place_columns(struct forest *f, struct canvas *c, const char *measure)
{
    double labels = f->model->of == NULL ? 60 : fmax(60, canvas_width_of(CANVAS_BOLD, f->model->of)),
           estimates = fmax(widest(f, estimate_words), canvas_width_of(CANVAS_BOLD, measure));
    for (size_t i = 0; i < f->model->n; i++) {
        const struct regression_row *row = &f->model->rows[i];
        labels = fmax(labels, canvas_width_of(label_style(row), row->words) + (row->indented ? INDENT : 0));
    }
    f->label_width = fmin(labels, f->narrow ? c->width - 16 : 0.3 * c->width);
    if (f->narrow) {
        f->words_at = c->width - 8 - estimates;
        f->scale.from = 14;
        f->scale.to = f->words_at - GAP;
        return;
    }
    double x = 8 + f->label_width;
    if (f->model->has_n)
        f->n_at = x += GAP + 42;
    if (f->model->has_event)
        f->event_at = x += GAP + 42;
    f->p_at = c->width - 8;
    f->words_at =
        f->p_at - fmax(widest(f, p_words), canvas_width_of(CANVAS_BOLD, f->model->p_words)) - GAP - estimates;
    f->scale.from = x + GAP + 8;
    f->scale.to = f->words_at - GAP - 8;
}

static size_t label_lines(const struct forest *f, struct canvas *c, const struct regression_row *row,
                          const char **lines)
{
    return canvas_wrap(c->arena, lines, LABEL_LINES, label_style(row), row->words,
                       f->label_width - (row->indented ? INDENT : 0));
}

static double row_height(const struct forest *f, struct canvas *c, const struct regression_row *row)
{
    const char *lines[LABEL_LINES];
    double height = (double)label_lines(f, c, row, lines) * CANVAS_LINE + ROW_PAD;
    return height + (f->narrow && !row->heading ? NARROW_BAR : 0);
}

/* The estimate and its limits at height y; what lies beyond the axis ends in an arrow. */
static void draw_estimate(const struct forest *f, struct canvas *c, const struct regression_row *row,
                          double y)
{
    double from = f->scale.from, to = f->scale.to;
    if (isnan(row->estimate))
        return;
    double at = scale_place(&f->scale, row->estimate);
    if (row->reference) {
        canvas_square(c, at, y, 3, "o");
        return;
    }
    if (!isnan(row->low) && !isnan(row->high)) {
        double low = scale_place(&f->scale, row->low), high = scale_place(&f->scale, row->high);
        bool cut_low = !(low >= from - 0.5), cut_high = !(high <= to + 0.5);
        low = cut_low ? from : low;
        high = cut_high ? to : high;
        if (low < to && high > from)
            canvas_line(c, low, y, high, y, "ci");
        for (int side = -1; side <= 1; side += 2)
            if (side < 0 ? cut_low : cut_high) {
                struct bytes d = {0};
                double x = side < 0 ? from : to;
                canvas_path_to(&d, 'M', x - side * 6, y - 4);
                canvas_path_to(&d, 'L', x, y);
                canvas_path_to(&d, 'L', x - side * 6, y + 4);
                canvas_path(c, &d, "ci");
            } else {
                canvas_line(c, side < 0 ? low : high, y - 3, side < 0 ? low : high, y + 3, "ci");
            }
    }
    if (at >= from && at <= to)
        canvas_square(c, at, y, 4, "i");
}

/* On a telephone p has no column. */
static void draw_p(const struct forest *f, struct canvas *c, const struct regression_row *row, double y)
{
    char buffer[REGRESSION_WORDS];
    if (!f->narrow && !isnan(row->p_value))
        canvas_text(c, f->p_at, y + CANVAS_BASELINE, CANVAS_END, CANVAS_NORMAL, NULL,
                    regression_p(buffer, row->p_value));
}

static void draw_row(const struct forest *f, struct canvas *c, const struct regression_row *row, double y)
{
    const char *lines[LABEL_LINES];
    char buffer[REGRESSION_WORDS];
    size_t n = label_lines(f, c, row, lines);
    double first = y + ROW_PAD / 2.0 + CANVAS_LINE / 2.0, centre = first;
    for (size_t k = 0; k < n; k++)
        canvas_text(c, 8 + (row->indented ? INDENT : 0), first + (double)k * CANVAS_LINE + CANVAS_BASELINE,
                    CANVAS_START, label_style(row), NULL, lines[k]);
    if (row->heading) {
        draw_p(f, c, row, first);
        return;
    }
    if (f->narrow)
        centre = y + ROW_PAD / 2.0 + (double)n * CANVAS_LINE + NARROW_BAR / 2.0 - 2;
    if (f->narrow) { /* where it crosses no words */
        const double one = scale_place(&f->scale, f->model->is_ratio ? 1 : 0);
        canvas_line(c, one, centre - NARROW_BAR / 2.0, one, centre + NARROW_BAR / 2.0, "r");
    }
    draw_estimate(f, c, row, centre);
    canvas_text(c, f->words_at, centre + CANVAS_BASELINE, CANVAS_START, CANVAS_NORMAL,
                row->reference ? "m" : NULL, regression_words(buffer, row));
    if (f->narrow)
        return;
    if (f->model->has_n && row->n >= 0)
        canvas_text(c, f->n_at, centre + CANVAS_BASELINE, CANVAS_END, CANVAS_NORMAL, NULL,
                    figure_count(c->arena, (double)row->n));
    if (f->model->has_event && row->n_event >= 0)
        canvas_text(c, f->event_at, centre + CANVAS_BASELINE, CANVAS_END, CANVAS_NORMAL, NULL,
                    figure_count(c->arena, (double)row->n_event));
    if (!row->reference)
        draw_p(f, c, row, centre);
}

static void draw_axis(const struct forest *f, struct canvas *c, double bottom)
{
    char words[SCALE_WORDS];
    const char *lines[2];
    double one = scale_place(&f->scale, f->model->is_ratio ? 1 : 0);
    if (!f->narrow)
        canvas_line(c, one, f->top, one, bottom, "r");
    canvas_line(c, f->scale.from, bottom, f->scale.to, bottom, "a");
    for (size_t i = 0; i < f->scale.n_ticks; i++) {
        double x = scale_place(&f->scale, f->scale.ticks[i]);
        canvas_line(c, x, bottom, x, bottom + 4, "a");
        canvas_text(c, x, bottom + 16, CANVAS_MIDDLE, CANVAS_SMALL, NULL, scale_words(words, &f->scale, i));
    }
    size_t n = canvas_wrap(
        c->arena, lines, 2, CANVAS_SMALL,
        arena_printf(c->arena, "%s%s", f->model->measure, f->model->is_ratio ? ", log scale" : ""),
        fmax(f->scale.to - f->scale.from, 60));
    for (size_t k = 0; k < n; k++)
        canvas_text(c, (f->scale.from + f->scale.to) / 2, bottom + 31 + (double)k * CANVAS_SMALL_LINE,
                    CANVAS_MIDDLE, CANVAS_SMALL, "m", lines[k]);
}

static void draw(struct canvas *c, const struct figure *figure, const struct regression *model, bool alone)
{
    if (model == NULL)
        return;
    struct forest f = {.model = model, .narrow = c->width < 500, .top = 8 + CANVAS_LINE + 4};
    const char *measure = arena_printf(c->arena, "%s (%.0f%% CI)", model->abbreviation, 100 * model->level);
    choose_scale(&f);
    place_columns(&f, c, measure);
    double height = f.top;
    for (size_t i = 0; i < model->n; i++)
        if (is_shown(&model->rows[i]))
            height += row_height(&f, c, &model->rows[i]);
    canvas_open(c, height + AXIS_HEIGHT + CANVAS_SMALL_LINE, figure->title, figure->description, alone);
    double y = 8 + CANVAS_LINE / 2.0 + CANVAS_BASELINE;
    canvas_text(c, f.words_at, y, CANVAS_START, CANVAS_BOLD, NULL, measure);
    if (model->of != NULL) {
        const char *of = "";
        canvas_wrap(c->arena, &of, 1, CANVAS_BOLD, model->of,
                    f.narrow ? f.words_at - GAP - 8 : f.label_width);
        canvas_text(c, 8, y, CANVAS_START, CANVAS_BOLD, NULL, of);
    }
    if (!f.narrow) {
        if (model->has_n)
            canvas_text(c, f.n_at, y, CANVAS_END, CANVAS_BOLD, NULL, "n");
        if (model->has_event)
            canvas_text(c, f.event_at, y, CANVAS_END, CANVAS_BOLD, NULL, "Events");
        canvas_text(c, f.p_at, y, CANVAS_END, CANVAS_BOLD, NULL, model->p_words);
    }
    canvas_line(c, 8, f.top - 2, c->width - 8, f.top - 2, "g");
    draw_axis(&f, c, height);
    y = f.top;
    for (size_t i = 0; i < model->n; i++)
        if (is_shown(&model->rows[i])) {
            draw_row(&f, c, &model->rows[i], y);
            y += row_height(&f, c, &model->rows[i]);
        }
    canvas_close(c);
}

void forest_draw(struct canvas *c, const struct figure *figure, bool alone)
{
    draw(c, figure, regression_of(figure->report, figure->analysis, c->arena), alone);
}

void forest_contrasts(struct canvas *c, const struct figure *figure, bool alone)
{
    draw(c, figure, contrasts_of(figure->report, figure->analysis, c->arena), alone);
}

void forest_subgroups(struct canvas *c, const struct figure *figure, bool alone)
{
    draw(c, figure, subgroups_of(figure->report, figure->analysis, c->arena), alone);
}
