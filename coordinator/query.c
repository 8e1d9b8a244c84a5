#include "coordinator/query.h"

#include <stdlib.h>
#include <string.h>

enum maille_code coordinator_query_new(struct query **query, const struct message_manifest *manifest,
                                       struct parcel *envelope, const char *study,
                                       const struct directory *directory, struct maille_error *error)
{
    struct query *made = calloc(1, sizeof *made);
    struct query_site *sites = calloc(manifest->n_sites, sizeof *sites);
    if (made == NULL || sites == NULL) {
        free(made);
        free(sites);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a query, found none");
    }
    made->sites = sites;
    made->n_sites = manifest->n_sites;
    for (size_t i = 0; i < manifest->n_sites; i++) {
        const struct directory_site *site = directory_site(directory, manifest->sites[i]);
        if (site == NULL) {
            coordinator_query_free(made);
            return maille_protest(error, "sites", "expected sites of the directory, found the number %u",
                                  manifest->sites[i]);
        }
        sites[i].id = site->id;
        memcpy(sites[i].name, site->name, strlen(site->name) + 1);
    }
    memcpy(made->row.qid, manifest->qid, QID_BYTES);
    memcpy(made->row.researcher, manifest->researcher, strlen(manifest->researcher) + 1);
    strncpy(made->row.study, study, sizeof made->row.study - 1);
    made->row.phase = PHASE_ASKED;
    made->row.created_ms = manifest->created_ms;
    made->row.expires_ms = manifest->expires_ms;
    made->n_min = manifest->n_min;
    made->rounds_max = manifest->rounds_max;
    made->bytes_max = manifest->bytes_max;
    made->circle = manifest->mode == MODE_CIRCLE;
    made->dictionary = manifest->dictionary_hash;
    made->manifest = parcel_keep(envelope);
    made->changed = true;
    *query = made;
    return MAILLE_OK;
}

/* Lets go of what belongs to one round. */
static void clear_round(struct query *query)
{
    parcel_set(&query->start, NULL);
    parcel_set(&query->close, NULL);
    parcel_set(&query->sum, NULL);
    parcel_set(&query->custody, NULL);
    parcel_set(&query->agreed, NULL);
    adder_free(query->adder);
    query->adder = NULL;
    query->n_relays = 0;
    for (size_t i = 0; i < query->n_sites; i++) {
        struct query_site *site = &query->sites[i];
        parcel_set(&site->refuse, NULL);
        parcel_set(&site->masked, NULL);
        parcel_set(&site->reveal, NULL);
        parcel_set(&site->taken, NULL);
        parcel_set(&site->result, NULL);
        site->member = false;
        site->credit = 0;
    }
}

void coordinator_query_free(struct query *query)
{
    if (query == NULL)
        return;
    clear_round(query);
    for (size_t i = 0; i < query->n_sites; i++) {
        parcel_drop(query->sites[i].ready);
        parcel_drop(query->sites[i].accept);
    }
    parcel_drop(query->manifest);
    parcel_drop(query->call);
    parcel_drop(query->roster);
    parcel_drop(query->over);
    free(query->sites);
    free(query);
}

struct query_site *query_site(const struct query *query, uint32_t id)
{
    for (size_t i = 0; i < query->n_sites; i++)
        if (query->sites[i].id == id)
            return &query->sites[i];
    return NULL;
}

struct query_site *query_site_named(const struct query *query, const char *name)
{
    for (size_t i = 0; i < query->n_sites; i++)
        if (strcmp(query->sites[i].name, name) == 0)
            return &query->sites[i];
    return NULL;
}

bool query_over(const struct query *query)
{
    return query->row.phase >= PHASE_ENDED;
}

void query_begin_round(struct query *query, const struct message_round_header *header,
                       const struct digest *psi, struct parcel *start, struct adder *adder)
{
    clear_round(query);
    query->row.round = header->round;
    query->row.attempt = header->attempt;
    query->row.psi = *psi;
    query->row.previous = header->previous_hash;
    query->row.phase = PHASE_ROUND;
    query->length = header->length;
    query->for_custodians = header->result_to == RESULT_TO_CUSTODIANS;
    query->start = parcel_keep(start);
    query->adder = adder;
    for (size_t i = 0; i < header->n_members; i++) {
        struct query_site *site = query_site(query, header->members[i]);
        if (site != NULL)
            site->member = true;
    }
    query->changed = true;
}

void query_release(struct query *query)
{
    clear_round(query);
}

/* --- what is missing --- */

bool query_site_called(const struct query *query, const struct query_site *site)
{
    (void)query;
    return site->called;
}

bool query_site_accepted(const struct query *query, const struct query_site *site)
{
    (void)query;
    return site->called && site->accept != NULL;
}

bool query_site_member(const struct query *query, const struct query_site *site)
{
    (void)query;
    return site->member;
}

bool query_site_revealed(const struct query *query, const struct query_site *site)
{
    (void)query;
    return site->member && site->reveal != NULL;
}

bool query_site_took(const struct query *query, const struct query_site *site)
{
    (void)query;
    return site->member && site->taken != NULL;
}

bool query_site_answered(const struct query *query, const struct query_site *site)
{
    (void)query;
    return site->member && site->result != NULL;
}

