/* What was answered here before and is near, by what it says, to what a person is asked
 * (docs/decisions/0029-near-in-words.md). Public facts alone: what she reads may decide what she says, and
 * that leaves the site. */
#ifndef VAULT_NEAR_H
#define VAULT_NEAR_H

#include "vault/private.h"

/* The parts of an analysis, by public facts; none where it cannot be counted, and will be refused for it. */
void vault_parts(struct parts *parts, const struct analysis *analysis, struct arena *arena);

struct near_past; /* opaque */

/* The earlier groups that the rule `differencing` compares with those of query. In arena. */
enum maille_code near_past_read(struct near_past **past, struct arena *arena, struct vault *vault,
                                const struct query *query, struct maille_error *error) MAILLE_CHECKED;
/* Whether some have no words that can be compared: of before this version, or of another dictionary. */
bool near_past_unread(const struct near_past *past);
/* Appends the lines of an analysis: at most NEAR_LINES_MAX groups, the nearest first, of whose words as many
 * bytes are shown. */
enum { NEAR_LINES_MAX = 20, NEAR_WORDS_MAX = 400 };
void near_put(struct bytes *out, struct arena *arena, const struct near_past *past, const struct query *query,
              size_t analysis);

#endif
