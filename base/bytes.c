#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_clear(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_wipe(struct bytes *bytes)
{
    if (bytes->data != NULL)
        explicit_bzero(bytes->data, bytes->capacity);
    bytes_clear(bytes);
}

uint8_t *bytes_reserve(struct bytes *bytes, size_t length)
{
    size_t need;
    if (bytes->failed || __builtin_add_overflow(bytes->length, length, &need)) {
        bytes->failed = true;
        return NULL;
    }
    if (need > bytes->capacity || bytes->data == NULL) {
        size_t capacity = bytes->capacity < 64 ? 64 : bytes->capacity;
        while (capacity < need && !__builtin_mul_overflow(capacity, (size_t)2, &capacity))
            ;
        /* Not realloc: the old bytes may be secret and are wiped before they are given back. */
        uint8_t *data = capacity >= need ? malloc(capacity) : NULL;
        if (data == NULL) {
            bytes->failed = true;
            return NULL;
        }
        if (bytes->data != NULL) {
            memcpy(data, bytes->data, bytes->length);
            explicit_bzero(bytes->data, bytes->length);
            free(bytes->data);
        }
        bytes->data = data;
        bytes->capacity = capacity;
    }
    uint8_t *out = bytes->data + bytes->length;
    memset(out, 0, length);
    bytes->length = need;
    return out;
}

void bytes_put(struct bytes *bytes, const void *data, size_t length)
{
    uint8_t *out = bytes_reserve(bytes, length);
    if (out != NULL && length > 0)
        memcpy(out, data, length);
}

void bytes_put_u8(struct bytes *bytes, uint8_t value)
{
    bytes_put(bytes, &value, 1);
}

void bytes_put_u32(struct bytes *bytes, uint32_t value)
{
    uint8_t raw[4];
    for (int i = 0; i < 4; i++)
        raw[i] = (uint8_t)(value >> (8 * i));
    bytes_put(bytes, raw, sizeof raw);
}

void bytes_put_u64(struct bytes *bytes, uint64_t value)
{
    uint8_t raw[8];
    le64_store(raw, value);
    bytes_put(bytes, raw, sizeof raw);
}

void bytes_put_f64(struct bytes *bytes, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bytes_put_u64(bytes, bits);
}

void bytes_put_block(struct bytes *bytes, const void *data, size_t length)
{
    bytes_put_u64(bytes, length);
    bytes_put(bytes, data, length);
}

void bytes_put_string(struct bytes *bytes, const char *string)
{
    bytes_put_block(bytes, string, string == NULL ? 0 : strlen(string));
}

void bytes_put_text(struct bytes *bytes, const char *text)
{
    bytes_put(bytes, text, strlen(text));
}

void bytes_printf(struct bytes *bytes, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    uint8_t *out = length < 0 ? NULL : bytes_reserve(bytes, (size_t)length + 1);
    if (out != NULL) {
        vsnprintf((char *)out, (size_t)length + 1, format, again);
        bytes->length--; /* the NUL */
    }
    bytes->failed = bytes->failed || length < 0;
    va_end(again);
}

enum maille_code bytes_check(const struct bytes *bytes, struct maille_error *error)
{
    if (bytes->failed)
        return maille_fail(error, MAILLE_MEMORY,
                           "expected memory for %zu bytes, found none; free some and try again",
                           bytes->length);
    return MAILLE_OK;
}

enum maille_code bytes_copy(struct bytes *to, const void *data, size_t length)
{
    to->length = 0;
    to->failed = false; /* memory that was short once may be there now */
    bytes_put(to, data, length);
    return to->failed ? MAILLE_MEMORY : MAILLE_OK;
}

struct reader reader_of(const void *data, size_t length)
{
    static const uint8_t nothing[1];
    const uint8_t *start = data == NULL ? nothing : data;
    return (struct reader){.next = start, .end = start + (data == NULL ? 0 : length), .bad = false};
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->next);
}

const uint8_t *reader_take(struct reader *reader, size_t length)
{
    if (reader->bad || reader_left(reader) < length) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *taken = reader->next;
    reader->next += length;
    return taken;
}

uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *raw = reader_take(reader, 1);
    return raw == NULL ? 0 : *raw;
}

uint32_t reader_u32(struct reader *reader)
{
    const uint8_t *raw = reader_take(reader, 4);
    uint32_t value = 0;
    for (int i = 3; raw != NULL && i >= 0; i--)
        value = value << 8 | raw[i];
    return value;
}

uint64_t reader_u64(struct reader *reader)
{
    const uint8_t *raw = reader_take(reader, 8);
    return raw == NULL ? 0 : le64_load(raw);
}

double reader_f64(struct reader *reader)
{
    uint64_t bits = reader_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

const uint8_t *reader_block(struct reader *reader, size_t limit, size_t *length)
{
    uint64_t size = reader_u64(reader);
    *length = 0;
    if (reader->bad || size > limit || size > reader_left(reader)) {
        reader->bad = true;
        return NULL;
    }
    *length = (size_t)size;
    return reader_take(reader, (size_t)size);
}

bool reader_done(const struct reader *reader)
{
    return !reader->bad && reader->next == reader->end;
}

void bytes_to_hex(char *out, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * length] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool bytes_from_hex(void *out, size_t length, const char *hex)
{
    uint8_t *bytes = out;
    if (strlen(hex) != 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool byte_view_equal(struct byte_view a, struct byte_view b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}
