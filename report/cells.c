#include "report/cells.h"

#include <string.h>

static const char *sibling(const struct report_table *table, size_t row, const char *column)
{
    for (size_t j = 0; j < table->n_columns; j++)
        if (strcmp(table->columns[j], column) == 0) {
            const struct result *cell = report_cell(table, row, j);
            return cell != NULL && cell->kind == RESULT_STRING ? cell->string : NULL;
        }
    return NULL;
}

const char *cells_term(const struct labels *labels, const struct result *frame, const char *name)
{
    struct labels_term term = labels_term(labels, frame, name);
    return term.level == NULL ? term.words : arena_printf(labels->arena, "%s: %s", term.words, term.level);
}

/* Of a variable; NULL: of the only factor of the formula (the means of an analysis of variance). */
static const char *level_words(const struct labels *labels, const struct result *frame, const char *variable,
                               const char *level)
{
    const struct result *factors = frame == NULL ? NULL : result_get(frame, "factors");
    if (variable == NULL && factors != NULL && factors->kind == RESULT_LIST && factors->n == 1)
        variable = result_text(factors->items[0], "name");
    return variable == NULL ? labels_level(labels, NULL, level)
                            : labels_factor_level(labels, frame, variable, level);
}

const char *cells_words(char buffer[WORDS_MAX], const struct labels *labels, const struct report_analysis *a,
                        const struct report_table *table, size_t row, size_t column)
{
    const struct result *cell = report_cell(table, row, column);
    const char *name = table->columns[column];
    if (cell == NULL || cell->kind != RESULT_STRING)
        return words_cell(buffer, name, cell);
    if (strcmp(name, "variable") == 0)
        return labels_with_units(labels, cell->string);
    if (strcmp(name, "criterion") == 0)
        return labels_condition(labels, cell->string);
    if (strcmp(name, "by") == 0 && strchr(cell->string, ',') == NULL)
        return labels_variable(labels, cell->string);
    if (strcmp(name, "level") == 0) {
        const char *by = sibling(table, row, "by");
        return by != NULL ? labels_by(labels, by, cell->string)
                          : level_words(labels, a->frame, sibling(table, row, "variable"), cell->string);
    }
    if (strcmp(name, "reference") == 0 && sibling(table, row, "variable") != NULL)
        return level_words(labels, a->frame, sibling(table, row, "variable"), cell->string);
    if (strcmp(name, "cause") == 0)
        return labels_cause(labels, a->frame, cell->string);
    if (strcmp(name, "value") == 0)
        return labels_level(labels, sibling(table, row, "variable"), cell->string);
    if (strcmp(name, "stratum") == 0 || strcmp(name, "group") == 0)
        return labels_stratum(labels, a->frame, cell->string);
    if (strcmp(name, "term") == 0)
        return cells_term(labels, a->frame, cell->string);
    return labels_levels(labels, name) != NULL ? labels_level(labels, name, cell->string)
                                               : words_cell(buffer, name, cell);
}

bool cells_told_by_level(const struct report_table *table, size_t column)
{
    for (size_t j = 0; j < table->n_columns; j++)
        if (strcmp(table->columns[j], "level") == 0)
            return strcmp(table->columns[column], "by") == 0;
    return false;
}

const char *cells_heading(char buffer[WORDS_MAX], const struct labels *labels, const char *column)
{
    const char *label = labels_with_units(labels, column);
    return label != column ? label : words_column(buffer, column);
}
