/* Round (a) of Cox's model over risk sets that span the sites (cox_pooled.c), as the analyst reads it: the
 * sums of each stratum × bin from the last bin to the first give the risk sets, these the log likelihood, the
 * score, and what (b) needs. */
#include <math.h>
#include <string.h>

#include "stats/cox.h"
#include "stats/double_double.h"
#include "tally/elementary.h"

/* The round's Σr, Σr·x of one group, on the columns that go on. In double-double: the sums are the exact ones
 * to 2^−104 of the largest, and there may be thousands of bins and millions of events. */
struct sums {
    const uint8_t *words;
    const struct tally_extent *extent;
    double unit; /* of the words */
    size_t n_terms, n;
    const size_t *pick; /* where each of the n columns stands among the block's terms */
};

static struct dd total(const struct sums *sums, size_t index)
{
    i128 word = tally_fixed(sums->words, sums->extent, index);
    double hi = (double)word, lo = (double)(word - (i128)hi);
    return (struct dd){hi * sums->unit, lo * sums->unit};
}

static void add_group(const struct sums *sums, size_t group, struct dd *s0, struct dd *s1)
{
    size_t first = group * sums->n_terms;
    *s0 = dd_add(*s0, total(sums, first));
    for (size_t j = 0; j < sums->n; j++)
        s1[j] = dd_add(s1[j], total(sums, first + sums->pick[j]));
}

static void take_group(const struct sums *sums, size_t group, struct dd *s0, struct dd *s1)
{
    size_t first = group * sums->n_terms;
    *s0 = dd_subtract(*s0, total(sums, first));
    for (size_t j = 0; j < sums->n; j++)
        s1[j] = dd_subtract(s1[j], total(sums, first + sums->pick[j]));
}

/* Σ over the tied events of one time: of 1/s0, f/s0, and of their products; and of log(s0). */
struct tied {
    struct dd one, share, one_one, one_share, share_share;
    f128 log;
};

/* log 2 beyond its double. */
#define LOG_2_REST 0x1.abc9e3b39803fp-56

/* Logarithms of products of this many: their exponents are far from a double's end. */
enum { LOG_TOGETHER = 4 };

static bool tie(struct tied *tied, struct dd s0, struct dd e0, double ties, bool efron)
{
    struct tied sum = {.log = 0};
    struct dd part =
        efron && ties > 0 ? dd_multiply(e0, dd_reciprocal((struct dd){ties, 0})) : (struct dd){0, 0};
    double product = 1;
    long exponent = 0;
    int together = 0;
    for (double l = 0; l < ties; l++) {
        struct dd left = dd_subtract(s0, dd_scale(part, l));
        if (!(left.hi > 0))
            return false;
        struct dd q = dd_reciprocal(left), q_q = dd_multiply(q, q), share = dd_scale(q_q, l);
        sum.one = dd_accumulate(sum.one, q);
        sum.one_one = dd_accumulate(sum.one_one, q_q);
        if (efron) { /* f = l/ties: the division comes behind the loop */
            sum.share = dd_accumulate(sum.share, dd_scale(q, l));
            sum.one_share = dd_accumulate(sum.one_share, share);
            sum.share_share = dd_accumulate(sum.share_share, dd_scale(share, l));
        }
        product *= left.hi;
        if (++together == LOG_TOGETHER) {
            int power;
            product = frexp(product, &power);
            exponent += power;
            together = 0;
        }
    }
    if (efron && ties > 0) {
        struct dd by = dd_reciprocal((struct dd){ties, 0});
        sum.share = dd_multiply(sum.share, by);
        sum.one_share = dd_multiply(sum.one_share, by);
        sum.share_share = dd_multiply(dd_multiply(sum.share_share, by), by);
    }
    sum.log = (f128)elementary_log(product) + (f128)exponent * ((f128)M_LN2 + (f128)LOG_2_REST);
    *tied = sum;
    return true;
}

/* What one event time has of a covariate: one·s1 − share·e1. */
static struct dd tied_sum(const struct tied *tied, struct dd s1, struct dd e1)
{
    return dd_subtract(dd_multiply(tied->one, s1), dd_multiply(tied->share, e1));
}

/* The two factors of what it adds to the products: Σ (s1 − f·e1)(s1 − f·e1)′ = s1·along′ + e1·across′. */
static struct dd tied_along(const struct tied *tied, struct dd s1, struct dd e1)
{
    return dd_subtract(dd_multiply(tied->one_one, s1), dd_multiply(tied->one_share, e1));
}

static struct dd tied_across(const struct tied *tied, struct dd s1, struct dd e1)
{
    return dd_subtract(dd_multiply(tied->share_share, e1), dd_multiply(tied->one_share, s1));
}

/* What one event time adds to the score and to the products, with weight w. */
static void add_score(struct dd *score, struct dd w, const struct tied *tied, const struct dd *s1,
                      const struct dd *e1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        score[i] = dd_add(score[i], dd_multiply(w, tied_sum(tied, s1[i], e1[i])));
}

