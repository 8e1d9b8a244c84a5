/* The coordinator at work: relay, blind adder, store. It holds no key that opens anything: its own keys sign
 * receipts and encrypt the transport. Messages come in, are judged by one table (handlers.c), change queries
 * and the store, and leave what is to be sent in the outbox; coordinator_settle makes a whole batch durable
 * before any of it is sent. Sockets are serve.c's alone. */
#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include "base/clock.h"
#include "base/log.h"
#include "coordinator/network.h"
#include "coordinator/query.h"
#include "coordinator/quota.h"
#include "wire/wire.h"

enum {
    RESEND_MS = 2000,           /* one site is not asked again sooner */
    CUSTODY_BYTES_PER_MS = 250, /* nor before what it was last sent could have come over a slow line */
    TICK_MS = 500,              /* how often is looked who is to be asked again */
    STATUS_MS = 1000,           /* the agent hears at least that often */
    ROUTES_MS = 10000,          /* how often "last seen" is written down */
    OVER_MS = 10000,            /* what is over stays in memory for so long; then the store alone has it */
    COPIES_MS = 60000,          /* how often is said that two copies of a site run */
    FORGET_MS = 3600 * 1000,    /* how often is looked for what retention lets go */
    COMPLAINTS_MAX = 20         /* lines about bad messages per tick; the rest is counted */
};

struct outgoing {
    char peer[NAME_MAX_BYTES + 1];
    uint64_t address; /* 0: the peer's latest */
    struct parcel *parcel;
    uint8_t qid[QID_BYTES];
    bool has_qid, is_agent; /* is_agent: forget the query's agent_address when it cannot be reached */
};

struct seen { /* peers as they come and go */
    char name[NAME_MAX_BYTES + 1];
    enum key_role role;
    uint64_t address;
    int64_t utc_ms, heard_ms;     /* heard_ms: monotonic */
    bool noted;                   /* in the store */
    uint32_t wire;                /* as its last hello said; 0: no hello yet */
    char run[16], run_before[16]; /* of its program, as its hellos say: two copies take turns */
    int64_t copies_told_ms;       /* monotonic; 0: never */
    struct quota_use use;
};

struct coordinator {
    const struct secret_keys *keys;
    struct clock clock;
    struct network *network;
    struct store *store;
    struct audit_log *log;
    size_t held_max;    /* bytes of vectors held per round */
    uint64_t bytes_max; /* largest vector of a round that is taken on */
    struct quotas quotas;
    int64_t retention_ms; /* of queries that are over, in the store */

    struct query **queries;
    size_t n_queries, queries_room;
    struct seen *seen;
    size_t n_seen;
    struct outgoing *outbox;
    size_t n_outbox, outbox_room;
    unsigned complaints;
    uint32_t lost;                /* how many losses of its own its log has noted */
    int64_t routes_ms, forget_ms; /* monotonic: when each was last done */
    struct {                      /* since the start, for who watches the program */
        uint64_t asked, refused, given_up, rounds;
    } counts;
};

/* --- open.c: from start to stop --- */

struct coordinator_options {
    const char *folder;             /* DIR: log/ and coordinator.db are in it */
    const char *directory;          /* path of network.yaml */
    const struct secret_keys *keys; /* borrowed */
    size_t held_max;                /* as in struct coordinator */
    uint64_t bytes_max;
    uint32_t log_retention_months;
    struct quotas quotas;
    int64_t query_retention_days; /* 0: 90 */
    struct clock clock;
};
/* Log, store, directory, and every query that is open. On failure too it is to be closed. Errors:
 * MAILLE_INVALID (another coordinator runs here; a name or key that is not the directory's),
 * MAILLE_SIGNATURE, MAILLE_CORRUPT, MAILLE_IO. */
enum maille_code coordinator_open(struct coordinator *coordinator, const struct coordinator_options *options,
                                  struct maille_error *error) MAILLE_CHECKED;
void coordinator_clear(struct coordinator *coordinator); /* keys stay the caller's */
/* Notes a loss of its own that the authorities accepted: once. */
enum maille_code coordinator_note_loss(struct coordinator *coordinator,
                                       struct maille_error *error) MAILLE_CHECKED;
/* Says in the log that the program starts or stops. */
enum maille_code coordinator_note(struct coordinator *coordinator, const char *word,
                                  struct maille_error *error) MAILLE_CHECKED;

