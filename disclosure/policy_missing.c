/* What a study means that says nothing of missing values: settled by the policies of its roster, alike at
 * every site and at the analyst. */
#include "disclosure/policy.h"

enum missing_rule policy_missing(const struct policy *policy)
{
    return policy->differencing != POLICY_OFF || policy->missing == MISSING_STUDY ? MISSING_STUDY
                                                                                  : MISSING_ANALYSIS;
}

enum maille_code policy_missing_among(enum missing_rule *rule, const char *const *texts,
                                      const size_t *lengths, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    enum missing_rule found = MISSING_ANALYSIS;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the policies of a roster, found none");
    for (size_t i = 0; i < n; i++) {
        const struct policy *policy;
        MAILLE_TRY(policy_parse(&policy, arena, "a policy of the roster", texts[i], lengths[i], error));
        if (policy_missing(policy) == MISSING_STUDY)
            found = MISSING_STUDY;
    }
    *rule = found;
out:
    arena_free(arena);
    return code;
}
