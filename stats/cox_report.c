/* The result of a Cox model. */
#include "stats/cox.h"

#include <math.h>

#include "stats/wording.h"
#include "tally/elementary.h"

/* Λ0(t) at event times, all covariates 0 (basehaz(centered = FALSE)). c1 was made with exp(x′β − c) on
 * centred columns. */
static void report_baseline(struct cox_step *step, struct result *result)
{
    const struct cox *cox = &step->cox;
    f128 shift = (f128)step->at.shift;
    for (size_t j = 0; j < cox->design->n_columns; j++)
        if (step->fit.state[j] == FIT_USED && cox->design->columns[j].numeric &&
            cox->design->columns[j].base == 0)
            shift += (f128)step->fit.beta[j] * (f128)cox->design->columns[j].middle;
    shift -= (f128)fit_poly_origin(&step->fit, step->arena);
    struct result *list = result_add_list(result, "baseline");
    for (size_t s = 0; s < cox->strata.n; s++) {
        struct result *row = NULL, *time = NULL, *cumhaz = NULL;
        f128 sum = 0;
        for (size_t k = 0; k < cox->n_bins; k++) {
            if (!(step->ties[s * cox->n_bins + k] > 0))
                continue;
            if (!row) {
                row = result_add_object(list, NULL);
                result_add_string(row, "stratum", groups_stratum(&cox->strata, step->arena, s));
                time = result_add_list(row, "time");
                cumhaz = result_add_list(row, "cumhaz");
            }
            sum += (f128)step->c1[s * cox->n_bins + k];
            result_add_number(time, NULL, (double)k * cox->axis.width);
            result_add_number(cumhaz, NULL, (double)sum * elementary_exp(-(double)shift));
        }
    }
}

/* Wald's statistic β′V⁻¹β with the covariance V that the tests use; NaN where V has not full rank. */
static double wald(const struct cox_step *step, const struct normal *normal, const f128 *robust,
                   const f128 *beta)
{
    if (!robust)
        return (double)linear_form(normal->information, beta, normal->n);
    struct linear_factor factor;
    f128 *floor = arena_array(step->arena, normal->n + 1, sizeof *floor);
    for (size_t j = 0; j < normal->n; j++)
        floor[j] = 1e-18 * robust[j * normal->n + j];
    linear_decompose(&factor, step->arena, robust, floor, normal->factor.aliased, normal->n);
    if (factor.rank < normal->factor.rank) {
        wording_warn(step->outcome, "the robust covariance is singular, as with fewer clusters than terms: "
                                    "there is no Wald test");
        return NAN;
    }
    return (double)linear_inverse_form(&factor, step->arena, beta);
}

void cox_report(struct cox_step *step, const struct normal *normal, const f128 *robust, size_t concordance)
{
    const struct cox *cox = &step->cox;
    struct fit *fit = &step->fit;
    struct result *result = step->outcome->result;
    struct fit shown = *fit;
    struct normal own = *normal;
    const f128 *shown_robust = robust;
    fit_poly_show(&shown, &own, &shown_robust, step->arena);
    struct fit_report report = {.normal = &own,
                                .robust = shown_robust,
                                .dispersion = 1,
                                .conf_level = cox->analysis->conf_level,
                                .no_covariance = !surviving_covariance(step->iteration->surviving),
                                .events = true};
    double null = step->own[COX_NULL_LOGLIK], fitted = step->own[COX_LOGLIK],
           df = (double)(normal->factor.rank + fit_infinite(fit));
    f128 *beta = arena_array(step->arena, normal->n + 1, sizeof *beta);
    for (size_t j = 0; j < normal->n; j++)
        beta[j] = normal->factor.aliased[j] ? 0 : (f128)fit->beta[normal->columns[j]];

    fit_report_terms(&shown, &report, step->outcome, result);
    struct result *loglik = result_add_list(result, "loglik");
    result_add_number(loglik, NULL, null);
    result_add_number(loglik, NULL, fitted);
    result_add_number(result, "aic", -2 * fitted + 2 * df);
    struct result *tests = result_add_object(result, "tests");
    fit_report_chisq(tests, "likelihood_ratio", 2 * (fitted - null), df);
    fit_report_chisq(tests, "wald", wald(step, normal, robust, beta), df);
    fit_report_chisq(tests, "score", step->own[COX_SCORE_TEST], df);
    if (cox->formula->strata_site)
        cox_concordance_site_report(step, concordance, result);
    else
        cox_concordance_report(step, concordance, result);
    if (!cox->tables && cox->n_status == COX_EVENT + 1 && normal->n > 0)
        wording_warn(
            step->outcome,
            "no concordance: it counts pairs in cells of the fitted model, which pooled sums of five sites "
            "or more hold, where a round has room for them, and over joined steps neither with weights nor "
            "with "
            "delayed entry");
    if (cox->tables && !cox->formula->strata_site && cox->strata.n > COX_CONCORDANCE_STRATA_MAX &&
        cox->n_status == COX_EVENT + 1 && normal->n > 0)
        wording_warn(step->outcome, "no concordance: it is counted for at most %d strata",
                     COX_CONCORDANCE_STRATA_MAX);
    if (cox->zph && normal->n > 0)
        cox_zph_report(step, normal, result);
    else
        result_add_null(result, "zph");
    const bool is_0 = fit_is_hidden(fit, 0); /* a level that others are compared with has no event */
    if (cox->baseline && !is_0)
        report_baseline(step, result);
    else
        result_add_null(result, "baseline");
    if (cox->baseline && is_0)
        wording_warn(step->outcome, "no baseline: it is 0, that of a level without an event");
    cox_adjusted_report(step, concordance + cox_concordance_blocks(cox), result);
    cox_merge_report(step, result);
    result_add_string(result, "ties", cox->efron ? "efron" : "breslow");
    result_add_integer(result, "iterations", llround(fit->scalars[FIT_STEPS]));
    fit_report_vcov(fit, &report, step->outcome, result);
    fit_subgroups_report(&shown, &report, cox->analysis, step->arena, result);
}
