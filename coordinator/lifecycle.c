/* What time brings: questions asked again, timeouts, statuses; and the state after a restart. */
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "coordinator/coordinator.h"
#include "proto/open.h"

enum { CONNECTED_MS = 5000 }; /* two hellos missed, and some */

/* --- asking again --- */

enum maille_code coordinator_ask(struct coordinator *coordinator, struct query *query,
                                 struct query_site *site, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct parcel *list[2];
    if (coordinator_other_wire(coordinator, site->name) != 0)
        return MAILLE_OK;
    const size_t n = query_ask(query, site, list);
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(outbox_site(coordinator, query, site, list[i], error));
    if (n > 0)
        site->asked_ms = coordinator_now_ms(coordinator);
    code = coordinator_pull(coordinator, query, site, true, error);
out:
    return code;
}

/* The next in line of its dictionary; NULL: nobody is, or it is not its turn. */
static struct query *next_in_line(const struct coordinator *coordinator, int64_t now_ms)
{
    struct query *next = NULL;
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        struct query *query = coordinator->queries[i];
        bool taken = !query_in_line(query) || (next != NULL && next->row.called_ms <= query->row.called_ms);
        for (size_t j = 0; j < coordinator->n_queries && !taken && query->circle; j++)
            taken = query_has_turn(coordinator->queries[j], now_ms) &&
                    digest_equal(&coordinator->queries[j]->dictionary, &query->dictionary);
        if (!taken)
            next = query;
    }
    return next;
}

enum maille_code coordinator_turns(struct coordinator *coordinator, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const int64_t now = coordinator_now_ms(coordinator);
    struct query *query;
    while ((query = next_in_line(coordinator, now)) != NULL) {
        query->turn_ms = now > 0 ? now : 1;
        query->row.called_ms = query->row.activity_ms = clock_read_utc_ms(&coordinator->clock);
        query->changed = true;
        MAILLE_TRY(coordinator_keep(coordinator, query, error));
        for (size_t i = 0; i < query->n_sites; i++)
            MAILLE_TRY(coordinator_ask(coordinator, query, &query->sites[i], error));
    }
out:
    return code;
}

enum maille_code coordinator_give_up(struct coordinator *coordinator, struct query *query,
                                     enum query_phase phase, enum maille_code reason, const char *rule,
                                     struct maille_error *error)
{
    enum maille_code code = coordinator_finish(coordinator, query, phase, NULL, NULL, error);
    coordinator->counts.given_up++;
    if (code == MAILLE_OK)
        code = outbox_problem(coordinator, query->row.researcher, query->agent_address, query->row.qid,
                              reason, rule, error);
    return code;
}

/* Is what was signed for this query still signed by somebody of the directory? */
static bool signed_still(const struct directory *directory, struct arena *arena, const struct parcel *parcel,
                         enum message_kind kind, unsigned from)
{
    struct message in;
    struct maille_error ignored;
    const struct byte_view bytes = parcel_view(parcel);
    return message_within(&in, arena, &bytes, kind, directory, from, &ignored) == MAILLE_OK;
}

enum maille_code coordinator_revoke(struct coordinator *coordinator, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *directory = network_directory(coordinator->network);
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to look at the open queries, found none");
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        struct query *query = coordinator->queries[i];
        if (query_over(query))
            continue;
        bool valid = signed_still(directory, arena, query->manifest, MESSAGE_MANIFEST, FROM_RESEARCHER);
        for (size_t s = 0; s < query->n_sites; s++) {
            const struct query_site *site = &query->sites[s];
            valid = valid && directory_site(directory, site->id) != NULL &&
                    (site->ready == NULL ||
                     signed_still(directory, arena, site->ready, MESSAGE_READY, FROM_SITE)) &&
                    (site->accept == NULL ||
                     signed_still(directory, arena, site->accept, MESSAGE_ACCEPT, FROM_SITE));
        }
        if (!valid)
            MAILLE_TRY(
                coordinator_give_up(coordinator, query, PHASE_CANCELLED, MAILLE_TIMEOUT, "revoked", error));
    }
out:
    arena_free(arena);
    return code;
}

static int64_t resend_ms(const struct query *query)
{
    return RESEND_MS +
           (query->custody != NULL ? (int64_t)(query->custody->frame.length / CUSTODY_BYTES_PER_MS) : 0);
}

