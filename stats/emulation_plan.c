/* Head counts of a target trial, and what is tallied in each of its rounds (emulation.c). */
#include <math.h>

#include "stats/emulation.h"

extern const struct method method_glm;

/* --- head counts --- */

/* The ends of the steps, of the start and of the follow-up. */
static void put_predicates(struct cells *out, const struct emulation *trial, struct arena *arena)
{
    const struct query_value *grace = analysis_value(trial->analysis, "grace");
    const struct expression *const numbers[] = {analysis_value(trial->analysis, "start")->expressions[0],
                                                trial->formula->stop};
    const struct expression **predicates = arena_array(arena, 2 * grace->n, sizeof *predicates);
    for (size_t k = 0; k < grace->n; k++)
        for (size_t i = 0; i < 2; i++)
            predicates[2 * k + i] =
                expression_binary(arena, OP_LE, numbers[i], expression_constant(arena, grace->numbers[k]));
    out->predicates = predicates;
    out->n_predicates = 2 * grace->n;
}

/* The head counts of a model: as those of its glm, of rows that miss nothing, and without pairs, since no
 * covariance is told. Who has the outcome is in the model. */
static enum maille_code add_model(struct cells *out, const struct emulation *trial, size_t model,
                                  struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *rows = trial->cohort.rows, *starts = trial->models[model].outcome,
                            *nobody = expression_unary(arena, OP_NOT, expression_true(arena));
    const struct cohort_rows cohort = {.rows = expression_and(arena, rows, trial->models[model].rows),
                                       .missing = nobody};
    const size_t first = out->spec.n_blocks;
    MAILLE_TRY(fit_cells(out, trial->design, &cohort, starts, arena, error));
    for (size_t b = first; b < out->spec.n_blocks; b++)
        if (out->rules[b] == CELL_EVENTS)
            out->spec.blocks[b].filter = expression_and(arena, rows, starts);
    while (out->rules[out->spec.n_blocks - 1] == CELL_PAIRS)
        out->spec.blocks[--out->spec.n_blocks] = (struct tally_block){0};
out:
    return code;
}

enum maille_code emulation_model_cells(size_t *first, const struct emulation *trial, size_t model,
                                       struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cells *before = arena_alloc(arena, sizeof *before);
    for (size_t k = 0; k < model; k++)
        MAILLE_TRY(add_model(before, trial, k, arena, error));
    *first = EMULATION_CELLS_MODELS + before->spec.n_blocks;
out:
    return code;
}

enum maille_code emulation_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation trial;
    size_t n_parameters = 0;
    MAILLE_TRY(emulation_of(&trial, analysis, arena, error));
    out->spec.survival = trial.survival;
    put_predicates(out, &trial, arena);
    MAILLE_TRY(groups_cohort_cells(out, &trial.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_PATIENTS, trial.cohort.rows, trial.fate, error));
    MAILLE_TRY(groups_cell(out, CELL_PATIENTS, trial.cohort.rows, trial.step, error));
    const struct expression *events = expression_and(arena, trial.cohort.rows, trial.formula->event);
    out->events_alone[out->spec.n_blocks] = true; /* nobody need be lost */
    MAILLE_TRY(groups_cell(out, CELL_EVENTS, events, trial.fate, error));
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        const size_t block = out->spec.n_blocks;
        MAILLE_TRY(groups_cell(out, CELL_AT_RISK, trial.cohort.rows, trial.arms[a].code->args[0], error));
        out->spec.blocks[block].distinct = false;
        out->n_bins[block] = trial.n_bins;
    }
    out->n_bins[out->spec.n_blocks] = trial.n_rows;
    MAILLE_TRY(groups_cell(out, CELL_MERGE, events, trial.row, error));
    for (size_t k = 0; k < trial.n_steps; k++) {
        MAILLE_TRY(add_model(out, &trial, k, arena, error));
        n_parameters += out->n_parameters;
    }
    out->both = true;
    out->pairs_uncounted = false;
    out->n_parameters = n_parameters;
    /* S and RMST by arm with their errors, that of the difference; what each arm weighs */
    out->n_shown = 2 * n_parameters + 5 * trial.n_targets + EMULATION_ARMS;
    out->axis = trial.axis;
out:
    return code;
}

/* --- plan --- */

size_t emulation_block_weights(const struct emulation *trial, enum emulation_arm_index arm, size_t segment,
                               bool there)
{
    size_t block = EMULATION_BLOCK_COUNTS + EMULATION_ARMS;
    for (size_t a = 0; a < arm; a++)
        block += 2 * (trial->arms[a].n_segments - 1);
    return block + 2 * (segment - 1) + there;
}

size_t emulation_blocks_weigh(const struct emulation *trial)
{
    return emulation_block_weights(trial, EMULATION_STARTS, trial->arms[EMULATION_STARTS].n_segments, false);
}

size_t emulation_block_products(const struct emulation *trial)
{
    return emulation_blocks_weigh(trial);
}

