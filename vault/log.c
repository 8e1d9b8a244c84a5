#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vault/spool.h"
#include "vault/private.h"

/* What stands in the message log, and the one way out: an entry is on disk before its message leaves. */

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
        log_line(LOG_LEVEL_WARNING,
                 "the message log that was begun without keys is kept in %s; a new one begins",
                 opened->aside);
    if (opened->repaired) {
        log_line(LOG_LEVEL_WARNING, "the last entry of the message log was cut by a crash and was dropped");
        MAILLE_TRY(
            vault_log_note(vault, "repaired", NULL, "an entry that a crash cut short was dropped", error));
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

enum maille_code vault_log_append(struct vault *vault, const struct audit_entry *entry, bool sync,
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

/* Who asks for what, and why: with the manifest itself, the first time. */
static void manifest_fields(struct audit_entry *entry, const struct vault *vault, const struct message *in)
{
    const struct message_manifest *manifest = &in->body.manifest;
    const struct directory_researcher *researcher = directory_researcher(vault->directory, in->envelope.from);
    struct study_heading heading;
    if (vault_query_find(vault, manifest->qid) != NULL)
        return;
    study_heading(&heading, in->arena, (const char *)manifest->study.data, manifest->study.length);
    entry->requester = researcher->name;
    entry->requester_key = researcher->keys.identity;
    entry->study =
        heading.title[0] == '\0' ? heading.id : arena_printf(in->arena, "%s: %s", heading.id, heading.title);
    entry->purpose = heading.purpose;
    entry->legal_basis = heading.legal_basis;
    entry->protocol = heading.protocol;
    entry->recipients = researcher->name; /* the sum opens with the researcher's key of this query alone */
    entry->envelope = (struct audit_blob){in->envelope.bytes, in->envelope.length};
}

/* Is it a roster, a close or a head that is new? Its entry says what it shows of other logs, and that must be
 * checked first. */
static bool shows_heads(const struct vault *vault, const struct message *in)
{
    const struct query *query = in->qid != NULL ? vault_query_find(vault, in->qid) : NULL;
    return in->envelope.kind == MESSAGE_LOG_HEAD ||
           (in->envelope.kind == MESSAGE_ROSTER && query != NULL && query->state == QUERY_ACCEPTED) ||
           (in->envelope.kind == MESSAGE_CLOSE && query != NULL && query->state == QUERY_STARTED);
}

enum maille_code vault_log_in(struct vault *vault, struct message *in, struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_IN,
                                .message = message_rule(in->envelope.kind)->name,
                                .peer = in->envelope.from,
                                .qid = in->qid,
                                .bytes = in->envelope.length + in->frame_length,
                                .detail = ""};
    if (shows_heads(vault, in))
        return MAILLE_OK;
    hash_frames(&entry.hash, in->envelope.bytes, in->envelope.length, in->frame, in->frame_length);
    if (in->envelope.kind == MESSAGE_MANIFEST)
        manifest_fields(&entry, vault, in);
    enum maille_code code = vault_log_append(vault, &entry, false, error);
    in->logged = code == MAILLE_OK;
    return code;
}

enum maille_code vault_log_dropped(struct vault *vault, const struct message *in, const void *envelope,
                                   size_t length, const char *why, struct maille_error *error)
{
    const struct message_rule *rule = message_rule(in->envelope.kind);
    const char *detail = rule == NULL ? why : arena_printf(in->arena, "%s: %s", rule->name, why);
    struct audit_entry entry = {.direction = AUDIT_NOTE,
                                .message = "dropped",
                                .peer = in->envelope.from,
                                .qid = in->qid,
                                .detail = detail};
    if (!in->logged) { /* this is the only entry of it */
        entry.bytes = length + in->frame_length;
        hash_frames(&entry.hash, envelope, length, in->frame, in->frame_length);
    }
    return vault_log_append(vault, &entry, true, error);
}

enum maille_code vault_log_note(struct vault *vault, const char *what, const uint8_t *qid, const char *detail,
                                struct maille_error *error)
{
    struct audit_entry entry = {.direction = AUDIT_NOTE,
                                .message = what,
                                .peer = secret_keys_name(vault->options.keys),
                                .qid = qid,
                                .detail = detail};
    return vault_log_append(vault, &entry, true, error);
}

void vault_log_entry_out(struct audit_entry *entry, const struct vault *vault, enum message_kind kind,
                         const uint8_t *qid, const struct bytes *envelope, const void *frame,
                         size_t frame_length)
{
    *entry = (struct audit_entry){.direction = AUDIT_OUT,
                                  .message = message_rule(kind)->name,
                                  .peer = vault->directory->coordinator.name,
                                  .qid = qid,
                                  .bytes = envelope->length + frame_length,
                                  .detail = ""};
    hash_frames(&entry->hash, envelope->data, envelope->length, frame, frame_length);
}

enum maille_code vault_log_out(struct vault *vault, enum message_kind kind, const uint8_t *qid,
                               const struct bytes *envelope, const void *frame, size_t frame_length,
                               const char *detail, struct maille_error *error)
{
    struct audit_entry entry;
    vault_log_entry_out(&entry, vault, kind, qid, envelope, frame, frame_length);
    if (detail != NULL)
        entry.detail = detail;
    /* A segment's bytes are bound by the vector's hash, which is on disk since its masked message: it need
     * not wait again. */
    return vault_log_append(vault, &entry, kind != MESSAGE_SEGMENT, error);
}

enum maille_code vault_send(struct vault *vault, struct message_outbox *outbox, enum message_kind kind,
                            const uint8_t *qid, const struct bytes *envelope, const void *frame,
                            size_t frame_length, const char *detail, struct maille_error *error)
{
    enum maille_code code = vault_log_out(vault, kind, qid, envelope, frame, frame_length, detail, error);
    if (code == MAILLE_OK)
        code = message_outbox_put(outbox, kind, envelope, frame, frame_length, error);
    return code;
}
