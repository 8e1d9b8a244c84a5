#include "stats/family.h"

#include <math.h>

#include "tally/elementary.h"

static const struct expression *twice(struct arena *arena, const struct expression *x)
{
    return expression_binary(arena, OP_MULTIPLY, expression_constant(arena, 2), x);
}

/* --- gaussian, identity --- */

static bool gaussian_accepts(const struct expression *y)
{
    return isfinite(y->low) && isfinite(y->high);
}

static const struct expression *gaussian_mean(struct arena *arena, const struct expression *eta)
{
    (void)arena;
    return eta;
}

static const struct expression *gaussian_deviance(struct arena *arena, const struct expression *y,
                                                  const struct expression *eta, const struct expression *mu)
{
    (void)eta;
    return expression_power(arena, expression_binary(arena, OP_SUBTRACT, y, mu), 2);
}

static double gaussian_null_start(double score, double information)
{
    return score / information;
}

/* --- binomial, logit --- */

static bool binomial_accepts(const struct expression *y)
{
    return y->step == 1 && y->low >= 0 && y->high <= 1;
}

static const struct expression *binomial_mean(struct arena *arena, const struct expression *eta)
{
    return expression_unary(arena, OP_LOGISTIC, eta);
}

static const struct expression *binomial_slope(struct arena *arena, const struct expression *mu)
{
    return expression_binary(arena, OP_MULTIPLY, mu,
                             expression_binary(arena, OP_SUBTRACT, expression_constant(arena, 1), mu));
}

/* −2·(y·η − log(1 + e^η)) */
static const struct expression *binomial_deviance(struct arena *arena, const struct expression *y,
                                                  const struct expression *eta, const struct expression *mu)
{
    (void)mu;
    return twice(arena, expression_binary(arena, OP_SUBTRACT, expression_unary(arena, OP_SOFTPLUS, eta),
                                          expression_binary(arena, OP_MULTIPLY, y, eta)));
}

/* score = Σ(y − ½), information = Σ¼: the mean is ½ + score/(4·information). */
static double binomial_null_start(double score, double information)
{
    double mean = 0.5 + score / (4 * information);
    return mean > 0 && mean < 1 ? elementary_log(mean / (1 - mean)) : HUGE_VAL;
}

/* --- poisson, log --- */

static bool poisson_accepts(const struct expression *y)
{
    return y->step == 1 && y->low >= 0 && y->high < EXPRESSION_TABLE_MAX;
}

static const struct expression *poisson_mean(struct arena *arena, const struct expression *eta)
{
    return expression_unary(arena, OP_EXP, eta);
}

static const struct expression *poisson_slope(struct arena *arena, const struct expression *mu)
{
    (void)arena;
    return mu;
}

/* 2·(y·log y − y·η − y + μ), with 0·log 0 = 0. */
static const struct expression *poisson_deviance(struct arena *arena, const struct expression *y,
                                                 const struct expression *eta, const struct expression *mu)
{
    const struct expression *at_least_one =
        expression_binary(arena, OP_MAX, y, expression_constant(arena, 1));
    const struct expression *log_y = expression_unary(arena, OP_LOG, at_least_one);
    const struct expression *fit =
        expression_binary(arena, OP_MULTIPLY, y, expression_binary(arena, OP_SUBTRACT, log_y, eta));
    return twice(arena, expression_binary(arena, OP_ADD, fit, expression_binary(arena, OP_SUBTRACT, mu, y)));
}

/* 2·(log y! + y − y·log y): −2 log likelihood is the deviance plus this. log y! by summing our own log: plan
 * runs at sites, where libm's would not have the same bits everywhere. */
static const struct expression *poisson_constant(struct arena *arena, const struct expression *y)
{
    int64_t low = (int64_t)y->low, high = (int64_t)y->high;
    uint32_t n = (uint32_t)(high - low) + 1;
    double *table = arena_array(arena, n, sizeof *table); /* 0 at y = 0 */
    double factorial = 0;
    for (int64_t k = 1; k <= high; k++) {
        double log_k = elementary_log((double)k);
        factorial += log_k;
        if (k >= low)
            table[k - low] = 2 * (factorial + (double)k - (double)k * log_k);
    }
    return expression_lookup(arena, table, n, expression_uniform_bin(arena, y, y->low, 1, n));
}

/* score = Σ(y − μ), information = Σμ at the offset alone: e^γ = Σy/Σμ. */
static double poisson_null_start(double score, double information)
{
    double ratio = 1 + score / information;
    return ratio > 0 ? elementary_log(ratio) : HUGE_VAL;
}

const struct family family_all[3] = {
    {.name = "gaussian",
     .link = "identity",
     .dispersion = true,
     .from_zero = true,
     .expected = "a number",
     .accepts = gaussian_accepts,
     .mean = gaussian_mean,
     .deviance = gaussian_deviance,
     .null_start = gaussian_null_start},
    {.name = "binomial",
     .link = "logit",
     .events = true,
     .exponential = true,
     .from_zero = true,
     .expected = "a boolean (or 0 and 1)",
     .accepts = binomial_accepts,
     .mean = binomial_mean,
     .slope = binomial_slope,
     .deviance = binomial_deviance,
     .null_start = binomial_null_start},
    {.name = "poisson",
     .link = "log",
     .counts = true,
     .exponential = true,
     .expected = "a whole number from 0 to at most 1048575",
     .accepts = poisson_accepts,
     .mean = poisson_mean,
     .slope = poisson_slope,
     .deviance = poisson_deviance,
     .constant = poisson_constant,
     .null_start = poisson_null_start},
};
