/* Witnessing: this site and the coordinator show each other the heads of their logs, and each keeps the
 * other's. */
#include <string.h>

#include "vault/private.h"

/* --- this log's head --- */

static void put_proof(const struct vault *vault, struct audit_proof *proofs, struct message_head *head,
                      struct arena *arena, uint64_t old)
{
    struct digest *path;
    struct maille_error ignored;
    size_t n;
    if (old == 0 || old > head->size)
        return;
    path = arena_array(arena, AUDIT_PROOF_MAX, sizeof *path);
    if (audit_consistency(vault->log, path, &n, old, &ignored) ==
        MAILLE_OK) /* else pruned: then nobody can */
        proofs[head->n_proofs++] = (struct audit_proof){.old = old, .n = n, .path = path};
}

static void remember_shown(struct vault *vault, uint64_t size)
{
    if (vault->n_shown > 0 && vault->shown[vault->n_shown - 1] == size)
        return;
    if (vault->n_shown == SHOWN_MAX)
        memmove(vault->shown, vault->shown + 1, --vault->n_shown * sizeof *vault->shown);
    vault->shown[vault->n_shown++] = size;
}

/* also: sizes of heads in messages that C is still to take. */
static enum maille_code own_head(struct vault *vault, struct message_head *head, struct arena *arena,
                                 const uint64_t *also, size_t n_also, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_head own, seen;
    struct audit_proof *proofs = arena_array(arena, SHOWN_MAX + 1 + n_also, sizeof *proofs);
    /* A head that was shown must never be of entries that a crash can take away. */
    MAILLE_TRY(vault_log_tick(vault, error));
    audit_head(vault->log, &own);
    struct message_head made = {.size = own.size, .root = own.root, .proofs = proofs};
    if (audit_last_seen(vault->log, vault->coordinator_log, &seen))
        made.seen = seen.size;
    put_proof(vault, proofs, &made, arena, vault->seen_by);
    for (size_t i = 0; i < vault->n_shown; i++)
        if (vault->shown[i] != vault->seen_by)
            put_proof(vault, proofs, &made, arena, vault->shown[i]);
    for (size_t i = 0; i < n_also; i++)
        put_proof(vault, proofs, &made, arena, also[i]);
    remember_shown(vault, own.size);
    *head = made;
out:
    return code;
}

enum maille_code vault_log_head(struct vault *vault, struct message_head *head, struct arena *arena,
                                struct maille_error *error)
{
    return own_head(vault, head, arena, NULL, 0, error);
}

/* The size of the head in a message that this site made; 0: there is none. */
static uint64_t size_within(const struct bytes *bytes, enum message_kind kind, struct arena *arena)
{
    struct maille_error ignored;
    struct message *message = arena_alloc(arena, sizeof *message);
    const struct byte_view view = {bytes->data, bytes->length};
    if (bytes->length == 0 || message_within(message, arena, &view, kind, NULL, 0, &ignored) != MAILLE_OK)
        return 0;
    return kind == MESSAGE_ACCEPT ? message->body.accept.head.size : message->body.masked.head.size;
}

void vault_log_seen_by(struct vault *vault, uint64_t size)
{
    size_t gone = 0;
    struct audit_head own;
    vault->seen_by = size;
    if (vault->log != NULL) {
        audit_head(vault->log, &own);
        vault->set_back = vault->set_back || own.size < size;
    }
    while (gone < vault->n_shown && vault->shown[gone] < size)
        gone++;
    memmove(vault->shown, vault->shown + gone, (vault->n_shown - gone) * sizeof *vault->shown);
    vault->n_shown -= gone;
}

