/* The agent's life: a loop over messages until the study has ended. What each message does is in ask.c,
 * round.c and sum.c; which is permitted when is in the table here; how an agent begins is in
 * open.c. */
#include "agent/private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/report.h"

enum {
    HELLO_EVERY_MS = 2000,
    RESUME_EVERY_MS = 2000,
    SEND_AGAIN_MS = 1000,
    END_WAIT_MS = 2000,
    POLL_MS = 50
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

void agent_say(const struct agent *agent, const char *format, ...)
{
    if (agent->options.words == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    if (agent->options.progress != NULL)
        fputs("\r\033[K", agent->options.progress);
    fputs("maille: ", agent->options.words);
    vfprintf(agent->options.words, format, arguments);
    fputc('\n', agent->options.words);
    va_end(arguments);
}

struct agent_site *agent_site(struct agent *agent, uint32_t id)
{
    for (size_t s = 0; s < agent->n_sites; s++)
        if (agent->sites[s].site->id == id)
            return &agent->sites[s];
    return NULL;
}

const char *agent_site_name(const struct agent *agent, uint32_t id)
{
    const struct directory_site *site = directory_site(agent->options.directory, id);
    return site != NULL ? site->name : "an unknown site";
}

enum maille_code agent_check_site(struct agent_site **site, struct agent *agent,
                                  const struct envelope *envelope, uint32_t id, struct maille_error *error)
{
    struct agent_site *found = agent_site(agent, id);
    if (found == NULL || strcmp(found->site->name, envelope->from) != 0)
        return maille_fail(error, MAILLE_PROTOCOL,
                           "expected a message of a site of this query, found %s as number %u",
                           envelope->from, id);
    if (!envelope_verified(envelope, found->site->keys.identity))
        return maille_fail(error, MAILLE_PROTOCOL, "expected the signature of %s, found another",
                           found->site->name);
    *site = found;
    return MAILLE_OK;
}

enum maille_code agent_check_coordinator(const struct agent *agent, const struct envelope *envelope,
                                         struct maille_error *error)
{
    if (!envelope_verified(envelope, agent->options.directory->coordinator.keys.identity))
        return maille_fail(error, MAILLE_PROTOCOL, "expected the coordinator's signature, found another");
    return MAILLE_OK;
}

enum maille_code agent_send(struct agent *agent, enum message_kind kind, const struct bytes *body,
                            const struct bytes *frame, bool keep, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes envelope = {0};
    MAILLE_TRY(envelope_encode(&envelope, kind, agent->options.keys, secret_keys_name(agent->options.keys),
                               body, error));
    if (keep) {
        MAILLE_TRY(bytes_copy(&agent->last, envelope.data, envelope.length));
        agent->has_frame = frame != NULL;
        if (frame != NULL)
            MAILLE_TRY(bytes_copy(&agent->last_frame, frame->data, frame->length));
        agent->sent_ms = clock_monotonic_ms();
    }
    if (agent->client != NULL)
        MAILLE_TRY(wire_client_send(agent->client, envelope.data, envelope.length,
                                    frame != NULL ? frame->data : NULL, frame != NULL ? frame->length : 0,
                                    error));
out:
    bytes_clear(&envelope);
    return code;
}

static enum maille_code send_again(struct agent *agent, struct maille_error *error)
{
    agent->sent_ms = clock_monotonic_ms();
    return wire_client_send(agent->client, agent->last.data, agent->last.length,
                            agent->has_frame ? agent->last_frame.data : NULL,
                            agent->has_frame ? agent->last_frame.length : 0, error);
}

void agent_mark_refused(struct agent *agent, size_t analysis, const char *rule)
{
    if (strcmp(rule, "domain") == 0)
        study_run_fail(&agent->run, analysis, agent_rule_sentence(rule));
    else
        study_run_refuse(&agent->run, analysis, rule, agent_rule_sentence(rule));
}

enum maille_code agent_refuse(struct agent *agent, size_t analysis, const char *rule,
                              const struct agent_site *by, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes record = {0};
    if (analysis >= agent->study->n_analyses || agent->run.states[analysis].status != ANALYSIS_OPEN)
        return MAILLE_OK;
    bytes_put_u64(&record, analysis);
    bytes_put_string(&record, rule);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_REFUSED, &record, error));
    agent_mark_refused(agent, analysis, rule);
    agent_say(agent, "%s: refused (%s)%s%s", agent->study->analyses[analysis].id, rule,
              by != NULL ? " by " : "", by != NULL ? by->site->name : "");
out:
    bytes_clear(&record);
    return code;
}

