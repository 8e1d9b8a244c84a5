/* Keys of a circle: who has one of them opens its masks and nobody else's. */
#include "crypto/circle.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct digest filled(uint8_t byte)
{
    struct digest made;
    memset(made.b, byte, sizeof made.b);
    return made;
}

/* python3 -c "import hashlib
 * def kdf(k, l, d):
 *     le = lambda n: n.to_bytes(8, 'little')
 *     return hashlib.blake2b(le(len(l)) + l + le(len(d)) + d, digest_size=32, key=k).digest()
 * kc = kdf(b'', b'circle', b'\1'*32 + b'\2'*32 + b'\3'*32 + b'\4'*32)
 * print(kc.hex(), kdf(kc, b'round', b'rs').hex(), kdf(kc, b'state', b'\5'*32 + b'theta').hex(), sep='\n')" */
static void test_known_answers(void **state)
{
    (void)state;
    const struct digest rho = filled(1), first = filled(2), psi = filled(5);
    const struct digest selves[] = {filled(3), filled(4)};
    struct digest key, out;
    char hex[2 * HASH_BYTES + 1];
    assert_int_equal(circle_key(&key, &rho, &first, selves, 2, NULL), MAILLE_OK);
    bytes_to_hex(hex, key.b, sizeof key.b);
    assert_string_equal(hex, "701a01dab373f2bf35aa22643931eabfa330d30b2ca926e662ddede4ec366ee1");
    circle_psi(&out, &key, "rs", 2);
    bytes_to_hex(hex, out.b, sizeof out.b);
    assert_string_equal(hex, "7d6ac5626cd8fc6e9af31ec7aa6d4956475bdad5d9cf939cf837f82c34f47583");
    assert_int_equal(circle_tag(&out, &key, &psi, "theta", 5, NULL), MAILLE_OK);
    bytes_to_hex(hex, out.b, sizeof out.b);
    assert_string_equal(hex, "e621b2b7aee39617ee25e06daed2cab882302443093c21f829957bd7182445c8");
}

static void test_everything_counts(void **state)
{
    (void)state;
    const struct digest rho = filled(1), psi = filled(2), other = filled(9);
    struct digest selves[] = {filled(3), filled(4)}, key, changed;
    assert_int_equal(circle_key(&key, &rho, &psi, selves, 2, NULL), MAILLE_OK);
    assert_int_equal(circle_key(&changed, &other, &psi, selves, 2, NULL), MAILLE_OK);
    assert_false(digest_equal(&key, &changed));
    assert_int_equal(circle_key(&changed, &rho, &other, selves, 2, NULL), MAILLE_OK);
    assert_false(digest_equal(&key, &changed));
    selves[1].b[31] ^= 1;
    assert_int_equal(circle_key(&changed, &rho, &psi, selves, 2, NULL), MAILLE_OK);
    assert_false(digest_equal(&key, &changed));
    circle_psi(&key, NULL, "rs", 2); /* the first round's, which everybody can work out */
    hash_kdf(&changed, NULL, "round", "rs", 2);
    assert_true(digest_equal(&key, &changed));
}

static void test_a_reveal_opens_for_its_own_alone(void **state)
{
    (void)state;
    const struct digest key = filled(1), other = filled(2), psi = filled(3), later = filled(4),
                        self = filled(5);
    struct digest opened;
    struct bytes sealed = {0};
    assert_int_equal(circle_reveal(&sealed, &key, &psi, 7, &self, NULL), MAILLE_OK);
    assert_int_equal(sealed.length, CIRCLE_REVEAL_BYTES);
    assert_int_equal(circle_reveal_open(&opened, &key, &psi, 7, sealed.data, sealed.length, NULL), MAILLE_OK);
    assert_true(digest_equal(&opened, &self));
    opened = filled(0);
    assert_int_equal(circle_reveal_open(&opened, &other, &psi, 7, sealed.data, sealed.length, NULL),
                     MAILLE_SIGNATURE);
    assert_int_equal(circle_reveal_open(&opened, &key, &later, 7, sealed.data, sealed.length, NULL),
                     MAILLE_SIGNATURE);
    assert_int_equal(circle_reveal_open(&opened, &key, &psi, 8, sealed.data, sealed.length, NULL),
                     MAILLE_SIGNATURE);
    assert_int_equal(circle_reveal_open(&opened, &key, &psi, 7, sealed.data, sealed.length - 1, NULL),
                     MAILLE_SIGNATURE);
    sealed.data[sealed.length - 1] ^= 1;
    assert_int_equal(circle_reveal_open(&opened, &key, &psi, 7, sealed.data, sealed.length, NULL),
                     MAILLE_SIGNATURE);
    assert_true(digest_equal(&opened, &(struct digest){{0}}));
    bytes_clear(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_everything_counts),
        cmocka_unit_test(test_a_reveal_opens_for_its_own_alone),
    };
    if (crypto_start(NULL) != MAILLE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
