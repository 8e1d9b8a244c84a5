#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pack.h"
#include "vault/private.h"

/* Handlers of one round: start, pull, close. What is particular to threshold rounds is in custody.c. */

enum { THETA_PACKED_MAX = 64 * 1024 * 1024, PULL_MAX = 16 };

/* --- M3 start → M4 masked, or M3n refuse --- */

static void work_clear(struct round_work *work, const struct study *study)
{
    crypto_wipe(work->theta_key, sizeof work->theta_key);
    for (size_t k = 0; work->thetas != NULL && k < study->n_analyses; k++)
        vector_clear(&work->thetas[k]);
    round_plan_clear(&work->plan);
    data_round_clear(&work->sums);
    threshold_clear(&work->threshold);
    tally_clear(&work->words);
    bytes_wipe(&work->noise);
    release_free(work->release);
    share_free(work->share);
    free(work->share_header);
}

/* K_θ: sealed to our EK in every attempt of round 1, the same in all of them. */
static enum maille_code theta_key(struct round_work *work, const struct query *query,
                                  const struct message *in, uint32_t own, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes opened = {0};
    const struct message_start *start = &in->body.start;
    const struct message_sealed_key *sealed = NULL;
    for (size_t i = 0; i < start->n_keys; i++)
        if (start->keys[i].site == own)
            sealed = &start->keys[i];
    if (work->header.round > 1 || (sealed == NULL && query->has_theta_key)) {
        memcpy(work->theta_key, query->theta_key, KEY_BYTES);
        goto out;
    }
    if (sealed == NULL) {
        code = maille_protest(error, "theta_key", "expected the key of theta for this site, found none");
        goto out;
    }
    MAILLE_TRY(
        query_secrets_open(&opened, query->secrets, sealed->sealed.data, sealed->sealed.length, error));
    if (opened.length != KEY_BYTES ||
        (query->has_theta_key && memcmp(opened.data, query->theta_key, KEY_BYTES) != 0)) {
        code = maille_protest(error, "theta_key", "expected one key of theta of %d bytes for the whole query",
                              KEY_BYTES);
        goto out;
    }
    memcpy(work->theta_key, opened.data, KEY_BYTES);
out:
    bytes_wipe(&opened);
    return code;
}

/* c_r to θ of every open analysis. Values begin where the method begins: nobody chooses a start value. */
static enum maille_code theta_open(struct round_work *work, const struct query *query,
                                   const struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes packed = {0}, plain = {0};
    MAILLE_TRY(seal_secretbox_open(&packed, work->theta_key, in->frame, in->frame_length, error));
    MAILLE_TRY(proto_unpack(&plain, packed.data, packed.length, THETA_PACKED_MAX, error));
    MAILLE_TRY(round_thetas_read(work->thetas, query->study, work->open, plain.data, plain.length, error));
    for (size_t k = 0;
         k < query->study->n_analyses && work->header.round <= custody_values_from(query, &work->header); k++)
        if (work->thetas[k].n != 0) {
            code = maille_protest(error, "theta", "expected no theta in round %u, found %zu numbers",
                                  work->header.round, work->thetas[k].n);
            goto out;
        }
out:
    bytes_wipe(&packed);
    bytes_wipe(&plain);
    return code;
}

static void verdict_put_all(struct round_work *work, size_t n, const struct maille_error *error)
{
    for (size_t k = 0; k < n; k++)
        if (work->open[k])
            gate_refuse(&work->verdicts[k], error->rule, "%s", error->sentence);
}

void vault_veto(struct round_work *work, size_t analysis, const char *rule, const char *sentence)
{
    work->vetoed[analysis] = true;
    gate_refuse(&work->objections[analysis], rule, "%s", sentence);
}

static bool any_refused(const struct round_work *work, size_t n)
{
    bool refused = false;
    for (size_t k = 0; k < n; k++)
        refused = refused || (work->open[k] && work->verdicts[k].rule[0] != '\0');
    return refused;
}

