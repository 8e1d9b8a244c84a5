/* Rounds: plan and start, close, reveals, totals (docs/PROTOCOL.md §3, M3 to M6). */
#include "agent/evidence.h"
#include "agent/private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pack.h"

void agent_round_clear(struct agent_round *round)
{
    agent_shape_clear(&round->shape);
    free(round->masked);
    free(round->taken);
    free(round->tags);
    for (size_t m = 0; round->answers != NULL && m < round->n_members; m++)
        bytes_clear(&round->answers[m]);
    free(round->answers);
    free(round->unreadable);
    free(round->revealed);
    if (round->reveals != NULL)
        crypto_wipe(round->reveals, round->n_members * sizeof *round->reveals);
    free(round->reveals);
    free(round->own_sum);
    for (size_t v = 0; v < round->n_vectors; v++) {
        free(round->vectors[v].bytes);
        free(round->vectors[v].leaves);
        free(round->vectors[v].wanted);
        free(round->vectors[v].have);
    }
    free(round->vectors);
    *round = (struct agent_round){0};
}

/* θ of the open analyses, packed and sealed under K_θ: c_r. */
static enum maille_code seal_theta(struct bytes *out, const struct agent *agent, const bool *open,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes plain = {0}, packed = {0};
    size_t n = agent->study->n_analyses;
    struct vector *thetas = calloc(n + 1, sizeof *thetas); /* borrowed */
    if (thetas == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    for (size_t k = 0; k < n; k++)
        thetas[k] = agent->run.states[k].iteration.theta;
    round_thetas_write(&plain, agent->study, open, thetas);
    MAILLE_TRY(bytes_check(&plain, error));
    MAILLE_TRY(proto_pack(&packed, plain.data, plain.length, error));
    MAILLE_TRY(seal_secretbox(out, agent->theta_key, packed.data, packed.length));
out:
    free(thetas);
    bytes_wipe(&plain);
    bytes_wipe(&packed);
    return code;
}

/* K_θ for every member, in every attempt of round 1. */
static enum maille_code seal_keys(struct message_sealed_key *keys, struct arena *arena,
                                  const struct agent *agent, const uint32_t *members, size_t n,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0};
    for (size_t m = 0; m < n; m++) {
        const struct agent_site *site = agent_site((struct agent *)(uintptr_t)agent, members[m]);
        sealed.length = 0;
        if (seal_to(&sealed, site->accept.ek, agent->theta_key, KEY_BYTES) != MAILLE_OK) {
            code = maille_protest(error, "key", "expected a key of %s that can be sealed to, found none",
                                  site->site->name);
            goto out;
        }
        uint8_t *copy = arena_alloc(arena, sealed.length);
        memcpy(copy, sealed.data, sealed.length);
        keys[m] = (struct message_sealed_key){members[m], {copy, sealed.length}};
    }
out:
    bytes_clear(&sealed);
    return code;
}

/* Takes a round as the one under way. shape moves into the agent. */
static enum maille_code begin_round(struct agent *agent, struct agent_shape *shape, uint32_t round,
                                    uint32_t attempt, const uint32_t *members, size_t n_members,
                                    const struct digest *psi, struct maille_error *error)
{
    struct agent_round made = {.round = round,
                               .attempt = attempt,
                               .under_way = true,
                               .psi = *psi,
                               .shape = *shape,
                               .n_members = n_members,
                               .started_ms = agent_now_ms(agent)};
    assert(n_members > 0);
    *shape = (struct agent_shape){0};
    memcpy(made.members, members, n_members * sizeof *members);
    made.masked = calloc(n_members, sizeof *made.masked);
    made.reveals = calloc(n_members, sizeof *made.reveals);
    made.revealed = calloc(n_members, sizeof *made.revealed);
    made.taken = calloc(n_members, sizeof *made.taken);
    made.tags = calloc(n_members, sizeof *made.tags);
    made.answers = calloc(n_members, sizeof *made.answers);
    made.unreadable = calloc(n_members, sizeof *made.unreadable);
    if (made.masked == NULL || made.reveals == NULL || made.revealed == NULL || made.taken == NULL ||
        made.tags == NULL || made.answers == NULL || made.unreadable == NULL) {
        agent_round_clear(&made);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a round of %zu sites, found none",
                           n_members);
    }
    agent_round_clear(&agent->at);
    agent->at = made;
    return MAILLE_OK;
}

