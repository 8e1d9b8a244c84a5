/* Cox's model over risk sets that span the sites, in two small rounds a Newton step (methods.md §2).
 *
 * (a) With r = exp(x′β − c): Σr and Σr·x per stratum × exit bin × event, and × entry bin. From these the risk
 * set sums S0, S1 of every event time are differences of suffix sums, which gives log likelihood and score.
 * (b) Σ_t d·S2/S0 = Σ_i r_i·Λ(t_i)·x_i·x_i′, so the information needs no second moments per time: one order-2
 * tally whose weight is r·[C1(exit) − C1(entry) − event·c2(exit)], less Σ of the products of mean covariates,
 * which is known from (a). Efron's f = l/d: c1 = Σ 1/(S0 − f·E0), c2 = Σ f/(S0 − f·E0), E over the tied
 * events (Therneau and Grambsch, 2000, §3.3). */
#include <math.h>
#include <string.h>

#include "stats/cox.h"

const struct expression *cox_risk(const struct cox *cox, const struct fit_theta *at, struct arena *arena)
{
    return expression_unary(arena, OP_EXP,
                            design_predictor(cox->design, arena, at->gamma, cox->formula->offset, at->shift));
}

const struct expression *cox_weighted(const struct cox *cox, struct arena *arena, const struct expression *x)
{
    if (!cox->weights || !x)
        return x ? x : cox->weights;
    return expression_binary(arena, OP_MULTIPLY, cox->weights, x);
}

static void add_evaluation(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                           struct tally_spec *spec)
{
    const struct expression *r = cox_weighted(cox, arena, cox_risk(cox, at, arena));
    const struct expression *const *terms =
        fit_theta_terms(at, arena, cox->design, cox->design->columns[0].term);
    const struct expression *const groups[] = {cox->exit_code, cox->entry_code};
    for (int i = 0; i < (cox->entry_code ? 2 : 1); i++) {
        struct tally_block *block = fit_block(spec, cox->survival.filter, r, 1);
        block->group = groups[i];
        block->terms = terms;
        block->n_terms = at->n_columns + 1;
    }
}

size_t cox_table_size(const struct cox *cox)
{
    return cox->strata.n * cox->n_bins * (cox->n_status + (cox->entry_code ? 1 : 0));
}

const struct expression *cox_table_lookup(const struct cox *cox, const double *tables, struct arena *arena)
{
    size_t times = cox->strata.n * cox->n_bins, exits = times * cox->n_status;
    const struct expression *met = expression_lookup(arena, tables, exits, cox->exit_code);
    if (!cox->entry_code)
        return met;
    return expression_binary(arena, OP_SUBTRACT, met,
                             expression_lookup(arena, tables + exits, times, cox->entry_code));
}

void cox_tables_push(const struct cox_step *step, struct cox_steps c1, struct cox_steps c2, const double *g,
                     int power)
{
    const struct cox *cox = &step->cox;
    size_t bins = cox->n_bins, n_status = cox->n_status, exits_n = cox->strata.n * bins * n_status;
    double *exits = vector_grow(&step->iteration->theta, cox_table_size(cox));
    for (size_t s = 0; s < cox->strata.n; s++) {
        f128 sum = 0, after = 0;
        for (size_t k = 0; k < bins; k++) {
            size_t cell = s * bins + k;
            f128 factor = 1;
            for (int i = 0; i < power; i++)
                factor *= (f128)g[k];
            sum += factor * (f128)c1.v[cell * c1.stride];
            exits[n_status * cell + COX_CENSORED] = (double)sum;
            exits[n_status * cell + COX_EVENT] = (double)(sum - factor * (f128)c2.v[cell * c2.stride]);
            if (cox->entry_code)
                exits[exits_n + cell] = (double)sum;
        }
        for (size_t k = bins; n_status > COX_OTHER && k-- > 0;) {
            size_t cell = s * bins + k;
            f128 still = (f128)step->uncensored[cell];
            double *other = &exits[n_status * cell + COX_OTHER];
            *other = exits[n_status * cell + COX_CENSORED] + (still > 0 ? (double)(after / still) : 0);
            after += still * (f128)c1.v[cell * c1.stride];
        }
    }
}

/* The last round: the information again, then what zph, robust errors and concordance ask for. */
static size_t last_theta_size(const struct cox *cox, const struct fit_theta *at)
{
    return cox_table_size(cox) + cox_zph_theta_size(cox) +
           (cox->robust ? cox_robust_theta_size(cox, at) : 0) + cox_concordance_theta_size(cox);
}

static bool has_last(const struct cox *cox)
{
    return cox->zph || cox->robust || cox_concordance_pooled(cox);
}

