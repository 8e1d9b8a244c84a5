/* Newton–Raphson for the regression models: McCullagh and Nelder, Generalized Linear Models, 2nd ed., §2.5
 * (canonical links: Fisher scoring is Newton); Therneau and Grambsch, Modeling Survival Data, 2000, §3.1
 * (partial likelihood). */
#include "stats/fit.h"

#include <math.h>
#include <string.h>

#include "stats/spread.h"

struct tally_block *fit_block(struct tally_spec *spec, const struct guard *guard,
                              const struct expression *filter, const struct expression *weight, int order)
{
    struct tally_block *block = tally_spec_add(spec);
    block->guard = guard;
    block->filter = filter;
    block->weight = weight;
    block->order = order;
    return block;
}

enum { THETA_STAGE, THETA_SHIFT, THETA_NARROWED, THETA_HEAD };
/* A half-range that θ may name, as a share of the dictionary's. */
#define THETA_HALF_MIN 0x1p-40

unsigned fit_theta_stage(const struct vector *theta)
{
    return theta->n == 0 ? 0 : (unsigned)theta->v[THETA_STAGE];
}

double *fit_theta_gamma(struct vector *theta)
{
    return theta->v + THETA_HEAD;
}

/* Are these bounds within the dictionary's? middle, half: n columns each. */
static bool is_narrower(const struct design *design, const double *middle, const double *half)
{
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (half[j] == 0)
            continue;
        if (!column->numeric || !(half[j] <= column->half && half[j] >= column->half * THETA_HALF_MIN) ||
            !(fabs(middle[j] - column->middle) <= column->half))
            return false;
    }
    return true;
}

enum maille_code fit_theta_read(struct fit_theta *view, struct arena *arena, const struct design **design,
                                bool centred, const struct vector *theta, struct maille_error *error)
{
    size_t n = (*design)->n_columns;
    const bool first = theta->n == 0;
    double *gamma = arena_array(arena, n, sizeof *gamma);
    bool *kept = arena_array(arena, n, sizeof *kept);
    *view = (struct fit_theta){
        .gamma = gamma, .kept = kept, .columns = arena_array(arena, n, sizeof *view->columns)};
    if (!first) {
        const bool narrowed = theta->n > THETA_NARROWED && theta->v[THETA_NARROWED] == 1;
        const size_t size = THETA_HEAD + (narrowed ? 4 : 2) * n;
        if (theta->n < size)
            return maille_fail(error, MAILLE_INVALID,
                               "expected parameters for a design of %zu columns, found %zu numbers", n,
                               theta->n);
        for (size_t i = 0; i < theta->n; i++)
            if (!isfinite(theta->v[i]))
                return maille_fail(error, MAILLE_INVALID,
                                   "expected finite parameters, found one that is not");
        if (!(theta->v[THETA_STAGE] >= !narrowed && theta->v[THETA_STAGE] <= 8))
            return maille_fail(error, MAILLE_INVALID, "expected parameters of a known stage, found %g",
                               theta->v[THETA_STAGE]);
        if (narrowed) {
            const double *middle = theta->v + THETA_HEAD + 2 * n, *half = middle + n;
            if (!is_narrower(*design, middle, half))
                return maille_fail(error, MAILLE_INVALID,
                                   "expected bounds within the dictionary's, found others");
            *design = design_narrow(arena, *design, middle, half);
        }
        view->stage = (unsigned)theta->v[THETA_STAGE];
        view->shift = theta->v[THETA_SHIFT];
        view->extra = theta->v + size;
        view->n_extra = theta->n - size;
    }
    for (size_t j = 0; j < n; j++) {
        gamma[j] = view->stage == 0 ? 0 : theta->v[THETA_HEAD + j];
        kept[j] = (view->stage == 0 || theta->v[THETA_HEAD + n + j] == 1) && !(centred && j == 0);
        if (kept[j])
            view->columns[view->n_columns++] = j;
    }
    return MAILLE_OK;
}

void fit_theta_public_gamma(double *gamma, const struct fit_theta *view, const struct design *narrowed,
                            const struct design *design)
{
    memcpy(gamma, view->gamma, design->n_columns * sizeof *gamma);
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *own = &design->columns[j], *narrow = &narrowed->columns[j];
        if (own->half == narrow->half && own->middle == narrow->middle)
            continue;
        gamma[j] = view->gamma[j] * (own->half / narrow->half); /* powers of two */
        gamma[own->base] += view->gamma[j] * ((own->middle - narrow->middle) / narrow->half);
    }
}

