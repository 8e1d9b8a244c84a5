/* Bit rule 7 (docs/decisions/0002-exact-sums.md): a decimal in a file becomes the double that is nearest to
 * it, a tie the even one, as MPFR reads it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mpfr.h>

#include "base/number.h"

enum { RANDOM = 200000, TEXT_MAX = 60 };

static uint64_t seed = 20240604;

static uint64_t random_bits(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static void look(const char *text)
{
    double found = NAN;
    mpfr_t truth;
    mpfr_init2(truth, 53);
    mpfr_set_emin(-1073); /* the exponents of double, subnormal ones too */
    mpfr_set_emax(1024);
    int inexact = mpfr_strtofr(truth, text, NULL, 10, MPFR_RNDN);
    mpfr_subnormalize(truth, inexact, MPFR_RNDN);
    double expected = mpfr_get_d(truth, MPFR_RNDN);
    bool read = number_parse_double(text, strlen(text), '.', &found);
    if (read != isfinite(expected) || (read && found != expected))
        fail_msg("%s: expected %a, found %a", text, expected, found);
    mpfr_clear(truth);
}

static void random_decimals(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    for (int i = 0; i < RANDOM; i++) {
        unsigned places = (unsigned)(random_bits() % 12);
        switch (i % 4) {
        case 0: /* as in a registry */
            snprintf(text, sizeof text, "%u.%0*u", (unsigned)(random_bits() % 100000), (int)(places % 5) + 1,
                     (unsigned)(random_bits() % 10));
            break;
        case 1: /* many digits */
            snprintf(text, sizeof text, "-%llu.%llu", (unsigned long long)(random_bits() >> places),
                     (unsigned long long)random_bits());
            break;
        case 2: /* any size */
            snprintf(text, sizeof text, "%llue%d", (unsigned long long)random_bits(),
                     (int)(random_bits() % 660) - 345);
            break;
        default: /* halfway between two doubles: an odd number of 54 bits */
            snprintf(text, sizeof text, "%llu",
                     (unsigned long long)(UINT64_C(1) << 53 | random_bits() >> 11 | 1));
            break;
        }
        look(text);
    }
}

static void edges(void **state)
{
    (void)state;
    static const char *const texts[] = {"4.9406564584124654e-324",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "2.2250738585072011e-308",
                                        "2.2250738585072014e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "9007199254740993",
                                        "9007199254740995",
                                        "0.1",
                                        "0.30000000000000004",
                                        "1e23",
                                        "8.5e22",
                                        "0e999",
                                        "-0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        look(texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_decimals), cmocka_unit_test(edges)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mpfr_free_cache();
    return failed;
}