/* Carries one message to its peer; *sent false: the peer is not there. */
typedef enum maille_code coordinator_send(void *context, const struct outgoing *out, bool *sent,
                                          struct maille_error *error);
/* After a batch of messages: statuses, then all of it durable, then said. *n: messages that were sent. */
enum maille_code coordinator_settle(struct coordinator *coordinator, size_t *n, coordinator_send *send,
                                    void *context, struct maille_error *error) MAILLE_CHECKED;

int64_t coordinator_now_ms(const struct coordinator *coordinator); /* monotonic */

/* --- handlers.c: what may come, from whom, when --- */

/* Judges and handles one message. A peer's mistake is logged and MAILLE_OK; any other code means that this
 * program cannot go on (disk, memory). */
enum maille_code coordinator_handle(struct coordinator *coordinator, const struct wire_message *message,
                                    struct maille_error *error) MAILLE_CHECKED;

/* What is known of a peer by name; made where it is new. NULL: no memory. */
struct seen *coordinator_peer(struct coordinator *coordinator, const char *name);

/* The version of the wire that a peer speaks where it is another than this program's; else 0. Nothing is
 * asked of such a site, and nothing but its hello is taken. */
uint32_t coordinator_other_wire(const struct coordinator *coordinator, const char *name);

/* --- lifecycle.c: what time brings --- */

/* Asks a site again for what is missing, if anything is. */
enum maille_code coordinator_ask(struct coordinator *coordinator, struct query *query,
                                 struct query_site *site, struct maille_error *error) MAILLE_CHECKED;

/* Gives the call of each query to its sites whose turn it is (query_has_turn): after a call, and in time. */
enum maille_code coordinator_turns(struct coordinator *coordinator,
                                   struct maille_error *error) MAILLE_CHECKED;

/* Reads open queries from the store; those that are over stay there. */
enum maille_code coordinator_load(struct coordinator *coordinator, struct maille_error *error) MAILLE_CHECKED;
/* One query, also where the store alone still has it. NULL: nobody has. */
enum maille_code coordinator_recall(struct coordinator *coordinator, struct query **query,
                                    const uint8_t qid[QID_BYTES], struct maille_error *error) MAILLE_CHECKED;
/* After another directory came into force: ends the queries in which somebody has a part whom it no longer
 * names, or names with another key. */
