#include "stats/followup.h"

#include <math.h>
#include <string.h>

#include "stats/left_out.h"
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

/* A response, and nothing but groups after the `~`. */
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
    return MAILLE_OK;
}

enum maille_code followup_groups(struct groups *groups, const struct formula *formula, bool causes,
                                 struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    groups_init(groups);
    MAILLE_TRY(followup_formula(formula, causes, error));
    for (size_t i = 0; i < formula->n_terms; i++) {
        const struct formula_factor *factor = &formula->factors[__builtin_ctzll(formula->terms[i].factors)];
        if (__builtin_popcountll(formula->terms[i].factors) != 1 || factor->n_basis > 0) {
            code = maille_fail(
                error, MAILLE_INVALID,
                "expected categories joined by `+` after the `~` (they are crossed), found the %s "
                "`%s`",
                factor->n_basis > 0 ? "spline" : "interaction", formula->terms[i].label);
            goto out;
        }
        MAILLE_TRY(groups_add_any(groups, arena, factor->label, factor->expression, error));
    }
out:
    return code;
}

/* Bins of the time axis. */
static enum maille_code followup_axis(struct followup *followup, const struct analysis *analysis,
                                      struct maille_error *error)
{
    enum maille_code code = analysis_time_axis(&followup->axis, analysis, followup->formula, error);
    if (code == MAILLE_OK && followup->axis.n_bins > FOLLOWUP_BINS_MAX)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected at most %d steps of the grid, found %u: use a coarser grid",
                           FOLLOWUP_BINS_MAX, followup->axis.n_bins);
    followup->n_bins = followup->axis.n_bins;
    return code;
}

