/* A Kaplan–Meier curve from the counts, or sums of weights, per time. Formulas: see km.c. */
#include <math.h>

#include "stats/km.h"
#include "tally/elementary.h"

/* Of a bin: the study's 0.3 is the time 3·0.1, whatever doubles say. */
static const double SLACK = 1e-9;

size_t km_until(const struct km_curve *curve, double t)
{
    size_t n = 0;
    while (n < curve->n && curve->time[n] <= t + curve->slack)
        n++;
    return n;
}

size_t km_before(const struct km_curve *curve, double t)
{
    size_t n = 0;
    while (n < curve->n && curve->time[n] < t - curve->slack)
        n++;
    return n;
}

void km_limits_make(enum km_limits type, double survival, double sigma, double z, double *low, double *high)
{
    *low = *high = NAN;
    if (!(survival > 0))
        return;
    switch (type) {
    case KM_PLAIN:
        *low = fmax(survival - z * sigma * survival, 0);
        *high = fmin(survival + z * sigma * survival, 1);
        break;
    case KM_LOG:
        *low = elementary_exp(elementary_log(survival) - z * sigma);
        *high = fmin(elementary_exp(elementary_log(survival) + z * sigma), 1);
        break;
    case KM_LOG_LOG:
        if (survival < 1) {
            double logarithm = elementary_log(survival), half = z * sigma / logarithm,
                   middle = elementary_log(-logarithm);
            *low = elementary_exp(-elementary_exp(middle - half));
            *high = elementary_exp(-elementary_exp(middle + half));
        }
        break;
    }
}

/* Var(log S) by the infinitesimal jackknife: Σ w²·u², u = ∂log S(t)/∂w = Σ_{s ≤ t} [Y·d/(n·(n − d)) − dN/(n −
 * d)] (Therneau and Grambsch, 2000, §7.2; survfitkm.c). Rows that left at a time share their u from then on.
 */
struct jackknife {
    f128 hazard, left, gone; /* Σ d/(n(n − d)); Σ w² of those at risk; Σ w²u² of those who left */
};

static struct jackknife jackknife_of(const struct km_counts *counts)
{
    struct jackknife jackknife = {.hazard = 0};
    for (size_t bin = 0; counts->event_square != NULL && bin < counts->n_bins; bin++)
        jackknife.left += (f128)counts->event_square[bin] + (f128)counts->censored_square[bin];
    jackknife.left += (f128)counts->left_square;
    return jackknife;
}

static double jackknife_step(struct jackknife *jackknife, const struct km_counts *counts, size_t bin)
{
    f128 n = counts->at_risk[bin], d = counts->event[bin];
    f128 dead = counts->event_square[bin], censored = counts->censored_square[bin];
    f128 died = 0;
    if (d > 0) {
        if (!(n > d))
            return INFINITY;
        jackknife->hazard += d / (n * (n - d));
        died = jackknife->hazard - 1 / (n - d);
    }
    jackknife->gone += censored * jackknife->hazard * jackknife->hazard + dead * died * died;
    jackknife->left -= dead + censored;
    return (double)(jackknife->gone + jackknife->left * jackknife->hazard * jackknife->hazard);
}

void km_curve_make(struct km_curve *curve, const struct km_counts *counts, double width, enum km_limits type,
                   double z, struct arena *arena)
{
    size_t n = 0;
    for (size_t bin = 0; bin < counts->n_bins; bin++)
        n += counts->anybody[bin];
    double *numbers = arena_array(arena, 8 * n, sizeof *numbers);
    *curve = (struct km_curve){.n = n,
                               .cut = counts->cut,
                               .end = (double)counts->n_bins * width,
                               .slack = SLACK * width,
                               .time = numbers,
                               .estimate = numbers + n,
                               .sigma = numbers + 2 * n,
                               .low = numbers + 3 * n,
                               .high = numbers + 4 * n,
                               .at_risk = numbers + 5 * n,
                               .event = numbers + 6 * n,
                               .censored = numbers + 7 * n};
    struct jackknife jackknife = jackknife_of(counts);
    double survival = 1, sum = 0;
    size_t i = 0;
    for (size_t bin = 0; bin < counts->n_bins; bin++) {
        if (!counts->anybody[bin])
            continue;
        double risk = counts->at_risk[bin], died = counts->event[bin];
        if (died > 0) {
            survival = risk > died ? survival * ((risk - died) / risk) : 0;
            sum += died / (risk * (risk - died)); /* infinite once everybody at risk has died */
        }
        if (counts->event_square != NULL)
            sum = jackknife_step(&jackknife, counts, bin);
        curve->time[i] = (double)bin * width;
        curve->at_risk[i] = risk;
        curve->event[i] = died;
        curve->censored[i] = counts->censored[bin];
        curve->estimate[i] = survival;
        curve->sigma[i] = survival > 0 ? sqrt(sum) : NAN;
        km_limits_make(type, survival, curve->sigma[i], z, &curve->low[i], &curve->high[i]);
        i++;
    }
}

