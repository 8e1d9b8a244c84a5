/* Curves of a target trial, and their errors.
 *
 * With w_i(t) the weight of a clone, n(t) = Σ w_i(t) of who is at risk in bin t and d(t) that of the events,
 * S(u) = Π_{t ≤ u} (1 − d/n) and RMST(τ) = ∫₀^τ S. A clone moves a number Q of these by
 *
 *     φ_i = Σ_t c(t)·w_i(t)·[1(exit_i ≥ t)·d/(n·(n − d)) − 1(event_i at t)/(n − d)],
 *
 * c(t) = S(u) for t ≤ u of S(u), and ∫_t^τ S of RMST: the infinitesimal jackknife (T. M. Therneau and P. M.
 * Grambsch, Modeling Survival Data, 2000, §7.2). The weights were estimated: with β̂_k the coefficients of
 * model k, V_k the inverse of its information and g_k = ∂Q/∂β_k, a patient moves Q by
 *
 *     D_i = Σ φ_i + Σ_k g_k′·V_k·x_i·(y_ik − p_ik)·1(i in model k),
 *
 * and a difference between arms by the difference of D_i, so that both clones of a patient stand in one
 * square (stacked estimating equations: L. A. Stefanski and D. D. Boos, The American Statistician
 * 2002;56:29). The variance is Σ D_i². Products of φ_i and of the scores are tallied, and no site is told a
 * coefficient of D. */
#include <math.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/emulation.h"
#include "stats/wording.h"
#include "tally/elementary.h"

/* Times within this share of a bin are one. */
#define SLACK 1e-9

/* --- a curve --- */

size_t emulation_end(const struct emulation *trial, const struct surviving *surviving,
                     enum emulation_arm_index arm)
{
    return surviving == NULL ? trial->n_bins
                             : surviving_end(surviving->kept[EMULATION_CELLS_RISK + arm], trial->n_bins);
}

void emulation_curve_make(struct emulation_curve *curve, const struct emulation *trial, const double *at_risk,
                          const double *died, size_t end, struct arena *arena)
{
    *curve = (struct emulation_curve){.end = end,
                                      .n_bins = trial->n_bins,
                                      .width = trial->axis.width,
                                      .at_risk = at_risk,
                                      .died = died,
                                      .survival = arena_array(arena, trial->n_bins, sizeof(double))};
    double survival = 1;
    for (size_t bin = 0; bin < trial->n_bins; bin++) {
        if (bin < end && died[bin] > 0)
            survival *= (at_risk[bin] - died[bin]) / at_risk[bin];
        curve->survival[bin] = survival;
    }
}

size_t emulation_bin_of(const struct emulation *trial, double time)
{
    const double bin = floor(time / trial->axis.width + SLACK);
    return bin < (double)trial->n_bins ? (size_t)bin : trial->n_bins - 1;
}

static bool is_rmst(const struct emulation *trial, size_t target)
{
    return target == trial->n_times;
}

static double time_of(const struct emulation *trial, size_t target)
{
    return is_rmst(trial, target) ? trial->tau : trial->times[target];
}

/* Does the curve go so far? */
static bool is_shown(const struct emulation *trial, const struct emulation_curve *curve, size_t target)
{
    const double end = (double)curve->end * curve->width, slack = SLACK * curve->width,
                 time = time_of(trial, target);
    return curve->end == curve->n_bins || (is_rmst(trial, target) ? time <= end + slack : time < end - slack);
}

/* ∫ of S from a bin's time to tau, of every bin. */
static double *areas_of(const struct emulation *trial, const struct emulation_curve *curve,
                        struct arena *arena)
{
    double *areas = arena_array(arena, trial->n_bins, sizeof *areas);
    const size_t last = emulation_bin_of(trial, trial->tau);
    areas[last] = fmax(trial->tau - (double)last * curve->width, 0) * curve->survival[last];
    for (size_t bin = last; bin-- > 0;)
        areas[bin] = areas[bin + 1] + curve->width * curve->survival[bin];
    return areas;
}

double emulation_target(const struct emulation *trial, const struct emulation_curve *curve, size_t target,
                        struct arena *arena)
{
    if (!is_shown(trial, curve, target))
        return NAN;
    return is_rmst(trial, target) ? areas_of(trial, curve, arena)[0]
                                  : curve->survival[emulation_bin_of(trial, trial->times[target])];
}

