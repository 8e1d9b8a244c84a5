/* The coefficients of a model as rows for reading: a factor's heading, its reference level, its levels. */
#ifndef REPORT_REGRESSION_H
#define REPORT_REGRESSION_H

#include "report/labels.h"

struct regression_row {
    const char *words;      /* of the factor, or of the level */
    bool heading, indented; /* a heading has no numbers */
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
    double level; /* of the limits: 0.95 */
    struct regression_row *rows;
    size_t n;
};

/* NULL when the analysis is not a model with terms (or a meta-analysis of one) that came out. Lives in arena.
 */
const struct regression *regression_of(const struct report *report, const struct report_analysis *analysis,
                                       struct arena *arena);

enum { REGRESSION_WORDS = 64 };
/* "1.43 (1.20–1.71)". */
const char *regression_words(char buffer[REGRESSION_WORDS], const struct regression_row *row);
/* "<0.001", "0.045"; "" without one. */
const char *regression_p(char buffer[REGRESSION_WORDS], double p_value);

#endif
