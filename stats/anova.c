/* anova: the means of a number in several groups compared.
 *
 * Round 1: n, Σt, Σt² per level (stats/means.h). With x̄_i, s_i², n_i of k groups, N = Σn_i:
 *   var_equal: F = [Σ n_i(x̄_i − x̄)²/(k − 1)]/[Σ(n_i − 1)s_i²/(N − k)], df k − 1 and N − k
 *   (Fisher, Statistical Methods for Research Workers, 1925, §40; R: aov, oneway.test(var.equal = TRUE))
 *   otherwise, w_i = n_i/s_i², W = Σw_i, x̃ = Σw_i x̄_i/W, a = Σ(1 − w_i/W)²/(n_i − 1)/(k² − 1):
 *   F = Σ w_i(x̄_i − x̃)²/(k − 1)/(1 + 2(k − 2)a), df k − 1 and 1/(3a)
 *   (Welch, Biometrika 1951;38:330; R: oneway.test) */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/means.h"
#include "stats/wording.h"

enum { KEY_ANOVA_FORMULA, KEY_ANOVA_VAR_EQUAL };

static const struct query_key keys[] = {
    [KEY_ANOVA_FORMULA] = {.name = "formula",
                           .kind = KEY_FORMULA,
                           .required = true,
                           .sentence = "y ~ g: a number and a category."},
    [KEY_ANOVA_VAR_EQUAL] = {.name = "var_equal",
                             .kind = KEY_FLAG,
                             .fallback = 1,
                             .sentence = "One variance for all groups; otherwise Welch's test."},
};

static enum maille_code anova_pooled(struct means_test *anova, const struct means_level *levels, size_t k,
                                     const struct means *means, struct maille_error *error)
{
    f128 n = 0, sum = 0, within = 0, between = 0;
    for (size_t i = 0; i < k; i++) {
        n += (f128)levels[i].n;
        sum += (f128)levels[i].n * levels[i].mean;
        within += levels[i].squares;
    }
    for (size_t i = 0; i < k; i++) {
        f128 apart = levels[i].mean - sum / n;
        between += (f128)levels[i].n * apart * apart;
    }
    anova->df1 = (double)k - 1;
    anova->df2 = (double)n - (double)k;
    if (!(anova->df2 > 0))
        return maille_fail(error, MAILLE_FAILED,
                           "expected more patients than groups, found one in each group");
    if (!(within > 0))
        return maille_fail(error, MAILLE_FAILED,
                           "expected values of `%s` that differ within the groups, found one value in each",
                           means->response);
    anova->statistic = (double)(between / (f128)anova->df1 / (within / (f128)anova->df2));
    return MAILLE_OK;
}

static enum maille_code anova_welch(struct means_test *anova, const struct means_level *levels, size_t k,
                                    const struct means *means, struct arena *arena,
                                    struct maille_error *error)
{
    for (size_t i = 0; i < k; i++) {
        const char *level = groups_level_name(&means->groups, arena, 0, levels[i].level);
        if (levels[i].n < 2)
            return maille_fail(
                error, MAILLE_FAILED,
                "expected at least two patients in each group, found one in %s=%s: use `var_equal: true`",
                means->groups.names[0], level);
        if (!(levels[i].squares > 0))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected values of `%s` that differ within each group, found one value in %s=%s: use "
                "`var_equal: true`",
                means->response, means->groups.names[0], level);
    }
    means_welch(anova, levels, k);
    return MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct means means;
    struct means_level *levels = NULL;
    struct means_test anova = {0};
    size_t k = 0;
    enum maille_code code;
    MAILLE_TRY(means_of(&means, analysis, outcome->arena, error));
    MAILLE_TRY(means_read(&levels, &k, &means, totals, iteration->surviving, outcome, error));
    if (k < 2) {
        code = maille_fail(
            error, MAILLE_FAILED,
            "expected patients in at least two levels of `%s`, found them all in one: there is nothing to "
            "compare",
            means.groups.names[0]);
        goto out;
    }
    if (analysis_flag(analysis, "var_equal"))
        MAILLE_TRY(anova_pooled(&anova, levels, k, &means, error));
    else
        MAILLE_TRY(anova_welch(&anova, levels, k, &means, outcome->arena, error));
    result_add_number(outcome->result, "df1", anova.df1);
    if (analysis_flag(analysis, "var_equal"))
        result_add_real_count(outcome->result, "df2", anova.df2);
    else
        result_add_number(outcome->result, "df2", anova.df2);
    result_add_number(outcome->result, "statistic", anova.statistic);
    result_add_number(outcome->result, "p_value", pf(anova.statistic, anova.df1, anova.df2, 0, 0));
    struct result *list = result_add_list(outcome->result, "means");
    for (size_t i = 0; i < k; i++) {
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "level", groups_level_name(&means.groups, outcome->arena, 0, levels[i].level));
        result_add_number(row, "mean", (double)levels[i].mean);
    }
    *done = true;
out:
    return code;
}

const struct method method_anova = {
    .declared = {.name = "anova", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .words = {.name = "Analysis of variance",
              .sentence = "Comparison of means.",
              .r = "oneway.test()",
              .source = "Welch, Biometrika 1951;38:330"},
    .check = means_check,
    .cells = means_cells,
    .plan = means_plan,
    .step = step,
};