/* Plans round r among these members, writes it down and sends it. No analysis left: nothing is sent, and the
 * run is over. */
static enum maille_code start_round(struct agent *agent, uint32_t round, uint32_t attempt,
                                    const uint32_t *members, size_t n_members, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent_shape shape = {0};
    struct bytes theta = {0}, header_bytes = {0}, body = {0}, record = {0};
    struct digest psi;
    struct arena *arena = arena_new();
    uint32_t *among = NULL;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    among =
        calloc(n_members + 1, sizeof *among); /* members may be those of the round that begin_round clears */
    if (among == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    memcpy(among, members, n_members * sizeof *members);
    MAILLE_TRY(agent_shape(&shape, agent, round, members, n_members, error));
    if (!study_run_open(&agent->run))
        goto out;
    if (round > AGENT_ROUNDS_MAX) {
        for (size_t k = 0; k < agent->study->n_analyses; k++)
            if (agent->run.states[k].status == ANALYSIS_OPEN)
                study_run_fail(&agent->run, k, "it did not converge within the rounds that a query may have");
        goto out;
    }
    const bool circle = agent_in_circle(agent);
    if (!circle)
        MAILLE_TRY(seal_theta(&theta, agent, shape.open, error));
    uint32_t *analyses = arena_array(arena, agent->study->n_analyses + 1, sizeof *analyses);
    struct message_round_header header = {.rho = agent->rho,
                                          .round = round,
                                          .attempt = attempt,
                                          .n_members = n_members,
                                          .members = among,
                                          .analyses = analyses,
                                          .previous_hash = agent->previous,
                                          .layout_hash = shape.layout,
                                          .length = shape.length,
                                          .result_to = circle ? RESULT_TO_CUSTODIANS : RESULT_TO_ANALYST};
    for (size_t k = 0; k < agent->study->n_analyses; k++)
        if (shape.open[k])
            analyses[header.n_analyses++] = (uint32_t)k;
    if (!circle)
        hash_kdf(&header.theta_hash, NULL, "theta", theta.data, theta.length);
    MAILLE_TRY(message_round_header_encode(&header_bytes, &header, error));
    hash_kdf(&psi, NULL, "round", header_bytes.data, header_bytes.length);
    MAILLE_TRY(begin_round(agent, &shape, round, attempt, among, n_members, &psi, error));

    struct message_start start = {.header = {header_bytes.data, header_bytes.length},
                                  .n_runs = agent->at.shape.n_runs,
                                  .runs = agent->at.shape.runs};
    memcpy(start.qid, agent->qid, QID_BYTES);
    if (round == 1 && !circle) {
        struct message_sealed_key *keys = arena_array(arena, n_members + 1, sizeof *keys);
        MAILLE_TRY(seal_keys(keys, arena, agent, among, n_members, error));
        start.n_keys = n_members;
        start.keys = keys;
    }
    MAILLE_TRY(message_start_encode(&body, &start, error));
    MAILLE_TRY(agent_keep(agent, MESSAGE_START, &body, circle ? NULL : &theta, error));
    bytes_put_block(&record, agent->last.data, agent->last.length);
    bytes_put_block(&record, theta.data, theta.length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_START, &record, error));
    MAILLE_TRY(agent_send_last(agent, error));
out:
    agent_shape_clear(&shape);
    bytes_clear(&theta);
    bytes_clear(&header_bytes);
    bytes_clear(&body);
    bytes_clear(&record);
    free(among);
    arena_free(arena);
    return code;
}

enum maille_code agent_keep_attempt(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    agent->before = (struct digest){0};
    if (!agent->at.under_way || agent->last_kind != MESSAGE_START)
        goto out;
    MAILLE_TRY(bytes_copy(&agent->before_start, agent->last.data, agent->last.length));
    if (agent->has_frame)
        MAILLE_TRY(bytes_copy(&agent->before_frame, agent->last_frame.data, agent->last_frame.length));
    agent->before = agent->at.psi;
out:
    if (code != MAILLE_OK)
        maille_fail(error, code, "expected memory for a round, found none");
    return code;
}

