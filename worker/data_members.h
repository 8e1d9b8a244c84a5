/* Who counts in an analysis: data's half of the cohort ledger. */
#ifndef WORKER_DATA_MEMBERS_H
#define WORKER_DATA_MEMBERS_H

#include "worker/data.h"

/* Fills members from the columns of a snapshot. Errors: of tally_members, parts_read and of the method's
 * cells. */
enum maille_code data_members_of(struct data_members *members, struct columns *columns,
                                 const struct analysis *analysis, bool persons,
                                 struct maille_error *error) MAILLE_CHECKED;

#endif
