/* A release: sums that passed disclosure control. The gate alone makes one (and, for custodians,
 * disclosure/threshold.h); crypto/ masks it; nothing else can read it. */
#ifndef DISCLOSURE_RELEASE_H
#define DISCLOSURE_RELEASE_H

#include <stddef.h>
#include <stdint.h>

/* bytes of words of one width (8 or 16). */
struct word_run {
    uint64_t bytes;
    uint32_t width;
};

struct release; /* opaque; made by disclosure/gate.h, freed (wiped) with release_free */
void release_free(struct release *release);

/* The whole vector x_i of one round in study order, and its runs. Borrowed. */
const uint8_t *release_words(const struct release *release, size_t *length);
const struct word_run *release_runs(const struct release *release, size_t *n);

#endif
