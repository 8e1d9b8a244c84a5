#include "registry/summary.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* The value that k others are not above, by partition (Hoare 1961, "Algorithm 65: find", in Wirth's form). */
static int64_t kth(int64_t *values, ptrdiff_t n, ptrdiff_t k)
{
    ptrdiff_t low = 0, high = n - 1;
    while (low < high) {
        const int64_t pivot = values[k];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (pivot < values[j])
                j--;
            if (i <= j) {
                const int64_t held = values[i];
                values[i++] = values[j];
                values[j--] = held;
            }
        }
        if (j < k)
            low = i;
        if (k < i)
            high = j;
    }
    return values[k];
}

static enum maille_code fill(struct summary_variable *out, struct columns *table, uint32_t v, int64_t *values,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct column_scratch scratch = {0};
    for (size_t b = 0; b < columns_blocks(table); b++) {
        struct column_block block;
        MAILLE_TRY(columns_block(&block, table, &scratch, v, b, error));
        for (size_t r = 0; r < block.rows; r++) {
            if (column_is_missing(block.missing, r)) {
                out->missing++;
                continue;
            }
            const int64_t value = column_entry(block.storage, block.values, r);
            if (out->is_number)
                values[out->present] = value;
            else
                out->counts[value]++;
            out->present++;
        }
    }
    if (!out->is_number || out->present == 0)
        goto out;
    int64_t least = values[0], greatest = values[0];
    for (size_t i = 1; i < out->present; i++) {
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    out->min = dictionary_value(out->variable, (double)least);
    out->max = dictionary_value(out->variable, (double)greatest);
    const ptrdiff_t present = (ptrdiff_t)out->present;
    out->median = dictionary_value(out->variable, (double)kth(values, present, (present - 1) / 2));
out:
    column_scratch_clear(&scratch);
    return code;
}

enum maille_code summary_present(double *share, struct columns *table, uint32_t variable,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct column_scratch scratch = {0};
    size_t rows = 0, present = 0;
    for (size_t b = 0; b < columns_blocks(table); b++) {
        struct column_block block;
        MAILLE_TRY(columns_block(&block, table, &scratch, variable, b, error));
        rows += block.rows;
        for (size_t r = 0; r < block.rows; r++)
            present += !column_is_missing(block.missing, r);
    }
    *share = rows == 0 ? 1 : (double)present / (double)rows;
out:
    column_scratch_clear(&scratch);
    return code;
}

enum maille_code summary_make(struct summary *summary, struct arena *arena, struct columns *table,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = columns_dictionary(table);
    struct summary made = {.rows = columns_rows(table),
                           .patients = columns_patients(table),
                           .n_variables = dictionary->n_variables,
                           .variables = arena_array(arena, dictionary->n_variables, sizeof *made.variables)};
    int64_t *values = calloc(made.rows + 1, sizeof *values);
    if (values == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu values, found none", made.rows);
        goto out;
    }
    for (uint32_t v = 0; v < made.n_variables; v++) {
        struct summary_variable *out = &made.variables[v];
        out->variable = &dictionary->variables[v];
        out->is_number = out->variable->n_levels == 0;
        out->counts = arena_array(arena, out->variable->n_levels + 1, sizeof *out->counts);
        MAILLE_TRY(fill(out, table, v, values, error));
    }
    *summary = made;
out:
    if (values != NULL)
        memset(values, 0, (made.rows + 1) * sizeof *values);
    free(values);
    return code;
}

void summary_value(char out[SUMMARY_VALUE], const struct variable *variable, double value)
{
    if (variable->type == VARIABLE_DATE)
        number_format_date(out, (int32_t)value);
    else
        number_format_double(out, value);
}

/* --- one against another --- */

struct comparing {
    struct arena *arena;
    struct summary_change *list;
    size_t n, room;
    const struct summary_limits *limits;
    enum language language;
};
#define SAY(to, english, french) ((to)->language == LANGUAGE_FR ? (french) : (english))

static void add(struct comparing *to, bool beyond, const char *format, ...) MAILLE_PRINTF(3, 4);

static void add(struct comparing *to, bool beyond, const char *format, ...)
{
    va_list arguments;
    if (to->n == to->room) {
        struct summary_change *grown = arena_array(to->arena, 2 * to->room + 16, sizeof *grown);
        if (to->n > 0)
            memcpy(grown, to->list, to->n * sizeof *grown);
        to->list = grown;
        to->room = 2 * to->room + 16;
    }
    struct summary_change *change = &to->list[to->n++];
    change->beyond = beyond;
    va_start(arguments, format);
    vsnprintf(change->sentence, sizeof change->sentence, format, arguments);
    va_end(arguments);
}

static void compare_count(struct comparing *to, const char *what, size_t now, size_t before)
{
    const double change = 100 * ((double)now - (double)before) / (double)(before > 0 ? before : 1);
    add(to, change < -to->limits->fewer || (before > 0 && change > to->limits->more),
        SAY(to, "%s: %zu, before %zu (%+.1f %%)", "%s : %zu, avant %zu (%+.1f %%)"), what, now, before,
        change);
}

/* A share of all rows that moved; told where it is more than a row or two. */
static void compare_share(struct comparing *to, const char *variable, const char *what, size_t now,
                          size_t rows, size_t before, size_t rows_before)
{
    if (rows == 0 || rows_before == 0)
        return;
    const double share = 100 * (double)now / (double)rows, was = 100 * (double)before / (double)rows_before;
    const double step = 100.0 / (double)(rows < rows_before ? rows : rows_before);
    if (fabs(share - was) < 2 * step)
        return;
    add(to, fabs(share - was) > to->limits->share,
        SAY(to, "%s: %s in %.1f %% of the rows, before %.1f %%",
            "%s : %s dans %.1f %% des lignes, avant %.1f %%"),
        variable, what, share, was);
}

static void compare_variable(struct comparing *to, const struct summary_variable *now, size_t rows,
                             const struct summary_variable *before, size_t rows_before)
{
    const struct variable *variable = now->variable;
    compare_share(to, variable->name, SAY(to, "missing", "absente"), now->missing, rows, before->missing,
                  rows_before);
    if (now->is_number && before->is_number && now->present > 0 && before->present > 0) {
        char median[SUMMARY_VALUE], was[SUMMARY_VALUE];
        const double range = before->max - before->min, moved = fabs(now->median - before->median);
        summary_value(median, variable, now->median);
        summary_value(was, variable, before->median);
        if (moved > 0)
            add(to, moved > to->limits->median / 100 * (range > 0 ? range : moved / 2),
                SAY(to, "%s: median %s, before %s", "%s : médiane %s, avant %s"), variable->name, median,
                was);
    }
    for (size_t l = 0; l < variable->n_levels; l++)
        for (size_t k = 0; k < before->variable->n_levels; k++)
            if (strcmp(variable->levels[l], before->variable->levels[k]) == 0)
                compare_share(to, variable->name, variable->levels[l], now->counts[l], rows,
                              before->counts[k], rows_before);
}

static const struct summary_variable *find(const struct summary *summary, const char *name)
{
    for (size_t v = 0; v < summary->n_variables; v++)
        if (strcmp(summary->variables[v].variable->name, name) == 0)
            return &summary->variables[v];
    return NULL;
}

void summary_compare(const struct summary_change **changes, size_t *n, struct arena *arena,
                     const struct summary *now, const struct summary *before,
                     const struct summary_limits *limits, enum language language)
{
    struct comparing to = {.arena = arena, .limits = limits, .language = language};
    compare_count(&to, SAY(&to, "rows", "lignes"), now->rows, before->rows);
    compare_count(&to, "patients", now->patients, before->patients);
    for (size_t v = 0; v < now->n_variables; v++) {
        const struct summary_variable *was = find(before, now->variables[v].variable->name);
        if (was == NULL)
            add(&to, false, SAY(&to, "%s: new in the dictionary", "%s : nouvelle dans le dictionnaire"),
                now->variables[v].variable->name);
        else
            compare_variable(&to, &now->variables[v], now->rows, was, before->rows);
    }
    for (size_t v = 0; v < before->n_variables; v++)
        if (find(now, before->variables[v].variable->name) == NULL)
            add(&to, true,
                SAY(&to, "%s: no longer in the dictionary", "%s : n’est plus dans le dictionnaire"),
                before->variables[v].variable->name);
    *changes = to.list;
    *n = to.n;
}