/* Lower triangle; scratch: 2·n. */
static void add_products(struct dd *products, struct dd w, const struct tied *tied, const struct dd *s1,
                         const struct dd *e1, size_t n, struct dd *scratch)
{
    struct dd *along = scratch, *across = scratch + n;
    for (size_t i = 0; i < n; i++) {
        along[i] = dd_multiply(w, tied_along(tied, s1[i], e1[i]));
        across[i] = dd_multiply(w, tied_across(tied, s1[i], e1[i]));
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            products[i * n + j] = dd_add(products[i * n + j],
                                         dd_add(dd_multiply(s1[i], along[j]), dd_multiply(e1[i], across[j])));
}

/* What the scores of single rows will need: the steps of the hazard times the mean covariates, and the mean
 * covariate of the events. mean: weight of each of them. */
static void keep_means(struct cox_step *step, size_t cell, const struct tied *tied, const struct dd *s1,
                       const struct dd *e1, size_t n)
{
    double mean = step->mean[cell], ties = step->ties[cell];
    if (step->cox.adjusted) {
        step->h1[cell] = dd_scale(tied->one_one, mean).hi;
        step->h2[cell] = dd_scale(tied->one_share, mean).hi;
    }
    for (size_t j = 0; (step->cox.robust || step->cox.adjusted) && j < n; j++) {
        size_t at = cell * n + j;
        step->d1[at] = dd_scale(tied_along(tied, s1[j], e1[j]), mean).hi;
        step->d2[at] = -dd_scale(tied_across(tied, s1[j], e1[j]), mean).hi;
        step->covariate[at] =
            ties > 0 ? dd_multiply(tied_sum(tied, s1[j], e1[j]), dd_reciprocal((struct dd){ties, 0})).hi : 0;
    }
}

static void keep(double *memo, const struct dd *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        memo[2 * i] = from[i].hi;
        memo[2 * i + 1] = from[i].lo;
    }
}

static void keep_square(double *memo, struct dd *lower, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            lower[i * n + j] = lower[j * n + i];
    keep(memo, lower, n * n);
}

/* Who had an event of another cause before, and stays at risk with weight Ĝ(t−)/Ĝ(exit−): the sums of
 * r/Ĝ(exit−) over the bins below the one at hand (Fine and Gray, JASA 1999;94:496). Empty where causes do not
 * compete. */
struct prior {
    const struct sums *exits;
    size_t n;
    struct dd s0, *s1;
};

static struct prior prior_of(const struct cox_step *step, const struct sums *exits)
{
    return (struct prior){
        .exits = exits, .n = exits->n, .s1 = arena_array(step->arena, exits->n + 1, sizeof(struct dd))};
}

static void prior_move(struct prior *prior, const struct cox_step *step, size_t cell, double sign)
{
    const struct sums *exits = prior->exits;
    double still = step->uncensored[cell];
    if (!(still > 0))
        return;
    struct dd by = dd_reciprocal((struct dd){sign * still, 0});
    size_t first = (step->cox.n_status * cell + COX_OTHER) * exits->n_terms;
    prior->s0 = dd_add(prior->s0, dd_multiply(total(exits, first), by));
    for (size_t j = 0; j < prior->n; j++)
        prior->s1[j] = dd_add(prior->s1[j], dd_multiply(total(exits, first + exits->pick[j]), by));
}

/* All of a stratum: its bins are then taken from the last to the first. */
static void prior_start(struct prior *prior, const struct cox_step *step, size_t stratum)
{
    prior->s0 = (struct dd){0, 0};
    memset(prior->s1, 0, prior->n * sizeof *prior->s1);
    for (size_t k = 0; step->cox.n_status > COX_OTHER && k < step->cox.n_bins; k++)
        prior_move(prior, step, stratum * step->cox.n_bins + k, 1);
}

/* The whole risk set of a bin: s0, s1 and those before it. */
static void prior_add(struct prior *prior, const struct cox_step *step, size_t cell, struct dd s0,
                      const struct dd *s1, struct dd *all0, struct dd *all1)
{
    bool competing = step->cox.n_status > COX_OTHER;
    double still = competing ? step->uncensored[cell] : 0;
    if (competing)
        prior_move(prior, step, cell, -1);
    *all0 = dd_add(s0, dd_scale(prior->s0, still));
    for (size_t j = 0; j < prior->n; j++)
        all1[j] = dd_add(s1[j], dd_scale(prior->s1[j], still));
}

