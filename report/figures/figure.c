#include "report/figures/figure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/regression.h"

const double *figure_numbers(size_t *n, const struct result *object, const char *key, struct arena *arena)
{
    const struct result *list = result_get(object, key);
    *n = list == NULL || list->kind != RESULT_LIST ? 0 : list->n;
    double *numbers = arena_array(arena, *n + 1, sizeof *numbers);
    for (size_t i = 0; i < *n; i++) {
        const struct result *item = list->items[i];
        numbers[i] = item->kind == RESULT_NUMBER    ? item->number
                     : item->kind == RESULT_INTEGER ? (double)item->integer
                                                    : NAN;
    }
    return numbers;
}

const char *figure_count(struct arena *arena, double count)
{
    char digits[32];
    const char *out = "";
    if (isnan(count))
        return "–";
    if (fabs(count) >= 1e15) /* no count of patients */
        return arena_printf(arena, "%.3g", count);
    int n = snprintf(digits, sizeof digits, "%.0f", count);
    for (int i = 0; i < n; i++)
        out = arena_printf(arena, "%s%c%s", out, digits[i],
                           (n - i - 1) % 3 == 0 && i + 1 < n && n > 4 ? "," : "");
    return out;
}

bool figure_shows(const struct figure *figure, const struct result *row)
{
    return result_same(result_text(row, "by"), figure->by) &&
           result_same(result_text(row, "level"), figure->level);
}

/* --- which an analysis has --- */

static struct figure *add(struct figure **last, struct arena *arena, const struct report *report,
                          const struct report_analysis *a, const char *suffix, const char *title,
                          void (*draw)(struct canvas *, const struct figure *, bool))
{
    struct figure *figure = arena_alloc(arena, sizeof *figure);
    *figure = (struct figure){.name = arena_printf(arena, "%s%s", a->id, suffix),
                              .title = arena_printf(arena, "%s: %s", title, a->id),
                              .description = "",
                              .report = report,
                              .analysis = a,
                              .draw = draw};
    if (*last != NULL)
        (*last)->next = figure;
    *last = figure;
    return figure;
}

static bool has_list(const struct result *result, const char *key)
{
    const struct result *list = result_get(result, key);
    return list != NULL && list->kind == RESULT_LIST && list->n > 0;
}

static bool any_null(const struct result *list, const char *key)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct result *item = key == NULL || list->items[i]->kind != RESULT_OBJECT
                                        ? list->items[i]
                                        : result_get(list->items[i], key);
        if (item != NULL && item->kind == RESULT_NULL)
            return true;
        if (item != NULL && item->kind == RESULT_LIST && any_null(item, NULL))
            return true;
    }
    return false;
}

static bool is_group_before(const struct result *list, size_t i)
{
    const struct figure group = {.by = result_text(list->items[i], "by"),
                                 .level = result_text(list->items[i], "level")};
    for (size_t k = 0; k < i; k++)
        if (figure_shows(&group, list->items[k]))
            return true;
    return false;
}

/* A figure for each group of `by` that a list has rows of; one where there is no `by`. */
static const struct figure *add_groups(struct arena *arena, const struct report *report,
                                       const struct report_analysis *a, const char *key,
                                       const struct figure *like)
{
    const struct result *list = result_get(a->result, key);
    const struct labels labels = labels_of(report, arena);
    const bool withheld = any_null(list, "n");
    struct figure *first = NULL, *last = NULL;
    for (size_t i = 0, n = 0; i < list->n; i++) {
        if (is_group_before(list, i))
            continue;
        const char *by = result_text(list->items[i], "by"), *level = result_text(list->items[i], "level");
        struct figure *figure =
            add(&last, arena, report, a, by == NULL ? "" : arena_printf(arena, "-%zu", ++n), like->title,
                like->draw);
        if (first == NULL)
            first = figure;
        if (by != NULL && level != NULL)
            figure->title = arena_printf(arena, "%s, %s", figure->title, labels_by(&labels, by, level));
        figure->description = like->description;
        figure->by = by;
        figure->level = level;
        figure->withheld = withheld;
    }
    return first;
}

