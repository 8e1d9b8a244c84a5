/* The means of a g-formula compared, as rows for reading (regression.h). */
#include <math.h>
#include <string.h>

#include "report/regression.h"

static bool is_difference(const struct result *row)
{
    const char *measure = result_text(row, "measure");
    return measure != NULL &&
           (strcmp(measure, "risk difference") == 0 || strcmp(measure, "mean difference") == 0);
}

static int64_t count_of(const struct result *row, const char *key)
{
    const double n = result_number(row, key);
    return isnan(n) ? -1 : llround(n);
}

/* The contrast of a level; NULL: it is the one that the others are compared with. */
static const struct result *contrast_of(const struct result *contrasts, const char *level)
{
    for (size_t i = 0; i < contrasts->n; i++)
        if (is_difference(contrasts->items[i]) &&
            result_same(result_text(contrasts->items[i], "level"), level))
            return contrasts->items[i];
    return NULL;
}

const struct regression *contrasts_of(const struct report *report, const struct report_analysis *a,
                                      struct arena *arena)
{
    const struct result *contrasts = result_get(a->result, "contrasts"),
                        *means = result_get(a->result, "means");
    const struct labels labels = labels_of(report, arena);
    if (a->status != ANALYSIS_OK || contrasts == NULL || means == NULL || contrasts->kind != RESULT_LIST ||
        means->kind != RESULT_LIST || contrasts->n == 0 || !is_difference(contrasts->items[0]))
        return NULL;
    const char *variable = result_text(contrasts->items[0], "variable");
    if (variable == NULL)
        return NULL;
    struct regression *r = regression_begin(a, arena);
    const bool risks = strcmp(result_text(contrasts->items[0], "measure"), "risk difference") == 0;
    r->measure = risks ? "Risk difference" : "Mean difference";
    r->abbreviation = risks ? "RD" : "MD";
    r->is_ratio = false;
    r->rows = arena_array(arena, means->n + 1, sizeof *r->rows);
    r->rows[r->n++] = regression_heading(labels_variable(&labels, variable), NAN);
    for (size_t i = 0; i < means->n; i++) {
        const char *level = result_text(means->items[i], "level");
        if (level == NULL)
            continue;
        const struct result *contrast = contrast_of(contrasts, level);
        struct regression_row row = {
            .reference = true, .estimate = 0, .low = NAN, .high = NAN, .p_value = NAN};
        if (contrast != NULL)
            row = regression_row_of(r, contrast);
        row.words = labels_factor_level(&labels, a->frame, variable, level);
        row.indented = true;
        row.n = count_of(means->items[i], "n");
        row.n_event = count_of(means->items[i], "n_event");
        r->has_n = r->has_n || row.n >= 0;
        r->has_event = r->has_event || row.n_event >= 0;
        r->rows[r->n++] = row;
    }
    return r;
}
