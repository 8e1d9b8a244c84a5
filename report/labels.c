#include "report/labels.h"

#include <stdlib.h>
#include <string.h>

struct labels labels_of(const struct report *report, struct arena *arena)
{
    return (struct labels){
        .variables = report->dictionary == NULL ? NULL : result_get(report->dictionary, "variables"),
        .derive = report->derive,
        .arena = arena,
    };
}

/* The object of a list whose `name` this is, or NULL. */
static const struct result *named(const struct result *list, const char *name)
{
    for (size_t i = 0; list != NULL && list->kind == RESULT_LIST && i < list->n; i++) {
        const char *own = result_text(list->items[i], "name");
        if (own != NULL && strcmp(own, name) == 0)
            return list->items[i];
    }
    return NULL;
}

/* "cut(nodes, c(1, 4, 10))" → "nodes": levels of a number are read under its label. NULL: not a cut. */
static const char *cut_of(struct arena *arena, const char *expression)
{
    if (expression == NULL || strncmp(expression, "cut(", 4) != 0)
        return NULL;
    size_t n = strcspn(expression + 4, ",() +-*/^&|<>=!\"");
    return n > 0 && expression[4 + n] == ',' ? arena_strndup(arena, expression + 4, n) : NULL;
}

const char *labels_variable(const struct labels *labels, const char *name)
{
    const char *label = result_text(named(labels->variables, name), "label"), *cut = NULL;
    if (label == NULL) {
        const char *expression = result_text(named(labels->derive, name), "expression");
        cut = cut_of(labels->arena, expression == NULL ? name : expression);
    }
    if (cut != NULL && strcmp(cut, name) != 0)
        label = result_text(named(labels->variables, cut), "label");
    return label != NULL ? label : name;
}

const char *labels_units(const struct labels *labels, const char *name)
{
    return result_text(named(labels->variables, name), "units");
}

const char *labels_with_units(const struct labels *labels, const char *name)
{
    const char *label = labels_variable(labels, name), *units = labels_units(labels, name);
    return units == NULL ? label : arena_printf(labels->arena, "%s (%s)", label, units);
}

const char *labels_condition(const struct labels *labels, const char *name)
{
    const char *expression = result_text(named(labels->derive, name), "expression");
    return expression == NULL ? labels_variable(labels, name)
                              : arena_printf(labels->arena, "%s: %s", name, expression);
}

const struct result *labels_levels(const struct labels *labels, const char *name)
{
    const struct result *one = named(labels->variables, name);
    if (one == NULL)
        one = named(labels->derive, name);
    const struct result *levels = one == NULL ? NULL : result_get(one, "levels");
    return levels != NULL && levels->kind == RESULT_LIST ? levels : NULL;
}

/* R's names of intervals: "[1,4)", "(5, Inf]". NULL when it is none. */
static const char *interval_words(struct arena *arena, const char *level)
{
    size_t n = strlen(level);
    const char *comma = strchr(level, ',');
    if (n < 5 || (level[0] != '[' && level[0] != '(') || (level[n - 1] != ']' && level[n - 1] != ')') ||
        comma == NULL || strchr(comma + 1, ',') != NULL)
        return NULL;
    const char *low = arena_strndup(arena, level + 1, (size_t)(comma - level - 1));
    const char *high = comma + 1 + strspn(comma + 1, " ");
    high = arena_strndup(arena, high, (size_t)(level + n - 1 - high));
    bool low_in = level[0] == '[', high_in = level[n - 1] == ']';
    if (strcmp(low, "-Inf") == 0)
        return arena_printf(arena, "%s%s", high_in ? "≤" : "<", high);
    if (strcmp(high, "Inf") == 0)
        return arena_printf(arena, "%s%s", low_in ? "≥" : ">", low);
    return arena_printf(arena, "%s%s to %s%s", low_in ? "" : ">", low, high_in ? "" : "<", high);
}

