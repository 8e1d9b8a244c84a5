/* The cohorts that count as shown in a query: those that the directory published when this site said who is
 * in them (M1). A later directory changes nothing of it; they stand in the query's journal. */
#ifndef VAULT_PUBLISHED_H
#define VAULT_PUBLISHED_H

#include "vault/private.h"

/* Of the directory in force, for M1. In arena. MAILLE_MEMORY, MAILLE_INTERNAL. */
enum maille_code vault_published(struct published *published, struct arena *arena, const struct vault *vault,
                                 const struct dictionary *dictionary,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Warns the operator, once a start, of those that the dictionary cannot read: they are compared with nothing.
 */
void vault_published_tell(struct vault *vault, const struct published *published,
                          const struct dictionary *dictionary, struct arena *arena);

/* For the record of M1, and back from there into query->custody.published; a record of before there were any
 * has none. MAILLE_CORRUPT, MAILLE_MEMORY, MAILLE_INTERNAL. */
void vault_published_write(struct bytes *out, const struct published *published);
enum maille_code vault_published_read(struct query *query, struct reader *reader,
                                      struct maille_error *error) MAILLE_CHECKED;

#endif
