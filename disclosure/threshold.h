/* The two threshold rounds of disclosure.md §2.5: what each site puts into them. The totals go to the sites alone (custodians),
 * which make one plan of them (disclosure/plan.h); the analyst sees the plan, never a total.
 *
 *   T1, scope total:  per open analysis and cell of its `cells`: n_k (patients, or rows where the block counts rows) and c_k (1 where the
 *                     site has any); per ledger entry and open analysis: patients here now and not then, then and not now.
 *   T1, scope local:  per open analysis: N and whether this site has anybody. No cell leaves a site.
 *   T2, scope total:  per cell: 1 where the site's own n is above max_site_share · n_k, or a rule of its own is broken.
 *   T2, scope local:  per cell: 1 where the site's own n is 1 … minimum − 1; of CELL_MERGE blocks one number per node of a tree over the
 *                     bins (see threshold.c); per ledger entry and open analysis: 1 where the site's own difference is 1 … k − 1.
 *
 * All words are counts of 8 bytes. Everything here is a pure function of its arguments, and the same at every site. */
#ifndef DISCLOSURE_THRESHOLD_H
#define DISCLOSURE_THRESHOLD_H

#include "disclosure/gate.h"

/* THRESHOLD_TOTAL_SITES: below this many members the scope is local, whatever the policies say. */
enum { THRESHOLD_LEDGER_MAX = 256, THRESHOLD_TOTAL_SITES = 5 };
enum threshold_which { THRESHOLD_FIRST = 1, THRESHOLD_SECOND = 2 };

/* The strictest of the roster's n policies (texts of the accepts), key by key. MAILLE_INVALID: one does not parse. */
enum maille_code policy_strictest(const struct policy **strictest, struct arena *arena, const char *const *texts,
                                  const size_t *lengths, size_t n, struct maille_error *error) MAILLE_CHECKED;

/* Does any rule of this policy need pooled numbers? Without (policy open) values begin at round 1. */
bool threshold_needed(const struct policy *strictest);
enum cell_scope threshold_scope(const struct policy *strictest, size_t n_members);

/* How often this site's patients differ from an earlier answered group (disclosure/ledger.h). */
struct threshold_difference {
    int64_t only_now, only_then; /* distinct patients */
};

struct threshold_analysis {
    bool open;
    struct cells *cells;          /* in the arena; NULL where not open */
    struct tally_extent *extents; /* of cells->spec */
    size_t bytes;                 /* of the site's own head counts (worker/data.h) */
    size_t at[3];                 /* [which]: first word of this analysis in T1, T2 */
};

struct threshold {
    struct arena *arena;
    const struct study *study; /* borrowed */
    enum cell_scope scope;
    size_t n_ledger; /* entries of the roster's union */
    struct threshold_analysis *analyses;
    size_t n_words[3]; /* [which] */
};

/* open: analyses that take part. MAILLE_FAILED, MAILLE_INVALID, MAILLE_MEMORY. Free with threshold_clear. */
enum maille_code threshold_init(struct threshold *threshold, const struct study *study, const bool *open, enum cell_scope scope,
                                size_t n_ledger, struct maille_error *error) MAILLE_CHECKED;
void threshold_clear(struct threshold *threshold);

/* Canonical bytes: their hash is the layout hash of the round's header. The vector has 8 · n_words[which] bytes, one run of width 8. */
void threshold_layout(struct bytes *out, const struct threshold *threshold, enum threshold_which which);

/* This site's words. own: head counts of every analysis (n_analyses; those not open are not read). differences: [entry · n_analyses + k];
 * NULL where n_ledger is 0. MAILLE_INTERNAL: head counts of another length; MAILLE_MEMORY. */
enum maille_code threshold_first(struct tally *out, const struct threshold *threshold, const struct tally *own,
                                 const struct threshold_difference *differences, struct maille_error *error) MAILLE_CHECKED;
/* first: totals of T1 (8 · n_words[1] bytes). policy: the roster's strictest. refused: per analysis, whether a rule that this site alone can
 * judge (domain, min_ess_share …) is broken here; may be NULL. */
enum maille_code threshold_second(struct tally *out, const struct threshold *threshold, const struct tally *own, const uint8_t *first,
                                  const struct threshold_difference *differences, const struct policy *policy, const bool *refused,
                                  struct maille_error *error) MAILLE_CHECKED;

/* The words as something that crypto/ may mask: for custodians only. Takes the content of words. */
enum maille_code threshold_release(struct release **release, const struct threshold *threshold, enum threshold_which which,
                                   struct tally *words, struct maille_error *error) MAILLE_CHECKED;

#endif