/* A snapshot that is gone or altered refuses every analysis: nobody waits for what cannot come. */
static enum maille_code work_failed(struct round_work *work, size_t n, enum maille_code code,
                                    struct maille_error *why, struct maille_error *error)
{
    if (code == MAILLE_CORRUPT || code == MAILLE_FAILED)
        snprintf(why->rule, sizeof why->rule, "snapshot");
    else if (code != MAILLE_REFUSED) {
        *error = *why;
        return code;
    }
    verdict_put_all(work, n, why);
    return MAILLE_OK;
}

enum maille_code vault_round_bind(struct round_work *work, const struct query *query,
                                  const struct message *in, const struct round_shape *shape,
                                  struct maille_error *why)
{
    work->layout = shape->layout;
    if (circle_is(query))
        return circle_bind(work, query, in, shape, why);
    work->mask_psi = work->psi;
    return vault_check_shape(shape, &query->manifest, &in->body.start, &work->header, why);
}

/* A round of values as this site works it out. */
static enum maille_code bind_values(const struct query *query, const struct message *in,
                                    struct round_work *work, struct maille_error *error)
{
    enum { ROOM = 2 * STUDY_ANALYSES_MAX * TALLY_BLOCKS_MAX + 1 };
    struct word_run *runs = calloc(ROOM, sizeof *runs);
    if (runs == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the runs of a round");
    struct round_shape shape = {.plan = query->custody.plan_hash,
                                .length = work->plan.bytes,
                                .runs = runs,
                                .n_runs = gate_runs(runs, ROOM, &work->plan)};
    hash_kdf(&shape.layout, NULL, "layout", work->plan.layout.data, work->plan.layout.length);
    enum maille_code code = vault_round_bind(work, query, in, &shape, error);
    free(runs);
    return code;
}

/* What the threshold rounds refused stays refused, whoever asks for it again. */
static void verdicts_of_plan(const struct query *query, struct round_work *work)
{
    const struct plan *plan = &query->custody.plan;
    for (size_t k = 0; query->custody.needed && k < query->study->n_analyses; k++) {
        if (!work->open[k])
            continue;
        if (plan->arena == NULL || k >= plan->n || !plan->analyses[k].open)
            gate_refuse(&work->verdicts[k], "plan", "it took no part in the threshold rounds");
        else if (plan->analyses[k].rule[0] != '\0')
            gate_refuse(&work->verdicts[k], plan->analyses[k].rule, "the threshold rounds refused it");
    }
}

/* The plan of a round of values, worked out here; then the sums. What stands against it is in the verdicts,
 * or (MAILLE_REFUSED, and what work_failed knows) in why. */
static enum maille_code work_values(struct vault *vault, struct query *query, const struct message *in,
                                    struct round_work *work, struct maille_error *why)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = query->study;
    const struct custody *custody = &query->custody;
    const size_t n = study->n_analyses;
    const struct data_source *data = &vault->options.data;
    const bool begins = work->header.round == custody_values_from(query, &work->header);
    bool first[STUDY_ANALYSES_MAX] = {false}; /* whose first round of values it is */
    verdicts_of_plan(query, work);
    if (any_refused(work, n))
        goto out;
    MAILLE_TRY(round_plan(&work->plan, study, work->open, work->thetas, custody->plan.surviving,
                          circle_room(query, &work->header), why));
    for (size_t k = 0; k < n; k++) {
        const struct maille_error *found = &work->plan.analyses[k].error;
        if (work->open[k] && found->code != MAILLE_OK)
            gate_refuse(&work->verdicts[k], found->code == MAILLE_REFUSED ? found->rule : "theta", "%s",
                        found->sentence);
    }
    if (any_refused(work, n))
        goto out;
    for (size_t k = 0; k < n; k++) {
        work->open[k] = work->plan.analyses[k].open; /* some wait for a later round */
        first[k] =
            work->open[k] && (circle_is(query) ? query->circle.run.states[k].iteration.round == 1 : begins);
    }
    MAILLE_TRY(bind_values(query, in, work, why));
    MAILLE_TRY(vault_verdicts(vault, work->verdicts, study, query->manifest.researcher, begins, why));
    for (size_t k = 0; k < n; k++)
        if (work->open[k])
            MAILLE_TRY(gate_domain(&work->verdicts[k], vault->policy, work->plan.analyses[k].spec, why));
    if (any_refused(work, n))
        goto out;
    if (vault->policy->min_ess_share != POLICY_OFF)
        work->sums.weigh = circle_is(query) ? DATA_WEIGH_OWN : DATA_WEIGH_ALL;
    MAILLE_TRY(data->round(data->context, &work->sums, query->snapshot, study, work->open, work->thetas,
                           custody->needed ? &custody->plan_bytes : NULL, why));
    for (size_t k = 0; k < n; k++)
        if (work->open[k] && work->sums.failures[k].rule[0] != '\0')
            vault_veto(work, k, work->sums.failures[k].rule, work->sums.failures[k].sentence);
    for (size_t k = 0; k < n && work->sums.shares != NULL; k++) {
        struct verdict few = {{0}, {0}, {0}};
        gate_weights(&few, vault->policy, work->sums.shares[k]);
        if (work->open[k] && few.rule[0] != '\0')
            vault_veto(work, k, few.rule, few.sentence);
    }
    MAILLE_TRY(query_secrets_fill(&work->noise, query->secrets, &work->mask_psi, work->plan.bytes, why));
    if (!digest_equal(&work->sums.layout, &work->layout))
        code = maille_fail(why, MAILLE_INTERNAL, "expected sums of the layout of this round, found another");
    struct verdict *unlike = arena_array(in->arena, n, sizeof *unlike);
    if (code == MAILLE_OK)
        code = vault_approval_check(vault, query, work->verdicts, unlike, first,
                                    custody->needed ? custody->plan.surviving : NULL, &work->plan,
                                    &work->sums, why);
    for (size_t k = 0; code == MAILLE_OK && k < n; k++)
        if (unlike[k].rule[0] != '\0')
            vault_veto(work, k, unlike[k].rule, unlike[k].sentence);
out:
    return code;
}