enum maille_code vault_log_head_out(struct vault *vault, const struct query *query,
                                    struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_log_head message = {0};
    struct arena *arena = arena_new();
    struct bytes body = {0}, envelope = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a message");
    memcpy(message.qid, query->qid, QID_BYTES);
    const uint64_t waiting[] = {
        size_within(&query->accept_envelope, MESSAGE_ACCEPT, arena),
        query->attempt.masked ? size_within(&query->attempt.reply, MESSAGE_MASKED, arena) : 0};
    MAILLE_TRY(own_head(vault, &message.head, arena, waiting, sizeof waiting / sizeof *waiting, error));
    MAILLE_TRY(message_log_head_encode(&body, &message, error));
    MAILLE_TRY(vault_envelope(&envelope, vault, MESSAGE_LOG_HEAD, &body, error));
    MAILLE_TRY(vault_send(vault, outbox, MESSAGE_LOG_HEAD, message.qid, &envelope, NULL, 0, NULL, error));
out:
    bytes_clear(&body);
    bytes_clear(&envelope);
    arena_free(arena);
    return code;
}

/* --- the heads of others --- */

/* C's head against the last one that this site has seen. */
static enum maille_code witness(struct vault *vault, const struct message_head *head,
                                struct maille_error *error)
{
    const char *party = vault->coordinator_log;
    const struct audit_head shown = {head->size, head->root};
    enum maille_code code = vault_log_tick(vault, error);
    return code == MAILLE_OK ? audit_witness(vault->log, party, &shown, head->proofs, head->n_proofs, error)
                             : code;
}

/* The entry of a message that passed its checks, with what it showed. */
static enum maille_code log_seen(struct vault *vault, struct message *in, const struct message_head *head,
                                 struct audit_seen *seen, size_t n_seen, bool keep,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_entry entry = {.direction = AUDIT_IN,
                                .message = message_rule(in->envelope.kind)->name,
                                .peer = in->envelope.from,
                                .qid = in->qid,
                                .bytes = in->envelope.length,
                                .detail = "",
                                .n_seen = n_seen + 1,
                                .seen = seen};
    MAILLE_TRY(witness(vault, head, error));
    seen[n_seen] = (struct audit_seen){vault->coordinator_log, {head->size, head->root}};
    hash_bytes(&entry.hash, in->envelope.bytes, in->envelope.length);
    if (keep)
        entry.envelope = (struct audit_blob){in->envelope.bytes, in->envelope.length};
    MAILLE_TRY(vault_log_append(vault, &entry, true, error));
    in->logged = true;
out:
    return code;
}

/* This site's own head comes back in it: C has it. */
static void seen_site(struct vault *vault, struct arena *arena, struct audit_seen *seen, size_t *n,
                      uint32_t site, const struct message_head *head)
{
    if (site == vault->self->id) {
        if (head->size > vault->seen_by)
            vault_log_seen_by(vault, head->size);
        return;
    }
    char *name = arena_alloc(arena, DIRECTORY_LOG_NAME_BYTES);
    const struct directory_site *other = directory_site(vault->directory, site);
    directory_log_name(name, other->name, other->lost);
    seen[(*n)++] = (struct audit_seen){name, {head->size, head->root}};
}

enum maille_code vault_log_roster(struct vault *vault, struct message *in,
                                  const struct message_accept *accepts, struct maille_error *error)
{
    const struct message_roster *roster = &in->body.roster;
    struct audit_seen *seen = arena_array(in->arena, roster->n + 1, sizeof *seen);
    size_t n = 0;
    for (size_t i = 0; i < roster->n; i++)
        seen_site(vault, in->arena, seen, &n, accepts[i].site, &accepts[i].head);
    return log_seen(vault, in, &roster->head, seen, n, false, error);
}

enum maille_code vault_log_close(struct vault *vault, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_close *close = &in->body.close;
    struct audit_seen *seen = arena_array(in->arena, close->n + 1, sizeof *seen);
    struct message *masked = arena_alloc(in->arena, sizeof *masked);
    size_t n = 0;
    for (size_t i = 0; i < close->n; i++) {
        MAILLE_TRY(message_within(masked, in->arena, &close->masked[i], MESSAGE_MASKED, NULL, 0, error));
        seen_site(vault, in->arena, seen, &n, masked->body.masked.site, &masked->body.masked.head);
    }
    code = log_seen(vault, in, &close->head, seen, n, true, error);
out:
    return code;
}

enum maille_code vault_log_head_in(struct vault *vault, struct message *in, struct maille_error *error)
{
    struct audit_seen seen[1];
    return log_seen(vault, in, &in->body.log_head.head, seen, 0, false, error);
}