/* C closed the attempt that was given up for its silent sites, before it saw the new one, which no site has
 * seen then: the old one is the one under way again. */
static enum maille_code go_back(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    const struct message_round_header *header = &in.round;
    struct bytes record = {0};
    struct digest psi = agent->before;
    struct agent_shape shape = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(message_within(&in, arena,
                              &(struct byte_view){agent->before_start.data, agent->before_start.length},
                              MESSAGE_START, NULL, 0, error));
    MAILLE_TRY(agent_shape(&shape, agent, agent->at.round, header->members, header->n_members, error));
    if (header->round != agent->at.round || !digest_equal(&shape.layout, &header->layout_hash)) {
        code = maille_protest(error, "psi",
                              "expected the close of the attempt under way, found that of another");
        goto out;
    }
    bytes_put_block(&record, agent->before_start.data, agent->before_start.length);
    bytes_put_block(&record, agent->before_frame.data, agent->before_frame.length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_START, &record, error));
    MAILLE_TRY(bytes_copy(&agent->last, agent->before_start.data, agent->before_start.length));
    MAILLE_TRY(bytes_copy(&agent->last_frame, agent->before_frame.data, agent->before_frame.length));
    agent->before = (struct digest){0};
    code = begin_round(agent, &shape, header->round, header->attempt, header->members, header->n_members,
                       &psi, error);
    agent_say(agent, "the round was closed with all of its sites after all");
out:
    agent_shape_clear(&shape);
    bytes_clear(&record);
    arena_free(arena);
    return code;
}

enum maille_code agent_next_round(struct agent *agent, struct maille_error *error)
{
    uint32_t members[MESSAGE_SITES_MAX];
    size_t n = 0;
    if (agent->at.round > 0) /* from round 2 the members are those of the last completed round */
        return start_round(agent, agent->at.round + 1, 1, agent->at.members, agent->at.n_members, error);
    for (size_t s = 0; s < agent->n_sites; s++)
        if (agent->sites[s].member)
            members[n++] = agent->sites[s].site->id;
    return start_round(agent, 1, 1, members, n, error);
}

enum maille_code agent_new_attempt(struct agent *agent, const uint32_t *missing, size_t n_missing,
                                   struct maille_error *error)
{
    uint32_t members[MESSAGE_SITES_MAX];
    size_t n = 0;
    for (size_t m = 0; m < agent->at.n_members; m++) {
        bool lost = false;
        for (size_t k = 0; k < n_missing; k++)
            lost = lost || missing[k] == agent->at.members[m];
        if (!lost)
            members[n++] = agent->at.members[m];
    }
    if (n < agent->n_min ||
        n == agent->at.n_members) /* wait: they may come back. Or: nobody of this round is missing */
        return MAILLE_OK;
    for (size_t k = 0; k < n_missing; k++)
        agent_say(agent, "left out: %s did not send its masked sums in time",
                  agent_site_name(agent, missing[k]));
    agent->moved_ms = agent_now_ms(agent);
    enum maille_code code = agent_keep_attempt(agent, error);
    return code == MAILLE_OK ? start_round(agent, agent->at.round, agent->at.attempt + 1, members, n, error)
                             : code;
}

/* A start of the journal: the same shape again. */
enum maille_code agent_take_start(struct agent *agent, const struct message_round_header *header,
                                  const struct digest *psi, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent_shape shape = {0};
    MAILLE_TRY(agent_shape(&shape, agent, header->round, header->members, header->n_members, error));
    if (!digest_equal(&shape.layout, &header->layout_hash) || shape.length != header->length ||
        header->n_members > MESSAGE_SITES_MAX) {
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected the plan of round %u as it was asked, found another; was maille upgraded in between?",
            header->round);
        goto out;
    }
    MAILLE_TRY(begin_round(agent, &shape, header->round, header->attempt, header->members, header->n_members,
                           psi, error));
