#include "crypto/circle.h"

enum maille_code circle_key(struct digest *key, const struct digest *rho, const struct digest *psi,
                            const struct digest *selves, size_t n, struct maille_error *error)
{
    struct bytes all = {0};
    bytes_put(&all, rho->b, HASH_BYTES);
    bytes_put(&all, psi->b, HASH_BYTES);
    for (size_t i = 0; i < n; i++)
        bytes_put(&all, selves[i].b, HASH_BYTES);
    enum maille_code code = bytes_check(&all, error);
    if (code == MAILLE_OK)
        hash_kdf(key, NULL, "circle", all.data, all.length);
    bytes_wipe(&all);
    return code;
}

void circle_psi(struct digest *psi, const struct digest *key, const void *rs, size_t length)
{
    hash_kdf(psi, key != NULL ? key->b : NULL, "round", rs, length);
}

static void reveal_key(struct digest *out, const struct digest *key, const struct digest *psi, uint32_t site)
{
    uint8_t of[HASH_BYTES + 8];
    for (size_t i = 0; i < HASH_BYTES; i++)
        of[i] = psi->b[i];
    le64_store(of + HASH_BYTES, site);
    hash_kdf(out, key->b, "reveal", of, sizeof of);
}

enum maille_code circle_reveal(struct bytes *out, const struct digest *key, const struct digest *psi,
                               uint32_t site, const struct digest *self, struct maille_error *error)
{
    struct digest box;
    reveal_key(&box, key, psi, site);
    enum maille_code code = seal_secretbox(out, box.b, self->b, HASH_BYTES);
    crypto_wipe(&box, sizeof box);
    return code == MAILLE_OK ? code : maille_fail(error, code, "expected memory for a mask that is revealed");
}

enum maille_code circle_reveal_open(struct digest *self, const struct digest *key, const struct digest *psi,
                                    uint32_t site, const void *sealed, size_t length,
                                    struct maille_error *error)
{
    struct digest box;
    struct bytes clear = {0};
    reveal_key(&box, key, psi, site);
    enum maille_code code = seal_secretbox_open(&clear, box.b, sealed, length, error);
    if (code == MAILLE_OK && clear.length != HASH_BYTES)
        code = maille_fail(error, MAILLE_SIGNATURE, "expected a mask of %d bytes, found %zu", HASH_BYTES,
                           clear.length);
    for (size_t i = 0; code == MAILLE_OK && i < HASH_BYTES; i++)
        self->b[i] = clear.data[i];
    crypto_wipe(&box, sizeof box);
    bytes_wipe(&clear);
    return code;
}

enum maille_code circle_tag(struct digest *tag, const struct digest *key, const struct digest *psi,
                            const void *state, size_t length, struct maille_error *error)
{
    struct bytes all = {0};
    bytes_put(&all, psi->b, HASH_BYTES);
    bytes_put(&all, state, length);
    enum maille_code code = bytes_check(&all, error);
    if (code == MAILLE_OK)
        hash_kdf(tag, key->b, "state", all.data, all.length);
    bytes_wipe(&all);
    return code;
}