static enum maille_code followup_read_analysis(struct followup *followup, const struct analysis *analysis,
                                               size_t key, bool causes, struct arena *arena,
                                               struct maille_error *error)
{
    const struct formula *formula = analysis->values[key].formula;
    enum maille_code code;
    followup->formula = formula;
    followup->curves = false;
    followup->exit = NULL;
    followup->ends = NULL;
    followup->exit_steps = NULL;
    groups_init(&followup->strata);
    groups_init(&followup->cells);
    MAILLE_TRY(followup_groups(&followup->groups, formula, causes, arena, error));
    MAILLE_TRY(followup_axis(followup, analysis, error));
    for (size_t i = 0; i < formula->n_strata; i++)
        MAILLE_TRY(groups_add_any(&followup->strata, arena, formula->strata[i].label,
                                  formula->strata[i].expression, error));
    followup->cells = followup->strata;
    for (size_t i = 0; i < followup->groups.n_parts; i++)
        MAILLE_TRY(groups_add(&followup->cells, followup->groups.names[i], followup->groups.parts[i], error));
    cohort_rows(&followup->cohort, analysis, arena, NULL, 0);
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

void followup_survival(const struct followup *followup, struct arena *arena, struct tally_spec *spec)
{
    spec->survival = (struct tally_survival){
        .filter = followup->cohort.rows,
        .start = followup->formula->start,
        .stop = followup->formula->stop,
        .event = followup->formula->event,
        .joins = followup->formula->start != NULL,
        .same = followup->formula->start != NULL ? groups_code(&followup->cells, arena, NULL) : NULL,
        .lattice = followup->axis.lattice,
        .per_bin = followup->axis.per_bin,
        .n_bins = followup->n_bins};
}

/* Where the head counts of exits per arm × bin stand; those of entries follow. */
static size_t cells_at_risk(const struct followup *followup)
{
    return FOLLOWUP_CELLS_EVENTS + (followup->curves || followup->strata.n_parts > 0 ? 2 : 1);
}

size_t followup_cells_end(const struct followup *followup)
{
    return cells_at_risk(followup) + (followup->formula->start != NULL ? 3 : 1);
}

size_t followup_end(const struct followup *followup, const struct surviving *surviving, size_t cell)
{
    size_t n = followup->n_bins;
    if (surviving == NULL)
        return n;
    if (!followup_shown(followup, surviving, cell))
        return 0;
    n = surviving_end(surviving->kept[cells_at_risk(followup)] + cell * n, n);
    return followup->ends != NULL && followup->ends[cell] < n ? followup->ends[cell] : n;
}

/* The head counts of arms in `parts` runs: with the block of events by arm and cause where an arm may be
 * suppressed alone; in a test all is kept. */
static const struct guard *guard_arms(const struct followup *followup, size_t parts, struct arena *arena)
{
    const struct guard *arms = guard_parts(arena, FOLLOWUP_CELLS_ARMS, parts);
    return followup->curves ? guard_both(arena, arms, guard_parts(arena, FOLLOWUP_CELLS_EVENTS, parts))
                            : arms;
}

enum maille_code followup_plan(const struct followup *followup, struct arena *arena, struct tally_spec *spec,
                               struct maille_error *error)
{
    enum maille_code code;
    const struct guard *arms = guard_arms(followup, followup->cells.n, arena);
    const struct guard *bins = guard_both(arena, guard_each(arena, cells_at_risk(followup)), arms);
    const struct expression *rows = followup->cohort.rows;
    const struct expression *exit_bin = followup->exit;
    if (exit_bin == NULL)
        exit_bin = expression_survival(arena, OP_SURV_EXIT, followup->n_bins);
    const struct guard *exits =
        followup->exit_steps == NULL ? bins : guard_both(arena, bins, followup->exit_steps);
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, followup->n_status);
    const struct expression *inner =
        expression_cross(arena, (const struct expression *[]){exit_bin, status}, 2);
    followup_survival(followup, arena, spec);
    MAILLE_TRY(groups_cohort_tally(spec, &followup->cohort, error));
    /* The whole less what is shown is what is not. */
    MAILLE_TRY(groups_tally(spec, guard_arms(followup, 1, arena), rows, NULL, error));
    MAILLE_TRY(groups_tally(spec, arms, rows, groups_code(&followup->cells, arena, status), error));
    MAILLE_TRY(groups_tally(spec, exits, rows, groups_code(&followup->cells, arena, inner), error));
    if (followup->formula->start != NULL) {
        const struct expression *entry = expression_survival(arena, OP_SURV_ENTRY, followup->n_bins);
        const struct expression *followed =
            expression_and(arena, rows, expression_complete(arena, &status, 1));
        MAILLE_TRY(groups_tally(spec, bins, rows, groups_code(&followup->cells, arena, entry), error));
        MAILLE_TRY(groups_tally(spec, arms, followed, groups_code(&followup->cells, arena, NULL), error));
        spec->blocks[FOLLOWUP_PATIENTS].distinct = true;
        MAILLE_TRY(left_out_tally(spec, rows, followup_cells_left_out(followup, false), arena, error));
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
        *events = expression_and(arena, followup->cohort.rows, event);
        return MAILLE_OK;
    }
    const struct expression *status = expression_number_of(arena, event),
                            *one = expression_constant(arena, 1);
    *events = expression_and(arena, followup->cohort.rows, expression_binary(arena, OP_GE, status, one));
    return expression_as_code(cause, arena, expression_binary(arena, OP_MAX, status, one), error);
}

/* Rows that leave, and that enter, by arm × bin. */
static enum maille_code cells_over_time(const struct followup *followup, struct arena *arena,
                                        struct cells *cells, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const enum expression_op ops[] = {OP_SURV_EXIT, OP_SURV_ENTRY};
    const enum cell_rule rules[] = {CELL_AT_RISK, CELL_ENTERING};
    followup_survival(followup, arena, &cells->spec);
    for (size_t i = 0; i < (followup->formula->start != NULL ? 2 : 1); i++) {
        size_t block = cells->spec.n_blocks;
        const struct expression *bin = expression_survival(arena, ops[i], followup->n_bins);
        MAILLE_TRY(groups_cell(cells, rules[i], followup->cohort.rows,
                               groups_code(&followup->cells, arena, bin), error));
        cells->spec.blocks[block].distinct = false;
        cells->n_bins[block] = followup->n_bins;
    }
    if (followup->formula->start != NULL)
        MAILLE_TRY(left_out_cells(cells, followup->cohort.rows, arena, error));
out:
    return code;
}

