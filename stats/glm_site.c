/* glm with strata(site): a constant α of its own for every site, of which none leaves it.
 *
 * At each β a site maximises its own likelihood over α, which is one equation, and sends the value, the
 * gradient and the curvature of what is then left, the profile likelihood of β: its score at α(β), and the
 * information less what α takes of it, I_ββ − I_βα·I_αβ/I_αα. Newton's method on their sums ends where R's
 * glm(y ~ factor(site) + x) ends, and the inverse of the sum is R's covariance of the other coefficients: the
 * block of the inverse of a matrix is the inverse of the Schur complement (Richards, Biometrics 1961;48:107;
 * Barndorff-Nielsen and Cox, Inference and Asymptotics, 1994, §3.4). A site in which all rows, or none, have
 * the event has α = ±∞: its likelihood is 1 whatever β is, and it adds nothing but its parameter. */
#include <float.h>
#include <math.h>

#include "stats/glm.h"
#include "tally/elementary.h"

/* A step of α below this is the last: what is left after it is of its square. */
#define SITE_TOLERANCE 1e-7
enum { SITE_PASSES_MAX = 200 };

struct site {
    const struct glm *glm;
    const struct fit_theta *at;
    const struct expression *eta;                   /* without α */
    const struct expression *used, *with, *without; /* rows that count; those with an event, or more than 0;
                                                       the others (families of events) */
    const struct expression **terms;                /* the constant, then the kept columns */
};

/* α + η, where exp() is taken of it cut off at ±FIT_PREDICTOR_MAX as a logit is: no row is there at the
 * solution. */
static const struct expression *predictor(const struct site *site, struct arena *arena, double alpha)
{
    const struct expression *eta = site->eta;
    if (alpha != 0)
        eta = expression_binary(arena, OP_ADD, eta, expression_constant(arena, alpha));
    return site->glm->family->exponential ? fit_logit(arena, eta) : eta;
}

/* Rows with a response above 0, and rows with one below 1. */
static struct site site_of(const struct glm *glm, const struct fit_theta *at, struct arena *arena)
{
    struct site site = {.glm = glm, .at = at, .used = glm->cohort.rows};
    if (glm->weights)
        site.used = expression_and(
            arena, site.used, expression_binary(arena, OP_GT, glm->weights, expression_constant(arena, 0)));
    site.with = expression_and(arena, site.used,
                               expression_binary(arena, OP_GT, glm->y, expression_constant(arena, 0)));
    site.without = expression_and(arena, site.used,
                                  expression_binary(arena, OP_LT, glm->y, expression_constant(arena, 1)));
    site.eta = design_predictor(glm->design, arena, at->gamma, glm->formula->offset, at->shift);
    site.terms = arena_array(arena, at->n_columns + 1, sizeof *site.terms);
    site.terms[0] = glm->design->columns[0].term;
    for (size_t i = 0; i < at->n_columns; i++)
        site.terms[i + 1] = glm->design->columns[at->columns[i]].term;
    return site;
}

/* --- at a site --- */

/* A tally over this site alone. */
struct own_sums {
    struct tally tally;
    struct tally_extent extents[TALLY_BLOCKS_MAX];
};

static enum maille_code sum(struct own_sums *sums, const struct tally_spec *spec, struct columns *columns,
                            const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code;
    size_t bytes;
    tally_clear(&sums->tally);
    MAILLE_TRY(tally_layout(sums->extents, &bytes, spec, error));
    MAILLE_TRY(tally_run(&sums->tally, spec, columns, options, error));
out:
    return code;
}

static f128 quad(const struct own_sums *sums, size_t block, size_t index)
{
    return tally_quad(sums->tally.words.data, &sums->extents[block], index);
}