const struct expression *const *fit_theta_terms(const struct fit_theta *view, struct arena *arena,
                                                const struct design *design, const struct expression *first)
{
    const struct expression **terms = arena_array(arena, view->n_columns + 1, sizeof *terms);
    size_t n = 0;
    if (first)
        terms[n++] = first;
    for (size_t i = 0; i < view->n_columns; i++)
        terms[n++] = design->columns[view->columns[i]].term;
    return terms;
}

size_t fit_memo_size(const struct design *design)
{
    return FIT_SCALARS + 7 * design->n_columns + fit_poly_size(design);
}

void fit_bind(struct fit *fit, const struct design *design, bool centred, struct vector *memo)
{
    size_t n = design->n_columns;
    if (memo->n == 0)
        vector_grow(memo, fit_memo_size(design));
    double *v = memo->v;
    *fit = (struct fit){.design = design,
                        .centred = centred,
                        .scalars = v,
                        .state = v + FIT_SCALARS,
                        .beta = v + FIT_SCALARS + n,
                        .accepted = v + FIT_SCALARS + 2 * n,
                        .sum = v + FIT_SCALARS + 3 * n,
                        .event_sum = v + FIT_SCALARS + 4 * n,
                        .low = v + FIT_SCALARS + 5 * n,
                        .accepted_low = v + FIT_SCALARS + 6 * n,
                        .moments = v + FIT_SCALARS + 7 * n,
                        .memo = memo};
}

enum maille_code fit_choose_columns(struct fit *fit, struct outcome *outcome, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool used[DESIGN_COLUMNS_MAX];
    MAILLE_TRY(design_used(fit->design, fit->sum, used, outcome->dropped_levels, error));
    for (size_t j = 0; j < fit->design->n_columns; j++)
        fit->state[j] = used[j] && !(fit->centred && j == 0) ? FIT_USED : FIT_UNUSED;
out:
    return code;
}

/* β_j to twice the digits of a double where the design is narrowed: there a constant is far from what the
 * columns of the model make of it. */
static f128 coefficient(const struct fit *fit, size_t j)
{
    return (f128)fit->beta[j] + (f128)fit->low[j];
}

static void set_coefficient(struct fit *fit, size_t j, f128 value)
{
    fit->beta[j] = (double)value;
    fit->low[j] = fit->design->narrowed ? (double)(value - (f128)fit->beta[j]) : 0;
}

static void narrowed_gamma(const struct fit *fit, double *gamma)
{
    const struct design *design = fit->design;
    for (size_t base = 0; base < design->n_columns; base++) {
        f128 sum = 0;
        for (size_t j = 0; j < design->n_columns; j++) {
            const struct design_column *column = &design->columns[j];
            if ((int)fit->state[j] != FIT_USED && !fit_is_infinite(fit, j))
                continue;
            if (j == base)
                sum += coefficient(fit, j) * (f128)column->half;
            if (column->numeric && column->base == base && !(fit->centred && base == 0))
                sum += coefficient(fit, j) * (f128)column->middle;
        }
        gamma[base] = (double)sum;
    }
}

void fit_gamma(const struct fit *fit, double *gamma)
{
    const struct design *design = fit->design;
    memset(gamma, 0, design->n_columns * sizeof *gamma);
    if (design->narrowed) {
        narrowed_gamma(fit, gamma);
        return;
    }
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (fit->state[j] != FIT_USED && !fit_is_infinite(fit, j))
            continue;
        gamma[j] += fit->beta[j] * column->half; /* a power of two: exact */
        if (column->numeric && !(fit->centred && column->base == 0))
            gamma[column->base] += fit->beta[j] * column->middle;
    }
}

double fit_shift(const struct fit *fit, const double *gamma)
{
    f128 sum = (f128)fit->scalars[FIT_OFFSET];
    if (!fit->centred || !(fit->scalars[FIT_ROWS] > 0))
        return 0;
    for (size_t j = 0; j < fit->design->n_columns; j++)
        if (!fit_is_infinite(fit, j)) /* the mean of the others */
            sum += (f128)gamma[j] * (f128)fit->sum[j];
    return (double)(sum / (f128)fit->scalars[FIT_ROWS]);
}

void fit_theta_head(struct vector *theta, unsigned stage, bool narrowed)
{
    vector_truncate(theta, 0);
    vector_push(theta, stage);
    vector_push(theta, 0);
    vector_push(theta, narrowed);
}

void fit_theta_bounds(struct vector *theta, const double *middle, const double *half, size_t n)
{
    for (size_t j = 0; j < 2 * n; j++)
        vector_push(theta, j < n ? middle[j] : half[j - n]);
}

