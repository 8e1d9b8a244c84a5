/* Groups that are near by what they say (docs/decisions/0029-near-in-words.md): what an officer reads before
 * she decides. Whether two groups differ by few patients is for the words of all sites (threshold.h); nothing
 * here looks at a patient, and what is near here may be far there, and the other way round.
 *
 * Two groups are near where, conditions that a value is known aside, one has one condition more than the
 * other, or they differ in one condition about the same variables (a constant, a level, < for <=) under which
 * both may hold for one patient. */
#ifndef DISCLOSURE_NEAR_H
#define DISCLOSURE_NEAR_H

#include "disclosure/parts.h"

/* Appends a part in words ("age >= 60 && er known"), on one line; "everyone". */
void near_words(struct bytes *out, const struct part *part, const struct dictionary *dictionary);
/* Appends its conditions as bytes, for near_read. */
void near_write(struct bytes *out, const struct part *part);

/* A group to be compared. */
struct near_condition {
    uint8_t kind; /* enum part_condition_kind */
    uint32_t variables;
    struct byte_view code, members; /* what is looked at, and a bitmap of the levels of it that count */
};
struct near_group {
    size_t n;
    const struct near_condition *list;
};
/* false: no such bytes. In arena, and borrowed from bytes. */
bool near_read(struct near_group *group, struct byte_view bytes, struct arena *arena);
/* The same of a part; false: no memory. In arena. */
bool near_group_of(struct near_group *group, const struct part *part, struct arena *arena);

/* In how many conditions two groups of one dictionary differ, one that is changed counted once; NEAR_SAME,
 * NEAR_FAR. */
#define NEAR_SAME ((size_t)0)
#define NEAR_FAR SIZE_MAX
size_t near_distance(const struct near_group *a, const struct near_group *b);

/* --- near_cohort.c --- */

/* The cohort of an analysis, to be compared. false: its method has none. In arena. */
bool near_cohort(struct near_group *group, const struct analysis *analysis, struct arena *arena);

#endif
