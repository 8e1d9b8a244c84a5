/* How an agent begins: a new query (agent_ask), or one that is taken up again from its journal
 * (agent_resume); and how it goes. */
#include "agent/evidence.h"
#include "agent/private.h"

#include <stdlib.h>
#include <string.h>

/* --- making --- */

static enum maille_code agent_new(struct agent **out, const struct agent_options *options,
                                  struct maille_error *error)
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
    const struct directory_researcher *own =
        directory_researcher(options->directory, secret_keys_name(options->keys));
    if (own == NULL ||
        memcmp(own->keys.identity, secret_keys_public(options->keys)->identity, PUBLIC_BYTES) != 0) {
        maille_fail(error, MAILLE_INVALID,
                    "expected a researcher of the network %s, found the key of %s; ask its authority to add "
                    "it (maille network add)",
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
    agent_journal_close(agent);
    agent_round_clear(&agent->at);
    study_run_clear(&agent->run);
    bytes_clear(&agent->manifest);
    bytes_clear(&agent->last);
    bytes_clear(&agent->last_frame);
    bytes_clear(&agent->before_start);
    bytes_clear(&agent->before_frame);
    bytes_clear(&agent->told);
    free(agent->waiting);
    arena_free(agent->accepts);
    arena_free(agent->arena);
    crypto_wipe(agent, sizeof *agent);
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
            return maille_fail(error, MAILLE_INVALID,
                               "expected a site of the network %s, found \"%s\" among the study's sites",
                               directory->network, study->sites[k]);
    for (size_t i = 0; i < agent->options.n_without; i++)
        if (directory_site_named(directory, agent->options.without[i]) == NULL)
            return maille_fail(error, MAILLE_INVALID,
                               "expected a site of the network %s after --without, found \"%s\"",
                               directory->network, agent->options.without[i]);
    for (size_t s = 0; s < directory->n_sites; s++) {
        bool named = study->all_sites;
        for (size_t k = 0; k < study->n_sites; k++)
            named = named || strcmp(study->sites[k], directory->sites[s].name) == 0;
        if (named && !agent_without(agent, directory->sites[s].name))
            agent->sites[agent->n_sites++].site = &directory->sites[s];
    }
    for (size_t i = 0; i < agent->options.n_without; i++)
        agent_say(agent,
                  "without %s: where sites shield their own totals (own_totals), the same patients can no "
                  "longer be "
                  "asked about together with it, since the difference would be its own numbers",
                  agent->options.without[i]);
    agent->n_min = directory_sites_needed(directory, agent_in_circle(agent), agent->n_sites);
    if (agent->n_min == 0 && agent->n_sites >= 3)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected at least %d sites, or all of a network of 3 or 4, found %zu of %zu: so few cannot "
            "open sums for themselves",
            CIRCLE_SITES, agent->n_sites, directory_network(directory));
    if (agent->n_min == 0)
        return maille_fail(error, MAILLE_INVALID,
                           "expected at least 3 sites, found %zu: with two, each would read the other's sums",
                           agent->n_sites);
    return MAILLE_OK;
}

/* The sites that were asked: the directory may have gained some since. */
static enum maille_code take_sites(struct agent *agent, const struct message_manifest *manifest,
                                   struct maille_error *error)
{
    agent->sites = arena_array(agent->arena, manifest->n_sites + 1, sizeof *agent->sites);
    for (size_t s = 0; s < manifest->n_sites; s++) {
        const struct directory_site *site = directory_site(agent->options.directory, manifest->sites[s]);
        if (site == NULL)
            return maille_fail(error, MAILLE_INVALID,
                               "expected the sites that were asked in the directory, found that number %u "
                               "has left; ask again",
                               manifest->sites[s]);
        agent->sites[agent->n_sites++].site = site;
    }
    agent->n_min = manifest->n_min;
    agent->mode = manifest->mode;
    return MAILLE_OK;
}

