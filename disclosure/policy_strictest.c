/* One policy for a roster: of each key the tightest, so that every site makes the same plan. */
#include <string.h>

#include "disclosure/policy_table.h"
#include "disclosure/threshold.h"

static int preset_rank(const char *preset)
{
    int rank = PRESET_STRICT;
    while (rank < PRESET_OPEN && strcmp(policy_presets[rank], preset) != 0)
        rank++;
    return rank;
}

enum maille_code policy_strictest(const struct policy **strictest, struct arena *arena,
                                  const char *const *texts, const size_t *lengths, size_t n,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct policy *found = NULL;
    int rank = PRESET_OPEN;
    if (n == 0)
        return maille_fail(error, MAILLE_INVALID, "expected the policies of a roster, found none");
    for (size_t i = 0; i < n; i++) {
        const struct policy *policy;
        MAILLE_TRY(policy_parse(&policy, arena, "a policy of the roster", texts[i], lengths[i], error));
        if (preset_rank(policy->preset) < rank)
            rank = preset_rank(policy->preset);
        code = policy_with_floor(&found, arena, policy, found);
        if (code != MAILLE_OK) {
            maille_fail(error, code, "expected memory for the policies of a roster, found none");
            goto out;
        }
    }
    struct policy *made = arena_alloc(arena, sizeof *made);
    *made = *found;
    made->preset = policy_presets[rank];
    *strictest = made;
out:
    return code;
}
