/* What the coordinator must not forget, in one SQLite file (WAL, synchronous FULL). Never y_i, never a sum:
 * those live in memory and are pulled again. The door to SQLite: nothing else includes sqlite3.h.
 *
 * The first write after a commit opens a transaction; store_commit makes all of them durable together, before
 * anything that they record is sent. Errors of every function: MAILLE_IO (a full disk, a locked file);
 * MAILLE_CORRUPT where said. */
#ifndef COORDINATOR_STORE_H
#define COORDINATOR_STORE_H

#include "audit/log.h"
#include "coordinator/parcel.h"

struct store; /* opaque */

/* Opens or makes the file. One process only writes: a second gets MAILLE_INVALID. read_only: for `status`,
 * beside a running coordinator. MAILLE_CORRUPT: not a database of ours, or of a later version. */
enum maille_code store_open(struct store **store, const char *path, bool read_only,
                            struct maille_error *error) MAILLE_CHECKED;
void store_close(struct store *store); /* rolls back what is not committed; NULL is legal */
enum maille_code store_commit(struct store *store, struct maille_error *error) MAILLE_CHECKED;

/* --- directories --- */

enum maille_code store_put_directory(struct store *store, uint64_t version, const struct digest *hash,
                                     const char *text, size_t length,
                                     struct maille_error *error) MAILLE_CHECKED;
/* The newest; text is left empty when there is none. */
enum maille_code store_get_directory(struct store *store, struct bytes *text,
                                     struct maille_error *error) MAILLE_CHECKED;

/* --- queries --- */

struct store_query {
    uint8_t qid[QID_BYTES];
    char researcher[NAME_MAX_BYTES + 1], study[64 + 1];
    enum query_phase phase;
    uint32_t round, attempt;
    uint64_t bytes;
    struct digest psi, previous; /* of the current and of the last completed round; zeros for none */
    int64_t created_ms, expires_ms, called_ms, activity_ms; /* UTC */
};
enum maille_code store_put_query(struct store *store, const struct store_query *query,
                                 struct maille_error *error) MAILLE_CHECKED;
typedef enum maille_code store_each_query(void *context, const struct store_query *query,
                                          struct maille_error *error);
/* Newest first. researcher NULL: everybody's. */
enum maille_code store_read_queries(struct store *store, const char *researcher, store_each_query *each,
                                    void *context, struct maille_error *error) MAILLE_CHECKED;

/* One row; *there false: there is none. */
enum maille_code store_get_query(struct store *store, struct store_query *query, bool *there,
                                 const uint8_t qid[QID_BYTES], struct maille_error *error) MAILLE_CHECKED;
/* Forgets the queries that were over before utc_ms with their messages, and the heads of logs that are older,
 * but for each party's newest. */
enum maille_code store_forget(struct store *store, int64_t utc_ms, struct maille_error *error) MAILLE_CHECKED;

/* Whom the end of a query has not reached yet: put with the end, taken off once it was sent. */
enum maille_code store_owe(struct store *store, const char *site, const uint8_t qid[QID_BYTES],
                           struct maille_error *error) MAILLE_CHECKED;
enum maille_code store_paid(struct store *store, const char *site, const uint8_t qid[QID_BYTES],
                            struct maille_error *error) MAILLE_CHECKED;
/* At most OWED_MAX of them into qids; *n. */
enum { OWED_MAX = 256 };
enum maille_code store_owed(struct store *store, uint8_t qids[OWED_MAX][QID_BYTES], size_t *n,
                            const char *site, struct maille_error *error) MAILLE_CHECKED;

/* --- messages: one per (qid, kind, round, attempt, site); the last one counts --- */

struct store_key {
    const uint8_t *qid;
    uint32_t round, attempt, site; /* 0 where it does not apply */
};
enum maille_code store_put_message(struct store *store, const struct store_key *key,
                                   const struct parcel *parcel, struct maille_error *error) MAILLE_CHECKED;
enum maille_code store_drop_message(struct store *store, const struct store_key *key, enum message_kind kind,
                                    struct maille_error *error) MAILLE_CHECKED;
/* All of a query's messages whose (round, attempt) is (0, 0) or the given one. Each gets a parcel to keep or
 * to drop. */
typedef enum maille_code store_each_message(void *context, const struct store_key *key, struct parcel *parcel,
                                            struct maille_error *error);
enum maille_code store_read_messages(struct store *store, const uint8_t qid[QID_BYTES], uint32_t round,
                                     uint32_t attempt, store_each_message *each, void *context,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Empties the frames (c_r) of a query that is over, and forgets the rounds before its last; headers and
 * signatures of that one stay. */
enum maille_code store_forget_frames(struct store *store, const uint8_t qid[QID_BYTES],
                                     struct maille_error *error) MAILLE_CHECKED;

/* --- who was seen, what they publish, their log heads --- */

/* wire: the version that its program speaks; 0: it did not say. */
enum maille_code store_put_route(struct store *store, const char *user, enum key_role role, int64_t seen_ms,
                                 uint32_t wire, struct maille_error *error) MAILLE_CHECKED;
typedef void store_each_route(void *context, const char *user, enum key_role role, int64_t seen_ms,
                              uint32_t wire);
enum maille_code store_read_routes(struct store *store, store_each_route *each, void *context,
                                   struct maille_error *error) MAILLE_CHECKED;

enum maille_code store_put_catalogue(struct store *store, const char *site, const void *envelope,
                                     size_t length, struct maille_error *error) MAILLE_CHECKED;
typedef void store_each_catalogue(void *context, const char *site, const void *envelope, size_t length);
enum maille_code store_read_catalogues(struct store *store, store_each_catalogue *each, void *context,
                                       struct maille_error *error) MAILLE_CHECKED;

/* Keeps a party's log head. *forked: a head of the same size with another root was kept before. */
enum maille_code store_put_head(struct store *store, const char *party, const struct message_head *head,
                                bool *forked, struct maille_error *error) MAILLE_CHECKED;
/* Sizes of a party's heads above `least`, the latest first, at most 64. */
typedef void store_each_head(void *context, uint64_t size);
enum maille_code store_read_heads(struct store *store, const char *party, uint64_t least,
                                  store_each_head *each, void *context,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
