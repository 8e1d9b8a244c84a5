/* Kaplan–Meier curves and cumulative incidences: steps, bands, and the table at risk on the same scale of
 * time, as clinicians asked for it (Morris and others, BMJ Open 2019;9:e030215). */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/figures/figure.h"
#include "report/figures/scale.h"
#include "report/regression.h"

enum {
    CURVES_MAX = 12,
    LABEL_LINES = 4,
    LABEL_WIDTH = 130,
    PANEL_LINES = 16,
    SWATCH = 22,
    GUTTER = 82,
    FULL_TABLE_CURVES = 4
};

struct curve {
    const char *words;
    size_t n;
    const double *time, *estimate, *low, *high, *at_risk, *events, *censored;
    double median, median_low, median_high;
    bool ends_early; /* people are left at its end, or nobody says how many */
    const char *lines[LABEL_LINES];
    size_t n_lines;
    double label_y; /* of a label at the curve's end: middle of its block */
};

struct curves {
    struct canvas *c;
    const struct figure *figure;
    struct labels labels;
    bool km, narrow, direct;
    struct curve curves[CURVES_MAX];
    size_t n, n_left_out;
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

/* --- what is drawn --- */

static void read_curve(struct curves *k, const struct result *object)
{
    struct curve *v = &k->curves[k->n];
    const char *stratum = figure_text(object, "stratum"), *cause = figure_text(object, "cause");
    size_t n_low, n_high, n_risk, n_events, n_censored, n_time;
    struct arena *arena = k->c->arena;
    v->time = figure_numbers(&n_time, object, "time", arena);
    v->estimate = figure_numbers(&v->n, object, "estimate", arena);
    v->low = figure_numbers(&n_low, object, "conf_low", arena);
    v->high = figure_numbers(&n_high, object, "conf_high", arena);
    v->at_risk = figure_numbers(&n_risk, object, "n_risk", arena);
    v->events = figure_numbers(&n_events, object, "n_event_at", arena);
    v->censored = figure_numbers(&n_censored, object, "n_censor", arena);
    v->n = v->n < n_time ? v->n : n_time;
    if (n_low < v->n || n_high < v->n)
        v->low = v->high = NULL;
    if (n_risk < v->n)
        v->at_risk = NULL;
    if (n_events < v->n)
        v->events = NULL;
    if (n_censored < v->n)
        v->censored = NULL;
    const char *words =
        labels_stratum(&k->labels, k->figure->analysis->frame, stratum == NULL ? "all" : stratum);
    if (cause != NULL) {
        cause = labels_cause(&k->labels, k->figure->analysis->frame, cause);
        words = stratum == NULL || strcmp(stratum, "all") == 0
                    ? cause
                    : arena_printf(arena, "%s; event %s", words, cause);
    }
    v->words = words;
    v->median = figure_number(object, "median");
    v->median_low = figure_number(object, "median_low");
    v->median_high = figure_number(object, "median_high");
    if (v->n > 0) {
        size_t last = v->n - 1;
        double left = v->at_risk == NULL ? 0
                                         : v->at_risk[last] - (v->events == NULL ? 0 : v->events[last]) -
                                               (v->censored == NULL ? 0 : v->censored[last]);
        v->ends_early = !(fabs(left) < 0.5);
        k->end = fmax(k->end, v->time[last]);
    }
    k->n++;
}

static void choose_units(struct curves *k)
{
    const struct result *frame = k->figure->analysis->frame;
    const char *units = frame == NULL ? NULL : figure_text(frame, "time_units");
    double days = units == NULL ? 0 : dictionary_unit_days(units);
    k->per_unit = 1;
    k->units = units == NULL ? "Time" : units;
    if (days > 0 && k->end * days > 3 * 365.25) {
        k->per_unit = 365.25 / days;
        k->units = "Years";
    } else if (days > 0 && k->end * days > 120) {
        k->per_unit = 30.4375 / days;
        k->units = "Months";
    }
    char *words = arena_strdup(k->c->arena, k->units);
    words[0] = (char)toupper((unsigned char)words[0]);
    k->units = words;
}

/* "Surv(dtime, death)" → "death"; NULL when the last argument is no name. */
static const char *event_name(struct arena *arena, const struct result *frame)
{
    const char *response = frame == NULL ? NULL : figure_text(frame, "response");
    const char *comma = response == NULL ? NULL : strrchr(response, ',');
    if (comma == NULL)
        return NULL;
    const char *name = comma + 1 + strspn(comma + 1, " ");
    size_t n = strcspn(name, ")");
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '.')
            return NULL;
    return arena_strndup(arena, name, n);
}