const double *emulation_moves(const struct emulation *trial, const struct emulation_curve *curve,
                              size_t target, enum emulation_arm_index arm, size_t segment, double rows,
                              struct arena *arena)
{
    const struct emulation_arm *of = &trial->arms[arm];
    const size_t n = trial->n_bins, last = emulation_bin_of(trial, time_of(trial, target)),
                 from = segment == 0 ? 0 : of->after[segment] + 1,
                 to = segment + 1 < of->n_segments ? of->after[segment + 1] : n - 1;
    if (!is_shown(trial, curve, target))
        return NULL;
    double *table = arena_array(arena, EMULATION_STATES * n, sizeof *table), sum = 0;
    const double *areas = is_rmst(trial, target) ? areas_of(trial, curve, arena) : NULL;
    for (size_t bin = from; bin < n; bin++) {
        const double at_risk = curve->at_risk[bin], died = curve->died[bin], stay = at_risk - died;
        const bool counts = bin <= to && bin <= last && bin < curve->end && died > 0 && stay > 0;
        const double by = areas != NULL ? areas[bin] : curve->survival[last];
        if (counts)
            sum += by * died / (at_risk * stay);
        for (size_t state = 0; state < EMULATION_STATES; state++)
            table[bin * EMULATION_STATES + state] = rows * sum;
        if (counts)
            table[bin * EMULATION_STATES + EMULATION_EVENT] -= rows * by / stay;
    }
    return table;
}

/* --- totals --- */

/* An arm over its bins that are shown. */
struct clones {
    size_t end;
    int64_t *left[EMULATION_STATES], *heads; /* by bin; heads: at risk */
    double *at_risk, *died;                  /* weights */
    int64_t there;                           /* heads behind the grace period */
    double weight;                           /* and what they weigh */
    int64_t n_event, n_departed;             /* events: of these */
    size_t last;                             /* the last bin in which somebody leaves */
};

static enum maille_code read_clones(struct clones *clones, const struct emulation *trial,
                                    const struct totals *totals, const struct surviving *surviving,
                                    enum emulation_arm_index a, struct arena *arena,
                                    struct maille_error *error)
{
    const struct emulation_arm *arm = &trial->arms[a];
    const size_t n = trial->n_bins;
    int64_t heads = totals_count(totals, EMULATION_BLOCK_ROWS, 0);
    const double rows = (double)heads;
    f128 there = rows;
    *clones = (struct clones){.end = emulation_end(trial, surviving, a),
                              .heads = arena_array(arena, n, sizeof(int64_t)),
                              .at_risk = arena_array(arena, n, sizeof(double)),
                              .died = arena_array(arena, n, sizeof(double))};
    for (size_t state = 0; state < EMULATION_STATES; state++)
        clones->left[state] = arena_array(arena, n, sizeof(int64_t));
    for (size_t bin = 0, segment = 0, block = 0; bin < clones->end; bin++) {
        if (segment + 1 < arm->n_segments && bin == arm->after[segment + 1] + 1) {
            block = emulation_block_weights(trial, a, ++segment, false);
            there = totals_quad(totals, block + 1, 0);
            const double rounding = rows * ldexp(1, -totals->extents[block + 1].fraction);
            if (heads > 0 && !((double)there > 1e10 * rounding))
                return maille_fail(error, MAILLE_FAILED,
                                   "expected weights of ten digits, found that they may be so large over the "
                                   "bounds of the dictionary that their sums hold fewer: narrow the bounds");
        }
        clones->heads[bin] = heads;
        clones->at_risk[bin] = (double)there;
        for (size_t state = 0; state < EMULATION_STATES; state++) {
            const size_t at = bin * EMULATION_STATES + state;
            const int64_t left = totals_count(totals, EMULATION_BLOCK_COUNTS + a, at);
            const f128 weight = segment == 0 ? (f128)left : totals_quad(totals, block, at);
            clones->left[state][bin] = left;
            heads -= left;
            there -= weight;
            if (state == EMULATION_EVENT)
                clones->died[bin] = (double)weight;
        }
        clones->n_event += bin > trial->bins[trial->n_steps] ? clones->left[EMULATION_EVENT][bin] : 0;
        clones->n_departed += clones->left[EMULATION_DEPARTED][bin];
        clones->last = heads < clones->heads[bin] ? bin : clones->last;
        if (bin == trial->bins[trial->n_steps]) {
            clones->there = heads;
            clones->weight =
                (double)(segment + 1 < arm->n_segments
                             ? totals_quad(totals, emulation_block_weights(trial, a, segment + 1, true), 0)
                             : there);
        }
    }
    return MAILLE_OK;
}

