/* Units of work: the patients whose first row stands in one block of the columns, handed out EVALUATE_ROWS
 * rows at a time together with their follow-up on the grid. Internal to tally/. */
#ifndef TALLY_UNIT_H
#define TALLY_UNIT_H

#include "tally/evaluate.h"
#include "tally/tally.h"

struct unit_plan {
    size_t n; /* units: as many as blocks */
    const struct tally_survival *survival;
    struct program program; /* filter, start, stop, event of survival */
    bool whole_patients;    /* rows of one patient must stay together: head counts or delayed entry, where
                             * patients have    several rows */
};

enum maille_code unit_plan(struct unit_plan *plan, const struct tally_spec *spec, struct columns *columns,
                           struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
bool unit_survival_may_fail(const struct unit_plan *plan);

struct unit; /* of one thread */

enum maille_code unit_new(struct unit **unit, const struct unit_plan *plan, struct columns *columns,
                          struct maille_error *error) MAILLE_CHECKED;
void unit_free(struct unit *unit);

/* Begins unit `number`. Errors: those of columns_block, evaluate_rows and survival_rows. */
enum maille_code unit_start(struct unit *unit, size_t number, struct maille_error *error) MAILLE_CHECKED;

struct unit_rows {
    size_t block, first, n;  /* n ≤ EVALUATE_ROWS rows of a block */
    bool new_block;          /* the block is another than before */
    const int32_t *patients; /* NULL where every row is a patient of its own, or nobody asks */
};

/* The next rows; false at the end of the unit. */
bool unit_next(struct unit *unit, struct unit_rows *rows);

/* Follow-up of these rows; all NULL where the spec has none. Valid until the next call. */
enum maille_code unit_survival(struct unit *unit, struct evaluate_survival *survival,
                               const struct unit_rows *rows, struct maille_error *error) MAILLE_CHECKED;

#endif