out:
    agent_shape_clear(&shape);
    return code;
}

enum maille_code agent_on_refuse(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_refuse *refuse = &in->body.refuse;
    struct agent_site *site;
    bool fewer = false; /* does an analysis leave? */
    /* After the close every member has sent its vector, this site too. */
    if (agent->at.closed || !digest_equal(&refuse->psi, &agent->at.psi))
        goto out;
    MAILLE_TRY(agent_signer(&site, agent, in, refuse->site, error));
    for (size_t f = 0; f < refuse->n_findings; f++) {
        uint32_t analysis = refuse->findings[f].analysis;
        fewer = fewer ||
                (analysis < agent->study->n_analyses && agent->run.states[analysis].status == ANALYSIS_OPEN);
        MAILLE_TRY(agent_refuse(agent, analysis, refuse->findings[f].rule, site, error));
    }
    if (!fewer) {
        code = maille_protest(error, "findings",
                              "expected %s to refuse an analysis of this attempt, found none of them",
                              site->site->name);
        goto out;
    }
    /* The first threshold round holds the totals of all of them: without one, there is no second. */
    for (size_t k = 0; agent->at.shape.which == THRESHOLD_SECOND && k < agent->study->n_analyses; k++)
        MAILLE_TRY(agent_refuse(agent, k, refuse->findings[0].rule, site, error));
    agent->moved_ms = agent_now_ms(agent);
    MAILLE_TRY(start_round(agent, agent->at.round, agent->at.attempt + 1, agent->at.members,
                           agent->at.n_members, error));
out:
    return code;
}

/* One masked header of the close: the member's own signature, this ψ, the length of the plan. */
static enum maille_code take_masked(struct agent *agent, struct message_masked *masked, struct arena *arena,
                                    const struct byte_view *bytes, uint32_t member,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    struct agent_site *site;
    MAILLE_TRY(message_within(&in, arena, bytes, MESSAGE_MASKED, agent->options.directory, FROM_SITE, error));
    *masked = in.body.masked;
    MAILLE_TRY(agent_signer(&site, agent, &in, masked->site, error));
    if (masked->site != member || !digest_equal(&masked->psi, &agent->at.psi) ||
        (!agent_in_circle(agent) && masked->share.length != agent->at.shape.length))
        code = maille_protest(error, "vector", "expected the header of %s for this round, found another",
                              agent_site_name(agent, member));
out:
    return code;
}

enum maille_code agent_on_close(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_close *close = &in->body.close;
    struct message_masked *masked = NULL;
    if (agent->at.closed)
        goto out;
    if (digest_equal(&close->psi, &agent->before) && agent->at.under_way)
        MAILLE_TRY(go_back(agent, error));
    if (!digest_equal(&close->psi, &agent->at.psi))
        goto out;
    if (close->n != agent->at.n_members) {
        code = maille_protest(error, "members", "expected %zu members in the close, found %zu",
                              agent->at.n_members, close->n);
        goto out;
    }
    masked = calloc(close->n, sizeof *masked);
    if (masked == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    for (size_t m = 0; m < close->n; m++)
        MAILLE_TRY(take_masked(agent, &masked[m], in->arena, &close->masked[m], agent->at.members[m], error));
    MAILLE_TRY(agent_evidence_message(agent, &in->envelope, NULL, 0, error));
    free(agent->at.masked);
    agent->at.masked = masked;
    masked = NULL;
    agent->at.closed = true;
    agent->at.coordinator_head = close->head;
    agent->coordinator_head = close->head;
    hash_kdf(&agent->at.close_hash, NULL, "close", in->envelope.bytes, in->envelope.length);
    agent->moved_ms = agent_now_ms(agent);
    if (agent->at.has_sum)
        MAILLE_TRY(agent_pull(agent, false, error));
out:
    free(masked);
    return code;
}

enum maille_code agent_on_reveal(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_reveal *reveal = &in->body.reveal;
    struct agent_site *site;
    struct bytes opened = {0};
    struct digest b;
    if (agent_in_circle(agent) || !agent->at.closed || !digest_equal(&reveal->psi, &agent->at.psi))
        goto out; /* before its close: C sends it again */
    MAILLE_TRY(agent_signer(&site, agent, in, reveal->site, error));
    if (!digest_equal(&reveal->close_hash, &agent->at.close_hash)) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected %s to have seen the same close, found another: the coordinator showed "
                           "two, or the site is wrong",
                           site->site->name);
        goto out;
    }
    for (size_t m = 0; m < agent->at.n_members; m++) {
        if (agent->at.members[m] != reveal->site || agent->at.revealed[m])
            continue;
        if (seal_open(&opened, agent->rk, agent->rk_secret, reveal->sealed.data, reveal->sealed.length,
                      error) != MAILLE_OK ||
            opened.length != HASH_BYTES) {
            code = maille_protest(error, "sealed",
                                  "expected a mask of %s sealed to this query's key, found other bytes",
                                  site->site->name);
            goto out;
        }
        memcpy(b.b, opened.data, HASH_BYTES);
        if (!mask_reveal_matches(&b, &agent->at.masked[m].share.commit, &agent->at.psi)) {
            code = maille_fail(
                error, MAILLE_SIGNATURE,
                "expected the mask that %s had committed to, found another; the query cannot go on",
                site->site->name);
            goto out;
        }
        agent->at.reveals[m] = b;
        agent->at.revealed[m] = true;
        agent->moved_ms = agent_now_ms(agent);
    }