/* --- the loop --- */

static enum maille_code say_hello(struct agent *agent, struct maille_error *error)
{
    const struct message_hello hello = {.name = secret_keys_name(agent->options.keys),
                                        .build = MAILLE_VERSION,
                                        .directory_version = agent->options.directory->version};
    struct bytes body = {0};
    enum maille_code code = message_hello_encode(&body, &hello, error);
    if (code == MAILLE_OK)
        code = agent_send(agent, MESSAGE_HELLO, &body, NULL, false, error);
    bytes_clear(&body);
    return code;
}

static enum maille_code ask_resume(struct agent *agent, struct maille_error *error)
{
    struct message_resume resume;
    struct bytes body = {0};
    memcpy(resume.qid, agent->qid, QID_BYTES);
    enum maille_code code = message_resume_encode(&body, &resume, error);
    if (code == MAILLE_OK)
        code = agent_send(agent, MESSAGE_RESUME, &body, NULL, false, error);
    bytes_clear(&body);
    return code;
}

/* Does a status show that C lacks what was sent last? */
static bool coordinator_lacks_last(const struct agent *agent)
{
    const struct message_status *status = &agent->status;
    switch (agent->stage) {
    case STAGE_ASKED:
        return status->phase == PHASE_UNKNOWN;
    case STAGE_CALLED:
        return status->phase < PHASE_CALLED;
    case STAGE_ROUND:
        return status->round < agent->at.round ||
               (status->round == agent->at.round && status->attempt < agent->at.attempt);
    case STAGE_ENDED:
        return status->phase != PHASE_ENDED && status->phase != PHASE_CANCELLED &&
               status->phase != PHASE_EXPIRED;
    }
    return false;
}

/* Does a status show that something is at C which never came here? A connection that broke loses what was on
 * its way. */
static bool agent_lacks_something(const struct agent *agent)
{
    const struct message_status *status = &agent->status;
    const struct agent_round *at = &agent->at;
    size_t unready = 0;
    switch (agent->stage) {
    case STAGE_ASKED:
        for (size_t s = 0; s < agent->n_sites; s++)
            unready += !agent->sites[s].has_ready || agent->sites[s].ready == READY_HELD;
        return status->phase == PHASE_ASKED && unready > agent->n_waiting;
    case STAGE_CALLED:
        return status->phase >= PHASE_ROSTER && status->phase < PHASE_ENDED;
    case STAGE_ROUND:
        if (status->round != at->round || status->attempt != at->attempt || !at->under_way)
            return false;
        if (status->phase == PHASE_ROUND) /* nobody is waited for, and yet there is no close: a refusal */
            return agent->n_waiting == 0;
        if (at->shape.which != 0) { /* what a site has said that it has, C passes on */
            size_t n_taken = 0;
            for (size_t m = 0; m < at->n_members; m++)
                n_taken += at->taken[m];
            return !at->closed ||
                   (status->phase == PHASE_REVEALED && n_taken + agent->n_waiting < at->n_members);
        }
        for (size_t m = 0; status->phase == PHASE_REVEALED && at->closed && m < at->n_members; m++)
            if (!at->revealed[m])
                return true;
        return (status->phase == PHASE_CLOSED || status->phase == PHASE_REVEALED) &&
               !(at->closed && at->has_sum);
    case STAGE_ENDED:
        break;
    }
    return false;
}

