/* Budgets of registrations (proto/registration.h), in the ledger's file: which distinct analyses of a
 * registration were asked, by whom and of whatever snapshot. One counts while its query is open, and for ever
 * once its head counts were pooled or something of it was shown, whatever came out: an analysis that was
 * answered, or refused for what was counted, costs nothing when it is asked again. What is here are public
 * facts: no patient has a part in them. Decision 0015. */
#ifndef DISCLOSURE_LEDGER_REGISTRATION_H
#define DISCLOSURE_LEDGER_REGISTRATION_H

#include "disclosure/ledger.h"

/* An analysis of a query: its number in the study, and the hash of its canonical bytes. */
struct ledger_asked {
    uint32_t analysis;
    bool is_model;
    uint8_t hash[LEDGER_HASH_BYTES];
};

/* Whether an analysis counts for this registration already. */
enum maille_code ledger_registration_has(bool *has, struct ledger *ledger, const char *registration,
                                         const struct ledger_asked *asked,
                                         struct maille_error *error) MAILLE_CHECKED;
/* Distinct analyses of a registration, [0] tables and [1] models: all of them, and those that this query
 * alone has reserved. */
enum maille_code ledger_registration_spent(int64_t spent[2], int64_t added[2], struct ledger *ledger,
                                           const char *registration, const uint8_t *query,
                                           struct maille_error *error) MAILLE_CHECKED;
/* M1, after ledger_reserve: what the query asks. Analyses without a group there do not count. */
enum maille_code ledger_registration_reserve(struct ledger *ledger, const char *registration,
                                             const uint8_t *query, const struct ledger_asked *asked, size_t n,
                                             struct maille_error *error) MAILLE_CHECKED;

#endif
