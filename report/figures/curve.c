/* Kaplan–Meier curves and cumulative incidences: steps, bands, and the table at risk on the same scale of
 * time, as clinicians asked for it (Morris and others, BMJ Open 2019;9:e030215). */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/figures/curve_private.h"

enum { LABEL_WIDTH = 130, GUTTER = 82 };

/* --- what is drawn --- */

static void read_curve(struct curves *k, const struct result *object)
{
    struct curve *v = &k->curves[k->n];
    const char *stratum = result_text(object, "stratum"), *cause = result_text(object, "cause");
    size_t n_low, n_high, n_time;
    struct arena *arena = k->c->arena;
    v->time = figure_numbers(&n_time, object, "time", arena);
    v->estimate = figure_numbers(&v->n, object, "estimate", arena);
    v->low = figure_numbers(&n_low, object, "conf_low", arena);
    v->high = figure_numbers(&n_high, object, "conf_high", arena);
    v->n = v->n < n_time ? v->n : n_time;
    if (n_low < v->n || n_high < v->n)
        v->low = v->high = NULL;
    v->stratum = stratum == NULL ? "all" : stratum;
    const char *words = labels_stratum(&k->labels, k->figure->analysis->frame, v->stratum);
    if (cause != NULL) {
        cause = labels_cause(&k->labels, k->figure->analysis->frame, cause);
        words = strcmp(v->stratum, "all") == 0 ? cause : arena_printf(arena, "%s; event %s", words, cause);
    }
    v->words = words;
    v->median = result_number(object, "median");
    v->median_low = result_number(object, "median_low");
    v->median_high = result_number(object, "median_high");
    if (v->n > 0)
        k->end = fmax(k->end, v->time[v->n - 1]);
    k->n++;
}

/* The numbers and one more. */
static const double *longer(struct arena *arena, const double *numbers, size_t n, double more)
{
    double *out = arena_array(arena, n + 1, sizeof *out);
    memcpy(out, numbers, n * sizeof *out);
    out[n] = more;
    return out;
}

/* Whether people are left where a curve ends; an incidence stays as it is until its group is no longer
 * followed. */
static void end_curve(struct curves *k, struct curve *v)
{
    struct arena *arena = k->c->arena;
    for (size_t h = 0; h < k->n_heads && v->n > 0; h++) {
        const struct curve_heads *heads = &k->heads[h];
        if (strcmp(heads->stratum, v->stratum) != 0)
            continue;
        v->ends_early = heads->ends_early;
        if (k->km || heads->n == 0 || heads->time[heads->n - 1] <= v->time[v->n - 1])
            return;
        v->time = longer(arena, v->time, v->n, heads->time[heads->n - 1]);
        v->estimate = longer(arena, v->estimate, v->n, v->estimate[v->n - 1]);
        if (v->low != NULL) {
            v->low = longer(arena, v->low, v->n, v->low[v->n - 1]);
            v->high = longer(arena, v->high, v->n, v->high[v->n - 1]);
        }
        v->n++;
        return;
    }
}

