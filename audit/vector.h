/* The exact numbers that left a site, for its data protection officer alone: the clear vector and the seeds
 * of its masks, sealed to their key. Both together give the bytes that the coordinator signed for. */
#ifndef AUDIT_VECTOR_H
#define AUDIT_VECTOR_H

#include "audit/log.h"
#include "crypto/mask.h"

/* Seals x_i: salt (32 random bytes) ‖ LE32 n ‖ n × (LE64 bytes ‖ LE32 width) ‖ words. clear_hash = KDF(salt,
 * "clear", all behind the salt): shows nothing of the numbers and cannot be of others. For `clear` and
 * `clear_hash` of the entry of a masked message; box: the dpo's. Errors: MAILLE_MEMORY, MAILLE_SIGNATURE (a
 * key of small order). */
enum maille_code audit_seal_clear(struct bytes *sealed, struct digest *clear_hash,
                                  const uint8_t box[PUBLIC_BYTES], const struct release *release,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Seals the seeds that share_make masked with (query_secrets_seeds): for `seeds`. ψ, sites and n as in
 * share_make. */
enum maille_code audit_seal_seeds(struct bytes *sealed, const uint8_t box[PUBLIC_BYTES],
                                  const struct query_secrets *secrets, const struct digest *psi,
                                  const uint32_t *sites, size_t n, struct maille_error *error) MAILLE_CHECKED;

/* Opened: wiped and freed by audit_clear_wipe. */
struct audit_clear {
    struct bytes content;
    const uint8_t *words;
    size_t length;
    struct word_run *runs;
    size_t n_runs;
};
void audit_clear_wipe(struct audit_clear *clear);

/* Opens the clear vector of an entry. MAILLE_INVALID: the entry has none; MAILLE_SIGNATURE: sealed to another
 * key; MAILLE_CORRUPT: not what clear_hash says. */
enum maille_code audit_open_clear(struct audit_clear *clear, const struct audit_entry *entry,
                                  const struct secret_keys *dpo, struct maille_error *error) MAILLE_CHECKED;
/* Clear vector and seeds again to H(y_i). MAILLE_OK: it is the one that the entry says was sent (and that the
 * receipt is for); MAILLE_CORRUPT: another one. Other errors as audit_open_clear. vector: what came out, also
 * then; NULL: not wanted. */
enum maille_code audit_replay(struct digest *vector, const struct audit_entry *entry,
                              const struct secret_keys *dpo, struct maille_error *error) MAILLE_CHECKED;

/* Number i of a clear vector as people read it, in words of its run: signed integer where the width is 8; a
 * real with 64 fractional bits where it is 16 (docs/decisions/0002). False: there is no number i. */
bool audit_clear_number(char out[64], const struct audit_clear *clear, uint64_t i);
/* The number at byte `offset` of the vector, of a width of 8 or 16 and with fractional bits as its block
 * says. False: it is not in the vector. */
bool audit_clear_at(char out[64], const struct audit_clear *clear, uint64_t offset, uint32_t width,
                    uint32_t fraction);
uint64_t audit_clear_count(const struct audit_clear *clear);

#endif
