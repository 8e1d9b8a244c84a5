/* What comes out of the tables for one patient. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "registry/derive_private.h"
#include "registry/keymap.h"
#include "registry/summary.h"
#include "registry/table.h"

bool derive_entry(int64_t *value, const struct columns *rows, size_t v, size_t row)
{
    const struct stored *stored = &rows->stored[v];
    if (column_is_missing(stored->missing, row))
        return false;
    *value = column_entry(stored->storage, stored->values, row);
    return true;
}

bool derive_meets(const struct columns *rows, const struct condition *conditions, size_t n, size_t row)
{
    for (size_t c = 0; c < n; c++) {
        bool is_one = false;
        int64_t value = 0;
        if (!derive_entry(&value, rows, conditions[c].variable, row))
            return false;
        for (size_t i = 0; i < conditions[c].n; i++)
            is_one = is_one || conditions[c].values[i] == value;
        if (!is_one)
            return false;
    }
    return true;
}

bool derive_counts(const struct derivation *derivation, const struct derive *derive, size_t row,
                   const struct cell *cells, int64_t day)
{
    const struct source *source = &derive->sources[derivation->source];
    int64_t value = 0;
    if (!derive_meets(source->rows, derivation->conditions, derivation->n_conditions, row))
        return false;
    if (!derivation->changes && derivation->after < 0)
        return true;
    if (!derive_entry(&value, source->rows, (size_t)source->order, row) ||
        (derivation->changes && value > day))
        return false;
    if (derivation->after < 0)
        return true;
    if (cells[derivation->after].missing)
        return false;
    const double on = dictionary_value(&source->dictionary->variables[source->order], (double)value),
                 since = dictionary_value(&derive->dictionary->variables[derivation->after],
                                          (double)cells[derivation->after].integer);
    return on - since >= derivation->least && on - since <= derivation->greatest;
}

/* A value of the table in the terms of the variable: a level by its text, a number or date by its value. */
static bool convert(struct cell *cell, char sentence[CELL_SENTENCE_MAX], const struct variable *target,
                    const struct variable *from, int64_t value)
{
    double least, greatest;
    if (target->type == VARIABLE_CATEGORY) {
        assert(from->levels != NULL); /* check_types */
        for (size_t l = 0; l < target->n_levels; l++)
            if (strcmp(target->levels[l], from->levels[value]) == 0) {
                *cell = (struct cell){.integer = (int64_t)l};
                return true;
            }
        snprintf(sentence, CELL_SENTENCE_MAX,
                 "expected a level of the variable out of its table, found \"%.100s\"", from->levels[value]);
        return false;
    }
    if (target->type == VARIABLE_BOOLEAN) {
        *cell = (struct cell){.integer = value};
        return true;
    }
    const double steps = nearbyint(dictionary_value(from, (double)value) / target->resolution);
    dictionary_steps(target, &least, &greatest);
    if (steps < least || steps > greatest ||
        fabs(dictionary_value(target, steps) - dictionary_value(from, (double)value)) >
            1e-9 * fmax(1, fabs(steps))) {
        char found[SUMMARY_VALUE];
        summary_value(found, from, dictionary_value(from, (double)value));
        snprintf(sentence, CELL_SENTENCE_MAX,
                 "expected a value that the variable may have out of its table, found %s", found);
        return false;
    }
    *cell = (struct cell){.integer = (int64_t)steps};
    return true;
}

bool derive_days(struct cell *cell, char sentence[CELL_SENTENCE_MAX], const struct variable *target,
                 int64_t days)
{
    static const struct variable whole = {
        .type = VARIABLE_INTEGER, .resolution = 1, .numerator = 1, .denominator = 1};
    return convert(cell, sentence, target, &whole, days);
}

void derive_patient_rows(size_t *first, size_t *end, const struct source *source, const char *key,
                         size_t length)
{
    const int32_t patient = keymap_find(source->rows->keys, key, length);
    *first = *end = 0;
    if (patient < 0)
        return;
    source->asked[patient] = true;
    *first = source->first[patient];
    *end = source->first[patient + 1];
}

