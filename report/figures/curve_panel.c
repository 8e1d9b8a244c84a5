/* The panel of a figure of curves: medians with limits, and the p-value of a test that asks the same. */
#include <math.h>
#include <string.h>

#include "report/figures/curve_private.h"
#include "report/regression.h"

static void say(struct curves *k, enum canvas_text style, const char *words)
{
    if (k->n_panel < PANEL_LINES) {
        k->panel_styles[k->n_panel] = style;
        k->panel[k->n_panel++] = words;
    }
}

static const char *median_words(const struct curves *k, const struct curve *v)
{
    struct arena *arena = k->c->arena;
    if (isnan(v->median))
        return "not reached";
    return arena_printf(
        arena, "%.1f (%s–%s)", v->median / k->per_unit,
        isnan(v->median_low) ? "NR" : arena_printf(arena, "%.1f", v->median_low / k->per_unit),
        isnan(v->median_high) ? "NR" : arena_printf(arena, "%.1f", v->median_high / k->per_unit));
}

/* Text without spaces. */
static const char *bare(struct arena *arena, const char *text)
{
    text = text == NULL ? "" : text;
    char *out = arena_strdup(arena, text), *to = out;
    for (; *text != '\0'; text++)
        if (*text != ' ')
            *to++ = *text;
    *to = '\0';
    return out;
}

/* Are both of one landmark, or of none? */
static bool same_landmark(const struct result *a, const struct result *b)
{
    const double x = result_number(a, "landmark"), y = result_number(b, "landmark");
    return isnan(x) ? isnan(y) : x == y;
}

/* The log-rank test of the same formula (maybe stratified) on the same cohort, where the study has one. */
static void say_logrank(struct curves *k)
{
    const struct report_analysis *own = k->figure->analysis;
    struct arena *arena = k->c->arena;
    const char *formula = own->asked == NULL ? NULL : result_text(own->asked, "formula");
    const char *cohort = own->asked == NULL ? NULL : result_text(own->asked, "cohort");
    char buffer[REGRESSION_WORDS];
    for (size_t i = 0; formula != NULL && i < k->figure->report->n_analyses; i++) {
        const struct report_analysis *a = &k->figure->report->analyses[i];
        if (strcmp(a->method, "logrank") != 0 || a->status != ANALYSIS_OK || a->asked == NULL ||
            result_text(a->asked, "formula") == NULL)
            continue;
        const char *other = result_text(a->asked, "cohort"), *mine = bare(arena, formula);
        const char *theirs = bare(arena, result_text(a->asked, "formula"));
        size_t n = strlen(mine);
        bool stratified = strncmp(theirs, mine, n) == 0 && strncmp(theirs + n, "+strata(", 8) == 0;
        if (!same_landmark(own->asked, a->asked) || (cohort == NULL) != (other == NULL) ||
            (cohort != NULL && strcmp(cohort, other) != 0) || (strcmp(theirs, mine) != 0 && !stratified))
            continue;
        const char *p = regression_p(buffer, result_number(a->result, "p_value"));
        if (*p != '\0')
            say(k, CANVAS_NORMAL,
                arena_printf(arena, "%s p%s%s", stratified ? "Stratified log-rank" : "Log-rank",
                             *p == '<' ? "" : "=", p));
        return;
    }
}

static void say_gray(struct curves *k)
{
    const struct result *gray = result_get(k->figure->analysis->result, "gray");
    char buffer[REGRESSION_WORDS];
    for (size_t i = 0; gray != NULL && gray->kind == RESULT_LIST && i < gray->n; i++) {
        const char *cause = result_text(gray->items[i], "cause");
        const char *p = regression_p(buffer, result_number(gray->items[i], "p_value"));
        if (cause != NULL && *p != '\0')
            say(k, CANVAS_NORMAL,
                arena_printf(k->c->arena, "Gray’s test, event %s: p%s%s",
                             labels_cause(&k->labels, k->figure->analysis->frame, cause),
                             *p == '<' ? "" : "=", p));
    }
}