size_t emulation_block_information(const struct emulation *trial, size_t model)
{
    return emulation_block_products(trial) + 1 + model;
}

size_t emulation_block_derivatives(const struct emulation *trial, enum emulation_arm_index arm, size_t target,
                                   size_t model)
{
    size_t block = emulation_block_information(trial, trial->n_steps);
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        for (size_t t = 0; t < trial->n_targets; t++)
            for (size_t k = 0; k < trial->n_steps; k++) {
                if (trial->arms[a].slope[k] == NULL)
                    continue;
                if (a == arm && t == target && k == model)
                    return block;
                block++;
            }
    return SIZE_MAX;
}

static const struct expression *is_after(struct arena *arena, const struct emulation_arm *arm, size_t bin)
{
    return expression_binary(arena, OP_GT, arm->exit, expression_constant(arena, (double)bin));
}

static enum maille_code plan_weights(const struct emulation *trial, struct arena *arena,
                                     struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *rows = trial->cohort.rows;
    MAILLE_TRY(groups_cohort_tally(spec, &trial->cohort, error));
    MAILLE_TRY(groups_tally(spec, &guard_cohort, rows, NULL, error));
    MAILLE_TRY(groups_tally(spec, guard_whole(arena, EMULATION_CELLS_EVENTS),
                            expression_and(arena, rows, trial->formula->event), NULL, error));
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        MAILLE_TRY(groups_tally(spec, guard_each(arena, EMULATION_CELLS_RISK + a), rows, trial->arms[a].code,
                                error));
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        for (size_t m = 1; m < trial->arms[a].n_segments; m++) {
            const struct emulation_arm *arm = &trial->arms[a];
            const struct expression *there = expression_and(arena, rows, is_after(arena, arm, arm->after[m])),
                                    *within = there;
            if (m + 1 < arm->n_segments)
                within = expression_and(
                    arena, there, expression_unary(arena, OP_NOT, is_after(arena, arm, arm->after[m + 1])));
            MAILLE_TRY(groups_sums(spec, guard_each(arena, EMULATION_CELLS_RISK + a), within, arm->code,
                                   arm->weight[m], NULL, 0, error));
            MAILLE_TRY(groups_sums(spec, &guard_cohort, there, NULL, arm->weight[m], NULL, 0, error));
        }
out:
    return code;
}

/* What a clone does to a number: over all segments, or, times the slope of a model, over those that depend on
 * it. Never NULL: 0 where the number is not known. */
static const struct expression *moves_of(const struct emulation *trial, const struct emulation_curve *curve,
                                         enum emulation_arm_index a, size_t target, size_t model,
                                         struct arena *arena)
{
    const struct emulation_arm *arm = &trial->arms[a];
    const bool all = model == trial->n_steps;
    const struct expression *sum = NULL;
    for (size_t m = all ? 0 : arm->since[model]; m < arm->n_segments; m++) {
        const double *table = emulation_moves(trial, curve, target, a, m, trial->errors[0], arena);
        if (table == NULL)
            return expression_constant(arena, 0);
        const struct expression *part =
            expression_lookup(arena, table, EMULATION_STATES * trial->n_bins, arm->code);
        if (m > 0)
            part = expression_binary(arena, OP_MULTIPLY, arm->weight[m], part);
        sum = sum == NULL ? part : expression_binary(arena, OP_ADD, sum, part);
    }
    return all ? sum : expression_binary(arena, OP_MULTIPLY, arm->slope[model], sum);
}

static enum maille_code read_curves(struct emulation_curve *curves, const struct emulation *trial,
                                    struct arena *arena, struct maille_error *error)
{
    const double *at = trial->errors + 1;
    bool fits = trial->errors[0] > 0;
    for (size_t a = 0; a < EMULATION_ARMS && fits; a++, at += 1 + 2 * trial->n_bins) {
        const double *at_risk = at + 1, *died = at_risk + trial->n_bins;
        fits = at[0] >= 0 && at[0] <= (double)trial->n_bins && at[0] == floor(at[0]);
        for (size_t bin = 0; bin < trial->n_bins && fits; bin++)
            fits = died[bin] >= 0 && at_risk[bin] >= died[bin];
        if (fits)
            emulation_curve_make(&curves[a], trial, at_risk, died, (size_t)at[0], arena);
    }
    return fits ? MAILLE_OK
                : maille_fail(error, MAILLE_INVALID,
                              "expected the curves of a target trial in its parameters, found others");
}

/* Products of what clones do to the numbers and of the scores of the models; then what is between them: the
 * information of each model, and how each number changes with its coefficients. */
