/* Sets of two to four studies that one researcher asks a network, one after the other, and everything that
 * was shown of them. Real vaults judge what is shown (tests/network). */
#ifndef TESTS_ATTACKS_SETS_H
#define TESTS_ATTACKS_SETS_H

#include "tests/attacks/combine.h"
#include "tests/network/testing.h"

enum { SETS_IN_NETWORK = 12, SETS_AT_ONCE = 3, SETS_STUDIES_MAX = 4, SETS_ANALYSES_MAX = 2 };

struct set_analysis {
    const char *text;            /* of the study file, without its id */
    const char *derived;         /* its line under derive; NULL: none */
    struct group cohort;         /* within the ward */
    const struct condition *arm; /* NULL: none */
};

/* One set: of patients of a ward of its own, with whom no other set has anybody in common. */
struct set {
    size_t n_studies;
    size_t patients[KINDS];
    size_t n_analyses[SETS_STUDIES_MAX];
    struct set_analysis analyses[SETS_STUDIES_MAX][SETS_ANALYSES_MAX];
    size_t n_shown;
    struct shown_group shown[COMBINE_GROUPS_MAX];
    size_t asked, answered; /* analyses */
};

struct sets {
    struct arena *arena;
    struct set sets[SETS_IN_NETWORK];
};

enum sets_of {
    SETS_ANY,
    SETS_COHORTS,
    SETS_TABLES
}; /* cohorts: counts of them alone, without arms or tables */

/* n_studies: of each set, at most SETS_STUDIES_MAX. policy: of every site. */
void sets_run(struct sets *sets, uint64_t seed, enum sets_of of, size_t n_studies, const char *policy);
void sets_clear(struct sets *sets);

#endif
