/* A result as bytes and back, and two results against each other: what crosses from a vault's step to its
 * journal, and from the vaults of a circle to the researcher (docs/PROTOCOL.md §7). */
#ifndef STATS_RESULT_BYTES_H
#define STATS_RESULT_BYTES_H

#include "base/bytes.h"
#include "stats/result.h"

/* Each node: its kind, then its value; a list and an object: LE64 items, of an object each behind its name.
 */
void result_write(struct bytes *out, const struct result *result);
/* NULL where the bytes are no result: another kind, a number that is not finite, a text with a NUL, deeper
 * than 32. In arena. */
struct result *result_read(struct reader *reader, struct arena *arena);

/* Which numbers of a result are heads, and shares of which: per node that is no list and no object a byte, 1
 * heads, 2 a share (then part and whole), 0 neither. They are not in its own bytes: nobody but who goes on
 * with an analysis needs them. */
void result_write_heads(struct bytes *out, const struct result *result);
/* false: not of this result. */
bool result_read_heads(struct result *result, struct reader *reader);

/* The result without its numbers: kinds and names alone, so that of each number is told whether it is shown.
 */
void result_write_shape(struct bytes *out, const struct result *result);

/* Are two results one? p-values and limits, whose functions come from Rmath and so from the machine, within
 * 1e-9 of the larger; everything else bit for bit. Where they are not, *name is the innermost key where they
 * differ ("" : at the top); else untouched. */
bool result_agrees(const struct result *a, const struct result *b, const char **name);

#endif
