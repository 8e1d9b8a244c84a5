#include "registry/cell.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "registry/keymap.h"
#include "registry/text.h"

enum column_storage cell_storage(const struct variable *variable)
{
    double least, greatest;
    cell_range(variable, &least, &greatest);
    if (least >= INT8_MIN && greatest <= INT8_MAX)
        return STORE_INT8;
    if (least >= INT16_MIN && greatest <= INT16_MAX)
        return STORE_INT16;
    if (least >= INT32_MIN && greatest <= INT32_MAX)
        return STORE_INT32;
    return STORE_INT64;
}

void cell_range(const struct variable *variable, double *least, double *greatest)
{
    bool is_coded = variable->type == VARIABLE_CATEGORY || variable->type == VARIABLE_BOOLEAN;
    if (!is_coded) {
        dictionary_steps(variable, least, greatest);
        return;
    }
    *least = 0;
    *greatest = variable->type == VARIABLE_BOOLEAN ? 1 : (double)variable->n_levels - 1;
}

/* The texts for missing that are numbers (of a date: days), as values. */
static enum maille_code read_missing(struct cell_reader *reader, struct maille_error *error)
{
    const struct variable *variable = reader->variable;
    const struct dictionary *dictionary = reader->dictionary;
    const bool is_date = variable->type == VARIABLE_DATE;
    if (variable->type == VARIABLE_CATEGORY || variable->type == VARIABLE_BOOLEAN)
        return MAILLE_OK;
    reader->missing = calloc(dictionary->n_missing + variable->n_missing + 1, sizeof *reader->missing);
    if (reader->missing == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the missing words of %s, found none",
                           variable->name);
    for (size_t w = 0; w < dictionary->n_missing + variable->n_missing; w++) {
        const char *word =
            w < dictionary->n_missing ? dictionary->missing[w] : variable->missing[w - dictionary->n_missing];
        double *value = &reader->missing[reader->n_missing];
        int32_t days = 0;
        bool found = is_date ? text_date(&days, word, strlen(word))
                             : number_parse_double(word, strlen(word), '.', value) ||
                                   number_parse_double(word, strlen(word), ',', value);
        if (is_date)
            *value = days;
        reader->n_missing += found;
    }
    return MAILLE_OK;
}

static bool is_missing_value(const struct cell_reader *reader, double value)
{
    for (size_t i = 0; i < reader->n_missing; i++)
        if (reader->missing[i] == value)
            return true;
    return false;
}

enum maille_code cell_reader_init(struct cell_reader *reader, const struct dictionary *dictionary,
                                  const struct variable *variable, char decimal, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cell_reader made = {.dictionary = dictionary, .variable = variable, .decimal = decimal};
    if (variable->type == VARIABLE_CATEGORY) {
        made.levels = keymap_new();
        if (made.levels == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for the levels of %s, found none",
                               variable->name);
            goto out;
        }
        for (size_t i = 0; i < variable->n_levels; i++) {
            int32_t number;
            MAILLE_TRY(
                keymap_number(made.levels, &number, variable->levels[i], strlen(variable->levels[i]), error));
            if (number != (int32_t)i) {
                code =
                    maille_fail(error, MAILLE_INVALID, "expected distinct levels of %s, found \"%s\" twice",
                                variable->name, variable->levels[i]);
                goto out;
            }
        }
    }
    MAILLE_TRY(read_missing(&made, error));
    *reader = made;
    made = (struct cell_reader){0};
out:
    cell_reader_clear(&made);
    return code;
}

void cell_reader_clear(struct cell_reader *reader)
{
    keymap_free(reader->levels);
    free(reader->missing);
    reader->levels = NULL;
    reader->missing = NULL;
}

bool cell_is_missing(const struct dictionary *dictionary, const char *text, size_t length)
{
    return text_is_among(dictionary->missing, dictionary->n_missing, text, length);
}

/* ---- Sentences ---- */

enum { SHOWN = TEXT_SHOWN + 2 };

