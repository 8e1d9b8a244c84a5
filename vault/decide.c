/* What was decided: read from the spool, held against the keys of those who decide here (officers.c), put
 * into the log, and done. */
#include <string.h>

#include "base/log.h"
#include "vault/spool.h"
#include "vault/few.h"

/* One file of the spool. */
struct signed_file {
    struct decision decision;
    const struct officer *by; /* whose signature it is; NULL: there is none */
    struct bytes bytes;
};

/* As the officer's, or as the second person's. */
static enum maille_code read_file(struct signed_file *file, const struct vault *vault,
                                  const struct query *query, enum spool_slot slot, struct arena *arena,
                                  struct maille_error *error)
{
    const struct officer *const who[] = {vault_officer(vault), vault_second(vault)};
    enum maille_code code = MAILLE_OK;
    bool there = false;
    file->by = NULL;
    for (size_t i = 0; i < 2 && who[i] != NULL; i++) {
        struct maille_error why = {0};
        file->bytes.length = 0;
        code = spool_decision(&file->decision, &there, &file->bytes, arena, vault->options.folder, query->qid,
                              slot, who[i]->identity, &why);
        if (code == MAILLE_OK && there)
            file->by = who[i];
        if (code != MAILLE_OK && i == 0)
            *error = why; /* the sentence about the officer's signature */
        if (code != MAILLE_SIGNATURE)
            break;
    }
    return code;
}

/* A decision that does not count: said, in the log, and gone. */
static enum maille_code not_taken(struct vault *vault, const struct query *query, const char *why,
                                  struct arena *arena, struct maille_error *error)
{
    log_line(LOG_LEVEL_WARNING, "%s", why);
    const enum maille_code code =
        vault_log_note(vault, "approval", query->qid, arena_printf(arena, "not taken: %s", why), error);
    spool_drop_decision(vault->options.folder, query->qid);
    return code;
}

/* The answer of before with another state: the same findings. */
static enum maille_code ready_again(struct bytes *envelope, const struct vault *vault,
                                    const struct query *query, struct arena *arena, enum ready_state state,
                                    const char *rule, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message old;
    struct bytes body = {0};
    const struct byte_view bytes = {query->ready_envelope.data, query->ready_envelope.length};
    MAILLE_TRY(message_within(&old, arena, &bytes, MESSAGE_READY, NULL, 0, error));
    struct message_ready ready = old.body.ready;
    ready.state = state;
    ready.rule = rule;
    MAILLE_TRY(message_ready_encode(&body, &ready, error));
    MAILLE_TRY(vault_envelope(envelope, vault, MESSAGE_READY, &body, error));
out:
    bytes_clear(&body);
    return code;
}

/* Log, journal, message: in this order. */
static enum maille_code decided(struct vault *vault, struct query *query, bool approve, struct arena *arena,
                                struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct data_facts facts = {.number = query->snapshot, .hash = query->snapshot_hash};
    const enum ready_state state = approve ? READY_READY : READY_REFUSED;
    struct bytes envelope = {0}, record = {0};
    MAILLE_TRY(ready_again(&envelope, vault, query, arena, state, approve ? "" : "approval", error));
    query->approved = approve;
    vault_record_ready(&record, vault_now_ms(vault), state, query, &facts, &envelope);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_READY, &record, NULL, 0, error));
    spool_forget(vault->options.folder, query->qid);
    MAILLE_TRY(vault_send(vault, outbox, MESSAGE_READY, query->qid, &envelope, NULL, 0,
                          approve ? "ready: approved" : "refused: approval", error));
    query->told_ms = vault_now_ms(vault);
    query->tell_after_ms = APPROVAL_TELL_FIRST_MS;
out:
    bytes_clear(&envelope);
    bytes_clear(&record);
    return code;
}

/* Where two must sign: is this one of two, that waits for the other now (*waits)? */
static enum maille_code first_of_two(bool *waits, struct vault *vault, const struct query *query,
                                     const struct signed_file *file, struct arena *arena,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct signed_file before = {0};
    struct maille_error ignored;
    *waits = false;
    if (vault->options.signatures < 2)
        goto out;
    *waits = true;
    /* One whose key decides no more, or about what was asked before, is none. */
    const bool other = read_file(&before, vault, query, SPOOL_FIRST, arena, &ignored) == MAILLE_OK &&
                       before.by != NULL && digest_equal(&before.decision.pending, &query->pending);
    if (other && before.by == file->by) {
        code = not_taken(vault, query,
                         "expected the signature of another person than the first one's: officer_signatures "
                         "is 2",
                         arena, error);
    } else if (other) {
        *waits = false;
    } else {
        MAILLE_TRY(vault_log_decision(vault, query, &file->decision, "one of two", file->by->identity,
                                      &file->bytes, error));
        log_line(LOG_LEVEL_INFO, "%s of %s: approved by %s, the first of two", query->study->id,
                 query->manifest.researcher, file->decision.by);
        code = spool_keep_first(vault->options.folder, query->qid, error);
    }
out:
    bytes_clear(&before.bytes);
    return code;
}

