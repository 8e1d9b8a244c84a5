/* DIR/spool: where the vault asks a person and reads the answer. QID.pending says in words what is asked, for
 * the officer to read; QID.decision is what was signed with the officer's key (proto/decision.h), here or on
 * her own machine; QID.first is the first signature of two, which was taken; `appointment` names who else
 * decides. All are text, and none holds a number that was counted over patients, nor anything that follows
 * from one: which earlier groups are near is read off what they say (docs/decisions/0029-near-in-words.md).
 *
 * Where the folder belongs to a group (spool_group of worker.yaml: mode 3770), whoever is in it reads what is
 * asked (0640), puts decisions there (0644: the vault is another account), and removes nobody else's file. */
#ifndef VAULT_SPOOL_H
#define VAULT_SPOOL_H

#include "base/arena.h"
#include "crypto/hash.h"
#include "crypto/identity.h"
#include "proto/decision.h"

/* Writes QID.pending (and removes a decision about an older one), reads it, or removes both. MAILLE_IO;
 * MAILLE_INVALID: there is none. */
enum maille_code spool_ask(const char *dir, const uint8_t qid[QID_BYTES], const struct bytes *pending,
                           struct maille_error *error) MAILLE_CHECKED;
enum maille_code spool_pending(struct bytes *out, const char *dir, const uint8_t qid[QID_BYTES],
                               struct maille_error *error) MAILLE_CHECKED;
void spool_forget(const char *dir, const uint8_t qid[QID_BYTES]);

/* The queries that wait, in the order of their ids. qids in arena. MAILLE_IO: the folder cannot be read; none
 * there: n is 0. */
enum maille_code spool_list(const uint8_t (**qids)[QID_BYTES], size_t *n, struct arena *arena,
                            const char *dir, struct maille_error *error) MAILLE_CHECKED;

/* Puts a signed decision of this name's key into the spool, instead of an earlier one of hers.
 * MAILLE_INVALID: another person's is there, and the worker has not taken it; MAILLE_IO. */
enum maille_code spool_put(const char *dir, const uint8_t qid[QID_BYTES], const char *by,
                           const struct bytes *decision, struct maille_error *error) MAILLE_CHECKED;
/* Puts a signed appointment into the spool; where it stands. */
enum maille_code spool_appoint(const char *dir, const struct bytes *appointment,
                               struct maille_error *error) MAILLE_CHECKED;
enum maille_code spool_appointment_path(char path[], const char *dir,
                                        struct maille_error *error) MAILLE_CHECKED;
/* Signs a decision and puts it into the spool. MAILLE_INVALID: a reason of more than one line or too long;
 * MAILLE_IO. */
enum maille_code spool_decide(const char *dir, const struct decision *decision,
                              const struct secret_keys *keys, struct maille_error *error) MAILLE_CHECKED;

enum spool_slot { SPOOL_DECISION, SPOOL_FIRST };

/* Makes QID.decision the first signature of two. MAILLE_IO. */
enum maille_code spool_keep_first(const char *dir, const uint8_t qid[QID_BYTES],
                                  struct maille_error *error) MAILLE_CHECKED;
/* Who signed first, where a second signature is waited for; "": nobody. In arena. */
const char *spool_first_by(struct arena *arena, const char *dir, const uint8_t qid[QID_BYTES]);

/* Reads the slot's file, if there is one (*there), and verifies it as identity's. bytes: the file, for the
 * log. MAILLE_SIGNATURE: another key's, or altered; MAILLE_INVALID: not a decision about this query. Text in
 * arena. */
enum maille_code spool_decision(struct decision *decision, bool *there, struct bytes *bytes,
                                struct arena *arena, const char *dir, const uint8_t qid[QID_BYTES],
                                enum spool_slot slot, const uint8_t identity[PUBLIC_BYTES],
                                struct maille_error *error) MAILLE_CHECKED;
/* Whether a file stands there that can be read. What is none, as a link or a folder that somebody of the
 * group made, is put away. */
bool spool_holds(const char *path);
/* Removes a question that was answered. */
void spool_drop_question(const char *dir, const uint8_t qid[QID_BYTES]);
/* Removes a decision that was read. */
void spool_drop_decision(const char *dir, const uint8_t qid[QID_BYTES]);

#endif
