/* Bars: histograms, cross tables, and the propensities of two groups, one above the other. */
#include <math.h>
#include <string.h>

#include "report/figures/figure.h"
#include "report/figures/scale.h"

enum { GROUPS_MAX = 12, LEVELS_MAX = 24, LEGEND_LINES = 24 };

struct bars {
    struct canvas *c;
    double left, right; /* of the plot */
    double top, bottom;
    struct scale y;
};

static double largest(const double *counts, size_t n, double so_far)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(counts[i]))
            so_far = fmax(so_far, counts[i]);
    return so_far;
}

/* The axis of heads, with lines across the plot. */
static void draw_heads(const struct bars *b)
{
    for (size_t i = 0; i < b->y.n_ticks; i++) {
        double y = scale_place(&b->y, b->y.ticks[i]);
        if (i > 0)
            canvas_line(b->c, b->left, y, b->right, y, "g");
        canvas_text(b->c, b->left - 6, y + CANVAS_BASELINE, CANVAS_END, CANVAS_SMALL, NULL,
                    figure_count(b->c->arena, b->y.ticks[i]));
    }
    canvas_line(b->c, b->left, b->bottom, b->right, b->bottom, "a");
}

/* A bar; hatched to half the height where its count is withheld. */
static void draw_bar(const struct bars *b, double x, double width, double count, const char *class)
{
    if (isnan(count)) {
        double top = (b->top + b->bottom) / 2;
        canvas_hatch(b->c, x, top, width, b->bottom - top);
    } else if (count > 0) {
        double y = scale_place(&b->y, count);
        canvas_rect(b->c, x, y, width, b->bottom - y, class);
    }
}

/* Counts have whole ticks. */
static void scale_heads(struct bars *b, double most, size_t ticks)
{
    scale_linear(&b->y, 0, fmax(most, (double)ticks), ticks, true);
    b->y.from = b->bottom;
    b->y.to = b->top;
}

/* --- histogram --- */

static const char *axis_words(const struct labels *labels, const struct report_analysis *a)
{
    const char *variable = a->asked == NULL ? NULL : result_text(a->asked, "variable");
    return variable == NULL ? "Value" : labels_with_units(labels, variable);
}

/* The part of the breaks that any group fills, with one empty bar at each side. */
static void occupied(const struct result *groups, struct arena *arena, size_t *first, size_t *last)
{
    size_t low = SIZE_MAX, high = 0, most = 0;
    for (size_t g = 0; g < groups->n; g++) {
        size_t n;
        const double *counts = figure_numbers(&n, groups->items[g], "counts", arena);
        most = n > most ? n : most;
        for (size_t i = 0; i < n; i++)
            if (isnan(counts[i]) || counts[i] > 0) {
                low = i < low ? i : low;
                high = i > high ? i : high;
            }
    }
    *first = low == SIZE_MAX || low == 0 ? 0 : low - 1;
    *last = low == SIZE_MAX ? most : high + 2 < most ? high + 2 : most;
}

