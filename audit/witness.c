/* Heads of others: neither side can rewrite its log alone, because the other one keeps what it was shown. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/log_private.h"
#include "base/clock.h"

_Static_assert((int)AUDIT_PROOF_MAX == (int)TREE_PROOF_MAX, "room for any proof");

const char audit_split_view[] = "split view", audit_lost[] = "lost";

uint32_t audit_entry_lost(const struct audit_entry *entry)
{
    if (entry->direction != AUDIT_NOTE || entry->message == NULL || strcmp(entry->message, audit_lost) != 0)
        return 0;
    return entry->detail == NULL ? 0 : (uint32_t)strtoul(entry->detail, NULL, 10);
}

/* Where a proof needs a block of entries that the tree has let go: their hashes, from the files. Whoever asks
 * for proofs from everywhere must not keep this program reading: at most RECALLS_A_SECOND. */
static void recall(struct audit_log *log, uint64_t old)
{
    enum { RECALLS_A_SECOND = 16 };
    uint64_t start, n = 0;
    struct store_file *files = NULL;
    size_t n_files = 0, at = 0;
    struct source *source = NULL;
    struct digest leaves[TREE_BLOCK];
    enum source_end end = SOURCE_MORE;
    enum frame_kind kind;
    const uint8_t *data;
    size_t length;
    const int64_t second = clock_monotonic_ms() / 1000;
    if (!tree_lacks(&log->state.tree, old, &start))
        return;
    log->recalls = log->recalled == second ? log->recalls + 1 : 0;
    log->recalled = second;
    if (log->recalls >= RECALLS_A_SECOND ||
        store_list(&files, &n_files, log->folder, log->state.base_size, NULL) != MAILLE_OK)
        goto out;
    while (at + 1 < n_files && files[at + 1].first <= start)
        at++;
    for (; at < n_files && n < TREE_BLOCK; at++) {
        uint64_t entry = files[at].first;
        if (source_open(&source, log->folder, &files[at], NULL) != MAILLE_OK)
            goto out;
        while (n < TREE_BLOCK && source_next(source, &end, &kind, &data, &length, NULL) == MAILLE_OK &&
               end == SOURCE_MORE) {
            if (kind != FRAME_RECORD)
                continue;
            if (entry++ == start + n)
                tree_hash_leaf(&leaves[n++], data, length);
        }
        source_close(source);
        source = NULL;
    }
    if (n == TREE_BLOCK)
        (void)tree_recall(&log->state.tree, start, leaves);
out:
    source_close(source);
    free(files);
}

enum maille_code audit_consistency(struct audit_log *log, struct digest *proof, size_t *n, uint64_t old,
                                   struct maille_error *error)
{
    size_t found;
    recall(log, old);
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

/* Was this very head seen before? */
static bool was_seen(const struct audit_log *log, const char *party, const struct audit_head *head)
{
    for (size_t i = log->recent.n; i-- > 0;) {
        const struct audit_witness_head *seen = &log->recent.list[i];
        if (seen->head.size == head->size && strcmp(seen->party, party) == 0 &&
            digest_equal(&seen->head.root, &head->root))
            return true;
    }
    return false;
}

/* Does a head that comes late lead to one that was seen? */
static bool leads_to_seen(const struct audit_log *log, const char *party, const struct audit_head *head)
{
    for (size_t i = 0; log->bridges != NULL && i < AUDIT_BRIDGES_MAX; i++) {
        const struct bridge *bridge = &log->bridges[i];
        if (bridge->old == head->size && strcmp(bridge->party, party) == 0 &&
            was_seen(log, party, &bridge->to) && audit_consistent(head, &bridge->to, bridge->path, bridge->n))
            return true;
    }
    return false;
}

static void keep_bridges(struct audit_log *log, const char *party, const struct audit_head *head,
                         const struct audit_proof *proofs, size_t n)
{
    if (n > 0 && log->bridges == NULL)
        log->bridges = calloc(AUDIT_BRIDGES_MAX, sizeof *log->bridges);
    for (size_t i = 0; log->bridges != NULL && i < n; i++) {
        struct bridge *bridge = &log->bridges[log->next_bridge];
        if (proofs[i].n > AUDIT_PROOF_MAX)
            continue;
        log->next_bridge = (log->next_bridge + 1) % AUDIT_BRIDGES_MAX;
        *bridge = (struct bridge){.old = proofs[i].old, .to = *head, .n = proofs[i].n};
        snprintf(bridge->party, sizeof bridge->party, "%s", party);
        memcpy(bridge->path, proofs[i].path, proofs[i].n * sizeof *bridge->path);
    }
}

static bool follows(const struct audit_log *log, const char *party, const struct audit_head *last,
                    const struct audit_head *head, const struct audit_proof *proofs, size_t n)
{
    bool proved = false;
    if (head->size <= last->size)
        return (head->size == last->size && digest_equal(&head->root, &last->root)) ||
               was_seen(log, party, head) || leads_to_seen(log, party, head);
    for (size_t i = 0; i < n && !proved; i++)
        proved = proofs[i].old == last->size && audit_consistent(last, head, proofs[i].path, proofs[i].n);
    return proved;
}

enum maille_code audit_witness(struct audit_log *log, const char *party, const struct audit_head *head,
                               const struct audit_proof *proofs, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_head last;
    char detail[256];
    if (!audit_last_seen(log, party, &last) || follows(log, party, &last, head, proofs, n)) {
        keep_bridges(log, party, head, proofs, n);
        return MAILLE_OK;
    }
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