static enum maille_code on_status(struct agent *agent, const struct envelope *envelope,
                                  const struct wire_message *message, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_status status;
    struct arena *arena = arena_new();
    (void)message;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(message_status_decode(&status, arena, envelope->body, envelope->body_length, error));
    if (memcmp(status.qid, agent->qid, QID_BYTES) != 0)
        goto out;
    uint32_t *waiting = calloc(status.n_waiting + 1, sizeof *waiting);
    if (waiting == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    for (size_t i = 0; i < status.n_waiting; i++)
        waiting[i] = status.waiting[i];
    free(agent->waiting);
    agent->waiting = waiting;
    agent->n_waiting = status.n_waiting;
    if (status.phase != agent->status.phase || status.round != agent->status.round ||
        status.attempt != agent->status.attempt || status.bytes != agent->status.bytes)
        agent->moved_ms = clock_monotonic_ms();
    agent->status = status;
    agent->status.waiting = agent->status.connected = NULL;
    if (status.phase == PHASE_EXPIRED && agent->stage != STAGE_ENDED) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected the query %.8s to be open, found it expired; ask again", agent->id);
        goto out;
    }
    /* A cancel that says why came just before, and closed every analysis. */
    if (status.phase == PHASE_CANCELLED && agent->stage != STAGE_ENDED && study_run_open(&agent->run)) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected the query %.8s to be open, found it cancelled; ask again", agent->id);
        goto out;
    }
    if (coordinator_lacks_last(agent) && clock_monotonic_ms() - agent->sent_ms > SEND_AGAIN_MS)
        MAILLE_TRY(send_again(agent, error));
    if (agent_lacks_something(agent) && clock_monotonic_ms() - agent->resumed_ms > SEND_AGAIN_MS) {
        agent->resumed_ms = clock_monotonic_ms();
        MAILLE_TRY(ask_resume(agent, error));
    }
    /* In round 1 a site that is silent for too long is left out of a new attempt. */
    if (agent->stage == STAGE_ROUND && agent->at.round == 1 && !agent->at.closed &&
        status.phase == PHASE_ROUND && status.round == 1 && status.attempt == agent->at.attempt &&
        status.n_waiting > 0 &&
        clock_monotonic_ms() - agent->at.started_ms > agent->options.directory->timeouts.masked_ms)
        MAILLE_TRY(agent_new_attempt(agent, agent->waiting, agent->n_waiting, error));
out:
    arena_free(arena);
    return code;
}

static enum maille_code on_problem(struct agent *agent, const struct envelope *envelope,
                                   const struct wire_message *message, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_problem problem;
    struct arena *arena = arena_new();
    (void)message;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(message_problem_decode(&problem, arena, envelope->body, envelope->body_length, error));
    if (memcmp(problem.qid, agent->qid, QID_BYTES) != 0)
        goto out;
    if (agent->stage == STAGE_ASKED && agent->status.phase == PHASE_UNKNOWN &&
        problem.code == MAILLE_REFUSED) {
        code = maille_refuse(error, problem.rule,
                             "expected the coordinator to take the question on, found a refusal (%s)%s",
                             problem.rule,
                             strcmp(problem.rule, "directory") == 0
                                 ? ": it has another version of network.yaml; get the current one"
                                 : "");
        goto out;
    }
    agent_say(agent, "the coordinator says: %s%s%s", maille_code_name(problem.code),
              problem.rule[0] != '\0' ? ", " : "", problem.rule);
out:
    arena_free(arena);
    return code;
}

static enum maille_code on_nothing(struct agent *agent, const struct envelope *envelope,
                                   const struct wire_message *message, struct maille_error *error)
{
    (void)agent;
    (void)envelope;
    (void)message;
    (void)error;
    return MAILLE_OK;
}

#define STAGE_ANY (STAGE_ASKED | STAGE_CALLED | STAGE_ROUND | STAGE_ENDED)