/* Who is there: false where the site's likelihood says nothing of β. */
static enum maille_code has_both(bool *both, double *values, const struct site *site, struct columns *columns,
                                 const struct tally_options *options, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code;
    struct own_sums sums = {0};
    const struct family *family = site->glm->family;
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    fit_block(spec, NULL, site->used, NULL, 0);
    fit_block(spec, NULL, site->with, NULL, 0);
    fit_block(spec, NULL, site->without, NULL, 0);
    MAILLE_TRY(sum(&sums, spec, columns, options, error));
    const bool any = quad(&sums, 0, 0) > 0;
    values[GLM_SITES] = any;
    *both = any && (!(family->events || family->counts) || quad(&sums, 1, 0) > 0) &&
            (!family->events || quad(&sums, 2, 0) > 0);
out:
    tally_clear(&sums.tally);
    return code;
}

/* The site's α: Newton within a bracket, of a function that falls. */
static enum maille_code solve(double *alpha, const struct site *site, struct columns *columns,
                              const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct own_sums sums = {0};
    struct arena *arena = NULL;
    const struct family *family = site->glm->family;
    double low = -FIT_PREDICTOR_MAX - site->eta->high, high = FIT_PREDICTOR_MAX - site->eta->low,
           at = -(site->eta->low + site->eta->high) / 2, step;
    for (int pass = 0; pass < SITE_PASSES_MAX; pass++) {
        arena_free(arena);
        arena = arena_new();
        if (arena == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for a site's constant, found none");
            goto out;
        }
        struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
        glm_add_evaluation(site->glm, arena, spec, predictor(site, arena, at), site->terms, 1);
        MAILLE_TRY(sum(&sums, spec, columns, options, error));
        const double u = (double)quad(&sums, GLM_SCORE, 0), i = (double)quad(&sums, GLM_INFORMATION, 0);
        if (u > 0)
            low = at;
        else
            high = at;
        step = u / i;
        if (!family->exponential || fabs(step) < SITE_TOLERANCE) { /* least squares: exact */
            at += step;
            break;
        }
        step = family->counts ? elementary_log(1 + fmax(step, DBL_EPSILON - 1)) : fmin(fmax(step, -4), 4);
        at = at + step > low && at + step < high ? at + step : low + (high - low) / 2;
    }
    *alpha = at;
out:
    tally_clear(&sums.tally);
    arena_free(arena);
    return code;
}

/* Σ_ij of an order-2 block, the constant first. */
static f128 product(const struct own_sums *sums, size_t block, size_t n, size_t i, size_t j)
{
    const size_t low = i < j ? i : j, high = i < j ? j : i;
    return quad(sums, block, low * n - low * (low + 1) / 2 + high);
}

/* What the site sends, at its α. */
static enum maille_code profile(double *values, const struct site *site, double alpha,
                                struct columns *columns, const struct tally_options *options,
                                struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    struct own_sums sums = {0};
    const size_t m = site->at->n_columns, n = m + 1;
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    f128 *mean = arena_array(arena, n, sizeof *mean);
    glm_add_evaluation(site->glm, arena, spec, predictor(site, arena, alpha), site->terms, n);
    if (site->glm->robust)
        glm_add_squares(spec, arena, GLM_SCORE);
    MAILLE_TRY(sum(&sums, spec, columns, options, error));
    const f128 all = product(&sums, GLM_INFORMATION, n, 0, 0), left = quad(&sums, GLM_SCORE, 0);
    values[GLM_SITE_WEIGHT] = (double)all;
    values[GLM_SITE_DEVIANCE] = (double)quad(&sums, GLM_DEVIANCE, 0);
    double *score = values + GLM_SITE_SCORE, *information = score + m,
           *middle = information + m * (m + 1) / 2;
    for (size_t i = 0; i < m; i++) {
        mean[i] = all > 0 ? product(&sums, GLM_INFORMATION, n, 0, i + 1) / all : 0;
        score[i] = (double)(quad(&sums, GLM_SCORE, i + 1) - mean[i] * left);
    }
    for (size_t i = 0; i < m; i++)
        for (size_t j = i; j < m; j++) {
            *information++ =
                (double)(product(&sums, GLM_INFORMATION, n, i + 1, j + 1) - mean[i] * mean[j] * all);
            if (site->glm->robust)
                *middle++ = (double)(product(&sums, GLM_EVALUATION, n, i + 1, j + 1) -
                                     mean[i] * product(&sums, GLM_EVALUATION, n, 0, j + 1) -
                                     mean[j] * product(&sums, GLM_EVALUATION, n, 0, i + 1) +
                                     mean[i] * mean[j] * product(&sums, GLM_EVALUATION, n, 0, 0));
        }
out:
    tally_clear(&sums.tally);
    return code;
}

