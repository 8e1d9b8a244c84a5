#include "stats/round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/conditions.h"
#include "stats/guard.h"
#include "stats/wording.h"

/* θ of a whole round: what a coordinator may make a site take in. */
enum { THETA_BYTES_MAX = 64 * 1024 * 1024 };

/* The one place where what did not survive is taken out of a round. */
static enum maille_code mask(struct tally_spec *spec, const struct cells *cells,
                             const struct surviving *surviving, struct arena *arena,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t b = 0; b < spec->n_blocks; b++)
        MAILLE_TRY(guard_mask(&spec->blocks[b].kept, spec, b, cells, surviving, arena, error));
out:
    return code;
}

enum { VETO_BYTES = 8 };

size_t round_room(size_t n_sites)
{
    return n_sites == 0 ? ROUND_CIRCLE_BYTES : ROUND_CIRCLE_BYTES / n_sites;
}

size_t round_veto_at(const struct round_plan *plan, size_t analysis)
{
    size_t at = plan->vetoes;
    for (size_t k = 0; k < analysis; k++)
        at += plan->analyses[k].open ? VETO_BYTES : 0;
    return at;
}

/* Is there room for `bytes` more and a veto word behind what the round has? Where there is not, the analysis
 * waits or, being too large for any round, is refused. */
static bool has_room(struct round_plan *plan, size_t k, size_t bytes, size_t room)
{
    if (room == 0 || plan->bytes + bytes + VETO_BYTES <= room)
        return true;
    if (bytes + VETO_BYTES > room)
        maille_refuse(
            &plan->analyses[k].error, "size",
            "expected at most %zu bytes of one analysis in a round of so many sites, found %zu; ask "
            "for a coarser grid, fewer levels or bins, or of fewer sites",
            room - VETO_BYTES, bytes);
    else {
        plan->analyses[k].waits = true;
        plan->analyses[k].open = false;
    }
    return false;
}

static void analysis_plan(struct round_plan *plan, size_t k, const struct study *study,
                          const struct vector *theta, const struct surviving *surviving, size_t room)
{
    struct maille_error *error = &plan->analyses[k].error;
    const struct analysis *analysis = &study->analyses[k];
    const struct method *method = method_find(analysis->method);
    struct tally_spec *spec = arena_alloc(plan->arena, sizeof *spec);
    struct tally_extent *extents = arena_array(plan->arena, TALLY_BLOCKS_MAX, sizeof *extents);
    size_t bytes = 0;
    if (method == NULL) {
        maille_fail(error, MAILLE_INTERNAL, "expected a method, found \"%s\"", analysis->method);
        return;
    }
    struct cells *cells = arena_alloc(plan->arena, sizeof *cells);
    struct shares_theta read;
    struct shares *shares = &plan->analyses[k].shares;
    if (shares_read(&read, theta, surviving, error) != MAILLE_OK ||
        method->plan(analysis, &read.own, surviving, plan->arena, spec, error) != MAILLE_OK ||
        method_cells(analysis, plan->arena, cells, error) != MAILLE_OK ||
        shares_of(shares, analysis, &read, cells, surviving, plan->arena, error) != MAILLE_OK)
        return;
    struct tally_spec *own = spec;
    const bool conditions = shares_first(&read) && cells->conditions > 0;
    if (conditions || shares->n > 0) {
        own = arena_alloc(plan->arena, sizeof *own);
        *own = *spec;
        if ((conditions && conditions_plan(spec, cells, analysis, plan->arena, error) != MAILLE_OK) ||
            shares_plan(spec, shares, &read, surviving, plan->arena, error) != MAILLE_OK)
            return;
    }
    if (tally_layout(extents, &bytes, spec, error) != MAILLE_OK ||
        mask(spec, cells, surviving, plan->arena, error) != MAILLE_OK || !has_room(plan, k, bytes, room))
        return;
    plan->analyses[k].own = own;
    plan->analyses[k].spec = spec;
    plan->analyses[k].cells = cells;
    plan->analyses[k].extents = extents;
    plan->analyses[k].offset = plan->vetoes;
    plan->analyses[k].bytes = bytes;
    plan->vetoes += bytes;
    plan->bytes += bytes + VETO_BYTES;
    bytes_put_u64(&plan->layout, k);
    bytes_put_string(&plan->layout, method->declared.name);
    bytes_put_u64(&plan->layout, method->version);
    bytes_put_u64(&plan->layout, bytes);
    tally_spec_serialise(&plan->layout, spec);
}

