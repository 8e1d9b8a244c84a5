#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "worker/spool.h"
#include "worker/vault_private.h"

/* What stands in the message log, and the one way out: an entry is on disk before its message leaves. */

/* "1,234" */
static void put_thousands(char out[32], uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number), used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* All frames: the envelope, then the raw bytes. */
static void hash_frames(struct digest *out, const void *envelope, size_t length, const void *frame,
                        size_t frame_length)
{
    struct digest parts[2];
    if (frame == NULL) {
        hash_bytes(out, envelope, length);
        return;
    }
    hash_bytes(&parts[0], envelope, length);
    hash_bytes(&parts[1], frame, frame_length);
    hash_bytes(out, parts, sizeof parts);
}

static int64_t log_clock(void *vault)
{
    return vault_now_ms(vault);
}

enum maille_code vault_log_open(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_opened *opened = calloc(1, sizeof *opened);
    const struct audit_options options = {.folder = vault->log_folder,
                                          .party = secret_keys_name(vault->options.keys),
                                          .keys = vault->options.keys,
                                          .retention_months = vault->options.log_retention_months,
                                          .now_ms = log_clock,
                                          .clock = vault};
    if (opened == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the log");
    MAILLE_TRY(audit_open_signed(&vault->log, &options, opened, error));
    if (opened->aside[0] != '\0')
        log_line(LOG_LEVEL_WARNING, "the message log that was begun without keys is kept in %s; a new one begins",
                 opened->aside);
    if (opened->repaired) {
        log_line(LOG_LEVEL_WARNING, "the last entry of the message log was cut by a crash and was dropped");
        MAILLE_TRY(vault_log_note(vault, "repaired", NULL, "an entry that a crash cut short was dropped", error));
    }
out:
    free(opened);
    return code;
}

/* After an error of the disk the log is closed; it is opened again when something is to be written again. */
static enum maille_code log_ready(struct vault *vault, struct maille_error *error)
{
    return vault->log != NULL ? MAILLE_OK : vault_log_open(vault, error);
}

static enum maille_code log_close_on(struct vault *vault, enum maille_code code)
{
    if (code != MAILLE_OK) {
        audit_close(vault->log);
        vault->log = NULL;
    }
    return code;
}

enum maille_code vault_log_tick(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = log_ready(vault, error);
    if (code == MAILLE_OK)
        code = log_close_on(vault, audit_tick(vault->log, error));
    return code;
}

enum maille_code vault_stop(struct vault *vault, struct maille_error *error)
{
    return vault_log_note(vault, "stop", NULL, "maille " MAILLE_VERSION, error);
}

static enum maille_code log_append(struct vault *vault, const struct audit_entry *entry, bool sync,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(log_ready(vault, error));
    MAILLE_TRY(log_close_on(vault, audit_append(vault->log, entry, error)));
    if (sync)
        MAILLE_TRY(log_close_on(vault, audit_sync(vault->log, error)));
out:
    if (code != MAILLE_OK)
        maille_error_prefix(error, "nothing was sent because the message log in %s cannot be written",
                            vault->log_folder);
    return code;
}

enum maille_code vault_log_in(struct vault *vault, const struct incoming *in, const void *envelope,
                              size_t length, struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_IN,
                                .message = message_rule(in->envelope.kind)->name,
                                .peer = in->envelope.from,
                                .qid = in->qid,
                                .bytes = length + in->frame_length,
                                .detail = ""};
    hash_frames(&entry.hash, envelope, length, in->frame, in->frame_length);
    return log_append(vault, &entry, false, error);
}

enum maille_code vault_log_note(struct vault *vault, const char *what, const uint8_t *qid, const char *detail,
                                struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_NOTE,
                                .message = what,
                                .peer = secret_keys_name(vault->options.keys),
                                .qid = qid,
                                .detail = detail};
    return log_append(vault, &entry, true, error);
}

