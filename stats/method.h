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

/* Which cells of `cells` survived the threshold rounds; NULL where there were none: all of them. */
struct surviving {
    const uint8_t *const *kept; /* kept[block][cell] */
};

/* --- head counts --- */

enum cell_rule {
    CELL_COHORT,   /* block of one cell: the patients of the analysis (min_patients, max_parameter_share) */
    CELL_PATIENTS, /* each cell: min_cell */
    CELL_EVENTS    /* each cell: patients with an event, per arm or level: min_events */
};

struct cells {
    struct tally_spec spec; /* order 0, `distinct` blocks */
    enum cell_rule rules[TALLY_BLOCKS_MAX]; /* one per block */
    size_t n_parameters; /* of the model, for max_parameter_share; 0: none */
    double grid_days;    /* of survival times as they will be released, in days; 0: no survival times */
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

/* --- the method --- */

/* Where one analysis stands. round counts its own value rounds from 1. */
struct iteration {
    unsigned round;
    size_t n_sites;       /* |U|: how many sites the totals stand for */
    struct vector theta;  /* what the sites' next plan depends on; empty for round 1 */
    struct vector memo;   /* the analyst's own: totals that a later step needs */
};

/* What every result carries beside `result` (interface.md §5). */
struct outcome {
    struct arena *arena; /* results live here */
    int64_t n, n_missing, n_event; /* −1: not set (null) */
    struct result *warnings, *dropped_levels, *aliased; /* arrays of strings, made empty by the caller */
    bool grid_merged;
    struct result *result; /* object */
};

struct method {
    struct query_method declared;
    unsigned version;
    /* What types alone can tell (wrong number of levels, no event …). May be NULL. Errors: MAILLE_INVALID with file and line. */
    enum maille_code (*check)(const struct analysis *analysis, struct maille_error *error);
    /* The head counts that must pass before the method may run. */
    enum maille_code (*cells)(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                              struct maille_error *error);
    /* What to tally in this round: depends on the query, θ and the surviving cells only, never on data. Runs at every site and at
     * the analyst and must give the same bytes. theta is empty in round 1 and outlives the spec.
     * MAILLE_REFUSED "theta" when a bound of x′β − c is above 30; MAILLE_FAILED with a sentence otherwise. */
    enum maille_code (*plan)(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error);
    /* Totals to the next θ (in iteration), or to the outcome and *done. MAILLE_FAILED with a sentence: status `failed`. */
    enum maille_code (*step)(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error);
    /* A method that takes `weights: {iptw: …}` has the four of stats/iptw.h above, and here its own, to which the weights are a
     * variable like any other. NULL in all others. */
    const struct method *weighted;
};

#endif
