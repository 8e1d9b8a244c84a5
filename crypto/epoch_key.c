#include "crypto/epoch_key.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "crypto/guarded.h"
#include "crypto/tree_hash.h"

struct epoch_key {
    uint8_t public[PUBLIC_BYTES];
    struct guarded *secret; /* crypto_sign_SECRETKEYBYTES: seed ‖ public key */
};

static enum maille_code epoch_key_from(struct epoch_key **key, const uint8_t seed[KEY_BYTES],
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct epoch_key *made = calloc(1, sizeof *made);
    if (made == NULL || (made->secret = guarded_new(crypto_sign_SECRETKEYBYTES)) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected guarded memory for a key of the log, found none");
        goto out;
    }
    crypto_sign_seed_keypair(made->public, guarded_change(made->secret), seed);
    guarded_close(made->secret);
    *key = made;
    made = NULL;
out:
    epoch_key_free(made);
    return code;
}

enum maille_code epoch_key_new(struct epoch_key **key, struct maille_error *error)
{
    uint8_t seed[KEY_BYTES];
    randombytes_buf(seed, sizeof seed);
    enum maille_code code = epoch_key_from(key, seed, error);
    sodium_memzero(seed, sizeof seed);
    return code;
}

void epoch_key_free(struct epoch_key *key)
{
    if (key == NULL)
        return;
    guarded_free(key->secret);
    free(key);
}

const uint8_t *epoch_key_public(const struct epoch_key *key)
{
    return key->public;
}

enum maille_code epoch_key_store(struct bytes *out, const struct epoch_key *key,
                                 const uint8_t wrap[KEY_BYTES])
{
    const uint8_t *secret = guarded_open(key->secret);
    enum maille_code code = seal_secretbox(out, wrap, secret, KEY_BYTES); /* the seed stands first */
    guarded_close(key->secret);
    return code;
}

enum maille_code epoch_key_load(struct epoch_key **key, const uint8_t wrap[KEY_BYTES], const void *stored,
                                size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes seed = {0};
    MAILLE_TRY(seal_secretbox_open(&seed, wrap, stored, length, error));
    if (seed.length != KEY_BYTES) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected a key of %d bytes, found %zu", KEY_BYTES,
                           seed.length);
        goto out;
    }
    code = epoch_key_from(key, seed.data, error);
out:
    bytes_wipe(&seed);
    return code;
}

void crypto_note_signature_make(uint8_t signature[SIGNATURE_BYTES], const struct epoch_key *key,
                                const void *text, size_t length)
{
    const uint8_t *secret = guarded_open(key->secret);
    crypto_sign_detached(signature, NULL, text, length, secret);
    guarded_close(key->secret);
}

bool crypto_note_signature_valid(const uint8_t signature[SIGNATURE_BYTES],
                                 const uint8_t public_key[PUBLIC_BYTES], const void *text, size_t length)
{
    return crypto_sign_verify_detached(signature, text, length, public_key) == 0;
}

void crypto_note_key_id(uint8_t id[NOTE_ID_BYTES], const char *name, const uint8_t public_key[PUBLIC_BYTES])
{
    static const uint8_t separator[2] = {0x0a, 0x01}; /* 0x01: the signature type Ed25519 */
    struct digest digest;
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
    crypto_hash_sha256_update(&state, separator, sizeof separator);
    crypto_hash_sha256_update(&state, public_key, PUBLIC_BYTES);
    crypto_hash_sha256_final(&state, digest.b);
    memcpy(id, digest.b, NOTE_ID_BYTES);
}

void crypto_note_base64_encode(char *out, const void *data, size_t length)
{
    sodium_bin2base64(out, BASE64_BYTES(length), data, length, sodium_base64_VARIANT_ORIGINAL);
}

bool crypto_note_base64_decode(void *out, size_t length, const char *text, size_t text_length)
{
    size_t found;
    const char *end;
    /* libsodium 1.0.18 takes some characters beyond ASCII for digits where char is signed. */
    for (size_t i = 0; i < text_length; i++)
        if ((unsigned char)text[i] > 127)
            return false;
    return text_length == BASE64_BYTES(length) - 1 &&
           sodium_base642bin(out, length, text, text_length, NULL, &found, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           found == length && end == text + text_length;
}
