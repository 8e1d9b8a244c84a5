/* A patient's row in a target trial: what was done in the grace period, the rows of the models, and the clone
 * of each arm (emulation.c). Groups that disclosure control compares are said by the ends of their own step
 * alone, so that they are the same words in another analysis that has this step. */
#include "stats/emulation.h"

static const struct expression *exit_of(const struct emulation *trial, struct arena *arena)
{
    return expression_number_of(arena,
                                expression_survival(arena, OP_SURV_EXIT, (uint32_t)trial->survival.n_bins));
}

static const struct expression *is_by(struct arena *arena, const struct expression *number, double end)
{
    return expression_binary(arena, OP_LE, number, expression_constant(arena, end));
}

static const struct expression *is_not(struct arena *arena, const struct expression *e)
{
    return expression_unary(arena, OP_NOT, e);
}

/* BOOLEAN: a start by the end of step k, before the follow-up ends or with it. k is 1 or more. */
static const struct expression *started_by(const struct emulation *trial, size_t k, struct arena *arena)
{
    const struct expression *width = expression_constant(arena, trial->axis.width),
                            *end = expression_binary(arena, OP_MULTIPLY, exit_of(trial, arena), width);
    return expression_and(arena, trial->treated,
                          expression_and(arena, is_by(arena, trial->start, trial->grace[k - 1]),
                                         expression_binary(arena, OP_LE, trial->start, end)));
}

/* The same in step k. */
static const struct expression *started_in(const struct emulation *trial, size_t k, struct arena *arena)
{
    const struct expression *by = started_by(trial, k, arena);
    return k == 1 ? by : expression_and(arena, by, is_not(arena, started_by(trial, k - 1, arena)));
}

static const struct expression *has_event(struct arena *arena)
{
    return expression_in_level(arena, expression_survival(arena, OP_SURV_STATUS, 2), 1);
}

/* --- stages --- */

/* What a patient did in the grace period, as one code: of step k = 0 … n_steps − 1
 *   STAGE_DIED · n_steps + k     died in it without a start
 *   STAGE_BEFORE · n_steps + k   started in it, and died before the last step
 *   STAGE_WITHIN · n_steps + k   started in it, and died in the last step
 *   STAGE_LOST · n_steps + k     started in it, and was lost in the grace period
 *   STAGE_STARTED · n_steps + k  started in it, and is followed beyond
 * STAGE_ALL · n_steps without a start lost in the grace period, and one more: followed beyond. */
enum { STAGE_DIED, STAGE_BEFORE, STAGE_WITHIN, STAGE_LOST, STAGE_STARTED, STAGE_ALL };

static size_t n_stages(const struct emulation *trial)
{
    return STAGE_ALL * trial->n_steps + 2;
}

/* The step that a number is in, as STAGE_… has it: ends in `ends`, what is later is in the last. */
static const struct expression *step_of(const struct emulation *trial, int kind,
                                        const struct expression *number, const double *ends,
                                        struct arena *arena)
{
    const double first = (double)kind * (double)trial->n_steps;
    const struct expression *level = expression_constant(arena, first + (double)trial->n_steps - 1);
    for (size_t k = trial->n_steps - 1; k-- > 0;)
        level = expression_select(arena, is_by(arena, number, ends[k]),
                                  expression_constant(arena, first + (double)k), level);
    return level;
}

