/* One cell of a site's file against one variable of the dictionary. */
#ifndef REGISTRY_CELL_H
#define REGISTRY_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/dictionary.h"
#include "registry/columns.h"

struct keymap;

/* What a cell holds: a code, or how many steps of the variable's resolution (a date: days since 1970-01-01).
 */
struct cell {
    bool missing;
    int64_t integer;
};

/* How a variable is stored (columns.h says when). */
enum column_storage cell_storage(const struct variable *variable);

/* The least and the greatest whole number that may stand in its column: codes, or steps within the
 * dictionary's min and max. */
void cell_range(const struct variable *variable, double *least, double *greatest);

/* What is needed to read the cells of one column. Zero-initialise; cell_reader_clear releases. */
struct cell_reader {
    const struct dictionary *dictionary; /* borrowed, with variable */
    const struct variable *variable;
    char decimal;          /* '.' or ',' */
    struct keymap *levels; /* CATEGORY: from text to code */
    double times;          /* a number is multiplied by it and rounded to the resolution; 0: as it is */
    double *missing;       /* numbers and days that mean missing, by value: 999, 999.0 and +999 are one */
    size_t n_missing;
};

enum maille_code cell_reader_init(struct cell_reader *reader, const struct dictionary *dictionary,
                                  const struct variable *variable, char decimal,
                                  struct maille_error *error) MAILLE_CHECKED;
void cell_reader_clear(struct cell_reader *reader);

/* Whether this text (spaces around it already removed) is one of the dictionary's texts for missing of every
 * variable. */
bool cell_is_missing(const struct dictionary *dictionary, const char *text, size_t length);

enum { CELL_SENTENCE_MAX = 512 };

/* Reads text (UTF-8, spaces around it removed). Where it does not fit: false, and sentence says what was
 * expected and what was found. */
bool cell_read(struct cell *cell, const struct cell_reader *reader, const char *text, size_t length,
               char sentence[CELL_SENTENCE_MAX]);

#endif
