/* Levels without an event, or with nothing else: their estimates are infinite, those of the others are
 * finite.
 *
 * As the estimate of level k runs to minus infinity its rows leave the likelihood, and what is maximised is
 * that of the others. So in the first step, from which the score test comes, every column is R's; then the
 * level's own column is held at -FIT_INFINITY, where its rows say no more. Where the level is the one that
 * others are compared with, it is held all the same, although R's design has no column of it: differences
 * from it are infinite, and one of the others, the base, stands in its place, so that the constant and the
 * other levels are compared with that one. They are not shown: R's are infinite. Where its factor interacts
 * with another, whatever is crossed with the base is held with it; a pair of levels, one of which is the
 * first of its factor, has a base of its own. */
#include "stats/fit.h"
#include "stats/wording.h"

bool fit_is_reference(const struct fit *fit, size_t j)
{
    return fit->state[j] == FIT_OTHERS_ABOVE || fit->state[j] == FIT_OTHERS_BELOW;
}

bool fit_is_infinite(const struct fit *fit, size_t j)
{
    return fit->state[j] == FIT_BELOW || fit->state[j] == FIT_ABOVE || fit->state[j] == FIT_BASE ||
           fit_is_reference(fit, j);
}

bool fit_is_free(const struct fit *fit, size_t j)
{
    return fit->state[j] == FIT_USED ||
           (fit_is_infinite(fit, j) && !fit_is_reference(fit, j) && fit->scalars[FIT_STEPS] == 0);
}

static uint64_t factors_of(const struct fit *fit, size_t j)
{
    const size_t term = fit->design->columns[j].formula_term;
    return j == 0 || term == SIZE_MAX ? 0 : fit->design->formula->terms[term].factors;
}

/* Is it the level that the others of its factor are compared with, which has no column in R's design? */
static bool is_first(const struct fit *fit, size_t factor, uint32_t level)
{
    const struct design *design = fit->design;
    for (size_t j = 1; j < design->n_columns; j++)
        if (!design->columns[j].numeric && design->columns[j].levels[factor] == level &&
            factors_of(fit, j) == UINT64_C(1) << factor)
            return (int)fit->state[j] == FIT_UNUSED || fit_is_reference(fit, j);
    return false;
}

/* Is R's coefficient of column j a difference from the rows of k, which is a reference? It is where each
 * level of k is its own, or the first, and a term has the factors of both. */
static bool is_difference(const struct fit *fit, size_t j, size_t k)
{
    const struct design *design = fit->design;
    const uint64_t both = factors_of(fit, j) | factors_of(fit, k);
    bool joined = j == 0;
    for (size_t t = 0; t < design->formula->n_terms && !joined; t++)
        joined = (both & ~design->formula->terms[t].factors) == 0;
    for (size_t f = 0; f < design->formula->n_factors && joined; f++) {
        const uint32_t level = design->columns[k].levels[f];
        joined = level == DESIGN_ABSENT || (j != 0 && design->columns[j].levels[f] == level) ||
                 is_first(fit, f, level);
    }
    return joined;
}

/* Is column j compared with a level without an event? */
static bool has_reference(const struct fit *fit, size_t j)
{
    for (size_t k = 1; k < fit->design->n_columns; k++)
        if (fit_is_reference(fit, k) && is_difference(fit, j, k))
            return true;
    return false;
}

bool fit_is_hidden(const struct fit *fit, size_t j)
{
    return fit_is_infinite(fit, j) || has_reference(fit, j);
}

/* Are all rows of column j rows of the indicator k? */
static bool is_within(const struct design *design, size_t j, size_t k)
{
    for (size_t f = 0; f < design->formula->n_factors; f++)
        if (design->columns[k].levels[f] != DESIGN_ABSENT &&
            design->columns[k].levels[f] != design->columns[j].levels[f])
            return false;
    return true;
}

/* Is column j of rows alone that an earlier level, or a larger one, takes out? */
static bool is_settled(const struct fit *fit, size_t j)
{
    const struct design *design = fit->design;
    for (size_t k = 1; k < design->n_columns; k++)
        if (k != j && fit_is_infinite(fit, k) && fit->state[k] != FIT_BASE && !design->columns[k].numeric &&
            is_within(design, j, k) && (design->columns[j].numeric || k < j || !is_within(design, k, j)))
            return true;
    return false;
}

double fit_held(const struct fit *fit, size_t j)
{
    if (fit->state[j] == FIT_BASE || is_settled(fit, j))
        return 0;
    return fit->state[j] == FIT_BELOW || fit->state[j] == FIT_OTHERS_ABOVE ? -FIT_INFINITY : FIT_INFINITY;
}

bool fit_stands_alone(const struct fit *fit, size_t j)
{
    const struct formula *formula = fit->design->formula;
    const uint64_t factors = factors_of(fit, j);
    for (size_t t = 0; t < formula->n_terms; t++)
        if (t != fit->design->columns[j].formula_term && (formula->terms[t].factors & factors) != 0)
            return false;
    return (factors & (factors - 1)) == 0 && (fit->centred || fit->design->intercept);
}

static bool has_term(const struct formula *formula, uint64_t factors)
{
    for (size_t t = 0; t < formula->n_terms; t++)
        if (formula->terms[t].factors == factors)
            return true;
    return false;
}

/* The factor of j whose level is the first, where j has one such factor; SIZE_MAX: it has none, or two. */
static size_t first_factor(const struct fit *fit, size_t j)
{
    const struct design *design = fit->design;
    size_t found = SIZE_MAX;
    for (size_t f = 0; f < design->formula->n_factors; f++) {
        const uint32_t level = design->columns[j].levels[f];
        /* j itself is no reference yet: it has no column in R's design */
        if (level == DESIGN_ABSENT || !(is_first(fit, f, level) || factors_of(fit, j) == UINT64_C(1) << f))
            continue;
        if (found != SIZE_MAX)
            return SIZE_MAX;
        found = f;
    }
    return found;
}