void fit_theta_write(const struct fit *fit, struct vector *theta, unsigned stage)
{
    size_t n = fit->design->n_columns;
    fit_theta_head(theta, stage, fit->design->narrowed);
    fit_gamma(fit, vector_grow(theta, n));
    theta->v[THETA_SHIFT] = fit_shift(fit, theta->v + THETA_HEAD);
    double *kept = vector_grow(theta, n);
    kept[0] = !fit->centred;
    for (size_t j = 1; j < n; j++)
        if (fit_is_free(fit, j))
            kept[j] = kept[fit->design->columns[j].base] = 1;
    if (fit->centred)
        kept[0] = 0;
    if (!fit->design->narrowed)
        return;
    double middle[DESIGN_COLUMNS_MAX], half[DESIGN_COLUMNS_MAX];
    for (size_t j = 0; j < n; j++) {
        const struct design_column *column = &fit->design->columns[j];
        middle[j] = column->numeric ? column->middle : 0;
        half[j] = column->numeric ? column->half : 0;
    }
    fit_theta_bounds(theta, middle, half, n);
}

void fit_theta_set_stage(struct vector *theta, unsigned stage)
{
    theta->v[THETA_STAGE] = stage;
}

void fit_theta_set_shift(struct vector *theta, double shift)
{
    theta->v[THETA_SHIFT] = shift;
}

double fit_theta_shift(const struct vector *theta)
{
    return theta->v[THETA_SHIFT];
}

/* One column of R on the tallied ones: half·(its own) + middle·(its base). Positions among the kept; −1: not
 * tallied. */
struct mix {
    ptrdiff_t at[2];
    f128 by[2];
};

static struct mix mix_of(const struct fit *fit, const ptrdiff_t *position, size_t j)
{
    const struct design_column *column = &fit->design->columns[j];
    struct mix mix = {.at = {position[j], -1}, .by = {(f128)column->half, (f128)column->middle}};
    if (column->numeric)
        mix.at[1] = position[column->base];
    return mix;
}

/* The columns of R's design (used or aliased) into columns; returns how many. */
static size_t model_columns(const struct fit *fit, size_t *columns)
{
    size_t n = 0;
    for (size_t j = 0; j < fit->design->n_columns; j++)
        if ((int)fit->state[j] != FIT_UNUSED && !fit_is_reference(fit, j))
            columns[n++] = j;
    return n;
}

void fit_to_model(f128 *score_out, f128 *information_out, struct arena *arena, const struct fit *fit,
                  const struct fit_theta *theta, const f128 *score, const f128 *information)
{
    size_t m = theta->n_columns, all = fit->design->n_columns;
    size_t *columns = arena_array(arena, all, sizeof *columns), n = model_columns(fit, columns);
    ptrdiff_t *position = arena_array(arena, all, sizeof *position);
    struct mix *mixes = arena_array(arena, n + 1, sizeof *mixes);
    for (size_t j = 0; j < all; j++)
        position[j] = -1;
    for (size_t i = 0; i < m; i++)
        position[theta->columns[i]] = (ptrdiff_t)i;
    for (size_t j = 0; j < n; j++) {
        mixes[j] = mix_of(fit, position, columns[j]);
        score_out[j] = 0;
        for (int u = 0; u < 2; u++)
            if (mixes[j].at[u] >= 0)
                score_out[j] += mixes[j].by[u] * score[mixes[j].at[u]];
        for (size_t k = 0; k <= j; k++) {
            f128 sum = 0;
            for (int u = 0; u < 2; u++)
                for (int v = 0; v < 2; v++)
                    if (mixes[j].at[u] >= 0 && mixes[k].at[v] >= 0)
                        sum += mixes[j].by[u] * mixes[k].by[v] *
                               information[(size_t)mixes[j].at[u] * m + (size_t)mixes[k].at[v]];
            information_out[j * n + k] = information_out[k * n + j] = sum;
        }
    }
}

/* What a pivot must be above: the column's own variation (about its level, else the constant, where R's
 * design has it), and rounding. lost: a number that varies by no more than rounding. */
