/* What chose the patients of a group: the conditions of a part (disclosure/parts.h) but for those that a
 * value is known. Two groups that were chosen alike differ by who lacks a value that one of them needs. Of
 * two that were chosen otherwise and differ by nobody, that they do is news
 * (docs/decisions/0039-nobody-is-near.md). */
#ifndef DISCLOSURE_CHOSEN_H
#define DISCLOSURE_CHOSEN_H

#include "disclosure/parts.h"

struct chosen; /* opaque: what was worked out so far */

/* NULL: no memory. dictionary: borrowed. */
struct chosen *chosen_new(const struct dictionary *dictionary);
void chosen_free(struct chosen *chosen);
/* Appends bytes that are equal for two parts of one dictionary that were chosen alike: of conditions which
 * values of variables they leave, so that `age < 50` and `!(age >= 50)` are one; a condition that cannot be
 * followed (more than 20,000 values of one variable, 4,096 combinations of several) as it stands. Nothing
 * where the dictionary's values leave nobody. Nor is it written how patients are followed up, where that
 * reads times as the dictionary has them. */
void chosen_write(struct bytes *out, struct chosen *chosen, const struct part *part);

#endif
