/* Witnessing: the coordinator and every site show each other the heads of their logs, and each keeps the
 * other's. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/handlers.h"

/* --- this log's head --- */

struct proving {
    const struct coordinator *coordinator;
    struct arena *arena;
    struct message_head *head;
    struct audit_proof *proofs;
};

static void put_proof(struct proving *proving, uint64_t old)
{
    struct message_head *head = proving->head;
    struct maille_error ignored;
    struct digest *path;
    size_t n;
    if (old == 0 || old > head->size || head->n_proofs == MESSAGE_HEAD_PROOFS_MAX)
        return;
    for (size_t i = 0; i < head->n_proofs; i++)
        if (proving->proofs[i].old == old)
            return;
    path = arena_array(proving->arena, AUDIT_PROOF_MAX, sizeof *path);
    if (audit_consistency(proving->coordinator->log, path, &n, old, &ignored) ==
        MAILLE_OK) /* else pruned: then nobody can */
        proving->proofs[head->n_proofs++] = (struct audit_proof){.old = old, .n = n, .path = path};
}

static void each_own(void *context, uint64_t size)
{
    put_proof(context, size);
}

/* How much of this log a site says, in its last message of the query, that it has seen. False: it says
 * nothing. */
static bool site_has_seen(uint64_t *seen, const struct query_site *site, struct arena *arena)
{
    struct envelope envelope;
    struct maille_error ignored;
    const struct parcel *parcel = site->masked != NULL ? site->masked : site->accept;
    if (parcel == NULL || envelope_decode(&envelope, arena, parcel->envelope.data, parcel->envelope.length,
                                          &ignored) != MAILLE_OK)
        return false;
    if (parcel->kind == MESSAGE_MASKED) {
        struct message_masked *masked = arena_alloc(arena, sizeof *masked);
        if (message_masked_decode(masked, arena, envelope.body, envelope.body_length, &ignored) != MAILLE_OK)
            return false;
        *seen = masked->head.seen;
    } else {
        struct message_accept *accept = arena_alloc(arena, sizeof *accept);
        if (message_accept_decode(accept, arena, envelope.body, envelope.body_length, &ignored) != MAILLE_OK)
            return false;
        *seen = accept->head.seen;
    }
    return true;
}

/* The size of our head in a message of the query; 0: there is none. */
static uint64_t size_within(const struct parcel *parcel, struct arena *arena)
{
    struct maille_error ignored;
    struct message *message = arena_alloc(arena, sizeof *message);
    if (parcel == NULL)
        return 0;
    const struct byte_view view = parcel_view(parcel);
    if (message_within(message, arena, &view, parcel->kind, NULL, 0, &ignored) != MAILLE_OK)
        return 0;
    return parcel->kind == MESSAGE_ROSTER ? message->body.roster.head.size : message->body.close.head.size;
}

/* also: sizes of which whoever this head is for may have seen one last. */
static enum maille_code own_head(struct coordinator *coordinator, const struct query *query,
                                 struct message_head *head, struct arena *arena, const uint64_t *also,
                                 size_t n_also, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_head own;
    uint64_t least = UINT64_MAX, seen;
    bool forked;
    struct message_head made = {0};
    struct proving proving = {.coordinator = coordinator,
                              .arena = arena,
                              .head = &made,
                              .proofs = arena_array(arena, MESSAGE_HEAD_PROOFS_MAX, sizeof *proving.proofs)};
    audit_head(coordinator->log, &own);
    made.size = own.size;
    made.root = own.root;
    made.proofs = proving.proofs;
    for (size_t i = 0; i < n_also; i++)
        put_proof(&proving, also[i]);
    for (size_t i = 0; i < query->n_sites; i++)
        if (site_has_seen(&seen, &query->sites[i], arena)) {
            least = seen < least ? seen : least;
            put_proof(&proving, seen);
        }
    /* A site has seen that, or a head that was sent to somebody since. */
    if (least != UINT64_MAX)
        MAILLE_TRY(store_read_heads(coordinator->store, secret_keys_name(coordinator->keys), least, each_own,
                                    &proving, error));
    MAILLE_TRY(
        store_put_head(coordinator->store, secret_keys_name(coordinator->keys), &made, &forked, error));
    *head = made;
out:
    return code;
}

enum maille_code coordinator_head(struct coordinator *coordinator, const struct query *query,
                                  struct message_head *head, struct arena *arena, struct maille_error *error)
{
    return own_head(coordinator, query, head, arena, NULL, 0, error);
}

enum maille_code coordinator_show_head(struct coordinator *coordinator, struct query *query,
                                       struct query_site *site, uint64_t seen, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_log_head message = {0};
    struct arena *arena = arena_new();
    struct bytes body = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");
    memcpy(message.qid, query->row.qid, QID_BYTES);
    const uint64_t shown[] = {seen, size_within(query->roster, arena), size_within(query->close, arena)};
    MAILLE_TRY(
        own_head(coordinator, query, &message.head, arena, shown, sizeof shown / sizeof *shown, error));
    MAILLE_TRY(message_log_head_encode(&body, &message, error));
    MAILLE_TRY(
        outbox_body(coordinator, site->name, 0, MESSAGE_LOG_HEAD, &body, NULL, 0, query->row.qid, error));
out:
    bytes_clear(&body);
    arena_free(arena);
    return code;
}

const char *coordinator_log_name(const struct coordinator *coordinator, char *out, const char *party)
{
    directory_log_name(out, party, directory_lost(network_directory(coordinator->network), party));
    return out;
}

uint64_t coordinator_seen(const struct coordinator *coordinator, const char *party)
{
    struct audit_head last;
    char name[DIRECTORY_LOG_NAME_BYTES];
    return audit_last_seen(coordinator->log, coordinator_log_name(coordinator, name, party), &last)
               ? last.size
               : 0;
}

/* --- the heads of sites --- */

enum maille_code coordinator_witness(struct coordinator *coordinator, const char *party,
                                     const struct message_head *head, struct maille_error *error)
{
    const struct audit_head shown = {head->size, head->root};
    bool forked;
    enum maille_code code =
        audit_witness(coordinator->log, party, &shown, head->proofs, head->n_proofs, error);
    return code == MAILLE_OK ? store_put_head(coordinator->store, party, head, &forked, error) : code;
}
