/* What the files vault*.c share. */
#ifndef VAULT_PRIVATE_H
#define VAULT_PRIVATE_H

#include <limits.h>

#include "disclosure/gate.h"
#include "disclosure/ledger_shown.h"
#include "disclosure/plan.h"
#include "disclosure/published.h"
#include "vault/journal.h"
#include "proto/open.h"
#include "vault/vault.h"
#include "vault/log.h"
#include "vault/officers.h"

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
    QUERY_TAKEN = 256,    /* the totals of the last round, one for custodians, are here */
    QUERY_AGREED = 512,   /* of a circle: every member has said that it is where this site is */
    QUERY_ENDED = 1024    /* over; only the mark that its qid is taken */
};

/* What a member signed of its vector, from the close: what custody is held against. */
struct member_proof {
    struct digest vector, commit; /* H(y_j); KDF(b_j, "commit", ψ) */
};

/* One attempt that was answered. Arrays live in an arena of its own. */
struct attempt {
    struct arena *arena;
    struct digest psi;      /* of the header: how everybody calls the attempt */
    struct digest mask_psi; /* what masks are made for: psi, or the secret ψ of a circle (circle.c) */
    struct message_round_header header;
    bool masked;                 /* else refused */
    struct bytes reply;          /* the envelope of M4 or M3n */
    struct digest vector;        /* H(y_i) */
    uint64_t raw, length;        /* y_i in the journal */
    struct member_proof *proofs; /* one per member, once a round for custodians is revealed */
};

/* An analysis that the epoch's store answers (stored.c). */
struct custody_stored {
    bool used;
    uint8_t id[LEDGER_ID_BYTES]; /* of the query that it was shown to */
    int64_t asked_ms;            /* when that was made */
};

/* The threshold rounds of one query (docs/PROTOCOL.md §7): what the sites alone know of it. */
struct custody {
    bool needed;                         /* a policy of the roster asks for them */
    const struct policy *strictest;      /* of the roster; in the query's arena, as the two below */
    struct message_ledger_entry *ledger; /* the union of the accepts' entries, ascending */
    size_t n_ledger;
    struct published published; /* cohorts that count as shown, as this site counted them at M1: the last
                                   entry of its threshold_past */
    const struct message_ledger_form *forms; /* the union of the accepts' forms, ascending */
    size_t n_forms;
    struct custody_stored *stored; /* per analysis, in the query's arena; NULL: none */
    struct combining *combining;   /* what combination.c has made of them; in the query's arena */
    struct bytes near;             /* groups that T0 found near (threshold_near_write) */
    struct bytes first;            /* totals of T1; never leave this process, wiped with the query */
    struct bytes answer;           /* the envelope that says that the last totals are here: taken */
    struct bytes plan_bytes;
    struct plan plan;  /* plan.arena NULL: not made yet */
    int64_t *patients; /* per analysis, of the pooled cohort of a model, else 0; in the query's arena, NULL
                          before T1's totals are here */
    struct digest plan_hash;
};

/* What the members of a circle know of a query and nobody else does (circle.c). */
struct circle {
    struct digest key; /* K_c; zeros before the first round's totals are here */
    struct study_run
        run;           /* where the study stands; run.study NULL: this is no circle, or has no roster yet */
    struct digest tag; /* of the last round's taken */
    struct bytes
        result; /* the envelope of the last result, and where its sealed bytes stand in the journal */
    uint64_t raw, length;
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
    /* of a query that a person decides on (approval.c) */
    bool approved;
    struct digest pending; /* of what the person is asked; zeros: not asked */
    struct digest basis;   /* of the snapshot, policy and build that it was asked under */
    size_t n_approved;
    const struct digest
        *approved_words; /* per analysis: the keyed hash of its first round here; zeros: none. In arena */
    int64_t told_ms, tell_after_ms; /* when, since this start, the answer was sent again, and the wait before
                                       the next time */
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
    struct custody custody;
    struct circle circle;
    struct query *next;
};