static enum maille_code work_sums(struct vault *vault, struct query *query, const struct message *in,
                                  struct round_work *work, struct maille_error *error)
{
    struct maille_error why = {0};
    enum maille_code code = MAILLE_OK;
    if (work->header.round == 1 && work->header.n_members < query->n_members)
        code = vault_ledger_members(vault, query, &work->header, &why);
    if (code == MAILLE_OK)
        code = work->which != 0 ? custody_words(vault, query, in, work, &why)
                                : work_values(vault, query, in, work, &why);
    return code == MAILLE_OK ? MAILLE_OK : work_failed(work, query->study->n_analyses, code, &why, error);
}

/* The one place where sums become something that can be masked. */
static enum maille_code work_release(struct round_work *work, const struct custody *custody,
                                     struct maille_error *error)
{
    return work->which != 0
               ? threshold_release(&work->release, &work->threshold, work->which, &work->words, error)
               : gate_release(&work->release, &work->plan, custody->needed ? custody->plan.surviving : NULL,
                              work->verdicts, &(struct gate_veto){work->vetoed, work->noise.data},
                              &work->sums.words, error);
}

static enum maille_code refuse_encode(struct bytes *envelope, const char **words, struct vault *vault,
                                      const struct query *query, const struct round_work *work,
                                      struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0};
    const size_t n = query->study->n_analyses;
    struct message_finding *findings = arena_array(arena, n + 1, sizeof *findings);
    struct message_refuse refuse = {.psi = work->psi, .site = vault->self->id, .findings = findings};
    memcpy(refuse.qid, query->qid, QID_BYTES);
    refuse.n_findings = vault_verdict_findings(findings, work->verdicts, n, work->open);
    MAILLE_TRY(message_refuse_encode(&body, &refuse, error));
    MAILLE_TRY(vault_envelope(envelope, vault, MESSAGE_REFUSE, &body, error));
    *words = arena_printf(arena, "round %u attempt %u:", work->header.round, work->header.attempt);
    for (size_t i = 0; i < refuse.n_findings; i++) {
        const struct verdict *verdict = &work->verdicts[findings[i].analysis];
        *words =
            arena_printf(arena, "%s %s refused: %s: %s;", *words,
                         query->study->analyses[findings[i].analysis].id, verdict->rule, verdict->sentence);
    }
