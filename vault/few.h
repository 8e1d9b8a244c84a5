/* What a registration was refused and not shown because too few patients stand behind it, and its closing
 * (disclosure/few.h; decision 0033). Every site of a roster counts the same from the same totals, before it
 * says that it has them; nothing of a round is told before all have said so. */
#ifndef VAULT_FEW_H
#define VAULT_FEW_H

#include "vault/private.h"

/* Whether this site takes a registration for closed: as many groups as its policy (of a query with a roster:
 * the strictest of the roster) allows have counted since the authority opened it last. false where the
 * network does not register, or the policy counts nothing. */
enum maille_code vault_few_closed(bool *closed, const struct vault *vault, const struct query *query,
                                  struct maille_error *error) MAILLE_CHECKED;

/* Counts what a threshold round's totals have refused or hidden; on disk when it returns, before anything of
 * it can leave. What that closes is noted in the log and told to the operator, once. refused: of T0, per
 * analysis; plan: of T2; the other is NULL. */
enum maille_code vault_few_count(struct vault *vault, const struct query *query,
                                 const struct threshold *threshold, const bool *refused,
                                 const struct plan *plan, struct maille_error *error) MAILLE_CHECKED;

/* At a start: notes what is closed and was not noted before the program ended. */
enum maille_code vault_few_start(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;

/* Cancels a query of a registration that is closed (*ended; it is gone). Before anything more of it leaves,
 * and every second. */
enum maille_code vault_few_end(bool *ended, struct vault *vault, struct query *query,
                               struct message_outbox *outbox, struct maille_error *error) MAILLE_CHECKED;

#endif
