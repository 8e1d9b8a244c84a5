/* One round: start, masked vectors and their segments, reveals. */
#include <assert.h>
#include <string.h>

#include "coordinator/handlers.h"

/* --- M3 --- */

/* Is this header the next one? Sites check all of it themselves; this keeps nonsense from reaching them. */
static enum maille_code check_header(const struct coordinator *coordinator, const struct query *query,
                                     const struct message_round_header *header, const struct incoming *in,
                                     struct maille_error *error)
{
    static const struct digest zeros;
    struct digest theta_hash;
    const struct store_query *row = &query->row;
    const bool next_round = header->attempt == 1 && (row->phase == PHASE_ROSTER || query_round_over(query)) &&
                            header->round == row->round + 1;
    const bool next_attempt =
        row->phase == PHASE_ROUND && header->round == row->round && header->attempt == row->attempt + 1;
    const struct digest *previous = next_attempt                 ? &row->previous
                                    : row->phase == PHASE_ROSTER ? &zeros
                                                                 : &row->psi;
    if (!next_round && !next_attempt)
        return maille_protest(error, "round", "expected the round after %u.%u in phase %s, found %u.%u",
                              row->round, row->attempt, query_phase_name(row->phase), header->round,
                              header->attempt);
    if (!digest_equal(&header->rho, &query->rho) || !digest_equal(&header->previous_hash, previous) ||
        header->round > query->rounds_max)
        return maille_protest(error, "header",
                              "expected a header that goes on from this roster and round, found another");
    assert(query->n_min > 0); /* message_query.c */
    for (size_t i = 0; i < header->n_members; i++) {
        const struct query_site *site = query_site(query, header->members[i]);
        if (site == NULL || !query_site_accepted(query, site) || (header->round > 1 && !site->member))
            return maille_protest(error, "members", "expected members of the roster, found site %u",
                                  header->members[i]);
    }
    if (header->n_members < query->n_min ||
        (header->round > 1 && header->n_members != query_count(query, query_site_member)))
        return maille_protest(error, "members",
                              "expected at least %u members, and from round 2 all, found %zu", query->n_min,
                              header->n_members);
    if ((header->result_to == RESULT_TO_CUSTODIANS) < query->circle)
        return maille_protest(error, "circle", "expected a round of a circle, found another");
    if (query->circle)
        return header->length == 0 && !in->message->has_frame
                   ? MAILLE_OK
                   : maille_protest(error, "circle",
                                    "expected that a start says who takes part in what, found more");
    if (header->length > query->bytes_max || header->length > coordinator->bytes_max)
        return maille_protest(error, "bytes_max", "expected at most %llu bytes, found %llu",
                              (unsigned long long)coordinator->bytes_max, (unsigned long long)header->length);
    if (header->result_to == RESULT_TO_CUSTODIANS &&
        (header->n_members > CUSTODY_MEMBERS_MAX || header->length > MESSAGE_FRAME_MAX / header->n_members))
        return maille_protest(error, "length",
                              "expected vectors that every site can hold, found %zu of %llu bytes",
                              header->n_members, (unsigned long long)header->length);
    hash_kdf(&theta_hash, NULL, "theta", in->message->frame.data, in->message->frame.length);
    if (!in->message->has_frame || !digest_equal(&theta_hash, &header->theta_hash))
        return maille_protest(error, "theta", "expected the c_r that the header names, found another");
    return MAILLE_OK;
}

enum maille_code coordinator_handle_start(struct coordinator *coordinator, struct query *query,
                                          struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_start *start = &in->opened.body.start;
    const struct message_round_header *header = &in->opened.round;
    const struct digest *psi = &in->opened.psi;
    struct adder *adder = NULL;
    query->changed = true;
    if (query->start != NULL && digest_equal(psi, &query->row.psi))
        goto out; /* again */
    if (query->row.phase != PHASE_ROUND && header->round == query->row.round &&
        header->attempt == query->row.attempt + 1) {
        code = handlers_resend(coordinator, query,
                               error); /* the agent gave up an attempt that was just closed */
        goto out;
    }
    code = check_header(coordinator, query, header, in, error);
    const char *quota = quota_round(coordinator, query, query->circle ? 0 : header->length, header->n_members,
                                    header->result_to == RESULT_TO_CUSTODIANS, in->message->frame.length);
    if (code == MAILLE_OK && quota != NULL) {
        code = outbox_problem(coordinator, in->message->peer, in->message->address, query->row.qid,
                              MAILLE_REFUSED, quota, error);
        goto out;
    }
    if (code == MAILLE_OK && !query->circle) {
        code = adder_new(&adder, header->length, header->members, header->n_members, start->runs,
                         start->n_runs, coordinator_held_max(coordinator, header), error);
    }
    if (code == MAILLE_PROTOCOL) { /* the agent must hear of it, or it would wait */
        MAILLE_TRY(outbox_problem(coordinator, in->message->peer, in->message->address, query->row.qid,
                                  MAILLE_PROTOCOL, "start", NULL));
        code = MAILLE_PROTOCOL;
    }
    if (code != MAILLE_OK)
        goto out;
    const struct store_key key = {.qid = query->row.qid, .round = header->round, .attempt = header->attempt};
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    query_begin_round(query, header, psi, in->parcel, adder);
    adder = NULL;
    MAILLE_TRY(coordinator_keep(coordinator, query, error));
    log_line(LOG_LEVEL_INFO, "%s of %s: round %u attempt %u, %zu sites, %llu bytes", query->row.study,
             query->row.researcher, header->round, header->attempt, header->n_members,
             (unsigned long long)header->length);
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].member) {
            MAILLE_TRY(outbox_site(coordinator, query, &query->sites[i], in->parcel, error));
            query->sites[i].asked_ms = coordinator_now_ms(coordinator);
        }
