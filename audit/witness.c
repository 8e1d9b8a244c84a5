/* Heads of others: neither side can rewrite its log alone, because the other one keeps what it was shown. */
#include <inttypes.h>
#include <string.h>

#include "audit/log_private.h"

_Static_assert((int)AUDIT_PROOF_MAX == (int)TREE_PROOF_MAX, "room for any proof");

const char audit_split_view[] = "split view";

enum maille_code audit_consistency(const struct audit_log *log, struct digest *proof, size_t *n, uint64_t old,
                                   struct maille_error *error)
{
    size_t found;
    if (!tree_consistency(proof, &found, &log->state.tree, old, log->state.tree.size))
        return maille_fail(error, MAILLE_INVALID,
                           "expected a place in the log between entry %" PRIu64 " and %" PRIu64
                           ", found %" PRIu64,
                           log->state.tree.base, log->state.tree.size, old);
    *n = found;
    return MAILLE_OK;
}

bool audit_consistent(const struct audit_head *old, const struct audit_head *later,
                      const struct digest *proof, size_t n)
{
    return tree_consistency_valid(old->size, &old->root, later->size, &later->root, proof, n);
}

bool audit_last_seen(const struct audit_log *log, const char *party, struct audit_head *head)
{
    const struct audit_witness_head *found = heads_find(&log->seen, party);
    if (found != NULL)
        *head = found->head;
    return found != NULL;
}

enum maille_code audit_witness(struct audit_log *log, const char *party, const struct audit_head *head,
                               const struct digest *proof, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_head last;
    char detail[256];
    /* A message that was late carries a head from before the last one: it is kept, and audit verify compares it with the log. */
    if (!audit_last_seen(log, party, &last) || head->size < last.size ||
        (head->size == last.size && digest_equal(&head->root, &last.root)) || audit_consistent(&last, head, proof, n))
        return MAILLE_OK;
    snprintf(detail, sizeof detail,
             "%s showed a head over %" PRIu64 " entries that does not follow from the one over %" PRIu64
             " that it showed before",
             party, head->size, last.size);
    const struct audit_seen both[2] = {{party, last}, {party, *head}};
    const struct audit_entry entry = {.direction = AUDIT_NOTE,
                                      .message = audit_split_view,
                                      .peer = party,
                                      .detail = detail,
                                      .n_seen = 2,
                                      .seen = both};
    MAILLE_TRY(audit_append(log, &entry, error));
    MAILLE_TRY(audit_sync(log, error));
    code = maille_fail(error, MAILLE_PROTOCOL, "%s; both are in the log", detail);
    if (error != NULL)
        snprintf(error->rule, sizeof error->rule, "log_head");
out:
    return code;
}
