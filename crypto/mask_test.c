/* The secure sum, by what it promises. Against an independent implementation: tests/known_answers. */
#include "crypto/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/file.h"
#include "disclosure/release_ungated.h"

static const uint8_t wrap[KEY_BYTES] = {1, 2, 3};

/* Secrets of a site with chosen ek and B, by way of the stored form. */
static struct query_secrets *secrets_with(const uint8_t ek[KEY_BYTES], const uint8_t self[KEY_BYTES])
{
    struct bytes clear = {0}, stored = {0};
    struct query_secrets *secrets = NULL;
    bytes_put_u8(&clear, 1);
    bytes_put(&clear, ek, KEY_BYTES);
    bytes_put(&clear, self, KEY_BYTES);
    assert_int_equal(seal_secretbox(&stored, wrap, clear.data, clear.length), MAILLE_OK);
    assert_int_equal(query_secrets_load(&secrets, wrap, stored.data, stored.length, NULL), MAILLE_OK);
    bytes_clear(&clear);
    bytes_clear(&stored);
    return secrets;
}

static struct digest digest_of(uint8_t byte)
{
    struct digest digest;
    memset(digest.b, byte, HASH_BYTES);
    return digest;
}

static const struct word_run short_runs[] = {{48, 8}, {64, 16}, {24, 8}};

