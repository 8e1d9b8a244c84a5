/* A tally in words: what a site is asked to add up. */
#ifndef TALLY_DESCRIBE_H
#define TALLY_DESCRIBE_H

#include "tally/tally.h"

/* Appends one line per block, each starting with `indent` and ending with a newline, e.g.
 *     "rows, per chemo x exit time on the grid x event: 1184 whole numbers"
 *     "sum of 6 terms (age, size is 20-50, …), per exit time on the grid, weighted: 1782 numbers". */
void tally_spec_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                      const struct dictionary *dictionary, const char *indent);

/* Appends the numbers of a site's tally, one line per group and value under the line of each block, e.g.
 *     "        chemo TRUE, grade 2: 118"
 *     "        chemo TRUE: age × age: 3821.5". At most `lines` lines a block; zeros are counted, not listed.
 * Patients' sums: for the site's own eyes. */
void tally_numbers_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                         const uint8_t *words, const struct dictionary *dictionary, const char *indent,
                         size_t lines);

#endif
