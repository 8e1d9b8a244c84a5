/* Round 1 of the Cox model: who is there, when they leave, and how many have what. */
#include "stats/cox.h"

#include <math.h>

#include "stats/left_out.h"
#include "stats/wording.h"

size_t cox_counts_blocks(const struct cox *cox)
{
    return cox->weights ? COX_BLOCKS_WEIGHTED : COX_BLOCKS;
}

void cox_counts_plan(const struct cox *cox, struct arena *arena, struct tally_spec *spec,
                     const struct fit_theta *at)
{
    const struct guard *all = &guard_cohort;
    const struct expression *filter = cox->survival.filter;
    const struct expression **terms = arena_array(arena, at->n_columns + 2, sizeof *terms);
    size_t n = 1;
    terms[0] = cox->design->columns[0].term;
    for (size_t i = 0; i < at->n_columns; i++)
        terms[n++] = cox->design->columns[at->columns[i]].term;
    terms[n++] = cox->formula->offset ? cox->formula->offset : expression_constant(arena, 0);

    fit_block(spec, &guard_missing, cox->cohort.missing, NULL, 0);
    fit_block(spec, all, filter, NULL, 0);
    struct tally_block *patients = fit_block(spec, all, filter, NULL, 0);
    patients->distinct = true;
    if (cox->cause != NULL && cox->formula->start) /* those of whom a row counts */
        patients->filter = expression_and(
            arena, filter,
            expression_unary(arena, OP_NOT, expression_unary(arena, OP_IS_MISSING, cox->exit)));
    fit_block(spec, all, filter, NULL, 0)->group = cox->status;
    struct tally_block *columns = fit_block(spec, all, filter, NULL, 1);
    columns->group = cox->status;
    columns->terms = terms + 1;
    columns->n_terms = n - 1;
    fit_block(spec, cox->guards.ties, filter, NULL, 0)->group = cox->exit_code;
    fit_block(spec, cox->guards.entries, filter, NULL, 0)->group = cox->entry_code;
    struct tally_block *left_out = fit_block(spec, all, filter, NULL, 0);
    if (cox->formula->start) {
        left_out->group = expression_survival(arena, OP_SURV_FATE, FATES_LEFT_OUT);
        left_out->guard = guard_each(arena, cox->left_out);
    }
    if (!cox->weights)
        return;
    fit_block(spec, all, cox->unused, NULL, 0);
    fit_block(spec, cox->guards.event_weights, filter, cox->weights, 0)->group = cox->exit_code;
    fit_block(spec, cox->guards.entry_weights, filter, cox->weights, 0)->group = cox->entry_code;
    columns = fit_block(spec, all, filter, cox->weights, 1);
    columns->group = cox->status;
    columns->terms = terms;
    columns->n_terms = n;
}

/* How many of a status leave a stratum in a bin, and how many enter. */
static double leaving(const struct cox_step *step, size_t cell, size_t status)
{
    return (double)totals_count(step->totals, COX_BLOCK_TIES, step->cox.n_status * cell + status);
}

static double entering(const struct cox_step *step, size_t cell)
{
    return step->cox.entry_code ? (double)totals_count(step->totals, COX_BLOCK_ENTRIES, cell) : 0;
}

static double leaving_at_all(const struct cox_step *step, size_t cell)
{
    double sum = 0;
    for (size_t status = 0; status < step->cox.n_status; status++)
        sum += leaving(step, cell, status);
    return sum;
}

/* Does anybody enter after the first has left? Else finegray() takes all as there from the start. */
static bool enters_late(const struct cox_step *step)
{
    size_t first = SIZE_MAX, last = 0, bins = step->cox.n_bins;
    for (size_t cell = 0; cell < step->cox.strata.n * bins; cell++) {
        if (entering(step, cell) > 0 && cell % bins > last)
            last = cell % bins;
        if (leaving_at_all(step, cell) > 0 && cell % bins < first)
            first = cell % bins;
    }
    return first != SIZE_MAX && last > first;
}

/* Ĝ(t−) of a stratum: Kaplan–Meier of the censoring, which comes after the events of its time, as finegray()
 * takes it. Who enters at a time is at risk after it. */
static void read_censoring(struct cox_step *step, size_t stratum)
{
    const size_t bins = step->cox.n_bins, first = stratum * bins;
    double at_risk = 0, left = 1;
    for (size_t k = 0; !step->cox.entry_code && k < bins; k++)
        at_risk += leaving_at_all(step, first + k);
    for (size_t k = 0; k < bins; k++) {
        size_t cell = first + k;
        double censored = leaving(step, cell, COX_CENSORED);
        step->uncensored[cell] = left;
        at_risk -= leaving_at_all(step, cell) - censored;
        if (censored > 0)
            left *= (at_risk - censored) / at_risk;
        at_risk += entering(step, cell) - censored;
    }
}

/* Times Ĥ(t−), the share that has entered by then: Kaplan–Meier of the entries with time running backwards
 * (Geskus, Biometrics 2011;67:39, §3). MAILLE_FAILED where all who are there have just entered: before that
 * time Ĥ is 0. */