/* RFC 7748 §6.1: Alice's and Bob's private keys, through the stored form. */
static void test_rfc7748(void **state)
{
    (void)state;
    uint8_t private[KEY_BYTES], public[PUBLIC_BYTES];
    struct digest self = digest_of(7);
    static const char *const pairs[2][2] = {
        {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
        {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
         "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
    };
    for (size_t i = 0; i < 2; i++) {
        assert_true(bytes_from_hex(private, KEY_BYTES, pairs[i][0]));
        assert_true(bytes_from_hex(public, PUBLIC_BYTES, pairs[i][1]));
        struct query_secrets *secrets = secrets_with(private, self.b);
        assert_memory_equal(query_secrets_public(secrets), public, PUBLIC_BYTES);
        query_secrets_free(secrets);
    }
}

/* --- promises --- */

enum { SITES = 64 };

struct federation {
    size_t n;
    struct query_secrets *secrets[SITES];
    struct mask_member members[SITES];
    uint32_t sites[SITES];
    struct digest rho;
};

static void federation_start(struct federation *federation, size_t n)
{
    federation->n = n;
    crypto_random_bytes(&federation->rho, sizeof federation->rho);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(query_secrets_new(&federation->secrets[i], NULL), MAILLE_OK);
        federation->sites[i] = federation->members[i].site = (uint32_t)(3 * i + 1);
        memcpy(federation->members[i].ek, query_secrets_public(federation->secrets[i]), PUBLIC_BYTES);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(query_secrets_pair(federation->secrets[i], &federation->rho, federation->sites[i],
                                            federation->members, n, NULL),
                         MAILLE_OK);
}

static void federation_end(struct federation *federation)
{
    for (size_t i = 0; i < federation->n; i++)
        query_secrets_free(federation->secrets[i]);
}

/* One attempt among the members whose bit is set; true when the sum comes out. others: a member that masks
 * under another ψ. */
static bool attempt_sums(const struct federation *federation, uint64_t subset, size_t other)
{
    enum { BYTES = 136 };
    uint32_t sites[SITES];
    size_t index[SITES], n = 0;
    uint8_t sum[BYTES] = {0}, expected[BYTES] = {0}, clear[BYTES];
    struct digest psi, other_psi, self;
    struct share_header *header = calloc(1, sizeof *header);
    assert_non_null(header);
    crypto_random_bytes(&psi, sizeof psi);
    crypto_random_bytes(&other_psi, sizeof other_psi);
    for (size_t i = 0; i < federation->n; i++)
        if (subset >> i & 1) {
            sites[n] = federation->sites[i];
            index[n++] = i;
        }
    for (size_t k = 0; k < n; k++) {
        size_t length;
        struct share *share = NULL;
        struct release release = {clear, BYTES, short_runs, 3};
        const struct query_secrets *secrets = federation->secrets[index[k]];
        const struct digest *own = index[k] == other ? &other_psi : &psi;
        crypto_random_bytes(clear, BYTES);
        assert_int_equal(share_make(&share, header, &release, secrets, own, sites, n, NULL), MAILLE_OK);
        assert_memory_not_equal(share_bytes(share, &length), clear, BYTES);
        /* in two pieces, as segments come */
        share_add(sum, share_bytes(share, &length), 0, 64, short_runs, 3);
        share_add(sum + 64, share_bytes(share, &length) + 64, 64, BYTES - 64, short_runs, 3);
        share_add(expected, clear, 0, BYTES, short_runs, 3);
        query_secrets_self(&self, secrets, own);
        mask_unmask_sum(sum, BYTES, short_runs, 3, &self);
        share_free(share);
    }
    free(header);
    return memcmp(sum, expected, BYTES) == 0;
}

/* Some n of the members of a federation. */
static uint64_t subset_of(size_t members, size_t n)
{
    uint64_t subset = 0;
    while ((size_t)__builtin_popcountll(subset) < n)
        subset |= (uint64_t)1 << crypto_random_below((uint32_t)members);
    return subset;
}

static void test_masks_cancel(void **state)
{
    (void)state;
    static const size_t rosters[] = {2, 3, 4, 5, 6, 7, 8, 20, 64};
    for (size_t k = 0; k < sizeof rosters / sizeof *rosters; k++) {
        struct federation federation;
        size_t n = rosters[k];
        federation_start(&federation, n);
        for (size_t members = 2; members <= n; members++)
            assert_true(attempt_sums(&federation, subset_of(n, members), SIZE_MAX));
        if (n < 64)
            assert_false(
                attempt_sums(&federation, subset_of(n, n), n - 1)); /* one saw another header: noise */
        federation_end(&federation);
    }
}

/* Every roster of six sites. */
static void test_every_roster(void **state)
{
    (void)state;
    struct federation federation;
    federation_start(&federation, 6);
    for (uint64_t subset = 0; subset < 64; subset++)
        if (__builtin_popcountll(subset) >= 2)
            assert_true(attempt_sums(&federation, subset, SIZE_MAX));
    federation_end(&federation);
}

/* y_i − G(b_i) without one of the others is not x_i: what is left is still masked. */
static void test_one_share_stays_masked(void **state)
{
    (void)state;
    struct federation federation;
    struct share_header *header = calloc(1, sizeof *header);
    struct share *share = NULL;
    struct digest psi = digest_of(9), self;
    uint8_t clear[136] = {0}, left[136];
    size_t length;
    struct release release = {clear, sizeof clear, short_runs, 3};
    federation_start(&federation, 3);
    assert_int_equal(
        share_make(&share, header, &release, federation.secrets[0], &psi, federation.sites, 3, NULL),
        MAILLE_OK);
    memcpy(left, share_bytes(share, &length), sizeof left);
    query_secrets_self(&self, federation.secrets[0], &psi);
    mask_unmask_sum(left, sizeof left, short_runs, 3, &self);
    for (size_t i = 0; i + 8 <= sizeof left; i += 8)
        assert_memory_not_equal(left + i, clear + i, 8);
    share_free(share);
    free(header);
    federation_end(&federation);
}

/* Added piecewise at any multiple of 16 it is the same as added at once, in words that carry only within
 * themselves. */
static void test_share_add_ranges(void **state)
{
    (void)state;
    enum { BYTES = 8 * 5 + 8 + 16 * 7 + 8 * 3 + 8 * 1 + 16 * 2 };
    static const struct word_run runs[] = {{8 * 5, 8}, {8, 8}, {16 * 7, 16}, {0, 16},
                                           {8 * 3, 8}, {8, 8}, {16 * 2, 16}};
    enum { N = sizeof runs / sizeof *runs };
    uint8_t a[BYTES], b[BYTES], whole[BYTES], pieces[BYTES];
    uint64_t length;
    assert_true(mask_runs_length(&length, runs, N));
    assert_int_equal(length, BYTES);
    memset(a, 0xff, BYTES);
    memset(b, 0, BYTES);
    for (size_t i = 0; i < BYTES; i += 8)
        b[i] = 1;
    memcpy(whole, a, BYTES);
    share_add(whole, b, 0, BYTES, runs, N);
    for (size_t i = 0; i < 48; i++) /* all ones plus one is zero, and no carry reaches the next word */
        assert_int_equal(whole[i], 0);
    for (size_t i = 48; i < 160; i++) /* 2^128 − 1 + 2^64 + 1 = 2^64 */
        assert_int_equal(whole[i], i % 16 == 8);
    crypto_random_bytes(a, BYTES);
    crypto_random_bytes(b, BYTES);
    memcpy(whole, a, BYTES);
    share_add(whole, b, 0, BYTES, runs, N);
    for (size_t first = 0; first <= BYTES; first += 16)
        for (size_t second = first; second <= BYTES; second += 16) {
            memcpy(pieces, a, BYTES);
            share_add(pieces, b, 0, first, runs, N);
            share_add(pieces + first, b + first, first, second - first, runs, N);
            share_add(pieces + second, b + second, second, BYTES - second, runs, N);
            assert_memory_equal(pieces, whole, BYTES);
        }
}

static void test_bad_runs(void **state)
{
    (void)state;
    uint64_t length = 77;
    const struct word_run bad_width[] = {{8, 4}}, torn[] = {{12, 8}}, torn16[] = {{24, 16}},
                          unaligned[] = {{8, 8}, {16, 16}};
    const struct word_run endless[] = {{UINT64_MAX - 15, 16}, {16, 16}}, none[] = {{0, 0}};
    assert_false(mask_runs_length(&length, bad_width, 1));
    assert_false(mask_runs_length(&length, torn, 1));
    assert_false(mask_runs_length(&length, torn16, 1));
    assert_false(mask_runs_length(&length, unaligned, 2));
    assert_false(mask_runs_length(&length, endless, 2));
    assert_false(mask_runs_length(&length, none, 1));
    assert_int_equal(length, 77);
    assert_true(mask_runs_length(&length, NULL, 0));
    assert_int_equal(length, 0);
}

static void test_bad_rosters(void **state)
{
    (void)state;
    struct federation federation;
    struct maille_error error;
    struct mask_member members[3];
    struct digest rho = digest_of(3);
    federation_start(&federation, 3);
    struct query_secrets *own = federation.secrets[0];
    memcpy(members, federation.members, sizeof members);
    members[1].site = members[0].site; /* somebody else under our number */
    assert_int_equal(query_secrets_pair(own, &rho, 1, members, 3, &error), MAILLE_PROTOCOL);
    memcpy(members, federation.members, sizeof members);
    members[0].ek[5] ^= 1; /* our number with a key that is not ours */
    assert_int_equal(query_secrets_pair(own, &rho, 1, members, 3, &error), MAILLE_PROTOCOL);
    memcpy(members, federation.members, sizeof members);
    members[2].site = members[1].site; /* a site twice */
    assert_int_equal(query_secrets_pair(own, &rho, 1, members, 3, &error), MAILLE_PROTOCOL);
    assert_non_null(strstr(error.sentence, "site 4 twice"));
    memcpy(members, federation.members, sizeof members);
    assert_int_equal(query_secrets_pair(own, &rho, 1, members + 1, 2, &error),
                     MAILLE_PROTOCOL); /* we are missing */
    assert_int_equal(query_secrets_pair(own, &rho, 1, members, 1, &error), MAILLE_PROTOCOL);
    assert_int_equal(query_secrets_pair(own, &rho, 1, members, QUERY_SITES_MAX + 1, &error), MAILLE_PROTOCOL);
    /* Points of small order: 0, 1, p, p + 1, and two of order 8 (https://cr.yp.to/ecdh.html). */
    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    };
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        assert_true(bytes_from_hex(members[2].ek, PUBLIC_BYTES, small[i]));
        assert_int_equal(query_secrets_pair(own, &rho, 1, members, 3, &error), MAILLE_SIGNATURE);
        assert_non_null(strstr(error.sentence, "site 7"));
    }
    federation_end(&federation);
}

