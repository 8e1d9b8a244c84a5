/* Which rows count in a block of a spec: membership, no value. */
#ifndef TALLY_MEMBERS_H
#define TALLY_MEMBERS_H

#include "tally/tally.h"

/* Called with up to a thousand rows of a block, in ascending order: counts[r] is 1 where row first + r
 * counts. */
typedef enum maille_code tally_member_rows(void *context, size_t block, size_t first, const uint8_t *counts,
                                           size_t n, struct maille_error *error);

/* The rows for which the filter of spec's block `block` is true; the block may have nothing else (a count of
 * everybody). Errors: MAILLE_FAILED where a row meets a domain error, MAILLE_CORRUPT, MAILLE_MEMORY; what
 * `rows` returns. */
enum maille_code tally_members(const struct tally_spec *spec, size_t block, struct columns *columns,
                               tally_member_rows *rows, void *context,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