/* The cell as it is shown: quoted. */
static const char *shown(char out[SHOWN], const char *text, size_t length)
{
    char visible[TEXT_SHOWN];
    if (length == 0)
        return "an empty cell";
    text_show(visible, text, length);
    snprintf(out, SHOWN, "\"%s\"", visible);
    return out;
}

/* A bound as the dictionary writes it: a date for dates. */
static const char *bound(char out[32], const struct variable *variable, double value)
{
    if (variable->type == VARIABLE_DATE && fabs(value) < INT32_MAX)
        number_format_date(out, (int32_t)value);
    else
        number_format_double(out, value);
    return out;
}

static const char *kind(const struct variable *variable)
{
    switch (variable->type) {
    case VARIABLE_INTEGER:
        return "an integer";
    case VARIABLE_DATE:
        return "a date (2020-12-31 or 31/12/2020)";
    default:
        return "a number";
    }
}

static bool fail_range(char sentence[CELL_SENTENCE_MAX], const struct variable *variable, const char *text,
                       size_t length)
{
    char least[32], greatest[32], found[SHOWN];
    bool with_units =
        variable->type != VARIABLE_DATE && variable->units != NULL && variable->units[0] != '\0';
    snprintf(sentence, CELL_SENTENCE_MAX, "expected %s from %s to %s%s%s, found %s", kind(variable),
             bound(least, variable, variable->min), bound(greatest, variable, variable->max),
             with_units ? " " : "", with_units ? variable->units : "", shown(found, text, length));
    return false;
}

static bool fail_resolution(char sentence[CELL_SENTENCE_MAX], const struct variable *variable,
                            const char *text, size_t length)
{
    char step[32], found[SHOWN];
    number_format_double(step, variable->resolution);
    snprintf(
        sentence, CELL_SENTENCE_MAX,
        "expected a multiple of %s (the resolution in the dictionary), found %s: round it, or write a finer "
        "resolution",
        step, shown(found, text, length));
    return false;
}

static bool fail_level(char sentence[CELL_SENTENCE_MAX], const struct variable *variable, const char *text,
                       size_t length)
{
    char found[SHOWN], levels[128] = "";
    size_t used = 0;
    for (size_t i = 0; i < variable->n_levels; i++) {
        char level[SHOWN];
        int put = snprintf(levels + used, sizeof levels - used, "%s%s", i == 0 ? "" : ", ",
                           shown(level, variable->levels[i], strlen(variable->levels[i])));
        if (put < 0 || (size_t)put >= sizeof levels - used - 8) {
            snprintf(levels + used, sizeof levels - used, ", …");
            break;
        }
        used += (size_t)put;
    }
    snprintf(sentence, CELL_SENTENCE_MAX, "expected one of the levels %s, found %s", levels,
             shown(found, text, length));
    return false;
}

/* ---- Values ---- */

/* Clinger (1990), "How to read floating point numbers accurately": a decimal of at most 15 digits over a
 * power of ten of at most 22 is one correctly rounded division. It covers what a registry holds; the rest
 * goes to strtod. */
static bool read_number(const char *text, size_t length, char decimal, double *value)
{
    static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = length > 0 && text[0] == '-';
    uint64_t digits = 0;
    size_t i = negative, n = 0, fraction = 0;
    for (; i < length && text[i] >= '0' && text[i] <= '9' && n <= 15; i++, n++)
        digits = 10 * digits + (uint64_t)(text[i] - '0');
    if (i < length && n > 0 && text[i] == decimal)
        for (i++; i < length && text[i] >= '0' && text[i] <= '9' && n <= 15; i++, n++, fraction++)
            digits = 10 * digits + (uint64_t)(text[i] - '0');
    if (i < length || n == 0 || n > 15)
        return number_parse_double(text, length, decimal, value);
    *value = (double)digits / tens[fraction];
    if (negative)
        *value = 0.0 - *value; /* −0 becomes 0: one value, one pattern of bits */
    return true;
}