enum maille_code emulation_weighed(struct vector *theta, const struct emulation *trial,
                                   const struct totals *totals, const struct surviving *surviving,
                                   struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct clones clones;
    const int64_t rows = totals_count(totals, EMULATION_BLOCK_ROWS, 0);
    if (rows == 0) {
        code = wording_nobody(error, totals_count(totals, EMULATION_BLOCK_MISSING, 0));
        goto out;
    }
    vector_push(theta, (double)rows);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        MAILLE_TRY(read_clones(&clones, trial, totals, surviving, (enum emulation_arm_index)a, arena, error));
        vector_push(theta, (double)clones.end);
        memcpy(vector_grow(theta, trial->n_bins), clones.at_risk, trial->n_bins * sizeof(double));
        memcpy(vector_grow(theta, trial->n_bins), clones.died, trial->n_bins * sizeof(double));
    }
out:
    return code;
}

/* --- errors --- */

struct errors {
    const struct emulation *trial;
    struct arena *arena;
    size_t n_terms;
    f128 *products; /* n_terms square */
    f128 *moves[EMULATION_ARMS][EMULATION_TARGETS_MAX];
    double rows;
};

static f128 *read_square(const struct totals *totals, size_t block, size_t n, struct arena *arena)
{
    f128 *upper = arena_array(arena, n * (n + 1) / 2, sizeof *upper),
         *full = arena_array(arena, n * n, sizeof *full);
    for (size_t i = 0; i < n * (n + 1) / 2; i++)
        upper[i] = totals_quad(totals, block, i);
    linear_unpack(full, upper, n);
    return full;
}

/* D of one number on the terms of the products, times the rows. */
static f128 *read_moves(const struct errors *errors, const struct totals *totals,
                        const struct linear_factor *factors, enum emulation_arm_index a, size_t target)
{
    const struct emulation *trial = errors->trial;
    const size_t n = trial->design->n_columns, n_moves = EMULATION_ARMS * trial->n_targets;
    f128 *moves = arena_array(errors->arena, errors->n_terms, sizeof *moves);
    moves[a * trial->n_targets + target] = 1;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const size_t block = emulation_block_derivatives(trial, a, target, k);
        if (block == SIZE_MAX)
            continue;
        f128 *along = moves + n_moves + k * n;
        for (size_t j = 0; j < n; j++)
            along[j] = totals_quad(totals, block, j);
        linear_solve(&factors[k], along);
    }
    return moves;
}

static enum maille_code read_errors(struct errors *errors, const struct totals *totals,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct emulation *trial = errors->trial;
    const size_t n = trial->design->n_columns, products = emulation_block_products(trial);
    struct linear_factor factors[EMULATION_STEPS_MAX];
    errors->rows = (double)totals_count(totals, EMULATION_BLOCK_ROWS, 0);
    errors->n_terms = EMULATION_ARMS * trial->n_targets + n * trial->n_steps;
    errors->products = read_square(totals, products, errors->n_terms, errors->arena);
    if (fit_check_middle(errors->products, errors->n_terms, errors->rows, totals->extents[products].fraction,
                         NULL) != MAILLE_OK) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected errors of nine digits, found that weights may be so large over the "
                           "bounds of the dictionary that their sums hold fewer: narrow the bounds");
        goto out;
    }
    for (size_t k = 0; k < trial->n_steps; k++) {
        const size_t block = emulation_block_information(trial, k);
        const f128 *information = read_square(totals, block, n, errors->arena);
        const double rounding = errors->rows * ldexp(1, -totals->extents[block].fraction);
        f128 *floor = arena_array(errors->arena, n, sizeof *floor);
        for (size_t j = 0; j < n; j++) /* of the columns of all levels some are combinations of others */
            floor[j] = (f128)FIT_COLLINEAR * information[j * n + j] + (f128)(4 * rounding);
        linear_decompose(&factors[k], errors->arena, information, floor, NULL, n);
    }
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        for (size_t t = 0; t < trial->n_targets; t++)
            errors->moves[a][t] = read_moves(errors, totals, factors, (enum emulation_arm_index)a, t);
out:
    return code;
}

