/* The threshold rounds of docs/DISCLOSURE.md §2: what each site puts into them. The totals go to the
 * sites alone (custodians), which make one plan of them (disclosure/plan.h); the analyst sees the plan, never
 * a total.
 *
 *   T0:               pair words of groups that were shown of another roster or another snapshot of one of
 * its sites (T) with each group of this study (S). What is near is refused, and never counted. Without such
 * groups there is no T0.
 *   T1, T2:           per open analysis a veto word: where a rule that the site alone can judge is broken.
 *   T1, scope total:  per open analysis and cell of its `cells`: n_k (patients, or rows where the block
 * counts rows) and c_k (1 where the site has any; of CELL_AT_RISK: 1 where anybody is at risk here); of
 * CELL_ENTERING n_k alone. T1, scope local:  per open analysis: N (each CELL_COHORT) and whether this site
 * has anybody. No other cell leaves a site. T1, both:         pair words with the groups that were shown of
 * the same roster and snapshots, and with those of earlier analyses of the study. T2, both: per
 * open analysis two veto words more: with what others showed it would show too much. T2, scope total:  per
 * cell a veto word: where the site's own n is above max_site_share · n_k (of CELL_AT_RISK: its own number at
 * risk). Of CELL_MERGE blocks, which T1 has merged (bins_merge), per node of a tree over the merged bins
 * (disclosure/bins.h): the same, and 1 where the site has any. T2, scope local:  per cell a veto word: where
 * the site's own n (own number at risk) is 1 … minimum − 1, and among fewer than THRESHOLD_TOTAL_SITES
 * members also 0: else two of three would know the third's cell; and a word of whether anybody is there,
 * which is 0 where this site has nobody and random elsewhere, so that a cell of nobody is hidden as one of
 * few. Of CELL_COHORT also as under total. Of CELL_MERGE blocks per node of a tree over the bins, and per
 * group where too few are beyond the quantile (min_tail).
 *
 * A pair word says by how many of this site's patients S and T differ, |S \ T| + |T \ S|: by patients in the
 * lower THRESHOLD_PATIENT_BITS bits, by rows in those above, each where it is below the policy's
 * `differencing`, else uniformly random. By patients it is the number times |U| + 1, and 1 more where S and T
 * were chosen otherwise (disclosure/chosen.h): the sum says whether anybody knows that, beside how many
 * differ. (By rows a patient counts in both directions, so that it is never less than by patients.) So a part
 * of the sum is below it exactly where the pooled difference is, but for k in 2^40 and, where no patient
 * differs, k in 2^24. Under scope local a veto word instead. S and T are parts of analyses
 * (disclosure/parts.h); parts of the same rows are asked for once. What is near in T0 is refused as a whole
 * where it is the cohort of an analysis; of any other part the plan shows nothing.
 *
 * A combination word is of the same kind: by how many of this site's patients a combination of groups
 * (disclosure/combination.h) is not 0. They stand behind the pair words, in T0 where there is one, else in
 * T1.
 *
 * All words have 8 bytes. A veto word is 0 where the site agrees, else uniformly random and not 0: what the
 * sites' sum says is that there is a veto, never whose or how many. All others are counts. Everything here is
 * a pure function of its arguments; the counts and where they stand are the same at every site. */
#ifndef DISCLOSURE_THRESHOLD_H
#define DISCLOSURE_THRESHOLD_H

#include "disclosure/combination_words.h"
#include "disclosure/gate.h"
#include "disclosure/parts.h"
#include "disclosure/shown.h"

#define THRESHOLD_ABSENT SIZE_MAX /* these words are not sent */

/* THRESHOLD_TOTAL_SITES: below this many members the scope is local, whatever the policies say. */
/* Pairs past the last one are not compared: what would need them is refused. In T0, which holds nothing else,
 * THRESHOLD_BEFORE_MAX, and no more than the members can exchange in one round; in T1 THRESHOLD_PAIRS_MAX,
 * and half of that. (decision 0016) */
