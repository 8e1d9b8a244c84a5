/* What results showed of groups (disclosure/shown.h), in the ledger's file: of each query what its plan lets
 * be shown, from the plan on, for the rest of the epoch. Counts of patients stand in it, of groups that
 * results show. Decision 0017. */
#ifndef DISCLOSURE_LEDGER_SHOWN_H
#define DISCLOSURE_LEDGER_SHOWN_H

#include "disclosure/ledger.h"
#include "disclosure/shown.h"

/* T2: what the plans of all other queries of this epoch let be shown, into arena, and that this query has
 * seen that much. A query that ended before anything of it was shown does not count. MAILLE_CORRUPT. */
enum maille_code ledger_shown_before(struct shown *before, struct arena *arena, struct ledger *ledger,
                                     const uint8_t *query, uint32_t epoch,
                                     struct maille_error *error) MAILLE_CHECKED;

#endif
