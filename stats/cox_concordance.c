/* Concordance of a Cox model: of two patients of whom one has the event while the other is at risk and has
 * none, is the larger linear predictor his? (Harrell et al., JAMA 1982;247:2543; concordance() of R's
 * survival.)
 *
 * With strata(site) every site counts its own pairs, exactly. Pooled, patients are counted by stratum × time
 * × event × interval of the linear predictor, in 128 intervals that the round's θ carries; with more than 256
 * grid steps times are joined too. Pairs inside one interval, or inside one joined time, may be either way:
 * they make the bounds, and count one half in the estimate. How many pairs there are is known exactly from
 * round 1. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/arithmetic.h"
#include "stats/cox.h"
#include "stats/wording.h"

/* A bracket wider than this share of [0, 1] is no estimate. */
static const double bracket_max = 0.02;

enum { CUTS = 127, INTERVALS = CUTS + 1, TIMES_MAX = 256 };

/* Times of the table: the grid's own, or joined ones. */
static size_t n_times(const struct cox *cox)
{
    return cox->n_bins <= TIMES_MAX ? cox->n_bins : TIMES_MAX;
}

bool cox_concordance_pooled(const struct cox *cox)
{
    return cox->tables && !cox->formula->strata_site && cox->n_status == COX_EVENT + 1 &&
           cox->formula->n_terms > 0 &&
           cox->strata.n * n_times(cox) * cox->n_status * INTERVALS <= TALLY_GROUPS_MAX;
}

size_t cox_concordance_theta_size(const struct cox *cox)
{
    if (!cox_concordance_pooled(cox))
        return 0;
    return CUTS + (n_times(cox) < cox->n_bins ? TIMES_MAX - 1 : 0);
}

/* Last bins of the joined times, such that each has about as many events. */
static void push_times(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    double events = step->fit.scalars[FIT_EVENTS], sum = 0;
    size_t made = 0;
    for (size_t k = 0; k < cox->n_bins && made < TIMES_MAX - 1; k++) {
        for (size_t s = 0; s < cox->strata.n; s++)
            sum += step->ties[s * cox->n_bins + k];
        if (sum >= events * (double)(made + 1) / TIMES_MAX) {
            vector_push(&step->iteration->theta, (double)k);
            made++;
        }
    }
    for (size_t k = cox->n_bins; made < TIMES_MAX - 1; made++, k++)
        vector_push(&step->iteration->theta, (double)k);
}

/* How many values the predictor of a model of categories alone can have; 0 when they are not few. */
static size_t few_values(const struct cox *cox)
{
    const struct design *design = cox->design;
    size_t n = 1;
    if (cox->formula->offset)
        return 0;
    for (size_t f = 0; f < cox->formula->n_factors && n <= INTERVALS; f++)
        n *= design->factors[f].n_levels; /* 0 for a number */
    return n <= INTERVALS ? n : 0;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The predictor of combination k of the levels. */
static double value_of(const struct cox *cox, const struct fit_theta *at, size_t k)
{
    const struct design *design = cox->design;
    size_t level[FORMULA_FACTORS_MAX];
    double sum = -at->shift;
    for (size_t f = 0; f < cox->formula->n_factors; f++) {
        level[f] = k % design->factors[f].n_levels;
        k /= design->factors[f].n_levels;
    }
    for (size_t j = 1; j < design->n_columns; j++) {
        bool here = true;
        for (size_t f = 0; f < cox->formula->n_factors; f++)
            here = here && (design->columns[j].levels[f] == DESIGN_ABSENT ||
                            design->columns[j].levels[f] == level[f]);
        sum += here ? at->gamma[j] : 0;
    }
    return sum;
}

/* Cuts between the values; those that rounding alone tells apart are one. What is left of the cuts lies
 * above. */
static void push_between(struct cox_step *step, size_t n)
{
    double values[INTERVALS];
    struct vector *theta = &step->iteration->theta;
    size_t made = 0;
    for (size_t k = 0; k < n; k++)
        values[k] = value_of(&step->cox, &step->at, k);
    /* cppcheck-suppress uninitvar ; the loop wrote the first n */
    qsort(values, n, sizeof *values, compare_numbers);
    for (size_t k = 1; k < n; k++)
        if (values[k] - values[k - 1] > 1e-9) {
            vector_push(theta, (values[k] + values[k - 1]) / 2);
            made++;
        }
    for (size_t above = 1; made < CUTS; made++, above++)
        vector_push(theta, values[n - 1] + (double)above);
}

/* s² = γ′Sγ, S the covariance of the columns over what the rows meet of the hazard, which the information has
 * tallied. */
void cox_concordance_spread(struct cox_step *step, const f128 *second_moments)
{
    size_t n = step->at.n_columns;
    f128 variance = 0, total = (f128)step->own[COX_EVENT_WEIGHT];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t a = step->at.columns[i], b = step->at.columns[j];
            f128 covariance = second_moments[i * n + j] / total -
                              (f128)step->event_sum[a] * (f128)step->event_sum[b] / (total * total);
            variance += (f128)step->at.gamma[a] * (f128)step->at.gamma[b] * covariance;
        }
    step->own[COX_SPREAD] = variance > 0 ? sqrt((double)variance) : 1;
}

