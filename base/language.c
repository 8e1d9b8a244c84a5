#include "base/language.h"

#include <stdlib.h>
#include <string.h>

enum maille_code language_choose(enum language *language, const char *option, struct maille_error *error)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    if (option != NULL) {
        if (strcmp(option, "fr") != 0 && strcmp(option, "en") != 0)
            return maille_fail(error, MAILLE_INVALID, "expected --lang fr or en, found \"%s\"", option);
        *language = option[0] == 'f' ? LANGUAGE_FR : LANGUAGE_EN;
        return MAILLE_OK;
    }
    *language = LANGUAGE_EN;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value == NULL || value[0] == '\0')
            continue;
        *language = strncmp(value, "fr", 2) == 0 ? LANGUAGE_FR : LANGUAGE_EN;
        break;
    }
    return MAILLE_OK;
}
