/* The texts that a log signs: C2SP checkpoints (https://c2sp.org/tlog-checkpoint) with further lines. Inside
 * audit/ alone.
 *
 *     maille/alpha                              origin: the party
 *     4711                                      records in the tree
 *     BASE64                                    its root
 *     epoch 17 2026-11-23T10:15:00.000Z         the epoch, its begin
 *     sealed 2026-11-23T10:30:00.000Z           seal: its end
 *     next 18 BASE64                            seal: the key of the next epoch; begin, base: the key of this
 * one last 2026-11-23T10:29:58.000Z             base: when the last of the pruned entries was written
 *     checkpoint 42 BASE64                      checkpoint: its number; seal, base: of the last one. BASE64:
 * chain over those before range BASE64 BASE64 …                     base: the subtrees that cover the pruned
 * records
 *
 *     — maille/alpha BASE64                     checkpoint, seal: signature by the epoch's key
 *     identity BASE64 BASE64                    begin, base: the party's identity key and its signature
 * ("log"); or "identity none"
 *
 * chain_0 = 32 zero bytes, chain_k = SHA-256(chain_{k−1} ‖ SHA-256(text of checkpoint k)); checkpoint k
 * carries chain_{k−1}, a seal and a base chain_k of the last one. A text is accepted only byte for byte as it
 * would be written. */
#ifndef AUDIT_NOTE_H
#define AUDIT_NOTE_H

#include "audit/tree.h"
#include "crypto/epoch_key.h"

enum note_kind { NOTE_BEGIN, NOTE_CHECKPOINT, NOTE_SEAL, NOTE_BASE };

enum { NOTE_ORIGIN_BYTES = 80, NOTE_BYTES_MAX = 8192 };

struct note {
    enum note_kind kind;
    char origin[NOTE_ORIGIN_BYTES];
    uint64_t size;
    struct digest root;
    uint64_t epoch;
    int64_t begin_ms, end_ms, last_ms;
    uint8_t next_key[PUBLIC_BYTES];
    uint64_t checkpoint;
    struct digest chain;
    size_t n_range;
    struct digest range[TREE_LEVELS];
    bool has_identity;
    uint8_t identity[PUBLIC_BYTES];
    uint8_t signature[SIGNATURE_BYTES]; /* of the epoch's key, or of the identity */
};

/* The signed part. key: the epoch's, for the line of the signature (its id). */
void note_body(struct bytes *out, const struct note *note);
/* The whole, signature included. key: the public key that signed (checkpoint, seal). */
void note_text(struct bytes *out, const struct note *note, const uint8_t *key);

/* Signs in place: with the epoch's key, or the party's (NULL: "identity none"). */
enum maille_code note_sign_epoch(struct note *note, const struct epoch_key *key) MAILLE_CHECKED;
enum maille_code note_sign_identity(struct note *note, const struct secret_keys *keys,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Reads a text of a kind; key as in note_text, for checkpoint and seal (NULL: the line's id is not looked
 * at). The signature is not verified. False: it is not one. */
bool note_parse(struct note *note, enum note_kind kind, const uint8_t *key, const char *text, size_t length);
/* By the epoch's key. */
bool note_valid(const struct note *note, const uint8_t key[PUBLIC_BYTES]);
/* By the identity that it names. */
bool note_certified(const struct note *note);

/* chain_k from chain_{k−1}, in place. */
void note_chain(struct digest *chain, const void *text, size_t length);

#endif