enum maille_code round_plan(struct round_plan *plan, const struct study *study, const bool *open,
                            const struct vector *thetas, const struct surviving *const *surviving,
                            size_t room, struct maille_error *error)
{
    struct round_plan made = {.arena = arena_new(), .n = study->n_analyses};
    enum maille_code code = MAILLE_OK;
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a round's plan, found none");
    made.analyses = arena_array(made.arena, study->n_analyses, sizeof *made.analyses);
    for (size_t k = 0; k < study->n_analyses; k++) {
        made.analyses[k].open = open[k];
        if (open[k])
            analysis_plan(&made, k, study, &thetas[k], surviving != NULL ? surviving[k] : NULL, room);
    }
    made.bytes = made.vetoes;
    for (size_t k = 0; k < study->n_analyses; k++)
        made.bytes += made.analyses[k].open ? VETO_BYTES : 0;
    if (made.bytes > TALLY_BYTES_MAX) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected at most %zu bytes in one round, found %zu; ask for fewer analyses",
                           TALLY_BYTES_MAX, made.bytes);
        goto out;
    }
    MAILLE_TRY(bytes_check(&made.layout, error));
    *plan = made;
    made = (struct round_plan){0};
out:
    round_plan_clear(&made);
    return code;
}

void round_plan_clear(struct round_plan *plan)
{
    bytes_clear(&plan->layout);
    arena_free(plan->arena);
    *plan = (struct round_plan){0};
}

enum maille_code round_in_range(const struct round_plan *plan, const struct study *study,
                                const uint8_t *words, struct maille_error *error)
{
    for (size_t k = 0; k < plan->n; k++) {
        const bool judged = plan->analyses[k].open &&
                            le64_load(words + round_veto_at(plan, k)) == 0; /* else it may be noise */
        for (size_t b = 0; judged && b < plan->analyses[k].spec->n_blocks; b++) {
            const struct tally_extent *extent = &plan->analyses[k].extents[b];
            const uint8_t *own = words + plan->analyses[k].offset;
            for (size_t i = 0; i < extent->count; i++) {
                i128 value =
                    extent->width == 8 ? (i128)tally_count(own, extent, i) : tally_fixed(own, extent, i);
                i128 limit = extent->width == 8 ? (i128)1 << 40 : (i128)1 << 126;
                if (value > limit || value < (extent->width == 8 ? 0 : -limit))
                    return maille_fail(
                        error, MAILLE_SIGNATURE,
                        "expected totals within their public bounds (%s), found one outside: a "
                        "site's masks do not cancel",
                        study->analyses[k].id);
            }
        }
    }
    return MAILLE_OK;
}

void round_thetas_write(struct bytes *out, const struct study *study, const bool *open,
                        const struct vector *thetas)
{
    for (size_t k = 0; k < study->n_analyses; k++) {
        if (!open[k])
            continue;
        bytes_put_u64(out, thetas[k].n);
        for (size_t i = 0; i < thetas[k].n; i++)
            bytes_put_f64(out, thetas[k].v[i]);
    }
}

enum maille_code round_thetas_read(struct vector *thetas, const struct study *study, const bool *open,
                                   const uint8_t *bytes, size_t length, struct maille_error *error)
{
    struct reader reader = reader_of(bytes, length);
    if (length > THETA_BYTES_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected at most %d bytes of theta, found %zu",
                           THETA_BYTES_MAX, length);
    for (size_t k = 0; k < study->n_analyses; k++) {
        vector_truncate(&thetas[k], 0);
        if (!open[k])
            continue;
        uint64_t n = reader_u64(&reader);
        if (reader.bad || n > reader_left(&reader) / sizeof(double))
            return maille_fail(error, MAILLE_INVALID, "expected theta of analysis %zu, found too few bytes",
                               k + 1);
        double *v = vector_grow(&thetas[k], (size_t)n);
        for (uint64_t i = 0; i < n; i++) {
            v[i] = reader_f64(&reader);
            if (isnan(v[i]))
                return maille_fail(error, MAILLE_INVALID,
                                   "expected numbers in theta of analysis %zu, found a NaN", k + 1);
        }
    }
    if (!reader_done(&reader))
        return maille_fail(error, MAILLE_INVALID, "expected the end of theta, found %zu bytes more",
                           reader_left(&reader));
    return MAILLE_OK;
}

/* --- the analyst --- */