static enum maille_code run(double *values, const struct tally_own *own, struct columns *columns,
                            const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct site *site = own->context;
    bool both = false;
    double alpha = 0;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a site's constant, found none");
    MAILLE_TRY(has_both(&both, values, site, columns, options, arena, error));
    if (!both)
        goto out;
    MAILLE_TRY(solve(&alpha, site, columns, options, error));
    MAILLE_TRY(profile(values, site, alpha, columns, options, arena, error));
out:
    arena_free(arena);
    return code;
}

/* --- the plan --- */

/* Of |each number| of a site. At its α the weighted residuals add to 0, so that those of a count add to no
 * more than twice the counts. */
static double bound_of(const struct site *site)
{
    const struct glm *glm = site->glm;
    const double rows = ldexp(1, TALLY_SITE_MAX_LOG2),
                 weight = glm->weights ? fmax(glm->weights->high, 1) : 1;
    double term = 1, residual = 1, slope = 1, deviance = 2 * FIT_PREDICTOR_MAX + 4;
    for (size_t i = 0; i <= site->at->n_columns; i++)
        term = fmax(term, fmax(fabs(site->terms[i]->low), fabs(site->terms[i]->high)));
    if (glm->family->counts) {
        residual = slope = 2 * fmax(glm->y->high, 1);
        deviance = 2 * residual * (elementary_log(residual) + FIT_PREDICTOR_MAX);
    } else if (!glm->family->events) {
        residual = glm->y->high - glm->y->low + site->eta->high - site->eta->low;
        deviance = residual * residual;
    }
    double bound =
        rows * weight * fmax(fmax(deviance, 1), fmax(2 * term * residual, 4 * term * term * slope));
    if (glm->robust) {
        const double one = 2 * term * weight * residual;
        bound = fmax(bound, (glm->family->counts ? rows : 1) * rows * one * one);
    }
    return bound;
}

void glm_site_plan(const struct glm *glm, const struct fit_theta *at, struct arena *arena,
                   struct tally_spec *spec)
{
    struct site *site = arena_alloc(arena, sizeof *site);
    struct tally_own *own = arena_alloc(arena, sizeof *own);
    struct tally_spec *over = arena_alloc(arena, sizeof *over);
    const size_t m = at->n_columns, pairs = m * (m + 1) / 2;
    struct glm *kept_glm = arena_alloc(arena, sizeof *kept_glm);
    struct fit_theta *kept_at = arena_alloc(arena, sizeof *kept_at);
    *kept_glm = *glm;
    *kept_at = *at;
    *site = site_of(kept_glm, kept_at, arena);
    glm_add_evaluation(glm, arena, over, predictor(site, arena, 0), site->terms, m + 1);
    if (glm->robust)
        glm_add_squares(over, arena, GLM_SCORE);
    *own = (struct tally_own){.what = "deviance, score and information of a generalised linear model, with "
                                      "the constant put in that the site "
                                      "solved for by itself and keeps",
                              .n_values = GLM_SITE_SCORE + m + (glm->robust ? 2 : 1) * pairs,
                              .bound = bound_of(site),
                              .run = run,
                              .context = site,
                              .over = over};
    struct tally_block *block = fit_block(spec, &guard_cohort, glm->cohort.rows, NULL, 0);
    block->kind = TALLY_OWN;
    block->own = own;
}
