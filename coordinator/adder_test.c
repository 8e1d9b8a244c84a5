#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "coordinator/adder.h"

enum { MEMBERS = 4 };
static const uint32_t members[MEMBERS] = {1, 2, 5, 9};

struct vectors {
    size_t length;
    uint8_t *of[MEMBERS], *sum;
    struct digest roots[MEMBERS];
};

/* Addition by the definition: words of 8 or 16 bytes, little-endian, modulo 2^64 or 2^128. */
static void add_slowly(uint8_t *sum, const uint8_t *part, const struct word_run *runs, size_t n_runs)
{
    for (size_t r = 0; r < n_runs; r++)
        for (uint64_t w = 0; w < runs[r].bytes / runs[r].width; w++) {
            unsigned carry = 0;
            for (uint32_t b = 0; b < runs[r].width; b++) {
                carry += (unsigned)*sum + *part++;
                *sum++ = (uint8_t)carry;
                carry >>= 8;
            }
        }
}

static struct vectors vectors_make(const struct word_run *runs, size_t n_runs)
{
    struct vectors vectors = {0};
    for (size_t r = 0; r < n_runs; r++)
        vectors.length += (size_t)runs[r].bytes;
    vectors.sum = calloc(1, vectors.length + 1);
    for (size_t i = 0; i < MEMBERS; i++) {
        vectors.of[i] = malloc(vectors.length + 1);
        crypto_random_bytes(vectors.of[i], vectors.length);
        hash_vector(&vectors.roots[i], vectors.of[i], vectors.length);
        add_slowly(vectors.sum, vectors.of[i], runs, n_runs);
    }
    return vectors;
}

static void vectors_clear(struct vectors *vectors)
{
    for (size_t i = 0; i < MEMBERS; i++)
        free(vectors->of[i]);
    free(vectors->sum);
}

static size_t segment_length(const struct vectors *vectors, uint64_t index)
{
    size_t left = vectors->length - (size_t)index * SEGMENT_BYTES;
    return left < SEGMENT_BYTES ? left : SEGMENT_BYTES;
}

static enum maille_code give(struct adder *adder, const struct vectors *vectors, size_t member,
                             uint64_t index, bool *taken)
{
    return adder_segment(adder, members[member], index, vectors->of[member] + index * SEGMENT_BYTES,
                         segment_length(vectors, index), taken, NULL);
}

/* Members in turn, so that their segments mix; afterwards sum, leaves and vectors are right. */
static void adds_up(const struct word_run *runs, size_t n_runs, size_t held_max)
{
    struct vectors vectors = vectors_make(runs, n_runs);
    struct adder *adder = NULL;
    struct digest root, expected;
    bool taken;
    assert_int_equal(adder_new(&adder, vectors.length, members, MEMBERS, runs, n_runs, held_max, NULL),
                     MAILLE_OK);
    assert_int_equal(adder_holds(adder), held_max >= vectors.length * MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_false(adder_expects(adder, members[i]));
        assert_int_equal(adder_expect(adder, members[i], &vectors.roots[i], NULL), MAILLE_OK);
    }
    for (uint64_t s = 0; s < adder_segments(adder); s++)
        for (size_t i = 0; i < MEMBERS; i++) {
            assert_false(adder_complete(adder));
            /* One that was had, or one too far, is ignored. */
            if (s > 0) {
                assert_int_equal(give(adder, &vectors, i, s - 1, &taken), MAILLE_OK);
                assert_false(taken);
            }
            if (s + 1 < adder_segments(adder)) {
                assert_int_equal(give(adder, &vectors, i, s + 1, &taken), MAILLE_OK);
                assert_false(taken);
            }
            assert_int_equal(give(adder, &vectors, i, s, &taken), MAILLE_OK);
            assert_true(taken);
        }
    assert_true(adder_complete(adder));
    const uint8_t *sum = adder_sum(adder, &root);
    assert_true(vectors.length == 0 || memcmp(sum, vectors.sum, vectors.length) == 0);
    hash_vector(&expected, vectors.sum, vectors.length);
    assert_true(digest_equal(&root, &expected));
    for (size_t i = 0; i < MEMBERS; i++) {
        const uint8_t *vector = adder_vector(adder, members[i]);
        struct digest from_leaves;
        assert_int_equal(vector != NULL, adder_holds(adder));
        assert_true(vector == NULL || memcmp(vector, vectors.of[i], vectors.length) == 0);
        hash_segment_root(&from_leaves, vectors.length, adder_leaves(adder, members[i]),
                          adder_segments(adder));
        assert_true(digest_equal(&from_leaves, &vectors.roots[i]));
    }
    adder_free(adder);
    vectors_clear(&vectors);
}