void curve_panel_fill(struct curves *k)
{
    struct arena *arena = k->c->arena;
    if (k->clones)
        return;
    if (k->km && k->n <= 6) {
        const struct result *asked = k->figure->analysis->asked;
        double level = asked == NULL ? 0.95 : result_number(asked, "conf_level");
        say(k, CANVAS_BOLD,
            arena_printf(arena, "Median, %s (%.0f%% CI)",
                         k->per_unit == 1 && strcmp(k->units, "Time") == 0 ? "time"
                         : strcmp(k->units, "Years") == 0                  ? "years"
                         : strcmp(k->units, "Months") == 0                 ? "months"
                                                                           : k->units,
                         100 * (isnan(level) ? 0.95 : level)));
        for (size_t i = 0; i < k->n; i++)
            say(k, CANVAS_NORMAL,
                k->n == 1
                    ? median_words(k, &k->curves[i])
                    : arena_printf(arena, "%s, %s", k->curves[i].words, median_words(k, &k->curves[i])));
    }
    if (k->km)
        say_logrank(k);
    else
        say_gray(k);
    for (size_t i = 0; i < k->n_panel; i++)
        k->panel_width = fmax(k->panel_width, canvas_width_of(k->panel_styles[i], k->panel[i]));
}

/* Does a box of the plot hold a part of a curve or its band? */
static bool crossed(const struct curves *k, double x1, double y1, double x2, double y2)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct curve *v = &k->curves[i];
        double x = k->x.from, high = scale_place(&k->y, k->km ? 100 : 0), low = high;
        for (size_t j = 0; j <= v->n; j++) {
            double next = j < v->n ? scale_place(&k->x, v->time[j] / k->per_unit) : k->x.to;
            if (next >= x1 && x <= x2 && fmin(high, low) <= y2 && fmax(high, low) >= y1)
                return true;
            if (j == v->n)
                break;
            x = next;
            double place = scale_place(&k->y, 100 * v->estimate[j]);
            double up = v->high == NULL || isnan(v->high[j]) ? place : scale_place(&k->y, 100 * v->high[j]);
            double down = v->low == NULL || isnan(v->low[j]) ? place : scale_place(&k->y, 100 * v->low[j]);
            /* the step from the level before is a line too */
            high = fmin(up, fmin(high, low));
            if (next >= x1 && next <= x2 && high <= y2 && fmax(down, low) >= y1)
                return true;
            high = up;
            low = down;
        }
    }
    return false;
}

void curve_panel_place(struct curves *k)
{
    double width = k->panel_width + 12, height = (double)k->n_panel * CANVAS_LINE + 8;
    const double xs[] = {k->x.from + 6, k->x.to - 6 - width, k->x.from + 6, k->x.to - 6 - width};
    const double ys[] = {k->bottom - 6 - height, k->top + 4, k->top + 4, k->bottom - 6 - height};
    k->panel_above = false;
    if (k->n_panel == 0)
        return;
    for (size_t i = 0; i < 4; i++)
        if (width < 0.8 * (k->x.to - k->x.from) && height < 0.8 * (k->bottom - k->top) &&
            !crossed(k, xs[i], ys[i], xs[i] + width, ys[i] + height)) {
            k->panel_x = xs[i] + 6;
            k->panel_y = ys[i] + 4;
            return;
        }
    k->panel_above = true;
}

void curve_panel_draw(const struct curves *k)
{
    if (!k->panel_above && k->n_panel > 0) /* no line of the grid through the words */
        canvas_rect(k->c, k->panel_x - 4, k->panel_y, k->panel_width + 8, (double)k->n_panel * CANVAS_LINE,
                    "h1");
    for (size_t i = 0; i < k->n_panel; i++) {
        double y = k->panel_y + ((double)i + 0.5) * CANVAS_LINE + CANVAS_BASELINE;
        canvas_text(k->c, k->panel_x, y, CANVAS_START, k->panel_styles[i], NULL, k->panel[i]);
    }
}

void curve_panel_wrap(struct curves *k)
{
    const char *lines[PANEL_LINES];
    enum canvas_text styles[PANEL_LINES];
    size_t n = 0;
    for (size_t i = 0; i < k->n_panel && n < PANEL_LINES; i++) {
        size_t more = canvas_wrap(k->c->arena, lines + n, PANEL_LINES - n < 2 ? 1 : 2, k->panel_styles[i],
                                  k->panel[i], k->c->width - 16);
        for (size_t j = 0; j < more; j++)
            styles[n + j] = k->panel_styles[i];
        n += more;
    }
    /* cppcheck-suppress uninitvar ; the loop wrote the first n */
    memcpy(k->panel, lines, n * sizeof *lines);
    /* cppcheck-suppress uninitvar ; the loop wrote the first n */
    memcpy(k->panel_styles, styles, n * sizeof *styles);
    k->n_panel = n;
}