void bars_histogram(struct canvas *c, const struct figure *figure, bool alone)
{
    const struct result *groups = result_get(figure->analysis->result, "groups");
    struct labels labels = labels_of(figure->report, c->arena);
    size_t n_groups = groups->n < GROUPS_MAX ? groups->n : GROUPS_MAX, first, last, n_breaks = 0,
           n_counts = 0;
    bool narrow = c->width < 500;
    double plot = narrow ? 120 : 150, pitch = plot + 22 + (n_groups > 1 ? CANVAS_LINE : 0), most = 0;
    const double *breaks = NULL;
    for (size_t g = 0; g < n_groups; g++) {
        const double *counts = figure_numbers(&n_counts, groups->items[g], "counts", c->arena);
        most = largest(counts, n_counts, most);
    }
    breaks = figure_numbers(&n_breaks, groups->items[0], "breaks", c->arena);
    occupied(groups, c->arena, &first, &last);
    if (n_breaks < 2 || last >= n_breaks || first >= last) {
        first = 0;
        last = n_breaks > 1 ? n_breaks - 1 : 0;
    }
    canvas_open(c, 8 + CANVAS_LINE + (double)n_groups * pitch + 26, figure->title, figure->description,
                alone);
    canvas_text(c, 8, 8 + CANVAS_LINE / 2.0 + CANVAS_BASELINE, CANVAS_START, CANVAS_NORMAL, NULL, "Patients");
    struct scale x = {0};
    for (size_t g = 0; g < n_groups && last > 0; g++) {
        struct bars b = {.c = c, .left = 52, .right = c->width - 12};
        const char *by = result_text(groups->items[g], "by"), *level = result_text(groups->items[g], "level");
        b.top = 8 + CANVAS_LINE + (double)g * pitch + 8 + (n_groups > 1 ? CANVAS_LINE : 0);
        b.bottom = b.top + plot - 14;
        scale_heads(&b, most, narrow ? 4 : 5);
        x.from = b.left;
        x.to = b.right;
        scale_linear(&x, breaks[first], breaks[last], narrow ? 6 : 10, false);
        if (n_groups > 1 && by != NULL && level != NULL) {
            const char *line[1];
            canvas_wrap(c->arena, line, 1, CANVAS_BOLD, labels_by(&labels, by, level), b.right - b.left);
            canvas_text(c, b.left, b.top - 8, CANVAS_START, CANVAS_BOLD, NULL, line[0]);
        }
        draw_heads(&b);
        const double *counts = figure_numbers(&n_counts, groups->items[g], "counts", c->arena);
        for (size_t i = first; i < last && i < n_counts; i++) {
            double from = scale_place(&x, breaks[i]), to = scale_place(&x, breaks[i + 1]);
            draw_bar(&b, from + 0.5, to - from - 1, counts[i], canvas_fill_class(0));
        }
        for (size_t i = 0; i < x.n_ticks; i++) {
            char words[SCALE_WORDS];
            double at = scale_place(&x, x.ticks[i]);
            canvas_line(c, at, b.bottom, at, b.bottom + 4, "a");
            canvas_text(c, at, b.bottom + 16, CANVAS_MIDDLE, CANVAS_SMALL, NULL, scale_words(words, &x, i));
        }
    }
    canvas_centred(c, c->width / 2, c->height - 10, CANVAS_NORMAL, NULL,
                   axis_words(&labels, figure->analysis));
    canvas_close(c);
}

/* --- overlap --- */

