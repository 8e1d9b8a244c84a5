/* Sums of a target trial's life tables, and the errors of what follows from them.
 *
 * A number Q, S at some time or a restricted mean, is a function of the sums T_c of an arm's life table. With
 * w_ic what patient i adds to T_c, ∂Q/∂T_c·w_ic summed over c is φ_i, the infinitesimal jackknife. The
 * weights were estimated: with β̂_k the coefficients of model k, V_k the inverse of its information and g_k =
 * ∂Q/∂β_k, a patient moves Q by
 *
 *     D_i = φ_i + Σ_k g_k′·V_k·x_i·(y_ik − p_ik)·1(i in model k),
 *
 * and a difference between arms by the difference of D_i, so that both clones of a patient stand in one
 * square (stacked estimating equations: L. A. Stefanski and D. D. Boos, The American Statistician
 * 2002;56:29). The variance is Σ D_i². */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/emulation.h"
#include "stats/wording.h"
#include "tally/elementary.h"

bool emulation_is_known(const struct emulation *trial, const struct emulation_life *life, const double *sums,
                        size_t target)
{
    double survival[EMULATION_ROWS_MAX + 1];
    emulation_life_survival(survival, life, sums);
    return !isnan(survival[target > trial->n_rows ? trial->tau : target]);
}

/* --- from totals to θ --- */

/* Ten digits of a sum of weights. */
static bool holds_digits(const struct totals *totals, size_t block, double sum, double rows)
{
    return sum == 0 || sum > 1e10 * rows * ldexp(1, -totals->extents[block].fraction);
}

/* The sums of an arm, as struct emulation_life has them. */
static enum maille_code read_sums(double *sums, const struct emulation *trial, const struct totals *totals,
                                  size_t arm, struct maille_error *error)
{
    const size_t n = trial->n_rows, n_factors = trial->arms[arm].n_factors,
                 weight = emulation_block_of(trial, arm, EMULATION_BLOCK_WEIGHT),
                 died = emulation_block_of(trial, arm, EMULATION_BLOCK_DIED_WEIGHT),
                 lost = emulation_block_of(trial, arm, EMULATION_BLOCK_LOST_WEIGHT);
    const double rows = (double)totals_count(totals, EMULATION_BLOCK_ROWS, 0);
    bool holds = true;
    for (size_t f = 0; f < n_factors; f++) {
        const size_t block = emulation_block_factor(trial, arm, f);
        const bool heads = trial->arms[arm].weight[f] == NULL;
        double *of = sums + EMULATION_OF_FACTOR * f;
        f128 state[EMULATION_STATES], all = 0;
        for (size_t i = 0; i < EMULATION_STATES; i++) {
            state[i] = heads ? (f128)totals_count(totals, block, i) : totals_quad(totals, block, i);
            all += state[i];
        }
        of[EMULATION_AT_RISK] = (double)all;
        of[EMULATION_DIED] = (double)state[EMULATION_DIES];
        of[EMULATION_LEFT] = (double)state[EMULATION_DEPARTS];
        holds = holds && (heads || holds_digits(totals, block, (double)all, rows));
    }
    double *beyond = sums + EMULATION_OF_FACTOR * n_factors;
    *beyond = totals_real(totals, weight, 0);
    holds = holds && holds_digits(totals, weight, *beyond, rows);
    for (size_t row = 0; row < n; row++) {
        beyond[1 + row] = totals_real(totals, died, row);
        beyond[1 + n + row] = totals_real(totals, lost, row);
    }
    return holds ? MAILLE_OK
                 : maille_fail(error, MAILLE_FAILED,
                               "expected weights of ten digits, found that they may be so large over the "
                               "bounds of the dictionary that their sums hold fewer: narrow the bounds");
}

