/* The agent's life, as a function from message to messages. What each message does is in ask.c, round.c,
 * sum.c and threshold.c; which is permitted when is in the table here; how an agent begins is in open.c; who
 * carries the messages, in run.c. */
#include "agent/earlier.h"
#include "agent/private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/rule.h"
#include "report/report.h"

enum {
    HELLO_EVERY_MS = 2000,
    RESUME_EVERY_MS = 2000,
    SEND_AGAIN_MS = 1000,
    LATE_MS = 3000,
    END_WAIT_MS = 2000
};

int64_t agent_now_ms(const struct agent *agent)
{
    return clock_read_monotonic_ms(&agent->options.clock);
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

enum maille_code agent_signer(struct agent_site **site, struct agent *agent, const struct message *in,
                              uint32_t id, struct maille_error *error)
{
    struct agent_site *found = agent_site(agent, id);
    if (found == NULL || strcmp(found->site->name, in->envelope.from) != 0)
        return maille_protest(error, "site",
                              "expected a message of a site of this query, found %s as number %u",
                              in->envelope.from, id);
    *site = found;
    return MAILLE_OK;
}

enum maille_code agent_keep(struct agent *agent, enum message_kind kind, const struct bytes *body,
                            const struct bytes *frame, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    agent->last.length = 0;
    MAILLE_TRY(envelope_encode(&agent->last, kind, agent->options.keys, secret_keys_name(agent->options.keys),
                               body, error));
    agent->last_kind = kind;
    agent->has_frame = frame != NULL;
    if (frame != NULL)
        MAILLE_TRY(bytes_copy(&agent->last_frame, frame->data, frame->length));
out:
    return code;
}

enum maille_code agent_send_last(struct agent *agent, struct maille_error *error)
{
    agent->sent_ms = agent_now_ms(agent);
    return message_outbox_put(agent->outbox, agent->last_kind, &agent->last,
                              agent->has_frame ? agent->last_frame.data : NULL,
                              agent->has_frame ? agent->last_frame.length : 0, error);
}

enum maille_code agent_send(struct agent *agent, enum message_kind kind, struct bytes *body,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes envelope = {0};
    MAILLE_TRY(envelope_encode(&envelope, kind, agent->options.keys, secret_keys_name(agent->options.keys),
                               body, error));
    MAILLE_TRY(message_outbox_put(agent->outbox, kind, &envelope, NULL, 0, error));
out:
    bytes_clear(&envelope);
    bytes_clear(body);
    return code;
}

void agent_mark_refused(struct agent *agent, size_t analysis, const char *rule)
{
    const char *reason = rule_reason(agent->arena, rule, LANGUAGE_EN);
    if (strcmp(rule, "domain") == 0)
        study_run_fail(&agent->run, analysis, reason);
    else
        study_run_refuse(&agent->run, analysis, rule, reason);
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

/* --- what the coordinator says --- */

static enum maille_code say_hello(struct agent *agent, struct maille_error *error)
{
    const struct message_hello hello = {.name = secret_keys_name(agent->options.keys),
                                        .build = MAILLE_VERSION,
                                        .directory_version = agent->options.directory->version,
                                        .wire = PROTOCOL_VERSION};
    struct bytes body = {0};
    enum maille_code code = message_hello_encode(&body, &hello, error);
    return code == MAILLE_OK ? agent_send(agent, MESSAGE_HELLO, &body, error) : code;
}

static enum maille_code ask_resume(struct agent *agent, struct maille_error *error)
{
    struct message_resume resume;
    struct bytes body = {0};
    memcpy(resume.qid, agent->qid, QID_BYTES);
    enum maille_code code = message_resume_encode(&body, &resume, error);
    return code == MAILLE_OK ? agent_send(agent, MESSAGE_RESUME, &body, error) : code;
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
        if (agent_in_circle(agent)) { /* what a site has said that it has, C passes on */
            size_t n_taken = 0;
            for (size_t m = 0; m < at->n_members; m++)
                n_taken += at->taken[m];
            if (n_taken == at->n_members) /* the next that comes of each is its result */
                n_taken = agent_answers(agent);
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

/* In round 1 a site that is silent for too long is left out of a new attempt, where the researcher accepts
 * that; else the run ends. A moment later, so that what came while this machine slept is heard first. */
static enum maille_code late_sites(struct agent *agent, const struct message_status *status,
                                   struct maille_error *error)
{
    const struct directory_site *away[MESSAGE_SITES_MAX];
    size_t n = 0;
    const int64_t now = agent_now_ms(agent);
    if (agent->stage != STAGE_ROUND || agent->at.round != 1 || agent->at.closed ||
        status->phase != PHASE_ROUND || status->round != 1 || status->attempt != agent->at.attempt ||
        status->n_waiting == 0 ||
        now - agent->at.started_ms <= agent->options.directory->timeouts.masked_ms) {
        agent->at.silent_ms = 0;
        return MAILLE_OK;
    }
    for (size_t i = 0; i < agent->n_waiting && n < MESSAGE_SITES_MAX; i++) {
        const struct agent_site *site = agent_site(agent, agent->waiting[i]);
        if (site != NULL && !agent_without(agent, site->site->name))
            away[n++] = site->site;
    }
    if (n == 0)
        return agent_new_attempt(agent, agent->waiting, agent->n_waiting, error);
    if (agent->at.silent_ms == 0)
        agent->at.silent_ms = now;
    return now - agent->at.silent_ms < LATE_MS
               ? MAILLE_OK
               : agent_fail_away(agent, away, n, "send its masked sums", error);
}

/* A site that is needed and whose program speaks another version of the wire will not answer: it is named at
 * once, with what to install. */
static enum maille_code other_wire(struct agent *agent, const struct message_status *status,
                                   struct maille_error *error)
{
    for (size_t i = 0; i < status->n_other; i++) {
        const struct message_wire_site *other = &status->other[i];
        const struct agent_site *site = agent_site(agent, other->site);
        if (site == NULL || agent->stage == STAGE_ENDED || (agent->stage == STAGE_ROUND && !site->member) ||
            agent_without(agent, site->site->name))
            continue;
        return maille_fail(
            error, MAILLE_UNREACHABLE,
            "expected the site %s to speak version %d of the wire, found version %u; %s needs %s; then "
            "`maille "
            "resume %.8s` goes on, --without %s goes on without it",
            site->site->name, PROTOCOL_VERSION, other->wire,
            other->wire < PROTOCOL_VERSION ? site->site->name : "the network but for this site",
            message_wire_install(other->wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : other->wire), agent->id,
            site->site->name);
    }
    return MAILLE_OK;
}

/* The coordinator has the call, and asks no site yet: another question is counted first. */
static void say_in_line(struct agent *agent, const struct message_status *status)
{
    if (agent->stage != STAGE_CALLED || status->phase != PHASE_CALLED || status->n_waiting > 0)
        return;
    agent->moved_ms =
        agent_now_ms(agent); /* which takes two minutes at most, and as many were asked before */
    if (!agent->told_in_line)
        agent_say(agent, "another question to this dictionary is counted first; waiting for its turn");
    agent->told_in_line = true;
}

static enum maille_code on_status(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_status *status = &in->body.status;
    uint32_t *waiting = calloc(status->n_waiting + 1, sizeof *waiting);
    if (waiting == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    for (size_t i = 0; i < status->n_waiting; i++)
        waiting[i] = status->waiting[i];
    free(agent->waiting);
    agent->waiting = waiting;
    agent->n_waiting = status->n_waiting;
    if (status->phase != agent->status.phase || status->round != agent->status.round ||
        status->attempt != agent->status.attempt || status->bytes != agent->status.bytes)
        agent->moved_ms = agent_now_ms(agent);
    agent->status = *status;
    agent->status.waiting = agent->status.connected = NULL;
    agent->status.other = NULL;
    agent->status.n_other = 0;
    MAILLE_TRY(other_wire(agent, status, error));
    if (status->phase == PHASE_EXPIRED && agent->stage != STAGE_ENDED) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected the query %.8s to be open, found it expired; ask again", agent->id);
        goto out;
    }
    /* A cancel that says why came just before, and closed every analysis. */
    if (status->phase == PHASE_CANCELLED && agent->stage != STAGE_ENDED && study_run_open(&agent->run)) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected the query %.8s to be open, found it cancelled; ask again", agent->id);
        goto out;
    }
    if (agent_lacks_something(agent) && agent_now_ms(agent) - agent->resumed_ms > SEND_AGAIN_MS) {
        agent->resumed_ms = agent_now_ms(agent);
        MAILLE_TRY(ask_resume(agent, error));
    }
    agent_count_connected(agent, status);
    say_in_line(agent, status);
    MAILLE_TRY(late_sites(agent, status, error));
out:
    return code;
}

static enum maille_code on_problem(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_problem *problem = &in->body.problem;
    if (agent->stage == STAGE_ASKED && agent->status.phase == PHASE_UNKNOWN &&
        problem->code == MAILLE_REFUSED) {
        code = maille_refuse(error, problem->rule,
                             "expected the coordinator to take the question on, found a refusal (%s): %s",
                             problem->rule, rule_reason(agent->arena, problem->rule, LANGUAGE_EN));
        goto out;
    }
    agent_say(agent, "the coordinator says: %s%s%s", maille_code_name(problem->code),
              problem->rule[0] != '\0' ? ", " : "", problem->rule);
out:
    return code;
}

static enum maille_code on_welcome(struct agent *agent, struct message *in, struct maille_error *error)
{
    const uint32_t wire = in->body.welcome.wire;
    const int64_t own_ms = clock_read_utc_ms(&agent->options.clock), theirs_ms = in->body.welcome.utc_ms;
    if (!agent->clock_told && llabs(own_ms - theirs_ms) >= CLOCK_TELL_MS) {
        char words[32];
        clock_compare(words, own_ms, theirs_ms);
        agent_say(
            agent,
            "this machine's clock is %s the coordinator's; set it (NTP): from 5 minutes on questions are "
            "refused under the rule clock",
            words);
    }
    agent->clock_told = true;
    if (wire == PROTOCOL_VERSION)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_UNREACHABLE,
        "expected the coordinator %s to speak version %d of the wire, found version %u; %s needs %s, "
        "then: maille resume %.8s",
        agent->options.directory->coordinator.name, PROTOCOL_VERSION, wire,
        wire < PROTOCOL_VERSION ? "it" : "this machine",
        message_wire_install(wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : wire), agent->id);
}

#define STAGE_ANY (STAGE_ASKED | STAGE_CALLED | STAGE_ROUND | STAGE_ENDED)

/* Which message is permitted when and from whom, and what it does. Others are let go. */
static const struct agent_row {
    enum message_kind kind;
    unsigned from, stages;
    agent_handler *handle;
} rows[] = {
    {MESSAGE_WELCOME, FROM_COORDINATOR, STAGE_ANY, on_welcome},
    {MESSAGE_STATUS, FROM_COORDINATOR, STAGE_ANY, on_status},
    {MESSAGE_PROBLEM, FROM_COORDINATOR, STAGE_ANY, on_problem},
    {MESSAGE_READY, FROM_SITE, STAGE_ASKED, agent_on_ready},
    {MESSAGE_ROSTER, FROM_COORDINATOR, STAGE_CALLED, agent_on_roster},
    {MESSAGE_REFUSE, FROM_SITE, STAGE_ROUND, agent_on_refuse},
    {MESSAGE_CLOSE, FROM_COORDINATOR, STAGE_ROUND, agent_on_close},
    {MESSAGE_REVEAL, FROM_SITE, STAGE_ROUND, agent_on_reveal},
    {MESSAGE_SUM, FROM_COORDINATOR, STAGE_ROUND, agent_on_sum},
    {MESSAGE_SEGMENT, FROM_SITE | FROM_COORDINATOR, STAGE_ROUND, agent_on_segment},
    {MESSAGE_TAKEN, FROM_SITE, STAGE_ROUND, agent_on_taken},
    {MESSAGE_RESULT, FROM_SITE, STAGE_ROUND, agent_on_result},
    {MESSAGE_CANCEL, FROM_SITE, STAGE_ASKED | STAGE_CALLED | STAGE_ROUND, agent_on_cancel},
};

static const struct agent_row *row_of(enum message_kind kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

/* Opened, and of this query; *row NULL: it is to be let go. One that comes again after its stage says nothing
 * new. */
static enum maille_code open_message(struct agent *agent, struct message *in, const void *envelope,
                                     size_t length, const void *frame, size_t frame_length,
                                     const struct agent_row **row, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct agent_row *found;
    *row = NULL;
    MAILLE_TRY(message_open(in, in->arena, envelope, length, frame, frame_length, error));
    found = row_of(in->envelope.kind);
    if (found == NULL || (found->stages & agent->stage) == 0)
        goto out;
    MAILLE_TRY(message_decode(in, agent->options.directory, found->from, error));
    if (in->qid == NULL || memcmp(in->qid, agent->qid, QID_BYTES) == 0)
        *row = found;
out:
    return code;
}

/* What somebody was caught in stays: a query that is taken up again ends as it did. */
static void keep_fault(struct agent *agent, enum maille_code code, const struct maille_error *why)
{
    struct maille_error ignored;
    struct bytes record = {0};
    if (code != MAILLE_SIGNATURE || agent->finished)
        return;
    bytes_put_block(&record, why->sentence, strlen(why->sentence));
    if (agent_journal_append(agent, JOURNAL_FAULT, &record, &ignored) != MAILLE_OK)
        agent_say(agent, "this could not be written down: %s", ignored.sentence);
    bytes_clear(&record);
}

enum maille_code agent_handle(struct agent *agent, const void *envelope, size_t length, const void *frame,
                              size_t frame_length, struct message_outbox *outbox, struct maille_error *error)
{
    const struct agent_row *row;
    struct maille_error why = {0};
    struct message in = {.arena = arena_new()};
    if (in.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    agent->heard_ms = agent_now_ms(agent);
    agent->outbox = outbox;
    enum maille_code code = open_message(agent, &in, envelope, length, frame, frame_length, &row, &why);
    if (code == MAILLE_SIGNATURE) /* nobody's: it says nothing about who it claims to be of */
        code = MAILLE_PROTOCOL;
    if (code == MAILLE_OK && row != NULL)
        code = row->handle(agent, &in, &why);
    if (code == MAILLE_PROTOCOL) {
        agent_say(agent, "dropped a message: %s", why.sentence);
        code = MAILLE_OK;
    }
    keep_fault(agent, code, &why);
    if (code != MAILLE_OK && error != NULL)
        *error = why;
    agent->outbox = NULL;
    arena_free(in.arena);
    return code;
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
    agent->ended_ms = agent_now_ms(agent);
    clock_format(agent->ended_at, clock_read_utc_ms(&agent->options.clock));
    agent->elapsed_ms = agent->began_ms == 0 ? 0 : agent->ended_ms - agent->began_ms;
    MAILLE_TRY(message_end_encode(&body, &end, error));
    MAILLE_TRY(agent_keep(agent, MESSAGE_END, &body, NULL, error));
    MAILLE_TRY(agent_send_last(agent, error));
out:
    bytes_clear(&body);
    return code;
}

static enum maille_code start(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const int64_t now = agent_now_ms(agent);
    if (agent->finished) {
        agent->ended_ms = now - END_WAIT_MS;
        goto out;
    }
    agent->asked_ms = agent->heard_ms = agent->moved_ms = agent->hello_ms = agent->resumed_ms = now;
    MAILLE_TRY(say_hello(agent, error));
    MAILLE_TRY(agent_send_last(agent, error));
    if (agent->stage == STAGE_ROUND)
        MAILLE_TRY(ask_resume(agent, error));
out:
    return code;
}

/* What is due without a message: hello, resume, call, the next round, pulls that got lost, the end, and the
 * end of patience. */
static enum maille_code tick(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char names[512];
    const int64_t now = agent_now_ms(agent);
    if (agent->finished) { /* the end is said again too, for as long as somebody waits */
        if (coordinator_lacks_last(agent) && now - agent->sent_ms > SEND_AGAIN_MS)
            code = agent_send_last(agent, error);
        goto out;
    }
    if (now - agent->hello_ms >= HELLO_EVERY_MS) {
        MAILLE_TRY(say_hello(agent, error));
        agent->hello_ms = now;
    }
    if (now - agent->heard_ms >= RESUME_EVERY_MS && now - agent->resumed_ms >= RESUME_EVERY_MS) {
        agent->resumed_ms = now;
        MAILLE_TRY(ask_resume(agent, error));
    }
    /* Also where no status ever comes: of a question that was lost, C knows nothing to tell. */
    if (coordinator_lacks_last(agent) && now - agent->sent_ms > SEND_AGAIN_MS)
        MAILLE_TRY(agent_send_last(agent, error));
    if (agent->stage == STAGE_ASKED)
        MAILLE_TRY(agent_call_when_ready(agent, error));
    if (agent->stage == STAGE_ROUND)
        MAILLE_TRY(agent_round_when_complete(agent, error));
    if (agent->stage == STAGE_ROUND && agent->at.has_sum && now - agent->sum_moved_ms > SEND_AGAIN_MS)
        MAILLE_TRY(agent_pull(agent, true, error));
    if (!study_run_open(&agent->run))
        MAILLE_TRY(agent_end(agent, error));
    else if (now - agent->moved_ms > agent->options.timeout_ms)
        code = maille_fail(
            error, MAILLE_TIMEOUT,
            "expected an answer within %lld s, still waiting for %s; go on with: maille resume %.8s",
            (long long)(agent->options.timeout_ms / 1000), agent_waiting_names(agent, names, sizeof names),
            agent->id);
out:
    return code;
}

enum maille_code agent_start(struct agent *agent, struct message_outbox *outbox, struct maille_error *error)
{
    agent->outbox = outbox;
    enum maille_code code = start(agent, error);
    agent->outbox = NULL;
    return code;
}

enum maille_code agent_tick(struct agent *agent, struct message_outbox *outbox, struct maille_error *error)
{
    struct maille_error why = {0};
    agent->outbox = outbox;
    enum maille_code code = tick(agent, &why);
    agent->outbox = NULL;
    keep_fault(agent, code, &why);
    if (code != MAILLE_OK && error != NULL)
        *error = why;
    return code;
}

bool agent_again(const struct agent *agent)
{
    bool again = false, other = false;
    for (size_t k = 0; agent->stage == STAGE_ENDED && k < agent->study->n_analyses; k++) {
        const struct analysis_state *state = &agent->run.states[k];
        const bool counted = state->status == ANALYSIS_REFUSED && strcmp(state->rule, "again") == 0;
        again = again || counted;
        other = other || state->status == ANALYSIS_OK;
    }
    return again && !other;
}

bool agent_over(const struct agent *agent)
{
    if (agent->options.detach && agent->stage == STAGE_ASKED)
        return agent->status.phase >= PHASE_ASKED;
    return agent->finished &&
           (agent->status.phase >= PHASE_ENDED || agent_now_ms(agent) - agent->ended_ms >= END_WAIT_MS);
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

/* Whom the question named, who answered, and why the others did not. */
static const struct result *roster_facts(struct arena *arena, const struct agent *agent)
{
    struct result *roster = result_object(arena), *asked = result_add_list(roster, "asked");
    struct result *answered = result_add_list(roster, "answered"),
                  *missing = result_add_list(roster, "missing");
    /* From the question on it said nothing that counts; how long before that, nobody here knows. */
    const char *since = agent->began_at[0] == '\0' ? NULL : agent->began_at;
    for (size_t s = 0; s < agent->n_sites; s++) {
        const struct agent_site *site = &agent->sites[s];
        bool answers = false;
        for (size_t m = 0; m < agent->at.n_members; m++)
            answers = answers || agent->at.members[m] == site->site->id;
        result_add_string(asked, NULL, site->site->name);
        if (answers) {
            result_add_string(answered, NULL, site->site->name);
            continue;
        }
        struct result *one = result_add_object(missing, NULL);
        result_add_string(one, "site", site->site->name);
        result_add_string(one, "since", since);
        result_add_string(one, "reason",
                          site->member                   ? "it was silent in the first round"
                          : !site->has_ready             ? "it did not answer"
                          : site->ready == READY_HELD    ? "its officer had not decided"
                          : site->ready == READY_REFUSED ? "it refused the study"
                                                         : "it did not accept in time");
    }
    for (size_t i = 0; i < agent->options.n_without; i++) {
        const char *name = agent->options.without[i];
        bool asked_it = false;
        for (size_t s = 0; s < agent->n_sites; s++)
            asked_it = asked_it || strcmp(agent->sites[s].site->name, name) == 0;
        if (asked_it)
            continue;
        struct result *one = result_add_object(missing, NULL);
        result_add_string(one, "site", name);
        result_add_string(one, "since", since);
        result_add_string(one, "reason", "the researcher went on without it");
    }
    return roster;
}

/* NaN, which is null in the file, where the rule is off. */
static double setting(double value)
{
    return value == POLICY_OFF ? NAN : value;
}

/* The settings that say how small a number can be. */
static const struct result *policy_facts(struct arena *arena, const struct agent *agent)
{
    const struct policy *p = agent->strictest;
    if (p == NULL)
        return NULL;
    struct result *policy = result_object(arena);
    result_add_number(policy, "min_sites", setting(p->min_sites));
    result_add_number(policy, "min_patients", setting(p->min_patients));
    result_add_number(policy, "min_cell", setting(p->min_cell));
    result_add_number(policy, "min_events", setting(p->min_events));
    result_add_number(policy, "min_tail", setting(p->min_tail));
    result_add_number(policy, "differencing", setting(p->differencing));
    result_add_string(policy, "cell_rule", p->cell_rule == CELL_SCOPE_LOCAL ? "local" : "total");
    result_add_string(policy, "finest_grid", analysis_grid_name(p->finest_grid));
    return policy;
}

void agent_facts(struct report_facts *facts, struct arena *arena, const struct agent *agent)
{
    struct report_snapshot *snapshots = arena_array(arena, agent->n_sites + 1, sizeof *snapshots);
    struct report_log_head *heads = arena_array(arena, agent->n_sites + 2, sizeof *heads);
    *facts = (struct report_facts){.query = agent->id,
                                   .n_sites = (int64_t)agent->at.n_members,
                                   .date = agent->ended_at[0] == '\0' ? NULL : agent->ended_at,
                                   .elapsed_ms = agent->elapsed_ms,
                                   .wire = PROTOCOL_VERSION,
                                   .mode = agent_in_circle(agent) ? "circle" : "agent",
                                   .synthetic =
                                       strcmp(agent->options.directory->network, DIRECTORY_SYNTHETIC) == 0,
                                   .roster = roster_facts(arena, agent),
                                   .policy = policy_facts(arena, agent),
                                   .rounds = (int64_t)agent->n_over,
                                   .bytes = (int64_t)agent->bytes_over,
                                   .snapshots = snapshots,
                                   .log_heads = heads,
                                   .earlier = agent_earlier(agent, arena)};
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
