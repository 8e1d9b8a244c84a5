/* Curves at chosen times, and one beside another. All of it is a function of the curves that are shown.
 *
 * An arm is compared with the first of its stratum, by Q: its RMST up to tau, or its S(t). Arms hold
 * different patients, so variances add. difference  Q − Q₀, se² = se(Q)² + se(Q₀)², limits ± z·se, normal p
 *   ratio       Q/Q₀, limits and p on the log scale, se² = se(Q)²/Q² + se(Q₀)²/Q₀²
 * (RMST: Royston and Parmar, BMC Med Res Methodol 2013;13:152, Uno et al., J Clin Oncol 2014;32:2380, which
 * is survRM2's rmst2; S(t): Klein et al., Stat Med 2007;26:4505, with these two scales.) With weights that
 * are not whole both errors are the infinitesimal jackknife's (km_curve.c). */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/km.h"
#include "tally/elementary.h"

struct estimate {
    double value, std_error; /* NaN: not known */
};

/* S(t) and all that goes with it. */
struct moment {
    struct estimate survival;
    double at_risk, low, high;
};

static struct moment moment_of(const struct km_curve *curve, double t)
{
    struct moment moment = {.survival = {NAN, NAN}, .at_risk = NAN, .low = NAN, .high = NAN};
    if (curve == NULL || (curve->cut && !(t < curve->end - curve->slack)))
        return moment;
    size_t n = km_until(curve, t), next = km_before(curve, t);
    if (next < curve->n)
        moment.at_risk = curve->at_risk[next];
    else if (!curve->cut)
        moment.at_risk = 0;
    if (curve->grain > 0)
        moment.at_risk = NAN;
    if (n == 0) { /* as survfit0 has it: nothing has happened */
        moment.survival = (struct estimate){1, 0};
        moment.low = moment.high = 1;
        return moment;
    }
    moment.survival = (struct estimate){curve->estimate[n - 1], curve->sigma[n - 1] * curve->estimate[n - 1]};
    moment.low = curve->low[n - 1];
    moment.high = curve->high[n - 1];
    return moment;
}

/* S beside that of another arm: to a multiple of the grain rounding adds grain²/12 to the variance. */
static struct estimate survival_of(const struct km_arm *arm, double t)
{
    struct estimate survival = moment_of(arm->curve, t).survival;
    if (arm->curve != NULL && arm->curve->grain > 0)
        survival.std_error = arithmetic_length(survival.std_error, arm->curve->grain / sqrt(12));
    return survival;
}

static struct estimate mean_of(const struct km_arm *arm, double tau)
{
    struct estimate mean = {NAN, NAN};
    if (arm->curve == NULL || (arm->curve->cut && tau > arm->curve->end))
        return mean;
    km_restricted_mean(arm->curve, tau, &mean.value, &mean.std_error);
    if (arm->counts->event_square != NULL && !(arm->curve->grain > 0))
        mean.std_error = km_restricted_robust(arm->curve, arm->counts, tau);
    return mean;
}

/* Lists side by side; the first is the times. */
enum { COLUMNS_MAX = 10 };
struct columns_of {
    struct result *lists[COLUMNS_MAX];
    size_t n;
};

static struct columns_of columns_add(struct result *row, const char *const *names, size_t n)
{
    struct columns_of columns = {.n = n};
    for (size_t i = 0; i < n; i++)
        columns.lists[i] = result_add_list(row, names[i]);
    return columns;
}

static void columns_put(const struct columns_of *columns, const double *values)
{
    for (size_t i = 0; i < columns->n; i++)
        result_add_number(columns->lists[i], NULL, values[i]);
}

void km_write_times(struct result *result, const struct km_arm *arms, size_t n, const struct km_asked *asked,
                    bool weighted)
{
    static const char *const names[] = {"time", "estimate", "std_error", "conf_low", "conf_high"};
    struct result *rows = result_add_list(result, "at_times");
    for (size_t k = 0; k < n; k++) {
        struct result *row = result_add_object(rows, NULL);
        result_add_string(row, "stratum", arms[k].name);
        struct columns_of columns = columns_add(row, names, sizeof names / sizeof *names);
        struct result *risk = result_add_list(row, "n_risk");
        for (size_t i = 0; i < asked->n_times; i++) {
            struct moment at = moment_of(arms[k].curve, asked->times[i]);
            columns_put(&columns, (double[]){asked->times[i], at.survival.value, at.survival.std_error,
                                             at.low, at.high});
            if (weighted || isnan(at.at_risk))
                result_add_number(risk, NULL, at.at_risk);
            else
                result_add_count(risk, NULL, llround(at.at_risk));
        }
    }
}

static double normal_p(double statistic)
{
    return 2 * pnorm5(-fabs(statistic), 0, 1, 1, 0);
}

/* An error of 0 on both sides (nobody has died) leaves nothing to test by. */
static void contrast_put(const struct columns_of *columns, double time, struct estimate a,
                         struct estimate reference, double z)
{
    double difference = a.value - reference.value, se = arithmetic_length(a.std_error, reference.std_error);
    double logarithm = elementary_log(a.value / reference.value),
           log_se = arithmetic_length(a.std_error / a.value, reference.std_error / reference.value);
    columns_put(columns,
                (double[]){time, difference, se, difference - z * se, difference + z * se,
                           se > 0 ? normal_p(difference / se) : NAN, elementary_exp(logarithm),
                           elementary_exp(logarithm - z * log_se), elementary_exp(logarithm + z * log_se),
                           log_se > 0 ? normal_p(logarithm / log_se) : NAN});
}

void km_write_contrasts(struct result *result, const struct km_arm *arms, size_t n,
                        const struct km_asked *asked)
{
    static const char *const names[] = {
        "time",  "difference", "difference_se", "difference_low", "difference_high", "difference_p_value",
        "ratio", "ratio_low",  "ratio_high",    "ratio_p_value"};
    struct result *rows = result_add_list(result, "contrasts");
    size_t reference = 0;
    for (size_t k = 0; k < n; k++) {
        if (arms[k].stratum != arms[reference].stratum)
            reference = k;
        for (unsigned survival = 0; survival < 2 && k != reference; survival++) {
            if (survival ? asked->n_times == 0 : isnan(asked->tau))
                continue;
            struct result *row = result_add_object(rows, NULL);
            result_add_string(row, "stratum", arms[k].name);
            result_add_string(row, "reference", arms[reference].name);
            result_add_string(row, "quantity", survival ? "survival" : "rmst");
            struct columns_of columns = columns_add(row, names, sizeof names / sizeof *names);
            if (!survival)
                contrast_put(&columns, asked->tau, mean_of(&arms[k], asked->tau),
                             mean_of(&arms[reference], asked->tau), asked->z);
            for (size_t i = 0; survival && i < asked->n_times; i++)
                contrast_put(&columns, asked->times[i], survival_of(&arms[k], asked->times[i]),
                             survival_of(&arms[reference], asked->times[i]), asked->z);
        }
    }
}
