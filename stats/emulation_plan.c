/* Head counts of a target trial, and what is tallied in each of its rounds (emulation.c). */
#include <math.h>

#include "stats/emulation.h"

extern const struct method method_glm;

/* --- head counts --- */

/* The ends of the steps, of the start and of the follow-up, and those of the rows. */
static void put_predicates(struct cells *out, const struct emulation *trial, struct arena *arena)
{
    const struct expression **predicates =
        arena_array(arena, 2 * trial->n_steps + trial->n_rows, sizeof *predicates);
    for (size_t i = 0; i < 2 * trial->n_steps + trial->n_rows; i++) {
        const bool row = i >= 2 * trial->n_steps;
        const struct expression *number = row || i % 2 == 1 ? trial->formula->stop : trial->start;
        const double end = row ? trial->times[i - 2 * trial->n_steps] : trial->grace[i / 2];
        predicates[i] = expression_binary(arena, OP_LE, number, expression_constant(arena, end));
    }
    out->predicates = predicates;
    out->n_predicates = 2 * trial->n_steps + trial->n_rows;
}

/* The head counts of a model: as those of its glm, of rows that miss nothing, and without pairs, since no
 * covariance is told. Who has the outcome is in the model. Its rows are a group as any other: the analysis is
 * asked of the cohort. */
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
    out->rules[first + CELLS_COHORT] = CELL_PATIENTS;
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
    *first = EMULATION_CELLS_STARTS + trial->n_steps + before->spec.n_blocks;
out:
    return code;
}

/* Of an arm behind the grace period. Whether enough were lost for a run of rows decides what is told of them,
 * and hides nothing else. */
static enum maille_code add_arm(struct cells *out, const struct emulation *trial, size_t a,
                                struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *rows = expression_and(arena, trial->cohort.rows, trial->arms[a].beyond),
                            *row = emulation_row(trial, false, NULL, arena);
    double *lost = arena_array(arena, 2 * trial->n_rows + 1, sizeof *lost);
    for (size_t i = 0; i < trial->n_rows; i++)
        lost[trial->n_rows + i] = 1;
    MAILLE_TRY(groups_cell(out, CELL_PATIENTS, rows, NULL, error));
    out->n_bins[out->spec.n_blocks] = trial->n_rows;
    MAILLE_TRY(groups_cell(out, CELL_MERGE, rows, emulation_row(trial, true, NULL, arena), error));
    MAILLE_TRY(groups_cell(out, CELL_MISSING,
                           expression_and(arena, rows, expression_in_levels(arena, trial->end, lost)), NULL,
                           error));
    out->n_bins[out->spec.n_blocks] = trial->n_rows;
    out->arms[out->spec.n_blocks] = 1 + emulation_cells_of(a, EMULATION_CELLS_LOST);
    MAILLE_TRY(groups_cell(out, CELL_MERGE, rows, row, error));
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
    const struct expression *rows = trial.cohort.rows;
    out->spec.survival = trial.survival;
    put_predicates(out, &trial, arena);
    MAILLE_TRY(groups_cohort_cells(out, &trial.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_EVENTS, rows, emulation_died(&trial, arena), error));
    MAILLE_TRY(groups_cell(out, CELL_EVENTS, rows, emulation_died_after(&trial, arena), error));
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        MAILLE_TRY(add_arm(out, &trial, a, arena, error));
    for (size_t k = 0; k < trial.n_steps; k++)
        MAILLE_TRY(groups_cell(out, CELL_PATIENTS, expression_and(arena, rows, trial.models[k].outcome), NULL,
                               error));
    for (size_t k = 0; k < trial.n_steps; k++) {
        MAILLE_TRY(add_model(out, &trial, k, arena, error));
        n_parameters += out->n_parameters;
    }
    out->both = true;
    out->pairs_uncounted = false;
    out->n_parameters = n_parameters;
    /* of each number both arms' and their errors, and that of the difference */
    out->n_shown = 2 * n_parameters + 5 * trial.n_targets;
    out->axis = trial.axis;
out:
    return code;
}

/* --- where blocks stand --- */

size_t emulation_block_factor(const struct emulation *trial, size_t arm, size_t factor)
{
    size_t block = EMULATION_BLOCK_ARMS;
    for (size_t a = 0; a < arm; a++)
        block += trial->arms[a].n_factors + EMULATION_BLOCK_OF_ARM;
    return block + factor;
}

