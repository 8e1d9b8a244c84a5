/* The agent on a socket: carries its messages until the study has ended, or it was told to stop. */
#include <signal.h>

#include "base/clock.h"
#include "agent/private.h"
#include "wire/wire.h"

enum { DRAW_EVERY_MS = 100 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static enum maille_code send_all(struct wire_client *client, struct message_outbox *outbox,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < outbox->n && code == MAILLE_OK; i++) {
        const struct message_outgoing *out = &outbox->messages[i];
        code = wire_client_send(client, out->envelope.data, out->envelope.length,
                                out->has_frame ? out->frame.data : NULL, out->frame.length, error);
    }
    message_outbox_clear(outbox);
    return code;
}

/* Nothing moved: is the coordinator there at all? */
static enum maille_code nothing_moves(const struct agent *agent, struct wire_client *client,
                                      struct maille_error *error)
{
    bool refused = false;
    char trouble[MAILLE_SENTENCE_MAX];
    if (wire_client_connected(client, &refused))
        return MAILLE_TIMEOUT;
    if (!refused && wire_client_trouble(client, trouble, sizeof trouble))
        return maille_fail(error, MAILLE_UNREACHABLE, "%s", trouble);
    return maille_fail(error, refused ? MAILLE_SIGNATURE : MAILLE_UNREACHABLE,
                       refused ? "expected the coordinator at %s to admit the key of %s, found it "
                                 "refused; is the directory of the same version?"
                               : "expected the coordinator at %s to answer %s, found no answer; check "
                                 "the address and the firewall, then: maille resume",
                       agent->options.directory->coordinator.endpoint, secret_keys_name(agent->options.keys));
}

/* Everything that is there, then what is due. */
static enum maille_code turn(struct agent *agent, struct wire_client *client, struct wire_message *message,
                             struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool got = false;
    MAILLE_TRY(wire_client_receive(client, message, AGENT_TICK_MS, &got, error));
    while (got) {
        MAILLE_TRY(agent_handle(agent, message->envelope.data, message->envelope.length,
                                message->has_frame ? message->frame.data : NULL, message->frame.length,
                                outbox, error));
        MAILLE_TRY(send_all(client, outbox, error));
        MAILLE_TRY(wire_client_receive(client, message, 0, &got, error));
    }
    wire_client_connected(client, NULL); /* dials the other address of a host that has two */
    code = agent_tick(agent, outbox, error);
    if (code == MAILLE_TIMEOUT)
        code = nothing_moves(agent, client, error);
    if (code == MAILLE_OK)
        code = send_all(client, outbox, error);
out:
    return code;
}

enum maille_code agent_run(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory_coordinator *coordinator = &agent->options.directory->coordinator;
    struct wire_client *client = NULL;
    struct wire_message message = {0};
    struct message_outbox outbox = {0};
    struct sigaction catch = {.sa_handler = on_interrupt}, before_int, before_term;
    int64_t drawn_ms = 0;
    sigaction(SIGINT, &catch, &before_int);
    sigaction(SIGTERM, &catch, &before_term);
    MAILLE_TRY(wire_client_open(&client, coordinator->endpoint, coordinator->keys.transport,
                                agent->options.keys, error));
    MAILLE_TRY(agent_start(agent, &outbox, error));
    MAILLE_TRY(send_all(client, &outbox, error));
    while (!agent_over(agent)) {
        MAILLE_TRY(turn(agent, client, &message, &outbox, error));
        if (interrupted && !agent->finished) {
            code = maille_fail(error, MAILLE_INTERRUPTED,
                               "interrupted; the query is kept, go on with: maille resume %.8s", agent->id);
            goto out;
        }
        if (clock_monotonic_ms() - drawn_ms > DRAW_EVERY_MS) {
            agent_progress(agent);
            drawn_ms = clock_monotonic_ms();
        }
    }
out:
    agent_progress_end(agent);
    message_outbox_clear(&outbox);
    wire_message_clear(&message);
    wire_client_free(client);
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    return code;
}