static struct figure *add_curves(struct figure **last, struct arena *arena, const struct report *report,
                                 const struct report_analysis *a)
{
    const struct result *curves = result_get(a->result, "curves");
    const bool km = strcmp(a->method, "km") == 0, trial = strcmp(a->method, "emulation") == 0;
    struct labels labels = labels_of(report, arena);
    const char *words = "";
    struct figure *figure = add(last, arena, report, a, "",
                                km      ? "Kaplan–Meier curves"
                                : trial ? "Survival under the two strategies"
                                        : "Cumulative incidence",
                                curve_draw);
    for (size_t i = 0; i < curves->n; i++) {
        const char *stratum = result_text(curves->items[i], "stratum"),
                   *cause = result_text(curves->items[i], "cause");
        double n = result_number(curves->items[i], "n"), median = result_number(curves->items[i], "median");
        words = arena_printf(arena, "%s%s%s%s%s", words, i == 0 ? "" : "; ",
                             labels_stratum(&labels, a->frame, stratum == NULL ? "all" : stratum),
                             cause == NULL ? "" : ", ",
                             cause == NULL ? "" : labels_cause(&labels, a->frame, cause));
        if (km && !isnan(n))
            words = arena_printf(arena, "%s: %.0f patients, median %s", words, n,
                                 isnan(median) ? "not reached" : arena_printf(arena, "%.4g", median));
    }
    figure->description = arena_printf(
        arena, "Curves with confidence bands over time for %s. The numbers are in the table that follows.",
        words);
    figure->withheld = a->suppressed > 0;
    return figure;
}

const struct figure *figure_list(const struct report *report, const struct report_analysis *a,
                                 struct arena *arena)
{
    struct figure *last = NULL, *first;
    if (a->status != ANALYSIS_OK || a->result == NULL)
        return NULL;
    const struct result *variables = result_get(a->result, "variables"),
                        *counts = result_get(a->result, "counts");
    if (has_list(a->result, "curves")) {
        return add_curves(&last, arena, report, a);
    } else if (has_list(a->result, "terms") || strcmp(a->method, "meta") == 0) {
        if (subgroups_shown_elsewhere(report, a, arena))
            return NULL;
        const struct regression *contrasts = contrasts_of(report, a, arena);
        struct figure *before = NULL;
        if (contrasts != NULL) {
            before = add(&last, arena, report, a, "", contrasts->measure, forest_contrasts);
            before->description = "Differences between the standardised means, with confidence limits. The "
                                  "numbers are in the tables "
                                  "that follow.";
        }
        first = add(&last, arena, report, a, contrasts != NULL ? "-model" : "", "Forest plot", forest_draw);
        first->description =
            "Estimates with confidence limits, one row a term. The numbers are in the table that follows.";
        const struct regression *subgroups = subgroups_of(report, a, arena);
        if (subgroups != NULL) {
            struct figure *second =
                add(&last, arena, report, a, "-subgroups",
                    arena_printf(arena, "%s in subgroups", subgroups->of), forest_subgroups);
            second->description = arena_printf(
                arena,
                "%s of %s in all patients and by subgroup, with confidence limits. The numbers are in the "
                "table that follows.",
                subgroups->measure, subgroups->of);
        }
        return before != NULL ? before : first;
    } else if (strcmp(a->method, "smd") == 0 && variables != NULL && variables->n > 0) {
        first = add(&last, arena, report, a, "", "Balance of covariates", love_draw);
        first->description =
            "Absolute standardised mean differences of the covariates, before and after weighting. The "
            "numbers are in the table that follows.";
        first->withheld = any_null(variables, "unweighted");
        const struct result *overlap = result_get(a->result, "overlap");
        if (overlap != NULL && overlap->kind == RESULT_OBJECT && has_list(overlap, "counts") &&
            result_get(overlap, "counts")->items[0]->kind == RESULT_LIST) {
            struct figure *second =
                add(&last, arena, report, a, "-overlap", "Overlap of propensities", bars_overlap);
            second->description =
                "How many treated (above) and untreated patients (below) have which propensity.";
        }
        return first;
    } else if (has_list(a->result, "flows") && variables != NULL && variables->n > 1) {
        return add_groups(
            arena, report, a, "flows",
            &(struct figure){.title = "Treatment pathways",
                             .draw = flows_draw,
                             .description = "How many patients had which treatment in each line, and which "
                                            "came next. The numbers are in the tables that follow."});
    } else if (has_list(a->result, "steps")) {
        return add_groups(arena, report, a, "steps",
                          &(struct figure){.title = "Attrition",
                                           .draw = attrition_draw,
                                           .description =
                                               "How many patients each criterion leaves, and how many it "
                                               "excludes. The numbers are in the table that follows."});
    } else if (strcmp(a->method, "histogram") == 0 && has_list(a->result, "groups")) {
        first = add(&last, arena, report, a, "", "Histogram", bars_histogram);
        first->description = "How many patients have which value. The numbers are in the table that follows.";
        first->withheld = any_null(result_get(a->result, "groups"), "counts");
        return first;
    } else if (strcmp(a->method, "crosstab") == 0 && variables != NULL && variables->n == 2 &&
               counts != NULL && counts->kind == RESULT_LIST && counts->n > 0) {
        first = add(&last, arena, report, a, "", "Head counts", bars_crosstab);
        first->description =
            "Head counts by two variables as bars. The numbers are in the table that follows.";
        first->withheld = any_null(counts, NULL);
        return first;
    }
    return NULL;
}

