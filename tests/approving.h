/* An officer who approves whatever a site asks. */
#ifndef TESTS_APPROVING_H
#define TESTS_APPROVING_H

#include "vault/spool.h"

/* Signs a decision about the question that waits in the site's spool; false: none does, or it was decided. */
static inline bool approving(const char *dir, const uint8_t qid[QID_BYTES], const struct secret_keys *officer)
{
    struct bytes pending = {0};
    struct decision decision = {.kind = DECISION_APPROVE,
                                .by = secret_keys_name(officer),
                                .at = "2026-01-01T00:00:00Z",
                                .reason = ""};
    struct maille_error error;
    bool decided = false;
    memcpy(decision.qid, qid, QID_BYTES);
    if (spool_pending(&pending, dir, qid, &error) == MAILLE_OK) {
        decision_pending_hash(&decision.pending, pending.data, pending.length);
        decided = spool_decide(dir, &decision, officer, &error) == MAILLE_OK;
    }
    bytes_clear(&pending);
    return decided;
}

/* A policy under which nobody is asked, where it does not say so itself: what the tests of counting rules
 * want. In arena. */
static inline const char *asking_nobody(struct arena *arena, const char *policy)
{
    return arena_printf(arena, "%s%s%s", policy,
                        strstr(policy, "fine_predicates") == NULL ? "fine_predicates: allow\n" : "",
                        strstr(policy, "approval") == NULL ? "approval: auto\n" : "");
}

#endif
