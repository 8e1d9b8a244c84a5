/* The keys of the dictionary and study languages: one table each, which the parser takes its keys from and
 * the schema (query/schema.h) its sentences. What a method adds is the method's own (struct query_key). */
#ifndef QUERY_LANGUAGE_H
#define QUERY_LANGUAGE_H

#include "query/study.h"

enum language_kind {
    LANGUAGE_TEXT,       /* a scalar; pattern, most: characters */
    LANGUAGE_CHOICE,     /* one of choices */
    LANGUAGE_WHOLE,      /* a whole number in [min, max] */
    LANGUAGE_NUMBER,     /* in [min, max] */
    LANGUAGE_BETWEEN,    /* a number in (min, max) */
    LANGUAGE_FLAG,       /* true, false */
    LANGUAGE_DATE,       /* YYYY-MM-DD */
    LANGUAGE_BOUND,      /* a number, or a date */
    LANGUAGE_BOUNDS,     /* a list of them, least to most */
    LANGUAGE_TEXTS,      /* a list of texts, least to most */
    LANGUAGE_EXPRESSION, /* text in the language of expressions */
    LANGUAGE_FORMULA,    /* text in the language of formulas */
    LANGUAGE_OWN         /* a form of its own: schema.c names it like the key */
};

struct language_key {
    const char *name;
    enum language_kind kind;
    bool required;
    double min, max;
    size_t least, most;                  /* lists: how many; TEXT: most characters (0: no limit of its own) */
    const char *pattern;                 /* ECMA-262, as JSON Schema wants it */
    const char *choices;                 /* "a|b|c"; NULL: choice() */
    const char *(*choice)(size_t index); /* NULL from the last on */
    const char *sentence;
};

enum { STUDY_TEXT_MAX = 500, STUDY_SITES_MAX = 1000, STUDY_DERIVED_MAX = 512, ANALYSIS_ID_MAX = 40 };

/* Tables; the last row's name is NULL. */
extern const struct language_key language_study[], language_analysis[], language_propensity[],
    language_dictionary[], language_variable[];

/* The names of a table, NULL-terminated, in the arena: for yaml_only_keys. */
const char *const *language_names(struct arena *arena, const struct language_key *table);

#endif
