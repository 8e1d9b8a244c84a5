/* What the files vault*.c share. */
#ifndef WORKER_VAULT_PRIVATE_H
#define WORKER_VAULT_PRIVATE_H

#include <limits.h>

#include "disclosure/gate.h"
#include "worker/journal.h"
#include "worker/vault.h"
#include "worker/vault_log.h"

/* Where a query stands at this site. Bits, so that the dispatch table can name several. */
enum query_state {
    QUERY_NONE = 1,       /* not known */
    QUERY_READY = 2,      /* M0a ready sent */
    QUERY_HELD = 4,       /* M0a held sent: a person is asked */
    QUERY_REFUSED = 8,    /* M0a refused sent */
    QUERY_ACCEPTED = 16,  /* M1 sent: keys are made */
    QUERY_ROSTERED = 32,  /* M2 taken: the members are fixed */
    QUERY_STARTED = 64,   /* an attempt was answered, nothing is revealed for its round */
    QUERY_REVEALED = 128, /* M6 sent for the last round */
    QUERY_ENDED = 256     /* over; only the mark that its qid is taken */
};

/* One attempt that was answered. Arrays live in an arena of its own. */
struct attempt {
    struct arena *arena;
    struct digest psi;
    struct message_round_header header;
    bool masked;          /* else refused */
    struct bytes reply;   /* the envelope of M4 or M3n */
    struct digest vector; /* H(y_i) */
    uint64_t raw, length; /* y_i in the journal */
};

struct query {
    uint8_t qid[QID_BYTES];
    char folder[PATH_MAX];
    enum query_state state;
    int64_t last_ms; /* last message that moved it */
    struct journal *journal;
    /* from M0 */
    struct arena *arena;
    struct bytes manifest_envelope;
    struct digest manifest_hash; /* qh */
    struct message_manifest manifest;
    const struct dictionary *dictionary;
    const struct study *study; /* NULL where it does not parse: then the whole study is refused */
    uint32_t snapshot;
    struct digest snapshot_hash;
    struct bytes ready_envelope;
    /* from M1 */
    struct query_secrets *secrets;
    struct bytes accept_envelope;
    /* from M2 */
    struct bytes roster_envelope;
    struct digest rho;
    struct mask_member *members; /* of the roster, ascending by site; in arena */
    size_t n_members;
    /* from M3 on */
    bool has_theta_key;
    uint8_t theta_key[KEY_BYTES];
    struct attempt attempt; /* the last one; header.round 0: none */
    /* of the attempt, once revealed */
    struct digest close_hash;
    struct bytes reveal_envelope;
    struct query *next;
};

enum { SHOWN_MAX = 7 };

struct vault {
    struct vault_options options;
    struct arena *arena;
    char state_folder[PATH_MAX], log_folder[PATH_MAX];
    const struct directory *directory;
    const struct directory_site *self;
    const struct policy *policy;
    struct audit_log *log;
    struct digest policy_hash; /* KDF(-, "policy", the policy in force as policy_write has it) */
    const char *build;         /* of this program, for the log */
    int64_t cohort;            /* vault_log_cohort; -1: nothing was counted */
    uint64_t shown[SHOWN_MAX]; /* sizes of this log's heads that went to C and that it may not have seen, ascending */
    size_t n_shown;
    uint64_t seen_by;          /* entries that C says it has seen */
    struct digest state_key;
    struct query *queries;
    size_t n_queries;
    bool directory_changed;
    int64_t swept_ms; /* when marks of ended queries were last looked through */
};

/* A message as it is handled. */
struct incoming {
    struct envelope envelope;
    const uint8_t *frame;
    size_t frame_length;
    struct arena *arena; /* of what was decoded */
    const uint8_t *qid;  /* NULL: concerns no query */
    bool logged;         /* its entry was appended */
    union {
        struct message_directory directory;
        struct message_manifest manifest;
        struct message_call call;
        struct message_roster roster;
        struct message_start start;
        struct message_pull pull;
        struct message_close close;
        struct message_end end;
        struct message_cancel cancel;
        struct message_problem problem;
        struct message_log_head log_head;
    } body;
};

int64_t vault_now_ms(const struct vault *vault);

/* --- vault_log.c: the one way out (what goes into the log: vault_log.h) --- */

/* Appends and syncs the entry of a message, then puts it into the outbox. detail may be NULL. frame NULL: none. */
enum maille_code vault_send(struct vault *vault, struct vault_outbox *outbox, enum message_kind kind,
                            const uint8_t *qid, const struct bytes *envelope, const void *frame,
                            size_t frame_length, const char *detail,
                            struct maille_error *error) MAILLE_CHECKED;
/* The second half of it, where the entry was another, or something else must be on disk in between. */
enum maille_code vault_put(struct vault_outbox *outbox, enum message_kind kind, const struct bytes *envelope,
                           const void *frame, size_t frame_length, struct maille_error *error) MAILLE_CHECKED;

/* --- vault_query.c: a query in memory, from its journal's records --- */

enum query_record {
    RECORD_MANIFEST = 1,
    RECORD_ACCEPT = 2,
    RECORD_ROSTER = 3,
    RECORD_START = 4,
    RECORD_REVEAL = 5
};

/* A new query that is not in the vault yet. MAILLE_MEMORY. */
enum maille_code query_new(struct query **query, const struct vault *vault, const uint8_t qid[QID_BYTES],
                           struct maille_error *error) MAILLE_CHECKED;
