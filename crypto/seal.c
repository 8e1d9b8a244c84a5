/* Sealed boxes and authenticated encryption (libsodium). */
#include "crypto/identity.h"

#include <sodium.h>

_Static_assert(crypto_box_SEALBYTES == SEAL_OVERHEAD && crypto_box_PUBLICKEYBYTES == PUBLIC_BYTES &&
                   crypto_box_SECRETKEYBYTES == KEY_BYTES && crypto_secretbox_KEYBYTES == KEY_BYTES,
               "libsodium sizes");

enum { SECRETBOX_OVERHEAD = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES };

enum maille_code seal_to(struct bytes *out, const uint8_t box[PUBLIC_BYTES], const void *data, size_t length)
{
    size_t before = out->length;
    uint8_t *sealed = bytes_reserve(out, length + SEAL_OVERHEAD);
    if (sealed == NULL)
        return MAILLE_MEMORY;
    if (crypto_box_seal(sealed, data, length, box) != 0) { /* a point of small order */
        out->length = before;
        return MAILLE_SIGNATURE;
    }
    return MAILLE_OK;
}

enum maille_code seal_open(struct bytes *out, const uint8_t box[PUBLIC_BYTES],
                           const uint8_t secret[KEY_BYTES], const void *sealed, size_t length,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes clear = {0};
    if (length < SEAL_OVERHEAD) {
        code =
            maille_fail(error, MAILLE_SIGNATURE, "expected a sealed message of at least %d bytes, found %zu",
                        SEAL_OVERHEAD, length);
        goto out;
    }
    bytes_reserve(&clear, length - SEAL_OVERHEAD);
    MAILLE_TRY(bytes_check(&clear, error));
    if (crypto_box_seal_open(clear.data, sealed, length, box, secret) != 0) {
        code = maille_fail(
            error, MAILLE_SIGNATURE,
            "expected a message sealed to this key, found one that is altered or meant for another");
        goto out;
    }
    bytes_put(out, clear.data, clear.length);
    code = bytes_check(out, error);
out:
    bytes_wipe(&clear);
    return code;
}

void seal_box_pair(uint8_t box[PUBLIC_BYTES], uint8_t secret[KEY_BYTES])
{
    crypto_box_keypair(box, secret);
}

enum maille_code seal_secretbox(struct bytes *out, const uint8_t key[KEY_BYTES], const void *data,
                                size_t length)
{
    uint8_t *sealed = bytes_reserve(out, length + SECRETBOX_OVERHEAD);
    if (sealed == NULL)
        return MAILLE_MEMORY;
    randombytes_buf(sealed, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, data, length, sealed, key);
    return MAILLE_OK;
}

enum maille_code seal_secretbox_open(struct bytes *out, const uint8_t key[KEY_BYTES], const void *sealed,
                                     size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes clear = {0};
    const uint8_t *nonce = sealed;
    if (length < SECRETBOX_OVERHEAD) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected an encrypted message of at least %d bytes, found %zu",
                           (int)SECRETBOX_OVERHEAD, length);
        goto out;
    }
    bytes_reserve(&clear, length - SECRETBOX_OVERHEAD);
    MAILLE_TRY(bytes_check(&clear, error));
    if (crypto_secretbox_open_easy(clear.data, nonce + crypto_secretbox_NONCEBYTES,
                                   length - crypto_secretbox_NONCEBYTES, nonce, key) != 0) {
        code = maille_fail(
            error, MAILLE_SIGNATURE,
            "expected a message encrypted under this key, found one that is altered or under another");
        goto out;
    }
    bytes_put(out, clear.data, clear.length);
    code = bytes_check(out, error);
out:
    bytes_wipe(&clear);
    return code;
}