enum maille_code coordinator_revoke(struct coordinator *coordinator,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Timeouts, questions that are asked again, the log in time. To be called every TICK_MS. */
enum maille_code coordinator_tick(struct coordinator *coordinator, struct maille_error *error) MAILLE_CHECKED;
/* Puts a status in the outbox for every query that changed, or whose agent heard nothing for STATUS_MS. */
enum maille_code coordinator_tell_agents(struct coordinator *coordinator,
                                         struct maille_error *error) MAILLE_CHECKED;

/* --- steps.c: what a query does when something is complete --- */

struct query *coordinator_query(const struct coordinator *coordinator, const uint8_t qid[QID_BYTES]);
enum maille_code coordinator_add_query(struct coordinator *coordinator, struct query *query,
                                       struct maille_error *error) MAILLE_CHECKED;
/* Writes the query's row. */
enum maille_code coordinator_keep(struct coordinator *coordinator, struct query *query,
                                  struct maille_error *error) MAILLE_CHECKED;
/* The roster of those that accepted: stored, sent to them and to the agent. */
enum maille_code coordinator_roster(struct coordinator *coordinator, struct query *query,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Closes a round whose vectors are all there; or, when it was closed before, tells the agent that the sum is
 * there again. */
enum maille_code coordinator_close(struct coordinator *coordinator, struct query *query,
                                   struct maille_error *error) MAILLE_CHECKED;
/* In a round for custodians, once every reveal and every vector is here: all of it to each member that has
 * not said that it has it. */
enum maille_code coordinator_custody(struct coordinator *coordinator, struct query *query,
                                     struct maille_error *error) MAILLE_CHECKED;
/* In a circle, once every member has said what it took: all of it to each that has not answered with its
 * result. */
enum maille_code coordinator_agree(struct coordinator *coordinator, struct query *query,
                                   struct maille_error *error) MAILLE_CHECKED;
/* In a circle: the round's vectors are as long as its first one says. MAILLE_PROTOCOL: longer than members
 * can exchange, or than another's. */
enum maille_code coordinator_expect(const struct coordinator *coordinator, struct query *query,
                                    uint64_t length, struct maille_error *error) MAILLE_CHECKED;
/* Bytes of vectors that are held for a round: those for custodians always. */
size_t coordinator_held_max(const struct coordinator *coordinator, const struct message_round_header *header);
/* Pulls segments from a member (see query_pull). */
enum maille_code coordinator_pull(struct coordinator *coordinator, struct query *query,
                                  struct query_site *site, bool again,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Ends a query because of a rule. A coordinator cannot sign a cancel: the agent hears of it, the sites have
 * clocks of their own. */
enum maille_code coordinator_give_up(struct coordinator *coordinator, struct query *query,
                                     enum query_phase phase, enum maille_code reason, const char *rule,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Ends a query: phase ENDED, CANCELLED or EXPIRED; what was large is let go; everybody else is told with
 * `over` (may be NULL). */
enum maille_code coordinator_finish(struct coordinator *coordinator, struct query *query,
                                    enum query_phase phase, struct parcel *over, const char *except,
                                    struct maille_error *error) MAILLE_CHECKED;

/* --- heads.c: witnessing --- */

/* This log's head as roster, close and log head carry it, with a proof from whatever a site of the query may
 * have seen last. In arena. */
enum maille_code coordinator_head(struct coordinator *coordinator, const struct query *query,
                                  struct message_head *head, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Queues a log head for a site, with M7 or because it asks: also with proofs from `seen`, what it says that
 * it has seen (0: nothing), and from the heads in roster and close. */
enum maille_code coordinator_show_head(struct coordinator *coordinator, struct query *query,
                                       struct query_site *site, uint64_t seen,
                                       struct maille_error *error) MAILLE_CHECKED;
/* A site's head against the last one. MAILLE_PROTOCOL, rule log_head: it does not follow; both are in the
 * log. */
enum maille_code coordinator_witness(struct coordinator *coordinator, const char *party,
                                     const struct message_head *head,
                                     struct maille_error *error) MAILLE_CHECKED;
/* What a party's log is called here (directory_log_name); out: DIRECTORY_LOG_NAME_BYTES. */
const char *coordinator_log_name(const struct coordinator *coordinator, char *out, const char *party);
/* Entries of a party's log that it has shown; 0: none yet. */
uint64_t coordinator_seen(const struct coordinator *coordinator, const char *party);

/* --- outbox.c: what will be sent --- */

/* Queues a parcel (its own reference is taken) and appends it to the log. qid may be NULL. */
enum maille_code outbox_put(struct coordinator *coordinator, const char *peer, uint64_t address,
                            struct parcel *parcel, const uint8_t *qid,
                            struct maille_error *error) MAILLE_CHECKED;
/* Wraps a body, signs it where its kind is signed, and queues it. body is cleared. */
enum maille_code outbox_body(struct coordinator *coordinator, const char *peer, uint64_t address,
                             enum message_kind kind, struct bytes *body, const void *frame,
                             size_t frame_length, const uint8_t *qid,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code outbox_site(struct coordinator *coordinator, struct query *query, struct query_site *site,
                             struct parcel *parcel, struct maille_error *error) MAILLE_CHECKED;
enum maille_code outbox_agent(struct coordinator *coordinator, struct query *query, struct parcel *parcel,
                              struct maille_error *error) MAILLE_CHECKED;
/* code and rule may cross the wire; no sentence does. */
enum maille_code outbox_problem(struct coordinator *coordinator, const char *peer, uint64_t address,
                                const uint8_t *qid, enum maille_code what, const char *rule,
                                struct maille_error *error) MAILLE_CHECKED;
/* Makes a signed or unsigned message of ours from a body (cleared). */
enum maille_code outbox_parcel(struct coordinator *coordinator, struct parcel **parcel,
                               enum message_kind kind, struct bytes *body, const void *frame,
                               size_t frame_length, struct maille_error *error) MAILLE_CHECKED;
/* Sends all of it; what is made durable before is the caller's to see to. */
enum maille_code outbox_flush(struct coordinator *coordinator, coordinator_send *send, void *context,
                              struct maille_error *error) MAILLE_CHECKED;
/* The entry of a message, in or out; false: it is chatter of keeping in touch (hello, welcome, status, list),
 * which is not logged. */
bool outbox_entry(struct audit_entry *entry, enum audit_direction direction, const char *peer,
                  const struct parcel *parcel, const uint8_t *qid);

#endif
