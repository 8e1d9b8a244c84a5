/* Cohorts that the network's authority has published (key `cohorts` of the directory; decision 0035).
 * Everybody is always the first. Each counts as shown before anybody asks it: what is near to one is refused
 * from the epoch's first question on, so that nobody can make a published cohort unanswerable. All by public
 * facts: the directory and the dictionary. */
#ifndef DISCLOSURE_PUBLISHED_H
#define DISCLOSURE_PUBLISHED_H

#include "disclosure/threshold.h"

/* PUBLISHED_MAX: of one dictionary, everybody among them. PUBLISHED_ANALYSIS: the number of the first as an
 * analysis of whatever question is compared with it, beyond those of its study; the others follow. */
enum { PUBLISHED_MAX = 65, PUBLISHED_ANALYSIS = STUDY_ANALYSES_MAX };

/* Everybody, as an offer says it: a study without the key `cohort`. */
#define PUBLISHED_EVERYBODY "everybody"

struct published {
    size_t n;
    struct published_one {
        const char *name;
        const char *expression;    /* as the directory has it; "" of everybody */
        const struct study *study; /* one count, of nothing but this cohort */
        struct byte_view canon;    /* of its part 0 (disclosure/parts.h) */
    } * list;
    struct part_group *groups; /* [n]: as a threshold_past has them */
    struct byte_view *canons;  /* [n] */
};

/* list: those of the directory for this dictionary, in its order. One that this dictionary cannot read is
 * left out. All in arena. MAILLE_INTERNAL: there is no count of everybody; MAILLE_MEMORY. */
enum maille_code published_make(struct published *published, struct arena *arena,
                                const struct dictionary *dictionary, const struct published_cohort *list,
                                size_t n, struct maille_error *error) MAILLE_CHECKED;
/* Whether a cohort can be read: MAILLE_INVALID says what is wrong with it. */
enum maille_code published_check(const struct dictionary *dictionary, const struct published_cohort *cohort,
                                 struct maille_error *error) MAILLE_CHECKED;

/* One of them as a study's `cohort` says it, or PUBLISHED_EVERYBODY. */
const char *published_words(const struct published_one *one);
/* Whether words are those of one of them. */
bool published_has(const struct published *published, const char *words);

/* What a threshold round compares with them: shown of the same roster and snapshots, whoever the members. */
struct threshold_past published_past(const struct published *published);

#endif