enum { SHOWN_MAX = 7 };
/* What one attempt needs while it is answered (round.c). */
struct round_work {
    struct message_round_header header;
    struct digest psi, mask_psi; /* as in struct attempt */
    struct digest layout;        /* hash, of the vector as this site works it out */
    uint8_t theta_key[KEY_BYTES];
    bool *open;
    struct vector *thetas;
    struct verdict *verdicts;
    /* What this site must not answer for a reason in its own data, and why; the words that it says so with.
     * Nothing that is sent depends on it but them. */
    bool *vetoed;
    struct verdict *objections;
    struct bytes noise;
    /* a round of values */
    struct round_plan plan;
    struct data_round sums;
    /* a threshold round; which 0: it is none */
    enum threshold_which which;
    struct threshold threshold;
    struct tally words;
    struct release *release;
    struct share *share;
    struct share_header *share_header;
};

struct vault {
    struct vault_options options;
    struct arena *arena;
    char state_folder[PATH_MAX], log_folder[PATH_MAX];
    const struct directory *directory;
    const struct directory *pinned; /* the highest that was in force here before this start; NULL: none */
    const struct directory_site *self;
    struct officer officers[OFFICERS_MAX];
    size_t n_officers;        /* 0: the directory names none */
    const struct policy *own; /* policy.yaml, without the network's floor */
    const struct policy *policy;
    struct audit_log *log;
    struct digest policy_hash; /* KDF(-, "policy", the policy in force as policy_write has it) */
    const char *build;         /* of this program, for the log */
    int64_t cohort;            /* vault_log_counts: patients of the largest cohort; -1: nothing was counted */
    uint64_t shown[SHOWN_MAX]; /* sizes of this log's heads that went to C and that it may not have seen,
                                  ascending */
    size_t n_shown;
    uint64_t seen_by; /* entries that C says it has seen */
    struct ledger *ledger;
    struct digest state_key;
    struct query *queries;
    size_t n_queries;
    bool cohorts_told; /* whether the operator was warned of cohorts that cannot be read */
    bool directory_changed;
    bool loss_accepted;                             /* loss.c */
    char coordinator_log[DIRECTORY_LOG_NAME_BYTES]; /* what its log is called here */
    bool copy_told;                                 /* that a second copy of this site runs */
    bool set_back, set_back_told;                   /* others have seen more of this log than there is */
    bool revoked;                                   /* the open queries were held against the directory */
    bool reconsidered; /* queries that a person decides on were held against the snapshot, policy and build of
                          this start */
    int64_t swept_ms;  /* when marks of ended queries were last looked through */
};

int64_t vault_now_ms(const struct vault *vault);

/* --- log.c: the one way out (what goes into the log: log.h) --- */

/* Appends and syncs the entry of a message, then puts it into the outbox. detail may be NULL. frame NULL:
 * none. */
enum maille_code vault_send(struct vault *vault, struct message_outbox *outbox, enum message_kind kind,
                            const uint8_t *qid, const struct bytes *envelope, const void *frame,
                            size_t frame_length, const char *detail,
                            struct maille_error *error) MAILLE_CHECKED;
/* The second half of it, where the entry was another, or something else must be on disk in between. */
struct decision;

/* --- pin.c: what this site has seen of its network --- */

/* The text of a pin, and a pin of a text. MAILLE_CORRUPT: another key's. */
enum maille_code pin_open(struct bytes *text, const char *path, const struct secret_keys *keys,
                          struct maille_error *error) MAILLE_CHECKED;
enum maille_code pin_seal(const char *path, const struct secret_keys *keys, const char *text, size_t length,
                          struct maille_error *error) MAILLE_CHECKED;