static enum maille_code plan_errors(const struct emulation *trial, struct arena *arena,
                                    struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation_curve curves[EMULATION_ARMS];
    const size_t n = trial->design->n_columns, n_moves = EMULATION_ARMS * trial->n_targets,
                 n_terms = n_moves + n * trial->n_steps;
    const struct expression *rows = trial->cohort.rows, *zero = expression_constant(arena, 0);
    MAILLE_TRY(read_curves(curves, trial, arena, error));
    const struct expression **terms = arena_array(arena, n_terms, sizeof *terms),
                            **columns = arena_array(arena, n, sizeof *columns);
    for (size_t j = 0; j < n; j++)
        columns[j] = trial->design->columns[j].term;
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        for (size_t t = 0; t < trial->n_targets; t++)
            terms[a * trial->n_targets + t] =
                moves_of(trial, &curves[a], (enum emulation_arm_index)a, t, trial->n_steps, arena);
    for (size_t k = 0; k < trial->n_steps; k++) {
        const struct expression *residual =
            expression_binary(arena, OP_SUBTRACT, expression_number_of(arena, trial->models[k].outcome),
                              expression_unary(arena, OP_LOGISTIC, trial->models[k].eta));
        residual = expression_select(arena, trial->models[k].rows, residual, zero);
        for (size_t j = 0; j < n; j++)
            terms[n_moves + k * n + j] = expression_binary(arena, OP_MULTIPLY, residual, columns[j]);
    }
    MAILLE_TRY(groups_sums(spec, &guard_cohort, rows, NULL, NULL, terms, n_terms, error));
    spec->blocks[spec->n_blocks - 1].order = 2;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const struct expression *p = expression_unary(arena, OP_LOGISTIC, trial->models[k].eta);
        const struct expression *slope = expression_binary(
            arena, OP_MULTIPLY, p, expression_binary(arena, OP_SUBTRACT, expression_constant(arena, 1), p));
        MAILLE_TRY(groups_sums(spec, &guard_cohort, expression_and(arena, rows, trial->models[k].rows), NULL,
                               slope, columns, n, error));
        spec->blocks[spec->n_blocks - 1].order = 2;
    }
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        for (size_t t = 0; t < trial->n_targets; t++)
            for (size_t k = 0; k < trial->n_steps; k++)
                if (trial->arms[a].slope[k] != NULL)
                    MAILLE_TRY(
                        groups_sums(spec, &guard_cohort, rows, NULL,
                                    moves_of(trial, &curves[a], (enum emulation_arm_index)a, t, k, arena),
                                    columns, n, error));
out:
    return code;
}

enum maille_code emulation_plan(const struct analysis *analysis, const struct vector *theta,
                                const struct surviving *surviving, struct arena *arena,
                                struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation trial;
    size_t first;
    MAILLE_TRY(emulation_of(&trial, analysis, arena, error));
    MAILLE_TRY(emulation_read_theta(&trial, theta, arena, error));
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        if (emulation_end(&trial, surviving, (enum emulation_arm_index)a) <= trial.bins[trial.n_steps]) {
            code =
                maille_refuse(error, "min_cell",
                              "too few are left in the arm \"%s\" at the end of the grace period: choose a "
                              "shorter one, or widen `cohort`",
                              trial.arms[a].name);
            goto out;
        }
    spec->survival = trial.survival;
    if (trial.phase == EMULATION_MODEL) {
        MAILLE_TRY(emulation_model_cells(&first, &trial, trial.model, arena, error));
        MAILLE_TRY(method_glm.weighted->plan(trial.models[trial.model].analysis, &trial.theta,
                                             surviving_from(surviving, first, arena), arena, spec, error));
        for (size_t b = 0; b < spec->n_blocks; b++)
            spec->blocks[b].guard = guard_behind(arena, spec->blocks[b].guard, first);
        goto out;
    }
    /* What clones weigh is judged as the weights of a study are (min_ess_share), in the round that sums it;
     * what the next multiplies with it are moves and slopes. */
    spec->fitted = trial.phase == EMULATION_ERRORS;
    MAILLE_TRY(plan_weights(&trial, arena, spec, error));
    if (trial.phase == EMULATION_ERRORS)
        MAILLE_TRY(plan_errors(&trial, arena, spec, error));
out:
    return code;
}

/* Who carries how much of the weights, wherever they change: of each arm those who are in it then. */
enum maille_code emulation_shares(const struct cells **out, const struct analysis *analysis,
                                  const struct vector *theta, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation trial;
    *out = NULL;
    MAILLE_TRY(emulation_of(&trial, analysis, arena, error));
    MAILLE_TRY(emulation_read_theta(&trial, theta, arena, error));
    if (trial.phase != EMULATION_WEIGH)
        goto out;
    struct cells *made = arena_alloc(arena, sizeof *made);
    MAILLE_TRY(emulation_cells(analysis, arena, made, error));
    made->n_shares = 0;
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        const struct emulation_arm *arm = &trial.arms[a];
        for (size_t m = 1; m < arm->n_segments; m++)
            groups_share_weights(made, arena, CELLS_COHORT,
                                 expression_select(arena, is_after(arena, arm, arm->after[m]), arm->weight[m],
                                                   expression_constant(arena, 0)));
    }
    *out = made;
out:
    return code;
}
