/* What a query does when something is complete: roster, close, sum, end. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"

struct query *coordinator_query(const struct coordinator *coordinator, const uint8_t qid[QID_BYTES])
{
    for (size_t i = 0; i < coordinator->n_queries; i++)
        if (memcmp(coordinator->queries[i]->row.qid, qid, QID_BYTES) == 0)
            return coordinator->queries[i];
    return NULL;
}

enum maille_code coordinator_add_query(struct coordinator *coordinator, struct query *query,
                                       struct maille_error *error)
{
    if (coordinator->n_queries == coordinator->queries_room) {
        size_t room = coordinator->queries_room == 0 ? 16 : 2 * coordinator->queries_room;
        struct query **grown = realloc(coordinator->queries, room * sizeof(struct query *));
        if (grown == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu queries, found none", room);
        coordinator->queries = grown;
        coordinator->queries_room = room;
    }
    coordinator->queries[coordinator->n_queries++] = query;
    return MAILLE_OK;
}

enum maille_code coordinator_keep(struct coordinator *coordinator, struct query *query,
                                  struct maille_error *error)
{
    query->changed = true;
    return store_put_query(coordinator->store, &query->row, error);
}

/* Stores a message of ours and queues it for every site that `to` counts, and for the agent. */
static enum maille_code publish(struct coordinator *coordinator, struct query *query,
                                const struct store_key *key, struct parcel *parcel,
                                bool (*to)(const struct query *, const struct query_site *),
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const int64_t now = coordinator_now_ms(coordinator);
    MAILLE_TRY(store_put_message(coordinator->store, key, parcel, error));
    for (size_t i = 0; i < query->n_sites; i++) {
        if (!to(query, &query->sites[i]))
            continue;
        MAILLE_TRY(outbox_site(coordinator, query, &query->sites[i], parcel, error));
        query->sites[i].asked_ms = now;
    }
    code = outbox_agent(coordinator, query, parcel, error);
out:
    return code;
}

enum maille_code coordinator_roster(struct coordinator *coordinator, struct query *query,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_roster roster = {0};
    struct arena *arena = arena_new();
    struct byte_view *accepts = NULL;
    struct parcel *parcel = NULL;
    struct bytes body = {0};
    const struct store_key key = {.qid = query->row.qid};
    accepts = calloc(query->n_sites, sizeof *accepts);
    if (accepts == NULL || arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a roster, found none");
        goto out;
    }
    for (size_t i = 0; i < query->n_sites; i++)
        if (query_site_accepted(query, &query->sites[i]))
            accepts[roster.n++] = parcel_view(query->sites[i].accept);
    memcpy(roster.qid, query->row.qid, QID_BYTES);
    roster.accepts = accepts;
    MAILLE_TRY(query_rho(&query->rho, query->manifest, accepts, roster.n, error));
    MAILLE_TRY(coordinator_head(coordinator, query, &roster.head, arena, error));
    MAILLE_TRY(message_roster_encode(&body, &roster, error));
    MAILLE_TRY(outbox_parcel(coordinator, &parcel, MESSAGE_ROSTER, &body, NULL, 0, error));
    parcel_set(&query->roster, parcel_keep(parcel));
    query->row.phase = PHASE_ROSTER;
    MAILLE_TRY(coordinator_keep(coordinator, query, error));
    MAILLE_TRY(publish(coordinator, query, &key, parcel, query_site_accepted, error));
    log_line(LOG_LEVEL_INFO, "%s of %s: roster of %zu sites", query->row.study, query->row.researcher,
             roster.n);
out:
    parcel_drop(parcel);
    bytes_clear(&body);
    arena_free(arena);
    free(accepts);
    return code;
}

/* The receipt over the sum: its hash and length, signed, and whether every y_i is held. */
static enum maille_code send_sum(struct coordinator *coordinator, struct query *query,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_sum sum = {.length = query->length, .vectors_held = adder_holds(query->adder)};
    const struct store_key key = {
        .qid = query->row.qid, .round = query->row.round, .attempt = query->row.attempt};
    struct bytes body = {0};
    struct parcel *parcel = NULL;
    memcpy(sum.qid, query->row.qid, QID_BYTES);
    sum.psi = query->row.psi;
    adder_sum(query->adder, &sum.sum_hash);
    MAILLE_TRY(message_sum_encode(&body, &sum, error));
    MAILLE_TRY(outbox_parcel(coordinator, &parcel, MESSAGE_SUM, &body, NULL, 0, error));
    parcel_set(&query->sum, parcel_keep(parcel));
    MAILLE_TRY(store_put_message(coordinator->store, &key, parcel, error));
    MAILLE_TRY(outbox_agent(coordinator, query, parcel, error));
out:
    parcel_drop(parcel);
    bytes_clear(&body);
    return code;
}