static void choose_floor(f128 *floor, bool *lost, const struct normal *normal, const struct fit *fit,
                         const struct fit_tally *tally)
{
    size_t n = normal->n;
    const f128 *a = normal->information;
    bool constant = n > 0 && normal->columns[0] == 0;
    for (size_t j = 0, p = 0; j < n; j++) {
        const struct design_column *column = &fit->design->columns[normal->columns[j]];
        /* Where R's design has no constant, the middle of what would stand on it is not in the column. */
        const bool alone = fit->centred && column->base == 0;
        double size = (alone ? 0 : fabs(column->middle)) + column->half, raw = 0;
        f128 variation = a[j * n + j];
        size_t about = 0; /* a number that has a slope in a level varies there */
        for (size_t k = 1; k < j && column->numeric && about == 0; k++)
            about = normal->columns[k] == column->base ? k : 0;
        if ((constant || about > 0) && j > 0 && a[about * n + about] > 0)
            variation -= a[j * n + about] * a[j * n + about] / a[about * n + about];
        while (p < tally->theta->n_columns && tally->theta->columns[p] < normal->columns[j])
            p++;
        if (p < tally->theta->n_columns && tally->theta->columns[p] == normal->columns[j])
            raw = tally->raw[p];
        f128 rounding = (f128)(column->half * column->half * raw * SPREAD_ROUNDING) +
                        (f128)(size * size * tally->rounding);
        floor[j] = (f128)FIT_COLLINEAR * variation + rounding;
        lost[j] = column->numeric && spread_is_none(variation, rounding, 0, 0);
    }
}

enum maille_code fit_normal(struct normal *normal, struct arena *arena, struct fit *fit,
                            const struct fit_tally *tally, struct maille_error *error)
{
    const struct design *design = fit->design;
    *normal = (struct normal){.columns = arena_array(arena, design->n_columns, sizeof *normal->columns)};
    size_t n = normal->n = model_columns(fit, normal->columns);
    normal->score = arena_array(arena, n + 1, sizeof *normal->score);
    normal->step = arena_array(arena, n + 1, sizeof *normal->step);
    normal->information = arena_array(arena, n * n + 1, sizeof *normal->information);
    normal->variance = arena_array(arena, n * n + 1, sizeof *normal->variance);
    bool *lost = arena_array(arena, n + 1, sizeof *lost);
    f128 *floor = arena_array(arena, n + 1, sizeof *floor);
    bool *aliased = arena_array(arena, n + 1, sizeof *aliased);
    for (size_t j = 0; j < n; j++)
        aliased[j] = !fit_is_free(fit, normal->columns[j]);
    fit_to_model(normal->score, normal->information, arena, fit, tally->theta, tally->score,
                 tally->information);
    choose_floor(floor, lost, normal, fit, tally);
    linear_decompose(&normal->factor, arena, normal->information, floor, aliased, n);
    for (size_t j = 0; j < n; j++) {
        double *state = &fit->state[normal->columns[j]];
        if (!normal->factor.aliased[j] || aliased[j])
            continue;
        if (fit->scalars[FIT_STEPS] > 0)
            return maille_fail(error, MAILLE_FAILED,
                               "expected an estimate for %s, found one that runs to infinity (the outcome is "
                               "separated by the "
                               "model's terms): take the term out or merge its levels",
                               design->columns[normal->columns[j]].label);
        if (design_is_orthogonal(design, normal->columns[j]))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected a polynomial that is no combination of the other terms, found %s: take "
                "the others out, or write raw = TRUE",
                design->columns[normal->columns[j]].label);
        *state = lost[j] ? FIT_LOST : FIT_ALIASED;
    }
    memcpy(normal->step, normal->score, n * sizeof *normal->step);
    linear_solve(&normal->factor, normal->step);
    linear_inverse(&normal->factor, arena, normal->variance);
    return MAILLE_OK;
}

f128 *fit_influence(struct arena *arena, const struct fit *fit, const struct fit_theta *theta,
                    const struct normal *normal, const f128 *gradient)
{
    const size_t n = normal->n, m = theta->n_columns, all = fit->design->n_columns;
    f128 *own = arena_array(arena, n + 1, sizeof *own),
         *unused = arena_array(arena, n * n + 1, sizeof *unused),
         *zero = arena_array(arena, m * m + 1, sizeof *zero),
         *along = arena_array(arena, m + 1, sizeof *along);
    ptrdiff_t *position = arena_array(arena, all, sizeof *position);
    for (size_t j = 0; j < all; j++)
        position[j] = -1;
    for (size_t i = 0; i < m; i++)
        position[theta->columns[i]] = (ptrdiff_t)i;
    fit_to_model(own, unused, arena, fit, theta, gradient, zero);
    for (size_t j = 0; j < n; j++) {
        f128 sum = 0; /* V is 0 where a column is aliased */
        for (size_t k = 0; k < n; k++)
            sum += normal->variance[j * n + k] * own[k];
        const struct mix mix = mix_of(fit, position, normal->columns[j]);
        for (int u = 0; u < 2; u++)
            if (mix.at[u] >= 0)
                along[mix.at[u]] += mix.by[u] * sum;
    }
    return along;
}