static bool flag_asked(const struct report_analysis *a, const char *key)
{
    const struct result *value = a->asked == NULL ? NULL : result_get(a->asked, key);
    return value != NULL && value->kind == RESULT_BOOLEAN && value->boolean;
}

static const char *y_words(const struct curves *k)
{
    const char *name = event_name(k->c->arena, k->figure->analysis->frame);
    if (!k->km)
        return "Cumulative incidence (%)";
    if (flag_asked(k->figure->analysis, "reverse"))
        return "Still under follow-up (%)";
    if (name == NULL)
        return "Without the event (%)";
    char *label = arena_strdup(k->c->arena, labels_variable(&k->labels, name));
    if (!isupper((unsigned char)label[1]))
        label[0] = (char)tolower((unsigned char)label[0]);
    return arena_printf(k->c->arena, "Without %s (%%)", label);
}

/* --- the panel: medians and p --- */

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

/* The log-rank test of the same formula (maybe stratified) on the same cohort, where the study has one. */
static void say_logrank(struct curves *k)
{
    const struct report_analysis *own = k->figure->analysis;
    struct arena *arena = k->c->arena;
    const char *formula = own->asked == NULL ? NULL : figure_text(own->asked, "formula");
    const char *cohort = own->asked == NULL ? NULL : figure_text(own->asked, "cohort");
    char buffer[REGRESSION_WORDS];
    for (size_t i = 0; formula != NULL && i < k->figure->report->n_analyses; i++) {
        const struct report_analysis *a = &k->figure->report->analyses[i];
        if (strcmp(a->method, "logrank") != 0 || a->status != ANALYSIS_OK || a->asked == NULL ||
            figure_text(a->asked, "formula") == NULL)
            continue;
        const char *other = figure_text(a->asked, "cohort"), *mine = bare(arena, formula);
        const char *theirs = bare(arena, figure_text(a->asked, "formula"));
        size_t n = strlen(mine);
        bool stratified = strncmp(theirs, mine, n) == 0 && strncmp(theirs + n, "+strata(", 8) == 0;
        if ((cohort == NULL) != (other == NULL) || (cohort != NULL && strcmp(cohort, other) != 0) ||
            (strcmp(theirs, mine) != 0 && !stratified))
            continue;
        const char *p = regression_p(buffer, figure_number(a->result, "p_value"));
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
        const char *cause = figure_text(gray->items[i], "cause");
        const char *p = regression_p(buffer, figure_number(gray->items[i], "p_value"));
        if (cause != NULL && *p != '\0')
            say(k, CANVAS_NORMAL,
                arena_printf(k->c->arena, "Gray’s test, event %s: p%s%s",
                             labels_cause(&k->labels, k->figure->analysis->frame, cause),
                             *p == '<' ? "" : "=", p));
    }
}