enum maille_code emulation_weighed(struct vector *theta, const struct emulation *trial,
                                   const struct totals *totals, const struct surviving *surviving,
                                   struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const int64_t rows = totals_count(totals, EMULATION_BLOCK_ROWS, 0);
    if (rows == 0) {
        code = wording_nobody(error, totals_count(totals, EMULATION_BLOCK_MISSING, 0));
        goto out;
    }
    vector_push(theta, (double)rows);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        const struct emulation_life life = emulation_life_of(trial, surviving, a, arena);
        MAILLE_TRY(read_sums(vector_grow(theta, emulation_life_sums(&life)), trial, totals, a, error));
    }
out:
    return code;
}

static f128 *read_square(const struct totals *totals, size_t block, size_t n, struct arena *arena)
{
    f128 *upper = arena_array(arena, n * (n + 1) / 2, sizeof *upper),
         *full = arena_array(arena, n * n, sizeof *full);
    for (size_t i = 0; i < n * (n + 1) / 2; i++)
        upper[i] = totals_quad(totals, block, i);
    linear_unpack(full, upper, n);
    return full;
}

enum maille_code emulation_sloped(struct vector *theta, const struct emulation *trial,
                                  const struct totals *totals, struct arena *arena,
                                  struct maille_error *error)
{
    const size_t n = trial->design->n_columns, pairs = emulation_pairs(trial);
    const double rows = trial->n;
    struct linear_factor factors[EMULATION_STEPS_MAX];
    (void)error;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const f128 *information = read_square(totals, k, n, arena);
        const double rounding = rows * ldexp(1, -totals->extents[k].fraction);
        f128 *floor = arena_array(arena, n, sizeof *floor);
        for (size_t j = 0; j < n; j++) /* of the columns of all levels some are combinations of others */
            floor[j] = (f128)FIT_COLLINEAR * information[j * n + j] + (f128)(4 * rounding);
        linear_decompose(&factors[k], arena, information, floor, NULL, n);
    }
    f128 *along = arena_array(arena, n, sizeof *along);
    for (size_t t = 0; t < trial->n_targets; t++)
        for (size_t pair = 0; pair < pairs; pair++) {
            size_t term;
            const size_t block = emulation_block_derivative(trial, pair, t, &term);
            for (size_t j = 0; j < n; j++)
                along[j] = totals_quad(totals, block, term + j);
            linear_solve(&factors[pair < trial->n_steps ? pair : trial->n_steps - 1], along);
            for (size_t j = 0; j < n; j++)
                vector_push(theta, (double)along[j]);
        }
    return MAILLE_OK;
}

/* --- the result --- */

struct reading {
    const struct emulation *trial;
    const struct totals *totals;
    const struct surviving *surviving;
    struct outcome *outcome;
    struct emulation_life lives[EMULATION_ARMS];
    double numbers[EMULATION_ARMS][EMULATION_TARGETS_MAX]; /* NaN: not known */
    double rows, z;
};

static enum maille_code read_arm(struct reading *reading, size_t a, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct emulation *trial = reading->trial;
    struct arena *arena = reading->outcome->arena;
    const struct emulation_life *life = &reading->lives[a];
    double *sums = arena_array(arena, emulation_life_sums(life), sizeof *sums);
    MAILLE_TRY(read_sums(sums, trial, reading->totals, a, error));
    emulation_life_survival(reading->numbers[a], life, sums);
    if (trial->tau > 0)
        reading->numbers[a][trial->n_rows + 1] =
            isnan(reading->numbers[a][trial->tau])
                ? NAN
                : emulation_life_mean(life, reading->numbers[a], trial->tau);
out:
    return code;
}

static enum maille_code check_digits(const struct reading *reading, struct maille_error *error)
{
    const struct emulation *trial = reading->trial;
    for (size_t t = 0; t < trial->n_targets; t++) {
        const size_t block = emulation_block_target(trial, t);
        const f128 *square = read_square(reading->totals, block, EMULATION_ARMS, reading->outcome->arena);
        if (fit_check_middle(square, EMULATION_ARMS, reading->rows, reading->totals->extents[block].fraction,
                             NULL) != MAILLE_OK)
            return maille_fail(error, MAILLE_FAILED,
                               "expected errors of nine digits, found that weights may be so large over the "
                               "bounds of the dictionary that their sums hold fewer: narrow the bounds");
    }
    return MAILLE_OK;
}

