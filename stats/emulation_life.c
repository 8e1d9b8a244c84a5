/* The life table of an arm of a target trial: S(g_K) = Π (1 − D/(N − L/2)) over steps of the grace period,
 * where L departs, and S goes on by the same factor over rows of public ends, where L is lost to follow-up
 * (S. J. Cutler and F. Ederer, Journal of Chronic Diseases 1958;8:699). N, D and L are sums of weights.
 *
 * Rows are joined to runs, of events and of losses each for itself. What is lost in a run is spread over it
 * evenly in time, so that no sum is of fewer than a run holds. All numbers follow from these sums alone; the
 * derivatives by them are those of the product. */
#include <math.h>

#include "stats/emulation.h"

/* Less than this share of who is there at first is nobody, and of who is at risk all. */
#define NOBODY 1e-9

size_t emulation_life_sums(const struct emulation_life *life)
{
    return EMULATION_OF_FACTOR * life->n_factors + 1 + 2 * life->n_rows;
}

/* 1 − d/(n − l/2). */
struct factor {
    double exposed, value;
};

static struct factor factor_of(double at_risk, double died, double left, double first)
{
    const double exposed = at_risk - left / 2;
    if (!(exposed > NOBODY * first))
        return (struct factor){exposed, NAN};
    const double value = 1 - died / exposed;
    return (struct factor){exposed, value > NOBODY ? value : 0};
}

/* What part of the losses of its run a row has. */
static double share_of(const struct emulation_life *life, size_t row)
{
    size_t first = row;
    const size_t last = life->losses[row];
    while (first > 0 && life->losses[first - 1] == last)
        first--;
    return (life->ends[row + 1] - life->ends[row]) / (life->ends[last + 1] - life->ends[first]);
}

static bool is_last(const struct emulation_life *life, size_t row)
{
    return life->events[row] == row;
}

/* A run of rows from `first` to `last`, and the sums of the table as its factor has them. */
struct run {
    size_t first, last;
    double at_risk, died, lost;
};

/* The run that begins with a row. */
static struct run run_of(const struct emulation_life *life, const double *sums, size_t first)
{
    const double *beyond = sums + EMULATION_OF_FACTOR * life->n_factors, *died = beyond + 1,
                 *lost = died + life->n_rows;
    struct run run = {.first = first, .last = life->events[first], .at_risk = *beyond};
    for (size_t row = 0; row <= run.last; row++) {
        const double share = share_of(life, row) * lost[life->losses[row]];
        if (row < first)
            run.at_risk -= share + (is_last(life, row) ? died[row] : 0);
        else
            run.lost += share;
    }
    run.died = died[run.last];
    return run;
}

void emulation_life_survival(double *survival, const struct emulation_life *life, const double *sums)
{
    const double *beyond = sums + EMULATION_OF_FACTOR * life->n_factors;
    double now = 1;
    for (size_t f = 0; f < life->n_factors; f++) {
        const double *of = sums + EMULATION_OF_FACTOR * f;
        now *= factor_of(of[EMULATION_AT_RISK], of[EMULATION_DIED], of[EMULATION_LEFT], of[EMULATION_AT_RISK])
                   .value;
    }
    survival[0] = now;
    for (size_t row = 0; row < life->n_rows; row++)
        survival[row + 1] = NAN;
    for (size_t row = 0; row < life->n_rows; row = life->events[row] + 1) {
        const struct run run = run_of(life, sums, row);
        now *= factor_of(run.at_risk, run.died, run.lost, *beyond).value;
        survival[run.last + 1] = now;
    }
}

/* Derivatives of times·log(factor) by its N, D and L; added to the gradient where there is one. */
static void add_factor(double *gradient, struct factor factor, double died, double times,
                       double by[EMULATION_OF_FACTOR])
{
    const double scale = factor.value > 0 ? times / (factor.value * factor.exposed) : 0;
    by[EMULATION_AT_RISK] = scale * died / factor.exposed;
    by[EMULATION_DIED] = -scale;
    by[EMULATION_LEFT] = -by[EMULATION_AT_RISK] / 2;
    for (size_t i = 0; gradient != NULL && i < EMULATION_OF_FACTOR; i++)
        gradient[i] += by[i];
}

static void add_run(double *gradient, const struct emulation_life *life, struct run run, double first,
                    double times)
{
    double by[EMULATION_OF_FACTOR], *beyond = gradient + EMULATION_OF_FACTOR * life->n_factors,
                                    *died = beyond + 1, *lost = died + life->n_rows;
    add_factor(NULL, factor_of(run.at_risk, run.died, run.lost, first), run.died, times, by);
    *beyond += by[EMULATION_AT_RISK];
    died[run.last] += by[EMULATION_DIED];
    for (size_t row = 0; row <= run.last; row++) {
        const double share = share_of(life, row);
        if (row < run.first && is_last(life, row))
            died[row] -= by[EMULATION_AT_RISK];
        lost[life->losses[row]] += share * (row < run.first ? -by[EMULATION_AT_RISK] : by[EMULATION_LEFT]);
    }
}

void emulation_life_gradient(double *gradient, const struct emulation_life *life, const double *sums,
                             size_t at, double times)
{
    const double beyond = sums[EMULATION_OF_FACTOR * life->n_factors];
    double survival[EMULATION_ROWS_MAX + 1], by[EMULATION_OF_FACTOR];
    emulation_life_survival(survival, life, sums);
    times *= survival[at];
    if (!(survival[at] > 0))
        return;
    for (size_t f = 0; f < life->n_factors; f++) {
        const double *of = sums + EMULATION_OF_FACTOR * f;
        const struct factor factor =
            factor_of(of[EMULATION_AT_RISK], of[EMULATION_DIED], of[EMULATION_LEFT], of[EMULATION_AT_RISK]);
        add_factor(gradient + EMULATION_OF_FACTOR * f, factor, of[EMULATION_DIED], times, by);
    }
    for (size_t row = 0; row < at; row = life->events[row] + 1)
        add_run(gradient, life, run_of(life, sums, row), beyond, times);
}

double emulation_life_mean(const struct emulation_life *life, const double *survival, size_t last)
{
    double mean = 0, before = 1, from = 0;
    for (size_t i = 0; i <= last; i++) {
        if (i < last && isnan(survival[i]))
            continue;
        mean += (life->ends[i] - from) * (before + survival[i]) / 2;
        before = survival[i];
        from = life->ends[i];
    }
    return mean;
}

void emulation_life_mean_gradient(double *gradient, const struct emulation_life *life, const double *sums,
                                  size_t last)
{
    double survival[EMULATION_ROWS_MAX + 1], from = 0;
    emulation_life_survival(survival, life, sums);
    for (size_t i = 0; i <= last; i++) {
        size_t next = i + 1;
        if (isnan(survival[i]))
            continue;
        while (next <= last && isnan(survival[next]))
            next++;
        const double to = next <= last ? life->ends[next] : life->ends[i];
        emulation_life_gradient(gradient, life, sums, i, (to - from) / 2);
        from = life->ends[i];
    }
}