static void test_bad_members(void **state)
{
    (void)state;
    struct federation federation;
    struct digest psi = digest_of(1);
    struct share *share = NULL;
    struct share_header *header = calloc(1, sizeof *header);
    uint8_t clear[136] = {0};
    struct release release = {clear, sizeof clear, short_runs, 3};
    const uint32_t stranger[] = {1, 4, 8}, without[] = {4, 7}, descending[] = {1, 7, 4}, twice[] = {1, 4, 4},
                   alone[] = {1};
    federation_start(&federation, 3);
    const struct query_secrets *own = federation.secrets[0];
    assert_int_equal(share_make(&share, header, &release, own, &psi, stranger, 3, NULL), MAILLE_PROTOCOL);
    assert_int_equal(share_make(&share, header, &release, own, &psi, without, 2, NULL), MAILLE_PROTOCOL);
    assert_int_equal(share_make(&share, header, &release, own, &psi, descending, 3, NULL), MAILLE_PROTOCOL);
    assert_int_equal(share_make(&share, header, &release, own, &psi, twice, 3, NULL), MAILLE_PROTOCOL);
    assert_int_equal(share_make(&share, header, &release, own, &psi, alone, 1, NULL), MAILLE_PROTOCOL);
    release.length = 128; /* runs that do not cover the vector */
    assert_int_equal(share_make(&share, header, &release, own, &psi, federation.sites, 3, NULL),
                     MAILLE_INTERNAL);
    release.length = sizeof clear;
    struct query_secrets *unpaired = NULL;
    assert_int_equal(query_secrets_new(&unpaired, NULL), MAILLE_OK);
    assert_int_equal(share_make(&share, header, &release, unpaired, &psi, federation.sites, 3, NULL),
                     MAILLE_PROTOCOL);
    assert_null(share);
    query_secrets_free(unpaired);
    free(header);
    federation_end(&federation);
}

