#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "wire/wire.h"
#include "worker/channel.h"
#include "worker/process.h"

/* What waits for the vault before the socket is left alone for a while; and how long a silence is worth a
 * word. */
enum { QUEUE_BYTES_MAX = 16 * 1024 * 1024, SILENCE_MS = 10000 };

struct net {
    const struct net_options *options;
    struct wire_client *client;
    int end;
    struct channel_queue queue; /* to the vault: this process never waits for it */
    struct wire_message message;
    struct record record;
    int64_t heard_ms, hello_ms;
    uint64_t log_seen; /* as the last welcome said */
    int64_t clock_ms;  /* how far this clock was ahead of the coordinator's when that was last told */
    bool clock_told;
    char build[64];      /* the program's version, and a number of this run: MESSAGE_RUN_MARK */
    uint32_t other_wire; /* of the coordinator, where it is not this program's and was said; else 0 */
    bool connected, silent, refused;
    bool passed; /* something went to the vault or came from it since the last hello */
    bool holds;  /* something had in the time before that: freed memory is not given back yet */
};

static void count_sent(struct net *net, size_t bytes)
{
    figure_add(&net->options->figures->messages_sent, 1);
    figure_add(&net->options->figures->bytes_sent, (int64_t)bytes);
}

static enum maille_code say_hello(struct net *net, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0}, envelope = {0};
    const struct message_hello hello = {.name = net->options->name,
                                        .build = net->build,
                                        .directory_version = net->options->directory_version,
                                        .wire = PROTOCOL_VERSION};
    MAILLE_TRY(message_hello_encode(&body, &hello, error));
    MAILLE_TRY(envelope_encode(&envelope, MESSAGE_HELLO, NULL, net->options->name, &body, error));
    code = wire_client_send(net->client, envelope.data, envelope.length, NULL, 0, error);
    if (code == MAILLE_OK)
        count_sent(net, envelope.length);
    if (code == MAILLE_UNREACHABLE) /* a queue full of hellos says no more than one */
        code = MAILLE_OK;
out:
    bytes_clear(&body);
    bytes_clear(&envelope);
    return code;
}

/* The coordinator is there, is away, or does not want us: each said once. */
static void tell_state(struct net *net, int64_t now_ms)
{
    bool refused = false;
    bool connected = wire_client_connected(net->client, &refused);
    if (refused && !net->refused)
        log_line(LOG_LEVEL_ERROR,
                 "the coordinator at %s refused this site's key; is the site in its directory?",
                 net->options->endpoint);
    net->refused = refused;
    figure_set(&net->options->figures->key_refused, refused);
    if (now_ms - net->heard_ms >= SILENCE_MS && !net->silent) {
        log_line(LOG_LEVEL_WARNING, "no answer from the coordinator at %s; %s", net->options->endpoint,
                 connected ? "waiting" : "trying again until it is there");
        net->silent = true;
    }
    char sentence[MAILLE_SENTENCE_MAX];
    if ((net->silent || net->options->way != NULL) &&
        wire_client_trouble(net->client, sentence, sizeof sentence))
        log_line(LOG_LEVEL_ERROR, "%s", sentence);
}

static enum maille_code heard(struct net *net, struct maille_error *error)
{
    struct net_figures *figures = net->options->figures;
    net->heard_ms = clock_monotonic_ms();
    figure_set(&figures->heard_ms, clock_utc_ms());
    figure_add(&figures->messages_received, 1);
    figure_add(&figures->bytes_received, (int64_t)(net->message.envelope.length + net->message.frame.length));
    if (net->silent || !net->connected) {
        log_line(LOG_LEVEL_INFO, "connected to the coordinator at %s", net->options->endpoint);
        figure_add(&figures->connections, 1);
    }
    net->silent = false;
    if (net->connected)
        return MAILLE_OK;
    net->connected = true;
    return channel_queue_put(&net->queue, NET_CONNECTED, NULL, 0, error);
}

/* At the first welcome, and when it changes by as much as is worth a word. */
static void tell_clock(struct net *net, int64_t coordinator_ms)
{
    char words[32];
    const int64_t own_ms = clock_utc_ms(), ahead_ms = own_ms - coordinator_ms;
    figure_set(&net->options->figures->clock_ahead_ms, ahead_ms);
    if (net->clock_told && llabs(ahead_ms - net->clock_ms) < CLOCK_TELL_MS)
        return;
    net->clock_told = true;
    net->clock_ms = ahead_ms;
    clock_compare(words, own_ms, coordinator_ms);
    log_line(llabs(ahead_ms) < CLOCK_TELL_MS ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
             "this machine's clock is %s the coordinator's%s", words,
             llabs(ahead_ms) < CLOCK_TELL_MS ? ""
             : llabs(ahead_ms) < CLOCK_SKEW_MS
                 ? "; set it (NTP): from 5 minutes on studies are refused under the rule "
                   "clock"
                 : "; set it (NTP): studies are refused under the rule clock");
}

/* What a welcome says of this site's log: before anything that the vault will answer with a head of it. */
static enum maille_code tell_seen(struct net *net, struct arena *arena, const struct envelope *envelope,
                                  struct maille_error *error)
{
    struct message_welcome welcome;
    struct maille_error ignored;
    uint8_t size[8];
    if (message_welcome_decode(&welcome, arena, envelope->body, envelope->body_length, &ignored) != MAILLE_OK)
        return MAILLE_OK;
    if (welcome.wire != PROTOCOL_VERSION && welcome.wire != net->other_wire)
        log_line(LOG_LEVEL_ERROR,
                 "the coordinator speaks version %u of the wire, this worker version %d: no study is "
                 "answered until "
                 "%s has %s",
                 welcome.wire, PROTOCOL_VERSION,
                 welcome.wire < PROTOCOL_VERSION ? "the coordinator" : "this site",
                 message_wire_install(welcome.wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : welcome.wire));
    net->other_wire = welcome.wire == PROTOCOL_VERSION ? 0 : welcome.wire;
    tell_clock(net, welcome.utc_ms);
    if (welcome.log_seen == net->log_seen)
        return MAILLE_OK;
    net->log_seen = welcome.log_seen;
    le64_store(size, welcome.log_seen);
    return channel_queue_put(&net->queue, NET_SEEN, size, sizeof size, error);
}

