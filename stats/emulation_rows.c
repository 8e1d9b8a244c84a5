/* A patient's row in a target trial: what was done in the grace period, and the clone of each arm
 * (emulation.c). */
#include "stats/emulation.h"

static const struct expression *code_of(struct arena *arena, const struct expression *number, size_t n)
{
    return expression_uniform_bin(arena, number, 0, 1, (uint32_t)n);
}

/* The bin in which the treatment starts; what is later than the grace period is one more. */
static const struct expression *start_bin(const struct emulation *trial, struct arena *arena)
{
    const double *grace = analysis_value(trial->analysis, "grace")->numbers;
    const struct expression *start = analysis_value(trial->analysis, "start")->expressions[0];
    const size_t last = trial->bins[trial->n_steps];
    double *breaks = arena_array(arena, last + 1, sizeof *breaks);
    for (size_t bin = 0, k = 0; bin <= last; bin++) {
        breaks[bin] = (double)bin * trial->axis.width;
        if (k < trial->n_steps && bin == trial->bins[k + 1])
            breaks[bin] = grace[k++];
    }
    return expression_number_of(arena, expression_cut_open(arena, start, breaks, last + 1, true));
}

/* What a patient did in the grace period, as one code: of step k = 0 … n_steps − 1
 *   STAGE_LEFT · n_steps + k    left in it without a start
 *   STAGE_STARTED · n_steps + k started in it, and left within the grace period
 *   STAGE_STAYED · n_steps + k  started in it, and is followed beyond
 * and STAGE_WAITS · n_steps: did not start, and is followed beyond. All that is counted of the grace period
 * is a set of these, so that disclosure control has one thing to look at. */
enum { STAGE_LEFT, STAGE_STARTED, STAGE_STAYED, STAGE_WAITS };

/* The step that this bin is in, counted from `first`; what is later is in the last. */
static const struct expression *step_of(const struct emulation *trial, const struct expression *bin,
                                        double first, struct arena *arena)
{
    const struct expression *level = expression_constant(arena, first + (double)trial->n_steps - 1);
    for (size_t k = trial->n_steps - 1; k >= 1; k--)
        level = expression_select(
            arena, expression_binary(arena, OP_LE, bin, expression_constant(arena, (double)trial->bins[k])),
            expression_constant(arena, first + (double)k - 1), level);
    return level;
}

static void read_stages(struct emulation *trial, const struct expression *exit, const struct expression *bin,
                        struct arena *arena)
{
    const double n = (double)trial->n_steps;
    const struct expression *end = expression_constant(arena, (double)trial->bins[trial->n_steps]),
                            *beyond = expression_binary(arena, OP_GT, exit, end);
    const struct expression *started =
        expression_and(arena, trial->treated,
                       expression_and(arena, expression_binary(arena, OP_LE, bin, end),
                                      expression_binary(arena, OP_LE, bin, exit)));
    const struct expression *stage =
        expression_select(arena, started,
                          expression_select(arena, beyond, step_of(trial, bin, STAGE_STAYED * n, arena),
                                            step_of(trial, bin, STAGE_STARTED * n, arena)),
                          expression_select(arena, beyond, expression_constant(arena, STAGE_WAITS * n),
                                            step_of(trial, exit, STAGE_LEFT * n, arena)));
    static const char *const kinds[] = {[STAGE_LEFT] = "left in step %zu",
                                        [STAGE_STARTED] = "started in step %zu and left",
                                        [STAGE_STAYED] = "started in step %zu"};
    const size_t n_stages = STAGE_WAITS * trial->n_steps + 1;
    const char **names = arena_array(arena, n_stages, sizeof *names);
    for (size_t i = 0; i + 1 < n_stages; i++)
        names[i] = arena_printf(arena, kinds[i / trial->n_steps], i % trial->n_steps + 1);
    names[n_stages - 1] = "no start";
    trial->stage = expression_named_bin(arena, stage, names, (uint32_t)n_stages);
}

/* Is the stage `kind` of a step from … to (0-based)? Others may be added to the members. */
static double *add_stages(double *members, const struct emulation *trial, size_t kind, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        members[kind * trial->n_steps + k] = 1;
    return members;
}

static double *no_stages(const struct emulation *trial, struct arena *arena)
{
    return arena_array(arena, STAGE_WAITS * trial->n_steps + 1, sizeof(double));
}

/* Who started, and who waits, in steps from … on, as sets of stages. */
static double *stages_started(const struct emulation *trial, size_t from, size_t to, struct arena *arena)
{
    return add_stages(add_stages(no_stages(trial, arena), trial, STAGE_STARTED, from, to), trial,
                      STAGE_STAYED, from, to);
}

static void read_models(struct emulation *trial, struct arena *arena)
{
    const size_t n = trial->n_steps;
    for (size_t k = 0; k < n; k++) { /* who leaves in the step without a start is not asked */
        double *rows = add_stages(stages_started(trial, k, n, arena), trial, STAGE_LEFT, k + 1, n);
        rows[STAGE_WAITS * n] = 1;
        trial->models[k].rows = expression_in_levels(arena, trial->stage, rows);
        trial->models[k].outcome =
            expression_in_levels(arena, trial->stage, stages_started(trial, k, k + 1, arena));
    }
    trial->starts_last = trial->models[n - 1].outcome;
    trial->left_last = expression_in_levels(arena, trial->stage,
                                            add_stages(no_stages(trial, arena), trial, STAGE_LEFT, n - 1, n));
}

