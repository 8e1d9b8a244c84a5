/* A release without the gate, for test programs that do not link disclosure/: they alone define what
 * disclosure/release.c defines elsewhere. Included once in a program. */
#ifndef DISCLOSURE_RELEASE_UNGATED_H
#define DISCLOSURE_RELEASE_UNGATED_H

#include "disclosure/release.h"

struct release {
    const uint8_t *words;
    size_t length;
    const struct word_run *runs;
    size_t n_runs;
};

const uint8_t *release_words(const struct release *release, size_t *length)
{
    *length = release->length;
    return release->words;
}

const struct word_run *release_runs(const struct release *release, size_t *n)
{
    *n = release->n_runs;
    return release->runs;
}

#endif
