#include "web/words.h"

#include <stddef.h>

struct row {
    const char *name;
    const char *texts[LANGUAGES];
    int of_script;
};

static const struct row rows[WEB_WORDS_N] = {
#define ROW(name, en, fr) [WEB_##name] = {#name, {en, fr}, 0},
#define SCRIPT_ROW(name, en, fr) [WEB_##name] = {#name, {en, fr}, 1},
    WEB_WORDS(ROW, SCRIPT_ROW)};

const char *web_word(enum language language, enum web_word word)
{
    return rows[word].texts[language];
}

const char *web_script_word(enum language language, unsigned n, const char **name)
{
    for (size_t i = 1; i < WEB_WORDS_N; i++)
        if (rows[i].of_script && n-- == 0) {
            *name = rows[i].name;
            return rows[i].texts[language];
        }
    return NULL;
}