enum maille_code study_run_init(struct study_run *run, const struct study *study, struct maille_error *error)
{
    struct study_run made = {.study = study, .arena = arena_new()};
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a study's results, found none");
    made.states = arena_array(made.arena, study->n_analyses, sizeof *made.states);
    for (size_t k = 0; k < study->n_analyses; k++) {
        struct analysis_state *state = &made.states[k];
        state->status = ANALYSIS_OPEN;
        state->iteration.round = 1;
        state->outcome = (struct outcome){
            .arena = made.arena,
            .n = -1,
            .n_missing = -1,
            .n_event = -1,
            .warnings = result_list(made.arena),
            .dropped_levels = result_list(made.arena),
            .aliased = result_list(made.arena),
            .result = result_object(made.arena),
        };
    }
    *run = made;
    return MAILLE_OK;
}

void study_run_survive(struct study_run *run, const struct surviving *const *surviving)
{
    run->surviving = surviving;
    for (size_t k = 0; k < run->study->n_analyses; k++)
        run->states[k].iteration.surviving = surviving[k];
}

static void analysis_state_close(struct analysis_state *state, enum analysis_status status)
{
    state->status = status;
    vector_clear(&state->iteration.theta);
    vector_clear(&state->iteration.memo);
}

void study_run_clear(struct study_run *run)
{
    if (run->states != NULL)
        for (size_t k = 0; k < run->study->n_analyses; k++) {
            vector_clear(&run->states[k].iteration.theta);
            vector_clear(&run->states[k].iteration.memo);
        }
    arena_free(run->arena);
    *run = (struct study_run){0};
}

bool study_run_open(const struct study_run *run)
{
    for (size_t k = 0; k < run->study->n_analyses; k++)
        if (run->states[k].status == ANALYSIS_OPEN)
            return true;
    return false;
}

void study_run_refuse(struct study_run *run, size_t analysis, const char *rule, const char *reason)
{
    struct analysis_state *state = &run->states[analysis];
    snprintf(state->rule, sizeof state->rule, "%s", rule);
    snprintf(state->reason, sizeof state->reason, "%s", reason);
    analysis_state_close(state, ANALYSIS_REFUSED);
}

void study_run_offer(struct study_run *run, size_t analysis, const char *cohort)
{
    struct analysis_state *state = &run->states[analysis];
    if (strlen(cohort) < sizeof state->offer)
        snprintf(state->offer, sizeof state->offer, "%s", cohort);
}

void study_run_veto(struct study_run *run, size_t analysis)
{
    struct analysis_state *state = &run->states[analysis];
    snprintf(
        state->reason, sizeof state->reason,
        "a site must not answer this, for a reason in its own data; which site, or how many, nobody is told");
    analysis_state_close(state, ANALYSIS_VETOED);
}

void study_run_fail(struct study_run *run, size_t analysis, const char *reason)
{
    struct analysis_state *state = &run->states[analysis];
    snprintf(state->reason, sizeof state->reason, "%s", reason);
    analysis_state_close(state, ANALYSIS_FAILED);
}

static void analysis_give_up(struct study_run *run, size_t k, const struct maille_error *error)
{
    if (error->code == MAILLE_REFUSED)
        study_run_refuse(run, k, error->rule, error->sentence);
    else
        study_run_fail(run, k, error->sentence);
}

