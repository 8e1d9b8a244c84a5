/* R's model formulas over a dictionary: terms in R's order, under R's names. */
#ifndef QUERY_FORMULA_H
#define QUERY_FORMULA_H

#include "query/expression.h"

enum { FORMULA_FACTORS_MAX = 64, FORMULA_TERMS_MAX = 256, FORMULA_DF_MAX = 10 };

/* One "variable" of the model frame, e.g. age, size, log(nodes + 1), cut(nodes, c(1, 4, 10), right = FALSE),
 * I(age^2). */
struct formula_factor {
    const char *label;                   /* as R deparses it: `log(nodes + 1)` */
    const struct expression *expression; /* NUMBER, BOOLEAN or CODE */
    /* Basis columns instead of one number (ns()): n_basis > 0 and their expressions, labels label1, label2 …;
     * `expression` is then x itself, for completeness. */
    const struct expression *const *basis;
    size_t n_basis;
    bool open_knots; /* ns(x, df = n): the basis is that of knots evenly over x's bounds, until
                        formula_with_knots */
    /* poly(x, k): the basis is u, u² … of u = x scaled to [−1, 1], and R's columns are the orthogonal
     * polynomials that these make over the rows of the model (stats/fit_poly.c). */
    bool orthogonal;
};

/* One term: the set of factors whose interaction it is, bit i for factors[i]; R's order (by order of
 * interaction, then as written). */
struct formula_term {
    uint64_t factors;
    const char *label; /* "age:size" */
};

enum formula_response { RESPONSE_NONE, RESPONSE_EXPRESSION, RESPONSE_SURVIVAL };

struct formula {
    const char *text; /* as written */
    enum formula_response kind;
    const char *response_label;
    const struct expression *response; /* RESPONSE_EXPRESSION */
    /* RESPONSE_SURVIVAL: Surv(time, event) or Surv(start, stop, event) */
    const struct expression *start; /* NULL without delayed entry */
    const struct expression *stop;
    const struct expression *written; /* stop as it was written: before a landmark was taken off */
    const struct expression *event;   /* BOOLEAN; or CODE whose first level is censoring (cuminc, finegray) */
    const char *units;                /* of the time variable, "" when unknown */
    bool intercept;
    struct formula_factor factors[FORMULA_FACTORS_MAX];
    size_t n_factors;
    struct formula_term terms[FORMULA_TERMS_MAX];
    size_t n_terms;
    const struct expression *offset; /* NULL, or the sum of offset() */
    /* strata(): each argument a CODE with a label; crossed in this order */
    struct formula_factor strata[8];
    size_t n_strata;
    bool strata_site;              /* strata(site) */
    struct formula_factor cluster; /* cluster(v); expression NULL without */
    bool has_cluster, cluster_site, cluster_patient;
};

/* Parses and types a formula. Errors: MAILLE_INVALID with file:line:column. `site` outside strata() and
 * cluster() is refused with that sentence. */
enum maille_code formula_parse(const struct formula **, struct arena *, const struct expression_scope *,
                               const char *text, struct maille_error *) MAILLE_CHECKED;

/* The factor whose knots come from the data: ns(x, df = k). NULL: there is none. There is one at most. */
const struct formula_factor *formula_open_knots(const struct formula *);
/* The formula with these knots: low, n_basis − 1 ascending inner ones, high. Lives in arena. */
const struct formula *formula_with_knots(const struct formula *, struct arena *, const double *knots);

/* Marks the variables of response, terms, offset, strata and cluster. */
void formula_variables(const struct formula *, bool *used);

/* All expressions that must be present for a row to count: response parts, factors, strata, offset, cluster.
 * Returns their number; list has room for FORMULA_FACTORS_MAX + 16. */
size_t formula_expressions(const struct formula *, const struct expression **list);

/* Units of a sum, a difference, the least or the greatest of variables of one unit; "" when they differ or
 * something else is done to them. */
const char *formula_units(const struct expression *, const struct dictionary *);

#endif