/* Cuts c + s·Φ⁻¹(k/128): c the mean of the predictor over the rows. */
void cox_concordance_theta(struct cox_step *step)
{
    double middle = fit_shift(&step->fit, step->at.gamma) - step->at.shift;
    if (n_times(&step->cox) < step->cox.n_bins)
        push_times(step);
    if (few_values(&step->cox) > 0) {
        push_between(step, few_values(&step->cox));
        return;
    }
    for (int k = 1; k <= CUTS; k++)
        vector_push(&step->iteration->theta,
                    middle + step->own[COX_SPREAD] * arithmetic_normal_quantile((double)k / INTERVALS));
}

static bool ascending(const double *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!(v[i] > v[i - 1]))
            return false;
    return true;
}

/* The time of a bin: itself, or the joined one. */
static const struct expression *time_code(const struct cox *cox, const double *edges,
                                          const struct expression *bin, struct arena *arena)
{
    if (n_times(cox) == cox->n_bins)
        return bin;
    return expression_cut_open(arena, expression_number_of(arena, bin), edges, TIMES_MAX - 1, true);
}

enum maille_code cox_concordance_plan(const struct cox *cox, const struct fit_theta *at, const double *extra,
                                      struct arena *arena, struct tally_spec *spec,
                                      struct maille_error *error)
{
    size_t n_edges = cox_concordance_theta_size(cox) - CUTS;
    const double *cuts = extra + n_edges;
    if (!ascending(extra, n_edges) || !ascending(cuts, CUTS))
        return maille_fail(error, MAILLE_INVALID, "expected ascending cut points, found others");
    const struct expression *eta =
        design_predictor(cox->design, arena, at->gamma, cox->formula->offset, at->shift);
    const struct expression *interval = expression_cut_open(arena, eta, cuts, CUTS, true);
    const struct expression *leaving[] = {time_code(cox, extra, cox->exit, arena), cox->status, interval};
    struct tally_block *block = fit_block(spec, &guard_uncounted, cox->survival.filter, cox->weights, 0);
    block->group = groups_code(&cox->strata, arena, expression_cross(arena, leaving, 3));
    if (!cox->entry_code)
        return MAILLE_OK;
    const struct expression *entry = expression_survival(arena, OP_SURV_ENTRY, cox->survival.n_bins);
    const struct expression *entering[] = {time_code(cox, extra, entry, arena), interval};
    block = fit_block(spec, &guard_uncounted, cox->survival.filter, cox->weights, 0);
    block->group = groups_code(&cox->strata, arena, expression_cross(arena, entering, 2));
    return MAILLE_OK;
}

/* Comparable pairs by their weight: those at risk and without the event, times the events, at every grid
 * time. */
double cox_concordance_pairs(const struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    bool weighted = cox->weights != NULL;
    size_t block = weighted ? COX_BLOCK_EVENT_WEIGHTS : COX_BLOCK_TIES,
           entries = weighted ? COX_BLOCK_ENTRY_WEIGHTS : COX_BLOCK_ENTRIES;
    f128 pairs = 0;
    if (cox->n_status > COX_EVENT + 1)
        return 0;
    for (size_t s = 0; s < cox->strata.n; s++) {
        f128 left = 0;
        for (size_t k = cox->n_bins; k-- > 0;) {
            size_t cell = s * cox->n_bins + k, at = cox->n_status * cell;
            f128 events = weighted ? totals_quad(step->totals, block, at + COX_EVENT)
                                   : (f128)totals_count(step->totals, block, at + COX_EVENT);
            left +=
                weighted ? totals_quad(step->totals, block, at) : (f128)totals_count(step->totals, block, at);
            if (cox->entry_code)
                left -= weighted ? totals_quad(step->totals, entries, cell)
                                 : (f128)totals_count(step->totals, entries, cell);
            pairs += events * left;
            left += events;
        }
    }
    return (double)pairs;
}

/* A table of the round as numbers. */
struct table {
    const struct cox_step *step;
    size_t block;
};

static double read(const struct table *table, size_t index)
{
    return table->step->cox.weights ? totals_real(table->step->totals, table->block, index)
                                    : (double)totals_count(table->step->totals, table->block, index);
}

