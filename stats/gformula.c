/* gformula: the g-formula for a treatment at one time, by a model of the outcome (standardisation).
 * J. Robins, Mathematical Modelling 1986;7:1393; J. M. Snowden, S. Rose and K. M. Mortimer, American Journal
 * of Epidemiology 2011;173:731. For each level a of the treatment the mean over all patients of what the
 * model says of each, were he in that level:
 *
 *     μ_a = 1/n Σ_i μ(x_i(a)′β).
 *
 * The model is a glm and its rounds are those of glm.c. One round more sums at the converged β what the means
 * and their errors need. A level is set without a look at the row (stats/design_set.c).
 *
 * Errors are the sandwich of the stacked estimating equations of β and the means (L. A. Stefanski and D. D.
 * Boos, The American Statistician 2002;56:29): row i moves μ_a by
 *
 *     D_ai = (μ(x_i(a)′β) − μ_a)/n + g_a′·V·x_i·(y_i − μ_i),   g_a = 1/n Σ μ′(x_i(a)′β)·x_i(a),   V =
 * (Σμ′xx′)⁻¹,
 *
 * and a contrast of means by its derivatives times these. D_ai is a combination of 1, the μ(x_i(a)′β) and the
 * x_i·(y_i − μ_i). So the sums of their products give the variance of every contrast, and no site is told a
 * coefficient of D. docs/methods/gformula.md. */
#include "stats/gformula.h"

#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/wording.h"
#include "tally/elementary.h"

static const struct query_key keys[] = {
    {.name = "formula",
     .kind = KEY_FORMULA,
     .required = true,
     .sentence = "the model of the outcome, as in R: y ~ treatment + x, offset() allowed"},
    {.name = "treatment",
     .kind = KEY_VARIABLE,
     .required = true,
     .sentence = "a category or boolean of the formula: the mean were everybody in each of its levels"},
    {.name = "family",
     .kind = KEY_CHOICE,
     .choices = "gaussian|binomial",
     .sentence = "of the outcome: gaussian (a number) or binomial (an event)"},
};

static size_t factor_of(const struct glm *glm)
{
    return design_set_factor(glm->design, glm->treatment->names[0]);
}

static size_t n_levels_of(const struct glm *glm)
{
    return glm->design->factors[factor_of(glm)].n_levels;
}

enum maille_code gformula_check(const struct glm *glm, const struct analysis *analysis,
                                struct maille_error *error)
{
    if (factor_of(glm) == DESIGN_NO_FACTOR)
        return wording_invalid(
            error, analysis,
            "expected `treatment` to be a category or a boolean among the terms of the formula, "
            "found `%s`",
            glm->treatment->names[0]);
    if (n_levels_of(glm) > GFORMULA_LEVELS_MAX)
        return wording_invalid(error, analysis,
                               "expected `treatment` to have at most %d levels, found %zu in `%s`",
                               GFORMULA_LEVELS_MAX, n_levels_of(glm), glm->treatment->names[0]);
    if (glm->by_site)
        return wording_invalid(
            error, analysis,
            "expected no strata(site) in a gformula: a mean over all patients is of a model "
            "that all sites share");
    return MAILLE_OK;
}

size_t gformula_shown(const struct glm *glm)
{
    return 3 * n_levels_of(glm) - 1;
}

/* --- plan --- */

/* Products of 1, the mean of each level and the score of each column; of each level the derivatives of its
 * mean. */
