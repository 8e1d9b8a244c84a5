/* A growing list of heads. Inside audit/ alone. */
#ifndef AUDIT_HEADS_H
#define AUDIT_HEADS_H

#include "audit/verify.h"

/* Room for `more` heads: after it that many heads_put cannot fail. MAILLE_MEMORY. */
enum maille_code heads_reserve(struct audit_heads *heads, size_t more,
                               struct maille_error *error) MAILLE_CHECKED;
/* Adds one; latest: in place of the party's head before, whatever its size. */
void heads_put(struct audit_heads *heads, const char *witness, uint64_t sequence,
               const struct audit_seen *seen, bool latest);
/* Forgets the first ones where there are more than twice as many as `most`, down to that. */
void heads_keep(struct audit_heads *heads, size_t most);
/* The last one of a party; NULL: none. */
const struct audit_witness_head *heads_find(const struct audit_heads *heads, const char *party);

#endif
