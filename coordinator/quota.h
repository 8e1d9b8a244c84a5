/* What one peer, and what one researcher's queries, may cost (docs/ARCHITECTURE.md, Quotas). */
#ifndef COORDINATOR_QUOTA_H
#define COORDINATOR_QUOTA_H

#include "coordinator/query.h"

struct coordinator;

/* Settings of coordinator.yaml (settings.c has the sentences); 0: the default. */
struct quotas {
    int64_t queries;             /* open, of everybody */
    int64_t researcher_queries;  /* open, of one researcher */
    int64_t researcher_bytes;    /* messages, vectors and sums held for one researcher's queries */
    int64_t messages_per_minute; /* of one peer, over all of its connections */
    int64_t log_entries_per_day; /* that one peer, or one researcher's queries, may add to the message log */
};
enum {
    QUOTA_QUERIES = 256,
    QUOTA_RESEARCHER_QUERIES = 32,
    QUOTA_RESEARCHER_BYTES = 1 << 30,
    QUOTA_MESSAGES_PER_MINUTE = 12000,
    QUOTA_LOG_ENTRIES_PER_DAY = 1000000
};
void quota_defaults(struct quotas *quotas);

/* What one peer has cost lately. Zero-initialise. */
struct quota_use {
    double messages;      /* that may come now */
    int64_t since_ms;     /* monotonic: when that was so; 0: never yet */
    int64_t day;          /* UTC, since 1970 */
    uint64_t log_entries; /* of that day */
    bool told;            /* once that something is let go, until it is not */
};
/* Takes one message off; false: it comes too soon, and is to be let go unread. */
bool quota_message(const struct quotas *quotas, struct quota_use *use, int64_t now_ms);
/* Counts one entry of the log; false: the day's are used up. */
bool quota_log(const struct quotas *quotas, struct quota_use *use, int64_t utc_ms);
bool quota_log_left(const struct quotas *quotas, const struct quota_use *use, int64_t utc_ms);

/* A rule that may cross the wire, or NULL: whether a researcher may have one query more, a query a round of n
 * vectors of `length` bytes, asked with a frame of so many, and a result more of so many. */
const char *quota_query(const struct coordinator *coordinator, const char *researcher);
const char *quota_round(const struct coordinator *coordinator, const struct query *query, uint64_t length,
                        size_t n_members, bool for_custodians, size_t frame);
const char *quota_result(const struct coordinator *coordinator, const struct query *query, size_t length);

#endif
