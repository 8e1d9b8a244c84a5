/* What a round is, worked out here as every site works it out for itself: its analyses and, outside the
 * circle, its layout and its length. */
#include "agent/private.h"

#include <stdio.h>
#include <stdlib.h>

void agent_shape_clear(struct agent_shape *shape)
{
    round_plan_clear(&shape->plan);
    free(shape->open);
    free(shape->runs);
    *shape = (struct agent_shape){0};
}

/* What the next round is, of the values of the open analyses. */
static enum maille_code shape_values(struct agent_shape *shape, struct agent *agent,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(study_run_plan(&agent->run, &shape->plan, error));
    for (size_t k = 0; k < shape->plan.n; k++)
        shape->open[k] = shape->plan.analyses[k].open;
    shape->length = shape->plan.bytes;
    hash_kdf(&shape->layout, NULL, "layout", shape->plan.layout.data, shape->plan.layout.length);
    shape->n_runs = gate_runs(shape->runs, MESSAGE_RUNS_MAX, &shape->plan);
    if (shape->n_runs > MESSAGE_RUNS_MAX)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected at most %d runs of words in a round, found more; ask for fewer analyses at once",
            MESSAGE_RUNS_MAX);
out:
    return code;
}

/* An analysis without head counts cannot be judged: it is failed here, and the others go on. */
static enum maille_code fail_uncounted(struct agent *agent, struct maille_error *error)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a round, found none");
    for (size_t k = 0; k < agent->study->n_analyses; k++) {
        struct maille_error why = {0};
        struct cells *cells = arena_alloc(arena, sizeof *cells);
        const struct analysis *analysis = &agent->study->analyses[k];
        if (agent->run.states[k].status == ANALYSIS_OPEN &&
            method_cells(analysis, arena, cells, &why) != MAILLE_OK)
            study_run_fail(&agent->run, k, why.sentence);
    }
    arena_free(arena);
    return MAILLE_OK;
}

/* Can the sites exchange the head counts of these analyses, each with all others? */
static enum maille_code heads_fit(bool *fit, const struct agent *agent, const bool *open, size_t n_members,
                                  struct maille_error *error)
{
    struct threshold threshold = {0};
    const size_t room = round_room(n_members) / 8;
    enum maille_code code = threshold_init(&threshold, agent->study, open, agent->strictest, n_members,
                                           agent->past, agent->n_past + 1, error);
    *fit = code == MAILLE_OK && n_members <= CUSTODY_MEMBERS_MAX;
    for (size_t which = 1; which < THRESHOLD_WHICH; which++)
        *fit = *fit && threshold.n_words[which] <= room;
    threshold_clear(&threshold);
    return code == MAILLE_INVALID ? MAILLE_OK : code; /* more words than any round may have */
}

/* Fails what the head counts have no room for, and leaves it out: in study order those that do not fit beside
 * the ones before them. */
static enum maille_code bound_heads(struct agent_shape *shape, struct agent *agent, size_t n_members,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool fit, *kept = NULL;
    MAILLE_TRY(heads_fit(&fit, agent, shape->open, n_members, error));
    if (fit)
        goto out;
    kept = calloc(agent->study->n_analyses + 1, sizeof *kept);
    if (kept == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a round, found none");
        goto out;
    }
    for (size_t k = 0; k < agent->study->n_analyses; k++) {
        if (!shape->open[k])
            continue;
        kept[k] = true;
        MAILLE_TRY(heads_fit(&fit, agent, kept, n_members, error));
        if (fit)
            continue;
        char why[MAILLE_SENTENCE_MAX];
        snprintf(
            why, sizeof why,
            "its head counts, beside those of the analyses before it, are more than %zu sites can exchange "
            "in a round (%zu bytes each); ask for it in another study, with fewer levels or a coarser "
            "grid, or of fewer sites",
            n_members, round_room(n_members));
        study_run_fail(&agent->run, k, why);
        shape->open[k] = kept[k] = false;
    }
out:
    free(kept);
    return code;
}

/* Who takes part in what: the sites work out the rest, each for itself. */
static enum maille_code shape_circle(struct agent_shape *shape, struct agent *agent, size_t n_members,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (shape->which != 0)
        MAILLE_TRY(fail_uncounted(agent, error));
    for (size_t k = 0; k < agent->study->n_analyses; k++)
        shape->open[k] = agent->run.states[k].status == ANALYSIS_OPEN;
    if (shape->which != 0)
        code = bound_heads(shape, agent, n_members, error);
out:
    return code;
}

enum maille_code agent_shape(struct agent_shape *shape, struct agent *agent, uint32_t round,
                             const uint32_t *members, size_t n_members, struct maille_error *error)
{
    struct agent_shape made = {.which = agent_which(agent, round, members, n_members)};
    enum maille_code code = MAILLE_OK;
    made.open = calloc(agent->study->n_analyses + 1, sizeof *made.open);
    made.runs = calloc(MESSAGE_RUNS_MAX, sizeof *made.runs);
    if (made.open == NULL || made.runs == NULL)
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a round of %zu sites, found none",
                           n_members);
    else
        code = agent_in_circle(agent) ? shape_circle(&made, agent, n_members, error)
                                      : shape_values(&made, agent, error);
    if (code == MAILLE_OK)
        *shape = made;
    else
        agent_shape_clear(&made);
    return code;
}
