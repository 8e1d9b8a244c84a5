#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static void put_words(struct json_put *put, const char *words)
{
    bytes_put(put->out, words, strlen(words));
}

/* Length of the UTF-8 character at c, or 0 where it is none (RFC 3629: no surrogates, shortest form). */
static size_t character_length(const unsigned char *c)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = c[0] < 0x80 ? 1 : c[0] >> 5 == 6 ? 2 : c[0] >> 4 == 14 ? 3 : c[0] >> 3 == 30 ? 4 : 0;
    if (length < 2)
        return length;
    unsigned code = c[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (c[i] >> 6 != 2)
            return 0;
        code = code << 6 | (c[i] & 0x3Fu);
    }
    return code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : length;
}

static void put_quoted(struct json_put *put, const char *text)
{
    put_words(put, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        size_t length = character_length(c);
        char escaped[8];
        if (length == 0)
            put_words(put, "\xEF\xBF\xBD");
        else if (*c == '"' || *c == '\\')
            put_words(put, *c == '"' ? "\\\"" : "\\\\");
        else if (*c == '\n')
            put_words(put, "\\n");
        else if (*c < 0x20 || *c == 0x7F) {
            snprintf(escaped, sizeof escaped, "\\u%04x", *c);
            put_words(put, escaped);
        } else
            bytes_put(put->out, c, length);
        c += length == 0 ? 1 : length;
    }
    put_words(put, "\"");
}

static void new_line(struct json_put *put)
{
    if (!put->lines)
        return;
    put_words(put, "\n");
    for (unsigned i = 0; i < put->depth; i++)
        put_words(put, " ");
}

/* What stands before every value: a comma, a line, its key. */
static void begin(struct json_put *put, const char *name)
{
    if (put->more[put->depth])
        put_words(put, put->lines ? "," : ", ");
    put->more[put->depth] = true;
    if (put->depth > 0)
        new_line(put);
    if (name != NULL) {
        put_quoted(put, name);
        put_words(put, ": ");
    }
}

static void open_with(struct json_put *put, const char *name, char opening, char closing)
{
    begin(put, name);
    bytes_put_u8(put->out, (uint8_t)opening);
    assert(put->depth < JSON_PUT_DEPTH_MAX);
    put->depth++;
    put->more[put->depth] = false;
    put->closing[put->depth] = closing;
}

void json_put_object(struct json_put *put, const char *name)
{
    open_with(put, name, '{', '}');
}

void json_put_list(struct json_put *put, const char *name)
{
    open_with(put, name, '[', ']');
}

void json_put_end(struct json_put *put)
{
    assert(put->depth > 0);
    const bool any = put->more[put->depth];
    const char closing = put->closing[put->depth];
    put->depth--;
    if (any)
        new_line(put);
    bytes_put_u8(put->out, (uint8_t)closing);
}

void json_put_text(struct json_put *put, const char *name, const char *text)
{
    begin(put, name);
    if (text == NULL)
        put_words(put, "null");
    else
        put_quoted(put, text);
}

void json_put_integer(struct json_put *put, const char *name, int64_t value)
{
    char digits[32];
    begin(put, name);
    snprintf(digits, sizeof digits, "%" PRId64, value);
    put_words(put, digits);
}

void json_put_number(struct json_put *put, const char *name, double value)
{
    char digits[32] = "null";
    begin(put, name);
    if (isfinite(value))
        number_format_double(digits, value);
    put_words(put, digits);
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *c)
{
    c += *c == '-';
    const size_t whole = strspn(c, "0123456789");
    if (whole == 0 || (whole > 1 && *c == '0'))
        return false;
    c += whole;
    if (*c == '.') {
        const size_t digits = strspn(++c, "0123456789");
        if (digits == 0)
            return false;
        c += digits;
    }
    if (*c == 'e' || *c == 'E') {
        c++;
        c += *c == '+' || *c == '-';
        const size_t digits = strspn(c, "0123456789");
        if (digits == 0)
            return false;
        c += digits;
    }
    return *c == '\0';
}

void json_put_decimal(struct json_put *put, const char *name, const char *decimal)
{
    begin(put, name);
    put_words(put, is_number(decimal) ? decimal : "null");
}

void json_put_boolean(struct json_put *put, const char *name, bool value)
{
    begin(put, name);
    put_words(put, value ? "true" : "false");
}
