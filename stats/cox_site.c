/* Cox's model with strata(site): every site is a stratum of its own, so its risk sets never leave it. One
 * round a Newton step: each site sends its own log likelihood, score and information, and only their sums
 * over the sites are read. Robust errors take one round more. */
#include <math.h>

#include "stats/cox.h"

/* Blocks behind the risk sets'. */
enum { BLOCK_CONCORDANCE = 1, BLOCK_SCORES };

/* Where the risk set block stands. */
static size_t block_of(const struct cox *cox, const struct fit_theta *at)
{
    return at->stage == COX_ROUND_1 ? cox_counts_blocks(cox) : 0;
}

/* Score residuals, squared by row, by site, or summed by cluster: the middle of the sandwich. */
static void add_scores(const struct cox *cox, const struct fit_theta *at, const struct expression *eta,
                       struct arena *arena, struct tally_spec *spec)
{
    const struct expression **terms = arena_array(arena, at->n_columns + 1, sizeof *terms);
    double weight = cox->weights ? fmax(cox->weights->high, 1) : 1;
    for (size_t i = 0; i < at->n_columns; i++)
        terms[i] = cox->design->columns[at->columns[i]].term;
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 2);
    block->kind = TALLY_RISKSET;
    block->riskset = cox->formula->cluster_site      ? RISKSET_SCORES_SITE
                     : cox->formula->cluster_patient ? RISKSET_SCORES_PATIENTS
                                                     : RISKSET_SCORES_ROWS;
    block->efron = cox->efron;
    block->group = groups_code(&cox->strata, arena, NULL);
    block->eta = eta;
    block->terms = terms;
    block->n_terms = at->n_columns;
    if (cox->cluster && !cox->formula->cluster_site) {
        block->riskset = RISKSET_SCORES_LEVELS;
        block->arms = cox->cluster;
        terms[block->n_terms++] = expression_number_of(arena, cox->cluster);
    }
    /* |x − x̄| ≤ 2, and all rows together meet as much of the hazard as there are events: Σ|ρ| ≤ 4·2^28 at a
     * site, 4·2^34 over the network; the squares of parts of a sum add up to less than its own. */
    block->bound = ldexp(weight * weight, TALLY_SITE_MAX_LOG2 + 4);
}

enum maille_code cox_site_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                               struct tally_spec *spec, struct maille_error *error)
{
    unsigned last = cox->robust ? COX_LAST : COX_EVALUATE;
    if (at->stage == COX_CURVATURE || at->stage == COX_PAIRS || at->stage > last || at->n_extra != 0)
        return maille_fail(error, MAILLE_INVALID,
                           "expected the parameters of a Cox round within sites, found others");
    const struct expression *eta =
        fit_cut(arena, design_predictor(cox->design, arena, at->gamma, cox->formula->offset, at->shift));
    struct tally_block *block = fit_block(spec, &guard_cohort, cox->survival.filter, cox->weights, 2);
    block->kind = TALLY_RISKSET;
    block->riskset = cox->efron ? RISKSET_COX_EFRON : RISKSET_COX_BRESLOW;
    block->group = groups_code(&cox->strata, arena, NULL);
    block->eta = eta;
    block->terms = fit_theta_terms(at, arena, cox->design, NULL);
    block->n_terms = at->n_columns;
    /* A patient adds at most |η − log S0| ≤ range of η + log 2^28 to the log likelihood, 2 to a score, 1 to
     * an information, each times its weight. */
    block->bound =
        (2 * fmax(fabs(eta->low), fabs(eta->high)) + 32) * (cox->weights ? fmax(cox->weights->high, 1) : 1);
    cox_concordance_site_plan(cox, eta, arena, spec);
    if (at->stage == COX_LAST)
        add_scores(cox, at, eta, arena, spec);
    return MAILLE_OK;
}

enum maille_code cox_site_step(struct cox_step *step, bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = step->at.n_columns, block = block_of(&step->cox, &step->at);
    bool accepted = false;
    f128 *score = arena_array(step->arena, n + 1, sizeof *score);
    double *raw = arena_array(step->arena, n + 1, sizeof *raw);
    struct normal normal;
    for (size_t i = 0; i < n; i++) {
        score[i] = totals_quad(step->totals, block, 1 + i);
        raw[i] = step->own[COX_EVENT_WEIGHT]; /* |t| ≤ 1 */
    }
    struct fit_tally tally = {.theta = &step->at,
                              .score = score,
                              .information = cox_read_matrix(step, block, 1 + n, n),
                              .raw = raw,
                              .rounding = step->fit.scalars[FIT_ROWS] *
                                          ldexp(1, -step->totals->extents[block].fraction)};
    MAILLE_TRY(cox_accept(step, totals_real(step->totals, block, 0), &accepted, error));
    if (accepted) {
        MAILLE_TRY(fit_normal(&normal, step->arena, &step->fit, &tally, error));
        if (step->fit.scalars[FIT_STEPS] == 0)
            step->own[COX_SCORE_TEST] =
                (double)linear_inverse_form(&normal.factor, step->arena, normal.score);
        if (normal.n == 0 || fit_step_size(&normal, 1) < FIT_TOLERANCE || step->at.stage == COX_LAST) {
            const f128 *robust = NULL;
            if (step->cox.robust && normal.n > 0 &&
                step->at.stage != COX_LAST) { /* the same β once more, with residuals */
                fit_theta_write(&step->fit, &step->iteration->theta, COX_LAST);
                goto out;
            }
            if (step->cox.robust && normal.n > 0)
                MAILLE_TRY(cox_robust_variance(&robust, step, &normal, block + BLOCK_SCORES, error));
            cox_report(step, &normal, robust, block + BLOCK_CONCORDANCE);
            *done = true;
            goto out;
        }
        MAILLE_TRY(fit_check_divergence(&step->fit, &normal, error));
        const double most = cox_predictor_max(&step->cox);
        if (!fit_take_bounded_step(&step->fit, &normal, most, step->arena, step->cox.formula->offset)) {
            code = fit_fail_bounds(&step->fit, &normal, most, error);
            goto out;
        }
    }
    fit_theta_write(&step->fit, &step->iteration->theta, COX_EVALUATE);
out:
    return code;
}