out:
    adder_free(adder);
    return code;
}

/* The member that sent a message about the current round; NULL when it is about another one. */
static enum maille_code member_of(const struct query *query, const struct incoming *in,
                                  const struct digest *psi, uint32_t claimed, struct query_site **site,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *site = NULL;
    if (!digest_equal(psi, &query->row.psi))
        goto out;
    MAILLE_TRY(handlers_site(query, in, claimed, site, error));
    if (!(*site)->member)
        code = maille_protest(error, "member", "expected a member of the round, found %s", (*site)->name);
out:
    return code;
}

static struct store_key key_of(const struct query *query, const struct query_site *site)
{
    return (struct store_key){
        .qid = query->row.qid, .round = query->row.round, .attempt = query->row.attempt, .site = site->id};
}

/* --- M3n --- */

enum maille_code coordinator_handle_refuse(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_refuse *refuse = &in->opened.body.refuse;
    struct query_site *site;
    MAILLE_TRY(member_of(query, in, &refuse->psi, refuse->site, &site, error));
    if (site == NULL || parcel_equal(site->refuse, in->parcel))
        goto out;
    const struct store_key key = key_of(query, site);
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    parcel_set(&site->refuse, parcel_keep(in->parcel));
    query->changed = true;
    MAILLE_TRY(outbox_agent(coordinator, query, in->parcel, error));
out:
    return code;
}

/* --- M4 --- */

/* A vector that is not the one its site signed is the site's doing: it is missing again, and the agent hears
 * of it. */
static enum maille_code vector_is_wrong(struct coordinator *coordinator, struct query *query,
                                        struct query_site *site, const struct maille_error *wrong,
                                        struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct store_key key = key_of(query, site);
    log_line(LOG_LEVEL_WARNING, "%s", wrong->sentence);
    site->credit = 0;
    query->changed = true;
    if (query->row.phase == PHASE_ROUND) { /* after the close its header stays */
        MAILLE_TRY(store_drop_message(coordinator->store, &key, MESSAGE_MASKED, error));
        parcel_set(&site->masked, NULL);
    }
    code = outbox_problem(coordinator, query->row.researcher, query->agent_address, query->row.qid,
                          MAILLE_CORRUPT, "vector", error);
out:
    return code;
}

/* Gives one segment to the adder, and does what follows: the next pull, the close, or a vector that is not
 * the signed one. */
static enum maille_code add_segment(struct coordinator *coordinator, struct query *query,
                                    struct query_site *site, uint64_t index, const struct bytes *frame,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error wrong;
    const bool complete = adder_complete(query->adder);
    bool taken = false;
    code = adder_segment(query->adder, site->id, index, frame->data, frame->length, &taken, &wrong);
    if (code == MAILLE_SIGNATURE) {
        code = vector_is_wrong(coordinator, query, site, &wrong, error);
        goto out;
    }
    if (code != MAILLE_OK) {
        if (error != NULL)
            *error = wrong;
        goto out;
    }
    if (!taken)
        goto out;
    query->row.bytes += frame->length;
    if (adder_has(query->adder, site->id))
        query->changed = true;
    else
        MAILLE_TRY(coordinator_pull(coordinator, query, site, false, error));
    if (!complete && adder_complete(query->adder))
        MAILLE_TRY(coordinator_close(coordinator, query, error));
out:
    return code;
}

