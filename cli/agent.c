/* The agent's life: made or taken up again, a loop over messages, an end. What each message does is in agent_ask.c, agent_round.c and
 * agent_sum.c; which is permitted when is in the table here. */
#include "cli/agent_private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/report.h"

enum { HELLO_EVERY_MS = 2000, RESUME_EVERY_MS = 2000, SEND_AGAIN_MS = 1000, END_WAIT_MS = 2000, POLL_MS = 50 };

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

enum maille_code agent_check_site(struct agent_site **site, struct agent *agent, const struct envelope *envelope, uint32_t id,
                                  struct maille_error *error)
{
    struct agent_site *found = agent_site(agent, id);
    if (found == NULL || strcmp(found->site->name, envelope->from) != 0)
        return maille_fail(error, MAILLE_PROTOCOL, "expected a message of a site of this query, found %s as number %u",
                           envelope->from, id);
    if (!envelope_verified(envelope, found->site->keys.identity))
        return maille_fail(error, MAILLE_PROTOCOL, "expected the signature of %s, found another", found->site->name);
    *site = found;
    return MAILLE_OK;
}

enum maille_code agent_check_coordinator(const struct agent *agent, const struct envelope *envelope, struct maille_error *error)
{
    if (!envelope_verified(envelope, agent->options.directory->coordinator.keys.identity))
        return maille_fail(error, MAILLE_PROTOCOL, "expected the coordinator's signature, found another");
    return MAILLE_OK;
}

enum maille_code agent_send(struct agent *agent, enum message_kind kind, const struct bytes *body, const struct bytes *frame, bool keep,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes envelope = {0};
    MAILLE_TRY(envelope_encode(&envelope, kind, agent->options.keys, secret_keys_name(agent->options.keys), body, error));
    if (keep) {
        MAILLE_TRY(bytes_copy(&agent->last, envelope.data, envelope.length));
        agent->has_frame = frame != NULL;
        if (frame != NULL)
            MAILLE_TRY(bytes_copy(&agent->last_frame, frame->data, frame->length));
        agent->sent_ms = clock_monotonic_ms();
    }
    if (agent->client != NULL)
        MAILLE_TRY(wire_client_send(agent->client, envelope.data, envelope.length, frame != NULL ? frame->data : NULL,
                                    frame != NULL ? frame->length : 0, error));
out:
    bytes_clear(&envelope);
    return code;
}

static enum maille_code send_again(struct agent *agent, struct maille_error *error)
{
    agent->sent_ms = clock_monotonic_ms();
    return wire_client_send(agent->client, agent->last.data, agent->last.length, agent->has_frame ? agent->last_frame.data : NULL,
                            agent->has_frame ? agent->last_frame.length : 0, error);
}

/* A site says one word. Most are rules of its policy; `domain` is a computation that cannot be done. */
static void agent_mark_refused(struct agent *agent, size_t analysis, const char *rule)
{
    if (strcmp(rule, "domain") == 0)
        study_run_fail(&agent->run, analysis, agent_rule_sentence(rule));
    else
        study_run_refuse(&agent->run, analysis, rule, agent_rule_sentence(rule));
}

enum maille_code agent_refuse(struct agent *agent, size_t analysis, const char *rule, const struct agent_site *by,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes record = {0};
    if (analysis >= agent->study->n_analyses || agent->run.states[analysis].status != ANALYSIS_OPEN)
        return MAILLE_OK;
    bytes_put_u64(&record, analysis);
    bytes_put_string(&record, rule);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(journal_append(agent, JOURNAL_REFUSED, &record, error));
    agent_mark_refused(agent, analysis, rule);
    agent_say(agent, "%s: refused (%s)%s%s", agent->study->analyses[analysis].id, rule, by != NULL ? " by " : "",
              by != NULL ? by->site->name : "");
out:
    bytes_clear(&record);
    return code;
}

/* --- making --- */