/* Patients with an event per group of `arms` and cause; arms NULL: all together. */
static enum maille_code cells_events(const struct followup *followup, const struct groups *arms,
                                     enum cell_rule rule, struct arena *arena, struct cells *cells,
                                     struct maille_error *error)
{
    enum maille_code code;
    const struct expression *events, *cause;
    MAILLE_TRY(followup_events(&events, &cause, followup, arena, error));
    MAILLE_TRY(groups_cell(cells, rule, events, arms ? groups_code(arms, arena, cause) : NULL, error));
    cells->of_events[cells->spec.n_blocks - 1] = true;
out:
    return code;
}

enum maille_code followup_cells(const struct followup *followup, struct arena *arena, struct cells *cells,
                                struct maille_error *error)
{
    enum maille_code code;
    cells->axis = followup->axis;
    MAILLE_TRY(groups_cohort_cells(cells, &followup->cohort, error));
    MAILLE_TRY(groups_cell(cells, followup->curves ? CELL_TABLE : CELL_PATIENTS, followup->cohort.rows,
                           groups_code(&followup->cells, arena, NULL), error));
    if (followup->curves) {
        MAILLE_TRY(cells_events(followup, &followup->cells, CELL_TABLE, arena, cells, error));
        MAILLE_TRY(cells_events(followup, NULL, CELL_EVENTS, arena, cells, error));
    } else {
        MAILLE_TRY(cells_events(followup, &followup->groups, CELL_EVENTS, arena, cells, error));
        if (followup->strata.n_parts > 0)
            MAILLE_TRY(cells_events(followup, &followup->strata, CELL_EVENTS, arena, cells, error));
    }
    MAILLE_TRY(cells_over_time(followup, arena, cells, error));
out:
    return code;
}

enum maille_code followup_cells_site(const struct followup *followup, struct arena *arena,
                                     struct cells *cells, struct maille_error *error)
{
    enum maille_code code;
    cells->axis = followup->axis;
    MAILLE_TRY(groups_cohort_cells(cells, &followup->cohort, error));
    MAILLE_TRY(groups_cell(cells, CELL_PATIENTS, followup->cohort.rows,
                           groups_code(&followup->groups, arena, NULL), error));
    MAILLE_TRY(cells_events(followup, &followup->groups, CELL_EVENTS, arena, cells, error));
    if (followup->formula->start != NULL) {
        followup_survival(followup, arena, &cells->spec);
        MAILLE_TRY(left_out_cells(cells, followup->cohort.rows, arena, error));
    }
out:
    return code;
}

size_t followup_cells_left_out(const struct followup *followup, bool site)
{
    return site ? FOLLOWUP_CELLS_EVENTS + 1 : cells_at_risk(followup) + 2;
}

bool followup_shown(const struct followup *followup, const struct surviving *surviving, size_t cell)
{
    size_t n_events = followup->n_status - 1;
    bool shown = surviving_kept(surviving, FOLLOWUP_CELLS_ARMS, cell);
    /* The block of events is by arm and cause where an arm may be suppressed alone; in a test all is kept. */
    for (size_t k = 0; shown && followup->curves && k < n_events; k++)
        shown = surviving_kept(surviving, FOLLOWUP_CELLS_EVENTS, cell * n_events + k);
    return shown;
}