static enum maille_code tick_query(struct coordinator *coordinator, struct query *query, int64_t now,
                                   int64_t utc_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory_timeouts *timeouts = &network_directory(coordinator->network)->timeouts;
    /* Before the call no site has made a key, and an approval may take days. */
    const bool keys_exist = query->row.phase >= PHASE_CALLED && !query_in_line(query);
    if (utc_ms > query->row.expires_ms + CLOCK_SKEW_MS) {
        code = coordinator_give_up(coordinator, query, PHASE_EXPIRED, MAILLE_TIMEOUT, "expired", error);
        goto out;
    }
    if (keys_exist && utc_ms - query->row.activity_ms > timeouts->round_idle_ms) {
        code = coordinator_give_up(coordinator, query, PHASE_CANCELLED, MAILLE_TIMEOUT, "round_idle", error);
        goto out;
    }
    if (query->row.phase == PHASE_CALLED && utc_ms - query->row.called_ms > timeouts->accept_ms &&
        query_count(query, query_site_accepted) >= query->n_min)
        MAILLE_TRY(coordinator_roster(coordinator, query, error));
    MAILLE_TRY(coordinator_agree(coordinator, query, error)); /* after a restart */
    for (size_t i = 0; i < query->n_sites; i++)
        if (now - query->sites[i].asked_ms >= resend_ms(query))
            MAILLE_TRY(coordinator_ask(coordinator, query, &query->sites[i], error));
out:
    return code;
}

static enum maille_code note_routes(struct coordinator *coordinator, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < coordinator->n_seen; i++) {
        struct seen *seen = &coordinator->seen[i];
        if (seen->noted)
            continue;
        MAILLE_TRY(
            store_put_route(coordinator->store, seen->name, seen->role, seen->utc_ms, seen->wire, error));
        seen->noted = true;
    }
out:
    return code;
}

enum maille_code coordinator_tick(struct coordinator *coordinator, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const int64_t now = coordinator_now_ms(coordinator);
    const int64_t utc_ms = clock_read_utc_ms(&coordinator->clock);
    size_t kept = 0;
    for (size_t i = 0; i < coordinator->n_queries; i++)
        if (!query_over(coordinator->queries[i]))
            MAILLE_TRY(tick_query(coordinator, coordinator->queries[i], now, utc_ms, error));
    MAILLE_TRY(coordinator_turns(coordinator, error));
    /* What is over is in the store alone once its parties were told: coordinator_recall finds it there. */
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        struct query *query = coordinator->queries[i];
        if (query_over(query) && !query->changed && now - query->told_ms > OVER_MS)
            coordinator_query_free(query);
        else
            coordinator->queries[kept++] = query;
    }
    if (kept == 0 && coordinator->n_queries > 0)
        heap_give_back();
    coordinator->n_queries = kept;
    if (now - coordinator->routes_ms >= ROUTES_MS) {
        coordinator->routes_ms = now;
        MAILLE_TRY(note_routes(coordinator, error));
    }
    if (coordinator->forget_ms == 0 || now - coordinator->forget_ms >= FORGET_MS) {
        coordinator->forget_ms = now > 0 ? now : 1;
        MAILLE_TRY(store_forget(coordinator->store, utc_ms - coordinator->retention_ms, error));
    }
    if (coordinator->complaints > COMPLAINTS_MAX)
        log_line(LOG_LEVEL_WARNING, "dropped %u messages more", coordinator->complaints - COMPLAINTS_MAX);
    coordinator->complaints = 0;
    MAILLE_TRY(audit_tick(coordinator->log, error));
out:
    return code;
}

/* --- statuses --- */

static bool is_connected(const struct coordinator *coordinator, const char *name, int64_t now)
{
    for (size_t i = 0; i < coordinator->n_seen; i++)
        if (strcmp(coordinator->seen[i].name, name) == 0)
            return now - coordinator->seen[i].heard_ms < CONNECTED_MS;
    return false;
}

static enum maille_code tell_agent(struct coordinator *coordinator, struct query *query,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint32_t waiting[MESSAGE_SITES_MAX], connected[MESSAGE_SITES_MAX];
    struct message_wire_site other[MESSAGE_SITES_MAX];
    const int64_t now = coordinator_now_ms(coordinator);
    struct message_status status = {.phase = query->row.phase,
                                    .round = query->row.round,
                                    .attempt = query->row.attempt,
                                    .bytes = query->row.bytes,
                                    .waiting = waiting,
                                    .connected = connected,
                                    .other = other};
    struct bytes body = {0};
    struct parcel *parcel = NULL;
    memcpy(status.qid, query->row.qid, QID_BYTES);
    for (size_t i = 0; i < query->n_sites; i++) {
        const struct query_site *site = &query->sites[i];
        if (query_waits_for(query, site))
            waiting[status.n_waiting++] = site->id;
        if (is_connected(coordinator, site->name, now))
            connected[status.n_connected++] = site->id;
        const uint32_t wire = coordinator_other_wire(coordinator, site->name);
        if (wire != 0)
            other[status.n_other++] = (struct message_wire_site){site->id, wire};
    }
    MAILLE_TRY(message_status_encode(&body, &status, error));
    MAILLE_TRY(outbox_parcel(coordinator, &parcel, MESSAGE_STATUS, &body, NULL, 0, error));
    MAILLE_TRY(outbox_agent(coordinator, query, parcel, error));
out:
    parcel_drop(parcel);
    bytes_clear(&body);
    return code;
}

