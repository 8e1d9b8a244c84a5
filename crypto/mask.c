/* The one-reveal secure sum (docs/PROTOCOL.md §3; after Bonawitz and others 2017,
 * doi:10.1145/3133956.3133982, with the self-mask released by its owner and no pair seed ever revealed). */
#include "crypto/mask.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/number.h"
#include "crypto/guarded.h"

_Static_assert(crypto_stream_chacha20_KEYBYTES == KEY_BYTES && crypto_scalarmult_BYTES == KEY_BYTES,
               "libsodium sizes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words travel little-endian and are added in place");

enum {
    CHUNK_BYTES = 16384, /* keystream that exists at a time: fits the first-level cache */
    CHACHA20_BLOCK = 64,
    STORE_VERSION = 1,
    STORE_BYTES = 1 + 2 * KEY_BYTES
};

/* --- words --- */

/* y ± x over `length` bytes of words of one width. memcpy: neither side needs alignment. */
static void words_add(uint8_t *y, const uint8_t *x, size_t length, uint32_t width, bool negative)
{
    if (width == 8) {
        for (size_t i = 0; i < length; i += 8) {
            uint64_t a, b;
            memcpy(&a, y + i, 8);
            memcpy(&b, x + i, 8);
            a = negative ? a - b : a + b;
            memcpy(y + i, &a, 8);
        }
        return;
    }
    for (size_t i = 0; i < length; i += 16) {
        u128 a, b;
        memcpy(&a, y + i, 16);
        memcpy(&b, x + i, 16);
        a = negative ? a - b : a + b;
        memcpy(y + i, &a, 16);
    }
}

/* The same over bytes [offset, offset + length) of a vector of runs; y and x stand at offset. */
static void runs_add(uint8_t *y, const uint8_t *x, uint64_t offset, size_t length,
                     const struct word_run *runs, size_t n_runs, bool negative)
{
    size_t done = 0;
    uint64_t start = 0;
    for (size_t k = 0; k < n_runs && done < length; k++) {
        uint64_t end = start + runs[k].bytes;
        uint64_t here = offset + done;
        if (here < end) {
            size_t part = end - here < length - done ? (size_t)(end - here) : length - done;
            assert(part % runs[k].width == 0);
            words_add(y + done, x + done, part, runs[k].width, negative);
            done += part;
        }
        start = end;
    }
    assert(done == length); /* the runs cover the range */
}

void share_add(uint8_t *sum, const uint8_t *part, size_t offset, size_t length, const struct word_run *runs,
               size_t n_runs)
{
    runs_add(sum, part, offset, length, runs, n_runs, false);
}

bool mask_runs_length(uint64_t *length, const struct word_run *runs, size_t n_runs)
{
    uint64_t total = 0;
    for (size_t k = 0; k < n_runs; k++) {
        if ((runs[k].width != 8 && runs[k].width != 16) || runs[k].bytes % runs[k].width != 0 ||
            (runs[k].width == 16 && total % 16 != 0) || __builtin_add_overflow(total, runs[k].bytes, &total))
            return false;
    }
    *length = total;
    return true;
}

/* y ± bytes [offset, offset + length) of G(seed), length ≤ CHUNK_BYTES, offset a multiple of 64. stream:
 * CHUNK_BYTES. */
static void mask_chunk(uint8_t *y, uint64_t offset, size_t length, const struct word_run *runs, size_t n_runs,
                       const uint8_t seed[KEY_BYTES], bool negative, uint8_t *stream)
{
    static const uint8_t
        nonce[crypto_stream_chacha20_NONCEBYTES]; /* zero: every key is used for one stream only */
    memset(stream, 0, length);
    crypto_stream_chacha20_xor_ic(stream, stream, length, nonce, offset / CHACHA20_BLOCK, seed);
    runs_add(y, stream, offset, length, runs, n_runs, negative);
}

/* --- a site's secrets of one query --- */

struct query_pair {
    uint32_t site;
    uint8_t key[KEY_BYTES]; /* k_ij */
};

struct query_memory {
    uint8_t ek[KEY_BYTES];
    uint8_t self[KEY_BYTES]; /* B_i */
};

struct query_secrets {
    uint8_t public[PUBLIC_BYTES];
    struct guarded *memory; /* struct query_memory */
    struct guarded
        *pairs; /* n_pairs × struct query_pair, ascending by site; NULL before query_secrets_pair */
    size_t n_pairs;
    uint32_t own;
};