enum maille_code coordinator_close(struct coordinator *coordinator, struct query *query,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_close close = {.psi = query->row.psi};
    const struct store_key key = {
        .qid = query->row.qid, .round = query->row.round, .attempt = query->row.attempt};
    struct byte_view *masked = NULL;
    struct arena *arena = NULL;
    struct bytes body = {0};
    struct parcel *parcel = NULL;
    if (query->row.phase != PHASE_ROUND) { /* vectors were pulled again after a restart */
        code = query->sum != NULL ? outbox_agent(coordinator, query, query->sum, error)
                                  : coordinator_custody(coordinator, query, error);
        goto out;
    }
    masked = calloc(query->n_sites, sizeof *masked);
    arena = arena_new();
    if (masked == NULL || arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a close, found none");
        goto out;
    }
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].member)
            masked[close.n++] = parcel_view(query->sites[i].masked);
    memcpy(close.qid, query->row.qid, QID_BYTES);
    close.masked = masked;
    MAILLE_TRY(coordinator_head(coordinator, query, &close.head, arena, error));
    MAILLE_TRY(message_close_encode(&body, &close, error));
    MAILLE_TRY(outbox_parcel(coordinator, &parcel, MESSAGE_CLOSE, &body, NULL, 0, error));
    parcel_set(&query->close, parcel_keep(parcel));
    query->row.phase = PHASE_CLOSED;
    MAILLE_TRY(coordinator_keep(coordinator, query, error));
    MAILLE_TRY(publish(coordinator, query, &key, parcel, query_site_member, error));
    if (!query->for_custodians)
        MAILLE_TRY(send_sum(coordinator, query, error));
    coordinator->counts.rounds++;
    log_line(LOG_LEVEL_INFO, "%s of %s: round %u closed, %zu vectors of %llu bytes", query->row.study,
             query->row.researcher, query->row.round, close.n, (unsigned long long)query->length);
out:
    parcel_drop(parcel);
    bytes_clear(&body);
    arena_free(arena);
    free(masked);
    return code;
}

size_t coordinator_held_max(const struct coordinator *coordinator, const struct message_round_header *header)
{
    return header->result_to == RESULT_TO_CUSTODIANS ? MESSAGE_FRAME_MAX : coordinator->held_max;
}

enum maille_code coordinator_custody(struct coordinator *coordinator, struct query *query,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_custody custody = {.psi = query->row.psi};
    struct byte_view *reveals = NULL;
    struct bytes body = {0}, frame = {0};
    if (!query->for_custodians || query->row.phase != PHASE_REVEALED || query->custody != NULL ||
        query_round_over(query) || !adder_complete(query->adder))
        return MAILLE_OK;
    reveals = calloc(query->n_sites, sizeof *reveals);
    if (reveals == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for custody, found none");
        goto out;
    }
    for (size_t i = 0; i < query->n_sites; i++) {
        if (!query->sites[i].member)
            continue;
        reveals[custody.n++] = parcel_view(query->sites[i].reveal);
        bytes_put(&frame, adder_vector(query->adder, query->sites[i].id), (size_t)query->length);
    }
    MAILLE_TRY(bytes_check(&frame, error));
    memcpy(custody.qid, query->row.qid, QID_BYTES);
    custody.reveals = reveals;
    MAILLE_TRY(message_custody_encode(&body, &custody, error));
    MAILLE_TRY(
        outbox_parcel(coordinator, &query->custody, MESSAGE_CUSTODY, &body, frame.data, frame.length, error));
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].member && query->sites[i].taken == NULL)
            MAILLE_TRY(coordinator_ask(coordinator, query, &query->sites[i], error));
out:
    bytes_clear(&body);
    bytes_clear(&frame);
    free(reveals);
    return code;
}

