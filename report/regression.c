#include "report/regression.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/cells.h"

static int64_t count_of(const struct result *object, const char *key)
{
    const struct result *value = result_get(object, key);
    return value != NULL && value->kind == RESULT_INTEGER ? value->integer : -1;
}

static void set_measure(struct regression *r, const char *method, const struct result *result)
{
    const char *link = result_text(result, "link"), *family = result_text(result, "family"),
               *model = result_text(result, "model");
    method = model != NULL ? model : method; /* of negative controls */
    r->measure = "Coefficient";
    r->abbreviation = "β";
    r->is_ratio = true;
    if (strcmp(method, "finegray") == 0) {
        r->measure = "Subdistribution hazard ratio";
        r->abbreviation = "sHR";
    } else if (result_text(result, "ties") != NULL || strcmp(method, "cox") == 0) {
        r->measure = "Hazard ratio";
        r->abbreviation = "HR";
    } else if (link != NULL && strcmp(link, "logit") == 0) {
        r->measure = "Odds ratio";
        r->abbreviation = "OR";
    } else if (link != NULL && strcmp(link, "log") == 0 && family != NULL && strcmp(family, "poisson") == 0) {
        r->measure = "Rate ratio";
        r->abbreviation = "RR";
    } else {
        r->is_ratio = false;
    }
}

struct regression_row regression_row_of(const struct regression *r, const struct result *term)
{
    struct regression_row row = {.n = count_of(term, "n"),
                                 .n_event = count_of(term, "n_event"),
                                 .estimate = result_number(term, "estimate"),
                                 .low = result_number(term, "conf_low"),
                                 .high = result_number(term, "conf_high"),
                                 .p_value = result_number(term, "p_value")};
    if (r->is_ratio) {
        row.estimate = exp(row.estimate);
        row.low = exp(row.low);
        row.high = exp(row.high);
    }
    return row;
}

struct regression_row regression_heading(const char *words, double p_value)
{
    return (struct regression_row){
        .words = words, .heading = true, .n = -1, .n_event = -1, .p_value = p_value};
}

static const struct result *levels_of(const struct result *frame, const char *factor)
{
    const struct result *factors = frame == NULL ? NULL : result_get(frame, "factors");
    for (size_t i = 0; factors != NULL && i < factors->n; i++) {
        const char *name = result_text(factors->items[i], "name");
        if (name != NULL && strcmp(name, factor) == 0)
            return result_get(factors->items[i], "levels");
    }
    return NULL;
}

/* Is factor + level one of the terms, or a level that nobody has ("size=>50")? */
static bool has_term(const struct report_analysis *a, const struct result *terms, const char *factor,
                     const char *level, struct arena *arena)
{
    const char *term = arena_printf(arena, "%s%s", factor, level);
    const char *dropped = arena_printf(arena, "%s=%s", factor, level);
    for (size_t i = 0; i < terms->n; i++) {
        const char *own = result_text(terms->items[i], "term");
        if (own != NULL && strcmp(own, term) == 0)
            return true;
    }
    for (size_t i = 0; a->dropped_levels != NULL && i < a->dropped_levels->n; i++)
        if (a->dropped_levels->items[i]->kind == RESULT_STRING &&
            strcmp(a->dropped_levels->items[i]->string, dropped) == 0)
            return true;
    return false;
}

/* Heads of the reference level: all less those of the other levels, where every one of them is known. */
static int64_t rest_of(int64_t all, const struct result *terms, const struct labels *labels,
                       const struct result *frame, const char *factor, const char *key)
{
    if (all < 0)
        return -1;
    for (size_t i = 0; i < terms->n; i++) {
        const char *name = result_text(terms->items[i], "term");
        struct labels_term term = labels_term(labels, frame, name == NULL ? "" : name);
        if (term.factor == NULL || strcmp(term.factor, factor) != 0)
            continue;
        int64_t own = count_of(terms->items[i], key);
        if (own < 0)
            return -1;
        all -= own;
    }
    return all;
}

/* The heading of a factor and its reference level. */
static void begin_factor(struct regression *r, const struct report_analysis *a, const struct result *terms,
                         const struct labels *labels, const struct labels_term *term)
{
    const struct result *levels = levels_of(a->frame, term->factor);
    r->rows[r->n++] = regression_heading(term->words, NAN);
    for (size_t k = 0; levels != NULL && levels->kind == RESULT_LIST && k < levels->n; k++) {
        const struct result *level = levels->items[k];
        if (level->kind != RESULT_STRING || has_term(a, terms, term->factor, level->string, labels->arena))
            continue;
        r->rows[r->n++] = (struct regression_row){
            .words = labels_factor_level(labels, a->frame, term->factor, level->string),
            .indented = true,
            .reference = true,
            .n = rest_of(a->n, terms, labels, a->frame, term->factor, "n"),
            .n_event = rest_of(a->n_event, terms, labels, a->frame, term->factor, "n_event"),
            .estimate = r->is_ratio ? 1 : 0,
            .low = NAN,
            .high = NAN,
            .p_value = NAN};
        break;
    }
}