enum {
    THRESHOLD_BEFORE_MAX = 524288,
    THRESHOLD_PAIRS_MAX = 262144,
    THRESHOLD_TOTAL_SITES = 5,
    THRESHOLD_PATIENT_BITS = 40
};
enum threshold_which { THRESHOLD_FIRST = 1, THRESHOLD_SECOND = 2, THRESHOLD_BEFORE = 3, THRESHOLD_WHICH };

/* The strictest of the roster's n policies (texts of the accepts), key by key. MAILLE_INVALID: one does not
 * parse. */
enum maille_code policy_strictest(const struct policy **strictest, struct arena *arena,
                                  const char *const *texts, const size_t *lengths, size_t n,
                                  struct maille_error *error) MAILLE_CHECKED;

/* Does any rule of this policy need pooled numbers? Without (policy open) values begin at round 1. */
bool threshold_needed(const struct policy *strictest);
enum cell_scope threshold_scope(const struct policy *strictest, size_t n_members);

/* An earlier query of which something was shown: which groups (part_groups_read; NULL: groups that are
 * compared with all); whether somebody was asked then who is not a member now, or does not know it any more
 * (lost); whether it was of other sites, or on another snapshot of one of them. Public facts, the same at
 * every member.
 */
struct threshold_past {
    size_t n_groups;
    const struct part_group *groups;
    const struct byte_view *canons; /* [n_groups], of cohorts that are published (disclosure/published.h), of
                                       which an earlier one goes before a later: who asks for one of them is
                                       compared with those before it. NULL: of an earlier query */
    bool gone, lost, other;
};

/* Is there a T0? */
bool threshold_before(const struct policy *strictest, const struct threshold_past *past, size_t n_past);
/* Which of the threshold rounds round r is, where there are any; 0: one of values. */
enum threshold_which threshold_round(bool before, uint32_t round);
/* The round in which values begin behind them. */
uint32_t threshold_values_from(bool before);

/* A group of this study: a part of an analysis. Groups are the cohorts of all analyses, then the other parts.
 */
struct threshold_group {
    size_t analysis, part;
    size_t same;                   /* the first group of the same rows: itself, or another */
    bool crowded[THRESHOLD_WHICH]; /* [which]: its pairs would stand past the last, of T0, T1 */
};

/* Two groups that are compared: one of this study, and listed group `other` of past query `past` (which may
 * be the published cohorts), or (past =
 * THRESHOLD_ABSENT) group `other` of an earlier analysis of this study. */
struct threshold_pair {
    size_t group, past, other;
};
/* Those of one round, in the order of their words. */
struct threshold_pairs {
    const struct threshold_pair *list;
    size_t n;
    size_t at; /* its first word */
};

/* Where the words of one block of head counts stand: numbers of words from the start of T1 or T2, or
 * THRESHOLD_ABSENT. */
struct threshold_block {
    enum cell_rule rule;
    size_t n_cells;
    size_t n_groups,
        n_bins;     /* of CELL_AT_RISK, CELL_ENTERING, CELL_MERGE; of others n_cells groups of one bin */
    size_t n_nodes; /* of CELL_MERGE: of the tree of one group */
    size_t groups;  /* of CELL_AT_RISK, CELL_MERGE: the block before it whose cells are these groups, of the
                     * same rows; where that is  a CELL_TABLE, what is hidden there has no bins either.
                     * THRESHOLD_ABSENT: none */
    size_t counts, sites; /* T1: n_k, c_k of each cell */
    size_t vetoes;        /* T2, veto words: of each cell; of CELL_MERGE of each node of each group */
    size_t anybody;       /* T2, local, among THRESHOLD_TOTAL_SITES members and more: of each cell a word that
                             is 0 exactly where no site has anybody (at risk) in it; not of bins that are merged */
    size_t node_sites;    /* T2 of CELL_MERGE, total: of each node of each group, sites with patients in it */
    size_t tails;         /* T2, veto words, of CELL_MERGE with a tail, local: of each group */
};