void gformula_plan(const struct glm *glm, const struct fit_theta *at, struct arena *arena,
                   struct tally_spec *spec)
{
    const size_t factor = factor_of(glm), n_levels = n_levels_of(glm), n = at->n_columns;
    const struct expression *eta =
        design_predictor(glm->design, arena, at->gamma, glm->formula->offset, at->shift);
    const struct expression *residual =
        expression_binary(arena, OP_SUBTRACT, glm->y, glm_mean(glm, arena, eta));
    const struct expression **products = arena_array(arena, 1 + n_levels + n, sizeof *products);
    products[0] = expression_constant(arena, 1);
    struct tally_block *block = fit_block(spec, &guard_cohort, glm->cohort.rows, NULL, 2);
    block->terms = products;
    block->n_terms = 1 + n_levels + n;
    for (size_t j = 0; j < n; j++)
        products[1 + n_levels + j] =
            expression_binary(arena, OP_MULTIPLY, residual, glm->design->columns[at->columns[j]].term);
    for (size_t level = 0; level < n_levels; level++) {
        const struct expression *mean = products[1 + level] =
            glm_mean(glm, arena,
                     design_predictor(glm->design, arena,
                                      design_set_gamma(glm->design, at->gamma, factor, level, arena),
                                      glm->formula->offset, at->shift));
        const struct expression **columns = arena_array(arena, n + 1, sizeof *columns);
        for (size_t j = 0; j < n; j++) {
            columns[j] = design_set_column(glm->design, at->columns[j], factor, level, arena);
            if (columns[j] == NULL)
                columns[j] = expression_constant(arena, 0);
        }
        block = fit_block(spec, &guard_cohort, glm->cohort.rows,
                          glm->family->slope != NULL ? glm->family->slope(arena, mean) : NULL, 1);
        block->terms = columns;
        block->n_terms = n;
    }
}

/* --- the result --- */

/* The means of the levels that somebody has, and what each row does to them as combinations of the tallied
 * terms. */
struct means {
    const struct glm_step *step;
    struct groups levels;
    size_t n_levels, n_terms;
    bool used[GFORMULA_LEVELS_MAX];
    double mean[GFORMULA_LEVELS_MAX];
    f128 *moves[GFORMULA_LEVELS_MAX]; /* D_a, n_terms each */
    f128 *products;                   /* n_terms square */
    double z;
};

/* Nobody is where everybody is to be put, or the terms do not tell the treatment from the rest. */
static enum maille_code check_levels(const struct means *means, struct maille_error *error)
{
    const struct fit *fit = &means->step->fit;
    const struct design *design = fit->design;
    const char *name = means->levels.names[0];
    const size_t factor = factor_of(&means->step->glm);
    for (size_t level = 0; level < means->n_levels; level++) {
        const size_t empty = design_set_empty(design, fit->sum, factor, level);
        if (means->used[level] && empty < design->n_columns)
            return maille_fail(error, MAILLE_FAILED,
                               "expected patients of each level of `%s` in all that it interacts with, found "
                               "nobody in %s: take the interaction out, or join levels",
                               name, design->columns[empty].label);
    }
    for (size_t j = 0; j < design->n_columns; j++) {
        const bool is_set = design->columns[j].levels[factor] != DESIGN_ABSENT;
        if ((int)fit->state[j] == FIT_ALIASED || (is_set && (int)fit->state[j] == FIT_LOST))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected terms of which none is a combination of the others, found %s: nobody "
                "can say what it is once `%s` is set; take it out",
                design->columns[j].label, name);
    }
    return MAILLE_OK;
}

/* A treatment of which all or none have the event has a mean of 1 or 0, and no error of it. */
static enum maille_code check_events(const struct means *means, struct maille_error *error)
{
    const struct glm *glm = &means->step->glm;
    const struct fit *fit = &means->step->fit;
    const size_t factor = factor_of(glm);
    for (size_t level = 0; level < means->n_levels && glm->family->events; level++) {
        const size_t j = design_set_column_of(glm->design, factor, level);
        if (means->used[level] && (fit->event_sum[j] < 0.5 || fit->sum[j] - fit->event_sum[j] < 0.5))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected patients with and without %s in each level of `%s`, found none %s in %s",
                glm->formula->response_label, means->levels.names[0],
                fit->event_sum[j] < 0.5 ? "with" : "without",
                groups_stratum(&means->levels, means->step->arena, level));
    }
    return MAILLE_OK;
}