static const struct regression *meta_of(struct regression *r, const struct report_analysis *a,
                                        const struct labels *labels)
{
    static const char *const names[] = {"fixed", "random"};
    static const char *const words[] = {"Common effect (inverse variance)",
                                        "Random effects (DerSimonian–Laird)"};
    const struct result *model = a->asked == NULL ? NULL : result_get(a->asked, "model");
    const char *method = result_text(model, "method"), *family = result_text(model, "family"),
               *term = result_text(a->asked, "term");
    set_measure(r, method == NULL ? "" : method, a->result);
    if (family != NULL && strcmp(family, "binomial") == 0) {
        r->measure = "Odds ratio";
        r->abbreviation = "OR";
        r->is_ratio = true;
    } else if (family != NULL && strcmp(family, "poisson") == 0) {
        r->measure = "Rate ratio";
        r->abbreviation = "RR";
        r->is_ratio = true;
    }
    r->rows = arena_array(labels->arena, 3, sizeof *r->rows);
    if (term != NULL)
        r->rows[r->n++] = regression_heading(cells_term(labels, a->frame, term), NAN);
    for (size_t i = 0; i < 2; i++) {
        const struct result *effect = result_get(a->result, names[i]);
        if (effect == NULL || effect->kind != RESULT_OBJECT)
            continue;
        struct regression_row row = regression_row_of(r, effect);
        row.words = words[i];
        row.indented = true;
        r->rows[r->n++] = row;
    }
    return r;
}

struct regression *regression_begin(const struct report_analysis *a, struct arena *arena)
{
    struct regression *r = arena_alloc(arena, sizeof *r);
    *r = (struct regression){.p_words = "p",
                             .level = a->asked == NULL ? 0.95 : result_number(a->asked, "conf_level")};
    if (isnan(r->level))
        r->level = 0.95;
    set_measure(r, a->method, a->result);
    return r;
}

const struct regression *regression_of(const struct report *report, const struct report_analysis *a,
                                       struct arena *arena)
{
    if (a->status != ANALYSIS_OK || a->result == NULL)
        return NULL;
    const struct result *terms = result_get(a->result, "terms");
    struct labels labels = labels_of(report, arena);
    struct regression *r = regression_begin(a, arena);
    const char *factor = NULL;
    if (strcmp(a->method, "meta") == 0)
        return meta_of(r, a, &labels);
    if (terms == NULL || terms->kind != RESULT_LIST || terms->n == 0)
        return NULL;
    const bool are_ids =
        result_get(a->result, "systematic_error") != NULL; /* of analyses (negative controls) */
    r->rows = arena_array(arena, 3 * terms->n + 1, sizeof *r->rows);
    for (size_t i = 0; i < terms->n; i++) {
        const char *name = result_text(terms->items[i], "term");
        if (name == NULL)
            continue;
        const struct labels_term id = {.words = name};
        struct labels_term term = are_ids ? id : labels_term(&labels, a->frame, name);
        struct regression_row row = regression_row_of(r, terms->items[i]);
        if (term.level != NULL && (factor == NULL || strcmp(factor, term.factor) != 0))
            begin_factor(r, a, terms, &labels, &term);
        factor = term.level == NULL ? NULL : term.factor;
        row.words = term.level == NULL ? term.words : term.level;
        row.indented = term.level != NULL;
        row.intercept = strcmp(name, "(Intercept)") == 0;
        r->has_n = r->has_n || row.n >= 0;
        r->has_event = r->has_event || row.n_event >= 0;
        r->rows[r->n++] = row;
    }
    return r;
}

const char *regression_words(char buffer[REGRESSION_WORDS], const struct regression_row *row)
{
    double size = fabs(row->estimate), least = fmin(fabs(row->low), size);
    int decimals = 2;
    if (row->heading)
        return "";
    if (row->reference)
        return "Reference";
    if (isnan(row->estimate))
        return "–";
    /* A slope per unit of a variable with many units needs more decimals than a treatment. */
    if (fabs(row->high - row->low) < 0.06 || least < 0.095)
        decimals = 3;
    if (fabs(row->high - row->low) < 0.006)
        decimals = 4;
    if (size >= 100 || fabs(row->high) >= 1000)
        decimals = 1;
    if (isnan(row->low) || isnan(row->high))
        snprintf(buffer, REGRESSION_WORDS, "%.*f", decimals, row->estimate);
    else
        snprintf(buffer, REGRESSION_WORDS, row->low < 0 ? "%.*f (%.*f to %.*f)" : "%.*f (%.*f–%.*f)",
                 decimals, row->estimate, decimals, row->low, decimals, row->high);
    return buffer;
}

const char *regression_p(char buffer[REGRESSION_WORDS], double p_value)
{
    if (isnan(p_value))
        return "";
    if (p_value < 0.001)
        return "<0.001";
    snprintf(buffer, REGRESSION_WORDS, p_value < 0.1 ? "%.3f" : "%.2f", p_value);
    return buffer;
}