static enum maille_code agent_new(struct agent **out, const struct agent_options *options, struct maille_error *error)
{
    struct agent *agent = calloc(1, sizeof *agent);
    if (agent == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a query, found none");
    agent->options = *options;
    agent->journal = -1;
    agent->arena = arena_new();
    agent->stage = STAGE_ASKED;
    secret_keys_derive(&agent->journal_key, options->keys, "agent-journal");
    if (agent->arena == NULL) {
        agent_free(agent);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a query, found none");
    }
    const struct directory_researcher *own = directory_researcher(options->directory, secret_keys_name(options->keys));
    if (own == NULL || memcmp(own->keys.identity, secret_keys_public(options->keys)->identity, PUBLIC_BYTES) != 0) {
        maille_fail(error, MAILLE_INVALID,
                    "expected a researcher of the network %s, found the key of %s; ask its authority to add it (maille network add)",
                    options->directory->network, secret_keys_name(options->keys));
        agent_free(agent);
        return MAILLE_INVALID;
    }
    *out = agent;
    return MAILLE_OK;
}

void agent_free(struct agent *agent)
{
    if (agent == NULL)
        return;
    if (agent->journal >= 0)
        close(agent->journal);
    wire_client_free(agent->client);
    agent_round_clear(&agent->at);
    study_run_clear(&agent->run);
    bytes_clear(&agent->manifest);
    bytes_clear(&agent->last);
    bytes_clear(&agent->last_frame);
    bytes_clear(&agent->before_start);
    bytes_clear(&agent->before_frame);
    free(agent->waiting);
    arena_free(agent->arena);
    memory_wipe(agent, sizeof *agent);
    free(agent);
}

/* The sites that the study names, ascending by number. */
static enum maille_code choose_sites(struct agent *agent, struct maille_error *error)
{
    const struct directory *directory = agent->options.directory;
    const struct study *study = agent->study;
    agent->sites = arena_array(agent->arena, directory->n_sites + 1, sizeof *agent->sites);
    for (size_t k = 0; k < study->n_sites; k++)
        if (directory_site_named(directory, study->sites[k]) == NULL)
            return maille_fail(error, MAILLE_INVALID, "expected a site of the network %s, found \"%s\" among the study's sites",
                               directory->network, study->sites[k]);
    for (size_t s = 0; s < directory->n_sites; s++) {
        bool named = study->all_sites;
        for (size_t k = 0; k < study->n_sites; k++)
            named = named || strcmp(study->sites[k], directory->sites[s].name) == 0;
        if (named)
            agent->sites[agent->n_sites++].site = &directory->sites[s];
    }
    agent->n_min = sites_needed((uint32_t)agent->n_sites);
    if (agent->n_min == 0)
        return maille_fail(error, MAILLE_INVALID, "expected at least 3 sites, found %zu: with two, each would read the other's sums",
                           agent->n_sites);
    return MAILLE_OK;
}

/* The sites that were asked: the directory may have gained some since. */
static enum maille_code take_sites(struct agent *agent, const struct message_manifest *manifest, struct maille_error *error)
{
    agent->sites = arena_array(agent->arena, manifest->n_sites + 1, sizeof *agent->sites);
    for (size_t s = 0; s < manifest->n_sites; s++) {
        const struct directory_site *site = directory_site(agent->options.directory, manifest->sites[s]);
        if (site == NULL)
            return maille_fail(error, MAILLE_INVALID, "expected the sites that were asked in the directory, found that number %u has left; ask again",
                               manifest->sites[s]);
        agent->sites[agent->n_sites++].site = site;
    }
    agent->n_min = manifest->n_min;
    return MAILLE_OK;
}

static enum maille_code write_manifest(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *directory = agent->options.directory;
    const struct study *study = agent->study;
    struct bytes body = {0};
    int64_t now = clock_utc_ms(), last = ((int64_t)study->expires + 1) * 86400000;
    if (last <= now) {
        char day[16];
        format_date(day, study->expires);
        return maille_fail(error, MAILLE_INVALID, "expected a study that has not expired, found expires: %s; renew it and sign again", day);
    }
    struct message_method *methods = arena_array(agent->arena, study->n_analyses + 1, sizeof *methods);
    uint32_t *sites = arena_array(agent->arena, agent->n_sites + 1, sizeof *sites);
    struct message_manifest manifest = {
        .protocol = PROTOCOL_VERSION,
        .researcher = secret_keys_name(agent->options.keys),
        .study = {(const uint8_t *)study->text, study->text_length},
        .methods = methods,
        .n_sites = agent->n_sites,
        .sites = sites,
        .bytes_max = TALLY_BYTES_MAX,
        .rounds_max = AGENT_ROUNDS_MAX,
        .n_min = agent->n_min,
        .directory_version = directory->version,
        .directory_hash = directory->hash,
        .created_ms = now,
        .expires_ms = now + directory->timeouts.lifetime_ms < last ? now + directory->timeouts.lifetime_ms : last,
    };
    memcpy(manifest.qid, agent->qid, QID_BYTES);
    memcpy(manifest.rk, agent->rk, PUBLIC_BYTES);
    kdf(&manifest.dictionary_hash, NULL, "dictionary", study->dictionary->text, study->dictionary->text_length);
    for (size_t s = 0; s < agent->n_sites; s++)
        sites[s] = agent->sites[s].site->id;
    for (size_t k = 0; k < study->n_analyses; k++) {
        bool known = false;
        for (size_t m = 0; m < manifest.n_methods; m++)
            known = known || strcmp(methods[m].name, study->analyses[k].method) == 0;
        if (!known)
            methods[manifest.n_methods++] = (struct message_method){study->analyses[k].method, method_find(study->analyses[k].method)->version};
    }
    MAILLE_TRY(message_manifest_encode(&body, &manifest, error));
    MAILLE_TRY(agent_send(agent, MESSAGE_MANIFEST, &body, NULL, true, error)); /* not connected yet: kept to be sent */
    MAILLE_TRY(bytes_copy(&agent->manifest, agent->last.data, agent->last.length));
    kdf(&agent->manifest_hash, NULL, "manifest", agent->manifest.data, agent->manifest.length);
out:
    bytes_clear(&body);
    return code;
}

enum maille_code agent_ask(struct agent **out, const struct agent_options *options, const struct study *study,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent *agent = NULL;
    struct bytes record = {0};
    MAILLE_TRY(agent_new(&agent, options, error));
    agent->study = study;
    random_bytes(agent->qid, QID_BYTES);
    hex_encode(agent->id, agent->qid, QID_BYTES);
    box_pair(agent->rk, agent->rk_secret);
    random_bytes(agent->theta_key, KEY_BYTES);
    MAILLE_TRY(choose_sites(agent, error));
    MAILLE_TRY(study_run_init(&agent->run, study, error));
    MAILLE_TRY(write_manifest(agent, error));
    MAILLE_TRY(journal_create(agent, error));
    bytes_put_block(&record, agent->manifest.data, agent->manifest.length);
    bytes_put(&record, agent->rk_secret, KEY_BYTES);
    bytes_put(&record, agent->theta_key, KEY_BYTES);
    bytes_put_block(&record, study->dictionary->text, study->dictionary->text_length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(journal_append(agent, JOURNAL_HEAD, &record, error));
    *out = agent;
    agent = NULL;
out:
    bytes_wipe(&record);
    agent_free(agent);
    return code;
}

/* --- taking up again --- */

static enum maille_code take_head(struct agent *agent, struct reader *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct envelope envelope;
    struct message_manifest manifest;
    const struct dictionary *dictionary;
    size_t length, text_length, n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    const uint8_t *bytes = reader_block(record, MESSAGE_BODY_MAX, &length);
    const uint8_t *rk = reader_take(record, KEY_BYTES), *theta = reader_take(record, KEY_BYTES);
    const uint8_t *text = reader_block(record, YAML_BYTES_MAX, &text_length);
    if (!reader_done(record) || bytes == NULL || rk == NULL || theta == NULL || text == NULL)
        return maille_fail(error, MAILLE_CORRUPT, "expected the head of a query's state, found other bytes");
    MAILLE_TRY(bytes_copy(&agent->manifest, bytes, length));
    MAILLE_TRY(bytes_copy(&agent->last, bytes, length));
    MAILLE_TRY(envelope_decode(&envelope, agent->arena, agent->manifest.data, length, error));
    MAILLE_TRY(message_manifest_decode(&manifest, agent->arena, envelope.body, envelope.body_length, error));
    kdf(&agent->manifest_hash, NULL, "manifest", agent->manifest.data, agent->manifest.length);
    if (memcmp(manifest.qid, agent->qid, QID_BYTES) != 0) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected the state of query %.8s, found another's", agent->id);
        goto out;
    }
    memcpy(agent->rk, manifest.rk, PUBLIC_BYTES);
    memcpy(agent->rk_secret, rk, KEY_BYTES);
    memcpy(agent->theta_key, theta, KEY_BYTES);
    MAILLE_TRY(dictionary_parse(&dictionary, agent->arena, "the query's dictionary", arena_strndup(agent->arena, (const char *)text, text_length),
                                text_length, error));
    MAILLE_TRY(study_parse(&agent->study, agent->arena, dictionary, methods, n_methods, "the query's study",
                           arena_strndup(agent->arena, (const char *)manifest.study.data, manifest.study.length), manifest.study.length, error));
    MAILLE_TRY(take_sites(agent, &manifest, error));
    MAILLE_TRY(study_run_init(&agent->run, agent->study, error));
out:
    return code;
}

static enum maille_code take_start(struct agent *agent, struct reader *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct envelope envelope;
    struct message_start start;
    struct message_round_header header;
    struct digest psi;
    size_t length, frame_length;
    const uint8_t *bytes = reader_block(record, MESSAGE_BODY_MAX, &length);
    const uint8_t *frame = reader_block(record, MESSAGE_FRAME_MAX, &frame_length);
    if (!reader_done(record) || bytes == NULL || frame == NULL)
        return maille_fail(error, MAILLE_CORRUPT, "expected the start of a round in a query's state, found other bytes");
    MAILLE_TRY(agent_keep_attempt(agent, error));
    MAILLE_TRY(bytes_copy(&agent->last, bytes, length));
    MAILLE_TRY(bytes_copy(&agent->last_frame, frame, frame_length));
    agent->has_frame = true;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    code = envelope_decode(&envelope, arena, bytes, length, error);
    if (code == MAILLE_OK)
        code = message_start_decode(&start, arena, envelope.body, envelope.body_length, error);
    if (code == MAILLE_OK)
        code = message_round_header_decode(&header, arena, start.header.data, start.header.length, error);
    if (code == MAILLE_OK) {
        kdf(&psi, NULL, "round", start.header.data, start.header.length);
        code = agent_take_start(agent, &header, &psi, error);
    }
    arena_free(arena);
out:
    return code;
}

static enum maille_code take_record(struct agent *agent, enum journal_kind kind, struct reader *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct envelope envelope;
    size_t length = 0;
    const uint8_t *bytes;
    if (agent->study == NULL && kind != JOURNAL_HEAD)
        return maille_fail(error, MAILLE_CORRUPT, "expected the head of a query's state first, found a record of kind %d", (int)kind);
    switch (kind) {
    case JOURNAL_HEAD:
        return take_head(agent, record, error);
    case JOURNAL_REFUSED: {
        uint64_t analysis = reader_u64(record);
        char rule[MAILLE_RULE_MAX] = "";
        bytes = reader_block(record, sizeof rule - 1, &length);
        if (!reader_done(record) || analysis >= agent->study->n_analyses)
            break;
        memcpy(rule, bytes, length);
        agent_mark_refused(agent, (size_t)analysis, rule);
        return MAILLE_OK;
    }
    case JOURNAL_CALL:
        bytes = reader_block(record, MESSAGE_BODY_MAX, &length);
        if (!reader_done(record))
            break;
        MAILLE_TRY(bytes_copy(&agent->last, bytes, length));
        agent->stage = STAGE_CALLED;
        return MAILLE_OK;
    case JOURNAL_ROSTER: {
        bytes = reader_block(record, MESSAGE_BODY_MAX, &length);
        if (!reader_done(record))
            break;
        uint8_t *kept = arena_alloc(agent->arena, length + 1);
        memcpy(kept, bytes, length);
        MAILLE_TRY(envelope_decode(&envelope, agent->arena, kept, length, error));
        return agent_take_roster(agent, agent->arena, &envelope, error);
    }
    case JOURNAL_START:
        return take_start(agent, record, error);
    case JOURNAL_TOTALS:
        bytes = reader_block(record, TALLY_BYTES_MAX, &length);
        if (!reader_done(record))
            break;
        return agent_take_totals(agent, bytes, length, error);
    case JOURNAL_ENDED:
        agent->stage = STAGE_ENDED;
        agent->finished = true;
        return MAILLE_OK;
    }
    code = maille_fail(error, MAILLE_CORRUPT, "expected a record of a query's state, found other bytes");
out:
    return code;
}

enum maille_code agent_resume(struct agent **out, const struct agent_options *options, const char *id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent *agent = NULL;
    MAILLE_TRY(agent_new(&agent, options, error));
    MAILLE_TRY(journal_open(agent, id, error));
    MAILLE_TRY(journal_replay(agent, take_record, error));
    if (agent->study == NULL) {
        code = maille_fail(error, MAILLE_INVALID, "expected a query that was asked, found one that stopped before its question was written: %.8s",
                           agent->id);
        goto out;
    }
    *out = agent;
    agent = NULL;
out:
    agent_free(agent);
    return code;
}

/* --- the loop --- */

static enum maille_code say_hello(struct agent *agent, struct maille_error *error)
{
    const struct message_hello hello = {.name = secret_keys_name(agent->options.keys), .build = MAILLE_VERSION,
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
        return status->round < agent->at.round || (status->round == agent->at.round && status->attempt < agent->at.attempt);
    case STAGE_ENDED:
        return status->phase != PHASE_ENDED && status->phase != PHASE_CANCELLED && status->phase != PHASE_EXPIRED;
    }
    return false;
}

/* Does a status show that something is at C which never came here? A connection that broke loses what was on its way. */
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
        if (status->round != at->round || status->attempt != at->attempt || at->plan.arena == NULL)
            return false;
        if (status->phase == PHASE_ROUND) /* nobody is waited for, and yet there is no close: a refusal */
            return agent->n_waiting == 0;
        for (size_t m = 0; status->phase == PHASE_REVEALED && at->closed && m < at->n_members; m++)
            if (!at->revealed[m])
                return true;
        return (status->phase == PHASE_CLOSED || status->phase == PHASE_REVEALED) && !(at->closed && at->has_sum);
    case STAGE_ENDED:
        break;
    }
    return false;
}

