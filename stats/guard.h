/* The head counts that guard a block of a round.
 *
 * Every block that a method plans names the blocks of its `cells` on which it depends; a block that names
 * none is not planned. What the threshold rounds took away is taken out of the block by stats/round.c, in one
 * place, and the gate works it out again before anything leaves (disclosure/gate.h): a method never does.
 *
 * The groups of a block (of moments; of a site's own: its numbers; of risk sets: all as one) are cut into
 * `parts` runs of equal length, and so are the cells of the guard. A run stands while all cells of its run
 * were kept; of a curve (CELL_AT_RISK) before the last bin that was, so that as many are left behind it. */
#ifndef STATS_GUARD_H
#define STATS_GUARD_H

#include "stats/method.h"

#define GUARD_UNCOUNTED SIZE_MAX   /* as a block: no head count stands behind these numbers */
#define GUARD_SITES (SIZE_MAX - 1) /* as a block: none does, and the sites alone see them */
#define GUARD_NOWHERE SIZE_MAX     /* in `to`: rows of this cell are not tallied */

struct guard {
    size_t block; /* of method.cells */
    size_t parts; /* 0: as many as the guard has cells */
    /* Of CELL_MERGE: the run that the rows of each cell are counted in. A joined step must be in one run;
     * runs that nothing goes to do not stand. NULL elsewhere. */
    const size_t *to;
    /* Bit i: it speaks for group i of every run alone; 0: for all. A group for which nobody speaks does not
     * stand. */
    uint64_t places;
    const struct guard *also; /* what must stand too; NULL: nothing */
};

/* Sums over all who are in the analysis: they leave when it does. */
extern const struct guard guard_cohort;
/* How many rows miss something. */
extern const struct guard guard_missing;
/* Numbers that nobody can count beforehand: behind threshold rounds they are not asked for. */
extern const struct guard guard_uncounted;
/* Likewise, of which the result tells one number about everybody in the analysis: behind threshold rounds
 * they are asked for where sums are opened to the sites alone and pooled (surviving->closed). */
extern const struct guard guard_sites;
/* Is it one of head counts? (It and what must stand too may differ.) */
bool guard_is_counted(const struct guard *guard);

/* Each cell guards its own groups: as many as there are cells, or some in each. */
const struct guard *guard_each(struct arena *arena, size_t block);
/* Run by run. */
const struct guard *guard_parts(struct arena *arena, size_t block, size_t parts);
/* All cells guard all groups. */
const struct guard *guard_whole(struct arena *arena, size_t block);
/* Joined steps: `parts` runs, to and places as above; to lives as long as the plan. */
const struct guard *guard_joined(struct arena *arena, size_t block, size_t parts, const size_t *to,
                                 uint64_t places);
/* This one for some places of every run alone. */
const struct guard *guard_places(struct arena *arena, const struct guard *guard, uint64_t places);
/* Both; b: one or more. */
const struct guard *guard_both(struct arena *arena, const struct guard *a, const struct guard *b);
/* The same head counts where `first` blocks stand before them. */
const struct guard *guard_behind(struct arena *arena, const struct guard *guard, size_t first);

/* What may leave of a block of a plan: one byte a group, as tally_block.kept; NULL: all. surviving NULL:
 * there were no threshold rounds. Errors: MAILLE_INTERNAL, a method that names no guard, or one that is not
 * there or does not fit; MAILLE_FAILED never. */
enum maille_code guard_mask(const uint8_t **kept, const struct tally_spec *spec, size_t block,
                            const struct cells *cells, const struct surviving *surviving, struct arena *arena,
                            struct maille_error *error) MAILLE_CHECKED;

#endif
