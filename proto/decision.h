/* What an officer decides about a study, and whom she appoints, signed with her key wherever she is: a text
 * that is carried to the site and put into its spool (maille-worker approve, deny, stop, decide; maille
 * officer). And what she is asked: the text that the site wrote (maille-worker pending), whose hash she
 * signs.
 */
#ifndef PROTO_DECISION_H
#define PROTO_DECISION_H

#include "base/arena.h"
#include "crypto/hash.h"
#include "crypto/identity.h"
#include "proto/message.h"

enum { DECISION_BYTES_MAX = 4096, DECISION_REASON_MAX = 400, PENDING_BYTES_MAX = 8 * 1024 * 1024 };

enum decision_kind {
    DECISION_DENY,
    DECISION_APPROVE,
    DECISION_STOP /* whatever state the study is in: nothing more of it leaves */
};

struct decision {
    uint8_t qid[QID_BYTES];
    enum decision_kind kind;
    struct digest pending;              /* of the text that was read; zeros with DECISION_STOP */
    const char *by;                     /* name of the key */
    const char *at;                     /* UTC, ISO 8601 */
    const char *reason;                 /* one line; may be "" */
    uint8_t signature[SIGNATURE_BYTES]; /* set by decision_read */
};

/* KDF(-, "pending", the text's bytes): what a decision is about. */
void decision_pending_hash(struct digest *hash, const void *bytes, size_t length);
/* The value of "key: value" among the first lines of such a text; "" where there is none. In arena. */
const char *decision_pending_line(struct arena *arena, const struct bytes *pending, const char *key);

/* Appends the signed text. MAILLE_INVALID: a reason of more than one line or too long. */
enum maille_code decision_write(struct bytes *out, const struct decision *decision,
                                const struct secret_keys *keys, struct maille_error *error) MAILLE_CHECKED;
/* Reads one. identity NULL: whose signature it is stays open. MAILLE_SIGNATURE: another key's, or altered;
 * MAILLE_INVALID: not a decision. path: what it is called in a sentence. Text in arena. */
enum maille_code decision_read(struct decision *decision, struct arena *arena, const char *path,
                               const struct bytes *text, const uint8_t *identity,
                               struct maille_error *error) MAILLE_CHECKED;
/* Who else decides at a site: signed by the officer in force, and brought to the site like a decision. */
enum appointment_role {
    APPOINTMENT_SUCCESSOR, /* instead of her who appoints, from that day on */
    APPOINTMENT_SECOND     /* beside the officer; the last one that was appointed */
};
struct appointment {
    const char *site; /* at which she decides */
    enum appointment_role role;
    const char *officer; /* name of her key */
    uint8_t identity[PUBLIC_BYTES], box[PUBLIC_BYTES];
    int32_t from;        /* day since 1970-01-01, UTC */
    const char *by, *at; /* as in a decision */
};
/* "successor", "second". */
const char *appointment_role_word(enum appointment_role role);
bool appointment_role_parse(enum appointment_role *role, const char *word);
/* Whether a text is an appointment and no decision, by its first line. */
bool appointment_is(const struct bytes *text);
/* As decision_write and decision_read. APPOINTMENT_BYTES_MAX at most. */
enum { APPOINTMENT_BYTES_MAX = 1024 };
enum maille_code appointment_write(struct bytes *out, const struct appointment *appointment,
                                   const struct secret_keys *keys, struct maille_error *error) MAILLE_CHECKED;
enum maille_code appointment_read(struct appointment *appointment, struct arena *arena, const char *path,
                                  const struct bytes *text, const uint8_t *identity,
                                  struct maille_error *error) MAILLE_CHECKED;

/* "approve", "deny", "stop". */
const char *decision_word(enum decision_kind kind);

#endif