enum maille_code study_run_plan(struct study_run *run, struct round_plan *plan, struct maille_error *error)
{
    const size_t n = run->study->n_analyses;
    struct round_plan made = {0};
    enum maille_code code = MAILLE_OK;
    struct arena *scratch = arena_new();
    if (scratch == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a round's plan, found none");
    bool *open = arena_array(scratch, n, sizeof *open);
    struct vector *thetas = arena_array(scratch, n, sizeof *thetas); /* borrowed from the states */
    /* An analysis that cannot be planned leaves, and the round is planned again without it: what stays must
     * be the plan that the sites make from the same list of open analyses. */
    for (bool again = true; again;) {
        again = false;
        for (size_t k = 0; k < n; k++) {
            open[k] = run->states[k].status == ANALYSIS_OPEN;
            thetas[k] = run->states[k].iteration.theta;
        }
        round_plan_clear(&made);
        MAILLE_TRY(round_plan(&made, run->study, open, thetas, run->surviving, run->room, error));
        for (size_t k = 0; k < n; k++)
            if (open[k] && made.analyses[k].error.code != MAILLE_OK) {
                analysis_give_up(run, k, &made.analyses[k].error);
                again = true;
            }
    }
    *plan = made;
    made = (struct round_plan){0};
out:
    round_plan_clear(&made);
    arena_free(scratch);
    return code;
}

/* θ := a copy of the method's own part, which the method may replace. */
static void keep_own(struct vector *theta, const struct shares_theta *read)
{
    struct vector own = {0};
    double *v = vector_grow(&own, read->own.n);
    if (read->own.n > 0)
        memcpy(v, read->own.v, read->own.n * sizeof *v);
    vector_clear(theta);
    *theta = own;
}

/* The method's own step, with what may be told of its numbers. */
static enum maille_code own_step(bool *done, struct analysis_state *state, const struct analysis *analysis,
                                 const struct totals *totals, const struct cells *cells,
                                 const struct shares *shares, const struct shares_theta *read,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct iteration *iteration = &state->iteration;
    const struct surviving *surviving = iteration->surviving;
    struct arena *arena = state->outcome.arena;
    const double *marks;
    size_t n_marks;
    MAILLE_TRY(shares_marks(&marks, &n_marks, shares, read, analysis, totals, arena, error));
    if (shares_judged(surviving))
        keep_own(&iteration->theta, read);
    iteration->surviving = shares_hide(surviving, cells, marks, n_marks, arena);
    code = method_find(analysis->method)->step(analysis, totals, iteration, &state->outcome, done, error);
    iteration->surviving = surviving;
    if (code == MAILLE_OK && *done)
        shares_warn(cells, marks, n_marks, analysis, &state->outcome);
    if (code == MAILLE_OK && !*done && shares_judged(surviving))
        shares_close(&iteration->theta, marks, n_marks);
out:
    return code;
}

/* One analysis with its totals of a round. */
static enum maille_code analysis_step(bool *done, struct analysis_state *state,
                                      const struct analysis *analysis, const struct round_plan *plan,
                                      size_t k, const uint8_t *words, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct cells *cells = plan->analyses[k].cells;
    const struct shares *shares = &plan->analyses[k].shares;
    struct totals totals = {
        .spec = plan->analyses[k].spec,
        .extents = plan->analyses[k].extents,
        .words = words + plan->analyses[k].offset,
    };
    struct shares_theta read;
    MAILLE_TRY(shares_read(&read, &state->iteration.theta, state->iteration.surviving, error));
    if (shares->n > 0 && read.n_sums == 0) {
        shares_sum(&state->iteration.theta, shares, &read, &totals);
        goto out;
    }
    if (shares_first(&read))
        conditions_read(analysis, &totals, cells, state->iteration.surviving, &state->outcome);
    totals.spec = plan->analyses[k].own;
    MAILLE_TRY(own_step(done, state, analysis, &totals, cells, shares, &read, error));
    if (!*done)
        state->iteration.round++;
out:
    return code;
}

/* What a result tells of heads, as the policy wants it (round_counts). */
static void round_counts(struct outcome *outcome, const struct surviving *surviving)
{
    int64_t *const heads[] = {&outcome->n, &outcome->n_missing, &outcome->n_event};
    if (surviving == NULL || surviving->round_counts < 2)
        return;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (*heads[i] >= 0)
            *heads[i] = surviving_rounded(surviving, *heads[i]);
    result_round(outcome->result, surviving->round_counts);
    wording_warn(outcome,
                 "numbers of patients, rows and events are rounded to multiples of %llu (round_counts), and "
                 "shares are of rounded numbers; all else is computed from exact ones",
                 (unsigned long long)surviving->round_counts);
}

void study_run_step(struct study_run *run, const struct round_plan *plan, const uint8_t *words,
                    size_t n_sites)
{
    for (size_t k = 0; k < plan->n; k++) {
        struct analysis_state *state = &run->states[k];
        if (!plan->analyses[k].open || state->status != ANALYSIS_OPEN)
            continue;
        if (le64_load(words + round_veto_at(plan, k)) !=
            0) { /* before anything else: its words may be noise */
            study_run_veto(run, k);
            continue;
        }
        const struct analysis *analysis = &run->study->analyses[k];
        struct maille_error error = {0};
        bool done = false;
        state->iteration.n_sites = n_sites;
        state->iteration.run = run;
        if (analysis_step(&done, state, analysis, plan, k, words, &error) != MAILLE_OK)
            analysis_give_up(run, k, &error);
        else if (done) {
            conditions_warn(analysis, &state->outcome);
            round_counts(&state->outcome, state->iteration.surviving);
            analysis_state_close(state, ANALYSIS_OK);
        }
    }
}
