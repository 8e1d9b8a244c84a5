/* One query as the coordinator knows it: which messages are there, and what is missing next. No I/O: handlers
 * fill it, the store keeps it, serve asks it what to send again. It holds ciphertext and signatures, nothing
 * that opens anything. */
#ifndef COORDINATOR_QUERY_H
#define COORDINATOR_QUERY_H

#include "coordinator/adder.h"
#include "coordinator/store.h"
#include "proto/directory.h"

enum {
    QUERY_CREDIT = 16,
    QUERY_RELAYS_MAX = 64
}; /* segments per pull; pulls of the agent that are passed on to sites */

/* A named site and its messages. A pointer is NULL until the message is there. */
struct query_site {
    uint32_t id;
    char name[NAME_MAX_BYTES + 1];
    enum ready_state ready_state;
    bool called, member; /* in the call; in the current round's U */
    struct parcel *ready, *accept, *refuse, *masked, *reveal, *taken;
    struct parcel *result; /* of a circle: what ended in the round, sealed to the researcher */
    uint64_t credit;       /* segments up to here were asked for */
    int64_t asked_ms;      /* monotonic: when its next message was last asked for; 0: never */
};

/* A segment that the agent wants from a site's vector that is not held. */
struct query_relay {
    uint32_t site;
    uint64_t index;
};

struct query {
    struct store_query row; /* what the table `query` holds */
    uint32_t n_min, rounds_max;
    uint64_t bytes_max;
    bool circle; /* all rounds are for the members; how long their vectors are, the first one says */
    struct digest dictionary;
    int64_t
        turn_ms; /* monotonic: when its call went out to the sites; 0: it has none, or waits for its turn */
    struct digest rho;
    struct parcel *manifest, *call, *roster, *over; /* over: end or cancel */
    size_t n_sites;
    struct query_site *sites; /* named ones, ascending */

    /* the current round */
    struct parcel *start, *close, *sum;
    bool for_custodians; /* a threshold round, or one of a circle: reveals and vectors go to the members */
    struct parcel
        *custody; /* what they go in; NULL until all of both are here, and once every member took it */
    struct parcel *agreed; /* of a circle: what every member took; NULL until all have */
    uint64_t length;
    struct adder *adder; /* NULL before the first start (in a circle before its first vector), and once the
                            query is over */
    size_t n_relays;
    struct query_relay relays[QUERY_RELAYS_MAX];

    uint64_t agent_address; /* where the agent's last message came from; 0: unknown */
    bool changed;           /* the agent is to be told the status */
    int64_t told_ms;        /* monotonic: when it was last told */
};

/* From a decoded manifest whose sites are all in the directory (MAILLE_PROTOCOL otherwise). */
enum maille_code coordinator_query_new(struct query **query, const struct message_manifest *manifest,
                                       struct parcel *envelope, const char *study,
                                       const struct directory *directory,
                                       struct maille_error *error) MAILLE_CHECKED;
void coordinator_query_free(struct query *query);

struct query_site *query_site(const struct query *query, uint32_t id);
struct query_site *query_site_named(const struct query *query, const char *name);
bool query_over(const struct query *query); /* ended, cancelled or expired */

/* A new round or attempt: messages of the last one are let go, members and the adder are new. adder is taken
 * over. */
void query_begin_round(struct query *query, const struct message_round_header *header,
                       const struct digest *psi, struct parcel *start, struct adder *adder);
/* Lets go of vectors and sums. */
void query_release(struct query *query);

/* In the circle one query per dictionary at a time is between its call and the end of its threshold rounds,
 * so that of two at once both are answered (the sites end the one that was counted second under `again`).
 * Does this one stand in the way of the others now; does it wait for its turn? */
bool query_has_turn(const struct query *query, int64_t now_ms);
bool query_in_line(const struct query *query);

/* Is this site's next message missing? */
bool query_waits_for(const struct query *query, const struct query_site *site);
/* Members whose vector is complete (or, before the round, sites with the message that the phase waits for).
 */
size_t query_count(const struct query *query,
                   bool (*counted)(const struct query *query, const struct query_site *site));
bool query_site_called(const struct query *query, const struct query_site *site);
bool query_site_accepted(const struct query *query, const struct query_site *site);
bool query_site_member(const struct query *query, const struct query_site *site);
bool query_site_revealed(const struct query *query, const struct query_site *site);
bool query_site_took(const struct query *query, const struct query_site *site);
bool query_site_answered(const struct query *query, const struct query_site *site); /* its result is here */
bool query_all_took(const struct query *query);
/* Is the current round complete, so that the next may begin? */
bool query_round_over(const struct query *query);

/* The messages that ask a site for what is missing, in order: at most 2. A vector that is missing in part is
 * not among them: see query_pull. */
size_t query_ask(const struct query *query, const struct query_site *site, struct parcel *list[2]);
/* The segments that are to be pulled from a member now: up to QUERY_CREDIT that were not asked for yet, or
 * (again) from the next awaited one. count 0: none. */
void query_pull(const struct query *query, const struct query_site *site, bool again, uint64_t *first,
                uint32_t *count);

/* message_rho with qh = KDF(-, "manifest", manifest). MAILLE_MEMORY. */
enum maille_code query_rho(struct digest *rho, const struct parcel *manifest, const struct byte_view *accepts,
                           size_t n, struct maille_error *error) MAILLE_CHECKED;

/* Notes a pull that is passed on to a site; the oldest gives way when there is no room (the agent asks
 * again). */
void query_relay_add(struct query *query, uint32_t site, uint64_t index);
/* Takes it off the list; false when it was not there. */
bool query_relay_take(struct query *query, uint32_t site, uint64_t index);

#endif