/* Can the others do without the rows of j, which they are compared with? A level can, where a constant is
 * there for the base to stand in the place of; so can a pair of levels, one of them the first, where both
 * factors stand alone too. No more than two factors interact. */
static bool can_do_without(const struct fit *fit, size_t j)
{
    const struct formula *formula = fit->design->formula;
    const uint64_t factors = factors_of(fit, j), less = factors & (factors - 1);
    if (fit_stands_alone(fit, j))
        return true;
    if (first_factor(fit, j) == SIZE_MAX || (less & (less - 1)) != 0 ||
        !(fit->centred || fit->design->intercept))
        return false;
    for (size_t t = 0; t < formula->n_terms; t++) {
        const uint64_t of = formula->terms[t].factors, more = of & (of - 1);
        if (fit->design->full[t] != 0 && (of & factors) != 0)
            return false;
        if ((of & factors) == factors && (more & (more - 1)) != 0)
            return false;
        if ((of & factors) != 0 && more != 0 && !(has_term(formula, more) && has_term(formula, of ^ more)))
            return false;
    }
    return true;
}

/* The first level with and without events that is compared with j, of the same levels but for factor f;
 * SIZE_MAX: there is none. */
static size_t choose_base(const struct fit *fit, size_t j, size_t f)
{
    const struct design *design = fit->design;
    for (size_t k = 1; k < design->n_columns; k++) {
        bool same =
            fit->state[k] == FIT_USED && design->columns[k].formula_term == design->columns[j].formula_term;
        for (size_t g = 0; g < design->formula->n_factors && same; g++)
            same = g == f || design->columns[k].levels[g] == design->columns[j].levels[g];
        if (same)
            return k;
    }
    return SIZE_MAX;
}

/* The base stands in the place of j: of a level, with all that it is crossed with. */
static void take_base(struct fit *fit, size_t j, size_t base, size_t f)
{
    const struct design *design = fit->design;
    const uint64_t factors = factors_of(fit, j);
    fit->state[base] = FIT_BASE;
    for (size_t k = 1; k < design->n_columns && (factors & (factors - 1)) == 0; k++)
        if (fit->state[k] == FIT_USED && design->columns[k].levels[f] == design->columns[base].levels[f])
            fit->state[k] = FIT_BASE;
}

static enum maille_code fail_level(bool none, const char *what, const char *label, struct maille_error *error)
{
    return maille_fail(error, MAILLE_FAILED,
                       "expected patients with and without %s in every level that others are compared "
                       "with, found %s of the rows with %s: merge the level with another, take it "
                       "out, or name another reference with relevel()",
                       what, none ? "none" : "all", label);
}

static enum maille_code take_bases(struct fit *fit, const char *what, struct outcome *outcome,
                                   struct maille_error *error)
{
    for (size_t j = 1; j < fit->design->n_columns; j++) {
        const char *label = fit->design->columns[j].label;
        const bool none = fit->state[j] == FIT_OTHERS_ABOVE;
        if (!fit_is_reference(fit, j))
            continue;
        const size_t f = first_factor(fit, j), base = f == SIZE_MAX ? f : choose_base(fit, j, f);
        if (base == SIZE_MAX)
            return fail_level(none, what, label, error);
        take_base(fit, j, base, f);
        wording_warn(
            outcome,
            "%s of the rows with %s, which the other levels are compared with, has %s: their "
            "estimates%s are infinite and not shown; the others are what R's tend to, which prints "
            "large numbers with larger errors for them; relevel() names another level to compare with",
            none ? "none" : "each", label, what,
            !fit->centred && is_difference(fit, 0, j) ? ", and the constant," : "");
    }
    return MAILLE_OK;
}

enum maille_code fit_check_levels(struct fit *fit, const double *events, bool both, const char *what,
                                  struct outcome *outcome, struct maille_error *error)
{
    const struct design *design = fit->design;
    for (size_t j = 1; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (column->numeric || column->formula_term == SIZE_MAX || fit->sum[j] <= 0)
            continue;
        const bool none = events[j] <= 0, all = both && events[j] >= fit->sum[j],
                   is_used = fit->state[j] == FIT_USED;
        if ((!none && !all) || is_settled(fit, j))
            continue;
        if (!is_used && !can_do_without(fit, j))
            return fail_level(none, what, column->label, error);
        if (!is_used) {
            fit->state[j] = none ? FIT_OTHERS_ABOVE : FIT_OTHERS_BELOW;
            continue;
        }
        fit->state[j] = none ? FIT_BELOW : FIT_ABOVE;
        if (!has_reference(fit, j))
            wording_warn(
                outcome,
                "%s of the rows with %s has %s: its estimate is %s infinity and is not shown; the "
                "others are what R's tend to, which prints a large number with a larger error for it",
                none ? "none" : "each", column->label, what, none ? "minus" : "plus");
    }
    /* What else is of these rows alone says nothing, but is a parameter of R's. */
    for (size_t j = 1; j < design->n_columns; j++)
        if (fit->state[j] == FIT_USED && is_settled(fit, j))
            fit->state[j] = FIT_BELOW;
    return take_bases(fit, what, outcome, error);
}

size_t fit_infinite(const struct fit *fit)
{
    size_t n = 0;
    for (size_t j = 0; j < fit->design->n_columns; j++)
        n += fit_is_infinite(fit, j) && !fit_is_reference(fit, j);
    return n;
}