/* Which message is permitted when, and what it does. Others are dropped and said. */
static const struct {
    enum message_kind kind;
    unsigned stages;
    enum maille_code (*handle)(struct agent *, const struct envelope *, const struct wire_message *,
                               struct maille_error *);
} dispatch[] = {
    {MESSAGE_WELCOME, STAGE_ANY, on_nothing},
    {MESSAGE_STATUS, STAGE_ANY, on_status},
    {MESSAGE_PROBLEM, STAGE_ANY, on_problem},
    {MESSAGE_READY, STAGE_ASKED, agent_on_ready},
    {MESSAGE_ROSTER, STAGE_CALLED, agent_on_roster},
    {MESSAGE_REFUSE, STAGE_ROUND, agent_on_refuse},
    {MESSAGE_CLOSE, STAGE_ROUND, agent_on_close},
    {MESSAGE_REVEAL, STAGE_ROUND, agent_on_reveal},
    {MESSAGE_SUM, STAGE_ROUND, agent_on_sum},
    {MESSAGE_SEGMENT, STAGE_ROUND, agent_on_segment},
    {MESSAGE_TAKEN, STAGE_ROUND, agent_on_taken},
    {MESSAGE_PLAN, STAGE_ROUND, agent_on_plan},
    {MESSAGE_CANCEL, STAGE_ASKED | STAGE_CALLED | STAGE_ROUND, agent_on_cancel},
};

/* A message that is not what it should be is dropped; the query goes on. Everything else ends it. */
static enum maille_code agent_handle(struct agent *agent, const struct wire_message *message,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct envelope envelope;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(envelope_decode(&envelope, arena, message->envelope.data, message->envelope.length, error));
    for (size_t row = 0; row < sizeof dispatch / sizeof *dispatch; row++)
        if (dispatch[row].kind == envelope.kind) {
            if ((dispatch[row].stages & agent->stage) != 0)
                code = dispatch[row].handle(agent, &envelope, message, error);
            goto out; /* one that comes again after its stage says nothing new */
        }
out:
    if (code == MAILLE_PROTOCOL) {
        agent_say(agent, "dropped a message: %s", error->sentence);
        code = MAILLE_OK;
    }
    arena_free(arena);
    return code;
}

/* "site-3, site-4": whom the query waits for. */
static const char *waiting_names(const struct agent *agent, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    if (agent->stage == STAGE_ASKED) {
        for (size_t s = 0; s < agent->n_sites && used < size; s++)
            if (!agent->sites[s].has_ready || agent->sites[s].ready == READY_HELD)
                used += (size_t)snprintf(out + used, size - used, "%s%s%s", used > 0 ? ", " : "",
                                         agent->sites[s].site->name,
                                         agent->sites[s].has_ready ? " (its officer)" : "");
    } else {
        for (size_t w = 0; w < agent->n_waiting && used < size; w++)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     agent_site_name(agent, agent->waiting[w]));
    }
    return used > 0 ? out : "the coordinator";
}

static void draw_progress(const struct agent *agent)
{
    char names[256];
    size_t ready = 0;
    if (agent->options.progress == NULL)
        return;
    for (size_t s = 0; s < agent->n_sites; s++)
        ready += agent->sites[s].has_ready && agent->sites[s].ready == READY_READY;
    if (agent->stage == STAGE_ASKED || agent->stage == STAGE_CALLED)
        fprintf(agent->options.progress, "\r\033[K%zu of %zu sites ready, waiting for %.100s", ready,
                agent->n_sites, waiting_names(agent, names, sizeof names));
    else if (agent->stage == STAGE_ROUND && agent->at.shape.which != 0)
        fprintf(agent->options.progress,
                "\r\033[K%zu sites count heads, for themselves alone, to judge what may be told (%d of "
                "2)%s%.100s",
                agent->n_roster, (int)agent->at.shape.which, agent->n_waiting > 0 ? ", waiting for " : "",
                agent->n_waiting > 0 ? waiting_names(agent, names, sizeof names) : "");
    else if (agent->stage == STAGE_ROUND)
        fprintf(agent->options.progress, "\r\033[K%zu sites, round %u, %.1f MB of masked sums%s%.100s",
                agent->n_roster, agent->at.round, (double)agent->status.bytes / 1e6,
                agent->n_waiting > 0 ? ", waiting for " : "",
                agent->n_waiting > 0 ? waiting_names(agent, names, sizeof names) : "");
    fflush(agent->options.progress);
}

