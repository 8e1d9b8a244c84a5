/* mapping.yaml: how a site's own export says what the dictionary asks for. Made by `maille-worker map`,
 * edited by a person, used by check and import.
 *
 *     mapping: esme@1
 *     skip: 2                  # lines before the header
 *     columns:
 *       - { from: "Poids (g)", to: poids, times: 0.001 }
 *       - { from: HER2, to: her2, values: { Négatif: négatif }, missing: [NC] }
 *       - { from: Diag, to: date_diag, dates: [DD/MM/YYYY, MM/YYYY], partial: middle }
 */
#ifndef REGISTRY_MAPPING_H
#define REGISTRY_MAPPING_H

#include "query/dictionary.h"

enum { MAPPING_TEXT_MAX = 256, MAPPING_FORMATS_MAX = 16, MAPPING_VALUES_MAX = 4096 };

/* What stands for a day, or a month and a day, that a date does not say. Nothing is ever guessed: where a
 * format lacks one, the mapping must say. */
enum mapping_partial { PARTIAL_UNSAID, PARTIAL_FIRST, PARTIAL_MIDDLE, PARTIAL_LAST, PARTIAL_MISSING };

struct mapping_column {
    const char *from, *to; /* the file's column; the variable, or the key */
    double times;          /* numbers are multiplied by it, and rounded to the resolution; 0: as they are */
    const char **values;   /* pairs: as the file says it, as the dictionary does */
    size_t n_values;
    const char **missing; /* texts that mean missing in this column */
    size_t n_missing;
    const char **dates; /* formats that are tried in order: DD MM YYYY, and other characters as they are */
    size_t n_dates;
    enum mapping_partial partial;
};

struct mapping {
    int64_t skip;            /* lines before the header */
    char separator, decimal; /* 0: found by looking */
    const struct mapping_column *columns;
    size_t n_columns;
};

/* Parses a mapping onto this dictionary; all of it lives in arena. name stands for the file in errors.
 * MAILLE_INVALID with file, line and column. */
enum maille_code mapping_parse(const struct mapping **mapping, struct arena *arena, const char *name,
                               const char *text, size_t length, const struct dictionary *dictionary,
                               struct maille_error *error) MAILLE_CHECKED;

/* The column that becomes this variable or key; NULL: the one of its name. mapping may be NULL. */
const struct mapping_column *mapping_find(const struct mapping *mapping, const char *to);

/* What a cell says in the dictionary's words: text itself, another text (a constant of the mapping, or in
 * room), or NULL where it means missing. *length follows. */
const char *mapping_cell(const struct mapping_column *column, const char *text, size_t *length,
                         char room[MAPPING_TEXT_MAX]);

/* Whether a text has this format of a date, and the day that it says; *lacks: a day or a month stands for one
 * that it does not say (as partial has it). */
bool mapping_date(int32_t *days, bool *lacks, const char *format, enum mapping_partial partial,
                  const char *text, size_t length);

#endif
