#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "worker/channel.h"
#include "worker/process.h"

enum { LOG_EVERY_MS = 5000 };

/* What a failed handling means for the process: a peer's bad byte never ends it, a fault of this worker's own
 * does. */
static bool ends_the_process(enum maille_code code, const struct vault_others *others)
{
    return others->data->broken || others->step->broken || code == MAILLE_INTERNAL || code == MAILLE_MEMORY;
}

static enum maille_code judge(enum maille_code code, const struct vault_others *others, const char *what,
                              struct maille_error *error)
{
    if (code == MAILLE_OK || ends_the_process(code, others))
        return code;
    log_line(code == MAILLE_IO ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s: %s", what, error->sentence);
    return MAILLE_OK;
}

static enum maille_code send_all(int end, struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < outbox->n && code == MAILLE_OK; i++) {
        const struct message_outgoing *message = &outbox->messages[i];
        struct bytes body = {0};
        bytes_put_block(&body, message->envelope.data, message->envelope.length);
        bytes_put_u8(&body, message->has_frame);
        bytes_put_block(&body, message->frame.data, message->frame.length);
        code = bytes_check(&body, error);
        if (code == MAILLE_OK)
            code = channel_send(end, NET_MESSAGE, body.data, body.length, error);
        bytes_clear(&body);
    }
    message_outbox_clear(outbox);
    return code;
}

static enum maille_code take_message(struct vault *vault, const struct vault_others *others,
                                     const struct record *record, struct message_outbox *outbox,
                                     struct maille_error *error)
{
    size_t length = 0, frame_length = 0;
    struct reader reader = reader_of(record->body.data, record->body.length);
    const uint8_t *envelope = reader_block(&reader, NET_RECORD_MAX, &length);
    bool has_frame = reader_u8(&reader) != 0;
    const uint8_t *frame = reader_block(&reader, NET_RECORD_MAX, &frame_length);
    if (envelope == NULL || !reader_done(&reader))
        return maille_fail(error, MAILLE_INTERNAL, "expected a message of net, found other bytes");
    enum maille_code code = vault_handle(vault, envelope, length, has_frame ? frame : NULL,
                                         has_frame ? frame_length : 0, outbox, error);
    return judge(code, others, code == MAILLE_IO ? "a message waits" : "a message was dropped", error);
}

static enum maille_code take_record(struct vault *vault, const struct vault_others *others, int end,
                                    struct record *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_outbox outbox = {0};
    MAILLE_TRY(channel_receive(end, record, NET_RECORD_MAX, error));
    switch (record->kind) {
    case NET_MESSAGE:
        MAILLE_TRY(take_message(vault, others, record, &outbox, error));
        break;
    case NET_SEEN:
        if (record->body.length != 8) {
            code = maille_fail(error, MAILLE_INTERNAL, "expected a record of net, found other bytes");
            goto out;
        }
        vault_seen(vault, le64_load(record->body.data));
        break;
    case NET_CONNECTED:
        MAILLE_TRY(judge(vault_catalogue(vault, &outbox, error), others, "no catalogue was sent", error));
        break;
    default:
        code = maille_fail(error, MAILLE_INTERNAL, "expected a record of net, found kind %u", record->kind);
        goto out;
    }
    MAILLE_TRY(send_all(end, &outbox, error));
out:
    message_outbox_clear(&outbox);
    bytes_clear(&record->body);
    return code;
}

static volatile sig_atomic_t asked_to_stop;

static void on_term(int signal)
{
    (void)signal;
    asked_to_stop = 1;
}

enum maille_code vault_hold_signals(struct maille_error *error)
{
    const struct sigaction action = {.sa_handler = on_term};
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    if (sigprocmask(SIG_SETMASK, &held, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return maille_fail_errno(error, "cannot hold signals");
    return MAILLE_OK;
}

/* Waits for net, and only there does SIGTERM come through: never in the middle of a record. What is due can
 * wait a second, so that a full disk does not keep the process busy; the log is looked after every few. */
static enum maille_code wait_record(const struct vault *vault, int end, bool *there,
                                    struct maille_error *error)
{
    struct pollfd ready = {.fd = end, .events = POLLIN};
    int64_t next_ms = vault_next_ms(vault);
    int64_t wait_ms = next_ms < 1000 ? 1000 : next_ms > LOG_EVERY_MS ? LOG_EVERY_MS : next_ms;
    const struct timespec timeout = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
    sigset_t open;
    sigemptyset(&open);
    int n = ppoll(&ready, 1, &timeout, &open);
    if (n < 0 && errno != EINTR)
        return maille_fail_errno(error, "cannot wait for messages");
    *there = n > 0;
    return MAILLE_OK;
}

static void tell_policy(const struct vault *vault)
{
    struct arena *arena = arena_new();
    log_line(LOG_LEVEL_INFO, "policy %s, %zu open queries",
             arena != NULL ? policy_title(arena, vault_policy(vault)) : vault_policy(vault)->preset,
             vault_queries(vault));
    arena_free(arena);
}

enum maille_code vault_serve(struct vault *vault, const struct vault_others *others, int end,
                             struct vault_figures *figures, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct record record = {0};
    struct message_outbox outbox = {0};
    bool there;
    tell_policy(vault);
    while (!vault_directory_changed(vault)) {
        figure_set(&figures->open, (int64_t)vault_queries(vault));
        MAILLE_TRY(wait_record(vault, end, &there, error));
        if (asked_to_stop != 0)
            break;
        MAILLE_TRY(judge(vault_tick(vault, &outbox, error), others, "a query could not be ended", error));
        MAILLE_TRY(send_all(end, &outbox, error));
        if (there)
            MAILLE_TRY(take_record(vault, others, end, &record, error));
    }
    code = judge(vault_stop(vault, error), others, "the end is not in the log", error);
out:
    message_outbox_clear(&outbox);
    bytes_clear(&record.body);
    return code;
}
