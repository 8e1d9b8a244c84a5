/* The files of tests/known_answers, read. What is missing or of another shape fails the test. */
#ifndef TESTS_KNOWN_ANSWERS_ANSWERS_H
#define TESTS_KNOWN_ANSWERS_ANSWERS_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

/* To be freed by json_decref. */
static inline json_t *answers_read(const char *path)
{
    json_error_t error;
    json_t *file = json_load_file(path, 0, &error);
    if (file == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return file;
}

static inline json_t *answers_get(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL)
        fail_msg("expected a key \"%s\"", key);
    return value;
}

static inline const char *answers_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(answers_get(object, key));
    assert_non_null(text);
    return text;
}

static inline uint64_t answers_number(const json_t *object, const char *key)
{
    const json_t *value = answers_get(object, key);
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

/* Bytes of hexadecimal digits, with a NUL behind them; to be freed. */
static inline uint8_t *answers_hex(const json_t *value, size_t *length)
{
    const char *text = json_string_value(value);
    assert_non_null(text);
    *length = strlen(text) / 2;
    uint8_t *bytes = calloc(1, *length + 1);
    assert_non_null(bytes);
    if (!bytes_from_hex(bytes, *length, text))
        fail_msg("expected hexadecimal digits, found \"%.20s\"", text);
    return bytes;
}

static inline uint8_t *answers_bytes(const json_t *object, const char *key, size_t *length)
{
    return answers_hex(answers_get(object, key), length);
}

/* Of exactly this length. */
static inline void answers_exactly(void *out, size_t length, const json_t *object, const char *key)
{
    size_t found;
    uint8_t *bytes = answers_bytes(object, key, &found);
    if (found != length)
        fail_msg("\"%s\": expected %zu bytes, found %zu", key, length, found);
    memcpy(out, bytes, length);
    free(bytes);
}

/* What was worked out is what the file says. */
static inline void answers_expect(const void *found, size_t length, const json_t *value, const char *what)
{
    size_t expected;
    uint8_t *bytes = answers_hex(value, &expected);
    if (expected != length || memcmp(bytes, found, length) != 0)
        fail_msg("%s: expected what the file says, found other bytes", what);
    free(bytes);
}

static inline void answers_are(const void *found, size_t length, const json_t *object, const char *key)
{
    answers_expect(found, length, answers_get(object, key), key);
}

#endif