enum maille_code coordinator_handle_masked(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_masked *masked = &in->opened.body.masked;
    struct query_site *site;
    MAILLE_TRY(member_of(query, in, &masked->psi, masked->site, &site, error));
    if (site == NULL)
        goto out;
    const char *quota = query->circle && query->adder == NULL
                            ? quota_round(coordinator, query, masked->share.length,
                                          query_count(query, query_site_member), true, 0)
                            : NULL;
    if (quota != NULL) {
        code = coordinator_give_up(coordinator, query, PHASE_CANCELLED, MAILLE_REFUSED, quota, error);
        goto out;
    }
    if (query->circle)
        MAILLE_TRY(coordinator_expect(coordinator, query, masked->share.length, error));
    if (masked->share.length != query->length) {
        code = maille_protest(error, "length", "expected %llu bytes of vector, found %llu",
                              (unsigned long long)query->length, (unsigned long long)masked->share.length);
        goto out;
    }
    if (site->masked == NULL && query->row.phase == PHASE_ROUND) {
        const struct store_key key = key_of(query, site);
        MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
        parcel_set(&site->masked, parcel_keep(in->parcel));
    } else if (!parcel_equal(site->masked, in->parcel)) {
        code = maille_protest(error, "vector", "expected the vector that %s sent before, found another",
                              site->name);
        goto out;
    }
    const bool complete = adder_complete(query->adder);
    struct maille_error wrong;
    code = adder_expect(query->adder, site->id, &masked->share.vector, &wrong);
    if (code == MAILLE_SIGNATURE) { /* a vector of 0 bytes with another root */
        code = vector_is_wrong(coordinator, query, site, &wrong, error);
        goto out;
    }
    if (code != MAILLE_OK) {
        if (error != NULL)
            *error = wrong;
        goto out;
    }
    if (in->message->has_frame)
        MAILLE_TRY(add_segment(coordinator, query, site, 0, &in->message->frame, error));
    else if (!complete && adder_complete(query->adder)) /* vectors of 0 bytes */
        MAILLE_TRY(coordinator_close(coordinator, query, error));
out:
    return code;
}

enum maille_code coordinator_handle_segment(struct coordinator *coordinator, struct query *query,
                                            struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_segment *segment = &in->opened.body.segment;
    struct query_site *site;
    MAILLE_TRY(member_of(query, in, &segment->psi, segment->source, &site, error));
    if (site == NULL || query->adder == NULL || segment->what != PULL_SEGMENTS || !in->message->has_frame)
        goto out;
    if (!adder_has(query->adder, site->id)) {
        code = add_segment(coordinator, query, site, segment->index, &in->message->frame, error);
        goto out;
    }
    /* A piece of a vector that is not held: the agent drew it. C passes it on; the agent knows its leaf. */
    if (query_relay_take(query, site->id, segment->index))
        code = outbox_agent(coordinator, query, in->parcel, error);
out:
    return code;
}

/* --- what the agent pulls: Y, vectors, leaves --- */

static enum maille_code send_segment(struct coordinator *coordinator, struct query *query,
                                     const struct message_segment *segment, const void *data, size_t length,
                                     struct maille_error *error)
{
    struct bytes body = {0};
    struct parcel *parcel = NULL;
    enum maille_code code = message_segment_encode(&body, segment, error);
    if (code == MAILLE_OK)
        code = outbox_parcel(coordinator, &parcel, MESSAGE_SEGMENT, &body, data, length, error);
    if (code == MAILLE_OK)
        code = outbox_agent(coordinator, query, parcel, error);
    parcel_drop(parcel);
    bytes_clear(&body);
    return code;
}

/* Segments [first, first + count) of a whole vector. */
static enum maille_code send_segments(struct coordinator *coordinator, struct query *query,
                                      const struct message_pull *pull, const uint8_t *vector,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_segment segment = {.psi = pull->psi, .source = pull->source, .what = PULL_SEGMENTS};
    memcpy(segment.qid, pull->qid, QID_BYTES);
    for (uint64_t i = 0; i < pull->count && pull->first + i < adder_segments(query->adder); i++) {
        const uint64_t offset = (pull->first + i) * SEGMENT_BYTES, left = query->length - offset;
        segment.index = pull->first + i;
        MAILLE_TRY(send_segment(coordinator, query, &segment, vector + offset,
                                left < SEGMENT_BYTES ? left : SEGMENT_BYTES, error));
    }
out:
    return code;
}

static enum maille_code send_leaves(struct coordinator *coordinator, struct query *query,
                                    const struct message_pull *pull, const struct digest *leaves,
                                    struct maille_error *error)
{
    const uint64_t all = adder_segments(query->adder);
    struct message_segment segment = {
        .psi = pull->psi, .source = pull->source, .what = PULL_LEAVES, .index = pull->first};
    memcpy(segment.qid, pull->qid, QID_BYTES);
    if (pull->first >= all)
        return MAILLE_OK;
    const uint64_t count = all - pull->first < pull->count ? all - pull->first : pull->count;
    return send_segment(coordinator, query, &segment, leaves + pull->first, (size_t)count * sizeof *leaves,
                        error);
}