void figure_draw(struct html *html, const struct figure *figure, double width, const char *id, bool alone)
{
    struct arena *arena = arena_new();
    struct canvas canvas = {.html = html,
                            .arena = arena,
                            .width = width,
                            .id = id,
                            .mark = figure->report->synthetic ? REPORT_SYNTHETIC : NULL};
    if (arena == NULL) {
        html->out->failed = true;
        return;
    }
    figure->draw(&canvas, figure, alone);
    arena_free(arena);
}

/* --- files --- */

static bool is_file_name(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(text);
    return length > 0 && length <= 64 && strspn(text, letters) == length;
}

static enum maille_code write_one(const struct figure *figure, const char *folder, const char *format,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char name[160], path[4096];
    struct bytes out = {0};
    struct html html = {.out = &out};
    if (!is_file_name(figure->name)) {
        code = maille_fail(error, MAILLE_INVALID, "expected an id of letters, digits, _ and -, found `%.60s`",
                           figure->name);
        goto out;
    }
    figure_draw(&html, figure, FIGURE_WIDE, figure->name, true);
    MAILLE_TRY(bytes_check(&out, error));
    snprintf(name, sizeof name, "%s.%s", figure->name, format);
    MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
    if (strcmp(format, "svg") == 0)
        MAILLE_TRY(file_write_atomic(path, out.data, out.length, 0644, error));
    else
        MAILLE_TRY(picture_write(path, format, out.data, out.length, error));
out:
    bytes_clear(&out);
    return code;
}

enum maille_code figure_write_all(const struct report *report, const char *folder, const char *format,
                                  size_t *n_files, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = 0;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the figures, found none");
    if (strcmp(format, "svg") != 0 && strcmp(format, "pdf") != 0 && strcmp(format, "png") != 0) {
        code = maille_fail(error, MAILLE_INVALID, "expected the format svg, pdf or png, found %.40s", format);
        goto out;
    }
    MAILLE_TRY(file_folder_make(folder, 0755, error));
    for (size_t i = 0; i < report->n_analyses; i++)
        for (const struct figure *f = figure_list(report, &report->analyses[i], arena); f != NULL;
             f = f->next, n++)
            MAILLE_TRY(write_one(f, folder, format, error));
    if (n_files != NULL)
        *n_files = n;
out:
    arena_free(arena);
    return code;
}
