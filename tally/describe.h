/* A tally in words: what a site is asked to add up. `maille check`, the officer's `pending` and `preview`,
 * and the message log say it in these words and in no others, so that what a person approved is what she
 * finds in the log. Expressions are written by expression_words (query/words.h). */
#ifndef TALLY_DESCRIBE_H
#define TALLY_DESCRIBE_H

#include "tally/tally.h"

/* What the block's numbers are, e.g. "rows by chemo where complete(dtime, death)", "sums of products of 3
 * terms (age, nodes, size is 20-50) by chemo". cohort: the analysis's, which goes without saying; NULL:
 * everyone. */
void tally_block_words(struct bytes *out, const struct tally_block *block, const struct expression *cohort,
                       const struct dictionary *dictionary);
/* One group of a block of moments, level < tally_block_groups: "chemo = TRUE, grade = 2". Nothing where the
 * block has no groups. */
void tally_group_words(struct bytes *out, const struct tally_block *block, size_t level,
                       const struct dictionary *dictionary);
/* One value of a group of a block of moments: "age", "age x nodes"; of order 0 what is counted: "rows". */
void tally_value_words(struct bytes *out, const struct tally_block *block, size_t index,
                       const struct dictionary *dictionary);

/* Appends one line per block, each starting with `indent` and ending with a newline, e.g.
 *     "rows by chemo where complete(dtime, death): 2 whole numbers". */
void tally_spec_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                      const struct expression *cohort, const struct dictionary *dictionary,
                      const char *indent);

/* Appends the numbers of a site's tally, one line per group and value under the line of each block, e.g.
 *     "        chemo = TRUE, grade = 2: 118"
 *     "        chemo = TRUE: age x age: 3821.5". At most `lines` lines a block; zeros are counted, not
 * listed. Patients' sums: for the site's own eyes. */
void tally_numbers_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                         const uint8_t *words, const struct expression *cohort,
                         const struct dictionary *dictionary, const char *indent, size_t lines);

/* Such words in French, as far as they are known. In arena. */
const char *tally_words_french(struct arena *arena, const char *text);
/* The text with every `from` as `to`. In arena. */
const char *tally_words_replace(struct arena *arena, const char *text, const char *from, const char *to);

#endif