/* Of what moves by `starts` times D of the one arm and `waits` times that of the other. */
static double error_of(const struct errors *errors, size_t target, double starts, double waits)
{
    f128 *moves = arena_array(errors->arena, errors->n_terms, sizeof *moves);
    for (size_t i = 0; i < errors->n_terms; i++)
        moves[i] = (f128)starts * errors->moves[EMULATION_STARTS][target][i] +
                   (f128)waits * errors->moves[EMULATION_WAITS][target][i];
    return sqrt(fmax((double)linear_form(errors->products, moves, errors->n_terms), 0)) / errors->rows;
}

/* --- the result --- */

struct reading {
    const struct emulation *trial;
    const struct surviving *surviving;
    struct outcome *outcome;
    struct clones clones[EMULATION_ARMS];
    struct emulation_curve curves[EMULATION_ARMS];
    struct errors errors;
    double z;
};

/* Is S of this bin told? At the end of the grace period, and in rows that hold enough events: between two
 * that did not, the weight of one who dies would be S less S of before, and with it what she is. */
static bool is_told(const struct reading *reading, size_t a, size_t bin)
{
    const struct emulation *trial = reading->trial;
    bool told = bin == trial->bins[trial->n_steps];
    for (size_t r = 0; r < trial->n_rows; r++)
        told = told || (bin == trial->rows[r] &&
                        surviving_kept(reading->surviving, EMULATION_CELLS_ROWS, a * trial->n_rows + r));
    return told && bin < reading->curves[a].end;
}

/* Of a number of S, whether it is told. */
static bool target_told(const struct reading *reading, size_t a, size_t target)
{
    const struct emulation *trial = reading->trial;
    return is_rmst(trial, target) || is_told(reading, a, emulation_bin_of(trial, trial->times[target]));
}

/* An estimate with its error; where nobody has died, or all have, there is none. NaN where it is not told. */
struct value {
    double estimate, std_error;
};

static struct value value_of(const struct reading *reading, size_t a, size_t target)
{
    const double estimate =
                     emulation_target(reading->trial, &reading->curves[a], target, reading->errors.arena),
                 error = error_of(&reading->errors, target, a == EMULATION_STARTS, a == EMULATION_WAITS);
    const bool known = is_rmst(reading->trial, target) || estimate > 0;
    if (!target_told(reading, a, target))
        return (struct value){NAN, NAN};
    return (struct value){estimate, isnan(estimate) || !known ? NAN : error};
}

static int64_t leavers(const struct clones *clones, size_t bin)
{
    return clones->left[EMULATION_CENSORED][bin] + clones->left[EMULATION_EVENT][bin] +
           clones->left[EMULATION_DEPARTED][bin];
}

/* Heads, bin by bin behind the grace period, which is one row: arm by arm and day by day it would tell what
 * became of each who has just started, and of events and censorings by arm how many of these died. */
static void report_heads(const struct reading *reading, size_t a, struct result *rows)
{
    const struct emulation *trial = reading->trial;
    const struct clones *clones = &reading->clones[a];
    const size_t grace = trial->bins[trial->n_steps];
    struct result *row = result_add_object(rows, NULL);
    result_add_string(row, "stratum", trial->arms[a].name);
    struct result *times = result_add_list(row, "time"), *at_risk = result_add_list(row, "n_risk"),
                  *events = result_add_list(row, "n_event_at"), *censored = result_add_list(row, "n_censor"),
                  *departed = result_add_list(row, "n_depart");
    result_add_number(times, NULL, (double)grace * trial->axis.width);
    result_add_count(at_risk, NULL, clones->heads[0]);
    result_add_null(events, NULL);
    result_add_null(censored, NULL);
    result_add_count(departed, NULL, clones->n_departed);
    for (size_t bin = grace + 1; bin < clones->end; bin++) {
        if (leavers(clones, bin) == 0)
            continue;
        result_add_number(times, NULL, (double)bin * trial->axis.width);
        result_add_count(at_risk, NULL, clones->heads[bin]);
        result_add_count(events, NULL, clones->left[EMULATION_EVENT][bin]);
        result_add_count(censored, NULL, clones->left[EMULATION_CENSORED][bin]);
        result_add_count(departed, NULL, 0);
    }
}