out:
    bytes_clear(&body);
    return code;
}

static enum maille_code masked_encode(struct bytes *envelope, struct vault *vault, const struct query *query,
                                      const struct round_work *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0};
    struct arena *arena = arena_new();
    struct message_masked *masked = calloc(1, sizeof *masked);
    if (masked == NULL || arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a message");
        goto out;
    }
    memcpy(masked->qid, query->qid, QID_BYTES);
    masked->psi = work->psi;
    masked->site = vault->self->id;
    masked->share = *work->share_header;
    MAILLE_TRY(vault_log_head(vault, &masked->head, arena, error));
    MAILLE_TRY(message_masked_encode(&body, masked, error));
    MAILLE_TRY(vault_envelope(envelope, vault, MESSAGE_MASKED, &body, error));
out:
    free(masked);
    arena_free(arena);
    bytes_clear(&body);
    return code;
}

/* The first segment of a vector: what travels with M4. NULL where the vector is empty. */
static const uint8_t *first_segment(const uint8_t *vector, size_t length, size_t *segment)
{
    *segment = length < SEGMENT_BYTES ? length : SEGMENT_BYTES;
    return length > 0 ? vector : NULL;
}

/* The log entry, then ψ and y_i on disk, then the message. */
static enum maille_code answer_masked(struct vault *vault, struct query *query, const struct message *in,
                                      struct round_work *work, struct message_outbox *outbox,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes envelope = {0}, record = {0};
    size_t length, segment;
    work->share_header = calloc(1, sizeof *work->share_header);
    if (work->share_header == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a message");
    MAILLE_TRY(work_release(work, &query->custody, error));
    MAILLE_TRY(share_make(&work->share, work->share_header, work->release, query->secrets, &work->mask_psi,
                          work->header.members, work->header.n_members, error));
    const uint8_t *vector = share_bytes(work->share, &length);
    const uint8_t *frame = first_segment(vector, length, &segment);
    MAILLE_TRY(masked_encode(&envelope, vault, query, work, error));
    const struct vault_left left = {.query = query,
                                    .header = &work->header,
                                    .psi = &work->psi,
                                    .mask_psi = &work->mask_psi,
                                    .plan = work->which != 0 ? NULL : &work->plan,
                                    .threshold = &work->threshold,
                                    .which = work->which,
                                    .release = work->release,
                                    .vector = &work->share_header->vector,
                                    .vector_bytes = length,
                                    .vetoed = work->vetoed,
                                    .objections = work->objections,
                                    .words =
                                        work->which != 0 ? custody_log_words(in->arena, query, work) : NULL};
    MAILLE_TRY(vault_log_masked(vault, &envelope, frame, segment, &left, error));
    release_free(work->release);
    work->release = NULL;
    vault_record_start(&record, vault_now_ms(vault), &in->body.start.header, &work->mask_psi, work->theta_key,
                       true, &work->share_header->vector, &envelope);
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_START, &record, vector, length, error));
    MAILLE_TRY(message_outbox_put(outbox, MESSAGE_MASKED, &envelope, frame, segment, error));
    if (vault->options.figures != NULL)
        figure_add(&vault->options.figures->rounds, 1);
out:
    bytes_clear(&envelope);
    bytes_wipe(&record);
    return code;
}

