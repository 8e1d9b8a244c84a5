/* How far a linear predictor may go over the dictionary's bounds, and estimates that run away. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stats/fit.h"

/* After so many steps an estimate that still moves by this much over half of its range runs away. */
enum { FIT_STEPS_SETTLED = 12 };
#define FIT_RUNAWAY 0.05

/* Names of the terms whose step moves the predictor by more than `limit` over half of their range,
 * comma-separated. */
static size_t name_movers(char *names, size_t size, const struct fit *fit, const struct normal *normal,
                          double limit)
{
    size_t length = 0;
    names[0] = 0;
    for (size_t j = 0; j < normal->n; j++) {
        const struct design_column *column = &fit->design->columns[normal->columns[j]];
        bool moves = fabs((double)normal->step[j]) * column->half > limit && normal->columns[j] != 0;
        if (normal->factor.aliased[j] || !moves || length >= size / 2)
            continue;
        length +=
            (size_t)snprintf(names + length, size - length, "%s%.200s", length ? ", " : "", column->label);
    }
    return length;
}

enum maille_code fit_check_divergence(const struct fit *fit, const struct normal *normal,
                                      struct maille_error *error)
{
    char names[512];
    if (fit->scalars[FIT_STEPS] < FIT_STEPS_SETTLED)
        return MAILLE_OK;
    if (name_movers(names, sizeof names, fit, normal, FIT_RUNAWAY))
        return maille_fail(error, MAILLE_FAILED,
                           "expected estimates that settle, found that those of %s run to infinity (the "
                           "outcome is separated by "
                           "the model's terms): take the terms out or merge their levels",
                           names);
    if (fit->scalars[FIT_STEPS] >= FIT_STEPS_MAX)
        return maille_fail(error, MAILLE_FAILED,
                           "expected the iteration to converge, found that %d Newton steps did not do it",
                           FIT_STEPS_MAX);
    return MAILLE_OK;
}

double fit_predictor_max(bool robust)
{
    return robust ? FIT_PREDICTOR_MAX : FIT_CUT_MAX;
}

const struct expression *fit_cut(struct arena *arena, const struct expression *eta)
{
    if (!(eta->high > FIT_CUT && eta->high <= FIT_CUT_MAX))
        return eta;
    return expression_binary(arena, OP_MIN, eta, expression_constant(arena, FIT_CUT));
}

const struct expression *fit_logit(struct arena *arena, const struct expression *eta)
{
    const struct expression *least = expression_constant(arena, -FIT_PREDICTOR_MAX),
                            *most = expression_constant(arena, FIT_PREDICTOR_MAX);
    if (eta->low >= -FIT_PREDICTOR_MAX && eta->high <= FIT_PREDICTOR_MAX)
        return eta;
    return expression_binary(arena, OP_MIN, expression_binary(arena, OP_MAX, eta, least), most);
}

enum maille_code fit_fail_bounds(const struct fit *fit, const struct normal *normal, double most,
                                 struct maille_error *error)
{
    char names[512];
    if (!name_movers(names, sizeof names, fit, normal, 1))
        snprintf(names, sizeof names, "the estimates");
    return maille_fail(error, MAILLE_FAILED,
                       "expected a linear predictor within ±%.0f over the bounds of the dictionary, found "
                       "that %s would leave it: "
                       "either these terms separate the outcome, so that their estimates are infinite, or "
                       "their bounds are far "
                       "wider than the data; take out what separates it, or narrow their bounds in the "
                       "dictionary, centre them, or take a logarithm",
                       most, names);
}

bool fit_take_bounded_step(struct fit *fit, const struct normal *normal, double most, struct arena *arena,
                           const struct expression *offset)
{
    const size_t n = fit->design->n_columns;
    double *gamma = arena_array(arena, n, sizeof *gamma), *whole = arena_array(arena, 2 * n, sizeof *whole);
    fit_take_step(fit, normal);
    memcpy(whole, fit->beta, n * sizeof *whole);
    memcpy(whole + n, fit->low, n * sizeof *whole);
    for (double fraction = 1; fraction >= 0x1p-6; fraction /= 2) {
        for (size_t j = 0; j < n; j++) {
            fit->beta[j] = fraction < 1 && !fit_is_infinite(fit, j)
                               ? fit->accepted[j] + fraction * (whole[j] - fit->accepted[j])
                               : whole[j];
            fit->low[j] = fraction < 1 && !fit_is_infinite(fit, j)
                              ? fit->accepted_low[j] + fraction * (whole[n + j] - fit->accepted_low[j])
                              : whole[n + j];
        }
        fit_gamma(fit, gamma);
        const struct expression *eta =
            design_predictor(fit->design, arena, gamma, offset, fit_shift(fit, gamma));
        if (eta->high <= most && eta->low >= -(fit->centred ? FIT_CUT_MAX : most))
            return true;
    }
    memcpy(fit->beta, whole, n * sizeof *whole);
    memcpy(fit->low, whole + n, n * sizeof *whole);
    return false;
}
