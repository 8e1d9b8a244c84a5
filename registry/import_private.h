/* Private to import: what its files share. */
#ifndef REGISTRY_IMPORT_PRIVATE_H
#define REGISTRY_IMPORT_PRIVATE_H

#include <regex.h>

#include "registry/cell.h"
#include "registry/derive.h"
#include "registry/import.h"
#include "registry/keymap.h"
#include "registry/mapping.h"
#include "registry/table.h"

/* Numbers of one column that end in a mark and three digits: 1,500 may be 1.5 or 1500. */
struct thousands {
    size_t with_mark, of_three;
    size_t line; /* of the first of three */
    char first[24];
};

/* All that is at hand while a file is read. */
struct import {
    const struct dictionary *dictionary;
    const struct import_options *options;
    const char *path;
    char separator, decimal; /* that were said, by options or mapping; 0: neither */
    int rows;                /* in memory, of a route; −1: a file */
    size_t skip;             /* lines before the header */
    struct import_report *report;
    struct problems *problems;
    struct csv *csv;
    struct cell_reader *readers; /* one per variable */
    const char **wanted;         /* per variable, the key last: what its column is called in the file */
    const struct mapping_column **mapped; /* likewise: its row of the mapping; NULL without one */
    size_t *field;                        /* per variable: which field of a record; SIZE_MAX when absent */
    struct thousands *thousands;          /* one per variable */
    size_t key_field, n_fields, header_line;
    const char *const *names; /* of the header */
    regex_t pattern;          /* of the key, where the dictionary has one */
    bool has_pattern;
    struct cell *cells;
    struct columns *table;
    struct keymap *keys;
    size_t *lines; /* per row of the table, before it is grouped: its line */
    size_t lines_room;
};

/* import_header.c: separator, header and decimal mark; then the file stands on its first record. The key
 * column may be absent (key_field SIZE_MAX): nothing more can be read then. */
enum maille_code import_header(struct import *import, struct maille_error *error) MAILLE_CHECKED;

/* import_records.c: every record into the table, and what is wrong with it, or odd, into the problems.
 * readers, table and keys are there. MAILLE_INVALID: the file changed while it was read. */
enum maille_code import_records(struct import *import, struct maille_error *error) MAILLE_CHECKED;

/* import_rows.c: what rows of one patient owe each other and pseudonyms each other, once all are read and
 * the table is grouped. */
enum maille_code import_check_rows(struct import *import, struct maille_error *error) MAILLE_CHECKED;

#endif
