#include "stats/followup.h"

#include <math.h>

#include "stats/wording.h"

static enum maille_code followup_event(const struct formula *formula, bool causes, struct maille_error *error)
{
    if (formula->kind != RESPONSE_SURVIVAL)
        return maille_fail(error, MAILLE_INVALID, "expected Surv(time, event) before the `~`, found `%s`",
                           formula->response_label == NULL ? "nothing" : formula->response_label);
    if (!causes && formula->event->kind != EXPRESSION_BOOLEAN)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a boolean event in Surv(), found a category: derive one, such as "
                           "`died: status == \"death\"`, or use cuminc");
    if (causes && formula->event->kind != EXPRESSION_CODE)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a category in Surv() whose first level is censoring and each other level a "
            "cause, found a boolean: use km");
    if (causes && formula->start != NULL)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected Surv(time, status), found a start: cumulative incidence takes no delayed entry");
    return MAILLE_OK;
}

static enum maille_code followup_formula(const struct formula *formula, bool causes,
                                         struct maille_error *error)
{
    enum maille_code code = followup_event(formula, causes, error);
    if (code != MAILLE_OK)
        return code;
    if (formula->offset != NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected groups alone after the `~`, found offset(): remove it");
    if (formula->has_cluster)
        return maille_fail(error, MAILLE_INVALID,
                           "expected groups alone after the `~`, found cluster(): remove it");
    for (size_t i = 0; i < formula->n_terms; i++)
        if (__builtin_popcountll(formula->terms[i].factors) != 1)
            return maille_fail(
                error, MAILLE_INVALID,
                "expected categories joined by `+` after the `~` (they are crossed), found the interaction "
                "`%s`",
                formula->terms[i].label);
    return MAILLE_OK;
}

/* Bins of the time axis. */
static enum maille_code followup_axis(struct followup *followup, const struct analysis *analysis,
                                      struct maille_error *error)
{
    const struct formula *formula = followup->formula;
    const struct expression *stop = formula->stop;
    if (!isfinite(stop->high) || stop->low < 0)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected follow-up times between 0 and a known maximum, found %g to %g: set `min` and `max` in "
            "the dictionary",
            stop->low, stop->high);
    if (formula->start != NULL && !(formula->start->low >= 0))
        return maille_fail(error, MAILLE_INVALID, "expected entry times of at least 0, found a minimum of %g",
                           formula->start->low);
    followup->width = grid_width(analysis->study->grid, formula->units, stop->step);
    if (!(followup->width > 0) || !(stop->high / followup->width < FOLLOWUP_BINS_MAX - 1))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a time with a known step and at most %d steps of the grid, found %g to %g in steps of "
            "%g: use a variable of the dictionary as it is, or a coarser grid",
            FOLLOWUP_BINS_MAX, stop->low, stop->high, followup->width);
    followup->n_bins = (uint32_t)ceil(stop->high / followup->width) + 1;
    return MAILLE_OK;
}

static enum maille_code followup_read_analysis(struct followup *followup, const struct analysis *analysis,
                                               size_t key, bool causes, struct arena *arena,
                                               struct maille_error *error)
{
    const struct formula *formula = analysis->values[key].formula;
    enum maille_code code;
    followup->formula = formula;
    groups_init(&followup->groups);
    groups_init(&followup->strata);
    groups_init(&followup->cells);
    MAILLE_TRY(followup_formula(formula, causes, error));
    MAILLE_TRY(followup_axis(followup, analysis, error));
    for (size_t i = 0; i < formula->n_strata; i++)
        MAILLE_TRY(groups_add_any(&followup->strata, arena, formula->strata[i].label,
                                  formula->strata[i].expression, error));
    for (size_t i = 0; i < formula->n_terms; i++) {
        const struct formula_factor *factor = &formula->factors[__builtin_ctzll(formula->terms[i].factors)];
        if (factor->n_basis > 0) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected a category after the `~`, found the spline `%s`", factor->label);
            goto out;
        }
        MAILLE_TRY(groups_add_any(&followup->groups, arena, factor->label, factor->expression, error));
    }
    followup->cells = followup->strata;
    for (size_t i = 0; i < followup->groups.n_parts; i++)
        MAILLE_TRY(groups_add(&followup->cells, followup->groups.names[i], followup->groups.parts[i], error));
    followup->rows = expression_and(arena, analysis->cohort, analysis_complete(analysis, arena, NULL, 0));
    followup->n_status = causes ? formula->event->n_levels : 2;
out:
    return code;
}

enum maille_code followup_of(struct followup *followup, const struct analysis *analysis, size_t key,
                             struct arena *arena, struct maille_error *error)
{
    return followup_read_analysis(followup, analysis, key, false, arena, error);
}

enum maille_code followup_of_causes(struct followup *followup, const struct analysis *analysis, size_t key,
                                    struct arena *arena, struct maille_error *error)
{
    return followup_read_analysis(followup, analysis, key, true, arena, error);
}

void followup_survival(const struct followup *followup, struct tally_spec *spec)
{
    spec->survival = (struct tally_survival){.filter = followup->rows,
                                             .start = followup->formula->start,
                                             .stop = followup->formula->stop,
                                             .event = followup->formula->event,
                                             .width = followup->width,
                                             .n_bins = followup->n_bins};
}

