/* The effect of a formula's first term in the levels of a variable that it interacts with.
 *
 * The model has both and their interaction, so the effect in level l is a sum of coefficients, β + β_l (β
 * alone in the reference level), with the variance V(β) + V(β_l) + 2·C(β, β_l): the coefficient that R prints
 * when l is made the reference level. Interaction: Wald's b′V⁻¹b over the interaction's coefficients, χ², or
 * F where the family has a dispersion (b′V⁻¹b/q; for lm the F of anova()). V is the robust covariance where
 * there is one. R: relevel(), survey::regTermTest(). */
#include <assert.h>
#include <math.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/fit.h"

struct subgroups {
    const struct fit *fit;
    const struct fit_report *report;
    size_t treatment, factor; /* of the formula */
    size_t main, own, both;   /* terms: the treatment's, the variable's, the interaction */
};

static size_t term_of(const struct formula *formula, uint64_t factors)
{
    size_t t = 0;
    while (t < formula->n_terms && formula->terms[t].factors != factors)
        t++;
    return t;
}

static void find_terms(struct subgroups *s, const char *name)
{
    const struct formula *formula = s->fit->design->formula;
    uint64_t treatment = formula->terms[0].factors, own;
    while (treatment != (uint64_t)1 << s->treatment)
        s->treatment++;
    while (strcmp(formula->factors[s->factor].label, name) != 0) {
        s->factor++;
        assert(s->factor < formula->n_factors && "the formula that query/study_subgroups.c made");
    }
    own = (uint64_t)1 << s->factor;
    s->own = term_of(formula, own);
    s->both = term_of(formula, treatment | own);
}

/* Of R's columns (normal->columns) that of a term with these levels; n where there is none: a reference. */
static size_t column_of(const struct subgroups *s, size_t term, uint32_t treatment, uint32_t level)
{
    const struct normal *normal = s->report->normal;
    size_t j = 0;
    for (; j < normal->n; j++) {
        const struct design_column *column = &s->fit->design->columns[normal->columns[j]];
        if (column->formula_term == term && column->levels[s->treatment] == treatment &&
            column->levels[s->factor] == level)
            break;
    }
    return j;
}

static double covariance(const struct fit_report *report, size_t i, size_t j)
{
    size_t at = i * report->normal->n + j;
    return report->robust != NULL ? (double)report->robust[at]
                                  : report->dispersion * (double)report->normal->variance[at];
}

/* Patients of a level of the treatment in a level of the variable. */
static double heads_in(const struct subgroups *s, uint32_t treatment, uint32_t level)
{
    const struct design *design = s->fit->design;
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (column->formula_term == s->both && column->levels[s->treatment] == treatment &&
            column->levels[s->factor] == level)
            return s->fit->sum[j];
    }
    return 0;
}

/* Has the level patients with this treatment, and with the one that it is compared with (which has no
 * column)? */
static bool is_compared(const struct subgroups *s, uint32_t treatment, uint32_t level)
{
    const struct design *design = s->fit->design;
    double others = 0;
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (column->formula_term == s->both && column->levels[s->factor] == level &&
            column_of(s, s->main, column->levels[s->treatment], DESIGN_ABSENT) == s->report->normal->n)
            others += s->fit->sum[j];
    }
    return heads_in(s, treatment, level) > 0 && others > 0;
}

/* Which coefficients an effect is the sum of: `main` and, less than n, *more. False: the data do not say it.
 * Where the variable's first level has nobody to compare, R's treatment coefficient is nevertheless there: it
 * is the effect in the level whose interaction R took out for following from the others. */
static bool is_estimable(const struct subgroups *s, size_t main, size_t more, uint32_t level)
{
    const struct normal *normal = s->report->normal;
    const struct design *design = s->fit->design;
    const struct design_column *column = &design->columns[normal->columns[main]];
    const uint32_t treatment = column->levels[s->treatment];
    size_t n_aliased = 0;
    bool first_compared = true;
    if (normal->factor.aliased[main])
        return false;
    if (column->numeric)
        return more == normal->n || !normal->factor.aliased[more] ||
               (int)s->fit->state[normal->columns[more]] == FIT_BASE;
    if (!is_compared(s, treatment, level))
        return false;
    if (more == normal->n || !normal->factor.aliased[more] ||
        (int)s->fit->state[normal->columns[more]] == FIT_BASE)
        return true;
    for (size_t j = 0; j < design->n_columns; j++) {
        const uint32_t other = design->columns[j].levels[s->factor];
        if (design->columns[j].formula_term != s->own || !(s->fit->sum[j] > 0))
            continue;
        const size_t own = column_of(s, s->both, treatment, other);
        if (column_of(s, s->own, DESIGN_ABSENT, other) == normal->n)
            first_compared = is_compared(s, treatment, other);
        n_aliased += own < normal->n && normal->factor.aliased[own];
    }
    return !first_compared && n_aliased == 1;
}

/* Has one of the two that are compared in the level no event, so that others are compared with a base? */
static bool is_infinite(const struct subgroups *s, uint32_t treatment, uint32_t level)
{
    const struct design *design = s->fit->design;
    for (size_t k = 1; k < design->n_columns; k++) {
        const uint32_t *levels = design->columns[k].levels;
        if (fit_is_reference(s->fit, k) && levels[s->factor] == level &&
            (levels[s->treatment] == DESIGN_ABSENT || levels[s->treatment] == treatment ||
             column_of(s, s->main, levels[s->treatment], DESIGN_ABSENT) == s->report->normal->n))
            return true;
    }
    return false;
}