/* The dictionary's word for a level of an object with levels and labels; NULL: it has none but its name. */
static const char *own_word(const struct result *of, const char *level)
{
    const struct result *levels = of == NULL ? NULL : result_get(of, "levels");
    const struct result *words = of == NULL ? NULL : result_get(of, "labels");
    if (levels == NULL || levels->kind != RESULT_LIST || words == NULL || words->kind != RESULT_LIST)
        return NULL;
    for (size_t i = 0; i < levels->n && i < words->n; i++)
        if (levels->items[i]->kind == RESULT_STRING && words->items[i]->kind == RESULT_STRING &&
            strcmp(levels->items[i]->string, level) == 0)
            return strcmp(words->items[i]->string, level) == 0 ? NULL : words->items[i]->string;
    return NULL;
}

static const char *plain_level(const struct labels *labels, const char *level)
{
    if (strcmp(level, "TRUE") == 0)
        return "Yes";
    if (strcmp(level, "FALSE") == 0)
        return "No";
    if (strncmp(level, "<=", 2) == 0 || strncmp(level, ">=", 2) == 0)
        return arena_printf(labels->arena, "%s%s", level[0] == '<' ? "≤" : "≥", level + 2);
    const char *interval = interval_words(labels->arena, level);
    return interval != NULL ? interval : level;
}

const char *labels_level(const struct labels *labels, const char *name, const char *level)
{
    const struct result *of = name == NULL ? NULL : named(labels->variables, name);
    if (of == NULL && name != NULL)
        of = named(labels->derive, name);
    const char *own = own_word(of, level);
    return own != NULL ? own : plain_level(labels, level);
}

static const struct result *factors_of(const struct result *frame)
{
    const struct result *factors = frame == NULL ? NULL : result_get(frame, "factors");
    return factors != NULL && factors->kind == RESULT_LIST ? factors : NULL;
}

const char *labels_factor_level(const struct labels *labels, const struct result *frame, const char *name,
                                const char *level)
{
    const char *own = own_word(named(factors_of(frame), name), level);
    return own != NULL ? own : labels_level(labels, name, level);
}

const char *labels_cause(const struct labels *labels, const struct result *frame, const char *cause)
{
    const char *own = own_word(frame == NULL ? NULL : result_get(frame, "status"), cause);
    return own != NULL ? own : plain_level(labels, cause);
}

/* One level of one factor, with the factor's name where that is wanted; yes and no, which say nothing without
 * their question, always. */
static const char *factor_words(const struct labels *labels, const struct result *frame, const char *name,
                                const char *level, bool with_name)
{
    const char *words = labels_factor_level(labels, frame, name, level),
               *label = labels_variable(labels, name);
    bool answer = strcmp(words, "Yes") == 0 || strcmp(words, "No") == 0;
    return with_name || answer ? arena_printf(labels->arena, "%s: %s", label, words) : words;
}

const char *labels_stratum(const struct labels *labels, const struct result *frame, const char *stratum)
{
    const struct result *factors = factors_of(frame);
    const char *out = "";
    if (strcmp(stratum, "all") == 0 || factors == NULL)
        return strcmp(stratum, "all") == 0 ? "All patients" : stratum;
    /* The factors come in the frame's order: each ends where the next one's name begins. */
    const char *rest = stratum;
    size_t n = factors->n;
    for (size_t i = 0; i < n; i++) {
        const char *name = result_text(factors->items[i], "name");
        size_t length = name == NULL ? 0 : strlen(name);
        if (name == NULL || strncmp(rest, name, length) != 0 || rest[length] != '=')
            return stratum;
        const char *level = rest + length + 1, *end = NULL, *next = NULL;
        if (i + 1 < n && (next = result_text(factors->items[i + 1], "name")) != NULL)
            end = strstr(level, arena_printf(labels->arena, ", %s=", next));
        size_t level_length = end == NULL ? strlen(level) : (size_t)(end - level);
        out = arena_printf(labels->arena, "%s%s%s", out, i == 0 ? "" : ", ",
                           factor_words(labels, frame, name,
                                        arena_strndup(labels->arena, level, level_length), n == 1 || i > 0));
        rest = end == NULL ? level + level_length : end + 2;
    }
    return *rest == '\0' && *out != '\0' ? out : stratum;
}