enum maille_code vault_log_out(struct vault *vault, enum message_kind kind, const uint8_t *qid,
                               const struct bytes *envelope, const void *frame, size_t frame_length,
                               const char *detail, struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_OUT,
                                .message = message_rule(kind)->name,
                                .peer = vault->directory->coordinator.name,
                                .qid = qid,
                                .bytes = envelope->length + frame_length,
                                .detail = detail != NULL ? detail : ""};
    hash_frames(&entry.hash, envelope->data, envelope->length, frame, frame_length);
    /* A segment's bytes are bound by the vector's hash, which is on disk since its masked message: it need
     * not wait again. */
    return log_append(vault, &entry, kind != MESSAGE_SEGMENT, error);
}

enum maille_code vault_put(struct vault_outbox *outbox, enum message_kind kind, const struct bytes *envelope,
                           const void *frame, size_t frame_length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct vault_message made = {.kind = kind, .has_frame = frame != NULL};
    if (outbox->n == outbox->capacity) {
        size_t capacity = outbox->capacity == 0 ? 4 : 2 * outbox->capacity;
        struct vault_message *grown = realloc(outbox->messages, capacity * sizeof *grown);
        if (grown == NULL)
            return maille_fail(error, MAILLE_MEMORY, "no memory for a message");
        outbox->messages = grown;
        outbox->capacity = capacity;
    }
    MAILLE_TRY(bytes_copy(&made.envelope, envelope->data, envelope->length));
    if (frame != NULL)
        MAILLE_TRY(bytes_copy(&made.frame, frame, frame_length));
    outbox->messages[outbox->n++] = made;
    made = (struct vault_message){0};
out:
    bytes_clear(&made.envelope);
    bytes_clear(&made.frame);
    return code;
}

enum maille_code vault_send(struct vault *vault, struct vault_outbox *outbox, enum message_kind kind,
                            const uint8_t *qid, const struct bytes *envelope, const void *frame,
                            size_t frame_length, const char *detail, struct maille_error *error)
{
    enum maille_code code = vault_log_out(vault, kind, qid, envelope, frame, frame_length, detail, error);
    if (code == MAILLE_OK)
        code = vault_put(outbox, kind, envelope, frame, frame_length, error);
    return code;
}

void vault_outbox_clear(struct vault_outbox *outbox)
{
    for (size_t i = 0; i < outbox->n; i++) {
        bytes_clear(&outbox->messages[i].envelope);
        bytes_clear(&outbox->messages[i].frame);
    }
    free(outbox->messages);
    *outbox = (struct vault_outbox){0};
}

enum maille_code vault_log_decision(struct vault *vault, const struct query *query, const struct decision *decision,
                                    const struct bytes *signed_file, struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_NOTE,
                                .message = "approval",
                                .peer = vault->self->name,
                                .qid = query->qid,
                                .bytes = signed_file->length,
                                .detail = decision->reason,
                                .decision = decision->approve ? "approved" : "denied",
                                .approver = decision->by,
                                .approver_key = vault->self->dpo_identity,
                                .approver_signature = decision->signature,
                                .envelope = {signed_file->data, signed_file->length}};
    hash_bytes(&entry.hash, signed_file->data, signed_file->length);
    return log_append(vault, &entry, true, error);
}

const char *vault_log_vector(struct arena *arena, const struct study *study,
                             const struct message_round_header *header, const struct round_plan *plan,
                             const struct digest *vector)
{
    char hash[2 * HASH_BYTES + 1], count[32];
    hex_encode(hash, vector->b, HASH_BYTES);
    const char *text =
        arena_printf(arena, "round %u attempt %u, masked among %zu sites, vector %s:", header->round,
                     header->attempt, header->n_members, hash);
    for (size_t i = 0; i < header->n_analyses; i++) {
        size_t k = header->analyses[i], numbers = 0;
        for (size_t block = 0; block < plan->analyses[k].spec->n_blocks; block++)
            numbers += plan->analyses[k].extents[block].count;
        put_thousands(count, numbers);
        text = arena_printf(arena, "%s%s %s (%s) %s number%s", text, i > 0 ? "," : "", study->analyses[k].id,
                            study->analyses[k].method, count, numbers == 1 ? "" : "s");
    }
    return text;
}

enum maille_code vault_protest(struct maille_error *error, const char *rule, const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    maille_fail(error, MAILLE_PROTOCOL, "%s: %s", rule, sentence);
    if (error != NULL)
        snprintf(error->rule, sizeof error->rule, "%s", rule);
    return MAILLE_PROTOCOL;
}