static void report_curve(const struct reading *reading, size_t a, struct result *curves)
{
    const struct emulation *trial = reading->trial;
    const struct clones *clones = &reading->clones[a];
    struct result *row = result_add_object(curves, NULL);
    result_add_string(row, "stratum", trial->arms[a].name);
    result_add_count(row, "n", llround(reading->errors.rows));
    result_add_count(row, "n_event_later", clones->n_event);
    result_add_count(row, "n_departed", clones->n_departed);
    if (isnan(trial->tau)) {
        result_add_null(row, "rmst");
    } else {
        const struct value mean = value_of(reading, a, trial->n_times);
        struct result *rmst = result_add_object(row, "rmst");
        result_add_number(rmst, "tau", trial->tau);
        result_add_number(rmst, "estimate", mean.estimate);
        result_add_number(rmst, "std_error", mean.std_error);
    }
    struct result *times = result_add_list(row, "time"), *estimates = result_add_list(row, "estimate");
    for (size_t bin = trial->bins[trial->n_steps]; bin < clones->end; bin++) {
        if (!is_told(reading, a, bin))
            continue;
        result_add_number(times, NULL, (double)bin * trial->axis.width);
        result_add_number(estimates, NULL, reading->curves[a].survival[bin]);
    }
    if (clones->end < trial->n_bins)
        wording_warn(reading->outcome,
                     "the curve of %s ends before time %.10g, where too few patients are left at risk",
                     trial->arms[a].name, (double)clones->end * trial->axis.width);
}

static void put_numbers(struct result *row, const char *const *names, size_t n, double *const *numbers,
                        size_t length)
{
    for (size_t i = 0; i < n; i++) {
        struct result *list = result_add_list(row, names[i]);
        for (size_t k = 0; k < length; k++)
            result_add_number(list, NULL, numbers[i][k]);
    }
}

/* Limits are those of log S, and end at 1. */
static void report_times(const struct reading *reading, size_t a, struct result *rows)
{
    static const char *const names[] = {"time", "estimate", "std_error", "conf_low", "conf_high"};
    enum { N = sizeof names / sizeof *names };
    const struct emulation *trial = reading->trial;
    const struct clones *clones = &reading->clones[a];
    double *numbers[N];
    struct result *row = result_add_object(rows, NULL);
    result_add_string(row, "stratum", trial->arms[a].name);
    for (size_t i = 0; i < N; i++)
        numbers[i] = arena_array(row->arena, trial->n_times, sizeof(double));
    for (size_t t = 0; t < trial->n_times; t++) {
        const struct value value = value_of(reading, a, t);
        const double half = reading->z * value.std_error / value.estimate;
        numbers[0][t] = trial->times[t];
        numbers[1][t] = value.estimate;
        numbers[2][t] = value.std_error;
        numbers[3][t] = value.estimate * elementary_exp(-half);
        numbers[4][t] = isnan(half) ? NAN : fmin(value.estimate * elementary_exp(half), 1);
        reading->outcome->suppressed += is_shown(trial, &reading->curves[a], t) && !target_told(reading, a, t);
    }
    put_numbers(row, names, N, numbers, trial->n_times);
    struct result *risk = result_add_list(row, "n_risk");
    for (size_t t = 0; t < trial->n_times; t++) {
        const size_t bin = (size_t)ceil(trial->times[t] / trial->axis.width - SLACK);
        if (bin <= trial->bins[trial->n_steps]) /* its end: who is followed beyond */
            result_add_count(risk, NULL, clones->there);
        else if (bin < clones->end)
            result_add_count(risk, NULL, clones->heads[bin]);
        else if (clones->end == trial->n_bins)
            result_add_count(risk, NULL, 0);
        else
            result_add_null(risk, NULL);
    }
}

static double normal_p(double statistic)
{
    return 2 * pnorm5(-fabs(statistic), 0, 1, 1, 0);
}

