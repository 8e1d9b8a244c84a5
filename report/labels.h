/* The dictionary's words for what a result names: variables, levels, terms, strata. */
#ifndef REPORT_LABELS_H
#define REPORT_LABELS_H

#include "report/report.h"

struct labels {
    const struct result *variables; /* of the dictionary; NULL in files of older programs */
    const struct result *derive;
    struct arena *arena; /* of everything that is returned */
};

struct labels labels_of(const struct report *report, struct arena *arena);

/* "Age at surgery"; a name without a label is its own. */
const char *labels_variable(const struct labels *labels, const char *name);
/* "Age at surgery (years)". */
const char *labels_with_units(const struct labels *labels, const char *name);
/* "older: age >= 50", of a derived condition; "Chemotherapy". */
const char *labels_condition(const struct labels *labels, const char *name);
/* "days", or NULL. */
const char *labels_units(const struct labels *labels, const char *name);
/* A level for reading: the dictionary's own label; else "FALSE" → "No", "<=20" → "≤20", "[1,4)" → "1 to <4",
 * "[10, Inf)" → "≥10". name: its variable or derived variable, or NULL. */
const char *labels_level(const struct labels *labels, const char *name, const char *level);
/* The same for a factor of a formula, which may be a call: relevel(stage, ref = "II"). */
const char *labels_factor_level(const struct labels *labels, const struct result *frame, const char *name,
                                const char *level);
/* A level of the status of competing risks. */
const char *labels_cause(const struct labels *labels, const struct result *frame, const char *cause);
/* The levels of a variable or derived variable: a list, or NULL. */
const struct result *labels_levels(const struct labels *labels, const char *name);

/* "chemo=TRUE, size=>50" → "Chemotherapy: Yes, Tumour size (mm): >50"; one factor alone whose label is long,
 * and "all", are said shortly. frame: whose factors it may name, or NULL. */
const char *labels_stratum(const struct labels *labels, const struct result *frame, const char *stratum);

/* What a note names, in words: labels_dropped, cells_term. */
typedef const char *labels_words(const struct labels *labels, const struct result *frame, const char *text);

/* A level that nobody has: "size=>50" → "Tumour size (mm): >50". */
labels_words labels_dropped;

/* by "size,chemo" and level ">50,TRUE" → the levels in words, joined. */
const char *labels_by(const struct labels *labels, const char *by, const char *level);

/* One coefficient's name, taken apart. */
struct labels_term {
    const char *factor; /* as R names it; NULL: none of the frame's (an interaction, an intercept) */
    const char *words;  /* of the factor, or of the whole term */
    const char *level;  /* in words; NULL: a number, or all of a factor */
    const char *raw_level;
};
struct labels_term labels_term(const struct labels *labels, const struct result *frame, const char *term);

#endif
