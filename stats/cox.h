/* What the files of the Cox model share: cox.c (keys, reading, rounds), cox_counts.c (round 1), cox_merge.c
 * (joined steps of the grid), cox_pooled.c
 * (risk sets over all sites), cox_site.c (strata(site): risk sets inside a site), cox_robust.c and cox_zph.c
 * (the last round), cox_concordance.c and cox_pairs.c (the last two), cox_report.c (the result), finegray.c
 * (the same model of a subdistribution). Internal to stats/. */
#ifndef STATS_COX_H
#define STATS_COX_H

#include "stats/fit.h"
#include "stats/groups.h"

/* Stages of θ. Round 1 (stage 0) is an evaluation at β = 0 with the counts beside it; the two behind the
 * iteration are asked for by concordance, and by robust errors, zph and concordance. */
enum { COX_ROUND_1, COX_EVALUATE, COX_CURVATURE, COX_PAIRS, COX_LAST };

/* Transforms of time in zph, as bits of the key. */
enum { COX_KM, COX_IDENTITY, COX_TRANSFORMS };

/* Status of a row: censored, the event, and for Fine and Gray an event of another cause. */
enum { COX_CENSORED, COX_EVENT, COX_OTHER };

/* Head counts behind what is tallied by step of the grid. */
struct cox_guards {
    const struct guard *ties, *sums, *event_weights; /* stratum × exit × status */
    const struct guard *entries, *entry_weights;     /* stratum × entry */
};

/* A Cox analysis as it is asked; built anew for each call. */
struct cox {
    const struct analysis *analysis;
    const struct formula *formula;
    const struct design *design;
    bool efron, baseline, robust;
    const struct query_value *adjusted, *times; /* of standardised survival; NULL: it is not asked for */
    uint64_t zph;                               /* bit t: transform t is asked for */
    const char *cause;                          /* Fine and Gray: the level that is the event; NULL for Cox */
    size_t n_status;                            /* 2; 3 with competing causes */
    const struct expression *weights;           /* above 0 in every row that counts; NULL: 1 */
    const struct expression *cluster;           /* CODE; NULL: every row by itself */
    const struct expression *event;             /* BOOLEAN */
    struct cohort_rows cohort;                  /* rows: complete, whatever their weight */
    const struct expression *unused;            /* complete rows whose weight is 0; NULL without weights */
    struct tally_survival survival;             /* its filter: the complete rows whose weight is above 0 */
    const struct expression *exit, *status;     /* CODE: bin, and what happened then */
    const struct expression *exit_code, *sum_code,
        *entry_code; /* stratum × exit × status, twice: the second as rows are summed up (cox_merge.c);
                      * stratum × entry, NULL without delayed entry */
    bool merged;     /* are steps of the grid joined? */
    bool tables;     /* may cells without a minimum be tallied, as those of concordance are? */
    struct cox_guards guards; /* of cox_merge */
    const size_t *edges; /* stratum × bin: the bin that events are moved to; NULL where nothing is joined */
    struct groups strata;
    size_t n_bins;
    struct time_axis axis;
    size_t left_out; /* in round 1: block of head counts (cox_left_out) */
};

/* The blocks that every round 1 begins with; what follows is the first evaluation. */
enum {
    COX_BLOCK_MISSING,
    COX_BLOCK_COMPLETE, /* before the grid takes rows out */
    COX_BLOCK_PATIENTS, /* the same, patients */
    COX_BLOCK_ROWS,     /* by status */
    COX_BLOCK_COLUMNS,  /* Σ of every column, by status; the offset behind them */
    COX_BLOCK_TIES,     /* stratum × exit bin × status */
    COX_BLOCK_ENTRIES,  /* stratum × entry bin; only with delayed entry */
    COX_BLOCK_LEFT_OUT, /* rows that do not count, by reason; only with delayed entry */
    COX_BLOCKS,
    /* with weights, before the evaluation */
    COX_BLOCK_UNUSED = COX_BLOCKS, /* rows of weight 0 */
    COX_BLOCK_EVENT_WEIGHTS,       /* Σ weight by stratum × exit bin × status */
    COX_BLOCK_ENTRY_WEIGHTS,       /* by stratum × entry bin; only with delayed entry */
    COX_BLOCK_WEIGHTED_COLUMNS,    /* weighted Σ of 1, the columns and the offset, by status */
    COX_BLOCKS_WEIGHTED
};

