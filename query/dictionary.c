#include "query/dictionary.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "query/manual.h"

/* Words of the languages, and the one name that stands for the hospital itself. */
static const char *const reserved[] = {"site",  "in", "TRUE", "FALSE", "true",
                                       "false", "NA", "NULL", "Inf",   "NaN"};

double dictionary_unit_days(const char *units)
{
    static const struct {
        const char *name;
        double days;
    } known[] = {{"day", 1},         {"days", 1},         {"week", 7},          {"weeks", 7},
                 {"month", 30.4375}, {"months", 30.4375}, {"quarter", 91.3125}, {"quarters", 91.3125},
                 {"year", 365.25},   {"years", 365.25}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(units, known[i].name) == 0)
            return known[i].days;
    return 0;
}

double dictionary_value(const struct variable *variable, double steps)
{
    return steps * variable->numerator / variable->denominator;
}

void dictionary_steps(const struct variable *variable, double *least, double *greatest)
{
    /* 1e-9 of a step: a bound that is a multiple itself may have been rounded. */
    double low = ceil(variable->min / variable->resolution - 1e-9),
           high = floor(variable->max / variable->resolution + 1e-9);
    *least = dictionary_value(variable, low) < variable->min ? low + 1 : low;
    *greatest = dictionary_value(variable, high) > variable->max ? high - 1 : high;
}

void variable_set_fraction(struct variable *v)
{
    double scale = 1;
    v->numerator = v->resolution;
    v->denominator = 1;
    for (int places = 0; places <= 15; places++, scale *= 10) {
        double numerator = nearbyint(v->resolution * scale);
        if (numerator < 1 || numerator > 9007199254740992.0 || numerator / scale != v->resolution)
            continue;
        double divisor = number_common_divisor(numerator, scale);
        v->numerator = numerator / divisor;
        v->denominator = scale / divisor;
        return;
    }
}

int dictionary_find(const struct dictionary *dictionary, const char *name)
{
    for (size_t i = 0; i < dictionary->n_variables; i++)
        if (strcmp(dictionary->variables[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool dictionary_ordered(const struct dictionary *dictionary, uint32_t from, uint32_t to)
{
    for (size_t k = 0; k < dictionary->n_orders; k++) {
        bool begun = false;
        for (size_t i = 0; i < dictionary->orders[k].n; i++) {
            if (begun && dictionary->orders[k].variables[i] == to)
                return true;
            begun = begun || dictionary->orders[k].variables[i] == from;
        }
    }
    return false;
}

bool dictionary_name_legal(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > DICTIONARY_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (!letter && !(i > 0 && other))
            return false;
    }
    return true;
}

bool dictionary_name_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

/* --- the nearest name --- */

/* Edit distance with transpositions of neighbours (Damerau 1964, restricted form), in three rows. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][DICTIONARY_NAME_MAX + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > DICTIONARY_NAME_MAX || m > DICTIONARY_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *dictionary_nearest_name(const char *written, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    size_t length = strlen(written);
    /* A short word is near to everything: its limit is a third of it, at least 1. */
    size_t limit = length < 6 ? (length + 2) / 3 : length / 3 > 2 ? length / 3 : 2;
    size_t best = limit + 1;
    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(written, names[i]);
        if (strcasecmp(written, names[i]) == 0)
            distance = distance > 0; /* another case is one slip */
        if (distance < best && distance < length) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* --- the types --- */

static const struct manual_row type_rows[] = {
    [VARIABLE_INTEGER] = {"integer", "a number", "whole numbers from min to max"},
    [VARIABLE_REAL] = {"real", "a number", "multiples of the resolution from min to max"},
    [VARIABLE_CATEGORY] = {"category", "a category", "one of the levels"},
    [VARIABLE_BOOLEAN] = {"boolean", "a boolean", "FALSE or TRUE, FALSE is the reference"},
    [VARIABLE_DURATION] = {"duration", "a number", "a time in its units, a multiple of the resolution"},
    [VARIABLE_DATE] = {"date", "a date", "a day, YYYY-MM-DD"}};

const struct manual_row *dictionary_types(size_t *n)
{
    *n = sizeof type_rows / sizeof *type_rows;
    return type_rows;
}