/* Weights by interval of who is certainly still there at a time, and the pairs that are certain. */
struct pairs {
    double later[INTERVALS], entered[INTERVALS];
    double concordant, discordant, tied;
    bool ties; /* pairs of one interval are */
};

static void add_pairs(struct pairs *pairs, const double *events)
{
    double certain[INTERVALS], all = 0, below = 0;
    for (size_t q = 0; q < INTERVALS; q++) {
        certain[q] = fmax(pairs->later[q] - pairs->entered[q], 0);
        all += certain[q];
    }
    for (size_t q = 0; q < INTERVALS; q++) {
        pairs->concordant += events[q] * below;
        pairs->discordant += events[q] * (all - below - certain[q]);
        pairs->tied += pairs->ties ? events[q] * certain[q] : 0;
        below += certain[q];
    }
}

/* Is a time of the table one step of the grid? */
static bool is_one_step(const struct cox_step *step, size_t time)
{
    const struct cox *cox = &step->cox;
    const double *edges = step->at.extra + step->at.n_extra - cox_concordance_theta_size(cox);
    if (n_times(cox) == cox->n_bins)
        return true;
    return time < TIMES_MAX - 1 && edges[time] == (time == 0 ? 0 : edges[time - 1] + 1);
}

static void count_stratum(struct pairs *pairs, const struct table *exits, const struct table *entries,
                          size_t stratum)
{
    const struct cox *cox = &exits->step->cox;
    size_t times = n_times(cox);
    memset(pairs->later, 0, sizeof pairs->later);
    memset(pairs->entered, 0, sizeof pairs->entered);
    for (size_t t = times; t-- > 0;) {
        size_t cell = stratum * times + t;
        bool exact = is_one_step(exits->step, t);
        double events[INTERVALS], censored[INTERVALS];
        for (size_t q = 0; q < INTERVALS; q++) {
            censored[q] = read(exits, (2 * cell + COX_CENSORED) * INTERVALS + q);
            events[q] = read(exits, (2 * cell + COX_EVENT) * INTERVALS + q);
            if (entries)
                pairs->entered[q] += read(entries, cell * INTERVALS + q);
            if (exact) /* events come before censorings; in a joined time nobody knows */
                pairs->later[q] += censored[q];
        }
        add_pairs(pairs, events);
        for (size_t q = 0; q < INTERVALS; q++)
            pairs->later[q] += events[q] + (exact ? 0 : censored[q]);
    }
}

static void report(struct result *result, double estimate, double low, double high, double pairs)
{
    struct result *concordance = result_add_object(result, "concordance");
    result_add_number(concordance, "estimate", estimate);
    result_add_number(concordance, "low", low);
    result_add_number(concordance, "high", high);
    result_add_number(concordance, "pairs", pairs);
}

void cox_concordance_report(const struct cox_step *step, size_t block, struct result *result)
{
    struct table exits = {.step = step, .block = block}, entries = {.step = step, .block = block + 1};
    double pairs = step->own[COX_PAIRS];
    struct pairs certain = {.ties = few_values(&step->cox) > 0};
    if (!(pairs > 0) || block >= step->totals->spec->n_blocks) {
        result_add_null(result, "concordance");
        return;
    }
    for (size_t s = 0; s < step->cox.strata.n; s++)
        count_stratum(&certain, &exits, step->cox.entry_code ? &entries : NULL, s);
    double low = (certain.concordant + certain.tied / 2) / pairs,
           high = (pairs - certain.discordant - certain.tied / 2) / pairs, estimate = (low + high) / 2;
    if (high - low > bracket_max) {
        estimate = NAN;
        wording_warn(
            step->outcome,
            "the concordance is null: too many pairs have predictors or times that were counted together, so "
            "that it lies anywhere from %.3f to %.3f",
            low, high);
    }
    report(result, estimate, low, high, pairs);
}

void cox_concordance_site_plan(const struct cox *cox, const struct expression *eta, struct arena *arena,
                               struct tally_spec *spec)
{
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 0);
    double weight = cox->weights ? fmax(cox->weights->high, 1) : 1;
    block->kind = TALLY_RISKSET;
    block->riskset = RISKSET_CONCORDANCE;
    block->group = groups_code(&cox->strata, arena, NULL);
    block->eta = eta;
    block->bound = ldexp(weight * weight, TALLY_N_MAX_LOG2); /* a patient's pairs with all others */
}

void cox_concordance_site_report(const struct cox_step *step, size_t block, struct result *result)
{
    double concordant = totals_real(step->totals, block, 0), discordant = totals_real(step->totals, block, 1),
           equal = totals_real(step->totals, block, 2), pairs = concordant + discordant + equal;
    if (!(pairs > 0)) {
        result_add_null(result, "concordance");
        return;
    }
    double estimate = (concordant + equal / 2) / pairs;
    report(result, estimate, estimate, estimate, pairs);
}