/* memo beyond the common part begins with these. */
enum {
    COX_NULL_LOGLIK,
    COX_LOGLIK,
    COX_SCORE_TEST,
    COX_EVENT_OFFSET,
    COX_EVENT_WEIGHT,
    COX_COMPARABLE, /* pairs, by their weight */
    COX_ROW_PAIRS,  /* no row is in more than these */
    COX_CONCORDANT, /* of these, as the round of the pairs decides them */
    COX_DISCORDANT,
    COX_END,  /* the last bin to which every stratum is followed up */
    COX_STEP, /* the last Newton step, in standard errors, and the one before it; 0: none, or it was cut short
               */
    COX_STEP_BEFORE,
    COX_SPREAD, /* of the predictor over what the rows meet of the hazard, at the next β */
    COX_OWN
};

/* One call of step(). The pointers go into memo. What is more precise than a double takes two (cox_load);
 * what is per column is per kept column of the θ that the evaluation writes. */
struct cox_step {
    struct cox cox;
    const struct totals *totals;
    struct iteration *iteration;
    struct outcome *outcome;
    struct arena *arena;
    struct fit_theta at; /* θ of the round that is being stepped */
    struct fit fit;
    double *own;
    double *ties; /* strata × bins: events */
    double *mean; /* strata × bins: mean weight of these events; 1 without weights */
    double *uncensored; /* strata × bins: Ĝ(t−)·Ĥ(t−), Kaplan–Meier of the censoring and of the entries; only
                           with competing causes */
    double *event_sum; /* columns: Σ over the events, weighted */
    double *c1,
        *c2; /* strata × bins: steps of the cumulated hazard and Efron's correction (docs/methods/cox.md) */
    double *at_risk; /* strata × bins: weight of who is there and has no event; only with concordance, as the
                        next two */
    double *cuts;    /* of the predictor (cox_concordance.c) */
    double *same;    /* certain pairs of an interval with itself, in the round of the pairs */
    double *node_events;  /* interval × class of time: weight of the events */
    double *weights;      /* transform × bin: centred g(t); only with zph, as all below but the first two */
    double *score;        /* columns, quadruple */
    double *products;     /* columns²: what the information subtracts */
    double *zph_score;    /* per transform, columns: Σ g·(mean covariate), what its score subtracts */
    double *zph_products; /* per transform, g and g², columns² */
    double *h1, *h2; /* strata × bins, only with standardised survival: Σ ā/(S0 − f·E0)², and with f */
    /* only with robust errors or standardised survival: strata × bins × columns */
    double *d1, *d2;   /* as c1 and c2, times the mean covariates */
    double *covariate; /* mean covariate of the events at a time */
};

f128 cox_load(const double *at);

/* cox.c */

/* Reads an analysis by cox, or by finegray: one that has the key `cause`. */
enum maille_code cox_prepare(struct cox *cox, const struct analysis *analysis, struct arena *arena,
                             struct maille_error *error) MAILLE_CHECKED;