struct threshold_analysis {
    bool open;
    struct cells *cells;            /* in the arena; NULL where not open */
    struct tally_extent *extents;   /* of cells->spec */
    size_t bytes;                   /* of the site's own head counts (worker/data.h) */
    size_t at[THRESHOLD_WHICH];     /* [which]: first word of this analysis in T1, T2 */
    struct threshold_block *blocks; /* of cells->spec */
    size_t veto[THRESHOLD_WHICH];   /* [which]: the veto word, before at[which] */
    size_t shown[2]; /* T2, veto words: with what was shown before it would show too much (max_scalar_share,
                        moments) */
    struct parts parts;
};

struct threshold {
    struct arena *arena;
    const struct study *study; /* borrowed */
    enum cell_scope scope;
    bool few_sites; /* fewer than THRESHOLD_TOTAL_SITES members */
    size_t n_members;
    size_t n_past;
    const struct threshold_past *past;
    struct threshold_group *groups;
    size_t n_groups;
    const struct bytes
        *near_before; /* for the plan: what T0 found near (threshold_near_write); NULL: nothing */
    struct threshold_pairs pairs[THRESHOLD_WHICH]; /* [which]: of T0 and T1 */
    const struct combined *combined;               /* NULL: none; borrowed */
    enum threshold_which combined_in;              /* the round of its words */
    size_t combined_at;                            /* its first word */
    struct threshold_analysis *analyses;
    size_t n_open;
    size_t n_words[THRESHOLD_WHICH]; /* [which] */
};

/* Word `at` of a vector of totals. */
int64_t threshold_word(const uint8_t *words, size_t at);
/* By their canonical bytes; NULL is NULL. */
bool threshold_same_expression(const struct expression *a, const struct expression *b);
/* The category that runs fastest in a group of several. NULL for NULL. */
const struct expression *threshold_last_part(const struct expression *group);
/* Patients at risk per group and bin of a CELL_AT_RISK block, from the numbers of its cells; entering: of the
 * CELL_ENTERING block behind it, or NULL. */
void threshold_at_risk(int64_t *at_risk, const int64_t *leaving, const int64_t *entering, size_t n_groups,
                       size_t n_bins);

/* open: analyses that take part. n_members: |U|. MAILLE_FAILED, MAILLE_INVALID, MAILLE_MEMORY. Free with
 * threshold_clear. */
enum maille_code threshold_init(struct threshold *threshold, const struct study *study, const bool *open,
                                const struct policy *strictest, size_t n_members,
                                const struct threshold_past *past, size_t n_past,
                                struct maille_error *error) MAILLE_CHECKED;
void threshold_clear(struct threshold *threshold);
/* Puts the words of combinations behind all others. combined: of the same study and open analyses; outlives
 * the threshold; NULL: none. before: whether there is a T0. */
void threshold_combine(struct threshold *threshold, const struct combined *combined, bool before);

/* Canonical bytes: their hash is the layout hash of the round's header. The vector has 8 · n_words[which]
 * bytes, one run of width 8. */
void threshold_layout(struct bytes *out, const struct threshold *threshold, enum threshold_which which);

#define THRESHOLD_UNKNOWN (-1)

/* What a site objects to, and the words that it says so with. */
struct threshold_veto {
    const bool *vetoed;   /* one per analysis of the study; NULL: none */
    const uint8_t *noise; /* random words, as many as the round has */
    /* T2: what results of other queries showed in this epoch, as far as this site was in their rosters and
     * still knows. NULL: nothing. A site that knows less objects less; one that knows is enough. */
    const struct shown *before;
};

/* This site's words of T0. differences: per pair of that round; by is THRESHOLD_UNKNOWN where this site has
 * no T. policy: the roster's strictest. noise: random words, as many as the round has. MAILLE_MEMORY. */
