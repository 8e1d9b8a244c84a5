/* The values that a variable of the dictionary can have, and what an expression makes of each: so that two
 * groupings of the same variable are seen to be unions of each other's levels. */
#ifndef DISCLOSURE_LATTICE_H
#define DISCLOSURE_LATTICE_H

#include "query/expression.h"

/* A number with more values than this stands for itself at the points where the expressions can change alone.
 */
enum { LATTICE_VALUES_MAX = 20000 };

struct lattice {
    size_t n;             /* values; value 0 is missing */
    const double *values; /* of a category or a boolean: its codes; values[0] has no meaning */
    bool complete;        /* these are all; else points between which no expression changes */
};

/* True where e reads exactly one variable (*variable) or none (*constant), no follow-up, and only operations
 * that lattice_code knows. */
bool lattice_reads(uint32_t *variable, bool *constant, const struct expression *e);

/* The values of a variable. e: n expressions that read it, for the points of a number with too many values.
 * In arena. */
void lattice_make(struct lattice *lattice, struct arena *arena, const struct variable *variable,
                  const struct expression *const *e, size_t n);

/* codes[i]: what e (BOOLEAN or CODE) is at value i; −1 where it is missing, or cannot be worked out (log of
 * 0). Of a NUMBER: 0 where it is present. As tally/ evaluates it. */
void lattice_code(int32_t *codes, const struct lattice *lattice, const struct expression *e);
/* The same of an expression over several variables: their values by their index in the dictionary, NaN where
 * missing. */
int32_t lattice_code_of(const struct expression *e, const double *variables);
/* numbers[i]: what e (a NUMBER) is at value i; NaN where it is missing or cannot be worked out. */
void lattice_number(double *numbers, const struct lattice *lattice, const struct expression *e);
/* False where e reads follow-up, or has an operation that is not known here. */
bool lattice_knows(const struct expression *e);

#endif
