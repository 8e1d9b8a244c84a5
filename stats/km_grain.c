/* The public grain of a weighted curve. In full digits S, or a sum of weights, says what those weigh who
 * leave between the steps of two curves of the same patients: everybody and an arm, two grids. So where
 * groups of few are not told S is a multiple of the least of 1, 2 and 5 times a power of ten that is 2/n or
 * more, where n is the arm's effective number of patients, (Σw)²/Σw²: a patient of average weight moves S by
 * half of that. Errors have two digits, or fewer where a fifth of the grain is coarser; sums of weights are
 * not shown. Limits, medians, means, their errors and contrasts are worked out of S and errors as they are
 * shown, so that no level of confidence and no tau tells more
 * (docs/decisions/0043-a-public-grain.md). */
#include <math.h>

#include "stats/km.h"

/* A step of part/whole, so that its multiples are the nearest doubles. */
struct step {
    double part, whole;
};

static double to_step(double value, struct step step)
{
    return nearbyint(value * step.whole / step.part) * step.part / step.whole;
}

/* 2/n or a little more; at most a half. */
static struct step grain_of(double n)
{
    static const double parts[] = {5, 2, 1};
    struct step step = {5, 10};
    for (double tens = 10; tens <= 1e9; tens *= 10)
        for (size_t i = 0; i < 3; i++)
            if (parts[i] / tens * n >= 2)
                step = (struct step){parts[i], tens};
    return step;
}

/* Two digits, or a fifth of the grain where that is more. */
static double error_shown(double error, struct step grain)
{
    struct step step = {1, 1};
    if (!(error > 0) || isinf(error))
        return error;
    while (error * step.whole / step.part < 10)
        step.whole *= 10;
    while (error * step.whole / step.part >= 100)
        step.part *= 10;
    if (step.part / step.whole < grain.part / (5 * grain.whole))
        step = (struct step){grain.part, 5 * grain.whole};
    return to_step(error, step);
}

void km_curve_grain(struct km_curve *curve, double n, enum km_limits type, double z)
{
    const struct step grain = grain_of(n);
    curve->grain = grain.part / grain.whole;
    for (size_t i = 0; i < curve->n; i++) {
        const double error = error_shown(curve->sigma[i] * curve->estimate[i], grain),
                     survival = to_step(curve->estimate[i], grain);
        curve->estimate[i] = survival;
        curve->sigma[i] = survival > 0 ? error / survival : NAN;
        km_limits_make(type, survival, curve->sigma[i], z, &curve->low[i], &curve->high[i]);
        curve->low[i] = to_step(curve->low[i], grain);
        curve->high[i] = to_step(curve->high[i], grain);
    }
}

/* d/(n(n − d)) of a step, as Greenwood's sum has it: what the shown errors say of it. Not where S is 0. */
double km_grained_growth(const struct km_curve *curve, size_t i)
{
    const double before = i > 0 ? curve->sigma[i - 1] : 0,
                 growth = curve->sigma[i] * curve->sigma[i] - before * before;
    return growth > 0 ? growth : 0;
}