enum maille_code followup_plan(const struct followup *followup, const struct analysis *analysis,
                               struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    const struct expression *exit_bin = expression_survival(arena, OP_SURV_EXIT, followup->n_bins);
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, followup->n_status);
    const struct expression *inner =
        expression_cross(arena, (const struct expression *[]){exit_bin, status}, 2);
    followup_survival(followup, spec);
    MAILLE_TRY(groups_tally(spec, analysis->cohort, NULL, false, error));
    MAILLE_TRY(groups_tally(spec, followup->rows, NULL, false, error));
    MAILLE_TRY(groups_tally(spec, followup->rows, groups_code(&followup->cells, arena, inner), false, error));
    if (followup->formula->start != NULL) {
        const struct expression *entry = expression_survival(arena, OP_SURV_ENTRY, followup->n_bins);
        MAILLE_TRY(
            groups_tally(spec, followup->rows, groups_code(&followup->cells, arena, entry), false, error));
    }
out:
    return code;
}

/* Patients with an event, and of which cause (NULL: of one kind). */
static enum maille_code followup_events(const struct expression **events, const struct expression **cause,
                                        const struct followup *followup, struct arena *arena,
                                        struct maille_error *error)
{
    const struct expression *event = followup->formula->event;
    *cause = NULL;
    if (event->kind == EXPRESSION_BOOLEAN) {
        *events = expression_and(arena, followup->rows, event);
        return MAILLE_OK;
    }
    const struct expression *status = expression_number_of(arena, event),
                            *one = expression_constant(arena, 1);
    *events = expression_and(arena, followup->rows, expression_binary(arena, OP_GE, status, one));
    return expression_as_code(cause, arena, expression_binary(arena, OP_MAX, status, one), error);
}

enum maille_code followup_cells(const struct followup *followup, struct arena *arena, struct cells *cells,
                                struct maille_error *error)
{
    enum maille_code code;
    const struct groups *arms[] = {&followup->groups, &followup->strata};
    const struct expression *events, *cause;
    double days = units_in_days(followup->formula->units);
    /* A time without known units counts in its own steps: as fine as a day, so that `finest_grid` is on the
     * safe side. */
    cells->grid_days = days > 0 ? followup->width * days : 1;
    MAILLE_TRY(followup_events(&events, &cause, followup, arena, error));
    MAILLE_TRY(groups_cell(cells, CELL_COHORT, followup->rows, NULL, error));
    for (size_t i = 0; i < sizeof arms / sizeof *arms; i++) {
        if (i > 0 && arms[i]->n_parts == 0)
            continue;
        const struct expression *arm = groups_code(arms[i], arena, NULL);
        MAILLE_TRY(groups_cell(cells, CELL_PATIENTS, followup->rows, arm, error));
        MAILLE_TRY(groups_cell(cells, CELL_EVENTS, events, groups_code(arms[i], arena, cause), error));
    }
out:
    return code;
}

void followup_read(struct followup_counts *counts, const struct followup *followup,
                   const struct totals *totals, struct arena *arena)
{
    size_t n_cells = followup->cells.n, n_bins = followup->n_bins;
    *counts = (struct followup_counts){.n_cells = n_cells, .n_bins = n_bins};
    counts->n_cohort = totals_count(totals, FOLLOWUP_COHORT, 0);
    counts->n_complete = totals_count(totals, FOLLOWUP_COMPLETE, 0);
    counts->event = arena_array(arena, n_cells * n_bins, sizeof *counts->event);
    counts->cause = arena_array(arena, (followup->n_status - 1) * n_cells * n_bins, sizeof *counts->cause);
    counts->censored = arena_array(arena, n_cells * n_bins, sizeof *counts->censored);
    counts->at_risk = arena_array(arena, n_cells * n_bins, sizeof *counts->at_risk);
    counts->n = arena_array(arena, n_cells, sizeof *counts->n);
    counts->n_event = arena_array(arena, n_cells, sizeof *counts->n_event);
    for (size_t cell = 0; cell < n_cells; cell++) {
        int64_t *event = counts->event + cell * n_bins, *censored = counts->censored + cell * n_bins;
        int64_t *at_risk = counts->at_risk + cell * n_bins;
        for (size_t bin = 0; bin < n_bins; bin++) {
            size_t at = (cell * n_bins + bin) * followup->n_status;
            censored[bin] = totals_count(totals, FOLLOWUP_EXITS, at);
            for (size_t k = 0; k + 1 < followup->n_status; k++) {
                int64_t n = totals_count(totals, FOLLOWUP_EXITS, at + 1 + k);
                counts->cause[(k * n_cells + cell) * n_bins + bin] = n;
                event[bin] += n;
            }
            counts->n[cell] += censored[bin] + event[bin];
            counts->n_event[cell] += event[bin];
        }
        /* At risk in a bin: entered before it, not yet gone. */
        int64_t now = followup->formula->start == NULL ? counts->n[cell] : 0;
        for (size_t bin = 0; bin < n_bins; bin++) {
            at_risk[bin] = now;
            now -= censored[bin] + event[bin];
            if (followup->formula->start != NULL)
                now += totals_count(totals, FOLLOWUP_ENTRIES, cell * n_bins + bin);
        }
        counts->n_all += counts->n[cell];
    }
}

enum maille_code followup_outcome(const struct followup_counts *counts, struct outcome *outcome,
                                  struct maille_error *error)
{
    if (counts->n_all == 0)
        return wording_nobody(error, counts->n_cohort);
    outcome->n = counts->n_all;
    outcome->n_missing = counts->n_cohort - counts->n_complete;
    outcome->n_event = 0;
    for (size_t cell = 0; cell < counts->n_cells; cell++)
        outcome->n_event += counts->n_event[cell];
    if (counts->n_all != counts->n_complete)
        wording_warn_emptied(outcome);
    return MAILLE_OK;
}