/* Of what moves by `waits` times D of the one arm and `starts` times that of the other. */
static double error_of(const struct reading *reading, size_t target, double waits, double starts)
{
    const f128 by[] = {(f128)waits, (f128)starts};
    const f128 *square = read_square(reading->totals, emulation_block_target(reading->trial, target),
                                     EMULATION_ARMS, reading->outcome->arena);
    return sqrt(fmax((double)linear_form(square, by, EMULATION_ARMS), 0)) / reading->rows;
}

/* Of one arm; NaN where it is not known, or all have died. */
static double own_error(const struct reading *reading, size_t a, size_t target)
{
    return reading->numbers[a][target] > 0
               ? error_of(reading, target, a == EMULATION_WAITS, a == EMULATION_STARTS)
               : NAN;
}

static bool is_told(const struct reading *reading, size_t a, size_t target)
{
    return !isnan(reading->numbers[a][target]);
}

/* Limits are those of log S, and end at 1. */
static void report_curve(const struct reading *reading, size_t a, struct result *curves)
{
    const struct emulation *trial = reading->trial;
    const double *numbers = reading->numbers[a];
    const size_t mean = trial->n_rows + 1;
    struct result *row = result_add_object(curves, NULL);
    result_add_string(row, "stratum", trial->arms[a].name);
    result_add_count(row, "n", llround(reading->rows));
    result_add_count(row, "n_followed",
                     totals_count(reading->totals, emulation_block_of(trial, a, EMULATION_BLOCK_BEYOND), 0));
    if (trial->tau == 0) {
        result_add_null(row, "rmst");
    } else {
        struct result *rmst = result_add_object(row, "rmst");
        result_add_number(rmst, "tau", trial->times[trial->tau - 1]);
        result_add_number(rmst, "estimate", numbers[mean]);
        result_add_number(rmst, "std_error", own_error(reading, a, mean));
    }
    struct result *times = result_add_list(row, "time"), *events = result_add_list(row, "n_event_at"),
                  *estimates = result_add_list(row, "estimate"), *errors = result_add_list(row, "std_error"),
                  *lows = result_add_list(row, "conf_low"), *highs = result_add_list(row, "conf_high");
    for (size_t t = 0; t <= trial->n_rows; t++) {
        const double error = own_error(reading, a, t), half = reading->z * error / numbers[t];
        if (!is_told(reading, a, t))
            continue;
        result_add_number(times, NULL, trial->ends[t]);
        if (t == 0)
            result_add_null(events, NULL);
        else
            result_add_count(events, NULL,
                             totals_count(reading->totals,
                                          emulation_block_of(trial, a, EMULATION_BLOCK_DIED_HEADS), t - 1));
        result_add_number(estimates, NULL, numbers[t]);
        result_add_number(errors, NULL, error);
        result_add_number(lows, NULL, numbers[t] * elementary_exp(-half));
        result_add_number(highs, NULL, isnan(half) ? NAN : fmin(numbers[t] * elementary_exp(half), 1));
    }
}

static double normal_p(double statistic)
{
    return 2 * pnorm5(-fabs(statistic), 0, 1, 1, 0);
}

