/* A query from manifest to end. Every handler is idempotent: what comes a second time changes nothing. */
#include <string.h>

#include "coordinator/handlers.h"

/* --- M0 --- */

/* The study's own name, for lists; the sites judge the study. */
static const char *study_name(const struct incoming *in)
{
    return strlen(in->heading.id) > 64 ? "" : in->heading.id;
}

/* Why a manifest is not taken on: a rule that may cross the wire, or NULL. */
static const char *manifest_fault(const struct coordinator *coordinator,
                                  const struct message_manifest *manifest, int64_t utc_ms)
{
    const struct directory *directory = network_directory(coordinator->network);
    if (manifest->protocol != PROTOCOL_VERSION)
        return "wire_version";
    if (manifest->directory_version != directory->version ||
        !digest_equal(&manifest->directory_hash, &directory->hash))
        return "directory";
    if (manifest->created_ms > utc_ms + CLOCK_SKEW_MS)
        return "clock";
    if (manifest->expires_ms + CLOCK_SKEW_MS <= utc_ms ||
        manifest->expires_ms - manifest->created_ms > directory->timeouts.lifetime_ms)
        return "expires";
    const uint32_t needed =
        directory_sites_needed(directory, manifest->mode == MODE_CIRCLE, manifest->n_sites);
    if (needed == 0 || manifest->n_min < needed || manifest->n_min > manifest->n_sites)
        return "min_sites";
    for (size_t i = 0; i < manifest->n_sites; i++)
        if (directory_site(directory, manifest->sites[i]) == NULL)
            return "sites";
    return quota_query(coordinator, manifest->researcher);
}

enum maille_code coordinator_handle_manifest(struct coordinator *coordinator, struct query *query,
                                             struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_manifest *manifest = &in->opened.body.manifest;
    const struct wire_message *message = in->message;
    if (strcmp(manifest->researcher, message->peer) != 0) {
        code = maille_protest(error, "researcher", "expected a manifest of %s, found one of %s",
                              message->peer, manifest->researcher);
        goto out;
    }
    struct query *known;
    MAILLE_TRY(coordinator_recall(coordinator, &known, manifest->qid, error));
    if (known != NULL) { /* a qid is taken once */
        if (!parcel_equal(known->manifest, in->parcel))
            code = outbox_problem(coordinator, message->peer, message->address, manifest->qid,
                                  MAILLE_PROTOCOL, "qid", error);
        else {
            known->agent_address = message->address;
            known->changed = true;
        }
        goto out;
    }
    const char *fault = manifest_fault(coordinator, manifest, in->utc_ms);
    if (fault != NULL) {
        log_line(LOG_LEVEL_WARNING, "a manifest of %s is not taken on: %s", message->peer, fault);
        code = outbox_problem(coordinator, message->peer, message->address, manifest->qid, MAILLE_REFUSED,
                              fault, error);
        goto out;
    }
    MAILLE_TRY(coordinator_query_new(&query, manifest, in->parcel, study_name(in),
                                     network_directory(coordinator->network), error));
    query->agent_address = message->address;
    query->row.activity_ms = in->utc_ms;
    struct query *made = query;
    code = coordinator_add_query(coordinator, query, error);
    coordinator->counts.asked += code == MAILLE_OK;
    if (code != MAILLE_OK)
        goto out;
    query = NULL; /* the coordinator's now */
    const struct store_key key = {.qid = made->row.qid};
    MAILLE_TRY(coordinator_keep(coordinator, made, error));
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    log_line(LOG_LEVEL_INFO, "%s of %s: asked %zu sites", made->row.study, made->row.researcher,
             made->n_sites);
    for (size_t i = 0; i < made->n_sites; i++)
        MAILLE_TRY(coordinator_ask(coordinator, made, &made->sites[i], error));
out:
    coordinator_query_free(query);
    return code;
}

/* --- M0a, M0b --- */

enum maille_code coordinator_handle_ready(struct coordinator *coordinator, struct query *query,
                                          struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_ready *ready = &in->opened.body.ready;
    struct query_site *site;
    MAILLE_TRY(handlers_site(query, in, ready->site, &site, error));
    if (parcel_equal(site->ready, in->parcel))
        goto out;
    const struct store_key key = {.qid = query->row.qid, .site = site->id};
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    parcel_set(&site->ready, parcel_keep(in->parcel));
    site->ready_state = ready->state;
    MAILLE_TRY(coordinator_keep(coordinator, query, error));
    MAILLE_TRY(outbox_agent(coordinator, query, in->parcel, error));
out:
    return code;
}

/* Are all of a call's sites named and ready, and enough? */
static bool call_possible(const struct query *query, const struct message_call *call)
{
    for (size_t i = 0; i < call->n_sites; i++) {
        const struct query_site *site = query_site(query, call->sites[i]);
        if (site == NULL || site->ready == NULL || site->ready_state != READY_READY)
            return false;
    }
    return call->n_sites >= query->n_min;
}

enum maille_code coordinator_handle_call(struct coordinator *coordinator, struct query *query,
                                         struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_call *call = &in->opened.body.call;
    query->changed = true;
    if (query->row.phase != PHASE_ASKED)
        goto out;
    if (!call_possible(query, call)) {
        code = maille_protest(error, "call",
                              "expected a call of at least %u sites that are ready, found another",
                              query->n_min);
        goto out;
    }
    const struct store_key key = {.qid = query->row.qid};
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    parcel_set(&query->call, parcel_keep(in->parcel));
    query->row.phase = PHASE_CALLED;
    query->row.called_ms = in->utc_ms;
    for (size_t i = 0; i < call->n_sites; i++)
        query_site(query, call->sites[i])->called = true;
    MAILLE_TRY(coordinator_keep(coordinator, query, error));
    MAILLE_TRY(coordinator_turns(coordinator, error));
out:
    return code;
}