bool derive_one(struct cell *cell, char sentence[CELL_SENTENCE_MAX], const struct derive *derive,
                size_t variable, const struct cell *cells, int64_t day, const char *key, size_t length)
{
    const struct derivation *derivation = derive->of_variable[variable];
    const struct variable *target = &derive->dictionary->variables[variable];
    const struct source *source = &derive->sources[derivation->source];
    int64_t best = 0, best_order = 0;
    size_t n = 0, taken = 0, first, end;
    derive_patient_rows(&first, &end, source, key, length);
    for (size_t r = first; r < end; r++) {
        int64_t value = 0, order = 0;
        if (!derive_counts(derivation, derive, r, cells, day))
            continue;
        n++;
        if (derivation->of < 0 || !derive_entry(&value, source->rows, (size_t)derivation->of, r))
            continue;
        const bool by_order = derivation->rule == RULE_FIRST || derivation->rule == RULE_LAST;
        if (by_order && !derive_entry(&order, source->rows, (size_t)source->order, r))
            continue;
        const bool better = (derivation->rule == RULE_FIRST && order < best_order) ||
                            (derivation->rule == RULE_LAST && order >= best_order) ||
                            (derivation->rule == RULE_MIN && value < best) ||
                            (derivation->rule == RULE_MAX && value > best);
        if (taken++ == 0 || better) {
            best = value;
            best_order = order;
        }
    }
    if (derivation->rule == RULE_ANY) {
        *cell = (struct cell){.integer = n > 0};
        return true;
    }
    if (derivation->rule == RULE_COUNT)
        return derive_days(cell, sentence, target, (int64_t)n);
    if (taken == 0) {
        *cell = (struct cell){.missing = true};
        return true;
    }
    return convert(cell, sentence, target, &source->dictionary->variables[derivation->of], best);
}

/* start, stop and the event of one row. */
static bool row_cells(struct cell *cells, size_t *bad, char sentence[CELL_SENTENCE_MAX],
                      const struct derive *derive, size_t row, int64_t day)
{
    const struct derive_rows *rows = &derive->rows;
    const int64_t stop = row < rows->n ? rows->cuts[row] : rows->end;
    cells[rows->event] = rows->kept;
    if (!rows->followed) {
        cells[rows->start] = cells[rows->stop] = (struct cell){.missing = true};
        return true;
    }
    if (row < rows->n && !rows->kept.missing)
        cells[rows->event].integer = 0; /* FALSE, or the first level: censoring */
    *bad = rows->start;
    if (!derive_days(&cells[rows->start], sentence, &derive->dictionary->variables[rows->start],
                     day - rows->begin))
        return false;
    *bad = rows->stop;
    return derive_days(&cells[rows->stop], sentence, &derive->dictionary->variables[rows->stop],
                       stop - rows->begin);
}

bool derive_cells(struct cell *cells, size_t *bad, char sentence[CELL_SENTENCE_MAX], struct derive *derive,
                  const char *key, size_t length, size_t row)
{
    const struct derive_rows *rows = &derive->rows;
    const int64_t day = row == 0 ? rows->begin : rows->cuts[row - 1];
    for (size_t v = 0; v < derive->dictionary->n_variables; v++) {
        if (derive->of_variable[v] == NULL)
            continue;
        if (derive->of_variable[v]->changes && cells[rows->from].missing) {
            cells[v] = (struct cell){.missing = true};
        } else if (!derive_one(&cells[v], sentence, derive, v, cells, day, key, length)) {
            *bad = v;
            return false;
        }
    }
    return !rows->made || row_cells(cells, bad, sentence, derive, row, day);
}

bool derive_strangers(const char **name, size_t *patients, size_t *table, const struct derive *derive)
{
    for (; *table < derive->n_sources; ++*table) {
        const struct source *source = &derive->sources[*table];
        size_t n = 0;
        bool is_of_lines = false; /* its patients are asked for there */
        for (size_t s = 0; s < derive->n_sources; s++)
            is_of_lines =
                is_of_lines || (derive->sources[s].lines != NULL && derive->sources[s].lines->of == *table);
        if (is_of_lines)
            continue;
        for (size_t p = 0; p < source->rows->patients; p++)
            n += !source->asked[p];
        if (n == 0)
            continue;
        *name = source->name;
        *patients = n;
        ++*table;
        return true;
    }
    return false;
}
