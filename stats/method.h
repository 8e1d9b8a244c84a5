/* A method: which head counts must pass, what to tally in each round, and what the totals mean.
 * One file each; stats/methods.c is the list; nothing outside stats/ knows any of them by name. */
#ifndef STATS_METHOD_H
#define STATS_METHOD_H

#include "query/study.h"
#include "stats/result.h"
#include "tally/tally.h"

/* A growing list of doubles: θ (sent to the sites, sealed) and the analyst's own memory between steps. */
struct vector {
    double *v;
    size_t n, capacity;
};
void vector_clear(struct vector *vector);
/* n zeros appended; returns the first of them. Aborts without memory (small). */
double *vector_grow(struct vector *vector, size_t n);
void vector_push(struct vector *vector, double value);
void vector_truncate(struct vector *vector, size_t n);

/* What the threshold rounds left of the head counts of one analysis (disclosure/plan.h); NULL where there
 * were no such rounds: all of it. kept[block][cell] stands beside cell `cell` of block `block` of `cells` and
 * means, by the block's rule: CELL_PATIENTS, CELL_EVENTS, CELL_TABLE, CELL_MISSING, CELL_OUTSIDE   1: may be
 * released; 0: suppressed CELL_AT_RISK   1: the curve of this group still stands at this bin; 0 from the
 * first bin where too few are at risk CELL_MERGE     1: the right edge of a merged bin; 0: the bin belongs to
 * the next edge on its right */
struct surviving {
    size_t n_blocks;
    const uint8_t *const *kept;
    bool closed; /* sums are opened to the sites alone, and pooled: the circle of five sites or more */
    bool narrow; /* a round has no room for cells that depend on θ (cells.late_bytes): they are not asked */
    uint64_t min_cell; /* above 1: cells of fewer patients are hidden, and a result tells no moment that says
                          what so few have */
    uint64_t round_counts; /* heads in a result are rounded to multiples of it; 0: as they are */
    double max_share;      /* a sum of which one patient carries more is not told (stats/shares.h); 0: off */
    int64_t patients;      /* of the analysis, pooled; 0 where that was not counted */
    bool no_covariance;    /* the covariances of a model's estimates stay out of the result (CELL_PAIRS) */
};
/* kept[block][cell]; true where surviving is NULL. */
bool surviving_kept(const struct surviving *surviving, size_t block, size_t cell);
/* How many patients there must be behind what a step shows of counts that depend on θ: min_cell, at least 1.
 */
int64_t surviving_least(const struct surviving *surviving);
/* Heads as a sentence may tell them: rounded where surviving says so. */
int64_t surviving_rounded(const struct surviving *surviving, int64_t heads);
/* false where surviving says no_covariance. */
bool surviving_covariance(const struct surviving *surviving);
/* kept[block]; NULL where surviving is. */
const uint8_t *surviving_mask(const struct surviving *surviving, size_t block);
/* How many of the n bins of a curve may be shown: those before the last bin that was kept (CELL_AT_RISK), so
 * that as many are left behind them; n where all were kept. */
size_t surviving_end(const uint8_t *kept, size_t n);
/* The same from block `first` on, for a method whose head counts stand behind those of another; NULL where
 * surviving is. */
const struct surviving *surviving_from(const struct surviving *surviving, size_t first, struct arena *arena);

/* --- head counts --- */

enum cell_rule {
    CELL_COHORT,   /* block of one cell: the patients of the analysis (min_patients, max_parameter_share) */
    CELL_PATIENTS, /* each cell: min_cell; one that fails refuses the analysis (levels of a model) */
    CELL_EVENTS,   /* each cell: patients with an event, per arm or level: min_events; one that fails refuses
                      the analysis */
    CELL_TABLE,   /* each cell: min_cell; one that fails is suppressed alone (cells of tables, arms of curves)
                   */
    CELL_MISSING, /* each cell: as CELL_TABLE, but no other cell is hidden to protect it: how many values are
                     missing */
    CELL_OUTSIDE, /* as CELL_MISSING where an expression of the analysis leaves out values that are there (a
                     cut, a recoding, an interval below 0, `a & b` where a decides whether b is missed): their
                     number says something of a person, so it is protected as a cell of a table is */
    CELL_AT_RISK, /* groups × n_bins, the bin fastest: rows that leave less rows that enter (delayed entry)
                   * are in this block and the next one; the curve of a group ends where fewer than min_cell
                   * are at risk */
    CELL_ENTERING, /* follows CELL_AT_RISK: rows that enter, by the same groups × bins */
    CELL_PAIRS,    /* each cell: min_cell, and nobody is too few; one that fails takes the covariances of the
                      estimates out of the result, which say how many patients are in each pair of columns */
    CELL_MERGE     /* groups × n_bins, the bin fastest: patients (events of a pooled Cox model, values of a
                    * quantile); bins are merged     from the left until each holds merge_minimum or more */
};

/* Sums that a result tells of a number x in each cell of a block of head counts: of its powers 1 … powers. */
struct cells_moment {
    size_t block;
    const struct expression *x, *weight; /* weight NULL: 1 */
    unsigned powers;
    bool of_model; /* it follows from what else is told (coefficients, errors and deviance; of weights):
                      counted with the others, and no reason to refuse a number of few values */
};

/* A sum that a result tells, or a mean, of a number x in each cell of a block of head counts: Σ weight·(x −
 * m), m the least that x can be. max_patient_share judges it (stats/shares.h). */