/* Counts of one cell, bin by bin up to its end. */
static void read_cell(struct followup_counts *counts, const struct followup *followup,
                      const struct totals *totals, size_t cell)
{
    size_t n_cells = counts->n_cells, n_bins = counts->n_bins;
    int64_t *event = counts->event + cell * n_bins, *censored = counts->censored + cell * n_bins;
    int64_t *at_risk = counts->at_risk + cell * n_bins;
    bool late = followup->formula->start != NULL;
    for (size_t k = 0; k < followup->n_status; k++) {
        int64_t n = totals_count(totals, FOLLOWUP_ARMS, cell * followup->n_status + k);
        counts->n[cell] += late ? 0 : n;
        counts->n_event[cell] += k > 0 ? n : 0;
        counts->n_censored[cell] += k > 0 ? 0 : n;
    }
    if (late)
        counts->n[cell] = totals_count(totals, FOLLOWUP_PATIENTS, cell);
    /* At risk in a bin: entered before it, not yet gone. */
    int64_t now = late ? 0 : counts->n[cell];
    for (size_t bin = 0; bin < counts->end[cell]; bin++) {
        size_t at = (cell * n_bins + bin) * followup->n_status;
        censored[bin] = totals_count(totals, FOLLOWUP_EXITS, at);
        for (size_t k = 0; k + 1 < followup->n_status; k++) {
            int64_t n = totals_count(totals, FOLLOWUP_EXITS, at + 1 + k);
            counts->cause[(k * n_cells + cell) * n_bins + bin] = n;
            event[bin] += n;
        }
        at_risk[bin] = now;
        now -= censored[bin] + event[bin];
        if (late)
            now += totals_count(totals, FOLLOWUP_ENTRIES, cell * n_bins + bin);
    }
}

void followup_read(struct followup_counts *counts, const struct followup *followup,
                   const struct surviving *surviving, const struct totals *totals, struct arena *arena)
{
    size_t n_cells = followup->cells.n, n_bins = followup->n_bins;
    *counts = (struct followup_counts){.n_cells = n_cells, .n_bins = n_bins};
    counts->event = arena_array(arena, n_cells * n_bins, sizeof *counts->event);
    counts->cause = arena_array(arena, (followup->n_status - 1) * n_cells * n_bins, sizeof *counts->cause);
    counts->censored = arena_array(arena, n_cells * n_bins, sizeof *counts->censored);
    counts->at_risk = arena_array(arena, n_cells * n_bins, sizeof *counts->at_risk);
    counts->n = arena_array(arena, n_cells, sizeof *counts->n);
    counts->n_event = arena_array(arena, n_cells, sizeof *counts->n_event);
    counts->n_censored = arena_array(arena, n_cells, sizeof *counts->n_censored);
    counts->end = arena_array(arena, n_cells, sizeof *counts->end);
    counts->shown = arena_array(arena, n_cells, sizeof *counts->shown);
    for (size_t cell = 0; cell < n_cells; cell++) {
        counts->end[cell] = followup_end(followup, surviving, cell);
        counts->shown[cell] = followup_shown(followup, surviving, cell);
        counts->n_hidden += !counts->shown[cell];
        read_cell(counts, followup, totals, cell);
        counts->n_all += counts->n[cell];
    }
    counts->n_missing =
        surviving_kept(surviving, CELLS_MISSING, 0) ? totals_count(totals, FOLLOWUP_MISSING, 0) : -1;
    counts->n_complete = counts->n_hidden == 0 ? totals_count(totals, FOLLOWUP_COMPLETE, 0) : -1;
}

enum maille_code followup_outcome(const struct followup_counts *counts, struct outcome *outcome,
                                  struct maille_error *error)
{
    if (counts->n_all == 0 && counts->n_hidden == 0)
        return wording_nobody(error, counts->n_missing + counts->n_complete);
    outcome->n = counts->n_all;
    outcome->n_missing = counts->n_missing;
    outcome->n_event = 0;
    for (size_t cell = 0; cell < counts->n_cells; cell++)
        outcome->n_event += counts->n_event[cell];
    return MAILLE_OK;
}

void followup_warn_end(const struct followup *followup, const struct followup_counts *counts, size_t cell,
                       const char *stratum, struct outcome *outcome)
{
    if (counts->shown[cell] && counts->end[cell] < counts->n_bins)
        wording_warn(outcome,
                     "the curve of %s ends before time %.10g, where too few patients are left at risk",
                     stratum, (double)counts->end[cell] * followup->axis.width);
}