enum maille_code coordinator_handle_pull(struct coordinator *coordinator, struct query *query,
                                         struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_pull *pull = &in->opened.body.pull;
    struct digest unused;
    if (query->for_custodians || !digest_equal(&pull->psi, &query->row.psi) || !adder_complete(query->adder))
        goto out; /* after a restart vectors come in again, and then the agent hears of the sum again */
    struct query_site *site = pull->source == 0 ? NULL : query_site(query, pull->source);
    if (pull->source == 0 && pull->what == PULL_SEGMENTS) {
        code = send_segments(coordinator, query, pull, adder_sum(query->adder, &unused), error);
    } else if (site == NULL || !site->member) {
        code = maille_protest(error, "member", "expected a pull from a member, found site %u", pull->source);
    } else if (pull->what == PULL_LEAVES) {
        code = send_leaves(coordinator, query, pull, adder_leaves(query->adder, site->id), error);
    } else if (adder_holds(query->adder)) {
        code = send_segments(coordinator, query, pull, adder_vector(query->adder, site->id), error);
    } else {
        struct bytes body = {0};
        for (uint64_t i = 0; i < pull->count; i++)
            query_relay_add(query, site->id, pull->first + i);
        MAILLE_TRY(message_pull_encode(&body, pull, error));
        code = outbox_body(coordinator, site->name, 0, MESSAGE_PULL, &body, NULL, 0, query->row.qid, error);
    }
out:
    return code;
}

/* --- M6 --- */

enum maille_code coordinator_handle_reveal(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_reveal *reveal = &in->opened.body.reveal;
    struct query_site *site;
    struct digest close_hash;
    MAILLE_TRY(member_of(query, in, &reveal->psi, reveal->site, &site, error));
    if (site == NULL || parcel_equal(site->reveal, in->parcel))
        goto out;
    hash_kdf(&close_hash, NULL, "close", query->close->envelope.data, query->close->envelope.length);
    if (!digest_equal(&close_hash, &reveal->close_hash)) {
        code = maille_protest(error, "close", "expected a reveal for our close, found one for another");
        goto out;
    }
    const struct store_key key = key_of(query, site);
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    parcel_set(&site->reveal, parcel_keep(in->parcel));
    query->changed = true;
    if (!query->for_custodians)
        MAILLE_TRY(outbox_agent(coordinator, query, in->parcel, error));
    if (query_count(query, query_site_revealed) == query_count(query, query_site_member)) {
        query->row.phase = PHASE_REVEALED;
        MAILLE_TRY(coordinator_keep(coordinator, query, error));
        MAILLE_TRY(coordinator_custody(coordinator, query, error));
    }
out:
    return code;
}

/* --- rounds for custodians: what a member answers to custody --- */

/* Kept, and passed on: the agent goes on when it has one of every member. */
enum maille_code coordinator_handle_taken(struct coordinator *coordinator, struct query *query,
                                          struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_taken *taken = &in->opened.body.taken;
    struct query_site *site;
    MAILLE_TRY(member_of(query, in, &taken->psi, taken->site, &site, error));
    if (site == NULL || site->taken != NULL)
        goto out;
    if (!query->for_custodians) {
        code = maille_protest(
            error, "psi", "expected that of a round for the sites, found one of %s for another", site->name);
        goto out;
    }
    const struct store_key key = key_of(query, site);
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    parcel_set(&site->taken, parcel_keep(in->parcel));
    query->changed = true;
    MAILLE_TRY(outbox_agent(coordinator, query, in->parcel, error));
    code = coordinator_agree(coordinator, query, error);
out:
    return code;
}

/* Kept with its sealed bytes, and passed on. */
enum maille_code coordinator_handle_result(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_result *result = &in->opened.body.result;
    struct query_site *site;
    struct digest hash;
    MAILLE_TRY(member_of(query, in, &result->psi, result->site, &site, error));
    if (site == NULL || site->result != NULL)
        goto out;
    hash_kdf(&hash, NULL, "result", in->message->frame.data, in->message->frame.length);
    if (!query_all_took(query) || !query->circle || !in->message->has_frame ||
        !digest_equal(&hash, &result->hash)) {
        code = maille_protest(error, "agreed",
                              "expected the result of a round that all sites agree on, found "
                              "another of %s",
                              site->name);
        goto out;
    }
    const char *quota = quota_result(coordinator, query, in->message->frame.length);
    if (quota != NULL) {
        code = coordinator_give_up(coordinator, query, PHASE_CANCELLED, MAILLE_REFUSED, quota, error);
        goto out;
    }
    const struct store_key key = key_of(query, site);
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    parcel_set(&site->result, parcel_keep(in->parcel));
    query->changed = true;
    code = outbox_agent(coordinator, query, in->parcel, error);
out:
    return code;
}