static void fill_panel(struct curves *k)
{
    struct arena *arena = k->c->arena;
    if (k->km && k->n <= 6) {
        const struct result *asked = k->figure->analysis->asked;
        double level = asked == NULL ? 0.95 : figure_number(asked, "conf_level");
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

/* A corner of the plot that no curve crosses; above the plot where there is none. */
static void place_panel(struct curves *k)
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

static void draw_panel(const struct curves *k)
{
    if (!k->panel_above && k->n_panel > 0) /* no line of the grid through the words */
        canvas_rect(k->c, k->panel_x - 4, k->panel_y, k->panel_width + 8, (double)k->n_panel * CANVAS_LINE,
                    "h1");
    for (size_t i = 0; i < k->n_panel; i++) {
        double y = k->panel_y + ((double)i + 0.5) * CANVAS_LINE + CANVAS_BASELINE;
        canvas_text(k->c, k->panel_x, y, CANVAS_START, k->panel_styles[i], NULL, k->panel[i]);
    }
}

/* A panel above the plot wraps: one line of the panel may become several. */
static void wrap_panel(struct curves *k)
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

/* --- curves and axes --- */

static void draw_axes(const struct curves *k)
{
    char words[SCALE_WORDS];
    struct canvas *c = k->c;
    for (size_t i = 0; i < k->y.n_ticks; i++) {
        double y = scale_place(&k->y, k->y.ticks[i]);
        if (i > 0)
            canvas_line(c, k->x.from, y, k->x.to, y, "g");
        canvas_text(c, k->x.from - 6, y + CANVAS_BASELINE, CANVAS_END, CANVAS_SMALL, NULL,
                    scale_words(words, &k->y, i));
    }
    canvas_line(c, k->x.from, k->bottom, k->x.to, k->bottom, "a");
    canvas_line(c, k->x.from, k->top, k->x.from, k->bottom, "a");
    for (size_t i = 0; i < k->x.n_ticks; i++) {
        double x = scale_place(&k->x, k->x.ticks[i]);
        canvas_line(c, x, k->bottom, x, k->bottom + 4, "a");
        canvas_text(c, x, k->bottom + 16, CANVAS_MIDDLE, CANVAS_SMALL, NULL, scale_words(words, &k->x, i));
    }
    canvas_centred(c, (k->x.from + k->x.to) / 2, k->bottom + 32, CANVAS_NORMAL, NULL, k->units);
}

static void draw_band(const struct curves *k, size_t i)
{
    const struct curve *v = &k->curves[i];
    struct bytes d = {0};
    double start = scale_place(&k->y, k->km ? 100 : 0);
    size_t n = 0;
    if (v->low == NULL)
        return;
    while (n < v->n && !isnan(v->low[n]) && !isnan(v->high[n]))
        n++;
    if (n == 0)
        return;
    canvas_path_to(&d, 'M', k->x.from, start);
    for (size_t j = 0; j < n; j++)
        canvas_path_step(&d, scale_place(&k->x, v->time[j] / k->per_unit),
                         scale_place(&k->y, 100 * v->high[j]));
    double last = scale_place(&k->x, v->time[n - 1] / k->per_unit);
    for (size_t j = n; j-- > 0;) { /* back along the lower limit */
        canvas_path_to(&d, 'L', j + 1 == n ? last : scale_place(&k->x, v->time[j + 1] / k->per_unit),
                       scale_place(&k->y, 100 * v->low[j]));
        canvas_path_to(&d, 'L', scale_place(&k->x, v->time[j] / k->per_unit),
                       scale_place(&k->y, 100 * v->low[j]));
    }
    canvas_path_to(&d, 'L', scale_place(&k->x, v->time[0] / k->per_unit), start);
    bytes_put_u8(&d, 'Z');
    canvas_path(k->c, &d, canvas_band_class(i));
}

static void draw_curve(const struct curves *k, size_t i)
{
    const struct curve *v = &k->curves[i];
    struct bytes d = {0};
    double before = k->km ? 1 : 0;
    if (v->n == 0)
        return;
    canvas_path_to(&d, 'M', k->x.from, scale_place(&k->y, 100 * before));
    for (size_t j = 0; j < v->n && !isnan(v->estimate[j]); j++) {
        bool last = j + 1 == v->n || isnan(v->estimate[j + 1]);
        if (v->estimate[j] == before && !last)
            continue;
        canvas_path_step(&d, scale_place(&k->x, v->time[j] / k->per_unit),
                         scale_place(&k->y, 100 * v->estimate[j]));
        before = v->estimate[j];
    }
    canvas_path(k->c, &d, canvas_stroke_class(i));
}

static double end_place(const struct curves *k, const struct curve *v)
{
    return v->n == 0 ? k->bottom : scale_place(&k->y, 100 * v->estimate[v->n - 1]);
}

/* Labels stand at the ends of their curves, pushed apart where they would touch. */
static void place_labels(struct curves *k)
{
    size_t order[CURVES_MAX] = {0};
    for (size_t i = 0; i < k->n; i++) {
        size_t j = i;
        while (j > 0 && end_place(k, &k->curves[order[j - 1]]) > end_place(k, &k->curves[i])) {
            order[j] = order[j - 1];
            j--;
        }
        order[j] = i;
    }
    double y = k->top;
    for (size_t i = 0; i < k->n; i++) {
        struct curve *v = &k->curves[order[i]];
        double half = (double)v->n_lines * CANVAS_LINE / 2;
        v->label_y = fmax(end_place(k, v), y + half);
        y = v->label_y + half + 3;
    }
    double limit = k->bottom;
    for (size_t i = k->n; i-- > 0;) {
        struct curve *v = &k->curves[order[i]];
        double half = (double)v->n_lines * CANVAS_LINE / 2;
        v->label_y = fmin(v->label_y, limit - half);
        limit = v->label_y - half - 3;
    }
}

static void draw_label(const struct curves *k, size_t i, double x, double y)
{
    const struct curve *v = &k->curves[i];
    double first = y - (double)(v->n_lines - 1) * CANVAS_LINE / 2;
    canvas_line(k->c, x, first, x + SWATCH, first, canvas_stroke_class(i));
    for (size_t j = 0; j < v->n_lines; j++)
        canvas_text(k->c, x + SWATCH + 6, first + (double)j * CANVAS_LINE + CANVAS_BASELINE, CANVAS_START,
                    CANVAS_NORMAL, NULL, v->lines[j]);
}

/* --- the table below --- */

struct table_row {
    const char *words;
    int kind; /* 0: at risk, 1: censored, 2: events */
};
static const struct table_row table_rows[] = {{"At risk", 0}, {"Censored", 1}, {"Events", 2}};

/* 0 where a curve does not say who is at risk (cumulative incidences). */
static size_t rows_per_curve(const struct curves *k)
{
    size_t rows = k->n == 0 ? 0 : k->n > FULL_TABLE_CURVES ? 1 : 3;
    for (size_t i = 0; i < k->n; i++) {
        if (k->curves[i].at_risk == NULL)
            return 0;
        if (k->curves[i].events == NULL)
            rows = 1;
    }
    return rows;
}

/* NaN: withheld. */
static double table_number(const struct curve *v, int kind, double time)
{
    double tolerance = 1e-9 * fmax(1, time), sum = 0;
    if (kind == 0) {
        for (size_t j = 0; j < v->n; j++)
            if (v->time[j] >= time - tolerance)
                return v->at_risk[j];
        return v->ends_early ? NAN : 0;
    }
    const double *of = kind == 1 ? v->censored : v->events;
    if (of == NULL || (v->ends_early && v->n > 0 && time > v->time[v->n - 1] + tolerance))
        return NAN;
    for (size_t j = 0; j < v->n && v->time[j] <= time + tolerance; j++)
        sum += of[j];
    return sum;
}

static double table_height(const struct curves *k)
{
    size_t rows = rows_per_curve(k);
    const char *lines[LABEL_LINES];
    double height = 0;
    if (rows == 0)
        return 0;
    if (rows == 1)
        height += CANVAS_SMALL_LINE;
    for (size_t i = 0; i < k->n; i++)
        height += (double)rows * CANVAS_SMALL_LINE +
                  (k->n > 1 ? (double)canvas_wrap(k->c->arena, lines, LABEL_LINES, CANVAS_SMALL,
                                                  k->curves[i].words, k->c->width - 24 - SWATCH) *
                                      CANVAS_SMALL_LINE +
                                  4
                            : 0);
    return height + 8;
}

static void draw_numbers(const struct curves *k, const struct curve *v, int kind, double y)
{
    for (size_t i = 0; i < k->x.n_ticks; i++) {
        double x = scale_place(&k->x, k->x.ticks[i]);
        double number = table_number(v, kind, k->x.ticks[i] * k->per_unit);
        if (isnan(number))
            canvas_hatch(k->c, x - 9, y - 5, 18, 10);
        else
            canvas_text(k->c, x, y + CANVAS_BASELINE - 0.3, CANVAS_MIDDLE, CANVAS_SMALL, NULL,
                        figure_count(k->c->arena, number));
    }
}

static void draw_table(const struct curves *k, double y)
{
    size_t rows = rows_per_curve(k);
    const char *lines[LABEL_LINES];
    if (rows == 0)
        return;
    if (rows == 1) {
        canvas_text(k->c, 8, y + CANVAS_BASELINE + 3, CANVAS_START, CANVAS_SMALL, "m", "At risk");
        y += CANVAS_SMALL_LINE;
    }
    for (size_t i = 0; i < k->n; i++) {
        if (k->n > 1) {
            size_t n = canvas_wrap(k->c->arena, lines, LABEL_LINES, CANVAS_SMALL, k->curves[i].words,
                                   k->c->width - 24 - SWATCH);
            canvas_line(k->c, 8, y + 7, 8 + SWATCH, y + 7, canvas_stroke_class(i));
            for (size_t j = 0; j < n; j++, y += CANVAS_SMALL_LINE)
                canvas_text(k->c, 8 + SWATCH + 6, y + 7 + CANVAS_BASELINE - 0.3, CANVAS_START, CANVAS_SMALL,
                            NULL, lines[j]);
        }
        for (size_t r = 0; r < rows; r++, y += CANVAS_SMALL_LINE) {
            if (rows > 1)
                canvas_text(k->c, k->x.from - 22, y + 7 + CANVAS_BASELINE - 0.3, CANVAS_END, CANVAS_SMALL,
                            "m", table_rows[r].words);
            draw_numbers(k, &k->curves[i], table_rows[r].kind, y + 7);
        }
        y += k->n > 1 ? 4 : 0;
    }
}

/* --- layout --- */

/* Can every curve have its label at its end, whole? Else they stand above the plot. */
static bool labels_fit(struct curves *k)
{
    size_t n_lines = 0;
    if (k->narrow || k->n < 2 || k->n > 6)
        return false;
    for (size_t i = 0; i < k->n; i++) {
        const char *lines[LABEL_LINES];
        size_t n =
            canvas_wrap(k->c->arena, lines, LABEL_LINES, CANVAS_NORMAL, k->curves[i].words, LABEL_WIDTH);
        if (n == 0 || strstr(lines[n - 1], "…") != NULL)
            return false;
        n_lines += n;
    }
    return n_lines <= 14;
}

static void lay_out(struct curves *k)
{
    struct canvas *c = k->c;
    double widest = 0, most = 0.01;
    k->direct = labels_fit(k);
    for (size_t i = 0; i < k->n; i++) {
        struct curve *v = &k->curves[i];
        v->n_lines = canvas_wrap(c->arena, v->lines, LABEL_LINES, CANVAS_NORMAL, v->words,
                                 k->direct ? LABEL_WIDTH : c->width - 24 - SWATCH);
        for (size_t j = 0; j < v->n_lines; j++)
            widest = fmax(widest, canvas_width_of(CANVAS_NORMAL, v->lines[j]));
        for (size_t j = 0; j < v->n; j++)
            most = fmax(most, v->high == NULL || isnan(v->high[j]) ? v->estimate[j] : v->high[j]);
    }
    k->gutter_right = k->direct ? SWATCH + 6 + widest + 12 : 16;
    k->x.from = GUTTER;
    k->x.to = c->width - k->gutter_right;
    double end = k->end / k->per_unit;
    scale_linear(&k->x, 0, end > 0 ? end : 1, (size_t)((k->x.to - k->x.from) / 46), false);
    if (k->km)
        scale_linear(&k->y, 0, 100, 6, true);
    else
        scale_linear(&k->y, 0, fmin(100 * most, 100), 6, true);
    k->top = 8 + CANVAS_LINE + 6;
    if (!k->direct && k->n > 1)
        for (size_t i = 0; i < k->n; i++)
            k->top += (double)k->curves[i].n_lines * CANVAS_LINE;
    for (int pass = 0; pass < 2; pass++) {
        k->bottom = k->top + (k->narrow ? 200 : 280);
        k->y.from = k->bottom;
        k->y.to = k->top;
        place_panel(k);
        if (!k->panel_above || pass == 1)
            break;
        wrap_panel(k); /* it takes its place above the plot, which moves down */
        k->panel_x = 8;
        k->panel_y = k->top - CANVAS_LINE - 2;
        k->top += (double)k->n_panel * CANVAS_LINE + 6;
        k->bottom = k->top + (k->narrow ? 200 : 280);
        k->y.from = k->bottom;
        k->y.to = k->top;
        break;
    }
    if (k->direct)
        place_labels(k);
}

void curve_draw(struct canvas *c, const struct figure *figure, bool alone)
{
    const struct result *list = result_get(figure->analysis->result, "curves");
    struct curves *k = arena_alloc(c->arena, sizeof *k);
    *k = (struct curves){.c = c,
                         .figure = figure,
                         .labels = labels_of(figure->report, c->arena),
                         .km = strcmp(figure->analysis->method, "km") == 0,
                         .narrow = c->width < 500};
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i]->kind == RESULT_OBJECT && k->n < CURVES_MAX)
            read_curve(k, list->items[i]);
        else
            k->n_left_out++;
    choose_units(k);
    fill_panel(k);
    lay_out(k);
    canvas_open(c, k->bottom + 40 + table_height(k) + (k->n_left_out > 0 ? CANVAS_LINE : 0), figure->title,
                figure->description, alone);
    double y = 8 + CANVAS_LINE / 2.0;
    const char *heading = "";
    canvas_wrap(c->arena, &heading, 1, CANVAS_NORMAL, y_words(k), c->width - 16);
    canvas_text(c, 8, k->top - 10, CANVAS_START, CANVAS_NORMAL, NULL, heading);
    if (!k->direct && k->n > 1)
        for (size_t i = 0; i < k->n; i++) {
            double height = (double)k->curves[i].n_lines * CANVAS_LINE;
            draw_label(k, i, 8, y + (height - CANVAS_LINE) / 2);
            y += height;
        }
    draw_axes(k);
    draw_panel(k);
    for (size_t i = 0; i < k->n; i++)
        draw_band(k, i);
    for (size_t i = 0; i < k->n; i++)
        draw_curve(k, i);
    for (size_t i = 0; i < k->n; i++)
        if (k->curves[i].ends_early && k->curves[i].n > 0 && figure->withheld) {
            double from = scale_place(&k->x, k->curves[i].time[k->curves[i].n - 1] / k->per_unit);
            canvas_hatch(c, from, end_place(k, &k->curves[i]) - 4, fmin(18, fmax(k->x.to - from, 10)), 8);
        }
    if (k->direct)
        for (size_t i = 0; i < k->n; i++)
            draw_label(k, i, k->x.to + 8, k->curves[i].label_y);
    draw_table(k, k->bottom + 40);
    if (k->n_left_out > 0)
        canvas_text(c, 8, c->height - 8, CANVAS_START, CANVAS_SMALL, "m",
                    arena_printf(c->arena, "%zu more curves are in the table", k->n_left_out));
    canvas_close(c);
}