/* Within 1e-9 of a step, and what the rounding of the decimal itself may shift. */
static bool is_multiple(double value, double resolution)
{
    double steps = value / resolution;
    return fabs(steps - nearbyint(steps)) <= 1e-9 + 4 * DBL_EPSILON * fabs(steps);
}

static bool read_numeric(struct cell *cell, const struct cell_reader *reader, const char *text, size_t length,
                         char sentence[CELL_SENTENCE_MAX])
{
    const struct variable *variable = reader->variable;
    double value;
    if (!read_number(text, length, reader->decimal, &value))
        return fail_range(sentence, variable, text, length);
    if (is_missing_value(reader, value)) {
        cell->missing = true;
        return true;
    }
    if (reader->times != 0)
        value = dictionary_value(variable, nearbyint(value * reader->times / variable->resolution));
    if (value < variable->min || value > variable->max ||
        (variable->type == VARIABLE_INTEGER && floor(value) != value))
        return fail_range(sentence, variable, text, length);
    if (!is_multiple(value, variable->resolution))
        return fail_resolution(sentence, variable, text, length);
    cell->integer = (int64_t)nearbyint(value / variable->resolution);
    return true;
}

static bool read_level(struct cell *cell, const struct cell_reader *reader, const char *text, size_t length,
                       char sentence[CELL_SENTENCE_MAX])
{
    int32_t number = keymap_find(reader->levels, text, length);
    if (number < 0)
        return fail_level(sentence, reader->variable, text, length);
    cell->integer = number;
    return true;
}

static bool read_boolean(struct cell *cell, const char *text, size_t length, char sentence[CELL_SENTENCE_MAX])
{
    char found[SHOWN];
    if (length == 1 && (text[0] == '0' || text[0] == '1')) {
        cell->integer = text[0] == '1';
        return true;
    }
    if ((length == 4 && strncasecmp(text, "true", 4) == 0) ||
        (length == 5 && strncasecmp(text, "false", 5) == 0)) {
        cell->integer = length == 4;
        return true;
    }
    snprintf(sentence, CELL_SENTENCE_MAX, "expected 0, 1, true or false, found %s",
             shown(found, text, length));
    return false;
}

/* A part of a date is no date: an unknown day is never taken for the 15th, nor an unknown month for June. */
static bool read_date(struct cell *cell, const struct cell_reader *reader, const char *text, size_t length,
                      char sentence[CELL_SENTENCE_MAX])
{
    const struct variable *variable = reader->variable;
    int32_t days;
    const bool is_date = text_date(&days, text, length);
    if (is_date && is_missing_value(reader, days)) {
        cell->missing = true;
        return true;
    }
    if (!is_date || days < variable->min || days > variable->max)
        return fail_range(sentence, variable, text, length);
    if (!is_multiple(days, variable->resolution))
        return fail_resolution(sentence, variable, text, length);
    cell->integer = (int64_t)nearbyint(days / variable->resolution);
    return true;
}

bool cell_read(struct cell *cell, const struct cell_reader *reader, const char *text, size_t length,
               char sentence[CELL_SENTENCE_MAX])
{
    struct cell read = {0};
    bool fits = true;
    if (cell_is_missing(reader->dictionary, text, length) ||
        text_is_among(reader->variable->missing, reader->variable->n_missing, text, length)) {
        *cell = (struct cell){.missing = true};
        return true;
    }
    switch (reader->variable->type) {
    case VARIABLE_INTEGER:
    case VARIABLE_REAL:
    case VARIABLE_DURATION:
        fits = read_numeric(&read, reader, text, length, sentence);
        break;
    case VARIABLE_CATEGORY:
        fits = read_level(&read, reader, text, length, sentence);
        break;
    case VARIABLE_BOOLEAN:
        fits = read_boolean(&read, text, length, sentence);
        break;
    case VARIABLE_DATE:
        fits = read_date(&read, reader, text, length, sentence);
        break;
    }
    if (fits)
        *cell = read;
    return fits;
}