/* One message of the coordinator's: welcomes end here, the vault judges all others. */
static enum maille_code pass_in(struct net *net, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct envelope envelope;
    struct bytes body = {0};
    struct maille_error why = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a message");
    if (envelope_decode(&envelope, arena, net->message.envelope.data, net->message.envelope.length, &why) !=
        MAILLE_OK) {
        log_line(LOG_LEVEL_WARNING, "dropped a message: %s", why.sentence);
        goto out;
    }
    MAILLE_TRY(heard(net, error));
    if (envelope.kind == MESSAGE_WELCOME) {
        MAILLE_TRY(tell_seen(net, arena, &envelope, error));
        goto out;
    }
    bytes_put_block(&body, net->message.envelope.data, net->message.envelope.length);
    bytes_put_u8(&body, net->message.has_frame);
    bytes_put_block(&body, net->message.frame.data, net->message.has_frame ? net->message.frame.length : 0);
    MAILLE_TRY(bytes_check(&body, error));
    MAILLE_TRY(channel_queue_put(&net->queue, NET_MESSAGE, body.data, body.length, error));
    net->passed = true;
out:
    bytes_clear(&body);
    arena_free(arena);
    return code;
}

/* All that the socket has; its descriptor tells of a change only once, so it is emptied each time. */
static enum maille_code take_socket(struct net *net, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool got = true;
    while (got && channel_queue_left(&net->queue) < QUEUE_BYTES_MAX) {
        MAILLE_TRY(wire_client_receive(net->client, &net->message, 0, &got, error));
        if (got)
            MAILLE_TRY(pass_in(net, error));
    }
    MAILLE_TRY(channel_queue_flush(&net->queue, net->end, error));
out:
    return code;
}

/* One message of the vault's. What the socket has no room for is lost: the coordinator asks again. */
static enum maille_code take_vault(struct net *net, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t length = 0, frame_length = 0;
    MAILLE_TRY(channel_receive(net->end, &net->record, NET_RECORD_MAX, error));
    net->passed = true;
    struct reader reader = reader_of(net->record.body.data, net->record.body.length);
    const uint8_t *envelope = reader_block(&reader, NET_RECORD_MAX, &length);
    bool has_frame = reader_u8(&reader) != 0;
    const uint8_t *frame = reader_block(&reader, NET_RECORD_MAX, &frame_length);
    if (net->record.kind != NET_MESSAGE || envelope == NULL || !reader_done(&reader)) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a message of the vault, found other bytes");
        goto out;
    }
    code = wire_client_send(net->client, envelope, length, has_frame ? frame : NULL,
                            has_frame ? frame_length : 0, error);
    if (code == MAILLE_UNREACHABLE) {
        log_line(LOG_LEVEL_WARNING, "a message was not sent: %s", error->sentence);
        code = MAILLE_OK;
    } else if (code == MAILLE_OK) {
        count_sent(net, length + frame_length);
    }
out:
    bytes_clear(&net->record.body);
    return code;
}

/* Messages grow with what was answered before: after each spell of them freed memory is given back. */
static void give_back(struct net *net)
{
    if (net->holds && !net->passed)
        heap_give_back();
    net->holds = net->passed;
    net->passed = false;
}

static enum maille_code net_loop(struct net *net, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (;;) {
        int64_t now_ms = clock_monotonic_ms();
        if (now_ms >= net->hello_ms) {
            MAILLE_TRY(say_hello(net, error));
            net->hello_ms = now_ms + net->options->hello_every_ms;
            tell_state(net, now_ms);
            give_back(net);
        }
        MAILLE_TRY(take_socket(net, error));
        bool full = channel_queue_left(&net->queue) >= QUEUE_BYTES_MAX;
        struct pollfd ready[2] = {
            {.fd = net->end, .events = (short)(POLLIN | (channel_queue_left(&net->queue) > 0 ? POLLOUT : 0))},
            {.fd = full ? -1 : wire_client_fd(net->client), .events = POLLIN}};
        int64_t wait_ms = net->hello_ms - clock_monotonic_ms();
        if (poll(ready, 2, wait_ms > 0 ? (int)wait_ms : 0) < 0 && errno != EINTR) {
            code = maille_fail_errno(error, "cannot wait for messages");
            goto out;
        }
        if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            MAILLE_TRY(take_vault(net, error));
    }
out:
    return code;
}

enum maille_code net_serve(struct net_options *options, int end, struct maille_error *error)
{
    struct net net = {.options = options, .end = end, .heard_ms = clock_monotonic_ms()};
    uint32_t run;
    crypto_random_bytes(&run, sizeof run);
    snprintf(net.build, sizeof net.build, "%s%s%08x", MAILLE_VERSION, MESSAGE_RUN_MARK, run);
    enum maille_code code = wire_client_open_raw(&net.client, options->endpoint, options->server,
                                                 options->own, options->secret, options->way, error);
    crypto_wipe(options->secret, sizeof options->secret);
    if (code == MAILLE_OK)
        code = net_loop(&net, error);
    wire_client_free(net.client);
    wire_message_clear(&net.message);
    channel_queue_clear(&net.queue);
    bytes_clear(&net.record.body);
    return code;
}
