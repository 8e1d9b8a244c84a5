#include "coordinator/quota.h"

#include <string.h>

#include "coordinator/coordinator.h"

enum { MINUTE_MS = 60 * 1000 };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

void quota_defaults(struct quotas *quotas)
{
    const struct quotas standard = {QUOTA_QUERIES, QUOTA_RESEARCHER_QUERIES, QUOTA_RESEARCHER_BYTES,
                                    QUOTA_MESSAGES_PER_MINUTE, QUOTA_LOG_ENTRIES_PER_DAY};
    quotas->queries = quotas->queries > 0 ? quotas->queries : standard.queries;
    quotas->researcher_queries =
        quotas->researcher_queries > 0 ? quotas->researcher_queries : standard.researcher_queries;
    quotas->researcher_bytes =
        quotas->researcher_bytes > 0 ? quotas->researcher_bytes : standard.researcher_bytes;
    quotas->messages_per_minute =
        quotas->messages_per_minute > 0 ? quotas->messages_per_minute : standard.messages_per_minute;
    quotas->log_entries_per_day =
        quotas->log_entries_per_day > 0 ? quotas->log_entries_per_day : standard.log_entries_per_day;
}

/* A bucket of a minute's messages that fills evenly. */
bool quota_message(const struct quotas *quotas, struct quota_use *use, int64_t now_ms)
{
    const double full = (double)quotas->messages_per_minute;
    const double grown = use->since_ms == 0
                             ? full
                             : use->messages + (double)(now_ms - use->since_ms) * full / (double)MINUTE_MS;
    use->messages = grown < full ? grown : full;
    use->since_ms = now_ms > 0 ? now_ms : 1;
    if (use->messages < 1)
        return false;
    use->messages -= 1;
    return true;
}

bool quota_log_left(const struct quotas *quotas, const struct quota_use *use, int64_t utc_ms)
{
    return use->day != utc_ms / day_ms || use->log_entries < (uint64_t)quotas->log_entries_per_day;
}

bool quota_log(const struct quotas *quotas, struct quota_use *use, int64_t utc_ms)
{
    if (use->day != utc_ms / day_ms) {
        use->day = utc_ms / day_ms;
        use->log_entries = 0;
    }
    if (!quota_log_left(quotas, use, utc_ms))
        return false;
    use->log_entries++;
    return true;
}

const char *quota_query(const struct coordinator *coordinator, const char *researcher)
{
    size_t open = 0, own = 0;
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        const struct query *query = coordinator->queries[i];
        if (query_over(query))
            continue;
        open++;
        own += strcmp(query->row.researcher, researcher) == 0;
    }
    return own >= (size_t)coordinator->quotas.researcher_queries ? "researcher_queries"
           : open >= (size_t)coordinator->quotas.queries         ? "queries"
                                                                 : NULL;
}

static uint64_t parcel_bytes(const struct parcel *parcel)
{
    return parcel == NULL ? 0 : parcel->envelope.length + (parcel->has_frame ? parcel->frame.length : 0);
}

/* The messages of a query. */
static uint64_t message_bytes(const struct query *query)
{
    const struct parcel *const own[] = {query->manifest, query->call,    query->roster,
                                        query->over,     query->start,   query->close,
                                        query->sum,      query->custody, query->agreed};
    uint64_t held = 0;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        held += parcel_bytes(own[i]);
    for (size_t i = 0; i < query->n_sites; i++) {
        const struct query_site *site = &query->sites[i];
        const struct parcel *const sent[] = {site->ready,  site->accept, site->refuse, site->masked,
                                             site->reveal, site->taken,  site->result};
        for (size_t k = 0; k < sizeof sent / sizeof *sent; k++)
            held += parcel_bytes(sent[k]);
    }
    return held;
}

/* The sum, and the vectors where they are held. */
static uint64_t vector_bytes(const struct query *query)
{
    if (query->adder == NULL)
        return 0;
    return query->length * (1 + (adder_holds(query->adder) ? query_count(query, query_site_member) : 0));
}

/* What everything that a researcher asked makes this program hold; of this query without its vectors. */
static uint64_t held_beside(const struct coordinator *coordinator, const struct query *query)
{
    uint64_t held = message_bytes(query);
    for (size_t i = 0; i < coordinator->n_queries; i++)
        if (coordinator->queries[i] != query &&
            strcmp(coordinator->queries[i]->row.researcher, query->row.researcher) == 0)
            held += message_bytes(coordinator->queries[i]) + vector_bytes(coordinator->queries[i]);
    return held;
}

static const char *quota_within(const struct coordinator *coordinator, uint64_t held)
{
    return held > (uint64_t)coordinator->quotas.researcher_bytes ? "researcher_bytes" : NULL;
}

const char *quota_round(const struct coordinator *coordinator, const struct query *query, uint64_t length,
                        size_t n_members, bool for_custodians, size_t frame)
{
    /* At most 2^34 bytes a vector and 2^20 members (settings.c, message.h): no product overflows. Vectors of
     * custodians are held, and once more in what is made of them. */
    const bool held = for_custodians || length * n_members <= coordinator->held_max;
    return quota_within(coordinator,
                        held_beside(coordinator, query) + frame +
                            length * (1 + (held ? n_members : 0) + (for_custodians ? n_members : 0)));
}

const char *quota_result(const struct coordinator *coordinator, const struct query *query, size_t length)
{
    return quota_within(coordinator, held_beside(coordinator, query) + vector_bytes(query) + length);
}