enum maille_code coordinator_agree(struct coordinator *coordinator, struct query *query,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_agreed agreed = {.psi = query->row.psi};
    struct byte_view *taken = NULL;
    struct bytes body = {0};
    if (!query->circle || query->row.phase != PHASE_REVEALED || query->agreed != NULL ||
        !query_all_took(query) || query_round_over(query))
        return MAILLE_OK;
    taken = calloc(query->n_sites, sizeof *taken);
    if (taken == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for what the sites took, found none");
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].member)
            taken[agreed.n++] = parcel_view(query->sites[i].taken);
    memcpy(agreed.qid, query->row.qid, QID_BYTES);
    agreed.taken = taken;
    MAILLE_TRY(message_agreed_encode(&body, &agreed, error));
    MAILLE_TRY(outbox_parcel(coordinator, &query->agreed, MESSAGE_AGREED, &body, NULL, 0, error));
    parcel_set(&query->custody, NULL);
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].member && query->sites[i].result == NULL)
            MAILLE_TRY(coordinator_ask(coordinator, query, &query->sites[i], error));
out:
    bytes_clear(&body);
    free(taken);
    return code;
}

enum maille_code coordinator_expect(const struct coordinator *coordinator, struct query *query,
                                    uint64_t length, struct maille_error *error)
{
    const size_t n = query_count(query, query_site_member);
    const struct word_run run = {.bytes = length, .width = 8};
    uint32_t *members;
    if (query->adder != NULL)
        return MAILLE_OK;
    if (length % 8 != 0 || length > query->bytes_max || length > coordinator->bytes_max ||
        length > MESSAGE_FRAME_MAX / n)
        return maille_protest(error, "length",
                              "expected vectors of words that every site can hold, found %zu of %llu bytes",
                              n, (unsigned long long)length);
    members = calloc(n, sizeof *members);
    if (members == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a round, found none");
    for (size_t i = 0, m = 0; i < query->n_sites; i++)
        if (query->sites[i].member)
            members[m++] = query->sites[i].id;
    enum maille_code code =
        adder_new(&query->adder, length, members, n, &run, length > 0, MESSAGE_FRAME_MAX, error);
    query->length = length;
    free(members);
    return code;
}

enum maille_code coordinator_pull(struct coordinator *coordinator, struct query *query,
                                  struct query_site *site, bool again, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_pull pull = {.psi = query->row.psi, .source = site->id, .what = PULL_SEGMENTS};
    struct bytes body = {0};
    query_pull(query, site, again, &pull.first, &pull.count);
    if (pull.count == 0)
        return MAILLE_OK;
    memcpy(pull.qid, query->row.qid, QID_BYTES);
    MAILLE_TRY(message_pull_encode(&body, &pull, error));
    MAILLE_TRY(outbox_body(coordinator, site->name, 0, MESSAGE_PULL, &body, NULL, 0, query->row.qid, error));
    site->credit = pull.first + pull.count;
    site->asked_ms = coordinator_now_ms(coordinator);
out:
    bytes_clear(&body);
    return code;
}

enum maille_code coordinator_finish(struct coordinator *coordinator, struct query *query,
                                    enum query_phase phase, struct parcel *over, const char *except,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    query->row.phase = phase;
    query->row.activity_ms = clock_read_utc_ms(&coordinator->clock);
    query_release(query);
    parcel_set(&query->over, parcel_keep(over));
    MAILLE_TRY(coordinator_keep(coordinator, query, error));
    MAILLE_TRY(store_forget_frames(coordinator->store, query->row.qid, error));
    for (size_t i = 0; over != NULL && i < query->n_sites; i++) {
        struct query_site *site = &query->sites[i];
        if (except != NULL && strcmp(site->name, except) == 0)
            continue;
        MAILLE_TRY(outbox_site(coordinator, query, site, over, error));
        MAILLE_TRY(store_owe(coordinator->store, site->name, query->row.qid, error));
        if (query_site_accepted(query, site))
            MAILLE_TRY(coordinator_show_head(coordinator, query, site, 0, error));
    }
    log_line(LOG_LEVEL_INFO, "%s of %s: %s after %u rounds", query->row.study, query->row.researcher,
             query_phase_name(phase), query->row.round);
out:
    return code;
}
