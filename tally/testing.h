/* What the tests of this room share. Included by tests alone. */
#ifndef TALLY_TESTING_H
#define TALLY_TESTING_H

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

#include "registry/import.h"
#include "tally/tally.h"

#define MUST(expression)                                                                                     \
    do {                                                                                                     \
        enum maille_code must = (expression);                                                                \
        if (must != MAILLE_OK)                                                                               \
            fail_msg("%s: %s: %s", #expression, maille_code_name(must), error.sentence);                     \
    } while (0)

/* A dictionary and a table of patients in memory. */
struct toy {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct columns *columns;
};

/* From a dictionary's YAML and a CSV file of it. */
static inline struct toy toy_new(const char *yaml, const char *csv, size_t csv_length)
{
    struct maille_error error = {0};
    struct toy toy = {.arena = arena_new()};
    assert_non_null(toy.arena);
    MUST(dictionary_parse(&toy.dictionary, toy.arena, "toy.yaml", yaml, strlen(yaml), &error));
    const char *folder = getenv("MAILLE_TEST_TMP");
    if (folder == NULL)
        fail_msg("expected MAILLE_TEST_TMP, found none; run the test with ctest");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/toy-%d.csv", folder, (int)getpid());
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(csv, 1, csv_length, file), csv_length);
    assert_int_equal(fclose(file), 0);
    struct import_report report = {0};
    enum maille_code code = import_csv(&toy.columns, &report, toy.dictionary, path, NULL, &error);
    unlink(path);
    import_report_clear(&report);
    MUST(code);
    return toy;
}

/* Room for a CSV file that a test writes. */
static inline char *toy_text(size_t bytes)
{
    char *text = malloc(bytes);
    if (text == NULL)
        abort();
    return text;
}

static inline void toy_clear(struct toy *toy)
{
    columns_free(toy->columns);
    arena_free(toy->arena);
    *toy = (struct toy){0};
}

static inline const struct expression *toy_variable(const struct toy *toy, const char *name)
{
    int index = dictionary_find(toy->dictionary, name);
    assert_true(index >= 0);
    return expression_variable(toy->arena, toy->dictionary, (uint32_t)index);
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t toy_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static inline double toy_uniform(uint64_t *seed, double low, double high)
{
    return low + (double)(toy_random(seed) >> 11) * 0x1p-53 * (high - low);
}

#endif