static enum maille_code query_secrets_from(struct query_secrets **secrets, const struct query_memory *memory,
                                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct query_secrets *made = calloc(1, sizeof *made);
    if (made == NULL || (made->memory = guarded_new(sizeof *memory)) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected guarded memory for a query's keys, found none");
        goto out;
    }
    struct query_memory *guarded = guarded_change(made->memory);
    *guarded = *memory;
    crypto_scalarmult_base(made->public, guarded->ek);
    guarded_close(made->memory);
    *secrets = made;
    made = NULL;
out:
    query_secrets_free(made);
    return code;
}

enum maille_code query_secrets_new(struct query_secrets **secrets, struct maille_error *error)
{
    struct query_memory memory;
    randombytes_buf(&memory, sizeof memory);
    enum maille_code code = query_secrets_from(secrets, &memory, error);
    sodium_memzero(&memory, sizeof memory);
    return code;
}

void query_secrets_free(struct query_secrets *secrets)
{
    if (secrets == NULL)
        return;
    guarded_free(secrets->memory);
    guarded_free(secrets->pairs);
    free(secrets);
}

const uint8_t *query_secrets_public(const struct query_secrets *secrets)
{
    return secrets->public;
}

bool mask_query_key_usable(const uint8_t ek[PUBLIC_BYTES])
{
    /* Any scalar finds out: clamped ones are multiples of the cofactor 8. */
    static const uint8_t scalar[KEY_BYTES] = {9};
    uint8_t shared[KEY_BYTES];
    return crypto_scalarmult(shared, scalar, ek) == 0;
}

static int pair_order(const void *a, const void *b)
{
    const struct query_pair *left = a, *right = b;
    return (left->site > right->site) - (left->site < right->site);
}

/* k_ij of one other member. */
static enum maille_code pair_derive(struct query_pair *pair, const struct query_memory *memory,
                                    const struct digest *rho, uint32_t own, const struct mask_member *other,
                                    struct maille_error *error)
{
    uint8_t shared[KEY_BYTES], data[HASH_BYTES + 16];
    struct digest key;
    if (crypto_scalarmult(shared, memory->ek, other->ek) !=
        0) /* all-zero secret: a point of small order (RFC 7748 §6.1) */
        return maille_fail(
            error, MAILLE_SIGNATURE,
            "expected a query key of site %u that makes a shared secret, found a point of small order",
            other->site);
    memcpy(data, rho->b, HASH_BYTES);
    le64_store(data + HASH_BYTES, own < other->site ? own : other->site);
    le64_store(data + HASH_BYTES + 8, own < other->site ? other->site : own);
    hash_kdf(&key, shared, "pair", data, sizeof data);
    pair->site = other->site;
    memcpy(pair->key, key.b, KEY_BYTES);
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(&key, sizeof key);
    return MAILLE_OK;
}

enum maille_code query_secrets_pair(struct query_secrets *secrets, const struct digest *rho, uint32_t own,
                                    const struct mask_member *members, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct guarded *pairs = NULL;
    const struct query_memory *memory = NULL;
    struct query_pair *list = NULL;
    size_t filled = 0;
    bool found = false;
    if (n < 2 || n > QUERY_SITES_MAX) {
        code = maille_fail(error, MAILLE_PROTOCOL, "expected a roster of 2 to %d sites, found %zu",
                           QUERY_SITES_MAX, n);
        goto out;
    }
    pairs = guarded_new((n - 1) * sizeof *list);
    if (pairs == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected guarded memory for %zu pair keys, found none", n - 1);
        goto out;
    }
    list = guarded_change(pairs);
    memory = guarded_open(secrets->memory);
    for (size_t i = 0; i < n; i++) {
        if (members[i].site == own && !found && memcmp(members[i].ek, secrets->public, PUBLIC_BYTES) == 0) {
            found = true;
            continue;
        }
        if (members[i].site == own || members[i].site == 0 || filled == n - 1) {
            code = maille_fail(
                error, MAILLE_PROTOCOL,
                "expected site %u once in the roster with the key that it sent, found another entry", own);
            goto out;
        }
        MAILLE_TRY(pair_derive(&list[filled++], memory, rho, own, &members[i], error));
    }
    qsort(list, filled, sizeof *list, pair_order);
    for (size_t i = 1; i < filled; i++)
        if (list[i].site == list[i - 1].site) {
            code = maille_fail(error, MAILLE_PROTOCOL,
                               "expected every site once in the roster, found site %u twice", list[i].site);
            goto out;
        }
out:
    if (memory != NULL)
        guarded_close(secrets->memory);
    if (list != NULL)
        guarded_close(pairs);
    if (code == MAILLE_OK) {
        guarded_free(secrets->pairs);
        secrets->pairs = pairs;
        secrets->n_pairs = filled;
        secrets->own = own;
        pairs = NULL;
    }
    guarded_free(pairs);
    return code;
}