static void random_vectors(void **state)
{
    (void)state;
    static const struct word_run words8[] = {{72, 8}}, words16[] = {{SEGMENT_BYTES * 2 + 160, 16}},
                                 mixed[] = {{16, 8}, {SEGMENT_BYTES, 16}, {SEGMENT_BYTES + 8, 8}};
    for (size_t held = 0; held < 2; held++) {
        const size_t held_max = held == 1 ? (size_t)64 << 20 : 0;
        adds_up(words8, 1, held_max);
        adds_up(words16, 1, held_max);
        adds_up(mixed, 3, held_max);
    }
    adds_up(NULL, 0, (size_t)64 << 20);
}

/* A vector that is not the signed one is dropped, whether vectors are held or not, and the right one repairs
 * the sum. */
static void a_wrong_root_is_dropped(void **state)
{
    (void)state;
    static const struct word_run runs[] = {{SEGMENT_BYTES + 64, 16}};
    for (size_t held_max = 0; held_max <= 64 << 20; held_max += 64 << 20) {
        struct vectors vectors = vectors_make(runs, 1);
        struct adder *adder = NULL;
        struct digest root;
        bool taken;
        assert_int_equal(adder_new(&adder, vectors.length, members, MEMBERS, runs, 1, held_max, NULL),
                         MAILLE_OK);
        for (size_t i = 0; i < MEMBERS; i++)
            assert_int_equal(adder_expect(adder, members[i], &vectors.roots[i], NULL), MAILLE_OK);
        for (size_t i = 0; i < 2; i++)
            for (uint64_t s = 0; s < 2; s++)
                assert_int_equal(give(adder, &vectors, i, s, &taken), MAILLE_OK);
        vectors.of[2][3] ^= 1;
        assert_int_equal(give(adder, &vectors, 2, 0, &taken), MAILLE_OK);
        assert_int_equal(give(adder, &vectors, 2, 1, &taken), MAILLE_SIGNATURE);
        vectors.of[2][3] ^= 1;
        assert_false(adder_has(adder, members[2]));
        assert_false(adder_expects(adder, members[2]));
        assert_int_equal(adder_has(adder, members[0]), held_max > 0);
        assert_int_equal(adder_expect(adder, members[2], &vectors.roots[2], NULL), MAILLE_OK);
        for (size_t i = 0; i < MEMBERS; i++)
            for (uint64_t s = adder_next(adder, members[i]); s < 2; s++)
                assert_int_equal(give(adder, &vectors, i, s, &taken), MAILLE_OK);
        assert_true(adder_complete(adder));
        assert_memory_equal(adder_sum(adder, &root), vectors.sum, vectors.length);
        adder_free(adder);
        vectors_clear(&vectors);
    }
}

static void strangers_and_short_segments(void **state)
{
    (void)state;
    static const struct word_run runs[] = {{160, 16}};
    struct vectors vectors = vectors_make(runs, 1);
    struct adder *adder = NULL;
    bool taken;
    assert_int_equal(adder_new(&adder, 160, members, MEMBERS, runs, 1, 1 << 20, NULL), MAILLE_OK);
    assert_int_equal(adder_expect(adder, 3, &vectors.roots[0], NULL), MAILLE_PROTOCOL);
    assert_int_equal(give(adder, &vectors, 0, 0, &taken), MAILLE_OK); /* before its root */
    assert_false(taken);
    assert_int_equal(adder_expect(adder, 1, &vectors.roots[0], NULL), MAILLE_OK);
    assert_int_equal(adder_segment(adder, 1, 0, vectors.of[0], 159, &taken, NULL), MAILLE_PROTOCOL);
    assert_int_equal(adder_segment(adder, 1, 0, vectors.of[0], 0, &taken, NULL), MAILLE_PROTOCOL);
    assert_int_equal(adder_segment(adder, 1, 99, vectors.of[0], 160, &taken, NULL), MAILLE_OK);
    assert_false(taken);
    assert_int_equal(give(adder, &vectors, 0, 0, &taken), MAILLE_OK);
    assert_true(taken && adder_has(adder, 1));
    assert_int_equal(adder_expect(adder, 1, &vectors.roots[0], NULL), MAILLE_OK);
    assert_int_equal(adder_expect(adder, 1, &vectors.roots[1], NULL), MAILLE_PROTOCOL);
    adder_free(adder);
    vectors_clear(&vectors);
}

static void an_empty_vector_is_complete_at_once(void **state)
{
    (void)state;
    struct adder *adder = NULL;
    struct digest root, wrong = {{1}};
    hash_vector(&root, NULL, 0);
    assert_int_equal(adder_new(&adder, 0, members, MEMBERS, NULL, 0, 0, NULL), MAILLE_OK);
    assert_int_equal(adder_expect(adder, 1, &wrong, NULL), MAILLE_SIGNATURE);
    for (size_t i = 0; i < MEMBERS; i++)
        assert_int_equal(adder_expect(adder, members[i], &root, NULL), MAILLE_OK);
    assert_true(adder_complete(adder));
    adder_free(adder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_vectors),
        cmocka_unit_test(a_wrong_root_is_dropped),
        cmocka_unit_test(strangers_and_short_segments),
        cmocka_unit_test(an_empty_vector_is_complete_at_once),
    };
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