static enum maille_code answer_refuse(struct vault *vault, struct query *query, const struct message *in,
                                      struct round_work *work, struct message_outbox *outbox,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const struct digest none;
    struct bytes envelope = {0}, record = {0};
    const char *words = "";
    MAILLE_TRY(refuse_encode(&envelope, &words, vault, query, work, in->arena, error));
    vault_record_start(&record, vault_now_ms(vault), &in->body.start.header, &work->mask_psi, work->theta_key,
                       false, &none, &envelope);
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_START, &record, NULL, 0, error));
    const struct vault_judged judged = {.query = query,
                                        .study = query->study,
                                        .verdicts = work->verdicts,
                                        .open = work->open,
                                        .decision = "refused",
                                        .header = &work->header,
                                        .psi = &work->psi,
                                        .words = words};
    MAILLE_TRY(vault_log_judged(vault, MESSAGE_REFUSE, &envelope, &judged, error));
    MAILLE_TRY(message_outbox_put(outbox, MESSAGE_REFUSE, &envelope, NULL, 0, error));
out:
    bytes_clear(&envelope);
    bytes_wipe(&record);
    return code;
}

/* The same start again: the same bytes again. For one ψ there is one x for ever. */
static enum maille_code answer_again(struct vault *vault, struct query *query, const struct message *in,
                                     struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct attempt *attempt = &query->attempt;
    uint8_t *frame = NULL;
    size_t segment = attempt->length < SEGMENT_BYTES ? (size_t)attempt->length : SEGMENT_BYTES;
    if (!attempt->masked)
        return vault_send(vault, outbox, MESSAGE_REFUSE, in->qid, &attempt->reply, NULL, 0, "again", error);
    if (segment > 0) {
        frame = arena_alloc(in->arena, segment);
        MAILLE_TRY(journal_raw(query->journal, frame, attempt->raw, segment, error));
    }
    MAILLE_TRY(
        vault_send(vault, outbox, MESSAGE_MASKED, in->qid, &attempt->reply, frame, segment, "again", error));
out:
    return code;
}

/* There is a newer snapshot than the one that this query was accepted on: nothing more is counted on that,
 * whatever the newer one was made for. (Were it so only where a patient objects, the end of a query would say
 * that one did.) */
static enum maille_code end_superseded(bool *ended, struct vault *vault, struct query *query,
                                       struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data_facts facts = {0};
    struct maille_error why;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the facts of a snapshot");
    code = vault->options.data.facts(vault->options.data.context, &facts, query->snapshot, arena, &why);
    if (code == MAILLE_CORRUPT || code == MAILLE_FAILED || code == MAILLE_IO) {
        code = MAILLE_OK; /* told by the round, which needs the snapshot too */
        goto out;
    }
    if (code != MAILLE_OK) {
        if (error != NULL)
            *error = why;
        goto out;
    }
    if (facts.superseded == 0)
        goto out;
    MAILLE_TRY(vault_log_note(vault, "superseded", query->qid,
                              arena_printf(arena, "snapshot %u is superseded by %u: the query ends",
                                           query->snapshot, facts.superseded),
                              error));
    MAILLE_TRY(vault_cancel(vault, query, "snapshot", outbox, error));
    *ended = true;
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_handle_start(struct vault *vault, struct query *query, struct message *in,
                                    struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = query->study;
    struct round_work work = {.header = in->round, .psi = in->psi};
    bool ended = false;
    MAILLE_TRY(vault_check_researcher(in, query->manifest.researcher, error));
    if (query->attempt.header.round != 0 && digest_equal(&work.psi, &query->attempt.psi)) {
        code = answer_again(vault, query, in, outbox, error);
        goto out;
    }
    MAILLE_TRY(vault_check_start(vault, query, in, &work.header, error));
    MAILLE_TRY(end_superseded(&ended, vault, query, outbox, error));
    if (!ended)
        MAILLE_TRY(vault_stop_asked(&ended, vault, query, outbox, error));
    if (ended) {
        query = NULL;
        goto out;
    }
    work.which = custody_which(query, &work.header);
    work.open = arena_array(in->arena, study->n_analyses, sizeof *work.open);
    work.thetas = arena_array(in->arena, study->n_analyses, sizeof *work.thetas);
    work.verdicts = arena_array(in->arena, study->n_analyses, sizeof *work.verdicts);
    work.vetoed = arena_array(in->arena, study->n_analyses, sizeof *work.vetoed);
    work.objections = arena_array(in->arena, study->n_analyses, sizeof *work.objections);
    for (size_t i = 0; i < work.header.n_analyses; i++)
        work.open[work.header.analyses[i]] = true;
    if (circle_is(query)) {
        circle_thetas(&work, query);
    } else {
        MAILLE_TRY(theta_key(&work, query, in, vault->self->id, error));
        MAILLE_TRY(theta_open(&work, query, in, error));
    }
    MAILLE_TRY(work_sums(vault, query, in, &work, error));
    code = any_refused(&work, study->n_analyses) ? answer_refuse(vault, query, in, &work, outbox, error)
                                                 : answer_masked(vault, query, in, &work, outbox, error);
out:
    work_clear(&work, study);
    return code;
}

/* --- pull → segments --- */

static enum maille_code send_segment(struct vault *vault, const struct query *query, const struct message *in,
                                     uint64_t index, struct message_outbox *outbox,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0}, envelope = {0};
    const struct attempt *attempt = &query->attempt;
    uint64_t at = index * SEGMENT_BYTES;
    size_t length = attempt->length - at < SEGMENT_BYTES ? (size_t)(attempt->length - at) : SEGMENT_BYTES;
    uint8_t *frame = arena_alloc(in->arena, length);
    struct message_segment segment = {
        .psi = attempt->psi, .source = vault->self->id, .what = PULL_SEGMENTS, .index = index};
    memcpy(segment.qid, query->qid, QID_BYTES);
    MAILLE_TRY(journal_raw(query->journal, frame, attempt->raw + at, length, error));
    MAILLE_TRY(message_segment_encode(&body, &segment, error));
    MAILLE_TRY(vault_envelope(&envelope, vault, MESSAGE_SEGMENT, &body, error));
    MAILLE_TRY(vault_send(vault, outbox, MESSAGE_SEGMENT, in->qid, &envelope, frame, length, NULL, error));
out:
    bytes_clear(&body);
    bytes_clear(&envelope);
    return code;
}

