/* What counts against registrations (disclosure/few.h), in the ledger's file: each group once for ever, under
 * the opening of its registration in which it was first refused or hidden; and which openings it has closed.
 * Hashes of public words: no patient has a part in them. Decision 0033. */
#ifndef DISCLOSURE_LEDGER_FEW_H
#define DISCLOSURE_LEDGER_FEW_H

#include "disclosure/few.h"
#include "disclosure/ledger.h"

/* Adds what is not there yet. Where `limit` of this opening count then, it is closed, which is to be noted
 * once a limit (of a roster: the strictest of its sites); on disk when it returns. MAILLE_IO. */
enum maille_code ledger_few_add(struct ledger *ledger, const char *registration, uint32_t opening,
                                const struct few *few, int64_t limit,
                                struct maille_error *error) MAILLE_CHECKED;
/* How many count in this opening (or in a later one that a directory has forgotten), or `most`. */
enum maille_code ledger_few_count(int64_t *n, struct ledger *ledger, const char *registration,
                                  uint32_t opening, int64_t most, struct maille_error *error) MAILLE_CHECKED;

/* One that is closed and that nobody has noted yet; NULL: none. In arena. */
struct ledger_few_closed {
    const char *registration;
    uint32_t opening;
    int64_t limit;
};
enum maille_code ledger_few_unnoted(const struct ledger_few_closed **closed, struct arena *arena,
                                    struct ledger *ledger, struct maille_error *error) MAILLE_CHECKED;
enum maille_code ledger_few_noted(struct ledger *ledger, const struct ledger_few_closed *closed,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