static enum maille_code write_manifest(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *directory = agent->options.directory;
    const struct study *study = agent->study;
    struct bytes body = {0};
    int64_t now = clock_read_utc_ms(&agent->options.clock), last = ((int64_t)study->expires + 1) * 86400000;
    if (last <= now) {
        char day[16];
        number_format_date(day, study->expires);
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a study that has not expired, found expires: %s; renew it and sign again", day);
    }
    const struct registration *registration = registration_find(directory, study->protocol);
    if (registration != NULL && registration_end_ms(registration) < last)
        last = registration_end_ms(registration);
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
        .expires_ms =
            now + directory->timeouts.lifetime_ms < last ? now + directory->timeouts.lifetime_ms : last,
        .mode = agent->mode,
    };
    memcpy(manifest.qid, agent->qid, QID_BYTES);
    memcpy(manifest.rk, agent->rk, PUBLIC_BYTES);
    hash_kdf(&manifest.dictionary_hash, NULL, "dictionary", study->dictionary->text,
             study->dictionary->text_length);
    for (size_t s = 0; s < agent->n_sites; s++)
        sites[s] = agent->sites[s].site->id;
    for (size_t k = 0; k < study->n_analyses; k++) {
        bool known = false;
        for (size_t m = 0; m < manifest.n_methods; m++)
            known = known || strcmp(methods[m].name, study->analyses[k].method) == 0;
        if (!known)
            methods[manifest.n_methods++] = (struct message_method){
                study->analyses[k].method, method_find(study->analyses[k].method)->version};
    }
    MAILLE_TRY(message_manifest_encode(&body, &manifest, error));
    MAILLE_TRY(agent_keep(agent, MESSAGE_MANIFEST, &body, NULL, error));
    MAILLE_TRY(bytes_copy(&agent->manifest, agent->last.data, agent->last.length));
    hash_kdf(&agent->manifest_hash, NULL, "manifest", agent->manifest.data, agent->manifest.length);
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
    agent->mode = options->mode == MODE_AGENT ? MODE_AGENT : MODE_CIRCLE;
    agent->began_ms = agent_now_ms(agent);
    clock_format(agent->began_at, clock_read_utc_ms(&agent->options.clock));
    crypto_random_bytes(agent->qid, QID_BYTES);
    bytes_to_hex(agent->id, agent->qid, QID_BYTES);
    seal_box_pair(agent->rk, agent->rk_secret);
    crypto_random_bytes(agent->theta_key, KEY_BYTES);
    MAILLE_TRY(choose_sites(agent, error));
    MAILLE_TRY(study_run_init(&agent->run, study, error));
    MAILLE_TRY(write_manifest(agent, error));
    MAILLE_TRY(agent_journal_create(agent, error));
    bytes_put_block(&record, agent->manifest.data, agent->manifest.length);
    bytes_put(&record, agent->rk_secret, KEY_BYTES);
    bytes_put(&record, agent->theta_key, KEY_BYTES);
    bytes_put_block(&record, study->dictionary->text, study->dictionary->text_length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_HEAD, &record, error));
    MAILLE_TRY(agent_evidence_network(agent, error));
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
    struct message in;
    const struct message_manifest *manifest = &in.body.manifest;
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
    agent->last_kind = MESSAGE_MANIFEST;
    MAILLE_TRY(message_within(&in, agent->arena, &(struct byte_view){agent->manifest.data, length},
                              MESSAGE_MANIFEST, NULL, 0, error));
    hash_kdf(&agent->manifest_hash, NULL, "manifest", agent->manifest.data, agent->manifest.length);
    if (memcmp(manifest->qid, agent->qid, QID_BYTES) != 0) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected the state of query %.8s, found another's",
                           agent->id);
        goto out;
    }
    memcpy(agent->rk, manifest->rk, PUBLIC_BYTES);
    memcpy(agent->rk_secret, rk, KEY_BYTES);
    memcpy(agent->theta_key, theta, KEY_BYTES);
    MAILLE_TRY(dictionary_parse(&dictionary, agent->arena, "the query's dictionary",
                                arena_strndup(agent->arena, (const char *)text, text_length), text_length,
                                error));
    MAILLE_TRY(
        study_parse(&agent->study, agent->arena, dictionary, methods, n_methods, "the query's study",
                    arena_strndup(agent->arena, (const char *)manifest->study.data, manifest->study.length),
                    manifest->study.length, error));
    MAILLE_TRY(take_sites(agent, manifest, error));
    MAILLE_TRY(study_run_init(&agent->run, agent->study, error));