static enum maille_code on_status(struct agent *agent, const struct envelope *envelope, const struct wire_message *message,
                                  struct maille_error *error)
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
    if (status.phase != agent->status.phase || status.round != agent->status.round || status.attempt != agent->status.attempt ||
        status.bytes != agent->status.bytes)
        agent->moved_ms = clock_monotonic_ms();
    agent->status = status;
    agent->status.waiting = agent->status.connected = NULL;
    if (status.phase == PHASE_EXPIRED && agent->stage != STAGE_ENDED) {
        code = maille_fail(error, MAILLE_FAILED, "expected the query %.8s to be open, found it expired; ask again", agent->id);
        goto out;
    }
    /* A cancel that says why came just before, and closed every analysis. */
    if (status.phase == PHASE_CANCELLED && agent->stage != STAGE_ENDED && study_run_open(&agent->run)) {
        code = maille_fail(error, MAILLE_FAILED, "expected the query %.8s to be open, found it cancelled; ask again", agent->id);
        goto out;
    }
    if (coordinator_lacks_last(agent) && clock_monotonic_ms() - agent->sent_ms > SEND_AGAIN_MS)
        MAILLE_TRY(send_again(agent, error));
    if (agent_lacks_something(agent) && clock_monotonic_ms() - agent->resumed_ms > SEND_AGAIN_MS) {
        agent->resumed_ms = clock_monotonic_ms();
        MAILLE_TRY(ask_resume(agent, error));
    }
    /* In round 1 a site that is silent for too long is left out of a new attempt. */
    if (agent->stage == STAGE_ROUND && agent->at.round == 1 && !agent->at.closed && status.phase == PHASE_ROUND && status.round == 1 &&
        status.attempt == agent->at.attempt && status.n_waiting > 0 &&
        clock_monotonic_ms() - agent->at.started_ms > agent->options.directory->timeouts.masked_ms)
        MAILLE_TRY(agent_new_attempt(agent, agent->waiting, agent->n_waiting, error));