bool query_all_took(const struct query *query)
{
    return query->for_custodians &&
           query_count(query, query_site_took) == query_count(query, query_site_member);
}

bool query_round_over(const struct query *query)
{
    const size_t n = query_count(query, query_site_member);
    return query->row.phase == PHASE_REVEALED && (!query->for_custodians || query_all_took(query)) &&
           (!query->circle || query_count(query, query_site_answered) == n);
}

size_t query_count(const struct query *query,
                   bool (*counted)(const struct query *query, const struct query_site *site))
{
    size_t n = 0;
    for (size_t i = 0; i < query->n_sites; i++)
        n += counted(query, &query->sites[i]);
    return n;
}

static bool vector_missing(const struct query *query, const struct query_site *site)
{
    return site->member && (query->adder == NULL || !adder_has(query->adder, site->id));
}

/* TURN_MS: who is slower goes on beside the next. TURN_ROUNDS: no more are threshold rounds (T0, T1, T2); a
 * query that has fewer gives its turn up a little later than it must. */
enum { TURN_MS = 120 * 1000, TURN_ROUNDS = 3 };

bool query_has_turn(const struct query *query, int64_t now_ms)
{
    const bool counted =
        query->row.round > TURN_ROUNDS ||
        (query->row.round == TURN_ROUNDS && query->row.phase == PHASE_REVEALED && query_all_took(query));
    return query->circle && !query_over(query) && query->turn_ms != 0 && now_ms - query->turn_ms < TURN_MS &&
           !counted;
}

bool query_in_line(const struct query *query)
{
    return query->row.phase == PHASE_CALLED && query->turn_ms == 0;
}

bool query_waits_for(const struct query *query, const struct query_site *site)
{
    switch (query->row.phase) {
    case PHASE_ASKED:
        return site->ready == NULL || site->ready_state == READY_HELD;
    case PHASE_CALLED:
        return site->called && site->accept == NULL && !query_in_line(query);
    case PHASE_ROUND:
        return vector_missing(query, site) && site->refuse == NULL;
    case PHASE_CLOSED: /* vectors are missing here only after a restart */
        return site->member && (site->reveal == NULL || vector_missing(query, site));
    case PHASE_REVEALED:
        if (query_all_took(query)) /* nobody needs vectors any more */
            return query->circle && site->member && site->result == NULL;
        return vector_missing(query, site) || (query->for_custodians && site->member && site->taken == NULL);
    default:
        return false;
    }
}

size_t query_ask(const struct query *query, const struct query_site *site, struct parcel *list[2])
{
    size_t n = 0;
    switch (query->row.phase) {
    case PHASE_ASKED:
        if (site->ready == NULL)
            list[n++] = query->manifest;
        break;
    case PHASE_CALLED:
        if (site->called && site->accept == NULL && !query_in_line(query))
            list[n++] = query->call;
        break;
    case PHASE_ROUND:
        if (site->member && site->masked == NULL && site->refuse == NULL) {
            if (query->row.round == 1) /* it may have been away when the roster came */
                list[n++] = query->roster;
            list[n++] = query->start;
        }
        break;
    case PHASE_CLOSED:
        if (site->member && site->reveal == NULL)
            list[n++] = query->close;
        break;
    case PHASE_REVEALED:
        if (query->custody != NULL && site->member && site->taken == NULL)
            list[n++] = query->custody;
        if (query->agreed != NULL && site->member && site->result == NULL)
            list[n++] = query->agreed;
        break;
    default:
        break;
    }
    return n;
}

void query_pull(const struct query *query, const struct query_site *site, bool again, uint64_t *first,
                uint32_t *count)
{
    *first = 0;
    *count = 0;
    if (site->masked == NULL || query->adder == NULL || !vector_missing(query, site) ||
        query_all_took(query) || !adder_expects(query->adder, site->id))
        return;
    const uint64_t next = adder_next(query->adder, site->id), all = adder_segments(query->adder);
    if (!again && site->credit > next) /* the last credit is not used up */
        return;
    *first = next;
    *count = all - next < QUERY_CREDIT ? (uint32_t)(all - next) : QUERY_CREDIT;
}

enum maille_code query_rho(struct digest *rho, const struct parcel *manifest, const struct byte_view *accepts,
                           size_t n, struct maille_error *error)
{
    struct digest qh;
    hash_kdf(&qh, NULL, "manifest", manifest->envelope.data, manifest->envelope.length);
    return message_rho(rho, &qh, accepts, n, error);
}

void query_relay_add(struct query *query, uint32_t site, uint64_t index)
{
    for (size_t i = 0; i < query->n_relays; i++)
        if (query->relays[i].site == site && query->relays[i].index == index)
            return;
    if (query->n_relays == QUERY_RELAYS_MAX)
        memmove(query->relays, query->relays + 1, --query->n_relays * sizeof *query->relays);
    query->relays[query->n_relays++] = (struct query_relay){.site = site, .index = index};
}

bool query_relay_take(struct query *query, uint32_t site, uint64_t index)
{
    for (size_t i = 0; i < query->n_relays; i++)
        if (query->relays[i].site == site && query->relays[i].index == index) {
            query->relays[i] = query->relays[--query->n_relays];
            return true;
        }
    return false;
}