static enum maille_code agent_end(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_end end;
    struct bytes body = {0}, nothing = {0};
    memcpy(end.qid, agent->qid, QID_BYTES);
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_ENDED, &nothing, error));
    agent->stage = STAGE_ENDED;
    agent->finished = true;
    MAILLE_TRY(message_end_encode(&body, &end, error));
    MAILLE_TRY(agent_send(agent, MESSAGE_END, &body, NULL, true, error));
out:
    bytes_clear(&body);
    return code;
}

static enum maille_code nothing_moves(const struct agent *agent, struct maille_error *error)
{
    char names[512];
    bool refused = false;
    if (!wire_client_connected(agent->client, &refused))
        return maille_fail(error, refused ? MAILLE_SIGNATURE : MAILLE_UNREACHABLE,
                           refused ? "expected the coordinator at %s to admit the key of %s, found it "
                                     "refused; is the directory of the same version?"
                                   : "expected the coordinator at %s to answer %s, found no answer; check "
                                     "the address and the firewall, then: maille resume",
                           agent->options.directory->coordinator.endpoint,
                           secret_keys_name(agent->options.keys));
    return maille_fail(
        error, MAILLE_TIMEOUT,
        "expected an answer within %lld s, still waiting for %s; go on with: maille resume %.8s",
        (long long)(agent->options.timeout_ms / 1000), waiting_names(agent, names, sizeof names), agent->id);
}

/* What is due without a message: hello, resume, call, the next round, pulls that got lost, the end of
 * patience. */
static enum maille_code agent_tick(struct agent *agent, int64_t *hello_ms, int64_t *resume_ms,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int64_t now = clock_monotonic_ms();
    if (now - *hello_ms >= HELLO_EVERY_MS) {
        MAILLE_TRY(say_hello(agent, error));
        *hello_ms = now;
    }
    if (now - agent->heard_ms >= RESUME_EVERY_MS && now - *resume_ms >= RESUME_EVERY_MS) {
        MAILLE_TRY(ask_resume(agent, error));
        *resume_ms = now;
    }
    if (agent->stage == STAGE_ASKED)
        MAILLE_TRY(agent_call_when_ready(agent, error));
    if (agent->stage == STAGE_ROUND)
        MAILLE_TRY(agent_round_when_complete(agent, error));
    if (agent->stage == STAGE_ROUND && agent->at.has_sum && now - agent->sum_moved_ms > SEND_AGAIN_MS)
        MAILLE_TRY(agent_pull(agent, true, error));
    if (now - agent->moved_ms > agent->options.timeout_ms)
        code = nothing_moves(agent, error);
    if (interrupted)
        code = maille_fail(error, MAILLE_INTERRUPTED,
                           "interrupted; the query is kept, go on with: maille resume %.8s", agent->id);
out:
    return code;
}

