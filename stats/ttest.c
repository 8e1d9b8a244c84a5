/* ttest: the means of a number in two groups compared; the first level minus the second.
 *
 * Round 1: n, Σt, Σt² per level (stats/means.h). With x̄_i, s_i², n_i of each group:
 *   Welch: se² = s_1²/n_1 + s_2²/n_2, df = se⁴/Σ((s_i²/n_i)²/(n_i − 1))  (Welch, Biometrika 1947;34:28)
 *   var_equal: se² = s²(1/n_1 + 1/n_2), s² pooled, df = n_1 + n_2 − 2  (Student, Biometrika 1908;6:1)
 *   t = (x̄_1 − x̄_2)/se; limits x̄_1 − x̄_2 ± q·se
 * R's counterpart: t.test(y ~ g). */
#include <float.h>
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/means.h"
#include "stats/wording.h"

enum { KEY_TTEST_FORMULA, KEY_TTEST_VAR_EQUAL };

static const struct query_key keys[] = {
    [KEY_TTEST_FORMULA] = {.name = "formula",
                           .kind = KEY_FORMULA,
                           .required = true,
                           .sentence = "y ~ g: a number, and a category of which two levels occur."},
    [KEY_TTEST_VAR_EQUAL] = {.name = "var_equal",
                             .kind = KEY_FLAG,
                             .sentence = "One variance for both groups (Student); otherwise Welch's test."},
};

/* What t.test asks of the group sizes. */
static enum maille_code ttest_sizes(const struct means_level *levels, size_t n_levels,
                                    const struct means *means, bool pooled, struct arena *arena,
                                    struct maille_error *error)
{
    if (n_levels != 2)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected patients in exactly two levels of `%s`, found %zu: use anova, or narrow `cohort`",
            means->groups.names[0], n_levels);
    for (size_t i = 0; i < 2; i++)
        if (!pooled && levels[i].n < 2)
            return maille_fail(
                error, MAILLE_FAILED, "expected at least two patients in each group, found one in %s=%s",
                means->groups.names[0], groups_level_name(&means->groups, arena, 0, levels[i].level));
    if (levels[0].n + levels[1].n < 3)
        return maille_fail(error, MAILLE_FAILED, "expected at least three patients, found two");
    return MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct means means;
    struct means_level *levels = NULL;
    size_t n_levels = 0;
    bool pooled = analysis_flag(analysis, "var_equal");
    enum maille_code code;
    MAILLE_TRY(means_of(&means, analysis, outcome->arena, error));
    MAILLE_TRY(means_read(&levels, &n_levels, &means, totals, iteration->surviving, outcome, error));
    MAILLE_TRY(ttest_sizes(levels, n_levels, &means, pooled, outcome->arena, error));
    const struct means_level *a = &levels[0], *b = &levels[1];
    double estimate = (double)(a->mean - b->mean), error_squared, df;
    if (pooled) {
        df = a->n + b->n - 2;
        error_squared = (double)(a->squares + b->squares) / df * (1 / a->n + 1 / b->n);
    } else {
        double first = (double)a->squares / (a->n - 1) / a->n,
               second = (double)b->squares / (b->n - 1) / b->n;
        error_squared = first + second;
        df = error_squared * error_squared / (first * first / (a->n - 1) + second * second / (b->n - 1));
    }
    double std_error = sqrt(error_squared);
    if (!(std_error > 10 * DBL_EPSILON * fmax(fabs((double)a->mean), fabs((double)b->mean)))) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected values of `%s` that differ within the groups, found one value in each",
                           means.response);
        goto out;
    }
    double statistic = estimate / std_error, reach = qt((1 - analysis->conf_level) / 2, df, 0, 0) * std_error;
    result_add_number(outcome->result, "estimate", estimate);
    result_add_number(outcome->result, "statistic", statistic);
    if (analysis_flag(analysis, "var_equal"))
        result_add_real_count(outcome->result, "df", df);
    else
        result_add_number(outcome->result, "df", df);
    result_add_number(outcome->result, "p_value", 2 * pt(-fabs(statistic), df, 1, 0));
    result_add_number(outcome->result, "conf_low", estimate - reach);
    result_add_number(outcome->result, "conf_high", estimate + reach);
    *done = true;
out:
    return code;
}

const struct method method_ttest = {
    .declared = {.name = "ttest", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .words = {.name = "t test",
              .sentence = "Comparison of two means.",
              .r = "t.test()",
              .source = "Welch, Biometrika 1947;34:28"},
    .check = means_check,
    .cells = means_cells,
    .plan = means_plan,
    .step = step,
};