struct cells_share {
    size_t block;
    const struct expression *x, *weight; /* weight NULL: 1 */
    bool from_zero;                      /* m is 0: of weights */
};

struct cells {
    struct tally_spec spec;                 /* order 0, `distinct` blocks */
    enum cell_rule rules[TALLY_BLOCKS_MAX]; /* one per block */
    bool of_events[TALLY_BLOCKS_MAX];       /* of CELL_TABLE: patients with an event, by arm (and cause) */
    size_t
        n_bins[TALLY_BLOCKS_MAX]; /* of CELL_AT_RISK, CELL_ENTERING, CELL_MERGE: bins of one group; else 0 */
    double
        tail[TALLY_BLOCKS_MAX]; /* of CELL_MERGE: the least min(p, 1 − p) asked for, for min_tail; else 0 */
    size_t arms[TALLY_BLOCKS_MAX]; /* of CELL_MERGE: 1 + the block of the groups whose bins these are, where
                                    * their rows are not the same (stats/km_steps.c); 0: one with the same
                                    * rows, if any */
    bool both;                     /* of a model: patients without an event are told as those with one are */
    bool is_model;                 /* its numbers are model scalars: budget.models, max_scalar_share */
    size_t n_parameters;           /* of the model, for max_parameter_share; 0: none */
    size_t n_shown; /* numbers of the result that max_scalar_share counts: coefficients with their standard
                       errors, weighted means */
    struct cells_moment *moments; /* [n_moments], in an arena */
    size_t n_moments;
    struct cells_share *shares; /* [n_shares], in an arena */
    size_t n_shares;
    size_t late_bytes;     /* of the largest vector whose cells depend on θ (guard_sites); 0: small */
    bool pairs_uncounted;  /* there are more pairs than CELL_PAIRS blocks can count: no covariances */
    struct time_axis axis; /* of survival times as they will be released; days 0: no survival times */
    size_t conditions;     /* the first block of stats/conditions.h; 0: there is none */
    /* [n_predicates], in an arena: how the method makes groups of a number by what stands in a key as a
     * number
     * (`grace`); disclosure/gate_cuts.c looks at them as at those of a study. */
    const struct expression *const *predicates;
    size_t n_predicates;
};

/* --- totals --- */

struct totals {
    const struct tally_spec *spec;
    const struct tally_extent *extents;
    const uint8_t *words;
};
int64_t totals_count(const struct totals *totals, size_t block, size_t index);
double totals_real(const struct totals *totals, size_t block, size_t index);
f128 totals_quad(const struct totals *totals, size_t block, size_t index);
/* A number of heads that stands among sums of other things: from 0 to 2^40, as a count is (round_in_range);
 * what a liar's sum is beyond that becomes the nearest of these, and no number 0. */
int64_t totals_heads(f128 number);

/* --- the method --- */

struct study_run;

/* Where one analysis stands. round counts its own value rounds from 1. */
struct iteration {
    unsigned round;
    size_t n_sites;                    /* |U|: how many sites the totals stand for */
    const struct surviving *surviving; /* NULL: no threshold rounds */
    struct vector theta;               /* what the sites' next plan depends on; empty for round 1 */
    struct vector memo;                /* the analyst's own: totals that a later step needs */
    const struct study_run *run;       /* the whole study (stats/round.h), while a step is made: of other
                                          analyses only what has ended is read */
};

/* What every result carries beside `result` (docs/RESULT.md). */
struct outcome {
    struct arena *arena;                                /* results live here */
    int64_t n, n_missing, n_event;                      /* −1: not set (null) */
    struct result *warnings, *dropped_levels, *aliased; /* arrays of strings, made empty by the caller */
    int64_t suppressed; /* numbers of the result that are null because their cell did not survive */
    bool grid_merged;
    struct result *result; /* object */
};

/* What the methods section of a report says. */
struct method_words {
    const char *name, *sentence;
    const char *r;      /* the function of R whose number it is */
    const char *source; /* NULL: none is needed */
};

struct method {
    struct query_method declared;
    unsigned version;
    struct method_words words;
    /* What types alone can tell (wrong number of levels, no event …). May be NULL. Errors: MAILLE_INVALID
     * with file and line. */
    enum maille_code (*check)(const struct analysis *analysis, struct maille_error *error);
    /* The head counts that must pass before the method may run. */
    enum maille_code (*cells)(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                              struct maille_error *error);
    /* What to tally in this round, each block with its guard (stats/guard.h): depends on the query, θ and the
     * surviving cells only, never on data. Runs at every site and at the analyst and must give the same
     * bytes. What did not survive is taken out by stats/round.c: surviving is for a layout that depends on
     * it. theta is empty in round 1 and outlives the spec. MAILLE_REFUSED "theta" when a bound of x′β − c is
     * above 30; MAILLE_FAILED with a sentence otherwise. */
    enum maille_code (*plan)(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error);
    /* Totals to the next θ (in iteration), or to the outcome and *done. MAILLE_FAILED with a sentence: status
     * `failed`. */
    enum maille_code (*step)(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error);
    /* Of a method that makes weights by itself: as iptw_shares (stats/iptw.h). NULL in all others. */
    enum maille_code (*shares)(const struct cells **cells, const struct analysis *analysis,
                               const struct vector *theta, struct arena *arena, struct maille_error *error);
    /* A method that takes `weights: {iptw: …}` has the four of stats/iptw.h above, and here its own, to which
     * the weights are a variable like any other. NULL in all others. */
    const struct method *weighted;
};

#endif