static enum maille_code read_means(struct means *means, const struct normal *normal, size_t block,
                                   struct maille_error *error)
{
    enum maille_code code;
    const struct glm_step *step = means->step;
    const size_t m = step->at.n_columns, n = means->n_terms = 1 + means->n_levels + m;
    f128 *upper = arena_array(step->arena, n * (n + 1) / 2, sizeof *upper),
         *middle = arena_array(step->arena, m * m + 1, sizeof *middle);
    means->products = arena_array(step->arena, n * n, sizeof *means->products);
    for (size_t i = 0; i < n * (n + 1) / 2; i++)
        upper[i] = totals_quad(step->totals, block, i);
    linear_unpack(means->products, upper, n);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            middle[i * m + j] = means->products[(1 + means->n_levels + i) * n + 1 + means->n_levels + j];
    const f128 rows = means->products[0];
    code = fit_check_middle(middle, m, (double)rows, step->totals->extents[block].fraction, error);
    if (code != MAILLE_OK) { /* the sentence of a key that there is not here */
        code = maille_fail(
            error, MAILLE_FAILED,
            "expected errors of nine digits, found that %s may be so far from its mean over the bounds "
            "of the dictionary that their sums hold fewer: narrow the bounds",
            step->glm.formula->response_label);
        goto out;
    }
    for (size_t level = 0; level < means->n_levels; level++) {
        f128 *gradient = arena_array(step->arena, m + 1, sizeof *gradient),
             *moves = means->moves[level] = arena_array(step->arena, n, sizeof *moves);
        for (size_t j = 0; j < m; j++)
            gradient[j] = totals_quad(step->totals, block + 1 + level, j) / rows;
        const f128 *along = fit_influence(step->arena, &step->fit, &step->at, normal, gradient),
                   mean = means->products[1 + level] / rows;
        means->mean[level] = (double)mean;
        moves[0] = -mean / rows;
        moves[1 + level] = 1 / rows;
        for (size_t j = 0; j < m; j++)
            moves[1 + means->n_levels + j] = along[j];
    }
out:
    return code;
}

/* The error of what moves by by_a·D_a + by_b·D_b. */
static double error_of(const struct means *means, size_t a, double by_a, size_t b, double by_b)
{
    f128 *moves = arena_array(means->step->arena, means->n_terms, sizeof *moves);
    for (size_t i = 0; i < means->n_terms; i++)
        moves[i] = (f128)by_a * means->moves[a][i] + (f128)by_b * means->moves[b][i];
    return sqrt(fmax((double)linear_form(means->products, moves, means->n_terms), 0));
}

static void put_level(const struct means *means, struct result *row, size_t level)
{
    result_add_string(row, "variable", means->levels.names[0]);
    result_add_string(row, "level", groups_level_name(&means->levels, means->step->arena, 0, level));
}

/* A mean of an event is a risk: its limits end at 0 and 1. */
static void report_means(const struct means *means, struct result *result)
{
    const struct glm *glm = &means->step->glm;
    const struct fit *fit = &means->step->fit;
    const bool events = glm->family->events;
    struct result *list = result_add_list(result, "means");
    for (size_t level = 0; level < means->n_levels; level++) {
        if (!means->used[level])
            continue;
        const size_t j = design_set_column_of(glm->design, factor_of(glm), level);
        const double mean = means->mean[level], error = error_of(means, level, 1, level, 0);
        struct result *row = result_add_object(list, NULL);
        put_level(means, row, level);
        result_add_count(row, "n", llround(fit->sum[j]));
        if (events)
            result_add_count(row, "n_event", llround(fit->event_sum[j]));
        else
            result_add_null(row, "n_event");
        result_add_number(row, "estimate", mean);
        result_add_number(row, "std_error", error);
        result_add_number(row, "conf_low",
                          events ? fmax(mean - means->z * error, 0) : mean - means->z * error);
        result_add_number(row, "conf_high",
                          events ? fmin(mean + means->z * error, 1) : mean + means->z * error);
    }
}