void query_free(struct query *query);
struct query *query_find(const struct vault *vault, const uint8_t qid[QID_BYTES]);

/* Bodies of the records. */
void record_manifest(struct bytes *out, int64_t now_ms, const struct envelope *manifest,
                     const struct data_facts *facts, enum ready_state state, const struct bytes *ready);
enum maille_code record_accept(struct bytes *out, const struct vault *vault, int64_t now_ms,
                               const struct query_secrets *secrets, const struct data_facts *facts,
                               const struct bytes *accept, struct maille_error *error) MAILLE_CHECKED;
void record_roster(struct bytes *out, int64_t now_ms, const struct envelope *roster);
void record_start(struct bytes *out, int64_t now_ms, const struct byte_view *header,
                  const uint8_t theta_key[KEY_BYTES], bool masked, const struct digest *vector,
                  const struct bytes *reply);
void record_reveal(struct bytes *out, int64_t now_ms, const struct digest *close_hash,
                   const struct bytes *reveal);

/* Takes one record into the query: the only way in which a query changes, live and at a restart. raw: where
 * y_i stands. */
enum maille_code query_apply(struct vault *vault, struct query *query, uint32_t kind, const uint8_t *body,
                             size_t length, uint64_t raw, uint64_t raw_length,
                             struct maille_error *error) MAILLE_CHECKED;
/* Record on disk, then applied. */
enum maille_code query_commit(struct vault *vault, struct query *query, uint32_t kind,
                              const struct bytes *body, const void *raw_bytes, size_t raw_length,
                              struct maille_error *error) MAILLE_CHECKED;
/* Every query that the state folder holds. */
enum maille_code vault_load(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Removes the marks of queries whose manifest has long expired. */
enum maille_code vault_sweep(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Erases keys, state and vectors; the qid stays taken until the manifest expires. The query is gone
 * afterwards. */
enum maille_code query_end(struct vault *vault, struct query *query,
                           struct maille_error *error) MAILLE_CHECKED;

/* --- vault_check.c, vault_check_round.c: one small function per check, named by its rule --- */

bool sites_ascend(const uint32_t *sites, size_t n); /* distinct, above 0; at least one */
bool sites_have(const uint32_t *sites, size_t n, uint32_t site);
bool sites_within(const uint32_t *sites, size_t n, const uint32_t *all, size_t n_all);

/* Is the envelope this party's? MAILLE_SIGNATURE. */
enum maille_code check_researcher(const struct vault *vault, const struct incoming *in, const char *name,
                                  struct maille_error *error) MAILLE_CHECKED;
enum maille_code check_coordinator(const struct vault *vault, const struct incoming *in,
                                   struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_REFUSED with the rule that Ready will name. */
enum maille_code check_manifest(const struct vault *vault, const struct message_manifest *manifest,
                                struct maille_error *error) MAILLE_CHECKED;
enum maille_code check_study(const struct vault *vault, const struct query *query,
                             const struct data_facts *facts, struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_PROTOCOL with the rule: the message is dropped. */
enum maille_code check_call(const struct vault *vault, const struct query *query,
                            const struct message_call *call, struct maille_error *error) MAILLE_CHECKED;
enum maille_code check_roster(const struct vault *vault, const struct query *query,
                              const struct message_roster *roster, struct arena *arena,
                              struct message_accept **accepts, struct maille_error *error) MAILLE_CHECKED;
enum maille_code check_start(const struct vault *vault, const struct query *query, const struct incoming *in,
                             const struct message_round_header *header,
                             struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_REFUSED with the rule that Refuse will name: what the analyst may mend with a new attempt. */
enum maille_code check_plan(const struct message_manifest *manifest, const struct message_start *start,
                            const struct message_round_header *header, const struct round_plan *plan,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code check_close(const struct vault *vault, const struct query *query,
                             const struct message_close *close, struct arena *arena,
                             struct maille_error *error) MAILLE_CHECKED;

/* --- vault_ask.c (manifest, call, roster, end) and vault_round.c (start, pull, close): handlers --- */

typedef enum maille_code vault_handler(struct vault *vault, struct query *query, struct incoming *in,
                                       struct vault_outbox *outbox, struct maille_error *error);
vault_handler handle_manifest, handle_call, handle_roster, handle_end, handle_start, handle_pull,
    handle_close;

/* vault_gate.c: the policy and the head counts. One verdict per analysis (room for them); refused as a whole:
 * MAILLE_REFUSED with the rule. counts false: the question alone. */
enum maille_code vault_verdicts(struct vault *vault, struct verdict *verdicts, const struct study *study,
                                uint32_t snapshot, const char *researcher, bool counts,
                                struct maille_error *error) MAILLE_CHECKED;
size_t verdict_findings(struct message_finding *findings, const struct verdict *verdicts, size_t n,
                        const bool *open);

/* Cancels a query of this site's own accord: says so to the others, then ends it. */
enum maille_code vault_cancel(struct vault *vault, struct query *query, const char *rule,
                              struct vault_outbox *outbox, struct maille_error *error) MAILLE_CHECKED;

/* Encodes and signs a body of this site's. */
enum maille_code vault_envelope(struct bytes *envelope, const struct vault *vault, enum message_kind kind,
                                const struct bytes *body, struct maille_error *error) MAILLE_CHECKED;

/* The words of one rule in an error: MAILLE_PROTOCOL, rule in error->rule. */
enum maille_code vault_protest(struct maille_error *error, const char *rule, const char *format, ...)
    MAILLE_PRINTF(3, 4);

#endif