static void read_stages(struct emulation *trial, struct arena *arena)
{
    static const char *const kinds[] = {[STAGE_DIED] = "died in step %zu",
                                        [STAGE_BEFORE] = "started in step %zu, died before the last",
                                        [STAGE_WITHIN] = "started in step %zu, died in the last",
                                        [STAGE_LOST] = "started in step %zu, lost",
                                        [STAGE_STARTED] = "started in step %zu"};
    const size_t n = trial->n_steps, all = n_stages(trial);
    double *ends = arena_array(arena, n, sizeof *ends);
    for (size_t k = 0; k < n; k++)
        ends[k] = (double)trial->bins[k + 1];
    const struct expression *exit = exit_of(trial, arena), *event = has_event(arena),
                            *within = is_by(arena, exit, (double)trial->bins[n]);
    const struct expression *steps[STAGE_ALL];
    for (int kind = STAGE_BEFORE; kind < STAGE_ALL; kind++)
        steps[kind] = step_of(trial, kind, trial->start, trial->grace, arena);
    const struct expression *died = steps[STAGE_WITHIN];
    if (n > 1)
        died = expression_select(arena, is_by(arena, exit, ends[n - 2]), steps[STAGE_BEFORE], died);
    const struct expression *started = expression_select(
        arena, within, expression_select(arena, event, died, steps[STAGE_LOST]), steps[STAGE_STARTED]);
    const struct expression *waits =
        expression_select(arena, within,
                          expression_select(arena, event, step_of(trial, STAGE_DIED, exit, ends, arena),
                                            expression_constant(arena, (double)(all - 2))),
                          expression_constant(arena, (double)(all - 1)));
    const struct expression *stage = expression_select(arena, started_by(trial, n, arena), started, waits);
    const char **names = arena_array(arena, all, sizeof *names);
    for (size_t i = 0; i + 2 < all; i++)
        names[i] = arena_printf(arena, kinds[i / n], i % n + 1);
    names[all - 2] = "lost without a start";
    names[all - 1] = "no start";
    trial->stage = expression_named_bin(arena, stage, names, (uint32_t)all);
}

const struct expression *emulation_by_stage(const struct emulation *trial, const double *table,
                                            const char *const *names, size_t n, struct arena *arena)
{
    return expression_recode(arena, trial->stage, table, names, n);
}

/* --- head counts --- */

const struct expression *emulation_died(const struct emulation *trial, struct arena *arena)
{
    double *step = arena_array(arena, n_stages(trial), sizeof *step);
    const char **names = arena_array(arena, trial->n_steps, sizeof *names);
    for (size_t i = 0; i < n_stages(trial); i++)
        step[i] = i / trial->n_steps == STAGE_DIED ? (double)i : -1;
    for (size_t k = 0; k < trial->n_steps; k++)
        names[k] = arena_printf(arena, "died in step %zu without a start", k + 1);
    return emulation_by_stage(trial, step, names, trial->n_steps, arena);
}

const struct expression *emulation_died_after(const struct emulation *trial, struct arena *arena)
{
    static const char *const names[] = {"started and died in the last step",
                                        "started and died before the last step"};
    double *when = arena_array(arena, n_stages(trial), sizeof *when);
    for (size_t i = 0; i < n_stages(trial); i++) {
        const size_t kind = i / trial->n_steps;
        when[i] = kind == STAGE_WITHIN ? 0 : kind == STAGE_BEFORE && trial->n_steps > 1 ? 1 : -1;
    }
    return emulation_by_stage(trial, when, names, trial->n_steps > 1 ? 2 : 1, arena);
}

/* --- models --- */

/* Of who comes to a step without a start, and does not die in it without one, the model asks who starts in
 * it. Who is lost in the grace period comes to its end. */
static void read_models(struct emulation *trial, struct arena *arena)
{
    for (size_t k = 1; k <= trial->n_steps; k++) {
        const struct expression *died = expression_and(
            arena, has_event(arena), is_by(arena, exit_of(trial, arena), (double)trial->bins[k]));
        const struct expression *rows =
            is_not(arena, expression_and(arena, died, is_not(arena, started_by(trial, k, arena))));
        trial->models[k - 1].rows =
            k == 1 ? rows : expression_and(arena, is_not(arena, started_by(trial, k - 1, arena)), rows);
        trial->models[k - 1].outcome = started_in(trial, k, arena);
    }
    trial->starts_last = trial->models[trial->n_steps - 1].outcome;
    double *last = arena_array(arena, n_stages(trial), sizeof *last);
    last[trial->n_steps - 1] = 1; /* STAGE_DIED in the last step */
    trial->dies_last = expression_in_levels(arena, trial->stage, last);
}

/* --- behind the grace period --- */

