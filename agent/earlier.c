/* What the researcher may ask instead of a cohort that is refused as too few or too near: a cohort of an
 * earlier question of her own that was answered and is near to it by what both say (disclosure/near.h). Her
 * own program reads it off her own questions on this machine: no site is asked, and nothing of a patient is
 * in it (docs/decisions/0042-her-own-earlier-cohorts.md). */
#include "agent/earlier.h"

#include <string.h>

#include "disclosure/near.h"
#include "report/asked.h"

/* How many of her questions are looked at, of those that open. */
enum { LOOKED_AT = 64 };

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

/* An analysis that is refused, and the nearest cohort so far. */
struct refused {
    bool wanted; /* else nothing is looked for */
    struct near_group group;
    const char *words;
    size_t distance;
};

/* One earlier question. The newest comes first: of two that are as near it stays. */
static void look_at(struct report_earlier *found, struct refused *refused, size_t n,
                    const struct agent *earlier, struct arena *arena)
{
    struct arena *scratch = arena_new();
    for (size_t e = 0; scratch != NULL && e < earlier->study->n_analyses; e++) {
        const struct analysis *answered = &earlier->study->analyses[e];
        struct near_group group;
        if (earlier->run.states[e].status != ANALYSIS_OK || !near_cohort(&group, answered, scratch))
            continue;
        const char *words = words_of(earlier->study, e, scratch);
        for (size_t k = 0; words != NULL && k < n; k++) {
            struct refused *own = &refused[k];
            const size_t distance = own->wanted ? near_distance(&own->group, &group) : NEAR_FAR;
            if (distance == NEAR_SAME || distance >= own->distance ||
                (own->words != NULL && strcmp(own->words, words) == 0))
                continue;
            own->distance = distance;
            found[k] =
                (struct report_earlier){arena_strdup(arena, words), arena_strdup(arena, earlier->study->id),
                                        arena_strdup(arena, answered->id)};
        }
    }
    arena_free(scratch);
}

const struct report_earlier *agent_earlier(const struct agent *agent, struct arena *arena)
{
    const struct study *study = agent->study;
    const size_t n = study->n_analyses;
    struct report_earlier *found = arena_array(arena, n + 1, sizeof *found);
    struct refused *refused = arena_array(arena, n + 1, sizeof *refused);
    bool any = false;
    for (size_t k = 0; k < n; k++) {
        const struct analysis_state *state = &agent->run.states[k];
        refused[k].distance = NEAR_FAR;
        refused[k].wanted = state->status == ANALYSIS_REFUSED && strcmp(state->rule, "few") == 0 &&
                            state->offer[0] == '\0' &&
                            near_cohort(&refused[k].group, &study->analyses[k], arena);
        if (refused[k].wanted)
            refused[k].words = words_of(study, k, arena);
        any = any || refused[k].wanted;
    }
    if (!any)
        return found;
    char(*ids)[2 * QID_BYTES + 1] = arena_array(arena, AGENT_JOURNALS_MAX, sizeof *ids);
    const size_t n_ids = agent_journal_newest(ids);
    for (size_t i = 0, opened = 0; i < n_ids && opened < LOOKED_AT; i++) {
        struct agent_options options = agent->options;
        struct maille_error ignored;
        struct agent *earlier = NULL;
        options.progress = options.words = options.events = NULL;
        if (strcmp(ids[i], agent->id) == 0 ||
            agent_resume(&earlier, &options, ids[i], &ignored) != MAILLE_OK) /* another network's, or key's */
            continue;
        if (is_comparable(study, earlier->study))
            look_at(found, refused, n, earlier, arena);
        agent_free(earlier);
        opened++;
    }
    return found;
}