static enum maille_code read_entries(struct cox_step *step, size_t stratum, struct maille_error *error)
{
    const size_t bins = step->cox.n_bins, first = stratum * bins;
    double entered = 1, at_risk = 0;
    for (size_t k = bins; k-- > 0;) { /* who is there after bin k */
        size_t cell = first + k;
        if (entering(step, cell) > 0)
            entered *= (at_risk - entering(step, cell)) / at_risk;
        if (!(entered > 0) && leaving(step, cell, COX_OTHER) > 0)
            return maille_fail(
                error, MAILLE_FAILED,
                "expected somebody at risk whenever a patient enters after an event of another cause, found "
                "nobody: leave the early entries out with cohort:");
        step->uncensored[cell] *= entered;
        at_risk += leaving_at_all(step, cell) - entering(step, cell);
    }
    return MAILLE_OK;
}

/* What the weights of those with an event of another cause are made of. */
static enum maille_code read_competing(struct cox_step *step, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool late = enters_late(step);
    if (step->cox.entry_code &&
        (double)totals_count(step->totals, COX_BLOCK_PATIENTS, 0) < step->fit.scalars[FIT_ROWS]) {
        code = maille_fail(
            error, MAILLE_FAILED,
            "expected rows of a patient that continue each other with the same covariates in a Fine and Gray "
            "model with delayed entry, found a patient who leaves and comes back, or changes: what the "
            "weights "
            "of one who had another event are then is not defined; take the covariates at entry, or cox with "
            "the other causes as censoring");
        goto out;
    }
    for (size_t s = 0; s < step->cox.strata.n; s++) {
        read_censoring(step, s);
        if (late)
            MAILLE_TRY(read_entries(step, s, error));
    }
out:
    return code;
}

/* The last bin in which somebody leaves, of the stratum where that is first. */
static double follow_up_end(const struct cox_step *step)
{
    const size_t bins = step->cox.n_bins;
    double end = INFINITY;
    for (size_t s = 0; s < step->cox.strata.n; s++)
        for (size_t k = bins; k-- > 0;)
            if (leaving_at_all(step, s * bins + k) > 0) {
                end = fmin(end, (double)k);
                break;
            }
    return end;
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
    if (cox_concordance_pooled(cox))
        cox_concordance_count(step);
    step->own[COX_END] = follow_up_end(step);
    for (size_t i = 0; i < cox->strata.n * cox->n_bins; i++) {
        size_t cell = cox->n_status * i + COX_EVENT;
        step->ties[i] = (double)totals_count(totals, COX_BLOCK_TIES, cell);
        step->mean[i] = cox->weights && step->ties[i] > 0
                            ? totals_real(totals, COX_BLOCK_EVENT_WEIGHTS, cell) / step->ties[i]
                            : 1;
    }
}

/* May a patient have several rows? Behind threshold rounds by what the dictionary says, since one patient who
 * has would be told by it. */
static bool may_repeat(const struct cox_step *step, int64_t complete)
{
    if (surviving_least(step->iteration->surviving) > 1)
        return step->cox.analysis->study->dictionary->rows != ROWS_ONE;
    return totals_count(step->totals, COX_BLOCK_PATIENTS, 0) < complete;
}

static void warn(const struct cox_step *step)
{
    double complete = (double)totals_count(step->totals, COX_BLOCK_COMPLETE, 0);
    const int64_t unused = step->cox.unused ? totals_count(step->totals, COX_BLOCK_UNUSED, 0) : 0;
    if (step->cox.formula->start)
        left_out_warn(step->outcome, step->totals, COX_BLOCK_LEFT_OUT, step->iteration->surviving,
                      step->cox.left_out);
    if (unused > 0)
        wording_warn(step->outcome, "%s left out: of weight 0",
                     wording_rows(step->outcome, step->iteration->surviving, unused));
    if (step->cox.robust && !step->cox.cluster && !step->cox.formula->has_cluster && !step->cox.cause &&
        may_repeat(step, (int64_t)complete))
        wording_warn(step->outcome, "robust errors take the rows of a patient as independent of each other; "
                                    "cluster(patient) does not");
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
    step->outcome->n = totals_heads((f128)fit->scalars[FIT_ROWS]);
    groups_cohort_read(step->outcome, totals, COX_BLOCK_MISSING, step->iteration->surviving);
    step->outcome->n_event = totals_heads((f128)fit->scalars[FIT_EVENTS]);
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
    MAILLE_TRY(fit_poly_read(fit, totals, step->arena, error));
    MAILLE_TRY(fit_choose_columns(fit, step->outcome, error));
    MAILLE_TRY(fit_check_levels(fit, fit->event_sum, false, "an event", step->outcome, error));
    if (step->cox.n_status > COX_OTHER)
        MAILLE_TRY(read_competing(step, error));
    if (step->cox.zph)
        cox_zph_weights(step);
out:
    return code;
}