static enum maille_code add_last(const struct cox *cox, const struct fit_theta *at, bool tables,
                                 struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    const double *extra = at->extra + cox_table_size(cox);
    cox_zph_plan(cox, at, extra, arena, spec);
    extra += cox_zph_theta_size(cox);
    if (cox->robust) {
        cox_robust_plan(cox, at, extra, arena, spec);
        extra += cox_robust_theta_size(cox, at);
    }
    return tables && cox_concordance_pooled(cox) ? cox_concordance_plan(cox, at, extra, arena, spec, error)
                                                 : MAILLE_OK;
}

enum maille_code cox_pooled_plan(const struct cox *cox, const struct fit_theta *at, bool tables,
                                 struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    size_t expected = 0;
    if (at->stage == COX_CURVATURE)
        expected = cox_table_size(cox);
    if (at->stage == COX_LAST)
        expected = last_theta_size(cox, at);
    if (at->stage > (has_last(cox) ? COX_LAST : COX_CURVATURE) || at->n_extra != expected)
        return maille_fail(error, MAILLE_INVALID, "expected the parameters of a Cox round, found others");
    if (at->stage == COX_ROUND_1 || at->stage == COX_EVALUATE) {
        add_evaluation(cox, at, arena, spec);
        return MAILLE_OK;
    }
    const struct expression *met = cox_table_lookup(cox, at->extra, arena);
    const struct expression *weight =
        expression_binary(arena, OP_MULTIPLY, cox_weighted(cox, arena, cox_risk(cox, at, arena)), met);
    struct tally_block *block = fit_block(spec, cox->survival.filter, weight, 2);
    block->terms = fit_theta_terms(at, arena, cox->design, NULL);
    block->n_terms = at->n_columns;
    return at->stage == COX_LAST ? add_last(cox, at, tables, arena, spec, error) : MAILLE_OK;
}

/* --- step --- */

/* The round's Σr, Σr·x of one group, on the columns that go on. */
struct sums {
    size_t block, n_terms, n;
    const size_t *pick; /* where each of the n columns stands among the block's terms */
};

static void add_group(const struct cox_step *step, const struct sums *sums, size_t group, f128 *s0, f128 *s1,
                      f128 sign)
{
    size_t first = group * sums->n_terms;
    *s0 += sign * totals_quad(step->totals, sums->block, first);
    for (size_t j = 0; j < sums->n; j++)
        s1[j] += sign * totals_quad(step->totals, sums->block, first + sums->pick[j]);
}

/* Σ over the tied events of one time: of 1/s0, f/s0, and of their products. */
struct tied {
    f128 one, share, one_one, one_share, share_share, log;
};

static bool tie(struct tied *tied, f128 s0, f128 e0, double ties, bool efron)
{
    *tied = (struct tied){.one = 0};
    for (double l = 0; l < ties; l++) {
        f128 f = efron ? (f128)l / (f128)ties : 0, left = s0 - f * e0;
        if (!(left > 0))
            return false;
        f128 q = 1 / left;
        tied->one += q;
        tied->share += f * q;
        tied->one_one += q * q;
        tied->one_share += f * q * q;
        tied->share_share += f * f * q * q;
        tied->log += (f128)log((double)left);
    }
    return true;
}

/* What one event time adds to the score and to the products, with weight w. */
static void add_score(f128 *score, f128 w, const struct tied *tied, const f128 *s1, const f128 *e1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        score[i] += w * (tied->one * s1[i] - tied->share * e1[i]);
}

static void add_products(f128 *products, f128 w, const struct tied *tied, const f128 *s1, const f128 *e1,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            products[i * n + j] +=
                w * (tied->one_one * s1[i] * s1[j] - tied->one_share * (s1[i] * e1[j] + e1[i] * s1[j]) +
                     tied->share_share * e1[i] * e1[j]);
}

/* What the scores of single rows will need: the steps of the hazard times the mean covariates, and the mean
 * covariate of the events. mean: weight of each of them. */
static void keep_means(struct cox_step *step, size_t cell, const struct tied *tied, const f128 *s1,
                       const f128 *e1, size_t n)
{
    f128 mean = (f128)step->mean[cell], ties = (f128)step->ties[cell];
    for (size_t j = 0; step->cox.robust && j < n; j++) {
        size_t at = cell * n + j;
        step->d1[at] = (double)(mean * (tied->one_one * s1[j] - tied->one_share * e1[j]));
        step->d2[at] = (double)(mean * (tied->one_share * s1[j] - tied->share_share * e1[j]));
        step->covariate[at] = ties > 0 ? (double)((tied->one * s1[j] - tied->share * e1[j]) / ties) : 0;
    }
}

static void keep(double *memo, const f128 *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cox_store(memo + 2 * i, from[i]);
}

static void keep_square(double *memo, f128 *lower, size_t n)
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
    f128 s0, *s1;
};

