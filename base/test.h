/* cmocka with the headers that it wants first, for every *_test.c. */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

/* The call gives MAILLE_OK; otherwise its sentence is the failure. */
#define assert_ok(call, error)                                                                               \
    do {                                                                                                     \
        if ((call) != MAILLE_OK)                                                                             \
            fail_msg("%s: %s", #call, (error)->sentence);                                                    \
    } while (0)

/* The call gives this code, and its sentence holds these words. */
#define assert_fails(call, expected, error, words)                                                           \
    do {                                                                                                     \
        *(error) = (struct maille_error){0};                                                                 \
        assert_int_equal((call), (expected));                                                                \
        if (strstr((error)->sentence, (words)) == NULL)                                                      \
            fail_msg("%s: expected \"%s\" in \"%s\"", #call, (words), (error)->sentence);                    \
    } while (0)

/* $MAILLE_TEST_TMP/name, in a buffer of the caller's. */
static inline const char *test_path(char out[512], const char *name)
{
    const char *folder = getenv("MAILLE_TEST_TMP");
    snprintf(out, 512, "%s/%s", folder != NULL ? folder : "/tmp", name);
    return out;
}

#endif
