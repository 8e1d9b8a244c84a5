#include "audit/vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "base/number.h"

enum { SALT_BYTES = KEY_BYTES, RUN_BYTES = 12, RUNS_MAX = 65536 };

static enum maille_code seal(struct bytes *sealed, const uint8_t box[PUBLIC_BYTES], const struct bytes *clear,
                             struct maille_error *error)
{
    enum maille_code code = seal_to(sealed, box, clear->data, clear->length);
    if (code != MAILLE_OK)
        return maille_fail(
            error, code,
            "expected a key of a data protection officer to seal to, found one that does not seal");
    return MAILLE_OK;
}

enum maille_code audit_seal_clear(struct bytes *sealed, struct digest *clear_hash,
                                  const uint8_t box[PUBLIC_BYTES], const struct release *release,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes clear = {0};
    uint8_t salt[SALT_BYTES];
    size_t length, n_runs;
    const uint8_t *words = release_words(release, &length);
    const struct word_run *runs = release_runs(release, &n_runs);
    crypto_random_bytes(salt, sizeof salt);
    bytes_put(&clear, salt, sizeof salt);
    bytes_put_u32(&clear, (uint32_t)n_runs);
    for (size_t k = 0; k < n_runs; k++) {
        bytes_put_u64(&clear, runs[k].bytes);
        bytes_put_u32(&clear, runs[k].width);
    }
    bytes_put(&clear, words, length);
    MAILLE_TRY(bytes_check(&clear, error));
    MAILLE_TRY(seal(sealed, box, &clear, error));
    hash_kdf(clear_hash, salt, "clear", clear.data + SALT_BYTES, clear.length - SALT_BYTES);
out:
    crypto_wipe(salt, sizeof salt);
    bytes_wipe(&clear);
    return code;
}

enum maille_code audit_seal_seeds(struct bytes *sealed, const uint8_t box[PUBLIC_BYTES],
                                  const struct query_secrets *secrets, const struct digest *psi,
                                  const uint32_t *sites, size_t n, struct maille_error *error)
{
    struct bytes seeds = {0};
    enum maille_code code = query_secrets_seeds(&seeds, secrets, psi, sites, n, error);
    if (code == MAILLE_OK)
        code = seal(sealed, box, &seeds, error);
    bytes_wipe(&seeds);
    return code;
}

void audit_clear_wipe(struct audit_clear *clear)
{
    bytes_wipe(&clear->content);
    free(clear->runs);
    *clear = (struct audit_clear){0};
}

/* Lays out what was opened. */
static enum maille_code clear_parse(struct audit_clear *clear, struct maille_error *error)
{
    uint64_t covered;
    struct reader reader = reader_of(clear->content.data, clear->content.length);
    reader_take(&reader, SALT_BYTES);
    size_t n = reader_u32(&reader);
    bool whole = !reader.bad && n <= RUNS_MAX && reader_left(&reader) >= n * RUN_BYTES;
    clear->runs = whole ? calloc(n > 0 ? n : 1, sizeof *clear->runs) : NULL;
    if (whole && clear->runs == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a vector, found none");
    for (size_t k = 0; whole && k < n; k++) {
        clear->runs[k].bytes = reader_u64(&reader);
        clear->runs[k].width = reader_u32(&reader);
    }
    if (!whole || !mask_runs_length(&covered, clear->runs, n) || covered != reader_left(&reader))
        return maille_fail(error, MAILLE_CORRUPT, "expected a vector with its runs, found %zu other bytes",
                           clear->content.length);
    clear->n_runs = n;
    clear->length = reader_left(&reader);
    clear->words = reader.next;
    return MAILLE_OK;
}

enum maille_code audit_open_clear(struct audit_clear *clear, const struct audit_entry *entry,
                                  const struct secret_keys *dpo, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_clear opened = {0};
    struct digest hash;
    if (entry->clear.length == 0) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "this entry holds no sealed numbers: the site had no data protection officer's key");
        goto out;
    }
    MAILLE_TRY(identity_seal_open(&opened.content, dpo, entry->clear.data, entry->clear.length, error));
    MAILLE_TRY(clear_parse(&opened, error));
    hash_kdf(&hash, opened.content.data, "clear", opened.content.data + SALT_BYTES,
             opened.content.length - SALT_BYTES);
    if (entry->clear_hash == NULL || memcmp(hash.b, entry->clear_hash, HASH_BYTES) != 0) {
        code = maille_fail(error, MAILLE_CORRUPT,
                           "the sealed numbers are not those whose hash stands in the entry");
        goto out;
    }
    *clear = opened;
    opened = (struct audit_clear){0};
out:
    audit_clear_wipe(&opened);
    return code;
}

enum maille_code audit_replay(struct digest *vector, const struct audit_entry *entry,
                              const struct secret_keys *dpo, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_clear clear = {0};
    struct bytes seeds = {0};
    struct digest found;
    MAILLE_TRY(audit_open_clear(&clear, entry, dpo, error));
    MAILLE_TRY(identity_seal_open(&seeds, dpo, entry->seeds.data, entry->seeds.length, error));
    MAILLE_TRY(mask_replay(&found, clear.words, clear.length, clear.runs, clear.n_runs, seeds.data,
                           seeds.length, error));
    if (vector != NULL)
        *vector = found;
    if (entry->vector == NULL || memcmp(entry->vector, found.b, HASH_BYTES) != 0 ||
        entry->vector_bytes != clear.length)
        code = maille_fail(error, MAILLE_CORRUPT,
                           "the sealed numbers, masked again, are not the bytes whose hash the entry gives: "
                           "something else was sent");
out:
    audit_clear_wipe(&clear);
    bytes_wipe(&seeds);
    return code;
}

uint64_t audit_clear_count(const struct audit_clear *clear)
{
    uint64_t n = 0;
    for (size_t k = 0; k < clear->n_runs; k++)
        n += clear->runs[k].bytes / clear->runs[k].width;
    return n;
}

/* Two's complement over 64 or 128 bits; the last `fraction` of them are behind the point. */
static void number_text(char out[64], const uint8_t *word, uint32_t width, uint32_t fraction)
{
    uint64_t low = le64_load(word);
    if (width == 8 && fraction == 0)
        snprintf(out, 64, "%" PRId64, (int64_t)low);
    else if (width == 8)
        number_format_double(out, ldexp((double)(int64_t)low, -(int)fraction));
    else
        number_format_double(
            out, ldexp((double)(int64_t)le64_load(word + 8) + ldexp((double)low, -64), 64 - (int)fraction));
}

bool audit_clear_at(char out[64], const struct audit_clear *clear, uint64_t offset, uint32_t width,
                    uint32_t fraction)
{
    if ((width != 8 && width != 16) || fraction > 126 || clear->length < width ||
        offset > clear->length - width)
        return false;
    number_text(out, clear->words + offset, width, fraction);
    return true;
}

bool audit_clear_number(char out[64], const struct audit_clear *clear, uint64_t i)
{
    uint64_t start = 0;
    for (size_t k = 0; k < clear->n_runs; k++) {
        const struct word_run *run = &clear->runs[k];
        uint64_t n = run->bytes / run->width;
        if (i >= n) {
            i -= n;
            start += run->bytes;
            continue;
        }
        number_text(out, clear->words + start + i * run->width, run->width, run->width == 8 ? 0 : 64);
        return true;
    }
    return false;
}
