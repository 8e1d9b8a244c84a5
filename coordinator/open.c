/* The coordinator from start to stop, and the order in which a batch of messages is made durable and said. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "coordinator/coordinator.h"

enum { QUERY_RETENTION_DAYS = 90 };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

int64_t coordinator_now_ms(const struct coordinator *coordinator)
{
    return clock_read_monotonic_ms(&coordinator->clock);
}

enum maille_code coordinator_note(struct coordinator *coordinator, const char *word,
                                  struct maille_error *error)
{
    const struct audit_entry entry = {
        .direction = AUDIT_NOTE, .message = word, .peer = "", .detail = "maille-coordinator " MAILLE_VERSION};
    enum maille_code code = audit_append(coordinator->log, &entry, error);
    return code == MAILLE_OK ? audit_sync(coordinator->log, error) : code;
}

static void each_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    uint32_t *noted = context;
    (void)sequence;
    (void)utc_ms;
    if (audit_entry_lost(entry) > *noted)
        *noted = audit_entry_lost(entry);
}

enum maille_code coordinator_note_loss(struct coordinator *coordinator, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint32_t lost = network_directory(coordinator->network)->coordinator.lost;
    char detail[128];
    const struct audit_entry entry = {
        .direction = AUDIT_NOTE, .message = audit_lost, .peer = "", .detail = detail};
    if (lost <= coordinator->lost)
        goto out;
    snprintf(detail, sizeof detail,
             "%" PRIu32
             ": the authorities accept that this coordinator lost its log or keys, and began again",
             lost);
    MAILLE_TRY(audit_append(coordinator->log, &entry, error));
    MAILLE_TRY(audit_sync(coordinator->log, error));
    coordinator->lost = lost;
out:
    return code;
}

enum maille_code coordinator_open(struct coordinator *coordinator, const struct coordinator_options *options,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], note[MAILLE_SENTENCE_MAX], log_folder[PATH_MAX];
    struct audit_opened opened;
    *coordinator = (struct coordinator){
        .keys = options->keys,
        .clock = options->clock,
        .held_max = options->held_max,
        .bytes_max = options->bytes_max,
        .quotas = options->quotas,
        .retention_ms =
            (options->query_retention_days > 0 ? options->query_retention_days : QUERY_RETENTION_DAYS) *
            day_ms};
    quota_defaults(&coordinator->quotas);
    /* The log first: its lock says that no other coordinator runs in this folder. */
    MAILLE_TRY(file_path_join(log_folder, sizeof log_folder, options->folder, "log", error));
    const struct audit_options log = {.folder = log_folder,
                                      .party = secret_keys_name(options->keys),
                                      .keys = options->keys,
                                      .retention_months = options->log_retention_months,
                                      .now_ms = options->clock.utc_ms,
                                      .clock = options->clock.context};
    MAILLE_TRY(audit_open_signed(&coordinator->log, &log, &opened, error));
    if (opened.aside[0] != '\0')
        log_line(LOG_LEVEL_WARNING,
                 "the message log that was begun without keys is kept in %s; a new one begins", opened.aside);
    if (opened.repaired)
        log_line(LOG_LEVEL_WARNING, "the last entry of the log was cut by a crash and was dropped");
    MAILLE_TRY(file_path_join(path, sizeof path, options->folder, "coordinator.db", error));
    MAILLE_TRY(store_open(&coordinator->store, path, false, error));
    MAILLE_TRY(network_open(&coordinator->network, options->directory, coordinator->store, options->keys,
                            note, error));
    if (note[0] != '\0')
        log_line(LOG_LEVEL_WARNING, "the directory that was pinned stays in force: %s", note);
    MAILLE_TRY(coordinator_load(coordinator, error));
    MAILLE_TRY(coordinator_note(coordinator, "start", error));
    if (network_directory(coordinator->network)->coordinator.lost > 0)
        MAILLE_TRY(audit_read(log_folder, each_entry, &coordinator->lost, error));
    MAILLE_TRY(coordinator_note_loss(coordinator, error));
out:
    return code;
}

void coordinator_clear(struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->n_queries; i++)
        coordinator_query_free(coordinator->queries[i]);
    for (size_t i = 0; i < coordinator->n_outbox; i++)
        parcel_drop(coordinator->outbox[i].parcel);
    free(coordinator->queries);
    free(coordinator->outbox);
    free(coordinator->seen);
    network_free(coordinator->network);
    store_close(coordinator->store);
    audit_close(coordinator->log);
    *coordinator = (struct coordinator){0};
}

enum maille_code coordinator_settle(struct coordinator *coordinator, size_t *n, coordinator_send *send,
                                    void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(coordinator_tell_agents(coordinator, error));
    /* The log before the store: a roster or a close that is kept names a head of the log that is on disk. */
    MAILLE_TRY(audit_sync(coordinator->log, error));
    MAILLE_TRY(store_commit(coordinator->store, error));
    *n = coordinator->n_outbox;
    MAILLE_TRY(outbox_flush(coordinator, send, context, error));
out:
    return code;
}
