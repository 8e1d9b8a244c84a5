/* Identities: Ed25519 signatures with a label, key files, sealed boxes. Secret keys live in guarded memory.
 */
#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "crypto/hash.h"

enum { SIGNATURE_BYTES = 64, PUBLIC_BYTES = 32, SEAL_OVERHEAD = 48 };

enum key_role { KEY_RESEARCHER, KEY_SITE, KEY_DPO, KEY_COORDINATOR, KEY_AUTHORITY };
const char *key_role_name(enum key_role role); /* "researcher" … */
bool key_role_parse(enum key_role *role, const char *name);

/* Public half: what the directory holds. */
struct public_keys {
    uint8_t identity[PUBLIC_BYTES];  /* IK: Ed25519 */
    uint8_t transport[PUBLIC_BYTES]; /* TK: X25519 for CURVE (researcher, site, coordinator) */
    uint8_t box[PUBLIC_BYTES];       /* X25519 for sealed log vectors (dpo) */
};

struct secret_keys; /* opaque; sodium_malloc, no access when idle */

/* New keys for a role and a name ([a-z0-9][a-z0-9-]{0,39}). */
enum maille_code secret_keys_new(struct secret_keys **keys, enum key_role role, const char *name,
                                 struct maille_error *error) MAILLE_CHECKED;
void secret_keys_free(struct secret_keys *keys);
enum key_role secret_keys_role(const struct secret_keys *keys);
const char *secret_keys_name(const struct secret_keys *keys);
const struct public_keys *secret_keys_public(const struct secret_keys *keys);

/* How a key file opens: a passphrase (Argon2id), or a 32-byte credential file for unattended start. Exactly
 * one is set. */
struct key_unlock {
    const char *passphrase;
    const char *credential_path; /* 0600, exactly 32 bytes */
};

/* What a program was given: the credential, else $MAILLE_PASSPHRASE; an empty one is none. Neither is set
 * where there is neither. */
struct key_unlock keyfile_unlock(const char *credential_path);

/* Key file: text header (role, name, public keys) and XChaCha20-Poly1305 ciphertext with the header as
 * additional data; 0600. keyfile_read refuses a file that others can read (MAILLE_INVALID), a wrong
 * passphrase or an altered file (MAILLE_SIGNATURE). */
enum maille_code keyfile_write(const char *path, const struct secret_keys *keys,
                               const struct key_unlock *unlock, struct maille_error *error) MAILLE_CHECKED;
enum maille_code keyfile_read(struct secret_keys **keys, const char *path, const struct key_unlock *unlock,
                              struct maille_error *error) MAILLE_CHECKED;
/* Role, name and public keys from the header, without unlocking. name has 48 bytes. */
enum maille_code keyfile_header(enum key_role *role, char *name, struct public_keys *keys,
                                bool *by_credential, const char *path,
                                struct maille_error *error) MAILLE_CHECKED;
/* True for a name of a party: [a-z0-9][a-z0-9-]{0,39}. */
bool identity_name_valid(const char *name);

/* A new credential file of 32 random bytes (0600); nothing may stand at path. */
enum maille_code keyfile_credential_make(const char *path, struct maille_error *error) MAILLE_CHECKED;
/* Where a service manager or a container engine puts the credential: $CREDENTIALS_DIRECTORY/maille (systemd's
 * LoadCredential=maille:FILE), else /run/secrets/maille. out: PATH_MAX bytes. False: neither is there. */
bool credential_given(char *out);
/* Whether a file is one of those, which others' bits of its mode say nothing about. */
bool credential_managed(const char *path);
/* A sentence where the credential stands in `folder`, that of the key which it opens, or beneath; else NULL.
 */
const char *credential_warning(char *sentence, size_t size, const char *path, const char *folder);

/* Ed25519 (RFC 8032) over "maille1/" ‖ message ‖ 0x00 ‖ bytes. message: lower-case name, e.g. "accept". */
enum maille_code identity_sign(uint8_t signature[SIGNATURE_BYTES], const struct secret_keys *keys,
                               const char *message, const void *bytes, size_t length,
                               struct maille_error *error) MAILLE_CHECKED;
bool identity_verify(const uint8_t signature[SIGNATURE_BYTES], const uint8_t identity[PUBLIC_BYTES],
                     const char *message, const void *bytes, size_t length);

/* The CURVE secret key, for wire/ alone: 32 bytes copied out; the caller wipes them. */
void secret_keys_transport(uint8_t out[KEY_BYTES], const struct secret_keys *keys);
/* A symmetric key for a purpose of this party's own (sealing its state at rest): KDF of the secret keys. */
void secret_keys_derive(struct digest *out, const struct secret_keys *keys, const char *label);

/* Seals and their openings append to out, which is as it was when they fail (but for MAILLE_MEMORY).
 *
 * crypto_box_seal: anonymous sealing to an X25519 key; length + SEAL_OVERHEAD bytes. MAILLE_SIGNATURE: a key
 * of small order. */
enum maille_code seal_to(struct bytes *out, const uint8_t box[PUBLIC_BYTES], const void *data,
                         size_t length) MAILLE_CHECKED;
/* Opens with a raw X25519 key pair. MAILLE_SIGNATURE. */
enum maille_code seal_open(struct bytes *out, const uint8_t box[PUBLIC_BYTES],
                           const uint8_t secret[KEY_BYTES], const void *sealed, size_t length,
                           struct maille_error *error) MAILLE_CHECKED;
/* Opens what was sealed to the DPO's box key. */
enum maille_code identity_seal_open(struct bytes *out, const struct secret_keys *keys, const void *sealed,
                                    size_t length, struct maille_error *error) MAILLE_CHECKED;
/* A fresh X25519 pair. */
void seal_box_pair(uint8_t box[PUBLIC_BYTES], uint8_t secret[KEY_BYTES]);

/* Authenticated encryption under a symmetric key: 24-byte random nonce ‖ XSalsa20-Poly1305 (secretbox). */
enum maille_code seal_secretbox(struct bytes *out, const uint8_t key[KEY_BYTES], const void *data,
                                size_t length) MAILLE_CHECKED;
enum maille_code seal_secretbox_open(struct bytes *out, const uint8_t key[KEY_BYTES], const void *sealed,
                                     size_t length, struct maille_error *error) MAILLE_CHECKED;

#endif