/* Of numbers that are told of both arms: those of the one beside those of the other. */
static void report_contrast(const struct reading *reading, const char *quantity, size_t first, size_t n,
                            struct result *rows)
{
    static const char *const names[] = {
        "time",  "difference", "difference_se", "difference_low", "difference_high", "difference_p_value",
        "ratio", "ratio_low",  "ratio_high",    "ratio_p_value"};
    enum { N = sizeof names / sizeof *names };
    const struct emulation *trial = reading->trial;
    struct result *row = result_add_object(rows, NULL), *lists[N];
    result_add_string(row, "stratum", trial->arms[EMULATION_STARTS].name);
    result_add_string(row, "reference", trial->arms[EMULATION_WAITS].name);
    result_add_string(row, "quantity", quantity);
    for (size_t i = 0; i < N; i++)
        lists[i] = result_add_list(row, names[i]);
    for (size_t t = first; t < first + n; t++) {
        const double a = reading->numbers[EMULATION_STARTS][t], b = reading->numbers[EMULATION_WAITS][t],
                     z = reading->z;
        if (isnan(a) || isnan(b))
            continue;
        const bool known = a > 0 && b > 0;
        const double difference = a - b, error = known ? error_of(reading, t, -1, 1) : NAN,
                     logarithm = known ? elementary_log(a / b) : NAN,
                     log_error = known ? error_of(reading, t, -1 / b, 1 / a) : NAN;
        const double values[N] = {trial->ends[t > trial->n_rows ? trial->tau : t],
                                  difference,
                                  error,
                                  difference - z * error,
                                  difference + z * error,
                                  error > 0 ? normal_p(difference / error) : NAN,
                                  elementary_exp(logarithm),
                                  elementary_exp(logarithm - z * log_error),
                                  elementary_exp(logarithm + z * log_error),
                                  log_error > 0 ? normal_p(logarithm / log_error) : NAN};
        for (size_t i = 0; i < N; i++)
            result_add_number(lists[i], NULL, values[i]);
    }
}

static void warn_arm(const struct reading *reading, size_t a)
{
    const struct emulation *trial = reading->trial;
    const struct emulation_life *life = &reading->lives[a];
    const char *name = trial->arms[a].name;
    struct outcome *outcome = reading->outcome;
    for (size_t row = 0; row < trial->n_rows; row++) {
        if (life->events[row] != row) {
            outcome->grid_merged = true;
            outcome->suppressed++;
            wording_warn(outcome,
                         "S of %s at time %g is withheld: too few had the event since the time before, or "
                         "until the next",
                         name, trial->times[row]);
        } else if (!is_told(reading, a, row + 1)) {
            wording_warn(outcome, "nobody of %s is at risk at time %g: nothing is known", name,
                         trial->times[row]);
        }
    }
    if (trial->tau > 0 && !is_told(reading, a, trial->n_rows + 1)) {
        outcome->suppressed += life->events[trial->tau - 1] != trial->tau - 1;
        wording_warn(outcome, "S of %s at tau (%g) is not told: there is no restricted mean", name,
                     trial->times[trial->tau - 1]);
    }
    for (size_t row = 0; row < trial->n_rows; row++)
        outcome->grid_merged = outcome->grid_merged || life->losses[row] != row;
    if (!surviving_kept(reading->surviving, emulation_cells_of(a, EMULATION_CELLS_LOST), 0)) {
        outcome->suppressed++;
        wording_warn(
            outcome,
            "how many of %s are lost to follow-up is withheld: whoever is lost is taken as followed to "
            "the last of `times`",
            name);
    }
}

enum maille_code emulation_report(const struct emulation *trial, const struct totals *totals,
                                  const struct surviving *surviving, struct outcome *outcome,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reading reading = {.trial = trial,
                              .totals = totals,
                              .surviving = surviving,
                              .outcome = outcome,
                              .rows = (double)totals_count(totals, EMULATION_BLOCK_ROWS, 0),
                              .z = -arithmetic_normal_quantile((1 - trial->analysis->conf_level) / 2)};
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        reading.lives[a] = emulation_life_of(trial, surviving, a, outcome->arena);
        MAILLE_TRY(read_arm(&reading, a, error));
    }
    MAILLE_TRY(check_digits(&reading, error));
    outcome->n = llround(reading.rows);
    outcome->n_event = totals_count(totals, EMULATION_BLOCK_EVENTS, 0);
    groups_cohort_read(outcome, totals, EMULATION_BLOCK_MISSING, surviving);
    struct result *curves = result_add_list(outcome->result, "curves");
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        report_curve(&reading, a, curves);
    struct result *contrasts = result_add_list(outcome->result, "contrasts");
    if (trial->tau > 0)
        report_contrast(&reading, "rmst", trial->n_rows + 1, 1, contrasts);
    report_contrast(&reading, "survival", 0, trial->n_rows + 1, contrasts);
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        warn_arm(&reading, a);
out:
    return code;
}