void bars_overlap(struct canvas *c, const struct figure *figure, bool alone)
{
    const struct result *overlap = result_get(figure->analysis->result, "overlap");
    const struct result *lists = result_get(overlap, "counts");
    struct labels labels = labels_of(figure->report, c->arena);
    const char *treatment =
        figure->analysis->asked == NULL ? NULL : result_text(figure->analysis->asked, "treatment");
    const char *label = treatment == NULL ? "Treatment" : labels_variable(&labels, treatment);
    size_t n_breaks, n[2] = {0, 0};
    const double *breaks = figure_numbers(&n_breaks, overlap, "breaks", c->arena), *counts[2];
    double half = c->width < 500 ? 90 : 120, most = 1, left = 52, right = c->width - 12, narrow = 1;
    bool alike = true;
    for (size_t i = 0; i + 1 < n_breaks; i++)
        narrow = fmin(narrow, breaks[i + 1] - breaks[i]);
    for (size_t i = 0; i + 1 < n_breaks; i++)
        alike = alike && breaks[i + 1] - breaks[i] < 1.5 * narrow;
    for (size_t g = 0; g < 2; g++) {
        const struct result *list = g < lists->n ? lists->items[g] : NULL;
        double *numbers = arena_array(c->arena, (list == NULL ? 0 : list->n) + 1, sizeof *numbers);
        n[g] = list == NULL || list->kind != RESULT_LIST ? 0 : list->n;
        for (size_t i = 0; i < n[g]; i++)
            numbers[i] = list->items[i]->kind == RESULT_INTEGER  ? (double)list->items[i]->integer
                         : list->items[i]->kind == RESULT_NUMBER ? list->items[i]->number
                                                                 : NAN;
        double all = 0; /* the groups are of unequal size: shares are compared, not heads */
        for (size_t i = 0; i < n[g]; i++)
            all += isnan(numbers[i]) ? 0 : numbers[i];
        for (size_t i = 0; i < n[g]; i++)
            numbers[i] *= all > 0 ? 100 / all : 0;
        for (size_t i = 0; i < n[g] && i + 1 < n_breaks; i++) /* areas are shares where some are joined */
            numbers[i] *= narrow / (breaks[i + 1] - breaks[i]);
        counts[g] = numbers;
        most = largest(numbers, n[g], most);
    }
    canvas_open(c, 8 + CANVAS_LINE + 2 * half + 58, figure->title, figure->description, alone);
    struct scale x = {.from = left, .to = right};
    scale_linear(&x, 0, 1, c->width < 500 ? 6 : 11, false);
    canvas_text(
        c, 8, 8 + CANVAS_LINE / 2.0 + CANVAS_BASELINE, CANVAS_START, CANVAS_NORMAL, NULL,
        alike ? "Patients of each group (%)"
              : arena_printf(c->arena, "Patients of each group (%%) in 1/%.0f of the scores", 1 / narrow));
    double middle = 8 + CANVAS_LINE + 8 + half;
    for (int g = 1; g >= 0; g--) { /* the treated above */
        double sign = g == 1 ? -1 : 1;
        struct scale y = {0};
        scale_linear(&y, 0, most, 4, true);
        y.from = middle;
        y.to = middle + sign * (half - 10);
        for (size_t i = g == 1 ? 0 : 1; i < y.n_ticks; i++) {
            double at = scale_place(&y, y.ticks[i]);
            if (i > 0)
                canvas_line(c, left, at, right, at, "g");
            canvas_text(c, left - 6, at + CANVAS_BASELINE, CANVAS_END, CANVAS_SMALL, NULL,
                        figure_count(c->arena, y.ticks[i]));
        }
        for (size_t i = 0; i < n[g] && i + 1 < n_breaks; i++) {
            double from = scale_place(&x, breaks[i]), to = scale_place(&x, breaks[i + 1]);
            double height = isnan(counts[g][i]) ? half / 2 : fabs(scale_place(&y, counts[g][i]) - middle);
            if (isnan(counts[g][i]))
                canvas_hatch(c, from, g == 1 ? middle - height : middle, to - from, height);
            else if (height > 0)
                canvas_rect(c, from + 0.5, g == 1 ? middle - height : middle, to - from - 1, height,
                            canvas_fill_class(g == 1 ? 1 : 0));
        }
        const char *line[1];
        canvas_wrap(c->arena, line, 1, CANVAS_BOLD,
                    arena_printf(c->arena, "%s: %s", label, g == 1 ? "Yes" : "No"), right - left - 8);
        canvas_text(c, right - 4, g == 1 ? middle - half + 20 : middle + half - 12, CANVAS_END, CANVAS_BOLD,
                    NULL, line[0]);
    }
    canvas_line(c, left, middle, right, middle, "a");
    double bottom = middle + half + 2;
    for (size_t i = 0; i < x.n_ticks; i++) {
        char words[SCALE_WORDS];
        double at = scale_place(&x, x.ticks[i]);
        canvas_line(c, at, middle - 2, at, middle + 2, "a");
        canvas_text(c, at, bottom + 12, CANVAS_MIDDLE, CANVAS_SMALL, NULL, scale_words(words, &x, i));
    }
    canvas_centred(c, (left + right) / 2, bottom + 30, CANVAS_NORMAL, NULL, "Propensity score");
    canvas_close(c);
}

/* --- crosstab --- */

static const char *level_words(const struct labels *labels, const char *variable, const struct result *levels,
                               size_t i)
{
    const struct result *level = i < levels->n ? levels->items[i] : NULL;
    return level == NULL || level->kind != RESULT_STRING ? "" : labels_level(labels, variable, level->string);
}

