/* What the researcher may ask instead of a cohort that is refused as too few or too near: a cohort of an
 * earlier question of her own that was answered and is near to it by what both say (disclosure/near.h). Her
 * own program reads it off her own questions on this machine: no site is asked, and nothing of a patient is
 * in it (docs/decisions/0042-her-own-earlier-cohorts.md). */
#include "agent/earlier.h"

#include <string.h>

#include "disclosure/near.h"
#include "report/asked.h"

/* The newest of her questions: how many are tried, and of those that open how many are looked at. */
enum { TRIED = 256, LOOKED_AT = 64 };

/* The cohort of an analysis as a study may say it, in the words of its own study: where these are names that
 * it derived, NULL. PUBLISHED_EVERYBODY: none. */
static const char *words_of(const struct study *study, size_t analysis, struct arena *arena)
{
    struct maille_error ignored;
    const char *own = result_text(asked_analyses(study, arena)[analysis], "cohort");
    const char *all = asked_cohort(study, arena);
    struct published_cohort cohort = {"earlier", all};
    if (own != NULL)
        cohort.expression = all == NULL ? own : arena_printf(arena, "(%s) && (%s)", all, own);
    if (study->analyses[analysis].cohort == NULL)
        return PUBLISHED_EVERYBODY;
    return cohort.expression != NULL && published_check(study->dictionary, &cohort, &ignored) == MAILLE_OK
               ? cohort.expression
               : NULL;
}

/* Of one registration and dictionary: a result file goes to readers who need not know of her other studies.
 */
static bool is_comparable(const struct study *a, const struct study *b)
{
    return strcmp(a->protocol, b->protocol) == 0 &&
           a->dictionary->text_length == b->dictionary->text_length &&
           memcmp(a->dictionary->text, b->dictionary->text, a->dictionary->text_length) == 0;
}

struct looking {
    const struct agent *agent;
    struct arena *arena;
    struct near_group *refused; /* of each analysis; what is not looked for has none: */
    bool *wanted;
    size_t *distance; /* of the nearest so far */
    struct report_earlier *found;
};

/* One earlier question. The newest comes first: of two that are as near it stays. */
static void look_at(struct looking *looking, const struct agent *earlier)
{
    const struct study *study = looking->agent->study;
    struct arena *scratch = is_comparable(study, earlier->study) ? arena_new() : NULL;
    if (scratch == NULL)
        return;
    for (size_t e = 0; e < earlier->study->n_analyses; e++) {
        const struct analysis *answered = &earlier->study->analyses[e];
        struct near_group group;
        if (earlier->run.states[e].status != ANALYSIS_OK || !near_cohort(&group, answered, scratch))
            continue;
        for (size_t k = 0; k < study->n_analyses; k++) {
            const size_t distance =
                looking->wanted[k] ? near_distance(&looking->refused[k], &group) : NEAR_FAR;
            if (distance == NEAR_SAME || distance >= looking->distance[k])
                continue;
            const char *words = words_of(earlier->study, e, scratch), *own = words_of(study, k, scratch);
            if (words == NULL || (own != NULL && strcmp(own, words) == 0))
                continue;
            looking->distance[k] = distance;
            looking->found[k] = (struct report_earlier){arena_strdup(looking->arena, words),
                                                        arena_strdup(looking->arena, earlier->study->id),
                                                        arena_strdup(looking->arena, answered->id)};
        }
    }
    arena_free(scratch);
}

const struct report_earlier *agent_earlier(const struct agent *agent, struct arena *arena)
{
    const struct study *study = agent->study;
    const size_t n = study->n_analyses;
    struct looking looking = {.agent = agent,
                              .arena = arena,
                              .refused = arena_array(arena, n + 1, sizeof *looking.refused),
                              .wanted = arena_array(arena, n + 1, sizeof *looking.wanted),
                              .distance = arena_array(arena, n + 1, sizeof *looking.distance),
                              .found = arena_array(arena, n + 1, sizeof *looking.found)};
    size_t wanted = 0, n_ids = 0;
    for (size_t k = 0; k < n; k++) {
        const struct analysis_state *state = &agent->run.states[k];
        looking.distance[k] = NEAR_FAR;
        looking.wanted[k] = state->status == ANALYSIS_REFUSED && strcmp(state->rule, "few") == 0 &&
                            state->offer[0] == '\0' &&
                            near_cohort(&looking.refused[k], &study->analyses[k], arena);
        wanted += looking.wanted[k];
    }
    if (wanted == 0)
        return looking.found;
    char(*ids)[2 * QID_BYTES + 1] = arena_array(arena, TRIED, sizeof *ids);
    agent_journal_newest(ids, &n_ids, TRIED);
    for (size_t i = 0, opened = 0; i < n_ids && opened < LOOKED_AT; i++) {
        struct agent_options options = agent->options;
        struct maille_error ignored;
        struct agent *earlier = NULL;
        options.progress = options.words = options.events = NULL;
        if (strcmp(ids[i], agent->id) == 0 ||
            agent_resume(&earlier, &options, ids[i], &ignored) != MAILLE_OK) /* another network's, or key's */
            continue;
        look_at(&looking, earlier);
        agent_free(earlier);
        opened++;
    }
    return looking.found;
}