size_t emulation_block_of(const struct emulation *trial, size_t arm, enum emulation_block_of what)
{
    return emulation_block_factor(trial, arm, trial->arms[arm].n_factors) + what;
}

size_t emulation_block_target(const struct emulation *trial, size_t target)
{
    return emulation_block_factor(trial, EMULATION_ARMS, target);
}

size_t emulation_pairs(const struct emulation *trial)
{
    return trial->n_steps + 1;
}

size_t emulation_pair(const struct emulation *trial, size_t arm, size_t model)
{
    if (arm == EMULATION_WAITS)
        return model;
    return model + 1 == trial->n_steps ? trial->n_steps : SIZE_MAX;
}

/* Derivatives of so many targets go into a block. */
static size_t targets_together(const struct emulation *trial)
{
    const size_t n = trial->design->n_columns;
    return n < TALLY_TERMS_MAX ? TALLY_TERMS_MAX / n : 1;
}

size_t emulation_block_derivative(const struct emulation *trial, size_t pair, size_t target, size_t *term)
{
    const size_t together = targets_together(trial), per_pair = (trial->n_targets + together - 1) / together;
    *term = target % together * trial->design->n_columns;
    return trial->n_steps + pair * per_pair + target / together;
}

size_t emulation_blocks_slopes(const struct emulation *trial)
{
    size_t term;
    return 1 + emulation_block_derivative(trial, emulation_pairs(trial) - 1, trial->n_targets - 1, &term);
}

/* --- sums of the life tables --- */

static enum maille_code plan_arm(const struct emulation *trial, size_t a, const struct surviving *surviving,
                                 struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct emulation_arm *arm = &trial->arms[a];
    const struct expression *rows = trial->cohort.rows, *there = expression_and(arena, rows, arm->beyond),
                            *weight = arm->weight[arm->n_factors];
    const struct emulation_life life = emulation_life_of(trial, surviving, a, arena);
    static const char *const states[] = {"stays", "dies", "departs"};
    const struct guard *within = guard_both(arena, guard_whole(arena, EMULATION_CELLS_DIED),
                                            guard_whole(arena, EMULATION_CELLS_AFTER)),
                       *beyond = guard_each(arena, emulation_cells_of(a, EMULATION_CELLS_BEYOND)),
                       *events = guard_joined(arena, emulation_cells_of(a, EMULATION_CELLS_EVENTS),
                                              trial->n_rows, life.events, 0),
                       *losses = guard_joined(arena, emulation_cells_of(a, EMULATION_CELLS_LOSSES),
                                              trial->n_rows, life.losses, 0);
    losses = guard_both(arena, losses, guard_whole(arena, emulation_cells_of(a, EMULATION_CELLS_LOST)));
    for (size_t f = 0; f < arm->n_factors; f++)
        MAILLE_TRY(groups_sums(spec, within, rows,
                               emulation_by_stage(trial, arm->states[f], states, EMULATION_STATES, arena),
                               arm->weight[f], NULL, 0, error));
    MAILLE_TRY(groups_tally(spec, beyond, there, NULL, error));
    MAILLE_TRY(groups_sums(spec, beyond, there, NULL, weight, NULL, 0, error));
    const struct expression *died = emulation_row(trial, true, life.events, arena),
                            *lost = emulation_row(trial, false, life.losses, arena);
    MAILLE_TRY(groups_tally(spec, events, there, died, error));
    MAILLE_TRY(groups_sums(spec, events, there, died, weight, NULL, 0, error));
    MAILLE_TRY(groups_sums(spec, losses, there, lost, weight, NULL, 0, error));
out:
    return code;
}

static enum maille_code plan_sums(const struct emulation *trial, const struct surviving *surviving,
                                  struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *rows = trial->cohort.rows;
    MAILLE_TRY(groups_cohort_tally(spec, &trial->cohort, error));
    MAILLE_TRY(groups_tally(spec, &guard_cohort, rows, NULL, error));
    MAILLE_TRY(
        groups_tally(spec, &guard_cohort, expression_and(arena, rows, trial->formula->event), NULL, error));
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        MAILLE_TRY(plan_arm(trial, a, surviving, arena, spec, error));
out:
    return code;
}

/* --- what a patient does to a number --- */

/* Σ ∂Q/∂sum · what the clone adds to it, times the number of patients, over the weights from `from` on. NULL:
 * the number is not known. */