/* The first time at which y (S or one of its limits; NaN: undefined) is one half or less, or the middle
 * between that and the next fall where y stands at one half within the tolerance; NaN when it never gets
 * there. As minmin() in survival:::survmean, which R prints: quantile.survfit gives another time where a
 * limit rises again. NaN too where the next fall is not shown. */
double km_half_time(const struct km_curve *curve, const double *y)
{
    const double half = 0.5, tolerance = sqrt(0x1p-52);
    size_t first = 0, next;
    while (first < curve->n && !(y[first] < half + tolerance))
        first++;
    if (first == curve->n)
        return NAN;
    if (!(fabs(y[first] - half) < tolerance))
        return curve->time[first];
    for (next = first + 1; next < curve->n && !(y[next] < y[first]);)
        next++;
    if (next == curve->n)
        return curve->cut ? NAN : curve->time[first];
    return (curve->time[first] + curve->time[next]) / 2;
}

/* Restricted mean up to tau and its standard error, as survival:::survmean. */
void km_restricted_mean(const struct km_curve *curve, double tau, double *estimate, double *std_error)
{
    size_t n = km_until(curve, tau);
    double area = 0, after = 0, variance = 0, previous = 0, survival = 1;
    for (size_t i = 0; i < n; i++) {
        area += (curve->time[i] - previous) * survival;
        previous = curve->time[i];
        survival = curve->estimate[i];
    }
    area += (tau - previous) * survival;
    for (size_t i = n; i-- > 0;) { /* after: the area from time i to tau */
        double risk = curve->at_risk[i], died = curve->event[i];
        after += curve->estimate[i] * ((i + 1 < n ? curve->time[i + 1] : tau) - curve->time[i]);
        if (curve->grain > 0)
            variance += after * after * km_grained_growth(curve, i);
        else if (risk > died)
            variance += after * after * died / (risk * (risk - died));
    }
    *estimate = area;
    *std_error = sqrt(variance);
}

/* Σ w²·u², u = ∂RMST/∂w = ∫₀^τ S(t)·∂log S(t)/∂w dt (struct jackknife). Of who leaves at time j the inner
 * derivative is Σ_{s ≤ t} d/(n(n − d)) before it, and from it on that of time j, less 1/(n − d) with an
 * event: u = ∫₀^{t_j} S·hazard + (…)·∫_{t_j}^τ S. R: residuals(survfit, type = "rmst"). */
double km_restricted_robust(const struct km_curve *curve, const struct km_counts *counts, double tau)
{
    size_t n = km_until(curve, tau), i = 0;
    f128 area = 0, passed = 0, before = 0, hazard = 0, survival = 1, previous = 0, sum = 0;
    f128 left = counts->left_square;
    for (size_t k = 0; k < n; k++) {
        area += ((f128)curve->time[k] - previous) * survival;
        previous = curve->time[k];
        survival = curve->estimate[k];
    }
    area += ((f128)tau - previous) * survival;
    survival = 1;
    previous = 0;
    for (size_t bin = 0; bin < counts->n_bins; bin++) {
        if (!counts->anybody[bin])
            continue;
        f128 dead = counts->event_square[bin], censored = counts->censored_square[bin];
        if (i >= n) {
            left += dead + censored;
            continue;
        }
        f128 d = counts->event[bin], stay = (f128)counts->at_risk[bin] - d;
        f128 step = ((f128)curve->time[i] - previous) * survival;
        passed += step;
        before += step * hazard;
        previous = curve->time[i];
        survival = curve->estimate[i++];
        if (d > 0 && stay > 0)
            hazard += d / ((stay + d) * stay);
        f128 died = stay > 0 ? hazard - 1 / stay : 0; /* nobody is left: no area either */
        f128 of_dead = before + died * (area - passed), of_others = before + hazard * (area - passed);
        sum += dead * of_dead * of_dead + censored * of_others * of_others;
    }
    before += ((f128)tau - previous) * survival * hazard;
    return sqrt((double)(sum + left * before * before));
}