enum maille_code vault_decision_read(struct vault *vault, struct query *query, struct message_outbox *outbox,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct signed_file file = {0};
    struct maille_error why = {0};
    bool waits = false;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a decision");
    code = read_file(&file, vault, query, SPOOL_DECISION, arena, &why);
    if (code == MAILLE_OK && file.by != NULL && file.decision.kind != DECISION_STOP &&
        !digest_equal(&file.decision.pending, &query->pending))
        code = maille_fail(&why, MAILLE_INVALID,
                           "expected a decision about what is asked now, found one about what was asked "
                           "before; read it again with "
                           "maille-worker pending");
    if (code == MAILLE_SIGNATURE || code == MAILLE_INVALID) {
        code = not_taken(vault, query, why.sentence, arena, error);
        goto out;
    }
    if (code != MAILLE_OK) {
        *error = why;
        goto out;
    }
    if (file.by == NULL)
        goto out;
    const bool approve = file.decision.kind == DECISION_APPROVE;
    if (approve)
        MAILLE_TRY(first_of_two(&waits, vault, query, &file, arena, error));
    if (waits)
        goto out;
    MAILLE_TRY(vault_log_decision(vault, query, &file.decision,
                                  approve                               ? "approved"
                                  : file.decision.kind == DECISION_STOP ? "stopped"
                                                                        : "denied",
                                  file.by->identity, &file.bytes, error));
    log_line(LOG_LEVEL_INFO, "%s of %s: %s by %s", query->study->id, query->manifest.researcher,
             approve ? "approved" : "denied", file.decision.by);
    MAILLE_TRY(decided(vault, query, approve, arena, outbox, error));
out:
    bytes_clear(&file.bytes);
    arena_free(arena);
    return code;
}

/* --- stopping what has begun --- */

enum maille_code vault_stop_asked(bool *stopped, struct vault *vault, struct query *query,
                                  struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct signed_file file = {0};
    struct maille_error why = {0};
    struct arena *arena = arena_new();
    *stopped = false;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a decision");
    if ((query->state & (QUERY_HELD | QUERY_REFUSED | QUERY_ENDED)) != 0)
        goto out;
    MAILLE_TRY(vault_few_end(stopped, vault, query, outbox, error));
    if (*stopped)
        goto out;
    code = read_file(&file, vault, query, SPOOL_DECISION, arena, &why);
    if (code == MAILLE_OK && file.by != NULL && file.decision.kind == DECISION_APPROVE) {
        if (query->approved &&
            digest_equal(&file.decision.pending, &query->pending)) { /* taken before a crash */
            spool_forget(vault->options.folder, query->qid);
            goto out;
        }
        code = maille_fail(&why, MAILLE_INVALID, "expected a stop for a study that runs, found an approval");
    }
    if (code == MAILLE_SIGNATURE || code == MAILLE_INVALID) {
        code = not_taken(vault, query, why.sentence, arena, error);
        goto out;
    }
    if (code != MAILLE_OK) {
        *error = why;
        goto out;
    }
    if (file.by == NULL)
        goto out;
    /* Also where she denies what she had approved. */
    MAILLE_TRY(
        vault_log_decision(vault, query, &file.decision, "stopped", file.by->identity, &file.bytes, error));
    log_line(LOG_LEVEL_INFO, "%s of %s: stopped by %s", query->study->id, query->manifest.researcher,
             file.decision.by);
    if (query->state == QUERY_READY) { /* no keys yet: it answers no instead, and the others may go on */
        query->n_approved = query->study->n_analyses;
        query->approved_words =
            arena_array(query->arena, query->n_approved + 1, sizeof *query->approved_words);
        MAILLE_TRY(decided(vault, query, false, arena, outbox, error));
    } else {
        spool_forget(vault->options.folder, query->qid);
        MAILLE_TRY(vault_cancel(vault, query, "approval", outbox, error));
        *stopped = true;
    }
out:
    bytes_clear(&file.bytes);
    arena_free(arena);
    return code;
}