out:
    crypto_wipe(&b, sizeof b);
    bytes_wipe(&opened);
    return code;
}

void agent_round_over(struct agent *agent)
{
    agent->previous = agent->at.psi;
    agent->n_over++;
    agent->bytes_over += agent->at.shape.length;
    /* Who took part, and the heads, stay for the next round and the report. */
    agent_shape_clear(&agent->at.shape);
    agent->at.under_way = agent->at.closed = agent->at.has_sum = false;
    agent->at.psi = (struct digest){0};
}

enum maille_code agent_take_totals(struct agent *agent, const uint8_t *words, size_t length,
                                   struct maille_error *error)
{
    if (!agent->at.under_way || agent_in_circle(agent) || length != agent->at.shape.length)
        return maille_fail(error, MAILLE_CORRUPT, "expected %llu bytes of totals, found %zu",
                           (unsigned long long)agent->at.shape.length, length);
    study_run_step(&agent->run, &agent->at.shape.plan, words, agent->at.n_members);
    agent_round_over(agent);
    return MAILLE_OK;
}

/* All sums are here: unmasked, checked, written down, and the estimators step. */
static enum maille_code values_done(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes record = {0};
    uint8_t *sum = agent->at.vectors[0].bytes;
    size_t length = (size_t)agent->at.shape.length;
    for (size_t m = 0; m < agent->at.n_members; m++)
        mask_unmask_sum(sum, length, agent->at.shape.runs, agent->at.shape.n_runs, &agent->at.reveals[m]);
    MAILLE_TRY(round_in_range(&agent->at.shape.plan, agent->study, sum, error));
    bytes_put_block(&record, sum, length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_TOTALS, &record, error));
    MAILLE_TRY(agent_take_totals(agent, sum, length, error));
out:
    bytes_wipe(&record);
    return code;
}

static bool values_complete(const struct agent *agent)
{
    bool all = agent->at.closed && agent_sum_complete(agent);
    for (size_t m = 0; m < agent->at.n_members; m++)
        all = all && agent->at.revealed[m];
    return all;
}

enum maille_code agent_round_when_complete(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!agent->at.under_way) /* the first; or taken up after the end of a round was written down */
        return agent_next_round(agent, error);
    bool over = !agent_in_circle(agent) && values_complete(agent);
    if (agent_in_circle(agent))
        MAILLE_TRY(agent_circle_when_complete(agent, &over, error));
    else if (over)
        MAILLE_TRY(values_done(agent, error));
    if (!over)
        goto out;
    agent->moved_ms = agent_now_ms(agent);
    if (study_run_open(&agent->run))
        MAILLE_TRY(agent_next_round(agent, error));
out:
    return code;
}
