/* Packing and unpacking: what comes back, what is cut, what claims too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/pack.h"

static void packed_bytes_come_back(void **state)
{
    (void)state;
    static uint8_t zeros[1 << 20];
    const size_t lengths[] = {0, 1, 100, sizeof zeros};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes packed = {0}, back = {0};
        assert_int_equal(proto_pack(&packed, zeros, lengths[i], NULL), MAILLE_OK);
        assert_int_equal(proto_unpack(&back, packed.data, packed.length, lengths[i], NULL), MAILLE_OK);
        assert_int_equal(back.length, lengths[i]);
        assert_true(lengths[i] == 0 || memcmp(back.data, zeros, lengths[i]) == 0);
        bytes_clear(&back);
        for (size_t cut = 0; cut < packed.length; cut++) {
            assert_int_equal(proto_unpack(&back, packed.data, cut, lengths[i], NULL), MAILLE_PROTOCOL);
            assert_int_equal(back.length, 0);
        }
        bytes_clear(&packed);
    }
}

static void a_bomb_is_refused(void **state)
{
    (void)state;
    static uint8_t zeros[1 << 20];
    struct bytes packed = {0}, back = {0};
    struct maille_error error = {0};
    assert_int_equal(proto_pack(&packed, zeros, sizeof zeros, NULL), MAILLE_OK);
    assert_true(packed.length < sizeof zeros / 200);
    assert_int_equal(proto_unpack(&back, packed.data, packed.length, sizeof zeros - 1, &error),
                     MAILLE_PROTOCOL);
    /* It claims little and gives much; it claims much and gives little; it claims more than LZ4 could ever
     * give. */
    le64_store(packed.data, 1000);
    assert_int_equal(proto_unpack(&back, packed.data, packed.length, sizeof zeros, &error), MAILLE_PROTOCOL);
    le64_store(packed.data, sizeof zeros + 1);
    assert_int_equal(proto_unpack(&back, packed.data, packed.length, SIZE_MAX, &error), MAILLE_PROTOCOL);
    le64_store(packed.data, (uint64_t)1 << 30);
    assert_int_equal(proto_unpack(&back, packed.data, packed.length, SIZE_MAX, &error), MAILLE_PROTOCOL);
    assert_non_null(strstr(error.sentence, "claim"));
    assert_int_equal(back.length, 0);
    bytes_clear(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(packed_bytes_come_back),
                                       cmocka_unit_test(a_bomb_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