static const struct expression *moves_of(const struct emulation *trial, const struct emulation_life *life,
                                         size_t a, size_t target, size_t from, struct arena *arena)
{
    const struct emulation_arm *arm = &trial->arms[a];
    const size_t n = life->n_rows, n_stages = trial->stage->n_levels;
    double *gradient = arena_array(arena, emulation_life_sums(life), sizeof *gradient);
    if (!emulation_is_known(trial, life, arm->sums, target))
        return NULL;
    if (target > n)
        emulation_life_mean_gradient(gradient, life, arm->sums, trial->tau);
    else
        emulation_life_gradient(gradient, life, arm->sums, target, 1);
    for (size_t i = 0; i < emulation_life_sums(life); i++)
        gradient[i] *= trial->n;
    const double *beyond = gradient + EMULATION_OF_FACTOR * life->n_factors;
    double *ends = arena_array(arena, 2 * n + 1, sizeof *ends);
    ends[2 * n] = *beyond;
    for (size_t row = 0; row < n; row++) {
        ends[row] = *beyond + beyond[1 + life->events[row]];
        ends[n + row] = *beyond + beyond[1 + n + life->losses[row]];
    }
    const struct expression *sum =
        expression_select(arena, arm->beyond, expression_lookup(arena, ends, 2 * n + 1, trial->end),
                          expression_constant(arena, 0));
    sum = expression_binary(arena, OP_MULTIPLY, arm->weight[life->n_factors], sum);
    for (size_t f = from; f < life->n_factors; f++) {
        const double *of = gradient + EMULATION_OF_FACTOR * f;
        const double by_state[] = {of[EMULATION_AT_RISK], of[EMULATION_AT_RISK] + of[EMULATION_DIED],
                                   of[EMULATION_AT_RISK] + of[EMULATION_LEFT]};
        double *table = arena_array(arena, n_stages, sizeof *table);
        for (size_t i = 0; i < n_stages; i++)
            table[i] = arm->states[f][i] < 0 ? 0 : by_state[(size_t)arm->states[f][i]];
        const struct expression *part = expression_lookup(arena, table, n_stages, trial->stage);
        if (arm->weight[f] != NULL)
            part = expression_binary(arena, OP_MULTIPLY, arm->weight[f], part);
        sum = expression_binary(arena, OP_ADD, sum, part);
    }
    return sum;
}

/* What moves a number, by each coefficient of a model. */
static void put_slopes(const struct expression **terms, const struct emulation *trial,
                       const struct expression *slope, const struct expression *moves, struct arena *arena)
{
    const struct expression *by =
        moves == NULL ? expression_constant(arena, 0) : expression_binary(arena, OP_MULTIPLY, slope, moves);
    for (size_t j = 0; j < trial->design->n_columns; j++)
        terms[j] = expression_binary(arena, OP_MULTIPLY, trial->design->columns[j].term, by);
}

/* The information of each model, and how each number changes with its coefficients. */
static enum maille_code plan_slopes(const struct emulation *trial, const struct surviving *surviving,
                                    struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = trial->design->n_columns, together = targets_together(trial);
    const struct expression *rows = trial->cohort.rows, *one = expression_constant(arena, 1);
    const struct expression **columns = arena_array(arena, n, sizeof *columns);
    for (size_t j = 0; j < n; j++)
        columns[j] = trial->design->columns[j].term;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const struct expression *p = expression_unary(arena, OP_LOGISTIC, trial->models[k].eta);
        const struct expression *slope =
            expression_binary(arena, OP_MULTIPLY, p, expression_binary(arena, OP_SUBTRACT, one, p));
        MAILLE_TRY(groups_sums(spec, &guard_cohort, expression_and(arena, rows, trial->models[k].rows), NULL,
                               slope, columns, n, error));
        spec->blocks[spec->n_blocks - 1].order = 2;
    }
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        const struct emulation_arm *arm = &trial->arms[a];
        const struct emulation_life life = emulation_life_of(trial, surviving, a, arena);
        for (size_t k = 0; k < trial->n_steps; k++)
            for (size_t t = 0; arm->slope[k] != NULL && t < trial->n_targets; t += together) {
                const size_t here = trial->n_targets - t < together ? trial->n_targets - t : together;
                const struct expression **terms = arena_array(arena, here * n, sizeof *terms);
                for (size_t i = 0; i < here; i++)
                    put_slopes(terms + i * n, trial, arm->slope[k],
                               moves_of(trial, &life, a, t + i, arm->since[k], arena), arena);
                MAILLE_TRY(groups_sums(spec, &guard_cohort, rows, NULL, NULL, terms, here * n, error));
            }
    }
