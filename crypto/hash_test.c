/* Hashes, their framing, and the segment tree. */
#include "crypto/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/file.h"

static void assert_digest(const struct digest *digest, const char *hex)
{
    char found[2 * HASH_BYTES + 1];
    bytes_to_hex(found, digest->b, HASH_BYTES);
    assert_string_equal(found, hex);
}

/* python3 -c "import hashlib; print(hashlib.blake2b(b'abc', digest_size=32).hexdigest())", and of b''. */
static void test_blake2b(void **state)
{
    (void)state;
    struct digest digest;
    hash_bytes(&digest, "abc", 3);
    assert_digest(&digest, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    hash_bytes(&digest, NULL, 0);
    assert_digest(&digest, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

/* The frame keeps a label and its data apart: moving a byte between them gives another key. */
static void test_kdf_framing(void **state)
{
    (void)state;
    struct digest a, b, c, keyed;
    uint8_t key[KEY_BYTES] = {0};
    struct bytes frame = {0};
    hash_kdf(&a, NULL, "mask", "tag", 3);
    hash_kdf(&b, NULL, "maskt", "ag", 2);
    assert_false(digest_equal(&a, &b));
    bytes_put_string(&frame, "mask");
    bytes_put_block(&frame, "tag", 3);
    hash_bytes(&c, frame.data, frame.length);
    assert_true(digest_equal(&a, &c));
    hash_kdf(&keyed, key, "mask", "tag", 3);
    assert_false(digest_equal(&a, &keyed)); /* a key of zeros is a key */
    bytes_clear(&frame);
}

static void test_file_hash(void **state)
{
    (void)state;
    char path[512];
    struct digest of_file, of_bytes;
    struct maille_error error;
    uint8_t *data = malloc(200000);
    assert_non_null(data);
    crypto_random_bytes(data, 200000);
    snprintf(path, sizeof path, "%s/file", getenv("MAILLE_TEST_TMP"));
    for (size_t length = 0; length <= 200000; length += 100000) {
        assert_int_equal(file_write_atomic(path, data, length, 0600, NULL), MAILLE_OK);
        assert_int_equal(hash_file(&of_file, path, NULL), MAILLE_OK);
        hash_bytes(&of_bytes, data, length);
        assert_true(digest_equal(&of_file, &of_bytes));
    }
    assert_int_equal(hash_file(&of_file, "/nowhere/at/all", &error), MAILLE_IO);
    assert_non_null(strstr(error.sentence, "/nowhere/at/all"));
    assert_int_equal(hash_file(&of_file, getenv("MAILLE_TEST_TMP"), NULL), MAILLE_IO); /* a folder */
    free(data);
}

/* The root from leaves that came one by one is the root of the whole; every byte and the length count. */
static void test_segments(void **state)
{
    (void)state;
    static const size_t lengths[] = {
        0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES};
    static const size_t counts[] = {0, 1, 1, 1, 2, 3};
    uint8_t *vector = malloc(3 * SEGMENT_BYTES);
    assert_non_null(vector);
    crypto_random_bytes(vector, 3 * SEGMENT_BYTES);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        struct digest leaves[3], root, whole;
        size_t n = hash_segment_count(lengths[k]);
        assert_int_equal(n, counts[k]);
        for (size_t i = 0; i < n; i++) {
            size_t start = i * SEGMENT_BYTES;
            size_t length = lengths[k] - start < SEGMENT_BYTES ? lengths[k] - start : SEGMENT_BYTES;
            hash_segment_leaf(&leaves[i], i, vector + start, length);
        }
        hash_segment_root(&root, lengths[k], leaves, n);
        hash_vector(&whole, vector, lengths[k]);
        assert_true(digest_equal(&root, &whole));
        if (lengths[k] > 0) {
            vector[lengths[k] - 1] ^= 1;
            hash_vector(&whole, vector, lengths[k]);
            assert_false(digest_equal(&root, &whole));
            vector[lengths[k] - 1] ^= 1;
            hash_vector(&whole, vector, lengths[k] - 1);
            assert_false(digest_equal(&root, &whole));
        }
    }
    struct digest first, second;
    hash_segment_leaf(&first, 0, vector, 16); /* the same bytes elsewhere are another leaf */
    hash_segment_leaf(&second, 1, vector, 16);
    assert_false(digest_equal(&first, &second));
    free(vector);
}

static void test_random(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    size_t seen[7] = {0};
    crypto_random_bytes(a, sizeof a);
    crypto_random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i < 7000; i++) {
        uint32_t drawn = crypto_random_below(7);
        assert_true(drawn < 7);
        seen[drawn]++;
    }
    for (size_t i = 0; i < 7; i++) /* 1000 ± 29 each: ten deviations */
        assert_in_range(seen[i], 700, 1300);
    crypto_wipe(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(a[i], 0);
    crypto_wipe(NULL, 0);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blake2b),  cmocka_unit_test(test_kdf_framing), cmocka_unit_test(test_file_hash),
        cmocka_unit_test(test_segments), cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
