/* What the tests of this room share. Included by tests alone. */
#ifndef REGISTRY_TESTING_H
#define REGISTRY_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above. */
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "query/dictionary.h"

#define MUST(expression)                                                                                     \
    do {                                                                                                     \
        enum maille_code must = (expression);                                                                \
        if (must != MAILLE_OK)                                                                               \
            fail_msg("%s: %s: %s", #expression, maille_code_name(must), error.sentence);                     \
    } while (0)

/* A path in the folder of this test. */
static inline const char *test_path(char path[PATH_MAX], const char *name)
{
    const char *folder = getenv("MAILLE_TEST_TMP");
    if (folder == NULL)
        fail_msg("expected MAILLE_TEST_TMP, found none; run the test with ctest");
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static inline void write_bytes(const char *path, const void *bytes, size_t length)
{
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline const struct dictionary *parse_dictionary(struct arena *arena, const char *text)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    MUST(dictionary_parse(&dictionary, arena, "dictionary.yaml", text, strlen(text), &error));
    return dictionary;
}

#endif
