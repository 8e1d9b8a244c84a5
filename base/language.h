/* The languages in which a person is told something: the order of every table of words. */
#ifndef BASE_LANGUAGE_H
#define BASE_LANGUAGE_H

#include "base/error.h"

enum language { LANGUAGE_EN, LANGUAGE_FR, LANGUAGES };

/* option (--lang; may be NULL), else LC_ALL, LC_MESSAGES, LANG; English where none of them says fr.
 * MAILLE_INVALID: an option that is neither en nor fr. */
enum maille_code language_choose(enum language *language, const char *option,
                                 struct maille_error *error) MAILLE_CHECKED;

#endif
