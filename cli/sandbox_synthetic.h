/* Patients out of a dictionary alone, so that a study can be tried before any hospital is asked. */
#ifndef CLI_SANDBOX_SYNTHETIC_H
#define CLI_SANDBOX_SYNTHETIC_H

#include "base/bytes.h"
#include "query/dictionary.h"

enum { SYNTHETIC_ROWS_MAX = 1000000 };

/* Appends a CSV file of n patients, a row each, that passes the import: types, bounds, resolution, levels,
 * missing values (one in fifty) and orders of dates are the dictionary's; the key is synthetic-0000001 and so
 * on. Every variable is drawn by itself, the dates of an order after one another: numbers from 0 and
 * durations fall off exponentially (what is beyond the bounds stands at the last: the end of a follow-up),
 * other numbers are bell-shaped, earlier levels are more frequent, dates are spread evenly. Nothing is
 * related to anything. The same seed gives the same bytes on one machine. MAILLE_INVALID: an order of dates
 * that no dates can keep. */
enum maille_code sandbox_synthetic(struct bytes *out, const struct dictionary *dictionary, uint64_t n,
                                   uint64_t seed, struct maille_error *error) MAILLE_CHECKED;

#endif