enum maille_code vault_handle_pull(struct vault *vault, struct query *query, struct message *in,
                                   struct message_outbox *outbox, struct maille_error *error)
{
    const struct message_pull *pull = &in->body.pull;
    const struct attempt *attempt = &query->attempt;
    uint64_t n = hash_segment_count((size_t)attempt->length);
    enum maille_code code = MAILLE_OK;
    if (!digest_equal(&pull->psi, &attempt->psi) || !attempt->masked)
        return maille_protest(error, "psi",
                              "expected a pull of the attempt that this site answered, found another");
    if (pull->source != vault->self->id || pull->what != PULL_SEGMENTS || pull->count == 0 ||
        pull->count > PULL_MAX || pull->first >= n || pull->count > n - pull->first)
        return maille_protest(error, "pull", "expected at most %d of this site's %llu segments", PULL_MAX,
                              (unsigned long long)n);
    for (uint32_t i = 0; i < pull->count && code == MAILLE_OK; i++)
        code = send_segment(vault, query, in, pull->first + i, outbox, error);
    return code;
}

/* --- M5 close → M6 reveal --- */

/* b_i for whom the round is: sealed to RK_A, or to the query key of every member. In arena. */
static enum maille_code seal_self(struct message_reveal *reveal, const struct query *query,
                                  struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct digest self = {{0}};
    struct bytes sealed = {0};
    const struct message_round_header *header = &query->attempt.header;
    const bool custodians = header->result_to == RESULT_TO_CUSTODIANS;
    const size_t n = custodians ? header->n_members : 1;
    struct message_sealed_key *keys = arena_array(arena, n, sizeof *keys);
    query_secrets_self(&self, query->secrets, &query->attempt.mask_psi);
    for (size_t i = 0, m = 0; i < n; i++) {
        while (custodians && query->members[m].site != header->members[i])
            m++;
        sealed.length = 0;
        code =
            seal_to(&sealed, custodians ? query->members[m].ek : query->manifest.rk, self.b, sizeof self.b);
        if (code != MAILLE_OK) {
            maille_fail(error, code, "expected a key that a mask can be sealed to, found none");
            goto out;
        }
        uint8_t *copy = arena_alloc(arena, sealed.length);
        memcpy(copy, sealed.data, sealed.length);
        keys[i] = (struct message_sealed_key){custodians ? header->members[i] : 0, {copy, sealed.length}};
    }
    if (custodians) {
        reveal->n_keys = n;
        reveal->keys = keys;
    } else {
        reveal->sealed = keys[0].sealed;
    }
out:
    crypto_wipe(&self, sizeof self);
    bytes_wipe(&sealed);
    return code;
}

