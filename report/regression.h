/* The coefficients of a model as rows for reading: a factor's heading, its reference level, its levels. */
#ifndef REPORT_REGRESSION_H
#define REPORT_REGRESSION_H

#include "report/labels.h"

struct regression_row {
    const char *words;      /* of the factor, or of the level */
    bool heading, indented; /* a heading has no numbers, but maybe the p of a test of what is below it */
    bool part;              /* a heading of several groups of rows */
    bool reference;
    bool intercept;
    int64_t n, n_event; /* −1: not known */
    double estimate, low, high,
        p_value; /* on the scale that is read: a ratio where the model has one; NaN: none */
};

struct regression {
    const char *measure; /* "Hazard ratio", "Odds ratio", "Rate ratio", "Coefficient", "Subdistribution hazard
                            ratio" */
    const char *abbreviation; /* "HR" … */
    bool is_ratio;            /* read on a log scale; 1 means no difference */
    bool has_n, has_event;
    double level;        /* of the limits: 0.95 */
    const char *p_words; /* what the p-values are: "p", "Interaction p" */
    const char *of;      /* subgroups: the effect whose rows these are, "Chemotherapy: Yes" */
    struct regression_row *rows;
    size_t n;
};

/* NULL when the analysis is not a model with terms (or a meta-analysis of one) that came out. Lives in arena.
 */
const struct regression *regression_of(const struct report *report, const struct report_analysis *analysis,
                                       struct arena *arena);

/* subgroups.c: of an entry with the key `subgroups`, the effect of its first term in all patients and in each
 * level of each variable; a variable's heading has the p of its interaction. NULL: it has no such key, or
 * none of the analyses that it added came out. */
const struct regression *subgroups_of(const struct report *report, const struct report_analysis *entry,
                                      struct arena *arena);

/* Is this one of the analyses that an entry with subgroups_of added? */
bool subgroups_shown_elsewhere(const struct report *report, const struct report_analysis *analysis,
                               struct arena *arena);

/* contrasts.c: the differences between the means of a g-formula, a level of its treatment a row, below the
 * level that they are compared with. NULL where the analysis has none. */
const struct regression *contrasts_of(const struct report *report, const struct report_analysis *analysis,
                                      struct arena *arena);

/* An empty one, with measure and level of a model that came out; a heading, with the p of a test of what is
 * below it or NaN; and one row of an object with estimate and limits. */
struct regression *regression_begin(const struct report_analysis *analysis, struct arena *arena);
struct regression_row regression_heading(const char *words, double p_value);
struct regression_row regression_row_of(const struct regression *regression, const struct result *term);

enum { REGRESSION_WORDS = 64 };
/* "1.43 (1.20–1.71)". */
const char *regression_words(char buffer[REGRESSION_WORDS], const struct regression_row *row);
/* "<0.001", "0.045"; "" without one. */
const char *regression_p(char buffer[REGRESSION_WORDS], double p_value);

#endif
