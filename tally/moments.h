/* Grouped, weighted moments: the sums of TALLY_MOMENTS blocks. Internal to tally/. */
#ifndef TALLY_MOMENTS_H
#define TALLY_MOMENTS_H

#include "tally/evaluate.h"
#include "tally/tally.h"

/* Where a block's expressions stand among the roots of the main program: filter, group, weight, then the
 * terms. */
struct moments_plan {
    const struct tally_block *block;
    const struct tally_extent *extent;
    size_t roots;
    size_t n_groups, n_values; /* count = n_groups · n_values */
    double weight_bound, term_bound;
};
enum { MOMENTS_FILTER, MOMENTS_GROUP, MOMENTS_WEIGHT, MOMENTS_TERMS };

void moments_plan(struct moments_plan *plan, const struct tally_block *block,
                  const struct tally_extent *extent, size_t roots);
/* Bytes that one thread's sums of this block take. */
size_t moments_memory(const struct moments_plan *plan);

struct moments; /* the sums of all planned blocks in one thread */

/* Errors: MAILLE_MEMORY. scalar: fixed_of for every product. plans must outlive it. */
enum maille_code moments_new(struct moments **moments, const struct moments_plan *plans, size_t n_plans,
                             bool scalar, struct maille_error *error) MAILLE_CHECKED;
void moments_free(struct moments *moments); /* wipes */

/* Adds the n rows that the evaluator evaluated last. patients: their patient index, rows of one patient
 * adjacent and never in two threads; NULL where every row is a patient of its own. Errors: MAILLE_FAILED (a
 * domain error in a row that counts), MAILLE_CORRUPT (a value outside of the public bounds that the sums are
 * scaled by). */
enum maille_code moments_add(struct moments *moments, const struct evaluator *evaluator, size_t n,
                             const int32_t *patients, struct maille_error *error) MAILLE_CHECKED;

/* Brings together what is still kept apart: before moments_merge and moments_write. */
void moments_settle(struct moments *moments);

/* into += from, sum by sum. */
void moments_merge(struct moments *into, const struct moments *from);

/* The words of all planned blocks, at their extents. */
void moments_write(uint8_t *words, const struct moments *moments);

#endif