/* Numbers first … first + n − 1: those of the one arm beside those of the other. */
static void report_contrast(const struct reading *reading, const char *quantity, size_t first, size_t n,
                            struct result *rows)
{
    static const char *const names[] = {
        "time",  "difference", "difference_se", "difference_low", "difference_high", "difference_p_value",
        "ratio", "ratio_low",  "ratio_high",    "ratio_p_value"};
    enum { N = sizeof names / sizeof *names };
    const struct emulation *trial = reading->trial;
    double *numbers[N];
    struct result *row = result_add_object(rows, NULL);
    result_add_string(row, "stratum", trial->arms[EMULATION_STARTS].name);
    result_add_string(row, "reference", trial->arms[EMULATION_WAITS].name);
    result_add_string(row, "quantity", quantity);
    for (size_t i = 0; i < N; i++)
        numbers[i] = arena_array(row->arena, n, sizeof(double));
    for (size_t t = 0; t < n; t++) {
        const struct value a = value_of(reading, EMULATION_STARTS, first + t),
                           b = value_of(reading, EMULATION_WAITS, first + t);
        const bool known = a.estimate > 0 && b.estimate > 0;
        const double difference = a.estimate - b.estimate, z = reading->z,
                     error = isnan(a.std_error + b.std_error) ? NAN
                                                              : error_of(&reading->errors, first + t, 1, -1),
                     logarithm = known ? elementary_log(a.estimate / b.estimate) : NAN,
                     log_error =
                         known ? error_of(&reading->errors, first + t, 1 / a.estimate, -1 / b.estimate) : NAN;
        const double values[N] = {time_of(trial, first + t),
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
            numbers[i][t] = values[i];
    }
    put_numbers(row, names, N, numbers, n);
}

/* Who is followed beyond the grace period, and what they weigh: in either arm about as many as would be, had
 * everybody followed its strategy. */
static void report_weights(const struct reading *reading, size_t a, struct result *rows)
{
    const struct emulation *trial = reading->trial;
    struct result *row = result_add_object(rows, NULL);
    result_add_string(row, "stratum", trial->arms[a].name);
    struct result *times = result_add_list(row, "time"), *n = result_add_list(row, "n"),
                  *weights = result_add_list(row, "weight");
    result_add_number(times, NULL, (double)trial->bins[trial->n_steps] * trial->axis.width);
    result_add_count(n, NULL, reading->clones[a].there);
    result_add_number(weights, NULL, reading->clones[a].weight);
}

static void warn_times(const struct reading *reading, size_t a)
{
    const struct emulation *trial = reading->trial;
    const struct emulation_curve *curve = &reading->curves[a];
    const char *name = trial->arms[a].name;
    for (size_t t = 0; t < trial->n_targets; t++) {
        const double time = time_of(trial, t), last = (double)reading->clones[a].last * curve->width;
        if (!is_shown(trial, curve, t))
            wording_warn(
                reading->outcome,
                is_rmst(trial, t)
                    ? "tau (%g) is later than the end of the curve of %s: there is no restricted mean"
                    : "time %g is later than the end of the curve of %s: nothing is known",
                time, name);
        else if (!target_told(reading, a, t))
            wording_warn(reading->outcome,
                         "S of %s at time %g is withheld: too few had the event since the time before", name,
                         time);
        else if (curve->end == curve->n_bins && time > last + SLACK * curve->width)
            wording_warn(reading->outcome,
                         "%s %g is later than the last follow-up of stratum %s: its curve is taken as flat "
                         "from there on",
                         is_rmst(trial, t) ? "tau" : "time", time, name);
    }
}

enum maille_code emulation_report(const struct emulation *trial, const struct totals *totals,
                                  const struct surviving *surviving, struct outcome *outcome,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reading reading = {.trial = trial,
                              .surviving = surviving,
                              .outcome = outcome,
                              .errors = {.trial = trial, .arena = outcome->arena},
                              .z = -arithmetic_normal_quantile((1 - trial->analysis->conf_level) / 2)};
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        struct clones *clones = &reading.clones[a];
        MAILLE_TRY(read_clones(clones, trial, totals, surviving, (enum emulation_arm_index)a, outcome->arena,
                               error));
        emulation_curve_make(&reading.curves[a], trial, clones->at_risk, clones->died, clones->end,
                             outcome->arena);
    }
    MAILLE_TRY(read_errors(&reading.errors, totals, error));
    outcome->n = llround(reading.errors.rows);
    outcome->n_event = totals_count(totals, EMULATION_BLOCK_EVENTS, 0);
    groups_cohort_read(outcome, totals, EMULATION_BLOCK_MISSING, surviving);
    struct result *curves = result_add_list(outcome->result, "curves");
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        report_curve(&reading, a, curves);
    struct result *heads = result_add_list(outcome->result, "risk_sets");
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        report_heads(&reading, a, heads);
    struct result *times = result_add_list(outcome->result, "at_times");
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        report_times(&reading, a, times);
    struct result *contrasts = result_add_list(outcome->result, "contrasts");
    if (!isnan(trial->tau))
        report_contrast(&reading, "rmst", trial->n_times, 1, contrasts);
    report_contrast(&reading, "survival", 0, trial->n_times, contrasts);
    struct result *weights = result_add_list(outcome->result, "weights");
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        report_weights(&reading, a, weights);
        warn_times(&reading, a);
    }
out:
    return code;
}
