/* Round 1 of the Cox model: who is there, when they leave, and how many have what. */
#include "stats/cox.h"

#include <math.h>

#include "stats/wording.h"

size_t cox_counts_blocks(const struct cox *cox)
{
    return cox->weights ? COX_BLOCKS_WEIGHTED : COX_BLOCKS;
}

void cox_counts_plan(const struct cox *cox, struct arena *arena, struct tally_spec *spec,
                     const struct fit_theta *at)
{
    const struct expression *filter = cox->survival.filter;
    const struct expression **terms = arena_array(arena, at->n_columns + 2, sizeof *terms);
    size_t n = 1;
    terms[0] = cox->design->columns[0].term;
    for (size_t i = 0; i < at->n_columns; i++)
        terms[n++] = cox->design->columns[at->columns[i]].term;
    terms[n++] = cox->formula->offset ? cox->formula->offset : expression_constant(arena, 0);

    fit_block(spec, cox->missing, NULL, 0);
    fit_block(spec, filter, NULL, 0);
    fit_block(spec, filter, NULL, 0)->distinct = true;
    fit_block(spec, filter, NULL, 0)->group = cox->status;
    struct tally_block *columns = fit_block(spec, filter, NULL, 1);
    columns->group = cox->status;
    columns->terms = terms + 1;
    columns->n_terms = n - 1;
    fit_block(spec, filter, NULL, 0)->group = cox->exit_code;
    fit_block(spec, filter, NULL, 0)->group = cox->entry_code;
    if (!cox->weights)
        return;
    fit_block(spec, cox->unused, NULL, 0);
    fit_block(spec, filter, cox->weights, 0)->group = cox->exit_code;
    fit_block(spec, filter, cox->weights, 0)->group = cox->entry_code;
    columns = fit_block(spec, filter, cox->weights, 1);
    columns->group = cox->status;
    columns->terms = terms;
    columns->n_terms = n;
}

/* Ĝ(t−) of every stratum: Kaplan–Meier of the censoring, which comes after the events of its time, as
 * finegray() takes it. */
static void read_censoring(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    const size_t n_status = cox->n_status;
    for (size_t s = 0; s < cox->strata.n; s++) {
        double at_risk = 0, left = 1;
        for (size_t i = 0; i < cox->n_bins * n_status; i++)
            at_risk += (double)totals_count(step->totals, COX_BLOCK_TIES, s * cox->n_bins * n_status + i);
        for (size_t k = 0; k < cox->n_bins; k++) {
            size_t cell = s * cox->n_bins + k;
            double censored =
                (double)totals_count(step->totals, COX_BLOCK_TIES, n_status * cell + COX_CENSORED);
            step->uncensored[cell] = left;
            for (size_t status = COX_EVENT; status < n_status; status++)
                at_risk -= (double)totals_count(step->totals, COX_BLOCK_TIES, n_status * cell + status);
            if (censored > 0)
                left *= (at_risk - censored) / at_risk;
            at_risk -= censored;
        }
    }
}

/* Σ over the events with their weights: what the log likelihood and the score begin with. */
static void read_events(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    const struct totals *totals = step->totals;
    size_t n = step->at.n_columns, first = n + 1, block = COX_BLOCK_COLUMNS;
    step->own[COX_EVENT_WEIGHT] = step->fit.scalars[FIT_EVENTS];
    if (cox->weights) {
        block = COX_BLOCK_WEIGHTED_COLUMNS;
        step->own[COX_EVENT_WEIGHT] = totals_real(totals, block, n + 2);
        first = n + 3;
    }
    for (size_t i = 0; i < n; i++)
        step->event_sum[step->at.columns[i]] = totals_real(totals, block, first + i);
    step->own[COX_EVENT_OFFSET] = totals_real(totals, block, first + n);
    step->own[COX_PAIRS] = cox_concordance_pairs(step);
    for (size_t i = 0; i < cox->strata.n * cox->n_bins; i++) {
        size_t cell = cox->n_status * i + COX_EVENT;
        step->ties[i] = (double)totals_count(totals, COX_BLOCK_TIES, cell);
        step->mean[i] = cox->weights && step->ties[i] > 0
                            ? totals_real(totals, COX_BLOCK_EVENT_WEIGHTS, cell) / step->ties[i]
                            : 1;
    }
}

static void warn(const struct cox_step *step)
{
    double complete = (double)totals_count(step->totals, COX_BLOCK_COMPLETE, 0);
    if (step->fit.scalars[FIT_ROWS] < complete)
        wording_warn_emptied(step->outcome);
    if (step->cox.unused && totals_count(step->totals, COX_BLOCK_UNUSED, 0) > 0)
        wording_warn(step->outcome, "rows of weight 0 were left out");
    if (step->cox.robust && !step->cox.cluster &&
        totals_count(step->totals, COX_BLOCK_PATIENTS, 0) < (int64_t)complete)
        wording_warn(step->outcome, "robust errors take the rows of a patient as independent of each other");
    if (step->cox.formula->has_cluster && !step->cox.robust)
        wording_warn(step->outcome, "cluster() changes nothing where `robust` is false");
}

enum maille_code cox_counts_read(struct cox_step *step, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct totals *totals = step->totals;
    struct fit *fit = &step->fit;
    size_t n = step->at.n_columns;
    f128 offset = 0;
    for (size_t status = 0; status < step->cox.n_status; status++) {
        size_t first = status * (n + 1);
        fit->scalars[FIT_ROWS] += (double)totals_count(totals, COX_BLOCK_ROWS, status);
        for (size_t i = 0; i < n; i++)
            fit->sum[step->at.columns[i]] += totals_real(totals, COX_BLOCK_COLUMNS, first + i);
        offset += totals_quad(totals, COX_BLOCK_COLUMNS, first + n);
    }
    for (size_t i = 0; i < n; i++)
        fit->event_sum[step->at.columns[i]] = totals_real(totals, COX_BLOCK_COLUMNS, COX_EVENT * (n + 1) + i);
    fit->scalars[FIT_OFFSET] = (double)offset;
    fit->scalars[FIT_EVENTS] = (double)totals_count(totals, COX_BLOCK_ROWS, COX_EVENT);
    fit->scalars[FIT_MISSING] = (double)totals_count(totals, COX_BLOCK_MISSING, 0);
    step->outcome->n = (int64_t)fit->scalars[FIT_ROWS];
    step->outcome->n_missing = (int64_t)fit->scalars[FIT_MISSING];
    step->outcome->n_event = (int64_t)fit->scalars[FIT_EVENTS];
    if (!(fit->scalars[FIT_ROWS] > 0)) {
        code = wording_nobody(error, step->outcome->n_missing);
        goto out;
    }
    if (!(fit->scalars[FIT_EVENTS] > 0)) {
        code = maille_fail(error, MAILLE_FAILED, "expected an event in the cohort, found none");
        goto out;
    }
    warn(step);
    read_events(step);
    MAILLE_TRY(fit_choose_columns(fit, step->outcome, error));
    MAILLE_TRY(fit_check_levels(fit, fit->event_sum, false, "an event", error));
    if (step->cox.n_status > COX_OTHER)
        read_censoring(step);
    if (step->cox.zph)
        cox_zph_weights(step);
out:
    return code;
}