enum maille_code threshold_zeroth(struct tally *out, const struct threshold *threshold,
                                  const struct part_difference *differences, const struct policy *policy,
                                  const uint8_t *noise, struct maille_error *error) MAILLE_CHECKED;
/* Those of T1. own: head counts of every analysis (n_analyses; those not open are not read; zeros of
 * one that cannot be counted here). differences: as above, of T1's pairs; NULL: all 0. MAILLE_INTERNAL: head
 * counts of another length; MAILLE_MEMORY.
 */
enum maille_code threshold_first(struct tally *out, const struct threshold *threshold,
                                 const struct tally *own, const struct part_difference *differences,
                                 const struct policy *policy, const struct threshold_veto *veto,
                                 struct maille_error *error) MAILLE_CHECKED;
/* first: totals of T1 (8 · n_words[1] bytes). policy: the roster's strictest. */
enum maille_code threshold_second(struct tally *out, const struct threshold *threshold,
                                  const struct tally *own, const uint8_t *first, const struct policy *policy,
                                  const struct threshold_veto *veto,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Is a pair of round `which` near that differs by so many patients, pooled (or, under scope local, at one
 * site)? 1 … differencing − 1; and, where own_totals is counted and T had a site that is not a member now, 0
 * too: that site's share of T would be what the two answers differ by. (0 is near too where the two were
 * chosen otherwise, but not under scope local, where each site has nobody of many a group.) */
bool threshold_near(const struct threshold *threshold, const struct policy *policy,
                    enum threshold_which which, size_t pair, int64_t differ);
/* Marks the pairs of round `which` that are near by its totals, in pairs[which].n. */
void threshold_near_pairs(bool *near, const struct threshold *threshold, enum threshold_which which,
                          const uint8_t *totals, const struct policy *policy);
/* Marks the groups that are too near to another by the totals of T0 or T1, in n_groups that are false. */
void threshold_near_by_totals(bool *near, const struct threshold *threshold, enum threshold_which which,
                              const uint8_t *totals, const struct policy *policy);
/* Marks the groups that have pairs past the last. */
void threshold_near_crowded(bool *near, const struct threshold *threshold, enum threshold_which which);
/* Both, in n_groups that are false. */
void threshold_near_groups(bool *near, const struct threshold *threshold, enum threshold_which which,
                           const uint8_t *totals, const struct policy *policy);
/* What of it T1 and T2 must know: the groups near in T0 as bytes, and back (marks; what is no group any more
 * is passed over). */
void threshold_near_write(struct bytes *out, const struct threshold *threshold, const bool *near);
void threshold_near_read(bool *near, const struct threshold *threshold, const struct bytes *bytes);
/* Puts this site's words of combinations into those of round `which`, where that has any. counts: per row by
 * rows, then by patients. policy, noise: as above. */
void threshold_put_combined(struct tally *out, const struct threshold *threshold, enum threshold_which which,
                            const int64_t *counts, const struct policy *policy, const uint8_t *noise);
/* Marks the analyses of which a combination stands on too few patients, by the totals of round `which`.
 * MAILLE_MEMORY. */
enum maille_code threshold_combined_refused(bool *refused, const struct threshold *threshold,
                                            enum threshold_which which, const uint8_t *totals,
                                            const struct policy *policy,
                                            struct maille_error *error) MAILLE_CHECKED;
/* Has an analysis more combinations than one question may have? A public fact. */
bool threshold_combined_crowded(const struct threshold *threshold, size_t analysis);
/* Which words of round `which` are veto words or pair words: one byte a word, 1 where it is. In arena. What
 * sites pool in these is no count. */
const uint8_t *threshold_random(const struct threshold *threshold, enum threshold_which which,
                                struct arena *arena);

/* The words as something that crypto/ may mask: for custodians only. Takes the content of words. */
enum maille_code threshold_release(struct release **release, const struct threshold *threshold,
                                   enum threshold_which which, struct tally *words,
                                   struct maille_error *error) MAILLE_CHECKED;

#endif
