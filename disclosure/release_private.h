/* What a release is made of. Included by release.c, which frees it, and by gate.c and threshold.c, which
 * alone make one. */
#ifndef DISCLOSURE_RELEASE_PRIVATE_H
#define DISCLOSURE_RELEASE_PRIVATE_H

#include "base/bytes.h"
#include "disclosure/release.h"

struct release {
    struct bytes words;    /* x_i: the clear sums of one round; wiped at the end */
    struct word_run *runs; /* n_runs entries that tile the words */
    size_t n_runs;
};

#endif