/* --- M1 --- */

enum maille_code coordinator_handle_accept(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_accept *accept = &in->opened.body.accept;
    struct query_site *site;
    struct digest qh;
    MAILLE_TRY(handlers_site(query, in, accept->site, &site, error));
    hash_kdf(&qh, NULL, "manifest", query->manifest->envelope.data, query->manifest->envelope.length);
    if (!site->called || !digest_equal(&qh, &accept->manifest_hash)) {
        code = maille_protest(error, "manifest_hash",
                              "expected a called site that accepts this manifest, found another");
        goto out;
    }
    if (!parcel_equal(site->accept, in->parcel)) {
        const struct store_key key = {.qid = query->row.qid, .site = site->id};
        MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
        parcel_set(&site->accept, parcel_keep(in->parcel));
        query->changed = true;
    }
    if (query_count(query, query_site_accepted) == query_count(query, query_site_called))
        MAILLE_TRY(coordinator_roster(coordinator, query, error));
out:
    return code;
}

/* --- M7 and cancel --- */

enum maille_code coordinator_handle_end(struct coordinator *coordinator, struct query *query,
                                        struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    query->changed = true;
    if (query_over(query))
        goto out;
    const struct store_key key = {.qid = query->row.qid};
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    MAILLE_TRY(coordinator_finish(coordinator, query, PHASE_ENDED, in->parcel, NULL, error));
out:
    return code;
}

enum maille_code coordinator_handle_cancel(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_cancel *cancel = &in->opened.body.cancel;
    query->changed = true;
    if (query_over(query))
        goto out;
    const struct store_key key = {.qid = query->row.qid};
    MAILLE_TRY(store_put_message(coordinator->store, &key, in->parcel, error));
    log_line(LOG_LEVEL_INFO, "%s cancels %s (%s)", in->message->peer, query->row.study,
             cancel->rule[0] == '\0' ? "no rule" : cancel->rule);
    if (in->message->role == KEY_SITE)
        MAILLE_TRY(outbox_agent(coordinator, query, in->parcel, error));
    MAILLE_TRY(coordinator_finish(coordinator, query, PHASE_CANCELLED, in->parcel, in->message->peer, error));
out:
    return code;
}

/* --- an agent that comes back, or asks what it has --- */

enum maille_code handlers_resend(struct coordinator *coordinator, struct query *query,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct parcel *const after[] = {query->close, query->sum, query->over};
    query->changed = true;
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].ready != NULL)
            MAILLE_TRY(outbox_agent(coordinator, query, query->sites[i].ready, error));
    if (query->roster != NULL)
        MAILLE_TRY(outbox_agent(coordinator, query, query->roster, error));
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].refuse != NULL)
            MAILLE_TRY(outbox_agent(coordinator, query, query->sites[i].refuse, error));
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        if (after[i] != NULL)
            MAILLE_TRY(outbox_agent(coordinator, query, after[i], error));
    for (size_t i = 0; i < query->n_sites; i++) {
        struct parcel *last = query->for_custodians ? query->sites[i].taken : query->sites[i].reveal;
        if (last != NULL)
            MAILLE_TRY(outbox_agent(coordinator, query, last, error));
        if (query->sites[i].result != NULL)
            MAILLE_TRY(outbox_agent(coordinator, query, query->sites[i].result, error));
    }
out:
    return code;
}

enum maille_code coordinator_handle_resume(struct coordinator *coordinator, struct query *query,
                                           struct incoming *in, struct maille_error *error)
{
    (void)in;
    return handlers_resend(coordinator, query, error);
}

struct listing {
    struct arena *arena;
    struct message_listed *queries;
    size_t n;
};
enum { LISTED_MAX = 1000 };

static enum maille_code list_query(void *context, const struct store_query *row, struct maille_error *error)
{
    (void)error;
    struct listing *listing = context;
    if (listing->n == LISTED_MAX)
        return MAILLE_OK;
    struct message_listed *listed = &listing->queries[listing->n++];
    *listed = (struct message_listed){.study = arena_strdup(listing->arena, row->study),
                                      .phase = row->phase,
                                      .round = row->round,
                                      .created_ms = row->created_ms};
    memcpy(listed->qid, row->qid, QID_BYTES);
    return MAILLE_OK;
}

enum maille_code coordinator_handle_list_request(struct coordinator *coordinator, struct query *query,
                                                 struct incoming *in, struct maille_error *error)
{
    (void)query;
    enum maille_code code = MAILLE_OK;
    struct listing listing = {.arena = in->opened.arena};
    struct bytes body = {0};
    listing.queries = arena_array(in->opened.arena, LISTED_MAX, sizeof *listing.queries);
    MAILLE_TRY(store_read_queries(coordinator->store, in->message->peer, list_query, &listing, error));
    const struct message_list list = {.n = listing.n, .queries = listing.queries};
    MAILLE_TRY(message_list_encode(&body, &list, error));
    MAILLE_TRY(outbox_body(coordinator, in->message->peer, in->message->address, MESSAGE_LIST, &body, NULL, 0,
                           NULL, error));
out:
    bytes_clear(&body);
    return code;
}
