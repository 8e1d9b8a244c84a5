#include "disclosure/release_private.h"

#include <stdlib.h>

void release_free(struct release *release)
{
    if (release == NULL)
        return;
    bytes_wipe(&release->words);
    free(release->runs);
    free(release);
}

const uint8_t *release_words(const struct release *release, size_t *length)
{
    *length = release->words.length;
    return release->words.data;
}

const struct word_run *release_runs(const struct release *release, size_t *n)
{
    *n = release->n_runs;
    return release->runs;
}