enum maille_code agent_run(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct wire_message message = {0};
    struct sigaction catch = {.sa_handler = on_interrupt}, before_int, before_term;
    int64_t hello_ms = 0, resume_ms = clock_monotonic_ms(), drawn_ms = 0;
    sigaction(SIGINT, &catch, &before_int);
    sigaction(SIGTERM, &catch, &before_term);
    if (agent->finished)
        goto out;
    MAILLE_TRY(wire_client_open(&agent->client, agent->options.directory->coordinator.endpoint,
                                agent->options.directory->coordinator.keys.transport, agent->options.keys,
                                error));
    agent->asked_ms = agent->heard_ms = agent->moved_ms = clock_monotonic_ms();
    MAILLE_TRY(say_hello(agent, error));
    hello_ms = clock_monotonic_ms();
    MAILLE_TRY(send_again(agent, error));
    if (agent->stage == STAGE_ROUND)
        MAILLE_TRY(ask_resume(agent, error));
    while (study_run_open(&agent->run)) {
        bool got = false;
        MAILLE_TRY(wire_client_receive(agent->client, &message, POLL_MS, &got, error));
        while (got) { /* everything that is there, then what is due */
            agent->heard_ms = clock_monotonic_ms();
            MAILLE_TRY(agent_handle(agent, &message, error));
            MAILLE_TRY(wire_client_receive(agent->client, &message, 0, &got, error));
        }
        MAILLE_TRY(agent_tick(agent, &hello_ms, &resume_ms, error));
        if (clock_monotonic_ms() - drawn_ms > 100) {
            draw_progress(agent);
            drawn_ms = clock_monotonic_ms();
        }
        if (agent->options.detach && agent->status.phase >= PHASE_ASKED && agent->stage == STAGE_ASKED)
            goto out;
    }
    MAILLE_TRY(agent_end(agent, error));
    for (int64_t end = clock_monotonic_ms() + END_WAIT_MS;
         agent->status.phase < PHASE_ENDED && clock_monotonic_ms() < end;) {
        bool got = false;
        MAILLE_TRY(wire_client_receive(agent->client, &message, POLL_MS, &got, error));
        if (got)
            MAILLE_TRY(agent_handle(agent, &message, error));
    }
out:
    if (agent->options.progress != NULL)
        fputs("\r\033[K", agent->options.progress);
    wire_message_clear(&message);
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    return code;
}

/* --- what came out --- */

const struct study_run *agent_study_run(const struct agent *agent)
{
    return &agent->run;
}

const char *agent_id(const struct agent *agent)
{
    return agent->id;
}

bool agent_ended(const struct agent *agent)
{
    return agent->finished;
}

void agent_facts(struct report_facts *facts, struct arena *arena, const struct agent *agent)
{
    struct report_snapshot *snapshots = arena_array(arena, agent->n_sites + 1, sizeof *snapshots);
    struct report_log_head *heads = arena_array(arena, agent->n_sites + 2, sizeof *heads);
    *facts = (struct report_facts){.query = agent->id,
                                   .n_sites = (int64_t)agent->at.n_members,
                                   .snapshots = snapshots,
                                   .log_heads = heads};
    for (size_t m = 0; m < agent->at.n_members; m++) {
        const struct agent_site *site = agent_site((struct agent *)(uintptr_t)agent, agent->at.members[m]);
        char *hash = arena_alloc(arena, 2 * HASH_BYTES + 1), *root = arena_alloc(arena, 2 * HASH_BYTES + 1);
        /* zero where no close came in this process: it was taken up later, or the round never closed */
        const bool closed = agent->at.masked != NULL && agent->at.masked[m].site == agent->at.members[m];
        const struct message_head *head = closed ? &agent->at.masked[m].head : &site->accept.head;
        bytes_to_hex(hash, site->accept.snapshot_hash.b, HASH_BYTES);
        bytes_to_hex(root, head->root.b, HASH_BYTES);
        snapshots[facts->n_snapshots++] =
            (struct report_snapshot){site->site->name, site->accept.snapshot, hash};
        heads[facts->n_log_heads++] = (struct report_log_head){site->site->name, (int64_t)head->size, root};
    }
    if (agent->at.n_members > 0) {
        char *root = arena_alloc(arena, 2 * HASH_BYTES + 1);
        bytes_to_hex(root, agent->coordinator_head.root.b, HASH_BYTES);
        heads[facts->n_log_heads++] = (struct report_log_head){agent->options.directory->coordinator.name,
                                                               (int64_t)agent->coordinator_head.size, root};
    }
}