out:
    return code;
}

static enum maille_code take_start(struct agent *agent, struct reader *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    size_t length, frame_length;
    const uint8_t *bytes = reader_block(record, MESSAGE_BODY_MAX, &length);
    const uint8_t *frame = reader_block(record, MESSAGE_FRAME_MAX, &frame_length);
    if (!reader_done(record) || bytes == NULL || frame == NULL)
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected the start of a round in a query's state, found other bytes");
    MAILLE_TRY(agent_keep_attempt(agent, error));
    MAILLE_TRY(bytes_copy(&agent->last, bytes, length));
    MAILLE_TRY(bytes_copy(&agent->last_frame, frame, frame_length));
    agent->last_kind = MESSAGE_START;
    agent->has_frame = !agent_in_circle(agent);
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    code = message_within(&in, arena, &(struct byte_view){bytes, length}, MESSAGE_START, NULL, 0, error);
    if (code == MAILLE_OK)
        code = agent_take_start(agent, &in.round, &in.psi, error);
    arena_free(arena);
out:
    return code;
}

static enum maille_code take_record(struct agent *agent, enum journal_kind kind, struct reader *record,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t length = 0;
    const uint8_t *bytes;
    if (agent->study == NULL && kind != JOURNAL_HEAD)
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected the head of a query's state first, found a record of kind %d",
                           (int)kind);
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
        agent->last_kind = MESSAGE_CALL;
        agent->stage = STAGE_CALLED;
        return MAILLE_OK;
    case JOURNAL_ROSTER: {
        bytes = reader_block(record, MESSAGE_BODY_MAX, &length);
        if (!reader_done(record))
            break;
        uint8_t *kept = arena_alloc(agent->arena, length + 1);
        memcpy(kept, bytes, length);
        struct message in;
        MAILLE_TRY(message_within(&in, agent->arena, &(struct byte_view){kept, length}, MESSAGE_ROSTER,
                                  agent->options.directory, FROM_COORDINATOR, error));
        return agent_take_roster(agent, &in, error);
    }
    case JOURNAL_START:
        return take_start(agent, record, error);
    case JOURNAL_TOTALS:
        bytes = reader_block(record, TALLY_BYTES_MAX, &length);
        if (!reader_done(record))
            break;
        return agent_take_totals(agent, bytes, length, error);
    case JOURNAL_RESULTS: {
        const uint64_t vector_bytes = reader_u64(record);
        bytes = reader_block(record, MESSAGE_FRAME_MAX, &length);
        if (!reader_done(record) || bytes == NULL)
            break;
        return agent_take_results(agent, vector_bytes, bytes, length, error);
    }
    case JOURNAL_FAULT:
        bytes = reader_block(record, sizeof error->sentence - 1, &length);
        if (!reader_done(record))
            break;
        return maille_fail(error, MAILLE_SIGNATURE, "%.*s", (int)length, (const char *)bytes);
    case JOURNAL_EVIDENCE:
        return agent_evidence_seen(agent, record, error);
    case JOURNAL_ENDED:
        agent->stage = STAGE_ENDED;
        agent->finished = true;
        return MAILLE_OK;
    }
    code = maille_fail(error, MAILLE_CORRUPT, "expected a record of a query's state, found other bytes");
out:
    return code;
}

enum maille_code agent_resume(struct agent **out, const struct agent_options *options, const char *id,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent *agent = NULL;
    MAILLE_TRY(agent_new(&agent, options, error));
    MAILLE_TRY(agent_journal_open(agent, id, error));
    MAILLE_TRY(agent_journal_replay(agent, take_record, error));
    if (agent->study == NULL) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected a query that was asked, found one that stopped before its question was written: %.8s",
            agent->id);
        goto out;
    }
    *out = agent;
    agent = NULL;
out:
    agent_free(agent);
    return code;
}
