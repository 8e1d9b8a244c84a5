/* Love plot: how far the treated are from the others, covariate by covariate, before and after weighting. */
#include <math.h>

#include "report/figures/figure.h"
#include "report/figures/scale.h"

enum { ROW_LINES = 3, PAD = 6, AXIS = 44, GAP = 16 };

struct love {
    const struct result *rows;
    struct labels labels;
    struct scale scale;
    double label_width, top;
    bool weighted;
};

static const char *row_words(const struct love *love, const struct result *row)
{
    const char *variable = result_text(row, "variable"), *level = result_text(row, "level");
    if (variable == NULL)
        return "";
    const char *label = labels_variable(&love->labels, variable);
    return level == NULL ? label
                         : arena_printf(love->labels.arena, "%s: %s", label,
                                        labels_level(&love->labels, variable, level));
}

static double row_height(const struct love *love, struct canvas *c, const struct result *row)
{
    const char *lines[ROW_LINES];
    return (double)canvas_wrap(c->arena, lines, ROW_LINES, CANVAS_NORMAL, row_words(love, row),
                               love->label_width) *
               CANVAS_LINE +
           PAD;
}

static void draw_legend(const struct love *love, struct canvas *c)
{
    double x = 14, y = 8 + CANVAS_LINE / 2.0;
    if (!love->weighted)
        return;
    canvas_circle(c, x, y, 4, "o");
    canvas_text(c, x + 10, y + CANVAS_BASELINE, CANVAS_START, CANVAS_NORMAL, NULL, "Before weighting");
    x += 10 + canvas_width_of(CANVAS_NORMAL, "Before weighting") + 24;
    canvas_circle(c, x, y, 4, "i");
    canvas_text(c, x + 10, y + CANVAS_BASELINE, CANVAS_START, CANVAS_NORMAL, NULL, "After weighting");
}

static void draw_axis(const struct love *love, struct canvas *c, double bottom)
{
    char words[SCALE_WORDS];
    double limit = scale_place(&love->scale, 0.1);
    for (size_t i = 0; i < love->scale.n_ticks; i++) {
        double x = scale_place(&love->scale, love->scale.ticks[i]);
        canvas_line(c, x, love->top, x, bottom, "g");
        canvas_line(c, x, bottom, x, bottom + 4, "a");
        canvas_text(c, x, bottom + 16, CANVAS_MIDDLE, CANVAS_SMALL, NULL,
                    scale_words(words, &love->scale, i));
    }
    canvas_line(c, limit, love->top, limit, bottom, "r");
    canvas_line(c, love->scale.from, bottom, love->scale.to, bottom, "a");
    const char *lines[2];
    size_t n =
        canvas_wrap(c->arena, lines, 2, CANVAS_SMALL, "Absolute standardised mean difference", c->width - 24);
    double middle = (love->scale.from + love->scale.to) / 2,
           half = canvas_width_of(CANVAS_SMALL, lines[0]) / 2;
    for (size_t k = 0; k < n; k++)
        canvas_text(c, fmin(middle, c->width - 8 - half), bottom + 31 + (double)k * CANVAS_SMALL_LINE,
                    CANVAS_MIDDLE, CANVAS_SMALL, "m", lines[k]);
}

void love_draw(struct canvas *c, const struct figure *figure, bool alone)
{
    struct love love = {.rows = result_get(figure->analysis->result, "variables"),
                        .labels = labels_of(figure->report, c->arena)};
    double most = 0.2, widest = 40;
    for (size_t i = 0; i < love.rows->n; i++) {
        const struct result *row = love.rows->items[i];
        double before = fabs(result_number(row, "unweighted")), after = fabs(result_number(row, "weighted"));
        love.weighted = love.weighted || !isnan(after);
        most = fmax(most, fmax(isnan(before) ? 0 : before, isnan(after) ? 0 : after));
        widest = fmax(widest, canvas_width_of(CANVAS_NORMAL, row_words(&love, row)));
    }
    love.label_width = fmin(widest, 0.42 * c->width);
    love.top = 8 + (love.weighted ? CANVAS_LINE + 8 : 0);
    scale_linear(&love.scale, 0, most, c->width < 500 ? 5 : 8, true);
    love.scale.from = 8 + love.label_width + GAP;
    love.scale.to = c->width - 20;
    double bottom = love.top;
    for (size_t i = 0; i < love.rows->n; i++)
        bottom += row_height(&love, c, love.rows->items[i]);
    canvas_open(c, bottom + AXIS, figure->title, figure->description, alone);
    draw_legend(&love, c);
    draw_axis(&love, c, bottom);
    double y = love.top;
    for (size_t i = 0; i < love.rows->n; i++) {
        const struct result *row = love.rows->items[i];
        const char *lines[ROW_LINES];
        double height = row_height(&love, c, row), centre = y + height / 2;
        double before = fabs(result_number(row, "unweighted")), after = fabs(result_number(row, "weighted"));
        size_t n =
            canvas_wrap(c->arena, lines, ROW_LINES, CANVAS_NORMAL, row_words(&love, row), love.label_width);
        for (size_t k = 0; k < n; k++)
            canvas_text(c, 8, centre + ((double)k - (double)(n - 1) / 2) * CANVAS_LINE + CANVAS_BASELINE,
                        CANVAS_START, CANVAS_NORMAL, NULL, lines[k]);
        if (isnan(before) && isnan(after))
            canvas_hatch(c, love.scale.from, centre - 5, love.scale.to - love.scale.from, 10);
        if (!isnan(before))
            canvas_circle(c, scale_place(&love.scale, before), centre, 4, love.weighted ? "o" : "i");
        if (!isnan(after))
            canvas_circle(c, scale_place(&love.scale, after), centre, 4, "i");
        y += height;
    }
    canvas_close(c);
}