static struct prior prior_of(const struct cox_step *step, const struct sums *exits)
{
    return (struct prior){
        .exits = exits, .n = exits->n, .s1 = arena_array(step->arena, exits->n + 1, sizeof(f128))};
}

static void prior_move(struct prior *prior, const struct cox_step *step, size_t cell, f128 sign)
{
    f128 still = (f128)step->uncensored[cell];
    if (still > 0)
        add_group(step, prior->exits, step->cox.n_status * cell + COX_OTHER, &prior->s0, prior->s1,
                  sign / still);
}

/* All of a stratum: its bins are then taken from the last to the first. */
static void prior_start(struct prior *prior, const struct cox_step *step, size_t stratum)
{
    prior->s0 = 0;
    memset(prior->s1, 0, prior->n * sizeof *prior->s1);
    for (size_t k = 0; step->cox.n_status > COX_OTHER && k < step->cox.n_bins; k++)
        prior_move(prior, step, stratum * step->cox.n_bins + k, 1);
}

/* The whole risk set of a bin: s0, s1 and those before it. */
static void prior_add(struct prior *prior, const struct cox_step *step, size_t cell, f128 s0, const f128 *s1,
                      f128 *all0, f128 *all1)
{
    bool competing = step->cox.n_status > COX_OTHER;
    f128 still = competing ? (f128)step->uncensored[cell] : 0;
    if (competing)
        prior_move(prior, step, cell, -1);
    *all0 = s0 + still * prior->s0;
    for (size_t j = 0; j < prior->n; j++)
        all1[j] = s1[j] + still * prior->s1[j];
}

/* Reads (a): log likelihood, and into memo the score, the products and the steps of the hazard, on the
 * columns of `next`. */