enum maille_code coordinator_tell_agents(struct coordinator *coordinator, struct maille_error *error)
{
    const int64_t now = coordinator_now_ms(coordinator);
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        struct query *query = coordinator->queries[i];
        if (!query->changed && (query_over(query) || now - query->told_ms < STATUS_MS))
            continue;
        enum maille_code code = tell_agent(coordinator, query, error);
        if (code != MAILLE_OK)
            return code;
        query->changed = false;
        query->told_ms = now;
    }
    return MAILLE_OK;
}

/* --- after a restart --- */

struct loading {
    struct coordinator *coordinator;
    const struct store_query *row;
    struct query *query; /* NULL until its manifest was read */
    struct arena *arena;
};

/* The round as it began: the adder is empty, and its vectors will be pulled again. */
static enum maille_code load_start(struct loading *loading, const struct message *in, struct parcel *parcel,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_start *start = &in->body.start;
    const struct message_round_header *header = &in->round;
    struct adder *adder = NULL;
    if (loading->row->phase >= PHASE_ENDED)
        return MAILLE_OK;
    if (!loading->query->circle)
        MAILLE_TRY(adder_new(&adder, header->length, header->members, header->n_members, start->runs,
                             start->n_runs, coordinator_held_max(loading->coordinator, header), error));
    query_begin_round(loading->query, header, &loading->row->psi, parcel, adder);
out:
    return code;
}

/* What a site said. */
static enum maille_code load_of_site(const struct coordinator *coordinator, struct query *query,
                                     struct query_site *site, const struct message *in, struct parcel *parcel,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct parcel **place = NULL;
    switch (parcel->kind) {
    case MESSAGE_READY:
        site->ready_state = in->body.ready.state;
        place = &site->ready;
        break;
    case MESSAGE_MASKED:
        if (query->circle && query->start != NULL)
            MAILLE_TRY(coordinator_expect(coordinator, query, in->body.masked.share.length, error));
        if (query->adder != NULL)
            MAILLE_TRY(adder_expect(query->adder, site->id, &in->body.masked.share.vector, error));
        place = &site->masked;
        break;
    case MESSAGE_ACCEPT:
        place = &site->accept;
        break;
    case MESSAGE_REFUSE:
        place = &site->refuse;
        break;
    case MESSAGE_REVEAL:
        place = &site->reveal;
        break;
    case MESSAGE_TAKEN:
        place = &site->taken;
        break;
    case MESSAGE_RESULT:
        place = &site->result;
        break;
    default:
        break;
    }
    if (place != NULL)
        parcel_set(place, parcel_keep(parcel));
out:
    return code;
}

/* Puts one stored message where it belongs; they come in the order in which the protocol made them. */
static enum maille_code load_message(struct loading *loading, const struct store_key *key,
                                     struct parcel *parcel, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    struct query *query = loading->query;
    MAILLE_TRY(
        message_open(&in, loading->arena, parcel->envelope.data, parcel->envelope.length, NULL, 0, error));
    MAILLE_TRY(message_decode(&in, NULL, 0, error));
    if (parcel->kind == MESSAGE_MANIFEST)
        return coordinator_query_new(&loading->query, &in.body.manifest, parcel, loading->row->study,
                                     network_directory(loading->coordinator->network), error);
    if (query == NULL)
        return maille_fail(error, MAILLE_CORRUPT, "expected a manifest before other messages, found none");
    switch (parcel->kind) {
    case MESSAGE_CALL:
        for (size_t i = 0; i < in.body.call.n_sites; i++)
            if (query_site(query, in.body.call.sites[i]) != NULL)
                query_site(query, in.body.call.sites[i])->called = true;
        parcel_set(&query->call, parcel_keep(parcel));
        break;
    case MESSAGE_ROSTER:
        MAILLE_TRY(query_rho(&query->rho, query->manifest, in.body.roster.accepts, in.body.roster.n, error));
        parcel_set(&query->roster, parcel_keep(parcel));
        break;
    case MESSAGE_START:
        code = load_start(loading, &in, parcel, error);
        break;
    case MESSAGE_CLOSE:
        parcel_set(&query->close, parcel_keep(parcel));
        break;
    case MESSAGE_SUM:
        parcel_set(&query->sum, parcel_keep(parcel));
        break;
    case MESSAGE_END:
    case MESSAGE_CANCEL:
        parcel_set(&query->over, parcel_keep(parcel));
        break;
    default:
        if (query_site(query, key->site) != NULL)
            code =
                load_of_site(loading->coordinator, query, query_site(query, key->site), &in, parcel, error);
    }
out:
    return code;
}