enum maille_code query_secrets_store(struct bytes *out, const struct query_secrets *secrets,
                                     const uint8_t wrap[KEY_BYTES])
{
    uint8_t clear[STORE_BYTES] = {STORE_VERSION};
    const struct query_memory *memory = guarded_open(secrets->memory);
    memcpy(clear + 1, memory->ek, KEY_BYTES);
    memcpy(clear + 1 + KEY_BYTES, memory->self, KEY_BYTES);
    guarded_close(secrets->memory);
    enum maille_code code = seal_secretbox(out, wrap, clear, sizeof clear);
    sodium_memzero(clear, sizeof clear);
    return code;
}

enum maille_code query_secrets_load(struct query_secrets **secrets, const uint8_t wrap[KEY_BYTES],
                                    const void *stored, size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes clear = {0};
    struct query_memory memory = {0};
    MAILLE_TRY(seal_secretbox_open(&clear, wrap, stored, length, error));
    if (clear.length != STORE_BYTES || clear.data[0] != STORE_VERSION) {
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected a query's stored keys of version %d, found %zu bytes of another",
                           STORE_VERSION, clear.length);
        goto out;
    }
    memcpy(memory.ek, clear.data + 1, KEY_BYTES);
    memcpy(memory.self, clear.data + 1 + KEY_BYTES, KEY_BYTES);
    code = query_secrets_from(secrets, &memory, error);
out:
    bytes_wipe(&clear);
    sodium_memzero(&memory, sizeof memory);
    return code;
}

enum maille_code query_secrets_open(struct bytes *out, const struct query_secrets *secrets,
                                    const void *sealed, size_t length, struct maille_error *error)
{
    const struct query_memory *memory = guarded_open(secrets->memory);
    enum maille_code code = seal_open(out, secrets->public, memory->ek, sealed, length, error);
    guarded_close(secrets->memory);
    return code;
}

void query_secrets_self(struct digest *b, const struct query_secrets *secrets, const struct digest *psi)
{
    const struct query_memory *memory = guarded_open(secrets->memory);
    hash_kdf(b, memory->self, "self", psi->b, HASH_BYTES);
    guarded_close(secrets->memory);
}

enum maille_code query_secrets_fill(struct bytes *out, const struct query_secrets *secrets,
                                    const struct digest *psi, size_t length, struct maille_error *error)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    const struct query_memory *memory = guarded_open(secrets->memory);
    struct digest key;
    hash_kdf(&key, memory->self, "fill", psi->b, HASH_BYTES);
    guarded_close(secrets->memory);
    uint8_t *made = bytes_reserve(out, length);
    if (made != NULL && length > 0)
        crypto_stream_chacha20(made, length, nonce, key.b);
    crypto_wipe(&key, sizeof key);
    return bytes_check(out, error);
}

/* --- a share --- */

struct share {
    size_t length;
    uint8_t *bytes;
};

struct mask_seed {
    struct digest seed;
    bool negative;
};

/* What one attempt masks with: b_i, then s_ij of the others in ascending order; and room for a chunk of each
 * kind, where something is masked. No larger than it must be: locking memory and giving it back cost as much
 * as masking a short vector. */
struct mask_memory {
    uint8_t *clear, *stream;
    struct digest self;
    size_t n;
    struct mask_seed pairs[]; /* of the members but one; the chunks stand behind */
};

/* For n members and a vector of `length` bytes; NULL: no memory. guarded_close it at the end. */
static struct mask_memory *mask_memory_new(struct guarded **guarded, size_t n, size_t length)
{
    size_t chunk = length < CHUNK_BYTES ? length : CHUNK_BYTES;
    size_t size = sizeof(struct mask_memory) + n * sizeof(struct mask_seed) + 2 * chunk;
    /* Guarded memory ends at the end of a page: what is a multiple of the alignment begins aligned. */
    struct guarded *made =
        guarded_new((size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t));
    if (made == NULL)
        return NULL;
    struct mask_memory *memory = guarded_change(made);
    memory->clear = (uint8_t *)&memory->pairs[n];
    memory->stream = memory->clear + chunk;
    memory->n = 0;
    *guarded = made;
    return memory;
}