/* What custody will be held against: every member's signed H(y_j) and commit. */
static const struct member_proof *proofs_of(const struct query *query, const struct message_masked *masked,
                                            struct arena *arena)
{
    const size_t n = query->attempt.header.n_members;
    struct member_proof *proofs = arena_array(arena, n, sizeof *proofs);
    for (size_t i = 0; i < n; i++)
        proofs[i] = (struct member_proof){masked[i].share.vector, masked[i].share.commit};
    return proofs;
}

enum maille_code vault_handle_close(struct vault *vault, struct query *query, struct message *in,
                                    struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0}, envelope = {0}, record = {0};
    const struct attempt *attempt = &query->attempt;
    const bool custodians = attempt->header.result_to == RESULT_TO_CUSTODIANS;
    const struct message_masked *masked = NULL;
    bool stopped = false;
    struct message_reveal reveal = {.psi = attempt->psi, .site = vault->self->id};
    if (query->state != QUERY_STARTED) {
        /* One ψ per (q, r), for ever: the same attempt gets the same bytes, any other nothing. */
        if (!digest_equal(&in->body.close.psi, &attempt->psi))
            code = maille_protest(error, "revealed",
                                  "expected the attempt that is revealed for round %u, found another",
                                  attempt->header.round);
        else
            code = vault_send(vault, outbox, MESSAGE_REVEAL, in->qid, &query->reveal_envelope, NULL, 0,
                              "again", error);
        goto out;
    }
    MAILLE_TRY(vault_stop_asked(&stopped, vault, query, outbox, error));
    if (stopped)
        goto out;
    MAILLE_TRY(vault_check_close(vault, query, &in->body.close, in->arena, &masked, error));
    MAILLE_TRY(vault_log_close(vault, in, error));
    memcpy(reveal.qid, query->qid, QID_BYTES);
    hash_kdf(&reveal.close_hash, NULL, "close", in->envelope.bytes, in->envelope.length);
    MAILLE_TRY(circle_is(query) && attempt->header.round > 1
                   ? circle_seal_self(&reveal, query, vault->self->id, in->arena, error)
                   : seal_self(&reveal, query, in->arena, error));
    MAILLE_TRY(message_reveal_encode(&body, &reveal, error));
    MAILLE_TRY(vault_envelope(&envelope, vault, MESSAGE_REVEAL, &body, error));
    code = vault_ledger_reveal(vault, query, &attempt->header, error);
    if (code == MAILLE_REFUSED) {
        code = vault_cancel(vault, query, error->rule, outbox, error);
        goto out;
    }
    if (code != MAILLE_OK)
        goto out;
    vault_record_reveal(&record, vault_now_ms(vault), &reveal.close_hash, &envelope,
                        custodians ? proofs_of(query, masked, in->arena) : NULL,
                        custodians ? attempt->header.n_members : 0);
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_REVEAL, &record, NULL, 0, error));
    MAILLE_TRY(
        vault_send(vault, outbox, MESSAGE_REVEAL, in->qid, &envelope, NULL, 0,
                   arena_printf(in->arena, "the self mask of round %u attempt %u%s", attempt->header.round,
                                attempt->header.attempt, custodians ? ", to the sites alone" : ""),
                   error));
out:
    bytes_clear(&body);
    bytes_clear(&envelope);
    bytes_clear(&record);
    return code;
}