out:
    arena_free(arena);
    return code;
}

static enum maille_code on_problem(struct agent *agent, const struct envelope *envelope, const struct wire_message *message,
                                   struct maille_error *error)
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
    if (agent->stage == STAGE_ASKED && agent->status.phase == PHASE_UNKNOWN && problem.code == MAILLE_REFUSED) {
        code = maille_refuse(error, problem.rule, "expected the coordinator to take the question on, found a refusal (%s)%s",
                             problem.rule,
                             strcmp(problem.rule, "directory") == 0 ? ": it has another version of network.yaml; get the current one" : "");
        goto out;
    }
    agent_say(agent, "the coordinator says: %s%s%s", maille_code_name(problem.code), problem.rule[0] != '\0' ? ", " : "", problem.rule);
out:
    arena_free(arena);
    return code;
}

static enum maille_code on_nothing(struct agent *agent, const struct envelope *envelope, const struct wire_message *message,
                                   struct maille_error *error)
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
    enum maille_code (*handle)(struct agent *, const struct envelope *, const struct wire_message *, struct maille_error *);
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
    {MESSAGE_CANCEL, STAGE_ASKED | STAGE_CALLED | STAGE_ROUND, agent_on_cancel},
};

/* A message that is not what it should be is dropped; the query goes on. Everything else ends it. */
static enum maille_code agent_handle(struct agent *agent, const struct wire_message *message, struct maille_error *error)
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
                used += (size_t)snprintf(out + used, size - used, "%s%s%s", used > 0 ? ", " : "", agent->sites[s].site->name,
                                         agent->sites[s].has_ready ? " (its officer)" : "");
    } else {
        for (size_t w = 0; w < agent->n_waiting && used < size; w++)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", agent_site_name(agent, agent->waiting[w]));
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
        fprintf(agent->options.progress, "\r\033[K%zu of %zu sites ready, waiting for %.100s", ready, agent->n_sites,
                waiting_names(agent, names, sizeof names));
    else if (agent->stage == STAGE_ROUND)
        fprintf(agent->options.progress, "\r\033[K%zu sites, round %u, %.1f MB of masked sums%s%.100s", agent->n_roster, agent->at.round,
                (double)agent->status.bytes / 1e6, agent->n_waiting > 0 ? ", waiting for " : "",
                agent->n_waiting > 0 ? waiting_names(agent, names, sizeof names) : "");
    fflush(agent->options.progress);
}

