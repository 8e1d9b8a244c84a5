#include "registry/text.h"

#include <string.h>

#include "base/number.h"

/* Length of the sequence that this first byte announces; 0: none may start so. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    if (first >= 0xF0 && first <= 0xF4)
        return 4;
    return 0;
}

/* RFC 3629, section 4: the second byte has a narrower range after E0, ED, F0 and F4. */
static bool second_fits(unsigned char first, unsigned char second)
{
    unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

bool text_is_utf8(const char *text, size_t length, size_t *incomplete)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;
    *incomplete = 0;
    while (i < length) {
        uint64_t eight;
        while (length - i >= 8 && (memcpy(&eight, bytes + i, 8), (eight & 0x8080808080808080U) == 0))
            i += 8;
        if (i == length)
            break;
        size_t n = sequence_length(bytes[i]), there = n < length - i ? n : length - i;
        if (n == 0 || (there > 1 && !second_fits(bytes[i], bytes[i + 1])))
            return false;
        for (size_t k = 2; k < there; k++)
            if ((bytes[i + k] & 0xC0) != 0x80)
                return false;
        if (there < n)
            *incomplete = there;
        i += there;
    }
    return true;
}

size_t text_put_windows_1252(char *to, unsigned char byte)
{
    /* Windows-1252, bytes 0x80 to 0x9F (WHATWG Encoding Standard, index windows-1252); from 0xA0 on it is
     * Latin-1. */
    static const uint16_t high[32] = {
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
    };
    unsigned point = byte < 0xA0 ? high[byte - 0x80] : byte;
    if (point < 0x800) {
        to[0] = (char)(0xC0 | point >> 6);
        to[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    to[0] = (char)(0xE0 | point >> 12);
    to[1] = (char)(0x80 | (point >> 6 & 0x3F));
    to[2] = (char)(0x80 | (point & 0x3F));
    return 3;
}

const char *text_trim(const char *text, size_t *length)
{
    size_t n = *length;
    while (n > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        n--;
    }
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    *length = n;
    return text;
}

bool text_is_among(const char *const *words, size_t n, const char *text, size_t length)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
            return true;
    return false;
}

size_t text_point(uint32_t *point, const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t n = sequence_length(bytes[0]);
    if (n <= 1 || n > length) {
        *point = bytes[0];
        return 1;
    }
    uint32_t number = bytes[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        number = number << 6 | (bytes[i] & 0x3Fu);
    *point = number;
    return n;
}

bool text_is_odd_blank(uint32_t point)
{
    return point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x202F ||
           point == 0x205F || point == 0x3000;
}

bool text_is_mark(uint32_t point)
{
    return (point >= 0x300 && point <= 0x36F) || (point >= 0x1AB0 && point <= 0x1AFF) ||
           (point >= 0x1DC0 && point <= 0x1DFF) || (point >= 0x20D0 && point <= 0x20FF) ||
           (point >= 0xFE20 && point <= 0xFE2F);
}

void text_show(char out[TEXT_SHOWN], const char *text, size_t length)
{
    enum { SOURCE_MAX = 40, ROOM = 16 };
    size_t used = 0, n;
    out[0] = '\0';
    for (size_t i = 0; i < length; i += n) {
        uint32_t point;
        char name[DISPLAY_NAME];
        n = text_point(&point, text + i, length - i);
        if (i + n > SOURCE_MAX || used + ROOM > TEXT_SHOWN) {
            snprintf(out + used, TEXT_SHOWN - used, "…");
            return;
        }
        if (point < ' ' || text_is_odd_blank(point) || text_is_mark(point))
            snprintf(out + used, TEXT_SHOWN - used, "<U+%04X>", (unsigned)point);
        else if (display_hidden(name, NULL, text + i, n))
            snprintf(out + used, TEXT_SHOWN - used, "<%s>", name);
        else
            snprintf(out + used, TEXT_SHOWN - used, "%.*s", (int)n, text + i);
        used += strlen(out + used);
    }
}

void text_fold(char *out, const char *text, size_t length)
{
    /* U+00C0 to U+00FF. */
    static const char plain[] = "aaaaaaaceeeeiiiidnooooo ouuuuyts"
                                "aaaaaaaceeeeiiiidnooooo ouuuuyty";
    size_t used = 0, n;
    for (size_t i = 0; i < length; i += n) {
        uint32_t point;
        n = text_point(&point, text + i, length - i);
        if (point >= 'A' && point <= 'Z')
            out[used++] = (char)(point + 32);
        else if ((point >= 'a' && point <= 'z') || (point >= '0' && point <= '9'))
            out[used++] = (char)point;
        else if (point >= 0xC0 && point <= 0xFF && point != 0xD7 && point != 0xF7)
            out[used++] = plain[point - 0xC0];
        else if (point == 0x152 || point == 0x153)
            out[used++] = 'o';
        else if (point > 0x17F && !text_is_mark(point) && !text_is_odd_blank(point) &&
                 !display_hidden(NULL, NULL, text + i, n)) {
            memcpy(out + used, text + i, n);
            used += n;
        }
    }
    out[used] = '\0';
}

bool text_date(int32_t *days, const char *text, size_t length)
{
    char iso[11];
    const bool is_french = length == 10 && text[2] == '/' && text[5] == '/';
    if (is_french)
        snprintf(iso, sizeof iso, "%.4s-%.2s-%.2s", text + 6, text + 3, text);
    return number_parse_date(is_french ? iso : text, length, days);
}
