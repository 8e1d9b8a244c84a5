#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/bytes.h"

_Static_assert(crypto_generichash_BYTES == HASH_BYTES && crypto_generichash_KEYBYTES == KEY_BYTES,
               "BLAKE2b-256");

enum maille_code crypto_start(struct maille_error *error)
{
    if (sodium_init() < 0)
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected libsodium to start, found that it cannot; check that the "
                           "kernel offers getrandom() or /dev/urandom");
    return MAILLE_OK;
}

/* The frame of protocol §1 up to the data; the caller then adds exactly `length` bytes. */
static void kdf_begin(crypto_generichash_state *state, const uint8_t *key, const char *label, uint64_t length)
{
    uint8_t number[8];
    size_t label_length = strlen(label);
    crypto_generichash_init(state, key, key == NULL ? 0 : KEY_BYTES, HASH_BYTES);
    le64_store(number, label_length);
    crypto_generichash_update(state, number, sizeof number);
    crypto_generichash_update(state, (const uint8_t *)label, label_length);
    le64_store(number, length);
    crypto_generichash_update(state, number, sizeof number);
}

static void kdf_end(crypto_generichash_state *state, struct digest *out)
{
    crypto_generichash_final(state, out->b, HASH_BYTES);
    sodium_memzero(state, sizeof *state);
}

void hash_kdf(struct digest *out, const uint8_t key[KEY_BYTES], const char *label, const void *data,
              size_t length)
{
    crypto_generichash_state state;
    kdf_begin(&state, key, label, length);
    if (length > 0)
        crypto_generichash_update(&state, data, length);
    kdf_end(&state, out);
}

void hash_bytes(struct digest *out, const void *data, size_t length)
{
    static const uint8_t nothing[1];
    crypto_generichash(out->b, HASH_BYTES, length > 0 ? data : nothing, length, NULL, 0);
}

enum maille_code hash_file(struct digest *out, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    crypto_generichash_state state;
    uint8_t chunk[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot open %s", path);
        goto out;
    }
    crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            code = maille_fail_errno(error, "cannot read %s", path);
            goto out;
        }
        if (got == 0)
            break;
        crypto_generichash_update(&state, chunk, (size_t)got);
    }
    crypto_generichash_final(&state, out->b, HASH_BYTES);
out:
    if (fd >= 0)
        close(fd);
    return code;
}

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hash_stream), "libsodium's state fits");

void hash_stream_begin(struct hash_stream *stream)
{
    crypto_generichash_init((void *)stream->state, NULL, 0, HASH_BYTES);
}

void hash_stream_put(void *stream, const void *bytes, size_t length)
{
    crypto_generichash_update((void *)((struct hash_stream *)stream)->state, bytes, length);
}

void hash_stream_end(struct digest *out, struct hash_stream *stream)
{
    crypto_generichash_final((void *)stream->state, out->b, HASH_BYTES);
}

size_t hash_segment_count(size_t length)
{
    return length / SEGMENT_BYTES + (length % SEGMENT_BYTES != 0);
}

void hash_segment_leaf(struct digest *leaf, uint64_t index, const void *segment, size_t length)
{
    crypto_generichash_state state;
    uint8_t number[8];
    kdf_begin(&state, NULL, "segment", sizeof number + length);
    le64_store(number, index);
    crypto_generichash_update(&state, number, sizeof number);
    crypto_generichash_update(&state, segment, length);
    kdf_end(&state, leaf);
}

void hash_segment_root(struct digest *root, uint64_t length, const struct digest *leaves, size_t n)
{
    crypto_generichash_state state;
    uint8_t number[8];
    kdf_begin(&state, NULL, "vector", sizeof number + n * HASH_BYTES);
    le64_store(number, length);
    crypto_generichash_update(&state, number, sizeof number);
    for (size_t k = 0; k < n; k++)
        crypto_generichash_update(&state, leaves[k].b, HASH_BYTES);
    kdf_end(&state, root);
}

void hash_vector(struct digest *root, const void *vector, size_t length)
{
    crypto_generichash_state state;
    uint8_t number[8];
    const uint8_t *bytes = vector;
    size_t n = hash_segment_count(length);
    kdf_begin(&state, NULL, "vector", sizeof number + n * HASH_BYTES);
    le64_store(number, length);
    crypto_generichash_update(&state, number, sizeof number);
    for (size_t k = 0; k < n; k++) {
        struct digest leaf;
        size_t start = k * SEGMENT_BYTES;
        size_t size = length - start < SEGMENT_BYTES ? length - start : SEGMENT_BYTES;
        hash_segment_leaf(&leaf, k, bytes + start, size);
        crypto_generichash_update(&state, leaf.b, HASH_BYTES);
    }
    kdf_end(&state, root);
}

int digest_equal(const struct digest *a, const struct digest *b)
{
    return sodium_memcmp(a->b, b->b, HASH_BYTES) == 0;
}

void crypto_random_bytes(void *out, size_t length)
{
    randombytes_buf(out, length);
}

uint32_t crypto_random_below(uint32_t limit)
{
    return randombytes_uniform(limit);
}

void crypto_wipe(void *data, size_t length)
{
    if (length > 0)
        sodium_memzero(data, length);
}