const char *labels_dropped(const struct labels *labels, const struct result *frame, const char *dropped)
{
    const char *level = strchr(dropped, '=');
    if (level == NULL)
        return dropped;
    return factor_words(labels, frame, arena_strndup(labels->arena, dropped, (size_t)(level - dropped)),
                        level + 1, true);
}

const char *labels_by(const struct labels *labels, const char *by, const char *level)
{
    const char *out = "";
    if (strchr(by, ',') == NULL) /* a level may hold commas of its own */
        return factor_words(labels, NULL, by, level, false);
    while (true) {
        size_t n = strcspn(by, ",");
        const char *name = arena_strndup(labels->arena, by, n);
        const struct result *levels = labels_levels(labels, name);
        size_t m = strcspn(level, ",");
        for (size_t i = 0; levels != NULL && i < levels->n; i++) {
            const char *one = levels->items[i]->kind == RESULT_STRING ? levels->items[i]->string : "";
            size_t length = strlen(one);
            if (length > 0 && strncmp(level, one, length) == 0 &&
                (level[length] == ',' || level[length] == '\0'))
                m = length;
        }
        out = arena_printf(labels->arena, "%s%s%s", out, *out == '\0' ? "" : ", ",
                           factor_words(labels, NULL, name, arena_strndup(labels->arena, level, m), false));
        if (by[n] == '\0' || level[m] == '\0')
            return out;
        by += n + 1;
        level += m + 1;
    }
}

/* "years" → "year". */
static const char *one_unit(struct arena *arena, const char *units)
{
    size_t n = strlen(units);
    return n > 2 && units[n - 1] == 's' ? arena_strndup(arena, units, n - 1) : units;
}

/* "size20-50:chemoTRUE" → "Tumour size (mm): 20-50 × Chemotherapy: Yes". */
static const char *with_times(const struct labels *labels, const struct result *frame, const char *term)
{
    struct arena *arena = labels->arena;
    const char *out = "", *rest = term;
    if (strchr(term, ':') == NULL)
        return term;
    for (bool more = true; more;) {
        size_t n = strcspn(rest, ":");
        more = rest[n] == ':';
        struct labels_term part = labels_term(labels, frame, arena_strndup(arena, rest, n));
        if (part.factor == NULL) /* not one of the factors: it may hold a colon of its own */
            return term;
        out = arena_printf(arena, "%s%s%s%s%s", out, rest == term ? "" : " × ", part.words,
                           part.level == NULL ? "" : ": ", part.level == NULL ? "" : part.level);
        rest += n + more;
    }
    return out;
}

struct labels_term labels_term(const struct labels *labels, const struct result *frame, const char *term)
{
    const struct result *factors = factors_of(frame);
    size_t best = 0;
    struct labels_term out = {.words = strcmp(term, "(Intercept)") == 0 ? "Intercept"
                                                                        : with_times(labels, frame, term)};
    for (size_t i = 0; factors != NULL && i < factors->n; i++) {
        const char *name = result_text(factors->items[i], "name");
        const struct result *levels = result_get(factors->items[i], "levels");
        size_t length = name == NULL ? 0 : strlen(name);
        if (length <= best || strncmp(term, name, length) != 0)
            continue;
        const char *rest = term + length;
        if (levels == NULL || levels->kind != RESULT_LIST) {
            if (*rest != '\0')
                continue; /* a basis, or a longer name */
            const char *units = labels_units(labels, name);
            out = (struct labels_term){.factor = name, .words = labels_variable(labels, name)};
            if (units != NULL)
                out.words =
                    arena_printf(labels->arena, "%s, per %s", out.words, one_unit(labels->arena, units));
            best = length;
            continue;
        }
        if (*rest == '\0') { /* all of it: a test of the factor */
            out = (struct labels_term){.factor = name, .words = labels_variable(labels, name)};
            best = length;
        }
        for (size_t k = 0; k < levels->n; k++)
            if (levels->items[k]->kind == RESULT_STRING && strcmp(levels->items[k]->string, rest) == 0) {
                out = (struct labels_term){.factor = name,
                                           .words = labels_variable(labels, name),
                                           .level = labels_factor_level(labels, frame, name, rest),
                                           .raw_level = levels->items[k]->string};
                best = length;
            }
    }
    return out;
}