void bars_crosstab(struct canvas *c, const struct figure *figure, bool alone)
{
    const struct result *result = figure->analysis->result, *counts = result_get(result, "counts");
    const struct result *variables = result_get(result, "variables"), *levels = result_get(result, "levels");
    struct labels labels = labels_of(figure->report, c->arena);
    const char *names[2] = {"", ""}, *line[2], *legend[LEVELS_MAX];
    for (size_t v = 0; v < 2; v++)
        if (variables->items[v]->kind == RESULT_STRING)
            names[v] = variables->items[v]->string;
    if (levels == NULL || levels->n != 2 || levels->items[1]->kind != RESULT_LIST)
        return;
    size_t n_rows = counts->n < LEVELS_MAX ? counts->n : LEVELS_MAX;
    size_t n_columns = levels->items[1]->n < CANVAS_COLOURS ? levels->items[1]->n : CANVAS_COLOURS;
    double most = 1, plot = c->width < 500 ? 170 : 220, x = 8, y = 8, rows = 1;
    struct bars b = {.c = c, .left = 52, .right = c->width - 12};
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns && j < counts->items[i]->n; j++) {
            const struct result *n = counts->items[i]->items[j];
            if (n->kind == RESULT_INTEGER)
                most = fmax(most, (double)n->integer);
        }
    /* the legend: as many entries beside each other as fit */
    double legend_x[CANVAS_COLOURS], legend_row[CANVAS_COLOURS];
    for (size_t j = 0; j < n_columns; j++) {
        canvas_wrap(c->arena, &legend[j], 1, CANVAS_NORMAL,
                    level_words(&labels, names[1], levels->items[1], j), c->width - 40);
        double width = 18 + canvas_width_of(CANVAS_NORMAL, legend[j]) + 16;
        if (x + width > c->width - 8 && x > 8) {
            x = 8;
            rows++;
        }
        legend_x[j] = x;
        legend_row[j] = rows - 1;
        x += width;
    }
    b.top = y + CANVAS_LINE * (rows + 2) + 20;
    b.bottom = b.top + plot;
    double slot = (b.right - b.left) / (double)(n_rows > 0 ? n_rows : 1), deep = 1;
    for (size_t i = 0; i < n_rows; i++)
        deep = fmax(deep, (double)canvas_wrap(c->arena, line, 2, CANVAS_SMALL,
                                              level_words(&labels, names[0], levels->items[0], i), slot - 4));
    scale_heads(&b, most, 5);
    canvas_open(c, b.bottom + 6 + deep * CANVAS_SMALL_LINE + CANVAS_LINE + 12, figure->title,
                figure->description, alone);
    size_t n = canvas_wrap(c->arena, line, 1, CANVAS_BOLD, labels_variable(&labels, names[1]), c->width - 16);
    if (n > 0)
        canvas_text(c, 8, y + CANVAS_LINE / 2.0 + CANVAS_BASELINE, CANVAS_START, CANVAS_BOLD, NULL, line[0]);
    for (size_t j = 0; j < n_columns; j++) {
        double at = y + CANVAS_LINE * (legend_row[j] + 1.5);
        canvas_rect(c, legend_x[j], at - 6, 12, 12, canvas_fill_class(j));
        canvas_text(c, legend_x[j] + 18, at + CANVAS_BASELINE, CANVAS_START, CANVAS_NORMAL, NULL, legend[j]);
    }
    canvas_text(c, 8, b.top - 18, CANVAS_START, CANVAS_NORMAL, NULL, "Patients");
    draw_heads(&b);
    for (size_t i = 0; i < n_rows; i++) {
        double from = b.left + slot * ((double)i + 0.12), width = 0.76 * slot / (double)n_columns;
        for (size_t j = 0; j < n_columns && j < counts->items[i]->n; j++) {
            const struct result *cell = counts->items[i]->items[j];
            double count = cell->kind == RESULT_INTEGER ? (double)cell->integer : NAN,
                   at = from + width * (double)j;
            draw_bar(&b, at + 0.5, width - 1, count, canvas_fill_class(j));
            const char *words = figure_count(c->arena, count);
            if (!isnan(count) && canvas_width_of(CANVAS_SMALL, words) <= width + 2)
                canvas_text(c, at + width / 2, scale_place(&b.y, count) - 4, CANVAS_MIDDLE, CANVAS_SMALL,
                            NULL, words);
        }
        n = canvas_wrap(c->arena, line, 2, CANVAS_SMALL, level_words(&labels, names[0], levels->items[0], i),
                        slot - 4);
        for (size_t k = 0; k < n; k++)
            canvas_text(c, b.left + slot * ((double)i + 0.5), b.bottom + 16 + (double)k * CANVAS_SMALL_LINE,
                        CANVAS_MIDDLE, CANVAS_SMALL, NULL, line[k]);
    }
    canvas_centred(c, (b.left + b.right) / 2, c->height - 10, CANVAS_NORMAL, NULL,
                   labels_with_units(&labels, names[0]));
    canvas_close(c);
}
