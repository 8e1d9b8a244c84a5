/* The public grain of a weighted curve. In full digits S, or a sum of weights, says what those weigh who
 * leave between the steps of two curves of the same patients: everybody and an arm, two grids. So where
 * steps were joined S and its limits are rounded to a step that no patient of average weight moves by more
 * than half of: the least of 1, 2 and 5 times a power of ten that is 2/n or more, n patients in the arm.
 * Errors have two digits, and sums of weights are not shown. Medians, means and contrasts are worked out of
 * what is shown (docs/decisions/0043-a-public-grain.md). */
#include <math.h>

#include "stats/km.h"

/* value to the nearest of steps that are part/whole wide: as near to it as a double is. */
static double to_step(double value, double part, double whole)
{
    return nearbyint(value * whole / part) * part / whole;
}

static double two_digits(double value)
{
    double part = 1, whole = 1;
    if (!(value > 0) || isinf(value))
        return value;
    while (value * whole / part < 10)
        whole *= 10;
    while (value * whole / part >= 100)
        part *= 10;
    return to_step(value, part, whole);
}

/* 2/n or a little more, as part/whole; at most a half. */
static void grain_of(double *part, double *whole, int64_t n)
{
    static const double parts[] = {5, 2, 1};
    *part = 5;
    *whole = 10;
    for (double tens = 10; tens <= 1e9; tens *= 10)
        for (size_t i = 0; i < 3; i++)
            if (parts[i] / tens * (double)n >= 2) {
                *part = parts[i];
                *whole = tens;
            }
}

double km_error_shown(const struct km_curve *curve, double error)
{
    return curve->grained ? two_digits(error) : error;
}

void km_curve_grain(struct km_curve *curve, int64_t n)
{
    double part, whole;
    grain_of(&part, &whole, n);
    curve->grained = true;
    for (size_t i = 0; i < curve->n; i++) {
        const double error = two_digits(curve->sigma[i] * curve->estimate[i]);
        curve->estimate[i] = to_step(curve->estimate[i], part, whole);
        curve->sigma[i] = curve->estimate[i] > 0 ? error / curve->estimate[i] : NAN;
        curve->low[i] = to_step(curve->low[i], part, whole);
        curve->high[i] = to_step(curve->high[i], part, whole);
    }
}