/* s_ij = KDF(k_ij, "mask", ψ) of every other member of `sites`, with the tags for the header. */
static enum maille_code seeds_derive(struct mask_memory *memory, struct share_header *header,
                                     const struct query_secrets *secrets, const struct digest *psi,
                                     const uint32_t *sites, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct query_pair *pairs = guarded_open(secrets->pairs);
    size_t at = 0;
    bool own = false;
    for (size_t i = 0; i < n; i++) {
        struct digest tag;
        if (i > 0 && sites[i] <= sites[i - 1]) {
            code = maille_fail(error, MAILLE_PROTOCOL,
                               "expected the members in ascending order, found %u after %u", sites[i],
                               sites[i - 1]);
            goto out;
        }
        if (sites[i] == secrets->own) {
            own = true;
            continue;
        }
        while (at < secrets->n_pairs && pairs[at].site < sites[i])
            at++;
        if (at == secrets->n_pairs || pairs[at].site != sites[i]) {
            code = maille_fail(error, MAILLE_PROTOCOL, "expected members of the roster alone, found site %u",
                               sites[i]);
            goto out;
        }
        struct digest *seed = &memory->pairs[memory->n].seed;
        hash_kdf(seed, pairs[at].key, "mask", psi->b, HASH_BYTES);
        hash_kdf(&tag, seed->b, "tag", psi->b, HASH_BYTES);
        memory->pairs[memory->n].negative = sites[i] < secrets->own;
        header->tags[memory->n].site = sites[i];
        memcpy(header->tags[memory->n].tag, tag.b, TAG_BYTES);
        memory->n++;
    }
    header->n_tags = memory->n;
    if (!own)
        code = maille_fail(error, MAILLE_PROTOCOL, "expected site %u among the members, found it missing",
                           secrets->own);
out:
    guarded_close(secrets->pairs);
    return code;
}

enum maille_code share_make(struct share **share, struct share_header *header, const struct release *release,
                            const struct query_secrets *secrets, const struct digest *psi,
                            const uint32_t *sites, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct share *made = NULL;
    struct share_header *built = NULL;
    struct guarded *guarded = NULL;
    struct mask_memory *memory = NULL;
    size_t length, n_runs;
    uint64_t covered;
    const uint8_t *words = release_words(release, &length);
    const struct word_run *runs = release_runs(release, &n_runs);
    if (secrets->pairs == NULL || n < 2 || n > QUERY_SITES_MAX) {
        code = maille_fail(error, MAILLE_PROTOCOL, "expected 2 to %d members after the roster, found %zu%s",
                           QUERY_SITES_MAX, n, secrets->pairs == NULL ? " before it" : "");
        goto out;
    }
    if (!mask_runs_length(&covered, runs, n_runs) || covered != length) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected runs of words over all %zu bytes of a release, found others", length);
        goto out;
    }
    made = calloc(1, sizeof *made);
    built = calloc(1, sizeof *built);
    memory = mask_memory_new(&guarded, n, length);
    if (made == NULL || built == NULL || memory == NULL ||
        (made->bytes = malloc(length > 0 ? length : 1)) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to mask %zu bytes, found none", length);
        goto out;
    }
    made->length = length;
    MAILLE_TRY(seeds_derive(memory, built, secrets, psi, sites, n, error));
    query_secrets_self(&memory->self, secrets, psi);
    for (size_t offset = 0; offset < length; offset += CHUNK_BYTES) {
        size_t part = length - offset < CHUNK_BYTES ? length - offset : CHUNK_BYTES;
        memcpy(memory->clear, words + offset, part);
        mask_chunk(memory->clear, offset, part, runs, n_runs, memory->self.b, false, memory->stream);
        for (size_t j = 0; j < memory->n; j++)
            mask_chunk(memory->clear, offset, part, runs, n_runs, memory->pairs[j].seed.b,
                       memory->pairs[j].negative, memory->stream);
        memcpy(made->bytes + offset, memory->clear,
               part); /* masked only now: clear words never stand in the share */
    }
    built->length = length;
    hash_vector(&built->vector, made->bytes, length);
    hash_kdf(&built->commit, memory->self.b, "commit", psi->b, HASH_BYTES);
    *header = *built;
    *share = made;
    made = NULL;
out:
    if (memory != NULL)
        guarded_close(guarded);
    guarded_free(guarded);
    free(built);
    share_free(made);
    return code;
}

void share_free(struct share *share)
{
    if (share == NULL)
        return;
    free(share->bytes);
    free(share);
}

const uint8_t *share_bytes(const struct share *share, size_t *length)
{
    *length = share->length;
    return share->bytes;
}

/* --- the same again, for whoever checks the log --- */

