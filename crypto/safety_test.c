/* Safety numbers. */
#include "crypto/safety.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* python3 -c "import hashlib; h = hashlib.blake2b(b'maille1/safety/identity\0' + bytes(range(32))).digest();
 *             print(' '.join('%05d' % (int.from_bytes(h[5*i:5*i+5], 'big') % 100000) for i in range(6)))" */
static void test_known_answer(void **state)
{
    (void)state;
    char number[SAFETY_BYTES];
    uint8_t key[PUBLIC_BYTES];
    for (uint8_t i = 0; i < PUBLIC_BYTES; i++)
        key[i] = i;
    safety_number(number, "identity", key);
    assert_string_equal(number, "65086 46245 33023 90806 31572 72534");
}

static void test_parts(void **state)
{
    (void)state;
    char number[2 * SAFETY_BYTES], half[SAFETY_BYTES];
    struct public_keys keys;
    memset(keys.identity, 1, PUBLIC_BYTES);
    memset(keys.transport, 2, PUBLIC_BYTES);
    memset(keys.box, 2, PUBLIC_BYTES);
    safety_numbers(number, KEY_SITE, &keys);
    assert_int_equal(strlen(number), 71);
    assert_int_equal(strspn(number, "0123456789 "), 71);
    safety_number(half, "identity", keys.identity);
    assert_memory_equal(number, half, 35);
    safety_number(half, "transport", keys.transport);
    assert_string_equal(number + 36, half);
    safety_numbers(number, KEY_DPO, &keys);
    assert_string_not_equal(number + 36, half); /* the same bytes for another use */
    safety_numbers(number, KEY_AUTHORITY, &keys);
    assert_int_equal(strlen(number), 35);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
