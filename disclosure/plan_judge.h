/* Private to disclosure/: what plan_make works with. */
#ifndef DISCLOSURE_PLAN_JUDGE_H
#define DISCLOSURE_PLAN_JUDGE_H

#include "disclosure/plan.h"

struct judge {
    struct plan *plan;
    uint8_t ***kept; /* [analysis][block][cell]: what plan->analyses[].surviving shows to others */
    const struct threshold *threshold;
    const uint8_t *first, *second;
    const struct policy *policy;
};

/* The first rule that refuses an analysis is the one that is told. */
void plan_refuse(struct judge *judge, size_t analysis, const char *rule);
bool plan_refused(const struct judge *judge, size_t analysis);

/* disclosure/plan_shown.c: refuses an analysis that would show too much of a group (max_scalar_share,
 * moments), and puts what it shows into plan->shown. */
void plan_judge_shown(struct judge *judge, size_t analysis);

/* disclosure/suppress.c: hides further cells, or refuses analyses (min_cell), until no hidden cell follows
 * from what is released. MAILLE_MEMORY; MAILLE_FAILED. */
enum maille_code suppress(struct judge *judge, struct maille_error *error) MAILLE_CHECKED;

#endif
