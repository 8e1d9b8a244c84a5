/* What a researcher may ask instead of a cohort that is too near to another: the other, where it is
 * published. In the words of the directory, without a number. */
#ifndef VAULT_OFFER_H
#define VAULT_OFFER_H

#include "vault/private.h"

/* Per analysis of the study the first published cohort that its own is near to, by the totals of T1, as a
 * study's `cohort` says it (PUBLISHED_EVERYBODY: none); NULL: it is near to none. What the plan refuses for
 * anything else than that it is near has no offer: between groups of few patients whether one is near tells
 * whether somebody is there. Nor has what is near to an earlier question alone: one refusal would say of many
 * questions which of them are near. In arena. */
void vault_offers(const char **offers, const struct query *query, const struct threshold *threshold,
                  const uint8_t *totals, const struct plan *plan, struct arena *arena);

#endif