static void test_commitment(void **state)
{
    (void)state;
    struct digest b = digest_of(4), psi = digest_of(5), other = digest_of(6), commit;
    hash_kdf(&commit, b.b, "commit", psi.b, HASH_BYTES);
    assert_true(mask_reveal_matches(&b, &commit, &psi));
    assert_false(mask_reveal_matches(&other, &commit, &psi));
    assert_false(mask_reveal_matches(&b, &commit, &other));
    commit.b[31] ^= 0x80;
    assert_false(mask_reveal_matches(&b, &commit, &psi));
}

/* What a site stores opens under its own key alone and gives the same masks after a restart. */
static void test_store_and_load(void **state)
{
    (void)state;
    struct query_secrets *first = NULL, *second = NULL;
    struct bytes stored = {0}, sealed = {0}, clear = {0};
    struct digest psi = digest_of(8), a, b;
    uint8_t wrong[KEY_BYTES] = {9};
    assert_int_equal(query_secrets_new(&first, NULL), MAILLE_OK);
    assert_int_equal(query_secrets_store(&stored, first, wrap), MAILLE_OK);
    assert_int_equal(query_secrets_load(&second, wrong, stored.data, stored.length, NULL), MAILLE_SIGNATURE);
    for (size_t i = 0; i < stored.length; i++) {
        stored.data[i] ^= 1;
        assert_int_equal(query_secrets_load(&second, wrap, stored.data, stored.length, NULL),
                         MAILLE_SIGNATURE);
        stored.data[i] ^= 1;
    }
    assert_int_equal(query_secrets_load(&second, wrap, stored.data, stored.length - 1, NULL),
                     MAILLE_SIGNATURE);
    assert_null(second);
    assert_int_equal(query_secrets_load(&second, wrap, stored.data, stored.length, NULL), MAILLE_OK);
    assert_memory_equal(query_secrets_public(first), query_secrets_public(second), PUBLIC_BYTES);
    query_secrets_self(&a, first, &psi);
    query_secrets_self(&b, second, &psi);
    assert_true(digest_equal(&a, &b));
    assert_int_equal(seal_to(&sealed, query_secrets_public(first), "theta", 5), MAILLE_OK);
    assert_int_equal(query_secrets_open(&clear, second, sealed.data, sealed.length, NULL), MAILLE_OK);
    assert_int_equal(clear.length, 5);
    assert_memory_equal(clear.data, "theta", 5);
    sealed.data[40] ^= 1;
    assert_int_equal(query_secrets_open(&clear, second, sealed.data, sealed.length, NULL), MAILLE_SIGNATURE);
    bytes_clear(&stored);
    bytes_clear(&sealed);
    bytes_clear(&clear);
    query_secrets_free(first);
    query_secrets_free(second);
}

/* A study whose every analysis waits sends nothing: 0 bytes are a vector too. */
static void test_empty_vector(void **state)
{
    (void)state;
    struct federation federation;
    struct digest psi = digest_of(1), empty;
    struct share *share = NULL;
    struct share_header *header = calloc(1, sizeof *header);
    struct release release = {NULL, 0, NULL, 0};
    size_t length = 5;
    federation_start(&federation, 3);
    assert_int_equal(
        share_make(&share, header, &release, federation.secrets[1], &psi, federation.sites, 3, NULL),
        MAILLE_OK);
    assert_non_null(share_bytes(share, &length));
    assert_int_equal(length, 0);
    hash_vector(&empty, NULL, 0);
    assert_true(digest_equal(&empty, &header->vector));
    assert_int_equal(header->n_tags, 2);
    share_free(share);
    free(header);
    federation_end(&federation);
}

static void test_sites_needed(void **state)
{
    (void)state;
    static const uint32_t table[][2] = {{0, 0}, {1, 0},  {2, 0},   {3, 3},   {4, 4},   {5, 4},    {6, 4},
                                        {7, 5}, {10, 7}, {18, 11}, {20, 13}, {50, 31}, {200, 121}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(mask_sites_needed(table[i][0]), table[i][1]);
    /* Any two rosters share an honest site: 2·n_min − n > f. */
    for (uint32_t n = 3; n <= 2000; n++)
        assert_true(2 * mask_sites_needed(n) - n > (n / 5 > 1 ? n / 5 : 1) && mask_sites_needed(n) <= n);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc7748),          cmocka_unit_test(test_masks_cancel),
        cmocka_unit_test(test_every_roster),     cmocka_unit_test(test_one_share_stays_masked),
        cmocka_unit_test(test_share_add_ranges), cmocka_unit_test(test_bad_runs),
        cmocka_unit_test(test_bad_rosters),      cmocka_unit_test(test_bad_members),
        cmocka_unit_test(test_commitment),       cmocka_unit_test(test_store_and_load),
        cmocka_unit_test(test_empty_vector),     cmocka_unit_test(test_sites_needed),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