/* Estimate and its standard error in a level; NaN where the data do not say it. */
static void effect_in(const struct subgroups *s, size_t main, uint32_t level, double *estimate, double *error)
{
    const struct normal *normal = s->report->normal;
    uint32_t treatment = s->fit->design->columns[normal->columns[main]].levels[s->treatment];
    const size_t more = column_of(s, s->both, treatment, level);
    const bool reference = column_of(s, s->own, DESIGN_ABSENT, level) == normal->n;
    double variance = 0;
    *estimate = *error = NAN;
    if ((more == normal->n && !reference) || is_infinite(s, treatment, level) ||
        !is_estimable(s, main, more, level))
        return;
    *estimate = 0;
    for (int part = 0; part < 2; part++) {
        const size_t j = part == 0 ? main : more;
        if (j == normal->n || normal->factor.aliased[j])
            continue;
        *estimate += s->fit->beta[normal->columns[j]];
        variance += covariance(s->report, j, j) + (part == 0 ? 0 : 2 * covariance(s->report, main, j));
    }
    *error = sqrt(variance);
}

static void put_effect(const struct subgroups *s, struct result *row, size_t main, uint32_t level)
{
    const struct fit_report *report = s->report;
    double tail = (1 - report->conf_level) / 2, estimate, error;
    double width = report->df > 0 ? qt(tail, report->df, 0, 0) : -arithmetic_normal_quantile(tail);
    effect_in(s, main, level, &estimate, &error);
    double z = estimate / error;
    result_add_number(row, "estimate", estimate);
    result_add_number(row, "std_error", error);
    result_add_number(row, "statistic", z);
    result_add_number(row, "p_value",
                      report->df > 0 ? 2 * pt(fabs(z), report->df, 0, 0) : 2 * pnorm5(fabs(z), 0, 1, 0, 0));
    result_add_number(row, "conf_low", estimate - width * error);
    result_add_number(row, "conf_high", estimate + width * error);
}

static void put_levels(const struct subgroups *s, const char *name, struct result *result)
{
    const struct design *design = s->fit->design;
    const struct normal *normal = s->report->normal;
    struct result *rows = result_add_list(result, "subgroups");
    for (size_t at = 0; at < design->n_columns; at++) {
        const struct design_column *own = &design->columns[at];
        if (own->formula_term != s->own || !(s->fit->sum[at] > 0))
            continue;
        uint32_t level = own->levels[s->factor];
        for (size_t j = 0; j < normal->n; j++) {
            const struct design_column *main = &design->columns[normal->columns[j]];
            if (main->formula_term != s->main)
                continue;
            struct result *row = result_add_object(rows, NULL);
            result_add_string(row, "variable", name);
            result_add_string(row, "level", design->factors[s->factor].code->levels[level]);
            result_add_string(row, "term", main->label);
            result_add_count(row, "n", llround(s->fit->sum[at]));
            if (s->report->events)
                result_add_count(row, "n_event", llround(s->fit->event_sum[at]));
            else
                result_add_null(row, "n_event");
            put_effect(s, row, j, level);
        }
    }
}

static void put_interaction(const struct subgroups *s, struct arena *arena, struct result *result)
{
    const struct normal *normal = s->report->normal;
    size_t n = 0, *columns = arena_array(arena, normal->n + 1, sizeof *columns);
    for (size_t j = 0; j < normal->n; j++)
        if (s->fit->design->columns[normal->columns[j]].formula_term == s->both && !normal->factor.aliased[j])
            columns[n++] = j;
    f128 *variance = arena_array(arena, n * n + 1, sizeof *variance),
         *floor = arena_array(arena, n + 1, sizeof *floor), *beta = arena_array(arena, n + 1, sizeof *beta);
    for (size_t i = 0; i < n; i++) {
        beta[i] = (f128)s->fit->beta[normal->columns[columns[i]]];
        for (size_t j = 0; j < n; j++) {
            size_t at = columns[i] * normal->n + columns[j];
            variance[i * n + j] = s->report->robust != NULL
                                      ? s->report->robust[at]
                                      : (f128)s->report->dispersion * normal->variance[at];
        }
        floor[i] = 1e-18 * variance[i * n + i];
    }
    struct linear_factor factor;
    linear_decompose(&factor, arena, variance, floor, NULL, n);
    double df = (double)n,
           wald = factor.rank < n || n == 0 ? NAN : (double)linear_inverse_form(&factor, arena, beta);
    if (!(s->report->df > 0)) {
        fit_report_chisq(result, "interaction", wald, df);
        return;
    }
    struct result *test = result_add_object(result, "interaction");
    result_add_number(test, "statistic", wald / df);
    result_add_number(test, "df1", df);
    result_add_real_count(test, "df2", s->report->df);
    result_add_number(test, "p_value", pf(wald / df, df, s->report->df, 0, 0));
}

void fit_subgroups_report(const struct fit *fit, const struct fit_report *report,
                          const struct analysis *analysis, struct arena *arena, struct result *result)
{
    struct subgroups s = {.fit = fit, .report = report};
    if (analysis->subgroup == NULL)
        return;
    find_terms(&s, analysis->subgroup);
    put_levels(&s, analysis->subgroup, result);
    put_interaction(&s, arena, result);
}
