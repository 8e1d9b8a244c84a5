/* Which rows meet a filter: membership, no value. */
#ifndef TALLY_MEMBERS_H
#define TALLY_MEMBERS_H

#include "tally/tally.h"

/* Called with up to a thousand rows of a block, in ascending order, for one filter after the other: counts[r]
 * is 1 where row first + r counts by filter `which`. */
typedef enum maille_code tally_member_rows(void *context, size_t which, size_t block, size_t first,
                                           const uint8_t *counts, size_t n, struct maille_error *error);

/* The rows for which each of n filters is true (NULL: all); survival: what their follow-up is read from.
 * Errors: MAILLE_FAILED where a row meets a domain error, MAILLE_CORRUPT, MAILLE_MEMORY; what `rows` returns.
 */
enum maille_code tally_members(const struct expression *const *filters, size_t n,
                               const struct tally_survival *survival, struct columns *columns,
                               tally_member_rows *rows, void *context,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
