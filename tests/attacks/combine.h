/* The enemy's search: which combination of the groups that were shown stands on fewest patients? By trying
 * out, not by elimination: every sum of two groups with coefficients ±1 and ±2 against every other such sum
 * (so up to four groups), and from the narrowest ones on further, two more groups at a time. */
#ifndef TESTS_ATTACKS_COMBINE_H
#define TESTS_ATTACKS_COMBINE_H

#include "tests/attacks/groups.h"

enum { COMBINE_GROUPS_MAX = 64, COMBINE_TERMS_MAX = 8 };

struct shown_group {
    struct group group;
    const char *words; /* where it was shown */
    double n;          /* as it was shown; whose number is not his to know: NAN */
};

struct narrowest {
    bool found;
    size_t support; /* patients of whom it says something; 0: it says that nobody is there */
    size_t n_terms;
    struct {
        int coefficient;
        size_t group;
    } terms[COMBINE_TERMS_MAX];
};

/* patients: of each kind. least: combinations of this many patients or more are no finding. */
struct narrowest combine_least(const struct shown_group *groups, size_t n, const size_t patients[KINDS],
                               size_t least);

#endif
