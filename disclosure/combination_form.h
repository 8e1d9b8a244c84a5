/* The words of a group as something that can be compared without its study: a formula over the values of
 * single variables of the dictionary. Public, and the same at every site.
 *
 *   form     = node, as bytes
 *   node     = u8 FORM_AND | FORM_OR, u32 n, n nodes
 *            | u8 FORM_NOT, node
 *            | u8 FORM_TRUE
 *            | u8 FORM_RANGES, name of the variable (u64 length, bytes), u8 code where it is missing, f64
 * least value, u32 n, n times (f64 last value of a run, ascending; u8 code of the run) | u8 FORM_WHOLE,
 * FORM_HASH_BYTES: a condition over several variables that stands for itself
 *
 * Codes are 1 (true), 0 (false) and FORM_MISSING. */
#ifndef DISCLOSURE_COMBINATION_FORM_H
#define DISCLOSURE_COMBINATION_FORM_H

#include "base/arena.h"
#include "tally/tally.h"

enum form_tag { FORM_AND = 1, FORM_OR, FORM_NOT, FORM_TRUE, FORM_RANGES, FORM_WHOLE };
enum {
    FORM_MISSING = 2,
    FORM_HASH_BYTES = 16,
    FORM_BYTES_MAX = 16384, /* of a group that can be compared */
    FORM_DEPTH_MAX = 64
};

/* A hash that nobody can make two texts for; this room has none of its own. */
typedef void form_hash(uint8_t out[FORM_HASH_BYTES], const uint8_t *data, size_t length);

/* Appends the form of the rows that a block of head counts counts. MAILLE_MEMORY. */
enum maille_code combination_form(struct bytes *out, const struct tally_block *block,
                                  const struct tally_survival *survival, const struct dictionary *dictionary,
                                  form_hash *hash, struct maille_error *error) MAILLE_CHECKED;

#endif