enum maille_code fit_check_middle(const f128 *middle, size_t n, double rows, int fraction,
                                  struct maille_error *error)
{
    const double rounding = sqrt(rows) * ldexp(1, -fraction);
    for (size_t j = 0; j < n; j++)
        if (middle[j * n + j] > 0 && middle[j * n + j] < (f128)(1e9 * rounding))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected robust errors of nine digits, found that the linear predictor may be "
                "so large over the bounds of the dictionary that their sums hold fewer: narrow "
                "the bounds, or leave `robust` out");
    return MAILLE_OK;
}

f128 *fit_sandwich(struct arena *arena, const struct fit *fit, const struct fit_theta *theta,
                   const struct normal *normal, const f128 *middle)
{
    size_t n = normal->n;
    f128 *inner = arena_array(arena, n * n + 1, sizeof *inner),
         *half = arena_array(arena, n * n + 1, sizeof *half),
         *variance = arena_array(arena, n * n + 1, sizeof *variance);
    f128 *zero = arena_array(arena, theta->n_columns + 1, sizeof *zero),
         *unused = arena_array(arena, n + 1, sizeof *unused);
    fit_to_model(unused, inner, arena, fit, theta, zero, middle);
    for (size_t i = 0; i < n; i++) /* V is 0 where a column is aliased */
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                half[i * n + j] += normal->variance[i * n + k] * inner[k * n + j];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                variance[i * n + j] += half[i * n + k] * normal->variance[k * n + j];
    return variance;
}

double fit_step_size(const struct normal *normal, double dispersion)
{
    double largest = 0;
    for (size_t j = 0; j < normal->n; j++)
        if (!normal->factor.aliased[j])
            largest =
                fmax(largest, fabs((double)normal->step[j]) / fit_standard_error(normal, j, dispersion));
    return largest;
}

/* In the first step a level was compared with one whose estimate is infinite; from now on with its base. */
static void compare_with_base(struct fit *fit, const f128 *first)
{
    const struct design_column *columns = fit->design->columns;
    for (size_t base = 0; base < fit->design->n_columns; base++) {
        if ((int)fit->state[base] != FIT_BASE || !fit_stands_alone(fit, base))
            continue; /* elsewhere the next steps find it */
        for (size_t j = 1; j < fit->design->n_columns; j++)
            if ((int)fit->state[j] == FIT_USED && columns[j].formula_term == columns[base].formula_term)
                set_coefficient(fit, j, coefficient(fit, j) - first[base]);
        if (!fit->centred)
            set_coefficient(fit, 0, coefficient(fit, 0) + first[base]);
    }
}

void fit_take_step(struct fit *fit, const struct normal *normal)
{
    f128 first[DESIGN_COLUMNS_MAX] = {0};
    memcpy(fit->accepted, fit->beta, fit->design->n_columns * sizeof *fit->beta);
    memcpy(fit->accepted_low, fit->low, fit->design->n_columns * sizeof *fit->low);
    for (size_t j = 0; j < normal->n; j++) {
        const size_t at = normal->columns[j];
        if (fit_is_infinite(fit, at))
            first[at] = normal->step[j];
        else if (!normal->factor.aliased[j])
            set_coefficient(fit, at, coefficient(fit, at) + normal->step[j]);
    }
    if (fit->scalars[FIT_STEPS] == 0)
        compare_with_base(fit, first);
    for (size_t j = 0; j < fit->design->n_columns; j++)
        if (fit_is_infinite(fit, j))
            fit->beta[j] = fit_held(fit, j);
    fit->scalars[FIT_STEPS]++;
    fit->scalars[FIT_HALVINGS] = 0;
}

enum maille_code fit_count_halving(double *n, struct maille_error *error)
{
    if (++*n > FIT_HALVINGS_MAX)
        return maille_fail(error, MAILLE_FAILED,
                           "expected a Newton step that improves the fit, found none after %d halvings",
                           FIT_HALVINGS_MAX);
    return MAILLE_OK;
}

enum maille_code fit_halve(struct fit *fit, struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(fit_count_halving(&fit->scalars[FIT_HALVINGS], error));
    for (size_t j = 0; j < fit->design->n_columns; j++)
        if (!fit_is_infinite(fit, j))
            set_coefficient(fit, j,
                            (coefficient(fit, j) + (f128)fit->accepted[j] + (f128)fit->accepted_low[j]) / 2);
out:
    return code;
}
