/* Private to disclosure/: what plan_make works with. */
#ifndef DISCLOSURE_PLAN_JUDGE_H
#define DISCLOSURE_PLAN_JUDGE_H

#include "disclosure/plan.h"

struct judge {
    struct plan *plan;
    uint8_t ***kept; /* [analysis][block][cell]: what plan->analyses[].surviving shows to others */
    bool ***small; /* [analysis][block][cell]: hidden (too) as a pooled count, or what it differs by, is below
                      its limit by itself */
    const char **near; /* [analysis]: the rule of what it is too near to, told after all others; or NULL */
    bool ***vacant;    /* [analysis][block][cell; of bins, group]: nobody can be there; NULL for a block: not
                          known */
    const struct threshold *threshold;
    const uint8_t *first, *second;
    const struct policy *policy;
};

/* The first rule that refuses an analysis is the one that is told. */
void plan_refuse(struct judge *judge, size_t analysis, const char *rule);
/* Nobody can be in this cell (of bins: in this group) by public facts, so that it tells nothing. */
static inline bool plan_vacant(const struct judge *judge, size_t k, size_t b, size_t cell)
{
    return judge->vacant[k][b] != NULL && judge->vacant[k][b][cell];
}

/* disclosure/plan_near.c: groups that are near to one that was shown, or that combine with others to a few
 * patients. MAILLE_MEMORY. */
enum maille_code plan_judge_near(struct judge *judge, struct maille_error *error) MAILLE_CHECKED;
bool plan_refused(const struct judge *judge, size_t analysis);

/* disclosure/plan_shown.c: refuses an analysis that would show too much of a group (max_scalar_share,
 * moments), by what the study shows before it or by the word of a site that knows what others showed, and
 * puts what it shows into plan->shown. MAILLE_MEMORY. */
enum maille_code plan_judge_shown(struct judge *judge, size_t analysis,
                                  struct maille_error *error) MAILLE_CHECKED;

/* What the results of analyses show of groups, by the totals of T1. */
struct showing {
    const struct threshold *threshold;
    const struct policy *policy; /* the roster's strictest */
    const uint8_t *first;
    uint8_t *const *const *kept; /* as of a judge; NULL: cells that hold min_cell, which is more */
    struct arena *arena;
};
/* [0]: scalars, [1]: moments. Empty where the policy has no limit. MAILLE_MEMORY. */
enum maille_code showing_of(struct shown out[2], const struct showing *showing, size_t analysis,
                            struct maille_error *error) MAILLE_CHECKED;
/* Would `more` be too much with n lists (NULL: empty)? */
bool showing_exceeds(const struct showing *showing, const struct shown *const *lists, size_t n,
                     const struct shown *more);
/* T2: objects[kind] of each analysis of the study ([n_analyses][2]): too much with what was shown before. */
enum maille_code showing_objects(bool (*objects)[2], const struct showing *showing,
                                 const struct shown *before, struct maille_error *error) MAILLE_CHECKED;

/* disclosure/vacant.c: which cells of an analysis nobody can be in, by public facts: the bounds and levels of
 * the dictionary, what it says is unused or impossible, and the conditions of the cell itself. Nobody is few
 * (1 … min_cell − 1) everywhere else. MAILLE_MEMORY. */
enum maille_code vacant_find(struct judge *judge, size_t analysis, struct maille_error *error) MAILLE_CHECKED;

/* disclosure/suppress.c: hides further cells, or refuses analyses (min_cell), until no hidden cell follows
 * from what is released. MAILLE_MEMORY; MAILLE_FAILED. */
enum maille_code suppress(struct judge *judge, struct maille_error *error) MAILLE_CHECKED;

#endif
