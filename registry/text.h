/* Text of a site's file: encodings and spaces. */
#ifndef REGISTRY_TEXT_H
#define REGISTRY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/display.h"

/* Whether length bytes are UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF). A sequence
 * that the end cuts is no fault: *incomplete gets the number of its bytes (0 to 3). */
bool text_is_utf8(const char *text, size_t length, size_t *incomplete);

/* One byte from 0x80 on of Windows-1252 as UTF-8 (without NUL) into to, which has room for three; returns how
 * many bytes. The five bytes without a meaning become the control of the same number, as the WHATWG Encoding
 * Standard does. */
size_t text_put_windows_1252(char *to, unsigned char byte);

/* The text without the spaces and tabs around it: its first byte, and *length shortened. */
const char *text_trim(const char *text, size_t *length);

/* The character at text (length > 0 bytes of UTF-8): how many bytes it has, and its number. */
size_t text_point(uint32_t *point, const char *text, size_t length);

/* A blank that is neither space nor tab (U+00A0, U+202F …); a mark that belongs to the letter before it
 * (U+0301: é in two characters, as NFD has it). */
bool text_is_odd_blank(uint32_t point);
bool text_is_mark(uint32_t point);

/* Whether a text is one of these words. */
bool text_is_among(const char *const *words, size_t n, const char *text, size_t length);

/* The text as it is shown to people, at most 40 bytes of it: hidden characters, odd blanks and marks by their
 * names (<U+00A0>). out has room for TEXT_SHOWN bytes. */
enum { TEXT_SHOWN = 160 };
void text_show(char out[TEXT_SHOWN], const char *text, size_t length);

/* Letters and digits alone, in lower case and without accents (Latin-1 and Œ): "Âge (années)" is
 * "ageannees". out has room for length + 1 bytes. */
void text_fold(char *out, const char *text, size_t length);

/* A date as 2026-01-31 or 31/01/2026 in days since 1970-01-01; false for anything else. */
bool text_date(int32_t *days, const char *text, size_t length);

#endif
