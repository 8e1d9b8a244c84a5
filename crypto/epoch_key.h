/* Keys that live for a quarter of an hour: Ed25519 over the text of a C2SP signed note
 * (https://c2sp.org/signed-note), without the label that every other signature here has, because programs of
 * others check notes. An epoch key signs notes and nothing else. */
#ifndef CRYPTO_EPOCH_KEY_H
#define CRYPTO_EPOCH_KEY_H

#include "crypto/identity.h"

enum { NOTE_ID_BYTES = 4 };

struct epoch_key; /* opaque; guarded memory */

enum maille_code epoch_key_new(struct epoch_key **key, struct maille_error *error) MAILLE_CHECKED;
void epoch_key_free(struct epoch_key *key);                   /* wipes; NULL is legal */
const uint8_t *epoch_key_public(const struct epoch_key *key); /* PUBLIC_BYTES */

/* Durable form under a key of the party's own. epoch_key_load: MAILLE_SIGNATURE where wrap is not the one,
 * MAILLE_CORRUPT. */
enum maille_code epoch_key_store(struct bytes *out, const struct epoch_key *key,
                                 const uint8_t wrap[KEY_BYTES]) MAILLE_CHECKED;
enum maille_code epoch_key_load(struct epoch_key **key, const uint8_t wrap[KEY_BYTES], const void *stored,
                                size_t length, struct maille_error *error) MAILLE_CHECKED;

/* Ed25519 (RFC 8032) of the bytes alone. */
void crypto_note_signature_make(uint8_t signature[SIGNATURE_BYTES], const struct epoch_key *key,
                                const void *text, size_t length);
bool crypto_note_signature_valid(const uint8_t signature[SIGNATURE_BYTES],
                                 const uint8_t public_key[PUBLIC_BYTES], const void *text, size_t length);
/* What stands before the signature in a note's line: the first bytes of SHA-256(name ‖ 0x0a ‖ 0x01 ‖ public
 * key). */
void crypto_note_key_id(uint8_t id[NOTE_ID_BYTES], const char *name, const uint8_t public_key[PUBLIC_BYTES]);

/* Base64 with padding (RFC 4648 §4). out: BASE64_BYTES(length) characters with the NUL. */
#define BASE64_BYTES(length) (((length) + 2) / 3 * 4 + 1)
void crypto_note_base64_encode(char *out, const void *data, size_t length);
/* Exactly length bytes from exactly text_length characters, in the one form that crypto_note_base64_encode
 * gives; false otherwise. */
bool crypto_note_base64_decode(void *out, size_t length, const char *text, size_t text_length);

#endif