/* state/pin into vault->pinned (NULL: there is none). MAILLE_CORRUPT. */
enum maille_code vault_pin_read(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* The directory in force into state/pin, where it is another. Before the ledger is opened. MAILLE_CORRUPT:
 * there is no pin, and one was written before. */
enum maille_code vault_pin_write(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;

/* --- format.c: whose state this is --- */

/* state/format, written where there is none. MAILLE_INVALID: a later program's. Before anything else is
 * opened. */
enum maille_code vault_format_check(const struct vault *vault, struct maille_error *error) MAILLE_CHECKED;

/* --- query.c: a query in memory, from its journal's records --- */

enum query_record {
    RECORD_MANIFEST = 1,
    RECORD_ACCEPT = 2,
    RECORD_ROSTER = 3,
    RECORD_START = 4,
    RECORD_REVEAL = 5,
    RECORD_READY = 7,   /* another answer than at M0: a person was asked, or has decided */
    RECORD_STEPPED = 8, /* in a circle: a round's totals */
    RECORD_AGREED = 9   /* in a circle: all members took them */
};

/* A new query that is not in the vault yet. MAILLE_MEMORY. */
enum maille_code vault_query_new(struct query **query, const struct vault *vault,
                                 const uint8_t qid[QID_BYTES], struct maille_error *error) MAILLE_CHECKED;
void vault_query_free(struct query *query);
struct query *vault_query_find(const struct vault *vault, const uint8_t qid[QID_BYTES]);

/* Bodies of the records. */
void vault_record_manifest(struct bytes *out, int64_t now_ms, const struct envelope *manifest,
                           const struct data_facts *facts, enum ready_state state, const struct bytes *ready);
enum maille_code vault_record_accept(struct bytes *out, const struct vault *vault, int64_t now_ms,
                                     const struct query_secrets *secrets, const struct data_facts *facts,
                                     const struct bytes *accept, const struct published *published,
                                     struct maille_error *error) MAILLE_CHECKED;
void vault_record_roster(struct bytes *out, int64_t now_ms, const struct envelope *roster);
void vault_record_start(struct bytes *out, int64_t now_ms, const struct byte_view *header,
                        const struct digest *mask_psi, const uint8_t theta_key[KEY_BYTES], bool masked,
                        const struct digest *vector, const struct bytes *reply);
/* n: proofs of the members, where the round is for custodians; else 0. */
void vault_record_reveal(struct bytes *out, int64_t now_ms, const struct digest *close_hash,
                         const struct bytes *reveal, const struct member_proof *proofs, size_t n);
/* key: K_c. result: the totals of T1, or the plan; else empty. run: where the study stands. */
void vault_record_stepped(struct bytes *out, int64_t now_ms, const struct digest *key,
                          const struct digest *tag, const struct bytes *result, const struct bytes *run,
                          const struct bytes *taken);
void vault_record_agreed(struct bytes *out, int64_t now_ms, const struct bytes *envelope);

void vault_record_ready(struct bytes *out, int64_t now_ms, enum ready_state state, const struct query *query,
                        const struct data_facts *facts, const struct bytes *ready);

/* Takes one record into the query: the only way in which a query changes, live and at a restart. raw: where
 * y_i stands. */
enum maille_code vault_query_apply(struct vault *vault, struct query *query, uint32_t kind,
                                   const uint8_t *body, size_t length, uint64_t raw, uint64_t raw_length,
                                   struct maille_error *error) MAILLE_CHECKED;
/* The roster of the query's journal, and its accepts. In arena. */
enum maille_code vault_query_roster(struct message_roster *roster, struct message_accept **accepts,
                                    const struct query *query, struct arena *arena,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Record on disk, then applied. */
enum maille_code vault_query_commit(struct vault *vault, struct query *query, uint32_t kind,
                                    const struct bytes *body, const void *raw_bytes, size_t raw_length,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Every query that the state folder holds. */
enum maille_code vault_load(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Removes the marks of queries whose manifest has long expired. */
enum maille_code vault_sweep(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Erases keys, state and vectors; the qid stays taken until the manifest expires. The query is gone
 * afterwards. */
enum maille_code vault_query_end(struct vault *vault, struct query *query,
                                 struct maille_error *error) MAILLE_CHECKED;

/* --- check.c, check_round.c: one small function per check, named by its rule --- */

bool vault_sites_ascend(const uint32_t *sites, size_t n); /* distinct, above 0; at least one */
bool vault_sites_have(const uint32_t *sites, size_t n, uint32_t site);
bool vault_sites_within(const uint32_t *sites, size_t n, const uint32_t *all, size_t n_all);

/* Is the message this researcher's? (That it is signed by whom it says, dispatch has seen to.)
 * MAILLE_SIGNATURE. */
enum maille_code vault_check_researcher(const struct message *in, const char *name,
                                        struct maille_error *error) MAILLE_CHECKED;
/* An envelope within another message's body, opened: of this kind, signed by a site of the directory, whose
 * number goes to *site. MAILLE_PROTOCOL with the rule. */
enum maille_code vault_check_within(struct message *in, uint32_t *site, const struct vault *vault,
                                    struct arena *arena, const struct byte_view *bytes,
                                    enum message_kind kind, const char *rule,
                                    struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_REFUSED with the rule that Ready will name. */
enum maille_code vault_check_manifest(const struct vault *vault, const struct message_manifest *manifest,
                                      struct maille_error *error) MAILLE_CHECKED;
/* Is all that a site answers under this policy public? (That its snapshot is, rule_public sees to.) */
bool vault_public_policy(const struct policy *policy);
/* M2, outside the circle: MAILLE_REFUSED (mode) where the policy of one of the n sites is not. */
enum maille_code vault_check_mode(const struct query *query, const struct message_accept *accepts, size_t n,
                                  struct maille_error *error) MAILLE_CHECKED;
/* M2, in the circle: MAILLE_REFUSED (arithmetic_version) where the program of one of the n sites does not
 * step to the same bits as this one. */
enum maille_code vault_check_arithmetic(const struct query *query, const struct message_accept *accepts,
                                        size_t n, struct maille_error *error) MAILLE_CHECKED;
enum maille_code vault_check_study(const struct vault *vault, const struct query *query,
                                   const struct data_facts *facts, struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_REFUSED (protocol): outside of the registration that it names. The query has a study. */
enum maille_code vault_check_registration(const struct vault *vault, const struct query *query,
                                          struct maille_error *error) MAILLE_CHECKED;
/* What analysis k asks, under which dictionary and which version of its method. */
enum maille_code vault_analysis_hash(struct digest *hash, const struct query *query, size_t k,
                                     struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* M0a: rule budget in the verdicts of the analyses for which the registration has nothing left. */
enum maille_code vault_registration_budget(struct vault *vault, struct verdict *verdicts,
                                           const struct query *query,
                                           struct maille_error *error) MAILLE_CHECKED;
/* M1, after vault_ledger_reserve. MAILLE_REFUSED budget: two questions that were asked at once both found
 * something left. */
enum maille_code vault_registration_reserve(struct vault *vault, const struct query *query,
                                            struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_PROTOCOL with the rule: the message is dropped. */
enum maille_code vault_check_call(const struct vault *vault, const struct query *query,
                                  const struct message_call *call, struct maille_error *error) MAILLE_CHECKED;
enum maille_code vault_check_roster(const struct vault *vault, const struct query *query,
                                    const struct message_roster *roster, struct arena *arena,
                                    struct message_accept **accepts,
                                    struct maille_error *error) MAILLE_CHECKED;
enum maille_code vault_check_start(const struct vault *vault, const struct query *query,
                                   const struct message *in, const struct message_round_header *header,
                                   struct maille_error *error) MAILLE_CHECKED;
/* MAILLE_REFUSED with the rule that Refuse will name: the shape of the round as this site works it out,
 * against what the header says. */
struct round_shape {
    struct digest layout, plan;
    uint64_t length;
    const struct word_run *runs; /* of a round of values */
    size_t n_runs;
};
enum maille_code vault_check_shape(const struct round_shape *shape, const struct message_manifest *manifest,
                                   const struct message_start *start,
                                   const struct message_round_header *header,
                                   struct maille_error *error) MAILLE_CHECKED;
/* round.c: the shape as this site works it out, against the header, or (in a circle) into the secret ψ.
 * Errors as vault_check_shape. */
enum maille_code vault_round_bind(struct round_work *work, const struct query *query,
                                  const struct message *in, const struct round_shape *shape,
                                  struct maille_error *why) MAILLE_CHECKED;
/* masked: of the members; in arena. */
enum maille_code vault_check_close(const struct vault *vault, const struct query *query,
                                   const struct message_close *close, struct arena *arena,
                                   const struct message_masked **masked,
                                   struct maille_error *error) MAILLE_CHECKED;

/* --- ask.c (manifest, call, roster, end) and round.c (start, pull, close): handlers --- */

typedef enum maille_code vault_handler(struct vault *vault, struct query *query, struct message *in,
                                       struct message_outbox *outbox, struct maille_error *error);
vault_handler vault_handle_manifest, vault_handle_call, vault_handle_roster, vault_handle_end,
    vault_handle_start, vault_handle_pull, vault_handle_close, vault_handle_custody, vault_handle_agreed;

/* --- circle.c: queries whose sums are opened to the members alone (docs/PROTOCOL.md §7) --- */

bool circle_is(const struct query *query);
/* K_c, once the first round's totals are here; false before, and outside a circle. The caller wipes it. */
bool circle_key_of(const struct query *query, uint8_t key[KEY_BYTES]);
/* Bytes of a round (stats/round.h): 0 outside a circle. */
size_t circle_room(const struct query *query, const struct message_round_header *header);
/* Marks the analyses that the attempt asks for, in n_analyses that are false. */
void circle_open(bool *open, const struct query *query);
/* Nothing in a start of a circle is for a site to believe: MAILLE_PROTOCOL, the message is dropped. */
enum maille_code circle_check_start(const struct query *query, const struct message *in,
                                    struct maille_error *error) MAILLE_CHECKED;
/* θ of the open analyses, from where the study stands here. */
void circle_thetas(struct round_work *work, const struct query *query);
/* The round as this site works it out, and with it the secret ψ (work->mask_psi). MAILLE_REFUSED: the vectors
 * are larger than members can exchange; MAILLE_MEMORY. */
enum maille_code circle_bind(struct round_work *work, const struct query *query, const struct message *in,
                             const struct round_shape *shape, struct maille_error *why) MAILLE_CHECKED;
/* b_i for the members, into a reveal. In arena. */
enum maille_code circle_seal_self(struct message_reveal *reveal, const struct query *query, uint32_t own,
                                  struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* How the words of the attempt's vectors lie, in a round of values. Free with round_plan_clear. */
enum maille_code circle_plan(struct round_plan *plan, const struct query *query,
                             struct maille_error *error) MAILLE_CHECKED;
/* Totals of the attempt, opened: the study steps, what it came to is in the journal, and the members are
 * told. selves: of the members. which: 0 in a round of values; plan, made: of the second threshold round, and
 * its bytes; else empty. MAILLE_REFUSED: the query must end. */
enum maille_code circle_stepped(struct vault *vault, struct query *query, enum threshold_which which,
                                const struct bytes *totals, const struct bytes *plan, const struct plan *made,
                                const struct digest *selves, struct arena *arena,
                                struct message_outbox *outbox, struct maille_error *error) MAILLE_CHECKED;
/* From a record: where the study stands. */
enum maille_code circle_take_run(struct query *query, const void *run, size_t length,
                                 struct maille_error *error) MAILLE_CHECKED;
void circle_clear(struct circle *circle);

/* --- custody.c: threshold rounds, and the totals of all rounds of a circle --- */

/* From the accepts of the roster: whether there are threshold rounds, and under which policy. */
enum maille_code custody_settle(struct query *query, const struct message_accept *accepts, size_t n,
                                struct maille_error *error) MAILLE_CHECKED;
void custody_clear(struct custody *custody);
/* Which of the threshold rounds this header's is; 0: none. */
enum threshold_which custody_which(const struct query *query, const struct message_round_header *header);
/* The round in which values begin, for the members of this header: 1, or 3, or 4. */
uint32_t custody_values_from(const struct query *query, const struct message_round_header *header);
/* Of the totals of T0: marks the analyses that they refuse, in n_analyses that are false; found: the groups
 * that are near, for the journal. */
enum maille_code custody_near(bool *refused, struct bytes *found, const struct query *query,
                              const struct bytes *totals, struct maille_error *error) MAILLE_CHECKED;
/* What the totals of T0 (totals) or T2 have refused or hidden counts against the registration (few.h). made:
 * the plan of T2. Before anything of it can leave. */
enum maille_code custody_few(struct vault *vault, const struct query *query, enum threshold_which which,
                             const struct bytes *totals, const struct plan *made,
                             struct maille_error *error) MAILLE_CHECKED;
/* What may be asked instead of each analysis that the plan refuses as too near: offer.h. [n_analyses], in
 * arena. */
enum maille_code custody_offers(const char ***offers, const struct query *query, const struct plan *made,
                                struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* Fills custody->patients from the totals of T1 (custody->first), of the attempt that they are of. */
enum maille_code custody_patients(struct query *query, struct maille_error *error) MAILLE_CHECKED;
/* round.c: an analysis that this site vetoes; the first rule is the one that its officer reads. */
void vault_veto(struct round_work *work, size_t analysis, const char *rule, const char *sentence);
/* This site's words of a threshold round, into work->words; what stands against it is in the verdicts. */
enum maille_code custody_words(struct vault *vault, const struct query *query, const struct message *in,
                               struct round_work *work, struct maille_error *why) MAILLE_CHECKED;
/* The plan in words: no count. In arena. */
const char *custody_plan_words(struct arena *arena, const struct query *query);
/* What leaves with it, in words without a count. In arena. */
const char *custody_log_words(struct arena *arena, const struct query *query, const struct round_work *work);

/* gate.c: the policy on the question. One verdict per analysis (room for them); refused as a whole:
 * MAILLE_REFUSED with the rule. begins: also what can be said of its first round before anybody looks at a
 * patient. */
enum maille_code vault_verdicts(const struct vault *vault, struct verdict *verdicts,
                                const struct study *study, const char *researcher, bool begins,
                                struct maille_error *error) MAILLE_CHECKED;
/* This site's head counts; a verdict on each analysis that cannot be counted here. */
enum maille_code vault_counts(struct vault *vault, struct data_cells *cells, struct verdict *verdicts,
                              const struct study *study, uint32_t snapshot,
                              struct maille_error *error) MAILLE_CHECKED;
/* The first rule that refuses an analysis is the one that is told. */
size_t vault_verdict_findings(struct message_finding *findings, const struct verdict *verdicts, size_t n,
                              const bool *open);

/* What this site answers to a manifest. */
struct answer {
    enum ready_state state;
    char rule[MAILLE_RULE_MAX]; /* READY_REFUSED */
    struct verdict
        *verdicts; /* one per analysis; NULL where the study as a whole is refused before they were made */
    size_t n;
};
/* Everything that this site has to say of a study on one snapshot. Only a fault of this site's own programs
 * is an error; what a refusal says is in error->sentence. */
enum maille_code answer_study(struct vault *vault, const struct query *query, const struct data_facts *facts,
                              struct arena *arena, struct answer *answer,
                              struct maille_error *error) MAILLE_CHECKED;
/* The newest snapshot's facts, or a refusal under the rule `snapshot`: the worker stays up whatever state its
 * file is in. */
enum maille_code vault_snapshot_facts(struct vault *vault, struct data_facts *facts, struct arena *arena,
                                      struct answer *answer, struct maille_error *error) MAILLE_CHECKED;
enum maille_code vault_ready_encode(struct bytes *envelope, struct vault *vault, const struct query *query,
                                    const struct answer *answer, struct arena *arena,
                                    struct maille_error *error) MAILLE_CHECKED;
/* The answer in words, for the log of this site: rules and sentences, no counts. */
const char *answer_state_word(enum ready_state state); /* "ready", "held", "refused" */
const char *answer_words(struct arena *arena, const struct query *query, const struct answer *answer,
                         const char *why);

/* --- approval.c: what a person decides (docs/DISCLOSURE.md §2) --- */

/* Writes what the officer is asked into the spool, and keeps what it was. Of a query that is held. */
enum maille_code vault_approval_ask(struct vault *vault, struct query *query, const struct data_facts *facts,
                                    const struct answer *answer, const struct bytes *ready,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Reads decisions; asks again where the snapshot, the policy, the build or how many sign is another; says
 * again what was decided. */
enum maille_code vault_approval_tick(struct vault *vault, struct message_outbox *outbox,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Whether the officer stops a study, or its registration is closed (few.h): then it is in the log. One that
 * has begun is cancelled under `approval`, and gone (*stopped); of one that has not, the answer is a refusal
 * now. Before anything more of it leaves, and every second. */
enum maille_code vault_stop_asked(bool *stopped, struct vault *vault, struct query *query,
                                  struct message_outbox *outbox, struct maille_error *error) MAILLE_CHECKED;
/* Milliseconds until vault_approval_tick has something to do; INT64_MAX: nobody is waited for. */
int64_t vault_approval_next_ms(const struct vault *vault);
/* Before a round of an approved query is masked: what leaves is, byte for byte, what was approved, in the
 * first round of each analysis; a word that is suppressed is 0. Puts the rule `approval` into the verdicts
 * where the policy or the build is another, and into objections where the words are: these depend on
 * patients. first: whose first round it is; surviving: as round_plan. */
enum maille_code vault_approval_check(struct vault *vault, const struct query *query,
                                      struct verdict *verdicts, struct verdict *objections, const bool *first,
                                      const struct surviving *const *surviving, const struct round_plan *plan,
                                      const struct data_round *sums,
                                      struct maille_error *error) MAILLE_CHECKED;

/* --- ledger.c: the cohort ledger (disclosure/ledger.h) in the life of a query --- */

/* Opens state/ledger and releases the queries that are not open any more. After vault_load. */
enum maille_code vault_ledger_open(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* M0a: rule budget in the verdicts of the analyses for which nothing is left. */
enum maille_code vault_ledger_budget(struct vault *vault, struct verdict *verdicts, const struct query *query,
                                     uint32_t snapshot, struct maille_error *error) MAILLE_CHECKED;
/* M1: reservation, and the public list of what it will be compared with, ascending, in arena. MAILLE_REFUSED:
 * differencing (more than an accept holds), budget. */
enum maille_code vault_ledger_reserve(const struct message_ledger_entry **entries, size_t *n,
                                      struct vault *vault, const struct query *query,
                                      const struct data_facts *facts, const struct message_call *call,
                                      const struct published *published, struct arena *arena,
                                      struct maille_error *error) MAILLE_CHECKED;
/* M0: MAILLE_REFUSED own_totals: a site that shields its own totals answers a question to the epoch's sites
 * alone. */
enum maille_code vault_ledger_shielded(const struct vault *vault, const struct query *query,
                                       const uint32_t *sites, size_t n,
                                       struct maille_error *error) MAILLE_CHECKED;
/* M2: the same of the roster, where any of its sites shields them; the roster is kept. */
enum maille_code vault_ledger_roster(struct vault *vault, const struct query *query,
                                     const struct message_accept *accepts, size_t n_accepts,
                                     struct maille_error *error) MAILLE_CHECKED;
/* M3 of round 1: the same for the members of an attempt, where it has fewer than the roster. */
enum maille_code vault_ledger_members(struct vault *vault, const struct query *query,
                                      const struct message_round_header *header,
                                      struct maille_error *error) MAILLE_CHECKED;
/* The entries of the roster (custody->n_ledger) as these members see them, then the published cohorts. Groups
 * are in arena. */
void vault_ledger_past(struct threshold_past *past, const struct query *query,
                       const struct message_round_header *header, struct arena *arena);
/* T0, T1: per pair, by rows and by patients. In arena. */
enum maille_code vault_ledger_differences(const struct part_difference **differences, struct vault *vault,
                                          const struct query *query, const struct threshold *threshold,
                                          enum threshold_which which, struct arena *arena,
                                          struct maille_error *error) MAILLE_CHECKED;
/* id = KDF(earlier qid, "ledger", this qid), cut: who does not know the earlier qid does not learn it. */
void vault_ledger_past_id(uint8_t id[LEDGER_ID_BYTES], const uint8_t *earlier, const struct query *query);
/* The ids of all queries of the past that this site knows, ascending. In arena. */
struct past_ids {
    const struct past_id {
        uint8_t id[LEDGER_ID_BYTES];
        const uint8_t *query;
    } * list;
    size_t n;
};
enum maille_code vault_ledger_past_ids(struct past_ids *ids, struct vault *vault, const struct query *query,
                                       struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* The query of an entry or a form; NULL: it is not there. */
const uint8_t *vault_ledger_past_query(const struct past_ids *ids, const uint8_t id[LEDGER_ID_BYTES]);
/* Before a reveal is in the journal: a value to the researcher is shown; in the first round to the sites the
 * groups are pooled. MAILLE_REFUSED again: those of another query were, since M1. */
enum maille_code vault_ledger_reveal(struct vault *vault, const struct query *query,
                                     const struct message_round_header *header,
                                     struct maille_error *error) MAILLE_CHECKED;
/* What the plan of the query, as plan_make gave it, lets go on, and be shown. MAILLE_REFUSED: again. */
enum maille_code vault_ledger_planned(struct vault *vault, const struct query *query, const struct plan *plan,
                                      struct maille_error *error) MAILLE_CHECKED;
/* Before the others hear where this site stands, which lets them give out results: the analyses that have
 * one, or that failed, are shown. run: where the study stands after the attempt. */
enum maille_code vault_ledger_shown(struct vault *vault, const struct query *query,
                                    const struct study_run *run, struct maille_error *error) MAILLE_CHECKED;

/* --- stored.c: what an epoch has shown stands until it ends --- */

enum { STORED_BYTES_MAX = 4 * 1024 * 1024 }; /* longer results are not kept */

/* M1: what this site has of the analyses of this query, among the sites that are called, ascending, in arena.
 */
enum maille_code vault_stored_list(const struct message_stored **list, size_t *n, struct vault *vault,
                                   const struct query *query, const struct message_call *call,
                                   uint32_t snapshot, struct arena *arena,
                                   struct maille_error *error) MAILLE_CHECKED;
/* M2: which of them are answered so: those of the sites of this roster that every accept names alike, where a
 * site has another snapshot now. Public facts, the same at every member. After custody->strictest. */
enum maille_code vault_stored_settle(struct query *query, const struct message_accept *accepts, size_t n,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Whether analysis k is answered so in this attempt: in round 1, where all of the roster take part. Nothing
 * of it is counted then. */
bool vault_stored_used(const struct query *query, const struct message_round_header *header, size_t k);
/* The step of round 1: their results, into a run as bytes. MAILLE_REFUSED again: this site has not what it
 * named. */
enum maille_code vault_stored_take(struct bytes *run, struct vault *vault, const struct query *query,
                                   struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* Keeps the results of these analyses, which are shown: of those that are OK. */
enum maille_code vault_stored_put(struct vault *vault, const struct query *query, const struct study_run *run,
                                  const uint32_t *analyses, size_t n,
                                  struct maille_error *error) MAILLE_CHECKED;
/* For the log: " (2026-11-29)", the day of the answer, or "". In arena. */
const char *vault_stored_words(struct arena *arena, const struct query *query, size_t k);

/* --- combination.c: combinations of groups (disclosure/combination.h) in the life of a query --- */

/* M1, after vault_ledger_reserve: the words of this question's groups are kept, and those of the published
 * cohorts and of the groups that were shown to its researcher, or under its registration, are listed,
 * ascending, in arena. MAILLE_REFUSED
 * combinations: more than an accept holds. */
enum maille_code vault_combination_reserve(const struct message_ledger_form **forms, size_t *n,
                                           struct vault *vault, const struct query *query,
                                           const struct published *published, struct arena *arena,
                                           struct maille_error *error) MAILLE_CHECKED;
/* M2: what the roster lists. */
enum maille_code vault_combination_settle(struct query *query, const struct message_accept *accepts, size_t n,
                                          struct maille_error *error) MAILLE_CHECKED;
void vault_combination_clear(struct custody *custody);
/* The rows of the analyses that are open, kept until others are; NULL: the roster has no such rule. */
enum maille_code vault_combination_of(const struct combined **combined, const struct query *query,
                                      const bool *open, struct maille_error *error) MAILLE_CHECKED;
/* By how many of this site's patients each row is not 0: by rows, then by patients. In arena. */
enum maille_code vault_combination_counts(const int64_t **counts, struct vault *vault,
                                          const struct query *query, const struct combined *combined,
                                          struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* Cancels a query of this site's own accord: says so to the others, then ends it. */
enum maille_code vault_cancel(struct vault *vault, struct query *query, const char *rule,
                              struct message_outbox *outbox, struct maille_error *error) MAILLE_CHECKED;

/* Encodes and signs a body of this site's. */
enum maille_code vault_envelope(struct bytes *envelope, const struct vault *vault, enum message_kind kind,
                                const struct bytes *body, struct maille_error *error) MAILLE_CHECKED;

/* --- revoke.c: cancels the queries in which somebody has a part whom the directory no longer names, and
 * those that it no longer registers; once after each start, which is when a directory comes into force --- */

enum maille_code vault_revoke(struct vault *vault, struct message_outbox *outbox,
                              struct maille_error *error) MAILLE_CHECKED;

/* --- loss.c --- */

/* Before the ledger is opened, after the log: MAILLE_INVALID where the ledger is gone and the loss not
 * accepted. */
enum maille_code vault_loss_open(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Notes a loss that the authorities accepted: once. */
enum maille_code vault_loss_note(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Ends what is open at a site that was set back, and says so; once. */
enum maille_code vault_loss_tick(struct vault *vault, struct message_outbox *outbox,
                                 struct maille_error *error) MAILLE_CHECKED;

/* --- tell.c: what the operator reads --- */

struct vault_judged;
void vault_tell_judged(const struct vault *vault, const struct vault_judged *judged);
/* rule: under which this site ends the query; NULL: the researcher ended it, or its time is over. */
void vault_tell_over(const struct vault *vault, const struct query *query, const char *rule);

#endif
