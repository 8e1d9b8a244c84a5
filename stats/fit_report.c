/* The result of a fit: coefficients with their errors, tests and limits, and their covariance. */
#include <math.h>

#define MATHLIB_STANDALONE 1
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/fit.h"
#include "stats/wording.h"

double fit_standard_error(const struct normal *normal, size_t j, double dispersion)
{
    return sqrt(dispersion * (double)normal->variance[j * normal->n + j]);
}

static const char *const estimate_names[] = {"estimate", "std_error", "robust_se", "statistic",
                                             "p_value",  "conf_low",  "conf_high"};

void fit_report_terms(const struct fit *fit, const struct fit_report *report, struct outcome *outcome,
                      struct result *result)
{
    const struct normal *normal = report->normal;
    double tail = (1 - report->conf_level) / 2;
    double width = report->df > 0 ? qt(tail, report->df, 0, 0) : -arithmetic_normal_quantile(tail);
    struct result *terms = result_add_list(result, "terms");
    for (size_t j = 0; j < normal->n; j++) {
        size_t at = normal->columns[j];
        const struct design_column *column = &fit->design->columns[at];
        struct result *row = result_add_object(terms, NULL);
        result_add_string(row, "term", column->label);
        if (normal->factor.aliased[j] || fit_is_hidden(fit, at)) {
            if (!fit_is_hidden(fit, at))
                result_add_string(outcome->aliased, NULL, column->label);
            if ((int)fit->state[at] == FIT_LOST)
                wording_warn(
                    outcome,
                    "`%s` has no estimate because it hardly varies: it is one value for everybody (with "
                    "strata(site): within each site), or varies by less than a ten-millionth of the "
                    "dictionary's "
                    "bounds: narrow them, or derive a difference from a typical value",
                    column->label);
            for (size_t i = 0; i < sizeof estimate_names / sizeof *estimate_names; i++)
                result_add_null(row, estimate_names[i]);
        } else {
            double estimate = fit->beta[at], error = fit_standard_error(normal, j, report->dispersion);
            result_add_number(row, "estimate", estimate);
            result_add_number(row, "std_error", error);
            if (report->robust)
                error = sqrt((double)report->robust[j * normal->n + j]);
            result_add_number(row, "robust_se", report->robust ? error : NAN);
            double z = estimate / error;
            result_add_number(row, "statistic", z);
            result_add_number(row, "p_value",
                              report->df > 0 ? 2 * pt(fabs(z), report->df, 0, 0)
                                             : 2 * pnorm5(fabs(z), 0, 1, 0, 0));
            result_add_number(row, "conf_low", estimate - width * error);
            result_add_number(row, "conf_high", estimate + width * error);
        }
        bool level = !column->numeric && at != 0;
        if (level)
            result_add_count(row, "n", llround(fit->sum[at]));
        else
            result_add_null(row, "n");
        if (level && report->events)
            result_add_count(row, "n_event", llround(fit->event_sum[at]));
        else
            result_add_null(row, "n_event");
    }
}

void fit_report_vcov(const struct fit *fit, const struct fit_report *report, struct outcome *outcome,
                     struct result *result)
{
    const struct normal *normal = report->normal;
    if (report->no_covariance) {
        result_add_null(result, "vcov");
        wording_warn(outcome,
                     "vcov is null: a pair of levels of the model's factors holds too few patients, and "
                     "the covariances of the estimates would say how many");
        return;
    }
    struct result *rows = result_add_list(result, "vcov");
    for (size_t i = 0; i < normal->n; i++) {
        struct result *row = result_add_list(rows, NULL);
        for (size_t j = 0; j < normal->n; j++) {
            if (normal->factor.aliased[i] || normal->factor.aliased[j] ||
                fit_is_hidden(fit, normal->columns[i]) || fit_is_hidden(fit, normal->columns[j]))
                result_add_null(row, NULL);
            else if (report->robust)
                result_add_number(row, NULL, (double)report->robust[i * normal->n + j]);
            else
                result_add_number(row, NULL,
                                  report->dispersion * (double)normal->variance[i * normal->n + j]);
        }
    }
}

void fit_report_chisq(struct result *to, const char *name, double statistic, double df)
{
    struct result *test = result_add_object(to, name);
    result_add_number(test, "statistic", statistic);
    result_add_number(test, "df", df);
    result_add_number(test, "p_value", pchisq(statistic, df, 0, 0));
}