out:
    return code;
}

/* D: what a patient does to a number of one arm, by its clone and by the models. */
static const struct expression *all_moves(const struct emulation *trial, const struct emulation_life *life,
                                          size_t a, size_t target, struct arena *arena)
{
    const size_t n = trial->design->n_columns;
    const struct expression *sum = moves_of(trial, life, a, target, 0, arena),
                            *zero = expression_constant(arena, 0);
    if (sum == NULL)
        return zero;
    for (size_t k = 0; k < trial->n_steps; k++) {
        const size_t pair = emulation_pair(trial, a, k);
        if (pair == SIZE_MAX)
            continue;
        const double *along = trial->along + (target * emulation_pairs(trial) + pair) * n;
        const struct expression *residual =
            expression_binary(arena, OP_SUBTRACT, expression_number_of(arena, trial->models[k].outcome),
                              expression_unary(arena, OP_LOGISTIC, trial->models[k].eta));
        residual = expression_select(arena, trial->models[k].rows, residual, zero);
        sum = expression_binary(arena, OP_ADD, sum,
                                expression_binary(arena, OP_MULTIPLY, residual,
                                                  design_predictor(trial->design, arena, along, NULL, 0)));
    }
    return sum;
}

static enum maille_code plan_squares(const struct emulation *trial, const struct surviving *surviving,
                                     struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation_life lives[EMULATION_ARMS];
    for (size_t a = 0; a < EMULATION_ARMS; a++)
        lives[a] = emulation_life_of(trial, surviving, a, arena);
    for (size_t t = 0; t < trial->n_targets; t++) {
        const struct expression **terms = arena_array(arena, EMULATION_ARMS, sizeof *terms);
        for (size_t a = 0; a < EMULATION_ARMS; a++)
            terms[a] = all_moves(trial, &lives[a], a, t, arena);
        MAILLE_TRY(
            groups_sums(spec, &guard_cohort, trial->cohort.rows, NULL, NULL, terms, EMULATION_ARMS, error));
        spec->blocks[spec->n_blocks - 1].order = 2;
    }
out:
    return code;
}

/* --- plan --- */

static enum maille_code plan_model(const struct emulation *trial, const struct surviving *surviving,
                                   struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t first;
    MAILLE_TRY(emulation_model_cells(&first, trial, trial->model, arena, error));
    MAILLE_TRY(method_glm.weighted->plan(trial->models[trial->model].analysis, &trial->theta,
                                         surviving_from(surviving, first, arena), arena, spec, error));
    for (size_t b = 0; b < spec->n_blocks; b++)
        spec->blocks[b].guard = guard_behind(arena, spec->blocks[b].guard, first);
out:
    return code;
}

enum maille_code emulation_plan(const struct analysis *analysis, const struct vector *theta,
                                const struct surviving *surviving, struct arena *arena,
                                struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct emulation trial;
    MAILLE_TRY(emulation_of(&trial, analysis, arena, error));
    MAILLE_TRY(emulation_read_theta(&trial, theta, arena, error));
    spec->survival = trial.survival;
    /* What clones weigh is judged as the weights of a study are (min_ess_share), in the round that sums it;
     * what later ones multiply with it are moves and slopes. */
    spec->fitted = trial.phase >= EMULATION_SLOPES;
    if (trial.phase == EMULATION_MODEL)
        MAILLE_TRY(plan_model(&trial, surviving, arena, spec, error));
    if (trial.phase == EMULATION_WEIGH || trial.phase == EMULATION_ERRORS)
        MAILLE_TRY(plan_sums(&trial, surviving, arena, spec, error));
    if (trial.phase == EMULATION_SLOPES)
        MAILLE_TRY(plan_slopes(&trial, surviving, arena, spec, error));
    if (trial.phase == EMULATION_ERRORS)
        MAILLE_TRY(plan_squares(&trial, surviving, arena, spec, error));
out:
    return code;
}

/* Who carries how much of the weights, of each factor and of the rows. */
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
        for (size_t f = 0; f <= arm->n_factors; f++)
            if (arm->weight[f] != NULL)
                groups_share_weights(
                    made, arena, CELLS_COHORT,
                    expression_select(
                        arena, f < arm->n_factors ? emulation_is_there(&trial, a, f, arena) : arm->beyond,
                        arm->weight[f], expression_constant(arena, 0)));
    }
    *out = made;
out:
    return code;
}
