/* The one-reveal secure sum: y_i = x_i + G(b_i) + Σ_{j>i} G(s_ij) − Σ_{j<i} G(s_ij)   (docs/PROTOCOL.md §3,
 * M4 to sum). A share can be made from a struct release and from nothing else. */
#ifndef CRYPTO_MASK_H
#define CRYPTO_MASK_H

#include "crypto/identity.h"
#include "disclosure/release.h"

enum { TAG_BYTES = 16, QUERY_SITES_MAX = 1024 };

/* One member of a roster. site: the directory's number of the site, unique, > 0. */
struct mask_member {
    uint32_t site;
    uint8_t ek[PUBLIC_BYTES]; /* EK_{i,q} */
};

/* A site's secrets of one query: ek, B and, once paired, k_ij. Guarded memory. */
struct query_secrets;

enum maille_code query_secrets_new(struct query_secrets **secrets, struct maille_error *error) MAILLE_CHECKED;
void query_secrets_free(struct query_secrets *secrets);                   /* wipes */
const uint8_t *query_secrets_public(const struct query_secrets *secrets); /* EK, PUBLIC_BYTES */

/* False for a point of small order: it makes the same secret, zero, with every key (RFC 7748 §6.1). To be
 * asked of what a peer calls its EK before anything is kept of it. */
bool mask_query_key_usable(const uint8_t ek[PUBLIC_BYTES]);

/* k_ij = KDF(X25519(ek_i, EK_j), "pair", ρ ‖ LE64 min ‖ LE64 max) for every other member. `own` must be among
 * the members with our EK (MAILLE_PROTOCOL). An all-zero X25519 secret: MAILLE_SIGNATURE. */
enum maille_code query_secrets_pair(struct query_secrets *secrets, const struct digest *rho, uint32_t own,
                                    const struct mask_member *members, size_t n,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Durable form, sealed under a key of the site's own: ek, B (k_ij are derived again). */
enum maille_code query_secrets_store(struct bytes *out, const struct query_secrets *secrets,
                                     const uint8_t wrap[KEY_BYTES]) MAILLE_CHECKED;
enum maille_code query_secrets_load(struct query_secrets **secrets, const uint8_t wrap[KEY_BYTES],
                                    const void *stored, size_t length,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Opens what the agent sealed to our EK (K_θ). */
enum maille_code query_secrets_open(struct bytes *out, const struct query_secrets *secrets,
                                    const void *sealed, size_t length,
                                    struct maille_error *error) MAILLE_CHECKED;

/* What goes with a share into M4. */
struct share_header {
    struct digest vector; /* H(y_i) */
    uint64_t length;      /* bytes of y_i */
    struct digest commit; /* KDF(b_i, "commit", ψ) */
    size_t n_tags;        /* |U| − 1, ascending by site */
    struct {
        uint32_t site;
        uint8_t tag[TAG_BYTES]; /* KDF(s_ij, "tag", ψ), first 16 bytes */
    } tags[QUERY_SITES_MAX];
};

/* What stands in the place of sums that a site must not send in the round ψ: the keystream of KDF(B_i,
 * "fill", ψ), as many bytes as the vector has. For one ψ the same. The caller wipes it. MAILLE_MEMORY. */
enum maille_code query_secrets_fill(struct bytes *out, const struct query_secrets *secrets,
                                    const struct digest *psi, size_t length,
                                    struct maille_error *error) MAILLE_CHECKED;

struct share; /* opaque: a masked vector */

/* Masks a release for header hash ψ among the members `sites` (ascending, own among them). Each keystream
 * runs once over the whole vector; masks are added in 16 KiB chunks so that no keystream vector exists. */
enum maille_code share_make(struct share **share, struct share_header *header, const struct release *release,
                            const struct query_secrets *secrets, const struct digest *psi,
                            const uint32_t *sites, size_t n, struct maille_error *error) MAILLE_CHECKED;
void share_free(struct share *share);

/* For the site's own log, where its data protection officer alone can open them. The seeds that share_make
 * masks with for ψ and these members: LE32 n ‖ b_i ‖ n × (LE32 site ‖ u8 1 where it is subtracted ‖ s_ij),
 * appended to out; the caller wipes them. Errors as share_make. */
enum maille_code query_secrets_seeds(struct bytes *out, const struct query_secrets *secrets,
                                     const struct digest *psi, const uint32_t *sites, size_t n,
                                     struct maille_error *error) MAILLE_CHECKED;
/* H(y_i) of words masked with such seeds: what share_make's header says of the same ones. The vector itself
 * is not given out. MAILLE_CORRUPT: seeds of another shape; MAILLE_INVALID: runs that do not cover the words.
 */
enum maille_code mask_replay(struct digest *vector, const uint8_t *words, size_t length,
                             const struct word_run *runs, size_t n_runs, const void *seeds,
                             size_t seeds_length, struct maille_error *error) MAILLE_CHECKED;
const uint8_t *share_bytes(const struct share *share, size_t *length);

/* b_i = KDF(B_i, "self", ψ), to be sealed to RK_A once and only once for (q, r): the caller keeps that
 * promise durably. */
void query_secrets_self(struct digest *b, const struct query_secrets *secrets, const struct digest *psi);

/* Runs of equal word width, in order: [0, bytes₁) of width₁, then … Every run is a whole number of words,
 * every run of 16-byte words starts at a multiple of 16. (struct word_run: disclosure/release.h) */

/* sum += part over bytes [offset, offset + length) of the vector; offset and length multiples of 16 but for
 * the end. Both pointers stand at byte `offset` of their vectors (sum + offset where sum is a whole vector),
 * so one segment can be added into a buffer of its own. Neither needs alignment; they must not overlap. The
 * runs cover the range. */
void share_add(uint8_t *sum, const uint8_t *part, size_t offset, size_t length, const struct word_run *runs,
               size_t n_runs);

/* Sum of the runs' bytes; false when a run breaks the rules above, a width is not 8 or 16, or the sum
 * overflows. Runs that came from a peer pass here before share_add. */
bool mask_runs_length(uint64_t *length, const struct word_run *runs, size_t n_runs);

/* The analyst's half: checks commit = KDF(b_i, "commit", ψ) for one member, and subtracts G(b_i) from the
 * sum. */
bool mask_reveal_matches(const struct digest *b, const struct digest *commit, const struct digest *psi);
void mask_unmask_sum(uint8_t *sum, size_t length, const struct word_run *runs, size_t n_runs,
                     const struct digest *b);

/* n_min of docs/PROTOCOL.md §5: f = max(1, ⌊n/5⌋), h_min = 3 (2 when n = 3), max(⌊(n+f)/2⌋+1, f+h_min); 0 for
 * n < 3 (refused). */
uint32_t mask_sites_needed(uint32_t n);

#endif