static void choose_units(struct curves *k)
{
    const struct result *frame = k->figure->analysis->frame;
    const char *units = frame == NULL ? NULL : result_text(frame, "time_units");
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

/* "Years", or "Years from the landmark at 365 days". */
static const char *x_words(const struct curves *k)
{
    const struct report_analysis *a = k->figure->analysis;
    const double landmark = a->asked == NULL ? NAN : result_number(a->asked, "landmark");
    const char *units = a->frame == NULL ? NULL : result_text(a->frame, "time_units");
    if (isnan(landmark))
        return k->units;
    return arena_printf(k->c->arena, "%s from the landmark at %g%s%s", k->units, landmark,
                        units == NULL ? "" : " ", units == NULL ? "" : units);
}

/* "Surv(dtime, death)" → "death"; NULL when the last argument is no name. */
static const char *event_name(struct arena *arena, const struct result *frame)
{
    const char *response = frame == NULL ? NULL : result_text(frame, "response");
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
    canvas_centred(c, (k->x.from + k->x.to) / 2, k->bottom + 32, CANVAS_NORMAL, NULL, x_words(k));
}

/* On to a point of a curve: by a step, or (of a life table) by a line. */
static void draw_to(const struct curves *k, struct bytes *d, double time, double share)
{
    const double x = scale_place(&k->x, time / k->per_unit), y = scale_place(&k->y, 100 * share);
    if (k->clones)
        canvas_path_to(d, 'L', x, y);
    else
        canvas_path_step(d, x, y);
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
        draw_to(k, &d, v->time[j], v->high[j]);
    double last = scale_place(&k->x, v->time[n - 1] / k->per_unit);
    for (size_t j = n; j-- > 0;) { /* back along the lower limit */
        if (!k->clones)
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
        draw_to(k, &d, v->time[j], v->estimate[j]);
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
    canvas_line(k->c, x, first, x + CURVE_SWATCH, first, canvas_stroke_class(i));
    for (size_t j = 0; j < v->n_lines; j++)
        canvas_text(k->c, x + CURVE_SWATCH + 6, first + (double)j * CANVAS_LINE + CANVAS_BASELINE,
                    CANVAS_START, CANVAS_NORMAL, NULL, v->lines[j]);
}

/* --- layout --- */

/* Can every curve have its label at its end, whole? Else they stand above the plot. */
static bool labels_fit(struct curves *k)
{
    size_t n_lines = 0;
    if (k->narrow || k->n < 2 || k->n > 6)
        return false;
    for (size_t i = 0; i < k->n; i++) {
        const char *lines[CURVE_LABEL_LINES];
        size_t n = canvas_wrap(k->c->arena, lines, CURVE_LABEL_LINES, CANVAS_NORMAL, k->curves[i].words,
                               LABEL_WIDTH);
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
        v->n_lines = canvas_wrap(c->arena, v->lines, CURVE_LABEL_LINES, CANVAS_NORMAL, v->words,
                                 k->direct ? LABEL_WIDTH : c->width - 24 - CURVE_SWATCH);
        for (size_t j = 0; j < v->n_lines; j++)
            widest = fmax(widest, canvas_width_of(CANVAS_NORMAL, v->lines[j]));
        for (size_t j = 0; j < v->n; j++)
            most = fmax(most, v->high == NULL || isnan(v->high[j]) ? v->estimate[j] : v->high[j]);
    }
    k->gutter_right = k->direct ? CURVE_SWATCH + 6 + widest + 12 : 16;
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
        curve_panel_place(k);
        if (!k->panel_above || pass == 1)
            break;
        curve_panel_wrap(k); /* it takes its place above the plot, which moves down */
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
    const bool clones = strcmp(figure->analysis->method, "emulation") == 0;
    struct curves *k = arena_alloc(c->arena, sizeof *k);
    *k = (struct curves){.c = c,
                         .figure = figure,
                         .labels = labels_of(figure->report, c->arena),
                         .km = strcmp(figure->analysis->method, "km") == 0 || clones,
                         .clones = clones,
                         .narrow = c->width < 500};
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i]->kind == RESULT_OBJECT && k->n < CURVES_MAX)
            read_curve(k, list->items[i]);
        else
            k->n_left_out++;
    curve_table_read(k);
    for (size_t i = 0; i < k->n; i++)
        end_curve(k, &k->curves[i]);
    choose_units(k);
    curve_panel_fill(k);
    lay_out(k);
    canvas_open(c, k->bottom + 40 + curve_table_height(k) + (k->n_left_out > 0 ? CANVAS_LINE : 0),
                figure->title, figure->description, alone);
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
    curve_panel_draw(k);
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
    curve_table_draw(k, k->bottom + 40);
    if (k->n_left_out > 0)
        canvas_text(c, 8, c->height - 8, CANVAS_START, CANVAS_SMALL, "m",
                    arena_printf(c->arena, "%zu more curves are in the table", k->n_left_out));
    canvas_close(c);
}
