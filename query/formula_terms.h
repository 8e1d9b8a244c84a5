/* Private to query/: the algebra of R's terms.formula(). */
#ifndef QUERY_FORMULA_TERMS_H
#define QUERY_FORMULA_TERMS_H

#include "query/formula.h"
#include "query/syntax.h"

/* One formula while it is read. */
struct formula_reading {
    struct arena *arena;
    const struct expression_scope *scope;
    struct maille_error *error;
    struct formula *formula;
};

/* Terms of the right-hand side into formula->terms, formula->intercept; factors, offset, strata and cluster
 * through formula_factor_of, in the order in which they are written. */
enum maille_code formula_terms(struct formula_reading *, const struct syntax *right) MAILLE_CHECKED;

/* The index of what is written as a factor of the model frame (typed and added when it is new), or −1 when it
 * is one of the specials offset(), strata(), cluster(), which are noted in the formula and are no terms. */
enum maille_code formula_factor_of(struct formula_reading *, const struct syntax *,
                                   int *index) MAILLE_CHECKED;

/* formula_spline.c: the columns of ns(x, knots = c(…), Boundary.knots = c(lo, hi)) into factor->basis, x into
 * factor->expression. */
enum maille_code formula_spline(struct formula_reading *, struct formula_factor *factor,
                                const struct syntax *) MAILLE_CHECKED;

bool formula_is_special(const struct syntax *); /* offset(), strata(), cluster() */

#endif
