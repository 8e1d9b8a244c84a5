/* The plan: which analyses and which cells of a study may be released, from the totals of the threshold
 * rounds. One deterministic function: every custodian gets the same bytes, whose hash is in the header of
 * every later round (docs/DISCLOSURE.md §2).
 *
 * Primary: min_patients, min_cell, min_events, min_contributors, dominance (max_site_share),
 * max_parameter_share, min_tail, differencing. Secondary: suppression over the whole study's release, so that
 * no suppressed cell follows from differences of released ones. */
#ifndef DISCLOSURE_PLAN_H
#define DISCLOSURE_PLAN_H

#include "disclosure/shown.h"
#include "disclosure/threshold.h"

struct plan {
    struct arena *arena;
    size_t n; /* analyses of the study */
    struct plan_analysis {
        bool open;                  /* took part in the threshold rounds */
        char rule[MAILLE_RULE_MAX]; /* refused under this rule ("few": for too few patients, by whatever key
                                       of the policy; "site_rule": one that a site judges alone); "": goes on
                                     */
        const char *why;            /* the key behind it, for the log of a site; not in the bytes of a plan */
        struct surviving surviving; /* of an analysis that goes on */
        const size_t *n_cells;      /* of each block of surviving */
        const bool *hidden;         /* [n_parts]: parts of which nothing is shown (disclosure/parts.h); not in
                                       the bytes of a plan */
        size_t n_parts;
        /* What counts against a registration (disclosure/few.h): where a pooled count, or a difference of two
         * groups, is below its limit by itself, whatever else refuses or hides it too. What one site's veto
         * makes of it does not count, but where each site judges alone and a veto is all there is. Nor do
         * values that nobody lacks (CELL_MISSING), where the sites know that. Not in the bytes of a plan. */
        bool small;                      /* refused */
        bool small_covariance;           /* its covariance is withheld */
        const bool *const *small_hidden; /* [block][cell]: hidden */
        size_t n_suppressed;             /* cells of CELL_TABLE and CELL_OUTSIDE that are hidden */
    } * analyses;
    struct shown shown; /* what the results will show; not in the bytes of a plan */
    const struct surviving *
        *surviving; /* one per analysis, for round_plan; NULL entries where refused or not open */
};

/* first, second: totals (8 · n_words bytes each). n_members: |U|. MAILLE_MEMORY; MAILLE_FAILED (it cannot be
 * judged: nothing is released). */
enum maille_code plan_make(struct plan *plan, const struct threshold *threshold, const uint8_t *first,
                           const uint8_t *second, const struct policy *strictest, size_t n_members,
                           struct maille_error *error) MAILLE_CHECKED;
void plan_clear(struct plan *plan);

/* Canonical bytes, without any count. plan_read: the analyst's side; MAILLE_INVALID where they are not a plan
 * of this study. */
void plan_write(struct bytes *out, const struct plan *plan);
enum maille_code plan_read(struct plan *plan, const struct study *study, const uint8_t *bytes, size_t length,
                           struct maille_error *error) MAILLE_CHECKED;

#endif