static enum maille_code evaluate(struct cox_step *step, const struct fit_theta *next, double *loglik,
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
    struct sums exits = {.block = first, .n_terms = step->at.n_columns + 1, .n = n, .pick = pick},
                entries = exits;
    entries.block++;

    f128 *s1 = arena_array(arena, n + 1, sizeof *s1), *e1 = arena_array(arena, n + 1, sizeof *e1),
         *all1 = arena_array(arena, n + 1, sizeof *all1);
    f128 *score = arena_array(arena, n + 1, sizeof *score),
         *products = arena_array(arena, n * n + 1, sizeof *products);
    f128 *zph_score = arena_array(arena, transforms * n + 1, sizeof *zph_score);
    f128 *zph_products = arena_array(arena, transforms * 2 * n * n + 1, sizeof *zph_products);
    f128 sum = (f128)step->own[COX_EVENT_OFFSET] - (f128)step->at.shift * (f128)step->own[COX_EVENT_WEIGHT];
    for (size_t j = 0; j < cox->design->n_columns; j++)
        sum += (f128)step->at.gamma[j] * (f128)step->event_sum[j];
    struct prior prior = prior_of(step, &exits);

    for (size_t s = 0; s < cox->strata.n; s++) {
        f128 s0 = 0;
        memset(s1, 0, n * sizeof *s1);
        prior_start(&prior, step, s);
        for (size_t k = bins; k-- > 0;) {
            size_t cell = s * bins + k;
            f128 e0 = 0, all0 = 0, mean = (f128)step->mean[cell];
            memset(e1, 0, n * sizeof *e1);
            for (size_t status = 0; status < cox->n_status; status++)
                if (status != COX_EVENT)
                    add_group(step, &exits, cox->n_status * cell + status, &s0, s1, 1);
            add_group(step, &exits, cox->n_status * cell + COX_EVENT, &e0, e1, 1);
            s0 += e0;
            for (size_t j = 0; j < n; j++)
                s1[j] += e1[j];
            if (cox->entry_code) /* who enters at k is at risk after k */
                add_group(step, &entries, cell, &s0, s1, -1);
            prior_add(&prior, step, cell, s0, s1, &all0, all1);
            struct tied tied;
            if (!tie(&tied, all0, e0, step->ties[cell], cox->efron))
                return maille_fail(
                    error, MAILLE_FAILED,
                    "expected a risk set that weighs more than 0 at every event, found one that vanished: an "
                    "estimate runs to infinity");
            step->c1[cell] = (double)(mean * tied.one);
            step->c2[cell] = (double)(mean * tied.share);
            keep_means(step, cell, &tied, all1, e1, n);
            if (!(step->ties[cell] > 0))
                continue;
            sum -= mean * tied.log;
            add_score(score, mean, &tied, all1, e1, n);
            add_products(products, mean, &tied, all1, e1, n);
            for (size_t t = 0; t < transforms; t++) {
                f128 g = (f128)step->weights[t * bins + k];
                add_score(zph_score + t * n, mean * g, &tied, all1, e1, n);
                add_products(zph_products + (2 * t) * n * n, mean * g, &tied, all1, e1, n);
                add_products(zph_products + (2 * t + 1) * n * n, mean * g * g, &tied, all1, e1, n);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        score[i] = (f128)step->event_sum[next->columns[i]] - score[i];
    keep(step->score, score, n);
    keep_square(step->products, products, n);
    keep(step->zph_score, zph_score, transforms * n);
    for (size_t t = 0; t < 2 * transforms; t++)
        keep_square(step->zph_products + t * 2 * n * n, zph_products + t * n * n, n);
    *loglik = (double)sum;
    return MAILLE_OK;
}

/* After (a): a shorter step, or (b). */
static enum maille_code step_evaluation(struct cox_step *step, bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct vector *theta = &step->iteration->theta;
    struct vector next_theta = {0};
    struct fit_theta next;
    double loglik = 0;
    bool accepted = false;
    fit_theta_write(&step->fit, &next_theta, COX_CURVATURE);
    MAILLE_TRY(fit_theta_read(&next, step->arena, step->cox.design, true, &next_theta, error));
    MAILLE_TRY(evaluate(step, &next, &loglik, error));
    MAILLE_TRY(cox_accept(step, loglik, &accepted, error));
    if (!accepted) {
        fit_theta_write(&step->fit, theta, COX_EVALUATE);
        goto out;
    }
    if (next.n_columns == 0) { /* ~ 1: nothing to estimate */
        struct normal normal;
        struct fit_tally none = {.theta = &next};
        MAILLE_TRY(fit_normal(&normal, step->arena, &step->fit, &none, error));
        cox_report(step, &normal, NULL, step->totals->spec->n_blocks);
        *done = true;
        goto out;
    }
    /* c must be the one that c1 and c2 were made with: in round 1 that is 0. */
    vector_truncate(theta, 0);
    memcpy(vector_grow(theta, next_theta.n), next_theta.v, next_theta.n * sizeof *theta->v);
    fit_theta_set_shift(theta, step->at.shift);
    cox_tables_push(step, (struct cox_steps){step->c1, 1}, (struct cox_steps){step->c2, 1}, NULL, 0);
out:
    vector_clear(&next_theta);
    return code;
}

/* After (b): the end, the last round, or the next β. */
static enum maille_code step_curvature(struct cox_step *step, bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = step->at.n_columns;
    f128 *moments = cox_read_matrix(step, 0, 0, n), *information = cox_read_matrix(step, 0, 0, n);
    f128 *score = arena_array(step->arena, n + 1, sizeof *score);
    double *raw = arena_array(step->arena, n + 1, sizeof *raw);
    struct normal normal;
    struct fit_tally tally = {.theta = &step->at,
                              .score = score,
                              .information = information,
                              .raw = raw,
                              .rounding =
                                  step->fit.scalars[FIT_ROWS] * ldexp(1, -step->totals->extents[0].fraction)};
    for (size_t i = 0; i < n; i++) {
        raw[i] = (double)information[i * n + i];
        score[i] = cox_load(step->score + 2 * i);
    }
    for (size_t i = 0; i < n * n; i++)
        information[i] -= cox_load(step->products + 2 * i);
    MAILLE_TRY(fit_normal(&normal, step->arena, &step->fit, &tally, error));
    if (step->fit.scalars[FIT_STEPS] == 0)
        step->own[COX_SCORE_TEST] = (double)linear_inverse_form(&normal.factor, step->arena, normal.score);
    if (step->at.stage == COX_LAST) {
        size_t block = 1 + cox_zph_blocks(&step->cox);
        const f128 *robust = NULL;
        if (step->cox.robust)
            robust = cox_robust_variance(step, &normal, block++);
        cox_report(step, &normal, robust, block);
        *done = true;
        goto out;
    }
    if (fit_step_size(&normal, 1) < FIT_TOLERANCE) {
        if (has_last(&step->cox)) { /* θ of this step stays, more stands behind it */
            fit_theta_set_stage(&step->iteration->theta, COX_LAST);
            cox_zph_theta(step);
            if (step->cox.robust)
                cox_robust_theta(step);
            if (cox_concordance_pooled(&step->cox))
                cox_concordance_theta(step, moments);
            goto out;
        }
        cox_report(step, &normal, NULL, step->totals->spec->n_blocks);
        *done = true;
        goto out;
    }
    MAILLE_TRY(fit_check_divergence(&step->fit, &normal, error));
    (void)fit_take_bounded_step(&step->fit, &normal, step->arena, step->cox.formula->offset);
    fit_theta_write(&step->fit, &step->iteration->theta, COX_EVALUATE);
out:
    return code;
}

enum maille_code cox_pooled_step(struct cox_step *step, bool *done, struct maille_error *error)
{
    if (step->at.stage == COX_ROUND_1 || step->at.stage == COX_EVALUATE)
        return step_evaluation(step, done, error);
    return step_curvature(step, done, error);
}
