/* Keys that the members of one roster share and nobody else has (docs/PROTOCOL.md §7). K_c is made of the
 * self masks of the first round, which each member seals to every other; what is derived of it binds each
 * later round to everything that its totals depend on, without telling anybody outside a word of that. */
#ifndef CRYPTO_CIRCLE_H
#define CRYPTO_CIRCLE_H

#include "crypto/identity.h"

/* K_c = KDF(-, "circle", ρ ‖ ψ₁ ‖ b_i of the n members, ascending by site). The caller wipes it.
 * MAILLE_MEMORY. */
enum maille_code circle_key(struct digest *key, const struct digest *rho, const struct digest *psi,
                            const struct digest *selves, size_t n, struct maille_error *error) MAILLE_CHECKED;

/* ψ = KDF(K_c, "round", RS); of the first round, in which there is no key yet, KDF(-, "round", RS). key NULL:
 * there is none. */
void circle_psi(struct digest *psi, const struct digest *key, const void *rs, size_t length);

/* b_i for the members alone: secretbox under KDF(K_c, "reveal", ψ ‖ LE64 site). CIRCLE_REVEAL_BYTES are
 * appended. MAILLE_MEMORY. */
enum { CIRCLE_REVEAL_BYTES = 24 + 16 + HASH_BYTES };
enum maille_code circle_reveal(struct bytes *out, const struct digest *key, const struct digest *psi,
                               uint32_t site, const struct digest *self,
                               struct maille_error *error) MAILLE_CHECKED;
/* Opens what site `site` sealed so. MAILLE_SIGNATURE: another key's, another round's or site's, or altered.
 */
enum maille_code circle_reveal_open(struct digest *self, const struct digest *key, const struct digest *psi,
                                    uint32_t site, const void *sealed, size_t length,
                                    struct maille_error *error) MAILLE_CHECKED;

/* KDF(K_c, "state", ψ ‖ state): equal where the states are; says nothing of them without K_c. MAILLE_MEMORY.
 */
enum maille_code circle_tag(struct digest *tag, const struct digest *key, const struct digest *psi,
                            const void *state, size_t length, struct maille_error *error) MAILLE_CHECKED;

#endif
