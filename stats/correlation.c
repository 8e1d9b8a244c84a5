/* correlation: Pearson's, of every pair of numbers, over the patients who have all of them.
 *
 * Round 1: n, Σt, Σtt′ (stats/spread.h). With S_ij = Σ(x_i − x̄_i)(x_j − x̄_j):
 *   r = S_ij/√(S_ii S_jj);  t = r√((n − 2)/(1 − r²)), df n − 2  (Student, Biometrika 1908;6:302; R: cor.test)
 * A variable with itself has r 1 and p 0, as cor.test(x, x). */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/spread.h"
#include "stats/wording.h"

enum { KEY_CORRELATION_VARIABLES, VARIABLES_MAX = 256 };

static const struct query_key keys[] = {
    [KEY_CORRELATION_VARIABLES] = {.name = "variables",
                                   .kind = KEY_VARIABLES,
                                   .required = true,
                                   .n_min = 2,
                                   .n_max = VARIABLES_MAX,
                                   .sentence = "Numbers, each correlated with each."},
};

enum { BLOCK_MISSING, BLOCK_SUMS };

struct correlation {
    const struct query_value *variables;
    struct cohort_rows cohort;
    struct spread spread;
};

static enum maille_code correlation_of(struct correlation *c, const struct analysis *analysis,
                                       struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    c->variables = &analysis->values[KEY_CORRELATION_VARIABLES];
    for (size_t i = 0; i < c->variables->n; i++)
        if (c->variables->expressions[i]->kind != EXPRESSION_NUMBER) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected numbers, found `%s`: compare groups by ttest or crosstab",
                               c->variables->names[i]);
            goto out;
        }
    cohort_rows(&c->cohort, analysis, arena, c->variables->expressions, c->variables->n);
    MAILLE_TRY(spread_init(&c->spread, arena, c->variables->expressions, c->variables->names, c->variables->n,
                           error));
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct correlation c;
    return correlation_of(&c, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct correlation c;
    enum maille_code code;
    MAILLE_TRY(correlation_of(&c, analysis, arena, error));
    MAILLE_TRY(groups_cohort_cells(out, &c.cohort, error));
    out->is_model =
        true; /* as many numbers of each patient as a regression's, and as few must be asked for */
    out->n_parameters = c.variables->n;
    for (size_t i = 0; i < c.variables->n; i++)
        groups_moment(out, arena, CELLS_COHORT, c.variables->expressions[i], NULL, 2);
out:
    return code;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct correlation c;
    enum maille_code code;
    MAILLE_TRY(correlation_of(&c, analysis, arena, error));
    MAILLE_TRY(groups_cohort_tally(spec, &c.cohort, error));
    MAILLE_TRY(spread_tally(spec, &guard_cohort, &c.spread, arena, c.cohort.rows, NULL, error));
out:
    return code;
}

/* r and p of one pair; both NaN where a variable has one value alone. */
static void correlation_pair(double *r, double *p, const struct spread_sums *sums, size_t n, size_t i,
                             size_t j)
{
    f128 xx = sums->product[i * n + i], yy = sums->product[j * n + j], xy = sums->product[i * n + j];
    double df = (double)sums->count - 2;
    *r = *p = NAN;
    if (!(xx > 0) || !(yy > 0))
        return;
    /* Each sum is brought near 1 first: no range of a dictionary can overflow a double. */
    double scaled = (double)(xy / xx) * sqrt((double)(xx / yy));
    double unexplained = (double)((xx - xy / yy * xy) / xx); /* 1 − r², without cancellation in double */
    *r = fmax(-1, fmin(1, scaled));
    if (i == j || !(unexplained > 0x1p-52))
        *r = xy < 0 ? -1 : 1;
    *p = fabs(*r) < 1 ? 2 * pt(-fabs(*r) * sqrt(df / unexplained), df, 1, 0) : 0;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct correlation c;
    struct spread_sums sums;
    enum maille_code code;
    MAILLE_TRY(correlation_of(&c, analysis, outcome->arena, error));
    spread_read(&sums, &c.spread, outcome->arena, totals, BLOCK_SUMS, 0);
    size_t n = c.spread.n;
    outcome->n = sums.count;
    groups_cohort_read(outcome, totals, BLOCK_MISSING, iteration->surviving);
    if (sums.count == 0) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    if (sums.count < 3) {
        code =
            maille_fail(error, MAILLE_FAILED, "expected at least three patients with all variables, found %s",
                        sums.count == 1 ? "one" : "two");
        goto out;
    }
    struct result *variables = result_add_list(outcome->result, "variables");
    result_add_count(outcome->result, "n", sums.count);
    struct result *estimate = result_add_list(outcome->result, "estimate");
    struct result *p_value = result_add_list(outcome->result, "p_value");
    for (size_t i = 0; i < n; i++) {
        struct result *r_row = result_add_list(estimate, NULL), *p_row = result_add_list(p_value, NULL);
        result_add_string(variables, NULL, c.variables->names[i]);
        if (!(sums.product[i * n + i] > 0))
            wording_warn(outcome, "all patients have the same value of %s: it has no correlation",
                         c.variables->names[i]);
        for (size_t j = 0; j < n; j++) {
            double r, p;
            correlation_pair(&r, &p, &sums, n, i < j ? i : j, i < j ? j : i);
            result_add_number(r_row, NULL, r);
            result_add_number(p_row, NULL, p);
        }
    }
    *done = true;
out:
    return code;
}

const struct method method_correlation = {
    .declared = {.name = "correlation", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .words = {.name = "Correlation",
              .sentence = "Pearson’s correlations of complete rows.",
              .r = "cor.test()"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
