/* The table below a figure of curves: who is at risk, censored and has had an event, on the scale of time of
 * the curves above. */
#include <math.h>
#include <string.h>

#include "report/figures/curve_private.h"

enum { FULL_TABLE_GROUPS = 4 };

/* --- reading --- */

static void add_heads(struct curves *k, const struct result *object, const char *stroke)
{
    struct curve_heads *h = &k->heads[k->n_heads++];
    const char *stratum = result_text(object, "stratum");
    size_t n_time, n_events, n_censored;
    struct arena *arena = k->c->arena;
    h->stratum = stratum == NULL ? "all" : stratum;
    h->words = labels_stratum(&k->labels, k->figure->analysis->frame, h->stratum);
    h->stroke = stroke;
    h->time = figure_numbers(&n_time, object, "time", arena);
    h->at_risk = figure_numbers(&h->n, object, "n_risk", arena);
    h->events = figure_numbers(&n_events, object, "n_event_at", arena);
    h->censored = figure_numbers(&n_censored, object, "n_censor", arena);
    h->n = h->n < n_time ? h->n : n_time;
    if (n_events < h->n)
        h->events = NULL;
    if (n_censored < h->n)
        h->censored = NULL;
    h->ends_early = h->n == 0;
    if (h->n > 0) {
        const size_t last = h->n - 1;
        const double left = h->at_risk[last] - (h->events == NULL ? 0 : h->events[last]) -
                            (h->censored == NULL ? 0 : h->censored[last]);
        h->ends_early = !(fabs(left) < 0.5);
        k->end = fmax(k->end, h->time[last]);
    }
}

/* Of weighted curves behind thresholds no time has a number. */
static bool nothing_is_told(const struct curves *k)
{
    bool told = false, asked = false;
    for (size_t i = 0; i < k->n_heads; i++)
        for (size_t j = 0; j < k->heads[i].n; j++) {
            asked = true;
            told = told || !isnan(k->heads[i].at_risk[j]);
        }
    return asked && !told;
}

/* Causes share their heads: they stand in a list of their own. */
void curve_table_read(struct curves *k)
{
    const struct result *own = result_get(k->figure->analysis->result, "risk_sets");
    const struct result *curves = result_get(k->figure->analysis->result, "curves");
    const bool shared = own != NULL && own->kind == RESULT_LIST;
    const struct result *list = shared ? own : curves;
    for (size_t i = 0; i < list->n && k->n_heads < CURVES_MAX; i++) {
        const struct result *object = list->items[i];
        const struct result *risk = object->kind == RESULT_OBJECT ? result_get(object, "n_risk") : NULL;
        if (object->kind != RESULT_OBJECT)
            continue;
        if (risk == NULL) { /* incidences of an older program: nobody says it */
            k->n_heads = 0;
            return;
        }
        add_heads(k, object, shared ? NULL : canvas_stroke_class(k->n_heads));
    }
    if (nothing_is_told(k))
        k->n_heads = 0;
}

/* --- drawing --- */

struct table_row {
    const char *words;
    int kind; /* 0: at risk, 1: censored, 2: events */
};
static const struct table_row table_rows[] = {{"At risk", 0}, {"Censored", 1}, {"Events", 2}};

static size_t rows_per_group(const struct curves *k)
{
    size_t rows = k->n_heads == 0 ? 0 : k->n_heads > FULL_TABLE_GROUPS ? 1 : 3;
    for (size_t i = 0; i < k->n_heads; i++)
        if (k->heads[i].events == NULL)
            rows = 1;
    return rows;
}

/* NaN: withheld. */
static double table_number(const struct curve_heads *v, int kind, double time)
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

double curve_table_height(const struct curves *k)
{
    size_t rows = rows_per_group(k);
    const char *lines[CURVE_LABEL_LINES];
    double height = 0;
    if (rows == 0)
        return 0;
    if (rows == 1)
        height += CANVAS_SMALL_LINE;
    for (size_t i = 0; i < k->n_heads; i++)
        height += (double)rows * CANVAS_SMALL_LINE +
                  (k->n_heads > 1 ? (double)canvas_wrap(k->c->arena, lines, CURVE_LABEL_LINES, CANVAS_SMALL,
                                                        k->heads[i].words, k->c->width - 24 - CURVE_SWATCH) *
                                            CANVAS_SMALL_LINE +
                                        4
                                  : 0);
    return height + 8;
}

static void draw_numbers(const struct curves *k, const struct curve_heads *v, int kind, double y)
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

void curve_table_draw(const struct curves *k, double y)
{
    size_t rows = rows_per_group(k);
    const char *lines[CURVE_LABEL_LINES];
    if (rows == 0)
        return;
    if (rows == 1) {
        canvas_text(k->c, 8, y + CANVAS_BASELINE + 3, CANVAS_START, CANVAS_SMALL, "m", "At risk");
        y += CANVAS_SMALL_LINE;
    }
    for (size_t i = 0; i < k->n_heads; i++) {
        if (k->n_heads > 1) {
            size_t n = canvas_wrap(k->c->arena, lines, CURVE_LABEL_LINES, CANVAS_SMALL, k->heads[i].words,
                                   k->c->width - 24 - CURVE_SWATCH);
            if (k->heads[i].stroke != NULL)
                canvas_line(k->c, 8, y + 7, 8 + CURVE_SWATCH, y + 7, k->heads[i].stroke);
            for (size_t j = 0; j < n; j++, y += CANVAS_SMALL_LINE)
                canvas_text(k->c, k->heads[i].stroke == NULL ? 8 : 8 + CURVE_SWATCH + 6,
                            y + 7 + CANVAS_BASELINE - 0.3, CANVAS_START, CANVAS_SMALL, NULL, lines[j]);
        }
        for (size_t r = 0; r < rows; r++, y += CANVAS_SMALL_LINE) {
            if (rows > 1)
                canvas_text(k->c, k->x.from - 22, y + 7 + CANVAS_BASELINE - 0.3, CANVAS_END, CANVAS_SMALL,
                            "m", table_rows[r].words);
            draw_numbers(k, &k->heads[i], table_rows[r].kind, y + 7);
        }
        y += k->n_heads > 1 ? 4 : 0;
    }
}
