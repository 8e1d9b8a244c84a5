/* Rules of a patient's pseudonym, in an export and in a list of objections alike: an objection must not miss
 * its patient for a character that nobody sees. */
#ifndef REGISTRY_PSEUDONYM_H
#define REGISTRY_PSEUDONYM_H

#include <stdbool.h>
#include <stddef.h>

enum { PSEUDONYM_SENTENCE_MAX = 256 };

/* Whether this text (without spaces around it) is no pseudonym: a hidden character, a blank other than a
 * space, a letter in two characters (NFD), a number that a spreadsheet has rounded (1,23457E+12), or what it
 * writes to keep a text one (="007", '007). sentence says what was expected and found. */
bool pseudonym_refused(char sentence[PSEUDONYM_SENTENCE_MAX], const char *text, size_t length);

/* What two pseudonyms that differ in case, blanks and leading zeros alone have in common: "P 007" and "p7"
 * are "p7". out has room for length + 1 bytes. Returns its length. */
size_t pseudonym_fold(char *out, const char *text, size_t length);

#endif