static enum maille_code agent_end(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_end end;
    struct bytes body = {0}, nothing = {0};
    memcpy(end.qid, agent->qid, QID_BYTES);
    MAILLE_TRY(journal_append(agent, JOURNAL_ENDED, &nothing, error));
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
                           refused ? "expected the coordinator at %s to admit the key of %s, found it refused; is the directory of the same version?"
                                   : "expected the coordinator at %s to answer %s, found no answer; check the address and the firewall, then: maille resume",
                           agent->options.directory->coordinator.endpoint, secret_keys_name(agent->options.keys));
    return maille_fail(error, MAILLE_TIMEOUT, "expected an answer within %lld s, still waiting for %s; go on with: maille resume %.8s",
                       (long long)(agent->options.timeout_ms / 1000), waiting_names(agent, names, sizeof names), agent->id);
}

/* What is due without a message: hello, resume, call, the next round, pulls that got lost, the end of patience. */
static enum maille_code agent_tick(struct agent *agent, int64_t *hello_ms, int64_t *resume_ms, struct maille_error *error)
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
        code = maille_fail(error, MAILLE_INTERRUPTED, "interrupted; the query is kept, go on with: maille resume %.8s", agent->id);
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
                                agent->options.directory->coordinator.keys.transport, agent->options.keys, error));
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
    for (int64_t end = clock_monotonic_ms() + END_WAIT_MS; agent->status.phase < PHASE_ENDED && clock_monotonic_ms() < end;) {
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
    *facts = (struct report_facts){.query = agent->id, .n_sites = (int64_t)agent->at.n_members, .snapshots = snapshots, .log_heads = heads};
    for (size_t m = 0; m < agent->at.n_members; m++) {
        const struct agent_site *site = agent_site((struct agent *)(uintptr_t)agent, agent->at.members[m]);
        char *hash = arena_alloc(arena, 2 * HASH_BYTES + 1), *root = arena_alloc(arena, 2 * HASH_BYTES + 1);
        /* zero where no close came in this process: it was taken up later, or the round never closed */
        const bool closed = agent->at.masked != NULL && agent->at.masked[m].site == agent->at.members[m];
        const struct message_head *head = closed ? &agent->at.masked[m].head : &site->accept.head;
        hex_encode(hash, site->accept.snapshot_hash.b, HASH_BYTES);
        hex_encode(root, head->root.b, HASH_BYTES);
        snapshots[facts->n_snapshots++] = (struct report_snapshot){site->site->name, site->accept.snapshot, hash};
        heads[facts->n_log_heads++] = (struct report_log_head){site->site->name, (int64_t)head->size, root};
    }
    if (agent->at.n_members > 0) {
        char *root = arena_alloc(arena, 2 * HASH_BYTES + 1);
        hex_encode(root, agent->coordinator_head.root.b, HASH_BYTES);
        heads[facts->n_log_heads++] = (struct report_log_head){agent->options.directory->coordinator.name, (int64_t)agent->coordinator_head.size, root};
    }
}