static enum maille_code each_message(void *context, const struct store_key *key, struct parcel *parcel,
                                     struct maille_error *error)
{
    enum maille_code code = load_message(context, key, parcel, error);
    parcel_drop(parcel);
    return code;
}

static enum maille_code load_query(struct coordinator *coordinator, const struct store_query *row,
                                   struct query **query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct loading loading = {.coordinator = coordinator, .row = row, .arena = arena_new()};
    if (loading.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a query, found none");
    MAILLE_TRY(store_read_messages(coordinator->store, row->qid, row->round, row->attempt, each_message,
                                   &loading, error));
    if (loading.query == NULL) {
        code =
            maille_fail(error, MAILLE_CORRUPT, "expected the manifest of a query in the store, found none");
        goto out;
    }
    loading.query->row = *row;
    loading.query->told_ms = coordinator_now_ms(coordinator);
    if (row->phase > PHASE_CALLED || query_count(loading.query, query_site_accepted) > 0)
        loading.query->turn_ms = loading.query->told_ms > 0 ? loading.query->told_ms : 1;
    MAILLE_TRY(coordinator_add_query(coordinator, loading.query, error));
    *query = loading.query;
    loading.query = NULL;
out:
    coordinator_query_free(loading.query);
    arena_free(loading.arena);
    return code;
}

struct rows {
    struct store_query *list;
    size_t n, over; /* over: queries that have ended and are left in the store */
};

static enum maille_code collect_row(void *context, const struct store_query *row, struct maille_error *error)
{
    struct rows *rows = context;
    if (row->phase >= PHASE_ENDED) {
        rows->over++;
        return MAILLE_OK;
    }
    struct store_query *grown = realloc(rows->list, (rows->n + 1) * sizeof *grown);
    if (grown == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for queries, found none");
    rows->list = grown;
    rows->list[rows->n++] = *row;
    return MAILLE_OK;
}

enum maille_code coordinator_load(struct coordinator *coordinator, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct rows rows = {0};
    MAILLE_TRY(store_read_queries(coordinator->store, NULL, collect_row, &rows, error));
    for (size_t i = 0; i < rows.n; i++) {
        struct maille_error wrong = {0};
        struct query *query;
        code = load_query(coordinator, &rows.list[i], &query, &wrong);
        if (code == MAILLE_PROTOCOL) { /* its sites are no longer in the directory */
            log_line(LOG_LEVEL_WARNING, "%s of %s cannot go on: %s", rows.list[i].study,
                     rows.list[i].researcher, wrong.sentence);
            rows.list[i].phase = PHASE_CANCELLED;
            code = store_put_query(coordinator->store, &rows.list[i], &wrong);
        }
        if (code != MAILLE_OK) {
            if (error != NULL)
                *error = wrong;
            goto out;
        }
    }
    MAILLE_TRY(store_commit(coordinator->store, error));
    if (rows.n + rows.over > 0)
        log_line(LOG_LEVEL_INFO, "%zu queries go on; %zu that are over stay in the store",
                 coordinator->n_queries, rows.over);
out:
    free(rows.list);
    return code;
}

enum maille_code coordinator_recall(struct coordinator *coordinator, struct query **query,
                                    const uint8_t qid[QID_BYTES], struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct store_query row;
    bool there = true;
    struct query *found = coordinator_query(coordinator, qid);
    if (found == NULL)
        MAILLE_TRY(store_get_query(coordinator->store, &row, &there, qid, error));
    if (found == NULL && there) {
        code = load_query(coordinator, &row, &found, error);
        if (code == MAILLE_PROTOCOL) /* its sites are no longer in the directory */
            code = MAILLE_OK;
    }
    if (code == MAILLE_OK)
        *query = found;
out:
    return code;
}
