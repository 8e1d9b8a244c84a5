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

/* Whether a pseudonym has a character that nobody sees in a list of one a line: those of display_hidden, a
 * tab or a line break. Its name. Whoever is called so could not be named by who wants to object. */
bool text_hidden_in_name(char name[DISPLAY_NAME], const char *text, size_t length);

/* A date as 2026-01-31 or 31/01/2026 in days since 1970-01-01; false for anything else. */
bool text_date(int32_t *days, const char *text, size_t length);

#endif