/* Groups of the head counts: what became of a patient in the grace period, and the step of a start. Who
 * started and left is a group of its own: the arms tell how many these are, and their events. */
static void read_groups(struct emulation *trial, struct arena *arena)
{
    static const char *const fates[] = {"left", "started and left", "started", "no start"};
    const size_t n = trial->n_steps, n_stages = STAGE_WAITS * n + 1;
    double *fate = arena_array(arena, n_stages, sizeof *fate),
           *step = arena_array(arena, n_stages, sizeof *step);
    const char **names = arena_array(arena, n, sizeof *names);
    for (size_t i = 0; i < n_stages; i++) {
        const size_t kind = i / n;
        fate[i] = (double)kind;
        step[i] = kind == STAGE_STARTED || kind == STAGE_STAYED ? (double)(i % n) : -1;
    }
    for (size_t k = 0; k < n; k++)
        names[k] = arena_printf(arena, "started in step %zu", k + 1);
    trial->fate = expression_recode(arena, trial->stage, fate, fates, 4);
    trial->step = expression_recode(arena, trial->stage, step, names, n);
}

/* Who is followed beyond the grace period, by arm and row of the result, the row fastest. Nobody behind the
 * last row. */
static void read_row(struct emulation *trial, struct arena *arena)
{
    const size_t n = trial->n_steps, n_stages = STAGE_WAITS * n + 1;
    double *arm = arena_array(arena, n_stages, sizeof *arm),
           *row = arena_array(arena, trial->n_bins, sizeof *row);
    const char **names = arena_array(arena, trial->n_rows, sizeof *names);
    static const char *const arms[EMULATION_ARMS] = {
        [EMULATION_WAITS] = "no start", [EMULATION_STARTS] = "started"};
    for (size_t i = 0; i < n_stages; i++)
        arm[i] = i / n == STAGE_WAITS ? EMULATION_WAITS : i / n == STAGE_STAYED ? EMULATION_STARTS : -1;
    for (size_t bin = 0, r = 0; bin < trial->n_bins; bin++) {
        while (r < trial->n_rows && bin > trial->rows[r])
            r++;
        row[bin] = bin > trial->bins[n] && r < trial->n_rows ? (double)r : -1;
    }
    for (size_t r = 0; r < trial->n_rows; r++)
        names[r] = arena_printf(arena, "until %g", (double)trial->rows[r] * trial->axis.width);
    const struct expression *parts[] = {
        expression_recode(arena, trial->stage, arm, arms, EMULATION_ARMS),
        expression_recode(arena, expression_survival(arena, OP_SURV_EXIT, (uint32_t)trial->n_bins), row,
                          names, trial->n_rows)};
    trial->row = expression_cross(arena, parts, 2);
}

static void read_arms(struct emulation *trial, const struct expression *exit, const struct expression *bin,
                      struct arena *arena)
{
    const size_t n = trial->n_steps;
    double *waits = no_stages(trial, arena);
    waits[STAGE_WAITS * n] = 1;
    const struct expression *departs[EMULATION_ARMS] = {
        [EMULATION_WAITS] = expression_in_levels(arena, trial->stage, stages_started(trial, 0, n, arena)),
        [EMULATION_STARTS] = expression_in_levels(arena, trial->stage, waits)};
    const struct expression *when[EMULATION_ARMS] = {
        [EMULATION_WAITS] = bin, [EMULATION_STARTS] = expression_constant(arena, (double)trial->bins[n - 1])};
    static const char *const names[EMULATION_ARMS] = {
        [EMULATION_WAITS] = "no start", [EMULATION_STARTS] = "start"};
    const struct expression *status = expression_survival(arena, OP_SURV_STATUS, 2);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        struct emulation_arm *arm = &trial->arms[a];
        const struct expression *state =
            expression_select(arena, departs[a], expression_constant(arena, EMULATION_DEPARTED),
                              expression_number_of(arena, status));
        arm->name = names[a];
        arm->exit = expression_select(arena, departs[a], when[a], exit);
        const struct expression *parts[] = {code_of(arena, arm->exit, trial->n_bins),
                                            code_of(arena, state, EMULATION_STATES)};
        arm->code = expression_cross(arena, parts, 2);
    }
    trial->arms[EMULATION_WAITS].n_segments = n + 1;
    trial->arms[EMULATION_STARTS].n_segments = 2;
    for (size_t k = 1; k <= n; k++)
        trial->arms[EMULATION_WAITS].after[k] = trial->bins[k];
    trial->arms[EMULATION_STARTS].after[1] = trial->bins[n - 1];
}

void emulation_rows(struct emulation *trial, struct arena *arena)
{
    const struct expression *exit = expression_number_of(
                                arena, expression_survival(arena, OP_SURV_EXIT, (uint32_t)trial->n_bins)),
                            *bin = start_bin(trial, arena);
    read_stages(trial, exit, bin, arena);
    read_models(trial, arena);
    read_groups(trial, arena);
    read_row(trial, arena);
    read_arms(trial, exit, bin, arena);
}
