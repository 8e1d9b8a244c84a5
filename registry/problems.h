/* What is wrong or odd in a site's file, grouped: equal sentences of one column are one problem with a count.
 */
#ifndef REGISTRY_PROBLEMS_H
#define REGISTRY_PROBLEMS_H

#include "base/arena.h"

enum problem_level {
    PROBLEM_ERROR,    /* nothing is written */
    PROBLEM_QUESTION, /* somebody must look: written with --yes alone */
    PROBLEM_NOTE      /* what was taken for granted */
};

/* Shown to the site's own staff on their own machine; goes nowhere else. */
struct import_problem {
    enum problem_level level;
    size_t line;        /* the first, in the file */
    size_t count;       /* lines */
    const char *column; /* name in the dictionary or the header; "" where the whole record or file is meant */
    size_t field;       /* which column of the file, from 1; 0: none */
    char sentence[256]; /* "expected an integer from 0 to 120 years, found \"abc\"" */
};

struct problems; /* opaque */

/* At most groups_max are kept apart; all are counted. NULL when there is no memory. */
struct problems *problems_new(struct arena *arena, size_t groups_max) MAILLE_CHECKED;
void problems_free(struct problems *problems); /* NULL is legal */

/* One more line, or `count` of them. column lives as long as the arena. */
void problems_add(struct problems *problems, enum problem_level level, size_t line, size_t count,
                  const char *column, size_t field, const char *format, ...) MAILLE_PRINTF(7, 8);

/* Lines so far of a level, of which other groups than those kept have `unlisted`. */
size_t problems_count(const struct problems *problems, enum problem_level level);
size_t problems_unlisted(const struct problems *problems);

/* The groups, in the arena: errors first, then by column of the file, then as they came. */
const struct import_problem *problems_list(size_t *n, struct problems *problems);

#endif
