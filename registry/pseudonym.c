#include "registry/pseudonym.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "registry/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 1,23457E+12 or 1.2E-05: what a spreadsheet shows of a long number. Without a sign or a mark (12E4) it may
 * be a name. */
static bool is_rounded(const char *text, size_t length)
{
    size_t i = 0, whole, fraction = 0;
    while (i < length && is_digit(text[i]))
        i++;
    whole = i;
    if (i < length && (text[i] == ',' || text[i] == '.'))
        for (i++; i < length && is_digit(text[i]); i++)
            fraction++;
    if (whole == 0 || i + 2 >= length || (text[i] != 'E' && text[i] != 'e'))
        return false;
    const bool has_sign = text[i + 1] == '+' || text[i + 1] == '-';
    if (!has_sign && fraction == 0)
        return false;
    for (i += has_sign ? 2 : 1; i < length && is_digit(text[i]); i++)
        ;
    return i == length;
}

bool pseudonym_refused(char sentence[PSEUDONYM_SENTENCE_MAX], const char *text, size_t length)
{
    char shown[TEXT_SHOWN], name[DISPLAY_NAME];
    size_t n;
    for (size_t i = 0; i < length; i += n) {
        uint32_t point;
        n = text_point(&point, text + i, length - i);
        if (text_is_mark(point)) {
            snprintf(
                sentence, PSEUDONYM_SENTENCE_MAX,
                "expected a key whose letters are one character each (NFC), found the mark U+%04X by itself "
                "in it",
                (unsigned)point);
            return true;
        }
        const bool is_seen = point >= ' ' && !text_is_odd_blank(point);
        snprintf(name, sizeof name, "U+%04X", (unsigned)point);
        if (!is_seen || display_hidden(name, NULL, text + i, n)) {
            snprintf(sentence, PSEUDONYM_SENTENCE_MAX,
                     "expected a key that can be seen and written on one line, found %s in it", name);
            return true;
        }
    }
    text_show(shown, text, length);
    if (is_rounded(text, length)) {
        snprintf(
            sentence, PSEUDONYM_SENTENCE_MAX,
            "expected a pseudonym, found \"%s\", a number that a spreadsheet has rounded; export the column "
            "as text",
            shown);
        return true;
    }
    if (length > 0 && (text[0] == '=' || text[0] == '\'')) {
        snprintf(
            sentence, PSEUDONYM_SENTENCE_MAX,
            "expected a pseudonym, found \"%s\", which a spreadsheet has wrapped; export the column as it is",
            shown);
        return true;
    }
    return false;
}

size_t pseudonym_fold(char *out, const char *text, size_t length)
{
    size_t used = 0, n;
    for (size_t i = 0; i < length; i += n) {
        uint32_t point;
        n = text_point(&point, text + i, length - i);
        if (n == 1 && (text[i] == ' ' || text[i] == '\t'))
            continue;
        /* A zero that another digit follows and none precedes. */
        if (text[i] == '0' && i + 1 < length && is_digit(text[i + 1]) &&
            (used == 0 || !is_digit(out[used - 1])))
            continue;
        memcpy(out + used, text + i, n);
        if (point >= 'A' && point <= 'Z')
            out[used] = (char)(point + 32);
        else if (point >= 0xC0 && point <= 0xDE && point != 0xD7)
            out[used + 1] = (char)(text[i + 1] + 0x20);
        used += n;
    }
    out[used] = '\0';
    return used;
}
