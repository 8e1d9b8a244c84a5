/* Identities, signatures and seals. */
#include "crypto/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "crypto/identity_secret.h"

static void from_hex(void *out, size_t length, const char *hex)
{
    assert_true(bytes_from_hex(out, length, hex));
}

/* RFC 8032 §7.1 test 1: the public key of a seed, and the signature of the empty message by the library that
 * we sign with. */
static void test_rfc8032(void **state)
{
    (void)state;
    struct secret_seeds seeds = {0};
    struct secret_keys *keys = NULL;
    uint8_t public[PUBLIC_BYTES], signature[SIGNATURE_BYTES], made[SIGNATURE_BYTES], pk[PUBLIC_BYTES];
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    from_hex(seeds.identity, KEY_BYTES, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    from_hex(public, PUBLIC_BYTES, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    from_hex(signature, SIGNATURE_BYTES,
             "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46"
             "bd25bf5f0595bbe"
             "24655141438e7a100b");
    assert_int_equal(secret_keys_from(&keys, KEY_AUTHORITY, "board", &seeds, NULL), MAILLE_OK);
    assert_memory_equal(secret_keys_public(keys)->identity, public, PUBLIC_BYTES);
    crypto_sign_seed_keypair(pk, sk, seeds.identity);
    crypto_sign_detached(made, NULL, (const uint8_t *)"", 0, sk);
    assert_memory_equal(made, signature, SIGNATURE_BYTES);
    /* Ours is the same algorithm over the labelled bytes. */
    assert_int_equal(identity_sign(signature, keys, "accept", "abc", 3, NULL), MAILLE_OK);
    crypto_sign_detached(made, NULL, (const uint8_t *)"maille1/accept\0abc", 18, sk);
    assert_memory_equal(made, signature, SIGNATURE_BYTES);
    secret_keys_free(keys);
}

static void test_signatures(void **state)
{
    (void)state;
    struct secret_keys *alpha = NULL, *beta = NULL;
    uint8_t signature[SIGNATURE_BYTES], bytes[40] = {1, 2, 3};
    assert_int_equal(secret_keys_new(&alpha, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&beta, KEY_SITE, "beta", NULL), MAILLE_OK);
    const uint8_t *identity = secret_keys_public(alpha)->identity;
    assert_int_equal(identity_sign(signature, alpha, "accept", bytes, sizeof bytes, NULL), MAILLE_OK);
    assert_true(identity_verify(signature, identity, "accept", bytes, sizeof bytes));
    assert_false(
        identity_verify(signature, secret_keys_public(beta)->identity, "accept", bytes, sizeof bytes));
    assert_false(identity_verify(signature, identity, "ready", bytes, sizeof bytes));
    assert_false(identity_verify(signature, identity, "accept", bytes, sizeof bytes - 1));
    assert_false(identity_verify(signature, (const uint8_t[PUBLIC_BYTES]){0}, "accept", bytes, sizeof bytes));
    for (size_t i = 0; i < SIGNATURE_BYTES; i++) {
        signature[i] ^= 1;
        assert_false(identity_verify(signature, identity, "accept", bytes, sizeof bytes));
        signature[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 0x80;
        assert_false(identity_verify(signature, identity, "accept", bytes, sizeof bytes));
        bytes[i] ^= 0x80;
    }
    assert_int_equal(identity_sign(signature, alpha, "end", NULL, 0, NULL), MAILLE_OK);
    assert_true(identity_verify(signature, identity, "end", NULL, 0));
    secret_keys_free(alpha);
    secret_keys_free(beta);
    secret_keys_free(NULL);
}

static void test_roles_and_names(void **state)
{
    (void)state;
    static const uint8_t zero[PUBLIC_BYTES];
    enum key_role role;
    struct maille_error error;
    struct secret_keys *keys = NULL;
    for (enum key_role each = KEY_RESEARCHER; each <= KEY_AUTHORITY; each++) {
        assert_true(key_role_parse(&role, key_role_name(each)));
        assert_int_equal(role, each);
        assert_int_equal(secret_keys_new(&keys, each, "a", NULL), MAILLE_OK);
        const struct public_keys *public = secret_keys_public(keys);
        assert_int_equal(secret_keys_role(keys), each);
        assert_memory_not_equal(public->identity, zero, PUBLIC_BYTES);
        assert_int_equal(memcmp(public->transport, zero, PUBLIC_BYTES) == 0,
                         each == KEY_DPO || each == KEY_AUTHORITY);
        assert_int_equal(memcmp(public->box, zero, PUBLIC_BYTES) == 0, each != KEY_DPO);
        secret_keys_free(keys);
    }
    assert_false(key_role_parse(&role, "Site"));
    assert_false(key_role_parse(&role, ""));
    static const char *const bad[] = {"",    "-a", "A",   "a b",
                                      "a/b", "é",  "a_b", "a1234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        keys = NULL;
        assert_int_equal(secret_keys_new(&keys, KEY_SITE, bad[i], &error), MAILLE_INVALID);
        assert_null(keys);
    }
    assert_true(identity_name_valid("0"));
    assert_true(identity_name_valid("a234567890123456789012345678901234567890"));
}

static void test_derived_keys(void **state)
{
    (void)state;
    struct secret_keys *alpha = NULL, *beta = NULL;
    struct digest a, b, c, d;
    uint8_t transport[KEY_BYTES], public[PUBLIC_BYTES];
    assert_int_equal(secret_keys_new(&alpha, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&beta, KEY_SITE, "beta", NULL), MAILLE_OK);
    secret_keys_derive(&a, alpha, "state");
    secret_keys_derive(&b, alpha, "state");
    secret_keys_derive(&c, alpha, "spool");
    secret_keys_derive(&d, beta, "state");
    assert_true(digest_equal(&a, &b));
    assert_false(digest_equal(&a, &c));
    assert_false(digest_equal(&a, &d));
    secret_keys_transport(transport, alpha);
    crypto_scalarmult_base(public, transport);
    assert_memory_equal(public, secret_keys_public(alpha)->transport, PUBLIC_BYTES);
    secret_keys_free(alpha);
    secret_keys_free(beta);
}

static void test_seals(void **state)
{
    (void)state;
    struct secret_keys *dpo = NULL, *site = NULL;
    struct bytes sealed = {0}, clear = {0};
    struct maille_error error;
    uint8_t box[PUBLIC_BYTES], secret[KEY_BYTES], other[KEY_BYTES];
    assert_int_equal(secret_keys_new(&dpo, KEY_DPO, "dpo-alpha", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&site, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(seal_to(&sealed, secret_keys_public(dpo)->box, "vector", 6), MAILLE_OK);
    assert_int_equal(sealed.length, 6 + SEAL_OVERHEAD);
    bytes_put(&clear, "x=", 2);
    assert_int_equal(identity_seal_open(&clear, dpo, sealed.data, sealed.length, NULL), MAILLE_OK);
    assert_int_equal(clear.length, 8); /* appended */
    assert_memory_equal(clear.data, "x=vector", 8);
    assert_int_equal(identity_seal_open(&clear, site, sealed.data, sealed.length, &error), MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "dpo"));
    for (size_t i = 0; i < sealed.length; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(identity_seal_open(&clear, dpo, sealed.data, sealed.length, NULL), MAILLE_SIGNATURE);
        sealed.data[i] ^= 1;
    }
    for (size_t length = 0; length < sealed.length; length++)
        assert_int_equal(identity_seal_open(&clear, dpo, sealed.data, length, NULL), MAILLE_SIGNATURE);
    assert_int_equal(clear.length, 8);

    seal_box_pair(box, secret);
    sealed.length = clear.length = 0;
    assert_int_equal(seal_to(&sealed, box, NULL, 0), MAILLE_OK);
    assert_int_equal(seal_open(&clear, box, secret, sealed.data, sealed.length, NULL), MAILLE_OK);
    assert_int_equal(clear.length, 0);
    crypto_random_bytes(other, sizeof other);
    assert_int_equal(seal_open(&clear, box, other, sealed.data, sealed.length, NULL), MAILLE_SIGNATURE);
    sealed.length = 0;
    assert_int_equal(seal_to(&sealed, (const uint8_t[PUBLIC_BYTES]){0}, "x", 1),
                     MAILLE_SIGNATURE); /* the zero point */
    assert_int_equal(sealed.length, 0);
    bytes_clear(&sealed);
    bytes_clear(&clear);
    secret_keys_free(dpo);
    secret_keys_free(site);
}

static void test_secretbox(void **state)
{
    (void)state;
    struct bytes first = {0}, second = {0}, clear = {0};
    uint8_t key[KEY_BYTES] = {5}, other[KEY_BYTES] = {6};
    assert_int_equal(seal_secretbox(&first, key, "theta", 5), MAILLE_OK);
    assert_int_equal(seal_secretbox(&second, key, "theta", 5), MAILLE_OK);
    assert_int_equal(first.length, 24 + 16 + 5);
    assert_memory_not_equal(first.data, second.data, first.length); /* fresh nonces */
    assert_int_equal(seal_secretbox_open(&clear, key, first.data, first.length, NULL), MAILLE_OK);
    assert_int_equal(clear.length, 5);
    assert_memory_equal(clear.data, "theta", 5);
    assert_int_equal(seal_secretbox_open(&clear, other, first.data, first.length, NULL), MAILLE_SIGNATURE);
    for (size_t i = 0; i < first.length; i++) {
        first.data[i] ^= 4;
        assert_int_equal(seal_secretbox_open(&clear, key, first.data, first.length, NULL), MAILLE_SIGNATURE);
        first.data[i] ^= 4;
    }
    for (size_t length = 0; length < first.length; length++)
        assert_int_equal(seal_secretbox_open(&clear, key, first.data, length, NULL), MAILLE_SIGNATURE);
    assert_int_equal(clear.length, 5);
    bytes_clear(&first);
    bytes_clear(&second);
    bytes_clear(&clear);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8032),         cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_roles_and_names), cmocka_unit_test(test_derived_keys),
        cmocka_unit_test(test_seals),           cmocka_unit_test(test_secretbox),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