/* One measure of level a against level b. value: on the scale of its limits, log where the measure is a
 * ratio; it moves by by_a·D_a + by_b·D_b. */
struct contrast {
    const char *measure;
    bool is_ratio;
    double value, by_a, by_b;
};

static void report_contrast(const struct means *means, size_t a, size_t b, const struct contrast *contrast,
                            struct result *list)
{
    const double value = contrast->value, error = error_of(means, a, contrast->by_a, b, contrast->by_b),
                 numbers[] = {value, value - means->z * error, value + means->z * error};
    static const char *const names[] = {"estimate", "conf_low", "conf_high"};
    struct result *row = result_add_object(list, NULL);
    put_level(means, row, a);
    result_add_string(row, "reference", groups_level_name(&means->levels, means->step->arena, 0, b));
    result_add_string(row, "measure", contrast->measure);
    for (size_t i = 0; i < 3; i++)
        result_add_number(row, names[i], contrast->is_ratio ? elementary_exp(numbers[i]) : numbers[i]);
    result_add_number(row, "std_error", error);
    result_add_number(row, "p_value", error > 0 ? 2 * pnorm5(-fabs(value / error), 0, 1, 1, 0) : NAN);
}

/* NaN where a risk is 0 or 1 to the last digit. */
static double log_of(double ratio)
{
    return ratio > 0 && isfinite(ratio) ? elementary_log(ratio) : NAN;
}

/* Every level against the first that somebody has. */
static void report_contrasts(const struct means *means, struct result *result)
{
    const bool events = means->step->glm.family->events;
    struct result *list = result_add_list(result, "contrasts");
    size_t b = 0;
    while (b < means->n_levels && !means->used[b])
        b++;
    for (size_t a = b + 1; a < means->n_levels; a++) {
        const double p = means->mean[a], q = means->mean[b];
        const struct contrast contrasts[] = {
            {events ? "risk difference" : "mean difference", false, p - q, 1, -1},
            {"risk ratio", true, log_of(p / q), 1 / p, -1 / q},
            {"odds ratio", true, log_of(p / (1 - p) / (q / (1 - q))), 1 / (p * (1 - p)), -1 / (q * (1 - q))}};
        for (size_t i = 0; means->used[a] && i < (events ? 3 : 1); i++)
            report_contrast(means, a, b, &contrasts[i], list);
    }
}

enum maille_code gformula_report(const struct glm_step *step, const struct normal *normal, size_t block,
                                 struct maille_error *error)
{
    enum maille_code code;
    const size_t factor = factor_of(&step->glm);
    struct means means = {.step = step,
                          .n_levels = n_levels_of(&step->glm),
                          .z = -arithmetic_normal_quantile((1 - step->analysis->conf_level) / 2)};
    groups_init(&means.levels);
    MAILLE_TRY(groups_add(&means.levels, step->glm.treatment->names[0],
                          step->glm.design->factors[factor].code, error));
    for (size_t level = 0; level < means.n_levels; level++)
        means.used[level] = design_set_used(step->glm.design, step->fit.sum, factor, level);
    MAILLE_TRY(check_levels(&means, error));
    MAILLE_TRY(check_events(&means, error));
    MAILLE_TRY(read_means(&means, normal, block, error));
    report_means(&means, step->outcome->result);
    report_contrasts(&means, step->outcome->result);
out:
    return code;
}

extern const struct method method_gformula;
const struct method method_gformula = {
    .declared = {.name = "gformula", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .is_model = true},
    .version = 1,
    .words = {.name = "G-formula",
              .sentence =
                  "Means of a model of the outcome over all patients, were everybody in each level of the "
                  "treatment; errors by stacked estimating equations.",
              .r = "predict() of a glm()",
              .source = "Snowden, Rose and Mortimer, American Journal of Epidemiology 2011;173:731"},
    .check = glm_check,
    .cells = glm_cells,
    .plan = glm_plan,
    .step = glm_step};