enum maille_code cox_evaluate(struct cox_step *step, const struct fit_theta *next, double *loglik,
                              struct maille_error *error)
{
    const struct cox *cox = &step->cox;
    size_t n = next->n_columns, bins = cox->n_bins, transforms = cox->zph ? COX_TRANSFORMS : 0;
    struct arena *arena = step->arena;
    size_t *pick = arena_array(arena, n + 1, sizeof *pick);
    for (size_t i = 0, p = 0; i < n; i++) { /* both ascending, and next is a subset */
        while (step->at.columns[p] != next->columns[i])
            p++;
        pick[i] = p + 1; /* behind the constant */
    }
    size_t first = step->at.stage == COX_ROUND_1 ? cox_counts_blocks(cox) : 0;
    struct sums exits = {.words = step->totals->words,
                         .extent = &step->totals->extents[first],
                         .unit = ldexp(1, -step->totals->extents[first].fraction),
                         .n_terms = step->at.n_columns + 1,
                         .n = n,
                         .pick = pick},
                entries = exits;
    if (cox->entry_code) {
        entries.extent++;
        entries.unit = ldexp(1, -entries.extent->fraction);
    }

    struct dd *s1 = arena_array(arena, n + 1, sizeof *s1), *e1 = arena_array(arena, n + 1, sizeof *e1),
              *all1 = arena_array(arena, n + 1, sizeof *all1),
              *scratch = arena_array(arena, 2 * n + 1, sizeof *scratch);
    struct dd *score = arena_array(arena, n + 1, sizeof *score),
              *products = arena_array(arena, n * n + 1, sizeof *products);
    struct dd *zph_score = arena_array(arena, transforms * n + 1, sizeof *zph_score);
    struct dd *zph_products = arena_array(arena, transforms * 2 * n * n + 1, sizeof *zph_products);
    f128 sum = (f128)step->own[COX_EVENT_OFFSET] - (f128)step->at.shift * (f128)step->own[COX_EVENT_WEIGHT];
    for (size_t j = 0; j < cox->design->n_columns; j++)
        sum += (f128)step->at.gamma[j] * (f128)step->event_sum[j];
    struct prior prior = prior_of(step, &exits);
    double events = 0;
    for (size_t cell = 0; cell < cox->strata.n * bins; cell++)
        events += step->ties[cell];
    if (!(events <= COX_EVENTS_MAX))
        return maille_fail(error, MAILLE_FAILED, "expected at most %d events in a model, found more",
                           COX_EVENTS_MAX);

    for (size_t s = 0; s < cox->strata.n; s++) {
        struct dd s0 = {0, 0};
        memset(s1, 0, n * sizeof *s1);
        prior_start(&prior, step, s);
        for (size_t k = bins; k-- > 0;) {
            size_t cell = s * bins + k;
            struct dd e0 = {0, 0}, all0 = {0, 0}, mean = {step->mean[cell], 0};
            memset(e1, 0, n * sizeof *e1);
            for (size_t status = 0; status < cox->n_status; status++)
                if (status != COX_EVENT)
                    add_group(&exits, cox->n_status * cell + status, &s0, s1);
            add_group(&exits, cox->n_status * cell + COX_EVENT, &e0, e1);
            s0 = dd_add(s0, e0);
            for (size_t j = 0; j < n; j++)
                s1[j] = dd_add(s1[j], e1[j]);
            if (cox->entry_code) /* who enters at k is at risk after k */
                take_group(&entries, cell, &s0, s1);
            prior_add(&prior, step, cell, s0, s1, &all0, all1);
            struct tied tied;
            if (!tie(&tied, all0, e0, step->ties[cell], cox->efron))
                return maille_fail(
                    error, MAILLE_FAILED,
                    "expected a risk set that weighs more than 0 at every event, found one that vanished: an "
                    "estimate runs to infinity");
            step->c1[cell] = dd_multiply(mean, tied.one).hi;
            step->c2[cell] = dd_multiply(mean, tied.share).hi;
            keep_means(step, cell, &tied, all1, e1, n);
            if (!(step->ties[cell] > 0))
                continue;
            sum -= (f128)mean.hi * tied.log;
            add_score(score, mean, &tied, all1, e1, n);
            add_products(products, mean, &tied, all1, e1, n, scratch);
            for (size_t t = 0; t < transforms; t++) {
                struct dd g = dd_scale(mean, step->weights[t * bins + k]);
                add_score(zph_score + t * n, g, &tied, all1, e1, n);
                add_products(zph_products + (2 * t) * n * n, g, &tied, all1, e1, n, scratch);
                g = dd_scale(g, step->weights[t * bins + k]);
                add_products(zph_products + (2 * t + 1) * n * n, g, &tied, all1, e1, n, scratch);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        score[i] = dd_subtract((struct dd){step->event_sum[next->columns[i]], 0}, score[i]);
    keep(step->score, score, n);
    keep_square(step->products, products, n);
    keep(step->zph_score, zph_score, transforms * n);
    for (size_t t = 0; t < 2 * transforms; t++)
        keep_square(step->zph_products + t * 2 * n * n, zph_products + t * n * n, n);
    *loglik = (double)sum;
    return MAILLE_OK;
}
