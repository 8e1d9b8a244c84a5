/* The model matrix of a formula, as sites tally it and as R names it.
 *
 * A site cannot know which levels occur in the network, so what is tallied is the over-parameterised design:
 * the constant, every level of every factor (every combination for an interaction) as an indicator, every
 * number scaled to t = (x − m)/h with public m and h (docs/decisions/0002-exact-sums.md, rule 3), and t times
 * each indicator where a number meets a factor. R's design is a subset of these columns, each column of R
 * being
 *
 *     x = half·(its tallied column) + middle·(the indicator of the same levels),
 *
 * so the analyst, who learns from the first totals which levels somebody has, chooses reference levels and
 * contrasts afterwards and no round is lost. The rules of coding are those of R's model.matrix (Chambers and
 * Hastie, Statistical Models in S, 1992, §2.4.1; R's TermCode in src/library/stats/src/model.c). */
#ifndef STATS_DESIGN_H
#define STATS_DESIGN_H

#include "query/formula.h"
#include "stats/result.h"

/* Below TALLY_TERMS_MAX, so that a method can add a few columns of its own. */
enum { DESIGN_COLUMNS_MAX = 480 };
#define DESIGN_ABSENT UINT32_MAX

struct design_column {
    const struct expression *term; /* what is tallied: NUMBER in [−1, 1] */
    const char *label;             /* R's name: `(Intercept)`, `size20-50`, `age:size>50` */
    double middle, half;           /* see above; 0 and 1 for an indicator */
    size_t base;         /* the column that is the indicator of the same levels; itself when it is one */
    size_t formula_term; /* index in formula->terms; SIZE_MAX: the constant, or a base that no term names */
    const uint32_t *levels; /* of each factor of the formula; DESIGN_ABSENT where it is not in this column */
    const size_t *basis;    /* of each factor of the formula: which of its basis columns; 0 elsewhere */
    bool numeric;           /* a number stands in it: it has no patients of its own */
};

/* Columns that enter the linear predictor together: number × table[code]. */
struct design_piece {
    const struct expression *number; /* scaled; NULL: 1 */
    const struct expression *raw;    /* before it was scaled */
    const struct expression *code;   /* NULL: one column */
    const size_t *columns;           /* column of each level of code; one entry without */
    size_t n_levels;
};

struct design {
    const struct formula *formula;
    bool narrowed;  /* by design_narrow */
    bool intercept; /* R's design has one: the constant counts */
    struct design_column *columns;
    size_t n_columns; /* column 0 is the constant */
    struct design_piece *pieces;
    size_t n_pieces;
    /* Per factor of the formula; n_levels 0 for a number. */
    struct {
        const struct expression *code;
        uint32_t n_levels;
    } factors[FORMULA_FACTORS_MAX];
    uint64_t
        full[FORMULA_TERMS_MAX]; /* factors that a term codes by all their levels rather than by contrasts */
    size_t n_parameters;         /* columns of R's design when every level occurs */
};

/* Builds the design of a formula; all in arena. intercept: R's design has the constant (Cox: true, then drops
 * it). Errors: MAILLE_FAILED for an expression without bounds, a factor that is no category, or more than
 * DESIGN_COLUMNS_MAX columns. */
enum maille_code design_build(const struct design **design, struct arena *arena,
                              const struct formula *formula, bool intercept,
                              struct maille_error *error) MAILLE_CHECKED;

/* The same model with other bounds for its numbers: middle and half of every column of which half[j] is above
 * 0, the same for all columns of a piece. A value beyond them is cut off: nobody of the model may have one.
 * n_columns each. Lives in arena. */
const struct design *design_narrow(struct arena *arena, const struct design *design, const double *middle,
                                   const double *half);

/* Is the column made of an orthogonal polynomial? */
bool design_is_orthogonal(const struct design *design, size_t j);

/* Σ_j gamma[j]·column_j + offset (may be NULL) − shift as an OP_LINEAR over the pieces in model order. gamma:
 * n_columns numbers. Levels of a factor come in by a lookup, so the interval is the range over levels, not
 * the sum; the terms of one variable are bounded together. */
const struct expression *design_predictor(const struct design *design, struct arena *arena,
                                          const double *gamma, const struct expression *offset, double shift);

/* Which columns R's design has, once it is known who has what. counts: rows per column (of indicators; others
 * are not read). used: n_columns, filled. Appends the levels that nobody has to `dropped` ("size=>50"; NULL:
 * not wanted). MAILLE_FAILED when a factor is left with one level (R's "contrasts can be applied only to
 * factors with 2 or more levels"). */
enum maille_code design_used(const struct design *design, const double *counts, bool *used,
                             struct result *dropped, struct maille_error *error) MAILLE_CHECKED;

/* --- design_set.c: everybody in one level of a factor --- */

#define DESIGN_NO_FACTOR SIZE_MAX
/* The factor of this name that can be set: a category or boolean of two levels or more that is itself a term.
 * DESIGN_NO_FACTOR: there is none. */
size_t design_set_factor(const struct design *design, const char *name);

/* γ with which everybody is in this level of the factor: n_columns numbers, in arena. */
const double *design_set_gamma(const struct design *design, const double *gamma, size_t factor, size_t level,
                               struct arena *arena);

/* Column j where everybody is in this level; NULL: 0. Lives in arena. */
const struct expression *design_set_column(const struct design *design, size_t j, size_t factor, size_t level,
                                           struct arena *arena);

/* The column that is the indicator of this level of a factor that can be set. */
size_t design_set_column_of(const struct design *design, size_t factor, size_t level);

/* Has anybody this level? counts: rows per column. */
bool design_set_used(const struct design *design, const double *counts, size_t factor, size_t level);

/* A column of this level that nobody is in, although somebody is in it but for his level: how he would be
 * there nobody can say. n_columns: there is none. */
size_t design_set_empty(const struct design *design, const double *counts, size_t factor, size_t level);

#endif
