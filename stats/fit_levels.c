/* Levels without an event, or with nothing else: their estimates are infinite, those of the others are
 * finite.
 *
 * As the estimate of level k runs to minus infinity its rows leave the likelihood, and what is maximised is
 * that of the others. So in the first step, from which the score test comes, every column is R's; then the
 * level's own column is held at -FIT_INFINITY, where its rows say no more. Where the level is the one that
 * others are compared with, it is held all the same, although R's design has no column of it: differences
 * from it are infinite, and one of the others, the base, stands in its place, so that the constant and the
 * other levels are compared with that one. They are not shown: R's are infinite. */
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

/* The level without an event that column j is compared with; SIZE_MAX: there is none. */
static size_t reference_of(const struct fit *fit, size_t j)
{
    const struct design *design = fit->design;
    for (size_t k = 1; k < design->n_columns; k++)
        if (fit_is_reference(fit, k) &&
            (j == 0 || design->columns[k].formula_term == design->columns[j].formula_term))
            return k;
    return SIZE_MAX;
}

bool fit_is_hidden(const struct fit *fit, size_t j)
{
    return fit_is_infinite(fit, j) || reference_of(fit, j) != SIZE_MAX;
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

/* Can the others do without the level j, which they are compared with? Its factor stands in no interaction,
 * and there is a constant that the base can take the place of. */
static bool stands_alone(const struct fit *fit, size_t j)
{
    const struct formula *formula = fit->design->formula;
    const uint64_t factors = formula->terms[fit->design->columns[j].formula_term].factors;
    for (size_t t = 0; t < formula->n_terms; t++)
        if (t != fit->design->columns[j].formula_term && (formula->terms[t].factors & factors) != 0)
            return false;
    return (factors & (factors - 1)) == 0 && (fit->centred || fit->design->intercept);
}

/* The first level with and without events that is compared with j; SIZE_MAX: there is none. */
static size_t choose_base(const struct fit *fit, size_t j)
{
    for (size_t k = 1; k < fit->design->n_columns; k++)
        if (fit->state[k] == FIT_USED &&
            fit->design->columns[k].formula_term == fit->design->columns[j].formula_term)
            return k;
    return SIZE_MAX;
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
        const size_t base = choose_base(fit, j);
        if (base == SIZE_MAX)
            return fail_level(none, what, label, error);
        fit->state[base] = FIT_BASE;
        wording_warn(
            outcome,
            "%s of the rows with %s, which the other levels are compared with, has %s: their "
            "estimates%s are infinite and not shown; the others are what R's tend to, which prints "
            "large numbers with larger errors for them; relevel() names another level to compare with",
            none ? "none" : "each", label, what, fit->centred ? "" : ", and the constant,");
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
        if (!is_used && !stands_alone(fit, j))
            return fail_level(none, what, column->label, error);
        if (!is_used) {
            fit->state[j] = none ? FIT_OTHERS_ABOVE : FIT_OTHERS_BELOW;
            continue;
        }
        fit->state[j] = none ? FIT_BELOW : FIT_ABOVE;
        if (reference_of(fit, j) == SIZE_MAX)
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