/* What both methods put into their rows (stats/method.h). */
enum maille_code cox_check(const struct analysis *analysis, struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                           struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_plan(const struct analysis *analysis, const struct vector *theta,
                          const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                          struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_step(const struct analysis *analysis, const struct totals *totals,
                          struct iteration *iteration, struct outcome *outcome, bool *done,
                          struct maille_error *error) MAILLE_CHECKED;

/* After an evaluation: false when the step was too long; β is then halved. */
enum maille_code cox_accept(struct cox_step *step, double loglik, bool *accepted,
                            struct maille_error *error) MAILLE_CHECKED;
/* Columns of the round's block, as quadruples, and an order-2 block unpacked. */
f128 *cox_read_matrix(const struct cox_step *step, size_t block, size_t first, size_t n);

/* Where the head counts of rows that are left out stand; SIZE_MAX without delayed entry. */
enum maille_code cox_left_out(size_t *block, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error) MAILLE_CHECKED;

/* cox_counts.c */

/* Adds the blocks of round 1 that stand before the evaluation. */
void cox_counts_plan(const struct cox *cox, struct arena *arena, struct tally_spec *spec,
                     const struct fit_theta *at);
/* How many these are. */
size_t cox_counts_blocks(const struct cox *cox);
/* Into memo; MAILLE_FAILED when nobody or no event is there, or a level has an infinite estimate. */
enum maille_code cox_counts_read(struct cox_step *step, struct maille_error *error) MAILLE_CHECKED;

/* cox_report.c */

/* The result. robust: covariance of the coefficients (normal->n square), or NULL. concordance: the first
 * block of the round that it is read from; one that is not there: null. */
void cox_report(struct cox_step *step, const struct normal *normal, const f128 *robust, size_t concordance);

/* cox_concordance.c */

enum { COX_CONCORDANCE_STRATA_MAX = 128 };
/* Is it tallied over all sites? */
bool cox_concordance_pooled(const struct cox *cox);
/* What θ carries of it in each stage, behind the other parts, and the blocks that it adds. */
size_t cox_concordance_theta_size(const struct cox *cox, unsigned stage);
enum maille_code cox_concordance_plan(const struct cox *cox, const struct fit_theta *at, const double *extra,
                                      struct arena *arena, struct tally_spec *spec,
                                      struct maille_error *error) MAILLE_CHECKED;
/* Appends that part to θ, whose stage is set and whose γ and shift are there. */
void cox_concordance_theta(struct cox_step *step, unsigned stage);
/* Bytes of the larger of its two rounds; 0: it has none. */
size_t cox_concordance_bytes(const struct cox *cox);
/* Memo: how many numbers cuts, same and node_events are. */
size_t cox_concordance_cuts(const struct cox *cox);
size_t cox_concordance_same(const struct cox *cox);
size_t cox_concordance_node_events(const struct cox *cox);
/* After a curvature: the cuts of the predictor from its counts (block), and its spread at the next β.
 * second_moments: the information before anything is subtracted, on the kept columns, full square. */
void cox_concordance_spread(struct cox_step *step, const f128 *second_moments);
void cox_concordance_read_cuts(struct cox_step *step, size_t block);
/* After the round of the pairs. */
void cox_concordance_read_pairs(struct cox_step *step, size_t block);
/* Comparable pairs and at_risk, by the counts of round 1. */
void cox_concordance_count(struct cox_step *step);
/* block: the first of the last round. */
void cox_concordance_report(const struct cox_step *step, size_t block, struct result *result);
/* How many blocks that is. */
size_t cox_concordance_blocks(const struct cox *cox);
/* The same inside every site. */
void cox_concordance_site_plan(const struct cox *cox, const struct expression *eta, struct arena *arena,
                               struct tally_spec *spec);
void cox_concordance_site_report(const struct cox_step *step, size_t block, struct result *result);

/* cox_adjusted.c: standardised survival, in the round of the pairs and in the last. */

enum { COX_TIMES_MAX = 32, COX_ADJUSTED_LEVELS_MAX = 8 };
enum maille_code cox_adjusted_check(const struct cox *cox, struct maille_error *error) MAILLE_CHECKED;
/* How many numbers a result tells of it: means, their errors, errors of the differences. */
size_t cox_adjusted_shown(const struct cox *cox);
/* Its part of θ is the last. Before the last round it is made of the totals of the round of the pairs. */
size_t cox_adjusted_theta_size(const struct cox *cox, const struct fit_theta *at);
void cox_adjusted_theta(struct cox_step *step, unsigned stage, const struct normal *normal);
/* Its blocks are the last of both rounds. */
void cox_adjusted_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                       struct tally_spec *spec);
void cox_adjusted_report(const struct cox_step *step, size_t block, struct result *result);

/* cox_pairs.c: pairs of patients by counts in cells of predictor and time. */

/* Intervals of the predictor in `parents` runs of `children`, with classes of time: runs of units that stand
 * for times of a stratum, one after the other. A class ends at the unit `edges` (the last class of all has no
 * edge; one that ends in no unit is empty); where `own` each parent has classes of its own, whose units are
 * counted from parent × n_units. Index of a count: ((interval × n_classes) + class) × 2 + status; of those
 * who enter: interval × n_classes + class. */
struct cox_level {
    size_t parents, children, n_classes;
    const double *edges;
    bool own;
    size_t block; /* of the round: who leaves; with delayed entry the next: who enters */
};
struct cox_units {
    size_t n;
    const size_t *stratum; /* of each */
    const double *events;  /* weight of each; where a level has its own classes, parent × unit */
    const bool *exact;     /* are all events of the unit at one time, its first? NULL: yes */
};
struct cox_pairs {
    double concordant, discordant;
};
/* Rows of a count of these blocks, or what they weigh. */
double cox_read_rows(const struct cox_step *step, size_t block, size_t index);

/* Writes n_classes edges from base on, such that a class begins with every event, or with as many events as
 * make about `target` of them. */
void cox_pairs_classes(double *edges, size_t n_classes, double base, const double *events,
                       const struct cox_units *units, size_t target);
/* The first unit of each class of a parent and the last, n_classes each; first > last where it is empty. */
void cox_pairs_bounds(const struct cox_level *level, size_t n_units, size_t parent, size_t *first,
                      size_t *last);
/* Adds the pairs of intervals of one parent that are certain; same: of each interval those with itself. */
void cox_pairs_add(struct cox_pairs *pairs, double *same, const struct cox_step *step,
                   const struct cox_level *level, const struct cox_units *units);
/* What a row's pairs are, concordant less discordant, by the counts of `level`: exits as its counts are laid
 * out, and entries, which a row's number is less. */
void cox_pairs_net(double *exits, double *entries, const struct cox_step *step, const struct cox_level *level,
                   const struct cox_units *units);

/* cox_evaluate.c */

/* Every event costs a few operations in every step, and how many there are is what sites say. */
enum { COX_EVENTS_MAX = 1 << 24 };
/* Reads the sums of a round (a): log likelihood, and into memo the score, the products and the steps of the
 * hazard, on the columns of `next`. MAILLE_FAILED when a risk set vanishes, and past COX_EVENTS_MAX. */
enum maille_code cox_evaluate(struct cox_step *step, const struct fit_theta *next, double *loglik,
                              struct maille_error *error) MAILLE_CHECKED;

/* cox_merge.c */

/* Moves rows to the edges of joined steps, where the threshold rounds have joined any, and names the guards
 * of what is tallied by step. After cox_prepare. */
enum maille_code cox_merge(struct cox *cox, const struct surviving *surviving, struct arena *arena,
                           struct maille_error *error) MAILLE_CHECKED;
/* The head counts that decide it, the last of a model: events, exits by other causes, entries. cox: not
 * merged. */
enum maille_code cox_merge_cells(const struct cox *cox, struct cells *out, struct arena *arena,
                                 struct maille_error *error) MAILLE_CHECKED;
/* grid_merged, and `grid_edges`. */
void cox_merge_report(const struct cox_step *step, struct result *result);

/* cox_pooled.c */

enum maille_code cox_pooled_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                                 struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_pooled_step(struct cox_step *step, bool *done,
                                 struct maille_error *error) MAILLE_CHECKED;
/* Numbers of the two tables of θ: stratum × exit bin × status, then stratum × entry bin. */
size_t cox_table_size(const struct cox *cox);

/* One number of an array per stratum × bin: v[(stratum·bins + bin)·stride]. */
struct cox_steps {
    const double *v;
    size_t stride;
};
/* Appends to θ the tables of what a row meets while it is at risk: Σ g^power·c1 up to a bin, less g^power·c2
 * for an event; where causes compete, one who had another goes on with weight Ĝ(t−)/Ĝ(exit−). g: one number a
 * bin, or NULL for 1. */
void cox_tables_push(const struct cox_step *step, struct cox_steps c1, struct cox_steps c2, const double *g,
                     int power);
/* The number that a row finds in such tables: exit table − entry table. */
const struct expression *cox_table_lookup(const struct cox *cox, const double *tables, struct arena *arena);
/* exp(x′β − c). */
const struct expression *cox_risk(const struct cox *cox, const struct fit_theta *at, struct arena *arena);
/* Weight times x; either may be NULL. */
const struct expression *cox_weighted(const struct cox *cox, struct arena *arena, const struct expression *x);

/* cox_site.c */

enum maille_code cox_site_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                               struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_site_step(struct cox_step *step, bool *done, struct maille_error *error) MAILLE_CHECKED;

/* cox_zph.c: in the last round, the tables weighted by g and g². */

/* g(t) of each transform, centred over the events, from the counts of round 1. */
void cox_zph_weights(struct cox_step *step);
void cox_zph_theta(struct cox_step *step);
size_t cox_zph_theta_size(const struct cox *cox);
/* extra: where this part of θ begins. */
void cox_zph_plan(const struct cox *cox, const struct fit_theta *at, const double *extra, struct arena *arena,
                  struct tally_spec *spec);
/* block: the first of this part. */
void cox_zph_report(struct cox_step *step, const struct normal *normal, struct result *result);
size_t cox_zph_blocks(const struct cox *cox);

/* cox_robust.c: in the last round, behind zph. */

size_t cox_robust_theta_size(const struct cox *cox, const struct fit_theta *at);
void cox_robust_theta(struct cox_step *step);
void cox_robust_plan(const struct cox *cox, const struct fit_theta *at, const double *extra,
                     struct arena *arena, struct tally_spec *spec);
/* A block that squares sums of terms over the rows, or over the clusters or sites that they are dependent in
 * (weight: a of a·term), and how it is read: n square. total: a bound of Σ a·|term| over the network,
 * INFINITY where only that of a term is known. */
void cox_squares_plan(const struct cox *cox, const struct expression *const *terms, size_t n, double total,
                      struct arena *arena, struct tally_spec *spec);
f128 *cox_squares_read(const struct cox_step *step, size_t block, size_t n);
/* The covariance of the coefficients; normal->n square. block: of the round. MAILLE_FAILED: fit_check_middle.
 */
enum maille_code cox_robust_variance(const f128 **variance, const struct cox_step *step,
                                     const struct normal *normal, size_t block,
                                     struct maille_error *error) MAILLE_CHECKED;
/* How far its predictor may go over the dictionary's bounds. */
double cox_predictor_max(const struct cox *cox);

#endif
