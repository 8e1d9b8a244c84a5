#include "cli/audit_receipt.h"

#include <string.h>

static struct receipt *find(struct receipts *receipts, const uint8_t *psi)
{
    for (size_t i = receipts->n; i-- > 0;)
        if (memcmp(receipts->list[i].psi, psi, HASH_BYTES) == 0)
            return &receipts->list[i];
    return NULL;
}

static void remember(struct receipts *receipts, uint64_t sequence, const struct audit_entry *entry)
{
    struct receipt *found = find(receipts, entry->psi);
    if (found != NULL) { /* sent again: the same bytes, or it is said */
        if (memcmp(found->vector, entry->vector, HASH_BYTES) != 0)
            receipts->code = maille_fail(
                &receipts->error, MAILLE_CORRUPT,
                "entries %llu and %llu send two vectors for one round: the masks of one were used twice",
                (unsigned long long)found->sequence, (unsigned long long)sequence);
        return;
    }
    if (receipts->n == receipts->room) {
        size_t room = receipts->room == 0 ? 64 : 2 * receipts->room;
        struct receipt *grown = arena_array(receipts->arena, room, sizeof *grown);
        if (receipts->n > 0)
            memcpy(grown, receipts->list, receipts->n * sizeof *grown);
        receipts->list = grown;
        receipts->room = room;
    }
    struct receipt *made = &receipts->list[receipts->n++];
    made->sequence = sequence;
    memcpy(made->psi, entry->psi, HASH_BYTES);
    memcpy(made->vector, entry->vector, HASH_BYTES);
}

/* The coordinator's signature, and among the members' messages one with our vector. */
static enum maille_code compare(struct receipts *receipts, uint64_t sequence, const struct audit_entry *entry,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct envelope envelope, member;
    struct message_close close;
    struct message_masked *masked = NULL;
    struct receipt *own = NULL;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a receipt, found none");
    masked = arena_alloc(arena, sizeof *masked);
    MAILLE_TRY(envelope_decode(&envelope, arena, entry->envelope.data, entry->envelope.length, error));
    MAILLE_TRY(message_close_decode(&close, arena, envelope.body, envelope.body_length, error));
    const struct directory_coordinator *coordinator = &receipts->directory->coordinator;
    if (!envelope_verified(&envelope, coordinator->keys.identity) && coordinator->lost > 0) {
        receipts->former++; /* compared with the directory of then, if at all */
        goto out;
    }
    if (!envelope_verified(&envelope, coordinator->keys.identity)) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "the receipt in entry %llu is not signed by the coordinator of the roster",
                           (unsigned long long)sequence);
        goto out;
    }
    own = find(receipts, close.psi.b);
    for (size_t i = 0; own != NULL && !own->signed_for && i < close.n; i++) {
        MAILLE_TRY(envelope_decode(&member, arena, close.masked[i].data, close.masked[i].length, error));
        MAILLE_TRY(message_masked_decode(masked, arena, member.body, member.body_length, error));
        own->signed_for = memcmp(masked->share.vector.b, own->vector, HASH_BYTES) == 0;
    }
    if (own != NULL && !own->signed_for)
        code = maille_fail(error, MAILLE_CORRUPT,
                           "the receipt in entry %llu is not for the vector of entry %llu: the coordinator "
                           "got something else",
                           (unsigned long long)sequence, (unsigned long long)own->sequence);
out:
    arena_free(arena);
    return code;
}

void receipts_take(struct receipts *receipts, uint64_t sequence, const struct audit_entry *entry)
{
    if (receipts->code != MAILLE_OK)
        return;
    if (entry->direction == AUDIT_OUT && entry->psi != NULL && entry->vector != NULL &&
        strcmp(entry->message, message_rule(MESSAGE_MASKED)->name) == 0)
        remember(receipts, sequence, entry);
    else if (receipts->directory != NULL && entry->direction == AUDIT_IN && entry->envelope.length > 0 &&
             strcmp(entry->message, message_rule(MESSAGE_CLOSE)->name) == 0)
        receipts->code = compare(receipts, sequence, entry, &receipts->error);
}

size_t receipts_signed(const struct receipts *receipts)
{
    size_t n = 0;
    for (size_t i = 0; i < receipts->n; i++)
        n += receipts->list[i].signed_for;
    return n;
}