enum { SEED_BYTES = 4 + 1 + HASH_BYTES };

enum maille_code query_secrets_seeds(struct bytes *out, const struct query_secrets *secrets,
                                     const struct digest *psi, const uint32_t *sites, size_t n,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct share_header *header = NULL;
    struct guarded *guarded = NULL;
    struct mask_memory *memory = NULL;
    if (secrets->pairs == NULL || n < 2 || n > QUERY_SITES_MAX) {
        code = maille_fail(error, MAILLE_PROTOCOL, "expected 2 to %d members after the roster, found %zu",
                           QUERY_SITES_MAX, n);
        goto out;
    }
    header = calloc(1, sizeof *header);
    memory = mask_memory_new(&guarded, n, 0);
    if (header == NULL || memory == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected memory for the seeds of %zu members, found none", n);
        goto out;
    }
    MAILLE_TRY(seeds_derive(memory, header, secrets, psi, sites, n, error));
    query_secrets_self(&memory->self, secrets, psi);
    bytes_put_u32(out, (uint32_t)memory->n);
    bytes_put(out, memory->self.b, HASH_BYTES);
    for (size_t j = 0; j < memory->n; j++) {
        bytes_put_u32(out, header->tags[j].site);
        bytes_put_u8(out, memory->pairs[j].negative);
        bytes_put(out, memory->pairs[j].seed.b, HASH_BYTES);
    }
    code = bytes_check(out, error);
out:
    if (memory != NULL)
        guarded_close(guarded);
    guarded_free(guarded);
    free(header);
    return code;
}

enum maille_code mask_replay(struct digest *vector, const uint8_t *words, size_t length,
                             const struct word_run *runs, size_t n_runs, const void *seeds,
                             size_t seeds_length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reader reader = reader_of(seeds, seeds_length);
    uint8_t stream[CHUNK_BYTES], *masked = NULL;
    uint64_t covered;
    uint32_t n = reader_u32(&reader);
    const uint8_t *self = reader_take(&reader, HASH_BYTES), *pairs = reader.next;
    if (self == NULL || n >= QUERY_SITES_MAX || reader_left(&reader) != (size_t)n * SEED_BYTES) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected the seeds of a vector, found %zu other bytes",
                           seeds_length);
        goto out;
    }
    if (!mask_runs_length(&covered, runs, n_runs) || covered != length) {
        code = maille_fail(error, MAILLE_INVALID, "expected runs of words over all %zu bytes, found others",
                           length);
        goto out;
    }
    masked = malloc(length > 0 ? length : 1);
    if (masked == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to mask %zu bytes, found none", length);
        goto out;
    }
    if (length > 0)
        memcpy(masked, words, length);
    for (size_t offset = 0; offset < length; offset += CHUNK_BYTES) {
        size_t part = length - offset < CHUNK_BYTES ? length - offset : CHUNK_BYTES;
        mask_chunk(masked + offset, offset, part, runs, n_runs, self, false, stream);
        for (uint32_t j = 0; j < n; j++)
            mask_chunk(masked + offset, offset, part, runs, n_runs, pairs + j * SEED_BYTES + 5,
                       pairs[j * SEED_BYTES + 4] != 0, stream);
    }
    hash_vector(vector, masked, length);
    sodium_memzero(stream, sizeof stream);
out:
    free(masked);
    return code;
}

/* --- the analyst's half --- */

bool mask_reveal_matches(const struct digest *b, const struct digest *commit, const struct digest *psi)
{
    struct digest own;
    hash_kdf(&own, b->b, "commit", psi->b, HASH_BYTES);
    return digest_equal(&own, commit) != 0;
}

void mask_unmask_sum(uint8_t *sum, size_t length, const struct word_run *runs, size_t n_runs,
                     const struct digest *b)
{
    uint8_t stream[CHUNK_BYTES];
    for (size_t offset = 0; offset < length; offset += CHUNK_BYTES) {
        size_t part = length - offset < CHUNK_BYTES ? length - offset : CHUNK_BYTES;
        mask_chunk(sum + offset, offset, part, runs, n_runs, b->b, true, stream);
    }
    sodium_memzero(stream, sizeof stream);
}

uint32_t mask_sites_needed(uint32_t n)
{
    if (n < 3)
        return 0;
    uint32_t f = n / 5 > 1 ? n / 5 : 1;
    uint32_t h_min = n == 3 ? 2 : 3;
    uint32_t majority = (uint32_t)(((uint64_t)n + f) / 2 + 1);
    return majority > f + h_min ? majority : f + h_min;
}
