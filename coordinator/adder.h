/* The blind adder of one round: takes masked vectors segment by segment, keeps their leaves, adds, and
 * believes a vector only when its root is the one its site signed. It sees nothing but ciphertext: every word
 * is masked by what the sites share. */
#ifndef COORDINATOR_ADDER_H
#define COORDINATOR_ADDER_H

#include "crypto/mask.h"

struct adder; /* opaque */

/* Vectors of `length` bytes of n members (ascending). runs: as the start message has them; their bytes must
 * add up to length (MAILLE_PROTOCOL). Whole vectors are held when n·length ≤ held_max bytes. MAILLE_MEMORY.
 */
enum maille_code adder_new(struct adder **adder, uint64_t length, const uint32_t *members, size_t n,
                           const struct word_run *runs, size_t n_runs, size_t held_max,
                           struct maille_error *error) MAILLE_CHECKED;
void adder_free(struct adder *adder);

/* The root that a member signed. Must come before its segments. A vector of 0 bytes is complete with this;
 * MAILLE_SIGNATURE when the root is not that of an empty vector. */
enum maille_code adder_expect(struct adder *adder, uint32_t site, const struct digest *root,
                              struct maille_error *error) MAILLE_CHECKED;
bool adder_expects(const struct adder *adder, uint32_t site);

/* One segment. Only the next one of a site is taken (*taken); any other is ignored, since it will be asked
 * for again. When the last is there and the root is another (MAILLE_SIGNATURE), what the site sent is
 * dropped; where vectors are not held, that spoils the sum and every site starts again. MAILLE_PROTOCOL:
 * wrong length.
 */
enum maille_code adder_segment(struct adder *adder, uint32_t site, uint64_t index, const uint8_t *data,
                               size_t length, bool *taken, struct maille_error *error) MAILLE_CHECKED;

size_t adder_segments(const struct adder *adder); /* per vector */
uint64_t adder_next(const struct adder *adder,
                    uint32_t site); /* the segment that is awaited; adder_segments when complete */
bool adder_has(const struct adder *adder, uint32_t site); /* complete, and its root is right */
bool adder_complete(const struct adder *adder);           /* all members */
bool adder_holds(const struct adder *adder);              /* vectors are held */

/* When complete: the sum of all vectors, `length` bytes, and its root. */
const uint8_t *adder_sum(const struct adder *adder, struct digest *root);
/* A complete member's vector (NULL where not held) and its leaves. */
const uint8_t *adder_vector(const struct adder *adder, uint32_t site);
const struct digest *adder_leaves(const struct adder *adder, uint32_t site);

#endif
