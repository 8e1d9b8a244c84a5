/* What goes into the message log of a site: one call for each event; every field of its entry is filled in
 * here. An entry is on disk when the call returns MAILLE_OK, unless it says otherwise; MAILLE_IO: it is not,
 * nothing may leave, and the same may be tried again. */
#ifndef VAULT_LOG_H
#define VAULT_LOG_H

#include "audit/log.h"
#include "disclosure/gate.h"
#include "disclosure/plan.h"
#include "proto/message.h"
#include "vault/source.h"

struct vault;
struct query;
struct message;

/* --- log.c: the log itself, and entries that every message has --- */

/* Opens the log with the site's keys; a log that was begun without is moved aside, and said so. */
enum maille_code vault_log_open(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Seals what is over, packs, prunes: every few seconds. */
enum maille_code vault_log_tick(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Appends an entry; sync: on disk when it returns. After an error of the disk the log is closed, and opened
 * again by the next call. */
enum maille_code vault_log_append(struct vault *vault, const struct audit_entry *entry, bool sync,
                                  struct maille_error *error) MAILLE_CHECKED;

/* A message that came, on disk with the next entry that must be. A manifest with who asks for what and why. A
 * roster or a close that is new is left to vault_log_roster and vault_log_close, once it is checked
 * (in->logged says which). */
enum maille_code vault_log_in(struct vault *vault, struct message *in,
                              struct maille_error *error) MAILLE_CHECKED;
/* A message that came and is let go; why: a sentence for the site's own eyes. */
enum maille_code vault_log_dropped(struct vault *vault, const struct message *in, const void *envelope,
                                   size_t length, const char *why, struct maille_error *error) MAILLE_CHECKED;
enum maille_code vault_log_note(struct vault *vault, const char *what, const uint8_t *qid, const char *detail,
                                struct maille_error *error) MAILLE_CHECKED;
/* A message that leaves and has nothing more to say than `detail` (may be NULL). frame NULL: none. */
enum maille_code vault_log_out(struct vault *vault, enum message_kind kind, const uint8_t *qid,
                               const struct bytes *envelope, const void *frame, size_t frame_length,
                               const char *detail, struct maille_error *error) MAILLE_CHECKED;
/* The hash, bytes, way and peer of one. detail: "". */
void vault_log_entry_out(struct audit_entry *entry, const struct vault *vault, enum message_kind kind,
                         const uint8_t *qid, const struct bytes *envelope, const void *frame,
                         size_t frame_length);

/* --- log_judged.c: how a question was judged, and by whom --- */

/* How a study (M0a), one round of it (M3n), or what the threshold rounds leave of it was judged. */
struct vault_judged {
    const struct query *query;
    const struct study *study;      /* NULL: it does not parse */
    const struct verdict *verdicts; /* one per analysis; NULL: refused as a whole before there were any */
    const bool *open;               /* NULL: all */
    const char *decision;           /* "ready", "held", "refused" */
    const char *rule, *why;         /* of a refusal of the whole; "" */
    const struct plan *plan;        /* of the second threshold round: stands in for the verdicts; else NULL */
    const struct policy *policy;    /* under which; NULL: this site's own */
    const struct message_round_header *header; /* M3n; NULL: M0a, a plan */
    const struct digest *psi;
    const char *words;
};
enum maille_code vault_log_judged(struct vault *vault, enum message_kind kind, const struct bytes *envelope,
                                  const struct vault_judged *judged,
                                  struct maille_error *error) MAILLE_CHECKED;

struct decision;
/* What a person decided about a query, with the signed file that says so. word: "approved", "one of two",
 * "denied" or "stopped". identity: whose signature it is. */
enum maille_code vault_log_decision(struct vault *vault, const struct query *query,
                                    const struct decision *decision, const char *word,
                                    const uint8_t identity[PUBLIC_BYTES], const struct bytes *signed_file,
                                    struct maille_error *error) MAILLE_CHECKED;

/* The head counts of this site that were just made: the largest cohort among them stands, banded, in the next
 * entry that says what was judged or what leaves. */
void vault_log_counts(struct vault *vault, const struct study *study, const struct data_cells *cells);

/* The start of the program: policy, directory, build; and an entry "policy" where the policy in force is
 * another than at the last start. */
enum maille_code vault_log_start(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* An entry "snapshot" where the newest snapshot is another than the last one that was noted. */
enum maille_code vault_log_snapshot(struct vault *vault, const struct data_facts *facts,
                                    struct maille_error *error) MAILLE_CHECKED;

/* A roster was judged: by the rules on who takes part. why: the one that refused; NULL: none. */
enum maille_code vault_log_joined(struct vault *vault, const struct query *query,
                                  const struct maille_error *why, struct maille_error *error) MAILLE_CHECKED;

/* The rules that were evaluated for a study under a policy: those of the question (M0a), those of pooled
 * numbers (a plan), or the one that refused (M3n), in the order of the gate, with what they demand. In arena;
 * returns their number. rules.c */
size_t vault_rules(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                   const struct vault_judged *judged);
/* Those of a roster (M2). why: the one that refused; NULL: none. */
size_t vault_rules_roster(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                          const struct maille_error *why);

/* Fingerprint and band of the cohort, for an entry. */
void vault_log_put_cohort(struct audit_entry *entry, struct vault *vault, const struct query *query,
                          struct arena *arena);

/* --- log_masked.c: what leaves --- */

/* A vector that is masked and about to leave. release and the query's secrets are those that it was made of;
 * plan NULL: its numbers have no names (released stays empty). */
struct vault_left {
    const struct query *query;
    const struct message_round_header *header;
    const struct digest *psi, *mask_psi; /* as in struct attempt */
    const struct round_plan *plan;
    const struct threshold *threshold; /* a threshold round, where which is not 0 */
    enum threshold_which which;
    const struct release *release;
    const struct digest *vector; /* H(y_i) */
    uint64_t vector_bytes;
    const bool *vetoed; /* per analysis: noise was sent; why stands in objections */
    const struct verdict *objections;
    const char *words; /* NULL: made of the plan */
};
/* The rules of a round that were passed, then those under which noise was sent. In arena; returns their
 * number. rules.c */
size_t vault_rules_left(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                        const struct vault_left *left);
enum maille_code vault_log_masked(struct vault *vault, const struct bytes *envelope, const void *frame,
                                  size_t frame_length, const struct vault_left *left,
                                  struct maille_error *error) MAILLE_CHECKED;
/* The blocks of a plan's open analyses with the names of their cells. In arena; returns their number.
 * words.c */
size_t vault_words(const struct audit_released **released, struct arena *arena, const struct study *study,
                   const struct round_plan *plan);
/* The same of a threshold round. */
size_t vault_words_threshold(const struct audit_released **released, struct arena *arena,
                             const struct threshold *threshold, enum threshold_which which);

/* --- log_heads.c: witnessing --- */

/* This log's head as M1 and M4 carry it: on disk up to there, with a proof from what C may have seen last. In
 * arena. */
enum maille_code vault_log_head(struct vault *vault, struct message_head *head, struct arena *arena,
                                struct maille_error *error) MAILLE_CHECKED;
/* How many entries of this log C says that it has seen. */
void vault_log_seen_by(struct vault *vault, uint64_t size);
/* A roster or a close that passed its checks: its entry with C's head and those of the sites.
 * MAILLE_PROTOCOL, rule log_head: C's head does not follow from the one that it showed before; both are in
 * the log. */
enum maille_code vault_log_roster(struct vault *vault, struct message *in,
                                  const struct message_accept *accepts,
                                  struct maille_error *error) MAILLE_CHECKED;
enum maille_code vault_log_close(struct vault *vault, struct message *in,
                                 struct maille_error *error) MAILLE_CHECKED;
/* A head of C's log. */
enum maille_code vault_log_head_in(struct vault *vault, struct message *in,
                                   struct maille_error *error) MAILLE_CHECKED;
/* A head of this log to C, with M7 or where one of the query was refused under log_head: with proofs from
 * the heads in this site's messages of the query as well, so that C can take those when they come again. */
struct message_outbox;
enum maille_code vault_log_head_out(struct vault *vault, const struct query *query,
                                    struct message_outbox *outbox, struct maille_error *error) MAILLE_CHECKED;

#endif