/* How it ends, as one code of 2·n_rows + 1 levels. */
static void read_end(struct emulation *trial, struct arena *arena)
{
    const size_t n = trial->n_rows, n_bins = trial->survival.n_bins;
    const struct expression *parts[] = {expression_survival(arena, OP_SURV_EXIT, (uint32_t)n_bins),
                                        expression_survival(arena, OP_SURV_STATUS, 2)};
    double *table = arena_array(arena, 2 * n_bins, sizeof *table);
    const char **names = arena_array(arena, 2 * n + 1, sizeof *names);
    for (size_t bin = 0, row = 0; bin < n_bins; bin++) {
        while (row < n && bin > trial->row_bins[row])
            row++;
        const bool in = row < n && bin > trial->bins[trial->n_steps];
        table[2 * bin] = (double)(in ? n + row : 2 * n);
        table[2 * bin + 1] = (double)(in ? row : 2 * n);
    }
    for (size_t row = 0; row < n; row++) {
        names[row] = arena_printf(arena, "died by %g", trial->times[row]);
        names[n + row] = arena_printf(arena, "lost by %g", trial->times[row]);
    }
    names[2 * n] = "neither";
    trial->end = expression_recode(arena, expression_cross(arena, parts, 2), table, names, 2 * n + 1);
}

const struct expression *emulation_row(const struct emulation *trial, bool dies, const size_t *to,
                                       struct arena *arena)
{
    const size_t n = trial->n_rows;
    double *table = arena_array(arena, 2 * n + 1, sizeof *table);
    const char **names = arena_array(arena, n, sizeof *names);
    for (size_t i = 0; i <= 2 * n; i++)
        table[i] = -1;
    for (size_t row = 0; row < n; row++) {
        table[dies ? row : n + row] = (double)(to == NULL ? row : to[row]);
        names[row] = arena_printf(arena, "by %g", trial->times[row]);
    }
    return expression_recode(arena, trial->end, table, names, n);
}

/* --- arms --- */

/* No start: whoever starts departs then. */
static double state_waits(size_t kind, size_t step, size_t factor)
{
    if (kind == STAGE_ALL || step > factor)
        return EMULATION_STAYS;
    return step < factor ? -1 : kind == STAGE_DIED ? EMULATION_DIES : EMULATION_DEPARTS;
}

/* Start: before the last step nobody departs, and at its beginning who does not start. */
static double state_starts(size_t kind, size_t step, bool last_step, size_t n_steps)
{
    const bool last = step + 1 == n_steps, early = kind == STAGE_BEFORE || (kind == STAGE_DIED && !last);
    if (!last_step)
        return early ? EMULATION_DIES : EMULATION_STAYS;
    if (early || kind == STAGE_ALL)
        return -1;
    return kind == STAGE_DIED || kind == STAGE_WITHIN ? EMULATION_DIES : EMULATION_STAYS;
}

static double state_of(const struct emulation *trial, size_t arm, size_t factor, size_t stage)
{
    const size_t n = trial->n_steps, kind = stage / n < STAGE_ALL ? stage / n : STAGE_ALL;
    return arm == EMULATION_WAITS
               ? state_waits(kind, stage % n, factor)
               : state_starts(kind, stage % n, factor + 1 == trial->arms[arm].n_factors, n);
}

static void read_arms(struct emulation *trial, struct arena *arena)
{
    const size_t n = trial->n_steps, all = n_stages(trial);
    static const char *const names[EMULATION_ARMS] = {
        [EMULATION_WAITS] = "no start", [EMULATION_STARTS] = "start"};
    const struct expression *started = started_by(trial, n, arena),
                            *beyond = expression_binary(arena, OP_GT, exit_of(trial, arena),
                                                        expression_constant(arena, (double)trial->bins[n]));
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        struct emulation_arm *arm = &trial->arms[a];
        arm->name = names[a];
        arm->n_factors = a == EMULATION_WAITS ? n : n > 1 ? 2 : 1;
        arm->beyond = expression_and(arena, beyond, a == EMULATION_WAITS ? is_not(arena, started) : started);
        for (size_t f = 0; f < arm->n_factors; f++) {
            double *states = arena_array(arena, all, sizeof *states);
            for (size_t i = 0; i < all; i++)
                states[i] = state_of(trial, a, f, i);
            arm->states[f] = states;
        }
    }
}

const struct expression *emulation_is_there(const struct emulation *trial, size_t arm, size_t factor,
                                            struct arena *arena)
{
    double *there = arena_array(arena, n_stages(trial), sizeof *there);
    for (size_t i = 0; i < n_stages(trial); i++)
        there[i] = trial->arms[arm].states[factor][i] >= 0;
    return expression_in_levels(arena, trial->stage, there);
}

void emulation_rows(struct emulation *trial, struct arena *arena)
{
    read_stages(trial, arena);
    read_models(trial, arena);
    read_end(trial, arena);
    read_arms(trial, arena);
}
