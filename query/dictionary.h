/* The data dictionary: the public facts of a network's variables (docs/STUDY.md §1). */
#ifndef QUERY_DICTIONARY_H
#define QUERY_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum variable_type {
    VARIABLE_INTEGER,
    VARIABLE_REAL,
    VARIABLE_CATEGORY,
    VARIABLE_BOOLEAN,
    VARIABLE_DURATION,
    VARIABLE_DATE /* days since 1970-01-01 */
};

enum variable_role { ROLE_NONE, ROLE_IDENTIFIER, ROLE_DATE, ROLE_QUASI };

enum {
    DICTIONARY_VARIABLES_MAX = 4096,
    DICTIONARY_LEVELS_MAX = 4096,
    DICTIONARY_NAME_MAX = 64,
    DICTIONARY_MISSING_MAX = 64,
    DICTIONARY_PATTERN_MAX = 200
};

enum dictionary_rows { ROWS_UNSAID, ROWS_ONE, ROWS_SEVERAL };

struct variable {
    const char *name;  /* [A-Za-z][A-Za-z0-9_.]* */
    const char *label; /* for people; the name when absent */
    const char *units; /* "" when absent */
    enum variable_type type;
    enum variable_role role;
    double min, max;   /* inclusive; numbers, durations, dates (days) */
    double resolution; /* > 0; every value is a multiple of it (from 0) */
    /* The resolution as a fraction of whole numbers, lowest terms (0.05: 1/20), so that k of its steps are
     * the decimal k·numerator/denominator, correctly rounded; where it is no decimal of 15 places the
     * resolution itself over 1. */
    double numerator, denominator;
    const char **levels; /* CATEGORY: in order, the first is the reference. BOOLEAN: {"FALSE", "TRUE"} */
    size_t n_levels;
    const char **labels; /* of each level, for people; NULL: the levels' own names */
    const double *cuts;  /* cut points that clinicians use, ascending (disclosure/gate_cuts.h). NULL: none */
    size_t n_cuts;
    const char **missing; /* texts that mean missing here, beside the dictionary's */
    size_t n_missing;
    bool constant;   /* equal in all rows of a patient where it is present */
    double complete; /* least share of rows with a value; 0: none is asked for */
    int line;        /* where it stands in the file */
};

/* Dates of a patient that never go back: indexes of variables, none of which is before an earlier one of the
 * list. Import holds every row to it. */
struct date_order {
    const uint32_t *variables;
    size_t n;
};

/* What nobody can be: in one of the marked levels of each of these categories and booleans. Import holds
 * every row to it, so that nobody there is no news (docs/DISCLOSURE.md §4). */
struct impossible {
    struct impossible_part {
        uint32_t variable;
        const bool *levels; /* [n_levels] */
    } * parts;
    size_t n;
};

struct dictionary {
    const char *name;
    int64_t version;
    const char *key;      /* the pseudonym's column; it is not among the variables */
    const char **missing; /* texts that mean missing, of every variable */
    size_t n_missing;
    enum dictionary_rows rows; /* of a patient */
    bool identical_rows;       /* may be */
    const char
        *key_pattern; /* an extended regular expression that a pseudonym matches as a whole; NULL: any */
    const char
        *tables; /* hash of the rules by which imports derive variables, in hexadecimal; NULL: unsaid */
    const struct variable *variables; /* in file order; an index into it names a variable everywhere */
    size_t n_variables;
    const struct date_order *orders;
    size_t n_orders;
    const struct impossible *impossible;
    size_t n_impossible;
    const char *text; /* the file as it was read */
    size_t text_length;
};

/* Further cut points of a variable, from elsewhere than its dictionary. */
struct variable_cuts {
    const char *name;
    const double *cuts;
    size_t n;
};

/* Parses a dictionary; everything lives in arena. name stands for the file in errors (file:line:column). */
enum maille_code dictionary_parse(const struct dictionary **dictionary, struct arena *arena, const char *name,
                                  const char *text, size_t length, struct maille_error *error) MAILLE_CHECKED;

/* Index of a variable, or -1. */
int dictionary_find(const struct dictionary *dictionary, const char *name);

/* Is variable `to` never before `from`, by an order of the dictionary? */
bool dictionary_ordered(const struct dictionary *dictionary, uint32_t from, uint32_t to);

/* k steps of a number's resolution as the number that a file would say: one correctly rounded division. */
double dictionary_value(const struct variable *variable, double steps);

/* The least and the greatest number of steps that lies within min and max. */
void dictionary_steps(const struct variable *variable, double *least, double *greatest);

/* [A-Za-z][A-Za-z0-9_.]* of at most DICTIONARY_NAME_MAX bytes; and whether it is a word of the query language
 * or `site`, which no variable and no derived variable may be called. */
bool dictionary_name_legal(const char *name);
bool dictionary_name_reserved(const char *name);

/* The name in names that is nearest to what was written (edit distance ≤ 2, or ≤ a third), or NULL: for "did
 * you mean". */
const char *dictionary_nearest_name(const char *written, const char *const *names, size_t n);

const char *variable_type_name(enum variable_type type); /* "integer" … */
const char *variable_role_name(enum variable_role role); /* "none" … */

/* numerator and denominator of the resolution. */
void variable_set_fraction(struct variable *v);

/* Days in one unit of a duration's units ("days" 1, "weeks" 7, "months" 30.4375, "years" 365.25), or 0 when
 * unknown. */
double dictionary_unit_days(const char *units);

#endif
